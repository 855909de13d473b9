"""A checkpoint: all that a journal tells, as one record, so that a recovery need not read what came before it. Pure.

It keeps every order but those put away (``oms.archive``), and everything that decides, digit for digit; nothing is
summed up or forgotten, so a fill that comes late for an order of any age is the obligation that it would have been. It
is small because rows have no names, and what many orders share (contract, legs, policy, kind) is written once.
Quantities are signed base units.
"""

import hashlib
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

from gateways.standards import ZERO, OrderKind, OrderStatus, PlaceOrder, RejectReason, TimeInForce
from oms.absence import Absence
from oms.evidence import Entered, Evidence
from oms.hedge.events import Unwinding
from oms.hedge.kernel import Kernel
from oms.hedge.policy import Leg, Policy
from oms.hedge.state import Child, ChildState, Claim, HedgeBook, Maker, Obligation, Share
from oms.oid_evidence import OidFilled
from oms.orders import Role
from oms.risk.day import DayRecord
from oms.states import Trading

T = TypeVar("T")


class Terms(msgspec.Struct, frozen=True, array_like=True):
    """What many orders have in common."""

    venue: str
    ticker: str
    role: Role
    kind: OrderKind
    tif: TimeInForce
    post_only: bool
    reduce_only: bool


class SeenRow(msgspec.Struct, frozen=True, array_like=True):
    """The last evidence of an order; ``oids`` are (venue order id, filled, its own size)."""

    status: OrderStatus
    filled: Decimal
    ts_ns: int
    price: Decimal | None
    average_price: Decimal | None
    reason: RejectReason | None
    text: str
    oids: tuple[tuple[str, Decimal, Decimal | None], ...]


class OrderRow(msgspec.Struct, frozen=True, array_like=True):
    """An order as it was entered, and what is known of it; ``terms`` is a place in ``Checkpoint.terms``."""

    key: str
    terms: int
    amount: Decimal
    price: Decimal | None
    ts_ns: int
    seen: SeenRow | None


class ShareRow(msgspec.Struct, frozen=True, array_like=True):
    """A maker's part in one leg's book."""

    hedged: Decimal
    in_flight: Decimal
    waiting: Decimal
    netted: Decimal
    forfeited: Decimal
    cost: Decimal


class MakerRow(msgspec.Struct, frozen=True, array_like=True):
    """A maker; ``legs`` is a place in ``Checkpoint.legs``, a share None where nothing was hedged yet."""

    key: str
    venue: str
    ticker: str
    legs: int
    ts_ns: int
    filled: Decimal
    average_price: Decimal | None
    shares: tuple[ShareRow | None, ...]


class ClaimRow(msgspec.Struct, frozen=True, array_like=True):
    """A maker's share of a hedge order; ``maker`` is a place in ``Checkpoint.makers``."""

    maker: int
    leg: int
    quantity: Decimal
    filled: Decimal


class ChildRow(msgspec.Struct, frozen=True, array_like=True):
    """A hedge order; ``book`` and ``policy`` are places in ``Checkpoint.books`` and ``Checkpoint.policies``."""

    key: str
    book: int
    amount: Decimal
    claims: tuple[ClaimRow, ...]
    policy: int
    ts_ns: int
    state: ChildState
    cum: Decimal
    cost: Decimal
    rung: int
    step_due_ns: int
    cancelling: bool
    absence: tuple[int, int]
    text: str


class ObligationRow(msgspec.Struct, frozen=True, array_like=True):
    """What is still asked of a book; ``maker`` and ``policy`` are places."""

    maker: int
    leg: int
    quantity: Decimal
    due_ns: int
    policy: int
    rung: int


class BookRow(msgspec.Struct, frozen=True, kw_only=True):
    """A hedge book. Prices and contract are not kept: the venue tells them anew."""

    venue: str
    ticker: str
    target: Decimal
    hedged: Decimal
    forfeited: Decimal
    obligations: tuple[ObligationRow, ...] = ()
    paused: str = ""
    hold: str = ""
    failures: int = 0
    retry_ns: int = 0
    refreshed: bool = False
    refused_notional: Decimal = ZERO
    last_reject: RejectReason | None = None
    capped: bool = False
    latest: tuple[int, int] | None = None
    """The place of the latest maker, and its leg; where a checkpoint does not say, it is the last share's."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The record. Rows stand in the order in which the desk came to know what they are about."""

    started_ns: int
    """When the first session of the journal began, 0 if none has."""
    now_ns: int
    """The latest time that the hedge kernel was told."""
    last_ns: int
    """Until when the desk was in touch with its venues, and whether it still is: see ``oms.recovery.Past``."""
    in_touch: bool
    hedge_only: bool = False
    """Whether a panic or a disarm stands."""
    trading: Trading | None = None
    """The trading state; None in a checkpoint that knows only ``hedge_only``."""
    act: str = ""
    """The act that led to it, by the kind of its record."""
    terms: tuple[Terms, ...]
    legs: tuple[tuple[Leg, ...], ...]
    policies: tuple[Policy, ...]
    orders: tuple[OrderRow, ...]
    makers: tuple[MakerRow, ...]
    children: tuple[ChildRow, ...]
    books: tuple[BookRow, ...]
    unwinds: tuple[Unwinding, ...] = ()
    """What was closed on a maker's venue and is not forfeited yet."""
    day: DayRecord = DayRecord()
    """What was traded on the last day."""
    away: int = 0
    """The last record of this journal with which orders were put away, 0 for none."""


