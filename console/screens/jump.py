"""The jump: a letter on every pane in sight, and the one typed next goes there. Number keys go to the others, too."""

import string
from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.widgets import Static

from console.actions import PANES

LETTERS = "asdfghjkl;"
"""The keys under the fingers, as many as there are panes."""


def labelled(targets: Mapping[str, Region]) -> dict[str, str]:
    """The pane of each letter: from the top left to the bottom right."""
    inorder = sorted(targets, key=lambda name: (targets[name].x, targets[name].y))
    return dict(zip(LETTERS, inorder, strict=False))


class JumpScreen(ModalScreen[str | None]):
    """Dismissed with the pane whose letter was typed, None for any other key."""

    DEFAULT_CSS = """
    JumpScreen { align: left top; }
    JumpScreen > Static {
        position: absolute;
        width: 5;
        height: 1;
        text-align: center;
        text-style: bold;
        background: $accent;
        color: $background;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, targets: Mapping[str, Region]) -> None:
        super().__init__()
        self.targets = targets
        self.panes = labelled(targets)

    def compose(self) -> ComposeResult:
        """A letter in the middle of each pane."""
        for letter, name in self.panes.items():
            label = Static(letter)
            x, y = self.targets[name].center
            label.styles.offset = (max(0, int(x) - 2), int(y))
            yield label

    def on_key(self, event: events.Key) -> None:
        """Go, or leave."""
        event.stop()
        typed = event.character or ""
        numbered = PANES[int(typed) - 1] if typed in string.digits and typed else None
        self.dismiss(self.panes.get(typed, numbered))

    def action_leave(self) -> None:
        """Close without going anywhere."""
        self.dismiss(None)
