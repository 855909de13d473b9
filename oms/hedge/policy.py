"""How a leg is hedged: the part of a maker order that says when and how its fills are answered."""

from decimal import Decimal
from enum import Enum

import msgspec

from gateways.standards import ZERO


class How(str, Enum):
    """The kind of order that answers a fill."""

    MARKET = "market"
    IOC = "ioc"
    """An IOC limit at the far side of the book, at most ``slippage_bps`` through it."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """When and how to hedge."""

    how: How = How.MARKET
    slippage_bps: Decimal = ZERO
    """For IOC: how far through the best opposite price the limit may stand, in basis points."""
    trigger_after_ms: int = 0
    """How long after a fill's receipt its obligation falls due; 0 is at once."""

    def __str__(self) -> str:
        how = self.how.value if self.how is How.MARKET else f"ioc {self.slippage_bps.normalize():f}bps"
        return f"{how} after {self.trigger_after_ms}ms" if self.trigger_after_ms else how


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One hedge of a maker order: on ``(venue, ticker)``, ``ratio`` base units for each one that the maker fills.

    ``ratio`` is signed: -1 hedges in full, -0.5 half. It is frozen when the order is placed.
    """

    venue: str
    ticker: str
    ratio: Decimal = Decimal(-1)
    policy: Policy = Policy()


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What bounds the engine itself (I11, I14). Times in nanoseconds."""

    max_failures: int = 8
    """Hedges in a row that filled nothing before the book goes on HOLD."""
    backoff_ns: int = 250_000_000
    """Wait after the first failure; doubles with each one."""
    max_backoff_ns: int = 30_000_000_000
    max_quote_age_ns: int = 10_000_000_000
    """An IOC priced from an older quote is not sent."""
    absent_gap_ns: int = 1_000_000_000
    """How far apart two "no such order" answers must be to be believed (I9)."""
