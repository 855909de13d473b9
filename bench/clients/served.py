"""The contender as a live profile runs it: the desk as an engine of its own, its door open for consoles."""

import argparse
import asyncio
import sys
from decimal import Decimal
from pathlib import Path

from bench.clients.contender import parser, say_books, until_input_ends
from bench.clients.desk import endpoints
from console.carrier.door import Door
from console.carrier.publication import Publication
from console.engine import open_engine
from console.runtime import new_loop, settle
from console.starting import Start
from oms.rehearsal import Readiness, keep_ready
from oms.requests import HedgeRequest, OrderRequest


async def trade(asked: argparse.Namespace) -> None:
    """Rest one maker with a leg and hedge its fills until the input ends; consoles attach at ``--socket``."""
    folder = Path(asked.folder)
    start = Start(endpoints(asked.rest, asked.ws, asked.name), folder)
    publication = Publication()
    door = Door(publication, lambda _: None)
    async with (
        open_engine(start, publication, consoles=door.consoles, locks=folder / "locks", about=door.about) as engine,
        door.open(engine, asked.socket),
    ):
        maker = OrderRequest(exc="maker", ticker="ETHUSDT", amount=Decimal(1_000_000), price=Decimal("2499.00"))
        await engine.oms.hedge_order(maker, HedgeRequest(exc="hedge", ticker="ETHUSDT"))
        keep_ready(engine.oms, Readiness.POLL)
        settle()
        print("ready", flush=True)
        await until_input_ends()
        await say_books(engine.oms)


def main() -> int:
    """Run until standard input ends."""
    arguments = parser()
    arguments.add_argument(
        "--socket", type=Path, required=True, help="at most 100 bytes, in a folder of one's own (0700)"
    )
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(trade(arguments.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
