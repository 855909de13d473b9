"""Health: the facts of each venue as they were told, in bounded memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.venue import Channel, ChannelState
from oms.health import OTHER_REASON, REASONS, SAMPLES, HealthPage, Quantiles, VenueHealth


@pytest.fixture
def page():
    return HealthPage()


def done(page, took_ns, *, ok=True, venue="binance"):
    page.request_done(venue, "place", sent="POST /fapi/v1/order", answer="200", took_ns=took_ns, ok=ok)


def test_of_a_venue_never_heard_of_nothing_is_up(page):
    """No facts are shown as no facts, and asking makes none."""
    assert page.row("binance") == VenueHealth(venue="binance")
    assert page.row("binance").round_trip == Quantiles(0, None, None)
    assert not page.connected("binance", Channel.PRIVATE)
    assert page.venues == ()


def test_channels_are_told_apart(page):
    """Each channel has its own state; reconnects add up; a channel that is down says why."""
    page.channel_changed("binance", ChannelState(Channel.PRIVATE, connected=True, ts_last_ns=50, reconnects=2))
    page.channel_changed("binance", ChannelState(Channel.PUBLIC, connected=True, ts_last_ns=60, reconnects=1))
    page.channel_changed("binance", ChannelState(Channel.TRADE, connected=False, note="refused"))
    row = page.row("binance")
    assert (row.private, row.public, row.trade, row.rest) == (True, True, False, False)
    assert (row.ts_private_ns, row.ts_public_ns, row.reconnects, row.note) == (50, 60, 3, "refused")
    page.channel_changed("binance", ChannelState(Channel.PRIVATE, connected=False, ts_last_ns=50, note="cut"))
    assert not page.row("binance").private
    assert set(page.row("binance").note.split(" · ")) == {"refused", "cut"}
    assert page.channel("binance", Channel.PRIVATE).note == "cut"
    page.channel_changed("binance", ChannelState(Channel.TRADE, connected=True))
    page.channel_changed("binance", ChannelState(Channel.PRIVATE, connected=True, note="back after 2 s"))
    assert page.row("binance").note == "back after 2 s"


def test_the_last_word_of_a_stream_never_gets_older(page):
    """The time of the last message is the latest told, by message or by state."""
    page.heard("binance", 100, private=True)
    page.heard("binance", 90, private=True)
    page.heard("binance", 70, private=False)
    page.channel_changed("binance", ChannelState(Channel.PRIVATE, connected=True, ts_last_ns=80))
    row = page.row("binance")
    assert (row.ts_private_ns, row.ts_public_ns) == (100, 70)


def test_only_requests_that_were_done_are_round_trips(page):
    """A failed request is counted, but the length of a timeout is not a round trip."""
    done(page, 1_000)
    done(page, 5_000_000_000, ok=False)
    row = page.row("binance")
    assert (row.requests, row.failures) == (2, 1)
    assert row.round_trip == Quantiles(1, 1_000, 1_000)


def test_quantiles_are_by_nearest_rank(page):
    """Of 1 to 100 the median is 50 and the 99th percentile is 99."""
    for took in range(100, 0, -1):
        page.hedge_sent("binance", took)
    assert page.row("binance").hedge == Quantiles(100, 50, 99)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=SAMPLES + 40))
def test_quantiles_are_of_the_last_samples(durations):
    """At least the stated share of the last samples is at or under a quantile, and less under any smaller sample."""
    page = HealthPage()
    for took in durations:
        done(page, took)
    last = durations[-SAMPLES:]
    found = page.row("binance").round_trip
    assert found.count == len(last)
    for percent, value in ((50, found.p50_ns), (99, found.p99_ns)):
        assert value in last
        assert sum(took <= value for took in last) * 100 >= percent * len(last)
        assert sum(took < value for took in last) * 100 < percent * len(last)


def test_dropped_messages_are_counted_by_reason_in_bounded_memory(page):
    """A reason that quotes the message cannot fill the memory: very many reasons count as one."""
    page.message_dropped("binance", "unknown type x")
    for number in range(REASONS + 20):
        page.message_dropped("binance", f"malformed {number}")
    page.message_dropped("binance", "unknown type x")
    row = page.row("binance")
    assert row.dropped == REASONS + 22
    assert row.dropped_by_reason["unknown type x"] == 2
    assert row.dropped_by_reason[OTHER_REASON] == 21
    assert len(row.dropped_by_reason) == REASONS + 1


def test_a_row_is_of_its_moment(page):
    """What is told later does not change a row that was read."""
    page.message_dropped("binance", "x")
    row = page.row("binance")
    page.message_dropped("binance", "x")
    page.clock_measured("binance", -3)
    assert (row.dropped_by_reason, row.clock_offset_ns) == ({"x": 1}, None)
    assert page.row("binance").clock_offset_ns == -3


def test_venues_do_not_mix(page):
    """Each venue has its own facts."""
    done(page, 10)
    done(page, 99, venue="hyperliquid")
    assert page.venues == ("binance", "hyperliquid")
    assert page.row("hyperliquid").round_trip.p50_ns == 99
    assert page.row("binance").requests == 1
