"""Segments: a journal goes on in a new file, and whatever happens to one of them, nothing is lost or told twice."""

import gzip
import os
import resource
import signal
import subprocess
import sys

import msgspec
import pytest

from oms.clock import ManualClock
from oms.journal import (
    CHECKPOINT_KIND,
    HEADER_KIND,
    Journal,
    JournalError,
    MemoryJournal,
    open_journal,
    read_all,
    read_recent,
    segments,
)


class Sum(msgspec.Struct, frozen=True):
    """Stands in for a checkpoint: what is known of all notes before it."""

    notes: tuple[int, ...] = ()


@pytest.fixture
def clock():
    return ManualClock(now_ns=1_790_000_000_000_000_000)


def told(records):
    """The notes that these records tell of, a first checkpoint's among them."""
    notes = []
    for place, record in enumerate(records):
        if record.kind == CHECKPOINT_KIND and place <= 1:
            notes += record.value(Sum).notes
        elif record.kind == "note":
            notes.append(record.data["number"])
    return notes


def write(journal, *numbers):
    for number in numbers:
        journal.append("note", number=number)


def rotate(journal, *meanwhile):
    """Go on in a new segment; ``meanwhile`` is written between its draft and its beginning."""
    draft = journal.draft(Sum(tuple(told(journal.records()))), journal.mark())
    write(journal, *meanwhile)
    journal.begin_segment(draft)


@pytest.fixture
def folder(tmp_path, clock):
    """A journal of three segments that tells of the notes 1 to 6."""
    with open_journal(tmp_path / "desk", clock) as journal:
        write(journal, 1, 2)
        rotate(journal)
        write(journal, 3, 4)
        rotate(journal)
        write(journal, 5, 6)
    return tmp_path / "desk"


def test_numbers_go_on_over_segments(folder):
    """Records are numbered without a gap over all segments, so that a cause names one record for ever."""
    assert [path.name for path in segments(folder)] == ["journal.jsonl", "journal.0001.jsonl", "journal.0002.jsonl"]
    records = list(read_all(folder))
    assert [record.n for record in records] == list(range(7))
    assert [record.kind for record in records] == [HEADER_KIND, *["note"] * 6]
    assert told(records) == [1, 2, 3, 4, 5, 6]


def test_a_recovery_reads_the_last_segment_alone(folder):
    """What came before the last checkpoint is not read again, and is told by it."""
    segments(folder)[0].write_bytes(b"not even a journal\n")
    records = list(read_recent(folder))
    assert [(record.n, record.kind) for record in records[:3]] == [(4, HEADER_KIND), (4, CHECKPOINT_KIND), (5, "note")]
    assert told(records) == [1, 2, 3, 4, 5, 6]


def test_a_segment_is_continued_under_its_cause(folder, clock):
    """A journal opened again goes on in its last segment; a cause may be in an older one."""
    with open_journal(folder, clock) as journal:
        assert journal.path == segments(folder)[-1]
        assert journal.append("note", number=7, cause=1) == 7
        assert told(journal.records()) == [1, 2, 3, 4, 5, 6, 7]


def test_what_is_written_while_a_segment_is_drafted_is_in_it(folder, clock):
    """A draft takes its time: what the desk appends meanwhile is told by the new segment, and once by all together."""
    with open_journal(folder, clock) as journal:
        rotate(journal, 7, 8)
        write(journal, 9)
        assert told(journal.records()) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
        assert [record.n for record in journal.records()] == [6, 6, 7, 8, 9]
    records = list(read_all(folder))
    assert [record.n for record in records] == list(range(10))
    assert told(records) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    memory = MemoryJournal(clock)
    write(memory, 1)
    rotate(memory, 2, 3)
    write(memory, 4)
    assert told(memory.records()) == [1, 2, 3, 4]
    assert memory.append("note", number=5, cause=1) == 5


def test_a_draft_is_for_one_place(folder, clock):
    """A draft that another segment has overtaken is not used: its place is taken."""
    with open_journal(folder, clock) as journal:
        draft = journal.draft(Sum(), journal.mark())
        rotate(journal)
        with pytest.raises(JournalError, match="drafted for another place"):
            journal.begin_segment(draft)
        assert told(journal.records()) == [1, 2, 3, 4, 5, 6]


