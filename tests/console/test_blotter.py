"""The orders as an operator reads them: filter, tabs, marks, copies, freeze, columns, times, screens."""

import csv
import io
from collections import Counter

import pytest
from textual.widgets import Input, OptionList

from console.copying import rows_csv
from console.link import Frame, LogLine
from console.panes.orders import TABS
from console.screens.column_setup import ColumnSetup
from console.screens.filter_line import FilterLine
from console.times import TimeMode
from tests.console.pilots import staged
from tests.console.scripted import CHILD, MAKER, NOW, OTHER, SECOND, D, desk_frame, header, order

LOST, DONE = "5" * 32, "6" * 32


def blotter_frame(**changes):
    return desk_frame(
        orders=[
            order(LOST, status="REJECTED", terminal=True, reason="post-only would cross (-5022)"),
            order(DONE, status="FILLED", terminal=True, filled=D("-0.5")),
            *desk_frame().orders,
        ],
        **changes,
    )


async def test_no_open_order_falls_out_of_the_page_for_being_old():
    """Five thousand open orders all stand in it, and one of the oldest that changes stays where it was."""
    keys = [f"{number:08x}" * 4 for number in range(5_000)]
    async with staged(desk_frame(orders=[order(key) for key in keys])) as stage:
        table = stage.app.desk.panes["orders"]
        assert table.keys == keys[::-1]
        stage.feed(Frame(orders=[order(keys[0], filled=D("-0.1"))]))
        assert table.keys == keys[::-1]


async def filtering(stage, text):
    await stage.press("slash")
    await stage.opened(FilterLine)
    await stage.until(lambda: isinstance(stage.app.screen.focused, Input))
    await stage.press(f"text:{text}")
    return stage.app.screen


def said(screen):
    return screen.query_one("#effect").render().plain


# ------------------------------------------------------------------ filter


async def test_a_filter_narrows_the_orders_while_it_is_typed_and_enter_keeps_it():
    """The rows under the line are those that pass; the title counts them; escape on the desk clears it."""
    async with staged(blotter_frame()) as stage:
        orders = stage.app.desk.panes["orders"]
        screen = await filtering(stage, "state:live venue:bin")
        await stage.until(lambda: orders.keys == [CHILD, OTHER])
        assert said(screen) == "2 of 5 rows"
        await stage.press("enter")
        await stage.on_desk()
        stage.app.flush()
        assert "2 of 5 /state:live venue:bin" in stage.text()
        await stage.press("escape")
        assert len(orders.keys) == 5
        assert stage.link.lines == []


async def test_escape_in_the_line_takes_the_filter_there_was_before():
    """What was tried is undone."""
    async with staged(blotter_frame()) as stage:
        orders = stage.app.desk.panes["orders"]
        orders.apply_filter("side:b")
        await filtering(stage, " doge")
        await stage.until(lambda: orders.keys == [])
        await stage.press("escape")
        await stage.on_desk()
        assert orders.filter.text == "side:b"
        assert orders.keys == [CHILD, OTHER]


async def test_a_filter_that_is_not_understood_stays_in_the_line_with_its_caret():
    """Enter does not close it, the rows stay as they were, and the caret stands under the word."""
    async with staged(blotter_frame()) as stage:
        screen = await filtering(stage, "eth vnue:okx")
        await stage.until(lambda: "did you mean venue?" in said(screen))
        await stage.press("enter")
        assert stage.app.screen is screen
        box, line = screen.query_one("#effect"), screen.query_one(Input)
        assert box.content_region.x + said(screen).index("▲") == line.content_region.x + len("eth ")
        assert len(stage.app.desk.panes["orders"].keys) == 5


async def test_tab_completes_fields_and_the_values_that_rows_have():
    """Each tab adds what is certain, and shows what there is where it is not."""
    async with staged(blotter_frame()) as stage:
        screen = await filtering(stage, "ven")
        field = screen.query_one(Input)
        await stage.press("tab")
        assert field.value == "venue:"
        await stage.press("tab")
        await stage.until(lambda: "venue:binance  venue:hyperliquid" in said(screen))
        await stage.press("text:h", "tab")
        assert field.value == "venue:hyperliquid"
        await stage.until(lambda: stage.app.desk.panes["orders"].keys == [MAKER, DONE, LOST])


async def test_an_order_that_ends_leaves_the_filter_but_never_from_under_the_cursor():
    """The row under the cursor stays, so that c never meets the one that took its place; it goes with the cursor."""
    async with staged(blotter_frame()) as stage:
        orders = stage.app.desk.panes["orders"]
        orders.apply_filter("state:live")
        orders.move_to_key(OTHER)
        stage.feed(Frame(orders=[order(OTHER, status="CANCELLED", terminal=True), order(CHILD, terminal=True)]))
        assert orders.keys == [OTHER, MAKER]
        assert orders.cursor_key == OTHER
        await stage.press("c")
        assert stage.link.lines == []
        assert "nothing to cancel here: that order is done" in stage.message
        await stage.press("j")
        stage.app.flush()
        assert orders.keys == [MAKER]


