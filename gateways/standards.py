"""The one internal schema: what every venue's messages become, and what a request is before a venue translates it.

Units and signs, everywhere in the project:

* quantities are ``Decimal`` in base-asset units, never contracts or thousands; a venue converts at its own door;
* ``amount`` and ``filled`` are signed (``+`` buy, ``-`` sell); ``side`` and ``quantity`` are derived from them;
* prices are ``Decimal`` in quote units for one base unit;
* times are integer nanoseconds, UTC, with the source in the name (``ts_venue_ns``, ``ts_recv_ns``, ``ts_sent_ns``);
* ``None`` means that the venue did not say, never zero.

What there are many of is ``gc=False``: it cannot be part of a cycle, and a garbage collector that walked through all of
it would hold the loop (docs/performance.md).

This module imports nothing of ours.
"""

from decimal import Decimal
from enum import Enum
from typing import NamedTuple

import msgspec

ZERO = Decimal(0)


class OrderStatus(str, Enum):
    """Where an order stands. The legal moves between them are the table in ``oms.orders``."""

    PENDING = "PENDING"
    """Created here, not acknowledged by the venue."""
    NEW = "NEW"
    PARTIAL = "PARTIAL"
    CANCEL_PENDING = "CANCEL_PENDING"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"
    """Sent, outcome not known. Counted in full until the venue proves otherwise."""

    @property
    def terminal(self) -> bool:
        """Whether the order can no longer rest on the venue's book (its filled size may still grow)."""
        return self in _TERMINAL


_TERMINAL = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED})


class Side(str, Enum):
    """Direction of an order, a fill or a trade's aggressor."""

    BUY = "buy"
    SELL = "sell"


class OrderKind(str, Enum):
    """How an order is priced."""

    LIMIT = "limit"
    MARKET = "market"


class TimeInForce(str, Enum):
    """How long an order stands. Post-only is a flag beside it, not a time in force."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class RejectReason(str, Enum):
    """A venue's refusal, normalized; the venue's own code and text are kept beside it."""

    LOT = "lot"
    TICK = "tick"
    MIN_NOTIONAL = "min_notional"
    MARGIN = "margin"
    REDUCE_ONLY = "reduce_only"
    POST_ONLY = "post_only"
    HALTED = "halted"
    RATE_LIMIT = "rate_limit"
    DUPLICATE_CLOID = "duplicate_cloid"
    PRICE_BAND = "price_band"
    NO_LIQUIDITY = "no_liquidity"
    UNKNOWN_ORDER = "unknown_order"
    TOO_MANY_ORDERS = "too_many_orders"
    UNREACHABLE = "unreachable"
    """Ours, not a venue's: there was no way to the venue, so it was not sent."""
    CREDENTIALS = "credentials"
    CLOCK = "clock"
    BAD_REQUEST = "bad_request"
    OTHER = "other"


class PriceSide(str, Enum):
    """Which side of the book a price rule reads: ours (queue) or the other (opponent)."""

    QUEUE = "queue"
    OPPONENT = "opponent"


class PriceRule(msgspec.Struct, frozen=True):
    """A price named by a book level at the moment of sending. ``level`` 1 is the best; 1, 5, 10 and 20 are allowed."""

    side: PriceSide
    level: int

    def __str__(self) -> str:
        return f"{self.side.value}{self.level}"


PRICE_LEVELS = (1, 5, 10, 20)


class Level(NamedTuple):
    """One price of a book and the quantity resting there (base units, unsigned; 0 in a delta removes the level)."""

    price: Decimal
    quantity: Decimal


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """A linear perpetual as its venue publishes it. All quantities are base units, all prices quote units."""

    venue: str
    """The venue's alias in this desk, e.g. ``binance``."""
    ticker: str
    """The venue's own name of the contract, e.g. ``ETHUSDT``, ``ETH``."""
    base: str
    quote: str
    tick_size: Decimal
    """The finest price step; where ``significant_digits`` is set it may be coarser: ``contracts.tick_at``."""
    lot_size: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    """Smallest price times quantity, in quote units; zero where the venue has none."""
    max_quantity: Decimal | None = None
    market_max_quantity: Decimal | None = None
    significant_digits: int = 0
    """Most significant digits of a price (Hyperliquid: 5; whole numbers always allowed); 0 where the tick is fixed."""
    multiplier: Decimal = Decimal(1)
    """Base units in one of the venue's own size units."""
    venue_id: str = ""
    """The venue's internal id where requests need one (Hyperliquid: asset index; OKX: instIdCode)."""
    trading: bool = True


