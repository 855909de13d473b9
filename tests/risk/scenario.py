"""A scenario: limits, two venues, and acts one after another, each with a pause before it; drawn by Hypothesis."""

from decimal import Decimal
from enum import Enum

import msgspec
from hypothesis import strategies as st

from gateways.paper.market import START_PRICES
from oms.limits import BaseLimits, DeskLimits, InstrumentLimits, Limit, Limits, VenueLimits, Window

D = Decimal
PAIRS = (
    ("binance", "hyperliquid"), ("hyperliquid", "binance"), ("bybit", "okx"), ("okx", "hyperliquid"),
    ("binance", "bybit"),
)  # fmt: skip


BASES = ("ETH", "SOL")


class Verb(Enum):
    """What is done."""

    PLACE = "place"
    AGAIN = "the last order, once more"
    AMEND = "amend"
    CANCEL = "cancel"
    FILL = "a part of a resting order fills"
    CANCEL_ALL = "cancel all"


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One act. Numbers are choices among what is there when it is done."""

    verb: Verb
    pause_ms: int
    venue: int = 0
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
    base: str
    limits: Limits
    acts: tuple[Act, ...]
    seed: int = 0
    troubled: bool = False


def _limits(venues: tuple[str, str], chosen: dict[str, Limit | Window], base: str) -> Limits:
    def of(kind: type, prefix: str) -> object:
        return kind(**{name.partition(" ")[2]: end for name, end in chosen.items() if name.startswith(f"{prefix} ")})

    return Limits(
        each=of(InstrumentLimits, "each"), desk=of(DeskLimits, "desk"), bases={base: of(BaseLimits, "base")},
        venues=dict.fromkeys(venues, of(VenueLimits, "venue")),
    )  # fmt: skip


COUNTS = {
    "each open_orders": (1, 2, 3), "venue open_orders": (2, 4), "desk open_orders": (2, 5),
    "venue orders_per_second": (1, 3), "desk orders_per_second": (2, 4), "each collar_mid_bps": (12, 30, 60),
}  # fmt: skip
QUANTITIES = ("each order_quantity", "each position_quantity", "base net_quantity")
NOTIONALS = ("each order_notional", "each position_notional", "venue position_notional", "desk position_notional")
TURNOVERS = ("venue daily_turnover", "desk daily_turnover")
KINDS = (*COUNTS, *QUANTITIES * 2, *NOTIONALS, *TURNOVERS * 2, "each duplicate_s")


@st.composite
def limits(draw: st.DrawFn, venues: tuple[str, str], base: str, only: str = "") -> Limits:
    """One limit (``only``) or a few: where all were small nothing would be sent. Orders of most sizes fit into each."""
    chosen: dict[str, Limit | Window] = {}
    for name in [only] if only else draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True)):
        if name in COUNTS:
            chosen[name] = Limit(hard=D(draw(st.sampled_from(COUNTS[name]))))
        elif name in QUANTITIES:
            chosen[name] = Limit(hard=round(draw(st.sampled_from([D(200), D(450), D(900)])) / START_PRICES[base], 4))
        elif name in NOTIONALS:
            chosen[name] = Limit(hard=draw(st.sampled_from([D(250), D(500), D(1_000)])))
        elif name in TURNOVERS:
            chosen[name] = Limit(hard=draw(st.sampled_from([D(500), D(1_200)])))
        else:
            chosen[name] = Window(hard=D(1))
    return _limits(venues, chosen, base)


acts = st.builds(
    Act,
    verb=st.sampled_from(
        [*[Verb.PLACE] * 9, Verb.AGAIN, *[Verb.AMEND] * 4, *[Verb.CANCEL] * 2, *[Verb.FILL] * 5, Verb.CANCEL_ALL]
    ),
    pause_ms=st.sampled_from([0, 0, 1, 1, 2, 3, 5, 20, 300, 1_200]),
    venue=st.integers(0, 1),
    buys=st.booleans(),
    value=st.sampled_from([40, 60, 90, 130, 160, 250, 400]),
    bps=st.sampled_from([-40, -15, -15, -5, 0, 10, 50]),
    how=st.sampled_from(["limit", "limit", "limit", "limit", "ioc", "market"]),
    hedge=st.sampled_from(["", "market", "market", "ioc"]),
    ratio=st.sampled_from(["1", "1", "0.5", "2"]),
    reduce=st.sampled_from([False] * 7 + [True]),
    pick=st.integers(0, 5),
)  # fmt: skip


@st.composite
def scenarios(draw: st.DrawFn, *, troubled: bool = False, only: str = "") -> Scenario:
    """A session; with ``only``, of one kind of limit."""
    venues = draw(st.sampled_from(PAIRS))
    base = draw(st.sampled_from(BASES))
    return Scenario(
        venues=venues, base=base, limits=draw(limits(venues, base, only)),
        acts=tuple(draw(st.lists(acts, min_size=14, max_size=50))), seed=draw(st.integers(0, 3)), troubled=troubled,
    )  # fmt: skip
