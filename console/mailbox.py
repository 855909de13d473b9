"""Where frames wait for somebody slower than the engine. Never blocks, never grows: what is newer replaces what is old.

The embedded engine leaves them for the screen's thread, a served engine for the socket of each console, and that
console's own thread again for its screen.
"""

import threading
from collections import deque
from itertools import islice
from typing import Any

import msgspec

from console.link import Frame, Header, Key

RING = 5_000
"""Lines of a log that wait; older ones fall out and are counted."""

KEYED = (
    "orders", "hedges", "books", "positions", "exposures", "money", "ladders", "venues", "contracts", "handlers",
)  # fmt: skip
"""The tables of a frame whose rows replace each other by key."""

LOGS = ("deltas", "trades", "fills", "log")
"""The tables of a frame that are logs: every line counts, the oldest fall out."""


def rows_in(frame: Frame) -> int:
    """How many rows and lines a frame holds."""
    return sum(len(getattr(frame, table)) for table in (*KEYED, *LOGS))


class Mailbox:
    """Merges what is put until it is taken: the newest row of each key, the newest header, the last lines of the logs.

    ``dropped`` counts log lines that fell out, which the header of what is taken tells too; ``replaced`` counts rows
    that a newer one replaced before they were taken.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self.replaced = 0
        self._lock = threading.Lock()
        self._only: Frame | None = None
        """A frame that waits alone is kept, and given, as it is."""
        self._rows: dict[str, dict[Key, Any]] = {table: {} for table in KEYED}
        self._gone: dict[str, dict[Key, None]] = {}
        self._logs: dict[str, deque[Any]] = {log: deque() for log in LOGS}
        self._header: Header | None = None
        self._merged = 0

    def put(self, frame: Frame) -> None:
        """Leave a frame, which nobody may change from then on."""
        with self._lock:
            alone = not self._merged and all(len(getattr(frame, log)) <= RING for log in LOGS)
            self._merged += frame.merged
            if alone:
                self._only = frame
                return
            self._open()
            self._merge(frame)

    def take(self, most: int | None = None) -> Frame | None:
        """What was left since the last call as one frame, of at most so many rows and lines; None for nothing.

        A frame that was cut short is followed by the rest with the next call.
        """
        with self._lock:
            if self._only is not None and (most is None or rows_in(self._only) <= most):
                frame, self._only, self._merged = self._only, None, 0
                header = self._stamped(frame.header)
                return frame if header is frame.header else msgspec.structs.replace(frame, header=header)
            if not self._merged:
                return None
            self._open()
            return self._cut(most)

    @property
    def waiting(self) -> int:
        """How many rows and lines wait."""
        with self._lock:
            if self._only is not None:
                return rows_in(self._only)
            return sum(map(len, self._rows.values())) + sum(map(len, self._logs.values()))

    def _open(self) -> None:
        """Put a frame that waited alone where others can be merged with it."""
        if self._only is not None:
            frame, self._only = self._only, None
            self._merge(frame)

    def _merge(self, frame: Frame) -> None:
        self._header = frame.header or self._header
        for table in KEYED:
            rows = getattr(frame, table)
            held, gone = self._rows[table], self._gone.get(table)
            before = len(held)
            for row in rows:
                held[row.key] = row
                if gone is not None:
                    gone.pop(row.key, None)
            self.replaced += len(rows) - (len(held) - before)
        for table, keys in frame.gone.items():
            for key in keys:
                self._rows[table].pop(key, None)
                self._gone.setdefault(table, {})[key] = None
        for log, ring in self._logs.items():
            ring.extend(getattr(frame, log))
            while len(ring) > RING:
                ring.popleft()
                self.dropped += 1

    def _cut(self, most: int | None) -> Frame:
        frame = Frame(
            header=self._stamped(self._header), merged=self._merged,
            gone={table: list(keys) for table, keys in self._gone.items() if keys},
        )  # fmt: skip
        self._header = None
        self._gone.clear()
        room = most
        for table, held in self._rows.items():
            if room is None or len(held) <= room:
                setattr(frame, table, list(held.values()))
                held.clear()
            else:
                setattr(frame, table, [held.pop(key) for key in list(islice(held, room))])
            room = None if room is None else room - len(getattr(frame, table))
        for log, ring in self._logs.items():
            setattr(frame, log, [ring.popleft() for _ in range(len(ring) if room is None else min(room, len(ring)))])
            room = None if room is None else room - len(getattr(frame, log))
        self._merged = 0 if room is None or not self._left else 1
        return frame

    @property
    def _left(self) -> bool:
        return any(self._rows.values()) or any(self._logs.values())

    def _stamped(self, header: Header | None) -> Header | None:
        if header is None or not self.dropped:
            return header
        return msgspec.structs.replace(header, dropped=header.dropped + self.dropped)
