"""Requests that are begun: their bytes leave in the call, their answers are awaited, by whom or by nobody."""

import asyncio
import gc
import warnings

import pytest

from gateways.errors import Unavailable, Unknown
from gateways.transport.budget import Budget, Gate, Pool, Priority
from gateways.transport.calls import Calls, UnderWay


async def test_a_begun_call_has_sent_before_it_is_awaited() -> None:
    """The sending function runs in the call; the reply, even one that came before anybody waited, is returned."""
    calls: Calls[str] = Calls("v")
    sent: list[str] = []
    call = calls.begin("a", lambda: sent.append("a"), timeout=1.0)
    assert sent == ["a"]
    assert calls.resolve("a", "done")
    assert await call == "done"
    assert len(calls) == 0


async def test_what_could_not_be_sent_is_told_at_once() -> None:
    """A sending function that raises leaves nothing pending."""

    def refuse() -> None:
        raise Unavailable("v", "not sent")

    calls: Calls[str] = Calls("v")
    with pytest.raises(Unavailable):
        calls.begin("a", refuse, timeout=1.0)
    assert len(calls) == 0


async def test_a_begun_call_without_a_reply_is_unknown() -> None:
    """Its time runs while it is awaited; a lost connection ends it sooner."""
    calls: Calls[str] = Calls("v")
    with pytest.raises(Unknown, match="no reply"):
        await calls.begin("a", lambda: None, timeout=0.0)
    lost = calls.begin("b", lambda: None, timeout=5.0)
    calls.disconnected("gone")
    with pytest.raises(Unknown, match="gone"):
        await lost


async def test_nobody_is_warned_of_what_is_let_go_of() -> None:
    """Neither a begun thing that nobody awaits nor the error that it would have raised is complained of."""
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    calls: Calls[str] = Calls("v")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        call = calls.begin("a", lambda: None, timeout=1.0)
        calls.disconnected("gone")
        outer = UnderWay(lambda: asyncio.sleep(0))
        del call, outer, calls
        gc.collect()
    assert [told, warned] == [[], []]


async def test_only_a_free_budget_is_taken_at_once() -> None:
    """What is granted at once is counted; a spent pool, and a waiter in the queue, refuse and count nothing."""
    gate = Gate("v", Budget([Pool("orders", limit=2, window_s=60.0, reserve=0.0)]))
    assert gate.try_acquire({"orders": 1}, Priority.HEDGE)
    assert gate.try_acquire({"orders": 1}, Priority.HEDGE)
    assert not gate.try_acquire({"orders": 1}, Priority.HEDGE)
    assert gate.budget.used(gate.now()) == {"orders": (2, 2)}


async def test_who_waits_for_the_budget_is_not_overtaken() -> None:
    """While a request waits nothing else is granted at once, even from another pool that is free."""
    gate = Gate("v", Budget([Pool("a", limit=1, window_s=0.5, reserve=0.0), Pool("b", limit=1, window_s=60.0)]))
    await gate.acquire({"a": 1}, Priority.MAKER)
    waiting = asyncio.create_task(gate.acquire({"a": 1}, Priority.MAKER, max_wait=5.0))
    await asyncio.sleep(0)
    assert not gate.try_acquire({"b": 1}, Priority.HEDGE)
    gate.close()
    with pytest.raises(Unavailable):
        await waiting
