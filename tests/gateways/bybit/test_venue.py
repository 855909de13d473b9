"""The venue against a scripted exchange: every channel, and every way in which a request can end."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from aiohttp import web

from gateways.bybit.encode import sign
from gateways.bybit.venue import BybitVenue
from gateways.errors import Denied, NotFound, RateLimited, Rejected, Unavailable, Unknown
from gateways.standards import (
    AmendOrder,
    BookUpdate,
    CancelOrder,
    FillEvent,
    OrderStatus,
    OrderUpdate,
    PlaceOrder,
    QuoteUpdate,
    Reject,
    RejectReason,
)
from gateways.venue import Channel, Endpoints
from tests.gateways.bybit.messages import (
    CLOID,
    NOW_MS,
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
from tests.gateways.bybit.stub_exchange import KEY, SECRET, Stub, connected, taken
from tests.gateways.listening import Desk

D = Decimal
ORDER = PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D(-2), price=D(2500))
AMEND = AmendOrder(ticker="ETHUSDT", cloid=CLOID, oid=OID, amount=D(-3), price=D(2499))
CANCEL = CancelOrder(ticker="ETHUSDT", oid=OID)
CREATE = "/v5/order/create"


def replying(**fields: Any) -> Any:
    """An order entry socket that answers every request so."""

    async def reply(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        await socket.send_json({**taken(message["reqId"], message["op"]), **fields})

    return reply


async def silent(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
    """An order entry socket that never answers."""


async def cutting(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
    """An order entry socket that takes a request and is gone."""
    await socket.close()


# ------------------------------------------------------------------ connecting


async def test_connect_logs_in_and_subscribes(stub: Stub) -> None:
    """Contracts are there; both private connections were logged in with a signature that verifies; topics are asked."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, _):
        assert list(venue.contracts) == ["ETHUSDT"]
        for name in ("private", "trade"):
            message = exchange_.received[name][0]
            key, expires_ms, signature = message["args"]
            assert (message["op"], key) == ("auth", KEY)
            assert signature == sign(SECRET, f"GET/realtime{expires_ms}")
            assert NOW_MS < expires_ms < NOW_MS + 60_000
        assert exchange_.topics("private") == ["order.linear", "execution.linear", "position.linear", "wallet"]


def test_endpoints_must_name_every_address() -> None:
    """A missing address is named, but that of the order entry, which the demo does not have."""
    with pytest.raises(Denied, match=r"for private$"):
        BybitVenue("bybit", Endpoints(rest="http://127.0.0.1", ws={"public": "ws://x"}))


async def test_every_page_of_contracts_is_loaded(stub: Stub) -> None:
    """The list is followed by its cursor to the end."""
    exchange_, _ = stub
    first, second = page([instrument("ETHUSDT", "ETH")], "next%3D"), page([instrument("BTCUSDT", "BTC")])
    exchange_.rest["/v5/market/instruments-info"] = lambda params: (200, second if "cursor" in params else first)
    async with connected(*stub) as (venue, _):
        assert list(venue.contracts) == ["ETHUSDT", "BTCUSDT"]
    assert [each.get("cursor") for each in exchange_.sent("/v5/market/instruments-info")] == [None, "next%3D"]


async def test_requests_carry_the_venues_time(stub: Stub) -> None:
    """With our clock an hour behind, the timestamp in a request is the venue's time all the same."""
    late = NOW_MS - 3_600_000
    exchange_, _ = stub
    exchange_.rest["/v5/account/wallet-balance"] = 200, answer({"list": []})
    async with connected(*stub, clock_ns=lambda: late * 1_000_000) as (venue, _):
        await venue.balances()
    [headers] = [headers for path, _, headers in exchange_.requests if path == "/v5/account/wallet-balance"]
    assert headers["X-BAPI-TIMESTAMP"] == str(NOW_MS)


