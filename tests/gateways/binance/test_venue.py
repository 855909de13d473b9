"""The venue against a scripted exchange: every channel, and every way in which a request can end."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from gateways.binance.encode import sign
from gateways.binance.venue import BinanceVenue
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
from tests.gateways.binance.messages import CLOID, execution, order_update, rest_order, user_trade
from tests.gateways.binance.stub_exchange import KEY, SECRET, Stub, connected

D = Decimal
QUOTE = {
    "stream": "ethusdt@bookTicker",
    "data": {"e": "bookTicker", "u": 1, "s": "ETHUSDT", "b": "2500", "B": "1", "a": "2501", "A": "1", "T": 1, "E": 1},
}
ORDER = PlaceOrder(ticker="ETHUSDT", cloid=CLOID, amount=D(-2), price=D(2500))


def answering(**order: Any) -> Any:
    async def answer(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        await socket.send_json({"id": message["id"], "status": 200, "result": rest_order(**order), "rateLimits": []})

    return answer


def refusing(code: int, text: str = "no", status: int = 400, **data: Any) -> Any:
    async def answer(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        await socket.send_json({"id": message["id"], "status": status, "error": {"code": code, "msg": text, **data}})

    return answer


# ------------------------------------------------------------------ connecting


async def test_connect_opens_the_private_stream_and_order_entry(stub: Stub) -> None:
    """Contracts are there, and the private stream carries the key that was made."""
    async with connected(*stub) as (venue, _):
        assert list(venue.contracts) == ["ETHUSDT"]
        assert ("/private/ws", {"listenKey": "listen-key-number-1"}) in stub[0].opened


def test_endpoints_must_name_every_address() -> None:
    """A missing address is named."""
    with pytest.raises(Denied, match="market, api"):
        BinanceVenue("binance", Endpoints(rest="http://127.0.0.1", ws={"public": "ws://x", "private": "ws://y"}))


async def test_requests_carry_the_venues_time(stub: Stub) -> None:
    """With our clock an hour behind, the timestamp in a request is the venue's time all the same."""
    late = 1_700_000_000_000 - 3_600_000
    exchange_, _ = stub
    exchange_.rest["GET", "/fapi/v3/balance"] = 200, []
    async with connected(*stub, clock_ns=lambda: late * 1_000_000) as (venue, _):
        await venue.balances()
    [params] = exchange_.sent("GET", "/fapi/v3/balance")
    assert params["timestamp"] == "1700000000000"


# ------------------------------------------------------------------ the private stream


async def test_private_news_reaches_the_sink(stub: Stub) -> None:
    """Orders and fills come as one private batch a message, with the time they were read."""
    async with connected(*stub, clock_ns=lambda: 42) as (_, desk):
        await stub[0].push("private", execution())
        await desk.until(lambda: bool(desk.batches))
    [batch] = desk.batches
    assert [type(event) for event in batch.events] == [OrderUpdate, FillEvent]
    assert (batch.venue, batch.private, batch.ts_recv_ns) == ("binance", True, 42)


async def test_expired_listen_key_makes_a_new_one(stub: Stub) -> None:
    """The end of the key is told, a new key is made, and news comes over the new connection."""
    exchange_, _ = stub
    async with connected(*stub) as (_, desk):
        await exchange_.push("private", {"e": "listenKeyExpired", "E": 1, "listenKey": "listen-key-number-1"})
        await desk.until(lambda: desk.states_of(Channel.PRIVATE) == [True, False, True])
        assert exchange_.opened[-1] == ("/private/ws", {"listenKey": "listen-key-number-2"})
        await exchange_.push("private", order_update())
        await desk.until(lambda: any(isinstance(event, OrderUpdate) for event in desk.events))


async def test_keepalive_prolongs_the_key(stub: Stub) -> None:
    """The key is prolonged at its interval, and the connection stays."""
    exchange_, _ = stub
    async with connected(*stub, keepalive_s=0.01):
        await exchange_.until(lambda: len(exchange_.sent("PUT", "/fapi/v1/listenKey")) >= 3)
        assert len(exchange_.sockets["private"]) == 1


