"""The orders page: the mirror of every order that we know of, and the pure transitions that keep it true.

``upsert`` compares what a venue says with what is stored and returns the change, or None for a duplicate or stale
message. Two kinds of evidence meet here: cumulative sizes from the order channel and single trades from the fill
channel. What an order has filled is, over its venue order ids, the sum of the larger of the two (``filled`` never
falls, and a terminal order may still grow). An amend may give an order a new venue order id; the page follows it.
"""

from collections.abc import Iterator
from decimal import Decimal
from enum import Enum

import msgspec

from gateways.standards import (
    ZERO,
    FillEvent,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    RejectReason,
    Signed,
    TimeInForce,
)

S = OrderStatus


class Role(str, Enum):
    """What an order is for. Only makers open obligations, only hedges answer them."""

    MAKER = "maker"
    HEDGE = "hedge"
    MANUAL = "manual"
    FLATTEN = "flatten"
    EXTERNAL = "external"
    """Not of this desk, or made by the venue."""


TRANSITIONS: dict[OrderStatus, dict[OrderStatus, str]] = {
    S.PENDING: {
        S.NEW: "",
        S.PARTIAL: "a fill came before the acknowledgement",
        S.FILLED: "a fill came before the acknowledgement",
        S.CANCELLED: "",
        S.REJECTED: "",
        S.EXPIRED: "",
        S.UNKNOWN: "no answer to the request",
    },
    S.NEW: {
        S.PARTIAL: "",
        S.FILLED: "",
        S.CANCELLED: "",
        S.EXPIRED: "",
        S.REJECTED: "venues that acknowledge before they check reject by the stream",
    },
    S.PARTIAL: {S.FILLED: "", S.CANCELLED: "", S.EXPIRED: ""},
    S.CANCEL_PENDING: {S.FILLED: "filled before the cancel arrived", S.CANCELLED: "", S.EXPIRED: "", S.REJECTED: ""},
    S.UNKNOWN: {status: "seen" for status in S if status not in {S.PENDING, S.UNKNOWN, S.CANCEL_PENDING}},
    S.REJECTED: dict.fromkeys((S.NEW, S.PARTIAL, S.FILLED, S.CANCELLED, S.EXPIRED), "evidence of life beats a refusal"),
    S.CANCELLED: {S.FILLED: "late fills completed it"},
    S.EXPIRED: {S.FILLED: "late fills completed it"},
    S.FILLED: {},
}
"""Which status may follow which by a venue's word, with the reason beside each odd row. Any other word is stale."""


class Order(msgspec.Struct, Signed, frozen=True, kw_only=True):
    """An order as the desk knows it. ``amount`` and ``filled`` are signed totals over all its venue order ids."""

    key: str
    """The cloid of an order of ours; ``venue:oid`` for one that has none, or one that another has too."""
    venue: str
    ticker: str
    role: Role
    amount: Decimal
    filled: Decimal = ZERO
    price: Decimal | None = None
    average_price: Decimal | None = None
    status: OrderStatus = OrderStatus.PENDING
    cloid: str | None = None
    oid: str | None = None
    """The current venue order id."""
    kind: OrderKind = OrderKind.LIMIT
    tif: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    forced: bool = False
    label: str = ""
    reason: RejectReason | None = None
    text: str = ""
    """Why it ended, or what is known of an unknown, in words."""
    ts_created_ns: int = 0
    ts_sent_ns: int = 0
    ts_recv_ns: int = 0
    ts_venue_ns: int = 0

    @property
    def remaining(self) -> Decimal:
        """What may still fill, signed; zero once terminal or overfilled."""
        rest = self.amount - self.filled
        return ZERO if self.status.terminal or rest * self.amount <= 0 else rest

    @property
    def working(self) -> bool:
        """Whether it may rest on the venue's book, as far as we know."""
        return not self.status.terminal


