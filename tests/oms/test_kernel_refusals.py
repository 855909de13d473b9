"""Refusals by a contract's rules: new rules are waited for, a minimum is not tried at every tick, trading may end."""

from decimal import Decimal

import msgspec
import pytest

from gateways.standards import RejectReason
from oms.hedge import events as e
from tests.oms.test_kernel import MS, D, book, contract, desk, fill, seen, sent

MINIMUM = RejectReason.MIN_NOTIONAL


def specified(kernel, **rules):
    return kernel.apply(e.Specified(contract=msgspec.structs.replace(contract(), **rules), ts_ns=kernel.now_ns + MS))


def priced(kernel, bid):
    now = kernel.now_ns + 300 * MS
    return kernel.apply(e.Priced(venue="b", ticker="X", bid=Decimal(bid), ask=Decimal(bid) + 1, ts_ns=now))


@pytest.mark.parametrize("reason", [RejectReason.LOT, RejectReason.TICK])
def test_new_rules_are_waited_for_before_the_second_try(reason):
    """A venue's contracts take longer than a backoff: the book would be on HOLD for want of an answer."""
    kernel = desk()
    fill(kernel, "0.123")
    commands = seen(kernel, "child1", "0", reason=reason)
    assert [type(command) for command in commands] == [e.RefreshContracts, e.Alert]
    assert sent(kernel.apply(e.Clocked(ts_ns=kernel.now_ns + 2_000 * MS))) == []
    assert sent(specified(kernel, lot_size=D("0.01"))) == [("child2", D("-0.12"))]


def test_rules_that_are_told_unchanged_or_never_are_not_waited_for_forever():
    """No news within the wait: it is tried once more, and then the book is on HOLD."""
    kernel = desk()
    fill(kernel, "0.123")
    seen(kernel, "child1", "0", reason=RejectReason.LOT)
    assert sent(kernel.apply(e.Clocked(ts_ns=kernel.next_due_ns()))) == [("child2", D("-0.123"))]
    seen(kernel, "child2", "0", reason=RejectReason.LOT)
    assert "after a refresh" in book(kernel).hold


def test_new_rules_end_no_other_wait():
    """Rules that come while a rate limit holds hedges back let none out."""
    kernel = desk()
    fill(kernel, "0.123")
    seen(kernel, "child1", "0", reason=RejectReason.RATE_LIMIT)
    assert sent(specified(kernel, lot_size=D("0.01"))) == []


def test_a_rising_price_does_not_try_a_refused_minimum_at_every_tick():
    """I11: what was refused as too small must be worth a hundredth more before it is tried again."""
    kernel = desk()
    fill(kernel, "0.1")
    tries, bid = 0, Decimal(100)
    for _tick in range(1_000):
        if any(child.in_flight for child in kernel.children.values()):
            tries += 1
            seen(kernel, f"child{tries}", "0", reason=MINIMUM)
        bid += Decimal("0.01")
        priced(kernel, bid)
    assert 5 <= tries <= 12
    assert book(kernel).hold == ""


def test_a_minimum_refused_without_a_price_is_tried_rarely():
    """Nothing says what would be enough: not four times a second, and never HOLD."""
    kernel = desk()
    book(kernel).bid = book(kernel).ask = None
    fill(kernel, "0.1")
    seen(kernel, "child1", "0", reason=MINIMUM)
    assert kernel.next_due_ns() == kernel.now_ns + kernel.limits.max_backoff_ns


def test_a_contract_that_ends_trading_stops_its_makers_and_takes_no_new_ones():
    """What fills meanwhile would wait: the makers are cancelled, the operator told, once; it goes on by itself."""
    kernel = desk()
    stop, alert = specified(kernel, trading=False)
    assert (type(stop), type(alert), alert.severity) == (e.StopMakers, e.Alert, "error")
    assert specified(kernel, trading=False, lot_size=D("0.01")) == []
    assert sent(fill(kernel, "1")) == []
    assert "does not trade" in book(kernel).waits
    assert "does not trade" in book(kernel).blocked
    assert sent(specified(kernel)) == [("child1", D(-1))]
    assert book(kernel).blocked == ""


def test_a_contract_first_heard_of_without_trading_stops_the_makers_of_before():
    """After a restart: the makers that still rest feed a book that cannot hedge."""
    kernel = desk()
    book(kernel).contract = None
    assert e.StopMakers in {type(command) for command in specified(kernel, trading=False)}
