"""What cannot be hedged is closed where it was made: once, by its own size, and nothing is hedged meanwhile."""

import msgspec
import pytest

from gateways.errors import Rejected, Unknown
from gateways.standards import OrderStatus, RejectReason
from oms.hedge import events as e
from oms.hedge.policy import Leg, OnFailure, Policy
from oms.memory_journal import MemoryJournal
from tests.oms.stub_venue import D, virtual
from tests.oms.stub_venue import desk as oms_desk
from tests.oms.test_kernel import book, contract, desk, fill, place, seen, sent

MARGIN = RejectReason.MARGIN
UNWINDS = Leg(venue="b", ticker="X", policy=Policy(on_failure=OnFailure.UNWIND))
LEG = {"exc": "b", "ticker": "X", "on_failure": OnFailure.UNWIND}


def unwinds(commands):
    return [command.amount for command in commands if isinstance(command, e.Unwind)]


def under_way(kernel, order="u1"):
    return kernel.apply(
        e.Unwinding(order=order, venue="b", ticker="X", ratio=D(-1), ts_ns=kernel.now_ns)
    )  # fmt: skip


def settled(kernel, amount, order="u1"):
    now = kernel.now_ns
    return kernel.apply(e.Forfeited(venue="b", ticker="X", amount=D(amount), unwind=order, ts_ns=now))


def resumed(kernel):
    return kernel.apply(e.Resumed(venue="b", ticker="X", ts_ns=kernel.now_ns))


def test_two_hedges_refused_after_each_other_are_unwound_once_each():
    """The second refusal finds the book on HOLD, and what the first one left being closed already."""
    kernel = desk(UNWINDS)
    fill(kernel, "1")
    fill(kernel, "2.5")
    assert unwinds(seen(kernel, "child1", "0", reason=MARGIN)) == [D(-1)]
    assert unwinds(seen(kernel, "child2", "-0.5", reason=MARGIN)) == []
    assert unwinds(seen(kernel, "child2", "-0.5", reason=MARGIN)) == []


def test_the_second_ones_own_rest_is_unwound():
    """Only what it leaves, whatever waits beside it."""
    kernel = desk(UNWINDS)
    fill(kernel, "1")
    fill(kernel, "2.5")
    assert unwinds(seen(kernel, "child1", "0", reason=MARGIN)) == [D(-1)]
    assert unwinds(seen(kernel, "child2", "0", reason=MARGIN)) == [D("-1.5")]
    assert book(kernel).balance == D("-2.5")


def test_what_an_opposite_fill_has_met_is_not_unwound():
    """The rest of the second hedge is netted with a maker that sold: nothing of it is left to close."""
    kernel = desk(UNWINDS)
    place(kernel, "m2", UNWINDS)
    fill(kernel, "1")
    fill(kernel, "2")
    seen(kernel, "child1", "0", reason=MARGIN)
    fill(kernel, "-2", maker="m2")
    assert unwinds(seen(kernel, "child2", "0", reason=MARGIN)) == []
    assert book(kernel).balance == 0


@pytest.mark.parametrize("ratio", ["-1", "-0.5", "-2"])
def test_a_single_leg_stands_for_all_of_what_was_made(ratio):
    """What is closed, times the ratio, is what could not be hedged."""
    kernel = desk(msgspec.structs.replace(UNWINDS, ratio=D(ratio)))
    fill(kernel, "2")
    assert unwinds(seen(kernel, "child1", "0", reason=MARGIN)) == [D(-2)]


def test_one_of_two_legs_closes_its_own_share_of_what_was_made():
    """The other leg is hedged: half of the maker is to be closed, not all of it, whether one fails or both."""
    legs = [Leg(venue=venue, ticker="X", ratio=D("-0.5"), policy=UNWINDS.policy) for venue in ("b", "c")]
    kernel = desk(*legs)
    kernel.apply(e.Specified(contract=contract(venue="c"), ts_ns=kernel.now_ns))
    fill(kernel, "2")
    assert unwinds(seen(kernel, "child1", "0", reason=MARGIN)) == [D(-1)]
    assert unwinds(seen(kernel, "child2", "0", reason=MARGIN)) == [D(-1)]


