"""What the answer to a batch says of each of its items. Pure.

Sources: "Place multiple orders" and "Cancel multiple orders". ``data`` holds a receipt for each item, in their order,
with a code of its own (``sCode``); the outer code says only whether all or some failed. A receipt that names another
order than its item's would mean that the two lists do not line up: then the whole answer says nothing.
"""

from collections.abc import Sequence
from typing import Any

from gateways.errors import DecodeError
from gateways.okx import bodies, units, wire
from gateways.standards import CancelOrder, PlaceOrder, Reject

TAKEN = "0"


def outcomes(body: bodies.Body, items: Sequence[PlaceOrder | CancelOrder], venue: str) -> list[wire.Receipt | Reject]:
    """What became of each item; one Reject alone where the request was refused as a whole.

    Raises DecodeError for what is no answer to these items.
    """
    raw = bodies.parse(body, venue)
    code = bodies.code_of(raw, venue)
    rows = raw.get("data")
    if code != TAKEN and not rows:
        return [each for each in bodies.outcome(raw, venue) if isinstance(each, Reject)]
    if not isinstance(rows, list) or len(rows) != len(items):
        raise DecodeError(venue, "data", f"expected {len(items)} items")
    return [_outcome(row, item, code, venue) for row, item in zip(rows, items, strict=True)]


def _outcome(row: Any, item: PlaceOrder | CancelOrder, code: str, venue: str) -> wire.Receipt | Reject:
    receipt = bodies.receipt(row, venue)
    oid = item.oid if isinstance(item, CancelOrder) else None
    named, wanted = (receipt.ord_id, oid) if oid else (receipt.cl_ord_id, item.cloid)
    if named and named != wanted:
        raise DecodeError(venue, "data", f"{named} is not the order that was asked for in its place")
    units.nanoseconds(receipt.ts, venue, "ts")
    if (receipt.s_code or code) == TAKEN:
        return receipt
    (refused,) = (each for each in bodies.outcome({"code": code, "data": [row]}, venue) if isinstance(each, Reject))
    return refused
