"""What becomes of a request that has left the desk: the fates of P1, P4 and P6 of the fault matrix."""

from decimal import Decimal

import msgspec

from gateways.errors import NotFound, RateLimited, Rejected, Unavailable, Unknown
from gateways.standards import ZERO, OrderKind, OrderStatus, RejectReason, TimeInForce

ACCEPTED = ("accepted", "filled", "quiet", "mute")
FATES = (*ACCEPTED, "accepted", "filled", "refused", "refused", "vanished", "unsent", "limbo", "limbo")
"""What becomes of an order's request: taken with an answer, taken and filled, taken with the answer lost, taken with
no answer at all, refused, refused with the answer lost, never sent, no answer now and maybe taken later."""


def place_meets(desk, venue, parcel, fate, *, reason=RejectReason.OTHER, share=10):
    """Let an order's request meet its fate. ``share``, in tenths, is what fills where it fills at once."""
    if fate in ACCEPTED and venue.expired(parcel):
        fate = "vanished"
    if fate == "limbo":
        parcel.reply(Unknown(venue.alias, "no answer"))
        if venue.expired(parcel):
            venue.door.remove(parcel)
        return
    venue.door.remove(parcel)
    if fate in ACCEPTED:
        _accepted(desk, venue, parcel, fate, share=share)
    elif fate == "refused":
        refusal = Rejected(venue.alias, "refused", reason=reason)
        if reason is RejectReason.RATE_LIMIT:
            refusal = RateLimited(venue.alias, "too many", retry_after=1.0)
        parcel.reply(refusal)
    elif fate == "vanished":
        parcel.reply(Unknown(venue.alias, "cut"))
    else:
        parcel.reply(Unavailable(venue.alias, "no connection"))


def cancel_meets(desk, venue, parcel, fate, *, share=10):
    """Let a cancel's request meet its fate; refused where the order is not open.

    With some ``share`` the order trades once more before the cancel, and its end is told without that.
    """
    venue.door.remove(parcel)
    real = venue.orders.get(parcel.request.cloid)
    open_still = real is not None and real.rest != 0
    if fate in ACCEPTED and open_still:
        venue.end(real, OrderStatus.CANCELLED, unsaid=unsaid_of(real, share))
        if fate in {"accepted", "filled"}:
            answer = venue.update(real) if fate == "filled" else None
            if parcel.reply(answer) and answer is not None:
                desk._told(venue.alias, answer)
        elif fate == "quiet":
            parcel.reply(Unknown(venue.alias, "the answer was lost"))
    elif fate in ACCEPTED or fate == "refused":
        parcel.reply(Rejected(venue.alias, "not open: filled", reason=RejectReason.UNKNOWN_ORDER))
    elif fate == "unsent":
        parcel.reply(Unavailable(venue.alias, "no connection"))
    elif fate == "vanished":
        parcel.reply(NotFound(venue.alias, "no such order"))
    else:
        parcel.reply(Unknown(venue.alias, "no answer"))


def amend_meets(desk, venue, parcel, fate):
    """Let an amend's request meet its fate: in place, or by cancel and replace under a new venue order id."""
    venue.door.remove(parcel)
    request = parcel.request
    real = venue.orders.get(request.cloid)
    open_still = real is not None and real.rest != 0 and real.now.oid == request.oid
    earlier = real.filled - real.now.filled if open_still and fate == "accepted" else request.filled
    amount = request.amount - earlier
    # A total under what had filled, of which the desk did not know all, is no size for an order.
    if fate in ACCEPTED and open_still and amount * request.amount > 0:
        change = venue.resize if fate == "accepted" else venue.replace
        change(real, amount, request.price)
        answer = venue.update(real)
        if fate in {"accepted", "filled"}:
            if parcel.reply(answer):
                desk._told(venue.alias, answer)
        else:
            parcel.reply(Unknown(venue.alias, "the answer was lost"))
    elif fate in {"vanished", "limbo"}:
        parcel.reply(Unknown(venue.alias, "no answer"))
    else:
        parcel.reply(Rejected(venue.alias, "not amended"))


def _accepted(desk, venue, parcel, fate, *, share):
    real = venue.accept(parcel.request)
    if fate == "filled":
        amount = part_of(real.rest, share)
        venue.fill(real, real.now, amount)
        if immediate(parcel.request) and real.now.ended is None:
            venue.end(real, OrderStatus.EXPIRED)
    answer = venue.update(real)
    if share % 3 == 0:
        answer = msgspec.structs.replace(answer, filled=None, status=OrderStatus.NEW, amount=None)
    if fate == "quiet":
        parcel.reply(Unknown(venue.alias, "the answer was lost"))
    elif fate != "mute" and parcel.reply(answer):
        desk._told(venue.alias, answer)


def part_of(rest, share):
    """``share`` tenths of what is left, on a fine step; all of it where that is nothing."""
    part = (rest * share / 10).quantize(Decimal("0.01"))
    return rest if share == 10 or part == ZERO else part


def unsaid_of(real, share):
    """What an order fills last without its end saying so: with some shares a part of the rest, else nothing."""
    part = part_of(real.rest, share)
    return part if share % 3 == 1 and abs(part) < abs(real.rest) else ZERO


def immediate(order):
    """Whether an order takes what there is and rests not."""
    return order.kind is OrderKind.MARKET or order.tif is TimeInForce.IOC
