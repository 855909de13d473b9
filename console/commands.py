"""What a line of the grammar says: one frozen record a command.

Units and signs: ``Place.amount`` and ``Amend.amount`` are base units without a sign (``side`` says the direction),
prices are quote units for one base unit, times are whole milliseconds. A leg's ``ratio`` is positive and means that
the leg trades the *opposite* way: 0.5 buys half of what the maker sold. ``console.language`` reads and writes them.
"""

from decimal import Decimal

import msgspec

from gateways.standards import OrderKind, PlaceOrder, PriceRule, Side, TimeInForce
from oms.hedge.policy import Leg, Policy


class LegSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One hedge leg of a maker order: when and how it hedges is the engine's own ``Policy``."""

    venue: str
    ticker: str
    ratio: Decimal = Decimal(1)
    policy: Policy = Policy()

    def leg(self) -> Leg:
        """This leg as the hedge engine takes it, its ratio negative."""
        return Leg(venue=self.venue, ticker=self.ticker, ratio=-self.ratio, policy=self.policy)

    @classmethod
    def of(cls, leg: Leg) -> "LegSpec":
        """The engine's leg as the grammar says it."""
        return cls(venue=leg.venue, ticker=leg.ticker, ratio=-leg.ratio, policy=leg.policy)


class Place(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Send an order, with any number of hedge legs."""

    side: Side
    amount: Decimal
    venue: str
    ticker: str
    price: Decimal | PriceRule | None = None
    """A price, a rule that reads it from the book when the order is sent, or None for a market order."""
    post: bool = False
    reduce: bool = False
    tif: TimeInForce = TimeInForce.GTC
    legs: tuple[LegSpec, ...] = ()
    confirmed: bool = False
    """Said once more, over limits that ask."""

    def order(self, cloid: str) -> PlaceOrder:
        """This order as the gateways take it, its amount signed by the side. The legs are not part of it."""
        limit = self.price if isinstance(self.price, Decimal) else None
        return PlaceOrder(
            ticker=self.ticker,
            cloid=cloid,
            amount=self.amount if self.side is Side.BUY else -self.amount,
            kind=OrderKind.MARKET if self.price is None else OrderKind.LIMIT,
            price=limit,
            price_rule=self.price if isinstance(self.price, PriceRule) else None,
            tif=self.tif,
            post_only=self.post,
            reduce_only=self.reduce,
        )


class Amend(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Change a resting order. None leaves that part as it is; at least one of the two is given."""

    cloid: str
    """The first 4 to 32 hex digits of the order's cloid, lower case."""
    amount: Decimal | None = None
    """The new total over the order's life, already filled included."""
    price: Decimal | None = None
    confirmed: bool = False
    """Said once more, over limits that ask."""


class CancelById(msgspec.Struct, frozen=True, tag=True):
    """Cancel one order, named by the first 4 to 32 hex digits of its cloid."""

    cloid: str


class Cancel(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Cancel our makers and manual orders, never hedges: of a contract, a venue, or (all None) everywhere."""

    venue: str | None = None
    ticker: str | None = None
    side: Side | None = None
    """Only bids (BUY) or only offers (SELL) of the contract; None for both."""


class Flatten(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Close positions, reduce-only: of a contract, a venue, or (both None) everywhere."""

    venue: str | None = None
    ticker: str | None = None


class Panic(msgspec.Struct, frozen=True, tag=True):
    """Cancel all makers everywhere, hedge only from now on, disarm."""


class Arm(msgspec.Struct, frozen=True, tag=True):
    """Let a live desk raise risk, by its name typed in full."""

    name: str


class Disarm(msgspec.Struct, frozen=True, tag=True):
    """Refuse whatever raises risk until armed again; on paper, which needs no arming, until ``activate``."""


class Activate(msgspec.Struct, frozen=True, tag=True):
    """Allow makers, and hedges, again."""


class Reducing(msgspec.Struct, frozen=True, tag=True):
    """Allow only orders that reduce a position, and hedges; cancel the others."""


class Halt(msgspec.Struct, frozen=True, tag=True):
    """Cancel all makers everywhere, send no hedges either, disarm."""


class HedgeNow(msgspec.Struct, frozen=True, tag=True):
    """Send what waits in a hedge book now: delays, backoffs and holds are lifted, lots and minimums are not."""

    venue: str
    ticker: str
    reason: str = ""
    """Why, in the operator's words, for the journal; so for every act on a hedge book."""


class RoundUp(msgspec.Struct, frozen=True, tag=True):
    """Hedge what is under the minimum with the smallest order that the venue takes; the excess is owed back."""

    venue: str
    ticker: str
    reason: str = ""


class Reopen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Make ``amount`` due in a hedge book: base units, signed as the hedge that it asks for (+ buys, - sells)."""

    amount: Decimal
    venue: str
    ticker: str
    reason: str = ""


class Forfeit(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Write off the balance that waits in a hedge book, or a part of it."""

    venue: str
    ticker: str
    amount: Decimal | None = None
    """Base units, of the balance's sign and at most its size; None for all of it."""
    reason: str = ""


class Absent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Take an unknown hedge order as never sent, by the operator's word; what it fills nevertheless still counts."""

    cloid: str
    """The first 4 to 32 hex digits of the order's cloid, lower case."""
    confirmed: bool = False
    """Said once more, after a look at the venue: without it nothing is done."""
    reason: str = ""


class Pause(msgspec.Struct, frozen=True, tag=True):
    """Send no new hedge orders in a hedge book."""

    venue: str
    ticker: str
    reason: str = ""


class Resume(msgspec.Struct, frozen=True, tag=True):
    """Hedge again in a book that was paused or on hold."""

    venue: str
    ticker: str
    reason: str = ""


BookAct = HedgeNow | RoundUp | Reopen | Forfeit | Pause | Resume
"""What an operator does to one hedge book."""


class Reconcile(msgspec.Struct, frozen=True, tag=True):
    """Compare the mirrors with a venue's own state (None: with every venue's) and correct them."""

    venue: str | None = None


class Reconnect(msgspec.Struct, frozen=True, tag=True):
    """Close the private stream of a venue (None: of every one) and open it anew; what was missed is then compared."""

    venue: str | None = None


class Verify(msgspec.Struct, frozen=True, tag=True):
    """Prove ``target = hedged + in_flight + balance + forfeited`` per book against the venues' own fills."""


class Sleep(msgspec.Struct, frozen=True, tag=True):
    """Scripts: wait this long before the next line."""

    ms: int


class WaitIdle(msgspec.Struct, frozen=True, tag=True):
    """Scripts: wait until no hedge is due, in flight or unknown, at most this long."""

    within_ms: int


class Quit(msgspec.Struct, frozen=True, tag=True):
    """Scripts: end."""


Command = (
    Place
    | Amend
    | CancelById
    | Cancel
    | Flatten
    | Panic
    | Arm
    | Disarm
    | Activate
    | Reducing
    | Halt
    | HedgeNow
    | RoundUp
    | Reopen
    | Forfeit
    | Absent
    | Pause
    | Resume
    | Reconcile
    | Reconnect
    | Verify
    | Sleep
    | WaitIdle
    | Quit
)

SCRIPT_ONLY = (Sleep, WaitIdle, Quit)
"""What a script may say and a command line in the console may not."""
