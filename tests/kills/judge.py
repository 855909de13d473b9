"""The judge of the kills: what the venues filled, by their own records, against the hedges that the makers were owed.

It knows of the desk's journal only the legs of the makers and the hedge orders that were meant. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from gateways.contracts import smallest_order
from gateways.paper.contracts import RULES
from gateways.paper.control import Truth
from gateways.paper.market import START_PRICES
from gateways.standards import ZERO
from oms.cloid import CloidKind, parse
from oms.hedge.events import Intended, MakerPlaced
from oms.journal import Record

KINDER = Decimal("0.95")
"""Prices wander while the kills go on: a minimum notional is taken at a price this much lower than at the start."""


class Findings(msgspec.Struct, frozen=True):
    """What was found, a sentence for each."""

    lost: tuple[str, ...] = ()
    """Filled makers whose hedge never was."""
    doubled: tuple[str, ...] = ()
    """Hedges of nothing, or of more than was owed."""
    wrong: tuple[str, ...] = ()
    """Orders that are open after the end, or that the journal does not know."""

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.lost or self.doubled or self.wrong)

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it."""
        return (*self.lost, *self.doubled, *self.wrong)


class Meant(msgspec.Struct, frozen=True):
    """What a desk's journal says it meant to do."""

    makers: Mapping[str, MakerPlaced]
    hedges: Mapping[str, Intended]


def meant_by(records: Iterable[Record]) -> Meant:
    """Read it out of a journal."""
    makers: dict[str, MakerPlaced] = {}
    hedges: dict[str, Intended] = {}
    for record in records:
        if record.kind == "MakerPlaced":
            placed = record.value(MakerPlaced)
            makers[placed.maker] = placed
        elif record.kind == "Intended":
            intended = record.value(Intended)
            hedges[intended.child] = intended
    return Meant(makers, hedges)


def judge(truths: Mapping[str, Truth], meant: Meant) -> Findings:
    """Compare, when the desk has ended: ``truths`` by venue."""
    lost: list[str] = []
    doubled: list[str] = []
    wrong: list[str] = []
    targets: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    hedged: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for venue, truth in truths.items():
        wrong += [f"{venue}: order {client_id} of {rest} is still open" for client_id, rest in truth.open.items()]
        doubled += [f"{venue}: order {each} was placed {n} times" for each, n in truth.placed.items() if n > 1]
        for client_id, filled in truth.fills.items():
            cloid = parse(client_id)
            if cloid is not None and cloid.kind is CloidKind.HEDGE:
                hedged[venue, filled.ticker] += filled.filled
                intended = meant.hedges.get(client_id)
                if intended is None or (intended.venue, intended.ticker) != (venue, filled.ticker):
                    doubled.append(f"{venue}: hedge {client_id} of {filled.filled} was never meant")
                elif filled.filled * intended.amount < 0 or abs(filled.filled) > abs(intended.amount):
                    doubled.append(f"{venue}: hedge {client_id} filled {filled.filled} of {intended.amount}")
            elif client_id in meant.makers:
                for leg in meant.makers[client_id].legs:
                    targets[leg.venue, leg.ticker] += filled.filled * leg.ratio
            else:
                wrong.append(f"{venue}: order {client_id} filled {filled.filled} and is not in the journal")
    for book in sorted({*targets, *hedged}):
        target, done = targets[book], hedged[book]
        left = target - done
        if abs(left) >= minimum(*book):
            where = lost if left * target > 0 else doubled
            where.append(f"{book[0]}:{book[1]} is off by {left}: {target} owed, {done} hedged")
    return Findings(tuple(lost), tuple(doubled), tuple(wrong))


def minimum(venue: str, ticker: str) -> Decimal:
    """The smallest order of a contract, base units: what is under it cannot be hedged yet."""
    (contract,) = [each for each in RULES[venue].contracts if each.ticker == ticker]
    return smallest_order(contract, START_PRICES[contract.base] * KINDER)
