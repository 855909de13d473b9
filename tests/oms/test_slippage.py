"""Slippage of hedges against the middle of the market."""

from decimal import Decimal

from oms.hedge.policy import Policy
from oms.hedge.slippage import Slippages
from oms.hedge.state import Child, ChildState, Claim

D = Decimal


def child(cloid, amount, cost, claims, cum=None):
    amount = D(amount)
    filled = amount if cum is None else D(cum)
    parts = [Claim(maker, leg, D(quantity), D(done)) for maker, leg, quantity, done in claims]
    return Child(
        cloid=cloid, book=("binance", "ETHUSDT"), amount=amount, claims=parts, policy=Policy(), ts_ns=1,
        cum=filled, cost=D(cost),
    )  # fmt: skip


def test_worse_than_the_middle_is_positive_for_buys_and_sells():
    """A buy above the middle and a sell below it both cost; the other way round both gain."""
    slippages = Slippages()
    bought, sold = child("b", "1", "100.1", []), child("s", "-1", "-99.9", [])
    for each in (bought, sold):
        slippages.entered(each, D(100))
    assert (slippages.of_hedge(bought), slippages.of_hedge(sold)) == (D(10), D(10))
    better = child("c", "1", "99.9", [])
    slippages.entered(better, D(100))
    assert slippages.of_hedge(better) == D(-10)


def test_without_a_middle_or_a_fill_it_is_not_known():
    """An order of before the start, or one that has not filled, has no slippage, not a zero one."""
    slippages = Slippages()
    old, empty = child("o", "1", "100", [("m", 0, "1", "1")]), child("e", "1", "0", [("m", 0, "1", "0")], cum="0")
    slippages.entered(old, None)
    slippages.entered(empty, D(100))
    assert [slippages.of_hedge(each) for each in (old, empty)] == [None, None]
    assert slippages.of_leg("m", 0) is None
    assert slippages.of_leg("nobody", 0) is None


def test_a_legs_slippage_is_weighted_by_what_each_hedge_filled_for_it():
    """A hedge that answers two makers counts for each with its part; the first middle told stands."""
    slippages = Slippages()
    first = child("1", "4", "400.4", [("m", 0, "1", "1"), ("n", 0, "3", "3")])
    second = child("2", "3", "300", [("m", 0, "3", "3")])
    for each in (first, second, first):
        slippages.entered(each, D(100))
    slippages.entered(first, D(50))
    assert slippages.of_leg("m", 0) == D("2.5")
    assert slippages.of_leg("n", 0) == D(10)


def test_an_order_that_is_done_is_counted_once_and_again_when_it_changes_after_all():
    """A fill that comes late counts; the sum is the same as of orders counted all at once."""
    slippages = Slippages()
    late = child("1", "4", "200.2", [("m", 0, "4", "2")], cum="2")
    slippages.entered(late, D(100))
    assert slippages.of_leg("m", 0) == D(10)
    late.state = ChildState.DONE
    assert slippages.of_leg("m", 0) == D(10)
    slippages.entered(child("2", "2", "200", [("m", 0, "2", "2")]), D(100))
    assert slippages.of_leg("m", 0) == D(5)
    late.cum, late.cost, late.claims = D(4), D("400.4"), [Claim("m", 0, D(4), D(4))]
    slippages.entered(late, None)
    assert slippages.of_leg("m", 0) == D(40) / 6


def test_what_has_left_the_desk_is_let_go_of():
    """The orders and legs that are kept go on as they were; of the others nothing is known any more."""
    slippages = Slippages()
    stays = child("stays", "1", "100.1", [("m1", 0, "1", "1")])
    leaves = child("leaves", "1", "100.2", [("m2", 0, "1", "1")])
    for each in (stays, leaves):
        slippages.entered(each, D(100))
    before = slippages.of_leg("m1", 0), slippages.of_hedge(stays)
    assert None not in before
    assert slippages.of_leg("m2", 0) is not None
    slippages.keep({"stays"}, {"m1"})
    assert len(slippages) == 1
    assert (slippages.of_leg("m1", 0), slippages.of_hedge(stays)) == before
    assert slippages.of_leg("m2", 0) is None
    assert slippages.of_hedge(leaves) is None
