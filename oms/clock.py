"""The clock as a value that is passed in: two readings, nanoseconds, and nothing else reads the time in the OMS.

A machine's UTC clock is corrected while the desk runs, by seconds or by hours, and a machine sleeps. The desk's own
time is not moved by the one and goes on through the other (`DeskClock`); both are told of (`watch_clock`).
"""

import asyncio
import sys
import time
from collections.abc import Callable
from enum import Enum
from typing import Protocol

import msgspec

JUMP_NS = 500_000_000
"""From this difference on the UTC clock has jumped. One that is slewed (NTP: 500 ppm) needs 1,000 s for it; then it is
worth telling too."""
SLEPT_NS = 1_000_000_000
"""From this length on a standstill of the machine is told of."""
LOOK_EVERY_S = 1.0


class Clock(Protocol):
    """Where the OMS gets the time. The two readings have nothing to do with each other but their unit."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970, UTC. May jump: for stamps that people and venues read."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary moment; never goes back: for timeouts, ages and durations."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970, UTC."""
        return time.time_ns()

    if sys.platform == "linux":

        def monotonic_ns(self) -> int:
            """Nanoseconds since the machine's start, its sleep included (clock_gettime(2), CLOCK_BOOTTIME)."""
            return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    elif sys.platform == "darwin":

        def monotonic_ns(self) -> int:
            """Nanoseconds of the clock that goes on in sleep there (clock_gettime(3), CLOCK_MONOTONIC)."""
            return time.clock_gettime_ns(time.CLOCK_MONOTONIC)

    else:

        def monotonic_ns(self) -> int:
            """Nanoseconds of the machine's monotonic clock."""
            return time.monotonic_ns()


class DeskClock:
    """The desk's time: UTC as it was when this was made, and what has passed since.

    No correction of the UTC clock moves it, so delays and retries neither fall due at once nor stand still.
    """

    def __init__(self, source: Clock) -> None:
        self._source = source
        self._start_ns = source.now_ns() - source.monotonic_ns()

    def now_ns(self) -> int:
        """Nanoseconds since 1970 by the desk's own count; never goes back."""
        return self._start_ns + self._source.monotonic_ns()

    def monotonic_ns(self) -> int:
        """The source's own reading."""
        return self._source.monotonic_ns()

    def utc_ns(self) -> int:
        """What the UTC clock says now, right or wrong."""
        return self._source.now_ns()

    def ahead_ns(self) -> int:
        """How far this is ahead of the UTC clock, at least 0: what has happened may be so much older for a venue."""
        return max(0, self.now_ns() - self.utc_ns())

    def not_before(self, ns: int) -> int:
        """Go on from ``ns`` if that is ahead: time told to a hedge kernel never goes back. Return by how much."""
        ahead = max(0, ns - self.now_ns())
        self._start_ns += ahead
        return ahead


class JumpKind(str, Enum):
    """What happened to time."""

    UTC = "utc"
    SLEPT = "slept"


class Jump(msgspec.Struct, frozen=True, kw_only=True):
    """A jump of time. ``size_ns``: of the UTC clock, + forward and - back; or how long the machine stood still."""

    kind: JumpKind
    size_ns: int

    def __str__(self) -> str:
        if self.kind is JumpKind.SLEPT:
            return f"this machine stood still for {self.size_ns / 1e9:.1f} s"
        way = "forward" if self.size_ns > 0 else "back"
        return f"this machine's UTC clock jumped {way} by {abs(self.size_ns) / 1e9:.1f} s"


class JumpDetector:
    """Compares what three clocks say each time, and tells what one did that the others did not. Pure."""

    def __init__(self, jump_ns: int = JUMP_NS, slept_ns: int = SLEPT_NS) -> None:
        self._jump_ns = jump_ns
        self._slept_ns = slept_ns
        self._offset_ns: int | None = None
        self._asleep_ns = 0

    def observe(self, *, utc_ns: int, monotonic_ns: int, awake_ns: int) -> list[Jump]:
        """What happened since the last look; the first one tells nothing.

        ``awake_ns`` is a monotonic reading that stands still while the machine sleeps.
        """
        offset, asleep = utc_ns - monotonic_ns, monotonic_ns - awake_ns
        if self._offset_ns is None:
            self._offset_ns, self._asleep_ns = offset, asleep
        jumps = []
        if abs(offset - self._offset_ns) >= self._jump_ns:
            jumps.append(Jump(kind=JumpKind.UTC, size_ns=offset - self._offset_ns))
            self._offset_ns = offset
        if asleep - self._asleep_ns >= self._slept_ns:
            jumps.append(Jump(kind=JumpKind.SLEPT, size_ns=asleep - self._asleep_ns))
            self._asleep_ns = asleep
        return jumps


async def watch_clock(clock: DeskClock, on_jump: Callable[[Jump], None], every_s: float = LOOK_EVERY_S) -> None:
    """Look at the clocks until cancelled; ``on_jump`` is told of each jump."""
    loop = asyncio.get_running_loop()
    detector = JumpDetector()
    while True:
        awake_ns = round(loop.time() * 1e9)
        for jump in detector.observe(utc_ns=clock.utc_ns(), monotonic_ns=clock.monotonic_ns(), awake_ns=awake_ns):
            on_jump(jump)
        await asyncio.sleep(every_s)


class ManualClock:
    """A clock that stands still until it is told: for tests, replays and virtual time."""

    def __init__(self, now_ns: int = 0, monotonic_ns: int = 0) -> None:
        self._now_ns = now_ns
        self._monotonic_ns = monotonic_ns

    def now_ns(self) -> int:
        """The UTC reading last set, nanoseconds since 1970."""
        return self._now_ns

    def monotonic_ns(self) -> int:
        """The monotonic reading, nanoseconds."""
        return self._monotonic_ns

    def advance(self, nanoseconds: int) -> None:
        """Let time pass on both readings. Raises ValueError for a negative span: use ``set`` for a jump back."""
        if nanoseconds < 0:
            raise ValueError("time does not go back: set the UTC reading to make it jump")
        self._now_ns += nanoseconds
        self._monotonic_ns += nanoseconds

    def set(self, now_ns: int) -> None:
        """Make the UTC reading jump, forward or back, as a corrected clock does; the monotonic one is not moved."""
        self._now_ns = now_ns
