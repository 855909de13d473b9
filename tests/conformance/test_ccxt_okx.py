"""ccxt.pro, as it is published, trades on the paper OKX venue over real sockets: only its addresses are changed."""

import asyncio
from typing import Any

import ccxt.pro
import pytest

from tests.conformance.ccxt_venues import WAIT_S, best, seen

KIND = "okx"
SYMBOL = "ETH/USDT:USDT"


async def listening(exchange: Any) -> "asyncio.Task[Any]":
    """Log in and subscribe to the orders; the task ends with the first ones that are told of."""
    await exchange.authenticate()
    watching = asyncio.create_task(exchange.watch_orders(SYMBOL))
    await exchange.watch_positions()  # asked for after the orders: its snapshot says that both are subscribed to
    return watching


async def test_the_published_rules_are_read(exchange: Any) -> None:
    """Contract size, tick, lot and limits arrive in ccxt's own market structure."""
    market = exchange.market(SYMBOL)
    assert (market["linear"], market["swap"], market["active"], market["contractSize"]) == (True, True, True, 0.1)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.01)
    assert (market["limits"]["amount"]["min"], market["limits"]["leverage"]["max"]) == (0.01, 100.0)
    assert market["instIdCode"] == 10461


async def test_public_data_by_rest(exchange: Any) -> None:
    """Time, tickers, trades, candles, marks and funding have the form that ccxt reads."""
    assert abs(await exchange.fetch_time() - exchange.milliseconds()) < 5_000
    ticker = await exchange.fetch_ticker(SYMBOL)
    assert ticker["bid"] < ticker["ask"]
    assert set(await exchange.fetch_tickers(params={"type": "swap"})) >= {SYMBOL, "BTC/USDT:USDT"}
    assert (await exchange.fetch_trades(SYMBOL))[-1]["price"] > 0
    candles = await exchange.fetch_ohlcv(SYMBOL, "1m")
    assert candles[-1][3] <= candles[-1][4] <= candles[-1][2]
    assert (await exchange.fetch_funding_rate(SYMBOL))["fundingRate"] == 0.0001
    assert (await exchange.fetch_mark_price(SYMBOL))["markPrice"] > 0
    assert (await exchange.fetch_open_interest(SYMBOL))["symbol"] == SYMBOL


async def test_a_kept_book_agrees_with_a_fetched_one(exchange: Any) -> None:
    """The book that ccxt builds from snapshot and updates is whole through many of them, and near the one fetched."""
    for _ in range(10):
        bid, ask = await best(exchange, SYMBOL)
        assert bid < ask
    fetched = await exchange.fetch_order_book(SYMBOL, 20)
    assert fetched["bids"][0][0] < fetched["asks"][0][0]
    assert abs(fetched["bids"][0][0] - bid) < bid * 0.01


async def test_public_streams(exchange: Any) -> None:
    """Ticker, trades, best prices and funding are told in the form that ccxt reads."""
    async with asyncio.timeout(WAIT_S):
        ticker = await exchange.watch_ticker(SYMBOL)
        trades = await exchange.watch_trades(SYMBOL)
        quotes = await exchange.watch_bids_asks([SYMBOL])
        funding = await exchange.watch_funding_rate(SYMBOL)
        mark = await exchange.watch_mark_price(SYMBOL)
    assert ticker["bid"] < ticker["ask"]
    assert trades[-1]["amount"] > 0
    assert quotes[SYMBOL]["bid"] < quotes[SYMBOL]["ask"]
    assert (funding["fundingRate"], mark["symbol"]) == (0.0001, SYMBOL)


async def test_a_post_only_order_rests_and_is_cancelled(exchange: Any) -> None:
    """The stream tells of the order as open, the query finds it, and its cancel is told as well."""
    watching = await listening(exchange)
    bid, _ = await best(exchange, SYMBOL)
    order = await exchange.create_order(SYMBOL, "limit", "buy", 1, bid - 50, {"postOnly": True})
    async with asyncio.timeout(WAIT_S):
        assert [(row["id"], row["status"], row["postOnly"]) for row in await watching] == [(order["id"], "open", True)]
    assert order["id"] in [row["id"] for row in await exchange.fetch_open_orders(SYMBOL)]
    assert (await exchange.cancel_order(order["id"], SYMBOL))["id"] == order["id"]
    told = await seen(exchange, SYMBOL, order["id"], "canceled")
    assert (told["amount"], told["filled"], told["clientOrderId"]) == (1.0, 0.0, order["clientOrderId"])
    with pytest.raises(ccxt.OrderNotFound):
        await exchange.cancel_order(order["id"], SYMBOL)
    assert (await exchange.fetch_order(order["id"], SYMBOL))["status"] == "canceled"
    assert order["id"] in [row["id"] for row in await exchange.fetch_canceled_orders(SYMBOL)]


