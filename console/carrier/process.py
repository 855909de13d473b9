"""The engine as a process of its own: no terminal, no screen, a socket for consoles, signals for whoever started it.

SIGTERM and SIGINT stop it in two phases, a second one at once. A closed terminal and job control change nothing:
SIGHUP, SIGTSTP, SIGTTIN and SIGTTOU are ignored.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from console import runtime
from console.carrier.door import Door
from console.carrier.publication import Publication
from console.carrier.supervising import CRASHED, LEFT, STOPPED
from console.engine import Engine, open_engine
from console.log_records import log
from console.logs import LOG
from console.starting import Start
from console.status import Status
from oms.rehearsal import keep_ready

_IGNORED = ("SIGHUP", "SIGTSTP", "SIGTTIN", "SIGTTOU")
_ENDING = (signal.SIGTERM, signal.SIGINT)


class Ending:
    """How an engine comes to its end: told by signals, or settled by a console. ``say`` writes a line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.engine: Engine | None = None
        """Once it runs."""
        self.code = STOPPED
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Why it ends."""
        self._say = say
        self._settling: asyncio.Task[None] | None = None

    def asked(self) -> None:
        """A signal: the first one begins the two phases, the second one breaks them off."""
        if self._settling is None and self.engine is not None:
            self._settling = asyncio.create_task(self._settle(self.engine), name="stop")
        else:
            self._end("broken off by a second signal", LEFT)

    def settled(self, why: str) -> None:
        """A console has stopped it, with nothing left."""
        self._end(why, STOPPED)

    async def close(self) -> None:
        """Settle no more."""
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.gather(self._settling, return_exceptions=True)

    async def _settle(self, engine: Engine) -> None:
        text = "told to stop: no new makers, makers are cancelled, hedges settle"
        self._say(text)
        engine.tell(text, severity="warning")
        try:
            reply = await engine.settle(ends=True)
        except Exception as error:  # noqa: BLE001 - whatever broke, it was told to end, and says what it knows
            self._end(f"stopped; settling broke: {error!r}", LEFT)
            return
        if reply.ok:
            self._end("stopped: nothing is left", STOPPED)
        else:
            self._end(f"stopped; left: {reply.error}", LEFT)

    def _end(self, why: str, code: int) -> None:
        if not self.over.done():
            self.code = code
            self.over.set_result(why)


async def serve(
    start: Start, path: Path, *, about: Callable[[Status], Status], say: Callable[[str], None],
    locks: Path | None = None,
) -> int:  # fmt: skip
    """Run the engine of a desk, its door at ``path``, until it is told to end; return its exit code.

    ``about`` adds to its status what the starter knows. Raises what keeps it from starting (VenueError, JournalError,
    OSError).
    """
    ending = Ending(say)
    try:
        await _serve(start, path, ending, about=about, say=say, locks=locks)
    except Exception as error:
        if not ending.over.done():
            raise
        LOG.exception("the engine broke as it closed")  # it was told to end: nobody is to start it anew for this
        say(f"it broke as it closed: {error!r}")
        ending.code = LEFT
    why = ending.over.result()
    say(why)
    log("engine ended", text=why, code=ending.code)
    return ending.code


async def _serve(
    start: Start, path: Path, ending: Ending, *, about: Callable[[Status], Status], say: Callable[[str], None],
    locks: Path | None,
) -> None:  # fmt: skip
    publication = Publication()
    door = Door(publication, ending.settled)
    async with open_engine(
        start, publication, consoles=door.consoles, about=lambda status: door.about(about(status)), locks=locks
    ) as engine:
        ending.engine = engine
        async with door.open(engine, path):
            with _signals(ending):
                keep_ready(engine.oms, start.readiness)
                runtime.settle()
                say(f"engine of {start.name} ready: process {os.getpid()}, socket {path}")
                log("engine ready", socket=str(path))
                notify("READY=1")
                try:
                    why = await ending.over
                finally:
                    notify("STOPPING=1")
                    await ending.close()
            await door.say_farewell(why)


def run(start: Start, path: Path, *, about: Callable[[Status], Status]) -> int:
    """`serve` on a loop of its own; CRASHED for what breaks it once it was ready, which the log tells."""
    ready = False

    def say(text: str) -> None:
        nonlocal ready
        ready = True
        with contextlib.suppress(OSError, ValueError):  # nobody reads it: the log has it too
            print(text, file=sys.stderr, flush=True)

    with asyncio.Runner(loop_factory=runtime.new_loop) as runner:
        try:
            return runner.run(serve(start, path, about=about, say=say))
        except Exception:
            if not ready:
                raise
            LOG.exception("the engine broke")
            return CRASHED


@contextmanager
def _signals(ending: Ending) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    ignored = [signal.Signals[name] for name in _IGNORED if name in signal.Signals.__members__]
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in ignored]
    for number in _ENDING:
        loop.add_signal_handler(number, ending.asked)
    try:
        yield
    finally:
        for number in _ENDING:
            loop.remove_signal_handler(number)
        for number, handler in before:
            signal.signal(number, handler)


def notify(state: str) -> None:
    """Tell a service manager (sd_notify(3)); nothing where none listens."""
    where = os.environ.get("NOTIFY_SOCKET", "")
    if not where:
        return
    address = "\0" + where[1:] if where.startswith("@") else where
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(state.encode(), address)
