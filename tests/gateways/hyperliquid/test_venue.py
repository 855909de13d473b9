"""The venue against a scripted server: what is sent, what each answer proves, what happens when the line breaks."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from gateways.errors import Denied, NotFound, RateLimited, Rejected, Unavailable, Unknown, VenueError
from gateways.hyperliquid.entry import POOLS
from gateways.hyperliquid.signing import Signature, address_of, recover
from gateways.hyperliquid.venue import HyperliquidVenue, with_fills
from gateways.standards import (
    AmendOrder,
    BookUpdate,
    CancelOrder,
    FillEvent,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    PlaceOrder,
    PositionUpdate,
    QuoteUpdate,
    RejectReason,
    TimeInForce,
)
from gateways.venue import Channel, Endpoints
from tests.gateways.hyperliquid.conftest import ADDRESS, SECRET
from tests.gateways.hyperliquid.scripted import CUT, SILENCE, Facts, Recorder, ScriptedServer

D = Decimal
CLOID = "ab" * 16
NOW_MS = 1_700_000_000_000


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """A scripted server on a free port."""
    scripted = ScriptedServer(Facts())
    await scripted.start()
    yield scripted
    await scripted.stop()


@pytest.fixture
def recorder(server: ScriptedServer) -> Recorder:
    """Who is told of everything."""
    return Recorder(server.facts)


def make(server: ScriptedServer, **changes: Any) -> HyperliquidVenue:
    """A venue at the server, its clock standing still."""
    endpoints = Endpoints(rest=server.rest, ws=server.ws, key=ADDRESS, secret=SECRET)
    options: dict[str, Any] = {"clock_ns": lambda: NOW_MS * 1_000_000, "connect_timeout": 5.0, "reply_timeout": 5.0}
    return HyperliquidVenue("hl", endpoints, **{**options, **changes})


@pytest.fixture
async def venue(server: ScriptedServer, recorder: Recorder) -> AsyncIterator[HyperliquidVenue]:
    """A connected venue."""
    connected = make(server)
    await connected.connect(recorder.sink, recorder)
    yield connected
    await connected.close()


def statuses(*items: Any) -> dict[str, Any]:
    """An exchange answer."""
    return {"status": "ok", "response": {"type": "order", "data": {"statuses": list(items)}}}


def buy(**changes: Any) -> PlaceOrder:
    """A post-only buy of 0.5 ETH at 2500."""
    fields: dict[str, Any] = {"ticker": "ETH", "cloid": CLOID, "amount": D("0.5"), "price": D(2500), "post_only": True}
    return PlaceOrder(**{**fields, **changes})


def market(amount: str = "0.5") -> PlaceOrder:
    """A market order without a price."""
    return PlaceOrder(ticker="ETH", cloid=CLOID, amount=D(amount), kind=OrderKind.MARKET)


def wire_order(**changes: Any) -> dict[str, Any]:
    """A resting buy of 4 ETH as the info endpoint has it."""
    row = {
        "coin": "ETH", "side": "B", "limitPx": "2500.0", "sz": "4.0", "oid": 77, "timestamp": NOW_MS, "origSz": "4.0",
        "cloid": "0x" + CLOID, "orderType": "Limit", "tif": "Gtc", "reduceOnly": False,
    }  # fmt: skip
    return {**row, **changes}


def wire_fill(tid: int, sz: str, time: int = NOW_MS, **changes: Any) -> dict[str, Any]:
    """A fill of that order."""
    row = {
        "coin": "ETH", "px": "2500.0", "sz": sz, "side": "B", "time": time, "oid": 77, "tid": tid, "crossed": False,
        "fee": "0.1", "feeToken": "USDC", "dir": "Open Long", "startPosition": "0.0", "hash": "0x01",
    }  # fmt: skip
    return {**row, **changes}


def signer(payload: dict[str, Any]) -> str:
    """Who signed what the server got."""
    signature = msgspec.convert(payload["signature"], Signature)
    return recover(
        signature, payload["action"], payload["nonce"], payload["vaultAddress"], payload["expiresAfter"],
        is_mainnet=False,
    )  # fmt: skip


# ------------------------------------------------------------------ life


async def test_connecting_loads_contracts_and_subscribes(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Recorder
) -> None:
    """After connect the contracts are known, our three channels are asked for, and every channel is reported up."""
    assert sorted(venue.contracts) == ["BTC", "ETH", "kPEPE"]
    asked = [(method, subscription["type"], subscription["user"]) for method, subscription in server.subscriptions]
    assert asked == [("subscribe", name, ADDRESS) for name in ("orderUpdates", "userFills", "clearinghouseState")]
    await server.facts.until(lambda: all(recorder.up(channel) for channel in Channel))


async def test_a_dead_address_is_unavailable(recorder: Recorder) -> None:
    """Connecting to nobody raises Unavailable and leaves nothing behind."""
    venue = HyperliquidVenue(
        "hl", Endpoints(rest="http://127.0.0.1:9", ws="ws://127.0.0.1:9/ws", key=ADDRESS, secret=SECRET)
    )
    with pytest.raises(Unavailable):
        await venue.connect(recorder.sink, recorder)
    assert len(asyncio.all_tasks()) == 1


async def test_a_stream_that_is_not_confirmed_is_not_connected(server: ScriptedServer, recorder: Recorder) -> None:
    """Without the confirmation of our orders and fills we would be blind: that is no connection."""
    server.confirms = False
    with pytest.raises(Unavailable):
        await make(server, connect_timeout=0.2).connect(recorder.sink, recorder)


async def test_closing_twice_and_using_after(server: ScriptedServer, recorder: Recorder) -> None:
    """Close is idempotent; after it nothing is sent."""
    venue = make(server)
    await venue.connect(recorder.sink, recorder)
    await venue.close()
    await venue.close()
    for verb in (venue.positions(), venue.place(buy()), venue.cancel(CancelOrder(ticker="ETH", oid="1"))):
        with pytest.raises(Unavailable):
            await verb
    assert server.actions() == []


@pytest.mark.parametrize(("key", "ws"), [("nobody", "ws://127.0.0.1:9/ws"), (ADDRESS, {"public": "ws://127.0.0.1:9"})])
async def test_endpoints_without_sense_are_denied(key: str, ws: Any, recorder: Recorder) -> None:
    """A key that is no address, or several websocket addresses, are refused before anything is opened."""
    with pytest.raises(Denied):
        await HyperliquidVenue("hl", Endpoints(rest="http://127.0.0.1:9", ws=ws, key=key, secret=SECRET)).connect(
            recorder.sink, recorder
        )


# ------------------------------------------------------------------ events


async def test_private_events_reach_the_sink(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Recorder
) -> None:
    """Orders and fills come as private batches, with the time of their bytes."""
    row = {"order": wire_order(sz="3.0"), "status": "open", "statusTimestamp": 1}
    await server.push({"channel": "orderUpdates", "data": [row]}, "orderUpdates")
    await server.push({"channel": "userFills", "data": {"user": ADDRESS, "fills": [wire_fill(1, "1.0")]}}, "userFills")
    await server.facts.until(lambda: recorder.events(FillEvent))
    assert recorder.events(OrderUpdate)[0].filled == 1
    assert [(batch.private, batch.ts_recv_ns, batch.venue) for batch in recorder.batches] == [
        (True, NOW_MS * 1_000_000, "hl")
    ] * 2


async def test_a_position_that_is_listed_no_more_is_zero(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Recorder
) -> None:
    """The account's state lists open positions only: one that was there and is not has been closed."""

    def state(*coins: str) -> dict[str, Any]:
        listed = [{"type": "oneWay", "position": {"coin": coin, "szi": "1.5"}} for coin in coins]
        inner = {"assetPositions": listed, "marginSummary": {"accountValue": "9"}, "time": 4}
        return {"channel": "clearinghouseState", "data": {"dex": "", "user": ADDRESS, "clearinghouseState": inner}}

    await server.push(state("ETH", "BTC"), "clearinghouseState")
    await server.push(state("BTC"), "clearinghouseState")
    await server.push(state("BTC"), "clearinghouseState")
    await server.facts.until(lambda: len(recorder.batches) == 3)
    stated = [(event.ticker, event.amount) for event in recorder.events(PositionUpdate)]
    assert stated == [("ETH", D("1.5")), ("BTC", D("1.5")), ("BTC", D("1.5")), ("ETH", 0), ("BTC", D("1.5"))]
    assert recorder.events(PositionUpdate)[3].ts_venue_ns == 4_000_000


