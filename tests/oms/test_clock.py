"""Clocks: the manual one moves only when told, the system's is the machine's."""

import time

import pytest

from oms.clock import Clock, ManualClock, SystemClock


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
    """Both readings lie between two of the machine's own."""
    clock: Clock = SystemClock()
    before, before_monotonic = time.time_ns(), time.monotonic_ns()
    now, monotonic = clock.now_ns(), clock.monotonic_ns()
    assert before_monotonic <= monotonic <= time.monotonic_ns()
    assert before <= now <= time.time_ns()
