"""What an order is refused for before it is sent."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.contracts import Contracts, is_multiple, is_on_tick
from gateways.errors import Denied
from gateways.standards import Contract, OrderKind, PlaceOrder, PriceRule, PriceSide, RejectReason, TimeInForce
from oms.checks import check_legs, check_order, check_reduce_only, find_contract, find_venue
from oms.hedge import events as e
from oms.hedge.book import reserved
from oms.hedge.kernel import Kernel
from oms.hedge.policy import How, Leg, OnFailure, Policy, Rung
from tests.contracts import HYPERLIQUID_SOL, swap

D = Decimal

SOL = swap(
    "binance", "SOLUSDT", "SOL", lot="0.01", min_quantity=D("0.05"), max_quantity=D(1000), market_max_quantity=D(100)
)
ETH = msgspec.structs.replace(SOL, ticker="ETHUSDT", base="ETH")
DESK = {
    "binance": Contracts("binance", [SOL, ETH, msgspec.structs.replace(SOL, ticker="FXSUSDT", trading=False)]),
    "hyperliquid": Contracts("hyperliquid", [HYPERLIQUID_SOL]),
}
ORDER = PlaceOrder(ticker="SOLUSDT", cloid="", amount=D(3), price=D("134.55"))


def refused(contract: Contract, reference: Decimal | None = None, **changes: object) -> Denied:
    """How the order with these changes is refused."""
    with pytest.raises(Denied) as denied:
        check_order(contract, msgspec.structs.replace(ORDER, **changes), reference=reference)
    return denied.value


@pytest.mark.parametrize(
    ("changes", "field", "reason", "words"),
    [
        ({"amount": D("3.005")}, "amount", RejectReason.LOT, "lot 0.01: the nearest are 3.00 and 3.01"),
        ({"amount": D("-3.005")}, "amount", RejectReason.LOT, "the nearest are 3.00 and 3.01"),
        ({"amount": D("0.04")}, "amount", RejectReason.LOT, "smallest order 0.05"),
        ({"amount": D("0.004")}, "amount", RejectReason.LOT, "smallest order 0.05"),
        ({"amount": D(0)}, "amount", RejectReason.LOT, "above zero"),
        ({"amount": D("1000.01")}, "amount", RejectReason.LOT, "largest order 1000.00"),
        (
            {"amount": D("100.01"), "kind": OrderKind.MARKET, "price": None},
            "amount",
            RejectReason.LOT,
            "largest market order 100.00",
        ),
        ({"amount": D("0.05"), "price": D(60)}, "amount", RejectReason.MIN_NOTIONAL, "at 60.00 the smallest is 0.09"),
        ({"price": D("134.555")}, "price", RejectReason.TICK, "tick 0.01: the nearest are 134.55 and 134.56"),
        ({"price": D("0.001")}, "price", RejectReason.TICK, "at least 0.01"),
        ({"price": D(0)}, "price", RejectReason.TICK, "above zero"),
        ({"post_only": True, "tif": TimeInForce.IOC}, "post", RejectReason.OTHER, "post cannot go with ioc"),
        ({"post_only": True, "tif": TimeInForce.FOK}, "post", RejectReason.OTHER, "post cannot go with fok"),
        (
            {"post_only": True, "kind": OrderKind.MARKET, "price": None},
            "post",
            RejectReason.OTHER,
            "post cannot go with a market order",
        ),
        (
            {"post_only": True, "price": None, "price_rule": PriceRule(PriceSide.OPPONENT, 5)},
            "post",
            RejectReason.OTHER,
            "post cannot go with opponent5",
        ),
        (
            {"tif": TimeInForce.FOK, "kind": OrderKind.MARKET, "price": None},
            "tif",
            RejectReason.OTHER,
            "fok cannot go with a market order",
        ),
    ],
)
def test_an_order_off_its_contract_is_refused_by_field(
    changes: dict[str, object], field: str, reason: RejectReason, words: str
) -> None:
    """The refusal names the field, the normalized reason, what was given and what is allowed."""
    denied = refused(SOL, **changes)
    assert (denied.field, denied.reason) == (field, reason)
    assert words in denied.text


def test_a_contract_that_does_not_trade_takes_no_order() -> None:
    """A halted contract is refused before anything else is looked at."""
    denied = refused(msgspec.structs.replace(SOL, trading=False), amount=D("3.005"))
    assert (denied.field, denied.reason) == ("ticker", RejectReason.HALTED)


def test_significant_digits_bound_a_price() -> None:
    """Where a venue counts significant digits the nearest prices are those it takes at that price."""
    denied = refused(HYPERLIQUID_SOL, ticker="SOL", price=D("134.5512"))
    assert "tick 0.01: the nearest are 134.5500 and 134.5600" in denied.text


def test_a_market_order_is_held_to_the_minimum_at_the_reference_price() -> None:
    """Without a price of its own an order's worth is taken at the reference, and not judged without one."""
    market = {"kind": OrderKind.MARKET, "price": None, "amount": D("0.05")}
    assert refused(SOL, D(60), **market).reason is RejectReason.MIN_NOTIONAL
    check_order(SOL, msgspec.structs.replace(ORDER, **market), reference=D(134))
    check_order(SOL, msgspec.structs.replace(ORDER, **market))


