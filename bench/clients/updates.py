"""Contenders of ``throughput``: take order updates as they come, and say when so many have been taken.

``bare`` is the ``websockets`` library as its documentation shows it, with each message decoded into a typed struct.
``desk`` is the desk: decode, orders page, journal, hedge kernel, positions, fills, broadcast to a handler. It does not
rehearse (``oms.rehearsal``): several of them share one core, and those whose turn it is not must be still.
"""

import argparse
import asyncio
import os
import sys
import time
from decimal import Decimal
from itertools import islice
from pathlib import Path

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from bench.clients.contender import parser, until_input_ends
from bench.clients.desk import endpoints
from console.headless import open_oms
from console.runtime import new_loop, settle
from console.starting import Timers
from gateways.binance.wire import OrderTradeUpdate
from gateways.standards import PlaceOrder
from oms.cloid import CloidKind
from oms.deltas import Delta
from oms.orders import OrderDelta, Role
from oms.requests import HedgeRequest
from oms.system import OMS

PRICE = Decimal("2499.00")
HOUR_S = 3_600.0
"""Reconciliation has a benchmark of its own."""
OPEN_ORDERS_AT_ONCE = 1_000


def on_one_core() -> None:
    """Stay on the last core that this process may use."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


class Taken:
    """Counts updates and says so after each ``block``, with the processor time used since its first."""

    def __init__(self, report: ClientConnection, block: int) -> None:
        self._report = report
        self._block = block
        self._count = 0
        self._began_ns = time.process_time_ns()

    async def one(self) -> None:
        """Count one."""
        if self._count % self._block == 0:
            self._began_ns = time.process_time_ns()
        self._count += 1
        if self._count % self._block == 0:
            await self.say()

    async def say(self) -> None:
        """Say it now."""
        await self._report.send(str(time.process_time_ns() - self._began_ns).encode(), text=True)

    async def delta(self, _delta: Delta) -> None:
        """Count one that the broadcast brought."""
        await self.one()


async def bare(asked: argparse.Namespace, report: ClientConnection) -> None:
    """Decode each message."""
    taken = Taken(report, asked.block)
    decode = msgspec.json.Decoder(OrderTradeUpdate).decode
    async with connect(f"{asked.ws}/{asked.name}/maker/private", compression=None) as updates:
        print("ready", flush=True)
        await taken.say()
        async for message in updates:
            decode(message)
            await taken.one()


def rest(oms: OMS, orders: int, books: int) -> list[tuple[str, str, str]]:
    """Enter makers as ``OMS.place`` does, all but their sending: cloid, ticker and side of each.

    Two and two are of one book, one buys and one sells. What is owed for a fill is under the leg's threshold: it waits,
    and the next fill of the other side meets it, so that no hedge order is sent.
    """
    entered = []
    for number in range(orders):
        ticker, side = f"T{number // 2 % books}USDT", ("BUY", "SELL")[number % 2]
        leg = HedgeRequest(exc="hedge", ticker=ticker, above_quantity=Decimal(1_000)).leg(0)
        cloid = oms.cloids.next(CloidKind.MAKER)
        amount = Decimal(1_000_000) if side == "BUY" else Decimal(-1_000_000)
        oms.hedge.register_maker(cloid, "maker", ticker, (leg,))
        oms.entry.register("maker", PlaceOrder(ticker=ticker, cloid=cloid, amount=amount, price=PRICE), Role.MAKER)
        entered.append((cloid, ticker, side))
    return entered


async def named(report: ClientConnection, makers: list[tuple[str, str, str]]) -> None:
    """Name them to the venue."""
    entered = iter(makers)
    while some := list(islice(entered, OPEN_ORDERS_AT_ONCE)):
        await report.send(msgspec.json.encode(some), text=True)


async def desk(asked: argparse.Namespace, report: ClientConnection) -> None:
    """Take them as a desk does."""
    folder = Path(asked.folder)
    timers = Timers(refresh_orders_snapshot=HOUR_S, refresh_positions_snapshot=HOUR_S)
    venues = endpoints(asked.rest, asked.ws, asked.name)
    async with open_oms(venues, folder, locks=folder / "locks", timers=timers) as oms:
        await named(report, rest(oms, asked.orders, asked.books))
        taken = Taken(report, asked.block)
        await oms.wait_idle(0.5)
        oms.deltas.register(taken.delta, kinds=(OrderDelta,), name="count")
        settle()
        print("ready", flush=True)
        await taken.say()
        await until_input_ends()


async def run(asked: argparse.Namespace) -> None:
    """Report by a connection of its own."""
    async with connect(f"{asked.ws}/{asked.name}/maker/report", compression=None, ping_interval=None) as report:
        if asked.name == "bare":
            decoding = asyncio.create_task(bare(asked, report))
            await until_input_ends()
            decoding.cancel()
            await asyncio.wait([decoding])
        else:
            await desk(asked, report)


def main() -> int:
    """Run until the venue ends, or standard input does."""
    arguments = parser()
    for name in ("orders", "books", "block"):
        arguments.add_argument(f"--{name}", type=int, required=True)
    asked = arguments.parse_args()
    on_one_core()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(run(asked))
    return 0


if __name__ == "__main__":
    sys.exit(main())
