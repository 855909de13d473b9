import asyncio

import pytest
from textual.screen import ModalScreen

from console import themes
from console.link import Frame, Reply
from console.screens.alerts import AlertsScreen
from console.screens.arm import ArmDialog
from console.screens.column_setup import ColumnSetup
from console.screens.command_line import CommandLine
from console.screens.dialog import DetailsDialog, Dialog, MenuDialog, QuestionDialog
from console.screens.drill import DrillScreen
from console.screens.filter_line import FilterLine
from console.screens.help import HelpScreen
from console.screens.jump import JumpScreen
from console.screens.leave import LeaveDialog
from console.screens.palette import ActionPalette
from console.screens.picker import InstrumentPicker
from console.screens.settings import SettingsScreen
from console.screens.size import SizeDialog
from console.screens.template_picker import TemplatePicker
from console.ticket.ticket import Ticket
from tests.console.pilots import staged
from tests.console.scripted import (
    CHILD,
    MAKER,
    NOW,
    OTHER,
    book,
    desk_frame,
    header,
    order,
)

# ------------------------------------------------------------------ cancel


async def test_c_cancels_the_order_under_the_cursor():
    """The key c sends one cancel of the order under the cursor, and asks nothing."""
    async with staged() as stage:
        stage.app.desk.panes["orders"].move_to_key(MAKER)
        await stage.press("c")
        await stage.until(lambda: stage.link.lines)
        assert stage.link.lines == [f"cancel {MAKER}"]
        await stage.until(lambda: "done: cancel 7f3a9c11" in stage.message)


async def test_c_cancels_every_marked_order_once():
    """With orders marked, c cancels those and no other, and the marks are gone."""
    async with staged() as stage:
        orders = stage.app.desk.panes["orders"]
        for key in (MAKER, OTHER):
            orders.move_to_key(key)
            await stage.press("space")
        orders.move_to_key(CHILD)
        await stage.press("c")
        await stage.until(lambda: len(stage.link.lines) == 2)
        assert sorted(stage.link.lines) == sorted([f"cancel {MAKER}", f"cancel {OTHER}"])
        assert not orders.marked


async def test_c_on_a_finished_order_sends_nothing_and_says_so():
    """A finished order cannot be cancelled."""
    async with staged(desk_frame(orders=[order(MAKER, terminal=True, status="FILLED"), order(OTHER)])) as stage:
        stage.app.desk.panes["orders"].move_to_key(MAKER)
        await stage.press("c")
        await stage.until(lambda: "nothing to cancel" in stage.message)
        assert stage.link.lines == []


async def test_c_in_a_pane_that_is_not_the_orders_sends_nothing():
    """The key c belongs to the orders: with the log in focus nothing is sent."""
    async with staged() as stage:
        await stage.press("7", "c")
        assert stage.link.lines == []


async def test_cancel_all_is_two_strokes():
    """C then a sends cancel all."""
    async with staged() as stage:
        await stage.press("C")
        await stage.opened(MenuDialog)
        await stage.press("a")
        await stage.until(lambda: stage.link.lines)
        assert stage.link.lines == ["cancel all"]


@pytest.mark.parametrize(
    ("key", "lines"),
    [
        ("b", []),
        ("s", ["cancel offers hyperliquid:ETH"]),
        ("i", ["cancel hyperliquid:ETH"]),
        ("v", ["cancel hyperliquid"]),
        ("m", [f"cancel {MAKER}", f"cancel {OTHER}"]),
    ],
)
async def test_the_cancel_menu_takes_sets_of_the_contract_under_the_cursor(key, lines):
    """Each letter of the menu sends its set; a set without orders cannot be chosen."""
    async with staged() as stage:
        stage.app.desk.panes["orders"].move_to_key(MAKER)
        await stage.press("C")
        await stage.opened(MenuDialog)
        await stage.press(key)
        if lines:
            await stage.until(lambda: len(stage.link.lines) == len(lines))
            assert sorted(stage.link.lines) == sorted(lines)
        else:
            assert isinstance(stage.app.screen, MenuDialog)
            assert stage.link.lines == []


async def test_the_menu_shows_how_many_orders_each_set_has():
    """The counts are those of the mirror, hedges not among them."""
    async with staged() as stage:
        await stage.press("C")
        await stage.opened(MenuDialog)
        counts = {choice.key: choice.count for choice in stage.app.screen.choices}
        assert (counts["a"], counts["h"]) == (2, 3)


# ------------------------------------------------------------------ flatten


async def flatten_question(stage, key="f"):
    await stage.press("5")
    stage.app.desk.panes["positions"].move_to_key("p binance:ETHUSDT")
    await stage.press(key)
    await stage.until(lambda: isinstance(stage.app.screen, QuestionDialog) and stage.app.screen.focused is not None)


