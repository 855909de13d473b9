"""``hedgedesk verify``: the journal of a desk, replayed read-only, against what its venues say when asked fresh.

Nothing is changed and no lock is taken: the desk may be running, stopped or killed. What differs is said with its
cause, as far as the journal and the venue together tell it.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import NoReturn, TextIO

import msgspec

from gateways.errors import NotFound, RateLimited, VenueError
from gateways.router import Gateway
from gateways.standards import ZERO, Batch, FillEvent, OrderUpdate
from gateways.venue import ChannelState, Endpoints, Watcher
from oms import cloid
from oms.archive import Archive
from oms.hedge.book import BookView, view_book
from oms.hedge.kernel import Kernel
from oms.journal import Record
from oms.orders import Order, OrdersPage, Role
from oms.positions import PositionsPage
from oms.recovery import Past, replay, restore_orders
from oms.verify import OVERLAP_NS, Answers, ask, compare

ATTEMPTS = 4
PAUSE_S = 0.5
"""A running desk may be behind its venues for a moment: a difference is looked at again before it is believed."""
SILENT_PAUSE_S = 20.0
"""A venue that did not answer is asked again so much later: most often its budget of requests for the minute is spent,
by the desk and by us together."""


class Difference(msgspec.Struct, frozen=True):
    """Where the journal and a venue do not say the same, and why."""

    where: str
    what: str
    cause: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: {self.cause}"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one look found. Amounts signed, base units; ``at_venue`` is target and hedged by the venues' own fills."""

    books: tuple[BookView, ...]
    at_venue: Mapping[tuple[str, str], tuple[Decimal, Decimal]]
    positions: tuple[tuple[str, str, Decimal, Decimal], ...]
    """Venue, ticker, what the venue holds, what the fills of this journal's orders come to."""
    orders: int
    resting: int
    silent: tuple[str, ...]
    """Venues that did not answer."""
    differences: tuple[Difference, ...]


class _Unheard(Watcher):
    """Only answers are looked at here, not the venues' life."""

    def channel_changed(self, venue: str, state: ChannelState) -> None:
        """Pass."""

    def request_done(self, venue: str, verb: str, *, sent: str, answer: str, took_ns: int, ok: bool) -> None:
        """Pass."""

    def message_dropped(self, venue: str, reason: str) -> None:
        """Pass."""


def _ignored(_batch: Batch) -> None:
    """Events of the streams: what is asked fresh counts."""


def _never() -> NoReturn:
    raise RuntimeError("a replay decides nothing")


async def run_verify(
    endpoints: Mapping[str, Endpoints], records: Callable[[], Iterable[Record]], out: TextIO, *, live: bool = False,
    archive: Archive | None = None,
) -> int:  # fmt: skip
    """Write the proof to ``out``; 0 only if journal and venues say the same. ``records`` reads the journal anew.

    ``archive`` has the orders that were put away: they are proven with the others.

    ``live``: the accounts may be elsewhere than on this machine; nothing is sent to them.

    It may wait a minute for a venue that has had too many requests. Raises VenueError when one cannot be reached and
    JournalError for a damaged journal.
    """
    gateway = await _connected(endpoints, live=live)
    try:
        finding = await _look(gateway, records(), archive)
        for _ in range(ATTEMPTS - 1):
            if not finding.differences:
                break
            await asyncio.sleep(SILENT_PAUSE_S if finding.silent else PAUSE_S)
            finding = await _look(gateway, records(), archive)
    finally:
        await gateway.close()
    out.writelines(f"{line}\n" for line in described(finding))
    return 1 if finding.differences else 0


async def _connected(endpoints: Mapping[str, Endpoints], *, live: bool) -> Gateway:
    """The venues, connected; patient with one whose budget of requests is spent."""
    for _ in range(ATTEMPTS - 1):
        gateway = Gateway(endpoints, live=live)
        try:
            await gateway.connect(_ignored, _Unheard())
        except RateLimited:
            await asyncio.sleep(SILENT_PAUSE_S)
        else:
            return gateway
    gateway = Gateway(endpoints, live=live)
    await gateway.connect(_ignored, _Unheard())
    return gateway


