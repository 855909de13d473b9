"""The venue contract: everything the OMS may ask of an exchange, whichever it is.

A venue is a thin shell: pure ``decode`` and ``encode`` modules do the translation, ``gateways.transport`` moves bytes.
Events reach the OMS through a *sink*, a plain function called in the same turn of the loop in which the bytes were
read, so that a hedge is decided before anything else runs.

Every verb raises the types of ``gateways.errors`` and nothing else of ours. Cancelling an awaiting caller (asyncio)
does not take back what was sent: an order's outcome is then unknown to the caller and comes by the stream.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from enum import Enum

import msgspec

from gateways.batches import in_batches
from gateways.contracts import Contracts
from gateways.errors import Denied, VenueError
from gateways.standards import (
    AmendOrder,
    BalanceUpdate,
    Batch,
    BookUpdate,
    CancelOrder,
    Credentials,
    FillEvent,
    OrderUpdate,
    PlaceOrder,
    PositionUpdate,
    PriceSide,
    TimeInForce,
)

Sink = Callable[[Batch], None]
"""Takes the events of one message. Must not block and must not raise."""


class Channel(str, Enum):
    """A way to a venue whose state is watched apart from the others."""

    PUBLIC = "public"
    PRIVATE = "private"
    TRADE = "trade"
    REST = "rest"


class ChannelState(msgspec.Struct, frozen=True):
    """The state of one channel. ``ts_last_ns`` is when it last said anything, 0 for never."""

    channel: Channel
    connected: bool
    ts_last_ns: int = 0
    reconnects: int = 0
    note: str = ""


class Watcher(ABC):
    """Who is told of a venue's life beside its events; all calls are made on the venue's loop and must not block."""

    @abstractmethod
    def channel_changed(self, venue: str, state: ChannelState) -> None:
        """A channel came up or went down. After PRIVATE comes up again the OMS must reconcile."""

    @abstractmethod
    def request_done(self, venue: str, verb: str, *, sent: str, answer: str, took_ns: int, ok: bool) -> None:
        """A request ended: what was sent and answered, secrets cut, for the command log and the round-trip figures."""

    @abstractmethod
    def message_dropped(self, venue: str, reason: str) -> None:
        """A message was counted and dropped: of unknown type, or malformed."""

    def clock_measured(self, venue: str, offset_ns: int) -> None:  # noqa: B027 - who keeps no clocks may leave it out
        """The venue's clock less ours was measured, on a round trip short enough to tell."""


