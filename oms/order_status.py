"""Where an order stands: which status may follow which, and what the evidence makes of what a venue says. Pure."""

from decimal import Decimal

from gateways.standards import OrderStatus

S = OrderStatus
_NEW, _PARTIAL, _FILLED, _REJECTED = S.NEW, S.PARTIAL, S.FILLED, S.REJECTED
# Named here since a member looked up on its class is a call (Python 3.11), and this runs for every update.

TRANSITIONS: dict[OrderStatus, dict[OrderStatus, str]] = {
    S.PENDING: {
        S.NEW: "",
        S.PARTIAL: "a fill came before the acknowledgement",
        S.FILLED: "a fill came before the acknowledgement",
        S.CANCELLED: "",
        S.REJECTED: "",
        S.EXPIRED: "",
        S.UNKNOWN: "no answer to the request",
    },
    S.NEW: {
        S.PARTIAL: "",
        S.FILLED: "",
        S.CANCELLED: "",
        S.EXPIRED: "",
        S.REJECTED: "venues that acknowledge before they check reject by the stream",
    },
    S.PARTIAL: {S.FILLED: "", S.CANCELLED: "", S.EXPIRED: ""},
    S.CANCEL_PENDING: {S.FILLED: "filled before the cancel arrived", S.CANCELLED: "", S.EXPIRED: "", S.REJECTED: ""},
    S.UNKNOWN: {status: "seen" for status in S if status not in {S.PENDING, S.UNKNOWN, S.CANCEL_PENDING}},
    S.REJECTED: dict.fromkeys((S.NEW, S.PARTIAL, S.FILLED, S.CANCELLED, S.EXPIRED), "evidence of life beats a refusal"),
    S.CANCELLED: {S.FILLED: "late fills completed it"},
    S.EXPIRED: {S.FILLED: "late fills completed it"},
    S.FILLED: {},
}
"""Which status may follow which by a venue's word, with the reason beside each odd row. Any other word is stale."""


def next_status(
    status: OrderStatus, said: OrderStatus | None, filled: Decimal, amount: Decimal, *, rests: bool
) -> OrderStatus:
    """Where the order stands after a venue said ``said`` (None: nothing that we understand) and these sizes hold.

    ``rests``: whether what is left of it may stay on the book.
    """
    whole = abs(filled) >= abs(amount)
    if said is _FILLED and not whole:
        # An answer that speaks of the part that traded at once. What is left rests, unless it could not.
        said = _PARTIAL if rests else S.EXPIRED
    elif said is _REJECTED and filled:
        # The replacement of an amended order was refused, and what it replaced had traded: the rest is gone.
        said = S.CANCELLED
    if whole and amount:
        said = _FILLED
    elif filled and (said is None or said is _NEW):
        said = _PARTIAL
    if said is None or said not in TRANSITIONS[status]:
        return status
    return said