def test_a_full_segment_says_so_and_its_checkpoint_does_not_count(tmp_path, clock):
    """A segment is full by what was appended to it, so that a large checkpoint does not make the next one full."""
    with open_journal(tmp_path, clock, segment_bytes=500) as journal:
        assert not journal.full
        while not journal.full:
            journal.append("note", number=1)
        journal.begin_segment(journal.draft(Sum(tuple(range(1000))), journal.mark()))
        assert not journal.full
        journal.append("note", number=1)
    with open_journal(tmp_path, clock, segment_bytes=500) as journal:
        assert not journal.full
        while not journal.full:
            journal.append("note", number=1)
    with open_journal(tmp_path, clock, segment_bytes=500) as journal:
        assert journal.full


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [lines[0].replace(b"hedgedesk", b"hedgedusk"), *lines[1:]],
        lambda lines: [lines[0], lines[1][:-8] + b"XXXXXXX\n", *lines[2:]],
        lambda lines: [lines[0][:-1] + lines[1], *lines[2:]],
        lambda lines: [lines[0], lines[1][:-1] + b" ", b"\n", *lines[2:]],
        lambda lines: [b"\0" * 40 + b"\n", b"\0" * 70 + b"\n", *lines[2:]],
    ],
    ids=["header", "checkpoint", "newline between", "newline after", "zeroes"],
)
def test_a_damaged_head_costs_nothing(folder, clock, damage):
    """With its header or checkpoint damaged, a segment follows the one before it, and a new one begins soon."""
    last = segments(folder)[-1]
    last.write_bytes(b"".join(damage(last.read_bytes().splitlines(keepends=True))))
    assert told(read_recent(folder)) == [1, 2, 3, 4, 5, 6]
    assert [r.data["number"] for r in read_all(folder) if r.kind == "note"] == [1, 2, 3, 4, 5, 6]
    with open_journal(folder, clock) as journal:
        assert journal.full
        assert journal.append("note", number=7) == 7
        assert told(journal.records()) == [1, 2, 3, 4, 5, 6, 7]
        rotate(journal)
        assert not journal.full
    assert told(read_recent(folder)) == [1, 2, 3, 4, 5, 6, 7]
    assert len(list(read_recent(folder))) == 2


@pytest.mark.parametrize("size", [0, 5, None, 150])
def test_a_head_that_was_cut_off_costs_nothing(folder, clock, size):
    """A last segment that holds not even its head is followed by what is appended."""
    last = segments(folder)[-1]
    os.truncate(last, last.read_bytes().index(b"\n") + 1 if size is None else size)
    assert told(read_recent(folder)) == [1, 2, 3, 4]
    with open_journal(folder, clock) as journal:
        journal.append("note", number=7)
    with open_journal(folder, clock) as journal:
        assert told(journal.records()) == [1, 2, 3, 4, 7]


def test_damage_after_the_head_is_refused(folder, clock):
    """A damaged record behind an intact head may be the only word of an order: the journal is not continued."""
    last = segments(folder)[-1]
    last.write_bytes(last.read_bytes().replace(b'"number":5', b'"number":8'))
    with pytest.raises(JournalError, match=r"0002\.jsonl line 3: the checksum"):
        open_journal(folder, clock)


def test_a_missing_segment_is_noticed_by_who_reads_all(folder, clock):
    """Whoever reads all is told of a segment that is not there; a recovery does not need it."""
    segments(folder)[1].unlink()
    with pytest.raises(JournalError, match="record 4 stands where record 3 should"):
        list(read_all(folder))
    assert told(read_recent(folder)) == [1, 2, 3, 4, 5, 6]


def test_ended_segments_may_be_compressed(folder, clock):
    """A compressed segment reads like a plain one, and a half compressed one beside it does not matter."""
    before = list(read_all(folder))
    first, second, _ = segments(folder)
    for path in (first, second):
        with gzip.open(f"{path}.gz", "wb") as file:
            file.write(path.read_bytes())
    first.unlink()
    second.with_name(second.name + ".gz").write_bytes(b"half")
    assert list(read_all(folder)) == before
    second.unlink()
    with pytest.raises(JournalError, match=r"0001\.jsonl\.gz is damaged"):
        list(read_all(folder))


