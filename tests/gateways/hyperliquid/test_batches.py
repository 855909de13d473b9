"""Batches of orders and cancels as Hyperliquid takes and answers them."""

from typing import Any

import pytest

from gateways.contracts import Contracts
from gateways.errors import Denied, RateLimited, Rejected, Unknown, VenueError
from gateways.hyperliquid.encode import encode_batch
from gateways.hyperliquid.session import ORDERS
from gateways.hyperliquid.venue import HyperliquidVenue
from gateways.standards import CancelOrder, Credentials, OrderStatus, OrderUpdate, PlaceOrder, RejectReason
from tests.gateways.hyperliquid.conftest import ADDRESS, make
from tests.gateways.hyperliquid.messages import NOW_MS, buy, market, signer, statuses
from tests.gateways.hyperliquid.scripted import SILENCE, ScriptedServer
from tests.gateways.hyperliquid.test_encode import body
from tests.gateways.listening import Desk

GONE = {"error": "Order was never placed, already canceled, or filled. asset=1"}
CROSSES = {"error": "Post only order would have immediately matched, bbo was 2500@2501. asset=1"}


def bid(number: int, **changes: Any) -> PlaceOrder:
    return buy(cloid=f"{number:032x}", **changes)


def cancels(*numbers: int) -> list[CancelOrder]:
    return [CancelOrder(ticker="ETH", cloid=f"{number:032x}") for number in numbers]


def test_orders_are_one_signed_action_that_expires(contracts: Contracts, credentials: Credentials) -> None:
    """The signature is over all of them, and over the time until which they may be taken."""
    payload = body(encode_batch([bid(1), bid(2)], contracts, credentials, NOW_MS))
    action = payload["action"]
    assert (list(action), action["type"], action["grouping"]) == (["type", "orders", "grouping"], "order", "na")
    assert [each["c"] for each in action["orders"]] == [f"0x{1:032x}", f"0x{2:032x}"]
    assert payload["expiresAfter"] == NOW_MS + 5_000
    assert signer(payload) == ADDRESS


def test_cancels_are_by_one_kind_of_id(contracts: Contracts, credentials: Credentials) -> None:
    """By oid or by cloid are two actions; neither expires."""
    payload = body(encode_batch(cancels(1, 2), contracts, credentials, NOW_MS))
    assert payload["action"] == {
        "type": "cancelByCloid",
        "cancels": [{"asset": 1, "cloid": f"0x{1:032x}"}, {"asset": 1, "cloid": f"0x{2:032x}"}],
    }
    assert payload["expiresAfter"] is None
    with pytest.raises(Denied):
        encode_batch([*cancels(1), CancelOrder(ticker="ETH", oid="7")], contracts, credentials, NOW_MS)


async def test_each_order_has_a_status_of_its_own(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """Resting, filled, refused, and one of which nothing is said: four fates of one request."""
    filled = {"filled": {"oid": 8, "totalSz": "0.1", "avgPx": "2500"}}
    server.exchange = statuses({"resting": {"oid": 7}}, filled, CROSSES, "waitingForFill")
    orders = [bid(number) for number in range(4)]
    resting, done, refused, unsaid = await venue.place_many(orders)
    assert isinstance(resting, OrderUpdate)
    assert (resting.oid, resting.cloid, resting.status) == ("7", orders[0].cloid, OrderStatus.NEW)
    assert isinstance(done, OrderUpdate)
    assert (done.oid, done.cloid) == ("8", orders[1].cloid)
    assert isinstance(refused, Rejected)
    assert refused.reason is RejectReason.POST_ONLY
    assert type(unsaid) is Unknown
    assert len(server.by_websocket) == 1


async def test_each_cancel_has_a_status_of_its_own(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """By cloid in one action, by oid in another; what is gone is told at its place."""
    server.exchange = lambda action: (
        statuses("success", GONE) if action["type"] == "cancelByCloid" else statuses("success", "success")
    )
    by_oid = [CancelOrder(ticker="ETH", oid="5"), CancelOrder(ticker="ETH", oid="6")]
    first, second = cancels(1, 2)
    outcomes = await venue.cancel_many([first, by_oid[0], second, by_oid[1]])
    assert [outcomes[place] for place in (0, 1, 3)] == [None] * 3
    gone = outcomes[2]
    assert isinstance(gone, Rejected)
    assert gone.reason is RejectReason.UNKNOWN_ORDER
    assert {payload["action"]["type"] for payload in server.by_websocket} == {"cancel", "cancelByCloid"}
    assert len({payload["nonce"] for payload in server.by_websocket}) == 2


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (statuses({"error": "Order has zero size."}), Rejected),
        ({"status": "err", "response": "Too many cumulative requests sent (1 > 0)"}, RateLimited),
        ({"status": "err", "response": "What is this"}, Unknown),
        (statuses("success"), Unknown),
        ({"status": "ok", "response": {"type": "default"}}, Unknown),
        (SILENCE, Unknown),
    ],
    ids=["one error for all", "rate", "unknown words", "too few", "no statuses", "no answer"],
)
async def test_what_fails_as_a_whole_is_the_outcome_of_each(
    server: ScriptedServer, recorder: Desk, answer: Any, expected: type[VenueError]
) -> None:
    """A refusal before any item was looked at is every item's; what proves nothing is unknown for each."""
    venue = make(server, reply_timeout=0.2)
    await venue.connect(recorder.sink, recorder)
    server.exchange = answer
    try:
        outcomes = await venue.place_many([bid(1), bid(2), bid(3)])
        assert [type(each) for each in outcomes] == [expected] * 3
        assert len(server.actions()) == 1
    finally:
        await venue.close()


async def test_a_bad_order_does_not_spoil_its_batch(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """It is denied here, where the venue would refuse all of them; each order counts in the budget."""
    server.exchange = statuses({"resting": {"oid": 7}}, {"resting": {"oid": 8}})
    first, bad, last = await venue.place_many([bid(1), bid(2, ticker="NOSUCH"), bid(3)])
    assert [each.oid for each in (first, last) if isinstance(each, OrderUpdate)] == ["7", "8"]
    assert type(bad) is Denied
    gate = venue._session.gate
    assert gate.budget.used(gate.now())[ORDERS][0] == 2


async def test_a_market_order_without_a_price_goes_by_itself(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """It needs a price first: the others do not wait for it."""
    server.info["l2Book"] = {"coin": "ETH", "time": NOW_MS, "levels": [[], []]}
    server.exchange = statuses({"resting": {"oid": 7}}, {"resting": {"oid": 8}})
    first, unpriced, last = await venue.place_many([bid(1), market(), bid(3)])
    assert [each.oid for each in (first, last) if isinstance(each, OrderUpdate)] == ["7", "8"]
    assert isinstance(unpriced, Denied)
    assert unpriced.reason is RejectReason.NO_LIQUIDITY
