"""The journal while a desk runs: what a full disk costs (nothing), and segments that follow each other unnoticed."""

import asyncio
import resource
from decimal import Decimal

import pytest

from gateways.errors import Denied
from gateways.standards import ZERO, OrderStatus
from oms.hedge.kernel import Kernel
from oms.journal import Journal, JournalError, MemoryJournal, open_journal, read_all, read_recent, segments
from oms.recovery import replay
from tests.oms.stub_venue import Desk, WallClock, desk, virtual

D = Decimal
S = OrderStatus


class Unwritable(MemoryJournal):
    """Cannot begin a segment until told that it can."""

    attempts = 0
    can = False

    def begin_segment(self, draft):
        self.attempts += 1
        if not self.can:
            raise JournalError("no space for it")
        super().begin_segment(draft)


def halted(made):
    return [alert for alert in made.alerts if alert.severity == "error" and alert.text.startswith("HALTED")]


async def started_again(made, journal):
    """A new desk on what the journal holds, in the same world, brought to rest."""
    again = Desk(made.loop, journal=journal, venues=made.venues)
    await again.oms.init()
    await again.oms.wait_idle(60.0, quiet_s=2.0)
    return again


async def makers_and_a_hedge_under_way(made):
    """Two makers that rest, one of them filled in part, its hedge sent and not answered; returns their keys."""
    first, second = await made.maker("1", "100"), await made.maker("1", "99")
    held = made.loop.create_future()

    async def late(order):
        await held

    made.b.script["hedge"].append(late)
    made.a.trade(first, "0.2")
    await made.until(lambda: made.hedges() == [D("-0.2")])
    return first, second


def nothing_new_is_sent_and_makers_are_cancelled(made, sent):
    assert made.hedges() == sent, "nothing new is sent"
    assert made.oms.trading == "HALTED"
    assert not made.oms.makers_working()
    assert {held.status for held in made.a.held.values()} == {S.CANCELLED}
    assert len(halted(made)) == 1, "the operator is told, once"


@virtual
async def test_a_write_that_fails_stops_the_desk_and_loses_nothing():
    """A hedge whose intent cannot be journaled is not sent; makers go, what is in flight counts; a restart makes good.

    The venue alone knows what filled: what the old desk saw after the failure is in no journal.
    """
    async with desk() as made:
        first, _second = await makers_and_a_hedge_under_way(made)
        made.journal.fail("No space left on device")
        made.a.trade(first, "0.3")
        await made.until(lambda: not made.oms.makers_working())
        nothing_new_is_sent_and_makers_are_cancelled(made, [D("-0.2")])
        assert (made.book.target, made.book.in_flight) == (D("-0.5"), D("-0.2"))
        assert made.book.balance == D("-0.3"), "what could not be sent stays in plain sight"
        assert made.book.hold
        with pytest.raises(Denied, match="HALTED"):
            await made.maker("1", "98")
        with pytest.raises(Denied, match="HALTED"):
            made.oms.activate()
    again = await started_again(made, MemoryJournal(made.loop, made.journal.image))
    assert again.oms.trading == "ACTIVE"
    why = "what was not sent at once; what had been sent once it was certain that it never arrived"
    assert again.hedges() == [D("-0.2"), D("-0.3"), D("-0.2")], why
    assert (again.book.target, again.book.hedged, again.book.balance) == (D("-0.5"), D("-0.5"), ZERO)
    await again.oms.cleanup()


class FullAtTheEndOfATurn(MemoryJournal):
    """Takes what a venue said, and cannot write it when the turn of the loop ends."""

    def append_soon(self, kind, value, unwritten, /):
        def refuse():
            self.fail("No space left on device")
            unwritten(JournalError(self.failed))

        number = super().append_soon(kind, value, unwritten)
        asyncio.get_running_loop().call_soon(refuse)
        return number


@virtual
async def test_what_a_venue_said_and_cannot_be_written_stops_the_desk_at_once():
    """Nobody waits for the next look at the journal: the desk is halted when the turn ends."""
    async with desk(journal=FullAtTheEndOfATurn(asyncio.get_running_loop())) as made:
        await made.maker("1", "100")
        await made.until(lambda: made.oms.trading == "HALTED", seconds=0.1)
        await made.until(lambda: not made.oms.makers_working())
        nothing_new_is_sent_and_makers_are_cancelled(made, [])


