"""A live table as its reader wants it: filtered, frozen, marked in ranges, with the columns that were chosen."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from console.widgets.column_choice import ColumnChoice, Pages
from console.widgets.columns import Column, Shown
from console.widgets.held_rows import HeldRows
from console.widgets.live_table import LiveTable

Row = TypeVar("Row")


class ViewedTable(LiveTable[Row], Generic[Row]):
    """A live table whose reader chooses what stands in it: nothing is known, or done, otherwise for that."""

    def __init__(self, columns: Iterable[Column[Row]], **options: Any) -> None:
        super().__init__(columns, **options)
        self.choice = ColumnChoice()
        self.column_page = 0
        self._pages: Pages[Row] = Pages(self.columns, 0)
        self._held: HeldRows[Row] | None = None
        self._range_from: str | None = None

    # ------------------------------------------------------------ rows

    def put(self, rows: Iterable[tuple[str, Row]]) -> None:
        """Add rows, or replace those with the same key; while the table is frozen they are held back."""
        if self._held is not None:
            self._held.put(rows)
        else:
            super().put(rows)

    def drop(self, keys: Iterable[str]) -> None:
        """Take rows away; while the table is frozen they stay."""
        if self._held is not None:
            self._held.drop(keys)
        else:
            super().drop(keys)

    def tick(self) -> None:
        """Draw the rows again where a column shows the passing of time, which stands still while frozen."""
        if self._held is None:
            super().tick()

    @property
    def frozen(self) -> bool:
        """Whether the rows are held as they were."""
        return self._held is not None

    @property
    def held(self) -> int:
        """How many rows have changed since the table was frozen."""
        return 0 if self._held is None else len(self._held)

    def freeze(self) -> None:
        """Hold the rows as they are."""
        if self._held is None:
            self._held = HeldRows(2 * self.content.max_rows)

    def thaw(self) -> None:
        """Make all changes that were held back."""
        held, self._held = self._held, None
        if held is not None:
            self.drop(held.gone)
            self.put(held.rows)
            self.flush()

    def newest(self, key: str) -> Row | None:
        """The row of a key as it is known, though the table may be frozen."""
        held = None if self._held is None else self._held.newest(key)
        return self.rows.get(key) if held is None else held

    # ------------------------------------------------------------ filter and marks

    def show_only(self, passes: Callable[[Row], bool] | None) -> None:
        """Show only the rows that pass; None shows all. The cursor stays on its row where that is still shown."""
        line = self.cursor_line
        self.content.filter(passes)
        self._forget_marks()
        self._resize_content()
        if self.cursor_key not in self.content.place:
            order = self.content.order
            self._set_cursor(order[min(line, len(order) - 1)] if order else None)
        self._keep_in_sight()
        self.refresh()

    def _set_cursor(self, key: str | None) -> None:
        self.content.pin(key)
        super()._set_cursor(key)

    def _restructure(self) -> None:
        super()._restructure()
        self._forget_marks()

    def _forget_marks(self) -> None:
        self.marked.intersection_update(self.content.place)

    def mark(self) -> None:
        """Mark the row under the cursor, or take its mark away, and go on to the next."""
        if self.cursor_key is not None:
            self._range_from = self.cursor_key
            self.marked.symmetric_difference_update({self.cursor_key})
            self._repaint([self.cursor_key])
            self.action_move(1)

    def unmark(self) -> None:
        """Take all marks away."""
        marked, self.marked = self.marked, set()
        self._repaint(marked)

    def mark_range(self) -> int:
        """Mark every row from the one last marked (the top, where none is) to the cursor; returns how many are."""
        place = self.content.place
        start = place.get(self._range_from, 0) if self._range_from in self.marked else 0
        first, last = sorted((start, self.cursor_line))
        between = self.content.order[first : last + 1]
        self.marked.update(between)
        self._repaint(between)
        self._range_from = self.cursor_key
        return len(self.marked)

    @property
    def marked_keys(self) -> list[str]:
        """The marked rows, in the order shown."""
        return [key for key in self.content.order if key in self.marked]

    # ------------------------------------------------------------ columns

    def _fit(self, width: int) -> Shown[Row]:
        self._pages = Pages(self.choice.of(self.columns), width)
        return self._pages.page(self.column_page)

    @property
    def column_pages(self) -> int:
        """How many screens the columns take at this width."""
        return len(self._pages)

    def next_columns(self) -> int:
        """Show the next screen of columns; returns which, counted from 0."""
        self.column_page = (self.column_page + 1) % len(self._pages)
        self.refit()
        return self.column_page

    def choose_columns(self, choice: ColumnChoice) -> None:
        """Show other columns, or in another order."""
        self.choice, self.column_page = choice, 0
        self.refit()

    def replace_columns(self, columns: Iterable[Column[Row]]) -> None:
        """Take columns of the same keys that are written otherwise."""
        self.columns = tuple(columns)
        self.refit()
