"""Batches of orders and cancels as Binance takes and answers them."""

import json
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from gateways.binance import batches, limits
from gateways.binance.encode import encode_cancels, encode_places, sign
from gateways.contracts import Contracts
from gateways.errors import DecodeError, Denied, RateLimited, Rejected, Unavailable, Unknown, VenueError
from gateways.standards import (
    CancelOrder,
    Credentials,
    OrderStatus,
    OrderUpdate,
    PlaceOrder,
    Reject,
    RejectReason,
    WireRequest,
)
from tests.gateways.binance.messages import rest_order
from tests.gateways.binance.stub_exchange import Stub, connected

D = Decimal
KEYS = Credentials("the-api-key", "the-secret")
NOW_MS = 1_700_000_000_000
PATH = "/fapi/v1/batchOrders"
POST_ONLY = {
    "code": -5022,
    "msg": "Due to the order could not be executed as maker, the Post Only order will be rejected.",
}
GONE = {"code": -2011, "msg": "Unknown order sent."}


def cloid(number: int) -> str:
    return f"{number:032x}"


def bid(number: int, ticker: str = "ETHUSDT") -> PlaceOrder:
    return PlaceOrder(ticker=ticker, cloid=cloid(number), amount=D("0.1"), price=D(2500), post_only=True)


def params_of(wire: WireRequest) -> dict[str, str]:
    """The parameters of a request, its signature verified over exactly what is sent."""
    payload, _, signature = wire.params.rpartition("&signature=")
    assert signature == sign(KEYS.secret, payload)
    return dict(parse_qsl(payload))


def test_orders_are_a_signed_list(contracts: Contracts) -> None:
    """Each as it would be alone, in one parameter."""
    wire = encode_places([bid(1), bid(2)], contracts, KEYS, NOW_MS)
    params = params_of(wire)
    assert (wire.method, wire.path, params["recvWindow"]) == ("POST", PATH, "5000")
    rows = json.loads(params["batchOrders"])
    assert [row["newClientOrderId"] for row in rows] == [cloid(1), cloid(2)]
    assert rows[0] == {
        "symbol": "ETHUSDT", "side": "BUY", "quantity": "0.1", "type": "LIMIT", "newClientOrderId": cloid(1),
        "newOrderRespType": "RESULT", "timeInForce": "GTX", "price": "2500",
    }  # fmt: skip


def test_cancels_are_listed_by_one_kind_of_id(contracts: Contracts) -> None:
    """Numbers for oids, texts for cloids, without spaces; one contract, one kind."""
    by_oid = [CancelOrder(ticker="ETHUSDT", oid="7", cloid=cloid(7)), CancelOrder(ticker="ETHUSDT", oid="8")]
    by_cloid = [CancelOrder(ticker="ETHUSDT", cloid="a"), CancelOrder(ticker="ETHUSDT", cloid="b")]
    params = params_of(encode_cancels(by_oid, contracts, KEYS, NOW_MS))
    assert (params["symbol"], params["orderIdList"]) == ("ETHUSDT", "[7,8]")
    wire = encode_cancels(by_cloid, contracts, KEYS, NOW_MS)
    assert (wire.method, wire.path) == ("DELETE", PATH)
    assert params_of(wire)["origClientOrderIdList"] == '["a","b"]'
    for mixed in ([by_oid[0], by_cloid[0]], [by_oid[0], CancelOrder(ticker="BTCUSDT", oid="9")]):
        with pytest.raises(Denied):
            encode_cancels(mixed, contracts, KEYS, NOW_MS)


def test_the_answer_is_told_by_item(contracts: Contracts) -> None:
    """An order for one that was taken, its code and text for one that was refused, at their places."""
    items = [CancelOrder(ticker="ETHUSDT", oid="22542179"), CancelOrder(ticker="ETHUSDT", oid="9")]
    done, refused = batches.outcomes([rest_order(status="CANCELED"), GONE], items, contracts)
    assert isinstance(done, OrderUpdate)
    assert (done.oid, done.status) == ("22542179", OrderStatus.CANCELLED)
    assert isinstance(refused, Reject)
    assert (refused.code, refused.reason, refused.definite) == ("-2011", RejectReason.UNKNOWN_ORDER, True)


