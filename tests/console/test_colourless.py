"""NO_COLOR (https://no-color.org): not one colour, and everything that colour says is said otherwise."""

import pytest

from console.widgets.ink import Inks
from tests.console.demo import first_frame
from tests.console.pilots import staged
from tests.console.scripted import MAKER, NOW
from tests.console.test_snapshots import SCENES, open_scene


def styles(stage):
    """The styles of all that is on the screen, by its text."""
    height = stage.app.size.height
    strips = stage.app.screen._compositor.render_strips()[:height]
    return [(segment.text, segment.style) for strip in strips for segment in strip if segment.style is not None]


LOOKED_AT = {"desk", "pane-ladder", "help-orders", "palette", "cancel-menu", "flatten-all", "ticket", "leave", "filter"}


@pytest.mark.parametrize("scene", [scene for scene in SCENES if scene.name in LOOKED_AT], ids=lambda scene: scene.name)
async def test_no_colour_is_written_where_none_is_wanted(scene, monkeypatch):
    """On panes, lists, forms, questions, and what textual itself draws."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with staged(first_frame(NOW), size=(80, 24)) as stage:
        await open_scene(stage, scene)
        assert {(style.color, style.bgcolor) for _, style in styles(stage)} <= {(None, None)}


async def test_cursor_badges_and_what_has_the_focus_are_seen_without_colour(monkeypatch):
    """By reverse; a choice by a line under it."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with staged(size=(80, 24)) as stage:
        stage.app.desk.panes["orders"].move_to_key(MAKER)
        await stage.until(lambda: any(style.reverse and "hyperliquid" in text for text, style in styles(stage)))
        assert any(style.reverse and "PAPER" in text for text, style in styles(stage))
        await stage.press("C")
        await stage.until(lambda: any(style.underline and " on " in text for text, style in styles(stage)))
        await stage.press("escape", "q")
        await stage.until(lambda: any(style.reverse and "Stay" in text for text, style in styles(stage)))


def test_every_ink_has_a_colour_or_none_has():
    """None without; with them, the text's at least."""
    with_them, without = Inks({}), Inks({}, colourless=True)
    assert all(style.color is not None for style in with_them._styles.values())
    assert all(style.color is None and style.bgcolor is None for style in without._styles.values())
    assert with_them._styles.keys() == without._styles.keys()
