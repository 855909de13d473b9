"""Book-keeping of a hedge book: opening and taking obligations, and booking what hedge orders fill.

Pure functions on ``HedgeBook``. Every change keeps two sums: the obligations are the balance (I1), and the shares of
the makers are the book (I12).
"""

from decimal import Decimal

from gateways.standards import ZERO
from oms.hedge.events import ChildSeen, Intended
from oms.hedge.policy import Policy
from oms.hedge.state import Child, ChildState, Claim, HedgeBook, Obligation


def open_obligation(book: HedgeBook, obligation: Obligation, *, first: bool = False) -> None:
    """Add an obligation; it cancels against opposite ones first, the oldest first. The share counts it as waiting."""
    queue = book.obligations
    book.share(obligation.maker, obligation.leg).waiting += obligation.quantity
    while queue and obligation.quantity * queue[0].quantity < 0:
        oldest = queue[0]
        met = min(abs(oldest.quantity), abs(obligation.quantity)).copy_sign(oldest.quantity)
        for item, quantity in ((oldest, met), (obligation, -met)):
            share = book.share(item.maker, item.leg)
            share.waiting -= quantity
            share.netted += quantity
            item.quantity -= quantity
        if oldest.quantity == 0:
            queue.popleft()
    if obligation.quantity == 0:
        return
    if first:
        queue.appendleft(obligation)
    else:
        queue.append(obligation)


def take(book: HedgeBook, amount: Decimal, due_by_ns: int | None) -> list[Claim]:
    """Take ``amount`` out of the obligations, the oldest first, only those due by then (None: any)."""
    claims: list[Claim] = []
    kept: list[Obligation] = []
    left = amount
    queue = book.obligations
    while queue and left != 0 and queue[0].quantity * left > 0:
        item = queue[0]
        if due_by_ns is not None and item.due_ns > due_by_ns:
            kept.append(queue.popleft())
            continue
        taken = left if abs(left) < abs(item.quantity) else item.quantity
        claims.append(Claim(item.maker, item.leg, taken))
        book.share(item.maker, item.leg).waiting -= taken
        item.quantity -= taken
        left -= taken
        if item.quantity == 0:
            queue.popleft()
    if kept:
        queue.extendleft(reversed(kept))
    return claims


def take_all(book: HedgeBook, amount: Decimal, policy: Policy, ts_ns: int) -> list[Claim]:
    """Take all that waits for an order of at least as much; what that is more than was owed is owed back."""
    balance = book.balance
    claims = take(book, balance, None)
    excess, last = amount - balance, claims[-1]
    last.quantity += excess
    if excess != 0:
        open_obligation(book, Obligation(last.maker, last.leg, -excess, ts_ns, policy))
    return claims


def take_parts(book: HedgeBook, intended: Intended) -> list[Claim]:
    """Take what a journaled hedge order answers out of the obligations of those whom it answers."""
    claims = []
    for part in intended.parts:
        left = _take_part(book, part.maker, part.leg, part.quantity)
        if left != 0:  # a round-up sent more than was owed: the excess is owed back
            open_obligation(book, Obligation(part.maker, part.leg, -left, intended.ts_ns, intended.policy))
        claims.append(Claim(part.maker, part.leg, part.quantity))
    return claims


def _take_part(book: HedgeBook, maker: str, leg: int, quantity: Decimal) -> Decimal:
    """Take ``quantity`` out of one maker's obligations, the oldest first; return what they did not hold."""
    left = quantity
    for item in list(book.obligations):
        if left == 0:
            break
        if (item.maker, item.leg) == (maker, leg) and item.quantity * left > 0:
            taken = left if abs(left) < abs(item.quantity) else item.quantity
            item.quantity -= taken
            left -= taken
            book.share(maker, leg).waiting -= taken
            if item.quantity == 0:
                book.obligations.remove(item)
    return left


def launch(book: HedgeBook, child: Child) -> None:
    """Count a hedge order as in flight, claim by claim."""
    for claim in child.claims:
        book.share(claim.maker, claim.leg).in_flight += claim.quantity
    book.open_children[child.cloid] = child


def land(book: HedgeBook, child: Child, rung: int) -> None:
    """A hedge order can fill no more: what it did not fill is due again, on ``rung``, for those it was for."""
    for claim in reversed(child.claims):
        rest = claim.quantity - claim.filled
        if rest != 0:
            book.share(claim.maker, claim.leg).in_flight -= rest
            again = Obligation(claim.maker, claim.leg, rest, child.ts_ns, child.policy, rung)
            open_obligation(book, again, first=True)
    child.state = ChildState.DONE
    del book.open_children[child.cloid]


def grow(book: HedgeBook, child: Child, seen: ChildSeen) -> None:
    """Book what a hedge order has filled; its cumulative size never falls (I7)."""
    growth = seen.filled - child.cum if abs(seen.filled) > abs(child.cum) else ZERO
    cum = child.cum + growth
    cost = child.cost if seen.average_price is None else cum * seen.average_price
    spent, child.cost = cost - child.cost, cost
    child.cum = cum
    book.hedged += growth
    if growth == 0:
        if spent != 0:
            last = child.claims[-1]
            book.share(last.maker, last.leg).cost += spent
        return
    price = spent / growth
    left = growth
    if child.state is not ChildState.DONE:
        for claim in child.claims:
            rest = claim.quantity - claim.filled
            taken = left if abs(left) < abs(rest) else rest
            claim.filled += taken
            left -= taken
            share = book.share(claim.maker, claim.leg)
            share.in_flight -= taken
            share.hedged += taken
            share.cost += taken * price
    # More than was in flight: a fill after the end, or an overfill. It answers what waits; the excess is owed back.
    for claim in take(book, left, None):
        share = book.share(claim.maker, claim.leg)
        share.hedged += claim.quantity
        share.cost += claim.quantity * price
        left -= claim.quantity
    if left != 0:
        last = child.claims[-1]
        share = book.share(last.maker, last.leg)
        share.hedged += left
        share.cost += left * price
        open_obligation(book, Obligation(last.maker, last.leg, -left, seen.ts_ns, child.policy))
