"""The feed: order books, best quotes, trades and marks of every watched contract, and the prices that rules name.

`Feed` is pure: events in, prices out, times passed in. `FeedKeeper` is the shell around it that fetches a snapshot for
a book that fell out of sequence. Prices are in quote units, quantities in base units.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from decimal import Decimal
from enum import Enum

import msgspec

from gateways.contracts import ceil_price, floor_price
from gateways.errors import VenueError
from gateways.standards import (
    BookUpdate,
    Contract,
    Event,
    Level,
    MarkUpdate,
    PriceRule,
    PriceSide,
    QuoteUpdate,
    TradeEvent,
)
from oms.clock import Clock, SystemClock
from oms.order_book import RESTART_NS, BookChange, OrderBook
from oms.tasks import TaskOwner

TRADES_KEPT = 200
"""Public trades held for each contract."""

REACH_LEVELS = 50
"""Levels of a side that ``Feed.reach`` looks at."""

Key = tuple[str, str]


class FeedChange(Enum):
    """Which part of a contract's market changed."""

    BOOK = "book"
    QUOTE = "quote"
    TRADE = "trade"
    MARK = "mark"


class FeedNote(msgspec.Struct, frozen=True):
    """Something changed; with ``resync``, the book needs a snapshot, and nothing may be priced from it until then."""

    venue: str
    ticker: str
    change: FeedChange
    resync: bool = False


class _Market:
    """What is known of one contract's market."""

    __slots__ = ("book", "mark", "quote", "quote_recv_ns", "trades")

    def __init__(self) -> None:
        self.book = OrderBook()
        self.quote: QuoteUpdate | None = None
        self.quote_recv_ns = 0
        self.trades: deque[TradeEvent] = deque(maxlen=TRADES_KEPT)
        self.mark: MarkUpdate | None = None


