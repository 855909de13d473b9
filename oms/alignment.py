"""What a venue tells of one position, laid beside what its fills say it was, moment by moment. Pure.

A fill and the position that holds it come by two messages, either one later by a millisecond or by seconds. So under
steady fills the position told last and the sum known now belong to two moments, and their difference says nothing.
Told positions are compared in the order told with the moments of the sum, in their order:

==============================================  ================================================================
a told position is a moment that held within    it agrees; the difference to now began when that moment ended
``LATE_NS`` before it, not before the last one
it is none of these                             it waits for fills that are still to come, and those told later
                                                wait behind it; the difference began when it was told
it waited ``LATE_NS`` and others wait behind    it is given up and they are compared; the difference still
                                                began with it, until one told after that agrees
==============================================  ================================================================

Real drift agrees with no moment, so that its beginning stays. Late messages agree, and the beginning moves along.
"""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

import msgspec

LATE_NS = 4_000_000_000
"""How much later than the other one a fill or a position may be told."""
MOMENTS = 5_000
"""How many moments are remembered at most; the oldest fall out."""
TOLD = 2_000
"""How many told positions wait at most; the last of them then gives way to the next."""


class _Moment(msgspec.Struct, frozen=True, gc=False):
    """The sum of fills from ``ns`` on, until the next one; ``venue_ns`` is the time of its last fill, 0 if unsaid."""

    ns: int
    venue_ns: int
    amount: Decimal


class _Told(msgspec.Struct, frozen=True, gc=False):
    ns: int
    amount: Decimal


class Alignment:
    """Since when a told position differs. Times are UTC by one clock, but for venue times; amounts signed."""

    __slots__ = ("_agreed", "_given_up_ns", "_moments", "_next", "_since_ns", "_waiting")

    def __init__(self, amount: Decimal, ns: int) -> None:
        self._moments: deque[_Moment] = deque([_Moment(ns, 0, amount)], MOMENTS)
        self._next = 0
        """The first moment that the first told position that waits, or the next one, may be."""
        self._agreed = amount
        """The last told position that agreed."""
        self._waiting: deque[_Told] = deque()
        self._since_ns: int | None = None
        self._given_up_ns = 0

    def filled(self, change: Decimal, ns: int, venue_ns: int = 0) -> None:
        """Add a fill. One that is older than others known, by venue time, belongs to all moments since then."""
        late = venue_ns and self._moments[-1].venue_ns > venue_ns
        if late:
            self._insert(change, venue_ns)
        else:
            last = self._moments[-1]
            if len(self._moments) == MOMENTS:
                self._forget()
            self._moments.append(_Moment(ns, venue_ns or last.venue_ns, last.amount + change))
            while self._moments[1].ns < ns - 2 * LATE_NS:  # what waits was told within LATE_NS
                self._forget()
        if self._waiting:
            self._compare()
        elif self._moments[-1].amount == self._agreed:
            self._since_ns = None
        elif self._since_ns is None:
            self._since_ns = ns

    def answered(self, amount: Decimal, ns: int) -> None:
        """Take a position from an answer, which may be older than what was told before it: then it says nothing."""
        if not any(told.amount == amount for told in self._waiting):
            found = self._find(_Told(ns, amount), 0)
            if found is None or (found >= self._next and not self._waiting):
                self.told(amount, ns)

    def told(self, amount: Decimal, ns: int) -> None:
        """Take a position that the venue's stream told, in the order of its messages."""
        if len(self._waiting) == TOLD:
            self._waiting.pop()
        self._waiting.append(_Told(ns, amount))
        if len(self._waiting) == 1:
            self._compare()
        if self._waiting and self._since_ns is None:
            self._since_ns = ns

    def since(self, now_ns: int) -> int | None:
        """Since when the position told last differs from the sum, late messages allowed for; None if it does not."""
        waiting = self._waiting
        if len(waiting) > 1 and waiting[0].ns <= now_ns - LATE_NS:
            while len(waiting) > 1 and waiting[0].ns <= now_ns - LATE_NS:
                waiting.popleft()
            self._given_up_ns, self._next = now_ns, 0
            self._compare()
        return self._since_ns

    def _compare(self) -> None:
        waiting, agreed = self._waiting, False
        while waiting:
            found = self._find(waiting[0], self._next)
            if found is None:
                self._next = len(self._moments)
                break
            self._next, agreed, self._agreed = found, True, waiting.popleft().amount
        if not agreed:
            return
        if not waiting:
            self._since_ns = self._ended(self._agreed)
        elif waiting[0].ns > self._given_up_ns:
            self._since_ns = waiting[0].ns

    def _find(self, told: _Told, start: int) -> int | None:
        """The first moment from ``start`` on that it can be: one that had not ended too long before it was told."""
        moments = self._moments
        last = len(moments) - 1
        for number in range(start, last + 1):
            if moments[number].amount == told.amount and (
                number == last or moments[number + 1].ns >= told.ns - LATE_NS
            ):
                return number
        return None

    def _ended(self, amount: Decimal) -> int | None:
        """When the latest moment ended that what agreed can be; None for now."""
        ended = None
        for number in range(len(self._moments) - 1, self._next - 1, -1):
            moment = self._moments[number]
            if moment.amount == amount:
                break
            ended = moment.ns
        return ended

    def _insert(self, change: Decimal, venue_ns: int) -> None:
        moments = list(self._moments)
        cut = next(number for number, moment in enumerate(moments) if moment.venue_ns > venue_ns)
        earlier: Iterable[_Moment] = moments[:cut]
        if cut:
            earlier = [*earlier, _Moment(moments[cut].ns, venue_ns, moments[cut - 1].amount + change)]
        later = (msgspec.structs.replace(moment, amount=moment.amount + change) for moment in moments[cut:])
        self._moments = deque((*earlier, *later), MOMENTS)
        self._next = 0 if self._waiting else min(self._next, cut)

    def _forget(self) -> None:
        self._moments.popleft()
        self._next = max(0, self._next - 1)
