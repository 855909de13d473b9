"""The orders page: every order of the desk, the newest on top; what is done stands back."""

from collections.abc import Callable
from typing import ClassVar

import msgspec
from textual.binding import BindingType

from console import fmt
from console.actions import PANE, bindings
from console.commands import Absent, Place
from console.language import GrammarError, parse
from console.link import Frame, OrderRow
from console.panes import cells
from console.panes.pane import Desk, TablePane
from console.screens.choices import absent_question
from console.session import TableView
from console.ticket.draft import drafted
from console.widgets.columns import Cell, Column

EMPTY = """No order yet.

n  opens the ticket: a maker order with its hedge legs
:  takes the same as one line, for example
   sell 0.05 hyperliquid:ETH @ queue1 post hedge binance:ETHUSDT market
i  chooses the contract of the ladder; b and s there bid and offer"""

MAX_ROWS = 20_000
"""More than any desk works at once: an order that is open must not fall out of the page for being old."""

TABS: dict[str, Callable[[OrderRow], bool]] = {
    "all": lambda _: True,
    "working": lambda row: not row.terminal,
    "done": lambda row: row.terminal and row.status != "REJECTED",
    "rejects": lambda row: row.status == "REJECTED",
}
"""Which orders each tab shows."""

_NONE_HERE = {"working": "No order is working.", "done": "No order is done.", "rejects": "No order was rejected."}


