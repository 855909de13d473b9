"""The intake: a venue's events, each to the page that mirrors it, in the turn of the loop in which they were read.

What changes on the orders page is published at once, the hedge decision first. Nothing here may raise into a venue's
stream: an event that cannot be taken is told of, and the venue reconciled.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from gateways.standards import (
    BalanceUpdate,
    Batch,
    BookUpdate,
    Event,
    FillEvent,
    MarkUpdate,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    QuoteUpdate,
    Reject,
    TradeEvent,
)
from oms.deltas import FillDelta
from oms.orders import Role

if TYPE_CHECKING:
    from oms.system import OMS


class Intake:
    """The sink that an ``OMS`` hands to its venues."""

    def __init__(self, oms: "OMS") -> None:
        self._oms = oms

    def receive(self, batch: Batch) -> None:
        """Take one message's events: what is ours first, in the order said.

        It was read in this turn of the loop, so the desk's own clock says when: the gateways' may jump.
        """
        batch = msgspec.structs.replace(batch, ts_recv_ns=self._oms.clock.now_ns())
        if not batch.reply:
            self._oms.health.heard(batch.venue, batch.ts_recv_ns, private=batch.private)
        for event in batch.events:
            try:
                self._oms.take(event, batch.ts_recv_ns)
            except Exception as error:  # noqa: BLE001 - a sink must not raise: the rest of the message, and the stream, go on
                name = type(event).__name__
                self._oms.alert(batch.venue, "", f"{name} of {batch.venue} could not be taken: {error!r}", "error")
                self._oms.supervisor.reconcile_soon(batch.venue)
        if batch.private and not batch.reply:
            self._oms.supervisor.watchdog.heard(batch)

    def take(self, event: Event, ts_recv_ns: int) -> None:
        """Apply one event to the page that mirrors it, and publish the change."""
        match event:
            case OrderUpdate():
                self._oms.publish(self._oms.page.upsert(event, ts_recv_ns))
            case FillEvent():
                self._take_fill(event, ts_recv_ns)
            case PositionUpdate():
                self._oms.publish(self._oms.positions.upsert(event, ts_recv_ns))
            case BalanceUpdate():
                self._oms.publish(self._oms.balances.upsert(event, ts_recv_ns))
            case BookUpdate() | QuoteUpdate() | TradeEvent() | MarkUpdate():
                self._oms.keeper.apply(event, ts_recv_ns)
                if isinstance(event, (BookUpdate, QuoteUpdate)):
                    quote = self._oms.feed.quote(event.venue, event.ticker)
                    if quote is not None:
                        self._oms.hedge.quoted(quote, ts_recv_ns)
            case Reject(cloid=str(), definite=True):
                self._refused_late(event, ts_recv_ns)
            case _:
                pass  # acknowledgements and refusals reach whoever asked

    def _take_fill(self, fill: FillEvent, ts_recv_ns: int) -> None:
        correction = self._oms.fills.correction(fill)
        if correction != 0:
            self._corrected(fill, correction)
        if self._oms.fills.add(fill):
            if self._oms.page.counted(fill):
                return  # so old that only its order remembered it
            self._oms.positions.apply_fill(fill, ts_recv_ns)
            self._oms.publish(self._oms.page.upsert(fill, ts_recv_ns))
            self._oms.deltas.publish(FillDelta(fill))
            if fill.forced and self._oms.page.by_oid(fill.venue, fill.oid) is None:
                self._venue_made(fill)
        elif fill.cloid is not None and self._oms.page.get(fill.cloid) is not None:
            # An earlier report may not have said whose it is; the page knows what it has counted.
            self._oms.publish(self._oms.page.upsert(fill, ts_recv_ns))

    def _refused_late(self, refusal: Reject, ts_recv_ns: int) -> None:
        """Whoever asked has given up waiting; the refusal proves all the same that there is no order."""
        order = self._oms.page.get(refusal.cloid or "")
        if order is not None and order.role is not Role.EXTERNAL and order.venue == refusal.venue:
            self._oms.publish(
                self._oms.page.mark(order.key, OrderStatus.REJECTED, now_ns=ts_recv_ns, text=refusal.text,
                               reason=refusal.reason)
            )  # fmt: skip

    def _corrected(self, fill: FillEvent, correction: Decimal) -> None:
        """Freeze the books that a corrected trade stands behind: no target is lowered but by the operator."""
        order = self._oms.page.by_oid(fill.venue, fill.oid)
        if order is None or order.role is Role.EXTERNAL:
            return
        reason = f"trade {fill.trade_id} of {order.role.value} {order.key[:8]} was corrected by {correction:f}"
        books = [(leg.venue, leg.ticker) for leg in self._oms.hedge.legs(order.key)]
        for venue, ticker in books or [(fill.venue, fill.ticker)] * (order.key in self._oms.kernel.children):
            self._oms.hedge.hold(venue, ticker, f"{reason}: look at the venue, then forfeit or reopen and resume")

    def _venue_made(self, fill: FillEvent) -> None:
        """Take a fill that the venue made without naming an order; those of before this desk's records are history."""
        if not fill.snapshot or fill.ts_venue_ns > self._oms.known_until_ns:
            self._oms.hedge.venue_made(fill.venue, fill.ticker, fill.amount)
