"""Hyperliquid's two websocket connections, both to one address: one for what is ours (and for posts), one public.

They are apart so that a burst of books never stands before a fill, and so that each can be seen to be silent.
Source: the "WebSocket" pages of the venue's API documentation (it drops a connection after 60 s without a message).
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal

import msgspec

from gateways.errors import Unavailable
from gateways.hyperliquid.decode import GREETING
from gateways.hyperliquid.entry import OrderEntry
from gateways.hyperliquid.session import Session
from gateways.hyperliquid.wire import Envelope, PostReply, read
from gateways.standards import ZERO, BalanceUpdate, Event, PositionUpdate, QuoteUpdate
from gateways.transport.stream import Heartbeat, Stream
from gateways.venue import Channel, ChannelState

HEARTBEAT = Heartbeat(every=15.0, text='{"method":"ping"}')
SILENT_AFTER_S = 35.0
"""Two pings without a pong: the connection is dead, whatever the socket says."""

PRIVATE_CHANNELS = ("orderUpdates", "userFills", "clearinghouseState")
PUBLIC_CHANNELS = ("l2Book", "bbo", "trades", "activeAssetCtx")
_MUST_BE_CONFIRMED = frozenset({"orderUpdates", "userFills"})
"""Without these two we are blind. The account's state is asked for too, and may be missing."""

_GREETING = GREETING.encode()


class _Subscription(msgspec.Struct):
    type: str


class _Confirmation(msgspec.Struct):
    subscription: _Subscription


def _request(method: str, channel: str, **of: str) -> bytes:
    return msgspec.json.encode({"method": method, "subscription": {"type": channel, **of}})


class PrivateStream:
    """Our orders, fills and account, and the posts with their replies.

    ``replied`` takes each reply to a post; ``lost`` is told when the connection is gone, and with it those due.
    """

    def __init__(
        self,
        session: Session,
        user: str,
        *,
        replied: Callable[[PostReply], object],
        lost: Callable[[str], None],
    ) -> None:
        self._session = session
        self._venue = session.alias
        self._user = user
        self._replied = replied
        self._unconfirmed: set[str] = set()
        self._confirmed = asyncio.Event()
        self._held: set[str] = set()
        self._stream = Stream(
            self._venue,
            Channel.PRIVATE,
            session.ws_url,
            self._take,
            on_open=self._subscribe,
            on_lost=lost,
            on_state=self._changed,
            on_fault=session.unreadable,
            heartbeat=HEARTBEAT,
            silent_after=SILENT_AFTER_S,
            clock_ns=session.clock_ns,
            network=session.network,
        )

    async def start(self, timeout: float) -> None:  # noqa: ASYNC109 - turned into Unavailable with the last reason
        """Connect and subscribe. Raises Unavailable when that is not done in ``timeout`` seconds."""
        await self._stream.start()
        await self._stream.wait_ready(timeout)

    def send(self, data: bytes) -> None:
        """Write one post to the socket. Raises Unavailable when it definitely did not leave.

        A connection that does not bring our orders and fills yet takes no orders either.
        """
        if not self._stream.ready:
            raise Unavailable(self._venue, "the private stream is not subscribed: not sent")
        self._stream.send(data)

    def renew(self, reason: str) -> None:
        """Drop the connection and make a new one. Posts that are due become unknown."""
        self._stream.reconnect(reason)

    async def close(self) -> None:
        """Close the connection. Idempotent."""
        await self._stream.close()

    async def _subscribe(self) -> None:
        self._unconfirmed = set(_MUST_BE_CONFIRMED)
        self._confirmed.clear()
        for channel in PRIVATE_CHANNELS:
            self._stream.send(_request("subscribe", channel, user=self._user))
        await self._confirmed.wait()

    def _take(self, data: bytes, ts_recv_ns: int) -> None:
        if data.startswith(_GREETING):
            return
        message = read(Envelope, data, self._venue)
        if message.channel == "post":
            self._replied(read(PostReply, message.data, self._venue))
        elif message.channel == "subscriptionResponse":
            self._unconfirmed.discard(read(_Confirmation, message.data, self._venue).subscription.type)
            if not self._unconfirmed:
                self._confirmed.set()
        elif message.channel == "error":
            self._session.dropped(f"error: {read(str, message.data, self._venue)}")
        else:
            events = self._session.events(message.channel, message.data)
            if message.channel == "clearinghouseState":
                events += self._closed_positions(events)
            self._session.publish(events, ts_recv_ns, private=True)

    def _closed_positions(self, events: list[Event]) -> list[Event]:
        """The positions that a state of the account no longer lists: they are zero now."""
        stated = {event.ticker: event for event in events if isinstance(event, PositionUpdate)}
        when = max((event.ts_venue_ns for event in events if isinstance(event, BalanceUpdate)), default=0)
        gone = self._held - stated.keys()
        self._held = {ticker for ticker, position in stated.items() if position.amount}
        return [PositionUpdate(venue=self._venue, ticker=name, amount=ZERO, ts_venue_ns=when) for name in sorted(gone)]

    def _changed(self, state: ChannelState) -> None:
        self._session.channel_changed(state)
        self._session.channel_changed(msgspec.structs.replace(state, channel=Channel.TRADE))