class OrdersPane(TablePane[OrderRow]):
    """Pane 1."""

    NAME = "orders"
    TITLE_OF_ROW = "order"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("orders", PANE)]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, self._columns(), empty=EMPTY, newest_first=True, max_rows=MAX_ROWS)
        self.tab = "all"

    def _columns(self) -> list[Column[OrderRow]]:
        def faded(row: OrderRow, cell: Cell) -> Cell:
            return cell._replace(ink="faint") if row.terminal and cell.ink != "alarm" else cell

        def note(row: OrderRow) -> Cell:
            if row.reason:
                return Cell(row.reason, "alarm" if row.status == "REJECTED" else "muted")
            return faded(row, Cell(row.legs.replace("hedge ", "→ "), "muted"))

        return [
            Column(key="side", label="side", width=4, anchor=True, sort=lambda row: row.amount < 0,
                   cell=lambda row: faded(row, cells.side_cell(row.amount))),
            Column(key="amount", label="amount", width=9, right=True, anchor=True, sort=lambda row: abs(row.amount),
                   cell=lambda row: faded(row, cells.number(abs(row.amount), self.lot_of(row)))),
            Column(key="contract", label="contract", width=15, grow=2, widest=22, anchor=True,
                   sort=lambda row: (row.venue, row.ticker),
                   cell=lambda row: faded(row, cells.contract(row.venue, row.ticker))),
            Column(key="price", label="price", width=10, right=True, sort=lambda row: row.price,
                   cell=lambda row: faded(row, Cell("market", "muted") if row.price is None
                                          else cells.number(row.price, self.tick_of(row)))),
            Column(key="filled", label="filled", width=9, right=True, priority=1, sort=lambda row: abs(row.filled),
                   flash=lambda row: abs(row.filled),
                   cell=lambda row: faded(row, cells.number(abs(row.filled), self.lot_of(row), "accent"))),
            Column(key="done", label="done", width=4, right=True, priority=6,
                   cell=lambda row: faded(row, Cell(fmt.percent(row.filled, row.amount), "muted"))),
            Column(key="average", label="average", width=10, right=True, priority=7,
                   cell=lambda row: faded(row, Cell(fmt.average(row.average_price, self.tick_of(row)),
                                                    "faint" if row.average_price is None else ""))),
            Column(key="status", label="status", width=11, cell=lambda row: cells.status(row.status),
                   sort=lambda row: (row.terminal, row.status)),
            Column(key="id", label="id", width=6, priority=2,
                   cell=lambda row: faded(row, Cell(fmt.short_id(row.cloid), "muted"))),
            Column(key="role", label="role", width=6, priority=5, sort=lambda row: row.role,
                   cell=lambda row: faded(row, Cell(row.role, "muted"))),
            Column(key="flags", label="flags", width=6, priority=8,
                   cell=lambda row: faded(row, Cell(_flags(row), "muted"))),
            self.time_column(lambda row: row.ts_created_ns, priority=3),
            Column(key="note", label="hedge legs", width=18, priority=4, grow=5, widest=90, cell=note),
        ]  # fmt: skip

    def feed(self, frame: Frame) -> None:
        """Take the orders of a frame."""
        self.put((row.key, row) for row in frame.orders)
        self.drop(frame.gone.get("orders", ()))

    def counters(self) -> tuple[str, str]:
        """Open makers, hedges under way and orders of unknown outcome."""
        header = self.mirror.header
        if header is None:
            return "", ""
        parts = [f"{header.working} working"]
        if header.children:
            parts.append(f"{header.children} hedging")
        if header.unknown:
            parts.append(f"{header.unknown} UNKNOWN")
        return " · ".join(parts), "alarm" if header.unknown else "muted"

    # ------------------------------------------------------------ tabs

    def in_view(self, row: OrderRow) -> bool:
        """Whether an order belongs to the tab."""
        return TABS[self.tab](row)

    @property
    def narrowed(self) -> bool:
        """Whether some orders may be kept from sight."""
        return self.tab != "all" or super().narrowed

    def view(self) -> TableView:
        """How the orders are looked at: their tab, too."""
        return msgspec.structs.replace(super().view(), tab=self.tab)

    def resume(self, view: TableView) -> None:
        """Look at the orders as in an earlier run."""
        super().resume(view)
        if view.tab in TABS:
            self.show_tab(view.tab)

    def show_tab(self, tab: str) -> None:
        """Show one of ``TABS``."""
        self.tab = tab
        self.look_again()

    def do_next_tab(self) -> None:
        """Show the next tab."""
        self._step_tab(1)

    def do_previous_tab(self) -> None:
        """Show the tab before."""
        self._step_tab(-1)

    def _step_tab(self, steps: int) -> None:
        tabs = list(TABS)
        self.show_tab(tabs[(tabs.index(self.tab) + steps) % len(tabs)])

    def views(self) -> list[tuple[str, str]]:
        """The tabs, and how the table is looked at."""
        tabs = [(f"[{tab}]", "bold accent") if tab == self.tab else (f" {tab} ", "faint") for tab in TABS]
        return [*tabs, *super().views()]

    def teaching(self) -> str:
        """What stands in an empty tab."""
        if self.rows and self.tab != "all" and not self.filter.text:
            return f"{_NONE_HERE[self.tab]}\n\n← → other tabs"
        return super().teaching()

    # ------------------------------------------------------------ actions, each on what it fits (console.panes.when)

    def targets(self) -> list[OrderRow]:
        """What a cancel takes: the marked orders, else the one under the cursor; only those still open."""
        return [row for row in self.selection().rows if not row.terminal]

    def do_cancel(self) -> None:
        """Cancel the marked orders, or the one under the cursor."""
        for row in self.targets():
            self.desk.send(f"cancel {row.cloid}")
        self.unmark()

    def do_absent(self) -> None:
        """Ask for the id of the unknown hedge order under the cursor, then take it as never sent."""
        row = self.selection().row
        self.desk.ask(absent_question(Absent(cloid=row.cloid), fmt.contract(row.venue, row.ticker)))

    def do_amend(self) -> None:
        """Write an amend on the command line."""
        row = self.selection().row
        amount = fmt.number(abs(row.amount), self.lot_of(row))
        self.desk.open_command_line(f"amend {row.cloid} amount {amount} @ {fmt.number(row.price, self.tick_of(row))}")

    def do_clone(self) -> None:
        """Open the ticket with the order once more; what the grammar cannot say goes to the command line."""
        row = self.selection().row
        price = "market" if row.price is None else fmt.number(row.price, self.tick_of(row))
        tif = "" if row.tif.upper() == "GTC" else row.tif.lower()
        words = [fmt.side(row.amount), fmt.number(abs(row.amount), self.lot_of(row)),
                 fmt.contract(row.venue, row.ticker), "@", price, row.flags, tif, row.legs]  # fmt: skip
        line = " ".join(word for word in words if word)
        try:
            place = parse(line)
        except GrammarError:
            self.desk.open_command_line(line)
        else:
            if isinstance(place, Place):
                self.desk.open_ticket(drafted(place), whole=True)


def _flags(row: OrderRow) -> str:
    tif = "" if row.tif.upper() == "GTC" else row.tif.lower()
    return " ".join(word for word in (row.flags, tif) if word)
