"""Who may ask the paper OKX front, how often, and what it publishes of itself and of an account's terms."""

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.paper.front import Front, HttpReply
from gateways.paper.okx.limits import WINDOWS
from gateways.standards import Credentials
from tests.gateways.paper.okx_client import LIMIT, MARKET, OTHER, OWNER, TICKER, PaperClient, iso, refusal, sign

D = Decimal


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


def test_it_is_a_front(client: PaperClient) -> None:
    """The shells may use it as any other."""
    front: Front = client.front
    assert front.ws_open(99, "/ws/v5/public", "") == []


# ------------------------------------------------------------------ who asks


def changed(**fields: str) -> Credentials:
    return msgspec.structs.replace(OWNER, **fields)


@pytest.mark.parametrize(
    ("owner", "code"),
    [
        (changed(key="nobody"), "50111"),
        (changed(passphrase="wrong"), "50105"),
        (changed(secret="wrong"), "50113"),
        (changed(key=""), "50103"),
        (changed(passphrase=""), "50104"),
        (changed(secret=OTHER.secret), "50113"),
    ],
)
def test_a_request_that_is_not_proved_is_refused(client: PaperClient, owner: Credentials, code: str) -> None:
    """Key, passphrase and signature are each verified, with the venue's own code and HTTP 401."""
    assert refusal(client.send("GET", "account/balance", owner=owner)) == (401, code)
    assert refusal(client.send("POST", "trade/order", LIMIT, owner=owner)) == (401, code)
    assert client.exchange.orders(OWNER.key) == []


@pytest.mark.parametrize("header", ["ok-access-sign", "ok-access-timestamp"])
def test_a_request_without_a_header_is_refused(client: PaperClient, header: str) -> None:
    """Each of the proof's headers is mandatory."""
    code = {"ok-access-sign": "50106", "ok-access-timestamp": "50107"}[header]
    assert refusal(client.send("GET", "account/balance", headers={header: ""})) == (401, code)
    wrong = client.send("GET", "account/balance", headers={"ok-access-timestamp": "now"})
    assert refusal(wrong) == (401, "50112")


@pytest.mark.parametrize(("ahead_ms", "taken"), [(-29_000, True), (29_000, True), (-31_000, False), (31_000, False)])
def test_a_request_is_valid_for_thirty_seconds(client: PaperClient, ahead_ms: int, *, taken: bool) -> None:
    """Its time may be so far from the venue's, either way, and no farther."""
    reply = client.send("GET", "account/config", ahead_ms=ahead_ms)
    assert reply.status == (200 if taken else 401)
    assert taken or refusal(reply) == (401, "50102")


