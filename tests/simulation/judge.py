"""The judge of a session: the exchanges' own fills and positions, which the desk cannot have got wrong."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from gateways.contracts import smallest_order
from gateways.paper.exchange import PaperExchange
from gateways.paper.records import Happening, OrderChanged
from gateways.standards import ZERO
from oms.cloid import CloidKind, parse
from oms.hedge.kernel import Kernel
from oms.hedge.policy import Leg
from oms.system import OMS

BookKey = tuple[str, str]

_WORST = Decimal("0.94")
"""A Hyperliquid market order is a limit 5 % through the market, and the venue looks at its value at that price."""


class Verdict(msgspec.Struct, frozen=True):
    """What was found, a sentence for each."""

    lost: tuple[str, ...] = ()
    """Filled makers whose hedge never was."""
    doubled: tuple[str, ...] = ()
    """Hedges of nothing, or of more than was owed."""
    open: tuple[str, ...] = ()
    """What did not come to an end when all was quiet."""
    wrong: tuple[str, ...] = ()
    """Numbers of the desk that are not the exchange's."""

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.lost or self.doubled or self.open or self.wrong)

    @property
    def findings(self) -> tuple[str, ...]:
        """All of it."""
        return (
            *(f"lost: {text}" for text in self.lost),
            *(f"doubled: {text}" for text in self.doubled),
            *(f"open: {text}" for text in self.open),
            *(f"wrong: {text}" for text in self.wrong),
        )


