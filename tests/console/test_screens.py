import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input

from console.actions import PANES
from console.link import Reply
from console.panes.mirror import Mirror
from console.screens.arrangement import LAYOUTS, arrange, places
from console.screens.choices import cancel_choices, flatten_choices
from console.screens.command_line import CommandLine, common_start, named
from console.screens.leave import open_lines
from console.widgets.line_bar import Span, fit_spans
from tests.console.pilots import staged
from tests.console.scripted import CHILD, MAKER, D, book, desk_frame, hedge, order, position

# ------------------------------------------------------------------ the arrangement, pure

sizes = st.tuples(st.integers(1, 260), st.integers(1, 90))


layouts = st.sampled_from(list(LAYOUTS))


@given(sizes, layouts)
def test_places_tile_the_desk_and_every_pane_has_one(size, layout):
    """The places cover the desk without overlap, and each pane belongs to exactly one of them, in every layout."""
    width, height = size
    found = places(width, height, layout)
    assert sum(place.region.area for place in found) == width * height
    for number, one in enumerate(found):
        assert one.region.right <= width
        assert one.region.bottom <= height
        for other in found[number + 1 :]:
            assert not one.region.intersection(other.region).area
    assert sorted(pane for place in found for pane in place.panes) == sorted(PANES)


@given(sizes, st.sampled_from(PANES), layouts)
def test_the_pane_asked_for_last_is_in_sight(size, pane, layout):
    """Whatever the size and the layout, asking for a pane shows it."""
    assert pane in arrange(*size, recent=[pane, *PANES], layout=layout)


@given(sizes, layouts)
def test_no_place_is_too_narrow_or_too_low_to_read_where_the_terminal_is_a_usual_one(size, layout):
    """From 80 by 24 (less the bars) on, each pane has its title, its head and a row at least, and 34 columns."""
    width, height = max(80, size[0]), max(21, size[1])
    for place in places(width, height, layout):
        assert place.region.width >= 34
        assert place.region.height >= 5


def test_a_layout_that_is_none_is_the_first():
    """A kept name of a layout that is no more shows everything."""
    assert places(120, 37, "gone") == places(120, 37, "everything")


@given(sizes)
def test_orders_and_what_is_unhedged_are_in_sight_by_themselves(size):
    """Before anything is asked for, orders show at every size, and the unhedged balance where there are two places."""
    shown = arrange(*size)
    assert "orders" in shown
    assert "unhedged" in shown or len(shown) == 1


@pytest.mark.parametrize(("size", "count"), [((80, 21), 2), ((120, 37), 7), ((200, 48), 8), ((250, 68), 10)])
def test_larger_terminals_show_more_panes(size, count):
    """Two panes at 80 by 24, seven at 120 by 40, eight at 200 by 50, every one at 250 by 70."""
    assert len(arrange(*size)) == count


def test_a_zoomed_pane_has_the_desk():
    """Zoomed, one pane has it all."""
    assert list(arrange(120, 37, zoomed="log")) == ["log"]


# ------------------------------------------------------------------ choices, pure


def mirror_of(frame):
    mirror = Mirror()
    mirror.apply(frame, 1)
    return mirror


def test_the_cancel_menu_counts_what_each_line_takes():
    """Counts are by side, contract and venue, without hedges."""
    rows = [order("a" * 32), order("b" * 32, amount=D("0.5")), order("c" * 32, role="hedge")]
    choices = cancel_choices(mirror_of(desk_frame(orders=rows)), "hyperliquid", "ETH")
    assert {choice.key: choice.count for choice in choices} == {"b": 1, "s": 1, "i": 2, "v": 2, "m": 2, "a": 2, "h": 3}
    assert "h" not in [choice.key for choice in cancel_choices(mirror_of(desk_frame(orders=rows[:2])))]


def test_cancelling_the_hedges_too_is_asked_and_says_what_becomes_of_their_books():
    """Every hedge order has its own cancel; the question names the book that is paused."""
    choice = cancel_choices(mirror_of(desk_frame()), "hyperliquid", "ETH")[-1]
    assert (choice.key, choice.count) == ("h", 3)
    assert choice.question.lines == choice.lines == ("cancel all", f"cancel {CHILD}")
    assert "2 orders and 1 hedge order" in choice.question.text
    assert "paused until you resume them: binance:ETHUSDT" in choice.question.text


