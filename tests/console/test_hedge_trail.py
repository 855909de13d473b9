"""The way down from a maker to its fills and hedges, and back."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.link import ClaimRow, FillRow, Frame
from console.panes.mirror import Mirror
from console.screens.dialog import DetailsDialog
from console.screens.drill import DrillScreen
from console.screens.drill_lines import Place, place_of, view
from tests.console.pilots import staged
from tests.console.scripted import CHILD, MAKER, NOW, OTHER, SECOND, D, book, desk_frame, hedge, order

LEG = f"{MAKER}/0"


def fill(cloid, amount, nth=0, **changes):
    fields = {
        "ts_ns": NOW + nth * SECOND, "venue": "hyperliquid", "ticker": "ETH", "cloid": cloid, "role": "maker",
        "amount": D(amount), "price": D("2431.5"), "fee": D("0.12"), "fee_asset": "USDC", "liquidity": "maker",
        "trade_id": f"t{nth}", "oid": "9", "key": f"{cloid} {nth}",
    }  # fmt: skip
    return FillRow(**{**fields, **changes})


def child(cloid, quantity, filled=None, nth=0, **changes):
    filled = quantity if filled is None else filled
    claim = ClaimRow(maker=MAKER, leg=0, quantity=D(quantity), filled=D(filled))
    fields = {
        "venue": "binance", "ticker": "ETHUSDT", "role": "hedge", "amount": D(quantity), "filled": D(filled),
        "status": "FILLED", "terminal": True, "price": None, "average_price": D("2431.2"), "legs": "",
        "claims": (claim,), "ts_created_ns": NOW + nth * SECOND, "slippage_bps": D("0.4"),
    }  # fmt: skip
    return order(cloid, **{**fields, **changes})


def worked(**changes):
    """A maker that filled twice, hedged by three orders."""
    fields = {
        "orders": [
            order(MAKER, filled=D("-0.3"), status="PARTIAL", average_price=D("2431.5")),
            child(CHILD, "0.1", nth=0),
            child("b" * 32, "0.15", nth=1, filled="0.05"),
            child("c" * 32, "0.15", nth=2),
        ],
        "hedges": [hedge(LEG, maker=MAKER, target=D("0.3"), hedged=D("0.3"), waiting=D(0), state="hedged")],
        "fills": [fill(MAKER, "-0.1"), fill(MAKER, "-0.2", 1), fill(CHILD, "0.1", 2, role="hedge", venue="binance",
                                                                  ticker="ETHUSDT")],
    }  # fmt: skip
    return desk_frame(**{**fields, **changes})


def mirrored(frame):
    mirror = Mirror()
    mirror.apply(frame, 1)
    return mirror


def test_under_a_maker_stand_its_legs_and_its_own_fills():
    """Each leg and each execution of the maker is a line; the hedges' executions are not the maker's."""
    found = view(mirrored(worked()), Place("order", MAKER))
    assert found.title == "maker 7f3a9c  hyperliquid:ETH"
    assert [(line.kind, line.amount, line.leads_to) for line in found.lines] == [
        ("leg", D("0.3"), Place("leg", LEG)),
        ("fill", D("-0.1"), Place("fill", MAKER, 0)),
        ("fill", D("-0.2"), Place("fill", MAKER, 1)),
    ]


def test_under_a_leg_stands_the_equation_and_every_hedge_order():
    """Target and its parts are a sentence; each hedge order leads on to itself."""
    found = view(mirrored(worked()), Place("leg", LEG))
    assert found.facts[0] == "target +0.300 = +0.300 hedged  (x1 market)"
    assert [(line.id, line.filled) for line in found.lines] == [
        ("aa07b3", D("0.1")), ("bbbbbb", D("0.05")), ("cccccc", D("0.15")),
    ]  # fmt: skip


def test_a_fill_leads_to_the_hedges_that_answer_it_each_with_its_part():
    """What the first fill owed the first hedge took; the second's the other two, one of which was cut short."""
    mirror = mirrored(worked())
    first, second = (view(mirror, Place("fill", MAKER, nth)) for nth in (0, 1))
    assert [(line.id, line.amount) for line in first.lines] == [("aa07b3", D("0.1"))]
    assert [(line.id, line.amount) for line in second.lines] == [("bbbbbb", D("0.05")), ("cccccc", D("0.15"))]


