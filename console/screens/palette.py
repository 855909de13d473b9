"""The command palette's entries: the table of actions; what cannot be done now comes last, dimmed, with the reason."""

from typing import cast

from textual.app import ComposeResult
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from console import actions
from console.actions import APP, DESK, PANE, Action, scopes_of
from console.panes.pane import Desk, Pane
from console.panes.when import NOTHING
from console.screens.desk import DeskScreen
from console.widgets.choice_list import ChoiceList


class PointedCommands(CommandList, ChoiceList, can_focus=False):
    """The palette's list, in which a click does nothing but point."""


class ActionPalette(CommandPalette):
    """Textual's palette, run by keys alone."""

    def compose(self) -> ComposeResult:
        """As textual has it, with a list of our own."""
        for widget in super().compose():
            yield PointedCommands() if isinstance(widget, CommandList) else widget


class ActionProvider(Provider):
    """Offers the actions of the place where the palette was opened."""

    @property
    def _pane(self) -> Pane | None:
        return self.screen.focused_pane if isinstance(self.screen, DeskScreen) else None

    def _offered(self) -> list[Action]:
        pane = self._pane
        here = pane.NAME if pane else ""
        scopes = scopes_of(here) if pane else (PANE, DESK, APP)
        offered = [action for action in actions.ACTIONS if action.palette and set(action.scopes) & set(scopes)]
        # A stray enter must meet neither panic first nor what cannot be done.
        return sorted(offered, key=lambda action: (self._blocked(action) is not None, APP in action.scopes))

    def _blocked(self, action: Action) -> str | None:
        pane = self._pane
        return action.blocked(cast("Desk", self.app).mirror, NOTHING if pane is None else pane.selection())

    def _help(self, action: Action) -> str:
        blocked = self._blocked(action)
        return action.help if blocked is None else f"not now: {blocked}"

    def _shown(self, action: Action, title: Content) -> Content:
        return title if self._blocked(action) is None else title.stylize("$faint")

    def _do(self, action: Action) -> None:
        cast("Desk", self.app).perform(action.id, self._pane)

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for action in self._offered():
            title = self._shown(action, Content(_title(action)))
            yield DiscoveryHit(title, lambda action=action: self._do(action), help=self._help(action))

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for action in self._offered():
            score = matcher.match(_title(action))
            if score > 0:
                title = self._shown(action, matcher.highlight(_title(action)))
                yield Hit(score, title, lambda action=action: self._do(action), help=self._help(action))


def _title(action: Action) -> str:
    name = action.id.replace("_", " ").removeprefix("pane ")
    return f"{name}  ({action.key_label})" if action.keys else name
