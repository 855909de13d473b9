"""Power was lost with the journal's last records: what they told of is found at the venues, and nothing is doubled."""

import msgspec
import pytest

from gateways.standards import OrderStatus
from oms.cloid import CloidKind, make
from oms.memory_journal import MemoryJournal
from tests.oms.stub_venue import D, desk, virtual

S = OrderStatus


def without(image, kinds):
    """The journal without its records from the first of a kind on: what had not been flushed."""
    lines = image.splitlines(keepends=True)
    lost = next(n for n, line in enumerate(lines) if any(f'"kind":"{kind}"'.encode() in line for kind in kinds))
    return b"".join(lines[:lost])


def unnamed(venue):
    """Let a venue's list of fills leave out the client order ids, as some do."""
    usual = venue.fills_since

    async def fills_since(since_ns, ticker=None):
        return [msgspec.structs.replace(fill, cloid=None) for fill in await usual(since_ns, ticker)]

    venue.fills_since = fills_since


@pytest.mark.parametrize("names", [True, False], ids=["named", "unnamed"])
@virtual
async def test_a_hedge_whose_intent_was_lost_is_not_sent_a_second_time(names):
    """Its fill is found by its client order id: the book is on HOLD, and the operator settles it."""
    async with desk() as first:
        maker = await first.maker("1")
        first.a.trade(maker, "0.4")
        await first.until(lambda: first.book.hedged == D("-0.4"))
        image = without(first.journal.image, ["Intended"])
    if not names:
        unnamed(first.b)
    async with desk(journal=MemoryJournal(first.loop, image), venues=first.venues) as second:
        await second.oms.wait_idle(10)
        assert second.hedges() == [D("-0.4")], "the one of before"
        assert "forfeit what it has answered, then resume" in second.book.hold
        assert second.book.balance == D("-0.4")
        second.oms.hedge.forfeit("b", "X", "it was hedged", D("-0.4"))
        second.oms.hedge.resume("b", "X")
        await second.oms.wait_idle(10)
        assert (second.hedges(), second.b.position["X"]) == ([D("-0.4")], D("-0.4"))


@virtual
async def test_a_hedge_that_the_journal_lacks_where_another_is_known_holds_the_book():
    """A second fill's hedge was lost, the first one's is known: nothing is sent for it again."""
    async with desk() as first:
        maker = await first.maker("1")
        first.a.trade(maker, "0.4")
        await first.until(lambda: first.book.hedged == D("-0.4"))
        known = first.journal.image
        first.a.trade(maker, "0.3")
        await first.until(lambda: first.book.hedged == D("-0.7"))
    async with desk(journal=MemoryJournal(first.loop, known), venues=first.venues) as second:
        await second.oms.wait_idle(10)
        assert second.hedges() == [D("-0.4"), D("-0.3")]
        assert "-0.3" in second.book.hold


@virtual
async def test_a_maker_that_filled_and_is_in_no_journal_is_told_of():
    """Nothing says how it was to be hedged: the operator is told what it filled, and its rest is cancelled."""
    async with desk() as first:
        await first.maker("1")
        image = first.journal.image
        lost = await first.maker("1")
        first.a.trade(lost, "0.4")
        await first.until(lambda: first.book.hedged == D("-0.4"))
    del first.b.held[next(iter(first.b.held))]
    first.b.fills.clear()
    async with desk(journal=MemoryJournal(first.loop, image), venues=first.venues) as second:
        await second.until(lambda: second.a.held[lost].status is S.CANCELLED)
        (told,) = [one for one in second.alerts if f"maker {lost[:8]} filled 0.4 of a:X" in one.text]
        assert told.severity == "error"


@virtual
async def test_fills_of_others_are_nobodys_concern():
    """Another desk's order, one by hand, and our own known ones: no HOLD and no alarm."""
    async with desk() as first:
        maker = await first.maker("1")
        first.a.trade(maker, "0.4")
        await first.until(lambda: first.book.hedged == D("-0.4"))
        for name in (make(77, CloidKind.HEDGE, 1, 1), "by-hand"):
            fill = msgspec.structs.replace(first.b.fills[-1], cloid=name, oid=f"o{name}", trade_id=f"t{name}")
            first.b.fills.append(fill)
        image = first.journal.image
    async with desk(journal=MemoryJournal(first.loop, image), venues=first.venues) as second:
        await second.oms.wait_idle(10)
        assert second.book.hold == ""
        assert not [one for one in second.alerts if one.severity == "error"]
