"""OKX v5's rate limits: so many requests in a window, by endpoint, for each account or (public data) for each address.

Source: the "Rate Limit" line on each endpoint's page; the limits of order entry are for each account and contract, and
the same for REST and websocket; "Sub-account rate limit" is over all new orders and amends of an account. The venue's
answers carry no header that says what is left.
"""

from collections.abc import Callable

from gateways.paper.okx.errors import OkxError, TooMany

SECOND_NS = 1_000_000_000

PLACE, PLACE_BATCH = "order", "batch-orders"
AMEND, AMEND_BATCH = "amend-order", "amend-batch-orders"
CANCEL, CANCEL_BATCH = "cancel-order", "cancel-batch-orders"

WINDOWS: dict[str, tuple[int, int]] = {
    PLACE: (60, 2),
    PLACE_BATCH: (300, 2),
    AMEND: (60, 2),
    AMEND_BATCH: (300, 2),
    CANCEL: (60, 2),
    CANCEL_BATCH: (300, 2),
    "cancel-all-after": (1, 1),
    "account-orders": (1_000, 2),
}
"""How much is allowed in how many seconds, of what is not limited by the route alone."""


class RateMeter:
    """Counts what is used in windows of the clock, and refuses what is over."""

    def __init__(self, now_ns: Callable[[], int], windows: dict[str, tuple[int, int]] | None = None) -> None:
        self._now_ns = now_ns
        self._windows = WINDOWS if windows is None else windows
        self._used: dict[tuple[str, str], tuple[int, int]] = {}

    def spend(self, name: str, whose: str, count: int = 1, *, window: tuple[int, int] | None = None) -> None:
        """Count requests (or orders of a batch) of one kind and one owner. Raises TooMany, counting nothing."""
        limit, seconds = window or self._windows[name]
        period = self._now_ns() // (seconds * SECOND_NS)
        since, used = self._used.get((name, whose), (period, 0))
        used = used if since == period else 0
        if used + count > limit:
            raise TooMany
        self._used[name, whose] = (period, used + count)

    def spend_order(self, account: str, count: int) -> None:
        """Count new orders and amends of an account over all its contracts. Raises OkxError 50061."""
        try:
            self.spend("account-orders", account, count)
        except TooMany:
            text = "You've reached the maximum order rate limit for this account."
            raise OkxError("50061", text, status=429) from None


MOST_SUBSCRIBES_AN_HOUR = 480
"""How many subscribe, unsubscribe and login requests a connection may send in an hour ("Connection limit")."""
