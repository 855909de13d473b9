"""What an action is: its keys and words, its risk, where it can be done and when. The table: ``console.actions``."""

from collections.abc import Callable
from enum import IntEnum

import msgspec

from console.panes import when
from console.panes.mirror import Mirror


class Risk(IntEnum):
    """What an action may do to the desk's exposure."""

    NONE = 0
    REDUCES = 1
    INCREASES = 2
    IRREVERSIBLE = 3


APP = "app"
"""Everywhere, over every form and dialog: bound with priority."""
DESK = "desk"
"""On the desk, whatever pane has the focus."""
PANE = "pane"
"""On every pane."""

PANES = ("orders", "deltas", "hedges", "unhedged", "positions", "ladder", "log", "venues")
"""The panes in the order of their number keys."""

PANE_TITLES = {"hedges": "hedge book", "unhedged": "unhedged", "log": "log"}

Enabled = Callable[[Mirror], str | None]
"""None if the action can be done, else one phrase that says why not."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the operator can do."""

    id: str
    keys: tuple[str, ...]
    label: str
    """One or two words, for the footer."""
    help: str
    """One sentence, for the help screen and the palette."""
    risk: Risk = Risk.NONE
    scopes: tuple[str, ...] = (PANE,)
    enabled: Enabled = when.always
    footer: bool = False
    palette: bool = True
    goes_to: str = ""
    """The pane that the action goes to, for those that do only that."""

    @property
    def key_label(self) -> str:
        """The first key as it is printed on the keyboard."""
        return key_label(self.keys[0]) if self.keys else ""


KEY_LABELS = {
    "question_mark": "?",
    "colon": ":",
    "ctrl+backslash": "ctrl+\\",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "shift+tab": "S-tab",
}


def key_label(key: str) -> str:
    """A key as it is printed on the keyboard."""
    return KEY_LABELS.get(key, key)
