"""What orders become on the paper Binance front: answers, changes, cancels, batches, countdowns, queries."""

import json
from decimal import Decimal

import pytest

from tests.gateways.paper.binance_client import LIMIT, PaperClient

ORDER = "/fapi/v1/order"


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


# ------------------------------------------------------------------ what orders become


def test_a_resting_order_has_every_documented_field(client: PaperClient) -> None:
    """The answer to a new order is the venue's, field by field."""
    answer = client.order(timeInForce="GTX", newClientOrderId="mine")
    assert answer == {
        "orderId": answer["orderId"],
        "symbol": "BTCUSDT",
        "status": "NEW",
        "clientOrderId": "mine",
        "price": "94000.00",
        "avgPrice": "0.00",
        "origQty": "0.010",
        "executedQty": "0.000",
        "cumQty": "0.000",
        "cumQuote": "0.00000",
        "timeInForce": "GTX",
        "type": "LIMIT",
        "reduceOnly": False,
        "closePosition": False,
        "side": "BUY",
        "positionSide": "BOTH",
        "stopPrice": "0.00",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": "LIMIT",
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "updateTime": client.now_ms,
    }
    found = client.ask("GET", "/fapi/v1/openOrders", symbol="BTCUSDT")
    assert found == [{**{name: value for name, value in answer.items() if name != "cumQty"}, "time": client.now_ms}]


def test_a_market_order_answers_its_fills_only_when_asked_to(client: PaperClient) -> None:
    """ACK shows the order as it was taken in, RESULT as it ended; the query shows the end of both."""
    market = {"type": "MARKET", "price": "", "timeInForce": "", "quantity": "0.7"}
    acknowledged = client.order(**market)
    assert (acknowledged["status"], acknowledged["executedQty"], acknowledged["avgPrice"]) == ("NEW", "0.000", "0.00")
    result = client.order(**market, newOrderRespType="RESULT")
    assert (result["status"], result["executedQty"], result["cumQty"]) == ("FILLED", "0.700", "0.700")
    assert result["cumQuote"] == "66500.18000"
    assert result["price"] == "0.00"
    found = client.ask("GET", ORDER, symbol="BTCUSDT", orderId=acknowledged["orderId"])
    assert (found["status"], found["executedQty"], found["cumQuote"]) == ("FILLED", "0.700", "66500.09000")


def test_an_ioc_order_expires_with_what_it_took(client: PaperClient) -> None:
    """What an IOC order cannot take at its price ends EXPIRED and is in the history."""
    order = client.order(timeInForce="IOC", price="95000.1", quantity="0.8", newOrderRespType="RESULT")
    assert (order["status"], order["executedQty"]) == ("EXPIRED", "0.500")
    assert [row["status"] for row in client.ask("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")] == ["EXPIRED"]


@pytest.mark.parametrize("in_body", [False, True])
def test_an_order_is_changed_in_place(client: PaperClient, *, in_body: bool) -> None:
    """An amended order keeps its id and takes the new total quantity and price, whichever way the request came."""
    order = client.order()
    change = {"symbol": "BTCUSDT", "side": "BUY", "orderId": order["orderId"], "quantity": "0.02", "price": "93000"}
    changed = client.ask("PUT", ORDER, in_body=in_body, **change)
    assert (changed["orderId"], changed["origQty"], changed["price"]) == (order["orderId"], "0.020", "93000.00")
    assert client.refused("PUT", ORDER, **change) == -5027
    assert client.refused("PUT", ORDER, **{**change, "side": "SELL"}) == -1130
    assert client.refused("PUT", ORDER, **{**change, "quantity": "0.001"}) == -5029
    assert client.refused("PUT", ORDER, **{**change, "price": ""}) == -1102
    assert client.refused("PUT", ORDER, **{**change, "orderId": 10**12}) == -2013
    assert client.ask("GET", ORDER, symbol="BTCUSDT", orderId=order["orderId"])["price"] == "93000.00"


def test_an_amend_that_cannot_stand_cancels(client: PaperClient) -> None:
    """A GTX order moved across the book, or an order amended to no more than is filled, is cancelled."""
    gtx = client.order(timeInForce="GTX")
    change = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.01", "price": "95000.1"}
    assert client.ask("PUT", ORDER, orderId=gtx["orderId"], **change)["status"] == "CANCELED"
    part = client.order(price="95000.1", quantity="0.9")
    answer = client.ask("PUT", ORDER, **{**change, "quantity": "0.5", "price": "95000.0"}, orderId=part["orderId"])
    assert (answer["status"], answer["executedQty"]) == ("CANCELED", "0.500")


@pytest.mark.parametrize("side", ["BUY", "SELL"])
@pytest.mark.parametrize("level", [1, 5, 10, 20])
@pytest.mark.parametrize("rule", ["QUEUE", "OPPONENT"])
def test_a_price_rule_reads_the_book_when_the_order_arrives(
    client: PaperClient, side: str, level: int, rule: str
) -> None:
    """QUEUE is the own side's n-th price, OPPONENT the other side's, and the answer tells the price it became."""
    match = rule if level == 1 else f"{rule}_{level}"
    answer = client.order(side=side, price="", priceMatch=match)
    below = (side == "BUY") == (rule == "QUEUE")
    expected = Decimal(95000) + (Decimal("-0.1") if below else Decimal("0.1")) * level
    assert (Decimal(answer["price"]), answer["priceMatch"]) == (expected, match)


def test_a_price_rule_deeper_than_the_book_is_refused() -> None:
    """A level that the book does not have is refused, not rounded to the last one."""
    client = PaperClient()
    client.ladder(levels=4)
    assert client.refused("POST", ORDER, **{**LIMIT, "price": "", "priceMatch": "QUEUE_5"}) == -5041


