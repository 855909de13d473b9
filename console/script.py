"""The headless desk's input: lines from stdin or from arguments, and an orderly end when the process is told to stop.

Reading never blocks the loop: a thread reads, and waits when the desk is behind. The first SIGINT, SIGTERM or SIGHUP
sets ``stop`` and makes the next line ``quit``; the second one ends without settling.
"""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

QUIT = "quit"

ROOM = 64
"""Lines that may wait for the desk before the reader stops reading."""
CHUNK = 65_536
LONGEST = 65_536
"""Bytes of an unended line before it is handed on as it is, for the grammar to refuse."""


class ScriptLines:
    """The lines of a script, one after another: those given, or those of an open file as they come.

    After ``end`` the next line is ``quit``, whatever was still to come, and then there is none. ``stay``: the end of
    the input does not end the script, it waits for ``end`` (the desk's own time limit ends it too).
    """

    def __init__(self, lines: Iterable[str] | None = None, *, descriptor: int = 0, stay: bool = False) -> None:
        self.stop = asyncio.Event()
        """Set by ``end``: for a desk that must not wait until it asks for its next line."""
        self._waiting = deque(lines or ())
        self._descriptor = descriptor
        self._stay = stay
        self._to_read = lines is None
        self._read_out = lines is not None
        self._over = False
        self._changed = asyncio.Event()
        self._room = threading.Semaphore(ROOM)

    def end(self) -> None:
        """Ask the script to end: its next line is ``quit``."""
        self.stop.set()
        self._changed.set()

    def __aiter__(self) -> "ScriptLines":
        return self

    async def __anext__(self) -> str:
        """The next line. Raises StopAsyncIteration at the end."""
        if self._to_read:
            self._to_read = False
            # A daemon: a terminal that nobody types into must not keep the process alive.
            reader = threading.Thread(
                target=self._read, args=(asyncio.get_running_loop(),), name="script reader", daemon=True
            )
            reader.start()
        while not self._over:
            if self.stop.is_set():
                self._over = True
                return QUIT
            if self._waiting:
                self._room.release()
                return self._waiting.popleft()
            if self._read_out and not self._stay:
                self._over = True
                break
            self._changed.clear()
            await self._changed.wait()
        raise StopAsyncIteration

    def _arrived(self, line: str | None) -> None:
        if line is None:
            self._read_out = True
        else:
            self._waiting.append(line)
        self._changed.set()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the desk has ended and wants no more lines
            # os.read and not sys.stdin: a daemon thread inside its lock would stop the interpreter from ending.
            rest = b""
            try:
                while chunk := os.read(self._descriptor, CHUNK):
                    *whole, rest = (rest + chunk).split(b"\n")
                    for line in whole:
                        self._hand_over(loop, line)
                    if len(rest) > LONGEST:
                        self._hand_over(loop, rest)
                        rest = b""
            except OSError as error:
                print(f"hedgedesk: the script cannot be read further: {error}", file=sys.stderr)
            if rest:
                self._hand_over(loop, rest)
            loop.call_soon_threadsafe(self._arrived, None)

    def _hand_over(self, loop: asyncio.AbstractEventLoop, line: bytes) -> None:
        self._room.acquire()
        loop.call_soon_threadsafe(self._arrived, line.decode("utf-8", "replace"))


def stop_signals() -> list[signal.Signals]:
    """What asks a desk to end: ctrl+c, a termination, a closed terminal; not what our parent told us to ignore."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [signal.Signals[name] for name in names if name in signal.Signals.__members__]
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


def run_script(
    desk: Callable[[ScriptLines], Coroutine[Any, Any, int]], lines: Iterable[str] | None, *, stay: bool = False
) -> int:
    """Run ``desk`` with the script's lines (None: stdin's) on a loop of its own; return its exit code.

    Raises KeyboardInterrupt when a second signal ended it before it had settled.
    """

    async def guarded() -> int:
        script = ScriptLines(lines, stay=stay)
        task = asyncio.current_task()

        def stop() -> None:
            if script.stop.is_set() and task is not None:
                task.cancel()
            script.end()

        for number in stop_signals():
            asyncio.get_running_loop().add_signal_handler(number, stop)
        return await desk(script)

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            return runner.run(guarded())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415  # not there on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop
