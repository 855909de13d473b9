"""Records that follow from one another, written in one go."""

import os

import msgspec
import pytest

from oms import journal as journals
from oms.clock import SystemClock
from oms.journal import JournalError, MemoryJournal, open_journal


class Told(msgspec.Struct, frozen=True):
    n: int


def made(kind, folder):
    return open_journal(folder, SystemClock()) if kind == "disk" else MemoryJournal(SystemClock())


@pytest.mark.parametrize("kind", ["disk", "memory"])
def test_those_that_follow_name_the_first_as_their_cause(kind, tmp_path):
    """They are numbered without a gap, and what is appended later goes on from there."""
    journal = made(kind, tmp_path)
    first = journal.append_with("Evidence", Told(1), [("Intended", Told(2)), ("Intended", Told(3))])
    later = journal.append("Session", Told(4))
    rows = [(row.n, row.kind, row.cause, row.value(Told).n) for row in journal.records() if row.n >= first]
    journal.close()
    assert rows == [
        (first, "Evidence", None, 1), (first + 1, "Intended", first, 2), (first + 2, "Intended", first, 3),
        (later, "Session", None, 4),
    ]  # fmt: skip


def test_they_are_one_write(tmp_path, monkeypatch):
    """On disk the operating system gets them all at once: the hedge's bytes wait for one call, not for each record."""
    written = []
    journal = open_journal(tmp_path, SystemClock())
    monkeypatch.setattr(journals.os, "write", lambda file, line: written.append(line) or WRITE(file, line))
    journal.append_with("Evidence", Told(1), [("Intended", Told(2))])
    journal.close()
    assert [lines.count(b"\n") for lines in written] == [2]


WRITE = os.write


def test_where_they_cannot_be_written_nothing_more_is_taken(tmp_path, monkeypatch):
    """The caller is told, as with a single record, and the journal stays failed."""

    def refuse(_file, _line):
        raise OSError(28, "No space left on device")

    journal = open_journal(tmp_path, SystemClock())
    with monkeypatch.context() as full:
        full.setattr(journals.os, "write", refuse)
        with pytest.raises(JournalError, match="No space"):
            journal.append_with("Evidence", Told(1), [("Intended", Told(2))])
    with pytest.raises(JournalError):
        journal.append("Session", Told(1))
    journal.close()
