"""Every limit of the risk checks: just under it passes, at it passes, over it is refused by its reason and numbers."""

from decimal import Decimal
from typing import NamedTuple

import msgspec
import pytest

from gateways.errors import Denied
from oms.limits import (
    BaseLimits,
    DeskLimits,
    InstrumentLimits,
    Limit,
    Limits,
    VenueLimits,
    Verdict,
    Window,
)
from oms.risk.engine import check
from oms.risk.facts import Market
from oms.risk.verdict import Judgement, OverLimit, Reason, Unconfirmed
from tests.oms.risk_cases import (
    HERE,
    THERE,
    contract,
    facts,
    held,
    leg,
    market,
    order,
    owed,
    resting,
    sent,
    today,
)

D = Decimal


class Case(NamedTuple):
    """A limit, what is judged by it as a function of one number, and that number under, at and over the limit."""

    reason: Reason
    make: object
    """The limits, of a ``Limit``."""
    end: str
    ask: object
    """(request, facts) of the number."""
    under: str
    at: str
    over: str
    value: str
    """What the sentence and the breach say of the number that is over."""


def each(name):
    return lambda limit: Limits(each=InstrumentLimits(**{name: limit}))


def desk(name):
    return lambda limit: Limits(desk=DeskLimits(**{name: limit}))


def venue(name, alias="a"):
    return lambda limit: Limits(venues={alias: VenueLimits(**{name: limit})})


def base(name):
    return lambda limit: Limits(each_base=BaseLimits(**{name: limit}))


def many(count, key=HERE):
    return tuple(resting("0.01", name=str(number), key=key) for number in range(int(count)))


def lately(count, key=HERE):
    return tuple(sent("0.9", key=key, amount=str(number + 2)) for number in range(int(count)))


