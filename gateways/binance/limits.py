"""The venue's rate limits: what each request costs, and what the venue says it has counted.

Source: "General Info", "Limits", and the weight on each endpoint's page. Orders cost no request weight but count in two
pools of their own; everything else costs weight.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec

from gateways.binance.wire import RateLimit
from gateways.standards import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    DeadMansSwitch,
    PlaceOrder,
    QueryBalances,
    QueryBook,
    QueryContracts,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    QueryPositions,
    Request,
)
from gateways.transport.budget import Pool

WEIGHT, ORDERS_10S, ORDERS_1M = "weight", "orders_10s", "orders_1m"

DEFAULT_POOLS = (
    Pool(WEIGHT, limit=2_400, window_s=60.0),
    Pool(ORDERS_10S, limit=300, window_s=10.0),
    Pool(ORDERS_1M, limit=1_200, window_s=60.0),
)
"""The limits of a usual account, until ``exchangeInfo`` says otherwise."""

BAN_S = {429: 60.0, 418: 120.0}
"""Seconds to send nothing after these HTTP statuses when they bring no Retry-After: a window, the shortest ban."""

ORDER_PAUSE_S = 1.0
"""Seconds to send no order after a refusal that speaks of orders alone and names no time."""

ORDERS = (ORDERS_10S, ORDERS_1M)
"""The pools that orders and amends spend from; cancels and queries do not."""

LISTEN_KEY, SERVER_TIME, POSITION_MODE, QUOTE, FILLS, INCOME = 1, 1, 30, 2, 5, 30
"""Weights of the requests that are not standard ones."""

PLACE_BATCH: Mapping[str, int] = {ORDERS_10S: 5, ORDERS_1M: 1, WEIGHT: 5}
"""What several orders in one request cost, however many they are ("Place Multiple Orders")."""

CANCEL_BATCH: Mapping[str, int] = {WEIGHT: 1}
"""What several cancels in one request cost ("Cancel Multiple Orders")."""

_ORDER = dict.fromkeys(ORDERS, 1)
_HEADER = re.compile(r"x-mbx-(used-weight|order-count)-(\d+)([smhd])")
_POOL_OF_HEADER = {
    ("used-weight", "1", "m"): WEIGHT,
    ("order-count", "10", "s"): ORDERS_10S,
    ("order-count", "1", "m"): ORDERS_1M,
}
_POOL_OF_LIMIT = {
    ("REQUEST_WEIGHT", "MINUTE", 1): WEIGHT,
    ("ORDERS", "SECOND", 10): ORDERS_10S,
    ("ORDERS", "MINUTE", 1): ORDERS_1M,
}
_LONGEST_COUNT = 9
"""Digits of a count: a longer one is none of the venue's."""
_WINDOWS = {pool.name: pool.window_s for pool in DEFAULT_POOLS}


class Counted(msgspec.Struct, frozen=True, rename="camel"):
    """One limit beside a reply of the websocket API, with what is used of it."""

    rate_limit_type: str
    interval: str
    interval_num: int
    count: int = 0


class Reply(msgspec.Struct, frozen=True, rename="camel"):
    """The accounting part of a websocket API reply."""

    rate_limits: list[Counted] = []


_REPLY = msgspec.json.Decoder(Reply)


def costs_of(request: Request) -> Mapping[str, int]:
    """What a standard request costs, pool name to units."""
    match request:
        case PlaceOrder() | AmendOrder():
            return _ORDER
        case CancelOrder() | CancelAll() | QueryOrder() | QueryContracts():
            return {WEIGHT: 1}
        case QueryOpenOrders():
            return {WEIGHT: 1 if request.ticker else 40}
        case QueryFills() | QueryPositions() | QueryBalances():
            return {WEIGHT: 5}
        case DeadMansSwitch():
            return {WEIGHT: 10}
        case QueryBook():
            return {WEIGHT: _depth_weight(request.depth)}


def _depth_weight(depth: int) -> int:
    for most, weight in ((50, 2), (100, 5), (500, 10)):
        if depth <= most:
            return weight
    return 20


def used_of_headers(headers: Mapping[str, str]) -> dict[str, int]:
    """What the venue has counted, pool name to units, of an answer's headers (names in lower case)."""
    used = {}
    for name, value in headers.items():
        found = _HEADER.fullmatch(name)
        pool = _POOL_OF_HEADER.get((found[1], found[2], found[3])) if found else None
        if pool is not None and value.isascii() and value.isdecimal() and len(value) <= _LONGEST_COUNT:
            used[pool] = int(value)
    return used


def used_of_reply(raw: bytes) -> dict[str, int]:
    """What the venue has counted, of a websocket API reply; empty where it does not say."""
    try:
        counted = _REPLY.decode(raw).rate_limits
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    named = ((_POOL_OF_LIMIT.get((each.rate_limit_type, each.interval, each.interval_num)), each) for each in counted)
    return {pool: each.count for pool, each in named if pool is not None}


def pools_of(published: Iterable[RateLimit]) -> list[Pool]:
    """The pools with the limits that ``exchangeInfo`` publishes."""
    pools = []
    for each in published:
        name = _POOL_OF_LIMIT.get((each.rate_limit_type, each.interval, each.interval_num))
        if name is not None and each.limit > 0:
            pools.append(Pool(name, limit=each.limit, window_s=_WINDOWS[name]))
    return pools
