"""The venue's error codes as data: what each one means for an order, and whether it proves that nothing was done.

Source: "Error Codes" of the USD-M documentation. A code that is not in the table is a definite refusal with the reason
OTHER (BAD_REQUEST for the -11xx family, all of which are about the request's form).
"""

import re

from gateways.errors import RateLimited, Rejected, Unknown, VenueError
from gateways.standards import Reject, RejectReason

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
    -2011: RejectReason.UNKNOWN_ORDER,
    -2013: RejectReason.UNKNOWN_ORDER,
    -2014: RejectReason.CREDENTIALS,
    -2015: RejectReason.CREDENTIALS,
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
    -4116: RejectReason.DUPLICATE_CLOID,
    -4118: RejectReason.REDUCE_ONLY,
    -4120: RejectReason.BAD_REQUEST,
    -4131: RejectReason.PRICE_BAND,
    -4140: RejectReason.HALTED,
    -4141: RejectReason.HALTED,
    -4164: RejectReason.MIN_NOTIONAL,
    -4183: RejectReason.PRICE_BAND,
    -4184: RejectReason.PRICE_BAND,
    -4192: RejectReason.HALTED,
    -4400: RejectReason.HALTED,
    -4401: RejectReason.HALTED,
    -4402: RejectReason.HALTED,
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

INDEFINITE = frozenset({-1000, -1001, -1004, -1006, -1007, -1016})
"""Codes that leave open whether the request was carried out: unknown error, internal error, busy, unexpected answer,
timeout, shutting down."""

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


def is_definite(code: int, status: int = 400) -> bool:
    """Whether the refusal proves that nothing was done. ``status``: of HTTP, or of the websocket API's reply."""
    return code not in INDEFINITE and status < 500 and status != 408


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
