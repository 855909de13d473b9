"""Messages of the v5 documentation into standard events: units, signs, statuses, and what each trap must not do."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.okx.decode import decode, kind_of
from gateways.okx.instruments import instruments
from gateways.standards import (
    Ack,
    BookUpdate,
    Contract,
    FillEvent,
    MarkUpdate,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    QuoteUpdate,
    Reject,
    RejectReason,
    StreamEnd,
    TimeInForce,
)
from oms.positions import PositionsPage
from tests.gateways.okx.messages import CLOID, ETH, book_row, filled, instrument, order, orders_push, push, trade_row

D = Decimal


def raw(message: Any) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def told(message: Any, contracts: Contracts) -> list[Any]:
    """The events of a message, the same the quick and the slow way."""
    events = decode(raw(message), contracts)
    assert decode(message, contracts) == events
    return events


def one(message: Any, contracts: Contracts) -> Any:
    [event] = told(message, contracts)
    return event


# ------------------------------------------------------------------ orders


def test_an_order_and_its_execution_in_base_units(contracts: Contracts) -> None:
    """Contracts become base units, signed by side; the fee is this execution's, positive where the venue takes it."""
    update, fill = told(orders_push(filled()), contracts)
    assert update == OrderUpdate(
        venue="okx",
        ticker=ETH,
        oid="312269865356374016",
        cloid=CLOID,
        status=OrderStatus.PARTIAL,
        amount=D("-2.0"),
        price=D(2500),
        filled=D("-0.5"),
        average_price=D(2500),
        kind=OrderKind.LIMIT,
        tif=TimeInForce.GTC,
        post_only=False,
        reduce_only=False,
        label="partially_filled",
        ts_venue_ns=1_700_000_000_123_000_000,
    )
    assert fill == FillEvent(
        venue="okx",
        ticker=ETH,
        oid="312269865356374016",
        trade_id="242589207",
        amount=D("-0.5"),
        price=D(2500),
        cloid=CLOID,
        fee=D("0.25"),
        fee_asset="USDT",
        is_maker=True,
        ts_venue_ns=1_700_000_000_111_000_000,
    )


def test_contract_multipliers_count_in_sizes_not_in_prices(contracts: Contracts) -> None:
    """One contract of a million times ten: amounts grow, the price for one base unit stays."""
    update, fill = told(orders_push(filled(instId="PEPE-USDT-SWAP", px="0.00001", fillPx="0.00001")), contracts)
    assert (update.amount, update.price) == (D(-200_000_000), D("0.00001"))
    assert (fill.amount, fill.price) == (D(-50_000_000), D("0.00001"))


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("live", OrderStatus.NEW),
        ("partially_filled", OrderStatus.PARTIAL),
        ("filled", OrderStatus.FILLED),
        ("canceled", OrderStatus.CANCELLED),
        ("mmp_canceled", OrderStatus.CANCELLED),
        ("dreaming", None),
    ],
)
def test_states(contracts: Contracts, state: str, status: OrderStatus | None) -> None:
    """Each documented state has its status; a new one leaves the status open and what is filled standing."""
    update = one(orders_push(order(state=state, accFillSz="5")), contracts)
    assert (update.status, update.filled) == (status, D("-0.5"))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("31", RejectReason.POST_ONLY),
        ("13", RejectReason.NO_LIQUIDITY),
        ("14", RejectReason.NO_LIQUIDITY),
        ("1", None),
        ("", None),
        ("99", None),
    ],
)
def test_why_an_order_was_cancelled(contracts: Contracts, source: str, reason: RejectReason | None) -> None:
    """The venue has no state for what a post-only or immediate order ends by: the source of the cancel says it."""
    assert one(orders_push(order(state="canceled", cancelSource=source)), contracts).reason == reason


@pytest.mark.parametrize(
    ("word", "kind", "tif", "post_only"),
    [
        ("limit", OrderKind.LIMIT, TimeInForce.GTC, False),
        ("post_only", OrderKind.LIMIT, TimeInForce.GTC, True),
        ("ioc", OrderKind.LIMIT, TimeInForce.IOC, False),
        ("fok", OrderKind.LIMIT, TimeInForce.FOK, False),
        ("market", OrderKind.MARKET, None, False),
        ("optimal_limit_ioc", None, TimeInForce.IOC, False),
        # Retail price improvement, and its former name: passive orders ("OKX Retail Price Improvement Program").
        ("rpi", OrderKind.LIMIT, TimeInForce.GTC, True),
        ("elp", OrderKind.LIMIT, TimeInForce.GTC, True),
        ("mmp_and_post_only", None, None, True),
    ],
)
def test_kinds(
    contracts: Contracts, word: str, kind: OrderKind | None, tif: TimeInForce | None, post_only: bool
) -> None:
    """Kind, time in force and post-only are one word of the venue's."""
    update = one(orders_push(order(ordType=word)), contracts)
    assert (update.kind, update.tif, update.post_only) == (kind, tif, post_only)


