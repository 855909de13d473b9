"""Cells that have just changed, marked for a few frames with the direction of the change. Pure."""

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from console.widgets.columns import Column

Row = TypeVar("Row")

FRAMES = 3
"""For how many frames a changed cell stays marked: no fade, as each step of one would be a frame."""


class Flashes(Generic[Row]):
    """The marked cells, by row and column."""

    def __init__(self) -> None:
        self._frame = 0
        self._marks: dict[tuple[str, str], tuple[str, int]] = {}

    def note(self, columns: Iterable[Column[Row]], key: str, before: Row, after: Row) -> None:
        """Mark the cells of a row whose value has risen or fallen."""
        for column in columns:
            if column.flash is None:
                continue
            old: Any = column.flash(before)
            new: Any = column.flash(after)
            if old is not None and new is not None and old != new:
                self._marks[key, column.key] = ("flash-up" if new > old else "flash-down", self._frame + FRAMES)

    def ink(self, key: str, column_key: str) -> str:
        """The ink of a marked cell; empty for any other."""
        mark = self._marks.get((key, column_key))
        return mark[0] if mark else ""

    def next_frame(self) -> set[str]:
        """Go on by a frame; returns the keys of the rows with a mark that ended."""
        self._frame += 1
        ended = [place for place, (_, until) in self._marks.items() if until < self._frame]
        for place in ended:
            del self._marks[place]
        return {key for key, _ in ended}