CASES = {
    "quantity of an order": Case(
        Reason.ORDER_QUANTITY, each("order_quantity"), "5", lambda x: (order(x), facts()), "4.999", "5", "5.001",
        "5.001",
    ),
    "quantity of a sell": Case(
        Reason.ORDER_QUANTITY, each("order_quantity"), "5", lambda x: (order(-D(x)), facts()), "4.999", "5", "5.001",
        "5.001",
    ),
    "notional of an order": Case(
        Reason.ORDER_NOTIONAL, each("order_notional"), "500", lambda x: (order(5, x), facts()), "99.9", "100", "100.1",
        "500.5",
    ),
    "notional of a sell under the market": Case(
        Reason.ORDER_NOTIONAL, each("order_notional"), "500", lambda x: (order(-D(x), "90"), facts()), "4.999", "5",
        "5.01", "501",
    ),
    "notional of a market order": Case(
        Reason.ORDER_NOTIONAL, each("order_notional"), "505",
        lambda x: (order(5, None, market_price=D(x)), facts()), "100.9", "101", "101.1", "505.5",
    ),
    "position with what works on its side": Case(
        Reason.POSITION_QUANTITY, each("position_quantity"), "10",
        lambda x: (order(x), facts(held={HERE: held(3)}, resting=(resting(2), resting(-50, name="2")))),
        "4.9", "5", "5.1", "10.1",
    ),
    "short position": Case(
        Reason.POSITION_QUANTITY, each("position_quantity"), "10",
        lambda x: (order(-D(x)), facts(held={HERE: held(-3)}, resting=(resting(-2),))), "4.9", "5", "5.1", "10.1",
    ),
    "position by the highest that may be held": Case(
        Reason.POSITION_QUANTITY, each("position_quantity"), "10",
        lambda x: (order(x), facts(held={HERE: held(0, 3)})), "6.9", "7", "7.1", "10.1",
    ),
    "position through zero": Case(
        Reason.POSITION_QUANTITY, each("position_quantity"), "10",
        lambda x: (order(x), facts(held={HERE: held(-8)})), "17", "18", "19", "11",
    ),
    "position of the hedge's contract": Case(
        Reason.POSITION_QUANTITY, lambda limit: Limits(instruments={THERE: InstrumentLimits(position_quantity=limit)}),
        "10", lambda x: (order(x, legs=(leg("-0.5"),)), facts(held={THERE: held(-3)}, owed=(owed(-1),))),
        "11.9", "12", "12.1", "10.05",
    ),
    "position of the hedge's contract with other makers": Case(
        Reason.POSITION_QUANTITY, lambda limit: Limits(instruments={THERE: InstrumentLimits(position_quantity=limit)}),
        "10", lambda x: (order(x, legs=(leg(),)), facts(resting=(resting(4, legs=(leg(),)),))),
        "5.9", "6", "6.1", "10.1",
    ),
    "notional of a position": Case(
        Reason.POSITION_NOTIONAL, each("position_notional"), "1000",
        lambda x: (order(x), facts(held={HERE: held(3)})), "6.9", "7", "7.1", "1010",
    ),
    "notional of a venue": Case(
        Reason.POSITION_NOTIONAL, venue("position_notional"), "1000",
        lambda x: (order(x), facts(held={HERE: held(1), ("a", "Y"): held(-2)}, markets=PRICES)), "3.9", "4", "4.1",
        "1010",
    ),
    "notional of the hedge's venue": Case(
        Reason.POSITION_NOTIONAL, venue("position_notional", "b"), "1000",
        lambda x: (order(x, legs=(leg(),)), facts(held={THERE: held(-1)})), "8.9", "9", "9.1", "1010",
    ),
    "notional of the desk": Case(
        Reason.POSITION_NOTIONAL, desk("position_notional"), "1000",
        lambda x: (order(x), facts(held={HERE: held(1), ("a", "Y"): held(-2)}, markets=PRICES)), "3.9", "4", "4.1",
        "1010",
    ),
    "net of a base asset": Case(
        Reason.NET_QUANTITY, base("net_quantity"), "10",
        lambda x: (
            order(x, legs=(leg(),)), facts(held={HERE: held(9), THERE: held(-5)}, resting=(resting(1, key=THERE),))
        ),
        "4.9", "5", "5.1", "10.1",
    ),
    "net of a base asset with what waits": Case(
        Reason.NET_QUANTITY, base("net_quantity"), "10",
        lambda x: (order(x), facts(held={HERE: held(-2)}, owed=(owed(5),))), "6.9", "7", "7.1", "10.1",
    ),
    "net of a base asset by a hedge larger than its maker": Case(
        Reason.NET_QUANTITY, base("net_quantity"), "10",
        lambda x: (order(-D(x), legs=(leg("-2"),)), facts(held={HERE: held(3)})), "6.9", "7", "7.1", "10.1",
    ),
    "net of a base asset by a resting maker's larger hedge": Case(
        Reason.NET_QUANTITY, base("net_quantity"), "10",
        lambda x: (order(x), facts(resting=(resting(-4, legs=(leg("-2"),)),))), "5.9", "6", "6.1", "10.1",
    ),
    "net notional of a base asset": Case(
        Reason.NET_NOTIONAL, base("net_notional"), "1000", lambda x: (order(x), facts(held={THERE: held(4)})),
        "5.9", "6", "6.1", "1010",
    ),
    "open orders of a contract": Case(
        Reason.OPEN_ORDERS, each("open_orders"), "3",
        lambda x: (order(1), facts(resting=(*many(x), *many(9, ("a", "Y"))))), "1", "2", "3", "4",
    ),
    "open orders of a venue": Case(
        Reason.OPEN_ORDERS, venue("open_orders"), "3",
        lambda x: (order(1), facts(resting=(*many(x, ("a", "Y")), *many(9, THERE)))), "1", "2", "3", "4",
    ),
    "open orders of the desk": Case(
        Reason.OPEN_ORDERS, desk("open_orders"), "3", lambda x: (order(1), facts(resting=many(x, THERE))),
        "1", "2", "3", "4",
    ),
    "collar of a buy to the mid": Case(
        Reason.COLLAR_MID, each("collar_mid_bps"), "100", lambda x: (order(1, x), facts()), "100.9", "101", "101.1",
        "110",
    ),
    "collar of a sell to the mid": Case(
        Reason.COLLAR_MID, each("collar_mid_bps"), "100", lambda x: (order(-1, x), facts()), "99.1", "99", "98.9",
        "110",
    ),
    "collar of a market order": Case(
        Reason.COLLAR_MID, each("collar_mid_bps"), "100",
        lambda x: (order(1, None, market_price=D(x)), facts()), "100.9", "101", "101.1", "110",
    ),
    "collar to the last trade": Case(
        Reason.COLLAR_LAST, each("collar_last_bps"), "100",
        lambda x: (order(1, x), facts(markets={HERE: market(90, last=100)})), "100.9", "101", "101.1", "110",
    ),
    "collar to the mark, before any trade": Case(
        Reason.COLLAR_LAST, each("collar_last_bps"), "100",
        lambda x: (order(1, x), facts(markets={HERE: Market(mark=D(100))})), "100.9", "101", "101.1", "110",
    ),
    "orders per second of a venue": Case(
        Reason.ORDERS_PER_SECOND, venue("orders_per_second"), "3",
        lambda x: (order(1), facts(sent=(*lately(x), *lately(9, THERE)))), "1", "2", "3", "4",
    ),
    "orders per second of the desk": Case(
        Reason.ORDERS_PER_SECOND, desk("orders_per_second"), "3",
        lambda x: (order(1), facts(sent=lately(x, THERE))), "1", "2", "3", "4",
    ),
    "turnover of a venue": Case(
        Reason.DAILY_TURNOVER, venue("daily_turnover"), "2000",
        lambda x: (order(x), facts(today={"a": today(1000), "b": today(9000)}, resting=(resting(-2, "110"),))),
        "7.7", "7.8", "7.9", "2010",
    ),
    "turnover of the hedge's venue": Case(
        Reason.DAILY_TURNOVER, venue("daily_turnover", "b"), "2000",
        lambda x: (order(x, legs=(leg(),)), facts(today={"b": today(1000)}, owed=(owed(1),))), "8.9", "9", "9.1",
        "2010",
    ),
    "turnover of the desk": Case(
        Reason.DAILY_TURNOVER, desk("daily_turnover"), "2000",
        lambda x: (order(x, legs=(leg(),)), facts(today={"a": today(500), "b": today(500)})), "4.9", "5", "5.1", "2020",
    ),
    "loss of a venue": Case(
        Reason.DAILY_LOSS, venue("daily_loss"), "100",
        lambda x: (order(1), facts(today={"a": today(loss=x), "b": today(loss=500)})), "99", "100", "101", "101",
    ),
    "loss of the desk": Case(
        Reason.DAILY_LOSS, desk("daily_loss"), "100",
        lambda x: (order(1), facts(today={"a": today(loss=x), "b": today(loss=-50)})), "149", "150", "151", "101",
    ),
    "unhedged in a book": Case(
        Reason.UNHEDGED, each("unhedged_notional"), "500",
        lambda x: (order(1, legs=(leg(),)), facts(owed=(owed(exposed=x), owed(exposed=9, key=HERE)))),
        "4.9", "5", "5.1", "510",
    ),
    "unhedged in all books": Case(
        Reason.UNHEDGED, desk("unhedged_notional"), "500",
        lambda x: (order(1, legs=(leg(),)), facts(owed=(owed(exposed=x), owed(exposed=1, key=HERE)))),
        "3.9", "4", "4.1", "510",
    ),
    "slippage of all hedges at once": Case(
        Reason.HEDGE_DEPTH, each("hedge_slippage_bps"), "60",
        lambda x: (order(x, legs=(leg(),)), facts(owed=(owed(-1),), resting=(resting(4, legs=(leg(),)),))),
        "14", "15", "15.1", "100",
    ),
    "collateral of all hedges at once": Case(
        Reason.HEDGE_MARGIN, venue("leverage", "b"), "5",
        lambda x: (order(x, legs=(leg(),)), facts(free={"b": D(100)}, resting=(resting(1, legs=(leg(),)),))),
        "3.9", "4", "4.1", "5.1",
    ),
}  # fmt: skip
PRICES = {HERE: market(100), THERE: market(100), ("a", "Y"): market(250)}


