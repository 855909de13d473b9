"""ccxt.pro, as it is published, trades on the paper Binance venue over real sockets: only its addresses are changed."""

import asyncio
from typing import Any

import ccxt.pro
import pytest

from tests.conformance.ccxt_venues import WAIT_S, best, seen

KIND = "binance"
SYMBOL = "BTC/USDT:USDT"


async def listening(exchange: Any) -> "asyncio.Task[Any]":
    """Open the user stream; the task ends with the first orders that it tells of."""
    watching = asyncio.create_task(exchange.watch_orders(SYMBOL))
    async with asyncio.timeout(WAIT_S):
        while not (streams := [client for url, client in exchange.clients.items() if "/private/" in url]):
            await asyncio.sleep(0)
        await streams[0].connected
    return watching


async def test_the_published_rules_are_read(exchange: Any) -> None:
    """Tick, lot, minimum and limits arrive in ccxt's own market structure."""
    market = exchange.market(SYMBOL)
    assert (market["linear"], market["swap"], market["active"], market["contractSize"]) == (True, True, True, 1.0)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 0.001)
    assert market["limits"]["cost"]["min"] == 100.0
    assert market["limits"]["market"]["max"] == 120.0


async def test_a_kept_book_agrees_with_a_fetched_one(exchange: Any) -> None:
    """The book that ccxt builds from snapshot and diff stream is whole, and near the one fetched then."""
    bid, ask = await best(exchange, SYMBOL)
    fetched = await exchange.fetch_order_book(SYMBOL, 20)
    assert bid < ask
    assert fetched["bids"][0][0] < fetched["asks"][0][0]
    assert abs(fetched["bids"][0][0] - bid) < bid * 0.01


async def test_a_post_only_order_rests_and_is_cancelled(exchange: Any) -> None:
    """The stream tells of the order as open, the query finds it, and its cancel is told as well."""
    watching = await listening(exchange)
    bid, _ = await best(exchange, SYMBOL)
    order = await exchange.create_order(SYMBOL, "limit", "buy", 0.01, bid - 1000, {"postOnly": True})
    assert (order["status"], order["postOnly"], order["filled"]) == ("open", True, 0.0)
    async with asyncio.timeout(WAIT_S):
        assert [(row["id"], row["status"]) for row in await watching] == [(order["id"], "open")]
    assert order["id"] in [row["id"] for row in await exchange.fetch_open_orders(SYMBOL)]
    assert (await exchange.cancel_order(order["id"], SYMBOL))["status"] == "canceled"
    told = await seen(exchange, SYMBOL, order["id"], "canceled")
    assert (told["amount"], told["filled"], told["clientOrderId"]) == (0.01, 0.0, order["clientOrderId"])
    with pytest.raises(ccxt.OrderNotFound):
        await exchange.cancel_order(order["id"], SYMBOL)
    assert (await exchange.fetch_order(order["id"], SYMBOL))["status"] == "canceled"


async def test_a_market_order_fills_and_every_account_view_agrees(exchange: Any) -> None:
    """The trades make up the order's fill, and the position moves by as much."""
    before = {row["symbol"]: row["contracts"] for row in await exchange.fetch_positions([SYMBOL])}.get(SYMBOL, 0.0)
    order = await exchange.create_order(SYMBOL, "market", "buy", 0.02)
    assert (order["status"], order["filled"]) == ("closed", 0.02)
    trades = [trade for trade in await exchange.fetch_my_trades(SYMBOL) if trade["order"] == order["id"]]
    assert sum(trade["amount"] for trade in trades) == pytest.approx(0.02)
    assert sum(trade["cost"] for trade in trades) == pytest.approx(order["cost"])
    assert {trade["takerOrMaker"] for trade in trades} == {"taker"}
    (position,) = await exchange.fetch_positions([SYMBOL])
    assert (position["contracts"], position["side"]) == (pytest.approx(before + 0.02), "long")
    assert order["clientOrderId"].startswith("x-")


async def test_the_fill_is_told_by_the_user_stream(exchange: Any) -> None:
    """``watch_orders`` tells of the order first open, then filled, with the price and the fee of its trades."""
    watching = await listening(exchange)
    order = await exchange.create_order(SYMBOL, "market", "sell", 0.01)
    async with asyncio.timeout(WAIT_S):
        assert [(row["id"], row["status"]) for row in await watching] == [(order["id"], "open")]
    told = await seen(exchange, SYMBOL, order["id"], "closed")
    trades = [trade for trade in await exchange.fetch_my_trades(SYMBOL) if trade["order"] == order["id"]]
    assert told["filled"] == sum(trade["amount"] for trade in trades) == 0.01
    assert told["average"] == pytest.approx(order["average"])
    assert told["fee"]["cost"] == pytest.approx(trades[-1]["fee"]["cost"])


async def test_orders_over_the_websocket_api(exchange: Any) -> None:
    """Placing, changing and cancelling over the websocket API works with ccxt's own signing."""
    bid, _ = await best(exchange, SYMBOL)
    async with asyncio.timeout(WAIT_S):
        placed = await exchange.create_order_ws(SYMBOL, "limit", "buy", 0.01, bid - 1000, {"timeInForce": "GTX"})
        changed = await exchange.edit_order_ws(placed["id"], SYMBOL, "limit", "buy", 0.02, bid - 1100)
        cancelled = await exchange.cancel_order_ws(placed["id"], SYMBOL)
    assert (changed["id"], changed["amount"]) == (placed["id"], 0.02)
    assert (cancelled["id"], cancelled["status"]) == (placed["id"], "canceled")


async def test_refusals_arrive_as_ccxts_own_errors(exchange: Any) -> None:
    """Each refusal has the code from which ccxt makes its exception."""
    bid, ask = await best(exchange, SYMBOL)
    with pytest.raises(ccxt.InvalidOrder, match="-5022"):
        await exchange.create_order(SYMBOL, "limit", "buy", 0.01, ask + 100, {"postOnly": True})
    with pytest.raises(ccxt.ExchangeError, match="-4164"):
        await exchange.create_order(SYMBOL, "limit", "buy", 0.001, bid - 1000)
    with pytest.raises(ccxt.ExchangeError, match="-2019"):
        await exchange.create_order(SYMBOL, "limit", "buy", 900, bid - 1000)
    exchange.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        await exchange.fetch_balance()
