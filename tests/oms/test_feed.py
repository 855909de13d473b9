"""The feed: the newest prices, the prices that rules name, and books brought back into sequence."""

import asyncio
import bisect
import gzip
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.binance import bodies
from gateways.binance.decode import decode as decode_binance
from gateways.contracts import Contracts, is_on_tick
from gateways.errors import Unavailable
from gateways.hyperliquid.decode import decode as decode_hyperliquid
from gateways.standards import (
    BookUpdate,
    Contract,
    Level,
    MarkUpdate,
    OrderUpdate,
    PriceRule,
    PriceSide,
    QuoteUpdate,
    TradeEvent,
)
from oms.clock import ManualClock
from oms.feed import TRADES_KEPT, Feed, FeedChange, FeedKeeper, FeedNote
from tests.recordings import recording

QUEUE, OPPONENT = PriceSide.QUEUE, PriceSide.OPPONENT
ETH = ("binance", "ETHUSDT")

CONTRACT = Contract(
    venue="binance",
    ticker="ETHUSDT",
    base="ETH",
    quote="USDT",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    min_notional=Decimal(20),
)


def level(price, quantity=1):
    return Level(Decimal(str(price)), Decimal(str(quantity)))


def book(bids, asks, seq=100, *, snapshot=True, prev=None, ts=0, venue="binance", ticker="ETHUSDT"):
    return BookUpdate(
        venue=venue,
        ticker=ticker,
        bids=tuple(map(level, bids)),
        asks=tuple(map(level, asks)),
        snapshot=snapshot,
        first_seq=None if prev is None else prev + 1,
        last_seq=seq,
        prev_seq=prev,
        ts_venue_ns=ts,
    )


def quote(bid, ask, seq=None, ts=0, ticker="ETHUSDT"):
    return QuoteUpdate(
        venue="binance",
        ticker=ticker,
        bid=None if bid is None else level(bid),
        ask=None if ask is None else level(ask),
        seq=seq,
        ts_venue_ns=ts,
    )


def trade(trade_id, price, ts):
    return TradeEvent(
        venue="binance",
        ticker="ETHUSDT",
        trade_id=trade_id,
        amount=Decimal(1),
        price=Decimal(price),
        ts_venue_ns=ts,
    )


def top(feed, key=ETH):
    found = feed.quote(*key)
    return found.bid.price, found.ask.price


@pytest.fixture
def feed():
    """Ten levels a side around 2000.00, one tick apart, at sequence number 100."""
    feed = Feed()
    bids = [Decimal("2000.00") - n * Decimal("0.01") for n in range(10)]
    asks = [Decimal("2000.05") + n * Decimal("0.01") for n in range(10)]
    feed.apply(book(bids, asks, ts=50), 1_000)
    return feed


# ------------------------------------------------------------------ the newest


def test_nothing_is_known_of_a_contract_never_heard_of():
    """Every question about it has an empty answer."""
    feed = Feed()
    assert feed.quote(*ETH) is feed.mid(*ETH) is feed.mark(*ETH) is feed.last_trade(*ETH) is feed.book(*ETH) is None
    assert feed.trades(*ETH) == ()
    assert feed.level(*ETH, QUEUE, 1, buying=True) is feed.level(*ETH, QUEUE, 5, buying=True) is None
    assert feed.price_for(PriceRule(QUEUE, 1), CONTRACT, buying=True) is None
    assert (feed.ts_recv_ns(*ETH), feed.age_ns(*ETH, 5), feed.in_sequence(*ETH)) == (0, None, False)


def test_the_quote_is_the_newer_by_sequence_number(feed):
    """Book and quote stream are numbered from one count: the higher number is the newer, whatever came last."""
    assert top(feed) == (Decimal("2000.00"), Decimal("2000.05"))
    assert feed.apply(quote("1999.90", "1999.95", seq=99, ts=60), 2_000) == FeedNote(*ETH, FeedChange.QUOTE)
    assert top(feed) == (Decimal("2000.00"), Decimal("2000.05"))
    feed.apply(quote("2000.02", "2000.06", seq=101, ts=51), 3_000)
    assert top(feed) == (Decimal("2000.02"), Decimal("2000.06"))
    assert feed.mid(*ETH) == Decimal("2000.04")
    feed.apply(book(["2000.01"], ["2000.03"], 110, snapshot=False, prev=100, ts=52), 4_000)
    assert top(feed) == (Decimal("2000.01"), Decimal("2000.03"))


