"""What the answer to a batch says of each of its items. Pure.

Sources: "Place Multiple Orders" and "Cancel Multiple Orders". The answer is a list in the order of the items: an order,
or ``{"code", "msg"}`` of an item that was refused. An order under another id than its item's would mean that the two
lists do not line up: then the whole answer says nothing.
"""

from collections.abc import Sequence
from typing import Any

from gateways.binance import bodies
from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.standards import CancelOrder, OrderUpdate, PlaceOrder, Reject


def outcomes(
    body: bodies.Body, items: Sequence[PlaceOrder | CancelOrder], contracts: Contracts
) -> list[OrderUpdate | Reject]:
    """What became of each item. Raises DecodeError for what is no answer to these."""
    venue = contracts.venue
    rows = bodies.parse(body, venue)
    if not isinstance(rows, list) or len(rows) != len(items):
        raise DecodeError(venue, "batch", f"expected a list of {len(items)}")
    return [_outcome(row, item, contracts) for row, item in zip(rows, items, strict=True)]


def _outcome(row: Any, item: PlaceOrder | CancelOrder, contracts: Contracts) -> OrderUpdate | Reject:
    venue = contracts.venue
    if isinstance(row, dict) and "code" in row and "orderId" not in row:
        return bodies.error(row, venue)
    update = bodies.order(row, contracts)
    oid = item.oid if isinstance(item, CancelOrder) else None
    if (update.oid != oid) if oid else (update.cloid != item.cloid):
        raise DecodeError(venue, "batch", f"{update.oid} is not the order that was asked for in its place")
    return update
