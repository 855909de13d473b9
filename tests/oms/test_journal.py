"""The journal: nothing that was appended is lost, nothing that was damaged is believed."""

import os
import resource
import signal
import subprocess
import sys
import threading
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.standards import FillEvent
from oms.clock import ManualClock
from oms.journal import (
    FORMAT_VERSION,
    HEADER_KIND,
    Journal,
    JournalError,
    MemoryJournal,
    Record,
    decode_lines,
    encode_line,
    read,
)

FILL = FillEvent(
    venue="binance", ticker="ETHUSDT", oid="77", trade_id="9", amount=Decimal("-0.250"), price=Decimal("2431.50")
)


class Intent(msgspec.Struct, frozen=True, tag=True):
    cloid: str
    quantity: Decimal


class Note(msgspec.Struct, frozen=True, tag=True):
    text: str


@pytest.fixture
def clock():
    return ManualClock(now_ns=1_790_000_000_000_000_000)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "desk" / "journal.jsonl"


def write_some(journal):
    journal.append("fill", FILL)
    journal.append("intent", Intent("ab" * 16, Decimal("0.250")), cause=1)
    journal.append("note", text="first line\nsecond line \u2028 é", size=3)
    journal.append("empty")


def image_of(kinds_and_texts):
    journal = MemoryJournal(ManualClock(now_ns=17))
    for kind, text in kinds_and_texts:
        journal.append(kind, text=text)
    return journal.image


def lines_of(image):
    return image.splitlines(keepends=True)


images = st.lists(st.tuples(st.sampled_from(["fill", "intent", "note"]), st.text(max_size=12)), max_size=5).map(
    image_of
)


def test_records_read_back_as_they_were_written(path, clock):
    """Number, time, kind, cause and payload survive; a Decimal keeps every digit."""
    with Journal(path, clock) as journal:
        clock.advance(5)
        write_some(journal)
        records = list(read(path))
    assert [(r.n, r.kind, r.cause) for r in records] == [
        (0, HEADER_KIND, None),
        (1, "fill", None),
        (2, "intent", 1),
        (3, "note", None),
        (4, "empty", None),
    ]
    assert records[1].value(FillEvent) == FILL
    assert str(records[1].value(FillEvent).amount) == "-0.250"
    assert records[2].value(Intent | Note) == Intent("ab" * 16, Decimal("0.250"))
    assert records[3].data == {"text": "first line\nsecond line \u2028 é", "size": 3}
    assert {r.ts_ns for r in records[1:]} == {1_790_000_000_000_000_005}


def test_a_payload_that_does_not_fit_names_the_record(clock):
    """Asking a record for what it does not hold is an error that names it."""
    journal = MemoryJournal(clock)
    journal.append("note", text="hello")
    with pytest.raises(JournalError, match=r"record 1 \(note\)"):
        list(journal.records())[1].value(Intent)


def test_a_line_is_a_checksum_and_the_json_text():
    """The format is fixed: a journal can be read with any CRC-32 and any JSON reader."""
    record = Record(v=FORMAT_VERSION, n=3, ts_ns=5, kind="note", cause=None, data={"text": "x"})
    line = encode_line(record)
    assert line == b'1dcfa108 {"v":1,"n":3,"ts_ns":5,"kind":"note","cause":null,"data":{"text":"x"}}\n'


def test_both_journals_write_the_same_bytes(path, clock):
    """A journal in memory is the file's image to the byte, and either continues the other's."""
    memory = MemoryJournal(clock)
    write_some(memory)
    with Journal(path, clock) as journal:
        write_some(journal)
    assert path.read_bytes() == memory.image
    resumed = MemoryJournal(clock, image=path.read_bytes())
    assert resumed.append("note", text="more") == 5
    assert [r.n for r in resumed.records()] == [0, 1, 2, 3, 4, 5]


@given(images, st.data())
def test_a_cut_loses_at_most_the_last_record(image, data):
    """Cut at any byte, a journal reads as the records that were whole, and can be continued."""
    whole = list(decode_lines(lines_of(image), "j"))
    cut = data.draw(st.integers(0, len(image)))
    left = list(decode_lines(lines_of(image[:cut]), "j"))
    assert left == whole[: image[:cut].count(b"\n")]
    resumed = MemoryJournal(ManualClock(), image=image[:cut])
    resumed.append("note", text="on")
    assert len(list(resumed.records())) == max(len(left), 1) + 1


@given(images, st.data())
def test_any_changed_byte_is_noticed(image, data):
    """One byte changed anywhere, the last newline included, and the journal is refused by name and line."""
    place = data.draw(st.integers(0, len(image) - 1))
    changed = bytearray(image)
    changed[place] ^= data.draw(st.integers(1, 255))
    line = image[:place].count(b"\n") + 1
    with pytest.raises(JournalError, match=rf"journal line {line}:"):
        MemoryJournal(ManualClock(), image=bytes(changed))


@given(images, st.data())
def test_lines_lost_doubled_or_moved_are_noticed(image, data):
    """Whole lines in another order, or one missing before the last, are refused though each checksum is right."""
    lines = lines_of(image)
    other = data.draw(st.lists(st.sampled_from(lines), max_size=len(lines) + 1))
    if other == lines[: len(other)]:
        assert len(list(decode_lines(other, "j"))) == len(other)
    else:
        with pytest.raises(JournalError, match="j line"):
            list(decode_lines(other, "j"))


def test_another_format_is_refused():
    """A record of a later format is refused in words rather than misread."""
    line = encode_line(Record(v=FORMAT_VERSION + 1, n=0, ts_ns=0, kind=HEADER_KIND, cause=None))
    with pytest.raises(JournalError, match=r"line 1: in format 2, this program reads format 1"):
        list(decode_lines([line], "j"))


