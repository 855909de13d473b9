"""The ladder's lines as they are written: own size, bids, price, offers, own size. Pure."""

from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from console import fmt
from console.link import LadderRow
from console.panes import ladder_grid as grid

WIDEST = 56
"""A ladder wider than this stands in the middle: sizes are read beside their price."""
WITH_MID = 56
"""Columns from which the head has the middle of the market, too."""

Span = tuple[str, str]
"""A text and its ink."""


class Line(NamedTuple):
    """What stands at a price; quantities in base units."""

    price: Decimal
    own_bid: Decimal
    bid: Decimal
    ask: Decimal
    own_ask: Decimal
    mark: str
    """``up`` or ``down`` where the last trade was, else nothing."""
    even: bool
    """Whether our position breaks even here."""


def widths(width: int) -> tuple[int, int, int]:
    """Widths of an own column, a size column and the price column."""
    width = min(width, WIDEST) - 2
    price = min(12, max(10 if width >= 34 else 9, width // 4))
    own = 8 if width >= 36 else 6
    size = max(4, (width - price - 2 * own) // 2)
    return own, size, price


def head(row: LadderRow, group: Decimal | None, width: int) -> list[Span]:
    """Spread, middle, last trade, price group."""
    if not (row.bids and row.asks):
        return [(" one side of the book is empty", "warn")]
    spread = row.asks[0][0] - row.bids[0][0]
    mid = (row.asks[0][0] + row.bids[0][0]) / 2
    bps = fmt.rounded(spread * 10_000 / mid, 1) if mid else fmt.NONE
    parts: list[Span] = [(f" spread {fmt.number(spread, row.tick)}", "muted"), (f" ({bps}bp)", "muted")]
    if width >= WITH_MID:
        parts.append((f"  mid {fmt.number(mid)}", "muted"))
    if row.last_price is not None:
        parts.append((f"  last {fmt.number(row.last_price, row.tick)}", "muted"))
    if group is not None and group != row.tick:
        parts.append((f"  by {fmt.number(group)}", "faint"))
    return parts


def fitting(parts: list[Span], width: int) -> list[Span]:
    """As many of the parts as ``width`` has room for as a whole; the first whatever there is."""
    ends = accumulate(len(text) for text, _ in parts)
    return [part for place, (part, end) in enumerate(zip(parts, ends, strict=True)) if not place or end <= width]


def spans(line: Line, row: LadderRow, largest: Decimal, width: int, *, at_cursor: bool) -> list[Span]:
    """One line; ``largest`` is the size whose bar is full."""
    own, size, price = widths(width)
    margin = " " * ((width - WIDEST) // 2 if width > WIDEST else 0)
    found: list[Span] = [(">" if at_cursor else " ", "accent"), (margin, "")]
    found.append((fmt.squeezed(line.own_bid, row.lot, own).rjust(own) if line.own_bid else " " * own, "bold own"))
    text = fmt.squeezed(line.bid, row.lot, size - 1).rjust(size) if line.bid else " " * size
    filled = grid.bar(line.bid, largest, size)
    found += [(text[: size - filled], "bid"), (text[size - filled :], "depth-bid")]
    written = fmt.number(line.price, row.tick)
    ink = line.mark or ("bid" if line.bid else "ask" if line.ask else "faint")
    if line.even:
        written, ink = f"={written}", "bold own"
    found.append((f"{written:^{price - 1}}" + ({"up": "▲", "down": "▼"}[line.mark] if line.mark else " "), ink))
    room = size - 2 if line.own_ask else size - 1  # a space before what is ours
    text = (" " + fmt.squeezed(line.ask, row.lot, room)).ljust(size) if line.ask else " " * size
    filled = grid.bar(line.ask, largest, size)
    found += [(text[:filled], "depth-ask"), (text[filled:], "ask")]
    found.append((fmt.squeezed(line.own_ask, row.lot, own).ljust(own) if line.own_ask else " " * own, "bold own"))
    return found
