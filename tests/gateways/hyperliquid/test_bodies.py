"""Bodies of answers into events, written by hand from the documentation of the info and exchange endpoints."""

import json
from decimal import Decimal
from typing import Any

import pytest

from gateways.contracts import Contracts, is_on_tick, tick_at
from gateways.errors import DecodeError, RateLimited, Rejected, Unknown
from gateways.hyperliquid import answers, bodies
from gateways.hyperliquid.decode import decode
from gateways.standards import (
    Ack,
    AmendOrder,
    BalanceUpdate,
    Contract,
    FillEvent,
    MarkUpdate,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    PlaceOrder,
    Reject,
    RejectReason,
    TimeInForce,
    TradeEvent,
)

D = Decimal
CLOID = "ab" * 16

META = {
    "universe": [
        {"name": "BTC", "szDecimals": 5, "maxLeverage": 40},
        {"name": "OLD", "szDecimals": 1, "maxLeverage": 3, "isDelisted": True},
        {"name": "kBONK", "szDecimals": 0, "maxLeverage": 10},
    ]
}

OPEN = {
    "coin": "BTC",
    "side": "A",
    "limitPx": "65000.0",
    "sz": "0.2",
    "oid": 5,
    "timestamp": 1_700_000_000_000,
    "origSz": "0.5",
    "cloid": "0x" + CLOID,
    "triggerCondition": "N/A",
    "isTrigger": False,
    "triggerPx": "0.0",
    "children": [],
    "isPositionTpsl": False,
    "reduceOnly": True,
    "orderType": "Limit",
    "tif": "Alo",
}


def test_contracts_follow_the_tick_and_lot_rules() -> None:
    """Sizes have szDecimals, prices at most six less those and five significant figures; the place is the asset id."""
    listed = bodies.contracts(json.dumps(META).encode(), "hl")
    assert listed[0] == Contract(
        venue="hl",
        ticker="BTC",
        base="BTC",
        quote="USDC",
        tick_size=D("0.1"),
        lot_size=D("0.00001"),
        min_quantity=D("0.00001"),
        min_notional=D(10),
        significant_digits=5,
        venue_id="0",
    )
    assert [(row.ticker, row.venue_id, row.trading) for row in listed[1:]] == [
        ("OLD", "1", False),
        ("kBONK", "2", True),
    ]
    assert tick_at(listed[0], D(65000)) == 1
    assert is_on_tick(listed[0], D("1234.5"))
    assert not is_on_tick(listed[0], D("12345.5"))


def test_a_contract_on_a_thousand_coins_is_in_base_units() -> None:
    """One kBONK is a thousand BONK: the lot and the tick are converted, the base is the coin."""
    bonk = bodies.contracts(META, "hl")[2]
    assert (bonk.base, bonk.multiplier, bonk.lot_size) == ("BONK", D(1000), D(1000))
    assert bonk.tick_size == D("0.000000001")


def test_contexts_are_the_universes_in_its_order(contracts: Contracts) -> None:
    """The second list of metaAndAssetCtxs has no names: the place says whose mark it is."""
    contexts = [
        {"markPx": "65000", "oraclePx": "65001", "funding": "0.0001"},
        {"markPx": None, "funding": "0"},
        {"markPx": "0.02"},
    ]
    events = decode(json.dumps([META, contexts]), contracts)
    marks = [event for event in events if isinstance(event, MarkUpdate)]
    assert [(mark.ticker, mark.mark) for mark in marks] == [("BTC", D(65000)), ("kBONK", D("0.00002"))]
    assert sum(isinstance(event, Contract) for event in events) == 3


