"""Every venue on the paper exchange, end to end over sockets: what it says agrees with what the exchange's book says.

What only one venue does stands in its folder.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from gateways.errors import Denied, NotFound, Rejected
from gateways.standards import (
    AmendOrder,
    BalanceUpdate,
    BookUpdate,
    CancelOrder,
    Event,
    FillEvent,
    MarkUpdate,
    OrderKind,
    OrderStatus,
    PositionUpdate,
    PriceRule,
    PriceSide,
    QuoteUpdate,
    RejectReason,
    TimeInForce,
    TradeEvent,
)
from gateways.venue import Channel, Endpoints
from tests.gateways.on_paper import MANNERS, OnPaper, connected_to, paper_process, trading

D = Decimal


PUBLIC = (QuoteUpdate, BookUpdate, MarkUpdate, TradeEvent)


def lately() -> int:
    """An hour ago: since then few pages have to be asked for."""
    return time.time_ns() - 3_600_000_000_000


@pytest.fixture(params=sorted(MANNERS))
async def paper(request: pytest.FixtureRequest) -> AsyncIterator[OnPaper]:
    """Each venue in turn (or those that a test names), on an exchange of its own."""
    async with trading(request.param) as made:
        yield made


async def test_the_contracts_are_read(paper: OnPaper) -> None:
    """Tick, lot, limits and minimum are those that the venue publishes, in base units."""
    contract = paper.venue.contracts[paper.ticker]
    expected = {"base": "ETH", "quote": "USDT", "trading": True, "tick_size": D("0.01")} | paper.manners.contract
    assert {name: getattr(contract, name) for name in expected} == expected


async def test_the_life_of_orders(paper: OnPaper) -> None:
    """Market, post-only, amend, cancel: stream, replies, queries, fills, position and balance tell one story."""
    venue, desk, manners = paper.venue, paper.desk, paper.manners
    before = {each.asset: each.total for each in await venue.balances()}

    market = paper.order(manners.amount)
    taken = await venue.place(market)
    filled = market.amount if manners.on_market is OrderStatus.FILLED else None
    assert (taken.status, taken.cloid, taken.filled) == (manners.on_market, market.cloid, filled)
    assert taken.amount == (market.amount if manners.replies_with_terms else None)
    ended = await paper.told(market.cloid, OrderStatus.FILLED, manners.traded)
    assert (ended.oid, ended.filled) == (taken.oid, market.amount)
    assert ended.kind is (OrderKind.MARKET if manners.tells_terms else None)
    await desk.until(lambda: sum(fill.amount for fill in paper.fills(market.cloid).values()) == market.amount)
    executed = paper.fills(market.cloid)
    assert all(fill.oid == taken.oid and fill.is_maker is False for fill in executed.values())
    assert all(fill.fee is not None and fill.fee > 0 for fill in executed.values())
    await desk.until(lambda: any(each.amount for each in desk.of(PositionUpdate)))
    asked = await paper.asked()
    assert {fill.trade_id: (fill.amount, fill.price, fill.fee) for fill in asked} == {
        fill.trade_id: (fill.amount, fill.price, fill.fee) for fill in executed.values()
    }
    assert await venue.fills_since(0) == asked
    [position] = await venue.positions()
    assert (position.ticker, position.amount, position.side) == (paper.ticker, market.amount, "net")
    fee = sum((fill.fee for fill in asked if fill.fee is not None), D(0))
    after = {each.asset: each.total for each in await venue.balances()}
    assert after[manners.asset] == (before[manners.asset] - fee).quantize(manners.asset_unit)

    away = await paper.away()
    maker = paper.order("0.1", away, post_only=True)
    rested = await venue.place(maker, hedge=True)
    terms = (OrderStatus.NEW, True) if manners.replies_with_terms else (None, None)
    assert (rested.status, rested.post_only) == terms
    assert rested.oid is not None
    resting = await paper.told(maker.cloid, OrderStatus.NEW)
    assert resting.post_only or not manners.tells_terms
    for named in ({"cloid": maker.cloid}, {"oid": rested.oid}):
        found = await venue.order(paper.ticker, **named)
        assert (found.status, found.oid, found.cloid) == (OrderStatus.NEW, rested.oid, maker.cloid)
        assert (found.amount, found.price, found.filled, found.post_only) == (maker.amount, away, 0, True)
    change = AmendOrder(
        ticker=paper.ticker, cloid=maker.cloid, oid=rested.oid, amount=D("0.12"), price=away - 1, post_only=True
    )
    amended = await venue.amend(change)
    assert amended.oid is not None
    assert (amended.oid == rested.oid) is venue.capabilities.amend_keeps_oid
    assert (amended.amount, amended.price) == ((D("0.12"), away - 1) if manners.replies_with_terms else (None, None))
    [rests] = await venue.open_orders(paper.ticker)
    assert (rests.oid, rests.cloid, rests.amount) == (amended.oid, maker.cloid, D("0.12"))
    assert (rests.price, rests.post_only) == (away - 1, True)
    word, times = manners.amended
    await desk.until(lambda: any((each.amount, each.label) == (D("0.12"), word) for each in paper.updates(maker.cloid)))
    cancelled = await venue.cancel(CancelOrder(ticker=paper.ticker, cloid=maker.cloid))
    assert (cancelled and cancelled.status) is manners.on_cancel
    await desk.until(
        lambda: (
            [each.oid for each in paper.updates(maker.cloid) if each.status is OrderStatus.CANCELLED][-1:]
            == [amended.oid]
        )
    )
    for named in ({"cloid": maker.cloid}, {"oid": amended.oid}):
        assert (await venue.order(paper.ticker, **named)).status is OrderStatus.CANCELLED
    assert [each.label for each in paper.updates(maker.cloid) if each.ts_venue_ns].count(word) == times
    assert await venue.open_orders() == []
    await desk.until(lambda: desk.of(BalanceUpdate))
    assert desk.dropped == []


@pytest.mark.parametrize("paper", ["bybit", "okx"], indirect=True)
async def test_orders_by_http_while_the_order_socket_is_down(paper: OnPaper) -> None:
    """Placing, changing and cancelling work without it, and are told by the stream in the same way."""
    venue, away = paper.venue, await paper.away()
    await venue._entry.stream.close()
    order = paper.order("0.1", away)
    rested = await venue.place(order)
    assert rested.oid is not None
    amended = await venue.amend(
        AmendOrder(ticker=paper.ticker, cloid=order.cloid, oid=rested.oid, amount=D("0.2"), price=away - 1)
    )
    assert amended.oid == rested.oid
    assert amended.amount == (D("0.2") if paper.manners.replies_with_terms else None)
    await venue.cancel(CancelOrder(ticker=paper.ticker, oid=rested.oid))
    assert (await paper.told(order.cloid, OrderStatus.CANCELLED)).amount == D("0.2")


Terms = Callable[[Decimal, Decimal], dict[str, Any]]

REFUSED: list[tuple[str, str, Terms, RejectReason]] = [
    ("binance", "0.1", lambda low, high: {"price": high, "post_only": True}, RejectReason.POST_ONLY),
    ("binance", "0.001", lambda low, high: {"price": low}, RejectReason.MIN_NOTIONAL),
    ("binance", "0.1", lambda low, high: {"price": low, "reduce_only": True}, RejectReason.REDUCE_ONLY),
    ("binance", "9000", lambda low, high: {"price": low}, RejectReason.MARGIN),
    ("binance", "0.0001", lambda low, high: {"price": low}, RejectReason.LOT),
    ("bybit", "0.1", lambda low, high: {"price": low, "reduce_only": True}, RejectReason.REDUCE_ONLY),
    ("bybit", "7000", lambda low, high: {"price": low}, RejectReason.MARGIN),
    ("bybit", "0.1", lambda low, high: {"price": low + D("0.001")}, RejectReason.TICK),
    ("bybit", "0.015", lambda low, high: {"price": low}, RejectReason.LOT),
    ("bybit", "0.001", lambda low, high: {"price": low}, RejectReason.LOT),
    ("bybit", "0.1", lambda low, high: {"price": low * 2}, RejectReason.PRICE_BAND),
    ("bybit", "0.01", lambda low, high: {"price": D(400)}, RejectReason.MIN_NOTIONAL),
    ("hyperliquid", "0.0001", lambda low, high: {"price": low}, RejectReason.MIN_NOTIONAL),
    ("hyperliquid", "5", lambda low, high: {"price": high, "post_only": True}, RejectReason.POST_ONLY),
    ("hyperliquid", "0.05", lambda low, high: {"price": low - 50, "tif": TimeInForce.IOC}, RejectReason.NO_LIQUIDITY),
    ("hyperliquid", "0.05", lambda low, high: {"price": high, "reduce_only": True}, RejectReason.REDUCE_ONLY),
    ("hyperliquid", "500000", lambda low, high: {"price": high}, RejectReason.MARGIN),
    ("okx", "0.1", lambda low, high: {"price": low, "reduce_only": True}, RejectReason.REDUCE_ONLY),
    ("okx", "9000", lambda low, high: {"price": low}, RejectReason.MARGIN),
    ("okx", "0.1", lambda low, high: {"price": low + D("0.001")}, RejectReason.TICK),
    ("okx", "0.1", lambda low, high: {"price": low * 2}, RejectReason.PRICE_BAND),
]


MET_THE_BOOK = {("hyperliquid", RejectReason.POST_ONLY), ("hyperliquid", RejectReason.NO_LIQUIDITY)}
"""Refusals of orders that were orders: the venue knows them."""


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest) -> Iterator[tuple[str, Endpoints]]:
    """An exchange for tests that leave nothing on it."""
    with paper_process(request.param) as endpoints:
        yield request.param, endpoints


@pytest.mark.parametrize(
    ("shared", "amount", "terms", "reason"),
    REFUSED,
    indirect=["shared"],
    ids=[f"{kind}-{amount}-{reason.name}" for kind, amount, _, reason in REFUSED],
)
async def test_a_refusal_is_definite_and_has_its_reason(
    shared: tuple[str, Endpoints], amount: str, terms: Terms, reason: RejectReason
) -> None:
    """What the exchange refuses did not happen: no order, none to cancel, no fill."""
    async with connected_to(*shared) as paper:
        venue = paper.venue
        book = await venue.book(paper.ticker, 20)
        order = paper.order(amount, **terms(book.bids[-1].price, book.asks[-1].price))
        with pytest.raises(Rejected) as raised:
            await venue.place(order)
        assert raised.value.reason is reason
        with pytest.raises(Rejected) as raised:
            await venue.cancel(CancelOrder(ticker=paper.ticker, cloid=order.cloid))
        assert raised.value.reason is RejectReason.UNKNOWN_ORDER
        assert await venue.open_orders() == []
        assert await venue.fills_since(lately()) == []
        if (paper.kind, reason) not in MET_THE_BOOK:
            with pytest.raises(NotFound):
                await venue.order(paper.ticker, cloid=order.cloid)


@pytest.mark.parametrize("shared", sorted(MANNERS), indirect=True)
async def test_orders_that_are_not_there(shared: tuple[str, Endpoints]) -> None:
    """What never was is not found; neither it nor what is cancelled already can be cancelled or changed."""
    async with connected_to(*shared) as paper:
        venue, away = paper.venue, await paper.away()
        never, over = paper.order("0.1", away), paper.order("0.1", away)
        await venue.place(over)
        await venue.cancel_all(paper.ticker)
        with pytest.raises(NotFound):
            await venue.order(paper.ticker, cloid=never.cloid)
        for gone in ({"cloid": never.cloid}, {"cloid": over.cloid}, {"oid": "999999"}):
            with pytest.raises(Rejected) as raised:
                await venue.cancel(CancelOrder(ticker=paper.ticker, **gone))
            assert raised.value.reason is RejectReason.UNKNOWN_ORDER
        oid = "999999" if paper.kind == "hyperliquid" else ""
        with pytest.raises(Rejected) as raised:
            await venue.amend(AmendOrder(ticker=paper.ticker, cloid=never.cloid, oid=oid, amount=D(1), price=away))
        assert raised.value.reason is RejectReason.UNKNOWN_ORDER


@pytest.mark.parametrize("paper", ["bybit", "okx"], indirect=True)
async def test_what_an_orders_own_terms_end_is_cancelled_with_its_reason(paper: OnPaper) -> None:
    """Post-only that would take, IOC and FOK that find too little: taken, and then cancelled by the venue."""
    away, high = await paper.away(), (await paper.venue.book(paper.ticker, 20)).asks[-1].price
    for terms, reason in (
        ({"price": high, "post_only": True}, RejectReason.POST_ONLY),
        ({"price": away, "tif": TimeInForce.IOC}, RejectReason.NO_LIQUIDITY),
        ({"price": away, "tif": TimeInForce.FOK}, RejectReason.NO_LIQUIDITY),
    ):
        order = paper.order("0.1", **terms)
        await paper.venue.place(order)
        ended = await paper.told(order.cloid, OrderStatus.CANCELLED)
        assert (ended.filled, ended.reason) == (D(0), reason)
    sweep = paper.order("0.1", high, tif=TimeInForce.IOC)
    await paper.venue.place(sweep)
    assert (await paper.told(sweep.cloid, OrderStatus.FILLED)).filled == D("0.1")


@pytest.mark.parametrize("paper", ["binance", "bybit"], indirect=True)
async def test_price_rules_are_matched_by_the_exchange(paper: OnPaper) -> None:
    """A level of the own side rests there; one of the other side takes."""
    venue = paper.venue
    best = (await venue.book(paper.ticker, 5)).bids[0].price
    queued = paper.order("0.1", price_rule=PriceRule(PriceSide.QUEUE, 5))
    reply = await venue.place(queued)
    resting = await paper.told(queued.cloid, OrderStatus.NEW)
    assert resting.price is not None
    assert abs(resting.price - best) < best / 100
    assert reply.price == (resting.price if paper.manners.replies_with_terms else None)
    await venue.cancel_all(paper.ticker)
    assert await venue.open_orders() == []
    taking = paper.order("0.01", price_rule=PriceRule(PriceSide.OPPONENT, 5))
    await venue.place(taking)
    await paper.told(taking.cloid, OrderStatus.FILLED)


async def test_all_orders_of_a_contract_are_cancelled(paper: OnPaper) -> None:
    """Every order of the contract, more than a page or a batch of them where that is few; another's stay."""
    venue, many = paper.venue, paper.manners.many
    away, (ticker, amount) = await paper.away(), paper.manners.other
    orders = [paper.order("0.01", away - number) for number in range(many)]
    await asyncio.gather(*map(venue.place, orders))
    other = paper.order(amount, await paper.away(ticker), ticker=ticker, post_only=True)
    await venue.place(other)
    assert len(await venue.open_orders()) == many + 1
    await venue.cancel_all(paper.ticker)
    assert [each.cloid for each in await venue.open_orders()] == [other.cloid]
    await paper.told(orders[-1].cloid, OrderStatus.CANCELLED)
    await venue.cancel_all(ticker)
    assert await venue.open_orders() == []


