"""One contract's order book: price-time priority, and the walk of an arriving order through it. Pure.

The book knows prices, quantities and whose order rests; it knows nothing of money. Its caller applies each match before
asking for the next one, so that what a match changes (a position, say) holds for the matches after it.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import Enum
from itertools import islice

import msgspec

from gateways.standards import ZERO, Level


class Resting:
    """An order on the book. ``remaining`` falls as it is filled; nothing else of it changes."""

    __slots__ = ("account", "is_buy", "order_id", "price", "reduce_only", "remaining")

    def __init__(
        self,
        *,
        order_id: int,
        account: str,
        is_buy: bool,
        price: Decimal,
        remaining: Decimal,
        reduce_only: bool = False,
    ) -> None:
        self.order_id = order_id
        self.account = account
        self.is_buy = is_buy
        self.price = price
        self.remaining = remaining
        self.reduce_only = reduce_only


class MatchKind(Enum):
    """What an arriving order did to the resting one that it met."""

    FILL = "fill"
    SELF = "self"
    """Both are of one account: the resting one was taken off the book unfilled (Binance: EXPIRE_MAKER)."""
    REDUCE_ONLY = "reduce_only"
    """The resting one had no position left to reduce and was taken off the book."""


class Match(msgspec.Struct, frozen=True):
    """One meeting of an arriving order with a resting one, at the resting one's price."""

    maker: Resting
    quantity: Decimal
    kind: MatchKind


class _Ladder:
    """One side of a book: prices in ascending order, at each a queue by arrival, and the total quantity there."""

    __slots__ = ("changed", "is_buy", "prices", "queues", "totals")

    def __init__(self, *, is_buy: bool) -> None:
        self.is_buy = is_buy
        self.prices: list[Decimal] = []
        self.queues: dict[Decimal, dict[int, Resting]] = {}
        self.totals: dict[Decimal, Decimal] = {}
        self.changed: set[Decimal] = set()

    def best_first(self) -> Iterator[Decimal]:
        """The prices from the best on."""
        return reversed(self.prices) if self.is_buy else iter(self.prices)

    def best(self) -> Decimal | None:
        """The best price, None when the side is empty."""
        if not self.prices:
            return None
        return self.prices[-1] if self.is_buy else self.prices[0]

    def add(self, resting: Resting) -> None:
        """Put an order at the end of the queue at its price."""
        price = resting.price
        queue = self.queues.get(price)
        if queue is None:
            self.queues[price] = queue = {}
            self.totals[price] = ZERO
            insort(self.prices, price)
        queue[resting.order_id] = resting
        self.totals[price] += resting.remaining
        self.changed.add(price)

    def reduce(self, resting: Resting, quantity: Decimal) -> None:
        """Take ``quantity`` off a resting order, and the order off the book when nothing of it is left."""
        price = resting.price
        resting.remaining -= quantity
        self.totals[price] -= quantity
        self.changed.add(price)
        if not resting.remaining:
            self._unlink(resting)

    def remove(self, resting: Resting) -> None:
        """Take an order off the book with what is left of it."""
        price = resting.price
        self.totals[price] -= resting.remaining
        self.changed.add(price)
        self._unlink(resting)

    def _unlink(self, resting: Resting) -> None:
        price = resting.price
        queue = self.queues[price]
        del queue[resting.order_id]
        if not queue:
            del self.queues[price], self.totals[price]
            del self.prices[bisect_left(self.prices, price)]

    def take_changes(self) -> tuple[Level, ...]:
        """The levels that changed since the last call, best first; quantity 0 where nothing rests any more."""
        prices = sorted(self.changed, reverse=self.is_buy)
        self.changed.clear()
        return tuple(Level(price, self.totals.get(price, ZERO)) for price in prices)


