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


RISK_WORDS = {
    Risk.NONE: "",
    Risk.REDUCES: "reduces risk",
    Risk.INCREASES: "raises risk",
    Risk.IRREVERSIBLE: "cannot be taken back: asks",
}
"""What the operator is told of a risk."""

APP = "app"
"""Everywhere, over every form and dialog: bound with priority."""
DESK = "desk"
"""On the desk, whatever pane has the focus."""
PANE = "pane"
"""On every pane."""
TABLE = "table"
"""On every pane that is a live table."""

PANES = (
    "orders", "deltas", "hedges", "unhedged", "positions", "ladder", "log", "venues", "balances", "trades",
)  # fmt: skip
"""The panes in the order of their number keys, the tenth by 0."""

LEAVING = frozenset({"quit", "leave"})
"""Actions that a console may do which may only look, whatever risk they carry."""

NOT_TABLES = frozenset({"ladder"})
"""Panes whose keys are not those of a live table."""

PANE_TITLES = {"hedges": "hedge book", "unhedged": "unhedged", "log": "log"}

PANE_ABOUT = {
    "orders": "Every order of the desk, the newest on top: working, done and rejected, each in a tab (left, right).",
    "deltas": "Each change of an order as the engine saw it, the last at the bottom.",
    "hedges": "What each maker's fills ask for on its hedge venue, and how much of it is hedged.",
    "unhedged": "What is filled and not hedged yet: how much, for how long, why, and what will release it.",
    "positions": "Net exposure and P&L by base asset over all venues, and under it each contract's; then the session.",
    "ladder": "The order book of one contract at prices that stand still, our own orders beside them; = is where our "
    "position breaks even, ▲ ▼ the last trade.",
    "log": "What was commanded, what was really sent for it, what the venue answered, and alerts.",
    "venues": "Each venue's channels, ages, round trips and request budget; the handlers and the screen itself.",
    "balances": "The money on each venue: its worth, what is free and what is in use as margin.",
    "trades": "The public trades of the ladder's contract, and our own executions on every one.",
}
"""What a pane shows, one sentence each."""

Enabled = Callable[[Mirror], str | None]
"""None if the action can be done, else one phrase that says why not."""

Fits = Callable[[Mirror, when.Selection], str | None]
"""The same for what is under the cursor."""


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
    """Whether the desk allows it."""
    fits: Fits = when.fits_anything
    """Whether it can be done to what is under the cursor, or marked."""
    footer: bool = False
    palette: bool = True
    goes_to: str = ""
    """The pane that the action goes to, for those that do only that."""

    def blocked(self, mirror: Mirror, selection: when.Selection = when.NOTHING) -> str | None:
        """Why it cannot be done now, to this selection, in one phrase; None if it can be."""
        looks = when.may_only_look(mirror) if self.risk and self.id not in LEAVING else None
        return looks or self.enabled(mirror) or self.fits(mirror, selection)

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
    "slash": "/",
    "exclamation_mark": "!",
    "number_sign": "#",
    "plus": "+",
    "minus": "-",
    "underscore": "_",
    "equals_sign": "=",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "comma": ",",
    "full_stop": ".",
    "semicolon": ";",
    "shift+tab": "S-tab",
    "shift+up": "S-↑",
    "shift+down": "S-↓",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}


def key_label(key: str) -> str:
    """A key as it is printed on the keyboard."""
    return KEY_LABELS.get(key, key)
