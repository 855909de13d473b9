"""One desk for a venue account: a second one, from whatever folder and with whatever journal, is refused.

Two desks on one account would each hedge what the other one did not send. The lock is a file for each account, named by
a hash of its address and key, in one folder for all desks of a user. The operating system holds it (flock) and lets go
of it when the process ends in any way; what is written in it only tells who holds it. Two keys of one account, and
desks on two machines, are not told apart here.
"""

import contextlib
import hashlib
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import msgspec

from gateways.errors import Denied
from gateways.venue import Endpoints
from oms.clock import Clock
from oms.private_files import make_folder, open_file

if sys.platform != "win32":
    import fcntl

HOLDER_BYTES = 4096


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock, as the file says."""

    pid: int
    since: str
    """UTC, ISO 8601."""
    folder: str
    """Where that desk's journal lies."""


class AccountLocks:
    """The locks of all accounts of one desk, all taken or none. A context manager; ``close`` lets go of them.

    ``locks`` is the folder of the lock files, made with 0700 where it is not there; ``folder`` is this desk's own.
    Raises Denied, naming who trades the account, when another desk does.
    """

    def __init__(self, endpoints: Mapping[str, Endpoints], locks: Path, *, folder: Path, clock: Clock) -> None:
        self._held: list[tuple[Path, int]] = []
        since = datetime.fromtimestamp(clock.now_ns() // 1_000_000_000, UTC).isoformat()
        holder = msgspec.json.encode(Holder(os.getpid(), since, str(folder)))
        names = _distinct(endpoints)
        try:
            for alias, name in names.items():
                self._take(alias, locks / f"{name}.lock", holder)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of every lock. Idempotent."""
        while self._held:
            path, file = self._held.pop()
            with contextlib.suppress(OSError):  # a file that stays is no obstacle: nobody holds its lock
                path.unlink()
            os.close(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self, alias: str, path: Path, holder: bytes) -> None:
        try:
            make_folder(path.parent)
            file = _locked(alias, path)
            self._held.append((path, file))
            os.ftruncate(file, 0)
            os.pwrite(file, holder, 0)
        except OSError as error:
            raise Denied(alias, f"the account's lock {path} cannot be taken: {error.strerror}", field="key") from error


def account_name(place: Endpoints) -> str:
    """The account at an address, in 16 hex digits: the same account, the same name; the key cannot be read from it."""
    where = urlsplit(place.rest)
    host = "127.0.0.1" if where.hostname == "localhost" else where.hostname
    port = where.port or (443 if where.scheme == "https" else 80)
    return hashlib.sha256(f"{host}:{port} {place.key}".encode()).hexdigest()[:16]


def _distinct(endpoints: Mapping[str, Endpoints]) -> dict[str, str]:
    """The accounts' names by alias. Raises Denied for one account under two aliases."""
    names: dict[str, str] = {}
    for alias, place in endpoints.items():
        name = account_name(place)
        for other, known in names.items():
            if known == name:
                raise Denied(alias, f"{other} is the same account: name it once", field="venues")
        names[alias] = name
    return names


def _locked(alias: str, path: Path) -> int:
    """An open file at ``path`` that we hold the lock of. Raises Denied when somebody else does, OSError."""
    while True:
        file = open_file(path, os.O_RDWR | os.O_CREAT)
        try:
            if sys.platform != "win32":
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(file, path):
                return file
        except BlockingIOError as error:
            text = f"this account is traded by another desk already: {_said(file)}"
            os.close(file)
            raise Denied(alias, text, field="key") from error
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # whoever held it has just ended and taken the file along


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _said(file: int) -> str:
    """Who holds a lock, in words; what a torn or foreign file says is not repeated."""
    try:
        holder = msgspec.json.decode(os.pread(file, HOLDER_BYTES, 0), type=Holder)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return "end that one first"
    return f"process {holder.pid}, since {holder.since}, its journal in {holder.folder}: end that one first"
