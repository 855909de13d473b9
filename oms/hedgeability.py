"""Whether makers could be hedged, before they are sent: the worst case of all working makers filled at once. Pure.

For each leg of the order, with every working maker's legs and what waits already counted in, on the leg's contract:

* the hedge venue can be reached, trades the contract, and its book sends (not paused, on hold or over its cap);
* what is to be hedged is at least the smallest order that the venue takes, or it would wait until more fills;
* the book holds it within the leg's own slippage limit, and within ``hedge_slippage_bps`` where that is set;
* the venue's free collateral carries it, at the ``leverage`` that is set; without any, some of it must be free.

``Limits.hedgeability`` says whether what fails is refused or asked about; the two limits that are set have their own
ends. A book that is out of sequence holds nothing.
"""

from collections.abc import Iterator
from decimal import Decimal

from gateways.contracts import smallest_order, tick_at
from gateways.standards import ZERO, Contract, Level
from oms.hedge.policy import How, Leg
from oms.limits import Verdict
from oms.risk.exposure import reaches, to_hedge
from oms.risk.facts import Depth, Facts, Key, Request
from oms.risk.findings import Findings, plain
from oms.risk.verdict import Reason

BPS = Decimal(10_000)


def check_hedgeability(found: Findings) -> None:
    """Find what speaks against hedging an order's fills, leg by leg."""
    facts, demand = found.facts, found.limits.hedgeability
    for number, leg in enumerate(found.request.legs, 1):
        contract = facts.contracts.get((leg.venue, leg.ticker))
        if contract is None:
            continue  # a contract that is not there is refused before any limit is looked at
        field = f"leg {number} ticker"
        wanted = _wanted(found.request, facts, leg)
        obstacles = [*_of_state(facts, contract), *_of_minimum(facts, contract, wanted)]
        obstacles += _of_own_slippage(facts, contract, leg, wanted)
        for reason, text in obstacles:
            found.add(reason, text, verdict=demand, field=field)
        _check_slippage(found, (leg.venue, leg.ticker), wanted, field)
        _check_margin(found, leg.venue, field)


def _wanted(request: Request, facts: Facts, leg: Leg) -> Decimal:
    """What has to be traded on a leg's contract, the leg's way, once every maker has filled; signed."""
    way = request.amount * leg.ratio
    hedges = (part.quantity for part in to_hedge(facts, request) if part.key == (leg.venue, leg.ticker))
    return sum((quantity for quantity in hedges if quantity * way > 0), ZERO)


def _of_state(facts: Facts, contract: Contract) -> Iterator[tuple[Reason, str]]:
    key = contract.venue, contract.ticker
    blocked = (book.blocked for book in facts.owed if (book.venue, book.ticker) == key)
    why = facts.outages.get(contract.venue) or next(filter(None, blocked), "")
    if not contract.trading:
        why = "its venue does not trade it now"
    if why:
        yield Reason.HEDGE_STATE, f"{contract.venue}:{contract.ticker} would not hedge it: {why}"


def _of_minimum(facts: Facts, contract: Contract, wanted: Decimal) -> Iterator[tuple[Reason, str]]:
    least = smallest_order(contract, facts.value((contract.venue, contract.ticker)))
    if abs(wanted) < least:
        text = f"the hedge of {plain(abs(wanted))} is under {contract.venue}:{contract.ticker}'s smallest order"
        yield Reason.HEDGE_MINIMUM, f"{text} {plain(least)}: nothing would be hedged until more fills"


def _of_own_slippage(facts: Facts, contract: Contract, leg: Leg, wanted: Decimal) -> Iterator[tuple[Reason, str]]:
    """A leg that ends with an IOC order never pays more than its slippage: the rest would wait."""
    rung = leg.policy.rungs[-1]
    if rung.how is not How.IOC:
        return
    name = f"{contract.venue}:{contract.ticker}"
    levels = _levels(facts, (contract.venue, contract.ticker), buying=wanted > 0)
    if not levels:
        yield Reason.HEDGE_DEPTH, f"{name} has no book in sequence to hedge in within {rung}"
        return
    best = levels[0].price
    slack = tick_at(contract, best) * rung.slippage_ticks if rung.slippage_ticks else best * rung.slippage_bps / BPS
    there = sum((level.quantity for level in levels if abs(level.price - best) <= slack), ZERO)
    if there < abs(wanted):
        text = f"{name} holds {plain(there)} within {rung} of the {plain(abs(wanted))} that makers may have to hedge"
        yield Reason.HEDGE_DEPTH, text


def _check_slippage(found: Findings, key: Key, wanted: Decimal, field: str) -> None:
    limit = found.limits.of(*key).hedge_slippage_bps
    if limit is None:
        return
    name = f"{key[0]}:{key[1]}"
    levels = _levels(found.facts, key, buying=wanted > 0)
    price = _worst_price(levels, abs(wanted))
    if price is None:
        there = sum((level.quantity for level in levels), ZERO)
        text = f"{name}'s book holds {plain(there)} of the {plain(abs(wanted))} that makers may have to hedge"
        verdict = Verdict.ASK if limit.hard is None else Verdict.REFUSE
        found.add(Reason.HEDGE_DEPTH, text, verdict=verdict, field=field)
        return
    slippage = abs(price - levels[0].price) / levels[0].price * BPS
    sentence = f"hedging {plain(abs(wanted))} at once would take {name} by {{value}} bps: {{end}} bps are allowed"
    found.judge(limit, slippage, Reason.HEDGE_DEPTH, sentence, field=field)


def _levels(facts: Facts, key: Key, *, buying: bool) -> tuple[Level, ...]:
    depth = facts.depths.get(key, Depth())
    return depth.asks if buying else depth.bids


def _worst_price(levels: tuple[Level, ...], quantity: Decimal) -> Decimal | None:
    for level in levels:
        quantity -= level.quantity
        if quantity <= 0:
            return level.price
    return None


def _check_margin(found: Findings, venue: str, field: str) -> None:
    """What hedges would add to the venue's positions, in times of the collateral that is free there.

    What is held and what works there holds its margin already: only the rest has to come out of what is free.
    """
    limit, free = found.limits.venue(venue).leverage, found.facts.free.get(venue)
    if limit is None:
        if free is not None and free <= 0:
            text = f"{venue} has no free collateral to hedge with"
            found.add(Reason.HEDGE_MARGIN, text, verdict=found.limits.hedgeability, field=field)
        return
    added = _added(found.request, found.facts, venue)
    if free is None or added is None:
        missing = "how much collateral is free" if free is None else "what its hedges are worth"
        text = f"{venue}: it is not known {missing}, and the limit leverage compares with it"
        found.add(Reason.NO_PRICE, text, verdict=Verdict.REFUSE, field=field)
    elif added > 0:
        needed = added / free if free > 0 else Decimal("Infinity")
        sentence = f"hedges worth {plain(round(added, 2))} may be needed on {venue}, {{value}} times what is free there"
        found.judge(limit, needed, Reason.HEDGE_MARGIN, f"{sentence}: {{end}} times is allowed", field=field)


def _added(request: Request, facts: Facts, venue: str) -> Decimal | None:
    """By how much a venue's positions may outgrow what it holds margin for already; None where that has no price."""
    total = ZERO
    before, after = reaches(facts, None, hedges=False), reaches(facts, request)
    for key, reach in after.items():
        if key[0] != venue:
            continue
        grown = reach.size - (before[key].size if key in before else ZERO)
        price = facts.value(key)
        if grown and price is None:
            return None
        total += grown * (price or ZERO)
    return total
