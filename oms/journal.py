"""The journal: what the desk knew and meant, line by line, append-only (docs/journal.md describes the format).

A record is in the hands of the operating system when ``append`` returns, so it survives ``kill -9``; the disk flush
follows in a thread of its own, many records at a time, and nobody waits for it but ``flush``. A journal that could not
be written or flushed refuses everything after, for good: what it might have lost cannot be told.
"""

import io
import os
import sys
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import msgspec

from oms.clock import Clock

if sys.platform != "win32":
    import fcntl

FORMAT_VERSION = 1
HEADER_KIND = "journal"
"""Kind of record 0, which names the format and the product."""

T = TypeVar("T")


class JournalError(Exception):
    """The journal cannot be written, or what is written in it cannot be trusted."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One line. ``data`` is as JSON holds it (a Decimal is a string): ``value`` turns it back into a type."""

    v: int
    """Format version."""
    n: int
    """Record number, from 0, without gaps."""
    ts_ns: int
    """When it was appended, UTC."""
    kind: str
    cause: int | None
    """The number of the record that this one follows from."""
    data: Any = None

    def value(self, into: type[T]) -> T:
        """The payload as ``into`` (a Struct, a union of them, a dict). Raises JournalError when it does not fit."""
        try:
            return msgspec.convert(self.data, into)
        except msgspec.ValidationError as error:
            raise JournalError(f"record {self.n} ({self.kind}) does not hold what was asked of it: {error}") from error


class Recorder(Protocol):
    """What the OMS needs of a journal: `Journal` on disk, `MemoryJournal` in virtual time."""

    @property
    def failed(self) -> str | None:
        """Why nothing more is taken, or None while all is well."""
        ...

    def append(
        self, kind: str, value: msgspec.Struct | None = None, /, *, cause: int | None = None, **fields: object
    ) -> int:
        """Write one record, its payload a Struct or keyword fields; return its number.

        ``cause`` is the number of the earlier record that this one follows from. Raises JournalError when it cannot
        be written, and from then on always; TypeError or ValueError, with nothing written, for a payload that JSON
        cannot hold, a Struct and fields at once, a cause that is not there, or the header's kind.
        """
        ...

    def records(self) -> Iterator[Record]:
        """All that was appended so far, the header first. Raises JournalError for damage."""
        ...

    def flush(self) -> None:
        """Wait until all that was appended is on disk. Raises JournalError when that failed."""
        ...

    def close(self) -> None:
        """Flush and let go of the file. Idempotent."""
        ...


# ---------------------------------------------------------------- lines, pure

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


def encode_line(record: Record) -> bytes:
    """The record as its line: CRC-32 of the JSON text in 8 hex digits, a space, the JSON text, a newline."""
    text = _encoder.encode(record)
    return b"%08x %b\n" % (zlib.crc32(text), text)


def decode_lines(lines: Iterable[bytes], name: str) -> Iterator[Record]:
    """Read a journal's lines, each with its newline; a last one that was cut off (it has no newline) is dropped.

    Raises JournalError, naming ``name`` and the line, for anything else that is not as it was written: a checksum, a
    missing or repeated number, an unknown format.
    """
    for expected, line in enumerate(lines):
        if not line.endswith(b"\n"):
            # a write that was cut off is a beginning of a line: a whole line with one byte after it is damage
            if _intact(line[:-1]):
                raise _damage(name, expected, "the end of the line is damaged")
            return
        if not _intact(line[:-1]):
            raise _damage(name, expected, "the checksum does not match, the journal is damaged")
        try:
            record = _decoder.decode(line[9:])
        except msgspec.DecodeError as error:
            raise _damage(name, expected, f"not a record of this format: {error}") from error
        if record.v != FORMAT_VERSION:
            raise _damage(name, expected, f"in format {record.v}, this program reads format {FORMAT_VERSION}")
        if record.n != expected:
            raise _damage(name, expected, f"record {record.n} stands where record {expected} should")
        if (record.kind == HEADER_KIND) != (expected == 0):
            raise _damage(name, expected, "a journal has one header, as its first line")
        yield record