def test_a_batch_answers_each_order_for_itself(client: PaperClient) -> None:
    """One bad order of a batch is an error in its place and does not touch the others; cancels likewise."""
    orders = [LIMIT, {**LIMIT, "quantity": "0.0105"}, {**LIMIT, "price": 93000.5, "newClientOrderId": "c"}]
    first, second, third = client.ask("POST", "/fapi/v1/batchOrders", batchOrders=json.dumps(orders))
    assert (first["status"], second["code"], third["price"]) == ("NEW", -1111, "93000.50")
    ids = json.dumps([first["orderId"], 10**9])
    gone, unknown = client.ask("DELETE", "/fapi/v1/batchOrders", symbol="BTCUSDT", orderIdList=ids)
    assert (gone["status"], unknown["code"]) == ("CANCELED", -2011)
    left = client.ask("DELETE", "/fapi/v1/batchOrders", symbol="BTCUSDT", origClientOrderIdList='["c"]')
    assert [row["orderId"] for row in left] == [third["orderId"]]
    assert client.refused("POST", "/fapi/v1/batchOrders", batchOrders=json.dumps([LIMIT] * 6)) == -4082
    assert client.refused("POST", "/fapi/v1/batchOrders", batchOrders="{") == -1130


def test_cancel_all_takes_one_contract(client: PaperClient) -> None:
    """Cancel-all answers its fixed body and leaves the orders of other contracts."""
    client.quote("ETHUSDT", [("2700", "1")], [("2701", "1")])
    client.order()
    ether = client.order(symbol="ETHUSDT", price="2690", quantity="0.1")
    answer = client.ask("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT", in_body=True)
    assert answer == {"code": 200, "msg": "The operation of cancel all open order is done."}
    assert [row["orderId"] for row in client.ask("GET", "/fapi/v1/openOrders")] == [ether["orderId"]]


def test_the_countdown_cancels_unless_it_is_renewed(client: PaperClient) -> None:
    """An armed countdown fires once its time has passed without renewal, and 0 takes it back."""
    path, named = "/fapi/v1/countdownCancelAll", {"symbol": "BTCUSDT"}
    client.order()
    assert client.ask("POST", path, **named, countdownTime=1_000) == {"symbol": "BTCUSDT", "countdownTime": "1000"}
    client.wait(900)
    client.ask("POST", path, **named, countdownTime=1_000)
    client.wait(900)
    assert len(client.ask("GET", "/fapi/v1/openOrders", **named)) == 1
    client.wait(100)
    assert client.ask("GET", "/fapi/v1/openOrders", **named) == []
    client.order()
    client.ask("POST", path, **named, countdownTime=1_000)
    client.ask("POST", path, **named, countdownTime=0)
    client.wait(5_000)
    assert len(client.ask("GET", "/fapi/v1/openOrders", **named)) == 1


# ------------------------------------------------------------------ queries


def test_trades_are_paged_from_an_id_or_a_time(client: PaperClient) -> None:
    """``fromId`` and ``startTime`` give the oldest rows from there on; without them the latest are given."""
    for _ in range(4):
        client.order(price="95000.1", quantity="0.1")
        client.wait(1_000)
    path, named = "/fapi/v1/userTrades", {"symbol": "BTCUSDT"}
    rows = client.ask("GET", path, **named)
    ids = [row["id"] for row in rows]
    assert len(ids) == 4
    assert ids == sorted(ids)
    assert [row["id"] for row in client.ask("GET", path, **named, limit=2)] == ids[-2:]
    assert [row["id"] for row in client.ask("GET", path, **named, fromId=ids[1], limit=2)] == ids[1:3]
    assert [row["id"] for row in client.ask("GET", path, **named, startTime=rows[1]["time"])] == ids[1:]
    bounds = {"startTime": rows[1]["time"], "endTime": rows[2]["time"]}
    assert [row["id"] for row in client.ask("GET", path, **named, **bounds)] == ids[1:3]
    assert [row["id"] for row in client.ask("GET", path, **named, orderId=rows[2]["orderId"])] == [ids[2]]
    assert client.refused("GET", path, **named, startTime=0, endTime=8 * 86_400_000) == -4165
    assert client.refused("GET", path, **named, startTime=2, endTime=1) == -1023
    assert client.refused("GET", path) == -1102
    assert rows[0] == {
        "symbol": "BTCUSDT",
        "id": ids[0],
        "orderId": rows[0]["orderId"],
        "side": "BUY",
        "price": "95000.10",
        "qty": "0.100",
        "realizedPnl": "0.00000000",
        "quoteQty": "9500.01000",
        "commission": "4.75000500",
        "commissionAsset": "USDT",
        "time": rows[0]["time"],
        "positionSide": "BOTH",
        "buyer": True,
        "maker": False,
        "marginAsset": "USDT",
    }


def test_orders_without_a_fill_are_forgotten_after_three_days(client: PaperClient) -> None:
    """A cancelled order is found for three days and then no more; one with a fill stays."""
    empty = client.order()["orderId"]
    client.ask("DELETE", ORDER, symbol="BTCUSDT", orderId=empty)
    filled = client.order(price="95000.1", quantity="0.1")["orderId"]
    client.wait(3 * 86_400_000)
    assert client.ask("GET", ORDER, symbol="BTCUSDT", orderId=empty)["status"] == "CANCELED"
    client.wait(1)
    assert client.refused("GET", ORDER, symbol="BTCUSDT", orderId=empty) == -2013
    assert client.ask("GET", ORDER, symbol="BTCUSDT", orderId=filled)["status"] == "FILLED"
    assert [row["orderId"] for row in client.ask("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")] == [filled]