def test_the_signature_covers_path_query_and_body(client: PaperClient) -> None:
    """What was signed for one request proves no other."""
    sent: dict[str, HttpReply] = {}
    genuine = client.http

    def altered(method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> HttpReply:
        sent["path"] = genuine(method, path.replace("balance", "config"), query, headers, body)
        sent["query"] = genuine(method, path, query + "&ccy=BTC", headers, body)
        sent["body"] = genuine(method, path, query, headers, body + b" ")
        return genuine(method, path, query, headers, body)

    client.http = altered  # type: ignore[method-assign,assignment]
    assert client.send("GET", "account/balance", {"ccy": "USDT"}).status == 200
    assert {refusal(reply) for reply in sent.values()} == {(401, "50113")}


def test_public_data_asks_for_no_key(client: PaperClient) -> None:
    """What is everybody's is answered to everybody."""
    assert client.public("public/time") == [{"ts": client.stamp}]
    assert refusal(client.http("GET", "/api/v5/account/balance"))[0] == 401


def test_an_unknown_path_is_not_found(client: PaperClient) -> None:
    """No route, no answer but 404; the method is part of the route."""
    assert refusal(client.send("GET", "trade/nothing"))[0] == 404
    assert refusal(client.send("POST", "account/balance", {}))[0] == 404
    assert refusal(client.http("DELETE", "/api/v5/trade/order"))[0] == 404


@pytest.mark.parametrize(("body", "code"), [("", "50000"), ("{", "50002"), ("[1]", "50002"), ('"x"', "50002")])
def test_a_body_that_is_no_request_is_refused(client: PaperClient, body: str, code: str) -> None:
    """Nothing, no JSON, JSON of another form: refused although its signature is right."""
    path, at = "/api/v5/trade/order", iso(client.now_ns // 1_000_000)
    headers = {
        "ok-access-key": OWNER.key,
        "ok-access-passphrase": OWNER.passphrase,
        "ok-access-timestamp": at,
        "ok-access-sign": sign(OWNER.secret, f"{at}POST{path}{body}"),
    }
    assert refusal(client.http("POST", path, "", headers, body.encode())) == (400, code)


# ------------------------------------------------------------------ how often


def test_too_many_orders_in_a_contract_are_refused_whole(client: PaperClient) -> None:
    """Sixty in two seconds, for each contract and account; 50011 with HTTP 429, and nothing was done."""
    for _ in range(60):
        client.order()
    assert refusal(client.send("POST", "trade/order", LIMIT)) == (429, "50011")
    assert len(client.exchange.open_orders(OWNER.key)) == 60
    assert client.order(instId="ETH-USDT-SWAP", px="2600")["sCode"] == "0"
    assert client.send("POST", "trade/order", LIMIT, owner=OTHER).status == 200
    client.wait(2_000)
    assert client.order()["sCode"] == "0"


def test_a_batch_is_counted_by_its_orders() -> None:
    """One request of twenty orders is twenty; a batch beyond the limit is refused whole."""
    client = PaperClient({**WINDOWS, "batch-orders": (30, 2)})
    client.ladder()
    assert len(client.post("trade/batch-orders", [LIMIT] * 20)) == 20
    assert refusal(client.send("POST", "trade/batch-orders", [LIMIT] * 20)) == (429, "50011")
    assert len(client.exchange.open_orders(OWNER.key)) == 20


def test_an_account_has_a_limit_over_all_contracts() -> None:
    """New orders and amends together: 50061."""
    client = PaperClient({**WINDOWS, "account-orders": (2, 2)})
    client.ladder()
    client.order()
    client.order(instId="ETH-USDT-SWAP", px="2600")
    assert refusal(client.send("POST", "trade/order", LIMIT)) == (429, "50061")


def test_queries_have_limits_of_their_own(client: PaperClient) -> None:
    """Five a second of the account's configuration; another account is not held up by it."""
    for _ in range(5):
        client.ask("account/config")
    assert refusal(client.send("GET", "account/config")) == (429, "50011")
    assert client.send("GET", "account/config", owner=OTHER).status == 200
    client.wait(2_000)
    assert client.ask("account/config")


# ------------------------------------------------------------------ what is published


def test_contracts_are_published_in_contracts(client: PaperClient) -> None:
    """Lots and limits are counted in ``ctVal`` base units: a hundredth of a bitcoin, a thousand dogecoin."""
    listed = {row["instId"]: row for row in client.public("public/instruments", instType="SWAP")}
    assert {name: listed[TICKER][name] for name in ("ctVal", "ctMult", "lotSz", "minSz", "tickSz", "ctValCcy")} == {
        "ctVal": "0.01",
        "ctMult": "1",
        "lotSz": "0.01",
        "minSz": "0.01",
        "tickSz": "0.1",
        "ctValCcy": "BTC",
    }
    doge = listed["DOGE-USDT-SWAP"]
    assert (doge["ctVal"], doge["lotSz"], doge["tickSz"], doge["ctType"]) == ("1000", "0.01", "0.00001", "linear")
    assert (doge["state"], doge["instIdCode"], doge["instFamily"]) == ("live", 10464, "DOGE-USDT")
    assert client.public("public/instruments", instType="SPOT") == []
    assert client.ask("account/instruments", instType="SWAP") == list(listed.values())


def test_a_contract_of_a_thousand_is_traded_in_contracts(client: PaperClient) -> None:
    """Half a contract is five hundred dogecoin, on the book and in the position."""
    client.house("DOGE-USDT-SWAP", is_buy=False, price="0.19999", quantity="5000")
    client.order(instId="DOGE-USDT-SWAP", sz="0.5", **MARKET)
    assert client.exchange.position(OWNER.key, "DOGE-USDT-SWAP").amount == D(500)
    assert client.ask("account/positions", instId="DOGE-USDT-SWAP")[0]["pos"] == "0.5"
    assert client.public("market/trades", instId="DOGE-USDT-SWAP")[0]["sz"] == "0.5"


def test_a_halted_contract_is_published_as_suspended(client: PaperClient) -> None:
    """The state that clients read says it, and orders are refused."""
    client.exchange.halt(TICKER)
    assert client.public("public/instruments", instType="SWAP", instId=TICKER)[0]["state"] == "suspend"
    assert client.declined("trade/order", LIMIT) == "51022"


def test_market_data(client: PaperClient) -> None:
    """Book, ticker, trades, candles, mark, index, funding and limits are of the same market."""
    client.order(sz="2", **MARKET)
    (book,) = client.public("market/books", instId=TICKER, sz="2")
    assert book["asks"] == [["95000.1", "48", "0", "1"], ["95000.2", "50", "0", "1"]]
    assert book["bids"][0] == ["94999.9", "50", "0", "1"]
    assert len(client.public("market/books", instId=TICKER)[0]["asks"]) == 1
    (ticker,) = client.public("market/ticker", instId=TICKER)
    assert (ticker["last"], ticker["lastSz"], ticker["askPx"], ticker["bidSz"]) == ("95000.1", "2", "95000.1", "50")
    (trade,) = client.public("market/trades", instId=TICKER)
    assert (trade["side"], trade["px"], trade["sz"]) == ("buy", "95000.1", "2")
    (candle,) = client.public("market/candles", instId=TICKER, bar="1m")
    assert candle[1:] == ["95000.1", "95000.1", "95000.1", "95000.1", "2", "0.02", "1900.002", "0"]
    (mark,) = client.public("public/mark-price", instType="SWAP", instId=TICKER)
    assert D(mark["markPx"]) == client.exchange.mark(TICKER)
    assert client.public("market/index-tickers", instId="BTC-USDT")[0]["idxPx"] == mark["markPx"]
    (funding,) = client.public("public/funding-rate", instId=TICKER)
    assert int(funding["fundingTime"]) % (8 * 3_600_000) == 0 < int(funding["fundingTime"]) - client.now_ms
    (limits,) = client.public("public/price-limit", instId=TICKER)
    assert D(limits["buyLmt"]) == D(mark["markPx"]) * D("1.05")
    (interest,) = client.public("public/open-interest", instType="SWAP", instId=TICKER)
    assert (interest["oi"], interest["oiCcy"]) == ("2", "0.02")


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("market/ticker", "instId=NONE", "51001"),
        ("market/ticker", "", "50014"),
        ("market/books", f"instId={TICKER}&sz=401", "51000"),
        ("market/books", f"instId={TICKER}&sz=many", "51000"),
        ("market/candles", f"instId={TICKER}&bar=7m", "51000"),
        ("public/instruments", "", "50014"),
        ("public/instruments", "instType=STOCK", "51000"),
    ],
)
def test_a_wrong_parameter_is_named(client: PaperClient, path: str, query: str, code: str) -> None:
    """Absent, unknown, out of range: each with its code."""
    assert refusal(client.http("GET", f"/api/v5/{path}", query))[1] == code


