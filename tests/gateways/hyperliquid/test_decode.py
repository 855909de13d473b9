"""Websocket messages into events. The messages are written by hand from the venue's documentation."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.hyperliquid.decode import decode, is_known
from gateways.standards import (
    Ack,
    BalanceUpdate,
    BookUpdate,
    Event,
    FillEvent,
    Level,
    MarkUpdate,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    QuoteUpdate,
    Reject,
    RejectReason,
    TradeEvent,
)

D = Decimal
CLOID = "c0ffee00" * 4
ME = "0x" + "Ab" * 20


def order(**changes: Any) -> dict[str, Any]:
    """One order as the stream has it: 1.5 of 4 ETH left of a buy."""
    row = {
        "coin": "ETH",
        "side": "B",
        "limitPx": "2500.5",
        "sz": "1.5",
        "oid": 77,
        "timestamp": 1_700_000_000_000,
        "origSz": "4.0",
        "cloid": "0x" + CLOID,
    }
    return {**row, **changes}


def order_updates(status: str = "open", **changes: Any) -> dict[str, Any]:
    """An orderUpdates message of one order."""
    row = {"order": order(**changes), "status": status, "statusTimestamp": 1_700_000_000_500}
    return {"channel": "orderUpdates", "data": [row]}


def fill(**changes: Any) -> dict[str, Any]:
    """One sale of 0.5 ETH, as a maker."""
    row = {
        "coin": "ETH",
        "px": "2500.5",
        "sz": "0.5",
        "side": "A",
        "time": 1_700_000_000_700,
        "startPosition": "1.0",
        "dir": "Close Long",
        "closedPnl": "1.0",
        "hash": "0x01",
        "oid": 77,
        "crossed": False,
        "fee": "-0.01",
        "tid": 9001,
        "feeToken": "USDC",
        "cloid": "0x" + CLOID,
    }
    return {**row, **changes}


def user_fills(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A userFills message."""
    return {"channel": "userFills", "data": {"user": ME, "fills": list(rows), **changes}}


def only(message: Any, contracts: Contracts) -> Any:
    """The single event of a message, the same from text, bytes and parsed JSON."""
    text = json.dumps(message)
    events = decode(text, contracts)
    assert events == decode(text.encode(), contracts) == decode(message, contracts)
    assert len(events) == 1
    return events[0]


def test_what_is_filled_is_what_no_longer_remains(contracts: Contracts) -> None:
    """``sz`` is the rest of ``origSz``; the sign is the side's; our id loses its 0x."""
    assert only(order_updates(), contracts) == OrderUpdate(
        venue="hl",
        ticker="ETH",
        oid="77",
        cloid=CLOID,
        status=OrderStatus.PARTIAL,
        amount=D(4),
        price=D("2500.5"),
        filled=D("2.5"),
        label="open",
        ts_venue_ns=1_700_000_000_500_000_000,
    )


def test_a_sale_is_negative(contracts: Contracts) -> None:
    """Amount and filled carry the side's sign."""
    event = only(order_updates(side="A"), contracts)
    assert (event.amount, event.filled) == (D(-4), D("-2.5"))


