"""The websockets of the paper Bybit front: logins, topics, what is told of market and account, order entry."""

import itertools
from decimal import Decimal
from typing import Any

import pytest

from gateways.paper.bybit.front import PRIVATE_PATH, PUBLIC_PATH, TRADE_PATH
from tests.gateways.paper.bybit_client import (
    KEY,
    LIMIT,
    MARKET,
    OTHER_KEY,
    OTHER_SECRET,
    TICKER,
    PaperClient,
    sign,
)

D = Decimal
CREATE, CANCEL = "/v5/order/create", "/v5/order/cancel"
NAMED = {"category": "linear", "symbol": TICKER}
ALL = ("order", "execution", "position", "wallet")
BOOK = f"orderbook.50.{TICKER}"


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


def told(messages: list[Any], topic: str) -> list[Any]:
    """The rows of one topic, as they came."""
    return [row for message in messages if message["topic"] == topic for row in message["data"]]


# ------------------------------------------------------- logins and topics


def test_each_kind_of_connection_has_its_own_pong(client: PaperClient) -> None:
    """The public answers as to a request, the private with its time, order entry with its code."""
    public = client.say(client.connect(PUBLIC_PATH), {"op": "ping", "req_id": "7"})
    assert (public["success"], public["ret_msg"], public["op"], public["req_id"]) == (True, "pong", "ping", "7")
    private = client.say(client.connect(PRIVATE_PATH), {"op": "ping"})
    assert (private["op"], private["args"]) == ("pong", [str(client.now_ms)])
    entry = client.say(client.connect(TRADE_PATH), {"op": "ping"})
    assert (entry["retCode"], entry["op"], entry["data"]) == (0, "pong", [str(client.now_ms)])


@pytest.mark.parametrize(
    "proof", [{"key": "nobody"}, {"secret": "wrong"}, {"secret": OTHER_SECRET}, {"ahead": 0}, {"ahead": -1}]
)
@pytest.mark.parametrize("path", [PRIVATE_PATH, TRADE_PATH])
def test_a_login_that_is_not_proved_is_refused_and_the_connection_ended(
    client: PaperClient, path: str, proof: dict[str, Any]
) -> None:
    """Key, signature and expiry are verified."""
    connection = client.connect(path)
    said = client.login(connection, **proof)
    assert said["success"] is False if path == PRIVATE_PATH else said["retCode"] != 0
    assert connection in client.closed


def test_topics_of_an_account_need_a_login(client: PaperClient) -> None:
    """And are its own: another account hears nothing of them."""
    connection = client.connect(PRIVATE_PATH)
    refused = client.say(connection, {"op": "subscribe", "args": ["order"], "req_id": "a"})
    assert (refused["success"], refused["ret_msg"], refused["req_id"]) == (False, "Request not authorized", "a")
    other = client.private(*ALL, key=OTHER_KEY, secret=OTHER_SECRET)
    mine = client.private("order")
    client.order()
    assert len(client.heard(mine)) == 1
    assert client.heard(other) == []


@pytest.mark.parametrize(
    ("topics", "words"),
    [
        (["order", "nothing"], "error:handler not found,topic:nothing"),
        (["order", "order.bonds"], "error:handler not found,topic:order.bonds"),
        (["wallet", "order"], "error:already subscribed,topic:wallet"),
        ([], "error:params error"),
    ],
)
def test_one_bad_topic_refuses_the_whole_request(client: PaperClient, topics: list[str], words: str) -> None:
    """And none of the others is subscribed to."""
    connection = client.private("wallet")
    refused = client.say(connection, {"op": "subscribe", "args": topics})
    assert (refused["success"], refused["ret_msg"]) == (False, words)
    client.order()
    assert {message["topic"] for message in client.heard(connection)} == {"wallet"}


@pytest.mark.parametrize(
    "topic", ["orderbook.500.BTCUSDT", "orderbook.50.NOTHING", "kline.2.BTCUSDT", "order", "trade"]
)
def test_public_topics_that_are_none(client: PaperClient, topic: str) -> None:
    """The venue has no such depth, contract, interval or name."""
    said = client.say(client.connect(PUBLIC_PATH), {"op": "subscribe", "args": [topic]})
    assert (said["success"], said["ret_msg"]) == (False, f"error:handler not found,topic:{topic}")