class Feed:
    """Public data by (venue, ticker)."""

    def __init__(self) -> None:
        self._markets: dict[Key, _Market] = {}

    # --------------------------------------------------------------- events in

    def apply(self, event: Event, ts_recv_ns: int) -> FeedNote | None:
        """Take an event, read at ``ts_recv_ns`` (UTC); what it changed, or None (stale, a repetition, not public)."""
        match event:
            case BookUpdate():
                change = self._market(event.venue, event.ticker).book.apply(event, ts_recv_ns)
                if change is BookChange.STALE:
                    return None
                return FeedNote(event.venue, event.ticker, FeedChange.BOOK, change is BookChange.HELD)
            case QuoteUpdate():
                return self._quoted(event, ts_recv_ns)
            case TradeEvent():
                return self._traded(event)
            case MarkUpdate():
                market = self._market(event.venue, event.ticker)
                if market.mark is not None and event.ts_venue_ns < market.mark.ts_venue_ns:
                    return None
                market.mark = event
                return FeedNote(event.venue, event.ticker, FeedChange.MARK)
            case _:
                return None

    def interrupted(self, venue: str) -> None:
        """Note that the venue's public stream was cut: no book or quote from before it is priced from again."""
        for (alias, _ticker), market in self._markets.items():
            if alias == venue:
                market.book.interrupt()
                market.quote = None

    def open(self, venue: str, ticker: str) -> OrderBook:
        """Expect a contract's data: its book, empty and out of sequence where nothing came yet."""
        return self._market(venue, ticker).book

    def drop(self, venue: str, ticker: str) -> None:
        """Forget a contract that is watched no more."""
        self._markets.pop((venue, ticker), None)

    # -------------------------------------------------------------- prices out

    def quote(self, venue: str, ticker: str) -> QuoteUpdate | None:
        """The newest best bid and ask, of the book's top and the venue's quote stream; None while there is neither.

        Newer is what has the higher sequence number where both have one (Binance numbers both from one count), else
        the later venue time, else what was read later.
        """
        market = self._markets.get((venue, ticker))
        if market is None:
            return None
        quote, book = market.quote, market.book
        if not book.in_sequence or (quote is not None and _quote_is_newer(quote, market.quote_recv_ns, book)):
            return quote
        return QuoteUpdate(
            venue=venue,
            ticker=ticker,
            bid=book.best_bid(),
            ask=book.best_ask(),
            seq=book.last_seq,
            ts_venue_ns=book.ts_venue_ns,
        )

    def mid(self, venue: str, ticker: str) -> Decimal | None:
        """Half way between the newest best bid and ask; None where a side is empty."""
        quote = self.quote(venue, ticker)
        if quote is None or quote.bid is None or quote.ask is None:
            return None
        return (quote.bid.price + quote.ask.price) / 2

    def mark(self, venue: str, ticker: str) -> MarkUpdate | None:
        """The last mark price with its funding rate, or None."""
        market = self._markets.get((venue, ticker))
        return market.mark if market else None

    def last_trade(self, venue: str, ticker: str) -> TradeEvent | None:
        """The last public trade, or None."""
        market = self._markets.get((venue, ticker))
        return market.trades[-1] if market and market.trades else None

    def trades(self, venue: str, ticker: str) -> tuple[TradeEvent, ...]:
        """The last public trades, oldest first, at most `TRADES_KEPT`."""
        market = self._markets.get((venue, ticker))
        return tuple(market.trades) if market else ()

    def level(self, venue: str, ticker: str, side: PriceSide, n: int, *, buying: bool) -> Decimal | None:
        """The price of the ``n``-th level (1 is the best) of our own side (QUEUE) or of the other (OPPONENT).

        Where the side has fewer levels it is the last there is. None for an empty side, and for a book that is not in
        sequence (the best level may then still come from the quote stream). Raises ValueError for a level under 1.
        """
        if n < 1:
            raise ValueError(f"level {n} of a book: the best one is 1")
        bids = buying == (side is PriceSide.QUEUE)
        level: Level | None = None
        if n == 1:
            quote = self.quote(venue, ticker)
            if quote is not None:
                level = quote.bid if bids else quote.ask
        else:
            market = self._markets.get((venue, ticker))
            if market is not None and market.book.in_sequence:
                level = market.book.bid_at(n) if bids else market.book.ask_at(n)
        return level.price if level else None

    def reach(self, venue: str, ticker: str, amount: Decimal) -> Decimal | None:
        """The worst price that a market order of ``amount`` (signed) would trade at in the book as it stands.

        None without a book in sequence, or where the levels looked at do not hold that much.
        """
        book = self.book(venue, ticker)
        if book is None or not book.in_sequence:
            return None
        left = abs(amount)
        for level in book.asks(REACH_LEVELS) if amount > 0 else book.bids(REACH_LEVELS):
            left -= level.quantity
            if left <= 0:
                return level.price
        return None

    def price_for(
        self, rule: PriceRule, contract: Contract, *, buying: bool, post_only: bool = False
    ) -> Decimal | None:
        """The price that the rule names at this moment, or None where `level` has none.

        Post-only, a price that would meet the best opposite one becomes the best that does not: one tick inside it.
        """
        price = self.level(contract.venue, contract.ticker, rule.side, rule.level, buying=buying)
        if price is None or not post_only:
            return price
        opposite = self.level(contract.venue, contract.ticker, PriceSide.OPPONENT, 1, buying=buying)
        if opposite is None or (price < opposite if buying else price > opposite):
            return price
        if buying:
            inside = floor_price(contract, opposite - contract.tick_size)
            return inside if inside > 0 else None
        return ceil_price(contract, opposite + contract.tick_size)

    # --------------------------------------------------------------- freshness

    def book(self, venue: str, ticker: str) -> OrderBook | None:
        """The book itself, for its levels; the caller only reads it, and looks whether it is in sequence."""
        market = self._markets.get((venue, ticker))
        return market.book if market else None

    def known(self) -> tuple[Key, ...]:
        """The contracts that are known here, as (venue, ticker)."""
        return tuple(self._markets)

    def in_sequence(self, venue: str, ticker: str) -> bool:
        """Whether the book's levels are the venue's: a snapshot came, and no update is missing since."""
        market = self._markets.get((venue, ticker))
        return market is not None and market.book.in_sequence

    def ts_recv_ns(self, venue: str, ticker: str) -> int:
        """When the newest book update or quote was read, UTC; 0 for never."""
        market = self._markets.get((venue, ticker))
        if market is None:
            return 0
        return max(
            market.quote_recv_ns if market.quote is not None else 0,
            market.book.ts_recv_ns if market.book.in_sequence else 0,
        )

    def age_ns(self, venue: str, ticker: str, now_ns: int) -> int | None:
        """How long ago that was, or None for never."""
        read = self.ts_recv_ns(venue, ticker)
        return now_ns - read if read else None

    def _market(self, venue: str, ticker: str) -> _Market:
        key = venue, ticker
        market = self._markets.get(key)
        if market is None:
            market = self._markets[key] = _Market()
        return market

    def _quoted(self, quote: QuoteUpdate, ts_recv_ns: int) -> FeedNote | None:
        market = self._market(quote.venue, quote.ticker)
        known = market.quote
        if known is not None and _older(quote.seq, quote.ts_venue_ns, known.seq, known.ts_venue_ns):
            return None
        market.quote, market.quote_recv_ns = quote, ts_recv_ns
        return FeedNote(quote.venue, quote.ticker, FeedChange.QUOTE)

    def _traded(self, trade: TradeEvent) -> FeedNote | None:
        trades = self._market(trade.venue, trade.ticker).trades
        for known in reversed(trades):
            if known.trade_id == trade.trade_id or known.ts_venue_ns > trade.ts_venue_ns:
                return None
            if known.ts_venue_ns < trade.ts_venue_ns:
                break
        trades.append(trade)
        return FeedNote(trade.venue, trade.ticker, FeedChange.TRADE)


