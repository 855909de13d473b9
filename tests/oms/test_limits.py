"""Limits are looked up from the nearest scope, value by value, and judge what they are asked."""

from decimal import Decimal

import pytest

from oms.limits import BaseLimits, InstrumentLimits, Limit, Limits, VenueLimits, Verdict, Window

D = Decimal


@pytest.mark.parametrize(
    ("value", "verdict"),
    [("9", Verdict.PASS), ("10", Verdict.PASS), ("10.1", Verdict.ASK), ("20", Verdict.ASK), ("20.1", Verdict.REFUSE)],
)
def test_a_limit_asks_over_its_soft_end_and_refuses_over_its_hard_one(value, verdict):
    """An end itself is still inside."""
    assert Limit(hard=D(20), soft=D(10)).judge(D(value)) is verdict


def test_a_limit_with_one_end_has_no_other():
    """A hard end never asks, a soft end never refuses."""
    assert Limit(hard=D(5)).judge(6) is Verdict.REFUSE
    assert Limit(hard=D(5)).judge(5) is Verdict.PASS
    assert Limit(soft=D(5)).judge(10**9) is Verdict.ASK
    assert Limit(hard=D(0)).judge(D("0.1")) is Verdict.REFUSE


@pytest.mark.parametrize(("hard", "soft"), [("-1", None), ("1", "2"), ("NaN", None), (None, "Infinity")])
def test_ends_that_make_no_limit_are_refused(hard, soft):
    """A limit that would never act is an error, not a limit."""
    with pytest.raises(ValueError, match=r"limit"):
        Limit(hard=hard and D(hard), soft=soft and D(soft))


@pytest.mark.parametrize(("age", "verdict"), [("0", Verdict.REFUSE), ("2", Verdict.ASK), ("10", Verdict.PASS)])
def test_a_window_refuses_the_fresh_and_asks_about_the_recent(age, verdict):
    """The younger the like of an act, the stricter."""
    assert Window(hard=D(2), soft=D(10)).judge(D(age)) is verdict


def test_a_window_that_never_asks_is_refused():
    """A soft time under the hard one is an error."""
    with pytest.raises(ValueError, match="never ask"):
        Window(hard=D(10), soft=D(2))


def test_the_nearest_scope_replaces_value_by_value():
    """A contract's own value wins over its venue's, that over the desk's; what is not named stays."""
    limits = Limits(
        each=InstrumentLimits(order_notional=Limit(D(100)), open_orders=Limit(D(3)), collar_mid_bps=Limit(D(50))),
        at_venue={"okx": InstrumentLimits(open_orders=Limit(D(2)))},
        instruments={("okx", "BTC-USDT-SWAP"): InstrumentLimits(order_notional=Limit(soft=D(900)))},
    )
    own = limits.of("okx", "BTC-USDT-SWAP")
    assert own.order_notional == Limit(soft=D(900))
    assert own.open_orders == Limit(D(2))
    assert own.collar_mid_bps == Limit(D(50))
    assert limits.of("okx", "ETH-USDT-SWAP").order_notional == Limit(D(100))
    assert limits.of("binance", "BTCUSDT").open_orders == Limit(D(3))
    assert limits.of("binance", "BTCUSDT").position_quantity is None


def test_sums_are_looked_up_beside_and_limit_nothing_where_not_named():
    """A venue's and a base asset's sums are their own, with the defaults of each base."""
    limits = Limits(
        venues={"okx": VenueLimits(daily_loss=Limit(D(500)))},
        each_base=BaseLimits(net_notional=Limit(D(1000))),
        bases={"BTC": BaseLimits(net_quantity=Limit(D("0.5")))},
    )
    assert limits.venue("okx").daily_loss == Limit(D(500))
    assert limits.venue("binance") == VenueLimits()
    assert limits.net("BTC") == BaseLimits(net_quantity=Limit(D("0.5")), net_notional=Limit(D(1000)))
    assert limits.net("ETH").net_quantity is None