async def test_an_order_that_begins_to_pass_appears():
    """A live filter takes in what becomes so."""
    async with staged(blotter_frame()) as stage:
        orders = stage.app.desk.panes["orders"]
        orders.apply_filter("state:done")
        stage.feed(Frame(orders=[order(OTHER, status="FILLED", terminal=True)]))
        assert orders.keys == [OTHER, DONE, LOST]


async def test_a_filter_by_age_goes_by_the_time_alone():
    """An order grows older than the filter says, though nothing is said of it."""
    async with staged(blotter_frame()) as stage:
        orders = stage.app.desk.panes["orders"]
        orders.apply_filter("age<1m id:7f3a")
        assert orders.keys == [MAKER]
        orders.move_to(0)
        orders.content.pin(None)
        stage.clock.advance(1)
        stage.feed(Frame(header=header(now_ns=NOW + 60 * SECOND)))
        stage.app.flush()
        assert orders.keys == []


async def test_every_other_table_has_its_filter_too():
    """The log is filtered by what its lines are."""
    lines = [
        LogLine(ts_ns=NOW, kind=kind, severity="info", venue="okx", text=kind) for kind in ("sent", "answer", "alert")
    ]
    async with staged(desk_frame(log=lines)) as stage:
        log = stage.app.desk.panes["log"]
        log.apply_filter("kind:answer venue:okx")
        assert [log.rows[key].text for key in log.keys] == ["answer"]


# ------------------------------------------------------------------ tabs


async def test_tabs_show_working_done_and_rejected_orders():
    """Right and left go round them; each order stands in all and in one other."""
    async with staged(blotter_frame()) as stage:
        orders = stage.app.desk.panes["orders"]
        seen = {}
        for _ in TABS:
            seen[orders.tab] = orders.keys
            await stage.press("right")
        assert orders.tab == "all"
        assert seen["working"] == [CHILD, OTHER, MAKER]
        assert (seen["done"], seen["rejects"]) == ([DONE], [LOST])
        assert Counter(seen["all"]) == Counter([*seen["working"], *seen["done"], *seen["rejects"]])
        await stage.press("left")
        stage.app.flush()
        assert "[rejects]" in stage.text()


async def test_an_empty_tab_says_so():
    """And how to leave it."""
    async with staged(desk_frame()) as stage:
        await stage.press("left")
        assert "No order was rejected." in stage.text()


# ------------------------------------------------------------------ marks


async def test_a_range_is_marked_and_cancelled_as_one():
    """From the row last marked to the cursor; c cancels those that are open and no other."""
    async with staged(blotter_frame()) as stage:
        orders = stage.app.desk.panes["orders"]
        orders.move_to_key(CHILD)
        await stage.press("space", "j", "v")
        assert orders.marked == {CHILD, OTHER, MAKER}
        await stage.press("c")
        await stage.until(lambda: len(stage.link.lines) == 3)
        assert sorted(stage.link.lines) == sorted(f"cancel {key}" for key in (CHILD, OTHER, MAKER))


async def test_marked_orders_that_a_filter_hides_are_not_cancelled():
    """What is not seen is not acted on: its mark is gone."""
    async with staged(blotter_frame()) as stage:
        orders = stage.app.desk.panes["orders"]
        orders.move_to_key(OTHER)
        await stage.press("space")
        orders.apply_filter("venue:hyper")
        assert orders.marked == set()
        orders.move_to_key(MAKER)
        await stage.press("c")
        await stage.until(lambda: stage.link.lines)
        assert stage.link.lines == [f"cancel {MAKER}"]


async def test_escape_takes_the_marks_first_and_then_the_filter():
    """One step at a time, and nothing is sent."""
    async with staged(blotter_frame()) as stage:
        orders = stage.app.desk.panes["orders"]
        orders.apply_filter("state:live")
        await stage.press("space", "escape")
        assert not orders.marked
        assert orders.filter.text == "state:live"
        await stage.press("escape")
        assert orders.filter.text == ""
        assert stage.link.lines == []


# ------------------------------------------------------------------ copies


@pytest.mark.parametrize(("keys", "cloids"), [("y", [CHILD]), ("Y", [CHILD, OTHER, MAKER])])
async def test_rows_are_copied_to_the_clipboard_and_a_file(keys, cloids, tmp_path):
    """As CSV with all their fields: the row under the cursor, or every row that is shown, in its order."""
    async with staged(blotter_frame()) as stage:
        stage.app.copies = tmp_path / "copies"
        orders = stage.app.desk.panes["orders"]
        orders.show_tab("working")
        orders.move_to(0)
        await stage.press(keys)
        copied = list(csv.DictReader(io.StringIO(stage.app.clipboard)))
        assert [row["cloid"] for row in copied] == cloids
        path = tmp_path / "copies" / "orders.csv"
        assert path.read_text(encoding="utf-8") == stage.app.clipboard
        assert path.stat().st_mode & 0o777 == 0o600
        assert "copied, and written to" in stage.message