async def test_the_clock_is_kept(stub: Stub) -> None:
    """The venue's clock is asked for again at its interval."""
    exchange_, _ = stub
    async with connected(*stub, clock_every_s=0.01):
        await exchange_.until(lambda: len(exchange_.sent("/v5/market/time")) >= 3)


# ------------------------------------------------------------------ the private stream


async def test_private_news_reaches_the_sink(stub: Stub) -> None:
    """Orders and fills come as private batches, with the time they were read."""
    async with connected(*stub, clock_ns=lambda: 42) as (_, desk):
        await stub[0].push("private", push("order.linear", [order_row()]))
        await stub[0].push("private", push("execution.linear", [execution_row()]))
        await desk.until(lambda: len(desk.batches) == 2)
    assert [type(event) for event in desk.events] == [OrderUpdate, FillEvent]
    assert {(batch.venue, batch.private, batch.ts_recv_ns) for batch in desk.batches} == {("bybit", True, 42)}


async def test_lost_private_stream_logs_in_again(stub: Stub) -> None:
    """A cut connection is reported down and up again, logged in and subscribed, so that the OMS reconciles."""
    exchange_, _ = stub
    async with connected(*stub) as (_, desk):
        await exchange_.drop("private")
        await desk.until(lambda: desk.states_of(Channel.PRIVATE) == [True, False, True])
        await exchange_.push("private", push("order", [order_row()]))
        await desk.until(lambda: bool(desk.events))
    assert [message["op"] for message in exchange_.received["private"]] == ["auth", "subscribe", "subscribe"] * 2


async def test_a_refused_subscription_is_no_connection(stub: Stub) -> None:
    """A private stream that does not tell of orders never counts as connected."""
    exchange_, endpoints = stub
    exchange_.refuse_ops["subscribe"] = "handler not found"
    venue, desk = BybitVenue("bybit", endpoints), Desk()
    connecting = asyncio.ensure_future(venue.connect(desk.sink, desk))
    await exchange_.until(lambda: len(exchange_.sockets["private"]) >= 2)
    assert True not in desk.states_of(Channel.PRIVATE)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting


async def test_unreadable_private_message_forces_a_reconnect(stub: Stub) -> None:
    """What cannot be read may have been a fill: it is counted, and a new connection makes the OMS reconcile."""
    async with connected(*stub) as (_, desk):
        await stub[0].push("private", push("execution", [execution_row(execQty="NaN")]))
        await desk.until(lambda: desk.states_of(Channel.PRIVATE) == [True, False, True])
    assert any("execQty" in reason for reason in desk.dropped)
    assert desk.events == []


async def test_unknown_private_messages_are_counted(stub: Stub) -> None:
    """A topic of tomorrow is counted by name; what is known and gives nothing is not."""
    async with connected(*stub) as (_, desk):
        await stub[0].push("private", push("greeks", []))
        await stub[0].push("private", push("execution", [execution_row(execType="Funding")]))
        await stub[0].push("private", push("lunar", []))
        await desk.until(lambda: bool(desk.dropped))
    assert desk.dropped == ["unknown private message lunar"]


# ------------------------------------------------------------------ order entry


async def test_orders_go_by_the_socket(stub: Stub) -> None:
    """One message each; the ids in return and at the sink; no status, for none is told; no secret in the log."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, desk):
        update = await venue.place(ORDER)
        await venue.amend(AMEND)
        await venue.cancel(CANCEL)
    assert [message["op"] for message in exchange_.orders()] == ["order.create", "order.amend", "order.cancel"]
    assert exchange_.orders()[0]["args"][0]["orderLinkId"] == CLOID
    assert (update.ticker, update.oid, update.status, update.filled) == ("ETHUSDT", OID, None, None)
    assert update.cloid == CLOID, "the reply did not repeat it"
    assert desk.events[0] == update
    assert [(verb, ok) for verb, _, _, ok in desk.requests[-3:]] == [("place", True), ("amend", True), ("cancel", True)]
    assert SECRET not in str(desk.requests)
    assert exchange_.sent(CREATE) == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (110007, RejectReason.MARGIN),
        (10001, RejectReason.BAD_REQUEST),
    ],
)
async def test_a_refusal_is_definite(stub: Stub, code: int, reason: RejectReason) -> None:
    """A refused order raises Rejected with the reason, the venue's code and its text."""
    stub[0].trade = replying(retCode=code, retMsg="not so", data={})
    async with connected(*stub) as (venue, _):
        with pytest.raises(Rejected, match="not so") as raised:
            await venue.place(ORDER)
    assert (raised.value.reason, raised.value.code) == (reason, str(code))


