import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App

from console.themes import named
from console.widgets.columns import Cell, Column, fit_columns
from console.widgets.live_table import LiveTable
from console.widgets.row_order import RowOrder
from tests.console.pilots import press, until


class Item(msgspec.Struct, frozen=True):
    name: str
    size: int


def columns(**changes):
    return [
        Column(key="name", label="name", width=10, cell=lambda row: Cell(row.name), sort=lambda row: row.name),
        Column(
            key="size", label="size", width=8, right=True, cell=lambda row: Cell(str(row.size)),
            sort=lambda row: row.size, flash=lambda row: row.size,
        ),
        Column(key="extra", label="extra", width=12, priority=1, cell=lambda row: Cell("x" * 30), **changes),
    ]  # fmt: skip


class Stand(App):
    """A table alone on a screen of twelve lines."""

    def __init__(self, **options):
        super().__init__()
        self.table = LiveTable(columns(), empty="Nothing yet.\npress n", **options)
        self.moves = []
        self.chosen = []

    def get_theme_variable_defaults(self):
        return named("dark").variables()

    def compose(self):
        yield self.table

    def on_live_table_cursor_moved(self, event):
        self.moves.append(event.key)

    def on_live_table_row_chosen(self, event):
        self.chosen.append((event.key, event.row))


def items(first, last):
    return [(f"k{n}", Item(f"item{n}", n)) for n in range(first, last)]


def line(table, y):
    return table.render_line(y).text.rstrip()


# ------------------------------------------------------------------ rows and order, pure

steps = st.lists(
    st.tuples(st.sampled_from(["put", "drop", "settle"]), st.integers(min_value=0, max_value=12)), max_size=60
)


@given(steps, st.booleans(), st.integers(min_value=1, max_value=8))
def test_order_and_rows_never_disagree(story, newest_first, most):
    """After settling, the order holds each row once, in its place, and never more than the bound."""
    order = RowOrder(max_rows=most, newest_first=newest_first)
    for step, number in story:
        if step == "put":
            order.put(f"k{number}", Item("", number))
        elif step == "drop":
            order.drop([f"k{number}"])
        else:
            order.settle()
    order.settle()
    assert sorted(order.order) == sorted(order.rows)
    assert {key: order.order.index(key) for key in order.order} == order.place
    assert len(order.rows) <= most


@given(st.lists(st.integers(min_value=0, max_value=50), min_size=1, unique=True))
def test_an_update_does_not_move_a_row(numbers):
    """Replacing a row leaves the order as it is, sorted or not."""
    order = RowOrder()
    for number in numbers:
        order.put(f"k{number}", Item(f"n{number}", number))
    order.settle()
    order.sort(columns()[1], descending=True)
    before = list(order.order)
    order.put(f"k{numbers[0]}", Item("changed", 10_000))
    order.settle()
    assert order.order == before


def test_the_oldest_rows_fall_out():
    """The bound takes the rows that came first."""
    order = RowOrder(max_rows=2, newest_first=True)
    for key in "abc":
        order.put(key, Item(key, 0))
    assert order.settle() == {"a"}
    assert order.order == ["c", "b"]


def test_rows_without_a_sort_value_go_last_both_ways():
    """None is neither small nor large."""
    column = Column(key="size", label="", width=1, cell=lambda row: Cell(""), sort=lambda row: row.size or None)
    order = RowOrder()
    for key, size in (("a", 0), ("b", 2), ("c", 1)):
        order.put(key, Item(key, size))
    order.settle()
    order.sort(column, descending=False)
    assert order.order == ["c", "b", "a"]
    order.sort(column, descending=True)
    assert order.order == ["b", "c", "a"]


