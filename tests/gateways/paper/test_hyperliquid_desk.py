"""Orders, cancels and replacements on the Hyperliquid paper front, refused in the venue's words."""

from decimal import Decimal
from typing import Any

import pytest

from tests.gateways.paper.hyperliquid_session import (
    CLOID,
    START_MS,
    Session,
    order,
    placing,
)


@pytest.fixture
def session() -> Session:
    return Session()


# ------------------------------------------------------------ placing


def test_resting_order_is_found_everywhere(session: Session) -> None:
    """A resting order is answered with its oid and found open by oid, by cloid and in the lists."""
    placed = session.place(cloid=CLOID)
    oid = placed["resting"]["oid"]
    assert placed == {"resting": {"oid": oid, "cloid": CLOID}}
    basic = {
        "coin": "BTC",
        "side": "B",
        "limitPx": "50000.0",
        "sz": "0.01",
        "oid": oid,
        "timestamp": START_MS,
        "origSz": "0.01",
        "cloid": CLOID,
    }
    full = {
        **basic,
        "triggerCondition": "N/A",
        "isTrigger": False,
        "triggerPx": "0.0",
        "children": [],
        "isPositionTpsl": False,
        "reduceOnly": False,
        "orderType": "Limit",
        "tif": "Gtc",
    }
    known = {"status": "order", "order": {"order": full, "status": "open", "statusTimestamp": START_MS}}
    assert session.mine("openOrders") == [basic]
    assert session.mine("frontendOpenOrders") == [full]
    assert session.mine("orderStatus", oid=oid) == known
    assert session.mine("orderStatus", oid="0x" + CLOID[2:].upper()) == known
    assert session.mine("historicalOrders") == [known["order"]]
    assert session.mine("orderStatus", oid=oid + 1) == {"status": "unknownOid"}


def test_taker_is_answered_filled(session: Session) -> None:
    """An Ioc that takes is answered with size and average price; its fill says what it did to the position."""
    session.quote("60020", is_buy=False)
    placed = session.place(price="60020", size="0.6", tif="Ioc")
    oid = placed["filled"]["oid"]
    assert placed == {"filled": {"totalSz": "0.6", "avgPx": "60011.666667", "oid": oid}}
    latest, first = session.mine("userFills")
    assert first == {
        "coin": "BTC",
        "px": "60010.0",
        "sz": "0.5",
        "side": "B",
        "time": START_MS,
        "startPosition": "0.0",
        "dir": "Open Long",
        "closedPnl": "0.0",
        "hash": first["hash"],
        "oid": oid,
        "crossed": True,
        "fee": "13.50225",
        "tid": first["tid"],
        "feeToken": "USDC",
        "twapId": None,
    }
    assert (latest["startPosition"], latest["sz"]) == ("0.5", "0.1")
    assert session.mine("userRateLimit")["cumVlm"] == "0.0"
    session.news()
    assert session.mine("userRateLimit") == {
        "cumVlm": "36007.0",
        "nRequestsUsed": 1,
        "nRequestsCap": 46_007,
        "nRequestsSurplus": 0,
    }


def test_fills_by_time_are_inclusive_and_oldest_first(session: Session) -> None:
    """``userFillsByTime`` takes both ends of the time and starts with the oldest."""
    session.place(price="60010", tif="Ioc")
    session.now_ms += 10
    session.place(price="60010", tif="Ioc", size="0.02")
    sizes = [
        [fill["sz"] for fill in session.mine("userFillsByTime", startTime=START_MS + start, endTime=START_MS + end)]
        for start, end in ((0, 10), (1, 10), (0, 9), (11, 20))
    ]
    assert sizes == [["0.01", "0.02"], ["0.02"], ["0.01"], []]


