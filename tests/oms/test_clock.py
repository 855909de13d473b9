"""Clocks: the manual one moves only when told, the system's is the machine's."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.clock import Clock, DeskClock, Jump, JumpDetector, JumpKind, ManualClock, SystemClock, watch_clock
from tests.oms.stub_venue import D, desk, virtual

S = 1_000_000_000


def test_a_manual_clock_stands_still_until_told():
    """Time passes on both readings; a jump moves the UTC one alone, also back."""
    clock: Clock = ManualClock(now_ns=1_000, monotonic_ns=5)
    assert (clock.now_ns(), clock.monotonic_ns()) == (1_000, 5)
    clock.advance(10)
    assert (clock.now_ns(), clock.monotonic_ns()) == (1_010, 15)
    clock.set(3)
    assert (clock.now_ns(), clock.monotonic_ns()) == (3, 15)


def test_a_manual_clock_does_not_run_backwards():
    """Letting a negative span pass is refused."""
    with pytest.raises(ValueError, match="does not go back"):
        ManualClock().advance(-1)


def test_the_system_clock_reads_utc_and_a_monotonic_time():
    """UTC lies between two of the machine's own readings; the other one goes on with the machine's, sleep included."""
    clock: Clock = SystemClock()
    before, before_monotonic = time.time_ns(), time.monotonic_ns()
    now, monotonic = clock.now_ns(), clock.monotonic_ns()
    assert before <= now <= time.time_ns()
    assert monotonic >= before_monotonic
    assert clock.monotonic_ns() >= monotonic


@given(st.lists(st.one_of(st.tuples(st.just("pass"), st.integers(0, 10**12)),
                          st.tuples(st.just("jump"), st.integers(0, 2 * 10**18)))))  # fmt: skip
def test_the_desks_time_counts_what_passes_and_nothing_else(story):
    """Whatever becomes of the UTC clock: the desk's time is its start and what has passed since."""
    machine = ManualClock(now_ns=10**18, monotonic_ns=7)
    clock = DeskClock(machine)
    passed = 0
    for kind, amount in story:
        if kind == "pass":
            machine.advance(amount)
            passed += amount
        else:
            machine.set(amount)
        assert clock.now_ns() == 10**18 + passed
        assert clock.utc_ns() == machine.now_ns()
        assert clock.ahead_ns() == max(0, clock.now_ns() - machine.now_ns())


def test_the_desks_time_can_be_told_what_it_must_not_be_before():
    """A journal that is ahead moves it forward, once; one that is behind does not move it."""
    clock = DeskClock(ManualClock(now_ns=1_000))
    assert clock.not_before(400) == 0
    assert clock.not_before(1_300) == 300
    assert clock.now_ns() == 1_300


@pytest.mark.parametrize("size", [3600 * S, -3600 * S, S, -S])
def test_a_jump_of_the_utc_clock_is_seen_once_with_its_size(size):
    """Forward and back, against what has passed meanwhile."""
    detector = JumpDetector()
    assert detector.observe(utc_ns=100 * S, monotonic_ns=5 * S, awake_ns=5 * S) == []
    (jump,) = detector.observe(utc_ns=101 * S + size, monotonic_ns=6 * S, awake_ns=6 * S)
    assert jump == Jump(kind=JumpKind.UTC, size_ns=size)
    assert str(jump).startswith(f"this machine's UTC clock jumped {'forward' if size > 0 else 'back'} by ")
    assert detector.observe(utc_ns=102 * S + size, monotonic_ns=7 * S, awake_ns=7 * S) == []


def test_a_machine_that_slept_is_seen_with_how_long():
    """UTC and the clock that counts sleep went on, the loop's did not: no jump, the machine stood still."""
    detector = JumpDetector()
    detector.observe(utc_ns=100 * S, monotonic_ns=50 * S, awake_ns=5 * S)
    (jump,) = detector.observe(utc_ns=401 * S, monotonic_ns=351 * S, awake_ns=6 * S)
    assert jump == Jump(kind=JumpKind.SLEPT, size_ns=300 * S)
    assert str(jump) == "this machine stood still for 300.0 s"


