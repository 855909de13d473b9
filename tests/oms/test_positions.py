"""Positions: the venue's word, and the expectation from our fills, never mixed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.standards import ZERO, Contract, FillEvent, PositionUpdate
from oms.positions import AGREE_NS, DOUBT_NS, PENDING_FILLS, SETTLE_NS, BaselineMoved, PositionsPage

STEP = Decimal("0.001")
S = 1_000_000_000


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
    page.apply_fill(fill("7", 6, ticker="SOLUSDT"))
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
    """Once an answer has borne out the first one, that is the baseline: a drift cannot hide itself."""
    page.snapshot("binance", [position("5", 100)], asked_ns=100)
    page.snapshot("binance", [position("5", 100)], asked_ns=100 + SETTLE_NS)
    for asked_ns in (20 * S, 20 * S + AGREE_NS):
        page.snapshot("binance", [position("6", 200)], asked_ns=asked_ns)
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


# -------------------------------------------------------- answers that are old


def answered(page, asked_ns, amount, ticker="ETHUSDT"):
    """A successful answer that names one contract; whether it was believed."""
    page.snapshot("binance", [position(amount, ticker=ticker)] if Decimal(amount) else [], asked_ns=asked_ns)
    return page.doubted("binance") == []


@pytest.fixture
def settled(page):
    """A page with 5 held, which a second answer bore out."""
    answered(page, 1 * S, "5")
    answered(page, 1 * S + SETTLE_NS, "5")
    return page


def traded(page, amount, ts, trade_id="1"):
    """A fill and the position after it, both told by the stream."""
    page.apply_fill(fill(amount, ts, trade_id))
    page.upsert(position(page.get("binance", "ETHUSDT") + Decimal(amount)), ts_recv_ns=ts)


def test_an_answer_against_all_that_is_known_is_not_believed_alone(settled):
    """Neither a number nor an absence: the position stays, and the contract is to be asked about again."""
    traded(settled, "2", 20 * S)
    for amount in ("5", "0"):
        assert not answered(settled, 21 * S, amount)
        assert (settled.get("binance", "ETHUSDT"), settled.drifts()) == (7, {})
    assert settled.doubted("binance") == ["ETHUSDT"]
    assert settled.doubted("hyperliquid") == []


def test_what_is_expected_or_held_is_believed_at_once(settled):
    """Fills bear an answer out, and so does the stream; each ends a doubt."""
    settled.apply_fill(fill("2", 20 * S))
    assert not answered(settled, 21 * S, "6")
    assert answered(settled, 22 * S, "7")
    assert settled.get("binance", "ETHUSDT") == 7
    settled.upsert(position("9"), ts_recv_ns=23 * S)
    assert not answered(settled, 24 * S, "1")
    assert answered(settled, 25 * S, "9")
    assert settled.drift("binance", "ETHUSDT") == 2


def test_two_answers_well_apart_are_believed(settled):
    """Others traded on the account and no stream said so: a moment later the position moves, and drifts."""
    assert not answered(settled, 20 * S, "8")
    assert not answered(settled, 20 * S + AGREE_NS - 1, "8")
    assert settled.get("binance", "ETHUSDT") == 5
    assert answered(settled, 20 * S + AGREE_NS, "8")
    assert (settled.get("binance", "ETHUSDT"), settled.drift("binance", "ETHUSDT")) == (8, 3)


def test_a_true_answer_between_two_old_ones_clears_the_doubt(settled):
    """Old answers that come now and then, from a copy that lags, are never believed."""
    traded(settled, "2", 20 * S)
    for second in range(21, 60, 4):
        assert not answered(settled, second * S, "5")
        assert answered(settled, (second + 2) * S, "7")
    assert settled.get("binance", "ETHUSDT") == 7


def test_answers_with_a_fill_between_them_do_not_agree(settled):
    """The same number twice was true of one moment at most; as far off twice may lag behind steady trading."""
    assert not answered(settled, 20 * S, "8")
    settled.apply_fill(fill("1", 22 * S))
    assert not answered(settled, 20 * S + AGREE_NS, "8")
    settled.apply_fill(fill("1", 26 * S, "2"))
    assert not answered(settled, 21 * S + 2 * AGREE_NS, "9")
    assert settled.get("binance", "ETHUSDT") == 5
    assert answered(settled, 21 * S + 3 * AGREE_NS, "9")


def test_what_the_stream_and_the_fills_say_stands_against_old_answers_for_long(page):
    """Two witnesses: the position stays, and so does the baseline that they bear out, until it has lasted too long."""
    answered(page, 1 * S, "0")
    traded(page, "2", 3 * S)
    for asked_ns in range(4 * S, 4 * S + DOUBT_NS, 2 * S):
        assert not answered(page, asked_ns, "0")
        assert (page.get("binance", "ETHUSDT"), page.drifts()) == (2, {})
    assert answered(page, 4 * S + DOUBT_NS, "0")
    assert (page.get("binance", "ETHUSDT"), page.drift("binance", "ETHUSDT")) == (0, -2)
    assert answered(page, 40 * S, "2")
    assert page.drifts() == {}


def test_a_position_that_an_answer_told_has_one_witness(settled):
    """What the stream said before does not speak for it."""
    traded(settled, "2", 20 * S)
    settled.apply_fill(fill("1", 21 * S, "2"))
    assert answered(settled, 22 * S, "8")
    assert not answered(settled, 23 * S, "9")
    assert answered(settled, 23 * S + AGREE_NS, "9")


def test_a_doubt_has_an_end(settled):
    """Answers that differ every time, while others trade unheard: what is held is surely wrong."""
    for number in range(10):
        assert not answered(settled, 20 * S + number * 3 * S, str(10 + number))
    assert answered(settled, 20 * S + DOUBT_NS, "30")
    assert (settled.get("binance", "ETHUSDT"), settled.drift("binance", "ETHUSDT")) == (30, 25)


def test_an_old_baseline_is_corrected_by_two_answers(page):
    """A desk started on an old answer comes to the venue's truth without an alarm that never ends."""
    answered(page, 1 * S, "0")
    page.apply_fill(fill("1", 2 * S))
    assert not answered(page, 3 * S, "6")
    changes = page.snapshot("binance", [position("6")], asked_ns=3 * S + AGREE_NS)
    assert changes[1:] == [BaselineMoved("binance", "ETHUSDT", Decimal(1), Decimal(6))]
    assert (page.get("binance", "ETHUSDT"), page.expected("binance", "ETHUSDT")) == (6, 6)
    page.apply_fill(fill("4", 2 * S, "replayed", snapshot=True))
    page.apply_fill(fill("2", 9 * S, "live"))
    assert page.expected("binance", "ETHUSDT") == 8


