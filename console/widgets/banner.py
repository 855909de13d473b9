"""The banner: why the desk lets out less than usual, and what to do next. No line where there is nothing to say."""

import textwrap

from textual.content import Content
from textual.widgets import Static

from console.panes.mirror import Mirror

MOST_LINES = 3


def banner_lines(text: str, width: int) -> list[str]:
    """The text in lines of a width, at most ``MOST_LINES``."""
    return textwrap.wrap(text, max(20, width), max_lines=MOST_LINES, placeholder=" …")


class Banner(Static):
    """Shows what the header says of the desk's state."""

    def __init__(self) -> None:
        super().__init__(id="banner")
        self.lines: list[str] = []

    def show(self, mirror: Mirror, width: int) -> bool:
        """Bring it up to date for a width of the screen; whether it now takes more or fewer lines."""
        header = mirror.header
        text = "" if header is None else header.because
        before, self.lines = self.lines, banner_lines(text, width - 2) if text else []
        if self.lines != before:
            self.display = bool(self.lines)
            self.set_class("KILL SWITCH" in text or (header is not None and header.trading == "HALTED"), "alarm")
            self.update(Content("\n".join(self.lines)))
        return len(self.lines) != len(before)
