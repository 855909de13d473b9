"""The clock as a value that is passed in: two readings, nanoseconds, and nothing else reads the time in the OMS."""

import time
from typing import Protocol


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

    def monotonic_ns(self) -> int:
        """Nanoseconds of the machine's monotonic clock."""
        return time.monotonic_ns()


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
