"""Questions against a scripted server: what is asked, how often, and what an answer is worth."""

from typing import Any

import pytest

from gateways.errors import NotFound, Unknown
from gateways.hyperliquid.fills import with_fills
from gateways.hyperliquid.venue import HyperliquidVenue
from gateways.standards import (
    FillEvent,
    OrderStatus,
    OrderUpdate,
    TimeInForce,
)
from gateways.venue import Channel
from tests.gateways.hyperliquid.conftest import ADDRESS
from tests.gateways.hyperliquid.messages import CLOID, NOW_MS, D, wire_fill, wire_order
from tests.gateways.hyperliquid.scripted import ScriptedServer
from tests.gateways.listening import Desk


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
    gate = venue._session.gate
    before = gate.budget.used(gate.now())["weight"][0]
    found = await venue.fills_since(NOW_MS * 1_000_000, "ETH")
    # Three pages of 20 each, the first two with 25 more for 500 rows, the last with 5 for those that were left.
    assert gate.budget.used(gate.now())["weight"][0] - before == 3 * 20 + 25 + 25 + 5
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


async def test_the_state_of_rest_is_told(venue: HyperliquidVenue, server: ScriptedServer, recorder: Desk) -> None:
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
