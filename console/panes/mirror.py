"""What the console last heard from the engine, merged from its frames: the rows by key, and the header.

Read by every pane, form and action; written by the app's flush alone. No clock of its own: the time is the engine's
(``Header.now_ns``), and the moment of hearing is passed in.
"""

from collections.abc import Iterator
from decimal import Decimal

from console.concern import DEFAULT_THRESHOLDS, Thresholds
from console.frame_times import FrameTimes
from console.link import (
    BookRow,
    ContractRow,
    ExposureRow,
    FillRow,
    Frame,
    HandlerRow,
    Header,
    HedgeRow,
    LadderRow,
    MoneyRow,
    OrderRow,
    PositionRow,
    VenueRow,
)

SILENT_AFTER_NS = 2_000_000_000
"""Without a new header for so long, the engine counts as silent and everything on screen as stale."""

_FINISHED_KEPT = 2_000
_FILLS_KEPT = 5_000


class Mirror:
    """The rows by key, as of the last frame taken."""

    def __init__(self, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> None:
        self.thresholds = thresholds
        self.frame_times = FrameTimes()
        self.header: Header | None = None
        self.orders: dict[str, OrderRow] = {}
        self.hedges: dict[str, HedgeRow] = {}
        self.books: dict[str, BookRow] = {}
        self.positions: dict[str, PositionRow] = {}
        self.exposures: dict[str, ExposureRow] = {}
        self.money: dict[str, MoneyRow] = {}
        self.ladders: dict[tuple[str, str], LadderRow] = {}
        self.venues: dict[str, VenueRow] = {}
        self.handlers: dict[str, HandlerRow] = {}
        self.fills: dict[str, FillRow] = {}
        """Our last executions, oldest first."""
        self.merged = 1
        """Frames of the engine in the last one taken."""
        self.contracts: dict[tuple[str, str], ContractRow] = {}
        self._heard_ns: int | None = None

    def apply(self, frame: Frame, local_ns: int) -> None:
        """Merge a frame; ``local_ns`` is the console's own monotonic clock at this moment."""
        if frame.header is not None:
            if self.header is None or frame.header.now_ns != self.header.now_ns:
                self._heard_ns = local_ns
            self.header = frame.header
        for table in ("orders", "hedges", "books", "positions", "exposures", "money", "venues", "handlers"):
            rows = getattr(self, table)
            for row in getattr(frame, table):
                rows[row.key] = row
            for key in frame.gone.get(table, ()):
                rows.pop(key, None)
        self.fills.update((row.key, row) for row in frame.fills)
        while len(self.fills) > _FILLS_KEPT:
            del self.fills[next(iter(self.fills))]
        self.merged = frame.merged
        for key in frame.gone.get("ladders", ()):  # rather no book than one that stands still
            venue, _, ticker = key.partition(":")
            self.ladders.pop((venue, ticker), None)
        self.ladders.update({(row.venue, row.ticker): row for row in frame.ladders})
        self.contracts.update({(row.venue, row.ticker): row for row in frame.contracts})
        if any(row.terminal for row in frame.orders):
            self._forget_finished()

    def _forget_finished(self) -> None:
        if len(self.orders) > 2 * _FINISHED_KEPT:
            finished = [key for key, row in self.orders.items() if row.terminal]
            for key in finished[:-_FINISHED_KEPT]:
                del self.orders[key]

    # ------------------------------------------------------------ time

    @property
    def now_ns(self) -> int:
        """The engine's time, 0 before the first frame."""
        return 0 if self.header is None else self.header.now_ns

    def silence_ns(self, local_ns: int) -> int:
        """For how long the engine's clock has stood still; 0 before it was ever heard."""
        return 0 if self._heard_ns is None else max(0, local_ns - self._heard_ns)

    def silent(self, local_ns: int) -> bool:
        """Whether the engine's heartbeat has stopped for longer than its limit."""
        return self.silence_ns(local_ns) > SILENT_AFTER_NS

    # ------------------------------------------------------------ contracts

    def tick(self, venue: str, ticker: str) -> Decimal | None:
        """The price step of a contract, None where it is not known."""
        row = self.contracts.get((venue, ticker))
        return None if row is None else row.tick

    def price_step(self, venue: str, ticker: str) -> Decimal | None:
        """The price step that holds at the market: the ladder's where there is one (it may grow with the price)."""
        ladder = self.ladders.get((venue, ticker))
        return self.tick(venue, ticker) if ladder is None else ladder.tick

    def lot(self, venue: str, ticker: str) -> Decimal | None:
        """The quantity step of a contract, None where it is not known."""
        row = self.contracts.get((venue, ticker))
        return None if row is None else row.lot

    def contract_names(self) -> list[str]:
        """The contracts that can be traded now as ``venue:ticker``, sorted."""
        return sorted(f"{row.venue}:{row.ticker}" for row in self.contracts.values() if row.trading)

    def tickers(self) -> dict[str, list[str]]:
        """The tickers that can be traded now, by venue."""
        found: dict[str, list[str]] = {}
        for venue, ticker in sorted(where for where, row in self.contracts.items() if row.trading):
            found.setdefault(venue, []).append(ticker)
        return found

    # ------------------------------------------------------------ what is open

    def open_orders(self, *, venue: str = "", ticker: str = "", role: str = "") -> Iterator[OrderRow]:
        """Orders that may still trade, of one venue, contract or role where given."""
        for row in self.orders.values():
            if (
                not row.terminal
                and (not venue or row.venue == venue)
                and (not ticker or row.ticker == ticker)
                and (not role or row.role == role)
            ):
                yield row

    def cancellable(self, *, venue: str = "", ticker: str = "", sign: int = 0) -> list[OrderRow]:
        """What a cancel of a set takes: open orders that are not hedges, buys (+1) or sells (-1) alone where given."""
        return [
            row
            for row in self.open_orders(venue=venue, ticker=ticker)
            if row.role != "hedge" and (not sign or (row.amount > 0) == (sign > 0))
        ]

    def open_positions(self, *, venue: str = "") -> list[PositionRow]:
        """Positions that are not flat."""
        return [row for row in self.positions.values() if row.amount and (not venue or row.venue == venue)]

    def residuals(self) -> list[BookRow]:
        """Hedge books with something not hedged: waiting, in flight or of unknown outcome."""
        return [row for row in self.books.values() if row.balance or row.in_flight or row.unknown]
