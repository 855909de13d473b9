"""Bybit messages into standard events: each kind, each trap of the venue's documentation, and anything at all."""

import json
from decimal import Decimal
from typing import Any

import pytest

from gateways.bybit import bodies, tickers
from gateways.bybit.decode import decode, read_ticker, topic_of
from gateways.bybit.units import unbundled
from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.standards import (
    Ack,
    BalanceUpdate,
    BookUpdate,
    Contract,
    FillEvent,
    Level,
    MarkUpdate,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    QuoteUpdate,
    Reject,
    RejectReason,
    TimeInForce,
    TradeEvent,
)
from tests.gateways.bybit.messages import (
    CLOID,
    OID,
    TICKER,
    answer,
    book,
    execution_row,
    instrument,
    order_row,
    page,
    position_row,
    public,
    push,
)

D = Decimal
MS = 1_000_000


def only(message: Any, contracts: Contracts) -> Any:
    """The one event of a message, the same from bytes as from the parsed value."""
    [event] = decode(json.dumps(message).encode(), contracts)
    assert decode(message, contracts) == [event]
    return event


# ------------------------------------------------------------------ private streams


def test_an_order_is_read_whole(contracts: Contracts) -> None:
    """Every field of an order push has its place, signed by side, its time in ns."""
    assert only(
        push("order.linear", [order_row(orderStatus="PartiallyFilled", cumExecQty="0.5", avgPrice="2500.6")]), contracts
    ) == OrderUpdate(
        venue="bybit",
        ticker="ETHUSDT",
        oid=OID,
        cloid=CLOID,
        status=OrderStatus.PARTIAL,
        amount=D(-2),
        price=D("2500.5"),
        filled=D("-0.5"),
        average_price=D("2500.6"),
        kind=OrderKind.LIMIT,
        tif=TimeInForce.GTC,
        post_only=False,
        reduce_only=False,
        label="PartiallyFilled",
        ts_venue_ns=1_700_000_000_007 * MS,
    )


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"orderStatus": "New"}, OrderStatus.NEW, None),
        ({"orderStatus": "Filled"}, OrderStatus.FILLED, None),
        ({"orderStatus": "Cancelled", "cancelType": "CancelByUser"}, OrderStatus.CANCELLED, None),
        ({"orderStatus": "Untriggered"}, OrderStatus.NEW, None),
        ({"orderStatus": "Deactivated"}, OrderStatus.CANCELLED, None),
        ({"orderStatus": "Lunar"}, None, None),
        (
            {"orderStatus": "Cancelled", "rejectReason": "EC_PostOnlyWillTakeLiquidity", "timeInForce": "PostOnly"},
            OrderStatus.CANCELLED,
            RejectReason.POST_ONLY,
        ),
        (
            {"orderStatus": "Cancelled", "rejectReason": "EC_NoImmediateQtyToFill", "timeInForce": "IOC"},
            OrderStatus.CANCELLED,
            RejectReason.NO_LIQUIDITY,
        ),
        (
            {"orderStatus": "Cancelled", "cancelType": "CancelByReduceOnly"},
            OrderStatus.CANCELLED,
            RejectReason.REDUCE_ONLY,
        ),
        ({"orderStatus": "Rejected", "rejectReason": "EC_Others"}, OrderStatus.REJECTED, RejectReason.OTHER),
        # A cancel that raced with the last fill: the second message of the same end.
        (
            {
                "orderStatus": "Filled",
                "rejectReason": "EC_OrigClOrdIDDoesNotExist",
                "cancelType": "CancelByUser",
            },
            OrderStatus.FILLED,
            None,
        ),
    ],
)
def test_statuses_and_ends(
    contracts: Contracts, fields: dict[str, Any], status: OrderStatus | None, reason: RejectReason | None
) -> None:
    """Each status of the venue has ours, an unknown one none; the reason of an end is told where its words tell it."""
    update = only(push("order", [order_row(**fields)]), contracts)
    assert (update.status, update.reason) == (status, reason)


def test_a_cancelled_order_keeps_what_was_filled(contracts: Contracts) -> None:
    """A cancelled derivatives order may have executed in part: the cumulative size says so, not the leaves."""
    row = order_row(orderStatus="Cancelled", cancelType="CancelByUser", cumExecQty="1.5", leavesQty="0")
    assert only(push("order", [row]), contracts).filled == D("-1.5")


