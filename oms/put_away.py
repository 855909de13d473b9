"""Putting finished orders away, so that a desk's memory and its segments' heads do not grow with its past.

It is done with a new segment, in this order; a crash between any two leaves each order in the journal or
in the archive:

1. what the page has of the orders that may leave is noted, a few at a time;
2. beside the desk the journal is replayed up to a mark, those that nothing depends on are picked (``oms.finished``) and
   committed to the archive, and the head of the new segment is drafted without them;
3. the segment begins: from here on the archive's rows count;
4. page and kernel forget them, a few at a time, and keep those that changed since the mark.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from oms.finished import Finished, Held, claimants, pick, take_out, unchanged

if TYPE_CHECKING:
    from oms.recovery import Past
    from oms.system import OMS

VARIABLE = "HEDGEDESK_KEPT"
"""In the environment, for drills and tests: how many finished orders stay in memory, see ``Kept.of``."""
SLICE = 50
"""How many orders are noted or forgotten before the loop has its turn."""


class Kept(NamedTuple):
    """How many finished orders stay in memory, the latest; others stay ``for_s`` seconds after their last news."""

    orders: int = 5_000
    for_s: float = 3_600.0

    @classmethod
    def of(cls, text: str) -> "Kept":
        """What is said as ``ORDERS`` or ``ORDERS:SECONDS``, the defaults where nothing is. Raises ValueError."""
        if not text:
            return cls()
        orders, _, seconds = text.partition(":")
        kept = cls(int(orders), float(seconds) if seconds else 0.0)
        if kept.orders < 0 or not kept.for_s >= 0:
            raise ValueError(f"{text!r} orders cannot be kept: give a number, or a number and seconds as 1000:60")
        return kept


class Leaving(NamedTuple):
    """What was put away, and of each maker the hedge orders that name it."""

    orders: tuple[Finished, ...] = ()
    claimants: Mapping[str, list[str]] = {}


class PutAway:
    """Says of an OMS which orders may leave, and lets them go."""

    def __init__(self, oms: "OMS", kept: Kept) -> None:
        self._oms = oms
        self._kept = kept
        self._at = 2 * kept.orders
        """At how many finished orders in memory it is done again."""

    @property
    def due(self) -> bool:
        """Whether so many orders have finished that a new segment should begin at the next quiet moment."""
        page = self._oms.store
        return len(page) - page.working_count > self._at

    async def may_leave(self) -> dict[str, Held]:
        """What the page has of the orders that have ended long enough ago."""
        page = self._oms.store
        ended = sorted(page.finished())
        old_ns = self._oms.clock.now_ns() - round(self._kept.for_s * 1e9)
        most = max(0, len(ended) - self._kept.orders)
        held: dict[str, Held] = {}
        for place, (ts_ns, key) in enumerate(ended):
            if place >= most and ts_ns > old_ns:
                break
            if place % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            held[key] = page.held(key)
        return held

    def pick(self, past: "Past", held: Mapping[str, Held], mark: int) -> Leaving:
        """Commit to the archive what may leave, and take it out of ``past``: what the journal tells up to ``mark``.

        For a thread beside the desk. Raises JournalError when it cannot be written.
        """
        gone = pick(past.kernel, past.entered, past.evidence, held)
        if not gone:
            return Leaving()
        naming = claimants(past.kernel, gone)
        with self._oms.journal.archive.another() as archive:
            archive.put(gone, mark)
        for each in gone:
            take_out(past.kernel, each)
            past.entered.pop(each.key, None)
            past.evidence.pop(each.key, None)
        past.away = mark
        return Leaving(tuple(gone), naming)

    async def begun(self, mark: int, leaving: Leaving, held: Mapping[str, Held]) -> None:
        """The segment has begun, which tells up to ``mark``: forget what has left it and has not changed since."""
        oms, page = self._oms, self._oms.store
        page.upto = mark
        for place, each in enumerate(leaving.orders, 1):
            key = each.key
            same = page.peek(key) is held[key].order and unchanged(oms.kernel, each)
            if same and not any(child in oms.kernel.children for child in leaving.claimants.get(key, ())):
                page.forget(each)
            if place % SLICE == 0:
                await asyncio.sleep(0)
        left = len(page) - page.working_count
        self._at = max(2 * self._kept.orders, left + max(self._kept.orders, 1) - 1)