def test_a_final_push_without_an_execution_is_no_fill(contracts: Contracts) -> None:
    """``filled`` may come again with nothing of its own: the order alone, not its last fill once more."""
    message = orders_push(filled(state="filled", accFillSz="20", fillSz="0", fillPx="", tradeId="", fillFee="0"))
    assert one(message, contracts).filled == D("-2.0")


def test_the_fee_of_an_execution_is_never_the_orders(contracts: Contracts) -> None:
    """``fee`` is of the whole order: where ``fillFee`` is not said, the fee of the fill is not known."""
    _, fill = told(orders_push(filled(fillFee="", fee="-9.99", feeCcy="USDT")), contracts)
    assert (fill.fee, fill.fee_asset) == (None, "")
    _, rebate = told(orders_push(filled(fillFee="0.1")), contracts)
    assert rebate.fee == D("-0.1")


@pytest.mark.parametrize("category", ["adl", "full_liquidation", "partial_liquidation", "delivery"])
def test_orders_that_the_venue_made_are_forced(contracts: Contracts, category: str) -> None:
    """Liquidation, deleveraging and delivery are the venue's, and carry no cloid."""
    update, fill = told(orders_push(filled(category=category, clOrdId="")), contracts)
    assert (update.forced, fill.forced, update.cloid, fill.cloid) == (True, True, None, None)


def test_how_an_amend_ended(contracts: Contracts) -> None:
    """The push of an amend tells its request id: taken, or refused with the venue's code, the order as it stands."""
    update, ack = told(orders_push(order(amendResult="0", reqId="amend1")), contracts)
    assert (update.label, ack) == ("AMENDMENT", Ack(venue="okx", request_id="amend1"))
    update, reject = told(orders_push(order(amendResult="-1", reqId="amend2", code="51503", msg="gone")), contracts)
    assert (update.status, update.label) == (OrderStatus.NEW, "live")
    assert isinstance(reject, Reject)
    assert (reject.request_id, reject.reason, reject.cloid) == ("amend2", RejectReason.UNKNOWN_ORDER, None)


def test_several_orders_in_one_push(contracts: Contracts) -> None:
    """Each row gives its events, in the order of the rows."""
    events = told(orders_push(filled(), order(ordId="2", side="buy")), contracts)
    assert [type(event).__name__ for event in events] == ["OrderUpdate", "FillEvent", "OrderUpdate"]
    assert events[2].amount == D("2.0")


def test_contracts_whose_size_cannot_be_told_give_nothing(contracts: Contracts) -> None:
    """An inverse or dated contract, or one listed since: no event rather than one in wrong units."""
    for name in ("BTC-USD-SWAP", "ETH-USDT-240628", "NEW-USDT-SWAP"):
        assert told(orders_push(filled(instId=name)), contracts) == []
        assert told(push("positions", {"instId": name, "pos": "1", "posSide": "net"}), contracts) == []
        assert told({"code": "0", "msg": "", "data": [trade_row(instId=name)]}, contracts) == []
        book = {"arg": {"channel": "books", "instId": name}, "action": "snapshot", "data": [book_row(1, -1)]}
        assert told(book, contracts) == []


# ------------------------------------------------------------------ positions, fills, money


@pytest.mark.parametrize(
    ("pos", "side", "amount"),
    [("20", "net", "2.0"), ("-20", "net", "-2.0"), ("20", "long", "2.0"), ("20", "short", "-2.0"), ("0", "short", "0")],
)
def test_positions_are_signed(contracts: Contracts, pos: str, side: str, amount: str) -> None:
    """Net positions carry their sign; a short kept apart comes without, and gets one here."""
    update = one(push("positions", {"instId": ETH, "pos": pos, "posSide": side, "avgPx": "", "upl": ""}), contracts)
    assert isinstance(update, PositionUpdate)
    assert (update.amount, update.side, update.entry_price, update.unrealised) == (D(amount), side, None, None)


def test_isolated_positions_stand_beside_the_cross_one(contracts: Contracts) -> None:
    """One contract held in both margin modes is two positions ("Get positions"): the word of one is not the other's."""
    held = {"instId": ETH, "posSide": "net"}
    rows = [{**held, "pos": "20", "mgnMode": "cross"}, {**held, "pos": "-5", "mgnMode": "isolated"}]
    cross, isolated = told(push("positions", *rows), contracts)
    assert isinstance(cross, PositionUpdate)
    assert isinstance(isolated, PositionUpdate)
    assert [(each.side, each.amount) for each in (cross, isolated)] == [("net", D("2.0")), ("isolated", D("-0.5"))]
    positions = PositionsPage()
    positions.snapshot("okx", [cross, isolated])
    assert positions.get("okx", ETH) == D("1.5")
    positions.upsert(msgspec.structs.replace(isolated, amount=D(0)))
    assert positions.get("okx", ETH) == D("2.0"), "closing the one leaves the other"


