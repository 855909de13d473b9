"""Real Bybit v5 messages, recorded and documented, against our decode and encode.

The messages lie beside the project (``../shared/wire``); where they are absent these tests skip.
"""

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from gateways.bybit.decode import decode
from gateways.bybit.encode import encode, login, sign
from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.standards import (
    BookUpdate,
    CancelOrder,
    Contract,
    Credentials,
    DeadMansSwitch,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    PlaceOrder,
    QueryBalances,
    QueryFills,
    QueryOpenOrders,
    Request,
    TimeInForce,
    WireRequest,
)

WIRE = Path(__file__).resolve().parents[3] / "shared" / "wire"

pytestmark = pytest.mark.skipif(not WIRE.is_dir(), reason="recorded messages are not beside the project")

NONE: frozenset[str] = frozenset()
ACK = frozenset({"Ack"})
REJECT = frozenset({"Reject"})
ORDERS = frozenset({"OrderUpdate"})
FILLS = frozenset({"FillEvent"})
POSITIONS = frozenset({"PositionUpdate"})
BALANCES = frozenset({"BalanceUpdate"})
BOOKS = frozenset({"BookUpdate"})
CONTRACTS = frozenset({"Contract"})
QUOTED = frozenset({"QuoteUpdate", "MarkUpdate"})

TOPICS: dict[str, frozenset[str]] = {
    "allLiquidation": NONE,
    "auth": ACK,
    "execution": FILLS,
    "greeks": NONE,
    "kline": NONE,
    "kline_lt": NONE,
    "liquidation": NONE,
    "lt": NONE,
    "order": ORDERS,
    "orderbook": BOOKS,
    "ping": NONE,
    "pong": NONE,
    "position": POSITIONS,
    "publicTrade": frozenset({"TradeEvent"}),
    "subscribe": ACK,
    "tickers": QUOTED,
    "tickers_lt": NONE,
    "trade": NONE,  # a topic of the version before this one
    "unsubscribe": NONE,
    "wallet": BALANCES,
}
"""Root of the topic, or operation, to the kinds of events of each message."""

OPERATIONS: dict[str, frozenset[str]] = {"order.amend": ACK, "order.cancel": ACK, "order.create": ACK}

SINGLE: dict[str, frozenset[str]] = {
    # Requests of a client, not replies.
    "ws__bybitdocs_websocket_private_dcp_1.json": NONE,
    "ws__bybitdocs_websocket_private_execution_1.json": NONE,
    "ws__bybitdocs_websocket_private_fast-execution_1.json": NONE,
    "ws__bybitdocs_websocket_private_order_1.json": NONE,
    "ws__bybitdocs_websocket_private_position_1.json": NONE,
    "ws__bybitdocs_websocket_private_wallet_1.json": NONE,
    "ws__bybitdocs_websocket_public_orderbook-rpi_1.json": NONE,
    "ws__bybitdocs_websocket_trade_guideline_1.json": NONE,
    "ws__bybitdocs_websocket_trade_guideline_3.json": NONE,
    "ws__bybitdocs_websocket_trade_guideline_5.json": NONE,
    "ws__bybitdocs_websocket_wss-authentication_1.json": NONE,
    "ws__bybitdocs_websocket_wss-authentication_7.json": NONE,
    # Orders of spot pairs and options.
    "ws__bybitdocs_websocket_private_order_2.json": NONE,
    "ws__gct_bybit_websocket_requests_test_TestWebsocketOrderResponse.json": NONE,
    "ws__gct_wsAuth_2.json": NONE,
    "ws__jkorf_ws_Order_4.json": NONE,
    # A book with the retail orders apart, in levels of three; an execution message without rows.
    "ws__bybitdocs_websocket_public_orderbook-rpi_3.json": NONE,
    "ws__naurs_ws_account_execution_fast_envelope_id.json": NONE,
    # Tickers of an option, which has no quote under the names of a contract, and of a spot pair.
    "ws__bybitdocs_websocket_public_ticker_1.json": frozenset({"MarkUpdate"}),
    "ws__bybitdocs_websocket_public_ticker_2.json": NONE,
    # Refused.
    "ws__gct_bybit_test_TestWebsocketAuthenticatePrivateConnection.json": REJECT,
    "rest__gct_bybit_test_TestWebsocketAuthenticateTradeConnection_1.json": REJECT,
    "rest__naurs_ws_auth_failure.json": REJECT,
    "rest__bybitdocs_websocket_trade_guideline_6.json": REJECT,
    "rest__gct_unmarshal_test_TestRestResponseRetExtInfoParsing_1.json": REJECT,
    "rest__jkorf_rest_CancelMultipleOrders.json": frozenset({"Ack", "Reject"}),
    "rest__bybitdocs_websocket_wss-authentication_12.json": ACK,
    # Of the inverse product.
    "rest__bybitdocs_position_position_1.json": NONE,
    "rest__jkorf_rest_GetPositions.json": NONE,
    # Of the spot product.
    "rest__hirokisan_v5-get-history-orders.json": NONE,
}
"""Messages that their topic does not say enough of."""

