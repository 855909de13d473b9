"""The hedge kernel under hand-made stories: each test states one rule of docs/architecture.md."""

from decimal import Decimal
from itertools import count

import pytest

from gateways.standards import Contract, RejectReason
from oms.hedge import events as e
from oms.hedge.kernel import Kernel
from oms.hedge.policy import How, Leg, Limits, Policy, Rung
from oms.hedge.state import ChildState

D = Decimal
MS = 1_000_000


def contract(lot="0.001", minimum="0", venue="b", ticker="X"):
    return Contract(
        venue=venue, ticker=ticker, base="X", quote="USDT", tick_size=D("0.01"), lot_size=D(lot),
        min_quantity=D(lot), min_notional=D(minimum),
    )  # fmt: skip


def desk(*legs, lot="0.001", minimum="0", limits=None, maker="m1"):
    """A kernel with the contract b:X, a price of 100 and one maker on a:X with these legs."""
    numbers = count(1)
    kernel = Kernel(lambda: f"child{next(numbers)}", limits)
    kernel.book("b", "X")
    kernel.apply(e.Specified(contract=contract(lot, minimum), ts_ns=1))
    kernel.apply(e.Priced(venue="b", ticker="X", bid=D(100), ask=D("100.1"), ts_ns=1))
    place(kernel, maker, *(legs or (Leg(venue="b", ticker="X"),)))
    return kernel


def place(kernel, maker, *legs):
    kernel.apply(e.MakerPlaced(maker=maker, venue="a", ticker="X", legs=legs, ts_ns=kernel.now_ns))


def fill(kernel, filled, maker="m1", ts_ns=None):
    return kernel.apply(e.MakerFilled(maker=maker, filled=D(filled), ts_ns=ts_ns or kernel.now_ns + MS))


def seen(kernel, child, filled, *, done=True, reason=None, price=None):
    return kernel.apply(
        e.ChildSeen(child=child, filled=D(filled), done=done, reason=reason, ts_ns=kernel.now_ns + MS,
                    average_price=D(price) if price else None)
    )  # fmt: skip


def sent(commands):
    return [(command.child, command.amount) for command in commands if isinstance(command, e.SendChild)]


def book(kernel):
    return kernel.books["b", "X"]


def test_a_fill_is_hedged_at_once_and_the_lot_remainder_waits():
    """What the lot does not allow waits in the balance, with the reason, and goes with the next fill."""
    kernel = desk()
    assert sent(fill(kernel, "0.0137")) == [("child1", D("-0.013"))]
    assert (book(kernel).target, book(kernel).balance) == (D("-0.0137"), D("-0.0007"))
    assert book(kernel).waits == "under the lot of 0.001"
    seen(kernel, "child1", "-0.013")
    assert sent(fill(kernel, "0.0274")) == [("child2", D("-0.014"))]
    assert book(kernel).balance == D("-0.0004")


def test_a_duplicate_or_older_cumulative_size_decides_nothing():
    """I7, I8: the same or smaller evidence changes neither target nor orders."""
    kernel = desk()
    fill(kernel, "0.5")
    assert fill(kernel, "0.5") == []
    assert fill(kernel, "0.3") == []
    assert book(kernel).target == D("-0.5")


def test_an_order_that_no_one_registered_opens_no_obligation():
    """I13: fills of unregistered orders, hedge orders included, are not hedged."""
    kernel = desk()
    fill(kernel, "1")
    assert fill(kernel, "-1", maker="child1") == []
    assert fill(kernel, "5", maker="stranger") == []
    assert book(kernel).target == D("-1")


def test_under_the_minimum_notional_waits_until_a_price_lifts_it():
    """A price event re-decides what was too small, with no error and no attempt before."""
    kernel = desk(minimum="20")
    assert sent(fill(kernel, "0.19")) == []
    assert book(kernel).waits == "under the minimum of 20"
    commands = kernel.apply(e.Priced(venue="b", ticker="X", bid=D(106), ask=D(107), ts_ns=kernel.now_ns + 1))
    assert sent(commands) == [("child1", D("-0.19"))]


def test_a_half_filled_hedge_comes_back_and_is_hedged_again():
    """The unfilled rest of a dead hedge order is in the balance again and goes out as a new order (I3)."""
    kernel = desk()
    fill(kernel, "1")
    assert sent(seen(kernel, "child1", "-0.4")) == [("child2", D("-0.6"))]
    assert (book(kernel).hedged, book(kernel).in_flight, book(kernel).balance) == (D("-0.4"), D("-0.6"), D(0))


