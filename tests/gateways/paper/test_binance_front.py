"""The paper Binance front's REST side: who may ask, what is refused and how, what orders become."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.paper.binance.front import BinanceFront
from gateways.paper.binance.limits import RateLimits
from gateways.paper.binance.requests import signed_payload
from gateways.paper.contracts import paper_exchange
from tests.gateways.paper.binance_client import KEY, LIMIT, OTHER_KEY, SECRET, PaperClient, code_of, signed
from tests.gateways.paper.front_client import MONEY

ORDER = "/fapi/v1/order"


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


# ------------------------------------------------------------------ who may ask

DOCUMENTED_KEY = "dbefbc809e3e83c283a984c3a1459732ea7db1360ca80c5c2c8867408d28cc83"
DOCUMENTED_SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
DOCUMENTED_MS = 1591702613943
DOCUMENTED_PARAMS = (
    "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000&timestamp=1591702613943"
)
DOCUMENTED_SIGNATURE = "&signature=3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (DOCUMENTED_PARAMS + DOCUMENTED_SIGNATURE, ""),
        ("", DOCUMENTED_PARAMS + DOCUMENTED_SIGNATURE),
        (DOCUMENTED_PARAMS + DOCUMENTED_SIGNATURE.upper().replace("SIGNATURE", "signature"), ""),
    ],
    ids=["in the query", "in the body", "signature in capitals"],
)
def test_the_documented_signature_is_accepted(query: str, body: str) -> None:
    """The signed request of the venue's own documentation passes at the time written in it."""
    now_ns = DOCUMENTED_MS * 1_000_000
    exchange = paper_exchange("binance", now_ns=lambda: now_ns)
    exchange.open_account(DOCUMENTED_KEY, MONEY)
    front = BinanceFront(exchange, accounts={DOCUMENTED_KEY: DOCUMENTED_SECRET}, now_ns=lambda: now_ns)
    headers = {"x-mbx-apikey": DOCUMENTED_KEY}
    assert front.http("POST", "/fapi/v1/order/test", query, headers, body.encode()).status == 200
    spoilt = front.http("POST", "/fapi/v1/order/test", query.replace("9000", "9001"), headers, body.encode())
    changed = front.http("POST", "/fapi/v1/order/test", query, headers, body.replace("9000", "9001").encode())
    assert sorted([spoilt.status, changed.status]) == [200, 400]


def test_query_and_body_are_signed_together() -> None:
    """The signature covers the query followed at once by the body, and the query's value of a name counts."""
    client = PaperClient()
    client.ladder()
    query, body = (
        "symbol=BTCUSDT&side=BUY&type=LIMIT",
        f"side=SELL&timeInForce=GTC&quantity=0.01&price=94000&timestamp={client.now_ms}",
    )
    signature = hmac.new(SECRET.encode(), (query + body).encode(), hashlib.sha256).hexdigest()
    reply = client.http("POST", ORDER, query, {"x-mbx-apikey": KEY}, f"{body}&signature={signature}".encode())
    assert reply.status == 200
    assert json.loads(reply.body)["side"] == "BUY"


@given(st.text(st.characters(codec="utf-8", exclude_characters="&"), max_size=30), st.sampled_from([0, 1, 2]))
def test_the_signature_leaves_the_payload_wherever_it_stands(value: str, place: int) -> None:
    """Taking the signature out returns what was there without it."""
    parts = [f"a={value}".encode(), b"b=2"]
    with_signature = [*parts[:place], b"signature=0f", *parts[place:]]
    assert signed_payload("", b"&".join(with_signature)) == b"&".join(parts)


@pytest.mark.parametrize(
    ("headers", "change", "status", "code"),
    [
        ({}, {}, 401, -2014),
        ({"x-mbx-apikey": "nobody"}, {}, 401, -2015),
        ({"x-mbx-apikey": KEY}, {"secret": "wrong"}, 400, -1022),
        ({"x-mbx-apikey": KEY}, {"timestamp": 0}, 400, -1021),
        ({"x-mbx-apikey": KEY}, {"ahead": 1_000}, 400, -1021),
        ({"x-mbx-apikey": KEY}, {"ahead": -5_001}, 400, -1021),
        ({"x-mbx-apikey": KEY}, {"ahead": -101, "recvWindow": 100}, 400, -1021),
        ({"x-mbx-apikey": KEY}, {"recvWindow": 60_001}, 400, -1131),
        ({"x-mbx-apikey": KEY}, {"timestamp": ""}, 400, -1102),
    ],
)
def test_an_unfit_sender_is_refused(
    client: PaperClient, headers: dict[str, str], change: dict[str, Any], status: int, code: int
) -> None:
    """Key, signature and time are each checked, with the venue's codes, and no order comes of it."""
    secret = change.pop("secret", SECRET)
    timestamp = client.now_ms + change.pop("ahead", 0)
    reply = client.http("POST", ORDER, signed({**LIMIT, "timestamp": timestamp, **change}, secret), headers)
    assert (reply.status, code_of(reply)) == (status, code)
    assert client.exchange.orders(KEY) == []


