"""What Hyperliquid's words mean: order statuses, refusals, coin names, as tables.

Sources: the "Info endpoint" page (order statuses) and the "Error responses" page of its API documentation.
"""

import re
from decimal import Decimal

from gateways.standards import OrderStatus, RejectReason
from gateways.transport.rest import REFUSALS

_STATUSES = {
    "open": OrderStatus.NEW,
    "triggered": OrderStatus.NEW,  # its condition was met: from now on it is an order like any other
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "rejected": OrderStatus.REJECTED,
    "scheduledCancel": OrderStatus.CANCELLED,
    "internalCancel": OrderStatus.CANCELLED,
    "iocCancelRejected": OrderStatus.EXPIRED,  # an IOC order that met nothing: nobody refused it
}

_SUFFIXES = (("Canceled", OrderStatus.CANCELLED), ("Rejected", OrderStatus.REJECTED))
"""The many words that say the reason first: marginCanceled, badAloPxRejected, ..."""

REASONS = {
    "tickRejected": RejectReason.TICK,
    "minTradeNtlRejected": RejectReason.MIN_NOTIONAL,
    "perpMarginRejected": RejectReason.MARGIN,
    "perpMaxPositionRejected": RejectReason.MARGIN,
    "insufficientSpotBalanceRejected": RejectReason.MARGIN,
    "marginCanceled": RejectReason.MARGIN,
    "reduceOnlyRejected": RejectReason.REDUCE_ONLY,
    "reduceOnlyCanceled": RejectReason.REDUCE_ONLY,
    "badAloPxRejected": RejectReason.POST_ONLY,
    "iocCancelRejected": RejectReason.NO_LIQUIDITY,
    "marketOrderNoLiquidityRejected": RejectReason.NO_LIQUIDITY,
    "badTriggerPxRejected": RejectReason.BAD_REQUEST,
    "oracleRejected": RejectReason.PRICE_BAND,
    "tooAggressiveAtOpenInterestCapRejected": RejectReason.PRICE_BAND,
    "positionIncreaseAtOpenInterestCapRejected": RejectReason.HALTED,
    "positionFlipAtOpenInterestCapRejected": RejectReason.HALTED,
    "openInterestIncreaseRejected": RejectReason.HALTED,
    "openInterestCapCanceled": RejectReason.HALTED,
    "delistedCanceled": RejectReason.HALTED,
    "tooManyOpenOrdersRejected": RejectReason.TOO_MANY_ORDERS,
    "rejected": RejectReason.OTHER,
}
"""Why, where a status says it."""


def order_status(word: str) -> OrderStatus | None:
    """What a status word means; None for one that is unknown to us."""
    known = _STATUSES.get(word)
    if known is not None:
        return known
    return next((status for suffix, status in _SUFFIXES if word.endswith(suffix)), None)


