"""ccxt.pro trades on the Hyperliquid paper venue over sockets, as it would on the real one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import ccxt.pro
import pytest

from gateways.venue import Endpoints
from tests.conformance.ccxt_venues import WAIT_S, ccxt_client

KIND = "hyperliquid"
OPTIONS = {"enableRateLimit": False}
SYMBOL = "ETH/USDC:USDC"
CLOID = "0x1234567890abcdef1234567890abcdef"


async def until(watch: Callable[[], Awaitable[list[Any]]], wanted: Callable[[Any], bool]) -> Any:
    """The first item that a ``watch_`` method brings of which ``wanted`` holds."""
    async with asyncio.timeout(WAIT_S):
        while True:
            for item in await watch():
                if wanted(item):
                    return item


async def mid(exchange: Any) -> float:
    book = await exchange.fetch_order_book(SYMBOL)
    return (book["bids"][0][0] + book["asks"][0][0]) / 2


async def test_markets_and_account_are_read(exchange: Any) -> None:
    """Contracts, precision and money are read, and the builder fee that ccxt signs is approved."""
    market = exchange.market(SYMBOL)
    assert (market["baseId"], market["precision"]["amount"], market["limits"]["cost"]["min"]) == ("1", 0.0001, 10.0)
    assert exchange.options["approvedBuilderFee"] is True
    balance = await exchange.fetch_balance()
    assert balance["USDC"]["total"] > 0
    assert (await exchange.fetch_status())["status"] == "ok"


async def test_post_only_order_is_watched_found_and_cancelled(exchange: Any) -> None:
    """A resting post-only order is seen open, found by id and by client id, and seen canceled."""
    watching = asyncio.create_task(
        until(lambda: exchange.watch_orders(SYMBOL), lambda order: order["status"] == "open")
    )
    await after_the_answer(exchange, "BTC/USDC:USDC")
    price = exchange.price_to_precision(SYMBOL, await mid(exchange) * 0.9)
    placed = await exchange.create_order(
        SYMBOL, "limit", "buy", 0.05, float(price), {"postOnly": True, "clientOrderId": CLOID}
    )
    seen = await watching
    assert (seen["id"], seen["clientOrderId"], seen["amount"], seen["filled"]) == (placed["id"], CLOID, 0.05, 0.0)
    found = await exchange.fetch_order(placed["id"], SYMBOL)
    assert (found["status"], found["price"], found["postOnly"]) == ("open", float(price), True)
    by_client = await exchange.fetch_order(None, SYMBOL, {"clientOrderId": CLOID})
    assert by_client["id"] == placed["id"]
    assert [order["id"] for order in await exchange.fetch_open_orders(SYMBOL)] == [placed["id"]]
    watching = asyncio.create_task(
        until(lambda: exchange.watch_orders(SYMBOL), lambda order: order["status"] == "canceled")
    )
    await exchange.cancel_order(placed["id"], SYMBOL)
    assert (await watching)["id"] == placed["id"]
    with pytest.raises(ccxt.OrderNotFound):
        await exchange.cancel_order(placed["id"], SYMBOL)


async def test_market_order_fills_and_makes_a_position(exchange: Any) -> None:
    """A market order's fill is watched with its fee, and the position is what was filled."""
    before = await amount_held(exchange)
    watching = asyncio.create_task(until(lambda: exchange.watch_my_trades(SYMBOL), lambda fill: fill["side"] == "buy"))
    await after_the_answer(exchange, "SOL/USDC:USDC")
    placed = await exchange.create_order(SYMBOL, "market", "buy", 0.02, await mid(exchange))
    assert placed["filled"] == 0.02
    fill = await watching
    assert fill["order"] == placed["id"]
    assert fill["fee"]["cost"] == pytest.approx(fill["price"] * fill["amount"] * 0.00045)
    assert sum(one["amount"] for one in await exchange.fetch_my_trades(SYMBOL) if one["order"] == placed["id"]) == 0.02
    assert await amount_held(exchange) == pytest.approx(before + 0.02)
    closed = await exchange.fetch_order(placed["id"], SYMBOL)
    assert (closed["status"], closed["remaining"]) == ("closed", 0.0)


async def test_replacement_over_the_websocket(exchange: Any) -> None:
    """An order is placed, replaced (with a new id) and cancelled by websocket posts."""
    price = float(exchange.price_to_precision(SYMBOL, await mid(exchange) * 0.9))
    placed = await exchange.create_order_ws(SYMBOL, "limit", "buy", 0.05, price)
    changed = await exchange.edit_order_ws(placed["id"], SYMBOL, "limit", "buy", 0.06, price)
    assert changed["id"] != placed["id"]
    assert [(one["id"], one["amount"]) for one in await exchange.fetch_open_orders(SYMBOL)] == [(changed["id"], 0.06)]
    cancelled = await exchange.cancel_order_ws(changed["id"], SYMBOL)
    assert cancelled["status"] == "success"


async def test_public_streams(exchange: Any) -> None:
    """Books, trades, mids and contexts arrive and are read."""
    async with asyncio.timeout(WAIT_S):
        book = await exchange.watch_order_book(SYMBOL)
        assert book["bids"][0][0] < book["asks"][0][0]
        ticker = await exchange.watch_ticker(SYMBOL)
        assert ticker["last"] > 0
        tickers = await exchange.watch_tickers()
        assert SYMBOL in tickers
        assert await exchange.watch_trades(SYMBOL)


async def test_refusals_become_ccxt_errors(exchange: Any) -> None:
    """The refusals are known to ccxt by the venue's words."""
    price = await mid(exchange)
    crossing = float(exchange.price_to_precision(SYMBOL, price * 1.05))
    with pytest.raises(ccxt.InvalidOrder, match="Post only order would have immediately matched"):
        await exchange.create_order(SYMBOL, "limit", "buy", 0.05, crossing, {"postOnly": True})
    resting = float(exchange.price_to_precision(SYMBOL, price * 0.9))
    with pytest.raises(ccxt.InvalidOrder, match=r"minimum value of \$10"):
        await exchange.create_order(SYMBOL, "limit", "buy", 0.001, resting)
    with pytest.raises(ccxt.InsufficientFunds):
        await exchange.create_order(SYMBOL, "limit", "buy", 100_000, resting)


async def test_unknown_wallet(venue: Endpoints) -> None:
    """Another private key cannot trade for the account."""
    client = ccxt_client(KIND, venue, privateKey="0x" + "5a" * 32)
    try:
        with pytest.raises(ccxt.ExchangeError, match="does not exist"):
            await client.create_order(SYMBOL, "limit", "buy", 0.05, 1000.0)
    finally:
        await client.close()


async def amount_held(exchange: Any) -> float:
    """The signed position."""
    return sum(
        one["contracts"] * (1 if one["side"] == "long" else -1) for one in await exchange.fetch_positions([SYMBOL])
    )


async def after_the_answer(exchange: Any, symbol: str) -> None:
    """Wait until the venue answers a subscription sent after those before it, on the same connection.

    ``symbol`` is one that nobody watches yet, so that the answer is to this subscription. Tasks start in turn.
    """
    async with asyncio.timeout(WAIT_S):
        await asyncio.create_task(exchange.watch_ticker(symbol))
