"""What each venue's error bodies must become: rows of (verb, status, body) -> type, normalized reason, code.

"Unknown" stands wherever the order may exist: it is then asked about and never sent again. Where there is no reason the
last word is part of what the error says.
"""

from typing import Any

from gateways.errors import NotFound, RateLimited, Rejected, Unknown, VenueError
from gateways.standards import RejectReason

R = RejectReason

CLOID = "0123456789abcdef0123456789abcdef"
HTML = "<html><body>nginx</body></html>"

Row = tuple[str, int, Any, type[VenueError], RejectReason | None, str]

# ------------------------------------------------------------------ Binance


def binance(code: int, msg: str = "why") -> dict[str, Any]:
    return {"code": code, "msg": msg}


BINANCE: list[Row] = [
    ("place", 400, binance(-2019), Rejected, R.MARGIN, "-2019"),
    ("place", 400, binance(-4164), Rejected, R.MIN_NOTIONAL, "-4164"),
    ("place", 400, binance(-1111), Rejected, R.LOT, "-1111"),
    ("place", 400, binance(-4014), Rejected, R.TICK, "-4014"),
    ("place", 400, binance(-4131), Rejected, R.PRICE_BAND, "-4131"),
    ("place", 400, binance(-5022), Rejected, R.POST_ONLY, "-5022"),
    ("place", 400, binance(-5021), Rejected, R.NO_LIQUIDITY, "-5021"),
    ("place", 400, binance(-2022), Rejected, R.REDUCE_ONLY, "-2022"),
    ("place", 400, binance(-1021), Rejected, R.CLOCK, "-1021"),
    ("place", 400, binance(-5028), Rejected, R.CLOCK, "-5028"),
    ("place", 401, binance(-2015), Rejected, R.CREDENTIALS, "-2015"),
    ("place", 400, binance(-4120), Rejected, R.BAD_REQUEST, "-4120"),
    ("place", 400, binance(-1102), Rejected, R.BAD_REQUEST, "-1102"),
    ("place", 400, binance(-2010), Rejected, R.OTHER, "-2010"),
    ("place", 400, binance(-4141), Rejected, R.HALTED, "-4141"),
    ("place", 400, binance(-4517), Rejected, R.HALTED, "-4517"),
    # Codes of tomorrow: a refusal only in a family of refusals.
    ("place", 400, binance(-4998), Rejected, R.OTHER, "-4998"),
    ("place", 400, binance(-1042), Unknown, None, "-1042"),
    ("place", 400, binance(-9999), Unknown, None, "-9999"),
    ("place", 400, binance(7), Unknown, None, "7"),
    # It may exist.
    ("place", 400, binance(-4116), Unknown, None, "-4116"),
    ("place", 400, binance(-1000), Unknown, None, "-1000"),
    ("place", 400, binance(-1001), Unknown, None, "-1001"),
    ("place", 400, binance(-1006), Unknown, None, "-1006"),
    ("place", 400, binance(-1007), Unknown, None, "-1007"),
    ("place", 408, binance(-1007), Unknown, None, "-1007"),
    ("place", 400, binance(-1016), Unknown, None, "-1016"),
    ("place", 429, binance(-1007), Unknown, None, "-1007"),
    ("place", 500, binance(-2019), Unknown, None, "-2019"),
    ("place", 502, HTML, Unknown, None, "502"),
    ("place", 504, HTML, Unknown, None, "504"),
    ("place", 503, binance(-1000, "Unknown error, please check your request or try again later."), Unknown, None, ""),
    (
        "place",
        503,
        binance(-1001, "Internal error; unable to process your request. Please try again."),
        Unknown,
        None,
        "",
    ),
    ("place", 503, "Service Unavailable.", Unknown, None, "503"),
    ("place", 409, "conflict", Unknown, None, "409"),
    ("place", 302, "", Unknown, None, "302"),
    ("place", 200, "taken", Unknown, None, "cannot be read"),
    ("place", 200, {}, Unknown, None, "cannot be read"),
    # Documented as failures although they are a 503.
    ("place", 503, binance(-1000, "Service Unavailable."), Rejected, R.OTHER, "-1000"),
    ("place", 503, binance(-1008, "Request throttled by system-level protection."), RateLimited, R.RATE_LIMIT, "-1008"),
    # Refused at the door.
    ("place", 429, binance(-1003), RateLimited, R.RATE_LIMIT, "-1003"),
    ("place", 429, binance(-1015), RateLimited, R.RATE_LIMIT, "-1015"),
    ("place", 400, binance(-1015), RateLimited, R.RATE_LIMIT, "-1015"),
    ("place", 418, binance(-1003, "IP banned until 9999999999999."), RateLimited, R.RATE_LIMIT, "-1003"),
    ("place", 418, HTML, RateLimited, R.RATE_LIMIT, ""),
    ("place", 403, HTML, Rejected, R.OTHER, ""),
    ("place", 404, HTML, Rejected, R.OTHER, ""),
    ("place", 401, HTML, Rejected, R.CREDENTIALS, ""),
    ("cancel", 400, binance(-2011), Rejected, R.UNKNOWN_ORDER, "-2011"),
    ("cancel", 400, binance(-1007), Unknown, None, "-1007"),
    ("cancel", 503, HTML, Unknown, None, "503"),
    ("amend", 400, binance(-2013), Rejected, R.UNKNOWN_ORDER, "-2013"),
    ("amend", 400, binance(-5027), Rejected, R.BAD_REQUEST, "-5027"),
    ("amend", 400, binance(-1006), Unknown, None, "-1006"),
    ("query", 400, binance(-2013), NotFound, None, CLOID),
    # Not a statement about the order: a failed question is never an answer.
    ("query", 400, binance(-2011), Rejected, R.UNKNOWN_ORDER, "-2011"),
    ("query", 400, binance(-1121), Rejected, R.BAD_REQUEST, "-1121"),
    ("query", 404, HTML, Rejected, R.OTHER, ""),
    ("query", 503, HTML, Unknown, None, "503"),
    ("query", 429, binance(-1003), RateLimited, R.RATE_LIMIT, "-1003"),
]


