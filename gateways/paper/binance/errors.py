"""Binance USD-M's refusals: codes, texts and HTTP statuses.

Source: the venue's "Error Codes" page of USD-M futures; texts as the venue really words them.
"""

from gateways.paper.records import Refused
from gateways.standards import RejectReason


class BinanceError(Exception):
    """A refusal in the venue's own words, written as ``{"code": code, "msg": msg}`` with HTTP ``status``.

    ``retry_after`` is in seconds, for the refusals of the rate limits.
    """

    def __init__(self, code: int, msg: str, *, status: int = 400, retry_after: int | None = None) -> None:
        super().__init__(f"{code} {msg}")
        self.code = code
        self.msg = msg
        self.status = status
        self.retry_after = retry_after

    @property
    def body(self) -> dict[str, object]:
        """The error as the venue's JSON object."""
        return {"code": self.code, "msg": self.msg}


def invalid_path(method: str, path: str) -> BinanceError:
    """No such route."""
    readable = path.encode("utf-8", "replace").decode()
    return BinanceError(-5000, f"Path {readable}, Method {method} is invalid", status=404)


def missing(name: str) -> BinanceError:
    """A mandatory parameter is absent, empty or malformed."""
    return BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def not_valid(name: str) -> BinanceError:
    """A parameter's value is not one of those allowed."""
    return BinanceError(-1130, f"Data sent for parameter '{name}' is not valid.")


def not_required(name: str) -> BinanceError:
    """A parameter that this kind of request must not have."""
    return BinanceError(-1106, f"Parameter '{name}' sent when not required.")


def illegal_characters(name: str, legal: str) -> BinanceError:
    """A parameter that does not match the pattern ``legal``."""
    return BinanceError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def too_precise() -> BinanceError:
    """More decimals than the contract's precision."""
    return BinanceError(-1111, "Precision is over the maximum defined for this asset.")


def unknown_symbol() -> BinanceError:
    """No such contract."""
    return BinanceError(-1121, "Invalid symbol.")


def no_listen_key() -> BinanceError:
    """The account has no living listen key."""
    return BinanceError(
        -1125, "This listenKey does not exist. Please use `POST /fapi/v1/listenKey` to recreate `listenKey`."
    )


def unsupported(what: str) -> BinanceError:
    """A setting of the real venue that this one does not have."""
    return BinanceError(-1020, f"This operation is not supported: {what}.")


def unknown_order_query() -> BinanceError:
    """A query or an amend of an order that does not exist."""
    return BinanceError(-2013, "Order does not exist.")


def unknown_order_cancel() -> BinanceError:
    """A cancel of an order that is not open."""
    return BinanceError(-2011, "Unknown order sent.")


def duplicate_client_id() -> BinanceError:
    """Another open order bears the client id."""
    return BinanceError(-4116, "ClientOrderId is duplicated.")


def post_only_would_take() -> BinanceError:
    """A GTX order that would have matched at once; no order exists."""
    return BinanceError(
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected. "
        "The order will not be recorded in the order history",
    )


def fok_not_filled() -> BinanceError:
    """A FOK order that could not be filled in full; no order exists."""
    return BinanceError(
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected. "
        "The order will not be recorded in the order history",
    )


def min_notional(notional: str) -> BinanceError:
    """Price times quantity is under the contract's minimum."""
    return BinanceError(-4164, f"Order's notional must be no smaller than {notional} (unless you choose reduce only).")


def of_refused(refused: Refused, *, minimum: str = "5") -> BinanceError:
    """The venue's error for a refusal of the exchange; ``minimum`` is the contract's minimum notional, for its text."""
    if refused.reason is RejectReason.MIN_NOTIONAL:
        return min_notional(minimum)
    if refused.reason is RejectReason.PRICE_BAND:
        return BinanceError(-4024 if "lower" in refused.text else -4016, refused.text)
    if refused.reason is RejectReason.DUPLICATE_CLOID:
        return duplicate_client_id()
    if refused.reason is RejectReason.POST_ONLY:
        return post_only_would_take()
    if refused.reason is RejectReason.UNKNOWN_ORDER:
        return unknown_order_query()
    return BinanceError(*_BY_REASON.get(refused.reason, (-2010, "NEW_ORDER_REJECTED")))


_BY_REASON: dict[RejectReason, tuple[int, str]] = {
    RejectReason.LOT: (-4023, "Qty not increased by step size."),
    RejectReason.TICK: (-4014, "Price not increased by tick size."),
    RejectReason.MARGIN: (-2019, "Margin is insufficient."),
    RejectReason.REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
    RejectReason.HALTED: (-4140, "Invalid symbol status for opening position."),
    RejectReason.NO_LIQUIDITY: (-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit."),
    RejectReason.TOO_MANY_ORDERS: (-2025, "Reach max open order limit."),
    RejectReason.BAD_REQUEST: (-1130, "Invalid data sent for a parameter."),
}
