"""The worst case: how far a position can go when everything fills that may fill. Pure.

An order counts in full until it is proven ended, and so does what would hedge it: a hedge is never refused, so room for
it is taken when its maker is sent. Buys and sells do not cancel each other: any of them may fill first. Reduce-only
orders bring a position to zero at most.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import msgspec

from gateways.standards import ZERO
from oms.risk.facts import Facts, Held, Key, Request, Resting

FLAT = Held(ZERO, ZERO)


class Reach(NamedTuple):
    """The most long and the most short that a position may become, signed: ``low <= high``."""

    low: Decimal
    high: Decimal

    @property
    def size(self) -> Decimal:
        """The larger of the two, without a sign."""
        return max(self.high, -self.low, ZERO)

    def toward(self, amount: Decimal) -> Decimal:
        """How far it may go to the side of ``amount``, without a sign; zero where it stays on the other side."""
        return max(self.high if amount > 0 else -self.low, ZERO)


class Part(NamedTuple):
    """Something that may fill: ``quantity`` signed."""

    key: Key
    quantity: Decimal
    reduce_only: bool
    price: Decimal | None


def as_resting(request: Request) -> Resting:
    """The order that is to be sent, as if it rested already."""
    return Resting(
        key=request.replaces, venue=request.venue, ticker=request.ticker, amount=request.amount,
        price=request.price if request.price is not None else request.market_price,
        reduce_only=request.reduce_only, legs=request.legs,
    )  # fmt: skip


def resting_with(facts: Facts, request: Request | None) -> tuple[Resting, ...]:
    """The working orders as they are, or (``request``) as they would be with it in the place of what it amends."""
    if request is None:
        return facts.resting
    others = (order for order in facts.resting if not request.replaces or order.key != request.replaces)
    return (*others, as_resting(request))


def to_hedge(facts: Facts, request: Request | None) -> Iterator[Part]:
    """What hedge books owe, and what working makers would owe if they filled now."""
    for order in resting_with(facts, request):
        for leg in order.legs:
            yield Part((leg.venue, leg.ticker), order.amount * leg.ratio, leg.policy.reduce_only, None)
    for book in facts.owed:
        yield Part((book.venue, book.ticker), book.balance, False, None)  # noqa: FBT003 - its place in a tuple


def parts(facts: Facts, request: Request | None, *, hedges: bool = True) -> Iterator[Part]:
    """All that may fill, once: working orders, what waits in hedge books and (``hedges``) what makers would owe."""
    for order in resting_with(facts, request):
        yield Part((order.venue, order.ticker), order.amount, order.reduce_only, order.price)
    if hedges:
        yield from to_hedge(facts, request)
    else:
        yield from to_hedge(msgspec.structs.replace(facts, resting=()), None)


def reaches(facts: Facts, request: Request | None, *, hedges: bool = True) -> dict[Key, Reach]:
    """How far each contract's position may go, of those that hold or may hold anything."""
    grown: dict[Key, list[Decimal]] = {key: [ZERO, ZERO, ZERO, ZERO] for key in facts.held}
    for part in parts(facts, request, hedges=hedges):
        sums = grown.setdefault(part.key, [ZERO, ZERO, ZERO, ZERO])
        sums[2 * part.reduce_only + (part.quantity < 0)] += part.quantity
    return {
        key: _reach(facts.held.get(key, FLAT), bought, sold, closed_short, closed_long)
        for key, (bought, sold, closed_short, closed_long) in grown.items()
    }


def _reach(held: Held, bought: Decimal, sold: Decimal, closed_short: Decimal, closed_long: Decimal) -> Reach:
    high = max(held.high, min(held.high + closed_short, ZERO)) + bought
    low = min(held.low, max(held.low + closed_long, ZERO)) + sold
    return Reach(low, high)


def net_reaches(facts: Facts, request: Request | None) -> dict[str, Reach]:
    """How far each base asset's net position over all venues may go.

    A maker may fill before any of its hedges does, or with those alone that go the same way as the net: no hedge makes
    room before it is done, and one that is larger than its maker, or of another asset, adds to the net.
    """
    orders = resting_with(facts, request)
    alone = msgspec.structs.replace(facts, resting=tuple(order for order in orders if not order.legs))
    nets: dict[str, Reach] = {}
    for key, reach in reaches(alone, None, hedges=False).items():
        _widen(nets, base_of(facts, key), reach.low, reach.high)
    for order in orders:
        if order.legs:
            for base, (low, high) in _hedged_net(facts, order).items():
                _widen(nets, base, min(low, ZERO), max(high, ZERO))
    return nets


def _hedged_net(facts: Facts, order: Resting) -> dict[str, tuple[Decimal, Decimal]]:
    """What a maker does to each base asset's net once it has filled: with its selling hedges, with its buying ones."""
    own = base_of(facts, (order.venue, order.ticker))
    nets = {own: (order.amount, order.amount)}
    for leg in order.legs:
        base, quantity = base_of(facts, (leg.venue, leg.ticker)), order.amount * leg.ratio
        low, high = nets.get(base, (ZERO, ZERO))
        nets[base] = (low + min(quantity, ZERO), high + max(quantity, ZERO))
    return nets


def _widen(nets: dict[str, Reach], base: str, low: Decimal, high: Decimal) -> None:
    known = nets.get(base, Reach(ZERO, ZERO))
    nets[base] = Reach(known.low + low, known.high + high)


def base_of(facts: Facts, key: Key) -> str:
    """A contract's base asset; its ticker where the contract is not known."""
    contract = facts.contracts.get(key)
    return key[1] if contract is None else contract.base


def to_trade(facts: Facts, request: Request | None) -> tuple[dict[str, Decimal], set[Key]]:
    """By venue, the most that may still trade there in quote units; and the contracts that could not be valued."""
    sums: dict[str, Decimal] = {}
    unpriced: set[Key] = set()
    for part in parts(facts, request):
        price = worth(part.price, facts.value(part.key), part.quantity)
        if price is None:
            unpriced.update([part.key] if part.quantity else [])
            continue
        sums[part.key[0]] = sums.get(part.key[0], ZERO) + abs(part.quantity) * price
    return sums, unpriced


def worth(limit: Decimal | None, value: Decimal | None, amount: Decimal) -> Decimal | None:
    """The most that an order's unit may trade at: a buyer's limit; a seller's, or the market where that is higher."""
    if limit is None:
        return value
    return limit if amount > 0 or value is None else max(limit, value)
