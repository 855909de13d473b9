"""Views of the hedge kernel's state: immutable rows of what is hedged, in flight, waiting, and why."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec

from gateways.standards import ZERO
from oms.hedge.kernel import Kernel
from oms.hedge.policy import Leg
from oms.hedge.state import Child, ChildState, HedgeBook, Maker, Share

BPS = Decimal(10_000)


class BookView(msgspec.Struct, frozen=True, kw_only=True):
    """One hedge book. Signed base units; ``target = hedged + in_flight + balance + forfeited`` (I1)."""

    venue: str
    ticker: str
    target: Decimal
    hedged: Decimal
    in_flight: Decimal
    unknown: Decimal
    balance: Decimal
    forfeited: Decimal
    price: Decimal | None
    waits: str
    release: str
    state: str
    """``active``, ``paused`` or ``hold``."""
    ts_waiting_ns: int
    blocked: str = ""
    """Why it takes no new makers; empty when it does."""


class LegView(msgspec.Struct, frozen=True, kw_only=True):
    """One maker's leg. ``target = hedged + in_flight + waiting + netted + forfeited`` (I12)."""

    maker: str
    index: int
    maker_venue: str
    maker_ticker: str
    maker_filled: Decimal
    maker_average: Decimal | None
    venue: str
    ticker: str
    ratio: Decimal
    policy: str
    target: Decimal
    hedged: Decimal
    in_flight: Decimal
    unknown: Decimal
    waiting: Decimal
    netted: Decimal
    forfeited: Decimal
    hedge_average: Decimal | None
    basis_bps: Decimal | None
    state: str
    waits: str
    """Why a part waits; empty when none does."""
    release: str
    ts_unhedged_ns: int
    """Since when a part waits or is in flight, 0 when none is."""


class ClaimView(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a hedge order that answers one maker's leg; both quantities are signed like the hedge."""

    maker: str
    leg: int
    quantity: Decimal
    filled: Decimal


def view_claims(child: Child) -> tuple[ClaimView, ...]:
    """Whom a hedge order answers."""
    return tuple(
        ClaimView(maker=claim.maker, leg=claim.leg, quantity=claim.quantity, filled=claim.filled)
        for claim in child.claims
    )


def view_book(book: HedgeBook) -> BookView:
    """The book as it stands."""
    return BookView(
        venue=book.venue, ticker=book.ticker, target=book.target, hedged=book.hedged, in_flight=book.in_flight,
        unknown=book.unknown, balance=book.balance, forfeited=book.forfeited, price=_mid(book),
        waits=book.waits, release=book.release, ts_waiting_ns=book.ts_waiting_ns,
        state="paused" if book.paused else "hold" if book.hold or book.down else "active", blocked=book.blocked,
    )  # fmt: skip


def view_legs(kernel: Kernel, maker: Maker) -> Iterator[LegView]:
    """The legs of a maker, in the order placed."""
    for index, leg in enumerate(maker.legs):
        book = kernel.books[leg.venue, leg.ticker]
        share = book.shares[maker.cloid, index]
        unknown = _unknown(book, maker.cloid, index)
        average = share.cost / share.hedged if share.hedged != 0 and share.cost != 0 else None
        yield LegView(
            maker=maker.cloid, index=index, maker_venue=maker.venue, maker_ticker=maker.ticker,
            maker_filled=maker.filled, maker_average=maker.average_price, venue=leg.venue, ticker=leg.ticker,
            ratio=leg.ratio, policy=str(leg.policy), target=maker.filled * leg.ratio, hedged=share.hedged,
            in_flight=share.in_flight, unknown=unknown, waiting=share.waiting, netted=share.netted,
            forfeited=share.forfeited, hedge_average=average,
            basis_bps=_basis(maker, average), state=_state(book, share, unknown),
            waits=book.waits if share.waiting else "", release=book.release if share.waiting else "",
            ts_unhedged_ns=_unhedged_since(book, share, maker.cloid, index),
        )  # fmt: skip


def reserved(kernel: Kernel, leg: Leg, remaining: Callable[[str], Decimal], *, buying: bool) -> Decimal:
    """What the reduce-only legs of all makers may still trade in the contract of ``leg`` the same way, signed.

    It is what is left of each maker (``remaining`` of its cloid, signed; zero once it has ended) times the ratio, and
    what has filled of it but is not hedged yet.
    """
    book = kernel.books.get((leg.venue, leg.ticker))
    if book is None:
        return ZERO
    total = ZERO
    for (maker, index), share in book.shares.items():
        other = kernel.makers[maker].legs[index]
        if other.policy.reduce_only:
            part = remaining(maker) * other.ratio + share.waiting + share.in_flight
            total += part if (part > 0) is buying else ZERO
    return total


def books_by_venue(kernel: Kernel) -> dict[str, dict[str, BookView]]:
    """Exchange to ticker to book: what the OMS shows as ``hedge_book``."""
    views: dict[str, dict[str, BookView]] = {}
    for book in kernel.books.values():
        views.setdefault(book.venue, {})[book.ticker] = view_book(book)
    return views


def balances_by_venue(kernel: Kernel) -> dict[str, dict[str, Decimal]]:
    """Exchange to ticker to unhedged quantity: what the OMS shows as ``hedge_balance``. Computed when asked."""
    balances: dict[str, dict[str, Decimal]] = {}
    for book in kernel.books.values():
        balances.setdefault(book.venue, {})[book.ticker] = book.balance
    return balances


def _mid(book: HedgeBook) -> Decimal | None:
    if book.bid is not None and book.ask is not None:
        return (book.bid + book.ask) / 2
    return book.bid if book.bid is not None else book.ask


def _unknown(book: HedgeBook, maker: str, leg: int) -> Decimal:
    unknown = ZERO
    for child in book.open_children.values():
        if child.state is ChildState.UNKNOWN:
            for claim in child.claims:
                if (claim.maker, claim.leg) == (maker, leg):
                    unknown += claim.quantity - claim.filled
    return unknown


def _unhedged_since(book: HedgeBook, share: Share, maker: str, leg: int) -> int:
    since = [
        child.ts_ns
        for child in book.open_children.values()
        if any((claim.maker, claim.leg) == (maker, leg) for claim in child.claims)
    ]
    if share.waiting != 0 and book.ts_waiting_ns:
        since.append(book.ts_waiting_ns)
    return min(since, default=0)


def _basis(maker: Maker, average: Decimal | None) -> Decimal | None:
    """What maker and hedge captured, in basis points of the maker's price: sold higher than bought is positive."""
    if average is None or not maker.average_price:
        return None
    gained = average - maker.average_price if maker.filled > 0 else maker.average_price - average
    return gained / maker.average_price * BPS


def _state(book: HedgeBook, share: Share, unknown: Decimal) -> str:
    if unknown != 0:
        return "unknown"
    if share.in_flight != 0:
        return "hedging"
    if share.waiting != 0:
        return "hold" if book.hold or book.down else "paused" if book.paused else "waiting"
    return "hedged" if share.hedged != 0 or share.netted != 0 else "idle"
