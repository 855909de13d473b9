"""Positions by base asset: the net exposure over all venues with what it earned, under it each contract's."""

from collections.abc import Iterable
from decimal import Decimal
from typing import ClassVar

import msgspec
from textual.binding import BindingType

from console import fmt
from console.actions import PANE, bindings
from console.link import ExposureRow, Frame, PositionRow
from console.panes import cells
from console.panes.pane import Desk, TablePane, Where
from console.screens.choices import Question, flatten_question
from console.widgets.columns import Cell, Column
from gateways.standards import ZERO


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """What all assets earned in this session, quote units taken as one money; None where a part is not known."""

    key: str = "session"
    notional: Decimal | None
    unrealised: Decimal | None
    realised: Decimal | None
    fees: Decimal | None
    funding: Decimal | None


Line = PositionRow | ExposureRow | SessionRow

EMPTY = """Every position is flat.

Net exposure by base asset over all venues appears here, with the position
in each contract under it. f flattens the one under the cursor, F a set."""

STALE_AFTER_NS = 20_000_000_000
"""An age from which a mark, and what is reckoned with it, is shown as stale."""


def profit(row: Line) -> Decimal | None:
    """What was earned in all: realised and unrealised, less fees, plus funding; None where a part is not known."""
    if row.unrealised is None or row.realised is None:
        return None
    return row.realised + row.unrealised - (row.fees or ZERO) + (row.funding or ZERO)


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
                case SessionRow():
                    return cells.BLANK

        def value(row: Line) -> Cell:
            cell = Cell(fmt.compact(row.notional, sign=True), "faint" if row.notional is None else "muted")
            return cells.stale(cell) if self.is_stale(row) else cell

        def price(row: Line, what: str) -> Cell:
            if not isinstance(row, PositionRow):
                return cells.BLANK
            if what == "mark":
                cell = cells.number(row.mark, self.tick_of(row), "muted")
                return cells.stale(cell) if self.is_stale(row) else cell
            return Cell(
                fmt.average(row.entry_price, self.tick_of(row)), "faint" if row.entry_price is None else "muted"
            )

        def money(result: Decimal | None, row: Line, *, marked: bool = False) -> Cell:
            cell = cells.gain(result, fmt.money(result, sign=True))
            return cells.stale(cell) if marked and self.is_stale(row) else cell

        def source(row: Line) -> Cell:
            if not isinstance(row, PositionRow) or not row.mark_source:
                return cells.BLANK
            age = cells.aged(self.now_ns, row.ts_mark_ns, STALE_AFTER_NS)
            return age._replace(text=f"{row.mark_source} {age.text}")

        return [
            Column(key="name", label="asset / contract", width=17, grow=1, widest=24, cell=_name),
            Column(key="amount", label="net", width=11, right=True, cell=amount,
                   flash=lambda row: row.amount if isinstance(row, PositionRow) else None),
            Column(key="profit", label="P&L", width=9, right=True, priority=1, ticking=True,
                   cell=lambda row: money(profit(row), row, marked=True)),
            Column(key="result", label="unreal.", width=9, right=True, priority=2, ticking=True,
                   cell=lambda row: money(row.unrealised, row, marked=True)),
            Column(key="value", label="value", width=8, right=True, priority=3, ticking=True, cell=value),
            Column(key="realised", label="realised", width=9, right=True, priority=4,
                   cell=lambda row: money(row.realised, row)),
            Column(key="fees", label="fees", width=8, right=True, priority=5,
                   cell=lambda row: money(None if row.fees is None else -row.fees, row)),
            Column(key="funding", label="funding", width=8, right=True, priority=6,
                   cell=lambda row: money(row.funding, row)),
            Column(key="mark", label="mark", width=10, right=True, priority=7, ticking=True,
                   cell=lambda row: price(row, "mark")),
            Column(key="source", label="from", width=9, priority=8, ticking=True, cell=source),
            Column(key="entry", label="entry", width=10, right=True, priority=9, cell=lambda row: price(row, "entry")),
            Column(key="legs", label="long / short", width=21, right=True, priority=10, cell=_legs),
        ]  # fmt: skip

    def is_stale(self, row: Line) -> bool:
        """Whether a position is valued at a price that is too old, or a sum has such a position in it."""
        if not isinstance(row, PositionRow):
            held = self.mirror.open_positions()
            return any(self.is_stale(each) for each in held if isinstance(row, SessionRow) or each.base == row.base)
        return bool(row.amount and row.ts_mark_ns) and self.now_ns - row.ts_mark_ns > STALE_AFTER_NS

    def feed(self, frame: Frame) -> None:
        """Take positions and exposures of a frame; what is flat and earned nothing leaves."""
        for position in frame.positions:
            self._take(f"p {position.key}", position, flat=not position.amount)
        for exposure in frame.exposures:
            flat = not (exposure.net or exposure.long or exposure.short)
            self._take(f"e {exposure.key}", exposure, flat=flat)
        for table, letter in (("positions", "p"), ("exposures", "e")):
            self.drop(f"{letter} {key}" for key in frame.gone.get(table, ()))
        if frame.exposures or frame.gone.get("exposures"):
            session = self._session()
            if session is None:
                self.drop(["session"])
            else:
                self.put([("session", session)])

    def _take(self, key: str, row: PositionRow | ExposureRow, *, flat: bool) -> None:
        if flat and not (row.realised or row.fees or row.funding):
            self.drop([key])
        else:
            self.put([(key, row)])

    def _session(self) -> SessionRow | None:
        exposures = [row for row in self.rows.values() if isinstance(row, ExposureRow)]
        if not exposures:
            return None
        return SessionRow(
            notional=_total(row.notional for row in exposures),
            unrealised=_total(row.unrealised for row in exposures),
            realised=_total(row.realised for row in exposures),
            fees=_total(row.fees for row in exposures),
            funding=_total(row.funding for row in exposures),
        )

    def counters(self) -> tuple[str, str]:
        """Open positions, the exposure that is not offset, and what the session earned."""
        held = len(self.mirror.open_positions())
        session = self.rows.get("session")
        earned = profit(session) if isinstance(session, SessionRow) else None
        result = ""
        if session is not None and earned is not None:
            result = f" · P&L {'~' if self.is_stale(session) else ''}{fmt.money(earned, sign=True)}"
        if not held:
            return f"flat{result}", "muted"
        net = [row for row in self.mirror.exposures.values() if row.net]
        known = [abs(row.notional) for row in net if row.notional is not None]
        text = fmt.count(held, "position")
        return f"{text} · net {fmt.compact(sum(known, start=ZERO))}{result}" if known else f"{text}{result}", "muted"

    def where(self) -> Where | None:
        """The contract under the cursor; none on the line of an asset or of the session."""
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


def _total(values: Iterable[Decimal | None]) -> Decimal | None:
    known = list(values)
    return None if None in known else sum((value for value in known if value is not None), ZERO)


def _place(row: Line) -> tuple[int, str, int, str]:
    match row:
        case ExposureRow():
            return 0, row.base, 0, ""
        case PositionRow():
            return 0, row.base, 1, row.venue
        case SessionRow():
            return 1, "", 0, ""


def _name(row: Line) -> Cell:
    match row:
        case ExposureRow():
            return Cell(row.base, "bold")
        case PositionRow():
            return Cell(f" {fmt.contract(row.venue, row.ticker)}", "" if row.amount else "faint")
        case SessionRow():
            return Cell("session", "bold")


def _legs(row: Line) -> Cell:
    if not isinstance(row, ExposureRow):
        return cells.BLANK
    text = f"{fmt.number(row.long, sign=True)} / {fmt.number(row.short, sign=True)}"
    return Cell(text, "muted", dim_zeros=False)
