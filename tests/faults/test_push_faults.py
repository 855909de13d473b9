"""P2 and P5: what goes wrong with the private messages of makers and hedges."""

import pytest

from tests.faults.desk import D, under_fault, until
from tests.faults.rows import row, slow_row

PARTS = pytest.mark.parametrize("part", ["maker", "hedge"])


@row
@PARTS
async def test_message_duplicated(seed, part):
    """Every private message comes three times: no state changes twice, no decision is made twice (I8)."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault(part, "push_duplicated", seconds=30, delay=0.05)
        desk.fill(order, "0.03")
        await desk.hedged_in_full()
        count, sent = desk.struck(part, "push_duplicated"), len(desk.children)
        assert count >= 2
        assert sent == 1
        desk.fill(order, "0.07")
        await until(lambda: desk.struck(part, "push_duplicated") > count)
        await desk.hedged_in_full()
        assert len(desk.children) == 2
        assert desk.target == -D("0.1")
        await desk.proven()


@row
@PARTS
async def test_messages_reordered(seed, part):
    """A later cumulative size comes before an earlier one: the larger counts, and the earlier changes nothing (I7)."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault(part, "push_reordered", probability=0.5, delay=0.2)
        sizes = ["0.01", "0.02", "0.01", "0.03", "0.02"]
        seen = []
        for size in sizes:
            desk.fill(order, size)
            await until(lambda: desk.book.target != (seen[-1] if seen else D(0)), 5)
            seen.append(desk.book.target)
        await desk.hedged_in_full()
        assert seen == sorted(seen, reverse=True), "a target never falls back"
        assert desk.struck(part, "push_reordered") >= 1
        assert desk.target == -D("0.09")
        await desk.proven()


@row
async def test_fill_before_the_acknowledgement_creates_the_order_record(seed):
    """A maker's fill is pushed before the reply to its request: it is registered already, and hedged at once."""
    async with under_fault(seed, pending=10.0) as desk:
        desk.fault("maker", "answer_late", verb="place", delay=2.0)
        placing = desk.place_soon()
        await until(lambda: desk.truth("maker").open)
        (cloid,) = desk.truth("maker").open
        desk.fill(desk.oms.page.get(cloid), "0.05")
        await until(lambda: abs(desk.hedged) == D("0.05"))
        assert not placing.done(), "hedged before the reply"
        order = await placing
        assert abs(order.filled) == D("0.05")
        await desk.hedged_in_full()
        await desk.proven()


@row
async def test_cancelled_then_fill(seed):
    """The end of a maker is told before its last fill: the late fill is hedged like any other (I4)."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fill(order, "0.02")
        await desk.hedged_in_full()
        desk.fault("maker", "fill_after_cancel", delay=0.3)
        await desk.cancel(order)
        await until(lambda: desk.oms.page.get(order.key).status.terminal)
        await desk.hedged_in_full()
        assert desk.struck("maker", "fill_after_cancel") == 1
        assert abs(desk.target) == D("0.06")
        await desk.proven()


@row
async def test_message_lost_with_the_socket_alive(seed):
    """Every message of a maker's fill is lost: the next reconciliation finds it, and it is hedged once."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("maker", "push_lost", count=6)
        desk.fill(order, "0.05")
        await desk.hedged_in_full(8)
        assert desk.struck("maker", "push_lost") >= 2
        assert len(desk.children) == 1
        await desk.proven()


@row
async def test_hedge_messages_lost_with_the_socket_alive(seed):
    """Nothing is pushed of a hedge: its reply or a query says what became of it; it is never sent again (I3)."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault("hedge", "push_lost", seconds=4)
        desk.fill(order, "0.05")
        await desk.hedged_in_full(10)
        assert len(desk.children) == 1
        await desk.proven()


@row
@pytest.mark.parametrize("lost", ["order_push_lost", "fill_push_lost"])
@PARTS
async def test_trade_stream_and_order_stream_disagree(seed, part, lost):
    """One of the two channels is silent: the larger evidence counts, never the sum of both."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault(part, lost, seconds=20)
        for size in ("0.02", "0.08"):
            desk.fill(order, size)
            await desk.hedged_in_full(8)
        assert desk.struck(part, lost) >= 1
        assert len(desk.children) == 2
        await desk.proven()


@row
@PARTS
async def test_order_status_unknown_to_us_with_a_larger_cumulative_size(seed, part):
    """A status in no documentation: what it says is filled counts."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fault(part, "status_unknown", seconds=20)
        if part == "maker":
            desk.fault(part, "fill_push_lost", seconds=20)
        desk.fill(order, "0.1")
        await desk.hedged_in_full(8)
        assert desk.struck(part, "status_unknown") >= 1
        assert len(desk.children) == 1
        await desk.proven()


@row
@pytest.mark.parametrize("fault", ["stream_cut", "listen_key_expired"])
async def test_private_stream_cut_or_without_its_listen_key(seed, fault):
    """It is opened anew, and the gap is filled from before it: what was missed is hedged once."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fill(order, "0.02")
        await desk.hedged_in_full()
        parts = [part for part in ("maker", "hedge") if fault == "stream_cut" or desk.venue(part) == "binance"]
        for part in parts:
            desk.fault(part, fault)
        await until(lambda: all(desk.struck(part, fault) for part in parts), 5)
        desk.fill(order, "0.08")
        await desk.hedged_in_full(15)
        assert abs(desk.target) == D("0.1")
        await desk.proven()


@slow_row
@pytest.mark.parametrize("fault", ["stream_silent", "websockets_down"])
async def test_both_streams_silent(seed, fault):
    """Nothing is heard of either venue for a while: the snapshot and the gap fill find what was missed."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        desk.fill(order, "0.02")
        await desk.hedged_in_full()
        for part in ("maker", "hedge"):
            desk.fault(part, fault, seconds=3)
        desk.fill(order, "0.03")
        await desk.hedged_in_full(15)
        assert desk.struck("maker", fault) >= 1
        await until(lambda: not any(desk.plan(venue).rules for venue in desk.server.venues), 8)
        desk.fill(order, "0.05")
        await desk.hedged_in_full(15)
        assert abs(desk.target) == D("0.1")
        await desk.proven()


@row
async def test_messages_delayed(seed):
    """Messages come late but in order: hedged late, once."""
    async with under_fault(seed) as desk:
        order = await desk.place()
        for part in ("maker", "hedge"):
            desk.fault(part, "push_delayed", probability=0.7, delay=0.3)
        for size in ("0.01", "0.02", "0.03", "0.04"):
            desk.fill(order, size)
        await desk.hedged_in_full()
        assert desk.struck("maker", "push_delayed") >= 1
        assert abs(desk.target) == D("0.1")
        await desk.proven()