STATUSES = {
    "open": OrderStatus.NEW,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "triggered": OrderStatus.NEW,
    "rejected": OrderStatus.REJECTED,
    "marginCanceled": OrderStatus.CANCELLED,
    "vaultWithdrawalCanceled": OrderStatus.CANCELLED,
    "openInterestCapCanceled": OrderStatus.CANCELLED,
    "selfTradeCanceled": OrderStatus.CANCELLED,
    "reduceOnlyCanceled": OrderStatus.CANCELLED,
    "siblingFilledCanceled": OrderStatus.CANCELLED,
    "delistedCanceled": OrderStatus.CANCELLED,
    "liquidatedCanceled": OrderStatus.CANCELLED,
    "outcomeSettledCanceled": OrderStatus.CANCELLED,
    "scheduledCancel": OrderStatus.CANCELLED,
    "internalCancel": OrderStatus.CANCELLED,
    "tickRejected": OrderStatus.REJECTED,
    "minTradeNtlRejected": OrderStatus.REJECTED,
    "perpMarginRejected": OrderStatus.REJECTED,
    "reduceOnlyRejected": OrderStatus.REJECTED,
    "badAloPxRejected": OrderStatus.REJECTED,
    "iocCancelRejected": OrderStatus.EXPIRED,
    "badTriggerPxRejected": OrderStatus.REJECTED,
    "marketOrderNoLiquidityRejected": OrderStatus.REJECTED,
    "positionIncreaseAtOpenInterestCapRejected": OrderStatus.REJECTED,
    "positionFlipAtOpenInterestCapRejected": OrderStatus.REJECTED,
    "tooAggressiveAtOpenInterestCapRejected": OrderStatus.REJECTED,
    "openInterestIncreaseRejected": OrderStatus.REJECTED,
    "insufficientSpotBalanceRejected": OrderStatus.REJECTED,
    "oracleRejected": OrderStatus.REJECTED,
    "perpMaxPositionRejected": OrderStatus.REJECTED,
    "tooManyOpenOrdersRejected": OrderStatus.REJECTED,
}


@pytest.mark.parametrize(("word", "status"), STATUSES.items())
def test_every_documented_status_is_known(word: str, status: OrderStatus, contracts: Contracts) -> None:
    """Each word of the documentation has its meaning, on an order of which nothing was filled (or, filled, all)."""
    event = only(order_updates(word, sz="0.0" if word == "filled" else "4.0"), contracts)
    assert (event.status, event.label) == (status, word)
    if word.endswith("Rejected"):
        assert event.reason is not None


def test_an_unknown_status_still_counts_what_was_filled(contracts: Contracts) -> None:
    """A word that the venue adds tomorrow ends no order and hides no fill."""
    event = only(order_updates("frozenForReview"), contracts)
    assert (event.status, event.filled, event.label) == (None, D("2.5"), "frozenForReview")


def test_filled_with_a_rest_is_no_end(contracts: Contracts) -> None:
    """The venue keeps the size from before the last match there: the fills tell, the status does not."""
    event = only(order_updates("filled"), contracts)
    assert (event.status, event.filled) == (None, D("2.5"))


def test_a_refusal_after_a_fill_is_a_cancellation(contracts: Contracts) -> None:
    """An order that was filled in part was not refused, whatever the word."""
    event = only(order_updates("perpMarginRejected"), contracts)
    assert (event.status, event.filled, event.reason) == (OrderStatus.CANCELLED, D("2.5"), RejectReason.MARGIN)


@pytest.mark.parametrize("cloid", ["web_123", None])
def test_ids_of_others_are_left_as_they_are(cloid: str | None, contracts: Contracts) -> None:
    """Only a 128-bit id is turned into our form."""
    assert only(order_updates(cloid=cloid), contracts).cloid == cloid


def test_a_message_may_hold_several_orders(contracts: Contracts) -> None:
    """A change of an order is two rows: the old oid ends, the new one opens, under one id."""
    message = order_updates("canceled")
    message["data"].append({"order": order(oid=78, sz="4.0"), "status": "open", "statusTimestamp": 1})
    old, new = decode(json.dumps(message), contracts)
    assert isinstance(old, OrderUpdate)
    assert isinstance(new, OrderUpdate)
    assert (old.oid, old.status, new.oid, new.status) == ("77", OrderStatus.CANCELLED, "78", OrderStatus.NEW)
    assert old.cloid == new.cloid == CLOID


def test_a_liquidation_order_is_the_venues(contracts: Contracts) -> None:
    """An order that the venue makes is marked as forced."""
    assert only(order_updates(tif="LiquidationMarket", cloid=None), contracts).forced