def test_the_quote_is_the_newer_by_time_where_nothing_is_numbered():
    """Without numbers the venue's time decides, and between equal times what was read later."""
    feed = Feed()
    feed.apply(book([10], [12], None, ts=50), 1)
    feed.apply(quote(9, 11, ts=49), 2)
    assert top(feed) == (10, 12)
    feed.apply(quote(8, 11, ts=50), 3)
    assert top(feed) == (8, 11)
    feed.apply(book([7], [12], None, ts=50), 4)
    assert top(feed) == (7, 12)


def test_an_older_quote_is_ignored(feed):
    """A quote that was overtaken is no news."""
    feed.apply(quote("2000.02", "2000.06", seq=105, ts=60), 2_000)
    assert feed.apply(quote("2000.01", "2000.06", seq=104, ts=61), 3_000) is None
    feed.apply(quote("9", "11", ts=60, ticker="X"), 1)
    assert feed.apply(quote("8", "11", ts=59, ticker="X"), 2) is None
    assert feed.ts_recv_ns(*ETH) == 2_000


def test_an_empty_side_has_no_mid(feed):
    """A quote without asks is a quote; half way to nothing is not a price."""
    feed.apply(quote("2000.02", None, seq=105), 2_000)
    assert feed.quote(*ETH).ask is None
    assert feed.mid(*ETH) is None
    assert feed.level(*ETH, OPPONENT, 1, buying=True) is None


def test_age_is_of_the_newest_word(feed):
    """Age counts from when the last book update or quote was read."""
    assert feed.age_ns(*ETH, 1_500) == 500
    feed.apply(quote("2000.02", "2000.06", seq=105), 1_400)
    assert feed.age_ns(*ETH, 1_500) == 100


def test_trades_are_told_once_in_order_and_bounded(feed):
    """Repetitions and older trades are no news; only the last ones are held."""
    assert feed.apply(trade("a", "2000.01", 10), 1) == FeedNote(*ETH, FeedChange.TRADE)
    assert feed.apply(trade("b", "2000.02", 10), 1) is not None
    assert feed.apply(trade("a", "2000.01", 10), 1) is None
    assert feed.apply(trade("c", "2000.03", 9), 1) is None
    assert [t.trade_id for t in feed.trades(*ETH)] == ["a", "b"]
    for number in range(TRADES_KEPT + 5):
        feed.apply(trade(str(number), "2000.01", 11 + number), 1)
    assert len(feed.trades(*ETH)) == TRADES_KEPT
    assert feed.last_trade(*ETH).trade_id == str(TRADES_KEPT + 4)


def test_marks_replace_older_ones(feed):
    """The last mark by the venue's time stands."""
    first = MarkUpdate(venue="binance", ticker="ETHUSDT", mark=Decimal("2000.1"), ts_venue_ns=10)
    assert feed.apply(first, 1) == FeedNote(*ETH, FeedChange.MARK)
    assert feed.apply(msgspec.structs.replace(first, mark=Decimal(1), ts_venue_ns=9), 2) is None
    assert feed.mark(*ETH) == first


def test_what_is_not_public_is_not_for_the_feed(feed):
    """Private events pass by."""
    assert feed.apply(OrderUpdate(venue="binance", ticker="ETHUSDT"), 1) is None


def test_an_interruption_leaves_no_price(feed):
    """After the public stream was cut nothing from before is priced from; other venues are not touched."""
    feed.apply(quote("2000.02", "2000.06", seq=105), 2_000)
    feed.apply(book([1], [2], None, venue="hyperliquid", ticker="ETH"), 2_000)
    feed.interrupted("binance")
    assert feed.quote(*ETH) is None
    assert (feed.in_sequence(*ETH), feed.ts_recv_ns(*ETH)) == (False, 0)
    assert top(feed, ("hyperliquid", "ETH")) == (1, 2)


def test_a_dropped_contract_is_forgotten(feed):
    """What is watched no more answers no question."""
    feed.drop(*ETH)
    feed.drop(*ETH)
    assert feed.book(*ETH) is None


