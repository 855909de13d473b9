"""What the fills of the accounts add up to: fees and profits of orders and of positions, gathered as they happen.

The exchange keeps orders and fills; the venue's rows say besides what an order's fills cost and closed, what was left
of it after each, and what a position earned over its life.
"""

from collections import deque
from decimal import Decimal
from typing import TypeVar

import msgspec

from gateways.paper.bybit.records import Execution, execution_beside
from gateways.paper.records import PaperFill, PaperOrder
from gateways.standards import ZERO

KEPT = 100_000
"""Orders and fills remembered, as many as the exchange remembers of an account."""
RECENT_ENDED = 500
"""How many of the last ended orders the query of open ones knows."""

K = TypeVar("K")
V = TypeVar("V")


class OrderSum(msgspec.Struct, frozen=True):
    """What an order's fills so far cost and earned, in the quote asset."""

    fee: Decimal = ZERO
    closed: Decimal = ZERO
    """Profit of what they closed, before fees."""
    filled: Decimal = ZERO


class PositionSum(msgspec.Struct, frozen=True):
    """What a position earned over its life."""

    realised: Decimal = ZERO
    """Profit with the fees taken off."""
    updated_ns: int = 0
    seq: int = 0


class Ledger:
    """The sums of all accounts."""

    def __init__(self) -> None:
        self._orders: dict[int, OrderSum] = {}
        self._positions: dict[tuple[str, str], PositionSum] = {}
        self._executions: dict[tuple[str, int], Execution] = {}
        self._ended: dict[str, deque[tuple[int, str]]] = {}

    def add(self, fill: PaperFill, order: PaperOrder, mark: Decimal) -> None:
        """Take in a fill of ``order``, in the order in which they happen."""
        before = self.order(fill.order_id)
        after = OrderSum(before.fee + fill.fee, before.closed + fill.realised, before.filled + fill.quantity)
        _put(self._orders, fill.order_id, after)
        left = max(order.quantity - after.filled, ZERO)
        _put(self._executions, (fill.account, fill.trade_id), execution_beside(order, left, mark))
        held = self.position(fill.account, fill.ticker)
        self._positions[fill.account, fill.ticker] = PositionSum(
            held.realised + fill.realised - fill.fee, max(held.updated_ns, fill.ts_ns), max(held.seq, fill.trade_id)
        )

    def order(self, order_id: int) -> OrderSum:
        """The sums of one order."""
        return self._orders.get(order_id, OrderSum())

    def execution(self, fill: PaperFill, order: PaperOrder | None, mark: Decimal) -> Execution:
        """What there was beside a fill; of one that is not taken in yet or is forgotten, what there is now."""
        found = self._executions.get((fill.account, fill.trade_id))
        if found is not None:
            return found
        if order is None:
            return Execution(ZERO, mark, fill.quantity, fill.price, is_market=False)
        return execution_beside(order, max(order.remaining, ZERO), mark)

    def ended(self, order: PaperOrder) -> None:
        """Take in that an order ended."""
        recent = self._ended.setdefault(order.account, deque(maxlen=RECENT_ENDED))
        if (order.order_id, order.ticker) not in recent:
            recent.append((order.order_id, order.ticker))

    def recent(self, account: str) -> list[tuple[int, str]]:
        """The numbers and contracts of an account's last ended orders, the last one first."""
        return list(reversed(self._ended.get(account, ())))

    def position(self, account: str, ticker: str) -> PositionSum:
        """The sums of one position."""
        return self._positions.get((account, ticker), PositionSum())

    def realised(self, account: str) -> Decimal:
        """The profit of all positions of an account, fees taken off."""
        return sum((held.realised for (owner, _), held in self._positions.items() if owner == account), ZERO)


def _put(kept: dict[K, V], key: K, value: V) -> None:
    kept[key] = value
    if len(kept) > KEPT:
        del kept[next(iter(kept))]
