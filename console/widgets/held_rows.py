"""Changes held back while a table is frozen, to be made all at once when it is not. Pure."""

from collections.abc import Iterable
from typing import Generic, TypeVar

Row = TypeVar("Row")


class HeldRows(Generic[Row]):
    """The last change of each row, in the order of those changes. ``most`` bounds them: the oldest are forgotten.

    With ``most`` twice what the table holds, a change forgotten is of a row that falls out of the table anyway.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._changes: dict[str, Row | None] = {}

    def __len__(self) -> int:
        return len(self._changes)

    def put(self, rows: Iterable[tuple[str, Row]]) -> None:
        """Hold rows back."""
        for key, row in rows:
            self._hold(key, row)

    def drop(self, keys: Iterable[str]) -> None:
        """Hold it back that rows go."""
        for key in keys:
            self._hold(key, None)

    def _hold(self, key: str, row: Row | None) -> None:
        self._changes.pop(key, None)
        self._changes[key] = row
        if len(self._changes) > self._most:
            del self._changes[next(iter(self._changes))]

    def newest(self, key: str) -> Row | None:
        """The row that is held back for a key, None for none."""
        return self._changes.get(key)

    @property
    def rows(self) -> list[tuple[str, Row]]:
        """The rows to put, the oldest change first."""
        return [(key, row) for key, row in self._changes.items() if row is not None]

    @property
    def gone(self) -> list[str]:
        """The keys to drop."""
        return [key for key, row in self._changes.items() if row is None]
