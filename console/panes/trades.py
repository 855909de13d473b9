"""The trades: the public tape of the contract that the ladder shows, and every execution of ours on any."""

from typing import ClassVar

from textual.binding import BindingType

from console import fmt
from console.actions import PANE, bindings
from console.link import FillRow, Frame, TradeRow
from console.panes import cells
from console.panes.pane import Desk, TablePane, Where
from console.times import TimeMode
from console.widgets.columns import Cell, Column

Line = TradeRow | FillRow

EMPTY = """No trade yet.

The public trades of the contract that the ladder shows appear here as they
happen, and our own executions on every contract, marked ◆."""


class TradesPane(TablePane[Line]):  # type: ignore[type-var]  # a union of structs
    """Pane 0."""

    NAME = "trades"
    TITLE_OF_ROW = "trade"
    time_mode = TimeMode.UTC
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("trades", PANE)]

    def __init__(self, desk: Desk) -> None:
        super().__init__(
            desk, self._columns(), empty=EMPTY, follow=True, max_rows=2_000, order_by=lambda row: row.ts_ns
        )
        self._seen = 0
        self._own = 0
        self._tape: Where | None = None

    def _columns(self) -> list[Column[Line]]:
        def amount(row: Line) -> Cell:
            return cells.signed(row.amount, self.lot_of(row), "bold own" if isinstance(row, FillRow) else None)

        return [
            self.time_column(lambda row: row.ts_ns, key="time", millis=True, sort=None, anchor=True),
            Column(key="own", label="", width=1,
                   cell=lambda row: Cell("◆", "own") if isinstance(row, FillRow) else cells.BLANK),
            Column(key="price", label="price", width=10, right=True, sort=lambda row: row.price,
                   cell=lambda row: cells.number(row.price, self.tick_of(row), cells.side_ink(row.amount))),
            Column(key="amount", label="amount", width=10, right=True, sort=lambda row: abs(row.amount), cell=amount),
            Column(key="contract", label="contract", width=15, priority=1, grow=1, widest=22,
                   cell=lambda row: cells.contract(row.venue, row.ticker, _ink(row))),
            Column(key="id", label="order", width=6, priority=2,
                   cell=lambda row: Cell(fmt.short_id(row.cloid)) if isinstance(row, FillRow) else cells.BLANK),
            Column(key="role", label="role", width=6, priority=3,
                   cell=lambda row: Cell(row.role, "muted") if isinstance(row, FillRow) else cells.BLANK),
            Column(key="fee", label="fee", width=14, right=True, priority=4, cell=_fee),
            Column(key="liquidity", label="as", width=5, priority=5,
                   cell=lambda row: Cell(row.liquidity, "muted") if isinstance(row, FillRow) else cells.BLANK),
            Column(key="value", label="value", width=8, right=True, priority=6,
                   cell=lambda row: Cell(fmt.compact(abs(row.amount) * row.price), "muted")),
            Column(key="trade", label="trade id", width=12, priority=7, grow=1, widest=24,
                   cell=lambda row: Cell(row.trade_id, "faint")),
        ]  # fmt: skip

    def feed(self, frame: Frame) -> None:
        """Take the trades of a frame. Trades of another contract take the place of those of the one before."""
        if frame.trades:
            last = Where(frame.trades[-1].venue, frame.trades[-1].ticker)
            if last != self._tape:
                self._tape = last
                self.drop([key for key, row in self.rows.items() if isinstance(row, TradeRow)])
            self._put([row for row in frame.trades if (row.venue, row.ticker) == last])
        own = {f"own {row.key}": row for row in frame.fills}
        self._own += len(own.keys() - self.rows.keys())
        self.put(own.items())

    def _put(self, trades: list[TradeRow]) -> None:
        first = self._seen
        self._seen += len(trades)
        self.put((str(number), row) for number, row in enumerate(trades, first))

    def counters(self) -> tuple[str, str]:
        """Whose tape it is, and how many executions of ours there were."""
        tape = f"{self._tape} · " if self._tape else ""
        return f"{tape}{self._own} own", "muted"


def _ink(row: Line) -> str:
    return "" if isinstance(row, FillRow) else "faint"


def _fee(row: Line) -> Cell:
    if not isinstance(row, FillRow):
        return cells.BLANK
    if row.fee is None:
        return cells.NONE
    return Cell(f"{fmt.number(-row.fee, sign=True)} {row.fee_asset}", "muted", dim_zeros=False)
