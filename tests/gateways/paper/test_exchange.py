from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.paper.contracts import paper_exchange
from gateways.paper.exchange import (
    BalanceChanged,
    BookChanged,
    NewOrder,
    OrderChanged,
    PositionChanged,
    Refused,
    Traded,
)
from gateways.standards import ZERO, OrderStatus, RejectReason, TimeInForce

D = Decimal
ETH = "ETHUSDT"


class Clock:
    def __init__(self):
        self.now = 1_000

    def __call__(self):
        self.now += 1
        return self.now


@pytest.fixture
def exchange():
    made = paper_exchange("binance", now_ns=Clock())
    for account in ("alice", "bob"):
        made.open_account(account, D(1_000_000))
    made.open_account("house", ZERO, house=True)
    made.drain()
    return made


def order(quantity, price=None, *, buy=True, ticker=ETH, **rest):
    return NewOrder(ticker=ticker, is_buy=buy, quantity=D(quantity), price=None if price is None else D(price), **rest)


def refusal(call, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    return caught.value.reason


def named(happenings):
    return [
        f"{each.order.account} {each.event}" if isinstance(each, OrderChanged) else type(each).__name__
        for each in happenings
    ]


def test_a_fill_is_told_to_maker_then_taker_then_the_public(exchange):
    """For each account the money, the position, then the order; then the trade; the book's changes last."""
    exchange.submit("alice", order("1", "2700", buy=False))
    exchange.drain()
    taken = exchange.submit("bob", order("0.4"))
    assert taken.status is OrderStatus.FILLED
    happenings = exchange.drain()
    assert named(happenings) == [
        "bob NEW",
        "BalanceChanged",
        "PositionChanged",
        "alice TRADE",
        "BalanceChanged",
        "PositionChanged",
        "bob TRADE",
        "Traded",
        "BookChanged",
    ]
    maker, taker = (each.fill for each in happenings if isinstance(each, OrderChanged) and each.fill)
    assert (maker.is_maker, maker.fee, maker.trade_id) == (True, D("0.21600000"), taker.trade_id)
    assert (taker.is_maker, taker.fee, taker.start_position) == (False, D("0.54000000"), ZERO)
    assert exchange.position("alice", ETH).amount == D("-0.4")
    assert exchange.balance("bob").wallet == D(1_000_000) - D("0.54")
    assert exchange.drain() == []


def test_the_house_trades_without_news_of_its_own(exchange):
    """The market's own accounts fill users' orders and are told of nothing."""
    exchange.submit("house", order("1", "2700", buy=False))
    exchange.submit("bob", order("0.4"))
    told = exchange.drain()
    assert {each.order.account for each in told if isinstance(each, OrderChanged)} == {"bob"}
    assert {each.balance.account for each in told if isinstance(each, BalanceChanged)} == {"bob"}
    assert {each.position.account for each in told if isinstance(each, PositionChanged)} == {"bob"}


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (order("0.0005", "2700"), RejectReason.LOT),
        (order("1.0005", "2700"), RejectReason.LOT),
        (order("10001", "2700"), RejectReason.LOT),
        (order("2001"), RejectReason.LOT),
        (order("1", "2700.005"), RejectReason.TICK),
        (order("0.007", "2700"), RejectReason.MIN_NOTIONAL),
        (order("0.007"), RejectReason.MIN_NOTIONAL),
        (order("1", "2836"), RejectReason.PRICE_BAND),
        (order("1", "2564", buy=False), RejectReason.PRICE_BAND),
        (order("1", "2700", reduce_only=True), RejectReason.REDUCE_ONLY),
        (order("4000", "2700"), RejectReason.MARGIN),
        (order("1", "2700", ticker="NOPE"), RejectReason.BAD_REQUEST),
        (order("1", "2700", post_only=True, tif=TimeInForce.IOC), RejectReason.BAD_REQUEST),
    ],
)
def test_what_the_contract_or_the_account_does_not_allow_is_refused_without_a_trace(exchange, new, reason):
    """Each filter has its reason, and a refused order leaves nothing behind."""
    exchange.set_mark(ETH, D(2700))
    exchange.submit("house", order("5", "2701", buy=False))
    exchange.drain()
    assert refusal(exchange.submit, "alice", new) is reason
    assert exchange.orders("alice") == []
    assert exchange.drain() == []


def test_a_price_far_on_the_passive_side_is_inside_the_band(exchange):
    """The band bounds only what would pay too much."""
    exchange.set_mark(ETH, D(2700))
    assert exchange.submit("alice", order("1", "1000")).status is OrderStatus.NEW