def test_a_baseline_that_the_stream_contradicts_is_corrected_too(page):
    """The stream's word is the position at once, and becomes the baseline when an answer says it twice."""
    answered(page, 1 * S, "0")
    page.upsert(position("6"), ts_recv_ns=2 * S)
    assert (page.get("binance", "ETHUSDT"), page.drift("binance", "ETHUSDT")) == (6, 6)
    assert not answered(page, 3 * S, "6")
    assert answered(page, 3 * S + AGREE_NS, "6")
    assert page.drifts() == {}


def test_a_contract_first_heard_of_long_after_the_start_drifts(page):
    """An answer of well after the start bears out that nothing was held of all that it does not name."""
    answered(page, 1 * S, "0")
    answered(page, 1 * S + SETTLE_NS, "0")
    for asked_ns in (60 * S, 60 * S + AGREE_NS):
        answered(page, asked_ns, "3")
    assert page.drift("binance", "ETHUSDT") == 3


@given(st.lists(st.tuples(st.sampled_from((0, 0, 1, 1, -2)), st.integers(0, 4)), max_size=28), st.integers(0, 3))
def test_answers_that_lag_less_than_agreement_takes_never_move_a_position(trades, at_start):
    """Whatever trades, and however old each answer is, under ``AGREE_NS``: the position stays the stream's."""
    page = PositionsPage()
    held = [Decimal(0)]
    page.snapshot("binance", [], asked_ns=S)
    for second, (amount, lag) in enumerate(trades, start=2):
        held.append(held[-1] + amount)
        if amount:
            traded(page, str(amount), second * S, str(second))
        if second > at_start + 1:
            answered(page, second * S + 1, str(held[max(0, len(held) - 1 - lag)]))
        assert page.get("binance", "ETHUSDT") == held[-1]
        assert page.drift("binance", "ETHUSDT") == 0


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.integers(0, 9)), max_size=30), st.integers(0, 9))
def test_when_answers_are_true_again_the_page_is_too(trades, begun_on):
    """However old the answers were, the baseline's too, and whatever the stream lost: no doubt is left in the end."""
    page = PositionsPage()
    page.snapshot("binance", [position(begun_on)] if begun_on else [], asked_ns=S)
    held = Decimal(0)
    past = [held]
    for second, (amount, told, age) in enumerate(trades, start=2):
        held += amount
        past.append(held)
        if amount and told:
            page.apply_fill(fill(str(amount), second * S, str(second)))
            page.upsert(position(held), ts_recv_ns=second * S)
        answered(page, second * S + 1, str(past[max(0, len(past) - 1 - age)]))
    for second in range(60, 61 + DOUBT_NS // S):
        answered(page, second * S, str(held))
    assert page.get("binance", "ETHUSDT") == held
    assert page.doubted("binance") == []
