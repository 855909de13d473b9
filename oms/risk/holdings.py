"""What may be held in each contract, while its venue's messages are still under way. Pure.

A fill is told as an order's growth, as a trade and as a position, in any order and some of it late. A limit must hold
in all of them: what a position may be lies between the venue's word, the baseline with its fills, and what our orders'
growth made of it. What the last of them says is forgotten once the others agree and nothing has filled for a while: the
operator may have traded elsewhere.
"""

from decimal import Decimal

from gateways.standards import ZERO
from oms.risk.facts import Held, Key

SETTLED_NS = 10_000_000_000
"""After so long without a fill the venue's word and the fills, agreeing, are believed against our orders' growth."""


class Holdings:
    """Positions by the growth of orders, from ``start`` on. Signed base units."""

    def __init__(self) -> None:
        self._held: dict[Key, Decimal] | None = None
        self._last_ns: dict[Key, int] = {}

    def start(self, held: dict[Key, Decimal]) -> None:
        """Begin with what is held now: what grew before is in it."""
        self._held = dict(held)

    def grew(self, key: Key, amount: Decimal, now_ns: int) -> None:
        """Take the growth of an order's filled size; nothing before ``start``."""
        if self._held is not None:
            self._held[key] = self._held.get(key, ZERO) + amount
            self._last_ns[key] = now_ns

    def bounds(self, key: Key, told: Decimal, expected: Decimal | None, now_ns: int) -> Held:
        """What may be held: ``told`` is the venue's word, ``expected`` the baseline with its fills, if it is known."""
        known = [told] if expected is None else [told, expected]
        if self._held is not None:
            if told == expected and now_ns - self._last_ns.get(key, -SETTLED_NS) >= SETTLED_NS:
                self._held[key] = told
            known.append(self._held.get(key, ZERO))
        return Held(min(known), max(known))

    @property
    def keys(self) -> list[Key]:
        """The contracts in which anything has been held."""
        return list(self._held or ())
