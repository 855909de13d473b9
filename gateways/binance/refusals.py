"""The venue's error codes as data: what each one means for an order, and whether it proves that nothing was done.

Source: "Error Codes" and "General Info" (HTTP return codes, variants of 503) of the USD-M documentation. A code that is
not in the table is a refusal if its family is one of refusals (-11xx of the request's form, -2xxx, -4xxx and -5xxx of
the order); one of the server's and network's own family (-10xx), or of none, leaves the outcome open.
"""

import re

from gateways.errors import RateLimited, Rejected, Unknown, VenueError
from gateways.standards import Reject, RejectReason
from gateways.transport.rest import REFUSALS

REASONS: dict[int, RejectReason] = {
    -1002: RejectReason.CREDENTIALS,
    -1003: RejectReason.RATE_LIMIT,
    -1008: RejectReason.RATE_LIMIT,
    -1011: RejectReason.CREDENTIALS,
    -1013: RejectReason.LOT,
    -1014: RejectReason.BAD_REQUEST,
    -1015: RejectReason.RATE_LIMIT,
    -1016: RejectReason.HALTED,
    -1020: RejectReason.BAD_REQUEST,
    -1021: RejectReason.CLOCK,
    -1022: RejectReason.CREDENTIALS,
    -1023: RejectReason.BAD_REQUEST,
    -1099: RejectReason.CREDENTIALS,
    # "Precision is over the maximum defined for this asset": of a quantity, or of a price. We check prices before.
    -1111: RejectReason.LOT,
    -1112: RejectReason.NO_LIQUIDITY,
    -1122: RejectReason.HALTED,
    -1125: RejectReason.OTHER,
    -2010: RejectReason.OTHER,
    -2011: RejectReason.UNKNOWN_ORDER,
    -2013: RejectReason.UNKNOWN_ORDER,
    -2014: RejectReason.CREDENTIALS,
    -2015: RejectReason.CREDENTIALS,
    -2016: RejectReason.HALTED,
    -2017: RejectReason.CREDENTIALS,
    -2018: RejectReason.MARGIN,
    -2019: RejectReason.MARGIN,
    -2020: RejectReason.NO_LIQUIDITY,
    -2022: RejectReason.REDUCE_ONLY,
    -2023: RejectReason.HALTED,
    -2024: RejectReason.REDUCE_ONLY,
    -2025: RejectReason.TOO_MANY_ORDERS,
    -2026: RejectReason.REDUCE_ONLY,
    -2027: RejectReason.MARGIN,
    -2028: RejectReason.MARGIN,
    -4001: RejectReason.PRICE_BAND,
    -4002: RejectReason.PRICE_BAND,
    -4003: RejectReason.LOT,
    -4004: RejectReason.LOT,
    -4005: RejectReason.LOT,
    -4013: RejectReason.PRICE_BAND,
    -4014: RejectReason.TICK,
    -4015: RejectReason.BAD_REQUEST,
    -4016: RejectReason.PRICE_BAND,
    -4023: RejectReason.LOT,
    -4024: RejectReason.PRICE_BAND,
    -4029: RejectReason.TICK,
    -4030: RejectReason.LOT,
    -4045: RejectReason.TOO_MANY_ORDERS,
    -4050: RejectReason.MARGIN,
    -4051: RejectReason.MARGIN,
    -4060: RejectReason.BAD_REQUEST,
    -4061: RejectReason.BAD_REQUEST,
    -4062: RejectReason.REDUCE_ONLY,
    -4087: RejectReason.HALTED,
    -4088: RejectReason.HALTED,
    -4109: RejectReason.HALTED,
    -4116: RejectReason.DUPLICATE_CLOID,
    -4118: RejectReason.REDUCE_ONLY,
    -4120: RejectReason.BAD_REQUEST,
    -4131: RejectReason.PRICE_BAND,
    -4140: RejectReason.HALTED,
    -4141: RejectReason.HALTED,
    -4164: RejectReason.MIN_NOTIONAL,
    -4188: RejectReason.CLOCK,
    -4183: RejectReason.PRICE_BAND,
    -4184: RejectReason.PRICE_BAND,
    -4192: RejectReason.HALTED,
    -4400: RejectReason.HALTED,
    -4401: RejectReason.HALTED,
    -4402: RejectReason.HALTED,
    -4403: RejectReason.HALTED,
    # Only orders that reduce a position are taken: of the account, or of the contract, or of one side of it.
    -4405: RejectReason.HALTED,
    -4407: RejectReason.HALTED,
    -4415: RejectReason.HALTED,
    -4517: RejectReason.HALTED,
    -4518: RejectReason.HALTED,
    -4519: RejectReason.HALTED,
    -5021: RejectReason.NO_LIQUIDITY,
    -5022: RejectReason.POST_ONLY,
    -5024: RejectReason.HALTED,
    -5025: RejectReason.BAD_REQUEST,
    -5026: RejectReason.BAD_REQUEST,
    -5027: RejectReason.BAD_REQUEST,
    -5028: RejectReason.CLOCK,
    -5029: RejectReason.MIN_NOTIONAL,
    -5037: RejectReason.BAD_REQUEST,
    -5038: RejectReason.BAD_REQUEST,
    -5041: RejectReason.NO_LIQUIDITY,
}