def judged(case, limit, number):
    request, known = case.ask(number)
    return check(request, known, case.make(limit))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_up_to_a_hard_limit_an_order_passes_and_over_it_it_is_refused(case):
    """Under and at the end nothing is found; over it, one breach with the reason, the number and what is allowed."""
    limit = Limit(hard=D(case.end))
    assert judged(case, limit, case.under) == Judgement()
    assert judged(case, limit, case.at) == Judgement()
    over = judged(case, limit, case.over)
    assert [(each.reason, each.value, each.allowed) for each in over.breaches] == [
        (case.reason, D(case.value), D(case.end))
    ]
    assert over.verdict is Verdict.REFUSE
    for confirmed in (False, True):
        with pytest.raises(OverLimit) as refused:
            over.enforce(confirmed=confirmed)
        assert not isinstance(refused.value, Unconfirmed)
        assert isinstance(refused.value, Denied)
        assert refused.value.breach.reason is case.reason
        assert case.end in refused.value.text


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_over_a_soft_limit_an_order_is_asked_about_and_passes_when_confirmed(case):
    """Under and at the end nothing is asked; over it the same order passes once it is said again as confirmed."""
    limit = Limit(soft=D(case.end))
    assert judged(case, limit, case.at) == Judgement()
    over = judged(case, limit, case.over)
    assert over.verdict is Verdict.ASK
    with pytest.raises(Unconfirmed) as asked:
        over.enforce(confirmed=False)
    assert (asked.value.breach.reason, asked.value.breach.value) == (case.reason, D(case.value))
    over.enforce(confirmed=True)


