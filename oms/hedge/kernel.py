"""The hedge kernel: from evidence to hedge orders. Pure: no awaits, no clock, no randomness, no I/O.

Cumulative state decides; events only wake. ``apply(event)`` takes what became known and returns what must be done. A
decision takes at most the due part of a book's balance, brings it toward zero to the lot, checks the minimums, and
emits one hedge order under the oldest due obligation's policy. What is left waits and goes with the next.
The invariants I1 to I15 are listed in docs/architecture.md.
"""

from collections.abc import Callable
from decimal import Decimal

from gateways.contracts import ceil_price, floor_lots, floor_price
from gateways.standards import ZERO, RejectReason
from oms.hedge import events as e
from oms.hedge.policy import How, Limits
from oms.hedge.state import BookKey, Child, ChildState, Claim, HedgeBook, Maker, Obligation

BPS = Decimal(10_000)

HOLD_REASONS = {
    RejectReason.MARGIN: "the venue has not enough margin",
    RejectReason.REDUCE_ONLY: "the venue refused a reduce-only order",
    RejectReason.HALTED: "the venue does not trade this contract now",
    RejectReason.CREDENTIALS: "the venue refused our key",
}
"""Refusals that asking again cannot mend: the book goes on HOLD and the operator is told."""


class Kernel:
    """All makers, hedge orders and books of a desk.

    ``new_cloid`` names the next hedge order; it must be deterministic (``CloidSource``), so that the same events give
    the same commands.
    """

    def __init__(self, new_cloid: Callable[[], str], limits: Limits | None = None) -> None:
        self.makers: dict[str, Maker] = {}
        self.children: dict[str, Child] = {}
        self.books: dict[BookKey, HedgeBook] = {}
        self.now_ns = 0
        self._new_cloid = new_cloid
        self._limits = limits or Limits()
        self._commands: list[e.Command] = []
        self._apply: dict[type, Callable[..., list[HedgeBook]]] = {
            e.MakerPlaced: self._placed,
            e.MakerFilled: self._filled,
            e.ChildSeen: self._child_seen,
            e.ChildSent: self._child_sent,
            e.ChildUnknown: self._child_unknown,
            e.ChildAbsent: self._child_absent,
            e.Priced: self._priced,
            e.Clocked: self._clocked,
            e.Specified: self._specified,
            e.Paused: self._paused,
            e.Resumed: self._resumed,
            e.Forfeited: self._forfeited,
        }

    def apply(self, event: e.HedgeEvent) -> list[e.Command]:
        """Take one event; return what must be done now, in order."""
        self.now_ns = max(self.now_ns, event.ts_ns)
        for book in self._apply[type(event)](event):
            self._decide(book)
        commands, self._commands = self._commands, []
        return commands

    def book(self, venue: str, ticker: str) -> HedgeBook:
        """The book of a contract, made when first asked for."""
        key = venue, ticker
        if key not in self.books:
            self.books[key] = HedgeBook(venue, ticker)
        return self.books[key]

    def next_due_ns(self) -> int | None:
        """When time alone may change a decision; None while nothing waits for it."""
        times: list[int] = []
        for book in self.books.values():
            if not book.obligations or book.paused or book.hold:
                continue
            if book.retry_ns > self.now_ns:
                times.append(book.retry_ns)
            else:
                times.extend(item.due_ns for item in book.obligations if item.due_ns > self.now_ns)
        return min(times, default=None)

    # -- events; each returns the books to decide anew

    def _placed(self, event: e.MakerPlaced) -> list[HedgeBook]:
        if event.maker in self.makers or event.maker in self.children:
            raise ValueError(f"maker id {event.maker} is already in use: every order needs its own")
        keys = [(leg.venue, leg.ticker) for leg in event.legs]
        if (event.venue, event.ticker) in keys:
            raise ValueError(f"a leg on {event.venue}:{event.ticker}, the maker's own contract, would hedge nothing")
        if len(set(keys)) < len(keys):
            raise ValueError("two legs of one maker are on one contract: use one leg with the sum of the ratios")
        self.makers[event.maker] = Maker(event.maker, event.venue, event.ticker, event.legs, event.ts_ns)
        for index, leg in enumerate(event.legs):
            self.book(leg.venue, leg.ticker).share(event.maker, index)
        return []

    def _filled(self, event: e.MakerFilled) -> list[HedgeBook]:
        maker = self.makers.get(event.maker)
        if maker is None:
            return []
        if event.average_price is not None:
            maker.average_price = event.average_price
        growth = event.filled - maker.filled
        if growth == 0 or abs(event.filled) <= abs(maker.filled):
            return []
        maker.filled = event.filled
        books = []
        for index, leg in enumerate(maker.legs):
            book = self.book(leg.venue, leg.ticker)
            quantity = growth * leg.ratio
            book.target += quantity
            book.share(maker.cloid, index).waiting += quantity
            due_ns = event.ts_ns + leg.policy.trigger_after_ms * 1_000_000
            _open(book, Obligation(maker.cloid, index, quantity, due_ns, leg.policy))
            books.append(book)
        return books

    def _child_sent(self, event: e.ChildSent) -> list[HedgeBook]:
        child = self.children[event.child]
        child.absence.accept_until_ns = max(child.absence.accept_until_ns, event.accept_until_ns)
        if child.state is ChildState.INTENDED:
            child.state = ChildState.SENT
        return []

    def _child_unknown(self, event: e.ChildUnknown) -> list[HedgeBook]:
        child = self.children[event.child]
        if child.state not in {ChildState.INTENDED, ChildState.SENT}:
            return []
        child.state = ChildState.UNKNOWN
        child.text = event.text
        self._alert(child, "unknown", f"hedge {child.cloid[:8]} is unknown and counts in full: {event.text}", "warning")
        return []

    def _child_absent(self, event: e.ChildAbsent) -> list[HedgeBook]:
        child = self.children[event.child]
        if child.state in {ChildState.DONE, ChildState.WORKING}:
            return []
        if not child.absence.proven(event.ts_ns, self._limits.absent_gap_ns):
            return []
        return self._child_ended(child, None, "the venue never had it")

    def _child_seen(self, event: e.ChildSeen) -> list[HedgeBook]:
        child = self.children[event.child]
        book = self.books[child.book]
        _grow(book, child, event)
        child.absence.seen()
        if not event.done:
            if child.state is not ChildState.DONE:
                child.state = ChildState.WORKING
            return [book]
        return self._child_ended(child, event.reason, event.text)

    def _child_ended(self, child: Child, reason: RejectReason | None, text: str) -> list[HedgeBook]:
        book = self.books[child.book]
        if child.state is ChildState.DONE:
            return [book]
        for claim in reversed(child.claims):
            rest = claim.quantity - claim.filled
            if rest != 0:
                share = book.share(claim.maker, claim.leg)
                share.in_flight -= rest
                share.waiting += rest
                _open(book, Obligation(claim.maker, claim.leg, rest, child.ts_ns, child.policy), first=True)
        child.state = ChildState.DONE
        child.text = text
        del book.open_children[child.cloid]
        if child.cum != 0:
            book.failures = book.retry_ns = 0
            book.refreshed = False
            book.refused_notional = ZERO
        else:
            self._failed(book, child, reason, text)
        return [book]

    def _failed(self, book: HedgeBook, child: Child, reason: RejectReason | None, text: str) -> None:
        """A hedge that filled nothing: wait, ask for new rules, or hold (I11). The quantity is in the balance again."""
        book.last_reject = reason
        said = text or (reason.value if reason else "nothing filled")
        name = f"hedge {child.cloid[:8]} of {child.amount:f}"
        if reason is RejectReason.MIN_NOTIONAL:
            price = _reference(book)
            book.refused_notional = abs(child.amount) * price if price is not None else ZERO
            self._commands.append(e.RefreshContracts(venue=book.venue, ticker=book.ticker))
            self._alert(child, "refused", f"{name} is under the venue's minimum: it waits for more", "warning")
            return
        if reason in {RejectReason.LOT, RejectReason.TICK} and not book.refreshed:
            book.refreshed = True
            book.retry_ns = self.now_ns + self._limits.backoff_ns
            self._commands.append(e.RefreshContracts(venue=book.venue, ticker=book.ticker))
            self._alert(child, "refused", f"{name}: {said}; asking for the contract's rules", "warning")
            return
        book.failures += 1
        hold = HOLD_REASONS.get(reason) if reason else None
        if reason in {RejectReason.LOT, RejectReason.TICK}:
            hold = "the venue refuses our lot or tick after a refresh of its rules"
        if hold is None and book.failures >= self._limits.max_failures:
            hold = f"{book.failures} hedges in a row filled nothing"
        if hold is not None:
            book.hold = hold
            self._alert(child, "hold", f"{name}: {said}; HOLD, {hold}", "error")
            return
        wait = min(self._limits.backoff_ns << (book.failures - 1), self._limits.max_backoff_ns)
        book.retry_ns = self.now_ns + wait
        self._alert(child, "refused", f"{name}: {said}; again in {wait // 1_000_000} ms", "warning")

    def _priced(self, event: e.Priced) -> list[HedgeBook]:
        book = self.books.get((event.venue, event.ticker))
        if book is None:
            return []
        book.bid, book.ask, book.ts_quote_ns = event.bid, event.ask, event.ts_ns
        return [book] if book.obligations else []

    def _clocked(self, _event: e.Clocked) -> list[HedgeBook]:
        return [book for book in self.books.values() if book.obligations]

    def _specified(self, event: e.Specified) -> list[HedgeBook]:
        book = self.books.get((event.contract.venue, event.contract.ticker))
        if book is None:
            return []
        book.contract = event.contract
        return [book]

    def _paused(self, event: e.Paused) -> list[HedgeBook]:
        book = self.book(event.venue, event.ticker)
        book.paused = event.reason or "by the operator"
        return [book]

    def _resumed(self, event: e.Resumed) -> list[HedgeBook]:
        book = self.book(event.venue, event.ticker)
        book.paused = book.hold = ""
        book.failures = 0
        book.retry_ns = 0
        book.refreshed = False
        book.refused_notional = ZERO
        if event.now:
            for obligation in book.obligations:
                obligation.due_ns = min(obligation.due_ns, self.now_ns)
        return [book]

    def _forfeited(self, event: e.Forfeited) -> list[HedgeBook]:
        book = self.book(event.venue, event.ticker)
        balance = book.balance
        amount = balance if event.amount is None else event.amount
        if amount * balance < 0 or abs(amount) > abs(balance):
            raise ValueError(
                f"amount {amount:f} cannot be forfeited: the balance is {balance:f}, give its sign and at most its size"
            )
        for claim in _take(book, amount, None):
            share = book.share(claim.maker, claim.leg)
            share.waiting -= claim.quantity
            share.forfeited += claim.quantity
        book.forfeited += amount
        return [book]

    # -- the decision

    def _decide(self, book: HedgeBook) -> None:
        while self._send_one(book):
            pass
        if book.balance == 0:
            book.waits = book.release = ""
            book.ts_waiting_ns = 0
        elif not book.ts_waiting_ns:
            book.ts_waiting_ns = self.now_ns

    def _send_one(self, book: HedgeBook) -> bool:
        """Emit the hedge order that is due now, if there is one; else say on the book why not."""
        amount = self._amount(book)
        if amount == 0:
            return False
        policy = next(item.policy for item in book.obligations if item.due_ns <= self.now_ns)
        price = None
        if policy.how is How.IOC:
            price = self._limit_price(book, policy.slippage_bps, buying=amount > 0)
            if price is None:
                return False
        child = Child(self._new_cloid(), book.key, amount, _take(book, amount, self.now_ns), policy, self.now_ns)
        for claim in child.claims:
            share = book.share(claim.maker, claim.leg)
            share.waiting -= claim.quantity
            share.in_flight += claim.quantity
        self.children[child.cloid] = book.open_children[child.cloid] = child
        parts = tuple(e.Part(claim.maker, claim.leg, claim.quantity) for claim in child.claims)
        self._commands.append(
            e.SendChild(
                child=child.cloid, venue=book.venue, ticker=book.ticker, amount=amount, price=price, parts=parts
            )
        )
        return True

    def _amount(self, book: HedgeBook) -> Decimal:
        """What may be sent now, signed, a lot multiple over the minimums (I2); zero, with the reason, if nothing."""
        contract = book.contract
        if book.balance == 0:
            return ZERO
        sendable = book.sendable()
        due = sum((item.quantity for item in book.obligations if item.due_ns <= self.now_ns), ZERO)
        if book.paused:
            return _wait(book, f"paused {book.paused}", "resume it")
        if book.hold:
            return _wait(book, f"HOLD: {book.hold}", "mend it, then resume")
        if contract is None:
            return _wait(book, "the contract's rules are not known yet", "the venue's answer")
        if sendable == 0:
            return _wait(book, "an unknown hedge order could answer it", "the venue's word on that order")
        if due == 0 or due * sendable < 0:
            return _wait(book, "its delay has not passed", "time")
        if book.retry_ns > self.now_ns:
            return _wait(book, "the last hedge failed", "time: it is tried again")
        wanted = due if abs(due) <= abs(sendable) else sendable
        amount = floor_lots(contract, wanted)
        if contract.market_max_quantity is not None and abs(amount) > contract.market_max_quantity:
            amount = floor_lots(contract, contract.market_max_quantity.copy_sign(amount))
        smallest = max(contract.lot_size, contract.min_quantity)
        if abs(amount) < smallest:
            return _wait(book, f"under the lot of {smallest:f}", "the next fill, or hand")
        if contract.min_notional > 0 or book.refused_notional > 0:
            price = _reference(book)
            if price is None:
                return _wait(book, "no price to check the minimum with", "the next price")
            notional = abs(amount) * price
            if notional < contract.min_notional or notional <= book.refused_notional:
                least = max(contract.min_notional, book.refused_notional)
                return _wait(book, f"under the minimum of {least:f}", "the next fill, the price, or hand")
        return amount

    def _limit_price(self, book: HedgeBook, slippage_bps: Decimal, *, buying: bool) -> Decimal | None:
        """The limit of an IOC: through the best opposite price by the slippage, on the tick, never beyond (I14)."""
        best = book.ask if buying else book.bid
        if best is None or self.now_ns - book.ts_quote_ns > self._limits.max_quote_age_ns:
            _wait(book, "no fresh price to set the limit from", "the next price")
            return None
        if book.contract is None:
            return None
        slack = best * slippage_bps / BPS
        return floor_price(book.contract, best + slack) if buying else ceil_price(book.contract, best - slack)

    def _alert(self, child: Child, event: str, text: str, severity: str) -> None:
        venue, ticker = child.book
        self._commands.append(
            e.Alert(event=event, venue=venue, ticker=ticker, text=text, severity=severity, cloid=child.cloid)
        )


