"""Who keeps an engine running, so that nobody takes its desk over while it is down and about to be started anew.

A supervisor holds a file (flock) in the folder of the running desks; the engine that it starts writes there which desk
it is. When the supervisor ends in any way, the operating system lets go of the file.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from oms.private_files import make_folder, open_file

if sys.platform != "win32":
    import fcntl

ENDING = ".keeper"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A desk whose engine is started anew when it dies."""

    pid: int
    """Of the supervisor."""
    profile: str
    config: str
    """The file that the profile stands in, empty where nothing is configured."""
    desk: str
    kill_file: str


@contextmanager
def keeping(running: Path) -> Iterator[Path]:
    """A file of this process in ``running``, held until the end. Raises OSError."""
    make_folder(running)
    path = running / f"{os.getpid()}-{os.urandom(4).hex()}{ENDING}"
    made = path.with_suffix(".new")
    file = open_file(made, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    try:
        if sys.platform != "win32":
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        made.rename(path)  # locked before anybody can see it, and take it for left over
        yield path
    finally:
        with contextlib.suppress(OSError):  # one that stays is nobody's: its lock is free
            path.unlink()
        os.close(file)


def claim(path: Path, kept: Kept) -> None:
    """Write into the supervisor's file which desk it keeps. Raises OSError."""
    with path.open("r+b") as file:  # in its place: a new file would not be the one that is locked
        file.write(msgspec.json.encode(kept))
        file.truncate()


def all_kept(running: Path) -> list[Kept]:
    """The desks that are kept running. Files that are nobody's are removed."""
    return [kept for path in sorted(running.glob(f"*{ENDING}")) if (kept := _read(path)) is not None]


def keeper_of(running: Path, profile: str, config: str) -> Kept | None:
    """Who keeps the engine of a profile of a configuration running."""
    return next((one for one in all_kept(running) if (one.profile, one.config) == (profile, config)), None)


def _read(path: Path) -> Kept | None:
    try:
        with path.open("rb") as file:
            if sys.platform != "win32":
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
                    path.unlink(missing_ok=True)
                    return None
            return msgspec.json.decode(file.read(), type=Kept)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None  # its supervisor has just ended, or nothing is claimed yet