@pytest.mark.parametrize(
    ("age", "verdict"),
    [("0", "refuse"), ("1.999", "refuse"), ("2", "ask"), ("9.999", "ask"), ("10", "pass"), ("60", "pass")],
)
def test_the_same_order_again_is_taken_for_a_double_press(age, verdict):
    """Refused within the hard time, asked about within the soft one, counted from the latest of its like."""
    limits = Limits(each=InstrumentLimits(duplicate_s=Window(hard=D(2), soft=D(10))))
    known = facts(sent=(sent("70"), sent(age)))
    found = check(order(1), known, limits)
    assert found.verdict.value == verdict
    assert [each.reason for each in found.breaches] == ([] if verdict == "pass" else [Reason.DUPLICATE])
    assert [each.value for each in found.breaches] == ([] if verdict == "pass" else [D(age)])


@pytest.mark.parametrize(
    "other",
    [
        sent("1", amount="2"), sent("1", amount="-1"), sent("1", price="100.1"), sent("1", key=("a", "Y")),
        sent("1", key=("b", "X")), sent("1", amended=True), sent("1", failed=True), sent("1", price=None),
        sent("1", rule="queue1"),
    ],
)  # fmt: skip
def test_what_is_not_the_same_order_is_no_double_press(other):
    """Another size, side, price or contract, an amend, and an order that was refused."""
    limits = Limits(each=InstrumentLimits(duplicate_s=Window(hard=D(2))))
    assert check(order(1), facts(sent=(other,)), limits) == Judgement()


def test_orders_by_one_rule_are_alike_whatever_price_it_gave_them():
    """A second press of the same key is one, though the book has moved by a tick."""
    limits = Limits(each=InstrumentLimits(duplicate_s=Window(hard=D(2))))
    known = facts(sent=(sent("1", price="99.9", rule="queue1"),))
    assert check(order(1, rule="queue1"), known, limits).verdict is Verdict.REFUSE
    assert check(order(1, rule="queue5"), known, limits) == Judgement()


