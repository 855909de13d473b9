"""Orders against a scripted server: what is sent, what each answer proves, what happens when the line breaks."""

import asyncio
from typing import Any

import msgspec
import pytest

from gateways.errors import Denied, RateLimited, Rejected, Unavailable, Unknown, VenueError
from gateways.hyperliquid.session import POOLS
from gateways.hyperliquid.signing import address_of
from gateways.hyperliquid.venue import HyperliquidVenue
from gateways.standards import (
    AmendOrder,
    CancelOrder,
    OrderStatus,
    RejectReason,
    TimeInForce,
)
from gateways.venue import Channel, Endpoints
from tests.gateways.hyperliquid.conftest import ADDRESS, SECRET, make
from tests.gateways.hyperliquid.messages import CLOID, NOW_MS, D, buy, market, signer, statuses, wire_order
from tests.gateways.hyperliquid.scripted import CUT, SILENCE, ScriptedServer
from tests.gateways.listening import Desk


async def test_an_order_goes_by_websocket_signed_and_expiring(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Desk
) -> None:
    """One post, signed by our key, that the venue may not accept later than five seconds from now."""
    server.exchange = statuses({"resting": {"oid": 9}})
    placed = await venue.place(buy())
    assert (placed.oid, placed.cloid, placed.status) == ("9", CLOID, OrderStatus.NEW)
    (payload,) = server.by_websocket
    assert server.by_http == []
    assert signer(payload) == ADDRESS
    assert (payload["nonce"], payload["expiresAfter"]) == (NOW_MS, NOW_MS + 5_000)
    assert [(verb, ok) for verb, _, _, ok in recorder.requests] == [("contracts", True), ("place", True)]