def test_empty_texts_are_none(contracts: Contracts) -> None:
    """The venue writes an empty text, or null, for no value: it is never zero, and no id of ours."""
    row = order_row(orderLinkId="", price="", cumExecQty="", avgPrice=None, updatedTime="", createdTime="")
    update = only(push("order", [row]), contracts)
    assert (update.cloid, update.price, update.filled, update.average_price) == (None, None, None, None)
    assert update.ts_venue_ns == 0


def test_retail_price_improvement_is_post_only(contracts: Contracts) -> None:
    """``RPI`` orders only add liquidity ("timeInForce" of the enums): post-only, as PostOnly is."""
    update = only(push("order", [order_row(timeInForce="RPI")]), contracts)
    assert (update.tif, update.post_only) == (TimeInForce.GTC, True)


def test_a_market_order_has_no_price(contracts: Contracts) -> None:
    """What the venue shows as the price of a market order is its own protection."""
    update = only(push("order", [order_row(orderType="Market", timeInForce="IOC", price="2375")]), contracts)
    assert (update.kind, update.price, update.tif) == (OrderKind.MARKET, None, TimeInForce.IOC)


@pytest.mark.parametrize("category", ["spot", "inverse", "option"])
def test_rows_of_other_products_are_not_ours(contracts: Contracts, category: str) -> None:
    """A spot pair of the same name as a linear contract never moves its orders, fills or positions."""
    rows = {"order": order_row, "execution": execution_row, "position": position_row}
    for topic, row in rows.items():
        assert decode(push(topic, [row(category=category)]), contracts) == []


def test_a_message_may_hold_several_rows(contracts: Contracts) -> None:
    """Each row of a push is an event, in the order of the message."""
    message = push("execution", [execution_row(execId="a"), execution_row(execId="b", side="Buy")])
    told = [(event.trade_id, event.amount) for event in decode(message, contracts)]
    assert told == [("a", D("-0.5")), ("b", D("0.5"))]


def test_a_fill_is_read_whole(contracts: Contracts) -> None:
    """A fill has its trade id, its rebate as a negative fee, and the quote asset where the venue names no fee asset."""
    assert only(push("execution.linear", [execution_row()]), contracts) == FillEvent(
        venue="bybit",
        ticker="ETHUSDT",
        oid=OID,
        trade_id="trade-1",
        amount=D("-0.5"),
        price=D("2500.5"),
        cloid=CLOID,
        fee=D("-0.25"),
        fee_asset="USDT",
        is_maker=True,
        ts_venue_ns=1_700_000_000_009 * MS,
    )


def test_the_fast_stream_names_no_fee(contracts: Contracts) -> None:
    """A fast execution is a fill whose fee is not known."""
    row = {name: value for name, value in execution_row().items() if name not in {"execFee", "execType", "feeCurrency"}}
    event = only(push("execution.fast", [row]), contracts)
    assert (event.fee, event.fee_asset, event.amount) == (None, "", D("-0.5"))


@pytest.mark.parametrize("kind", ["Funding", "Settle", "Delivery", "MovePosition", "UNKNOWN"])
def test_what_is_no_fill_is_none(contracts: Contracts, kind: str) -> None:
    """Funding and settlements are told on the execution stream and fill no order."""
    assert decode(push("execution", [execution_row(execType=kind)]), contracts) == []


@pytest.mark.parametrize("kind", ["AdlTrade", "BustTrade"])
def test_forced_fills_are_marked(contracts: Contracts, kind: str) -> None:
    """Deleveraging and liquidation are fills made by the venue, without an id of ours."""
    event = only(push("execution", [execution_row(execType=kind, orderLinkId="")]), contracts)
    assert (event.forced, event.cloid) == (True, None)


@pytest.mark.parametrize(
    ("fields", "amount", "side"),
    [
        ({}, D(-2), "net"),
        ({"side": "Buy"}, D(2), "net"),
        ({"side": "", "size": "0"}, D(0), "net"),
        ({"side": "Buy", "positionIdx": 1}, D(2), "long"),
        ({"side": "Sell", "positionIdx": 2}, D(-2), "short"),
    ],
)
def test_positions_are_signed(contracts: Contracts, fields: dict[str, Any], amount: Decimal, side: str) -> None:
    """Sizes have no sign on this wire: the side gives it; hedge mode is told as such."""
    event = only(push("position", [position_row(**fields)]), contracts)
    assert isinstance(event, PositionUpdate)
    assert (event.amount, event.side, event.entry_price, event.unrealised) == (amount, side, D(2400), D("-1.5"))