@pytest.mark.parametrize(
    "body",
    [
        {"code": 200, "msg": "done"},
        [],
        [rest_order(orderId=9, clientOrderId=cloid(2)), rest_order(clientOrderId=cloid(1))],
        [GONE, GONE, GONE],
        [GONE, 7],
    ],
    ids=["no list", "none", "in another order", "too many", "no object"],
)
def test_an_answer_that_does_not_line_up_is_none(contracts: Contracts, body: object) -> None:
    """What stands at a place must be of the order that was asked for there."""
    with pytest.raises(DecodeError):
        batches.outcomes(body, [bid(1), bid(2)], contracts)  # type: ignore[arg-type]


async def test_five_orders_a_request_and_what_they_cost(stub: Stub) -> None:
    """Seven orders are five and two, by HTTP; the pools are charged as the venue counts a batch."""
    exchange_, _ = stub
    exchange_.rest["POST", PATH] = lambda params: (
        200,
        [
            POST_ONLY if row["newClientOrderId"] == cloid(3) else rest_order(clientOrderId=row["newClientOrderId"])
            for row in json.loads(params["batchOrders"])
        ],
    )
    async with connected(*stub) as (venue, _):
        outcomes = await venue.place_many([bid(number) for number in range(7)])
        gate = venue._session.gate
        used = gate.budget.used(gate.now())
    assert [len(json.loads(each["batchOrders"])) for each in exchange_.sent("POST", PATH)] == [5, 2]
    assert [type(each) for each in outcomes].count(OrderUpdate) == 6
    refused = outcomes[3]
    assert isinstance(refused, Rejected)
    assert refused.reason is RejectReason.POST_ONLY
    assert (used[limits.ORDERS_10S][0], used[limits.ORDERS_1M][0]) == (10, 2)


async def test_ten_cancels_of_a_contract_a_request(stub: Stub) -> None:
    """Eleven of one contract and one of another are three requests; a lone one goes by the websocket."""
    exchange_, _ = stub
    exchange_.rest["DELETE", PATH] = lambda params: (200, [GONE for _ in json.loads(params["orderIdList"])])
    cancels = [CancelOrder(ticker="ETHUSDT", oid=str(number)) for number in range(1, 13)]
    cancels.insert(4, CancelOrder(ticker="BTCUSDT", oid="99"))
    async with connected(*stub) as (venue, _):
        outcomes = await venue.cancel_many(cancels)
    assert all(isinstance(each, Rejected) for each in outcomes)
    sent = exchange_.sent("DELETE", PATH)
    assert [len(json.loads(each["orderIdList"])) for each in sent] == [10, 2]
    assert [each["params"]["orderId"] for each in exchange_.received["api"]] == [99]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"code": -4082, "msg": "Invalid number of batch place orders."}, Rejected),
        (400, {"code": -4083, "msg": "Fail to place batch orders."}, Unknown),
        (503, {"code": -1000, "msg": "Unknown error, please check your request or try again later."}, Unknown),
        (429, {"code": -1015, "msg": "Too many new orders."}, RateLimited),
        (200, [POST_ONLY], Unknown),
    ],
)
async def test_what_fails_as_a_whole_is_the_outcome_of_each(
    stub: Stub, status: int, body: object, expected: type[VenueError]
) -> None:
    """A refusal is definite for every order, an open outcome open for every one."""
    stub[0].rest["POST", PATH] = (status, body)
    async with connected(*stub) as (venue, _):
        outcomes = await venue.place_many([bid(1), bid(2)])
        assert [type(each) for each in outcomes] == [expected] * 2
        if expected is RateLimited:  # no order leaves meanwhile
            assert [type(each) for each in await venue.place_many([bid(3), bid(4)])] == [Unavailable] * 2
    assert len(stub[0].sent("POST", PATH)) == 1
