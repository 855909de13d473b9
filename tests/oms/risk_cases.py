"""What the tests of the risk checks share: a desk of two venues as facts, and orders on it."""

from decimal import Decimal

import msgspec

from gateways.standards import Contract, Level
from oms.hedge.policy import How, Leg, Policy, Rung
from oms.risk.facts import Depth, Facts, Held, Market, Owed, Request, Resting, Sent, Today

D = Decimal
NOW_NS = 1_760_000_000_000_000_000
HERE, THERE = ("a", "X"), ("b", "XP")


def contract(key, base="X", **fields):
    return Contract(
        venue=key[0], ticker=key[1], base=base, quote="USDT", tick_size=D("0.1"), lot_size=D("0.001"),
        min_quantity=D("0.001"), min_notional=D(5), **fields,
    )  # fmt: skip


def market(mid, last=None):
    mid = D(mid)
    return Market(bid=mid - D("0.5"), ask=mid + D("0.5"), last=D(last) if last is not None else mid)


def levels(*pairs):
    return tuple(Level(D(price), D(quantity)) for price, quantity in pairs)


DEPTH = Depth(
    bids=levels(("100", "10"), ("99.5", "10"), ("99", "100")),
    asks=levels(("100", "10"), ("100.5", "10"), ("101", "100")),
)


def facts(**fields):
    """Two contracts of X at 100, nothing held, nothing working, all that is free."""
    return msgspec.structs.replace(
        Facts(
            now_ns=NOW_NS,
            contracts={HERE: contract(HERE), THERE: contract(THERE)},
            markets={HERE: market(100), THERE: market(100)},
            depths={THERE: DEPTH},
            free={"a": D(100_000), "b": D(100_000)},
        ),
        **fields,
    )


def order(amount, price="100", key=HERE, legs=(), **fields):
    amount = D(amount)
    fields = {"total": amount, **fields}
    return Request(
        venue=key[0], ticker=key[1], amount=amount, price=None if price is None else D(price), legs=legs, **fields
    )


def resting(amount, price="100", key=HERE, name="1", legs=(), **fields):
    return Resting(key=name, venue=key[0], ticker=key[1], amount=D(amount), price=D(price), legs=legs, **fields)


def leg(ratio="-1", key=THERE, **policy):
    return Leg(venue=key[0], ticker=key[1], ratio=D(ratio), policy=Policy(**policy))


def ioc(bps):
    return {"rungs": (Rung(how=How.IOC, slippage_bps=D(bps)),)}


def held(amount, high=None):
    return Held(D(amount), D(high if high is not None else amount))


def owed(balance=0, exposed=None, key=THERE, blocked=""):
    exposed = abs(D(balance)) if exposed is None else D(exposed)
    return Owed(venue=key[0], ticker=key[1], balance=D(balance), exposed=exposed, blocked=blocked)


def sent(seconds_ago, amount="1", price="100", key=HERE, **fields):
    ts_ns = NOW_NS - int(D(seconds_ago) * 1_000_000_000)
    return Sent(ts_ns=ts_ns, venue=key[0], ticker=key[1], amount=D(amount), price=price and D(price), **fields)


def today(turnover=0, loss=0):
    return Today(D(turnover), D(loss))