async def test_an_internal_error_is_unknown(stub: Stub) -> None:
    """The venue's internal error proves nothing about the order."""
    stub[0].trade = replying(retCode=10016, retMsg="Internal System Error.", data={})
    async with connected(*stub) as (venue, _):
        with pytest.raises(Unknown):
            await venue.place(ORDER)


async def test_a_restarting_server_took_nothing(stub: Stub) -> None:
    """A socket whose server takes no new request is left, and the request goes by HTTP."""
    exchange_, _ = stub
    exchange_.trade = replying(retCode=10019, retMsg="restarting", data={})
    exchange_.rest[CREATE] = 200, answer({"orderId": OID, "orderLinkId": CLOID})
    async with connected(*stub) as (venue, desk):
        update = await venue.place(ORDER)
        await desk.until(lambda: desk.states_of(Channel.TRADE) == [True, False, True])
    assert (update.oid, update.cloid) == (OID, CLOID)
    assert len(exchange_.sent(CREATE)) == 1


async def test_no_reply_is_unknown_and_not_sent_again(stub: Stub) -> None:
    """A request without a reply may have been carried out: it goes neither again nor by the other way."""
    exchange_, _ = stub
    exchange_.trade = silent
    async with connected(*stub, reply_timeout_s=0.05) as (venue, _):
        with pytest.raises(Unknown):
            await venue.place(ORDER)
    assert len(exchange_.orders()) == 1
    assert exchange_.sent(CREATE) == []


async def test_a_lost_connection_is_unknown(stub: Stub) -> None:
    """A connection that is lost before the reply leaves the outcome open."""
    exchange_, _ = stub
    exchange_.trade = cutting
    async with connected(*stub) as (venue, _):
        with pytest.raises(Unknown):
            await venue.place(ORDER)
    assert exchange_.sent(CREATE) == []


async def test_an_unreadable_reply_is_unknown(stub: Stub) -> None:
    """An acknowledgement without an order id says nothing of the order."""
    stub[0].trade = replying(data={"orderId": 7})
    async with connected(*stub) as (venue, desk):
        with pytest.raises(Unknown):
            await venue.place(ORDER)
    assert desk.dropped


async def test_request_ids_are_never_used_again(stub: Stub) -> None:
    """The venue refuses a request id that it has seen: none comes twice, over a reconnect or a restart of the desk."""
    exchange_, _ = stub
    for started in range(2):
        async with connected(*stub, clock_ns=lambda: (NOW_MS + 1 + started) * 1_000_000) as (venue, desk):  # noqa: B023 - read within its turn
            exchange_.rest["/v5/market/time"] = 200, answer({"timeNano": f"{NOW_MS + 1 + started}000000"})
            await venue.place(ORDER)
            await exchange_.drop("trade")
            await desk.until(lambda: desk.states_of(Channel.TRADE) == [True, False, True])
            await venue.place(ORDER)
    ids = [message["reqId"] for message in exchange_.received["trade"]]
    assert len(ids) == 8
    assert len(set(ids)) == 8


