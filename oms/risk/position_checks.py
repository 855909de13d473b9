"""The checks of positions with all that may fill: of contracts, venues, the desk, and net by base asset. Pure."""

from collections.abc import Mapping
from decimal import Decimal

from gateways.standards import ZERO
from oms.limits import BaseLimits, Limit
from oms.risk.exposure import Reach, base_of, net_reaches, reaches
from oms.risk.facts import Facts, Key
from oms.risk.findings import Findings
from oms.risk.verdict import Reason

_FLAT = Reach(ZERO, ZERO)

Reaches = Mapping[Key, Reach]


def check_positions(found: Findings) -> None:
    """How far the contracts that the order moves, by itself and by its hedges, may go; their venues; the desk."""
    request, limits = found.request, found.limits
    before, after = reaches(found.facts, None), reaches(found.facts, request)
    _check_reach(found, request.key, request.amount, (before, after), "amount")
    for number, leg in enumerate(request.legs, 1):
        key = leg.venue, leg.ticker
        _check_reach(found, key, request.amount * leg.ratio, (before, after), f"leg {number} ticker")
    for venue in dict.fromkeys([request.venue, *(leg.venue for leg in request.legs)]):
        _check_sum(found, limits.venue(venue).position_notional, venue, _at(before, venue), _at(after, venue))
    _check_sum(found, limits.desk.position_notional, "all venues", before, after)


def _at(found: Reaches, venue: str) -> dict[Key, Reach]:
    return {key: reach for key, reach in found.items() if key[0] == venue}


def _check_reach(found: Findings, key: Key, amount: Decimal, change: tuple[Reaches, Reaches], field: str) -> None:
    own = found.limits.of(*key)
    before, after = (side.get(key, _FLAT).toward(amount) for side in change)
    if after <= before:
        return
    name, way = f"{key[0]}:{key[1]}", "long" if amount > 0 else "short"
    sentence = f"{name} could become {{value}} {way} with all that may fill: {{end}} are allowed"
    found.judge(own.position_quantity, after, Reason.POSITION_QUANTITY, sentence, field=field)
    if own.position_notional is None:
        return
    price = found.facts.value(key)
    if price is None:
        found.unpriced([key], Reason.POSITION_NOTIONAL)
        return
    sentence = f"{name} could become {{value}} worth {way} with all that may fill: {{end}} is allowed"
    found.judge(own.position_notional, after * price, Reason.POSITION_NOTIONAL, sentence, field=field)


def _check_sum(found: Findings, limit: Limit | None, where: str, before: Reaches, after: Reaches) -> None:
    if limit is None:
        return
    unpriced = [key for key, reach in after.items() if reach.size and found.facts.value(key) is None]
    if unpriced:
        found.unpriced(unpriced, Reason.POSITION_NOTIONAL)
        return
    total = _value(found.facts, after)
    if total > _value(found.facts, before):
        sentence = f"the positions on {where} could become {{value}} worth: {{end}} is allowed"
        found.judge(limit, total, Reason.POSITION_NOTIONAL, sentence, field="amount")


def _value(facts: Facts, found: Reaches) -> Decimal:
    return sum((reach.size * (facts.value(key) or ZERO) for key, reach in found.items()), ZERO)


def check_net(found: Findings) -> None:
    """The net position of each base asset that the order, or a hedge of it, moves; on both sides."""
    request, facts = found.request, found.facts
    keys = {base_of(facts, key): key for key in ((leg.venue, leg.ticker) for leg in request.legs)}
    keys[base_of(facts, request.key)] = request.key
    limited = {base: key for base, key in keys.items() if found.limits.net(base) != BaseLimits()}
    if not limited:
        return
    before, after = net_reaches(facts, None), net_reaches(facts, request)
    for base, key in limited.items():
        for side in (Decimal(1), Decimal(-1)):
            reach = after.get(base, _FLAT).toward(side)
            if reach > before.get(base, _FLAT).toward(side):
                _check_net(found, base, reach, "long" if side > 0 else "short", facts.value(key))


def _check_net(found: Findings, base: str, reach: Decimal, way: str, price: Decimal | None) -> None:
    own = found.limits.net(base)
    sentence = f"{base} could become {{value}} {way} over all venues: {{end}} are allowed"
    found.judge(own.net_quantity, reach, Reason.NET_QUANTITY, sentence, field="amount")
    if own.net_notional is None:
        return
    if price is None:
        found.unpriced([found.request.key], Reason.NET_NOTIONAL)
        return
    sentence = f"{base} could become {{value}} worth {way} over all venues: {{end}} is allowed"
    found.judge(own.net_notional, reach * price, Reason.NET_NOTIONAL, sentence, field="amount")
