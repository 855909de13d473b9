"""Real Binance USD-M messages, recorded and documented, against our decode and encode.

The messages lie beside the project (``../shared/wire``); where they are absent these tests skip.
"""

import csv
import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from gateways.binance import bodies
from gateways.binance.decode import decode
from gateways.binance.encode import encode, listen_key, sign
from gateways.contracts import Contracts
from gateways.standards import (
    AmendOrder,
    BookUpdate,
    CancelAll,
    CancelOrder,
    Credentials,
    DeadMansSwitch,
    Event,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    PlaceOrder,
    QueryBalances,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    QueryPositions,
    Request,
    TimeInForce,
    WireRequest,
)

WIRE = Path(__file__).resolve().parents[3] / "shared" / "wire"

pytestmark = pytest.mark.skipif(not WIRE.is_dir(), reason="recorded messages are not beside the project")

NONE: frozenset[str] = frozenset()

STREAM_TOPICS: dict[str, frozenset[str]] = {
    "24hrMiniTicker": NONE,
    "24hrTicker": NONE,
    "ACCOUNT_CONFIG_UPDATE": NONE,
    "ALGO_UPDATE": NONE,  # conditional orders: the order that one becomes comes as ORDER_TRADE_UPDATE
    "ACCOUNT_UPDATE": frozenset({"BalanceUpdate", "PositionUpdate"}),
    "TRADE_LITE": frozenset({"FillEvent"}),
    "aggTrade": frozenset({"TradeEvent"}),
    "bookTicker": frozenset({"QuoteUpdate"}),
    "compositeIndex": NONE,
    "continuous_kline": NONE,
    "contractInfo": NONE,
    "depthUpdate": frozenset({"BookUpdate"}),
    "forceOrder": NONE,  # other people's liquidations
    "kline": NONE,
    "markPriceUpdate": frozenset({"MarkUpdate"}),
    "nav": NONE,
    "trade": frozenset({"TradeEvent"}),
}
"""Topic of a stream message to the kinds of events that it may give; each message gives at least one, or NONE."""

BODIES: dict[str, frozenset[str]] = {
    "GetAccountInfo": frozenset({"BalanceUpdate", "PositionUpdate"}),
    "GetAccount.json": frozenset({"BalanceUpdate", "PositionUpdate"}),
    "account_info_v2": frozenset({"BalanceUpdate", "PositionUpdate"}),
    "GetBalance": frozenset({"BalanceUpdate"}),
    "naurs_balance": frozenset({"BalanceUpdate"}),
    "parse_balance": frozenset({"BalanceUpdate"}),
    "CommissionRate": NONE,
    "commission_rate": NONE,
    # A snapshot of a book names no contract: only who asked can read it.
    "TestDepth": NONE,
    "market_depth": NONE,
    "GetOrderBook": NONE,
    "ExchangeInfo": frozenset({"Contract"}),
    "exchange_info": frozenset({"Contract"}),
    "CancelAllOpenOrders": frozenset({"Ack"}),
    "CancelAllConditionalOrders": frozenset({"Ack"}),
    "CancelAllOrdersAfterTimeout": frozenset({"Ack"}),
    "ModifyBatchOrders": frozenset({"OrderUpdate", "Reject"}),
    "ListLiquidationOrders": NONE,
    "order_service_Test": frozenset({"OrderUpdate"}),
    "order_response": frozenset({"OrderUpdate"}),
    "sockapi_PlaceOrder": frozenset({"OrderUpdate"}),
    "sockapi_CancelOrder": frozenset({"OrderUpdate"}),
    "sockapi_GetOrder.": frozenset({"OrderUpdate"}),
    "AdlQuantile": NONE,
    "ModifyPositionMargin": frozenset({"Ack"}),
    "position_side_dual": NONE,
    "PositionRisk": frozenset({"PositionUpdate"}),
    "position_risk": frozenset({"PositionUpdate"}),
    "GetPosition": frozenset({"PositionUpdate"}),
    "account_position": frozenset({"PositionUpdate"}),
    "account_trades": frozenset({"FillEvent"}),
    "BookPrice": frozenset({"QuoteUpdate"}),
    "market_book_ticker": frozenset({"QuoteUpdate"}),
    "premium_index": frozenset({"MarkUpdate"}),
    "ChangeMarginType": frozenset({"Ack"}),
    "PlaceTimeWeighted": frozenset({"Ack"}),
    "PlaceVolumeParticipation": frozenset({"Ack"}),
    # What an OMS of plain orders does not read.
    "ConditionalOrder": NONE,
    "AlgoOrders": NONE,
    "algo_order": NONE,
    "ChangeInitialLeverage": NONE,
    "AccountConfiguration": NONE,
    "BnbBurnStatus": NONE,
    "GetBrackets": NONE,
    "FundingInfo": NONE,
    "IncomeHistory": NONE,
    "MultiAssetsMode": NONE,
    "OrderEditHistory": NONE,
    "OrderRateLimit": NONE,
    "rate_limit": NONE,
    "GetServerTime": NONE,
    "SymbolConfiguration": NONE,
    "symbol_config": NONE,
    "GetTradingStatus": NONE,
    "KeepAliveUserStream": NONE,
    "listen_key": NONE,
    "market_agg_trades": NONE,  # public history: it names no contract
    "market_trades": NONE,
    "historical_trades": NONE,
    "klines": NONE,
    "funding_rate": NONE,
    "open_interest": NONE,
    "ticker_": NONE,
    "GetPrice": NONE,
}
"""Part of a body's file name to the kinds of events, the first that fits."""