def test_nothing_is_hedged_while_it_is_being_closed():
    """Resumed too early the book waits for the end of the unwind, and then sends only what that has left."""
    kernel = desk(UNWINDS)
    fill(kernel, "1")
    seen(kernel, "child1", "0", reason=MARGIN)
    under_way(kernel)
    assert sent(resumed(kernel)) == []
    assert book(kernel).waits == "it is being closed on the maker's venue"
    with pytest.raises(ValueError, match="being closed"):
        kernel.check(e.RoundedUp(venue="b", ticker="X", ts_ns=kernel.now_ns))
    assert sent(settled(kernel, "-0.7")) == [("child2", D("-0.3"))]


def test_of_two_unwinds_the_last_to_end_frees_the_book():
    """Each order is an account of its own."""
    kernel = desk(UNWINDS)
    fill(kernel, "1")
    seen(kernel, "child1", "0", reason=MARGIN)
    under_way(kernel, "u1")
    under_way(kernel, "u2")
    resumed(kernel)
    assert sent(settled(kernel, "-0.2", "u1")) == []
    assert sent(settled(kernel, "-0.3", "u2")) == [("child2", D("-0.5"))]


def test_what_was_closed_over_what_waits_is_owed_the_other_way():
    """A fill that was told late has answered it meanwhile: hedge and unwind together are too much, and it is seen."""
    kernel = desk(UNWINDS)
    fill(kernel, "1")
    seen(kernel, "child1", "0", reason=MARGIN)
    under_way(kernel)
    seen(kernel, "child1", "-0.4")
    assert book(kernel).balance == D("-0.6")
    settled(kernel, "-1")
    assert (book(kernel).forfeited, book(kernel).balance) == (D(-1), D("0.4"))
    assert book(kernel).target == sum((book(kernel).hedged, book(kernel).balance, book(kernel).forfeited), D(0))
    (share,) = book(kernel).shares.values()
    assert (share.hedged, share.forfeited, share.waiting) == (D("-0.4"), D(-1), D("0.4"))
    assert sent(resumed(kernel)) == [("child2", D("0.4"))]


def test_an_outage_does_not_unwind_what_is_being_closed():
    """Its patience is over while an unwind of before has not ended."""
    kernel = desk(UNWINDS)
    fill(kernel, "1")
    seen(kernel, "child1", "0", reason=MARGIN)
    under_way(kernel)
    resumed(kernel)
    assert unwinds(kernel.apply(e.Held(venue="b", ticker="X", reason="down", unwind=True, ts_ns=kernel.now_ns))) == []


@virtual
async def test_what_was_made_is_closed_once_and_no_position_is_left():
    """Two hedges refused for margin: the maker's venue holds nothing at the end, and what was closed is forfeited."""
    async with oms_desk() as made:
        maker = await made.maker("2", legs=LEG)
        gate = made.loop.create_future()

        async def refused(_):
            await gate
            raise Rejected("b", "no margin", reason=MARGIN)

        made.b.script["hedge"].extend([refused, refused])
        made.a.position["X"] += D(5)  # ours from before, which reduce-only orders could close as well
        made.a.trade(maker, "0.5")
        made.a.trade(maker, "0.4")
        await made.until(lambda: len(made.hedges()) == 2)
        gate.set_result(None)
        await made.until(lambda: made.book.forfeited == D("-0.9"))
        await made.until(lambda: not made.book.unwinding)
        assert made.a.position["X"] == D(5)
        assert made.book.balance == 0


@virtual
async def test_a_restart_goes_on_waiting_for_the_unwind():
    """Until what it closed is known the restarted desk hedges nothing of it, though its book was resumed."""
    async with oms_desk() as first:
        maker = await first.maker("2", legs=LEG)
        first.b.script["hedge"].append(Rejected("b", "no margin", reason=MARGIN))

        async def unanswered(order):
            first.a.accept(order)
            raise Unknown("a", "cut")

        first.a.script["place"].append(unanswered)
        first.a.script["order"].extend([Unknown("a", "no answer")] * 3)
        first.a.trade(maker, "0.4")
        await first.until(lambda: first.book.unwinding)
        first.oms.hedge.resume("b", "X")
        image = first.journal.image
    async with oms_desk(journal=MemoryJournal(first.loop, image), venues=first.venues) as second:
        await second.until(lambda: second.book.forfeited == D("-0.4"))
        assert second.hedges() == [D("-0.4")]
        assert second.oms.page.get(maker).status is OrderStatus.CANCELLED
        assert second.a.position["X"] == 0
