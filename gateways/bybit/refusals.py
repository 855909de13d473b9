"""The venue's return codes as data: what each one means for an order, and whether it proves that nothing was done.

Source: "Error Codes" of the v5 documentation and "Websocket Trade Guideline". HTTP answers carry the code with status
200. A code that is not in the table is a definite refusal with the reason OTHER.
"""

from gateways.errors import RateLimited, Rejected, Unknown, VenueError
from gateways.standards import Reject, RejectReason

REASONS: dict[int, RejectReason] = {
    10001: RejectReason.BAD_REQUEST,
    10002: RejectReason.CLOCK,
    10003: RejectReason.CREDENTIALS,
    10004: RejectReason.CREDENTIALS,
    10005: RejectReason.CREDENTIALS,
    10006: RejectReason.RATE_LIMIT,
    10007: RejectReason.CREDENTIALS,
    10008: RejectReason.CREDENTIALS,
    10009: RejectReason.RATE_LIMIT,
    10010: RejectReason.CREDENTIALS,
    10014: RejectReason.DUPLICATE_CLOID,
    10016: RejectReason.HALTED,
    10017: RejectReason.BAD_REQUEST,
    10018: RejectReason.RATE_LIMIT,
    10019: RejectReason.HALTED,
    10020: RejectReason.CREDENTIALS,
    10024: RejectReason.CREDENTIALS,
    10027: RejectReason.HALTED,
    10028: RejectReason.CREDENTIALS,
    10029: RejectReason.CREDENTIALS,
    10404: RejectReason.BAD_REQUEST,
    10429: RejectReason.RATE_LIMIT,
    20003: RejectReason.RATE_LIMIT,
    20006: RejectReason.BAD_REQUEST,
    110001: RejectReason.UNKNOWN_ORDER,
    110003: RejectReason.PRICE_BAND,
    110004: RejectReason.MARGIN,
    110006: RejectReason.MARGIN,
    110007: RejectReason.MARGIN,
    110008: RejectReason.UNKNOWN_ORDER,
    110009: RejectReason.TOO_MANY_ORDERS,
    110010: RejectReason.UNKNOWN_ORDER,
    110011: RejectReason.MARGIN,
    110012: RejectReason.MARGIN,
    110014: RejectReason.MARGIN,
    110016: RejectReason.MARGIN,
    110017: RejectReason.REDUCE_ONLY,
    110019: RejectReason.BAD_REQUEST,
    110020: RejectReason.TOO_MANY_ORDERS,
    110021: RejectReason.MARGIN,
    110022: RejectReason.REDUCE_ONLY,
    110023: RejectReason.REDUCE_ONLY,
    110029: RejectReason.BAD_REQUEST,
    110030: RejectReason.DUPLICATE_CLOID,
    110032: RejectReason.BAD_REQUEST,
    110039: RejectReason.MARGIN,
    110040: RejectReason.MARGIN,
    110042: RejectReason.REDUCE_ONLY,
    110044: RejectReason.MARGIN,
    110045: RejectReason.MARGIN,
    110046: RejectReason.MARGIN,
    110051: RejectReason.MARGIN,
    110052: RejectReason.MARGIN,
    110053: RejectReason.MARGIN,
    110062: RejectReason.HALTED,
    110063: RejectReason.LOT,
    110065: RejectReason.HALTED,
    110072: RejectReason.DUPLICATE_CLOID,
    110094: RejectReason.MIN_NOTIONAL,
}

INDEFINITE = frozenset({10000, 10016})
"""Codes that leave open whether the request was carried out: server timeout, internal error."""

RATE_CODES = frozenset({"10006", "10009", "10018", "10429", "20003"})
"""Refusals for rate."""

RESTARTING = "10019"
"""The order entry socket takes no new request and this one was not taken; a new connection leads elsewhere."""


def reason_of(code: int) -> RejectReason:
    """The normalized reason of a code."""
    return REASONS.get(code, RejectReason.OTHER)


def is_definite(code: int, status: int = 200) -> bool:
    """Whether the refusal proves that nothing was done. ``status``: of HTTP."""
    return code not in INDEFINITE and status < 500 and status != 408


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