def manifest() -> list[dict[str, str]]:
    """The rows of our venue's messages."""
    if not WIRE.is_dir():
        return []
    with (WIRE / "MANIFEST.csv").open(newline="") as rows:
        return [row for row in csv.DictReader(rows) if row["file"].startswith("binance_usdm/")]


def expected(row: dict[str, str]) -> frozenset[str]:
    """The kinds of events that a message must give."""
    topic = row["topic"].split(" ")[0]
    if topic == "ORDER_TRADE_UPDATE":
        executed = "x=TRADE" in row["topic"] or "x=CALCULATED" in row["topic"]
        return frozenset({"OrderUpdate", "FillEvent"}) if executed else frozenset({"OrderUpdate"})
    if topic:
        return STREAM_TOPICS[topic]
    if row["kind"] == "ws_ack":
        return frozenset({"Ack"})
    name = row["file"]
    kinds = next((kinds for part, kinds in BODIES.items() if part in name), None)
    assert kinds is not None, f"no rule for {name}"
    return kinds | {"Ack"} if row["kind"] == "ws" else kinds


def recorded_contracts() -> Contracts:
    body = (WIRE / "recorded" / "binance_usdm__exchangeInfo_20210722.json").read_bytes()
    return Contracts("binance", bodies.contracts_of(body, "binance"))


@pytest.mark.parametrize("row", manifest(), ids=lambda row: row["file"].removeprefix("binance_usdm/"))
def test_every_message_gives_what_its_topic_says(row: dict[str, str]) -> None:
    """Each message decodes to exactly the kinds of events of its topic, from bytes as from the parsed value."""
    raw = (WIRE / row["file"]).read_bytes()
    kinds = expected(row)
    events = decode(raw, Contracts("binance"))
    got = {type(event).__name__ for event in events}
    if kinds == {"BalanceUpdate", "PositionUpdate"}:
        assert got
        assert got <= kinds
    else:
        assert got == kinds
    assert decode(json.loads(raw), Contracts("binance")) == events
    compact = json.dumps(json.loads(raw), separators=(",", ":")).encode()
    assert decode(compact, Contracts("binance")) == events, "the quick way and the slow way agree"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("rest__gobinance_depth_service_TestDepth.json", None),
        ("rest__naupy_http_futures_market_depth.json", None),
        ("ws__jkorf_ws_sockapi_GetOrderBook.json", "result"),
    ],
)
def test_a_book_snapshot_is_read_by_who_asked(name: str, key: str | None) -> None:
    """The body has levels and an update id, the caller the contract."""
    parsed = json.loads((WIRE / "binance_usdm" / name).read_bytes())
    book = bodies.book(parsed[key] if key else parsed, "BTCUSDT", Contracts("binance"))
    assert (book.ticker, book.snapshot) == ("BTCUSDT", True)
    assert book.last_seq
    assert book.bids or book.asks


CCXT_STATUS = {
    "open": {OrderStatus.NEW, OrderStatus.PARTIAL},
    "closed": {OrderStatus.FILLED},
    "canceled": {OrderStatus.CANCELLED},
    "expired": {OrderStatus.EXPIRED},
    # ccxt leaves these words as they are; they are the venue's own orders, filled in full.
    "NEW_ADL": {OrderStatus.FILLED},
    "NEW_INSURANCE": {OrderStatus.FILLED},
}


def parsed_by_ccxt() -> Iterator[tuple[str, dict[str, Any]]]:
    path = WIRE / "kat" / "ccxt_parsed_private_orders.json"
    if path.exists():
        for name, orders in json.loads(path.read_bytes())["parsed"].items():
            if name.startswith("binance_usdm/"):
                yield from ((name, order) for order in orders)


