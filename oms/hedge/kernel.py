"""The hedge kernel: from evidence to hedge orders. Pure: no awaits, no clock, no randomness, no I/O.

Cumulative state decides; events only wake. ``apply(event)`` takes what became known and returns what must be done;
``decide`` and ``settle`` are its two steps, between which hedges can leave. A decision takes at most the due part of a
book's balance, brings it toward zero to the lot, checks the minimums, and emits one hedge order under the oldest due
obligation's policy. What is left waits and goes with the next.
The invariants I1 to I15 are listed in docs/architecture.md.
"""

from collections.abc import Callable
from decimal import Decimal

from gateways.standards import ZERO, RejectReason
from oms.hedge import acts, decision, failures, ledger
from oms.hedge import events as e
from oms.hedge.cap import Cap
from oms.hedge.policy import How, Limits, Policy
from oms.hedge.state import BookKey, Child, ChildState, Claim, HedgeBook, Maker, Obligation, Outage


class Kernel:
    """All makers, hedge orders and books of a desk.

    ``new_cloid`` names the next hedge order; it must be deterministic (``CloidSource``), so that the same events give
    the same commands.
    """

    def __init__(self, new_cloid: Callable[[], str], limits: Limits | None = None) -> None:
        self.makers: dict[str, Maker] = {}
        self.children: dict[str, Child] = {}
        self.books: dict[BookKey, HedgeBook] = {}
        self.unwinds: dict[str, e.Unwinding] = {}
        """By order: what it closed on a maker's venue is not forfeited yet."""
        self.outages: dict[str, Outage] = {}
        """By venue; found out anew after a restart, so neither journaled nor replayed."""
        self.halted = ""
        """Why no hedge is sent anywhere; empty when hedges are. Told anew after a restart."""
        self.now_ns = 0
        self.limits = limits or Limits()
        self.cap = Cap(lambda _: self.limits.max_unhedged_value)
        self._due_ns: dict[BookKey, int] = {}
        """By book, when time alone changes its next decision, found out at the last one."""
        self._unsettled: list[HedgeBook] = []
        """Books that were decided on and not settled yet."""
        self._new_cloid = new_cloid
        self._commands: list[e.Command] = []
        self._apply: dict[type, Callable[..., list[HedgeBook]]] = {
            e.MakerPlaced: self._placed,
            e.MakerFilled: self._filled,
            e.ChildSeen: self._child_seen,
            e.ChildSent: self._child_sent,
            e.ChildUnknown: self._child_unknown,
            e.ChildAbsent: self._child_absent,
            e.ChildConfirmed: self._child_confirmed,
            e.Intended: self._intended,
            e.ChildCancelling: self._child_cancelling,
            e.Priced: self._priced,
            e.Clocked: self._clocked,
            e.Specified: self._specified,
            e.Paused: self._paused,
            e.Resumed: self._resumed,
            e.Forfeited: self._forfeited,
            e.Reopened: self._reopened,
            e.RoundedUp: self._rounded_up,
            e.AssumedAbsent: self._assumed_absent,
            e.Held: self._held,
            e.Unwinding: self._unwinding,
            e.Throttled: self._throttled,
            e.VenueDown: self._venue_down,
            e.VenueUp: self._venue_up,
            e.DeskHalted: self._desk_halted,
        }

    def apply(self, event: e.HedgeEvent) -> list[e.Command]:
        """Take one event; return what must be done now, in order."""
        return self.decide(event) + self.settle()

    def decide(self, event: e.HedgeEvent) -> list[e.Command]:
        """Take one event, and return its hedges and all that goes before them; ``settle`` tells the rest."""
        self.now_ns = max(self.now_ns, event.ts_ns)
        books = self._apply[type(event)](event)
        for book in books:
            self._decide(book)
        self._unsettled += books
        commands, self._commands = self._commands, []
        return commands

    def settle(self) -> list[e.Command]:
        """Work out what no hedge need wait for, since it was last asked: what waits, the cap, when it is due."""
        books, self._unsettled = self._unsettled, []
        for book in books:
            decision.note_waiting(book, self.now_ns)
            self._commands += self.cap.judge(book, self.books.values())
            due_ns = min(decision.due_times(book, self.now_ns), default=None)
            if due_ns is None:
                self._due_ns.pop(book.key, None)
            else:
                self._due_ns[book.key] = due_ns
        commands, self._commands = self._commands, []
        return commands

    def replay(self, event: e.HedgeEvent) -> None:
        """Take an event of the past: state follows, nothing is decided. What was decided then comes as Intended."""
        self.now_ns = max(self.now_ns, event.ts_ns)
        if isinstance(event, e.RoundedUp):
            return  # all that it changes is the order sent, which its own Intended brings
        self._apply[type(event)](event)
        self._commands.clear()

    def check(self, event: e.HedgeEvent) -> None:
        """Raise ValueError for what cannot be taken, changing nothing: only what passes may go into the journal."""
        acts.check(event, self.makers, self.children, self.books)

    def book(self, venue: str, ticker: str) -> HedgeBook:
        """The book of a contract, made when first asked for."""
        key = venue, ticker
        book = self.books.get(key)
        if book is None:
            outage = self.outages.get(venue)
            down = outage.text if outage else ""
            book = self.books[key] = HedgeBook(venue, ticker, down=down, halted=self.halted)
        return book

    def next_due_ns(self) -> int | None:
        """When time alone may change a decision; None while nothing waits for it.

        It may have passed: another book's event can come between it and the clock's.
        """
        return min(self._due_ns.values(), default=None)

    # -- makers

    def _placed(self, event: e.MakerPlaced) -> list[HedgeBook]:
        self.check(event)
        self.makers[event.maker] = Maker(event.maker, event.venue, event.ticker, event.legs, event.ts_ns)
        for index, leg in enumerate(event.legs):
            book = self.book(leg.venue, leg.ticker)
            book.share(event.maker, index)
            book.latest = event.maker, index
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
            due_ns = event.ts_ns + leg.policy.trigger_after_ms * 1_000_000
            ledger.open_obligation(book, Obligation(maker.cloid, index, quantity, due_ns, leg.policy))
            books.append(book)
        return books

    # -- hedge orders

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
        text = f"hedge {child.cloid[:8]} is unknown and counts in full: {event.text}"
        self._commands.append(failures.told(child, "unknown", text, "warning"))
        return []

    def _child_absent(self, event: e.ChildAbsent) -> list[HedgeBook]:
        child = self.children[event.child]
        if child.state is ChildState.DONE or not child.absence.proven(event.ts_ns, self.limits.absent_gap_ns):
            return []
        seen = child.state in {ChildState.WORKING, ChildState.ENDING}
        return self._ended(child, None, "the venue knows it no longer" if seen else "the venue never had it")

    def _assumed_absent(self, event: e.AssumedAbsent) -> list[HedgeBook]:
        self.check(event)
        child = self.children[event.child]
        what = "its end was taken as told" if child.state is ChildState.ENDING else "taken as not sent"
        return self._ended(child, None, f"{what} by the operator")

    def _child_seen(self, event: e.ChildSeen) -> list[HedgeBook]:
        child = self.children[event.child]
        book = self.books[child.book]
        ledger.grow(book, child, event)
        child.absence.seen()
        if event.done:
            how = child.policy.rung(child.rung).how
            if how is How.JOIN and child.in_flight != 0 and child.rested_until(event.reason):
                return self._ending(child)
            missed = how is How.IOC and event.reason in {None, RejectReason.NO_LIQUIDITY}
            return self._ended(child, event.reason, event.text, missed=missed)
        if child.state is not ChildState.DONE:
            child.state = ChildState.WORKING
        return [book]

    def _ending(self, child: Child) -> list[HedgeBook]:
        """Count an order that rested in full beyond its end: what it filled last may be told after it, or never.

        One that never rested has no such race: its venue matches it and ends it in one act.
        """
        if child.state is not ChildState.ENDING:
            child.state = ChildState.ENDING
            child.text = "its end is being confirmed"
            self._commands += failures.ending(child)
        return [self.books[child.book]]

    def _child_confirmed(self, event: e.ChildConfirmed) -> list[HedgeBook]:
        child = self.children[event.child]
        return self._ended(child, None, event.text) if child.state is ChildState.ENDING else []

    def _intended(self, event: e.Intended) -> list[HedgeBook]:
        book = self.book(event.venue, event.ticker)
        claims = ledger.take_parts(book, event)
        self._launch(book, event.child, event.amount, claims, policy=event.policy, rung=event.rung, ts_ns=event.ts_ns)
        return []

    def _child_cancelling(self, event: e.ChildCancelling) -> list[HedgeBook]:
        self.children[event.child].cancelling = True
        return []

    def _launch(
        self, book: HedgeBook, cloid: str, amount: Decimal, claims: list[Claim], *, policy: Policy, rung: int,
        ts_ns: int,
    ) -> Child:  # fmt: skip
        step = policy.rung(rung)
        due_ns = ts_ns + step.for_ms * 1_000_000 if step.how is How.JOIN else 0
        child = Child(cloid, book.key, amount, claims, policy, ts_ns, rung=rung, step_due_ns=due_ns)
        ledger.launch(book, child)
        self.children[cloid] = child
        return child

    def _ended(
        self, child: Child, reason: RejectReason | None, text: str, *, missed: bool = False
    ) -> list[HedgeBook]:  # fmt: skip
        """Book the end of a hedge order. ``missed``: it took what there was within its limit, and that was not all."""
        book = self.books[child.book]
        if child.state is ChildState.DONE:
            return [book]
        stepped = child.cancelling or reason is RejectReason.POST_ONLY or missed
        climbs = stepped and child.rung + 1 < len(child.policy.rungs)
        child.text = text
        ledger.land(book, child, child.rung + 1 if climbs else child.rung)
        if child.cum != 0 or climbs or child.cancelling:
            book.failures = book.retry_ns = 0
            book.refreshed = False
            book.refused_notional = ZERO
        else:
            self._commands += failures.failed(
                book, child, reason, text, now_ns=self.now_ns, limits=self.limits, makers=self.makers
            )
        return [book]

    # -- venues, prices, time, rules

    def _throttled(self, event: e.Throttled) -> list[HedgeBook]:
        book = self.book(event.venue, event.ticker)
        self._commands += failures.throttled(book, event.until_ns, now_ns=self.now_ns, limits=self.limits)
        return [book]

    def _venue_down(self, event: e.VenueDown) -> list[HedgeBook]:
        self.outages.setdefault(event.venue, Outage(event.ts_ns, event.text))
        books = [book for book in self.books.values() if book.venue == event.venue]
        for book in books:
            if not book.down:
                book.down = self.outages[event.venue].text
                self._commands.append(e.StopMakers(venue=book.venue, ticker=book.ticker, reason=book.down))
        return books

    def _venue_up(self, event: e.VenueUp) -> list[HedgeBook]:
        self.outages.pop(event.venue, None)
        books = [book for book in self.books.values() if book.venue == event.venue]
        for book in books:
            book.down = ""
        return books

    def _desk_halted(self, event: e.DeskHalted) -> list[HedgeBook]:
        self.halted = event.reason
        for book in self.books.values():
            book.halted = event.reason
        return list(self.books.values())

    def _priced(self, event: e.Priced) -> list[HedgeBook]:
        book = self.books.get((event.venue, event.ticker))
        if book is None:
            return []
        book.bid, book.ask, book.ts_quote_ns = event.bid, event.ask, event.ts_ns
        return [book] if book.obligations or book.open_children else []

    def _clocked(self, _event: e.Clocked) -> list[HedgeBook]:
        return [book for book in self.books.values() if book.obligations or book.open_children]

    def _specified(self, event: e.Specified) -> list[HedgeBook]:
        book = self.books.get((event.contract.venue, event.contract.ticker))
        if book is None:
            return []
        traded = book.contract is None or book.contract.trading
        book.contract, book.market_slippage = event.contract, event.market_slippage
        if book.last_reject in failures.RULES:
            book.retry_ns = 0  # these are the rules that it waits for
        if traded and not event.contract.trading:
            self._commands += failures.stopped_trading(book)
        return [book]

    # -- the operator, and what only the operator can judge

    def _paused(self, event: e.Paused) -> list[HedgeBook]:
        book = self.book(event.venue, event.ticker)
        book.paused = event.reason or "by the operator"
        return [book]

    def _resumed(self, event: e.Resumed) -> list[HedgeBook]:
        book = self.book(event.venue, event.ticker)
        acts.resume(book, event, self.now_ns)
        return [book]

    def _held(self, event: e.Held) -> list[HedgeBook]:
        book = self.book(event.venue, event.ticker)
        self._commands += failures.held(book, event.reason, f"{book.venue}:{book.ticker}")
        if event.unwind and not book.unwinding:
            self._commands += failures.unwound(book, self.makers)
        return [book]

    def _unwinding(self, event: e.Unwinding) -> list[HedgeBook]:
        self.unwinds[event.order] = event
        self.book(event.venue, event.ticker).unwinding.add(event.order)
        return []

    def _forfeited(self, event: e.Forfeited) -> list[HedgeBook]:
        self.check(event)
        book = self.book(event.venue, event.ticker)
        self.unwinds.pop(event.unwind, None)
        book.unwinding.discard(event.unwind)
        amount = book.balance if event.amount is None else event.amount
        acts.forfeit(book, amount, self.makers, event.ts_ns)
        return [book]

    def _reopened(self, event: e.Reopened) -> list[HedgeBook]:
        self.check(event)
        book = self.book(event.venue, event.ticker)
        acts.reopen(book, event.amount, self.makers, event.ts_ns)
        return [book]

    def _rounded_up(self, event: e.RoundedUp) -> list[HedgeBook]:
        self.check(event)
        book = self.book(event.venue, event.ticker)
        amount, policy = decision.rounded_up(book), book.obligations[0].policy
        claims = ledger.take_all(book, amount, policy, event.ts_ns)
        self._send(book, amount, claims, policy=policy, rung=failures.ESCALATED)
        return [book]

    # -- deciding

    def _decide(self, book: HedgeBook) -> None:
        for child in book.open_children.values():
            due = 0 < child.step_due_ns <= self.now_ns
            if due and not child.cancelling and child.state is ChildState.WORKING:
                child.cancelling = True
                self._commands.append(e.CancelChild(child=child.cloid))
        while book.obligations and self._send_one(book):
            pass

    def _send_one(self, book: HedgeBook) -> bool:
        """Emit the hedge order that is due now, if there is one; else the book says why not."""
        found = decision.next_order(book, self.now_ns)
        if found is None:
            return False
        amount, oldest = found
        policy, rung = oldest.policy, oldest.rung
        step = policy.rung(rung)
        price = None
        if step.how is not How.MARKET:
            price = decision.limit_price(book, step, self.now_ns, self.limits, buying=amount > 0)
            if price is None:
                return False
        self._send(book, amount, ledger.take(book, amount, self.now_ns), policy=policy, rung=rung, price=price)
        return True

    def _send(
        self, book: HedgeBook, amount: Decimal, claims: list[Claim], *, policy: Policy, rung: int,
        price: Decimal | None = None,
    ) -> None:  # fmt: skip
        child = self._launch(book, self._new_cloid(), amount, claims, policy=policy, rung=rung, ts_ns=self.now_ns)
        parts = tuple([e.Part(claim.maker, claim.leg, claim.quantity) for claim in claims])
        self._commands.append(
            e.SendChild(
                child=child.cloid, venue=book.venue, ticker=book.ticker, amount=amount, price=price, parts=parts,
                policy=policy, rung=rung,
            )
        )  # fmt: skip
