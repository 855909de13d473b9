"""Requests as they leave: parameters, signature, and what is refused before it does."""

import hmac
import json
import string
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.binance.encode import encode, encode_ws, listen_key, plain, price_match, sign
from gateways.contracts import Contracts
from gateways.errors import Denied
from gateways.standards import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Credentials,
    DeadMansSwitch,
    OrderKind,
    PlaceOrder,
    PriceRule,
    PriceSide,
    QueryBalances,
    QueryBook,
    QueryContracts,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    QueryPositions,
    Request,
    TimeInForce,
)
from tests.gateways.binance.messages import CLOID

D = Decimal
KEYS = Credentials("the-api-key", "the-secret")
NOW_MS = 1_700_000_000_000


def sent(request: Request, contracts: Contracts) -> tuple[str, str, dict[str, str]]:
    """Method, path and the parameters beside those that every signed request has, its signature verified."""
    wire = encode(request, contracts, KEYS, NOW_MS)
    assert wire.body == b""
    payload, _, signature = wire.params.rpartition("&signature=")
    assert signature == sign(KEYS.secret, payload)
    assert wire.headers == {"X-MBX-APIKEY": KEYS.key}
    params = dict(parse_qsl(payload))
    assert (params.pop("timestamp"), params.pop("recvWindow")) == (str(NOW_MS), "5000")
    return wire.method, wire.path, params


LIMIT = {"symbol": "ETHUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.1", "newClientOrderId": CLOID} | {
    "newOrderRespType": "RESULT"
}


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"price": D("2500.10")}, {"timeInForce": "GTC", "price": "2500.1"}),
        ({"price": D("2500"), "post_only": True}, {"timeInForce": "GTX", "price": "2500"}),
        ({"price": D("2500"), "tif": TimeInForce.IOC}, {"timeInForce": "IOC", "price": "2500"}),
        ({"price": D("2500"), "tif": TimeInForce.FOK}, {"timeInForce": "FOK", "price": "2500"}),
        ({"price": D("2500"), "reduce_only": True}, {"timeInForce": "GTC", "price": "2500", "reduceOnly": "true"}),
        ({"price_rule": PriceRule(PriceSide.QUEUE, 1)}, {"timeInForce": "GTC", "priceMatch": "QUEUE"}),
        ({"price_rule": PriceRule(PriceSide.QUEUE, 5)}, {"timeInForce": "GTC", "priceMatch": "QUEUE_5"}),
        ({"price_rule": PriceRule(PriceSide.OPPONENT, 20)}, {"timeInForce": "GTC", "priceMatch": "OPPONENT_20"}),
    ],
)
def test_limit_orders(terms: dict[str, object], expected: dict[str, str], contracts: Contracts) -> None:
    """Each way to price and time a limit order."""
    order = PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D("0.100"), **terms)
    assert sent(order, contracts) == ("POST", "/fapi/v1/order", LIMIT | expected)


def test_market_order(contracts: Contracts) -> None:
    """A market order has no price and no time in force; a worst price, for other venues, is left out."""
    order = PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D(-2), kind=OrderKind.MARKET, price=D(1), reduce_only=True)
    assert sent(order, contracts) == (
        "POST",
        "/fapi/v1/order",
        {
            "symbol": "ETHUSDT",
            "side": "SELL",
            "type": "MARKET",
            "quantity": "2",
            "newClientOrderId": CLOID,
            "newOrderRespType": "RESULT",
            "reduceOnly": "true",
        },
    )


def test_bundles_are_sent_in_the_venues_units(contracts: Contracts) -> None:
    """10,000 PEPE are ten of 1000PEPE, at a thousand times the price."""
    order = PlaceOrder(ticker="1000PEPEUSDT", cloid=CLOID, amount=D(10_000), price=D("0.0000123"))
    _, _, params = sent(order, contracts)
    assert (params["quantity"], params["price"]) == ("10", "0.0123")
    amend = AmendOrder(ticker="1000PEPEUSDT", cloid=CLOID, oid="7", amount=D(20_000), price=D("0.0000124"))
    _, _, params = sent(amend, contracts)
    assert (params["quantity"], params["price"]) == ("20", "0.0124")


