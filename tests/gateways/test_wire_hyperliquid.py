"""Third-party messages, known signatures and requests of Hyperliquid, from beside the project; skipped where absent.

Every file is held against the table below: a new topic or file without a rule fails, and so does a rule that fits
nothing. An empty rule is a statement that an order management system needs nothing of it.
"""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateways.contracts import Contracts
from gateways.errors import Denied
from gateways.hyperliquid.decode import decode
from gateways.hyperliquid.encode import encode, encode_batch, slippage_price
from gateways.hyperliquid.signing import Signature, action_hash, address_of, recover, sign_l1_action
from gateways.hyperliquid.translate import contracts_of
from gateways.hyperliquid.wire import Asset
from gateways.standards import (
    Ack,
    AmendOrder,
    BalanceUpdate,
    BookUpdate,
    CancelOrder,
    Contract,
    Credentials,
    DeadMansSwitch,
    FillEvent,
    MarkUpdate,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    PlaceOrder,
    PositionUpdate,
    QueryBalances,
    QueryContracts,
    QueryOpenOrders,
    QueryOrder,
    QueryPositions,
    QuoteUpdate,
    Request,
    TimeInForce,
    TradeEvent,
)

WIRE = Path(__file__).parents[2].parent / "shared" / "wire"
pytestmark = pytest.mark.skipif(not WIRE.is_dir(), reason=f"no third-party messages at {WIRE}")

D = Decimal
NOTHING: set[type] = set()

BY_TOPIC: dict[str, set[type]] = {
    "orderUpdates": {OrderUpdate},
    "user": {FillEvent},
    "l2Book": {BookUpdate},
    "bbo": {QuoteUpdate},
    "trades": {TradeEvent},
    "allDexsAssetCtxs": {MarkUpdate},
    "allMids": NOTHING,  # mid prices of everything at once: the book of a contract is better
    "subscriptionResponse": NOTHING,
}
"""Websocket messages by their channel."""

BY_FILE: tuple[tuple[str, set[type]], ...] = (
    ("frontendOpenOrders", {OrderUpdate}),
    ("openOrders", {OrderUpdate}),
    ("GetOpenOrders", {OrderUpdate}),
    ("_meta_0", {Contract}),
    ("http_meta_perp", {Contract}),
    ("models_test_meta_", {Contract}),
    ("all_perp_metas", {Contract}),
    ("GetExchangeInfoAndTickers", {Contract, MarkUpdate}),
    ("GetExchangeInfo.", {Contract}),
    ("l2Book", {BookUpdate}),
    ("l2_book", {BookUpdate}),
    ("ws_book_data", {BookUpdate}),
    ("userFills", {FillEvent}),
    ("user_fills_dust", {FillEvent}),
    ("GetUserTrades", {FillEvent}),
    ("recent_trade", {TradeEvent}),
    ("ws_trade_data", {TradeEvent}),
    ("clearinghouseState_0", {PositionUpdate, BalanceUpdate}),
    ("GetAccountInfo", {PositionUpdate, BalanceUpdate}),
    ("http_clearinghouse_state", {BalanceUpdate}),
    ("parse_combined", {BalanceUpdate}),
    ("spot_clearinghouse_state", {BalanceUpdate}),
    ("spot_balance", {BalanceUpdate}),
    ("GetBalances", {BalanceUpdate}),
    ("PlaceOrder", {Ack}),
    ("SetLeverage", {Ack}),
    ("exchange_response", {Ack}),
    ("order_response", {Ack}),
    ("allMids", NOTHING),
    ("fundingHistory", NOTHING),  # funding is seen in the balance
    ("funding_history", NOTHING),
    ("GetFunding", NOTHING),
    ("userFunding", NOTHING),
    ("RateLimit", NOTHING),
    ("TwapSliceFills", NOTHING),  # the file is an empty list
    ("GetSymbolsAtMaxOpenInterest", NOTHING),
    ("http_spot_meta", NOTHING),  # spot is refused until it is built
    ("outcome_meta", NOTHING),
    ("trailing_stop", NOTHING),
    ("hip3_markets", NOTHING),  # another library's market list, not a message
)
"""Answers by a part of the file's name; the first that fits."""


def kat(name: str) -> Any:
    """A file of known answers."""
    return json.loads((WIRE / "kat" / name).read_text()) if WIRE.is_dir() else {}


def manifest() -> Iterator[dict[str, str]]:
    """The rows of the manifest on this venue's own messages."""
    if WIRE.is_dir():
        with (WIRE / "MANIFEST.csv").open(encoding="utf-8") as rows:
            for row in csv.DictReader(rows):
                if row["file"].startswith("hyperliquid/"):
                    yield row