# ------------------------------------------------------------------ columns, pure


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=12),
    st.integers(min_value=1, max_value=250),
)
def test_columns_fit_and_the_important_ones_stay(shapes, width):
    """What is shown beside the indispensable columns fits, and is never less important than what is left out."""
    every = [
        Column(key=str(n), label="", width=w, priority=p, grow=g, widest=w + 20, cell=lambda row: Cell(""))
        for n, (w, p, g) in enumerate(shapes)
    ]
    shown, widths = fit_columns(every, width)
    assert [column.key for column in shown] == sorted((column.key for column in shown), key=int)
    assert all(column.width <= given_width <= column.widest for column, given_width in zip(shown, widths, strict=True)
               if column.grow)  # fmt: skip
    assert all(column in shown for column in every if column.priority == 0)
    if any(column.priority for column in shown):
        assert sum(widths) + len(widths) - 1 <= width
    left_out = [column.priority for column in every if column not in shown]
    assert not left_out or max((column.priority for column in shown), default=0) <= min(left_out)


# ------------------------------------------------------------------ the widget


async def test_an_empty_table_teaches():
    """A table without rows says what to do."""
    app = Stand()
    async with app.run_test(size=(60, 12)):
        assert line(app.table, 0).split() == ["name", "size", "extra"]
        assert line(app.table, 1) == " Nothing yet."
        assert line(app.table, 2) == " press n"


async def test_only_rows_in_sight_that_changed_are_drawn_again():
    """With 5,000 rows, an update of one row in sight draws one row; one out of sight draws none."""
    app = Stand()
    async with app.run_test(size=(60, 12)) as pilot:
        table = app.table
        table.put(items(0, 5_000))
        table.flush()
        await until(pilot, lambda: table.painted >= 11)
        drawn = table.painted
        table.put([("k4999", Item("far", 1))])
        table.flush()
        for y in range(12):
            table.render_line(y)
        assert table.painted == drawn
        table.put([("k3", Item("near", 3))])
        table.flush()
        for y in range(12):
            table.render_line(y)
        assert table.painted == drawn + 1
        assert line(table, 4).split()[0] == "near"


async def test_numbers_stand_at_the_right_and_columns_leave_when_it_is_narrow():
    """A right-aligned cell ends where its head ends; the least important column is gone in a narrow table."""
    app = Stand()
    async with app.run_test(size=(24, 12)) as pilot:
        app.table.put(items(7, 8))
        app.table.flush()
        await pilot.pause()
        assert app.table.shown_columns == ("name", "size")
        assert line(app.table, 0).index("size") + 4 == line(app.table, 1).rindex("7") + 1


async def test_the_cursor_stays_on_its_row_when_others_come_go_and_are_sorted():
    """The cursor belongs to a key: new rows on top, rows gone above and a sort do not move it to another row."""
    app = Stand(newest_first=True)
    async with app.run_test(size=(60, 12)):
        table = app.table
        table.focus()
        table.put(items(0, 6))
        table.flush()
        await press(app, "down", "down")
        assert table.cursor_key == "k3"
        table.put(items(10, 40))
        table.drop(["k4"])
        table.flush()
        assert table.cursor_key == "k3"
        table.sort_next()
        table.sort_next()
        assert table.sort_column == "size"
        assert table.cursor_key == "k3"
        y = table.cursor_line - table.first_line + 1
        assert line(table, y).split()[0] == "item3"


async def test_the_cursor_goes_to_the_next_row_when_its_own_goes():
    """A row that goes away hands the cursor to the one in its place; an empty table has none."""
    app = Stand()
    async with app.run_test(size=(60, 12)) as pilot:
        table = app.table
        table.focus()
        table.put(items(0, 3))
        table.flush()
        await press(app, "j")
        table.drop(["k1"])
        table.flush()
        assert table.cursor_key == "k2"
        table.drop(["k0", "k2"])
        table.flush()
        await pilot.pause()
        assert table.cursor_key is None
        assert app.moves[-1] is None


