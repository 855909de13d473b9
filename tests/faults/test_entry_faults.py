"""P1 and P4: what goes wrong with the requests that place makers and hedges."""

import asyncio

import pytest

from gateways.errors import Denied, Unknown, VenueError
from gateways.venue import Channel
from oms.hedge.policy import How, Rung
from oms.hedge.state import ChildState
from tests.faults.desk import D, under_fault, until
from tests.faults.rows import row, slow_row

CARRIED_OUT = ["answer_lost", "answer_5xx", "answer_unknown", "cut_during", "cut_after"]
NOT_CARRIED_OUT = ["refused_answer_lost", "cut_before"]
UNLESS_BY_HTTP = 3
"""Seconds for which only HTTP works, where a row drills it."""


async def http_only(desk):
    """Leave the hedge's venue only HTTP for a while, once the desk knows of it."""
    desk.fault("hedge", "websockets_down", seconds=UNLESS_BY_HTTP)
    await until(lambda: not desk.oms.health.connected(desk.hedge_venue, Channel.TRADE), 5)


@row
@pytest.mark.parametrize("silent", [False, True], ids=["", "stream silent"])
@pytest.mark.parametrize("fault", CARRIED_OUT)
async def test_submit_carried_out_without_an_answer(seed, fault, silent):
    """Timeout, 5xx, unknown code or disconnect after the hedge was taken: found and adopted, never sent again."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("hedge", fault, verb="place")
        if silent:
            desk.fault("hedge", "stream_silent", seconds=2)
        desk.fill(order, "0.05")
        await desk.hedged_in_full()
        assert desk.struck("hedge", fault) == 1
        assert len(desk.children) == 1
        assert len(desk.truth("hedge").placed) == 1
        await desk.proven()


@slow_row
@pytest.mark.parametrize("fault", NOT_CARRIED_OUT)
async def test_submit_refused_without_an_answer(seed, fault):
    """The venue never had the hedge: it counts in full until two answers prove that, then a new intent goes out."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("hedge", fault, verb="place")
        desk.fill(order, "0.05")
        await until(lambda: desk.alerted("counts in full"))
        (child,) = desk.children
        assert child.state is ChildState.UNKNOWN
        desk.fill(order, "0.02")
        await until(lambda: desk.hedged != 0)
        assert child.state is ChildState.UNKNOWN, "what came after is hedged without waiting for the unknown one"
        assert abs(desk.hedged) == D("0.02")
        await desk.hedged_in_full()
        assert child.cloid not in desk.truth("hedge").placed
        assert abs(desk.target) == D("0.07")
        await desk.proven()


@slow_row
async def test_submit_accepted_late(seed):
    """The hedge is taken seconds after its request: seen then, and nothing was sent in its place meanwhile."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("hedge", "accepted_late", verb="place")
        desk.fill(order, "0.05")
        await until(lambda: desk.alerted("counts in full"))
        assert desk.book.in_flight == desk.book.target
        await desk.hedged_in_full()
        assert len(desk.children) == 1
        await desk.proven()


@slow_row
@pytest.mark.parametrize("fault", [*CARRIED_OUT, *NOT_CARRIED_OUT])
async def test_submit_by_http_without_an_answer(seed, fault):
    """The same over HTTP, the way that is left when the order socket is down."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        await http_only(desk)
        desk.fault("hedge", fault, verb="place", channel="rest")
        desk.fill(order, "0.05")
        await desk.hedged_in_full()
        assert desk.struck("hedge", fault) == 1
        assert len(desk.children) == (1 if fault in CARRIED_OUT else 2)
        await desk.proven()


@row
@pytest.mark.parametrize("fault", CARRIED_OUT)
async def test_maker_submit_without_an_answer(seed, fault):
    """The maker may exist: it is found, and what it filled meanwhile is hedged."""
    async with under_fault(seed) as desk:
        desk.fault("maker", fault, verb="place")
        try:
            await desk.place()
        except Unknown:
            assert fault != "cut_after"
        (cloid,) = desk.truth("maker").open
        desk.fill(desk.oms.page.get(cloid), "0.05")
        await desk.hedged_in_full()
        await until(lambda: desk.oms.page.get(cloid).status.value == "PARTIAL")
        await desk.proven()