class _Table(Generic[T]):
    """Values by the place that they were first seen at."""

    def __init__(self, values: Iterable[T] = ()) -> None:
        self._places = {value: place for place, value in enumerate(values)}

    def place(self, value: T) -> int:
        return self._places.setdefault(value, len(self._places))

    def values(self) -> tuple[T, ...]:
        return tuple(self._places)


# ------------------------------------------------------------------------ to


def checkpoint(
    kernel: Kernel, entered: Mapping[str, Entered], evidence: Mapping[str, Evidence], *, started_ns: int = 0,
    last_ns: int = 0, in_touch: bool = True, trading: Trading | None = None, act: str = "",
    day: DayRecord | None = None, away: int = 0,
) -> Checkpoint:  # fmt: skip
    """All of it as one value: the kernel's state, the orders entered by key, and the last evidence of each."""
    terms, legs, policies = _Table[Terms](), _Table[tuple[Leg, ...]](), _Table[Policy]()
    makers, books = _Table(kernel.makers), _Table(kernel.books)
    return Checkpoint(
        started_ns=started_ns,
        now_ns=kernel.now_ns,
        last_ns=last_ns,
        in_touch=in_touch,
        hedge_only=trading is Trading.HEDGE_ONLY,
        trading=trading,
        act=act,
        day=day or DayRecord(),
        away=away,
        orders=tuple(_order_row(each, evidence.get(key), terms) for key, each in entered.items()),
        makers=tuple(_maker_row(maker, kernel, legs) for maker in kernel.makers.values()),
        children=tuple(
            ChildRow(
                child.cloid, books.place(child.book), child.amount,
                tuple(ClaimRow(makers.place(c.maker), c.leg, c.quantity, c.filled) for c in child.claims),
                policies.place(child.policy), child.ts_ns, child.state, child.cum, child.cost, child.rung,
                child.step_due_ns, child.cancelling, (child.absence.accept_until_ns, child.absence.first_ns),
                child.text,
            )
            for child in kernel.children.values()
        ),
        books=tuple(_book_row(book, makers, policies) for book in kernel.books.values()),
        terms=terms.values(),
        legs=legs.values(),
        policies=policies.values(),
        unwinds=tuple(kernel.unwinds.values()),
    )  # fmt: skip


def digest(kernel: Kernel, entered: Mapping[str, Entered], evidence: Mapping[str, Evidence]) -> str:
    """A fingerprint of all that a journal tells: equal for equal states, digit for digit."""
    return hashlib.sha256(msgspec.json.encode(checkpoint(kernel, entered, evidence))).hexdigest()


def _order_row(entered: Entered, seen: Evidence | None, terms: _Table[Terms]) -> OrderRow:
    order = entered.order
    shared = Terms(
        entered.venue, order.ticker, entered.role, order.kind, order.tif, order.post_only, order.reduce_only
    )  # fmt: skip
    row = None
    if seen is not None:
        row = SeenRow(
            seen.status, seen.filled, seen.ts_ns, seen.price, seen.average_price, seen.reason, seen.text,
            tuple((oid.oid, oid.filled, oid.amount) for oid in seen.oids),
        )  # fmt: skip
    return OrderRow(order.cloid, terms.place(shared), order.amount, order.price, entered.ts_ns, row)


def _maker_row(maker: Maker, kernel: Kernel, legs: _Table[tuple[Leg, ...]]) -> MakerRow:
    shares = []
    for index, leg in enumerate(maker.legs):
        share = kernel.books[leg.venue, leg.ticker].shares[maker.cloid, index]
        row = ShareRow(
            share.hedged, share.in_flight, share.waiting, share.netted, share.forfeited, share.cost
        )  # fmt: skip
        shares.append(None if share == Share() else row)
    return MakerRow(
        maker.cloid, maker.venue, maker.ticker, legs.place(maker.legs), maker.ts_ns, maker.filled,
        maker.average_price, tuple(shares),
    )  # fmt: skip


