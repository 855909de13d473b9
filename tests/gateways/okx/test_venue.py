"""The venue against a scripted exchange: connecting, the private and public streams, and queries."""

from decimal import Decimal
from typing import Any

import pytest

from gateways.errors import Denied, NotFound, RateLimited, Unavailable, Unknown
from gateways.okx.venue import OkxVenue
from gateways.router import make_venue
from gateways.standards import (
    BalanceUpdate,
    BookUpdate,
    FillEvent,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    QuoteUpdate,
    RejectReason,
    TradeEvent,
)
from gateways.venue import Channel, Endpoints
from tests.gateways.listening import Desk
from tests.gateways.okx.messages import CLOID, ETH, book_row, filled, instrument, order, orders_push, push, trade_row
from tests.gateways.okx.stub_exchange import KEY, PASSPHRASE, SECRET, Stub, connected, said

D = Decimal
CONFIG = ("GET", "/api/v5/account/config")
ORDER = ("GET", "/api/v5/trade/order")
FILLS = ("GET", "/api/v5/trade/fills")
ARCHIVE = ("GET", "/api/v5/trade/fills-history")
PENDING = ("GET", "/api/v5/trade/orders-pending")
BALANCE = ("GET", "/api/v5/account/balance")
NOW_NS = 1_700_000_000_000_000_000


# ------------------------------------------------------------------ connecting


async def test_connect_logs_in_subscribes_and_loads(stub: Stub) -> None:
    """Contracts are there in base units, the private stream subscribed to orders, positions and money."""
    async with connected(*stub) as (venue, _):
        assert venue.contracts[ETH].lot_size == D("0.001")
        [message] = [each for each in stub[0].received["private"] if each["op"] == "subscribe"]
        assert [arg["channel"] for arg in message["args"]] == ["orders", "positions", "account"]