def test_a_rejected_hedge_waits_and_is_tried_again_after_the_backoff():
    """I11: a refusal returns the quantity to the balance; the next attempt waits, and attempts are bounded."""
    kernel = desk(limits=Limits(max_failures=2))
    fill(kernel, "1")
    assert sent(seen(kernel, "child1", "0", reason=RejectReason.OTHER)) == []
    assert book(kernel).balance == D(-1)
    due = kernel.next_due_ns()
    assert due == kernel.now_ns + 250 * MS
    assert sent(kernel.apply(e.Clocked(ts_ns=due))) == [("child2", D(-1))]
    assert sent(seen(kernel, "child2", "0", reason=RejectReason.OTHER)) == []
    assert book(kernel).hold == "2 hedges in a row filled nothing"
    assert sent(kernel.apply(e.Clocked(ts_ns=kernel.now_ns + 10**12))) == []


@pytest.mark.parametrize("reason", [RejectReason.MARGIN, RejectReason.REDUCE_ONLY, RejectReason.HALTED])
def test_refusals_that_asking_again_cannot_mend_hold_the_book(reason):
    """Margin, reduce-only and halted put the book on HOLD at once, with an alert; resuming sends again."""
    kernel = desk()
    fill(kernel, "1")
    commands = seen(kernel, "child1", "0", reason=reason)
    assert [type(command) for command in commands] == [e.StopMakers, e.Alert]
    assert commands[1].event == "hold"
    assert sent(fill(kernel, "2")) == []
    assert sent(kernel.apply(e.Resumed(venue="b", ticker="X", ts_ns=kernel.now_ns))) == [("child2", D(-2))]


def test_a_minimum_notional_refusal_never_holds():
    """The quantity waits for a larger notional than the refused one."""
    kernel = desk()
    fill(kernel, "0.05")
    commands = seen(kernel, "child1", "0", reason=RejectReason.MIN_NOTIONAL)
    assert any(isinstance(command, e.RefreshContracts) for command in commands)
    assert (book(kernel).hold, book(kernel).balance) == ("", D("-0.05"))
    assert sent(kernel.apply(e.Clocked(ts_ns=kernel.now_ns + 10**12))) == []
    assert sent(fill(kernel, "0.06")) == [("child2", D("-0.06"))]


def test_a_delayed_obligation_is_not_hedged_early_beside_an_immediate_one():
    """Only the due part of the balance goes; the rest goes when its time has come."""
    kernel = desk(Leg(venue="b", ticker="X", policy=Policy(trigger_after_ms=500)))
    place(kernel, "m2", Leg(venue="b", ticker="X"))
    assert sent(fill(kernel, "5", ts_ns=10 * MS)) == []
    assert sent(fill(kernel, "1", maker="m2", ts_ns=11 * MS)) == [("child1", D(-1))]
    assert kernel.next_due_ns() == 510 * MS
    assert sent(kernel.apply(e.Clocked(ts_ns=509 * MS))) == []
    assert sent(kernel.apply(e.Clocked(ts_ns=510 * MS))) == [("child2", D(-5))]


def test_opposite_fills_cancel_before_anything_is_sent():
    """Opposite obligations net, the oldest first, and the shares say so (I12)."""
    kernel = desk(Leg(venue="b", ticker="X", policy=Policy(trigger_after_ms=500)))
    place(kernel, "m2", Leg(venue="b", ticker="X"))
    fill(kernel, "5")
    assert sent(fill(kernel, "-3", maker="m2")) == []
    assert book(kernel).balance == D(-2)
    assert book(kernel).shares["m1", 0].netted == D(-3)
    assert book(kernel).shares["m2", 0].netted == D(3)


def test_an_unknown_hedge_counts_in_full_and_only_what_is_certain_is_sent():
    """I2, I9: with -1 unknown and a new +0.4, the balance may be +0.4 or -0.6, so nothing goes."""
    kernel = desk()
    fill(kernel, "1")
    kernel.apply(e.ChildSent(child="child1", ts_ns=kernel.now_ns, accept_until_ns=kernel.now_ns + 5000 * MS))
    kernel.apply(e.ChildUnknown(child="child1", ts_ns=kernel.now_ns, text="timeout"))
    assert book(kernel).unknown == D(-1)
    place(kernel, "m2", Leg(venue="b", ticker="X"))
    assert sent(fill(kernel, "-0.4", maker="m2")) == []
    assert book(kernel).waits == "an unknown hedge order could answer it"
    assert sent(fill(kernel, "-1.9", maker="m2")) == [("child2", D("0.9"))]


