"""How a time is written in a table: as an age, as local time, or as UTC. Pure: zone and present are passed in."""

from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum

from console import fmt

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TimeMode(Enum):
    """What a column of times shows; the value is the column's label."""

    AGE = "age"
    LOCAL = "local"
    UTC = "UTC"

    @property
    def following(self) -> "TimeMode":
        """The one after it."""
        modes = list(TimeMode)
        return modes[(modes.index(self) + 1) % len(modes)]

    def width(self, *, millis: bool) -> int:
        """How many cells it takes."""
        return 5 if self is TimeMode.AGE else 12 if millis else 8


def written(mode: TimeMode, ts_ns: int, now_ns: int, *, millis: bool = False, zone: tzinfo | None = None) -> str:
    """A time in a mode, ``-`` for one that never was (0). ``zone`` None is that of the machine."""
    if mode is TimeMode.AGE:
        return fmt.age(now_ns, ts_ns)
    if mode is TimeMode.LOCAL and ts_ns:
        ts_ns += _offset_ns(ts_ns, zone)
    return fmt.clock(ts_ns, millis=millis)


def _offset_ns(ts_ns: int, zone: tzinfo | None) -> int:
    offset = (_EPOCH + timedelta(seconds=ts_ns // 1_000_000_000)).astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) * 1_000_000_000


def stamp(ts_ns: int) -> str:
    """A time for other programs: ``2026-09-21T14:13:20.000000000Z``, with all its nanoseconds."""
    seconds, rest = divmod(ts_ns, 1_000_000_000)
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"
