"""When an action can be done: each says None, or one phrase that tells the operator why not. Pure.

Those of the mirror judge the desk as a whole; those that also take a selection judge what is under the cursor.
"""

from typing import Any, NamedTuple

from console.link import BookRow, OrderRow, PositionRow
from console.panes.mirror import Mirror

_NOT_HEARD = "the engine has not been heard yet"


class Selection(NamedTuple):
    """What is under the cursor of the pane in focus, and what is marked there: rows of the link."""

    row: Any = None
    marked: tuple[Any, ...] = ()

    @property
    def rows(self) -> tuple[Any, ...]:
        """What an action on rows takes: the marked ones, else the one under the cursor."""
        return self.marked or (() if self.row is None else (self.row,))


NOTHING = Selection()

# -------------------------------------------------------------------- the desk


def always(_: Mirror) -> str | None:
    """At any time."""
    return None


def may_only_look(mirror: Mirror) -> str | None:
    """Unless this console is attached for viewing only."""
    viewing = mirror.header is not None and mirror.header.view
    return "this console may only look; `hedgedesk panic` works from any shell" if viewing else None


def engine_heard(mirror: Mirror) -> str | None:
    """Once the engine has sent its first frame."""
    return None if mirror.header is not None else _NOT_HEARD


def not_active(mirror: Mirror) -> str | None:
    """While less than everything goes out."""
    if mirror.header is None:
        return _NOT_HEARD
    return "trading is ACTIVE already" if mirror.header.trading == "ACTIVE" else None


def contracts_known(mirror: Mirror) -> str | None:
    """Once the contracts are known."""
    return None if mirror.contracts else "no contracts are known yet"


def orders_open(mirror: Mirror) -> str | None:
    """While an order is open."""
    return None if any(mirror.open_orders()) else "no order is open"


def positions_open(mirror: Mirror) -> str | None:
    """While a position is not flat."""
    return None if mirror.open_positions() else "every position is flat"


def makers_allowed(mirror: Mirror) -> str | None:
    """While the trading state takes new makers."""
    if mirror.header is None:
        return _NOT_HEARD
    if mirror.header.trading in {"HEDGE-ONLY", "HALTED"}:
        return f"trading is {mirror.header.trading}: no new makers"
    return contracts_known(mirror)


# -------------------------------------------------------------------- what is under the cursor


def fits_anything(_: Mirror, __: Selection) -> str | None:
    """Whatever is under the cursor."""
    return None


def fits_row(_: Mirror, selection: Selection) -> str | None:
    """A row."""
    return None if selection.rows else "there is no row under the cursor"


def fits_contract(_: Mirror, selection: Selection) -> str | None:
    """A row of one contract."""
    return None if getattr(selection.row, "ticker", "") else "choose the line of a contract first"


def fits_order(_: Mirror, selection: Selection) -> str | None:
    """An order."""
    return None if isinstance(selection.row, OrderRow) else "no order is under the cursor"


def fits_cancel(_: Mirror, selection: Selection) -> str | None:
    """Orders one of which, at least, may still trade."""
    orders = [row for row in selection.rows if isinstance(row, OrderRow)]
    if not orders:
        return "no order is under the cursor"
    if all(row.terminal for row in orders):
        return "nothing to cancel here: " + ("all marked are done" if selection.marked else "that order is done")
    return None


def fits_amend(_: Mirror, selection: Selection) -> str | None:
    """An open order with a price."""
    row = selection.row
    priced = isinstance(row, OrderRow) and not row.terminal and row.price is not None
    return None if priced else "only an open order with a price can be amended"


def fits_absent(_: Mirror, selection: Selection) -> str | None:
    """A hedge order of unknown outcome."""
    row = selection.row
    lost = isinstance(row, OrderRow) and row.role == "hedge" and row.status == "UNKNOWN"
    return None if lost else "only a hedge order that is UNKNOWN can be taken as never sent"


def fits_position(_: Mirror, selection: Selection) -> str | None:
    """A position that is not flat."""
    held = isinstance(selection.row, PositionRow) and selection.row.amount
    return None if held else "no open position under the cursor: choose a contract's line"


def fits_book(mirror: Mirror, selection: Selection) -> str | None:
    """A row that stands in a hedge book."""
    return None if _book(mirror, selection) is not None else "no hedge book is under the cursor"


def fits_balance(mirror: Mirror, selection: Selection) -> str | None:
    """A row whose hedge book has something that waits."""
    book = _book(mirror, selection)
    return None if book is not None and book.balance else "nothing waits in this hedge book"


def fits_hedge_now(mirror: Mirror, selection: Selection) -> str | None:
    """A row whose hedge book has something that waits, and that its venue would take."""
    book = _book(mirror, selection)
    if book is not None and book.state == "active" and book.missing and not book.in_flight:
        return f"the venue takes {book.smallest:f} at least, {abs(book.balance):f} waits: U rounds it up"
    return fits_balance(mirror, selection)


def fits_round_up(mirror: Mirror, selection: Selection) -> str | None:
    """A row whose hedge book has something that waits, and no hedge of unknown outcome."""
    book = _book(mirror, selection)
    if book is not None and book.balance and book.unknown:
        return "a hedge of unknown outcome could answer it already"
    return fits_balance(mirror, selection)


def _book(mirror: Mirror, selection: Selection) -> BookRow | None:
    row = selection.row
    where = (getattr(row, "venue", ""), getattr(row, "ticker", ""))
    return next((book for book in mirror.books.values() if (book.venue, book.ticker) == where), None)
