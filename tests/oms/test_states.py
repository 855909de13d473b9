"""The states' tables, arming, and all that pulls the kill switch."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from gateways.errors import Denied
from gateways.standards import ZERO
from oms import limits
from oms.clock import Jump, JumpKind
from oms.deltas import HedgeDelta
from oms.journal import MemoryJournal
from oms.killswitch import KillSwitch
from oms.states import ALLOWED, NEEDS_ARMING, RESTORED, Act, Arming, Live, Trading, refusal
from tests.oms.stub_venue import D, desk, virtual

SECOND = 1_000_000_000
LIVE = Live(name="main", rules=limits.Arming(idle_s=60, clock_skew_ms=500, on_reconnect=True))
GETTING_OUT = {Act.CANCEL, Act.FLATTEN}


# ------------------------------------------------------------------ the tables


def test_getting_out_is_allowed_in_every_state():
    """No state, and no arming, stands before a cancel or a flatten."""
    assert all(refusal(trading, arming, act) == "" for trading in Trading for arming in Arming for act in GETTING_OUT)


def test_less_goes_out_from_each_state_to_the_next():
    """ACTIVE, REDUCING, HEDGE-ONLY, HALTED: each lets out a part of what the one before does."""
    order = [Trading.ACTIVE, Trading.REDUCING, Trading.HEDGE_ONLY, Trading.HALTED]
    assert all(ALLOWED[after] < ALLOWED[before] for before, after in pairwise(order))
    assert ALLOWED[Trading.HALTED] == GETTING_OUT


@pytest.mark.parametrize("trading", Trading)
def test_safe_refuses_what_raises_risk_and_nothing_else(trading):
    """A desk that is SAFE does all that one on paper does but raise risk; an armed one all."""
    for act in Act:
        paper = refusal(trading, Arming.PAPER, act)
        assert refusal(trading, Arming.ARMED, act) == paper
        assert bool(refusal(trading, Arming.SAFE, act)) is (bool(paper) or act in NEEDS_ARMING)


def test_every_trading_state_is_restored_by_an_act():
    """What an operator can choose outlives a restart; RECOVERING is the start itself."""
    assert set(RESTORED.values()) == set(Trading) - {Trading.RECOVERING}


def test_a_state_is_written_as_its_word():
    """In sentences, and on the screen."""
    assert f"{Trading.HEDGE_ONLY} {Arming.SAFE}" == "HEDGE-ONLY SAFE"


# ------------------------------------------------------------------ arming


@virtual
async def test_a_live_desk_starts_safe_and_raises_no_risk():
    """Only what reduces goes out before it is armed; the refusal says so."""
    async with desk(live=LIVE) as made:
        with pytest.raises(Denied, match="LIVE SAFE"):
            await made.maker()
        assert await made.maker(reduce_only=True)
        assert [order.reduce_only for order in made.a.asked("place")] == [True]


@virtual
async def test_a_desk_is_armed_by_its_whole_name_alone():
    """Neither by another nor by a part; then it raises risk, until it is disarmed."""
    async with desk(live=LIVE) as made:
        for wrong in ("", "mai", "Main", "main "):
            with pytest.raises(Denied, match="name"):
                made.oms.arm(wrong)
        made.oms.arm("main")
        key = await made.maker()
        made.oms.disarm()
        assert (made.oms.arming, made.oms.trading) == ("SAFE", "ACTIVE")
        assert not made.a.held[key].status.terminal, "to disarm cancels nothing"
        with pytest.raises(Denied, match="LIVE SAFE"):
            await made.maker()


@virtual
async def test_paper_needs_no_arming():
    """It cannot be armed, and takes makers."""
    async with desk() as made:
        assert made.oms.arming == "PAPER"
        with pytest.raises(Denied, match="paper"):
            made.oms.arm("main")
        assert await made.maker()


@virtual
async def test_a_fill_of_a_safe_desk_is_hedged():
    """A hedge of what is owed lowers risk: SAFE never stands before it."""
    async with desk(live=LIVE) as made:
        made.oms.arm("main")
        key = await made.maker()
        made.oms.disarm()
        made.a.trade(key, "1")
        await made.until(lambda: made.hedges() == [D(-1)])


@virtual
async def test_an_armed_desk_disarms_itself_when_idle():
    """Acts of the operator count, and nothing else."""
    async with desk(live=LIVE) as made:
        made.oms.arm("main")
        started = made.loop.time()
        await made.until(lambda: made.loop.time() - started > 50)
        made.oms.state.touch()
        await made.until(lambda: made.loop.time() - started > 100)
        assert made.oms.arming == "ARMED"
        await made.until(lambda: made.oms.arming == "SAFE")
        assert made.loop.time() - started == pytest.approx(111, abs=2)
        assert "60 s" in made.oms.state.because


@virtual
async def test_clocks_that_differ_disarm_and_keep_it_from_being_armed():
    """Until they agree again."""
    async with desk(live=LIVE) as made:
        made.oms.arm("main")
        made.oms.health.clock_measured("b", 400_000_000)
        await made.until(lambda: made.loop.time() % 1 < 0.5)
        assert made.oms.arming == "ARMED"
        made.oms.health.clock_measured("b", -501_000_000)
        await made.until(lambda: made.oms.arming == "SAFE", 2.0)
        with pytest.raises(Denied, match="501 ms"):
            made.oms.arm("main")


@virtual
async def test_a_lost_private_stream_disarms_where_the_configuration_says_so():
    """And only there."""
    for rules, after in ((LIVE.rules, "SAFE"), (limits.Arming(), "ARMED")):
        async with desk(live=Live(name="main", rules=rules)) as made:
            made.oms.arm("main")
            made.a.private(connected=False)
            assert made.oms.arming == after


@virtual
async def test_a_broken_limit_disarms():
    """Too much that waits to be hedged: what would add to it needs the operator's word again."""
    risk = limits.Limits(each=limits.InstrumentLimits(unhedged_notional=limits.Limit(hard=D(50))))
    async with desk(live=LIVE, risk=risk) as made:
        made.oms.arm("main")
        key = await made.maker()
        made.oms.hedge.pause("b", "X", "by hand")
        made.a.trade(key, "0.4")
        await made.until(lambda: made.book.balance == D("-0.4"))
        assert made.oms.arming == "ARMED"
        made.a.trade(key, "0.4")
        await made.until(lambda: made.oms.arming == "SAFE")
        assert "limit" in made.oms.state.because


