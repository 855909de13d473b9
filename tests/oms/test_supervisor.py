"""When the venues are asked: soon again where an answer is doubted or questions are left, else on the timers."""

import asyncio
import itertools
from decimal import Decimal

import pytest

from gateways.standards import PositionUpdate
from oms.positions import AGREE_NS, SETTLE_NS
from oms.reconcile import FILL_QUESTIONS
from oms.supervisor import AGAIN_S, DRIFT_PATIENCE, RETRY_S
from tests.oms.stub_venue import StubVenue, contract, desk, virtual

D = Decimal
EVERY_S = 30.0
S = 1_000_000_000


def old(amount):
    """An answer with another position than the venue's own, once."""

    async def answer(_):
        return [PositionUpdate(venue="b", ticker="X", amount=D(amount))] if D(amount) else []

    return answer


def asked_at(made, venue, verb):
    """Record from now on at which of the loop's seconds a verb is asked."""
    times, do = [], venue._do

    async def watched(name, request, usual):
        if name == verb:
            times.append(made.loop.time())
        return await do(name, request, usual)

    venue._do = watched
    return times


@virtual
async def test_an_old_answer_of_positions_is_asked_again_soon_and_moves_nothing():
    """The desk looks again after two seconds, then at its own pace."""
    async with desk() as made:
        await made.maker("1")
        (cloid,) = made.a.held
        await made.until(lambda: len(made.b.asked("positions")) == 2)
        made.a.trade(cloid, "0.5")
        await made.until(lambda: made.b.position["X"] == D("-0.5"))
        made.b.send(PositionUpdate(venue="b", ticker="X", amount=D("-0.5")))
        made.b.script["positions"].append(old(0))
        times = asked_at(made, made.b, "positions")
        await made.until(lambda: len(times) == 3)
        assert made.oms.positions.get("b", "X") == D("-0.5")
        assert [later - at for at, later in itertools.pairwise(times)] == pytest.approx([AGAIN_S, EVERY_S], abs=0.1)
        assert not [alert for alert in made.alerts if "position" in alert.text]


@virtual
async def test_a_desk_started_on_an_old_answer_is_told_and_does_not_drift():
    """The baseline moves when two later answers agree, long before the timers' turn."""
    venues = {alias: StubVenue(alias, asyncio.get_running_loop()) for alias in ("a", "b")}
    venues["b"].position["X"] = D(3)
    venues["b"].script["positions"].append(old(0))
    async with desk(venues=venues) as made:
        assert made.oms.positions.get("b", "X") == 0
        await made.until(lambda: made.oms.positions.get("b", "X") == 3, (SETTLE_NS + AGREE_NS) / S + 2 * AGAIN_S)
        assert made.oms.positions.drifts() == {}
        await made.until(lambda: made.alerts)
        assert [alert.text for alert in made.alerts] == [
            "the first answer on b:X was an old one: 3 is expected there, not 0"
        ]


@virtual
async def test_a_position_that_nothing_explains_is_an_alarm_soon():
    """Two answers agree, it stays, and the operator is told once, within seconds of the first."""
    async with desk() as made:
        await made.until(lambda: len(made.b.asked("positions")) == 2)
        made.b.position["X"] = D(3)
        times = asked_at(made, made.b, "positions")
        await made.until(lambda: any("differs" in alert.text for alert in made.alerts))
        assert made.loop.time() - times[0] <= AGREE_NS / S + (1 + DRIFT_PATIENCE) * AGAIN_S
        await made.until(lambda: times[-1] - times[-2] > EVERY_S - 1)
        assert [alert.text for alert in made.alerts if "b:X" in alert.text] == [
            "the position of b:X differs from the sum of its fills by 3"
        ]


@virtual
async def test_questions_that_one_cycle_may_not_ask_come_soon_after():
    """The fills of many contracts are asked for in cycles of a bounded size, seconds apart; then the timer rules."""
    tickers = [f"T{number:02d}" for number in range(2 * FILL_QUESTIONS + 3)]
    loop = asyncio.get_running_loop()
    a = StubVenue("a", loop, [contract("a", ticker, base=ticker) for ticker in tickers])
    async with desk(venues={"a": a, "b": StubVenue("b", loop)}) as made:
        for ticker in tickers:
            await made.oms.limit_order({"exc": "a", "ticker": ticker, "amount": "1", "price": "99"})
        times = asked_at(made, a, "fills")
        await made.until(lambda: len(times) > len(tickers))
        cycles = [times[0], times[FILL_QUESTIONS], times[2 * FILL_QUESTIONS], times[-1]]
        assert [later - at for at, later in itertools.pairwise(cycles)] == pytest.approx(
            [RETRY_S, RETRY_S, EVERY_S], abs=0.1
        )
