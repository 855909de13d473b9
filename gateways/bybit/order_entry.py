"""Order entry: the order entry socket first, HTTP where that socket is down. Nothing is ever sent twice.

A request goes by HTTP only when it definitely did not leave by the socket, or when the socket's server said that it
takes no new request (10019). A reply means that a request was accepted for processing: what became of it comes by the
private stream ("Place Order").
"""

from collections import OrderedDict

import msgspec

from gateways.bybit import bodies, decode, limits, refusals
from gateways.bybit.encode import encode, encode_ws
from gateways.bybit.limits import OrderRequest
from gateways.bybit.session import HEARTBEAT, SILENT_AFTER_S, Session
from gateways.errors import DecodeError, Unavailable, Unknown, VenueError
from gateways.standards import Ack, Event, OrderUpdate, PlaceOrder, Reject
from gateways.transport.budget import Priority
from gateways.transport.calls import Calls
from gateways.transport.stream import Stream
from gateways.venue import Channel

REPLY_TIMEOUT_S = 5.0
"""How long to wait for a reply before the outcome is Unknown."""

MAX_WAIT_S = {Priority.CANCEL: 2.0, Priority.HEDGE: 2.0, Priority.MAKER: 1.5}
"""How long an order request may wait for the rate budget, whose windows are a second long."""

_REMEMBERED = 1_000


class _Asked(msgspec.Struct, frozen=True):
    """What a request id stood for: where a late reply belongs."""

    ticker: str
    verb: str
    pool: str
    cloid: str | None
    makes: bool
    """Whether the order was to be made by it: a late refusal then proves that it never existed."""

    def accepted(self, named: object, venue: str) -> OrderUpdate:
        """What an acknowledgement of the request says of the order."""
        return bodies.accepted(named, venue, ticker=self.ticker, cloid=self.cloid, label=f"{self.verb} accepted")


class OrderEntry:
    """Sends orders, amends and cancels of one account and returns what the venue says of them."""

    def __init__(self, session: Session, address: str, *, reply_timeout_s: float = REPLY_TIMEOUT_S) -> None:
        self._session = session
        self._timeout = reply_timeout_s
        self._calls: Calls[tuple[bytes, list[Event]]] = Calls(session.alias)
        self._numbers = 0
        self._asked: OrderedDict[str, _Asked] = OrderedDict()
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
        session, pool = self._session, limits.pool_of(request)
        asked = _Asked(request.ticker, verb, pool, request.cloid, isinstance(request, PlaceOrder))
        await session.gate.acquire({pool: 1}, priority, max_wait=MAX_WAIT_S[priority])
        if self.stream is not None and self.stream.ready:
            try:
                return await self._by_websocket(request, asked)
            except Unavailable as error:
                session.dropped(f"order entry by HTTP: {error.text}")
        # The account's budget is spent already; the address's counts HTTP alone.
        body = await session.ask(
            lambda: encode(request, session.contracts, session.credentials, session.now_ms()),
            verb,
            {limits.ADDRESS: 1},
            priority,
            pool=pool,
            max_wait=MAX_WAIT_S[priority],
        )
        try:
            return asked.accepted(bodies.result(body, session.alias), session.alias)
        except DecodeError as error:
            raise Unknown(session.alias, f"taken, but the answer cannot be read: {error.text}") from error

    async def _opened(self) -> None:
        request_id = self._named("auth")
        message = self._session.login(request_id)
        _, events = await self._calls.call(request_id, lambda: self._write(message), timeout=self._timeout)
        for event in events:
            if isinstance(event, Reject):
                raise refusals.error_of(event)

    async def _by_websocket(self, request: OrderRequest, asked: _Asked) -> OrderUpdate:
        session = self._session
        request_id = self._named(asked.verb)
        message = encode_ws(request, session.contracts, session.now_ms(), request_id)
        self._remember(request_id, asked)
        started, said, ok = session.network.monotonic_ns(), b"", False
        try:
            said, events = await self._calls.call(request_id, lambda: self._write(message), timeout=self._timeout)
            update = self._outcome(events, asked.pool)
            ok = True
        except VenueError as error:
            said = said or error.text.encode()
            raise
        else:
            return update
        finally:
            took_ns = session.network.monotonic_ns() - started
            session.request_done(asked.verb, sent=message, answer=said or b"cancelled", took_ns=took_ns, ok=ok)

    def _write(self, message: bytes) -> None:
        if self.stream is None:
            raise Unavailable(self._session.alias, "there is no order entry socket: not sent")
        self.stream.send(message)

    def _named(self, verb: str) -> str:
        """A request id that is never used again: the venue refuses one that it has seen (20006)."""
        self._numbers += 1
        return f"{verb}-{self._session.now_ms()}-{self._numbers}"

    def _outcome(self, events: list[Event], pool: str) -> OrderUpdate:
        for event in events:
            if isinstance(event, Reject):
                if event.code == refusals.RESTARTING:
                    if self.stream is not None:
                        self.stream.reconnect(event.text)
                    raise Unavailable(event.venue, f"{event.text} ({event.code}): not taken")
                if event.code in refusals.RATE_CODES:
                    wait = self._session.back_off(event.code, [pool], event.retry_after_s)
                    raise refusals.rate_limited(event.venue, event.text, event.code, wait)
                raise refusals.error_of(event)
            if isinstance(event, OrderUpdate):
                return event
        raise Unknown(self._session.alias, "sent and answered, but the reply names no order")

    def _remember(self, request_id: str, asked: _Asked) -> None:
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
                session.learn(asked.pool, decode.header_of(data, session.alias))
                if isinstance(first, Ack):
                    events = [first, asked.accepted(decode.acknowledged(data, session.alias), session.alias)]
        except DecodeError as error:
            self._unreadable(data, error)
            return
        waiting = request_id is not None and self._calls.resolve(request_id, (data, events))
        news: list[Event] = [each for each in events if isinstance(each, OrderUpdate)]
        if not waiting and asked is not None and asked.makes:
            # Nobody waits any more: a late definite refusal is evidence that the order never existed.
            late = [each for each in events if isinstance(each, Reject) and each.definite]
            news += [msgspec.structs.replace(each, cloid=asked.cloid) for each in late]
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
