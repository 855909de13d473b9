"""Where the configuration is, where a desk keeps its journal when its venues outlive it, and all desks their locks."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import gettempdir

import platformdirs

from gateways.venue import Endpoints
from oms.records import Record
from oms.segments import chained, segment_number, segments, segments_of

APP = "hedgedesk"
CONFIG_VARIABLE = "HEDGEDESK_CONFIG"


def config_file(given: str | None, environment: Mapping[str, str]) -> Path:
    """Where the configuration is: as given, else HEDGEDESK_CONFIG, else in the user's configuration folder."""
    named = given or environment.get(CONFIG_VARIABLE)
    return Path(named).expanduser() if named else platformdirs.user_config_path(APP) / "config.toml"


def is_configured(path: Path, environment: Mapping[str, str]) -> bool:
    """Whether there is anything to read: the file, or settings in the environment."""
    return path.exists() or any(name.startswith("HEDGEDESK_") for name in environment)


def config_name(given: str | None, environment: Mapping[str, str]) -> str:
    """The configuration's whole path, by which an engine of one of its profiles is found; empty where there is none."""
    path = config_file(given, environment)
    return str(path.absolute()) if path.exists() else ""


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


def running_folder(*, root: Path | None = None) -> Path:
    """The folder in which every running desk of a user keeps its status."""
    return (root or platformdirs.user_state_path(APP)) / "running"


def engines_folder(*, root: Path | None = None) -> Path:
    """The folder in which lies what the engines said that consoles started."""
    return (root or platformdirs.user_state_path(APP)) / "engines"


def sockets_folder(environment: Mapping[str, str]) -> Path:
    """The folder for the engines' sockets where the path of the user's state is too long for one."""
    return Path(environment.get("XDG_RUNTIME_DIR") or gettempdir()) / f"{APP}-{os.geteuid()}"


def copies_folder(*, root: Path | None = None) -> Path:
    """The folder in which what is copied from the screen is written too."""
    return (root or platformdirs.user_state_path(APP)) / "copies"


def console_folder(*, root: Path | None = None) -> Path:
    """The folder of what the console keeps between runs: the command line's history, the ticket's templates."""
    return (root or platformdirs.user_state_path(APP)) / "console"


def journal_records(path: Path) -> Iterator[Record]:
    """The records of a journal that is named by its folder, by its first file, or by a later one, then that alone.

    Needs no lock. Raises FileNotFoundError, with a sentence, where there is none; JournalError for damage.
    """
    files = segments(path) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        raise FileNotFoundError(f"there is no journal {path}")
    return chained(segments_of(path) if files == [path] and segment_number(path) == 0 else files)
