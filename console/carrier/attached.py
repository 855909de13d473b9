"""The process carrier's end in the console: a link to an engine that runs apart, and goes on without us.

A thread of its own holds the connection, so that the screen never waits for it. When it is lost it is made anew, and
the engine tells everything once more; what is no more is dropped from the screen.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from console.carrier import wire
from console.carrier.calls import Calls, closed_because, connected
from console.carrier.loop_thread import LoopThread
from console.carrier.publication import Known
from console.link import Frame, Link, LogLine, Preview, Reply
from console.mailbox import Mailbox
from console.runtime import new_loop
from gateways.errors import Denied, Unavailable, VenueError
from oms.clock import SystemClock
from oms.tasks import TaskOwner

T = TypeVar("T")

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
"""Between two tries to connect again."""
START_S = 15.0
_STOP_S = 5.0
_NOT_CONNECTED = "not sent: the engine is not connected, it is tried again"


class AttachedLink(Link):
    """Attaches to the engine at the socket ``path``. A context manager: entering attaches, leaving lets it be.

    ``view``: only to look. ``name`` is for the engine's list of consoles, ``mailbox`` where frames wait for the screen,
    ``moved`` says where the engine is to be found when it is lost: one on paper comes back at another path.
    Entering raises Denied when the engine refuses us and Unavailable when nobody is there.
    """

    outlives = True

    def __init__(
        self, path: Path, *, view: bool = False, name: str = "", mailbox: Mailbox | None = None,
        moved: Callable[[], Path | None] = lambda: None,
    ) -> None:  # fmt: skip
        self.stopped = False
        """Whether we have ended the engine."""
        self._path = path
        self._moved = moved
        self._moved = moved
        self._hello = wire.Hello(wire.VERSION, wire.fingerprint(), view, name)
        self._mailbox = mailbox or Mailbox()
        self._known = Known()
        self._clock = SystemClock()
        self._calls: Calls | None = None
        self._connection: ClientConnection | None = None
        self._leaving: asyncio.Event | None = None
        self._why = ""
        self._tasks = TaskOwner(self._failed)
        self._thread = LoopThread(self._serve, "link", new_loop)

    def __enter__(self) -> Self:
        if not self._thread.start(START_S):
            self._leave()
            raise Unavailable("engine", "the engine does not answer")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        self._thread.join(_STOP_S)

    # -- the console's end

    async def command(self, line: str) -> Reply:
        """Run one command line in the engine. Raises Unknown when its outcome is not known."""
        return await self._thread.ask(self._command(line))

    async def preview(self, line: str) -> Preview:
        """Check one command line in the engine, sending nothing."""
        return await self._thread.ask(self._preview(line))

    def take(self) -> Frame | None:
        """What was told since the last call."""
        return self._mailbox.take()

    def watch(self, venue: str, ticker: str) -> None:
        """Ask for a contract's ladder in the frames from now on."""
        self._thread.soon(self._watched, venue, ticker)

    async def stop(self, *, two_phase: bool) -> Reply:
        """In two phases: end the engine, where nothing is left. Else: leave it to itself."""
        if two_phase:
            reply = await self._thread.ask(self._replied(wire.Stop))
            if not reply.ok:
                return reply
            self.stopped = True
        self._leave()
        return Reply(ok=True, text="the engine has stopped" if two_phase else "the engine goes on")

    def _leave(self) -> None:
        if self._leaving is not None:
            self._thread.soon(self._leaving.set)

    # -- the connection's thread

    async def _serve(self, ready: Callable[[], None]) -> None:
        self._leaving = asyncio.Event()
        leaving = asyncio.create_task(self._leaving.wait(), name="leave")
        talking = asyncio.create_task(self._talk(ready), name="connection")
        try:
            await asyncio.wait({leaving, talking}, return_when=asyncio.FIRST_COMPLETED)
            if talking.done():
                talking.result()
        finally:
            for task in (leaving, talking):
                task.cancel()
            await asyncio.gather(leaving, talking, return_exceptions=True)
            await self._tasks.close()

    async def _talk(self, ready: Callable[[], None]) -> None:
        """Connect, and again whenever it is lost. Raises what kept the first connection from being made."""
        first, pause_s, said = True, FIRST_PAUSE_S, ""
        while True:
            try:
                async with connected(self._path, self._hello) as connection:
                    ready()
                    if not first:
                        self._say("attached to the engine again", "info")
                    first, pause_s, said = False, FIRST_PAUSE_S, ""
                    await self._listen(connection)
                raise Unavailable("engine", self._why or "the connection to the engine was lost")
            except VenueError as error:
                if first:
                    raise
                text = error.text if isinstance(error, Denied) or not said else said  # that it is away is said once
                if said != text:
                    said = text
                    self._say(f"{text}; it is tried again", "error")
                pause_s = LONGEST_PAUSE_S if isinstance(error, Denied) else pause_s
            await asyncio.sleep(pause_s)
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)
            self._path = await asyncio.to_thread(self._moved) or self._path

    async def _listen(self, connection: ClientConnection) -> None:
        """Take what the engine tells until the connection is lost."""
        calls = self._calls = Calls(connection)
        self._connection, self._why = connection, ""
        self._known.begin()
        try:
            if self._known.tape is not None:
                await connection.send(wire.encode(wire.Watch(*self._known.tape)))
            async for message in connection:
                self._heard(wire.read_told(message), calls)
        except (ConnectionClosed, wire.WireError) as error:
            self._why = f"the connection to the engine was lost{closed_because(error)}"
        finally:
            self._calls = self._connection = None
            calls.lose()

    def _heard(self, message: wire.ToConsole, calls: Calls) -> None:
        match message:
            case wire.Told(frame=frame):
                self._put(self._known.take(frame))
            case wire.Whole():
                self._put(self._known.end())
            case wire.Answer():
                calls.answered(message)
            case wire.Farewell(text=text) | wire.Refused(text=text):
                self._why = f"the engine has ended: {text}"
            case wire.Welcome():
                raise wire.WireError("a second welcome")

    def _put(self, frame: Frame) -> None:
        if self._hello.view and frame.header is not None:
            frame = msgspec.structs.replace(frame, header=msgspec.structs.replace(frame.header, view=True))
        self._mailbox.put(frame)

    def _say(self, text: str, severity: str) -> None:
        kind = "alert" if severity == "error" else "event"
        line = LogLine(ts_ns=self._clock.now_ns(), kind=kind, severity=severity, venue="", text=text)
        self._mailbox.put(Frame(log=[line]))

    async def _command(self, line: str) -> Reply:
        return await self._replied(lambda ask: wire.Command(ask, line))

    async def _replied(self, question: Callable[[int], wire.Asked]) -> Reply:
        if self._calls is None:
            return Reply(ok=False, error=_NOT_CONNECTED)
        try:
            answer = await self._calls.ask(question)
        except Denied as error:
            return Reply(ok=False, error=error.text)
        return answer.reply or Reply(ok=False, error="the engine gave no reply")

    async def _preview(self, line: str) -> Preview:
        if self._calls is None:
            return Preview(ok=False, error=_NOT_CONNECTED)
        try:
            answer = await self._calls.ask(lambda ask: wire.Check(ask, line))
        except Denied as error:
            return Preview(ok=False, error=error.text)
        return answer.preview or Preview(ok=False, error=answer.reply.error if answer.reply else "no answer")

    def _watched(self, venue: str, ticker: str) -> None:
        self._known.watch(venue, ticker)
        if self._connection is not None:
            self._tasks.start(self._connection.send(wire.encode(wire.Watch(venue, ticker))), "watch")

    def _failed(self, what: str, error: BaseException) -> None:
        if not isinstance(error, ConnectionClosed):  # a lost connection is told of, and the next one begins with it
            self._say(f"{what} failed: {error!r}", "error")
