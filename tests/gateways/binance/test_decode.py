"""Messages written after the documentation, and what they must mean."""

import json
from decimal import Decimal
from typing import Any

import pytest

from gateways.binance.decode import IGNORED, decode, kind_of
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
    StreamEnd,
    TimeInForce,
    TradeEvent,
)
from tests.gateways.binance.messages import (
    CLOID,
    EXCHANGE_INFO,
    exchange_symbol,
    execution,
    order_update,
    rest_order,
    user_trade,
)

D = Decimal


def wire(message: object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def test_new_order(contracts: Contracts) -> None:
    """A resting sell: negative amount, nothing filled (and no minus on the zero), our id as it was sent."""
    [update] = decode(wire(order_update()), contracts)
    assert update == OrderUpdate(
        venue="binance",
        ticker="ETHUSDT",
        oid="8886774",
        cloid=CLOID,
        status=OrderStatus.NEW,
        amount=D("-2.000"),
        price=D("2500.00"),
        filled=D(0),
        average_price=None,
        kind=OrderKind.LIMIT,
        tif=TimeInForce.GTC,
        post_only=False,
        reduce_only=False,
        label="NEW",
        ts_venue_ns=1568879465650_000_000,
    )
    assert str(update.filled) == "0"


def test_execution_gives_the_order_and_the_fill(contracts: Contracts) -> None:
    """An execution tells the cumulative size of the order, and the one fill with its price, fee and liquidity."""
    update, fill = decode(wire(execution()), contracts)
    assert isinstance(update, OrderUpdate)
    assert (update.status, update.filled, update.average_price) == (OrderStatus.PARTIAL, D("-1.000"), D("2500.10"))
    assert update.label == "TRADE"
    assert fill == FillEvent(
        venue="binance",
        ticker="ETHUSDT",
        oid="8886774",
        trade_id="777",
        amount=D("-1.000"),
        price=D("2500.10"),
        cloid=CLOID,
        fee=D("0.50002"),
        fee_asset="USDT",
        is_maker=True,
        ts_venue_ns=1568879465650_000_000,
    )


def test_an_empty_client_id_is_none(contracts: Contracts) -> None:
    """Orders of others without an id are not one order under the empty name."""
    events = [*decode(wire(execution(c="")), contracts), *decode(wire(rest_order(clientOrderId="")), contracts)]
    assert [event.cloid for event in events if isinstance(event, OrderUpdate | FillEvent)] == [None, None, None]


def test_retail_price_improvement_is_post_only(contracts: Contracts) -> None:
    """``RPI`` orders are passive limit orders ("Retail Price Improvement (RPI) Orders"): post-only, as GTX is."""
    [update] = decode(wire(order_update(f="RPI")), contracts)
    assert isinstance(update, OrderUpdate)
    assert (update.kind, update.tif, update.post_only) == (OrderKind.LIMIT, TimeInForce.GTC, True)


def test_trade_lite_gives_a_fill_without_state(contracts: Contracts) -> None:
    """The early execution has trade id, size and price; no fee, no cumulative size, no status."""
    lite = {
        "e": "TRADE_LITE",
        "E": 1721895408092,
        "T": 1721895408214,
        "s": "ETHUSDT",
        "q": "2.000",
        "p": "0.00",
        "m": False,
        "c": CLOID,
        "S": "BUY",
        "L": "2500.10",
        "l": "1.000",
        "t": 777,
        "i": 8886774,
    }
    [fill] = decode(wire(lite), contracts)
    assert isinstance(fill, FillEvent)
    assert (fill.trade_id, fill.oid, fill.amount, fill.price) == ("777", "8886774", D("1.000"), D("2500.10"))
    assert fill.fee is None
    assert fill.is_maker is False


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("NEW", OrderStatus.NEW),
        ("PARTIALLY_FILLED", OrderStatus.PARTIAL),
        ("FILLED", OrderStatus.FILLED),
        ("CANCELED", OrderStatus.CANCELLED),
        ("EXPIRED", OrderStatus.EXPIRED),
        ("EXPIRED_IN_MATCH", OrderStatus.EXPIRED),
        ("REJECTED", OrderStatus.REJECTED),
        ("A_WORD_OF_TOMORROW", None),
    ],
)
def test_statuses(word: str, status: OrderStatus | None, contracts: Contracts) -> None:
    """Every documented status has its place; an unknown one is None, so that what is filled still counts."""
    [update] = decode(wire(order_update(X=word, x="EXPIRED", z="0.5")), contracts)
    assert isinstance(update, OrderUpdate)
    assert update.status is status
    assert update.filled == D("-0.5")


