"""A hedge that its rate holds back waits, in sight: that is no failure, holds no book and spends no retry budget."""

import asyncio

import pytest

from gateways.errors import RateLimited, Unavailable
from gateways.standards import RejectReason
from gateways.transport.budget import Budget, Gate, Pool, Priority
from oms.hedge import events as e
from oms.hedge.decision import RATE_LIMITED
from oms.hedge.policy import How, Leg, Limits, OnFailure, Policy, Rung
from oms.memory_journal import MemoryJournal
from tests.oms.stub_venue import D, virtual
from tests.oms.stub_venue import desk as oms_desk
from tests.oms.test_kernel import MS, book, desk, fill, seen, sent

SECOND = 1_000 * MS
LIMITED = RejectReason.RATE_LIMIT
TWO = Limits(max_failures=2)


def throttled(kernel, seconds):
    until = kernel.now_ns + seconds * SECOND
    return kernel.apply(e.Throttled(venue="b", ticker="X", until_ns=until, ts_ns=kernel.now_ns))


def refuse(kernel, times):
    """Let so many hedges be refused for their rate, each as soon as it is sent again."""
    for number in range(1, times + 1):
        seen(kernel, f"child{number}", "0", reason=LIMITED)
        kernel.apply(e.Clocked(ts_ns=kernel.next_due_ns()))


def test_no_number_of_rate_limits_holds_a_book_or_counts_as_a_failure():
    """I11: each is one wait; the retry budget is as it was, and the quantity goes out with the next."""
    kernel = desk(limits=TWO)
    fill(kernel, "1")
    refuse(kernel, 20)
    assert (book(kernel).hold, book(kernel).failures) == ("", 0)
    seen(kernel, "child21", "-1")
    assert (book(kernel).hedged, book(kernel).balance) == (D(-1), D(0))


def test_a_rate_limit_between_failures_neither_adds_to_them_nor_forgives_them():
    """Failure, rate limit, failure: two in a row."""
    kernel = desk(limits=TWO)
    fill(kernel, "1")
    for number, reason in enumerate((RejectReason.OTHER, LIMITED, RejectReason.OTHER), 1):
        assert book(kernel).hold == ""
        seen(kernel, f"child{number}", "0", reason=reason)
        kernel.apply(e.Clocked(ts_ns=kernel.next_due_ns() or kernel.now_ns))
    assert book(kernel).hold == "2 hedges in a row filled nothing"


def test_a_rate_limit_repeats_the_escalated_market_order():
    """An escalation that the rate held back is not over: the market order goes once the limit is free."""
    kernel = desk(
        Leg(venue="b", ticker="X", policy=Policy(rungs=(Rung(how=How.IOC),), on_failure=OnFailure.ESCALATE)), limits=TWO
    )
    fill(kernel, "1")
    seen(kernel, "child1", "0")
    kernel.apply(e.Clocked(ts_ns=kernel.next_due_ns()))
    (market,) = [one for one in seen(kernel, "child2", "0") if isinstance(one, e.SendChild)]
    assert (market.rung, market.price) == (-1, None)
    seen(kernel, "child3", "0", reason=LIMITED)
    assert book(kernel).hold == ""
    (again,) = kernel.apply(e.Clocked(ts_ns=kernel.next_due_ns()))
    assert (again.child, again.rung, again.price) == ("child4", -1, None)


def test_nothing_is_sent_before_the_limit_is_free_and_the_book_says_so():
    """New fills wait with the rest, as does a price; one order goes when the time has come."""
    kernel = desk()
    fill(kernel, "1")
    seen(kernel, "child1", "0", reason=LIMITED)
    throttled(kernel, 5)
    due = kernel.next_due_ns()
    assert due == kernel.now_ns + 5 * SECOND
    assert sent(fill(kernel, "2")) == []
    assert sent(kernel.apply(e.Priced(venue="b", ticker="X", bid=D(99), ask=D(100), ts_ns=due - 1))) == []
    assert (book(kernel).waits, book(kernel).balance) == (RATE_LIMITED, D(-2))
    assert sent(kernel.apply(e.Clocked(ts_ns=due))) == [("child2", D(-2))]


@pytest.mark.parametrize(("seconds", "stops"), [(29, False), (31, True)])
def test_a_long_rate_limit_stops_the_makers_that_would_go_on_filling(seconds, stops):
    """A ban of minutes is an outage for whoever fills meanwhile; a pause of seconds is not."""
    kernel = desk()
    fill(kernel, "1")
    seen(kernel, "child1", "0", reason=LIMITED)
    commands = throttled(kernel, seconds)
    assert any(isinstance(command, e.StopMakers) for command in commands) is stops
    assert book(kernel).hold == ""


async def test_the_budgets_denial_says_when_it_is_free():
    """The gate names the seconds that its words name, so that nothing is asked of it before."""
    now = [100.0]
    gate = Gate("v", Budget([Pool("orders", 1, 60.0)]), clock=lambda: now[0])
    await gate.acquire({"orders": 1}, Priority.HEDGE, max_wait=1.0)
    now[0] += 10.0
    with pytest.raises(Unavailable) as denied:
        await gate.acquire({"orders": 1}, Priority.HEDGE, max_wait=1.0)
    assert denied.value.reason is LIMITED
    assert 49.0 < denied.value.retry_after < 52.0
    with pytest.raises(Unavailable) as never:
        await gate.acquire({"orders": 2}, Priority.HEDGE, max_wait=1.0)
    assert never.value.retry_after == 0.0
    gate.close()


@virtual
@pytest.mark.parametrize(
    "error",
    [
        RateLimited("b", "too many requests", retry_after=7.0),
        Unavailable("b", "the budget is spent", reason=LIMITED, retry_after=7.0),
    ],
    ids=["the venue's refusal", "our own denial"],
)
async def test_a_hedge_waits_as_long_as_it_was_told_and_then_goes(error):
    """Not an attempt before; no HOLD whatever the retry budget; the maker rests on."""
    async with oms_desk(limits=Limits(max_failures=1)) as made:
        maker = await made.maker("1")
        made.b.script["hedge"].append(error)
        start = made.loop.time()
        made.a.trade(maker, "0.4")
        await made.until(lambda: made.book.retry_ns)
        await asyncio.sleep(6)
        assert (made.hedges(), made.book.waits) == ([D("-0.4")], RATE_LIMITED)
        await made.until(lambda: made.book.hedged == D("-0.4"))
        assert made.loop.time() - start >= 7.0
        assert made.hedges() == [D("-0.4"), D("-0.4")]
        assert made.oms.page.get(maker).working


@virtual
async def test_a_restart_within_a_ban_waits_it_out():
    """The journal knows until when: a desk that starts anew does not ask a venue that has banned it."""
    async with oms_desk() as first:
        maker = await first.maker("1")
        first.b.script["hedge"].append(RateLimited("b", "banned", retry_after=20.0))
        start = first.loop.time()
        first.a.trade(maker, "0.4")
        await first.until(lambda: first.book.retry_ns)
        image = first.journal.image
    async with oms_desk(journal=MemoryJournal(first.loop, image), venues=first.venues) as second:
        await second.until(lambda: second.book.hedged == D("-0.4"), 60)
        assert second.loop.time() - start >= 20.0
        assert second.hedges() == [D("-0.4"), D("-0.4")]
