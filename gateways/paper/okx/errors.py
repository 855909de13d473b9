"""OKX v5's refusals: codes, texts and HTTP statuses.

Source: the venue's "Error Code" page; texts as clients report them. A refusal of one order is told as that item's
``sCode`` and ``sMsg``; a refusal of a whole request as ``code`` and ``msg``.
"""

from gateways.paper.records import Refused
from gateways.standards import RejectReason

ALL_FAILED = "All operations failed"
SOME_FAILED = "Bulk operation partially succeeded."


class OkxError(Exception):
    """A refusal in the venue's own words. ``status`` is of HTTP, where the whole request is refused."""

    def __init__(self, code: str, msg: str, *, status: int = 200) -> None:
        super().__init__(f"{code} {msg}")
        self.code = code
        self.msg = msg
        self.status = status

    @property
    def body(self) -> dict[str, object]:
        """The error as the venue's JSON object."""
        return {"code": self.code, "msg": self.msg, "data": []}


class TooMany(OkxError):
    """Over a rate limit: the whole request is refused, whichever way it came."""

    def __init__(self) -> None:
        super().__init__("50011", "Too Many Requests", status=429)


def unauthorised(code: str, msg: str) -> OkxError:
    """Who sent the request is not proved."""
    return OkxError(code, msg, status=401)


def invalid_path() -> OkxError:
    """No such route."""
    return OkxError("404", "Not Found", status=404)


def invalid_json() -> OkxError:
    """A body that is no JSON of the form that is asked for."""
    return OkxError("50002", "JSON syntax error", status=400)


def empty(name: str) -> OkxError:
    """A mandatory parameter is absent or empty."""
    return OkxError("50014", f"Parameter {name} can not be empty.", status=400)


def wrong(name: str) -> OkxError:
    """A parameter's value is not one of those allowed."""
    return OkxError("51000", f"Parameter {name} error", status=400)


def unknown_instrument() -> OkxError:
    """No such contract."""
    return OkxError("51001", "Instrument ID, Instrument ID code or Spread ID doesn't exist.")


def unknown_order() -> OkxError:
    """A query of an order that does not exist."""
    return OkxError("51603", "Order does not exist")


def not_cancellable() -> OkxError:
    """A cancel of an order that is not open."""
    return OkxError("51400", "Order cancellation failed as the order has been filled, canceled or does not exist.")


def not_amendable() -> OkxError:
    """An amend of an order that is not open."""
    return OkxError("51503", "Order modification failed as the order has been filled, canceled or does not exist.")


def not_post_only() -> OkxError:
    """An amend that would let a post-only order take."""
    return OkxError("51511", "Modification failed as the order price did not meet the requirement for Post Only.")


def unnamed_order() -> OkxError:
    """Neither of an order's two ids is given."""
    return OkxError("51003", "Either client order ID or order ID is required.")


def expired() -> OkxError:
    """The request came after the ``expTime`` that it names."""
    text = "The expTime can't be earlier than the current system time. Please adjust the expTime and try again."
    return OkxError("50036", text, status=400)


def price_limit(highest_buy: str, lowest_sell: str) -> OkxError:
    """A price beyond the contract's limits of the moment."""
    text = f"Order price is not within the price limit (max buy price: {highest_buy} min sell price: {lowest_sell})"
    return OkxError("51006", text)


def unsupported() -> OkxError:
    """A setting of the real venue that this one does not have."""
    return OkxError("50062", "This feature is currently unavailable.")


def of_refused(refused: Refused) -> OkxError:
    """The venue's error for a refusal of the exchange."""
    return OkxError(*_BY_REASON.get(refused.reason, ("51000", "Parameter error")))


_BY_REASON: dict[RejectReason, tuple[str, str]] = {
    RejectReason.LOT: ("51121", "Order quantity must be a multiple of the lot size."),
    # The venue has no code of its own for a price off the tick: the parameter is wrong.
    RejectReason.TICK: ("51000", "Parameter px error"),
    RejectReason.MIN_NOTIONAL: ("51020", "Your order should meet or exceed the minimum order amount."),
    RejectReason.MARGIN: ("51008", "Order failed. Insufficient USDT margin in account "),
    RejectReason.REDUCE_ONLY: (
        "51169",
        "Order failed because you don't have any positions in this direction for this contract to reduce or close.",
    ),
    RejectReason.HALTED: ("51022", "Contract suspended"),
    RejectReason.RATE_LIMIT: ("50011", "Too Many Requests"),
    RejectReason.DUPLICATE_CLOID: ("51016", "Client order ID already exists."),
    RejectReason.PRICE_BAND: ("51006", "Order price is not within the price limit"),
    RejectReason.NO_LIQUIDITY: ("51109", "No available offer"),
    RejectReason.TOO_MANY_ORDERS: ("51025", "Order count exceeds the limit"),
    RejectReason.UNKNOWN_ORDER: ("51603", "Order does not exist"),
    RejectReason.POST_ONLY: ("51511", "The order price did not meet the requirement for Post Only."),
}
