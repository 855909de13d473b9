"""What our orders traded since 00:00 UTC, and what that and the prices made of the money. Pure: times are passed in.

It is folded from the evidence on our orders, live and in a replay of the journal alike, so a restart changes nothing;
fees are what fills told of them. The day's gain of a contract is what its trades brought in, less fees, plus what is
held now at today's price, less what was held when the day began at the price of then. Quantities and cash are signed,
money is quote units. A trade belongs to the day in which it became known.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from gateways.standards import ZERO
from oms.risk.facts import Key, Today

NS_PER_DAY = 86_400_000_000_000
DAY = "Day"
"""Kind of the journal's record that keeps the day."""


class DayRow(msgspec.Struct, frozen=True, array_like=True):
    """One contract's day, as the journal keeps it."""

    venue: str
    ticker: str
    amount: Decimal
    """Bought less sold."""
    cash: Decimal
    """Received less paid, without fees."""
    turnover: Decimal
    fees: Decimal
    opening: Decimal
    """The position with which the day began."""
    opening_price: Decimal | None
    """What it was worth then, for one base unit; None until a price was known."""


class DayRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All of a day. ``number`` counts days since 1970."""

    number: int = 0
    contracts: tuple[DayRow, ...] = ()


@dataclass(slots=True)
class _Contract:
    amount: Decimal = ZERO
    cash: Decimal = ZERO
    turnover: Decimal = ZERO
    fees: Decimal = ZERO
    opening: Decimal = ZERO
    opening_price: Decimal | None = None

    def gain(self, price: Decimal | None) -> Decimal:
        """At a price; what has none yet has neither gained nor lost."""
        if price is None:
            price = self.opening_price
        if price is None:
            return -self.fees
        opened = ZERO if self.opening_price is None else self.opening * (price - self.opening_price)
        return self.cash + self.amount * price + opened - self.fees


class Day:
    """The present day by contract. ``number`` counts days since 1970; ``changes`` grows with every change."""

    def __init__(self, record: DayRecord | None = None) -> None:
        record = record or DayRecord()
        self.number = record.number
        self.changes = 0
        self._contracts = {
            (row.venue, row.ticker): _Contract(*msgspec.structs.astuple(row)[2:]) for row in record.contracts
        }

    @property
    def record(self) -> DayRecord:
        """All of it as one value."""
        rows = (
            DayRow(*key, one.amount, one.cash, one.turnover, one.fees, one.opening, one.opening_price)
            for key, one in self._contracts.items()
        )
        return DayRecord(number=self.number, contracts=tuple(rows))

    def begin(self, ts_ns: int) -> bool:
        """Begin a new day where one has begun; whether it has. A clock that goes back changes nothing."""
        number = ts_ns // NS_PER_DAY
        if number <= self.number:
            return False
        held = {key: one.opening + one.amount for key, one in self._contracts.items()}
        self._contracts = {key: _Contract(opening=amount) for key, amount in held.items() if amount}
        self.number, self.changes = number, self.changes + 1
        return True

    def opened(self, key: Key, position: Decimal) -> None:
        """Take what a contract held when the day began, where nothing is known of it yet."""
        if position and key not in self._contracts:
            self._contracts[key] = _Contract(opening=position)
            self.changes += 1

    def priced(self, price: Callable[[Key], Decimal | None]) -> None:
        """Value what the day began with at the first price that is known."""
        for key, one in self._contracts.items():
            if one.opening and one.opening_price is None:
                one.opening_price = price(key)
                self.changes += one.opening_price is not None

    def traded(self, key: Key, amount: Decimal, cost: Decimal, turnover: Decimal, ts_ns: int) -> None:
        """Take a growth of what an order has filled: ``amount`` signed, ``cost`` what was paid for it (received: < 0).

        All may be corrections: a price that becomes known later changes cost and turnover alone.
        """
        self.begin(ts_ns)
        one = self._contract(key)
        one.amount += amount
        one.cash -= cost
        one.turnover += turnover
        self.changes += 1

    def charged(self, key: Key, fee: Decimal, ts_ns: int) -> None:
        """Take a fill's fee; a rebate is negative."""
        self.begin(ts_ns)
        self._contract(key).fees += fee
        self.changes += 1

    def today(self, venues: Iterable[str], price: Callable[[Key], Decimal | None]) -> dict[str, Today]:
        """Turnover and loss by venue, at present prices."""
        sums = {venue: [ZERO, ZERO] for venue in venues}
        for key, one in self._contracts.items():
            known = sums.setdefault(key[0], [ZERO, ZERO])
            known[0] += one.turnover
            known[1] -= one.gain(price(key))
        return {venue: Today(turnover, loss) for venue, (turnover, loss) in sums.items()}

    @property
    def keys(self) -> list[Key]:
        """The contracts that it knows of."""
        return list(self._contracts)

    def _contract(self, key: Key) -> _Contract:
        one = self._contracts.get(key)
        if one is None:
            one = self._contracts[key] = _Contract()
        return one


def cost_of(filled: Decimal, average_price: Decimal | None, price: Decimal | None) -> Decimal:
    """What an order has cost so far: at its average where it is known, else at its limit, else not known yet."""
    return filled * (average_price or price or ZERO)
