"""What stands on the screens beside the desk: the blotter, the venues, the log. Pure."""

from textual.geometry import Region

DESK = "desk"
"""The screen whose panes are arranged by the size of the terminal (``console.screens.arrangement``)."""

PAGES: dict[str, tuple[tuple[str, int], ...]] = {
    "blotter": (("orders", 62), ("deltas", 38)),
    "venues": (("venues", 40), ("log", 60)),
    "log": (("log", 100),),
}
"""The panes of each from top to bottom, with their shares of the height in percent."""

SHORTEST = 12
"""Lines under which a screen has only its first pane."""


def page_regions(page: str, width: int, height: int) -> dict[str, Region]:
    """The region of each pane of a screen: they tile it. Raises KeyError for a screen that is none of ``PAGES``."""
    width, height = max(1, width), max(1, height)
    panes = PAGES[page] if height >= SHORTEST else PAGES[page][:1]
    regions, y = {}, 0
    for place, (pane, share) in enumerate(panes, 1):
        lines = height - y if place == len(panes) else height * share // 100
        regions[pane] = Region(0, y, width, lines)
        y += lines
    return regions