def test_what_cannot_be_read_is_answered(client: PaperClient) -> None:
    """No JSON, no operation; a connection at another path is closed."""
    connection = client.connect(PUBLIC_PATH)
    assert client.say(connection, "[")["success"] is False
    assert client.say(connection, {"op": "dance"})["ret_msg"] == "error:invalid op"
    assert client.connect("/v5/public/spot") in client.closed


def test_a_connection_that_asks_nothing_is_ended(client: PaperClient) -> None:
    """After ten minutes, or what it asked for; a ping makes it begin anew."""
    usual, short = client.connect(PRIVATE_PATH), client.connect(PRIVATE_PATH, "max_active_time=1m")
    client.wait(59_000)
    client.say(short, {"op": "ping"})
    client.wait(59_000)
    assert client.closed == set()
    client.wait(2_000)
    assert client.closed == {short}
    client.wait(600_000)
    assert client.closed == {short, usual}


# ----------------------------------------------------------------- the market


def test_a_book_is_a_snapshot_and_the_changes_after_it(client: PaperClient) -> None:
    """Applied in turn they make the book of the query; each ``u`` is one more than the one before."""
    connection = client.market(BOOK)
    client.post(CREATE, **{**MARKET, "qty": "0.7"})
    client.wait(20)
    client.house(TICKER, is_buy=True, price="95000.0", quantity="0.1")
    client.wait(20)
    snapshot, *deltas = client.heard(connection)
    assert (snapshot["type"], {delta["type"] for delta in deltas}) == ("snapshot", {"delta"})
    assert len(deltas) == 2
    updates = [message["data"]["u"] for message in (snapshot, *deltas)]
    assert all(after == before + 1 for before, after in itertools.pairwise(updates))
    assert updates[0] != 1
    sides = {name: dict(snapshot["data"][name]) for name in ("b", "a")}
    for delta in deltas:
        for name, levels in sides.items():
            levels.update(dict(delta["data"][name]))
    rest = client.public("/v5/market/orderbook", **NAMED, limit=50)
    for name, levels in sides.items():
        assert {price: size for price, size in levels.items() if D(size)} == dict(rest[name])


def test_a_book_of_some_depth_says_what_comes_into_it_and_what_falls_out(client: PaperClient) -> None:
    """A better level pushes the last one out, and comes back when it is gone."""
    for place in range(26, 61):
        client.house(TICKER, is_buy=True, price=str(D(95000) - D("0.1") * place))
    connection = client.market(BOOK)
    order = client.post(CREATE, **{**LIMIT, "price": "95000.0"})
    client.wait(20)
    client.post(CANCEL, **NAMED, orderId=order["orderId"])
    client.wait(20)
    snapshot, better, back = client.heard(connection)
    last = snapshot["data"]["b"][-1]
    assert better["data"]["b"] == [["95000.00", "0.010"], [last[0], "0.000"]]
    assert back["data"]["b"] == [last, ["95000.00", "0.000"]]


def test_messages_of_a_book_keep_their_distance(client: PaperClient) -> None:
    """What changes in between is told together, with the next tick at the latest."""
    connection = client.market(BOOK, f"orderbook.200.{TICKER}")
    for price, milliseconds in (("94000", 30), ("94001", 5), ("94002", 5)):
        client.now_ns += milliseconds * 1_000_000
        client.house(TICKER, is_buy=True, price=price)
    client.wait(100)
    deltas = [message for message in client.heard(connection) if message["type"] == "delta"]
    assert [(delta["topic"], len(delta["data"]["b"])) for delta in deltas] == [
        (BOOK, 1),
        (BOOK, 2),
        (f"orderbook.200.{TICKER}", 3),
    ]


