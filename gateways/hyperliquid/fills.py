"""What the fills of an order prove of it. Pure: the venue's answer about an open order does not count its fills."""

from collections.abc import Iterable

import msgspec

from gateways.standards import ZERO, FillEvent, OrderStatus, OrderUpdate, TimeInForce

ENDED_AS_STATED = frozenset({OrderStatus.FILLED, OrderStatus.REJECTED, OrderStatus.EXPIRED})
"""Statuses whose filled size the answer states for good."""


def with_fills(order: OrderUpdate, fills: Iterable[FillEvent]) -> OrderUpdate:
    """``order`` with what its fills prove: the filled size, the average price, and the status that follows.

    ``fills``: those since the order was created, of any order. A size that the venue states larger than its fills
    stands. An IOC order that the venue calls filled, though its fills are fewer, has lost the rest.
    """
    own = [fill for fill in fills if fill.oid == order.oid and fill.ticker == order.ticker]
    filled = sum((fill.amount for fill in own), ZERO)
    stated = order.filled if order.filled is not None else ZERO
    if order.amount is None or not filled or abs(filled) < abs(stated):
        return order
    status = order.status
    if abs(filled) >= abs(order.amount):
        status = OrderStatus.FILLED
    elif status is OrderStatus.NEW:
        status = OrderStatus.PARTIAL
    elif status is None and order.label == "filled" and order.tif is TimeInForce.IOC:
        status = OrderStatus.EXPIRED
    average = sum((fill.amount * fill.price for fill in own), ZERO) / filled
    return msgspec.structs.replace(order, filled=filled, average_price=average, status=status)
