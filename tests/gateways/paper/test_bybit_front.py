"""Who may ask the paper Bybit front, how often, and what it publishes of itself, of the market and of an account."""

import json
from decimal import Decimal
from urllib.parse import quote

import pytest

from gateways.bybit import bodies
from gateways.paper.bybit.limits import RateLimits
from gateways.paper.front import Front
from tests.gateways.paper.bybit_client import (
    KEY,
    LIMIT,
    MARKET,
    OTHER_SECRET,
    SECRET,
    TICKER,
    PaperClient,
    answered,
    code_of,
    sign,
)

D = Decimal
WALLET = "/v5/account/wallet-balance"


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


def test_it_is_a_front(client: PaperClient) -> None:
    """The shells may use it as any other."""
    front: Front = client.front
    assert front.ws_open(99, "/v5/public/linear", "") == []


# ------------------------------------------------------------------ who asks


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        ({"key": "nobody"}, 10003),
        ({"key": ""}, 10001),
        ({"secret": "wrong"}, 10004),
        ({"secret": OTHER_SECRET}, 10004),
        ({"ahead": 1_000}, 10002),
        ({"ahead": -5_001}, 10002),
        ({"ahead": -20, "window": "10"}, 10002),
        ({"window": "soon"}, 10001),
    ],
)
def test_a_request_that_is_not_proved_is_refused(client: PaperClient, proof: dict[str, object], code: int) -> None:
    """Key, signature and time are each verified, with the venue's own code, and nothing is done."""
    assert client.refused("GET", WALLET, accountType="UNIFIED", **proof)[0] == code
    assert client.refused("POST", "/v5/order/create", **LIMIT, **proof)[0] == code
    assert client.exchange.orders(KEY) == []


@pytest.mark.parametrize("ahead", [999, 0, -5_000])
def test_a_request_within_its_window_is_taken(client: PaperClient, ahead: int) -> None:
    """The edges of the window belong to it."""
    assert client.get(WALLET, accountType="UNIFIED", ahead=ahead)["list"]


def test_the_signature_is_over_the_very_bytes_sent(client: PaperClient) -> None:
    """Not over what they mean: the same body with another space in it is refused, with what was verified."""
    time, body = str(client.now_ms), json.dumps(LIMIT)
    headers = {"x-bapi-api-key": KEY, "x-bapi-timestamp": time, "x-bapi-recv-window": "5000"}
    headers["x-bapi-sign"] = sign(SECRET, f"{time}{KEY}5000{body}")
    spaced = body.replace(": ", ":  ", 1)
    reply = client.http("POST", "/v5/order/create", "", headers, spaced.encode())
    assert (code_of(reply), json.loads(reply.body)["retMsg"]) == (
        10004,
        f"error sign! origin_string[{time}{KEY}5000{spaced}]",
    )
    assert code_of(client.http("POST", "/v5/order/create", "", headers, body.encode())) == 0


def test_what_cannot_be_read_is_refused(client: PaperClient) -> None:
    """No such route, no JSON, an unknown product or symbol."""
    assert client.http("GET", "/v5/market/nothing").status == 404
    assert code_of(client.http("GET", "/v5/market/tickers", "category=nothing")) == 10001
    assert code_of(client.http("GET", "/v5/market/orderbook", "category=linear&symbol=NOTHING")) == 10001
    time = str(client.now_ms)
    headers = {"x-bapi-api-key": KEY, "x-bapi-timestamp": time, "x-bapi-sign": sign(SECRET, f"{time}{KEY}[")}
    assert code_of(client.http("POST", "/v5/order/create", "", headers, b"[")) == 10001


# ------------------------------------------------------------------ how often


def test_the_accounts_limit_is_stated_and_kept() -> None:
    """Each order takes one of the second's ten; the next is refused with 10006, until the window has moved on."""
    client = PaperClient(RateLimits(entry=10))
    replies = [client.send("POST", "/v5/order/create", **LIMIT) for _ in range(11)]
    assert [code_of(reply) for reply in replies] == [0] * 10 + [10006]
    headers = [reply.headers for reply in replies]
    assert [each["X-Bapi-Limit-Status"] for each in headers[:3]] == ["9", "8", "7"]
    assert (headers[0]["X-Bapi-Limit"], headers[0]["X-Bapi-Limit-Reset-Timestamp"]) == ("10", str(client.now_ms))
    assert headers[-1]["X-Bapi-Limit-Reset-Timestamp"] == str(client.now_ms + 1_000)
    assert len(client.exchange.open_orders(KEY)) == 10
    assert code_of(client.send("GET", WALLET, accountType="UNIFIED")) == 0, "a limit of its own"
    client.wait(1_000)
    assert code_of(client.send("POST", "/v5/order/create", **LIMIT)) == 0


