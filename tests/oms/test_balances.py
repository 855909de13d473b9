"""Balances: the money as the venue states it."""

from decimal import Decimal

from gateways.standards import BalanceUpdate
from oms.balances import BalancesPage


def balance(total, available=None, ts=0, asset="USDT", venue="binance"):
    return BalanceUpdate(
        venue=venue,
        asset=asset,
        total=Decimal(total),
        available=None if available is None else Decimal(available),
        ts_venue_ns=ts,
    )


def test_a_change_is_a_delta_and_a_repetition_is_none():
    """The first word and every other number is a delta; the same again is none."""
    page = BalancesPage()
    first = page.upsert(balance("100", "90", 1))
    assert (first.before, first.after, first.key) == (None, balance("100", "90", 1), "binance:USDT")
    assert page.upsert(balance("100.0", "90.00", 2)) is None
    second = page.upsert(balance("80", "70", 3))
    assert (second.before.total, second.after.total) == (100, 80)
    assert page.peek("binance", "USDT") == balance("80", "70", 3)
    assert page.peek("binance", "BNB") is None


def test_what_is_available_stays_when_the_message_does_not_say():
    """A stream that states the wallet alone leaves the available amount as last stated."""
    page = BalancesPage()
    page.upsert(balance("100", "90", 1))
    page.upsert(balance("101", None, 2))
    assert page.peek("binance", "USDT") == balance("101", "90", 2)


def test_an_older_word_does_not_undo_a_newer():
    """A message with an earlier venue time changes nothing."""
    page = BalancesPage()
    page.upsert(balance("100", "90", 5))
    assert page.upsert(balance("1", "1", 4)) is None
    assert page.peek("binance", "USDT").total == 100


def test_absent_from_a_snapshot_is_zero():
    """A successful snapshot empties what it does not name, on its own venue only."""
    page = BalancesPage()
    page.upsert(balance("100", "90", 1))
    page.upsert(balance("2", "2", 1, asset="BNB"))
    page.upsert(balance("50", "50", 1, asset="USDC", venue="hyperliquid"))
    deltas = page.snapshot("binance", [balance("100", "85", 2)])
    assert {(d.after.asset, d.after.total, d.after.available) for d in deltas} == {("USDT", 100, 85), ("BNB", 0, 0)}
    assert [b.total for b in page.get_all("hyperliquid")] == [50]
    assert len(page.get_all()) == 3
    assert page.snapshot("binance", [balance("100", "85", 2)]) == []


def test_a_snapshot_does_not_undo_what_the_stream_said_meanwhile():
    """What was read after the question was sent stays, unless the answer carries a later venue time."""
    page = BalancesPage()
    page.upsert(balance("100", "90", 5), ts_recv_ns=150)
    page.upsert(balance("3", "3", 5, asset="BNB"), ts_recv_ns=150)
    assert page.snapshot("binance", [balance("70", "60", 0)], asked_ns=100) == []
    assert page.peek("binance", "USDT").total == 100
    assert [d.after.total for d in page.snapshot("binance", [balance("70", "60", 6)], asked_ns=100)] == [70]
    assert page.peek("binance", "BNB").total == 3


def test_what_is_available_lags_until_it_is_told_again():
    """A total without it leaves the earlier word in doubt; the next answer that has it ends that."""
    page = BalancesPage()
    page.upsert(balance("10", "8", 1))
    assert not page.lags("binance", "USDT")
    page.upsert(balance("9", None, 2))
    assert page.lags("binance", "USDT")
    page.snapshot("binance", [balance("9", "7", 3)])
    assert not page.lags("binance", "USDT")
