"""The paper Binance front beside what the real venue says and what real clients send; needs the recordings of both."""

import hashlib
import hmac
import json
import re
from typing import Any

import pytest

from tests.gateways.paper import shapes
from tests.gateways.paper.binance_client import KEY, LIMIT, SECRET, PaperClient
from tests.gateways.paper.shapes import contains
from tests.recordings import WIRE, needs_recordings

VENUE = WIRE / "binance_usdm"
CLIENTS = WIRE / "client_transcripts"

pytestmark = needs_recordings

OLD = {"st", "cr", "AP", "gtd", "er"}
"""Fields that only some of the recordings have: of strategies, of trailing stops, of one season."""


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


def recorded(name: str) -> Any:
    """A recorded message, out of its stream's wrapping."""
    message = json.loads((VENUE / name).read_text())
    return message["data"] if isinstance(message, dict) and "stream" in message else message


def shape(value: object) -> object:
    """Names and types of a message, but for the old ones."""
    return shapes.shape(value, OLD)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ws__live2025_new.json", "NEW"),
        ("ws__live2025_new_stream_wrapped.json", "NEW"),
        ("ws__live2025_canceled.json", "CANCELED"),
        ("ws__live2024_gtx_canceled.json", "CANCELED"),
    ],
)
def test_order_updates_have_the_shape_of_recorded_ones(client: PaperClient, name: str, kind: str) -> None:
    """Names and types of every field of an order update are those that the venue sent."""
    stream = client.stream()
    client.ask("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=client.order()["orderId"])
    made = {message["o"]["x"]: message for message in client.heard(stream)}[kind]
    assert shape(made) == shape(recorded(name))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ws__jkorf_ws_TradeUpdate.json", "TRADE_LITE"), ("ws__live2021_close_position_03.json", "ACCOUNT_UPDATE")],
)
def test_fills_have_the_shape_of_recorded_ones(client: PaperClient, name: str, kind: str) -> None:
    """Every field of the venue's message of a fill is there, with its type."""
    stream = client.stream()
    client.order(type="MARKET", price="", timeInForce="")
    made = shape({message["e"]: message for message in client.heard(stream)}[kind])
    assert contains(made, shape(recorded(name)))


@pytest.mark.parametrize(
    ("name", "stream"),
    [
        ("ws__live2026_aggTrade.json", "btcusdt@aggTrade"),
        ("ws__live2026_trade.json", "btcusdt@trade"),
        ("ws__live2026_bookTicker.json", "btcusdt@bookTicker"),
        ("ws__live2026_markPrice.json", "btcusdt@markPrice@1s"),
    ],
)
def test_market_messages_have_the_shape_of_recorded_ones(client: PaperClient, name: str, stream: str) -> None:
    """Names and types of every field are those that the venue sent."""
    connection = client.connect("/stream", f"streams={stream}")
    client.order(type="MARKET", price="", timeInForce="")
    client.wait(1_000)
    (message,) = client.heard(connection)
    assert message["stream"] == stream
    assert shape(message["data"]) == shape(recorded(name))