def rule(row: dict[str, str]) -> set[type]:
    """The kinds of event that a file must give."""
    if row["kind"] == "ws":
        return BY_TOPIC[row["topic"]]
    return next(kinds for part, kinds in BY_FILE if part in row["file"])


def known_contracts() -> Contracts:
    """A universe that the captured contexts can be counted off by."""
    return Contracts("hl", contracts_of("hl", [Asset(name="BTC", sz_decimals=5), Asset(name="ETH", sz_decimals=4)]))


@pytest.mark.parametrize("row", list(manifest()), ids=lambda row: Path(row["file"]).stem)
def test_every_message_decodes_to_its_kinds(row: dict[str, str]) -> None:
    """Each message gives the kinds of event that its topic stands for, from text, bytes and parsed JSON alike."""
    raw = (WIRE / row["file"]).read_bytes()
    events = decode(raw, known_contracts())
    assert {type(event) for event in events} == rule(row)
    assert events == decode(raw.decode(), known_contracts()) == decode(json.loads(raw), known_contracts())


def test_every_file_has_a_rule_and_every_rule_a_file() -> None:
    """The folder, the manifest and the table cover each other."""
    rows = list(manifest())
    assert {Path(row["file"]).name for row in rows} == {path.name for path in (WIRE / "hyperliquid").iterdir()}
    assert {row["topic"] for row in rows if row["kind"] == "ws"} == set(BY_TOPIC)
    answers = [row["file"] for row in rows if row["kind"] == "rest"]
    assert [part for part, _ in BY_FILE if not any(part in name for name in answers)] == []


def test_orders_agree_with_another_reading() -> None:
    """Another library's reading of the private order messages is ours too, where it has one."""
    parsed = kat("ccxt_parsed_private_orders.json")["parsed"]
    theirs = {name: orders for name, orders in parsed.items() if name.startswith("hyperliquid/")}
    assert theirs
    words = {"open": {OrderStatus.NEW, OrderStatus.PARTIAL}, "closed": {OrderStatus.FILLED}}
    for name, (order,) in theirs.items():
        (ours,) = decode((WIRE / name).read_bytes(), Contracts("hl"))
        assert isinstance(ours, OrderUpdate)
        assert ours.oid == str(order["id"])
        assert ours.amount is not None
        assert (abs(ours.amount), "buy" if ours.amount > 0 else "sell") == (D(str(order["amount"])), order["side"])
        assert ours.price == D(str(order["price"]))
        assert ours.status in words[order["status"]]
        if order.get("filled") is not None:
            assert abs(ours.filled or 0) == D(str(order["filled"]))
        if order.get("clientOrderId"):
            assert "0x" + (ours.cloid or "") == order["clientOrderId"]


def test_the_recorded_log_decodes_whole() -> None:
    """Every line of a recorded session is a book, trades, or a known message without news."""
    kinds: Counter[str] = Counter()
    for line in gzip.decompress(
        (WIRE / "recorded/hyperliquid__hftbacktest_btcusd_20250126.log.gz").read_bytes()
    ).splitlines():
        for event in decode(line.split(b" ", 1)[1], known_contracts()):
            kinds[type(event).__name__] += 1
            if isinstance(event, BookUpdate):
                assert event.bids[0].price < event.asks[0].price
                assert [level.price for level in event.bids] == sorted(
                    (level.price for level in event.bids), reverse=True
                )
    assert kinds == {"BookUpdate": 46, "TradeEvent": 64}


# ---------------------------------------------------------------- signatures


def as_integers(signature: Any) -> tuple[int, int, int]:
    """r, s, v: the official library drops leading zeros, so the numbers are compared."""
    if isinstance(signature, Signature):
        return int(signature.r, 16), int(signature.s, 16), signature.v
    return int(signature["r"], 16), int(signature["s"], 16), signature["v"]


def test_every_known_signature_is_reproduced() -> None:
    """All vectors of the official library's own tests, mainnet and testnet, with vaults."""
    vectors = kat("hyperliquid_signing_python_sdk.json")
    assert vectors["l1_signatures"]
    for vector in vectors["l1_signatures"]:
        args = (vector["action"], vector["nonce"], vector["vault_address"], vector["expires_after"])
        signature = sign_l1_action(vector["private_key"], *args, is_mainnet=vector["is_mainnet"])
        assert as_integers(signature) == as_integers(vector), vector["name"]
        assert recover(signature, *args, is_mainnet=vector["is_mainnet"]) == address_of(vector["private_key"])
    for vector in vectors["action_hashes"]:
        found = action_hash(vector["action"], vector["nonce"], vector["vault_address"], vector["expires_after"])
        assert "0x" + found.hex() == vector["action_hash"]


