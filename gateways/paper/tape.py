"""One contract on a paper exchange, as the public sees it: book, sequence of its changes, trades, mark. Pure."""

from collections import deque
from decimal import Decimal

from gateways.paper.matching import Book
from gateways.paper.records import BookChanged, Traded
from gateways.standards import ZERO

TRADES_KEPT = 1_000
"""How many public trades of a contract are remembered."""


class Tape:
    """What the public may see of one contract."""

    __slots__ = ("_mark", "_seq", "_ticker", "book", "trades")

    def __init__(self, ticker: str) -> None:
        self.book = Book()
        self.trades: deque[Traded] = deque(maxlen=TRADES_KEPT)
        self._ticker = ticker
        self._seq = 0
        self._mark: Decimal | None = None

    def set_mark(self, mark: Decimal) -> None:
        """Take the mark price from outside."""
        self._mark = mark

    def mark(self) -> Decimal | None:
        """The mark as set, else the middle of the book (or its only side), else the last trade; else None."""
        if self._mark is not None:
            return self._mark
        bid, ask = self.book.best(is_buy=True), self.book.best(is_buy=False)
        sides = [level.price for level in (bid, ask) if level is not None]
        if sides:
            return sum(sides, ZERO) / len(sides)
        return self.trades[-1].price if self.trades else None

    def changes(self, now_ns: int) -> BookChanged | None:
        """The levels that changed since the last call, one step of the sequence for each; None when none did."""
        bids, asks = self.book.take_changes()
        if not bids and not asks:
            return None
        before = self._seq
        self._seq += len(bids) + len(asks)
        return BookChanged(
            ticker=self._ticker,
            bids=bids,
            asks=asks,
            first_seq=before + 1,
            last_seq=self._seq,
            prev_seq=before,
            ts_ns=now_ns,
        )

    def snapshot(self, depth: int, now_ns: int) -> BookChanged:
        """The best ``depth`` levels a side at the sequence of the last ``changes``."""
        return BookChanged(
            ticker=self._ticker,
            bids=self.book.levels(is_buy=True, depth=depth),
            asks=self.book.levels(is_buy=False, depth=depth),
            first_seq=self._seq,
            last_seq=self._seq,
            prev_seq=self._seq,
            ts_ns=now_ns,
        )
