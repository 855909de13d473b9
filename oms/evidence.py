"""What is known of an order of ours, as the journal keeps it and as the hedge kernel is told of it.

One form serves both: live, a change on the orders page becomes ``Evidence``, is journaled and given to the kernel; in a
recovery the journaled evidence is given to a new kernel by the same function.
"""

from decimal import Decimal

import msgspec

from gateways.standards import OrderStatus, PlaceOrder, RejectReason
from oms.hedge import events as e
from oms.hedge.kernel import Kernel
from oms.oid_evidence import OidFilled
from oms.orders import Order, OrdersPage, Role


class Entered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order of ours is about to be sent. Journaled before its bytes leave."""

    venue: str
    role: Role
    order: PlaceOrder
    ts_ns: int


class Evidence(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that is known of an order of ours at a moment. Cumulative: a later one replaces it. Sizes are signed."""

    key: str
    status: OrderStatus
    filled: Decimal
    ts_ns: int
    price: Decimal | None = None
    average_price: Decimal | None = None
    reason: RejectReason | None = None
    text: str = ""
    oids: tuple[OidFilled, ...] = ()


def evidence_of(page: OrdersPage, order: Order) -> Evidence:
    """The evidence behind an order of the page."""
    return Evidence(
        key=order.key, status=order.status, filled=order.filled, ts_ns=order.ts_recv_ns, price=order.price,
        average_price=order.average_price, reason=order.reason, text=order.text, oids=page.evidence(order.key),
    )  # fmt: skip


def hedge_event(kernel: Kernel, evidence: Evidence) -> e.HedgeEvent | None:
    """What the evidence means to the kernel; None for an order that is neither a maker nor a hedge (I13)."""
    if evidence.key in kernel.makers:
        return e.MakerFilled(
            maker=evidence.key, filled=evidence.filled, average_price=evidence.average_price, ts_ns=evidence.ts_ns
        )
    if evidence.key not in kernel.children:
        return None
    if evidence.status is OrderStatus.UNKNOWN and evidence.filled == 0:
        return e.ChildUnknown(child=evidence.key, ts_ns=evidence.ts_ns, text=evidence.text)
    if evidence.status is OrderStatus.PENDING and evidence.filled == 0:
        return None
    return e.ChildSeen(
        child=evidence.key, filled=evidence.filled, done=evidence.status.terminal, reason=evidence.reason,
        text=evidence.text, average_price=evidence.average_price, ts_ns=evidence.ts_ns,
    )  # fmt: skip