def _damage(name: str, number: int, what: str) -> JournalError:
    return JournalError(f"{name} line {number + 1}: {what}")


def _intact(line: bytes) -> bool:
    return len(line) > 9 and line[:9] == b"%08x " % zlib.crc32(line[9:])


def read(path: Path) -> Iterator[Record]:
    """The records of a journal file, the header first. Raises JournalError for damage, OSError as ``open`` does."""
    with path.open("rb") as file:
        yield from decode_lines(file, str(path))


def _line(
    clock: Clock, n: int, kind: str, value: msgspec.Struct | None, fields: Mapping[str, object], *, cause: int | None
) -> bytes:
    if value is not None and fields:
        raise TypeError("a record holds a Struct or fields, not both")
    if kind == HEADER_KIND:
        raise ValueError(f"a record of kind {HEADER_KIND!r} is the header, which the journal writes itself")
    if cause is not None and not 0 <= cause < n:
        raise ValueError(f"record {cause}, named as the cause of record {n}, is not there")
    data = fields if value is None else value
    return encode_line(Record(v=FORMAT_VERSION, n=n, ts_ns=clock.now_ns(), kind=kind, cause=cause, data=data))


def _header(clock: Clock) -> bytes:
    data = {"format": FORMAT_VERSION, "product": "hedgedesk"}
    return encode_line(Record(v=FORMAT_VERSION, n=0, ts_ns=clock.now_ns(), kind=HEADER_KIND, cause=None, data=data))


def _extent(lines: Iterable[bytes], name: str) -> tuple[int, int]:
    """How many whole records there are, and how many bytes they take. Raises JournalError for damage."""
    count = length = last = 0

    def measured() -> Iterator[bytes]:
        nonlocal last
        for line in lines:
            last = len(line)
            yield line

    for _record in decode_lines(measured(), name):
        count += 1
        length += last
    return count, length


# ----------------------------------------------------------------------- disk


def sync_data(descriptor: int) -> None:
    """Wait until what was written to an open file is on disk. Raises OSError."""
    if sys.platform == "linux":
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