@given(st.lists(st.tuples(st.integers(1, 10**10), st.integers(-500, 500)), max_size=60))
def test_a_clock_that_is_only_slewed_jumps_never_at_once(story):
    """NTP's 500 ppm, however long each look takes, is told of at most when it has added up to the limit."""
    detector = JumpDetector()
    utc = monotonic = told = 0
    for passed, ppm in story:
        monotonic += passed
        utc += passed + passed * ppm // 1_000_000
        told += sum(jump.size_ns for jump in detector.observe(utc_ns=utc, monotonic_ns=monotonic, awake_ns=monotonic))
        first = story[0][0] + story[0][0] * story[0][1] // 1_000_000 - story[0][0]
        assert abs(utc - monotonic - first - told) < 500_000_000


@virtual
async def test_a_watched_clock_tells_of_its_jumps():
    """Within a second of the jump, and only of it."""
    loop = asyncio.get_running_loop()
    clock, jumps = DeskClock(loop), []
    watch = loop.create_task(watch_clock(clock, jumps.append))
    await asyncio.sleep(60)
    loop.jump(-30 * S)
    await asyncio.sleep(1)
    assert jumps == [Jump(kind=JumpKind.UTC, size_ns=-30 * S)]
    watch.cancel()


@pytest.mark.parametrize("size", [3600 * S, -3600 * S])
@virtual
async def test_a_jump_neither_hastens_nor_delays_a_hedge(size):
    """A hedge due in 5 s goes in 5 s, whatever UTC does meanwhile; the jump is told, and to whoever asked for it."""
    async with desk() as made:
        jumps = []
        made.oms.add_jump_callback(jumps.append)
        maker = await made.maker("1", legs={"exc": "b", "ticker": "X", "trigger_after_ms": 5000})
        made.a.trade(maker, "0.4")
        await asyncio.sleep(2)
        made.loop.jump(size)
        await asyncio.sleep(2.5)
        assert made.hedges() == []
        await asyncio.sleep(1)
        assert made.book.hedged == D("-0.4")
        made.loop.jump(-size)
        made.a.trade(maker, "0.1")
        await asyncio.sleep(4.5)
        assert made.hedges() == [D("-0.4")]
        await asyncio.sleep(1)
        assert made.book.hedged == D("-0.5")
        assert [jump.size_ns for jump in jumps] == [size, -size]
        assert len([one for one in made.alerts if "UTC clock jumped" in one.text]) == 2


@pytest.mark.parametrize("size", [3600 * S, -3600 * S])
@virtual
async def test_venues_whose_stamps_jump_do_not_move_the_desks_time(size):
    """A receive time that was read from a jumped clock neither delays what is due nor makes it due at once."""
    async with desk() as made:
        maker = await made.maker("1", legs={"exc": "b", "ticker": "X", "trigger_after_ms": 5000})
        made.loop.jump(size)  # the stub venues stamp what they tell with this clock
        made.a.trade(maker, "0.4")
        await asyncio.sleep(4.5)
        assert made.hedges() == []
        await asyncio.sleep(1)
        assert made.book.hedged == D("-0.4")


@virtual
async def test_a_machine_that_slept_decides_at_once_what_fell_due():
    """The loop's timers stood still meanwhile: what is late goes when the sleep is noticed, not so much later again."""
    async with desk() as made:
        maker = await made.maker("1", legs={"exc": "b", "ticker": "X", "trigger_after_ms": 600_000})
        made.a.trade(maker, "0.4")
        await asyncio.sleep(1)
        awake = made.loop.monotonic_ns
        made.loop.monotonic_ns = lambda: awake() + 3600 * S
        made.loop.jump(3600 * S)
        await asyncio.sleep(2)
        assert made.book.hedged == D("-0.4")
        assert [one for one in made.alerts if "stood still for 3600.0 s" in one.text]


@pytest.mark.parametrize("hours", [1, 30])
@virtual
async def test_a_restart_with_the_clock_behind_the_journal_goes_on_from_there(hours):
    """Nothing waits for the clock to catch up; fills that were missed are asked for from well before; it is told."""
    async with desk() as made:
        maker = await made.maker("1", legs={"exc": "b", "ticker": "X", "trigger_after_ms": 5000})
        made.a.trade(maker, "0.4")
        image, venues = made.journal.image, made.venues
    made.loop.jump(-hours * 3600 * S)
    made.a.trade(maker, "0.1", tell=())
    async with desk(journal=type(made.journal)(made.loop, image), venues=venues) as again:
        began = again.loop.time()
        assert again.oms.missed_since_ns < again.loop.now_ns() - 3600 * S
        await again.until(lambda: again.book.hedged == D("-0.5"), 10)
        assert again.loop.time() - began < 10
        assert [one for one in again.alerts if "behind the journal's last time" in one.text]
