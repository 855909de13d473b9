"""A venue written by hand for tests of the OMS: it does what it is told and never lies unless a test says so.

Limit orders rest, market and IOC orders trade at once in full. A test makes trades with ``trade``, and puts what shall
happen instead of the usual into ``script``: an exception to raise, or an async function of the request.
"""

import asyncio
import functools
from collections import defaultdict, deque
from contextlib import asynccontextmanager
from decimal import Decimal

import msgspec

from gateways.contracts import Contracts
from gateways.errors import NotFound, Rejected
from gateways.router import Gateway
from gateways.standards import (
    ZERO,
    BalanceUpdate,
    Batch,
    BookUpdate,
    Contract,
    FillEvent,
    Level,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    RejectReason,
    TimeInForce,
)
from gateways.transport.virtual import VirtualLoop
from gateways.venue import Capabilities, Channel, ChannelState, Endpoints, Venue
from oms.clock import SystemClock
from oms.deltas import HedgeDelta
from oms.journal import MemoryJournal
from oms.system import OMS

D = Decimal
START_NS = 1_760_000_000_000_000_000
LEVELS = 20


def contract(venue, ticker="X", *, lot="0.001", minimum="0", base="X", most=None):
    return Contract(
        venue=venue, ticker=ticker, base=base, quote="USDT", tick_size=D("0.1"), lot_size=D(lot), min_quantity=D(lot),
        min_notional=D(minimum), max_quantity=D(most) if most else None,
    )  # fmt: skip


class Held:
    """One order as the venue has it."""

    def __init__(self, order, oid):
        self.order = order
        self.oid = oid
        self.amount = order.amount
        self.price = order.price
        self.filled = ZERO
        self.status = OrderStatus.NEW


