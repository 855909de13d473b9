"""Bybit v5's refusals: return codes and texts. They come with HTTP 200, but for those that say another status.

Source: "Error Codes" of the v5 documentation; texts as the venue really words them.
"""

from gateways.paper.records import Refused
from gateways.standards import RejectReason


class BybitError(Exception):
    """A refusal in the venue's own words: ``retCode`` and ``retMsg``."""

    def __init__(self, code: int, text: str, *, status: int = 200) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.status = status


def bad_parameter(text: str) -> BybitError:
    """A parameter that cannot be."""
    return BybitError(10001, f"params error: {text}")


def missing(name: str) -> BybitError:
    """A mandatory parameter is absent."""
    return bad_parameter(f"{name} is required")


def illegal_category() -> BybitError:
    """No such product."""
    return BybitError(10001, "Illegal category")


def unknown_symbol(symbol: str) -> BybitError:
    """No such contract."""
    return bad_parameter(f"symbol invalid {symbol}")


def not_offered(what: str) -> BybitError:
    """Something that the real venue has and this one has not."""
    return bad_parameter(f"{what} is not supported")


def bad_quantity() -> BybitError:
    """A quantity between the lots, or none."""
    return BybitError(10001, "Qty invalid")


def too_small(quantity: str, least: str) -> BybitError:
    """A quantity under the contract's least."""
    text = f"The number of contracts exceeds minimum limit allowed: too small, order_qty:{quantity} < min_qty:{least}"
    return BybitError(10001, text)


def too_large(quantity: str, most: str) -> BybitError:
    """A quantity over the contract's most."""
    text = f"The number of contracts exceeds maximum limit allowed: too large, order_qty:{quantity} > max_qty:{most}"
    return BybitError(10001, text)


def bad_price() -> BybitError:
    """A price between the ticks, or none."""
    return BybitError(10001, "Price invalid")


def no_route(path: str) -> BybitError:
    """No such endpoint."""
    return BybitError(10017, f"Route not found: {path}", status=404)


def no_order(to: str) -> BybitError:
    """An order that is not open, so that nothing can be done ``to`` it: cancel or replace."""
    return BybitError(110001, f"order not exists or too late to {to}")


def duplicate_link_id() -> BybitError:
    """An order, open or ended, bears the ``orderLinkId`` already."""
    return BybitError(110072, "OrderLinkedID is duplicate")


def too_many_visits() -> BybitError:
    """Over the account's limit for the endpoint."""
    return BybitError(10006, "Too many visits. Exceeded the API Rate Limit.")


def position_mode() -> BybitError:
    """A ``positionIdx`` of hedge mode."""
    return BybitError(10001, "position idx not match position mode")


def of_refused(refused: Refused, *, minimum: str = "5") -> BybitError:
    """The venue's error for a refusal of the exchange; ``minimum`` is the contract's least value, for its text."""
    if refused.reason is RejectReason.MIN_NOTIONAL:
        return BybitError(110094, f"Order does not meet minimum order value {minimum}USDT")
    return BybitError(*_BY_REASON.get(refused.reason, (110032, "Illegal order")))


_BY_REASON: dict[RejectReason, tuple[int, str]] = {
    RejectReason.LOT: (10001, "Qty invalid"),
    RejectReason.TICK: (10001, "Price invalid"),
    RejectReason.PRICE_BAND: (110003, "Order price is out of permissible range"),
    RejectReason.MARGIN: (110007, "ab not enough for new order"),
    RejectReason.REDUCE_ONLY: (110017, "current position is zero, cannot fix reduce-only order qty"),
    RejectReason.TOO_MANY_ORDERS: (110020, "Cannot have more than 500 active orders."),
    RejectReason.DUPLICATE_CLOID: (110072, "OrderLinkedID is duplicate"),
    RejectReason.HALTED: (110066, "No trading is allowed at the current time"),
    RejectReason.RATE_LIMIT: (10006, "Too many visits. Exceeded the API Rate Limit."),
    RejectReason.UNKNOWN_ORDER: (110001, "order not exists or too late to cancel"),
    RejectReason.BAD_REQUEST: (10001, "Request parameter error."),
}
