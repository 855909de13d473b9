"""The public stream: books, trades, quotes and marks of the contracts subscribed to, on one connection.

Source: "Connect", "Orderbook", "Trade", "Ticker" of the public streams. The update ids of a book stream are its own:
the snapshot of a query cannot be continued with its deltas, so that a fresh book is asked for by subscribing anew.
"""

import asyncio

from gateways.bybit import tickers, wire
from gateways.bybit.decode import IGNORED, decode, read_ticker, topic_of
from gateways.bybit.encode import subscription
from gateways.bybit.session import HEARTBEAT, SILENT_AFTER_S, Session
from gateways.errors import DecodeError, Unavailable
from gateways.standards import Ack, BookUpdate, Event, QuoteUpdate, Reject
from gateways.transport.stream import Stream
from gateways.venue import Channel

BOOK = "orderbook.50"
TOPICS = (BOOK, "publicTrade", "tickers")

GATHER_S = 0.1
"""Least time between two messages on the connection: changes of the subscriptions are gathered."""

_PER_MESSAGE = 100
"""Most topics named in one message; the venue bounds the length of its ``args`` at 21,000 characters."""


class MarketData:
    """Public data of the contracts subscribed to. The connection is made with the first one."""

    def __init__(self, session: Session, address: str) -> None:
        self._session = session
        self._wanted: set[str] = set()
        self._have: set[str] = set()
        self._whole: set[str] = set()
        """Contracts whose book snapshot came since they were last subscribed."""
        self._tickers: dict[str, wire.Ticker] = {}
        self._quotes: dict[str, QuoteUpdate] = {}
        self._waiting: dict[str, asyncio.Future[BookUpdate]] = {}
        self._requests = 0
        self._sent_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.stream = Stream(
            session.alias,
            Channel.PUBLIC,
            address,
            self._message,
            on_open=self._opened,
            on_lost=self._lost,
            on_state=session.channel_changed,
            on_fault=self._fault,
            heartbeat=HEARTBEAT,
            silent_after=SILENT_AFTER_S,
            clock_ns=session.clock_ns,
            network=session.network,
        )

    async def subscribe(self, ticker: str) -> None:
        """Open the public data of a contract. Idempotent; survives reconnects."""
        self._wanted |= _topics_of(ticker)
        self._flush()
        await self.stream.start()

    def unsubscribe(self, ticker: str) -> None:
        """Close it. Idempotent."""
        self._wanted -= _topics_of(ticker)
        self._tickers.pop(ticker, None)
        self._quotes.pop(ticker, None)
        self._flush()

    def watches(self, ticker: str) -> bool:
        """Whether the contract is subscribed to."""
        return f"{BOOK}.{ticker}" in self._wanted

    def quote(self, ticker: str) -> QuoteUpdate | None:
        """The best bid and ask last seen on a connection that is up."""
        return self._quotes.get(ticker) if self.stream.ready else None

    async def book(self, ticker: str, timeout: float) -> BookUpdate:  # noqa: ASYNC109 - becomes Unavailable
        """The next snapshot of a contract that is subscribed to, asked for anew where one came already.

        It reaches the sink too, ahead of the deltas that follow it. Raises Unavailable when none comes in time.
        """
        waiting = self._waiting.get(ticker)
        if waiting is None:
            waiting = self._waiting[ticker] = asyncio.get_running_loop().create_future()
            if ticker in self._whole:
                self._again(f"{BOOK}.{ticker}")
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(waiting)
        except TimeoutError:
            raise Unavailable(self._session.alias, f"no book of {ticker} came within {timeout:g} s") from None
        finally:
            if self._waiting.get(ticker) is waiting and not waiting.done():
                del self._waiting[ticker]

    async def close(self) -> None:
        """End the connection; whoever waits for a book is told that none comes."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self.stream.close()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Unavailable(self._session.alias, "closing: no book comes"))
        self._waiting.clear()

    # ------------------------------------------------------------------ subscriptions

    def _again(self, topic: str) -> None:
        """Leave a topic, so that the next flush subscribes to it anew."""
        if not self.stream.ready or topic not in self._have:
            return
        self._whole.discard(topic.removeprefix(f"{BOOK}."))
        if self._send("unsubscribe", [topic]):
            self._have.discard(topic)
            self._flush()

    async def _opened(self) -> None:
        self._have = set()
        self._whole = set()
        self._tickers = {}
        self._sent_at = 0.0
        self._flush(opening=True)

    def _lost(self, reason: str) -> None:  # noqa: ARG002 - the stream tells the reason to whoever listens
        self._quotes = {}

    def _flush(self, *, opening: bool = False) -> None:
        """Send the next message that the subscriptions need; come back for more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        missing = sorted(self._wanted - self._have)[:_PER_MESSAGE]
        extra = sorted(self._have - self._wanted)[:_PER_MESSAGE]
        if not (missing or extra) or not (opening or self.stream.ready):
            return  # a connection that is not up subscribes to all that is wanted when it opens
        loop = asyncio.get_running_loop()
        wait = self._sent_at + GATHER_S - loop.time()
        if wait > 0:
            self._timer = loop.call_later(wait, self._flush)
            return
        if not self._send("subscribe" if missing else "unsubscribe", missing or extra):
            return  # as above
        self._have = self._have | set(missing) if missing else self._have - set(extra)
        if not missing:
            self._whole -= {topic.removeprefix(f"{BOOK}.") for topic in extra}
        self._timer = loop.call_later(GATHER_S, self._flush)

    def _send(self, op: str, topics: list[str]) -> bool:
        self._requests += 1
        try:
            self.stream.send(subscription(op, topics, f"{op}-{self._requests}"))
        except Unavailable:
            return False
        self._sent_at = asyncio.get_running_loop().time()
        return True

    # ------------------------------------------------------------------ messages

    def _message(self, data: bytes, ts_recv_ns: int) -> None:
        session = self._session
        try:
            events = self._read(data)
        except DecodeError as error:
            session.dropped(error.text)
            return
        first = events[0] if events else None
        if first is None:
            topic = topic_of(data)
            if topic and topic not in IGNORED and topic != "tickers":
                session.dropped(f"unknown public message {topic}")
            return
        if isinstance(first, Ack):
            return
        if isinstance(first, Reject):
            session.dropped(f"subscription refused: {first.text}")
            return
        session.publish(events, ts_recv_ns, private=False)
        if isinstance(first, BookUpdate) and first.snapshot:
            self._whole.add(first.ticker)
            waiting = self._waiting.pop(first.ticker, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(first)

    def _read(self, data: bytes) -> list[Event]:
        """The events of a message; a ticker's are those of its state, of which a delta holds only a part."""
        session = self._session
        if b'"tickers.' not in data:
            return decode(data, session.contracts)
        read = read_ticker(data, session.alias)
        if read is None:
            return decode(data, session.contracts)
        change, ts_ms = read
        ticker = tickers.merged(self._tickers.get(change.symbol), change)
        events = tickers.events(ticker, session.contracts, ts_ms)
        if not self.watches(change.symbol):
            return []  # on its way when the contract was left
        self._tickers[change.symbol] = ticker
        for event in events:
            if isinstance(event, QuoteUpdate):
                self._quotes[event.ticker] = event
        return events

    def _fault(self, error: Exception) -> None:
        self._session.dropped(f"a public message could not be handled: {error!r}")


def _topics_of(ticker: str) -> set[str]:
    return {f"{topic}.{ticker}" for topic in TOPICS}
