from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gateways.paper.matching import Book, MatchKind, Resting
from gateways.standards import ZERO, Level


def resting(order_id, price, quantity, *, is_buy=False, account="maker", reduce_only=False):
    return Resting(
        order_id=order_id,
        account=account,
        is_buy=is_buy,
        price=Decimal(price),
        remaining=Decimal(quantity),
        reduce_only=reduce_only,
    )


def book_of(*orders):
    book = Book()
    for order in orders:
        book.add(order)
    return book


def without_limit(maker):
    return maker.remaining


def take(book, quantity, limit=None, *, account="taker", is_buy=True, allowance=without_limit):
    matches = book.take(
        account,
        is_buy=is_buy,
        limit=None if limit is None else Decimal(limit),
        quantity=Decimal(quantity),
        allowance=allowance,
    )
    return [(match.maker.order_id, match.quantity, match.kind) for match in matches]


def test_the_better_price_goes_first_and_at_one_price_the_older_order():
    """An arriving buy takes the lowest ask first, and within a price whoever rested first."""
    book = book_of(resting(1, "101", 5), resting(2, "100", 2), resting(3, "100", 2))
    assert take(book, 5) == [
        (2, Decimal(2), MatchKind.FILL),
        (3, Decimal(2), MatchKind.FILL),
        (1, Decimal(1), MatchKind.FILL),
    ]
    assert book.levels(is_buy=False, depth=9) == (Level(Decimal(101), Decimal(4)),)


def test_a_limit_stops_the_walk_at_its_price():
    """Nothing worse than the limit is taken, the limit's own price is."""
    book = book_of(resting(1, "100", 1), resting(2, "101", 1), resting(3, "102", 1))
    assert [order_id for order_id, _, _ in take(book, 9, "101")] == [1, 2]
    assert 3 in book


def test_sells_walk_the_bids_from_the_highest():
    """The sides mirror each other."""
    book = book_of(resting(1, "99", 1, is_buy=True), resting(2, "100", 1, is_buy=True))
    assert [order_id for order_id, _, _ in take(book, 2, "99", is_buy=False)] == [2, 1]


def test_an_own_resting_order_is_taken_off_unfilled():
    """An arriving order removes what its own account rests in its way, and goes on to the others."""
    book = book_of(resting(1, "100", 5, account="taker"), resting(2, "100", 5))
    assert take(book, 3) == [(1, ZERO, MatchKind.SELF), (2, Decimal(3), MatchKind.FILL)]
    assert 1 not in book


def test_a_resting_reduce_only_order_fills_its_allowance_asked_when_it_is_reached():
    """The allowance counts at the moment of the match; where it is zero the order leaves the book."""
    book = book_of(resting(1, "100", 5, reduce_only=True), resting(2, "100", 5))
    position = {"maker": Decimal(2)}
    seen = []
    for match in book.take(
        "taker", is_buy=True, limit=None, quantity=Decimal(6), allowance=lambda _: position["maker"]
    ):
        seen.append((match.maker.order_id, match.quantity, match.kind))
        position["maker"] -= match.quantity
    assert seen == [(1, Decimal(2), MatchKind.FILL), (1, ZERO, MatchKind.REDUCE_ONLY), (2, Decimal(4), MatchKind.FILL)]


def test_changes_name_each_changed_level_once_with_what_now_rests_there():
    """Levels that changed and changed back, or went away, are told as they stand; the next call starts afresh."""
    book = book_of(resting(1, "100", 5), resting(2, "101", 5), resting(3, "90", 1, is_buy=True))
    book.take_changes()
    take(book, 6)
    book.add(resting(4, "89", 2, is_buy=True))
    assert book.take_changes() == (
        (Level(Decimal(89), Decimal(2)),),
        (Level(Decimal(100), ZERO), Level(Decimal(101), Decimal(4))),
    )
    assert book.take_changes() == ((), ())


def test_removing_an_order_that_does_not_rest_says_none():
    """Only what rests can be removed, once."""
    book = book_of(resting(1, "100", 5))
    assert book.remove(1) is not None
    assert book.remove(1) is None
    assert book.best(is_buy=False) is None


orders = st.lists(
    st.tuples(st.integers(95, 105), st.integers(1, 9), st.sampled_from(["a", "b", "taker"]), st.booleans()), max_size=25
)


@given(orders, st.integers(95, 105), st.integers(1, 60))
def test_what_is_available_is_what_a_walk_would_fill(rows, limit, quantity):
    """``available`` foretells the walk, own orders and reduce-only allowances included."""
    book = book_of(
        *(
            resting(number, price, size, account=account, reduce_only=reduce_only)
            for number, (price, size, account, reduce_only) in enumerate(rows)
        )
    )
    left = {"a": Decimal(7), "b": Decimal(0), "taker": Decimal(3)}
    found = book.available(
        "taker",
        is_buy=True,
        limit=Decimal(limit),
        enough=Decimal(quantity),
        allowance=lambda maker: left[maker.account],
    )
    filled = ZERO
    for match in book.take(
        "taker",
        is_buy=True,
        limit=Decimal(limit),
        quantity=Decimal(quantity),
        allowance=lambda maker: left[maker.account],
    ):
        filled += match.quantity
        left[match.maker.account] = max(left[match.maker.account] - match.quantity, ZERO)
    assert min(found, Decimal(quantity)) == filled


@given(orders, st.integers(1, 60))
def test_fills_come_in_the_order_of_price_and_then_arrival(rows, quantity):
    """Whatever rests, the walk's fills are sorted by price and then by age, and none is over what rested."""
    sizes = {}
    book = Book()
    for number, (price, size, account, _) in enumerate(rows):
        sizes[number] = Decimal(size)
        book.add(resting(number, price, size, account=account))
    matches = list(book.take("x", is_buy=True, limit=None, quantity=Decimal(quantity), allowance=without_limit))
    keys = [(match.maker.price, match.maker.order_id) for match in matches]
    assert keys == sorted(keys)
    assert all(match.quantity <= sizes[match.maker.order_id] for match in matches)
    assert sum((match.quantity for match in matches), ZERO) == min(sum(sizes.values(), ZERO), Decimal(quantity))