@slow_row
@pytest.mark.parametrize("fault", NOT_CARRIED_OUT)
async def test_maker_submit_refused_without_an_answer(seed, fault):
    """A maker that the venue never had ends REJECTED, after the acceptance window and two answers, with no target."""
    async with under_fault(seed) as desk:
        desk.fault("maker", fault, verb="place")
        with pytest.raises(VenueError):
            await desk.place()
        (cloid,) = desk.oms.kernel.makers
        assert desk.oms.page.get(cloid).status.value == "UNKNOWN"
        await until(lambda: desk.oms.page.get(cloid).status.value == "REJECTED", 12)
        assert desk.book.target == 0
        assert desk.truth("maker").placed == {}


@row
@pytest.mark.parametrize("fault", ["reject_lot", "reject_tick"])
async def test_definitive_reject_lot_or_tick(seed, fault):
    """The contracts are asked for anew once; the quantity is in the balance again and goes with the next hedge."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("hedge", fault)
        desk.fill(order, "0.05")
        await desk.hedged_in_full()
        assert [child.cum for child in desk.children] == [0, desk.target]
        await until(lambda: desk.alerted("asking for the contract's rules"))
        assert not desk.book.hold
        await desk.proven()


@row
@pytest.mark.parametrize("fault", ["reject_lot", "reject_tick"])
async def test_definitive_reject_lot_or_tick_again(seed, fault):
    """Refused after the refresh too: HOLD with the reason, makers stopped, no loop; hedged once resumed."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("hedge", fault, count=2)
        desk.fill(order, "0.05")
        await held(desk, order, "after a refresh", attempts=2)
        assert desk.book.balance == desk.target
        await resumed(desk)


@row
async def test_definitive_reject_minimum_notional(seed):
    """Under the venue's minimum: contracts refreshed, the quantity waits for more or a better price, never HOLD."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("hedge", "reject_min_notional")
        desk.fill(order, "0.05")
        await until(lambda: desk.alerted("under the venue's minimum"))
        assert desk.children[0].cum == 0
        await until(lambda: "under the minimum" in desk.book.waits or desk.hedged != 0)
        assert not desk.book.hold
        desk.fill(order, "0.02")
        await desk.hedged_in_full()
        assert abs(desk.target) == D("0.07")
        assert len(desk.children) <= 3
        await desk.proven()


@row
@pytest.mark.parametrize(
    ("fault", "why"),
    [("reject_margin", "margin"), ("reject_reduce_only", "reduce-only"), ("reject_halted", "does not trade")],
)
async def test_reject_insufficient_margin_reduce_only_symbol_halted(seed, fault, why):
    """Asking again cannot mend it: HOLD at the first refusal, makers cancelled, an alert, no loop."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("hedge", fault, seconds=60)
        desk.fill(order, "0.05")
        await held(desk, order, why, attempts=1)
        desk.plan(desk.hedge_venue).clear()
        await resumed(desk)


async def held(desk, order, why, *, attempts):
    """The book is on HOLD for that reason, after so many attempts, and its maker is cancelled."""
    await until(lambda: why in desk.book.hold, 10, desk.story)
    await until(lambda: desk.oms.page.get(order.key).status.value == "CANCELLED", 5, "the maker still works")
    await until(lambda: desk.alerted("HOLD", "error"), 5)
    assert len(desk.children) == attempts
    assert desk.hedged == 0


async def resumed(desk):
    """The operator resumes the book, and it hedges."""
    desk.oms.hedge.resume(desk.hedge_venue, desk.hedge_ticker)
    await desk.hedged_in_full()
    await desk.proven()


@row
async def test_reject_rate_limit(seed):
    """Refused for its rate: backs off as told, a handful of attempts at most, then hedged."""
    async with under_fault(seed, pending=3.0) as desk:  # longer than the pause: waiting to send is not "no answer"
        order = await desk.place()
        started = asyncio.get_running_loop().time()
        desk.fault("hedge", "reject_rate_limit", retry_after=1)
        desk.fill(order, "0.05")
        await until(lambda: desk.struck("hedge", "reject_rate_limit") == 1)
        assert desk.book.target == desk.target
        await desk.hedged_in_full()
        if desk.hedge_venue == "binance":
            assert asyncio.get_running_loop().time() - started >= 0.9
        assert len(desk.children) <= 5
        await desk.proven()