async def test_a_log_follows_its_end_until_the_cursor_leaves_it():
    """New lines keep the end in sight; with the cursor further up they do not move what is read."""
    app = Stand(follow=True)
    async with app.run_test(size=(60, 12)) as pilot:
        table = app.table
        table.focus()
        table.put(items(0, 100))
        table.flush()
        await until(pilot, lambda: line(table, 11).split()[0] == "item99")
        await press(app, "g")
        table.put(items(100, 150))
        table.flush()
        await pilot.pause()
        assert table.cursor_key == "k0"
        assert line(table, 1).split()[0] == "item0"
        await press(app, "G")
        await until(pilot, lambda: line(table, 11).split()[0] == "item149")


async def test_a_changed_number_flashes_for_three_frames_with_its_direction():
    """A rise is drawn on the background of rises, and is plain again after three frames."""
    app = Stand()
    async with app.run_test(size=(60, 12)) as pilot:
        table = app.table
        table.put(items(0, 2))
        table.flush()
        assert line(table, 2).split()[0] == "item1"  # drawn: a value that nobody saw does not flash
        table.put([("k1", Item("item1", 9))])
        table.flush()
        await pilot.pause()
        flash = table.inks["flash-up"].bgcolor

        def flashing():
            return any(segment.style.bgcolor == flash for segment in table.render_line(2) if segment.text.strip())

        assert flashing()
        for _ in range(4):
            table.flush()
        assert not flashing()


async def test_a_theme_change_draws_every_row_in_the_new_colours():
    """No strip of the old theme is left after the theme has changed."""
    app = Stand()
    async with app.run_test(size=(60, 12)) as pilot:
        table = app.table
        table.put(items(0, 3))
        table.flush()
        before = table.render_line(2)._segments[1].style.color
        app.theme = "textual-light"
        await until(pilot, lambda: table.render_line(2)._segments[1].style.color != before)


async def test_a_cell_that_cannot_be_drawn_is_shown_and_reported():
    """One bad cell is marked as such, the rest of the row is drawn, and the fault is told."""
    told = []
    app = Stand()
    async with app.run_test(size=(60, 12)):
        table = app.table
        table.on_fault = lambda where, error: told.append((where, type(error)))
        table.put([("bad", Item("bad", None)), ("good", Item("good", 1))])
        table.columns = [
            msgspec.structs.replace(table.columns[1], cell=lambda row: Cell(str(row.size + 1))),
            *columns(),
        ]
        table._width = -1
        table.flush()
        assert "?!" in line(table, 1)
        assert "bad" in line(table, 1)
        assert line(table, 2).split()[0] == "2"
        assert told == [("table, column size", TypeError)]


async def test_enter_chooses_and_a_click_only_moves():
    """Enter tells of the row under the cursor; a click moves the cursor and tells of nothing."""
    app = Stand()
    async with app.run_test(size=(60, 12)) as pilot:
        table = app.table
        table.focus()
        table.put(items(0, 5))
        table.flush()
        await pilot.click(table, offset=(4, 4))
        assert table.cursor_key == "k3"
        assert app.chosen == []
        await press(app, "enter")
        await until(pilot, lambda: app.chosen)
        assert app.chosen == [("k3", Item("item3", 3))]


async def test_everything_is_drawn_stale_while_the_engine_is_silent():
    """A silent table keeps its text and loses its colours."""
    app = Stand()
    async with app.run_test(size=(60, 12)):
        table = app.table
        table.put(items(0, 2))
        table.flush()
        text = table.render_line(2).text
        table.set_silent(silent=True)
        strip = table.render_line(2)
        assert strip.text == text
        assert {segment.style.color for segment in strip if segment.text.strip()} == {table.inks.silent.color}


@pytest.mark.parametrize("key", ["space", "escape", "x"])
async def test_keys_that_are_not_the_tables_are_left_to_others(key):
    """A table takes keys that move, sort and choose, and nothing else."""
    assert key not in {part for binding in LiveTable.BINDINGS for part in binding.key.split(",")}
