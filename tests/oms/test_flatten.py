"""Flatten within a slippage: what is sent, at which price, and what is left and told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.contracts import is_multiple
from gateways.errors import Rejected
from gateways.standards import BookUpdate, Level, OrderKind, RejectReason, TimeInForce
from oms.flatten import worst_price
from oms.limits import Limits
from tests.oms.stub_venue import D, contract, desk, virtual


def book(bid=None, ask=None):
    levels = [() if price is None else (Level(D(price), D(1)),) for price in (bid, ask)]
    return BookUpdate(venue="b", ticker="X", bids=levels[0], asks=levels[1], snapshot=True)


@given(
    st.decimals(min_value="0.1", max_value=10**6, places=1),
    st.decimals(min_value="0.01", max_value=2_000, places=2),
    st.sampled_from([1, -1]),
)
def test_the_worst_price_is_on_the_tick_between_the_best_price_and_the_cap(best, bps, sign):
    """Never beyond the slippage, never behind the market; under a tick of slippage it is the best price itself."""
    price = worst_price(contract("b"), book(best, best), D(sign), bps)
    cap = best * (1 - sign * bps / 10_000)
    assert is_multiple(price, D("0.1"))
    assert min(best, cap) <= price <= max(best, cap)
    assert abs(price - cap) < D("0.1")


def test_without_the_side_that_is_met_there_is_no_worst_price():
    """A long is sold to the bids, a short is bought from the offers."""
    assert worst_price(contract("b"), book(ask="100"), D(1), D(50)) is None
    assert worst_price(contract("b"), book(bid="100"), D(-1), D(50)) is None


@virtual
@pytest.mark.parametrize(("held", "price"), [("3", "99.5"), ("-3", "100.6")])
async def test_a_position_is_closed_by_a_reduce_only_limit_of_which_nothing_rests(held, price):
    """The best bid is 99.9 and the best offer 100.1: within 50 bps of them."""
    async with desk() as made:
        made.b.position["X"] = D(held)
        assert (await made.oms.flatten("b", "X")).done
        (order,) = made.b.asked("place")
        assert (order.kind, order.tif, order.reduce_only) == (OrderKind.LIMIT, TimeInForce.IOC, True)
        assert (order.amount, order.price) == (-D(held), D(price))


@virtual
async def test_what_the_book_does_not_hold_within_the_slippage_is_left_and_told_and_goes_at_the_next_press():
    """The price is not followed: all orders of one flatten have one limit, the next goes by the market of then."""
    async with desk() as made:
        made.b.position["X"] = D(3)

        async def in_part(order):
            return made.b.accept(order, filled="-1")

        async def nobody(order):
            raise Rejected("b", "could not immediately match", reason=RejectReason.NO_LIQUIDITY)

        async def falling(order):
            made.b.quote("50")
            return await in_part(order)

        made.b.script["place"].extend([falling, nobody, nobody, nobody])
        result = await made.oms.flatten("b", "X")
        assert (result.residual, result.done) == (D(2), False)
        assert result.text.startswith("not all could be closed within 50 bps of the market, to 99.5:")
        assert {order.price for order in made.b.asked("place")} == {D("99.5")}
        assert (await made.oms.flatten("b", "X")).done
        assert made.b.asked("place")[-1].price == D("49.7")


@virtual
async def test_the_slippage_is_a_limit_of_the_desk():
    """It is read when it is used: limits that were changed hold at once."""
    async with desk() as made:
        made.b.position["X"] = D(1)
        made.oms.guard.limits = Limits(flatten_slippage_bps=D(100))
        assert (await made.oms.flatten("b", "X")).done
        assert made.b.asked("place")[0].price == D("99")
