"""The orders page: what each kind of message does to an order, and what nothing may do."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.standards import FillEvent, OrderKind, OrderStatus, OrderUpdate, RejectReason, TimeInForce
from oms.order_status import TRANSITIONS
from oms.orders import Order, OrdersPage, Role

D = Decimal
S = OrderStatus
C = "c" * 32


def page(amount="10", **fields):
    """A page with one order of ours, PENDING."""
    orders = OrdersPage()
    orders.register(
        Order(key=C, cloid=C, venue="v", ticker="X", role=Role.MAKER, amount=D(amount), price=D(100), **fields)
    )
    return orders


def update(status, filled="0", *, oid="1", cloid=C, amount="10", **fields):
    return OrderUpdate(
        venue="v", ticker="X", oid=oid, cloid=cloid, status=status, amount=D(amount), filled=D(filled), **fields
    )


def trade(trade_id, amount, price="100", *, oid="1", cloid=C):
    return FillEvent(venue="v", ticker="X", oid=oid, trade_id=trade_id, amount=D(amount), price=D(price), cloid=cloid)


def now(orders):
    order = orders.get(C)
    return order.status, order.filled


def test_every_status_has_a_row_in_the_transition_table():
    """The table is complete: a status without a row would be a KeyError in front of money."""
    assert set(TRANSITIONS) == set(S)


def test_a_fill_before_the_acknowledgement_finds_its_order():
    """An order is registered before it is sent, so its first news may be a fill."""
    orders = page()
    delta = orders.upsert(trade("t1", "4"), 1)
    assert (delta.last_fill, delta.last_price) == (D(4), D(100))
    assert now(orders) == (S.PARTIAL, D(4))
    assert orders.upsert(update(S.NEW), 2) is None
    assert now(orders) == (S.PARTIAL, D(4))


def test_a_duplicate_changes_nothing():
    """I8: the same message again is no delta, by whichever channel."""
    orders = page()
    orders.upsert(update(S.PARTIAL, "4"), 1)
    assert orders.upsert(update(S.PARTIAL, "4"), 2) is None
    assert orders.upsert(trade("t1", "4"), 3).last_fill == 0  # it tells the average price, and adds nothing
    assert orders.upsert(trade("t1", "4"), 4) is None
    assert now(orders) == (S.PARTIAL, D(4))


def test_filled_is_the_larger_of_the_cumulative_size_and_the_sum_of_trades():
    """Order stream and fill stream may disagree for a while; neither is counted on top of the other."""
    orders = page()
    orders.upsert(trade("t1", "3"), 1)
    orders.upsert(update(S.PARTIAL, "7"), 2)
    assert now(orders) == (S.PARTIAL, D(7))
    orders.upsert(trade("t2", "4"), 3)
    assert now(orders) == (S.PARTIAL, D(7))
    orders.upsert(trade("t3", "1"), 4)
    assert now(orders) == (S.PARTIAL, D(8))


def test_a_smaller_cumulative_size_is_stale():
    """I7: filled never falls."""
    orders = page()
    orders.upsert(update(S.PARTIAL, "7"), 1)
    assert orders.upsert(update(S.PARTIAL, "5"), 2) is None


def test_a_late_fill_grows_a_cancelled_order():
    """I4: a terminal order may still grow, and that is a delta."""
    orders = page()
    orders.upsert(update(S.CANCELLED, "2"), 1)
    delta = orders.upsert(trade("t1", "2"), 2)
    assert delta is None or delta.last_fill == 0
    delta = orders.upsert(trade("t2", "3"), 3)
    assert delta.last_fill == D(3)
    assert now(orders) == (S.CANCELLED, D(5))
    orders.upsert(trade("t3", "5"), 4)
    assert now(orders) == (S.FILLED, D(10))


def test_a_cancel_is_not_undone_by_news_that_crossed_it():
    """While a cancel is pending an older NEW or PARTIAL changes sizes, not the status."""
    orders = page()
    orders.upsert(update(S.NEW), 1)
    orders.mark(C, S.CANCEL_PENDING, now_ns=2)
    assert orders.upsert(update(S.PARTIAL, "1"), 3).after.status is S.CANCEL_PENDING
    orders.upsert(update(S.CANCELLED, "1"), 4)
    assert now(orders) == (S.CANCELLED, D(1))


def test_evidence_of_life_beats_a_refusal():
    """An order that we thought refused or unknown, and that the venue shows, lives."""
    orders = page()
    orders.mark(C, S.REJECTED, now_ns=1, reason=RejectReason.OTHER)
    orders.upsert(update(S.NEW), 2)
    assert now(orders) == (S.NEW, D(0))


def test_a_local_refusal_never_ends_an_order_that_a_venue_has_spoken_for():
    """A reply that comes late, or is lost, does not overwrite what the stream said."""
    orders = page()
    orders.upsert(update(S.NEW), 1)
    assert orders.mark(C, S.UNKNOWN, now_ns=2) is None
    assert orders.mark(C, S.REJECTED, now_ns=2) is None
    assert now(orders) == (S.NEW, D(0))


def test_an_amend_that_makes_a_new_oid_carries_the_filled_size_over():
    """The old id's end, before or after the new id's start, does not end the order; both ids' fills count."""
    for end_first in (True, False):
        orders = page()
        orders.upsert(update(S.PARTIAL, "2", oid="1"), 1)
        orders.amending(C)
        news = [update(S.CANCELLED, "2", oid="1"), update(S.NEW, "0", oid="2", amount="4")]
        for message in news if end_first else reversed(news):
            orders.upsert(message, 2)
        orders.amended(C, now_ns=3)
        order = orders.get(C)
        assert (order.status, order.filled, order.amount, order.oid) == (S.PARTIAL, D(2), D(6), "2")
        orders.upsert(trade("t9", "1", oid="1"), 4)
        orders.upsert(update(S.PARTIAL, "2", oid="2", amount="4"), 5)
        assert orders.get(C).filled == D(4)