class Journal:
    """The journal of one desk on disk, opened for writing; made with its folder where it is not there.

    An existing one is checked from end to end and continued; a last record that was cut off is removed. The file is
    the owner's alone (0600, a folder made for it 0700) and locked: a second writer is refused. ``append`` and
    ``flush`` belong to one thread. Raises JournalError when the file is damaged, in use, or cannot be written.
    """

    def __init__(self, path: Path, clock: Clock, *, sync: Callable[[int], None] = sync_data) -> None:
        self.path = path
        self._clock = clock
        self._sync = sync
        self._failed: str | None = None
        self._closing = False
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError(f"the journal {path} cannot be opened: {error.strerror}") from error
        try:
            self._next = self._open()
        except BaseException:
            os.close(self._file)
            raise
        self._flushed = 0
        lock = threading.Lock()
        self._work, self._done = threading.Condition(lock), threading.Condition(lock)
        self._flusher = threading.Thread(target=self._flush_loop, name="journal-flush", daemon=True)
        self._flusher.start()

    def _open(self) -> int:
        try:
            self._lock()
            os.fchmod(self._file, 0o600)
            with self.path.open("rb") as file:
                count, length = _extent(file, str(self.path))
            os.ftruncate(self._file, length)
            if count == 0:
                self._write(_header(self._clock))
                count = 1
                folder = os.open(self.path.parent, os.O_RDONLY)
                try:
                    os.fsync(folder)  # so that the file itself is found after a power loss
                finally:
                    os.close(folder)
        except OSError as error:
            raise JournalError(f"the journal {self.path} cannot be written: {error.strerror}") from error
        return count

    def _lock(self) -> None:
        if sys.platform != "win32":
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise JournalError(f"the journal {self.path} is in use by another process") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def failed(self) -> str | None:
        """Why nothing more is taken, or None while all is well. May change between calls: the flush is not awaited."""
        return self._failed

    @property
    def unflushed(self) -> int:
        """How many records are not known to be on disk yet."""
        return self._next - self._flushed

    def append(
        self, kind: str, value: msgspec.Struct | None = None, /, *, cause: int | None = None, **fields: object
    ) -> int:
        """Write one record; see `Recorder.append`. On return it is the operating system's, whatever happens to us."""
        self._refuse()
        number = self._next
        line = _line(self._clock, number, kind, value, fields, cause=cause)
        try:
            self._write(line)
        except OSError as error:
            self._fail(f"record {number} could not be written to {self.path}: {error.strerror}")
            raise JournalError(self._failed or "") from error
        with self._work:
            self._next = number + 1
            self._work.notify()
        return number

    def records(self) -> Iterator[Record]:
        """All that was appended so far, the header first. Raises JournalError for damage."""
        return read(self.path)

    def flush(self) -> None:
        """Block until all that was appended is on disk. Raises JournalError when it is not and never will be."""
        with self._done:
            goal = self._next
            while self._flushed < goal and self._failed is None:
                self._done.wait()
        if self._failed is not None:
            raise JournalError(self._failed)

    def close(self) -> None:
        """Flush, end the flush thread and let go of the file. Idempotent; what failed is told by ``failed``."""
        if self._closing:
            return
        with self._work:
            self._closing = True
            self._work.notify()
        self._flusher.join()
        os.close(self._file)

    def _refuse(self) -> None:
        if self._failed is not None:
            raise JournalError(self._failed)
        if self._closing:
            raise JournalError(f"the journal {self.path} is closed")

    def _write(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._file, line) :]

    def _fail(self, reason: str) -> None:
        with self._done:
            self._failed = self._failed or reason
            self._done.notify_all()

    def _flush_loop(self) -> None:
        while True:
            with self._work:
                while self._flushed == self._next and not self._closing:
                    self._work.wait()
                goal = self._next
                if self._flushed == goal:
                    return
            try:
                self._sync(self._file)
            except OSError as error:
                self._fail(f"{self.path} could not be flushed to disk: {error.strerror}")
                return
            with self._done:
                self._flushed = goal
                self._done.notify_all()


# --------------------------------------------------------------------- memory


class MemoryJournal:
    """A journal in memory, line for line as on disk: for virtual time. ``image`` continues what another one left."""

    def __init__(self, clock: Clock, image: bytes = b"") -> None:
        self._clock = clock
        self._failed: str | None = None
        lines = list(io.BytesIO(image))
        count, _length = _extent(lines, "journal")
        self._lines = lines[:count] or [_header(clock)]

    @property
    def failed(self) -> str | None:
        """Why nothing more is taken, or None."""
        return self._failed

    @property
    def image(self) -> bytes:
        """What a file would hold now: what a crash at this moment leaves."""
        return b"".join(self._lines)

    def fail(self, reason: str) -> None:
        """Refuse everything from now on, as a full disk does."""
        self._failed = reason

    def append(
        self, kind: str, value: msgspec.Struct | None = None, /, *, cause: int | None = None, **fields: object
    ) -> int:
        """Write one record; see `Recorder.append`."""
        self.flush()
        number = len(self._lines)
        self._lines.append(_line(self._clock, number, kind, value, fields, cause=cause))
        return number

    def flush(self) -> None:
        """Nothing to wait for. Raises JournalError once failed."""
        if self._failed is not None:
            raise JournalError(self._failed)

    def close(self) -> None:
        """Nothing to let go of."""

    def records(self) -> Iterator[Record]:
        """The records, the header first."""
        return decode_lines(list(self._lines), "journal")