def test_one_hedge_for_two_fills_stands_under_both_with_its_part():
    """A hedge that answers several fills is shared out among them and says what it is a part of."""
    frame = worked(orders=[order(MAKER), child(CHILD, "0.3")])
    mirror = mirrored(frame)
    parts = [view(mirror, Place("fill", MAKER, nth)).lines for nth in (0, 1)]
    assert [[line.amount for line in lines] for lines in parts] == [[D("0.1")], [D("0.2")]]
    assert all(line.note.startswith("part of +0.300") for lines in parts for line in lines)


def test_a_hedge_leads_back_to_the_makers_that_it_answers():
    """Each claim is a line that leads to its maker; the hedge's own executions follow."""
    claims = (
        ClaimRow(maker=MAKER, leg=0, quantity=D("0.1"), filled=D("0.1")),
        ClaimRow(maker=OTHER, leg=1, quantity=D("0.2"), filled=D(0)),
    )
    rows = [order(MAKER), order(OTHER), child(CHILD, "0.3", "0.1", claims=claims)]
    found = view(mirrored(worked(orders=rows)), Place("order", CHILD))
    assert [(line.kind, line.amount, line.leads_to) for line in found.lines] == [
        ("answers", D("0.1"), Place("order", MAKER)),
        ("answers", D("0.2"), Place("order", OTHER)),
        ("fill", D("0.1"), None),
    ]
    assert "slippage +0.4 bps" in found.facts[1]


def test_a_fill_that_nothing_has_answered_says_so():
    """No hedge yet is a sentence, not an empty screen; netted parts are said not to be told apart."""
    rows = {"orders": [order(MAKER)], "hedges": [hedge(LEG, netted=D("0.1"))]}
    found = view(mirrored(worked(**rows)), Place("fill", MAKER, 0))
    assert found.lines == ()
    assert any("No hedge has answered it yet" in fact for fact in found.facts)
    assert any("netted" in fact for fact in found.facts)


@pytest.mark.parametrize("place", [Place("order", "f" * 32), Place("leg", "f/0"), Place("fill", MAKER, 99)])
def test_what_is_no_longer_known_says_where_it_is(place):
    """An order that the screen forgot is a sentence that names the journal."""
    found = view(mirrored(worked()), place)
    assert "the journal has all of it" in found.facts[0]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_every_part_of_a_hedge_answers_one_fill_at_most(fills, hedges):
    """Over all fills, the parts of each hedge add up to no more than it, and those of each fill to no more than it."""
    frame = worked(
        fills=[fill(MAKER, -Decimal(size) / 10, nth) for nth, size in enumerate(fills)],
        orders=[order(MAKER), *(child(f"{n:032x}", Decimal(size) / 10, nth=n) for n, size in enumerate(hedges))],
    )
    mirror = mirrored(frame)
    views = [view(mirror, Place("fill", MAKER, nth)).lines for nth in range(len(fills))]
    for size, lines in zip(fills, views, strict=True):
        assert sum(line.amount for line in lines) <= Decimal(size) / 10
    total = min(sum(fills), sum(hedges))
    assert sum(line.amount for lines in views for line in lines) == Decimal(total) / 10
    for number, size in enumerate(hedges):
        mine = [line.amount for lines in views for line in lines if line.leads_to == Place("order", f"{number:032x}")]
        assert sum(mine) <= Decimal(size) / 10


def test_what_leads_nowhere_has_no_place():
    """Makers, hedges, their executions and legs lead on; manual orders do not."""
    assert place_of(order(MAKER)) == Place("order", MAKER)
    assert place_of(hedge("x", maker=MAKER)) == Place("order", MAKER)
    assert place_of(fill(CHILD, "1", role="hedge")) == Place("order", CHILD)
    assert place_of(order(OTHER, role="manual")) is None
    assert place_of(None) is None


# ------------------------------------------------------------------ the screen


async def opened(stage):
    await stage.press("3", "enter")
    await stage.opened(DrillScreen)
    return stage.app.screen


