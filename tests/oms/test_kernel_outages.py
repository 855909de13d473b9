"""The kernel while a venue cannot be reached: it holds at once, lets go by itself, and mixes up no two holds."""

from itertools import count, pairwise, takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.standards import ZERO, RejectReason
from oms.hedge import events as e
from oms.hedge.kernel import Kernel
from oms.hedge.policy import How, Limits, OnFailure, Policy, Rung
from oms.hedge.state import ChildState
from tests.oms.test_kernel import MS, D, Leg, book, contract, desk, fill, place, seen, sent

S = 1000 * MS


def down(kernel, venue="b"):
    return kernel.apply(e.VenueDown(venue=venue, text="no connection", ts_ns=kernel.now_ns + MS))


def up(kernel, venue="b"):
    return kernel.apply(e.VenueUp(venue=venue, ts_ns=kernel.now_ns + MS))


def unsent(kernel, child):
    """The hedge could not be sent; what follows of it, as the shell carries it out."""
    commands = seen(kernel, child, "0", reason=RejectReason.UNREACHABLE)
    for command in commands:
        if isinstance(command, e.VenueLost):
            commands = [*commands, *down(kernel, command.venue)]
    return commands


def test_an_outage_holds_the_venues_books_and_stops_their_makers_at_once():
    """Nothing is sent, the makers stop, and what is due waits with the reason; other venues' books go on."""
    kernel = desk(Leg(venue="b", ticker="X"), Leg(venue="c", ticker="X"))
    kernel.apply(e.Specified(contract=contract(venue="c"), ts_ns=kernel.now_ns))
    (stop,) = down(kernel)
    assert (type(stop), stop.venue) == (e.StopMakers, "b")
    assert sent(fill(kernel, "1")) == [("child1", D(-1))]
    assert kernel.children["child1"].book == ("c", "X")
    assert book(kernel).balance == D(-1)
    assert book(kernel).waits == "HOLD: venue down: no connection"
    assert book(kernel).blocked == "the book is on HOLD, venue down: no connection"
    assert down(kernel) == [], "said once"


def test_when_the_venue_is_back_what_is_due_is_hedged():
    """The hold ends by itself, with nobody to resume it."""
    kernel = desk()
    down(kernel)
    fill(kernel, "1")
    assert sent(kernel.apply(e.Clocked(ts_ns=kernel.now_ns + 3600 * S))) == []
    assert kernel.next_due_ns() is None
    assert sent(up(kernel)) == [("child1", D(-1))]
    assert book(kernel).blocked == ""


def test_a_book_that_is_made_during_an_outage_holds_too():
    """A first maker on a contract of a venue that is down finds its book held."""
    kernel = desk()
    down(kernel, "c")
    assert kernel.book("c", "Y").down
    up(kernel, "c")
    assert not kernel.book("c", "Y").down


@pytest.mark.parametrize(
    "hold", [e.Held(venue="b", ticker="X", ts_ns=1, reason="look"), e.Paused(venue="b", ticker="X", ts_ns=1)]
)
def test_no_other_hold_is_released_by_the_venues_return(hold):
    """A pause, and a HOLD that only the operator can judge, stay until the operator resumes."""
    kernel = desk()
    kernel.apply(hold)
    down(kernel)
    fill(kernel, "1")
    assert sent(up(kernel)) == []
    assert sent(kernel.apply(e.Resumed(venue="b", ticker="X", ts_ns=kernel.now_ns))) == [("child1", D(-1))]


def test_a_hedge_that_could_not_be_sent_reports_the_outage():
    """The quantity is in the balance again, the venue is reported lost, and it is not tried again meanwhile."""
    kernel = desk()
    fill(kernel, "1")
    commands = unsent(kernel, "child1")
    assert e.VenueLost(venue="b", text="unreachable") in commands
    assert any(isinstance(command, e.StopMakers) for command in commands)
    assert (book(kernel).balance, book(kernel).hold) == (D(-1), "")
    assert sent(kernel.apply(e.Clocked(ts_ns=kernel.now_ns + 60 * S))) == []
    assert sent(up(kernel)) == [("child2", D(-1))]


def test_hedges_under_way_when_an_outage_begins_are_one_failure():
    """Ten that fail together are no reason for a HOLD that waits for the operator (I11)."""
    kernel = desk(limits=Limits(max_failures=3))
    for number in range(1, 11):
        fill(kernel, number)
    for number in range(1, 11):
        unsent(kernel, f"child{number}")
    assert (book(kernel).failures, book(kernel).hold) == (1, "")
    up(kernel)
    assert sent(kernel.apply(e.Clocked(ts_ns=kernel.now_ns + S))) == [("child11", D(-10))]


