"""The unhedged balance, per venue and ticker: how much, its value, its age, why it waits and what will release it."""

from typing import ClassVar

from textual.binding import BindingType

from console import fmt
from console.actions import PANE, bindings
from console.concern import Concern, concern, urgency
from console.link import BookRow, Frame
from console.panes import cells
from console.panes.book_acts import BookActs
from console.panes.pane import Desk, TablePane
from console.widgets.columns import Cell, Column

EMPTY = """● Nothing is unhedged.

What cannot be hedged yet waits here with its reason: under the lot or the
minimum, refused, on hold. It goes with the next hedge."""

_INK = {Concern.CALM: "", Concern.AMBER: "warn", Concern.RED: "bold alarm"}
_SYMBOL = {Concern.CALM: " ", Concern.AMBER: "!", Concern.RED: "‼"}


class UnhedgedPane(TablePane[BookRow], BookActs):
    """Pane 4."""

    NAME = "unhedged"
    TITLE_OF_ROW = "hedge book"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("unhedged", PANE)]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, self._columns(), empty=EMPTY, order_by=urgency)

    def _columns(self) -> list[Column[BookRow]]:
        def ink(row: BookRow) -> str:
            return _INK[self.concern(row)]

        return [
            Column(key="mark", label="", width=1, ticking=True,
                   cell=lambda row: Cell(_SYMBOL[self.concern(row)], ink(row))),
            Column(key="contract", label="contract", width=15, grow=1, widest=20,
                   sort=lambda row: (row.venue, row.ticker),
                   cell=lambda row: cells.contract(row.venue, row.ticker, ink(row))),
            Column(key="balance", label="unhedged", width=10, right=True, sort=lambda row: abs(row.balance),
                   flash=lambda row: abs(row.balance),
                   cell=lambda row: cells.signed(row.balance, self.lot_of(row), ink(row) or None)),
            Column(key="value", label="value", width=9, right=True, sort=lambda row: row.notional and abs(row.notional),
                   cell=lambda row: Cell(fmt.money(row.notional and abs(row.notional)),
                                         "faint" if row.notional is None else ink(row))),
            Column(key="age", label="age", width=5, right=True, ticking=True,
                   sort=lambda row: row.ts_waiting_ns or None,
                   cell=lambda row: cells.age(self.now_ns, row.ts_waiting_ns, ink=ink(row) or "muted")),
            Column(key="state", label="state", width=9, priority=3, cell=lambda row: cells.hedge_state(row.state)),
            Column(key="target", label="target", width=10, right=True, priority=6,
                   cell=lambda row: cells.signed(row.target, self.lot_of(row), "muted")),
            Column(key="hedged", label="hedged", width=10, right=True, priority=6,
                   cell=lambda row: cells.signed(row.hedged, self.lot_of(row), "muted")),
            Column(key="flight", label="in flight", width=9, right=True, priority=4,
                   cell=lambda row: cells.signed(row.in_flight, self.lot_of(row), "accent")),
            Column(key="unknown", label="unknown", width=9, right=True, priority=5,
                   cell=lambda row: cells.signed(row.unknown, self.lot_of(row), "bold alarm")),
            Column(key="waits", label="why it waits", width=20, priority=1, grow=3, widest=60,
                   cell=lambda row: Cell(row.waits or row.blocked, "muted")),
            Column(key="release", label="what releases it", width=20, priority=2, grow=3, widest=60,
                   cell=lambda row: Cell(row.released_by, "muted")),
        ]  # fmt: skip

    def feed(self, frame: Frame) -> None:
        """Take the books of a frame: those with something not hedged, and those that do not hedge."""
        for row in frame.books:
            if row.balance or row.in_flight or row.unknown or row.state != "active":
                self.put([(row.key, row)])
            else:
                self.drop([row.key])
        self.drop(frame.gone.get("books", ()))

    def concern(self, row: BookRow) -> Concern:
        """How much a book wants the operator's eye now."""
        return concern(row, self.now_ns, self.mirror.thresholds)

    def worst(self) -> Concern:
        """The greatest concern of all books."""
        return max((self.concern(row) for row in self.rows.values()), default=Concern.CALM)

    def counters(self) -> tuple[str, str]:
        """What waits in all, and how worrying it is."""
        header, worst = self.mirror.header, self.worst()
        if header is None:
            return "", ""
        waiting = sum(bool(row.balance) for row in self.rows.values())
        held = sum(row.state != "active" for row in self.rows.values())
        text = f"{fmt.money(header.waiting_notional)} in {fmt.count(waiting, 'book')}" if waiting else "nothing waits"
        if held:
            text += f" · {held} not hedging"
        return text, {Concern.CALM: "muted", Concern.AMBER: "warn", Concern.RED: "alarm"}[worst]

    def tick(self) -> None:
        """Draw ages and concern again."""
        super().tick()
        self.retitle()
