"""Alignment: positions and fills told at different times are one story or two; I13, and no alarm without cause."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.standards import ZERO
from oms.alignment import LATE_NS, MOMENTS, TOLD, Alignment

MS = 1_000_000
S = 1_000_000_000
DAY = 1_700_000_000 * S
LATE_MS = LATE_NS // MS

SIZES = st.integers(-3, 3).filter(bool)
FLOW = st.lists(st.tuples(SIZES, st.integers(0, 700), st.integers(0, 3_000)), max_size=60)
"""Fills: size, milliseconds since the one before, milliseconds until it is told."""
LOOKS = st.lists(st.tuples(st.integers(1, 900), st.integers(0, 2_900)), max_size=80)
"""Positions told: milliseconds since the one before, until it is told."""


def in_order(messages):
    """Times of arrival in one channel: none overtakes the one before it."""
    arrived, out = 0, []
    for sent, late, what in messages:
        arrived = max(arrived, sent + late)
        out.append((arrived, what))
    return out


def story(flow, looks, *, change=0, change_at=0, lost=None):
    """Messages (ms, kind, amount) in order of arrival; ``change`` is traded by another, of ``lost`` no fill is told."""
    at, held, fills, truth = 0, 0, [], [(0, 0)]
    for number, (size, gap, late) in enumerate(flow):
        at += gap
        held += size
        truth.append((at, held))
        if number != lost:
            fills.append((at, late, size))

    def position(now):
        return [amount for since, amount in truth if since <= now][-1] + (change if change and now >= change_at else 0)

    now, told = 0, []
    for gap, late in looks:
        now += gap
        told.append((now, late, position(now)))
    end = max(now, at) + 1
    told.append((end, 0, position(end)))
    messages = [(ms, "fill", size) for ms, size in in_order(fills)]
    messages += [(ms, "told", amount) for ms, amount in in_order(told)]
    return sorted(messages, key=lambda message: message[0])


def play(messages):
    """Tell them one by one; after each, the time, the difference and since when it is one (ms)."""
    alignment, known, held = Alignment(ZERO, DAY), 0, 0
    for ms, kind, amount in messages:
        ns = DAY + ms * MS
        if kind == "fill":
            known += amount
            alignment.filled(Decimal(amount), ns)
        else:
            held = amount
            alignment.told(Decimal(amount), ns)
        since = alignment.since(ns)
        yield ms, held - known, None if since is None else (since - DAY) // MS


@given(FLOW, LOOKS)
def test_messages_that_come_late_are_never_an_old_difference(flow, looks):
    """However fills and positions interleave, each late by seconds: a difference is never older than they are late."""
    looks = [(100, looks[number % len(looks)][1] if looks else 0) for number in range(sum(f[1] for f in flow) // 100)]
    for ms, difference, since in play(story(flow, looks)):
        if difference:
            assert since is not None
            assert ms - since < LATE_MS


@given(FLOW, LOOKS)
def test_when_all_is_told_and_agrees_nothing_is_left(flow, looks):
    """The last position is the sum of all fills: no difference, since no time."""
    *_, (_ms, difference, since) = play(story(flow, looks))
    assert (difference, since) == (0, None)


@given(FLOW, LOOKS, st.integers(0, 20_000), st.integers(0, 9))
def test_what_another_trades_differs_from_when_it_is_told(flow, looks, change_at, odd):
    """Of a size that no fills can explain: at once, and for good, however steadily fills go on."""
    doubled = [(2 * size, gap, late) for size, gap, late in flow]
    began = None
    for ms, _difference, since in play(story(doubled, looks, change=2 * odd + 1, change_at=change_at)):
        if began is None and since is not None and _difference % 2:
            began = ms
        if began is not None:
            assert since is not None
            assert since <= began


@given(FLOW, LOOKS, SIZES, st.integers(0, 20_000), st.booleans())
def test_any_drift_differs_for_good_when_the_flow_has_ended(flow, looks, change, change_at, is_lost):
    """Traded by another or a fill that was lost: from the last message on at the latest, repeated or not."""
    if is_lost and flow:
        messages = story(flow, looks, lost=change_at % len(flow))
    else:
        messages = story(flow, looks, change=change, change_at=min(change_at, sum(look[0] for look in looks)))
    end, held = messages[-1][0], [amount for _, kind, amount in messages if kind == "told"][-1]
    again = [(end + 2_000 * number, "told", held) for number in range(1, 10)]
    for ms, difference, since in play([*messages, *again]):
        if ms > end:
            assert difference
            assert since is not None
            assert since <= end


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("late_ms", [1, 50, 1_000])
def test_drift_of_one_lot_is_seen_in_dense_flow_of_lots(seed, late_ms):
    """Each amount told was, by chance, an amount of some moment; in their order they were not."""
    rng = random.Random(seed)  # noqa: S311 - a schedule, no secret
    flow = [(rng.choice((-1, 1)), 10, 0) for _ in range(2_000)]
    looks = [(10, late_ms) for _ in range(2_000)]
    sinces = [since for ms, _, since in play(story(flow, looks, change=1, change_at=5_000)) if ms > 15_000]
    assert None not in sinces
    assert max(sinces) < 15_000 - 2 * LATE_MS + 2_000


@pytest.mark.parametrize("late_ms", [1, 1_000, 3_000])
@pytest.mark.parametrize("late", ["fills", "positions"])
def test_a_fill_found_late_leaves_no_difference_in_steady_flow(late, late_ms):
    """One of twenty seconds ago: what was told meanwhile is explained by it or given up, and the flow agrees again."""
    alignment, rng = Alignment(ZERO, DAY), random.Random(1)  # noqa: S311 - a schedule, no secret
    messages, position, lost = [], 0, 0
    for number in range(1, 600):
        at, size = 100 * number, rng.randint(-9, 9)
        position += size
        messages.append((at + (late_ms if late == "positions" else 0), "told", position, at))
        if number == 100:
            lost = size
        else:
            messages.append((at + (late_ms if late == "fills" else 0), "fill", size, at))
    messages.append((30_000, "fill", lost, 10_000))
    for ms, kind, amount, venue_ms in sorted(messages, key=lambda message: message[0]):
        if kind == "fill":
            alignment.filled(Decimal(amount), DAY + ms * MS, DAY + venue_ms * MS)
        else:
            alignment.told(Decimal(amount), DAY + ms * MS)
        since = alignment.since(DAY + ms * MS)
        if 15_000 < ms < 30_000:
            assert since is not None
            assert since <= DAY + 10_000 * MS + late_ms * MS
        if ms > 30_000 + 2 * LATE_MS:
            assert since is None or DAY + ms * MS - since <= late_ms * MS + 100 * MS


def test_an_old_answer_says_nothing_against_the_stream():
    """It is not what was told last: neither while a fill is awaited, nor after it."""
    alignment = Alignment(ZERO, DAY)
    alignment.told(Decimal(1), DAY + S)
    alignment.answered(ZERO, DAY + S)
    alignment.filled(Decimal(1), DAY + S + MS)
    assert alignment.since(DAY + 2 * S) is None
    alignment.answered(ZERO, DAY + 2 * S)
    assert alignment.since(DAY + 2 * S) is None
    alignment.answered(ZERO, DAY + 2 * S + LATE_NS)
    assert alignment.since(DAY + 2 * S + LATE_NS) == DAY + 2 * S + LATE_NS


def test_answers_alone_are_evidence_too():
    """Of a venue whose stream tells no positions: those that fills explain end a difference, others begin one."""
    alignment = Alignment(ZERO, DAY)
    alignment.filled(Decimal(2), DAY + S)
    assert alignment.since(DAY + S) == DAY + S
    alignment.answered(Decimal(2), DAY + 2 * S)
    assert alignment.since(DAY + 2 * S) is None
    alignment.answered(Decimal(3), DAY + 3 * S)
    alignment.filled(Decimal(2), DAY + 4 * S)
    alignment.answered(Decimal(5), DAY + 5 * S)
    assert alignment.since(DAY + 60 * S) == DAY + 3 * S
    alignment.filled(Decimal(1), DAY + 60 * S)
    assert alignment.since(DAY + 60 * S) is None


def test_what_waits_is_bounded():
    """A position told for hours without a fill, and fills for hours without a position, are held in bounded memory."""
    alignment = Alignment(ZERO, DAY)
    for number in range(3 * TOLD):
        alignment.told(Decimal(1 + number), DAY + number)
    assert alignment.since(DAY + 3 * TOLD) == DAY
    alignment = Alignment(ZERO, DAY)
    for number in range(3 * MOMENTS):
        alignment.filled(Decimal(1), DAY + number)
    alignment.told(Decimal(2 * MOMENTS + 1), DAY + 3 * MOMENTS)
    assert alignment.since(DAY + 3 * MOMENTS) is not None
    alignment.told(Decimal(3 * MOMENTS), DAY + 3 * MOMENTS)
    assert alignment.since(DAY + 3 * MOMENTS) is None
