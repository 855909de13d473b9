"""The venues' health: channels, ages, round trips, rate budgets; then that of the handlers and of the screen itself.

What is down is a letter and a word, not only a colour.
"""

from typing import ClassVar

import msgspec
from textual.binding import BindingType

from console import fmt
from console.actions import PANE, bindings
from console.link import Frame, HandlerRow, VenueRow
from console.panes import cells
from console.panes.pane import Desk, TablePane
from console.widgets.columns import Cell, Column


class ScreenRow(msgspec.Struct, frozen=True, kw_only=True):
    """How well the screen itself keeps up."""

    key: str = "screen"
    frame_p50_us: int
    """Of taking and feeding what the engine told, each tenth of a second."""
    frame_p99_us: int
    frame_late_us: int
    """The most that a frame came later than due."""
    backlog: int
    """Frames of the engine that waited for the last one of the screen."""
    coalesced: int
    """Intermediate states that were merged because the screen's handler was slow."""
    dropped: int
    """Lines of logs that fell out before the screen took them."""


Line = VenueRow | HandlerRow | ScreenRow

EMPTY = """No venue has reported yet."""

STALE_AFTER_NS = 20_000_000_000
"""An age from which a channel that says it is connected is shown as stale: a socket can be open and silent."""
SKEW_NS = 500_000_000
"""A difference of clocks from which it is a warning."""
LATE_US = 250_000
"""A lateness of the screen from which it is a warning."""
BACKLOG = 6
"""Frames waiting from which the screen is behind: the engine makes two for each of the screen's."""
LAG = 100
"""Deltas waiting from which a handler is behind."""


class VenuesPane(TablePane[Line]):  # type: ignore[type-var]  # a union of structs
    """Pane 8."""

    NAME = "venues"
    TITLE_OF_ROW = "venue"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("venues", PANE)]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, self._columns(), empty=EMPTY, order_by=_place)

    def _columns(self) -> list[Column[Line]]:
        def age(ts_ns: int) -> Cell:
            return cells.aged(self.now_ns, ts_ns, STALE_AFTER_NS)

        return [
            Column(key="venue", label="venue", width=11, cell=_name),
            Column(key="health", label="", width=6, cell=_light),
            Column(key="trip", label="ack p50/99", width=11, right=True, priority=1, cell=_trip),
            Column(key="hedge", label="hedge p50/99", width=12, right=True, priority=2, cell=_hedge),
            Column(key="channels", label="channels", width=11, priority=3, cell=_channels),
            Column(key="heard", label="book", width=5, right=True, ticking=True, priority=4,
                   cell=lambda row: age(row.ts_public_ns) if isinstance(row, VenueRow) else cells.BLANK),
            Column(key="own", label="own", width=5, right=True, ticking=True, priority=5,
                   cell=lambda row: cells.age(self.now_ns, row.ts_private_ns)
                   if isinstance(row, VenueRow) else cells.BLANK),
            Column(key="budget", label="rate budget", width=11, priority=6, grow=1, widest=24,
                   cell=lambda row: Cell(row.budget, "muted") if isinstance(row, VenueRow) else cells.BLANK),
            Column(key="clock", label="clock", width=7, right=True, priority=7, cell=_clock),
            Column(key="drops", label="recon", width=5, right=True, priority=8,
                   cell=lambda row: _counted(row.reconnects) if isinstance(row, VenueRow) else cells.BLANK),
            Column(key="failures", label="failed", width=6, right=True, priority=9,
                   cell=lambda row: cells.BLANK if isinstance(row, ScreenRow) else _counted(row.failures)),
            Column(key="dropped", label="drop", width=5, right=True, priority=10,
                   cell=lambda row: cells.BLANK if isinstance(row, HandlerRow) else _counted(row.dropped)),
            Column(key="switch", label="switch", width=6, right=True, ticking=True, priority=11,
                   cell=self._switch),
            Column(key="note", label="note", width=12, priority=12, grow=2, widest=60, cell=_note),
        ]  # fmt: skip

    def _switch(self, row: Line) -> Cell:
        """In how long the venue's dead man's switch acts if the desk falls silent."""
        if not isinstance(row, VenueRow):
            return cells.BLANK
        if not row.guarded_until_ns:
            return cells.NONE
        return Cell(fmt.span(row.guarded_until_ns - self.now_ns), "muted")

    def feed(self, frame: Frame) -> None:
        """Take the venues and handlers of a frame."""
        self.put((row.key, row) for row in frame.venues)
        self.drop(frame.gone.get("venues", ()))
        self.put((f"handler {row.key}", row) for row in frame.handlers)
        self.drop(f"handler {key}" for key in frame.gone.get("handlers", ()))

    def tick(self) -> None:
        """Draw ages again, and take the screen's own figures."""
        header = self.mirror.header
        if header is not None:
            figures = self.mirror.frame_times.figures()
            row = ScreenRow(
                frame_p50_us=figures.p50_us, frame_p99_us=figures.p99_us, frame_late_us=figures.late_us,
                backlog=self.mirror.merged, coalesced=header.coalesced, dropped=header.dropped,
            )  # fmt: skip
            self.put([("screen", row)])
        super().tick()

    def counters(self) -> tuple[str, str]:
        """How many are up, and which are not."""
        venues = [row for row in self.rows.values() if isinstance(row, VenueRow)]
        if not venues:
            return "", ""
        bad = [row.venue for row in venues if row.state != "up"]
        if bad:
            return f"{', '.join(bad)} not up", "alarm"
        late = [row for row in self.rows.values() if not isinstance(row, VenueRow) and _behind(row)]
        behind = ", ".join(row.name if isinstance(row, HandlerRow) else "screen" for row in late)
        return (f"{len(venues)} up · {behind} behind", "warn") if late else (f"{len(venues)} up", "muted")


