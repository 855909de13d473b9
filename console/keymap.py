"""Keys of the user's own in the place of the built-in ones. One key still has one meaning wherever it is pressed."""

import re
from collections.abc import Mapping

import msgspec
from textual.keys import key_to_character
from textual.widgets import Input

from console import actions
from console.acts.forms import FORM_KEYS
from console.config.messages import nearest, printable
from console.config.reading import Loaded
from console.panes.action import APP, Action
from console.starting import UsageError
from console.typed import URGENT
from console.widgets.live_table import LiveTable

FIXED = frozenset({"panic"})
"""Actions whose keys are the same on every desk: hands must find them anywhere."""

RESERVED = frozenset({"escape", "tab", "shift+tab", "ctrl+p"})
"""Keys that close, go on and open the palette on every desk. Escape arrives late, too: it must never trade."""

_OF_FORMS = {key for keys, _ in FORM_KEYS for key in keys} | {
    key for binding in Input.BINDINGS for key in binding.key.split(",")
}

_KEY = re.compile(r"((ctrl|shift|alt)\+)*[A-Za-z0-9_]+")


class KeymapError(ValueError):
    """A keymap that cannot be used: one sentence, and the action that it is about."""

    def __init__(self, action: str, text: str) -> None:
        super().__init__(text)
        self.action = action


def rebound(keymap: Mapping[str, str]) -> tuple[Action, ...]:
    """The table of actions with the keys of ``keymap``: by action, several with commas between. Raises KeymapError."""
    known = {action.id: action for action in actions.ACTIONS}
    for name, text in keymap.items():
        if name not in known:
            raise KeymapError(name, f"is no action: {nearest(name, known)}")
        if name in FIXED:
            raise KeymapError(name, f"keeps its keys, {' and '.join(known[name].keys)}, on every desk")
        keys = _keys(name, text)
        typed = next((key for key in keys if len(key_to_character(key) or "") == 1 and APP in known[name].scopes), None)
        if typed is not None:
            raise KeymapError(name, f"cannot be {typed}: it works over every form, where {typed} is typed")
        meant = next((key for key in keys if key in _OF_FORMS and APP in known[name].scopes), None)
        if meant is not None:
            raise KeymapError(name, f"cannot be {meant}: it works over every form, which has {meant} for itself")
        known[name] = msgspec.structs.replace(known[name], keys=keys)
    table = tuple(known.values())
    for clash in actions.clashes(table):
        about = next((name for name in keymap if re.search(rf"\b{re.escape(name)}\b", clash)), next(iter(keymap), ""))
        raise KeymapError(about, f"cannot be so: {clash}")
    return table


def bind(loaded: Loaded) -> None:
    """Give the actions the keys of a profile, before the app is imported. Raises UsageError."""
    try:
        actions.rebind(rebound(loaded.profile.keymap))
    except KeymapError as error:
        raise UsageError(loaded.sentence(("keymap", error.action), str(error))) from error


def _keys(name: str, text: str) -> tuple[str, ...]:
    keys = tuple(_named(name, part.strip()) for part in text.split(","))
    taken = {key for binding in LiveTable.BINDINGS for key in binding.key.split(",")} | URGENT
    for key in keys:
        if key in taken:
            raise KeymapError(name, f"cannot be {key}: that moves in every table, or is for panic")
        if key in RESERVED:
            raise KeymapError(name, f"cannot be {key}: that closes, goes on or opens the palette on every desk")
    return keys


def _named(name: str, key: str) -> str:
    """A key as textual names it; ``?`` and its like may be written as they are."""
    written = {label: known for known, label in actions.KEY_LABELS.items()}
    key = written.get(key, key)
    if not _KEY.fullmatch(key):
        raise KeymapError(
            name, f"has no key that is called {printable(key)!r}: write c, C, f5, ctrl+k or question_mark"
        )
    return key
