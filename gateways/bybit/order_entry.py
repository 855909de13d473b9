"""Order entry: the order entry socket first, HTTP where that socket is down. Nothing is ever sent twice.

A request goes by HTTP only when it definitely did not leave by the socket, or when the socket's server said that it
takes no new request (10019). A reply means that a request was accepted for processing: what became of it comes by the
private stream ("Place Order").
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from gateways.bybit import bodies, decode, limits, refusals
from gateways.bybit.encode import BATCH, encode, encode_batch, encode_batch_ws, encode_ws
from gateways.bybit.limits import OrderRequest
from gateways.bybit.session import HEARTBEAT, SILENT_AFTER_S, Session
from gateways.errors import DecodeError, Unavailable, Unknown, VenueError
from gateways.standards import Ack, CancelOrder, Event, OrderUpdate, PlaceOrder, Reject, WireRequest
from gateways.transport.budget import Priority
from gateways.transport.calls import Calls, UnderWay
from gateways.transport.stream import Stream
from gateways.venue import Channel

REPLY_TIMEOUT_S = 5.0
"""How long to wait for a reply before the outcome is Unknown."""

MAX_WAIT_S = {Priority.CANCEL: 2.0, Priority.HEDGE: 2.0, Priority.MAKER: 1.5}
"""How long an order request may wait for the rate budget, whose windows are a second long."""

_REMEMBERED = 1_000


class _Asked(msgspec.Struct, frozen=True):
    """What an item of a request stood for: where its answer belongs, however late."""

    ticker: str
    verb: str
    pool: str
    cloid: str | None
    oid: str | None
    makes: bool
    """Whether the order was to be made by it: a late refusal then proves that it never existed."""

    def accepted(self, named: object, venue: str) -> OrderUpdate:
        """What an acknowledgement of it says of the order."""
        return bodies.accepted(named, venue, ticker=self.ticker, cloid=self.cloid, label=f"{self.verb} accepted")

    def of_batch(self, event: Event, named: object, venue: str) -> OrderUpdate | Reject:
        """What a batch's answer says of it. Raises DecodeError where its place in the answer is another order's."""
        if isinstance(event, Reject):
            return msgspec.structs.replace(event, cloid=self.cloid)
        update = self.accepted(named, venue)
        if (update.oid != self.oid) if self.oid else (update.cloid != self.cloid):
            raise DecodeError(venue, "orderId", f"{update.oid} is not the order that was asked for in its place")
        return update


class _Sent(msgspec.Struct, frozen=True):
    """One request: its items, and how each way writes it."""

    asked: Sequence[_Asked]
    by_http: Callable[[], WireRequest]
    by_websocket: Callable[[str], bytes]
    priority: Priority


def _asked_of(request: OrderRequest, verb: str, pool: str) -> _Asked:
    oid = None if isinstance(request, PlaceOrder) else request.oid
    return _Asked(request.ticker, verb, pool, request.cloid, oid, isinstance(request, PlaceOrder))


def _said_of(
    asked: Sequence[_Asked], events: Sequence[Event], named: Any, venue: str
) -> Sequence[OrderUpdate | Reject]:
    """What an answer says of each item: what was accepted, as ``named`` in it, or the item's refusal.

    A refusal of the request as a whole stays alone. Raises DecodeError for what is no answer to these items.
    """
    refused = [each for each in events if isinstance(each, Reject)]
    if len(events) == 1 and refused:
        return refused
    if len(asked) == 1:
        return [asked[0].accepted(named, venue)]
    listed = named.get("list") if isinstance(named, dict) else None
    if not isinstance(listed, list) or not len(listed) == len(events) == len(asked):
        raise DecodeError(venue, "list", f"expected {len(asked)} items")
    return [item.of_batch(event, row, venue) for item, event, row in zip(asked, events, listed, strict=True)]


class OrderEntry:
    """Sends orders, amends and cancels of one account and returns what the venue says of them."""

    def __init__(self, session: Session, address: str, *, reply_timeout_s: float = REPLY_TIMEOUT_S) -> None:
        self._session = session
        self._timeout = reply_timeout_s
        self._calls: Calls[tuple[bytes, list[Event]]] = Calls(session.alias)
        self._numbers = 0
        self._asked: OrderedDict[str, Sequence[_Asked]] = OrderedDict()
        self.stream: Stream | None = None
        """None where the venue has no order entry socket: its demo."""
        if address:
            self.stream = Stream(
                session.alias,
                Channel.TRADE,
                address,
                self._message,
                on_open=self._opened,
                on_lost=self._calls.disconnected,
                on_state=session.channel_changed,
                on_fault=self._fault,
                heartbeat=HEARTBEAT,
                silent_after=SILENT_AFTER_S,
                clock_ns=session.clock_ns,
                network=session.network,
            )

    async def send(self, request: OrderRequest, verb: str, priority: Priority) -> OrderUpdate:
        """Send one request, once; return what the reply says of the order: its ids.

        Raises Denied, Unavailable (not sent), Rejected (definite) or Unknown (may have been carried out).
        """
        sent = self._sent(request, verb, priority)
        await self._granted(sent)
        return await self._one(self._leave(sent))

    def begin(self, request: OrderRequest, verb: str, priority: Priority) -> Awaitable[OrderUpdate]:
        """``send``, but begun now: where nothing has to be waited for, its bytes have left when this returns.

        What ``send`` raises it raises at once, or when what is returned is awaited.
        """
        sent = self._sent(request, verb, priority)
        if not self._session.gate.try_acquire({sent.asked[0].pool: 1}, priority):
            return UnderWay(lambda: self.send(request, verb, priority))
        answer = self._leave(sent)
        return UnderWay(lambda: self._one(answer))

    def _sent(self, request: OrderRequest, verb: str, priority: Priority) -> _Sent:
        session = self._session
        return _Sent(
            [_asked_of(request, verb, limits.pool_of(request))],
            lambda: encode(request, session.contracts, session.credentials, session.now_ms()),
            lambda request_id: encode_ws(request, session.contracts, session.now_ms(), request_id),
            priority,
        )

    async def _one(self, answer: Awaitable[list[OrderUpdate | VenueError]]) -> OrderUpdate:
        (outcome,) = await answer
        if isinstance(outcome, VenueError):
            raise outcome
        return outcome

    async def send_batch(
        self, requests: Sequence[PlaceOrder] | Sequence[CancelOrder], verb: str, priority: Priority
    ) -> list[OrderUpdate | VenueError]:
        """Send several orders, or several cancels, in one request, once; return what the reply says of each.

        Raises what the request as a whole met, as ``send`` does.
        """
        session, pool = self._session, limits.batch_pool_of(requests)
        sent = _Sent(
            [_asked_of(each, verb, pool) for each in requests],
            lambda: encode_batch(requests, session.contracts, session.credentials, session.now_ms()),
            lambda request_id: encode_batch_ws(requests, session.contracts, session.now_ms(), request_id),
            priority,
        )
        await self._granted(sent)
        return await self._leave(sent)

    def largest_batch(self, pool: str) -> int:
        """The most items that can be asked for at once now: the venue's most, and what the account's limit allows."""
        gate = self._session.gate
        return min(BATCH, gate.budget.used(gate.now())[pool][1])

    async def _granted(self, sent: _Sent) -> None:
        """Wait for the rate budget of a request."""
        costs = {sent.asked[0].pool: len(sent.asked)}
        await self._session.gate.acquire(costs, sent.priority, max_wait=MAX_WAIT_S[sent.priority])

    def _leave(self, sent: _Sent) -> Awaitable[list[OrderUpdate | VenueError]]:
        """Send a request that has its budget: now by the websocket or, where it did not leave, by HTTP when awaited.

        Await the outcome of each of its items.
        """
        call = None
        if self.stream is not None and self.stream.ready:
            try:
                call = self._by_websocket(sent.by_websocket, sent.asked)
            except Unavailable as error:
                self._session.dropped(f"order entry by HTTP: {error.text}")
        return UnderWay(lambda: self._left(call, sent))

    async def _left(
        self, call: Awaitable[list[OrderUpdate | VenueError]] | None, sent: _Sent
    ) -> list[OrderUpdate | VenueError]:
        if call is not None:
            try:
                return await call
            except Unavailable as error:  # its server takes no new request
                self._session.dropped(f"order entry by HTTP: {error.text}")
        # The account's budget is spent already; the address's counts HTTP alone.
        session, asked, priority = self._session, sent.asked, sent.priority
        verb, pool, costs = asked[0].verb, asked[0].pool, {limits.ADDRESS: 1}
        body = await session.ask(sent.by_http, verb, costs, priority, pool=pool, max_wait=MAX_WAIT_S[priority])
        try:
            raw = bodies.parse(body, session.alias)
            named, events = bodies.result(raw, session.alias), list[Event]()
            if len(asked) > 1:
                events = bodies.items_of_batch(named, raw.get("retExtInfo"), session.alias, None)
            return self._outcomes(_said_of(asked, events, named, session.alias), asked)
        except DecodeError as error:
            raise Unknown(session.alias, f"taken, but the answer cannot be read: {error.text}") from error

    async def _opened(self) -> None:
        request_id = self._named("auth")
        message = self._session.login(request_id)
        _, events = await self._calls.call(request_id, lambda: self._write(message), timeout=self._timeout)
        for event in events:
            if isinstance(event, Reject):
                raise refusals.error_of(event)

    def _by_websocket(
        self, build: Callable[[str], bytes], asked: Sequence[_Asked]
    ) -> Awaitable[list[OrderUpdate | VenueError]]:
        session, verb = self._session, asked[0].verb
        request_id = self._named(verb)
        message = build(request_id)
        self._remember(request_id, asked)
        started = session.network.monotonic_ns()
        call = self._calls.begin(request_id, lambda: self._write(message), timeout=self._timeout)
        return UnderWay(lambda: self._answered(call, asked, message, started))

    async def _answered(
        self, call: Awaitable[tuple[bytes, list[Event]]], asked: Sequence[_Asked], message: bytes, started_ns: int
    ) -> list[OrderUpdate | VenueError]:
        session, verb, said, ok = self._session, asked[0].verb, b"", False
        try:
            said, events = await call
            outcomes = self._outcomes(events, asked)
            ok = True
        except VenueError as error:
            said = said or error.text.encode()
            raise
        else:
            return outcomes
        finally:
            took_ns = session.network.monotonic_ns() - started_ns
            session.request_done(verb, sent=message, answer=said or b"cancelled", took_ns=took_ns, ok=ok)

    def _write(self, message: bytes) -> None:
        if self.stream is None:
            raise Unavailable(self._session.alias, "there is no order entry socket: not sent")
        self.stream.send(message)

    def _named(self, verb: str) -> str:
        """A request id that is never used again: the venue refuses one that it has seen (20006)."""
        self._numbers += 1
        return f"{verb}-{self._session.now_ms()}-{self._numbers}"

    def _outcomes(self, said: Sequence[Event], asked: Sequence[_Asked]) -> list[OrderUpdate | VenueError]:
        """The outcome of each item. Raises what the request as a whole met."""
        found = [each for each in said if isinstance(each, OrderUpdate | Reject)]
        if len(found) == 1 and isinstance(found[0], Reject):
            raise self._error_of(found[0], asked[0].pool)
        if len(found) != len(asked):
            raise Unknown(self._session.alias, f"sent and answered, but for {len(found)} of {len(asked)} orders")
        return [self._error_of(each, asked[0].pool) if isinstance(each, Reject) else each for each in found]

    def _error_of(self, reject: Reject, pool: str) -> VenueError:
        """The error of a refusal; one for rate holds up requests of its kind."""
        if reject.code == refusals.RESTARTING:
            if self.stream is not None:
                self.stream.reconnect(reject.text)
            return Unavailable(reject.venue, f"{reject.text} ({reject.code}): not taken")
        if reject.code in refusals.RATE_CODES:
            wait = self._session.back_off(reject.code, [pool], reject.retry_after_s)
            return refusals.rate_limited(reject.venue, reject.text, reject.code, wait)
        return refusals.error_of(reject)

    def _remember(self, request_id: str, asked: Sequence[_Asked]) -> None:
        self._asked[request_id] = asked
        if len(self._asked) > _REMEMBERED:
            self._asked.popitem(last=False)

    def _message(self, data: bytes, ts_recv_ns: int) -> None:
        session = self._session
        try:
            events = decode.decode(data, session.contracts)
            first = events[0] if events else None
            request_id = first.request_id if isinstance(first, Ack | Reject) else None
            asked = self._asked.pop(request_id, None) if request_id is not None else None
            if asked is not None:
                session.learn(asked[0].pool, decode.header_of(data, session.alias))
                events = [*_said_of(asked, events, decode.acknowledged(data, session.alias), session.alias)]
        except DecodeError as error:
            self._unreadable(data, error)
            return
        waiting = request_id is not None and self._calls.resolve(request_id, (data, events))
        news: list[Event] = [each for each in events if isinstance(each, OrderUpdate)]
        if not waiting and asked is not None and asked[0].makes:
            # Nobody waits any more: a late definite refusal is evidence that the order never existed.
            late = events if len(events) == len(asked) else events * len(asked)
            news += [
                msgspec.structs.replace(each, cloid=item.cloid)
                for item, each in zip(asked, late, strict=True)
                if isinstance(each, Reject) and each.definite
            ]
        session.publish(news, ts_recv_ns, reply=True)
        if not events and decode.topic_of(data):
            session.dropped("unknown message on the order entry socket")

    def _unreadable(self, data: bytes, error: DecodeError) -> None:
        """A reply without its documented form: whatever it answered is Unknown."""
        self._session.dropped(error.text)
        try:
            parsed = bodies.parse(data, self._session.alias)
        except DecodeError:
            parsed = None
        request_id = parsed.get("reqId") if isinstance(parsed, dict) else None
        if isinstance(request_id, str):
            unknown = Unknown(self._session.alias, f"sent, but the reply cannot be read: {error.text}")
            self._calls.fail(request_id, unknown)

    def _fault(self, error: Exception) -> None:
        self._session.dropped(f"a reply could not be handled: {error!r}")
