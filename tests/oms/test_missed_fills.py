"""Which fills a reconciliation asks for."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from gateways.errors import Unknown
from gateways.standards import FillEvent, PlaceOrder
from oms.clock import ManualClock
from oms.entry import OrderEntry
from oms.fills import FillsPage
from oms.journal import MemoryJournal
from oms.orders import OrdersPage, Role
from oms.supervisor import OVERLAP_NS, Supervisor

S = 1_000_000_000
START_NS = 1_000 * S


class StubVenue:
    """Answers with the fills that it has from a time on; fails while told to."""

    def __init__(self):
        self.fails = False
        self.fills = []
        self.asked = []

    async def fills_since(self, since_ns, ticker):
        self.asked.append(since_ns)
        if self.fails:
            raise Unknown("v", "answered HTTP 502")
        return [fill for fill in self.fills if fill.ts_venue_ns >= since_ns]


class Desk:
    """As much of an OMS as asks for missed fills: an order in X on venue v, and what was taken."""

    def __init__(self):
        self.clock = ManualClock(START_NS)
        self.started_ns = self.missed_since_ns = START_NS
        self.page, self.fills = OrdersPage(), FillsPage()
        self.venue = StubVenue()
        self.gateway = SimpleNamespace(venue=lambda alias: self.venue)
        self.taken = []
        entry = OrderEntry(
            self.gateway, self.page, MemoryJournal(self.clock), self.clock, publish=lambda delta: None,
            unresolved=self.taken.append, pending_timeout=1.0,
        )  # fmt: skip
        entry.register("v", PlaceOrder(ticker="X", cloid="c" * 32, amount=Decimal(1), price=Decimal(5)), Role.MAKER)
        self.supervisor = Supervisor(self, refresh_orders_snapshot=30.0, refresh_positions_snapshot=30.0)

    def take(self, fill, ts_recv_ns):
        self.taken.append(fill.trade_id)

    def traded(self, trade_id):
        self.venue.fills.append(
            FillEvent(
                venue="v", ticker="X", oid="1", trade_id=trade_id, amount=Decimal(1), price=Decimal(5),
                ts_venue_ns=self.clock.now_ns(),
            )
        )  # fmt: skip

    async def ask(self):
        await self.supervisor._missed_fills("v")


async def test_a_fill_missed_before_a_long_failure_is_found_after_it():
    """However many later fills are known, and however long no question was answered."""
    desk = Desk()
    await desk.ask()
    desk.clock.advance(5 * S)
    desk.traded("missed")
    desk.venue.fails = True
    for _ in range(10):
        desk.clock.advance(30 * S)
        with pytest.raises(Unknown):
            await desk.ask()
    desk.traded("heard by the stream")
    desk.venue.fails = False
    await desk.ask()
    assert desk.taken == ["missed", "heard by the stream"]


async def test_questions_that_are_answered_move_on():
    """What was asked and answered is asked again for the overlap alone."""
    desk = Desk()
    await desk.ask()
    desk.clock.advance(500 * S)
    await desk.ask()
    await desk.ask()
    assert desk.venue.asked == [START_NS - OVERLAP_NS, START_NS - OVERLAP_NS, START_NS + 500 * S - OVERLAP_NS]