def test_level_one_is_said_again_when_nothing_changes(client: PaperClient) -> None:
    """After three seconds, as a snapshot with the ``u`` that it had."""
    connection = client.market(f"orderbook.1.{TICKER}")
    (first,) = client.heard(connection)
    assert first["data"]["b"] == [["94999.90", "0.500"]]
    client.wait(10)
    client.post(CREATE, **{**MARKET, "qty": "0.5"})
    (delta,) = client.heard(connection)
    assert delta["data"]["a"] == [["95000.20", "0.500"], ["95000.10", "0.000"]]
    client.wait(3_000)
    (again,) = client.heard(connection)
    assert (again["type"], again["data"]["u"]) == ("snapshot", delta["data"]["u"])
    assert again["data"]["a"] == [["95000.20", "0.500"]]


def test_subscribing_anew_brings_a_new_snapshot(client: PaperClient) -> None:
    """Leaving a topic ends it; it cannot be joined twice."""
    connection = client.market(BOOK)
    assert client.say(connection, {"op": "subscribe", "args": [BOOK]})["success"] is False
    assert client.say(connection, {"op": "unsubscribe", "args": [BOOK]})["success"]
    client.heard(connection)
    client.house(TICKER, is_buy=True, price="94000")
    client.wait(100)
    assert client.heard(connection) == []
    assert client.say(connection, {"op": "subscribe", "args": [BOOK]})["success"]
    assert [message["type"] for message in client.heard(connection)] == ["snapshot"]


def test_a_ticker_tells_what_changed(client: PaperClient) -> None:
    """A snapshot with every field, then only those that are different, with the symbol."""
    connection = client.market(f"tickers.{TICKER}")
    client.post(CREATE, **{**MARKET, "qty": "0.5"})
    client.wait(100)
    client.wait(100)
    snapshot, delta = client.heard(connection)
    assert (snapshot["type"], snapshot["data"]["ask1Price"]) == ("snapshot", "95000.10")
    assert (delta["type"], delta["data"]["ask1Price"], delta["data"]["volume24h"]) == ("delta", "95000.20", "0.500")
    assert "bid1Price" not in delta["data"]
    assert delta["data"]["symbol"] == TICKER


def test_public_trades_and_candles(client: PaperClient) -> None:
    """Each trade once, with the taker's side and the id that its execution has; the candle of it each second."""
    connection = client.market(f"publicTrade.{TICKER}", f"kline.1.{TICKER}")
    mine = client.private("execution")
    client.post(CREATE, **{**MARKET, "qty": "0.6"})
    client.wait(1_000)
    messages = client.heard(connection)
    trades = told(messages, f"publicTrade.{TICKER}")
    assert [(row["S"], row["p"], row["v"]) for row in trades] == [
        ("Buy", "95000.10", "0.500"),
        ("Buy", "95000.20", "0.100"),
    ]
    assert [row["i"] for row in trades] == [row["execId"] for row in told(client.heard(mine), "execution")]
    (candle,) = told(messages, f"kline.1.{TICKER}")
    assert (candle["open"], candle["close"], candle["volume"]) == ("95000.10", "95000.20", "0.600")


# ---------------------------------------------------------------- an account


def test_an_order_that_takes_is_told_as_one(client: PaperClient) -> None:
    """One execution message with a row a trade, one order message with what came of it; then position and wallet."""
    connection = client.private(*ALL)
    client.post(CREATE, **{**LIMIT, "price": "95000.2", "qty": "0.7", "orderLinkId": "mine"})
    messages = client.heard(connection)
    assert [message["topic"] for message in messages] == ["execution", "position", "order", "wallet"]
    rows = told(messages, "execution")
    assert [(row["execQty"], row["leavesQty"], row["isMaker"]) for row in rows] == [
        ("0.500", "0.200", False),
        ("0.200", "0.000", False),
    ]
    (order,) = told(messages, "order")
    assert (order["orderStatus"], order["cumExecQty"], order["orderLinkId"]) == ("Filled", "0.700", "mine")
    assert D(order["cumExecFee"]) == sum(D(row["execFee"]) for row in rows)
    (position,) = told(messages, "position")
    assert (position["side"], position["size"], position["entryPrice"]) == ("Buy", "0.700", "95000.12857143")
    (wallet,) = told(messages, "wallet")
    assert D(wallet["coin"][0]["walletBalance"]) == 1_000_000 - D(order["cumExecFee"])


