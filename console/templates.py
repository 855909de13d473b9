"""The ticket's templates: orders as typed, by name, kept between runs in a file for their owner alone."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from console.ticket.draft import Draft
from oms.private_files import write_file

MOST = 100
"""Templates kept; one more is refused."""
LONGEST_NAME = 40


class TemplateError(ValueError):
    """A template that cannot be saved; the text is one sentence."""


class Templates:
    """Drafts by name. ``path``: where they are kept; None keeps them for this run alone.

    ``report`` is told in a sentence when the file cannot be read or written: the templates of this run are there all
    the same. A file that cannot be read is never written over.
    """

    def __init__(self, path: Path | None, report: Callable[[str], None]) -> None:
        self.path = path
        self._report = report
        self._damaged = False
        self.by_name: dict[str, Draft] = {}

    def load(self) -> None:
        """Read what earlier runs, and other desks, kept."""
        if self.path is None or not self.path.exists():
            return
        try:
            self.by_name = msgspec.json.decode(self.path.read_bytes(), type=dict[str, Draft])
            self._damaged = False
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            self._damaged = True
            self._report(f"the templates cannot be read and are left as they are ({error}): {self.path}")

    def save(self, name: str, draft: Draft) -> None:
        """Keep a draft under a name, in place of one of that name. Raises TemplateError."""
        name = name.strip()
        if not name:
            raise TemplateError("a template needs a name")
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise TemplateError(f"a name is at most {LONGEST_NAME} printable characters")
        if not draft.contract:
            raise TemplateError("a template needs a contract")
        self.load()
        if name not in self.by_name and len(self.by_name) >= MOST:
            raise TemplateError(f"there are {MOST} templates: drop one first")
        self.by_name[name] = draft
        self._write()

    def drop(self, name: str) -> None:
        """Forget a template; one that is not there is no matter."""
        self.load()
        self.by_name.pop(name, None)
        self._write()

    def _write(self) -> None:
        if self.path is None or self._damaged:
            return
        try:
            write_file(self.path, msgspec.json.format(msgspec.json.encode(self.by_name)).decode() + "\n")
        except OSError as error:
            self._report(f"the templates are not kept ({error.strerror}): {self.path}")