class OrderDelta(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one order. ``last_fill`` is the growth of ``filled``, signed; ``changed`` names the fields."""

    before: Order | None
    after: Order
    changed: tuple[str, ...]
    label: str
    last_fill: Decimal = ZERO
    last_price: Decimal | None = None
    ts_recv_ns: int = 0

    @property
    def key(self) -> str:
        """What deltas are coalesced by."""
        return self.after.key


class OidFilled(msgspec.Struct, frozen=True):
    """What is known of one venue order id: filled so far, and its own size where the venue said; both signed."""

    oid: str
    filled: Decimal
    amount: Decimal | None


class _Oid:
    """The evidence on one venue order id."""

    __slots__ = ("amount", "cost", "cum", "trade_ids", "traded")

    def __init__(self) -> None:
        self.amount: Decimal | None = None
        self.cum = ZERO
        self.traded = ZERO
        self.cost = ZERO
        self.trade_ids: set[str] = set()

    @property
    def filled(self) -> Decimal:
        return self.cum if abs(self.cum) >= abs(self.traded) else self.traded


class _Record:
    """An order with the evidence behind it."""

    __slots__ = ("amending", "oids", "order", "withheld")

    def __init__(self, order: Order) -> None:
        self.order = order
        self.oids: dict[str, _Oid] = {}
        self.amending = False
        self.withheld: OrderUpdate | None = None
        """The end of an oid that an amend under way may have replaced."""


_COMPARED = (
    "status", "filled", "amount", "price", "average_price", "oid", "cloid", "reason", "text", "tif", "kind",
    "post_only", "reduce_only", "forced",
)  # fmt: skip
ORPHANS = 4096


class OrdersPage:
    """Every known order by key; one writer, no I/O. Orders of ours are registered before their bytes leave."""

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}
        self._by_oid: dict[tuple[str, str], str] = {}
        self._orphans: dict[tuple[str, str], list[FillEvent]] = {}
        self._working: dict[str, None] = {}
        self._working_in: dict[tuple[str, str], dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: str) -> Order | None:
        """The order with that key, or None."""
        record = self._records.get(key)
        return record.order if record else None

    def by_oid(self, venue: str, oid: str) -> Order | None:
        """The order that has, or had, that venue order id."""
        key = self._by_oid.get((venue, oid))
        return self._records[key].order if key else None

    def orders(self) -> Iterator[Order]:
        """Every order, oldest first."""
        return (record.order for record in self._records.values())

    def working(self) -> list[Order]:
        """The orders that may rest on a venue's book, oldest first."""
        return [self._records[key].order for key in self._working]

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
        record = self._records.get(key)
        return list(record.oids) if record else []

    def evidence(self, key: str) -> tuple[OidFilled, ...]:
        """What is known of each venue order id that the order has had."""
        record = self._records[key]
        return tuple(OidFilled(oid, known.filled, known.amount) for oid, known in record.oids.items())

    def restore(self, order: Order, evidence: tuple[OidFilled, ...]) -> None:
        """Enter an order as a journal tells of it, before anything else is known. Raises ValueError as ``register``."""
        self.register(order)
        record = self._records[order.key]
        for item in evidence:
            known = self._oid(record, item.oid)
            known.cum, known.amount = item.filled, item.amount
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
        record = self._records[key]
        order = record.order
        if order.status.terminal or (status in {S.REJECTED, S.UNKNOWN} and order.status not in {S.PENDING, S.UNKNOWN}):
            return None
        if status is S.REJECTED and order.filled != 0:
            return None
        after = msgspec.structs.replace(order, status=status, text=text, reason=reason, ts_recv_ns=now_ns)
        return self._store(record, after, label or status.value)

    def amending(self, key: str) -> None:
        """Note that an amend is under way: the end of the present oid may be its replacement, so it is withheld."""
        self._records[key].amending = True

    def amended(self, key: str, *, now_ns: int) -> OrderDelta | None:
        """Note that the amend is over; the end of an oid that was not replaced takes effect now."""
        record = self._records[key]
        record.amending = False
        withheld, record.withheld = record.withheld, None
        if withheld is not None and withheld.oid == record.order.oid:
            return self.upsert(withheld, now_ns)
        return None

    def upsert(self, update: OrderUpdate | FillEvent, now_ns: int) -> OrderDelta | None:
        """Apply what a venue said; return the change, or None for a duplicate, stale or unattributable message."""
        record = self._record_of(update)
        if isinstance(update, FillEvent):
            if record is None:
                self._keep_orphan(update)
                return None
            return self._fill(record, update, now_ns)
        if record is None:
            record = self._adopt(update, now_ns)
            if record is None:
                return None
        return self._update(record, update, now_ns)

    # -- identity

    def _record_of(self, update: OrderUpdate | FillEvent) -> _Record | None:
        named = self._records.get(update.cloid) if update.cloid is not None else None
        # A client id is unique for ours; others repeat theirs (a venue's own acts are all named alike).
        if named is not None and (named.order.venue, named.order.ticker) == (update.venue, update.ticker):
            return named
        if update.oid is not None:
            key = self._by_oid.get((update.venue, update.oid))
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
            key = f"{update.venue}:{update.oid}"
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
        self._orphans.setdefault((fill.venue, fill.oid), []).append(fill)

    def _oid(self, record: _Record, oid: str) -> _Oid:
        known = record.oids.get(oid)
        if known is None:
            known = record.oids[oid] = _Oid()
            self._by_oid[record.order.venue, oid] = record.order.key
            for fill in self._orphans.pop((record.order.venue, oid), ()):
                _take_trade(known, fill)
        return known

    # -- evidence

    def _fill(self, record: _Record, fill: FillEvent, now_ns: int) -> OrderDelta | None:
        named = fill.oid in record.oids
        evidence = self._oid(record, fill.oid)
        if not _take_trade(evidence, fill) and named:
            return None  # an id heard of now for the first time may have brought fills that were kept for it
        order = record.order
        after = msgspec.structs.replace(
            order,
            oid=_newest(record.oids),
            forced=order.forced or fill.forced,
            ts_recv_ns=now_ns,
            ts_venue_ns=max(order.ts_venue_ns, fill.ts_venue_ns),
        )
        return self._derive(record, after, None, label="TRADE", last_price=fill.price, average=None)

    def _update(self, record: _Record, update: OrderUpdate, now_ns: int) -> OrderDelta | None:
        order = record.order
        current = order.oid
        stale = False
        if update.oid is not None:
            evidence = self._oid(record, update.oid)
            stale = 0 < update.ts_venue_ns < order.ts_venue_ns  # an amend may have come between
            if update.amount is not None and (evidence.amount is None or not stale):
                evidence.amount = update.amount
            if update.filled is not None and abs(update.filled) > abs(evidence.cum):
                evidence.cum = update.filled
            current = _newest(record.oids)
        fields: dict[str, object] = {"oid": current, "ts_recv_ns": now_ns}
        if update.ts_venue_ns > order.ts_venue_ns:
            fields["ts_venue_ns"] = update.ts_venue_ns
        status = update.status
        if update.oid == current:
            if update.price is not None and update.price > 0 and (order.price is None or not stale):
                fields["price"] = update.price
            fields |= {
                name: value
                for name in ("kind", "tif", "post_only", "reduce_only")
                if (value := getattr(update, name)) is not None and (name != "kind" or order.role is Role.EXTERNAL)
            }
            if record.amending and status is not None and status.terminal and status is not S.FILLED:
                record.withheld = update
                status = None
        elif update.oid is not None:
            status = None  # an id that was replaced says nothing about the order's end
        if update.cloid is not None and order.cloid is None:
            fields["cloid"] = update.cloid
        if update.forced:
            fields["forced"] = True
        if status is not None and update.reason is not None:
            fields["reason"] = update.reason
        replaced = order.oid is not None and current != order.oid
        after = msgspec.structs.replace(order, **fields)
        if replaced and order.status.terminal and status is not None and not status.terminal:
            after = msgspec.structs.replace(after, status=S.NEW)
        average = None if stale else update.average_price
        return self._derive(record, after, status, label=update.label, last_price=None, average=average)

    def _derive(
        self, record: _Record, after: Order, said: OrderStatus | None, *, label: str,
        last_price: Decimal | None, average: Decimal | None,
    ) -> OrderDelta | None:  # fmt: skip
        """Bring filled, amount, average and status to what all the evidence says, then store."""
        filled = sum((oid.filled for oid in record.oids.values()), ZERO)
        amount = after.amount
        newest = record.oids.get(after.oid) if after.oid is not None else None
        if newest is not None and newest.amount is not None:
            amount = newest.amount + sum((oid.filled for oid in record.oids.values() if oid is not newest), ZERO)
        traded = sum((oid.traded for oid in record.oids.values()), ZERO)
        if traded != 0 and traded == filled:
            average_price: Decimal | None = sum((oid.cost for oid in record.oids.values()), ZERO) / traded
        else:
            average_price = average if average and len(record.oids) <= 1 else after.average_price
        status = _next_status(after, said, filled, amount)
        after = msgspec.structs.replace(after, filled=filled, amount=amount, average_price=average_price, status=status)
        return self._store(record, after, label or status.value, last_price)

    def _store(self, record: _Record, after: Order, label: str, last_price: Decimal | None = None) -> OrderDelta | None:
        before = record.order
        changed = tuple(name for name in _COMPARED if getattr(before, name) != getattr(after, name))
        if not changed:
            return None
        after = msgspec.structs.replace(after, label=label)
        record.order = after
        if after.status is not before.status:
            self._works(after)
        return OrderDelta(
            before=before, after=after, changed=changed, label=label, last_fill=after.filled - before.filled,
            last_price=last_price, ts_recv_ns=after.ts_recv_ns,
        )  # fmt: skip


def _take_trade(evidence: _Oid, fill: FillEvent) -> bool:
    if fill.trade_id in evidence.trade_ids:
        return False
    evidence.trade_ids.add(fill.trade_id)
    evidence.traded += fill.amount
    evidence.cost += fill.amount * fill.price
    return True


def _newest(oids: dict[str, _Oid]) -> str | None:
    """The id that the order has now: venues count up, so the greatest number; else the last one seen."""
    if not oids:
        return None
    last = next(reversed(oids))
    if len(oids) == 1 or not all(oid.isdigit() for oid in oids):
        return last
    return max(oids, key=int)


def _next_status(order: Order, said: OrderStatus | None, filled: Decimal, amount: Decimal) -> OrderStatus:
    """Where the order stands after a venue said ``said`` (None: nothing that we understand) and these sizes hold."""
    status = order.status
    if said is S.FILLED and abs(filled) < abs(amount):
        # An answer that speaks of the part that traded at once. What is left rests, unless it could not.
        said = S.PARTIAL if order.tif is TimeInForce.GTC and order.kind is OrderKind.LIMIT else S.EXPIRED
    elif said is S.REJECTED and filled != 0:
        # The replacement of an amended order was refused, and what it replaced had traded: the rest is gone.
        said = S.CANCELLED
    if amount != 0 and abs(filled) >= abs(amount):
        said = S.FILLED
    elif filled != 0 and said in {None, S.NEW}:
        said = S.PARTIAL
    if said is None or said not in TRANSITIONS[status]:
        return status
    return said
