"""The one table of actions: what can be done, by which key, where, at what risk, and when not.

Bindings, footer, help screen, command palette and the check for clashing keys all come from it. An action is done by
the method ``do_<id>`` of its scope: the app for ``app`` and ``desk``, the pane for ``pane`` and a pane's own.

Rule of hands: a lower-case letter acts on the thing under the cursor, the same letter in upper case on the set, a
function key on the whole desk. Letters that trade are bound on pane widgets only, so that no form ever leaks one.
"""

from collections.abc import Iterator

from textual.binding import Binding

from console.panes import when
from console.panes.action import APP, DESK, KEY_LABELS, PANE, PANE_TITLES, PANES, Action, Risk

__all__ = [
    "ACTIONS", "APP", "BY_ID", "DESK", "KEY_LABELS", "PANE", "PANES", "PANE_TITLES", "TABLE_KEYS", "Action", "Risk",
    "bindings", "clashes", "for_pane", "in_scope", "rebind",
]  # fmt: skip


def _pane_action(place: int, pane: str) -> Action:
    title = PANE_TITLES.get(pane, pane)
    return Action(
        id=f"pane_{pane}",
        keys=(str(place),),
        label=title,
        help=f"Show the {title} pane and go to it.",
        scopes=(DESK,),
        goes_to=pane,
    )


