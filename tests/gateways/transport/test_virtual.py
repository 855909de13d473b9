"""Virtual time: what a loop on it does with timers, with nothing to do, and with the real world."""

import asyncio
import socket

import pytest

from gateways.transport.virtual import Deadlock, VirtualLoop

START_NS = 1_700_000_000_000_000_000


@pytest.fixture
def loop():
    made = VirtualLoop(START_NS)
    yield made
    made.close()


def test_hours_pass_at_once_and_exactly(loop):
    """A sleep ends at its time, to the nanosecond, on both clocks."""
    loop.run_until_complete(asyncio.sleep(7_200))
    assert loop.monotonic_ns() == 7_200_000_000_000
    assert loop.now_ns() == START_NS + 7_200_000_000_000
    assert loop.time() == 7_200.0


def test_timers_run_in_the_order_of_their_times(loop):
    """However they were set, and each at its own time."""
    ran = []

    async def scene():
        for delay in (0.3, 0.1, 0.2):
            loop.call_later(delay, lambda delay=delay: ran.append((delay, round(loop.time(), 9))))
        await asyncio.sleep(1)

    loop.run_until_complete(scene())
    assert ran == [(0.1, 0.1), (0.2, 0.2), (0.3, 0.3)]


def test_what_runs_takes_no_time(loop):
    """Turns of the loop without a timer leave the clock where it is."""

    async def scene():
        for _ in range(1_000):
            await asyncio.sleep(0)

    loop.run_until_complete(scene())
    assert loop.monotonic_ns() == 0


def test_a_timeout_ends_what_never_comes(loop):
    """``asyncio.timeout`` is on virtual time too."""

    async def scene():
        async with asyncio.timeout(60):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        loop.run_until_complete(scene())
    assert loop.time() == pytest.approx(60)


def test_waiting_for_ever_is_an_error(loop):
    """Where a real loop would hang, this one says so."""
    waiting = loop.create_task(asyncio.Event().wait())
    with pytest.raises(Deadlock):
        loop.run_until_complete(waiting)
    waiting.cancel()
    loop.run_until_complete(asyncio.wait([waiting]))


def test_the_real_world_is_refused(loop):
    """No sockets and no threads: both run on the machine's time."""
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        with pytest.raises(RuntimeError, match="no sockets"):
            loop.run_until_complete(loop.sock_recv(near, 1))
    with pytest.raises(RuntimeError, match="no threads"):
        loop.run_in_executor(None, len, "")


def test_a_clock_that_is_corrected_jumps_alone(loop):
    """The UTC reading moves, durations do not."""
    loop.jump(-5_000_000_000)
    assert loop.now_ns() == START_NS - 5_000_000_000
    assert loop.monotonic_ns() == 0
