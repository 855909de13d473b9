"""The intake: a venue's events, each to the page that mirrors it, in the turn of the loop in which they were read.

What changes on the orders page is published at once, the hedge decision first. Nothing here may raise into a venue's
stream: an event that cannot be taken is told of, and the venue reconciled.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

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
        self._takers: dict[type, Callable[[Any, int], object]] = {
            OrderUpdate: self._take_order,
            FillEvent: self._take_fill,
            PositionUpdate: self._take_position,
            BalanceUpdate: self._take_balance,
            BookUpdate: self._take_prices,
            QuoteUpdate: self._take_prices,
            TradeEvent: self._oms.keeper.apply,
            MarkUpdate: self._oms.keeper.apply,
            Reject: self._take_refusal,
        }

    def receive(self, batch: Batch) -> None:
        """Take one message's events: what is ours first, in the order said.

        It was read in this turn of the loop, so the desk's own clock says when: the gateways' may jump.
        """
        ts_recv_ns = self._oms.clock.now_ns()
        if not batch.reply:
            self._oms.health.heard(batch.venue, ts_recv_ns, private=batch.private)
        for event in batch.events:
            try:
                self.take(event, ts_recv_ns)
            except Exception as error:  # noqa: BLE001 - a sink must not raise: the rest of the message, and the stream, go on
                name = type(event).__name__
                self._oms.alert(batch.venue, "", f"{name} of {batch.venue} could not be taken: {error!r}", "error")
                self._oms.supervisor.reconcile_soon(batch.venue)
        if batch.private and not batch.reply:
            self._oms.supervisor.watchdog.heard(batch)

    def take(self, event: Event, ts_recv_ns: int) -> None:
        """Apply one event to the page that mirrors it, and publish the change."""
        taker = self._takers.get(type(event))
        if taker is not None:  # acknowledgements, and refusals of nobody's order, reach whoever asked
            taker(event, ts_recv_ns)

    def _take_order(self, update: OrderUpdate, ts_recv_ns: int) -> None:
        delta = self._oms.page.upsert(update, ts_recv_ns)
        if delta is not None:
            self._oms.deltas.publish(delta)

    def _take_position(self, update: PositionUpdate, ts_recv_ns: int) -> None:
        self._oms.publish(self._oms.positions.upsert(update, ts_recv_ns))

    def _take_balance(self, update: BalanceUpdate, ts_recv_ns: int) -> None:
        self._oms.publish(self._oms.balances.upsert(update, ts_recv_ns))

    def _take_prices(self, update: BookUpdate | QuoteUpdate, ts_recv_ns: int) -> None:
        self._oms.keeper.apply(update, ts_recv_ns)
        quote = self._oms.feed.quote(update.venue, update.ticker)
        if quote is not None:
            self._oms.hedge.quoted(quote, ts_recv_ns)

    def _take_fill(self, fill: FillEvent, ts_recv_ns: int) -> None:
        page = self._oms.page
        known = self._oms.fills.peek(fill.venue, fill.ticker, fill.oid, fill.trade_id)
        counted = known is None and page.counted(fill)  # before all else: an order put away may fail to come back
        correction = self._oms.fills.correction(fill)
        if correction != 0:
            self._corrected(fill, correction)
        if self._oms.fills.add(fill):
            if counted:
                return  # so old that only its order remembered it
            self._oms.positions.apply_fill(fill, ts_recv_ns)
            self._oms.publish(self._oms.page.upsert(fill, ts_recv_ns))
            self._oms.deltas.publish(FillDelta(fill))
            if fill.forced and self._oms.page.by_oid(fill.venue, fill.ticker, fill.oid) is None:
                self._venue_made(fill)
        elif fill.cloid is not None and self._may_be_news(known, fill.cloid):
            # An earlier report may not have said whose it is; the page knows what it has counted.
            self._oms.publish(self._oms.page.upsert(fill, ts_recv_ns))

    def _may_be_news(self, known: FillEvent | None, cloid: str) -> bool:
        """Whether an order may lack a trade that was told before; not one put away, if it was named then."""
        page = self._oms.page
        named = known is not None and known.cloid is not None
        return (page.peek(cloid) if named else page.get(cloid)) is not None

    def _take_refusal(self, refusal: Reject, ts_recv_ns: int) -> None:
        """Whoever asked may have given up waiting; a definite refusal proves all the same that there is no order."""
        if not refusal.definite:
            return
        order = self._oms.page.get(refusal.cloid or "")
        if order is not None and order.role is not Role.EXTERNAL and order.venue == refusal.venue:
            self._oms.publish(
                self._oms.page.mark(order.key, OrderStatus.REJECTED, now_ns=ts_recv_ns, text=refusal.text,
                               reason=refusal.reason)
            )  # fmt: skip

    def _corrected(self, fill: FillEvent, correction: Decimal) -> None:
        """Freeze the books that a corrected trade stands behind: no target is lowered but by the operator."""
        order = self._oms.page.by_oid(fill.venue, fill.ticker, fill.oid)
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
