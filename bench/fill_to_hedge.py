"""Fill to hedge: from the maker fill's bytes leaving the venue to the hedge order's bytes arriving there.

Contenders take turns, one fill each, in one run: whatever else the machine does, it does to all of them. The baseline
sends a ready-made order on any frame; the desk decodes, decides, journals and signs.
"""

import asyncio
import contextlib
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bench.binance_venue import BinanceVenue
from bench.samples import Samples
from console.runtime import new_loop

BASELINE, MAIN = "bare", "desk"
BARE = (BASELINE, "bare-iterate")
PACE_S = 0.002
ANSWER_S = 5.0


class Conductor:
    """Sends fills one at a time and waits for the order that each causes."""

    def __init__(self) -> None:
        self.venue = BinanceVenue(self._ordered)
        self._awaited: dict[str, asyncio.Future[int]] = {}
        self._makers: dict[str, int] = {}

    def _ordered(self, contender: str, account: str, order: dict[str, Any], read_ns: int) -> None:
        if account == "maker":
            self._makers[contender] = order["orderId"]
            return
        awaited = self._awaited.pop(contender, None)
        if awaited is not None:
            awaited.set_result(read_ns)

    async def sample(self, contender: str) -> int:
        """Fill one lot of the contender's maker; nanoseconds until its hedge order came in."""
        venue = self.venue
        if contender.startswith("bare"):
            self._makers.setdefault(contender, venue.resting(contender, "maker"))
        frame = venue.fill_frame(contender, "maker", self._makers[contender])
        awaited = self._awaited[contender] = asyncio.get_running_loop().create_future()
        sent_ns = venue.private(contender, "maker").send(frame)
        async with asyncio.timeout(ANSWER_S):
            read_ns = await awaited
        venue.tell_position(contender, "maker")
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


async def measure(count: int, warm_up: int, handlers: tuple[int, ...] = ()) -> dict[str, Any]:
    """Run the contenders: the baseline, the library's usual way, the desk, and the desk with so many slow handlers."""
    conductor = Conductor()
    await conductor.venue.start()
    rest, ws = f"http://127.0.0.1:{conductor.venue.rest_port}", f"ws://127.0.0.1:{conductor.venue.ws_port}"
    desks = {MAIN: 0} | {f"desk, {number} slow handlers": number for number in handlers}
    samples = Samples(BASELINE)
    verdicts: dict[str, str] = {}
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.push_async_callback(conductor.venue.close)
        processes = {}
        for name in BARE:
            await stack.enter_async_context(client("bench.clients.bare", "--url", ws, "--name", name))
        for name, number in desks.items():
            tag = name.replace(", ", "-").replace(" ", "-")
            (folder / tag).mkdir()
            processes[name] = tag, await stack.enter_async_context(
                client("bench.clients.desk", "--rest", rest, "--ws", ws, "--name", tag, "--folder", str(folder / tag),
                       "--handlers", str(number))
            )  # fmt: skip
        order = [
            ("bare", "bare"),
            ("bare-iterate", "bare-iterate"),
            *((name, tag) for name, (tag, _) in processes.items()),
        ]
        for turn in range(warm_up + count):
            random.shuffle(order)
            for name, tag in order:
                took_ns = await conductor.sample(tag)
                if turn >= warm_up:
                    samples.add(name, took_ns)
                await asyncio.sleep(PACE_S * random.uniform(0.5, 1.5))
        for name, (_, process) in processes.items():
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            verdicts[name] = (await process.stdout.readline()).decode().strip()
    return samples.result(MAIN) | {"warm_up": warm_up, "verify": verdicts}


def run(*, quick: bool) -> dict[str, Any]:
    """The benchmark."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(measure(500 if quick else 5_000, 200 if quick else 1_000, () if quick else (1, 10)))
