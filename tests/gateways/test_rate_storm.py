"""A storm of quotes against each venue's rate limits: cancels and hedges pass, and what the venue says is obeyed.

The venues are the product's own, the exchanges are the paper ones behind their real protocols, which count and refuse
as the real ones do. Time is virtual.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from gateways.binance.venue import BinanceVenue
from gateways.bybit.venue import BybitVenue
from gateways.contracts import floor_price
from gateways.errors import RateLimited, Rejected, Unavailable
from gateways.hyperliquid.venue import HyperliquidVenue
from gateways.okx.venue import OkxVenue
from gateways.paper.contracts import paper_exchange
from gateways.paper.memory import MemoryShell
from gateways.standards import CancelOrder, OrderKind, OrderUpdate, PlaceOrder, RejectReason, TimeInForce
from gateways.transport.budget import Priority
from gateways.transport.virtual import VirtualLoop
from gateways.venue import ChannelState, Venue, Watcher
from tests.simulation.market import STEP_NS, QuietMarket

START_NS = 1_760_000_000_000_000_000
MADE: dict[str, Callable[..., Venue]] = {
    "binance": BinanceVenue,
    "bybit": BybitVenue,
    "hyperliquid": HyperliquidVenue,
    "okx": OkxVenue,
}
TICKERS = {"binance": "ETHUSDT", "bybit": "ETHUSDT", "hyperliquid": "ETH", "okx": "ETH-USDT-SWAP"}

FAR = Decimal("0.97")
"""Of the market's price: a quote that rests and that the venue's price band takes."""

QUANTITY = Decimal("0.05")

Story = Callable[["Storm"], Awaitable[None]]


class Log(Watcher):
    """Keeps how requests ended."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bool]] = []

    def channel_changed(self, venue: str, state: ChannelState) -> None: ...

    def request_done(self, venue: str, verb: str, *, sent: str, answer: str, took_ns: int, ok: bool) -> None:
        self.requests.append((verb, answer, ok))

    def message_dropped(self, venue: str, reason: str) -> None: ...


class Storm:
    """One venue, and whoever else uses its account or address."""

    def __init__(self, kind: str, loop: VirtualLoop) -> None:
        self.kind = kind
        self.loop = loop
        self.ticker = TICKERS[kind]
        self.exchange = paper_exchange(kind, now_ns=loop.now_ns, bases=("ETH",))
        market = QuietMarket({kind: self.exchange}, ("ETH",), 7)
        self.shell = MemoryShell({kind: self.exchange}, market, loop, seed=7, step_ns=STEP_NS)
        self.log = Log()
        self.venue: Venue = self.desk()
        self._cloids = count(1)

    def desk(self) -> Any:
        """A venue object of our account, not connected."""
        return MADE[self.kind](
            self.kind, self.shell.endpoints[self.kind], clock_ns=self.loop.now_ns, network=self.shell.network
        )

    @property
    def used(self) -> dict[str, tuple[int, int]]:
        """What the venue's budget counts."""
        gate = self.venue._session.gate  # type: ignore[attr-defined]
        return gate.budget.used(gate.now())

    def order(self, *, hedge: bool, buying: bool = True, price: Decimal | None = None, **more: Any) -> PlaceOrder:
        """A small quote far below the market, or a small market order."""
        terms: dict[str, Any] = {"kind": OrderKind.MARKET} if hedge else {"price": price, "post_only": True}
        cloid = f"{next(self._cloids):032x}"
        return PlaceOrder(
            ticker=self.ticker, cloid=cloid, amount=QUANTITY if buying else -QUANTITY, **{**terms, **more}
        )

    async def far(self) -> Decimal:
        """A price that rests."""
        mid = await self.venue.reference_price(self.ticker)
        assert mid is not None
        return floor_price(self.venue.contracts[self.ticker], mid * FAR)

    @asynccontextmanager
    async def neighbour(self) -> AsyncIterator[Any]:
        """Another program on the same account and address, which our budget does not know of."""
        other = self.desk()
        await other.connect(lambda batch: None, Log())
        try:
            yield other
        finally:
            await other.close()


def told(kind: str, story: Story) -> None:
    """Run a story of a connected venue on virtual time."""
    loop = VirtualLoop(START_NS)
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(_told(Storm(kind, loop), story))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def _told(storm: Storm, story: Story) -> None:
    running = asyncio.ensure_future(storm.shell.run())
    try:
        await storm.venue.connect(lambda batch: None, storm.log)
        await story(storm)
    finally:
        await storm.venue.close()
        running.cancel()
        await asyncio.wait([running])


async def timed(loop: asyncio.AbstractEventLoop, call: Coroutine[Any, Any, Any]) -> float:
    """How long a call that must succeed takes, in seconds."""
    began = loop.time()
    await call
    return loop.time() - began


# ------------------------------------------------------------------ the storm

FLEETING: dict[str, Any] = {"post_only": False, "tif": TimeInForce.IOC}
"""Of a quote that does not stay: no venue has room for thousands that do."""

