"""What follows when a hedge order filled nothing: try again later, ask for new rules, escalate, unwind, HOLD (I11).

Pure functions on ``HedgeBook``; each returns what must be done. The quantity is in the balance again already.
"""

from collections.abc import Mapping
from decimal import Decimal

from gateways.standards import ZERO, RejectReason
from oms.hedge import decision
from oms.hedge import events as e
from oms.hedge.policy import Limits, OnFailure
from oms.hedge.state import Child, HedgeBook, Maker

HOLD_REASONS = {
    RejectReason.MARGIN: "the venue has not enough margin",
    RejectReason.REDUCE_ONLY: "the venue refused a reduce-only order",
    RejectReason.HALTED: "the venue does not trade this contract now",
    RejectReason.CREDENTIALS: "the venue refused our key",
}
"""Refusals that asking again cannot mend: the book goes on HOLD and the operator is told."""

RULES = frozenset({RejectReason.LOT, RejectReason.TICK})
"""Refusals by rules of the contract that we may not know yet."""

ESCALATED = -1
"""The rung of an obligation that goes to the market because its ladder failed."""


def failed(
    book: HedgeBook, child: Child, reason: RejectReason | None, text: str, *, now_ns: int, limits: Limits,
    makers: Mapping[str, Maker],
) -> list[e.Command]:  # fmt: skip
    """Count a hedge that filled nothing, and decide when and how it is tried again, if at all."""
    outage = reason is RejectReason.UNREACHABLE
    counted = outage and book.last_reject is reason and child.ts_ns < book.retry_ns
    book.last_reject = reason
    said = text or (reason.value if reason else "nothing filled")
    name = f"hedge {child.cloid[:8]} of {child.amount:f}"
    if reason is RejectReason.MIN_NOTIONAL:
        price = decision.reference_price(book)
        book.refused_notional = abs(child.amount) * price if price is not None else ZERO
        book.retry_ns = now_ns + (limits.max_backoff_ns if price is None else limits.backoff_ns)
        return _ask_rules(book, child, f"{name} is under the venue's minimum: it waits for more")
    if reason in RULES and not book.refreshed:
        book.refreshed = True
        book.retry_ns = now_ns + limits.rules_wait_ns
        return _ask_rules(book, child, f"{name}: {said}; asking for the contract's rules")
    if reason is RejectReason.RATE_LIMIT:
        book.retry_ns = max(book.retry_ns, now_ns + limits.backoff_ns)
        return [told(child, "refused", f"{name}: {said}; it waits for the rate limit", "warning")]
    commands: list[e.Command] = [e.VenueLost(venue=book.venue, text=said)] if outage else []
    if counted:  # several went out before one outage was noticed: that is one failure
        book.retry_ns = max(book.retry_ns, now_ns + limits.backoff_ns)
        return [*commands, told(child, "refused", f"{name}: {said}", "warning")]
    book.failures += 1
    why = HOLD_REASONS.get(reason) if reason else None
    if reason in RULES:
        why = "the venue refuses our lot or tick after a refresh of its rules"
    if why is None and book.failures >= limits.max_failures:
        why = f"{book.failures} hedges in a row filled nothing"
        if child.policy.on_failure is OnFailure.ESCALATE and child.rung != ESCALATED:
            commands += _escalated(book, child, f"{name}: {why}; now as a market order", limits)
            book.retry_ns = now_ns + limits.backoff_ns if outage else 0  # into an outage nothing goes, this neither
            return commands
    if why is not None:
        asked = bool(book.hold or book.unwinding)
        commands += held(book, why, f"{name}: {said}", child.cloid)
        if child.policy.on_failure is OnFailure.UNWIND:
            commands += unwound_rest(book, child, makers) if asked else unwound(book, makers)
        return commands
    wait = limits.backoff_after(book.failures)
    book.retry_ns = now_ns + wait
    return [*commands, told(child, "refused", f"{name}: {said}; again in {wait // 1_000_000} ms", "warning")]


