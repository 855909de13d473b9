"""Positions: the venue's word, and the expectation from our fills, never mixed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.standards import ZERO, Contract, FillEvent, PositionUpdate
from oms.positions import PENDING_FILLS, PositionsPage

STEP = Decimal("0.001")


def position(amount, ts=0, ticker="ETHUSDT", venue="binance", **more):
    return PositionUpdate(venue=venue, ticker=ticker, amount=Decimal(amount), ts_venue_ns=ts, **more)


def fill(amount, ts, trade_id="1", ticker="ETHUSDT", venue="binance", **more):
    return FillEvent(
        venue=venue,
        ticker=ticker,
        oid="1",
        trade_id=trade_id,
        amount=Decimal(amount),
        price=Decimal(2400),
        ts_venue_ns=ts,
        **more,
    )


def contract(venue, ticker, base):
    return Contract(
        venue=venue,
        ticker=ticker,
        base=base,
        quote="USDT",
        tick_size=Decimal("0.01"),
        lot_size=STEP,
        min_quantity=STEP,
        min_notional=ZERO,
    )


@pytest.fixture
def page():
    return PositionsPage()


def test_a_change_is_a_delta_and_a_repetition_is_none(page):
    """The first word, and every other number, is a delta with what was before; the same again is none."""
    first = page.upsert(position("1.5", 10, entry_price=Decimal(2400)))
    assert (first.before, first.after, first.change) == (None, page.peek("binance", "ETHUSDT"), Decimal("1.5"))
    assert first.key == "binance:ETHUSDT"
    assert page.upsert(position("1.50", 11, entry_price=Decimal("2400.0"))) is None
    second = page.upsert(position("-0.5", 12))
    assert (second.before.amount, second.after.amount, second.change) == (Decimal("1.5"), Decimal("-0.5"), Decimal(-2))
    assert page.get("binance", "ETHUSDT") == Decimal("-0.5")


def test_an_older_word_does_not_undo_a_newer(page):
    """A message that carries an earlier venue time than the known one changes nothing."""
    page.upsert(position("2", 20))
    assert page.upsert(position("1", 19)) is None
    assert page.get("binance", "ETHUSDT") == 2


def test_a_flat_contract_first_heard_of_is_no_news(page):
    """Venues state zero positions in contracts never traded: not a change."""
    assert page.upsert(position("0", 5)) is None
    assert page.get_all() == []


def test_absent_from_a_snapshot_is_zero(page):
    """A successful snapshot closes what it does not name, on its own venue only."""
    page.upsert(position("1", 5))
    page.upsert(position("2", 5, ticker="SOLUSDT"))
    page.upsert(position("3", 5, venue="hyperliquid", ticker="ETH"))
    deltas = page.snapshot("binance", [position("2", 6, ticker="SOLUSDT"), position("4", 6, ticker="BTCUSDT")])
    assert {(d.after.ticker, d.change) for d in deltas} == {("ETHUSDT", Decimal(-1)), ("BTCUSDT", Decimal(4))}
    assert page.get("binance", "ETHUSDT") == 0
    assert page.get("hyperliquid", "ETH") == 3
    assert page.snapshot("binance", [position("2", 6, ticker="SOLUSDT"), position("4", 6, ticker="BTCUSDT")]) == []


def test_a_snapshot_does_not_undo_what_the_stream_said_meanwhile(page):
    """What was read after the question was sent is newer than the answer, named in it or not."""
    page.upsert(position("1", 5), ts_recv_ns=150)
    page.upsert(position("2", 5, ticker="SOLUSDT"), ts_recv_ns=150)
    assert page.snapshot("binance", [position("9", 4, ticker="SOLUSDT")], asked_ns=100) == []
    assert (page.get("binance", "ETHUSDT"), page.get("binance", "SOLUSDT")) == (1, 2)
    deltas = page.snapshot("binance", [position("9", 6, ticker="SOLUSDT")], asked_ns=100)
    assert [(d.after.ticker, d.after.amount) for d in deltas] == [("SOLUSDT", 9)]


def test_a_stale_snapshot_row_changes_nothing(page):
    """An answer that carries an earlier venue time than the stream's last word is stale, whenever it was asked for."""
    page.upsert(position("1", 50), ts_recv_ns=10)
    assert page.snapshot("binance", [position("7", 40)], asked_ns=100) == []
    assert page.get("binance", "ETHUSDT") == 1


def test_an_older_word_does_not_reopen_what_a_snapshot_closed(page):
    """The zero that a snapshot proves keeps the time of the last word, so that a replayed older one stays old."""
    page.upsert(position("1", 50))
    page.snapshot("binance", [])
    assert page.upsert(position("1", 49)) is None
    assert page.get("binance", "ETHUSDT") == 0


def test_both_sides_of_a_hedge_mode_account_are_seen(page):
    """Long and short in one contract are held apart and net in what is read."""
    page.upsert(position("3", 5, side="long", unrealised=Decimal(4)))
    delta = page.upsert(position("-1", 6, side="short", unrealised=Decimal(-1)))
    assert (delta.before.amount, delta.after.amount, delta.after.unrealised) == (3, 2, 3)
    page.upsert(position("0", 7, side="long"))
    assert page.peek("binance", "ETHUSDT") == position("-1", 6, side="short", unrealised=Decimal(-1))


def test_net_base_adds_over_venues(page):
    """The net of a base asset is over all venues; an unknown contract shows under its own ticker."""
    page.upsert(position("1.5", 1))
    page.upsert(position("-1.5", 1, venue="hyperliquid", ticker="ETH"))
    page.upsert(position("-7", 1, venue="hyperliquid", ticker="SOL"))
    page.upsert(position("2", 1, ticker="OLDUSDT"))
    contracts = {
        "binance": {"ETHUSDT": contract("binance", "ETHUSDT", "ETH")},
        "hyperliquid": {t: contract("hyperliquid", t, t) for t in ("ETH", "SOL")},
    }
    assert page.net_base(contracts) == {"ETH": 0, "SOL": -7, "OLDUSDT": 2}


