"""The way down from a maker to its fills and hedge orders, and back: enter goes on, escape goes back.

It stays live: what is shown is read anew from the mirror several times a second.
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from console import fmt
from console.panes import cells
from console.panes.mirror import Mirror
from console.screens.dialog import DetailsDialog
from console.screens.drill_lines import Line, Place, View, view
from console.widgets.columns import Cell, Column
from console.widgets.live_table import LiveTable

REFRESH_S = 0.25

_KIND_INK = {"leg": "accent", "fill": "own", "hedge": "", "answers": "muted"}


class DrillScreen(ModalScreen[None]):
    """Begins at ``place``; closes when there is no place to go back to."""

    DEFAULT_CSS = """
    DrillScreen .facts { height: auto; max-height: 6; padding: 0 0 1 0; }
    DrillScreen LiveTable { height: 1fr; }
    DrillScreen .path { height: 1; color: $muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left", "back", show=False),
        Binding("q", "leave", show=False),
        Binding("right", "on", show=False),
        Binding("d", "details", show=False),
    ]

    def __init__(self, mirror: Mirror, place: Place) -> None:
        super().__init__()
        self._mirror = mirror
        self.path = [place]
        self._cursors: list[str | None] = []
        """Where the cursor was on each place of the path but the last."""
        self._view: View | None = None
        self.table: LiveTable[Line] = LiveTable(self._columns(), empty="Nothing stands under it yet.", id="drill")
        self._facts = Static(classes="facts")
        self._hint = Static(classes="path")
        self._box = Vertical(self._facts, self.table, self._hint, classes="dialog")
        self._box.styles.width, self._box.styles.max_width = "100%", 140  # wider than other dialogs: it has a table

    def _columns(self) -> list[Column[Line]]:
        lot, tick = self._mirror.lot, self._mirror.tick

        def slippage(row: Line) -> Cell:
            cost = None if row.slippage_bps is None else -row.slippage_bps
            return cells.gain(cost, fmt.rounded(row.slippage_bps, 1, sign=True)) if row.kind != "fill" else cells.BLANK

        return [
            Column(key="kind", label="what", width=7, cell=lambda row: Cell(row.kind, _KIND_INK[row.kind])),
            Column(key="id", label="id", width=11, cell=lambda row: Cell(row.id)),
            Column(key="contract", label="contract", width=15, priority=2, grow=1, widest=22,
                   cell=lambda row: cells.contract(row.venue, row.ticker) if row.venue else cells.BLANK),
            Column(key="amount", label="amount", width=10, right=True,
                   cell=lambda row: cells.signed(row.amount, lot(row.venue, row.ticker))),
            Column(key="filled", label="filled", width=10, right=True, priority=1,
                   flash=lambda row: row.filled,
                   cell=lambda row: cells.BLANK if row.filled is None
                   else cells.signed(row.filled, lot(row.venue, row.ticker))),
            Column(key="price", label="price", width=11, right=True, priority=1,
                   cell=lambda row: Cell(fmt.average(row.price, tick(row.venue, row.ticker)),
                                         "" if row.price is not None else "faint")),
            Column(key="state", label="state", width=10, priority=0, cell=lambda row: Cell(row.state, "muted")),
            Column(key="slippage", label="slip", width=5, right=True, priority=4, cell=slippage),
            Column(key="time", label="time", width=12, priority=3,
                   cell=lambda row: Cell(fmt.clock(row.ts_ns), "muted")),
            Column(key="note", label="note", width=12, priority=5, grow=2, widest=60,
                   cell=lambda row: Cell(row.note, "muted")),
        ]  # fmt: skip

    def compose(self) -> ComposeResult:
        """The facts, the lines, and where this is."""
        yield self._box

    def on_mount(self) -> None:
        """Show the place, and keep it up to date."""
        self.table.focus()
        self._show()
        self.set_interval(REFRESH_S, self._show)

    def _show(self) -> None:
        now = view(self._mirror, self.path[-1])
        if now == self._view:
            self.table.flush()  # flashes end
            return
        self._view = now
        self._box.border_title = Content(now.title)
        self._facts.update(Content("\n".join(now.facts)))
        on = "enter goes on, " if any(line.leads_to for line in now.lines) else ""
        back = "escape goes back" if len(self.path) > 1 else "escape closes"
        self._hint.update(Content(f"{on}{back}, d shows everything about the line"))
        keyed = [(f"{line.kind} {line.id} {place}", line) for place, line in enumerate(now.lines)]
        self.table.drop(self.table.rows.keys() - dict(keyed).keys())
        self.table.put(keyed)
        self.table.flush()
        wanted = -(-(len(now.lines) + len(now.facts) + 8) // 4) * 4  # by steps: it must not grow with every line
        self._box.styles.height = min(max(12, wanted), max(12, self.app.size.height * 3 // 4))

    def _go(self, cursor: str | None = None) -> None:
        self._view = None
        self.table.drop(list(self.table.rows))
        self.table.flush()
        self._show()
        if cursor is not None:
            self.table.move_to_key(cursor)

    def action_on(self) -> None:
        """Go to what the line leads to."""
        line = self.table.selected
        if line is None:
            return
        if line.leads_to is None:
            self.action_details()
            return
        if line.leads_to in self.path:  # back up, not round in a circle
            while self.path[-1] != line.leads_to:
                self.path.pop()
                cursor = self._cursors.pop()
            self._go(cursor)
            return
        self._cursors.append(self.table.cursor_key)
        self.path.append(line.leads_to)
        self._go()

    def on_live_table_row_chosen(self, event: LiveTable.RowChosen) -> None:
        """Go on with enter."""
        event.stop()
        self.action_on()

    def action_back(self) -> None:
        """Go back to where this was come to from; close where there is no such place."""
        if len(self.path) == 1:
            self.dismiss(None)
            return
        self.path.pop()
        self._go(self._cursors.pop())

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)

    def action_details(self) -> None:
        """Show everything about the line, or about the order itself where there are no lines."""
        line = self.table.selected
        row = line.row if line is not None else self._mirror.orders.get(self.path[-1].key)
        if row is not None:
            self.app.push_screen(DetailsDialog(line.kind if line else "order", row))
