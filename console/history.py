"""The command line's history: the lines that were sent, kept between runs in a file for its owner alone."""

from collections.abc import Callable
from pathlib import Path

from oms.private_files import write_file

MOST = 200
"""Lines kept: the latest."""


class History:
    """Lines of the grammar, the oldest first. ``path``: where they are kept; None keeps them for this run alone.

    ``report`` is told in a sentence when the file cannot be read or written: the lines of this run are there all the
    same.
    """

    def __init__(self, path: Path | None, report: Callable[[str], None]) -> None:
        self.path = path
        self._report = report
        self.lines: list[str] = []

    def load(self) -> None:
        """Read what earlier runs kept."""
        self.lines = self._kept()

    def add(self, line: str) -> None:
        """Take a line that was sent; twice in a row counts once. What another desk kept meanwhile stays."""
        self.lines = _with(self.lines, line)
        if self.path is None:
            return
        try:
            write_file(self.path, "".join(f"{each}\n" for each in _with(self._kept(), line)))
        except OSError as error:
            self._report(f"the command history is not kept ({error.strerror}): {self.path}")

    def _kept(self) -> list[str]:
        if self.path is None or not self.path.exists():
            return []
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            self._report(f"the command history cannot be read ({error.strerror}): {self.path}")
            return []
        return [line for line in text.splitlines() if line.strip() and line.isprintable()][-MOST:]


def _with(lines: list[str], line: str) -> list[str]:
    return [*lines, line][-MOST:] if lines[-1:] != [line] else lines
