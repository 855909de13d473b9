"""The venue's return codes as data: what each one means for an order, and whether it proves that nothing was done.

Source: "Error Codes" of the v5 documentation and "Websocket Trade Guideline". HTTP answers carry the code with status
200. A code that is not in the table is a refusal if it is of the family that judges orders (110xxx); any other leaves
the outcome open.
"""

from gateways.errors import RateLimited, Rejected, Unknown, VenueError
from gateways.standards import Reject, RejectReason
from gateways.transport.rest import REFUSALS

REASONS: dict[int, RejectReason] = {
    -2015: RejectReason.CREDENTIALS,
    # "request expired": it came after the window that it named.
    -1: RejectReason.CLOCK,
    # "The trading service is experiencing a high server load."
    429: RejectReason.RATE_LIMIT,
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
    10017: RejectReason.BAD_REQUEST,
    10018: RejectReason.RATE_LIMIT,
    10019: RejectReason.HALTED,
    10020: RejectReason.CREDENTIALS,
    10024: RejectReason.CREDENTIALS,
    10027: RejectReason.HALTED,
    10028: RejectReason.CREDENTIALS,
    10029: RejectReason.CREDENTIALS,
    10403: RejectReason.RATE_LIMIT,
    10404: RejectReason.BAD_REQUEST,
    10429: RejectReason.RATE_LIMIT,
    20003: RejectReason.RATE_LIMIT,
    20006: RejectReason.BAD_REQUEST,
    30133: RejectReason.HALTED,
    30134: RejectReason.HALTED,
    30135: RejectReason.MARGIN,
    30136: RejectReason.MARGIN,
    30208: RejectReason.PRICE_BAND,
    30228: RejectReason.HALTED,
    33004: RejectReason.CREDENTIALS,
    100028: RejectReason.CREDENTIALS,
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
    110063: RejectReason.HALTED,
    # The new quantity is not above what is filled.
    110064: RejectReason.LOT,
    110066: RejectReason.HALTED,
    110068: RejectReason.MARGIN,
    110069: RejectReason.HALTED,
    110070: RejectReason.HALTED,
    110072: RejectReason.DUPLICATE_CLOID,
    110074: RejectReason.HALTED,
    # "The order is processing and can not be operated": a cancel or amend that was not done.
    110079: RejectReason.OTHER,
    110080: RejectReason.HALTED,
    110085: RejectReason.MARGIN,
    110086: RejectReason.MARGIN,
    110087: RejectReason.MARGIN,
    110089: RejectReason.MARGIN,
    110090: RejectReason.MARGIN,
    110094: RejectReason.MIN_NOTIONAL,
    110095: RejectReason.HALTED,
    110103: RejectReason.POST_ONLY,
    110118: RejectReason.NO_LIQUIDITY,
    110120: RejectReason.PRICE_BAND,
    110121: RejectReason.PRICE_BAND,
}

INDEFINITE = frozenset({10000, 10016, 40004, 170001, 170007, 170032, 170146, 170147, 170149, 170150, 3400214})
"""Codes that leave open whether the request was carried out: server timeout, internal error, an order that changed
while it was replaced; the spot service's timeouts and failures; server error."""

EXISTS = frozenset({10014, 110030, 110072})
"""A request or an order under this id is there. Nobody else makes our ids and each is sent once, so that it may be this
very one, doubled on its way: only a query can tell."""

RATE_CODES = frozenset({str(code) for code, reason in REASONS.items() if reason is RejectReason.RATE_LIMIT})
"""Refusals for rate."""

ADDRESS_CODES = frozenset({"10009", "10018", "10403"})
"""Refusals for rate that are of the address: nothing of ours is taken."""

_JUDGES_ORDERS = range(110_000, 111_000)

RESTARTING = "10019"
"""The order entry socket takes no new request and this one was not taken; a new connection leads elsewhere."""


_SAID_AT_THE_DOOR = frozenset({401, 403, 429})
"""Statuses that refuse a request before it is looked at, whatever the code beside them."""


_PARAMETER = 10001
_OF_THE_QUANTITY = ("qty invalid", "number of contracts")
_OF_THE_PRICE = ("price invalid",)
"""What the words of a parameter error say, in lower case: "Qty invalid", "The number of contracts exceeds maximum limit
allowed", "Price invalid". The code alone does not tell the contract's rules from a request that is wrong."""


def reason_of(code: int, text: str) -> RejectReason:
    """The normalized reason of a code, and of its words where the code alone does not tell."""
    if code == _PARAMETER:
        words = text.lower()
        if any(each in words for each in _OF_THE_QUANTITY):
            return RejectReason.LOT
        if any(each in words for each in _OF_THE_PRICE):
            return RejectReason.TICK
    return REASONS.get(code, RejectReason.OTHER)


def is_definite(code: int, status: int = 200) -> bool:
    """Whether the refusal proves that nothing was done. ``status``: of HTTP."""
    if code in INDEFINITE or code in EXISTS or (status not in REFUSALS and status != 200):
        return False
    return code in REASONS or code in _JUDGES_ORDERS or status in _SAID_AT_THE_DOOR


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
