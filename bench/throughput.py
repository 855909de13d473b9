"""Throughput: what an order update costs from its bytes to the handlers, on one core, by how much there is already.

Every update changes an order: fills and amends in turn. They pass decode, orders page, journal, kernel, positions,
fills and the broadcast to a handler. The baseline is the bare ``websockets`` library with a typed decode of the same
messages. Contenders take turns, a block of updates each; a sample is a block's time divided by its updates.
"""

import asyncio
import contextlib
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.processes import client, keep_a_processor
from bench.samples import Samples, quantile
from bench.wide_venue import Resting, WideVenue
from console.runtime import new_loop

BASELINE = "bare"
BLOCK = 200
CASES = ((2, 1), (1_000, 1), (1_000, 1_000), (50_000, 1), (50_000, 1_000))
QUICK = ((2, 1), (2_000, 100))
TARGET = 40_000
"""Updates a second, of the main case."""
FLAT = 1.3
"""How much more than the smallest case the largest may cost."""


def _name(orders: int, books: int) -> str:
    return f"desk, {orders} orders, {books} books"


class Contender:
    """One process, what it is told, and the processor time of each of its blocks."""

    def __init__(self, venue: WideVenue, tag: str) -> None:
        self._venue = venue
        self._tag = tag
        self._makers = venue.listed(tag) or [Resting("0" * 32, "T0USDT", "BUY"), Resting("1" * 32, "T0USDT", "SELL")]
        self.blocks_cpu_ns: list[int] = []

    async def block(self) -> int:
        """Tell of a block of updates; nanoseconds until it has said that it took them."""
        socket = self._venue.private(self._tag, "maker")
        pairs = [random.randrange(len(self._makers) // 2) * 2 for _ in range(BLOCK // 4)]
        frames: list[bytes] = []
        for pair in pairs:  # a buy and a sell of one book, filled and amended
            makers = self._makers[pair : pair + 2]
            frames += self._venue.fills(self._tag, makers) + self._venue.amends(self._tag, makers)
        began_ns = time.perf_counter_ns()
        for frame in frames:
            socket.send(frame)
        self.blocks_cpu_ns.append(await self._venue.reported(self._tag))
        return time.perf_counter_ns() - began_ns


async def measure(cases: tuple[tuple[int, int], ...], count: int, warm_up: int) -> dict[str, Any]:
    """Start all, let them take turns."""
    venue = WideVenue(max(books for _, books in cases))
    await venue.start()
    keep_a_processor()
    rest, ws = f"http://127.0.0.1:{venue.rest_port}", f"ws://127.0.0.1:{venue.ws_port}"
    samples = Samples(BASELINE)
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.push_async_callback(venue.close)
        tags = {BASELINE: "bare"} | {_name(*case): f"desk-{case[0]}-{case[1]}" for case in cases}
        contenders: dict[str, Contender] = {}
        for (name, tag), (orders, books) in zip(tags.items(), [(0, 1), *cases], strict=True):
            (folder / tag).mkdir()
            await stack.enter_async_context(
                client("bench.clients.updates", "--rest", rest, "--ws", ws, "--name", tag, "--folder",
                       str(folder / tag), "--orders", str(orders), "--books", str(books), "--block", str(BLOCK))
            )  # fmt: skip
            contenders[name] = Contender(venue, tag)
            await venue.reported(tag)
        for turn in range(warm_up + count):
            for name in random.sample(list(contenders), len(contenders)):
                took_ns = await contenders[name].block()
                if turn >= warm_up:
                    samples.add(name, took_ns // BLOCK)
    return _result(samples, contenders, cases, warm_up)


def _result(
    samples: Samples, contenders: dict[str, Contender], cases: tuple[tuple[int, int], ...], warm_up: int
) -> dict[str, Any]:  # fmt: skip
    first, main = _name(*cases[0]), _name(*cases[-1])
    result = samples.result(main)
    for name, row in result["contenders"].items():
        used = sorted(contenders[name].blocks_cpu_ns[warm_up:])
        row["cpu_p50_us"] = round(quantile(used, 50) / BLOCK / 1_000, 1)
        row["updates_per_s"] = round(1e6 / row["p50_us"])
    rows = result["contenders"]
    flat = round(rows[main]["cpu_p50_us"] / rows[first]["cpu_p50_us"], 2)
    rate = min(rows[name]["updates_per_s"] for name in (first, main))
    return result | {
        "warm_up": warm_up, "updates_a_block": BLOCK, "largest_over_smallest": flat, "target_updates_per_s": TARGET,
        "met": rate >= TARGET and flat <= FLAT,
    }  # fmt: skip


def run(*, quick: bool) -> dict[str, Any]:
    """The benchmark."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(measure(QUICK, 100, 20) if quick else measure(CASES, 1_000, 100))
