"""Every venue's clock is measured against ours, on connecting and again, and told to the watcher."""

import asyncio
import time
from collections.abc import Callable

import pytest

from gateways.paper.kinds import KINDS
from gateways.paper.sockets import PaperServer, running
from gateways.router import make_venue
from gateways.standards import Batch
from gateways.transport import session as transport
from gateways.transport.session import TELLING_TRIP_NS
from gateways.venue import ChannelState, Watcher

BEHIND_NS = 3_000_000_000
CLOSE_NS = 400_000_000
"""Half of the longest round trip that tells anything, and some for a loaded machine."""


class Offsets(Watcher):
    """Keeps what was measured."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.came = asyncio.Event()

    def channel_changed(self, venue: str, state: ChannelState) -> None:
        """Not looked at."""

    def request_done(self, venue: str, verb: str, **facts: object) -> None:
        """Not looked at."""

    def message_dropped(self, venue: str, reason: str) -> None:
        """Not looked at."""

    def clock_measured(self, venue: str, offset_ns: int) -> None:
        """Keep it."""
        self.told.append(offset_ns)
        self.came.set()


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_a_clock_that_is_behind_is_measured(kind: str) -> None:
    """By how much our clock is behind the venue's, within what a round trip leaves open."""
    async with running(PaperServer([kind], seed=3)) as server:
        venue = make_venue(kind, server.endpoints[kind])
        venue._session.clock_ns = lambda: time.time_ns() - BEHIND_NS  # type: ignore[attr-defined]
        watcher = Offsets()
        await venue.connect(lambda _batch: None, watcher)
        try:
            async with asyncio.timeout(10):
                await watcher.came.wait()
        finally:
            await venue.close()
    assert abs(watcher.told[0] - BEHIND_NS) < CLOSE_NS


class _Session(transport.Session):
    """Its venue answers with a fixed time, after a trip of ``trip_ns`` on our clock."""

    def __init__(self, trip_ns: int) -> None:
        ticks: Callable[[], int] = iter(range(0, 10 * trip_ns + 1, trip_ns)).__next__
        super().__init__("a", _PLACE, (), (), clock_ns=ticks)

    async def _server_ms(self) -> int:
        return 5_000


_PLACE = transport.Endpoints(rest="http://127.0.0.1:1", ws="ws://127.0.0.1:1")


@pytest.mark.parametrize(("trip_ns", "told"), [(TELLING_TRIP_NS, 1), (TELLING_TRIP_NS + 1_000_000, 0)])
async def test_a_long_round_trip_tells_no_offset(trip_ns: int, told: int) -> None:
    """Half of it is what the measure may be wrong by: a slow answer is no wrong clock."""
    session, watcher = _Session(trip_ns), Offsets()

    def unheard(batch: Batch) -> None:
        raise AssertionError(batch)

    session.open(unheard, watcher)
    await session.synchronize_clock()
    await session.close()
    assert len(watcher.told) == told
    assert session.offset_ms == 5_000 - trip_ns // 2_000_000


@pytest.mark.parametrize("trip_ns", [TELLING_TRIP_NS + 1_000_000, 12_000_000_000])
async def test_a_question_that_waited_long_does_not_undo_what_is_known(trip_ns: int) -> None:
    """It waited for the rate budget: half of that as an offset would have every signed request refused."""
    session = _Session(1)
    session.clock_ns = iter((0, 2_000_000, 60_000_000_000, 60_000_000_000 + trip_ns)).__next__
    await session.synchronize_clock()
    known = session.offset_ms
    await session.synchronize_clock()
    assert session.offset_ms == known == 4_999


async def test_a_doubted_clock_is_learnt_at_once() -> None:
    """A request was refused for its time: not after the minute that the keeper would wait."""
    learnt = asyncio.Event()

    class Asked(_Session):
        async def _server_ms(self) -> int:
            learnt.set()
            return await super()._server_ms()

    session = Asked(1)
    keeper = asyncio.create_task(session.keep_clock(3_600))
    try:
        for _ in range(2):
            session.doubt_clock()
            await asyncio.wait_for(learnt.wait(), 5)
            learnt.clear()
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
