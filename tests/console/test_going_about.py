"""Layouts, jumps, settings, the greeting: going about the desk; and the mouse, which only points."""

import pytest
from textual import events
from textual.geometry import Region
from textual.widgets import Button, Input

from console.actions import PANES
from console.screens.arrangement import LAYOUTS
from console.screens.dialog import QuestionDialog
from console.screens.jump import JumpScreen, labelled
from console.screens.settings import SettingsScreen
from console.screens.welcome import kind_of_desk
from tests.console.demo import first_frame
from tests.console.pilots import settled, staged
from tests.console.scripted import NOW, desk_frame, header
from tests.console.test_snapshots import SCENES, open_scene

# ------------------------------------------------------------------ layouts and jumps


async def test_plus_and_underscore_go_through_the_layouts():
    """Each is told by its name; after the last comes the first."""
    async with staged(size=(120, 40)) as stage:
        desk = stage.app.desk
        for name in (*list(LAYOUTS)[1:], "everything"):
            await stage.press("plus")
            assert desk.layout_name == name
            assert f"layout {name}" in stage.message
        await stage.press("underscore")
        assert desk.layout_name == "hedging"
        assert desk.panes["hedges"].size.width == 120


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 40), (250, 70)])
@pytest.mark.parametrize("layout", LAYOUTS)
async def test_every_layout_stands_at_every_size(size, layout):
    """No fault; every pane comes with its key; the focus is on one in sight."""
    async with staged(size=size) as stage:
        desk = stage.app.desk
        desk.take_layout(layout)
        for place in range(len(PANES)):
            await stage.press(str((place + 1) % 10))
            assert PANES[place] == desk.focused_pane.NAME
            assert desk.focused_pane.display
            assert desk.focused_pane.region.area


def test_a_letter_for_each_pane_from_the_left():
    """As many letters as panes; the same order as the eye has."""
    targets = {"b": Region(50, 0, 5, 5), "a": Region(0, 9, 5, 5), "c": Region(0, 0, 5, 5)}
    assert labelled(targets) == {"a": "c", "s": "a", "d": "b"}
    assert len(labelled({pane: Region(0, 0, 1, 1) for pane in PANES})) == len(PANES)


@pytest.mark.parametrize(("key", "pane"), [("s", "hedges"), ("5", "positions"), ("0", "trades"), ("x", "orders")])
async def test_a_jump_goes_to_a_letter_or_a_number_and_any_other_key_leaves(key, pane):
    """And sends nothing: s is a letter there."""
    async with staged(size=(120, 40)) as stage:
        await stage.press("ctrl+o")
        await stage.opened(JumpScreen)
        await stage.press(key)
        await stage.on_desk()
        assert pane == stage.app.desk.focused_pane.NAME
        assert stage.link.lines == []


# ------------------------------------------------------------------ settings


async def test_settings_change_at_once():
    """Each with the arrows; what it is now stands beside it."""
    async with staged(size=(120, 40)) as stage:
        await stage.press("comma")
        await stage.opened(SettingsScreen)
        await stage.press("right", "j", "right", "j", "right", "j", "right", "j", "right", "j", "left")
        desk, alerts = stage.app.desk, stage.app.herald.alerts
        assert stage.app.theme != "dark"
        assert desk.layout_name == "trading"
        assert desk.panes["orders"].time_mode.value == "local"
        assert alerts.muted
        assert alerts.ring_on_fills
        assert desk.ladder.hands.size_once
        text = stage.text()
        assert all(word in text for word in ("trading", "local", "silent", "on fills too", "once"))
        await stage.press("escape")
        await stage.on_desk()
        assert stage.link.lines == []


async def test_reconnect_asks_first():
    """It is a question, and its command goes out on a yes alone."""
    async with staged() as stage:
        await stage.press("ctrl+r")
        await stage.opened(QuestionDialog)
        assert stage.link.lines == []
        await stage.press("y")
        await stage.until(lambda: stage.link.lines == ["reconnect"])


# ------------------------------------------------------------------ the greeting


async def test_the_first_run_greets_and_its_card_takes_no_key(tmp_path):
    """It says PAPER and the three keys that matter; the key that closes it does what it does."""
    async with staged(desk_frame(orders=[]), folder=tmp_path) as stage:
        await stage.until(lambda: "welcome to hedgedesk" in stage.text())
        card = [line for line in stage.text().splitlines() if "│" in line]
        for part in ("PAPER", " n ", " ? ", " f9 "):
            assert any(part in line for line in card), part
        await stage.press("5")
        assert stage.app.desk.focused_pane.NAME == "positions"
        assert "welcome to hedgedesk" not in stage.text()
    async with staged(desk_frame(orders=[]), folder=tmp_path) as stage:
        assert "welcome to hedgedesk" not in stage.text()