def test_an_open_client_id_is_not_taken_twice_a_closed_one_is(exchange):
    """Client ids are unique among open orders; by client id the latest order is found."""
    first = exchange.submit("alice", order("1", "2700", client_id="c"))
    assert refusal(exchange.submit, "alice", order("1", "2600", client_id="c")) is RejectReason.DUPLICATE_CLOID
    exchange.cancel("alice", ETH, client_id="c")
    assert exchange.order("alice", ETH, client_id="c").order_id == first.order_id
    second = exchange.submit("alice", order("1", "2600", client_id="c"))
    assert exchange.order("alice", ETH, client_id="c").order_id == second.order_id
    assert exchange.order("bob", ETH, client_id="c") is None
    assert exchange.order("alice", "BTCUSDT", order_id=first.order_id) is None


def test_a_halted_contract_takes_cancels_only(exchange):
    """While trading is halted nothing new is taken or amended; a cancel works; a resumed contract trades."""
    resting = exchange.submit("alice", order("1", "2700"))
    exchange.halt(ETH)
    assert refusal(exchange.submit, "alice", order("1", "2700")) is RejectReason.HALTED
    amended = {"order_id": resting.order_id, "quantity": D(2), "price": D(2700)}
    assert refusal(exchange.amend, "alice", ETH, **amended) is RejectReason.HALTED
    assert exchange.cancel("alice", ETH, order_id=resting.order_id).status is OrderStatus.CANCELLED
    exchange.resume(ETH)
    assert exchange.submit("alice", order("1", "2700")).status is OrderStatus.NEW


def test_too_many_open_orders_are_refused():
    """The limit counts open orders of one account in one contract."""
    exchange = paper_exchange("binance", now_ns=Clock())
    exchange.open_account("alice", D(1_000_000))
    for number in range(exchange.max_open_orders):
        exchange.submit("alice", order("0.01", 2600 - number))
    assert refusal(exchange.submit, "alice", order("0.01", "2000")) is RejectReason.TOO_MANY_ORDERS
    exchange.cancel_all("alice", ETH)
    assert exchange.submit("alice", order("0.01", "2000")).status is OrderStatus.NEW


def test_post_only_that_would_cross_ends_at_once(exchange):
    """It ends EXPIRED with its reason, fills nothing and never stands on the book."""
    exchange.submit("bob", order("1", "2700", buy=False))
    ended = exchange.submit("alice", order("1", "2700", post_only=True))
    assert (ended.status, ended.end_reason, ended.filled) == (OrderStatus.EXPIRED, RejectReason.POST_ONLY, ZERO)
    assert exchange.best(ETH)[0] is None
    assert exchange.submit("alice", order("1", "2699.99", post_only=True)).status is OrderStatus.NEW


@pytest.mark.parametrize(
    ("new", "filled", "status", "reason"),
    [
        (order("3", "2700", tif=TimeInForce.IOC), 1, OrderStatus.EXPIRED, RejectReason.NO_LIQUIDITY),
        (order("3", "2701", tif=TimeInForce.IOC), 3, OrderStatus.FILLED, None),
        (order("3", "2700", tif=TimeInForce.FOK), 0, OrderStatus.EXPIRED, RejectReason.NO_LIQUIDITY),
        (order("3", "2701", tif=TimeInForce.FOK), 3, OrderStatus.FILLED, None),
        (order("9"), 6, OrderStatus.EXPIRED, RejectReason.NO_LIQUIDITY),
        (order("9", "2701"), 6, OrderStatus.PARTIAL, None),
    ],
)
def test_times_in_force(exchange, new, filled, status, reason):
    """IOC takes what there is, FOK all or nothing, a market order what there is, GTC rests with what is left."""
    exchange.submit("bob", order("1", "2700", buy=False))
    exchange.submit("bob", order("5", "2701", buy=False))
    ended = exchange.submit("alice", new)
    assert (ended.filled, ended.status, ended.end_reason) == (filled, status, reason)
    assert exchange.order("alice", ETH, order_id=ended.order_id) == ended
    assert (exchange.best(ETH)[0] is not None) is (not status.terminal)


def test_an_order_meeting_one_of_its_own_account_takes_it_off(exchange):
    """Self-trade prevention expires the resting order, and no trade happens between the two."""
    resting = exchange.submit("alice", order("1", "2700", buy=False))
    arriving = exchange.submit("alice", order("1", "2700"))
    assert arriving.status is OrderStatus.NEW
    ended = exchange.order("alice", ETH, order_id=resting.order_id)
    assert (ended.status, ended.end_reason) == (OrderStatus.EXPIRED, RejectReason.OTHER)
    assert exchange.trades(ETH, 10) == []