# ------------------------------------------------------------------ an account's terms


def test_the_account_is_in_net_mode_with_cross_margin(client: PaperClient) -> None:
    """Settings that say so are answered, changes away from it are refused."""
    (config,) = client.ask("account/config")
    assert (config["posMode"], config["acctLv"], config["acctStpMode"]) == ("net_mode", "2", "cancel_maker")
    assert client.post("account/set-position-mode", {"posMode": "net_mode"}) == [{"posMode": "net_mode"}]
    other = client.send("POST", "account/set-position-mode", {"posMode": "long_short_mode"})
    assert refusal(other) == (200, "50062")


def test_leverage_is_remembered_and_shown(client: PaperClient) -> None:
    """What was set is what is asked and what positions show; too much is refused."""
    named = {"instId": TICKER, "mgnMode": "cross"}
    assert client.ask("account/leverage-info", **named)[0]["lever"] == "10"
    assert client.post("account/set-leverage", {**named, "lever": "5"})[0]["lever"] == "5"
    assert client.ask("account/leverage-info", **named)[0]["lever"] == "5"
    client.order(**MARKET)
    assert client.ask("account/positions")[0]["lever"] == "5"
    assert refusal(client.send("POST", "account/set-leverage", {**named, "lever": "101"})) == (200, "59102")