INDEFINITE = frozenset({-1000, -1001, -1004, -1006, -1007, -1010, -1016, -2012, -4083})
"""Codes that leave open whether the request was carried out: unknown error, internal error, busy, unexpected answer,
timeout, a message without a meaning, shutting down; a batch of orders or cancels of which some failed."""

EXISTS = frozenset({-4116})
"""An order under this client id is there. Nobody else makes our ids and each is sent once, so that it may be this very
order, doubled on its way: only a query can tell."""

THROTTLED = -1008
"""The node is overloaded and did not take the request, "100% failure" though it comes with HTTP 503. Cancels and orders
that reduce a position are exempt."""

_UNAVAILABLE = "Service Unavailable."
"""The text of a 503 that is a failure ("100% failure"); with any other text a 503 may have been carried out."""

ORDER_CODES = frozenset({"-1008", "-1015"})
"""Refusals for rate that speak of new orders alone: queries and cancels go on."""

_SAID_AT_THE_DOOR = frozenset({401, 403, 418, 429})
"""Statuses that refuse a request before it is looked at, whatever the code beside them."""

_REFUSING = (range(-1199, -1099), range(-2999, -1999), range(-4999, -3999), range(-5999, -4999))
"""Families of codes that are refusals, whichever code of theirs it is."""

NO_SUCH_ORDER = "-2013"
"""The answer to a query that proves that there is no such order."""

NO_LISTEN_KEY = "-1125"

RATE_CODES = frozenset({"-1003", "-1008", "-1015"})
"""Refusals for rate, whatever their status."""

_BANNED_UNTIL = re.compile(r"banned until (\d{13})")


def reason_of(code: int) -> RejectReason:
    """The normalized reason of a code."""
    known = REASONS.get(code)
    if known is not None:
        return known
    return RejectReason.BAD_REQUEST if -1199 <= code <= -1100 else RejectReason.OTHER


def is_definite(code: int, status: int = 400, text: str = "") -> bool:
    """Whether the refusal proves that nothing was done. ``status``: of HTTP, or of the websocket API's reply."""
    if code == THROTTLED or (status == 503 and text == _UNAVAILABLE):
        return True
    if code in INDEFINITE or code in EXISTS or status not in REFUSALS:
        return False
    return code in REASONS or status in _SAID_AT_THE_DOOR or any(code in family for family in _REFUSING)


def banned_until_ms(text: str) -> int | None:
    """The end of a ban that a -1003 names, in ms of the venue's clock."""
    found = _BANNED_UNTIL.search(text)
    return int(found.group(1)) if found else None


def rate_limited(venue: str, text: str, code: str, retry_after: float) -> RateLimited:
    """A refusal for rate with the seconds to wait."""
    return RateLimited(venue, text, code=code, retry_after=retry_after)


def error_of(reject: Reject) -> VenueError:
    """The error that a refusal raises in the caller of a request."""
    if not reject.definite:
        return Unknown(reject.venue, f"{reject.text} ({reject.code})")
    if reject.reason is RejectReason.RATE_LIMIT:
        return RateLimited(reject.venue, reject.text, code=reject.code, retry_after=reject.retry_after_s or 0.0)
    return Rejected(reject.venue, reject.text, code=reject.code, reason=reject.reason)