def test_wallets_give_each_asset(contracts: Contracts) -> None:
    """Available is what can be withdrawn, or else the equity less the margins, or else not known."""
    coins = [
        {"coin": "USDT", "walletBalance": "100", "availableToWithdraw": "90.5"},
        {
            "coin": "USDC",
            "walletBalance": "100",
            "availableToWithdraw": "",
            "equity": "110",
            "totalOrderIM": "10",
            "totalPositionIM": "20",
            "locked": "5",
        },
        {"coin": "BTC", "walletBalance": "1", "availableToWithdraw": ""},
        {"coin": "ETH", "walletBalance": ""},
    ]
    events = decode(push("wallet", [{"accountType": "UNIFIED", "coin": coins}]), contracts)
    told = [(each.asset, each.total, each.available) for each in events if isinstance(each, BalanceUpdate)]
    assert told == [("USDT", D(100), D("90.5")), ("USDC", D(100), D(75)), ("BTC", D(1), None)]


# ------------------------------------------------------------------ public streams


def test_books_carry_their_chain(contracts: Contracts) -> None:
    """A snapshot starts a chain; a delta follows the update whose number is one less."""
    whole = only(book(40), contracts)
    assert (whole.snapshot, whole.last_seq, whole.prev_seq) == (True, 40, None)
    delta = only(book(41, bids=[("2500", "0")], asks=[], kind="delta"), contracts)
    assert (delta.snapshot, delta.first_seq, delta.last_seq, delta.prev_seq) == (False, 41, 41, 40)
    assert delta.bids == (Level(D(2500), D(0)),)


def test_a_restart_is_a_snapshot(contracts: Contracts) -> None:
    """Number 1 is a snapshot whatever the type says: the venue's service was restarted."""
    assert only(book(1, kind="delta"), contracts).snapshot


def test_trades_are_signed_by_the_taker(contracts: Contracts) -> None:
    """The side of a public trade is the aggressor's."""
    row = {"T": 1_700_000_000_001, "s": "ETHUSDT", "S": "Sell", "v": "0.3", "p": "2500", "i": "x", "BT": False}
    event = only(public("publicTrade.ETHUSDT", [row]), contracts)
    assert isinstance(event, TradeEvent)
    assert (event.amount, event.price, event.trade_id) == (D("-0.3"), D(2500), "x")


def test_a_ticker_gives_quote_and_mark(contracts: Contracts) -> None:
    """A snapshot of a ticker names the best bid and ask, the mark and the funding."""
    quote, mark = decode(public("tickers.ETHUSDT", TICKER), contracts)
    assert isinstance(quote, QuoteUpdate)
    assert isinstance(mark, MarkUpdate)
    assert (quote.bid, quote.ask) == (Level(D(2500), D(3)), Level(D(2501), D(4)))
    assert (mark.mark, mark.index, mark.funding_rate) == (D("2500.7"), D("2500.6"), D("-0.0001"))
    assert mark.next_funding_ns == 1_700_006_400_000 * MS


def test_a_ticker_delta_alone_is_no_quote(contracts: Contracts) -> None:
    """A delta with one side gives no quote by itself, and the whole one when it is merged into what was known."""
    change = public("tickers.ETHUSDT", {"symbol": "ETHUSDT", "bid1Price": "2500.5"}, "delta")
    assert decode(change, contracts) == []
    read = read_ticker(json.dumps(change).encode(), "bybit")
    before = read_ticker(json.dumps(public("tickers.ETHUSDT", TICKER)).encode(), "bybit")
    assert read is not None
    assert before is not None
    quote = tickers.events(tickers.merged(before[0], read[0]), contracts, read[1])[0]
    assert isinstance(quote, QuoteUpdate)
    assert (quote.bid, quote.ask) == (Level(D("2500.5"), D(3)), Level(D(2501), D(4)))