def test_a_cancel_during_an_amend_that_came_to_nothing_takes_effect_when_the_amend_is_over():
    """The end of an id that was not replaced is real."""
    orders = page()
    orders.upsert(update(S.NEW), 1)
    orders.amending(C)
    orders.upsert(update(S.CANCELLED), 2)
    assert now(orders) == (S.NEW, D(0))
    assert orders.amended(C, now_ns=3).after.status is S.CANCELLED


def test_a_refused_replacement_ends_what_is_left_of_an_order_that_traded():
    """A venue that amends by cancel and replace may refuse the new one: the rest is gone, the fills stay."""
    orders = page()
    orders.upsert(update(S.NEW), 1)
    orders.upsert(trade("t1", "4"), 2)
    orders.upsert(update(S.REJECTED, oid="2", amount="6", reason=RejectReason.POST_ONLY), 3)
    assert now(orders) == (S.CANCELLED, D(4))
    assert orders.get(C).reason is RejectReason.POST_ONLY
    assert orders.working() == []


def test_an_amend_in_place_changes_the_total():
    """A venue that keeps the id states the new total size."""
    orders = page()
    orders.upsert(update(S.PARTIAL, "2"), 1)
    orders.upsert(update(S.PARTIAL, "2", amount="6", price=D(101)), 2)
    order = orders.get(C)
    assert (order.amount, order.price, order.filled) == (D(6), D(101), D(2))


@pytest.mark.parametrize(
    ("kind", "tif", "status"),
    [
        (OrderKind.LIMIT, TimeInForce.GTC, S.PARTIAL),
        (OrderKind.LIMIT, TimeInForce.IOC, S.EXPIRED),
        (OrderKind.MARKET, TimeInForce.GTC, S.EXPIRED),
    ],
)
def test_filled_said_of_a_part_means_that_the_rest_rests_or_died(kind, tif, status):
    """Hyperliquid says `filled` of what traded at once; the order's own terms tell the rest."""
    orders = page(kind=kind, tif=tif)
    orders.upsert(update(S.FILLED, "4"), 1)
    assert now(orders) == (status, D(4))


def test_an_unknown_status_still_counts_its_fill():
    """A status that we cannot read changes no status; the larger cumulative size counts."""
    orders = page()
    orders.upsert(update(None, "3"), 1)
    assert now(orders) == (S.PARTIAL, D(3))


