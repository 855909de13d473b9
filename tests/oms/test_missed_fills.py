"""What a reconciliation asks a venue for: fills, and single orders, within its budget."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from gateways.errors import NotFound, Rejected, Unknown
from gateways.standards import FillEvent, OrderStatus, OrderUpdate, PlaceOrder, RejectReason
from oms.clock import DeskClock, ManualClock
from oms.entry import OrderEntry
from oms.journal import MemoryJournal
from oms.orders import OrdersPage, Role
from oms.reconcile import FILL_QUESTIONS, IDLE_NS, LATE_NS, ORDER_QUESTIONS, OVERLAP_NS
from oms.reconciler import CARRIED_CYCLES, Reconciler

S = 1_000_000_000
START_NS = 1_000 * S


class StubVenue:
    """Answers with the fills that it has from a time on, and knows no open order; fails while told to."""

    def __init__(self, *, fills_of_all=False):
        self.capabilities = SimpleNamespace(fills_of_all=fills_of_all)
        self.fails = False
        self.silent = set()
        self.refuses = {}
        self.fills = []
        self.asked = []
        self.orders_asked = []
        self.orders_fail = set()
        self.orders_unknown = set()

    async def fills_since(self, since_ns, ticker=None):
        self.asked.append((ticker, since_ns))
        if self.fails or ticker in self.silent:
            raise Unknown("v", "answered HTTP 502")
        if ticker in self.refuses:
            raise Rejected("v", "no", reason=self.refuses[ticker])
        return [fill for fill in self.fills if fill.ts_venue_ns >= since_ns and ticker in {None, fill.ticker}]

    async def open_orders(self):
        return []

    async def order(self, ticker, *, cloid=None, oid=None):
        self.orders_asked.append(cloid)
        if cloid in self.orders_fail:
            raise Unknown("v", "answered HTTP 502")
        if cloid in self.orders_unknown:
            raise NotFound("v", "no such order")
        return OrderUpdate(venue="v", ticker=ticker, cloid=cloid, oid=cloid, status=OrderStatus.CANCELLED)


class Desk:
    """As much of an OMS as a reconciliation needs: orders on venue v, and what was taken."""

    def __init__(self, *tickers, venue=None):
        self.clock = ManualClock(START_NS)
        self.desk_clock = DeskClock(self.clock)
        self.missed_since_ns = START_NS
        self.page = OrdersPage()
        self.venue = venue or StubVenue()
        self.gateway = SimpleNamespace(venue=lambda alias: self.venue)
        self.outages = SimpleNamespace(reconciled=lambda venue, began_ns: self.proven.append(began_ns))
        self.taken, self.alerts, self.proven, self.resolved = [], [], [], []
        self.resolver = SimpleNamespace(resolve=self.resolved.append)
        self._entry = OrderEntry(
            self.gateway, self.page, MemoryJournal(self.clock), self.clock, publish=lambda delta: None,
            unresolved=self.resolved.append, pending_timeout=1.0,
        )  # fmt: skip
        for ticker in tickers:
            self.enter(ticker)
        self.reconciler = Reconciler(self, self.take)

    def enter(self, ticker, cloid=None, status=None):
        """An order of ours; with a ``status``, a venue has spoken for it."""
        cloid = cloid or ticker * 32
        order = PlaceOrder(ticker=ticker, cloid=cloid, amount=Decimal(1), price=Decimal(5))
        self._entry.register("v", order, Role.MAKER)
        if status is not None:
            self.say(ticker, cloid, status)

    def say(self, ticker, cloid, status):
        said = OrderUpdate(venue="v", ticker=ticker, cloid=cloid, oid=cloid, status=status)
        self.page.upsert(said, self.clock.now_ns())

    def alert(self, venue, ticker, text, severity="warning"):
        self.alerts.append(text)

    def take(self, event):
        if isinstance(event, FillEvent):
            self.taken.append(event.trade_id)
        else:
            self.page.upsert(event, self.clock.now_ns())

    def traded(self, trade_id, ticker="X"):
        self.venue.fills.append(
            FillEvent(
                venue="v", ticker=ticker, oid="1", trade_id=trade_id, amount=Decimal(1), price=Decimal(5),
                ts_venue_ns=self.clock.now_ns(),
            )
        )  # fmt: skip

    async def cycle(self):
        """One cycle; the contracts whose fills it asked for, and the orders."""
        self.venue.asked.clear()
        self.venue.orders_asked.clear()
        await self.reconciler.cycle("v")
        return [ticker for ticker, _ in self.venue.asked], list(self.venue.orders_asked)


def names(count):
    return [f"T{number:03d}" for number in range(count)]


# ------------------------------------------------------------------ the fills


async def test_a_fill_missed_before_a_long_failure_is_found_after_it():
    """However many later fills are known, and however long no question was answered."""
    desk = Desk("X")
    await desk.reconciler.fills("v")
    desk.clock.advance(5 * S)
    desk.traded("missed")
    desk.venue.fails = True
    for _ in range(10):
        desk.clock.advance(30 * S)
        with pytest.raises(Unknown):
            await desk.reconciler.fills("v")
    desk.traded("heard by the stream")
    desk.venue.fails = False
    await desk.reconciler.fills("v")
    assert desk.taken == ["missed", "heard by the stream"]


async def test_questions_that_are_answered_move_on():
    """What was asked and answered is asked again for the overlap alone."""
    desk = Desk("X")
    await desk.reconciler.fills("v")
    desk.clock.advance(500 * S)
    await desk.reconciler.fills("v")
    await desk.reconciler.fills("v")
    since = [START_NS, START_NS, START_NS + 500 * S]
    assert desk.venue.asked == [("X", at - OVERLAP_NS) for at in since]


async def test_a_venue_that_tells_the_fills_of_all_contracts_is_asked_once():
    """One question, however many contracts; nothing at all where no order of ours ever was."""
    desk = Desk(*names(50), venue=StubVenue(fills_of_all=True))
    desk.traded("one", "T007")
    desk.traded("another", "T031")
    assert await desk.cycle() == ([None], [])
    assert desk.taken == ["one", "another"]
    assert await Desk(venue=StubVenue(fills_of_all=True)).cycle() == ([], [])


async def test_a_contract_whose_orders_ended_is_asked_about_a_while_longer_and_then_now_and_then():
    """A fill told late, after the cancel, is found soon; one told very late is found too."""
    desk = Desk()
    desk.enter("X", status=OrderStatus.NEW)
    desk.say("X", "X" * 32, OrderStatus.CANCELLED)
    asked_at = []
    for second in range(0, (LATE_NS + 2 * IDLE_NS) // S + 31, 30):
        if second == 240:
            desk.traded("very late")
        if (await desk.cycle())[0]:
            asked_at.append(second)
        desk.clock.advance(30 * S)
    late, idle = LATE_NS // S, IDLE_NS // S
    assert asked_at == [*range(0, late + 31, 30), late + 30 + idle, late + 30 + 2 * idle]
    assert "very late" in desk.taken


async def test_a_reconnect_asks_about_every_contract():
    """News of any of them may have been missed."""
    desk = Desk()
    for ticker in names(3):
        desk.enter(ticker, ticker * 8, OrderStatus.NEW)
        desk.say(ticker, ticker * 8, OrderStatus.CANCELLED)
    await desk.cycle()
    desk.clock.advance(LATE_NS + S)
    assert (await desk.cycle())[0] == names(3)
    desk.clock.advance(S)
    assert (await desk.cycle())[0] == []
    desk.reconciler.lost_touch("v")
    desk.clock.advance(S)
    assert (await desk.cycle())[0] == names(3)
    assert (await desk.cycle())[0] == []


async def test_many_contracts_are_asked_about_in_turn():
    """A cycle asks for some, the next ones go on with the others until each was asked once; then it begins anew."""
    count = 2 * FILL_QUESTIONS + 4
    desk = Desk(*names(count))
    for began_ns in (START_NS, START_NS + 6 * S):
        cycles = []
        for _ in range(3):
            cycles.append((await desk.cycle())[0])
            desk.clock.advance(2 * S)
        assert [len(asked) for asked in cycles] == [FILL_QUESTIONS, FILL_QUESTIONS, 4]
        assert sorted(ticker for asked in cycles for ticker in asked) == names(count)
        assert desk.proven[-1] == began_ns


async def test_contracts_that_become_due_meanwhile_wait_behind_those_asked_longer_ago():
    """Whoever asks first is not asked about twice before all were."""
    desk = Desk(*names(FILL_QUESTIONS + 2))
    await desk.cycle()
    for number in range(5):
        desk.enter(f"N{number}")
    asked, _orders = await desk.cycle()
    assert sorted(asked) == sorted([*names(FILL_QUESTIONS + 2)[FILL_QUESTIONS:], *(f"N{n}" for n in range(5))])


async def test_a_contract_that_a_venue_refuses_to_tell_of_does_not_hold_up_the_others():
    """It is said once; a refusal of all that we ask, and silence, end the cycle."""
    desk = Desk("A", "B", "C")
    desk.venue.refuses["A"] = RejectReason.BAD_REQUEST
    for _ in range(3):
        asked, _orders = await desk.cycle()
        assert sorted(asked) == ["A", "B", "C"]
        desk.clock.advance(30 * S)
    assert len(desk.alerts) == 1
    desk.venue.refuses["B"] = RejectReason.CREDENTIALS
    with pytest.raises(Rejected):
        await desk.cycle()


async def test_a_contract_that_is_never_answered_for_does_not_hold_up_the_others():
    """Silence ends a cycle; the next one begins with the others."""
    desk = Desk("A", "B", "C")
    desk.venue.silent = {"A"}
    for asked in (["A"], ["A", "B", "C", "A"]):
        with pytest.raises(Unknown):
            await desk.reconciler.cycle("v")
        assert [ticker for ticker, _ in desk.venue.asked] == asked
        desk.clock.advance(2 * S)
    assert desk.proven == []


# ------------------------------------------------------------- single orders


def resting(desk, count):
    """Orders that were seen and that no snapshot shows any more."""
    cloids = [f"{number:032x}" for number in range(count)]
    for cloid in cloids:
        desk.enter("X", cloid, OrderStatus.NEW)
    desk.clock.advance(60 * S)
    return cloids


async def test_orders_missing_in_a_snapshot_are_asked_about_within_the_budget():
    """As many as a cycle may; the rest in the next ones, and each once when it is answered."""
    desk = Desk()
    cloids = resting(desk, 2 * ORDER_QUESTIONS + 5)
    cycles = [(await desk.cycle())[1] for _ in range(4)]
    assert [len(asked) for asked in cycles] == [ORDER_QUESTIONS, ORDER_QUESTIONS, 5, 0]
    assert sorted(cloid for asked in cycles for cloid in asked) == cloids
    assert desk.page.working() == []


async def test_orders_that_are_never_answered_for_do_not_hold_up_the_others():
    """Those asked longest ago come first, whatever became of the question; nothing changes without an answer."""
    desk = Desk()
    cloids = resting(desk, 2 * ORDER_QUESTIONS)
    desk.venue.orders_fail = set(cloids[:ORDER_QUESTIONS])
    for _ in range(4):
        await desk.cycle()
        desk.clock.advance(2 * S)
    assert [order.key for order in desk.page.working()] == cloids[:ORDER_QUESTIONS]
    assert all(order.status is OrderStatus.NEW for order in desk.page.working())


async def test_orders_that_a_venue_no_longer_knows_end_a_reconciliation():
    """Each was asked about once; the next reconciliation asks again."""
    desk = Desk()
    cloids = resting(desk, ORDER_QUESTIONS + 1)
    desk.venue.orders_unknown = set(cloids)
    for _ in range(2):
        assert [len((await desk.cycle())[1]) for _ in range(2)] == [ORDER_QUESTIONS, 1]
        desk.clock.advance(30 * S)
    assert len(desk.proven) == 2


async def test_no_such_order_proves_nothing_for_one_that_was_seen():
    """The answer is an old one: the order stays what it is."""
    desk = Desk()
    (cloid,) = resting(desk, 1)
    desk.venue.orders_unknown = {cloid}
    for _ in range(5):
        assert (await desk.cycle())[1] == [cloid]
        desk.clock.advance(30 * S)
    assert desk.page.get(cloid).status is OrderStatus.NEW


async def test_unknown_orders_are_the_resolvers():
    """It knows what proves an absence, and asks already."""
    desk = Desk("X")
    desk.page.mark("X" * 32, OrderStatus.UNKNOWN, now_ns=START_NS)
    desk.clock.advance(60 * S)
    assert (await desk.cycle())[1] == []
    assert desk.resolved == ["X" * 32]


# ------------------------------------------------------------ left to the next


async def test_questions_left_over_for_long_are_told_of():
    """Once, when it has lasted a number of cycles; and again only after all were asked."""
    desk = Desk(*names((CARRIED_CYCLES + 3) * FILL_QUESTIONS))
    told = []
    for _ in range(CARRIED_CYCLES + 2):
        await desk.cycle()
        told.append(len(desk.alerts))
        desk.clock.advance(2 * S)
    assert told == [0] * (CARRIED_CYCLES - 1) + [1] * 3
    assert "is behind" in desk.alerts[0]


async def test_a_reconciliation_is_whole_when_all_was_asked_since_it_began():
    """What was cut into several cycles is proof of the moment at which the first one began."""
    desk = Desk(*names(2 * FILL_QUESTIONS))
    await desk.cycle()
    desk.clock.advance(2 * S)
    desk.reconciler.lost_touch("v")
    began_ns = desk.clock.now_ns()
    desk.clock.advance(S)
    await desk.cycle()
    assert desk.proven == []
    desk.clock.advance(2 * S)
    await desk.cycle()
    assert desk.proven == [began_ns]


async def test_asked_for_by_hand_everything_is_asked():
    """The operator's own reconciliation has no budget."""
    desk = Desk(*names(3 * FILL_QUESTIONS))
    cloids = resting(desk, 3 * ORDER_QUESTIONS)
    await desk.reconciler.whole("v")
    assert sorted(ticker for ticker, _ in desk.venue.asked) == sorted([*names(3 * FILL_QUESTIONS), "X"])
    assert sorted(desk.venue.orders_asked) == cloids
    assert desk.proven == [START_NS + 60 * S]
