"""A journal's files on disk: ``journal.jsonl``, then ``journal.0001.jsonl`` and so on, each a segment of one journal.

A later segment begins with a header and a checkpoint, which tells all that the records before it tell, up to the
number that both carry; the records after that follow, some of which the segment before may hold as well. So a recovery
reads the last segment alone, and those before it are kept for whoever asks what happened. A segment that is no longer
written may be compressed (``gzip journal.jsonl``): it is read all the same.
"""

import glob
import gzip
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from oms.records import CHECKPOINT_KIND, HEADER_KIND, JournalError, Record, decode_line, decode_lines

FIRST = "journal.jsonl"
"""Name of a journal's first segment."""
SEGMENT_BYTES = 64 * 1024 * 1024
"""How many bytes of records a segment takes before it is full; its checkpoint does not count."""
HEAD = 2
"""How many records a later segment begins with: header and checkpoint."""
DRAFT = ".new"
"""What the name of a draft ends with."""


class Mark(NamedTuple):
    """Where a journal stood: the number of its last record, and the place in its last segment where that ended."""

    number: int
    place: int


class Draft(NamedTuple):
    """The head of a segment that may begin: all that the journal told at ``mark``. In ``path``, or ``head``."""

    mark: Mark
    path: str = ""
    head: bytes = b""


def segments(folder: Path) -> list[Path]:
    """The files of a folder's journal, oldest first; none where there is no journal."""
    return segments_of(folder / FIRST)


def segments_of(first: Path) -> list[Path]:
    """The files of the journal whose first segment has, or had, this path; oldest first."""
    pattern = re.compile(rf"{re.escape(first.stem)}(?:\.(\d{{4,}}))?{re.escape(first.suffix)}(\.gz)?")
    found: dict[int, Path] = {}
    if first.parent.is_dir():
        for path in sorted(first.parent.iterdir(), reverse=True):  # the plain file wins over one half compressed
            named = pattern.fullmatch(path.name)
            if named is not None:
                found[int(named[1] or 0)] = path
    return [found[number] for number in sorted(found)]


def segment_number(path: Path) -> int:
    """Which segment a file is, 0 for the first."""
    digits = path.name.removesuffix(".gz").split(".")[-2]
    return int(digits) if digits.isdigit() else 0


def next_segment(first: Path, last: Path) -> Path:
    """The path of the segment after ``last`` of the journal that begins with ``first``."""
    return first.with_name(f"{first.stem}.{segment_number(last) + 1:04d}{first.suffix}")


def draft_path(path: Path) -> Path:
    """Where this process drafts the head of the segment that is to be at ``path``."""
    return path.with_name(f"{path.name}.{os.getpid()}{DRAFT}")


def drafts_of(first: Path) -> list[Path]:
    """What was drafted for a journal, by whatever process, and has not begun."""
    return list(first.parent.glob(f"{glob.escape(first.stem)}.*{DRAFT}"))


def read(path: Path) -> Iterator[Record]:
    """The records of one segment, its head first. Raises JournalError for damage, OSError as ``open`` does."""
    return decode_lines(_lines(path), str(path), first=None if segment_number(path) else 0)


def read_all(folder: Path) -> Iterator[Record]:
    """Every record that a folder's journal holds, each once, over all its segments, numbered without a gap.

    Heads of later segments are not among them. Needs no lock. Raises JournalError for damage.
    """
    return chained(segments(folder))


def read_recent(folder: Path) -> Iterator[Record]:
    """What a recovery reads: from the last checkpoint on that is intact. Needs no lock. Raises JournalError."""
    return recoverable(segments(folder))


def recoverable(paths: Sequence[Path]) -> Iterator[Record]:
    """The records from the last intact checkpoint on; a segment whose head is damaged follows the one before it."""
    return chained(paths[_last_intact(paths) :])


def chained(paths: Iterable[Path]) -> Iterator[Record]:
    """The records of segments that follow each other, each once. Raises JournalError where one does not follow."""
    last: int | None = None
    for path in paths:
        if last is None:
            for record in read(path):
                yield record
                last = record.n
            continue
        # what a damaged checkpoint told is in the segments before it, so only what follows the head matters
        for record in read(path) if head_intact(path) else _without_head(path):
            if record.n > last + 1:
                raise JournalError(f"{path}: record {record.n} stands where record {last + 1} should")
            if record.n == last + 1:
                yield record
                last = record.n


def head_intact(path: Path) -> bool:
    """Whether a segment can be read from its own beginning. The first one needs no checkpoint for that."""
    if segment_number(path) == 0:
        return True
    head = [decode_line(line) for line in islice(_lines(path), HEAD)]
    kinds = [record.kind for record in head if record is not None]
    return kinds == [HEADER_KIND, CHECKPOINT_KIND]


def whole_length(path: Path) -> int:
    """How many bytes of a file are whole lines: what follows was cut off."""
    return sum(len(line) for line in _lines(path) if line.endswith(b"\n"))


def head_length(path: Path) -> int:
    """How many bytes a segment's head takes; 0 for the first one, which is not full before its time."""
    return sum(len(line) for line in islice(_lines(path), HEAD)) if segment_number(path) else 0


def _last_intact(paths: Sequence[Path]) -> int:
    for place in range(len(paths) - 1, 0, -1):
        if head_intact(paths[place]):
            return place
    return 0


def _without_head(path: Path) -> Iterator[Record]:
    skipped = 0
    for line in islice(_lines(path), HEAD):  # one, where a damaged newline has made one line of both
        record = decode_line(line)
        if record is not None and record.kind not in {HEADER_KIND, CHECKPOINT_KIND}:
            break
        skipped += 1
    return decode_lines(islice(_lines(path), skipped, None), f"{path} after its head", first=None, headed=False)


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            yield from file
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise JournalError(f"{path} is damaged: {error}") from error
