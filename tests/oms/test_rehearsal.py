"""The rehearsal: the way of a fill is walked to nowhere, and nothing of the desk is touched by it."""

import copy

from gateways.standards import PlaceOrder
from oms.cloid import CloidKind
from oms.rehearsal import WALKS, Rehearsal
from tests.oms.stub_venue import desk, virtual


def rehearsed(made):
    """What the rehearsal asked the stub venues to walk through: orders to the hedge's, fills of the maker's."""
    walked = {"a": [], "b": []}
    for alias in ("a", "b"):
        made.venues[alias].rehearse_order = walked[alias].append
        made.venues[alias].rehearse_fill = lambda alias=alias: walked[alias].append("fill")
    return walked


def left(made):
    """All that a rehearsal could leave behind it."""
    oms, kernel = made.oms, made.oms.kernel
    return copy.deepcopy(
        (made.journal.image, made.a.calls, made.b.calls, list(oms.page.orders()), kernel.books, kernel.children,
         kernel.makers, kernel.now_ns, len(oms.fills), oms.tasks.running, made.alerts)
    )  # fmt: skip


@virtual
async def test_a_walk_leaves_nothing_behind():
    """Journal, venues, page, kernel and ids are as they were, over more walks than one stage serves."""
    async with desk() as made:
        walked = rehearsed(made)
        key = await made.maker("1")
        made.a.trade(key, "0.2")
        await made.until(lambda: made.hedges() == [made.book.target])
        rehearsal = Rehearsal(made.oms)
        assert rehearsal.look()
        before = left(made)
        for _ in range(WALKS + 5):
            rehearsal.walk()
        assert left(made) == before
        assert len(walked["a"]) == len(walked["b"]) == WALKS + 5


@virtual
async def test_it_walks_as_far_as_the_hedge_order():
    """The venue of the leg is given an order like the hedge that a fill would make, under no id of this desk."""
    async with desk() as made:
        walked = rehearsed(made)
        await made.maker("1")
        rehearsal = Rehearsal(made.oms)
        assert rehearsal.look()
        rehearsal.walk()
        (order,) = walked["b"]
        assert isinstance(order, PlaceOrder)
        assert (order.ticker, order.amount < 0) == ("X", True)
        assert order.cloid != made.oms.cloids.next(CloidKind.HEDGE)
        assert walked["a"] == ["fill"]


@virtual
async def test_it_rests_while_no_hedged_maker_does():
    """Without a maker, with one that has no legs, and after the last one has ended, nothing is walked."""
    async with desk() as made:
        rehearsal = Rehearsal(made.oms)
        assert not rehearsal.look()
        await made.oms.limit_order({"exc": "a", "ticker": "X", "amount": "1", "price": "90"})
        assert not rehearsal.look()
        key = await made.maker("1")
        assert rehearsal.look()
        await made.oms.cancel_order("a", "X", cloid=key)
        await made.until(lambda: not made.oms.page.get(key).working)
        assert not rehearsal.look()
        rehearsal.walk()


@virtual
async def test_a_fill_beside_the_rehearsal_is_hedged_once():
    """The desk's own way is not disturbed by one that is walked a thousand times a second."""
    async with desk() as made:
        walked = rehearsed(made)
        key = await made.maker("1")
        made.oms.tasks.start(Rehearsal(made.oms).run(), "rehearsal")
        await made.until(lambda: len(walked["b"]) > 20)
        made.a.trade(key, "0.3")
        await made.until(lambda: not made.book.balance and not made.book.in_flight)
        assert [str(each) for each in made.hedges()] == ["-0.3"]