def test_past_executions(contracts: Contracts) -> None:
    """A row of the list is a fill of the past in base units; a bill of a liquidation is forced."""
    fill = one({"code": "0", "msg": "", "data": [trade_row(7)]}, contracts)
    assert (fill.amount, fill.fee, fill.snapshot, fill.is_maker, fill.forced) == (
        D("-0.5"),
        D("0.25"),
        True,
        False,
        False,
    )
    assert fill.ts_venue_ns == 1_700_000_000_007_000_000
    assert one({"code": "0", "msg": "", "data": [trade_row(subType="104", clOrdId="")]}, contracts).forced


# ------------------------------------------------------------------ market data


def test_books_chain_by_their_numbers(contracts: Contracts) -> None:
    """A snapshot follows nothing; an update names what it follows, a heartbeat itself; sizes are in base units."""
    snapshot = one(push("books", book_row(10, -1), action="snapshot"), contracts)
    assert (snapshot.snapshot, snapshot.last_seq, snapshot.prev_seq) == (True, 10, None)
    assert snapshot.bids == ((D(2500), D("1.0")),)
    update = one(push("books", book_row(12, 10, asks=[["2501", "0", "0", "0"]], bids=[]), action="update"), contracts)
    assert (update.snapshot, update.last_seq, update.prev_seq) == (False, 12, 10)
    assert update.asks == ((D(2501), D("0.0")),)
    heartbeat = one(push("books", book_row(12, 12, asks=[], bids=[]), action="update"), contracts)
    assert (heartbeat.last_seq, heartbeat.prev_seq, heartbeat.bids) == (12, 12, ())


def test_books_of_five_levels_are_whole_each_time(contracts: Contracts) -> None:
    """They name no action: a snapshot, never a change."""
    row = {key: value for key, value in book_row(10, 9).items() if key not in {"prevSeqId", "checksum"}}
    update = one(push("books5", row), contracts)
    assert isinstance(update, BookUpdate)
    assert update.snapshot


def test_quotes(contracts: Contracts) -> None:
    """Best bid and ask of either channel; an empty side is none."""
    quote = one(push("bbo-tbt", book_row(10, 9, bids=[])), contracts)
    assert isinstance(quote, QuoteUpdate)
    assert (quote.bid, quote.ask, quote.seq) == (None, (D(2501), D("3.0")), 10)
    ticker = {"instId": ETH, "askPx": "", "askSz": "", "bidPx": "2500", "bidSz": "4", "ts": "1"}
    quote = one(push("tickers", ticker), contracts)
    assert (quote.bid, quote.ask) == ((D(2500), D("0.4")), None)


def test_marks(contracts: Contracts) -> None:
    """The mark price comes alone."""
    update = one(push("mark-price", {"instId": ETH, "instType": "SWAP", "markPx": "2500.1", "ts": "5"}), contracts)
    assert update == MarkUpdate(venue="okx", ticker=ETH, mark=D("2500.1"), ts_venue_ns=5_000_000)


def test_contracts_are_published_in_base_units(contracts: Contracts) -> None:
    """Lot, minimum and limits are converted at the door; the code for the websocket is kept; inverse ones are not."""
    row = instrument(ctMult="10", lotSz="0.1", minSz="0.2", state="suspend")
    found = one({"arg": {"channel": "instruments", "instType": "SWAP"}, "data": [row]}, contracts)
    assert found == Contract(
        venue="okx",
        ticker=ETH,
        base="ETH",
        quote="USDT",
        tick_size=D("0.01"),
        lot_size=D("0.1"),
        min_quantity=D("0.2"),
        min_notional=D(0),
        max_quantity=D(100_000_000),
        market_max_quantity=D(12_000),
        multiplier=D(1),
        venue_id="10461",
        trading=False,
    )
    for other in (
        instrument("ETH-USD-SWAP", ctType="inverse", ctValCcy="USD", settleCcy="ETH"),
        instrument("ETH-USDT-240628", instType="FUTURES"),
        instrument(ctVal=""),
        instrument(ctValCcy="USD"),
    ):
        assert told({"code": "0", "msg": "", "data": [other]}, contracts) == []


# ------------------------------------------------------------------ answers and the rest


