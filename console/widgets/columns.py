"""Columns of a live table, and which of them fit in a width. Pure."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

Row = TypeVar("Row")


class Cell(NamedTuple):
    """What a cell says and in which ink (``console.widgets.ink``)."""

    text: str
    ink: str = ""
    dim_zeros: bool = True
    """Whether zeros after a decimal point are dimmed, in a right-aligned column."""


class Column(msgspec.Struct, Generic[Row], frozen=True, kw_only=True):
    """One column. Digits do not move: its width is fixed, and only what is left over goes to columns that ``grow``."""

    key: str
    label: str
    width: int
    cell: Callable[[Row], Cell]
    right: bool = False
    priority: int = 0
    """0 is always shown; where the width is short, columns with the highest number go first."""
    grow: int = 0
    """Share of the width left over."""
    widest: int = 60
    """A growing column takes no more than this."""
    sort: Callable[[Row], Any] | None = None
    """What the column sorts by; None for a column that cannot be sorted by. A row for which it is None goes last."""
    flash: Callable[[Row], Any] | None = None
    """A value whose change makes the cell flash."""
    ticking: bool = False
    """The cell depends on the time and is drawn again every second."""
    anchor: bool = False
    """Stays in sight beside the columns that do not fit when those are shown; where none does, the first column."""


class Shown(NamedTuple, Generic[Row]):
    """The columns that fit, with their widths."""

    columns: tuple[Column[Row], ...]
    widths: tuple[int, ...]


def fit_columns(columns: Iterable[Column[Row]], width: int) -> Shown[Row]:
    """The columns that fit in ``width`` cells with a space between them, most important first, in their own order.

    A column is left out only if all more important ones are in, or do not fit either. What is left over is shared by
    the columns that grow.
    """
    every = list(columns)
    chosen: set[int] = set()
    used = -1
    for place, column in sorted(enumerate(every), key=lambda item: (item[1].priority, item[0])):
        if column.priority and used + column.width + 1 > width:
            break
        chosen.add(place)
        used += column.width + 1
    shown = [column for place, column in enumerate(every) if place in chosen]
    widths = [column.width for column in shown]
    spare = width - used
    growing = [place for place, column in enumerate(shown) if column.grow]
    while spare > 0 and growing:
        share = max(1, spare // sum(shown[place].grow for place in growing))
        for place in list(growing):
            room = shown[place].widest - widths[place]
            more = min(room, spare, share * shown[place].grow)
            widths[place] += more
            spare -= more
            if more == room:
                growing.remove(place)
    return Shown(tuple(shown), tuple(widths))
