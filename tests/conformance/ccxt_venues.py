"""ccxt.pro, as it is published, at a paper venue's addresses: nothing else of it is changed."""

import asyncio
from collections.abc import Callable
from typing import Any

import ccxt.pro

from gateways.venue import Endpoints

WAIT_S = 20
"""How long anything that ccxt waits for may take."""


def ccxt_client(kind: str, venue: Endpoints, **options: Any) -> Any:
    """ccxt.pro's client for a kind of venue, with the account that may trade there. Close it when done.

    ``options`` are ccxt's own, and stand before what is set here.
    """
    return _MADE[kind](venue, options)


async def best(client: Any, symbol: str) -> tuple[float, float]:
    """The best bid and ask of the book that ccxt keeps from the stream."""
    async with asyncio.timeout(WAIT_S):
        book = await client.watch_order_book(symbol)
    return book["bids"][0][0], book["asks"][0][0]


async def seen(client: Any, symbol: str, order_id: str, status: str) -> dict[str, Any]:
    """Wait until ``watch_orders`` tells that the order has the status; the order as it was told."""
    async with asyncio.timeout(WAIT_S):
        while True:
            for order in await client.watch_orders(symbol):
                if (order["id"], order["status"]) == (order_id, status):
                    return dict(order)


def _binance(venue: Endpoints, options: dict[str, Any]) -> Any:
    # Currencies are asked of the spot exchange, which is no part of this venue.
    client = ccxt.pro.binanceusdm(
        {"apiKey": venue.key, "secret": venue.secret, "options": {"fetchCurrencies": False}, **options}
    )
    api, ws = client.urls["api"], _ws(venue)
    for name in [name for name in api if name.startswith("fapi")]:
        api[name] = f"{venue.rest}/{api[name].split('/', 3)[3]}"
    api["ws"]["linear"] = ws["public"].removesuffix("/public") + "/ws"
    api["ws"]["ws-api"]["linear"] = ws["api"]
    return client


def _bybit(venue: Endpoints, options: dict[str, Any]) -> Any:
    client = ccxt.pro.bybit({"apiKey": venue.key, "secret": venue.secret, **options})
    api, ws = client.urls["api"], _ws(venue)
    for name in [name for name in api if name != "ws"]:
        api[name] = venue.rest
    api["ws"]["public"]["linear"] = ws["public"]
    api["ws"]["private"]["spot"]["unified"] = api["ws"]["private"]["contract"] = ws["private"]
    api["ws"]["private"]["trade"] = ws["trade"]
    return client


def _okx(venue: Endpoints, options: dict[str, Any]) -> Any:
    client = ccxt.pro.okx({"apiKey": venue.key, "secret": venue.secret, "password": venue.passphrase, **options})
    client.urls["api"] = {"rest": venue.rest, "ws": _ws(venue)["public"].removesuffix("/public")}
    return client


def _hyperliquid(venue: Endpoints, options: dict[str, Any]) -> Any:
    client = ccxt.pro.hyperliquid({"walletAddress": venue.key, "privateKey": venue.secret, **options})
    client.urls["api"] = {"public": venue.rest, "private": venue.rest, "ws": {"public": venue.ws}}
    return client


def _ws(venue: Endpoints) -> dict[str, str]:
    if isinstance(venue.ws, str):
        raise TypeError(f"one websocket address where several are needed: {venue.ws}")
    return venue.ws


_MADE: dict[str, Callable[[Endpoints, dict[str, Any]], Any]] = {
    "binance": _binance,
    "bybit": _bybit,
    "okx": _okx,
    "hyperliquid": _hyperliquid,
}
