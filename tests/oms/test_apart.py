"""Work on a journal in a process of its own: its answer, its errors, and what is left of it when a desk ends."""

import asyncio
import os
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from oms.archive import ARCHIVE
from oms.clock import SystemClock
from oms.journal import JournalError, open_journal
from oms.put_away import Kept
from oms.records import CHECKPOINT_KIND
from tests.oms.stub_venue import Desk, WallClock

D = Decimal
ALL = Kept(10**6, 0.0)


class Told(msgspec.Struct, frozen=True):
    """A checkpoint, as far as a draft minds."""

    n: int


def count(journal, told):
    """How many records there are, in which process, and what was told."""
    return f"{sum(1 for _ in journal.records())} {os.getpid()} {told.decode()}".encode()


def refuse(journal, told):
    """What cannot be done."""
    raise JournalError("the disk is full")


def break_down(journal, told):
    """A fault of the work itself."""
    raise ZeroDivisionError("by nought")


def never_end(journal, told):
    """Tell which process it is, and go on for good."""
    Path(told.decode()).write_text(str(os.getpid()))
    while True:
        pass


@pytest.fixture
def journal(tmp_path):
    with open_journal(tmp_path, SystemClock()) as made:
        yield made


async def test_it_reads_the_journal_and_answers(journal):
    """Another process sees each record that was appended, and is told megabytes as well as nothing."""
    journal.append("Note", text="one")
    for told in ("", "x" * 3_000_000):
        records, pid, heard = (await journal.apart(count, told.encode())).decode().split(" ", 2)
        assert (int(records), heard) == (2, told)
        assert int(pid) != os.getpid()


@pytest.mark.parametrize(
    ("work", "said"), [(refuse, "^the disk is full$"), (break_down, "^ZeroDivisionError: by nought$")]
)
async def test_what_it_raises_is_an_error_of_the_journal(journal, work, said):
    """One sentence, whatever happened there."""
    with pytest.raises(JournalError, match=said):
        await journal.apart(work, b"")


async def test_without_a_program_to_start_it_is_an_error_of_the_journal(journal, monkeypatch):
    """An interpreter that was removed under a running desk costs a segment, not the desk."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(JournalError, match="no process can be started"):
        await journal.apart(count, b"")


async def test_it_ends_with_who_waits_for_it(journal, tmp_path):
    """A desk that stops does not leave it behind."""
    told = tmp_path / "pid"
    task = asyncio.ensure_future(journal.apart(never_end, str(told).encode()))
    async with asyncio.timeout(20):
        while not (told.exists() and told.read_text()):
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)


async def test_a_desk_puts_its_orders_away_by_another_process(tmp_path):
    """The real files, a real loop and a real process: orders leave, a late fill is hedged, the books are true."""
    clock = WallClock()
    made = Desk(clock, journal=open_journal(tmp_path, clock, segment_bytes=1), kept=ALL)
    await made.oms.init()
    maker = await made.maker("0.1", "100")
    made.a.trade(maker, "0.1")
    await made.maker("0.1", "99")
    made.a.trade(list(made.a.held)[-1], "0.1")  # the latest stays
    await made.until(lambda: made.oms.page.peek(maker) is None, 20)
    assert (tmp_path / ARCHIVE).exists()
    made.a.trade(maker, "0.2")
    await made.until(lambda: made.book.hedged == D("-0.4"), 20)
    assert made.oms.page.peek(maker).filled == D("0.3")
    await made.oms.reconcile()
    assert (await made.oms.verify()).consistent
    await made.oms.cleanup()


def test_a_draft_that_was_left_is_removed_at_the_next_start(tmp_path):
    """Whatever process has made it: only a segment that began is read."""
    with open_journal(tmp_path, SystemClock()) as journal:
        draft = journal.draft(Told(1), journal.mark())
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".new")] == [Path(draft.path).name]
    with open_journal(tmp_path, SystemClock()) as journal:
        assert not [path for path in tmp_path.iterdir() if path.name.endswith(".new")]
        assert [record.kind for record in journal.records() if record.kind == CHECKPOINT_KIND] == []
