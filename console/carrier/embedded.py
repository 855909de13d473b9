"""The embedded carrier: the engine on a thread and a loop of its own in the console's process.

A screen that is slow, stalled or gone never holds up a hedge: the two threads share only the mailbox and commands.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from console import runtime
from console.carrier.loop_thread import LoopThread
from console.engine import Engine, open_engine
from console.link import Frame, Link, Preview, Reply
from console.mailbox import Mailbox
from console.starting import Start
from gateways.errors import Unavailable

T = TypeVar("T")

START_S = 30.0
STOP_S = 30.0


class EmbeddedLink(Link):
    """Runs the engine of a desk beside the console. A context manager: entering starts it, leaving stops it.

    ``locks`` as of ``open_oms``, ``mailbox`` where frames wait for the screen. Entering raises what kept the engine
    from starting (VenueError, JournalError).
    """

    outlives = False

    def __init__(self, start: Start, *, locks: Path | None = None, mailbox: Mailbox | None = None) -> None:
        self._start = start
        self._locks = locks
        self._mailbox = mailbox or Mailbox()
        self._engine: Engine | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = LoopThread(self._serve, "engine", runtime.new_loop)

    def __enter__(self) -> Self:
        runtime.take_turns()
        if not self._thread.start(START_S):
            self._end()
            raise Unavailable("desk", f"the engine was not ready within {START_S:g} s: a venue does not answer")
        runtime.settle()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        self._thread.join(STOP_S)

    # -- the console's end

    async def command(self, line: str) -> Reply:
        """Run one command line in the engine and wait for its reply."""
        return await self._ask(lambda engine: engine.command(line))

    async def preview(self, line: str) -> Preview:
        """Check one command line in the engine, sending nothing."""

        async def preview(engine: Engine) -> Preview:
            return engine.preview(line)

        return await self._ask(preview)

    def take(self) -> Frame | None:
        """What was published since the last call."""
        return self._mailbox.take()

    def watch(self, venue: str, ticker: str) -> None:
        """Ask for a contract's ladder in the frames from now on."""
        if self._engine is not None:
            self._thread.soon(self._engine.watch, venue, ticker)

    async def stop(self, *, two_phase: bool) -> Reply:
        """End the engine; in two phases, report what is left and go on while there is something."""
        if two_phase:
            reply = await self._ask(Engine.settle)
            if not reply.ok:
                return reply
        self._end()
        return Reply(ok=True, text="stopped")

    async def _ask(self, work: Callable[[Engine], Coroutine[Any, Any, T]]) -> T:
        if self._engine is None:
            raise RuntimeError("the engine is not running")
        return await self._thread.ask(work(self._engine))

    def _end(self) -> None:
        if self._stopping is not None:
            self._thread.soon(self._stopping.set)

    # -- the engine's thread

    async def _serve(self, ready: Callable[[], None]) -> None:
        self._stopping = asyncio.Event()
        async with open_engine(self._start, self._mailbox, locks=self._locks) as engine:
            self._engine = engine
            ready()
            await self._stopping.wait()
