"""Lines for a reader that may be slow, stalled or gone: a thread of their own writes them, the desk never waits.

A pipe that nobody reads, or a stopped terminal, blocks whoever writes to it. On the engine's loop that would stop every
hedge for as long as it lasts.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

ROOM = 50_000
"""Lines that may wait for the reader; beyond, the oldest fall out and are counted."""
CLOSE_S = 10.0
"""How long the end waits for a reader that is behind."""


class LineWriter:
    """Writes lines to ``out`` in order. ``failed`` is called once, on the writing thread, when that cannot be done."""

    def __init__(self, out: TextIO, failed: Callable[[], None], *, room: int = ROOM) -> None:
        self.dropped = 0
        """Lines that fell out unread."""
        self._out = out
        self._failed = failed
        self._room = room
        self._error: OSError | ValueError | None = None
        self._waiting: deque[str] = deque()
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="line writer", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Leave a line, without its newline; never blocks. After a failure it is dropped."""
        with self._changed:
            if self._error is not None:
                self.dropped += 1
                return
            if len(self._waiting) >= self._room:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(line)
            self._changed.notify()

    def close(self) -> None:
        """Write what waits. Raises OSError for what kept it from being written: a broken pipe, a reader that stalls."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSE_S)
        if self._error is not None:
            raise self._error
        if self._thread.is_alive():
            raise TimeoutError(f"the reader of our lines did not read the last ones within {CLOSE_S:g} s")

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                lines = "".join(f"{line}\n" for line in self._waiting)
                self._waiting.clear()
                if not lines:
                    return
            try:
                self._out.write(lines)
                self._out.flush()
            except (OSError, ValueError) as error:  # the reader is gone, or the file is closed
                with self._changed:
                    self._error = error
                self._failed()
                return