def test_positions_and_margin(session: Session) -> None:
    """``clearinghouseState`` values a short position at the mark; its numbers agree with one another."""
    session.place(buy=False, price="60000", size="0.1", tif="Ioc")
    state = session.mine("clearinghouseState")
    [held] = state["assetPositions"]
    assert held["type"] == "oneWay"
    position = held["position"]
    assert (position["szi"], position["entryPx"], position["unrealizedPnl"]) == ("-0.1", "60000.0", "-0.5")
    summary = {name: Decimal(value) for name, value in state["marginSummary"].items()}
    fee = Decimal("0.00045") * 6000
    assert summary["accountValue"] == Decimal(10_000) - fee - Decimal("0.5")
    assert summary["totalRawUsd"] == summary["accountValue"] + summary["totalNtlPos"]
    assert summary["totalNtlPos"] == Decimal("6000.5")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"size": "0.0001"}, "Order must have minimum value of $10. asset=0"),
        ({"price": "50000.1"}, "Price must be divisible by tick size. asset=0"),
        ({"size": "0.000001"}, "Order has invalid size."),
        ({"size": "0"}, "Order has zero size."),
        ({"price": "0"}, "Order has invalid price."),
        (
            {"price": "60010", "tif": "Alo"},
            "Post only order would have immediately matched, bbo was 60000@60010. asset=0",
        ),
        ({"size": "10"}, "Insufficient margin to place order. asset=0"),
        ({"reduce": True}, "Reduce only order would increase position. asset=0"),
        ({"tif": "Ioc"}, "Order could not immediately match against any resting orders. asset=0"),
        ({"tif": "FrontendMarket"}, "No liquidity available for market order. asset=0"),
    ],
)  # fmt: skip
def test_refusals_have_the_venues_words(session: Session, fields: dict[str, Any], text: str) -> None:
    """Each refusal of an order is said in the venue's words, and nothing rests after it."""
    assert session.place(**fields) == {"error": text}
    assert session.mine("openOrders") == []


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"price": "60010", "tif": "Alo"}, "badAloPxRejected"),
        ({"tif": "Ioc"}, "iocCancelRejected"),
        ({"tif": "FrontendMarket"}, "marketOrderNoLiquidityRejected"),
        ({"price": "60010", "size": "0.6", "tif": "Ioc"}, "canceled"),
        ({"price": "60010", "tif": "Ioc"}, "filled"),
    ],
)
def test_ended_orders_say_why(session: Session, fields: dict[str, Any], word: str) -> None:
    """An order that ended on arrival is known by its cloid, with the venue's word for how."""
    session.place(cloid=CLOID, **fields)
    assert session.mine("orderStatus", oid=CLOID)["order"]["status"] == word


def test_five_significant_figures(session: Session) -> None:
    """A price has five significant figures, more only as a whole number, and 6 - szDecimals decimals."""
    for price, taken in (("2700.5", True), ("2700.55", False), ("123456", True), ("0.123", False)):
        status = session.place(asset=1, price=price, size="1", buy=False, tif="Alo")
        assert ("resting" in status) is taken, (price, status)


def test_payload_error_is_answered_once(session: Session) -> None:
    """An error that the payload alone gives is answered once for the whole batch, and nothing is placed."""
    batch = placing(order(), order(price="50000.1"), order(price="49000"))
    assert session.statuses(batch) == [{"error": "Price must be divisible by tick size. asset=0"}]
    assert session.mine("openOrders") == []


def test_batch_errors_stand_alone(session: Session) -> None:
    """Any other error stops only its own order of a batch."""
    first, second, third = session.statuses(placing(order(), order(reduce=True), order(price="49000")))
    assert "resting" in first
    assert second == {"error": "Reduce only order would increase position. asset=0"}
    assert [one["oid"] for one in session.mine("openOrders")] == [third["resting"]["oid"], first["resting"]["oid"]]


def test_reduce_only_is_capped(session: Session) -> None:
    """A reduce-only order larger than the position closes it and no more."""
    session.place(price="60010", tif="Ioc")
    placed = session.place(buy=False, price="60000", size="0.5", tif="Ioc", reduce=True)
    assert placed["filled"]["totalSz"] == "0.01"
    assert session.mine("clearinghouseState")["assetPositions"] == []


def test_trigger_orders_are_declined(session: Session) -> None:
    """A stop is read (its signature verifies) and declined in words."""
    stop = {**order(), "t": {"trigger": {"isMarket": True, "triggerPx": "61000", "tpsl": "sl"}}}
    [status] = session.statuses(placing(stop))
    assert "Trigger orders are not offered" in status["error"]


def test_fill_or_kill_is_not_read(session: Session) -> None:
    """There is no Fok: the server does not deserialize it."""
    assert session.post("/exchange", session.signed(placing(order(tif="Fok")))).status == 422


# ------------------------------------------------------------ cancelling


def test_cancels(session: Session) -> None:
    """Orders are cancelled by oid and by cloid; what is not open is an error of its own."""
    oid = session.place()["resting"]["oid"]
    session.place(cloid=CLOID)
    missing = {"error": "Order was never placed, already canceled, or filled. asset=0"}
    by_oid = {"type": "cancel", "cancels": [{"a": 0, "o": oid}, {"a": 0, "o": oid}]}
    by_cloid = {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}, {"asset": 1, "cloid": CLOID}]}
    assert session.statuses(by_oid) == ["success", missing]
    assert session.statuses(by_cloid) == [
        "success",
        {"error": "Order was never placed, already canceled, or filled. asset=1"},
    ]
    assert session.mine("openOrders") == []


