"""When time alone makes the hedge kernel decide: what is due is not lost between two books."""

from decimal import Decimal
from itertools import count

from gateways.standards import Contract
from oms.hedge import events as e
from oms.hedge.kernel import Kernel
from oms.hedge.policy import Leg, Policy

D = Decimal
MS = 1_000_000


def desk(books=2):
    """A kernel with books b:X0, b:X1 ... and a maker for each; hedges of the first wait for half a second."""
    numbers = count(1)
    kernel = Kernel(lambda: f"child{next(numbers)}")
    for number in range(books):
        ticker = f"X{number}"
        contract = Contract(
            venue="b", ticker=ticker, base="X", quote="USDT", tick_size=D("0.01"), lot_size=D("0.001"),
            min_quantity=D("0.001"), min_notional=D(0),
        )  # fmt: skip
        leg = Leg(venue="b", ticker=ticker, policy=Policy(trigger_after_ms=500 if number == 0 else 0))
        kernel.apply(e.MakerPlaced(maker=f"m{number}", venue="a", ticker=ticker, legs=(leg,), ts_ns=MS))
        kernel.apply(e.Specified(contract=contract, ts_ns=MS))
        kernel.apply(e.Priced(venue="b", ticker=ticker, bid=D(100), ask=D("100.1"), ts_ns=MS))
    return kernel


def test_a_hedge_that_fell_due_during_another_books_event_still_wants_the_clock():
    """The other book's fill is read just after the due time and before the timer: the timer must not be given up."""
    kernel = desk()
    kernel.apply(e.MakerFilled(maker="m0", filled=D(1), ts_ns=10 * MS))
    assert kernel.next_due_ns() == 510 * MS
    kernel.apply(e.MakerFilled(maker="m1", filled=D(1), ts_ns=511 * MS))
    assert kernel.next_due_ns() == 510 * MS
    (hedge,) = kernel.apply(e.Clocked(ts_ns=511 * MS))
    assert hedge.ticker == "X0"
    assert kernel.next_due_ns() is None


def test_what_another_event_decided_wants_the_clock_no_more():
    """A price after the due time sends the hedge; nothing is left to wake for."""
    kernel = desk()
    kernel.apply(e.MakerFilled(maker="m0", filled=D(1), ts_ns=10 * MS))
    (hedge,) = kernel.apply(e.Priced(venue="b", ticker="X0", bid=D(99), ask=D(100), ts_ns=520 * MS))
    assert hedge.ticker == "X0"
    assert kernel.next_due_ns() is None
