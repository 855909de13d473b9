"""Hyperliquid's rate limits: request weight by IP address in a rolling minute, requests by account over its life.

Source: the "Rate limits and user limits" page. What an account used is counted and shown (``userRateLimit``), and an
account beyond its allowance is not slowed down: a paper account has no years of volume behind it.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from gateways.standards import ZERO

MINUTE_NS = 60_000_000_000
WEIGHT_A_MINUTE = 1_200
MESSAGES_A_MINUTE = 2_000
"""Websocket messages, over all connections."""
FREE_REQUESTS = 10_000

_LIGHT = frozenset(
    {"l2Book", "allMids", "clearinghouseState", "orderStatus", "spotClearinghouseState"} | {"exchangeStatus"}
)
_BY_ITEMS = frozenset(
    {"recentTrades", "historicalOrders", "userFills", "userFillsByTime", "fundingHistory", "userFunding"}
)


def info_weight(kind: str, answer: object) -> int:
    """The weight of an info request: 2, 20 or 60, and one more for every 20 items of the long answers."""
    if kind in _LIGHT:
        return 2
    if kind == "userRole":
        return 60
    return 20 + (len(answer) // 20 if kind in _BY_ITEMS and isinstance(answer, Sequence) else 0)


def batch_length(action: Mapping[str, Any]) -> int:
    """How many orders, cancels or replacements an action holds; 1 for any other."""
    lists = (action.get(name) for name in ("orders", "cancels", "modifies"))
    return next((len(items) for items in lists if isinstance(items, list)), 1)


class RollingLimit:
    """At most ``limit`` units in any minute."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._spent: deque[tuple[int, int]] = deque()

    def exhausted(self, now_ns: int) -> bool:
        """Whether the minute up to now has no unit left."""
        while self._spent and self._spent[0][0] <= now_ns - MINUTE_NS:
            self._used -= self._spent.popleft()[1]
        return self._used >= self._limit

    def spend(self, now_ns: int, units: int) -> None:
        """Count ``units`` (> 0); what is over the limit is counted too."""
        self._spent.append((now_ns, units))
        self._used += units


class AccountUse:
    """What each account sent and traded, which is what its allowance depends on."""

    def __init__(self) -> None:
        self._requests: dict[str, int] = {}
        self._volume: dict[str, Decimal] = {}

    def sent(self, account: str, requests: int) -> None:
        """Count requests; a batch counts each of its items."""
        self._requests[account] = self._requests.get(account, 0) + requests

    def traded(self, account: str, notional: Decimal) -> None:
        """Count traded volume, in USDC."""
        self._volume[account] = self._volume.get(account, ZERO) + notional

    def requests(self, account: str) -> int:
        """What an account sent."""
        return self._requests.get(account, 0)

    def volume(self, account: str) -> Decimal:
        """What an account traded, in USDC."""
        return self._volume.get(account, ZERO)

    def allowance(self, account: str) -> int:
        """What an account may send: 10,000, and one for each USDC traded."""
        return FREE_REQUESTS + int(self.volume(account))