def test_a_fill(contracts: Contracts) -> None:
    """A rebate is a negative fee; ``crossed`` false is a maker."""
    assert only(user_fills(fill()), contracts) == FillEvent(
        venue="hl",
        ticker="ETH",
        oid="77",
        trade_id="9001",
        amount=D("-0.5"),
        price=D("2500.5"),
        cloid=CLOID,
        fee=D("-0.01"),
        fee_asset="USDC",
        is_maker=True,
        ts_venue_ns=1_700_000_000_700_000_000,
    )


def test_the_first_message_is_a_replay(contracts: Contracts) -> None:
    """What ``isSnapshot`` brings is marked, so that it is not taken for news."""
    assert only(user_fills(fill(), isSnapshot=True), contracts).snapshot


def test_user_events_hold_fills_too(contracts: Contracts) -> None:
    """The channel of userEvents is called user."""
    assert only({"channel": "user", "data": {"fills": [fill()]}}, contracts).trade_id == "9001"


def test_an_order_that_the_venue_cancelled(contracts: Contracts) -> None:
    """A nonUserCancel names its order by the oid alone."""
    message = {"channel": "user", "data": {"nonUserCancel": [{"coin": "ETH", "oid": 77}]}}
    event = only(message, contracts)
    assert (event.oid, event.status, event.filled, event.label) == ("77", OrderStatus.CANCELLED, None, "nonUserCancel")


@pytest.mark.parametrize("direction", ["Liquidated Cross Long", "Liquidated Isolated Short", "Auto-Deleveraging"])
def test_fills_that_the_venue_made_are_forced(direction: str, contracts: Contracts) -> None:
    """The direction says when our own side was taken from us."""
    assert only(user_fills(fill(dir=direction, cloid=None)), contracts).forced


@pytest.mark.parametrize(
    ("liquidated", "cloid", "forced"),
    [
        (ME.lower(), None, True),
        ("0x" + "99" * 20, "0x" + CLOID, False),
        ("0x" + "99" * 20, None, False),
        (None, "0x" + CLOID, False),
        (None, None, True),
    ],
)
def test_a_liquidation_of_another_fills_our_order_like_any_trade(
    liquidated: str | None, cloid: str | None, *, forced: bool, contracts: Contracts
) -> None:
    """The note stands on both sides of the trade: only the liquidated side's fill is forced."""
    note = {"liquidatedUser": liquidated, "markPx": "2500", "method": "market"}
    assert only(user_fills(fill(liquidation=note, cloid=cloid)), contracts).forced is forced


def test_fills_without_a_trade_id_stay_apart(contracts: Contracts) -> None:
    """Where the venue gives no id, two fills of one transaction do not become one."""
    rows = [fill(tid=0, startPosition="1.0"), fill(tid=0, startPosition="0.5")]
    first, second = decode(json.dumps(user_fills(*rows)), contracts)
    assert isinstance(first, FillEvent)
    assert isinstance(second, FillEvent)
    assert first.trade_id != second.trade_id


def test_contracts_of_a_thousand_coins_are_converted(contracts: Contracts) -> None:
    """One kPEPE is a thousand PEPE: quantities grow, prices shrink, the value stays."""
    event = only(user_fills(fill(coin="kPEPE", px="0.0125", sz="3000")), contracts)
    assert (event.amount, event.price) == (D(-3_000_000), D("0.0000125"))
    assert event.amount * event.price == D("-37.5")
    changed = only(order_updates(coin="kPEPE", limitPx="0.0125", sz="1000", origSz="3000"), contracts)
    assert (changed.amount, changed.filled, changed.price) == (D(3_000_000), D(2_000_000), D("0.0000125"))