def test_a_torn_tail_is_removed_when_the_journal_is_continued(path, clock):
    """After a crash in the middle of a write the next record starts on its own line."""
    with Journal(path, clock) as journal:
        write_some(journal)
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    with Journal(path, clock) as journal:
        assert journal.append("note", text="after") == 4
    assert [r.kind for r in read(path)] == [HEADER_KIND, "fill", "intent", "note", "note"]


def test_a_damaged_journal_is_not_continued(path, clock):
    """Damage before the end stops the start, naming file and line."""
    with Journal(path, clock) as journal:
        write_some(journal)
    path.write_bytes(path.read_bytes().replace(b"-0.250", b"+0.250"))
    with pytest.raises(JournalError, match=r"journal\.jsonl line 2: the checksum"):
        Journal(path, clock)


def test_a_second_writer_is_refused(path, clock):
    """Two desks on one journal would break both; the lock goes with the first one's close."""
    with Journal(path, clock), pytest.raises(JournalError, match="in use"):
        Journal(path, clock)
    Journal(path, clock).close()


def test_files_are_the_owners_alone(path, clock):
    """Others can neither read the journal nor list its folder, also when the file was laid open before."""
    Journal(path, clock).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o644)
    Journal(path, clock).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path, clock):
    """A folder where the file should be is refused as a JournalError."""
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal(tmp_path, clock)


KILLED = """
import os, signal, sys
from pathlib import Path
from oms.clock import SystemClock
from oms.journal import Journal
journal = Journal(Path(sys.argv[1]), SystemClock(), sync=lambda file: None)
for n in range(50):
    os.write(1, b"%d\\n" % journal.append("intent", number=n))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_appended_survives_kill(path):
    """Every record whose append returned is in the file after kill -9, without any flush."""
    child = subprocess.run([sys.executable, "-c", KILLED, str(path)], capture_output=True, check=False)  # noqa: S603 our own code
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert [r.n for r in read(path)] == [0, *map(int, child.stdout.split())]
    assert len(child.stdout.split()) == 50


@pytest.fixture
def full_disk():
    """Let files of this process grow to a size and no further, as a full disk does: a short write, then an error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_stops_the_journal_for_good(path, clock, full_disk):
    """A write that fails half way is told, everything after is refused, and what was whole is still readable."""
    journal = Journal(path, clock)
    journal.append("note", text="fits")
    full_disk(path.stat().st_size + 20)
    with pytest.raises(JournalError, match="record 2 could not be written"):
        journal.append("note", text="does not fit")
    full_disk(resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    assert "record 2 could not be written" in journal.failed
    with pytest.raises(JournalError, match="record 2 could not be written"):
        journal.append("note", text="would fit now")
    with pytest.raises(JournalError):
        journal.flush()
    journal.close()
    assert [r.n for r in read(path)] == [0, 1]
    with Journal(path, clock) as again:
        assert again.append("note", text="after") == 2


def test_a_failing_flush_stops_the_journal_for_good(path, clock):
    """Once the disk has refused a flush nothing more is taken, because what it lost cannot be told."""

    def refuse(_file):
        raise OSError(5, "Input/output error")

    journal = Journal(path, clock, sync=refuse)
    with pytest.raises(JournalError, match="could not be flushed to disk: Input/output error"):
        journal.flush()
    with pytest.raises(JournalError, match="could not be flushed"):
        journal.append("note", text="y")
    journal.close()


def test_flushes_are_shared_and_not_awaited(path, clock):
    """Appending goes on while the disk is busy; one flush then covers all that came meanwhile."""
    started, go, flushes = threading.Event(), threading.Event(), []

    def slow(file):
        started.set()
        assert go.wait(10)
        flushes.append(os.fstat(file).st_size)

    with Journal(path, clock, sync=slow) as journal:
        assert started.wait(10)
        for number in range(100):
            journal.append("note", number=number)
        assert journal.unflushed == 101
        go.set()
        journal.flush()
        assert journal.unflushed == 0
        assert flushes[-1] == path.stat().st_size
        assert len(flushes) <= 3


def test_close_flushes_and_ends_the_thread(path, clock):
    """After close all is on disk, no thread is left, nothing more is taken; closing twice is nothing."""
    flushes = []
    journal = Journal(path, clock, sync=lambda file: flushes.append(os.fstat(file).st_size))
    write_some(journal)
    journal.close()
    journal.close()
    assert flushes[-1] == path.stat().st_size
    assert not [t for t in threading.enumerate() if t.name == "journal-flush"]
    with pytest.raises(JournalError, match="is closed"):
        journal.append("note", text="late")


@pytest.mark.parametrize(
    ("record", "fields", "error"),
    [
        (("note", Note("x")), {"text": "y"}, TypeError),
        ((HEADER_KIND,), {}, ValueError),
        (("note",), {"cause": 1}, ValueError),
        (("note",), {"cause": -1}, ValueError),
        (("note",), {"what": object()}, TypeError),
    ],
)
def test_a_bad_record_writes_nothing(path, clock, record, fields, error):
    """A record that makes no sense is the caller's error: it is not written and the journal goes on."""
    with Journal(path, clock) as journal:
        with pytest.raises(error):
            journal.append(*record, **fields)
        assert journal.append("note", text="next") == 1
        assert len(list(read(path))) == 2


def test_a_failed_memory_journal_refuses(clock):
    """The journal in memory can fail on command, as the one on disk does on its own."""
    journal = MemoryJournal(clock)
    journal.fail("disk full")
    assert journal.failed == "disk full"
    with pytest.raises(JournalError, match="disk full"):
        journal.append("note", text="x")
    with pytest.raises(JournalError, match="disk full"):
        journal.flush()
    assert len(list(journal.records())) == 1
