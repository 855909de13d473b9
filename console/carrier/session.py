"""One console at the engine: what it asks is done, what the engine tells goes to it as fast as it takes it.

Only this console's own task ever waits for it. What it has asked for goes on when it is gone: an order half sent must
come to its end.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from console.carrier import wire
from console.carrier.publication import Outbox, Publication
from console.engine import Engine
from console.link import HandlerRow, Preview, Reply
from oms.tasks import TaskOwner

MOST_ASKED = 64
"""What one console may have asked for and not got an answer to."""
_VIEW_ONLY = "this console may only look (--view): nothing is sent from here; `hedgedesk panic` works from any shell"


class Session:
    """A console that was taken in. ``run`` it until it leaves; ``stop`` is called when it asked the engine to end."""

    def __init__(
        self, number: int, hello: wire.Hello, *, socket: ServerConnection, engine: Engine, publication: Publication,
        tasks: TaskOwner, stop: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.name = f"console {number}{f' {hello.name}' if hello.name else ''}"
        self.hello = hello
        self.socket = socket
        self._engine = engine
        self._publication = publication
        self._tasks = tasks
        self._stop = stop
        self._changed = asyncio.Event()
        self._outbox = Outbox(self._changed.set)
        self._asked = 0

    @property
    def row(self) -> HandlerRow:
        """How far it is behind, for the list of who is attached."""
        note = "view only" if self.hello.view else ""
        return HandlerRow(
            key=f"~ {self.name}", name=self.name, lag=self._outbox.waiting, coalesced=self._outbox.replaced,
            failures=self._outbox.dropped, last_error=note,
        )  # fmt: skip

    async def run(self) -> None:
        """Serve it until it leaves. Raises WireError for what is no message, ConnectionClosed for a broken one."""
        telling = asyncio.create_task(self._tell(), name=f"{self.name} frames") if self.hello.records else None
        try:
            async for message in self.socket:
                self._take(wire.read_asked(message))
        finally:
            self._publication.close(self._outbox)
            self._engine.unwatch(self.name)
            if telling is not None:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)

    async def _tell(self) -> None:
        for frame in self._publication.open(self._outbox):
            await self.socket.send(wire.encode(wire.Told(frame)))
        await self.socket.send(wire.encode(wire.Whole()))
        while True:
            while (frame := self._outbox.take(wire.SLICE)) is not None:
                await self.socket.send(self._publication.encoded(frame))
            self._changed.clear()
            await self._changed.wait()

    def _take(self, message: wire.ToEngine) -> None:
        match message:
            case wire.Watch(venue=venue, ticker=ticker):
                self._engine.watch(venue, ticker, self.name)
            case wire.Hello():
                raise wire.WireError("a second hello")
            case _ if self._asked >= MOST_ASKED and not _is_panic(message):
                text = f"{MOST_ASKED} questions of this console are not answered yet: not done"
                self._tasks.start(self._send(wire.Answer(message.ask, reply=Reply(ok=False, error=text))), "refusal")
            case wire.Command(ask=ask, line=line):
                self._ask(ask, self._unless_view(lambda: self._engine.command(line)))
            case wire.Stop(ask=ask):
                self._ask(ask, self._unless_view(self._stopped))
            case wire.AwaitIdle(ask=ask, within_s=within_s):
                self._ask(ask, self._engine.idle(within_s))
            case wire.Check(ask=ask, line=line):
                self._ask(ask, self._previewed(line))
            case wire.AskStatus(ask=ask):
                self._tasks.start(self._send(wire.Answer(ask, status=self._engine.status())), "status")

    async def _unless_view(self, work: Callable[[], Coroutine[Any, Any, Reply]]) -> Reply:
        return Reply(ok=False, error=_VIEW_ONLY) if self.hello.view else await work()

    async def _previewed(self, line: str) -> Preview:
        return self._engine.preview(line)

    async def _stopped(self) -> Reply:
        reply = await self._engine.settle()
        if reply.ok:
            self._stop(f"stopped by {self.name}")
        return reply

    def _ask(self, ask: int, work: Coroutine[Any, Any, Reply | Preview]) -> None:
        self._asked += 1
        self._tasks.start(self._answer(ask, work), f"question of {self.name}")

    async def _answer(self, ask: int, work: Coroutine[Any, Any, Reply | Preview]) -> None:
        try:
            done = await work
        finally:
            self._asked -= 1
        reply, preview = (done, None) if isinstance(done, Reply) else (None, done)
        await self._send(wire.Answer(ask, reply=reply, preview=preview))

    async def _send(self, message: wire.ToConsole) -> None:
        try:
            await self.socket.send(wire.encode(message))
        except ConnectionClosed:
            return  # it is gone: what it asked for was done all the same


def _is_panic(message: wire.ToEngine) -> bool:
    """Whether it must be done whatever else waits."""
    return isinstance(message, wire.Command) and message.line.strip() == "panic"
