"""The contender of ``soak``: a desk that lives: makers rest, fill in parts, are hedged, and others take their place."""

import argparse
import asyncio
import json
import sys
from decimal import Decimal
from pathlib import Path

from bench.clients.contender import parser, work_until_input_ends
from bench.clients.desk import endpoints
from console.headless import open_oms
from console.runtime import new_loop, settle
from gateways.standards import OrderStatus
from oms.balances import BalanceDelta
from oms.deltas import Delta, FillDelta, HealthDelta, HedgeDelta, RequestDelta
from oms.orders import OrderDelta, Role
from oms.positions import PositionDelta
from oms.rehearsal import keep_ready
from oms.requests import HedgeRequest, OrderRequest
from oms.system import OMS

MAKERS = 50
"""Resting at a time."""
AMOUNT = Decimal("0.04")
KINDS = (OrderDelta, FillDelta, HealthDelta, HedgeDelta, RequestDelta, BalanceDelta, PositionDelta)


def resident_mb() -> float:
    """What the process holds in memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("this system does not tell what a process holds in memory")


class Life:
    """Keeps makers resting and counts deltas; says how it is after each ``step`` of them."""

    def __init__(self, oms: OMS, deltas: int, steps: int) -> None:
        self._oms = oms
        self._step = deltas // steps
        self._deltas = 0
        self._gone: asyncio.Queue[None] = asyncio.Queue(2 * MAKERS)
        self.left = steps

    async def counted(self, _delta: Delta) -> None:
        """Count one; say how it is where a step is full."""
        self._deltas += 1
        if self._deltas % self._step == 0 and self.left:
            self.left -= 1
            figures = {"deltas": self._deltas, "rss_mb": round(resident_mb(), 1), "orders": len(self._oms.page),
                       "fills": len(self._oms.fills)}  # fmt: skip
            print(json.dumps(figures), flush=True)

    async def alerted(self, delta: Delta) -> None:
        """Say what the operator would be told of: there should be nothing."""
        if isinstance(delta, HedgeDelta) and delta.severity != "info":
            print(f"after {self._deltas} deltas: {delta.text}", file=sys.stderr, flush=True)

    async def ended(self, delta: Delta) -> None:
        """Note a maker that has ended."""
        if (
            isinstance(delta, OrderDelta)
            and delta.after.role is Role.MAKER
            and delta.after.status is OrderStatus.FILLED
        ):
            await self._gone.put(None)

    async def rest(self) -> None:
        """Put a maker where one has ended, until cancelled."""
        for _ in range(MAKERS):
            await self._gone.put(None)
        while True:
            await self._gone.get()
            maker = OrderRequest(exc="maker", ticker="ETHUSDT", amount=AMOUNT, price=Decimal("2499.00"))
            await self._oms.hedge_order(maker, HedgeRequest(exc="hedge", ticker="ETHUSDT"))


async def live(asked: argparse.Namespace) -> None:
    """Live until the input ends; then the books must add up, and hold what the venue holds."""
    folder = Path(asked.folder)
    async with open_oms(endpoints(asked.rest, asked.ws, asked.name), folder, locks=folder / "locks") as oms:
        life = Life(oms, asked.deltas, asked.steps)
        oms.deltas.register(life.counted, kinds=KINDS, name="count")
        oms.deltas.register(life.alerted, kinds=(HedgeDelta,), name="alerted")
        oms.deltas.register(life.ended, name="ended")
        resting = asyncio.create_task(life.rest(), name="rest")
        await oms.wait_idle(5.0)
        keep_ready(oms)
        settle()
        print("ready", flush=True)
        await work_until_input_ends(resting)
        await oms.wait_idle(10.0)
        proof = await oms.verify()
        books = [problem for problem in proof.problems if " filled " not in problem]  # the venue forgets old fills
        print(json.dumps({"problems": books}), flush=True)


def main() -> int:
    """Run until standard input ends."""
    arguments = parser()
    for name in ("deltas", "steps"):
        arguments.add_argument(f"--{name}", type=int, required=True)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(live(arguments.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
