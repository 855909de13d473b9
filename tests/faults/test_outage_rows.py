"""P4: the hedge's venue cannot be reached. Its books hold at once, and go on by themselves when it is back."""

import asyncio

import pytest

from gateways.errors import Denied
from gateways.venue import Channel
from oms.hedge.policy import Limits
from oms.hedge.state import ChildState
from tests.faults.desk import D, under_fault, until
from tests.faults.rows import row, slow_row

OFTEN = Limits(outage_alerts_ns=(500_000_000, 1_000_000_000), outage_alert_every_ns=500_000_000)


async def found_down(desk, order):
    """The outage is known, the maker cancelled, new ones refused."""
    await until(lambda: desk.oms.outages.down(desk.hedge_venue), 5, desk.story)
    await until(lambda: desk.oms.page.get(order.key).status.value == "CANCELLED", 5, "the maker still works")
    with pytest.raises(Denied, match="venue down"):
        await desk.place()


@row
@pytest.mark.parametrize("fault", ["venue_refuses", "venue_down"])
async def test_hedge_venue_down(seed, fault):
    """HOLD at once, exposing makers cancelled, alerts while it lasts; hedged once when it is back, with no hand."""
    async with under_fault(seed, limits=OFTEN) as desk:
        order = await desk.place()
        desk.fault("hedge", fault, seconds=3)
        desk.fill(order, "0.05")
        await found_down(desk, order)
        assert desk.book.blocked.startswith("the book is on HOLD, venue down")
        sent = len(desk.children)
        await until(lambda: len([one for one in desk.alerts if one.event == "down"]) >= 3, 5, desk.story)
        assert len(desk.children) == sent <= 1, "nothing is sent while it is down"
        await desk.hedged_in_full()
        await until(lambda: [one for one in desk.alerts if one.event == "up"], 10)
        assert not desk.book.blocked
        await desk.proven()
        await desk.place()


@row
async def test_hedge_venue_down_before_anything_fills(seed):
    """Its streams end: HTTP is asked at once, and the makers are cancelled before a fill needs a hedge."""
    async with under_fault(seed, refresh=30.0) as desk:
        order = await desk.place()
        desk.fault("hedge", "venue_refuses", seconds=2)
        await found_down(desk, order)
        assert desk.children == []
        assert desk.book.balance == 0
        await until(lambda: not desk.oms.outages.down(desk.hedge_venue), 10)
        again = await desk.place()
        desk.fill(again, "0.05")
        await desk.hedged_in_full()
        await desk.proven()


@row
async def test_hedge_venue_without_websockets_is_no_outage(seed):
    """HTTP works: hedges go by it and the makers stay."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("hedge", "websockets_down", seconds=3)
        await until(lambda: not desk.oms.health.connected(desk.hedge_venue, Channel.TRADE), 5)
        desk.fill(order, "0.05")
        await desk.hedged_in_full()
        assert desk.oms.page.get(order.key).working
        assert not [one for one in desk.alerts if one.event == "down"]


@slow_row
async def test_a_hold_by_the_operator_outlasts_the_outage(seed):
    """What the operator holds is not released when the venue is back."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("hedge", "venue_refuses", seconds=2)
        desk.fill(order, "0.05")
        await found_down(desk, order)
        desk.oms.hedge.hold(desk.hedge_venue, desk.hedge_ticker, "look at it")
        await until(lambda: not desk.oms.outages.down(desk.hedge_venue), 10)
        await asyncio.wait_for(desk.oms.reconcile(), 10)
        assert (desk.book.hold, desk.hedged) == ("look at it", 0)
        desk.oms.hedge.resume(desk.hedge_venue, desk.hedge_ticker)
        await desk.hedged_in_full()
        await desk.proven()


@slow_row
async def test_an_unknown_hedge_counts_through_an_outage(seed):
    """A hedge that was carried out just before the venue went dark is found when it is back, never sent again."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("hedge", "answer_lost", verb="place")
        desk.fault("hedge", "stream_silent", seconds=2)
        desk.fill(order, "0.05")
        await until(lambda: desk.struck("hedge", "answer_lost") == 1, 5, desk.story)
        desk.fault("hedge", "venue_down", seconds=3)
        await found_down(desk, order)
        (child,) = desk.children
        await until(lambda: child.state is ChildState.UNKNOWN, 5)
        assert desk.book.in_flight == -D("0.05")
        await desk.hedged_in_full()
        assert len(desk.children) == 1
        await desk.proven()
