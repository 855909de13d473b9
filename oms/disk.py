"""Bytes onto the disk, by file descriptor: as far as the operating system, and as far as they outlast it."""

import os
import sys
from pathlib import Path


def write_all(file: int, data: bytes) -> None:
    """Hand all of ``data`` to the operating system. Raises OSError; a part may have been written then."""
    while data:
        data = data[os.write(file, data) :]


def sync_data(file: int) -> None:
    """Wait until what was written to an open file is on disk. Raises OSError."""
    if sys.platform == "linux":
        os.fdatasync(file)
    else:
        os.fsync(file)


def sync_folder(path: Path) -> None:
    """Wait until the names of a folder's files are on disk, by which they are found again. Raises OSError."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
