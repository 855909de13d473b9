"""The hedge kernel's state: makers, obligations, hedge orders and books. Mutable, written by the kernel alone.

A book's ``balance`` is always computed from evidence; the obligations only say *when* and *for whom* it is due, and are
kept so that their sum is the balance.
"""

from collections import deque
from decimal import Decimal
from enum import Enum

import msgspec

from gateways.standards import ZERO, Contract, RejectReason
from oms.absence import Absence
from oms.hedge.policy import Leg, Policy

BookKey = tuple[str, str]
"""(venue, ticker)"""
ShareKey = tuple[str, int]
"""(maker, index of the leg)"""

NEXT_PRICE = "the next price"
RULES_TOLD = "the venue's answer"
"""What releases a book that waits only for news which its venue tells unasked, or was asked for."""


class ChildState(str, Enum):
    """Where a hedge order stands for the kernel. All but DONE count in full.

    ENDING: a venue said that it ended, and how much it had filled by then is being asked for.
    """

    INTENDED = "INTENDED"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    WORKING = "WORKING"
    ENDING = "ENDING"
    DONE = "DONE"


class Outage(msgspec.Struct, frozen=True):
    """Since when, and why, nothing can be sent to a venue."""

    since_ns: int
    note: str

    @property
    def text(self) -> str:
        """Why its books hold."""
        return f"venue down: {self.note}"


class Maker(msgspec.Struct):
    """A registered maker order and what it has filled (signed)."""

    cloid: str
    venue: str
    ticker: str
    legs: tuple[Leg, ...]
    ts_ns: int
    filled: Decimal = ZERO
    average_price: Decimal | None = None


class Obligation(msgspec.Struct, gc=False):
    """What one growth of a maker still asks of one leg's book, signed."""

    maker: str
    leg: int
    quantity: Decimal
    due_ns: int
    policy: Policy
    rung: int = 0
    """Where on the policy's ladder its next hedge order stands; -1 is the market, by escalation."""


class Claim(msgspec.Struct, gc=False):
    """The share of a hedge order that answers one maker's leg, and what of it has filled; both signed."""

    maker: str
    leg: int
    quantity: Decimal
    filled: Decimal = ZERO


class Child(msgspec.Struct):
    """A hedge order. ``amount``, ``cum`` are signed; ``cost`` is the sum of price times filled amount, where known."""

    cloid: str
    book: BookKey
    amount: Decimal
    claims: list[Claim]
    policy: Policy
    ts_ns: int
    state: ChildState = ChildState.INTENDED
    cum: Decimal = ZERO
    cost: Decimal = ZERO
    rung: int = 0
    step_due_ns: int = 0
    """When a joined order has rested long enough; 0 for orders that do not rest."""
    cancelling: bool = False
    """Whether its cancel was asked for because it has rested long enough."""
    absence: Absence = msgspec.field(default_factory=Absence)
    text: str = ""

    @property
    def in_flight(self) -> Decimal:
        """What may still fill, signed: in full until proven DONE."""
        if self.state is ChildState.DONE:
            return ZERO
        rest = self.amount - self.cum
        return rest if (rest > 0) is (self.amount > 0) else ZERO

    def rested_until(self, reason: RejectReason | None) -> bool:
        """Whether an end with this reason is that of an order in the book, and not of one that never got into it.

        A venue may give a reason for ending an order that rests, too: its position is gone, it met another of ours.
        """
        seen = self.state in {ChildState.WORKING, ChildState.ENDING}
        return reason is None or (seen and reason is not RejectReason.POST_ONLY)

    @property
    def unsure(self) -> bool:
        """Whether what is in flight of it may or may not have filled: nobody has spoken for it, or for its end."""
        return self.state in {ChildState.UNKNOWN, ChildState.ENDING}


class Share(msgspec.Struct, gc=False):
    """One maker's part in one book: ``target = hedged + in_flight + waiting + netted + forfeited`` (I12)."""

    hedged: Decimal = ZERO
    in_flight: Decimal = ZERO
    waiting: Decimal = ZERO
    netted: Decimal = ZERO
    forfeited: Decimal = ZERO
    cost: Decimal = ZERO
    """Sum of price times ``hedged``, where known."""