def test_a_book_is_a_whole_snapshot(contracts: Contracts) -> None:
    """Bids come first; there is no sequence number."""
    levels = [[{"px": "2500", "sz": "1.5", "n": 2}], [{"px": "2500.1", "sz": "2"}, {"px": "2500.2", "sz": "3"}]]
    message = {"channel": "l2Book", "data": {"coin": "ETH", "time": 5, "levels": levels}}
    assert only(message, contracts) == BookUpdate(
        venue="hl",
        ticker="ETH",
        bids=(Level(D(2500), D("1.5")),),
        asks=(Level(D("2500.1"), D(2)), Level(D("2500.2"), D(3))),
        snapshot=True,
        ts_venue_ns=5_000_000,
    )


def test_a_side_of_the_best_prices_may_be_empty(contracts: Contracts) -> None:
    """A null is nobody there, not a price of zero."""
    message = {"channel": "bbo", "data": {"coin": "ETH", "time": 5, "bbo": [None, {"px": "2500.1", "sz": "2"}]}}
    expected = QuoteUpdate(venue="hl", ticker="ETH", bid=None, ask=Level(D("2500.1"), D(2)), ts_venue_ns=5_000_000)
    assert only(message, contracts) == expected


def test_a_trade_is_signed_by_its_aggressor(contracts: Contracts) -> None:
    """B is a buyer who took, A a seller."""
    row = {"coin": "ETH", "side": "A", "px": "2500", "sz": "0.1", "time": 5, "hash": "0x", "tid": 3, "users": []}
    expected = TradeEvent(
        venue="hl", ticker="ETH", trade_id="3", amount=D("-0.1"), price=D(2500), ts_venue_ns=5_000_000
    )
    assert only({"channel": "trades", "data": [row]}, contracts) == expected


def test_mark_and_funding(contracts: Contracts) -> None:
    """The oracle is the index; the funding rate is the coming hour's."""
    context = {"markPx": "2500", "oraclePx": "2501", "funding": "0.0000125", "openInterest": "1"}
    expected = MarkUpdate(venue="hl", ticker="ETH", mark=D(2500), index=D(2501), funding_rate=D("0.0000125"))
    message = {"channel": "activeAssetCtx", "data": {"coin": "ETH", "ctx": context}}
    assert only(message, contracts) == expected


def account(**changes: Any) -> dict[str, Any]:
    """An account worth 1050, 50 of it unrealised profit of a short."""
    position = {"coin": "ETH", "szi": "-2.0", "entryPx": "2525", "unrealizedPnl": "50", "positionValue": "5000"}
    state = {
        "assetPositions": [{"type": "oneWay", "position": position}],
        "marginSummary": {"accountValue": "1050", "totalNtlPos": "5000"},
        "withdrawable": "600",
        "time": 7,
    }
    return {**state, **changes}


@pytest.mark.parametrize(
    "message",
    [
        {"channel": "clearinghouseState", "data": {"dex": "", "user": ME, "clearinghouseState": account()}},
        {"channel": "webData2", "data": {"user": ME, "clearinghouseState": account(), "openOrders": []}},
        {"channel": "allDexsClearinghouseState", "data": {"user": ME, "clearinghouseStates": [["", account()]]}},
        account(),
    ],
)
def test_the_wallet_is_without_the_unrealised(message: Any, contracts: Contracts) -> None:
    """``accountValue`` includes the profit of open positions; a wallet does not."""
    assert decode(json.dumps(message), contracts) == [
        PositionUpdate(
            venue="hl", ticker="ETH", amount=D(-2), entry_price=D(2525), unrealised=D(50), ts_venue_ns=7_000_000
        ),
        BalanceUpdate(venue="hl", asset="USDC", total=D(1000), available=D(600), ts_venue_ns=7_000_000),
    ]


def test_the_money_of_another_dex_is_not_ours(contracts: Contracts) -> None:
    """Another dex has its own margin account: its balance does not overwrite the venue's own."""
    message = {"channel": "clearinghouseState", "data": {"dex": "xyz", "user": ME, "clearinghouseState": account()}}
    assert [type(event) for event in decode(json.dumps(message), contracts)] == [PositionUpdate]


def post(kind: str, payload: Any) -> dict[str, Any]:
    """A reply to a post."""
    return {"channel": "post", "data": {"id": 5, "response": {"type": kind, "payload": payload}}}