def test_post_only_that_would_have_crossed(contracts: Contracts) -> None:
    """A GTX order that expires was refused for being post-only."""
    [update] = decode(wire(order_update(x="EXPIRED", X="EXPIRED", f="GTX")), contracts)
    assert isinstance(update, OrderUpdate)
    assert (update.post_only, update.tif, update.reason) == (True, TimeInForce.GTC, RejectReason.POST_ONLY)


def test_self_trade_prevention_is_told_by_its_label(contracts: Contracts) -> None:
    """An order ended against our own order says so."""
    [update] = decode(wire(order_update(x="EXPIRED", X="EXPIRED_IN_MATCH")), contracts)
    assert isinstance(update, OrderUpdate)
    assert (update.label, update.reason) == ("EXPIRED_IN_MATCH", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"c": "autoclose-1568879465651"},
        {"c": "adl_autoclose"},
        {"c": "settlement_autoclose-20251230"},
        {"c": "delivery_autoclose-1"},
        {"x": "CALCULATED", "X": "NEW_INSURANCE"},
        {"x": "CALCULATED", "X": "NEW_ADL"},
        {"o": "LIQUIDATION"},
    ],
)
def test_venue_made_orders_are_forced(changes: dict[str, str], contracts: Contracts) -> None:
    """Liquidation, deleveraging, settlement and delivery are marked on the order and on its fill."""
    events = decode(wire(execution(**changes)), contracts)
    assert [type(event) for event in events] == [OrderUpdate, FillEvent]
    assert all(event.forced for event in events if isinstance(event, OrderUpdate | FillEvent))


def test_a_calculated_order_is_filled_when_it_is_whole(contracts: Contracts) -> None:
    """NEW_ADL is no news of a new order: what counts is how much of it is filled."""
    events = decode(wire(execution(x="CALCULATED", X="NEW_ADL", z="2.000", l="2.000")), contracts)
    assert isinstance(events[0], OrderUpdate)
    assert events[0].status is OrderStatus.FILLED


def test_null_and_absent_fees(contracts: Contracts) -> None:
    """A fee that is null or absent is not zero."""
    null = execution(n=None, N=None, V=None, AP=None)
    absent = execution()
    del absent["o"]["n"], absent["o"]["N"]
    for message in (null, absent):
        fill = decode(wire(message), contracts)[1]
        assert isinstance(fill, FillEvent)
        assert (fill.fee, fill.fee_asset) == (None, "")


def test_unknown_fields_are_ignored(contracts: Contracts) -> None:
    """The venue adds fields now and then."""
    assert decode(wire(order_update(er="0", ia=[1, {"x": None}])), contracts) == decode(wire(order_update()), contracts)


def test_bundles_are_base_units(contracts: Contracts) -> None:
    """1000PEPE is a thousand PEPE: sizes times, prices over a thousand, fees as they are."""
    message = execution(s="1000PEPEUSDT", S="BUY", q="10", l="4", z="4", p="0.0123450", L="0.0123000", ap="0.0123000")
    update, fill = decode(wire(message), contracts)
    assert isinstance(update, OrderUpdate)
    assert isinstance(fill, FillEvent)
    assert (update.amount, update.filled, update.price) == (D(10_000), D(4_000), D("0.000012345"))
    assert (fill.amount, fill.price, fill.fee) == (D(4_000), D("0.0000123"), D("0.50002"))


