"""What orders become on the paper OKX front: answers, changes, cancels, batches, the dead man's switch, queries."""

import json
from decimal import Decimal
from typing import Any

import pytest

from gateways.paper.acts import Acts
from tests.gateways.paper.okx_client import LIMIT, MARKET, OTHER, OWNER, TICKER, PaperClient, refusal

D = Decimal
HOUR_MS = 3_600_000


@pytest.fixture
def client() -> PaperClient:
    """A client of a venue with 25 levels a side around BTC 95,000."""
    made = PaperClient()
    made.ladder()
    return made


# ------------------------------------------------------------------ what orders become


def test_an_order_is_answered_by_its_ids_alone(client: PaperClient) -> None:
    """The receipt says that it was taken; when the gateway had it stands beside the rows, in microseconds."""
    body = json.loads(client.send("POST", "trade/order", {**LIMIT, "clOrdId": "mine", "tag": "desk"}).body)
    (receipt,) = body["data"]
    assert receipt == {
        "clOrdId": "mine",
        "ordId": receipt["ordId"],
        "tag": "desk",
        "ts": client.stamp,
        "sCode": "0",
        "sMsg": "Order successfully placed.",
    }
    assert (body["code"], body["msg"], body["inTime"]) == ("0", "", f"{client.stamp}000")


def test_a_resting_order_is_listed_with_its_terms(client: PaperClient) -> None:
    """Queried and listed alike: in contracts, its numbers texts."""
    receipt = client.order(clOrdId="mine", ordType="post_only", sz="0.5")
    found = client.details(clOrdId="mine")
    assert client.ask("trade/orders-pending", instType="SWAP") == [found]
    assert {
        name: found[name] for name in ("ordId", "clOrdId", "state", "sz", "px", "ordType", "side", "accFillSz")
    } == {
        "ordId": receipt["ordId"],
        "clOrdId": "mine",
        "state": "live",
        "sz": "0.5",
        "px": "94000",
        "ordType": "post_only",
        "side": "buy",
        "accFillSz": "0",
    }
    assert (found["reduceOnly"], found["avgPx"], found["cTime"], found["category"]) == (
        "false", "", client.stamp, "normal",
    )  # fmt: skip


def test_a_market_order_fills_through_the_levels(client: PaperClient) -> None:
    """Its average, its fee and its last fill are shown; every execution is listed."""
    client.order(clOrdId="mine", sz="75", **MARKET)
    found = client.details(clOrdId="mine")
    assert (found["state"], found["accFillSz"], found["px"], found["ordType"]) == ("filled", "75", "", "market")
    assert D(found["avgPx"]) == pytest.approx((D("95000.1") * 50 + D("95000.2") * 25) / 75, rel=D("1e-12"))
    fills = client.ask("trade/fills", ordId=found["ordId"])
    assert [(fill["fillPx"], fill["fillSz"], fill["execType"]) for fill in fills] == [
        ("95000.2", "25", "T"), ("95000.1", "50", "T"),
    ]  # fmt: skip
    assert sum(D(fill["fee"]) for fill in fills) == D(found["fee"]) < 0
    assert (found["tradeId"], found["fillSz"]) == (fills[0]["tradeId"], "25")


@pytest.mark.parametrize(
    ("terms", "source"),
    [
        ({"ordType": "post_only", "px": "95001"}, "31"),
        ({"ordType": "ioc", "px": "94000"}, "14"),
        ({"ordType": "fok", "sz": "100", "px": "95000.1"}, "13"),
    ],
)
def test_what_its_own_terms_end_is_taken_and_cancelled(client: PaperClient, terms: dict[str, str], source: str) -> None:
    """Post-only that would take, IOC and FOK that find too little: no refusal, but a state and a reason."""
    client.order(clOrdId="mine", **terms)
    found = client.details(clOrdId="mine")
    assert (found["state"], found["accFillSz"], found["cancelSource"]) == ("canceled", "0", source)
    assert found["cancelSourceReason"]


def test_an_ioc_order_keeps_what_it_took(client: PaperClient) -> None:
    """The rest is cancelled; what was filled stays."""
    client.order(clOrdId="mine", ordType="ioc", sz="60", px="95000.1")
    found = client.details(clOrdId="mine")
    assert (found["state"], found["accFillSz"], found["sz"], found["cancelSource"]) == ("canceled", "50", "60", "14")