def test_an_escalation_does_not_go_into_the_outage_that_it_follows_from():
    """The market order that a spent budget asks for waits for the venue as everything else does."""
    rungs = (Rung(how=How.IOC, slippage_bps=D(8)),)
    leg = Leg(venue="b", ticker="X", policy=Policy(rungs=rungs, on_failure=OnFailure.ESCALATE))
    kernel = desk(leg, limits=Limits(max_failures=1))
    fill(kernel, "1")
    assert sent(unsent(kernel, "child1")) == []
    (again,) = [one for one in up(kernel) + kernel.apply(e.Clocked(ts_ns=kernel.now_ns + S)) if sent([one])]
    assert (again.child, again.price) == ("child2", None)


def test_a_straggler_of_an_outage_that_is_over_begins_the_next_one_before_anything_is_sent():
    """What could not be sent says so late: nothing goes out in the same breath."""
    kernel = desk()
    fill(kernel, "1")
    fill(kernel, "2")
    unsent(kernel, "child1")
    up(kernel)
    assert sent(kernel.apply(e.Clocked(ts_ns=kernel.now_ns + S))) == [("child3", D(-1))]
    assert sent(unsent(kernel, "child2")) == []
    assert (book(kernel).failures, bool(book(kernel).down)) == (1, True)


def test_a_venue_that_only_seems_to_be_back_is_not_tried_for_ever():
    """I11: return after return at which nothing can be sent ends in a HOLD, ever further apart."""
    kernel = desk(limits=Limits(max_failures=4))
    fill(kernel, "1")
    tried = []
    for number in count(1):
        unsent(kernel, f"child{number}")
        if book(kernel).hold:
            break
        up(kernel)
        tried.append(kernel.next_due_ns() - kernel.now_ns)
        assert sent(kernel.apply(e.Clocked(ts_ns=kernel.next_due_ns())))
    assert book(kernel).hold == "4 hedges in a row filled nothing"
    assert len(tried) == 3
    assert all(second > first for first, second in pairwise(tried))
    assert sent(up(kernel)) == []


def test_the_operator_may_have_a_venue_tried_that_is_taken_as_down():
    """Resuming sends; what cannot be sent holds the book again."""
    kernel = desk()
    down(kernel)
    fill(kernel, "1")
    assert sent(kernel.apply(e.Resumed(venue="b", ticker="X", ts_ns=kernel.now_ns))) == [("child1", D(-1))]
    assert any(isinstance(command, e.StopMakers) for command in unsent(kernel, "child1"))
    assert book(kernel).down
    assert kernel.outages["b"].since_ns < kernel.now_ns - MS, "it is the same outage"


def test_a_round_up_is_refused_during_an_outage():
    """What cannot be sent is refused before it is journaled."""
    kernel = desk()
    fill(kernel, "0.0005")
    down(kernel)
    with pytest.raises(ValueError, match="cannot be sent to: venue down"):
        kernel.check(e.RoundedUp(venue="b", ticker="X", ts_ns=kernel.now_ns))


def test_giving_up_unwinds_where_the_policy_says_so_and_nothing_else():
    """Of one book's obligations those of an UNWIND leg are closed on the maker's venue; the others wait."""
    kernel = desk(Leg(venue="b", ticker="X", policy=Policy(on_failure=OnFailure.UNWIND)))
    place(kernel, "m2", Leg(venue="b", ticker="X"))
    down(kernel)
    fill(kernel, "1")
    fill(kernel, "2", maker="m2")
    commands = kernel.apply(e.Held(venue="b", ticker="X", ts_ns=kernel.now_ns, reason="too long", unwind=True))
    assert [(one.maker, one.amount) for one in commands if isinstance(one, e.Unwind)] == [("m1", D(-1))]
    assert book(kernel).hold == "too long"


def test_an_outage_is_told_of_ever_rarer():
    """At once, after 10 s, after 30 s, then every 60 s."""
    limits = Limits()
    times = takewhile(lambda ns: ns <= 210 * S, limits.outage_alert_times())
    assert [ns // S for ns in times] == [0, 10, 30, 90, 150, 210]
    assert limits.patience_ns == sum(250 * MS << n for n in range(7)), "as long as the retry budget lasts"


outage_steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["fill", "time"]), st.integers(1, 400)),
        st.tuples(st.sampled_from(["done", "unsent", "refuse", "unknown"]), st.integers(0, 5)),
        st.tuples(st.sampled_from(["down", "up", "hold", "pause", "resume"]), st.none()),
    ),
    max_size=50,
)


