"""How the operator left the console: layout, panes, filters, columns, sorts; kept between runs for its owner alone.

Nothing here can send or hide an alarm at the next start: marks, frozen rows, the ladder's size and a silenced bell are
of one run.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from oms.private_files import write_file


class TableView(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one table is looked at; what it does not say is as the table has it by itself."""

    filter: str = ""
    sort: str = ""
    """The key of the column that it was sorted by."""
    descending: bool = False
    order: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    """Columns that are not shown."""
    tab: str = ""


class Session(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the console was left. Names of panes, columns and layouts that are no more change nothing."""

    layout: str = ""
    page: str = ""
    zoomed: str = ""
    focused: str = ""
    recent: tuple[str, ...] = ()
    """Panes asked for, the latest first: those that share a place stand so."""
    tables: dict[str, TableView] = {}
    """By pane."""
    ladder: str = ""
    """The contract that it showed."""
    times: str = ""
    theme: str = ""
    theme_over: str = ""
    """What the configuration said when the theme was chosen: where it says otherwise now, it counts."""
    ring_on_fills: bool = False
    size_once: bool = False
    """Whether the ladder's size goes back to none once it was sent."""


class SessionFile:
    """Where a session is kept. ``path``: None keeps none.

    ``report`` is told in a sentence when the file cannot be read or written; the console works all the same. A file
    that cannot be understood is put aside, whole, before another is written.
    """

    def __init__(self, path: Path | None, report: Callable[[str], None]) -> None:
        self.path = path
        self._report = report
        self._kept: Session | None = None
        self.first = False
        """Whether no run has left a session before this one."""

    def load(self) -> Session:
        """What was kept, or a new session."""
        self._kept = None
        if self.path is None:
            return Session()
        try:
            self._kept = msgspec.json.decode(self.path.read_bytes(), type=Session)
        except FileNotFoundError:
            self.first = True
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._put_aside(error)
        except OSError as error:
            self._report(f"the kept layout cannot be read ({error.strerror}): {self.path}")
            self.path = None
        return self._kept or Session()

    def _put_aside(self, error: Exception) -> None:
        assert self.path is not None  # noqa: S101  # for the type checker: load looks first
        aside = self.path.with_name(f"{self.path.name}.broken")
        try:
            self.path.replace(aside)
        except OSError:
            self._report(f"the kept layout cannot be read and is left as it is ({error}): {self.path}")
            self.path = None
        else:
            self._report(f"the kept layout cannot be read and is put aside ({error}): {aside}")

    def save(self, session: Session) -> None:
        """Keep a session, where it differs from what is kept."""
        if self.path is None or session == self._kept:
            return
        self._kept = session
        try:
            write_file(self.path, msgspec.json.format(msgspec.json.encode(session)).decode() + "\n")
        except OSError as error:
            self._report(f"the layout is not kept ({error.strerror}): {self.path}")
