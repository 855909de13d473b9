"""The venue against a scripted server: connecting, what reaches the sink, public data."""

import asyncio
from typing import Any

import pytest

from gateways.errors import Denied, Unavailable
from gateways.hyperliquid.venue import HyperliquidVenue
from gateways.standards import (
    BookUpdate,
    CancelOrder,
    FillEvent,
    OrderUpdate,
    PositionUpdate,
    QuoteUpdate,
)
from gateways.venue import Channel, Endpoints
from tests.gateways.hyperliquid.conftest import ADDRESS, SECRET, make
from tests.gateways.hyperliquid.messages import NOW_MS, D, buy, wire_fill, wire_order
from tests.gateways.hyperliquid.scripted import ScriptedServer
from tests.gateways.listening import Desk


async def test_connecting_loads_contracts_and_subscribes(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Desk
) -> None:
    """After connect the contracts are known, our three channels are asked for, and every channel is reported up."""
    assert sorted(venue.contracts) == ["BTC", "ETH", "kPEPE"]
    asked = [(method, subscription["type"], subscription["user"]) for method, subscription in server.subscriptions]
    assert asked == [("subscribe", name, ADDRESS) for name in ("orderUpdates", "userFills", "clearinghouseState")]
    await server.facts.until(lambda: all(recorder.up(channel) for channel in Channel))


async def test_a_dead_address_is_unavailable(recorder: Desk) -> None:
    """Connecting to nobody raises Unavailable and leaves nothing behind."""
    venue = HyperliquidVenue(
        "hl", Endpoints(rest="http://127.0.0.1:9", ws="ws://127.0.0.1:9/ws", key=ADDRESS, secret=SECRET)
    )
    with pytest.raises(Unavailable):
        await venue.connect(recorder.sink, recorder)
    assert len(asyncio.all_tasks()) == 1


async def test_a_stream_that_is_not_confirmed_is_not_connected(server: ScriptedServer, recorder: Desk) -> None:
    """Without the confirmation of our orders and fills we would be blind: that is no connection."""
    server.confirms = False
    with pytest.raises(Unavailable):
        await make(server, connect_timeout=0.2).connect(recorder.sink, recorder)


async def test_closing_twice_and_using_after(server: ScriptedServer, recorder: Desk) -> None:
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
async def test_endpoints_without_sense_are_denied(key: str, ws: Any, recorder: Desk) -> None:
    """A key that is no address, or several websocket addresses, are refused before anything is opened."""
    with pytest.raises(Denied):
        await HyperliquidVenue("hl", Endpoints(rest="http://127.0.0.1:9", ws=ws, key=key, secret=SECRET)).connect(
            recorder.sink, recorder
        )


# ------------------------------------------------------------------ events


async def test_private_events_reach_the_sink(venue: HyperliquidVenue, server: ScriptedServer, recorder: Desk) -> None:
    """Orders and fills come as private batches, with the time of their bytes."""
    row = {"order": wire_order(sz="3.0"), "status": "open", "statusTimestamp": 1}
    await server.push({"channel": "orderUpdates", "data": [row]}, "orderUpdates")
    await server.push({"channel": "userFills", "data": {"user": ADDRESS, "fills": [wire_fill(1, "1.0")]}}, "userFills")
    await server.facts.until(lambda: recorder.of(FillEvent))
    assert recorder.of(OrderUpdate)[0].filled == 1
    assert [(batch.private, batch.ts_recv_ns, batch.venue) for batch in recorder.batches] == [
        (True, NOW_MS * 1_000_000, "hl")
    ] * 2


async def test_a_position_that_is_listed_no_more_is_zero(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Desk
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
    stated = [(event.ticker, event.amount) for event in recorder.of(PositionUpdate)]
    assert stated == [("ETH", D("1.5")), ("BTC", D("1.5")), ("BTC", D("1.5")), ("ETH", 0), ("BTC", D("1.5"))]
    assert recorder.of(PositionUpdate)[3].ts_venue_ns == 4_000_000


async def test_spot_and_other_dexes_do_not_reach_the_sink(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Desk
) -> None:
    """One account holds them all; a fill of a perpetual that is listed since we asked still counts."""
    fills = [wire_fill(1, "1", coin=coin) for coin in ("@107", "PURR/USDC", "xyz:OIL", "BRANDNEW")]
    await server.push({"channel": "userFills", "data": {"user": ADDRESS, "fills": fills}}, "userFills")
    await server.facts.until(lambda: recorder.batches)
    assert [event.ticker for event in recorder.of(FillEvent)] == ["BRANDNEW"]


async def test_bad_messages_are_counted_and_the_stream_goes_on(
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Desk
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
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Desk
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
    venue: HyperliquidVenue, server: ScriptedServer, recorder: Desk
) -> None:
    """From the public stream while it is up, else asked; None where a side is empty."""
    server.info["l2Book"] = {"coin": "ETH", "time": 1, "levels": [[{"px": "10", "sz": "1"}], [{"px": "12", "sz": "1"}]]}
    assert await venue.reference_price("ETH") == 11
    await server.facts.until(lambda: recorder.up(Channel.PUBLIC))
    await venue.subscribe("ETH")
    await server.facts.until(lambda: len(server.subscriptions) == 7)
    await server.push(best("2500", "2501"), "bbo")
    await server.facts.until(lambda: recorder.of(QuoteUpdate))
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
