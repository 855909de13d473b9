"""The operator's acts on hedge books: what is refused, what is journaled, and what a restart makes of it."""

from itertools import count

import pytest

from gateways.standards import RejectReason
from oms.hedge import events as e
from oms.hedge.handler import HedgeHandler
from oms.hedge.kernel import Kernel
from oms.hedge.policy import How, Leg, Policy, Rung
from oms.hedge.state import ChildState
from tests.oms.test_kernel import D, book, contract, desk, fill, seen, sent


class Host:
    """What the handler needs of a desk that has no venues: a kernel, a journal that is a list, a standing clock."""

    def __init__(self, kernel):
        self.kernel = kernel
        self.records = []
        self.said = []
        self.journal = self.clock = self

    def append(self, kind, value, *, cause=None):
        self.records.append((kind, value))
        return len(self.records)

    def now_ns(self):
        return self.kernel.now_ns

    def announce(self, delta):
        self.said.append(delta.text)


@pytest.fixture
def waiting():
    """A host whose book b:X waits with -0.0007, under the lot, and has hedged -0.013."""
    kernel = desk()
    fill(kernel, "0.0137")
    seen(kernel, "child1", "-0.013")
    return Host(kernel)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda hedge: hedge.forfeit("b", "X", "", D("0.0007")), "give its sign and at most its size"),
        (lambda hedge: hedge.forfeit("b", "X", "", D("-0.0008")), "give its sign and at most its size"),
        (lambda hedge: hedge.reopen("b", "Y", D(1), ""), "b:Y has no maker"),
        (lambda hedge: hedge.round_up("b", "Y", ""), "b:Y has nothing to round up"),
        (lambda hedge: hedge.assume_absent("child1", ""), "'child1' is not unknown"),
        (lambda hedge: hedge.assume_absent("nobody", ""), "'nobody' is not unknown"),
        (lambda hedge: hedge.register_maker("m1", "a", "X", ()), "already in use"),
    ],
)
def test_a_refused_act_is_not_journaled(waiting, act, words):
    """I6: what a book refuses live leaves no record that would be refused again, fatally, at the next start."""
    with pytest.raises(ValueError, match=words):
        act(HedgeHandler(waiting))
    assert (waiting.records, waiting.said) == ([], [])


def test_acts_are_journaled_with_their_reason(waiting):
    """I15: why the operator did something is in the journal and in what is announced."""
    hedge = HedgeHandler(waiting)
    hedge.pause("b", "X", "by the operator: lunch")
    hedge.resume("b", "X", now=True, reason="by the operator: back")
    hedge.forfeit("b", "X", "by the operator: dust", D("-0.0002"))
    hedge.reopen("b", "X", D("-0.0002"), "by the operator: not dust")
    hedge.close()
    assert [(kind, value.reason) for kind, value in waiting.records] == [
        ("Paused", "by the operator: lunch"),
        ("Resumed", "by the operator: back"),
        ("Forfeited", "by the operator: dust"),
        ("Reopened", "by the operator: not dust"),
    ]
    assert waiting.said[1] == "b:X sends again: by the operator: back"
    assert (book(waiting.kernel).balance, book(waiting.kernel).forfeited) == (D("-0.0007"), D(0))


def test_a_round_up_survives_a_restart_once():
    """I3, I6: replayed, a round-up is the one order that was intended, and its excess is owed back."""
    events = [
        e.Specified(contract=contract(), ts_ns=1),
        e.MakerPlaced(maker="m1", venue="a", ticker="X", legs=(Leg(venue="b", ticker="X"),), ts_ns=1),
        e.MakerFilled(maker="m1", filled=D("0.0007"), ts_ns=2),
        e.RoundedUp(venue="b", ticker="X", ts_ns=3),
    ]
    numbers = count(1)
    live, again = Kernel(lambda: f"child{next(numbers)}"), Kernel(lambda: pytest.fail("a replay names no new order"))
    for kernel in (live, again):
        kernel.book("b", "X")
    journal = []
    for event in events:
        commands = live.apply(event)
        journal += [event, *(command.intended(event.ts_ns) for command in commands if isinstance(command, e.SendChild))]
    for event in journal:
        again.replay(event)
    assert list(again.children) == list(live.children) == ["child1"]
    for kernel in (live, again):
        assert (book(kernel).in_flight, book(kernel).balance) == (D("-0.001"), D("0.0003"))
        assert book(kernel).shares["m1", 0] == book(live).shares["m1", 0]


