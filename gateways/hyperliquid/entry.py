"""Order entry on Hyperliquid: signed actions as websocket posts, over HTTP where nothing can have left by websocket.

What an answer proves is said by the type that is raised (``gateways.errors``). An action is sent once: the websocket's
refusal to send is the only reason to use the other way.
"""

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from urllib.parse import urlsplit

import msgspec

from gateways.errors import DecodeError, Unavailable, Unknown, VenueError
from gateways.hyperliquid.answers import Outcome, RefusedWhole, outcomes, refused
from gateways.hyperliquid.encode import as_post, encode, encode_batch, slippage_price, unpriced
from gateways.hyperliquid.session import MESSAGES, ORDERS, WEIGHT, Session
from gateways.hyperliquid.wire import PostResponse, read
from gateways.standards import AmendOrder, CancelOrder, DeadMansSwitch, PlaceOrder, WireRequest
from gateways.transport.budget import Priority
from gateways.transport.calls import Calls, UnderWay

POSTS_IN_FLIGHT = 100
REPLY_TIMEOUT_S = 10.0
ENTRY_WAIT_S = 2.0
"""How long an order request may wait for the rate budget: longer than the second that a refusal for rate asks for."""
BATCH = 40
"""Most items that go in one request. The venue names no most; from 40 on a request weighs more, and so much is lost
together when there is no answer ("Rate limits and user limits" page)."""

Action = PlaceOrder | AmendOrder | CancelOrder | DeadMansSwitch


