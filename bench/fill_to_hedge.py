"""Fill to hedge: from the maker fill's bytes leaving the venue to the hedge order's bytes arriving there.

Contenders take turns, one fill each, in one run: whatever else the machine does, it does to all of them. The baseline
sends a ready-made order on any frame; the desk decodes, decides, journals and signs.

How much time passes between two fills decides how cold the caches are that the next one finds, for the baseline and
for the desk. The main case has 2 ms between any two: a desk's fills come rarely, and with six contenders each has
rested for 12 ms. The same is measured with the next fill at once, which is how throughput clients are usually compared,
and with 20 ms between. Each case has a baseline of its own.

Where Hyperliquid takes the hedges there are always 20 ms between: it allows an address 2,000 messages a minute. Its
baseline signs each order. A console paints beside an engine of its own, and in the engine's own process.
"""

import asyncio
import contextlib
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench.hyperliquid_venue import BinanceAndHyperliquid
from bench.samples import Samples
from console.runtime import new_loop

BASELINE, MAIN = "bare", "desk"
PACE_S, RARE_S = 0.002, 0.020
ANSWER_S = 5.0


class Contender(msgspec.Struct, frozen=True):
    """Who answers: its name in the table, and its client. ``socket``: whether consoles may attach to it."""

    name: str
    module: str = "bench.clients.desk"
    options: tuple[str, ...] = ()
    socket: bool = False

    @property
    def tag(self) -> str:
        """Its name in addresses and folders."""
        return self.name.replace(", ", "-").replace(" ", "-")

    @property
    def bare(self) -> bool:
        """Whether it keeps no books."""
        return self.module == "bench.clients.bare"

    def arguments(self, rest: str, ws: str, folder: Path) -> list[str]:
        """The command line of its client."""
        if self.bare:
            return ["--url", ws, "--name", self.tag, *self.options]
        own = folder / self.tag
        own.mkdir()
        place = ["--rest", rest, "--ws", ws, "--name", self.tag, "--folder", str(own), *self.options]
        return [*place, "--socket", str(self.door(folder))] if self.socket else place

    def door(self, folder: Path) -> Path:
        """Where consoles attach."""
        return folder / f"{self.tag}.sock"


BARE = Contender(BASELINE, "bench.clients.bare")
DESK = Contender(MAIN)
HYPERLIQUID = (
    Contender(f"{BASELINE}, hedge on Hyperliquid", "bench.clients.bare", options=("--way", "signing")),
    Contender(f"{MAIN}, hedge on Hyperliquid", options=("--hedge", "hyperliquid")),
)
EMBEDDED = Contender("embedded", "bench.clients.embedded")
ENGINE = Contender("engine", "bench.clients.served", socket=True)
HANDLERS = tuple(Contender(f"desk, {number} slow handlers", options=("--handlers", str(number))) for number in (1, 10))
IDLE = (
    BARE,
    Contender("bare-iterate", "bench.clients.bare", options=("--way", "iterate")),
    DESK,
    Contender("desk, not rehearsed", options=("--no-rehearse",)),
    *HANDLERS,
)


class Conductor:
    """Sends fills one at a time and waits for the order that each causes."""

    def __init__(self) -> None:
        self.venue = BinanceAndHyperliquid(self._ordered)
        self._awaited: dict[str, asyncio.Future[int]] = {}
        self._makers: dict[str, int] = {}

    def _ordered(self, contender: str, account: str, order: dict[str, Any], read_ns: int) -> None:
        if account == "maker":
            self._makers[contender] = order["orderId"]
            return
        awaited = self._awaited.pop(contender, None)
        if awaited is not None:
            awaited.set_result(read_ns)

    def _next_order(self, contender: str) -> asyncio.Future[int]:
        """Done when the contender's next hedge order has come in: at what time."""
        awaited = self._awaited[contender] = asyncio.get_running_loop().create_future()
        return awaited

    async def sample(self, contender: str) -> int:
        """Fill one lot of the contender's maker; nanoseconds until its hedge order came in.

        A bare client answers whatever it is told. Each answer is waited for, so that none is taken for that to a fill.
        """
        venue, bare = self.venue, contender.startswith("bare")
        async with asyncio.timeout(ANSWER_S):
            if bare and contender not in self._makers:
                answered = self._next_order(contender)
                venue.resting(contender, "maker")
                await answered
            frame = venue.fill_frame(contender, "maker", self._makers[contender])
            hedged = self._next_order(contender)
            sent_ns = venue.private(contender, "maker").send(frame)
            read_ns = await hedged
            answered = self._next_order(contender)
            venue.tell_position(contender, "maker")
            if bare:
                await answered
        return read_ns - sent_ns


