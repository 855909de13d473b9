"""What stands before our orders, and where a position breaks even."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.panes.ladder_queue import Queue
from tests.console.pilots import staged
from tests.console.scripted import MAKER, NOW, OTHER, D, desk_frame, header, ladder, order, position

PRICE = D("2432.0")


def book(level, own="-0.5"):
    return ladder(asks=((PRICE, D(level)), (D("2432.1"), D(1))), own=((PRICE, D(own)),))


def looked(*steps):
    """The queue after our order (or what it has become) was seen in each book."""
    queue = Queue()
    for ours, level in steps:
        queue.look([ours], book(level, str(ours.amount)))
    return queue.before(MAKER)


OURS = order(MAKER, price=PRICE, amount=D("-0.5"))


def test_whoever_stood_there_first_is_before_us():
    """All of the level but our own."""
    assert looked((OURS, "3.5")) == 3


def test_what_comes_later_stands_behind_us():
    """A level that grows puts nobody before us; one that shrinks under what was there does not leave it there."""
    assert looked((OURS, "3.5"), (OURS, "9.5")) == 3
    assert looked((OURS, "3.5"), (OURS, "9.5"), (OURS, "1.5"), (OURS, "5")) == 1


def test_an_order_that_moved_or_grew_stands_last_again():
    """As venues have it; one made smaller keeps its place."""
    larger, smaller = order(MAKER, price=PRICE, amount=D(-1)), order(MAKER, price=PRICE, amount=D("-0.2"))
    assert looked((OURS, "1.5"), (larger, "9")) == 8
    assert looked((OURS, "1.5"), (smaller, "9")) == 1
    away = order(MAKER, price=D("2432.1"), amount=D("-0.5"))
    assert looked((OURS, "1.5"), (away, "1.5"), (OURS, "9.5")) == 9


def test_nothing_is_known_of_a_price_that_the_book_does_not_show():
    """Nor of an order that is not there."""
    queue = Queue()
    queue.look([order(MAKER, price=D(9000))], book("1"))
    assert queue.before(MAKER) is None
    assert queue.before(OTHER) is None


@given(st.lists(st.decimals(min_value=0, max_value=100, places=2), min_size=1, max_size=20))
def test_what_stands_before_an_order_that_stays_never_grows_and_is_never_negative(levels):
    """Whatever the level does."""
    queue, seen = Queue(), []
    for level in levels:
        queue.look([OURS], book(str(level)))
        seen.append(queue.before(MAKER))
    assert all(each >= 0 for each in seen)
    assert seen == sorted(seen, reverse=True)


# ------------------------------------------------------------------ on the ladder


def lines(stage):
    return ["".join(text for text, _ in line) for line in stage.app.desk.ladder._lines]


async def test_the_head_tells_of_our_orders_at_the_cursor_what_stands_before_them():
    """What is left of them, and the estimate; elsewhere it tells the spread."""
    frame = desk_frame(orders=[order(MAKER, price=PRICE, amount=D("-0.5"), filled=D("-0.1"))])
    async with staged(frame, size=(200, 50)) as stage:
        pane = stage.app.desk.ladder
        await stage.press("6")
        assert lines(stage)[0].startswith(" spread")
        pane.group = pane.cursor_price = None
        pane._compose_lines()
        stage.feed(desk_frame(ladders=[book("3.5")], orders=[]))
        while pane.cursor_price != PRICE:
            await stage.press("k" if pane.cursor_price < PRICE else "j")
        assert lines(stage)[0].startswith(" own 0.4000, ≤3.0000 before  spread")


@pytest.mark.parametrize(("amount", "entry", "even"), [("2", "2431.45", "=2431.5"), ("-2", "2431.45", "=2431.4")])
async def test_the_line_where_the_position_breaks_even_is_marked(amount, entry, even):
    """A long one from the line at or over its entry on, a short one from that at or under it."""
    held = position("hyperliquid", "ETH", amount, entry_price=D(entry))
    async with staged(desk_frame(positions=[held]), size=(200, 50)) as stage:
        pane = stage.app.desk.ladder
        await stage.until(lambda: pane.group is not None)
        pane.group, pane._chosen_group = D("0.1"), True
        pane.do_recentre()
        assert [line for line in lines(stage) if even in line]
        stage.feed(desk_frame(header=header(now_ns=NOW + 1), positions=[position("hyperliquid", "ETH", "0")]))
        pane.tick()
        assert not [line for line in lines(stage) if "=2" in line]


async def test_a_wide_ladder_tells_the_middle_of_the_market():
    """Where its head has room."""
    async with staged(size=(120, 40)) as stage:
        await stage.press("6", "z")
        await stage.until(lambda: "mid 2431.55" in lines(stage)[0])


async def test_a_size_that_is_for_once_goes_back_to_none_when_it_was_sent():
    """By the setting; without it the size stays."""
    async with staged(size=(120, 40)) as stage:
        hands, where = stage.app.desk.ladder.hands, stage.app.desk.ladder.shown
        await stage.press("6", "equals_sign", "B")
        await stage.until(lambda: stage.link.lines)
        assert hands.size(where) > 0
        hands.size_once = True
        await stage.press("equals_sign", "B")
        await stage.until(lambda: len(stage.link.lines) == 2)
        assert hands.size(where) == 0
