"""The venue's words as data: statuses, times in force, kinds, why an order ended, who made it.

Source: "Enums Definitions" of the v5 documentation, and "Order" of its private streams.
"""

from gateways.standards import OrderKind, OrderStatus, RejectReason, TimeInForce

STATUSES = {
    "New": OrderStatus.NEW,
    "PartiallyFilled": OrderStatus.PARTIAL,
    "Filled": OrderStatus.FILLED,
    # In derivatives it may have executed in part before.
    "Cancelled": OrderStatus.CANCELLED,
    "PartiallyFilledCanceled": OrderStatus.CANCELLED,
    "Deactivated": OrderStatus.CANCELLED,
    "Rejected": OrderStatus.REJECTED,
    # Conditional orders, which we never send: the venue has them, they can become orders on the book.
    "Untriggered": OrderStatus.NEW,
    "Triggered": OrderStatus.NEW,
}

_TIMES_IN_FORCE = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    # Post-only, which here is a flag beside GTC.
    "PostOnly": TimeInForce.GTC,
    # Retail price improvement: post-only too, hidden from the API's book.
    "RPI": TimeInForce.GTC,
}

_KINDS = {"Limit": OrderKind.LIMIT, "Market": OrderKind.MARKET}

_REJECT_REASONS = {
    "EC_PostOnlyWillTakeLiquidity": RejectReason.POST_ONLY,
    "EC_MarketOrderCannotBePostOnly": RejectReason.POST_ONLY,
    "EC_NoImmediateQtyToFill": RejectReason.NO_LIQUIDITY,
    "EC_NoEnoughQtyToFill": RejectReason.NO_LIQUIDITY,
    "EC_CancelForNoFullFill": RejectReason.NO_LIQUIDITY,
    "EC_ReachRiskPriceLimit": RejectReason.PRICE_BAND,
    "EC_ReachMarketPriceLimit": RejectReason.PRICE_BAND,
    "EC_DuplicatedClOrdID": RejectReason.DUPLICATE_CLOID,
    "EC_InvalidSymbolStatus": RejectReason.HALTED,
    "EC_SecurityStatusFail": RejectReason.HALTED,
    "EC_InCallAuctionStatus": RejectReason.HALTED,
    "EC_LimitOrderInvalidPrice": RejectReason.TICK,
    "EC_InvalidPriceScale": RejectReason.TICK,
    "EC_QtyCannotBeZero": RejectReason.LOT,
    "EC_EcInvalidQty": RejectReason.LOT,
    "EC_UnknownOrderType": RejectReason.BAD_REQUEST,
    "EC_UnknownSide": RejectReason.BAD_REQUEST,
    "EC_UnknownTimeInForce": RejectReason.BAD_REQUEST,
    "EC_MarketOrderNoSupportTIF": RejectReason.BAD_REQUEST,
}

_CANCEL_REASONS = {
    "CancelByReduceOnly": RejectReason.REDUCE_ONLY,
    "CancelByCannotAffordOrderCost": RejectReason.MARGIN,
    "CancelByPrepareLiq": RejectReason.MARGIN,
    "CancelAllBeforeLiq": RejectReason.MARGIN,
    "CancelBySettle": RejectReason.HALTED,
    "CancelByDelivery": RejectReason.HALTED,
}

_SAYS_NOTHING = frozenset({"", "UNKNOWN", "EC_NoError"})

_VENUE_MADE = frozenset(
    {
        "CreateByAdminClosing",
        "CreateBySettle",
        "CreateByLiq",
        "CreateByTakeOver_PassThrough",
        "CreateByAdl_PassThrough",
        "CreateByMmRateClose",
    }
)

FILLS = frozenset({"Trade", "AdlTrade", "BustTrade", "BlockTrade"})
"""Kinds of execution that fill an order. Funding, settlement, delivery and moved positions fill none: what they do to a
position comes by the position stream."""

_FORCED_FILLS = frozenset({"AdlTrade", "BustTrade"})


def status_of(word: str) -> OrderStatus | None:
    """The status, None for a word that is not documented."""
    return STATUSES.get(word)


def tif_of(word: str | None) -> TimeInForce | None:
    """The time in force, None for a word that is not documented."""
    return _TIMES_IN_FORCE.get(word or "")


def kind_of(word: str) -> OrderKind | None:
    """Limit or market, None for ``UNKNOWN``."""
    return _KINDS.get(word)


def is_post_only(tif: str | None) -> bool:
    """Whether the time in force makes the order post-only; RPI orders are."""
    return tif in {"PostOnly", "RPI"}


def is_venue_made(create_type: str | None, exec_type: str = "") -> bool:
    """Whether the venue itself made the order: liquidation, auto-deleveraging, settlement."""
    return create_type in _VENUE_MADE or exec_type in _FORCED_FILLS


def label_of(status: str, reject_reason: str | None, cancel_type: str | None) -> str:
    """The venue's own words for the event: ``Cancelled EC_PostOnlyWillTakeLiquidity``."""
    said = [word for word in (reject_reason or "", cancel_type or "") if word not in _SAYS_NOTHING]
    return " ".join([status, *said])


def reason_of_end(status: str, reject_reason: str | None, cancel_type: str | None) -> RejectReason | None:
    """Why an order ended without our asking, where the venue's words tell.

    Of a filled order they tell nothing: a cancel that raced with the last fill repeats ``Filled`` with the rejection of
    the *cancel* beside it ("Order" of the private streams).
    """
    if status not in {"Cancelled", "Rejected", "Deactivated", "PartiallyFilledCanceled"}:
        return None
    known = _REJECT_REASONS.get(reject_reason or "") or _CANCEL_REASONS.get(cancel_type or "")
    return known or (RejectReason.OTHER if status == "Rejected" else None)