def test_an_unknown_leaves_by_two_absences_apart_after_it_can_no_longer_be_accepted():
    """I9: absence before the acceptance bound, or once, or twice at one moment proves nothing."""
    kernel = desk()
    fill(kernel, "1")
    kernel.apply(e.ChildSent(child="child1", ts_ns=kernel.now_ns, accept_until_ns=5000 * MS))
    kernel.apply(e.ChildUnknown(child="child1", ts_ns=kernel.now_ns, text="timeout"))
    for ts_ns in (4000 * MS, 4999 * MS, 5001 * MS, 5100 * MS):
        assert sent(kernel.apply(e.ChildAbsent(child="child1", ts_ns=ts_ns))) == []
    assert kernel.children["child1"].state is ChildState.UNKNOWN
    kernel.apply(e.ChildAbsent(child="child1", ts_ns=6002 * MS))
    assert (kernel.children["child1"].state, book(kernel).balance) == (ChildState.DONE, D(-1))
    assert sent(kernel.apply(e.Clocked(ts_ns=kernel.next_due_ns()))) == [("child2", D(-1))]


def test_a_late_fill_of_a_dead_hedge_is_owed_back():
    """Evidence after the end counts: the excess is hedged the other way, never forgotten."""
    kernel = desk()
    fill(kernel, "1")
    seen(kernel, "child1", "0", reason=RejectReason.OTHER)
    assert sent(kernel.apply(e.Clocked(ts_ns=kernel.next_due_ns()))) == [("child2", D(-1))]
    seen(kernel, "child2", "-1")
    assert sent(seen(kernel, "child1", "-1")) == [("child3", D(1))]
    assert book(kernel).balance == 0


def test_an_ioc_hedge_is_priced_from_the_fresh_opposite_best_and_refused_from_a_stale_one():
    """I14: the limit is at most the slippage through the best, on the tick; an old quote prices nothing."""
    kernel = desk(Leg(venue="b", ticker="X", policy=Policy(rungs=(Rung(how=How.IOC, slippage_bps=D(8)),))))
    (command,) = fill(kernel, "1")
    assert command.price == D("99.92")
    seen(kernel, "child1", "-1")
    assert fill(kernel, "2", ts_ns=kernel.now_ns + 11_000 * MS) == []
    assert book(kernel).waits == "no fresh price to set the limit from"
    (command,) = kernel.apply(e.Priced(venue="b", ticker="X", bid=D(50), ask=D(51), ts_ns=kernel.now_ns))
    assert command.price == D("49.96")


def test_ratios_and_several_legs():
    """Each growth of the maker opens one obligation a leg, by its own ratio."""
    kernel = desk(Leg(venue="b", ticker="X", ratio=D("-0.5")), Leg(venue="c", ticker="Y", ratio=D("-0.25")))
    kernel.apply(e.Specified(contract=contract(venue="c", ticker="Y"), ts_ns=kernel.now_ns))
    assert sent(fill(kernel, "-4")) == [("child1", D(2)), ("child2", D(1))]


@pytest.mark.parametrize(
    ("legs", "words"),
    [
        ((Leg(venue="a", ticker="X"),), "the maker's own contract"),
        ((Leg(venue="b", ticker="X"), Leg(venue="b", ticker="X", ratio=D("-0.5"))), "two legs"),
    ],
)
def test_legs_that_cannot_hedge_are_refused(legs, words):
    """A leg on the maker's own contract, or two on one contract, are refused in one sentence."""
    kernel = desk()
    with pytest.raises(ValueError, match=words):
        place(kernel, "m9", *legs)


def test_forfeiting_writes_off_what_stands_and_no_more():
    """A forfeit has the balance's sign and at most its size; the book still adds up (I1)."""
    kernel = desk(lot="1")
    fill(kernel, "0.7")
    with pytest.raises(ValueError, match="cannot be forfeited"):
        kernel.apply(e.Forfeited(venue="b", ticker="X", ts_ns=kernel.now_ns, amount=D("-0.8")))
    kernel.apply(e.Forfeited(venue="b", ticker="X", ts_ns=kernel.now_ns))
    assert (book(kernel).balance, book(kernel).forfeited) == (D(0), D("-0.7"))
    assert book(kernel).shares["m1", 0].forfeited == D("-0.7")