async def test_refused_login_is_not_connected(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A private stream whose login is refused never counts as connected, and the reason is told."""
    exchange_, endpoints = stub
    exchange_.refuse_login = True
    monkeypatch.setattr("gateways.transport.streamed_venue.CONNECT_TIMEOUT_S", 0.3)
    venue, desk = OkxVenue("okx", endpoints), Desk()
    with pytest.raises(Unavailable, match="Login failed"):
        await venue.connect(desk.sink, desk)
    assert desk.states_of(Channel.PRIVATE).count(True) == 0


def test_endpoints_must_name_every_address() -> None:
    """A missing address is named."""
    with pytest.raises(Denied, match="public"):
        OkxVenue("okx", Endpoints(rest="http://127.0.0.1", ws={"private": "ws://y"}))


async def test_requests_carry_the_venues_time_and_no_secret_is_shown(stub: Stub) -> None:
    """With our clock an hour behind, the time in a request is the venue's; what is logged holds no secret."""
    late = NOW_NS - 3_600_000_000_000
    exchange_, _ = stub
    exchange_.rest[BALANCE] = said({"details": []})
    async with connected(*stub, clock_ns=lambda: late) as (venue, desk):
        await venue.balances()
    headers = exchange_.requests[-1][3]
    assert headers["OK-ACCESS-TIMESTAMP"] == "2023-11-14T22:13:20.000Z"
    assert not any(secret in str(desk.requests) for secret in (KEY, SECRET, PASSPHRASE))


def test_the_kind_is_known_by_its_name() -> None:
    """Endpoints of the kind ``okx`` make this venue under any alias."""
    ws = {"public": "ws://127.0.0.1/ws/v5/public", "private": "ws://127.0.0.1/ws/v5/private"}
    made = make_venue("second", Endpoints(rest="http://127.0.0.1", ws=ws, kind="okx"))
    assert isinstance(made, OkxVenue)
    assert made.alias == "second"


# ------------------------------------------------------------------ the private stream


async def test_private_news_reaches_the_sink_in_base_units(stub: Stub) -> None:
    """Orders and fills come as one private batch a message, with the time they were read."""
    async with connected(*stub, clock_ns=lambda: 42) as (_, desk):
        await stub[0].push(orders_push(filled()))
        await desk.until(lambda: bool(desk.batches))
    [batch] = desk.batches
    update, fill = batch.events
    assert isinstance(update, OrderUpdate)
    assert isinstance(fill, FillEvent)
    assert (update.amount, update.filled, fill.amount) == (D("-2.0"), D("-0.5"), D("-0.5"))
    assert (batch.venue, batch.private, batch.ts_recv_ns) == ("okx", True, 42)


async def test_positions_and_money_reach_the_sink(stub: Stub) -> None:
    """What the channels of positions and money push comes as events."""
    async with connected(*stub) as (_, desk):
        await stub[0].push(push("positions", {"instId": ETH, "pos": "-20", "posSide": "net", "avgPx": "2500"}))
        await stub[0].push(push("account", {"details": [{"ccy": "USDT", "cashBal": "100", "availEq": "80"}]}))
        await desk.until(lambda: len(desk.batches) == 2)
    position, money = desk.events
    assert isinstance(position, PositionUpdate)
    assert position.amount == D("-2.0")
    assert isinstance(money, BalanceUpdate)
    assert (money.total, money.available) == (D(100), D(80))


@pytest.mark.parametrize(
    "message",
    [
        orders_push({**filled(), "sz": "many"}),
        {"event": "notice", "code": "64008", "msg": "The connection will soon be closed.", "connId": "a"},
    ],
    ids=["malformed", "upgrade"],
)
async def test_lost_news_makes_a_new_connection(stub: Stub, message: dict[str, Any]) -> None:
    """What cannot be read, or the venue's notice, reconnects, so that the OMS reconciles; news comes again after."""
    async with connected(*stub) as (_, desk):
        await stub[0].push(message)
        await desk.until(lambda: desk.states_of(Channel.PRIVATE) == [True, False, True])
        await stub[0].push(orders_push(order()))
        await desk.until(lambda: any(isinstance(event, OrderUpdate) for event in desk.events))


async def test_pongs_keep_a_quiet_stream(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The venue's own ping is sent as text and its answer is no message to count."""
    from gateways.okx import user_data  # noqa: PLC0415 - patched before the venue is made
    from gateways.transport.stream import Heartbeat  # noqa: PLC0415 - same

    monkeypatch.setattr(user_data, "HEARTBEAT", Heartbeat(every=0.02, text="ping"))
    monkeypatch.setattr(user_data, "SILENT_AFTER_S", 0.5)
    async with connected(*stub) as (_, desk):
        await stub[0].until(lambda: stub[0].pings >= 5)
        assert desk.states_of(Channel.PRIVATE) == [True]
        assert desk.dropped == []


async def test_orders_in_other_contracts_are_counted_not_told(stub: Stub) -> None:
    """News of an inverse contract has no size in base units: no event, one count."""
    async with connected(*stub) as (_, desk):
        await stub[0].push(orders_push(filled(instId="BTC-USD-SWAP")))
        await desk.until(lambda: bool(desk.dropped))
        assert desk.events == []


# ------------------------------------------------------------------ public data


async def test_public_data_of_a_contract(stub: Stub) -> None:
    """Book, quote and trades come in base units; the mid is the last one seen."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, desk):
        await venue.subscribe(ETH)
        await exchange_.until(lambda: bool(exchange_.received["public"]))
        assert {arg["channel"] for arg in exchange_.received["public"][0]["args"]} == {
            "books",
            "bbo-tbt",
            "trades",
            "mark-price",
        }
        await exchange_.push(push("books", book_row(10, -1), action="snapshot"), "public")
        await exchange_.push(push("bbo-tbt", book_row(10, -1)), "public")
        trade = {"instId": ETH, "tradeId": "9", "px": "2500", "sz": "3", "side": "sell", "ts": "1700000000000"}
        await exchange_.push(push("trades", trade), "public")
        await desk.until(lambda: len(desk.events) == 3)
        book, quote, public_trade = desk.events
        assert isinstance(book, BookUpdate)
        assert (book.snapshot, book.asks[0].quantity, book.last_seq) == (True, D("3.0"), 10)
        assert isinstance(quote, QuoteUpdate)
        assert isinstance(public_trade, TradeEvent)
        assert public_trade.amount == D("-0.3")
        assert await venue.reference_price(ETH) == D("2500.5")
        assert not any(batch.private for batch in desk.batches)


async def test_a_gap_in_a_book_is_subscribed_to_anew(stub: Stub) -> None:
    """An update that does not follow makes one renewal of that book; one that follows makes none."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, desk):
        await venue.subscribe(ETH)
        await exchange_.until(lambda: bool(exchange_.received["public"]))
        await exchange_.push(push("books", book_row(10, -1), action="snapshot"), "public")
        await exchange_.push(push("books", book_row(12, 10), action="update"), "public")
        await exchange_.push(push("books", book_row(12, 12), action="update"), "public")
        await desk.until(lambda: len(desk.events) == 3)
        assert desk.dropped == []
        await exchange_.push(push("books", book_row(15, 14), action="update"), "public")
        await exchange_.until(lambda: len(exchange_.received["public"]) == 3)
    renewed = exchange_.received["public"][1:]
    assert [each["op"] for each in renewed] == ["unsubscribe", "subscribe"]
    assert [each["args"] for each in renewed] == [[{"channel": "books", "instId": ETH}]] * 2


async def test_subscriptions_survive_a_reconnect(stub: Stub) -> None:
    """After the connection is lost the same channels are asked for again."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, desk):
        await venue.subscribe(ETH)
        await exchange_.until(lambda: bool(exchange_.received["public"]))
        await desk.until(lambda: desk.states_of(Channel.PUBLIC) == [True])
        await exchange_.sockets["public"][-1].close()
        await exchange_.until(lambda: len(exchange_.received["public"]) == 2)
        assert exchange_.received["public"][1] == exchange_.received["public"][0]
        with pytest.raises(Denied, match=ETH):
            await venue.subscribe("ETH-USDT")


async def test_reference_price_is_asked_for_where_it_is_not_seen(stub: Stub) -> None:
    """Without a stream the quote is asked for; no answer is no price."""
    exchange_, _ = stub
    row = {"instId": ETH, "askPx": "2502", "askSz": "1", "bidPx": "2500", "bidSz": "1", "ts": "1700000000000"}
    async with connected(*stub) as (venue, _):
        assert await venue.reference_price(ETH) is None
        exchange_.rest["GET", "/api/v5/market/ticker"] = said(row)
        assert await venue.reference_price(ETH) == D(2501)


async def test_book_is_asked_for(stub: Stub) -> None:
    """A snapshot comes in base units, of the contract that was asked for."""
    exchange_, _ = stub
    exchange_.rest["GET", "/api/v5/market/books"] = said({"asks": [["2501", "30", "0", "1"]], "bids": [], "ts": "1"})
    async with connected(*stub) as (venue, _):
        book = await venue.book(ETH, 5)
    assert (book.ticker, book.snapshot, book.asks[0].quantity, book.bids) == (ETH, True, D("3.0"), ())


# ------------------------------------------------------------------ queries


async def test_order_queries(stub: Stub) -> None:
    """An order comes as it stands; the code for none is NotFound; any other refusal and a 5xx are no answers."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, _):
        exchange_.rest[ORDER] = said(order(state="canceled", cancelSource="31"))
        found = await venue.order(ETH, cloid=CLOID)
        assert (found.status, found.reason) == (OrderStatus.CANCELLED, RejectReason.POST_ONLY)
        assert exchange_.sent(*ORDER) == [{"instId": ETH, "clOrdId": CLOID}]
        exchange_.rest[ORDER] = said(code="51603", msg="Order does not exist")
        with pytest.raises(NotFound):
            await venue.order(ETH, oid="7")
        exchange_.rest[ORDER] = said(code="50001", msg="Service temporarily unavailable")
        with pytest.raises(Unknown):
            await venue.order(ETH, oid="7")
        exchange_.rest[ORDER] = said(code="50026", status=500)
        with pytest.raises(Unknown):
            await venue.order(ETH, oid="7")


async def test_positions_balances_and_open_orders(stub: Stub) -> None:
    """Zero positions and contracts that are not linear swaps are left out; all pages of orders are asked for."""
    exchange_, _ = stub
    exchange_.rest["GET", "/api/v5/account/positions"] = said(
        {"instId": ETH, "pos": "20", "posSide": "net", "avgPx": "2500", "upl": "1.5", "uTime": "1700000000000"},
        {"instId": "PEPE-USDT-SWAP", "pos": "20", "posSide": "net"},
        {"instId": ETH, "pos": "0", "posSide": "net"},
    )
    exchange_.rest[BALANCE] = said({"details": [{"ccy": "USDT", "cashBal": "100", "availEq": "", "availBal": "70"}]})
    exchange_.rest[PENDING] = [
        said(*(order(ordId=str(1_000 - number), clOrdId="") for number in range(100))),
        said(order(ordId="1")),
    ]
    async with connected(*stub) as (venue, _):
        assert [(each.ticker, each.amount) for each in await venue.positions()] == [(ETH, D("2.0"))]
        assert [(each.asset, each.available) for each in await venue.balances()] == [("USDT", D(70))]
        assert len(await venue.open_orders(ETH)) == 101
    first, second = exchange_.sent(*PENDING)
    assert (first["instId"], "after" in first, second["after"]) == (ETH, False, "901")


async def test_fills_come_page_by_page_oldest_first(stub: Stub) -> None:
    """Pages go back by bill; what is older than three days comes from the archive too, each execution once."""
    exchange_, _ = stub
    exchange_.rest[FILLS] = [said(*(trade_row(number) for number in range(200, 100, -1))), said(trade_row(100))]
    exchange_.rest[ARCHIVE] = said(trade_row(100), trade_row(7))
    async with connected(*stub, clock_ns=lambda: NOW_NS) as (venue, _):
        recent = await venue.fills_since(NOW_NS - 1_000_000_000, ETH)
        assert [each.trade_id for each in recent] == [str(number) for number in range(100, 201)]
        assert all(each.snapshot and each.fee == D("0.25") and each.amount == D("-0.5") for each in recent)
        assert exchange_.sent(*FILLS)[1]["after"] == str(10**18 + 101)
        assert exchange_.sent(*ARCHIVE) == []
        old = await venue.fills_since(NOW_NS - 30 * 86_400 * 10**9)
        assert [each.trade_id for each in old] == ["7", "100"]


async def test_a_refusal_for_rate_holds_up_its_kind(stub: Stub) -> None:
    """The venue names no time: nothing of that kind goes for a window, and all else does."""
    exchange_, _ = stub
    exchange_.rest[BALANCE] = said(code="50011", msg="Too Many Requests", status=429)
    exchange_.rest["GET", "/api/v5/account/positions"] = said()
    async with connected(*stub) as (venue, _):
        with pytest.raises(RateLimited) as raised:
            await venue.balances()
        assert raised.value.retry_after == 2.0
        with pytest.raises(Unavailable):
            await venue._session.ask(lambda: pytest.fail("sent"), "balances", {"balances": 1}, max_wait=0.01)
        assert await venue.positions() == []


async def test_contracts_are_replaced_as_a_whole(stub: Stub) -> None:
    """Loading anew brings what is published now."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, _):
        other = instrument("SOL-USDT-SWAP", ctVal="1", ctValCcy="SOL", state="suspend")
        exchange_.rest["GET", "/api/v5/public/instruments"] = said(other)
        await venue.load_contracts()
        assert [(each.ticker, each.trading) for each in venue.contracts.values()] == [("SOL-USDT-SWAP", False)]
