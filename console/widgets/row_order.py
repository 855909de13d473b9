"""The rows of a live table by key, and their order on screen. Pure: no widget, no painting."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from console.widgets.columns import Column

Row = TypeVar("Row")


class RowOrder(Generic[Row]):
    """Keyed rows in an order that changes only when rows come or go, or when a sort is asked for.

    ``max_rows`` bounds them: the oldest fall out. ``newest_first`` puts new rows on top. ``order_by`` sorts whenever
    rows come or go. Changes are collected by :meth:`put` and :meth:`drop` and take effect in :meth:`settle`.

    A filter keeps rows out of the order, never out of ``rows``. The pinned row stays in the order though it no longer
    passes the filter: a key pressed for what is under the cursor must not meet the row that took its place.
    """

    def __init__(
        self,
        *,
        max_rows: int = 5_000,
        newest_first: bool = False,
        order_by: Callable[[Row], Any] | None = None,
    ) -> None:
        self.max_rows = max_rows
        self.newest_first = newest_first
        self.order_by = order_by
        self.rows: dict[str, Row] = {}
        self.order: list[str] = []
        self.place: dict[str, int] = {}
        self.dirty: set[str] = set()
        """Keys whose row was put since the last settling."""
        self._added: list[str] = []
        self._removed: set[str] = set()
        self._sort: Callable[[Row], Any] | None = None
        self._descending = False
        self._passes: Callable[[Row], bool] | None = None
        self._hidden: set[str] = set()
        self._pinned: str | None = None
        self._refiltered = False

    @property
    def restructured(self) -> bool:
        """Whether rows have come, gone or begun or ceased to pass the filter since the last settling."""
        return bool(self._added or self._removed or self._refiltered)

    def put(self, key: str, row: Row) -> Row | None:
        """Add a row or replace the one with the same key; returns the one replaced."""
        before = self.rows.get(key)
        if before is None:
            self._added.append(key)
            self._removed.discard(key)
        self.rows[key] = row
        self.dirty.add(key)
        if self._passes is not None:
            self._judge(key, passes=self._passes(row))
        return before

    def _judge(self, key: str, *, passes: bool) -> None:
        if passes:
            self._hidden.discard(key)
            if key not in self.place:
                self._added.append(key)
        elif key not in self._hidden:
            self._hidden.add(key)
            self._refiltered = self._refiltered or (key in self.place and key != self._pinned)

    def drop(self, keys: Iterable[str]) -> None:
        """Take rows away; keys that are not there are ignored."""
        for key in keys:
            if self.rows.pop(key, None) is not None:
                self._removed.add(key)

    def settle(self) -> set[str]:
        """Bring the order up to date with what was put and dropped. Returns the keys that are no longer there."""
        if len(self.rows) > self.max_rows:
            self.drop(list(self.rows)[: len(self.rows) - self.max_rows])
        removed = self._removed
        place, stands = self.place, self._stands if self._hidden else self.rows.__contains__
        added = [key for key in dict.fromkeys(self._added) if key not in place and stands(key)]
        kept = [key for key in self.order if stands(key)] if removed or self._refiltered else self.order
        self._added, self._removed, self._refiltered = [], set(), False
        self._hidden -= removed
        if self.order_by is not None and self._sort is None:
            self._arrange([*kept, *added])
        else:
            self._keep([*reversed(added), *kept] if self.newest_first else [*kept, *added])
        return removed

    def _stands(self, key: str) -> bool:
        return key in self.rows and (key not in self._hidden or key == self._pinned)

    def filter(self, passes: Callable[[Row], bool] | None) -> None:
        """Show only the rows that pass, from now on; None shows all."""
        self._passes = passes
        self._hidden = set() if passes is None else {key for key, row in self.rows.items() if not passes(row)}
        self._pinned = None
        self._arrange([key for key in self.rows if self._stands(key)])

    def refilter(self) -> None:
        """Judge every row anew, as a filter that goes by the time must be. Seen at the next settling."""
        if self._passes is not None:
            for key, row in self.rows.items():
                self._judge(key, passes=self._passes(row))

    def pin(self, key: str | None) -> None:
        """Keep this row in the order whether it passes the filter or not; the one pinned before may go."""
        before, self._pinned = self._pinned, key
        if before != key and before in self._hidden and before in self.place:
            self._refiltered = True

    def sort(self, column: Column[Row] | None, *, descending: bool) -> None:
        """Sort the present rows once by a column; None goes back to the order of arrival."""
        self._sort = None if column is None else column.sort
        self._descending = descending
        self._arrange([key for key in self.rows if self._stands(key)])

    def _arrange(self, keys: list[str]) -> None:
        rows = self.rows
        if self._sort is not None:
            sort = self._sort
            present = [key for key in keys if sort(rows[key]) is not None]
            absent = [key for key in keys if sort(rows[key]) is None]
            self._keep(sorted(present, key=lambda key: sort(rows[key]), reverse=self._descending) + absent)
        elif self.order_by is not None:
            order_by = self.order_by
            self._keep(sorted(keys, key=lambda key: order_by(rows[key])))
        else:
            self._keep(keys[::-1] if self.newest_first else keys)

    def _keep(self, order: list[str]) -> None:
        self.order = order
        self.place = {key: place for place, key in enumerate(order)}
