"""What the risk checks look at: the order, and all that is known of the desk at that moment. Plain values.

Quantities are signed base units where nothing else is said, prices quote units, times nanoseconds UTC.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from gateways.standards import ZERO, Contract, Level
from oms.hedge.policy import Leg

Key = tuple[str, str]
"""(venue, ticker)"""


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a contract's price. ``implied``: of its position, by what the venue says it has gained."""

    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    mark: Decimal | None = None
    implied: Decimal | None = None

    @property
    def mid(self) -> Decimal | None:
        """Half way between bid and ask; None where a side is empty."""
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2

    @property
    def value(self) -> Decimal | None:
        """What positions are valued at: the mid, else the mark, the last trade, what the position implies."""
        prices = (self.mid, self.mark, self.last, self.implied)
        return next((price for price in prices if price is not None and price > 0), None)

    @property
    def traded(self) -> Decimal | None:
        """The last trade; the mark where none was heard yet."""
        return self.last if self.last is not None else self.mark


class Resting(msgspec.Struct, frozen=True, kw_only=True):
    """An order that may rest at its venue, whoever sent it. ``amount`` is the most that it may still fill, signed."""

    key: str
    venue: str
    ticker: str
    amount: Decimal
    price: Decimal | None = None
    reduce_only: bool = False
    legs: tuple[Leg, ...] = ()


class Held(msgspec.Struct, frozen=True):
    """What may be held in a contract: ``low`` and ``high`` bound what venue, fills and orders say of it, signed."""

    low: Decimal
    high: Decimal


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """A hedge book. ``balance`` waits to be sent, signed; ``exposed`` is not hedged, in flight or not, unsigned."""

    venue: str
    ticker: str
    balance: Decimal = ZERO
    exposed: Decimal = ZERO
    blocked: str = ""
    """Why its hedges would not be sent; empty when they would."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """An order or an amend that was sent. ``amended``: it changed an order; ``failed``: it was refused."""

    ts_ns: int
    venue: str
    ticker: str
    amount: Decimal
    price: Decimal | None = None
    rule: str = ""
    """The rule that priced it, empty for none."""
    amended: bool = False
    failed: bool = False


class Today(msgspec.Struct, frozen=True):
    """What a venue saw of us since 00:00 UTC, quote units: filled, and lost (negative where gained)."""

    turnover: Decimal = ZERO
    loss: Decimal = ZERO


class Depth(msgspec.Struct, frozen=True):
    """A book's levels, best first, as far as they are known."""

    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is to be sent, or what an amend makes of one."""

    venue: str
    ticker: str
    amount: Decimal
    """The most that may fill from now on, signed."""
    total: Decimal
    """The order's whole size, signed: with what an amended one has filled."""
    price: Decimal | None = None
    """Its limit, or what a rule makes it; None at market."""
    rule: str = ""
    """The rule that made the price, empty for none."""
    market_price: Decimal | None = None
    """What a market order would reach in the book; None where that is not known."""
    reduce_only: bool = False
    legs: tuple[Leg, ...] = ()
    replaces: str = ""
    """The key of the order that is amended; empty for a new one."""
    lessens: bool = False
    """Whether an amend only takes away from its order: the same price, and no more that may fill than before."""

    @property
    def key(self) -> Key:
        """Where it goes."""
        return self.venue, self.ticker


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The desk at one moment. What is not in a mapping is not known, or nothing."""

    now_ns: int
    contracts: Mapping[Key, Contract]
    resting: tuple[Resting, ...] = ()
    held: Mapping[Key, Held] = {}
    owed: tuple[Owed, ...] = ()
    markets: Mapping[Key, Market] = {}
    depths: Mapping[Key, Depth] = {}
    sent: tuple[Sent, ...] = ()
    today: Mapping[str, Today] = {}
    """By venue."""
    free: Mapping[str, Decimal] = {}
    """By venue: what can still be used as margin, quote units."""
    outages: Mapping[str, str] = {}
    """By venue: why nothing can be sent there."""

    def value(self, key: Key) -> Decimal | None:
        """What a contract is valued at."""
        market = self.markets.get(key)
        return None if market is None else market.value