@pytest.mark.parametrize("ahead", [999, 0, -5_000])
def test_the_time_window_is_closed_at_its_ends(client: PaperClient, ahead: int) -> None:
    """A request up to a second early and up to recvWindow late is taken."""
    query = signed({"timestamp": client.now_ms + ahead})
    assert client.http("GET", "/fapi/v1/openOrders", query, {"x-mbx-apikey": KEY}).status == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/fapi/v1/nothing"), ("DELETE", "/fapi/v1/depth"), ("GET", "/")])
def test_an_unknown_route_is_the_venues_404(client: PaperClient, method: str, path: str) -> None:
    """Paths and methods that the venue does not have answer 404 with its body."""
    reply = client.http(method, path)
    assert reply.status == 404
    assert json.loads(reply.body) == {"code": -5000, "msg": f"Path {path}, Method {method} is invalid"}


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"symbol": "NONEUSDT"}, -1121),
        ({"symbol": ""}, -1102),
        ({"side": ""}, -1102),
        ({"side": "HOLD"}, -1117),
        ({"type": "LIMIT_MAKER"}, -1116),
        ({"type": "STOP_MARKET", "stopPrice": "90000"}, -4120),
        ({"timeInForce": ""}, -1102),
        ({"timeInForce": "DAY"}, -1115),
        ({"quantity": ""}, -1102),
        ({"quantity": "1e-2"}, -1100),
        ({"quantity": "-1"}, -1100),
        ({"quantity": "NaN"}, -1100),
        ({"quantity": "0.0105"}, -1111),
        ({"quantity": "0"}, -4003),
        ({"quantity": "1000.001"}, -4005),
        ({"price": ""}, -1102),
        ({"price": "94000.001"}, -1111),
        ({"price": "94000.05"}, -4014),
        ({"price": "99999999"}, -4002),
        ({"price": "0"}, -4001),
        ({"price": "120000"}, -4016),
        ({"side": "SELL", "price": "70000"}, -4024),
        ({"quantity": "0.001"}, -4164),
        ({"quantity": "800"}, -2019),
        ({"reduceOnly": "true"}, -2022),
        ({"reduceOnly": "yes"}, -1130),
        ({"positionSide": "LONG"}, -4061),
        ({"selfTradePreventionMode": "EXPIRE_BOTH"}, -5039),
        ({"newClientOrderId": "x" * 37}, -4015),
        ({"newClientOrderId": "no spaces"}, -1100),
        ({"newOrderRespType": "FULL"}, -1130),
        ({"price": "95000.1", "timeInForce": "GTX"}, -5022),
        ({"price": "95000.2", "quantity": "1.5", "timeInForce": "FOK"}, -5021),
        ({"priceMatch": "QUEUE"}, -1106),
        ({"priceMatch": "QUEUE_7", "price": ""}, -5037),
        ({"priceMatch": "QUEUE", "price": "", "timeInForce": "GTX"}, -5037),
        ({"type": "MARKET", "timeInForce": ""}, -1106),
        ({"type": "MARKET", "price": ""}, -1106),
        ({"type": "MARKET", "price": "", "timeInForce": "", "quantity": "120.001"}, -4005),
    ],
)
def test_an_unfit_order_is_refused(client: PaperClient, change: dict[str, str], code: int) -> None:
    """Each refusal has the venue's code, leaves nothing behind to be found, and is told to nobody."""
    stream = client.stream()
    before = client.public("/fapi/v1/depth", symbol="BTCUSDT")
    assert client.refused("POST", ORDER, **{**LIMIT, **change}) == code
    assert client.ask("GET", "/fapi/v1/allOrders", symbol="BTCUSDT") == []
    assert client.heard(stream) == []
    assert client.public("/fapi/v1/depth", symbol="BTCUSDT") == before


@pytest.mark.parametrize("change", [{"price": "95000.1", "timeInForce": "GTX"}, {"timeInForce": "FOK"}])
def test_a_refused_order_is_not_in_the_history(client: PaperClient, change: dict[str, str]) -> None:
    """A GTX or FOK order that was refused is not found by its client id, which may be used at once again."""
    assert client.refused("POST", ORDER, **{**LIMIT, **change, "newClientOrderId": "mine"}) in {-5021, -5022}
    assert client.refused("GET", ORDER, symbol="BTCUSDT", origClientOrderId="mine") == -2013
    assert client.refused("DELETE", ORDER, symbol="BTCUSDT", origClientOrderId="mine") == -2011
    assert client.order(newClientOrderId="mine")["status"] == "NEW"


def test_lots_are_checked_where_the_precision_is_finer() -> None:
    """FXS trades in tenths: more decimals are too precise, which is another code than off the lot."""
    client = PaperClient()
    client.quote("FXSUSDT", [("7.4", "100")], [("7.6", "100")])
    fxs = {"symbol": "FXSUSDT", "price": "7.400"}
    assert client.refused("POST", ORDER, **{**LIMIT, **fxs, "quantity": "1.05"}) == -1111
    assert client.refused("POST", ORDER, **{**LIMIT, **fxs, "quantity": "0.1"}) == -4164
    assert client.order(**fxs, quantity="0.7")["origQty"] == "0.7"


