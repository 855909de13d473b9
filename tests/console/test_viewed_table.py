"""What the reader of a table does with it: filter, freeze, mark, choose columns. Mostly pure."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.widgets.column_choice import ColumnChoice, Pages
from console.widgets.columns import Cell, Column
from console.widgets.held_rows import HeldRows
from console.widgets.row_order import RowOrder

numbers = st.integers(min_value=0, max_value=9)
puts = st.tuples(st.just("put"), numbers, st.integers(min_value=0, max_value=5))
drops = st.tuples(st.just("drop"), numbers, st.just(0))
settles = st.tuples(st.just("settle"), st.just(0), st.just(0))
stories = st.lists(st.one_of(puts, drops, settles), max_size=60)


class Item(msgspec.Struct, frozen=True):
    size: int


def play(order, story, settle=True):
    for step, number, size in story:
        if step == "put":
            order.put(f"k{number}", Item(size))
        elif step == "drop":
            order.drop([f"k{number}"])
        elif settle:
            order.settle()


def large(row):
    return row.size >= 3


# ------------------------------------------------------------------ filter


@given(stories, stories, st.booleans())
def test_exactly_the_rows_that_pass_stand_in_the_order(before, after, newest_first):
    """Whether they came before the filter or after it, and however they changed since; all are known still."""
    order = RowOrder(max_rows=6, newest_first=newest_first)
    play(order, before)
    order.filter(large)
    play(order, after)
    order.settle()
    assert sorted(order.order) == sorted(key for key, row in order.rows.items() if large(row))
    assert {key: place for place, key in enumerate(order.order)} == order.place
    order.filter(None)
    assert sorted(order.order) == sorted(order.rows)


@given(stories, stories, numbers)
def test_the_pinned_row_stays_in_its_place_until_it_is_let_go(before, after, pinned):
    """A row under the cursor that ceases to pass is still shown, and goes when the cursor leaves it."""
    key = f"k{pinned}"
    order = RowOrder()
    play(order, [*before, ("put", pinned, 5), ("settle", 0, 0)])
    order.filter(large)
    order.pin(key)
    play(order, [step for step in after if step[:2] != ("drop", pinned)])
    order.put(key, Item(0))
    order.settle()
    assert key in order.place
    order.pin(None)
    assert order.restructured
    order.settle()
    assert key not in order.place
    assert key in order.rows


def test_an_update_that_passes_as_before_moves_nothing():
    """Only a row that begins or ceases to pass changes the order."""
    order = RowOrder()
    play(order, [("put", 1, 4), ("put", 2, 1), ("put", 3, 5), ("settle", 0, 0)])
    order.filter(large)
    order.put("k1", Item(3))
    order.put("k2", Item(2))
    assert not order.restructured
    order.put("k1", Item(0))
    assert order.restructured


def test_a_filter_keeps_the_sort():
    """Sorted rows stay sorted when a filter comes and goes."""
    order = RowOrder()
    play(order, [("put", n, size) for n, size in enumerate((3, 5, 1, 4))])
    order.settle()
    order.sort(Column(key="size", label="", width=1, cell=lambda row: Cell(""), sort=lambda row: row.size),
               descending=True)  # fmt: skip
    order.filter(large)
    assert order.order == ["k1", "k3", "k0"]
    order.filter(None)
    assert order.order == ["k1", "k3", "k0", "k2"]


def test_a_filter_of_the_time_is_judged_anew():
    """What passes by another measure now is taken out at the next settling."""
    least = [0]
    order = RowOrder()
    play(order, [("put", 1, 1), ("put", 2, 4), ("settle", 0, 0)])
    order.filter(lambda row: row.size >= least[0])
    least[0] = 3
    order.refilter()
    assert order.restructured
    order.settle()
    assert order.order == ["k2"]


# ------------------------------------------------------------------ freeze


@given(stories, stories, st.integers(1, 6))
def test_a_table_that_was_frozen_ends_like_one_that_was_not(before, during, most):
    """What was held back and then made gives the same rows as if it had been made at once."""
    live, frozen = RowOrder(max_rows=most), RowOrder(max_rows=most)
    held = HeldRows(2 * most)
    for order in (live, frozen):
        play(order, before)
        order.settle()
    play(live, during, settle=False)
    for step, number, size in during:
        if step == "put":
            held.put([(f"k{number}", Item(size))])
        elif step == "drop":
            held.drop([f"k{number}"])
    live.settle()
    frozen.drop(held.gone)
    for key, row in held.rows:
        frozen.put(key, row)
    frozen.settle()
    if len(held) < 2 * most:
        for key in frozen.rows.keys() & live.rows.keys():
            assert frozen.rows[key] == live.rows[key]
        assert len(frozen.rows) == len(live.rows)
    assert len(held) <= 2 * most


def test_the_last_change_is_the_one_that_is_held():
    """Of several changes of a row only the last is made, and it can be asked for."""
    held = HeldRows(10)
    held.put([("a", Item(1)), ("b", Item(2)), ("a", Item(3))])
    held.drop(["b"])
    assert held.newest("a") == Item(3)
    assert held.rows == [("a", Item(3))]
    assert held.gone == ["b"]
    assert len(held) == 2


# ------------------------------------------------------------------ columns

shapes = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 5), st.booleans()), min_size=1, max_size=12)


def columns_of(found):
    return [
        Column(key=str(n), label="", width=width, priority=priority, anchor=anchor, cell=lambda row: Cell(""))
        for n, (width, priority, anchor) in enumerate(found)
    ]


@given(shapes, st.integers(1, 200))
def test_every_column_stands_on_some_screen_in_its_order(found, width):
    """None is out of reach, each screen has the anchors, and no column is shown twice but those."""
    columns = columns_of(found)
    pages = Pages(columns, width)
    shown = [[column.key for column in pages.page(number).columns] for number in range(len(pages))]
    assert {key for page in shown for key in page} == {column.key for column in columns}
    anchors = {column.key for column in columns if column.anchor} or {"0"}
    for page in shown:
        assert page == sorted(page, key=int)
    for page in shown[1:]:
        assert anchors <= set(page)
        assert set(page) - anchors
    rest = [key for number, page in enumerate(shown) for key in page if not number or key not in anchors]
    assert len(rest) == len(set(rest))


def test_where_all_columns_fit_there_is_one_screen():
    """And asking for the next gives it again."""
    pages = Pages(columns_of([(5, 0, False), (5, 3, False)]), 20)
    assert len(pages) == 1
    assert pages.page(1) == pages.page(0)


@pytest.mark.parametrize(
    ("choice", "shown"),
    [
        (ColumnChoice(), "012"),
        (ColumnChoice(order=("2", "0")), "201"),
        (ColumnChoice(off=frozenset("1")), "02"),
        (ColumnChoice(order=("2", "0", "1"), off=frozenset("0")), "21"),
        (ColumnChoice(off=frozenset("012")), "012"),
    ],
)
def test_columns_stand_as_they_were_chosen(choice, shown):
    """In the order chosen, new ones last; a table without a column there is not."""
    assert "".join(column.key for column in choice.of(columns_of([(3, 0, False)] * 3))) == shown
