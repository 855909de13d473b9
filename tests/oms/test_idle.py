"""When a desk is idle: nothing in flight, and nothing due that will go by itself."""

from gateways.contracts import Contracts
from gateways.errors import Unavailable
from oms.journal import MemoryJournal
from tests.oms.stub_venue import D, contract, desk, virtual


@virtual
async def test_a_desk_whose_hedge_waits_for_its_first_price_is_not_idle():
    """What filled before a restart is due before there is a price: whoever waits for idle sees it hedged."""
    async with desk() as first:
        first.b.contracts = Contracts("b", (contract("b", minimum="5"),))
        maker = await first.maker("1")
    first.a.trade(maker, "0.4", tell=())
    first.b.script["subscribe"] += [Unavailable("b", "not now")] * 5
    async with desk(journal=MemoryJournal(first.loop, first.journal.image), venues=first.venues) as second:
        assert second.book.waits == "no price to check the minimum with"
        assert not await second.oms.wait_idle(1.0)
        assert second.hedges() == []
        assert await second.oms.wait_idle(30.0)
        assert second.hedges() == [D("-0.4")]
