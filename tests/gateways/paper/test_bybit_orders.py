"""Orders on the paper Bybit front: what is taken, what is refused and in which words, and what is told of it after."""

import json
from decimal import Decimal
from typing import Any

import pytest

from gateways.paper.acts import Acts
from gateways.paper.market import FLOW
from gateways.paper.quoter import MAKER
from gateways.standards import ZERO
from tests.gateways.paper.bybit_client import KEY, LIMIT, MARKET, TICKER, PaperClient
from tests.gateways.paper.front_client import MONEY

D = Decimal
CREATE, AMEND, CANCEL = "/v5/order/create", "/v5/order/amend", "/v5/order/cancel"
NAMED = {"category": "linear", "symbol": TICKER}


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


# ------------------------------------------------------------------- placing


def test_an_order_that_rests(client: PaperClient) -> None:
    """The answer names it; the query states it, by either id."""
    row = client.order(orderLinkId="mine-1", timeInForce="PostOnly")
    assert (row["orderStatus"], row["orderLinkId"], row["timeInForce"]) == ("New", "mine-1", "PostOnly")
    assert (row["qty"], row["leavesQty"], row["cumExecQty"], row["price"]) == ("0.010", "0.010", "0.000", "94000.00")
    assert (row["avgPrice"], row["cancelType"], row["rejectReason"]) == ("", "UNKNOWN", "EC_NoError")
    (by_link,) = client.get("/v5/order/realtime", **NAMED, orderLinkId="mine-1")["list"]
    assert by_link == row


@pytest.mark.parametrize(
    ("terms", "status", "filled", "reason"),
    [
        ({"price": "95000.1", "timeInForce": "PostOnly"}, "Cancelled", "0.000", "EC_PostOnlyWillTakeLiquidity"),
        ({"price": "95000.0", "timeInForce": "IOC"}, "Cancelled", "0.000", "EC_NoImmediateQtyToFill"),
        ({"price": "95000.1", "timeInForce": "IOC", "qty": "0.7"}, "Cancelled", "0.500", "EC_CancelForNoFullFill"),
        ({"price": "95000.1", "timeInForce": "FOK", "qty": "0.7"}, "Cancelled", "0.000", "EC_NoEnoughQtyToFill"),
        ({"price": "95000.2", "timeInForce": "FOK", "qty": "0.7"}, "Filled", "0.700", "EC_NoError"),
        ({"price": "95000.1", "qty": "0.7"}, "PartiallyFilled", "0.500", "EC_NoError"),
    ],
)  # fmt: skip
def test_what_becomes_of_an_accepted_order(
    client: PaperClient, terms: dict[str, str], status: str, filled: str, reason: str
) -> None:
    """Acceptance is all that the answer says; the order's row says how it ended, in the venue's words."""
    row = client.order(**terms)
    assert (row["orderStatus"], row["cumExecQty"]) == (status, filled)
    assert (row["cancelType"], row["rejectReason"]) == ("UNKNOWN", reason)
    if status in {"Cancelled", "Filled"}:
        assert D(row["leavesQty"]) == 0


def test_a_market_order_is_an_ioc_order_with_a_protective_price(client: PaperClient) -> None:
    """Its price is the venue's own, at which it would have stopped."""
    row = client.row(client.post(CREATE, **MARKET)["orderId"])
    assert (row["orderType"], row["timeInForce"], row["orderStatus"]) == ("Market", "IOC", "Filled")
    assert (row["price"], row["avgPrice"], row["cumExecValue"]) == ("99750.00", "95000.1", "950.001")
    assert D(row["cumExecFee"]) == D("950.001") * D("0.00055")


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"qty": "0.0105"}, 10001),
        ({"qty": "0"}, 10001),
        ({"qty": "-1"}, 10001),
        ({"qty": "1191"}, 10001),
        ({"price": "94000.05"}, 10001),
        ({"price": ""}, 10001),
        ({"price": "100000"}, 110003),
        ({"side": "buy"}, 10001),
        ({"orderType": "Stop"}, 10001),
        ({"timeInForce": "GTX"}, 10001),
        ({"symbol": "NOTHING"}, 10001),
        ({"category": "spot"}, 10001),
        ({"category": "nothing"}, 10001),
        ({"positionIdx": 1}, 10001),
        ({"triggerPrice": "90000"}, 10001),
        ({"takeProfit": "99000"}, 10001),
        ({"orderLinkId": "x" * 37}, 10001),
        ({"orderLinkId": "no spaces"}, 10001),
        ({"qty": "0.001", "price": "4000"}, 110094),
        ({"qty": "200"}, 110007),
        ({"reduceOnly": True}, 110017),
        ({"bboSideType": "Queue"}, 10001),
    ],
)
def test_a_refused_order_leaves_nothing(client: PaperClient, terms: dict[str, Any], code: int) -> None:
    """Each refusal has the venue's code; there is no order, and the id may be used."""
    assert client.refused("POST", CREATE, **{**LIMIT, "orderLinkId": "mine", **terms})[0] == code
    assert client.exchange.orders(KEY) == []
    client.order(orderLinkId="mine")