BODIES: dict[str, frozenset[str]] = {
    "wallet-balance": BALANCES,
    "wallet_balance": BALANCES,
    "GetBalances": BALANCES,
    "orderbook": BOOKS,
    "GetOrderbook": BOOKS,
    "execution": FILLS,
    "GetUserTrades": FILLS,
    "open-order_": ORDERS,
    "order-list": ORDERS,
    "GetOrders": ORDERS,
    "orders_history": ORDERS,
    "orders_realtime": ORDERS,
    "ConstructOrderDetails": ORDERS,
    "position-info": POSITIONS,
    "get_positions": POSITIONS,
    "account_position": POSITIONS,
    "deserialize_position": POSITIONS,
    "LinearInverseSymbols": CONTRACTS,
    "instruments_linear": CONTRACTS,
    "amend-order": ACK,
    "cancel-order.": ACK,
    "create-order": ACK,
    "CancelAllOrder": ACK,
    "CancelOrder": ACK,
    "EditMultipleOrders": ACK,
    "EditOrder": ACK,
    "PlaceMultipleOrders": ACK,
    "PlaceOrder": ACK,
}
"""Part of a REST body's file name to the kinds of events, the first that fits; every other one gives none."""

UNDOCUMENTED = {
    # Levels as objects: the form in which another client writes a book for itself.
    "rest__hirokisan_v5-market-get-orderbook.json": "b[0]",
    "ws__hirokisan_public-v5-orderbook.json": "data.b[0]",
    # A test of another client for a book without its fields.
    "ws__bbgo_stream_test_TestStream_parseWebSocketEvent_5.json": "data.s",
}
"""Messages that the venue never sends, with the field that tells."""


def manifest() -> list[dict[str, str]]:
    """The rows of our venue's messages."""
    if not WIRE.is_dir():
        return []
    with (WIRE / "MANIFEST.csv").open(newline="") as rows:
        return [row for row in csv.DictReader(rows) if row["file"].startswith("bybit/")]


def named(row: dict[str, str]) -> str:
    return row["file"].removeprefix("bybit/")


def expected(row: dict[str, str]) -> frozenset[str]:
    """The kinds of events that a message must give."""
    name, topic = named(row), row["topic"].split(" ")[0]
    if name in SINGLE:
        return SINGLE[name]
    if topic in OPERATIONS:
        return OPERATIONS[topic]
    if topic and "/" not in row["topic"]:
        return TOPICS[topic.partition(".")[0]]
    return next((kinds for part, kinds in BODIES.items() if part in name), NONE)


@pytest.mark.parametrize("row", [row for row in manifest() if named(row) not in UNDOCUMENTED], ids=named)
def test_every_message_gives_what_its_topic_says(row: dict[str, str]) -> None:
    """Each message decodes to exactly the kinds of events of its topic, from bytes as from the parsed value."""
    raw = (WIRE / row["file"]).read_bytes()
    events = decode(raw, Contracts("bybit"))
    assert {type(event).__name__ for event in events} == expected(row)
    assert decode(json.loads(raw), Contracts("bybit")) == events


@pytest.mark.parametrize("name", sorted(UNDOCUMENTED))
def test_what_the_venue_never_sends_is_malformed(name: str) -> None:
    """The three messages without the documented form are refused, the field named."""
    with pytest.raises(DecodeError) as raised:
        decode((WIRE / "bybit" / name).read_bytes(), Contracts("bybit"))
    assert raised.value.field == UNDOCUMENTED[name]


CCXT_STATUS = {
    "open": {OrderStatus.NEW, OrderStatus.PARTIAL},
    "closed": {OrderStatus.FILLED},
    "canceled": {OrderStatus.CANCELLED},
}


def parsed_by_ccxt() -> Iterator[tuple[str, dict[str, Any]]]:
    path = WIRE / "kat" / "ccxt_parsed_private_orders.json"
    if path.exists():
        for name, orders in json.loads(path.read_bytes())["parsed"].items():
            if name.startswith("bybit/"):
                yield from ((name, order) for order in orders)


