"""The screens of the function keys; what help and palette say of what cannot be done."""

import pytest
from textual.command import CommandPalette

from console.actions import PANES
from console.screens.help import HelpScreen
from console.screens.pages import PAGES, page_regions
from console.widgets.bars import pane_spans
from console.widgets.line_bar import fit_spans
from tests.console.pilots import staged
from tests.console.scripted import desk_frame, order

LOST = "5" * 32


def frame():
    return desk_frame(orders=[order(LOST, status="REJECTED", terminal=True), *desk_frame().orders])


# ------------------------------------------------------------------ screens


@pytest.mark.parametrize(("key", "shown"), [("f3", {"orders", "deltas"}), ("f4", {"venues", "log"}), ("f5", {"log"})])
async def test_a_function_key_shows_its_screen_and_f2_the_desk(key, shown):
    """The blotter, the venues, the log; the focus is on the first pane; f2 goes back."""
    async with staged(size=(120, 40)) as stage:
        panes = stage.app.desk.panes
        desk = {name for name, pane in panes.items() if pane.display}
        await stage.press(key)
        assert {name for name, pane in panes.items() if pane.display} == shown
        assert stage.app.desk.focused_pane.NAME in shown
        await stage.press("f2")
        assert {name for name, pane in panes.items() if pane.display} == desk


async def test_a_pane_that_is_not_on_the_screen_is_shown_on_the_desk():
    """Its number key leaves the blotter."""
    async with staged(size=(120, 40)) as stage:
        await stage.press("f3", "2")
        assert stage.app.desk.page == "blotter"
        await stage.press("5")
        assert stage.app.desk.page == "desk"
        assert stage.app.desk.focused_pane.NAME == "positions"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("size", [(1, 1), (80, 11), (80, 21), (250, 67)])
def test_the_panes_of_a_screen_tile_it(page, size):
    """Whatever the size."""
    regions = page_regions(page, *size)
    assert sum(region.area for region in regions.values()) == size[0] * size[1]


# ------------------------------------------------------------------ help and palette


async def test_help_tells_what_cannot_be_done_here_and_why():
    """The row under the cursor is judged too; f1 goes on to every pane."""
    async with staged(frame(), size=(120, 50)) as stage:
        stage.app.desk.panes["orders"].move_to_key(LOST)
        await stage.press("question_mark")
        await stage.opened(HelpScreen)
        await stage.until(lambda: "not now: nothing to cancel here: that order is done" in stage.text())
        await stage.press("f1")
        await stage.until(lambda: "all keys" in stage.text())
        await stage.press("escape")
        await stage.on_desk()


async def test_the_palette_offers_last_what_cannot_be_done_and_says_why():
    """A disabled action is there, with its reason in place of its help."""
    async with staged(frame()) as stage:
        stage.app.desk.panes["orders"].move_to_key(LOST)
        await stage.press("ctrl+p")
        await stage.opened(CommandPalette)
        await stage.press("text:absent")
        await stage.until(lambda: "not now: only a hedge order that is UNKNOWN" in stage.text())


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_the_strip_of_panes_has_every_key_at_every_width(width):
    """Titles leave before keys do, and those of the focused pane and of one that alarms do not."""
    captions = [
        (pane, str((place + 1) % 10), pane, "alarm" if pane == "trades" else "") for place, pane in enumerate(PANES)
    ]
    text = "".join(span.text for span in fit_spans(pane_spans(captions, "balances", ["balances"]), width))
    assert all(f" {key}" in text for _, key, _, _ in captions)
    assert "balances" in text
    assert "trades" in text
    assert len(text) <= width
