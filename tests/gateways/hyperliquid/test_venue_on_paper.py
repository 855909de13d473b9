"""What only Hyperliquid does on the paper exchange: replies that say how much was filled, and fills told again."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from gateways.errors import Denied
from gateways.standards import FillEvent, OrderStatus, PositionUpdate, QuoteUpdate, TimeInForce
from gateways.venue import Channel
from tests.gateways.on_paper import OnPaper, trading

D = Decimal


@pytest.fixture
async def paper() -> AsyncIterator[OnPaper]:
    """A connected venue that watches ETH."""
    async with trading("hyperliquid") as made:
        await made.venue.subscribe("ETH")
        await made.desk.until(lambda: made.desk.of(QuoteUpdate))
        yield made


async def test_a_hedge_at_the_market(paper: OnPaper) -> None:
    """Answer, stream, fills and position agree on what was traded; closing it says that the position is zero."""
    venue, desk = paper.venue, paper.desk
    hedge = paper.order("-0.0137")
    opened = await venue.place(hedge, hedge=True)
    assert (opened.status, opened.filled) == (OrderStatus.FILLED, hedge.amount)
    await desk.until(lambda: paper.updates(hedge.cloid) and paper.fills(hedge.cloid))
    update = paper.updates(hedge.cloid)[-1]
    assert (update.status, update.filled) == (OrderStatus.FILLED, hedge.amount)
    streamed = [fill for fill in desk.of(FillEvent) if fill.cloid == hedge.cloid and not fill.snapshot]
    asked = [fill for fill in await venue.fills_since(0, "ETH") if fill.cloid == hedge.cloid]
    assert [(fill.trade_id, fill.amount, fill.fee) for fill in streamed] == [
        (fill.trade_id, fill.amount, fill.fee) for fill in asked
    ]
    assert sum(fill.amount for fill in streamed) == hedge.amount
    assert [(row.ticker, row.amount) for row in await venue.positions()] == [("ETH", hedge.amount)]
    await venue.place(paper.order("0.0137", reduce_only=True))
    await desk.until(lambda: [row for row in desk.of(PositionUpdate) if row.amount == 0])
    assert await venue.positions() == []
    (money,) = await venue.balances()
    assert money.available == money.total


async def test_an_ioc_that_finds_less_than_it_wants(paper: OnPaper) -> None:
    """The answer says how much was filled; what was not is gone, and every channel agrees."""
    venue = paper.venue
    best = (await venue.book("ETH", 1)).asks[0]
    order = paper.order(str(best.quantity + 1), best.price, tif=TimeInForce.IOC)
    placed = await venue.place(order)
    assert placed.filled is not None
    assert placed.status in {OrderStatus.CANCELLED, OrderStatus.FILLED}
    await paper.desk.until(lambda: paper.updates(order.cloid))
    found = await venue.order("ETH", cloid=order.cloid)
    own = [fill.amount for fill in await venue.fills_since(0, "ETH") if fill.cloid == order.cloid]
    assert found.filled == placed.filled == sum(own)
    assert found.status is not None
    assert found.status.terminal


async def test_an_order_that_must_fill_whole_does_not_leave(paper: OnPaper) -> None:
    """The venue has no fill-or-kill."""
    with pytest.raises(Denied):
        await paper.venue.place(paper.order("0.05", await paper.away(), tif=TimeInForce.FOK))


async def test_a_new_connection_replays_the_fills(paper: OnPaper) -> None:
    """What was told before comes as a replay and is marked so; the next order is news again."""
    venue, desk = paper.venue, paper.desk
    first, second = paper.order("0.02"), paper.order("-0.02", reduce_only=True)
    await venue.place(first)
    await desk.until(lambda: paper.updates(first.cloid))
    venue._link.private._stream.reconnect("a test cuts it")
    await desk.until(lambda: desk.states_of(Channel.PRIVATE) == [True, False, True])
    await desk.until(lambda: [fill for fill in desk.of(FillEvent) if fill.cloid == first.cloid and fill.snapshot])
    await venue.place(second)
    await desk.until(lambda: [fill for fill in desk.of(FillEvent) if fill.cloid == second.cloid and not fill.snapshot])
    assert await venue.positions() == []