async def test_flatten_asks_and_sends_on_yes():
    """The key f asks with the focus on No; y sends the flatten of the position under the cursor."""
    async with staged() as stage:
        await flatten_question(stage)
        assert stage.app.screen.focused.id == "no"
        stage.clock.advance(1)
        await stage.press("y")
        await stage.until(lambda: stage.link.lines)
        assert stage.link.lines == ["flatten binance:ETHUSDT"]


@pytest.mark.parametrize("key", ["n", "escape", "enter"])
async def test_flatten_sends_nothing_on_no_escape_or_a_stray_enter(key):
    """No, escape and enter (the focus is on No) leave the position alone."""
    async with staged() as stage:
        await flatten_question(stage)
        stage.clock.advance(1)
        await stage.press(key)
        await stage.on_desk()
        assert stage.link.lines == []


async def test_a_question_is_deaf_to_a_yes_that_comes_too_soon():
    """A yes within the deaf moment is no answer; the same key after it is."""
    async with staged() as stage:
        await flatten_question(stage)
        await stage.press("y")
        assert isinstance(stage.app.screen, QuestionDialog)
        stage.clock.advance(1)
        await stage.press("y")
        await stage.until(lambda: stage.link.lines == ["flatten binance:ETHUSDT"])


async def test_flatten_all_must_be_typed():
    """F then a asks for the words: anything else, and enter, sends nothing."""
    async with staged() as stage:
        await stage.press("5", "F")
        await stage.opened(MenuDialog)
        await stage.press("a")
        await stage.opened(QuestionDialog)
        await stage.press(*"yes", "enter")
        assert stage.link.lines == []
        await stage.press(*"flatten", "space", *"all", "enter")
        await stage.until(lambda: stage.link.lines == ["flatten all"])


@pytest.mark.parametrize(("key", "line"), [("H", "hedge now"), ("U", "round up"), ("X", "forfeit")])
async def test_acts_on_a_balance_ask_first(key, line):
    """Hedge now, round up and forfeit ask about the book under the cursor, and are sent on yes."""
    async with staged() as stage:
        await stage.press("4", key)
        await stage.opened(QuestionDialog)
        assert stage.link.lines == []
        await stage.press("y")
        await stage.until(lambda: stage.link.lines == [f"{line} binance:ETHUSDT"])


@pytest.mark.parametrize(("state", "line"), [("active", "pause"), ("paused", "resume"), ("hold", "resume")])
async def test_a_book_is_paused_and_resumed_after_a_question(state, line):
    """P pauses an active book and resumes one that is paused or on hold."""
    async with staged(desk_frame(books=[book(state=state)])) as stage:
        await stage.press("4", "P")
        await stage.opened(QuestionDialog)
        await stage.press("y")
        await stage.until(lambda: stage.link.lines == [f"{line} binance:ETHUSDT"])


async def test_a_disarms_at_once_and_asks_before_it_activates():
    """The key A disarms an active desk without a question; a desk that only hedges is activated after one."""
    async with staged() as stage:
        await stage.press("A")
        await stage.until(lambda: stage.link.lines == ["disarm"])
        stage.feed(Frame(header=header(now_ns=NOW + 1, trading="HEDGE-ONLY")))
        await stage.press("A")
        await stage.opened(QuestionDialog)
        await stage.press("y")
        await stage.until(lambda: stage.link.lines == ["disarm", "activate"])


# ------------------------------------------------------------------ panic


@pytest.mark.parametrize("key", ["f9", "ctrl+backslash"])
async def test_panic_is_sent_at_once_from_the_desk(key):
    """One key, no question."""
    async with staged() as stage:
        await stage.press(key)
        await stage.until(lambda: stage.link.lines == ["panic"])
        assert stage.app.screen is stage.app.desk


async def test_a_position_and_its_hedge_are_flattened_after_one_question_and_the_residual_is_told():
    """Two strokes and a yes send both lines; what could not be closed is told before what could."""
    async with staged(size=(120, 40)) as stage:
        stage.link.replies["flatten binance:ETHUSDT"] = Reply(ok=False, error="left: binance:ETHUSDT 0.0004")
        await stage.press("5", "j", "j", "F")
        await stage.opened(MenuDialog)
        await stage.press("h")
        await stage.opened(QuestionDialog)
        assert stage.link.lines == []
        await stage.press("y")
        await stage.until(lambda: len(stage.link.lines) == 2)
        assert set(stage.link.lines) == {"flatten binance:ETHUSDT", "flatten hyperliquid:ETH"}
        await stage.until(lambda: "left: binance:ETHUSDT 0.0004" in stage.message)
        assert "done: flatten hyperliquid:ETH" in stage.message


