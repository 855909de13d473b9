"""Cells that several panes share. Pure: a value in, a cell out."""

from decimal import Decimal

from console import fmt
from console.widgets.columns import Cell

BLANK = Cell("")
NONE = Cell(fmt.NONE, "faint")


def side_ink(amount: Decimal) -> str:
    """The ink of a side: that of bids for buys and long, that of asks for sells and short."""
    return "bid" if amount > 0 else "ask" if amount < 0 else "muted"


def side_cell(amount: Decimal) -> Cell:
    """``buy`` or ``sell`` in the ink of its side."""
    return Cell(fmt.side(amount), side_ink(amount))


def number(value: Decimal | None, step: Decimal | None, ink: str = "") -> Cell:
    """A number with the decimals of its step; none and zero are kept apart and stand back."""
    if value is None:
        return NONE
    return Cell("0", "faint") if value == 0 else Cell(fmt.number(value, step), ink)


def signed(value: Decimal | None, step: Decimal | None, ink: str | None = None) -> Cell:
    """A signed amount, its sign always written, in the ink of its side unless another is given."""
    if value is None:
        return NONE
    if value == 0:
        return Cell("0", "faint")
    return Cell(fmt.number(value, step, sign=True), side_ink(value) if ink is None else ink)


def gain(value: Decimal | None, text: str) -> Cell:
    """A result: what was gained and what was lost in the inks of up and down, with its sign in the text."""
    if value is None:
        return NONE
    return Cell(text, "faint" if value == 0 else "up" if value > 0 else "down")


def age(now_ns: int, then_ns: int, *, ink: str = "muted") -> Cell:
    """An age."""
    return Cell(fmt.age(now_ns, then_ns), ink) if then_ns else NONE


def aged(now_ns: int, then_ns: int, stale_after_ns: int) -> Cell:
    """An age that looks stale, with ``~``, once it is over a limit."""
    if then_ns and now_ns - then_ns > stale_after_ns:
        return Cell(f"~{fmt.age(now_ns, then_ns)}", "stale")
    return age(now_ns, then_ns)


def stale(cell: Cell) -> Cell:
    """A cell whose value is too old to be trusted."""
    return cell if cell.text == fmt.NONE else Cell(f"~{cell.text}", "stale", dim_zeros=False)


def contract(venue: str, ticker: str, ink: str = "") -> Cell:
    """A contract as commands name it."""
    return Cell(fmt.contract(venue, ticker), ink)


_STATUS_INK = {
    "PENDING": "warn",
    "CANCEL_PENDING": "warn",
    "PARTIAL": "accent",
    "FILLED": "ok",
    "CANCELLED": "faint",
    "EXPIRED": "faint",
    "REJECTED": "alarm",
    "UNKNOWN": "bold alarm",
}

_HEDGE_INK = {
    "hedged": "ok",
    "hedging": "accent",
    "waiting": "warn",
    "unknown": "bold alarm",
    "hold": "bold alarm",
    "paused": "bold warn",
    "idle": "faint",
    "active": "muted",
}


def status(name: str) -> Cell:
    """An order's status: symbol, word, ink."""
    return Cell(fmt.status(name), _STATUS_INK.get(name, ""))


def hedge_state(name: str) -> Cell:
    """A hedge's or a book's state: symbol, word, ink."""
    return Cell(fmt.hedge_state(name), _HEDGE_INK.get(name, ""))
