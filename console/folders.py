"""Where a desk keeps its journal when its venues outlive it, and where all desks keep their locks."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import platformdirs

from gateways.venue import Endpoints
from oms.records import Record
from oms.segments import chained, segment_number, segments, segments_of

APP = "hedgedesk"


def desk_folder(endpoints: Mapping[str, Endpoints], *, root: Path | None = None) -> Path:
    """The folder of the desk that trades these accounts at these addresses; the same accounts, the same folder.

    A desk that is started again on the same venues finds its own journal and takes up what was left. Paper venues that
    were started anew have other addresses and know nothing of old orders, so theirs is another folder. It lies under
    ``root`` or, where none is given, the user's state folder.
    """
    accounts = sorted(f"{alias} {place.rest} {place.key}" for alias, place in endpoints.items())
    name = hashlib.sha256("\n".join(accounts).encode()).hexdigest()[:16]
    return (root or platformdirs.user_state_path(APP)) / "desks" / name


def locks_folder(*, root: Path | None = None) -> Path:
    """The folder of the accounts' locks: one for all desks of a user, wherever their journals lie."""
    return (root or platformdirs.user_state_path(APP)) / "locks"


def journal_folder(endpoints: Mapping[str, Endpoints]) -> Path:
    """The folder of the desk on these venues. Raises FileNotFoundError, with a sentence, where nobody traded."""
    folder = desk_folder(endpoints)
    if not segments(folder):
        raise FileNotFoundError(f"no desk has traded on these venues: there is no journal in {folder}")
    return folder


def journal_records(path: Path) -> Iterator[Record]:
    """The records of a journal that is named by its folder, by its first file, or by a later one, then that alone.

    Needs no lock. Raises FileNotFoundError, with a sentence, where there is none; JournalError for damage.
    """
    files = segments(path) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        raise FileNotFoundError(f"there is no journal {path}")
    return chained(segments_of(path) if files == [path] and segment_number(path) == 0 else files)
