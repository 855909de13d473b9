"""Driving the console in tests: start it on a scripted link, and wait for facts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual import events
from textual.app import App
from textual.keys import _character_to_key, key_to_character
from textual.pilot import Pilot
from textual.widgets import Input

from console.app import HedgedeskApp
from tests.console.scripted import ManualClock, ScriptedLink, desk_frame

_QUIET_TURNS = 12


async def settled(app: App) -> None:
    """Wait until no widget in sight has a message waiting or is to be laid out, for some turns of the loop."""
    quiet = 0
    while quiet < _QUIET_TURNS and not app._exit:  # an app that ends lays nothing out any more
        await asyncio.sleep(0)
        widgets = [app.screen, *app.screen.walk_children()]
        waits = any(widget._layout_required for widget in widgets) or not all(
            node._message_queue.empty() for node in (app, *app.screen_stack, *widgets)
        )
        quiet = 0 if waits else quiet + 1


async def until(pilot: Pilot, fact: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait for a fact; fail when it does not come true in time."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not fact():
        assert asyncio.get_running_loop().time() < deadline, "the fact did not come true in time"
        await asyncio.sleep(0.002)
        await settled(pilot.app)


async def press(app: App, *keys: str) -> None:
    """Press keys as the terminal's driver does, each handled before the next; ``text:...`` is inserted at once."""
    for key in keys:
        if key.startswith("text:"):
            assert isinstance(app.focused, Input)
            app.focused.insert_text_at_cursor(key.removeprefix("text:"))
            await settled(app)
            continue
        name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
        event = events.Key(name, key_to_character(name))
        event.set_sender(app)
        app._driver.send_message(event)
        await settled(app)


class Stage:
    """A running console with its scripted engine and its clock."""

    def __init__(self, app: HedgedeskApp, link: ScriptedLink, clock: ManualClock, pilot: Pilot) -> None:
        self.app, self.link, self.clock, self.pilot = app, link, clock, pilot

    async def press(self, *keys: str) -> None:
        await press(self.app, *keys)

    async def until(self, fact: Callable[[], object]) -> None:
        await until(self.pilot, fact)

    async def opened(self, kind: type) -> None:
        """Wait for a screen of a kind to be on top, and let its deaf moment pass."""
        await self.until(lambda: isinstance(self.app.screen, kind) and self.app.screen.is_mounted)
        self.clock.advance(1)

    async def on_desk(self) -> None:
        await self.until(lambda: self.app.screen is self.app.desk)

    def feed(self, frame) -> None:
        self.link.frames.append(frame)
        self.app.flush()

    @property
    def message(self) -> str:
        return self.app.desk.keys_bar.text

    def text(self) -> str:
        """All that is on the screen, as plain text."""
        height = self.app.size.height
        lines = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in lines[:height])


def shown(app: HedgedeskApp) -> bool:
    """Whether the pane with the focus has its place."""
    pane = app.desk.focused_pane
    return pane is not None and pane.size.width > 0


@asynccontextmanager
async def staged(
    *frames, size=(80, 24), theme="dark", folder=None, toasts=False, asked_theme=None
) -> AsyncIterator[Stage]:
    """A console on a desk at work (or on the frames given); no fault of the screen may be left at the end."""
    link = ScriptedLink(*(frames or (desk_frame(),)))
    clock = ManualClock()
    app = HedgedeskApp(link, theme=theme, clock=clock, folder=folder, asked_theme=asked_theme)
    async with app.run_test(size=size, notifications=toasts) as pilot:
        await until(pilot, lambda: app.mirror.header is not None and shown(app))
        yield Stage(app, link, clock, pilot)
        app.workers.cancel_all()  # as at a real end, before the screens are taken apart; the pilot ends the other way
        assert list(app.faults) == []
