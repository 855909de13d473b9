"""Keeps an engine running: one that dies without having been told to is started anew, since fills may wait for hedges.

Nothing of the engine is loaded here: what breaks it does not break this.
"""

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

STOPPED, LEFT, USAGE, CRASHED = 0, 3, 2, 70
"""Exit codes of an engine: all was settled; stopped with something left; bad usage; broken after it had been ready."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
LONG_RUN_S = 60.0
"""After a run of so long the pauses begin anew."""
_IGNORED = ("SIGHUP", "SIGTSTP", "SIGTTIN", "SIGTTOU")


class Supervisor:
    """Runs ``command`` until it ends because it was told to, or could not start at all. ``say`` writes a line.

    Must be used on the main thread, whose signals it takes.
    """

    def __init__(
        self, command: Sequence[str], say: Callable[[str], None], *, first_pause_s: float = FIRST_PAUSE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._command = command
        self._say = say
        self._first_pause_s = first_pause_s
        self._clock = clock
        self._told = False
        self._wake: SimpleQueue[None] = SimpleQueue()
        """Put to by a signal, whatever the main thread is doing: an event's lock might be held at that moment."""
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Its last exit code."""
        for name in _IGNORED:
            if name in signal.Signals.__members__:
                signal.signal(signal.Signals[name], signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._pass_on)
        pause_s, first = self._first_pause_s, True
        while True:
            began = self._clock()
            code = self._once()
            if self._told or code in {STOPPED, LEFT, USAGE} or (first and 0 < code != CRASHED):
                return code if code >= 0 else LEFT
            if self._clock() - began >= LONG_RUN_S:
                pause_s = self._first_pause_s
            how = f"by signal {-code}" if code < 0 else f"with {code}"
            self._say(f"the engine ended {how} without having been told to: it is started anew in {pause_s:g} s")
            with contextlib.suppress(Empty):
                self._wake.get(timeout=pause_s)
                return LEFT
            pause_s, first = min(LONGEST_PAUSE_S, 2 * pause_s), False

    def _once(self) -> int:
        # In its own session: ctrl+c in our terminal comes to us, who pass it on, and not to it a second time.
        self._child = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - our own program
        if self._told:
            self._child.terminate()
        return self._child.wait()

    def _pass_on(self, number: int, _: object) -> None:
        self._told = True
        self._wake.put(None)
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(number)