ALL_SMALL = Limits(
    each=InstrumentLimits(position_quantity=Limit(D(1)), position_notional=Limit(D(1))),
    each_base=BaseLimits(net_quantity=Limit(D(1)), net_notional=Limit(D(1))),
    venues={"a": VenueLimits(position_notional=Limit(D(1)), daily_turnover=Limit(D(1)), daily_loss=Limit(D(1)))},
    desk=DeskLimits(position_notional=Limit(D(1)), daily_turnover=Limit(D(1)), daily_loss=Limit(D(1))),
)


def test_a_reduce_only_order_passes_all_that_keeps_positions_small():
    """The way out is open whatever is broken already: positions, the day's turnover, its loss."""
    known = facts(held={HERE: held(50)}, today={"a": today(10**6, 10**6)}, resting=(resting(40),))
    assert check(order(-50, reduce_only=True), known, ALL_SMALL) == Judgement()
    assert check(order(-50), known, ALL_SMALL).verdict is Verdict.REFUSE


def test_a_reduce_only_order_with_hedges_is_a_maker_like_any_other():
    """What hedges it opens a position elsewhere, and trades."""
    known = facts(held={HERE: held(50)}, today={"a": today(10**6, 10**6)})
    found = check(order(-50, reduce_only=True, legs=(leg(),)), known, ALL_SMALL)
    assert {Reason.POSITION_QUANTITY, Reason.DAILY_LOSS} <= {each.reason for each in found.breaches}


def test_a_reduce_only_order_that_opens_the_net_position_is_refused():
    """To close one venue's side of a hedged pair leaves the other: that is what the net limit is for."""
    known = facts(held={HERE: held(50), THERE: held(-50)})
    found = check(order(-50, reduce_only=True), known, Limits(each_base=BaseLimits(net_quantity=Limit(D(10)))))
    assert [(each.reason, each.value) for each in found.breaches] == [(Reason.NET_QUANTITY, D(50))]


def test_an_order_that_makes_a_position_smaller_is_not_refused_for_its_size():
    """A sell out of too long a position passes, though what is left is over the limit still."""
    limits = Limits(each=InstrumentLimits(position_quantity=Limit(D(10)), position_notional=Limit(D(10))))
    assert check(order(-5), facts(held={HERE: held(500)}), limits) == Judgement()


def test_reduce_only_orders_that_work_make_room_up_to_zero_and_no_further():
    """A short position and a reduce-only buy of more than it: a buy beside them starts from zero."""
    limits = Limits(each=InstrumentLimits(position_quantity=Limit(D(10))))
    known = facts(held={HERE: held(-5)}, resting=(resting(9, reduce_only=True),))
    assert check(order(10), known, limits) == Judgement()
    assert check(order("10.1"), known, limits).breaches[0].value == D("10.1")


def test_an_amend_is_judged_in_the_place_of_the_order_that_it_changes():
    """Its old size does not count twice, it is no further working order, and no double press."""
    limits = Limits(
        each=InstrumentLimits(
            position_quantity=Limit(D(10)), open_orders=Limit(D(1)), duplicate_s=Window(hard=D(5)),
            order_quantity=Limit(D(12)),
        )
    )  # fmt: skip
    known = facts(resting=(resting(8, name="me"),), sent=(sent("1", amount="10"),))
    assert check(order(10, replaces="me"), known, limits) == Judgement()
    found = check(order(11, replaces="me", total=D(13)), known, limits)
    assert {each.reason for each in found.breaches} == {Reason.POSITION_QUANTITY, Reason.ORDER_QUANTITY}


def test_an_amend_counts_among_the_orders_of_a_second():
    """The venue counts it too."""
    limits = Limits(desk=DeskLimits(orders_per_second=Limit(D(1))))
    known = facts(resting=(resting(8, name="me"),), sent=(sent("0.5", amended=True),))
    assert check(order(8, replaces="me"), known, limits).breaches[0].reason is Reason.ORDERS_PER_SECOND
    known = facts(resting=(resting(8, name="me"),), sent=(sent("1", amended=True),))
    assert check(order(8, replaces="me"), known, limits) == Judgement()