async def test_spot_and_other_dexes_do_not_reach_the_sink(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Recorder
) -> None:
    """One account holds them all; a fill of a perpetual that is listed since we asked still counts."""
    fills = [wire_fill(1, "1", coin=coin) for coin in ("@107", "PURR/USDC", "xyz:OIL", "BRANDNEW")]
    await server.push({"channel": "userFills", "data": {"user": ADDRESS, "fills": fills}}, "userFills")
    await server.facts.until(lambda: recorder.batches)
    assert [event.ticker for event in recorder.events(FillEvent)] == ["BRANDNEW"]


async def test_bad_messages_are_counted_and_the_stream_goes_on(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Recorder
) -> None:
    """Malformed, unknown and error messages are dropped with a reason; the next good one is taken."""
    for message in (
        "{",
        {"channel": "orderUpdates", "data": [{}]},
        {"channel": "new"},
        {"channel": "error", "data": "x"},
    ):
        await server.push(message, "orderUpdates")
    row = {"order": wire_order(), "status": "open", "statusTimestamp": 1}
    await server.push({"channel": "orderUpdates", "data": [row]}, "orderUpdates")
    await server.facts.until(lambda: recorder.batches)
    assert len(recorder.dropped) == 4
    assert "[0].order" in recorder.dropped[1]


