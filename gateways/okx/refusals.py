"""The venue's error codes as data: what each one means for a request, and whether it proves that nothing was done.

Source: "Error Code" of the v5 documentation. A code that is not in the table is a refusal if it is of a class that
judges orders (51xxx, 54xxx, 59xxx); any other leaves the outcome open. The outer code of an order request only says
whether all (1) or some (2) of its items failed: the code that counts is each item's own.
"""

import re

from gateways.errors import RateLimited, Rejected, Unknown, VenueError
from gateways.standards import Reject, RejectReason
from gateways.transport.rest import REFUSALS

_BY_REASON: dict[RejectReason, tuple[int, ...]] = {
    # "Operation failed", with no item that says why.
    RejectReason.OTHER: (1,),
    RejectReason.CREDENTIALS: (
        *(50008, 50027, 50100, 50101, 50103, 50104, 50105, 50106, 50107, 50108, 50109, 50110, 50111, 50113, 50114),
        *(50030, 50035, 50121),
        *(50119, 50120, 60001, 60002, 60003, 60005, 60007, 60008, 60009, 60011, 60022, 60024, 60026, 60031, 60032),
    ),
    # 50036 and 50037: the request came after the time that it named as its last.
    RejectReason.CLOCK: (50036, 50037, 50102, 50112, 60004, 60006),
    # 51513: three amends of the order are under way already.
    RejectReason.RATE_LIMIT: (50011, 50040, 50061, 51113, 51513, 60014, 60023),
    RejectReason.HALTED: (
        *(50005, 50007, 50009, 50012, 50017, 50018, 50019, 50020, 50021, 50022, 50023, 50028, 50029, 50032, 50033),
        *(50038, 50041, 50062, 51032, 51056, 51155, 51166, 51733, 51734, 59113),
        *(51009, 51021, 51022, 51024, 51027, 51028, 51029, 51030, 51110, 51124, 51404, 51508),
    ),
    RejectReason.BAD_REQUEST: (
        *(50000, 50002, 50003, 50006, 50010, 50014, 50015, 50016, 50024, 50025, 50044, 50115),
        *(51000, 51001, 51002, 51003, 51010, 51012, 51014, 51015, 51026, 51111, 51403, 51407, 51408, 51500, 51501),
        *(51506, 60010, 60012, 60013, 60017, 60018, 60019, 60027, 60028, 64000, 64001, 64002),
    ),
    RejectReason.DUPLICATE_CLOID: (50071, 51011, 51016),
    RejectReason.LOT: (
        *(51005, 51033, 51100, 51101, 51104, 51121, 51132, 51150, 51185, 51201, 51202),
        *(51203,),
    ),
    # The smallest order is a size here, not a sum of money; what is under it waits for more in the same way.
    RejectReason.MIN_NOTIONAL: (51007, 51020, 51118, 51120),
    RejectReason.PRICE_BAND: (51006, 51031, 51116, 51122, 51135, 51136, 51137, 51138),
    RejectReason.MARGIN: (51004, 51008, 51105, 51106, 51107, 51119, 51127, 51129, 51131, 51502),
    RejectReason.REDUCE_ONLY: (51023, 51037, 51112, 51115, 51125, 51126, 51134, 51148, 51169, 51170),
    RejectReason.NO_LIQUIDITY: (51108, 51109),
    RejectReason.TOO_MANY_ORDERS: (51025, 51102, 51103, 51117, 51174),
    RejectReason.POST_ONLY: (51511,),
    RejectReason.UNKNOWN_ORDER: (51063, 51400, 51401, 51402, 51405, 51410, 51503, 51509, 51510, 51603),
}

REASONS: dict[str, RejectReason] = {str(code): reason for reason, codes in _BY_REASON.items() for code in codes}

INDEFINITE = frozenset({"50001", "50004", "50013", "50026", "51054", "51149", "51767", "63999", "64007"})
"""Codes that leave open whether the request was carried out: matching engine upgrading, endpoint timeout ("does not
indicate success or failure"), system busy, system error, getting information timed out, order timed out, maintenance,
internal errors."""

EXISTS = frozenset({"50071", "51011", "51016"})
"""An order under this client id is there. Nobody else makes our ids and each is sent once, so that it may be this very
order, doubled on its way: only a query can tell."""

ORDER_CODES = frozenset({"50061"})
"""Refusals for rate that are of the account's orders and amends together."""

NO_SUCH_ORDER = "51603"
"""The answer to a query that proves that there is no such order."""

RATE_CODES = frozenset(code for code, reason in REASONS.items() if reason is RejectReason.RATE_LIMIT)
"""Refusals for rate, whatever their status."""


_WRONG_PARAMETER = "51000"
_NAMED_PARAMETER = re.compile(r"Parameter (\w+)\s+error")
_BY_PARAMETER = {
    "px": RejectReason.TICK,
    "newPx": RejectReason.TICK,
    "sz": RejectReason.LOT,
    "newSz": RejectReason.LOT,
}

_JUDGES_ORDERS = ("51", "54", "59")
_SAID_AT_THE_DOOR = frozenset({401, 403, 429})
"""Statuses that refuse a request before it is looked at, whatever the code beside them."""


def reason_of(code: str, text: str = "") -> RejectReason:
    """The normalized reason of a code; of a wrong parameter the ``text`` says which: a price is off its tick."""
    named = _NAMED_PARAMETER.fullmatch(text.strip()) if code == _WRONG_PARAMETER else None
    if named is not None and named[1] in _BY_PARAMETER:
        return _BY_PARAMETER[named[1]]
    return REASONS.get(code, RejectReason.OTHER)


def is_definite(code: str, status: int = 200) -> bool:
    """Whether the refusal proves that nothing was done. ``status``: of HTTP."""
    if code in INDEFINITE or code in EXISTS or (status not in REFUSALS and status != 200):
        return False
    return code in REASONS or code.startswith(_JUDGES_ORDERS) or status in _SAID_AT_THE_DOOR


def error_of(reject: Reject) -> VenueError:
    """The error that a refusal raises in the caller of a request."""
    if not reject.definite:
        return Unknown(reject.venue, f"{reject.text} ({reject.code})")
    if reject.reason is RejectReason.RATE_LIMIT:
        return RateLimited(reject.venue, reject.text, code=reject.code, retry_after=reject.retry_after_s or 0.0)
    return Rejected(reject.venue, reject.text, code=reject.code, reason=reject.reason)
