"""Engines for tests: served at a socket, or embedded, on paper venues that the test holds in its hands."""

import asyncio
import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from console.carrier import wire
from console.carrier.attached import AttachedLink
from console.carrier.calls import asking
from console.carrier.door import Door
from console.carrier.embedded import EmbeddedLink
from console.carrier.publication import Publication
from console.engine import open_engine
from console.panes.mirror import Mirror
from console.starting import Start
from gateways.paper.sockets import PaperServer, running

RESTING = "buy 0.01 hyperliquid:ETH @ 1000 post hedge binance:ETHUSDT market"


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name."""
    folder = Path(tempfile.mkdtemp(prefix="hd-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Served:
    """An engine that listens at ``path``; ``ended`` comes to why it was told to stop."""

    def __init__(self, path: Path, door: Door, publication: Publication, engine, ended) -> None:
        self.path, self.door, self.publication, self.engine, self.ended = path, door, publication, engine, ended


@asynccontextmanager
async def served(endpoints, folder: Path, name="engine", peer=None):
    """An engine on these venues on this loop, its socket in ``folder`` and its journal under ``name`` there."""
    publication = Publication()
    ended = asyncio.get_running_loop().create_future()
    door = Door(publication, ended.set_result, **({} if peer is None else {"peer": peer}))
    start = Start(endpoints, folder / name)
    locks = folder / "locks"
    async with open_engine(start, publication, consoles=door.consoles, locks=locks, about=door.about) as engine:
        path = folder / "engine.sock"
        async with door.open(engine, path):
            yield Served(path, door, publication, engine, ended)


@asynccontextmanager
async def alone(**options):
    """A served engine on paper venues of its own, all on this loop."""
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(short_folder())
        server = await stack.enter_async_context(running(PaperServer(["binance", "hyperliquid"], seed=7)))
        yield await stack.enter_async_context(served(server.endpoints, folder, **options))


def frames(**changes) -> wire.Hello:
    """How a console of this build begins."""
    return wire.Hello(**{"version": wire.VERSION, "records": wire.fingerprint(), **changes})


async def answers(made: Served) -> bool:
    """Whether an engine answers somebody who behaves."""
    async with asking(made.path) as calls:
        return (await calls.ask(wire.AskStatus)).status.pid == os.getpid()


class Thread:
    """A loop beside the test's own: its venues and engines."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="venues", daemon=True)
        self._thread.start()

    def call(self, work):
        """Run a coroutine there, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@contextmanager
def entered(thread: Thread, manager):
    """An async context manager, entered on a thread's loop."""
    stack = contextlib.AsyncExitStack()
    try:
        yield thread.call(stack.enter_async_context(manager))
    finally:
        thread.call(stack.aclose())


@contextmanager
def venues(seed=7):
    """Paper venues on a loop of their own: the thread, and the server."""
    thread = Thread()
    try:
        with entered(thread, running(PaperServer(["binance", "hyperliquid"], seed=seed))) as server:
            yield thread, server
    finally:
        thread.close()


@contextmanager
def link_of(carrier: str, server: PaperServer, folder: Path):
    """A link to an engine of its own by one of the two carriers."""
    if carrier == "embedded":
        with EmbeddedLink(Start(server.endpoints, folder / "desk"), locks=folder / "locks") as link:
            yield link
        return
    thread = Thread()  # apart from the venues, as a process would be
    try:
        with entered(thread, served(server.endpoints, folder)) as made, AttachedLink(made.path) as link:
            yield link
    finally:
        thread.close()


class Screen:
    """A mirror fed from a link, and all log lines that came."""

    def __init__(self, link) -> None:
        self.link = link
        self.mirror = Mirror()
        self.log, self.deltas, self.trades = [], [], []

    def look(self) -> None:
        frame = self.link.take()
        if frame is not None:
            self.mirror.apply(frame, 1)
            self.log += frame.log
            self.deltas += frame.deltas
            self.trades += frame.trades

    async def until(self, fact, seconds=15.0):
        """Wait until ``fact()`` holds on what was told."""
        async with asyncio.timeout(seconds):
            while True:
                self.look()
                if fact():
                    return
                await asyncio.sleep(0.005)
