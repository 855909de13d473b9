"""A restart before the cancels of a HOLD or a panic left: what was to be stopped is stopped then."""

import pytest

from gateways.errors import Rejected, Unavailable
from gateways.standards import OrderStatus, RejectReason
from oms.memory_journal import MemoryJournal
from tests.oms.stub_venue import D, desk, virtual

S = OrderStatus


def refuse_cancels(venue, times=2000):
    venue.script["cancel"].extend([Unavailable(venue.alias, "no connection")] * times)


def restarted(first, image):
    first.a.script["cancel"].clear()
    return desk(journal=MemoryJournal(first.loop, image), venues=first.venues)


@virtual
async def test_a_book_on_hold_has_its_makers_stopped_after_a_restart():
    """They would fill, and nothing would hedge them."""
    async with desk() as first:
        maker = await first.maker("1")
        other = await first.oms.limit_order({"exc": "a", "ticker": "X", "amount": "1", "price": "99"})
        first.b.script["hedge"].append(Rejected("b", "no margin", reason=RejectReason.MARGIN))
        refuse_cancels(first.a)
        first.a.trade(maker, "0.4")
        await first.until(lambda: first.book.hold)
        image = first.journal.image
    assert not first.a.held[maker].status.terminal
    async with restarted(first, image) as second:
        await second.until(lambda: second.a.held[maker].status is S.CANCELLED)
        assert second.book.hold == "the venue has not enough margin"
        assert second.a.held[other.key].status is S.NEW, "it feeds no book"


@pytest.mark.parametrize(
    ("act", "left"),
    [("panic", set()), ("halt_trading", set()), ("reducing", {"reduce"}), ("disarm", {"maker", "reduce"})],
)
@virtual
async def test_what_an_act_cancels_is_cancelled_after_a_restart(act, left):
    """The act is journaled before its cancels leave; one that cancels nothing leaves all."""
    async with desk() as first:
        first.a.position["X"] = D(3)
        await first.oms.positions_get("a")
        keys = {"maker": await first.maker("1")}
        reduces = {"exc": "a", "ticker": "X", "amount": "-1", "price": "110", "reduce_only": True}
        keys["reduce"] = (await first.oms.limit_order(reduces)).key
        refuse_cancels(first.a)
        done = getattr(first.oms, act)()
        if done is not None:
            await done
        image = first.journal.image
    async with restarted(first, image) as second:
        gone = [key for name, key in keys.items() if name not in left]
        await second.until(lambda: all(second.a.held[key].status is S.CANCELLED for key in gone))
        await second.oms.wait_idle(10)
        assert {name for name, key in keys.items() if second.a.held[key].status is S.NEW} == left


@virtual
async def test_nothing_is_cancelled_once_the_desk_was_activated_again():
    """The last act counts."""
    async with desk() as first:
        await first.oms.panic()
        first.oms.activate()
        maker = await first.maker("1")
        image = first.journal.image
    async with restarted(first, image) as second:
        await second.oms.wait_idle(10)
        assert second.a.held[maker].status is S.NEW