class DeadMan(msgspec.Struct, frozen=True, kw_only=True):
    """A venue's dead man's switch: it cancels our orders, hedges among them, when we have been silent for so long."""

    shortest_s: int
    longest_s: int
    per_contract: bool = False
    """Whether one switch is for one contract's orders; elsewhere it is for all of the account's."""
    on_disconnect: bool = False
    """Whether silence is a private connection that is gone; elsewhere it is not to be told again in time."""
    most_a_day: int | None = None
    """How often a day it acts for us; to be told again in time, or taken back, costs none of these."""

    def within(self, seconds: int) -> int:
        """The seconds, brought into the range that the venue takes."""
        return max(self.shortest_s, min(self.longest_s, seconds))


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue can do, as data, so that the OMS asks and never guesses."""

    time_in_force: frozenset[TimeInForce]
    price_match: frozenset[tuple[PriceSide, int]] = frozenset()
    """Price rules that the venue matches natively."""
    price_match_post_only: bool = False
    market_orders: bool = True
    """False where a market order is an IOC limit with a slippage cap (then ``PlaceOrder.price`` is that cap)."""
    market_slippage: Decimal = Decimal(0)
    """How far beyond the market that cap is where no price is given, as a share (0.05 for 5 %). Minimums hold there."""
    amend: bool = True
    amend_keeps_oid: bool = True
    order_entry_websocket: bool = False
    place_batch: int = 0
    """Most new orders in one request; 0 where each goes by itself."""
    cancel_batch: int = 0
    """Most cancels in one request; 0 where each goes by itself."""
    cancel_all_native: bool = False
    dead_mans_switch: DeadMan | None = None
    query_closed_by_cloid: bool = True
    """Whether ``order(cloid=...)`` sees orders that are no longer open, so that NotFound is evidence."""
    fills_of_all: bool = False
    """Whether one question answers with the fills of every contract; elsewhere it takes one for each."""
    cloid_pattern: str = "[0-9a-f]{32}"
    """Regular expression of the ids that the venue takes, ours written in its alphabet."""
    acceptance_window_ms: int = 5_000
    """How long after the time written in it a request can still be accepted."""
    acceptance_bounded: bool = True
    """Whether the venue's documentation promises that bound. Where not, unknowns wait the longer time."""


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where a venue is, who we are there. ``ws``: one URL, or several by name (``public``, ``private``, ``api``)."""

    rest: str
    ws: str | dict[str, str]
    key: str = ""
    secret: str = ""
    passphrase: str = ""
    kind: str = ""
    """Which gateway speaks to it (``binance``, ``hyperliquid``); empty means that the alias says it."""
    headers: dict[str, str] = {}
    """Sent with every HTTP request beside the request's own, e.g. what asks for a venue's demo."""

    def __repr__(self) -> str:
        """Where, but not who: tracebacks and logs show representations."""
        return f"Endpoints(rest={self.rest!r}, kind={self.kind!r}, key=***, secret=***)"

    @property
    def credentials(self) -> Credentials:
        """The signing part."""
        return Credentials(self.key, self.secret, self.passphrase)

    @property
    def urls(self) -> list[str]:
        """Every address that this venue is reached by."""
        return [self.rest, *([self.ws] if isinstance(self.ws, str) else self.ws.values())]


class Venue(ABC):
    """One exchange account, as the OMS sees it."""

    alias: str
    capabilities: Capabilities
    contracts: Contracts
    """Empty until ``connect``; replaced as a whole by ``load_contracts``."""

    @abstractmethod
    async def connect(self, sink: Sink, watcher: Watcher) -> None:
        """Load the contracts, open the private stream and the order entry, start the keepers of both.

        Returns once the private stream is subscribed. Raises Unavailable when the venue cannot be reached at all.
        """

    async def observe(self, sink: Sink, watcher: Watcher) -> None:  # noqa: ARG002 - one that cannot looks at neither
        """Load the contracts for the public data alone: ``subscribe`` and ``book`` work then, and need no key.

        In the place of ``connect``. Raises Unavailable when the venue cannot be reached.
        """
        raise Denied(self.alias, "its public data are not taken without an account")

    @abstractmethod
    async def close(self) -> None:
        """Close every connection and end every task. Resting orders stay. Idempotent."""

    @abstractmethod
    def renew_private(self, reason: str) -> None:
        """Drop the private stream's connection and open it anew, with a fresh listen key or login; return at once.

        It is open, and silent. The watcher is told when it is up again.
        """

    @abstractmethod
    async def load_contracts(self) -> Contracts:
        """Fetch the contract specifications anew and keep them."""

    @abstractmethod
    async def subscribe(self, ticker: str) -> None:
        """Open the public data (book, best quote, trades, mark) of one contract. Idempotent; survives reconnects."""

    @abstractmethod
    async def unsubscribe(self, ticker: str) -> None:
        """Close what ``subscribe`` opened. Idempotent."""

    @abstractmethod
    async def balances(self) -> list[BalanceUpdate]:
        """The money, asked fresh."""

    @abstractmethod
    async def positions(self) -> list[PositionUpdate]:
        """The positions that are not zero, asked fresh."""

    @abstractmethod
    async def open_orders(self, ticker: str | None = None) -> list[OrderUpdate]:
        """The open orders, asked fresh."""

    @abstractmethod
    async def order(self, ticker: str, *, cloid: str | None = None, oid: str | None = None) -> OrderUpdate:
        """One order, open or closed, asked fresh. Raises NotFound when the venue says that there is none."""

    @abstractmethod
    async def fills_since(self, since_ns: int, ticker: str | None = None) -> list[FillEvent]:
        """Our fills from ``since_ns`` on, oldest first, each marked ``snapshot``. Pages until the venue has no more."""

    @abstractmethod
    async def book(self, ticker: str, depth: int = 100) -> BookUpdate:
        """A book snapshot, asked fresh."""

    @abstractmethod
    def place(self, order: PlaceOrder, *, hedge: bool = False) -> Awaitable[OrderUpdate]:
        """Send an order; await what is returned, once, for what the venue's acknowledgement says of it.

        Where nothing has to be waited for first (the rate budget, a connection, a price), the order's bytes have left
        when this returns: a fill's hedge leaves in the turn in which the fill was read. Else they leave when it is
        awaited; one that is never awaited may not be sent.
        ``hedge`` draws on the share of the rate budget that is kept for hedges. The same news may reach the sink first.
        Raises Denied, Unavailable (not sent), Rejected (definite) or Unknown (may exist), at once or when awaited.
        """

    @abstractmethod
    async def amend(self, order: AmendOrder) -> OrderUpdate:
        """Change price and total amount of a resting order; return the order as it then stands (maybe a new oid)."""

    @abstractmethod
    async def cancel(self, order: CancelOrder) -> OrderUpdate | None:
        """Ask for a cancel; return what the reply says of the order, if anything.

        Rejected with UNKNOWN_ORDER means that it is not open now (filled, perhaps): query, do not assume.
        """

    async def place_many(self, orders: Sequence[PlaceOrder]) -> list[OrderUpdate | VenueError]:
        """Send orders, in as few requests as the venue allows; return an outcome for each, in their order.

        An outcome is what ``place`` would return or raise: one order's refusal is not another's. What fails a request
        as a whole is the outcome of each of its orders. Contracts may be mixed. Hedges go by ``place``.
        """
        return await in_batches(self.alias, orders, self.place)

    async def cancel_many(self, cancels: Sequence[CancelOrder]) -> list[OrderUpdate | VenueError | None]:
        """Ask for cancels, in as few requests as the venue allows; return an outcome for each, in their order.

        An outcome is what ``cancel`` would return or raise, as with ``place_many``.
        """
        return await in_batches(self.alias, cancels, self.cancel)

    @abstractmethod
    async def cancel_all(self, ticker: str) -> None:
        """Cancel all open orders of one contract: natively, or one by one where the venue has no such verb."""

    async def arm_dead_man(self, seconds: int, ticker: str | None) -> None:
        """Have the venue cancel our orders unless this is asked again within ``seconds``, as ``capabilities`` say.

        ``ticker``: whose orders, where a switch is for one contract; None where it is for the account. Raises Denied
        for a venue without one or for another range, Rejected when the venue does not grant it to us.
        """
        raise Denied(self.alias, f"no dead man's switch: {ticker or 'the account'} is not covered for {seconds} s")

    async def disarm_dead_man(self, ticker: str | None) -> None:
        """Take the switch back: nothing is cancelled any more. Idempotent. Raises as ``arm_dead_man``, and Unknown."""
        raise Denied(self.alias, f"no dead man's switch to take back for {ticker or 'the account'}")

    def doubt_clock(self) -> None:  # noqa: B027 - one that needs no clock of the venue's has nothing to do
        """Have the venue's clock measured anew, soon: it refused a request for its time, or our own clock jumped."""

    @abstractmethod
    async def reference_price(self, ticker: str) -> Decimal | None:
        """A recent price: the mid last seen on the public stream, else asked by REST; None if neither."""

    def rehearse_fill(self) -> None:  # noqa: B027 - a venue that has nothing to walk through leaves it out
        """Read again, to nowhere, the last message that told of an order of ours: see ``oms.rehearsal``."""

    def rehearse_order(self, order: PlaceOrder) -> None:  # noqa: B027 - as above
        """Write an order as ``place`` would, to nowhere: it is not sent, and counts in no budget."""

    def budget_used(self) -> str:
        """How much of the venue's rate budget is used, in a few words for the screen; empty where it is not counted."""
        return ""
