"""Real OKX v5 messages, recorded and documented, against our decode and encode.

The messages lie beside the project (``../shared/wire``); where they are absent these tests skip.
"""

import csv
import json
import zlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.okx.decode import decode
from gateways.okx.encode import encode, encode_batch, login, open_orders, sign
from gateways.okx.instruments import instruments
from gateways.standards import (
    AmendOrder,
    BookUpdate,
    CancelOrder,
    Credentials,
    DeadMansSwitch,
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

CHANNELS: dict[str, frozenset[str]] = {
    "account": frozenset({"BalanceUpdate"}),
    "balance_and_position": frozenset({"BalanceUpdate", "PositionUpdate"}),
    "bbo-tbt": frozenset({"QuoteUpdate"}),
    "books": frozenset({"BookUpdate"}),
    "books5": frozenset({"BookUpdate"}),
    "channel-conn-count-error": frozenset({"Reject"}),
    "error": frozenset({"Reject"}),
    "login": frozenset({"Ack"}),
    "mark-price": frozenset({"MarkUpdate"}),
    "orders": frozenset({"FillEvent", "OrderUpdate"}),
    "positions": frozenset({"PositionUpdate"}),
    "tickers": frozenset({"QuoteUpdate"}),
    "trades": frozenset({"TradeEvent"}),
}
"""Topic of a websocket message to the kinds of events that it gives; a topic that is not here gives none."""

IGNORED_CHANNELS = {
    "account-greeks",
    "algo-advance",
    "algo-recurring-buy",
    "block-tickers",
    "candle1D",
    "channel-conn-count",
    "deposit-info",
    "economic-calendar",
    "estimated-price",
    "fills",  # one row may hold several executions, which ``orders`` tells one by one
    "funding-rate",  # without a mark price
    "grid-orders-spot",
    "index-candle30m",
    "index-tickers",
    "liquidation-orders",  # other people's
    "mark-price-candle1D",
    "open-interest",
    "opt-summary",
    "option-trades",
    "orders-algo",  # conditional orders: the order that one becomes comes by ``orders``
    "price-limit",
    "public-block-trades",
    "public-struc-block-trades",
    "quotes",
    "status",
    "struc-block-trades",
}

ORDER_OPS = {"order", "batch-orders", "amend-order", "batch-amend-orders", "cancel-order", "batch-cancel-orders"}

BODIES: dict[str, frozenset[str]] = {
    "trade/amend": frozenset({"Ack"}),
    "trade/cancel": frozenset({"Ack"}),
    "trade/batch-orders": frozenset({"Ack"}),
    "trade/order-precheck": NONE,
    "trade/orders": frozenset({"OrderUpdate"}),
    "POST /api/v5/trade/order": frozenset({"Ack"}),
    "GET /api/v5/trade/order": frozenset({"OrderUpdate"}),
    "trade/fills": frozenset({"FillEvent"}),
    "account/balance": frozenset({"BalanceUpdate"}),
    "public/mark-price": frozenset({"MarkUpdate"}),
    "market/books": NONE,  # a book names no contract: only who asked can read it
    "market/trades": frozenset({"TradeEvent"}),
    "market/ticker": frozenset({"QuoteUpdate"}),
    "trade/close-position": NONE,
    "account/config": NONE,
    "account-position-risk": NONE,
    "account-rate-limit": NONE,
    "account/trade-fee": NONE,
    "public/time": NONE,
    "public/instruments": NONE,  # that one is of a spot pair
    # Without a topic: part of the file's name.
    "tradeToGlobal": frozenset({"FillEvent"}),
    "QueryTrades": frozenset({"FillEvent"}),
    "transaction_detail": frozenset({"FillEvent"}),
    "gct_okx_test_TestPlaceOrder.json": frozenset({"Contract"}),
    "instruments_swap": frozenset({"Contract"}),
    "balance_detail": frozenset({"BalanceUpdate"}),
    "get_account_balance": frozenset({"BalanceUpdate"}),
    "margin_position_reports": frozenset({"BalanceUpdate"}),
    "empty_margins": frozenset({"BalanceUpdate"}),
    "get_mark_price": frozenset({"MarkUpdate"}),
    "get_order_book": NONE,
    "orders_pending": frozenset({"OrderUpdate"}),
    "get_trades": frozenset({"TradeEvent"}),
    "place_order_response": frozenset({"Ack"}),
    # Requests, other markets, and what an OMS of plain orders does not read.
    "": NONE,
}
"""Part of a body's topic, or of its file's name where it has none, to the kinds of events, the first that fits."""

MALFORMED = {"ws__bbgo_parse_test_TestParsePriceVolumeOrderSliceJSON_1.json"}
"""Messages that were made wrong on purpose: a price of ``XYZ``."""


def manifest() -> list[dict[str, str]]:
    """The rows of our venue's messages."""
    if not WIRE.is_dir():
        return []
    with (WIRE / "MANIFEST.csv").open(newline="") as rows:
        return [row for row in csv.DictReader(rows) if row["file"].startswith("okx/")]


def expected(row: dict[str, str], raw: bytes) -> frozenset[str]:
    """The kinds of events that a message must give."""
    name, topic = row["file"], row["topic"]
    if row["kind"] == "rest":
        where = topic or name
        return next(kinds for part, kinds in BODIES.items() if part in where)
    if raw.lstrip().startswith(b"{") and json.loads(raw).get("event") == "subscribe":
        return frozenset({"Ack"})
    if topic in ORDER_OPS:
        return frozenset({"Reject"}) if "error" in row["tags"] else frozenset({"Ack"})
    if topic == "instruments":
        return frozenset({"Contract"}) if '"linear"' in raw.decode() and "SWAP" in raw.decode() else NONE
    if "account_empty" in name or not topic:
        return NONE
    assert topic in CHANNELS or topic in IGNORED_CHANNELS, f"no rule for {topic}"
    return CHANNELS.get(topic, NONE)


def published() -> list[Any]:
    path = WIRE / "recorded" / "okx__public_instruments_SWAP_20220513.json"
    return json.loads(path.read_bytes())["data"]


def recorded_contracts() -> Contracts:
    return Contracts("okx", instruments(published(), "okx"))


@pytest.mark.parametrize("row", manifest(), ids=lambda row: row["file"].removeprefix("okx/"))
def test_every_message_gives_what_its_topic_says(row: dict[str, str]) -> None:
    """Each message decodes to exactly the kinds of events of its topic, from bytes as from the parsed value."""
    raw = (WIRE / row["file"]).read_bytes()
    if row["file"].removeprefix("okx/") in MALFORMED:
        with pytest.raises(DecodeError, match="asks"):
            decode(raw, Contracts("okx"))
        return
    events = decode(raw, Contracts("okx"))
    assert {type(event).__name__ for event in events} == expected(row, raw)
    assert decode(json.loads(raw), Contracts("okx")) == events
    compact = json.dumps(json.loads(raw), separators=(",", ":")).encode()
    assert decode(compact, Contracts("okx")) == events, "the quick way and the slow way agree"
    decode(raw, recorded_contracts())


# ------------------------------------------------------------------ another library's reading

CCXT_STATUS = {
    "open": {OrderStatus.NEW, OrderStatus.PARTIAL},
    "closed": {OrderStatus.FILLED},
    "canceled": {OrderStatus.CANCELLED},
}


def parsed_by_ccxt() -> Iterator[tuple[str, dict[str, Any]]]:
    path = WIRE / "kat" / "ccxt_parsed_private_orders.json"
    if path.exists():
        for name, orders in json.loads(path.read_bytes())["parsed"].items():
            if name.startswith("okx/"):
                yield from ((name, order) for order in orders)


@pytest.mark.parametrize(
    ("name", "theirs"), list(parsed_by_ccxt()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_private_orders_agree_with_another_reading(name: str, theirs: dict[str, Any]) -> None:
    """Ids, side, sizes, status and averages are those that another library reads in the same message.

    Where it differs: a market order has no price here (it takes the last fill's), no time in force (it says IOC), and
    a limit order that is not post-only says so (it leaves that and GTC open).
    """
    ours = next(each for each in decode((WIRE / name).read_bytes(), Contracts("okx")) if isinstance(each, OrderUpdate))
    assert ours.oid == theirs["id"]
    assert ours.cloid == theirs["clientOrderId"]
    assert ours.ticker == theirs["symbol"]
    assert ours.amount is not None
    assert ours.filled is not None
    assert (ours.amount > 0) == (theirs["side"] == "buy")
    assert abs(ours.amount) == Decimal(str(theirs["amount"]))
    assert abs(ours.filled) == Decimal(str(theirs["filled"]))
    assert ours.status in CCXT_STATUS[theirs["status"]]
    assert ours.average_price == Decimal(str(theirs["average"]))
    assert ours.reduce_only == theirs["reduceOnly"]
    assert bool(ours.post_only) == bool(theirs["postOnly"])
    if ours.kind is OrderKind.LIMIT:
        assert ours.price == Decimal(str(theirs["price"]))
        assert theirs["timeInForce"] in {None, ours.tif.value if ours.tif else ""}
    else:
        assert ours.price is None


def test_order_sizes_are_in_base_units_once_contracts_are_known() -> None:
    """The same message with the specifications gives a hundredth of a bitcoin for each contract."""
    raw = (WIRE / "okx" / "ws__naurs_ws_orders.json").read_bytes()
    update, fill = decode(raw, recorded_contracts())
    assert isinstance(update, OrderUpdate)
    assert (update.amount, update.filled) == (Decimal("0.0003"), Decimal("0.0003"))
    assert fill.amount == Decimal("0.0003")


# ------------------------------------------------------------------ requests


def hmac_answers() -> list[dict[str, str]]:
    path = WIRE / "kat" / "hmac_signing_binance_bybit_okx.json"
    return [each for each in json.loads(path.read_bytes()) if each["venue"] == "okx"] if path.exists() else []


@pytest.mark.parametrize("answer", hmac_answers(), ids=lambda answer: answer["payload"][:40])
def test_signatures_are_the_known_ones(answer: dict[str, str]) -> None:
    """Each published payload and secret give the published signature."""
    assert sign(answer["secret"], answer["payload"]) == answer["signature"]


CREDENTIALS = Credentials("key", "secretsecret", "password")
NOW_MS = 1_700_000_000_000

BTC = "BTC-USDT-SWAP"
THREE = Decimal("0.03")
PRICE = Decimal("30000.1")

VECTORS: dict[str, Request] = {
    "limit buy GTC": PlaceOrder(ticker=BTC, cloid="cl1", amount=THREE, price=PRICE),
    "limit sell GTC": PlaceOrder(ticker=BTC, cloid="cl2", amount=-THREE, price=PRICE),
    "limit post-only": PlaceOrder(ticker=BTC, cloid="cl3", amount=THREE, price=PRICE, post_only=True),
    "limit IOC": PlaceOrder(ticker=BTC, cloid="cl4", amount=THREE, price=PRICE, tif=TimeInForce.IOC),
    "market buy": PlaceOrder(ticker=BTC, cloid="cl7", amount=THREE, kind=OrderKind.MARKET),
    "market reduceOnly sell": PlaceOrder(
        ticker=BTC, cloid="cl8", amount=-THREE, kind=OrderKind.MARKET, reduce_only=True
    ),
    "cancel by id": CancelOrder(ticker=BTC, oid="1234567890"),
    "fetch balance": QueryBalances(),
    "edit order": AmendOrder(ticker=BTC, cloid="c", oid="1234567890", amount=2 * THREE, price=PRICE),
}
"""Description in the collection to the same request in our words: every verb of theirs that we have.

Three contracts are 0.03 BTC.
"""

NOT_OURS = {
    "stop market",
    "take profit market",
    "trigger limit",
    "set leverage",
    "batch create",
    "batch cancel",  # compared apart
    "fetch open orders",  # same
    "fetch positions",  # they ask for one contract, we for all
}


def vectors() -> dict[str, dict[str, Any]]:
    path = WIRE / "kat" / "ccxt_request_vectors.json"
    return (
        {each["description"]: each["request"] for each in json.loads(path.read_bytes())["okx"]} if path.exists() else {}
    )


def verified(request: WireRequest) -> None:
    """The signature verifies over exactly the bytes that are sent."""
    target = f"{request.path}?{request.params}" if request.params else request.path
    payload = f"{request.headers['OK-ACCESS-TIMESTAMP']}{request.method}{target}{request.body.decode()}"
    assert request.headers["OK-ACCESS-SIGN"] == sign(CREDENTIALS.secret, payload)
    assert request.headers["OK-ACCESS-KEY"] == CREDENTIALS.key
    assert request.headers["OK-ACCESS-PASSPHRASE"] == CREDENTIALS.passphrase


def test_every_vector_is_compared_or_named() -> None:
    """No request of the collection is passed over by accident."""
    assert set(vectors()) == set(VECTORS) | NOT_OURS


@pytest.mark.parametrize("description", sorted(VECTORS))
def test_requests_are_those_of_another_client(description: str) -> None:
    """Method, path and parameters are those that another library sends for the same intent; the signature verifies.

    It places single orders by the batch endpoint, as a list of one: there the order is what is compared.
    """
    theirs = vectors()[description]
    ours = encode(VECTORS[description], recorded_contracts(), CREDENTIALS, NOW_MS)
    url = urlsplit(theirs["url"])
    said = json.loads(theirs["body"]) if theirs["body"] else None
    if url.path.endswith("batch-orders"):
        [said] = said
        assert ours.path == "/api/v5/trade/order"
    else:
        assert ours.path == url.path
    assert ours.method == theirs["method"]
    assert dict(parse_qsl(ours.params)) == dict(parse_qsl(url.query))
    assert (json.loads(ours.body) if ours.body else None) == said
    assert ours.headers["OK-ACCESS-TIMESTAMP"] == theirs["headers"]["OK-ACCESS-TIMESTAMP"]
    verified(ours)


def test_the_same_bytes_get_the_same_signature() -> None:
    """A request without a body is theirs to the last letter of its signature."""
    theirs = vectors()["fetch balance"]
    ours = encode(QueryBalances(), recorded_contracts(), CREDENTIALS, NOW_MS)
    assert ours.headers["OK-ACCESS-SIGN"] == theirs["headers"]["OK-ACCESS-SIGN"]


def test_pages_and_batches_hold_what_another_client_sends() -> None:
    """Open orders of a contract, and a batch of cancels, have at least the other client's parameters."""
    theirs = urlsplit(vectors()["fetch open orders"]["url"])
    ours = open_orders(BTC, "", CREDENTIALS, NOW_MS)
    assert ours.path == theirs.path
    assert dict(parse_qsl(theirs.query)).items() <= dict(parse_qsl(ours.params)).items()
    verified(ours)
    said = json.loads(vectors()["batch cancel"]["body"])
    cancels = [CancelOrder(ticker=each["instId"], oid=each["ordId"]) for each in said]
    batch = encode_batch(cancels, Contracts("okx"), CREDENTIALS, NOW_MS)
    assert batch.path == urlsplit(vectors()["batch cancel"]["url"]).path
    assert json.loads(batch.body) == said
    verified(batch)


@pytest.mark.parametrize(
    "request_",
    [
        QueryOpenOrders(),
        QueryOrder(ticker=BTC, cloid="c1"),
        QueryFills(since_ns=10**18, ticker=BTC),
        QueryPositions(),
        DeadMansSwitch(timeout_ms=60_000),
    ],
    ids=lambda each: type(each).__name__,
)
def test_the_other_signed_requests_verify(request_: Request) -> None:
    """Verbs that the collection lacks are signed the same way."""
    verified(encode(request_, recorded_contracts(), CREDENTIALS, NOW_MS))


def test_login_is_that_of_another_client() -> None:
    """The time, key and signature of a login are those that python-okx sent at the same second."""
    path = WIRE / "client_transcripts" / "python-okx_0.4.4_okx.jsonl"
    messages = [json.loads(line) for line in path.read_text().splitlines()]
    sent = next(json.loads(each["data"]) for each in messages if each["kind"] == "ws_in" and "login" in each["data"])
    [theirs] = sent["args"]
    secret = next(
        (each for each in ("secret", "secretsecret") if _proof(each, theirs["timestamp"]) == theirs["sign"]), ""
    )
    assert secret
    message = json.loads(login(Credentials("key", secret, "password"), theirs["timestamp"] * 1_000 + 7))
    assert message["op"] == "login"
    # It sends the time as a number, where the documentation has a text.
    assert message["args"] == [{**theirs, "timestamp": str(theirs["timestamp"])}]


def _proof(secret: str, seconds: int) -> str:
    return sign(secret, f"{seconds}GET/users/self/verify")


# ------------------------------------------------------------------ recorded markets


def checksum(bids: dict[Decimal, str], asks: dict[Decimal, str]) -> int:
    """CRC32 over the best 25 levels of both sides, one of each in turn, as "Checksum" of the documentation has it."""
    best_bids = sorted(bids, reverse=True)[:25]
    best_asks = sorted(asks)[:25]
    parts = []
    for place in range(25):
        parts += [bids[best_bids[place]]] if place < len(best_bids) else []
        parts += [asks[best_asks[place]]] if place < len(best_asks) else []
    crc = zlib.crc32(":".join(parts).encode())
    return crc - (1 << 32) if crc >= 1 << 31 else crc


def recorded(channel: str) -> Iterator[dict[str, Any]]:
    with (WIRE / "recorded" / "okx__cryptofeed_20220513_BTC-USD-220527_BTC-USDT.jsonl").open("rb") as lines:
        for line in lines:
            message = json.loads(line)["m"]
            if isinstance(message, dict) and "data" in message and message["arg"]["channel"] == channel:
                yield message


def test_recorded_books_have_the_checksums_that_the_venue_sent() -> None:
    """Snapshots and updates, applied as decoded, give the published CRC32 after every message.

    The recording is older than the sequence numbers, so that the checksum is what proves the chain.
    """
    books: dict[str, tuple[dict[Decimal, str], dict[Decimal, str]]] = {}
    verified_ = 0
    for message in recorded("books"):
        [event] = decode(json.dumps(message).encode(), Contracts("okx"))
        assert isinstance(event, BookUpdate)
        assert event.snapshot == (message["action"] == "snapshot")
        if event.snapshot:
            books[event.ticker] = ({}, {})
        bids, asks = books[event.ticker]
        for side, levels in ((bids, event.bids), (asks, event.asks)):
            for price, quantity in levels:
                if quantity:
                    side[price] = f"{price}:{quantity}"
                else:
                    side.pop(price, None)
        [data] = message["data"]
        if data["checksum"]:
            assert checksum(bids, asks) == data["checksum"]
            verified_ += 1
    assert verified_ >= 190


def test_documented_books_chain_by_their_numbers() -> None:
    """An update names the number of the snapshot that it follows; the snapshot names none."""
    [snapshot] = decode((WIRE / "okx" / "ws__naurs_ws_books_snapshot.json").read_bytes(), Contracts("okx"))
    [update] = decode((WIRE / "okx" / "ws__naurs_ws_books_update.json").read_bytes(), Contracts("okx"))
    assert isinstance(snapshot, BookUpdate)
    assert isinstance(update, BookUpdate)
    assert (snapshot.snapshot, snapshot.prev_seq) == (True, None)
    assert (update.snapshot, update.prev_seq) == (False, snapshot.last_seq)


@pytest.mark.parametrize(("channel", "kind"), [("trades", "TradeEvent"), ("tickers", "QuoteUpdate")])
def test_recorded_trades_and_quotes_are_read_whole(channel: str, kind: str) -> None:
    """Every row of a recorded session gives its event."""
    for message in recorded(channel):
        events = decode(message, Contracts("okx"))
        assert [type(event).__name__ for event in events] == [kind] * len(message["data"])


def test_recorded_contracts_are_linear_swaps_in_base_units() -> None:
    """A real list of contracts gives ticks, lots and minimums in base units; the inverse ones are left out."""
    contracts = recorded_contracts()
    kinds = [row["ctType"] for row in published()]
    assert len(contracts) == kinds.count("linear") > 100
    assert all(contract.tick_size > 0 and contract.lot_size > 0 for contract in contracts.values())
    assert "BTC-USD-SWAP" not in contracts
    for row in published():
        if row["ctType"] == "linear":
            contract = contracts[row["instId"]]
            factor = Decimal(row["ctVal"]) * Decimal(row["ctMult"])
            assert (contract.multiplier, contract.lot_size) == (factor, Decimal(row["lotSz"]) * factor)
            assert (contract.base, contract.quote) == (row["ctValCcy"], row["settleCcy"])