_REFUSALS: tuple[tuple[str, str, RejectReason], ...] = (
    # part of the text in lower case, the documented name of the error, what it means
    ("never placed, already canceled, or filled", "MissingOrder", RejectReason.UNKNOWN_ORDER),
    ("cannot modify canceled or filled order", "MissingOrder", RejectReason.UNKNOWN_ORDER),
    ("post only order would have", "BadAloPx", RejectReason.POST_ONLY),
    ("could not immediately match", "IocCancel", RejectReason.NO_LIQUIDITY),
    ("no liquidity available", "MarketOrderNoLiquidity", RejectReason.NO_LIQUIDITY),
    ("minimum value of", "MinTradeNtl", RejectReason.MIN_NOTIONAL),
    ("divisible by tick size", "Tick", RejectReason.TICK),
    ("invalid price", "Tick", RejectReason.TICK),
    ("invalid size", "Size", RejectReason.LOT),
    ("zero size", "Size", RejectReason.LOT),
    ("reduce only order would increase", "ReduceOnly", RejectReason.REDUCE_ONLY),
    ("insufficient margin", "PerpMargin", RejectReason.MARGIN),
    ("exceed margin tier", "PerpMaxPosition", RejectReason.MARGIN),
    ("insufficient spot balance", "InsufficientSpotBalance", RejectReason.MARGIN),
    ("more aggressive than oracle", "TooAggressiveAtOpenInterestCap", RejectReason.PRICE_BAND),
    ("too far from oracle", "Oracle", RejectReason.PRICE_BAND),
    ("away from the reference price", "Oracle", RejectReason.PRICE_BAND),
    ("increase open interest", "OpenInterestIncrease", RejectReason.HALTED),
    ("invalid tp/sl price", "BadTriggerPx", RejectReason.BAD_REQUEST),
    ("trading is halted", "Halted", RejectReason.HALTED),
    ("delisted", "Halted", RejectReason.HALTED),
    ("too many cumulative requests", "RateLimit", RejectReason.RATE_LIMIT),
    ("too many requests", "RateLimit", RejectReason.RATE_LIMIT),
    ("rate limit", "RateLimit", RejectReason.RATE_LIMIT),
    ("open orders", "TooManyOpenOrders", RejectReason.TOO_MANY_ORDERS),
    ("duplicate cloid", "DuplicateCloid", RejectReason.DUPLICATE_CLOID),
    ("duplicate nonce", "DuplicateNonce", RejectReason.DUPLICATE_CLOID),
    ("nonce", "Nonce", RejectReason.CLOCK),
    ("expired", "Expired", RejectReason.CLOCK),
    ("expiresafter", "Expired", RejectReason.CLOCK),
    ("user or api wallet", "Signer", RejectReason.CREDENTIALS),
    ("does not exist", "Signer", RejectReason.CREDENTIALS),
    ("must deposit before", "Signer", RejectReason.CREDENTIALS),
    ("deserialize", "Malformed", RejectReason.BAD_REQUEST),
    ("invalid tif", "Malformed", RejectReason.BAD_REQUEST),
)

_HTTP_CODE = re.compile(r"^\s*(\d{3})\b")


_PROVES_NOTHING = ("timed out", "timeout", "internal", "unavailable", "try again", "unknown error", "disconnected")
"""Parts of texts, in lower case, after which a request may have been carried out all the same."""


def refusal(text: str, *, whole: bool = False) -> tuple[str, RejectReason, bool]:
    """What a refusal's text means: a code, the normalized reason, and whether it proves that nothing was done.

    The venue has no error codes: the code is the name that its documentation gives to the error, or the HTTP status
    that an error of a websocket post begins with. An item's error says that the item was refused, whatever its text; a
    text that refuses the ``whole`` request proves it only if it is one that we know. A nonce or client id that is there
    already may be this very request's, doubled on its way: each is used once.
    """
    http = _HTTP_CODE.match(text)
    code = http.group(1) if http else "error"
    definite = not http or int(code) in REFUSALS
    if code == "429":
        return code, RejectReason.RATE_LIMIT, definite
    lower = text.lower()
    for part, name, reason in _REFUSALS:
        if part in lower:
            doubled = reason is RejectReason.DUPLICATE_CLOID
            return (code if http else name), reason, definite and not doubled
    if not http and (whole or any(part in lower for part in _PROVES_NOTHING)):
        definite = False
    return code, RejectReason.BAD_REQUEST if code in {"400", "422"} else RejectReason.OTHER, definite


_FORCED_DIRECTIONS = ("Liquidat", "Auto-Deleveraging", "Settlement", "Dust Conversion")


def is_forced_direction(words: str) -> bool:
    """Whether a fill's ``dir`` says that the venue made our side of it ("Liquidated Cross Long", ...)."""
    return any(part in words for part in _FORCED_DIRECTIONS)


_THOUSAND = Decimal(1000)
_ONE = Decimal(1)


def multiplier_of(coin: str) -> Decimal:
    """Base units in one unit of size: 1000 for the contracts on a thousand coins (kPEPE, kBONK), else 1."""
    return _THOUSAND if coin[:1] == "k" and coin[1:2].isupper() else _ONE


_SPOT_OR_OUTCOME = frozenset("@/#+")


def is_perpetual(coin: str) -> bool:
    """Whether a name is a perpetual's: spot pairs are ``@107`` or ``PURR/USDC``, outcomes ``#10`` or ``+10``."""
    return bool(coin) and not _SPOT_OR_OUTCOME.intersection(coin)