def test_reduce_only_is_not_held_to_the_minimum_notional() -> None:
    """A position under the minimum can always be closed."""
    check_order(SOL, msgspec.structs.replace(ORDER, amount=D("-0.05"), price=D(60), reduce_only=True))


@settings(max_examples=200, deadline=None)
@given(
    lots=st.integers(0, 10**6),
    lot=st.sampled_from([D("0.001"), D("0.01"), D("0.1"), D(1), D(10)]),
    part=st.sampled_from([D(0), D("0.3")]),
    ticks=st.integers(0, 10**6),
    tick=st.sampled_from([D("0.0001"), D("0.01"), D("0.1"), D("0.5"), D(5)]),
    step=st.sampled_from([D(0), D("0.4")]),
    least=st.sampled_from([D(0), D(5), D(100)]),
    selling=st.booleans(),
)
def test_an_order_stands_exactly_when_the_venue_would_take_it(
    *, lots: int, lot: Decimal, part: Decimal, ticks: int, tick: Decimal, step: Decimal, least: Decimal, selling: bool
) -> None:
    """An order passes if and only if it is on the lot, on the tick and over the minimums; else the field is named."""
    quantity, price = (lots + part) * lot, (ticks + step) * tick
    contract = msgspec.structs.replace(
        SOL, lot_size=lot, tick_size=tick, min_quantity=lot, min_notional=least, max_quantity=None
    )
    order = msgspec.structs.replace(ORDER, amount=-quantity if selling else quantity, price=price)
    takes_amount = quantity > 0 and is_multiple(quantity, lot)
    takes_price = is_on_tick(contract, price)
    if takes_amount and takes_price and quantity * price >= least:
        check_order(contract, order)
        return
    with pytest.raises(Denied) as denied:
        check_order(contract, order)
    assert denied.value.field == ("price" if takes_amount and not takes_price else "amount")


def test_an_unknown_venue_or_ticker_is_refused_with_the_nearest_names() -> None:
    """A name that is not here is answered with those that are spelt most like it."""
    assert find_contract(DESK, "binance", "SOLUSDT") is SOL
    with pytest.raises(Denied, match="no venue 'binnance' here: binance") as denied:
        find_contract(DESK, "binnance", "SOLUSDT")
    assert denied.value.field == "venue"
    with pytest.raises(Denied, match="no contract 'SOLUSD': did you mean SOLUSDT") as denied:
        find_contract(DESK, "binance", "SOLUSD", prefix="leg 2 ")
    assert denied.value.field == "leg 2 ticker"


