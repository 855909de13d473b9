"""The orders page: the mirror of every order that we know of, and the pure transitions that keep it true.

``upsert`` compares what a venue says with what is stored and returns the change, or None for a duplicate or stale
message. Two kinds of evidence meet here: cumulative sizes from the order channel and single trades from the fill
channel. What an order has filled is, over its venue order ids, the sum of the larger of the two (``filled`` never
falls, and a terminal order may still grow). An amend may give an order a new venue order id; the page follows it.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from gateways.standards import ZERO, FillEvent, OrderKind, OrderStatus, OrderUpdate, RejectReason, TimeInForce
from oms.oid_evidence import OidEvidence, OidFilled, newest_oid
from oms.order import Order, OrderDelta, Role
from oms.order_status import next_status

__all__ = ["ORPHANS", "Order", "OrderDelta", "OrdersPage", "Role"]

S = OrderStatus


class _Record:
    """An order with the evidence behind it."""

    __slots__ = ("amending", "newest", "oids", "order", "withheld")

    def __init__(self, order: Order) -> None:
        self.order = order
        self.oids: dict[str, OidEvidence] = {}
        self.newest: str | None = None
        """The id that the order has now, of those known."""
        self.amending = False
        self.withheld: OrderUpdate | None = None
        """The end of an oid that an amend under way may have replaced."""


_WORDS = {status: status.value for status in S}
_FILLED, _GTC, _LIMIT, _EXTERNAL = S.FILLED, TimeInForce.GTC, OrderKind.LIMIT, Role.EXTERNAL
# Named here since a member looked up on its class is a call (Python 3.11), and this runs for every update.
_UNSETTLED = frozenset({S.PENDING, S.UNKNOWN, S.CANCEL_PENDING})
ORPHANS = 4096


class OrdersPage:
    """Every known order by key; one writer, no I/O. Orders of ours are registered before their bytes leave."""

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}
        self._by_oid: dict[tuple[str, str, str], str] = {}
        """Keys by venue, ticker and venue order id: Binance counts its ids anew in each contract."""
        self._orphans: dict[tuple[str, str, str], list[FillEvent]] = {}
        self.contracts: dict[tuple[str, str], int] = {}
        """When an order of each contract (venue, ticker) that is in memory no more last had news."""
        self._working: dict[str, None] = {}
        self._working_in: dict[tuple[str, str], dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: str) -> Order | None:
        """The order with that key, or None."""
        record = self._records.get(key) or self._missing(key)
        return record.order if record else None

    def by_oid(self, venue: str, ticker: str, oid: str) -> Order | None:
        """The order that has, or had, that venue order id."""
        key = self._by_oid.get((venue, ticker, oid)) or self._missing_oid(venue, ticker, oid)
        return self._records[key].order if key else None

    def whose(self, fill: FillEvent) -> Order | None:
        """The order in memory that a fill is of."""
        key = fill.cloid if fill.cloid in self._records else self._by_oid.get((fill.venue, fill.ticker, fill.oid))
        return self._records[key].order if key else None

    def _missing(self, _key: str) -> _Record | None:
        """An order that is not in memory, brought back there; this page knows of none."""
        return None

    def _missing_oid(self, _venue: str, _ticker: str, _oid: str) -> str | None:
        """The same, by a venue order id: its key."""
        return None

    def _record(self, key: str) -> _Record:
        """An order that must be known. Raises KeyError."""
        record = self._records.get(key) or self._missing(key)
        if record is None:
            raise KeyError(key)
        return record

    def orders(self) -> Iterator[Order]:
        """Every order, oldest first."""
        return (record.order for record in self._records.values())

    @property
    def working_count(self) -> int:
        """How many orders may rest on a venue's book."""
        return len(self._working)

    def peek(self, key: str) -> Order | None:
        """The order in memory with that key, or None."""
        record = self._records.get(key)
        return record.order if record else None

    def working(self) -> list[Order]:
        """The orders that may rest on a venue's book, oldest first."""
        return [self._records[key].order for key in self._working]

    @property
    def unsettled(self) -> bool:
        """Whether any of them waits for an answer of its venue, or may have ended unheard. As quick as one is found."""
        records = self._records
        return any(records[key].order.status in _UNSETTLED for key in self._working)

    def working_in(self, venue: str, ticker: str) -> list[Order]:
        """Those of one contract."""
        return [self._records[key].order for key in self._working_in.get((venue, ticker), ())]

    def _works(self, order: Order) -> None:
        """Keep the lists of working orders true to an order."""
        listed = self._working_in.setdefault((order.venue, order.ticker), {})
        if order.status.terminal:
            self._working.pop(order.key, None)
            listed.pop(order.key, None)
        else:
            self._working[order.key] = listed[order.key] = None

    def oids(self, key: str) -> list[str]:
        """Every venue order id that the order has had, in the order seen."""
        record = self._records.get(key) or self._missing(key)
        return list(record.oids) if record else []

    def evidence(self, key: str) -> tuple[OidFilled, ...]:
        """What is known of each venue order id that the order has had."""
        record = self._records[key]
        return tuple([OidFilled(oid, known.filled, known.amount) for oid, known in record.oids.items()])

    def counted(self, fill: FillEvent) -> bool:
        """Whether an order has that trade already."""
        place = fill.venue, fill.ticker, fill.oid
        key = self._by_oid.get(place) or self._missing_oid(*place)
        if key is None:
            return False
        known = self._records[key].oids.get(fill.oid)
        return known is not None and fill.trade_id in known.trade_ids

    def restore(self, order: Order, evidence: tuple[OidFilled, ...]) -> None:
        """Enter an order as a journal tells of it, before anything else is known. Raises ValueError as ``register``."""
        self.register(order)
        record = self._records[order.key]
        for item in evidence:
            known = self._oid(record, item.oid)
            known.told(item.filled)
            known.amount = item.amount
        self._works(order)

    def find(self, prefix: str) -> list[Order]:
        """The orders whose key starts with ``prefix``."""
        return [record.order for key, record in self._records.items() if key.startswith(prefix)]

    def register(self, order: Order) -> OrderDelta:
        """Enter an order of ours as PENDING. Raises ValueError when the key is taken: an id is never used twice."""
        if order.key in self._records:
            raise ValueError(f"order id {order.key} is already in use: every order needs its own")
        self._records[order.key] = _Record(order)
        self._works(order)
        return OrderDelta(
            before=None, after=order, changed=("status",), label="PENDING", ts_recv_ns=order.ts_created_ns
        )

    def mark(self, key: str, status: OrderStatus, *, now_ns: int, text: str = "", reason: RejectReason | None = None,
             label: str = "") -> OrderDelta | None:  # fmt: skip
        """Set a status that *we* know of: sent without answer, refused, cancel asked for, cancel refused.

        A terminal order, or one that a venue has already spoken for, is not marked REJECTED or UNKNOWN again.
        """
        record = self._record(key)
        order = record.order
        if order.status.terminal or (status in {S.REJECTED, S.UNKNOWN} and order.status not in {S.PENDING, S.UNKNOWN}):
            return None
        if status is S.REJECTED and order.filled != 0:
            return None
        fields: dict[str, Any] = {}
        if status is not order.status:
            fields["status"] = status
        if text != order.text:
            fields["text"] = text
        if reason is not order.reason:
            fields["reason"] = reason
        return self._store(record, fields, label or status.value, now_ns)

    def amending(self, key: str) -> None:
        """Note that an amend is under way: the end of the present oid may be its replacement, so it is withheld."""
        self._record(key).amending = True

    def amended(self, key: str, *, now_ns: int) -> OrderDelta | None:
        """Note that the amend is over; the end of an oid that was not replaced takes effect now."""
        record = self._record(key)
        record.amending = False
        withheld, record.withheld = record.withheld, None
        if withheld is not None and withheld.oid == record.order.oid:
            return self.upsert(withheld, now_ns)
        return None

    def upsert(self, update: OrderUpdate | FillEvent, now_ns: int) -> OrderDelta | None:
        """Apply what a venue said; return the change, or None for a duplicate, stale or unattributable message."""
        record = self._record_of(update)
        if isinstance(update, OrderUpdate):
            if record is None:
                record = self._adopt(update, now_ns)
            return None if record is None else self._update(record, update, now_ns)
        if record is None:
            self._keep_orphan(update)
            return None
        return self._fill(record, update, now_ns)

    # -- identity

    def _record_of(self, update: OrderUpdate | FillEvent) -> _Record | None:
        named = None
        if update.cloid is not None:
            named = self._records.get(update.cloid) or self._missing(update.cloid)
        # A client id is unique for ours; others repeat theirs (a venue's own acts are all named alike).
        if named is not None and named.order.ticker == update.ticker and named.order.venue == update.venue:
            return named
        if update.oid is not None:
            place = update.venue, update.ticker, update.oid
            key = self._by_oid.get(place) or self._missing_oid(*place)
            if key is not None:
                return self._records[key]
        return None

    def _adopt(self, update: OrderUpdate, now_ns: int) -> _Record | None:
        if update.amount is None or (update.oid is None and update.cloid is None):
            return None
        key = update.cloid
        if key is None or key in self._records:
            if update.oid is None:
                return None
            key = f"{update.venue}:{update.ticker}:{update.oid}"
        order = Order(
            key=key, venue=update.venue, ticker=update.ticker,
            role=Role.EXTERNAL, amount=update.amount, cloid=update.cloid, ts_created_ns=now_ns,
        )  # fmt: skip
        record = self._records[order.key] = _Record(order)
        self._works(order)
        return record

    def _keep_orphan(self, fill: FillEvent) -> None:
        if len(self._orphans) >= ORPHANS:
            self._orphans.pop(next(iter(self._orphans)))
        self._orphans.setdefault((fill.venue, fill.ticker, fill.oid), []).append(fill)

    def _oid(self, record: _Record, oid: str) -> OidEvidence:
        known = record.oids.get(oid)
        if known is None:
            known = record.oids[oid] = OidEvidence()
            place = record.order.venue, record.order.ticker, oid
            self._by_oid[place] = record.order.key
            record.newest = newest_oid(record.oids)
            for fill in self._orphans.pop(place, ()):
                known.take(fill)
        return known

    # -- evidence

    def _fill(self, record: _Record, fill: FillEvent, now_ns: int) -> OrderDelta | None:
        named = fill.oid in record.oids
        evidence = self._oid(record, fill.oid)
        if not evidence.take(fill) and named:
            return None  # an id heard of now for the first time may have brought fills that were kept for it
        order = record.order
        fields: dict[str, Any] = {}
        if record.newest != order.oid:
            fields["oid"] = record.newest
        if fill.forced and not order.forced:
            fields["forced"] = True
        self._derive(record, fields, order.status, None, current=record.newest, average=None)
        return self._store(record, fields, "TRADE", now_ns, fill.ts_venue_ns, last_price=fill.price)

    def _update(self, record: _Record, update: OrderUpdate, now_ns: int) -> OrderDelta | None:
        order = record.order
        current = order.oid
        stale = False
        if update.oid is not None:
            evidence = self._oid(record, update.oid)
            stale = 0 < update.ts_venue_ns < order.ts_venue_ns  # an amend may have come between
            if update.amount is not None and (evidence.amount is None or not stale):
                evidence.amount = update.amount
            if update.filled is not None:
                evidence.told(update.filled)
            current = record.newest
        fields: dict[str, Any] = {}
        if current != order.oid:
            fields["oid"] = current
        standing, status = order.status, update.status
        if update.oid == current:
            _take_terms(fields, order, update, stale=stale)
            if record.amending and status is not None and status.terminal and status is not _FILLED:
                record.withheld = update
                status = None
        elif update.oid is not None:
            status = None  # an id that was replaced says nothing about the order's end
        if update.cloid is not None and order.cloid is None:
            fields["cloid"] = update.cloid
        if update.forced and not order.forced:
            fields["forced"] = True
        if status is not None and update.reason is not None and update.reason is not order.reason:
            fields["reason"] = update.reason
        replaced = order.oid is not None and current != order.oid
        if replaced and standing.terminal and status is not None and not status.terminal:
            standing = S.NEW
        average = None if stale else update.average_price
        final = self._derive(record, fields, standing, status, current=current, average=average)
        return self._store(record, fields, update.label or _WORDS[final], now_ns, update.ts_venue_ns)

    def _derive(
        self, record: _Record, fields: dict[str, Any], standing: OrderStatus, said: OrderStatus | None, *,
        current: str | None, average: Decimal | None,
    ) -> OrderStatus:  # fmt: skip
        """Bring filled, amount, average and status to what all the evidence says: the status.

        ``fields`` holds what the order has otherwise than it is stored, and gets the rest of it.
        """
        order, oids = record.order, record.oids
        newest = None if current is None else oids.get(current)
        if newest is not None and len(oids) == 1:
            filled, traded, cost = newest.filled, newest.traded, newest.cost
            amount = order.amount if newest.amount is None else newest.amount
        else:
            filled, traded, cost = ZERO, ZERO, ZERO
            for oid in oids.values():
                filled += oid.filled
                traded += oid.traded
                cost += oid.cost
            amount = order.amount
            if newest is not None and newest.amount is not None:
                amount = newest.amount + (filled - newest.filled)
        if traded and traded == filled:
            average = cost / traded
        elif len(oids) > 1:
            average = None
        if average and average != order.average_price:
            fields["average_price"] = average
        rests = said is not _FILLED or (  # of any other word it decides nothing
            fields.get("tif", order.tif) is _GTC and fields.get("kind", order.kind) is _LIMIT
        )
        status = next_status(standing, said, filled, amount, rests=rests)
        if status is not order.status:
            fields["status"] = status
        if filled != order.filled:
            fields["filled"] = filled
        if amount != order.amount:
            fields["amount"] = amount
        return status

    def _store(
        self, record: _Record, fields: dict[str, Any], label: str, now_ns: int, ts_venue_ns: int = 0, *,
        last_price: Decimal | None = None,
    ) -> OrderDelta | None:  # fmt: skip
        """Keep the values that differ, with when and how they came about; the change, or None where there are none."""
        if not fields:
            return None
        before = record.order
        changed = tuple(fields)
        ts_venue_ns = max(before.ts_venue_ns, ts_venue_ns)
        after = record.order = msgspec.structs.replace(
            before, **fields, label=label, ts_recv_ns=now_ns, ts_venue_ns=ts_venue_ns
        )
        if after.status is not before.status:
            self._works(after)
        return OrderDelta(
            before=before, after=after, changed=changed, label=label, last_price=last_price, ts_recv_ns=now_ns,
            last_fill=after.filled - before.filled if "filled" in fields else ZERO,
        )  # fmt: skip


def _take_terms(fields: dict[str, Any], order: Order, update: OrderUpdate, *, stale: bool) -> None:
    """Note the terms that a venue states anew. Of ours it may call a market order a limit one; we know what it is."""
    price = update.price
    if price is not None and price != order.price and price > ZERO and (order.price is None or not stale):
        fields["price"] = price
    if update.tif is not None and update.tif is not order.tif:
        fields["tif"] = update.tif
    if update.post_only is not None and update.post_only is not order.post_only:
        fields["post_only"] = update.post_only
    if update.reduce_only is not None and update.reduce_only is not order.reduce_only:
        fields["reduce_only"] = update.reduce_only
    if update.kind is not None and update.kind is not order.kind and order.role is _EXTERNAL:
        fields["kind"] = update.kind
