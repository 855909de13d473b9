"""A venue's clock and ours: makers are refused while they differ by too much, hedges and cancels never are."""

import pytest

from gateways.errors import Denied, Rejected
from gateways.standards import RejectReason
from oms.checks import check_clock
from oms.clock import Jump, JumpKind
from tests.oms.stub_venue import D, desk, virtual

MS = 1_000_000


@pytest.mark.parametrize(("offset_ms", "refused"), [(999, False), (1_000, False), (1_001, True), (-1_001, True)])
def test_the_limit_itself_is_allowed_and_what_is_over_it_refused_either_way(offset_ms: int, *, refused: bool) -> None:
    """With the venue and the number that broke it; unmeasured clocks and no limit refuse nothing."""
    offsets = {"a": 0, "b": offset_ms * MS}
    check_clock(["a", "b"], offsets.get, None)
    check_clock(["never measured"], offsets.get, 0)
    if not refused:
        check_clock(["a", "b"], offsets.get, 1_000)
        return
    with pytest.raises(Denied, match="1001 ms, more than 1000 ms") as denied:
        check_clock(["a", "b"], offsets.get, 1_000)
    assert (denied.value.venue, denied.value.reason) == ("b", RejectReason.CLOCK)


@virtual
async def test_a_wrong_clock_stops_makers_and_neither_hedges_nor_cancels() -> None:
    """A maker that rests when the clock is found wrong is still hedged and cancelled; a new one waits for the clock."""
    async with desk() as made:
        resting = await made.maker("1", "99")
        made.oms.supervisor.clock_measured("b", 3_000 * MS)
        with pytest.raises(Denied, match="clock"):
            await made.maker("1", "98")
        with pytest.raises(Denied, match="clock"):
            await made.oms.amend_order(resting, price=D(97))
        made.a.trade(resting, "0.5")
        await made.until(lambda: made.book.hedged == D("-0.5"))
        assert await made.oms.cancel_orders(made.oms.makers_working()) == 1
        made.oms.supervisor.clock_measured("b", 3 * MS)
        await made.maker("1", "98")


@virtual
async def test_a_refusal_for_its_time_has_the_venues_clock_measured_at_once() -> None:
    """The next try is signed by the right time: not refused until the retry budget is spent."""
    async with desk() as made:
        doubted = []
        made.b.doubt_clock = lambda: doubted.append(made.loop.time())
        maker = await made.maker("1")
        made.b.script["hedge"].append(Rejected("b", "outside of the recvWindow", reason=RejectReason.CLOCK))
        made.a.trade(maker, "0.5")
        await made.until(lambda: made.book.hedged == D("-0.5"))
        assert len(doubted) == 1


@virtual
async def test_a_jump_of_our_own_clock_has_every_venues_measured() -> None:
    """What a request is stamped with has moved by as much."""
    async with desk() as made:
        doubted: list[str] = []
        for venue in (made.a, made.b):
            venue.doubt_clock = lambda alias=venue.alias: doubted.append(alias)
        made.oms._time_jumped(Jump(kind=JumpKind.UTC, size_ns=3_000 * MS))
        assert doubted == ["a", "b"]
