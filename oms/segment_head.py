"""The head of a journal's next segment: all that its records tell, but for the orders that nothing depends on any more.

Those are put away in the archive first. The work is done beside the desk (`oms.recorder.Recorder.apart`), so what it
needs to know and what it answers are bytes: a line for the whole, and one for each order.
"""

import contextlib
import gc
import io
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import NamedTuple, NoReturn

import msgspec

from oms.finished import Finished, Held, claimants, pick, take_out
from oms.hedge.kernel import Kernel
from oms.recorder import JournalReader
from oms.recovery import replay
from oms.segments import Draft, Mark


class Left(NamedTuple):
    """An order that was put away; of a maker the hedge orders that name it."""

    order: Finished
    claimants: list[str]


class Head(NamedTuple):
    """A drafted head, and what it leaves out, read as it is asked for."""

    draft: Draft
    upto: int
    """The record up to which the archive's rows count with it, 0 where no order is put away."""
    left: Iterator[Left]


line_of_held = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines
_decode_mark = msgspec.json.Decoder(Mark).decode
_decode_held = msgspec.json.Decoder(Held).decode
_decode_draft = msgspec.json.Decoder(tuple[Draft, int]).decode
_decode_left = msgspec.json.Decoder(Left).decode


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the garbage collector out of what only builds: measured, it takes four fifths of a long replay's time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def errand(mark: Mark, held: Iterable[bytes]) -> bytes:
    """What ``make`` is told: where the journal stood, and what the page has of each order that may leave."""
    return b"\n".join((line_of_held(mark), *held))


def answered(answer: bytes) -> Head:
    """What ``make`` answered."""
    lines = io.BytesIO(answer)
    return Head(*_decode_draft(next(lines)), map(_decode_left, lines))


def make(journal: JournalReader, told: bytes) -> bytes:
    """Replay the journal up to a mark, put away those of the orders told that nothing depends on, and draft the head.

    Raises JournalError when it cannot be read or written.
    """
    first, *lines = told.splitlines()
    mark = _decode_mark(first)
    held = {each.order.key: each for each in map(_decode_held, lines)}
    records = takewhile(lambda record: record.n <= mark.number, journal.records())
    with collector_paused():
        past = replay(records, Kernel(_decides_nothing), journal.archive)
        gone = pick(past.kernel, past.entered, past.evidence, held)
        naming = claimants(past.kernel, gone)
        if gone:
            journal.archive.put(gone, mark.number, past.upto)
            past.away = mark.number
        for each in gone:
            take_out(past.kernel, each)
            past.entered.pop(each.key, None)
            past.evidence.pop(each.key, None)
        draft = journal.draft(past.checkpoint(), mark)
    first_line = draft, mark.number if past.away else 0
    return _encode_lines([first_line, *(Left(each, naming.get(each.key, [])) for each in gone)])


def _decides_nothing() -> NoReturn:
    raise RuntimeError("a replay decides nothing")
