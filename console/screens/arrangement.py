"""Where each pane stands, by the layout that the operator chose and the size of the terminal. Pure.

A place may be shared by several panes: it shows the one most recently asked for, else the first. So every pane is one
key away in every layout and at every size.
"""

from collections.abc import Callable, Sequence

import msgspec
from textual.geometry import Region

from console.actions import PANES

COMPACT_WIDTH = 110
COMPACT_HEIGHT = 30
WIDE_WIDTH = 165
WIDE_HEIGHT = 40
WALL_WIDTH = 220
WALL_HEIGHT = 60

LADDER = 46
"""Columns of a ladder that has a place of its own beside others."""
NARROW_LADDER = 36
TINY_HEIGHT = 12
"""Lines under which a desk has one place."""


class Place(msgspec.Struct, frozen=True):
    """A region, and the panes that share it."""

    region: Region
    panes: tuple[str, ...]


class Layout(msgspec.Struct, frozen=True):
    """A way to place the panes: ``about`` says for what, the rest how, by the size of the desk."""

    name: str
    about: str
    compact: Callable[[int, int], list[Place]]
    standard: Callable[[int, int], list[Place]]
    wide: Callable[[int, int], list[Place]]
    wall: Callable[[int, int], list[Place]]


def places(width: int, height: int, layout: str = "") -> list[Place]:
    """The places of a layout (the first where it is none) for ``width`` by ``height`` cells. They tile it."""
    width, height = max(0, width), max(0, height)
    chosen = LAYOUTS.get(layout) or next(iter(LAYOUTS.values()))
    if width < COMPACT_WIDTH or height < COMPACT_HEIGHT:
        return chosen.compact(width, height)
    if width < WIDE_WIDTH or height < WIDE_HEIGHT:
        return chosen.standard(width, height)
    return (chosen.wall if width >= WALL_WIDTH and height >= WALL_HEIGHT else chosen.wide)(width, height)


def arrange(
    width: int, height: int, recent: Sequence[str] = (), zoomed: str = "", layout: str = ""
) -> dict[str, Region]:
    """The region of each pane to be seen, one at least. ``recent``: panes asked for, the latest first."""
    if zoomed:
        return {zoomed: Region(0, 0, max(1, width), max(1, height))}
    shown = {}
    for place in places(width, height, layout):
        if place.region.area:
            wanted = next((pane for pane in recent if pane in place.panes), place.panes[0])
            shown[wanted] = place.region
    if not shown:  # a terminal made tiny: one pane keeps the focus until there is room again
        shown[recent[0] if recent else PANES[0]] = Region(0, 0, max(1, width), max(1, height))
    return shown


def hidden(width: int, height: int, layout: str = "") -> bool:
    """Whether some panes share a place at this size."""
    return len(places(width, height, layout)) < len(PANES)


def _stack(x: int, y: int, width: int, heights: Sequence[int], panes: Sequence[tuple[str, ...]]) -> list[Place]:
    stacked = []
    for height, names in zip(heights, panes, strict=True):
        stacked.append(Place(Region(x, y, width, height), names))
        y += height
    return stacked


def _shares(total: int, *parts: int) -> list[int]:
    """``total`` divided by weights, whole cells, nothing lost."""
    whole, given, heights = sum(parts), 0, []
    for place, part in enumerate(parts):
        share = total - given if place == len(parts) - 1 else total * part // whole
        heights.append(share)
        given += share
    return heights


def _others(*taken: str) -> tuple[str, ...]:
    """The panes that have no place yet, in the order of their keys."""
    return tuple(pane for pane in PANES if pane not in taken)


# -------------------------------------------------------------------- everything at once