def test_bundles_are_converted_at_the_door(contracts: Contracts) -> None:
    """Everything of a thousand-bundle is in single units: sizes times 1000, prices by 1000."""
    fill = only(push("execution", [execution_row(symbol="1000PEPEUSDT", execQty="300", execPrice="0.012")]), contracts)
    assert (fill.amount, fill.price) == (D(-300_000), D("0.000012"))
    order = only(push("order", [order_row(symbol="1000PEPEUSDT", qty="300", price="0.012")]), contracts)
    assert (order.amount, order.price) == (D(-300_000), D("0.000012"))


@pytest.mark.parametrize(
    ("asset", "held"),
    [
        ("1000PEPE", ("PEPE", 1000)),
        ("10000LADYS", ("LADYS", 10_000)),
        ("1000000MOG", ("MOG", 1_000_000)),
        ("SHIB1000", ("SHIB", 1000)),
        ("BTC", ("BTC", 1)),
        ("1INCH", ("1INCH", 1)),
        ("C98", ("C98", 1)),
    ],
)
def test_bundles_are_read_from_the_name(asset: str, held: tuple[str, int]) -> None:
    """A power of ten before or behind the name is a bundle; other digits are part of the name."""
    assert unbundled(asset) == (held[0], D(held[1]))


# ------------------------------------------------------------------ answers


def test_contracts_are_linear_perpetuals() -> None:
    """Ticks, lots and minimums in base units; futures and other settlements are left out."""
    rows = [
        instrument("ETHUSDT", "ETH"),
        instrument("1000PEPEUSDT", "1000PEPE", status="PreLaunch"),
        instrument("ETHUSDT-26DEC25", "ETH", contractType="LinearFutures"),
    ]
    found = bodies.instruments(rows, "bybit")
    assert [each.ticker for each in found] == ["ETHUSDT", "1000PEPEUSDT"]
    assert found[0] == Contract(
        venue="bybit",
        ticker="ETHUSDT",
        base="ETH",
        quote="USDT",
        tick_size=D("0.01"),
        lot_size=D("0.01"),
        min_quantity=D("0.01"),
        min_notional=D(5),
        max_quantity=D(7240),
        market_max_quantity=D(724),
    )
    assert (found[1].base, found[1].multiplier, found[1].lot_size) == ("PEPE", D(1000), D(10))
    assert (found[1].tick_size, found[1].trading) == (D("0.00001"), False)


def test_an_acknowledgement_is_no_state(contracts: Contracts) -> None:
    """A reply of the order entry socket says that a request was accepted: an Ack with its id, no order state."""
    reply = {"reqId": "place-1", "retCode": 0, "retMsg": "OK", "op": "order.create", "data": {"orderId": OID}}
    assert only(reply, contracts) == Ack(venue="bybit", request_id="place-1")


@pytest.mark.parametrize(
    ("code", "reason", "definite"),
    [
        (10001, RejectReason.BAD_REQUEST, True),
        (10002, RejectReason.CLOCK, True),
        (10004, RejectReason.CREDENTIALS, True),
        (10016, RejectReason.OTHER, False),
        (10000, RejectReason.OTHER, False),
        (110001, RejectReason.UNKNOWN_ORDER, True),
        (110007, RejectReason.MARGIN, True),
        (110017, RejectReason.REDUCE_ONLY, True),
        (110072, RejectReason.DUPLICATE_CLOID, False),
        (110_999, RejectReason.OTHER, True),
        (999_999, RejectReason.OTHER, False),
    ],
)
def test_refusals_have_a_reason(contracts: Contracts, code: int, reason: RejectReason, *, definite: bool) -> None:
    """Each code means the same on the socket and over HTTP; not all of them prove anything."""
    over_http = only(answer({}, code, "no"), contracts)
    assert (over_http.reason, over_http.definite, over_http.code) == (reason, definite, str(code))
    reply = {"reqId": "r", "retCode": code, "retMsg": "no", "op": "order.create", "data": {}}
    assert (only(reply, contracts).reason, only(reply, contracts).definite) == (reason, definite)


