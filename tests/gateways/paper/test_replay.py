from decimal import Decimal

import pytest

from gateways.paper.contracts import RULES, paper_exchange
from gateways.paper.exchange import NewOrder, Traded
from gateways.paper.market import open_house
from gateways.paper.recording import RecordedTrade, RecordingError, parse_recording, read_recording
from gateways.paper.replay import LEAD_NS, Replay, base_of
from gateways.standards import OrderStatus

D = Decimal
START = 1_700_000_000_000
FXS = "FXSUSDT"
SECOND = 1_000_000_000

PLAIN = """\
901,sell,25.30000000,7.50300000,1700000000000
902,sell,9.20000000,7.50200000,1700000000003
903,buy,50.00000000,7.50400000,1700000001000
904,buy,12.50000000,7.50400000,1700000001500
905,sell,300.00000000,7.50100000,1700000002000
906,sell,40.00000000,7.50100000,1700000004000
"""
AGGREGATE = """\
901,7.503,25.3,1,2,1700000000000,true
902,7.502,9.2,3,3,1700000000003,true
903,7.504,50,4,9,1700000001000,false
904,7.504,12.5,10,10,1700000001500,false
905,7.501,300,11,30,1700000002000,true
906,7.501,40,31,31,1700000004000,true
"""
HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"


def parsed(text):
    return list(parse_recording(text.splitlines(), "tape.csv"))


class Desk:
    """Two venues on which the tape is replayed, a user with money, and a clock that only the test moves."""

    def __init__(self, speed="1", trades=None):
        self.now = 5 * 10**18
        self.exchanges = {
            kind: paper_exchange(kind, now_ns=lambda: self.now, bases=("FXS",)) for kind in ("binance", "hyperliquid")
        }
        for exchange in self.exchanges.values():
            open_house(exchange)
            exchange.open_account("user", D(1_000_000))
        self.replay = Replay(self.exchanges, trades or parsed(PLAIN), base="FXS", speed=D(speed), seed=1)
        self.binance = self.exchanges["binance"]
        self.binance.drain()

    def after(self, ns):
        self.now += ns
        made = self.replay.step(self.now)
        return made, [each for each in self.binance.drain() if isinstance(each, Traded)]

    def rest(self, quantity, price, *, buy=True):
        new = NewOrder(ticker=FXS, is_buy=buy, quantity=D(quantity), price=D(price), post_only=True)
        order = self.binance.submit("user", new)
        assert order.status is OrderStatus.NEW
        return order.order_id


def aggregated(prints):
    """Consecutive prints of one side and price as one, as a recording has them."""
    rows = []
    for each in prints:
        key = (not each.buyer_is_maker, each.price)
        if rows and rows[-1][0] == key:
            rows[-1][1] += each.quantity
        else:
            rows.append([key, each.quantity])
    return rows


def test_both_forms_of_a_recording_say_the_same():
    """The plain form, the aggregate form and the aggregate form with its header give equal trades."""
    assert parsed(PLAIN) == parsed(AGGREGATE) == parsed(HEADER + AGGREGATE)
    assert parsed(PLAIN)[0] == RecordedTrade(False, D("7.503"), D("25.3"), START * 1_000_000)
    assert [trade.is_buy for trade in parsed(AGGREGATE)] == [False, False, True, True, False, False]


def test_newer_files_in_microseconds_with_more_columns_are_taken():
    """Times of sixteen digits are microseconds; columns behind the known ones are ignored; so are empty lines."""
    text = "\n901,7.503,25.3,1,2,1700000000000123,True,True\n\n"
    assert parsed(text) == [RecordedTrade(False, D("7.503"), D("25.3"), 1_700_000_000_000_123_000)]


@pytest.mark.parametrize(
    "line",
    [
        "901,sell,25.3,7.503",
        "901,held,25.3,7.503,1700000000000",
        "901,sell,25.3,cheap,1700000000000",
        "901,sell,-25.3,7.503,1700000000000",
        "901,sell,25.3,0,1700000000000",
        "901,sell,25.3,7.503,yesterday",
        "901,7.503,25.3,1,2,1700000000000,maybe",
        "901,sell,25.3,NaN,1700000000000",
        "901,sell,Infinity,7.503,1700000000000",
    ],
)
def test_a_line_that_is_no_trade_is_named(line):
    """What is wrong in a recording is one sentence with the file and the line."""
    with pytest.raises(RecordingError, match=r"^Line 2 of tape\.csv is not a recorded trade"):
        parsed("901,sell,25.3,7.503,1700000000000\n" + line)


def test_a_file_is_sorted_by_time_and_a_missing_or_empty_one_is_a_sentence(tmp_path):
    """Trades come out oldest first; no file, a directory, an empty file and one of bytes are each refused."""
    tape = tmp_path / "tape.csv"
    tape.write_text("".join(reversed(PLAIN.splitlines(keepends=True))))
    assert read_recording(tape) == parsed(PLAIN)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    for name, words in (
        ("none.csv", "no file"),
        ("empty.csv", "no trades"),
        ("bytes.csv", "cannot be read"),
        ("", "cannot be read"),
    ):
        with pytest.raises(RecordingError, match=words):
            read_recording(tmp_path / name)


