"""An order asked about in vain is not waited for in silence; a maker neither leaves nor rests into a HOLD."""

import asyncio

import pytest

from gateways.errors import Denied, Unavailable, Unknown
from gateways.standards import OrderStatus
from oms.hedge.policy import How, Rung
from oms.hedge.state import ChildState
from tests.oms.stub_venue import D, desk, virtual
from tests.states.door import WatchedDesk, WatchedVenue

LADDER = {"exc": "b", "ticker": "X", "rungs": (Rung(how=How.JOIN, for_ms=500), Rung())}


def said(made):
    return [one for one in made.alerts if "in vain" in one.text]


async def cut(_order):
    raise Unknown("b", "cut")


@virtual
async def test_an_unknown_hedge_that_cannot_be_asked_about_is_told_of_again_and_again():
    """Fifteen seconds, thirty, and every minute after: with what is open and why; quiet once it is resolved."""
    async with desk() as made:
        maker = await made.maker("1")
        made.b.script["hedge"].append(cut)
        made.b.script["order"].extend([Unavailable("b", "no connection")] * 40)
        made.a.trade(maker, "0.4")
        await made.until(lambda: len(said(made)) == 4, 200)
        (one, *_rest) = said(made)
        assert (one.severity, one.venue) == ("error", "b")
        assert "-0.4 of b:X may be filled or not: no connection" in one.text
        await made.until(lambda: made.book.hedged == D("-0.4"), 120)
        told = len(said(made))
        await asyncio.sleep(300)
        assert len(said(made)) == told


@virtual
async def test_an_end_that_cannot_be_confirmed_is_told_of():
    """A joined hedge was cancelled and the venue cannot be asked how much it filled: all of it stays in flight."""
    async with desk() as made:
        maker = await made.maker("1", legs=LADDER)
        made.b.script["order"].extend([Unavailable("b", "no connection")] * 12)
        made.a.trade(maker, "0.4")
        await made.until(lambda: any(c.state is ChildState.ENDING for c in made.oms.kernel.children.values()))
        await made.until(lambda: said(made), 60)
        assert "no connection" in said(made)[0].text
        await made.until(lambda: made.book.hedged == D("-0.4"), 120)


@virtual
async def test_an_order_that_resolves_in_its_time_is_not_told_of():
    """The acceptance window is waited out as always: the line of the unknown hedge has said so."""
    async with desk() as made:
        maker = await made.maker("1")
        made.b.script["hedge"].append(cut)
        made.a.trade(maker, "0.4")
        await made.until(lambda: made.book.hedged == D("-0.4"))
        assert said(made) == []


@virtual
async def test_a_maker_that_waited_for_the_rate_budget_does_not_leave_into_a_hold():
    """What allowed it is over by the time that it may leave: nothing would hedge it."""
    loop = asyncio.get_running_loop()
    sent = []

    def judge(_alias, order, _kind, *, raises):
        sent.append(order.cloid)

    venues = {alias: WatchedVenue(alias, loop, judge) for alias in ("a", "b")}
    made = WatchedDesk(loop, judge, venues=venues)
    try:
        await made.oms.init()
        for _ in range(3):
            await made.maker("0.1")
        waiting = loop.create_task(made.maker("0.1"))
        await made.until(lambda: len(list(made.oms.page.orders())) == 4)
        assert len(sent) == 3
        made.oms.hedge.hold("b", "X", "look at it")
        with pytest.raises(Denied, match="would not hedge it: the book is on HOLD, look at it"):
            await waiting
        assert len(sent) == 3
    finally:
        await made.oms.cleanup()


@pytest.mark.parametrize("held", [True, False])
@virtual
async def test_a_maker_that_rests_after_all_is_cancelled_where_nothing_would_hedge_it(held):
    """It was taken as ended when the makers of its book were stopped; with a book that hedges it goes on."""
    async with desk() as made:
        maker = await made.maker("1")
        made.a.end(maker)
        assert not made.oms.page.get(maker).working
        if held:
            made.oms.hedge.hold("b", "X", "look at it")
        made.a.held[maker].status, made.a.held[maker].oid = OrderStatus.NEW, "5000"
        made.a.send(made.a.say(made.a.held[maker]))  # the order that an amend has put in its place
        assert made.oms.page.get(maker).working
        await made.oms.wait_idle(10)
        assert made.a.held[maker].status is (OrderStatus.CANCELLED if held else OrderStatus.NEW)
