"""The limits that the desk keeps, as frozen values: what the risk checks compare with, and nothing of how they compare.

Every value is a ``Limit``: a hard end that refuses and a soft end that asks, either or both. Units and signs:
quantities are base units and notionals quote units, both without a sign; bps are hundredths of a percent; counts are
whole numbers; a loss is a positive number. A limit that is not set (None) limits nothing.

There are two sorts. What is checked *for each contract* has defaults for the desk, which a venue's own and then a
contract's own values replace, value by value: ``Limits.of``. What *sums up* (a venue, the desk, a base asset over all
venues) stands apart from those and holds beside them, whatever a single contract is allowed.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


class Verdict(str, Enum):
    """What a limit says of a value."""

    PASS = "pass"  # noqa: S105 - a word, not a password
    ASK = "ask"
    """Over the soft end: the operator has to say yes."""
    REFUSE = "refuse"
    """Over the hard end."""


class Limit(msgspec.Struct, frozen=True):
    """The ends of one value; what is equal to an end is still inside.

    Raises ValueError for a negative end, one that is no number, and a soft end over the hard one.
    """

    hard: Decimal | None = None
    soft: Decimal | None = None

    def __post_init__(self) -> None:
        for end in (self.hard, self.soft):
            if end is not None and (not end.is_finite() or end < 0):
                raise ValueError(f"{end} is no limit: it is a number from zero up")
        if self.hard is not None and self.soft is not None and self.soft > self.hard:
            raise ValueError(f"the soft limit {self.soft} is over the hard limit {self.hard}: it would never ask")

    def judge(self, value: Decimal | int) -> Verdict:
        """What to do with a value without a sign."""
        if self.hard is not None and value > self.hard:
            return Verdict.REFUSE
        if self.soft is not None and value > self.soft:
            return Verdict.ASK
        return Verdict.PASS


class Window(msgspec.Struct, frozen=True):
    """For how many seconds an act must not come again: refused within ``hard``, asked about within ``soft``.

    Raises ValueError for a negative time, one that is no number, and a soft time shorter than the hard one.
    """

    hard: Decimal | None = None
    soft: Decimal | None = None

    def __post_init__(self) -> None:
        for end in (self.hard, self.soft):
            if end is not None and (not end.is_finite() or end < 0):
                raise ValueError(f"{end} is no time: it is a number of seconds from zero up")
        if self.hard is not None and self.soft is not None and self.soft < self.hard:
            raise ValueError(f"the soft time {self.soft} is shorter than the hard time {self.hard}: it would never ask")

    def judge(self, age_s: Decimal) -> Verdict:
        """What to do with an act whose like was done ``age_s`` seconds ago."""
        if self.hard is not None and age_s < self.hard:
            return Verdict.REFUSE
        if self.soft is not None and age_s < self.soft:
            return Verdict.ASK
        return Verdict.PASS


class InstrumentLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What is checked for each contract by itself."""

    order_quantity: Limit | None = None
    """Of one order, base units."""
    order_notional: Limit | None = None
    """Of one order, quote units."""
    position_quantity: Limit | None = None
    """Of the position in the contract, base units, with all working orders of one side taken as filled."""
    position_notional: Limit | None = None
    """The same in quote units."""
    open_orders: Limit | None = None
    """Working orders in the contract, counted."""
    collar_mid_bps: Limit | None = None
    """How far a price may be from the mid, on the side that costs us."""
    collar_last_bps: Limit | None = None
    """How far a price may be from the last trade, on the side that costs us."""
    duplicate_s: Window | None = None
    """How long a second order of the same side, price and quantity is taken for a double key press."""
    unhedged_notional: Limit | None = None
    """Of one hedge book: what is not hedged there, in flight or not, quote units."""
    hedge_slippage_bps: Limit | None = None
    """How far beyond its best price the book would be taken by all that makers may have to hedge there, at once."""


class VenueLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What is summed up over all contracts of one venue."""

    position_notional: Limit | None = None
    """Sum of the positions' sizes, quote units, with working orders as for a contract."""
    open_orders: Limit | None = None
    orders_per_second: Limit | None = None
    """New orders and amends in any second; cancels and hedges are never held back by it."""
    daily_turnover: Limit | None = None
    """Quote units filled since 00:00 UTC."""
    daily_loss: Limit | None = None
    """Quote units lost since 00:00 UTC, realised and unrealised, fees included; positive."""
    leverage: Limit | None = None
    """What the hedges that all makers may ask for there may be worth, in times the collateral that is free there."""


class BaseLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What is summed up over all venues for one base asset: the sizes of the net position."""

    net_quantity: Limit | None = None
    """Base units, without a sign."""
    net_notional: Limit | None = None
    """Quote units, without a sign."""


class DeskLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What is summed up over everything."""

    position_notional: Limit | None = None
    open_orders: Limit | None = None
    orders_per_second: Limit | None = None
    daily_turnover: Limit | None = None
    daily_loss: Limit | None = None
    unhedged_notional: Limit | None = None
    """Over all hedge books, quote units."""


class Arming(msgspec.Struct, frozen=True, kw_only=True):
    """When a live desk disarms by itself, and when it asks."""

    idle_s: int | None = 15 * 60
    """Seconds without an act of the operator; None never."""
    clock_skew_ms: int | None = 1_000
    """Largest difference between our clock and a venue's; None for any."""
    on_reconnect: bool = False
    """Whether a private stream that is lost, and so has to be connected again, disarms."""
    confirm_above: Decimal | None = None
    """Notional, quote units, above which an order that raises risk is asked about; None for never."""


FLATTEN_SLIPPAGE_BPS = Decimal(50)


class Limits:
    """All limits of a desk. ``instruments`` is keyed by (venue, ticker), ``bases`` by base asset.

    ``each`` and ``each_base`` are the defaults; ``at_venue`` replaces those of ``each`` for all contracts of a venue.
    """

    def __init__(
        self,
        *,
        desk: DeskLimits | None = None,
        each: InstrumentLimits | None = None,
        each_base: BaseLimits | None = None,
        venues: Mapping[str, VenueLimits] | None = None,
        at_venue: Mapping[str, InstrumentLimits] | None = None,
        instruments: Mapping[tuple[str, str], InstrumentLimits] | None = None,
        bases: Mapping[str, BaseLimits] | None = None,
        hedgeability: Verdict = Verdict.PASS,
        flatten_slippage_bps: Decimal = FLATTEN_SLIPPAGE_BPS,
    ) -> None:
        self.desk = desk or DeskLimits()
        self.flatten_slippage_bps = flatten_slippage_bps
        """How far through the market's best price a flatten may trade."""
        self.hedgeability = hedgeability
        """What becomes of a maker whose fills surely could not be hedged as things stand: see ``oms.hedgeability``."""
        self._each = each or InstrumentLimits()
        self._each_base = each_base or BaseLimits()
        self._venues = dict(venues or {})
        self._at_venue = dict(at_venue or {})
        self._instruments = dict(instruments or {})
        self._bases = dict(bases or {})
        tables = [self.desk, self._each, self._each_base]
        tables += [*self._venues.values(), *self._at_venue.values(), *self._instruments.values(), *self._bases.values()]
        limited = any(value is not None for table in tables for value in msgspec.structs.astuple(table))
        self.any = limited or hedgeability is not Verdict.PASS
        """Whether anything is limited at all."""

    def of(self, venue: str, ticker: str) -> InstrumentLimits:
        """The limits that hold for one contract: its own, else its venue's, else the desk's, value by value."""
        nearer = (self._at_venue.get(venue), self._instruments.get((venue, ticker)))
        return _replaced(self._each, nearer)

    def venue(self, alias: str) -> VenueLimits:
        """The sums that hold for a venue; none for one that is not named."""
        return self._venues.get(alias, VenueLimits())

    def net(self, base: str) -> BaseLimits:
        """The net limits of a base asset: its own, else those of each, value by value."""
        return _replaced(self._each_base, (self._bases.get(base),))

    @property
    def instruments(self) -> list[tuple[str, str]]:
        """The contracts with values of their own: (venue, ticker), sorted."""
        return sorted(self._instruments)

    @property
    def bases(self) -> list[str]:
        """The base assets with values of their own, sorted."""
        return sorted(self._bases)


def _replaced(values: S, nearer: tuple[S | None, ...]) -> S:
    for each in nearer:
        if each is not None:
            own = {name: value for name, value in msgspec.structs.asdict(each).items() if value is not None}
            values = msgspec.structs.replace(values, **own)
    return values
