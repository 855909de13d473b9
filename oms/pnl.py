"""What each contract earned: realised by average cost, fees and funding apart, unrealised at a price. Pure.

Quantities are signed base units; money is quote units, positive for what was gained. A position that was held before
the first fill counted here is opened at its entry price; from there on every fill moves the average or realises
against it.

Venues tell no funding payment by the streams that the desk reads, so it is reckoned: the position at each funding time,
times the mark price, times the rate last published for it. Longs pay a positive rate
(https://www.binance.com/en/support/faq/360033525031).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from gateways.standards import ZERO, MarkUpdate

HOUR_NS = 3_600_000_000_000

Key = tuple[str, str]
"""(venue, ticker)"""


class Earned(msgspec.Struct, frozen=True, kw_only=True):
    """One contract's result so far, without what is held now: see ``unrealised``."""

    amount: Decimal = ZERO
    """Held, as the fills say."""
    average: Decimal | None = None
    """Average price of what is held; None while flat."""
    realised: Decimal = ZERO
    """By trades alone, without fees and funding."""
    fees: Decimal = ZERO
    """Charged when positive, a rebate when negative; in the quote currency."""
    other_fees: tuple[tuple[str, Decimal], ...] = ()
    """Fees by asset that were charged in another one."""
    funding: Decimal = ZERO
    """Received when positive, paid when negative."""

    @property
    def net(self) -> Decimal:
        """Realised less fees plus funding."""
        return self.realised - self.fees + self.funding


def unrealised(amount: Decimal, entry: Decimal | None, price: Decimal | None) -> Decimal | None:
    """What closing ``amount`` at ``price`` would realise; None where a price is missing, zero while flat."""
    if amount == 0:
        return ZERO
    return None if entry is None or price is None else (price - entry) * amount


@dataclass(slots=True)
class _Contract:
    amount: Decimal = ZERO
    cost: Decimal = ZERO
    """Amount times its average price."""
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    other_fees: dict[str, Decimal] = field(default_factory=dict)
    funding: Decimal = ZERO
    rate: Decimal | None = None
    rate_due_ns: int = 0
    """When the rate is paid."""

    def trade(self, amount: Decimal, price: Decimal) -> None:
        if self.amount * amount >= 0:
            self.amount += amount
            self.cost += amount * price
            return
        closed = amount if abs(amount) <= abs(self.amount) else -self.amount
        part = self.cost * closed / self.amount
        self.realised -= closed * price - part
        self.cost += part
        self.amount += closed
        if self.amount == 0:
            self.cost = ZERO
        rest = amount - closed
        if rest != 0:
            self.amount, self.cost = rest, rest * price


class Results:
    """The results of all contracts, fill by fill."""

    def __init__(self) -> None:
        self._contracts: dict[Key, _Contract] = {}

    @property
    def keys(self) -> Iterable[Key]:
        """The contracts that anything is known of."""
        return self._contracts.keys()

    def open(self, key: Key, amount: Decimal, price: Decimal) -> None:
        """Take a position that was held before the first fill, at its entry price."""
        self._contract(key).trade(amount, price)

    def traded(self, key: Key, amount: Decimal, price: Decimal) -> None:
        """Take a fill."""
        self._contract(key).trade(amount, price)

    def charged(self, key: Key, fee: Decimal, asset: str, quote: str) -> None:
        """Take a fill's fee; a rebate is negative. An ``asset`` that is not named is the quote currency."""
        contract = self._contract(key)
        if asset in {"", quote}:
            contract.fees += fee
        else:
            contract.other_fees[asset] = contract.other_fees.get(asset, ZERO) + fee

    def marked(self, mark: MarkUpdate, amount: Decimal, now_ns: int) -> Decimal:
        """Take what a venue publishes of a contract's funding; what was paid (negative) or received since, reckoned.

        ``amount`` is the position held. Where the venue names no funding time it is the full hour
        (https://hyperliquid.gitbook.io/hyperliquid-docs/trading/funding).
        """
        contract = self._contract((mark.venue, mark.ticker))
        paid = ZERO
        if contract.rate is not None and now_ns >= contract.rate_due_ns:
            paid = -amount * mark.mark * contract.rate
            contract.funding += paid
            contract.rate = None
        if mark.funding_rate is not None:
            due = mark.next_funding_ns or (now_ns // HOUR_NS + 1) * HOUR_NS
            if due > now_ns:
                contract.rate, contract.rate_due_ns = mark.funding_rate, due
        return paid

    def earned(self, key: Key) -> Earned:
        """A contract's result; all zero for one that nothing is known of."""
        one = self._contracts.get(key)
        if one is None:
            return Earned()
        return Earned(
            amount=one.amount, average=one.cost / one.amount if one.amount else None, realised=one.realised,
            fees=one.fees, other_fees=tuple(sorted(one.other_fees.items())), funding=one.funding,
        )  # fmt: skip

    def _contract(self, key: Key) -> _Contract:
        return self._contracts.setdefault(key, _Contract())
