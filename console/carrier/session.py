"""One console at the engine: what it asks is done, what the engine tells goes to it as fast as it takes it.

Only this console's own task ever waits for it. What it has asked for goes on when it is gone: an order half sent must
come to its end.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from console import commands as c
from console import language
from console.carrier import wire
from console.carrier.publication import Outbox, Publication
from console.engine import Engine
from console.link import HandlerRow, Reply
from oms.tasks import TaskOwner

MOST_ASKED = 64
"""What one console may have asked for and not got an answer to: more is refused, PANIC never."""
MOST_UNREAD = 256
"""Answers, refusals among them, that wait for one console to read them: one that asks on all the same is dropped."""
MOST_UNDER_WAY = 1_024
"""What all consoles may have asked for, those that are gone among them."""
MOST_A_SECOND = 2_000
"""Messages of one console in a second: to read more would take the engine's time from hedges."""
LONGEST_WAIT_S = 3_600.0
_LONGEST_NAME = 32
_VIEW_ONLY = "this console may only look (--view): nothing is sent from here; `hedgedesk panic` works from any shell"

_TOO_MUCH = Reply(ok=False, error="too much is asked for and not answered yet: not done")


class Session:
    """A console that was taken in. ``run`` it until it leaves; ``stop`` is called when it asked the engine to end."""

    def __init__(
        self, number: int, hello: wire.Hello, *, socket: ServerConnection, engine: Engine, publication: Publication,
        tasks: TaskOwner, stop: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.name = f"console {number} {_readable(hello.name)}".rstrip()
        self.hello = hello
        self.socket = socket
        self._engine = engine
        self._publication = publication
        self._tasks = tasks
        self._stop = stop
        self._changed = asyncio.Event()
        self._outbox = Outbox(self._changed.set)
        self._asked = 0
        self._unread = 0
        self._idling: set[asyncio.Task[None]] = set()

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
        loop, second, heard = asyncio.get_running_loop(), 0, 0
        try:
            async for message in self.socket:
                now = int(loop.time())
                second, heard = now, heard + 1 if now == second else 1
                if heard > MOST_A_SECOND:
                    raise wire.WireError(f"more than {MOST_A_SECOND} messages in a second")
                self._take(wire.read_asked(message))
                if self._unread >= MOST_ASKED:
                    await asyncio.sleep(0)  # let answers leave before more is asked for
        finally:
            self._publication.close(self._outbox)
            self._engine.unwatch(self.name)
            ending = [*self._idling] if telling is None else [telling, *self._idling]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)

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
            case _:
                self._asked_for(message)

    def _asked_for(self, message: wire.Asked) -> None:
        room = self._asked < MOST_ASKED and self._tasks.running < MOST_UNDER_WAY
        if room or _is_panic(message):
            self._asked += 1
            task = self._start(self._answered(message), f"question of {self.name}")
            if task is not None and isinstance(message, wire.AwaitIdle):  # nothing comes of it when nobody waits
                self._idling.add(task)
        else:
            self._start(self._send(wire.Answer(message.ask, reply=_TOO_MUCH)), "refusal")
        if self._unread > MOST_UNREAD:
            raise wire.WireError("it asks on and does not read the answers")

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None] | None:
        task = self._tasks.start(work, name)
        if task is not None:
            self._unread += 1
            task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._unread -= 1
        self._idling.discard(task)

    async def _answered(self, message: wire.Asked) -> None:
        try:
            await self._send(await self._answer(message))
        finally:
            self._asked -= 1

    async def _answer(self, message: wire.Asked) -> wire.Answer:
        ask = message.ask
        match message:
            case wire.Check(line=line):
                return wire.Answer(ask, preview=self._engine.preview(line))
            case wire.AskStatus():
                return wire.Answer(ask, status=self._engine.status())
            case wire.AwaitIdle(within_s=within_s):
                bounded = min(LONGEST_WAIT_S, within_s)  # in this order: of NaN it is the first
                return wire.Answer(ask, reply=await self._engine.idle(bounded))
            case _ if self.hello.view:
                return wire.Answer(ask, reply=Reply(ok=False, error=_VIEW_ONLY))
            case wire.Command(line=line):
                return wire.Answer(ask, reply=await self._engine.command(line))
            case wire.Stop():
                return wire.Answer(ask, reply=await self._stopped())

    async def _stopped(self) -> Reply:
        reply = await self._engine.settle()
        if reply.ok:
            self._stop(f"stopped by {self.name}")
        return reply

    async def _send(self, message: wire.ToConsole) -> None:
        try:
            await self.socket.send(wire.encode(message))
        except ConnectionClosed:
            return  # it is gone: what it asked for was done all the same


def _is_panic(message: wire.Asked) -> bool:
    """Whether it must be done whatever else waits."""
    if not isinstance(message, wire.Command):
        return False
    try:
        return isinstance(language.parse(message.line), c.Panic)
    except language.GrammarError:
        return False


def _readable(name: str) -> str:
    """A name as it may stand in a log and in the lists of other consoles."""
    return "".join(char for char in name if char.isprintable())[:_LONGEST_NAME]
