"""One order book, kept in sequence: levels from a snapshot and the deltas after it, and the knowledge of when not to.

Pure: updates in, levels out. A book that missed an update, or whose sides cross, says so (`OrderBook.out_of_sequence`)
and holds what comes until a snapshot arrives that the held deltas continue. Rules of sequence, by venue:

* Binance USD-M ("How to manage a local order book correctly"): a delta's ``pu`` is the ``u`` of the one before; after a
  REST snapshot the first delta is the one that spans its ``lastUpdateId``; older ones are dropped;
* Bybit, OKX: the delta's previous sequence number is the one that we are at;
* Hyperliquid: every message is a whole book, newer by its time.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from enum import Enum

from gateways.standards import BookUpdate, Level

HELD_DELTAS = 1_000
"""How many deltas wait for a snapshot; older ones fall out, and the gap that this leaves asks for another snapshot."""

RESTART_NS = 5_000_000_000
"""A lower sequence number that is later by this much on the venue's clock is a restarted count, not an old message."""


class BookChange(Enum):
    """What an update did to a book."""

    APPLIED = "applied"
    STALE = "stale"
    """Older than, or the same as, what the book holds: ignored."""
    HELD = "held"
    """Not applied, or applied in vain: the book needs a snapshot."""


class _Side:
    """Quantities by price, and the prices in ascending order."""

    __slots__ = ("prices", "quantities")

    def __init__(self) -> None:
        self.quantities: dict[Decimal, Decimal] = {}
        self.prices: list[Decimal] = []

    def replace(self, levels: Iterable[Level]) -> None:
        self.quantities = {price: quantity for price, quantity in levels if quantity}
        self.prices = sorted(self.quantities)

    def update(self, levels: Iterable[Level]) -> None:
        quantities, prices = self.quantities, self.prices
        for price, quantity in levels:
            if quantity:
                if price not in quantities:
                    insort(prices, price)
                quantities[price] = quantity
            elif quantities.pop(price, None) is not None:
                del prices[bisect_left(prices, price)]


class OrderBook:
    """The book of one contract. Prices in quote units, quantities in base units."""

    __slots__ = ("_asks", "_bids", "_held", "in_sequence", "last_seq", "ts_recv_ns", "ts_venue_ns")

    def __init__(self) -> None:
        self.in_sequence = False
        """Whether the levels are the venue's as of ``last_seq``: false before the first snapshot and after a gap."""
        self.last_seq: int | None = None
        self.ts_venue_ns = 0
        self.ts_recv_ns = 0
        """When the last update that was applied was read, 0 for never."""
        self._bids = _Side()
        self._asks = _Side()
        self._held: deque[BookUpdate] = deque(maxlen=HELD_DELTAS)

    @property
    def out_of_sequence(self) -> bool:
        """Whether the levels must not be priced from: a snapshot is needed."""
        return not self.in_sequence

    def apply(self, update: BookUpdate, ts_recv_ns: int) -> BookChange:
        """Take a snapshot or a delta, read at ``ts_recv_ns``."""
        if update.snapshot:
            return self._snapshot(update, ts_recv_ns)
        if not self.in_sequence:
            self._held.append(update)
            return BookChange.HELD
        if self._continued_by(update):
            self._advance(update, ts_recv_ns)
            return self._checked()
        if self._newer_than(update):
            return BookChange.STALE
        self.interrupt()
        self._held.append(update)
        return BookChange.HELD

    def interrupt(self) -> None:
        """Note that updates may be missing from here on (a reconnect): nothing counts until a snapshot."""
        self.in_sequence = False
        self._held.clear()

    def best_bid(self) -> Level | None:
        """The highest bid, or None."""
        return self._level(self._bids, -1) if self._bids.prices else None

    def best_ask(self) -> Level | None:
        """The lowest ask, or None."""
        return self._level(self._asks, 0) if self._asks.prices else None

    def bids(self, depth: int) -> tuple[Level, ...]:
        """Up to ``depth`` bids, best first."""
        return tuple(
            (Level(p, self._bids.quantities[p]) for p in reversed(self._bids.prices[-depth:])) if depth else ()
        )

    def asks(self, depth: int) -> tuple[Level, ...]:
        """Up to ``depth`` asks, best first."""
        return tuple(Level(p, self._asks.quantities[p]) for p in self._asks.prices[:depth])

    def bid_at(self, n: int) -> Level | None:
        """The ``n``-th best bid (1 is the best), the last there is where there are fewer, None where there is none."""
        prices = self._bids.prices
        return self._level(self._bids, -min(n, len(prices))) if prices else None

    def ask_at(self, n: int) -> Level | None:
        """The ``n``-th best ask (1 is the best), the last there is where there are fewer, None where there is none."""
        prices = self._asks.prices
        return self._level(self._asks, min(n, len(prices)) - 1) if prices else None

    @staticmethod
    def _level(side: _Side, index: int) -> Level:
        price = side.prices[index]
        return Level(price, side.quantities[price])

    def _snapshot(self, update: BookUpdate, ts_recv_ns: int) -> BookChange:
        if self.in_sequence and self._newer_than(update):
            return BookChange.STALE
        self._bids.replace(update.bids)
        self._asks.replace(update.asks)
        self.last_seq, self.ts_venue_ns, self.ts_recv_ns = update.last_seq, update.ts_venue_ns, ts_recv_ns
        self.in_sequence = True
        held = sorted(self._held, key=lambda delta: delta.last_seq or 0)
        self._held.clear()
        for place, delta in enumerate(held):
            if self._continued_by(delta):
                self._advance(delta, ts_recv_ns)
            elif self.last_seq is not None and delta.last_seq is not None and delta.last_seq > self.last_seq:
                # the snapshot is older than the deltas reach back: keep them for the next one
                self.in_sequence = False
                self._held.extend(held[place:])
                return BookChange.HELD
        return self._checked()

    def _advance(self, delta: BookUpdate, ts_recv_ns: int) -> None:
        self._bids.update(delta.bids)
        self._asks.update(delta.asks)
        if delta.last_seq is not None:
            self.last_seq = delta.last_seq
        self.ts_venue_ns, self.ts_recv_ns = delta.ts_venue_ns, ts_recv_ns

    def _checked(self) -> BookChange:
        bids, asks = self._bids.prices, self._asks.prices
        if bids and asks and bids[-1] >= asks[0]:
            # a venue's book never crosses: something is missing that the sequence numbers did not show
            self.interrupt()
            return BookChange.HELD
        return BookChange.APPLIED

    def _continued_by(self, delta: BookUpdate) -> bool:
        at, upto = self.last_seq, delta.last_seq
        if at is None or upto is None:
            return True
        if delta.prev_seq is not None:
            # levels are absolute, so a delta that reaches from before here to after here may be applied whole
            return delta.prev_seq == at or delta.prev_seq < at < upto
        first = upto if delta.first_seq is None else delta.first_seq
        return first <= at + 1 <= upto

    def _newer_than(self, update: BookUpdate) -> bool:
        if self.ts_venue_ns and update.ts_venue_ns > self.ts_venue_ns + RESTART_NS:
            return False
        if self.last_seq is None or update.last_seq is None:
            return 0 < update.ts_venue_ns < self.ts_venue_ns
        # the same number again: a delta was applied already, a snapshot may say more levels
        return update.last_seq < self.last_seq or (update.last_seq == self.last_seq and not update.snapshot)
