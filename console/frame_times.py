"""How long the screen's own frames take and how late they come: the console's honesty about itself. No clock."""

from collections import deque

import msgspec

KEPT = 300
"""Frames that the figures are of: half a minute."""


class FrameFigures(msgspec.Struct, frozen=True):
    """Of the last frames, microseconds by nearest rank; zero before the first."""

    p50_us: int = 0
    p99_us: int = 0
    late_us: int = 0
    """The most that one came later than due: what painting and all else on the screen's loop took."""


class FrameTimes:
    """The last frames' times."""

    def __init__(self) -> None:
        self._took: deque[int] = deque(maxlen=KEPT)
        self._late: deque[int] = deque(maxlen=KEPT)

    def add(self, took_ns: int, late_ns: int) -> None:
        """Count a frame: how long it took to feed and flush, and by how much it came later than due."""
        self._took.append(took_ns)
        self._late.append(max(0, late_ns))

    def figures(self) -> FrameFigures:
        """The figures now."""
        ranked = sorted(self._took)
        if not ranked:
            return FrameFigures()
        p50, p99 = (ranked[(len(ranked) * percent + 99) // 100 - 1] // 1_000 for percent in (50, 99))
        return FrameFigures(p50, p99, max(self._late) // 1_000)
