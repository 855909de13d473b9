"""A hand faster than the screen: what is typed while a form opens goes into the form, never to a pane."""

from textual import events
from textual.keys import _character_to_key, key_to_character

from console.screens.leave import LeaveDialog
from tests.console.pilots import staged
from tests.console.scripted import MAKER


def burst(app, *keys):
    """Put keys into the app's queue all at once, as a terminal does with a paste or a stalled screen."""
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
        event = events.Key(name, key_to_character(name))
        event.set_sender(app)
        app._driver.send_message(event)


async def test_a_command_typed_in_one_burst_goes_into_the_command_line_whole():
    """``:cancel all`` is that command, and its c does not cancel the order under the cursor."""
    async with staged() as stage:
        stage.app.desk.panes["orders"].move_to_key(MAKER)
        burst(stage.app, *":cancel all", "enter")
        await stage.until(lambda: stage.link.lines)
        await stage.on_desk()
        assert stage.link.lines == ["cancel all"]


async def test_panic_passes_keys_that_wait():
    """f9 is handled before the keys in front of it that wait for a form to open."""
    async with staged() as stage:
        burst(stage.app, ":", *"buy 1", "f9")
        await stage.until(lambda: "panic" in stage.link.lines)


async def test_keys_after_quit_go_to_its_question():
    """``q`` and an impatient ``c`` behind it cancel nothing."""
    async with staged() as stage:
        stage.app.desk.panes["orders"].move_to_key(MAKER)
        burst(stage.app, "q", "c", "c")
        await stage.opened(LeaveDialog)
        assert stage.link.lines == []