LADDER = Policy(rungs=(Rung(how=How.JOIN, for_ms=2_000), Rung(how=How.IOC, slippage_bps=D(8)), Rung()))


@pytest.mark.parametrize("reason", [None, RejectReason.NO_LIQUIDITY])
@pytest.mark.parametrize("filled", ["0", "-0.4"])
def test_an_ioc_that_did_not_fill_hands_on_to_the_next_rung(reason, filled):
    """What an IOC rung left over goes at once to the rung after it, in one order, for what is left."""
    kernel = desk(Leg(venue="b", ticker="X", policy=Policy(rungs=LADDER.rungs[1:])))
    (ioc,) = fill(kernel, "1")
    assert ioc.price == D("99.92")
    (market,) = seen(kernel, "child1", filled, reason=reason)
    assert (market.price, market.rung, market.amount) == (None, 1, D(-1) - D(filled))


@pytest.mark.parametrize("rung", [Rung(how=How.IOC, slippage_ticks=20_000), Rung(how=How.IOC, slippage_bps=D(10_000))])
def test_a_sell_limit_never_falls_to_zero(rung):
    """A slippage larger than the price is limited by the lowest price that a venue takes."""
    kernel = desk(Leg(venue="b", ticker="X", policy=Policy(rungs=(rung,))))
    (ioc,) = fill(kernel, "1")
    assert ioc.price == D("0.01")


def test_a_ladder_is_climbed_to_its_end():
    """Join, then IOC, then market: each order is sized by the end of the one before (I1, I3)."""
    kernel = desk(Leg(venue="b", ticker="X", policy=LADDER))
    (join,) = fill(kernel, "1")
    assert join.price == D("100.1")
    seen(kernel, "child1", "-0.2", done=False)
    (cancel,) = kernel.apply(e.Clocked(ts_ns=kernel.now_ns + 2_000_000_000))
    assert cancel == e.CancelChild(child="child1")
    assert sent(seen(kernel, "child1", "-0.2")) == []
    (ioc,) = kernel.apply(e.ChildConfirmed(child="child1", ts_ns=kernel.now_ns))
    assert (ioc.amount, ioc.price) == (D("-0.8"), D("99.92"))
    (market,) = seen(kernel, "child2", "-0.5")
    assert (market.amount, market.price) == (D("-0.3"), None)
    assert sent(seen(kernel, "child3", "-0.3")) == []
    assert book(kernel).hedged == book(kernel).target == D(-1)


def test_a_refused_ioc_does_not_climb():
    """A refusal that says nothing of the market (here the rate) repeats the rung, after a wait (I11)."""
    kernel = desk(Leg(venue="b", ticker="X", policy=Policy(rungs=LADDER.rungs[1:])))
    fill(kernel, "1")
    seen(kernel, "child1", "0", reason=RejectReason.RATE_LIMIT)
    kernel.apply(e.Priced(venue="b", ticker="X", bid=D(100), ask=D("100.1"), ts_ns=kernel.now_ns))
    (again,) = kernel.apply(e.Clocked(ts_ns=kernel.now_ns + 250_000_000))
    assert (again.rung, again.price) == (0, D("99.92"))


def test_an_ioc_that_never_was_does_not_climb():
    """An order that the venue never had was no try: the same rung goes again."""
    kernel = desk(Leg(venue="b", ticker="X", policy=Policy(rungs=LADDER.rungs[1:])))
    fill(kernel, "1")
    kernel.apply(e.ChildUnknown(child="child1", ts_ns=kernel.now_ns))
    kernel.apply(e.AssumedAbsent(child="child1", ts_ns=kernel.now_ns))
    assert kernel.children["child1"].state is ChildState.DONE
    (again,) = sent(kernel.apply(e.Clocked(ts_ns=kernel.now_ns + 250_000_000)))
    assert again == ("child2", D(-1))
    assert kernel.children["child2"].rung == 0
