"""Order entry against a scripted exchange: every way in which a new order can end."""

from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from gateways.errors import Denied, RateLimited, Rejected, Unavailable, Unknown
from gateways.okx.venue import CAPABILITIES
from gateways.standards import (
    CancelOrder,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    PlaceOrder,
    Reject,
    RejectReason,
)
from gateways.venue import Channel
from tests.gateways.okx.messages import CLOID, ETH, instrument, taken
from tests.gateways.okx.stub_exchange import Stub, connected, refusing, said

D = Decimal
OID = "312269865356374016"
PLACE = PlaceOrder(ticker=ETH, cloid=CLOID, amount=D(-2), price=D(2500))
CANCEL = CancelOrder(ticker=ETH, oid=OID)
HTTP_PLACE = ("POST", "/api/v5/trade/order")
HTTP_CANCEL = ("POST", "/api/v5/trade/cancel-order")


async def silent(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
    """Never answer."""


# ------------------------------------------------------------------ place


async def test_an_order_goes_by_websocket_in_contracts_and_bounded_in_time(stub: Stub) -> None:
    """The contract is named by its code, the size is in contracts, and past its last time the venue refuses it."""
    exchange_, _ = stub
    async with connected(*stub, clock_ns=lambda: 1_700_000_000_000_000_000) as (venue, desk):
        update = await venue.place(PLACE)
        await desk.until(lambda: bool(desk.events))
    [message] = exchange_.order_requests()
    assert (message["op"], message["expTime"]) == ("order", str(1_700_000_000_000 + CAPABILITIES.acceptance_window_ms))
    assert message["id"].isalnum()
    assert len(message["id"]) <= 32
    assert message["args"] == [
        {
            "instIdCode": 10461,
            "tdMode": "cross",
            "side": "sell",
            "sz": "20",
            "clOrdId": CLOID,
            "ordType": "limit",
            "px": "2500",
        }
    ]
    assert (update.oid, update.cloid, update.ticker, update.status) == (OID, CLOID, ETH, OrderStatus.NEW)
    assert (update.amount, update.filled) == (D(-2), None)
    assert desk.events == [update], "the news reaches the sink as well, whoever still waits"
    assert exchange_.sent(*HTTP_PLACE) == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("51008", RejectReason.MARGIN),
        ("51121", RejectReason.LOT),
        ("51006", RejectReason.PRICE_BAND),
        ("50037", RejectReason.CLOCK),
        ("59999", RejectReason.OTHER),
    ],
)
async def test_a_refused_order_is_rejected_by_its_own_code(stub: Stub, code: str, reason: RejectReason) -> None:
    """The item's code counts, not the outer 1; nothing is sent a second time."""
    exchange_, _ = stub
    exchange_.api = refusing(exchange_, code)
    async with connected(*stub) as (venue, desk):
        with pytest.raises(Rejected) as raised:
            await venue.place(PLACE)
    assert (raised.value.reason, raised.value.code) == (reason, code)
    assert (len(exchange_.order_requests()), exchange_.sent(*HTTP_PLACE), desk.events) == (1, [], [])


@pytest.mark.parametrize("code", ["50001", "50004", "50013", "50026", "51149"])
async def test_codes_that_leave_the_outcome_open_are_unknown(stub: Stub, code: str) -> None:
    """A timeout or a busy system does not prove that there is no order."""
    exchange_, _ = stub
    exchange_.api = refusing(exchange_, code)
    async with connected(*stub) as (venue, _):
        with pytest.raises(Unknown):
            await venue.place(PLACE)


