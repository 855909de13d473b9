"""The one table of actions: what can be done, by which key, where, at what risk, and when not.

Bindings, footer, help screen, command palette and the check for clashing keys all come from it. An action is done by
the method ``do_<id>`` of its scope: the app for ``app`` and ``desk``, the pane for ``pane`` and a pane's own.

Rule of hands: a lower-case letter acts on the thing under the cursor, the same letter in upper case on the set, a
function key on the whole desk. Letters that trade are bound on pane widgets only, so that no form ever leaks one.
"""

from collections.abc import Iterator

from textual.binding import Binding

from console.acts import everywhere, ladder, rows, tables
from console.panes.action import (
    APP,
    DESK,
    KEY_LABELS,
    NOT_TABLES,
    PANE,
    PANE_ABOUT,
    PANE_TITLES,
    PANES,
    TABLE,
    Action,
    Risk,
)  # fmt: skip

__all__ = [
    "ACTIONS", "APP", "BY_ID", "DESK", "KEY_LABELS", "PANE", "PANES", "PANE_ABOUT", "PANE_TITLES", "TABLE",
    "TABLE_KEYS", "Action", "Risk", "bindings", "clashes", "for_pane", "in_scope", "rebind", "scopes_of",
]  # fmt: skip

ACTIONS: tuple[Action, ...] = (*rows.ACTIONS, *ladder.ACTIONS, *tables.ACTIONS, *everywhere.ACTIONS)

BY_ID = {action.id: action for action in ACTIONS}

TABLE_KEYS = (
    ("j k ↑ ↓", "move the cursor"),
    ("PgUp PgDn", "move by a page"),
    ("g G", "first and last row"),
    ("enter", "everything about the row"),
    ("tab S-tab", "next and previous pane"),
)
"""Keys of every table that are the same on every desk: they only move."""


def rebind(table: tuple[Action, ...]) -> None:
    """Take another table, with a user's own keys; before the console's app is imported, which binds its widgets."""
    global ACTIONS  # noqa: PLW0603  # one table for the whole program, and this its one writer
    ACTIONS = table
    BY_ID.update((action.id, action) for action in table)


def in_scope(scope: str) -> Iterator[Action]:
    """The actions bound in a scope."""
    return (action for action in ACTIONS if scope in action.scopes)


def scopes_of(pane: str) -> tuple[str, ...]:
    """The scopes whose keys work in a pane, the narrowest first."""
    return (pane, *(() if pane in NOT_TABLES else (TABLE,)), PANE, DESK, APP)


def for_pane(pane: str) -> list[Action]:
    """What the keys do while a pane has the focus: its own actions, those of every pane, the desk's, the app's."""
    return [action for scope in scopes_of(pane) for action in in_scope(scope)]


def bindings(*scopes: str) -> list[Binding]:
    """Textual bindings for scopes: each runs ``perform`` of the widget that it stands on."""
    return [
        Binding(
            ",".join(action.keys),
            f"perform('{action.id}')",
            action.label,
            show=False,
            priority=APP in action.scopes,
            id=action.id,
        )
        for scope in scopes
        for action in in_scope(scope)
        if action.keys
    ]


def clashes(table: tuple[Action, ...] = ACTIONS) -> list[str]:
    """What is wrong with the keys of a table, one sentence each; nothing for a good one.

    In one place a key has one meaning. A pane may hide an action of a wider scope only if that one carries no risk,
    and nothing hides what works everywhere.
    """
    found = []
    for pane in PANES:
        holders: dict[str, tuple[Action, str]] = {}
        for scope in scopes_of(pane):
            for action in table:
                if scope not in action.scopes:
                    continue
                for key in action.keys:
                    if key not in holders:
                        holders[key] = (action, scope)
                        continue
                    other, other_scope = holders[key]
                    if other is action:
                        continue
                    if other_scope == scope:
                        found.append(f"{key} in {pane}: both {other.id} and {action.id}")
                    elif action.risk or scope == APP:
                        found.append(f"{key} in {pane}: {other.id} hides {action.id}, which carries risk")
    return list(dict.fromkeys(found))
