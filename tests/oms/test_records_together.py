"""Records written in one go: those that follow from one another, and what venues said in one turn of the loop."""

import asyncio
import os
import threading

import msgspec
import pytest

from oms import journal as journals
from oms.clock import SystemClock
from oms.journal import WAIT_AT_MOST, JournalError, MemoryJournal, open_journal, read_all


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


WRITE = os.write


@pytest.fixture
def written(monkeypatch):
    """How many records each write to the operating system had."""
    counts = []
    monkeypatch.setattr(journals.os, "write", lambda file, data: counts.append(data.count(b"\n")) or WRITE(file, data))
    return counts


@pytest.fixture
def journal(tmp_path, written):
    """A journal on disk, its header written and not counted."""
    journal = open_journal(tmp_path, SystemClock())
    written.clear()
    yield journal
    journal.close()


def refuse(_file, _line):
    raise OSError(28, "No space left on device")


def unexpected(error):
    raise error


def test_they_are_one_write(journal, written):
    """On disk the operating system gets them all at once: the hedge's bytes wait for one call, not for each record."""
    journal.append_with("Evidence", Told(1), [("Intended", Told(2))])
    assert written == [2]


def test_where_they_cannot_be_written_nothing_more_is_taken(tmp_path, monkeypatch):
    """The caller is told, as with a single record, and the journal stays failed."""
    journal = open_journal(tmp_path, SystemClock())
    with monkeypatch.context() as full:
        full.setattr(journals.os, "write", refuse)
        with pytest.raises(JournalError, match="No space"):
            journal.append_with("Evidence", Told(1), [("Intended", Told(2))])
    with pytest.raises(JournalError):
        journal.append("Session", Told(1))
    journal.close()


async def test_what_venues_said_in_one_turn_is_one_write(journal, written, tmp_path):
    """Nothing is written while the turn lasts; all of it is with the operating system when the next one begins."""
    for n in range(3):
        journal.append_soon("Evidence", Told(n), unexpected)
    assert written == []
    await asyncio.sleep(0)
    assert written == [3]
    assert [record.value(Told).n for record in read_all(tmp_path) if record.kind == "Evidence"] == [0, 1, 2]


async def test_an_intent_is_written_with_all_that_was_said_before_it(journal, written, tmp_path):
    """When its order's bytes may leave, the intent and everything before it are there, numbered in the order taken."""
    said = journal.append_soon("Evidence", Told(1), unexpected)
    intended = journal.append_with("Evidence", Told(2), [("Intended", Told(3))])
    assert written == [3]
    entered = journal.append_soon("Evidence", Told(4), unexpected)
    act = journal.append("Paused", Told(5), cause=entered)
    assert written == [3, 2]
    rows = [(record.n, record.value(Told).n) for record in read_all(tmp_path) if record.kind != "journal"]
    assert rows == [(said, 1), (intended, 2), (intended + 1, 3), (entered, 4), (act, 5)]


@pytest.mark.parametrize("writes", ["mark", "flush", "close"])
async def test_whoever_looks_at_the_journal_has_all_of_it_written_first(journal, written, writes):
    """A mark counts what waited, a flush and the end leave nothing behind."""
    number = journal.append_soon("Evidence", Told(1), unexpected)
    result = getattr(journal, writes)()
    assert written == [1]
    assert journal.path.read_bytes().count(b"\n") == number + 1
    if writes == "mark":
        assert result == (number, journal.path.stat().st_size)
    else:
        assert journal.unflushed == 0


async def test_a_new_segment_takes_along_what_waited(tmp_path):
    """What a venue said while a segment was drafted, and as it begins, is in the new one."""
    journal = open_journal(tmp_path, SystemClock())
    journal.append_soon("Evidence", Told(1), unexpected)
    draft = journal.draft(Told(0), journal.mark())
    journal.append_soon("Evidence", Told(2), unexpected)
    journal.begin_segment(draft)
    journal.append_soon("Evidence", Told(3), unexpected)
    journal.close()
    assert [record.value(Told).n for record in read_all(tmp_path) if record.kind == "Evidence"] == [1, 2, 3]


def test_without_a_loop_it_is_written_at_once(journal, written):
    """There is no turn whose end could be waited for."""
    journal.append_soon("Evidence", Told(1), unexpected)
    assert written == [1]


async def test_so_much_waits_and_no_more(journal, written):
    """A long turn writes now and then."""
    for n in range(WAIT_AT_MOST + 1):
        journal.append_soon("Evidence", Told(n), unexpected)
    assert written == [WAIT_AT_MOST]


async def test_what_cannot_be_written_at_the_end_of_a_turn_is_told(tmp_path, monkeypatch):
    """Whoever handed it in is told, once for the turn, and nothing more is taken."""
    journal, told = open_journal(tmp_path, SystemClock()), []
    with monkeypatch.context() as full:
        full.setattr(journals.os, "write", refuse)
        journal.append_soon("Evidence", Told(1), told.append)
        journal.append_soon("Evidence", Told(2), told.append)
        await asyncio.sleep(0)
    assert [str(error) for error in told] == [journal.failed]
    assert "No space" in journal.failed
    with pytest.raises(JournalError, match="No space"):
        journal.append_soon("Evidence", Told(3), told.append)
    journal.close()


async def test_an_intent_whose_evidence_cannot_be_written_is_refused(tmp_path, monkeypatch):
    """The order must not leave; whoever handed in the evidence hears of it from there."""
    journal, told = open_journal(tmp_path, SystemClock()), []
    with monkeypatch.context() as full:
        full.setattr(journals.os, "write", refuse)
        journal.append_soon("Evidence", Told(1), told.append)
        with pytest.raises(JournalError, match="No space"):
            journal.append("Entered", Told(2))
    await asyncio.sleep(0)
    assert told == []
    journal.close()
    assert [record.kind for record in read_all(tmp_path)] == ["journal"]


async def test_a_flush_does_not_count_what_still_waits(tmp_path):
    """A record that is not with the operating system is not on disk, whatever the flush thread has done meanwhile."""
    synced = []
    journal = journals.Journal(tmp_path / "journal.jsonl", SystemClock(), sync=synced.append)
    journal.flush()
    journal.append_soon("Evidence", Told(1), unexpected)
    assert journal.unflushed == 1
    journal.flush()
    assert (journal.unflushed, len(synced)) == (0, 2)
    journal.close()


async def test_nothing_is_written_after_a_flush_has_failed(tmp_path):
    """What the flush lost cannot be told, so what waited meanwhile is told of as not written, and is not there."""
    go, told = threading.Event(), []

    def fail(_file):
        go.wait(10)
        raise OSError(5, "Input/output error")

    journal = journals.Journal(tmp_path / "journal.jsonl", SystemClock(), sync=fail)
    journal.append_soon("Evidence", Told(1), told.append)
    go.set()
    while journal.failed is None:
        os.sched_yield()
    await asyncio.sleep(0)
    assert [str(error) for error in told] == [journal.failed]
    journal.close()
    assert [record.kind for record in read_all(tmp_path)] == ["journal"]