def test_a_link_id_is_used_once(client: PaperClient) -> None:
    """Not while its order is open, not after it ended, and not in another contract."""
    order = client.order(orderLinkId="mine")
    client.ladder("ETHUSDT", "2700", "0.01")
    other = {**LIMIT, "symbol": "ETHUSDT", "price": "2600", "orderLinkId": "mine"}
    for _ in range(2):
        assert client.refused("POST", CREATE, **LIMIT, orderLinkId="mine") == (110072, "OrderLinkedID is duplicate")
        assert client.refused("POST", CREATE, **other)[0] == 110072
        if client.exchange.open_orders(KEY):
            client.post(CANCEL, **NAMED, orderId=order["orderId"])


def test_price_rules_take_a_level_of_the_book(client: PaperClient) -> None:
    """Of the own side, or of the other."""
    terms = {name: value for name, value in LIMIT.items() if name != "price"}
    rested = client.row(client.post(CREATE, **terms, bboSideType="Queue", bboLevel="3")["orderId"])
    assert (rested["price"], rested["orderStatus"]) == ("94999.70", "New")
    took = client.row(client.post(CREATE, **terms, bboSideType="Counterparty", bboLevel="2")["orderId"])
    assert (took["price"], took["orderStatus"]) == ("95000.20", "Filled")


def test_a_reduce_only_order_fills_the_position_alone(client: PaperClient) -> None:
    """The same side is refused; what is over the position is cancelled by the venue."""
    client.post(CREATE, **MARKET)
    text = client.refused("POST", CREATE, **MARKET, reduceOnly=True)
    assert text == (110017, "reduce-only order has same side with current position")
    closing = client.post(CREATE, **{**MARKET, "side": "Sell", "qty": "0.030", "reduceOnly": True})
    row = client.row(closing["orderId"])
    assert (row["cumExecQty"], row["orderStatus"], row["cancelType"]) == ("0.010", "Cancelled", "CancelByReduceOnly")
    assert client.exchange.position(KEY, TICKER).amount == 0


def test_bundles_are_converted_at_the_door(client: PaperClient) -> None:
    """On the wire thousands and their price; in the exchange units."""
    ticker = "1000PEPEUSDT"
    client.house(ticker, is_buy=False, price="0.00001", quantity="100000000")
    order = client.order(symbol=ticker, qty="1000", price="0.0100000")
    (held,) = client.exchange.fills(KEY)
    assert (held.quantity, held.price) == (D(1_000_000), D("0.00001"))
    assert (order["qty"], order["price"], order["avgPrice"]) == ("1000", "0.0100000", "0.01")
    (fill,) = client.get("/v5/execution/list", category="linear", symbol=ticker)["list"]
    assert (fill["execQty"], fill["execPrice"], fill["execValue"]) == ("1000", "0.0100000", "10")
    (position,) = client.get("/v5/position/list", category="linear", symbol=ticker)["list"]
    assert (position["size"], position["avgPrice"], position["positionValue"]) == ("1000", "0.01", "10")


# ------------------------------------------------------- changing, cancelling


def test_an_amend_keeps_the_id(client: PaperClient) -> None:
    """Price, quantity or both; what is not said stays."""
    order = client.order(orderLinkId="mine")
    named = client.post(AMEND, **NAMED, orderLinkId="mine", price="93000")
    assert named == {"orderId": order["orderId"], "orderLinkId": "mine"}
    client.post(AMEND, **NAMED, orderId=order["orderId"], qty="0.02")
    row = client.row(order["orderId"])
    assert (row["price"], row["qty"], row["orderStatus"]) == ("93000.00", "0.020", "New")


def test_an_amend_that_cannot_be(client: PaperClient) -> None:
    """No such order, nothing new, too small a quantity, a price between the ticks: and it stays as it was."""
    order = client.order(price="95000.1", qty="0.6")
    named = {**NAMED, "orderId": order["orderId"]}
    assert client.refused("POST", AMEND, **NAMED, orderLinkId="nobody", qty="1") == (
        110001,
        "order not exists or too late to replace",
    )
    assert client.refused("POST", AMEND, **named, qty="0.6", price="95000.1")[0] == 10001
    assert client.refused("POST", AMEND, **named, qty="0.5")[0] == 110064
    assert client.refused("POST", AMEND, **named, price="95000.15")[0] == 10001
    assert client.refused("POST", AMEND, **named, qty="900")[0] == 110007
    assert client.row(order["orderId"]) == order
    client.post(CANCEL, **named)
    assert client.refused("POST", AMEND, **named, qty="0.7")[0] == 110001