def described(finding: Finding) -> Iterable[str]:
    """The lines for people: each book, each position, each difference, the verdict."""
    for view in finding.books:
        yield (
            f"{view.venue}:{view.ticker}  target {view.target:f} = hedged {view.hedged:f} + in flight "
            f"{view.in_flight:f} + balance {view.balance:f} + forfeited {view.forfeited:f}"
            f"{'' if view.state == 'active' else f'  ({view.state.upper()})'}"
        )
        at_venue = finding.at_venue.get((view.venue, view.ticker))
        if at_venue is None:
            yield "  not every venue of it could be asked"
        elif at_venue == (view.target, view.hedged):
            yield "  as the venues' own fills say"
        else:
            yield f"  by the venues' own fills: target {at_venue[0]:f}, hedged {at_venue[1]:f}"
    for venue, ticker, held, filled in finding.positions:
        other = "" if held == filled else f", {held - filled:f} not by orders of this journal"
        yield f"{venue}:{ticker}  position {held:f}, {filled:f} by fills of this journal's orders{other}"
    for difference in finding.differences:
        yield f"difference  {difference}"
    count = len(finding.differences)
    verdict = f"not consistent: {count} difference{'s' if count > 1 else ''}" if count else "consistent"
    resting = f", {finding.resting} of them open by the journal" if finding.resting else ""
    yield f"{verdict}; {len(finding.books)} books, {finding.orders} orders{resting}"


# ------------------------------------------------------------------ one look


async def _look(gateway: Gateway, records: Iterable[Record], archive: Archive | None) -> Finding:
    kernel, page = Kernel(_never), OrdersPage()
    past = replay(records, kernel, archive)
    if archive is not None:
        past.bring_all_back(archive)
    restore_orders(past, page)
    return await _Look(gateway, past, page).finding()


