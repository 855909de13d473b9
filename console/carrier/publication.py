"""What an engine has told, kept whole for consoles that come later, and handed to each that is there.

A console that keeps up gets each frame as it was made, encoded once for all; for one that is slow they are merged.
"""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec

from console.carrier import wire
from console.link import Frame, Header, HedgeRow, Key
from console.mailbox import KEYED, Mailbox

KEPT = {"deltas": 1_000, "fills": 1_000, "log": 2_000}
"""How many of the last lines of each log a console gets that comes later. The public trades come with its watch."""
_FINISHED_KEPT = 2_000
"""Of the orders that are finished, and of the legs that are hedged."""
_SETTLED = frozenset({"hedged", "idle"})
_KEYS_KEPT = 100_000
"""Keys of one table that a console remembers."""


class Outbox(Mailbox):
    """What waits for one console. ``wake`` is called when something is put."""

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self._wake = wake

    def put(self, frame: Frame) -> None:
        """Leave a frame."""
        super().put(frame)
        self._wake()


class Publication:
    """A publisher's reader for any number of consoles. Used on the engine's loop."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[Key, Any]] = {table: {} for table in KEYED}
        self._look_at = {"orders": 2 * _FINISHED_KEPT, "hedges": 2 * _FINISHED_KEPT}
        """How many rows of a table there are when finished ones are looked for again: not with each frame."""
        self._logs: dict[str, deque[Any]] = {log: deque(maxlen=most) for log, most in KEPT.items()}
        self._header: Header | None = None
        self._outboxes: dict[Outbox, None] = {}
        self._frame: Frame | None = None
        self._encoded = b""

    def put(self, frame: Frame) -> None:
        """Keep a frame and leave it for every console."""
        self._header = frame.header or self._header
        for table, held in self._rows.items():
            for row in getattr(frame, table):
                held[row.key] = row
            for key in frame.gone.get(table, ()):
                held.pop(key, None)
        for log, ring in self._logs.items():
            ring.extend(getattr(frame, log))
        self._forget("orders", lambda row: row.terminal)
        self._forget("hedges", self._settled)
        for outbox in self._outboxes:
            outbox.put(frame)

    def open(self, outbox: Outbox) -> Iterator[Frame]:
        """Leave what comes in ``outbox`` from now on. Returns how everything stands, in slices made when asked for.

        Rows are told as they stand when their slice is made: not older than what ``outbox`` has told by then.
        """
        self._outboxes[outbox] = None
        keys = {table: list(rows) for table, rows in self._rows.items()}
        return self._whole(keys, {log: list(ring) for log, ring in self._logs.items()})

    def close(self, outbox: Outbox) -> None:
        """Leave nothing there any more."""
        self._outboxes.pop(outbox, None)

    def encoded(self, frame: Frame) -> bytes:
        """The message that tells a frame; the same frame is not encoded twice in a row."""
        if frame is not self._frame:
            self._frame, self._encoded = frame, wire.encode(wire.Told(frame))
        return self._encoded

    def _whole(self, keys: dict[str, list[Key]], logs: dict[str, list[Any]]) -> Iterator[Frame]:
        if self._header is not None:
            yield Frame(header=self._header)
        for table, names in keys.items():
            rows = self._rows[table]
            for first in range(0, len(names), wire.SLICE):
                part = [rows[key] for key in names[first : first + wire.SLICE] if key in rows]
                yield Frame(**{table: part})  # type: ignore[arg-type]  # by the table's name
        for log, lines in logs.items():
            for first in range(0, len(lines), wire.SLICE):
                yield Frame(**{log: lines[first : first + wire.SLICE]})  # type: ignore[arg-type]  # by the log's name

    def _forget(self, table: str, finished: Callable[[Any], bool]) -> None:
        """Forget the oldest of the rows that are finished, so that a newcomer is told of no more than the last ones."""
        held = self._rows[table]
        if len(held) > self._look_at[table]:
            over = [key for key, row in held.items() if finished(row)]
            for key in islice(over, max(0, len(over) - _FINISHED_KEPT)):
                del held[key]
            self._look_at[table] = len(held) + _FINISHED_KEPT

    def _settled(self, row: HedgeRow) -> bool:
        maker = self._rows["orders"].get(row.maker)
        return row.state in _SETTLED and (maker is None or maker.terminal)


class Known:
    """What a console knows, so that an engine that tells everything anew, after a lost connection, adds up to it.

    Pure: frames in, frames out. ``whole`` is false until everything has been told once on this connection.
    """

    def __init__(self) -> None:
        self.whole = False
        self.tape: tuple[str, str] | None = None
        """The contract whose public trades are wanted: an engine tells those of all its consoles."""
        self._keys: dict[str, dict[Key, None]] = {table: {} for table in KEYED}
        self._fresh: dict[str, set[Key]] = {}
        self._lines: dict[str, dict[Any, None]] = {log: {} for log in (*KEPT, "trades")}

    def begin(self) -> None:
        """A connection begins."""
        self.whole = False
        self._fresh = {table: set() for table in KEYED}

    def watch(self, venue: str, ticker: str) -> None:
        """Another tape begins: its trades come from the first one known."""
        self.tape = venue, ticker
        self._lines["trades"].clear()

    def take(self, frame: Frame) -> Frame:
        """The frame without the lines that were told before and without the trades of others."""
        for table, known in self._keys.items():
            rows = getattr(frame, table)
            known.update((row.key, None) for row in rows)
            _forget_oldest(known, _KEYS_KEPT)
            if not self.whole:
                self._fresh[table].update(row.key for row in rows)
            for key in frame.gone.get(table, ()):
                known.pop(key, None)
        trades = [row for row in frame.trades if (row.venue, row.ticker) == self.tape]
        return msgspec.structs.replace(
            frame, trades=self._news("trades", trades), **{log: self._news(log, getattr(frame, log)) for log in KEPT}
        )

    def end(self) -> Frame:
        """Everything has been told: the frame that drops what is no more."""
        self.whole = True
        gone = {
            table: [key for key in known if key not in self._fresh[table]] for table, known in self._keys.items()
        }  # fmt: skip
        for table, keys in gone.items():
            for key in keys:
                del self._keys[table][key]
        self._fresh = {}
        return Frame(gone={table: keys for table, keys in gone.items() if keys})

    def _news(self, log: str, lines: list[Any]) -> list[Any]:
        """The lines that were not told before; on a connection that has told everything only trades can come twice."""
        told = self._lines[log]
        news = [line for line in lines if line not in told] if log == "trades" or not self.whole else lines
        told.update(dict.fromkeys(news))
        _forget_oldest(told, 2 * KEPT.get(log, 1_000))
        return news


def _forget_oldest(held: dict[Any, None], most: int) -> None:
    for old in list(islice(held, max(0, len(held) - most))):
        del held[old]