def test_an_order_that_would_meet_its_own_owner_cancels_what_rested(client: PaperClient) -> None:
    """Self-trade prevention as the venue has it by default: the maker goes, with its reason."""
    client.order(clOrdId="rests", px="95000")
    client.order(clOrdId="comes", side="sell", px="95000")
    assert client.details(clOrdId="rests")["cancelSource"] == "32"
    assert client.details(clOrdId="comes")["state"] == "live"


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"instId": "NONE-USDT-SWAP"}, "51001"),
        ({"instId": ""}, "50014"),
        ({"sz": ""}, "50014"),
        ({"sz": "0"}, "51000"),
        ({"sz": "1e2"}, "51000"),
        ({"sz": "0.001"}, "51020"),
        ({"sz": "1.001"}, "51121"),
        ({"sz": "100000001"}, "51101"),
        ({"sz": "12001", **MARKET}, "51202"),
        ({"px": "94000.05"}, "51000"),
        ({"px": ""}, "50014"),
        ({"px": "100000"}, "51006"),
        ({"side": "long"}, "51000"),
        ({"ordType": "stop"}, "51000"),
        ({"tdMode": "isolated"}, "51000"),
        ({"posSide": "long"}, "51000"),
        ({"clOrdId": "with-hyphen"}, "51000"),
        ({"clOrdId": "x" * 33}, "51000"),
        ({"reduceOnly": "true"}, "51169"),
        ({"sz": "20000", "px": "94000"}, "51008"),
        ({"attachAlgoOrds": [{"tpTriggerPx": "1"}]}, "50062"),
    ],
)
def test_a_refused_order_has_the_venues_code(client: PaperClient, terms: dict[str, Any], code: str) -> None:
    """Each refusal is its item's own, and no order exists for it."""
    assert client.declined("trade/order", {**LIMIT, **terms}) == code
    assert client.exchange.orders(OWNER.key) == []


def test_a_client_id_is_taken_once_while_its_order_is_open(client: PaperClient) -> None:
    """51016; an ended order's id may be used again, and then names the latest."""
    client.order(clOrdId="mine")
    assert client.declined("trade/order", {**LIMIT, "clOrdId": "mine"}) == "51016"
    client.post("trade/cancel-order", {"instId": TICKER, "clOrdId": "mine"})
    again = client.order(clOrdId="mine")
    assert client.details(clOrdId="mine")["ordId"] == again["ordId"]
    assert client.send("POST", "trade/order", {**LIMIT, "clOrdId": "mine"}, owner=OTHER).status == 200


def test_a_request_past_its_expiry_is_refused(client: PaperClient) -> None:
    """``expTime`` in the header: 50036 when it is over, and nothing was done."""
    now = client.now_ms
    late = client.send("POST", "trade/order", LIMIT, headers={"exptime": str(now - 1)})
    assert refusal(late) == (400, "50036")
    assert client.exchange.orders(OWNER.key) == []
    assert client.send("POST", "trade/order", LIMIT, headers={"exptime": str(now + 1)}).status == 200


# ------------------------------------------------------------------ changes and cancels


def test_an_amend_changes_the_order_in_place(client: PaperClient) -> None:
    """Price, size or both; the id stays, the reply is a receipt with the request's id."""
    client.order(clOrdId="mine")
    (receipt,) = client.post("trade/amend-order", {"instId": TICKER, "clOrdId": "mine", "newSz": "2", "reqId": "r1"})
    assert (receipt["sCode"], receipt["reqId"]) == ("0", "r1")
    client.post("trade/amend-order", {"instId": TICKER, "ordId": receipt["ordId"], "newPx": "93999.9"})
    found = client.details(clOrdId="mine")
    assert (found["ordId"], found["sz"], found["px"], found["state"]) == (receipt["ordId"], "2", "93999.9", "live")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "51500"),
        ({"newSz": "0.001"}, "51020"),
        ({"newSz": "1.005"}, "51121"),
        ({"newPx": "94000.01"}, "51000"),
        ({"newPx": "95000.1"}, "51511"),
        ({"newSz": "0.5", "newPx": "94000"}, "51000"),
        ({"newSz": "20000"}, "51008"),
        ({"clOrdId": "other", "newSz": "2"}, "51503"),
        ({"clOrdId": "", "newSz": "2"}, "51003"),
    ],
)
def test_a_refused_amend_leaves_the_order_as_it_was(client: PaperClient, change: dict[str, str], code: str) -> None:
    """Under what is filled, off lot or tick, where post-only would take, for too much: each with its code."""
    client.order(clOrdId="mine", ordType="post_only", px="94999.9", sz="1")
    client.meet("mine", "0.005")
    before = client.details(clOrdId="mine")
    assert client.declined("trade/amend-order", {"instId": TICKER, "clOrdId": "mine", **change}) == code
    assert client.details(clOrdId="mine") == before