async def test_a_rate_refusal_of_an_order_is_rate_limited(stub: Stub) -> None:
    """50011 on the websocket, whose items name nothing: a definite refusal, with the time to wait."""
    exchange_, _ = stub

    async def answer(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        await exchange_.reply(message, socket, code="50011", msg="Too Many Requests")

    exchange_.api = answer
    async with connected(*stub) as (venue, _):
        with pytest.raises(RateLimited) as raised:
            await venue.place(PLACE)
        assert raised.value.retry_after == 2.0
        with pytest.raises(Unavailable):
            await venue.place(PLACE)
    assert len(exchange_.order_requests()) == 1


async def test_no_reply_is_unknown_and_never_sent_again(stub: Stub) -> None:
    """Silence, then a lost connection: the order may exist."""
    exchange_, _ = stub
    exchange_.api = silent
    async with connected(*stub, reply_timeout_s=0.05) as (venue, _):
        with pytest.raises(Unknown):
            await venue.place(PLACE)

        async def drop(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
            await socket.close()

        exchange_.api = drop
        with pytest.raises(Unknown):
            await venue.place(PLACE)
    assert len(exchange_.order_requests()) == 2
    assert exchange_.sent(*HTTP_PLACE) == []


async def test_unreadable_replies_are_unknown(stub: Stub) -> None:
    """A reply without an oid, one without items and one without a code leave open what was done."""
    exchange_, _ = stub
    replies = [
        {"code": "0", "data": [taken(ordId="")]},
        {"code": "0", "data": []},
        {"code": "perhaps", "data": []},
        {"code": "0", "data": [taken(ts="yesterday")]},
    ]
    async with connected(*stub) as (venue, _):
        for reply in replies:

            async def answer(
                message: dict[str, Any], socket: web.WebSocketResponse, reply: dict[str, Any] = reply
            ) -> None:
                await socket.send_json({"id": message["id"], "op": message["op"], "msg": "", **reply})

            exchange_.api = answer
            with pytest.raises(Unknown):
                await venue.place(PLACE)
    assert exchange_.sent(*HTTP_PLACE) == []


async def test_late_news_counts_after_the_caller_gave_up(stub: Stub) -> None:
    """A late acknowledgement tells the oid; a late definite refusal tells that the order never existed."""
    exchange_, _ = stub
    held: list[tuple[dict[str, Any], web.WebSocketResponse]] = []

    async def hold(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        held.append((message, socket))

    exchange_.api = hold
    async with connected(*stub, reply_timeout_s=0.05) as (venue, desk):
        for _ in range(2):
            with pytest.raises(Unknown):
                await venue.place(PLACE)
        await exchange_.reply(*held[0], taken())
        await exchange_.reply(*held[1], taken(ordId="", sCode="51008"), code="1")
        await desk.until(lambda: len(desk.events) == 2)
    update, reject = desk.events
    assert isinstance(update, OrderUpdate)
    assert (update.cloid, update.oid) == (CLOID, OID)
    assert isinstance(reject, Reject)
    assert (reject.cloid, reject.definite, reject.reason) == (CLOID, True, RejectReason.MARGIN)


async def test_orders_go_by_http_while_the_socket_is_down(stub: Stub) -> None:
    """What definitely did not leave by the websocket goes once by HTTP, named by its contract's name."""
    exchange_, _ = stub
    exchange_.rest[HTTP_PLACE] = said(taken())
    exchange_.rest[HTTP_CANCEL] = said(taken())
    async with connected(*stub) as (venue, _):
        await venue._entry.stream.close()
        update = await venue.place(PLACE, hedge=True)
        assert await venue.cancel(CANCEL) is None
    assert (update.oid, update.status) == (OID, OrderStatus.NEW)
    [body] = exchange_.sent(*HTTP_PLACE)
    assert (body["instId"], body["sz"], "instIdCode" in body) == (ETH, "20", False)
    [headers] = [each[3] for each in exchange_.requests if each[1] == HTTP_PLACE[1]]
    assert int(headers["expTime"]) > 1_700_000_000_000
    assert exchange_.sent(*HTTP_CANCEL) == [{"instId": ETH, "ordId": OID}]
    assert exchange_.order_requests() == []


async def test_a_contract_without_a_code_goes_by_http(stub: Stub) -> None:
    """The websocket names contracts by a number; where the venue publishes none, HTTP takes the name."""
    exchange_, _ = stub
    exchange_.rest["GET", "/api/v5/public/instruments"] = said(instrument(instIdCode=None))
    exchange_.rest[HTTP_PLACE] = said(taken(sCode="51008", ordId="", sMsg="Insufficient"), code="1")
    async with connected(*stub) as (venue, _):
        with pytest.raises(Rejected, match="51008"):
            await venue.place(PLACE)
    assert exchange_.order_requests() == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((500, {"code": "50026", "msg": "System error"}), Unknown),
        ((200, {"code": "50004", "msg": "Endpoint request timeout", "data": []}), Unknown),
        ((200, {"data": "?"}), Unknown),
        ((400, {"code": "51000", "msg": "Parameter sz error", "data": []}), Rejected),
        ((401, {"code": "50113", "msg": "Invalid Sign"}), Rejected),
    ],
)
async def test_what_http_answers_prove(stub: Stub, answer: Any, error: type[Exception]) -> None:
    """A 5xx, a timeout code and an unreadable answer are Unknown; a named refusal is definite."""
    exchange_, _ = stub
    exchange_.rest[HTTP_PLACE] = answer
    async with connected(*stub) as (venue, _):
        await venue._entry.stream.close()
        with pytest.raises(error):
            await venue.place(PLACE)
    assert len(exchange_.sent(*HTTP_PLACE)) == 1


async def test_denied_orders_do_not_leave(stub: Stub) -> None:
    """An unknown contract, and a size that is no whole number of lots, are refused here."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, _):
        for wrong in (
            PlaceOrder(ticker="ETH-USD-SWAP", cloid=CLOID, amount=D(1), price=D(1)),
            PlaceOrder(ticker=ETH, cloid=CLOID, amount=D("0.0015"), price=D(1)),
            PlaceOrder(ticker=ETH, cloid=CLOID, amount=D(1), kind=OrderKind.MARKET, post_only=True),
        ):
            with pytest.raises(Denied):
                await venue.place(wrong)
    assert exchange_.order_requests() == []
    assert exchange_.sent(*HTTP_PLACE) == []


async def test_a_refused_order_socket_leaves_http(stub: Stub) -> None:
    """Errors that name no request are counted, and the socket stays for what follows."""
    exchange_, _ = stub

    async def answer(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        await socket.send_json({"event": "error", "code": "60012", "msg": "Invalid request", "connId": "a"})
        await exchange_.reply(message, socket, taken())

    exchange_.api = answer
    async with connected(*stub) as (venue, desk):
        await venue.place(PLACE)
        assert [each for each in desk.dropped if "60012" in each]
        assert desk.states_of(Channel.TRADE) == [True]
