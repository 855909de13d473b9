"""One order as the desk knows it, and one change of it."""

from decimal import Decimal
from enum import Enum

import msgspec

from gateways.standards import ZERO, OrderKind, OrderStatus, RejectReason, Signed, TimeInForce


class Role(str, Enum):
    """What an order is for. Only makers open obligations, only hedges answer them."""

    MAKER = "maker"
    HEDGE = "hedge"
    MANUAL = "manual"
    FLATTEN = "flatten"
    EXTERNAL = "external"
    """Not of this desk, or made by the venue."""


class Order(msgspec.Struct, Signed, frozen=True, kw_only=True, gc=False):
    """An order as the desk knows it. ``amount`` and ``filled`` are signed totals over all its venue order ids."""

    key: str
    """The cloid of an order of ours; ``venue:oid`` for one that has none, or one that another has too."""
    venue: str
    ticker: str
    role: Role
    amount: Decimal
    filled: Decimal = ZERO
    price: Decimal | None = None
    average_price: Decimal | None = None
    status: OrderStatus = OrderStatus.PENDING
    cloid: str | None = None
    oid: str | None = None
    """The current venue order id."""
    kind: OrderKind = OrderKind.LIMIT
    tif: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    forced: bool = False
    label: str = ""
    reason: RejectReason | None = None
    text: str = ""
    """Why it ended, or what is known of an unknown, in words."""
    ts_created_ns: int = 0
    ts_sent_ns: int = 0
    ts_recv_ns: int = 0
    ts_venue_ns: int = 0

    @property
    def remaining(self) -> Decimal:
        """What may still fill, signed; zero once terminal or overfilled."""
        rest = self.amount - self.filled
        return ZERO if self.status.terminal or rest * self.amount <= 0 else rest

    @property
    def working(self) -> bool:
        """Whether it may rest on the venue's book, as far as we know."""
        return not self.status.terminal


class OrderDelta(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One change of one order. ``last_fill`` is the growth of ``filled``, signed; ``changed`` names the fields."""

    before: Order | None
    after: Order
    changed: tuple[str, ...]
    label: str
    last_fill: Decimal = ZERO
    last_price: Decimal | None = None
    ts_recv_ns: int = 0

    @property
    def key(self) -> str:
        """What deltas are coalesced by."""
        return self.after.key
