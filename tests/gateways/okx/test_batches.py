"""Batches of orders and cancels as OKX takes and answers them."""

import json
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from gateways.contracts import Contracts
from gateways.errors import DecodeError, RateLimited, Rejected, Unknown
from gateways.okx import batches, limits, wire
from gateways.okx.encode import ACCEPTANCE_MS, encode_batch, encode_batch_ws
from gateways.standards import (
    CancelOrder,
    Credentials,
    OrderStatus,
    OrderUpdate,
    PlaceOrder,
    Reject,
    RejectReason,
)
from gateways.transport.budget import Priority
from gateways.venue import Channel
from tests.gateways.okx.messages import ETH, instrument, taken
from tests.gateways.okx.stub_exchange import Stub, StubExchange, connected, said

D = Decimal
CREDENTIALS = Credentials("key", "secret", "pass")
NOW_MS = 1_700_000_000_007
PEPE = "PEPE-USDT-SWAP"
HTTP_CANCELS = ("POST", "/api/v5/trade/cancel-batch-orders")


def cloid(number: int) -> str:
    return f"{number:032x}"


def bid(number: int, ticker: str = ETH, amount: str = "2") -> PlaceOrder:
    return PlaceOrder(ticker=ticker, cloid=cloid(number), amount=D(amount), price=D(2500))


def test_orders_of_several_contracts_go_in_one_message(contracts: Contracts) -> None:
    """Each named by its code, in contracts; the message as a whole expires."""
    orders = [bid(1), bid(2, PEPE, "10000000")]
    message = json.loads(encode_batch_ws(orders, contracts, NOW_MS, "r1"))
    assert (message["op"], message["id"], message["expTime"]) == ("batch-orders", "r1", str(NOW_MS + ACCEPTANCE_MS))
    assert [(each["instIdCode"], each["clOrdId"], each["sz"]) for each in message["args"]] == [
        (10461, cloid(1), "20"),
        (10461, cloid(2), "1"),
    ]
    http = encode_batch(orders, contracts, CREDENTIALS, NOW_MS)
    assert (http.path, http.headers["expTime"]) == ("/api/v5/trade/batch-orders", str(NOW_MS + ACCEPTANCE_MS))
    assert [each["instId"] for each in json.loads(http.body)] == [ETH, PEPE]


def test_cancels_by_either_id_go_in_one_message(contracts: Contracts) -> None:
    """They have no expiry: a late cancel does no harm."""
    cancels = [CancelOrder(ticker=ETH, oid="7", cloid=cloid(1)), CancelOrder(ticker=ETH, cloid=cloid(2))]
    message = json.loads(encode_batch_ws(cancels, contracts, NOW_MS, "r1"))
    assert message == {
        "id": "r1",
        "op": "batch-cancel-orders",
        "args": [{"instIdCode": 10461, "ordId": "7"}, {"instIdCode": 10461, "clOrdId": cloid(2)}],
    }
    http = encode_batch(cancels, contracts, CREDENTIALS, NOW_MS)
    assert json.loads(http.body) == [{"instId": ETH, "ordId": "7"}, {"instId": ETH, "clOrdId": cloid(2)}]


def test_each_item_has_a_code_of_its_own() -> None:
    """The outer code says only that some failed."""
    rows = [
        {"clOrdId": cloid(1), "ordId": "12689", "tag": "", "ts": "1695190491421", "sCode": "0", "sMsg": ""},
        {"clOrdId": cloid(2), "ordId": "", "tag": "", "ts": "1695190491421", "sCode": "51008", "sMsg": "Margin."},
    ]
    done, refused = batches.outcomes({"code": "2", "msg": "", "data": rows}, [bid(1), bid(2)], "okx")
    assert isinstance(done, wire.Receipt)
    assert done.ord_id == "12689"
    assert isinstance(refused, Reject)
    assert (refused.code, refused.text, refused.reason) == ("51008", "Margin.", RejectReason.MARGIN)


@pytest.mark.parametrize(
    "rows",
    [
        [taken(clOrdId=cloid(1))],
        [taken(clOrdId=cloid(2)), taken(clOrdId=cloid(1))],
        [taken(clOrdId=cloid(1)), "no"],
        [],
    ],
    ids=["too few", "in another order", "no object", "none"],
)
def test_an_answer_that_does_not_line_up_is_none(rows: list[Any]) -> None:
    """What stands at a place must be of the order that was asked for there."""
    with pytest.raises(DecodeError):
        batches.outcomes({"code": "0", "msg": "", "data": rows}, [bid(1), bid(2)], "okx")