@pytest.mark.parametrize("paper", ["bybit", "okx"], indirect=True)
async def test_the_dead_mans_switch_is_set_and_taken_back(paper: OnPaper) -> None:
    """The venue takes a time within its limits."""
    await paper.venue.arm_dead_man(10, None)
    with pytest.raises(Denied):
        await paper.venue.arm_dead_man(paper.manners.too_short_s, None)
    await asyncio.wait_for(paper.venue.disarm_dead_man(None), 5)


async def test_public_data_and_its_chain(paper: OnPaper) -> None:
    """Quotes, depth, marks and trades of the contract come; each depth update follows the one before."""
    venue, desk, manners = paper.venue, paper.desk, paper.manners
    await venue.subscribe(paper.ticker)
    await desk.until(lambda: all(desk.of(kind) for kind in PUBLIC))
    await desk.until(lambda: len(desk.of(BookUpdate)) >= 5)
    news: list[Event] = [event for event in desk.events if hasattr(event, "ticker")]
    assert {event.ticker for event in news} == {paper.ticker}
    depth = desk.of(BookUpdate)
    if manners.chained:
        assert depth[0].snapshot is manners.starts_whole
        assert not any(each.snapshot for each in depth[1:])
        assert all(later.prev_seq == earlier.last_seq for earlier, later in pairwise(depth))
    else:
        assert all(each.snapshot and each.bids[0].price < each.asks[0].price for each in depth)
    fresh = await venue.book(paper.ticker, 50)
    assert (fresh.snapshot, len(fresh.bids) > 5) == (True, True)
    price = await venue.reference_price(paper.ticker)
    assert price is not None
    quote = desk.of(QuoteUpdate)[0]
    assert quote.bid is not None
    assert all(abs(bid.price - price) < price / 100 for bid in (quote.bid, fresh.bids[0]))
    private = [batch for batch in desk.batches if batch.private]
    assert private == [] or manners.tells_account_at_once
    assert not any(isinstance(event, PUBLIC) for batch in private for event in batch.events)
    assert desk.dropped == []


async def test_a_fill_while_the_private_stream_was_down_is_found(paper: OnPaper) -> None:
    """After a reconnect the missed fill is in the account's trades, and news flows again."""
    venue, desk = paper.venue, paper.desk
    await venue.place(paper.order("0.05"))
    paper.manners.private_channel(venue).reconnect("cut by the test")
    missed = await venue.place(paper.order("0.05"))
    await desk.until(lambda: desk.states_of(Channel.PRIVATE) == [True, False, True])
    assert missed.oid in {fill.oid for fill in await paper.asked()}
    last = paper.order("-0.1")
    await venue.place(last)
    await paper.told(last.cloid, OrderStatus.FILLED, paper.manners.traded)
    await desk.until(lambda: [fill for fill in desk.of(FillEvent) if fill.cloid == last.cloid and not fill.snapshot])
    assert await venue.positions() == []
