"""The judge of the kills finds what it is there for: a judge that cannot say no proves nothing."""

from decimal import Decimal

import pytest

from gateways.paper.control import Filled, Truth
from oms.cloid import CloidKind, CloidSource
from oms.hedge.events import Intended, MakerPlaced, Part
from oms.hedge.policy import Leg, Policy
from tests.kills.judge import Meant, judge

D = Decimal
SOURCE = CloidSource(1, 1_790_000_000_000)
MAKER, HEDGE, OTHER = SOURCE.next(CloidKind.MAKER), SOURCE.next(CloidKind.HEDGE), SOURCE.next(CloidKind.HEDGE)

MEANT = Meant(
    makers={
        MAKER: MakerPlaced(
            maker=MAKER, venue="hyperliquid", ticker="ETH", legs=(Leg(venue="binance", ticker="ETHUSDT"),), ts_ns=1
        )
    },
    hedges={
        HEDGE: Intended(
            child=HEDGE, venue="binance", ticker="ETHUSDT", amount=D("-0.013"), policy=Policy(), rung=0, ts_ns=2,
            parts=(Part(maker=MAKER, leg=0, quantity=D("-0.013")),),
        )
    },
)  # fmt: skip


def truth(fills=(), rest=(), placed=()):
    """What a venue says: fills as (client id, ticker, filled)."""
    return Truth(
        fills={name: Filled(ticker=ticker, filled=D(filled), trades=[1]) for name, ticker, filled in fills},
        open={name: D(left) for name, left in rest},
        placed=dict(placed),
        positions={},
        prices={},
    )


def found(hyperliquid, binance):
    return judge({"hyperliquid": hyperliquid, "binance": binance}, MEANT)


BOUGHT = truth([(MAKER, "ETH", "0.0137")])


def test_a_hedge_to_the_lot_is_clean():
    """What is left is under the smallest order of the contract."""
    assert found(BOUGHT, truth([(HEDGE, "ETHUSDT", "-0.013")])).clean


def test_no_hedge_is_lost():
    """A filled maker without its hedge."""
    findings = found(BOUGHT, truth())
    assert findings.lost
    assert not findings.doubled


@pytest.mark.parametrize(
    "binance",
    [
        truth([(HEDGE, "ETHUSDT", "-0.013"), (OTHER, "ETHUSDT", "-0.013")]),
        truth([(HEDGE, "ETHUSDT", "-0.026")]),
        truth([(HEDGE, "ETHUSDT", "-0.013")], placed=[(HEDGE, 2)]),
    ],
    ids=["a second order", "twice its size", "placed twice"],
)
def test_two_hedges_are_doubled(binance):
    """The same need answered twice, by another order, in one order, or by the same id sent again."""
    assert found(BOUGHT, binance).doubled


def test_what_still_rests_and_what_nobody_meant_is_wrong():
    """After the end no order is open, and none is there that the journal does not know."""
    assert found(truth(rest=[(MAKER, "0.01")]), truth()).wrong
    assert found(truth([("0123", "ETH", "1")]), truth()).wrong
