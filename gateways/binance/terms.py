"""The venue's words for statuses, times in force and kinds of order, and what they are here."""

from decimal import Decimal

from gateways.standards import OrderKind, OrderStatus, RejectReason, TimeInForce

STATUSES = {
    "NEW": OrderStatus.NEW,
    "PARTIALLY_FILLED": OrderStatus.PARTIAL,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELLED,
    "PENDING_CANCEL": OrderStatus.CANCEL_PENDING,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
    # Self-trade prevention ended it.
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}

TIMES_IN_FORCE = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    # Good till crossing: post-only, which here is a flag beside GTC.
    "GTX": TimeInForce.GTC,
    # Retail price improvement: post-only too, hidden from the API's book.
    "RPI": TimeInForce.GTC,
}
"""Those with one of ours: not GTD and GTE_GTC."""

POST_ONLY = frozenset({"GTX", "RPI"})
"""The times in force that make an order post-only."""

KINDS = {"LIMIT": OrderKind.LIMIT, "MARKET": OrderKind.MARKET}
"""Not the venue's conditional and liquidation kinds."""

_VENUE_MADE_STATUSES = frozenset({"NEW_INSURANCE", "NEW_ADL"})
_VENUE_MADE_IDS = ("autoclose-", "adl_autoclose", "settlement_", "delivery_")


def status_of(word: str, filled: Decimal, quantity: Decimal) -> OrderStatus | None:
    """The status, None for a word that is not documented.

    The venue's own liquidation and deleveraging orders carry NEW_INSURANCE or NEW_ADL however much of them is filled.
    """
    if word in _VENUE_MADE_STATUSES:
        if filled >= quantity:
            return OrderStatus.FILLED
        return OrderStatus.PARTIAL if filled else OrderStatus.NEW
    return STATUSES.get(word)


def is_venue_made(client_id: str | None, status: str, execution: str, kind: str) -> bool:
    """Whether the venue itself made the order: liquidation, auto-deleveraging, settlement, delivery."""
    if client_id is not None and client_id.startswith(_VENUE_MADE_IDS):
        return True
    return status in _VENUE_MADE_STATUSES or execution == "CALCULATED" or kind == "LIQUIDATION"


def reason_of_end(status: str, tif: str, kind: str) -> RejectReason | None:
    """Why an order ended without our asking, where the venue's words tell."""
    if status != "EXPIRED":
        return None
    if tif in POST_ONLY:
        return RejectReason.POST_ONLY
    if tif in {"IOC", "FOK"} or kind == "MARKET":
        return RejectReason.NO_LIQUIDITY
    return None
