"""The paper OKX front beside what the real venue says and what real clients send; needs the recordings of both."""

import json
import re
from typing import Any

import pytest

from tests.gateways.paper import shapes
from tests.gateways.paper.okx_client import MARKET, OWNER, TICKER, PaperClient, iso, sign
from tests.gateways.paper.shapes import contains
from tests.recordings import WIRE, needs_recordings

VENUE = WIRE / "okx"
CLIENTS = WIRE / "client_transcripts"

pytestmark = needs_recordings

OLD = {"attachAlgoOrds", "closeOrderAlgo", "traderInsts", "spotTraderInsts", "fiat", "linkedAlgoOrd", "checksum"}
"""Fields whose form changed with the seasons, or which hold what this venue has none of."""


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


def recorded(name: str) -> Any:
    """A recorded message."""
    return json.loads((VENUE / name).read_text())


def shape(value: object) -> object:
    """Names and types of a message, but for the old ones."""
    return shapes.shape(value, OLD)


@pytest.mark.parametrize(
    ("name", "path", "params"),
    [
        ("rest__naurs_http_get_instruments_swap.json", "public/instruments", {"instType": "SWAP"}),
        ("rest__jkorf_rest_GetServerTime.json", "public/time", {}),
        ("rest__jkorf_rest_GetTicker.json", "market/ticker", {"instId": TICKER}),
        ("rest__jkorf_rest_GetOrderBook.json", "market/books", {"instId": TICKER}),
        ("rest__jkorf_rest_GetRecentTrades.json", "market/trades", {"instId": TICKER}),
        ("rest__naurs_http_get_candlesticks.json", "market/candles", {"instId": TICKER}),
        ("rest__naurs_http_get_mark_price.json", "public/mark-price", {"instType": "SWAP"}),
        ("rest__jkorf_rest_GetAccountConfiguration.json", "account/config", {}),
        ("rest__jkorf_rest_GetFeeRates.json", "account/trade-fee", {"instType": "SWAP"}),
        ("rest__jkorf_rest_GetAccountBalance.json", "account/balance", {}),
        ("rest__jkorf_rest_GetOrderDetails.json", "trade/order", {"instId": TICKER, "clOrdId": "mine"}),
        ("rest__jkorf_rest_GetOrders.json", "trade/orders-pending", {}),
        ("rest__jkorf_rest_GetOrderHistory.json", "trade/orders-history", {"instType": "SWAP"}),
        ("rest__jkorf_rest_GetUserTrades.json", "trade/fills", {}),
        ("rest__naurs_http_transaction_detail.json", "trade/fills-history", {"instType": "SWAP"}),
    ],
)
def test_answers_contain_what_the_venues_do(client: PaperClient, name: str, path: str, params: dict[str, str]) -> None:
    """Every field of the venue's answer is in ours, with its type."""
    client.order(clOrdId="mine")
    client.order(**MARKET)
    wanted = recorded(name)
    rows = wanted["data"] if isinstance(wanted, dict) and "data" in wanted else [wanted]
    made = client.ask(path, **params)
    assert made
    assert contains(shape(made), shape(rows))


@pytest.mark.parametrize(
    "name",
    [
        "ws__jkorf_ws_Order_4.json",
        "ws__naurs_ws_orders.json",
        "ws__jkorf_ws_Position_4.json",
        "ws__jkorf_ws_Balance_4.json",
        "ws__naurs_ws_account.json",
        "ws__jkorf_ws_BalanceAndPosition_4.json",
    ],
)
def test_private_messages_have_the_shape_of_recorded_ones(client: PaperClient, name: str) -> None:
    """Every field of the venue's message is there, with its type, at a fill."""
    wanted = recorded(name)
    channel = wanted["arg"]["channel"]
    connection = client.private({"channel": channel, "instType": "SWAP"})
    client.order(**MARKET)
    made = [each for each in client.heard(connection) if each["data"]][-1]
    assert contains(shape(made["data"]), shape(wanted["data"]))