def test_a_batch_takes_as_many_as_it_holds() -> None:
    """A batch that is over the limit is refused whole."""
    client = PaperClient(RateLimits(batch=3))
    items = [{name: value for name, value in LIMIT.items() if name != "category"}] * 2
    assert len(client.post("/v5/order/create-batch", category="linear", request=items)["list"]) == 2
    assert client.refused("POST", "/v5/order/create-batch", category="linear", request=items)[0] == 10006
    assert len(client.exchange.open_orders(KEY)) == 2


def test_an_address_that_asks_too_often_is_banned_for_ten_minutes() -> None:
    """Over the address's limit everything is answered 403, public questions too."""
    client = PaperClient(RateLimits(address=3))
    statuses = [client.http("GET", "/v5/market/time").status for _ in range(4)]
    assert statuses == [200, 200, 200, 403]
    client.wait(599_000)
    assert client.send("GET", WALLET, accountType="UNIFIED").status == 403
    client.wait(2_000)
    assert client.http("GET", "/v5/market/time").status == 200


# ---------------------------------------------------------------- the market


def test_the_published_contracts_are_those_of_the_exchange(client: PaperClient) -> None:
    """Our gateway reads from the list what the exchange enforces, bundles of a thousand included."""
    rows = client.public("/v5/market/instruments-info", category="linear")["list"]
    assert tuple(bodies.instruments(rows, "bybit")) == tuple(client.exchange.contracts.values())
    (bundle,) = (row for row in rows if row["symbol"] == "1000PEPEUSDT")
    assert (bundle["baseCoin"], bundle["priceFilter"]["tickSize"]) == ("1000PEPE", "0.0000001")
    assert (bundle["lotSizeFilter"]["qtyStep"], bundle["priceScale"]) == ("100", "7")


def test_contracts_come_in_pages(client: PaperClient) -> None:
    """The cursors lead through all of them, each once, whether sent as they came or encoded once more."""
    for encoded in (str, quote):
        names, cursor = [], ""
        while True:
            asked = f"category=linear&limit=2&cursor={encoded(cursor)}"
            page = answered(client.http("GET", "/v5/market/instruments-info", asked))
            names += [row["symbol"] for row in page["list"]]
            cursor = page["nextPageCursor"]
            if not cursor:
                break
        assert names == list(client.exchange.contracts)
    assert client.public("/v5/market/instruments-info", category="spot")["list"] == []
    assert client.public("/v5/market/instruments-info", category="linear", status="PreLaunch")["list"] == []


def test_a_contract_that_is_halted_says_so(client: PaperClient) -> None:
    """Its status is not Trading while it is halted, and orders in it are refused."""
    client.exchange.halt(TICKER)
    (row,) = client.public("/v5/market/instruments-info", category="linear", symbol=TICKER)["list"]
    assert row["status"] == "Closed"
    assert client.refused("POST", "/v5/order/create", **LIMIT)[0] == 110066


def test_book_trades_ticker_and_candles_tell_of_one_market(client: PaperClient) -> None:
    """After two trades each of them says what they did."""
    client.post("/v5/order/create", **MARKET)
    client.post("/v5/order/create", **{**MARKET, "side": "Sell", "qty": "0.020"})
    book = client.public("/v5/market/orderbook", category="linear", symbol=TICKER, limit=2)
    assert book["b"] == [["94999.90", "0.480"], ["94999.80", "0.500"]]
    assert book["a"] == [["95000.10", "0.490"], ["95000.20", "0.500"]]
    trades = client.public("/v5/market/recent-trade", category="linear", symbol=TICKER)["list"]
    assert [(row["side"], row["price"], row["size"]) for row in trades] == [
        ("Sell", "94999.90", "0.020"),
        ("Buy", "95000.10", "0.010"),
    ]
    (ticker,) = client.public("/v5/market/tickers", category="linear", symbol=TICKER)["list"]
    assert (ticker["bid1Price"], ticker["ask1Price"], ticker["markPrice"]) == ("94999.90", "95000.10", "95000.00")
    assert (ticker["lastPrice"], ticker["highPrice24h"], ticker["volume24h"]) == ("94999.90", "95000.10", "0.030")
    assert ticker["tickDirection"] == "MinusTick"
    candles = client.public("/v5/market/kline", category="linear", symbol=TICKER, interval="5")["list"]
    minute = client.now_ms // 300_000 * 300_000
    assert candles == [[str(minute), "95000.10", "95000.10", "94999.90", "94999.90", "0.030", "2849.999"]]