def test_account_update(contracts: Contracts) -> None:
    """Balances and positions that changed; a short is negative; in hedge mode the side is kept."""
    message = {
        "e": "ACCOUNT_UPDATE",
        "E": 1564745798939,
        "T": 1564745798938,
        "a": {
            "m": "ORDER",
            "B": [{"a": "USDT", "wb": "122624.12345678", "cw": "100.12345678", "bc": "50.12345678"}],
            "P": [
                {"s": "ETHUSDT", "pa": "-10", "ep": "2500.5", "cr": "200", "up": "-1.5", "mt": "cross", "ps": "BOTH"},
                {"s": "ETHUSDT", "pa": "20", "ep": "2400", "cr": "0", "up": "2", "mt": "cross", "ps": "LONG"},
            ],
        },
    }
    money, short, long = decode(wire(message), contracts)
    ts = 1564745798938_000_000
    assert money == BalanceUpdate(venue="binance", asset="USDT", total=D("122624.12345678"), ts_venue_ns=ts)
    assert short == PositionUpdate(
        venue="binance",
        ticker="ETHUSDT",
        amount=D(-10),
        entry_price=D("2500.5"),
        unrealised=D("-1.5"),
        ts_venue_ns=ts,
    )
    assert isinstance(long, PositionUpdate)
    assert (long.side, long.amount) == ("long", D(20))


def test_public_data(contracts: Contracts) -> None:
    """Quote, depth, trade and mark, wrapped by a combined stream as they come."""

    def wrapped(stream: str, data: dict[str, Any]) -> bytes:
        return wire({"stream": stream, "data": data})

    quote = {
        "e": "bookTicker",
        "u": 4,
        "s": "ETHUSDT",
        "b": "2500.1",
        "B": "3",
        "a": "2500.2",
        "A": "1",
        "T": 7,
        "E": 8,
    }
    assert decode(wrapped("ethusdt@bookTicker", quote), contracts) == [
        QuoteUpdate(
            venue="binance",
            ticker="ETHUSDT",
            bid=Level(D("2500.1"), D(3)),
            ask=Level(D("2500.2"), D(1)),
            seq=4,
            ts_venue_ns=7_000_000,
        )
    ]
    depth = {
        "e": "depthUpdate",
        "E": 8,
        "T": 7,
        "s": "ETHUSDT",
        "U": 157,
        "u": 160,
        "pu": 149,
        "b": [["2500.1", "10"]],
        "a": [["2500.2", "0"]],
    }
    [book] = decode(wrapped("ethusdt@depth@100ms", depth), contracts)
    assert isinstance(book, BookUpdate)
    assert (book.first_seq, book.last_seq, book.prev_seq, book.snapshot) == (157, 160, 149, False)
    assert book.asks == (Level(D("2500.2"), D(0)),)
    [partial] = decode(wrapped("ethusdt@depth5@100ms", depth), contracts)
    assert isinstance(partial, BookUpdate)
    assert partial.snapshot, "a partial book stream sends the whole of its levels each time"
    trade = {
        "e": "aggTrade",
        "E": 8,
        "s": "ETHUSDT",
        "a": 9,
        "p": "2500.1",
        "q": "3",
        "f": 1,
        "l": 2,
        "T": 7,
        "m": True,
    }
    [sold] = decode(wrapped("ethusdt@aggTrade", trade), contracts)
    assert isinstance(sold, TradeEvent)
    assert sold.amount == D(-3), "where the buyer was the maker, the aggressor sold"
    mark = {
        "e": "markPriceUpdate",
        "E": 8,
        "s": "ETHUSDT",
        "p": "2500",
        "i": "2501",
        "P": "2502",
        "r": "0.0001",
        "T": 9,
    }
    assert decode(wrapped("ethusdt@markPrice@1s", mark), contracts) == [
        MarkUpdate(
            venue="binance",
            ticker="ETHUSDT",
            mark=D(2500),
            index=D(2501),
            funding_rate=D("0.0001"),
            next_funding_ns=9_000_000,
            ts_venue_ns=8_000_000,
        )
    ]