def test_a_position_is_flattened_with_all_that_hedging_ties_to_it():
    """From either end, and over a maker with two legs; what is flat or hedged with something else is left alone."""
    legs = [hedge("h1"), hedge("h2", venue="okx", ticker="ETH-USDT-SWAP"), hedge("h3", maker_ticker="SOL", ticker="S")]
    held = [
        position("hyperliquid", "ETH", "-2"), position("binance", "ETHUSDT", "1"),
        position("okx", "ETH-USDT-SWAP", "1"), position("binance", "S", "3"),
    ]  # fmt: skip
    mirror = mirror_of(desk_frame(hedges=legs, positions=held))
    expected = {"flatten hyperliquid:ETH", "flatten binance:ETHUSDT", "flatten okx:ETH-USDT-SWAP"}
    for where in (("hyperliquid", "ETH"), ("okx", "ETH-USDT-SWAP")):
        choice = next(each for each in flatten_choices(mirror, *where) if each.key == "h")
        assert choice.lines[0] == f"flatten {where[0]}:{where[1]}"
        assert (set(choice.lines), choice.count) == (expected, 3)
        assert choice.question.lines == choice.lines
    assert [each.key for each in flatten_choices(mirror, "binance", "S")] == ["i", "v", "a"]


def test_flattening_everything_must_be_typed_and_says_how_many():
    """The question of flatten all names the count and asks for the words."""
    choices = flatten_choices(mirror_of(desk_frame()), "binance", "ETHUSDT")
    last = choices[-1]
    assert (last.key, last.count, last.question.word) == ("a", 2, "flatten all")
    assert [choice.lines for choice in choices] == [
        ("flatten binance:ETHUSDT",),
        ("flatten binance:ETHUSDT", "flatten hyperliquid:ETH"),
        ("flatten binance",),
        ("flatten all",),
    ]


def test_a_flat_contract_is_not_offered_for_flattening():
    """Without a position under the cursor the menu has no line for it."""
    frame = desk_frame(positions=[position("binance", "ETHUSDT", "0.1")])
    assert "i" not in [choice.key for choice in flatten_choices(mirror_of(frame), "hyperliquid", "ETH")]


def test_leaving_lists_open_orders_and_residuals_and_shortens_long_lists():
    """Every open order and unhedged book is named, or counted where there are too many."""
    lines = open_lines(mirror_of(desk_frame()))
    assert len(lines) == 4
    assert lines[-1] == "binance:ETHUSDT unhedged +0.0002  under the lot of 0.001"
    many = [order(f"{n:032x}") for n in range(40)]
    lines = open_lines(mirror_of(desk_frame(orders=many, books=[book(balance=D(0))])))
    assert lines[-1] == "… and 35 more orders"
    assert len(lines) == 6


# ------------------------------------------------------------------ bars, pure


@given(st.lists(st.tuples(st.integers(1, 15), st.integers(0, 5)), max_size=12), st.integers(0, 120))
def test_spans_that_matter_stay_and_the_others_leave_by_rank(shapes, width):
    """What has priority 0 is always there; a rank leaves only when it is needed, and never before a lesser one."""
    spans = [Span("x" * length, "", priority) for length, priority in shapes]
    kept = fit_spans(spans, width)
    assert [span for span in spans if span.priority == 0] == [span for span in kept if span.priority == 0]
    assert sum(len(span.text) for span in kept) <= width or all(span.priority == 0 for span in kept)
    left_out = [span.priority for span in spans if span not in kept]
    if left_out:
        assert all(span.priority < min(left_out) for span in kept)


@given(st.lists(st.text(max_size=8), min_size=1, max_size=5))
def test_a_common_start_is_the_longest(texts):
    """Each text starts with it, and no longer start is shared."""
    start = common_start(texts)
    assert all(text.startswith(start) for text in texts)
    if all(len(text) > len(start) for text in texts):
        assert len({text[len(start)] for text in texts}) > 1


# ------------------------------------------------------------------ the command line


async def opened(stage):
    await stage.press("colon")
    await stage.opened(CommandLine)
    await stage.until(lambda: isinstance(stage.app.screen.focused, Input))
    return stage.app.screen


def effect(screen):
    return screen.query_one("#effect").render().plain


async def test_a_command_is_typed_and_sent_with_enter():
    """Enter sends the line as typed, the line closes and the answer is said."""
    async with staged() as stage:
        await opened(stage)
        await stage.press(*"cancel all", "enter")
        await stage.on_desk()
        assert stage.link.lines == ["cancel all"]
        assert "done: cancel all" in stage.message


async def test_what_is_typed_takes_the_place_of_a_line_that_was_left():
    """A line left with escape comes back, marked: an arrow keeps it, a letter begins another."""
    async with staged() as stage:
        await opened(stage)
        await stage.press("text:cancel all", "escape")
        await stage.on_desk()
        screen = await opened(stage)
        assert screen.query_one(Input).value == "cancel all"
        await stage.press("right", "!")
        assert screen.query_one(Input).value == "cancel all!"
        await stage.press("escape")
        await stage.on_desk()
        screen = await opened(stage)
        await stage.press("v")
        assert screen.query_one(Input).value == "v"
        assert stage.link.lines == []


async def test_the_effect_is_shown_before_enter():
    """The preview's sentence stands under the line; nothing is sent."""
    async with staged() as stage:
        screen = await opened(stage)
        await stage.press("text:flatten all")
        await stage.until(lambda: effect(screen) == "would do: flatten all")
        assert stage.link.lines == []


