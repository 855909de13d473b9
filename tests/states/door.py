"""Venues whose door is watched: a judge sees each order as it arrives, after it has waited for a rate budget."""

from gateways.errors import VenueError
from gateways.transport.budget import Budget, Gate, Pool, Priority
from oms.cloid import CloidKind, parse
from tests.oms.stub_venue import Desk, StubVenue

POOL = "orders"


class WatchedVenue(StubVenue):
    """A stub venue behind a real rate budget. ``judge`` is told of each order and amend that gets through."""

    def __init__(self, alias, clock, judge):
        super().__init__(alias, clock)
        self.judge = judge
        self.gate = Gate(alias, Budget([Pool(POOL, 4, 1.0)]))
        """Four orders a second, one of them kept for cancels and hedges: a burst has to wait."""

    async def place(self, order, *, hedge=False):
        await self.gate.acquire({POOL: 1}, Priority.HEDGE if hedge else Priority.MAKER, max_wait=3.0)
        self.judge(self.alias, order, kind_of(order.cloid), raises=not order.reduce_only)
        return await super().place(order, hedge=hedge)

    async def amend(self, order):
        await self.gate.acquire({POOL: 1}, Priority.MAKER, max_wait=3.0)
        held = self.held[order.cloid]
        larger = abs(order.amount) > abs(held.amount) or order.price != held.price
        if larger:  # what makes an order smaller passes in every state
            self.judge(self.alias, order, kind_of(order.cloid), raises=not order.reduce_only)
        return await super().amend(order)


def kind_of(cloid):
    """What an order is, by its own id: no state of the desk is asked."""
    found = parse(cloid)
    return None if found is None else found.kind


def is_new(kind):
    """Whether it is an order of the operator's, with a hedge or without."""
    return kind in {CloidKind.MAKER, CloidKind.MANUAL}


class WatchedDesk(Desk):
    """An OMS on two watched venues."""

    def __init__(self, loop, judge, *, venues=None, **settings):
        venues = venues or {alias: WatchedVenue(alias, loop, judge) for alias in ("a", "b")}
        super().__init__(loop, venues=venues, **settings)


async def tried(work):
    """Do it; what a venue or the desk says against it is no finding."""
    try:
        return await work
    except VenueError as error:
        return error
