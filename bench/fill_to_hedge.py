"""Fill to hedge: from the maker fill's bytes leaving the venue to the hedge order's bytes arriving there.

Two contenders take turns, one fill each, in one run: whatever else the machine does, it does to both. The baseline
sends a ready-made order on any frame; the desk decodes, decides, journals and signs. Each case has a baseline of its
own, and no other desk beside its own, for each keeps the machine's caches to itself.

How much time passes between two fills decides how cold the caches are that the next one finds, for the baseline and
for the desk. The main case has 2 ms between any two: a desk's fills come rarely. The same is measured with the next
fill at once, which is how throughput clients are usually compared, and with 20 ms between.

The desk of the main case is ready as a live profile's is (``oms.rehearsal``): it polls. So that what polling gives can
be told from what the desk takes, a baseline that polls, and a desk that sleeps, are cases too.

Where Hyperliquid takes the hedges there are always 20 ms between: it allows an address 2,000 messages a minute. Its
baseline signs each order. A console paints beside an engine of its own, and in the engine's own process.
"""

import asyncio
import contextlib
import random
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from bench.hyperliquid_venue import BinanceAndHyperliquid
from bench.processes import client, keep_a_processor
from bench.samples import Samples
from console.runtime import new_loop

BASELINE, MAIN = "bare", "desk"
PACE_S, RARE_S = 0.002, 0.020
ANSWER_S = 5.0


class Contender(msgspec.Struct, frozen=True):
    """Who answers: its name in the table, and its client.

    ``tag``: its name in addresses and folders. ``socket``: whether consoles may attach to it.
    """

    name: str
    module: str = "bench.clients.desk"
    tag: str = MAIN
    options: tuple[str, ...] = ()
    socket: bool = False

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


BARE = Contender(BASELINE, "bench.clients.bare", tag="bare")
DESK = Contender(MAIN)
HYPERLIQUID = (
    Contender(BASELINE, "bench.clients.bare", tag="bare-signing", options=("--way", "signing")),
    Contender(MAIN, tag="desk-hyperliquid", options=("--hedge", "hyperliquid")),
)
EMBEDDED = Contender("embedded", "bench.clients.embedded", tag="embedded")
ENGINE = Contender("engine", "bench.clients.served", tag="engine", socket=True)
OTHERS = {
    "1 slow handler": Contender(MAIN, tag="desk-1", options=("--handlers", "1")),
    "10 slow handlers": Contender(MAIN, tag="desk-10", options=("--handlers", "10")),
    "rehearsed, not polling": Contender(MAIN, tag="desk-rehearsed", options=("--readiness", "rehearse")),
    "not rehearsed": Contender(MAIN, tag="desk-asleep", options=("--readiness", "none")),
    "iterating": Contender(
        "bare and async for", "bench.clients.bare", tag="bare-iterating", options=("--way", "iterate")
    ),
    "polling": Contender("bare and polling", "bench.clients.bare", tag="bare-polling", options=("--poll",)),
}
"""What differs in one thing from the main case, by what that is."""

Pair = tuple[Contender, Contender]
"""Baseline and desk."""


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


class Run:
    """One run: the venue, the contenders' processes, and what was measured of them."""

    def __init__(self, folder: Path, warm_up: int) -> None:
        self.conductor = Conductor()
        self.samples = Samples(BASELINE)
        self.verdicts: dict[str, str] = {}
        self._folder = folder
        self._warm_up = warm_up

    @contextlib.asynccontextmanager
    async def contenders(self, each: Pair, pace_s: float = PACE_S) -> AsyncIterator[None]:
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
                    self.verdicts[one.tag] = (await process.stdout.readline()).decode().strip()

    async def case(
        self, contenders: Pair, count: int, pace_s: float = PACE_S, *, what: str = "", warm_up: int = 0
    ) -> None:
        """Fill each in turn, ``count`` times. ``what`` tells this case from others of the two."""
        base, _ = order = list(contenders)
        labels = {one: one.name + what for one in order}
        for turn in range(warm_up + count):
            random.shuffle(order)
            for one in order:
                took_ns = await self.conductor.sample(one.tag)
                if turn >= warm_up:
                    self.samples.add(labels[one], took_ns, baseline=labels[base])
                if pace_s:
                    await asyncio.sleep(pace_s * random.uniform(0.5, 1.5))


async def measure(count: int, warm_up: int) -> dict[str, Any]:
    """All the cases."""
    with tempfile.TemporaryDirectory(prefix="hd-") as folder:
        run = Run(Path(folder), warm_up)
        await run.conductor.venue.start()
        keep_a_processor()
        try:
            async with run.contenders((BARE, DESK)):
                await run.case((BARE, DESK), count)
                await run.case((BARE, DESK), count, 0.0, what=", next at once")
                await run.case((BARE, DESK), count // 5, RARE_S, what=", 20 ms between")
            for what, other in OTHERS.items():
                async with run.contenders((BARE, other)):
                    await run.case((BARE, other), count, what=f", {what}")
            async with run.contenders((BARE, ENGINE)):
                await run.case((BARE, ENGINE), count, what=", no console")
                async with client("bench.clients.terminal", "--socket", str(ENGINE.door(Path(folder)))):
                    await run.case((BARE, ENGINE), count, what=", a console painting")
            async with run.contenders((BARE, EMBEDDED)):
                await run.case((BARE, EMBEDDED), count, what=", its console painting")
            async with run.contenders(HYPERLIQUID, RARE_S):
                await run.case(HYPERLIQUID, count // 5, RARE_S, what=", hedge on Hyperliquid")
        finally:
            await run.conductor.venue.close()
        return run.samples.result(MAIN) | {"warm_up": warm_up, "verify": run.verdicts}


def run(*, quick: bool) -> dict[str, Any]:
    """The benchmark."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(measure(500 if quick else 5_000, 200 if quick else 1_000))
