"""Rate budgets: limits kept, priorities kept, the venue's own count and bans honoured."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.errors import Unavailable
from gateways.transport.budget import Budget, Gate, Pool, Priority

WEIGHT = Pool("weight", limit=100, window_s=60.0, reserve=0.2)


@given(
    st.lists(
        st.tuples(st.floats(0, 20), st.integers(1, 60), st.sampled_from(Priority)),
        max_size=60,
    )
)
def test_no_window_exceeds_the_limit(steps: list[tuple[float, int, Priority]]) -> None:
    """Whatever is asked for and when, what went within any window is at most the limit, and the open share for most."""
    budget = Budget([WEIGHT])
    now = 0.0
    sent: list[tuple[float, int]] = []
    for pause, units, priority in steps:
        now += pause
        if budget.wait({"weight": units}, priority, now) <= 0:
            budget.spend({"weight": units}, now)
            sent.append((now, units))
            recent = sum(each for at, each in sent if at > now - WEIGHT.window_s)
            assert recent <= (WEIGHT.limit if priority.reserved else WEIGHT.open_limit)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 20), st.integers(1, 60), st.integers(0, 3), st.sampled_from(Priority),
            st.sampled_from(["spend", "spend", "spend", "hold", "ban"]),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_what_need_not_wait_is_spent_at_once(steps: list[tuple[float, int, int, Priority, str]]) -> None:
    """A request is let go, and counted in all its pools, just where its wait would be none; else nothing is counted."""
    small = Pool("orders", limit=5, window_s=10.0)
    asked, tried = Budget([WEIGHT, small]), Budget([WEIGHT, small])
    now = 0.0
    for pause, units, orders, priority, act in steps:
        now += pause
        costs = {"weight": units, "orders": orders}
        if act == "spend":
            free = asked.wait(costs, priority, now) <= 0
            if free:
                asked.spend(costs, now)
            assert tried.try_spend(costs, priority, now) is free
        for budget in (asked, tried):
            if act == "hold":
                budget.hold(["orders"], pause, now)
            elif act == "ban":
                budget.ban(pause / 4, now, renews=orders == 0)
        assert tried.used(now) == asked.used(now)


@given(units=st.integers(1, 80), spent=st.integers(0, 80))
def test_the_wait_is_enough(units: int, spent: int) -> None:
    """After the wait that the budget names, the request may go."""
    budget = Budget([WEIGHT])
    budget.spend({"weight": spent}, 0.0)
    wait = budget.wait({"weight": units}, Priority.QUERY, 1.0)
    assert wait < math.inf
    assert budget.wait({"weight": units}, Priority.QUERY, 1.0 + wait + 1e-6) <= 0


def test_reserved_share_is_for_cancels_and_hedges() -> None:
    """When queries and makers have used their share, a hedge and a cancel still go."""
    budget = Budget([WEIGHT])
    budget.spend({"weight": 80}, 0.0)
    assert budget.wait({"weight": 1}, Priority.MAKER, 1.0) > 0
    assert budget.wait({"weight": 1}, Priority.QUERY, 1.0) > 0
    assert budget.wait({"weight": 20}, Priority.HEDGE, 1.0) == 0
    assert budget.wait({"weight": 20}, Priority.CANCEL, 1.0) == 0
    assert budget.wait({"weight": 21}, Priority.CANCEL, 1.0) > 0


def test_the_venues_count_is_learnt_upward_only() -> None:
    """A higher count of the venue (another process spends too) narrows the budget; a lower one changes nothing."""
    budget = Budget([WEIGHT])
    budget.spend({"weight": 10}, 0.0)
    budget.learn("weight", 70, 1.0)
    assert budget.used(1.0)["weight"] == (70, 100)
    budget.learn("weight", 5, 2.0)
    assert budget.used(2.0)["weight"] == (70, 100)
    budget.learn("never heard of", 5, 2.0)


def test_a_ban_stops_everybody() -> None:
    """After Retry-After nothing goes, cancels included, until it is over; a shorter ban does not end a longer one."""
    budget = Budget([WEIGHT])
    budget.ban(10.0, 0.0)
    budget.ban(1.0, 0.0)
    assert budget.wait({}, Priority.CANCEL, 4.0) == pytest.approx(6.0)
    assert budget.banned_for(4.0) == pytest.approx(6.0)
    assert budget.wait({}, Priority.CANCEL, 10.0) == 0


def test_a_hold_stops_its_pools_alone() -> None:
    """What spends from a pool that is held waits, a hedge too; what spends from another goes."""
    budget = Budget([WEIGHT, Pool("orders", limit=10, window_s=1.0)])
    budget.hold(["orders"], 3.0, 0.0)
    budget.hold(["orders"], 1.0, 0.0)
    assert budget.wait({"orders": 1}, Priority.HEDGE, 1.0) == pytest.approx(2.0)
    assert budget.wait({"weight": 1}, Priority.CANCEL, 1.0) == 0
    assert budget.wait({"orders": 1}, Priority.HEDGE, 3.0) == 0


def test_the_count_begins_anew_where_the_venue_named_the_time() -> None:
    """After a pause whose end the venue named, what was spent before it is gone; after a pause of our own it is not."""
    for renews, free in ((True, 100), (False, 0)):
        budget = Budget([WEIGHT])
        budget.learn("weight", 100, 0.0)
        budget.ban(5.0, 0.0, renews=renews)
        assert budget.wait({"weight": 1}, Priority.CANCEL, 4.9) > 0
        assert 100 - budget.used(5.1)["weight"][0] == free
        budget.hold(["weight"], 5.0, 6.0, renews=renews)
        budget.spend({"weight": 1}, 6.0)
        assert (budget.used(20.0)["weight"][0] == 0) is renews


def test_more_than_the_limit_never_fits() -> None:
    """A request larger than its pool waits for ever, which the gate turns into a refusal."""
    assert Budget([WEIGHT]).wait({"weight": 101}, Priority.CANCEL, 0.0) == math.inf


def test_a_resized_pool_keeps_its_count() -> None:
    """The venue's published limit replaces ours; what was spent stays spent."""
    budget = Budget([WEIGHT])
    budget.spend({"weight": 50}, 0.0)
    budget.resize(Pool("weight", limit=60, window_s=60.0, reserve=0.0))
    assert budget.used(0.0)["weight"] == (50, 60)
    assert budget.wait({"weight": 11}, Priority.QUERY, 0.0) > 0