def test_amend_states_the_total(contracts: Contracts) -> None:
    """An amend has side, price and the whole quantity, what is filled included; the oid names the order."""
    amend = AmendOrder(ticker="ETHUSDT", cloid=CLOID, oid="7", amount=D(-3), price=D("2500.5"), filled=D(-1))
    params = {"symbol": "ETHUSDT", "orderId": "7", "side": "SELL", "quantity": "3", "price": "2500.5"}
    assert sent(amend, contracts) == ("PUT", "/fapi/v1/order", params)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            CancelOrder(ticker="ETHUSDT", cloid=CLOID, oid="7"),
            ("DELETE", "/fapi/v1/order", {"symbol": "ETHUSDT", "orderId": "7"}),
        ),
        (
            CancelOrder(ticker="ETHUSDT", cloid=CLOID),
            ("DELETE", "/fapi/v1/order", {"symbol": "ETHUSDT", "origClientOrderId": CLOID}),
        ),
        (
            QueryOrder(ticker="ETHUSDT", cloid=CLOID),
            ("GET", "/fapi/v1/order", {"symbol": "ETHUSDT", "origClientOrderId": CLOID}),
        ),
        (CancelAll(ticker="ETHUSDT"), ("DELETE", "/fapi/v1/allOpenOrders", {"symbol": "ETHUSDT"})),
        (QueryOpenOrders(), ("GET", "/fapi/v1/openOrders", {})),
        (QueryOpenOrders(ticker="ETHUSDT"), ("GET", "/fapi/v1/openOrders", {"symbol": "ETHUSDT"})),
        (QueryPositions(), ("GET", "/fapi/v3/positionRisk", {})),
        (QueryBalances(), ("GET", "/fapi/v3/balance", {})),
        (
            QueryFills(since_ns=1_600_000_000_123_456_789, ticker="ETHUSDT"),
            ("GET", "/fapi/v1/userTrades", {"symbol": "ETHUSDT", "startTime": "1600000000123", "limit": "1000"}),
        ),
        (
            DeadMansSwitch(ticker="ETHUSDT", timeout_ms=10_000),
            ("POST", "/fapi/v1/countdownCancelAll", {"symbol": "ETHUSDT", "countdownTime": "10000"}),
        ),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Request.__args__) else "",
)
def test_the_other_requests(request_: Request, expected: tuple[str, str, dict[str, str]], contracts: Contracts) -> None:
    """Method, path and parameters of each verb."""
    assert sent(request_, contracts) == expected


def test_public_requests_are_not_signed(contracts: Contracts) -> None:
    """Contracts and books are asked for without a key; a depth is one that the venue takes."""
    info = encode(QueryContracts(), contracts, KEYS, NOW_MS)
    assert (info.method, info.path, info.params, info.headers) == ("GET", "/fapi/v1/exchangeInfo", "", {})
    book = encode(QueryBook(ticker="ETHUSDT", depth=21), contracts, KEYS, NOW_MS)
    assert (book.path, book.params, book.headers) == ("/fapi/v1/depth", "symbol=ETHUSDT&limit=50", {})


def test_listen_key(contracts: Contracts) -> None:
    """The key's life needs the API key and no signature."""
    made = listen_key("POST", KEYS)
    assert (made.method, made.path, made.params) == ("POST", "/fapi/v1/listenKey", "")
    assert made.headers == {"X-MBX-APIKEY": "the-api-key"}


def test_values_are_escaped_before_the_signature(contracts: Contracts) -> None:
    """A ticker that is not ASCII is percent-encoded, and the signature is over the encoded text."""
    wire = encode(CancelAll(ticker="币安人生USDT"), contracts, KEYS, NOW_MS)
    assert wire.params.startswith("symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&")
    payload, _, signature = wire.params.rpartition("&signature=")
    assert signature == sign(KEYS.secret, payload)