async def test_a_market_order_fills_and_every_account_view_agrees(exchange: Any) -> None:
    """The trades make up the order's fill, and the position moves by as much."""
    before = {row["symbol"]: row["contracts"] for row in await exchange.fetch_positions([SYMBOL])}.get(SYMBOL, 0.0)
    placed = await exchange.create_order(SYMBOL, "market", "buy", 0.53)
    order = await exchange.fetch_order(placed["id"], SYMBOL)
    assert (order["status"], order["filled"]) == ("closed", 0.53)
    trades = [trade for trade in await exchange.fetch_my_trades(SYMBOL) if trade["order"] == order["id"]]
    assert sum(trade["amount"] for trade in trades) == pytest.approx(0.53)
    assert {trade["takerOrMaker"] for trade in trades} == {"taker"}
    assert sum(trade["fee"]["cost"] for trade in trades) == pytest.approx(order["fee"]["cost"])
    (position,) = await exchange.fetch_positions([SYMBOL])
    assert (position["contracts"], position["side"]) == (pytest.approx(before + 0.53), "long")
    balance = await exchange.fetch_balance()
    assert 0 < balance["USDT"]["free"] < balance["USDT"]["total"]
    assert order["id"] in [row["id"] for row in await exchange.fetch_closed_orders(SYMBOL)]


async def test_the_fill_is_told_by_the_private_stream(exchange: Any) -> None:
    """``watch_orders`` tells of the order and its fill; trades and money are told too."""
    watching = await listening(exchange)
    order = await exchange.create_order(SYMBOL, "market", "sell", 0.1)
    async with asyncio.timeout(WAIT_S):
        [told] = await watching
    assert told["id"] == order["id"]
    # Open and filled may come in one turn of the loop: then ccxt shows the order as it is after both.
    told = told if told["status"] == "closed" else await seen(exchange, SYMBOL, order["id"], "closed")
    trades = [trade for trade in await exchange.fetch_my_trades(SYMBOL) if trade["order"] == order["id"]]
    assert told["filled"] == sum(trade["amount"] for trade in trades) == 0.1
    assert told["fee"]["cost"] == pytest.approx(sum(trade["fee"]["cost"] for trade in trades))
    watching = asyncio.create_task(exchange.watch_my_trades(SYMBOL))
    async with asyncio.timeout(WAIT_S):
        balance = await exchange.watch_balance()
        assert balance["USDT"]["total"] > 0
        again = await exchange.create_order(SYMBOL, "market", "buy", 0.1)
        assert (await watching)[-1]["order"] == again["id"]


async def test_orders_over_the_websocket(exchange: Any) -> None:
    """Placing, changing and cancelling over the private socket works with ccxt's own messages."""
    bid, _ = await best(exchange, SYMBOL)
    watching = await listening(exchange)
    async with asyncio.timeout(WAIT_S):
        placed = await exchange.create_order_ws(SYMBOL, "limit", "buy", 1, bid - 50, {"postOnly": True})
        changed = await exchange.edit_order_ws(placed["id"], SYMBOL, "limit", "buy", 2, bid - 60)
        await watching
        cancelled = await exchange.cancel_order_ws(placed["id"], SYMBOL)
        assert changed["id"] == cancelled["id"] == placed["id"]
        told = await seen(exchange, SYMBOL, placed["id"], "canceled")
    assert (told["amount"], told["filled"]) == (2.0, 0.0)


async def test_many_at_once_and_changed(exchange: Any) -> None:
    """Batches are placed and cancelled, an order is amended, leverage and the position mode are settled."""
    bid, _ = await best(exchange, SYMBOL)
    terms = [
        {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 1, "price": bid - 50 - each} for each in (0, 1)
    ]
    orders = await exchange.create_orders(terms)
    assert len(orders) == 2
    await exchange.edit_order(orders[0]["id"], SYMBOL, "limit", "buy", 2, bid - 55)
    assert (await exchange.fetch_order(orders[0]["id"], SYMBOL))["amount"] == 2.0
    await exchange.cancel_orders([order["id"] for order in orders], SYMBOL)
    assert await exchange.fetch_open_orders(SYMBOL) == []
    await exchange.set_leverage(5, SYMBOL, {"mgnMode": "cross"})
    assert (await exchange.fetch_leverage(SYMBOL, {"marginMode": "cross"}))["longLeverage"] == 5
    await exchange.set_position_mode(False)
    assert (await exchange.fetch_trading_fee(SYMBOL))["taker"] == 0.0005
    await exchange.cancel_all_orders_after(0)


async def test_refusals_arrive_as_ccxts_own_errors(exchange: Any) -> None:
    """Each refusal has the code from which ccxt makes its exception."""
    bid, ask = await best(exchange, SYMBOL)
    with pytest.raises(ccxt.InsufficientFunds, match="51008"):
        await exchange.create_order(SYMBOL, "limit", "buy", 90_000, bid - 50)
    with pytest.raises(ccxt.InvalidOrder, match="51006"):
        await exchange.create_order(SYMBOL, "limit", "buy", 1, ask * 1.5)
    with pytest.raises(ccxt.OrderNotFound, match="51603"):
        await exchange.fetch_order("123456789", SYMBOL)
    with pytest.raises(ccxt.OrderNotFound, match="51503"):
        await exchange.edit_order("123456789", SYMBOL, "limit", "buy", 2, bid - 55)
    taken = await exchange.create_order(SYMBOL, "limit", "buy", 1, ask + 5, {"postOnly": True})
    refused = await exchange.fetch_order(taken["id"], SYMBOL)
    assert (refused["status"], refused["filled"], refused["info"]["cancelSource"]) == ("canceled", 0.0, "31")
    exchange.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError, match="50113"):
        await exchange.fetch_balance()