def test_a_post_reply_acknowledges_or_refuses_each_item(contracts: Contracts) -> None:
    """Every item of a batch has its own fate, under the request's id."""
    statuses = [{"resting": {"oid": 1}}, {"error": "Insufficient margin to place order. asset=1"}, "success"]
    payload = {"status": "ok", "response": {"type": "order", "data": {"statuses": statuses}}}
    events = decode(json.dumps(post("action", payload)), contracts)
    assert [type(event) for event in events] == [Ack, Reject, Ack]
    assert all(event.request_id == "5" for event in events if isinstance(event, Ack | Reject))
    assert isinstance(events[1], Reject)
    assert (events[1].reason, events[1].code) == (RejectReason.MARGIN, "PerpMargin")


@pytest.mark.parametrize(
    ("payload", "reason", "definite"),
    [
        ("429 Too Many Requests", RejectReason.RATE_LIMIT, True),
        ("422 Failed to deserialize the JSON body", RejectReason.BAD_REQUEST, True),
        ("500 Internal Server Error", RejectReason.OTHER, False),
        ("408 Request Timeout", RejectReason.OTHER, False),
    ],
)
def test_a_post_error_mirrors_the_http_status(
    payload: str, reason: RejectReason, *, definite: bool, contracts: Contracts
) -> None:
    """A status of 5xx, or a timeout, proves nothing."""
    event = only(post("error", payload), contracts)
    assert (event.reason, event.definite, event.code) == (reason, definite, payload[:3])


def test_a_posted_question_is_answered_by_its_kind(contracts: Contracts) -> None:
    """The answer to an info request is read by its shape."""
    book = {"coin": "ETH", "time": 5, "levels": [[], []]}
    assert isinstance(only(post("info", {"type": "l2Book", "data": book}), contracts), BookUpdate)


@pytest.mark.parametrize(
    "message",
    [
        {"channel": "pong"},
        {"channel": "subscriptionResponse", "data": {"method": "subscribe", "subscription": {"type": "bbo"}}},
        {"channel": "allMids", "data": {"mids": {"ETH": "2500"}}},
        {"channel": "candle", "data": {}},
        {"channel": "user", "data": {"funding": {"coin": "ETH", "usdc": "1"}}},
        {"channel": "tomorrow's channel", "data": {"anything": [1]}},
        {},
        [],
        [[]],
        {"type": "what nobody knows"},
    ],
)
def test_what_an_oms_does_not_need_is_nothing(message: Any, contracts: Contracts) -> None:
    """Types that carry no news of ours, and types that nobody knows yet, give no event."""
    assert decode(json.dumps(message), contracts) == []


def test_the_greeting_is_not_json(contracts: Contracts) -> None:
    """The plain text that opens a connection is no malformed message."""
    assert decode("Websocket connection established.", contracts) == []
    assert decode(b"Websocket connection established.", contracts) == []


def test_known_channels() -> None:
    """A channel left out on purpose is told apart from one that nobody knows."""
    assert is_known("pong")
    assert is_known("orderUpdates")
    assert not is_known("tomorrow's channel")


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (order_updates(sz=None), "[0].order.sz"),
        (order_updates(side="X"), "[0].order.side"),
        (order_updates(sz="-1"), "sz"),
        (order_updates(limitPx="NaN"), "limitPx"),
        (order_updates(limitPx="1e900"), "limitPx"),
        (order_updates(origSz="Infinity"), "origSz"),
        ({"channel": "orderUpdates", "data": [{"status": "open"}]}, "[0].order"),
        ({"channel": "orderUpdates", "data": {}}, "message"),
        ({"channel": "orderUpdates"}, "message"),
        (user_fills({"coin": "ETH"}), "fills[0].px"),
        (user_fills(fill(oid=None)), "fills[0].oid"),
        (user_fills(fill(time="noon")), "fills[0].time"),
        ({"channel": "l2Book", "data": {"coin": "ETH", "levels": [[]], "time": 1}}, "levels"),
        ({"channel": "bbo", "data": {"coin": "ETH", "bbo": [], "time": 1}}, "bbo"),
        ({"channel": "clearinghouseState", "data": {"clearinghouseState": {"assetPositions": []}}}, "marginSummary"),
        (post("action", {"status": "ok", "response": {"data": {"statuses": [{"resting": {}}]}}}), "statuses.0"),
    ],
)
def test_a_malformed_message_names_its_field(message: Any, field: str, contracts: Contracts) -> None:
    """A known type without its documented form is an error that names the venue and the field, never a KeyError."""
    for raw in (json.dumps(message), json.dumps(message).encode(), message):
        with pytest.raises(DecodeError) as caught:
            decode(raw, contracts)
        assert caught.value.venue == "hl"
        assert caught.value.field.startswith(field)


