"""Order books: what they show is what the venue had, or they say that it is not."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.standards import BookUpdate, Level
from oms.order_book import HELD_DELTAS, RESTART_NS, BookChange, OrderBook


def levels(*pairs):
    return tuple(Level(Decimal(str(price)), Decimal(str(quantity))) for price, quantity in pairs)


def snapshot(seq=None, bids=((99, 1), (98, 2)), asks=((101, 1), (102, 2)), ts=0):
    return BookUpdate(
        venue="binance",
        ticker="ETHUSDT",
        bids=levels(*bids),
        asks=levels(*asks),
        snapshot=True,
        last_seq=seq,
        ts_venue_ns=ts,
    )


def delta(first, last, prev, bids=(), asks=(), *, ts=0):
    return BookUpdate(
        venue="binance",
        ticker="ETHUSDT",
        bids=levels(*bids),
        asks=levels(*asks),
        snapshot=False,
        first_seq=first,
        last_seq=last,
        prev_seq=prev,
        ts_venue_ns=ts,
    )


def shown(book):
    return book.bids(100), book.asks(100)


@pytest.fixture
def book():
    book = OrderBook()
    book.apply(snapshot(100), 1)
    return book


def test_a_delta_sets_adds_and_removes_levels(book):
    """Quantities are absolute; zero removes, also what was never there."""
    change = book.apply(delta(101, 105, 100, bids=[(99, 5), ("98.5", 3), (97, 0)], asks=[(101, 0), (103, 4)]), 7)
    assert change is BookChange.APPLIED
    assert shown(book) == (levels((99, 5), ("98.5", 3), (98, 2)), levels((102, 2), (103, 4)))
    assert (book.best_bid(), book.best_ask()) == (levels((99, 5))[0], levels((102, 2))[0])
    assert (book.last_seq, book.ts_recv_ns) == (105, 7)


def test_one_price_spelt_two_ways_is_one_level(book):
    """99 and 99.00 are the same level."""
    book.apply(delta(101, 105, 100, bids=[("99.00", 5)]), 1)
    assert book.bids(5) == levels((99, 5), (98, 2))


def test_depth_is_counted_from_the_best(book):
    """Fewer levels than asked for are all there are; none is none."""
    assert book.bids(1) == levels((99, 1))
    assert book.asks(1) == levels((101, 1))
    assert book.bids(0) == book.asks(0) == ()
    assert (book.bid_at(2), book.ask_at(2)) == (levels((98, 2))[0], levels((102, 2))[0])
    assert (book.bid_at(20), book.ask_at(20)) == (book.bid_at(2), book.ask_at(2))
    empty = OrderBook()
    assert (empty.best_bid(), empty.best_ask(), empty.bid_at(1), empty.ask_at(1)) == (None,) * 4


def test_deltas_wait_for_the_snapshot():
    """What comes before the snapshot is held; then older ones are dropped and the rest is applied."""
    book = OrderBook()
    assert book.out_of_sequence
    assert book.apply(delta(80, 90, 70, bids=[(90, 9)]), 1) is BookChange.HELD
    assert book.apply(delta(95, 104, 90, bids=[(99, 7)]), 2) is BookChange.HELD
    assert book.apply(delta(106, 109, 104, asks=[(101, 8)]), 3) is BookChange.HELD
    assert book.apply(snapshot(100), 4) is BookChange.APPLIED
    assert shown(book) == (levels((99, 7), (98, 2)), levels((101, 8), (102, 2)))
    assert (book.in_sequence, book.last_seq, book.ts_recv_ns) == (True, 109, 4)


def test_the_first_delta_may_span_the_snapshot(book):
    """A delta that reaches from before the snapshot to after it is applied whole, one that ends at it is old."""
    assert book.apply(delta(90, 100, 80, bids=[(50, 1)]), 1) is BookChange.STALE
    assert book.apply(delta(101, 103, 97, bids=[(99, 7)]), 1) is BookChange.APPLIED
    assert book.bids(2) == levels((99, 7), (98, 2))


def test_a_snapshot_older_than_the_deltas_is_not_enough():
    """Deltas that begin after the snapshot stay held until a later snapshot reaches them."""
    book = OrderBook()
    book.apply(delta(111, 115, 110, bids=[(99, 7)]), 1)
    assert book.apply(snapshot(100), 2) is BookChange.HELD
    assert book.out_of_sequence
    assert book.apply(snapshot(112), 3) is BookChange.APPLIED
    assert book.bids(1) == levels((99, 7))


def test_a_gap_is_noticed(book):
    """After a missing delta the book is out of sequence, and stays so however the deltas go on."""
    assert book.apply(delta(106, 109, 105), 1) is BookChange.HELD
    assert book.out_of_sequence
    assert book.apply(delta(110, 112, 109), 1) is BookChange.HELD
    assert book.apply(snapshot(107), 1) is BookChange.APPLIED
    assert (book.in_sequence, book.last_seq) == (True, 112)


def test_a_repetition_changes_nothing(book):
    """A delta that was applied is stale the second time."""
    book.apply(delta(101, 105, 100, bids=[(99, 5)]), 1)
    book.apply(delta(106, 108, 105, bids=[(99, 6)]), 1)
    assert book.apply(delta(101, 105, 100, bids=[(99, 5)]), 1) is BookChange.STALE
    assert book.bids(1) == levels((99, 6))


def test_counted_by_one_without_a_previous_number(book):
    """Where a delta says only its own numbers, the next one is the one after ours."""
    assert book.apply(delta(101, 101, None, bids=[(99, 5)]), 1) is BookChange.APPLIED
    assert book.apply(delta(103, 103, None), 1) is BookChange.HELD
    assert book.out_of_sequence


def test_a_heartbeat_keeps_the_place(book):
    """A delta whose number is the previous one (OKX, while nothing changes) is applied: the book is alive."""
    assert book.apply(delta(None, 100, 100, ts=9), 9) is BookChange.APPLIED
    assert (book.last_seq, book.ts_recv_ns) == (100, 9)


def test_a_crossed_book_is_not_believed(book):
    """Sides that meet mean that something is missing, whatever the numbers say."""
    assert book.apply(delta(101, 105, 100, bids=[(101, 5)]), 1) is BookChange.HELD
    assert book.out_of_sequence
    assert book.apply(snapshot(106, bids=[(103, 1)], asks=[(102, 1)]), 1) is BookChange.HELD
    assert book.apply(snapshot(107), 1) is BookChange.APPLIED


def test_whole_books_replace_each_other_by_time():
    """Without sequence numbers a newer book replaces, an older is ignored."""
    book = OrderBook()
    assert book.apply(snapshot(ts=50), 1) is BookChange.APPLIED
    assert book.apply(snapshot(bids=[(97, 4), (98, 0)], ts=51), 2) is BookChange.APPLIED
    assert book.apply(snapshot(ts=50), 3) is BookChange.STALE
    assert (book.bids(5), book.ts_recv_ns) == (levels((97, 4)), 2)


def test_a_late_snapshot_does_not_turn_a_book_back(book):
    """A snapshot that was overtaken by the stream is ignored."""
    book.apply(delta(101, 105, 100, bids=[(99, 5)]), 1)
    assert book.apply(snapshot(103), 1) is BookChange.STALE
    assert book.bids(1) == levels((99, 5))


def test_a_restarted_count_is_not_taken_for_the_past():
    """When a venue numbers anew, its snapshot is taken, and its deltas ask for one, rather than be ignored forever."""
    book = OrderBook()
    book.apply(snapshot(1_000_000, ts=50), 1)
    assert book.apply(delta(2, 3, 1, ts=51), 1) is BookChange.STALE
    assert book.apply(delta(4, 5, 3, ts=51 + RESTART_NS), 1) is BookChange.HELD
    other = OrderBook()
    other.apply(snapshot(1_000_000, ts=50), 1)
    assert other.apply(snapshot(1, bids=[(97, 1)], ts=51 + RESTART_NS), 1) is BookChange.APPLIED
    assert other.bids(1) == levels((97, 1))


def test_after_an_interruption_only_a_snapshot_counts(book):
    """A reconnect leaves unknown what was missed, even when the next delta happens to fit."""
    book.interrupt()
    assert book.apply(delta(101, 105, 100), 1) is BookChange.HELD
    assert book.out_of_sequence
    assert book.apply(snapshot(104), 1) is BookChange.APPLIED


def test_held_deltas_are_bounded_and_their_loss_is_noticed():
    """Of very many held deltas the oldest fall out; a snapshot from before those is then not enough."""
    book = OrderBook()
    for number in range(HELD_DELTAS + 5):
        book.apply(delta(number + 1, number + 1, number), 1)
    assert book.apply(snapshot(2), 1) is BookChange.HELD
    assert book.apply(snapshot(6), 1) is BookChange.APPLIED
    assert book.last_seq == HELD_DELTAS + 5


# ---------------------------------------------------------- against an oracle

PRICES = [*range(90, 100), *range(101, 111)]  # bids below a hundred, asks above: such a book never crosses


class Venue:
    """A book that changes one level at a time, and the deltas that tell of it, several changes at once."""

    def __init__(self, changes, sizes):
        self.changes = changes
        self.deltas, previous, rest = [], 0, list(changes)
        for size in sizes:
            part, rest = rest[:size], rest[size:]
            if part:
                final = {(price > 100, price): quantity for _seq, price, quantity in part}
                bids, asks = ([(p, q) for (ask, p), q in final.items() if ask is side] for side in (False, True))
                self.deltas.append(delta(part[0][0], part[-1][0], previous, bids, asks))
                previous = part[-1][0]

    def at(self, seq):
        held = {price: quantity for number, price, quantity in self.changes if number <= seq}
        bids = sorted((p for p, q in held.items() if q and p < 100), reverse=True)
        asks = sorted(p for p, q in held.items() if q and p > 100)
        return levels(*((p, held[p]) for p in bids)), levels(*((p, held[p]) for p in asks))

    def snapshot(self, seq):
        bids, asks = self.at(seq)
        return msgspec.structs.replace(snapshot(seq), bids=bids, asks=asks)


@st.composite
def venues(draw):
    steps = draw(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(PRICES), st.integers(0, 3)), max_size=40))
    seq, changes = 0, []
    for step, price, quantity in steps:
        seq += step
        changes.append((seq, price, quantity))
    sizes = draw(st.lists(st.integers(1, 4), min_size=40, max_size=40))
    return Venue(changes, sizes)


@given(venues(), st.data())
def test_the_book_is_the_venues_or_says_that_it_is_not(venue, data):
    """Deltas dropped, doubled and in any order, snapshots of any age in between: a book in sequence is never wrong."""
    messages = data.draw(st.lists(st.sampled_from(venue.deltas), max_size=60)) if venue.deltas else []
    if data.draw(st.booleans()):
        messages.sort(key=lambda one: one.last_seq)
    last = venue.changes[-1][0] if venue.changes else 0
    for seq in data.draw(st.lists(st.integers(0, last), max_size=4)):
        messages.insert(data.draw(st.integers(0, len(messages))), venue.snapshot(seq))
    book = OrderBook()
    for number, message in enumerate(messages):
        book.apply(message, number)
        if book.in_sequence:
            assert shown(book) == venue.at(book.last_seq)


@given(venues(), st.data())
def test_a_whole_stream_with_one_snapshot_ends_in_the_venues_book(venue, data):
    """All deltas in order and a snapshot of any moment, arriving at any later one, give the venue's last book."""
    last = venue.changes[-1][0] if venue.changes else 0
    seq = data.draw(st.integers(0, last))
    messages = list(venue.deltas)
    told = sum(one.last_seq <= seq for one in venue.deltas)
    messages.insert(data.draw(st.integers(told, len(messages))), venue.snapshot(seq))
    book = OrderBook()
    for number, message in enumerate(messages):
        book.apply(message, number)
    assert book.in_sequence
    assert shown(book) == venue.at(last)