def test_an_amend_may_cancel_what_it_cannot_change(client: PaperClient) -> None:
    """``cxlOnFail`` cancels the order of an amend that is refused."""
    client.order(clOrdId="mine")
    change = {"instId": TICKER, "clOrdId": "mine", "newPx": "94000.01", "cxlOnFail": True}
    assert client.declined("trade/amend-order", change) == "51000"
    assert client.details(clOrdId="mine")["state"] == "canceled"


@pytest.mark.parametrize("end", ["filled", "cancelled", "never"])
def test_a_cancel_of_what_is_not_open_is_refused(client: PaperClient, end: str) -> None:
    """51400 whatever became of the order, by either id; an amend of it 51503."""
    if end != "never":
        client.order(clOrdId="mine", **(MARKET if end == "filled" else {}))
    if end == "cancelled":
        client.post("trade/cancel-order", {"instId": TICKER, "clOrdId": "mine"})
    for named in ({"clOrdId": "mine"}, {"ordId": "987654321"}):
        assert client.declined("trade/cancel-order", {"instId": TICKER, **named}) == "51400"
        assert client.declined("trade/amend-order", {"instId": TICKER, **named, "newSz": "2"}) == "51503"


def test_batches_answer_each_item_for_itself(client: PaperClient) -> None:
    """Code 0 when all were done, 2 when some failed, 1 when all did."""
    placed = json.loads(
        client.send("POST", "trade/batch-orders", [{**LIMIT, "clOrdId": "a"}, {**LIMIT, "sz": "0"}]).body
    )
    assert (placed["code"], [row["sCode"] for row in placed["data"]]) == ("2", ["0", "51000"])
    changed = client.post("trade/amend-batch-orders", [{"instId": TICKER, "clOrdId": "a", "newSz": "3"}])
    assert changed[0]["sCode"] == "0"
    gone = [{"instId": TICKER, "clOrdId": name} for name in ("a", "b")]
    body = json.loads(client.send("POST", "trade/cancel-batch-orders", gone).body)
    assert (body["code"], [row["sCode"] for row in body["data"]]) == ("2", ["0", "51400"])
    again = json.loads(client.send("POST", "trade/cancel-batch-orders", gone).body)
    assert (again["code"], again["msg"]) == ("1", "All operations failed")
    assert refusal(client.send("POST", "trade/batch-orders", [LIMIT] * 21)) == (400, "51111")
    assert refusal(client.send("POST", "trade/order", [LIMIT] * 2)) == (400, "51000")


def test_a_position_is_closed_at_the_market(client: PaperClient) -> None:
    """The whole of it, reduce-only; without one there is nothing to close."""
    close = {"instId": TICKER, "mgnMode": "cross"}
    assert refusal(client.send("POST", "trade/close-position", close)) == (200, "51023")
    client.order(side="sell", sz="3", **MARKET)
    assert client.post("trade/close-position", close)[0]["instId"] == TICKER
    assert client.ask("account/positions") == []


def test_the_dead_mans_switch_cancels_what_is_open_in_time(client: PaperClient) -> None:
    """All orders of the account after so many seconds, unless told again; 0 takes it back; others' orders stay."""
    client.order(clOrdId="mine")
    client.send("POST", "trade/order", LIMIT, owner=OTHER)
    (said,) = client.post("trade/cancel-all-after", {"timeOut": "10"})
    assert int(said["triggerTime"]) == client.now_ms + 10_000
    client.wait(9_000)
    client.post("trade/cancel-all-after", {"timeOut": "10"})
    client.wait(9_000)
    assert client.details(clOrdId="mine")["state"] == "live"
    client.wait(1_000)
    found = client.details(clOrdId="mine")
    assert (found["state"], found["cancelSource"]) == ("canceled", "20")
    assert len(client.exchange.open_orders(OTHER.key)) == 1
    client.order(clOrdId="later")
    client.post("trade/cancel-all-after", {"timeOut": "10"})
    client.wait(2_000)
    assert client.post("trade/cancel-all-after", {"timeOut": "0"})[0]["triggerTime"] == "0"
    client.wait(60_000)
    assert client.details(clOrdId="later")["state"] == "live"


@pytest.mark.parametrize("seconds", ["9", "121", "-1", "soon"])
def test_the_switch_takes_ten_to_a_hundred_and_twenty_seconds(client: PaperClient, seconds: str) -> None:
    """Nothing else but 0; and one request a second."""
    assert refusal(client.send("POST", "trade/cancel-all-after", {"timeOut": seconds})) == (400, "51000")
    assert refusal(client.send("POST", "trade/cancel-all-after", {"timeOut": "0"})) == (429, "50011")


