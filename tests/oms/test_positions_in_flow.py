"""Steady fills, each told a moment before or after its position: no alarm, and drift is told of all the same."""

import pytest

from gateways.standards import PositionUpdate
from oms.supervisor import AGAIN_S, DRIFT_STAYS
from tests.oms.stub_venue import desk, virtual

LATE_S = 0.001
EVERY_S = 10.0
LOOKS = 20


def told(venue):
    """Push the position as it is."""
    venue.send(PositionUpdate(venue=venue.alias, ticker="X", amount=venue.position["X"]))


def in_flow(made, key, *, late):
    """From now on a maker fills whenever the positions have just been answered; the ``late`` message comes after."""
    venue, do, looks = made.a, made.a._do, []

    async def flowing(name, request, usual):
        if name != "positions":
            return await do(name, request, usual)
        looks.append(made.loop.time())
        if late == "fill":
            made.loop.call_later(LATE_S, venue.send, venue.trade(key, "0.01", tell=()))
            told(venue)
        answer = await do(name, request, usual)
        if late == "position":
            venue.trade(key, "0.01", tell=("fill",))
            made.loop.call_later(LATE_S, told, venue)
        return answer

    venue._do = flowing
    return looks


def differs(made):
    """The alarms of drift."""
    return [alert for alert in made.alerts if "differs" in alert.text]


@virtual
@pytest.mark.parametrize("late", ["position", "fill"])
async def test_positions_a_moment_beside_steady_fills_are_no_drift(late):
    """Every look falls between the two messages, and none belongs to the one before: no alarm, the desk trades on."""
    async with desk(refresh_positions_snapshot=EVERY_S) as made:
        key = await made.maker("1")
        await made.until(lambda: len(made.a.asked("positions")) == 2)
        looks = in_flow(made, key, late=late)
        await made.until(lambda: len(looks) == LOOKS, LOOKS * EVERY_S)
        assert (made.oms.trading, differs(made)) == ("ACTIVE", [])
        await made.until(lambda: made.oms.positions.drift("a", "X") == 0)


@virtual
@pytest.mark.parametrize("late", ["position", "fill"])
async def test_drift_in_steady_fills_pulls_the_switch_as_soon_as_ever(late):
    """Another trades on the account meanwhile: within as many looks as without the flow."""
    async with desk(refresh_positions_snapshot=EVERY_S) as made:
        key = await made.maker("1")
        await made.until(lambda: len(made.a.asked("positions")) == 2)
        looks = in_flow(made, key, late=late)
        await made.until(lambda: len(looks) == 3)
        made.a.position["X"] += 3
        told(made.a)
        began = made.loop.time()
        await made.until(lambda: made.oms.trading == "HEDGE-ONLY")
        assert len(differs(made)) == 1
        assert len(looks) - 3 <= DRIFT_STAYS + 1
        assert made.loop.time() - began <= DRIFT_STAYS * AGAIN_S + EVERY_S
