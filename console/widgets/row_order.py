"""The rows of a live table by key, and their order on screen. Pure: no widget, no painting."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from console.widgets.columns import Column

Row = TypeVar("Row")


class RowOrder(Generic[Row]):
    """Keyed rows in an order that changes only when rows come or go, or when a sort is asked for.

    ``max_rows`` bounds them: the oldest fall out. ``newest_first`` puts new rows on top. ``order_by`` sorts whenever
    rows come or go. Changes are collected by :meth:`put` and :meth:`drop` and take effect in :meth:`settle`.
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

    @property
    def restructured(self) -> bool:
        """Whether rows have come or gone since the last settling."""
        return bool(self._added or self._removed)

    def put(self, key: str, row: Row) -> Row | None:
        """Add a row or replace the one with the same key; returns the one replaced."""
        before = self.rows.get(key)
        if before is None:
            self._added.append(key)
            self._removed.discard(key)
        self.rows[key] = row
        self.dirty.add(key)
        return before

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
        added = [key for key in dict.fromkeys(self._added) if key in self.rows and key not in self.place]
        kept = [key for key in self.order if key in self.rows]
        self._added, self._removed = [], set()
        if self.order_by is not None and self._sort is None:
            self._arrange([*kept, *added])
        else:
            self._keep([*reversed(added), *kept] if self.newest_first else [*kept, *added])
        return removed

    def sort(self, column: Column[Row] | None, *, descending: bool) -> None:
        """Sort the present rows once by a column; None goes back to the order of arrival."""
        self._sort = None if column is None else column.sort
        self._descending = descending
        self._arrange(list(self.rows))

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
