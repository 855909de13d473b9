"""The log: commands, what was really sent, what came back, and alerts."""

from typing import ClassVar

import msgspec
from textual.binding import BindingType

from console import fmt
from console.actions import PANE, bindings
from console.link import Frame, LogLine
from console.panes.pane import Desk, TablePane
from console.times import TimeMode
from console.widgets.columns import Cell, Column

EMPTY = """What you command, what was sent for it and what the venue answered appears here."""

_KIND = {
    "command": (":", "accent"),
    "sent": ("→", "muted"),
    "answer": ("←", "muted"),
    "reply": ("=", "accent"),
    "event": ("·", "muted"),
    "alert": ("!", "warn"),
}
_SEVERITY_INK = {"warning": "warn", "error": "alarm"}


class LogPane(TablePane[LogLine]):
    """Pane 7."""

    NAME = "log"
    TITLE_OF_ROW = "log line"
    time_mode = TimeMode.UTC
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("log", PANE)]

    def __init__(self, desk: Desk) -> None:
        super().__init__(
            desk, self._columns(), empty=EMPTY, follow=True, max_rows=5_000, order_by=lambda row: row.ts_ns
        )
        self._seen = 0
        self._alerts = 0

    def _columns(self) -> list[Column[LogLine]]:
        return [
            self.time_column(lambda row: row.ts_ns, key="time", millis=True, sort=None, anchor=True),
            Column(key="kind", label="", width=1, cell=lambda row: Cell(*_KIND.get(row.kind, (" ", "")))),
            Column(key="venue", label="venue", width=11, priority=2, cell=lambda row: Cell(row.venue, "muted")),
            Column(key="text", label="what", width=30, grow=1, widest=400,
                   cell=lambda row: Cell(row.text, _ink(row))),
        ]  # fmt: skip

    def feed(self, frame: Frame) -> None:
        """Take the lines of a frame."""
        self.add(frame.log)

    def add(self, lines: list[LogLine]) -> None:
        """Write lines at the end, each on one line of its own."""
        first = self._seen
        self._seen += len(lines)
        self._alerts += sum(line.severity == "error" for line in lines)
        self.put(
            (
                str(number),
                msgspec.structs.replace(line, text=" ".join(line.text.split())) if "\n" in line.text else line,
            )
            for number, line in enumerate(lines, first)
        )

    def counters(self) -> tuple[str, str]:
        """Errors so far."""
        return (fmt.count(self._alerts, "error"), "alarm") if self._alerts else ("", "")


def _ink(row: LogLine) -> str:
    if row.severity in _SEVERITY_INK:
        return _SEVERITY_INK[row.severity]
    return "" if row.kind in {"command", "reply", "answer"} else "muted"
