"""What a contract earned: average cost, fees and funding, against sums that do not depend on the averaging."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.standards import MarkUpdate
from oms.pnl import HOUR_NS, Earned, Results, unrealised

D = Decimal
KEY = ("binance", "ETHUSDT")
amounts = st.integers(-5_000, 5_000).filter(bool).map(lambda n: D(n) / 1_000)
prices = st.integers(1, 10_000_000).map(lambda n: D(n) / 100)
trades = st.lists(st.tuples(amounts, prices), max_size=30)


def folded(fills):
    results = Results()
    for amount, price in fills:
        results.traded(KEY, amount, price)
    return results.earned(KEY)


@given(trades, prices)
def test_realised_and_unrealised_are_the_cash_and_what_is_held(fills, price):
    """However the trades went, both results add up to the money received and the worth of what is left."""
    earned = folded(fills)
    cash = -sum(amount * paid for amount, paid in fills)
    worth = earned.realised + unrealised(earned.amount, earned.average, price)
    assert abs(worth - (cash + earned.amount * price)) < D("1e-12")
    assert earned.amount == sum(amount for amount, _ in fills)


@given(trades)
def test_the_average_lies_within_the_prices_paid(fills):
    """What is held was never bought (or sold) dearer or cheaper than at some price traded."""
    earned = folded(fills)
    if earned.amount:
        paid = [price for _, price in fills]
        assert min(paid) - D("1e-12") <= earned.average <= max(paid) + D("1e-12")
    else:
        assert earned.average is None


def test_closing_realises_and_adding_does_not():
    """Buying more moves the average alone; selling realises against it and leaves it."""
    results = Results()
    results.traded(KEY, D(2), D(100))
    results.traded(KEY, D(2), D(110))
    assert results.earned(KEY) == Earned(amount=D(4), average=D(105))
    results.traded(KEY, D(-1), D(108))
    assert results.earned(KEY) == Earned(amount=D(3), average=D(105), realised=D(3))


def test_a_trade_through_zero_opens_the_rest_at_its_own_price():
    """Selling more than is held closes all of it, and what is left over is short at the new price."""
    earned = folded([(D(1), D(100)), (D(-3), D(104))])
    assert earned == Earned(amount=D(-2), average=D(104), realised=D(4))


def test_a_short_gains_when_it_is_bought_back_lower():
    """The sign of what a short earned is that of a gain."""
    assert folded([(D(-2), D(100)), (D(2), D(97))]).realised == D(6)


def test_what_was_held_before_is_opened_at_its_entry():
    """Closing what the desk began with realises against its entry price."""
    results = Results()
    results.open(KEY, D(-1), D(50))
    results.traded(KEY, D(1), D(45))
    assert results.earned(KEY) == Earned(realised=D(5))


def test_fees_in_another_asset_stand_apart():
    """Only fees in the quote currency are money of the result; others keep their asset. A rebate is negative."""
    results = Results()
    results.charged(KEY, D("0.4"), "USDT", "USDT")
    results.charged(KEY, D("-0.1"), "", "USDT")
    results.charged(KEY, D("0.0002"), "BNB", "USDT")
    earned = results.earned(KEY)
    assert (earned.fees, earned.other_fees, earned.net) == (D("0.3"), (("BNB", D("0.0002")),), D("-0.3"))


def mark(rate, due, price="2000"):
    return MarkUpdate(
        venue="binance", ticker="ETHUSDT", mark=D(price), funding_rate=rate and D(rate), next_funding_ns=due
    )


def test_a_long_pays_a_positive_rate_once_when_it_is_due():
    """Nothing before its time, once at it, at the mark of then, and the next rate only at the next time."""
    results = Results()
    results.marked(mark("0.0001", 10), D(3), 1)
    assert results.earned(KEY).funding == 0
    assert results.marked(mark("0.0005", 20, "2100"), D(3), 10) == D("-0.63")
    assert results.marked(mark("0.0005", 20), D(3), 11) == 0
    assert results.marked(mark("0.0005", 30), D(-1), 21) == D(1)
    assert results.earned(KEY).funding == D("0.37")


def test_a_rate_without_a_time_is_paid_at_the_full_hour():
    """Where the venue names no time the hour's end is it; a mark without a rate pays nothing."""
    results = Results()
    results.marked(mark("0.0001", None), D(1), 5)
    assert results.marked(mark(None, None), D(1), HOUR_NS - 1) == 0
    assert results.marked(mark(None, None), D(1), HOUR_NS) == D("-0.2")
    assert results.marked(mark(None, None), D(1), 2 * HOUR_NS) == 0


@pytest.mark.parametrize(
    ("amount", "entry", "price", "expected"),
    [("0", None, None, "0"), ("2", "10", None, None), ("2", None, "10", None), ("-2", "10", "9", "2")],
)
def test_unrealised_is_unknown_without_a_price_and_zero_while_flat(amount, entry, price, expected):
    """None where the entry or the price is not known, never zero."""
    given_ = [None if value is None else D(value) for value in (entry, price)]
    assert unrealised(D(amount), *given_) == (None if expected is None else D(expected))
