"""P3: what a hedge book decides when obligations, minimums, prices and rules meet."""

import asyncio
import os

import msgspec
import pytest

from gateways.contracts import round_price
from gateways.errors import Denied
from oms.deltas import HedgeDelta
from oms.hedge.policy import How, Limits
from oms.hedge.state import ChildState
from oms.orders import OrderDelta
from tests.faults.desk import D, under_fault, until
from tests.faults.rows import row


@row
async def test_delayed_and_immediate_obligations_in_one_book(seed):
    """The delayed one is not hedged early; the immediate one is not held up."""
    async with under_fault(seed) as desk:
        later = await desk.place(trigger_after_ms=1_200)
        now = await desk.place(away="0.03")
        desk.fill(later, "0.03")
        filled_at = asyncio.get_running_loop().time()
        desk.fill(now, "0.05")
        await until(lambda: desk.hedged != 0)
        assert abs(desk.hedged) == D("0.05")
        assert desk.book.balance == -D("0.03")
        assert "delay" in desk.book.waits
        await desk.hedged_in_full()
        assert asyncio.get_running_loop().time() - filled_at >= 1.2
        await desk.proven()


@row
async def test_opposite_maker_fill_while_a_child_is_unknown(seed):
    """Only what every resolution of the unknown hedge agrees on is sent."""
    async with under_fault(seed) as desk:
        desk.one_sided = False
        buy = await desk.place()
        sell = await desk.place(sell=True)
        desk.fault("hedge", "answer_lost", verb="place")
        desk.fault("hedge", "push_lost", seconds=60)
        desk.fault("hedge", "order_query_fails", seconds=60)
        desk.fault("hedge", "snapshot_fails", seconds=60)
        desk.fill(buy, "0.05")
        await until(lambda: desk.alerted("counts in full"))
        desk.fill(sell, "0.02")
        await until(lambda: desk.book.balance == D("0.02"))
        assert [child.state for child in desk.children] == [ChildState.UNKNOWN]
        desk.fill(sell, "0.06")
        await until(lambda: len(desk.children) == 2)
        assert desk.children[1].amount == D("0.03"), "0.08 is owed if the unknown one filled, 0.03 if it never was"
        desk.plan(desk.hedge_venue).clear()
        await until(lambda: desk.hedged == desk.target == D("0.03"), 15, desk.story)
        await desk.settled()
        await desk.proven()


@row
async def test_a_price_that_moves_the_balance_over_the_minimum_notional(seed):
    """Under the minimum it waits; a price that lifts it over is enough to send it."""
    async with under_fault(seed, maker="binance", hedge="hyperliquid") as desk:
        exchange = desk.exchange("hedge")
        bid = exchange.best("ETH")[0].price
        quantity = (D("9.97") / bid).quantize(D("0.0001"), rounding="ROUND_FLOOR")
        order = await desk.place("0.1", ratio=quantity / D("0.01"), how=How.IOC, slippage_bps=D(10))
        desk.fill(order, "0.01")
        await until(lambda: "under the minimum" in desk.book.waits)
        assert desk.children == []
        lifted = round_price(exchange.contracts["ETH"], D("10.1") / quantity)
        desk.server.venues["hyperliquid"].faulty.acts.aggress("ETH", D(2000), is_buy=True, price=lifted)
        desk.server.venues["hyperliquid"].deliver()
        await desk.hedged_in_full()
        assert abs(desk.target) == quantity
        await desk.proven()


@row
@pytest.mark.parametrize("act", ["forfeit", "next fill"])
async def test_balance_below_minimum(seed, act):
    """It waits in plain sight with its reason; the operator writes it off, or the next fill takes it along."""
    async with under_fault(seed, maker="hyperliquid", hedge="binance") as desk:
        order = await desk.place()
        desk.fill(order, "0.0105")
        await until(lambda: "under the lot" in desk.book.waits and desk.hedged == -D("0.010"))
        assert desk.book.balance == -D("0.0005")
        assert desk.oms.hedge_book["binance"]["ETHUSDT"].balance == -D("0.0005")
        assert desk.book.ts_waiting_ns > 0
        if act == "forfeit":
            desk.oms.hedge.forfeit("binance", "ETHUSDT", "the operator's will")
            assert desk.book.balance == 0
            desk.fill(order, "0.0105")
            await until(lambda: desk.book.hedged == -D("0.020") and desk.book.balance == -D("0.0005"))
        else:
            desk.fill(order, "0.0105")
            await until(lambda: desk.hedged == -D("0.021"))
            assert desk.book.balance == 0
        await desk.settled()
        await desk.proven()


@row
async def test_round_up_hedges_the_rest_with_the_smallest_order(seed):
    """The operator's round-up sends the venue's smallest order; what it is too much is owed back and never sent."""
    async with under_fault(seed, maker="binance", hedge="hyperliquid") as desk:
        desk.one_sided = False
        order = await desk.place("0.1", sell=True, ratio=D("0.2"))
        desk.fill(order, "0.01")
        await until(lambda: "under the minimum" in desk.book.waits)
        assert desk.book.balance == D("0.002")
        desk.oms.hedge.round_up("hyperliquid", "ETH", "the operator's will")
        await until(lambda: desk.hedged != 0)
        await desk.settled()
        assert desk.hedged > D("0.002")
        assert len(desk.children) == 1
        assert desk.book.balance == desk.target - desk.hedged < 0
        await desk.proven()


