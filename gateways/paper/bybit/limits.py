"""Bybit v5's rate limits: HTTP requests by address, and requests of each kind by account, in rolling windows.

Source: "Rate Limit Rules": 600 HTTP requests in five seconds, over which the address is refused with 403 for ten
minutes; for an account so many requests of a kind in a second (a unified account's usual ones), over which it is
refused with 10006. An item of a batch counts as a request of its kind. The headers state the limit and what is left.
"""

from collections import deque
from collections.abc import Callable, Mapping

import msgspec

from gateways.paper.bybit import errors, numbers

SECOND_NS = 1_000_000_000
ADDRESS_WINDOW_NS = 5 * SECOND_NS
BANNED_NS = 600 * SECOND_NS

CREATE, AMEND, CANCEL, CANCEL_ALL = "create", "amend", "cancel", "cancel-all"
BATCHES = frozenset({"create-batch", "amend-batch", "cancel-batch"})


class RateLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What is allowed: HTTP requests of an address in five seconds; requests of an account in one, by their kind."""

    address: int = 600
    entry: int = 10
    """Creates, amends, cancels and cancels of all, each for itself."""
    batch: int = 20
    """Items of batches, of each kind of batch for itself."""
    queries: int = 50
    """Each kind of query for itself."""


class Rolling:
    """What was used in the time before now."""

    __slots__ = ("_amounts", "_span_ns", "limit", "used")

    def __init__(self, limit: int, span_ns: int) -> None:
        self.limit = limit
        self.used = 0
        self._span_ns = span_ns
        self._amounts: deque[tuple[int, int]] = deque()

    def use(self, now_ns: int, amount: int) -> bool:
        """Take ``amount``, unless that is over the limit: then nothing is taken."""
        self._forget(now_ns)
        if self.used + amount > self.limit:
            return False
        self._amounts.append((now_ns, amount))
        self.used += amount
        return True

    def free_ns(self, now_ns: int) -> int:
        """When the oldest use is out of the window; now where there is none."""
        return self._amounts[0][0] + self._span_ns if self._amounts else now_ns

    def _forget(self, now_ns: int) -> None:
        while self._amounts and self._amounts[0][0] <= now_ns - self._span_ns:
            self.used -= self._amounts.popleft()[1]


class RateMeter:
    """Counts what one address (the shell's only one) and its accounts use, and refuses what is over the limits."""

    def __init__(self, limits: RateLimits, now_ns: Callable[[], int]) -> None:
        self._limits = limits
        self._now_ns = now_ns
        self._address = Rolling(limits.address, ADDRESS_WINDOW_NS)
        self._banned_until_ns = 0
        self._kinds: dict[tuple[str, str], Rolling] = {}

    def arrives(self) -> bool:
        """Count an HTTP request; false where the address is banned."""
        now = self._now_ns()
        if now < self._banned_until_ns:
            return False
        if not self._address.use(now, 1):
            self._banned_until_ns = now + BANNED_NS
            return False
        return True

    def use(self, account: str, kind: str, amount: int = 1) -> None:
        """Count a request of an account. Raises BybitError 10006 over the limit, counting nothing."""
        if not self._rolling(account, kind).use(self._now_ns(), amount):
            raise errors.too_many_visits()

    def header(self, account: str, kind: str) -> Mapping[str, str]:
        """What the answer to a request of that kind says of its limit."""
        rolling, now = self._rolling(account, kind), self._now_ns()
        left = rolling.limit - rolling.used
        until = now if left else rolling.free_ns(now)
        return {
            "X-Bapi-Limit": str(rolling.limit),
            "X-Bapi-Limit-Status": str(left),
            "X-Bapi-Limit-Reset-Timestamp": str(numbers.milliseconds(until)),
        }

    def _rolling(self, account: str, kind: str) -> Rolling:
        found = self._kinds.get((account, kind))
        if found is None:
            limits = self._limits
            entry = kind in {CREATE, AMEND, CANCEL, CANCEL_ALL}
            limit = limits.entry if entry else limits.batch if kind in BATCHES else limits.queries
            found = self._kinds[account, kind] = Rolling(limit, SECOND_NS)
        return found
