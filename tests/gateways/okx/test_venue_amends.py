"""Amends and cancels against a scripted exchange: every way in which one can end."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from gateways.errors import Denied, Rejected, Unknown
from gateways.standards import (
    AmendOrder,
    CancelOrder,
    OrderStatus,
    OrderUpdate,
    RejectReason,
)
from tests.gateways.okx.messages import CLOID, ETH, order, orders_push, taken
from tests.gateways.okx.stub_exchange import Stub, StubExchange, connected, refusing, said

D = Decimal
OID = "312269865356374016"
AMEND = AmendOrder(ticker=ETH, cloid=CLOID, oid=OID, amount=D(-3), price=D(2501))
CANCEL = CancelOrder(ticker=ETH, oid=OID)
HTTP_AMEND = ("POST", "/api/v5/trade/amend-order")
PENDING = ("GET", "/api/v5/trade/orders-pending")


# ------------------------------------------------------------------ amend


def amending(stub: StubExchange, **news: Any) -> Any:
    """Take an amend and tell its end on the private stream, before the reply."""

    async def answer(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        [args] = message["args"]
        await stub.push(orders_push(order(sz=args["newSz"], px=args["newPx"], reqId=args["reqId"], **news)))
        await stub.reply(message, socket, taken(reqId=args["reqId"]))

    return answer


async def test_an_amend_returns_what_the_stream_tells(stub: Stub) -> None:
    """The reply says only that it was taken: the order as it then stands is what comes back."""
    exchange_, _ = stub
    exchange_.api = amending(exchange_, amendResult="0")
    async with connected(*stub) as (venue, desk):
        update = await venue.amend(AMEND)
        assert desk.events == [update]
    assert (update.oid, update.amount, update.price, update.label) == (OID, D("-3.0"), D(2501), "AMENDMENT")
    [message] = exchange_.order_requests()
    [args] = message["args"]
    assert args == {"instIdCode": 10461, "ordId": OID, "newSz": "30", "newPx": "2501", "reqId": message["id"]}


async def test_an_amend_that_fails_later_is_rejected(stub: Stub) -> None:
    """Taken, then refused by the news of it: the caller is told by whose code."""
    exchange_, _ = stub
    exchange_.api = amending(exchange_, amendResult="-1", code="51511", msg="would take liquidity")
    async with connected(*stub) as (venue, _):
        with pytest.raises(Rejected) as raised:
            await venue.amend(AMEND)
    assert (raised.value.reason, raised.value.code) == (RejectReason.POST_ONLY, "51511")


async def test_an_amend_of_an_order_that_is_gone_is_rejected_at_once(stub: Stub) -> None:
    """The reply itself refuses: not open now."""
    exchange_, _ = stub
    exchange_.api = refusing(exchange_, "51503")
    async with connected(*stub) as (venue, _):
        with pytest.raises(Rejected) as raised:
            await venue.amend(AMEND)
        assert venue._entry._amends == {}
    assert raised.value.reason is RejectReason.UNKNOWN_ORDER


async def test_an_amend_without_news_is_unknown(stub: Stub) -> None:
    """Taken, but the stream says nothing, or is lost before it does: the order may be either."""
    exchange_, _ = stub
    async with connected(*stub, reply_timeout_s=0.05) as (venue, _):
        with pytest.raises(Unknown, match="no news"):
            await venue.amend(AMEND)
    async with connected(*stub) as (venue, desk):
        waiting = asyncio.create_task(venue.amend(AMEND))
        await desk.until(lambda: any(verb == "amend" for verb, *_ in desk.requests))
        await exchange_.stream().close()
        with pytest.raises(Unknown, match="lost"):
            await waiting


async def test_an_amend_by_http_is_settled_by_the_stream_too(stub: Stub) -> None:
    """With the order socket down the request id goes in the body, and the news of it still ends the call."""
    exchange_, _ = stub
    exchange_.rest[HTTP_AMEND] = said(taken())
    async with connected(*stub) as (venue, _):
        await venue._entry.stream.close()
        waiting = asyncio.create_task(venue.amend(AMEND))
        await exchange_.until(lambda: bool(exchange_.sent(*HTTP_AMEND)))
        [body] = exchange_.sent(*HTTP_AMEND)
        await exchange_.push(orders_push(order(sz="30", px="2501", amendResult="0", reqId=body["reqId"])))
        assert (await waiting).amount == D("-3.0")


# ------------------------------------------------------------------ cancel


async def test_a_cancel_is_taken_and_ends_by_the_stream(stub: Stub) -> None:
    """The reply says nothing of the order; the push of it does."""
    exchange_, _ = stub
    async with connected(*stub) as (venue, desk):
        assert await venue.cancel(CANCEL) is None
        await exchange_.push(orders_push(order(state="canceled", cancelSource="1")))
        await desk.until(lambda: bool(desk.events))
    [update] = desk.events
    assert isinstance(update, OrderUpdate)
    assert (update.status, update.reason) == (OrderStatus.CANCELLED, None)
    [message] = exchange_.order_requests()
    assert message["args"] == [{"instIdCode": 10461, "ordId": OID}]
    assert "expTime" not in message


@pytest.mark.parametrize("code", ["51400", "51401", "51402", "51405", "51410"])
async def test_a_cancel_of_an_order_that_is_not_open_says_so(stub: Stub, code: str) -> None:
    """Each of the venue's words for it is UNKNOWN_ORDER: query, do not assume."""
    exchange_, _ = stub
    exchange_.api = refusing(exchange_, code)
    async with connected(*stub) as (venue, _):
        with pytest.raises(Rejected) as raised:
            await venue.cancel(CANCEL)
    assert raised.value.reason is RejectReason.UNKNOWN_ORDER