class Nonces:
    """The nonces of one signer: milliseconds, each larger than all before (the venue keeps the 100 highest)."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, now_ms: int) -> int:
        """The present time, or the next free millisecond after it."""
        self._last = max(now_ms, self._last + 1)
        return self._last


def post_calls(venue: str) -> Calls[PostResponse]:
    """The posts of one connection that wait for their reply, as many as the venue allows."""
    return Calls(venue, limit=POSTS_IN_FLIGHT)


class OrderEntry:
    """Sends signed actions and says what became of each of their items.

    ``send`` writes a post to the websocket or raises Unavailable; its replies come to ``calls``.
    """

    def __init__(
        self,
        session: Session,
        *,
        send: Callable[[bytes], None],
        calls: Calls[PostResponse],
        reply_timeout: float,
    ) -> None:
        self._session = session
        self._venue = session.alias
        self._mainnet = urlsplit(session.endpoints.rest).hostname == "api.hyperliquid.xyz"
        self._send = send
        self._calls = calls
        self._reply_timeout = reply_timeout
        self._nonces = Nonces()
        self._request_id = 0

    async def submit(self, request: Action, priority: Priority) -> Outcome:
        """Send one order, change, cancel or timed cancel; return its outcome, which has no error.

        Raises Denied, Unavailable (not sent), Rejected (RateLimited) or Unknown (may have been done).
        """
        verb = _VERBS[type(request)]
        results = await self._perform(self._signed(request), verb, priority, _limited(request), items=1)
        return self._only(results, request)

    def begin(self, request: Action, priority: Priority) -> Awaitable[Outcome]:
        """``submit``, but begun now: where nothing has to be waited for, its bytes have left when this returns.

        What ``submit`` raises it raises at once, or when what is returned is awaited.
        """
        if not self._session.gate.try_acquire({MESSAGES: 1, **_limited(request)}, priority):
            return UnderWay(lambda: self.submit(request, priority))
        wire, call = self._signed(request), None
        with contextlib.suppress(Unavailable):
            call = self._by_websocket(wire, _VERBS[type(request)])
        return UnderWay(lambda: self._left(call, wire, request, priority))

    def rehearse(self, order: PlaceOrder, reference: Decimal | None, slippage: Decimal) -> None:
        """Sign an order as ``begin`` would, at a price by the market where it has none; no nonce is used up."""
        contract, now_ms = self._session.contracts.get(order.ticker), self._session.now_ms()
        if unpriced(order) and reference is not None and contract is not None:
            limit = slippage_price(contract, reference, slippage, buying=order.amount > 0)
            order = msgspec.structs.replace(order, price=limit)
        with contextlib.suppress(VenueError):
            signed = encode(
                order, self._session.contracts, self._session.credentials, now_ms, mainnet=self._mainnet, nonce=now_ms
            )
            as_post(msgspec.Raw(signed.body), 0, signed=True)

    async def _left(
        self, call: Awaitable[object] | None, wire: WireRequest, request: Action, priority: Priority
    ) -> Outcome:
        verb = _VERBS[type(request)]
        if call is None:
            call = self._by_http(wire, verb, priority, _limited(request), items=1)
        body = await call
        return self._only(self._results(body, verb, items=1), request)

    def _signed(self, request: Action) -> WireRequest:
        now_ms = self._session.now_ms()
        return encode(
            request,
            self._session.contracts,
            self._session.credentials,
            now_ms,
            mainnet=self._mainnet,
            nonce=self._nonces.next(now_ms),
        )

    def _only(self, results: list[Outcome], request: Action) -> Outcome:
        """The outcome of a request for one item. Raises the error that it is."""
        verb, (outcome,) = _VERBS[type(request)], results
        settled = self._settled(outcome, verb, names_order=isinstance(request, PlaceOrder | AmendOrder))
        if isinstance(settled, VenueError):
            raise settled
        return settled

    async def submit_batch(
        self, requests: Sequence[PlaceOrder] | Sequence[CancelOrder], priority: Priority
    ) -> list[Outcome | VenueError]:
        """Send several orders, or several cancels, in one request; return each one's outcome, without error, or error.

        Raises what the request as a whole met, as ``submit`` does.
        """
        places = isinstance(requests[0], PlaceOrder)
        now_ms = self._session.now_ms()
        wire = encode_batch(
            requests,
            self._session.contracts,
            self._session.credentials,
            now_ms,
            mainnet=self._mainnet,
            nonce=self._nonces.next(now_ms),
        )
        verb, costs = ("place batch", {ORDERS: len(requests)}) if places else ("cancel batch", {})
        found = await self._perform(wire, verb, priority, costs, items=len(requests))
        return [self._settled(outcome, verb, names_order=places) for outcome in found]

    def _settled(self, outcome: Outcome, verb: str, *, names_order: bool) -> Outcome | VenueError:
        """An outcome, or the error that it is. ``names_order``: whether one that says nothing proves nothing."""
        if outcome.error is not None:
            error = refused(self._venue, outcome.error, whole=isinstance(outcome, RefusedWhole))
            return self._session.held_up(error, ORDERS)
        if names_order and outcome == Outcome():
            return Unknown(self._venue, f"sent, but the answer to {verb} names no order")
        return outcome

    # ------------------------------------------------------------------ the two ways

    async def _perform(
        self, wire: WireRequest, verb: str, priority: Priority, costs: Mapping[str, int], *, items: int
    ) -> list[Outcome]:
        """Send a signed request, which costs so much beside its way; return an outcome for each of its ``items``."""
        try:
            await self._session.gate.acquire({MESSAGES: 1, **costs}, priority)
            body = await self._by_websocket(wire, verb)
        except Unavailable:
            body = await self._by_http(wire, verb, priority, costs, items=items)
        return self._results(body, verb, items=items)

    def _results(self, body: object, verb: str, *, items: int) -> list[Outcome]:
        try:
            results = outcomes(body, self._venue)
        except DecodeError as error:
            raise Unknown(self._venue, f"sent, but the answer to {verb} is not readable: {error.text}") from error
        if len(results) == 1 and items > 1 and results[0].error is not None:
            return results * items  # one refusal of the whole batch, before any item was looked at
        if len(results) != items:
            raise Unknown(self._venue, f"sent, but {verb} of {items} was answered for {len(results)}")
        return results

    def _by_websocket(self, wire: WireRequest, verb: str) -> Awaitable[object]:
        """Write a request to the websocket; await its answer. Raises Unavailable, at once, when it did not leave."""
        self._request_id += 1
        request_id = self._request_id
        post = as_post(msgspec.Raw(wire.body), request_id, signed=True)
        started = self._session.network.monotonic_ns()
        call = self._calls.begin(str(request_id), lambda: self._send(post), timeout=self._reply_timeout)
        return UnderWay(lambda: self._answered(call, verb, post, started))

    async def _answered(self, call: Awaitable[PostResponse], verb: str, post: bytes, started_ns: int) -> object:
        answer: str | bytes = "cancelled"
        ok = False
        try:
            reply = await call
            payload = reply.payload
            answer = payload if isinstance(payload, str) else msgspec.json.encode(payload)
            ok = isinstance(payload, dict) and payload.get("status") == "ok"
        except Unknown as error:
            answer = error.text
            raise
        finally:
            took_ns = self._session.network.monotonic_ns() - started_ns
            self._session.request_done(verb, sent=post, answer=answer, took_ns=took_ns, ok=ok)
        if reply.type == "action":
            return payload
        if reply.type == "error" and str(payload)[:1] == "4":  # it mirrors the HTTP status that POST would have had
            raise self._session.held_up(refused(self._venue, str(payload), whole=True), MESSAGES)
        raise Unknown(self._venue, f"sent, but answered by {reply.type}: {payload}")

    async def _by_http(
        self, wire: WireRequest, verb: str, priority: Priority, costs: Mapping[str, int], *, items: int
    ) -> object:
        weighed = {WEIGHT: 1 + items // 40, **costs}
        body = await self._session.ask(
            lambda: wire, verb, weighed, priority, max_wait=ENTRY_WAIT_S, timeout=self._reply_timeout
        )
        try:
            return read(object, body, self._venue)
        except DecodeError as error:
            raise Unknown(self._venue, f"sent, but the answer to {verb} is not JSON: {error.text}") from error


def _limited(request: Action) -> Mapping[str, int]:
    """What a request costs beside its way."""
    return {ORDERS: 1} if isinstance(request, PlaceOrder | AmendOrder) else {}


_VERBS: dict[type, str] = {
    PlaceOrder: "place",
    AmendOrder: "amend",
    CancelOrder: "cancel",
    DeadMansSwitch: "dead man",
}