def _place(row: Line) -> tuple[int, str]:
    match row:
        case VenueRow():
            return 0, row.venue
        case HandlerRow():
            return 1, row.key
        case ScreenRow():
            return 2, ""


def _behind(row: HandlerRow | ScreenRow) -> bool:
    if isinstance(row, HandlerRow):
        return row.lag >= LAG
    return row.backlog >= BACKLOG or row.frame_late_us >= LATE_US


def _name(row: Line) -> Cell:
    match row:
        case VenueRow():
            return Cell(row.venue)
        case HandlerRow():
            return Cell(f"· {row.name}", "muted")
        case ScreenRow():
            return Cell("· screen", "muted")


def _light(row: Line) -> Cell:
    if isinstance(row, VenueRow):
        return Cell({"up": "● up", "part": "◐ part", "DOWN": "○ DOWN"}[row.state],
                    {"up": "ok", "part": "warn", "DOWN": "bold alarm"}[row.state])  # fmt: skip
    return Cell("◐ late", "warn") if _behind(row) else Cell("● ok", "ok")


def _pair(p50: int | None, p99: int | None) -> Cell:
    return Cell(f"{fmt.micros(p50)}/{fmt.micros(p99)}", "faint" if p50 is None else "", dim_zeros=False)


def _trip(row: Line) -> Cell:
    match row:
        case VenueRow():
            return _pair(row.round_trip_p50_us, row.round_trip_p99_us)
        case HandlerRow():
            return Cell(f"{row.lag} wait", "warn" if _behind(row) else "muted")
        case ScreenRow():
            return _pair(row.frame_p50_us, row.frame_p99_us)


def _hedge(row: Line) -> Cell:
    match row:
        case VenueRow():
            return _pair(row.hedge_p50_us, row.hedge_p99_us)
        case HandlerRow():
            return Cell(f"{row.coalesced} merged", "muted" if row.coalesced else "faint")
        case ScreenRow():
            return Cell(f"late {fmt.micros(row.frame_late_us)}", "warn" if row.frame_late_us >= LATE_US else "muted")


def _channels(row: Line) -> Cell:
    """One letter each: Public (a dot where nobody asks for its data), User (private), Trade, REST."""
    match row:
        case VenueRow():
            lights = ((letter, "●" if good else "○") for letter, _, good in row.channels)
            text = " ".join(letter + ("·" if letter == "P" and row.public_idle else light) for letter, light in lights)
            return Cell(text, "muted" if row.state == "up" else "bold alarm")
        case HandlerRow():
            return cells.BLANK
        case ScreenRow():
            return Cell(fmt.count(row.backlog, "frame"), "warn" if row.backlog >= BACKLOG else "muted")


def _clock(row: Line) -> Cell:
    if not isinstance(row, VenueRow):
        return cells.BLANK
    offset = row.clock_offset_ns
    if offset is None:
        return cells.NONE
    text = f"{'+' if offset > 0 else '-' if offset < 0 else ''}{fmt.micros(abs(offset) // 1_000)}"
    return Cell(text, "warn" if abs(offset) >= SKEW_NS else "muted", dim_zeros=False)


def _counted(events: int) -> Cell:
    return Cell(str(events), "warn" if events else "faint")


def _note(row: Line) -> Cell:
    match row:
        case VenueRow():
            down = [name for _, name, good in row.channels if not good]
            return Cell(" · ".join([f"{' '.join(down)} DOWN"] * bool(down) + [row.note] * bool(row.note)), "warn")
        case HandlerRow():
            return Cell(row.last_error, "warn")
        case ScreenRow():
            return Cell(f"{row.coalesced} coalesced", "muted" if row.coalesced else "faint")
