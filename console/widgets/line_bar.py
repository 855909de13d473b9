"""One line of text made of spans, those of least importance left out where the width is short."""

from typing import NamedTuple

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from console.widgets.ink import Inks


class Span(NamedTuple):
    """A piece of a line. ``priority`` 0 always stays."""

    text: str
    ink: str = ""
    priority: int = 0


def fit_spans(spans: list[Span], width: int) -> list[Span]:
    """The spans that fit in ``width`` cells: whole ranks of priority leave together, the highest number first."""
    kept = spans
    while sum(len(span.text) for span in kept) > width and any(span.priority for span in kept):
        last = max(span.priority for span in kept)
        kept = [span for span in kept if span.priority < last]
    return kept


class LineBar(Widget):
    """A bar of one line with spans at the left and at the right."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # textual's own name
        super().__init__(id=id)
        self._left: list[Span] = []
        self._right: list[Span] = []
        self._inks: Inks | None = None

    def show(self, left: list[Span], right: list[Span] | None = None) -> None:
        """Show these spans."""
        right = right or []
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    @property
    def text(self) -> str:
        """What the bar says at its present width."""
        return self.render_line(0).text

    def notify_style_update(self) -> None:
        """Called by textual when styles (and with them the theme) change."""
        super().notify_style_update()
        self._inks = None

    def render_line(self, y: int) -> Strip:
        """The line."""
        if self._inks is None:
            self._inks = Inks(self.app.theme_variables, colourless=self.app.no_color)
        inks, width = self._inks, self.size.width
        spans = fit_spans([*self._left, Span("\0"), *self._right], width + 1) if y == 0 else []
        gap = max(0, width - sum(len(span.text) for span in spans) + 1)
        segments = [Segment(" " * gap) if span.text == "\0" else Segment(span.text, inks[span.ink]) for span in spans]
        return Strip(segments).apply_style(inks.bar).adjust_cell_length(width, inks.bar)