@virtual
async def test_arming_is_told_to_the_journal_and_never_taken_from_it():
    """Every start is SAFE; the journal says who was armed when."""
    async with desk(live=LIVE) as first:
        first.oms.arm("main")
        image = first.journal.image
    async with desk(journal=MemoryJournal(first.loop, image), venues=first.venues, live=LIVE) as second:
        assert second.oms.arming == "SAFE"
        assert "Armed" in [record.kind for record in second.journal.records()]


# ------------------------------------------------------------------ trading


@virtual
@pytest.mark.parametrize(("act", "after"), [("reducing", "REDUCING"), ("halt_trading", "HALTED")])
async def test_what_the_operator_chose_outlives_a_restart(act, after):
    """Until it is activated."""
    async with desk() as first:
        await getattr(first.oms, act)()
        image = first.journal.image
    async with desk(journal=MemoryJournal(first.loop, image), venues=first.venues) as second:
        assert second.oms.trading == after
        second.oms.activate()
        assert await second.maker()


@virtual
async def test_reducing_cancels_what_does_not_reduce():
    """What rests would fill: the state must be true of it too."""
    async with desk() as made:
        raising, closing = await made.maker(), await made.maker("-1", "101", reduce_only=True)
        assert await made.oms.reducing() == 1
        assert made.a.held[raising].status.terminal
        assert not made.a.held[closing].status.terminal


@virtual
async def test_a_halted_desk_sends_no_hedge_and_owes_it_in_plain_sight():
    """A fill that is told late is an obligation like any other; `activate` sends what waits."""
    async with desk() as made:
        key = await made.maker()
        fill = made.a.trade(key, "1", tell=())
        await made.oms.halt_trading()
        made.a.send(fill, made.a.say(made.a.held[key]))
        await made.until(lambda: made.book.balance == -1)
        assert made.hedges() == []
        assert "HALTED" in made.book.waits
        with pytest.raises(ValueError, match="HALTED"):
            made.oms.hedge.round_up("b", "X", "by hand")
        made.oms.activate()
        await made.until(lambda: made.book.hedged == -1)


# ------------------------------------------------------------------ the kill switch


def panics(made: object) -> list[HedgeDelta]:
    return [alert for alert in made.alerts if alert.event == "panic"]


@virtual
async def test_the_file_pulls_it_and_its_removal_ends_nothing(tmp_path: Path):
    """Within a fifth of a second; `activate` is refused while the file is there."""
    file = tmp_path / "panic"
    async with desk(live=LIVE, kill_file=file) as made:
        made.oms.arm("main")
        key = await made.maker()
        file.touch()
        await made.until(lambda: made.oms.trading == "HEDGE-ONLY", 0.2)
        await made.until(lambda: made.a.held[key].status.terminal)
        assert made.oms.arming == "SAFE"
        with pytest.raises(Denied, match="remove it first"):
            made.oms.activate()
        with pytest.raises(Denied, match="remove it first"):
            made.oms.arm("main")
        file.unlink()
        await made.until(lambda: not made.oms.killswitch.pulled)
        assert made.oms.trading == "HEDGE-ONLY"
        made.oms.activate()
        assert (made.oms.trading, made.oms.state.because) == ("ACTIVE", "")
        assert [str(file) in alert.text and "remove it" in alert.text for alert in panics(made)] == [True]