# ------------------------------------------------------------------ Bybit


def bybit(code: int, msg: str = "why") -> dict[str, Any]:
    return {"retCode": code, "retMsg": msg, "result": {}, "retExtInfo": {}, "time": 1}


BYBIT: list[Row] = [
    ("place", 200, bybit(110007), Rejected, R.MARGIN, "110007"),
    ("place", 200, bybit(110094), Rejected, R.MIN_NOTIONAL, "110094"),
    ("place", 200, bybit(110003), Rejected, R.PRICE_BAND, "110003"),
    ("place", 200, bybit(110017), Rejected, R.REDUCE_ONLY, "110017"),
    ("place", 200, bybit(110020), Rejected, R.TOO_MANY_ORDERS, "110020"),
    ("place", 200, bybit(110074), Rejected, R.HALTED, "110074"),
    ("place", 200, bybit(30208), Rejected, R.PRICE_BAND, "30208"),
    ("place", 200, bybit(10001), Rejected, R.BAD_REQUEST, "10001"),
    ("place", 200, bybit(10002), Rejected, R.CLOCK, "10002"),
    ("place", 200, bybit(-1, "request expired"), Rejected, R.CLOCK, "-1"),
    ("place", 200, bybit(10003), Rejected, R.CREDENTIALS, "10003"),
    ("place", 200, bybit(10005), Rejected, R.CREDENTIALS, "10005"),
    ("place", 200, bybit(33004), Rejected, R.CREDENTIALS, "33004"),
    ("place", 200, bybit(10027), Rejected, R.HALTED, "10027"),
    ("place", 401, HTML, Rejected, R.CREDENTIALS, ""),
    ("place", 404, HTML, Rejected, R.OTHER, ""),
    # Codes of tomorrow: a refusal only in the family that judges orders.
    ("place", 200, bybit(110999), Rejected, R.OTHER, "110999"),
    ("place", 200, bybit(10999), Unknown, None, "10999"),
    ("place", 200, bybit(999999), Unknown, None, "999999"),
    # It may exist.
    ("place", 200, bybit(10000, "Server Timeout"), Unknown, None, "10000"),
    ("place", 200, bybit(10016, "Internal System Error."), Unknown, None, "10016"),
    ("place", 200, bybit(10014), Unknown, None, "10014"),
    ("place", 200, bybit(110072), Unknown, None, "110072"),
    ("place", 200, bybit(110030), Unknown, None, "110030"),
    ("place", 200, bybit(3400214), Unknown, None, "3400214"),
    ("place", 200, bybit(170146, "Order creation timeout"), Unknown, None, "170146"),
    ("place", 500, bybit(110007), Unknown, None, "500"),
    ("place", 503, HTML, Unknown, None, "503"),
    ("place", 408, HTML, Unknown, None, "408"),
    ("place", 429, bybit(10016), Unknown, None, "10016"),
    ("place", 200, HTML, Unknown, None, "cannot be read"),
    ("place", 200, {}, Unknown, None, "cannot be read"),
    ("place", 200, bybit(0), Unknown, None, "cannot be read"),
    # Refused at the door.
    ("place", 200, bybit(10006), RateLimited, R.RATE_LIMIT, "10006"),
    ("place", 200, bybit(10018), RateLimited, R.RATE_LIMIT, "10018"),
    ("place", 200, bybit(429), RateLimited, R.RATE_LIMIT, "429"),
    ("place", 403, HTML, RateLimited, R.RATE_LIMIT, ""),
    ("place", 429, HTML, RateLimited, R.RATE_LIMIT, ""),
    ("cancel", 200, bybit(110001), Rejected, R.UNKNOWN_ORDER, "110001"),
    ("cancel", 200, bybit(110008), Rejected, R.UNKNOWN_ORDER, "110008"),
    ("cancel", 200, bybit(110010), Rejected, R.UNKNOWN_ORDER, "110010"),
    # It is there and was not touched: not what "not open" would say.
    ("cancel", 200, bybit(110079), Rejected, R.OTHER, "110079"),
    ("cancel", 200, bybit(170147, "Order cancellation timeout"), Unknown, None, "170147"),
    ("cancel", 200, bybit(10016), Unknown, None, "10016"),
    ("amend", 200, bybit(110001), Rejected, R.UNKNOWN_ORDER, "110001"),
    ("amend", 200, bybit(110064), Rejected, R.LOT, "110064"),
    ("amend", 200, bybit(40004), Unknown, None, "40004"),
    ("query", 200, bybit(10001), Rejected, R.BAD_REQUEST, "10001"),
    ("query", 200, bybit(10016), Unknown, None, "10016"),
    ("query", 200, bybit(110001), Rejected, R.UNKNOWN_ORDER, "110001"),
    ("query", 200, {**bybit(0), "result": {"list": [], "nextPageCursor": ""}}, NotFound, None, CLOID),
    ("query", 200, HTML, Unknown, None, "cannot be read"),
]