@settings(max_examples=400, deadline=None)
@given(outage_steps)
def test_no_schedule_of_outages_loses_a_fill_or_sends_into_one(schedule):
    """I1 to I3 through outages: nothing goes to a venue that is down, and once it is back all is hedged, once."""
    kernel = desk(limits=Limits(max_failures=10**6))
    filled, tried, made = ZERO, False, {}

    def carry_out(commands):
        nonlocal tried
        for command in commands:
            if isinstance(command, e.SendChild):
                assert command.child not in made, "I3"
                assert tried or "b" not in kernel.outages, "sent into an outage"
                made[command.child] = command.amount
            elif isinstance(command, e.VenueLost):
                tried = False
                carry_out(down(kernel, command.venue))
        one = book(kernel)
        assert one.target == -filled == one.hedged + one.in_flight + one.balance + one.forfeited
        could = sum((amount for key, amount in made.items() if kernel.children[key].state is not ChildState.DONE), ZERO)
        assert abs(one.hedged + could) <= abs(one.target), "I2"

    def step(kind, value):
        nonlocal filled, tried
        now = kernel.now_ns + MS
        working = [key for key in made if kernel.children[key].state is not ChildState.DONE]
        child = working[value % len(working)] if kind in {"done", "unsent", "refuse", "unknown"} and working else None
        match kind:
            case "fill":
                filled += D(value) / 100
                carry_out(kernel.apply(e.MakerFilled(maker="m1", filled=filled, ts_ns=now)))
            case "time":
                carry_out(kernel.apply(e.Clocked(ts_ns=now + value * 100 * MS)))
            case "done" if child:
                carry_out(kernel.apply(e.ChildSeen(child=child, filled=made[child], done=True, ts_ns=now)))
            case "unsent" | "refuse" if child and kernel.children[child].state is not ChildState.UNKNOWN:
                reason = RejectReason.UNREACHABLE if kind == "unsent" else RejectReason.OTHER
                carry_out(kernel.apply(e.ChildSeen(child=child, filled=ZERO, done=True, reason=reason, ts_ns=now)))
            case "unknown" if child:
                carry_out(kernel.apply(e.ChildUnknown(child=child, ts_ns=now)))
            case "down" | "up":
                tried = False
                carry_out(down(kernel) if kind == "down" else up(kernel))
            case "hold":
                carry_out(kernel.apply(e.Held(venue="b", ticker="X", ts_ns=now, reason="look")))
            case "pause":
                carry_out(kernel.apply(e.Paused(venue="b", ticker="X", ts_ns=now)))
            case "resume":
                tried = True
                carry_out(kernel.apply(e.Resumed(venue="b", ticker="X", ts_ns=now)))

    for kind, value in schedule:
        step(kind, value)
    step("resume", None)
    step("up", None)
    for _ in range(100):
        for key, amount in made.items():
            if kernel.children[key].state is not ChildState.DONE:
                step_now = kernel.now_ns + MS
                carry_out(kernel.apply(e.ChildSeen(child=key, filled=amount, done=True, ts_ns=step_now)))
                break
        else:
            due = kernel.next_due_ns()
            if due is None:
                break
            carry_out(kernel.apply(e.Clocked(ts_ns=due)))
    assert abs(book(kernel).balance) < D("0.001")
    assert book(kernel).in_flight == 0


def test_a_replay_knows_of_no_outage():
    """Whether a venue can be reached is found out anew: what could not be sent is due in the replayed book."""
    live = desk()
    fill(live, "1")
    unsent(live, "child1")
    kernel = Kernel(lambda: "")
    kernel.replay(e.MakerPlaced(maker="m1", venue="a", ticker="X", legs=(Leg(venue="b", ticker="X"),), ts_ns=1))
    kernel.replay(e.MakerFilled(maker="m1", filled=D(1), ts_ns=2))
    child = live.children["child1"]
    kernel.replay(e.Intended(
        child="child1", venue="b", ticker="X", amount=D(-1), parts=(e.Part("m1", 0, D(-1)),), policy=child.policy,
        rung=0, ts_ns=3,
    ))  # fmt: skip
    kernel.replay(e.ChildSeen(child="child1", filled=ZERO, done=True, reason=RejectReason.UNREACHABLE, ts_ns=4))
    assert kernel.outages == {}
    assert (book(kernel).down, book(kernel).balance) == ("", D(-1))
    assert (book(kernel).failures, book(kernel).hold) == (book(live).failures, book(live).hold)