def test_an_order_that_rests_is_told_fill_by_fill(client: PaperClient) -> None:
    """New, part-filled, filled: an execution beside each."""
    connection = client.private("order.linear", "execution.linear")
    client.post(CREATE, **{**LIMIT, "price": "95000.0", "qty": "0.3"})
    for quantity in ("0.1", "0.2"):
        client.house(TICKER, is_buy=False, price="95000", quantity=quantity)
    messages = client.heard(connection)
    assert [(row["orderStatus"], row["cumExecQty"]) for row in told(messages, "order.linear")] == [
        ("New", "0.000"),
        ("PartiallyFilled", "0.100"),
        ("Filled", "0.300"),
    ]
    fills = told(messages, "execution.linear")
    assert [(row["execQty"], row["isMaker"], row["feeRate"]) for row in fills] == [
        ("0.100", True, "0.0002"),
        ("0.200", True, "0.0002"),
    ]


def test_an_order_that_ends_unfilled_is_told_once(client: PaperClient) -> None:
    """A post-only order that would take was never new; a cancelled one says by whom."""
    connection = client.private("order")
    client.post(CREATE, **{**LIMIT, "price": "95001", "timeInForce": "PostOnly"})
    (row,) = told(client.heard(connection), "order")
    assert (row["orderStatus"], row["rejectReason"]) == ("Cancelled", "EC_PostOnlyWillTakeLiquidity")
    order = client.post(CREATE, **LIMIT)
    client.post("/v5/order/amend", **NAMED, orderId=order["orderId"], qty="0.02")
    client.post(CANCEL, **NAMED, orderId=order["orderId"])
    rows = told(client.heard(connection), "order")
    assert [(row["orderStatus"], row["qty"], row["cancelType"]) for row in rows] == [
        ("New", "0.010", "UNKNOWN"),
        ("New", "0.020", "UNKNOWN"),
        ("Cancelled", "0.020", "CancelByUser"),
    ]


def test_a_cancel_that_raced_with_the_fill_tells_of_the_fill_twice(client: PaperClient) -> None:
    """The second message says that the cancel found nothing; the order is as filled as before."""
    connection = client.private("order")
    order = client.post(CREATE, **LIMIT)
    client.house(TICKER, is_buy=False, price="94000", quantity="13")
    client.post(CANCEL, **NAMED, orderId=order["orderId"])
    rows = told(client.heard(connection), "order")
    assert [(row["orderStatus"], row["rejectReason"], row["cancelType"]) for row in rows[1:]] == [
        ("Filled", "EC_NoError", "UNKNOWN"),
        ("Filled", "EC_OrigClOrdIDDoesNotExist", "CancelByUser"),
    ]


def test_the_fast_executions_have_no_fee(client: PaperClient) -> None:
    """What they have is what the others have."""
    connection = client.private("execution.fast", "execution")
    client.post(CREATE, **MARKET)
    messages = client.heard(connection)
    (fast,), (full,) = told(messages, "execution.fast"), told(messages, "execution")
    assert "execFee" not in fast
    assert all(full[name] == value for name, value in fast.items())


# ------------------------------------------------- disconnection protection


def protected(client: PaperClient, seconds: int = 10) -> int:
    """A connection that is watched, of an account with a resting order."""
    client.post("/v5/order/disconnected-cancel-all", timeWindow=seconds, product="DERIVATIVES")
    client.order()
    return client.private("order", "dcp.future")


def test_orders_are_cancelled_when_the_account_stays_away(client: PaperClient) -> None:
    """After the time that was set, and told with the reason."""
    assert client.refused("POST", "/v5/order/disconnected-cancel-all", timeWindow=2)[0] == 10001
    connection = protected(client)
    assert client.get("/v5/account/query-dcp-info")["dcpInfos"][0]["timeWindow"] == "10"
    client.front.ws_closed(connection)
    client.wait(9_900)
    assert len(client.exchange.open_orders(KEY)) == 1
    listening = client.private("order")
    client.wait(100)
    assert client.exchange.open_orders(KEY) == []
    (row,) = told(client.heard(listening), "order")
    assert (row["orderStatus"], row["cancelType"]) == ("Cancelled", "CancelByDCP")
    assert client.row(row["orderId"])["cancelType"] == "CancelByDCP"


