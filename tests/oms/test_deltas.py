"""The broadcast: the hook first, everybody else behind their own bounded queue."""

import asyncio
from decimal import Decimal

import msgspec

from gateways.standards import OrderStatus
from oms.deltas import Broadcast, HedgeDelta
from oms.orders import Order, OrderDelta, Role


def delta(key="a", fill=0, status=OrderStatus.NEW):
    order = Order(key=key, venue="v", ticker="X", role=Role.MAKER, amount=Decimal(10), status=status)
    return OrderDelta(before=None, after=order, changed=("filled",), label="x", last_fill=Decimal(fill))


async def settled(broadcast):
    while not broadcast.idle:
        await asyncio.sleep(0)


async def test_the_hook_runs_at_once_and_before_any_handler():
    """The hedge decision is made inside publish; handlers run later, on their own."""
    seen = []
    broadcast = Broadcast(lambda _: seen.append("hook"))

    async def handler(_):
        seen.append("handler")

    broadcast.register(handler)
    broadcast.publish(delta())
    assert seen == ["hook"]
    await settled(broadcast)
    assert seen == ["hook", "handler"]
    await broadcast.close()


async def test_a_slow_and_a_throwing_handler_hold_up_nobody():
    """Each handler has its own queue and task: a stuck one and a broken one leave the third untouched."""
    broadcast = Broadcast()
    got, gate = [], asyncio.Event()

    async def stuck(_):
        await gate.wait()

    async def broken(_):
        raise RuntimeError("mine")

    async def good(item):
        got.append(item)

    slow, thrower = broadcast.register(stuck), broadcast.register(broken)
    fine = broadcast.register(good)
    for _ in range(100):
        broadcast.publish(delta())
    while fine.lag or thrower.lag:
        await asyncio.sleep(0)
    assert len(got) == 100
    assert (thrower.failures, slow.lag) == (100, 100)
    assert "mine" in thrower.last_error
    gate.set()
    await settled(broadcast)
    await broadcast.close()


async def test_an_overflow_merges_by_order_and_loses_neither_last_state_nor_growth():
    """Beyond the capacity one delta an order is kept, with the sum of the growths, and merges are counted."""
    broadcast = Broadcast()
    got, gate = [], asyncio.Event()

    async def slow(item):
        await gate.wait()
        got.append(item)

    subscription = broadcast.register(slow, capacity=2)
    for number in range(10):
        broadcast.publish(delta("a", 1))
        broadcast.publish(delta("b", 1, OrderStatus.FILLED if number == 9 else OrderStatus.NEW))
    assert subscription.lag == 4
    gate.set()
    await settled(broadcast)
    assert sum(item.last_fill for item in got) == 20
    assert [item.after.status for item in got if item.after.key == "b"][-1] is OrderStatus.FILLED
    assert subscription.coalesced == 16
    await broadcast.close()


async def test_a_handler_hears_only_the_kinds_it_asked_for():
    """Orders by default; others by name."""
    broadcast = Broadcast()
    orders, hedges = [], []

    async def on_order(item):
        orders.append(item)

    async def on_hedge(item):
        hedges.append(item)

    broadcast.register(on_order)
    broadcast.register(on_hedge, kinds=(HedgeDelta,))
    note = HedgeDelta(event="alert", venue="v", ticker="X", text="t")
    broadcast.publish(delta())
    broadcast.publish(note)
    await settled(broadcast)
    assert (len(orders), hedges) == (1, [note])
    assert msgspec.structs.asdict(note)["severity"] == "info"
    await broadcast.close()
