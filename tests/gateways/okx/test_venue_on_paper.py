"""The venue on the paper exchange, end to end over sockets: what it says agrees with what the exchange's book says."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise

import pytest

from gateways.errors import Denied, NotFound, Rejected, VenueError
from gateways.okx.venue import OkxVenue
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
    QuoteUpdate,
    RejectReason,
    TimeInForce,
    TradeEvent,
)
from gateways.venue import Channel, Endpoints
from tests.gateways.listening import Desk

D = Decimal
TICKER = "ETH-USDT-SWAP"


def cloid(number: int) -> str:
    return f"{number:032x}"


@pytest.fixture
async def endpoints() -> AsyncIterator[Endpoints]:
    """A paper exchange in its own process."""
    command = [sys.executable, "-m", "gateways.paper", "--venues", "okx", "--seed", "7", "--with-parent"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=os.environ.copy())
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            line = await process.stdout.readline()
        assert json.loads(line)
        yield load_endpoints(line)["okx"]
    finally:
        process.terminate()
        async with asyncio.timeout(10):
            await process.wait()


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@pytest.fixture
async def venue(endpoints: Endpoints, desk: Desk) -> AsyncIterator[OkxVenue]:
    made = OkxVenue("okx", endpoints)
    await made.connect(desk.sink, desk)
    try:
        yield made
    finally:
        await made.close()


def updates(desk: Desk, wanted: str) -> list[OrderUpdate]:
    return [event for event in desk.events if isinstance(event, OrderUpdate) and event.cloid == wanted]


def fills(desk: Desk, wanted: str) -> dict[str, FillEvent]:
    return {event.trade_id: event for event in desk.events if isinstance(event, FillEvent) and event.cloid == wanted}


async def told(desk: Desk, wanted: str, status: OrderStatus) -> OrderUpdate:
    """Wait until the stream tells that an order has a status; the order as it was told."""
    await desk.until(lambda: any(each.status is status for each in updates(desk, wanted)))
    return next(each for each in updates(desk, wanted) if each.status is status)


async def test_the_contracts_are_in_base_units(venue: OkxVenue) -> None:
    """What is published in contracts is a lot of base units here, with its code for the websocket."""
    contract = venue.contracts[TICKER]
    assert (contract.base, contract.quote, contract.trading) == ("ETH", "USDT", True)
    assert (contract.lot_size, contract.min_quantity, contract.tick_size) == (D("0.001"), D("0.001"), D("0.01"))
    assert (contract.multiplier, contract.venue_id) == (D("0.1"), "10461")


async def test_the_life_of_orders(venue: OkxVenue, desk: Desk) -> None:
    """Market, post-only, amend, cancel: stream, replies, queries, fills, position and balance tell one story."""
    before = {each.asset: each.total for each in await venue.balances()}

    taken = await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(1), amount=D("0.053"), kind=OrderKind.MARKET))
    assert (taken.status, taken.amount) == (OrderStatus.NEW, D("0.053"))
    ended = await told(desk, cloid(1), OrderStatus.FILLED)
    assert (ended.oid, ended.filled, ended.kind) == (taken.oid, D("0.053"), OrderKind.MARKET)
    executed = fills(desk, cloid(1))
    assert sum(fill.amount for fill in executed.values()) == D("0.053")
    assert all(fill.is_maker is False and fill.fee is not None and fill.fee > 0 for fill in executed.values())
    await desk.until(lambda: any(isinstance(each, PositionUpdate) and each.amount for each in desk.events))
    asked = await venue.fills_since(0, TICKER)
    assert {fill.trade_id: (fill.amount, fill.price, fill.fee) for fill in asked} == {
        fill.trade_id: (fill.amount, fill.price, fill.fee) for fill in executed.values()
    }
    assert await venue.fills_since(0) == asked
    [position] = await venue.positions()
    assert (position.ticker, position.amount, position.side) == (TICKER, D("0.053"), "net")
    fee = sum((fill.fee for fill in asked if fill.fee is not None), D(0))
    after = {each.asset: each.total for each in await venue.balances()}
    assert after["USDT"] == before["USDT"] - fee

    book = await venue.book(TICKER, 20)
    low = book.bids[-1].price
    rested = await venue.place(
        PlaceOrder(ticker=TICKER, cloid=cloid(2), amount=D("0.1"), price=low, post_only=True), hedge=True
    )
    assert rested.oid is not None
    amended = await venue.amend(
        AmendOrder(ticker=TICKER, cloid=cloid(2), oid=rested.oid, amount=D("0.12"), price=low - 1, post_only=True)
    )
    assert (amended.oid, amended.amount, amended.price) == (rested.oid, D("0.12"), low - 1)
    [open_order] = await venue.open_orders(TICKER)
    assert (open_order.cloid, open_order.amount, open_order.post_only) == (cloid(2), D("0.12"), True)
    await venue.cancel(CancelOrder(ticker=TICKER, cloid=cloid(2)))
    await told(desk, cloid(2), OrderStatus.CANCELLED)
    for named in ({"cloid": cloid(2)}, {"oid": rested.oid}):
        assert (await venue.order(TICKER, **named)).status is OrderStatus.CANCELLED
    assert [each.label for each in updates(desk, cloid(2))].count("AMENDMENT") == 1
    assert any(isinstance(each, BalanceUpdate) for each in desk.events)


async def test_an_amend_that_changes_nothing_is_answered(venue: OkxVenue) -> None:
    """Asked for the terms that it has, an order stays as it is, and the news of the amend comes all the same."""
    low = (await venue.book(TICKER, 20)).bids[-1].price
    order = PlaceOrder(ticker=TICKER, cloid=cloid(1), amount=D("0.1"), price=low)
    rested = await venue.place(order)
    assert rested.oid is not None
    same = AmendOrder(ticker=TICKER, cloid=cloid(1), oid=rested.oid, amount=D("0.1"), price=low)
    assert ((await venue.amend(same)).amount, (await venue.open_orders())[0].price) == (D("0.1"), low)


async def test_orders_by_http_while_the_order_socket_is_down(venue: OkxVenue, desk: Desk) -> None:
    """Placing, changing and cancelling work without it, and are told by the stream in the same way."""
    await venue._entry.stream.close()
    low = (await venue.book(TICKER, 20)).bids[-1].price
    rested = await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(1), amount=D("0.1"), price=low))
    assert rested.oid is not None
    amended = await venue.amend(
        AmendOrder(ticker=TICKER, cloid=cloid(1), oid=rested.oid, amount=D("0.2"), price=low - 1)
    )
    assert (amended.oid, amended.amount) == (rested.oid, D("0.2"))
    await venue.cancel(CancelOrder(ticker=TICKER, oid=rested.oid))
    await told(desk, cloid(1), OrderStatus.CANCELLED)


async def test_refusals(venue: OkxVenue) -> None:
    """Each refusal of the exchange has its reason; what never was is not found."""
    book = await venue.book(TICKER, 20)
    low = book.bids[-1].price
    refused = [
        ({"amount": D("0.1"), "price": low, "reduce_only": True}, RejectReason.REDUCE_ONLY),
        ({"amount": D(9_000), "price": low}, RejectReason.MARGIN),
        ({"amount": D("0.1"), "price": low + D("0.001")}, RejectReason.TICK),
        ({"amount": D("0.1"), "price": low * 2}, RejectReason.PRICE_BAND),
    ]
    for number, (terms, reason) in enumerate(refused):
        with pytest.raises(Rejected) as raised:
            await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(100 + number), **terms))
        assert raised.value.reason is reason
        with pytest.raises(NotFound):
            await venue.order(TICKER, cloid=cloid(100 + number))
    await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(200), amount=D("0.1"), price=low))
    with pytest.raises(VenueError, match="51016"):
        await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(200), amount=D("0.1"), price=low))
    for gone in (cloid(100), cloid(999)):
        with pytest.raises(Rejected) as raised:
            await venue.cancel(CancelOrder(ticker=TICKER, cloid=gone))
        assert raised.value.reason is RejectReason.UNKNOWN_ORDER
    with pytest.raises(Rejected) as raised:
        await venue.amend(AmendOrder(ticker=TICKER, cloid=cloid(999), oid="", amount=D(1), price=low))
    assert raised.value.reason is RejectReason.UNKNOWN_ORDER
    with pytest.raises(Denied):
        await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(300), amount=D("0.0005"), price=low))


async def test_what_an_orders_own_terms_end_is_cancelled_with_its_reason(venue: OkxVenue, desk: Desk) -> None:
    """Post-only that would take, IOC and FOK that find too little: taken, and then cancelled by the venue."""
    book = await venue.book(TICKER, 20)
    away = book.bids[0].price * D("0.98")
    away -= away % D("0.01")
    for number, (terms, reason) in enumerate(
        [
            ({"price": book.asks[-1].price, "post_only": True}, RejectReason.POST_ONLY),
            ({"price": away, "tif": TimeInForce.IOC}, RejectReason.NO_LIQUIDITY),
            ({"price": away, "tif": TimeInForce.FOK}, RejectReason.NO_LIQUIDITY),
        ]
    ):
        await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(number), amount=D("0.1"), **terms))
        ended = await told(desk, cloid(number), OrderStatus.CANCELLED)
        assert (ended.filled, ended.reason) == (D(0), reason)
    swept = PlaceOrder(ticker=TICKER, cloid=cloid(9), amount=D("0.1"), price=book.asks[-1].price, tif=TimeInForce.IOC)
    await venue.place(swept)
    assert (await told(desk, cloid(9), OrderStatus.FILLED)).filled == D("0.1")


async def test_all_orders_of_a_contract_are_cancelled(venue: OkxVenue, desk: Desk) -> None:
    """More than a batch holds, and orders of another contract stay."""
    low = (await venue.book(TICKER, 20)).bids[-1].price
    for number in range(23):
        await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(number), amount=D("0.01"), price=low - number))
    other = (await venue.book("BTC-USDT-SWAP", 20)).bids[-1].price
    await venue.place(PlaceOrder(ticker="BTC-USDT-SWAP", cloid=cloid(99), amount=D("0.001"), price=other))
    await venue.cancel_all(TICKER)
    assert [each.cloid for each in await venue.open_orders()] == [cloid(99)]
    await told(desk, cloid(22), OrderStatus.CANCELLED)


async def test_the_dead_mans_switch_is_set_and_taken_back(venue: OkxVenue) -> None:
    """The venue takes a time within its limits."""
    await venue.arm_dead_man(10, None)
    with pytest.raises(Denied):
        await venue.arm_dead_man(5, None)
    await asyncio.wait_for(venue.disarm_dead_man(None), 5)


async def test_public_data_and_its_chain(venue: OkxVenue, desk: Desk) -> None:
    """Quotes, depth, marks and trades come; each depth update follows the one before."""
    await venue.subscribe(TICKER)
    kinds = (QuoteUpdate, BookUpdate, MarkUpdate, TradeEvent)
    await desk.until(lambda: all(any(isinstance(event, kind) for event in desk.events) for kind in kinds))
    await desk.until(lambda: sum(isinstance(event, BookUpdate) for event in desk.events) >= 5)
    first, *later = (event for event in desk.events if isinstance(event, BookUpdate))
    assert first.snapshot
    assert not any(each.snapshot for each in later)
    assert all(after.prev_seq == before.last_seq for before, after in pairwise([first, *later]))
    quote = next(event for event in desk.events if isinstance(event, QuoteUpdate))
    price = await venue.reference_price(TICKER)
    assert price is not None
    assert quote.bid is not None
    assert abs(quote.bid.price - price) < price / 100
    public = (QuoteUpdate, BookUpdate, MarkUpdate, TradeEvent)
    assert all(not batch.private for batch in desk.batches if isinstance(batch.events[0], public))


async def test_a_fill_while_the_private_stream_was_down_is_found(venue: OkxVenue, desk: Desk) -> None:
    """After a reconnect the missed fill is in the account's trades, and news flows again."""
    await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(1), amount=D("0.05"), kind=OrderKind.MARKET))
    venue._private.stream.reconnect("cut by the test")
    missed = await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(2), amount=D("0.05"), kind=OrderKind.MARKET))
    await desk.until(lambda: desk.states_of(Channel.PRIVATE) == [True, False, True])
    assert missed.oid in {fill.oid for fill in await venue.fills_since(0, TICKER)}
    await venue.place(PlaceOrder(ticker=TICKER, cloid=cloid(3), amount=D("-0.1"), kind=OrderKind.MARKET))
    await told(desk, cloid(3), OrderStatus.FILLED)
    assert await venue.positions() == []