def test_coming_back_with_a_heartbeat_keeps_them(client: PaperClient) -> None:
    """A login alone does not; topic and ping do."""
    for back, kept in ((False, 0), (True, 1)):
        connection = protected(client)
        client.front.ws_closed(connection)
        again = client.private("dcp.future" if back else "order")
        client.say(again, {"op": "ping"})
        client.wait(11_000)
        assert len(client.exchange.open_orders(KEY)) == kept
        client.say(again, {"op": "unsubscribe", "args": ["dcp.future"]})


def test_leaving_the_topic_ends_the_protection(client: PaperClient) -> None:
    """So does never joining it, and one connection of two that stays."""
    connection = protected(client)
    other = client.private("dcp.future")
    client.front.ws_closed(other)
    client.wait(20_000)
    client.say(connection, {"op": "unsubscribe", "args": ["dcp.future"]})
    client.front.ws_closed(connection)
    client.wait(20_000)
    assert len(client.exchange.open_orders(KEY)) == 1


# ---------------------------------------------------------------- order entry


def test_orders_over_the_order_entry_socket(client: PaperClient) -> None:
    """Placed, amended, cancelled and in batches, with the limit in the header of each answer."""
    connection = client.entry()
    placed = client.enter(connection, "order.create", **LIMIT, orderLinkId="mine")
    assert (placed["retCode"], placed["op"], placed["data"]["orderLinkId"]) == (0, "order.create", "mine")
    assert {"X-Bapi-Limit", "X-Bapi-Limit-Status", "X-Bapi-Limit-Reset-Timestamp", "Timenow"} <= set(placed["header"])
    named = {**NAMED, "orderId": placed["data"]["orderId"]}
    assert client.enter(connection, "order.amend", **named, qty="0.02")["retCode"] == 0
    assert client.enter(connection, "order.cancel", **named)["data"] == placed["data"]
    assert client.enter(connection, "order.cancel", **named)["retCode"] == 110001
    items = [{name: value for name, value in LIMIT.items() if name != "category"}, {"symbol": TICKER}]
    batch = client.enter(connection, "order.create-batch", category="linear", request=items)
    assert [item["code"] for item in batch["retExtInfo"]["list"]] == [0, 10001]
    assert len(client.exchange.open_orders(KEY)) == 1


def test_what_order_entry_refuses(client: PaperClient) -> None:
    """Without a login, too old, twice the same id, an unknown operation, no request at all."""
    assert client.enter(client.connect(TRADE_PATH), "order.create", **LIMIT)["retCode"] == 10003
    connection = client.entry()
    assert client.login(connection)["retCode"] == 20001
    assert client.enter(connection, "order.create", **LIMIT, ahead=-5_001)["retCode"] == 10002
    assert client.enter(connection, "order.create", **LIMIT, ahead=1_000)["retCode"] == 10002
    assert client.enter(connection, "order.dance", **LIMIT)["retCode"] == 10404
    request = {"reqId": "same", "header": {"X-BAPI-TIMESTAMP": str(client.now_ms)}, "op": "order.create"}
    assert client.say(connection, {**request, "args": [LIMIT]})["retCode"] == 0
    assert client.say(connection, {**request, "args": [LIMIT]})["retCode"] == 20006
    assert client.say(connection, {**request, "reqId": "other"})["retCode"] == 10001
    assert len(client.exchange.open_orders(KEY)) == 1


def test_a_login_says_its_expiry_as_a_number_or_as_text(client: PaperClient) -> None:
    """Clients differ."""
    for expires in (client.now_ms + 1_000, str(client.now_ms + 1_000)):
        connection = client.connect(PRIVATE_PATH)
        args = [KEY, expires, sign("paper-secret", f"GET/realtime{expires}")]
        assert client.say(connection, {"op": "auth", "args": args, "req_id": "x"})["success"]
