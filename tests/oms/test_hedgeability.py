"""A maker is refused where its fills could not be hedged: by the hedge venue's state, minimums, depth or margin."""

from decimal import Decimal

import pytest

from oms.hedge.policy import How, Rung
from oms.limits import InstrumentLimits, Limit, Limits, VenueLimits, Verdict
from oms.risk.engine import check
from oms.risk.facts import Depth
from oms.risk.verdict import Judgement, Reason
from tests.oms.risk_cases import HERE, THERE, contract, facts, ioc, leg, market, order, owed, resting

D = Decimal
REFUSED = Limits(hedgeability=Verdict.REFUSE)
ASKED = Limits(hedgeability=Verdict.ASK)


def found(request, known, limits=REFUSED):
    return [each.reason for each in check(request, known, limits).breaches]


def test_a_maker_that_can_be_hedged_passes():
    """Venue up, contract trading, over the minimum, depth and collateral enough."""
    assert check(order(1, legs=(leg(), leg(key=HERE))), facts(), REFUSED) == Judgement()


@pytest.mark.parametrize(
    "known",
    [
        facts(outages={"b": "venue down: no answer"}),
        facts(owed=(owed(blocked="the book is paused, by the operator"),)),
        facts(contracts={HERE: contract(HERE), THERE: contract(THERE, trading=False)}),
    ],
)
def test_a_hedge_venue_that_would_not_take_it_refuses_the_maker(known):
    """Down, paused, or not trading."""
    request = order(1, legs=(leg(),))
    (breach,) = check(request, known, REFUSED).breaches
    assert (breach.reason, breach.verdict, breach.field) == (Reason.HEDGE_STATE, Verdict.REFUSE, "leg 1 ticker")
    assert check(request, known, ASKED).verdict is Verdict.ASK
    assert check(request, known, Limits(each=InstrumentLimits(order_quantity=Limit(D(9))))) == Judgement()


def test_outages_elsewhere_and_other_books_do_not_matter():
    """Only the leg's own venue and book."""
    known = facts(outages={"c": "down"}, owed=(owed(key=HERE, blocked="paused"),))
    assert check(order(1, legs=(leg(),)), known, REFUSED) == Judgement()


@pytest.mark.parametrize(("amount", "reasons"), [("0.049", [Reason.HEDGE_MINIMUM]), ("0.05", []), ("0.051", [])])
def test_a_hedge_under_the_venues_minimum_would_wait(amount, reasons):
    """5 quote units at 100 are 0.05: one lot less is never sent alone."""
    assert found(order(amount, legs=(leg(),)), facts()) == reasons


def test_what_other_makers_and_the_book_would_add_lifts_a_hedge_over_the_minimum():
    """It is the sum that is sent; what goes the other way adds nothing."""
    request = order("0.03", legs=(leg(),))
    assert found(request, facts(resting=(resting("0.02", legs=(leg(),)),))) == []
    assert found(request, facts(owed=(owed("-0.02"),))) == []
    assert found(request, facts(owed=(owed("0.02"),))) == [Reason.HEDGE_MINIMUM]
    assert found(request, facts(resting=(resting("-0.02", legs=(leg(),)),))) == [Reason.HEDGE_MINIMUM]


@pytest.mark.parametrize(("amount", "reasons"), [("19.9", []), ("20", []), ("20.1", [Reason.HEDGE_DEPTH])])
def test_a_leg_with_a_slippage_limit_needs_that_depth_within_it(amount, reasons):
    """Within 50 bps of the best price there are 20 on either side."""
    for way in (1, -1):
        assert found(order(way * D(amount), legs=(leg(**ioc(50)),)), facts()) == reasons
    ticks = leg(rungs=(Rung(how=How.JOIN, for_ms=100), Rung(how=How.IOC, slippage_ticks=5)))
    assert found(order(amount, legs=(ticks,)), facts()) == reasons


