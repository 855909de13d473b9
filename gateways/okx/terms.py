"""The venue's words for states, kinds of order and endings, and what they are here.

Source: "Order channel" and "Get order details" of the v5 documentation. There is no state for an expired or refused
order: an IOC, FOK or post-only order that ends by its terms is ``canceled`` with a ``cancelSource``.
"""

from gateways.standards import OrderKind, OrderStatus, RejectReason, TimeInForce

STATES = {
    "live": OrderStatus.NEW,
    "partially_filled": OrderStatus.PARTIAL,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    # By market maker protection.
    "mmp_canceled": OrderStatus.CANCELLED,
}

_KINDS = {
    "limit": OrderKind.LIMIT,
    "post_only": OrderKind.LIMIT,
    "fok": OrderKind.LIMIT,
    "ioc": OrderKind.LIMIT,
    "rpi": OrderKind.LIMIT,
    "elp": OrderKind.LIMIT,
    "market": OrderKind.MARKET,
}

_TIMES_IN_FORCE = {
    "limit": TimeInForce.GTC,
    "post_only": TimeInForce.GTC,
    "rpi": TimeInForce.GTC,
    "elp": TimeInForce.GTC,
    "fok": TimeInForce.FOK,
    "ioc": TimeInForce.IOC,
    "optimal_limit_ioc": TimeInForce.IOC,
}

_POST_ONLY = frozenset({"post_only", "mmp_and_post_only", "rpi", "elp"})
"""Kinds that only ever add liquidity: beside the plain one those of market maker protection and of the retail price
improvement program (once "enhanced liquidity")."""

_VENUE_MADE = frozenset({"adl", "full_liquidation", "partial_liquidation", "delivery"})

_VENUE_MADE_BILLS = frozenset({*map(str, range(100, 108)), "112", "113", "125", "126", "127", "128"})
"""Bill sub-types of liquidation (100 to 107), delivery (112, 113) and auto-deleveraging (125 to 128)."""

_REASONS = {
    "2": RejectReason.MARGIN,
    "3": RejectReason.MARGIN,
    "9": RejectReason.MARGIN,
    "13": RejectReason.NO_LIQUIDITY,  # fill-or-kill, not filled whole
    "14": RejectReason.NO_LIQUIDITY,  # the rest of an immediate-or-cancel
    "15": RejectReason.PRICE_BAND,
    "17": RejectReason.REDUCE_ONLY,
    "22": RejectReason.REDUCE_ONLY,
    "23": RejectReason.REDUCE_ONLY,
    "27": RejectReason.PRICE_BAND,
    "31": RejectReason.POST_ONLY,
}


def kind_of(word: str) -> OrderKind | None:
    """Limit or market, None for kinds that we never send."""
    return _KINDS.get(word)


def tif_of(word: str) -> TimeInForce | None:
    """The time in force that a kind of order implies, None where it implies none (market)."""
    return _TIMES_IN_FORCE.get(word)


def is_post_only(word: str) -> bool:
    """Whether a kind of order only adds liquidity."""
    return word in _POST_ONLY


def is_venue_made(category: str | None) -> bool:
    """Whether the venue itself made the order: liquidation, auto-deleveraging, delivery."""
    return category in _VENUE_MADE


def is_venue_made_bill(sub_type: str | None) -> bool:
    """Whether an execution's bill is of an order that the venue made."""
    return sub_type in _VENUE_MADE_BILLS


def flag(value: str | bool | None) -> bool | None:  # noqa: FBT001 - a value of the wire, not a mode of this function
    """A yes or no, which the venue writes as a text; None where it does not say."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value or "")


def is_maker(word: str | None) -> bool | None:
    """Whether an execution added liquidity (``M``); None where the venue does not say."""
    return {"M": True, "T": False}.get(word or "")


def reason_of_end(state: str, source: str | None) -> RejectReason | None:
    """Why an order ended without our asking, where the venue says (``cancelSource``)."""
    return _REASONS.get(source or "") if state == "canceled" else None