def test_the_ticker_may_be_the_base_or_a_contract_and_an_unknown_one_names_the_choices():
    """FXS and fxsusdt mean the same asset; what nobody lists is refused with what there is."""
    listed = [contract for rules in RULES.values() for contract in rules.contracts]
    assert {base_of(ticker, listed) for ticker in ("FXS", "fxs", "fxsusdt", "FXSUSDT")} == {"FXS"}
    bases = ", ".join(sorted({contract.base for contract in listed}))
    with pytest.raises(RecordingError, match=f"No paper venue lists XMR: choose one of {bases}"):
        base_of("XMR", listed)


def test_nothing_trades_before_the_desk_is_there_and_a_second_has_passed():
    """The quotes stand, the tape waits: for ``begin``, and then for a second more."""
    desk = Desk()
    assert desk.after(3_600 * SECOND) == (0, [])
    assert all(level is not None for level in desk.binance.best(FXS))
    desk.replay.begin(desk.now)
    assert desk.after(LEAD_NS - 1) == (0, [])
    desk.replay.begin(desk.now)
    made, prints = desk.after(1)
    assert (made, len(aggregated(prints))) == (1, 1)


def test_the_speed_divides_the_time_between_trades():
    """At twenty times, the four seconds of the tape take a fifth of one."""
    desk = Desk(speed="20")
    desk.replay.begin(desk.now)
    assert desk.after(LEAD_NS + SECOND // 20 - 1)[0] == 2
    assert desk.after(1)[0] == 1
    assert not desk.replay.done
    assert desk.after(4 * SECOND // 20 - SECOND // 20)[0] == 3
    assert desk.replay.done


def test_with_nobody_else_on_the_book_the_tape_prints_as_it_was_recorded():
    """Side, price and quantity of every recorded trade come out again, in order."""
    desk = Desk()
    desk.replay.begin(desk.now)
    _, prints = desk.after(LEAD_NS + 10 * SECOND)
    expected = []
    for trade in parsed(PLAIN):
        key = (trade.is_buy, trade.price)
        if expected and expected[-1][0] == key:
            expected[-1][1] += trade.quantity
        else:
            expected.append([key, trade.quantity])
    assert aggregated(prints) == expected


@pytest.mark.parametrize(("buy", "price", "side"), [(True, "7.502", False), (False, "7.504", True)])
def test_a_user_at_the_touch_is_filled_in_parts_at_its_own_price(buy, price, side):
    """Recorded aggressors fill a resting order trade by trade, never beyond the recorded quantity, always as maker."""
    desk = Desk()
    resting = desk.rest("200", price, buy=buy)
    desk.replay.begin(desk.now)
    desk.after(LEAD_NS + 10 * SECOND)
    fills = desk.binance.fills("user")
    assert len(fills) >= 2
    assert all((fill.order_id, fill.price, fill.is_maker) == (resting, D(price), True) for fill in fills)
    recorded = sum(trade.quantity for trade in parsed(PLAIN) if trade.is_buy is side)
    filled = desk.binance.order("user", FXS, order_id=resting).filled
    assert 0 < filled <= min(recorded, D(200))


def test_the_house_never_takes_a_users_order_only_recorded_trades_do():
    """An order that the price has left behind waits for the tape's next seller: its fills never exceed the tape's."""
    desk = Desk()
    resting = desk.rest("1000", "7.503")
    desk.replay.begin(desk.now)
    desk.after(LEAD_NS)
    assert desk.binance.order("user", FXS, order_id=resting).filled <= D("25.3")
    desk.after(10 * SECOND)
    sold = sum(trade.quantity for trade in parsed(PLAIN) if not trade.is_buy)
    assert desk.binance.order("user", FXS, order_id=resting).filled <= sold
    bid, ask = desk.binance.best(FXS)
    assert bid.price == D("7.503")
    assert ask.price > bid.price


def test_both_venues_follow_the_last_price_and_stay_there_when_the_tape_has_ended():
    """After the tape the books are quoted round its last price, quietly, and fill up again when taken from."""
    desk = Desk()
    desk.replay.begin(desk.now)
    desk.after(LEAD_NS + 10 * SECOND)
    assert desk.replay.done
    for kind, ticker in (("binance", FXS), ("hyperliquid", "FXS")):
        exchange = desk.exchanges[kind]
        taken = exchange.submit("user", NewOrder(ticker=ticker, is_buy=True, quantity=D(100)))
        assert taken.filled == 100
        desk.after(SECOND)
        book = exchange.book(ticker, 50)
        assert len(book.bids) >= 20
        assert len(book.asks) >= 20
        assert abs((book.bids[0].price + book.asks[0].price) / 2 / D("7.501") - 1) < D("0.001")
    assert desk.after(SECOND) == (0, [])


def test_a_tape_far_faster_than_its_steps_is_made_in_full():
    """Late trades are made up for in later steps, in order, none dropped."""
    trades = [
        RecordedTrade(bool(n % 2), D("7.5") + D(n % 5) / 1000, D(10), START * 1_000_000 + n) for n in range(1_200)
    ]
    desk = Desk(speed="1000000", trades=trades)
    desk.replay.begin(desk.now)
    total = 0
    while not desk.replay.done:
        made, prints = desk.after(LEAD_NS)
        total += sum(each.quantity for each in prints)
        assert 0 < made <= 500
    assert total == 12_000


@pytest.mark.parametrize("speed", ["0", "-1"])
def test_a_speed_that_is_not_over_zero_is_refused(speed):
    """Time cannot stand still or run backwards."""
    with pytest.raises(RecordingError, match="over zero"):
        Desk(speed=speed)