def cancelling(exchange_: StubExchange, code: str, **codes: str) -> Any:
    """Answer each item of a batch of cancels with ``code``, or with its own (``_3`` is the order 3's)."""

    async def answer(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        rows = [taken(ordId=each["ordId"], sCode=codes.get("_" + each["ordId"], code)) for each in message["args"]]
        await exchange_.reply(message, socket, *rows, code="2")

    return answer


async def test_cancel_all_lists_and_cancels_twenty_at_a_time(stub: Stub) -> None:
    """Every open order of the contract is in one batch; orders that are gone by then are no failure."""
    exchange_, _ = stub
    exchange_.rest[PENDING] = said(*(order(ordId=str(number)) for number in range(1, 26)))
    exchange_.api = cancelling(exchange_, "0", _3="51400")
    async with connected(*stub) as (venue, _):
        await venue.cancel_all(ETH)
    batches = [each["args"] for each in exchange_.batches()]
    assert [len(batch) for batch in batches] == [20, 5]
    assert {each["ordId"] for batch in batches for each in batch} == {str(number) for number in range(1, 26)}
    assert exchange_.sent(*PENDING)[0]["instId"] == ETH


async def test_cancel_all_tells_what_was_refused(stub: Stub) -> None:
    """Another refusal is raised, after the other batches went; nothing open sends nothing."""
    exchange_, _ = stub
    exchange_.rest[PENDING] = [said(*(order(ordId=str(number)) for number in range(1, 26))), said()]
    exchange_.api = cancelling(exchange_, "51403")
    async with connected(*stub) as (venue, _):
        with pytest.raises(Rejected, match="51403"):
            await venue.cancel_all(ETH)
        assert len(exchange_.batches()) == 2
        await venue.cancel_all(ETH)
        assert len(exchange_.batches()) == 2


async def test_the_dead_mans_switch_is_the_accounts(stub: Stub) -> None:
    """It is set for all its contracts, within what the venue takes, and taken back."""
    exchange_, _ = stub
    exchange_.rest["POST", "/api/v5/trade/cancel-all-after"] = said({"triggerTime": "1700000060", "ts": "1"})
    async with connected(*stub) as (venue, _):
        await venue.arm_dead_man(60, None)
        with pytest.raises(Denied):
            await venue.arm_dead_man(5, None)
        with pytest.raises(Denied):
            await venue.arm_dead_man(60, ETH)
        await venue.disarm_dead_man(None)
    assert exchange_.sent("POST", "/api/v5/trade/cancel-all-after") == [{"timeOut": "60"}, {"timeOut": "0"}]
