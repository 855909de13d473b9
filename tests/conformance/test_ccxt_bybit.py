"""ccxt.pro, as it is published, trades on the paper Bybit venue over real sockets: only its addresses are changed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import ccxt.pro
import pytest

from tests.conformance.ccxt_venues import WAIT_S, best, seen

KIND = "bybit"
SYMBOL = "BTC/USDT:USDT"

T = TypeVar("T")


async def listening(exchange: Any, name: str, watch: Callable[[str], Coroutine[Any, Any, T]]) -> "asyncio.Task[T]":
    """Open the private stream and a topic of it; the task ends with the first that it tells.

    Answers come in order: the venue took the subscription when it answers a ping that was sent after it.
    """
    watching = asyncio.create_task(watch(SYMBOL))
    async with asyncio.timeout(WAIT_S):
        while not (streams := [client for url, client in exchange.clients.items() if url.endswith("/private")]):
            await asyncio.sleep(0)
        (stream,) = streams
        while not any(key.startswith(name) for key in stream.subscriptions):
            await asyncio.sleep(0)
        stream.lastPong = None
        await stream.send(exchange.ping(stream))
        while stream.lastPong is None:
            await asyncio.sleep(0)
    return watching


async def test_the_published_rules_are_read(exchange: Any) -> None:
    """Tick, lot, minimum and limits arrive in ccxt's own market structure."""
    market = exchange.market(SYMBOL)
    assert (market["linear"], market["swap"], market["active"], market["contractSize"]) == (True, True, True, 1.0)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 0.001)
    assert (market["limits"]["amount"]["min"], market["limits"]["amount"]["max"]) == (0.001, 1190.0)
    assert market["limits"]["leverage"]["max"] == 100.0


async def test_a_kept_book_agrees_with_a_fetched_one(exchange: Any) -> None:
    """The book that ccxt builds from snapshot and deltas is whole, and near the one fetched then."""
    bid, ask = await best(exchange, SYMBOL)
    fetched = await exchange.fetch_order_book(SYMBOL, 20)
    assert bid < ask
    assert fetched["bids"][0][0] < fetched["asks"][0][0]
    assert abs(fetched["bids"][0][0] - bid) < bid * 0.01


async def test_market_data_is_read(exchange: Any) -> None:
    """Ticker, trades, candles and funding arrive in ccxt's own structures, by query and by stream."""
    async with asyncio.timeout(WAIT_S):
        ticker = await exchange.watch_ticker(SYMBOL)
        (trade, *_) = await exchange.watch_trades(SYMBOL)
    fetched = await exchange.fetch_ticker(SYMBOL)
    assert ticker["bid"] < ticker["ask"]
    assert abs(fetched["markPrice"] - ticker["markPrice"]) < ticker["markPrice"] * 0.01
    assert trade["id"] in {row["id"] for row in await exchange.fetch_trades(SYMBOL)}
    candles = await exchange.fetch_ohlcv(SYMBOL, "1m")
    assert candles[-1][3] <= candles[-1][4] <= candles[-1][2]
    assert (await exchange.fetch_funding_rate(SYMBOL))["fundingRate"] == 0.0001


async def test_a_post_only_order_rests_is_changed_and_cancelled(exchange: Any) -> None:
    """The stream tells of the order as open, the query finds it, and its change and its cancel are told as well."""
    watching = await listening(exchange, "orders", exchange.watch_orders)
    bid, _ = await best(exchange, SYMBOL)
    order = await exchange.create_order(SYMBOL, "limit", "buy", 0.01, bid - 1000, {"postOnly": True})
    async with asyncio.timeout(WAIT_S):
        (told,) = await watching
    assert (told["id"], told["status"], told["postOnly"], told["filled"]) == (order["id"], "open", True, 0.0)
    changed = await exchange.edit_order(order["id"], SYMBOL, "limit", "buy", 0.02, bid - 1100)
    assert changed["id"] == order["id"]
    (resting,) = (row for row in await exchange.fetch_open_orders(SYMBOL) if row["id"] == order["id"])
    assert (resting["amount"], resting["price"]) == (0.02, pytest.approx(bid - 1100))
    assert (await exchange.cancel_order(order["id"], SYMBOL))["id"] == order["id"]
    told = await seen(exchange, SYMBOL, order["id"], "canceled")
    assert (told["amount"], told["filled"]) == (0.02, 0.0)
    with pytest.raises(ccxt.OrderNotFound):
        await exchange.cancel_order(order["id"], SYMBOL)
    (closed,) = (row for row in await exchange.fetch_canceled_orders(SYMBOL) if row["id"] == order["id"])
    assert closed["status"] == "canceled"