def answering(stub: StubExchange, *rows: dict[str, Any], code: str = "0", msg: str = "") -> Any:
    async def answer(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        await stub.reply(message, socket, *rows, code=code, msg=msg)

    return answer


async def test_a_batch_of_orders_tells_the_sink_too(stub: Stub) -> None:
    """What was taken is news in the turn in which it was read; what was refused is its caller's error."""
    refused = taken(clOrdId=cloid(2), ordId="", sCode="51008")
    stub[0].api = answering(stub[0], taken(clOrdId=cloid(1), ordId="7"), refused, code="2")
    async with connected(*stub) as (venue, desk):
        done, error = await venue.place_many([bid(1), bid(2)])
        gate = venue._session.gate
        assert gate.budget.used(gate.now())[limits.PLACE_BATCH][0] == 2
        assert desk.events == [done]
    assert isinstance(done, OrderUpdate)
    assert (done.oid, done.cloid, done.status) == ("7", cloid(1), OrderStatus.NEW)
    assert isinstance(error, Rejected)
    assert error.reason is RejectReason.MARGIN


async def test_late_news_of_a_batch_counts_after_the_caller_gave_up(stub: Stub) -> None:
    """Every order is unknown until the late answer tells of each: one taken, one refused for good."""
    held: list[tuple[dict[str, Any], web.WebSocketResponse]] = []

    async def hold(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        held.append((message, socket))

    stub[0].api = hold
    async with connected(*stub, reply_timeout_s=0.05) as (venue, desk):
        assert [type(each) for each in await venue.place_many([bid(1), bid(2)])] == [Unknown] * 2
        refused = taken(clOrdId=cloid(2), ordId="", sCode="51008")
        await stub[0].reply(*held[0], taken(clOrdId=cloid(1)), refused, code="2")
        await desk.until(lambda: len(desk.events) == 2)
        assert [type(each) for each in await venue.place_many([bid(3), bid(4)])] == [Unknown] * 2
        await stub[0].reply(*held[1], code="50011", msg="Rate limit reached.")
        await desk.until(lambda: len(desk.events) == 4)
    update, reject, *whole = desk.events
    assert isinstance(update, OrderUpdate)
    assert isinstance(reject, Reject)
    assert (update.cloid, reject.cloid, reject.definite) == (cloid(1), cloid(2), True)
    assert [each.cloid for each in whole if isinstance(each, Reject)] == [cloid(3), cloid(4)]


async def test_a_refusal_for_rate_is_that_of_every_item(stub: Stub) -> None:
    """Without items the outer code is the reason; batches of that kind are held up."""
    stub[0].api = answering(stub[0], code="50011", msg="Rate limit reached.")
    cancels = [CancelOrder(ticker=ETH, oid="1"), CancelOrder(ticker=ETH, oid="2")]
    async with connected(*stub) as (venue, _):
        assert [type(each) for each in await venue.cancel_many(cancels)] == [RateLimited] * 2
        gate = venue._session.gate
        assert gate.budget.wait({limits.CANCEL_BATCH: 1}, Priority.CANCEL, gate.now()) > 0
        assert gate.budget.wait({limits.CANCEL: 1}, Priority.CANCEL, gate.now()) == 0


async def test_a_batch_goes_by_http_where_a_contract_has_no_code(stub: Stub) -> None:
    """The websocket names contracts by their codes: one that lacks it takes its batch along."""
    bare = instrument("SOL-USDT-SWAP", instIdCode="", ctValCcy="SOL")
    stub[0].rest["GET", "/api/v5/public/instruments"] = said(instrument(), bare)
    stub[0].rest[HTTP_CANCELS] = lambda body: said(*(taken(ordId=each["ordId"]) for each in body))
    cancels = [CancelOrder(ticker=ETH, oid="1"), CancelOrder(ticker="SOL-USDT-SWAP", oid="2")]
    async with connected(*stub) as (venue, desk):
        await desk.until(lambda: True in desk.states_of(Channel.TRADE))
        assert await venue.cancel_many(cancels) == [None, None]
    assert stub[0].batches() == []
    assert [len(body) for body in stub[0].sent(*HTTP_CANCELS)] == [2]
