"""Proof on demand: the desk's books against the venues' own fills, asked fresh."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

import msgspec

from gateways.errors import VenueError
from gateways.router import Gateway
from gateways.standards import ZERO, FillEvent, OrderStatus, OrderUpdate, PositionUpdate
from gateways.venue import Venue
from oms import cloid
from oms.finished import Finished
from oms.hedge.book import BookView, view_book
from oms.hedge.kernel import Kernel
from oms.orders import Order, OrdersPage, Role
from oms.positions import PositionsPage
from oms.recorder import JournalReader

ATTEMPTS = 4
PAUSE_S = 0.3
OVERLAP_NS = 60_000_000_000
"""Fills are asked for from this long before the session began: the venue's clock may be behind ours."""


@dataclass(slots=True)
class Answers:
    """What the venues said, by alias. A venue that did not answer is in ``silent`` alone, with its reason."""

    tickers: dict[str, list[str]] = field(default_factory=dict)
    """What fills were asked for."""
    fills: dict[str, list[FillEvent]] = field(default_factory=dict)
    held: dict[str, list[PositionUpdate]] = field(default_factory=dict)
    resting: dict[str, list[OrderUpdate]] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)


class PastQuestion(msgspec.Struct, frozen=True):
    """What the orders that were put away are compared with: of the archive's rows ``upto``, those that are not here."""

    upto: int
    here: frozenset[str]
    """The keys of the orders in memory: these are compared there."""
    others: list[FillEvent]
    """The venues' fills that are of no order in memory."""
    answered: tuple[str, ...]
    """The venues that have answered."""

    def written(self) -> bytes:
        """For another process."""
        return msgspec.msgpack.encode(self)


class PastProof(msgspec.Struct, frozen=True):
    """The orders that were put away, compared on the way past: what differs, and what they hedged in each book."""

    problems: tuple[str, ...] = ()
    hedged: dict[tuple[str, str], Decimal] = {}

    @classmethod
    def read(cls, answer: bytes) -> Self:
        """What ``prove_past`` answered."""
        return msgspec.msgpack.decode(answer, type=cls)


class PositionProof(msgspec.Struct, frozen=True):
    """One contract: what the desk holds by its fills, and what the venue says."""

    venue: str
    ticker: str
    oms: Decimal
    at_venue: Decimal


class Proof(msgspec.Struct, frozen=True):
    """The result. ``consistent`` only if every check passed; ``problems`` has a sentence for each that did not."""

    books: tuple[BookView, ...]
    positions: tuple[PositionProof, ...]
    problems: tuple[str, ...]

    @property
    def consistent(self) -> bool:
        """Whether the desk's books are the venues' books."""
        return not self.problems


Past = Callable[[list[FillEvent], Collection[str]], Awaitable[PastProof]]
"""Compares the orders that were put away with fills, of the venues that answered."""


async def prove(
    gateway: Gateway, page: OrdersPage, positions: PositionsPage, kernel: Kernel, *, since_ns: int, live: bool = True,
    past: Past | None = None,
) -> Proof:  # fmt: skip
    """Ask the venues for fills, positions and open orders and compare.

    Every maker's and hedge order's filled size must equal the venue's fills of it, positions must match, nothing may be
    in flight or UNKNOWN, and each book must add up. A message may still be on its way, so a difference is looked at
    again a few times before it is believed. A venue that does not answer is a problem, not a proof. ``live`` is False
    for a page that was only read from a journal, where every order that had not ended is UNKNOWN. ``past`` compares
    the orders that were put away with the venues' fills that are of no order in memory.
    """
    proof = await _look(gateway, page, positions, kernel, since_ns, past=past)
    unknown = _unknown(page) if live else []
    for _ in range(ATTEMPTS - 1):
        if proof.consistent and not unknown:
            break
        await asyncio.sleep(PAUSE_S)
        proof = await _look(gateway, page, positions, kernel, since_ns, past=past)
        unknown = _unknown(page) if live else []
    return Proof(proof.books, proof.positions, (*proof.problems, *unknown))


