"""Keys in the order typed: each one is settled before the next is looked at, and a form that opens gets what follows.

Textual hands a key to the widget that has the focus when the key *arrives*; what a key before it did (open the command
line, say) happens a few messages later. A fast hand would then type ``:cancel all`` as ``:`` and, on the orders pane,
``c``: an order cancelled that nobody meant. So keys wait here until the one before has gone its whole way up, and until
a screen that it opened has its focus.
"""

from collections import deque
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.message_pump import MessagePump

URGENT = frozenset({"f9", "ctrl+backslash"})
"""Panic never waits for anything."""
LOOK_AGAIN_S = 0.01
LONGEST_S = 1.0
"""A screen that has no focus by then gets its keys all the same: the keyboard must never lock."""


class TypedKeys:
    """The keys of one app. ``handle`` gives a key to textual."""

    def __init__(self, app: App[int], handle: Callable[[events.Key], Awaitable[None]]) -> None:
        self._app = app
        self._handle = handle
        self._waiting: deque[events.Key] = deque()
        self._settling = False
        self._looks = 0

    async def take(self, key: events.Key) -> None:
        """Handle a key that arrived from the terminal, or let it wait its turn."""
        if key.key in URGENT:
            await self._handle(key)
        elif self._settling:
            self._waiting.append(key)
        else:
            await self._start(key)

    async def _start(self, key: events.Key) -> None:
        self._settling = True
        self._looks = 0
        target: DOMNode = self._app.focused or self._app.screen
        way: list[MessagePump] = [node for node in target.ancestors_with_self if node is not self._app]
        await self._handle(key)
        self._follow([*way, self._app])

    def _follow(self, way: list[MessagePump]) -> None:
        """Go the way that an unused key goes, queue by queue; when we arrive, so has the key."""
        if not way:
            self._app.call_later(self._settled)
            return
        first, *rest = way
        if not first.call_later(self._follow, rest):
            self._app.call_later(self._settled)

    async def _settled(self) -> None:
        screen = self._app.screen
        ready = screen.is_running and screen.focused is not None
        if not ready and self._looks * LOOK_AGAIN_S < LONGEST_S and self._waiting:
            self._looks += 1
            self._app.set_timer(LOOK_AGAIN_S, self._settled)
            return
        self._settling = False
        if self._waiting:
            await self._start(self._waiting.popleft())
