"""What can be done in every live table: marks, filter, columns, copies. Nothing here trades."""

from console.panes import when
from console.panes.action import TABLE, Action

ACTIONS: tuple[Action, ...] = (
    Action(
        id="mark",
        keys=("space",),
        label="mark",
        help="Mark the row under the cursor: what cancels or copies takes the marked rows.",
        scopes=(TABLE,),
        fits=when.fits_row,
        palette=False,
    ),
    Action(
        id="mark_range",
        keys=("v",),
        label="mark range",
        help="Mark every row from the last one marked to the one under the cursor.",
        scopes=(TABLE,),
        fits=when.fits_row,
        palette=False,
    ),
    Action(
        id="filter",
        keys=("slash",),
        label="filter",
        help="Show only rows that match, as in: venue:okx side:b state:live px>60000 eth.",
        scopes=(TABLE,),
        footer=True,
    ),
    Action(
        id="look",
        keys=("l",),
        label="ladder",
        help="Show the contract under the cursor in the ladder.",
        scopes=("orders", "deltas", "hedges", "unhedged", "positions", "trades"),
        fits=when.fits_contract,
        palette=False,
    ),
    Action(
        id="wide",
        keys=("w",),
        label="more columns",
        help="Show the columns that do not fit beside the others, a screen of them at a time.",
        scopes=(TABLE,),
    ),
    Action(
        id="columns",
        keys=("W",),
        label="columns",
        help="Choose which columns are shown, and in which order.",
        scopes=(TABLE,),
    ),
    Action(
        id="copy_row",
        keys=("y",),
        label="copy row",
        help="Copy the row under the cursor, or the marked ones, as CSV.",
        scopes=(TABLE,),
        fits=when.fits_row,
    ),
    Action(
        id="copy_table",
        keys=("Y",),
        label="copy table",
        help="Copy every row that is shown, in its order, as CSV.",
        scopes=(TABLE,),
        fits=when.fits_row,
    ),
    Action(
        id="time_mode",
        keys=("t",),
        label="time",
        help="Show times as ages, as local time, or as UTC.",
        scopes=(TABLE,),
    ),
    Action(
        id="freeze",
        keys=("p",),
        label="freeze",
        help="Hold the rows as they are while you read; once more: bring them up to date. Trading goes on.",
        scopes=(TABLE,),
    ),
)
