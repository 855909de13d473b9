"""What is known of one venue order id, from two channels: cumulative sizes, and single trades. Pure.

What it has filled is the larger of the two, so neither channel alone can lose a fill, and it never falls (I7).
"""

from decimal import Decimal

import msgspec

from gateways.standards import ZERO, FillEvent


class OidFilled(msgspec.Struct, frozen=True, gc=False):
    """What is known of one venue order id: filled so far, and its own size where the venue said; both signed."""

    oid: str
    filled: Decimal
    amount: Decimal | None


class OidEvidence:
    """The evidence on one venue order id. Sizes are signed; ``cost`` is the sum of price times traded amount."""

    __slots__ = ("amount", "cost", "cum", "filled", "trade_ids", "traded")

    def __init__(self) -> None:
        self.amount: Decimal | None = None
        """Its own size, where the venue said."""
        self.cum = ZERO
        """The largest cumulative size that the order channel told of."""
        self.traded = ZERO
        """The sum of its trades."""
        self.cost = ZERO
        self.trade_ids: set[str] = set()
        self.filled = ZERO
        """What it has filled."""

    def told(self, cum: Decimal) -> None:
        """Take a cumulative size; one that is smaller than another says nothing."""
        if abs(cum) > abs(self.cum):
            self.cum = cum
            self._weigh()

    def take(self, fill: FillEvent) -> bool:
        """Add a trade; False for one that is known."""
        if fill.trade_id in self.trade_ids:
            return False
        self.trade_ids.add(fill.trade_id)
        self.traded += fill.amount
        self.cost += fill.amount * fill.price
        self._weigh()
        return True

    def _weigh(self) -> None:
        self.filled = self.cum if not self.traded or abs(self.cum) >= abs(self.traded) else self.traded


def newest_oid(oids: dict[str, OidEvidence]) -> str | None:
    """The id that the order has now: venues count up, so the greatest number; else the last one seen."""
    if not oids:
        return None
    last = next(reversed(oids))
    if len(oids) == 1 or not all(oid.isdigit() for oid in oids):
        return last
    return max(oids, key=int)