QUOTES = {"binance": 700, "bybit": 90, "hyperliquid": 2_600, "okx": 300}
"""Quotes in the storm: more than the venue takes in its windows."""

SLOWEST_S = 0.2
"""A cancel or a hedge in the storm takes no longer: it waits for no quote."""


@pytest.mark.parametrize("kind", sorted(MADE))
def test_cancels_and_hedges_pass_while_quotes_are_throttled(kind: str) -> None:
    """Far more quotes than the venue takes wait or are not sent; it refuses none, every cancel and hedge passes."""

    async def story(storm: Storm) -> None:
        venue, loop = storm.venue, storm.loop
        price = await storm.far()
        resting: list[OrderUpdate] = [await venue.place(storm.order(hedge=False, price=price)) for _ in range(6)]
        ended: Counter[str] = Counter()

        async def quote() -> None:
            try:
                await venue.place(storm.order(hedge=False, price=price, **FLEETING))
                ended["taken"] += 1
            except Unavailable:
                ended["not sent"] += 1
            except Rejected as error:
                # Hyperliquid calls an immediate order that met nothing refused.
                ended["taken" if error.reason is RejectReason.NO_LIQUIDITY else error.text] += 1

        async def quotes() -> None:
            async with asyncio.TaskGroup() as group:
                for number in range(QUOTES[kind]):
                    group.create_task(quote())
                    if number % 50 == 49:
                        await asyncio.sleep(0.05)

        took: list[float] = []
        async with asyncio.TaskGroup() as group:
            group.create_task(quotes())
            for number, maker in enumerate(resting):
                await asyncio.sleep(0.6)
                took.append(await timed(loop, venue.place(storm.order(hedge=True, buying=number % 2 == 0), hedge=True)))
                took.append(await timed(loop, venue.cancel(CancelOrder(ticker=storm.ticker, cloid=maker.cloid))))
        assert max(took) < SLOWEST_S
        assert ended["not sent"] > 0, "the storm was too weak to test anything"
        assert ended["taken"] > 0
        refused = [(verb, answer) for verb, answer, ok in storm.log.requests if not ok]
        assert refused == [], "the venue refused what our budget let through"
        placed = sum(verb == "place" for verb, _, _ in storm.log.requests)
        assert placed == ended["taken"] + 2 * len(resting), "nothing was sent twice, nothing that was not told"

    told(kind, story)


# ------------------------------------------------------------------ what the venue says

BODY = {"hyperliquid": b'{"type":"l2Book","coin":"ETH"}'}
HEAVY = {
    "binance": ("GET", "/fapi/v1/depth", "symbol=ETHUSDT&limit=1000"),
    "bybit": ("GET", "/v5/market/time", ""),
    "hyperliquid": ("POST", "/info", ""),
}


def exhaust_address(storm: Storm) -> None:
    """Somebody else on our address uses it up."""
    front = storm.shell.venues[storm.kind].front
    method, path, query = HEAVY[storm.kind]
    for _ in range(2_000):
        reply = front.http(method, path, query, {}, BODY.get(storm.kind, b""))
        if reply.status != 200:
            return
    raise AssertionError("this address has no limit")


@pytest.mark.parametrize(("kind", "least_s", "most_s"), [("binance", 0.0, 60.0), ("bybit", 600.0, 600.0)])
def test_a_ban_of_the_address_stops_all_until_its_end(kind: str, least_s: float, most_s: float) -> None:
    """After 429 with Retry-After, or 403, nothing leaves for so long; then it goes on."""

    async def story(storm: Storm) -> None:
        venue, loop = storm.venue, storm.loop
        await asyncio.sleep(7.0)  # not at a window's edge
        exhaust_address(storm)
        with pytest.raises(RateLimited) as raised:
            await venue.balances()
        wait, began, sent = raised.value.retry_after, loop.time(), len(storm.log.requests)
        assert least_s <= wait <= most_s
        while loop.time() < began + wait - 2.0:
            with pytest.raises(Unavailable):
                await venue.cancel(CancelOrder(ticker=storm.ticker, cloid="0" * 32))
            await asyncio.sleep(wait / 10)
        assert len(storm.log.requests) == sent, "something was sent during the ban"
        await asyncio.sleep(max(0.0, began + wait + 0.1 - loop.time()))
        assert await venue.balances()

    told(kind, story)


def test_an_address_without_weight_still_cancels_by_websocket() -> None:
    """Hyperliquid counts HTTP and websocket messages apart: after a 429 questions wait, orders and cancels do not."""

    async def story(storm: Storm) -> None:
        venue = storm.venue
        order = await venue.place(storm.order(hedge=False, price=await storm.far()))
        exhaust_address(storm)
        with pytest.raises(RateLimited) as raised:
            await venue.balances()
        sent = len(storm.log.requests)
        with pytest.raises(Unavailable):
            await venue.positions()
        assert len(storm.log.requests) == sent
        await venue.cancel(CancelOrder(ticker=storm.ticker, cloid=order.cloid))
        assert raised.value.retry_after > 0

    told("hyperliquid", story)


