"""What stands behind an order: from a maker to its legs and fills, to the hedges that answer them, and back. Pure.

Each place shows one thing and the lines under it; most lines lead on to another place. It is read from what the engine
told this console; ``hedgedesk journal`` tells the same of a whole journal.
"""

from collections.abc import Iterable
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

import msgspec

from console import fmt
from console.link import BookRow, ClaimRow, FillRow, HedgeRow, OrderRow
from console.panes.mirror import Mirror
from gateways.standards import ZERO

LEGS_OF_A_BOOK = 200
"""Legs that a book shows: those that are not settled first, then the latest."""


class Place(NamedTuple):
    """One thing looked at: an ``order`` by its id, a ``leg`` or ``book`` by its key, the n-th ``fill`` of a maker."""

    kind: str
    key: str
    nth: int = 0


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line under a place. Amounts are signed base units of its own contract."""

    kind: str
    """``leg``, ``fill``, ``hedge`` or ``answers``."""
    ts_ns: int
    id: str
    venue: str
    ticker: str
    amount: Decimal
    filled: Decimal | None
    price: Decimal | None
    state: str
    note: str
    slippage_bps: Decimal | None = None
    leads_to: Place | None = None
    row: msgspec.Struct | None = None
    """All that is known of it."""


class View(NamedTuple):
    """A place with what is under it."""

    title: str
    facts: tuple[str, ...]
    lines: tuple[Line, ...]


def place_of(row: msgspec.Struct | None) -> Place | None:
    """Where a row of a pane leads; None for one that nothing stands behind."""
    match row:
        case HedgeRow():
            return Place("order", row.maker)
        case BookRow():
            return Place("book", row.key)
        case OrderRow() if row.role in {"maker", "hedge"}:
            return Place("order", row.cloid)
        case FillRow() if row.role in {"maker", "hedge"}:
            return Place("order", row.cloid)
    return None


def view(mirror: Mirror, place: Place) -> View:
    """What is to be shown of a place now."""
    match place.kind:
        case "leg":
            return _leg(mirror, place.key)
        case "fill":
            return _fill(mirror, place.key, place.nth)
        case "book":
            return _book(mirror, place.key)
    return _order(mirror, place.key)


# ------------------------------------------------------------------ places


def _order(mirror: Mirror, cloid: str) -> View:
    order = mirror.orders.get(cloid)
    legs = _legs(mirror, cloid)
    fills = _fills(mirror, cloid)
    role = order.role if order else "maker"
    if order is not None:
        title = f"{role} {fmt.short_id(cloid)}  {fmt.contract(order.venue, order.ticker)}"
        facts = _order_facts(mirror, order)
    else:
        title, facts = f"{role} {fmt.short_id(cloid)}", ("This order ended long ago: the journal has all of it.",)
    claims = order.claims if order else ()
    lines = [
        *(_leg_line(leg) for leg in legs),
        *(_answers_line(mirror, claim) for claim in claims),
        *(_fill_line(fill, Place("fill", cloid, nth) if legs else None) for nth, fill in enumerate(fills)),
    ]
    return View(title, facts, tuple(lines))


def _order_facts(mirror: Mirror, order: OrderRow) -> tuple[str, ...]:
    tick, lot = mirror.tick(order.venue, order.ticker), mirror.lot(order.venue, order.ticker)
    price = "market" if order.price is None else fmt.number(order.price, tick)
    wanted = f"{fmt.side(order.amount)} {fmt.number(abs(order.amount), lot)} at {price} {order.tif} {order.flags}"
    done = f"{fmt.status(order.status)}, {fmt.number(order.filled, lot, sign=True)} filled"
    if order.filled:
        done += f" at {fmt.average(order.average_price, tick)} on average"
    if order.slippage_bps is not None:
        done += f", slippage {fmt.rounded(order.slippage_bps, 1, sign=True)} bps"
    facts = [wanted.strip(), f"{done}  ·  {fmt.clock(order.ts_created_ns)} to {fmt.clock(order.ts_changed_ns)}"]
    return (*facts, *([order.reason] if order.reason else []))


def _leg(mirror: Mirror, key: str) -> View:
    leg = mirror.hedges.get(key)
    if leg is None:
        return View("hedge leg", ("It is no longer known here: the journal has all of it.",), ())
    lines = tuple(_hedge_line(mirror, order, _claimed(order, leg)) for order in _hedges(mirror, leg))
    title = f"maker {fmt.short_id(leg.maker)} → {fmt.contract(leg.venue, leg.ticker)}"
    return View(title, _leg_facts(mirror, leg), lines)


def _book(mirror: Mirror, key: str) -> View:
    book = mirror.books.get(key)
    if book is None:
        return View("hedge book", ("It is no longer known here: the journal has all of it.",), ())
    lot = mirror.lot(book.venue, book.ticker)
    parts = (("hedged", book.hedged), ("in flight", book.in_flight), ("waiting", book.balance),
             ("forfeited", book.forfeited))  # fmt: skip
    facts = [_equation(book.target, parts, lot)]
    if book.waits or book.blocked:
        blocked = f"no new makers: {book.blocked}" if book.blocked else ""
        facts.append(" · ".join(part for part in (book.waits, blocked) if part))
    if book.release:
        facts.append(f"released by: {book.released_by}")
    legs = [row for row in mirror.hedges.values() if (row.venue, row.ticker) == (book.venue, book.ticker)]
    legs.sort(key=lambda row: (not (row.waiting or row.in_flight), -row.ts_changed_ns))
    lines = tuple(
        msgspec.structs.replace(_leg_line(leg), id=fmt.short_id(leg.maker), note=leg.waits or leg.policy)
        for leg in legs[:LEGS_OF_A_BOOK]
    )
    return View(f"hedge book {fmt.contract(book.venue, book.ticker)}", tuple(facts), lines)


def _equation(target: Decimal, parts: Iterable[tuple[str, Decimal]], lot: Decimal | None) -> str:
    terms = " ".join(f"{fmt.number(part, lot, sign=True)} {name}" for name, part in parts if part)
    return f"target {fmt.number(target, lot, sign=True)} = {terms or '0'}"


def _leg_facts(mirror: Mirror, leg: HedgeRow) -> tuple[str, ...]:
    lot, tick = mirror.lot(leg.venue, leg.ticker), mirror.tick(leg.venue, leg.ticker)
    parts = (("hedged", leg.hedged), ("in flight", leg.in_flight), ("waiting", leg.waiting), ("netted", leg.netted),
             ("forfeited", leg.forfeited))  # fmt: skip
    facts = [f"{_equation(leg.target, parts, lot)}  (x{fmt.number(abs(leg.ratio))} {leg.policy})"]
    if leg.hedge_average is not None:
        maker = fmt.average(leg.maker_average, mirror.tick(leg.maker_venue, leg.maker_ticker))
        facts.append(
            f"maker {maker}, hedge {fmt.average(leg.hedge_average, tick)}: "
            f"basis {fmt.rounded(leg.basis_bps, 1, sign=True)} bps, "
            f"slippage {fmt.rounded(leg.slippage_bps, 1, sign=True)} bps"
        )
    if leg.waits:
        facts.append(f"waits: {leg.waits}; {leg.release}" if leg.release else f"waits: {leg.waits}")
    return tuple(facts)


def _fill(mirror: Mirror, cloid: str, nth: int) -> View:
    fills = _fills(mirror, cloid)
    if nth >= len(fills):
        return View("fill", ("It is no longer known here: the journal has all of it.",), ())
    fill = fills[nth]
    before = sum((each.amount for each in fills[:nth]), ZERO)
    lot, tick = mirror.lot(fill.venue, fill.ticker), mirror.tick(fill.venue, fill.ticker)
    fee = "" if fill.fee is None else f", fee {fmt.number(fill.fee)} {fill.fee_asset}"
    traded = f"{fmt.number(fill.amount, lot, sign=True)} at {fmt.number(fill.price, tick)} {fill.liquidity}{fee}"
    facts = [f"{traded}  ·  {fmt.clock(fill.ts_ns)}"]
    lines = []
    legs = _legs(mirror, cloid)
    for leg in legs:
        lines += [
            _hedge_line(mirror, order, part)
            for order, part in _answering(_hedges(mirror, leg), leg, before * leg.ratio, fill.amount * leg.ratio)
        ]
    if any(leg.netted or leg.forfeited for leg in legs):
        facts.append("Part of the leg was netted or forfeited: which fill it was for, the journal tells.")
    if not lines:
        facts.append("No hedge has answered it yet." if legs else "It has no hedge legs.")
    return View(f"fill {nth + 1} of maker {fmt.short_id(cloid)}  {fmt.contract(fill.venue, fill.ticker)}",
                tuple(facts), tuple(lines))  # fmt: skip


def _answering(hedges: list[OrderRow], leg: HedgeRow, start: Decimal, owed: Decimal) -> list[tuple[OrderRow, ClaimRow]]:
    """The hedges that answer a fill, and each one's part in it: the oldest owed first, as the engine takes them.

    What the fill made owed begins at ``start`` and is ``owed``, both signed like the hedge. A hedge that has ended
    counts with what it filled.
    """
    found = []
    taken = [_claimed(order, leg) for order in hedges]
    parts = [claim.filled if order.terminal else claim.quantity for order, claim in zip(hedges, taken, strict=True)]
    low, high = sorted((abs(start), abs(start + owed)))
    for order, claim, part, end in zip(hedges, taken, parts, accumulate(parts), strict=True):
        share = min(high, abs(end)) - max(low, abs(end - part))
        if share > 0:
            sign = Decimal(1).copy_sign(part)
            filled = min(share, abs(claim.filled)) * sign
            found.append((order, msgspec.structs.replace(claim, quantity=share * sign, filled=filled)))
    return found


# ------------------------------------------------------------------ lines


def _leg_line(leg: HedgeRow) -> Line:
    note = leg.waits or (f"basis {fmt.rounded(leg.basis_bps, 1, sign=True)} bps" if leg.basis_bps is not None else "")
    return Line(
        kind="leg", ts_ns=leg.ts_changed_ns, id=f"leg {leg.leg + 1}", venue=leg.venue, ticker=leg.ticker,
        amount=leg.target, filled=leg.hedged, price=leg.hedge_average, state=fmt.hedge_state(leg.state), note=note,
        slippage_bps=leg.slippage_bps, leads_to=Place("leg", leg.key), row=leg,
    )  # fmt: skip


def _fill_line(fill: FillRow, leads_to: Place | None) -> Line:
    fee = "" if fill.fee is None else f"fee {fmt.number(fill.fee)} {fill.fee_asset}"
    return Line(
        kind="fill", ts_ns=fill.ts_ns, id=f"fill {fill.trade_id[-6:]}", venue=fill.venue, ticker=fill.ticker,
        amount=fill.amount, filled=None, price=fill.price, state=fill.liquidity,
        note=fee, leads_to=leads_to, row=fill,
    )  # fmt: skip


def _hedge_line(mirror: Mirror, order: OrderRow, claim: ClaimRow) -> Line:
    lot = mirror.lot(order.venue, order.ticker)
    shared = f"part of {fmt.number(order.amount, lot, sign=True)}" if claim.quantity != order.amount else ""
    return Line(
        kind="hedge", ts_ns=order.ts_created_ns, id=fmt.short_id(order.cloid), venue=order.venue, ticker=order.ticker,
        amount=claim.quantity, filled=claim.filled, price=order.average_price, state=fmt.status(order.status),
        note=" · ".join(part for part in (shared, order.reason) if part), slippage_bps=order.slippage_bps,
        leads_to=Place("order", order.cloid), row=order,
    )  # fmt: skip


def _answers_line(mirror: Mirror, claim: ClaimRow) -> Line:
    maker = mirror.orders.get(claim.maker)
    return Line(
        kind="answers", ts_ns=maker.ts_created_ns if maker else 0, id=fmt.short_id(claim.maker),
        venue=maker.venue if maker else "", ticker=maker.ticker if maker else "", amount=claim.quantity,
        filled=claim.filled, price=maker.average_price if maker else None,
        state=fmt.status(maker.status) if maker else "", note=f"leg {claim.leg + 1} of this maker",
        leads_to=Place("order", claim.maker), row=maker,
    )  # fmt: skip


# ------------------------------------------------------------------ what belongs together


def _legs(mirror: Mirror, maker: str) -> list[HedgeRow]:
    return sorted((row for row in mirror.hedges.values() if row.maker == maker), key=lambda row: row.leg)


def _fills(mirror: Mirror, cloid: str) -> list[FillRow]:
    return [fill for fill in mirror.fills.values() if fill.cloid == cloid]


def _hedges(mirror: Mirror, leg: HedgeRow) -> list[OrderRow]:
    found = [
        order
        for order in mirror.orders.values()
        if any((claim.maker, claim.leg) == (leg.maker, leg.leg) for claim in order.claims)
    ]
    return sorted(found, key=lambda order: order.ts_created_ns)


def _claimed(order: OrderRow, leg: HedgeRow) -> ClaimRow:
    mine = [claim for claim in order.claims if (claim.maker, claim.leg) == (leg.maker, leg.leg)]
    return ClaimRow(
        maker=leg.maker, leg=leg.leg, quantity=sum((claim.quantity for claim in mine), ZERO),
        filled=sum((claim.filled for claim in mine), ZERO),
    )  # fmt: skip