# ------------------------------------------------------------- the expectation


def test_nothing_is_expected_before_the_first_snapshot(page):
    """Without a baseline there is neither expectation nor drift."""
    page.upsert(position("1", 5))
    page.apply_fill(fill("1", 5))
    assert page.expected("binance", "ETHUSDT") is None
    assert page.drift("binance", "ETHUSDT") is None
    assert page.drifts() == {}


def test_positions_there_at_the_start_are_the_baseline(page):
    """What was held before is expected; fills move the expectation and positions the position."""
    page.snapshot("binance", [position("5", 100)])
    assert (page.expected("binance", "ETHUSDT"), page.drift("binance", "ETHUSDT")) == (5, 0)
    page.apply_fill(fill("-2", 101))
    assert (page.expected("binance", "ETHUSDT"), page.drift("binance", "ETHUSDT")) == (3, 2)
    page.upsert(position("3", 101))
    assert page.drift("binance", "ETHUSDT") == 0
    page.upsert(position("1", 102))
    assert page.drifts() == {("binance", "ETHUSDT"): Decimal(-2)}


def test_later_snapshots_do_not_move_the_baseline(page):
    """Only the first snapshot is the baseline: a drift cannot hide itself."""
    page.snapshot("binance", [position("5", 100)])
    page.snapshot("binance", [position("6", 200)])
    assert page.drift("binance", "ETHUSDT") == 1


def test_fills_that_the_baseline_holds_are_not_counted_again(page):
    """Replays of fills up to the venue time of the baseline are in it already, before or after it was taken."""
    page.apply_fill(fill("1", 99, "a"))
    page.apply_fill(fill("2", 101, "b"))
    page.snapshot("binance", [position("5", 100)])
    page.apply_fill(fill("4", 100, "c", snapshot=True))
    assert page.expected("binance", "ETHUSDT") == 7


def test_a_contract_absent_at_the_start_begins_at_zero(page):
    """Its live fills count whatever the clocks say; replays count from the time of asking on."""
    page.snapshot("binance", [], asked_ns=1_000)
    page.apply_fill(fill("1", 900, "a"))
    page.apply_fill(fill("2", 900, "b", snapshot=True))
    page.apply_fill(fill("4", 1_100, "c", snapshot=True))
    assert page.expected("binance", "ETHUSDT") == 5
    assert page.expected("binance", "NEVERUSDT") == 0
    assert page.expected("hyperliquid", "ETH") is None


def test_a_contract_closed_before_the_start_begins_at_zero(page):
    """The word before an answer that no longer names the contract does not date its baseline."""
    page.upsert(position("1", 101), ts_recv_ns=101)
    page.snapshot("binance", [], asked_ns=103)
    page.apply_fill(fill("-1", 102, snapshot=True))
    assert (page.expected("binance", "ETHUSDT"), page.drift("binance", "ETHUSDT")) == (0, 0)


def test_the_baseline_is_what_the_stream_said_when_that_is_newer(page):
    """A fill and position that overtake the first snapshot are in the baseline together, not twice."""
    page.upsert(position("7", 110), ts_recv_ns=50)
    page.apply_fill(fill("2", 110))
    page.snapshot("binance", [position("5", 100)], asked_ns=40)
    assert (page.expected("binance", "ETHUSDT"), page.drift("binance", "ETHUSDT")) == (7, 0)


def test_the_operator_can_accept_a_drift(page):
    """Accepting makes the position the expectation; fills count on from there."""
    page.snapshot("binance", [position("5", 100)])
    page.upsert(position("8", 150))
    page.accept("binance", "ETHUSDT")
    assert page.drift("binance", "ETHUSDT") == 0
    page.apply_fill(fill("1", 151))
    assert page.drift("binance", "ETHUSDT") == -1
    page.accept("hyperliquid", "ETH")
    assert page.drift("hyperliquid", "ETH") is None


def test_fills_that_wait_for_the_baseline_are_bounded(page):
    """Of very many fills before the first snapshot the oldest fall out, which it holds."""
    for number in range(PENDING_FILLS + 10):
        page.apply_fill(fill("1", 1 + number, str(number)))
    page.snapshot("binance", [position("0", PENDING_FILLS + 5)])
    assert page.expected("binance", "ETHUSDT") == 5


@given(
    st.lists(st.integers(-5, 5).filter(bool), max_size=12),
    st.integers(0, 12),
    st.randoms(use_true_random=False),
)
def test_whatever_the_order_of_messages_there_is_no_drift_in_the_end(amounts, asked, random):
    """Fills and positions of one account, told around a first snapshot in any order, agree when all are told."""
    page = PositionsPage()
    asked_ns = 100 + min(asked, len(amounts))
    events, held, at_start = [], ZERO, []
    for ts, amount in enumerate(amounts, start=101):
        held += amount * STEP
        if ts <= asked_ns:
            at_start = [position(held, ts)] if held else []
        events.append(fill(amount * STEP, ts, str(ts), snapshot=ts <= asked_ns))
        events.append(position(held, ts))
    random.shuffle(events)
    events.insert(random.randint(0, len(events)), at_start)
    for event in events:
        match event:
            case FillEvent():
                page.apply_fill(event)
            case PositionUpdate():
                page.upsert(event, ts_recv_ns=event.ts_venue_ns)
            case rows:
                page.snapshot("binance", rows, asked_ns=asked_ns)
    assert page.get("binance", "ETHUSDT") == held
    assert page.drift("binance", "ETHUSDT") == 0