async def test_a_late_refusal_is_evidence(stub: Stub) -> None:
    """A definite refusal after the caller gave up reaches the sink with the order's cloid."""
    exchange_, _ = stub
    exchange_.trade = silent
    async with connected(*stub, reply_timeout_s=0.05) as (venue, desk):
        with pytest.raises(Unknown):
            await venue.place(ORDER)
        late = {**taken(exchange_.orders()[0]["reqId"], "order.create"), "retCode": 110007, "retMsg": "late"}
        await exchange_.push("trade", late)
        await desk.until(lambda: bool(desk.events))
    [event] = desk.events
    assert isinstance(event, Reject)
    assert (event.cloid, event.definite, event.reason) == (CLOID, True, RejectReason.MARGIN)


async def test_http_takes_over_where_the_socket_is_down(stub: Stub) -> None:
    """Without an order entry socket the same request goes by HTTP, signed."""
    exchange_, endpoints = stub
    exchange_.refuse_sockets.add("trade")
    exchange_.rest[CREATE] = 200, answer({"orderId": OID, "orderLinkId": CLOID})
    venue, desk = BybitVenue("bybit", endpoints), Desk()
    venue._entry.stream.wait_ready = _not_ready  # type: ignore[method-assign]  # not to wait ten seconds for it
    await venue.connect(desk.sink, desk)
    update = await venue.place(ORDER)
    await venue.close()
    assert (update.oid, update.cloid, update.status) == (OID, CLOID, None)
    [(params, headers)] = [(params, headers) for path, params, headers in exchange_.requests if path == CREATE]
    assert (params["orderLinkId"], headers["X-BAPI-API-KEY"]) == (CLOID, KEY)


async def test_orders_of_the_demo_go_by_http(stub: Stub) -> None:
    """The venue's demo has no order entry socket: its endpoints name none, and nobody waits for it."""
    exchange_, endpoints = stub
    assert isinstance(endpoints.ws, dict)
    ways = {name: url for name, url in endpoints.ws.items() if name != "trade"}
    exchange_.rest[CREATE] = 200, answer({"orderId": OID, "orderLinkId": CLOID})
    venue, desk = BybitVenue("bybit", msgspec.structs.replace(endpoints, ws=ways)), Desk()
    await venue.connect(desk.sink, desk)
    try:
        assert (await venue.place(ORDER)).oid == OID
        assert desk.states_of(Channel.TRADE) == []
        assert desk.dropped == []
    finally:
        await venue.close()
    await venue.close()


async def _not_ready(_seconds: float) -> None:
    raise Unavailable("bybit", "trade stream not connected")


async def by_http(stub: Stub, said: Any) -> None:
    """Place an order by HTTP that is answered so."""
    exchange_, endpoints = stub
    exchange_.refuse_sockets.add("trade")
    exchange_.rest[CREATE] = said
    venue, desk = BybitVenue("bybit", endpoints), Desk()
    venue._entry.stream.wait_ready = _not_ready  # type: ignore[method-assign]  # not to wait ten seconds for it
    await venue.connect(desk.sink, desk)
    try:
        await venue.place(ORDER)
    finally:
        await venue.close()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ((200, answer({}, 110007, "not enough")), Rejected),
        ((200, answer({}, 10016, "Internal System Error.")), Unknown),
        ((200, answer({}, 10000, "Server Timeout")), Unknown),
        ((200, answer({})), Unknown),
        ((200, "<html>"), Unknown),
        ((503, "busy"), Unknown),
        ((401, "no"), Rejected),
        ((403, "Access too frequent"), RateLimited),
        ((200, answer({}, 10006, "Too many visits!")), RateLimited),
    ],
)
async def test_how_http_orders_end(stub: Stub, said: Any, error: type[Exception]) -> None:
    """A named refusal is definite; a success that cannot be read, a timeout code and a 5xx leave the outcome open."""
    with pytest.raises(error) as raised:
        await by_http(stub, said)
    assert type(raised.value) is error
    assert len(stub[0].sent(CREATE)) == 1