def test_money_and_positions_agree_with_the_exchange(client: PaperClient) -> None:
    """Equity is the wallet with what is not realised; the position is signed in contracts."""
    client.order(side="sell", sz="50", **MARKET)
    client.exchange.set_mark(TICKER, D("94000"))
    (position,) = client.ask("account/positions", instType="SWAP")
    assert (position["pos"], position["posSide"], position["avgPx"]) == ("-50", "net", "94999.9")
    assert D(position["upl"]) == (D("94999.9") - 94_000) * D("0.5")
    assert D(position["notionalUsd"]) == 47_000
    (money,) = client.ask("account/balance", ccy="USDT")
    (asset,) = money["details"]
    balance = client.exchange.balance(OWNER.key)
    assert (D(asset["cashBal"]), D(asset["availBal"])) == (balance.wallet, balance.available)
    assert D(asset["eq"]) == balance.wallet + D(position["upl"]) == D(money["totalEq"])
    assert client.ask("account/balance", ccy="BTC")[0]["details"] == []


def test_fees_are_what_is_charged(client: PaperClient) -> None:
    """A fee that is taken is written with a minus, as a rate and as an amount."""
    (fees,) = client.ask("account/trade-fee", instType="SWAP")
    assert (fees["maker"], fees["taker"]) == ("-0.0002", "-0.0005")
    client.order(**MARKET)
    (fill,) = client.ask("trade/fills")
    assert D(fill["fee"]) == D(fees["taker"]) * D(fill["fillPx"]) * D("0.01")
    assert D(fill["feeRate"]) == D(fees["taker"])


# ------------------------------------------------------------------ whatever is sent

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
WORDS = st.sampled_from([*LIMIT, "clOrdId", "ordId", "newSz", "newPx", "reqId", "instIdCode", "reduceOnly", "channel"])
NUMBERS = st.from_regex(r"\A[0-9]{0,32}\.?[0-9]{0,32}\Z")
ITEMS = st.dictionaries(WORDS, ANYTHING | NUMBERS, max_size=5).map(lambda some: {**LIMIT, "instIdCode": 10459, **some})
OPS = ("order", "amend-order", "batch-cancel-orders", "subscribe", "unsubscribe", "login")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(OPS) | ANYTHING, st.lists(ITEMS | ANYTHING, max_size=3) | ANYTHING, ANYTHING)
def test_whatever_is_sent_by_websocket_is_answered(op: object, args: object, request_id: object) -> None:
    """Every message gets JSON back, and the connection lives on."""
    client = PaperClient()
    connection = client.private()
    client.say(connection, {"id": request_id, "op": op, "args": args, "expTime": request_id})
    assert client.say(connection, "ping") == ["pong"]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["trade/order", "trade/amend-order", "trade/cancel-all-after", "account/set-leverage"]),
    ITEMS | ANYTHING,
    st.dictionaries(WORDS | st.sampled_from(["after", "begin", "limit", "sz", "bar"]), NUMBERS | st.text(max_size=5)),
)
def test_whatever_is_sent_by_http_is_answered(path: str, body: object, query: dict[str, str]) -> None:
    """Every request gets the venue's form back, with a code."""
    client = PaperClient()
    replies = [client.send("POST", path, body)]
    asked = ("market/books", "market/candles", "trade/fills", "trade/orders-history", "trade/order", "account/max-size")
    replies += [client.send("GET", each, {"instId": TICKER, **query}) for each in asked]
    for reply in replies:
        answer = json.loads(reply.body)
        assert isinstance(answer["code"], str)
        assert (reply.status == 200) or not answer["data"]
