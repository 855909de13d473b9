"""Folders and files that only their owner can read: the one way in which the program makes any.

Journals tell what was traded, locks who trades, a configuration where the keys are.
"""

import contextlib
import os
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, each for its owner alone; one that is there stays as it is.

    Raises OSError.
    """
    for folder in (*reversed(path.parents), path):
        if not folder.is_dir():
            with contextlib.suppress(FileExistsError):  # another desk has just made it; a file there fails later
                folder.mkdir(mode=FOLDER_MODE)


def open_file(path: Path, flags: int) -> int:
    """Open a file for its owner alone, as ``os.open`` does; one that others could read is closed to them first.

    Not inherited by programs that are started. Raises OSError.
    """
    file = os.open(path, flags | os.O_CLOEXEC, FILE_MODE)
    try:
        if flags & (os.O_WRONLY | os.O_RDWR):
            os.fchmod(file, FILE_MODE)
    except BaseException:
        os.close(file)
        raise
    return file


def write_file(path: Path, text: str) -> None:
    """Put a text into the place of a file, whole or not at all, in a folder that is made where it is missing.

    Of several processes that do so at once the last one wins. Raises OSError.
    """
    make_folder(path.parent)
    made = path.with_name(f"{path.name}.{os.getpid()}.new")
    file = open_file(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    made.replace(path)