async def test_a_market_order_fills_and_every_account_view_agrees(exchange: Any) -> None:
    """The trades make up the order's fill, and the position moves by as much."""
    before = {row["symbol"]: row["contracts"] or 0.0 for row in await exchange.fetch_positions([SYMBOL])}[SYMBOL]
    placed = await exchange.create_order(SYMBOL, "market", "buy", 0.02)
    (order,) = (row for row in await exchange.fetch_closed_orders(SYMBOL) if row["id"] == placed["id"])
    assert (order["status"], order["filled"]) == ("closed", 0.02)
    trades = [trade for trade in await exchange.fetch_my_trades(SYMBOL) if trade["order"] == order["id"]]
    assert sum(trade["amount"] for trade in trades) == pytest.approx(0.02)
    assert sum(trade["cost"] for trade in trades) == pytest.approx(order["cost"])
    assert sum(trade["fee"]["cost"] for trade in trades) == pytest.approx(order["fee"]["cost"])
    assert {trade["takerOrMaker"] for trade in trades} == {"taker"}
    (position,) = await exchange.fetch_positions([SYMBOL])
    assert (position["contracts"], position["side"]) == (pytest.approx(before + 0.02), "long")
    balance = await exchange.fetch_balance()
    assert balance["USDT"]["total"] < 1_000_000


async def test_the_fill_is_told_by_the_private_stream(exchange: Any) -> None:
    """``watch_orders`` and ``watch_my_trades`` tell of the fill with the price and the fee of its trades."""
    watching = await listening(exchange, "orders", exchange.watch_orders)
    executing = await listening(exchange, "myTrades", exchange.watch_my_trades)
    placed = await exchange.create_order(SYMBOL, "market", "sell", 0.01)
    async with asyncio.timeout(WAIT_S):
        (told,) = await watching
        executed = await executing
    assert (told["id"], told["status"], told["filled"]) == (placed["id"], "closed", 0.01)
    assert sum(trade["amount"] for trade in executed) == pytest.approx(0.01)
    assert {trade["order"] for trade in executed} == {placed["id"]}
    assert told["fee"]["cost"] == pytest.approx(sum(trade["fee"]["cost"] for trade in executed))


async def test_orders_over_the_order_entry_socket(exchange: Any) -> None:
    """Placing, changing and cancelling over the websocket works with ccxt's own login."""
    bid, _ = await best(exchange, SYMBOL)
    async with asyncio.timeout(WAIT_S):
        placed = await exchange.create_order_ws(SYMBOL, "limit", "buy", 0.01, bid - 1000, {"postOnly": True})
        changed = await exchange.edit_order_ws(placed["id"], SYMBOL, "limit", "buy", 0.02, bid - 1100)
        cancelled = await exchange.cancel_order_ws(placed["id"], SYMBOL)
    assert placed["id"] == changed["id"] == cancelled["id"]
    assert await exchange.fetch_open_orders(SYMBOL) == []


async def test_refusals_arrive_as_ccxts_own_errors(exchange: Any) -> None:
    """Each refusal has the code from which ccxt makes its exception."""
    bid, _ = await best(exchange, SYMBOL)
    order = await exchange.create_order(SYMBOL, "limit", "buy", 0.01, bid - 1000, {"clientOrderId": "mine"})
    await exchange.cancel_order(order["id"], SYMBOL)
    with pytest.raises(ccxt.InvalidOrder, match="110072"):
        await exchange.create_order(SYMBOL, "limit", "buy", 0.01, bid - 1000, {"clientOrderId": "mine"})
    with pytest.raises(ccxt.InvalidOrder, match="110094"):
        await exchange.create_order(SYMBOL, "limit", "buy", 0.001, 4000)
    with pytest.raises(ccxt.InsufficientFunds, match="110007"):
        await exchange.create_order(SYMBOL, "limit", "buy", 900, bid - 1000)
    with pytest.raises(ccxt.InvalidOrder, match="110003"):
        await exchange.create_order(SYMBOL, "limit", "buy", 0.01, bid * 2)
    exchange.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        await exchange.fetch_balance()