def test_legs_are_found_in_their_order() -> None:
    """Legs on other contracts, one each, are answered with those contracts."""
    legs = [Leg(venue="hyperliquid", ticker="SOL"), Leg(venue="binance", ticker="ETHUSDT", ratio=D("-0.5"))]
    assert check_legs(SOL, legs, DESK) == [HYPERLIQUID_SOL, ETH]


@pytest.mark.parametrize(
    ("legs", "field", "words"),
    [
        ([Leg(venue="binance", ticker="SOLUSDT")], "leg 1 ticker", "the order's own contract"),
        ([Leg(venue="hyperliquid", ticker="SOL")] * 2, "leg 2 ticker", "legs 1 and 2 are both hyperliquid:SOL"),
        ([Leg(venue="hyperliquid", ticker="SOL", ratio=D(1))], "leg 1 ratio", "below zero"),
        ([Leg(venue="hyperliquid", ticker="SOLL")], "leg 1 ticker", "did you mean SOL"),
        ([Leg(venue="bybit", ticker="SOL")], "leg 1 venue", "no venue 'bybit'"),
        ([Leg(venue="binance", ticker="FXSUSDT")], "leg 1 ticker", "not trading"),
        (
            [Leg(venue="hyperliquid", ticker="SOL", policy=Policy(rungs=(Rung(how=How.JOIN, for_ms=2000),)))],
            "leg 1 policy",
            "must end with ioc or market",
        ),
    ],
)
def test_a_leg_that_cannot_hedge_is_refused(legs: list[Leg], field: str, words: str) -> None:
    """The refusal names which leg, which field of it, and why."""
    with pytest.raises(Denied) as denied:
        check_legs(SOL, legs, DESK)
    assert denied.value.field == field
    assert words in denied.value.text


def test_an_unknown_venue_is_named() -> None:
    """What was given stands in the sentence, with the venues that are here."""
    assert find_venue(DESK, "binance")["SOLUSDT"] is SOL
    with pytest.raises(Denied) as denied:
        find_venue(DESK, "kraken")
    assert denied.value.text == "there is no venue 'kraken' here: binance or hyperliquid"


REDUCING = Leg(venue="hyperliquid", ticker="SOL", ratio=D("-0.5"), policy=Policy(reduce_only=True))


def reduce_only(amount: str, held: str, taken: str = "0", leg: Leg = REDUCING) -> Denied | None:
    """How a maker of this amount with a reduce-only leg is refused; None where it fits."""
    try:
        check_reduce_only(D(amount), [leg], lambda *_: D(held), lambda _: D(taken))
    except Denied as denied:
        return denied
    return None


@pytest.mark.parametrize(
    ("amount", "held", "taken", "words"),
    [
        ("4", "2", "0", ""),
        ("4", "2.5", "-0.5", ""),
        ("-4", "-2", "0", ""),
        ("4.1", "2", "0", "would sell 2.05, but the position in hyperliquid:SOL is 2"),
        ("4", "2", "-0.1", "the position in hyperliquid:SOL is 2, 0.1 of it is for other reduce-only legs"),
        ("4", "-2", "0", "would sell 2, but the position in hyperliquid:SOL is -2"),
        ("-4", "0", "0", "would buy 2, but the position in hyperliquid:SOL is 0"),
    ],
)
def test_a_reduce_only_leg_must_fit_the_position(amount: str, held: str, taken: str, words: str) -> None:
    """The hedge of the whole order makes the position smaller, beside what others will take of it, or is refused."""
    denied = reduce_only(amount, held, taken)
    assert (denied is None) == (not words)
    if denied is not None:
        assert words in denied.text
        assert (denied.field, denied.reason) == ("leg 1 reduce", RejectReason.REDUCE_ONLY)