@pytest.mark.parametrize(
    ("request_", "method"),
    [
        (PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D(1), price=D(2500)), "order.place"),
        (AmendOrder(ticker="ETHUSDT", cloid=CLOID, oid="7", amount=D(1), price=D(2500)), "order.modify"),
        (CancelOrder(ticker="ETHUSDT", oid="7"), "order.cancel"),
        (QueryOrder(ticker="ETHUSDT", cloid=CLOID), "order.status"),
    ],
)
def test_websocket_requests(request_: Request, method: str, contracts: Contracts) -> None:
    """Over the websocket API: the same parameters as by HTTP, the key among them, signed in order of their names."""
    message = json.loads(encode_ws(request_, contracts, KEYS, NOW_MS, "place-1"))
    assert (message["id"], message["method"]) == ("place-1", method)
    params = message["params"]
    signature = params.pop("signature")
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    assert signature == sign(KEYS.secret, payload)
    assert params.pop("apiKey") == KEYS.key
    assert (params.pop("timestamp"), params.pop("recvWindow")) == (NOW_MS, 5000)
    assert {name: str(value) for name, value in params.items()} == sent(request_, contracts)[2]


def test_queries_do_not_go_over_the_websocket(contracts: Contracts) -> None:
    """Only orders do."""
    with pytest.raises(Denied):
        encode_ws(QueryBalances(), contracts, KEYS, NOW_MS, "1")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ticker": "ETHUSD"}, "ticker"),
        ({"amount": D(0)}, "amount"),
        ({"amount": D("NaN")}, "amount"),
        ({"price": D(0)}, "price"),
        ({"price": D(-1)}, "price"),
        ({"price": None}, "price"),
        ({"price_rule": PriceRule(PriceSide.QUEUE, 1)}, "price"),
        ({"price": None, "price_rule": PriceRule(PriceSide.QUEUE, 1), "post_only": True}, "price_rule"),
        ({"tif": TimeInForce.IOC, "post_only": True}, "tif"),
        ({"kind": OrderKind.MARKET, "post_only": True}, "post_only"),
    ],
)
def test_what_cannot_be_is_denied(changes: dict[str, object], field: str, contracts: Contracts) -> None:
    """An order that the venue does not have is refused before it is sent, naming the field."""
    order: dict[str, object] = {"ticker": "ETHUSDT", "cloid": CLOID, "amount": D(1), "price": D(2500)}
    with pytest.raises(Denied) as raised:
        encode(PlaceOrder(**{**order, **changes}), contracts, KEYS, NOW_MS)
    assert raised.value.field == field


def test_an_unknown_ticker_is_answered_with_the_nearest(contracts: Contracts) -> None:
    """The refusal says what may have been meant."""
    with pytest.raises(Denied, match="did you mean ETHUSDT"):
        encode(PlaceOrder(ticker="ETHUSD", cloid=CLOID, amount=D(1), price=D(1)), contracts, KEYS, NOW_MS)


@pytest.mark.parametrize("oid", [None, "", "7; DROP"])
def test_an_order_must_be_named(oid: str | None, contracts: Contracts) -> None:
    """Neither id, or an oid that is no number: refused."""
    with pytest.raises(Denied):
        encode(CancelOrder(ticker="ETHUSDT", oid=oid), contracts, KEYS, NOW_MS)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**9, places=8))
def test_plain_decimals(value: Decimal) -> None:
    """A number is written without exponent and superfluous zeros, and reads back as itself."""
    text = plain(value)
    assert Decimal(text) == value
    assert set(text) <= set("0123456789.")
    assert not (("." in text) and text.endswith(("0", ".")))


def test_price_rules_have_names() -> None:
    """Level 1 has no number."""
    rules = [PriceRule(side, level) for side in PriceSide for level in (1, 5)]
    assert [price_match(rule) for rule in rules] == ["QUEUE", "QUEUE_5", "OPPONENT", "OPPONENT_5"]


@given(st.text(alphabet=string.ascii_letters, max_size=150), st.text(max_size=300))
def test_a_signature_is_the_hmac_of_what_is_sent(secret: str, payload: str) -> None:
    """For secrets of every length: those beyond a block of the hash go in by their own."""
    assert sign(secret, payload) == hmac.new(secret.encode(), payload.encode(), "sha256").hexdigest()
