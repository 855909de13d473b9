"""Balances and margin: the money on each venue, what of it is in use, and what it is worth with open results."""

from decimal import Decimal
from typing import ClassVar

from textual.binding import BindingType

from console import fmt
from console.actions import PANE, bindings
from console.link import Frame, MoneyRow
from console.panes import cells
from console.panes.pane import Desk, TablePane
from console.widgets.columns import Cell, Column
from gateways.standards import ZERO

EMPTY = """No venue has told its balances yet.

The wallet on each venue, what margin is in use of it and what is free
appear here as the venue states them."""

AMBER_USE = Decimal("0.6")
"""The share of the equity in use as margin from which it turns amber."""
RED_USE = Decimal("0.8")


def equity(row: MoneyRow) -> Decimal:
    """The wallet with the open results of the positions quoted in it, as far as they are known."""
    return row.total + (row.unrealised or ZERO)


def in_use(row: MoneyRow) -> Decimal | None:
    """What is held as margin: the equity less what is available; None where the venue does not say."""
    return None if row.available is None else max(ZERO, equity(row) - row.available)


def use(row: MoneyRow) -> Decimal | None:
    """The share of the equity that is in use; None where it is not known."""
    used, worth = in_use(row), equity(row)
    return None if used is None or worth <= 0 else used / worth


class BalancesPane(TablePane[MoneyRow]):
    """Pane 9."""

    NAME = "balances"
    TITLE_OF_ROW = "balance"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("balances", PANE)]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, self._columns(), empty=EMPTY, order_by=lambda row: (row.venue, row.asset))

    def _columns(self) -> list[Column[MoneyRow]]:
        def told(row: MoneyRow, cell: Cell) -> Cell:
            return cells.stale(cell) if row.available_lags else cell

        def share(row: MoneyRow) -> Cell:
            used = use(row)
            if used is None:
                return cells.NONE
            return told(row, Cell(fmt.percent(used, Decimal(1)), _INK[_level(used)]))

        return [
            Column(key="venue", label="venue", width=11, grow=1, widest=16, cell=lambda row: Cell(row.venue)),
            Column(key="asset", label="asset", width=6, cell=lambda row: Cell(row.asset, "bold")),
            Column(key="equity", label="equity", width=13, right=True, sort=equity,
                   cell=lambda row: Cell(fmt.money(equity(row)))),
            Column(key="wallet", label="wallet", width=13, right=True, priority=3, sort=lambda row: row.total,
                   flash=lambda row: row.total, cell=lambda row: Cell(fmt.money(row.total), "muted")),
            Column(key="result", label="unreal.", width=10, right=True, priority=4,
                   cell=lambda row: cells.gain(row.unrealised, fmt.money(row.unrealised, sign=True))),
            Column(key="free", label="free", width=13, right=True, priority=1, sort=lambda row: row.available,
                   cell=lambda row: told(row, Cell(fmt.money(row.available), "" if row.available else "faint"))),
            Column(key="used", label="in use", width=12, right=True, priority=2, sort=in_use,
                   cell=lambda row: told(row, Cell(fmt.money(in_use(row)), "faint" if not in_use(row) else ""))),
            Column(key="use", label="use", width=5, right=True, priority=1, sort=use, cell=share),
            Column(key="told", label="told", width=5, right=True, priority=5, ticking=True,
                   cell=lambda row: cells.age(self.now_ns, row.ts_ns)),
        ]  # fmt: skip

    def feed(self, frame: Frame) -> None:
        """Take the balances of a frame; what is zero leaves."""
        for row in frame.money:
            if row.total or row.available:
                self.put([(row.key, row)])
            else:
                self.drop([row.key])
        self.drop(frame.gone.get("money", ()))

    def counters(self) -> tuple[str, str]:
        """The equity over all venues, and the one whose margin is used the most."""
        if not self.rows:
            return "", ""
        worth = sum((equity(row) for row in self.rows.values()), ZERO)
        shares = {row.venue: share for row in self.rows.values() if (share := use(row)) is not None}
        text = f"equity {fmt.money(worth)}"
        if not shares:
            return text, "muted"
        venue = max(shares, key=lambda alias: shares[alias])
        return f"{text} · {venue} uses {fmt.percent(shares[venue], Decimal(1))}", _INK[_level(shares[venue])] or "muted"


_INK = ("", "warn", "alarm")


def _level(share: Decimal) -> int:
    return 2 if share >= RED_USE else 1 if share >= AMBER_USE else 0
