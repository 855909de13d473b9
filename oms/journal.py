"""The journal: what the desk knew and meant, line by line, append-only (docs/journal.md describes the format).

A record is in the hands of the operating system when ``append`` returns, so it survives ``kill -9``; what a venue said
(``append_soon``) when the turn of the loop ends, or with the next ``append``. The disk flush follows in a thread of its
own, many records at a time, and nobody waits for it but ``flush``. A journal that could not be written or flushed
refuses everything after, for good: what it might have lost cannot be told.
"""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import msgspec

from oms.apart import work_apart
from oms.clock import Clock
from oms.disk import sync_data, sync_folder, write_all
from oms.journal_files import JournalFiles, remove
from oms.memory_journal import MemoryJournal
from oms.private_files import make_folder, open_file
from oms.recorder import Recorder, Unwritten, Work
from oms.records import (
    CHECKPOINT_KIND,
    FORMAT_VERSION,
    HEADER_KIND,
    JournalError,
    Record,
    decode_lines,
    encode_line,
    header_line,
    line_of,
)
from oms.segments import (
    FIRST,
    SEGMENT_BYTES,
    Draft,
    Mark,
    drafts_of,
    head_intact,
    head_length,
    next_segment,
    read,
    read_all,
    read_recent,
    recoverable,
    segments,
    segments_of,
    whole_length,
)

if sys.platform != "win32":
    import fcntl

__all__ = [
    "CHECKPOINT_KIND", "FORMAT_VERSION", "HEADER_KIND", "SEGMENT_BYTES", "Draft", "Journal", "JournalError", "Mark",
    "MemoryJournal", "Record", "Recorder", "decode_lines", "encode_line", "open_journal", "read", "read_all",
    "read_recent", "segments",
]  # fmt: skip

FLUSH_AFTER_S = 0.002
"""How long records wait for others before they are flushed together."""
FLUSH_AT_LEAST_EVERY_S = 0.5
WAIT_AT_MOST = 256
"""How many records wait for the end of a turn before they are written all the same."""


def open_journal(folder: Path, clock: Clock, *, segment_bytes: int = SEGMENT_BYTES) -> "Journal":
    """The journal that lies in ``folder``, opened for writing; see `Journal`."""
    return Journal(folder / FIRST, clock, segment_bytes=segment_bytes)


