"""Readiness: while hedged makers rest, the way of a fill is kept warm, and the loop may be kept awake.

A fill comes rarely and wants to be answered at once; between two fills the code and the data of its way are driven out
of the processor's caches by everything else, and to fetch them again takes longer than to run them. So the same
functions are called again and again on books of their own (``oms.rehearsal_stage``): nothing is journaled, sent or
shown, and no order of the desk is touched. That is a rehearsal, and costs about a fifth of one processor. A loop that
sleeps must be woken as well; one that asks its sockets again and again instead is there at once, and costs a whole
processor (docs/performance.md has the figures). Either is done only while a fill could come: not for an idle desk.
"""

import asyncio
import os
import sys
import time
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn

from oms.orders import Order, Role
from oms.rehearsal_stage import Stage

if TYPE_CHECKING:
    from oms.system import OMS

EVERY_S = 0.001
"""How often it is walked: caches are cold again within milliseconds."""
LOOK_EVERY_S = 0.1
"""How often it is looked for a maker that rests, where there was none."""
WALKS = 200
"""After so many walks the stage is built anew: what was walked through is kept nowhere for long."""
PROCESSORS_TO_POLL = 3
"""With fewer, a loop that never sleeps would take the time of the console and of everything else."""


class Readiness(StrEnum):
    """What is done for a fast answer while hedged makers rest."""

    POLL = "poll"
    """Rehearse, and never sleep in between: one processor whole. ``REHEARSE`` where there are too few of them."""
    REHEARSE = "rehearse"
    """Rehearse every millisecond: about a fifth of one processor."""
    NONE = "none"
    """Nothing."""


def keep_ready(oms: "OMS", how: Readiness = Readiness.REHEARSE) -> None:
    """Be ready for fills while hedged makers rest, until the desk ends."""
    if how is not Readiness.NONE:
        polling = how is Readiness.POLL and _processors() >= PROCESSORS_TO_POLL
        oms.tasks.start(Rehearsal(oms, polling=polling).run(), "rehearsal")


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class Rehearsal:
    """Walks the way of a fill for an ``OMS``; ``polling``: the loop does not sleep in between."""

    def __init__(self, oms: "OMS", *, polling: bool = False) -> None:
        self._oms = oms
        self._pause = _poll if polling else asyncio.sleep
        self._maker: Order | None = None
        self._stage: Stage | None = None

    async def run(self) -> NoReturn:
        """Walk for ever, while a maker with legs rests."""
        while True:
            if self.look():
                self.walk()
                await self._pause(EVERY_S)
            else:
                await asyncio.sleep(LOOK_EVERY_S)

    def walk(self) -> None:
        """Walk once, for the maker that rests; nothing where there is none."""
        maker, oms = self._maker, self._oms
        if maker is None:
            return
        if self._stage is None or self._stage.walks >= WALKS:
            self._stage = Stage(oms, maker, oms.hedge.legs(maker.key)[0], WALKS)
        oms.gateway.venue(maker.venue).rehearse_fill()
        self._stage.walk()

    def look(self) -> bool:
        """Whether a maker with legs rests, which is walked for from now on."""
        page = self._oms.page
        kept = None if self._maker is None else page.peek(self._maker.key)
        if kept is None or not kept.working:
            legs = self._oms.hedge.legs
            kept = next((each for each in page.working() if each.role is Role.MAKER and legs(each.key)), None)
            self._stage = None
        self._maker = kept
        return kept is not None


async def _poll(seconds: float) -> None:
    """Let the loop look at its sockets again and again for so long, without ever waiting for them."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:  # noqa: ASYNC110 - there is no event: it looks for any
        await asyncio.sleep(0)