def _book_row(book: HedgeBook, makers: _Table[str], policies: _Table[Policy]) -> BookRow:
    return BookRow(
        venue=book.venue, ticker=book.ticker, target=book.target, hedged=book.hedged, forfeited=book.forfeited,
        obligations=tuple(
            ObligationRow(makers.place(o.maker), o.leg, o.quantity, o.due_ns, policies.place(o.policy), o.rung)
            for o in book.obligations
        ),
        paused=book.paused, hold=book.hold, failures=book.failures, retry_ns=book.retry_ns, refreshed=book.refreshed,
        refused_notional=book.refused_notional, last_reject=book.last_reject, capped=book.capped,
        latest=None if book.latest is None else (makers.place(book.latest[0]), book.latest[1]),
    )  # fmt: skip


# ---------------------------------------------------------------------- from


def restore(saved: Checkpoint, kernel: Kernel) -> tuple[dict[str, Entered], dict[str, Evidence]]:
    """Bring a new ``kernel`` to the state saved; return the orders entered and the last evidence of each, by key.

    Raises IndexError for a row that names a place that is not there.
    """
    kernel.now_ns = saved.now_ns
    kernel.unwinds = {unwind.order: unwind for unwind in saved.unwinds}
    unwinding: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for unwind in saved.unwinds:
        unwinding[unwind.venue, unwind.ticker].add(unwind.order)
    makers = [row.key for row in saved.makers]
    told = {(row.venue, row.ticker): row.latest is not None for row in saved.books}
    for book in saved.books:
        key = book.venue, book.ticker
        kernel.books[key] = _book(book, makers, saved.policies)
        kernel.books[key].unwinding = unwinding[key]
    for maker in saved.makers:
        legs = saved.legs[maker.legs]
        kernel.makers[maker.key] = Maker(
            maker.key, maker.venue, maker.ticker, legs, maker.ts_ns, maker.filled, maker.average_price
        )
        for index, (leg, share) in enumerate(zip(legs, maker.shares, strict=True)):
            kept = Share() if share is None else Share(*msgspec.structs.astuple(share))
            book_of = kernel.books[leg.venue, leg.ticker]
            book_of.shares[maker.key, index] = kept
            if not told[book_of.key]:
                book_of.latest = maker.key, index
    for row in saved.children:
        at = saved.books[row.book]
        child = _child(row, (at.venue, at.ticker), makers, saved.policies)
        kernel.children[row.key] = child
        if child.state is not ChildState.DONE:
            kernel.books[child.book].open_children[row.key] = child
    entered = {row.key: _entered(row, saved.terms[row.terms]) for row in saved.orders}
    evidence = {row.key: _evidence(row.key, row.seen) for row in saved.orders if row.seen is not None}
    return entered, evidence


def _book(row: BookRow, makers: list[str], policies: tuple[Policy, ...]) -> HedgeBook:
    return HedgeBook(
        row.venue, row.ticker, target=row.target, hedged=row.hedged, forfeited=row.forfeited, paused=row.paused,
        hold=row.hold, failures=row.failures, retry_ns=row.retry_ns, refreshed=row.refreshed,
        refused_notional=row.refused_notional, last_reject=row.last_reject, capped=row.capped,
        latest=None if row.latest is None else (makers[row.latest[0]], row.latest[1]),
        obligations=deque(
            Obligation(makers[o.maker], o.leg, o.quantity, o.due_ns, policies[o.policy], o.rung)
            for o in row.obligations
        ),
    )  # fmt: skip


def _child(row: ChildRow, book: tuple[str, str], makers: list[str], policies: tuple[Policy, ...]) -> Child:
    return Child(
        row.key, book, row.amount, [Claim(makers[c.maker], c.leg, c.quantity, c.filled) for c in row.claims],
        policies[row.policy], row.ts_ns, state=row.state, cum=row.cum, cost=row.cost, rung=row.rung,
        step_due_ns=row.step_due_ns, cancelling=row.cancelling, absence=Absence(*row.absence), text=row.text,
    )  # fmt: skip


def _entered(row: OrderRow, terms: Terms) -> Entered:
    order = PlaceOrder(
        ticker=terms.ticker, cloid=row.key, amount=row.amount, price=row.price, kind=terms.kind, tif=terms.tif,
        post_only=terms.post_only, reduce_only=terms.reduce_only,
    )  # fmt: skip
    return Entered(venue=terms.venue, role=terms.role, order=order, ts_ns=row.ts_ns)


def _evidence(key: str, row: SeenRow) -> Evidence:
    return Evidence(
        key=key, status=row.status, filled=row.filled, ts_ns=row.ts_ns, price=row.price,
        average_price=row.average_price, reason=row.reason, text=row.text,
        oids=tuple(OidFilled(*oid) for oid in row.oids),
    )  # fmt: skip