def test_a_paused_book_keeps_counting_and_sends_on_resume():
    """Pausing stops sending, not counting."""
    kernel = desk()
    kernel.apply(e.Paused(venue="b", ticker="X", ts_ns=kernel.now_ns))
    assert sent(fill(kernel, "2")) == []
    assert book(kernel).balance == D(-2)
    assert sent(kernel.apply(e.Resumed(venue="b", ticker="X", ts_ns=kernel.now_ns))) == [("child1", D(-2))]


@pytest.mark.parametrize(("slippage", "value", "goes"), [
    ("0", "10.1", True), ("0.05", "10.1", False), ("0.05", "10.5", False), ("0.05", "10.6", True),
])  # fmt: skip
def test_a_market_sell_that_is_a_limit_below_the_market_must_be_worth_the_minimum_there(slippage, value, goes):
    """Where market orders are limits by a slippage, the venue values a sell at that limit; what is under it waits."""
    kernel = desk(minimum="10")
    kernel.apply(e.Specified(contract=contract(minimum="10"), ts_ns=kernel.now_ns, market_slippage=D(slippage)))
    assert bool(sent(fill(kernel, D(value) / 100))) is goes
    assert book(kernel).waits == ("" if goes else "under the minimum of 10")


def test_a_market_buy_is_worth_more_at_its_limit_and_goes():
    """A buyer's limit is above the market: nothing is held back for it."""
    kernel = desk(minimum="10")
    kernel.apply(e.Specified(contract=contract(minimum="10"), ts_ns=kernel.now_ns, market_slippage=D("0.05")))
    assert sent(fill(kernel, "-0.101")) == [("child1", D("0.101"))]


def test_a_round_up_of_a_sell_is_the_smallest_that_its_limit_allows():
    """The operator's smallest order is one that the venue takes: 10 at 95 is 0.106."""
    kernel = desk(minimum="10")
    kernel.apply(e.Specified(contract=contract(minimum="10"), ts_ns=kernel.now_ns, market_slippage=D("0.05")))
    fill(kernel, "0.05")
    assert sent(kernel.apply(e.RoundedUp(venue="b", ticker="X", ts_ns=kernel.now_ns))) == [("child1", D("-0.106"))]


def test_an_ioc_sell_must_be_worth_the_minimum_at_its_limit():
    """100 less 80 bps is 99.2: what is worth the minimum at the bid may be under it at the limit, and waits."""
    leg = Leg(venue="b", ticker="X", policy=Policy(rungs=(Rung(how=How.IOC, slippage_bps=D(80)),)))
    kernel = desk(leg, minimum="10")
    assert sent(fill(kernel, "0.1005")) == []
    assert sent(fill(kernel, "0.102")) == [("child1", D("-0.102"))]


@pytest.mark.parametrize("rung", [Rung(), Rung(how=How.IOC, slippage_ticks=8), Rung(how=How.JOIN, for_ms=500)])
def test_a_hedge_that_waits_for_a_price_alone_is_due(rung):
    """A book without a price has not come to rest: its hedge goes with the first one."""
    kernel = Kernel(lambda: "child1")
    kernel.book("b", "X")
    place(kernel, "m1", Leg(venue="b", ticker="X", policy=Policy(rungs=(rung,))))
    fill(kernel, "1")
    assert book(kernel).awaits_news, "the contract's rules are not known"
    assert sent(kernel.apply(e.Specified(contract=contract(minimum="5"), ts_ns=kernel.now_ns))) == []
    assert (book(kernel).awaits_news, book(kernel).release) == (True, "the next price")
    priced = e.Priced(venue="b", ticker="X", bid=D(100), ask=D("100.1"), ts_ns=kernel.now_ns)
    assert sent(kernel.apply(priced)) == [("child1", D(-1))]
    assert not book(kernel).awaits_news


def test_what_waits_for_more_or_for_a_hand_is_at_rest():
    """Under the lot, or paused: no news of the venue's will send it."""
    kernel = desk()
    fill(kernel, "0.0004")
    assert not book(kernel).awaits_news
    kernel.apply(e.Paused(venue="b", ticker="X", ts_ns=kernel.now_ns))
    fill(kernel, "1")
    assert not book(kernel).awaits_news
