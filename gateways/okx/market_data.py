"""The public stream: books, best quotes, trades and marks of the contracts subscribed to, on one connection.

Source: "Order book channel": a push follows the one whose ``seqId`` is its ``prevSeqId``; where one is missing the
channel is subscribed to anew, which begins with a snapshot. Changes of the subscriptions are gathered: a connection
takes 480 of them an hour.
"""

import asyncio

from gateways.errors import DecodeError, Unavailable
from gateways.okx import encode
from gateways.okx.decode import IGNORED, decode, kind_of
from gateways.okx.session import HEARTBEAT, SILENT_AFTER_S, Session
from gateways.standards import Ack, BookUpdate, QuoteUpdate, Reject, StreamEnd
from gateways.transport.stream import Stream
from gateways.venue import Channel, ChannelState

CHANNELS = ("books", "bbo-tbt", "trades", "mark-price")

GATHER_S = 0.2
"""Least time between two messages on the connection."""

RENEW_S = 10.0
"""Least time between two renewals of one book."""

_PER_MESSAGE = 100
"""Most channels named in one message."""

Subscription = tuple[str, str]
"""A channel and a contract."""


class MarketData:
    """Public data of the contracts subscribed to. Its connection is made with the first one."""

    def __init__(self, session: Session, address: str) -> None:
        self._session = session
        self._tickers: set[str] = set()
        self._have: set[Subscription] = set()
        self._quotes: dict[str, QuoteUpdate] = {}
        self._chains: dict[str, int] = {}
        self._renewed: dict[str, float] = {}
        self._sent_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.stream = Stream(
            session.alias,
            Channel.PUBLIC,
            address,
            self._message,
            on_open=self._opened,
            on_state=self._changed,
            on_fault=self._fault,
            heartbeat=HEARTBEAT,
            silent_after=SILENT_AFTER_S,
            clock_ns=session.clock_ns,
            network=session.network,
        )

    async def subscribe(self, ticker: str) -> None:
        """Open the public data of a contract. Idempotent; survives reconnects."""
        self._tickers.add(ticker)
        self._flush()
        await self.stream.start()

    def unsubscribe(self, ticker: str) -> None:
        """Close it. Idempotent."""
        self._tickers.discard(ticker)
        self._quotes.pop(ticker, None)
        self._flush()

    def quote(self, ticker: str) -> QuoteUpdate | None:
        """The best bid and ask last seen on a connection that is up."""
        return self._quotes.get(ticker) if self.stream.ready else None

    async def close(self) -> None:
        """End the connection. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self.stream.close()

    # ------------------------------------------------------------------ subscriptions

    async def _opened(self) -> None:
        self._have = set()
        self._chains.clear()
        self._sent_at = 0.0
        self._flush(opening=True)

    def _flush(self, *, opening: bool = False) -> None:
        """Send the next message that the subscriptions need; come back for more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        wanted = {(channel, ticker) for ticker in self._tickers for channel in CHANNELS}
        extra = sorted(self._have - wanted)[:_PER_MESSAGE]
        missing = sorted(wanted - self._have)[:_PER_MESSAGE]
        if not (missing or extra) or not (opening or self.stream.ready):
            return  # a connection that is not up subscribes to all that is wanted when it opens
        wait = self._sent_at + GATHER_S - loop.time()
        if wait > 0:
            self._timer = loop.call_later(wait, self._flush)
            return
        if not self._say("unsubscribe" if extra else "subscribe", extra or missing):
            return  # as above
        self._sent_at = loop.time()
        self._have = self._have - set(extra) if extra else self._have | set(missing)
        self._timer = loop.call_later(GATHER_S, self._flush)

    def _say(self, op: str, subscriptions: list[Subscription]) -> bool:
        args = [{"channel": channel, "instId": ticker} for channel, ticker in subscriptions]
        try:
            self.stream.send(encode.subscription(op, args))
        except Unavailable:
            return False
        return True

    def _renew(self, ticker: str) -> None:
        """Ask for the book from its snapshot on; too soon after the last time, leave it to the next update."""
        now = asyncio.get_running_loop().time()
        if now < self._renewed.get(ticker, -RENEW_S) + RENEW_S:
            return
        self._chains.pop(ticker, None)
        self._renewed[ticker] = now
        self._session.dropped(f"updates of the book of {ticker} are missing: subscribing to it anew")
        if self._say("unsubscribe", [("books", ticker)]):
            self._say("subscribe", [("books", ticker)])

    def _follow(self, update: BookUpdate) -> None:
        """Watch that each update of a book follows the one before."""
        ticker, last = update.ticker, self._chains.get(update.ticker)
        if update.snapshot or last is None or update.prev_seq is None or update.prev_seq == last:
            if update.last_seq is not None and (update.snapshot or last is not None):
                self._chains[ticker] = update.last_seq
            return
        self._renew(ticker)

    # ------------------------------------------------------------------ reading

    def _message(self, data: bytes, ts_recv_ns: int) -> None:
        session = self._session
        try:
            events = decode(data, session.contracts)
        except DecodeError as error:
            session.dropped(error.text)
            return
        if not events:
            kind = kind_of(data)
            if kind not in IGNORED:
                session.dropped(f"unknown public message {kind}")
            return
        first = events[0]
        match first:
            case Ack():
                return
            case Reject():
                session.dropped(f"subscription refused: {first.text} ({first.code})")
                return
            case StreamEnd():
                self.stream.reconnect(first.reason)
                return
            case QuoteUpdate():
                self._quotes[first.ticker] = first
            case _:
                pass
        session.publish(events, ts_recv_ns, private=False)
        for event in events:
            if isinstance(event, BookUpdate):
                self._follow(event)

    def _changed(self, state: ChannelState) -> None:
        if not state.connected:
            self._quotes.clear()
        self._session.channel_changed(state)

    def _fault(self, error: Exception) -> None:
        self._session.dropped(f"a public message could not be handled: {error!r}")