@virtual
async def test_a_journal_that_fails_in_silence_is_noticed():
    """Nobody writes, the flush fails: the desk stops within a second all the same."""
    async with desk() as made:
        await makers_and_a_hedge_under_way(made)
        made.journal.fail("the disk has gone")
        await made.until(lambda: made.oms.trading == "HALTED", seconds=1.0)
        await made.until(lambda: not made.oms.makers_working())
        nothing_new_is_sent_and_makers_are_cancelled(made, [D("-0.2")])
        assert "the disk has gone" in halted(made)[0].text
        assert made.book.in_flight == D("-0.2")


@virtual
async def test_a_halted_desk_still_cancels():
    """With the journal gone, panic, cancel and the two-phase stop do what they can."""
    async with desk() as made:
        maker = await made.maker("1", "100")
        made.journal.fail("full")
        assert await made.oms.panic() == 1
        assert made.a.held[maker].status is S.CANCELLED
        assert made.oms.trading == "HALTED"
        assert await made.oms.stop(1.0) == []
        assert made.oms.trading == "HALTED", "stopping must not make of a halted desk one that hedges"


@virtual
async def test_an_act_that_cannot_be_journaled_is_not_done():
    """What the next start would not know of must not be: no write-off, no flatten, no maker; a pause is taken."""
    async with desk() as made:
        maker = await made.maker("1", "100", legs={"exc": "b", "ticker": "X", "ratio": "0.0005"})
        made.a.trade(maker, "1")
        assert made.book.balance == D("-0.0005")
        made.journal.fail("full")
        for act in (made.oms.hedge.forfeit, made.oms.hedge.round_up):
            with pytest.raises(JournalError, match="nothing was done: full"):
                act("b", "X", "by hand")
        with pytest.raises(Denied, match="close it on the venue itself"):
            await made.oms.flatten("a", "X")
        assert (made.book.balance, made.book.forfeited, made.hedges()) == (D("-0.0005"), ZERO, [])
        made.oms.hedge.pause("b", "X", "by hand")
        assert made.book.paused == "by hand"
        assert made.oms.trading == "HALTED"


