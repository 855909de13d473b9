from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.paper.account import Account, Holding
from gateways.standards import ZERO

D = Decimal


def marks(ticker):
    return {"X": D(100), "Y": D(10)}[ticker]


def test_a_position_averages_its_entries_and_realises_what_it_closes():
    """Two buys average; a partial sale realises against the average and leaves it; the rest closes exactly."""
    held = Holding()
    assert held.apply(D(1), D(100)) == 0
    assert held.apply(D(1), D(110)) == 0
    assert (held.amount, held.entry_price) == (D(2), D(105))
    assert held.apply(D(-1), D(120)) == D(15)
    assert (held.amount, held.entry_price) == (D(1), D(105))
    assert held.apply(D(-1), D(100)) == D(-5)
    assert (held.amount, held.cost, held.entry_price) == (ZERO, ZERO, ZERO)


def test_a_fill_through_zero_closes_the_old_position_and_opens_the_other_at_the_price():
    """A short of 2 bought by 5 realises the short and stands long 3 at the new price."""
    held = Holding()
    held.apply(D(-2), D(50))
    assert held.apply(D(5), D(40)) == D(20)
    assert (held.amount, held.entry_price, held.unrealised(D(41))) == (D(3), D(40), D(3))


@given(
    st.lists(
        st.tuples(
            st.integers(-9_999, 9_999).filter(bool).map(lambda n: D(n).scaleb(-3)),
            st.integers(1, 10**7).map(lambda n: D(n).scaleb(-2)),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_when_flat_the_realised_profit_is_what_was_received_less_what_was_paid(fills):
    """However a position was built and closed, rounding of its shares makes and loses no money."""
    held = Holding()
    realised = sum((held.apply(amount, price) for amount, price in fills), ZERO)
    paid = sum((amount * price for amount, price in fills), ZERO)
    assert held.amount == sum((amount for amount, _ in fills), ZERO)
    assert realised == held.cost - paid
    if held.amount:
        realised += held.apply(-held.amount, D(77))
        paid += -sum((amount for amount, _ in fills), ZERO) * D(77)
    assert (held.amount, held.cost) == (ZERO, ZERO)
    assert realised == -paid


def test_margin_takes_the_worse_of_all_buys_and_all_sells_filling():
    """A long of 2 with 3 to sell and 1 to buy can become long 3 or short 1: three are margined, at the mark."""
    account = Account("a", "USDT", D(1_000))
    account.execute("X", D(2), D(90), D(1))
    account.hold("X", D(3), is_buy=False)
    account.hold("X", D(1), is_buy=True)
    assert account.margin(marks, D(10)) == D(30)
    assert account.margin(marks, D(10), buying=("X", D(-9))) == D(100)
    assert account.margin(marks, D(10), buying=("Y", D(5))) == D(35)


def test_available_money_is_equity_less_margin_and_never_negative():
    """Unrealised profit counts, margin is held back, a loss beyond both shows as zero."""
    account = Account("a", "USDT", D(1_000))
    account.execute("X", D(2), D(90), D(1))
    balance = account.balance(marks, D(10))
    assert (balance.wallet, balance.available) == (D(999), D(999) + D(20) - D(20))
    account.execute("X", D(1_000), D(200), ZERO)
    assert account.balance(marks, D(10)).available == ZERO


@pytest.mark.parametrize(("amount", "is_buy", "reducible"), [(2, False, 2), (2, True, 0), (-3, True, 3), (0, True, 0)])
def test_only_the_other_side_reduces_a_position(amount, is_buy, reducible):
    """A long is reduced by sells up to its size, a short by buys, nothing by nothing."""
    account = Account("a", "USDT", D(1_000))
    if amount:
        account.execute("X", D(amount), D(90), ZERO)
    assert account.reducible("X", is_buy=is_buy) == reducible
