"""A scenario: limits, two venues, and acts one after another, each with a pause before it; drawn by Hypothesis."""

from decimal import Decimal
from enum import Enum

import msgspec
from hypothesis import strategies as st

from oms.limits import BaseLimits, DeskLimits, InstrumentLimits, Limit, Limits, VenueLimits, Window

D = Decimal
PAIRS = (
    ("binance", "hyperliquid"), ("hyperliquid", "binance"), ("bybit", "okx"), ("okx", "hyperliquid"),
    ("binance", "bybit"),
)  # fmt: skip


class Verb(Enum):
    """What is done."""

    PLACE = "place"
    AGAIN = "the last order, once more"
    AMEND = "amend"
    CANCEL = "cancel"
    FILL = "a part of a resting order fills"
    CANCEL_ALL = "cancel all"
    FLATTEN = "flatten"


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One act. Numbers are choices among what is there when it is done."""

    verb: Verb
    pause_ms: int
    venue: int = 0
    contract: int = 0
    buys: bool = True
    value: int = 0
    """Of the order, quote units; of a fill or an amend, percent of what is there."""
    bps: int = 0
    """Of the price, beyond the best opposite one: below zero it rests."""
    how: str = "limit"
    hedge: str = ""
    """``""`` for none, else how the leg hedges."""
    ratio: str = "1"
    reduce: bool = False
    pick: int = 0


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A whole session."""

    venues: tuple[str, str]
    limits: Limits
    acts: tuple[Act, ...]
    seed: int = 0
    troubled: bool = False


def limit(*ends: str | int) -> st.SearchStrategy[Limit | None]:
    return st.sampled_from([None, *(Limit(hard=D(end)) for end in ends)])


instruments = st.builds(
    InstrumentLimits,
    order_quantity=limit("0.3", "1"),
    order_notional=limit(500, 2_000),
    position_quantity=limit("0.4", "1", "2.5"),
    position_notional=limit(1_000, 4_000),
    open_orders=limit(1, 3),
    collar_mid_bps=limit(20, 60),
    duplicate_s=st.sampled_from([None, Window(hard=D(1))]),
)
venue_limits = st.builds(
    VenueLimits,
    position_notional=limit(1_500, 5_000),
    open_orders=limit(2, 4),
    orders_per_second=limit(1, 3),
    daily_turnover=limit(3_000, 10_000),
)
desk_limits = st.builds(
    DeskLimits,
    position_notional=limit(2_000, 8_000),
    open_orders=limit(2, 5),
    orders_per_second=limit(2, 4),
    daily_turnover=limit(5_000, 15_000),
)
bases = st.builds(BaseLimits, net_quantity=limit("0.3", "1"))


@st.composite
def limits(draw: st.DrawFn, venues: tuple[str, str]) -> Limits:
    """Some of the limits: where all were small nothing would ever be sent."""
    kept = draw(st.sets(st.sampled_from(["each", "venue", "desk", "base"]), min_size=1, max_size=3))
    own = draw(venue_limits) if "venue" in kept else VenueLimits()
    return Limits(
        each=draw(instruments) if "each" in kept else None,
        venues={venues[0]: own, venues[1]: own},
        desk=draw(desk_limits) if "desk" in kept else None,
        each_base=draw(bases) if "base" in kept else None,
    )


acts = st.builds(
    Act,
    verb=st.sampled_from(
        [*[Verb.PLACE] * 8, Verb.AGAIN, *[Verb.AMEND] * 3, *[Verb.CANCEL] * 2, *[Verb.FILL] * 4, Verb.CANCEL_ALL,
         Verb.FLATTEN]
    ),
    pause_ms=st.sampled_from([0, 0, 0, 1, 3, 20, 150, 700, 2_000]),
    venue=st.integers(0, 1),
    contract=st.integers(0, 1),
    buys=st.booleans(),
    value=st.sampled_from([30, 60, 90, 120, 150, 300, 700, 1_500]),
    bps=st.sampled_from([-40, -15, -5, 0, 10, 50]),
    how=st.sampled_from(["limit", "limit", "limit", "post", "ioc", "market"]),
    hedge=st.sampled_from(["", "market", "market", "ioc"]),
    ratio=st.sampled_from(["1", "1", "0.5", "2"]),
    reduce=st.sampled_from([False] * 7 + [True]),
    pick=st.integers(0, 5),
)  # fmt: skip


@st.composite
def scenarios(draw: st.DrawFn, *, troubled: bool = False) -> Scenario:
    """A session."""
    venues = draw(st.sampled_from(PAIRS))
    return Scenario(
        venues=venues, limits=draw(limits(venues)), acts=tuple(draw(st.lists(acts, min_size=6, max_size=40))),
        seed=draw(st.integers(0, 3)), troubled=troubled,
    )  # fmt: skip