class Signed:
    """What a signed ``amount`` implies: which side, and how much without the sign."""

    __slots__ = ()
    amount: Decimal

    @property
    def side(self) -> Side:
        """BUY for a positive amount, SELL for a negative one."""
        return Side.BUY if self.amount >= 0 else Side.SELL

    @property
    def quantity(self) -> Decimal:
        """The amount without its sign."""
        return abs(self.amount)


# ------------------------------------------------------------------ requests


class PlaceOrder(msgspec.Struct, Signed, frozen=True, kw_only=True, tag=True, gc=False):
    """An order to send.

    A LIMIT has a ``price`` or a ``price_rule`` that the venue matches natively; a MARKET has neither, or a ``price``
    that is the worst acceptable one where the venue has no market orders (Hyperliquid sends IOC at it).
    """

    ticker: str
    cloid: str
    """32 hex characters, no prefix; each venue writes it in its own alphabet."""
    amount: Decimal
    kind: OrderKind = OrderKind.LIMIT
    price: Decimal | None = None
    price_rule: PriceRule | None = None
    tif: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False


class AmendOrder(msgspec.Struct, Signed, frozen=True, kw_only=True, tag=True):
    """Change a resting limit order to a new total ``amount`` and ``price``.

    ``amount`` is always the new *total* over the order's life, already filled included; ``filled`` is what is known to
    be filled, signed like it: a venue whose amend replaces the order (Hyperliquid) asks for ``amount - filled``.
    """

    ticker: str
    cloid: str
    oid: str
    amount: Decimal
    price: Decimal
    filled: Decimal = ZERO
    tif: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False