def test_item_codes_decide_not_the_outer_one(contracts: Contracts) -> None:
    """A batch that failed in part is taken in part: an Ack, and a Reject for each item that was refused."""
    message = {
        "id": "7",
        "op": "batch-orders",
        "code": "2",
        "msg": "",
        "data": [
            {"ordId": "1", "clOrdId": "a", "sCode": "0", "sMsg": ""},
            {"ordId": "", "clOrdId": "b", "sCode": "51008", "sMsg": "Insufficient margin"},
        ],
    }
    ack, reject = told(message, contracts)
    assert ack == Ack(venue="okx", request_id="7")
    assert reject == Reject(
        venue="okx",
        code="51008",
        text="Insufficient margin",
        reason=RejectReason.MARGIN,
        request_id="7",
        cloid="b",
    )


@pytest.mark.parametrize(("code", "definite"), [("50004", False), ("50026", False), ("51000", True), ("50011", True)])
def test_what_a_refusal_proves(contracts: Contracts, code: str, definite: bool) -> None:
    """A timeout or a system error leaves the outcome open, a named refusal does not."""
    assert one({"code": code, "msg": "x", "data": []}, contracts).definite is definite


def test_events_of_the_connection(contracts: Contracts) -> None:
    """Login and subscriptions are acknowledged, errors refuse, the notice of an upgrade ends the stream."""
    assert one({"event": "login", "code": "0", "msg": "", "connId": "a"}, contracts) == Ack(venue="okx")
    assert one({"event": "subscribe", "arg": {"channel": "orders"}, "connId": "a"}, contracts) == Ack(venue="okx")
    refused = one({"event": "error", "code": "60024", "msg": "Wrong passphrase", "connId": "a"}, contracts)
    assert refused.reason is RejectReason.CREDENTIALS
    assert isinstance(one({"event": "notice", "code": "64008", "msg": "closing", "connId": "a"}, contracts), StreamEnd)
    assert decode(b"pong", contracts) == decode("pong", contracts) == []


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (b"{", "json"),
        (b'{"arg":7}', "arg"),
        (raw({"arg": {"channel": "orders"}}), "data"),
        (raw(orders_push(order(side="hold"))), "side"),
        (raw(orders_push(order(sz=""))), "sz"),
        (raw(orders_push(order(accFillSz="NaN"))), "accFillSz"),
        (raw(orders_push(order(uTime="soon"))), "uTime"),
        (raw(orders_push({**order(), "ordId": 7})), "data[0].ordId"),
        (raw(orders_push({key: value for key, value in order().items() if key != "sz"})), "data[0].sz"),
        (raw(push("positions", {"instId": ETH, "pos": "1", "posSide": "up"})), "posSide"),
        (raw(push("books", book_row(1, -1, bids=[["1", "-1", "0", "0"]]), action="snapshot")), "bids"),
        (raw(push("books", book_row(1, -1, bids=[["1"]]), action="snapshot")), "data[0].bids[0]"),
        (raw(push("account", {"details": [{"ccy": "USDT"}]})), "data[0].details[0].cashBal"),
        (raw({"code": "0", "msg": "", "data": [trade_row(fillPx="")]}), "fillPx"),
        (raw({"id": "1", "op": "order", "code": "x"}), "code"),
    ],
)
def test_malformed_messages_name_their_field(contracts: Contracts, message: bytes, field: str) -> None:
    """What does not have its documented form is told by venue and field, never by a bare error."""
    with pytest.raises(DecodeError) as raised:
        decode(message, contracts)
    assert (raised.value.venue, raised.value.field) == ("okx", field)


def test_kinds_of_what_gave_nothing() -> None:
    """Messages without events are counted by what they call themselves."""
    assert kind_of(b"pong") == "pong"
    assert kind_of(raw({"event": "channel-conn-count", "channel": "orders"})) == "channel-conn-count"
    assert kind_of(raw(push("new-channel"))) == "new-channel"
    assert kind_of(raw({"b": 1, "a": 2})) == "a b"
    assert kind_of(b"?") == "not JSON"


@given(
    contracts=st.decimals(min_value="0.01", max_value="1e9", places=2),
    share=st.decimals(min_value="0.01", max_value="1", places=2),
    buying=st.booleans(),
)
def test_sizes_keep_their_value(contracts: Decimal, share: Decimal, buying: bool) -> None:
    """However large, a size is contracts times the contract's size, exactly, with the side's sign."""
    filled_ = (contracts * share).quantize(D("0.01"))
    listed = Contracts("okx", instruments([instrument()], "okx"))
    row = filled(sz=str(contracts), accFillSz=str(filled_), fillSz=str(filled_), side="buy" if buying else "sell")
    events = decode(orders_push(row), listed)
    sign = 1 if buying else -1
    update = events[0]
    assert isinstance(update, OrderUpdate)
    assert update.amount == sign * contracts * D("0.1")
    assert update.filled == sign * filled_ * D("0.1")
    assert all(each.amount == update.filled for each in events if isinstance(each, FillEvent))