@pytest.fixture
def full_disk():
    """Let files of this process grow to a size and no further, as a full disk does: a short write, then an error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (hard if size is None else size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 40, 200, 400, 600, 800, 1000])
def test_a_disk_that_is_full_anywhere_in_a_hedge(tmp_path, full_disk, room):
    """The real file, full after any part of what a fill and its hedge write: every fill is hedged once in the end."""

    @virtual
    async def story():
        loop = asyncio.get_running_loop()
        async with desk(journal=open_journal(tmp_path, loop)) as made:
            maker, other = await made.maker("1", "100"), await made.maker("1", "99")
            full_disk(made.journal.path.stat().st_size + room)
            try:
                made.a.trade(maker, "0.3")
                await asyncio.sleep(2.0)
                made.a.trade(other, "0.2")
                await asyncio.sleep(2.0)
            finally:
                full_disk(None)
            assert made.journal.failed is not None
            assert made.oms.trading == "HALTED"
            assert not made.oms.makers_working()
            intended = [record.data["child"] for record in made.journal.records() if record.kind == "Intended"]
            sent = [order.cloid for order in made.b.asked("hedge")]
            assert sent == intended, "no order left without its intent"
        again = await started_again(made, open_journal(tmp_path, loop))
        assert sum((fill.amount for fill in made.b.fills), ZERO) == D("-0.5")
        assert (again.book.target, again.book.hedged, again.book.balance) == (D("-0.5"), D("-0.5"), ZERO)
        await again.oms.reconcile()
        assert (await again.oms.verify()).consistent
        await again.oms.cleanup()

    story()


def test_a_flush_that_fails_halts_the_desk(tmp_path):
    """The flush is not awaited, so its failure is found by looking: the desk stops before the next intent."""
    failing = []

    def sync(_file):
        if failing:
            raise OSError(5, "Input/output error")

    @virtual
    async def story():
        loop = asyncio.get_running_loop()
        async with desk(journal=Journal(tmp_path / "journal.jsonl", loop, sync=sync)) as made:
            await makers_and_a_hedge_under_way(made)
            failing.append(True)
            made.journal.append("Note", text="one more")
            with pytest.raises(JournalError, match="Input/output"):
                made.journal.flush()
            await made.until(lambda: not made.oms.makers_working())
            nothing_new_is_sent_and_makers_are_cancelled(made, [D("-0.2")])

    story()


# ------------------------------------------------------------------- segments


@virtual
async def test_a_full_segment_is_followed_when_all_is_quiet():
    """Segments begin while nothing is under way; the last one alone tells a new desk all, late fills included."""
    journal = MemoryJournal(asyncio.get_running_loop(), segment_bytes=3000)
    async with desk(journal=journal) as made:
        gone = await made.maker("1", "100")
        made.a.trade(gone, "0.2")
        await made.oms.cancel_order("a", "X", cloid=gone)
        for _ in range(6):
            maker = await made.maker("0.1", "100")
            made.a.trade(maker, "0.1")
            await asyncio.sleep(1.0)
        assert len(journal.older) >= 2
        assert gone not in journal.image.split(b"\n", 2)[2].decode(), "it is in the checkpoint alone"
    again = await started_again(made, MemoryJournal(made.loop, journal.image))
    assert (again.book.target, again.book.hedged) == (D("-0.8"), D("-0.8"))
    again.a.trade(gone, "0.1")
    await again.oms.wait_idle(10.0)
    assert (again.book.target, again.book.hedged) == (D("-0.9"), D("-0.9")), "I4: long gone, and hedged all the same"
    await again.oms.reconcile()
    assert (await again.oms.verify()).consistent
    await again.oms.cleanup()


@virtual
async def test_a_segment_waits_while_a_hedge_is_in_flight():
    """A full segment goes on until nothing is under way."""
    journal = MemoryJournal(asyncio.get_running_loop(), segment_bytes=1)
    async with desk(journal=journal) as made:
        await asyncio.sleep(1.0)
        begun = len(journal.older)
        assert begun
        await makers_and_a_hedge_under_way(made)
        begun = len(journal.older)
        await asyncio.sleep(3.0)
        assert journal.full
        assert len(journal.older) == begun
        await made.until(lambda: len(journal.older) > begun)
        assert not made.book.open_children


@virtual
async def test_a_segment_that_cannot_be_begun_is_told_and_tried_again_later():
    """The desk goes on in the old segment; the operator hears of it, once a minute and not twice a second."""
    journal = Unwritable(asyncio.get_running_loop(), segment_bytes=1)
    async with desk(journal=journal) as made:
        await asyncio.sleep(50.0)
        assert journal.attempts == 2, "once at the start, once while running"
        assert any("no space for it" in alert.text for alert in made.alerts)
        maker = await made.maker("1", "100")
        made.a.trade(maker, "0.5")
        await made.oms.wait_idle(10.0)
        assert made.book.hedged == D("-0.5")
        journal.can = True
        await made.until(lambda: journal.older)
        assert made.oms.trading == "ACTIVE"


async def test_on_disk_a_segment_is_drafted_by_another_process_while_the_desk_trades(tmp_path):
    """The real file and a real loop: fills come while the checkpoint is made, and the new segment has them all."""
    clock = WallClock()
    made = Desk(clock, journal=open_journal(tmp_path, clock, segment_bytes=1))
    drafted, go_on = asyncio.Event(), asyncio.Event()
    usual = made.journal.apart

    async def slow(work, told):
        answer = await usual(work, told)
        drafted.set()
        await go_on.wait()
        return answer

    await made.oms.init()
    maker = await made.maker("1", "100")
    begun = len(segments(tmp_path))
    made.journal.apart = slow
    await made.until(drafted.is_set, 20)
    made.a.trade(maker, "0.3")
    await made.until(lambda: made.book.hedged == D("-0.3"), 20)
    assert len(segments(tmp_path)) == begun, "the desk hedged while the draft was in the making"
    go_on.set()
    await made.until(lambda: len(segments(tmp_path)) > begun, 20)
    await made.oms.cleanup()
    told = replay(read_recent(tmp_path), Kernel(lambda: "")).kernel.book("b", "X")
    assert (told.target, told.hedged, told.in_flight) == (D("-0.3"), D("-0.3"), ZERO)
    whole = replay(read_all(tmp_path), Kernel(lambda: "")).kernel.book("b", "X")
    assert whole == told


def test_a_full_segment_is_followed_at_the_start(tmp_path):
    """A journal that was left full begins a segment before anything else, and the old one is kept."""

    @virtual
    async def story():
        loop = asyncio.get_running_loop()
        async with desk(journal=open_journal(tmp_path, loop)) as made:
            maker = await made.maker("1", "100")
            made.a.trade(maker, "0.5")
            await made.oms.wait_idle(10.0)
        again = await started_again(made, open_journal(tmp_path, loop, segment_bytes=1000))
        assert len(segments(tmp_path)) >= 2
        assert [record.kind for record in read_recent(tmp_path)][:2] == ["journal", "Checkpoint"]
        assert (again.book.target, again.book.hedged) == (D("-0.5"), D("-0.5"))
        await again.oms.cleanup()

    story()
