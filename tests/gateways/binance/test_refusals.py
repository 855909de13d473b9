"""What the venue's error codes prove, and what it says of its limits."""

import json

import pytest

from gateways.binance import limits, refusals
from gateways.binance.bodies import error
from gateways.binance.decode import decode
from gateways.binance.wire import RateLimit
from gateways.contracts import Contracts
from gateways.errors import RateLimited, Rejected, Unknown
from gateways.standards import QueryBook, QueryOpenOrders, Reject, RejectReason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (-2011, RejectReason.UNKNOWN_ORDER),
        (-2013, RejectReason.UNKNOWN_ORDER),
        (-1021, RejectReason.CLOCK),
        (-5028, RejectReason.CLOCK),
        (-1003, RejectReason.RATE_LIMIT),
        (-1015, RejectReason.RATE_LIMIT),
        (-2019, RejectReason.MARGIN),
        (-2022, RejectReason.REDUCE_ONLY),
        (-4164, RejectReason.MIN_NOTIONAL),
        (-4003, RejectReason.LOT),
        (-4004, RejectReason.LOT),
        (-4023, RejectReason.LOT),
        (-1111, RejectReason.LOT),
        (-4014, RejectReason.TICK),
        (-4016, RejectReason.PRICE_BAND),
        (-4131, RejectReason.PRICE_BAND),
        (-5021, RejectReason.NO_LIQUIDITY),
        (-5022, RejectReason.POST_ONLY),
        (-2025, RejectReason.TOO_MANY_ORDERS),
        (-2015, RejectReason.CREDENTIALS),
        (-1022, RejectReason.CREDENTIALS),
        (-4141, RejectReason.HALTED),
        (-1102, RejectReason.BAD_REQUEST),
        (-4999, RejectReason.OTHER),
    ],
)
def test_reasons(code: int, reason: RejectReason) -> None:
    """Codes have their normalized reason; the code and the text are kept beside it; all these are definite."""
    reject = error({"code": code, "msg": "why"}, "binance")
    assert (reject.code, reject.text, reject.reason, reject.definite) == (str(code), "why", reason, True)


@pytest.mark.parametrize("code", [-1000, -1001, -1006, -1007, -1010, -1042, -4116, -9999])
def test_codes_that_prove_nothing(code: int) -> None:
    """After an internal error, a timeout, a doubled id or a code of no known family the outcome is Unknown."""
    reject = error({"code": code, "msg": "execution status unknown"}, "binance")
    assert not reject.definite
    assert isinstance(refusals.error_of(reject), Unknown)


@pytest.mark.parametrize(
    ("status", "code", "definite"),
    [
        (400, -2019, True),
        (429, -1003, True),
        (503, -1008, True),
        (408, -1007, False),
        (500, -1003, False),
        (503, -1000, False),
        (400, -4116, False),
    ],
)
def test_what_a_reply_of_the_socket_proves(status: int, code: int, *, definite: bool) -> None:
    """The websocket API's status counts as that of HTTP does; an overloaded node did not take what it throttled."""
    raw = json.dumps({"id": "place-1", "status": status, "error": {"code": code, "msg": "why"}}).encode()
    [reject] = decode(raw, Contracts("binance"))
    assert isinstance(reject, Reject)
    assert reject.definite is definite


def test_errors_by_type() -> None:
    """A refusal for rate says how long to wait; any other definite one carries its reason."""
    limited = refusals.error_of(error({"code": -1015, "msg": "Too many new orders"}, "binance"))
    assert isinstance(limited, RateLimited)
    refused = refusals.error_of(error({"code": -2019, "msg": "Margin is insufficient."}, "binance"))
    assert isinstance(refused, Rejected)
    assert (refused.reason, refused.code) == (RejectReason.MARGIN, "-2019")


def test_codes_may_be_text() -> None:
    """Some answers write the code as a string."""
    assert error({"code": "-2013", "msg": ""}, "binance").code == refusals.NO_SUCH_ORDER


def test_the_end_of_a_ban_is_read_from_the_text() -> None:
    """A ban names its end, in ms of the venue's clock."""
    text = "Way too many requests; IP banned until 1607669560743. Please use the websocket for live updates."
    assert refusals.banned_until_ms(text) == 1607669560743
    assert refusals.banned_until_ms("Too many requests") is None


def test_used_budget_of_headers() -> None:
    """The venue's own counts are read by pool; other headers are not."""
    headers = {
        "x-mbx-used-weight-1m": "37",
        "x-mbx-order-count-10s": "3",
        "x-mbx-order-count-1m": "12",
        "x-mbx-used-weight-1h": "9",
        "x-response-time": "4ms",
    }
    assert limits.used_of_headers(headers) == {"weight": 37, "orders_10s": 3, "orders_1m": 12}


def test_used_budget_of_a_reply() -> None:
    """A websocket API reply lists the counts beside the result."""
    reply = {
        "id": "1",
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400, "count": 20},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300, "count": 2},
            {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 1, "count": 1},
        ],
    }
    assert limits.used_of_reply(json.dumps(reply).encode()) == {"weight": 20, "orders_10s": 2}
    assert limits.used_of_reply(b"{}") == {}
    assert limits.used_of_reply(b"nonsense") == {}


def test_published_limits_become_pools() -> None:
    """The limits of ``exchangeInfo`` replace the usual ones; unknown kinds are passed over."""
    pools = limits.pools_of([RateLimit("REQUEST_WEIGHT", "MINUTE", 1, 6000), RateLimit("UNKNOWN", "WEEK", 7, 99)])
    assert [(pool.name, pool.limit, pool.window_s) for pool in pools] == [("weight", 6000, 60.0)]


def test_costs() -> None:
    """Asking for everything costs more; a deeper book costs more."""
    assert limits.costs_of(QueryOpenOrders()) == {"weight": 40}
    assert limits.costs_of(QueryOpenOrders(ticker="ETHUSDT")) == {"weight": 1}
    weights = [limits.costs_of(QueryBook(ticker="X", depth=depth))["weight"] for depth in (5, 50, 100, 500, 1000)]
    assert weights == [2, 2, 5, 10, 20]