def test_a_limit_of_one_kind_holds_up_that_kind_alone() -> None:
    """OKX limits each endpoint for itself: after 50011 on balances only balances wait, for their window."""

    async def story(storm: Storm) -> None:
        venue = storm.venue
        async with storm.neighbour() as other:
            await asyncio.sleep(2.0 - storm.loop.now_ns() / 1e9 % 2.0)  # at a window's start
            await asyncio.gather(*(other.balances() for _ in range(10)))
            with pytest.raises(RateLimited):
                await venue.balances()
            gate = venue._session.gate  # type: ignore[attr-defined]
            assert gate.budget.wait({"balances": 1}, Priority.QUERY, gate.now()) > 1.9
            assert gate.budget.wait({"positions": 1, "place": 1, "cancel": 1}, Priority.QUERY, gate.now()) == 0
            assert await venue.positions() == []
            order = await venue.place(storm.order(hedge=False, price=await storm.far()))
            await venue.cancel(CancelOrder(ticker=storm.ticker, cloid=order.cloid))
            await asyncio.sleep(2.1)
            assert await venue.balances()

    told("okx", story)


def test_orders_of_another_program_are_learned_from_headers() -> None:
    """Bybit states what is left of the account's second: quotes wait for the next one, a hedge may use what is kept."""

    async def story(storm: Storm) -> None:
        venue = storm.venue
        price = await storm.far()
        async with storm.neighbour() as other:
            await asyncio.sleep(1.5)
            for _ in range(7):
                await other.place(storm.order(hedge=False, price=price), hedge=True)
            await venue.place(storm.order(hedge=False, price=price))
            assert storm.used["create"] == (8, 10)
            began = storm.loop.time()
            await venue.place(storm.order(hedge=True), hedge=True)
            assert storm.loop.time() - began < SLOWEST_S
            await venue.place(storm.order(hedge=False, price=price))
            assert storm.loop.time() - began > 0.5, "the quote waited for the account's next second"

    told("bybit", story)


def test_a_refusal_of_orders_for_rate_lets_cancels_pass() -> None:
    """Bybit's 10006 on an order holds up orders until the window is over, and no cancel."""

    async def story(storm: Storm) -> None:
        venue = storm.venue
        price = await storm.far()
        order = await venue.place(storm.order(hedge=False, price=price))
        await asyncio.sleep(1.5)
        async with storm.neighbour() as other:
            for _ in range(10):
                await other.place(storm.order(hedge=False, price=price), hedge=True)
            with pytest.raises(RateLimited) as raised:
                await venue.place(storm.order(hedge=True), hedge=True)
            assert 0 < raised.value.retry_after <= 1.0
            assert (
                await timed(storm.loop, venue.cancel(CancelOrder(ticker=storm.ticker, cloid=order.cloid))) < SLOWEST_S
            )
            await venue.place(storm.order(hedge=True), hedge=True)

    told("bybit", story)


def test_the_venues_own_counts_are_learned() -> None:
    """Binance says beside each answer what it has counted of weight and of orders: other programs' use is in it."""

    async def story(storm: Storm) -> None:
        venue = storm.venue
        price = await storm.far()
        async with storm.neighbour() as other:
            for _ in range(30):
                await other.place(storm.order(hedge=False, price=price))
            before = storm.used["weight"][0]
            for _ in range(10):
                await other.balances()
            assert storm.used["orders_10s"][0] < 30
            await venue.place(storm.order(hedge=False, price=price))
            assert storm.used["orders_10s"] == (31, 300)
            assert storm.used["orders_1m"] == (31, 1_200)
            await venue.balances()
            assert storm.used["weight"][0] >= before + 55

    told("binance", story)


def test_too_many_orders_stop_orders_and_no_cancel() -> None:
    """Binance's -1015 speaks of orders: they wait as long as it says, a cancel passes at once."""

    async def story(storm: Storm) -> None:
        venue = storm.venue
        price = await storm.far()
        order = await venue.place(storm.order(hedge=False, price=price))
        async with storm.neighbour() as other:
            await asyncio.sleep(10.0 - storm.loop.now_ns() / 1e9 % 10.0)  # at a window's start
            fleeting = (storm.order(hedge=False, price=price, **FLEETING) for _ in range(300))
            await asyncio.gather(*(other.place(each, hedge=True) for each in fleeting))
            with pytest.raises(RateLimited) as raised:
                await venue.place(storm.order(hedge=True), hedge=True)
            assert 0 < raised.value.retry_after <= 10.0
            with pytest.raises(Unavailable):
                await venue.place(storm.order(hedge=True), hedge=True)
            assert (
                await timed(storm.loop, venue.cancel(CancelOrder(ticker=storm.ticker, cloid=order.cloid))) < SLOWEST_S
            )
            await asyncio.sleep(raised.value.retry_after + 0.1)
            await venue.place(storm.order(hedge=True), hedge=True)

    told("binance", story)
