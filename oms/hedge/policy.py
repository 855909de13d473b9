"""How a leg is hedged: the part of a maker order that says when, how, and what to do when it fails."""

from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from itertools import count

import msgspec

from gateways.standards import ZERO


class How(str, Enum):
    """The kind of order that answers a fill."""

    MARKET = "market"
    IOC = "ioc"
    """An IOC limit through the far side of the book by at most the slippage."""
    JOIN = "join"
    """A post-only limit at the best price of our own side, for a while."""


class OnFailure(str, Enum):
    """What follows when the retry budget is spent. The operator is told in every case."""

    HOLD = "hold"
    ESCALATE = "escalate"
    """One more try as a market order, then HOLD."""
    UNWIND = "unwind"
    """Close what is not hedged on the maker's own venue, then HOLD."""


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the ladder. ``slippage_bps`` and ``slippage_ticks`` are for IOC, ``for_ms`` for JOIN."""

    how: How = How.MARKET
    slippage_bps: Decimal = ZERO
    slippage_ticks: int = 0
    for_ms: int = 0
    """How long a joined order rests before it is cancelled and the next rung takes what is left."""

    def __str__(self) -> str:
        if self.how is How.IOC:
            ticks = f" {self.slippage_ticks}ticks" if self.slippage_ticks else ""
            return f"ioc{ticks}" if ticks else f"ioc {self.slippage_bps.normalize():f}bps"
        return f"join {self.for_ms}ms" if self.how is How.JOIN else "market"


MARKET = Rung()


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """When and how to hedge. The rungs are climbed in order; the last one repeats.

    A rung is left for the next when its joined order has rested long enough or was refused as one that would take, and
    when its IOC order ended without filling in full.
    """

    rungs: tuple[Rung, ...] = (MARKET,)
    trigger_after_ms: int = 0
    """How long after a fill's receipt its obligation falls due; 0 is at once."""
    above_quantity: Decimal = ZERO
    """Nothing is sent before this much is due (base units, unsigned)."""
    above_value: Decimal = ZERO
    """Nothing is sent before what is due is worth this much (quote units)."""
    reduce_only: bool = False
    on_failure: OnFailure = OnFailure.HOLD

    def rung(self, index: int) -> Rung:
        """The rung at ``index``, the last one for any beyond, the market for an escalation (-1)."""
        if index < 0:
            return MARKET
        rungs = self.rungs
        return rungs[index] if index < len(rungs) else rungs[-1]

    def __str__(self) -> str:
        words = [" then ".join(str(rung) for rung in self.rungs)]
        words += [f"after {self.trigger_after_ms}ms"] if self.trigger_after_ms else []
        words += [f"above {self.above_quantity:f}"] if self.above_quantity else []
        words += [f"worth {self.above_value:f}"] if self.above_value else []
        words += ["reduce"] if self.reduce_only else []
        words += [self.on_failure.value] if self.on_failure is not OnFailure.HOLD else []
        return " ".join(words)


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One hedge of a maker order: on ``(venue, ticker)``, ``ratio`` base units for each one that the maker fills.

    ``ratio`` is signed: -1 hedges in full, -0.5 half. It is frozen when the order is placed.
    """

    venue: str
    ticker: str
    ratio: Decimal = Decimal(-1)
    policy: Policy = Policy()


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What bounds the engine itself (I10, I11, I14). Times in nanoseconds."""

    max_failures: int = 8
    """Hedges in a row that filled nothing before the leg's ``on_failure`` follows."""
    backoff_ns: int = 250_000_000
    """Wait after the first failure; doubles with each one."""
    max_backoff_ns: int = 30_000_000_000
    rules_wait_ns: int = 3_000_000_000
    """How long a hedge that was refused for its lot or tick waits for the contract's rules, asked anew."""
    max_throttle_ns: int = 30_000_000_000
    """The makers of a book are stopped where a rate limit lets no hedge of it out for longer."""
    outage_alerts_ns: tuple[int, ...] = (10_000_000_000, 30_000_000_000)
    """When a venue that is down is told of again, from its beginning on, while something waits there."""
    outage_alert_every_ns: int = 60_000_000_000
    """After the last of these, every so often."""
    max_quote_age_ns: int = 10_000_000_000
    """A limit priced from an older quote is not sent."""
    absent_gap_ns: int = 1_000_000_000
    """How far apart two "no such order" answers must be to be believed (I9)."""
    max_unhedged_value: Decimal | None = None
    """Over this ``abs(target - hedged - forfeited)`` in quote units, the makers of a book are cancelled (I10)."""

    def backoff_after(self, failures: int) -> int:
        """The wait after so many failures in a row."""
        return min(self.backoff_ns << min(failures - 1, 40), self.max_backoff_ns)

    @property
    def patience_ns(self) -> int:
        """How long the retry budget lasts: after an outage of this length a leg's UNWIND follows."""
        return sum(self.backoff_after(failures) for failures in range(1, self.max_failures))

    def outage_alert_times(self) -> Iterator[int]:
        """When an outage is told of, from its beginning on: at once, then ever rarer, without an end."""
        times = (0, *self.outage_alerts_ns)
        yield from times
        yield from count(times[-1] + self.outage_alert_every_ns, self.outage_alert_every_ns)
