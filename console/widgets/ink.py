"""Inks: the named text styles that cells are written in, made from the theme's variables."""

from collections.abc import Mapping

from rich.segment import Segment
from rich.style import Style

from console import fmt
from console.widgets.columns import Cell

BOLD = "bold "
"""Before an ink's name: the same ink in bold."""

_PLAIN = ("muted", "faint", "rule", "bid", "ask", "up", "down", "stale", "own", "live", "paper", "armed", "ok", "warn")


class Inks:
    """The styles by name: ``bid``, ``muted``, ``bold alarm``, ``flash-up`` ...; an unknown name is the plain text's."""

    def __init__(self, variables: Mapping[str, str], *, colourless: bool = False) -> None:
        self.background = variables.get("background", "#000000")
        foreground = variables.get("foreground", "#c0c0c0")
        self.text = Style(color=foreground)
        styles = {"": self.text, "text": self.text}
        for name in (*_PLAIN, "alarm", "accent"):
            styles[name] = Style(color=variables.get(name, foreground))
        for name, ink in (("flash-up", "up"), ("flash-down", "down")):
            styles[name] = Style(color=variables.get(ink, foreground), bgcolor=variables.get(name))
        for name, ink in (("depth-bid", "bid"), ("depth-ask", "ask")):
            styles[name] = Style(color=variables.get(ink, foreground), bgcolor=variables.get(name))
        for name in ("paper", "live", "armed", "alarm", "warn", "accent"):
            styles[f"badge-{name}"] = Style(color=self.background, bgcolor=variables.get(name, foreground), bold=True)
        styles.update({f"{BOLD}{name}".rstrip(): style + Style(bold=True) for name, style in styles.items()})
        styles["title"] = styles["bold"]
        self._styles = styles
        self.row = Style(color=foreground, bgcolor=self.background)
        self.bar = Style(color=foreground, bgcolor=variables.get("panel", "#202020"))
        self.cursor = Style(color=foreground, bgcolor=variables.get("cursor", "#303030"))
        self.cursor_away = Style(color=foreground, bgcolor=variables.get("panel", "#202020"))
        self.silent = Style(color=variables.get("stale", foreground))
        if colourless:
            self._without_colour()

    def _without_colour(self) -> None:
        """Say by reverse, underline and weight what colours say: cursor, badges, size bars, what has just changed."""
        for name, style in self._styles.items():
            if style.bgcolor is not None:
                self._styles[name] = Style(reverse=name.startswith("badge-"), bold=True, underline="depth" in name)
            elif name.split()[-1:] in (["alarm"], ["own"]):
                self._styles[name] = Style(bold=True)
            else:
                self._styles[name] = Style(bold=style.bold, dim=name in {"faint", "rule", "stale"})
        self.text = self._styles[""]
        self.row, self.bar = Style(), Style()
        self.cursor, self.cursor_away = Style(reverse=True), Style(underline=True)
        self.silent = Style(dim=True, italic=True)

    def __getitem__(self, name: str) -> Style:
        return self._styles.get(name, self.text)

    def on(self, name: str, background: Style) -> Style:
        """The ink ``name`` on the background of another style."""
        return background + self[name]


def cell_segments(cell: Cell, width: int, inks: Inks, *, right: bool, flash: str = "") -> list[Segment]:
    """A cell in exactly ``width`` characters, zeros that say nothing dimmed in a right-aligned one."""
    text = fmt.fit(cell.text, width)
    padding = " " * (width - len(text))
    ink = inks[flash or cell.ink]
    zeros = fmt.trailing_zeros(text) if right and not flash and cell.dim_zeros else 0
    body = [Segment(text[: len(text) - zeros], ink)]
    if zeros:
        body.append(Segment(text[len(text) - zeros :], inks["faint"]))
    if not padding:
        return body
    return [Segment(padding, None), *body] if right else [*body, Segment(padding, None)]