def test_a_post_only_order_amended_into_the_book_is_cancelled(client: PaperClient) -> None:
    """By the venue, with its reason."""
    order = client.order(timeInForce="PostOnly")
    client.post(AMEND, **NAMED, orderId=order["orderId"], price="95000.2")
    row = client.row(order["orderId"])
    assert (row["orderStatus"], row["rejectReason"]) == ("Cancelled", "EC_PostOnlyWillTakeLiquidity")


def test_a_cancel(client: PaperClient) -> None:
    """By either id; a second one, and one of what never was, are refused alike."""
    order = client.order(orderLinkId="mine")
    assert client.post(CANCEL, **NAMED, orderLinkId="mine")["orderId"] == order["orderId"]
    row = client.row(order["orderId"])
    assert (row["orderStatus"], row["cancelType"], row["leavesQty"]) == ("Cancelled", "CancelByUser", "0.000")
    too_late = (110001, "order not exists or too late to cancel")
    made_up = order["orderId"][:-1] + ("0" if order["orderId"][-1] != "0" else "1")
    for named in ({"orderLinkId": "mine"}, {"orderId": order["orderId"]}, {"orderId": made_up}, {"orderId": "x"}):
        assert client.refused("POST", CANCEL, **NAMED, **named) == too_late
    assert client.refused("POST", CANCEL, **NAMED)[0] == 10001


def test_a_cancel_long_after_the_fill_is_refused(client: PaperClient) -> None:
    """And one that arrives together with the fill is accepted, since the venue looks at the match only later."""
    order = client.order(orderLinkId="mine")
    client.house(TICKER, is_buy=False, price="94000", quantity="13")
    assert client.row(order["orderId"])["orderStatus"] == "Filled"
    assert client.post(CANCEL, **NAMED, orderLinkId="mine")["orderId"] == order["orderId"]
    client.wait(2)
    assert client.refused("POST", CANCEL, **NAMED, orderLinkId="mine")[0] == 110001


def test_all_are_cancelled_of_one_contract_or_of_a_coin(client: PaperClient) -> None:
    """One of symbol, base coin and settle coin has to be said."""
    client.ladder("ETHUSDT", "2700", "0.01")
    ids = [client.order()["orderId"] for _ in range(2)]
    client.order(symbol="ETHUSDT", price="2600", qty="0.1")
    gone = client.post("/v5/order/cancel-all", **NAMED)
    assert [row["orderId"] for row in gone["list"]] == ids
    assert gone["success"] == "1"
    assert client.refused("POST", "/v5/order/cancel-all", category="linear")[0] == 10001
    assert len(client.post("/v5/order/cancel-all", category="linear", settleCoin="USDT")["list"]) == 1
    assert client.exchange.open_orders(KEY) == []


def test_batches_answer_each_item_for_itself(client: PaperClient) -> None:
    """The rows in the order of the items, and beside them how each ended; the outer code is 0."""
    good = {name: value for name, value in LIMIT.items() if name != "category"}
    reply = client.send(
        "POST", "/v5/order/create-batch", category="linear",
        request=[{**good, "orderLinkId": "one"}, {**good, "qty": "0.0001"}, {**good, "orderLinkId": "one"}],
    )  # fmt: skip
    said = _both(reply)
    assert [item["code"] for item in said[1]] == [0, 10001, 110072]
    assert [bool(row["orderId"]) for row in said[0]] == [True, False, False]
    amended = client.send(
        "POST", "/v5/order/amend-batch", category="linear",
        request=[{"symbol": TICKER, "orderLinkId": "one", "qty": "0.02"}, {"symbol": TICKER, "orderLinkId": "two"}],
    )  # fmt: skip
    assert [item["code"] for item in _both(amended)[1]] == [0, 110001]
    cancelled = client.send(
        "POST", "/v5/order/cancel-batch", category="linear", request=[{"symbol": TICKER, "orderLinkId": "one"}] * 2
    )
    assert [item["code"] for item in _both(cancelled)[1]] == [0, 110001]
    assert client.refused("POST", "/v5/order/create-batch", category="linear", request=[good] * 21)[0] == 10001


def _both(reply: Any) -> tuple[list[Any], list[Any]]:
    said = json.loads(reply.body)
    assert said["retCode"] == 0
    return said["result"]["list"], said["retExtInfo"]["list"]


# -------------------------------------------------------------------- asking


