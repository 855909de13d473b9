"""An unwind that a crash cut: what it closed where it was made is written off at the next start, once."""

import asyncio

import msgspec
import pytest

from gateways.errors import Rejected
from gateways.standards import OrderStatus, OrderUpdate, RejectReason
from oms.checkpoint import digest
from oms.hedge.kernel import Kernel
from oms.journal import MemoryJournal
from oms.recovery import replay
from tests.oms.stub_venue import D, desk, virtual

UNWINDS = {"exc": "b", "ticker": "X", "on_failure": "unwind"}


async def unwound(made):
    """A maker's fill of 0.4 that could not be hedged was closed on its own venue."""
    made.b.script["hedge"].append(Rejected("b", "no margin", reason=RejectReason.MARGIN))
    maker = await made.maker("1", legs=UNWINDS)
    made.a.trade(maker, "0.4")
    await made.until(lambda: made.book.forfeited == D("-0.4"))
    return made.journal.image.splitlines(keepends=True)


def before(lines, kind):
    """The journal up to its first record of a kind."""
    for place, line in enumerate(lines):
        if b'"kind":"%s"' % kind.encode() in line:
            return b"".join(lines[:place])
    raise AssertionError(f"there is no {kind}")


@virtual
async def test_a_crash_between_the_unwinds_fill_and_its_forfeit():
    """The balance does not wait for a hedge whose maker is closed: it is forfeited, and nothing is closed twice."""
    async with desk() as made:
        lines = await unwound(made)
    image = before(lines, "Forfeited")
    async with desk(journal=MemoryJournal(made.loop, image), venues=made.venues) as again:
        await again.until(lambda: again.book.forfeited == D("-0.4"), 30)
        assert (again.book.balance, again.book.target, bool(again.book.hold)) == (0, D("-0.4"), True)
        assert again.a.position["X"] == 0
        assert again.oms.kernel.unwinds == {}
        image = again.journal.image
    async with desk(journal=MemoryJournal(made.loop, image), venues=made.venues) as third:
        assert (third.book.forfeited, third.oms.kernel.unwinds) == (D("-0.4"), {})
        assert len([order for order in third.a.asked("place") if order.reduce_only]) == 1


@virtual
async def test_a_crash_before_the_unwind_was_sent():
    """What never left closed nothing: the balance stays, on HOLD, for the operator."""
    async with desk() as made:
        lines = await unwound(made)
    place = next(number for number, line in enumerate(lines) if b'"kind":"Unwinding"' in line)
    (closing,) = [key for key, held in made.a.held.items() if held.order.reduce_only]
    del made.a.held[closing]
    made.a.fills[:] = [fill for fill in made.a.fills if fill.cloid != closing]
    image = b"".join(lines[: place + 1])
    async with desk(journal=MemoryJournal(made.loop, image), venues=made.venues) as again:
        await again.until(lambda: again.oms.kernel.unwinds == {}, 30)
        assert (again.book.balance, again.book.forfeited) == (D("-0.4"), 0)
        assert again.book.hold


@virtual
async def test_an_unwind_that_a_recovery_itself_leads_to_is_written_off_once():
    """The hedge that a crash cut was refused: its maker is closed while the desk still recovers."""
    async with desk() as made:
        lines = await unwound(made)
    sent = next(number for number, line in enumerate(lines) if b'"kind":"ChildSent"' in line)
    hedge = msgspec.json.decode(lines[sent].partition(b" ")[2])["data"]["child"]
    (closing,) = [key for key, held in made.a.held.items() if held.order.reduce_only]
    del made.a.held[closing]
    made.a.fills[:] = [fill for fill in made.a.fills if fill.cloid != closing]
    made.a.position["X"] = D("0.4")

    async def refused(key):
        assert key == hedge
        return OrderUpdate(venue="b", ticker="X", cloid=key, amount=D("-0.4"), status=OrderStatus.REJECTED,
                           filled=D(0), reason=RejectReason.MARGIN)  # fmt: skip

    async def slow(order):
        await asyncio.sleep(2)
        said = made.a.accept(order)
        made.a.send(said)
        return said

    made.b.script["order"].append(refused)
    made.a.script["place"].append(slow)
    image = b"".join(lines[: sent + 1])
    async with desk(journal=MemoryJournal(made.loop, image), venues=made.venues) as again:
        await again.until(lambda: again.oms.kernel.unwinds == {} and again.book.forfeited != 0, 30)
        await asyncio.sleep(30)
        assert (again.book.forfeited, again.book.balance, again.book.target) == (D("-0.4"), 0, D("-0.4"))
        assert again.journal.image.count(b'"kind":"Forfeited"') == 1


@pytest.mark.parametrize("kind", ["Unwinding", "Forfeited"])
def test_an_open_account_is_in_the_checkpoint(kind):
    """A new segment tells of it as the records before it do."""

    @virtual
    async def story():
        async with desk() as made:
            lines = await unwound(made)
        past = replay(MemoryJournal(made.loop, before(lines, kind)).records(), Kernel(lambda: ""))
        assert len(past.kernel.unwinds) == (kind == "Forfeited")
        journal = MemoryJournal(made.loop, before(lines, kind))
        journal.begin_segment(journal.draft(past.checkpoint(), journal.mark()))
        told = replay(journal.records(), Kernel(lambda: ""))
        assert told.digest == digest(past.kernel, past.entered, past.evidence)
        assert told.kernel.unwinds == past.kernel.unwinds

    story()
