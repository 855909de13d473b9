"""A desk that is there to be killed: it rests a maker on each paper venue under dead man's switches, and waits.

Run with the endpoints as JSON on standard input and ``market`` or ``join``, how its makers are hedged, as argument.
"""

import asyncio
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import msgspec

from gateways.contracts import round_price
from gateways.router import Gateway
from gateways.venue import Endpoints
from oms.clock import SystemClock
from oms.hedge.policy import How, Rung
from oms.journal import Journal
from oms.system import OMS

SECONDS = 2
"""Shorter than Hyperliquid takes: there it is six."""
AWAY = Decimal("0.98")
PAIR = (("binance", "ETHUSDT"), ("hyperliquid", "ETH"))
JOIN = (Rung(how=How.JOIN, for_ms=600_000), Rung())


async def live(endpoints: dict[str, Endpoints], folder: Path, rungs: tuple[Rung, ...]) -> None:
    """Trade until killed; say ``ready`` once the makers rest, and ``armed`` with each venue whose switch is."""
    clock = SystemClock()
    oms = OMS(Gateway(endpoints), journal=Journal(folder / "journal.jsonl", clock), clock=clock, dead_man_s=SECONDS)
    await oms.init()
    for (exc, ticker), (other, leg) in (PAIR, PAIR[::-1]):
        contract = oms.contract_specs(exc, ticker)
        await oms.watch(exc, ticker)
        mid = oms.feed.mid(exc, ticker)
        if mid is None:
            raise AssertionError(f"no price of {exc}:{ticker}")
        request = {"exc": exc, "ticker": ticker, "amount": "0.1", "price": round_price(contract, mid * AWAY)}
        await oms.hedge_order(request, {"exc": other, "ticker": leg, "rungs": rungs if other == "binance" else ()})
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    told: set[str] = set()
    while True:
        for (exc, _), guarded in oms.switches.armed.items():
            if guarded.shown and exc not in told:
                told.add(exc)
                sys.stdout.write(f"armed {exc}\n")
                sys.stdout.flush()
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, Endpoints])
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(live(given, Path(made), JOIN if sys.argv[1] == "join" else ()))