@contextlib.asynccontextmanager
async def client(module: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A contender's process, ready; its input is closed at the end. Raises RuntimeError when it does not get ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            line = await process.stdout.readline()
        if line.strip() != b"ready":
            raise RuntimeError(f"{module} did not get ready")
        yield process
        process.stdin.close()
    finally:
        if process.returncode is None:
            try:
                async with asyncio.timeout(20):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


class Run:
    """One run: the venue, the contenders' processes, and what was measured of them."""

    def __init__(self, folder: Path, warm_up: int) -> None:
        self.conductor = Conductor()
        self.samples = Samples(BASELINE)
        self.verdicts: dict[str, str] = {}
        self._folder = folder
        self._warm_up = warm_up

    @contextlib.asynccontextmanager
    async def contenders(self, each: Sequence[Contender], pace_s: float = PACE_S) -> AsyncIterator[None]:
        """Their processes, ready and warmed up at that pace; at the end each desk proves its books."""
        venue = self.conductor.venue
        rest, ws = f"http://127.0.0.1:{venue.rest_port}", f"ws://127.0.0.1:{venue.ws_port}"
        async with contextlib.AsyncExitStack() as stack:
            processes = {
                one: await stack.enter_async_context(client(one.module, *one.arguments(rest, ws, self._folder)))
                for one in each
            }
            await self.case(each, 0, pace_s, warm_up=self._warm_up)
            yield
            for one, process in processes.items():
                if not one.bare:
                    assert process.stdin is not None
                    assert process.stdout is not None
                    process.stdin.close()
                    self.verdicts[one.name] = (await process.stdout.readline()).decode().strip()

    async def case(
        self, contenders: Sequence[Contender], count: int, pace_s: float, *, name: str = "", warm_up: int = 0
    ) -> None:
        """Fill each in turn, ``count`` times; the results bear the case's name. The first one is the baseline."""
        order, baseline = list(contenders), f"{contenders[0].name}{name}"
        for turn in range(warm_up + count):
            random.shuffle(order)
            for one in order:
                took_ns = await self.conductor.sample(one.tag)
                if turn >= warm_up:
                    self.samples.add(f"{one.name}{name}", took_ns, baseline=baseline)
                if pace_s:
                    await asyncio.sleep(pace_s * random.uniform(0.5, 1.5))


async def measure(count: int, warm_up: int) -> dict[str, Any]:
    """All the cases."""
    with tempfile.TemporaryDirectory(prefix="hd-") as folder:
        run = Run(Path(folder), warm_up)
        await run.conductor.venue.start()
        try:
            async with run.contenders(IDLE):
                await run.case(IDLE, count, PACE_S)
                await run.case((BARE, DESK), count, 0.0, name=", next at once")
                await run.case((BARE, DESK), count // 5, RARE_S, name=", 20 ms between")
            async with run.contenders((BARE, ENGINE)):
                await run.case((BARE, ENGINE), count, PACE_S, name=", no console")
                async with client("bench.clients.terminal", "--socket", str(ENGINE.door(Path(folder)))):
                    await run.case((BARE, ENGINE), count, PACE_S, name=", a console painting")
            async with run.contenders((BARE, EMBEDDED)):
                await run.case((BARE, EMBEDDED), count, PACE_S, name=", its console painting")
            async with run.contenders(HYPERLIQUID, RARE_S):
                await run.case(HYPERLIQUID, count // 5, RARE_S)
        finally:
            await run.conductor.venue.close()
        return run.samples.result(MAIN) | {"warm_up": warm_up, "verify": run.verdicts}


def run(*, quick: bool) -> dict[str, Any]:
    """The benchmark."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(measure(500 if quick else 5_000, 200 if quick else 1_000))
