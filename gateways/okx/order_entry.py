"""Order entry: the websocket first, HTTP where that socket is down or the contract has no code for it.

Nothing is ever sent twice: a request goes by HTTP only when it definitely did not leave by the websocket. A reply says
that the venue took the request, and the order's oid; what becomes of the order, and of an amend, comes by the private
stream. What a reply says of a new order goes to the sink too, in the turn in which it was read: so it counts even when
the caller gave up waiting.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import msgspec

from gateways.errors import DecodeError, Unavailable, Unknown, VenueError
from gateways.okx import bodies, encode, limits, units, wire
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
)
from gateways.transport.budget import Priority
from gateways.transport.calls import Calls
from gateways.transport.stream import Stream
from gateways.venue import Channel

REPLY_TIMEOUT_S = 5.0
"""How long to wait for a reply, and for the end of an amend, before the outcome is Unknown."""

MAX_WAIT_S = {Priority.CANCEL: 2.0, Priority.HEDGE: 2.0, Priority.MAKER: 1.0}
"""How long an order request may wait for the rate budget."""

_REMEMBERED = 1_000

OrderRequest = PlaceOrder | AmendOrder | CancelOrder


class OrderEntry:
    """Sends orders, amends and cancels of one account and returns what the venue says of them."""

    def __init__(self, session: Session, address: str, *, reply_timeout_s: float = REPLY_TIMEOUT_S) -> None:
        self._session = session
        self._timeout = reply_timeout_s
        self._calls: Calls[bytes] = Calls(session.alias)
        self._amends: dict[str, asyncio.Future[OrderUpdate]] = {}
        self._numbers = 0
        self._placed: OrderedDict[str, PlaceOrder] = OrderedDict()
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

    async def place(self, order: PlaceOrder, priority: Priority) -> OrderUpdate:
        """Send an order, once; return what its acknowledgement says: taken, and its oid."""
        receipt = await self._send(order, "place", priority, self._next("place"))
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
            await self._send(order, "amend", Priority.MAKER, request_id)
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
        await self._send(order, "cancel", Priority.CANCEL, self._next("cancel"))

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

    async def _send(self, request: OrderRequest, verb: str, priority: Priority, request_id: str) -> wire.Receipt:
        session = self._session
        await session.gate.acquire(limits.costs_of(request), priority, max_wait=MAX_WAIT_S[priority])
        try:
            if self.stream.ready and encode.takes_websocket(request.ticker, session.contracts):
                try:
                    return await self._by_websocket(request, verb, request_id)
                except Unavailable as error:
                    session.dropped(f"order entry by HTTP: {error.text}")
            # The budget is spent already: the same request, by the other way.
            body = await session.parsed(
                lambda: encode.encode(
                    request, session.contracts, session.credentials, session.now_ms(), request_id=request_id
                ),
                verb,
                {},
                priority,
                pools=limits.costs_of(request),
            )
            return self._receipt(body, limits.costs_of(request))
        except DecodeError as error:
            raise Unknown(session.alias, f"sent, but the answer cannot be read: {error.text}") from error

    async def _by_websocket(self, request: OrderRequest, verb: str, request_id: str) -> wire.Receipt:
        session = self._session
        message = encode.encode_ws(request, session.contracts, session.credentials, session.now_ms(), request_id)
        if isinstance(request, PlaceOrder):
            self._remember(request_id, request)
        started, said, ok = session.network.monotonic_ns(), b"", False
        try:
            said = await self._calls.call(request_id, lambda: self.stream.send(message), timeout=self._timeout)
            receipt = self._receipt(bodies.parse(said, session.alias), limits.costs_of(request))
            ok = True
        except VenueError as error:
            said = said or error.text.encode()
            raise
        else:
            return receipt
        finally:
            took_ns = session.network.monotonic_ns() - started
            session.request_done(verb, sent=message, answer=said or b"cancelled", took_ns=took_ns, ok=ok)

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

    def _remember(self, request_id: str, order: PlaceOrder) -> None:
        self._placed[request_id] = order
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
            news = self._news(data, events, self._placed.pop(request_id, None), waiting=waiting)
        except DecodeError as error:
            self._unreadable(data, error)
            return
        session.publish(news, ts_recv_ns, reply=True)

    def _news(self, data: bytes, events: list[Event], order: PlaceOrder | None, *, waiting: bool) -> list[Event]:
        """What a reply to a new order proves of it."""
        if order is None:
            return []
        refused = [each for each in events if isinstance(each, Reject)]
        if not refused:
            return [self._taken(order, self._receipt(bodies.parse(data, self._session.alias), [limits.PLACE]))]
        if waiting:
            return []  # the caller gets it as an error
        # Nobody waits any more: a late definite refusal is evidence that the order never existed.
        return [msgspec.structs.replace(each, cloid=order.cloid) for each in refused if each.definite]

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