class Book:
    """The resting orders of one contract. Never crossed: what could trade has traded before it rests."""

    def __init__(self) -> None:
        self._bids = _Ladder(is_buy=True)
        self._asks = _Ladder(is_buy=False)
        self._resting: dict[int, Resting] = {}

    def __contains__(self, order_id: int) -> bool:
        return order_id in self._resting

    def __len__(self) -> int:
        return len(self._resting)

    def _ladder(self, *, is_buy: bool) -> _Ladder:
        return self._bids if is_buy else self._asks

    def add(self, resting: Resting) -> None:
        """Rest an order at the end of the queue at its price. It must not cross (``take`` first)."""
        self._resting[resting.order_id] = resting
        self._ladder(is_buy=resting.is_buy).add(resting)

    def remove(self, order_id: int) -> Resting | None:
        """Take an order off the book; None when it does not rest."""
        resting = self._resting.pop(order_id, None)
        if resting is not None:
            self._ladder(is_buy=resting.is_buy).remove(resting)
        return resting

    def reduce(self, order_id: int, quantity: Decimal) -> Resting:
        """Take ``quantity``, at most what is left, off an order that rests, whatever stands before it."""
        resting = self._resting[order_id]
        self._ladder(is_buy=resting.is_buy).reduce(resting, quantity)
        if not resting.remaining:
            del self._resting[order_id]
        return resting

    def best(self, *, is_buy: bool) -> Level | None:
        """The best bid (``is_buy``) or ask, None when that side is empty."""
        ladder = self._ladder(is_buy=is_buy)
        price = ladder.best()
        return None if price is None else Level(price, ladder.totals[price])

    def levels(self, *, is_buy: bool, depth: int) -> tuple[Level, ...]:
        """Up to ``depth`` levels of a side, best first."""
        ladder = self._ladder(is_buy=is_buy)
        return tuple(Level(price, ladder.totals[price]) for price in islice(ladder.best_first(), depth))

    def queue(self, *, is_buy: bool, price: Decimal) -> list[Resting]:
        """The orders resting at a price, first in first."""
        return list(self._ladder(is_buy=is_buy).queues.get(price, {}).values())

    def crosses(self, *, is_buy: bool, price: Decimal) -> bool:
        """Whether an order at ``price`` would meet a resting one."""
        other = self._ladder(is_buy=not is_buy).best()
        return other is not None and _reaches(price, other, is_buy=is_buy)

    def available(
        self,
        account: str,
        *,
        is_buy: bool,
        limit: Decimal | None,
        enough: Decimal,
        allowance: Callable[[Resting], Decimal],
    ) -> Decimal:
        """What ``account`` could take at ``limit`` or better (None: any price) from others; stops at ``enough``.

        ``allowance``: as for ``take``, which would fill this much.
        """
        ladder = self._ladder(is_buy=not is_buy)
        found = ZERO
        left: dict[str, Decimal] = {}
        for price in ladder.best_first():
            if found >= enough or (limit is not None and not _reaches(limit, price, is_buy=is_buy)):
                break
            for order in ladder.queues[price].values():
                if order.account == account:
                    continue
                reducible = left.setdefault(order.account, allowance(order))
                fill = min(order.remaining, reducible) if order.reduce_only else order.remaining
                left[order.account] = max(reducible - fill, ZERO)
                found += fill
        return found

    def take(
        self,
        account: str,
        *,
        is_buy: bool,
        limit: Decimal | None,
        quantity: Decimal,
        allowance: Callable[[Resting], Decimal],
    ) -> Iterator[Match]:
        """Walk an arriving order through the other side, best price first, first in first out, changing the book.

        ``allowance`` says how much a resting reduce-only order may still fill; it is asked when the order is reached,
        after the caller has applied the matches before. Nothing rests at the end: that is the caller's to decide.
        """
        ladder = self._ladder(is_buy=not is_buy)
        while quantity > 0:
            price = ladder.best()
            if price is None or (limit is not None and not _reaches(limit, price, is_buy=is_buy)):
                return
            maker = next(iter(ladder.queues[price].values()))
            if maker.account == account:
                self.remove(maker.order_id)
                yield Match(maker, ZERO, MatchKind.SELF)
                continue
            fill = min(maker.remaining, quantity)
            if maker.reduce_only:
                fill = min(fill, allowance(maker))
                if fill <= 0:
                    self.remove(maker.order_id)
                    yield Match(maker, ZERO, MatchKind.REDUCE_ONLY)
                    continue
            ladder.reduce(maker, fill)
            if not maker.remaining:
                del self._resting[maker.order_id]
            quantity -= fill
            yield Match(maker, fill, MatchKind.FILL)

    def take_changes(self) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """The bid and ask levels that changed since the last call (quantity 0: gone)."""
        return self._bids.take_changes(), self._asks.take_changes()


def _reaches(limit: Decimal, price: Decimal, *, is_buy: bool) -> bool:
    return price <= limit if is_buy else price >= limit