async def test_a_throttled_order_holds_the_rest_back(stub: Stub) -> None:
    """After a refusal for rate nothing is sent for as long as the venue says."""
    exchange_, _ = stub
    header = {"Timenow": str(NOW_MS), "X-Bapi-Limit-Reset-Timestamp": str(NOW_MS + 60_000)}
    exchange_.trade = replying(retCode=10006, retMsg="Too many visits!", header=header, data={})
    async with connected(*stub) as (venue, _):
        with pytest.raises(RateLimited) as raised:
            await venue.place(ORDER)
        with pytest.raises(Unavailable):
            await venue.place(ORDER)
    assert raised.value.retry_after == 60.0
    assert len(exchange_.orders()) == 1


async def test_limits_are_taken_from_replies(stub: Stub) -> None:
    """The account's own limit, and what is left of it, replace what a usual account has."""
    stub[0].trade = replying(header={"X-Bapi-Limit": "200", "X-Bapi-Limit-Status": "193"})
    async with connected(*stub) as (venue, _):
        assert venue.budget_used().endswith("0/10 orders")
        await venue.place(ORDER)
        assert venue.budget_used().endswith("7/200 orders")


async def test_a_share_is_kept_for_hedges(stub: Stub) -> None:
    """Makers spend at most eight of ten orders a second: a hedge goes out at once all the same."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, _):
        for number in range(8):
            await venue.place(PlaceOrder(ticker="ETHUSDT", cloid=f"{number:032x}", amount=D(1), price=D(1)))
        makers = asyncio.ensure_future(venue.place(ORDER))
        await venue.place(PlaceOrder(ticker="ETHUSDT", cloid="f" * 32, amount=D(1), price=D(1)), hedge=True)
        assert not makers.done()
        makers.cancel()
    assert exchange_.orders()[-1]["args"][0]["orderLinkId"] == "f" * 32
    assert len(exchange_.orders()) == 9


async def test_cancel_all_is_native(stub: Stub) -> None:
    """All orders of one contract are cancelled with the venue's own verb."""
    exchange_, _ = stub
    exchange_.rest["/v5/order/cancel-all"] = 200, answer({"list": [], "success": "1"})
    async with connected(*stub) as (venue, _):
        await venue.cancel_all("ETHUSDT")
    assert exchange_.sent("/v5/order/cancel-all") == [{"category": "linear", "symbol": "ETHUSDT"}]


async def test_a_cancel_of_what_is_gone_is_told(stub: Stub) -> None:
    """An order that is not open now is UNKNOWN_ORDER: filled, perhaps."""
    stub[0].trade = replying(retCode=110001, retMsg="order not exists or too late to cancel", data={})
    async with connected(*stub) as (venue, _):
        with pytest.raises(Rejected) as raised:
            await venue.cancel(CANCEL)
    assert raised.value.reason is RejectReason.UNKNOWN_ORDER


# ------------------------------------------------------------------ queries


async def test_an_order_is_looked_for_in_both_places(stub: Stub) -> None:
    """What is not among the recent orders is looked for in the history; NotFound only when both say that it is not."""
    exchange_, _ = stub
    exchange_.rest["/v5/order/realtime"] = 200, page([])
    exchange_.rest["/v5/order/history"] = 200, page([order_row(orderStatus="Filled", cumExecQty="2")])
    async with connected(*stub) as (venue, _):
        found = await venue.order("ETHUSDT", cloid=CLOID)
        assert (found.status, found.filled) == (OrderStatus.FILLED, D(-2))
        with pytest.raises(NotFound):
            await venue.order("ETHUSDT", oid="another")
        exchange_.rest["/v5/order/history"] = 200, answer({}, 10016, "Internal System Error.")
        with pytest.raises(Unknown):
            await venue.order("ETHUSDT", cloid=CLOID)


