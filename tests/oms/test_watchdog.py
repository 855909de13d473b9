"""The watchdog of the private streams: what proves that an open stream is deaf, and what does not."""

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.standards import FillEvent, OrderUpdate, PositionUpdate
from oms.watchdog import FIRST_PAUSE_S, LONGEST_PAUSE_S, SKEW_NS, PrivateWatch
from tests.oms.stub_venue import desk, virtual

D = Decimal
S = 1_000_000_000
OPENED = 1_000 * S
LATER = OPENED + SKEW_NS + 1
FILL = FillEvent(venue="a", ticker="X", oid="1", trade_id="9", amount=D(1), price=D(5))
ORDER = OrderUpdate(venue="a", ticker="X", oid="1")
POSITION = PositionUpdate(venue="a", ticker="X", amount=D(1))
FILL_ITEM, ORDER_ITEM = ("fill", "1", "9"), ("order", "1", "")


@pytest.fixture
def watch():
    """An open stream's watch, with a patience of 5 s."""
    made = PrivateWatch(5.0)
    made.opened(OPENED)
    return made


def test_news_that_the_stream_does_not_bring_in_time_is_overdue(watch):
    """Not before the patience is over: it may have crossed the question."""
    watch.told(FILL_ITEM, LATER, now_ns=0)
    assert watch.overdue(5 * S - 1) == []
    assert watch.overdue(5 * S) == [FILL_ITEM]
    assert watch.due_ns() == 5 * S


@pytest.mark.parametrize(("item", "event"), [(FILL_ITEM, FILL), (ORDER_ITEM, FILL), (ORDER_ITEM, ORDER)])
def test_what_the_stream_brings_after_all_is_not_owed(watch, item, event):
    """An order's state is brought by its own message or by a trade of it."""
    watch.told(item, LATER, now_ns=0)
    watch.heard(event)
    assert watch.due_ns() is None
    assert watch.overdue(100 * S) == []


def test_an_order_message_does_not_bring_a_trade(watch):
    """Where trades have a channel of their own it may be silent alone."""
    watch.told(FILL_ITEM, LATER, now_ns=0)
    watch.heard(ORDER)
    assert watch.overdue(5 * S) == [FILL_ITEM]


@pytest.mark.parametrize("ts_venue_ns", [0, OPENED - 1, OPENED + SKEW_NS])
def test_what_may_be_from_before_the_opening_is_not_owed(watch, ts_venue_ns):
    """The gap before a connection is the reconciliation's to fill, and an undated word proves nothing."""
    watch.told(FILL_ITEM, ts_venue_ns, now_ns=0)
    assert watch.due_ns() is None


def test_a_stream_that_is_down_owes_nothing(watch):
    """It is known to be down, and opened anew already."""
    watch.told(FILL_ITEM, LATER, now_ns=0)
    watch.lost()
    watch.told(ORDER_ITEM, LATER, now_ns=0)
    assert watch.due_ns() is None


def test_a_position_that_moved_between_two_snapshots_is_owed_unless_the_stream_spoke_of_it(watch):
    """The first snapshot after an opening proves nothing; nor does a move that a fill or a position told."""
    watch.moved(["X"], OPENED + 1, now_ns=0)
    assert watch.due_ns() is None
    for event in (FILL, POSITION):
        watch.heard(event)
        watch.moved(["X"], OPENED + 2, now_ns=0)
        assert watch.due_ns() is None
    watch.moved(["X"], OPENED + 3, now_ns=0)
    assert watch.overdue(5 * S) == [("position", "X", "")]


@given(st.integers(min_value=1, max_value=12))
def test_renewals_without_success_come_ever_more_seldom(times):
    """The pause doubles from the first to the longest, and a stream that speaks of orders starts it anew."""
    watch = PrivateWatch(5.0)
    now, pauses = 0, []
    for _ in range(times):
        watch.opened(OPENED)
        watch.told(FILL_ITEM, LATER, now)
        now = watch.due_ns()
        assert watch.overdue(now - 1) == []
        assert watch.overdue(now) == [FILL_ITEM]
        watch.renewed(now)
        watch.told(ORDER_ITEM, LATER, now - 100 * S)
        pauses.append((watch.due_ns() - now) / S)
    assert pauses == [min(FIRST_PAUSE_S * 2**n, LONGEST_PAUSE_S) for n in range(times)]
    watch.heard(ORDER)
    watch.renewed(now)
    watch.told(FILL_ITEM, LATER, now)
    assert watch.due_ns() == now + FIRST_PAUSE_S * S


def renewals(made):
    return len(made.a.asked("renew_private"))


@virtual
async def test_a_fill_that_only_the_snapshot_tells_of_renews_the_stream_once():
    """It is hedged as soon as the snapshot tells; the stream has its patience, then it is opened anew and alerted."""
    async with desk(refresh_orders_snapshot=2.0, refresh_positions_snapshot=2.0) as made:
        made.a.private(connected=True)
        maker = await made.maker()
        await asyncio.sleep(3)
        made.a.trade(maker, "0.4", tell=())
        await made.until(lambda: made.hedges() == [D("-0.4")], 3)
        assert renewals(made) == 0
        await made.until(lambda: renewals(made), 6)
        assert [one.severity for one in made.alerts if "open and silent" in one.text] == ["error"]
        await asyncio.sleep(120)
        assert renewals(made) == 1


@virtual
async def test_a_stream_that_stays_deaf_is_renewed_at_growing_pauses():
    """Each missed fill proves it deaf anew; the renewals do not become a loop."""
    async with desk(refresh_orders_snapshot=2.0, refresh_positions_snapshot=2.0) as made:
        made.a.private(connected=True)
        maker = await made.maker("100")
        for _ in range(100):
            await asyncio.sleep(6)
            made.a.trade(maker, "1", tell=())
        assert 3 <= renewals(made) <= 6  # after 10 minutes: 0, 30, 90, 210 and 450 s, and the patience before each


@virtual
@pytest.mark.parametrize("tell", [("fill", "order"), ("fill",)])
async def test_a_stream_that_speaks_is_left_alone(tell):
    """What the stream brought is no news when the snapshot tells it too."""
    async with desk(refresh_orders_snapshot=2.0, refresh_positions_snapshot=2.0) as made:
        made.a.private(connected=True)
        made.b.private(connected=True)
        maker = await made.maker()
        for _ in range(3):
            await asyncio.sleep(5)
            made.a.trade(maker, "0.2", tell=tell)
        await asyncio.sleep(60)
        assert renewals(made) == 0
        assert made.b.asked("renew_private") == []


@virtual
async def test_a_position_typed_elsewhere_that_the_stream_does_not_tell_renews_it():
    """A contract without orders of ours is watched by its position alone."""
    async with desk(refresh_orders_snapshot=2.0, refresh_positions_snapshot=2.0) as made:
        made.a.private(connected=True)
        await asyncio.sleep(5)
        made.a.position["X"] = D(3)
        await made.until(lambda: renewals(made), 20)
