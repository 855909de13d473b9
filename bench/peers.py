"""Peers: the same exchange of messages by ccxt.pro, from the maker fill's bytes to the hedge order's bytes.

The venue is that of ``fill_to_hedge``. The baseline is the desk, so a ratio says how many times as long the peer takes:
``watch_orders`` and then ``create_order``, over a websocket as its documentation shows it (the main case), on the
desk's own event loop, and over REST.
"""

import asyncio
import contextlib
import random
import tempfile
from pathlib import Path
from typing import Any

from bench.fill_to_hedge import ANSWER_S, PACE_S, Conductor
from bench.processes import client, keep_a_processor
from bench.samples import Samples
from console.runtime import new_loop

BASELINE = "desk"
MAIN = "ccxt.pro, websocket"
PEERS = {
    "ccxt-websocket": MAIN,
    "ccxt-websocket-uvloop": f"{MAIN}, uvloop",
    "ccxt-rest": "ccxt.pro, REST",
}
TIMES_FASTER = 4.0
"""How many times faster the desk must be than the main peer, at the median."""


async def measure(count: int, warm_up: int) -> dict[str, Any]:
    """Let the desk, the peers and the bare client take turns."""
    conductor = Conductor()
    await conductor.venue.start()
    keep_a_processor()
    rest, ws = f"http://127.0.0.1:{conductor.venue.rest_port}", f"ws://127.0.0.1:{conductor.venue.ws_port}"
    samples = Samples(BASELINE)
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.push_async_callback(conductor.venue.close)
        (Path(folder) / "desk").mkdir()
        await stack.enter_async_context(client("bench.clients.bare", "--url", ws, "--name", "bare"))
        await stack.enter_async_context(
            client("bench.clients.desk", "--rest", rest, "--ws", ws, "--name", "desk", "--folder", f"{folder}/desk")
        )
        for name in PEERS:
            _, way, *loop = name.split("-")
            await stack.enter_async_context(
                client("bench.clients.ccxt_pro", "--rest", rest, "--ws", ws, "--name", name, "--way", way,
                       *(f"--{each}" for each in loop))
            )  # fmt: skip
        async with asyncio.timeout(ANSWER_S):  # a peer's stream opens when it is first watched
            while not all("private" in conductor.venue.account(name, "maker").sockets for name in PEERS):  # noqa: ASYNC110 - once, before anything is measured
                await asyncio.sleep(0.01)
        turns = {"bare": "bare", "desk": BASELINE} | PEERS
        order = list(turns)
        for turn in range(warm_up + count):
            random.shuffle(order)
            for name in order:
                took_ns = await conductor.sample(name)
                if turn >= warm_up:
                    samples.add(turns[name], took_ns)
                await asyncio.sleep(PACE_S * random.uniform(0.5, 1.5))
    result = samples.result(MAIN)
    return result | {"warm_up": warm_up, "target_ratio_p50": TIMES_FASTER, "met": result["ratio_p50"] >= TIMES_FASTER}


def run(*, quick: bool) -> dict[str, Any]:
    """The benchmark."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(measure(300, 100) if quick else measure(3_000, 500))
