"""What the console shows and offers when its engine is another process."""

import pytest

from console.link import Frame
from console.screens.leave import LeaveDialog
from tests.console.pilots import staged
from tests.console.scripted import NOW, ScriptedLink, desk_frame, header


@pytest.fixture
def apart(monkeypatch):
    """An engine that goes on when the console leaves."""
    monkeypatch.setattr(ScriptedLink, "outlives", True)


async def test_leaving_says_that_the_engine_goes_on(apart):
    """The plain way out leaves it running; the two phases would stop it for everybody."""
    async with staged() as stage:
        await stage.press("q")
        await stage.opened(LeaveDialog)
        text = stage.text()
        assert "The engine goes on without this console" in text
        assert "Leave it running  (l)" in text
        assert "Stop the engine  (t)" in text
        await stage.press("l")
        await stage.until(lambda: stage.app._exit)
        assert stage.link.stopped == [False]


async def test_a_console_that_may_only_look_can_leave(apart):
    """Leaving is no command to the desk."""
    async with staged(desk_frame(header=header(view=True))) as stage:
        await stage.press("q")
        await stage.opened(LeaveDialog)


async def test_a_console_that_may_only_look_says_so_and_sends_nothing():
    """The top bar says it; what carries risk is blocked with the reason, PANIC among it, and looking is not."""
    async with staged(desk_frame(header=header(view=True))) as stage:
        assert "VIEW ONLY" in stage.app.desk.state_bar.text
        for key in ("f9", "c", "X", "f8"):
            await stage.press(key)
        assert stage.link.lines == []
        await stage.press("f9")
        assert "may only look" in stage.message
        stage.feed(Frame(header=header(now_ns=NOW + 1)))
        assert "VIEW ONLY" not in stage.app.desk.state_bar.text
        await stage.press("f9")
        assert stage.link.lines == ["panic"]