async def test_gate_passes_at_once_when_there_is_room() -> None:
    """With room the gate does not give the loop a turn: a hedge is not delayed by asking."""
    gate = Gate("venue", Budget([WEIGHT]), clock=lambda: 0.0)
    with pytest.raises(StopIteration):
        gate.acquire({"weight": 1}, Priority.HEDGE).send(None)
    assert gate.budget.used(0.0)["weight"][0] == 1


async def test_gate_refuses_what_takes_too_long() -> None:
    """A wait longer than allowed is Unavailable: nothing was sent, nothing is counted."""
    gate = Gate("venue", Budget([WEIGHT]), clock=lambda: 0.0)
    await gate.acquire({"weight": 80}, Priority.QUERY)
    with pytest.raises(Unavailable, match="rate budget"):
        await gate.acquire({"weight": 1}, Priority.QUERY, max_wait=1.0)
    assert gate.budget.used(0.0)["weight"][0] == 80


async def test_gate_serves_the_better_priority_first() -> None:
    """Of those who wait, the cancel goes before the hedge, the hedge before the maker."""
    pool = Pool("weight", limit=1, window_s=0.05, reserve=0.0)
    gate = Gate("venue", Budget([pool]))
    await gate.acquire({"weight": 1}, Priority.REST)
    order: list[Priority] = []

    async def ask(priority: Priority) -> None:
        await gate.acquire({"weight": 1}, priority, max_wait=5.0)
        order.append(priority)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for priority in (Priority.MAKER, Priority.HEDGE, Priority.CANCEL):
            group.create_task(ask(priority))
    assert order == [Priority.CANCEL, Priority.HEDGE, Priority.MAKER]


async def test_gate_does_not_hold_an_idle_pool_behind_a_busy_one() -> None:
    """Who waits for one pool does not delay who needs another."""
    gate = Gate("venue", Budget([WEIGHT, Pool("orders", limit=10, window_s=10.0)]), clock=lambda: 0.0)
    await gate.acquire({"weight": 80}, Priority.QUERY)
    waiting = asyncio.create_task(gate.acquire({"weight": 10}, Priority.QUERY, max_wait=100.0))
    await asyncio.sleep(0)
    await gate.acquire({"orders": 1}, Priority.MAKER)
    gate.close()
    with pytest.raises(Unavailable, match="closing"):
        await waiting


async def test_gate_queue_is_bounded() -> None:
    """Beyond its limit the gate refuses at once."""
    gate = Gate("venue", Budget([WEIGHT]), clock=lambda: 0.0, limit=1)
    await gate.acquire({"weight": 80}, Priority.QUERY)
    waiting = asyncio.create_task(gate.acquire({"weight": 1}, Priority.QUERY, max_wait=100.0))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="wait for the rate budget"):
        await gate.acquire({"weight": 1}, Priority.QUERY, max_wait=100.0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_crowd_of_questions_does_not_keep_out_a_hedge() -> None:
    """Cancels and hedges have places of their own, as many, and are refused beyond those too."""
    orders = Pool("orders", limit=1, window_s=10.0)
    gate = Gate("venue", Budget([WEIGHT, orders]), clock=lambda: 0.0, limit=1)
    await gate.acquire({"weight": 80}, Priority.QUERY)
    waiting = [asyncio.create_task(gate.acquire({"weight": 1}, Priority.QUERY, max_wait=100.0))]
    await asyncio.sleep(0)
    await gate.acquire({"orders": 1}, Priority.HEDGE)
    waiting.append(asyncio.create_task(gate.acquire({"orders": 1}, Priority.HEDGE, max_wait=100.0)))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="wait for the rate budget"):
        await gate.acquire({"orders": 1}, Priority.CANCEL, max_wait=100.0)
    gate.close()
    for each in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(each, Unavailable)