async def test_nonces_are_unique_within_a_millisecond(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """However many orders leave at one time, no two share a nonce."""
    server.exchange = statuses({"resting": {"oid": 9}})
    await asyncio.gather(*(venue.place(buy(cloid=f"{number:032x}")) for number in range(10)))
    assert sorted(payload["nonce"] for payload in server.by_websocket) == list(range(NOW_MS, NOW_MS + 10))


async def test_an_agents_key_signs_for_its_master(server: ScriptedServer, recorder: Desk) -> None:
    """Questions name the account; the signature is the agent's."""
    agent = "0x" + "22" * 32
    venue = HyperliquidVenue("hl", Endpoints(rest=server.rest, ws=server.ws, key=ADDRESS, secret=agent))
    server.exchange = statuses({"resting": {"oid": 9}})
    await venue.connect(recorder.sink, recorder)
    await venue.place(buy())
    await venue.close()
    assert signer(server.by_websocket[0]) == address_of(agent)
    assert server.subscriptions[0][1]["user"] == ADDRESS


async def test_secrets_are_not_reported(venue: HyperliquidVenue, server: ScriptedServer, recorder: Desk) -> None:
    """The command log shows the action, but neither the key nor the signature."""
    server.exchange = statuses({"resting": {"oid": 9}})
    await venue.place(buy())
    server.refuses_websockets = True
    server.cut()
    await server.facts.until(lambda: not recorder.up(Channel.PRIVATE))
    await venue.place(buy())
    told = " ".join(sent + answer for _, sent, answer, _ in recorder.requests)
    assert CLOID in told
    assert SECRET.removeprefix("0x") not in told
    for payload in server.actions():
        assert payload["signature"]["r"] not in told


async def test_without_a_websocket_orders_go_by_http(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Desk
) -> None:
    """Where nothing can have left by the one way, the other is taken, once."""
    server.refuses_websockets = True
    server.cut()
    await server.facts.until(lambda: not recorder.up(Channel.TRADE))
    server.exchange = statuses({"resting": {"oid": 9}})
    assert (await venue.place(buy())).oid == "9"
    assert (len(server.by_http), len(server.by_websocket)) == (1, 0)
    assert signer(server.by_http[0]) == ADDRESS


async def test_a_connection_that_is_not_subscribed_takes_no_orders(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Desk
) -> None:
    """Its fills would not be seen: such an order goes by HTTP."""
    asked = len(server.subscriptions)
    server.confirms = False
    server.cut()
    await server.facts.until(lambda: len([row for _, row in server.subscriptions[asked:] if "user" in row]) == 3)
    server.exchange = statuses({"resting": {"oid": 9}})
    await venue.place(buy())
    assert (len(server.by_http), len(server.by_websocket)) == (1, 0)


async def test_hedges_have_a_share_of_the_budget_that_makers_cannot_spend(
    venue: HyperliquidVenue, server: ScriptedServer
) -> None:
    """When makers have used up what is theirs, a maker is refused unsent and a hedge and a cancel still go."""
    gate = venue._session.gate
    gate.budget.spend({pool.name: pool.open_limit for pool in POOLS}, gate.now())
    with pytest.raises(Unavailable):
        await venue.place(buy())
    assert server.actions() == []
    server.exchange = statuses({"resting": {"oid": 9}})
    await venue.place(buy(), hedge=True)
    server.exchange = statuses("success")
    await venue.cancel(CancelOrder(ticker="ETH", oid="9"))
    assert len(server.by_websocket) == 2


async def test_an_error_without_a_status_proves_nothing(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """A post's error mirrors an HTTP status; a text that begins with none is no refusal."""
    server.exchange = ("Request", "timed out")
    with pytest.raises(Unknown):
        await venue.place(buy())


@pytest.mark.parametrize("script", [CUT, SILENCE])
async def test_no_answer_is_unknown_and_is_not_sent_again(script: str, server: ScriptedServer, recorder: Desk) -> None:
    """A request that left may have been done: it is never repeated, by either way."""
    venue = make(server, reply_timeout=0.2)
    await venue.connect(recorder.sink, recorder)
    server.exchange = script
    with pytest.raises(Unknown):
        await venue.place(buy())
    await venue.close()
    assert len(server.actions()) == 1


@pytest.mark.parametrize(
    ("script", "error", "reason"),
    [
        ((429, "Too Many Requests"), RateLimited, RejectReason.RATE_LIMIT),
        ((422, "Failed to deserialize the JSON body"), Rejected, RejectReason.BAD_REQUEST),
        ((500, "Internal Server Error"), Unknown, None),
        ((503, "Service Unavailable"), Unknown, None),
        ({"status": "err", "response": "User or API Wallet 0x01 does not exist."}, Rejected, RejectReason.CREDENTIALS),
        (statuses({"error": "Insufficient margin to place order. asset=1"}), Rejected, RejectReason.MARGIN),
        (statuses({"error": "Too many cumulative requests sent"}), RateLimited, RejectReason.RATE_LIMIT),
        (statuses(), Unknown, None),
        (statuses({"resting": {}}), Unknown, None),
        (statuses("success"), Unknown, None),
        (statuses({"resting": {"oid": 1}}, {"resting": {"oid": 2}}), Unknown, None),
        ({"status": "ok", "response": {"type": "default"}}, Unknown, None),
        ({"what": "is this"}, Unknown, None),
    ],
)
@pytest.mark.parametrize("by_http", [False, True])
async def test_what_an_answer_proves_is_its_type(
    *,
    script: Any,
    error: type[VenueError],
    reason: RejectReason | None,
    by_http: bool,
    venue: HyperliquidVenue,
    server: ScriptedServer,
    recorder: Desk,
) -> None:
    """A refusal is definite and has a reason; a server's error or an unreadable yes leaves the order unknown."""
    if by_http:
        server.refuses_websockets = True
        server.cut()
        await server.facts.until(lambda: not recorder.up(Channel.TRADE))
    server.exchange = script
    with pytest.raises(error) as caught:
        await venue.place(buy())
    assert type(caught.value) is error
    assert getattr(caught.value, "reason", None) is reason
    assert len(server.actions()) == 1


async def test_fill_or_kill_is_denied(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """The venue has none: nothing is sent."""
    assert TimeInForce.FOK not in venue.capabilities.time_in_force
    with pytest.raises(Denied):
        await venue.place(buy(tif=TimeInForce.FOK, post_only=False))
    assert server.actions() == []


@pytest.mark.parametrize(("amount", "price"), [("0.5", "2625.5"), ("-0.5", "2375.5")])
async def test_a_market_order_gets_a_limit(
    amount: str, price: str, venue: HyperliquidVenue, server: ScriptedServer
) -> None:
    """5 % beyond the mid, as IOC; what the IOC could not fill is gone."""
    server.info["l2Book"] = {
        "coin": "ETH", "time": 1, "levels": [[{"px": "2500", "sz": "1"}], [{"px": "2501", "sz": "1"}]],
    }  # fmt: skip
    server.exchange = statuses({"filled": {"totalSz": "0.3", "avgPx": "2500.7", "oid": 9}})
    placed = await venue.place(market(amount), hedge=True)
    (row,) = server.by_websocket[0]["action"]["orders"]
    assert (row["p"], row["t"]) == (price, {"limit": {"tif": "Ioc"}})
    assert (placed.status, abs(placed.filled or 0)) == (OrderStatus.CANCELLED, D("0.3"))
    assert placed.average_price == D("2500.7")


async def test_a_market_order_without_a_market_is_denied(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """An order is not sent at a price that nobody knows."""
    server.info["l2Book"] = {"coin": "ETH", "time": 1, "levels": [[], []]}
    with pytest.raises(Denied) as caught:
        await venue.place(market())
    assert caught.value.reason is RejectReason.NO_LIQUIDITY
    assert server.actions() == []


async def test_a_market_order_with_a_price_is_not_asked_about(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """The price given is the limit: no question stands before a hedge."""
    server.exchange = statuses({"filled": {"totalSz": "0.5", "avgPx": "2500", "oid": 9}})
    await venue.place(msgspec.structs.replace(market(), price=D(2600)), hedge=True)
    assert [question["type"] for question in server.questions] == ["meta"]
    assert server.by_websocket[0]["action"]["orders"][0]["p"] == "2600"


async def test_a_change_gives_the_order_under_its_new_oid(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """What comes back is the new order: for what was not filled, under our id."""
    server.exchange = statuses({"resting": {"oid": 10}})
    order = AmendOrder(ticker="ETH", cloid=CLOID, oid="9", amount=D(2), filled=D("0.5"), price=D(2501), post_only=True)
    changed = await venue.amend(order)
    assert (changed.oid, changed.cloid, changed.amount, changed.price) == ("10", CLOID, D("1.5"), D(2501))
    assert server.by_websocket[0]["action"]["modifies"][0]["oid"] == 9


async def test_a_cancel_says_nothing_of_what_was_filled(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """The answer is only yes: the end and its filled size come by the stream."""
    server.exchange = statuses("success")
    assert await venue.cancel(CancelOrder(ticker="ETH", cloid=CLOID)) is None
    assert server.by_websocket[0]["action"]["type"] == "cancelByCloid"


async def test_a_cancel_of_what_is_not_open_is_rejected(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """It may have been filled: the reason says to ask."""
    server.exchange = statuses({"error": "Order was never placed, already canceled, or filled. asset=1"})
    with pytest.raises(Rejected) as caught:
        await venue.cancel(CancelOrder(ticker="ETH", oid="9"))
    assert caught.value.reason is RejectReason.UNKNOWN_ORDER


GONE = {"error": "Order was never placed, already canceled, or filled. asset=1"}


async def test_cancel_all_cancels_what_is_listed(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """In batches by oid, only of the contract; an order that is gone by then is no error."""
    server.info["frontendOpenOrders"] = [wire_order(oid=number) for number in range(41)] + [
        wire_order(coin="BTC", oid=99)
    ]
    server.exchange = lambda action: statuses(*["success"] * len(action["cancels"]))
    await venue.cancel_all("ETH")
    first, second = (payload["action"]["cancels"] for payload in server.by_websocket)
    assert [row["o"] for row in first + second] == list(range(41))
    server.info["frontendOpenOrders"] = [wire_order(oid=1), wire_order(oid=2)]
    server.exchange = statuses("success", GONE)
    await venue.cancel_all("ETH")
    server.exchange = statuses("success", {"error": "Too many cumulative requests sent"})
    with pytest.raises(RateLimited):
        await venue.cancel_all("ETH")


async def test_cancel_all_of_nothing_sends_nothing(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """No open order, no request."""
    server.info["frontendOpenOrders"] = []
    await venue.cancel_all("ETH")
    assert server.actions() == []
