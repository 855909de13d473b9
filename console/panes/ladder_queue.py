"""How much stands before our own orders in the book: an estimate, from above. Pure.

A book tells a level's size, not its queue. Whoever stood there when our order came is before it; what the level loses
since may have stood behind us, so only a level smaller than what was before us makes that less.
"""

from collections.abc import Iterable
from decimal import Decimal

from console.link import LadderRow, OrderRow
from gateways.standards import ZERO


class Queue:
    """What stands before each order, at most, in base units; none is known of a price that the book does not show."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[Decimal, Decimal, Decimal]] = {}

    def look(self, orders: Iterable[OrderRow], book: LadderRow) -> None:
        """Take a book and our orders that stand in it. An order that moved or grew stands last again."""
        bids, asks, own = dict(book.bids), dict(book.asks), dict(book.own)
        before, self._before = self._before, {}
        for order in orders:
            price = order.price
            level = None if price is None else (bids if order.amount > 0 else asks).get(price)
            known = before.get(order.cloid)
            if price is None or level is None:
                continue
            others = max(ZERO, level - abs(own.get(price, ZERO)))
            size = abs(order.amount)
            if known is not None and known[0] == price and size <= known[1]:
                others = min(others, known[2])
            self._before[order.cloid] = price, size, others

    def before(self, cloid: str) -> Decimal | None:
        """What stands before an order, at most; None where it is not known."""
        found = self._before.get(cloid)
        return None if found is None else found[2]