def test_an_amend_that_only_takes_away_is_held_to_the_rate_alone():
    """What is over a limit already may always become less; the venue counts the request all the same."""
    tiny = Limit(D("0.001"))
    limits = Limits(
        each=InstrumentLimits(order_quantity=tiny, order_notional=tiny, position_quantity=tiny, collar_mid_bps=tiny),
        desk=DeskLimits(orders_per_second=Limit(D(1))),
    )
    known = facts(resting=(resting(8, name="me"),))
    assert check(order(6, "200", replaces="me", lessens=True), known, limits) == Judgement()
    found = check(order(6, replaces="me", lessens=True), facts(resting=known.resting, sent=(sent("0.5"),)), limits)
    assert [each.reason for each in found.breaches] == [Reason.ORDERS_PER_SECOND]


@pytest.mark.parametrize(
    "limits",
    [
        each("order_notional")(Limit(D(10**9))), each("position_notional")(Limit(D(10**9))),
        venue("position_notional")(Limit(D(10**9))), desk("position_notional")(Limit(D(10**9))),
        base("net_notional")(Limit(D(10**9))), desk("daily_turnover")(Limit(D(10**9))),
        each("collar_mid_bps")(Limit(D(10**9))), each("collar_last_bps")(Limit(D(10**9))),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_for_want_of_a_price_is_refused(limits):
    """A limit in money holds nothing back when there is no price: so nothing is sent."""
    found = check(order(1, None), facts(markets={}), limits)
    assert {each.reason for each in found.breaches} == {Reason.NO_PRICE}
    assert found.verdict is Verdict.REFUSE


def test_unhedged_quantity_without_a_price_is_refused():
    """It may be anything."""
    limits = Limits(
        each=InstrumentLimits(unhedged_notional=Limit(D(5))), desk=DeskLimits(unhedged_notional=Limit(D(5)))
    )
    found = check(order(1, legs=(leg(),)), facts(markets={HERE: market(100)}, owed=(owed(1),)), limits)
    assert [each.reason for each in found.breaches] == [Reason.NO_PRICE, Reason.NO_PRICE]


def test_an_order_without_legs_is_not_judged_by_what_is_unhedged():
    """It feeds no book."""
    limits = Limits(desk=DeskLimits(unhedged_notional=Limit(D(1))))
    assert check(order(1), facts(owed=(owed(100),)), limits) == Judgement()


def test_every_breach_is_told_and_the_hard_ones_alone_where_there_are_any():
    """The operator is not asked about what would be refused all the same."""
    limits = Limits(each=InstrumentLimits(order_quantity=Limit(D(1)), order_notional=Limit(soft=D(1))))
    found = check(order(2), facts(), limits)
    assert [each.verdict for each in found.breaches] == [Verdict.REFUSE, Verdict.ASK]
    with pytest.raises(OverLimit) as refused:
        found.enforce(confirmed=False)
    assert [each.reason for each in refused.value.breaches] == [Reason.ORDER_QUANTITY]


def test_the_sentence_names_the_numbers_and_the_field():
    """One sentence: what it comes to, what is allowed, where."""
    (breach,) = check(order("5.25"), facts(), Limits(each=InstrumentLimits(order_quantity=Limit(D(5))))).breaches
    assert breach.text == "the amount 5.25 is over the 5 allowed for one order in a:X"
    assert (breach.field, breach.venue) == ("amount", "a")


def test_without_limits_nothing_is_found():
    """What is not set is not limited."""
    assert check(order(10**9, None), facts(markets={}), Limits()) == Judgement()


def test_contracts_of_other_base_assets_do_not_count_in_a_net():
    """Each base asset for itself."""
    limits = Limits(each_base=BaseLimits(net_quantity=Limit(D(10))))
    other = ("a", "Y")
    known = msgspec.structs.replace(facts(), contracts={HERE: contract(HERE), other: contract(other, base="Y")})
    known = msgspec.structs.replace(known, held={other: held(100)})
    assert check(order(10), known, limits) == Judgement()
