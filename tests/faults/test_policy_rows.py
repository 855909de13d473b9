"""P1 and P4: what a leg's policy and the operator do when the venue does not play along."""

import pytest

from gateways.errors import Denied, VenueError
from gateways.paper.quoter import MAKER
from gateways.standards import ZERO
from gateways.venue import Channel
from oms.cloid import CloidKind, parse
from oms.hedge.decision import RATE_LIMITED
from oms.hedge.policy import How, Limits, OnFailure, Rung
from oms.hedge.state import ChildState
from tests.faults.desk import D, under_fault, until
from tests.faults.rows import row, slow_row

QUICK = Limits(max_failures=2, backoff_ns=50_000_000)


@row
async def test_reduce_only_leg_without_the_position(seed):
    """Refused when it is placed: it could never fit."""
    async with under_fault(seed) as desk:
        with pytest.raises(Denied, match=r"reduce"):
            await desk.place(reduce_only=True)
        assert desk.truth("maker").placed == {}


@row
async def test_reduce_only_leg_fits_the_position(seed):
    """With a position to reduce it hedges, and never beyond it."""
    async with under_fault(seed) as desk:
        await desk.oms.market_order({"exc": desk.hedge_venue, "ticker": desk.hedge_ticker, "amount": D("0.2")})
        await until(lambda: desk.oms.positions.get(desk.hedge_venue, desk.hedge_ticker) == D("0.2"))
        order = await desk.place(reduce_only=True)
        desk.fill(order, "0.1")
        await desk.hedged_in_full()
        assert desk.truth("hedge").positions == {desk.hedge_ticker: D("0.1")}


def taken_away(desk, times):
    """Let so many limit hedges find that others have just traded at their price; return what each found."""
    exchange = desk.exchange("hedge")
    submit = exchange.submit
    found = []

    def submitted(account, new):
        cloid = parse(new.client_id)
        if cloid is not None and cloid.kind is CloidKind.HEDGE and new.price is not None and len(found) < times:
            for quote in exchange.open_orders(MAKER, new.ticker):
                if quote.is_buy is not new.is_buy and (quote.price - new.price) * (1 if new.is_buy else -1) <= 0:
                    exchange.cancel(MAKER, new.ticker, order_id=quote.order_id)
            found.append(exchange.best(new.ticker))
        return submit(account, new)

    exchange.submit = submitted
    return found


@slow_row
async def test_on_failure_escalates_to_the_market(seed):
    """Limit hedges that fill nothing end in one market order."""
    async with under_fault(seed, limits=QUICK, pending=3.0) as desk:
        rungs = (Rung(how=How.IOC, slippage_bps=ZERO),)
        order = await desk.place(rungs=rungs, on_failure=OnFailure.ESCALATE)
        missed = taken_away(desk, 2)
        desk.fill(order, "0.05")
        await desk.hedged_in_full()
        await until(lambda: desk.alerted("now as a market order"))
        assert len(missed) == 2
        assert not desk.book.hold
        await desk.proven()


@slow_row
async def test_rate_limits_are_no_failures(seed):
    """More refusals for rate than the retry budget has, under a policy that would unwind: no HOLD, and hedged."""
    limits = Limits(max_failures=1)
    # A second's reconciliations would spend the questions' share of the budget while it waits.
    async with under_fault(seed, limits=limits, pending=3.0, refresh=10.0) as desk:
        order = await desk.place(on_failure=OnFailure.UNWIND)
        desk.fault("hedge", "reject_rate_limit", count=2, retry_after=1)
        desk.fill(order, "0.05")
        await until(lambda: desk.book.waits == RATE_LIMITED and desk.book.balance == -D("0.05"))
        await desk.hedged_in_full(60)
        assert desk.struck("hedge", "reject_rate_limit") == 2
        assert desk.book.failures == desk.book.forfeited == 0
        assert not desk.alerted("HOLD")
        assert len(desk.children) <= 6, "asked as often as it was told"
        await desk.proven()


@row
async def test_on_failure_unwinds_on_the_makers_venue(seed):
    """What cannot be hedged is closed where it was made, and forfeited; the book holds and the operator is told."""
    async with under_fault(seed, limits=QUICK) as desk:
        order = await desk.place(on_failure=OnFailure.UNWIND)
        desk.fault("hedge", "reject_margin", seconds=60)
        desk.fill(order, "0.05")
        await until(lambda: desk.book.forfeited == desk.target == -D("0.05"), 10, desk.story)
        assert desk.truth("maker").positions == {}
        assert desk.book.balance == 0
        assert desk.book.hold
        await until(lambda: desk.alerted("HOLD", "error"))
        await until(lambda: desk.oms.page.get(order.key).status.value == "CANCELLED")


@slow_row
async def test_an_unknown_hedge_that_the_operator_takes_as_not_sent(seed):
    """The operator need not wait for the proof; if it turns up after all, it counts and the excess is owed back."""
    async with under_fault(seed) as desk:
        desk.one_sided = False
        order = await desk.place()
        desk.fault("hedge", "accepted_late", delay=3.0)
        desk.fill(order, "0.05")
        await until(lambda: desk.alerted("counts in full"))
        (unknown,) = desk.children
        desk.oms.hedge.assume_absent(unknown.cloid, "I have looked")
        await until(lambda: desk.hedged == -D("0.05"))
        assert unknown.state is ChildState.DONE
        await until(lambda: desk.struck("hedge", "accepted_late") == 1 and unknown.cum != 0, 10, desk.story)
        await until(lambda: desk.hedged == desk.target == -D("0.05") and len(desk.truth("hedge").fills) == 3, 15)
        await desk.settled()
        await desk.proven()


@row
async def test_hedge_that_meets_our_own_maker_after_all(seed):
    """The maker in its way fills before its cancel: both fills count, each is hedged in its own book."""
    async with under_fault(seed) as desk:
        desk.one_sided = False
        first = await desk.place()
        bid, _ask = desk.exchange("hedge").best(desk.hedge_ticker)
        other = await desk.oms.hedge_order(
            {"exc": desk.hedge_venue, "ticker": desk.hedge_ticker, "amount": D("0.02"), "price": bid.price},
            {"exc": desk.maker_venue, "ticker": desk.maker_ticker},
        )
        desk.fault("hedge", "filled_before_cancel")
        desk.fill(first, "0.05")
        await until(lambda: desk.hedged == -D("0.05"))
        back = desk.oms.kernel.books[desk.maker_venue, desk.maker_ticker]
        await until(lambda: back.target == back.hedged == -D("0.02"), 10)
        sold = [one.filled for key, one in desk.truth("maker").fills.items() if parse(key).kind is CloidKind.HEDGE]
        assert sum(sold, ZERO) == -D("0.02")
        assert desk.oms.page.get(other.key).status.value == "FILLED"
        await desk.settled_books()
        await desk.proven()


@slow_row
async def test_maker_venue_without_websockets_is_cancelled_by_http(seed):
    """The order socket is down: the cancel goes by HTTP, and what filled before is hedged."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("maker", "websockets_down", seconds=4)
        await until(lambda: not desk.oms.health.connected(desk.maker_venue, Channel.TRADE), 5)
        desk.fill(order, "0.03")
        try:
            await desk.oms.cancel_order(order.venue, order.ticker, cloid=order.key)
        except VenueError as error:
            pytest.fail(f"not cancelled: {error}")
        assert desk.truth("maker").open == {}
        await desk.hedged_in_full(10)
        await desk.proven(10)
