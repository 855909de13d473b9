"""Fills: each execution once, however it is told."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateways.standards import FillEvent
from oms.fills import FillsPage, trade_key

CLOID = "ab" * 16


def fill(trade_id="1", oid="7", ticker="ETHUSDT", venue="binance", amount="0.5", **more):
    return FillEvent(
        venue=venue,
        ticker=ticker,
        oid=oid,
        trade_id=trade_id,
        amount=Decimal(amount),
        price=Decimal("2400.5"),
        **more,
    )


def test_a_fill_is_new_once():
    """The second report of a trade is not new, whichever channel it comes by."""
    page = FillsPage()
    assert page.add(fill(cloid=CLOID)) is True
    assert page.add(fill(cloid=CLOID)) is False
    assert page.add(fill(cloid=CLOID, snapshot=True, fee=Decimal(1), fee_asset="USDT")) is False
    assert len(page) == 1


def test_a_trade_is_told_apart_by_venue_ticker_order_and_trade():
    """Venues number trades by contract, and both sides of a trade with ourselves carry one trade id."""
    page = FillsPage()
    one = fill()
    others = [fill("2"), fill(oid="8"), fill(ticker="SOLUSDT"), fill(venue="binance2")]
    assert [page.add(f) for f in [one, *others]] == [True] * 5
    assert page.get_all() == [one, *others]
    assert page.get_all("binance", "ETHUSDT") == [one, others[0], others[1]]
    assert page.get_all("binance2") == [others[3]]


def test_a_later_report_adds_what_the_first_did_not_say():
    """Fee, cloid, role and time come by the slower channel and are kept; what was known is not overwritten."""
    page = FillsPage()
    page.add(fill())
    page.add(fill(cloid=CLOID, fee=Decimal("0.2"), fee_asset="USDT", is_maker=True, ts_venue_ns=9, forced=True))
    page.add(fill(cloid="cd" * 16, fee=Decimal(7), fee_asset="BNB", is_maker=False, ts_venue_ns=5))
    known = page.peek("binance", "ETHUSDT", "7", "1")
    assert known == fill(cloid=CLOID, fee=Decimal("0.2"), fee_asset="USDT", is_maker=True, ts_venue_ns=9, forced=True)


def test_a_zero_fee_is_said():
    """A fee of zero is information: a later report does not replace it."""
    page = FillsPage()
    page.add(fill(fee=Decimal(0), fee_asset="USDT"))
    page.add(fill(fee=Decimal(1), fee_asset="USDT"))
    assert page.peek("binance", "ETHUSDT", "7", "1").fee == 0


def test_a_contradiction_is_counted_and_the_first_stands():
    """Another amount or price for a known trade changes nothing but the count."""
    page = FillsPage()
    page.add(fill(amount="0.5"))
    assert page.add(fill(amount="0.50")) is False
    assert page.conflicts == 0
    assert page.add(fill(amount="0.6")) is False
    assert page.conflicts == 1
    assert page.peek("binance", "ETHUSDT", "7", "1").amount == Decimal("0.5")


def test_only_the_last_fills_are_held():
    """The oldest fall out, each in its turn, with what was said of their correction."""
    page = FillsPage(kept=3)
    for number in range(10):
        page.correction(fill(str(number)))
        assert page.add(fill(str(number))) is True
        page.correction(fill(str(number), amount="0.7"))
    assert [f.trade_id for f in page.get_all()] == ["7", "8", "9"]
    assert (len(page), len(page._corrected)) == (3, 3)
    assert page.add(fill("8")) is False


complete = st.builds(
    fill,
    st.sampled_from("123"),
    st.sampled_from("78"),
    st.sampled_from(["ETHUSDT", "SOLUSDT"]),
    cloid=st.just(CLOID),
    fee=st.just(Decimal("0.1")),
    fee_asset=st.just("USDT"),
    is_maker=st.just(True),
    ts_venue_ns=st.just(5),
)
bare = complete.map(
    lambda f: msgspec.structs.replace(f, cloid=None, fee=None, fee_asset="", is_maker=None, ts_venue_ns=0)
)


@given(st.lists(complete | bare), st.randoms(use_true_random=False))
def test_any_order_and_repetition_gives_the_same_page(reports, random):
    """Invariant I8: the same reports, shuffled and doubled, give the same fills with the same knowledge of each."""
    page, other = FillsPage(), FillsPage()
    news = [page.add(report) for report in reports]
    shuffled = reports * 2
    random.shuffle(shuffled)
    more_news = [other.add(report) for report in shuffled]
    assert {trade_key(f): f for f in page.get_all()} == {trade_key(f): f for f in other.get_all()}
    assert sum(news) == sum(more_news) == len({trade_key(report) for report in reports})
    assert page.conflicts == other.conflicts == 0


def test_a_corrected_trade_is_told_once_and_what_was_counted_stands():
    """The same trade with another amount is a correction of the difference, the first time that it is reported."""
    page = FillsPage()
    assert page.correction(fill()) == 0
    page.add(fill())
    assert page.correction(fill()) == 0
    assert page.correction(fill(amount="0.3")) == Decimal("-0.2")
    assert page.correction(fill(amount="0.3", snapshot=True)) == 0
    assert page.correction(fill(amount="0.4")) == Decimal("0.1")
    assert page.peek("binance", "ETHUSDT", "7", "1").amount == Decimal("0.5")
