"""Order entry: what a cancel or an amend without a good answer says of an order, and what it does not."""

import asyncio
from decimal import Decimal

import pytest

from gateways.errors import Rejected, Unknown
from gateways.standards import AmendOrder, OrderStatus, OrderUpdate, PlaceOrder, RejectReason, TimeInForce
from gateways.venue import Capabilities
from oms.clock import ManualClock
from oms.entry import OrderEntry
from oms.journal import MemoryJournal
from oms.orders import OrdersPage, Role

D = Decimal
S = OrderStatus
C = "c" * 32


class StubVenue:
    """Answers each request with what was put there: an exception is raised, anything else returned."""

    capabilities = Capabilities(time_in_force=frozenset(TimeInForce))

    def __init__(self):
        self.answer = None
        self.asked = []

    async def _answered(self, order, **_options):
        self.asked.append(order)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer == "never":
            await asyncio.Event().wait()
        return self.answer

    place = amend = cancel = _answered


class StubGateway:
    def __init__(self, venue):
        self._venue = venue

    def venue(self, alias):
        return self._venue


class Desk:
    """An order entry with its page, one venue and what it asks to be resolved."""

    def __init__(self):
        self.venue = StubVenue()
        self.page = OrdersPage()
        self.unresolved = []
        clock = ManualClock(1)
        self.entry = OrderEntry(
            StubGateway(self.venue), self.page, MemoryJournal(clock), clock, publish=lambda delta: None,
            unresolved=self.unresolved.append, pending_timeout=0.01,
        )  # fmt: skip
        self.entry.register("v", PlaceOrder(ticker="X", cloid=C, amount=D(10), price=D(5)), Role.MAKER)

    @property
    def order(self):
        return self.page.get(C)

    def said(self, status, **fields):
        self.page.upsert(OrderUpdate(venue="v", ticker="X", oid="1", cloid=C, amount=D(10), status=status, **fields), 2)


@pytest.fixture
def desk():
    return Desk()


async def test_an_id_goes_out_once_whatever_becomes_of_it(desk):
    """I3: an order without an answer is asked about, never sent again."""
    for silence in (Unknown("v", "no answer"), "never"):
        desk.venue.answer = silence
        desk.venue.asked.clear()
        order = PlaceOrder(ticker="X", cloid=C, amount=D(10), price=D(5))
        with pytest.raises(Unknown):
            await asyncio.wait_for(desk.entry.send("v", order), 5)
        assert desk.venue.asked == [order]


NO_SUCH_ORDER = Rejected("v", "no such order", reason=RejectReason.UNKNOWN_ORDER)


async def test_to_ask_for_a_cancel_is_not_to_have_seen_the_order(desk):
    """I9: an unknown order whose cancel finds nothing is unknown still, and its absence can still be proven."""
    desk.venue.answer = Unknown("v", "no answer")
    with pytest.raises(Unknown):
        await desk.entry.send("v", PlaceOrder(ticker="X", cloid=C, amount=D(10), price=D(5)))
    desk.venue.answer = NO_SUCH_ORDER
    with pytest.raises(Rejected):
        await asyncio.wait_for(desk.entry.cancel(desk.order), 1)
    assert desk.order.status is S.UNKNOWN
    assert desk.page.mark(C, S.REJECTED, now_ns=3) is not None


async def test_an_order_that_rests_is_shown_resting_again_after_a_failed_cancel(desk):
    """A cancel that may not have been done leaves the order where it was, and asks about it."""
    desk.said(S.PARTIAL, filled=D(4))
    desk.venue.answer = "never"
    with pytest.raises(Unknown):
        await desk.entry.cancel(desk.order)
    assert desk.order.status is S.PARTIAL
    assert desk.unresolved == [C]


async def test_two_cancels_at_once_that_both_find_nothing_leave_the_order_as_it_was(desk):
    """The second cancel saw the first one's CANCEL_PENDING; neither is evidence."""
    desk.said(S.NEW)
    desk.venue.answer = NO_SUCH_ORDER
    results = await asyncio.gather(desk.entry.cancel(desk.order), desk.entry.cancel(desk.order), return_exceptions=True)
    assert [type(result) for result in results] == [Rejected, Rejected]
    assert desk.order.status is S.NEW


async def test_an_amend_without_an_answer_is_unknown_and_asked_about(desk):
    """Silence is said in the errors of the venues, never as a bare timeout."""
    desk.said(S.NEW)
    desk.venue.answer = "never"
    request = AmendOrder(ticker="X", cloid=C, oid="1", amount=D(12), price=D(6), filled=D(0))
    with pytest.raises(Unknown):
        await desk.entry.amend(desk.order, request)
    assert desk.unresolved == [C]