class _Look:
    """One journal as read, and the venues asked about it."""

    def __init__(self, gateway: Gateway, past: Past, page: OrdersPage) -> None:
        self._gateway = gateway
        self._past = past
        self._kernel = past.kernel
        self._page = page
        self._ours = [order for order in page.orders() if order.role is not Role.EXTERNAL]
        self._filled: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self._silent: tuple[str, ...] = ()
        """Venues that did not answer."""
        self._said: dict[str, OrderUpdate | str] = {}
        """What a venue says of an order whose end the journal does not have; a sentence where it says nothing."""
        self._keys: dict[tuple[str, str, str], str | None] = {}
        """Orders by the ids that only the venue told; None for one that is not ours."""
        self._differences: list[Difference] = []
        self._positions: list[tuple[str, str, Decimal, Decimal]] = []

    async def finding(self) -> Finding:
        answers = await self._ask()
        positions = PositionsPage()
        for alias, text in answers.silent.items():
            self._differ(alias, "it cannot be asked, nothing of it is proven", text)
        for alias, rows in answers.held.items():
            positions.snapshot(alias, rows)
            await self._attribute(alias, answers)
        for order in self._ours:
            if order.venue not in answers.silent:
                await self._compare(order)
        self._compare_books()
        if not self._differences:  # what no order explains must not be silent
            proof = compare(answers, self._page, positions, self._kernel)
            self._differences += [Difference("the desk's proof", text, "see there") for text in proof.problems]
        return Finding(
            books=tuple(view_book(book) for book in self._kernel.books.values()),
            at_venue=self._books_at_venue(),
            positions=tuple(self._positions),
            orders=len(self._ours),
            resting=sum(order.working for order in self._ours),
            silent=self._silent,
            differences=tuple(self._differences),
        )

    async def _ask(self) -> Answers:
        """What the venues say, of each order whose end the journal does not have first: its id may be news."""
        for order in self._ours:
            if order.working:
                self._said[order.key] = await self._ask_of(order)
        tickers: dict[str, set[str]] = {alias: set() for alias in self._gateway.venues}
        places = [(order.venue, order.ticker) for order in self._ours]
        for alias, ticker in {*places, *self._kernel.books}:
            tickers[alias].add(ticker)
        answers = await ask(self._gateway, tickers, since_ns=max(self._past.started_ns, OVERLAP_NS))
        self._silent = tuple(answers.silent)
        return answers

    async def _attribute(self, alias: str, answers: Answers) -> None:
        """Whose the fills of one venue are, and its open orders."""
        by_ticker = dict.fromkeys(answers.tickers[alias], ZERO)
        for fill in answers.fills[alias]:
            key = await self._key_of(fill)
            if key is not None:
                self._filled[key] += fill.amount
                by_ticker[fill.ticker] += fill.amount
        for update in answers.resting[alias]:
            if self._page.get(update.cloid or "") is None:
                self._stranger(alias, update.ticker, update.cloid, "is open")
        held = {row.ticker: row.amount for row in answers.held[alias]}
        self._positions += [(alias, ticker, held.get(ticker, ZERO), filled) for ticker, filled in by_ticker.items()]

    async def _key_of(self, fill: FillEvent) -> str | None:
        """Whose fill it is. Where the venue tells fills by its own order id alone, it is asked whose that is."""
        place = fill.venue, fill.ticker, fill.oid
        order = (self._page.get(fill.cloid) if fill.cloid else None) or self._page.by_oid(*place)
        if order is not None:
            return order.key
        if place not in self._keys:
            named = fill.cloid
            if named is None:
                with contextlib.suppress(VenueError):  # unnamed, then: its contract's position shows it
                    named = (await self._gateway.venue(fill.venue).order(fill.ticker, oid=fill.oid)).cloid
            self._keys[place] = named if named is not None and self._page.get(named) is not None else None
            if self._keys[place] is None:
                self._stranger(fill.venue, fill.ticker, named, "filled")
        return self._keys[place]

    async def _ask_of(self, order: Order) -> OrderUpdate | str:
        try:
            said = await self._gateway.venue(order.venue).order(order.ticker, cloid=order.cloid)
        except NotFound:
            if order.key in self._past.evidence:
                return "the venue does not know it any more"
            return "the venue knows no such order, it was never sent or was refused; a desk proves that when it starts"
        except VenueError as error:
            return f"the venue cannot say what became of it: {error.text}"
        if said.oid is not None:
            self._keys[order.venue, order.ticker, said.oid] = order.key
        return said

    def _stranger(self, alias: str, ticker: str, named: str | None, what: str) -> None:
        """An order that carries an id of a desk of ours: there must be a record of it."""
        if cloid.parse(named) is not None and named is not None:
            cause = (
                "its id is a desk's, this journal does not have it: written by another desk, or its records are lost"
            )
            self._differ(f"{alias}:{ticker}", f"order {named[:8]} {what}", cause)

    async def _compare(self, order: Order) -> None:
        """One order of the journal against the venue's fills, and where the journal knows no end, its own word."""
        name = f"{order.role.value} {order.key[:8]}"
        at_venue = self._filled[order.key]
        hedging = order.key in self._kernel.children and order.working
        if at_venue == order.filled and not hedging:
            return
        what = f"{name} filled {at_venue:f} at the venue, {order.filled:f} in the journal"
        if at_venue == order.filled:
            what = f"{name} of {order.amount:f} counts as in flight"
        self._differ(f"{order.venue}:{order.ticker}", what, await self._cause(order, at_venue))

    async def _cause(self, order: Order, at_venue: Decimal) -> str:
        if abs(at_venue) < abs(order.filled):
            return "the venue does not show fills that the journal has: they are too old for it, or were taken back"
        said = self._said.get(order.key) or await self._ask_of(order)
        if isinstance(said, str):
            return said
        known = self._past.evidence.get(order.key)
        if known is None:
            return f"nothing was heard of it after it was meant; the venue has it: {_told(said)}"
        if known.status.terminal:
            return f"filled after its end was journaled; the venue says {_told(said)}"
        words = f"the journal's last word is {known.status.value}, the venue's {_told(said)}"
        return f"{words}; a desk takes it in when it starts"

    def _compare_books(self) -> None:
        for book in self._kernel.books.values():
            waiting = sum((item.quantity for item in book.obligations), ZERO)
            if waiting != book.balance:
                what = f"obligations come to {waiting:f}, the balance is {book.balance:f}"
                self._differ(f"{book.venue}:{book.ticker}", what, "the journal does not add up by itself")
            told = [order.filled for order in self._ours if self._is_hedge_of(order, book.key)]
            if sum(told, ZERO) != book.hedged:
                what = f"{book.hedged:f} counts as hedged, its orders filled {sum(told, ZERO):f}"
                self._differ(f"{book.venue}:{book.ticker}", what, "the journal does not add up by itself")

    def _is_hedge_of(self, order: Order, key: tuple[str, str]) -> bool:
        child = self._kernel.children.get(order.key)
        return child is not None and child.book == key

    def _books_at_venue(self) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
        """Target and hedged of each book that every venue was asked for, by their fills and the makers' legs alone."""
        targets: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        hedged: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        for maker in self._kernel.makers.values():
            for leg in maker.legs:
                targets[leg.venue, leg.ticker] += self._filled[maker.cloid] * leg.ratio
        for child in self._kernel.children.values():
            hedged[child.book] += self._filled[child.cloid]
        unasked = {
            (leg.venue, leg.ticker)
            for maker in self._kernel.makers.values()
            for leg in maker.legs
            if {maker.venue, leg.venue} & set(self._silent)
        }
        return {key: (targets[key], hedged[key]) for key in self._kernel.books if key not in unasked}

    def _differ(self, where: str, what: str, cause: str) -> None:
        self._differences.append(Difference(where, what, cause))


def _told(said: OrderUpdate) -> str:
    status = said.status.value if said.status is not None else "something not understood"
    filled = "" if said.filled is None else f", filled {said.filled:f}"
    return f"{status}{filled}"