async def test_a_key_that_is_gone_is_replaced(stub: Stub) -> None:
    """A keepalive that is told that there is no such key leads to a new key and a new connection."""
    exchange_, _ = stub
    gone = 400, {"code": -1125, "msg": "This listenKey does not exist."}
    exchange_.rest["PUT", "/fapi/v1/listenKey"] = [gone, (200, {})]
    async with connected(*stub, keepalive_s=0.02):
        await exchange_.until(lambda: len(exchange_.sockets["private"]) == 2)
    assert exchange_.keys == 2


async def test_a_keepalive_that_fails_is_tried_again(stub: Stub) -> None:
    """A failed keepalive proves nothing about the key: the stream stays and the next one is sent."""
    exchange_, _ = stub
    exchange_.rest["PUT", "/fapi/v1/listenKey"] = 503, {"code": -1, "msg": "Service Unavailable"}
    async with connected(*stub, keepalive_s=0.01):
        await exchange_.until(lambda: len(exchange_.sent("PUT", "/fapi/v1/listenKey")) >= 3)
        assert len(exchange_.sockets["private"]) == 1


async def test_lost_private_stream_comes_back_with_a_new_key(stub: Stub) -> None:
    """A cut connection is reported down and up again, so that the OMS reconciles."""
    async with connected(*stub) as (_, desk):
        await stub[0].drop("private")
        await desk.until(lambda: desk.states_of(Channel.PRIVATE) == [True, False, True])
    assert stub[0].keys == 2


async def test_unreadable_private_message_forces_a_reconnect(stub: Stub) -> None:
    """What cannot be read may have been a fill: it is counted, and a new connection makes the OMS reconcile."""
    broken = execution(z="NaN")
    async with connected(*stub) as (_, desk):
        await stub[0].push("private", broken)
        await desk.until(lambda: desk.states_of(Channel.PRIVATE) == [True, False, True])
    assert any("o.z" in reason for reason in desk.dropped)
    assert desk.events == []


async def test_unknown_private_messages_are_counted(stub: Stub) -> None:
    """A type of tomorrow is counted by name; documented types without use are not."""
    async with connected(*stub) as (_, desk):
        await stub[0].push("private", {"e": "ACCOUNT_CONFIG_UPDATE", "E": 1, "T": 1, "ac": {"s": "ETHUSDT", "l": 5}})
        await stub[0].push("private", {"e": "LUNAR_UPDATE"})
        await desk.until(lambda: bool(desk.dropped))
    assert desk.dropped == ["unknown private message LUNAR_UPDATE"]


# ------------------------------------------------------------------ order entry


async def test_place_goes_by_websocket(stub: Stub) -> None:
    """One signed message, the order as acknowledged in return, the same news at the sink, no secret in the log."""
    exchange_, _ = stub
    exchange_.api = answering(status="PARTIALLY_FILLED", executedQty="0.500")
    async with connected(*stub) as (venue, desk):
        update = await venue.place(ORDER)
    [message] = exchange_.received["api"]
    params = message["params"]
    assert (message["method"], params["newClientOrderId"], params["side"]) == ("order.place", CLOID, "SELL")
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")
    assert params["signature"] == sign(SECRET, payload)
    assert (update.status, update.filled, update.cloid) == (OrderStatus.PARTIAL, D("-0.500"), CLOID)
    assert desk.events == [update]
    verb, sent, answer, ok = desk.requests[-1]
    assert (verb, ok) == ("place", True)
    assert CLOID in sent
    assert "PARTIALLY_FILLED" in answer
    assert KEY not in sent
    assert params["signature"] not in sent
    assert exchange_.sent("POST", "/fapi/v1/order") == []


