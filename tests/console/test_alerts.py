from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.alerts import RING_EVERY_NS, Alerts, Kind
from console.link import Frame, LogLine
from console.panes.mirror import Mirror
from console.screens.alerts import AlertsScreen
from tests.console.pilots import staged
from tests.console.scripted import MAKER, NOW, SECOND, book, desk_frame, header, order

D = Decimal


def line(text, *, severity="error", event="alert"):
    return LogLine(ts_ns=NOW, kind="alert", severity=severity, venue="binance", text=text, event=event)


def told(alerts, mirror, frame, at=0):
    frame.header = header(now_ns=NOW + at * SECOND) if frame.header is None else frame.header
    mirror.apply(frame, NOW + at * SECOND)
    return alerts.take(frame, mirror)


def test_each_kind_of_trouble_is_told_once_when_it_begins():
    """A refused order, a way that is down, a red book, a state: each once, however often the rows come again."""
    alerts, mirror = Alerts(), Mirror()
    rejected = order(MAKER, status="REJECTED", terminal=True, reason="margin")
    red = book(balance=D("-1"), notional=D("-2500"), ts_waiting_ns=NOW - 60 * SECOND, waits="held")
    kinds = [each.kind for each in told(alerts, mirror, Frame(orders=[rejected], books=[red]))]
    assert kinds == [Kind.REJECT, Kind.RESIDUAL]
    assert told(alerts, mirror, Frame(orders=[rejected], books=[red]), 1) == []
    calm = book(balance=D(0), notional=D(0), ts_waiting_ns=0)
    assert told(alerts, mirror, Frame(books=[calm]), 2) == []
    (again,) = told(alerts, mirror, Frame(books=[red]), 60)
    assert again.kind is Kind.RESIDUAL
    (state,) = told(alerts, mirror, Frame(header=header(now_ns=NOW + 61 * SECOND, trading="HEDGE-ONLY")), 61)
    assert (state.kind, state.text) == (Kind.STATE, "the desk is HEDGE-ONLY")


def test_the_engines_own_alerts_have_the_kind_of_their_event():
    """A hedge that failed, an outage and a limit are told apart; information is no alert."""
    alerts, mirror = Alerts(), Mirror()
    log = [line("a", event="hold"), line("b", event="down"), line("c", event="limit"), line("d", severity="warning"),
           line("e", severity="info")]  # fmt: skip
    found = told(alerts, mirror, Frame(log=log))
    assert [(each.kind, each.rings) for each in found] == [
        (Kind.HEDGE, True), (Kind.DOWN, True), (Kind.LIMIT, True), (Kind.NOTE, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ({"balance": D("-42.5"), "notional": D(-5712)}, Kind.RESIDUAL,
         "binance:ETHUSDT -42.5 is not hedged, worth 5,712.00: HOLD: no margin"),
        ({"balance": D("0.00"), "notional": D(0), "waits": "", "blocked": "binance is down"}, Kind.HEDGE,
         "binance:ETHUSDT sends no hedges: binance is down"),
        ({"balance": D(0), "notional": D(0), "waits": ""}, Kind.HEDGE, "binance:ETHUSDT sends no hedges: hold"),
    ],
)  # fmt: skip
def test_a_book_that_turns_red_says_what_is_not_hedged_or_that_nothing_would_be(changes, kind, text):
    """A book on hold in which nothing waits is no balance of 0.00."""
    alerts, mirror = Alerts(), Mirror()
    held = {"state": "hold", "waits": "HOLD: no margin", **changes}
    (alert,) = told(alerts, mirror, Frame(header=header(), books=[book(**held)]))
    assert (alert.kind, alert.text) == (kind, text)


def test_what_is_said_again_is_counted_on_the_line_that_said_it_first():
    """The history does not fill with one sentence; after a while it is news again."""
    alerts, mirror = Alerts(), Mirror()
    for second in range(20):
        told(alerts, mirror, Frame(log=[line("the same")]), second)
    assert [(each.text, each.times) for each in alerts.history] == [("the same", 20)]
    assert len(told(alerts, mirror, Frame(log=[line("the same")]), 80)) == 1


@given(st.lists(st.integers(0, 3 * SECOND), min_size=1, max_size=60))
def test_the_bell_rings_at_a_bounded_rate_and_never_when_muted(gaps):
    """However many alerts come, two bells are never closer than the limit."""
    alerts, mirror, now, rang = Alerts(), Mirror(), NOW, []
    for number, gap in enumerate(gaps):
        now += gap
        news = told(alerts, mirror, Frame(header=header(now_ns=now), log=[line(f"trouble {number}")]))
        if alerts.ring(news, now):
            rang.append(now)
    assert all(later - earlier >= RING_EVERY_NS for earlier, later in pairwise(rang))
    assert rang[0] == NOW + gaps[0]
    alerts.muted = True
    news = told(alerts, mirror, Frame(header=header(now_ns=now + 60 * SECOND), log=[line("more")]))
    assert not alerts.ring(news, now + 60 * SECOND)
    assert alerts.title(now + 60 * SECOND) == ""


def test_the_title_tells_the_last_alert_for_a_while():
    """While it is fresh, and no longer."""
    alerts, mirror = Alerts(), Mirror()
    assert alerts.ring(told(alerts, mirror, Frame(log=[line("margin is short", event="hold")])), NOW)
    assert alerts.title(NOW + SECOND) == "! hedge: margin is short"
    assert alerts.title(NOW + 10 * SECOND) == ""


async def test_an_error_is_a_toast_and_a_line_of_the_history():
    """The key opens the history, which lists what was told with how often; escape leads back."""
    async with staged(size=(120, 40)) as stage:
        for _ in range(2):
            stage.feed(Frame(header=header(), log=[line("hedge 9c7d10 refused: margin", event="hold")]))
        await stage.until(lambda: "hedge 9c7d10 refused: margin" in stage.text())
        await stage.press("exclamation_mark")
        await stage.opened(AlertsScreen)
        await stage.until(lambda: "2x" in stage.text())
        await stage.press("escape")
        await stage.on_desk()


async def test_panic_works_over_the_history():
    """As over every other screen."""
    async with staged(desk_frame()) as stage:
        await stage.press("exclamation_mark")
        await stage.opened(AlertsScreen)
        await stage.press("f9")
        await stage.until(lambda: stage.link.lines == ["panic"])