class Journal(JournalFiles):
    """The journal of one desk on disk, opened for writing; made with its folder where it is not there.

    ``first`` is the path of its first segment. An existing journal is checked from its last checkpoint on and
    continued; a last record that was cut off is removed. The files are the owner's alone (0600, a folder made for them
    0700) and locked: a second writer is refused. ``append``, ``flush`` and ``begin_segment`` belong to one thread.
    Raises JournalError when the journal is damaged, in use, or cannot be written.
    """

    def __init__(
        self, first: Path, clock: Clock, *, sync: Callable[[int], None] = sync_data, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        super().__init__(first, clock, sync)
        self.path = first
        self._segment_bytes = segment_bytes
        self._failed: str | None = None
        self._closing = self._waking = False
        self._grown = 0
        self._waiting: list[bytes] = []
        self._unwritten: Unwritten | None = None
        self._file = self._open()
        try:
            self._next = self._continue()
        except BaseException:
            os.close(self._file)
            raise
        self._written = self._next
        """The number of the next record that is not with the operating system: those from here on wait."""
        self._flushed = 0
        lock = threading.Lock()
        self._work, self._done = threading.Condition(lock), threading.Condition(lock)
        self._flusher = threading.Thread(target=self._flush_loop, name="journal-flush", daemon=True)
        self._flusher.start()

    def _open(self) -> int:
        """Open the last segment and lock it. Another process may begin a new one before our lock holds: look again."""
        try:
            make_folder(self._first.parent)
            while True:
                self.path = (segments_of(self._first) or [self._first])[-1]
                if self.path.suffix == ".gz":
                    raise JournalError(f"the journal's last segment {self.path} is compressed: gunzip it to continue")
                file = open_file(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
                try:
                    self._lock(file)
                except BaseException:
                    os.close(file)
                    raise
                if segments_of(self._first)[-1] == self.path:
                    return file
                os.close(file)
        except OSError as error:
            raise JournalError(f"the journal {self.path} cannot be opened: {error.strerror}") from error

    def _continue(self) -> int:
        """Check what is there, cut off what is torn; return the number of the next record."""
        try:
            count = 0
            for record in recoverable(segments_of(self._first)):
                count = record.n + 1
            for made in drafts_of(self._first):
                remove(made)
            length = whole_length(self.path)
            os.ftruncate(self._file, length)
            if count == 0:
                write_all(self._file, header_line(self._clock))
                count = 1
                sync_folder(self._first.parent)  # so that the file itself is found after a power loss
            # a segment that cannot be read from its own beginning is full at once: the next one can be
            self._grown = length - head_length(self.path) if head_intact(self.path) else self._segment_bytes
        except OSError as error:
            raise JournalError(f"the journal {self.path} cannot be written: {error.strerror}") from error
        return count

    def _lock(self, file: int) -> None:
        if sys.platform != "win32":
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
        return self._put([line_of(self._clock, self._next, kind, value, fields, cause=cause)])

    def append_with(self, kind: str, value: msgspec.Struct, following: Sequence[tuple[str, msgspec.Struct]], /) -> int:
        """Write records in one go; see `Recorder.append_with`. Each is a line of its own: a torn one costs no other."""
        self._refuse()
        number = self._next
        lines = [line_of(self._clock, number, kind, value, {}, cause=None)]
        for later, (name, told) in enumerate(following, start=number + 1):
            lines.append(line_of(self._clock, later, name, told, {}, cause=number))
        return self._put(lines)

    def append_soon(self, kind: str, value: msgspec.Struct, unwritten: Unwritten, /) -> int:
        """Write one record with the others of this turn of the loop; see `Recorder.append_soon`."""
        if self._failed is not None or self._closing:
            self._refuse()
        number = self._next
        line = line_of(self._clock, number, kind, value, {}, cause=None)
        if not self._waiting:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:  # no turn that could end
                return self._put([line])
            loop.call_soon(self._turn_ended)
        self._waiting.append(line)
        self._unwritten = unwritten
        self._next = number + 1
        if len(self._waiting) >= WAIT_AT_MOST:
            self._write_waiting()
        return number

    def _turn_ended(self) -> None:
        unwritten = self._unwritten
        try:
            self._write_waiting()
        except JournalError as error:
            if unwritten is not None:
                unwritten(error)

    def _put(self, lines: list[bytes]) -> int:
        """Write new lines, behind those that wait; return the first one's number."""
        number = self._next
        self._waiting += lines
        self._next = number + len(lines)
        self._write_waiting()
        return number

    def _write_waiting(self) -> None:
        """Write what waits, in one go. Raises JournalError when it cannot be written: then all of it is given up."""
        if not self._waiting:
            return
        lines, self._unwritten = b"".join(self._waiting), None
        self._waiting.clear()
        try:
            self._refuse()  # a flush may have failed meanwhile
            write_all(self._file, lines)
        except OSError as error:
            self._next = self._written
            self._fail(f"record {self._written} could not be written to {self.path}: {error.strerror}")
            raise JournalError(self._failed or "") from error
        self._written = self._next
        self._grown += len(lines)
        self._flush_soon()

    @property
    def full(self) -> bool:
        """Whether a new segment should begin at the next quiet moment."""
        return self._grown >= self._segment_bytes

    async def apart(self, work: Work, told: bytes) -> bytes:
        """Do it in another process; see `Recorder.apart`."""
        return await work_apart(work, self._first, told)

    def mark(self) -> Mark:
        """Where the journal stands; see `Recorder.mark`."""
        self._write_waiting()
        return Mark(self._next - 1, os.fstat(self._file).st_size)

    def begin_segment(self, draft: Draft) -> None:
        """Put a draft into its place, with what was appended since; see `Recorder.begin_segment`.

        A crash at any moment of it leaves either the old segment as the last one, or the new one, whole.
        """
        self.flush()
        self._refuse()
        path, made = next_segment(self._first, self.path), Path(draft.path)
        if not made.name.startswith(path.name + "."):
            raise JournalError(f"the segment {path} was drafted for another place")
        file = -1
        try:
            since = os.pread(self._file, os.fstat(self._file).st_size - draft.mark.place, draft.mark.place)
            file = open_file(made, os.O_RDWR | os.O_APPEND)
            self._lock(file)
            write_all(file, since)
            self._sync(file)
            made.rename(path)
        except (OSError, JournalError) as error:
            if file >= 0:
                os.close(file)
            remove(made)
            reason = error.strerror if isinstance(error, OSError) else error
            raise JournalError(f"the segment {path} cannot be begun: {reason}") from error
        old, self._file = self._file, file
        os.close(old)
        self.path = path
        self._grown = len(since)
        try:
            sync_folder(self._first.parent)
        except OSError as error:
            # whether the new segment is found after a power loss cannot be told: what is appended to it might be lost
            self._fail(f"the folder of {path} could not be flushed to disk: {error.strerror}")
            raise JournalError(self._failed or "") from error

    def flush(self) -> None:
        """Block until all that was appended is on disk. Raises JournalError when it is not and never will be."""
        self._write_waiting()
        with self._done:
            goal = self._written
            self._work.notify()
            while self._flushed < goal and self._failed is None:
                self._done.wait()
        if self._failed is not None:
            raise JournalError(self._failed)

    def close(self) -> None:
        """Flush, end the flush thread and let go of the file. Idempotent; what failed is told by ``failed``."""
        if self._closing:
            return
        with contextlib.suppress(JournalError):
            self._write_waiting()
        with self._work:
            self._closing = True
            self._work.notify()
        self._flusher.join()
        self.archive.close()
        os.close(self._file)

    def _refuse(self) -> None:
        if self._failed is not None:
            raise JournalError(self._failed)
        if self._closing:
            raise JournalError(f"the journal {self.path} is closed")

    def _flush_soon(self) -> None:
        """Wake the flush thread in a moment, once for many records.

        Woken at the append itself it would want the interpreter just when the hedge's bytes are to leave: each
        ``write`` lets go of it, and gets it back only after the thread's turn.
        """
        if self._waking:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._wake()
        else:
            self._waking = True
            loop.call_later(FLUSH_AFTER_S, self._wake)

    def _wake(self) -> None:
        self._waking = False
        with self._work:
            self._work.notify()

    def _fail(self, reason: str) -> None:
        with self._done:
            self._failed = self._failed or reason
            self._done.notify_all()

    def _flush_loop(self) -> None:
        while True:
            with self._work:
                while self._flushed == self._written and not self._closing:
                    self._work.wait(FLUSH_AT_LEAST_EVERY_S)  # a loop that ended wakes nobody
                goal = self._written
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
