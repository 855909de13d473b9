"""The venue trading on the paper venue over real sockets: what it is told must be what the exchange's books say."""

import asyncio
import itertools
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest

from gateways.contracts import round_price
from gateways.errors import Denied, NotFound, Rejected
from gateways.hyperliquid.venue import HyperliquidVenue
from gateways.standards import (
    AmendOrder,
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
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def endpoints() -> Iterator[Endpoints]:
    """A paper venue in its own process, ended with the tests."""
    command = [sys.executable, "-m", "gateways.paper", "--venues", "hyperliquid", "--seed", "7", "--with-parent"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own interpreter
        try:
            assert process.stdout is not None
            fields = json.loads(process.stdout.readline())["venues"]["hyperliquid"]
            yield Endpoints(rest=fields["rest"], ws=fields["ws"], key=fields["key"], secret=fields["secret"])
        finally:
            process.terminate()


@pytest.fixture
def recorder() -> Desk:
    """Who is told of everything."""
    return Desk()


@pytest.fixture
async def venue(endpoints: Endpoints, recorder: Desk) -> AsyncIterator[HyperliquidVenue]:
    """A connected venue that watches ETH and ends without open orders."""
    connected = HyperliquidVenue("hl", endpoints)
    await connected.connect(recorder.sink, recorder)
    await connected.subscribe("ETH")
    await recorder.facts.until(lambda: recorder.of(QuoteUpdate))
    yield connected
    await connected.cancel_all("ETH")
    await connected.close()


async def eth(venue: HyperliquidVenue, amount: str, away: str = "1", **changes: Any) -> PlaceOrder:
    """A limit order in ETH at the market times ``away``, under a fresh id."""
    reference = await venue.reference_price("ETH")
    assert reference is not None
    price = round_price(venue.contracts["ETH"], reference * D(away))
    fields: dict[str, Any] = {"ticker": "ETH", "cloid": f"{next(_numbers):032x}", "amount": D(amount), "price": price}
    return PlaceOrder(**{**fields, **changes})


def market(amount: str, **changes: Any) -> PlaceOrder:
    """A market order in ETH under a fresh id."""
    cloid = f"{next(_numbers):032x}"
    return PlaceOrder(ticker="ETH", cloid=cloid, amount=D(amount), kind=OrderKind.MARKET, **changes)


def told(recorder: Desk, cloid: str) -> list[OrderUpdate]:
    """What the stream said of an order."""
    return [update for update in recorder.of(OrderUpdate) if update.cloid == cloid]


async def test_public_data_flows(venue: HyperliquidVenue, recorder: Desk) -> None:
    """Books, best prices, trades and marks of the contract that is watched, and of no other."""
    for kind in (BookUpdate, TradeEvent, MarkUpdate):
        await recorder.facts.until(lambda wanted=kind: recorder.of(wanted))
    assert {event.ticker for event in recorder.events if hasattr(event, "ticker")} == {"ETH"}
    best = recorder.of(BookUpdate)[-1]
    assert best.bids[0].price < best.asks[0].price
    assert recorder.dropped == []


async def test_the_life_of_a_resting_order(venue: HyperliquidVenue, recorder: Desk) -> None:
    """Placed, found by both ids, changed under a new oid, cancelled: stream and questions say the same."""
    order = await eth(venue, "0.05", "0.9", post_only=True)
    placed = await venue.place(order)
    assert placed.oid is not None
    for found in (await venue.order("ETH", cloid=order.cloid), await venue.order("ETH", oid=placed.oid)):
        assert (found.status, found.oid, found.cloid) == (OrderStatus.NEW, placed.oid, order.cloid)
        assert (found.amount, found.price, found.filled, found.post_only) == (D("0.05"), order.price, 0, True)
    assert order.price is not None
    change = AmendOrder(
        ticker="ETH", cloid=order.cloid, oid=placed.oid, amount=D("0.06"), price=order.price - 1, post_only=True
    )
    changed = await venue.amend(change)
    assert changed.oid not in {None, placed.oid}
    (resting,) = await venue.open_orders("ETH")
    assert (resting.oid, resting.cloid, resting.amount) == (changed.oid, order.cloid, D("0.06"))
    await venue.cancel(CancelOrder(ticker="ETH", cloid=order.cloid))
    await recorder.facts.until(lambda: told(recorder, order.cloid)[-1].oid == changed.oid)
    await recorder.facts.until(lambda: told(recorder, order.cloid)[-1].status is OrderStatus.CANCELLED)
    assert (await venue.order("ETH", oid=changed.oid)).status is OrderStatus.CANCELLED
    assert await venue.open_orders() == []


async def test_a_hedge_at_the_market(venue: HyperliquidVenue, recorder: Desk) -> None:
    """Answer, stream, fills and position agree on what was traded; closing it says that the position is zero."""
    opened = await venue.place(order := market("-0.0137"), hedge=True)
    assert (opened.status, opened.filled) == (OrderStatus.FILLED, D("-0.0137"))
    await recorder.facts.until(lambda: told(recorder, order.cloid))
    await recorder.facts.until(lambda: [fill for fill in recorder.of(FillEvent) if fill.cloid == order.cloid])
    update = told(recorder, order.cloid)[-1]
    assert (update.status, update.filled) == (OrderStatus.FILLED, D("-0.0137"))
    streamed = [fill for fill in recorder.of(FillEvent) if fill.cloid == order.cloid and not fill.snapshot]
    asked = [fill for fill in await venue.fills_since(0, "ETH") if fill.cloid == order.cloid]
    assert [(fill.trade_id, fill.amount, fill.fee) for fill in streamed] == [
        (fill.trade_id, fill.amount, fill.fee) for fill in asked
    ]
    assert sum(fill.amount for fill in streamed) == D("-0.0137")
    assert [(row.ticker, row.amount) for row in await venue.positions()] == [("ETH", D("-0.0137"))]
    await venue.place(market("0.0137", reduce_only=True))
    await recorder.facts.until(lambda: [row for row in recorder.of(PositionUpdate) if row.amount == 0])
    assert await venue.positions() == []
    (money,) = await venue.balances()
    assert money.available == money.total


async def test_an_ioc_that_finds_less_than_it_wants(venue: HyperliquidVenue, recorder: Desk) -> None:
    """The answer says how much was filled; what was not is gone, and every channel agrees."""
    book = await venue.book("ETH", 1)
    size = book.asks[0].quantity
    order = await eth(venue, str(size + 1), price=book.asks[0].price, tif=TimeInForce.IOC)
    placed = await venue.place(order)
    assert placed.filled is not None
    assert placed.status in {OrderStatus.CANCELLED, OrderStatus.FILLED}
    await recorder.facts.until(lambda: told(recorder, order.cloid))
    found = await venue.order("ETH", cloid=order.cloid)
    own = [fill.amount for fill in await venue.fills_since(0, "ETH") if fill.cloid == order.cloid]
    assert found.filled == placed.filled == sum(own)
    assert found.status is not None
    assert found.status.terminal
    await venue.place(market(str(-placed.filled), reduce_only=True))


@pytest.mark.parametrize(
    ("amount", "away", "changes", "reason"),
    [
        ("0.0001", "0.9", {}, RejectReason.MIN_NOTIONAL),
        ("5", "1.02", {"post_only": True}, RejectReason.POST_ONLY),
        ("0.05", "0.9", {"tif": TimeInForce.IOC}, RejectReason.NO_LIQUIDITY),
        ("0.05", "1.05", {"reduce_only": True}, RejectReason.REDUCE_ONLY),
        ("500000", "1.001", {}, RejectReason.MARGIN),
    ],
)
async def test_refusals_are_definite_and_have_a_reason(
    amount: str, away: str, changes: Any, reason: RejectReason, venue: HyperliquidVenue
) -> None:
    """What the venue refuses did not happen: no fill, no open order."""
    order = await eth(venue, amount, away, **changes)
    with pytest.raises(Rejected) as caught:
        await venue.place(order)
    assert caught.value.reason is reason
    assert await venue.open_orders() == []
    assert [fill for fill in await venue.fills_since(0) if fill.cloid == order.cloid] == []


async def test_orders_that_are_not_there(venue: HyperliquidVenue) -> None:
    """A cancel of one is refused, a question for one is answered by NotFound; FOK never leaves."""
    with pytest.raises(Rejected) as caught:
        await venue.cancel(CancelOrder(ticker="ETH", oid="999999"))
    assert caught.value.reason is RejectReason.UNKNOWN_ORDER
    with pytest.raises(NotFound):
        await venue.order("ETH", cloid="f" * 32)
    order = await eth(venue, "0.05", "0.9", tif=TimeInForce.FOK)
    with pytest.raises(Denied):
        await venue.place(order)


async def test_cancel_all_leaves_other_contracts_alone(venue: HyperliquidVenue) -> None:
    """Every order of the contract goes, none of another."""
    await asyncio.gather(*[venue.place(await eth(venue, "0.05", away)) for away in ("0.9", "0.91", "0.92")])
    other = PlaceOrder(ticker="SOL", cloid=f"{next(_numbers):032x}", amount=D("1"), price=D("50"), post_only=True)
    await venue.place(other)
    await venue.cancel_all("ETH")
    assert [order.cloid for order in await venue.open_orders()] == [other.cloid]
    await venue.cancel_all("SOL")
    assert await venue.open_orders() == []


async def test_a_new_connection_replays_the_fills_and_goes_on(venue: HyperliquidVenue, recorder: Desk) -> None:
    """What was missed comes as a replay and is marked so; the next order is news again."""
    first = market("0.02")
    await venue.place(first)
    await recorder.facts.until(lambda: told(recorder, first.cloid))
    link = venue._link
    assert link is not None
    down = len(recorder.states)
    link.private._stream.reconnect("a test cuts it")
    await recorder.facts.until(lambda: len(recorder.states) >= down + 4 and recorder.up(Channel.PRIVATE))
    await recorder.facts.until(
        lambda: [fill for fill in recorder.of(FillEvent) if fill.cloid == first.cloid and fill.snapshot]
    )
    second = market("-0.02", reduce_only=True)
    await venue.place(second)
    await recorder.facts.until(
        lambda: [fill for fill in recorder.of(FillEvent) if fill.cloid == second.cloid and not fill.snapshot]
    )
    assert await venue.positions() == []
