"""A journal's files for whoever does not write it: reads what was appended, and drafts the head of the next segment."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from oms.archive import ARCHIVE, Archive
from oms.clock import Clock, SystemClock
from oms.disk import sync_data, write_all
from oms.private_files import open_file
from oms.records import JournalError, Record, head_lines
from oms.segments import Draft, Mark, draft_path, next_segment, recoverable, segments_of


class JournalFiles:
    """The files of the journal whose first segment is ``first``. Needs no lock."""

    def __init__(self, first: Path, clock: Clock | None = None, sync: Callable[[int], None] = sync_data) -> None:
        self.archive = Archive(first.with_name(ARCHIVE))
        self._first = first
        self._clock = clock or SystemClock()
        self._sync = sync

    def records(self) -> Iterator[Record]:
        """All that was appended since the last checkpoint, and that; see `oms.recorder.JournalReader.records`."""
        return recoverable(segments_of(self._first))

    def draft(self, checkpoint: msgspec.Struct, mark: Mark) -> Draft:
        """Write the head of the next segment under another name; see `oms.recorder.JournalReader.draft`."""
        path = next_segment(self._first, segments_of(self._first)[-1])
        made = draft_path(path)
        try:
            file = open_file(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            try:
                write_all(file, head_lines(self._clock, mark.number, checkpoint))
                self._sync(file)
            finally:
                os.close(file)
        except OSError as error:
            remove(made)
            raise JournalError(f"the segment {path} cannot be drafted: {error.strerror}") from error
        return Draft(mark, str(made))


def remove(path: Path) -> None:
    """Remove a draft. What cannot be removed is never read: a segment has another name."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