@row
async def test_two_makers_opposite_in_one_book(seed):
    """What they filled against each other is netted and never sent; shares add up first in, first out (I12)."""
    async with under_fault(seed) as desk:
        desk.one_sided = False
        buy = await desk.place(trigger_after_ms=800)
        sell = await desk.place(sell=True, trigger_after_ms=800)
        desk.fill(buy, "0.05")
        desk.fill(sell, "0.02")
        await desk.settled()
        assert [child.amount for child in desk.children] == [-D("0.03")]
        shares = {maker: share for (maker, _), share in desk.book.shares.items()}
        assert shares[buy.key].hedged == -D("0.03")
        assert (shares[buy.key].netted, shares[sell.key].netted) == (-D("0.02"), D("0.02"))
        await desk.proven()


@row
async def test_contract_size_changed(seed):
    """The venue's lot becomes coarser: refused once, asked for anew, and the new lot holds for hedges from then on."""
    async with under_fault(seed, maker="hyperliquid", hedge="binance") as desk:
        order = await desk.place()
        exchange = desk.exchange("hedge")
        change_contract(exchange, "ETHUSDT", lot_size=D("0.01"), min_quantity=D("0.01"))
        desk.fill(order, "0.035")
        await until(lambda: desk.hedged == -D("0.03"), 8, desk.story)
        await desk.settled()
        assert desk.book.contract.lot_size == D("0.01")
        assert desk.children[0].cum == 0
        assert "under the lot of 0.01" in desk.book.waits
        desk.fill(order, "0.025")
        await until(lambda: desk.hedged == -D("0.06"))
        await desk.settled()
        await desk.proven()


@row
async def test_contract_delisted(seed):
    """Trading ends in the hedge contract: HOLD, makers cancelled, an alert; new makers with it are refused."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        change_contract(desk.exchange("hedge"), desk.hedge_ticker, trading=False)
        desk.fill(order, "0.05")
        await until(lambda: desk.book.hold, 8, desk.story)
        await until(lambda: desk.oms.page.get(order.key).status.value == "CANCELLED", 5)
        await until(lambda: desk.alerted("HOLD", "error"))
        assert desk.book.balance == desk.target
        await desk.oms.update_exchange_contracts(desk.hedge_venue)
        with pytest.raises(Denied, match=r"not trading|does not trade"):
            await desk.place()


def change_contract(exchange, ticker, **changes):
    """Let the venue publish and enforce other rules from now on."""
    exchange.respecify(msgspec.structs.replace(exchange.contracts[ticker], **changes))


@row
async def test_cap_on_what_is_unhedged(seed):
    """Over the limit the makers that would enlarge it are cancelled (I10)."""
    async with under_fault(seed, limits=Limits(max_unhedged_value=D(100))) as desk:
        order = await desk.place()
        desk.fault("hedge", "answer_lost", verb="place", count=9)
        desk.fault("hedge", "push_lost", seconds=60)
        desk.fault("hedge", "order_query_fails", seconds=60)
        desk.fault("hedge", "snapshot_fails", seconds=60)
        desk.fill(order, "0.06")
        await until(lambda: desk.oms.page.get(order.key).status.value == "CANCELLED", 5, desk.story)
        desk.plan(desk.hedge_venue).clear()
        await desk.hedged_in_full()
        await desk.proven()


@row
async def test_slow_and_throwing_delta_handlers(seed):
    """A handler that sleeps and one that throws delay and break nothing; the slow one gets each order's last state."""
    async with under_fault(seed) as desk:
        slow, calls = {}, []

        async def sleeps(delta):
            calls.append(delta)
            await asyncio.Event().wait() if len(calls) == 1 else None
            slow[delta.after.key] = delta.after

        async def throws(_delta):
            raise RuntimeError("a handler of somebody's")

        desk.oms.register(throws, kinds=(OrderDelta, HedgeDelta), name="throws")
        desk.oms.register(sleeps, kinds=(OrderDelta,), name="stuck for ever")
        order = await desk.place()
        for _ in range(20):
            desk.fill(order, "0.005")
        await until(lambda: desk.target == desk.hedged != 0, 5)
        assert len(calls) <= 1, "it never came back, and nobody waited for it"


@row
async def test_journal_write_fails(seed):
    """Disk full: nothing new is sent, makers are cancelled, the operator is told; what filled stays in sight."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fill(order, "0.02")
        await desk.hedged_in_full()
        full = os.open("/dev/full", os.O_WRONLY)
        try:
            desk.fill_the_disk(full)
            desk.fill(order, "0.05")
            await until(lambda: desk.alerted("journal", "error"))
            await until(lambda: desk.truth("maker").open == {}, 5, "the maker still rests")
        finally:
            os.close(full)
        with pytest.raises(Exception, match=r"(?i)journal|HEDGE|HALT"):
            await desk.place()
        assert abs(desk.hedged) == D("0.02"), "no hedge without a journal"
        assert desk.book.target == desk.target
        assert abs(desk.book.balance) == D("0.05")
