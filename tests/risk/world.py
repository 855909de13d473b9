"""A desk with limits on two paper venues in memory, on virtual time, that plays a scenario; judged by the oracle."""

import asyncio
from decimal import Decimal

from gateways.binance.venue import BinanceVenue
from gateways.bybit.venue import BybitVenue
from gateways.contracts import floor_lots, round_price, smallest_order
from gateways.errors import VenueError
from gateways.hyperliquid.venue import HyperliquidVenue
from gateways.okx.venue import OkxVenue
from gateways.paper.contracts import paper_exchange
from gateways.paper.fault_plan import Fault, Faults, Rule
from gateways.paper.market import FLOW, START_PRICES
from gateways.paper.memory import MemoryShell
from gateways.paper.records import Refused
from gateways.router import Gateway
from gateways.transport.virtual import VirtualLoop
from oms.journal import MemoryJournal
from oms.orders import Order, Role
from oms.system import OMS
from tests.risk.oracle import Oracle
from tests.risk.scenario import Act, Scenario, Verb
from tests.risk.still_market import StillMarket
from tests.simulation.market import STEP_NS

START_NS = 1_760_000_000_000_000_000
SWING = Decimal("0.005")
"""How far the books may be off the price that stands still: four levels of 3 bps, and takers that empty them."""
SETTLE_S = 8.0
MAKERS = {"binance": BinanceVenue, "bybit": BybitVenue, "hyperliquid": HyperliquidVenue, "okx": OkxVenue}
UNSURE = (
    Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.ANSWER_LOST, Fault.ANSWER_LATE, Fault.ACCEPTED_LATE, Fault.STREAM_CUT,
    Fault.STREAM_SILENT, Fault.PUSH_LOST, Fault.PUSH_DELAYED, Fault.PUSH_REORDERED, Fault.ORDER_PUSH_LOST,
    Fault.FILL_PUSH_LOST, Fault.FILL_DURING_CANCEL,
)  # fmt: skip


