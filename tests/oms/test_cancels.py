"""Many cancels at once: each order's own fate, whatever message it was in; what failed is pursued until it ends."""

import asyncio

import pytest

from gateways.errors import Rejected, Unavailable, Unknown
from gateways.standards import OrderStatus, RejectReason
from oms.hedge.policy import How, Rung
from tests.oms.stub_venue import StubVenue, desk, virtual

S = OrderStatus
GONE = Rejected("a", "no such order", reason=RejectReason.UNKNOWN_ORDER)


class BatchVenue(StubVenue):
    """Takes three cancels in a message; its ``script`` of ``cancel_many`` acts on whole messages."""

    def __init__(self, alias, clock, **capabilities):
        super().__init__(alias, clock, **{"cancel_batch": 3, **capabilities})
        self.messages = []

    async def cancel_many(self, cancels):
        self.messages.append([each.oid for each in cancels])
        if self.script["cancel_many"]:
            said = await self.script["cancel_many"].popleft()(cancels)
            if said is not None:
                return said
        return await super().cancel_many(cancels)


def venues(**capabilities):
    loop = asyncio.get_running_loop()
    return {alias: BatchVenue(alias, loop, **capabilities) for alias in ("a", "b")}


def status_of(desk, key):
    return desk.oms.page.get(key).status


@virtual
async def test_many_cancels_go_in_as_few_messages_as_the_venue_takes():
    """Seven makers are three messages, and every one of them ends."""
    async with desk(venues=venues()) as made:
        for _ in range(7):
            await made.maker()
        assert await made.oms.cancel_orders(made.oms.makers_working()) == 7
        assert sorted(map(len, made.a.messages)) == [1, 3, 3]
        assert made.oms.makers_working() == []


@virtual
async def test_a_venue_without_batches_is_asked_for_each():
    """Seven makers are seven requests, under way together."""
    async with desk(venues=venues(cancel_batch=0)) as made:
        for _ in range(7):
            await made.maker()
        assert await made.oms.cancel_orders(made.oms.makers_working()) == 7
        assert [len(each) for each in made.a.messages] == [1] * 7


@virtual
async def test_hedges_are_spared():
    """A hedge that rests is in no message of a bulk cancel of the makers."""
    async with desk(venues=venues()) as made:
        ladder = (Rung(how=How.JOIN, for_ms=60_000), Rung(how=How.MARKET))
        key = await made.maker(legs={"exc": "b", "ticker": "X", "rungs": ladder})
        made.a.trade(key, "0.5")
        await made.until(lambda: any(not held.status.terminal for held in made.b.held.values()))
        assert await made.oms.cancel_orders(made.oms.makers_working()) == 1
        assert (len(made.a.messages), made.b.messages) == (1, [])
        assert any(not held.status.terminal for held in made.b.held.values())


@virtual
async def test_a_message_without_an_answer_leaves_its_own_orders_uncertain_alone():
    """The other message's orders are cancelled; these show as working, are asked about, and cancelled again."""

    async def never(_):
        await asyncio.Event().wait()

    async with desk(venues=venues()) as made:
        keys = [await made.maker() for _ in range(6)]
        made.a.script["cancel_many"].append(never)
        assert await made.oms.cancel_orders(made.oms.makers_working()) == 3
        uncertain = made.a.messages[0]
        oids = {made.oms.page.get(key).oid: key for key in keys}
        assert len(uncertain) == 3
        assert all(status_of(made, oids[oid]) is S.NEW for oid in uncertain)
        assert sum(status_of(made, key) is S.CANCELLED for key in keys) == 3
        await made.until(lambda: not made.oms.makers_working())
        again = [oid for message in made.a.messages[2:] for oid in message]
        assert sorted(again) == sorted(uncertain)


@pytest.mark.parametrize(
    ("outcome", "asked"),
    [
        (GONE, True),
        (Unknown("a", "no answer"), True),
        (Unavailable("a", "no budget"), False),
    ],
    ids=["gone", "unknown", "not sent"],
)
@virtual
async def test_an_items_failure_is_its_own(outcome, asked):
    """It rests again on the page, is asked about where it may be gone, and told; its neighbours are cancelled."""

    async def mixed(cancels):
        rest = await StubVenue.cancel_many(made.a, [cancels[0], cancels[2]])
        return [rest[0], outcome, rest[1]]

    async with desk(venues=venues()) as made:
        keys = [await made.maker() for _ in range(3)]
        made.a.script["cancel_many"].append(mixed)
        taken = await made.oms.cancel_orders(made.oms.makers_working())
        assert taken == 2
        assert [status_of(made, key) for key in keys] == [S.CANCELLED, S.NEW, S.CANCELLED]
        await made.until(lambda: any(f"{keys[1][:8]} was not cancelled" in alert.text for alert in made.alerts))
        await made.until(lambda: not made.oms.makers_working())
        assert [keys[1] in made.a.asked("order")] == [asked]
        assert made.a.messages[-1] == [made.oms.page.get(keys[1]).oid]


@virtual
async def test_what_was_held_up_is_cancelled_soon_while_some_of_it_ends():
    """A rate limit lets a few through each time: the waits do not grow as if nothing ended."""
    left = 12

    async def two_at_most(cancels):
        nonlocal left
        done = await StubVenue.cancel_many(made.a, cancels[:1])
        left -= 1
        return [*done, *[Unavailable("a", "the rate budget is spent")] * (len(cancels) - 1)]

    async with desk(venues=venues(cancel_batch=20)) as made:
        for _ in range(12):
            await made.maker()
        made.a.script["cancel_many"].extend([two_at_most] * 12)
        started = made.loop.time()
        assert await made.oms.cancel_orders(made.oms.makers_working()) == 1
        await made.until(lambda: not made.oms.makers_working())
        assert made.loop.time() - started < 11 * 0.5 + 1
        assert len(made.a.messages) == 12


@virtual
async def test_a_cancelled_caller_leaves_no_order_shown_as_being_cancelled():
    """Nobody waits for the answer: each of the message's orders may be working, and is asked about."""

    async def never(_):
        await asyncio.Event().wait()

    async with desk(venues=venues()) as made:
        keys = [await made.maker() for _ in range(3)]
        made.a.script["cancel_many"].append(never)
        task = asyncio.get_running_loop().create_task(made.oms.cancel_orders(made.oms.makers_working()))
        await made.until(lambda: made.a.messages)
        assert [status_of(made, key) for key in keys] == [S.CANCEL_PENDING] * 3
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert [status_of(made, key) for key in keys] == [S.NEW] * 3
