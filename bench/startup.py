"""Startup: from a process's start to the console's first paint in a terminal, and to a headless desk's first order.

The baseline is an interpreter that imports the libraries under the desk and does nothing. The console opens with its
own paper venues, as ``hedgedesk`` does; the headless desk trades on the bench venue.
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from bench.binance_venue import BinanceVenue
from bench.clients.desk import endpoints
from bench.samples import Samples
from bench.ui import Terminal
from console.runtime import new_loop

BASELINE = "imports"
MAIN = "first paint"
FIRST_ORDER = "first order, headless"
IMPORTS = "import textual, websockets, aiohttp, msgspec, pydantic"
LINE = b"sell 0.1 maker:ETHUSDT @ 2600 hedge hedge:ETHUSDT market\n"
PAINTED = b"orders"
FIRST_PAINT_S = 1.0
WAIT_S = 30.0


async def imports() -> int:
    """Nanoseconds of an interpreter that imports the libraries and ends."""
    began_ns = time.perf_counter_ns()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", IMPORTS)
    await process.wait()
    return time.perf_counter_ns() - began_ns


def first_paint() -> int:
    """Nanoseconds until the console's panes are on the screen."""
    terminal = Terminal(["-m", "console"])
    try:
        painted = terminal.until(PAINTED, WAIT_S)
        return round((painted - terminal.started) * 1e9)
    finally:
        terminal.close()


async def first_order(venue: BinanceVenue, ordered: "asyncio.Queue[int]", name: str, folder: Path) -> int:
    """Nanoseconds until the venue has the first order of a headless desk."""
    at = endpoints(f"http://127.0.0.1:{venue.rest_port}", f"ws://127.0.0.1:{venue.ws_port}", name)
    file = folder / f"{name}.json"
    file.write_bytes(msgspec.json.encode({"venues": at}))
    began_ns = time.perf_counter_ns()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "console", "run", "--headless", "--venues", str(file), stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    try:
        process.stdin.write(LINE)
        async with asyncio.timeout(WAIT_S):
            return await ordered.get() - began_ns
    finally:
        process.kill()
        await process.wait()


async def measure(count: int, warm_up: int) -> dict[str, Any]:
    """Start one after the other, in changing order."""
    ordered: asyncio.Queue[int] = asyncio.Queue(8)
    venue = BinanceVenue(lambda _name, _account, _order, read_ns: ordered.put_nowait(read_ns))
    await venue.start()
    samples = Samples(BASELINE)
    try:
        with tempfile.TemporaryDirectory() as folder:
            homes = {"HOME": folder} | {f"XDG_{kind}_HOME": folder for kind in ("CONFIG", "STATE", "DATA", "CACHE")}
            os.environ |= homes
            for turn in range(warm_up + count):
                for name in random.sample([BASELINE, MAIN, FIRST_ORDER], 3):
                    if name == BASELINE:
                        took_ns = await imports()
                    elif name == MAIN:
                        took_ns = await asyncio.to_thread(first_paint)
                    else:
                        took_ns = await first_order(venue, ordered, f"desk{turn}", Path(folder))
                    if turn >= warm_up:
                        samples.add(name, took_ns)
    finally:
        await venue.close()
    result = samples.result(MAIN)
    met = result["contenders"][MAIN]["p50_us"] < FIRST_PAINT_S * 1e6
    return result | {"warm_up": warm_up, "target_first_paint_s": FIRST_PAINT_S, "met": met}


def run(*, quick: bool) -> dict[str, Any]:
    """The benchmark."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(measure(*((3, 1) if quick else (40, 3))))