def test_reduce_only_fills_at_most_the_position_and_ends_with_it(exchange):
    """An order over the position stops at zero; a resting one leaves the book when nothing is left to reduce."""
    exchange.submit("bob", order("5", "2700", buy=False))
    exchange.submit("alice", order("2"))
    exchange.submit("bob", order("9", "2690"))
    resting = exchange.submit("alice", order("1", "2710", buy=False, reduce_only=True))
    ended = exchange.submit("alice", order("3", buy=False, reduce_only=True))
    assert (ended.filled, ended.status, ended.end_reason) == (D(2), OrderStatus.EXPIRED, RejectReason.REDUCE_ONLY)
    assert exchange.position("alice", ETH).amount == 0
    stranded = exchange.order("alice", ETH, order_id=resting.order_id)
    assert (stranded.status, stranded.end_reason) == (OrderStatus.EXPIRED, RejectReason.REDUCE_ONLY)
    assert exchange.best(ETH)[1].price == D(2700)


def test_a_filled_or_cancelled_order_is_unknown_to_a_cancel(exchange):
    """Only an open order can be cancelled, by its owner, in its contract."""
    resting = exchange.submit("alice", order("1", "2700"))
    for account, ticker in (("bob", ETH), ("alice", "BTCUSDT")):
        assert refusal(exchange.cancel, account, ticker, order_id=resting.order_id) is RejectReason.UNKNOWN_ORDER
    exchange.submit("bob", order("1", buy=False))
    assert refusal(exchange.cancel, "alice", ETH, order_id=resting.order_id) is RejectReason.UNKNOWN_ORDER


def test_an_amended_order_keeps_its_id_and_goes_to_the_end_of_the_queue(exchange):
    """Even at the same price it stands behind who rested already; its filled part stays its own."""
    first = exchange.submit("alice", order("2", "2700"))
    second = exchange.submit("bob", order("2", "2700"))
    exchange.submit("house", order("1", buy=False))
    amended = exchange.amend("alice", ETH, order_id=first.order_id, quantity=D("1.5"), price=D(2700))
    assert (amended.order_id, amended.filled, amended.quantity) == (first.order_id, D(1), D("1.5"))
    exchange.submit("house", order("2", buy=False))
    assert exchange.order("bob", ETH, order_id=second.order_id).status is OrderStatus.FILLED
    assert exchange.order("alice", ETH, order_id=first.order_id).filled == 1


@pytest.mark.parametrize(("quantity", "price"), [("1", "2690"), ("0.5", "2690"), ("3", "2701")])
def test_an_amendment_under_what_is_filled_or_a_post_only_one_that_crosses_cancels(exchange, quantity, price):
    """The two amendments that end an order, as the real venue documents them."""
    exchange.submit("bob", order("5", "2701", buy=False))
    resting = exchange.submit("alice", order("2", "2690", post_only=True))
    exchange.submit("house", order("1", buy=False))
    ended = exchange.amend("alice", ETH, order_id=resting.order_id, quantity=D(quantity), price=D(price))
    assert (ended.status, ended.filled) == (OrderStatus.CANCELLED, D(1))
    assert exchange.open_orders("alice") == []


def test_a_refused_amendment_leaves_the_order_in_its_place(exchange):
    """Terms that are not admitted, or change nothing, change nothing."""
    resting = exchange.submit("alice", order("2", "2690"))
    exchange.submit("bob", order("2", "2690"))
    for quantity, price in (("2.0001", "2690"), ("2", "2690.001"), ("2", "2690"), ("9000", "2690")):
        refusal(exchange.amend, "alice", ETH, order_id=resting.order_id, quantity=D(quantity), price=D(price))
    assert exchange.order("alice", ETH, order_id=resting.order_id) == resting
    exchange.submit("house", order("2", buy=False))
    assert exchange.order("alice", ETH, order_id=resting.order_id).status is OrderStatus.FILLED


def test_margin_held_by_open_orders_is_given_back_when_they_end(exchange):
    """Orders hold margin while they are open: cancel all of them and everything is available again."""
    exchange.set_mark(ETH, D(2700))
    exchange.submit("alice", order("1000", "2700"))
    exchange.submit("alice", order("1000", "2600"))
    assert exchange.balance("alice").available == D(1_000_000) - D(540_000)
    assert len(exchange.cancel_all("alice")) == 2
    assert exchange.balance("alice").available == D(1_000_000)