class StubVenue(Venue):
    def __init__(self, alias, clock, contracts=(), **capabilities):
        self.alias = alias
        self.capabilities = Capabilities(
            **{"time_in_force": frozenset(TimeInForce), "cancel_all_native": True, **capabilities}
        )
        self.contracts = Contracts(alias, contracts or (contract(alias),))
        self.mid = D(100)
        self.held: dict[str, Held] = {}
        self.fills: list[FillEvent] = []
        self.position: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self.script: dict[str, deque] = defaultdict(deque)
        self.calls: list[tuple[str, object]] = []
        self.subscribed: list[str] = []
        self.closed = False
        self._clock = clock
        self._ids = 1000
        self._sink = None
        self._watcher = None

    # -- what a test does

    def asked(self, verb):
        """The requests of a verb that came here, in order."""
        return [request for name, request in self.calls if name == verb]

    def accept(self, order, *, filled=None):
        """Take an order as the venue does, telling nobody; return what is said of it.

        What does not rest fills in full, or ``filled`` of it, and the rest is gone.
        """
        self._ids += 1
        held = self.held[order.cloid] = Held(order, str(self._ids))
        if order.kind is OrderKind.MARKET or order.tif is not TimeInForce.GTC:
            amount = order.amount if filled is None else D(filled)
            self._execute(held, amount, self.mid if order.price is None else order.price)
            if not held.status.terminal:
                held.status = OrderStatus.EXPIRED
        return self.say(held)

    def trade(self, cloid, amount, *, price=None, tell=("fill", "order")):
        """Trade ``amount`` (signed) of an order; ``tell`` names the channels that say so."""
        held = self.held[cloid]
        fill = self._execute(held, D(amount), D(price) if price else held.price or self.mid)
        self.send(*([fill] if "fill" in tell else []), *([self.say(held)] if "order" in tell else []))
        return fill

    def end(self, cloid, status=OrderStatus.CANCELLED, *, tell=True):
        """End an order that rests."""
        held = self.held[cloid]
        held.status = status
        if tell:
            self.send(self.say(held))

    def send(self, *events):
        """Push events to the OMS, as one message."""
        if events:
            self._sink(Batch(self.alias, list(events), self._clock.now_ns()))

    def quote(self, mid, ticker="X"):
        """Push a new book around a price."""
        self.mid = D(mid)
        self.send(self._book(ticker))

    def private(self, *, connected):
        """Say that the private stream came up or went down."""
        self._watcher.channel_changed(self.alias, ChannelState(Channel.PRIVATE, connected))

    def say(self, held):
        status = held.status
        if status is OrderStatus.NEW and held.filled != 0:
            status = OrderStatus.PARTIAL
        order = held.order
        return OrderUpdate(
            venue=self.alias, ticker=order.ticker, oid=held.oid, cloid=order.cloid, status=status, amount=held.amount,
            price=held.price, filled=held.filled, kind=order.kind, tif=order.tif, ts_venue_ns=self._clock.now_ns(),
        )  # fmt: skip

    def _execute(self, held, amount, price):
        held.filled += amount
        if abs(held.filled) >= abs(held.amount):
            held.status = OrderStatus.FILLED
        self.position[held.order.ticker] += amount
        self._ids += 1
        fill = FillEvent(
            venue=self.alias, ticker=held.order.ticker, oid=held.oid, trade_id=str(self._ids), amount=amount,
            price=price, cloid=held.order.cloid, ts_venue_ns=self._clock.now_ns(),
        )  # fmt: skip
        self.fills.append(fill)
        return fill

    async def _do(self, verb, request, usual):
        self.calls.append((verb, request))
        if self.script[verb]:
            said = self.script[verb].popleft()
            if isinstance(said, Exception):
                raise said
            if said is not None:
                return await said(request)
        return usual(request)

    def _book(self, ticker):
        bids = tuple(Level(self.mid - D("0.1") * n, D(5)) for n in range(1, LEVELS + 1))
        asks = tuple(Level(self.mid + D("0.1") * n, D(5)) for n in range(1, LEVELS + 1))
        return BookUpdate(
            venue=self.alias, ticker=ticker, bids=bids, asks=asks, snapshot=True, ts_venue_ns=self._clock.now_ns()
        )

    # -- the contract

    async def connect(self, sink, watcher):
        self._sink, self._watcher = sink, watcher
        await self._do("connect", None, lambda _: None)

    async def close(self):
        self.closed = True

    def renew_private(self, reason):
        self.calls.append(("renew_private", reason))
        self.private(connected=False)
        self.private(connected=True)

    async def load_contracts(self):
        return await self._do("contracts", None, lambda _: self.contracts)

    async def subscribe(self, ticker):
        await self._do("subscribe", ticker, self.subscribed.append)
        self.send(self._book(ticker))

    async def unsubscribe(self, ticker):
        self.subscribed.remove(ticker)

    async def balances(self):
        money = BalanceUpdate(venue=self.alias, asset="USDT", total=D(1000), available=D(1000))
        return await self._do("balances", None, lambda _: [money])

    async def positions(self):
        return await self._do("positions", None, lambda _: [
            PositionUpdate(venue=self.alias, ticker=ticker, amount=amount)
            for ticker, amount in self.position.items() if amount
        ])  # fmt: skip

    async def open_orders(self, ticker=None):
        return await self._do("open_orders", ticker, lambda _: [
            self.say(held) for held in self.held.values()
            if not held.status.terminal and ticker in {None, held.order.ticker}
        ])  # fmt: skip

    async def order(self, ticker, *, cloid=None, oid=None):
        def found(_):
            for held in self.held.values():
                if held.order.cloid == cloid or held.oid == oid:
                    return self.say(held)
            raise NotFound(self.alias, "no such order")

        return await self._do("order", cloid or oid, found)

    async def fills_since(self, since_ns, ticker=None):
        return await self._do("fills", since_ns, lambda _: [
            msgspec.structs.replace(fill, snapshot=True) for fill in self.fills
            if fill.ts_venue_ns >= since_ns and ticker in {None, fill.ticker}
        ])  # fmt: skip

    async def book(self, ticker, depth=100):
        return await self._do("book", ticker, lambda _: self._book(ticker))

    async def place(self, order, *, hedge=False):
        def usual(order):
            traded = len(self.fills)
            said = self.accept(order)
            self.send(said, *self.fills[traded:])
            return said

        return await self._do("hedge" if hedge else "place", order, usual)

    async def amend(self, order):
        def usual(order):
            held = self.held[order.cloid]
            held.amount, held.price = order.amount, order.price
            return self.say(held)

        return await self._do("amend", order, usual)

    async def cancel(self, order):
        def usual(order):
            for held in self.held.values():
                known = held.oid == order.oid if order.oid else held.order.cloid == order.cloid
                if known and not held.status.terminal:
                    held.status = OrderStatus.CANCELLED
                    return self.say(held)
            raise Rejected(self.alias, "unknown order", reason=RejectReason.UNKNOWN_ORDER)

        return await self._do("cancel", order, usual)

    async def cancel_all(self, ticker):
        for cloid, held in self.held.items():
            if held.order.ticker == ticker and not held.status.terminal:
                self.end(cloid)

    async def reference_price(self, ticker):
        return self.mid