async def test_marked_rows_are_copied_though_the_cursor_is_elsewhere(tmp_path):
    """Marks come before the cursor, and stay."""
    async with staged(blotter_frame()) as stage:
        stage.app.copies = tmp_path
        orders = stage.app.desk.panes["orders"]
        orders.move_to_key(LOST)
        await stage.press("space", "g", "y")
        assert [row["reason"] for row in csv.DictReader(io.StringIO(stage.app.clipboard))] == [
            "post-only would cross (-5022)"
        ]
        assert orders.marked == {LOST}


async def test_a_file_that_cannot_be_written_is_told_and_the_clipboard_has_the_rows(tmp_path):
    """The folder is a file: copied all the same."""
    async with staged() as stage:
        blocked = tmp_path / "file"
        blocked.write_text("", encoding="utf-8")
        stage.app.copies = blocked
        await stage.press("Y")
        assert "3 orders copied; no file was written" in stage.message
        assert stage.app.clipboard.startswith("cloid,")


def test_csv_is_exact_and_runs_nothing():
    """All digits, times to the nanosecond, nothing for what is not known, and no text that a spreadsheet would run."""
    rows = [order(MAKER, amount=D("-0.50000001"), price=None, reason="=HYPERLINK(1)", ts_created_ns=NOW + 7)]
    (row,) = csv.DictReader(io.StringIO(rows_csv(rows)))
    assert (row["amount"], row["price"], row["reason"]) == ("-0.50000001", "", "'=HYPERLINK(1)")
    assert row["time_created"].endswith(".000000007Z")
    assert row["terminal"] == "no"
    assert "key" not in row


# ------------------------------------------------------------------ freeze, times, columns


async def test_a_frozen_table_stands_still_and_then_has_all_that_happened():
    """Rows, counts and order stay while frozen; the title says so; once more brings everything in."""
    async with staged(blotter_frame()) as stage:
        orders = stage.app.desk.panes["orders"]
        await stage.press("p")
        stage.feed(Frame(orders=[order("e" * 32), order(OTHER, status="FILLED", terminal=True)]))
        stage.app.flush()
        assert "FROZEN, 2 changed" in stage.text()
        assert "e" * 32 not in orders.keys
        assert not orders.rows[OTHER].terminal
        await stage.press("p")
        assert orders.keys[0] == "e" * 32
        assert orders.rows[OTHER].terminal


async def test_what_is_done_to_a_frozen_order_is_judged_by_what_is_known():
    """An order that ended meanwhile is not cancelled though it still looks open."""
    async with staged(blotter_frame()) as stage:
        orders = stage.app.desk.panes["orders"]
        orders.move_to_key(OTHER)
        await stage.press("p")
        stage.feed(Frame(orders=[order(OTHER, status="FILLED", terminal=True)]))
        await stage.press("c")
        assert stage.link.lines == []
        assert "that order is done" in stage.message


async def test_times_are_shown_as_ages_local_and_utc_in_every_pane():
    """The key t goes round the three; the column's head says which."""
    async with staged(desk_frame(), size=(200, 50)) as stage:
        orders = stage.app.desk.panes["orders"]

        def shown():
            column = next(column for column in orders.columns if column.key == "age")
            return column.label, column.cell(orders.rows[MAKER]).text

        assert shown() == ("age", "40s")
        await stage.press("t", "t")
        assert shown() == ("UTC", "14:12:40")
        assert stage.app.desk.panes["deltas"].time_mode is TimeMode.UTC
        assert "UTC" in stage.text()
        await stage.press("t")
        assert shown() == ("age", "40s")


async def test_columns_that_do_not_fit_are_one_key_away():
    """At 80 columns w shows the others beside side, amount and contract, and goes round."""
    async with staged(blotter_frame()) as stage:
        orders = stage.app.desk.panes["orders"]
        first = orders.shown_columns
        seen = set(first)
        for _ in range(orders.column_pages - 1):
            await stage.press("w")
            assert {"side", "amount", "contract"} <= set(orders.shown_columns)
            seen |= set(orders.shown_columns)
        assert seen == {column.key for column in orders.columns}
        await stage.press("w")
        assert orders.shown_columns == first


async def test_columns_are_turned_off_and_carried_about():
    """Space turns one off, J carries it down, enter keeps it so; escape would not have."""
    async with staged(blotter_frame(), size=(200, 50)) as stage:
        orders = stage.app.desk.panes["orders"]
        await stage.press("z", "W")
        await stage.opened(ColumnSetup)
        await stage.until(lambda: isinstance(stage.app.screen.focused, OptionList))
        await stage.press("space", "j", "J", "escape")
        await stage.on_desk()
        assert orders.shown_columns[:2] == ("side", "amount")
        await stage.press("W")
        await stage.opened(ColumnSetup)
        await stage.until(lambda: isinstance(stage.app.screen.focused, OptionList))
        await stage.press("space", "j", "J", "enter")
        await stage.on_desk()
        await stage.until(lambda: orders.shown_columns[:2] == ("contract", "amount"))
        assert "side" not in orders.shown_columns