def test_depth_is_for_the_worst_case_of_all_makers_at_once():
    """What rests already and what waits would take the same levels."""
    known = facts(resting=(resting(10, legs=(leg(**ioc(50)),)),), owed=(owed(-5),))
    assert found(order(5, legs=(leg(**ioc(50)),)), known) == []
    assert found(order("5.1", legs=(leg(**ioc(50)),)), known) == [Reason.HEDGE_DEPTH]


def test_a_market_leg_has_no_slippage_limit_of_its_own():
    """It takes what there is; the desk's limit holds for it where there is one."""
    assert found(order(110, legs=(leg(),)), facts()) == []
    limited = Limits(each=InstrumentLimits(hedge_slippage_bps=Limit(soft=D(60), hard=D(99))))
    assert [each.verdict for each in check(order(20, legs=(leg(),)), facts(), limited).breaches] == []
    (breach,) = check(order(21, legs=(leg(),)), facts(), limited).breaches
    assert (breach.reason, breach.verdict, breach.value) == (Reason.HEDGE_DEPTH, Verdict.REFUSE, D(100))


@pytest.mark.parametrize(
    ("limit", "verdict"), [(Limit(hard=D(9999)), Verdict.REFUSE), (Limit(soft=D(9999)), Verdict.ASK)]
)
def test_a_book_that_does_not_hold_it_is_over_any_slippage_limit(limit, verdict):
    """More than all levels, or no book in sequence at all."""
    limits = Limits(each=InstrumentLimits(hedge_slippage_bps=limit))
    for amount, depths in ((121, facts().depths), (1, {}), (1, {THERE: Depth()})):
        (breach,) = check(order(amount, legs=(leg(),)), facts(depths=depths), limits).breaches
        assert (breach.reason, breach.verdict, breach.value) == (Reason.HEDGE_DEPTH, verdict, None)


def test_without_a_book_a_leg_with_a_slippage_limit_cannot_be_hedged():
    """An IOC limit is priced from the book."""
    assert found(order(1, legs=(leg(**ioc(50)),)), facts(depths={})) == [Reason.HEDGE_DEPTH]


def test_without_a_leverage_some_collateral_must_be_free():
    """None at all hedges nothing; what is not told is not judged."""
    request = order(1, legs=(leg(),))
    assert found(request, facts(free={"a": D(5), "b": D(0)})) == [Reason.HEDGE_MARGIN]
    assert found(request, facts(free={"a": D(0), "b": D("0.01")})) == []
    assert found(request, facts(free={})) == []


LEVERED = Limits(venues={"b": VenueLimits(leverage=Limit(hard=D(5)))})


def test_hedges_that_make_a_position_smaller_need_no_collateral():
    """Only what outgrows what the venue holds margin for already has to come out of what is free."""
    known = facts(free={"b": D(1)}, resting=(resting(50, key=THERE),))
    assert check(order(50, legs=(leg(),)), known, LEVERED) == Judgement()
    assert found(order(51, legs=(leg(),)), known, LEVERED) == [Reason.HEDGE_MARGIN]


def test_with_a_leverage_nothing_free_carries_nothing():
    """And what is not known refuses."""
    request = order(1, legs=(leg(),))
    (breach,) = check(request, facts(free={"b": D(0)}), LEVERED).breaches
    assert (breach.reason, breach.verdict) == (Reason.HEDGE_MARGIN, Verdict.REFUSE)
    assert found(request, facts(free={}), LEVERED) == [Reason.NO_PRICE]
    assert found(request, facts(markets={HERE: market(100)}), LEVERED) == [Reason.NO_PRICE]


def test_each_leg_is_judged_by_itself_and_named():
    """The form points at the leg that cannot hedge."""
    legs = (leg("-0.5"), leg("-0.5", key=("c", "X")))
    known = facts(contracts={HERE: contract(HERE), THERE: contract(THERE), ("c", "X"): contract(("c", "X"))})
    known_down = check(order(1, legs=legs), known, REFUSED)
    assert known_down == Judgement()
    down = facts(contracts=known.contracts, outages={"c": "down"})
    (breach,) = check(order(1, legs=legs), down, REFUSED).breaches
    assert (breach.venue, breach.field) == ("a", "leg 2 ticker")
