"""Long work in turns of the event loop: a fill that comes meanwhile is hedged meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

TURN = 100
"""Rows read before the loop has its turn: about a millisecond."""


async def spread(things: Iterable[A], many: int) -> AsyncIterator[A]:
    """Each of them; after so many the loop has its turn."""
    for place, thing in enumerate(things, 1):
        yield thing
        if place % many == 0:
            await asyncio.sleep(0)


async def in_turns(rows: Iterable[A], read: Callable[[A], B]) -> list[B]:
    """What ``read`` makes of each row, in their order. Raises what ``read`` raises."""
    return [read(row) async for row in spread(rows, TURN)]
