"""The venue on the paper exchange, end to end over sockets: what it says agrees with what the exchange's book says."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise

import pytest

from gateways.binance.venue import BinanceVenue
from gateways.errors import NotFound, Rejected
from gateways.router import load_endpoints
from gateways.standards import (
    AmendOrder,
    BalanceUpdate,
    BookUpdate,
    CancelOrder,
    FillEvent,
    MarkUpdate,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    PlaceOrder,
    PositionUpdate,
    PriceRule,
    PriceSide,
    QuoteUpdate,
    RejectReason,
    TimeInForce,
)
from gateways.venue import Channel, Endpoints
from tests.gateways.listening import Desk

D = Decimal
TICKER = "ETHUSDT"


def cloid(number: int) -> str:
    return f"{number:032x}"


@pytest.fixture
async def endpoints() -> AsyncIterator[Endpoints]:
    """A paper exchange in its own process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateways.paper",
        "--venues",
        "binance",
        "--seed",
        "7",
        stdout=asyncio.subprocess.PIPE,
        env=os.environ.copy(),
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            line = await process.stdout.readline()
        assert json.loads(line)
        yield load_endpoints(line)["binance"]
    finally:
        process.terminate()
        async with asyncio.timeout(10):
            await process.wait()


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@pytest.fixture
async def venue(endpoints: Endpoints, desk: Desk) -> AsyncIterator[BinanceVenue]:
    made = BinanceVenue("binance", endpoints)
    await made.connect(desk.sink, desk)
    try:
        yield made
    finally:
        await made.close()


def updates(desk: Desk, wanted: str) -> list[OrderUpdate]:
    return [event for event in desk.events if isinstance(event, OrderUpdate) and event.cloid == wanted]


def fills(desk: Desk, oid: str) -> dict[str, FillEvent]:
    return {event.trade_id: event for event in desk.events if isinstance(event, FillEvent) and event.oid == oid}


async def test_the_life_of_orders(venue: BinanceVenue, desk: Desk) -> None:
    """Market, post-only, amend, cancel: stream, replies, queries, fills, position and balance tell one story."""
    before = {each.asset: each.total for each in await venue.balances()}

    taken = await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(1), amount=D("0.05"), kind=OrderKind.MARKET))
    assert taken.status is OrderStatus.FILLED
    assert taken.filled == D("0.05")
    await desk.until(lambda: any(isinstance(each, PositionUpdate) for each in desk.events))
    await desk.until(
        lambda: any((each.label, each.status) == ("TRADE", OrderStatus.FILLED) for each in updates(desk, cloid(1)))
    )
    assert taken.oid is not None
    told = fills(desk, taken.oid)
    assert sum(fill.amount for fill in told.values()) == D("0.05")
    asked = await venue.fills_since(0, TICKER)
    assert {fill.trade_id: (fill.amount, fill.price) for fill in asked} == {
        fill.trade_id: (fill.amount, fill.price) for fill in told.values()
    }
    assert await venue.fills_since(0) == asked
    [position] = await venue.positions()
    assert (position.ticker, position.amount) == (TICKER, D("0.05"))
    fee = sum((fill.fee for fill in asked if fill.fee is not None), D(0))
    after = {each.asset: each.total for each in await venue.balances()}
    assert after["USDT"] == before["USDT"] - fee

    book = await venue.book(TICKER, 20)
    low = book.bids[-1].price
    rested = await venue.place(
        PlaceOrder(ticker=TICKER, cloid=cloid(2), amount=D("0.1"), price=low, post_only=True), hedge=True
    )
    assert (rested.status, rested.post_only) == (OrderStatus.NEW, True)
    assert rested.oid is not None
    amended = await venue.amend(
        AmendOrder(ticker=TICKER, cloid=cloid(2), oid=rested.oid, amount=D("0.12"), price=low - 1, post_only=True)
    )
    assert (amended.oid, amended.amount, amended.price) == (rested.oid, D("0.12"), low - 1)
    [open_order] = await venue.open_orders(TICKER)
    assert (open_order.cloid, open_order.amount) == (cloid(2), D("0.12"))
    cancelled = await venue.cancel(CancelOrder(ticker=TICKER, cloid=cloid(2)))
    assert cancelled is not None
    assert cancelled.status is OrderStatus.CANCELLED
    assert (await venue.order(TICKER, cloid=cloid(2))).status is OrderStatus.CANCELLED
    await desk.until(lambda: any(each.status is OrderStatus.CANCELLED for each in updates(desk, cloid(2))))
    assert [each.label for each in updates(desk, cloid(2)) if each.label == "AMENDMENT"]
    assert any(isinstance(each, BalanceUpdate) for each in desk.events)