class PublicStream:
    """Books, best prices, trades and marks of the contracts that are subscribed to; survives reconnects."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._venue = session.alias
        self._tickers: set[str] = set()
        self._quotes: dict[str, QuoteUpdate] = {}
        self._stream = Stream(
            self._venue,
            Channel.PUBLIC,
            session.ws_url,
            self._take,
            on_open=self._resubscribe,
            on_lost=self._lost,
            on_state=session.channel_changed,
            on_fault=session.unreadable,
            heartbeat=HEARTBEAT,
            silent_after=SILENT_AFTER_S,
            clock_ns=session.clock_ns,
            network=session.network,
        )

    async def start(self) -> None:
        """Start connecting; return at once."""
        await self._stream.start()

    async def close(self) -> None:
        """Close the connection. Idempotent."""
        await self._stream.close()

    def subscribe(self, ticker: str) -> None:
        """Open the data of one contract, now or when connected. Idempotent."""
        if ticker not in self._tickers:
            self._tickers.add(ticker)
            self._ask("subscribe", ticker)

    def unsubscribe(self, ticker: str) -> None:
        """Close what ``subscribe`` opened. Idempotent."""
        if ticker in self._tickers:
            self._tickers.discard(ticker)
            self._quotes.pop(ticker, None)
            self._ask("unsubscribe", ticker)

    def mid(self, ticker: str) -> Decimal | None:
        """The middle of the best prices last seen on the present connection; None where a side is empty or unseen."""
        quote = self._quotes.get(ticker)
        if quote is None or quote.bid is None or quote.ask is None:
            return None
        return (quote.bid.price + quote.ask.price) / 2

    def _ask(self, method: str, ticker: str) -> None:
        if self._stream.ready:
            for channel in PUBLIC_CHANNELS:
                self._stream.send(_request(method, channel, coin=ticker))

    async def _resubscribe(self) -> None:
        for ticker in sorted(self._tickers):
            for channel in PUBLIC_CHANNELS:
                self._stream.send(_request("subscribe", channel, coin=ticker))

    def _lost(self, _reason: str) -> None:
        self._quotes.clear()

    def _take(self, data: bytes, ts_recv_ns: int) -> None:
        if data.startswith(_GREETING):
            return
        message = read(Envelope, data, self._venue)
        if message.channel == "error":
            self._session.dropped(f"error: {read(str, message.data, self._venue)}")
            return
        events = self._session.events(message.channel, message.data)
        for event in events:
            if isinstance(event, QuoteUpdate) and event.ticker in self._tickers:
                self._quotes[event.ticker] = event
        self._session.publish(events, ts_recv_ns, private=False)


class Link(msgspec.Struct):
    """What a connected venue has: its user, and the ways to it."""

    user: str
    entry: OrderEntry
    private: PrivateStream
    public: PublicStream
    clock: asyncio.Task[None] | None = None
