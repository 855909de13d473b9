"""A paper book on live data: the venue's depth is what orders take, its tape is what fills those that rest."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.paper.contracts import paper_exchange
from gateways.paper.exchange import NewOrder, Refused, Traded
from gateways.paper.live import DEPTH, LiveBook
from gateways.paper.market import open_house
from gateways.standards import Level, TimeInForce, TradeEvent

D = Decimal
ETH = "ETHUSDT"
BIDS = ((D("99.00"), D(10)), (D("98.00"), D(20)))
ASKS = ((D("101.00"), D(10)), (D("102.00"), D(20)))


class Desk:
    """A live book with a user on it, whose venue is told by hand."""

    def __init__(self, *, shown=True):
        self.exchange = paper_exchange("binance", now_ns=lambda: 1_000, bases=("ETH",))
        open_house(self.exchange)
        self.exchange.open_account("user", D(1_000_000))
        self.book = LiveBook(self.exchange, ETH)
        if shown:
            self.show()

    def show(self, bids=BIDS, asks=ASKS, ts=1):
        self.book.show([Level(*each) for each in bids], [Level(*each) for each in asks], ts)

    def trade(self, amount, price, ts=2):
        """A trade of the venue; ``amount`` is signed by its aggressor. Returns what was printed here for it."""
        self.exchange.drain()
        self.book.trade(
            TradeEvent(venue="v", ticker=ETH, trade_id="1", amount=D(amount), price=D(price), ts_venue_ns=ts)
        )
        return [(each.quantity, each.price) for each in self.exchange.drain() if isinstance(each, Traded)]

    def rest(self, quantity, price, *, buy=True, **fields):
        new = NewOrder(ticker=ETH, is_buy=buy, quantity=D(quantity), price=D(price), **fields)
        return self.exchange.submit("user", new).order_id

    def filled(self, order_id):
        return self.exchange.order("user", ETH, order_id=order_id).filled

    def levels(self):
        book = self.exchange.book(ETH, 10)
        return tuple(map(tuple, book.bids)), tuple(map(tuple, book.asks))


def test_the_book_is_the_venues_own() -> None:
    """Level for level, whatever changes, comes and goes."""
    desk = Desk()
    assert desk.levels() == (BIDS, ASKS)
    bids, asks = ((D("99.50"), D(3)), (D("99.00"), D(1))), ((D("102.00"), D(20)), (D("103.00"), D(5)))
    desk.show(bids, asks)
    assert desk.levels() == (bids, asks)


def test_an_order_that_takes_meets_the_venues_depth_and_what_it_took_stays_taken() -> None:
    """Until the venue tells another quantity at that price."""
    desk = Desk()
    order = desk.rest("15", "102.00", tif=TimeInForce.IOC)
    assert desk.exchange.order("user", ETH, order_id=order).average_price == (10 * 101 + 5 * 102) / D(15)
    desk.show()
    assert desk.levels()[1] == ((D("102.00"), D(15)),)
    desk.show(asks=((D("101.00"), D(9)), ASKS[1]))
    assert desk.levels()[1] == ((D("101.00"), D(9)), (D("102.00"), D(15)))


def test_who_rests_waits_for_those_before_it() -> None:
    """The ten that were shown at its price trade first; then it fills, at most what the tape prints."""
    desk = Desk()
    order = desk.rest("4", "99.00")
    assert desk.trade("-7", "99.00") == [(D(7), D("99.00"))]
    assert desk.filled(order) == 0
    assert desk.trade("-5", "99.00") == [(D(2), D("99.00")), (D(3), D("99.00"))]
    assert desk.filled(order) == 2
    desk.trade("-50", "99.00")
    assert desk.filled(order) == 4


def test_what_joins_later_stands_behind_and_what_leaves_first_left_from_behind() -> None:
    """Ten before us and thirty behind; twenty leave: still ten before us. Then all but four leave: four are."""
    desk = Desk()
    order = desk.rest("1", "99.00")
    desk.show(bids=((D("99.00"), D(40)), BIDS[1]), ts=2)
    desk.show(bids=((D("99.00"), D(20)), BIDS[1]), ts=3)
    desk.trade("-9", "99.00", ts=4)
    assert desk.filled(order) == 0
    desk.show(bids=((D("99.00"), D(4)), BIDS[1]), ts=5)
    desk.trade("-1", "99.00", ts=6)
    assert desk.filled(order) == 0
    desk.trade("-1", "99.00", ts=7)
    assert desk.filled(order) == 1


def test_a_trade_that_the_book_told_before_moves_the_queue_once() -> None:
    """The book shows five after a trade of five of ten; the trade itself, told later, leaves five before us."""
    desk = Desk()
    order = desk.rest("1", "99.00")
    desk.show(bids=((D("99.00"), D(5)), BIDS[1]), ts=10)
    desk.trade("-5", "99.00", ts=9)
    desk.trade("-5", "99.00", ts=11)
    assert desk.filled(order) == 0
    desk.trade("-1", "99.00", ts=12)
    assert desk.filled(order) == 1


def test_a_trade_through_the_price_fills_before_any_other() -> None:
    """Our better price would have been hit first: no queue stands before it, the tape's quantity is the most."""
    desk = Desk()
    best, behind = desk.rest("3", "99.50"), desk.rest("1", "99.00")
    assert desk.trade("-2", "99.00") == [(D(2), D("99.50"))]
    assert (desk.filled(best), desk.filled(behind)) == (2, 0)
    assert desk.trade("-20", "98.00") == [(D(1), D("99.50")), (D(1), D("99.00")), (D(18), D("98.00"))]