class CancelOrder(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Cancel one order, by ``cloid`` or ``oid`` (either may be None, not both; the oid wins where both are given)."""

    ticker: str
    cloid: str | None = None
    oid: str | None = None


class CancelAll(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue's native cancel of all open orders in one contract. It takes hedge orders too."""

    ticker: str


class QueryOrder(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask for one order, open or closed, by ``cloid`` or ``oid``."""

    ticker: str
    cloid: str | None = None
    oid: str | None = None


class QueryOpenOrders(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask for the open orders, of one contract or (None) of all."""

    ticker: str | None = None


class QueryFills(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask for our fills since a time. A venue that needs a ticker is asked once for each by its shell."""

    since_ns: int
    ticker: str | None = None


class QueryPositions(msgspec.Struct, frozen=True, tag=True):
    """Ask for all positions."""


class QueryBalances(msgspec.Struct, frozen=True, tag=True):
    """Ask for all balances."""


class QueryContracts(msgspec.Struct, frozen=True, tag=True):
    """Ask for the contract specifications."""


class QueryBook(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask for a book snapshot of up to ``depth`` levels a side."""

    ticker: str
    depth: int = 100


class DeadMansSwitch(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask the venue to cancel our orders unless told again within ``timeout_ms``; 0 takes the switch back."""

    timeout_ms: int
    ticker: str | None = None


Request = (
    PlaceOrder
    | AmendOrder
    | CancelOrder
    | CancelAll
    | QueryOrder
    | QueryOpenOrders
    | QueryFills
    | QueryPositions
    | QueryBalances
    | QueryContracts
    | QueryBook
    | DeadMansSwitch
)


class Credentials(msgspec.Struct, frozen=True):
    """What signs requests. ``key``: API key, or the account's address; ``secret``: HMAC secret, or the private key."""

    key: str
    secret: str
    passphrase: str = ""

    def __repr__(self) -> str:
        return "Credentials(key=***, secret=***)"


class WireRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, complete and signed: what ``encode`` makes and a transport sends byte for byte."""

    method: str
    path: str
    params: str = ""
    """The query string exactly as signed, without the question mark."""
    body: bytes = b""
    headers: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"WireRequest({self.method} {self.path})"  # the rest carries keys and signatures


# -------------------------------------------------------------------- events


class OrderUpdate(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """What a venue says of one order (of one venue order id: an amend may give the same cloid a new one)."""

    venue: str
    ticker: str
    oid: str | None = None
    cloid: str | None = None
    """32 hex characters for ours; the venue's text as it is for an order of anybody else."""
    status: OrderStatus | None = None
    """None: the venue's status is unknown to us; what is filled still counts."""
    amount: Decimal | None = None
    """Original signed size of this oid."""
    price: Decimal | None = None
    filled: Decimal | None = None
    """Cumulative, signed like ``amount``, of this oid; None where the message does not say."""
    average_price: Decimal | None = None
    kind: OrderKind | None = None
    tif: TimeInForce | None = None
    post_only: bool | None = None
    reduce_only: bool | None = None
    forced: bool = False
    """Made by the venue: liquidation, auto-deleveraging, settlement."""
    label: str = ""
    """The venue's own word for the event, e.g. ``TRADE``, ``AMENDMENT``, ``badAloPxRejected``."""
    reason: RejectReason | None = None
    ts_venue_ns: int = 0


class FillEvent(msgspec.Struct, Signed, frozen=True, kw_only=True, tag=True, gc=False):
    """One execution of one of our orders. Unique by (venue, ticker, oid, trade_id)."""

    venue: str
    ticker: str
    oid: str
    trade_id: str
    amount: Decimal
    price: Decimal
    cloid: str | None = None
    fee: Decimal | None = None
    """Charged when positive, a rebate when negative."""
    fee_asset: str = ""
    is_maker: bool | None = None
    forced: bool = False
    snapshot: bool = False
    """Part of a replay of the past (a subscription's first message, a query), not news."""
    ts_venue_ns: int = 0


class PositionUpdate(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """The net position in one contract, signed, as the venue states it."""

    venue: str
    ticker: str
    amount: Decimal
    entry_price: Decimal | None = None
    unrealised: Decimal | None = None
    side: str = "net"
    """``net``; ``isolated`` for what OKX keeps beside it with margin of its own; or ``long``/``short`` of an account in
    hedge mode (which the desk refuses to trade). A contract's position is the sum of its sides."""
    ts_venue_ns: int = 0


class BalanceUpdate(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Money in one asset: ``total`` is the wallet, ``available`` what can still be used as margin."""

    venue: str
    asset: str
    total: Decimal
    available: Decimal | None = None
    ts_venue_ns: int = 0


class BookUpdate(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """A book snapshot or delta. A delta follows the update whose ``last_seq`` equals its ``prev_seq`` (or spans it)."""

    venue: str
    ticker: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    snapshot: bool
    first_seq: int | None = None
    last_seq: int | None = None
    prev_seq: int | None = None
    ts_venue_ns: int = 0


class QuoteUpdate(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Best bid and ask; None for an empty side."""

    venue: str
    ticker: str
    bid: Level | None
    ask: Level | None
    seq: int | None = None
    ts_venue_ns: int = 0


class TradeEvent(msgspec.Struct, Signed, frozen=True, kw_only=True, tag=True, gc=False):
    """A public trade; ``amount`` is signed by the aggressor's side."""

    venue: str
    ticker: str
    trade_id: str
    amount: Decimal
    price: Decimal
    ts_venue_ns: int = 0


class MarkUpdate(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """The venue's mark price, with the funding rate of the coming interval where it says."""

    venue: str
    ticker: str
    mark: Decimal
    index: Decimal | None = None
    funding_rate: Decimal | None = None
    next_funding_ns: int | None = None
    ts_venue_ns: int = 0


class Ack(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue took a request. What it says of the order, if anything, comes as an OrderUpdate beside it."""

    venue: str
    request_id: str | None = None


class Reject(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue refused a request, or did not do it for a reason it names.

    ``definite`` says whether the refusal proves that nothing was done (a 5xx body or a timeout code does not).
    """

    venue: str
    code: str
    text: str
    reason: RejectReason
    definite: bool = True
    request_id: str | None = None
    retry_after_s: float | None = None
    cloid: str | None = None


class StreamEnd(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A stream will say nothing more (listen key expired, server going away): reconnect and resynchronize."""

    venue: str
    reason: str


Event = (
    OrderUpdate
    | FillEvent
    | PositionUpdate
    | BalanceUpdate
    | BookUpdate
    | QuoteUpdate
    | TradeEvent
    | MarkUpdate
    | Contract
    | Ack
    | Reject
    | StreamEnd
)


class Batch(msgspec.Struct, frozen=True):
    """The events of one wire message with the moment its bytes were read."""

    venue: str
    events: list[Event]
    ts_recv_ns: int
    private: bool = True
    reply: bool = False
    """The answer to a request of ours, on the order entry's own connection: it proves nothing of the private stream."""
