"""The public streams: books and quotes on one address, trades and marks on another, as the venue splits them.

Source: "Websocket Market Streams", split by category since 2026-03: one connection must not mix categories. At most ten
messages a second may be sent on a connection, so changes of the subscriptions are gathered.
"""

import asyncio

import msgspec

from gateways.binance.decode import IGNORED, decode, kind_of
from gateways.binance.session import Session
from gateways.errors import DecodeError, Unavailable
from gateways.standards import Ack, QuoteUpdate, Reject
from gateways.transport.stream import Stream
from gateways.venue import Channel, ChannelState

BOOK_STREAMS = ("depth@100ms", "bookTicker")
TRADE_STREAMS = ("aggTrade", "markPrice@1s")

GATHER_S = 0.2
"""Least time between two messages on one connection."""

_PER_MESSAGE = 100
"""Most streams named in one message."""


class MarketStream:
    """One public connection and what is subscribed on it."""

    def __init__(self, owner: "MarketData", address: str, topics: tuple[str, ...], silent_after: float) -> None:
        self._owner = owner
        self._topics = topics
        self._wanted: set[str] = set()
        self._have: set[str] = set()
        self._requests = 0
        self._sent_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        session = owner.session
        self.stream = Stream(
            session.alias,
            Channel.PUBLIC,
            f"{address.rstrip('/')}/stream",
            owner.message,
            on_open=self._opened,
            on_state=owner.stream_changed,
            on_fault=owner.fault,
            silent_after=silent_after,
            expects=lambda: bool(self._have),
            clock_ns=session.clock_ns,
            network=session.network,
        )

    def want(self, tickers: set[str]) -> None:
        """Make the subscriptions these contracts', soon."""
        self._wanted = {f"{ticker.lower()}@{topic}" for ticker in tickers for topic in self._topics}
        self._flush()

    async def close(self) -> None:
        """End the stream."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self.stream.close()

    async def _opened(self) -> None:
        self._have = set()
        self._sent_at = 0.0
        self._flush(opening=True)

    def _flush(self, *, opening: bool = False) -> None:
        """Send the next message that the subscriptions need; come back for more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        missing = sorted(self._wanted - self._have)[:_PER_MESSAGE]
        extra = sorted(self._have - self._wanted)[:_PER_MESSAGE]
        if not (missing or extra) or not (opening or self.stream.ready):
            return  # a connection that is not up subscribes to all that is wanted when it opens
        wait = self._sent_at + GATHER_S - loop.time()
        if wait > 0:
            self._timer = loop.call_later(wait, self._flush)
            return
        self._requests += 1
        message = {
            "method": "SUBSCRIBE" if missing else "UNSUBSCRIBE",
            "params": missing or extra,
            "id": self._requests,
        }
        try:
            self.stream.send(msgspec.json.encode(message))
        except Unavailable:
            return  # as above
        self._sent_at = loop.time()
        self._have = self._have | set(missing) if missing else self._have - set(extra)
        self._timer = loop.call_later(GATHER_S, self._flush)


class MarketData:
    """Public data of the contracts subscribed to. Its connections are made with the first one."""

    def __init__(self, session: Session, book_address: str, trade_address: str) -> None:
        self.session = session
        self._tickers: set[str] = set()
        self._mids: dict[str, QuoteUpdate] = {}
        self._parts = (
            MarketStream(self, book_address, BOOK_STREAMS, silent_after=60.0),
            # The mark price comes every second: silence here shows sooner than on a book that may stand still.
            MarketStream(self, trade_address, TRADE_STREAMS, silent_after=15.0),
        )
        self._state = ChannelState(Channel.PUBLIC, connected=False)

    async def subscribe(self, ticker: str) -> None:
        """Open the public data of a contract. Idempotent; survives reconnects."""
        self._tickers.add(ticker)
        for part in self._parts:
            part.want(self._tickers)
            await part.stream.start()

    def unsubscribe(self, ticker: str) -> None:
        """Close it. Idempotent."""
        self._tickers.discard(ticker)
        self._mids.pop(ticker, None)
        for part in self._parts:
            part.want(self._tickers)

    def quote(self, ticker: str) -> QuoteUpdate | None:
        """The best bid and ask last seen on a connection that is up."""
        return self._mids.get(ticker) if self._state.connected else None

    async def close(self) -> None:
        """End both connections."""
        for part in self._parts:
            await part.close()

    def message(self, data: bytes, ts_recv_ns: int) -> None:
        """Take one public message."""
        try:
            events = decode(data, self.session.contracts)
        except DecodeError as error:
            self.session.dropped(error.text)
            return
        if not events:
            kind = kind_of(data)
            if kind not in IGNORED and kind not in {"trade", "aggTrade"}:
                self.session.dropped(f"unknown public message {kind}")
            return
        first = events[0]
        if isinstance(first, Ack):
            return
        if isinstance(first, Reject):
            self.session.dropped(f"subscription refused: {first.text} ({first.code})")
            return
        if isinstance(first, QuoteUpdate):
            self._mids[first.ticker] = first
        self.session.publish(events, ts_recv_ns, private=False)

    def fault(self, error: Exception) -> None:
        """Count a message that could not be handled."""
        self.session.dropped(f"a public message could not be handled: {error!r}")

    def stream_changed(self, state: ChannelState) -> None:
        """Tell the state of both connections as one: up while both are."""
        states = [part.stream.state for part in self._parts]
        together = ChannelState(
            Channel.PUBLIC,
            connected=all(each.connected for each in states),
            ts_last_ns=max(part.stream.ts_last_ns for part in self._parts),
            reconnects=sum(each.reconnects for each in states),
            note=state.note or next((each.note for each in states if each.note), ""),
        )
        changed = (self._state.connected, self._state.note) != (together.connected, together.note)
        self._state = together
        if changed:
            self.session.channel_changed(together)
