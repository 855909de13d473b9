"""The place where the engine's thread leaves frames and the screen's thread takes them. Never blocks, never grows."""

import threading
from collections import deque
from typing import Any

from console.link import Frame, Key

RING = 5_000
"""Lines of a log that wait for the screen; older ones fall out and are counted."""

KEYED = (
    "orders", "hedges", "books", "positions", "exposures", "money", "ladders", "venues", "contracts", "handlers",
)  # fmt: skip
"""The tables of a frame whose rows replace each other by key."""

LOGS = ("deltas", "trades", "fills", "log")
"""The tables of a frame that are logs: every line counts, the oldest fall out."""


class Mailbox:
    """Merges what is put until it is taken: the newest row of each key, the newest header, the last lines of the logs.

    ``dropped`` counts log lines that fell out.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._lock = threading.Lock()
        self._rows: dict[str, dict[Key, object]] = {table: {} for table in KEYED}
        self._gone: dict[str, dict[Key, None]] = {}
        self._logs: dict[str, deque[Any]] = {log: deque() for log in LOGS}
        self._header = None
        self._merged = 0

    def put(self, frame: Frame) -> None:
        """Leave a frame. Called on the engine's thread."""
        with self._lock:
            self._merged += 1
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
            for log, ring in self._logs.items():
                self._extend(ring, getattr(frame, log))

    def _extend(self, ring: deque[Any], lines: list[Any]) -> None:
        ring.extend(lines)
        while len(ring) > RING:
            ring.popleft()
            self.dropped += 1

    def take(self) -> Frame | None:
        """All that was left since the last call as one frame, or None. Called on the screen's thread."""
        with self._lock:
            if not self._merged:
                return None
            rows = {table: list(held.values()) for table, held in self._rows.items()}
            lines = {log: list(ring) for log, ring in self._logs.items()}
            gone = {table: list(keys) for table, keys in self._gone.items()}
            frame = Frame(header=self._header, gone=gone, merged=self._merged, **rows, **lines)
            for held in self._rows.values():
                held.clear()
            self._gone.clear()
            for ring in self._logs.values():
                ring.clear()
            self._header = None
            self._merged = 0
            return frame