# ------------------------------------------------------------------ queries


def test_an_order_that_never_was_is_not_found(client: PaperClient) -> None:
    """51603 with an answer that succeeded; an order of another account neither."""
    client.send("POST", "trade/order", {**LIMIT, "clOrdId": "theirs"}, owner=OTHER)
    for named in ({"clOrdId": "theirs"}, {"ordId": "1"}, {"ordId": "none"}):
        assert refusal(client.send("GET", "trade/order", {"instId": TICKER, **named})) == (200, "51603")
    assert refusal(client.send("GET", "trade/order", {"instId": TICKER})) == (200, "51003")


def test_a_cancelled_order_without_a_fill_is_forgotten_after_two_hours(client: PaperClient) -> None:
    """One with a fill is not."""
    client.order(clOrdId="empty")
    client.order(clOrdId="part", ordType="ioc", sz="60", px="95000.1")
    client.post("trade/cancel-order", {"instId": TICKER, "clOrdId": "empty"})
    client.wait(2 * HOUR_MS)
    assert client.details(clOrdId="empty")["state"] == "canceled"
    client.wait(1)
    assert refusal(client.send("GET", "trade/order", {"instId": TICKER, "clOrdId": "empty"})) == (200, "51603")
    assert [row["clOrdId"] for row in client.ask("trade/orders-history", instType="SWAP")] == ["part"]


def test_lists_come_newest_first_a_page_at_a_time(client: PaperClient) -> None:
    """``after`` goes on from an id to older ones, ``before`` asks for newer ones, without a gap or a repetition."""
    ids = [client.order(sz=str(size))["ordId"] for size in range(1, 8)]
    first = client.ask("trade/orders-pending", limit="3")
    second = client.ask("trade/orders-pending", limit="3", after=first[-1]["ordId"])
    third = client.ask("trade/orders-pending", limit="3", after=second[-1]["ordId"])
    assert [row["ordId"] for row in [*first, *second, *third]] == ids[::-1]
    assert [row["ordId"] for row in client.ask("trade/orders-pending", before=ids[4])] == ids[:4:-1]
    assert [row["sz"] for row in client.ask("trade/orders-pending", instId="ETH-USDT-SWAP")] == []
    assert client.ask("trade/orders-pending", instType="SPOT") == []


def test_executions_are_listed_by_time_and_bill(client: PaperClient) -> None:
    """A time range, pages by ``billId``, and three days or three months of them."""
    for _ in range(3):
        client.order(sz="1", **MARKET)
        client.wait(1_000)
    newest, middle, oldest = client.ask("trade/fills", instType="SWAP")
    assert client.ask("trade/fills", begin=middle["ts"]) == [newest, middle]
    assert client.ask("trade/fills", end=middle["ts"]) == [middle, oldest]
    assert client.ask("trade/fills", after=newest["billId"], limit="1") == [middle]
    client.wait(3 * 24 * HOUR_MS)
    assert client.ask("trade/fills") == []
    assert client.ask("trade/fills-history", instType="SWAP") == [newest, middle, oldest]


def test_ended_orders_are_in_the_history_alone(client: PaperClient) -> None:
    """Filled and cancelled ones, by their states; the older archive has them too."""
    client.order(clOrdId="filled", **MARKET)
    client.order(clOrdId="open")
    client.order(clOrdId="gone")
    client.post("trade/cancel-order", {"instId": TICKER, "clOrdId": "gone"})
    history = client.ask("trade/orders-history", instType="SWAP")
    assert [row["clOrdId"] for row in history] == ["gone", "filled"]
    assert client.ask("trade/orders-history", instType="SWAP", state="filled") == history[1:]
    assert client.ask("trade/orders-history-archive", instType="SWAP", ordType="limit") == history[:1]
    assert [row["clOrdId"] for row in client.ask("trade/orders-pending")] == ["open"]


def test_what_the_venue_makes_itself_has_its_category(client: PaperClient) -> None:
    """A liquidation's order and execution say so, and bear no client id."""
    client.order(sz="2", **MARKET)
    Acts(client.exchange).force(OWNER.key, TICKER, D("0.02"), "liquidation")
    client.wait(0)
    (order,) = client.ask("trade/orders-history", instType="SWAP", limit="1")
    assert (order["category"], order["clOrdId"], order["state"]) == ("full_liquidation", "", "filled")
    assert client.ask("trade/fills", limit="1")[0]["subType"] == "104"