async def test_an_error_has_its_caret_under_the_place():
    """The caret stands in the column of the word that is wrong."""
    async with staged() as stage:
        screen = await opened(stage)
        await stage.press("text:sel 3")
        await stage.until(lambda: "'sel' is not a command" in effect(screen))
        box = screen.query_one("#effect")
        line = screen.query_one(Input)
        assert box.content_region.x + effect(screen).index("▲") == line.content_region.x


async def test_a_refused_command_keeps_its_text():
    """The text stays to be corrected, with the reason under it; escape keeps it for the next time."""
    async with staged() as stage:
        stage.link.replies["cancel 7f3a"] = Reply(ok=False, error="no open order starts with 7f3a", caret=7)
        screen = await opened(stage)
        await stage.press("text:cancel 7f3a", "enter")
        await stage.until(lambda: "no open order starts with 7f3a" in effect(screen))
        assert screen.query_one(Input).value == "cancel 7f3a"
        await stage.press("escape")
        await stage.on_desk()
        assert (await opened(stage)).query_one(Input).value == "cancel 7f3a"


async def test_history_is_recalled_with_the_arrows():
    """Up goes back through the commands sent, down comes forward to an empty line."""
    async with staged() as stage:
        for line in ("cancel all", "verify"):
            await opened(stage)
            await stage.press(*line, "enter")
            await stage.on_desk()
        screen = await opened(stage)
        field = screen.query_one(Input)
        seen = []
        for key in ("up", "up", "up", "down", "down"):
            await stage.press(key)
            seen.append(field.value)
        assert seen == ["verify", "cancel all", "cancel all", "verify", ""]


async def test_tab_completes_verbs_venues_and_tickers():
    """Each tab adds what is certain; where there is a choice it is shown."""
    async with staged() as stage:
        screen = await opened(stage)
        field = screen.query_one(Input)
        await stage.press("text:flat", "tab")
        assert field.value == "flatten "
        await stage.press("text:bin", "tab")
        assert field.value == "flatten binance"
        await stage.press("colon", "tab")
        await stage.until(lambda: "binance:ETHUSDT" in effect(screen) and "binance:SOLUSDT" in effect(screen))
        await stage.press("text:E", "tab")
        assert field.value.strip() == "flatten binance:ETHUSDT"


async def test_tab_completes_the_id_of_an_order():
    """The one order that fits is named in full; where several do, each is shown with what it is."""
    async with staged() as stage:
        screen = await opened(stage)
        field = screen.query_one(Input)
        await stage.press("text:amend ", "tab")
        await stage.until(lambda: "7f3a9c sell 0.3628 hyperliquid:ETH" in effect(screen))
        assert "91c2d0 buy 0.25 binance:ETHUSDT" in effect(screen)
        assert "aa07b3" not in effect(screen), "a market order has no price to amend"
        await stage.press("7", "tab")
        assert field.value == f"amend {MAKER} "
        assert stage.link.lines == []


def test_each_command_that_names_an_order_offers_those_it_fits():
    """Cancel any open one, amend one with a price, absent an unknown hedge; without a digit cancel offers none."""
    rows = [
        order(MAKER),
        order("7f00" * 8, terminal=True),
        order("7faa" * 8, role="hedge", status="UNKNOWN", price=None),
    ]
    mirror = mirror_of(desk_frame(orders=rows))
    assert list(named("cancel 7f", mirror)) == [f"cancel {MAKER} ", f"cancel {'7faa' * 8} "]
    assert list(named("AMEND ", mirror)) == [f"AMEND {MAKER} "]
    assert list(named("absent ", mirror)) == [f"absent {'7faa' * 8} "]
    for text in ("cancel ", "cancel", "cancel all 7", "flatten 7", f"amend {MAKER}"):
        assert named(text, mirror) == {}


async def test_a_long_line_shows_its_end_and_keeps_the_caret_in_sight():
    """A line longer than the terminal scrolls, and the error under it fits."""
    async with staged(size=(60, 20)) as stage:
        screen = await opened(stage)
        line = "sell 3 binance:SOLUSDT @ queue5 post hedge hyperliquid:SOL market hedge hyperliquid:ETH sideways"
        screen.query_one(Input).value = line
        await stage.until(lambda: "▲" in effect(screen))
        assert max(len(part) for part in effect(screen).splitlines()[:1]) <= screen.query_one("#effect").size.width


async def test_two_enters_send_one_command():
    """The second enter of a double press sends nothing."""
    async with staged() as stage:
        stage.link.hold = asyncio.Event()
        await opened(stage)
        await stage.press(f"text:cancel {MAKER[:6]}", "enter", "enter", "enter")
        stage.link.hold.set()
        await stage.on_desk()
        assert stage.link.lines == [f"cancel {MAKER[:6]}"]