def test_empty_side_of_a_quote_is_none(contracts: Contracts) -> None:
    """Price 0 is no price."""
    quote = {"e": "bookTicker", "u": 4, "s": "ETHUSDT", "b": "0", "B": "0", "a": "2500.2", "A": "1", "T": 7, "E": 8}
    [update] = decode(wire(quote), contracts)
    assert isinstance(update, QuoteUpdate)
    assert update.bid is None


def test_listen_key_expired_ends_the_stream(contracts: Contracts) -> None:
    """After it the stream says nothing more."""
    message = {"e": "listenKeyExpired", "E": 1699596037418, "listenKey": "OfYGbUzi3PraNagEkdKuFwUHn48brFsItTdsuiIX"}
    assert decode(wire(message), contracts) == [StreamEnd(venue="binance", reason="listenKeyExpired")]


def test_websocket_api_reply(contracts: Contracts) -> None:
    """A reply is an acknowledgement with its request's id, and what it says of the order."""
    reply = {
        "id": "place-1",
        "status": 200,
        "result": rest_order(status="FILLED", executedQty="2.000"),
        "rateLimits": [],
    }
    ack, update = decode(wire(reply), contracts)
    assert ack == Ack(venue="binance", request_id="place-1")
    assert isinstance(update, OrderUpdate)
    assert (update.status, update.filled) == (OrderStatus.FILLED, D("-2.000"))


def test_websocket_api_refusal(contracts: Contracts) -> None:
    """A refusal has the code, its normalized reason, the request's id, and how long to wait where it says."""
    reply = {
        "id": "place-1",
        "status": 429,
        "error": {"code": -1003, "msg": "Too many requests", "data": {"serverTime": 1000, "retryAfter": 3500}},
    }
    [reject] = decode(wire(reply), contracts)
    assert reject == Reject(
        venue="binance",
        code="-1003",
        text="Too many requests",
        reason=RejectReason.RATE_LIMIT,
        request_id="place-1",
        retry_after_s=2.5,
    )


@pytest.mark.parametrize("status", [500, 503, 408])
def test_a_server_error_is_not_definite(status: int, contracts: Contracts) -> None:
    """Whatever the code, a reply of a failing server proves nothing."""
    [reject] = decode(wire({"id": "1", "status": status, "error": {"code": -2019, "msg": "?"}}), contracts)
    assert isinstance(reject, Reject)
    assert not reject.definite


def test_subscription_acknowledgement(contracts: Contracts) -> None:
    """A subscription is acknowledged, or refused, by its number."""
    assert decode(b'{"result":null,"id":3}', contracts) == [Ack(venue="binance", request_id="3")]
    [reject] = decode(b'{"error":{"code":2,"msg":"Invalid request"},"id":3}', contracts)
    assert isinstance(reject, Reject)
    assert reject.request_id == "3"


def test_lists_may_hold_refusals(contracts: Contracts) -> None:
    """A batch answers each item apart: an order, or why not."""
    body = [rest_order(), {"code": -2022, "msg": "ReduceOnly Order is rejected."}]
    update, reject = decode(wire(body), contracts)
    assert isinstance(update, OrderUpdate)
    assert isinstance(reject, Reject)
    assert reject.reason is RejectReason.REDUCE_ONLY


def test_our_fills_asked_for_are_snapshots(contracts: Contracts) -> None:
    """A row of the account's trades is a fill of the past."""
    [fill] = decode(wire([user_trade()]), contracts)
    assert fill == FillEvent(
        venue="binance",
        ticker="ETHUSDT",
        oid="22542179",
        trade_id="777",
        amount=D("-1.000"),
        price=D("2500.10"),
        fee=D("0.50002"),
        fee_asset="USDT",
        is_maker=True,
        snapshot=True,
        ts_venue_ns=1569514978020_000_000,
    )


