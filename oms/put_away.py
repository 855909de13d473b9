"""Putting finished orders away, so that a desk's memory and its segments' heads do not grow with its past.

It is done with a new segment, in this order; a crash between any two leaves each order in the journal or
in the archive:

1. what the page has of the orders that may leave is noted, a few at a time;
2. in a process of its own the journal is replayed up to a mark, those that nothing depends on are committed to the
   archive, and the head of the new segment is drafted without them (``oms.segment_head``);
3. the segment begins: from here on the archive's rows count;
4. page and kernel forget them, a few at a time, and keep those that changed since the mark.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from gateways.transport.turns import spread
from oms.finished import unchanged
from oms.orders import Order
from oms.segment_head import Head, line_of_held

if TYPE_CHECKING:
    from oms.system import OMS

VARIABLE = "HEDGEDESK_KEPT"
"""In the environment, for drills and tests: how many finished orders stay in memory, see ``Kept.of``."""
SLICE = 20
"""How many orders are noted or forgotten before the loop has its turn."""
LOOKED_AT = 1_000
"""How many are looked at before it has."""


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

    async def may_leave(self) -> tuple[dict[str, Order], list[bytes]]:
        """The orders that have ended long enough ago, by key; and what the page has of each (``segment_head``)."""
        page = self._oms.store
        finished = sorted([each async for each in spread(page.ended(), LOOKED_AT) if each is not None])
        old_ns = self._oms.clock.now_ns() - round(self._kept.for_s * 1e9)
        most = max(0, len(finished) - self._kept.orders)
        ended: dict[str, Order] = {}
        told: list[bytes] = []
        leave = (key for place, (ts_ns, key) in enumerate(finished) if place < most or ts_ns <= old_ns)
        async for key in spread(leave, SLICE):
            held = page.held(key)
            ended[key] = held.order
            told.append(line_of_held(held))
        return ended, told

    async def begun(self, head: Head, ended: Mapping[str, Order]) -> None:
        """The segment has begun: forget what has left it and has not changed since the mark."""
        oms, page = self._oms, self._oms.store
        page.upto = head.upto
        async for each, claimants in spread(head.left, SLICE):
            same = page.peek(each.key) is ended[each.key] and unchanged(oms.kernel, each)
            if same and not any(child in oms.kernel.children for child in claimants):
                page.forget(each)
        left = len(page) - page.working_count
        self._at = max(2 * self._kept.orders, left + max(self._kept.orders, 1) - 1)