async def test_open_orders_are_paged(stub: Stub) -> None:
    """Every page is followed; an order on two pages is told once; what ended is left out."""
    exchange_, _ = stub
    first = page([order_row(), order_row(orderId="b")], "more")
    second = page([order_row(orderId="b"), order_row(orderId="c", orderStatus="Filled")])
    exchange_.rest["/v5/order/realtime"] = lambda params: (200, second if "cursor" in params else first)
    async with connected(*stub) as (venue, _):
        assert [each.oid for each in await venue.open_orders()] == [OID, "b"]
        assert len(await venue.open_orders("ETHUSDT")) == 2
    named = [(each.get("settleCoin"), each.get("symbol")) for each in exchange_.sent("/v5/order/realtime")]
    assert named == [("USDT", None)] * 2 + [(None, "ETHUSDT")] * 2


async def test_positions_and_balances(stub: Stub) -> None:
    """Positions that are zero are left out; each asset of the wallet is told."""
    exchange_, _ = stub
    coins = [{"coin": "USDT", "walletBalance": "100", "availableToWithdraw": "90"}]
    exchange_.rest["/v5/account/wallet-balance"] = 200, answer({"list": [{"accountType": "UNIFIED", "coin": coins}]})
    async with connected(*stub) as (venue, _):
        flat = position_row(symbol="BTCUSDT", side="", size="0")
        exchange_.rest["/v5/position/list"] = 200, page([position_row(), flat])
        assert [(each.ticker, each.amount) for each in await venue.positions()] == [("ETHUSDT", D(-2))]
        assert [(each.asset, each.total, each.available) for each in await venue.balances()] == [
            ("USDT", D(100), D(90))
        ]


async def test_fills_are_asked_for_in_windows(stub: Stub) -> None:
    """Ten days are two windows of seven at most, each followed to its last page; oldest first, each fill once."""
    exchange_, _ = stub
    day = 86_400_000

    def at(ms: int, trade: str) -> dict[str, Any]:
        return execution_row(execId=trade, execTime=str(ms))

    def executions(params: dict[str, Any]) -> tuple[int, Any]:
        if int(params["startTime"]) == NOW_MS - 10 * day:
            older = page([at(NOW_MS - 9 * day, "a")])
            return 200, older if "cursor" in params else page([at(NOW_MS - 8 * day, "b")], "older")
        return 200, page([at(NOW_MS - day, "c"), at(NOW_MS - 8 * day, "b")])

    exchange_.rest["/v5/execution/list"] = executions
    async with connected(*stub, clock_ns=lambda: NOW_MS * 1_000_000) as (venue, _):
        fills = await venue.fills_since((NOW_MS - 10 * day) * 1_000_000)
    assert [fill.trade_id for fill in fills] == ["a", "b", "c"]
    assert all(fill.snapshot for fill in fills)
    spans = [int(each["endTime"]) - int(each["startTime"]) for each in exchange_.sent("/v5/execution/list")]
    assert len(spans) == 3
    assert max(spans) < 7 * day


# ------------------------------------------------------------------ public data


async def test_public_data_of_a_contract(stub: Stub) -> None:
    """Book, trades and ticker are asked for; news is public; a ticker's delta gives the whole quote and mid."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, desk):
        await venue.subscribe("ETHUSDT")
        await exchange_.until(lambda: bool(exchange_.topics("public")))
        assert exchange_.topics("public") == ["orderbook.50.ETHUSDT", "publicTrade.ETHUSDT", "tickers.ETHUSDT"]
        await exchange_.push("public", public("tickers.ETHUSDT", TICKER))
        await exchange_.push("public", public("tickers.ETHUSDT", {"symbol": "ETHUSDT", "bid1Price": "2500.5"}, "delta"))
        await desk.until(lambda: len(desk.batches) == 2)
        assert await venue.reference_price("ETHUSDT") == D("2500.75")
    assert all(not batch.private for batch in desk.batches)
    quote = desk.batches[-1].events[0]
    assert isinstance(quote, QuoteUpdate)
    assert quote.ask is not None
    assert quote.ask.price == D(2501)


async def test_public_data_survives_a_reconnect_and_ends(stub: Stub) -> None:
    """After a cut the same topics are asked for again; what is left is unsubscribed."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, desk):
        await venue.subscribe("ETHUSDT")
        await exchange_.until(lambda: len(exchange_.topics("public")) == 3)
        await exchange_.drop("public")
        await exchange_.until(lambda: len(exchange_.topics("public")) == 6)
        await desk.until(lambda: desk.states_of(Channel.PUBLIC) == [True, False, True])
        await venue.unsubscribe("ETHUSDT")
        await exchange_.until(lambda: len(exchange_.topics("public", "unsubscribe")) == 3)
        with pytest.raises(Denied):
            await venue.subscribe("NOPE")


