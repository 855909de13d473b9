"""The embedded engine: an OMS on a thread and a loop of its own, and the console's end of the link to it.

A screen that is slow, stalled or gone never holds up a hedge: the two threads share only the mailbox and commands.
"""

import asyncio
import contextlib
import gc
import sys
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from console.desk import Desk
from console.headless import open_oms
from console.link import Frame, Link, LogLine, Preview, Reply
from console.mailbox import Mailbox
from console.publisher import Publisher
from console.starting import DEFAULT_TIMERS, Timers
from gateways.errors import Unavailable
from gateways.venue import Endpoints
from oms.limits import Limits

if TYPE_CHECKING:
    from console.arm_facts import LiveDesk

T = TypeVar("T")

SWITCH_INTERVAL_S = 0.0005
"""How long a painting screen may hold the interpreter from the engine: measured, it cuts the engine's p99 by four."""
START_S = 30.0
STOP_S = 30.0


def new_loop() -> asyncio.AbstractEventLoop:
    """The engine's event loop: uvloop where the platform has it."""
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class EmbeddedLink(Link):
    """Runs the engine beside the console in one process. A context manager: entering starts it, leaving stops it.

    Entering raises what kept the engine from starting (VenueError, JournalError).
    """

    def __init__(
        self, endpoints: Mapping[str, Endpoints], folder: Path, *, desk: "LiveDesk | None" = None,
        timers: Timers = DEFAULT_TIMERS, risk: Limits | None = None,
    ) -> None:  # fmt: skip
        self._endpoints = endpoints
        self._folder = folder
        self._live = desk
        self._timers = timers
        self._risk = risk
        self._mailbox = Mailbox()
        self._started: Future[None] = Future()
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._desk: Desk | None = None
        self._publisher: Publisher | None = None
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def __enter__(self) -> Self:
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._thread.start()
        try:
            self._started.result(START_S)
        except TimeoutError:
            self._end()
            text = f"the engine was not ready within {START_S:g} s: a venue does not answer"
            raise Unavailable("desk", text) from None
        gc.collect()
        gc.freeze()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        self._thread.join(STOP_S)

    # -- the console's end

    async def command(self, line: str) -> Reply:
        """Run one command line in the engine and wait for its reply."""
        return await self._ask(lambda desk: self._command(desk, line))

    async def preview(self, line: str) -> Preview:
        """Check one command line in the engine, sending nothing."""

        async def preview(desk: Desk) -> Preview:
            return desk.preview(line)

        return await self._ask(preview)

    def take(self) -> Frame | None:
        """What was published since the last call."""
        return self._mailbox.take()

    def watch(self, venue: str, ticker: str) -> None:
        """Ask for a contract's ladder in the frames from now on."""
        if self._loop is not None and self._publisher is not None:
            self._loop.call_soon_threadsafe(self._publisher.watch, venue, ticker)

    async def stop(self, *, two_phase: bool) -> Reply:
        """End the engine; in two phases, report what is left and go on while there is something."""
        left: list[str] = []
        if two_phase:

            async def settle(desk: Desk) -> list[str]:
                return await desk.oms.stop()

            left = await self._ask(settle)
            if left:
                return Reply(ok=False, error="; ".join(left))
        self._end()
        return Reply(ok=True, text="stopped")

    async def _ask(self, work: Callable[[Desk], Coroutine[Any, Any, T]]) -> T:
        if self._loop is None or self._desk is None:
            raise RuntimeError("the engine is not running")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(self._desk), self._loop))

    def _end(self) -> None:
        if self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):  # its loop is closed: it has ended already
                self._loop.call_soon_threadsafe(self._stopping.set)

    # -- the engine's thread

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            try:
                runner.run(self._serve())
            except BaseException as error:
                if not self._started.done():
                    self._started.set_exception(error)
                else:
                    raise

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        live = None if self._live is None else self._live.live
        async with open_oms(self._endpoints, self._folder, timers=self._timers, risk=self._risk, live=live) as oms:
            self._desk = Desk(oms, self._live.facts if self._live is not None else ())
            self._publisher = Publisher(oms, self._mailbox)
            publishing = asyncio.create_task(self._publisher.run(), name="publisher")
            self._started.set_result(None)
            stopping = asyncio.create_task(self._stopping.wait(), name="stop")
            done, _ = await asyncio.wait({publishing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in (publishing, stopping):
                task.cancel()
            await asyncio.gather(publishing, stopping, return_exceptions=True)
            if publishing in done:
                publishing.result()

    async def _command(self, desk: Desk, line: str) -> Reply:
        reply = await desk.line(line)
        if self._publisher is not None:
            now = desk.oms.clock.now_ns()
            answer = reply.error if not reply.ok else reply.text
            severity = "info" if reply.ok else "warning"
            self._publisher.log(LogLine(ts_ns=now, kind="command", severity="info", venue="", text=line))
            self._publisher.log(LogLine(ts_ns=now, kind="reply", severity=severity, venue="", text=answer))
        return reply
