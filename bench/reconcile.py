"""Reconciliation of a venue with 5,000 open orders and 50,000 past fills, over HTTP.

The baseline asks the same questions and decodes the same answers, and takes nothing from them. Samples are processor
time of the desk's process for one pass; ``held`` is for how long the event loop was held at a stretch, which is how
much later than usual a fill that came just then would have been hedged.
"""

import asyncio
import contextlib
import json
import tempfile
from typing import Any

from bench.binance_venue import PRICE, now_ms
from bench.processes import client, keep_a_processor
from bench.samples import Samples, quantile
from bench.wide_venue import Resting, WideVenue
from console.runtime import new_loop

BASELINE, MAIN = "decode", "reconcile"
ORDERS, FILLS, BOOKS = 5_000, 50_000, 10
QUICK = 500, 5_000, 10
HELD_MS = 20.0
"""How long a pass may hold the loop at a stretch, at the 99th percentile of the passes."""


class ListingVenue(WideVenue):
    """Answers questions about the makers that a client named: all rest, each has filled so many lots."""

    def __init__(self, contracts: int, fills_each: int) -> None:
        super().__init__(contracts)
        self._fills_each = fills_each
        self._open: list[dict[str, Any]] = []
        self._trades: dict[str, list[dict[str, Any]]] = {}

    def list_all(self, contender: str) -> None:
        """Make what is asked for later."""
        for maker in self.listed(contender):
            self._open.append(self._order(maker))
        for each in range(self._fills_each):
            for place, maker in enumerate(self.listed(contender)):
                trades = self._trades.setdefault(maker.ticker, [])
                trades.append({
                    "id": each * 1_000_000 + place, "orderId": self._oid(maker), "symbol": maker.ticker,
                    "side": maker.side, "price": PRICE, "qty": "0.001", "commission": "0", "commissionAsset": "USDT",
                    "maker": True, "time": now_ms(), "positionSide": "BOTH", "buyer": maker.side == "BUY",
                    "quoteQty": "2.5", "realizedPnl": "0",
                })  # fmt: skip

    def _oid(self, maker: Resting) -> int:
        return 1_000_000 + int(maker.cloid[-12:], 16)

    def _order(self, maker: Resting) -> dict[str, Any]:
        return {
            "orderId": self._oid(maker), "symbol": maker.ticker, "status": "PARTIALLY_FILLED",
            "clientOrderId": maker.cloid, "price": PRICE, "avgPrice": PRICE, "origQty": "1000000",
            "executedQty": f"{self._fills_each / 1_000:.3f}", "cumQty": f"{self._fills_each / 1_000:.3f}",
            "cumQuote": "0", "timeInForce": "GTC", "type": "LIMIT", "reduceOnly": False, "closePosition": False,
            "side": maker.side, "positionSide": "BOTH", "stopPrice": "0", "workingType": "CONTRACT_PRICE",
            "priceProtect": False, "origType": "LIMIT", "priceMatch": "NONE",
            "selfTradePreventionMode": "EXPIRE_MAKER", "goodTillDate": 0, "time": now_ms(), "updateTime": now_ms(),
        }  # fmt: skip

    def _answer(self, account: Any, path: str, params: dict[str, Any]) -> Any:
        if path == "/fapi/v1/openOrders" and self._open and account is self.account("desk", "maker"):
            return self._open
        if path == "/fapi/v1/userTrades":
            since, limit = int(params.get("fromId", 0)), int(params.get("limit", 500))
            return [trade for trade in self._trades.get(params["symbol"], ()) if trade["id"] >= since][:limit]
        return super()._answer(account, path, params)


async def measure(orders: int, fills: int, books: int, passes: int) -> dict[str, Any]:
    """Let a desk make its passes."""
    venue = ListingVenue(books, fills // orders)
    await venue.start()
    keep_a_processor()
    rest, ws = f"http://127.0.0.1:{venue.rest_port}", f"ws://127.0.0.1:{venue.ws_port}"
    samples, held, wall = Samples(BASELINE), list[int](), list[int]()
    first: dict[str, Any] = {}
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.push_async_callback(venue.close)
        desk = await stack.enter_async_context(
            client("bench.clients.reconciled", "--rest", rest, "--ws", ws, "--name", "desk", "--folder", folder,
                   "--orders", str(orders), "--books", str(books), "--passes", str(passes + 1))
        )  # fmt: skip
        venue.list_all("desk")
        assert desk.stdin is not None
        assert desk.stdout is not None
        desk.stdin.write(b"go\n")
        while line := await desk.stdout.readline():
            figures = json.loads(line)
            if figures["turn"] == 0:  # the first pass learns everything, and warms up
                first = figures if figures["name"] == MAIN else first
                continue
            samples.add(figures["name"], figures["cpu_ns"])
            if figures["name"] == MAIN:
                held.append(figures["held_ns"])
                wall.append(figures["took_ns"])
    held.sort()
    longest = quantile(held, 99) / 1e6
    return samples.result(MAIN) | {
        "orders": orders, "fills": first["fills"], "first_pass_s": round(first["took_ns"] / 1e9, 2),
        "first_pass_cpu_s": round(first["cpu_ns"] / 1e9, 2), "first_pass_held_ms": round(first["held_ns"] / 1e6, 1),
        "pass_p50_s": round(quantile(sorted(wall), 50) / 1e9, 2), "held_p50_ms": round(quantile(held, 50) / 1e6, 1),
        "held_p99_ms": round(longest, 1), "target_held_p99_ms": HELD_MS, "met": longest <= HELD_MS,
    }  # fmt: skip


def run(*, quick: bool) -> dict[str, Any]:
    """The benchmark."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(measure(*QUICK, 4) if quick else measure(ORDERS, FILLS, BOOKS, 30))
