"""Trading by key in the ladder: what each key sends, and when a ticket asks first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.language import parse
from console.link import Frame
from console.panes.ladder_hands import at_line, crosses, preset, unit
from console.screens.command_line import CommandLine
from console.screens.size import SizeDialog
from console.ticket.draft import Draft, LegDraft
from console.ticket.ticket import Ticket
from gateways.contracts import is_multiple
from tests.console.pilots import staged
from tests.console.scripted import CHILD, MAKER, NOW, OTHER, SECOND, D, contract, desk_frame, header, ladder, order

LEG = "hedge binance:ETHUSDT market"

# ------------------------------------------------------------------ the size, pure


@given(
    st.sampled_from([D("0.0001"), D("0.01"), D("0.3"), D(1), D(10)]),
    st.decimals(min_value="0.001", max_value=100, places=3),
    st.decimals(min_value=0, max_value=1000, places=1),
    st.decimals(min_value="0.5", max_value=100_000, places=2),
)
def test_a_unit_is_one_that_the_venue_takes(lot, least, notional, price):
    """On the lot, at least the minimum quantity, worth at least the minimum notional."""
    size = unit(contract("x", "Y", lot=lot, min_quantity=least, min_notional=notional, bid=price))
    assert is_multiple(size, lot)
    assert size >= least
    assert size * price >= notional


def test_presets_go_up_and_down_and_end_at_none():
    """None, 1, 2, 5, 10 units; from between two to the next in its direction."""
    seen, size = [], D(0)
    for _ in range(5):
        size = preset(size, D("0.2"), 1)
        seen.append(size)
    assert seen == [D("0.2"), D("0.4"), D(1), D(2), D(4)]
    assert preset(D(3), D("0.2"), -1) == 2
    assert preset(D("0.2"), D("0.2"), -1) == 0
    assert preset(D(0), D("0.2"), -1) == 0
    assert preset(D(10) ** 9, D("0.2"), 1) == D(10) ** 9


def test_own_orders_stand_on_the_line_that_shows_them():
    """A bid on the line below it, an offer on the one above; no hedge order, none without a price."""
    bid, offer = order(MAKER, amount=D(1), price=D("10.3")), order(OTHER, amount=D(-1), price=D("10.3"))
    rows = [bid, offer, order(CHILD, role="hedge", price=D("10.3")), order("d" * 32, price=None)]
    assert at_line(rows, D(10), D(1)) == [bid]
    assert at_line(rows, D(11), D(1)) == [offer]


def test_an_order_crosses_from_the_other_sides_best_on():
    """At the best offer a buy meets it; below it rests; an empty side is never met."""
    book = ladder(mid="2431.55")
    assert [crosses(book, buying=True, price=D(price)) for price in ("2431.5", "2431.6")] == [False, True]
    assert [crosses(book, buying=False, price=D(price)) for price in ("2431.6", "2431.5")] == [False, True]
    assert not crosses(ladder(asks=()), buying=True, price=D(9999))


# ------------------------------------------------------------------ keys


async def on_ladder(stage, *keys):
    await stage.press("6")
    await stage.until(lambda: stage.app.desk.ladder.cursor_price is not None)
    await stage.press(*keys)
    return stage.app.desk.ladder


def foot(pane):
    return pane._lines[-1][0][0]


@pytest.mark.parametrize(("key", "side"), [("b", "buy"), ("s", "sell")])
async def test_one_key_sends_the_size_at_the_cursor_with_its_hedge(key, side):
    """On paper, with a size, the order goes out post-only with the hedge that the last line shows; no form opens."""
    async with staged() as stage:
        pane = await on_ladder(stage, "equals_sign", "equals_sign", *(["j"] * 4 if key == "b" else ["k"] * 4))
        assert "0.01 ETH b s SEND → binance:ETHUSDT market" in foot(pane)
        await stage.press(key)
        await stage.until(lambda: stage.link.lines)
        assert stage.link.lines == [f"{side} 0.01 hyperliquid:ETH @ {pane.cursor_price} post {LEG}"]
        parse(stage.link.lines[0])
        assert stage.app.screen is stage.app.desk


async def test_joining_sends_by_the_rule():
    """B and S join the best bid and the best offer."""
    async with staged() as stage:
        await on_ladder(stage, "right_square_bracket", "B", "S")
        await stage.until(lambda: len(stage.link.lines) == 2)
        assert stage.link.lines == [
            f"buy 0.005 hyperliquid:ETH @ queue1 post {LEG}",
            f"sell 0.005 hyperliquid:ETH @ queue1 post {LEG}",
        ]


async def test_the_same_order_again_at_once_is_asked_about():
    """A key that repeats itself sends once; the second press opens the ticket; after the time it is sent again."""
    async with staged() as stage:
        await on_ladder(stage, "equals_sign", "B", "B")
        await stage.opened(Ticket)
        assert len(stage.link.lines) == 1
        await stage.press("escape")
        await stage.on_desk()
        later = NOW + 11 * SECOND
        stage.feed(Frame(header=header(now_ns=later), ladders=[ladder(ts_ns=later)]))
        await stage.press("B")
        await stage.until(lambda: len(stage.link.lines) == 2)


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"header": header(arming="SAFE")}, ("equals_sign", "B")),
        ({"ladders": [ladder(ts_ns=NOW - 60 * SECOND)]}, ("equals_sign", "B")),
        ({}, ("equals_sign", *["k"] * 6, "b")),
        ({"contracts": [contract("hyperliquid", "ETH")]}, ("equals_sign", "B")),
        ({}, ("equals_sign", "minus", "B")),
    ],
    ids=["safe", "stale", "crossing", "no hedge", "no size"],
)
async def test_a_ticket_asks_first(changes, keys):
    """Nothing is sent in SAFE, from a stale book, over the spread, without a hedge or without a size."""
    async with staged(desk_frame(**changes)) as stage:
        await on_ladder(stage, *keys)
        await stage.opened(Ticket)
        assert stage.link.lines == []


async def test_a_leg_without_a_contract_is_no_hedge():
    """Where the hedge was taken out of the ticket's draft, no key sends the maker alone."""
    async with staged() as stage:
        stage.app._keep_draft(Draft(contract="hyperliquid:ETH", legs=(LegDraft(),)))
        pane = await on_ladder(stage, "equals_sign")
        assert "a ticket asks for a hedge" in foot(pane)
        await stage.press("B")
        await stage.opened(Ticket)
        assert stage.link.lines == []