async def _look(
    gateway: Gateway, page: OrdersPage, positions: PositionsPage, kernel: Kernel, since_ns: int,
    *, past: Past | None,
) -> Proof:  # fmt: skip
    tickers: dict[str, set[str]] = {alias: set() for alias in gateway.venues}
    for order in page.orders():
        if order.role is not Role.EXTERNAL:
            tickers[order.venue].add(order.ticker)
    for alias, ticker in page.contracts:
        if alias in tickers:  # one that the desk had earlier is not asked any more
            tickers[alias].add(ticker)
    answers = await ask(gateway, tickers, since_ns=since_ns)
    if past is None:
        return compare(answers, page, positions, kernel)
    others = [fill for fills in answers.fills.values() for fill in fills if page.whose(fill) is None]
    return compare(answers, page, positions, kernel, await past(others, answers.fills.keys()))


async def ask(gateway: Gateway, tickers: Mapping[str, Collection[str]], *, since_ns: int) -> Answers:
    """Ask every venue for fills in its ``tickers`` (a contract held is one of them), positions and open orders."""
    answers = Answers()
    for alias, venue in gateway.venues.items():
        try:
            fills = await _fills(venue, tickers.get(alias, ()), since_ns)
            held = await venue.positions()
            others = {row.ticker for row in held}.difference(tickers.get(alias, ()))
            fills += await _fills(venue, others, since_ns)
            resting = await venue.open_orders()
        except VenueError as error:
            answers.silent[alias] = error.text
            continue
        answers.tickers[alias], answers.fills[alias] = sorted(others.union(tickers.get(alias, ()))), fills
        answers.held[alias], answers.resting[alias] = held, resting
    return answers


async def _fills(venue: Venue, tickers: Collection[str], since_ns: int) -> list[FillEvent]:
    if venue.capabilities.fills_of_all and tickers:
        return [fill for fill in await venue.fills_since(since_ns - OVERLAP_NS) if fill.ticker in tickers]
    return [fill for ticker in sorted(tickers) for fill in await venue.fills_since(since_ns - OVERLAP_NS, ticker)]


def compare(
    answers: Answers, page: OrdersPage, positions: PositionsPage, kernel: Kernel, past: PastProof | None = None
) -> Proof:
    """Compare what the venues said with what the desk has. Pure."""
    past = past or PastProof()
    problems = [f"{alias} cannot be asked: {text}" for alias, text in answers.silent.items()]
    ours: dict[str, list[Order]] = defaultdict(list)
    for order in page.orders():
        if order.role is not Role.EXTERNAL:
            ours[order.venue].append(order)
    proofs: list[PositionProof] = []
    for alias, rows in answers.held.items():
        held = {row.ticker: row.amount for row in rows}
        problems += _compare_fills(page, ours[alias], answers.fills[alias])
        problems += _compare_resting(page, answers.resting[alias])
        for ticker in answers.tickers[alias]:
            proof = PositionProof(alias, ticker, positions.get(alias, ticker), held.get(ticker, ZERO))
            proofs.append(proof)
            if proof.oms != proof.at_venue:
                problems.append(f"{alias}:{ticker} holds {proof.at_venue:f} at the venue, {proof.oms:f} here")
            drift = positions.drift(alias, ticker)
            if drift:
                problems.append(f"{alias}:{ticker} differs from the sum of its fills by {drift:f}")
    problems += past.problems
    problems += _open_ends(kernel, page, past)
    return Proof(tuple(view_book(book) for book in kernel.books.values()), tuple(proofs), tuple(problems))


def _compare_fills(page: OrdersPage, orders: list[Order], fills: list[FillEvent]) -> list[str]:
    at_venue: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for fill in fills:
        order = page.whose(fill)
        if order is not None:
            at_venue[order.key] += fill.amount
    return [_not_as_filled(order, at_venue[order.key]) for order in orders if at_venue[order.key] != order.filled]


