"""The venues' health: channels, ages, round trips, rate budgets. What is down is a word, not only a colour."""

from typing import ClassVar

from textual.binding import BindingType

from console import fmt
from console.actions import PANE, bindings
from console.link import Frame, VenueRow
from console.panes import cells
from console.panes.pane import Desk, TablePane
from console.widgets.columns import Cell, Column

EMPTY = """No venue has reported yet."""

STALE_AFTER_NS = 20_000_000_000
"""An age from which a channel that says it is connected is shown as stale: a socket can be open and silent."""


def health(row: VenueRow) -> str:
    """``up``, ``part`` (some channel is down) or ``DOWN`` (none works)."""
    channels = (row.public, row.private, row.trade, row.rest)
    return "up" if all(channels) else "part" if any(channels) else "DOWN"


class VenuesPane(TablePane[VenueRow]):
    """Pane 8."""

    NAME = "venues"
    TITLE_OF_ROW = "venue"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("venues", PANE)]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, self._columns(), empty=EMPTY, order_by=lambda row: row.venue)

    def _columns(self) -> list[Column[VenueRow]]:
        def pair(p50: int | None, p99: int | None) -> Cell:
            return Cell(f"{fmt.micros(p50)}/{fmt.micros(p99)}", "faint" if p50 is None else "", dim_zeros=False)

        def age(ts_ns: int) -> Cell:
            if ts_ns and self.now_ns - ts_ns > STALE_AFTER_NS:
                return Cell(f"~{fmt.age(self.now_ns, ts_ns)}", "stale")
            return cells.age(self.now_ns, ts_ns)

        return [
            Column(key="venue", label="venue", width=11, cell=lambda row: Cell(row.venue)),
            Column(key="health", label="", width=6, cell=_light),
            Column(key="channels", label="channels", width=9, priority=3, grow=1, widest=30, cell=_channels),
            Column(key="trip", label="ack p50/99", width=11, right=True, priority=1,
                   cell=lambda row: pair(row.round_trip_p50_us, row.round_trip_p99_us)),
            Column(key="hedge", label="hedge p50/99", width=12, right=True, priority=2,
                   cell=lambda row: pair(row.hedge_p50_us, row.hedge_p99_us)),
            Column(key="heard", label="book", width=5, right=True, ticking=True, priority=4,
                   cell=lambda row: age(row.ts_public_ns)),
            Column(key="own", label="own", width=5, right=True, ticking=True, priority=5,
                   cell=lambda row: cells.age(self.now_ns, row.ts_private_ns)),
            Column(key="drops", label="recon", width=5, right=True, priority=6,
                   cell=lambda row: Cell(str(row.reconnects), "warn" if row.reconnects else "faint")),
            Column(key="budget", label="budget", width=9, priority=5, grow=1, widest=20,
                   cell=lambda row: Cell(row.budget, "muted")),
            Column(key="dropped", label="drop", width=5, right=True, priority=7,
                   cell=lambda row: Cell(str(row.dropped), "warn" if row.dropped else "faint")),
            Column(key="note", label="note", width=12, priority=8, grow=2, widest=60,
                   cell=lambda row: Cell(row.note, "warn")),
        ]  # fmt: skip

    def feed(self, frame: Frame) -> None:
        """Take the venues of a frame."""
        self.put((row.key, row) for row in frame.venues)
        self.drop(frame.gone.get("venues", ()))

    def counters(self) -> tuple[str, str]:
        """How many are up, and which are not."""
        if not self.rows:
            return "", ""
        bad = [row.venue for row in self.rows.values() if health(row) != "up"]
        return (f"{', '.join(bad)} not up", "alarm") if bad else (f"{len(self.rows)} up", "muted")


def _light(row: VenueRow) -> Cell:
    state = health(row)
    return Cell({"up": "● up", "part": "◐ part", "DOWN": "○ DOWN"}[state],
                {"up": "ok", "part": "warn", "DOWN": "bold alarm"}[state])  # fmt: skip


def _channels(row: VenueRow) -> Cell:
    named = {"public": row.public, "private": row.private, "trade": row.trade, "rest": row.rest}
    down = [name for name, up in named.items() if not up]
    return Cell(f"{' '.join(down)} DOWN", "bold alarm") if down else Cell("all ok", "muted")
