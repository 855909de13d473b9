"""What the OMS needs of a journal: `Journal` on disk, `MemoryJournal` in virtual time."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from oms.archive import Archive
from oms.records import JournalError, Record
from oms.segments import Draft, Mark

Unwritten = Callable[[JournalError], object]
"""Is told that what was to be written soon could not be."""


class JournalReader(Protocol):
    """What can be done with a journal beside the one who writes it."""

    @property
    def archive(self) -> Archive:
        """What was put away of this journal's orders."""
        ...

    def records(self) -> Iterator[Record]:
        """What a recovery needs of all that was appended, from the last checkpoint on. Raises JournalError for damage.

        Where there is no checkpoint yet, that is everything, the header first. Up to ``mark`` or ``flush`` nothing of
        it waits to be written.
        """
        ...

    def draft(self, checkpoint: msgspec.Struct, mark: Mark) -> Draft:
        """Write the head of a segment that may begin: ``checkpoint`` tells all that was appended up to ``mark``.

        Raises JournalError when it cannot be written; the journal goes on.
        """
        ...


Work = Callable[[JournalReader, bytes], bytes]
"""A piece of work on a journal: a public function of a module, with what it is told and what it answers. Raises
JournalError."""


class Recorder(JournalReader, Protocol):
    """A journal, written by one thread."""

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

    def append_with(self, kind: str, value: msgspec.Struct, following: Sequence[tuple[str, msgspec.Struct]], /) -> int:
        """Write one record, and those that follow from it, as one; return the first one's number. Raises as above."""
        ...

    def append_soon(self, kind: str, value: msgspec.Struct, unwritten: Unwritten, /) -> int:
        """Take one record to be written at the end of this turn of the loop at the latest; return its number.

        For what a venue said: it can be asked for it again. It is written before, or with, whatever is appended after
        it. Raises as ``append``; one that cannot be written later is told to ``unwritten``, unless whoever wrote then
        has been told.
        """
        ...

    @property
    def full(self) -> bool:
        """Whether the segment has grown so large that a new one should begin at the next quiet moment."""
        ...

    async def apart(self, work: Work, told: bytes) -> bytes:
        """What ``work`` answers, done where it takes nothing of the caller's loop and its interpreter.

        Raises JournalError with what it has raised, or where it cannot be done.
        """
        ...

    def mark(self) -> Mark:
        """Where the journal stands now."""
        ...

    def begin_segment(self, draft: Draft) -> None:
        """Go on in a new segment: the draft's head, what was appended since its mark, and what will be.

        Waits for the disk, for little. Raises JournalError when that cannot be: then the present segment goes on,
        unless ``failed`` says otherwise.
        """
        ...

    def flush(self) -> None:
        """Wait until all that was appended is on disk. Raises JournalError when that failed."""
        ...

    def close(self) -> None:
        """Flush and let go of the file. Idempotent."""
        ...