def test_a_client_id_is_unique_among_open_orders_only(client: PaperClient) -> None:
    """The id of an open order is refused, that of a closed one may be used again and then names the new order."""
    first = client.order(newClientOrderId="mine")
    assert client.refused("POST", ORDER, **{**LIMIT, "newClientOrderId": "mine"}) == -4116
    client.ask("DELETE", ORDER, symbol="BTCUSDT", origClientOrderId="mine")
    second = client.order(newClientOrderId="mine")
    assert second["orderId"] > first["orderId"]
    assert client.ask("GET", ORDER, symbol="BTCUSDT", origClientOrderId="mine")["orderId"] == second["orderId"]


def test_an_order_that_is_not_open_cannot_be_cancelled(client: PaperClient) -> None:
    """Cancel answers -2011 for closed and unknown orders, query -2013 for unknown ones, and both want an id."""
    order = client.order()
    named = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    assert client.ask("DELETE", ORDER, **named)["status"] == "CANCELED"
    assert client.refused("DELETE", ORDER, **named) == -2011
    assert client.refused("DELETE", ORDER, symbol="BTCUSDT", origClientOrderId="none") == -2011
    assert client.refused("GET", ORDER, symbol="BTCUSDT", orderId=10**12) == -2013
    assert client.refused("GET", ORDER, symbol="BTCUSDT") == -1102
    assert client.refused("GET", "/fapi/v1/openOrder", **named) == -2013
    assert client.ask("GET", ORDER, **named)["status"] == "CANCELED"


def test_orders_of_another_account_do_not_exist(client: PaperClient) -> None:
    """An account neither sees nor cancels another's orders."""
    named = {"symbol": "BTCUSDT", "orderId": client.order()["orderId"]}
    assert client.refused("GET", ORDER, key=OTHER_KEY, **named) == -2013
    assert client.refused("DELETE", ORDER, key=OTHER_KEY, **named) == -2011
    assert client.ask("GET", "/fapi/v1/openOrders", key=OTHER_KEY) == []


NAMES = [
    *LIMIT,
    *("orderId", "origClientOrderId", "newClientOrderId", "newOrderRespType", "priceMatch", "reduceOnly", "limit"),
    *("fromId", "startTime", "endTime", "recvWindow", "timestamp", "countdownTime", "leverage", "marginType"),
    *("batchOrders", "orderIdList", "origClientOrderIdList", "dualSidePosition", "signature"),
]
VALUES = st.one_of(
    st.sampled_from(
        [*LIMIT.values(), "ETHUSDT", "SELL", "MARKET", "GTX", "FOK", "QUEUE_5", "RESULT", "true", "[]", "[1]"]
    ),
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(allow_nan=True).map(str),
    st.text(max_size=8),
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_signed_request_has_an_answer(data: st.DataObject) -> None:
    """Whatever its parameters are, a request to any route is done or refused in the venue's form, never an accident."""
    client = PaperClient()
    client.ladder(levels=5)
    method, path = data.draw(st.sampled_from(sorted(client.front._routes)))
    params = {"timestamp": client.now_ms, **data.draw(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=9))}
    reply = client.http(method, path, signed(params), {"x-mbx-apikey": KEY})
    assert reply.status == 200 or code_of(reply) < 0


# ------------------------------------------------------------------ limits


def test_orders_over_the_limit_are_refused_until_its_period_ends() -> None:
    """The order count rises with every order, 429 and Retry-After answer what is over, and time heals it."""
    client = PaperClient(RateLimits(orders_10s=3))
    client.ladder()
    counts = [client.send("POST", ORDER, **LIMIT).headers["X-MBX-ORDER-COUNT-10S"] for _ in range(3)]
    assert counts == ["1", "2", "3"]
    over = client.send("POST", ORDER, **LIMIT)
    assert (over.status, code_of(over), over.headers["Retry-After"]) == (429, -1015, "10")
    assert len(client.exchange.open_orders(KEY)) == 3
    assert client.send("POST", ORDER, key=OTHER_KEY, **LIMIT).status == 200
    client.wait(10_000)
    assert client.send("POST", ORDER, **LIMIT).headers["X-MBX-ORDER-COUNT-1M"] == "4"


def test_weight_over_the_limit_is_refused_until_the_minute_ends() -> None:
    """Every answer tells the weight used; over the limit nothing is answered until the next minute."""
    client = PaperClient(RateLimits(weight_1m=45))
    assert client.http("GET", "/fapi/v1/depth", "symbol=BTCUSDT&limit=1000").headers["X-MBX-USED-WEIGHT-1M"] == "20"
    assert client.send("GET", "/fapi/v1/openOrders", symbol="BTCUSDT").headers["X-MBX-USED-WEIGHT-1M"] == "21"
    over = client.send("GET", "/fapi/v1/openOrders")
    assert (over.status, code_of(over), over.headers["Retry-After"]) == (429, -1003, "60")
    client.wait(59_999)
    assert client.http("GET", "/fapi/v1/time").status == 429
    client.wait(1)
    assert client.http("GET", "/fapi/v1/time").headers["X-MBX-USED-WEIGHT-1M"] == "1"