async def test_amend_and_cancel_go_by_websocket(stub: Stub) -> None:
    """Both return the order as it then stands."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, _):
        exchange_.api = answering(origQty="3.000", price="2501.00")
        amended = await venue.amend(AmendOrder(ticker="ETHUSDT", cloid=CLOID, oid="7", amount=D(-3), price=D(2501)))
        exchange_.api = answering(status="CANCELED")
        cancelled = await venue.cancel(CancelOrder(ticker="ETHUSDT", cloid=CLOID))
    assert (amended.amount, amended.price) == (D("-3.000"), D("2501.00"))
    assert cancelled is not None
    assert cancelled.status is OrderStatus.CANCELLED
    assert [message["method"] for message in exchange_.received["api"]] == ["order.modify", "order.cancel"]
    assert exchange_.received["api"][0]["params"]["orderId"] == 7


async def test_no_reply_is_unknown_and_the_late_reply_still_counts(stub: Stub) -> None:
    """A timeout says nothing about the order; its reply, when it comes, reaches the sink."""
    exchange_, _ = stub
    release = asyncio.Event()
    answers: list[asyncio.Task[None]] = []

    async def late(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        async def answer() -> None:
            await release.wait()
            await answering(status="FILLED", executedQty="2.000")(message, socket)

        answers.append(asyncio.get_running_loop().create_task(answer()))

    exchange_.api = late
    async with connected(*stub, reply_timeout_s=0.05) as (venue, desk):
        with pytest.raises(Unknown, match="no reply"):
            await venue.place(ORDER)
        release.set()
        await desk.until(lambda: bool(desk.events))
        await asyncio.gather(*answers)
    [update] = desk.events
    assert isinstance(update, OrderUpdate)
    assert update.status is OrderStatus.FILLED
    assert len(exchange_.received["api"]) == 1
    assert exchange_.sent("POST", "/fapi/v1/order") == []


async def test_a_late_refusal_reaches_the_sink_with_its_cloid(stub: Stub) -> None:
    """When nobody waits any more, a definite refusal is evidence that the order never was."""
    exchange_, _ = stub
    held: list[tuple[dict[str, Any], web.WebSocketResponse]] = []

    async def hold(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        held.append((message, socket))

    exchange_.api = hold
    async with connected(*stub, reply_timeout_s=0.05) as (venue, desk):
        with pytest.raises(Unknown):
            await venue.place(ORDER)
        await refusing(-2019, "Margin is insufficient.")(*held[0])
        await desk.until(lambda: bool(desk.events))
    [reject] = desk.events
    assert isinstance(reject, Reject)
    assert (reject.cloid, reject.reason, reject.definite) == (CLOID, RejectReason.MARGIN, True)


async def test_disconnect_before_the_reply_is_unknown(stub: Stub) -> None:
    """A socket that closes after the request was read: Unknown, and the order does not go out a second time."""
    exchange_, _ = stub

    async def hang_up(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        await socket.close()

    exchange_.api = hang_up
    async with connected(*stub) as (venue, desk):
        with pytest.raises(Unknown, match="connection was lost"):
            await venue.place(ORDER)
        await desk.until(lambda: desk.states_of(Channel.TRADE) == [True, False, True])
    assert len(exchange_.received["api"]) == 1
    assert exchange_.sent("POST", "/fapi/v1/order") == []


async def test_order_entry_falls_back_to_http(stub: Stub) -> None:
    """While the websocket API is down, orders go by HTTP, once."""
    exchange_, _ = stub
    exchange_.rest["POST", "/fapi/v1/order"] = 200, rest_order()
    exchange_.rest["DELETE", "/fapi/v1/order"] = 200, rest_order(status="CANCELED")
    async with connected(*stub) as (venue, desk):
        exchange_.refuse_sockets.add("api")
        await exchange_.drop("api")
        await desk.until(lambda: desk.states_of(Channel.TRADE) == [True, False])
        update = await venue.place(ORDER)
        await venue.cancel(CancelOrder(ticker="ETHUSDT", cloid=CLOID))
    assert update.status is OrderStatus.NEW
    assert len(exchange_.sent("POST", "/fapi/v1/order")) == 1
    assert len(exchange_.sent("DELETE", "/fapi/v1/order")) == 1
    assert exchange_.received["api"] == []


async def test_connect_succeeds_without_the_websocket_api(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A venue whose order entry socket is down can be traded by HTTP: connecting waits a while and says so."""
    monkeypatch.setattr("gateways.transport.streamed_venue.CONNECT_TIMEOUT_S", 0.2)
    stub[0].refuse_sockets.add("api")
    stub[0].rest["POST", "/fapi/v1/order"] = 200, rest_order()
    async with connected(*stub) as (venue, desk):
        assert any("HTTP" in reason for reason in desk.dropped)
        assert (await venue.place(ORDER)).oid == "22542179"