def test_a_compressed_last_segment_is_not_continued(folder, clock):
    """The last segment must be plain to be appended to."""
    last = segments(folder)[-1]
    with gzip.open(f"{last}.gz", "wb") as file:
        file.write(last.read_bytes())
    last.unlink()
    with pytest.raises(JournalError, match="is compressed"):
        open_journal(folder, clock)


def test_a_second_writer_is_refused_in_every_segment(folder, clock):
    """The lock goes along into the new segment, and leaves none on the old one."""
    with open_journal(folder, clock) as journal:
        rotate(journal)
        with pytest.raises(JournalError, match="in use"):
            open_journal(folder, clock)
    open_journal(folder, clock).close()


def test_a_segment_that_cannot_be_begun_leaves_the_old_one(folder, clock, monkeypatch):
    """When the new file cannot be written the journal goes on as it was, nothing left behind."""
    failing = False

    def sync(_file):
        if failing:
            raise OSError(28, "No space left on device")

    with Journal(folder / "journal.jsonl", clock, sync=sync) as journal:
        journal.flush()
        failing = True
        with pytest.raises(JournalError, match="cannot be drafted: No space left"):
            rotate(journal)
        failing = False
        assert journal.failed is None
        write(journal, 7)
        assert sorted(path.name for path in folder.iterdir()) == [
            "journal.0001.jsonl",
            "journal.0002.jsonl",
            "journal.jsonl",
        ]
        rotate(journal)
        write(journal, 8)
    assert told(read_recent(folder)) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_full_disk_while_a_segment_begins(folder, clock):
    """A short write of the new head leaves the old segment as the last one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_journal(folder, clock) as journal:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            with pytest.raises(JournalError, match="cannot be drafted"):
                journal.draft(Sum(tuple(range(10_000))), journal.mark())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert journal.failed is None
        write(journal, 7)
    assert told(read_recent(folder)) == [1, 2, 3, 4, 5, 6, 7]


KILLED = """
import os, signal, sys
from pathlib import Path
from oms.clock import SystemClock
from oms import journal as j
from tests.oms.test_segments import rotate, write

countdown = int(sys.argv[2])

def counted(call):
    def instead(*args, **options):
        global countdown
        countdown -= 1
        if countdown == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **options)
    return instead

def sync(file):
    os.fsync(file)

journal = j.Journal(Path(sys.argv[1]) / "journal.jsonl", SystemClock(), sync=lambda file: None)
write(journal, 7)
for name in ("open", "write", "close", "fsync"):
    setattr(os, name, counted(getattr(os, name)))
Path.rename = counted(Path.rename)
Path.unlink = counted(Path.unlink)
journal._sync = counted(os.fdatasync)
rotate(journal)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_at_any_step_of_a_rotation_nothing_is_lost(tmp_path, clock):
    """Kill -9 before each call that a new segment takes: the journal then tells what it told, once, and goes on."""
    begun = set()
    for step in range(1, 14):
        folder = tmp_path / str(step)
        with open_journal(folder, clock) as journal:
            write(journal, 1, 2, 3, 4, 5, 6)
        child = subprocess.run(  # noqa: S603 our own code
            [sys.executable, "-c", KILLED, str(folder), str(step)], capture_output=True, check=False
        )
        assert child.returncode == -signal.SIGKILL, child.stderr
        begun.add(len(segments(folder)))
        assert told(read_recent(folder)) == [1, 2, 3, 4, 5, 6, 7]
        with open_journal(folder, clock) as journal:
            write(journal, 8)
            rotate(journal)
            write(journal, 9)
        assert told(read_recent(folder)) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
        assert [r.data["number"] for r in read_all(folder) if r.kind == "note"] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert begun == {1, 2}, "kills came before and after the new segment was in place"


def test_the_journal_in_memory_does_the_same(clock):
    """In virtual time a segment ends and begins as on disk, and its image alone is what a recovery needs."""
    journal = MemoryJournal(clock, segment_bytes=400)
    write(journal, 1, 2)
    assert not journal.full
    write(journal, 3, 4, 5)
    assert journal.full
    rotate(journal)
    assert not journal.full
    write(journal, 6)
    again = MemoryJournal(clock, image=journal.image)
    assert again.append("note", number=7, cause=2) == 7
    assert told(again.records()) == [1, 2, 3, 4, 5, 6, 7]
    assert len(journal.older) == 1
