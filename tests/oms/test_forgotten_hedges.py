"""A hedge order that was seen, and that its venue says later it does not know: it ends as an unknown one does (I9)."""

import asyncio

import pytest

from gateways.errors import NotFound
from oms.hedge import events as e
from oms.hedge.policy import How, Rung
from oms.hedge.state import ChildState
from tests.oms.stub_venue import D, desk, virtual
from tests.oms.test_kernel import MS, book, fill, seen, sent
from tests.oms.test_kernel import desk as kernel_desk

RESTING = {"exc": "b", "ticker": "X", "rungs": (Rung(how=How.JOIN, for_ms=3_600_000), Rung())}


def test_two_answers_apart_after_the_bound_end_a_hedge_that_was_seen():
    """What it filled counts, the rest is due again; before the bound, or once, or at one moment, nothing is proven."""
    kernel = kernel_desk()
    fill(kernel, "1")
    kernel.apply(e.ChildSent(child="child1", ts_ns=kernel.now_ns, accept_until_ns=5000 * MS))
    seen(kernel, "child1", "-0.4", done=False)
    for ts_ns in (3000 * MS, 4500 * MS, 5001 * MS, 5900 * MS):
        assert sent(kernel.apply(e.ChildAbsent(child="child1", ts_ns=ts_ns))) == []
        assert kernel.children["child1"].state is ChildState.WORKING
    assert sent(kernel.apply(e.ChildAbsent(child="child1", ts_ns=6002 * MS))) == [("child2", D("-0.6"))]
    assert (book(kernel).hedged, book(kernel).in_flight, book(kernel).balance) == (D("-0.4"), D("-0.6"), D(0))


def test_a_hedge_that_shows_itself_between_two_answers_goes_on():
    """I9: evidence of life takes back what absences were counted."""
    kernel = kernel_desk()
    fill(kernel, "1")
    seen(kernel, "child1", "-0.1", done=False)
    kernel.apply(e.ChildAbsent(child="child1", ts_ns=6000 * MS))
    kernel.apply(e.ChildSeen(child="child1", filled=D("-0.2"), ts_ns=6500 * MS))
    kernel.apply(e.ChildAbsent(child="child1", ts_ns=7001 * MS))
    assert kernel.children["child1"].state is ChildState.WORKING


@pytest.mark.parametrize("filled", ["0", "0.1"])
@virtual
async def test_a_resting_hedge_that_its_venue_forgot_is_sent_anew(filled):
    """In part filled or not: its rest is not in flight for ever, and goes out as a new order, once."""
    async with desk() as made:
        maker = await made.maker("1", legs=RESTING)
        made.a.trade(maker, "0.4")
        await made.until(lambda: made.b.held)
        (first,) = made.b.held
        if D(filled):
            made.b.trade(first, -D(filled))
        await asyncio.sleep(60)
        assert made.book.in_flight == D(filled) - D("0.4")
        del made.b.held[first]
        made.oms.supervisor.reconcile_soon("b")
        while len(made.hedges()) == 1:
            made.b.quote("100")  # a joined order needs a fresh price
            await asyncio.sleep(1)
            assert made.loop.time() < 120
        await made.until(lambda: made.hedges()[1:] == [D(filled) - D("0.4")], 60)
        assert not made.oms.page.get(first).working
        await asyncio.sleep(120)
        assert len(made.hedges()) == 2
        assert made.book.hedged == -D(filled)


@virtual
async def test_a_resting_hedge_that_one_answer_lacks_goes_on():
    """One "no such order", from a replica that lags behind, ends nothing."""
    async with desk() as made:
        maker = await made.maker("1", legs=RESTING)
        made.a.trade(maker, "0.4")
        await made.until(lambda: made.b.held)
        (first,) = made.b.held
        await asyncio.sleep(60)

        async def none_open(_request):
            return []

        made.b.script["open_orders"].append(none_open)
        made.b.script["order"] += [NotFound("b", "no such order")] * 2
        made.oms.supervisor.reconcile_soon("b")
        await asyncio.sleep(300)
        assert not made.b.script["order"], "it was asked about"
        assert made.oms.page.get(first).working
        assert (len(made.hedges()), made.book.in_flight) == (1, D("-0.4"))