def test_every_signature_of_the_official_client_is_reproduced() -> None:
    """The actions that the official client built under a frozen clock hash to the same bytes."""
    vectors = kat("hyperliquid_sdk_action_vectors.json")
    assert address_of(vectors["private_key"]) == vectors["address"].lower()
    for vector in vectors["vectors"]:
        sent = vector["payload"]
        args = (sent["action"], sent["nonce"], sent["vaultAddress"], sent["expiresAfter"])
        signature = sign_l1_action(vectors["private_key"], *args, is_mainnet=vector["network"] == "mainnet")
        assert as_integers(signature) == as_integers(sent["signature"]), vector["description"]


def test_signatures_of_a_real_client_recover_its_account() -> None:
    """What the official client sent to a local server names its key."""
    account = address_of("0x0123456789012345678901234567890123456789012345678901234567890123")
    path = WIRE / "client_transcripts" / "hyperliquid-python-sdk_0.24.0_hyperliquid.jsonl"
    seen = 0
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if row.get("path") != "/exchange":
            continue
        sent = json.loads(row["body"])
        signature = msgspec.convert(sent["signature"], Signature)
        args = (sent["action"], sent["nonce"], sent["vaultAddress"], sent["expiresAfter"])
        assert account in {recover(signature, *args, is_mainnet=mainnet) for mainnet in (True, False)}
        seen += 1
    assert seen == 3


# ------------------------------------------------------------------ requests

CLOID_A = "0x000000000000000000000000000000aa"[2:]
CLOID_B = "0x000000000000000000000000000000bb"[2:]


def sdk_universe() -> Contracts:
    """The universe of both request files."""
    sizes = {"BTC": 5, "ETH": 4, "SOL": 2, "MEME": 0}
    return Contracts("hl", contracts_of("hl", [Asset(name=name, sz_decimals=digits) for name, digits in sizes.items()]))


def limit(ticker: str, amount: str, price: str, **changes: Any) -> PlaceOrder:
    """A limit order under the id aa."""
    return PlaceOrder(ticker=ticker, cloid=changes.pop("cloid", CLOID_A), amount=D(amount), price=D(price), **changes)


def market(ticker: str, amount: str, slippage: str = "0.05") -> PlaceOrder:
    """A market order as the venue's shell prices it, from the mids of the file."""
    mid = D(kat("hyperliquid_sdk_action_vectors.json")["all_mids"][ticker])
    price = slippage_price(sdk_universe()[ticker], mid, D(slippage), buying=D(amount) > 0)
    return PlaceOrder(ticker=ticker, cloid=CLOID_A, amount=D(amount), kind=OrderKind.MARKET, price=price)


def official_requests() -> dict[str, Request]:
    """The official client's calls that we have a verb for, as standard requests, by their description."""
    if not WIRE.is_dir():
        return {}
    return {
        "Alo buy with cloid": limit("BTC", "0.012", "60000", post_only=True),
        "Gtc sell reduce-only": limit("ETH", "-0.5", "3000.1", reduce_only=True),
        "Ioc buy": limit("SOL", "1.25", "150.12", tif=TimeInForce.IOC),
        "cancel by oid": CancelOrder(ticker="BTC", oid="123"),
        "cancel by cloid": CancelOrder(ticker="BTC", cloid=CLOID_A),
        "modify by oid": AmendOrder(
            ticker="BTC", cloid=CLOID_B, oid="123", amount=D("0.02"), price=D(60001), post_only=True
        ),
        "schedule cancel set": DeadMansSwitch(timeout_ms=10_000),
        "schedule cancel clear": DeadMansSwitch(timeout_ms=0),
        "market open BTC buy slip 5%": market("BTC", "0.01"),
        "market open SOL sell slip 1%": market("SOL", "-2", "0.01"),
        "market open MEME buy": market("MEME", "1000"),
    }


def without_ids(action: Any) -> Any:
    """An action without client order ids: ours always have one, the official calls often have none."""
    if isinstance(action, dict):
        return {key: without_ids(value) for key, value in action.items() if key not in {"c", "builder"}}
    return [without_ids(item) for item in action] if isinstance(action, list) else action


