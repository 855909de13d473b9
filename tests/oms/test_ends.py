"""The end of a resting hedge that is told with less than it filled: the venue is asked before its rest is sent."""

import asyncio

import msgspec
import pytest

from gateways.errors import NotFound, Unknown
from gateways.standards import OrderStatus
from oms.hedge.policy import How, Rung
from oms.hedge.state import ChildState
from oms.journal import MemoryJournal
from tests.oms.stub_venue import D, desk, virtual

LADDER = {"exc": "b", "ticker": "X", "rungs": (Rung(how=How.JOIN, for_ms=1_000), Rung())}


def told_with_less(made, filled):
    """Let the next cancel at ``b`` find that ``filled`` more has traded, and its end be told without that."""

    async def cancelled(_request):
        (cloid,) = made.b.held
        before = made.b.say(made.b.held[cloid])
        made.b.trade(cloid, filled, tell=())
        made.b.end(cloid, tell=False)
        made.b.send(msgspec.structs.replace(before, status=OrderStatus.CANCELLED))

    made.b.script["cancel"].append(cancelled)


async def ending(made):
    """Rest a hedge of 0.4 and let its ladder end it, told with 0.1 less than it filled."""
    told_with_less(made, "-0.1")
    maker = await made.maker("1", legs=LADDER)
    made.a.trade(maker, "0.4")
    await made.until(lambda: made.oms.kernel.children)
    (child,) = made.oms.kernel.children.values()
    await made.until(lambda: child.cancelling)
    return child


@virtual
async def test_the_rest_is_sent_by_what_the_venue_answers():
    """One question, and the replacement has the right size: nothing is hedged twice and bought back."""
    async with desk() as made:
        child = await ending(made)
        await made.until(lambda: len(made.hedges()) == 2)
        assert made.hedges()[1] == D("-0.3")
        assert made.b.asked("order") == [child.cloid]
        assert await made.oms.wait_idle(60)
        assert (made.book.hedged, len(made.hedges())) == (D("-0.4"), 2)


@pytest.mark.parametrize("answer", [Unknown("b", "no answer"), NotFound("b", "no such order"), None])
@virtual
async def test_an_answer_that_proves_nothing_leaves_it_in_flight(answer):
    """A failed query, one "no such order" and an old answer are asked again; the order counts in full meanwhile."""
    async with desk() as made:

        async def old(_cloid):
            (held,) = made.b.held.values()
            return msgspec.structs.replace(made.b.say(held), status=OrderStatus.NEW, filled=D(0))

        made.b.script["order"] += [answer or old] * 2
        child = await ending(made)
        await made.until(lambda: child.state is ChildState.ENDING)
        await asyncio.sleep(0.2)
        assert made.book.in_flight == D("-0.4")
        assert len(made.hedges()) == 1
        await made.until(lambda: len(made.hedges()) == 2, 10)
        assert made.hedges()[1] == D("-0.3")


@virtual
async def test_a_restart_asks_for_an_end_that_was_not_confirmed():
    """I6: what was in flight before is so after it, until the venue has answered; then its rest goes out."""
    async with desk() as first:
        first.b.script["order"] += [Unknown("b", "no answer")] * 9
        child = await ending(first)
        await first.until(lambda: child.state is ChildState.ENDING)
        image = first.journal.image
    first.b.script["order"].clear()
    async with desk(journal=MemoryJournal(first.loop, image), venues=first.venues) as second:
        await second.until(lambda: len(second.hedges()) == 2, 10)
        assert second.hedges()[1] == D("-0.3")
        assert second.oms.kernel.children[child.cloid].state is ChildState.DONE
        assert await second.oms.wait_idle(60)
        assert second.book.hedged == D("-0.4")