def _wait(book: HedgeBook, why: str, release: str) -> Decimal:
    book.waits, book.release = why, release
    return ZERO


def _reference(book: HedgeBook) -> Decimal | None:
    """The price that a minimum notional is checked at: the lower side, so that the check is not too kind."""
    return book.bid if book.bid is not None else book.ask


def _open(book: HedgeBook, obligation: Obligation, *, first: bool = False) -> None:
    """Add an obligation; it cancels against opposite ones first, the oldest first."""
    queue = book.obligations
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


def _take(book: HedgeBook, amount: Decimal, due_by_ns: int | None) -> list[Claim]:
    """Take ``amount`` out of the obligations, the oldest first, only those due by then (None: any)."""
    claims: list[Claim] = []
    kept: list[Obligation] = []
    left = amount
    queue = book.obligations
    while queue and left != 0:
        item = queue[0]
        if item.quantity * left < 0:
            break
        if due_by_ns is not None and item.due_ns > due_by_ns:
            kept.append(queue.popleft())
            continue
        taken = left if abs(left) < abs(item.quantity) else item.quantity
        claims.append(Claim(item.maker, item.leg, taken))
        item.quantity -= taken
        left -= taken
        if item.quantity == 0:
            queue.popleft()
    queue.extendleft(reversed(kept))
    return claims


def _grow(book: HedgeBook, child: Child, seen: e.ChildSeen) -> None:
    """Book what a hedge order has filled; its cumulative size never falls (I7)."""
    growth = seen.filled - child.cum if abs(seen.filled) > abs(child.cum) else ZERO
    cum = child.cum + growth
    cost = child.cost if seen.average_price is None else cum * seen.average_price
    spent, child.cost = cost - child.cost, cost
    child.cum = cum
    book.hedged += growth
    if growth == 0:
        if spent != 0 and child.claims:
            claim = child.claims[-1]
            book.share(claim.maker, claim.leg).cost += spent
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
    if left == 0:
        return
    # More than was in flight: a fill after the end, or an overfill. It answers what waits; the excess is owed back.
    for claim in _take(book, left, None):
        share = book.share(claim.maker, claim.leg)
        share.waiting -= claim.quantity
        share.hedged += claim.quantity
        share.cost += claim.quantity * price
        left -= claim.quantity
    if left != 0:
        claim = child.claims[-1]
        share = book.share(claim.maker, claim.leg)
        share.hedged += left
        share.cost += left * price
        share.waiting -= left
        _open(book, Obligation(claim.maker, claim.leg, -left, seen.ts_ns, child.policy))