def test_contract(contracts: Contracts) -> None:
    """Tick and lot come from the filters, not from the precisions."""
    assert decode(wire(EXCHANGE_INFO), contracts) == [
        Contract(
            venue="binance",
            ticker="ETHUSDT",
            base="ETH",
            quote="USDT",
            tick_size=D("0.01"),
            lot_size=D("0.001"),
            min_quantity=D("0.001"),
            min_notional=D(20),
            max_quantity=D(10_000),
            market_max_quantity=D(2_000),
        )
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"contractType": "CURRENT_QUARTER"},
        {"contractType": ""},
        {"marginAsset": "ETH"},
        {"filters": []},
    ],
)
def test_what_is_no_linear_perpetual_is_left_out(changes: dict[str, object], contracts: Contracts) -> None:
    """Quarterlies, inverse contracts and contracts without rules are not offered."""
    assert decode(wire({**EXCHANGE_INFO, "symbols": [exchange_symbol(**changes)]}), contracts) == []


def test_halted_and_bundled_contracts(contracts: Contracts) -> None:
    """A contract that is not trading is kept and marked; a bundle is brought to base units."""
    symbol = exchange_symbol(symbol="1000PEPEUSDT", baseAsset="1000PEPE", status="SETTLING")
    [listed] = decode(wire({**EXCHANGE_INFO, "symbols": [symbol]}), contracts)
    assert isinstance(listed, Contract)
    assert (listed.base, listed.multiplier, listed.trading) == ("PEPE", D(1000), False)
    assert (listed.tick_size, listed.lot_size, listed.max_quantity) == (D("0.00001"), D(1), D(10_000_000))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("o", "S"), "HOLD"),
        (("o", "i"), "8886774x"),
        (("o", "z"), "NaN"),
        (("o", "q"), "much"),
        (("o", "q"), None),
        (("o", "l"), "Infinity"),
        (("o", "T"), None),
        (("o",), []),
    ],
)
def test_malformed_messages_name_the_field(path: tuple[str, ...], value: object, contracts: Contracts) -> None:
    """A wrong value is a DecodeError with the venue and the path of the field."""
    message = execution()
    target = message
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = value
    with pytest.raises(DecodeError) as raised:
        decode(wire(message), contracts)
    assert raised.value.venue == "binance"
    assert raised.value.field == ".".join(path)


@pytest.mark.parametrize("name", ["s", "S", "o", "f", "q", "x", "X", "i", "l", "z", "L", "T", "t"])
def test_missing_fields_are_named(name: str, contracts: Contracts) -> None:
    """Each field that an order needs is missed by name."""
    message = execution()
    del message["o"][name]
    with pytest.raises(DecodeError) as raised:
        decode(wire(message), contracts)
    assert raised.value.field == f"o.{name}"


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"e":"ORDER_TRADE_UPDATE","o":', b"[" * 100_000])
def test_broken_json_is_a_decode_error(raw: bytes, contracts: Contracts) -> None:
    """What is not JSON at all is malformed too."""
    with pytest.raises(DecodeError):
        decode(raw, contracts)


@pytest.mark.parametrize("kind", sorted(IGNORED))
def test_types_that_an_oms_does_not_need(kind: str, contracts: Contracts) -> None:
    """Documented types without use give nothing, and are known by name."""
    message = {"e": kind, "E": 1}
    assert decode(wire(message), contracts) == []
    assert kind_of(wire(message)) == kind


def test_a_type_of_tomorrow_gives_nothing_and_can_be_named(contracts: Contracts) -> None:
    """An unknown type is no error; its name is there for the counter."""
    assert decode(b'{"e":"LUNAR_UPDATE","o":{}}', contracts) == []
    assert kind_of(b'{"stream":"x","data":{"e":"LUNAR_UPDATE"}}') == "LUNAR_UPDATE"
    assert kind_of(b'{"b":1,"a":2}') == "a b"
    assert kind_of(b"nonsense") == "not JSON"
