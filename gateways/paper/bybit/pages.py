"""How Bybit v5 pages its lists: newest first, so many rows, and a cursor for the rest.

A cursor is percent-encoded already when it comes, as the venue's own are; clients send it back as it is or encoded
once more, and both are taken.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote, unquote

from gateways.paper.bybit import errors
from gateways.paper.bybit.requests import Params

DAY_MS = 86_400_000
LONGEST_RANGE_MS = 7 * DAY_MS

T = TypeVar("T")


def page(
    rows: Sequence[T], params: Params, number: Callable[[T], int], *, usual: int, most: int
) -> tuple[list[T], str]:
    """The rows (newest first, numbers falling) after the cursor, and the cursor of the next page; empty at the end."""
    limit = params.limit(usual, most)
    cursor = params.optional("cursor")
    if cursor is not None:
        before = _last_of(cursor)
        rows = [row for row in rows if number(row) < before]
    chosen = list(rows[:limit])
    return chosen, quote(f"{number(chosen[-1])}:0,{number(chosen[-1])}:0", safe="") if len(rows) > limit else ""


def time_range(params: Params, now_ms: int) -> tuple[int, int]:
    """``startTime`` and ``endTime`` (both inclusive, ms): at most seven days, the last seven where neither is given.

    Raises BybitError 10001 for a range that is longer, or the wrong way round.
    """
    start, end = params.integer("startTime"), params.integer("endTime")
    if start is None and end is None:
        return now_ms - LONGEST_RANGE_MS, now_ms
    if start is None:
        return (end or 0) - LONGEST_RANGE_MS, end or 0
    if end is None:
        return start, start + LONGEST_RANGE_MS
    if end < start:
        raise errors.bad_parameter("startTime is later than endTime")
    if end - start > LONGEST_RANGE_MS:
        raise errors.bad_parameter("The time range between startTime and endTime cannot exceed 7 days")
    return start, end


def _last_of(cursor: str) -> int:
    number = unquote(cursor).partition(":")[0]
    if not (number.isascii() and number.isdecimal()):
        raise errors.bad_parameter("cursor invalid")
    return int(number)
