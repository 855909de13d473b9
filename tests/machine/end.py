"""The end of a schedule: faults stop, every message arrives, and the desk must come to rest on the truth (I5)."""

from decimal import Decimal

from gateways.contracts import floor_lots, smallest_order
from gateways.errors import Rejected, Unknown
from gateways.standards import AmendOrder, CancelOrder, OrderStatus, PlaceOrder, RejectReason
from oms.hedge.decision import LARGER
from oms.orders import Role
from tests.machine.oracle import TICKER, Mood
from tests.put_away import orders_away

ROUNDS = 60
LIMIT = Decimal("0.999")


def come_to_rest(desk):
    """Let honest venues and an attentive operator finish what a schedule left; fail when the desk does not settle."""
    desk.journal.countdown = None
    if desk.journal.failed is not None:
        desk.crash()
    for number in range(ROUNDS):
        for venue in desk.venues.values():
            _honest(desk, venue)
        if not desk.starting:
            if number % 10 == 1:
                for alias in desk.venues:
                    desk.start(desk.oms.update_exchange_contracts(alias))
            for alias, venue in desk.venues.items():
                desk.do(venue.quote, venue.bid)
                desk.do(desk.ways, alias, trade=True, rest=True)
                desk.start(desk.oms.supervisor.reconciler.whole(alias))
            for (alias, ticker), book in list(desk.oms.kernel.books.items()):
                if book.paused or book.hold or book.obligations:
                    desk.do(desk.oms.hedge.resume, alias, ticker, now=True)
        desk.pump(2.0)
        desk.check()
        if number > 1 and not desk.starting and _at_rest(desk):
            break
    _judge(desk)


def _honest(desk, venue):
    venue.mood = Mood.TRUE
    venue.trade_again()
    door, venue.door[:] = list(venue.door), []
    for parcel in door:
        request = parcel.request
        if isinstance(request, PlaceOrder):
            if venue.expired(parcel):
                parcel.reply(Unknown(venue.alias, "lost"))
            else:
                parcel.reply(venue.update(venue.accept(request)))
        elif isinstance(request, CancelOrder):
            real = venue.orders.get(request.cloid)
            if real is not None and real.rest != 0:
                venue.end(real, OrderStatus.CANCELLED)
                parcel.reply(venue.update(real))
            else:
                parcel.reply(Rejected(venue.alias, "not open", reason=RejectReason.UNKNOWN_ORDER))
        elif isinstance(request, AmendOrder):
            parcel.reply(Rejected(venue.alias, "no"))
    for cloid in (*desk.journal.shadow.intents, *desk.oms.kernel.unwinds):
        real = venue.orders.get(cloid)
        if real is not None and real.rest != 0:
            venue.fill(real, real.now, real.rest)
    wire, venue.wire[:] = list(venue.wire), []
    for message in wire:
        desk.do(venue.deliver, message)


def _at_rest(desk):
    return (
        not any(venue.door or venue.wire for venue in desk.venues.values())
        and not any(book.open_children for book in desk.oms.kernel.books.values())
        and not any(_too_much(desk, book) for book in desk.oms.kernel.books.values())
        and not any(order.status in {OrderStatus.PENDING, OrderStatus.UNKNOWN} for order in desk.oms.page.working())
        and all(_true(desk, order) for order in _every_order(desk))
    )


def _too_much(desk, book):
    contract = desk.venues[book.venue].contract
    policies = [item.policy for item in book.obligations]
    quantity = max((policy.above_quantity for policy in policies), default=0)
    value = max((policy.above_value for policy in policies), default=0)
    if book.refused_notional:
        value = max(value, book.refused_notional * LARGER + contract.lot_size * book.bid)
    # A seller's limit is below the bid by the slippage of these ladders, and minimums hold at the limit.
    limit = book.bid * LIMIT if book.bid else None
    least = max(smallest_order(contract, limit), quantity, value / book.bid if book.bid else 0)
    return abs(floor_lots(contract, book.balance)) >= least


def _every_order(desk):
    return [*desk.oms.page.orders(), *(each.order for each in orders_away(desk.oms))]


def _true(desk, order):
    if order.role not in {Role.MAKER, Role.HEDGE}:
        return True
    real = desk.venues[order.venue].orders.get(order.key)
    return order.filled == (real.filled if real else 0)


def _judge(desk):
    assert not desk.starting, "I6: the desk did not start again"
    for order in _every_order(desk):
        assert _true(desk, order), f"I1, I4: {order.role.value} {order.key[:8]} is known as {order.filled} only"
    for venue in desk.venues.values():
        strangers = [cloid for cloid in venue.orders if desk.oms.page.get(cloid) is None]
        assert not strangers, "an order of ours is on the venue and not on the page"
    for (alias, _ticker), book in desk.oms.kernel.books.items():
        assert not book.open_children, f"I5: hedges are open for ever: {_told_of(desk, alias, book)}"
        assert not _too_much(desk, book), f"I5: {book.balance} is left in {alias}:{TICKER}: {book.waits}"
    assert _at_rest(desk), "I5: the desk did not come to rest"


def _told_of(desk, alias, book):
    return [
        (child.state.value, child.amount, child.cum, child.rung, child.cancelling, desk.oms.page.get(child.cloid),
         desk.venues[alias].orders.get(child.cloid), desk.oms.resolver)
        for child in book.open_children.values()
    ]  # fmt: skip