def _everything_compact(width: int, height: int) -> list[Place]:
    lower = 0 if height < TINY_HEIGHT else max(6, height * 3 // 10)
    upper = _others("unhedged", "log")
    if not lower:
        return _stack(0, 0, width, [height], [(*upper, "unhedged", "log")])
    return _stack(0, 0, width, [height - lower, lower], [upper, ("unhedged", "log")])


def _everything_standard(width: int, height: int) -> list[Place]:
    right = max(40, width * 36 // 100)
    left = width - right
    return [
        *_stack(0, 0, left, _shares(height, 30, 27, 18, 25),
                [("orders",), ("hedges",), ("unhedged",), ("log", "deltas")]),
        *_stack(left, 0, right, _shares(height, 56, 27, 17),
                [("ladder", "trades"), ("positions", "balances"), ("venues",)]),
    ]  # fmt: skip


def _everything_wide(width: int, height: int) -> list[Place]:
    middle = max(54, width * 27 // 100)
    left = width - LADDER - middle
    below = height * 26 // 100
    upper = height - below
    deltas = width * 46 // 100
    return [
        *_stack(0, 0, left, _shares(upper, 38, 36, 26), [("orders",), ("hedges",), ("unhedged",)]),
        *_stack(left, 0, middle, _shares(upper, 74, 26), [("positions", "balances"), ("venues",)]),
        Place(Region(left + middle, 0, LADDER, upper), ("ladder",)),
        Place(Region(0, upper, deltas, below), ("deltas", "trades")),
        Place(Region(deltas, upper, width - deltas, below), ("log",)),
    ]


def _everything_wall(width: int, height: int) -> list[Place]:
    middle = width * 28 // 100
    left = width - LADDER - middle
    below = height * 26 // 100
    upper = height - below
    deltas = width * 46 // 100
    return [
        *_stack(0, 0, left, _shares(upper, 42, 36, 22), [("orders",), ("hedges",), ("unhedged",)]),
        *_stack(left, 0, middle, _shares(upper, 55, 22, 23), [("positions",), ("balances",), ("venues",)]),
        *_stack(left + middle, 0, LADDER, _shares(upper, 66, 34), [("ladder",), ("trades",)]),
        Place(Region(0, upper, deltas, below), ("deltas",)),
        Place(Region(deltas, upper, width - deltas, below), ("log",)),
    ]


# -------------------------------------------------------------------- by the ladder


def _trading_compact(width: int, height: int) -> list[Place]:
    if width < 2 * NARROW_LADDER or height < TINY_HEIGHT:
        return _everything_compact(width, height)
    left = width - NARROW_LADDER
    lower = max(6, height * 3 // 10)
    return [
        *_stack(0, 0, left, [height - lower, lower],
                [_others("unhedged", "log", "ladder", "trades"), ("unhedged", "log")]),
        Place(Region(left, 0, NARROW_LADDER, height), ("ladder", "trades")),
    ]  # fmt: skip


def _trading_standard(width: int, height: int) -> list[Place]:
    left = width - LADDER
    return [
        *_stack(0, 0, left, _shares(height, 48, 22, 30),
                [("orders", "deltas"), ("unhedged", "hedges"), ("positions", "balances", "log", "venues")]),
        *_stack(left, 0, LADDER, _shares(height, 70, 30), [("ladder",), ("trades",)]),
    ]  # fmt: skip


def _trading_wide(width: int, height: int) -> list[Place]:
    trades = 44
    left = width - LADDER - trades
    return [
        *_stack(0, 0, left, _shares(height, 44, 26, 30),
                [("orders", "deltas"), ("unhedged", "hedges"), ("log",)]),
        *_stack(left, 0, trades, _shares(height, 44, 34, 22),
                [("trades",), ("positions", "balances"), ("venues",)]),
        Place(Region(left + trades, 0, LADDER, height), ("ladder",)),
    ]  # fmt: skip


# -------------------------------------------------------------------- by what is hedged


def _hedging_compact(width: int, height: int) -> list[Place]:
    if height < TINY_HEIGHT:
        return _stack(0, 0, width, [height], [("hedges", *_others("hedges"))])
    lower = max(6, height * 4 // 10)
    upper = ("hedges", *_others("hedges", "unhedged", "log"))
    return _stack(0, 0, width, [height - lower, lower], [upper, ("unhedged", "log")])


def _hedging_standard(width: int, height: int) -> list[Place]:
    right = max(40, width * 36 // 100)
    left = width - right
    upper = height * 46 // 100
    return [
        Place(Region(0, 0, width, upper), ("hedges",)),
        *_stack(0, upper, left, _shares(height - upper, 55, 45), [("unhedged",), ("orders", "log", "deltas")]),
        *_stack(left, upper, right, _shares(height - upper, 60, 40),
                [("positions", "balances"), ("venues", "ladder", "trades")]),
    ]  # fmt: skip


def _hedging_wide(width: int, height: int) -> list[Place]:
    right = max(54, width * 27 // 100)
    left = width - right
    return [
        *_stack(0, 0, left, _shares(height, 36, 20, 24, 20),
                [("hedges",), ("unhedged",), ("orders",), ("deltas", "trades")]),
        *_stack(left, 0, right, _shares(height, 50, 20, 30),
                [("positions", "balances"), ("venues",), ("log", "ladder")]),
    ]  # fmt: skip


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("everything", "every pane in its place",
               _everything_compact, _everything_standard, _everything_wide, _everything_wall),
        Layout("trading", "the ladder and the orders",
               _trading_compact, _trading_standard, _trading_wide, _trading_wide),
        Layout("hedging", "the hedge book, and what is not hedged",
               _hedging_compact, _hedging_standard, _hedging_wide, _hedging_wide),
    )
}  # fmt: skip
"""The layouts by name, in the order in which the keys go through them."""
