"""The orders page: every order of the desk, the newest on top; what is done stands back."""

from typing import ClassVar

from textual.binding import BindingType

from console import fmt
from console.actions import PANE, bindings
from console.commands import Absent
from console.link import Frame, OrderRow
from console.panes import cells
from console.panes.pane import Desk, TablePane
from console.screens.choices import absent_question
from console.widgets.columns import Cell, Column

EMPTY = """No order yet.

n  opens the ticket: a maker order with its hedge legs
:  takes the same as one line, for example
   sell 0.05 hyperliquid:ETH @ queue1 post hedge binance:ETHUSDT market
i  chooses the contract of the ladder; b and s there bid and offer"""

MAX_ROWS = 3_000


class OrdersPane(TablePane[OrderRow]):
    """Pane 1."""

    NAME = "orders"
    TITLE_OF_ROW = "order"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("orders", PANE)]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, self._columns(), empty=EMPTY, newest_first=True, max_rows=MAX_ROWS)

    def _columns(self) -> list[Column[OrderRow]]:
        def faded(row: OrderRow, cell: Cell) -> Cell:
            return cell._replace(ink="faint") if row.terminal and cell.ink != "alarm" else cell

        def note(row: OrderRow) -> Cell:
            if row.reason:
                return Cell(row.reason, "alarm" if row.status == "REJECTED" else "muted")
            return faded(row, Cell(row.legs.replace("hedge ", "→ "), "muted"))

        return [
            Column(key="side", label="side", width=4, cell=lambda row: faded(row, cells.side_cell(row.amount)),
                   sort=lambda row: row.amount < 0),
            Column(key="amount", label="amount", width=9, right=True, sort=lambda row: abs(row.amount),
                   cell=lambda row: faded(row, cells.number(abs(row.amount), self.lot_of(row)))),
            Column(key="contract", label="contract", width=15, grow=2, widest=22,
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
            Column(key="age", label="age", width=5, right=True, priority=3, ticking=True,
                   sort=lambda row: row.ts_created_ns,
                   cell=lambda row: faded(row, cells.age(self.now_ns, row.ts_created_ns))),
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

    def targets(self) -> list[OrderRow]:
        """What a cancel takes: the marked orders, else the one under the cursor; only those still open."""
        rows = [self.rows[key] for key in self.keys if key in self.marked]
        if not rows and self.selected is not None:
            rows = [self.selected]
        return [row for row in rows if not row.terminal]

    def do_cancel(self) -> None:
        """Cancel the marked orders, or the one under the cursor."""
        targets = self.targets()
        if not targets:
            self.desk.say("nothing to cancel here: that order is done", "warning")
        for row in targets:
            self.desk.send(f"cancel {row.cloid}")
        self.unmark()

    def do_absent(self) -> None:
        """Ask for the id of the unknown hedge order under the cursor, then take it as never sent."""
        row = self.selected
        if row is None or row.role != "hedge" or row.status != "UNKNOWN":
            self.desk.say("only a hedge order that is UNKNOWN can be taken as never sent", "warning")
            return
        self.desk.ask(absent_question(Absent(cloid=row.cloid), fmt.contract(row.venue, row.ticker)))

    def do_mark(self) -> None:
        """Mark the order under the cursor."""
        self.mark()

    def do_amend(self) -> None:
        """Write an amend on the command line."""
        row = self.selected
        if row is None or row.terminal or row.price is None:
            self.desk.say("only an open order with a price can be amended", "warning")
            return
        amount = fmt.number(abs(row.amount), self.lot_of(row))
        self.desk.open_command_line(f"amend {row.cloid} amount {amount} @ {fmt.number(row.price, self.tick_of(row))}")

    def do_clone(self) -> None:
        """Write the order once more on the command line."""
        row = self.selected
        if row is None:
            return
        price = "market" if row.price is None else fmt.number(row.price, self.tick_of(row))
        tif = "" if row.tif.upper() == "GTC" else row.tif.lower()
        words = [fmt.side(row.amount), fmt.number(abs(row.amount), self.lot_of(row)),
                 fmt.contract(row.venue, row.ticker), "@", price, row.flags, tif, row.legs]  # fmt: skip
        self.desk.open_command_line(" ".join(word for word in words if word))


def _flags(row: OrderRow) -> str:
    tif = "" if row.tif.upper() == "GTC" else row.tif.lower()
    return " ".join(word for word in (row.flags, tif) if word)
