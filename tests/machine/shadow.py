"""What the journal's records alone say of the books: a second, simpler account to hold the kernel's against.

It keeps no obligations, claims or shares: only sizes, so that every number of a book has two independent sources.
"""

from collections import defaultdict
from decimal import Decimal

from gateways.contracts import is_multiple
from gateways.standards import ZERO, OrderStatus, RejectReason
from oms.evidence import Evidence
from oms.hedge import events as e
from oms.hedge.policy import How
from oms.hedge.state import ChildState

NOT_SPOKEN_FOR = {OrderStatus.PENDING, OrderStatus.UNKNOWN}
UNSURE = {ChildState.UNKNOWN, ChildState.ENDING}


class Shadow:
    """Fed with every record in the order written; ``intended`` checks each decision before it is counted."""

    def __init__(self):
        self.legs: dict[str, tuple] = {}
        self.filled: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self.intents: dict[str, e.Intended] = {}
        self.ended: set[str] = set()
        self.rests: set[str] = set()
        """Orders that a venue has told of as open."""
        self.forfeited: dict[tuple, Decimal] = defaultdict(lambda: ZERO)
        self.grown: dict[tuple, list] = defaultdict(list)
        self.hastened: set[tuple] = set()
        """Books with an operator's act: it made what waits due, or changed who owes what. No delay bound there."""
        self.asked: set[str] = set()
        """Hedges that a venue said it does not know: given up once the kernel says so."""

    def take(self, record):
        """Count one record."""
        data = record.data
        match record.kind:
            case "MakerPlaced":
                placed = record.value(e.MakerPlaced)
                self.legs[placed.maker] = placed.legs
            case "Intended":
                intended = record.value(e.Intended)
                self.intents[intended.child] = intended
            case "ChildAbsent":
                self.asked.add(data["child"])
            case "AssumedAbsent":
                self.ended.add(data["child"])
            case "Forfeited" | "Reopened":
                book = data["venue"], data["ticker"]
                amount = Decimal(data["amount"])
                self.forfeited[book] += amount if record.kind == "Forfeited" else -amount
                self.hastened.add(book)
            case "Resumed" if data["now"]:
                self.hastened.add((data["venue"], data["ticker"]))
            case "RoundedUp":
                self.hastened.add((data["venue"], data["ticker"]))
            case "ChildConfirmed":
                self.ended.add(data["child"])
            case "Evidence":
                self._evidence(record.value(Evidence))

    def _evidence(self, evidence):
        key = evidence.key
        assert abs(evidence.filled) >= abs(self.filled[key]), "I7: a filled size fell"
        growth = evidence.filled - self.filled[key]
        self.filled[key] = evidence.filled
        if not evidence.status.terminal and (evidence.filled or evidence.status not in NOT_SPOKEN_FOR):
            self.rests.add(key)
        if evidence.status.terminal and key in self.intents and not self._unconfirmed(evidence):
            self.ended.add(key)
        for leg in self.legs.get(key, ()):
            due_ns = evidence.ts_ns + leg.policy.trigger_after_ms * 1_000_000
            self.grown[leg.venue, leg.ticker].append((due_ns, growth * leg.ratio))

    def given_up(self, kernel):
        """Take from the kernel which of the hedges that a venue does not know are ended: that rule is checked by I9."""
        self.ended |= {key for key in self.asked if state_of(kernel, key) is ChildState.DONE}

    def _unconfirmed(self, evidence):
        """Whether an order that rested has ended with a rest: what it filled counts once the venue was asked."""
        intended = self.intents[evidence.key]
        joined = intended.policy.rung(intended.rung).how is How.JOIN
        rested = evidence.reason is None or (
            evidence.key in self.rests and evidence.reason is not RejectReason.POST_ONLY
        )  # fmt: skip
        return joined and rested and abs(evidence.filled) < abs(intended.amount)

    # ------------------------------------------------------------ the books

    def target(self, book):
        """What the makers' fills ask of a book."""
        return sum(
            (leg.ratio * self.filled[maker] for maker, legs in self.legs.items() for leg in legs
             if (leg.venue, leg.ticker) == book), ZERO,
        )  # fmt: skip

    def children(self, book):
        """The hedge orders of a book."""
        return [one for one in self.intents.values() if (one.venue, one.ticker) == book]

    def hedged(self, book):
        """What they filled."""
        return sum((self.filled[one.child] for one in self.children(book)), ZERO)

    def rest(self, intended):
        """What one of them may still fill."""
        rest = intended.amount - self.filled[intended.child]
        return ZERO if intended.child in self.ended or rest * intended.amount <= 0 else rest

    def balance(self, book):
        """What is not hedged."""
        in_flight = sum((self.rest(one) for one in self.children(book)), ZERO)
        return self.target(book) - self.hedged(book) - in_flight - self.forfeited[book]

    # ------------------------------------------------------------ decisions

    def intended(self, intended, kernel, now_ns, *, rounded_up, quoted_ns, exempt):
        """Check a decision at the moment when it is journaled, before it is counted (I2, I11, I14, delays)."""
        book = intended.venue, intended.ticker
        live = kernel.books[book]
        assert intended.child not in self.intents, "I3: an intent was written twice"
        assert intended.child not in kernel.makers, "I13: a hedge is a maker"
        if rounded_up:
            return
        self.given_up(kernel)
        balance = self.balance(book)
        unknown = [self.rest(one) for one in self.children(book) if state_of(kernel, one.child) in UNSURE]
        low = balance + sum((rest for rest in unknown if rest < 0), ZERO)
        high = balance + sum((rest for rest in unknown if rest > 0), ZERO)
        certain = low if low > 0 else high if high < 0 else ZERO
        amount = intended.amount
        assert amount * certain > 0, f"I2: {amount} is sent where {certain} is certain"
        assert abs(amount) <= abs(certain), f"I2: {amount} is sent where only {certain} is certain"
        assert not live.hold, "I11: a book on HOLD sends"
        assert not live.paused, "a paused book sends"
        assert not live.down, "a book sends to a venue that is down"
        assert live.retry_ns <= kernel.now_ns, "I11: sent before the backoff has passed"
        assert is_multiple(amount, live.contract.lot_size), "I2: not a lot multiple"
        assert abs(amount) >= live.contract.min_quantity, "I2: under the minimum quantity"
        if live.contract.min_notional:
            assert abs(amount) * live.bid >= live.contract.min_notional, "I2: under the minimum notional"
        if intended.policy.rung(intended.rung).how is not How.MARKET:
            assert now_ns - quoted_ns <= kernel.limits.max_quote_age_ns, "I14: priced from an old quote"
        if book not in exempt:
            self._not_early(book, intended, now_ns)

    def _not_early(self, book, intended, now_ns):
        growths = self.grown[book]
        one_sided = len({growth > 0 for _due, growth in growths if growth}) == 1
        if not one_sided or book in self.hastened:
            return
        due = sum((growth for due_ns, growth in growths if due_ns <= now_ns), ZERO)
        out = self.hedged(book) + sum((self.rest(one) for one in self.children(book)), ZERO)
        assert abs(out + intended.amount) <= max(abs(due), abs(out)), (
            f"a delayed obligation is hedged early: {intended.amount} with {due} due and {out} out"
        )


def state_of(kernel, key):
    """Where a hedge order stands: one that was put away is done."""
    child = kernel.children.get(key)
    return ChildState.DONE if child is None else child.state
