"""The fills page: every execution of our orders once, however often and by however many channels it is told.

No clock, no I/O.
"""

from collections import deque
from decimal import Decimal

import msgspec

from gateways.standards import ZERO, FillEvent

TradeKey = tuple[str, str, str, str]
"""Venue, ticker, oid, trade id: what makes a fill unique."""

FILLS_KEPT = 50_000
"""Fills held. Older ones fall out: their orders still know them (``OrdersPage.counted``), so none counts twice."""


def trade_key(fill: FillEvent) -> TradeKey:
    """What makes the fill unique."""
    return fill.venue, fill.ticker, fill.oid, fill.trade_id


class FillsPage:
    """The last fills of all venues, in the order in which they became known.

    ``conflicts`` counts reports of a known trade with another amount or price: the first stands, since a fill that was
    counted is never taken back here.
    """

    def __init__(self, kept: int = FILLS_KEPT) -> None:
        self.conflicts = 0
        self._kept = kept
        self._fills: dict[TradeKey, FillEvent] = {}
        self._oldest: deque[TradeKey] = deque()
        self._corrected: dict[TradeKey, Decimal] = {}

    def __len__(self) -> int:
        return len(self._fills)

    def add(self, fill: FillEvent) -> bool:
        """Take a report of a fill; whether the fill is new.

        A later report of a known one adds what the earlier did not say (fee, cloid, maker or taker, venue time).
        """
        key = trade_key(fill)
        known = self._fills.get(key)
        if known is None:
            self._fills[key] = fill
            self._oldest.append(key)
            if len(self._oldest) > self._kept:
                oldest = self._oldest.popleft()
                del self._fills[oldest]
                self._corrected.pop(oldest, None)
            return True
        if (known.amount, known.price) != (fill.amount, fill.price):
            self.conflicts += 1
        self._fills[key] = _enriched(known, fill)
        return False

    def correction(self, fill: FillEvent) -> Decimal:
        """By how much a report changes a trade that was known otherwise, signed; zero where it says nothing new.

        What was counted stands: only the operator can judge a correction.
        """
        key = trade_key(fill)
        known = self._fills.get(key)
        if known is None:
            return ZERO
        before = self._corrected.get(key, known.amount)
        if fill.amount != before:
            self._corrected[key] = fill.amount
        return fill.amount - before

    def peek(self, venue: str, ticker: str, oid: str, trade_id: str) -> FillEvent | None:
        """One fill with all that is known of it, or None."""
        return self._fills.get((venue, ticker, oid, trade_id))

    def get_all(self, venue: str | None = None, ticker: str | None = None) -> list[FillEvent]:
        """The fills of a venue, of a contract or of all, in the order in which they became known."""
        return [f for f in self._fills.values() if venue in {None, f.venue} and ticker in {None, f.ticker}]


def _enriched(known: FillEvent, later: FillEvent) -> FillEvent:
    news: dict[str, object] = {}
    if known.cloid is None and later.cloid is not None:
        news["cloid"] = later.cloid
    if known.fee is None and later.fee is not None:
        news["fee"], news["fee_asset"] = later.fee, later.fee_asset
    if known.is_maker is None and later.is_maker is not None:
        news["is_maker"] = later.is_maker
    if not known.ts_venue_ns and later.ts_venue_ns:
        news["ts_venue_ns"] = later.ts_venue_ns
    if later.forced and not known.forced:
        news["forced"] = True
    return msgspec.structs.replace(known, **news) if news else known