@pytest.mark.parametrize("status", [500, 503, 408])
async def test_server_errors_by_http_are_unknown(stub: Stub, status: int) -> None:
    """A failing server may have taken the order."""
    exchange_, _ = stub
    exchange_.rest["POST", "/fapi/v1/order"] = status, {"code": -1000, "msg": "Unknown error"}
    async with connected(*stub) as (venue, desk):
        exchange_.refuse_sockets.add("api")
        await exchange_.drop("api")
        await desk.until(lambda: desk.states_of(Channel.TRADE) == [True, False])
        with pytest.raises(Unknown):
            await venue.place(ORDER)
    assert len(exchange_.sent("POST", "/fapi/v1/order")) == 1


async def test_an_answer_that_cannot_be_read_is_unknown(stub: Stub) -> None:
    """The order was taken, by either way: that its answer is garbled does not undo it."""
    exchange_, _ = stub

    async def garbled(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        await socket.send_json({"id": message["id"], "status": 200, "result": rest_order(origQty="much")})

    exchange_.api = garbled
    exchange_.rest["POST", "/fapi/v1/order"] = 200, rest_order(origQty="much")
    async with connected(*stub) as (venue, desk):
        with pytest.raises(Unknown, match="origQty"):
            await venue.place(ORDER)
        exchange_.refuse_sockets.add("api")
        await exchange_.drop("api")
        await desk.until(lambda: desk.states_of(Channel.TRADE) == [True, False])
        with pytest.raises(Unknown, match="origQty"):
            await venue.place(ORDER)


async def test_refusals_are_rejected_with_their_reason(stub: Stub) -> None:
    """A definite refusal carries code, text and normalized reason; one that proves nothing is Unknown."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, desk):
        exchange_.api = refusing(-5022, "Due to the order could not be executed as maker")
        with pytest.raises(Rejected) as raised:
            await venue.place(ORDER)
        assert (raised.value.reason, raised.value.code) == (RejectReason.POST_ONLY, "-5022")
        exchange_.api = refusing(-2011, "Unknown order sent.")
        with pytest.raises(Rejected) as raised:
            await venue.cancel(CancelOrder(ticker="ETHUSDT", cloid=CLOID))
        assert raised.value.reason is RejectReason.UNKNOWN_ORDER
        for answer in (refusing(-1007, "Timeout"), refusing(-2019, "?", status=500)):
            exchange_.api = answer
            with pytest.raises(Unknown):
                await venue.place(ORDER)
    assert desk.events == [], "the caller was told: nothing is left to say"


async def test_rate_refusals_stop_what_follows(stub: Stub) -> None:
    """After a refusal for rate nothing is sent until the time it names is over."""
    exchange_, _ = stub
    exchange_.api = refusing(-1003, "slow down", 429, data={"serverTime": 1_000, "retryAfter": 61_000})
    async with connected(*stub) as (venue, _):
        with pytest.raises(RateLimited) as raised:
            await venue.place(ORDER)
        assert raised.value.retry_after == pytest.approx(60.0)
        with pytest.raises(Unavailable, match="rate budget"):
            await venue.place(ORDER, hedge=True)
    assert len(exchange_.received["api"]) == 1


async def test_denied_before_it_is_sent(stub: Stub) -> None:
    """An order that cannot be leaves nothing on the wire."""
    async with connected(*stub) as (venue, _):
        with pytest.raises(Denied, match="ETHUSDT"):
            await venue.place(PlaceOrder(ticker="ETHUSD", cloid=CLOID, amount=D(1), price=D(1)))
    assert stub[0].received["api"] == []


async def test_many_at_once_get_their_own_answers(stub: Stub) -> None:
    """Replies that come in another order than the requests reach who asked."""
    exchange_, _ = stub
    waiting: list[tuple[dict[str, Any], web.WebSocketResponse]] = []

    async def reversed_(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        waiting.append((message, socket))
        if len(waiting) == 10:
            for each, where in reversed(waiting):
                await answering(clientOrderId=each["params"]["newClientOrderId"])(each, where)

    exchange_.api = reversed_
    cloids = [f"{number:032x}" for number in range(10)]
    orders = [PlaceOrder(ticker="ETHUSDT", cloid=cloid, amount=D(1), price=D(2500)) for cloid in cloids]
    async with connected(*stub) as (venue, _):
        updates = await asyncio.gather(*(venue.place(order) for order in orders))
    assert [update.cloid for update in updates] == cloids


# ------------------------------------------------------------------ queries


async def test_order_not_found_is_not_a_failed_query(stub: Stub) -> None:
    """Only the venue's own word proves that there is no such order; an error does not."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, _):
        exchange_.rest["GET", "/fapi/v1/order"] = 400, {"code": -2013, "msg": "Order does not exist."}
        with pytest.raises(NotFound):
            await venue.order("ETHUSDT", cloid=CLOID)
        exchange_.rest["GET", "/fapi/v1/order"] = 503, {"code": -2013, "msg": "Order does not exist."}
        with pytest.raises(Unknown):
            await venue.order("ETHUSDT", cloid=CLOID)
        exchange_.rest["GET", "/fapi/v1/order"] = 400, {"code": -1121, "msg": "Invalid symbol."}
        with pytest.raises(Rejected):
            await venue.order("ETHUSDT", cloid=CLOID)
        exchange_.rest["GET", "/fapi/v1/order"] = 200, rest_order(status="CANCELED", executedQty="1.000")
        update = await venue.order("ETHUSDT", oid="22542179")
    assert (update.status, update.filled) == (OrderStatus.CANCELLED, D("-1.000"))


async def test_account_queries(stub: Stub) -> None:
    """Balances, positions that are not zero, open orders."""
    exchange_, _ = stub
    balance = {"asset": "USDT", "balance": "100.5", "availableBalance": "90", "updateTime": 1}
    flat = {"symbol": "ETHUSDT", "positionSide": "BOTH", "positionAmt": "0.000", "entryPrice": "0.0", "updateTime": 0}
    exchange_.rest["GET", "/fapi/v3/balance"] = 200, [balance]
    exchange_.rest["GET", "/fapi/v3/positionRisk"] = 200, [flat, {**flat, "positionAmt": "-1.5", "entryPrice": "2500"}]
    exchange_.rest["GET", "/fapi/v1/openOrders"] = 200, [rest_order()]
    async with connected(*stub) as (venue, _):
        [money] = await venue.balances()
        [position] = await venue.positions()
        [order] = await venue.open_orders("ETHUSDT")
    assert (money.asset, money.total, money.available) == ("USDT", D("100.5"), D(90))
    assert (position.ticker, position.amount, position.entry_price) == ("ETHUSDT", D("-1.5"), D(2500))
    assert order.cloid == CLOID


async def test_cancel_all_is_native(stub: Stub) -> None:
    """One request for all orders of a contract."""
    stub[0].rest["DELETE", "/fapi/v1/allOpenOrders"] = 200, {"code": 200, "msg": "done"}
    async with connected(*stub) as (venue, _):
        await venue.cancel_all("ETHUSDT")
    [params] = stub[0].sent("DELETE", "/fapi/v1/allOpenOrders")
    assert params["symbol"] == "ETHUSDT"


async def test_fills_are_paged_until_there_are_no_more(stub: Stub) -> None:
    """A full page is followed by id until a page is not full; nothing is lost or doubled between pages."""
    exchange_, _ = stub
    day = 86_400_000
    now = 1_700_000_000_000
    rows = [user_trade(id=number, time=now - 10 * day + number * 1_000) for number in range(1, 2_501)]

    def trades(params: dict[str, str]) -> tuple[int, Any]:
        if "fromId" in params:
            assert "startTime" not in params
            found = [row for row in rows if row["id"] >= int(params["fromId"])]
        else:
            start, end = int(params["startTime"]), int(params["endTime"])
            assert end - start < 7 * day
            found = [row for row in rows if start <= row["time"] <= end]
        return 200, found[: int(params["limit"])]

    exchange_.rest["GET", "/fapi/v1/userTrades"] = trades
    async with connected(*stub, clock_ns=lambda: now * 1_000_000) as (venue, _):
        fills = await venue.fills_since((now - 30 * day) * 1_000_000, "ETHUSDT")
        recent = await venue.fills_since(rows[2_399]["time"] * 1_000_000)
    assert [fill.trade_id for fill in fills] == [str(number) for number in range(1, 2_501)]
    assert [fill.trade_id for fill in recent] == [str(number) for number in range(2_400, 2_501)]
    assert all(fill.snapshot for fill in fills)


async def test_paging_ends_though_the_venue_answers_every_page_alike(stub: Stub) -> None:
    """Where an answer ignores the id that it was asked from, each fill is taken once, and asking ends."""
    exchange_, _ = stub
    now = 1_700_000_000_000
    rows = [user_trade(id=number, time=now - 2_000_000 + number * 1_000) for number in range(1, 1_001)]
    exchange_.rest["GET", "/fapi/v1/userTrades"] = 200, rows
    async with connected(*stub, clock_ns=lambda: now * 1_000_000) as (venue, _):
        fills = await venue.fills_since((now - 3_000_000) * 1_000_000, "ETHUSDT")
    assert [fill.trade_id for fill in fills] == [str(number) for number in range(1, 1_001)]
    assert [params.get("fromId") for params in exchange_.sent("GET", "/fapi/v1/userTrades")] == [None, "1001"]


async def test_a_fill_is_found_though_our_idea_of_the_venues_time_is_behind(stub: Stub) -> None:
    """The last window ends after it: a fill of this very moment, by the venue's clock, is in the answer."""
    exchange_, _ = stub
    now = 1_700_000_000_000
    row = user_trade(id=7, time=now + 150)

    def trades(params: dict[str, str]) -> tuple[int, Any]:
        return 200, [row] if int(params["startTime"]) <= row["time"] <= int(params["endTime"]) else []

    exchange_.rest["GET", "/fapi/v1/userTrades"] = trades
    async with connected(*stub, clock_ns=lambda: now * 1_000_000) as (venue, _):
        [fill] = await venue.fills_since((now - 1_000) * 1_000_000, "ETHUSDT")
    assert fill.trade_id == "7"


async def test_a_ban_is_honoured(stub: Stub) -> None:
    """After 429 with Retry-After no request is sent, of whatever kind."""
    exchange_, _ = stub
    exchange_.rest["GET", "/fapi/v3/balance"] = 429, {"code": -1003, "msg": "Too many requests"}, {"Retry-After": "30"}
    async with connected(*stub) as (venue, _):
        with pytest.raises(RateLimited) as raised:
            await venue.balances()
        assert raised.value.retry_after == 30.0
        with pytest.raises(Unavailable, match="rate budget"):
            await venue.balances()
        with pytest.raises(Unavailable, match="rate budget"):
            await venue.cancel(CancelOrder(ticker="ETHUSDT", cloid=CLOID))
    assert len(exchange_.sent("GET", "/fapi/v3/balance")) == 1


async def test_the_venues_count_is_learnt(stub: Stub) -> None:
    """A used weight near the limit, told by a header, holds queries back and lets cancels pass."""
    exchange_, _ = stub
    exchange_.rest["GET", "/fapi/v3/balance"] = 200, [], {"X-MBX-USED-WEIGHT-1M": "2300"}
    exchange_.api = answering(status="CANCELED")
    async with connected(*stub) as (venue, _):
        await venue.balances()
        with pytest.raises(Unavailable, match="rate budget"):
            await venue.balances()
        await venue.cancel(CancelOrder(ticker="ETHUSDT", cloid=CLOID))


# ------------------------------------------------------------------ public data


async def test_subscriptions(stub: Stub) -> None:
    """Books and quotes on one connection, trades and marks on the other; unsubscribing closes them."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, desk):
        await venue.subscribe("ETHUSDT")
        await venue.subscribe("ETHUSDT")
        await exchange_.until(lambda: bool(exchange_.received["public"] and exchange_.received["market"]))
        assert exchange_.received["public"][0]["method"] == "SUBSCRIBE"
        assert exchange_.received["public"][0]["params"] == ["ethusdt@bookTicker", "ethusdt@depth@100ms"]
        assert exchange_.received["market"][0]["params"] == ["ethusdt@aggTrade", "ethusdt@markPrice@1s"]
        quote = {
            "e": "bookTicker",
            "u": 1,
            "s": "ETHUSDT",
            "b": "2500",
            "B": "1",
            "a": "2501",
            "A": "1",
            "T": 1,
            "E": 1,
        }
        await exchange_.push("public", {"stream": "ethusdt@bookTicker", "data": quote})
        await desk.until(lambda: any(isinstance(event, QuoteUpdate) for event in desk.events))
        assert not desk.batches[-1].private
        await venue.unsubscribe("ETHUSDT")
        await exchange_.until(lambda: len(exchange_.received["public"]) == 2)
        assert exchange_.received["public"][1]["method"] == "UNSUBSCRIBE"
    assert len(exchange_.sockets["public"]) == 1


async def test_subscriptions_survive_a_reconnect(stub: Stub) -> None:
    """A new connection subscribes to what was wanted; the channel is reported down and up."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, desk):
        await venue.subscribe("ETHUSDT")
        await exchange_.until(lambda: bool(exchange_.received["public"]))
        await desk.until(lambda: desk.states_of(Channel.PUBLIC)[-1:] == [True])
        await exchange_.drop("public")
        await exchange_.until(lambda: len(exchange_.received["public"]) == 2)
        await desk.until(lambda: desk.states_of(Channel.PUBLIC)[-2:] == [False, True])
    assert exchange_.received["public"][1]["params"] == ["ethusdt@bookTicker", "ethusdt@depth@100ms"]


async def test_subscribe_to_an_unknown_ticker_is_denied(stub: Stub) -> None:
    """The venue would accept the name and stay silent."""
    async with connected(*stub) as (venue, _):
        with pytest.raises(Denied, match="did you mean ETHUSDT"):
            await venue.subscribe("ETHUSD")


async def test_reference_price(stub: Stub) -> None:
    """Asked for without a stream; the mid of the stream when there is one; None where nobody can say."""
    exchange_, _ = stub
    book = {"symbol": "ETHUSDT", "bidPrice": "2400", "bidQty": "1", "askPrice": "2402", "askQty": "1", "time": 1}
    exchange_.rest["GET", "/fapi/v1/ticker/bookTicker"] = 200, book
    async with connected(*stub) as (venue, desk):
        assert await venue.reference_price("ETHUSDT") == D(2401)
        await venue.subscribe("ETHUSDT")
        await desk.until(lambda: desk.states_of(Channel.PUBLIC)[-1:] == [True])
        quote = {
            "e": "bookTicker",
            "u": 1,
            "s": "ETHUSDT",
            "b": "2500",
            "B": "1",
            "a": "2501",
            "A": "1",
            "T": 1,
            "E": 1,
        }
        await exchange_.push("public", {"stream": "ethusdt@bookTicker", "data": quote})
        await desk.until(lambda: bool(desk.events))
        assert await venue.reference_price("ETHUSDT") == D("2500.5")
        exchange_.rest["GET", "/fapi/v1/ticker/bookTicker"] = 503, {}
        await venue.unsubscribe("ETHUSDT")
        assert await venue.reference_price("ETHUSDT") is None


async def test_book_snapshot(stub: Stub) -> None:
    """The snapshot names the contract that was asked for, and its sequence."""
    body = {"lastUpdateId": 9, "E": 1, "T": 2, "bids": [["2500", "1"]], "asks": [["2501", "2"]]}
    stub[0].rest["GET", "/fapi/v1/depth"] = 200, body
    async with connected(*stub) as (venue, _):
        book = await venue.book("ETHUSDT", 20)
    assert isinstance(book, BookUpdate)
    assert (book.ticker, book.snapshot, book.last_seq) == ("ETHUSDT", True, 9)


async def test_no_secret_is_ever_told(stub: Stub) -> None:
    """Nothing that a watcher hears holds the key, the secret, a signature or a listen key."""
    exchange_, _ = stub
    exchange_.rest["GET", "/fapi/v3/balance"] = 200, []
    exchange_.api = answering()
    async with connected(*stub, keepalive_s=0.01) as (venue, desk):
        await venue.balances()
        await venue.place(ORDER)
        await exchange_.until(lambda: len(exchange_.sent("PUT", "/fapi/v1/listenKey")) >= 1)
    told = json.dumps([desk.requests, desk.dropped, [state.note for state in desk.states]])
    signatures = [params["signature"] for _, _, params in exchange_.requests if "signature" in params]
    for secret in (KEY, SECRET, "listen-key-number", *signatures, exchange_.received["api"][0]["params"]["signature"]):
        assert secret not in told
