"""The main job for every ordered pair of venues: make on one, hedge on the other, judged by what the venues say."""

from decimal import Decimal
from itertools import permutations

import pytest

from gateways.paper.sockets import PaperServer, running
from tests.desk import run

D = Decimal
TICKERS = {"binance": "ETHUSDT", "bybit": "ETHUSDT", "hyperliquid": "ETH", "okx": "ETH-USDT-SWAP"}
LOTS = {"binance": D("0.001"), "bybit": D("0.01"), "hyperliquid": D("0.0001"), "okx": D("0.001")}
SIZES = {"binance": "0.027", "bybit": "0.03", "hyperliquid": "0.0277", "okx": "0.027"}


@pytest.mark.parametrize(("maker", "hedge"), list(permutations(TICKERS, 2)))
@pytest.mark.parametrize("side", ["buy", "sell"])
async def test_a_maker_on_one_venue_is_hedged_on_the_other(maker, hedge, side):
    """Filled in full, hedged to the hedge venue's lot, the rest waiting under it; both venues' positions agree."""
    size = D(SIZES[maker])
    sign = 1 if side == "buy" else -1
    line = f"{side} {size} {maker}:{TICKERS[maker]} @ opponent1 hedge {hedge}:{TICKERS[hedge]} market"
    async with running(PaperServer([maker, hedge], seed=7)) as server:
        written = await run(line, "wait idle 15s", "quit", server=server)
    assert written.replies[1]["ok"], written.replies[1]
    assert written.summary["consistent"] is True, written.summary["problems"]
    book = written.book(hedge, TICKERS[hedge])
    hedged = size // LOTS[hedge] * LOTS[hedge]
    assert (D(book["target"]), D(book["hedged"])) == (-sign * size, -sign * hedged)
    assert D(book["balance"]) == -sign * (size - hedged)
    assert {row["venue"]: D(row["at_venue"]) for row in written.summary["positions"]} == {
        maker: sign * size, hedge: -sign * hedged,
    }  # fmt: skip
    assert written.code == 0