@pytest.mark.parametrize(
    ("name", "path", "params"),
    [
        ("rest__naupy_http_futures_market_exchange_info.json", "/fapi/v1/exchangeInfo", {}),
        ("rest__naupy_http_futures_market_depth.json", "/fapi/v1/depth", {"symbol": "BTCUSDT"}),
        ("rest__jkorf_rest_GetBookPrice.json", "/fapi/v1/ticker/bookTicker", {"symbol": "BTCUSDT"}),
        ("rest__naupy_http_futures_market_ticker_price.json", "/fapi/v1/ticker/price", {"symbol": "BTCUSDT"}),
        ("rest__naupy_http_futures_market_trades.json", "/fapi/v1/trades", {"symbol": "BTCUSDT"}),
        ("rest__naupy_http_futures_market_agg_trades.json", "/fapi/v1/aggTrades", {"symbol": "BTCUSDT"}),
        ("rest__naupy_http_futures_market_premium_index.json", "/fapi/v1/premiumIndex", {"symbol": "BTCUSDT"}),
        ("rest__naurs_position_risk.json", "/fapi/v2/positionRisk", {"symbol": "BTCUSDT"}),
        ("rest__gobinance_position_risk_TestGetPositionRisk.json", "/fapi/v3/positionRisk", {}),
        ("rest__jkorf_rest_GetAccountInfoV3.json", "/fapi/v3/account", {}),
        ("rest__naurs_account_info_v2.json", "/fapi/v2/account", {}),
        ("rest__jkorf_rest_GetBalances.json", "/fapi/v3/balance", {}),
        ("rest__naupy_http_futures_account_trades.json", "/fapi/v1/userTrades", {"symbol": "BTCUSDT"}),
        ("rest__naurs_order_response.json", "/fapi/v1/order", {"symbol": "BTCUSDT", "origClientOrderId": "mine"}),
        ("rest__jkorf_rest_GetUserCommissionRate.json", "/fapi/v1/commissionRate", {"symbol": "BTCUSDT"}),
        ("rest__naupy_http_futures_account_symbol_config.json", "/fapi/v1/symbolConfig", {}),
        ("rest__jkorf_rest_GetAccountConfiguration.json", "/fapi/v1/accountConfig", {}),
        ("rest__jkorf_rest_GetOrderRateLimit.json", "/fapi/v1/rateLimit/order", {}),
    ],
)
def test_answers_contain_what_the_venues_do(client: PaperClient, name: str, path: str, params: dict[str, str]) -> None:
    """Every field of the venue's answer is in ours, with its type."""
    client.order(newClientOrderId="mine")
    client.order(type="MARKET", price="", timeInForce="")
    assert contains(shape(client.ask("GET", path, **params)), shape(recorded(name)))


@pytest.mark.parametrize("name", ["binance-sdk-derivatives", "python-binance", "ccxt_pro"])
def test_what_real_clients_sent_is_answered(client: PaperClient, name: str) -> None:
    """The requests of the official SDK, python-binance and ccxt.pro succeed at their own time, signed anew."""
    (transcript,) = CLIENTS.glob(f"{name}*")
    answered = 0
    for line in transcript.read_text().splitlines():
        request = json.loads(line)
        if not request["path"].startswith(("/fapi", "/private", "/public", "/market")):
            continue
        if request["kind"] == "rest":
            answered += 1
            reply = client.http(*_again(client, request))
            assert reply.status == 200, (request, reply.body)
        elif request["kind"] == "ws_open":
            client.ask("POST", "/fapi/v1/listenKey")
            assert (
                client.connect(request["path"], request["query"].replace("LK123", _listen_key(client)))
                not in client.closed
            )
        elif request["kind"] == "ws_in":
            stream = client.connect(request["path"])
            said = client.say(stream, request["data"].replace("LK123", _listen_key(client)))
            assert said["result"] is None
    assert answered


def _listen_key(client: PaperClient) -> str:
    return str(client.ask("POST", "/fapi/v1/listenKey")["listenKey"])


def _again(client: PaperClient, request: dict[str, str]) -> tuple[str, str, str, dict[str, str], bytes]:
    """The request with our key, signature and order id, at its own time; its price on what the tick is by now."""
    placed = client.exchange.orders(KEY)
    parts = {}
    for part in ("query", "body"):
        text = request[part].partition("&signature=")[0].replace("price=30000.13", "price=30000.1")
        parts[part] = re.sub(r"orderId=\d+", f"orderId={placed[-1].order_id if placed else 0}", text)
    text = parts["query"] + parts["body"]
    if "timestamp=" in text:
        client.now_ns = int(text.partition("timestamp=")[2].partition("&")[0]) * 1_000_000
        part = "body" if parts["body"] else "query"
        parts[part] += "&signature=" + hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers = {"x-mbx-apikey": KEY}
    return request["method"], request["path"], parts["query"], headers, parts["body"].encode()


def test_the_transcripts_order_is_ours(client: PaperClient) -> None:
    """The order of this module's requests is one that the venue takes: the comparison above is not of errors."""
    assert client.order()["origQty"] == "0.010" == LIMIT["quantity"]