@pytest.mark.parametrize(("description", "request_"), official_requests().items())
def test_requests_are_those_of_the_official_client(description: str, request_: Request) -> None:
    """The same call gives the same action, and the same signature where it has the same id."""
    vectors = kat("hyperliquid_sdk_action_vectors.json")
    (vector,) = [row for row in vectors["vectors"] if row["description"] == description]
    credentials = Credentials(vectors["address"], vectors["private_key"])
    wire = encode(request_, sdk_universe(), credentials, vectors["frozen_ms"], expires_in_ms=None)
    ours, theirs = json.loads(wire.body), vector["payload"]
    assert wire.path == vector["path"]
    assert without_ids(ours["action"]) == without_ids(theirs["action"])
    assert {key: ours[key] for key in ours if key not in {"action", "signature"}} == {
        key: theirs[key] for key in theirs if key not in {"action", "signature"}
    }
    if ours["action"] == theirs["action"]:
        assert as_integers(ours["signature"]) == as_integers(theirs["signature"])
    else:
        assert '"c"' not in json.dumps(theirs["action"])


def test_the_bulk_cancel_is_that_of_the_official_client() -> None:
    """Several cancels in one request."""
    vectors = kat("hyperliquid_sdk_action_vectors.json")
    (vector,) = [row for row in vectors["vectors"] if row["description"] == "bulk cancel"]
    credentials = Credentials(vectors["address"], vectors["private_key"])
    cancels = [CancelOrder(ticker="BTC", oid="1"), CancelOrder(ticker="ETH", oid="2")]
    ours = json.loads(encode_batch(cancels, sdk_universe(), credentials, vectors["frozen_ms"]).body)
    assert ours["action"] == vector["payload"]["action"]
    assert as_integers(ours["signature"]) == as_integers(vector["payload"]["signature"])


def other_requests() -> dict[str, Request]:
    """Another library's calls as standard requests, by their description."""
    one, three = "0" * 31 + "1", "0" * 31 + "3"
    return {
        "limit buy GTC": limit("BTC", "0.012", "60000", cloid=one),
        "limit post-only": limit("BTC", "0.012", "60000", cloid=three, post_only=True),
        "cancel by client id": CancelOrder(ticker="BTC", cloid=one),
        "fetch order by id": QueryOrder(ticker="BTC", oid="1234567890"),
        "fetch open orders": QueryOpenOrders(ticker="BTC"),
        "fetch positions": QueryPositions(),
        "fetch balance": QueryBalances(),
        "dead man switch": DeadMansSwitch(timeout_ms=10_000),
    }


def other_credentials() -> Credentials:
    """The account of the request file."""
    secret = kat("ccxt_request_vectors.json")["credentials"]["hyperliquid_private_key"]
    return Credentials(address_of(secret), secret)


@pytest.mark.parametrize(("description", "request_"), other_requests().items())
def test_requests_agree_with_another_library(description: str, request_: Request) -> None:
    """The decoded parameters are the same but for its builder fee, and our signature is over what we send."""
    file = kat("ccxt_request_vectors.json")
    (vector,) = [row for row in file["hyperliquid"] if row["description"] == description]
    credentials = other_credentials()
    wire = encode(request_, sdk_universe(), credentials, file["clock_ms"], mainnet=True, expires_in_ms=None)
    ours, theirs = json.loads(wire.body), json.loads(vector["request"]["body"])
    assert (wire.method, vector["request"]["url"].endswith(wire.path)) == (vector["request"]["method"], True)
    if wire.path == "/info":
        assert ours == theirs
        return
    theirs["action"].pop("builder", None)
    assert ours["action"] == theirs["action"]
    assert ours["nonce"] == theirs["nonce"]
    signature = msgspec.convert(ours["signature"], Signature)
    signer = recover(signature, ours["action"], ours["nonce"], None, ours["expiresAfter"], is_mainnet=True)
    assert signer == credentials.key


def test_fill_or_kill_is_denied_where_the_other_library_sends_it() -> None:
    """The venue has no such time in force: what it would refuse is not sent."""
    file = kat("ccxt_request_vectors.json")
    (vector,) = [row for row in file["hyperliquid"] if row["description"] == "limit FOK"]
    assert "no Fok" in vector["caveat"]
    with pytest.raises(Denied):
        encode(limit("BTC", "0.012", "60000", tif=TimeInForce.FOK), sdk_universe(), other_credentials(), 1)


def test_contracts_are_asked_for_by_meta() -> None:
    """The question whose captured answer is a universe."""
    wire = encode(QueryContracts(), sdk_universe(), other_credentials(), 1)
    assert {row["topic"] for row in manifest() if row["file"].endswith("_meta_0.json")} == {
        json.dumps(json.loads(wire.body))
    }
