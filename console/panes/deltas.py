"""The order deltas: each change of an order as the engine saw it, the last at the bottom."""

from typing import ClassVar

from textual.binding import BindingType

from console import fmt
from console.actions import PANE, bindings
from console.link import DeltaRow, Frame
from console.panes import cells
from console.panes.pane import Desk, TablePane
from console.times import TimeMode
from console.widgets.columns import Cell, Column

EMPTY = """Every change of an order appears here as the engine saw it:
acknowledged, filled, cancelled, refused."""


class DeltasPane(TablePane[DeltaRow]):
    """Pane 2."""

    NAME = "deltas"
    TITLE_OF_ROW = "delta"
    time_mode = TimeMode.UTC
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("deltas", PANE)]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, self._columns(), empty=EMPTY, follow=True, max_rows=2_000)
        self._seen = 0

    def _columns(self) -> list[Column[DeltaRow]]:
        return [
            self.time_column(lambda row: row.ts_ns, key="time", millis=True, sort=None, anchor=True),
            Column(key="id", label="id", width=6, priority=1, cell=lambda row: Cell(fmt.short_id(row.cloid), "muted")),
            Column(key="role", label="role", width=6, priority=4, cell=lambda row: Cell(row.role, "muted")),
            Column(key="contract", label="contract", width=15, grow=1, widest=22, anchor=True,
                   cell=lambda row: cells.contract(row.venue, row.ticker)),
            Column(key="fill", label="last fill", width=9, right=True, priority=0,
                   cell=lambda row: cells.signed(row.last_fill, self.lot_of(row)) if row.last_fill else Cell("")),
            Column(key="filled", label="filled", width=9, right=True, priority=3,
                   cell=lambda row: cells.signed(row.filled, self.lot_of(row), "")),
            Column(key="amount", label="of", width=9, right=True, priority=5,
                   cell=lambda row: cells.signed(row.amount, self.lot_of(row), "muted")),
            Column(key="price", label="price", width=10, right=True, priority=2,
                   cell=lambda row: cells.number(row.price, self.tick_of(row))),
            Column(key="change", label="status", width=10, grow=1, widest=23, cell=_change),
            Column(key="label", label="event", width=10, priority=6, grow=1, widest=30,
                   cell=lambda row: Cell(row.label, "muted")),
        ]  # fmt: skip

    def feed(self, frame: Frame) -> None:
        """Take the deltas of a frame."""
        first = self._seen
        self._seen += len(frame.deltas)
        self.put((str(number), row) for number, row in enumerate(frame.deltas, first))

    def counters(self) -> tuple[str, str]:
        """How many there were, and how many intermediate ones the screen was too slow for."""
        header = self.mirror.header
        if header is None:
            return "", ""
        late = f" · {header.coalesced} coalesced" if header.coalesced else ""
        lost = f" · {header.dropped} dropped" if header.dropped else ""
        return f"{header.deltas}{late}{lost}", "warn" if header.dropped else "muted"


def _change(row: DeltaRow) -> Cell:
    after = cells.status(row.after)
    if not row.before or row.before == row.after:
        return after
    return after._replace(text=f"{after.text} ← {row.before.lower()}")