async def test_a_fresh_book_comes_by_the_stream(stub: Stub) -> None:
    """Of a watched contract the book is the stream's own: the first snapshot, or one that is subscribed to anew."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, desk):
        await venue.subscribe("ETHUSDT")
        await exchange_.until(lambda: len(exchange_.topics("public")) == 3)
        first = asyncio.ensure_future(venue.book("ETHUSDT"))
        while not venue._market._waiting:
            await asyncio.sleep(0)
        await exchange_.push("public", book(40))
        await desk.until(lambda: len(desk.batches) == 1)
        assert (await first).last_seq == 40
        assert exchange_.topics("public", "unsubscribe") == []
        again = asyncio.ensure_future(venue.book("ETHUSDT", 1))
        await exchange_.until(lambda: len(exchange_.topics("public")) == 4)
        assert exchange_.topics("public", "unsubscribe") == ["orderbook.50.ETHUSDT"]
        await exchange_.push("public", book(77, bids=[("2500", "1"), ("2499", "1")]))
        fresh = await again
    assert (fresh.last_seq, fresh.snapshot, len(fresh.bids)) == (77, True, 1)
    assert [each.last_seq for each in desk.events if isinstance(each, BookUpdate)] == [40, 77]
    assert exchange_.sent("/v5/market/orderbook") == []


async def test_books_and_prices_of_others_are_asked_for(stub: Stub) -> None:
    """Without a subscription the book and the reference price are queried; no answer is no price."""
    exchange_, _ = stub
    said = {"s": "ETHUSDT", "b": [["2500", "1"]], "a": [["2501", "1"]], "ts": 5, "u": 9}
    exchange_.rest["/v5/market/orderbook"] = 200, answer(said)
    exchange_.rest["/v5/market/tickers"] = [(200, page([TICKER])), (503, "busy")]
    async with connected(*stub) as (venue, _):
        assert (await venue.book("ETHUSDT", 5)).last_seq == 9
        assert await venue.reference_price("ETHUSDT") == D("2500.5")
        assert await venue.reference_price("ETHUSDT") is None
    assert exchange_.sent("/v5/market/orderbook")[0]["limit"] == "5"


async def test_refused_topics_and_unreadable_messages_are_counted(stub: Stub) -> None:
    """Public messages that give nothing are counted and end no connection."""
    exchange_, endpoints = stub
    venue, desk = BybitVenue("bybit", endpoints), Desk()
    await venue.connect(desk.sink, desk)
    exchange_.refuse_ops["subscribe"] = "handler not found"
    await venue.subscribe("ETHUSDT")
    await desk.until(lambda: bool(desk.dropped))
    await exchange_.push("public", json.dumps(public("orderbook.50.ETHUSDT", {})))
    await exchange_.push("public", json.dumps(public("lunar.ETHUSDT", {})))
    await desk.until(lambda: len(desk.dropped) == 3)
    assert desk.states_of(Channel.PUBLIC) == [True]
    await venue.close()
    assert "handler not found" in desk.dropped[0]
    assert "data.s" in desk.dropped[1]
    assert desk.dropped[2] == "unknown public message lunar"