# ------------------------------------------------------------------ OKX


def okx(code: str, msg: str = "why", **more: Any) -> dict[str, Any]:
    return {"code": code, "msg": msg, "data": [], **more}


def item(code: str, text: str = "why") -> dict[str, Any]:
    row = {"clOrdId": CLOID, "ordId": "", "sCode": code, "sMsg": text, "tag": "", "ts": "1"}
    return okx("1", "Operation failed.", data=[row])


OKX: list[Row] = [
    ("place", 200, item("51008"), Rejected, R.MARGIN, "51008"),
    ("place", 200, item("51020"), Rejected, R.MIN_NOTIONAL, "51020"),
    ("place", 200, item("51121"), Rejected, R.LOT, "51121"),
    ("place", 200, item("51006"), Rejected, R.PRICE_BAND, "51006"),
    ("place", 200, item("51137"), Rejected, R.PRICE_BAND, "51137"),
    ("place", 200, item("51169"), Rejected, R.REDUCE_ONLY, "51169"),
    ("place", 200, item("51174"), Rejected, R.TOO_MANY_ORDERS, "51174"),
    ("place", 200, item("51022"), Rejected, R.HALTED, "51022"),
    ("place", 200, item("51000"), Rejected, R.BAD_REQUEST, "51000"),
    ("place", 200, item("50037"), Rejected, R.CLOCK, "50037"),
    ("place", 401, okx("50111"), Rejected, R.CREDENTIALS, "50111"),
    ("place", 401, okx("50102"), Rejected, R.CLOCK, "50102"),
    ("place", 400, okx("50014"), Rejected, R.BAD_REQUEST, "50014"),
    ("place", 200, okx("1"), Rejected, R.OTHER, "1"),
    # Codes of tomorrow: a refusal only in a class that judges orders and accounts.
    ("place", 200, item("51999"), Rejected, R.OTHER, "51999"),
    ("place", 200, item("54999"), Rejected, R.OTHER, "54999"),
    ("place", 200, item("50999"), Unknown, None, "50999"),
    ("place", 200, okx("64999"), Unknown, None, "64999"),
    ("place", 200, okx("2"), Unknown, None, "2"),
    # It may exist.
    ("place", 503, okx("50001"), Unknown, None, "50001"),
    ("place", 200, okx("50001"), Unknown, None, "50001"),
    ("place", 400, okx("50004"), Unknown, None, "50004"),
    ("place", 200, item("50004"), Unknown, None, "50004"),
    ("place", 200, okx("50013"), Unknown, None, "50013"),
    ("place", 429, okx("50013"), Unknown, None, "50013"),
    ("place", 500, okx("50026"), Unknown, None, "50026"),
    ("place", 200, item("50026"), Unknown, None, "50026"),
    ("place", 200, item("51149"), Unknown, None, "51149"),
    ("place", 200, item("51054"), Unknown, None, "51054"),
    ("place", 200, item("51016"), Unknown, None, "51016"),
    ("place", 200, item("51011"), Unknown, None, "51011"),
    ("place", 200, item("50071"), Unknown, None, "50071"),
    ("place", 502, HTML, Unknown, None, "502"),
    ("place", 408, HTML, Unknown, None, "408"),
    ("place", 200, HTML, Unknown, None, "cannot be read"),
    ("place", 200, {}, Unknown, None, "cannot be read"),
    ("place", 200, okx("0"), Unknown, None, "cannot be read"),
    # Refused at the door.
    ("place", 429, okx("50011"), RateLimited, R.RATE_LIMIT, "50011"),
    ("place", 200, item("50061"), RateLimited, R.RATE_LIMIT, "50061"),
    ("place", 429, HTML, RateLimited, R.RATE_LIMIT, ""),
    ("place", 403, HTML, Rejected, R.OTHER, ""),
    ("cancel", 200, item("51400"), Rejected, R.UNKNOWN_ORDER, "51400"),
    ("cancel", 200, item("51402"), Rejected, R.UNKNOWN_ORDER, "51402"),
    ("cancel", 200, item("51410"), Rejected, R.UNKNOWN_ORDER, "51410"),
    ("cancel", 200, item("51149"), Unknown, None, "51149"),
    ("cancel", 200, item("50026"), Unknown, None, "50026"),
    ("amend", 200, item("51503"), Rejected, R.UNKNOWN_ORDER, "51503"),
    ("amend", 200, item("51510"), Rejected, R.UNKNOWN_ORDER, "51510"),
    ("amend", 200, item("51513"), RateLimited, R.RATE_LIMIT, "51513"),
    ("amend", 200, item("50004"), Unknown, None, "50004"),
    ("query", 200, okx("51603"), NotFound, None, CLOID),
    ("query", 200, okx("51001"), Rejected, R.BAD_REQUEST, "51001"),
    ("query", 200, okx("50026"), Unknown, None, "50026"),
    ("query", 429, okx("50011"), RateLimited, R.RATE_LIMIT, "50011"),
    ("query", 503, okx("50001"), Unknown, None, "50001"),
]


