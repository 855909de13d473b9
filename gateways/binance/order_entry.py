"""Order entry: the websocket API first, HTTP where that socket is down. Nothing is ever sent twice.

A request goes by HTTP only when it definitely did not leave by the websocket. What a reply says of an order goes to the
sink too, in the turn in which it was read: so it counts even when the caller has given up waiting.
"""

import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Sequence
from functools import partial

from gateways.binance import batches, bodies, limits, refusals
from gateways.binance.decode import decode
from gateways.binance.encode import encode, encode_cancels, encode_places, encode_ws
from gateways.binance.session import Session
from gateways.errors import DecodeError, Unavailable, Unknown, VenueError
from gateways.standards import Ack, AmendOrder, CancelOrder, Event, OrderUpdate, PlaceOrder, Reject
from gateways.transport.budget import Priority
from gateways.transport.calls import Calls, UnderWay
from gateways.transport.stream import Stream
from gateways.venue import Channel

REPLY_TIMEOUT_S = 5.0
"""How long to wait for a reply before the outcome is Unknown."""

MAX_WAIT_S = {Priority.CANCEL: 2.0, Priority.HEDGE: 2.0, Priority.MAKER: 1.0}
"""How long an order request may wait for the rate budget."""

_REMEMBERED = 1_000

OrderRequest = PlaceOrder | AmendOrder | CancelOrder