# ------------------------------------------------------------------ price rules


@pytest.mark.parametrize(
    ("side", "n", "buying", "price"),
    [
        (QUEUE, 1, True, "2000.00"),
        (QUEUE, 5, True, "1999.96"),
        (QUEUE, 5, False, "2000.09"),
        (OPPONENT, 1, True, "2000.05"),
        (OPPONENT, 5, True, "2000.09"),
        (OPPONENT, 5, False, "1999.96"),
        (QUEUE, 20, True, "1999.91"),
        (OPPONENT, 20, True, "2000.14"),
    ],
)
def test_a_level_is_counted_on_the_side_that_the_rule_names(feed, side, n, buying, price):
    """QUEUE is our own side, OPPONENT the other; where there are fewer levels it is the last."""
    assert feed.level(*ETH, side, n, buying=buying) == Decimal(price)
    assert feed.price_for(PriceRule(side, n), CONTRACT, buying=buying) == Decimal(price)


def test_a_level_under_one_is_refused(feed):
    """Levels are counted from one."""
    with pytest.raises(ValueError, match="the best one is 1"):
        feed.level(*ETH, QUEUE, 0, buying=True)


def test_a_book_out_of_sequence_names_no_price_but_the_quotes(feed):
    """After a gap only the quote stream's best is a price."""
    note = feed.apply(book(["2000.01"], [], 120, snapshot=False, prev=110), 2_000)
    assert note == FeedNote(*ETH, FeedChange.BOOK, resync=True)
    assert feed.level(*ETH, QUEUE, 1, buying=True) is None
    feed.apply(quote("2000.02", "2000.06", seq=121), 3_000)
    assert feed.level(*ETH, QUEUE, 1, buying=True) == Decimal("2000.02")
    assert feed.level(*ETH, QUEUE, 5, buying=True) is None


@pytest.mark.parametrize(
    ("rule", "buying", "price"),
    [
        (PriceRule(OPPONENT, 1), True, "2000.04"),
        (PriceRule(OPPONENT, 5), True, "2000.04"),
        (PriceRule(OPPONENT, 1), False, "2000.01"),
        (PriceRule(OPPONENT, 5), False, "2000.01"),
        (PriceRule(QUEUE, 1), True, "2000.00"),
        (PriceRule(QUEUE, 5), False, "2000.09"),
    ],
)
def test_post_only_stays_one_tick_inside_the_opponent(feed, rule, buying, price):
    """A price that would cross becomes the best that does not; one that would not is left alone."""
    assert feed.price_for(rule, CONTRACT, buying=buying, post_only=True) == Decimal(price)


def test_post_only_looks_at_the_newest_opponent(feed):
    """When the quotes have moved through the book's level, the rule's price stays off them."""
    feed.apply(quote("1999.90", "1999.97", seq=105), 2_000)
    assert feed.price_for(PriceRule(QUEUE, 1), CONTRACT, buying=True, post_only=True) == Decimal("1999.90")
    feed.apply(book(["1999.99"], ["2000.05"], 106), 2_000)
    feed.apply(quote("1999.90", "1999.95", seq=107), 2_000)
    assert feed.price_for(PriceRule(QUEUE, 5), CONTRACT, buying=True, post_only=True) == Decimal("1999.94")


def test_one_tick_inside_where_the_tick_changes():
    """Just under ten thousand Hyperliquid's five figures allow a finer step than at it."""
    contract = msgspec.structs.replace(
        CONTRACT, venue="hyperliquid", ticker="XYZ", tick_size=Decimal("0.01"), significant_digits=5
    )
    feed = Feed()
    feed.apply(book([9000], [10000], None, venue="hyperliquid", ticker="XYZ"), 1)
    rule = PriceRule(OPPONENT, 1)
    assert feed.price_for(rule, contract, buying=True, post_only=True) == Decimal("9999.9")
    feed.apply(book(["9999.9"], [10020], None, venue="hyperliquid", ticker="XYZ"), 2)
    assert feed.price_for(rule, contract, buying=False, post_only=True) == Decimal(10000)


def test_no_price_is_inside_the_lowest():
    """One tick under the lowest price there can be is not a price."""
    feed = Feed()
    feed.apply(book([], ["0.01"]), 1)
    assert feed.price_for(PriceRule(OPPONENT, 1), CONTRACT, buying=True, post_only=True) is None


