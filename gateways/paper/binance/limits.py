"""Binance USD-M's rate limits: request weight by address, orders by account, in windows that follow the clock.

Source: "General Info / LIMITS" and ``rateLimits`` of ``GET /fapi/v1/exchangeInfo``.
"""

from collections.abc import Callable, Iterator

import msgspec

from gateways.paper.binance.errors import BinanceError

SECOND_NS = 1_000_000_000


class RateLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What is allowed: weight a minute, orders in ten seconds, orders a minute."""

    weight_1m: int = 2400
    orders_10s: int = 300
    orders_1m: int = 1200


class Window:
    """A counter that starts anew with each period of the clock."""

    def __init__(self, seconds: int, limit: int) -> None:
        self.limit = limit
        self._period_ns = seconds * SECOND_NS
        self._period = -1
        self._count = 0

    def count(self, now_ns: int) -> int:
        """What was used in the period of ``now_ns``."""
        return self._count if self._period == now_ns // self._period_ns else 0

    def use(self, now_ns: int, amount: int) -> int:
        """Add ``amount``; return the new count."""
        self._count = self.count(now_ns) + amount
        self._period = now_ns // self._period_ns
        return self._count

    def seconds_left(self, now_ns: int) -> int:
        """Whole seconds, rounded up, until the period ends."""
        return -((now_ns % self._period_ns - self._period_ns) // SECOND_NS)


class RateMeter:
    """Counts what one address (the shell's only one) and its accounts use, and refuses what is over the limits."""

    def __init__(self, limits: RateLimits, now_ns: Callable[[], int]) -> None:
        self.limits = limits
        self._now_ns = now_ns
        self._weight = Window(60, limits.weight_1m)
        self._orders: dict[str, tuple[Window, Window]] = {}

    def request(self, weight: int) -> None:
        """Count a request. Raises BinanceError -1003 (HTTP 429) over the limit."""
        now = self._now_ns()
        if self._weight.use(now, weight) > self._weight.limit:
            raise BinanceError(
                -1003,
                f"Too many requests; current limit of IP(127.0.0.1) is {self._weight.limit} requests per minute. "
                "Please use the websocket for live updates to avoid polling the API.",
                status=429,
                retry_after=self._weight.seconds_left(now),
            )

    def order(self, account: str, count: int = 1) -> None:
        """Count ``count`` orders of an account. Raises BinanceError -1015 (HTTP 429) over a limit, counting nothing."""
        now = self._now_ns()
        windows = self._windows(account)
        for window, words in zip(windows, ("TEN_SECONDS", "MINUTE"), strict=True):
            if window.count(now) + count > window.limit:
                raise BinanceError(
                    -1015,
                    f"Too many new orders; current limit is {window.limit} orders per {words}.",
                    status=429,
                    retry_after=window.seconds_left(now),
                )
        for window in windows:
            window.use(now, count)

    def weight_header(self) -> dict[str, str]:
        """The header that every answer has."""
        return {"X-MBX-USED-WEIGHT-1M": str(self._weight.count(self._now_ns()))}

    def order_headers(self, account: str) -> dict[str, str]:
        """The headers that an answer to an order has."""
        now = self._now_ns()
        ten_seconds, minute = self._windows(account)
        return {
            "X-MBX-ORDER-COUNT-10S": str(ten_seconds.count(now)),
            "X-MBX-ORDER-COUNT-1M": str(minute.count(now)),
        }

    def usage(self, account: str | None) -> list[dict[str, object]]:
        """``rateLimits`` of a websocket API answer; with the order limits where it was an order of ``account``."""
        now = self._now_ns()
        counts = [self._weight.count(now)]
        if account is not None:
            counts += [window.count(now) for window in self._windows(account)]
        return [{**limit, "count": count} for limit, count in zip(describe(self.limits), counts, strict=False)]

    def _windows(self, account: str) -> tuple[Window, Window]:
        if account not in self._orders:
            self._orders[account] = (Window(10, self.limits.orders_10s), Window(60, self.limits.orders_1m))
        return self._orders[account]


def describe(limits: RateLimits) -> Iterator[dict[str, object]]:
    """The limits as ``exchangeInfo`` lists them."""
    yield {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": limits.weight_1m}
    yield {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": limits.orders_10s}
    yield {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": limits.orders_1m}