class OrderEntry:
    """Sends orders, amends and cancels of one account and returns what the venue says of them."""

    def __init__(self, session: Session, address: str, *, reply_timeout_s: float = REPLY_TIMEOUT_S) -> None:
        self._session = session
        self._timeout = reply_timeout_s
        self._calls: Calls[tuple[bytes, list[Event]]] = Calls(session.alias)
        self._numbers = 0
        self._placed: OrderedDict[str, str] = OrderedDict()
        self.stream = Stream(
            session.alias,
            Channel.TRADE,
            address,
            self._message,
            on_lost=self._calls.disconnected,
            on_state=session.channel_changed,
            on_fault=self._fault,
            clock_ns=session.clock_ns,
            network=session.network,
        )

    async def send(self, request: OrderRequest, verb: str, priority: Priority) -> OrderUpdate | None:
        """Send one request, once; return what the reply says of the order.

        Raises Denied, Unavailable (not sent), Rejected (definite) or Unknown (may have been carried out).
        """
        await self._session.gate.acquire(limits.costs_of(request), priority, max_wait=MAX_WAIT_S[priority])
        return await self._leave(request, verb, priority)

    def begin(self, request: OrderRequest, verb: str, priority: Priority) -> Awaitable[OrderUpdate | None]:
        """``send``, but begun now: where nothing has to be waited for, its bytes have left when this returns.

        What ``send`` raises it raises at once, or when what is returned is awaited.
        """
        if self._session.gate.try_acquire(limits.costs_of(request), priority):
            return self._leave(request, verb, priority)
        return UnderWay(lambda: self.send(request, verb, priority))

    def rehearse(self, order: PlaceOrder) -> None:
        """Do what ``begin`` does before the bytes leave, and keep nothing of it."""
        session = self._session
        session.gate.try_acquire(dict.fromkeys(limits.costs_of(order), 0), Priority.HEDGE)
        with contextlib.suppress(VenueError):
            message = encode_ws(order, session.contracts, session.credentials, session.now_ms(), "rehearsal")
            self.stream.rehearse_send(message)

    def _leave(self, request: OrderRequest, verb: str, priority: Priority) -> Awaitable[OrderUpdate | None]:
        """Send a request that has its budget: now by the websocket or, where it did not leave, by HTTP when awaited."""
        call = None
        if self.stream.ready:
            try:
                call = self._by_websocket(request, verb)
            except Unavailable as error:
                self._session.dropped(f"order entry by HTTP: {error.text}")
        return UnderWay(lambda: self._left(call, request, verb, priority))

    async def _left(
        self, call: Awaitable[OrderUpdate | None] | None, request: OrderRequest, verb: str, priority: Priority
    ) -> OrderUpdate | None:
        session = self._session
        if call is not None:
            try:
                return await call
            except Unavailable as error:
                session.dropped(f"order entry by HTTP: {error.text}")
        # The budget is spent already: the same request, by the other way.
        body = await session.ask(
            lambda: encode(request, session.contracts, session.credentials, session.now_ms()), verb, {}, priority
        )
        try:
            return bodies.order(body, session.contracts)
        except DecodeError as error:
            raise Unknown(session.alias, f"taken, but the answer cannot be read: {error.text}") from error

    async def place_batch(self, orders: Sequence[PlaceOrder]) -> list[OrderUpdate | VenueError]:
        """Send up to five orders in one request, once; return what the answer says of each.

        Raises what the request as a whole met, as ``send`` does.
        """
        session = self._session
        body = await session.ask(
            lambda: encode_places(orders, session.contracts, session.credentials, session.now_ms()),
            "place batch",
            limits.PLACE_BATCH,
            Priority.MAKER,
            max_wait=MAX_WAIT_S[Priority.MAKER],
            timeout=self._timeout,
        )
        return self._outcomes(body, orders)

    async def cancel_batch(self, cancels: Sequence[CancelOrder]) -> list[OrderUpdate | VenueError]:
        """Ask for up to ten cancels of one contract in one request; return and raise as ``place_batch``."""
        session = self._session
        body = await session.ask(
            lambda: encode_cancels(cancels, session.contracts, session.credentials, session.now_ms()),
            "cancel batch",
            limits.CANCEL_BATCH,
            Priority.CANCEL,
            max_wait=MAX_WAIT_S[Priority.CANCEL],
            timeout=self._timeout,
        )
        return self._outcomes(body, cancels)

    def _outcomes(
        self, body: bytes, items: Sequence[PlaceOrder] | Sequence[CancelOrder]
    ) -> list[OrderUpdate | VenueError]:
        session = self._session
        try:
            found = batches.outcomes(body, items, session.contracts)
        except DecodeError as error:
            raise Unknown(session.alias, f"taken, but the answer cannot be read: {error.text}") from error
        return [self._error_of(each) if isinstance(each, Reject) else each for each in found]

    def _by_websocket(self, request: OrderRequest, verb: str) -> Awaitable[OrderUpdate | None]:
        session = self._session
        self._numbers += 1
        request_id = f"{verb}-{self._numbers}"
        message = encode_ws(request, session.contracts, session.credentials, session.now_ms(), request_id)
        call = self._calls.begin(request_id, partial(self.stream.send, message), timeout=self._timeout)
        started = session.network.monotonic_ns()
        if isinstance(request, PlaceOrder):  # no reply is read before this turn of the loop is over
            self._remember(request_id, request.cloid)
        return UnderWay(lambda: self._answered(call, verb, message, started))

    async def _answered(
        self, call: Awaitable[tuple[bytes, list[Event]]], verb: str, message: bytes, started_ns: int
    ) -> OrderUpdate | None:
        session, said, ok = self._session, b"", False
        try:
            said, events = await call
            update = self._outcome(events)
            ok = True
        except VenueError as error:
            said = said or error.text.encode()
            raise
        else:
            return update
        finally:
            took_ns = session.network.monotonic_ns() - started_ns
            session.request_done(verb, sent=message, answer=said or b"cancelled", took_ns=took_ns, ok=ok)

    def _outcome(self, events: list[Event]) -> OrderUpdate | None:
        for event in events:
            if isinstance(event, Reject):
                raise self._error_of(event)
        return next((event for event in events if isinstance(event, OrderUpdate)), None)

    def _error_of(self, reject: Reject) -> VenueError:
        """The error of a refusal; one for rate holds up what it speaks of."""
        if reject.definite and reject.code in refusals.RATE_CODES:
            wait = self._session.back_off(reject.code, reject.text, reject.retry_after_s)
            return refusals.rate_limited(reject.venue, reject.text, reject.code, wait)
        return refusals.error_of(reject)

    def _remember(self, request_id: str, cloid: str) -> None:
        self._placed[request_id] = cloid
        if len(self._placed) > _REMEMBERED:
            self._placed.popitem(last=False)

    def _message(self, data: bytes, ts_recv_ns: int) -> None:
        session = self._session
        session.learn(limits.used_of_reply(data))
        try:
            events = decode(data, session.contracts)
        except DecodeError as error:
            self._unreadable(data, error)
            return
        first = events[0] if events else None
        request_id = first.request_id if isinstance(first, Ack | Reject) else None
        waiting = request_id is not None and self._calls.resolve(request_id, (data, events))
        cloid = self._placed.pop(request_id, None) if request_id is not None else None
        news: list[Event] = [each for each in events if isinstance(each, OrderUpdate)]
        if not waiting and cloid is not None:
            # Nobody waits any more: a late definite refusal is evidence that the order never existed.
            news += [_with_cloid(each, cloid) for each in events if isinstance(each, Reject) and each.definite]
        session.publish(news, ts_recv_ns, reply=True)
        if not events:
            session.dropped("unknown message on the order entry socket")

    def _unreadable(self, data: bytes, error: DecodeError) -> None:
        """A reply without its documented form: whatever it answered is Unknown."""
        self._session.dropped(error.text)
        try:
            parsed = bodies.parse(data, self._session.alias)
        except DecodeError:
            parsed = None
        request_id = parsed.get("id") if isinstance(parsed, dict) else None
        if isinstance(request_id, str):
            unknown = Unknown(self._session.alias, f"sent, but the reply cannot be read: {error.text}")
            self._calls.fail(request_id, unknown)

    def _fault(self, error: Exception) -> None:
        self._session.dropped(f"a reply could not be handled: {error!r}")


def _with_cloid(reject: Reject, cloid: str) -> Reject:
    return Reject(
        venue=reject.venue,
        code=reject.code,
        text=reject.text,
        reason=reject.reason,
        definite=reject.definite,
        request_id=reject.request_id,
        retry_after_s=reject.retry_after_s,
        cloid=cloid,
    )