def test_replacement_has_a_new_oid(session: Session) -> None:
    """``batchModify`` cancels the old oid and rests a new one with the cloid that it is given."""
    old = session.place(cloid=CLOID)["resting"]["oid"]
    change = {"oid": CLOID, "order": order(price="50001", size="0.02", cloid=CLOID)}
    [status] = session.statuses({"type": "batchModify", "modifies": [change]})
    new = status["resting"]["oid"]
    assert new != old
    assert status == {"resting": {"oid": new, "cloid": CLOID}}
    assert [(one["oid"], one["sz"]) for one in session.mine("openOrders")] == [(new, "0.02")]
    assert session.mine("orderStatus", oid=old)["order"]["status"] == "canceled"
    assert session.mine("orderStatus", oid=CLOID)["order"]["order"]["oid"] == new


def test_single_replacement_answers_default(session: Session) -> None:
    """``modify`` answers only that it was done, or the error of the whole request."""
    oid = session.place()["resting"]["oid"]
    action = {"type": "modify", "oid": oid, "order": order(price="50001")}
    assert session.act(action) == {"status": "ok", "response": {"type": "default"}}
    assert session.act(action) == {"status": "err", "response": "Cannot modify canceled or filled order"}


def test_replacement_only_rests(session: Session) -> None:
    """A replacement that would take is refused after the old order is gone, even as Gtc."""
    oid = session.place()["resting"]["oid"]
    change = {"oid": oid, "order": order(price="60010")}
    [status] = session.statuses({"type": "batchModify", "modifies": [change]})
    assert status["error"] == (
        "Error placing new order during modify: Post only order would have immediately matched, bbo was 60000@60010"
    )
    assert session.mine("openOrders") == []


def test_replacement_takes_when_told_to(session: Session) -> None:
    """With ``a`` (always place) a replacement may take."""
    oid = session.place()["resting"]["oid"]
    change = {"oid": oid, "order": order(price="60010")}
    [status] = session.statuses({"type": "batchModify", "modifies": [change], "a": True})
    assert status["filled"]["totalSz"] == "0.01"


@pytest.mark.parametrize(
    "wrong",
    [{"buy": False, "price": "70000"}, {"tif": "Ioc"}, {"size": "0.0001"}, {"size": "0.000001"}, {"asset": 1}],
)
def test_impossible_replacement_leaves_the_old_order(session: Session, wrong: dict[str, Any]) -> None:
    """A replacement that could never stand is refused, and the old order still rests."""
    oid = session.place()["resting"]["oid"]
    [status] = session.statuses({"type": "batchModify", "modifies": [{"oid": oid, "order": order(**wrong)}]})
    assert status == {"error": "Attempted to modify to invalid new order"}
    assert [one["oid"] for one in session.mine("openOrders")] == [oid]


def test_timed_cancel(session: Session) -> None:
    """``scheduleCancel`` ends every order at its time, not before, and says so; without a time it is forgotten."""
    oid = session.place()["resting"]["oid"]
    assert session.act({"type": "scheduleCancel", "time": START_MS + 4_999}) == {
        "status": "err",
        "response": "Scheduled cancel time too early, must be at least 5 seconds from now.",
    }
    assert session.act({"type": "scheduleCancel", "time": START_MS + 5_000})["status"] == "ok"
    assert session.act({"type": "scheduleCancel"})["status"] == "ok"
    session.now_ms += 6_000
    session.tick()
    assert len(session.mine("openOrders")) == 1
    session.act({"type": "scheduleCancel", "time": session.now_ms + 5_000})
    session.now_ms += 4_999
    session.tick()
    assert len(session.mine("openOrders")) == 1
    session.now_ms += 1
    session.tick()
    assert session.mine("openOrders") == []
    assert session.mine("orderStatus", oid=oid)["order"]["status"] == "scheduledCancel"


def test_timed_cancel_ten_times_a_day(session: Session) -> None:
    """After ten triggered schedules no more is taken until the next day."""
    for _ in range(10):
        assert session.act({"type": "scheduleCancel", "time": session.now_ms + 5_000})["status"] == "ok"
        session.now_ms += 5_000
        session.tick()
    assert session.act({"type": "scheduleCancel", "time": session.now_ms + 5_000})["status"] == "err"
    session.now_ms += 86_400_000
    assert session.act({"type": "scheduleCancel", "time": session.now_ms + 5_000})["status"] == "ok"


def test_leverage_is_kept_and_shown(session: Session) -> None:
    """``updateLeverage`` shows in the position; beyond the contract's most it is refused."""
    session.place(price="60010", tif="Ioc")
    change = {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 3}
    assert session.act(change)["status"] == "ok"
    [held] = session.mine("clearinghouseState")["assetPositions"]
    assert held["position"]["leverage"] == {"type": "cross", "value": 3}
    assert session.act({**change, "leverage": 1000}) == {"status": "err", "response": "Invalid leverage value"}


@pytest.mark.parametrize("action", [{"type": "noop"}, {"type": "setReferrer", "code": "ABC"}])
def test_actions_without_effect(session: Session, action: dict[str, Any]) -> None:
    """A noop and a referrer are taken."""
    assert session.act(action) == {"status": "ok", "response": {"type": "default"}}