def test_fills_that_name_only_an_oid_wait_for_the_order_that_has_it():
    """A fill without a client id that outruns the acknowledgement is not lost."""
    orders = page()
    assert orders.upsert(trade("t1", "4", cloid=None), 1) is None
    delta = orders.upsert(update(S.NEW), 2)
    assert (delta.last_fill, delta.after.status) == (D(4), S.PARTIAL)


def test_orders_of_others_are_adopted_as_external():
    """An order without one of our ids is shown, and has the role that opens no obligation."""
    orders = OrdersPage()
    delta = orders.upsert(update(S.NEW, oid="77", cloid=None), 1)
    assert (delta.after.key, delta.after.role) == ("v:X:77", Role.EXTERNAL)
    assert orders.by_oid("v", "X", "77").key == "v:X:77"


@pytest.mark.parametrize("first", ["X", "Y"])
def test_a_venue_order_id_is_that_of_one_contract(first):
    """Binance counts its ids anew in each contract: a fill that names the id alone is of its own contract's order."""
    orders = OrdersPage()
    for ticker in ("X", "Y"):
        placed = Order(key=ticker, cloid=ticker, venue="v", ticker=ticker, role=Role.MAKER, amount=D(10))
        orders.register(placed)
    early = FillEvent(venue="v", ticker="Y", oid="77", trade_id="t0", amount=D(1), price=D(100))
    assert orders.upsert(early, 1) is None
    for ticker in sorted(("X", "Y"), key=lambda each: each != first):
        orders.upsert(OrderUpdate(venue="v", ticker=ticker, oid="77", cloid=ticker, status=S.NEW, amount=D(10)), 2)
    assert (orders.get("X").filled, orders.get("Y").filled) == (D(0), D(1))
    late = FillEvent(venue="v", ticker="X", oid="77", trade_id="t1", amount=D(4), price=D(100))
    assert orders.upsert(late, 3).after.key == "X"
    assert (orders.counted(late), orders.counted(early)) == (True, True)
    assert orders.whose(early).key == "Y"
    strange = OrderUpdate(venue="v", ticker="Z", oid="77", status=S.PARTIAL, amount=D(9), filled=D(9))
    assert orders.upsert(strange, 4).after.role is Role.EXTERNAL
    assert [orders.get(key).filled for key in ("X", "Y", "v:Z:77")] == [D(4), D(1), D(9)]


def test_an_id_is_never_used_twice():
    """Registering a taken id is refused: it would mix two orders' fills."""
    orders = page()
    with pytest.raises(ValueError, match="already in use"):
        orders.register(orders.get(C))


messages = st.lists(
    st.one_of(
        st.tuples(st.just("cum"), st.sampled_from(["1", "2"]), st.integers(0, 10)),
        st.tuples(st.just("trade"), st.sampled_from(["1", "2"]), st.integers(1, 6)),
        st.tuples(st.just("end"), st.sampled_from(["1", "2"]), st.integers(0, 10)),
    ),
    min_size=1,
    max_size=12,
)


def played(history):
    orders = page("1000")
    for kind, oid, number in history:
        before = orders.get(C).filled
        if kind == "trade":
            delta = orders.upsert(trade(f"t{number}", number, oid=oid), 1)
        else:
            status = S.CANCELLED if kind == "end" else S.PARTIAL if number else S.NEW
            delta = orders.upsert(update(status, number, oid=oid, amount="500"), 1)
        after = orders.get(C).filled
        assert after >= before, "I7: filled never falls"
        assert (delta.last_fill if delta else 0) == after - before, "every growth is a delta"
    return orders.get(C)


@settings(max_examples=300, deadline=None)
@given(messages, st.randoms(use_true_random=False))
def test_any_order_and_repetition_of_messages_gives_the_same_filled_size(history, random):
    """I7, I8: two venue ids, both channels, ends included: shuffled and repeated, the same filled size."""
    shuffled = history + history
    random.shuffle(shuffled)
    assert played(history).filled == played(shuffled).filled


@settings(max_examples=200, deadline=None)
@given(messages)
def test_a_second_pass_over_the_same_messages_changes_nothing(history):
    """I8: what was said once says nothing new the second time."""
    once, twice = played(history), played(history + history)
    assert (once.filled, once.average_price, once.amount) == (twice.filled, twice.average_price, twice.amount)
