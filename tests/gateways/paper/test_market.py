from decimal import Decimal

import pytest

from gateways.contracts import is_multiple, is_on_tick
from gateways.paper.contracts import RULES, paper_exchange
from gateways.paper.exchange import NewOrder, Traded
from gateways.paper.market import START_PRICES, STEP_NS, WALKING, Market, open_house
from gateways.standards import OrderStatus

D = Decimal
BOOKS = [
    (kind, contract.ticker) for kind, rules in RULES.items() for contract in rules.contracts if contract.base in WALKING
]


class World:
    """All venues, their market and a user with money, at a time that only steps move."""

    def __init__(self, seed):
        self.now = 10**18
        self.exchanges = {kind: paper_exchange(kind, now_ns=lambda: self.now, bases=WALKING) for kind in RULES}
        for exchange in self.exchanges.values():
            open_house(exchange)
            exchange.open_account("user", D(1_000_000))
        self.market = Market(self.exchanges, seed=seed)

    def step(self):
        self.now += STEP_NS
        self.market.step()
        return {kind: exchange.drain() for kind, exchange in self.exchanges.items()}


def test_the_same_seed_makes_the_same_market_and_another_seed_another():
    """Every quote and trade of a hundred steps is equal for a seed; a different seed differs."""
    first, again, other = ([world.step() for _ in range(100)] for world in (World(7), World(7), World(8)))
    assert first == again
    assert first != other


def test_the_shared_price_does_not_depend_on_what_users_do():
    """A user who sweeps the books does not change the walk."""
    quiet, busy = World(7), World(7)
    for _ in range(50):
        quiet.step()
        busy.exchanges["binance"].submit("user", NewOrder(ticker="ETHUSDT", is_buy=True, quantity=D(10)))
        busy.step()
    assert [quiet.market.price(base) for base in WALKING] == [busy.market.price(base) for base in WALKING]


def test_every_book_is_deep_on_ticks_and_lots_and_its_best_level_takes_a_small_order_whole():
    """Twenty levels a side, prices and sizes as the venue publishes them, at least 2,000 in value at the best."""
    world = World(3)
    for _ in range(200):
        world.step()
        for kind, ticker in BOOKS:
            exchange = world.exchanges[kind]
            contract = exchange.contracts[ticker]
            book = exchange.book(ticker, 50)
            for levels in (book.bids, book.asks):
                assert len(levels) >= 20
                assert all(is_on_tick(contract, level.price) for level in levels)
                assert all(is_multiple(level.quantity, contract.lot_size) for level in levels)
                assert levels[0].price * levels[0].quantity >= 2_000
            assert book.bids[0].price < book.asks[0].price


def test_best_prices_mostly_stand_still_for_several_steps():
    """A price read from the book a moment ago is nearly always still there: under one change in four steps."""
    world = World(5)
    last, changes = {}, 0
    for _ in range(400):
        world.step()
        for kind, ticker in BOOKS:
            best = tuple(level.price for level in world.exchanges[kind].best(ticker))
            changes += best != last.get((kind, ticker), best)
            last[kind, ticker] = best
    assert 0 < changes < 400 * len(BOOKS) / 4


def test_the_venues_move_together_with_a_small_changing_basis():
    """Two venues' middles stay within ten basis points of each other, and are not always equally far apart."""
    world = World(11)
    gaps = set()
    for _ in range(400):
        world.step()
        one, other = world.exchanges["binance"].mark("ETHUSDT"), world.exchanges["hyperliquid"].mark("ETH")
        gaps.add(round((one / other - 1) * 10_000, 1))
    assert max(map(abs, gaps)) < 10
    assert len(gaps) > 3


def test_quotes_follow_the_mark_which_users_do_not_move():
    """A book's middle stays within three basis points of its mark; a user's order inside the spread leaves the mark."""
    world = World(12)
    for _ in range(1_000):
        world.step()
        for kind, ticker in BOOKS:
            bid, ask = world.exchanges[kind].best(ticker)
            assert abs((bid.price + ask.price) / 2 / world.exchanges[kind].mark(ticker) - 1) < D("0.0003")
    exchange = world.exchanges["binance"]
    mark, bid = exchange.mark("BTCUSDT"), exchange.best("BTCUSDT")[0]
    exchange.submit("user", NewOrder(ticker="BTCUSDT", is_buy=True, quantity=D(1), price=bid.price + D("0.1")))
    assert exchange.best("BTCUSDT")[0].price > bid.price
    assert exchange.mark("BTCUSDT") == mark


def test_aggressors_of_both_sides_come_several_times_a_second():
    """In twenty seconds of market every book has trades of buyers and of sellers."""
    world = World(2)
    sides = {book: set() for book in BOOKS}
    trades = 0
    for _ in range(400):
        for kind, happenings in world.step().items():
            for each in happenings:
                if isinstance(each, Traded):
                    sides[kind, each.ticker].add(each.buyer_is_maker)
                    trades += 1
    assert all(both == {True, False} for both in sides.values())
    assert 20 * 3 < trades < 20 * 20 * len(RULES)


@pytest.mark.parametrize("is_buy", [True, False])
def test_what_a_user_rests_at_the_best_price_gets_filled_as_a_maker(is_buy):
    """A post-only order at the touch, renewed there whenever the price left it, is filled within a minute."""
    world = World(9)
    exchange = world.exchanges["hyperliquid"]
    resting = None
    for number in range(1_200):
        if number % 40 == 0 and (
            resting is None or not exchange.order("user", "SOL", order_id=resting).status.terminal
        ):
            exchange.cancel_all("user")
            touch = exchange.best("SOL")[0 if is_buy else 1]
            new = NewOrder(ticker="SOL", is_buy=is_buy, quantity=D(3), price=touch.price, post_only=True)
            resting = exchange.submit("user", new).order_id
        world.step()
        if exchange.order("user", "SOL", order_id=resting).status is OrderStatus.FILLED:
            break
    fills = exchange.fills("user")
    assert sum(fill.quantity for fill in fills if fill.order_id == resting) == 3
    assert all(fill.is_maker for fill in fills)


def test_a_swept_book_is_there_again_after_a_step():
    """Whatever a user takes, the next step quotes anew, and money is conserved throughout."""
    world = World(4)
    exchange = world.exchanges["binance"]
    money = exchange.money()
    swept = exchange.submit("user", NewOrder(ticker="SOLUSDT", is_buy=True, quantity=D(2_000)))
    assert swept.filled == 2_000
    world.step()
    assert len(exchange.book("SOLUSDT", 50).asks) >= 20
    assert exchange.money() == money


def test_prices_start_where_they_are_said_to():
    """The first middle of each book is within ten basis points of its starting price."""
    world = World(1)
    for kind, ticker in BOOKS:
        exchange = world.exchanges[kind]
        start = START_PRICES[exchange.contracts[ticker].base]
        assert abs(exchange.mark(ticker) / start - 1) < D("0.001")