def test_open_orders_and_ended_ones(client: PaperClient) -> None:
    """The open are listed newest first, in pages; ended ones are found by id, by ``openOnly``, and in the history."""
    ids = [client.order()["orderId"] for _ in range(5)]
    first = client.get("/v5/order/realtime", **NAMED, limit=3)
    rest = client.get("/v5/order/realtime", **NAMED, limit=3, cursor=first["nextPageCursor"])
    assert [row["orderId"] for row in first["list"] + rest["list"]] == ids[::-1]
    assert rest["nextPageCursor"] == ""
    client.post(CANCEL, **NAMED, orderId=ids[2])
    assert len(client.get("/v5/order/realtime", category="linear", settleCoin="USDT")["list"]) == 4
    for asked in (
        client.get("/v5/order/realtime", **NAMED, orderId=ids[2]),
        client.get("/v5/order/realtime", **NAMED, openOnly=1),
        client.get("/v5/order/history", category="linear"),
        client.get("/v5/order/history", **NAMED, orderId=ids[2]),
        client.get("/v5/order/history", **NAMED, orderStatus="Cancelled"),
    ):
        assert [row["orderId"] for row in asked["list"]] == [ids[2]]
    assert client.get("/v5/order/history", **NAMED, orderId=ids[0])["list"] == []
    assert client.refused("GET", "/v5/order/realtime", category="linear")[0] == 10001


def test_executions_page_through_the_fills_newest_first(client: PaperClient) -> None:
    """Each once; fees and what was left of the order stand beside; a range of more than seven days is refused."""
    order = client.order(price="95000.3", qty="1.2", orderLinkId="mine")
    rows, cursor = [], ""
    while True:
        page = client.get("/v5/execution/list", **NAMED, limit=2, cursor=cursor)
        rows += page["list"]
        cursor = page["nextPageCursor"]
        if not cursor:
            break
    assert [(row["execPrice"], row["execQty"], row["leavesQty"]) for row in rows] == [
        ("95000.30", "0.200", "0.000"),
        ("95000.20", "0.500", "0.200"),
        ("95000.10", "0.500", "0.700"),
    ]
    assert {(row["orderId"], row["orderLinkId"], row["execType"]) for row in rows} == {
        (order["orderId"], "mine", "Trade")
    }
    assert sum(D(row["execFee"]) for row in rows) == D(client.row(order["orderId"])["cumExecFee"])
    (one,) = client.get("/v5/execution/list", **NAMED, orderId=order["orderId"], limit=1)["list"]
    assert one == rows[0]
    client.wait(60_000)
    assert client.get("/v5/execution/list", **NAMED, startTime=client.now_ms - 30_000)["list"] == []
    week = 7 * 86_400_000
    long = client.refused(
        "GET", "/v5/execution/list", **NAMED, startTime=client.now_ms - week - 1, endTime=client.now_ms
    )
    assert long[0] == 10001


def test_what_closed_is_told_with_its_profit(client: PaperClient) -> None:
    """Entry and exit make up the profit, less the fee of the close."""
    client.post(CREATE, **MARKET)
    closing = client.post(CREATE, **{**MARKET, "side": "Sell"})
    (row,) = client.get("/v5/position/closed-pnl", **NAMED)["list"]
    assert (row["orderId"], row["closedSize"], row["side"]) == (closing["orderId"], "0.010", "Sell")
    assert (row["avgEntryPrice"], row["avgExitPrice"]) == ("95000.1", "94999.9")
    assert D(row["closedPnl"]) == D("-0.002") - D("0.01") * D("94999.9") * D("0.00055")


@pytest.mark.parametrize(
    ("kind", "created", "executed"),
    [
        ("liquidation", "CreateByLiq", "BustTrade"),
        ("adl", "CreateByAdl_PassThrough", "AdlTrade"),
        ("settlement", "CreateBySettle", "Trade"),
    ],
)
def test_what_the_venue_makes_itself_says_so(client: PaperClient, kind: str, created: str, executed: str) -> None:
    """Its order has no link id and says how it was made; its execution says of what kind it is."""
    client.exchange.open_account(MAKER, ZERO, house=True)
    client.exchange.open_account(FLOW, ZERO, house=True)
    client.post(CREATE, **MARKET)
    order = Acts(client.exchange).force(KEY, TICKER, D("0.01"), kind)
    client.wait(0)
    fill = client.get("/v5/execution/list", **NAMED)["list"][0]
    assert (fill["createType"], fill["execType"], fill["orderLinkId"]) == (created, executed, "")
    assert client.row(fill["orderId"])["createType"] == created
    assert order.filled == D("0.01")
    assert client.exchange.balance(KEY).wallet < MONEY