def _not_as_filled(order: Order, at_venue: Decimal) -> str:
    name = f"{order.role.value} {order.key[:8]} on {order.venue}"
    return f"{name} filled {at_venue:f} at the venue, {order.filled:f} here"


def prove_past(journal: JournalReader, told: bytes) -> bytes:
    """Compare the orders that a journal has put away: a ``PastQuestion`` in, a ``PastProof`` out.

    For `oms.recorder.Recorder.apart`: it reads every one of them. Raises JournalError.
    """
    question = msgspec.msgpack.decode(told, type=PastQuestion)
    away = (each for each in journal.archive.all(question.upto) if each.key not in question.here)
    return msgspec.msgpack.encode(compare_past(away, question.others, question.answered))


def compare_past(away: Iterable[Finished], others: Iterable[FillEvent], asked: Collection[str]) -> PastProof:
    """Compare the orders that were put away, read as they come, with the fills that are of no order in memory.

    ``asked``: the venues that have answered.
    """
    by_cloid: dict[str, Decimal] = defaultdict(lambda: ZERO)
    by_oid: dict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)
    for fill in others:
        if cloid.parse(fill.cloid) is not None and fill.cloid is not None:
            by_cloid[fill.cloid] += fill.amount
        else:
            by_oid[fill.venue, fill.ticker, fill.oid] += fill.amount
    problems: list[str] = []
    hedged: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for each in away:
        order = each.order
        if order.role is Role.EXTERNAL:
            continue
        if each.child is not None:
            hedged[each.child.book] += order.filled
        if order.venue in asked:
            place = order.venue, order.ticker
            named = sum((by_oid.get((*place, trades.oid), ZERO) for trades in each.trades), ZERO)
            at_venue = by_cloid.get(order.key, ZERO) + named
            if at_venue != order.filled:
                problems.append(_not_as_filled(order, at_venue))
    return PastProof(tuple(problems), hedged)


def _compare_resting(page: OrdersPage, resting: list[OrderUpdate]) -> list[str]:
    problems = []
    for update in resting:
        order = page.get(update.cloid) if update.cloid else None
        if order is not None and order.role is not Role.EXTERNAL and order.status.terminal:
            problems.append(
                f"{order.role.value} {order.key[:8]} rests on {order.venue}, here it is {order.status.value}"
            )
    return problems


def _unknown(page: OrdersPage) -> list[str]:
    return [
        f"{order.role.value} {order.key[:8]} on {order.venue} is {order.status.value}: whether it exists is not known"
        for order in page.working()
        if order.role is not Role.EXTERNAL and order.status in {OrderStatus.PENDING, OrderStatus.UNKNOWN}
    ]


def _open_ends(kernel: Kernel, page: OrdersPage, past: PastProof) -> list[str]:
    problems = []
    for book in kernel.books.values():
        name = f"{book.venue}:{book.ticker}"
        if book.in_flight != 0:
            problems.append(f"{name} has {book.in_flight:f} in flight, {book.unknown:f} of it unknown")
        if book.target != book.hedged + book.in_flight + book.balance + book.forfeited:
            problems.append(f"{name} does not add up")
        hedged = sum(
            (order.filled for order in page.orders()
             if order.key in kernel.children and kernel.children[order.key].book == book.key),
            past.hedged.get(book.key, ZERO),
        )  # fmt: skip
        if hedged != book.hedged:
            problems.append(f"{name} counts {book.hedged:f} as hedged, its orders filled {hedged:f}")
    for maker in kernel.makers.values():
        order = page.get(maker.cloid)
        if order is not None and order.filled != maker.filled:
            problems.append(f"maker {maker.cloid[:8]} filled {order.filled:f}, {maker.filled:f} in the books")
    return problems