def test_perpetuals_of_other_dexes_have_their_own_ids(contracts: Contracts) -> None:
    """A dex's assets begin at 100000 + 10000 for each dex; what settles in another token is left out."""
    metas = [
        {"universe": [{"name": "BTC", "szDecimals": 5}], "collateralToken": 0},
        {"universe": [{"name": "usd:GOLD", "szDecimals": 2}], "collateralToken": 360},
        {"universe": [{"name": "xyz:OIL", "szDecimals": 2}], "collateralToken": 0},
    ]
    events = decode(json.dumps(metas), contracts)
    assert [(row.ticker, row.venue_id) for row in events if isinstance(row, Contract)] == [
        ("BTC", "0"),
        ("xyz:OIL", "120000"),
    ]


def test_open_orders_say_what_they_are() -> None:
    """The frontend's form has the kind, the time in force (Alo is post-only), reduce-only and what is filled."""
    assert bodies.open_orders([OPEN], "hl") == [
        OrderUpdate(
            venue="hl",
            ticker="BTC",
            oid="5",
            cloid=CLOID,
            status=OrderStatus.PARTIAL,
            amount=D("-0.5"),
            price=D(65000),
            filled=D("-0.3"),
            kind=OrderKind.LIMIT,
            tif=TimeInForce.GTC,
            post_only=True,
            reduce_only=True,
            label="open",
            ts_venue_ns=1_700_000_000_000_000_000,
        )
    ]


def test_the_short_form_does_not_say_what_was_filled() -> None:
    """Without origSz neither the amount nor the filled size is known; they are not zero."""
    short = {key: OPEN[key] for key in ("coin", "limitPx", "oid", "side", "sz", "timestamp")}
    found = bodies.open_orders([short], "hl")[0]
    assert (found.amount, found.filled, found.status) == (None, None, OrderStatus.NEW)


def order_status(status: str, **changes: Any) -> dict[str, Any]:
    """An orderStatus answer."""
    return {"status": "order", "order": {"order": {**OPEN, **changes}, "status": status, "statusTimestamp": 9}}


def test_an_order_by_id() -> None:
    """The status has its own time; the creation is told apart."""
    body = json.dumps(order_status("canceled")).encode()
    found = bodies.order(body, "hl")
    assert found is not None
    assert (found.status, found.filled, found.ts_venue_ns) == (OrderStatus.CANCELLED, D("-0.3"), 9_000_000)
    assert bodies.created_ns(body, "hl") == 1_700_000_000_000_000_000


def test_an_unknown_order_is_none_and_not_an_error(contracts: Contracts) -> None:
    """A successful answer that there is no such order."""
    assert bodies.order({"status": "unknownOid"}, "hl") is None
    event = decode('{"status":"unknownOid"}', contracts)[0]
    assert isinstance(event, Reject)
    assert event.reason is RejectReason.UNKNOWN_ORDER


def test_an_order_answer_without_an_order_is_malformed() -> None:
    """It is neither an order nor the statement that there is none."""
    with pytest.raises(DecodeError):
        bodies.order({"status": "order"}, "hl")


def test_history_and_spot_and_trades_by_shape(contracts: Contracts) -> None:
    """Answers are told by their shape, as the venue does not repeat the question."""
    history = [order_status("filled", sz="0.0")["order"]]
    assert [type(event) for event in decode(json.dumps(history), contracts)] == [OrderUpdate]
    assert decode(json.dumps(history[0]), contracts) == decode(json.dumps(history), contracts)
    spot = {"balances": [{"coin": "HYPE", "token": 150, "total": "5", "hold": "2"}]}
    assert decode(json.dumps(spot), contracts) == [BalanceUpdate(venue="hl", asset="HYPE", total=D(5), available=D(3))]
    trade = {"coin": "BTC", "side": "B", "px": "1", "sz": "2", "time": 1, "tid": 4, "hash": "0x", "users": ["", ""]}
    assert [type(event) for event in decode(json.dumps([trade]), contracts)] == [TradeEvent]
    spot_meta = {"universe": [{"name": "PURR/USDC", "tokens": [1, 0], "index": 0}], "tokens": []}
    assert decode(json.dumps(spot_meta), contracts) == []


