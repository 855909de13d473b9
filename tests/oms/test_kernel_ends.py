"""The end of a hedge order that rested: told by the venue, believed once the venue has confirmed what it filled."""

import pytest

from gateways.standards import ZERO, RejectReason
from oms.hedge import events as e
from oms.hedge.policy import How, Leg, Policy, Rung
from oms.hedge.state import ChildState
from tests.oms.test_kernel import D, book, desk, fill, place, seen, sent

LADDER = Policy(rungs=(Rung(how=How.JOIN, for_ms=500), Rung(how=How.IOC, slippage_ticks=8), Rung()))


@pytest.fixture
def joined():
    """A kernel whose hedge of 1 has rested long enough and is being cancelled."""
    kernel = desk(Leg(venue="b", ticker="X", policy=LADDER))
    fill(kernel, "1")
    seen(kernel, "child1", "0", done=False)
    kernel.apply(e.Clocked(ts_ns=kernel.now_ns + 500_000_000))
    assert kernel.children["child1"].cancelling
    return kernel


def confirm(kernel, child="child1"):
    return kernel.apply(e.ChildConfirmed(child=child, ts_ns=kernel.now_ns))


def test_an_end_with_a_rest_counts_in_full_until_it_is_confirmed(joined):
    """I2: the replacement is sized by what the venue confirms, not by what the end said."""
    asked = seen(joined, "child1", "-0.2")
    assert e.ConfirmEnd(child="child1") in asked
    assert sent(asked) == []
    assert (book(joined).in_flight, book(joined).balance) == (D("-0.8"), 0)
    assert joined.children["child1"].text == "its end is being confirmed"
    assert sent(seen(joined, "child1", "-0.7")) == []
    (replacement,) = sent(confirm(joined))
    assert replacement == ("child2", D("-0.3"))
    assert joined.children["child2"].rung == 1


def test_an_end_is_asked_for_once(joined):
    """I8: the same end again, and more of its fills, ask nothing anew."""
    seen(joined, "child1", "-0.2")
    assert seen(joined, "child1", "-0.2") == []
    assert seen(joined, "child1", "-0.5") == []
    assert joined.children["child1"].state is ChildState.ENDING


def test_an_end_that_filled_all_of_it_needs_no_confirmation(joined):
    """What cannot fill any more is done: by its end, or by the fills that come after it."""
    seen(joined, "child1", "-0.2")
    assert seen(joined, "child1", "-1") == []
    assert joined.children["child1"].state is ChildState.DONE
    assert (book(joined).hedged, book(joined).balance) == (D(-1), 0)
    assert confirm(joined) == []


def test_a_refused_order_never_rested():
    """A refusal proves that nothing filled: the rest is due at once."""
    kernel = desk(Leg(venue="b", ticker="X", policy=LADDER))
    fill(kernel, "1")
    assert sent(seen(kernel, "child1", "0", reason=RejectReason.POST_ONLY)) == [("child2", D(-1))]


def test_an_order_that_takes_is_believed_by_its_end():
    """An IOC or market order is matched and ended in one act: its rest is due at once."""
    kernel = desk(Leg(venue="b", ticker="X", policy=Policy(rungs=LADDER.rungs[1:])))
    fill(kernel, "1")
    assert sent(seen(kernel, "child1", "-0.4")) == [("child2", D("-0.6"))]


def test_an_opposite_fill_is_not_hedged_against_an_end_that_is_not_confirmed(joined):
    """I2: the rest of an order that has ended may or may not have filled; only what holds both ways is sent."""
    seen(joined, "child1", "-0.2")
    place(joined, "m2", Leg(venue="b", ticker="X"))
    assert sent(fill(joined, "-0.4", "m2")) == [], "0.4 is owed if all of it filled, -0.4 if nothing more did"
    assert sent(fill(joined, "-0.9", "m2")) == [("child2", D("0.1"))]
    confirm(joined)
    assert sum((child.cum + child.in_flight for child in joined.children.values()), ZERO) == book(joined).target


def test_an_order_that_the_venue_knows_no_longer_is_confirmed_by_two_answers(joined):
    """I9: no answer is final by itself; two that the order is not known, apart in time, are."""
    joined.apply(e.ChildSent(child="child1", ts_ns=joined.now_ns, accept_until_ns=joined.now_ns))
    seen(joined, "child1", "-0.2")
    joined.apply(e.ChildAbsent(child="child1", ts_ns=joined.now_ns + 1))
    assert joined.children["child1"].state is ChildState.ENDING
    joined.apply(e.ChildAbsent(child="child1", ts_ns=joined.now_ns + 2_000_000_000))
    assert joined.children["child1"].state is ChildState.DONE
    assert joined.children["child1"].text == "the venue knows it no longer"


def test_the_operator_may_take_an_end_as_told(joined):
    """Where the venue cannot be asked for good, the operator who has looked decides; later evidence still counts."""
    seen(joined, "child1", "-0.2")
    (replacement,) = sent(joined.apply(e.AssumedAbsent(child="child1", ts_ns=joined.now_ns)))
    assert replacement == ("child2", D("-0.8"))
    assert joined.children["child1"].text == "its end was taken as told by the operator"
    seen(joined, "child1", "-0.3")
    assert book(joined).hedged == D("-0.3")


@pytest.mark.parametrize("reason", [RejectReason.OTHER, RejectReason.REDUCE_ONLY])
def test_an_end_for_a_reason_of_the_venues_is_confirmed_too(joined, reason):
    """It rested, whatever ended it: met by another order of ours, its position gone."""
    assert e.ConfirmEnd(child="child1") in seen(joined, "child1", "-0.2", reason=reason)
    assert book(joined).in_flight == D("-0.8")
    assert sent(seen(joined, "child1", "-0.3", reason=RejectReason.OTHER)) == []
    assert sent(confirm(joined)) == [("child2", D("-0.7"))]


def test_one_that_was_shown_open_and_then_refused_as_one_that_would_take_never_rested(joined):
    """Venues that acknowledge before they look say so of a post-only order: the next rung goes at once."""
    assert sent(seen(joined, "child1", "0", reason=RejectReason.POST_ONLY)) == [("child2", D(-1))]
