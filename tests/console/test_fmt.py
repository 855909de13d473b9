from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import fmt

D = Decimal


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        (None, D("0.01"), "-"),
        (D(0), D("0.01"), "0"),
        (D("2431.5"), D("0.01"), "2431.50"),
        (D("1E-7"), None, "0.0000001"),
        (D("1E+5"), D(10), "100000"),
        (D("0.12345"), D("0.01"), "0.12345"),
    ],
)
def test_none_zero_and_numbers_are_written_apart(value, step, text):
    """None is a dash, zero is 0, and a number has the decimals of its step and never fewer than it needs."""
    assert fmt.number(value, step) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**9), max_value=10**9))
def test_a_written_number_reads_back_as_itself(value):
    """What is on screen is the number itself: no digit is lost and none is made up."""
    text = fmt.number(value, D("0.01"), sign=True)
    assert D(text) == value
    assert "e" not in text.lower()


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**11), max_value=10**11))
def test_a_compact_notional_is_short_and_keeps_its_sign(value):
    """A compact notional fits in eight characters and has the sign of its value."""
    text = fmt.compact(value, sign=True)
    assert len(text) <= 8
    assert value == 0 or text.startswith("-" if value < 0 else "+")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (D(950), "950"),
        (D(12_440), "12.4k"),
        (D(1_240_000), "1.24M"),
        (D("999999.2"), "1.00M"),
        (D("9.996"), "10.0"),
        (D("-3100000000"), "-3.10B"),
        (None, "-"),
    ],
)
def test_compact_notionals(value, text):
    """Thousands, millions and billions are written with their letter."""
    assert fmt.compact(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (D("1234.5"), "1,234.50"),
        (D("-0.004"), ">-0.01"),
        (D("0.004"), "<0.01"),
        (D("250000.49"), "250,000"),
        (D(0), "0"),
        (None, "-"),
    ],
)
def test_money_never_rounds_something_to_nothing(value, text):
    """Money under a cent is said to be under a cent, not zero."""
    assert fmt.money(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (60, "1m00"), (3_599, "59m59"), (7_800, "2h10"), (400_000, "4d")]
)
def test_ages_are_at_most_five_characters(seconds, text):
    """An age is written in the largest unit that still tells it apart."""
    assert fmt.age(10**18 + seconds * 10**9, 10**18) == text
    assert len(text) <= 5


def test_an_age_that_never_began_and_one_from_the_future():
    """No time is a dash; a time a little ahead of the clock is now."""
    assert fmt.age(10**18, 0) == "-"
    assert fmt.age(10**18, 10**18 + 5) == "0s"


@given(st.integers(min_value=0, max_value=86_400_000_000_000 - 1))
def test_the_clock_is_exact_to_the_millisecond(ns):
    """The time of day is cut to milliseconds without going through a float."""
    hours, minutes, seconds = fmt.clock(1_700_006_400 * 10**9 + ns).split(":")
    millis = round(D(seconds) * 1000)
    assert (int(hours) * 3600 + int(minutes) * 60) * 1000 + millis == ns // 1_000_000


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (85, "85u"), (1_250, "1.2ms"), (340_000, "340ms"), (2_100_000, "2.1s")]
)
def test_latencies(value, text):
    """A latency has a unit and at most five characters."""
    assert fmt.micros(value) == text


@pytest.mark.parametrize(("text", "zeros"), [("2431.50", 1), ("100", 0), ("3.000", 4), ("0", 0), ("-", 0), ("1.05", 0)])
def test_trailing_zeros_are_those_after_the_point(text, zeros):
    """Only zeros that say nothing are found, with the point itself when nothing stays behind it."""
    assert fmt.trailing_zeros(text) == zeros


def test_a_percentage_is_rounded_down():
    """Only what is whole is called 100%."""
    assert fmt.percent(D("0.9999"), D(1)) == "99%"
    assert fmt.percent(D(1), D(1)) == "100%"
    assert fmt.percent(D(0), D(0)) == "-"


def test_unknown_words_are_shown_as_they_came():
    """A status that this console does not know is shown, not hidden."""
    assert fmt.status("SETTLING") == "settling"
    assert fmt.hedge_state("resting") == "resting"


@given(st.text(max_size=40), st.integers(min_value=0, max_value=20))
def test_fitted_text_is_never_too_wide(text, width):
    """A text cut to a width fits it, and says that it was cut."""
    cut = fmt.fit(text, width)
    assert len(cut) <= width
    assert cut == text or cut.endswith("…") or width == 0


def test_long_ids_are_cut_for_reading_and_nothing_else_is():
    """An order id in a line is cut to the start that names it; words and numbers stay."""
    assert fmt.brief(f"cancel {'7f3a9c11' * 4}") == "cancel 7f3a9c"
    assert fmt.brief("buy 1234567890 binance:ETHUSDT @ 2431.5") == "buy 1234567890 binance:ETHUSDT @ 2431.5"
