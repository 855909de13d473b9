"""The other channels into events: the market, the account, replies, and what is nothing or malformed."""

import json
from typing import Any

import pytest

from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.hyperliquid.decode import decode, is_known
from gateways.standards import (
    Ack,
    BalanceUpdate,
    BookUpdate,
    Level,
    MarkUpdate,
    PositionUpdate,
    QuoteUpdate,
    Reject,
    RejectReason,
    TradeEvent,
)
from tests.gateways.hyperliquid.stream_messages import (
    ME,
    D,
    account,
    fill,
    only,
    order_updates,
    post,
    user_fills,
)


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
