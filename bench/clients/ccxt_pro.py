"""The peer: ccxt.pro, as it is published, doing the same exchange of messages: ``watch_orders``, then ``create_order``.

It keeps no journal, checks no limits and remembers no hedge; what it does do, it does as its documentation shows, but
for its rate limiter, which is off. ``--uvloop`` gives it the desk's event loop in the place of Python's own.
"""

import argparse
import asyncio
import sys
from typing import Any

import ccxt.pro

from bench.clients.contender import work_until_input_ends
from console.runtime import new_loop

SYMBOL = "ETH/USDT:USDT"


def account(rest: str, ws: str, name: str) -> Any:
    """ccxt.pro's client at the addresses of one account of the bench venue: nothing else of it is changed."""
    client = ccxt.pro.binanceusdm(
        {
            "apiKey": name.replace("/", "").ljust(64, "k"), "secret": name, "enableRateLimit": False,
            "options": {"fetchCurrencies": False},
        }
    )  # fmt: skip
    api = client.urls["api"]
    for kind in [kind for kind in api if kind.startswith("fapi")]:
        api[kind] = f"{rest}/{name}/{api[kind].split('/', 3)[3]}"
    api["ws"]["linear"] = f"{ws}/{name}/private"
    api["ws"]["ws-api"]["linear"] = f"{ws}/{name}/api"
    return client


async def trade(rest: str, ws: str, name: str, *, websocket: bool) -> None:
    """Rest one maker and answer each of its fills with a market order of that size, until the venue ends."""
    maker, hedge = account(rest, ws, f"{name}/maker"), account(rest, ws, f"{name}/hedge")
    send = hedge.create_order_ws if websocket else hedge.create_order
    try:
        await asyncio.gather(maker.load_markets(), hedge.load_markets())
        watching = asyncio.ensure_future(maker.watch_orders(SYMBOL))
        placed = await maker.create_order(SYMBOL, "limit", "buy", 1_000_000, 2499.0)
        await send(SYMBOL, "market", "sell", 0.01)
        print("ready", flush=True)
        hedged = 0.0
        while True:
            for order in await watching:
                if order["id"] == placed["id"] and order["filled"] > hedged:
                    amount, hedged = order["filled"] - hedged, order["filled"]
                    await send(SYMBOL, "market", "sell", amount)
            watching = asyncio.ensure_future(maker.watch_orders(SYMBOL))
    finally:
        await asyncio.gather(maker.close(), hedge.close(), return_exceptions=True)


async def run(asked: argparse.Namespace) -> None:
    """Trade as asked."""
    work = asyncio.create_task(trade(asked.rest, asked.ws, asked.name, websocket=asked.way == "websocket"))
    await work_until_input_ends(work)


def main() -> int:
    """Run until standard input ends."""
    parser = argparse.ArgumentParser()
    for name in ("rest", "ws", "name", "way"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--uvloop", action="store_true")
    asked = parser.parse_args()
    with asyncio.Runner(loop_factory=new_loop if asked.uvloop else None) as runner:
        runner.run(run(asked))
    return 0


if __name__ == "__main__":
    sys.exit(main())
