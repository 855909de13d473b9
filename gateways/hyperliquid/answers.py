"""What Hyperliquid's exchange endpoint answers: one outcome for each order, cancel or change of a request.

HTTP 200 and ``"status": "ok"`` say only that the request was read: each item has its own fate. An answer names neither
the contract nor the side, so an ``OrderUpdate`` is made of an outcome and the order that was sent.
Source: the "Exchange endpoint" page of its API documentation.
"""

from decimal import Decimal
from typing import Any

import msgspec

from gateways.errors import DecodeError, RateLimited, Rejected, Unknown, VenueError
from gateways.hyperliquid.translate import base_quantity, unit_price
from gateways.hyperliquid.vocabulary import refusal
from gateways.hyperliquid.wire import field_of, number, size
from gateways.standards import (
    Ack,
    AmendOrder,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    PlaceOrder,
    Reject,
    RejectReason,
    TimeInForce,
)

RATE_LIMIT_PAUSE_S = 10.0
"""An address whose requests are used up may still send one in ten seconds ("Rate limits and user limits" page)."""


class Resting(msgspec.Struct):
    """The order is on the book; part of it may have been filled on its way there."""

    oid: int | str


class Filled(msgspec.Struct, rename="camel"):
    """The order was matched: ``total_sz`` of it, which for an IOC may be less than all, at ``avg_px`` on average."""

    total_sz: Decimal
    avg_px: Decimal
    oid: int | str


class Outcome(msgspec.Struct):
    """What became of one item: exactly one field is set, or none for a plain success."""

    resting: Resting | None = None
    filled: Filled | None = None
    error: str | None = None


class RefusedWhole(Outcome):
    """The request was refused as a whole, before any of its items was looked at."""


def outcomes(body: Any, venue: str) -> list[Outcome]:
    """The outcome of each item of an exchange answer (parsed JSON, or the data in it).

    A refusal of the whole request is one outcome with an error, however many items there were. Raises DecodeError.
    """
    if not isinstance(body, dict):
        raise DecodeError(venue, "response", f"an object was expected, not {type(body).__name__}")
    status = body.get("status")
    if status == "err":
        return [RefusedWhole(error=str(body.get("response")))]
    response = body.get("response") if status == "ok" else body
    if not isinstance(response, dict):
        raise DecodeError(venue, "response", f"an object was expected, not {type(response).__name__}")
    data = response.get("data", response)
    if isinstance(data, dict) and "statuses" in data:
        items = data["statuses"]
        if not isinstance(items, list):
            raise DecodeError(venue, "statuses", "a list was expected")
        return [_outcome(item, venue, place) for place, item in enumerate(items)]
    if status != "ok":
        raise DecodeError(venue, "status", f"neither ok nor err: {status!r}")
    return [Outcome()]


def _outcome(item: Any, venue: str, place: int) -> Outcome:
    if isinstance(item, str):  # "success", "waitingForFill", "waitingForTrigger"
        return Outcome()
    try:
        return msgspec.convert(item, Outcome, strict=False)
    except msgspec.ValidationError as error:
        raise DecodeError(venue, f"statuses.{place}.{field_of(error)}", str(error)) from error


def reject(venue: str, text: str, request_id: str | None = None, *, whole: bool = True) -> Reject:
    """A refusal's text as the standard event. ``whole``: of a request, not of one of its items."""
    code, reason, definite = refusal(text, whole=whole)
    return Reject(venue=venue, code=code, text=text, reason=reason, definite=definite, request_id=request_id)


def refused(venue: str, text: str, *, whole: bool = False, retry_after_s: float | None = None) -> VenueError:
    """A refusal's text as what is raised: Rejected, RateLimited, or Unknown where it proves nothing."""
    code, reason, definite = refusal(text, whole=whole)
    if not definite:
        return Unknown(venue, text)
    if reason is RejectReason.RATE_LIMIT:
        wait = RATE_LIMIT_PAUSE_S if retry_after_s is None else retry_after_s
        return RateLimited(venue, text, code=code, retry_after=wait)
    return Rejected(venue, text, code=code, reason=reason)


def acks(body: Any, venue: str, request_id: str | None = None) -> list[Ack | Reject]:
    """An exchange answer as standard events, one for each item; for who knows not what was asked."""
    return [
        Ack(venue=venue, request_id=request_id)
        if item.error is None
        else reject(venue, item.error, request_id, whole=isinstance(item, RefusedWhole))
        for item in outcomes(body, venue)
    ]


def placed(outcome: Outcome, order: PlaceOrder, venue: str) -> OrderUpdate:
    """What an outcome without an error says of the order that was sent."""
    return _acknowledged(outcome, order, order.amount, venue)


def amended(outcome: Outcome, order: AmendOrder, venue: str) -> OrderUpdate:
    """What an outcome without an error says of a changed order: it is a new one, for what was not filled before."""
    return _acknowledged(outcome, order, order.amount - order.filled, venue)


def _acknowledged(outcome: Outcome, order: PlaceOrder | AmendOrder, amount: Decimal, venue: str) -> OrderUpdate:
    kind = order.kind if isinstance(order, PlaceOrder) else OrderKind.LIMIT
    tif = TimeInForce.IOC if kind is OrderKind.MARKET else order.tif
    oid = None
    status: OrderStatus | None = OrderStatus.NEW
    filled = average = None
    if outcome.resting is not None:
        oid = str(outcome.resting.oid)
    elif outcome.filled is not None:
        oid = str(outcome.filled.oid)
        done = base_quantity(order.ticker, size(outcome.filled.total_sz, "totalSz", venue))
        average = unit_price(order.ticker, number(outcome.filled.avg_px, "avgPx", venue))
        filled = done if amount >= 0 else -done
        if done >= abs(amount):
            status = OrderStatus.FILLED
        else:  # the rest of an IOC order is gone; why another should end short only the stream says
            status = OrderStatus.CANCELLED if tif is TimeInForce.IOC else None
    return OrderUpdate(
        venue=venue,
        ticker=order.ticker,
        oid=oid,
        cloid=order.cloid,
        status=status,
        amount=amount,
        price=order.price,
        filled=filled,
        average_price=average,
        kind=kind,
        tif=tif,
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        label="resting" if outcome.resting is not None else "filled" if outcome.filled is not None else "accepted",
    )
