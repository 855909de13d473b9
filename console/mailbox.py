"""The place where the engine's thread leaves frames and the screen's thread takes them. Never blocks, never grows."""

import threading
from collections import deque

from console.link import DeltaRow, Frame, Key, LogLine

RING = 5_000
"""Lines of a log that wait for the screen; older ones fall out and are counted."""

KEYED = (
    "orders", "hedges", "books", "positions", "exposures", "money", "ladders", "venues", "contracts",
)  # fmt: skip
"""The tables of a frame whose rows replace each other by key."""


class Mailbox:
    """Merges what is put until it is taken: the newest row of each key, the newest header, the last lines of the logs.

    ``dropped`` counts log lines that fell out.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._lock = threading.Lock()
        self._rows: dict[str, dict[Key, object]] = {table: {} for table in KEYED}
        self._gone: dict[str, dict[Key, None]] = {}
        self._deltas: deque[DeltaRow] = deque()
        self._log: deque[LogLine] = deque()
        self._header = None
        self._empty = True

    def put(self, frame: Frame) -> None:
        """Leave a frame. Called on the engine's thread."""
        with self._lock:
            self._empty = False
            self._header = frame.header or self._header
            for table in KEYED:
                rows = getattr(frame, table)
                held = self._rows[table]
                for row in rows:
                    held[row.key] = row
                    self._gone.get(table, {}).pop(row.key, None)
            for table, keys in frame.gone.items():
                for key in keys:
                    self._rows[table].pop(key, None)
                    self._gone.setdefault(table, {})[key] = None
            self._ring(self._deltas, frame.deltas)
            self._ring(self._log, frame.log)

    def _ring(self, ring: "deque[DeltaRow] | deque[LogLine]", lines: list) -> None:  # type: ignore[type-arg]
        ring.extend(lines)
        while len(ring) > RING:
            ring.popleft()
            self.dropped += 1

    def take(self) -> Frame | None:
        """All that was left since the last call as one frame, or None. Called on the screen's thread."""
        with self._lock:
            if self._empty:
                return None
            rows = {table: list(held.values()) for table, held in self._rows.items()}
            frame = Frame(
                header=self._header, deltas=list(self._deltas), log=list(self._log),
                gone={table: list(keys) for table, keys in self._gone.items()}, **rows,
            )  # fmt: skip
            for held in self._rows.values():
                held.clear()
            self._gone.clear()
            self._deltas.clear()
            self._log.clear()
            self._header = None
            self._empty = True
            return frame