def throttled(book: HedgeBook, until_ns: int, *, now_ns: int, limits: Limits) -> list[e.Command]:
    """Send nothing until a rate limit is free: no failure and no HOLD, whatever it takes.

    Where that is long (``Limits.max_throttle_ns``), the makers that would go on filling meanwhile are stopped.
    """
    book.last_reject = RejectReason.RATE_LIMIT
    book.retry_ns = max(book.retry_ns, until_ns)
    wait_ns = until_ns - now_ns
    if wait_ns <= limits.max_throttle_ns:
        return []
    why = f"its rate limit lets no hedge out for {wait_ns // 1_000_000_000} s"
    text = f"{book.venue}:{book.ticker} waits: {why}"
    return [
        e.StopMakers(venue=book.venue, ticker=book.ticker, reason=why),
        e.Alert(event="alert", venue=book.venue, ticker=book.ticker, text=text, severity="error"),
    ]


def stopped_trading(book: HedgeBook) -> list[e.Command]:
    """Stop the makers of a book whose venue has ended trading in its contract. What waits goes on with the trading."""
    why = "the venue does not trade this contract now"
    text = f"{book.venue}:{book.ticker}: {why}, {book.balance + book.in_flight:f} is not hedged"
    return [
        e.StopMakers(venue=book.venue, ticker=book.ticker, reason=why),
        e.Alert(event="alert", venue=book.venue, ticker=book.ticker, text=text, severity="error"),
    ]


def held(book: HedgeBook, why: str, what: str, cloid: str = "") -> list[e.Command]:
    """Put a book on HOLD, and stop its makers where it was not: until the operator resumes it."""
    stop: list[e.Command] = [] if book.hold else [e.StopMakers(venue=book.venue, ticker=book.ticker, reason=why)]
    book.hold = why
    text = f"{what}; HOLD, {why}"
    return [
        *stop, e.Alert(event="hold", venue=book.venue, ticker=book.ticker, text=text, severity="error", cloid=cloid)
    ]  # fmt: skip


def unwound(book: HedgeBook, makers: Mapping[str, Maker]) -> list[e.Command]:
    """Ask to close on the makers' own venues what waits here under a policy that says so, maker by maker."""
    return [
        _unwind(book, makers[one.maker], one.quantity)
        for one in book.obligations
        if one.policy.on_failure is OnFailure.UNWIND
    ]


def unwound_rest(book: HedgeBook, child: Child, makers: Mapping[str, Maker]) -> list[e.Command]:
    """Ask so for what a hedge order alone has left: what waited before it was asked for already."""
    commands: list[e.Command] = []
    for claim in child.claims:
        rest, waiting = claim.quantity - claim.filled, book.share(claim.maker, claim.leg).waiting
        if rest * waiting > 0:  # where an opposite obligation has met it, nothing is left to close
            part = rest if abs(rest) < abs(waiting) else waiting
            commands.append(_unwind(book, makers[claim.maker], part))
    return commands


def _unwind(book: HedgeBook, maker: Maker, quantity: Decimal) -> e.Command:
    """Close so much of what the maker made that its legs together answer the rest of it.

    One leg of several stands for its own share of the maker alone: the others are hedged.
    """
    ratio = sum((leg.ratio for leg in maker.legs), ZERO)
    return e.Unwind(
        venue=book.venue, ticker=book.ticker, maker=maker.cloid, maker_venue=maker.venue, maker_ticker=maker.ticker,
        amount=-quantity / ratio, ratio=ratio,
    )  # fmt: skip


def ending(child: Child) -> list[e.Command]:
    """Have the end confirmed of a hedge order that rested."""
    text = f"hedge {child.cloid[:8]} ended with {child.cum:f} of {child.amount:f}: {child.text}"
    return [e.ConfirmEnd(child=child.cloid), told(child, "ending", text, "info")]


def told(child: Child, event: str, text: str, severity: str) -> e.Alert:
    """An alert about a hedge order."""
    venue, ticker = child.book
    return e.Alert(event=event, venue=venue, ticker=ticker, text=text, severity=severity, cloid=child.cloid)


def _ask_rules(book: HedgeBook, child: Child, text: str) -> list[e.Command]:
    return [e.RefreshContracts(venue=book.venue, ticker=book.ticker), told(child, "refused", text, "warning")]


def _escalated(book: HedgeBook, child: Child, text: str, limits: Limits) -> list[e.Command]:
    for obligation in book.obligations:
        if obligation.policy == child.policy:
            obligation.rung = ESCALATED
    book.failures = limits.max_failures - 1
    return [told(child, "escalated", text, "warning")]
