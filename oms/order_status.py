"""Where an order stands: which status may follow which, and what the evidence makes of what a venue says. Pure."""

from decimal import Decimal

from gateways.standards import OrderStatus

S = OrderStatus

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
    if said is S.FILLED and abs(filled) < abs(amount):
        # An answer that speaks of the part that traded at once. What is left rests, unless it could not.
        said = S.PARTIAL if rests else S.EXPIRED
    elif said is S.REJECTED and filled != 0:
        # The replacement of an amended order was refused, and what it replaced had traded: the rest is gone.
        said = S.CANCELLED
    if amount != 0 and abs(filled) >= abs(amount):
        said = S.FILLED
    elif filled != 0 and said in {None, S.NEW}:
        said = S.PARTIAL
    if said is None or said not in TRANSITIONS[status]:
        return status
    return said
