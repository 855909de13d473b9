"""The plan of a reconciliation: what a snapshot asks for, and whose turn it is."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gateways.standards import OrderStatus, OrderUpdate
from oms.orders import Order, Role
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
        order("lately", heard_ns=NOW_NS - QUIET_NS + 1),
        order("entered", status=OrderStatus.PENDING),
    ]
    snapshot = [report("named"), report(oid="7"), report("unheard of")]
    made = plan(snapshot, mirror, asked_ns=NOW_NS)
    assert (made.upserts, made.queries) == (tuple(snapshot), ("missing",))


def test_contracts_are_heard_of_by_our_orders_there():
    """The latest news of any; now where one can still trade; neither other venues nor strangers count."""
    orders = [
        order("1", status=OrderStatus.FILLED, heard_ns=5),
        order("2", status=OrderStatus.CANCELLED, heard_ns=9),
        order("3", ticker="Y", heard_ns=5),
        order("4", ticker="Z", venue="w"),
        order("", ticker="Z"),
    ]
    assert last_heard(orders, "v", NOW_NS) == {"X": 9, "Y": NOW_NS}


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