OVER = [
    (("n",), Ticket),
    (("colon",), CommandLine),
    (("question_mark",), HelpScreen),
    (("C",), MenuDialog),
    (("i",), InstrumentPicker),
    (("q",), LeaveDialog),
    (("enter",), DrillScreen),
    (("enter", "d"), DetailsDialog),
    (("ctrl+p",), ActionPalette),
    (("ctrl+o",), JumpScreen),
    (("comma",), SettingsScreen),
    (("F", "a"), QuestionDialog),
    (("W",), ColumnSetup),
    (("slash",), FilterLine),
    (("exclamation_mark",), AlertsScreen),
    (("6", "number_sign"), SizeDialog),
    (("n", "ctrl+t"), TemplatePicker),
]
"""The keys that open each form and dialog, and what is then on top."""


def test_panic_is_tried_over_every_modal_there_is():
    """A modal that is not in the list would not be tried: arming's own is, in its tests."""
    found, looked_at = set(), [ModalScreen]
    while looked_at:
        below = [kind for kind in looked_at.pop().__subclasses__() if kind.__module__.startswith("console.")]
        found |= {kind for kind in below if kind is not Dialog}
        looked_at += below
    assert found == {kind for _, kind in OVER if kind is not ActionPalette} | {ArmDialog}


@pytest.mark.parametrize(("keys", "kind"), OVER)
async def test_panic_works_over_every_form_dialog_and_the_palette(keys, kind):
    """Panic is sent with any modal open, text fields with the focus among them, and leaves the modal as it is."""
    async with staged() as stage:
        await stage.press(*keys)
        await stage.opened(kind)
        await stage.press("f9")
        await stage.until(lambda: stage.link.lines == ["panic"])
        assert isinstance(stage.app.screen, kind)


@pytest.mark.parametrize(("keys", "kind"), OVER)
async def test_panic_is_out_before_the_next_frame_whatever_is_open(keys, kind):
    """Between the key and the command no frame is taken; on a busy machine one may fall between, but not each time."""
    async with staged() as stage:
        await stage.press(*keys)
        await stage.opened(kind)
        frames = []
        for presses in range(1, 6):
            before = stage.link.taken
            await stage.press("f9")
            await stage.until(lambda presses=presses: len(stage.link.lines) == presses)
            frames.append(stage.link.taken_before[-1] - before)
        assert min(frames) == 0
        assert set(stage.link.lines) == {"panic"}


async def test_panic_once_more_asks_whether_to_flatten_all():
    """After a panic its key is still a panic, and opens the question to flatten everything, once."""
    frame = desk_frame(header=header(trading="HEDGE-ONLY"))
    async with staged(frame) as stage:
        await stage.press("f9", "f9")
        await stage.opened(QuestionDialog)
        assert stage.link.lines == ["panic", "panic"]
        assert stage.app.screen.question.line == "flatten all"
        assert stage.app.screen_stack[:-1] == [stage.app.desk]
        await stage.press("escape")
        await stage.on_desk()
        assert "flatten all" not in stage.link.lines


async def test_panic_once_more_with_nothing_to_flatten_asks_nothing():
    """A desk that is flat is only told to panic again."""
    async with staged(desk_frame(header=header(trading="HEDGE-ONLY"), positions=[])) as stage:
        await stage.press("f9")
        await stage.until(lambda: stage.link.lines == ["panic"])
        assert stage.app.screen is stage.app.desk


async def test_panic_is_sent_though_an_earlier_command_has_no_answer():
    """A command that hangs does not hold panic back."""
    async with staged() as stage:
        stage.link.hold = asyncio.Event()
        await stage.press("c")
        await stage.until(lambda: len(stage.link.lines) == 1)
        await stage.press("f9")
        await stage.until(lambda: stage.link.lines[-1] == "panic")
        stage.link.hold.set()


async def test_letters_that_trade_do_nothing_while_a_form_is_open():
    """Letters typed into a form, or pressed with its other fields in focus, send nothing."""
    async with staged() as stage:
        await stage.press("n")
        await stage.opened(Ticket)
        await stage.press(*"cCfFHq", "tab", "tab", "tab", *"cCfH")
        assert stage.link.lines == []
        assert isinstance(stage.app.screen, Ticket)


async def test_a_users_theme_is_read_anew_while_the_console_runs(tmp_path, monkeypatch):
    """A changed file of the user's changes the colours; a broken one is told of and changes nothing."""
    monkeypatch.setattr(themes, "user_folder", lambda: tmp_path)
    own = tmp_path / "mine.toml"
    text = themes.resources.files("themes").joinpath("dark.toml").read_text().replace('name = "dark"', 'name = "mine"')
    own.write_text(text)
    async with staged(theme="mine", size=(200, 50)) as stage:
        own.write_text(text.replace('bid = "#7fb08a"', 'bid = "#00ff00"'))
        stage.clock.advance(2)
        stage.feed(desk_frame())
        assert stage.app.get_css_variables()["bid"] == "#00ff00"
        await stage.until(lambda: "theme mine read anew" in stage.message)
        own.write_text("name =")
        stage.clock.advance(2)
        stage.feed(desk_frame())
        await stage.until(lambda: "is not TOML" in stage.message)
        assert stage.app.get_css_variables()["bid"] == "#00ff00"
