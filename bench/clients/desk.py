"""The contender: the desk itself, as a live profile runs it, on the two accounts of the bench venue."""

import argparse
import asyncio
import sys
from decimal import Decimal
from pathlib import Path

from bench.clients.bare import SECRET
from bench.clients.contender import parser, say_books, until_input_ends
from console.headless import open_oms
from console.runtime import new_loop, settle
from gateways.hyperliquid.signing import address_of
from gateways.venue import Endpoints
from oms.deltas import Delta
from oms.rehearsal import Readiness, keep_ready
from oms.requests import HedgeRequest, OrderRequest

HEDGES = {"binance": "ETHUSDT", "hyperliquid": "ETH"}
"""Where a fill may be hedged, and on what."""


def endpoints(rest: str, ws: str, name: str) -> dict[str, Endpoints]:
    """The two venues: ``maker`` and ``hedge``, both Binance."""
    return {
        account: Endpoints(
            kind="binance", key=f"{name} {account} key".ljust(64, "k"), secret=f"{name} {account}",
            rest=f"{rest}/{name}/{account}",
            ws={kind: f"{ws}/{name}/{account}/{kind}" for kind in ("public", "market", "private", "api")},
        )
        for account in ("maker", "hedge")
    }  # fmt: skip


def hyperliquid(rest: str, ws: str, name: str) -> Endpoints:
    """Where ``hedge`` is when it is Hyperliquid."""
    place = f"{name}/hyperliquid"
    return Endpoints(
        kind="hyperliquid", key=address_of(SECRET), secret=SECRET, rest=f"{rest}/{place}", ws=f"{ws}/{place}/ws"
    )


class Slow:
    """A handler that takes its time over every delta."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __call__(self, _delta: Delta) -> None:
        """Take it."""
        await asyncio.sleep(self._seconds)


async def trade(asked: argparse.Namespace) -> None:
    """Rest one maker with a leg and hedge its fills until the input ends."""
    folder = Path(asked.folder)
    venues = endpoints(asked.rest, asked.ws, asked.name)
    if asked.hedge == "hyperliquid":
        venues["hedge"] = hyperliquid(asked.rest, asked.ws, asked.name)
    async with open_oms(venues, folder, locks=folder / "locks") as oms:
        for number in range(asked.handlers):
            oms.deltas.register(Slow(0.001), name=f"slow {number}")
        maker = OrderRequest(exc="maker", ticker="ETHUSDT", amount=Decimal(1_000_000), price=Decimal("2499.00"))
        await oms.hedge_order(maker, HedgeRequest(exc="hedge", ticker=HEDGES[asked.hedge]))
        keep_ready(oms, asked.readiness)
        settle()
        print("ready", flush=True)
        await until_input_ends()
        await say_books(oms)


def main() -> int:
    """Run until standard input ends."""
    arguments = parser()
    arguments.add_argument("--hedge", choices=HEDGES, default="binance")
    arguments.add_argument("--handlers", type=int, default=0)
    arguments.add_argument("--readiness", type=Readiness, choices=list(Readiness), default=Readiness.POLL)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(trade(arguments.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
