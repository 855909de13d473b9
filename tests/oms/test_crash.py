"""The kill points: at the very statement that they name, and nowhere else."""

import asyncio

import pytest

from oms.crash import AFTER_APPEND, AFTER_SEND, BEFORE_APPEND, CrashPoints
from oms.hedge.events import Intended
from oms.hedge.policy import Policy
from oms.journal import MemoryJournal

CHILD = "15bc41050d0be312000101a206d94ede"


class Died(BaseException):
    """Instead of a signal."""


def die():
    raise Died


class StubClock:
    def now_ns(self):
        return 1


class StubSocket:
    """Writes at the end of the turn, as uvloop does."""

    def __init__(self):
        self.written = []
        self.unsent = 0
        self.is_open = True
        self.ending = ""

    def write(self, data):
        self.written.append(data)
        self.unsent += len(data)
        asyncio.get_running_loop().call_soon(self._leave)

    def _leave(self):
        self.unsent = 0


class StubNetwork:
    def __init__(self):
        self.socket = StubSocket()

    async def connect(self, url, deliver, **options):
        return self.socket


def intend(journal, child=CHILD):
    return journal.append("Intended", _intent(child))


def _intent(child):

    return Intended(
        child=child, venue="binance", ticker="ETHUSDT", amount=1, parts=(), policy=Policy(), rung=0, ts_ns=1
    )


@pytest.mark.parametrize(("point", "records"), [(BEFORE_APPEND, 2), (AFTER_APPEND, 3)])
def test_the_journal_holds_the_intent_only_after_its_append(point, records):
    """Killed at the second hedge: the first one's intent is there, the second one's by the point."""
    inner = MemoryJournal(StubClock())
    journal = CrashPoints(point, 2, die).journal(inner)
    intend(journal, "first")
    journal.append("Evidence", key="x")
    with pytest.raises(Died):
        intend(journal)
    assert len(list(inner.records())) == records + 1


async def test_the_order_has_left_when_after_send_kills():
    """Other messages pass; the one that carries the hedge's id is out of the buffer when the end comes."""
    died = []
    network = StubNetwork()
    points = CrashPoints(AFTER_SEND, 1, lambda: died.append(network.socket.unsent))
    intend(points.journal(MemoryJournal(StubClock())))
    options = {"ping_every": None, "ping_timeout": 1.0, "open_timeout": 1.0, "max_size": 1}
    socket = await points.network(network).connect("ws://x", lambda data: None, **options)
    socket.write(b'{"method":"ping"}')
    await asyncio.sleep(0)
    assert died == []
    socket.write(b'{"newClientOrderId":"%b"}' % CHILD.encode())
    assert died == [], "it has not left yet"
    while not died:
        await asyncio.sleep(0)
    assert died == [0]
    socket.write(b'{"origClientOrderId":"%b"}' % CHILD.encode())
    await asyncio.sleep(0)
    assert died == [0], "one end is enough"


def test_without_the_switch_there_are_no_points():
    """An environment that does not name it, or names it empty, changes nothing."""
    assert CrashPoints.from_environment({}) is None
    assert CrashPoints.from_environment({"HEDGEDESK_KILL": ""}) is None


def test_the_switch_says_where():
    """POINT:N."""
    points = CrashPoints.from_environment({"HEDGEDESK_KILL": "after-send:12"})
    assert points is not None
    assert (points.point, points.nth) == (AFTER_SEND, 12)


@pytest.mark.parametrize("text", ["after-send", "after-send:0", "after-send:-1", "after-send:x", "during:1", ":1"])
def test_a_switch_of_another_form_is_refused(text):
    """One sentence that names it and what is allowed."""
    with pytest.raises(ValueError, match="before-append, after-append, after-send"):
        CrashPoints.from_environment({"HEDGEDESK_KILL": text})
