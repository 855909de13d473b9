"""Cancelling many orders, and not letting go of those whose cancel failed.

An order that could not be reached, or that a venue accepts after its cancel found nothing, would rest with nobody
watching: it is cancelled again until it has ended. To ask for a cancel twice does no harm.
"""

import asyncio
from collections.abc import Callable, Iterable

from gateways.errors import VenueError
from oms.entry import OrderEntry
from oms.orders import Order, OrdersPage
from oms.tasks import TaskOwner

AGAIN_S = 0.5
LONGEST_WAIT_S = 5.0
"""The waits between two cancels of the same orders: from ``AGAIN_S``, doubling while none of them ends, to this."""


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
        """Cancel many at once, each with its own fate. Returns how many cancels the venues took.

        The others are pursued. If the caller is cancelled, so are the cancels that wait: nothing is pursued.
        """
        results = await self._entry.cancel_many(orders)
        failed = [(order, each) for order, each in zip(orders, results, strict=True) if isinstance(each, VenueError)]
        for order, error in failed:
            self._failed(order, error.text)
        self._pursue([order.key for order, _ in failed])
        return len(orders) - len(failed)

    def _pursue(self, keys: Iterable[str]) -> None:
        new = [key for key in keys if key not in self._pursued]
        if new and self._tasks.start(self._until_gone(new), f"cancel {len(new)} orders again"):
            self._pursued.update(new)

    async def _until_gone(self, keys: list[str]) -> None:
        wait = AGAIN_S
        try:
            while working := self._working(keys):
                await asyncio.sleep(wait)
                await self._entry.cancel_many(self._working(keys))  # what fails was told of at its first failure
                # Whatever holds them up, a venue's rate limit for one, lets some through: then the rest is due soon.
                wait = AGAIN_S if len(self._working(keys)) < len(working) else min(wait * 2, LONGEST_WAIT_S)
        finally:
            self._pursued.difference_update(keys)

    def _working(self, keys: Iterable[str]) -> list[Order]:
        orders = (self._page.get(key) for key in keys)
        return [order for order in orders if order is not None and order.working]
