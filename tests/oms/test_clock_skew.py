"""A venue's clock and ours: makers are refused while they differ by too much, hedges and cancels never are."""

import pytest

from gateways.errors import Denied
from gateways.standards import RejectReason
from oms.checks import check_clock
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
