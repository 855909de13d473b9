"""Requests and replies over one websocket: what each ending proves."""

import asyncio

import pytest

from gateways.errors import Unavailable, Unknown
from gateways.transport.calls import Calls


def nothing() -> None:
    return None


async def test_reply_reaches_its_caller() -> None:
    """Each caller gets the reply of its own id, in whatever order they come."""
    calls: Calls[str] = Calls("venue")
    first = asyncio.create_task(calls.call("1", nothing, timeout=1))
    second = asyncio.create_task(calls.call("2", nothing, timeout=1))
    await asyncio.sleep(0)
    assert calls.resolve("2", "b")
    assert calls.resolve("1", "a")
    assert (await first, await second) == ("a", "b")
    assert len(calls) == 0


async def test_timeout_is_unknown() -> None:
    """A request without a reply was sent: its outcome is Unknown, and a late reply finds nobody."""
    calls: Calls[str] = Calls("venue")
    with pytest.raises(Unknown, match="no reply"):
        await calls.call("1", nothing, timeout=0.01)
    assert not calls.resolve("1", "late")


async def test_disconnect_is_unknown_for_all_sent() -> None:
    """A lost connection makes every pending request Unknown at once."""
    calls: Calls[str] = Calls("venue")
    tasks = [asyncio.create_task(calls.call(str(number), nothing, timeout=5)) for number in range(3)]
    await asyncio.sleep(0)
    calls.disconnected("going away")
    for task in tasks:
        with pytest.raises(Unknown, match="going away"):
            await task
    assert len(calls) == 0


async def test_not_sent_is_unavailable() -> None:
    """When sending says that nothing left, the caller hears Unavailable, and nothing stays pending."""
    calls: Calls[str] = Calls("venue")

    def refuse() -> None:
        raise Unavailable("venue", "not connected")

    with pytest.raises(Unavailable):
        await calls.call("1", refuse, timeout=1)
    assert len(calls) == 0


async def test_bounded() -> None:
    """Beyond the limit nothing is sent."""
    calls: Calls[str] = Calls("venue", limit=1)
    sent: list[int] = []
    task = asyncio.create_task(calls.call("1", lambda: sent.append(1), timeout=5))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="await their reply"):
        await calls.call("2", lambda: sent.append(2), timeout=5)
    assert sent == [1]
    calls.resolve("1", "done")
    await task


async def test_same_id_is_refused() -> None:
    """Two requests under one id could steal each other's reply: the second is not sent."""
    calls: Calls[str] = Calls("venue")
    task = asyncio.create_task(calls.call("1", nothing, timeout=5))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await calls.call("1", nothing, timeout=5)
    calls.resolve("1", "done")
    assert await task == "done"


async def test_cancelled_caller_leaves_nothing_pending() -> None:
    """A cancelled caller takes nothing back; its reply is dropped without a complaint."""
    calls: Calls[str] = Calls("venue")
    task = asyncio.create_task(calls.call("1", nothing, timeout=5))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not calls.resolve("1", "late")
    assert len(calls) == 0
