"""The paper Binance front's websocket API."""

import pytest

from gateways.paper.binance.limits import RateLimits
from tests.gateways.paper.binance_client import KEY, LIMIT, PaperClient

ORDER = "/fapi/v1/order"
MARKET = {"type": "MARKET", "price": "", "timeInForce": ""}


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


PLACE = {name: value for name, value in LIMIT.items() if value}


def test_orders_live_their_life_over_the_websocket_api(client: PaperClient) -> None:
    """Place, change, query and cancel answer as their REST twins do, each with the request's id and status."""
    api = client.connect("/ws-fapi/v1")
    placed = client.call(api, "order.place", **PLACE, newClientOrderId="mine")
    assert (placed["id"], placed["status"], placed["result"]["status"]) == ("a", 200, "NEW")
    assert [(row["rateLimitType"], row["interval"], row["count"]) for row in placed["rateLimits"]] == [
        ("REQUEST_WEIGHT", "MINUTE", 5),
        ("ORDERS", "SECOND", 1),
        ("ORDERS", "MINUTE", 1),
    ]
    named = {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
    changed = client.call(api, "order.modify", **named, side="BUY", quantity="0.02", price="93000")
    assert (changed["result"]["orderId"], changed["result"]["origQty"]) == (placed["result"]["orderId"], "0.020")
    assert client.call(api, "order.status", **named)["result"] == client.ask("GET", ORDER, **named)
    assert client.call(api, "order.cancel", **named)["result"]["status"] == "CANCELED"
    again = client.call(api, "order.cancel", **named)
    assert (again["status"], again["error"]["code"]) == (400, -2011)


def test_the_account_is_told_over_the_websocket_api(client: PaperClient) -> None:
    """Positions and money are those of REST."""
    api = client.connect("/ws-fapi/v1")
    client.order(**MARKET, quantity="0.1")
    (position,) = client.call(api, "v2/account.position")["result"]
    assert (position["symbol"], position["positionAmt"]) == ("BTCUSDT", "0.100")
    assert "unrealizedProfit" in position
    assert client.call(api, "account.balance")["result"] == client.ask("GET", "/fapi/v3/balance")


def test_unsigned_methods_need_no_key(client: PaperClient) -> None:
    """Ping, time and market data are answered to anybody; ids of every kind are echoed."""
    api = client.connect("/ws-fapi/v1", "returnRateLimits=false")
    assert client.say(api, {"id": 7, "method": "time"}) == {
        "id": 7,
        "status": 200,
        "result": {"serverTime": client.now_ms},
    }
    assert client.say(api, {"id": None, "method": "ping"}) == {"id": None, "status": 200, "result": {}}
    answer = client.say(
        api, {"id": 1, "method": "ticker.book", "params": {"symbol": "BTCUSDT", "returnRateLimits": True}}
    )
    assert answer["result"] == client.public("/fapi/v1/ticker/bookTicker", symbol="BTCUSDT")
    assert answer["rateLimits"][0]["rateLimitType"] == "REQUEST_WEIGHT"


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        ("{", 400, -1135),
        ("[]", 400, -1135),
        ({"id": 1, "method": "order.dance"}, 400, -1020),
        ({"id": 1, "method": "order.place", "params": []}, 401, -2014),
        ({"id": 1, "method": "order.place", "params": [1]}, 400, -1130),
        ({"id": 1, "method": "order.place", "params": {"apiKey": "nobody"}}, 401, -2015),
        ({"id": 1, "method": "order.place", "params": {"apiKey": KEY}}, 400, -1102),
        ({"id": 1, "method": "order.place", "params": {"apiKey": KEY, "signature": "0"}}, 400, -1022),
    ],
)
def test_unfit_websocket_requests_are_refused(client: PaperClient, message: object, status: int, code: int) -> None:
    """Each refusal is an answer with the venue's code, and no order comes of it."""
    answer = client.say(client.connect("/ws-fapi/v1"), message)
    assert (answer["status"], answer["error"]["code"]) == (status, code)
    assert client.exchange.orders(KEY) == []


def test_a_wrong_secret_places_nothing(client: PaperClient) -> None:
    """The signature over the sorted parameters is verified with the key's secret."""
    api = client.connect("/ws-fapi/v1")
    assert client.call(api, "order.place", secret="wrong", **PLACE)["error"]["code"] == -1022
    assert client.exchange.orders(KEY) == []


@pytest.mark.parametrize("ahead", [1_000, -5_001])
def test_a_late_or_early_request_places_nothing(client: PaperClient, ahead: int) -> None:
    """A websocket request's time is held against the same window as a REST request's."""
    api = client.connect("/ws-fapi/v1")
    assert client.call(api, "order.place", **PLACE, ahead=ahead)["error"]["code"] == -1021
    assert client.exchange.orders(KEY) == []


def test_the_order_limit_holds_over_the_websocket_api() -> None:
    """The limits are shared with REST, and a refusal says when to come back."""
    client = PaperClient(RateLimits(orders_10s=1))
    client.ladder()
    client.order()
    answer = client.call(client.connect("/ws-fapi/v1"), "order.place", **PLACE)
    assert (answer["status"], answer["error"]["code"]) == (429, -1015)
    assert answer["error"]["data"] == {"serverTime": client.now_ms, "retryAfter": client.now_ms + 10_000}