class HedgeBook(msgspec.Struct):
    """One (venue, ticker) that makers are hedged in. ``target``, ``hedged``, ``forfeited`` are sums of evidence."""

    venue: str
    ticker: str
    contract: Contract | None = None
    market_slippage: Decimal = ZERO
    """The share by which the limit of a market order lies beyond the market here."""
    bid: Decimal | None = None
    ask: Decimal | None = None
    ts_quote_ns: int = 0
    target: Decimal = ZERO
    hedged: Decimal = ZERO
    forfeited: Decimal = ZERO
    open_children: dict[str, Child] = msgspec.field(default_factory=dict)
    obligations: deque[Obligation] = msgspec.field(default_factory=deque)
    """Oldest first, all of one sign: opposite ones cancel when they meet."""
    shares: dict[ShareKey, Share] = msgspec.field(default_factory=dict)
    """Of the makers in memory: one that is finished may have left (``oms.finished``)."""
    latest: ShareKey | None = None
    """The latest maker's leg: what is reopened is for it."""
    paused: str = ""
    """Why the operator paused it; empty when not paused."""
    hold: str = ""
    """Why the engine put it on hold; empty when not."""
    down: str = ""
    """Why its venue cannot be reached; empty when it can. Ends by itself, unlike ``hold``."""
    halted: str = ""
    """Why the whole desk sends no hedges; empty when it does."""
    failures: int = 0
    """Hedges in a row that filled nothing."""
    retry_ns: int = 0
    refreshed: bool = False
    """Whether the contract was refreshed for the last lot or tick reject already."""
    refused_notional: Decimal = ZERO
    """A hedge of this notional was refused as too small: the next must be larger."""
    last_reject: RejectReason | None = None
    unwinding: set[str] = msgspec.field(default_factory=set)
    """Orders that close on makers' venues what waits here: until each is settled the book sends nothing."""
    capped: bool = False
    """Whether too much is unhedged: its makers were cancelled and no new ones are taken (I10)."""
    waits: str = ""
    release: str = ""
    ts_waiting_ns: int = 0

    @property
    def key(self) -> BookKey:
        """The (venue, ticker) that names it."""
        return self.venue, self.ticker

    @property
    def blocked(self) -> str:
        """Why it takes no new makers: it does not send, or too much is unhedged already; empty when it does."""
        if self.paused:
            return f"the book is paused, {self.paused}"
        if self.hold:
            return f"the book is on HOLD, {self.hold}"
        if self.down:
            return f"the book is on HOLD, {self.down}"
        if self.halted:
            return self.halted
        if self.contract is not None and not self.contract.trading:
            return "the venue does not trade this contract now"
        return "too much is unhedged in it already" if self.capped else ""

    @property
    def awaits_news(self) -> bool:
        """Whether a hedge is due that waits for a price or the contract's rules alone: it goes when they come."""
        return self.release in {NEXT_PRICE, RULES_TOLD}

    @property
    def in_flight(self) -> Decimal:
        """What the open hedge orders may still fill, signed, unknown ones in full."""
        total = ZERO
        for child in self.open_children.values():
            total += child.in_flight
        return total

    @property
    def unknown(self) -> Decimal:
        """The part of ``in_flight`` whose order nobody has spoken for."""
        return sum(
            (child.in_flight for child in self.open_children.values() if child.state is ChildState.UNKNOWN), ZERO
        )

    @property
    def balance(self) -> Decimal:
        """What is not hedged: ``target - hedged - in_flight - forfeited`` (I1). Computed, never stored."""
        return self.target - self.hedged - self.in_flight - self.forfeited

    @property
    def exposed(self) -> Decimal:
        """What is not hedged yet, in flight or not, without a sign."""
        return abs(self.target - self.hedged - self.forfeited)

    def sendable(self, balance: Decimal) -> Decimal:
        """What every resolution of the unsure orders agrees is owed: the value nearest zero, or zero (I2).

        ``balance``: the book's own, which the caller has computed.
        """
        low = high = balance
        for child in self.open_children.values():
            if child.unsure:
                rest = child.in_flight
                if rest > 0:
                    high += rest
                else:
                    low += rest
        if low > 0:
            return low
        return high if high < 0 else ZERO

    def share(self, maker: str, leg: int) -> Share:
        """The share of a maker's leg, made when first asked for."""
        key = maker, leg
        share = self.shares.get(key)
        if share is None:
            share = self.shares[key] = Share()
        return share
