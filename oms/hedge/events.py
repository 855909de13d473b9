"""What the hedge kernel is told, and what it asks for. All frozen; every event carries its time."""

from decimal import Decimal

import msgspec

from gateways.standards import ZERO, Contract, RejectReason
from oms.hedge.policy import Leg, Policy

# -------------------------------------------------------------------- events


class MakerPlaced(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A maker order with hedge legs is about to be sent. Only such makers open obligations (I13)."""

    maker: str
    venue: str
    ticker: str
    legs: tuple[Leg, ...]
    ts_ns: int


class MakerFilled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Cumulative evidence: the maker has filled ``filled`` (signed) in all, at ``average_price`` where known."""

    maker: str
    filled: Decimal
    ts_ns: int
    average_price: Decimal | None = None


class ChildSeen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Cumulative evidence on a hedge order that the venue has spoken for; ``done`` when it can no longer fill."""

    child: str
    filled: Decimal
    ts_ns: int
    done: bool = False
    average_price: Decimal | None = None
    reason: RejectReason | None = None
    text: str = ""


class ChildSent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The hedge order's bytes left. The venue may accept it until ``accept_until_ns``."""

    child: str
    ts_ns: int
    accept_until_ns: int


class ChildUnknown(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """No answer to a hedge order that was sent: it counts in full until the venue says (I9)."""

    child: str
    ts_ns: int
    text: str = ""


class ChildAbsent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue answered, successfully, that it knows no such order. One answer proves nothing (I9)."""

    child: str
    ts_ns: int


class ChildCancelling(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """From the journal: a joined hedge order had rested long enough, so its cancel was decided on."""

    child: str
    ts_ns: int


class ChildConfirmed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue was asked after a hedge order's end and has said how much it filled: nothing more will come of it."""

    child: str
    ts_ns: int
    text: str = ""


class Intended(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """From the journal: this hedge order was decided on. Whether it was sent is not known."""

    child: str
    venue: str
    ticker: str
    amount: Decimal
    parts: tuple["Part", ...]
    policy: Policy
    rung: int
    ts_ns: int


class Priced(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The best prices of a contract changed. Re-decides what waited for a price or for its notional."""

    venue: str
    ticker: str
    bid: Decimal | None
    ask: Decimal | None
    ts_ns: int


class Clocked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Time passed: delayed obligations and retries may have fallen due."""

    ts_ns: int


class Specified(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A contract's rules are known, or known anew. They apply to hedge orders from now on.

    ``market_slippage``: the share by which the limit of a market order lies beyond the market there; 0 for none.
    """

    contract: Contract
    ts_ns: int
    market_slippage: Decimal = ZERO


class Paused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The operator stops a book from sending. Its target goes on moving."""

    venue: str
    ticker: str
    ts_ns: int
    reason: str = ""


class Resumed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The operator lets a paused or held book send again; makes all that waits due at once when ``now``."""

    venue: str
    ticker: str
    ts_ns: int
    now: bool = False
    reason: str = ""


class Forfeited(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The operator writes off the balance that stands (or ``amount`` of it, of its sign and at most its size)."""

    venue: str
    ticker: str
    ts_ns: int
    amount: Decimal | None = None
    reason: str = ""
    unwind: str = ""
    """The order that closed it on the maker's own venue: its account is settled by this."""


class Unwinding(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An order is about to close, on a maker's own venue, what a book cannot hedge.

    What it fills, times ``ratio``, is to be forfeited in the book: until that is done its account is open.
    """

    order: str
    venue: str
    ticker: str
    ratio: Decimal
    ts_ns: int


class Reopened(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The operator makes ``amount`` (signed) due in a book: taken back from what was forfeited, or made by a venue."""

    venue: str
    ticker: str
    amount: Decimal
    ts_ns: int
    reason: str = ""


class RoundedUp(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The operator hedges what is under the minimum with the smallest order that the venue takes (exempt from I2)."""

    venue: str
    ticker: str
    ts_ns: int
    reason: str = ""


class AssumedAbsent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The operator, having looked, says that an unknown hedge order was never sent, or that one's end is as told.

    Later evidence still counts.
    """

    child: str
    ts_ns: int
    reason: str = ""


class Held(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that only the operator can judge happened to a book: a trade correction, a fill made by the venue."""

    venue: str
    ticker: str
    ts_ns: int
    reason: str
    unwind: bool = False
    """Whether what waits under a policy that says so is closed on the makers' own venues."""


class Throttled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A hedge was refused for its rate, by the venue or by our own budget for it, which is free at ``until_ns``."""

    venue: str
    ticker: str
    until_ns: int
    ts_ns: int


class VenueDown(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """There is no way to send a hedge to a venue. Its books hold and their makers stop until it is up again."""

    venue: str
    text: str
    ts_ns: int


class VenueUp(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A venue can be reached again, and what it did meanwhile is known. No other hold is released by it."""

    venue: str
    ts_ns: int


class DeskHalted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The desk lets no hedges out for ``reason``, or does so again (empty). Books go on owing meanwhile."""

    reason: str
    ts_ns: int


HedgeEvent = (
    MakerPlaced | MakerFilled | ChildSeen | ChildSent | ChildUnknown | ChildAbsent | Priced | Clocked | Specified
    | Paused | Resumed | Forfeited | Reopened | RoundedUp | AssumedAbsent | Held | Intended | ChildCancelling
    | VenueDown | VenueUp | Unwinding | DeskHalted | ChildConfirmed | Throttled
)  # fmt: skip

# ------------------------------------------------------------------ commands


class Part(msgspec.Struct, frozen=True):
    """The share of a hedge order that answers one maker's leg. ``quantity`` is signed like the hedge order."""

    maker: str
    leg: int
    quantity: Decimal


class SendChild(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Send one hedge order, once. ``price`` None is a market order; otherwise ``rung`` says IOC or post-only."""

    child: str
    venue: str
    ticker: str
    amount: Decimal
    price: Decimal | None
    parts: tuple[Part, ...]
    policy: Policy
    rung: int

    def intended(self, ts_ns: int) -> Intended:
        """The intent as the journal keeps it."""
        return Intended(
            child=self.child, venue=self.venue, ticker=self.ticker, amount=self.amount, parts=self.parts,
            policy=self.policy, rung=self.rung, ts_ns=ts_ns,
        )  # fmt: skip


class CancelChild(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A joined hedge order has rested long enough: cancel it; its end sizes the next one."""

    child: str


class ConfirmEnd(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A hedge order that rested was told ended with a rest: ask how much it filled, then say ``ChildConfirmed``."""

    child: str


class StopMakers(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Cancel the makers that feed a book: it cannot hedge, or too much is unhedged (I10)."""

    venue: str
    ticker: str
    reason: str


class Unwind(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Close ``amount`` (signed, the order to send) on a maker's own contract instead of hedging it.

    What fills of it, times ``ratio``, is then forfeited in the book.
    """

    venue: str
    ticker: str
    maker: str
    maker_venue: str
    maker_ticker: str
    amount: Decimal
    ratio: Decimal


class VenueLost(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A hedge could not be sent. Say ``VenueDown``, and ``VenueUp`` once the venue is back."""

    venue: str
    text: str


class RefreshContracts(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A venue refused a lot or a tick: its rules may have changed."""

    venue: str
    ticker: str


class Alert(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that the operator must see. ``severity``: info, warning, error."""

    event: str
    venue: str
    ticker: str
    text: str
    severity: str = "info"
    cloid: str = ""


Command = SendChild | CancelChild | ConfirmEnd | StopMakers | Unwind | VenueLost | RefreshContracts | Alert