@pytest.mark.parametrize(
    ("name", "theirs"), list(parsed_by_ccxt()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_private_orders_agree_with_another_reading(name: str, theirs: dict[str, Any]) -> None:
    """Ids, side, sizes, status and averages are those that another library reads in the same message.

    Two differences are meant. It reads the orders of spot pairs and options too; here they give nothing, since a spot
    pair has the name of a contract. It takes the price that the venue shows beside a market order for the order's;
    here a market order has none.
    """
    raw = (WIRE / name).read_bytes()
    [row] = json.loads(raw)["data"]
    events = decode(raw, Contracts("bybit"))
    if row["category"] != "linear":
        assert events == []
        linear = {**json.loads(raw), "data": [{**row, "category": "linear"}]}
        events = decode(linear, Contracts("bybit"))
    [ours] = events
    assert isinstance(ours, OrderUpdate)
    assert (ours.oid, ours.cloid, ours.ticker) == (theirs["id"], theirs["clientOrderId"], theirs["symbol"])
    assert ours.amount is not None
    assert ours.filled is not None
    assert (ours.amount > 0) == (theirs["side"] == "buy")
    assert abs(ours.amount) == Decimal(str(theirs["amount"]))
    assert abs(ours.filled) == Decimal(str(theirs["filled"]))
    assert ours.status in CCXT_STATUS[theirs["status"]]
    average = theirs["average"]
    assert ours.average_price == (None if average is None else Decimal(str(average)))
    assert (ours.reduce_only, ours.post_only) == (theirs["reduceOnly"], theirs["postOnly"])
    assert ours.tif is not None
    assert ours.tif.value == theirs["timeInForce"]
    assert ours.ts_venue_ns == theirs["lastTradeTimestamp"] * 1_000_000
    if ours.kind is OrderKind.LIMIT:
        assert ours.price == Decimal(str(theirs["price"]))
    else:
        assert ours.price is None


def hmac_answers() -> list[dict[str, str]]:
    path = WIRE / "kat" / "hmac_signing_binance_bybit_okx.json"
    return [each for each in json.loads(path.read_bytes()) if each["venue"] == "bybit"] if path.exists() else []


@pytest.mark.parametrize("known", hmac_answers(), ids=lambda known: known["payload"][:40])
def test_signatures_are_the_known_ones(known: dict[str, str]) -> None:
    """Each published payload, time, key and secret give the published signature."""
    stamp = f"{known['timestamp']}{known['api_key']}{known['recv_window']}"
    assert sign(known["secret"], stamp + known["payload"]) == known["signature"]


def login_answers() -> list[dict[str, str]]:
    path = WIRE / "kat" / "hmac_signing_binance_bybit_okx.json"
    return [each for each in json.loads(path.read_bytes()) if each["venue"] == "bybit_ws"] if path.exists() else []


@pytest.mark.parametrize("known", login_answers(), ids=lambda known: known["payload"])
def test_login_signatures_are_the_known_ones(known: dict[str, str]) -> None:
    """Each published login is signed as ours for the same expiry."""
    expires_ms = int(known["payload"].removeprefix("GET/realtime"))
    made = json.loads(login(Credentials("key", known["secret"]), expires_ms, "auth"))
    assert made["args"] == ["key", expires_ms, known["signature"]]


CREDENTIALS = Credentials("key", "secretsecret")
BITCOIN = Contract(
    venue="bybit",
    ticker="BTCUSDT",
    base="BTC",
    quote="USDT",
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    min_notional=Decimal(5),
)


def bitcoin(amount: str, cloid: str, **terms: Any) -> PlaceOrder:
    return PlaceOrder(ticker="BTCUSDT", cloid=cloid, amount=Decimal(amount), **terms)


PRICE = Decimal("30000.1")

VECTORS: dict[str, Request] = {
    "limit buy GTC": bitcoin("0.012", "cl1", price=PRICE),
    "limit sell GTC": bitcoin("-0.012", "cl2", price=PRICE),
    "limit IOC": bitcoin("0.012", "cl4", price=PRICE, tif=TimeInForce.IOC),
    "limit FOK": bitcoin("0.012", "cl5", price=PRICE, tif=TimeInForce.FOK),
    "limit reduceOnly": bitcoin("-0.012", "cl6", price=PRICE, reduce_only=True),
    "market buy": bitcoin("0.012", "cl7", kind=OrderKind.MARKET),
    "market reduceOnly sell": bitcoin("-0.012", "cl8", kind=OrderKind.MARKET, reduce_only=True),
    "cancel by id": CancelOrder(ticker="BTCUSDT", oid="1234567890"),
    "cancel by client id": CancelOrder(ticker="BTCUSDT", cloid="cl1"),
    "fetch open orders": QueryOpenOrders(ticker="BTCUSDT"),
    "fetch balance": QueryBalances(),
    "fetch my trades": QueryFills(since_ns=1_699_990_000_000 * 1_000_000, ticker="BTCUSDT"),
    "dead man switch": DeadMansSwitch(timeout_ms=10_000),
    "dcp set raw": DeadMansSwitch(timeout_ms=40_000),
}
"""Description in the collection to the same request in our words: every verb of theirs that we have."""

NOT_OURS = {"take profit market", "trigger limit", "set leverage", "batch cancel"}

DIFFERENT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # They leave the venue's default unsaid.
    "limit buy GTC": ({}, {"timeInForce": "GTC"}),
    "limit sell GTC": ({}, {"timeInForce": "GTC"}),
    "limit reduceOnly": ({}, {"timeInForce": "GTC"}),
    # Their field does not exist at the venue.
    "cancel by client id": ({"clientOrderId": "cl1"}, {"orderLinkId": "cl1"}),
    # They ask for trades alone, fifty of them: liquidations and deleveraging fill orders too.
    "fetch my trades": ({"execType": "Trade", "limit": "50"}, {"limit": "100"}),
}
"""Description to the parameters that only they send, and those that only we send."""


def vectors() -> dict[str, dict[str, Any]]:
    path = WIRE / "kat" / "ccxt_request_vectors.json"
    if not path.exists():
        return {}
    return {each["description"]: each["request"] for each in json.loads(path.read_bytes())["bybit"]}


def verified(request: WireRequest) -> None:
    """The signature verifies over exactly the bytes that are sent."""
    headers = request.headers
    stamp = f"{headers['X-BAPI-TIMESTAMP']}{headers['X-BAPI-API-KEY']}{headers['X-BAPI-RECV-WINDOW']}"
    assert headers["X-BAPI-SIGN"] == sign(CREDENTIALS.secret, stamp + request.params + request.body.decode())


def test_every_vector_is_compared_or_named() -> None:
    """No request of the collection is passed over by accident."""
    assert set(vectors()) == set(VECTORS) | NOT_OURS


@pytest.mark.parametrize("description", sorted(VECTORS))
def test_requests_are_those_of_another_client(description: str) -> None:
    """Method, path and parameters are those that another library sends for the same intent; the signature verifies."""
    theirs = vectors()[description]
    ours = encode(VECTORS[description], Contracts("bybit", [BITCOIN]), CREDENTIALS, 1_700_000_000_000)
    url = urlsplit(theirs["url"])
    assert (ours.method, ours.path) == (theirs["method"], url.path)
    sent: dict[str, Any] = json.loads(theirs["body"]) if theirs["body"] else dict(parse_qsl(url.query))
    made: dict[str, Any] = json.loads(ours.body) if ours.body else dict(parse_qsl(ours.params))
    only_theirs, only_ours = DIFFERENT.get(description, ({}, {}))
    assert {name: value for name, value in sent.items() if name not in only_theirs} == {
        name: value for name, value in made.items() if name not in only_ours
    }
    assert {name: sent.get(name) for name in only_theirs} == only_theirs
    assert {name: made.get(name) for name in only_ours} == only_ours
    verified(ours)


def test_their_signatures_are_ours() -> None:
    """Every request of the collection carries the signature that we make over its bytes."""
    for theirs in vectors().values():
        headers = theirs["headers"]
        stamp = f"{headers['X-BAPI-TIMESTAMP']}{headers['X-BAPI-API-KEY']}{headers['X-BAPI-RECV-WINDOW']}"
        payload = theirs["body"] or urlsplit(theirs["url"]).query
        assert headers["X-BAPI-SIGN"] == sign(CREDENTIALS.secret, stamp + payload)


def test_a_login_of_the_venues_own_client_is_ours() -> None:
    """The login that the venue's own client sent is signed as ours is, for the same expiry."""
    path = WIRE / "client_transcripts" / "pybit_5.17.0_bybit.jsonl"
    with path.open() as lines:
        frames = [json.loads(line) for line in lines]
    logins = [json.loads(each["data"]) for each in frames if each["kind"] == "ws_in" and '"auth"' in each["data"]]
    assert logins
    for each in logins:
        key, expires_ms, signature = each["args"]
        made = json.loads(login(Credentials(key, CREDENTIALS.secret), expires_ms, "auth"))
        assert made["op"] == each["op"]
        assert made["args"] == [key, expires_ms, signature]


def test_recorded_books_chain() -> None:
    """After the snapshot every recorded delta follows the one before: its ``prev_seq`` is that one's ``last_seq``."""
    contracts = Contracts("bybit")
    last: int | None = None
    links = 0
    with (WIRE / "recorded" / "bybit__ob500_XRPUSDT_20241201.jsonl").open("rb") as lines:
        for line in lines:
            [event] = decode(line, contracts)
            assert isinstance(event, BookUpdate)
            assert event.snapshot == (last is None)
            if last is not None:
                assert event.prev_seq == last
                links += 1
            last = event.last_seq
    assert links == 49