def test_the_other_side_is_the_mirror() -> None:
    """A buyer of the venue fills offers, and no bids."""
    desk = Desk()
    bid, offer = desk.rest("1", "99.00"), desk.rest("1", "101.00", buy=False)
    desk.trade("11", "101.00")
    assert (desk.filled(bid), desk.filled(offer)) == (0, 1)


def test_orders_of_ours_at_one_price_do_not_share_a_trade() -> None:
    """The first is filled before the second, and those of the venue before both stand there once."""
    desk = Desk()
    first, second = desk.rest("2", "99.00"), desk.rest("2", "99.00")
    desk.trade("-13", "99.00")
    assert (desk.filled(first), desk.filled(second)) == (2, 1)


def test_an_amend_that_asks_for_more_goes_to_the_end() -> None:
    """As at the venue: a smaller quantity keeps the place, a larger one or another price loses it."""
    desk = Desk()
    order = desk.rest("2", "99.00")
    desk.trade("-10", "99.00")
    desk.exchange.amend("user", ETH, order_id=order, quantity=D(3), price=D("99.00"))
    desk.trade("-10", "99.00")
    assert desk.filled(order) == 0
    desk.trade("-1", "99.00")
    assert desk.filled(order) == 1


def test_a_quote_of_the_venue_through_our_price_trades_with_us() -> None:
    """An offer at or under our bid would have met it."""
    desk = Desk()
    order = desk.rest("4", "99.50")
    desk.show(bids=BIDS[1:], asks=((D("99.40"), D(3)), *ASKS))
    assert desk.filled(order) == 3


def test_nothing_is_known_of_a_price_beyond_what_is_shown() -> None:
    """The queue at such a price is learnt when it comes into view; until then only a trade through it fills."""
    deep = tuple((D("99.00") - D("0.01") * step, D(10)) for step in range(DEPTH))
    desk = Desk()
    desk.show(bids=deep)
    order = desk.rest("1", "97.00")
    desk.trade("-100", "97.00")
    assert desk.filled(order) == 0
    desk.show(bids=((D("97.00"), D(6)),))
    desk.trade("-6", "97.00", ts=3)
    assert desk.filled(order) == 0
    desk.trade("-1", "97.00", ts=3)
    assert desk.filled(order) == 1


def test_without_data_nothing_is_quoted_and_no_order_is_taken() -> None:
    """From the start, and whenever the stream is lost; a cancel is taken, and what rests is there afterwards."""
    desk = Desk(shown=False)
    with pytest.raises(Refused, match="halted"):
        desk.rest("1", "99.00")
    desk.show()
    order, other = desk.rest("1", "99.00"), desk.rest("1", "98.00")
    desk.book.silence()
    assert desk.levels() == (((D("99.00"), D(1)), (D("98.00"), D(1))), ())
    with pytest.raises(Refused, match="halted"):
        desk.rest("1", "99.00")
    desk.exchange.cancel("user", ETH, order_id=other)
    desk.show(ts=3)
    desk.trade("-11", "99.00", ts=4)
    assert desk.filled(order) == 1


def test_a_reduce_only_order_fills_at_most_the_position() -> None:
    """However much the tape prints."""
    desk = Desk()
    desk.rest("2", "101.00", tif=TimeInForce.IOC)
    first = desk.rest("2", "105.00", buy=False, reduce_only=True)
    second = desk.rest("2", "106.00", buy=False, reduce_only=True)
    desk.trade("50", "107.00")
    assert (desk.filled(first), desk.filled(second)) == (2, 0)
    assert desk.exchange.position("user", ETH).amount == 0


_LEVEL = st.integers(1, 30).map(D)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("show"), st.integers(90, 105), st.lists(_LEVEL, min_size=1, max_size=5)),
        st.tuples(st.just("trade"), st.integers(85, 115), st.integers(-40, 40).filter(bool)),
        st.tuples(st.just("rest"), st.integers(85, 115), st.integers(-9, 9).filter(bool)),
    ),
    max_size=30,
)


@given(_STEPS)
def test_fills_never_exceed_the_tape_and_no_money_is_made(steps) -> None:
    """What rests fills by trades at or through its price alone, each at most once; money is neither made nor lost."""
    desk = Desk()
    money = desk.exchange.money()
    for clock, (what, price, value) in enumerate(steps, 2):
        before = sum(fill.quantity for fill in desk.exchange.fills("user"))
        match what:
            case "show":
                bids = [(D(price - step), quantity) for step, quantity in enumerate(value)]
                asks = [(D(price + 1 + step), quantity) for step, quantity in enumerate(value)]
                desk.show(bids, asks, ts=clock)
            case "rest":
                with contextlib.suppress(Refused):  # beyond the price band
                    desk.rest(abs(value), price, buy=value > 0)
            case "trade":
                printed = desk.trade(value, price, ts=clock)
                assert sum(quantity for quantity, _ in printed) == abs(value)
                assert sum(fill.quantity for fill in desk.exchange.fills("user")) - before <= abs(value)
        bid, ask = desk.exchange.best(ETH)
        assert bid is None or ask is None or bid.price < ask.price
    assert desk.exchange.money() == money
