"""The hedge book: for each maker and leg, what is to be hedged, what is, what is under way, and what was captured."""

from decimal import Decimal
from typing import ClassVar

from textual.binding import BindingType

from console import fmt
from console.actions import PANE, bindings
from console.link import Frame, HedgeRow
from console.panes import cells
from console.panes.book_acts import BookActs
from console.panes.pane import Desk, TablePane
from console.widgets.columns import Cell, Column
from gateways.standards import OrderStatus

EMPTY = """No hedge yet.

Every fill of a maker order with hedge legs appears here, leg by leg:
   target = hedged + in flight + waiting + netted + forfeited"""


class HedgesPane(TablePane[HedgeRow], BookActs):
    """Pane 3."""

    NAME = "hedges"
    TITLE_OF_ROW = "hedge leg"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("hedges", PANE)]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, self._columns(), empty=EMPTY, newest_first=True, max_rows=2_000)

    def _columns(self) -> list[Column[HedgeRow]]:
        def points(value: Decimal | None) -> str:
            return fmt.rounded(value, 0 if value is not None and abs(value) >= 100 else 1, sign=True)

        def basis(row: HedgeRow) -> Cell:
            return cells.gain(row.basis_bps, points(row.basis_bps))

        def slippage(row: HedgeRow) -> Cell:
            cost = None if row.slippage_bps is None else -row.slippage_bps
            return cells.gain(cost, points(row.slippage_bps))

        def age(row: HedgeRow) -> Cell:
            ink = "bold alarm" if row.unknown else "warn" if row.waiting else "accent"
            return cells.age(self.now_ns, row.ts_unhedged_ns, ink=ink)

        return [
            Column(key="maker", label="maker", width=6, cell=lambda row: Cell(fmt.short_id(row.maker), "muted")),
            Column(key="on", label="maker contract", width=15, priority=8, grow=1, widest=20,
                   cell=lambda row: cells.contract(row.maker_venue, row.maker_ticker, "muted")),
            Column(key="filled", label="filled", width=9, right=True, priority=8,
                   flash=lambda row: abs(row.maker_filled),
                   cell=lambda row: cells.signed(row.maker_filled, self.mirror.lot(row.maker_venue, row.maker_ticker))),
            Column(key="leg", label="→ hedge leg", width=17, grow=1, widest=22,
                   sort=lambda row: (row.venue, row.ticker),
                   cell=lambda row: Cell(f"→ {fmt.contract(row.venue, row.ticker)}")),
            Column(key="ratio", label="ratio", width=5, right=True, priority=9,
                   cell=lambda row: Cell(f"x{fmt.number(abs(row.ratio))}", "faint" if abs(row.ratio) == 1 else "",
                                         dim_zeros=False)),
            Column(key="target", label="target", width=9, right=True, sort=lambda row: abs(row.target),
                   cell=lambda row: cells.signed(row.target, self.lot_of(row))),
            Column(key="hedged", label="hedged", width=9, right=True, flash=lambda row: abs(row.hedged),
                   cell=lambda row: cells.signed(row.hedged, self.lot_of(row))),
            Column(key="flight", label="flight", width=8, right=True, priority=2, grow=1, widest=10,
                   cell=lambda row: cells.signed(row.in_flight, self.lot_of(row),
                                                 "bold alarm" if row.unknown else "accent")),
            Column(key="unknown", label="unknown", width=9, right=True, priority=9,
                   cell=lambda row: cells.signed(row.unknown, self.lot_of(row), "bold alarm")),
            Column(key="waiting", label="waiting", width=8, right=True, priority=0, grow=1, widest=10,
                   sort=lambda row: abs(row.waiting),
                   cell=lambda row: cells.signed(row.waiting, self.lot_of(row), "warn")),
            Column(key="age", label="age", width=5, right=True, priority=4, ticking=True,
                   sort=lambda row: row.ts_unhedged_ns or None, cell=age),
            Column(key="netted", label="netted", width=8, right=True, priority=10,
                   cell=lambda row: cells.signed(row.netted, self.lot_of(row), "muted")),
            Column(key="sold", label="maker avg", width=10, right=True, priority=6,
                   cell=lambda row: Cell(fmt.average(row.maker_average,
                                                     self.mirror.tick(row.maker_venue, row.maker_ticker)), "muted")),
            Column(key="bought", label="hedge avg", width=10, right=True, priority=6,
                   cell=lambda row: Cell(fmt.average(row.hedge_average, self.tick_of(row)), "muted")),
            Column(key="basis", label="basis", width=5, right=True, priority=3, cell=basis,
                   sort=lambda row: row.basis_bps),
            Column(key="slippage", label="slip", width=5, right=True, priority=5, cell=slippage,
                   sort=lambda row: row.slippage_bps),
            Column(key="state", label="state", width=9, priority=1, cell=lambda row: cells.hedge_state(row.state),
                   sort=lambda row: row.state),
            Column(key="waits", label="why it waits", width=14, priority=7, grow=4, widest=60,
                   cell=lambda row: Cell(row.waits, "warn")),
            Column(key="policy", label="policy", width=10, priority=11, grow=1, widest=16,
                   cell=lambda row: Cell(row.policy, "muted")),
        ]  # fmt: skip

    def feed(self, frame: Frame) -> None:
        """Take the hedge rows of a frame: not those of makers that ended before anything of them filled."""
        self.put((row.key, row) for row in frame.hedges if not _came_to_nothing(row))
        self.drop(row.key for row in frame.hedges if _came_to_nothing(row))
        self.drop(frame.gone.get("hedges", ()))

    def counters(self) -> tuple[str, str]:
        """Legs not settled, and those that need the operator."""
        states = [row.state for row in self.rows.values()]
        if not states:
            return "", ""
        stuck = sum(state in {"hold", "unknown", "paused"} for state in states)
        moving = sum(state in {"hedging", "waiting"} for state in states)
        if stuck:
            return f"{fmt.count(stuck, 'leg needs', 'legs need')} you", "alarm"
        return f"{fmt.count(len(states), 'leg')} · {moving} moving" if moving else fmt.count(
            len(states), "leg"
        ), "muted"


def _came_to_nothing(row: HedgeRow) -> bool:
    ended = row.maker_status in {status.value for status in OrderStatus if status.terminal}
    return ended and row.state == "idle" and not (row.maker_filled or row.target)
