"""Order entry: the websocket first, HTTP where that socket is down or the contract has no code for it.

Nothing is ever sent twice: a request goes by HTTP only when it definitely did not leave by the websocket. A reply says
that the venue took the request, and the order's oid; what becomes of the order, and of an amend, comes by the private
stream. What a reply says of a new order goes to the sink too, in the turn in which it was read: so it counts even when
the caller gave up waiting.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from gateways.errors import DecodeError, Unavailable, Unknown, VenueError
from gateways.okx import batches, bodies, encode, limits, units, wire
from gateways.okx.decode import IGNORED, decode, kind_of
from gateways.okx.handshake import Handshake
from gateways.okx.session import HEARTBEAT, SILENT_AFTER_S, Session
from gateways.standards import (
    Ack,
    AmendOrder,
    CancelOrder,
    Event,
    OrderStatus,
    OrderUpdate,
    PlaceOrder,
    Reject,
    StreamEnd,
    WireRequest,
)
from gateways.transport.budget import Priority
from gateways.transport.calls import Calls, UnderWay
from gateways.transport.stream import Stream
from gateways.venue import Channel

REPLY_TIMEOUT_S = 5.0
"""How long to wait for a reply, and for the end of an amend, before the outcome is Unknown."""

MAX_WAIT_S = {Priority.CANCEL: 2.0, Priority.HEDGE: 2.0, Priority.MAKER: 1.0}
"""How long an order request may wait for the rate budget."""

_REMEMBERED = 1_000

OrderRequest = PlaceOrder | AmendOrder | CancelOrder

B = TypeVar("B", PlaceOrder, CancelOrder)
R = TypeVar("R")


class _Sent(msgspec.Struct, Generic[R], frozen=True):
    """One request on its way: how it is called, what it spends, its items, how each way writes it, how it is read."""

    verb: str
    request_id: str
    priority: Priority
    costs: Mapping[str, int]
    items: Sequence[OrderRequest]
    by_websocket: Callable[[], bytes]
    by_http: Callable[[], WireRequest]
    read: Callable[[Any], R]


class OrderEntry:
    """Sends orders, amends and cancels of one account and returns what the venue says of them."""

    def __init__(self, session: Session, address: str, *, reply_timeout_s: float = REPLY_TIMEOUT_S) -> None:
        self._session = session
        self._timeout = reply_timeout_s
        self._calls: Calls[bytes] = Calls(session.alias)
        self._amends: dict[str, asyncio.Future[OrderUpdate]] = {}
        self._numbers = 0
        self._placed: OrderedDict[str, Sequence[PlaceOrder]] = OrderedDict()
        self._handshake = Handshake(session)
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

    def place(self, order: PlaceOrder, priority: Priority) -> Awaitable[OrderUpdate]:
        """Send an order, once; await what its acknowledgement says: taken, and its oid.

        Where nothing has to be waited for, its bytes have left when this returns.
        """
        sent = self._sent(order, "place", priority, self._next("place"))
        began = self._session.gate.try_acquire(sent.costs, priority)
        answer = self._leave(sent) if began else UnderWay(lambda: self._exchange(sent))
        return UnderWay(lambda: self._acknowledged(order, answer))

    async def _acknowledged(self, order: PlaceOrder, answer: Awaitable[wire.Receipt]) -> OrderUpdate:
        receipt = await answer
        if not receipt.ord_id:
            raise Unknown(self._session.alias, "sent and taken, but the reply does not name the order")
        return self._taken(order, receipt)

    async def amend(self, order: AmendOrder) -> OrderUpdate:
        """Amend an order and wait for the news of it: the reply only says that the venue took the request."""
        alias, request_id = self._session.alias, self._next("amend")
        if len(self._amends) >= _REMEMBERED:
            raise Unavailable(alias, f"{_REMEMBERED} amends await their end: not sending another")
        future: asyncio.Future[OrderUpdate] = asyncio.get_running_loop().create_future()
        self._amends[request_id] = future
        try:
            await self._exchange(self._sent(order, "amend", Priority.MAKER, request_id))
            async with asyncio.timeout(self._timeout):
                return await future
        except TimeoutError:
            raise Unknown(alias, f"taken, but no news of the amend within {self._timeout:g} s") from None
        finally:
            del self._amends[request_id]
            if future.done() and not future.cancelled():
                future.exception()  # seen: the news may have raced with a refusal or a cancelled caller

    async def cancel(self, order: CancelOrder) -> None:
        """Ask for a cancel. The reply only says that the venue took the request."""
        await self._exchange(self._sent(order, "cancel", Priority.CANCEL, self._next("cancel")))

    async def place_batch(self, orders: Sequence[PlaceOrder]) -> list[OrderUpdate | VenueError]:
        """Send up to twenty orders in one request, once; return what the answer says of each.

        Raises what the request as a whole met: Denied, Unavailable, Rejected or Unknown.
        """
        found = await self._send_batch(orders, "placebatch", Priority.MAKER)
        return [self._taken(order, each) if isinstance(each, wire.Receipt) else each for order, each in found]

    async def cancel_batch(self, cancels: Sequence[CancelOrder]) -> list[VenueError | None]:
        """Ask for up to twenty cancels in one request; return and raise as ``place_batch``."""
        found = await self._send_batch(cancels, "cancelbatch", Priority.CANCEL)
        return [None if isinstance(each, wire.Receipt) else each for _, each in found]

    def settle(self, request_id: str, ended: OrderUpdate | Reject) -> None:
        """Take how an amend ended, from the private stream."""
        future = self._amends.get(request_id)
        if future is None or future.done():
            return
        if isinstance(ended, Reject):
            future.set_exception(self._session.error_of(ended, [limits.AMEND]))
        else:
            future.set_result(ended)

    def news_lost(self, reason: str) -> None:
        """The private stream is gone: how the amends end that wait for it is not known."""
        for future in self._amends.values():
            if not future.done():
                text = f"sent, but the private stream was lost before its news: {reason}"
                future.set_exception(Unknown(self._session.alias, text))

    # ------------------------------------------------------------------ sending

    def _next(self, verb: str) -> str:
        """A request id in the venue's alphabet: letters and digits."""
        self._numbers += 1
        return f"{verb}{self._session.clock_ns():x}{self._numbers:x}"[:32]

    def _sent(self, request: OrderRequest, verb: str, priority: Priority, request_id: str) -> _Sent[wire.Receipt]:
        session, costs = self._session, limits.costs_of(request)
        return _Sent(
            verb,
            request_id,
            priority,
            costs,
            [request],
            lambda: encode.encode_ws(request, session.contracts, session.credentials, session.now_ms(), request_id),
            lambda: encode.encode(
                request, session.contracts, session.credentials, session.now_ms(), request_id=request_id
            ),
            lambda body: self._receipt(body, costs),
        )

    async def _send_batch(
        self, requests: Sequence[B], verb: str, priority: Priority
    ) -> list[tuple[B, wire.Receipt | VenueError]]:
        session, costs, request_id = self._session, limits.costs_of_batch(requests), self._next(verb)
        sent: _Sent[list[wire.Receipt | VenueError]] = _Sent(
            verb,
            request_id,
            priority,
            costs,
            requests,
            lambda: encode.encode_batch_ws(requests, session.contracts, session.now_ms(), request_id),
            lambda: encode.encode_batch(requests, session.contracts, session.credentials, session.now_ms()),
            lambda body: self._receipts(body, requests, costs),
        )
        found = await self._exchange(sent)
        return list(zip(requests, found, strict=True))

    async def _exchange(self, sent: _Sent[R]) -> R:
        """Send one request, once; return what ``read`` makes of its answer."""
        await self._session.gate.acquire(sent.costs, sent.priority, max_wait=MAX_WAIT_S[sent.priority])
        return await self._leave(sent)

    def _leave(self, sent: _Sent[R]) -> Awaitable[R]:
        """Send a request that has its budget: now by the websocket or, where it did not leave, by HTTP when awaited."""
        session, call = self._session, None
        if self.stream.ready and all(encode.takes_websocket(each.ticker, session.contracts) for each in sent.items):
            try:
                call = self._by_websocket(sent)
            except Unavailable as error:
                session.dropped(f"order entry by HTTP: {error.text}")
        return UnderWay(lambda: self._left(call, sent))

    async def _left(self, call: Awaitable[R] | None, sent: _Sent[R]) -> R:
        session = self._session
        if call is not None:
            try:
                return await call
            except Unavailable as error:
                session.dropped(f"order entry by HTTP: {error.text}")
        try:
            # The budget is spent already: the same request, by the other way.
            return sent.read(await session.parsed(sent.by_http, sent.verb, {}, sent.priority, pools=sent.costs))
        except DecodeError as error:
            raise self._illegible(error) from error

    def _illegible(self, error: DecodeError) -> Unknown:
        return Unknown(self._session.alias, f"sent, but the answer cannot be read: {error.text}")

    def _by_websocket(self, sent: _Sent[R]) -> Awaitable[R]:
        session, message = self._session, sent.by_websocket()
        orders = [each for each in sent.items if isinstance(each, PlaceOrder)]
        if orders:
            self._remember(sent.request_id, orders)
        started = session.network.monotonic_ns()
        call = self._calls.begin(sent.request_id, lambda: self.stream.send(message), timeout=self._timeout)
        return UnderWay(lambda: self._answered(call, sent, message, started))

    async def _answered(self, call: Awaitable[bytes], sent: _Sent[R], message: bytes, started_ns: int) -> R:
        session, said, ok = self._session, b"", False
        try:
            said = await call
            found = sent.read(bodies.parse(said, session.alias))
            ok = True
        except VenueError as error:
            said = said or error.text.encode()
            if isinstance(error, DecodeError):
                raise self._illegible(error) from error
            raise
        else:
            return found
        finally:
            took_ns = session.network.monotonic_ns() - started_ns
            session.request_done(sent.verb, sent=message, answer=said or b"cancelled", took_ns=took_ns, ok=ok)

    def _receipt(self, body: Any, pools: Iterable[str]) -> wire.Receipt:
        """What the venue says to the one item of a request. Raises Rejected or Unknown where it refuses."""
        alias = self._session.alias
        self._session.check(bodies.outcome(body, alias), pools)
        rows = bodies.rows(body, alias)
        if len(rows) != 1:
            raise DecodeError(alias, "data", f"{len(rows)} items for one request")
        receipt = bodies.receipt(rows[0], alias)
        units.nanoseconds(receipt.ts, alias, "ts")
        return receipt

    def _receipts(
        self, body: Any, items: Sequence[PlaceOrder | CancelOrder], pools: Iterable[str]
    ) -> list[wire.Receipt | VenueError]:
        """What the venue says to each item of a batch. Raises what the request met as a whole."""
        found = batches.outcomes(body, items, self._session.alias)
        if len(found) == 1 and isinstance(found[0], Reject):
            raise self._session.error_of(found[0], pools)
        return [self._session.error_of(each, pools) if isinstance(each, Reject) else each for each in found]

    def _taken(self, order: PlaceOrder, receipt: wire.Receipt) -> OrderUpdate:
        """What an acknowledgement says of a new order."""
        alias = self._session.alias
        return OrderUpdate(
            venue=alias,
            ticker=order.ticker,
            oid=receipt.ord_id or None,
            cloid=order.cloid,
            status=OrderStatus.NEW,
            amount=order.amount,
            price=order.price,
            kind=order.kind,
            post_only=order.post_only,
            reduce_only=order.reduce_only,
            label="accepted",
            ts_venue_ns=units.nanoseconds(receipt.ts, alias, "ts"),
        )

    def _remember(self, request_id: str, orders: Sequence[PlaceOrder]) -> None:
        self._placed[request_id] = orders
        if len(self._placed) > _REMEMBERED:
            self._placed.popitem(last=False)

    # ------------------------------------------------------------------ reading

    async def _opened(self) -> None:
        await self._handshake.login(self.stream.send)

    def _message(self, data: bytes, ts_recv_ns: int) -> None:
        session = self._session
        try:
            events = decode(data, session.contracts)
            if self._handshake.take(events):
                return
            first = events[0] if events else None
            request_id = first.request_id if isinstance(first, Ack | Reject) else None
            if request_id is None:
                self._notice(data, first)
                return
            waiting = self._calls.resolve(request_id, data)
            news = self._news(data, self._placed.pop(request_id, ()), waiting=waiting)
        except DecodeError as error:
            self._unreadable(data, error)
            return
        session.publish(news, ts_recv_ns, reply=True)

    def _news(self, data: bytes, orders: Sequence[PlaceOrder], *, waiting: bool) -> list[Event]:
        """What a reply to new orders proves of them."""
        found = batches.outcomes(data, orders, self._session.alias) if orders else []
        if len(found) < len(orders):
            found *= len(orders)  # refused as a whole
        taken: list[Event] = [
            self._taken(order, each)
            for order, each in zip(orders, found, strict=True)
            if isinstance(each, wire.Receipt)
        ]
        if waiting:
            return taken  # the caller gets a refusal as an error
        # Nobody waits any more: a late definite refusal is evidence that the order never existed.
        return taken + [
            msgspec.structs.replace(each, cloid=order.cloid)
            for order, each in zip(orders, found, strict=True)
            if isinstance(each, Reject) and each.definite
        ]

    def _notice(self, data: bytes, first: Event | None) -> None:
        """What is no reply: pongs, notices, errors that name no request."""
        if isinstance(first, StreamEnd) and not len(self._calls):
            self.stream.reconnect(first.reason)
        elif isinstance(first, Reject):
            self._session.dropped(f"refused on the order entry socket: {first.text} ({first.code})")
        elif first is None and (kind := kind_of(data)) not in IGNORED:
            self._session.dropped(f"unknown message {kind} on the order entry socket")

    def _unreadable(self, data: bytes, error: VenueError) -> None:
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