async def test_the_card_leaves_a_tiny_terminal_to_the_panes(tmp_path):
    """And stands in the middle again where there is room."""
    async with staged(folder=tmp_path, size=(40, 10)) as stage:
        assert "welcome" not in stage.text()
        await stage.pilot.resize_terminal(120, 40)
        await stage.until(lambda: "welcome to hedgedesk" in stage.text())


@pytest.mark.parametrize(("arming", "badge"), [("PAPER", "PAPER"), ("SAFE", "LIVE SAFE"), ("ARMED", "LIVE ARMED")])
def test_the_greeting_tells_what_kind_of_desk_it_is(arming, badge):
    """A live desk is never called paper."""
    assert kind_of_desk(header(arming=arming))[0] == badge


# ------------------------------------------------------------------ the mouse


async def click(stage, x, y):
    """Press and let go of the first button there, as the terminal says it."""
    for kind in (events.MouseDown, events.MouseUp):
        event = kind(None, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y)
        event.set_sender(stage.app)
        stage.app._driver.send_message(event)
        await settled(stage.app)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_a_click_never_sends(scene):
    """On every third line of every pane and dialog, buttons alone left out: nothing is sent, nothing answered."""
    async with staged(first_frame(NOW), size=(80, 24)) as stage:
        await open_scene(stage, scene)
        top = stage.app.screen
        sent = list(stage.link.lines)
        buttons = [button.region for button in top.query(Button)]
        for y in range(1, 24, 3):
            for x in (11, 46):
                if stage.app.screen is top and not any(region.contains(x, y) for region in buttons):
                    await click(stage, x, y)
        assert stage.link.lines == sent
        assert stage.link.stopped == []


async def test_a_click_moves_the_cursor_of_a_menu_and_does_not_choose():
    """Enter does; so does its key."""
    async with staged() as stage:
        await stage.press("C")
        await stage.until(lambda: "escape leaves" in stage.text())
        menu = stage.app.screen
        lines = stage.text().splitlines()
        y = next(place for place, line in enumerate(lines) if " all makers" in line or "a  " in line)
        await click(stage, 20, y)
        assert stage.app.screen is menu
        assert stage.link.lines == []


async def test_a_click_moves_the_cursor_of_a_pane():
    """And gives it the focus."""
    async with staged(size=(120, 40)) as stage:
        positions = stage.app.desk.panes["positions"]
        await click(stage, positions.region.x + 3, positions.region.y + 3)
        assert stage.app.desk.focused_pane is positions
        assert positions.cursor_line == 1


# ------------------------------------------------------------------ toasts


OVER = {
    "ticket": ("n",), "cancel menu": ("C",), "question": ("F", "a"), "help": ("f1",), "palette": ("ctrl+p",),
    "drill": ("enter",), "command line": ("colon",), "filter": ("slash",), "alerts": ("exclamation_mark",),
    "picker": ("i",), "leave": ("q",), "settings": ("comma",),
}  # fmt: skip


@pytest.mark.parametrize("keys", OVER.values(), ids=OVER)
async def test_a_toast_covers_no_dialog(keys):
    """At 80 by 24, however long it is: over a dialog it has one line that the dialog does not take."""
    async with staged(toasts=True) as stage:
        await stage.press(*keys)
        top = stage.app.screen
        assert top is not stage.app.desk
        boxes = [child.region for child in top.children if child.region.area and not child.has_class("-textual-system")]
        stage.app.notify("reject: one " + "was refused, and that is a long story " * 4, severity="error")
        await stage.until(lambda: "reject: one" in stage.text())
        (shown,) = (toast.region for toast in top.query("Toast"))
        assert (shown.y, shown.height) == (0, 1)
        assert shown.x >= 24, "what kind of desk it is stands there"
        assert not any(box.intersection(shown).area for box in boxes)


async def test_a_line_typed_is_not_under_a_toast():
    """The command line is at the bottom, the toast at the top."""
    async with staged(toasts=True) as stage:
        await stage.press("colon", "text:cancel all")
        stage.app.notify("reject: one", severity="error")
        await stage.until(lambda: "reject: one" in stage.text().splitlines()[0])
        assert isinstance(stage.app.focused, Input)
        assert "cancel all" in stage.text()