class Desk:
    """An OMS on two stub venues, ``a`` (makers) and ``b`` (hedges)."""

    def __init__(self, loop, *, journal=None, venues=None, **settings):
        self.loop = loop
        self.venues = venues or {alias: StubVenue(alias, loop) for alias in ("a", "b")}
        self.a, self.b = self.venues["a"], self.venues["b"]
        self.journal = journal or MemoryJournal(loop)
        self.alerts = []
        addresses = {alias: Endpoints(rest="http://127.0.0.1:1", ws="ws://127.0.0.1:1") for alias in self.venues}
        gateway = Gateway(addresses, make=lambda alias, _: self.venues[alias])
        self.oms = OMS(gateway, journal=self.journal, clock=loop, **settings)

    async def maker(self, amount="1", price="100", legs=None, **fields):
        """Rest a maker on ``a`` that is hedged on ``b``; returns its key."""
        order = await self.oms.hedge_order(
            {"exc": "a", "ticker": "X", "amount": amount, "price": price, **fields},
            legs or {"exc": "b", "ticker": "X"},
        )
        return order.key

    @property
    def book(self):
        return self.oms.kernel.books["b", "X"]

    def hedges(self):
        """The amounts of the hedge orders that left for ``b``."""
        return [order.amount for order in self.b.asked("hedge")]

    async def until(self, fact, seconds=120.0):
        """Let virtual time pass until a fact holds; fail when it never does."""
        deadline = self.loop.time() + seconds
        while not fact():
            assert self.loop.time() < deadline, "the fact never came about"
            await asyncio.sleep(0.01)


@asynccontextmanager
async def desk(**settings):
    """A running desk; must be entered on a ``VirtualLoop``."""
    made = Desk(asyncio.get_running_loop(), **settings)

    async def heard(delta):
        made.alerts.append(delta)

    made.oms.register(heard, kinds=(HedgeDelta,), name="alerts", capacity=10_000)
    try:
        await made.oms.init()
        yield made
    finally:
        await made.oms.cleanup()


class WallClock(SystemClock):
    """The machine's clock, with the loop's reading that a stub desk asks for."""

    def time(self):
        return self.monotonic_ns() / 1e9


def at_once(journal):
    """Work beside the desk is done here: another process runs on the machine's time, which virtual time passes by."""

    async def apart(work, told):
        return work(journal, told)

    journal.apart = apart
    return journal


def virtual(story):
    """Run an async test on virtual time: nothing waits, and a minute is over at once."""

    @functools.wraps(story)
    def run(*args, **kwargs):
        loop = VirtualLoop(START_NS)
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(story(*args, **kwargs))
        finally:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            asyncio.set_event_loop(None)
            loop.close()

    return run