@row
@pytest.mark.parametrize("leg", [{"how": How.IOC, "slippage_bps": D(20)}, {}], ids=["ioc", "market"])
async def test_ioc_part_filled_rest_killed(seed, leg):
    """What an IOC leaves returns to the balance by derivation and goes with the next."""
    async with under_fault(seed) as desk:
        order = await desk.place(**leg)
        desk.fault("hedge", "ioc_part_filled", share=D("0.5"))
        desk.fill(order, "0.1")
        await desk.hedged_in_full()
        assert desk.struck("hedge", "ioc_part_filled") == 1
        assert 0 < abs(desk.children[0].cum) < D("0.1")
        assert len(desk.children) >= 2
        await desk.proven()


LADDER = (Rung(how=How.JOIN, for_ms=300), Rung(how=How.IOC, slippage_bps=D(10)), Rung())


@row
async def test_passive_hedge_not_filled_in_time(seed):
    """Joined, then cancelled and crossed: the replacement is sized after the end of what it replaces."""
    async with under_fault(seed) as desk:
        order = await desk.place(rungs=LADDER)
        desk.fill(order, "0.05")
        await desk.hedged_in_full()
        assert desk.children[0].rung == 0
        assert sum(abs(child.cum) for child in desk.children) == D("0.05")
        await desk.proven()


@row
@pytest.mark.parametrize("fault", ["fill_during_cancel", "filled_before_cancel", "fill_after_cancel"])
async def test_hedge_fills_while_its_cancel_is_under_way(seed, fault):
    """A joined hedge fills as its cancel arrives: the rest alone is hedged after its end."""
    async with under_fault(seed) as desk:
        order = await desk.place(rungs=LADDER)
        desk.fault("hedge", fault, delay=0.2)
        desk.fill(order, "0.05")
        await desk.hedged_in_full()
        assert sum(abs(child.cum) for child in desk.children) == D("0.05")
        await desk.proven()


@row
async def test_hedge_order_would_meet_our_own_resting_order(seed):
    """Our own order is cancelled first, the hedge waits for that; nothing is traded with ourselves."""
    async with under_fault(seed) as desk:
        exchange = desk.exchange("hedge")
        bid, _ask = exchange.best(desk.hedge_ticker)
        order = await desk.place()
        own = await desk.oms.limit_order(
            {"exc": desk.hedge_venue, "ticker": desk.hedge_ticker, "amount": D("0.02"), "price": bid.price}
        )
        submit, resting = exchange.submit, []

        def hedge_comes(account, new):
            if account == desk.account(desk.hedge_venue):
                resting.append([one.client_id for one in exchange.open_orders(account, new.ticker)])
            return submit(account, new)

        exchange.submit = hedge_comes
        desk.fill(order, "0.05")
        await desk.hedged_in_full()
        assert resting == [[]], "nothing of ours rests there when the hedge comes"
        assert desk.oms.page.get(own.key).status.terminal, "cancelled, if the market did not take it before"
        await desk.proven()


@row
async def test_leg_on_the_makers_own_contract_and_two_legs_on_one_contract(seed):
    """Refused with a clear sentence; nothing is sent."""
    async with under_fault(seed) as desk:
        maker = {"exc": desk.maker_venue, "ticker": desk.maker_ticker, "amount": D("0.1"), "price": D("2000")}
        own = {"exc": desk.maker_venue, "ticker": desk.maker_ticker}
        other = {"exc": desk.hedge_venue, "ticker": desk.hedge_ticker}
        with pytest.raises(Denied, match="own contract"):
            await desk.oms.hedge_order(maker, own)
        with pytest.raises(Denied, match=r"leg"):
            await desk.oms.hedge_order(maker, [{**other, "ratio": D("0.5")}, {**other, "ratio": D("0.5")}])
        assert desk.truth("maker").placed == {}


@row
async def test_rate_limiter_saturated_by_queries(seed):
    """A flood of questions does not hold up a hedge: cancels and hedges have a share of their own."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        venue = desk.oms.gateway.venue(desk.hedge_venue)
        flood = [asyncio.ensure_future(venue.book(desk.hedge_ticker, 1000)) for _ in range(600)]
        try:
            await until(lambda: any(one.done() for one in flood))
            started = asyncio.get_running_loop().time()
            desk.fill(order, "0.05")
            await until(lambda: desk.hedged != 0, 5)
            assert asyncio.get_running_loop().time() - started < 2.0
        finally:
            for one in flood:
                one.cancel()
            await asyncio.gather(*flood, return_exceptions=True)
        await until(lambda: desk.target == desk.hedged)