def _older(seq: int | None, ts_ns: int, than_seq: int | None, than_ts_ns: int) -> bool:
    if seq is not None and than_seq is not None:
        restarted = than_ts_ns > 0 and ts_ns > than_ts_ns + RESTART_NS
        return seq < than_seq and not restarted
    return 0 < ts_ns < than_ts_ns


def _quote_is_newer(quote: QuoteUpdate, quote_recv_ns: int, book: OrderBook) -> bool:
    if quote.seq is not None and book.last_seq is not None:
        return quote.seq > book.last_seq
    if quote.ts_venue_ns and book.ts_venue_ns and quote.ts_venue_ns != book.ts_venue_ns:
        return quote.ts_venue_ns > book.ts_venue_ns
    return quote_recv_ns > book.ts_recv_ns


FetchBook = Callable[[str, str], Awaitable[BookUpdate]]
"""Asks a venue, by alias, for a ticker's book. Raises VenueError."""


class FeedKeeper:
    """Feeds the feed, and fetches snapshots for books that fell out of sequence.

    One fetch at a time for a contract and ``fetches`` in all; between two of a contract at least ``first_wait_s``,
    doubled up to ``longest_wait_s`` for as long as the book does not stay in sequence. Deltas that arrive during a
    fetch are held by the book. ``failures`` counts fetches that failed, ``last_error`` is the last one's sentence. What
    nobody foresaw in ``fetch_book`` goes to ``on_error``, by default to the loop's exception handler.
    """

    def __init__(
        self,
        feed: Feed,
        fetch_book: FetchBook,
        *,
        clock: Clock | None = None,
        on_error: Callable[[str, BaseException], None] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        fetches: int = 4,
        timeout_s: float = 10.0,
        first_wait_s: float = 0.25,
        longest_wait_s: float = 15.0,
    ) -> None:
        self.failures = 0
        self.last_error = ""
        self._feed = feed
        self._fetch_book = fetch_book
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._slots = asyncio.Semaphore(fetches)
        self._timeout_s = timeout_s
        self._first_wait_s = first_wait_s
        self._longest_wait_s = longest_wait_s
        self._tasks = TaskOwner(on_error or _to_the_loop)
        self._fetching: set[Key] = set()

    @property
    def fetching(self) -> frozenset[Key]:
        """The contracts whose book is being brought back into sequence."""
        return frozenset(self._fetching)

    def apply(self, event: Event, ts_recv_ns: int) -> FeedNote | None:
        """`Feed.apply`, and the start of a resync where the note asks for one. Must be called on the running loop."""
        note = self._feed.apply(event, ts_recv_ns)
        if note is not None and note.resync:
            self.resync(note.venue, note.ticker)
        return note

    def resync(self, venue: str, ticker: str) -> None:
        """Fetch snapshots until the book is in sequence; nothing where it is, or where that is under way.

        For a contract that is newly watched: a quiet one would wait for its first delta.
        """
        key = venue, ticker
        if self._feed.open(venue, ticker).in_sequence:
            return
        if key not in self._fetching and self._tasks.start(self._resync(key), f"book of {venue}:{ticker}"):
            self._fetching.add(key)

    def resync_venue(self, venue: str) -> None:
        """`resync` every contract of a venue: its public stream is back."""
        for alias, ticker in self._feed.known():
            if alias == venue:
                self.resync(alias, ticker)

    async def close(self) -> None:
        """Stop fetching and wait for what was under way."""
        await self._tasks.close()

    async def _resync(self, key: Key) -> None:
        wait_s = self._first_wait_s
        try:
            while self._needs_snapshot(key):
                async with self._slots:
                    try:
                        async with asyncio.timeout(self._timeout_s):
                            book = await self._fetch_book(*key)
                    except (VenueError, TimeoutError) as error:
                        self.failures += 1
                        self.last_error = str(error) or f"no book within {self._timeout_s:g} s"
                    else:
                        self._feed.apply(book, self._clock.now_ns())
                await self._sleep(wait_s)
                wait_s = min(wait_s * 2, self._longest_wait_s)
        finally:
            self._fetching.discard(key)

    def _needs_snapshot(self, key: Key) -> bool:
        book = self._feed.book(*key)
        return book is not None and book.out_of_sequence


def _to_the_loop(name: str, error: BaseException) -> None:
    asyncio.get_running_loop().call_exception_handler({"message": f"{name} failed", "exception": error})
