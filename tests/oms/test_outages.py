"""A venue that cannot be reached, around the kernel: who notices, who is told and when, and what ends it."""

import asyncio
from contextlib import suppress

import pytest

from gateways.errors import Denied, Rejected, Unavailable, Unknown
from gateways.standards import RejectReason
from gateways.venue import Channel, ChannelState
from oms.hedge.policy import How, Limits, OnFailure, Rung
from tests.oms.stub_venue import D, desk, virtual

LEG = {"exc": "b", "ticker": "X"}


class Dark:
    """Turns a stub venue off: nothing that is sent or asked arrives until ``light``."""

    def __init__(self, venue):
        self.venue = venue
        self.on = True
        self._do = venue._do
        venue._do = self._refuse

    async def _refuse(self, verb, request, usual):
        if self.on:
            self.venue.calls.append((verb, request))
            raise Unavailable(self.venue.alias, "not sent, no connection")
        return await self._do(verb, request, usual)

    def light(self):
        self.on = False


def ways(venue, *, trade, rest):
    """Say of a venue's order entry and HTTP whether they work."""
    states = [ChannelState(Channel.REST, rest), ChannelState(Channel.TRADE, trade)]
    for state in sorted(states, key=lambda state: not state.connected):
        venue._watcher.channel_changed(venue.alias, state)


def said(made, event):
    return [one for one in made.alerts if one.event == event]


@virtual
async def test_a_hedge_that_cannot_be_sent_begins_an_outage_and_the_venues_return_ends_it():
    """One attempt, the makers cancelled, new ones refused; back and reconciled, the fill is hedged by itself."""
    async with desk() as made:
        maker = await made.maker("1")
        dark = Dark(made.b)
        made.a.trade(maker, "0.4")
        await made.until(lambda: made.book.down)
        await made.until(lambda: not made.oms.page.get(maker).working)
        with pytest.raises(Denied, match="would not hedge it: venue down: not sent, no connection"):
            await made.maker("1")
        await asyncio.sleep(120)
        assert len(made.hedges()) == 1, "nothing is sent into an outage"
        assert made.book.balance == D("-0.4")
        dark.light()
        await made.until(lambda: made.book.hedged == D("-0.4"), 10)
        assert made.hedges() == [D("-0.4"), D("-0.4")]
        assert [one.text for one in said(made, "up")]
        await made.maker("1")


@virtual
async def test_an_outage_is_told_of_again_while_something_waits():
    """At 0, 10, 30, 90, 150 s, with what waits; no more once it is over, and not by every failed reconciliation."""
    async with desk() as made:
        maker = await made.maker("1")
        dark = Dark(made.b)
        made.a.trade(maker, "0.4")
        began = made.loop.time()
        times = []
        while made.loop.time() < began + 160:
            count = len(said(made, "down"))
            await asyncio.sleep(0.5)
            times += [made.loop.time() - began] * (len(said(made, "down")) - count)
        assert [round(at / 10) * 10 for at in times] == [0, 10, 30, 90, 150]
        assert said(made, "down")[-1].severity == "error"
        assert said(made, "down")[-1].text.endswith("-0.4 of X waits")
        assert not [one for one in made.alerts if "reconciliation of b" in one.text]
        dark.light()
        await made.until(lambda: not made.oms.outages.down("b"), 10)
        before = len(said(made, "down"))
        await asyncio.sleep(300)
        assert len(said(made, "down")) == before


@virtual
async def test_an_outage_with_nothing_waiting_is_told_of_once():
    """Without a fill there is nothing to repeat; the makers are cancelled before one can come."""
    async with desk() as made:
        maker = await made.maker("1")
        dark = Dark(made.b)
        ways(made.b, trade=False, rest=False)
        await made.until(lambda: not made.oms.page.get(maker).working)
        await asyncio.sleep(300)
        assert len(said(made, "down")) == 1
        assert made.hedges() == []
        dark.light()


@virtual
async def test_one_way_that_works_is_enough():
    """Order entry or HTTP: as long as one is known to work, or was never tried, nothing is held."""
    async with desk() as made:
        await made.maker("1")
        for trade, rest in ((True, False), (False, True)):
            ways(made.b, trade=trade, rest=rest)
            assert not made.oms.outages.down("b")
        made.b._watcher.channel_changed("b", ChannelState(Channel.TRADE, connected=False))
        assert not made.oms.outages.down("b")


@virtual
async def test_only_a_reconciliation_that_began_after_the_outage_ends_it():
    """An answer from before proves nothing; neither does one while no way to send is known to work."""
    async with desk() as made:
        await made.maker("1")
        dark = Dark(made.b)
        before = made.oms.clock.now_ns()
        await asyncio.sleep(1)
        ways(made.b, trade=False, rest=False)
        dark.light()
        await made.oms.reconcile("b")
        assert made.oms.outages.down("b"), "no way to send is known to work"
        ways(made.b, trade=False, rest=True)
        made.oms.outages.reconciled("b", before)
        assert made.oms.outages.down("b"), "an answer from before it"
        await made.oms.reconcile("b")
        assert not made.oms.outages.down("b")


