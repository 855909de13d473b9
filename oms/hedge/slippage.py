"""Slippage of hedges: how much worse they filled than the middle of the market when each was entered. Pure."""

from decimal import Decimal

from gateways.standards import ZERO
from oms.hedge.state import Child, ShareKey

BPS = Decimal(10_000)


class Slippages:
    """The hedge orders that answer each leg, and what the market's middle was when each was entered.

    Written by whoever follows the orders, in the turn after one was entered; the orders are the kernel's own. Basis
    points of the middle, positive for worse, negative for better.
    """

    def __init__(self) -> None:
        self._mids: dict[str, Decimal] = {}
        self._answering: dict[ShareKey, dict[str, Child]] = {}

    def entered(self, child: Child, mid: Decimal | None) -> None:
        """Note a hedge order, once; ``mid`` is None where it is not known (an order of before the start)."""
        if mid is not None:
            self._mids.setdefault(child.cloid, mid)
        for claim in child.claims:
            self._answering.setdefault((claim.maker, claim.leg), {}).setdefault(child.cloid, child)

    def of_hedge(self, child: Child) -> Decimal | None:
        """Of one hedge order; None while nothing of it has filled at a known price."""
        mid = self._mids.get(child.cloid)
        if not mid or not child.cum or not child.cost:
            return None
        worse = child.cost / child.cum - mid
        return (worse if child.cum > 0 else -worse) / mid * BPS

    def of_leg(self, maker: str, leg: int) -> Decimal | None:
        """Of all the hedge orders that answered a leg, weighted by what each filled for it."""
        total, weight = ZERO, ZERO
        for child in self._answering.get((maker, leg), {}).values():
            slippage = self.of_hedge(child)
            if slippage is not None:
                filled = sum(abs(claim.filled) for claim in child.claims if (claim.maker, claim.leg) == (maker, leg))
                total += slippage * filled
                weight += filled
        return total / weight if weight else None
