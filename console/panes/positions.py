"""Positions by base asset: the net exposure over all venues, under it the position in each contract; then money."""

from typing import ClassVar

from textual.binding import BindingType

from console import fmt
from console.actions import PANE, bindings
from console.link import ExposureRow, Frame, MoneyRow, PositionRow
from console.panes import cells
from console.panes.pane import Desk, TablePane, Where
from console.screens.choices import Question, flatten_question
from console.widgets.columns import Cell, Column
from gateways.standards import ZERO

Line = PositionRow | ExposureRow | MoneyRow

EMPTY = """Every position is flat.

Net exposure by base asset over all venues appears here, with the position
in each contract under it. f flattens the one under the cursor, F a set."""


class PositionsPane(TablePane[Line]):  # type: ignore[type-var]  # a union of structs
    """Pane 5."""

    NAME = "positions"
    TITLE_OF_ROW = "position"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("positions", PANE)]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, self._columns(), empty=EMPTY, order_by=_place)

    def _columns(self) -> list[Column[Line]]:
        def amount(row: Line) -> Cell:
            match row:
                case PositionRow():
                    return cells.signed(row.amount, self.lot_of(row))
                case ExposureRow():
                    return cells.signed(row.net, None, "bold warn" if row.net else None)
                case MoneyRow():
                    return Cell(fmt.money(row.total))

        def value(row: Line) -> Cell:
            if isinstance(row, MoneyRow):
                return Cell(f"{fmt.compact(row.available)} free" if row.available is not None else fmt.NONE, "muted")
            return Cell(fmt.compact(row.notional, sign=True), "faint" if row.notional is None else "muted")

        def price(row: Line, what: str) -> Cell:
            if not isinstance(row, PositionRow):
                return cells.BLANK
            if what == "mark":
                return cells.number(row.mark, self.tick_of(row), "muted")
            return Cell(
                fmt.average(row.entry_price, self.tick_of(row)), "faint" if row.entry_price is None else "muted"
            )

        def result(row: Line) -> Cell:
            if not isinstance(row, PositionRow):
                return cells.BLANK
            return cells.gain(row.unrealised, fmt.money(row.unrealised, sign=True))

        return [
            Column(key="name", label="asset / contract", width=17, grow=1, widest=24, cell=_name),
            Column(key="amount", label="net", width=11, right=True, cell=amount,
                   flash=lambda row: row.amount if isinstance(row, PositionRow) else None),
            Column(key="value", label="value", width=10, right=True, priority=1, cell=value),
            Column(key="result", label="unreal.", width=9, right=True, priority=2, cell=result),
            Column(key="entry", label="entry", width=10, right=True, priority=3, cell=lambda row: price(row, "entry")),
            Column(key="mark", label="mark", width=10, right=True, priority=4, cell=lambda row: price(row, "mark")),
            Column(key="legs", label="long / short", width=21, right=True, priority=5, cell=_legs),
        ]  # fmt: skip

    def feed(self, frame: Frame) -> None:
        """Take positions, exposures and money of a frame; flat positions and exposures leave."""
        for position in frame.positions:
            self._take(f"p {position.key}", position, flat=not position.amount)
        for exposure in frame.exposures:
            flat = not (exposure.net or exposure.long or exposure.short)
            self._take(f"e {exposure.key}", exposure, flat=flat)
        self.put((f"m {row.key}", row) for row in frame.money)
        for table, letter in (("positions", "p"), ("exposures", "e"), ("money", "m")):
            self.drop(f"{letter} {key}" for key in frame.gone.get(table, ()))

    def _take(self, key: str, row: Line, *, flat: bool) -> None:
        if flat:
            self.drop([key])
        else:
            self.put([(key, row)])

    def counters(self) -> tuple[str, str]:
        """Open positions, and the exposure that is not offset."""
        held = len(self.mirror.open_positions())
        if not held:
            return "flat", "muted"
        net = [row for row in self.mirror.exposures.values() if row.net]
        known = [abs(row.notional) for row in net if row.notional is not None]
        text = fmt.count(held, "position")
        return f"{text} · net {fmt.compact(sum(known, start=ZERO))}" if known else text, "muted"

    def where(self) -> Where | None:
        """The contract under the cursor; none on the line of an asset or of money."""
        row = self.selected
        return Where(row.venue, row.ticker) if isinstance(row, PositionRow) else None

    def do_flatten(self) -> None:
        """Ask, then flatten the position under the cursor."""
        row = self.selected
        question: Question | None = None
        if isinstance(row, PositionRow) and row.amount:
            question = flatten_question(self.mirror, row)
        if question is None:
            self.desk.say("no open position under the cursor: choose a contract's line", "warning")
            return
        self.desk.ask(question)


def _place(row: Line) -> tuple[int, str, int, str]:
    match row:
        case ExposureRow():
            return 0, row.base, 0, ""
        case PositionRow():
            return 0, row.base, 1, row.venue
        case MoneyRow():
            return 1, "", 0, f"{row.venue} {row.asset}"


def _name(row: Line) -> Cell:
    match row:
        case ExposureRow():
            return Cell(row.base, "bold")
        case PositionRow():
            return Cell(f" {fmt.contract(row.venue, row.ticker)}")
        case MoneyRow():
            return Cell(f"{row.asset} on {row.venue}", "muted")


def _legs(row: Line) -> Cell:
    if not isinstance(row, ExposureRow):
        return cells.BLANK
    text = f"{fmt.number(row.long, sign=True)} / {fmt.number(row.short, sign=True)}"
    return Cell(text, "muted", dim_zeros=False)