@pytest.mark.parametrize(
    "name",
    [
        "ws__naurs_ws_books_snapshot.json",
        "ws__naurs_ws_books_update.json",
        "ws__naurs_ws_bbo_tbt.json",
        "ws__naurs_ws_trades.json",
        "ws__naurs_ws_tickers.json",
        "ws__jkorf_ws_MarkPrice.json",
        "ws__naurs_ws_funding_rate.json",
    ],
)
def test_market_messages_have_the_shape_of_recorded_ones(client: PaperClient, name: str) -> None:
    """Every field of the venue's message is there, with its type."""
    wanted = recorded(name)
    connection = client.connect()
    answers = client.subscribe(connection, {"channel": wanted["arg"]["channel"], "instId": TICKER})
    client.house(TICKER, is_buy=True, price=None, quantity="0.7")
    client.wait(1_000)
    made = [each for each in [*answers, *client.heard(connection)] if each.get("action") == wanted.get("action")]
    rows = next(each["data"] for each in made if "data" in each)
    assert contains(shape(rows), shape(wanted["data"]))


@pytest.mark.parametrize(
    ("name", "op"),
    [
        ("ws__jkorf_ws_sockapi_PlaceOrder_3.json", "order"),
        ("ws__jkorf_ws_sockapi_AmendOrder_3.json", "amend-order"),
        ("ws__jkorf_ws_sockapi_CancelOrder_3.json", "cancel-order"),
    ],
)
def test_replies_have_the_shape_of_recorded_ones(client: PaperClient, name: str, op: str) -> None:
    """Every field of the venue's reply is there, with its type."""
    client.order(clOrdId="mine")
    item = {"instIdCode": 10459, "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "1", "px": "94000"}
    if op != "order":
        item = {"instIdCode": 10459, "clOrdId": "mine", **({"newSz": "2"} if op == "amend-order" else {})}
    assert contains(shape(client.call(client.private(), op, item)), shape(recorded(name)))


@pytest.mark.parametrize("name", ["python-okx", "ccxt_pro"])
def test_what_real_clients_sent_is_answered(client: PaperClient, name: str) -> None:
    """The requests of python-okx and ccxt.pro succeed, signed anew with our key at the venue's time."""
    (transcript,) = CLIENTS.glob(f"{name}*")
    answered = 0
    for line in transcript.read_text().splitlines():
        request = json.loads(line)
        if "/ws/v5/" not in request["path"] and not request["path"].startswith("/api/v5"):
            continue
        if request["kind"] == "rest":
            answered += 1
            said = json.loads(client.http(*_again(client, request)).body)
            assert said["code"] == "0", (request, said)
        elif request["kind"] == "ws_in" and '"login"' not in request["data"]:
            answered += 1
            connection = client.private() if request["path"].endswith("private") else client.connect()
            (answer, *_) = client.say(connection, _renamed(client, request["data"]))
            assert answer == "pong" or answer.get("event") == "subscribe" or answer["code"] == "0", (request, answer)
    assert answered


def _renamed(client: PaperClient, text: str) -> str:
    """A body with the order id of our last order in the place of theirs; its price within today's limits."""
    placed = client.exchange.orders(OWNER.key)
    latest = placed[-1].order_id if placed else 0
    text = re.sub(r'"ordId": ?"[0-9]+"', f'"ordId": "{latest}"', text)
    return re.sub(r'"instId": ?"BTC-USDT-SWAP", ?"(tdMode)"', r'"instId": "BTC-USDT-SWAP", "\1"', text)


def _again(client: PaperClient, request: dict[str, Any]) -> tuple[str, str, str, dict[str, str], bytes]:
    """The request with our key and signature, at the venue's time."""
    at, body = iso(client.now_ns // 1_000_000), _renamed(client, request["body"])
    target = f"{request['path']}?{request['query']}" if request["query"] else request["path"]
    headers = {
        "ok-access-key": OWNER.key,
        "ok-access-passphrase": OWNER.passphrase,
        "ok-access-timestamp": at,
        "ok-access-sign": sign(OWNER.secret, f"{at}{request['method']}{target}{body}"),
    }
    return request["method"], request["path"], request["query"], headers, body.encode()