# ------------------------------------------------------------------ Hyperliquid


def refused_item(text: str) -> dict[str, Any]:
    return {"status": "ok", "response": {"type": "order", "data": {"statuses": [{"error": text}]}}}


def refused_whole(text: str) -> dict[str, Any]:
    return {"status": "err", "response": text}


HYPERLIQUID: list[Row] = [
    ("place", 200, refused_item("Price must be divisible by tick size. asset=4"), Rejected, R.TICK, "Tick"),
    (
        "place",
        200,
        refused_item("Order must have minimum value of $10. asset=4"),
        Rejected,
        R.MIN_NOTIONAL,
        "MinTradeNtl",
    ),
    ("place", 200, refused_item("Insufficient margin to place order. asset=4"), Rejected, R.MARGIN, "PerpMargin"),
    (
        "place",
        200,
        refused_item("Reduce only order would increase position. asset=4"),
        Rejected,
        R.REDUCE_ONLY,
        "ReduceOnly",
    ),
    (
        *("place", 200, refused_item("Post only order would have immediately matched, bbo was 1@2.")),
        *(Rejected, R.POST_ONLY, "BadAloPx"),
    ),
    (
        *("place", 200, refused_item("Order could not immediately match against any resting orders.")),
        *(Rejected, R.NO_LIQUIDITY, "IocCancel"),
    ),
    ("place", 200, refused_item("Order price too far from oracle"), Rejected, R.PRICE_BAND, "Oracle"),
    ("place", 200, refused_item("A reason of tomorrow"), Rejected, R.OTHER, "error"),
    ("place", 200, refused_whole("User or API Wallet 0x11 does not exist."), Rejected, R.CREDENTIALS, "Signer"),
    ("place", 200, refused_whole("Must deposit before performing actions."), Rejected, R.CREDENTIALS, "Signer"),
    ("place", 200, refused_whole("Invalid nonce: too far in the past"), Rejected, R.CLOCK, "Nonce"),
    ("place", 422, "Failed to deserialize the JSON body", Rejected, R.BAD_REQUEST, "422"),
    ("place", 403, HTML, Rejected, R.OTHER, "403"),
    # It may exist.
    ("place", 200, refused_whole("A reason of tomorrow"), Unknown, None, "tomorrow"),
    ("place", 200, refused_whole("Invalid nonce: duplicate nonce 5"), Unknown, None, "duplicate nonce"),
    ("place", 200, refused_item("Duplicate cloid"), Unknown, None, "Duplicate cloid"),
    ("place", 200, refused_item("Internal error"), Unknown, None, "Internal error"),
    ("place", 200, refused_item("Request timed out"), Unknown, None, "timed out"),
    ("place", 500, HTML, Unknown, None, "500"),
    ("place", 502, HTML, Unknown, None, "502"),
    ("place", 408, HTML, Unknown, None, "408"),
    ("place", 409, HTML, Unknown, None, "409"),
    ("place", 200, HTML, Unknown, None, "not JSON"),
    ("place", 200, {}, Unknown, None, "not readable"),
    ("place", 200, {"status": "ok", "response": {"type": "default"}}, Unknown, None, "names no order"),
    ("place", 200, {"status": "ok", "response": {"type": "order", "data": {"statuses": []}}}, Unknown, None, "for 0"),
    # Refused for its rate.
    (
        *(
            "place",
            200,
            refused_whole("Too many cumulative requests sent (37986 > 10436) for cumulative volume traded $437."),
        ),
        *(RateLimited, R.RATE_LIMIT, "RateLimit"),
    ),
    ("place", 429, "rate limited", RateLimited, R.RATE_LIMIT, "429"),
    (
        *("cancel", 200, refused_item("Order was never placed, already canceled, or filled. asset=4")),
        *(Rejected, R.UNKNOWN_ORDER, "MissingOrder"),
    ),
    ("cancel", 502, HTML, Unknown, None, "502"),
    ("amend", 200, refused_item("Cannot modify canceled or filled order"), Rejected, R.UNKNOWN_ORDER, "MissingOrder"),
    ("amend", 200, refused_whole("Cannot modify canceled or filled order"), Rejected, R.UNKNOWN_ORDER, "MissingOrder"),
    ("query", 200, {"status": "unknownOid"}, NotFound, None, CLOID),
    ("query", 422, "Failed to deserialize the JSON body", Rejected, R.BAD_REQUEST, "422"),
    ("query", 429, "rate limited", RateLimited, R.RATE_LIMIT, "429"),
    ("query", 500, HTML, Unknown, None, "500"),
]