ACTIONS: tuple[Action, ...] = (
    Action(
        id="panic",
        keys=("f9", "ctrl+backslash"),
        label="PANIC",
        help="Cancel every maker on every venue at once, take no new ones, keep hedging. Asks nothing.",
        risk=Risk.REDUCES,
        scopes=(APP,),
        footer=True,
    ),
    Action(
        id="quit",
        keys=("ctrl+q",),
        label="quit",
        help="Leave. Asks first when orders are open or something is not hedged.",
        risk=Risk.IRREVERSIBLE,
        scopes=(APP,),
    ),
    Action(
        id="new",
        keys=("n",),
        label="new",
        help="Open the ticket: a maker order with its hedge legs. Sends nothing by itself.",
        enabled=when.makers_allowed,
        footer=True,
    ),
    Action(
        id="cancel",
        keys=("c",),
        label="cancel",
        help="Cancel the order under the cursor, or the marked ones. Asks nothing.",
        risk=Risk.REDUCES,
        scopes=("orders",),
        enabled=when.orders_open,
        footer=True,
    ),
    Action(
        id="cancel_menu",
        keys=("C",),
        label="cancel …",
        help="Cancel a set: bids, offers, instrument, venue, all makers, all.",
        risk=Risk.REDUCES,
        enabled=when.orders_open,
        footer=True,
    ),
    Action(
        id="amend",
        keys=("e",),
        label="amend",
        help="Write an amend of the order under the cursor on the command line.",
        scopes=("orders",),
        enabled=when.orders_open,
    ),
    Action(
        id="clone",
        keys=("N",),
        label="clone",
        help="Write the order under the cursor once more on the command line.",
        scopes=("orders",),
    ),
    Action(
        id="absent",
        keys=("X",),
        label="not sent",
        help="Take the UNKNOWN hedge order under the cursor as never sent, after its id is typed once more.",
        risk=Risk.IRREVERSIBLE,
        scopes=("orders",),
        enabled=when.orders_open,
    ),
    Action(
        id="flatten",
        keys=("f",),
        label="flatten",
        help="Close the position under the cursor, reduce-only, after a question.",
        risk=Risk.IRREVERSIBLE,
        scopes=("positions",),
        enabled=when.positions_open,
        footer=True,
    ),
    Action(
        id="flatten_menu",
        keys=("F",),
        label="flatten …",
        help="Close positions, reduce-only: one instrument, one venue, or all (typed in full).",
        risk=Risk.IRREVERSIBLE,
        enabled=when.positions_open,
        footer=True,
    ),
    Action(
        id="hedge_now",
        keys=("H",),
        label="hedge now",
        help="Hedge what waits in the book under the cursor now, whatever holds it back, after a question.",
        risk=Risk.INCREASES,
        scopes=("unhedged", "hedges"),
        footer=True,
    ),
    Action(
        id="round_up",
        keys=("U",),
        label="round up",
        help="Hedge what is under the minimum with the smallest order that the venue takes, after a question.",
        risk=Risk.INCREASES,
        scopes=("unhedged", "hedges"),
    ),
    Action(
        id="forfeit",
        keys=("X",),
        label="forfeit",
        help="Write off what waits in the book under the cursor, after a question.",
        risk=Risk.IRREVERSIBLE,
        scopes=("unhedged", "hedges"),
    ),
    Action(
        id="pause_book",
        keys=("P",),
        label="pause",
        help="Pause hedging in the book under the cursor, or resume it, after a question.",
        risk=Risk.INCREASES,
        scopes=("unhedged", "hedges"),
        footer=True,
    ),
    Action(
        id="buy_here",
        keys=("b",),
        label="bid here",
        help="Open a ticket to buy at the cursor's price.",
        scopes=("ladder",),
        enabled=when.makers_allowed,
        footer=True,
    ),
    Action(
        id="sell_here",
        keys=("s",),
        label="offer here",
        help="Open a ticket to sell at the cursor's price.",
        scopes=("ladder",),
        enabled=when.makers_allowed,
        footer=True,
    ),
    Action(
        id="join_bid",
        keys=("B",),
        label="join bid",
        help="Open a ticket to buy at the best bid, following the queue.",
        scopes=("ladder",),
        enabled=when.makers_allowed,
    ),
    Action(
        id="join_offer",
        keys=("S",),
        label="join offer",
        help="Open a ticket to sell at the best offer, following the queue.",
        scopes=("ladder",),
        enabled=when.makers_allowed,
    ),
    Action(
        id="recentre",
        keys=("space",),
        label="recentre",
        help="Centre the ladder on the market.",
        scopes=("ladder",),
        footer=True,
        palette=False,
    ),
    Action(
        id="coarser",
        keys=("right_curly_bracket",),
        label="coarser",
        help="Group the ladder's prices more coarsely.",
        scopes=("ladder",),
        palette=False,
    ),
    Action(
        id="finer",
        keys=("left_curly_bracket",),
        label="finer",
        help="Group the ladder's prices more finely.",
        scopes=("ladder",),
        palette=False,
    ),
    Action(
        id="mark",
        keys=("space",),
        label="mark",
        help="Mark the order under the cursor, for cancel.",
        scopes=("orders",),
        palette=False,
    ),
    Action(
        id="look",
        keys=("l",),
        label="ladder",
        help="Show the contract under the cursor in the ladder.",
        scopes=("orders", "deltas", "hedges", "unhedged", "positions"),
        palette=False,
    ),
    Action(
        id="instrument",
        keys=("i",),
        label="instrument",
        help="Choose the contract that the ladder shows.",
        enabled=when.contracts_known,
        footer=True,
    ),
    Action(
        id="command_line",
        keys=("colon",),
        label="command",
        help="Open the command line.",
        scopes=(DESK,),
        footer=True,
    ),
    Action(
        id="help",
        keys=("question_mark", "f1"),
        label="help",
        help="Show what the keys do here.",
        scopes=(DESK,),
        footer=True,
    ),
    Action(
        id="leave",
        keys=("q",),
        label="quit",
        scopes=(DESK,),
        footer=True,
        palette=False,
        risk=Risk.IRREVERSIBLE,
        help="Leave. Asks first when orders are open or something is not hedged.",
    ),
    Action(id="zoom", keys=("z",), label="zoom", help="Give the pane the whole screen, or give it back.", footer=True),
    Action(
        id="dismiss",
        keys=("escape",),
        label="clear",
        help="Clear the message line and the marks. Never trades.",
        scopes=(DESK,),
        palette=False,
    ),
    Action(id="mute", keys=("M",), label="mute", help="Silence the bell, or let it ring again.", scopes=(DESK,)),
    Action(id="theme", keys=(), label="theme", help="Change to the next colour theme.", scopes=(DESK,)),
    Action(
        id="arming",
        keys=("A",),
        label="disarm",
        help="Disarm at once: nothing that raises risk is sent any more. Once more, after a question: allow it again.",
        risk=Risk.INCREASES,
        enabled=when.engine_heard,
    ),
    Action(
        id="reconcile",
        keys=("R",),
        label="reconcile",
        scopes=(DESK,),
        enabled=when.engine_heard,
        help="Compare orders, fills and positions with every venue now.",
    ),
    Action(
        id="verify",
        keys=(),
        label="verify",
        scopes=(DESK,),
        enabled=when.engine_heard,
        help="Prove target = hedged + in flight + balance + forfeited for every book, against the venues.",
    ),
    *(_pane_action(place, pane) for place, pane in enumerate(PANES, 1)),
)

BY_ID = {action.id: action for action in ACTIONS}

TABLE_KEYS = (
    ("j k ↑ ↓", "move the cursor"),
    ("g G", "first and last row"),
    ("enter", "everything about the row"),
    ("o O", "sort by the next column, turn the order round"),
    ("tab S-tab", "next and previous pane"),
)
"""Keys of every table, for the help screen: they only move."""


def rebind(table: tuple[Action, ...]) -> None:
    """Take another table, with a user's own keys; before the console's app is imported, which binds its widgets."""
    global ACTIONS  # noqa: PLW0603  # one table for the whole program, and this its one writer
    ACTIONS = table
    BY_ID.update((action.id, action) for action in table)


def in_scope(scope: str) -> Iterator[Action]:
    """The actions bound in a scope."""
    return (action for action in ACTIONS if scope in action.scopes)


def for_pane(pane: str) -> list[Action]:
    """What the keys do while a pane has the focus: its own actions, those of every pane, the desk's, the app's."""
    return [action for scope in (pane, PANE, DESK, APP) for action in in_scope(scope)]


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
        for scope in (pane, PANE, DESK, APP):
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