def test_a_leg_that_may_open_a_position_is_not_held_to_it() -> None:
    """Only reduce-only legs must fit."""
    assert reduce_only("4", "0", leg=Leg(venue="hyperliquid", ticker="SOL")) is None


@settings(max_examples=200, deadline=None)
@given(
    held=st.integers(-1000, 1000),
    makers=st.lists(st.tuples(st.integers(-500, 500).filter(bool), st.sampled_from(["-1", "-0.5", "-2"])), max_size=6),
)
def test_all_reduce_only_legs_together_never_exceed_the_position(held: int, makers: list[tuple[int, str]]) -> None:
    """Makers placed one after another, as long as each fits beside those before, reduce and never turn a position."""
    position = D(held)
    kernel = Kernel(lambda: pytest.fail("nothing fills"))
    amounts: dict[str, Decimal] = {}
    for number, (amount, ratio) in enumerate(makers):
        leg = msgspec.structs.replace(REDUCING, ratio=D(ratio))
        buying = amount * leg.ratio > 0
        try:
            check_reduce_only(
                D(amount),
                [leg],
                lambda *_: position,
                lambda leg, buying=buying: reserved(kernel, leg, amounts.__getitem__, buying=buying),
            )
        except Denied:
            continue
        name = f"m{number}"
        kernel.apply(e.MakerPlaced(maker=name, venue="binance", ticker="SOLUSDT", legs=(leg,), ts_ns=1))
        amounts[name] = D(amount)
    turned = sum((amounts[name] * kernel.makers[name].legs[0].ratio for name in amounts), D(0))
    assert abs(position + turned) <= abs(position)
    assert position * (position + turned) >= 0


def test_what_is_not_hedged_yet_stays_reserved() -> None:
    """A fill moves from what is left of its maker to what waits: the reserve falls only when it is hedged."""
    kernel = Kernel(lambda: "child")
    kernel.apply(e.MakerPlaced(maker="m", venue="binance", ticker="SOLUSDT", legs=(REDUCING,), ts_ns=1))
    assert reserved(kernel, REDUCING, lambda _: D(4), buying=False) == -2
    assert reserved(kernel, REDUCING, lambda _: D(4), buying=True) == 0
    kernel.apply(e.MakerFilled(maker="m", filled=D(1), ts_ns=2))
    assert reserved(kernel, REDUCING, lambda _: D(3), buying=False) == -2
    kernel.apply(e.Specified(contract=HYPERLIQUID_SOL, ts_ns=3))
    kernel.apply(e.Priced(venue="hyperliquid", ticker="SOL", bid=D(134), ask=D(135), ts_ns=3))
    assert kernel.books["hyperliquid", "SOL"].in_flight == D("-0.5")
    assert reserved(kernel, REDUCING, lambda _: D(3), buying=False) == -2
    kernel.apply(e.ChildSeen(child="child", filled=D("-0.5"), ts_ns=4, done=True))
    assert reserved(kernel, REDUCING, lambda _: D(3), buying=False) == D("-1.5")


def test_several_legs_that_unwind_are_all_in_the_makers_base():
    """What a leg in another asset could not hedge stands for no part of the order that could be closed."""
    unwinds = Policy(on_failure=OnFailure.UNWIND)
    legs = [Leg(venue="hyperliquid", ticker="SOL", policy=unwinds), Leg(venue="hyperliquid", ticker="ETH")]
    contracts = {
        "hyperliquid": Contracts(
            "hyperliquid", [HYPERLIQUID_SOL, msgspec.structs.replace(HYPERLIQUID_SOL, ticker="ETH", base="ETH")]
        )
    }  # fmt: skip
    with pytest.raises(Denied, match="must all be in SOL"):
        check_legs(SOL, legs, contracts)
    assert len(check_legs(SOL, legs[:1], contracts)) == 1
    assert len(check_legs(SOL, [Leg(venue="hyperliquid", ticker=leg.ticker) for leg in legs], contracts)) == 2