# ------------------------------------------------------------------ public data


async def test_subscriptions_survive_a_reconnect(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Recorder
) -> None:
    """Four channels a contract, asked for once, and again on a new connection; unsubscribed ones are not."""
    await server.facts.until(lambda: recorder.up(Channel.PUBLIC))
    await venue.subscribe("ETH")
    await venue.subscribe("ETH")
    await venue.subscribe("BTC")
    await venue.unsubscribe("BTC")
    await venue.unsubscribe("BTC")
    channels = ("l2Book", "bbo", "trades", "activeAssetCtx")

    def asked(method: str, coin: str) -> list[str]:
        return [row["type"] for verb, row in server.subscriptions if verb == method and row.get("coin") == coin]

    await server.facts.until(lambda: len(asked("unsubscribe", "BTC")) == 4)
    assert tuple(asked("subscribe", "ETH")) == tuple(asked("subscribe", "BTC")) == channels
    server.cut()
    await server.facts.until(lambda: tuple(asked("subscribe", "ETH")) == channels * 2)
    assert len(asked("subscribe", "BTC")) == 4


async def test_an_unknown_contract_is_denied(venue: HyperliquidVenue) -> None:
    """With a hint at what may have been meant."""
    with pytest.raises(Denied, match="near it: ETH"):
        await venue.subscribe("ETHUSDT")


def best(bid: str | None, ask: str | None) -> dict[str, Any]:
    """A bbo message for ETH."""
    sides = [None if price is None else {"px": price, "sz": "1", "n": 1} for price in (bid, ask)]
    return {"channel": "bbo", "data": {"coin": "ETH", "time": 1, "bbo": sides}}


async def test_the_reference_price_is_the_mid_last_seen(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Recorder
) -> None:
    """From the public stream while it is up, else asked; None where a side is empty."""
    server.info["l2Book"] = {"coin": "ETH", "time": 1, "levels": [[{"px": "10", "sz": "1"}], [{"px": "12", "sz": "1"}]]}
    assert await venue.reference_price("ETH") == 11
    await server.facts.until(lambda: recorder.up(Channel.PUBLIC))
    await venue.subscribe("ETH")
    await server.facts.until(lambda: len(server.subscriptions) == 7)
    await server.push(best("2500", "2501"), "bbo")
    await server.facts.until(lambda: recorder.events(QuoteUpdate))
    assert await venue.reference_price("ETH") == D("2500.5")
    assert [batch.private for batch in recorder.batches] == [False]
    server.refuses_websockets = True
    server.cut()
    await server.facts.until(lambda: not recorder.up(Channel.PUBLIC))
    assert await venue.reference_price("ETH") == 11
    server.info["l2Book"] = {"coin": "ETH", "time": 1, "levels": [[], [{"px": "12", "sz": "1"}]]}
    assert await venue.reference_price("ETH") is None


