"""What a paper exchange says of itself: orders, fills, positions, money, and the happenings in which they change.

These are the exchange's own records, before a front writes them in a venue's protocol. Quantities are unsigned base
units with ``is_buy`` beside them, positions are signed, prices are quote units, times are integer nanoseconds (UTC).
"""

from decimal import Decimal
from typing import Literal

import msgspec

from gateways.standards import ZERO, Level, OrderStatus, RejectReason, TimeInForce

OrderEvent = Literal["NEW", "TRADE", "CANCELED", "EXPIRED", "AMENDED", "REJECTED"]


class Refused(Exception):
    """The exchange says no and nothing was done; a front writes it as its venue's own error body."""

    def __init__(self, reason: RejectReason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A request for an order. ``price`` None is a market order. ``extra``: the front's own fields, echoed untouched."""

    ticker: str
    client_id: str | None = None
    is_buy: bool
    quantity: Decimal
    price: Decimal | None = None
    tif: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    extra: dict[str, str] = {}


class PaperOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it stood at one moment.

    ``status`` is NEW, PARTIAL, FILLED, CANCELLED or EXPIRED. ``end_reason`` says why the exchange itself ended it:
    POST_ONLY (would have crossed), NO_LIQUIDITY (IOC, FOK or market with nothing left to take), REDUCE_ONLY (no
    position left to reduce), OTHER (self-trade prevention: it rested where an order of the same account arrived); None
    where it did not.
    """

    order_id: int
    account: str
    ticker: str
    client_id: str | None
    is_buy: bool
    quantity: Decimal
    price: Decimal | None
    filled: Decimal
    """Unsigned, cumulative."""
    quote_filled: Decimal
    """Sum of price times quantity over the fills: divided by ``filled``, the average price."""
    status: OrderStatus
    tif: TimeInForce
    post_only: bool
    reduce_only: bool
    ts_created_ns: int
    ts_changed_ns: int
    extra: dict[str, str] = {}
    end_reason: RejectReason | None = None

    @property
    def remaining(self) -> Decimal:
        """Quantity not filled, whether or not it can still be."""
        return self.quantity - self.filled

    @property
    def average_price(self) -> Decimal:
        """Average price of the fills; zero before the first."""
        return self.quote_filled / self.filled if self.filled else ZERO


class PaperFill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution, seen from one of its two accounts. ``trade_id`` is that of the public trade."""

    trade_id: int
    account: str
    order_id: int
    client_id: str | None
    ticker: str
    is_buy: bool
    quantity: Decimal
    price: Decimal
    fee: Decimal
    """Charged when positive."""
    fee_asset: str
    is_maker: bool
    ts_ns: int
    start_position: Decimal
    """The account's signed position before this fill."""
    realised: Decimal
    """Profit of the part that closed a position, before fees."""
    forced: str = ""
    """The venue made our side of it: its word for that (``NewOrder.extra["forced"]``); empty for our own orders."""


class PaperPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A net position, signed. ``entry_price`` is zero when flat; ``mark`` is zero before the first price."""

    account: str
    ticker: str
    amount: Decimal
    entry_price: Decimal
    mark: Decimal
    unrealised: Decimal


class PaperBalance(msgspec.Struct, frozen=True, kw_only=True):
    """Money in the quote asset. ``wallet``: deposits, realised profits and fees; ``available``: free as margin."""

    account: str
    asset: str
    wallet: Decimal
    available: Decimal


class OrderChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An order changed; ``fill`` is the execution of a TRADE event, else None."""

    order: PaperOrder
    event: OrderEvent
    fill: PaperFill | None = None


class PositionChanged(msgspec.Struct, frozen=True, tag=True):
    """A position changed."""

    position: PaperPosition


class BalanceChanged(msgspec.Struct, frozen=True, tag=True):
    """Money changed. ``cause`` is ``ORDER`` for a fill, ``DEPOSIT`` for the opening of the account."""

    balance: PaperBalance
    cause: str


class BookChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Levels of a book that changed (quantity 0: gone), or the whole book when it answers ``book()``.

    Bids come best (highest) first, asks best (lowest) first. ``prev_seq`` is the ``last_seq`` of the change before.
    """

    ticker: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    first_seq: int
    last_seq: int
    prev_seq: int
    ts_ns: int


class Traded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A public trade. ``buyer_is_maker``: the aggressor sold."""

    ticker: str
    trade_id: int
    price: Decimal
    quantity: Decimal
    buyer_is_maker: bool
    ts_ns: int


Happening = OrderChanged | PositionChanged | BalanceChanged | BookChanged | Traded