@pytest.mark.parametrize("raw", [b"", b"{", b"nonsense", b"\xff\xfe", "[" * 100_000])
def test_what_is_not_json_is_malformed(raw: bytes | str, contracts: Contracts) -> None:
    """Broken text is a DecodeError too."""
    with pytest.raises(DecodeError):
        decode(raw, contracts)


CHANNELS = ["orderUpdates", "userFills", "user", "l2Book", "bbo", "trades", "activeAssetCtx", "webData2", "post", "x"]
SEEDS = [
    order_updates(),
    user_fills(fill()),
    post("action", {"status": "err", "response": "no"}),
    account(),
    {"status": "ok", "response": {"type": "order", "data": {"statuses": [{"resting": {"oid": 1}}]}}},
    {"status": "order", "order": {"order": order(), "status": "open", "statusTimestamp": 1}},
    [{"universe": [{"name": "ETH", "szDecimals": 4}]}, [{"markPx": "1"}]],
    [{"universe": [{"name": "ETH", "szDecimals": 4}], "collateralToken": 0}],
    [fill()],
    [order()],
    [{"order": order(), "status": "open", "statusTimestamp": 1}],
    {"channel": "allDexsAssetCtxs", "data": {"ctxs": [["", [{"markPx": "1"}]]]}},
    {"channel": "l2Book", "data": {"coin": "ETH", "time": 5, "levels": [[{"px": "1", "sz": "1"}], []]}},
    {"channel": "bbo", "data": {"coin": "ETH", "time": 5, "bbo": [{"px": "1", "sz": "1"}, None]}},
]
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A good message with one value anywhere in it replaced or removed."""
    message = json.loads(json.dumps(draw(st.sampled_from(SEEDS))))
    node = message
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = draw(st.sampled_from(keys))
        if isinstance(node[key], dict | list) and node[key] and draw(st.booleans()):
            node = node[key]
            continue
        if draw(st.booleans()):
            node[key] = draw(values)
        else:
            del node[key]
        return message


EVENTS = tuple(Event.__args__)  # type: ignore[attr-defined]


def decodes_or_says_why(raw: Any) -> None:
    """Decode; anything but events and DecodeError fails the test."""
    with suppress(DecodeError):
        assert all(isinstance(event, EVENTS) for event in decode(raw, Contracts("hl")))


@settings(max_examples=600, deadline=None)
@given(message=damaged() | values | st.fixed_dictionaries({"channel": st.sampled_from(CHANNELS), "data": values}))
def test_any_json_decodes_or_is_a_decode_error(message: Any) -> None:
    """Whatever JSON arrives, parsed or as text, nothing else than events or a DecodeError comes out."""
    decodes_or_says_why(message)
    decodes_or_says_why(json.dumps(message))


@settings(deadline=None)
@given(raw=st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_decode_or_are_a_decode_error(raw: bytes | str) -> None:
    """Whatever bytes arrive, nothing else than events or a DecodeError comes out."""
    decodes_or_says_why(raw)
