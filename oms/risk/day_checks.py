"""The checks of what has happened: the day's turnover and loss, and what is not hedged. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from gateways.standards import ZERO
from oms.limits import DeskLimits, VenueLimits
from oms.risk.exposure import to_trade
from oms.risk.facts import Today
from oms.risk.findings import Findings
from oms.risk.verdict import Reason

Scope = tuple[VenueLimits | DeskLimits, str, list[str]]
"""Limits, what they hold for in words, and the venues that it is."""


def check_day(found: Findings) -> None:
    """What was filled today with all that may be yet, and what was lost: of the venues it trades on, of the desk."""
    request, limits = found.request, found.limits
    touched = dict.fromkeys([request.venue, *(leg.venue for leg in request.legs)])
    scopes: list[Scope] = [(limits.venue(venue), venue, [venue]) for venue in touched]
    everywhere = dict.fromkeys([*found.facts.today, *touched, *(key[0] for key in found.facts.contracts)])
    scopes.append((limits.desk, "all venues", list(everywhere)))
    if any(own.daily_turnover is not None for own, _, _ in scopes):
        _check_turnover(found, scopes)
    for own, where, venues in scopes:
        lost = sum((found.facts.today.get(venue, Today()).loss for venue in venues), ZERO)
        sentence = f"{{value}} was lost today on {where}, {{end}} is allowed: only what reduces is sent"
        found.judge(own.daily_loss, max(lost, ZERO), Reason.DAILY_LOSS, sentence, field="")


def _check_turnover(found: Findings, scopes: list[Scope]) -> None:
    before, _ = to_trade(found.facts, None)
    after, unpriced = to_trade(found.facts, found.request)
    for own, where, venues in scopes:
        if own.daily_turnover is None:
            continue
        missing = [key for key in unpriced if key[0] in venues]
        if missing:
            found.unpriced(missing, Reason.DAILY_TURNOVER)
            continue
        coming = _summed(after, venues)
        if coming > _summed(before, venues):
            filled = sum((found.facts.today.get(venue, Today()).turnover for venue in venues), ZERO)
            sentence = f"today's turnover on {where} could become {{value}}: {{end}} is allowed"
            found.judge(own.daily_turnover, filled + coming, Reason.DAILY_TURNOVER, sentence, field="amount")


def _summed(sums: Mapping[str, Decimal], venues: Iterable[str]) -> Decimal:
    return sum((sums.get(venue, ZERO) for venue in venues), ZERO)


def check_books(found: Findings) -> None:
    """What is not hedged in the books that the order would feed, and in all of them (I10)."""
    facts = found.facts
    exposed = {(book.venue, book.ticker): book.exposed for book in facts.owed if book.exposed}
    for number, leg in enumerate(found.request.legs, 1):
        key = leg.venue, leg.ticker
        limit, price = found.limits.of(*key).unhedged_notional, facts.value(key)
        if limit is None or key not in exposed:
            continue
        if price is None:
            found.unpriced([key], Reason.UNHEDGED)
            continue
        sentence = f"{{value}} is unhedged in {leg.venue}:{leg.ticker}: {{end}} is allowed"
        found.judge(limit, exposed[key] * price, Reason.UNHEDGED, sentence, field=f"leg {number} ticker")
    limit = found.limits.desk.unhedged_notional
    if limit is None:
        return
    unpriced = [key for key in exposed if facts.value(key) is None]
    if unpriced:
        found.unpriced(unpriced, Reason.UNHEDGED)
        return
    total = sum((quantity * (facts.value(key) or ZERO) for key, quantity in exposed.items()), ZERO)
    found.judge(limit, total, Reason.UNHEDGED, "{value} is unhedged in all books: {end} is allowed", field="")
