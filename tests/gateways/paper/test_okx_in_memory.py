"""Our gateway on the paper OKX in memory, under faults, on virtual time: the same seed gives the same session."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from gateways.errors import Unknown
from gateways.okx.venue import OkxVenue
from gateways.paper.contracts import paper_exchange
from gateways.paper.fault_plan import Fault, Faults, Rule
from gateways.paper.market import Market, open_house
from gateways.paper.memory import MemoryShell
from gateways.standards import Batch, FillEvent, OrderKind, OrderStatus, OrderUpdate, PlaceOrder
from gateways.transport.virtual import VirtualLoop
from tests.gateways.listening import Desk

D = Decimal
TICKER = "ETH-USDT-SWAP"
CLOID = "1" * 32
BASES = ("BTC", "ETH")

Story = Callable[["World", OkxVenue], Awaitable[None]]
"""What happens between connecting and closing."""


class World:
    """The venue, its market and a desk on one virtual loop."""

    def __init__(self, seed: int) -> None:
        self.loop = VirtualLoop(1_800_000_000_000_000_000)
        self.exchange = paper_exchange("okx", now_ns=self.loop.now_ns, bases=BASES)
        open_house(self.exchange)
        self.faults = Faults(seed=seed, now_ns=self.loop.now_ns)
        market = Market({"okx": self.exchange}, seed=seed, bases=BASES)
        self.shell = MemoryShell({"okx": self.exchange}, market, self.loop, seed=seed, faults={"okx": self.faults})
        self.batches: list[Batch] = []

    def run(self, story: Story) -> list[Batch]:
        """Tell a story with a connected venue; what it heard."""
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._told(story))
        finally:
            asyncio.set_event_loop(None)
            self.loop.close()
        return self.batches

    async def _told(self, story: Story) -> None:
        running = self.loop.create_task(self.shell.run())
        venue = OkxVenue("okx", self.shell.endpoints["okx"], clock_ns=self.loop.now_ns, network=self.shell.network)
        try:
            await venue.connect(self.batches.append, Desk())
            await story(self, venue)
        finally:
            await venue.close()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def fills(self) -> Decimal:
        """What was told as filled, each execution once."""
        told = {e.trade_id: e.amount for batch in self.batches for e in batch.events if isinstance(e, FillEvent)}
        return sum(told.values(), D(0))

    def statuses(self) -> list[OrderStatus | None]:
        """What was told of our order."""
        events = (event for batch in self.batches for event in batch.events)
        return [event.status for event in events if isinstance(event, OrderUpdate) and event.cloid == CLOID]


def market_order(amount: str = "0.5") -> PlaceOrder:
    return PlaceOrder(ticker=TICKER, cloid=CLOID, amount=D(amount), kind=OrderKind.MARKET)


async def trading(world: World, venue: OkxVenue) -> None:
    """Watch the market, and buy in it."""
    await venue.subscribe(TICKER)
    await asyncio.sleep(2)
    await venue.place(market_order())
    await asyncio.sleep(8)


def test_the_same_seed_gives_the_same_session() -> None:
    """Every message with its time is equal for a seed; another seed differs."""
    first, again, other = (World(seed).run(trading) for seed in (7, 7, 8))
    assert first == again != other
    assert len(first) > 100


@pytest.mark.parametrize(
    "fault", [Fault.ANSWER_LOST, Fault.ANSWER_5XX, Fault.ANSWER_UNKNOWN, Fault.CUT_DURING, Fault.ACCEPTED_LATE]
)
def test_an_unknown_outcome_is_told_by_the_stream_or_the_query(fault: Fault) -> None:
    """Carried out without a word: the caller hears that nobody knows, the news and the question tell what became."""

    async def story(world: World, venue: OkxVenue) -> None:
        world.faults.switch(Rule(fault=fault))
        with pytest.raises(Unknown):
            await venue.place(market_order())
        await asyncio.sleep(6)
        assert (await venue.order(TICKER, cloid=CLOID)).filled == D("0.5")
        assert world.faults.counts[fault] == 1

    world = World(7)
    world.run(story)
    assert (world.fills(), world.statuses()[-1]) == (D("0.5"), OrderStatus.FILLED)


@pytest.mark.parametrize("fault", [Fault.PUSH_DUPLICATED, Fault.PUSH_REORDERED, Fault.PUSH_DELAYED])
def test_disturbed_messages_tell_each_execution(fault: Fault) -> None:
    """Doubled, overtaken, late: every execution is there, and the same one is known by its id."""

    async def story(world: World, venue: OkxVenue) -> None:
        world.faults.switch(Rule(fault=fault, seconds=5, probability=0.7))
        await venue.place(market_order("20"))
        await asyncio.sleep(8)
        assert world.faults.counts[fault] > 0

    world = World(7)
    world.run(story)
    assert world.fills() == D(20)


def test_a_lost_fill_is_found_by_asking() -> None:
    """The stream was silent: the list of executions has what it did not tell."""

    async def story(world: World, venue: OkxVenue) -> None:
        world.faults.switch(Rule(fault=Fault.STREAM_SILENT, seconds=5))
        await venue.place(market_order())
        await asyncio.sleep(1)
        assert world.fills() == 0
        assert sum(fill.amount for fill in await venue.fills_since(0)) == D("0.5")

    World(7).run(story)