def test_candles_are_made_of_minutes_and_a_day_forgets(client: PaperClient) -> None:
    """Newest first; what traded more than a day ago is not in the day's volume."""
    for _ in range(3):
        client.post("/v5/order/create", **MARKET)
        client.wait(60_000)
    ask = {"category": "linear", "symbol": TICKER}
    assert [row[5] for row in client.public("/v5/market/kline", **ask, interval="1")["list"]] == ["0.010"] * 3
    assert [row[5] for row in client.public("/v5/market/kline", **ask, interval="D")["list"]] == ["0.030"]
    assert client.public("/v5/market/tickers", **ask)["list"][0]["volume24h"] == "0.030"
    client.wait(86_400_000 - 120_000)
    assert client.public("/v5/market/tickers", **ask)["list"][0]["volume24h"] == "0.010"
    assert client.public("/v5/market/funding/history", **ask, limit=3)["list"][0]["fundingRate"] == "0.0001"


# ---------------------------------------------------------------- the account


def test_money_and_positions_after_a_fill(client: PaperClient) -> None:
    """The fee leaves the wallet, the margin what is available, and the position says its side and entry."""
    client.post("/v5/order/create", **{**MARKET, "side": "Sell", "qty": "0.100"})
    (row,) = client.get("/v5/position/list", category="linear", settleCoin="USDT")["list"]
    assert (row["symbol"], row["side"], row["size"]) == (TICKER, "Sell", "0.100")
    assert (row["avgPrice"], row["markPrice"], row["positionIM"]) == ("94999.9", "95000.00", "950")
    fee = D("0.1") * D("94999.9") * D("0.00055")
    assert D(row["cumRealisedPnl"]) == -fee
    (wallet,) = client.get(WALLET, accountType="UNIFIED")["list"]
    (coin,) = wallet["coin"]
    assert (D(coin["walletBalance"]), coin["totalPositionIM"], coin["totalOrderIM"]) == (1_000_000 - fee, "950", "0")
    assert D(wallet["totalAvailableBalance"]) == D(wallet["totalEquity"]) - 950
    (flat,) = client.get("/v5/position/list", category="linear", symbol="ETHUSDT")["list"]
    assert (flat["side"], flat["size"]) == ("", "0.00")
    assert client.refused("GET", "/v5/position/list", category="linear")[0] == 10001


def test_settings_away_from_the_one_mode_are_refused_in_the_venues_words(client: PaperClient) -> None:
    """One-way positions and cross margin; leverage is remembered and shown."""
    named = {"category": "linear", "symbol": TICKER}
    assert client.refused("POST", "/v5/position/switch-mode", **named, mode=0)[0] == 110025
    assert client.refused("POST", "/v5/position/switch-mode", **named, mode=3)[0] == 110029
    leverage = "/v5/position/set-leverage"
    assert client.refused("POST", leverage, **named, buyLeverage="10", sellLeverage="10")[0] == 110043
    assert client.refused("POST", leverage, **named, buyLeverage="10", sellLeverage="20")[0] == 10001
    assert client.refused("POST", leverage, **named, buyLeverage="200", sellLeverage="200")[0] == 110013
    client.post(leverage, **named, buyLeverage="20", sellLeverage="20")
    (row,) = client.get("/v5/position/list", **named)["list"]
    assert row["leverage"] == "20"


def test_an_account_says_what_it_is(client: PaperClient) -> None:
    """A unified account with its fees; other products have nothing."""
    assert client.get("/v5/account/info")["unifiedMarginStatus"] == 5
    assert client.get("/v5/user/query-api")["apiKey"] == KEY
    (fee,) = client.get("/v5/account/fee-rate", category="linear", symbol=TICKER)["list"]
    assert (fee["makerFeeRate"], fee["takerFeeRate"]) == ("0.0002", "0.00055")
    for path in ("/v5/order/realtime", "/v5/order/history", "/v5/execution/list", "/v5/position/list"):
        assert client.get(path, category="inverse")["list"] == []
