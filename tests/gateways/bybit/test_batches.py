"""Batches of orders and cancels as Bybit takes and answers them."""

import json
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from gateways.bybit import limits
from gateways.bybit.encode import encode_batch, encode_batch_ws, sign
from gateways.contracts import Contracts
from gateways.errors import RateLimited, Rejected, Unavailable, Unknown, VenueError
from gateways.standards import CancelOrder, Credentials, OrderUpdate, PlaceOrder, Reject, RejectReason
from gateways.transport.budget import Priority
from gateways.venue import Endpoints
from tests.gateways.bybit.messages import NOW_MS, answer
from tests.gateways.bybit.stub_exchange import Stub, connected

D = Decimal
CREDENTIALS = Credentials("the-key", "the-secret")
ETH = "ETHUSDT"
HTTP_CANCELS = "/v5/order/cancel-batch"
GONE = {"code": 110001, "msg": "order not exists or too late to cancel"}
TOO_MANY = {"code": 10006, "msg": "Too many visits. Exceeded the API Rate Limit."}
DONE = {"code": 0, "msg": "OK"}


def cloid(number: int) -> str:
    return f"{number:032x}"


def bid(number: int) -> PlaceOrder:
    return PlaceOrder(ticker=ETH, cloid=cloid(number), amount=D(1), price=D("2500.5"), post_only=True)


def cancel(number: int) -> CancelOrder:
    return CancelOrder(ticker=ETH, cloid=cloid(number))


def ended(request: dict[str, Any], *ends: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows and the ends of a batch's answer: an order has an oid where it was taken."""
    rows = [
        {
            "category": "linear", "symbol": item["symbol"], "orderLinkId": item.get("orderLinkId", ""),
            "orderId": item.get("orderId") or (f"oid-{item['orderLinkId'][-1]}" if end["code"] == 0 else ""),
        }
        for item, end in zip(request["request"], ends, strict=True)
    ]  # fmt: skip
    return {"list": rows}, {"list": list(ends)}


def replying(*ends: dict[str, Any], **fields: Any) -> Any:
    """An order entry socket that ends the items of every batch so."""

    async def reply(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        rows, ext = ended(message["args"][0], *ends) if ends else ({}, {})
        said = {"reqId": message["reqId"], "retCode": 0, "retMsg": "OK", "op": message["op"], "connId": "c"}
        await socket.send_json({**said, "data": rows, "retExtInfo": ext, **fields})

    return reply


def test_items_have_no_category_of_their_own(contracts: Contracts) -> None:
    """The batch says it once; over HTTP the signature is over exactly the body."""
    made = encode_batch([bid(1), bid(2)], contracts, CREDENTIALS, NOW_MS)
    body = json.loads(made.body)
    assert (made.path, body["category"]) == ("/v5/order/create-batch", "linear")
    assert [each["orderLinkId"] for each in body["request"]] == [cloid(1), cloid(2)]
    assert all("category" not in each for each in body["request"])
    assert body["request"][0]["timeInForce"] == "PostOnly"
    headers = made.headers
    stamp = f"{headers['X-BAPI-TIMESTAMP']}{headers['X-BAPI-API-KEY']}{headers['X-BAPI-RECV-WINDOW']}"
    assert headers["X-BAPI-SIGN"] == sign("the-secret", stamp + made.body.decode())
    message = json.loads(encode_batch_ws([bid(1), bid(2)], contracts, NOW_MS, "r-1"))
    assert (message["op"], message["args"], message["reqId"]) == ("order.create-batch", [body], "r-1")


def test_cancels_go_by_either_id(contracts: Contracts) -> None:
    """The oid where there is one, else the cloid."""
    cancels = [CancelOrder(ticker=ETH, oid="o-1", cloid=cloid(1)), cancel(2)]
    message = json.loads(encode_batch_ws(cancels, contracts, NOW_MS, "r-1"))
    assert message["op"] == "order.cancel-batch"
    assert message["args"][0]["request"] == [
        {"symbol": ETH, "orderId": "o-1"},
        {"symbol": ETH, "orderLinkId": cloid(2)},
    ]


async def test_each_item_ends_by_itself(stub: Stub) -> None:
    """``retExtInfo`` says how, in the order of the items; the outer code is 0 all the same."""
    stub[0].trade = replying(DONE, GONE, DONE)
    async with connected(*stub) as (venue, desk):
        first, gone, last = await venue.cancel_many([cancel(1), cancel(2), cancel(3)])
        assert desk.events == [first, last]
    assert [each.oid for each in (first, last) if isinstance(each, OrderUpdate)] == ["oid-1", "oid-3"]
    assert isinstance(gone, Rejected)
    assert gone.reason is RejectReason.UNKNOWN_ORDER
    assert [each["op"] for each in stub[0].orders()] == ["order.cancel-batch"]


async def test_the_answer_over_http_is_read_alike(stub: Stub) -> None:
    """Where there is no order entry socket, as on the venue's demo."""

    def respond(body: dict[str, Any]) -> Any:
        rows, ext = ended(body, DONE, GONE)
        return 200, {**answer(rows), "retExtInfo": ext}

    stub[0].rest[HTTP_CANCELS] = respond
    endpoints = Endpoints(
        rest=stub[1].rest, ws={name: url for name, url in stub[1].ws.items() if name != "trade"},  # type: ignore[union-attr]
        key=stub[1].key, secret=stub[1].secret,
    )  # fmt: skip
    async with connected(stub[0], endpoints) as (venue, _):
        done, gone = await venue.cancel_many([cancel(1), cancel(2)])
    assert isinstance(done, OrderUpdate)
    assert done.oid == "oid-1"
    assert isinstance(gone, Rejected)


async def test_items_over_the_limit_are_refused_by_themselves(stub: Stub) -> None:
    """What was within it is done; the account's pool of batches waits, single requests go on."""
    stub[0].trade = replying(DONE, TOO_MANY)
    async with connected(*stub) as (venue, _):
        done, refused = await venue.place_many([bid(1), bid(2)])
        gate = venue._session.gate
        assert gate.budget.wait({limits.CREATE_BATCH: 1}, Priority.CANCEL, gate.now()) > 0
        assert gate.budget.wait({limits.CREATE: 1}, Priority.CANCEL, gate.now()) == 0
    assert isinstance(done, OrderUpdate)
    assert isinstance(refused, RateLimited)


async def test_no_batch_is_larger_than_the_account_may_send_in_a_second(stub: Stub) -> None:
    """Its limit is ten until the venue states another; above it the venue's most, twenty."""
    async with connected(*stub) as (venue, _):
        for stated, asked in ((4, 10), (50, 2), (50, 30)):
            header = {"X-Bapi-Limit": str(stated), "X-Bapi-Limit-Status": str(stated)}

            async def reply(message: dict[str, Any], socket: web.WebSocketResponse, header: Any = header) -> None:
                ends = [DONE] * len(message["args"][0]["request"])
                await replying(*ends, header=header)(message, socket)

            stub[0].trade = reply
            outcomes = await venue.cancel_many([cancel(number) for number in range(asked)])
            assert not any(isinstance(each, VenueError) for each in outcomes)
    assert [len(each["args"][0]["request"]) for each in stub[0].orders()] == [10, 2, 20, 10]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({"retCode": 10006, "retMsg": "Too many visits."}, RateLimited),
        ({"retCode": 10001, "retMsg": "params error"}, Rejected),
        ({"retCode": 10016, "retMsg": "Internal server error"}, Unknown),
        ({"retExtInfo": {"list": [DONE]}}, Unknown),
        (
            {"data": {"list": [{"orderId": "1", "orderLinkId": cloid(2)}, {"orderId": "2", "orderLinkId": cloid(1)}]}},
            Unknown,
        ),
    ],
    ids=["rate", "refused", "internal", "too few ends", "in another order"],
)
async def test_what_fails_as_a_whole_is_the_outcome_of_each(
    stub: Stub, reply: dict[str, Any], expected: type[VenueError]
) -> None:
    """A refusal is definite for every order, an open outcome open for every one."""
    stub[0].trade = replying(DONE, DONE, **reply)
    async with connected(*stub) as (venue, _):
        outcomes = await venue.place_many([bid(1), bid(2)])
    assert [type(each) for each in outcomes] == [expected] * 2
    assert len(stub[0].orders()) == 1


