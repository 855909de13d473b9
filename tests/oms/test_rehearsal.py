"""The rehearsal: the way of a fill is walked to nowhere, and nothing of the desk is touched by it."""

import asyncio
import copy
from collections.abc import Callable
from typing import Any

import pytest

from gateways.standards import PlaceOrder
from oms.cloid import CloidKind
from oms.hedge.policy import How, Rung
from oms.rehearsal import PROCESSORS_TO_POLL, WALKS, Readiness, Rehearsal, keep_ready
from oms.states import Trading
from tests.oms.stub_venue import desk, virtual


def rehearsed(made):
    """What the rehearsal asked the stub venues to walk through: orders to the hedge's, fills of the maker's."""
    walked = {"a": [], "b": []}
    for alias in ("a", "b"):
        made.venues[alias].rehearse_order = walked[alias].append
        made.venues[alias].rehearse_fill = lambda alias=alias: walked[alias].append("fill")
    return walked


def left(made):
    """All that a rehearsal could leave behind it."""
    oms, kernel = made.oms, made.oms.kernel
    return copy.deepcopy(
        (made.journal.image, made.a.calls, made.b.calls, list(oms.page.orders()), kernel.books, kernel.children,
         kernel.makers, kernel.now_ns, len(oms.fills), oms.tasks.running, oms.hedge.timers, made.alerts,
         oms.health.row("b"))
    )  # fmt: skip


def timers(made):
    """How many the loop has that will fire."""
    return sum(not each.cancelled() for each in made.loop._scheduled)


@virtual
async def test_a_walk_leaves_nothing_behind():
    """Journal, venues, page, kernel and ids are as they were, over more walks than one stage serves."""
    async with desk() as made:
        walked = rehearsed(made)
        key = await made.maker("1")
        made.a.trade(key, "0.2")
        await made.until(lambda: made.hedges() == [made.book.target])
        rehearsal = Rehearsal(made.oms)
        assert rehearsal.look()
        before = left(made)
        for _ in range(WALKS + 5):
            rehearsal.walk()
        assert left(made) == before
        assert len(walked["a"]) == len(walked["b"]) == WALKS + 5


@pytest.mark.parametrize(
    "leg",
    [{"trigger_after_ms": 50}, {"rungs": (Rung(how=How.JOIN, for_ms=500), Rung())}, {"above_quantity": "5"}],
)
@virtual
async def test_a_walk_leaves_no_timer_behind_whatever_the_leg(leg: dict[str, Any]):
    """Nor an order: with a leg that waits, one whose hedge would rest, one whose threshold a fill does not reach."""
    async with desk() as made:
        walked = rehearsed(made)
        made.b.quote("100")
        await made.maker("1", legs={"exc": "b", "ticker": "X", **leg})
        rehearsal = Rehearsal(made.oms)
        assert rehearsal.look()
        before, due = left(made), timers(made)
        for _ in range(3):
            rehearsal.walk()
        assert (left(made), timers(made)) == (before, due)
        assert walked["a"] == ["fill"] * 3


@virtual
async def test_a_desk_that_lets_no_hedge_out_rehearses_none():
    """The gate is the desk's own: what it refuses to a hedge it refuses to a rehearsed one."""
    async with desk() as made:
        walked = rehearsed(made)
        await made.maker("1")
        rehearsal = Rehearsal(made.oms)
        assert rehearsal.look()
        made.oms.state.trading = Trading.HALTED
        rehearsal.walk()
        assert not walked["b"]
        made.oms.state.trading = Trading.ACTIVE
        rehearsal.walk()
        assert len(walked["b"]) == 1


@virtual
async def test_it_walks_as_far_as_the_hedge_order():
    """The venue of the leg is given an order like the hedge that a fill would make, under no id of this desk."""
    async with desk() as made:
        walked = rehearsed(made)
        await made.maker("1")
        rehearsal = Rehearsal(made.oms)
        assert rehearsal.look()
        rehearsal.walk()
        (order,) = walked["b"]
        assert isinstance(order, PlaceOrder)
        assert (order.ticker, order.amount < 0) == ("X", True)
        assert order.cloid != made.oms.cloids.next(CloidKind.HEDGE)
        assert walked["a"] == ["fill"]


@virtual
async def test_it_rests_while_no_hedged_maker_does():
    """Without a maker, with one that has no legs, and after the last one has ended, nothing is walked."""
    async with desk() as made:
        rehearsal = Rehearsal(made.oms)
        assert not rehearsal.look()
        await made.oms.limit_order({"exc": "a", "ticker": "X", "amount": "1", "price": "90"})
        assert not rehearsal.look()
        key = await made.maker("1")
        assert rehearsal.look()
        await made.oms.cancel_order("a", "X", cloid=key)
        await made.until(lambda: not made.oms.page.get(key).working)
        assert not rehearsal.look()
        rehearsal.walk()


async def in_turns(holds: Callable[[], bool]) -> None:
    """Wait for a fact without letting time pass: a loop that polls never lets it."""
    for _ in range(100_000):
        if holds():
            return
        await asyncio.sleep(0)
    pytest.fail("it did not come about")


@pytest.mark.parametrize("polling", [False, True])
@virtual
async def test_a_fill_beside_the_rehearsal_is_hedged_once(polling: bool):
    """The desk's own way is not disturbed by one that is walked a thousand times a second, asleep in between or not."""
    async with desk() as made:
        walked = rehearsed(made)
        key = await made.maker("1")
        until = in_turns if polling else made.until
        rehearsing = asyncio.create_task(Rehearsal(made.oms, polling=polling).run())
        await until(lambda: len(walked["b"]) > 20)
        made.a.trade(key, "0.3")
        await until(lambda: not made.book.balance and bool(made.hedges()))
        rehearsing.cancel()
        await made.until(lambda: not made.book.in_flight)
        assert [str(each) for each in made.hedges()] == ["-0.3"]


@pytest.mark.parametrize(
    ("processors", "how", "polls"),
    [
        (PROCESSORS_TO_POLL, Readiness.POLL, True),
        (PROCESSORS_TO_POLL - 1, Readiness.POLL, False),
        (PROCESSORS_TO_POLL, Readiness.REHEARSE, False),
    ],
)
@virtual
async def test_it_polls_where_there_are_processors_for_it(processors: int, how: Readiness, polls: bool, monkeypatch):
    """With too few of them the loop sleeps between two walks: the console needs one too."""
    monkeypatch.setattr("oms.rehearsal._processors", lambda: processors)
    polled = []

    async def poll(_seconds: float) -> None:
        polled.append(True)
        await asyncio.sleep(0.001)

    monkeypatch.setattr("oms.rehearsal._poll", poll)
    async with desk() as made:
        walked = rehearsed(made)
        await made.maker("1")
        keep_ready(made.oms, how)
        await made.until(lambda: len(walked["b"]) > 5)
        assert bool(polled) is polls


@virtual
async def test_without_readiness_nothing_is_walked():
    """No task is begun."""
    async with desk() as made:
        before = made.oms.tasks.running
        keep_ready(made.oms, Readiness.NONE)
        assert made.oms.tasks.running == before
