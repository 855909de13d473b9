"""Every pane and every dialog as text, at three sizes.

After a change that is meant: ``pytest tests/console/test_snapshots.py --update-snapshots``, and read the diff.
"""

from typing import NamedTuple

import pytest
from textual.app import App
from textual.command import CommandPalette
from textual.geometry import Region
from textual.screen import Screen

from console.actions import BY_ID, PANES
from console.screens.alerts import AlertsScreen
from console.screens.column_setup import ColumnSetup
from console.screens.command_line import CommandLine
from console.screens.dialog import DetailsDialog, MenuDialog, QuestionDialog
from console.screens.drill import DrillScreen
from console.screens.filter_line import FilterLine
from console.screens.help import HelpScreen
from console.screens.jump import JumpScreen
from console.screens.leave import LeaveDialog
from console.screens.picker import InstrumentPicker
from console.screens.settings import SettingsScreen
from console.screens.size import SizeDialog
from console.screens.template_picker import TemplatePicker
from console.ticket.ticket import Ticket
from tests.console.demo import first_frame
from tests.console.pilots import Stage, staged
from tests.console.scripted import MAKER, NOW
from tests.console.snapshots import FOLDER, differences, path_of, write

SIZES = ((80, 24), (120, 40), (200, 50))


class Scene(NamedTuple):
    """A screen to look at: how it is opened from the desk, what is then on top, and a text that it then has."""

    name: str
    keys: tuple[str, ...]
    top: type[Screen] | None = None
    says: str = ""


SCENES = (
    Scene("desk", ()),
    Scene("blotter", ("f3",)),
    Scene("screen-venues", ("f4",)),
    Scene("screen-log", ("f5",)),
    *(Scene(f"pane-{pane}", (*BY_ID[f"pane_{pane}"].keys, "z")) for pane in PANES),
    Scene("ladder-sends", ("6", "right_square_bracket", "z"), None, "b s SEND"),
    Scene("ladder-size", ("6", "number_sign", "text:0.25"), SizeDialog, "worth"),
    Scene("orders-rejects", ("f3", "left")),
    Scene("orders-more-columns", ("f3", "w")),
    Scene("orders-marked-frozen", ("f3", "space", "space", "p")),
    Scene("filter", ("f3", "slash", "text:state:live -role:hedge"), FilterLine, "of 11 rows"),
    Scene("filter-refused", ("f3", "slash", "text:eth vnue:okx"), FilterLine, "did you mean venue?"),
    Scene("columns", ("W",), ColumnSetup),
    Scene("help-orders", ("question_mark",), HelpScreen),
    Scene("help-all", ("f1",), HelpScreen),
    Scene("palette", ("ctrl+p", "text:cancel"), CommandPalette, "cancel menu"),
    Scene("cancel-menu", ("C",), MenuDialog),
    Scene("flatten-menu", ("F",), MenuDialog),
    Scene("flatten-all", ("F", "a"), QuestionDialog),
    Scene("hedge-now", ("4", "H"), QuestionDialog),
    Scene("ticket", ("n",), Ticket),
    Scene("ticket-clone", ("N",), Ticket, "would do"),
    Scene("templates", ("N", "ctrl+t", "text:eth", "ctrl+s"), TemplatePicker, "saved: eth"),
    Scene("command-line", ("colon", "text:cancel all"), CommandLine, "would do: cancel all"),
    Scene("drill", ("enter",), DrillScreen),
    Scene("delta-details", ("2", "enter"), DetailsDialog),
    Scene("layout-trading", ("plus",)),
    Scene("layout-hedging", ("underscore",)),
    Scene("jump", ("ctrl+o",), JumpScreen),
    Scene("settings", ("comma",), SettingsScreen),
    Scene("alerts", ("exclamation_mark",), AlertsScreen),
    Scene("instrument", ("i",), InstrumentPicker, "hyperliquid:SOL"),
    Scene("leave", ("q",), LeaveDialog),
)


async def open_scene(stage: Stage, scene: Scene) -> None:
    """Go to a scene from the desk, and wait until it stands there."""
    stage.app.desk.panes["orders"].move_to_key(MAKER)
    for key in scene.keys:
        await stage.press(key)
        await stage.until(lambda: still(stage.app))
    if scene.top is not None:
        await stage.opened(scene.top)
    stage.app.flush()
    await stage.until(lambda: still(stage.app) and scene.says in stage.text())


def seen(stage: Stage) -> str:
    """The text of a desk; of a dialog over it the dialog alone, so that panes below do not change its file."""
    screen = stage.app.screen
    if screen is stage.app.desk:
        return stage.text()
    boxes = [child.region for child in screen.children if child.region.area]
    boxes = boxes or [child.region for child in screen.walk_children() if child.region.area]
    box = Region.from_union(boxes)
    lines = stage.text().splitlines()[box.y : box.bottom]
    return "\n".join([f"{box.width}x{box.height} at {box.x},{box.y}", *(line[box.x : box.right] for line in lines)])


def still(app: App[int]) -> bool:
    """Whether nothing on the screen waits to be laid out or drawn anew, and no work for it is under way."""
    nodes = [app.screen, *app.screen.walk_children()]
    drawn = not any(node._layout_required or node._repaint_required or node._recompose_required for node in nodes)
    return drawn and all(worker.is_finished for worker in app.workers)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_screen_is_as_it_was_when_it_was_read_and_found_good(scene, size, tmp_path, request):
    """Line for line; where it differs, the diff says how and a picture is left."""
    path = path_of(scene.name, size)
    async with staged(first_frame(NOW), size=size) as stage:
        await open_scene(stage, scene)
        if request.config.getoption("--update-snapshots"):
            write(path, seen(stage))
        differs = differences(path, seen(stage), stage.app.export_screenshot, tmp_path)
    assert not differs, differs


def test_no_snapshot_is_of_a_screen_that_is_no_more():
    """Each file is compared with something."""
    compared = {path_of(scene.name, size) for scene in SCENES for size in SIZES}
    assert {path for path in FOLDER.rglob("*") if path.is_file()} - compared == set()


def test_a_difference_is_told_by_its_lines_and_a_picture(tmp_path):
    """What is kept, what is there now, and where the picture is; nothing where they are the same."""
    kept = tmp_path / "one.txt"
    write(kept, "head  \nbody\n\n")
    assert differences(kept, "head\nbody", lambda: "<svg/>", tmp_path) == ""
    told = differences(kept, "head\nother", lambda: "<svg/>", tmp_path)
    assert "-body" in told
    assert "+other" in told
    assert (tmp_path / "one.svg").read_text(encoding="utf-8") == "<svg/>"
    assert str(tmp_path / "one.svg") in told