async def test_enter_goes_down_to_the_hedges_and_escape_comes_back():
    """From a leg of the hedge book: maker, leg, hedge order, and back to the desk, the cursor where it was."""
    async with staged(worked()) as stage:
        screen = await opened(stage)
        assert screen.path == [Place("order", MAKER)]
        await stage.press("j", "enter")
        assert screen.path[-1] == Place("fill", MAKER, 0)
        await stage.press("escape")
        assert screen.table.selected.leads_to == Place("fill", MAKER, 0)
        await stage.press("k", "enter", "j", "enter")
        assert screen.path[1:] == [Place("leg", LEG), Place("order", "b" * 32)]
        assert "hedge bbbbbb" in stage.text()
        await stage.press("escape", "escape", "escape")
        await stage.on_desk()
        assert stage.link.lines == []


async def test_a_maker_come_to_from_its_hedge_is_the_same_place():
    """Going from a hedge to the maker that it was come from goes back up, not round in a circle."""
    async with staged(worked()) as stage:
        screen = await opened(stage)
        await stage.press("enter", "enter", "enter")
        assert screen.path == [Place("order", MAKER)]
        assert screen.table.selected.leads_to == Place("leg", LEG)


async def test_the_way_down_stays_live():
    """A fill that comes while the screen is open appears on it."""
    async with staged(worked()) as stage:
        screen = await opened(stage)
        stage.feed(Frame(fills=[fill(MAKER, "-0.05", 5)]))
        await stage.until(lambda: len(screen.table.keys) == 4)


async def test_a_line_shows_everything_about_itself():
    """The key d opens all fields of the line, over the way down."""
    async with staged(worked()) as stage:
        screen = await opened(stage)
        await stage.press("j", "d")
        await stage.opened(DetailsDialog)
        assert isinstance(stage.app.screen.row, FillRow)
        await stage.press("escape")
        await stage.until(lambda: stage.app.screen is screen)


async def test_an_order_of_the_blotter_leads_to_what_stands_behind_it():
    """Enter on a hedge order in the orders pane opens it; on a manual order it shows the order's fields."""
    frame = worked()
    manual = order(OTHER, role="manual")
    async with staged(msgspec.structs.replace(frame, orders=[*frame.orders, manual])) as stage:
        pane = stage.app.desk.panes["orders"]
        pane.move_to_key(CHILD)
        await stage.press("enter")
        await stage.opened(DrillScreen)
        assert stage.app.screen.path == [Place("order", CHILD)]
        await stage.press("escape")
        await stage.on_desk()
        pane.move_to_key(OTHER)
        await stage.press("enter")
        await stage.opened(DetailsDialog)


def test_under_a_book_stand_its_legs_those_that_wait_first():
    """The equation of the book, why it waits, what releases it, and whose fills they are."""
    legs = [
        hedge(LEG, maker=MAKER, waiting=D(0), state="hedged", ts_changed_ns=NOW),
        hedge(f"{OTHER}/0", maker=OTHER, waiting=D("0.0002"), waits="under the lot", ts_changed_ns=NOW - SECOND),
        hedge("x/0", maker="x", venue="okx"),
    ]
    paused = book(state="paused", blocked="the book is paused, by hand", smallest=D("0.009"))
    found = view(mirrored(worked(hedges=legs, books=[paused])), place_of(paused))
    assert found.title == "hedge book binance:ETHUSDT"
    assert found.facts == (
        "target +0.1372 = +0.137 hedged +0.0002 waiting",
        "under the lot of 0.001 · no new makers: the book is paused, by hand",
        "released by: 0.0088 more filled, or hand",
    )
    assert [(line.id, line.leads_to) for line in found.lines] == [
        ("91c2d0", Place("leg", f"{OTHER}/0")),
        ("7f3a9c", Place("leg", LEG)),
    ]


async def test_a_paused_book_says_so_where_nothing_waits():
    """A book that takes no makers shows why in the pane of what is unhedged, and leads to its legs."""
    row = book(balance=D(0), waits="", state="paused", blocked="the book is paused, by hand")
    async with staged(worked(books=[row])) as stage:
        await stage.press("4")
        assert "the book is paused, by hand" in stage.text()
        await stage.press("enter")
        await stage.opened(DrillScreen)
        assert stage.app.screen.path == [Place("book", "binance:ETHUSDT")]