def test_a_throttled_reply_names_its_wait(contracts: Contracts) -> None:
    """The seconds are the reset of the limit less the venue's present time."""
    header = {"X-Bapi-Limit-Reset-Timestamp": "1700000000750", "Timenow": "1700000000250"}
    reply = {"reqId": "r", "retCode": 10006, "retMsg": "Too many visits!", "op": "order.create", "header": header}
    assert only(reply, contracts).retry_after_s == 0.5


def test_batches_are_read_item_by_item(contracts: Contracts) -> None:
    """The outer code of a batch is 0 even where items failed: each item's own code counts, by its place."""
    result = {"list": [{"orderId": OID, "orderLinkId": "a"}, {"orderId": "", "orderLinkId": "b"}]}
    ended = {"list": [{"code": 0, "msg": "OK"}, {"code": 110007, "msg": "ab not enough"}]}
    first, second = decode(answer(result, retExtInfo=ended), contracts)
    assert isinstance(first, Ack)
    assert isinstance(second, Reject)
    assert (second.cloid, second.reason) == ("b", RejectReason.MARGIN)


def test_replies_on_streams(contracts: Contracts) -> None:
    """Logins and subscriptions are acknowledged or refused; heartbeats of either kind say nothing."""
    assert only({"success": True, "ret_msg": "", "op": "auth", "req_id": "auth"}, contracts).request_id == "auth"
    assert only({"success": True, "ret_msg": "", "op": "auth"}, contracts).request_id == "auth"
    refused = only({"success": False, "ret_msg": "bad sign", "op": "auth", "req_id": "auth"}, contracts)
    assert (refused.reason, refused.text) == (RejectReason.CREDENTIALS, "bad sign")
    assert decode({"success": True, "ret_msg": "pong", "op": "ping"}, contracts) == []
    assert decode({"op": "pong", "args": ["1700000000000"], "conn_id": "c"}, contracts) == []
    assert decode({"retCode": 0, "retMsg": "OK", "op": "pong", "data": ["1"], "connId": "c"}, contracts) == []


def test_pages_hand_their_category_down(contracts: Contracts) -> None:
    """A page says of which product its rows are; rows of another one give nothing."""
    row = {name: value for name, value in order_row().items() if name != "category"}
    assert len(decode(page([row]), contracts)) == 1
    assert decode(page([row], category="inverse"), contracts) == []


def test_the_query_of_a_book(contracts: Contracts) -> None:
    """A queried book is a snapshot with its number and time."""
    body = answer({"s": "ETHUSDT", "b": [["2500", "1"]], "a": [], "ts": 1_700_000_000_000, "u": 9, "seq": 10})
    event = bodies.book(body, contracts)
    assert isinstance(event, BookUpdate)
    assert (event.snapshot, event.last_seq, event.asks) == (True, 9, ())


# ------------------------------------------------------------------ malformed


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (push("order", [{"symbol": "ETHUSDT"}]), "data[0].orderId"),
        (push("order", {}), "data"),
        (push("order", [order_row(side="Up")]), "side"),
        (push("order", [order_row(qty="NaN")]), "qty"),
        (push("order", [order_row(cumExecQty="-1")]), "cumExecQty"),
        (push("execution", [execution_row(execQty="")]), "execQty"),
        (push("execution", [execution_row(execTime="soon")]), "execTime"),
        (push("position", [position_row(positionIdx=7)]), "positionIdx"),
        (push("wallet", [{"coin": [{"walletBalance": "1"}]}]), "data[0].coin[0].coin"),
        (public("orderbook.50.ETHUSDT", {"GG": "test"}), "data.s"),
        (book(3, bids=[("1", "-1")]), "b"),
        ({"retCode": "x"}, "retCode"),
        (answer({"list": [order_row(qty="1e999999")]}), "qty"),
    ],
)
def test_a_malformed_message_names_its_field(contracts: Contracts, message: Any, field: str) -> None:
    """Whatever is wrong, the error is a DecodeError with the field, from bytes as from the parsed value."""
    for raw in (json.dumps(message).encode(), message):
        with pytest.raises(DecodeError) as raised:
            decode(raw, contracts)
        assert raised.value.field == field


def test_unknown_topics_are_named_for_counting(contracts: Contracts) -> None:
    """A topic of tomorrow gives no events and can be counted by name."""
    raw = json.dumps(push("lunar.ETHUSDT", [])).encode()
    assert decode(raw, contracts) == []
    assert topic_of(raw) == "lunar"
