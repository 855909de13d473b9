"""Standard requests into Bybit requests: fields, signatures, refusals before sending."""

import json
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.bybit import encode as encoding
from gateways.bybit.encode import encode, encode_ws, login, plain, sign
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
    WireRequest,
)
from tests.gateways.bybit.messages import CLOID, NOW_MS, OID

D = Decimal
CREDENTIALS = Credentials("the-key", "the-secret")
ORDER = PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D(-2), price=D("2500.50"))


def sent(request: Request, contracts: Contracts) -> WireRequest:
    """The request, its signature verified over exactly the bytes that are sent."""
    made = encode(request, contracts, CREDENTIALS, NOW_MS)
    headers = made.headers
    payload = made.params if made.method == "GET" else made.body.decode()
    stamp = f"{headers['X-BAPI-TIMESTAMP']}{headers['X-BAPI-API-KEY']}{headers['X-BAPI-RECV-WINDOW']}"
    assert headers["X-BAPI-SIGN"] == sign("the-secret", stamp + payload)
    assert (headers["X-BAPI-TIMESTAMP"], headers["X-BAPI-API-KEY"]) == (str(NOW_MS), "the-key")
    return made


def fields(order: PlaceOrder | AmendOrder | CancelOrder, contracts: Contracts) -> dict[str, object]:
    """The JSON body of an order request, the same over HTTP as on the socket."""
    body: dict[str, object] = json.loads(sent(order, contracts).body)
    message = json.loads(encode_ws(order, contracts, NOW_MS, "r-1"))
    assert message["args"] == [body]
    assert message["header"] == {"X-BAPI-TIMESTAMP": str(NOW_MS), "X-BAPI-RECV-WINDOW": "5000"}
    assert message["reqId"] == "r-1"
    return body


def test_a_limit_order(contracts: Contracts) -> None:
    """Category, side by sign, plain numbers, our id."""
    assert fields(ORDER, contracts) == {
        "category": "linear",
        "symbol": "ETHUSDT",
        "side": "Sell",
        "orderType": "Limit",
        "qty": "2",
        "price": "2500.5",
        "timeInForce": "GTC",
        "orderLinkId": CLOID,
    }
    assert sent(ORDER, contracts).path == "/v5/order/create"
    assert json.loads(encode_ws(ORDER, contracts, NOW_MS, "x"))["op"] == "order.create"


def test_terms_of_orders(contracts: Contracts) -> None:
    """Post-only is a time in force of the venue; reduce-only is a flag; a market order has neither price nor time."""
    post_only = PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D(1), price=D(1), post_only=True)
    assert fields(post_only, contracts)["timeInForce"] == "PostOnly"
    market = PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D(1), kind=OrderKind.MARKET, reduce_only=True)
    made = fields(market, contracts)
    assert (made["orderType"], made["reduceOnly"], "price" in made, "timeInForce" in made) == (
        "Market",
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("rule", "side", "level"),
    [
        (PriceRule(PriceSide.QUEUE, 1), "Queue", "1"),
        (PriceRule(PriceSide.OPPONENT, 5), "Counterparty", "5"),
    ],
)
def test_price_rules_that_the_venue_matches(contracts: Contracts, rule: PriceRule, side: str, level: str) -> None:
    """A rule of the first or fifth level is the venue's own best-bid-offer order, without a price."""
    made = fields(PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D(1), price_rule=rule), contracts)
    assert (made["bboSideType"], made["bboLevel"], "price" in made) == (side, level, False)


def test_bundles_are_converted_at_the_door(contracts: Contracts) -> None:
    """300,000 PEPE at 0.000012 are 300 bundles at 0.012."""
    order = PlaceOrder(ticker="1000PEPEUSDT", cloid=CLOID, amount=D(300_000), price=D("0.000012"))
    made = fields(order, contracts)
    assert (made["qty"], made["price"]) == ("300", "0.012")


def test_amends_name_the_new_total(contracts: Contracts) -> None:
    """An amend sends the new total quantity and price; the oid wins over the cloid."""
    amend = AmendOrder(ticker="ETHUSDT", cloid=CLOID, oid=OID, amount=D(-3), price=D(2499), filled=D(-1))
    expected = {"category": "linear", "symbol": "ETHUSDT", "orderId": OID, "qty": "3", "price": "2499"}
    assert fields(amend, contracts) == expected
    assert sent(amend, contracts).path == "/v5/order/amend"


def test_cancels_name_one_order(contracts: Contracts) -> None:
    """By oid, or by cloid; by neither is refused before sending."""
    named = {"category": "linear", "symbol": "ETHUSDT"}
    assert fields(CancelOrder(ticker="ETHUSDT", oid=OID, cloid=CLOID), contracts) == {**named, "orderId": OID}
    assert fields(CancelOrder(ticker="ETHUSDT", cloid=CLOID), contracts) == {**named, "orderLinkId": CLOID}
    with pytest.raises(Denied):
        encode(CancelOrder(ticker="ETHUSDT"), contracts, CREDENTIALS, NOW_MS)


