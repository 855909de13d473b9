"""P6 and the maker's own life: cancels that race with fills, amendments, overfills, a maker's venue that is down."""

import pytest

from gateways.errors import VenueError
from tests.faults.desk import D, under_fault, until
from tests.faults.rows import row, slow_row


@row
@pytest.mark.parametrize("fault", ["filled_before_cancel", "fill_during_cancel", "fill_after_cancel"])
async def test_maker_fill_during_and_after_cancel_and_cancel_rejected_because_filled(seed, fault):
    """A cancel is never taken for an end: a refusal asks, a late fill counts, and all that filled is hedged.

    Bybit accepts a cancel that meets the fill on its way, and says later that it found nothing.
    """
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("maker", fault, delay=0.2)
        refused = await desk.cancel(order)
        assert (refused is not None) == (fault == "filled_before_cancel" and desk.maker_venue != "bybit")
        await until(lambda: desk.oms.page.get(order.key).status.terminal)
        await desk.hedged_in_full()
        assert abs(desk.target) == (D("0.1") if fault == "filled_before_cancel" else D("0.05"))
        await desk.proven()


@row
@pytest.mark.parametrize("fault", ["answer_lost", "answer_5xx", "answer_unknown", "cut_during", "cut_after"])
async def test_cancel_without_an_answer(seed, fault):
    """The cancel was done and nobody said so: asked about, ended, and what filled before is hedged."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fill(order, "0.03")
        desk.fault("maker", fault, verb="cancel")
        await desk.cancel(order)
        await until(lambda: desk.oms.page.get(order.key).status.value == "CANCELLED", 8)
        await desk.hedged_in_full()
        await desk.proven()


@row
async def test_cancel_that_was_not_done_leaves_the_maker_working(seed):
    """The cancel never arrived: the maker is shown working again, fills on, and is hedged."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("maker", "refused_answer_lost", verb="cancel")
        assert await desk.cancel(order) is not None
        await until(lambda: desk.oms.page.get(order.key).status.value == "NEW")
        desk.fill(order, "0.1")
        await desk.hedged_in_full()
        await desk.proven()


@row
@pytest.mark.parametrize("maker", ["binance", "hyperliquid"])
async def test_maker_amended_under_a_new_venue_id(seed, maker):
    """Cumulative sizes are carried over the chain of venue ids; nothing restarts from zero."""
    hedge = "hyperliquid" if maker == "binance" else "binance"
    async with under_fault(seed, maker=maker, hedge=hedge) as desk:
        order = await desk.place()
        desk.fill(order, "0.03")
        await desk.hedged_in_full()
        amended = await desk.oms.amend_order(order.key, amount=D("0.2"), price=order.price * D("0.99") // 1)
        assert (amended.oid != order.oid) == (maker == "hyperliquid")
        desk.fill(order, "0.04")
        await desk.hedged_in_full()
        await desk.oms.amend_order(order.key, amount=D("0.1"))
        desk.fill(order, "0.03")
        await desk.hedged_in_full()
        assert abs(desk.target) == D("0.1")
        await until(lambda: desk.oms.page.get(order.key).status.value == "FILLED")
        await desk.proven()


@row
@pytest.mark.parametrize("maker", ["binance", "hyperliquid"])
@pytest.mark.parametrize("fault", ["answer_lost", "cut_during", "answer_late"])
async def test_maker_amended_without_an_answer(seed, maker, fault):
    """The amend was done and nobody said so: what fills under the new terms is hedged."""
    hedge = "hyperliquid" if maker == "binance" else "binance"
    async with under_fault(seed, maker=maker, hedge=hedge) as desk:
        order = await desk.place()
        desk.fill(order, "0.03")
        await desk.hedged_in_full()
        desk.fault("maker", fault, verb="amend")
        try:
            await desk.oms.amend_order(order.key, amount=D("0.2"), price=order.price * D("0.99") // 1)
        except (VenueError, TimeoutError):
            assert fault != "answer_late"
        desk.fill(order, "0.04")
        await desk.hedged_in_full(10)
        assert abs(desk.target) == D("0.07")
        await desk.proven(8)


@row
async def test_overfill_on_maker(seed):
    """The venue fills more than was ordered: hedge what really filled, and say so."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fill(order, "0.13")
        await desk.hedged_in_full()
        assert abs(desk.target) == D("0.13")
        await until(lambda: desk.alerted("more than was ordered"))
        await desk.proven()


@slow_row
@pytest.mark.parametrize("fault", ["venue_down", "venue_refuses"])
async def test_maker_venue_down(seed, fault):
    """Obligations go on while the maker's venue is away; what filled there meanwhile is hedged when it is back."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fill(order, "0.02")
        desk.fault("maker", fault, seconds=3)
        await until(lambda: desk.struck("maker", fault) == 1)
        desk.fill(order, "0.03")
        assert await desk.cancel(order) is not None, "a cancel that cannot be sent is refused, not believed"
        assert not desk.oms.page.get(order.key).status.terminal
        await desk.hedged_in_full(15)
        assert abs(desk.target) == D("0.05")
        await until(lambda: not desk.plan(desk.maker_venue).rules, 6)
        desk.fill(order, "0.05")
        await desk.hedged_in_full(15)
        await desk.proven(10)