@pytest.mark.parametrize(
    ("name", "theirs"), list(parsed_by_ccxt()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_private_orders_agree_with_another_reading(name: str, theirs: dict[str, Any]) -> None:
    """Ids, side, sizes, status and averages are those that another library reads in the same message."""
    ours = next(
        each for each in decode((WIRE / name).read_bytes(), Contracts("binance")) if isinstance(each, OrderUpdate)
    )
    assert ours.oid == theirs["id"]
    assert ours.cloid == theirs["clientOrderId"]
    assert ours.ticker == theirs["symbol"]
    assert ours.amount is not None
    assert ours.filled is not None
    assert (ours.amount > 0) == (theirs["side"] == "buy")
    assert abs(ours.amount) == Decimal(str(theirs["amount"]))
    assert abs(ours.filled) == Decimal(str(theirs["filled"]))
    assert ours.status in CCXT_STATUS[theirs["status"]]
    average = theirs["average"]
    assert ours.average_price == (None if average is None else Decimal(str(average)))
    assert ours.reduce_only == theirs["reduceOnly"]
    assert ours.post_only == theirs["postOnly"]
    if ours.kind is OrderKind.LIMIT:
        assert ours.price == Decimal(str(theirs["price"]))


def hmac_answers() -> list[dict[str, str]]:
    path = WIRE / "kat" / "hmac_signing_binance_bybit_okx.json"
    return [each for each in json.loads(path.read_bytes()) if each["venue"] == "binance"] if path.exists() else []


@pytest.mark.parametrize("answer", hmac_answers(), ids=lambda answer: answer["payload"][:40])
def test_signatures_are_the_known_ones(answer: dict[str, str]) -> None:
    """Each published payload and secret give the published signature."""
    assert sign(answer["secret"], answer["payload"]) == answer["signature"]


CREDENTIALS = Credentials("key", "secretsecret")
IGNORED_PARAMETERS = {"recvWindow", "newOrderRespType", "signature"}

VECTORS: dict[str, Request] = {
    "limit buy GTC": PlaceOrder(ticker="BTCUSDT", cloid="cl1", amount=Decimal("0.012"), price=Decimal("30000.1")),
    "limit IOC": PlaceOrder(
        ticker="BTCUSDT", cloid="cl4", amount=Decimal("0.012"), price=Decimal("30000.1"), tif=TimeInForce.IOC
    ),
    "market buy": PlaceOrder(ticker="BTCUSDT", cloid="cl7", amount=Decimal("0.012"), kind=OrderKind.MARKET),
    "market reduceOnly sell": PlaceOrder(
        ticker="BTCUSDT", cloid="cl8", amount=Decimal("-0.012"), kind=OrderKind.MARKET, reduce_only=True
    ),
    "cancel by id": CancelOrder(ticker="BTCUSDT", oid="1234567890"),
    "cancel by client id": CancelOrder(ticker="BTCUSDT", cloid="cl1"),
    "fetch order by id": QueryOrder(ticker="BTCUSDT", oid="1234567890"),
    "cancel all": CancelAll(ticker="BTCUSDT"),
    "countdownCancelAll raw": DeadMansSwitch(ticker="BTCUSDT", timeout_ms=120_000),
}
"""Description in the collection to the same request in our words: every verb of theirs that we have."""

NOT_OURS = {
    "stop market",
    "take profit market",
    "set leverage",
    "batch create",
    "batch cancel",
    "GTD",
    "fetch positions",  # their first of two requests asks for brackets, which we do not need
    "fetch balance",  # they ask the account endpoint, we the balance one
    "listenKey keepalive",  # compared apart: it is not signed
}


def vectors() -> dict[str, dict[str, Any]]:
    path = WIRE / "kat" / "ccxt_request_vectors.json"
    return (
        {each["description"]: each["request"] for each in json.loads(path.read_bytes())["binanceusdm"]}
        if path.exists()
        else {}
    )


def parameters(query: str) -> dict[str, str]:
    return {name: value for name, value in parse_qsl(query) if name not in IGNORED_PARAMETERS}


def verified(request: WireRequest) -> None:
    """The signature verifies over exactly the bytes that are sent."""
    payload, _, signature = request.params.rpartition("&signature=")
    assert signature == sign(CREDENTIALS.secret, payload + request.body.decode())
    assert request.headers["X-MBX-APIKEY"] == CREDENTIALS.key


def test_every_vector_is_compared_or_named() -> None:
    """No request of the collection is passed over by accident."""
    assert set(vectors()) == set(VECTORS) | NOT_OURS


@pytest.mark.parametrize("description", sorted(VECTORS))
def test_requests_are_those_of_another_client(description: str) -> None:
    """Method, path and parameters are those that another library sends for the same intent; the signature verifies."""
    theirs = vectors()[description]
    ours = encode(VECTORS[description], recorded_contracts(), CREDENTIALS, 1_700_000_000_000)
    url = urlsplit(theirs["url"])
    assert (ours.method, ours.path) == (theirs["method"], url.path)
    assert parameters(ours.params) == parameters(url.query or theirs["body"])
    verified(ours)


def test_listen_key_requests_carry_only_the_key() -> None:
    """A listen key is prolonged with the key's header and no signature."""
    theirs = vectors()["listenKey keepalive"]
    ours = listen_key("PUT", CREDENTIALS)
    assert (ours.method, ours.path, ours.params) == (theirs["method"], urlsplit(theirs["url"]).path, "")
    assert ours.headers == {"X-MBX-APIKEY": "key"}


@pytest.mark.parametrize(
    "request_",
    [
        AmendOrder(ticker="BTCUSDT", cloid="c", oid="7", amount=Decimal(1), price=Decimal(2)),
        QueryOpenOrders(),
        QueryFills(since_ns=10**18, ticker="BTCUSDT"),
        QueryPositions(),
        QueryBalances(),
    ],
    ids=lambda each: type(each).__name__,
)
def test_the_other_signed_requests_verify(request_: Request) -> None:
    """Verbs that the collection lacks are signed the same way."""
    verified(encode(request_, recorded_contracts(), CREDENTIALS, 1_700_000_000_000))


def depth_messages(name: str) -> Iterator[bytes]:
    path = WIRE / "recorded" / name
    if name.endswith(".gz"):
        with gzip.open(path, "rb") as lines:
            for line in lines:
                message = line.partition(b" ")[2].strip()
                if b"depthUpdate" in message:
                    yield message
    else:
        with path.open("rb") as lines:
            for line in lines:
                message = json.loads(line)["m"]
                if isinstance(message, dict) and "depth@" in message.get("stream", ""):
                    yield json.dumps(message).encode()


@pytest.mark.parametrize(
    ("name", "least"),
    [("binance_usdm__hftbacktest_ethusdt_20240808.log.gz", 6_000), ("binance_usdm__cryptofeed_20210722.jsonl", 100)],
)
def test_recorded_books_chain(name: str, least: int) -> None:
    """Every recorded depth update follows the one before: its ``prev_seq`` is that one's ``last_seq``."""
    contracts = Contracts("binance")
    last: dict[str, int | None] = {}
    links = 0
    for message in depth_messages(name):
        [event] = decode(message, contracts)
        assert isinstance(event, BookUpdate)
        assert not event.snapshot
        if event.ticker in last:
            assert event.prev_seq == last[event.ticker]
            links += 1
        last[event.ticker] = event.last_seq
    assert links >= least


def test_recorded_stream_is_read_whole() -> None:
    """Quotes, trades and depth of a recorded session all give events, none is malformed."""
    contracts = Contracts("binance")
    counted: dict[str, int] = {}
    with gzip.open(WIRE / "recorded" / "binance_usdm__hftbacktest_ethusdt_20240808.log.gz", "rb") as lines:
        for number, line in enumerate(lines):
            if number >= 10_000:
                break
            events: list[Event] = decode(line.partition(b" ")[2].strip(), contracts)
            for event in events:
                counted[type(event).__name__] = counted.get(type(event).__name__, 0) + 1
    assert set(counted) == {"BookUpdate", "QuoteUpdate", "TradeEvent"}


def test_recorded_contracts_are_linear_perpetuals() -> None:
    """A real list of contracts gives ticks, lots and minimums, quarterlies left out, bundles in base units."""
    contracts = recorded_contracts()
    assert len(contracts) > 100
    assert all(contract.tick_size > 0 and contract.lot_size > 0 for contract in contracts.values())
    assert not any("_" in ticker for ticker in contracts)
    bitcoin, shiba = contracts["BTCUSDT"], contracts["1000SHIBUSDT"]
    assert (bitcoin.base, bitcoin.tick_size, bitcoin.lot_size) == ("BTC", Decimal("0.01"), Decimal("0.001"))
    assert (shiba.base, shiba.multiplier, shiba.lot_size) == ("SHIB", Decimal(1000), Decimal(1000))