@pytest.mark.parametrize(
    ("request_", "path", "params"),
    [
        (QueryOrder(ticker="ETHUSDT", cloid=CLOID), "/v5/order/realtime", {"symbol": "ETHUSDT", "orderLinkId": CLOID}),
        (QueryOpenOrders(ticker="ETHUSDT"), "/v5/order/realtime", {"symbol": "ETHUSDT"}),
        (QueryOpenOrders(), "/v5/order/realtime", {"settleCoin": "USDT"}),
        (QueryFills(since_ns=5 * 10**18), "/v5/execution/list", {"startTime": "5000000000000", "limit": "100"}),
        (QueryPositions(), "/v5/position/list", {"settleCoin": "USDT"}),
    ],
    ids=lambda each: type(each).__name__,
)
def test_signed_queries(contracts: Contracts, request_: Request, path: str, params: dict[str, str]) -> None:
    """Each query has its path and parameters, the category among them."""
    made = sent(request_, contracts)
    assert (made.method, made.path, made.body) == ("GET", path, b"")
    assert dict(parse_qsl(made.params)) == {"category": "linear", **params}


def test_other_requests(contracts: Contracts) -> None:
    """Balances are of the unified account; public queries carry no key; all orders of one contract are cancelled."""
    assert sent(QueryBalances(), contracts).params == "accountType=UNIFIED"
    book = encode(QueryBook(ticker="ETHUSDT", depth=9_999), contracts, CREDENTIALS, NOW_MS)
    assert (book.params, book.headers) == ("category=linear&symbol=ETHUSDT&limit=500", {})
    listed = encode(QueryContracts(), contracts, CREDENTIALS, NOW_MS)
    assert (listed.path, listed.headers) == ("/v5/market/instruments-info", {})
    assert json.loads(sent(CancelAll(ticker="ETHUSDT"), contracts).body) == {"category": "linear", "symbol": "ETHUSDT"}


def test_disconnection_protection(contracts: Contracts) -> None:
    """The venue takes 3 to 300 seconds for the whole account; nothing else is sent."""
    made = sent(DeadMansSwitch(timeout_ms=40_000), contracts)
    assert json.loads(made.body) == {"product": "DERIVATIVES", "timeWindow": 40}
    for refused in (DeadMansSwitch(timeout_ms=0), DeadMansSwitch(timeout_ms=40_000, ticker="ETHUSDT")):
        with pytest.raises(Denied):
            encode(refused, contracts, CREDENTIALS, NOW_MS)


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (PlaceOrder(ticker="NOPE", cloid=CLOID, amount=D(1), price=D(1)), "ticker"),
        (PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D(0), price=D(1)), "amount"),
        (PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D("NaN"), price=D(1)), "amount"),
        (PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D(1), price=D(-1)), "price"),
        (PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D(1)), "price"),
        (
            PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D(1), price=D(1), post_only=True, tif=TimeInForce.IOC),
            "tif",
        ),
        (
            PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D(1), price_rule=PriceRule(PriceSide.QUEUE, 20)),
            "price_rule",
        ),
        (
            PlaceOrder(
                ticker="ETHUSDT", cloid=CLOID, amount=D(1), price_rule=PriceRule(PriceSide.QUEUE, 1), post_only=True
            ),
            "price_rule",
        ),
    ],
)
def test_what_cannot_be_said_is_denied(contracts: Contracts, order: PlaceOrder, field: str) -> None:
    """An order that the venue has no words for is refused before sending, with the field."""
    with pytest.raises(Denied) as raised:
        encode(order, contracts, CREDENTIALS, NOW_MS)
    assert raised.value.field == field


def test_only_orders_go_over_the_socket(contracts: Contracts) -> None:
    """A query over the order entry socket is refused."""
    with pytest.raises(Denied):
        encode_ws(QueryBalances(), contracts, NOW_MS, "r")


def test_login_signs_its_expiry() -> None:
    """The login of a socket is signed over the fixed text and the time until which it holds."""
    message = json.loads(login(CREDENTIALS, 1_700_000_010_000, "auth"))
    signature = sign("the-secret", "GET/realtime1700000010000")
    assert message["args"] == ["the-key", 1_700_000_010_000, signature]


def test_pages_carry_their_cursor() -> None:
    """A cursor is sent back as it came, as one value."""
    cursor = "page_args%3Dabc%26symbol%3D6%26"
    made = encoding.positions_page("USDT", cursor, CREDENTIALS, NOW_MS)
    assert dict(parse_qsl(made.params))["cursor"] == cursor


@given(value=st.decimals(min_value=D("0.00000001"), max_value=D(10**9), places=8))
def test_numbers_are_plain(value: Decimal) -> None:
    """A number is sent without an exponent or trailing zeros, and is the same number."""
    text = plain(value)
    assert "E" not in text
    assert D(text) == value
    assert "." not in text or not text.endswith(("0", "."))