def test_fills_of_an_answer_are_the_past(contracts: Contracts) -> None:
    """Each is marked as a snapshot, also those of a TWAP that runs on the venue."""
    row = {"coin": "BTC", "px": "1", "sz": "2", "side": "B", "time": 1, "oid": 3, "tid": 4, "fee": "0", "crossed": True}
    for body in ([row], [{"fill": row, "twapId": 1}]):
        events = decode(json.dumps(body), contracts)
        assert [event.snapshot for event in events if isinstance(event, FillEvent)] == [True]


# ------------------------------------------------------------------ exchange


def answer(*statuses: Any, kind: str = "order") -> dict[str, Any]:
    """An exchange answer."""
    return {"status": "ok", "response": {"type": kind, "data": {"statuses": list(statuses)}}}


PLACE = PlaceOrder(ticker="BTC", cloid=CLOID, amount=D("-0.5"), price=D(65000), post_only=True)


def one(body: Any) -> answers.Outcome:
    """The only outcome of an answer."""
    (outcome,) = answers.outcomes(body, "hl")
    return outcome


def test_a_resting_order_does_not_say_what_it_filled() -> None:
    """Part of it may have been filled before it came to rest: that is not zero, it is not said."""
    update = answers.placed(one(answer({"resting": {"oid": 7}})), PLACE, "hl")
    assert (update.oid, update.cloid, update.status, update.filled) == ("7", CLOID, OrderStatus.NEW, None)
    assert (update.amount, update.post_only) == (D("-0.5"), True)


@pytest.mark.parametrize(
    ("kind", "tif", "total", "status"),
    [
        (OrderKind.LIMIT, TimeInForce.GTC, "0.5", OrderStatus.FILLED),
        (OrderKind.MARKET, TimeInForce.GTC, "0.5", OrderStatus.FILLED),
        (OrderKind.LIMIT, TimeInForce.IOC, "0.2", OrderStatus.CANCELLED),
        (OrderKind.MARKET, TimeInForce.GTC, "0.2", OrderStatus.CANCELLED),
        (OrderKind.LIMIT, TimeInForce.GTC, "0.2", None),
    ],
)
def test_filled_may_be_less_than_all(kind: OrderKind, tif: TimeInForce, total: str, status: OrderStatus | None) -> None:
    """An IOC's ``filled`` tells how much; its rest is gone. Of another order's rest the answer says nothing."""
    order = PlaceOrder(ticker="BTC", cloid=CLOID, amount=D("-0.5"), price=D(65000), kind=kind, tif=tif)
    update = answers.placed(one(answer({"filled": {"totalSz": total, "avgPx": "65001", "oid": 7}})), order, "hl")
    assert (update.status, update.filled, update.average_price) == (status, -D(total), D(65001))


def test_a_fill_in_thousands_is_converted() -> None:
    """Both totalSz and avgPx are in the venue's units too."""
    order = PlaceOrder(ticker="kPEPE", cloid=CLOID, amount=D(3000), price=D("0.00002"), tif=TimeInForce.IOC)
    update = answers.placed(one(answer({"filled": {"totalSz": "3.0", "avgPx": "0.0125", "oid": 7}})), order, "hl")
    assert (update.filled, update.average_price, update.status) == (D(3000), D("0.0000125"), OrderStatus.FILLED)


