"""The journal in memory, line for line as on disk: for virtual time, and for tests of what a crash leaves."""

import io
from collections.abc import Iterator, Sequence

import msgspec

from oms.archive import Archive
from oms.clock import Clock
from oms.recorder import Unwritten, Work
from oms.records import CHECKPOINT_KIND, JournalError, Record, decode_lines, head_lines, header_line, line_of
from oms.segments import HEAD, SEGMENT_BYTES, Draft, Mark


class MemoryJournal:
    """A journal without a file. ``image`` and ``archive`` continue what another one left."""

    def __init__(
        self, clock: Clock, image: bytes = b"", *, segment_bytes: int = SEGMENT_BYTES, archive: Archive | None = None
    ) -> None:
        self.archive = archive or Archive()
        self.older: list[bytes] = []
        """The segments that were ended here, oldest first."""
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._failed: str | None = None
        lines = list(io.BytesIO(image))
        records = list(decode_lines(lines, "journal", first=None if lines else 0))
        self._lines = lines[: len(records)] or [header_line(clock)]
        self._next = records[-1].n + 1 if records else 1
        headed = len(records) >= HEAD and records[1].kind == CHECKPOINT_KIND
        self._grown = sum(map(len, self._lines[HEAD:] if headed else self._lines))

    @property
    def failed(self) -> str | None:
        """Why nothing more is taken, or None."""
        return self._failed

    @property
    def image(self) -> bytes:
        """What the last segment's file would hold now: what a crash at this moment leaves."""
        return b"".join(self._lines)

    def fail(self, reason: str) -> None:
        """Refuse everything from now on, as a full disk does."""
        self._failed = reason

    def append(
        self, kind: str, value: msgspec.Struct | None = None, /, *, cause: int | None = None, **fields: object
    ) -> int:
        """Write one record; see `Recorder.append`."""
        self.flush()
        number = self._next
        line = line_of(self._clock, number, kind, value, fields, cause=cause)
        self._lines.append(line)
        self._next = number + 1
        self._grown += len(line)
        return number

    def append_with(self, kind: str, value: msgspec.Struct, following: Sequence[tuple[str, msgspec.Struct]], /) -> int:
        """Write records one by one: a crash may come between any two; see `Recorder.append_with`."""
        number = self.append(kind, value)
        for name, told in following:
            self.append(name, told, cause=number)
        return number

    def append_soon(self, kind: str, value: msgspec.Struct, _unwritten: Unwritten, /) -> int:
        """Write one record, now: it cannot fail later; see `Recorder.append_soon`."""
        return self.append(kind, value)

    def flush(self) -> None:
        """Nothing to wait for. Raises JournalError once failed."""
        if self._failed is not None:
            raise JournalError(self._failed)

    def close(self) -> None:
        """Nothing to let go of."""

    def records(self) -> Iterator[Record]:
        """All that was appended since the last checkpoint, and that; see `Recorder.records`."""
        return decode_lines(list(self._lines), "journal", first=None)

    @property
    def full(self) -> bool:
        """Whether a new segment should begin at the next quiet moment."""
        return self._grown >= self._segment_bytes

    async def apart(self, work: Work, told: bytes) -> bytes:
        """Do it at once, and here."""
        return work(self, told)

    def mark(self) -> Mark:
        """Where the journal stands; see `Recorder.mark`."""
        return Mark(self._next - 1, len(self._lines))

    def draft(self, checkpoint: msgspec.Struct, mark: Mark) -> Draft:
        """The head of a segment; see `Recorder.draft`."""
        return Draft(mark, head=head_lines(self._clock, mark.number, checkpoint))

    def begin_segment(self, draft: Draft) -> None:
        """Go on in the new segment; see `Recorder.begin_segment`."""
        self.flush()
        since = self._lines[draft.mark.place :]
        self.older.append(self.image)
        self._lines = draft.head.splitlines(keepends=True) + since
        self._grown = sum(map(len, since))
