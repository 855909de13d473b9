"""Records and lines: what a journal is made of (docs/journal.md describes the format). Pure."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from oms.clock import Clock

FORMAT_VERSION = 1
HEADER_KIND = "journal"
"""Kind of a segment's first record, which names the format and the product."""
CHECKPOINT_KIND = "Checkpoint"
"""Kind of the second record of every segment but the first: all that the records before it tell."""
HEAD_KINDS = frozenset({HEADER_KIND, CHECKPOINT_KIND})

T = TypeVar("T")


class JournalError(Exception):
    """The journal cannot be written, or what is written in it cannot be trusted."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One line. ``data`` is as JSON holds it (a Decimal is a string): ``value`` turns it back into a type."""

    v: int
    """Format version."""
    n: int
    """Record number, from 0, without gaps, over all segments. A later segment's header and checkpoint carry the number
    of the last record that the checkpoint tells of."""
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


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


def encode_line(record: Record) -> bytes:
    """The record as its line: CRC-32 of the JSON text in 8 hex digits, a space, the JSON text, a newline."""
    text = _encoder.encode(record)
    return b"%08x %b\n" % (zlib.crc32(text), text)


def decode_line(line: bytes) -> Record | None:
    """One line with its newline; None for one that is not as it was written, or not a record of any format."""
    if not line.endswith(b"\n") or not _intact(line[:-1]):
        return None
    try:
        return _decoder.decode(line[9:])
    except msgspec.DecodeError:
        return None


def decode_lines(
    lines: Iterable[bytes], name: str, *, first: int | None = 0, headed: bool = True
) -> Iterator[Record]:  # fmt: skip
    """Read a segment's lines, each with its newline; a last one that was cut off (it has no newline) is dropped.

    ``first`` is the number of its first record (None: whatever that says); ``headed`` says whether that is a header.
    Raises JournalError, naming ``name`` and the line, for anything else that is not as it was written: a checksum, a
    missing or repeated number, an unknown format.
    """
    expected = first
    for place, line in enumerate(lines):
        if not line.endswith(b"\n"):
            # a write that was cut off is a beginning of a line: a whole line with one byte after it is damage
            if _intact(line[:-1]):
                raise _damage(name, place, "the end of the line is damaged")
            return
        if not _intact(line[:-1]):
            raise _damage(name, place, "the checksum does not match, the journal is damaged")
        try:
            record = _decoder.decode(line[9:])
        except msgspec.DecodeError as error:
            raise _damage(name, place, f"not a record of this format: {error}") from error
        if record.v != FORMAT_VERSION:
            raise _damage(name, place, f"in format {record.v}, this program reads format {FORMAT_VERSION}")
        if (record.kind == HEADER_KIND) != (headed and place == 0):
            raise _damage(name, place, "a journal has one header, as its first line")
        if record.kind == CHECKPOINT_KIND and expected is not None:
            if not (headed and place == 1):
                raise _damage(name, place, "a checkpoint stands behind a segment's header and nowhere else")
            expected -= 1
        if expected is not None and record.n != expected:
            raise _damage(name, place, f"record {record.n} stands where record {expected} should")
        yield record
        expected = record.n + 1


def _damage(name: str, place: int, what: str) -> JournalError:
    return JournalError(f"{name} line {place + 1}: {what}")


def _intact(line: bytes) -> bool:
    return len(line) > 9 and line[:9] == b"%08x " % zlib.crc32(line[9:])


def line_of(
    clock: Clock, n: int, kind: str, value: msgspec.Struct | None, fields: Mapping[str, object], *, cause: int | None
) -> bytes:
    """The line of one new record. Raises TypeError or ValueError for one that makes no sense."""
    if value is not None and fields:
        raise TypeError("a record holds a Struct or fields, not both")
    if kind in HEAD_KINDS:
        raise ValueError(f"a record of kind {kind!r} is a segment's head, which the journal writes itself")
    if cause is not None and not 0 <= cause < n:
        raise ValueError(f"record {cause}, named as the cause of record {n}, is not there")
    data = fields if value is None else value
    return encode_line(Record(v=FORMAT_VERSION, n=n, ts_ns=clock.now_ns(), kind=kind, cause=cause, data=data))


def header_line(clock: Clock, n: int = 0) -> bytes:
    """The first line of a segment that goes on after record ``n``."""
    data = {"format": FORMAT_VERSION, "product": "hedgedesk"}
    return encode_line(Record(v=FORMAT_VERSION, n=n, ts_ns=clock.now_ns(), kind=HEADER_KIND, cause=None, data=data))


def head_lines(clock: Clock, n: int, checkpoint: msgspec.Struct) -> bytes:
    """The two lines of a segment that goes on after record ``n``: header, and a checkpoint that tells all up to it."""
    record = Record(v=FORMAT_VERSION, n=n, ts_ns=clock.now_ns(), kind=CHECKPOINT_KIND, cause=None, data=checkpoint)
    return header_line(clock, n) + encode_line(record)
