"""Soak: ten million deltas through one desk; its memory, and the time from fill to hedge, at each million.

Fifty makers rest; one after the other fills by a lot, each fill is hedged, a maker that has filled is followed by
another. The baseline is the first million: what grows, or slows down, shows in the ratios to it. ``--quick`` is one
million in ten steps.
"""

import asyncio
import contextlib
import json
import random
import tempfile
from typing import Any

from bench.binance_venue import BinanceVenue
from bench.fill_to_hedge import ANSWER_S
from bench.processes import client, keep_a_processor
from bench.samples import Samples
from console.runtime import new_loop

STEPS = 10
DELTAS, QUICK = 10_000_000, 1_000_000
RSS_GROWTH_MB = 100.0
"""How much more the desk may hold at the end than after the second step, when everything is in use."""
SLOWER = 1.3
"""How much slower the last step's median may be than the first one's."""
NAME = "desk"


class LivingVenue(BinanceVenue):
    """Forgets what has ended, as venues do; knows what rests without looking for it."""

    def __init__(self) -> None:
        super().__init__(self._ordered)
        self.resting: dict[int, None] = {}
        self.hedged: asyncio.Future[int] | None = None

    def _ordered(self, _contender: str, name: str, order: dict[str, Any], read_ns: int) -> None:
        if name == "maker":
            self.resting[order["orderId"]] = None
            return
        self.account(NAME, "hedge").orders.pop(order["orderId"])
        if self.hedged is not None and not self.hedged.done():
            self.hedged.set_result(read_ns)

    async def fill_one(self) -> int:
        """Fill a lot of a resting maker, once one rests; nanoseconds until its hedge came in."""
        async with asyncio.timeout(ANSWER_S):
            while not self.resting:  # noqa: ASYNC110 - now and then: fills come faster than makers are put in
                await asyncio.sleep(0.001)
        oid = random.choice(list(self.resting))
        maker = self.account(NAME, "maker")
        frame = self.fill_frame(NAME, "maker", oid)
        if maker.orders[oid]["status"] == "FILLED":
            del self.resting[oid], maker.orders[oid]
        self.hedged = asyncio.get_running_loop().create_future()
        sent_ns = self.private(NAME, "maker").send(frame)
        self.tell_position(NAME, "maker")
        async with asyncio.timeout(ANSWER_S):
            return await self.hedged - sent_ns


async def measure(deltas: int) -> dict[str, Any]:
    """Let the desk live."""
    venue = LivingVenue()
    await venue.start()
    keep_a_processor()
    rest, ws = f"http://127.0.0.1:{venue.rest_port}", f"ws://127.0.0.1:{venue.ws_port}"
    names = [f"{(step + 1) * deltas // STEPS:,}" for step in range(STEPS)]
    samples = Samples(names[0])
    told: list[dict[str, Any]] = []
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.push_async_callback(venue.close)
        desk = await stack.enter_async_context(
            client("bench.clients.living", "--rest", rest, "--ws", ws, "--name", NAME, "--folder", folder, "--deltas",
                   str(deltas), "--steps", str(STEPS))
        )  # fmt: skip
        assert desk.stdout is not None
        assert desk.stdin is not None
        listening = asyncio.ensure_future(desk.stdout.readline())
        while len(told) < STEPS:
            took_ns = await venue.fill_one()
            samples.add(names[len(told)], took_ns)
            if listening.done():
                told.append(json.loads(listening.result()))
                listening = asyncio.ensure_future(desk.stdout.readline())
        desk.stdin.close()
        problems = json.loads(await listening)["problems"]
    result = samples.result(names[-1])
    for name, figures in zip(names, told, strict=True):
        result["contenders"][name] |= figures
    grown = round(told[-1]["rss_mb"] - told[1]["rss_mb"], 1)
    flat = grown <= RSS_GROWTH_MB and result["ratio_p50"] <= SLOWER
    return result | {"rss_grown_mb": grown, "target_rss_grown_mb": RSS_GROWTH_MB, "problems": problems,
                     "met": flat and not problems}  # fmt: skip


def run(*, quick: bool) -> dict[str, Any]:
    """The benchmark."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(measure(QUICK if quick else DELTAS))
