"""The plan of a reconciliation: what a snapshot asks for, and whose turn it is."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.standards import OrderStatus, OrderUpdate
from oms.orders import Order, OrdersPage, Role
from oms.reconcile import IDLE_NS, LATE_NS, OVERLAP_NS, QUIET_NS, FillQuestions, Turns, last_heard, plan

S = 1_000_000_000
NOW_NS = 1_000 * S


def order(key, *, venue="v", ticker="X", status=OrderStatus.NEW, heard_ns=0, oid=None):
    return Order(
        key=key, venue=venue, ticker=ticker, role=Role.MAKER, amount=Decimal(1), cloid=key, oid=oid, status=status,
        ts_created_ns=0, ts_recv_ns=heard_ns,
    )  # fmt: skip


def report(cloid=None, oid=None):
    return OrderUpdate(venue="v", ticker="X", cloid=cloid, oid=oid, status=OrderStatus.NEW)


def test_a_quiet_order_that_a_snapshot_lacks_is_asked_about():
    """Not one that it names by either id, one that had news lately, nor one that is not answered yet."""
    mirror = [
        order("missing"),
        order("named"),
        order("by oid", oid="7"),
        order("by that of another contract", oid="7", ticker="Y"),
        order("lately", heard_ns=NOW_NS - QUIET_NS + 1),
        order("entered", status=OrderStatus.PENDING),
    ]
    snapshot = [report("named"), report(oid="7"), report("unheard of")]
    made = plan(snapshot, mirror, asked_ns=NOW_NS)
    assert (made.upserts, made.queries) == (tuple(snapshot), ("missing", "by that of another contract"))


def test_contracts_are_heard_of_by_our_orders_there():
    """The latest news of any; now where one can still trade; neither other venues nor strangers count."""
    orders = [
        order("1", status=OrderStatus.FILLED, heard_ns=5),
        order("2", status=OrderStatus.CANCELLED, heard_ns=9),
        order("3", ticker="Y", heard_ns=5),
        order("4", ticker="Z", venue="w"),
        order("", ticker="Z"),
    ]
    assert last_heard(orders, {}, "v", NOW_NS) == {"X": 9, "Y": NOW_NS}
    away = {("v", "X"): 7, ("v", "V"): 3, ("w", "V"): 8}
    assert last_heard(orders, away, "v", NOW_NS) == {"X": 9, "Y": NOW_NS, "V": 3}, "those put away count as well"


def test_fills_are_due_while_they_can_come_after_a_loss_and_now_and_then():
    """A contract whose last question came late enough after its orders' last news rests until one of these."""
    questions = FillQuestions(since_ns=NOW_NS)
    assert questions.due({"X": 0}, NOW_NS) == ["X"]
    assert questions.since("X") == NOW_NS - OVERLAP_NS
    questions.answered("X", NOW_NS)
    assert questions.due({"X": NOW_NS - LATE_NS}, NOW_NS + S) == ["X"]
    quiet = {"X": NOW_NS - LATE_NS - 1}
    assert questions.due(quiet, NOW_NS + IDLE_NS - 1) == []
    assert questions.due(quiet, NOW_NS + IDLE_NS) == ["X"]
    questions.lost_touch(NOW_NS + S)
    assert questions.due(quiet, NOW_NS + S) == ["X"]
    questions.answered("X", NOW_NS + 2 * S)
    assert questions.due(quiet, NOW_NS + 2 * S) == []
    assert questions.since("X") == NOW_NS + 2 * S - OVERLAP_NS


@given(st.lists(st.tuples(st.integers(1, 900), st.booleans()), max_size=20), st.integers(0, 5_000))
def test_no_moment_is_left_out_of_what_is_asked_for(pauses, news_s):
    """Whichever questions are skipped, fail or come late: those answered reach back to the last one answered."""
    questions = FillQuestions(since_ns=NOW_NS)
    now_ns = asked_until_ns = NOW_NS
    for pause, answered in pauses:
        now_ns += pause * S
        if questions.due({"X": NOW_NS + news_s * S}, now_ns):
            assert questions.since("X") <= asked_until_ns
            if answered:
                questions.answered("X", now_ns)
                asked_until_ns = now_ns
        else:
            assert now_ns - asked_until_ns < IDLE_NS


