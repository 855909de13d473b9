"""The contender of ``reconcile``: a desk with many open orders that asks for them and for its fills, pass by pass."""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

from websockets.asyncio.client import connect

from bench.clients.contender import parser
from bench.clients.desk import endpoints
from bench.clients.updates import HOUR_S, named, rest
from console.headless import open_oms
from console.runtime import new_loop, settle
from console.starting import Timers
from oms.rehearsal import keep_ready
from oms.system import OMS

EXC = "maker"
LOOK_S = 0.0005


class Holding:
    """How long the loop was held at most: what would have kept a fill from being hedged."""

    def __init__(self) -> None:
        self._task = asyncio.create_task(self._looking(), name="holding")
        self._longest_ns = 0

    def longest_ns(self) -> int:
        """Since the last call."""
        longest, self._longest_ns = self._longest_ns, 0
        return longest

    async def close(self) -> None:
        """Look no more."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _looking(self) -> None:
        while True:
            before_ns = time.perf_counter_ns()
            await asyncio.sleep(LOOK_S)
            self._longest_ns = max(self._longest_ns, time.perf_counter_ns() - before_ns - int(LOOK_S * 1e9))


async def asked_only(oms: OMS, books: int) -> None:
    """Ask what a reconciliation asks, and decode the answers."""
    venue = oms.gateway.venue(EXC)
    await venue.open_orders()
    for number in range(books):
        await venue.fills_since(oms.started_ns, f"T{number}USDT")
    await venue.positions()
    await venue.balances()


async def run(asked: argparse.Namespace) -> None:
    """Write a line of figures for each pass; ``first`` is the one that had everything to learn."""
    folder = Path(asked.folder)
    timers = Timers(refresh_orders_snapshot=HOUR_S, refresh_positions_snapshot=HOUR_S)
    async with (
        connect(f"{asked.ws}/{asked.name}/{EXC}/report", compression=None, ping_interval=None) as report,
        open_oms(endpoints(asked.rest, asked.ws, asked.name), folder, locks=folder / "locks", timers=timers) as oms,
    ):
        await named(report, rest(oms, asked.orders, asked.books))
        await oms.wait_idle(0.5)
        keep_ready(oms)
        settle()
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)  # the venue has listed them
        holding = Holding()
        for turn in range(asked.passes):
            for name in ("reconcile", "decode") if turn % 2 else ("decode", "reconcile"):
                holding.longest_ns()
                cpu_ns, began_ns = time.process_time_ns(), time.perf_counter_ns()
                if name == "decode":
                    await asked_only(oms, asked.books)
                else:
                    await oms.reconcile(EXC)
                took_ns = time.perf_counter_ns() - began_ns
                cpu_ns = time.process_time_ns() - cpu_ns
                figures = {"name": name, "turn": turn, "cpu_ns": cpu_ns, "took_ns": took_ns,
                           "held_ns": holding.longest_ns(), "fills": len(oms.fills)}  # fmt: skip
                print(json.dumps(figures), flush=True)
        await holding.close()


def main() -> int:
    """Run all passes."""
    arguments = parser()
    for name in ("orders", "books", "passes"):
        arguments.add_argument(f"--{name}", type=int, required=True)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(run(arguments.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