class World:
    """Build it, ``play`` it once. Unless the limits are ``kept``, the desk knows of none and the oracle of all."""

    def __init__(self, scenario: Scenario, *, kept: bool = True) -> None:
        self.loop = loop = VirtualLoop(START_NS)
        self.scenario = scenario
        self.refused: list[str] = []
        self.broke: list[str] = []
        self._last: dict[str, object] | None = None
        self.exchanges = {
            name: paper_exchange(name, now_ns=loop.now_ns, bases=(scenario.base,)) for name in scenario.venues
        }  # fmt: skip
        market = StillMarket(self.exchanges, (scenario.base,), scenario.seed)
        self.faults = {
            name: Faults(seed=f"{scenario.seed}/{name}", now_ns=loop.now_ns)
            for name in scenario.venues
            if scenario.troubled
        }
        self.shell = MemoryShell(
            self.exchanges, market, loop, seed=scenario.seed, step_ns=STEP_NS, faults=self.faults,
            observe=self._happened,
        )  # fmt: skip
        self.accounts = {name: venue.credentials.key for name, venue in self.shell.venues.items()}
        self.oracle = Oracle(self.exchanges, self.accounts, scenario.limits, prices=START_PRICES, swing=SWING)
        self.oms = OMS(
            Gateway(self.shell.endpoints, make=self._make), journal=MemoryJournal(loop), clock=loop,
            pending_timeout=1.5, refresh_orders_snapshot=5.0, refresh_positions_snapshot=7.0,
            risk=scenario.limits if kept else None,
        )  # fmt: skip

    def _happened(self, venue, happenings):
        self.oracle.happened(venue, happenings)

    def _make(self, alias, endpoints):
        return MAKERS[alias](alias, endpoints, clock_ns=self.loop.now_ns, network=self.shell.network)

    def play(self) -> None:
        """Run the scenario and its end; what was exceeded is in ``oracle.broken``."""
        asyncio.set_event_loop(self.loop)
        self.loop.set_exception_handler(lambda _, context: self.broke.append(str(context)))
        try:
            self.loop.run_until_complete(self._played())
        finally:
            asyncio.set_event_loop(None)
            self.loop.close()

    async def _played(self) -> None:
        beside = self.loop.create_task(self.shell.run())
        await self.oms.init()
        for venue, exchange in self.exchanges.items():
            for ticker in exchange.contracts:
                await self.oms.watch(venue, ticker)
        async with asyncio.TaskGroup() as group:
            for act in self.scenario.acts:
                await asyncio.sleep(act.pause_ms / 1000)
                group.create_task(self._do(act))
        for faults in self.faults.values():
            faults.clear()
        await self.oms.wait_idle(SETTLE_S)
        await self.oms.cleanup()
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)

    async def _do(self, act: Act) -> None:
        try:
            match act.verb:
                case Verb.PLACE:
                    await self._place(act)
                case Verb.AGAIN:
                    if self._last is not None:
                        await self._send(self._last)
                case Verb.AMEND:
                    await self._amend(act)
                case Verb.CANCEL:
                    order = self._working(act)
                    if order is not None:
                        await self.oms.cancel_order(order.venue, order.ticker, cloid=order.key)
                case Verb.CANCEL_ALL:
                    await self.oms.cancel_orders(self.oms.makers_working())
                case Verb.FILL:
                    self._fill(act)
        except VenueError as error:
            self.refused.append(f"{type(error).__name__}: {error}")

    def _contract(self, act: Act, *, other: bool = False):
        venue = self.scenario.venues[1 - act.venue if other else act.venue]
        return next(iter(self.exchanges[venue].contracts.values()))

    async def _place(self, act: Act) -> None:
        if self.faults and act.pick == 0:
            venue = self.scenario.venues[act.venue]
            self.faults[venue].switch(
                Rule(fault=UNSURE[(act.value + act.bps) % len(UNSURE)], count=1, seconds=1.0, delay=1.0)
            )
        contract = self._contract(act)
        price = START_PRICES[contract.base]
        side = 1 if act.buys else -1
        amount = max(floor_lots(contract, act.value / price), smallest_order(contract, price * Decimal("0.97")))
        request: dict[str, object] = {
            "exc": contract.venue, "ticker": contract.ticker, "amount": side * amount, "reduce_only": act.reduce,
        }  # fmt: skip
        if act.how == "market":
            request["kind"] = "market"
        else:
            request["price"] = round_price(contract, price * (1 + side * Decimal(act.bps) / 10_000))
            request |= {"post_only": True} if act.how == "post" else {"tif": "IOC"} if act.how == "ioc" else {}
        if act.hedge:
            other = self._contract(act, other=True)
            request["legs"] = {
                "exc": other.venue, "ticker": other.ticker, "how": act.hedge, "ratio": Decimal(act.ratio),
                "slippage_bps": Decimal(20 if act.hedge == "ioc" else 0),
            }  # fmt: skip
        self._last = request
        await self._send(request)

    async def _send(self, request: dict[str, object]) -> None:
        order = {name: value for name, value in request.items() if name != "legs"}
        if "legs" in request:
            await self.oms.hedge_order(order, request["legs"])
        else:
            await self.oms.limit_order(order)

    def _working(self, act: Act) -> Order | None:
        orders = [order for order in self.oms.page.working() if order.role in {Role.MAKER, Role.MANUAL}]
        return orders[act.pick % len(orders)] if orders else None

    async def _amend(self, act: Act) -> None:
        order = self._working(act)
        if order is None or order.price is None:
            return
        contract = self.oms.contract_specs(order.venue, order.ticker)
        amount = max(floor_lots(contract, abs(order.amount) * min(act.value, 200) / 100), contract.lot_size)
        price = round_price(contract, order.price * (1 + Decimal(act.bps) / 10_000))
        await self.oms.amend_order(order.key, amount=amount.copy_sign(order.amount), price=price)

    def _fill(self, act: Act) -> None:
        """Let the house trade a part of one of our resting orders, at its price, wherever it stands."""
        venue = self.scenario.venues[act.venue]
        exchange = self.exchanges[venue]
        # A reduce-only order is left to the market: the exchange itself keeps it from more than the position.
        resting = [
            order for order in exchange.open_orders(self.accounts[venue]) if order.price and not order.reduce_only
        ]
        if not resting:
            return
        order = resting[act.pick % len(resting)]
        contract = exchange.contracts[order.ticker]
        part = max(floor_lots(contract, order.remaining * min(act.value, 100) / 100), contract.lot_size)
        try:
            exchange.meet(
                FLOW, self.accounts[venue], order.ticker, client_id=order.client_id, quantity=min(part, order.remaining)
            )
        except Refused as refused:
            self.refused.append(str(refused))
        self.shell.venues[venue].deliver()


def played(scenario: Scenario, *, kept: bool = True) -> World:
    """A world that has played a scenario."""
    world = World(scenario, kept=kept)
    world.play()
    return world