@virtual
async def test_a_hold_of_the_operator_is_not_released_by_the_venues_return():
    """What only the operator may lift stays."""
    async with desk() as made:
        maker = await made.maker("1")
        dark = Dark(made.b)
        made.a.trade(maker, "0.4")
        await made.until(lambda: made.book.down)
        made.oms.hedge.hold("b", "X", "look at it")
        dark.light()
        await made.until(lambda: not made.oms.outages.down("b"), 10)
        await asyncio.sleep(60)
        assert (made.book.hold, made.book.hedged) == ("look at it", 0)
        made.oms.hedge.resume("b", "X")
        await made.until(lambda: made.book.hedged == D("-0.4"), 10)


@virtual
async def test_our_own_rate_budget_is_no_outage():
    """A hedge held back by a limit of ours is tried again; the venue is there."""
    async with desk() as made:
        maker = await made.maker("1")
        made.b.script["hedge"].append(Unavailable("b", "the budget is spent", reason=RejectReason.RATE_LIMIT))
        made.a.trade(maker, "0.4")
        await made.until(lambda: made.book.hedged == D("-0.4"), 10)
        assert said(made, "down") == []
        assert made.oms.page.get(maker).working


@virtual
async def test_an_outage_longer_than_the_retry_budget_unwinds_where_the_leg_says_so():
    """The maker's position is closed where it was made and forfeited; the book then waits for the operator."""
    limits = Limits(max_failures=3, backoff_ns=1_000_000_000)
    async with desk(limits=limits) as made:
        maker = await made.maker("1", legs={**LEG, "on_failure": OnFailure.UNWIND})
        dark = Dark(made.b)
        made.a.trade(maker, "0.4")
        await asyncio.sleep(2.0)
        assert made.book.forfeited == 0, "not before"
        await made.until(lambda: made.book.forfeited == D("-0.4"), 10)
        assert made.a.position["X"] == 0
        assert made.book.hold.startswith("venue down: ")
        dark.light()
        await made.until(lambda: not made.oms.outages.down("b"), 10)
        assert made.book.hold


@virtual
async def test_after_a_restart_the_venue_is_found_down_anew():
    """What the journal says is due is tried once, the outage begins again, the maker found resting is cancelled."""
    async with desk() as made:
        maker = await made.maker("1")
        dark = Dark(made.b)
        made.a.trade(maker, "0.4")
        await made.until(lambda: made.book.down)
        image = made.journal.image
    dark.light()
    venues = made.venues
    made.a.held[maker].status = made.a.held[maker].status.NEW  # its cancel was lost

    async def unsent(_order):
        dark.on = True
        raise Unavailable("b", "not sent, no connection")

    made.b.script["hedge"].append(unsent)
    async with desk(journal=type(made.journal)(made.loop, image), venues=venues) as again:
        await again.until(lambda: again.book.down)
        await again.until(lambda: not again.oms.page.get(maker).working)
        assert (again.book.balance, again.book.hedged) == (D("-0.4"), 0)
        dark.light()
        await again.until(lambda: again.book.hedged == D("-0.4"), 10)
        assert len({order.cloid for order in again.b.asked("hedge")}) == len(again.hedges())


@virtual
async def test_a_resting_hedge_that_cannot_be_cancelled_is_told_of_once():
    """An outage of an hour is not a thousand alerts about one cancel."""
    async with desk() as made:
        rungs = (Rung(how=How.JOIN, for_ms=1000), Rung())
        maker = await made.maker("1", legs={**LEG, "rungs": rungs})
        made.a.trade(maker, "0.4")
        await made.until(lambda: made.b.held)
        dark = Dark(made.b)
        await asyncio.sleep(3600)
        (child,) = made.oms.kernel.children
        assert len([one for one in made.alerts if one.text.startswith(f"hedge {child[:8]}: not sent")]) == 1
        dark.light()
        await made.until(lambda: made.book.hedged == D("-0.4"), 30)


@virtual
async def test_a_cancel_that_a_down_venue_lost_is_asked_for_until_it_is_gone():
    """The makers of a held book stop at last, whatever their own venue does meanwhile."""
    async with desk() as made:
        maker = await made.maker("1")
        made.a.script["cancel"] += [Unavailable("a", "no"), Unknown("a", "no answer"), Rejected("a", "busy")]
        dark = Dark(made.b)
        with suppress(Denied):
            ways(made.b, trade=False, rest=False)
        await made.until(lambda: not made.oms.page.get(maker).working, 30)
        assert len(made.a.asked("cancel")) == 4
        dark.light()