def test_a_changed_order_is_a_new_one_for_the_rest() -> None:
    """The new oid's amount is what was not filled before."""
    order = AmendOrder(ticker="BTC", cloid=CLOID, oid="7", amount=D("-0.5"), filled=D("-0.2"), price=D(65000))
    update = answers.amended(one(answer({"resting": {"oid": 8}})), order, "hl")
    assert (update.oid, update.amount, update.cloid) == ("8", D("-0.3"), CLOID)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Price must be divisible by tick size. asset=0", RejectReason.TICK),
        ("Order must have minimum value of $10. asset=0", RejectReason.MIN_NOTIONAL),
        ("Order must have minimum value of 10 USDC.", RejectReason.MIN_NOTIONAL),
        ("Insufficient margin to place order. asset=0", RejectReason.MARGIN),
        ("Reduce only order would increase position. asset=0", RejectReason.REDUCE_ONLY),
        ("Post only order would have immediately matched, bbo was 1@2. asset=0", RejectReason.POST_ONLY),
        ("Order could not immediately match against any resting orders. asset=0", RejectReason.NO_LIQUIDITY),
        ("No liquidity available for market order.", RejectReason.NO_LIQUIDITY),
        ("Invalid TP/SL price. asset=0", RejectReason.BAD_REQUEST),
        ("Order would increase open interest while open interest is capped", RejectReason.HALTED),
        ("Order rejected due to price more aggressive than oracle while at open interest cap", RejectReason.PRICE_BAND),
        ("Order would increase open interest too quickly", RejectReason.HALTED),
        ("Order has insufficient spot balance to trade", RejectReason.MARGIN),
        ("Order price too far from oracle", RejectReason.PRICE_BAND),
        ("Order price cannot be more than 80% away from the reference price", RejectReason.PRICE_BAND),
        ("Order would cause position to exceed margin tier limit at current leverage", RejectReason.MARGIN),
        ("Order was never placed, already canceled, or filled. asset=0", RejectReason.UNKNOWN_ORDER),
        ("Cannot modify canceled or filled order", RejectReason.UNKNOWN_ORDER),
        ("Order has invalid size.", RejectReason.LOT),
        ("User or API Wallet 0x0000000000000000000000000000000000000001 does not exist.", RejectReason.CREDENTIALS),
        ("Too many cumulative requests sent (10001 > 10000) for cumulative volume traded $1", RejectReason.RATE_LIMIT),
        ("Invalid nonce: too far in the future", RejectReason.CLOCK),
        ("something that was never seen", RejectReason.OTHER),
    ],
)
def test_every_documented_refusal_has_its_reason(text: str, reason: RejectReason) -> None:
    """The documented error texts, with the asset that the venue adds to them, are normalized."""
    event = answers.reject("hl", text, whole=False)
    assert (event.reason, event.text, event.definite) == (reason, text, True)
    raised = answers.refused("hl", text)
    assert isinstance(raised, RateLimited if reason is RejectReason.RATE_LIMIT else Rejected)
    assert raised.reason is reason


def test_an_error_of_the_server_proves_nothing() -> None:
    """A 5xx is not a refusal."""
    assert isinstance(answers.refused("hl", "502 Bad Gateway"), Unknown)


def test_a_refusal_of_the_whole_is_one_outcome(contracts: Contracts) -> None:
    """A status of err has one text, however many items were asked for."""
    body = {"status": "err", "response": "User or API Wallet 0x01 does not exist."}
    assert one(body).error == body["response"]
    event = decode(json.dumps(body), contracts)[0]
    assert isinstance(event, Reject)
    assert event.reason is RejectReason.CREDENTIALS


@pytest.mark.parametrize(
    "body",
    [
        answer("success", kind="cancel"),
        answer("waitingForFill"),
        {"status": "ok", "response": {"type": "default"}},
        {"status": "ok", "response": {"type": "scheduleCancel"}},
    ],
)
def test_plain_success_is_an_acknowledgement(body: Any, contracts: Contracts) -> None:
    """Answers without an order in them are still yes."""
    assert one(body) == answers.Outcome()
    assert decode(json.dumps(body), contracts) == [Ack(venue="hl")]


@pytest.mark.parametrize(
    "body",
    [
        None,
        "text",
        {"status": "ok", "response": "text"},
        answer({"filled": {"totalSz": "1"}}),
        answer(7),
        {"response": {"data": {"statuses": 1}}},
    ],
)
def test_a_malformed_answer_is_a_decode_error(body: Any) -> None:
    """What cannot be read is never taken for a yes."""
    with pytest.raises(DecodeError):
        answers.outcomes(body, "hl")
