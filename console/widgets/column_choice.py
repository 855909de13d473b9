"""Which columns of a table are shown: those the operator chose, and by the screen those that do not fit. Pure."""

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

import msgspec

from console.widgets.columns import Column, Shown, fit_columns

Row = TypeVar("Row")


class ColumnChoice(msgspec.Struct, frozen=True):
    """The order of a table's columns by key, and those that are off. Columns that it does not name come last, on."""

    order: tuple[str, ...] = ()
    off: frozenset[str] = frozenset()

    def of(self, columns: Iterable[Column[Row]]) -> list[Column[Row]]:
        """The columns that are on, in their order; all of them where every one is off."""
        places = {key: place for place, key in enumerate(self.order)}
        every = sorted(columns, key=lambda column: places.get(column.key, len(places)))
        return [column for column in every if column.key not in self.off] or every


class Pages(Generic[Row]):
    """The screens of columns for a width: first what fits by importance, then the others beside the anchors."""

    def __init__(self, columns: Sequence[Column[Row]], width: int) -> None:
        anchors = [column for column in columns if column.anchor] or list(columns[:1])
        self.pages = [fit_columns(_kept(columns, anchors), width)]
        shown = {column.key for column in self.pages[0].columns}
        rest = [column for column in columns if column.key not in shown]
        while rest:
            page = [*anchors, rest.pop(0)]
            while rest and _room(page, rest[0]) <= width:
                page.append(rest.pop(0))
            self.pages.append(fit_columns(_kept([column for column in columns if column in page], page), width))

    def __len__(self) -> int:
        return len(self.pages)

    def page(self, number: int) -> Shown[Row]:
        """One of them, counted from 0 and round again."""
        return self.pages[number % len(self.pages)]


def _kept(columns: Iterable[Column[Row]], always: Sequence[Column[Row]]) -> list[Column[Row]]:
    """The columns, some of which are never left out."""
    return [msgspec.structs.replace(column, priority=0) if column in always else column for column in columns]


def _room(page: Sequence[Column[Row]], more: Column[Row]) -> int:
    return sum(column.width for column in (*page, more)) + len(page)
