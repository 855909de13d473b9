"""Where each pane stands for a size of the terminal. Pure.

A place may be shared by several panes: it shows the one most recently asked for, else the first. So every pane is one
key away at every size, and what matters most (orders, and what is unhedged) never leaves the screen by itself.
"""

from collections.abc import Sequence

import msgspec
from textual.geometry import Region

from console.actions import PANES

COMPACT_WIDTH = 110
COMPACT_HEIGHT = 30
WIDE_WIDTH = 165
WIDE_HEIGHT = 40


class Place(msgspec.Struct, frozen=True):
    """A region, and the panes that share it."""

    region: Region
    panes: tuple[str, ...]


def places(width: int, height: int) -> list[Place]:
    """The places for a desk of ``width`` by ``height`` cells. They tile it without overlap."""
    width, height = max(0, width), max(0, height)
    if width < COMPACT_WIDTH or height < COMPACT_HEIGHT:
        return _compact(width, height)
    return _wide(width, height) if width >= WIDE_WIDTH and height >= WIDE_HEIGHT else _standard(width, height)


def arrange(width: int, height: int, recent: Sequence[str] = (), zoomed: str = "") -> dict[str, Region]:
    """The region of each pane to be seen, one at least. ``recent``: panes asked for, the latest first."""
    if zoomed:
        return {zoomed: Region(0, 0, max(1, width), max(1, height))}
    shown = {}
    for place in places(width, height):
        if place.region.area:
            wanted = next((pane for pane in recent if pane in place.panes), place.panes[0])
            shown[wanted] = place.region
    if not shown:  # a terminal made tiny: one pane keeps the focus until there is room again
        shown[recent[0] if recent else PANES[0]] = Region(0, 0, max(1, width), max(1, height))
    return shown


def hidden(width: int, height: int) -> bool:
    """Whether some panes share a place at this size."""
    return len(places(width, height)) < len(PANES)


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


def _compact(width: int, height: int) -> list[Place]:
    lower = 0 if height < 12 else max(6, height * 3 // 10)
    upper = ("orders", "deltas", "hedges", "positions", "ladder", "venues", "balances", "trades")
    if not lower:
        return _stack(0, 0, width, [height], [(*upper, "unhedged", "log")])
    return _stack(0, 0, width, [height - lower, lower], [upper, ("unhedged", "log")])


def _standard(width: int, height: int) -> list[Place]:
    right = max(40, width * 36 // 100)
    left = width - right
    return [
        *_stack(0, 0, left, _shares(height, 30, 27, 18, 25),
                [("orders",), ("hedges",), ("unhedged",), ("log", "deltas")]),
        *_stack(left, 0, right, _shares(height, 56, 27, 17),
                [("ladder", "trades"), ("positions", "balances"), ("venues",)]),
    ]  # fmt: skip


def _wide(width: int, height: int) -> list[Place]:
    ladder = 46
    middle = max(54, width * 27 // 100)
    left = width - ladder - middle
    below = height * 26 // 100
    upper = height - below
    deltas = width * 46 // 100
    return [
        *_stack(0, 0, left, _shares(upper, 38, 36, 26), [("orders",), ("hedges",), ("unhedged",)]),
        *_stack(left, 0, middle, _shares(upper, 74, 26), [("positions", "balances"), ("venues",)]),
        Place(Region(left + middle, 0, ladder, upper), ("ladder",)),
        Place(Region(0, upper, deltas, below), ("deltas", "trades")),
        Place(Region(deltas, upper, width - deltas, below), ("log",)),
    ]
