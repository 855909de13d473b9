"""How times are written: as ages, local, UTC."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.times import TimeMode, stamp, written
from tests.console.scripted import NOW, SECOND


@pytest.mark.parametrize(
    ("mode", "millis", "text"),
    [
        (TimeMode.AGE, True, "1m01"),
        (TimeMode.UTC, True, "14:12:19.000"),
        (TimeMode.UTC, False, "14:12:19"),
        (TimeMode.LOCAL, False, "23:12:19"),
        (TimeMode.LOCAL, True, "23:12:19.000"),
    ],
)
def test_a_time_is_written_in_its_mode(mode, millis, text):
    """Local time is that of the zone given: here nine hours ahead."""
    assert written(mode, NOW - 61 * SECOND, NOW, millis=millis, zone=ZoneInfo("Asia/Tokyo")) == text


@pytest.mark.parametrize("mode", TimeMode)
def test_a_time_that_never_was_is_none(mode):
    """Zero is no moment of 1970."""
    assert written(mode, 0, NOW) == "-"


@given(st.sampled_from(TimeMode), st.integers(NOW - 10**17, NOW + 10**17), st.booleans())
def test_a_time_fits_its_column(mode, ts_ns, millis):
    """Whatever the time, the mode's width is enough."""
    assert len(written(mode, ts_ns, NOW, millis=millis, zone=ZoneInfo("America/St_Johns"))) <= mode.width(millis=millis)


def test_the_modes_go_round():
    """Age, local, UTC, age."""
    assert [mode.following for mode in TimeMode] == [TimeMode.LOCAL, TimeMode.UTC, TimeMode.AGE]


def test_a_stamp_has_all_its_nanoseconds():
    """For other programs."""
    assert stamp(NOW + 7) == "2026-09-21T14:13:20.000000007Z"