async def test_refusals(venue: BinanceVenue) -> None:
    """Each refusal of the exchange has its reason; what never was is not found."""
    book = await venue.book(TICKER, 20)
    low, high = book.bids[-1].price, book.asks[-1].price
    refused = [
        ({"amount": D("0.1"), "price": high, "post_only": True}, RejectReason.POST_ONLY),
        ({"amount": D("0.001"), "price": low}, RejectReason.MIN_NOTIONAL),
        ({"amount": D("0.1"), "price": low, "reduce_only": True}, RejectReason.REDUCE_ONLY),
        ({"amount": D(9_000), "price": low}, RejectReason.MARGIN),
        ({"amount": D("0.0001"), "price": low}, RejectReason.LOT),
    ]
    for number, (terms, reason) in enumerate(refused):
        with pytest.raises(Rejected) as raised:
            await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(100 + number), **terms))
        assert raised.value.reason is reason
        with pytest.raises(NotFound):
            await venue.order(TICKER, cloid=cloid(100 + number))
    with pytest.raises(Rejected) as raised:
        await venue.cancel(CancelOrder(ticker=TICKER, cloid=cloid(999)))
    assert raised.value.reason is RejectReason.UNKNOWN_ORDER


async def test_ways_to_price(venue: BinanceVenue) -> None:
    """Price rules are matched by the exchange; IOC takes what is there; fill-or-kill takes all or nothing."""
    best = (await venue.book(TICKER, 5)).bids[0].price
    queued = await venue.place(
        PlaceOrder(ticker=TICKER, cloid=cloid(1), amount=D("0.1"), price_rule=PriceRule(PriceSide.QUEUE, 5))
    )
    assert queued.price is not None
    assert abs(queued.price - best) < best / 100
    await venue.cancel_all(TICKER)
    assert await venue.open_orders() == []
    asks = (await venue.book(TICKER, 20)).asks
    sweep = await venue.place(
        PlaceOrder(ticker=TICKER, cloid=cloid(2), amount=D("0.1"), price=asks[-1].price, tif=TimeInForce.IOC)
    )
    assert (sweep.status, sweep.filled) == (OrderStatus.FILLED, D("0.1"))
    missed = await venue.place(
        PlaceOrder(ticker=TICKER, cloid=cloid(3), amount=D("0.1"), price=best - 100, tif=TimeInForce.IOC)
    )
    assert (missed.status, missed.filled) == (OrderStatus.EXPIRED, D(0))


async def test_public_data_and_its_chain(venue: BinanceVenue, desk: Desk) -> None:
    """Quotes, depth and marks come; each depth update follows the one before."""
    await venue.subscribe(TICKER)
    kinds = (QuoteUpdate, BookUpdate, MarkUpdate)
    await desk.until(lambda: all(any(isinstance(event, kind) for event in desk.events) for kind in kinds))
    await desk.until(lambda: sum(isinstance(event, BookUpdate) for event in desk.events) >= 5)
    depth = [event for event in desk.events if isinstance(event, BookUpdate)]
    assert all(later.prev_seq == earlier.last_seq for earlier, later in pairwise(depth))
    price = await venue.reference_price(TICKER)
    assert price is not None
    assert all(not batch.private for batch in desk.batches)


async def test_a_fill_while_the_private_stream_was_down_is_found(venue: BinanceVenue, desk: Desk) -> None:
    """After a reconnect the missed fill is in the account's trades, and news flows again."""
    await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(1), amount=D("0.05"), kind=OrderKind.MARKET))
    venue._user_data.stream.reconnect("cut by the test")
    missed = await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(2), amount=D("0.05"), kind=OrderKind.MARKET))
    await desk.until(lambda: desk.states_of(Channel.PRIVATE) == [True, False, True])
    assert missed.oid in {fill.oid for fill in await venue.fills_since(0, TICKER)}
    await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(3), amount=D("-0.1"), kind=OrderKind.MARKET))
    await desk.until(lambda: any(each.label == "TRADE" for each in updates(desk, cloid(3))))
    assert await venue.positions() == []