ticks = st.integers(1, 300_000).map(lambda n: n * Decimal("0.01"))


@given(
    st.lists(ticks, min_size=2, max_size=30, unique=True),
    st.data(),
    st.sampled_from([0, 5]),
    st.builds(PriceRule, st.sampled_from(PriceSide), st.sampled_from([1, 5, 10, 20])),
    st.booleans(),
)
def test_a_post_only_price_is_on_tick_and_never_crosses(prices, data, digits, rule, buying):
    """Whatever the book, a post-only price is one that the venue takes and that rests."""
    contract = msgspec.structs.replace(CONTRACT, significant_digits=digits)
    prices = sorted(p for p in prices if is_on_tick(contract, p))
    split = data.draw(st.integers(0, len(prices)))
    feed = Feed()
    feed.apply(book(prices[:split], prices[split:]), 1)
    price = feed.price_for(rule, contract, buying=buying, post_only=True)
    if price is not None:
        assert is_on_tick(contract, price)
        assert all(price < ask for ask in prices[split:]) if buying else all(price > bid for bid in prices[:split])


# ------------------------------------------------------------------- the keeper


class Fetching:
    """A venue that answers when told to, and a sleep that only counts."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.slept = []
        self.go = asyncio.Event()
        self.go.set()
        self.at_once = self.most_at_once = 0

    async def book(self, venue, ticker):
        self.asked.append((venue, ticker))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.go.wait()
        finally:
            self.at_once -= 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds):
        self.slept.append(seconds)
        await asyncio.sleep(0)


async def until(fact):
    """Let the loop turn until a fact holds."""
    async with asyncio.timeout(10):
        while not fact():
            await asyncio.sleep(0)


def gap(prev=110, seq=120):
    return book(["2000.01"], [], seq, snapshot=False, prev=prev)


def full(seq):
    return book(["1999.99"], ["2000.02"], seq)


async def test_a_gap_is_answered_by_one_fetch_and_what_was_held(feed):
    """The keeper fetches once, holds what comes meanwhile, and the book goes on from there."""
    venue = Fetching(full(115))
    venue.go.clear()
    keeper = FeedKeeper(feed, venue.book, clock=ManualClock(now_ns=7_000), sleep=venue.sleep)
    assert keeper.apply(gap(), 2_000).resync
    assert keeper.apply(book(["2000.00"], [], 130, snapshot=False, prev=120), 3_000).resync
    await until(lambda: venue.asked)
    assert keeper.fetching == {ETH}
    venue.go.set()
    await until(lambda: not keeper.fetching)
    assert venue.asked == [ETH]
    assert feed.in_sequence(*ETH)
    assert feed.book(*ETH).last_seq == 130
    assert top(feed) == (Decimal("2000.01"), Decimal("2000.02"))
    assert feed.ts_recv_ns(*ETH) == 7_000
    await keeper.close()


async def test_fetches_that_fail_or_come_too_early_are_repeated_with_longer_waits(feed):
    """An error, a silence and a snapshot from before the held deltas are each answered by another fetch, later."""
    venue = Fetching(Unavailable("binance", "not connected"), TimeoutError(), full(105), full(119), full(120))
    keeper = FeedKeeper(feed, venue.book, sleep=venue.sleep, first_wait_s=0.25, longest_wait_s=1.0)
    keeper.apply(gap(), 2_000)
    await until(lambda: not keeper.fetching)
    assert feed.in_sequence(*ETH)
    assert len(venue.asked) == 4
    assert venue.slept == [0.25, 0.5, 1.0, 1.0]
    assert keeper.failures == 2
    assert keeper.last_error == "no book within 10 s"
    await keeper.close()


async def test_a_venue_that_does_not_answer_is_asked_again(feed):
    """A fetch that hangs is given up after its time."""
    venue = Fetching(full(120))
    hang = asyncio.Event()

    async def book_after_a_hang(key_venue, ticker):
        if not venue.asked:
            venue.asked.append((key_venue, ticker))
            await hang.wait()
        return await venue.book(key_venue, ticker)

    keeper = FeedKeeper(feed, book_after_a_hang, sleep=venue.sleep, timeout_s=0.01)
    keeper.apply(gap(), 2_000)
    await until(lambda: not keeper.fetching)
    assert (feed.in_sequence(*ETH), keeper.failures) == (True, 1)
    await keeper.close()


async def test_a_gap_right_after_a_snapshot_waits_its_turn(feed):
    """A book that keeps breaking is fetched at growing intervals, not as fast as it breaks."""
    venue = Fetching(full(120), full(140), full(160))
    keeper = FeedKeeper(feed, venue.book, sleep=venue.sleep, first_wait_s=1.0, longest_wait_s=8.0)
    broken = [gap(130, 135), gap(150, 155)]

    async def sleep(seconds):
        if broken:
            keeper.apply(broken.pop(0), 3_000)
        await venue.sleep(seconds)

    keeper._sleep = sleep
    keeper.apply(gap(), 2_000)
    await until(lambda: not keeper.fetching)
    assert feed.in_sequence(*ETH)
    assert (len(venue.asked), venue.slept) == (3, [1.0, 2.0, 4.0])
    await keeper.close()


async def test_fetches_at_once_are_bounded():
    """After a reconnect many books break together; the venue is asked for a few at a time."""
    feed = Feed()
    tickers = [f"T{n}" for n in range(20)]
    venue = Fetching(*[book([1], [2], 120, ticker=ticker) for ticker in tickers])
    venue.go.clear()
    keeper = FeedKeeper(feed, venue.book, sleep=venue.sleep, fetches=3)
    for ticker in tickers:
        keeper.apply(book([1], [], 120, snapshot=False, prev=110, ticker=ticker), 1)
    await until(lambda: venue.at_once == 3)
    venue.go.set()
    await until(lambda: not keeper.fetching)
    assert (len(venue.asked), venue.most_at_once) == (20, 3)
    assert all(feed.in_sequence("binance", ticker) for ticker in tickers)
    await keeper.close()


async def test_a_quiet_contract_is_fetched_without_waiting_for_a_delta(feed):
    """Asked for by name, or by its venue after a reconnect, a book does not wait for the market to move."""
    venue = Fetching(book([1], [2], 5, ticker="QUIET"), full(105))
    keeper = FeedKeeper(feed, venue.book, sleep=venue.sleep)
    keeper.resync("binance", "QUIET")
    await until(lambda: not keeper.fetching)
    assert top(feed, ("binance", "QUIET")) == (1, 2)
    feed.apply(book([3], [4], None, venue="hyperliquid", ticker="ETH"), 1)
    feed.book(*ETH).interrupt()
    keeper.resync_venue("hyperliquid")
    assert keeper.fetching == frozenset()
    keeper.resync_venue("binance")
    assert keeper.fetching == {ETH}
    await until(lambda: not keeper.fetching)
    assert top(feed) == (Decimal("1999.99"), Decimal("2000.02"))
    await keeper.close()


async def test_a_contract_watched_no_more_is_not_fetched_on(feed):
    """Dropping a contract ends its fetches."""
    venue = Fetching(*[Unavailable("binance", "down")] * 50)
    keeper = FeedKeeper(feed, venue.book, sleep=venue.sleep)
    keeper.apply(gap(), 2_000)
    await until(lambda: keeper.failures >= 2)
    feed.drop(*ETH)
    await until(lambda: not keeper.fetching)
    await keeper.close()


async def test_what_nobody_foresaw_is_told_and_the_next_gap_tries_again(feed):
    """A defect in the fetch is reported, not swallowed, and does not stop the contract for good."""
    told = []
    venue = Fetching(KeyError("defect"), full(125))
    keeper = FeedKeeper(feed, venue.book, sleep=venue.sleep, on_error=lambda name, error: told.append((name, error)))
    keeper.apply(gap(), 2_000)
    await until(lambda: told)
    assert told[0][0] == "book of binance:ETHUSDT"
    assert isinstance(told[0][1], KeyError)
    keeper.apply(gap(120, 125), 3_000)
    await until(lambda: not keeper.fetching)
    assert feed.in_sequence(*ETH)
    await keeper.close()


async def test_close_ends_what_is_under_way(feed):
    """After close no fetch runs, and none begins."""
    venue = Fetching()
    venue.go.clear()
    keeper = FeedKeeper(feed, venue.book, sleep=venue.sleep)
    keeper.apply(gap(), 2_000)
    await until(lambda: venue.asked)
    await keeper.close()
    assert (venue.at_once, keeper.fetching) == (0, frozenset())
    keeper.apply(gap(120, 125), 3_000)
    assert keeper.fetching == frozenset()


# ---------------------------------------------------------- recorded sessions


def told(message, ticker, contracts):
    """The events of a recorded Binance message: the stream's, or the answer to a question for a contract's book."""
    if "lastUpdateId" in message:
        return [bodies.book(message, ticker, contracts)]
    return decode_binance(message, contracts)


class Session:
    """A recorded Binance session run through the feed, compared with its own quote stream afterwards."""

    def __init__(self, venue="binance"):
        self.contracts = Contracts(venue)
        self.feed = Feed()
        self.quotes = {}
        self.tops = {}
        self.gaps = 0

    def take(self, event, ts_recv_ns):
        if isinstance(event, QuoteUpdate):
            self.quotes.setdefault(event.ticker, []).append((event.seq, event.bid, event.ask))
        elif isinstance(event, BookUpdate):
            before = self.feed.in_sequence(event.venue, event.ticker)
            self.feed.apply(event, ts_recv_ns)
            now = self.feed.book(event.venue, event.ticker)
            self.gaps += before and not now.in_sequence
            if now.in_sequence:
                found = (now.last_seq, now.best_bid(), now.best_ask())
                self.tops.setdefault(event.ticker, []).append(found)

    def agreement(self):
        """How many tops were compared with the quote in force at their sequence number, and how many agreed."""
        compared = agreed = 0
        for ticker, tops in self.tops.items():
            quotes = sorted(self.quotes[ticker], key=lambda quoted: quoted[0])
            numbers = [quoted[0] for quoted in quotes]
            for seq, bid, ask in tops:
                place = bisect.bisect_right(numbers, seq) - 1
                if 0 <= place < len(quotes) - 1:
                    compared += 1
                    agreed += quotes[place][1:] == (bid, ask)
        return compared, agreed


def test_books_of_a_recorded_session_agree_with_its_quotes():
    """Binance 2021, four contracts with their snapshots: at every update the top is the quote of that moment."""
    session = Session()
    with recording("recorded/binance_usdm__cryptofeed_20210722.jsonl").open("rb") as lines:
        for line in lines:
            message = msgspec.json.decode(line)
            ticker = message.get("http", "").partition("symbol=")[2].partition("&")[0]
            for event in told(message["m"], ticker, session.contracts):
                session.take(event, 1)
    compared, agreed = session.agreement()
    assert session.gaps == 0
    assert all(session.feed.in_sequence("binance", ticker) for ticker in session.quotes)
    assert compared == agreed == 728


def test_a_busy_recorded_book_agrees_with_its_quotes():
    """Binance 2024, one busy contract, every change streamed: at every update the top is the quote of that moment."""
    session = Session()
    with gzip.open(recording("recorded/binance_usdm__hftbacktest_ethusdt_20240808.log.gz")) as lines:
        for line in lines:
            stamp, _, raw = line.strip().partition(b" ")
            for event in told(msgspec.json.decode(raw), "ETHUSDT", session.contracts):
                session.take(event, int(stamp))
    compared, agreed = session.agreement()
    assert session.gaps == 0
    assert compared == agreed == 6_578


def test_recorded_whole_books_replace_each_other():
    """Hyperliquid 2025: each message is the book, in the venue's own order of levels."""
    contracts = Contracts("hyperliquid")
    feed, books = Feed(), 0
    with gzip.open(recording("recorded/hyperliquid__hftbacktest_btcusd_20250126.log.gz")) as lines:
        for line in lines:
            stamp, _, raw = line.strip().partition(b" ")
            for event in decode_hyperliquid(raw, contracts):
                note = feed.apply(event, int(stamp))
                if isinstance(event, BookUpdate):
                    books += 1
                    assert note == FeedNote("hyperliquid", event.ticker, FeedChange.BOOK)
                    now = feed.book("hyperliquid", event.ticker)
                    assert (now.bids(20), now.asks(20)) == (event.bids, event.asks)
    assert books == 46
    assert feed.last_trade("hyperliquid", "BTC") is not None