def test_queries_from_a_time_on_are_in_order(exchange):
    """Fills and orders since a time, oldest first, of one contract or of all."""
    exchange.submit("house", order("9", "2700", buy=False))
    exchange.submit("alice", order("1"))
    since = exchange.fills("alice")[0].ts_ns + 1
    exchange.submit("alice", order("2"))
    exchange.submit("alice", order("1", "90000", ticker="BTCUSDT"))
    assert [fill.quantity for fill in exchange.fills("alice")] == [1, 2]
    assert [fill.quantity for fill in exchange.fills("alice", ETH, since)] == [2]
    assert [each.ticker for each in exchange.orders("alice", since_ns=since)] == [ETH, "BTCUSDT"]
    assert [each.ticker for each in exchange.orders("alice", ETH)] == [ETH, ETH]


ACCOUNTS = ("alice", "bob", "house")
prices = st.integers(2690, 2710).map(D)
quantities = st.integers(1, 50).map(lambda n: D(n).scaleb(-1))
news = st.builds(
    NewOrder,
    ticker=st.just(ETH),
    is_buy=st.booleans(),
    quantity=quantities,
    price=st.one_of(prices, prices, prices, st.none()),
    tif=st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
    post_only=st.booleans(),
    reduce_only=st.sampled_from([False, False, True]),
)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.sampled_from(ACCOUNTS), news),
        st.tuples(st.just("submit"), st.sampled_from(ACCOUNTS), news),
        st.tuples(st.just("cancel"), st.sampled_from(ACCOUNTS), st.integers(0, 99)),
        st.tuples(st.just("amend"), st.sampled_from(ACCOUNTS), st.tuples(st.integers(0, 99), quantities, prices)),
    ),
    max_size=60,
)


def perform(exchange, act):
    verb, account, what = act
    opened = exchange.open_orders(account, ETH)
    try:
        if verb == "submit":
            exchange.submit(account, what)
        elif verb == "cancel" and opened:
            exchange.cancel(account, ETH, order_id=opened[what % len(opened)].order_id)
        elif verb == "amend" and opened:
            number, quantity, price = what
            order_id = opened[number % len(opened)].order_id
            exchange.amend(account, ETH, order_id=order_id, quantity=quantity, price=price)
    except Refused as refused:
        return refused
    return None


@settings(max_examples=150, deadline=None)
@given(acts)
def test_no_sequence_of_acts_breaks_the_books_or_the_money(sequence):
    """Never crossed; money conserved; nothing overfilled; positions, books and margins are the sums of their parts."""
    exchange = paper_exchange("binance", now_ns=Clock())
    for account in ACCOUNTS:
        exchange.open_account(account, ZERO if account == "house" else D(100_000), house=account == "house")
    money = exchange.money()
    mirror = {True: {}, False: {}}
    told = {}
    printed = defaultdict(Decimal)
    for act in sequence:
        before = exchange.position(act[1], ETH).amount
        perform(exchange, act)
        bid, ask = exchange.best(ETH)
        assert bid is None or ask is None or bid.price < ask.price
        assert exchange.money() == money
        assert sum(exchange.position(account, ETH).amount for account in ACCOUNTS) == 0
        if act[0] == "submit" and act[2].reduce_only:
            after = exchange.position(act[1], ETH).amount
            assert abs(after) <= abs(before)
            assert after * before >= 0
        for each in exchange.drain():
            if isinstance(each, BookChanged):
                assert each.prev_seq + 1 == each.first_seq
                assert each.last_seq - each.prev_seq == len(each.bids) + len(each.asks)
                for is_buy, levels in ((True, each.bids), (False, each.asks)):
                    mirror[is_buy].update(levels)
            elif isinstance(each, OrderChanged):
                told[each.order.order_id] = each.order
                assert ZERO <= each.order.filled <= each.order.quantity
            elif isinstance(each, Traded):
                printed[each.ticker] += each.quantity
        seen = exchange.book(ETH, 1_000)
        for is_buy, levels in ((True, seen.bids), (False, seen.asks)):
            assert {price: size for price, size in mirror[is_buy].items() if size} == dict(levels)
    for account in ("alice", "bob"):
        for each in exchange.orders(account):
            assert told[each.order_id] == each
            fills = [fill for fill in exchange.fills(account) if fill.order_id == each.order_id]
            assert sum((fill.quantity for fill in fills), ZERO) == each.filled
            assert sum((fill.quantity * fill.price for fill in fills), ZERO) == each.quote_filled
        signed = [fill.quantity if fill.is_buy else -fill.quantity for fill in exchange.fills(account)]
        assert sum(signed, ZERO) == exchange.position(account, ETH).amount
        exchange.cancel_all(account)
        held = abs(exchange.position(account, ETH).amount) * (exchange.mark(ETH) or 0) / exchange.leverage
        assert exchange._clearing.accounts[account].margin(lambda _: exchange.mark(ETH) or ZERO, D(10)) == held
