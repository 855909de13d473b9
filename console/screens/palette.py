"""The command palette's entries: the table of actions, with what cannot be done now left out."""

from typing import cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from console.actions import ACTIONS, APP, PANE, PANES, Action
from console.panes.pane import Desk, Pane
from console.screens.desk import DeskScreen


class ActionProvider(Provider):
    """Offers the actions that can be done where the palette was opened."""

    @property
    def _pane(self) -> Pane | None:
        return self.screen.focused_pane if isinstance(self.screen, DeskScreen) else None

    def _offered(self) -> list[Action]:
        pane = self._pane
        here = pane.NAME if pane else ""
        desk = cast("Desk", self.app)
        offered = [
            action
            for action in ACTIONS
            if action.palette
            and (here in action.scopes or PANE in action.scopes or not set(action.scopes) & set(PANES))
            and action.enabled(desk.mirror) is None
        ]
        return sorted(offered, key=lambda action: APP in action.scopes)  # a stray enter must not meet panic first

    def _do(self, action: Action) -> None:
        cast("Desk", self.app).perform(action.id, self._pane)

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for action in self._offered():
            yield DiscoveryHit(_title(action), lambda action=action: self._do(action), help=action.help)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for action in self._offered():
            score = matcher.match(_title(action))
            if score > 0:
                yield Hit(
                    score, matcher.highlight(_title(action)), lambda action=action: self._do(action), help=action.help
                )


def _title(action: Action) -> str:
    name = action.id.replace("_", " ").removeprefix("pane ")
    return f"{name}  ({action.key_label})" if action.keys else name