@virtual
async def test_a_file_that_is_there_at_the_start_pulls_it(tmp_path: Path):
    """Whoever stopped the desk while it was away meant it."""
    file = tmp_path / "panic"
    file.touch()
    async with desk(kill_file=file) as made:
        await made.until(lambda: made.oms.trading == "HEDGE-ONLY", 0.2)


@virtual
async def test_a_file_of_somebody_else_pulls_nothing_and_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Only ours counts, or root's."""
    file = tmp_path / "panic"
    monkeypatch.setattr(KillSwitch, "_owner", lambda _: os.geteuid() + 1 if file.exists() else None)
    async with desk(kill_file=file) as made:
        file.touch()
        await made.until(lambda: any("not by us" in alert.text for alert in made.alerts))
        assert made.oms.trading == "ACTIVE"


@virtual
async def test_hedges_that_fail_again_and_again_pull_it():
    """The third book that failing hedges put on HOLD within ten minutes; one that the operator holds does not count."""
    async with desk() as made:
        hold = HedgeDelta(event="hold", venue="b", ticker="X", text="HOLD", cloid="7f3a", ts_ns=made.loop.now_ns())
        for _ in range(2):
            made.oms.announce(hold)
        made.oms.hedge.hold("b", "X", "by hand")
        assert made.oms.trading == "ACTIVE"
        made.oms.announce(hold)
        assert made.oms.trading == "HEDGE-ONLY"
        await made.until(lambda: panics(made))
        assert "hedges failed" in panics(made)[0].text


@virtual
async def test_hedges_that_fail_now_and_then_do_not_pull_it():
    """Three within an hour are three that were looked at."""
    async with desk() as made:
        for minutes in (0, 9, 18):
            ts_ns = made.loop.now_ns() + minutes * 60 * SECOND
            made.oms.announce(HedgeDelta(event="hold", venue="b", ticker="X", text="", cloid="7f3a", ts_ns=ts_ns))
        assert made.oms.trading == "ACTIVE"


@virtual
async def test_a_drift_that_stays_pulls_it():
    """Something trades that this desk does not know: no fill that was missed explains it."""
    async with desk(refresh_positions_snapshot=10.0, refresh_orders_snapshot=10.0) as made:
        await made.until(lambda: len(made.a.asked("positions")) == 2)  # the baseline stands
        made.a.position["X"] += 3
        await made.until(lambda: made.oms.trading == "HEDGE-ONLY")
        await made.until(lambda: panics(made))
        assert "reconcile a" in panics(made)[0].text


@virtual
async def test_a_missed_fill_is_no_drift_that_stays():
    """A reconciliation finds it, it is hedged, and the desk goes on."""
    async with desk() as made:
        key = await made.maker()
        made.a.trade(key, "1", tell=())
        await made.until(lambda: made.hedges() == [D(-1)])
        started = made.loop.time()
        await made.until(lambda: made.loop.time() - started > 100)
        assert made.oms.trading == "ACTIVE"


@virtual
@pytest.mark.parametrize(
    ("jump", "pulled"),
    [
        (Jump(kind=JumpKind.UTC, size_ns=SECOND), True),
        (Jump(kind=JumpKind.UTC, size_ns=-SECOND), True),
        (Jump(kind=JumpKind.UTC, size_ns=SECOND - 1), False),
        (Jump(kind=JumpKind.SLEPT, size_ns=5 * SECOND), True),
        (Jump(kind=JumpKind.SLEPT, size_ns=5 * SECOND - 1), False),
    ],
)
async def test_time_that_jumps_pulls_it(jump, pulled):
    """The clock either way, and a machine that stood still while makers rested."""
    async with desk() as made:
        key = await made.maker()
        made.oms.killswitch.jumped(jump)
        assert (made.oms.trading == "HEDGE-ONLY") is pulled
        if pulled:
            await made.until(lambda: made.a.held[key].status.terminal)
            assert made.book.balance == ZERO


@virtual
async def test_what_pulled_it_is_said_with_what_to_do_next():
    """In the alert and, for as long as it stands, on the banner."""
    async with desk() as made:
        await made.maker()
        made.oms.killswitch.trip("the roof is on fire", "leave the house")
        await made.until(lambda: panics(made))
        (alert,) = panics(made)
        assert alert.severity == "error"
        for text in (alert.text, made.oms.state.because):
            assert "the roof is on fire" in text
            assert "leave the house; then `activate`" in text