async def test_the_size_is_typed_cut_to_the_lot():
    """The dialog takes a number and sends nothing; what is no size is not taken."""
    async with staged() as stage:
        pane = await on_ladder(stage, "number_sign")
        await stage.opened(SizeDialog)
        await stage.press("text:-1", "enter")
        assert isinstance(stage.app.screen, SizeDialog)
        stage.app.screen.query_one("#size").value = ""
        await stage.press("text:0.12345", "enter")
        await stage.on_desk()
        assert pane.hands.size(pane.shown) == D("0.1234")
        assert stage.link.lines == []


async def at_own(stage):
    """Put the cursor on the price of our own offer."""
    pane = await on_ladder(stage)
    pane.cursor_price = pane.group = D("0.1")
    pane.cursor_price = D("2431.9")
    return pane


OWN = {"orders": [order(MAKER, price=D("2431.9"), amount=D("-0.5"))]}


async def test_own_orders_move_a_tick_and_the_cursor_goes_with_them():
    """Shift and an arrow amend by one tick; a second press waits until the move is seen."""
    async with staged(desk_frame(**OWN)) as stage:
        pane = await at_own(stage)
        await stage.press("shift+up")
        await stage.until(lambda: stage.link.lines)
        assert stage.link.lines == [f"amend {MAKER} @ 2432.0"]
        assert pane.cursor_price == D("2432.0")
        stage.feed(Frame(orders=[order(MAKER, price=D("2432.0"), amount=D("-0.5"))]))
        await stage.press("shift+down")
        await stage.until(lambda: len(stage.link.lines) == 2)
        assert stage.link.lines[1] == f"amend {MAKER} @ 2431.9"


async def test_in_a_coarse_ladder_the_cursor_goes_to_the_line_that_will_show_the_order():
    """An offer that stays in its group keeps the cursor; one that leaves it takes the cursor along."""
    async with staged(desk_frame(**OWN)) as stage:
        pane = await at_own(stage)
        pane.group, pane.cursor_price = D("0.2"), D("2432.0")
        await stage.press("shift+up")
        await stage.until(lambda: stage.link.lines == [f"amend {MAKER} @ 2432.0"])
        assert pane.cursor_price == D("2432.0")
        stage.feed(Frame(orders=[order(MAKER, price=D("2432.0"), amount=D("-0.5"))]))
        await stage.press("shift+up")
        await stage.until(lambda: len(stage.link.lines) == 2)
        assert pane.cursor_price == D("2432.2")


async def test_a_move_that_is_not_seen_yet_is_not_sent_twice():
    """Pressed again before the order has moved, with the cursor back on it, nothing more is sent."""
    async with staged(desk_frame(**OWN)) as stage:
        pane = await at_own(stage)
        await stage.press("shift+up")
        await stage.until(lambda: stage.link.lines)
        pane.cursor_price = D("2431.9")
        await stage.press("shift+up")
        await stage.until(lambda: "still being moved" in stage.message)
        assert len(stage.link.lines) == 1


async def test_an_order_is_not_moved_over_the_spread():
    """An offer a tick over the best bid stays where it is."""
    rows = [order(MAKER, price=D("2431.6"), amount=D("-0.5"))]
    async with staged(desk_frame(orders=rows)) as stage:
        pane = await at_own(stage)
        pane.cursor_price = D("2431.6")
        await stage.press("shift+down")
        await stage.until(lambda: "would cross the spread" in stage.message)
        assert stage.link.lines == []


async def test_in_safe_a_move_is_written_not_sent():
    """SAFE opens the command line with the amend."""
    async with staged(desk_frame(header=header(arming="SAFE"), **OWN)) as stage:
        await at_own(stage)
        await stage.press("shift+up")
        await stage.opened(CommandLine)
        assert stage.app.screen.query_one("#command").value == f"amend {MAKER} @ 2432.0"
        assert stage.link.lines == []


async def test_c_cancels_what_stands_at_the_cursor_and_nothing_else():
    """Our own order there is cancelled; at another price the key says that there is none."""
    async with staged(desk_frame(**OWN)) as stage:
        await at_own(stage)
        await stage.press("c")
        await stage.until(lambda: stage.link.lines == [f"cancel {MAKER}"])
        await stage.press("j", "c")
        await stage.until(lambda: "no order is under the cursor" in stage.message)
        assert len(stage.link.lines) == 1
