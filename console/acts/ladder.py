"""What can be done in the ladder."""

from console.panes import when
from console.panes.action import Action

ACTIONS: tuple[Action, ...] = (
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
)