@given(st.integers(1, 40), st.integers(1, 15), st.sets(st.integers(0, 39)))
def test_everybody_has_a_turn_whoever_does_not_answer(count, most, silent):
    """After as many cycles as it takes, each was asked; and nobody twice more than another."""
    turns, asked = Turns(), dict.fromkeys(map(str, range(count)), 0)
    for cycle in range(3 * -(-count // most)):
        for name in turns.waiting(asked)[:most]:
            turns.asked(name)
            asked[name] += 1
            if int(name) not in silent:
                turns.answered(name, cycle)
        assert max(asked.values()) - min(asked.values()) <= 1
    assert min(asked.values()) >= 3


def test_who_was_answered_for_waits_for_the_next_reconciliation():
    """And whoever is not wanted for a while begins anew."""
    turns = Turns()
    turns.asked("a")
    turns.answered("a", 10)
    turns.asked("b")
    assert turns.waiting(["a", "b", "c"], began_ns=10) == ["c", "b"]
    assert turns.waiting(["a", "b", "c"], began_ns=11) == ["c", "a", "b"]
    assert turns.waiting(["b"], began_ns=11) == ["b"]
    assert turns.waiting(["a", "b"], began_ns=10) == ["a", "b"]


# -------------------------------------------------------- answers that are old


class Resting:
    """One order at a venue, and all that could ever be answered of it. ``keeps``: an amend keeps its oid."""

    def __init__(self, *, keeps):
        self.keeps = keeps
        self.said = OrderUpdate(
            venue="v", ticker="X", cloid="c", oid="1", status=OrderStatus.NEW, amount=Decimal(100), price=Decimal(10),
            filled=Decimal(0), ts_venue_ns=S,
        )  # fmt: skip
        self.past = [self.said]

    def changes(self, **fields):
        self.said = msgspec.structs.replace(self.said, ts_venue_ns=self.said.ts_venue_ns + S, **fields)
        self.past.append(self.said)

    def act(self, act, size):
        said = self.said
        if act == "trade":
            filled = said.filled + size
            average = (said.filled * (said.average_price or 0) + size * (10 + size)) / filled
            self.changes(filled=filled, average_price=average, status=OrderStatus.PARTIAL)
        elif act == "amend" and self.keeps:
            self.changes(amount=said.filled + 50 + size, price=Decimal(10 + size))
        elif act == "amend":
            self.changes(
                oid=str(int(said.oid) + 1), amount=Decimal(50 + size), price=Decimal(10 + size), filled=Decimal(0),
                average_price=None, status=OrderStatus.NEW,
            )  # fmt: skip


@pytest.mark.parametrize("keeps", [True, False], ids=["amended in place", "replaced"])
@given(
    st.lists(st.tuples(st.sampled_from(["trade", "amend"]), st.integers(1, 5)), max_size=8),
    st.booleans(),
    st.lists(st.integers(0, 9), max_size=10),
)
def test_an_old_answer_changes_nothing_of_an_order(keeps, acts, cancelled, old):
    """Whatever an order was before, among the open orders or asked for by itself: nothing falls, nothing reopens."""
    page, venue = OrdersPage(), Resting(keeps=keeps)
    page.register(order("c", status=OrderStatus.PENDING))
    for act, size in acts:
        venue.act(act, size)
    if cancelled:
        venue.changes(status=OrderStatus.CANCELLED)
    for said in venue.past:
        page.upsert(said, NOW_NS)
    known = page.get("c")
    for index in old:
        assert page.upsert(venue.past[index % len(venue.past)], NOW_NS + S) is None
    assert page.get("c") == known
    assert known.status is OrderStatus.CANCELLED or not cancelled
