"""Slippage of hedges: how much worse they filled than the middle of the market when each was entered. Pure."""

from collections.abc import Container
from decimal import Decimal

from gateways.standards import ZERO
from oms.hedge.state import Child, ChildState, ShareKey

BPS = Decimal(10_000)
_NOTHING = (ZERO, ZERO)


class Slippages:
    """The hedge orders that answer each leg, and what the market's middle was when each was entered.

    Written by whoever follows the orders, in the turn after one was entered or has changed; the orders are the kernel's
    own. Basis points of the middle, positive for worse, negative for better. What a leg's slippage costs to tell grows
    with its open hedge orders, not with those that are done.
    """

    def __init__(self) -> None:
        self._mids: dict[str, Decimal] = {}
        self._changed: dict[ShareKey, dict[str, Child]] = {}
        """Orders that may have filled more since they were last counted."""
        self._counted: dict[ShareKey, dict[str, tuple[Decimal, Decimal]]] = {}
        """By leg and order: slippage times what it filled for the leg, and the latter."""
        self._sums: dict[ShareKey, tuple[Decimal, Decimal]] = {}

    def entered(self, child: Child, mid: Decimal | None) -> None:
        """Note a hedge order that is new or has changed; ``mid`` is None where it is not known; the first stands."""
        if mid is not None:
            self._mids.setdefault(child.cloid, mid)
        for claim in child.claims:
            self._changed.setdefault((claim.maker, claim.leg), {})[child.cloid] = child

    def __len__(self) -> int:
        return len(self._mids)

    def keep(self, hedges: Container[str], makers: Container[str]) -> None:
        """Let go of the orders that are not among these: they have finished, and were put away."""
        self._mids = {key: mid for key, mid in self._mids.items() if key in hedges}
        self._changed = {leg: each for leg, each in self._changed.items() if leg[0] in makers}
        self._counted = {leg: each for leg, each in self._counted.items() if leg[0] in makers}
        self._sums = {leg: each for leg, each in self._sums.items() if leg[0] in makers}

    def of_hedge(self, child: Child) -> Decimal | None:
        """Of one hedge order; None while nothing of it has filled at a known price."""
        mid = self._mids.get(child.cloid)
        if not mid or not child.cum or not child.cost:
            return None
        worse = child.cost / child.cum - mid
        return (worse if child.cum > 0 else -worse) / mid * BPS

    def of_leg(self, maker: str, leg: int) -> Decimal | None:
        """Of all the hedge orders that answered a leg, weighted by what each filled for it."""
        key = maker, leg
        total, weight = self._sums.get(key, _NOTHING)
        changed = self._changed.get(key, {})
        for child in list(changed.values()):
            before = self._counted.get(key, {}).get(child.cloid, _NOTHING)
            now = self._part(child, key)
            if now != before:
                self._counted.setdefault(key, {})[child.cloid] = now
                total, weight = total + now[0] - before[0], weight + now[1] - before[1]
            if child.state is ChildState.DONE:
                del changed[child.cloid]
        self._sums[key] = total, weight
        return total / weight if weight else None

    def _part(self, child: Child, key: ShareKey) -> tuple[Decimal, Decimal]:
        slippage = self.of_hedge(child)
        if slippage is None:
            return _NOTHING
        filled = sum((abs(claim.filled) for claim in child.claims if (claim.maker, claim.leg) == key), ZERO)
        return slippage * filled, filled