async def test_late_news_of_a_batch_counts_after_the_caller_gave_up(stub: Stub) -> None:
    """Every order is unknown until the late answer tells of each: one taken, one refused for good."""
    held: list[tuple[dict[str, Any], web.WebSocketResponse]] = []

    async def hold(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        held.append((message, socket))

    stub[0].trade = hold
    async with connected(*stub, reply_timeout_s=0.05) as (venue, desk):
        assert [type(each) for each in await venue.place_many([bid(1), bid(2)])] == [Unknown] * 2
        await replying(DONE, {"code": 110007, "msg": "ab not enough"})(*held[0])
        await desk.until(lambda: len(desk.events) == 2)
        assert [type(each) for each in await venue.place_many([bid(3), bid(4)])] == [Unknown] * 2
        await replying(retCode=10001, retMsg="params error")(*held[1])
        await desk.until(lambda: len(desk.events) == 4)
    update, *refused = desk.events
    assert isinstance(update, OrderUpdate)
    assert update.cloid == cloid(1)
    assert [(each.cloid, each.definite) for each in refused if isinstance(each, Reject)] == [
        (cloid(2), True), (cloid(3), True), (cloid(4), True),
    ]  # fmt: skip


async def test_a_restarting_socket_hands_the_batch_to_http(stub: Stub) -> None:
    """10019 took nothing: the same batch goes once, the other way."""
    stub[0].trade = replying(DONE, DONE, retCode=10019, retMsg="ws trade service is restarting")
    rows = [{"orderId": "1", "orderLinkId": cloid(1)}, {"orderId": "2", "orderLinkId": cloid(2)}]
    stub[0].rest[HTTP_CANCELS] = 200, {**answer({"list": rows}), "retExtInfo": {"list": [DONE, DONE]}}
    async with connected(*stub) as (venue, _):
        outcomes = await venue.cancel_many([cancel(1), cancel(2)])
    assert [each.oid for each in outcomes if isinstance(each, OrderUpdate)] == ["1", "2"]
    assert len(stub[0].sent(HTTP_CANCELS)) == 1
    assert not any(isinstance(each, Unavailable) for each in outcomes)