async def test_the_book_is_cut_to_its_depth(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """No more levels than were asked for."""
    side = [{"px": str(price), "sz": "1", "n": 1} for price in range(20, 0, -1)]
    server.info["l2Book"] = {"coin": "ETH", "time": 1, "levels": [side, []]}
    book = await venue.book("ETH", 3)
    assert isinstance(book, BookUpdate)
    assert [level.price for level in book.bids] == [20, 19, 18]


# ------------------------------------------------------------------ orders


async def test_an_order_goes_by_websocket_signed_and_expiring(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Recorder
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


async def test_an_agents_key_signs_for_its_master(server: ScriptedServer, recorder: Recorder) -> None:
    """Questions name the account; the signature is the agent's."""
    agent = "0x" + "22" * 32
    venue = HyperliquidVenue("hl", Endpoints(rest=server.rest, ws=server.ws, key=ADDRESS, secret=agent))
    server.exchange = statuses({"resting": {"oid": 9}})
    await venue.connect(recorder.sink, recorder)
    await venue.place(buy())
    await venue.close()
    assert signer(server.by_websocket[0]) == address_of(agent)
    assert server.subscriptions[0][1]["user"] == ADDRESS


async def test_secrets_are_not_reported(venue: HyperliquidVenue, server: ScriptedServer, recorder: Recorder) -> None:
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
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Recorder
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
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Recorder
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
    assert venue._link is not None
    gate = venue._link.gate
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
async def test_no_answer_is_unknown_and_is_not_sent_again(
    script: str, server: ScriptedServer, recorder: Recorder
) -> None:
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
    recorder: Recorder,
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


# ------------------------------------------------------------------ questions


def order_status(status: str, **changes: Any) -> dict[str, Any]:
    """An orderStatus answer."""
    return {"status": "order", "order": {"order": wire_order(**changes), "status": status, "statusTimestamp": NOW_MS}}


async def test_an_open_orders_fills_are_asked_for(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """The venue writes a status when it changes: what an open order filled since is in its fills alone."""
    server.info["orderStatus"] = order_status("open")
    server.info["userFillsByTime"] = [wire_fill(1, "1.0"), wire_fill(2, "0.5", px="2501"), wire_fill(3, "9", oid=78)]
    found = await venue.order("ETH", cloid=CLOID)
    assert (found.status, found.filled) == (OrderStatus.PARTIAL, D("1.5"))
    assert found.average_price == (D(2500) + D("0.5") * 2501) / D("1.5")
    assert server.questions[-1] == {"type": "userFillsByTime", "user": ADDRESS, "startTime": NOW_MS}


async def test_an_order_that_ended_as_stated_needs_no_fills(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """One question is enough where its answer is final."""
    server.info["orderStatus"] = order_status("filled", sz="0.0")
    found = await venue.order("ETH", oid="77")
    assert (found.status, found.filled) == (OrderStatus.FILLED, D(4))
    assert server.questions[-1]["type"] == "orderStatus"


async def test_an_order_that_the_venue_does_not_know(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """A successful answer that there is none is NotFound."""
    server.info["orderStatus"] = {"status": "unknownOid"}
    with pytest.raises(NotFound):
        await venue.order("ETH", cloid=CLOID)


@pytest.mark.parametrize("broken", ["orderStatus", "userFillsByTime"])
async def test_a_failed_question_is_no_answer(broken: str, venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """An error on the way to the answer, first or second, is an error and never "there is none"."""
    server.info["orderStatus"] = order_status("open")
    server.info["userFillsByTime"] = []
    server.info[broken] = (500, "oops")
    with pytest.raises(Unknown):
        await venue.order("ETH", cloid=CLOID)


async def test_fills_are_paged_until_there_are_no_more(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """Pages overlap in their last millisecond; every fill comes once, oldest first, as the past."""
    rows = [wire_fill(number, "0.1", time=NOW_MS + number // 2) for number in range(1, 1_101)]

    def page(question: dict[str, Any]) -> list[dict[str, Any]]:
        return [row for row in rows if row["time"] >= question["startTime"]][:500]

    server.info["userFillsByTime"] = page
    found = await venue.fills_since(NOW_MS * 1_000_000, "ETH")
    assert [fill.trade_id for fill in found] == [str(number) for number in range(1, 1_101)]
    assert all(fill.snapshot for fill in found)
    assert await venue.fills_since(NOW_MS * 1_000_000, "BTC") == []


async def test_a_millisecond_with_more_fills_than_a_page_does_not_hide_the_later_ones(
    venue: HyperliquidVenue, server: ScriptedServer
) -> None:
    """Paging goes on behind it."""
    rows = [wire_fill(number, "0.1") for number in range(1, 601)] + [wire_fill(601, "0.1", time=NOW_MS + 1)]

    def page(question: dict[str, Any]) -> list[dict[str, Any]]:
        return [row for row in rows if row["time"] >= question["startTime"]][:500]

    server.info["userFillsByTime"] = page
    found = await venue.fills_since(NOW_MS * 1_000_000, "ETH")
    assert (len(found), found[-1].trade_id) == (501, "601")


async def test_open_orders_positions_and_balances(venue: HyperliquidVenue, server: ScriptedServer) -> None:
    """Of one contract or of all of ours; a position of zero is none."""
    server.info["frontendOpenOrders"] = [wire_order(), wire_order(coin="BTC"), wire_order(coin="@1")]
    assert [order.ticker for order in await venue.open_orders()] == ["ETH", "BTC"]
    assert [order.ticker for order in await venue.open_orders("BTC")] == ["BTC"]
    positions = [{"position": {"coin": "ETH", "szi": "-1"}}, {"position": {"coin": "BTC", "szi": "0.0"}}]
    server.info["clearinghouseState"] = {
        "assetPositions": positions, "marginSummary": {"accountValue": "100"}, "withdrawable": "60", "time": 1,
    }  # fmt: skip
    assert [(row.ticker, row.amount) for row in await venue.positions()] == [("ETH", D(-1))]
    assert [(row.asset, row.total, row.available) for row in await venue.balances()] == [("USDC", D(100), D(60))]


async def test_the_state_of_rest_is_told(venue: HyperliquidVenue, server: ScriptedServer, recorder: Recorder) -> None:
    """Questions that are not answered turn REST down, the next answer turns it up."""
    server.info["frontendOpenOrders"] = (500, "oops")
    with pytest.raises(Unknown):
        await venue.open_orders()
    assert not recorder.up(Channel.REST)
    server.info["frontendOpenOrders"] = []
    await venue.open_orders()
    assert recorder.up(Channel.REST)


# ------------------------------------------------------------------ with_fills


def update(status: OrderStatus | None, filled: str | None, **changes: Any) -> OrderUpdate:
    """A sale of 4 ETH."""
    stated = None if filled is None else D(filled)
    return OrderUpdate(venue="hl", ticker="ETH", oid="77", status=status, amount=D(-4), filled=stated, **changes)


def sold(*amounts: str) -> list[FillEvent]:
    """Fills of that order."""
    return [
        FillEvent(venue="hl", ticker="ETH", oid="77", trade_id=str(place), amount=-D(text), price=D(10))
        for place, text in enumerate(amounts)
    ]


@pytest.mark.parametrize(
    ("order", "fills", "status", "filled"),
    [
        (update(OrderStatus.NEW, "0"), [], OrderStatus.NEW, "0"),
        (update(OrderStatus.NEW, "0"), ["1", "2"], OrderStatus.PARTIAL, "-3"),
        (update(OrderStatus.PARTIAL, "-2"), ["1"], OrderStatus.PARTIAL, "-2"),
        (update(OrderStatus.NEW, "0"), ["1", "3"], OrderStatus.FILLED, "-4"),
        (update(OrderStatus.CANCELLED, "-1"), ["1", "1"], OrderStatus.CANCELLED, "-2"),
        (update(None, "0", label="filled"), ["4"], OrderStatus.FILLED, "-4"),
        (update(None, "0", label="filled", tif=TimeInForce.IOC), ["3"], OrderStatus.EXPIRED, "-3"),
        (update(None, "0", label="filled", tif=TimeInForce.IOC), [], None, "0"),
        (update(None, "0", label="filled", tif=TimeInForce.GTC), ["3"], None, "-3"),
    ],
)
def test_fills_raise_what_is_stated_and_never_lower_it(
    order: OrderUpdate, fills: list[str], status: OrderStatus | None, filled: str
) -> None:
    """The larger of the two holds; the status follows from what is proven."""
    found = with_fills(order, sold(*fills))
    assert (found.status, found.filled) == (status, D(filled))