class Judge:
    """Counts, while the exchanges work, what they filled; says at the end what the desk should have done."""

    def __init__(self, exchanges: Mapping[str, PaperExchange], accounts: Mapping[str, str]) -> None:
        self.kernel: Kernel | None = None
        """Only for the legs of the makers and for what the operator forfeited."""
        self.one_sided = False
        self.maker_fills = self.fills = self.hedges = 0
        self.makers: set[str] = set()
        self._exchanges = exchanges
        self._accounts = accounts
        self._targets: dict[BookKey, Decimal] = defaultdict(lambda: ZERO)
        self._hedged: dict[BookKey, Decimal] = defaultdict(lambda: ZERO)
        self._open: dict[BookKey, dict[int, Decimal]] = defaultdict(dict)
        self._doubled: list[str] = []
        self._wrong: list[str] = []
        self._legs: dict[str, tuple[Leg, ...]] = {}
        self._over: set[BookKey] = set()

    # ------------------------------------------------------------------ while it runs

    def happened(self, venue: str, happenings: Sequence[Happening]) -> None:
        """Take what happened on a venue's exchange."""
        for happening in happenings:
            if isinstance(happening, OrderChanged) and happening.order.account == self._accounts[venue]:
                self._changed(venue, happening)

    def _changed(self, venue: str, changed: OrderChanged) -> None:
        order = changed.order
        cloid = parse(order.client_id)
        if cloid is None:
            self._wrong.append(f"{venue}: an order {order.client_id!r} that no desk of ours made")
            return
        sign = 1 if order.is_buy else -1
        self.fills += changed.fill is not None
        if cloid.kind is CloidKind.MAKER:
            self.makers.add(cloid.text)
            if self.kernel is not None and cloid.text in self.kernel.makers:
                self._legs[cloid.text] = self.kernel.makers[cloid.text].legs
        if cloid.kind is CloidKind.MAKER and changed.fill is not None:
            self.maker_fills += 1
            if cloid.text not in self._legs:
                self._wrong.append(f"{venue}: maker {cloid.text} is not known to the desk")
                return
            for leg in self._legs[cloid.text]:
                self._targets[leg.venue, leg.ticker] += sign * changed.fill.quantity * leg.ratio
        elif cloid.kind is CloidKind.HEDGE:
            book = venue, order.ticker
            if changed.fill is not None:
                self._hedged[book] += sign * changed.fill.quantity
            self.hedges += order.order_id not in self._open[book]
            rest = ZERO if order.status.terminal else sign * order.remaining
            self._open[book][order.order_id] = rest
            self._check_reach(book)

    def _check_reach(self, book: BookKey) -> None:
        """With makers on one side, what is hedged and could still be never exceeds what was owed (I2)."""
        if not self.one_sided or self.kernel is None or book in self._over:
            return
        reach = self._hedged[book] + sum(self._open[book].values(), ZERO)
        target = self._targets[book]
        if abs(reach) > abs(target) or reach * target < 0:
            self._over.add(book)
            self._doubled.append(f"{book[0]}:{book[1]} could be hedged by {reach}, with {target} owed")

    # ------------------------------------------------------------------ at the end

    def owed(self, oms: OMS) -> list[BookKey]:
        """The books whose balance could be hedged: at least the smallest order that the exchange takes."""
        return [key for key, book in oms.kernel.books.items() if abs(book.balance) >= self._smallest(oms, key)]

    def _smallest(self, oms: OMS, key: BookKey) -> Decimal:
        mark = self._exchanges[key[0]].mark(key[1])
        return smallest_order(oms.contract_specs(*key), None if mark is None else mark * _WORST)

    def verdict(self, oms: OMS, *, settled: bool) -> Verdict:
        """Compare the desk's books with the exchanges' own. Faults have ended and everything had its time."""
        lost: list[str] = []
        doubled = list(self._doubled)
        ends: list[str] = [] if settled else ["the desk did not settle", *_unsettled(oms)]
        wrong = list(self._wrong)
        doubled += self._repeated(oms)
        kernel = oms.kernel
        for key in sorted({*self._targets, *self._hedged, *kernel.books}):
            name = f"{key[0]}:{key[1]}"
            book = kernel.book(*key)
            target, hedged = self._targets[key], self._hedged[key]
            left = target - hedged - book.forfeited
            if book.target != target:
                wrong.append(f"{name} has the target {book.target}, the exchange's fills give {target}")
            if book.hedged != hedged:
                wrong.append(f"{name} counts {book.hedged} as hedged, the exchange filled {hedged}")
            if book.target != book.hedged + book.in_flight + book.balance + book.forfeited:
                wrong.append(f"{name} does not add up")
            if book.in_flight != 0 or book.open_children:
                ends.append(f"{name} has {book.in_flight} in flight")
            if abs(left) >= self._smallest(oms, key):
                if book.paused or book.hold:
                    ends.append(f"{name} stands still: {book.paused or book.hold}")
                where = lost if left * target > 0 else doubled
                where.append(f"{name}: {left} is left of {target}, {hedged} hedged, waiting for: {book.waits}")
        wrong += self._positions(oms)
        return Verdict(tuple(lost), tuple(doubled), tuple(ends), tuple(wrong))

    def _repeated(self, oms: OMS) -> list[str]:
        """Hedge orders that the kernel did not ask for, asked for once and got twice, or got larger."""
        found: list[str] = []
        for venue, exchange in self._exchanges.items():
            seen: set[str] = set()
            for order in exchange.orders(self._accounts[venue]):
                cloid = parse(order.client_id)
                if cloid is None or cloid.kind is not CloidKind.HEDGE:
                    continue
                known = oms.page.get(cloid.text)  # back in memory, if it had been put away
                child = None if known is None else oms.kernel.children.get(cloid.text)
                signed = order.quantity if order.is_buy else -order.quantity
                if child is None or child.book != (venue, order.ticker) or child.amount != signed:
                    found.append(f"{venue}: hedge order {cloid.text} of {signed} was not asked for")
                elif cloid.text in seen:
                    found.append(f"{venue}: hedge order {cloid.text} is there twice")
                seen.add(cloid.text)
        return found

    def _positions(self, oms: OMS) -> list[str]:
        found: list[str] = []
        for venue, exchange in self._exchanges.items():
            account = self._accounts[venue]
            for ticker in exchange.contracts:
                fills = exchange.fills(account, ticker)
                total = sum((fill.quantity if fill.is_buy else -fill.quantity for fill in fills), ZERO)
                held = exchange.position(account, ticker).amount
                if held != total:
                    found.append(f"{venue}:{ticker}: the exchange holds {held}, its fills give {total}")
                if oms.positions.get(venue, ticker) != held:
                    found.append(f"{venue}:{ticker} is {oms.positions.get(venue, ticker)} here, {held} there")
                if oms.positions.drift(venue, ticker):
                    found.append(f"{venue}:{ticker} drifts by {oms.positions.drift(venue, ticker)}")
        return found


def _unsettled(oms: OMS) -> list[str]:
    found = [f"order {order.key} is {order.status.value}: {order.text}" for order in oms.page.working()]
    found += [
        f"{book.venue}:{book.ticker} holds {len(book.open_children)} children, balance {book.balance}, "
        f"waits: {book.waits}, hold: {book.hold}, paused: {book.paused}"
        for book in oms.kernel.books.values()
        if book.balance or book.open_children or book.hold or book.paused
    ]
    found += [f"handler {each.name} is {each.lag} behind" for each in oms.deltas.subscriptions if each.lag]
    return [*found, "a decision waits for time"] if oms.hedge.timers else found
