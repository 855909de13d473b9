"""Cancelling many orders, and not letting go of those whose cancel failed.

An order that could not be reached, or that a venue accepts after its cancel found nothing, would rest with nobody
watching: it is cancelled again until it has ended. To ask for a cancel twice does no harm.
"""

import asyncio
import contextlib
from collections.abc import Callable

from gateways.errors import VenueError
from oms.entry import OrderEntry
from oms.orders import Order, OrdersPage
from oms.tasks import TaskOwner

AGAIN_S = 0.5
LONGEST_WAIT_S = 5.0
"""The waits between two cancels of one order: from ``AGAIN_S``, doubling, to this."""


class Canceller:
    """Cancels orders of the page. ``failed`` is told of each order whose cancel failed, and why, once."""

    def __init__(
        self, entry: OrderEntry, page: OrdersPage, tasks: TaskOwner, failed: Callable[[Order, str], None]
    ) -> None:
        self._entry = entry
        self._page = page
        self._tasks = tasks
        self._failed = failed
        self._pursued: set[str] = set()

    async def cancel(self, orders: list[Order]) -> int:
        """Cancel many at once, each on its own. Returns how many cancels the venues took; the others are pursued."""
        results = await asyncio.gather(*(self._entry.cancel(order) for order in orders), return_exceptions=True)
        for order, result in zip(orders, results, strict=True):
            if isinstance(result, Exception):
                self._failed(order, result.text if isinstance(result, VenueError) else repr(result))
                self._pursue(order.key)
            elif isinstance(result, BaseException):
                raise result
        return sum(not isinstance(result, BaseException) for result in results)

    def _pursue(self, key: str) -> None:
        if key not in self._pursued and self._tasks.start(self._until_gone(key), f"cancel {key[:8]}"):
            self._pursued.add(key)

    async def _until_gone(self, key: str) -> None:
        wait = AGAIN_S
        try:
            while self._working(key) is not None:
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_S)
                order = self._working(key)
                if order is not None:
                    with contextlib.suppress(VenueError):  # told of at its first failure
                        await self._entry.cancel(order)
        finally:
            self._pursued.discard(key)

    def _working(self, key: str) -> Order | None:
        order = self._page.get(key)
        return order if order is not None and order.working else None
