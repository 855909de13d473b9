"""``OMS``: the facade. One object, the names that users of the system know, and the order in which parts are wired.

Everything runs on one event loop. A venue's message comes in through ``intake``: the pages change, the hedge decision
is made, handlers get their deltas, all in the same turn. Order entry goes out through ``entry``.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from gateways.errors import Denied, VenueError
from gateways.router import Gateway
from gateways.standards import (
    AmendOrder,
    BalanceUpdate,
    BookUpdate,
    Contract,
    Event,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    PlaceOrder,
    PositionUpdate,
    PriceRule,
)
from gateways.venue import Capabilities
from oms import checks, portfolio
from oms.arming import DeskState
from oms.cancels import Canceller
from oms.clock import Clock, DeskClock, Jump, SystemClock, watch_clock
from oms.cloid import CloidKind, CloidSource
from oms.dead_man import Switches
from oms.deltas import Delta, HedgeDelta
from oms.entry import OrderEntry
from oms.feed import FeedKeeper
from oms.flatten import Flattened, Flattener, unwind
from oms.hedge.events import Unwind
from oms.hedge.handler import HedgeHandler
from oms.hedge.kernel import Kernel
from oms.hedge.policy import Leg, Limits
from oms.intake import Intake
from oms.journal import Recorder
from oms.killswitch import KillSwitch
from oms.killswitch import Rules as KillRules
from oms.limits import Limits as RiskLimits
from oms.mirrors import Mirrors
from oms.orders import Order, Role
from oms.outages import Outages
from oms.recovery import recover, replay, restore_orders
from oms.requests import HedgeRequest, OrderRequest, parsed
from oms.risk.guard import Guard
from oms.states import Act, Arming, Live, Trading, act_of
from oms.supervisor import Supervisor
from oms.tasks import TaskOwner
from oms.unknowns import Resolver
from oms.upkeep import collector_paused, follow_at_start
from oms.verify import Proof, prove
from oms.watchdog import PATIENCE_S


class OMS(Mirrors):
    """Order management for all the venues of a ``Gateway``.

    ``pending_timeout`` seconds without an answer make an order UNKNOWN; ``refresh_orders_snapshot`` and
    ``refresh_positions_snapshot`` are the seconds between reconciliations of orders and of positions and money;
    ``private_patience`` is how many a private stream may take to tell what one of them found before it is opened anew.
    ``dead_man_s``: seconds of silence after which venues that can cancel our makers do so (``oms.dead_man``).
    ``clock_skew_ms``: how far a venue's clock and ours may differ while makers are sent; hedges always are.
    ``live`` makes a desk of real accounts, which must be armed (``oms.states``); ``kill_file`` pulls the kill switch.
    ``limits`` bound the hedge engine, ``risk`` what is sent at all (``oms.risk``).
    """

    def __init__(
        self, gateway: Gateway, *, journal: Recorder, clock: Clock | None = None, desk: int = 1,
        pending_timeout: float = 5.0, refresh_orders_snapshot: float = 30.0, refresh_positions_snapshot: float = 30.0,
        private_patience: float = PATIENCE_S, dead_man_s: int | None = None, clock_skew_ms: int | None = 1_000,
        limits: Limits | None = None, risk: RiskLimits | None = None, live: Live | None = None,
        kill_file: Path | None = None, kill_rules: KillRules | None = None,
    ) -> None:  # fmt: skip
        self.desk_clock = DeskClock(clock or SystemClock())
        self.clock: Clock = self.desk_clock
        self.started_ns = self.clock.now_ns()
        self.cloids = CloidSource(desk, self.started_ns // 1_000_000)
        super().__init__(gateway, Kernel(lambda: self.cloids.next(CloidKind.HEDGE), limits))
        self.journal = journal
        self._clock_skew_ms = clock_skew_ms
        self.began_ns = self.started_ns
        """When the first session of this journal began: proofs go back to there."""
        self.known_until_ns = self.missed_since_ns = self.started_ns
        """When this journal was last written before this session: what venues did since then is news."""
        self.state = DeskState(self, live)
        self.killswitch = KillSwitch(self, kill_file, kill_rules)
        self._jump_callbacks: list[Callable[[Jump], None]] = []
        self.tasks = TaskOwner(self._task_failed)
        self.keeper = FeedKeeper(self.feed, self._fetch_book, clock=self.clock, on_error=self._task_failed)
        self.entry = OrderEntry(
            gateway, self.page, journal, self.clock, publish=self.publish, unresolved=self._unresolved,
            pending_timeout=pending_timeout, before_hedge=self._before_hedge, refusal=self._refusal,
        )  # fmt: skip
        self.canceller = Canceller(self.entry, self.page, self.tasks, self._not_cancelled)
        self.resolver = Resolver(
            gateway, self.page, self.clock, self.tasks, publish=self.publish,
            take=self._queried, absent=self._absent, ended=self._ended,
        )  # fmt: skip
        self.switches = Switches(self, dead_man_s)
        self.hedge = HedgeHandler(self)
        self.outages = Outages(self)
        self.intake = Intake(self)
        self.guard = Guard(self, risk)
        self.guard.add_breach_callback(self.state.breached)
        self.guard.add_breach_callback(lambda why: self.state.disarm(f"by itself: {why}"))
        if self.guard.limits.any:
            self.kernel.cap_of, self.kernel.cap_of_all = self.guard.unhedged_cap, self.guard.unhedged_cap_of_all
        self.deltas.first(self._noticed)
        self.flattener = Flattener(
            gateway, self.page, self.hedge, self.entry, self.cloids, cancel=self.cancel_orders,
            mirrored=self.positions.get,
        )  # fmt: skip
        self.supervisor = Supervisor(
            self, refresh_orders_snapshot=refresh_orders_snapshot,
            refresh_positions_snapshot=refresh_positions_snapshot, private_patience=private_patience,
        )  # fmt: skip

    # ------------------------------------------------------------------ life

    async def init(self) -> None:
        """Take up what the journal tells, connect every venue, take the baselines, recover, start reconciling.

        New makers are refused until this has returned.
        Raises VenueError when a venue cannot be reached: an OMS that sees only a part must not trade.
        """
        with collector_paused():
            past = replay(self.journal.records(), self.kernel)
            restore_orders(past, self.page)
            follow_at_start(self, past)
        if past.trading is Trading.HALTED:
            self.hedge.halted("the desk is HALTED")
        self.guard.day = past.day
        behind_ns = self.desk_clock.not_before(self.kernel.now_ns)
        if behind_ns:
            text = f"this machine's UTC clock is {behind_ns / 1e9:.1f} s behind the journal's last time: look at it"
            self.alert("", "", f"{text}. The desk goes on from there", "error")
        if past.started_ns:
            past.not_after(self.desk_clock.utc_ns())
            self.began_ns, self.known_until_ns = past.started_ns, past.last_ns
            self.missed_since_ns = past.missed_since_ns
        self.journal.append("Session", desk=self.cloids.desk, session_ms=self.cloids.session_ms)
        await self.gateway.connect(self.intake.receive, self.supervisor)
        await self.supervisor.start()
        self.switches.prime()
        self.tasks.start(watch_clock(self.desk_clock, self._time_jumped), "clock")
        self.tasks.start(self.killswitch.watch_file(), "kill switch")
        if self.state.live is not None:
            self.tasks.start(self.state.watch(), "arming")
        await recover(self, past)
        self.switches.start()
        self.guard.start()
        self.state.restore(past.trading)

    async def cleanup(self) -> None:
        """Close everything: no new hedges, no tasks, no connections. Resting orders stay; see ``stop``."""
        self.hedge.close()
        async with contextlib.AsyncExitStack() as ends:  # from the last to the first, each whatever the others raise
            ends.callback(self.journal.close)
            for close in (self.deltas.close, self.gateway.close, self.tasks.close, self.keeper.close):
                ends.push_async_callback(close)
            await self.switches.close()
            await self.supervisor.close()

    async def stop(self, settle_s: float = 10.0) -> list[str]:
        """The two-phase stop: no new makers, cancel makers, settle hedges. Returns what is left, a sentence each."""
        self.state.stopping()
        await self.cancel_orders(self.makers_working())
        await self.wait_idle(settle_s)
        await self.switches.settle()
        left = [
            f"{view.balance:f} of {view.venue}:{view.ticker} is not hedged: {view.waits}"
            for views in self.hedge_book.values() for view in views.values() if view.balance != 0
        ]  # fmt: skip
        left += [
            f"order {order.key[:8]} on {order.venue}:{order.ticker} is {order.status.value}"
            for order in self.page.working() if order.role is not Role.EXTERNAL
        ]  # fmt: skip
        return left

    async def wait_idle(self, within_s: float, quiet_s: float = 0.25) -> bool:
        """Wait until nothing has been in flight, due or queued for ``quiet_s``; False when that took too long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        calm_since = loop.time()
        while True:
            if not self.idle:
                calm_since = loop.time()
            elif loop.time() - calm_since >= quiet_s:
                return True
            if loop.time() > deadline:
                return False
            await asyncio.sleep(0.01)

    @property
    def idle(self) -> bool:
        """No hedge order in flight, no decision due, no order unanswered, no handler behind. Resting makers may be."""
        unsettled = (OrderStatus.PENDING, OrderStatus.UNKNOWN, OrderStatus.CANCEL_PENDING)
        return (
            not any(book.open_children or book.awaits_news for book in self.kernel.books.values())
            and not self.hedge.timers
            and not any(order.status in unsettled for order in self.page.working())
            and self.deltas.idle
        )

    # ----------------------------------------------------------- order entry

    async def hedge_order(
        self, maker_order: OrderRequest | dict[str, Any],
        hedge_order: HedgeRequest | dict[str, Any] | Iterable[HedgeRequest | dict[str, Any]], trigger_after_ms: int = 0,
        *, confirmed: bool = False,
    ) -> Order:  # fmt: skip
        """Rest a maker order with one hedge leg or several; each of its fills is hedged on them.

        ``confirmed``: go over limits that only ask (``oms.risk``); else Unconfirmed, a Denied, is raised there.
        Returns the maker as acknowledged. Raises Denied (nothing was sent), Rejected, Unavailable or Unknown; after
        Unknown the maker may exist, and its fills will be hedged.
        """
        maker = parsed(OrderRequest, maker_order)
        given = [hedge_order] if isinstance(hedge_order, (HedgeRequest, dict)) else list(hedge_order)
        legs = tuple(parsed(HedgeRequest, leg).leg(trigger_after_ms) for leg in given)
        return await self.place(maker.exc, maker.placed(), legs, confirmed=confirmed)

    async def limit_order(self, order: OrderRequest | dict[str, Any], *, confirmed: bool = False) -> Order:
        """Send a limit order without a hedge. Raises as ``hedge_order``."""
        request = parsed(OrderRequest, order)
        return await self.place(request.exc, request.placed(), confirmed=confirmed)

    async def market_order(self, order: OrderRequest | dict[str, Any], *, confirmed: bool = False) -> Order:
        """Send a market order without a hedge. Raises as ``hedge_order``."""
        if isinstance(order, dict):
            order = {"kind": OrderKind.MARKET, **order}
        request = parsed(OrderRequest, order)
        return await self.place(request.exc, request.placed(), confirmed=confirmed)

    async def place(self, exc: str, order: PlaceOrder, legs: tuple[Leg, ...] = (), *, confirmed: bool = False) -> Order:
        """Check, register, journal and send an order, typed; the cloid is given here. Raises as ``hedge_order``."""
        self._allowed(exc, order, legs)
        venue = self.gateway.venue(exc)
        contract = self.contract_specs(exc, order.ticker)
        checks.check_legs(contract, legs, self.contracts)
        if order.tif not in venue.capabilities.time_in_force:
            allowed = ", ".join(sorted(tif.value.lower() for tif in venue.capabilities.time_in_force))
            raise Denied(exc, f"{order.tif.value.lower()} is not offered there: {allowed}", field="tif")
        await asyncio.gather(self.watch(exc, order.ticker), *(self.watch(leg.venue, leg.ticker) for leg in legs))
        self._allowed(exc, order, legs)  # a panic, a hold or new rules may have come while it waited
        contract = self.contract_specs(exc, order.ticker)
        checks.check_order(contract, order, reference=self.feed.mid(exc, order.ticker))
        self.check_room(order.amount, legs)
        order = msgspec.structs.replace(order, cloid=self.cloids.next(CloidKind.MAKER if legs else CloidKind.MANUAL))
        order = self.guard.admit(exc, order, legs, confirmed=confirmed)
        order = self._priced(venue.capabilities, contract, order)
        if legs:
            self.hedge.register_maker(order.cloid, exc, order.ticker, legs)
            for leg in legs:
                self._price_book(leg.venue, leg.ticker)
        self.entry.register(exc, order, Role.MAKER if legs else Role.MANUAL)
        return await self.entry.send(exc, order)

    def _allowed(self, exc: str, order: PlaceOrder, legs: tuple[Leg, ...]) -> None:
        """Refuse what the desk's state forbids, and makers whose hedges would not be sent (I10). Raises Denied."""
        self.state.check(exc, act_of(reduce_only=order.reduce_only))
        if not order.reduce_only:
            checks.check_clock([exc, *(leg.venue for leg in legs)], self.health.clock_offset_ns, self._clock_skew_ms)
        checks.check_books(legs, self.kernel.books, self.kernel.outages)

    def _price_book(self, exc: str, ticker: str) -> None:
        """Give a new hedge book the prices known already: its first hedge must not wait for the next quote."""
        quote = self.feed.quote(exc, ticker)
        if quote is not None:
            self.hedge.quoted(quote, self.feed.ts_recv_ns(exc, ticker))

    def _priced(self, capabilities: Capabilities, contract: Contract, order: PlaceOrder) -> PlaceOrder:
        """Leave a price rule to the venue where it matches natively, else read it from our book."""
        rule = order.price_rule
        if rule is None or ((rule.side, rule.level) in capabilities.price_match and
                            (not order.post_only or capabilities.price_match_post_only)):  # fmt: skip
            return order
        return msgspec.structs.replace(order, price=self.price_for(contract, rule, order), price_rule=None)

    def price_for(self, contract: Contract, rule: PriceRule, order: PlaceOrder) -> Decimal:
        """The price that a rule names now, from our book. Raises Denied without a book in sequence."""
        price = self.feed.price_for(rule, contract, buying=order.amount > 0, post_only=order.post_only)
        if price is None:
            text = f"{rule} needs a book of {contract.ticker}, which is not in sequence yet: give a price"
            raise Denied(contract.venue, text, field="price")
        return price

    async def amend_order(
        self, key: str, *, amount: Decimal | None = None, price: Decimal | None = None, confirmed: bool = False
    ) -> Order:
        """Change a resting order's signed total ``amount`` and ``price``; None keeps. Raises as ``hedge_order``."""
        order = self._known(key)
        if order.oid is None or order.price is None or not order.working:
            raise Denied(order.venue, f"order {key[:8]} is {order.status.value}: only a resting order can be amended")
        request = AmendOrder(
            ticker=order.ticker, cloid=order.key, oid=order.oid, amount=order.amount if amount is None else amount,
            price=order.price if price is None else price, filled=order.filled, tif=order.tif,
            post_only=order.post_only, reduce_only=order.reduce_only,
        )  # fmt: skip
        if request.amount * order.amount <= 0 or abs(request.amount) <= abs(order.filled):
            text = f"the amount {request.amount:f} must keep the side and be over the {order.filled:f} already filled"
            raise Denied(order.venue, text, field="amount")
        placed = PlaceOrder(
            ticker=order.ticker, cloid=order.key, amount=request.amount, price=request.price,
            reduce_only=order.reduce_only,
        )  # fmt: skip
        if abs(request.amount) > abs(order.amount) or request.price != order.price:
            self._allowed(order.venue, placed, self.hedge.legs(order.key))
        checks.check_order(self.contract_specs(order.venue, order.ticker), placed)
        if abs(request.amount) > abs(order.amount):
            self.check_room(request.amount - order.filled, self.hedge.legs(order.key), amending=order.key)
        with self.guard.amending(order, request, confirmed=confirmed):
            return await self.entry.amend(order, request)

    async def cancel_order(self, exc: str, ticker: str, oid: str | None = None, cloid: str | None = None) -> Order:
        """Cancel one order by ``oid`` or ``cloid``. A cancelled hedge pauses its book: it must not come right back."""
        order = self.page.get(cloid) if cloid else self.page.by_oid(exc, oid or "")
        if order is None or (order.venue, order.ticker) != (exc, ticker):
            raise Denied(exc, f"no order {cloid or oid!r} in {ticker} is known here", field="cloid")
        if not order.working:
            raise Denied(exc, f"order {order.key[:8]} is {order.status.value} already", field="cloid")
        if order.role is Role.HEDGE:
            self.hedge.pause(exc, ticker, f"its hedge {order.key[:8]} was cancelled by hand")
        return await self.entry.cancel(order)

    async def cancel_orders(self, orders: list[Order]) -> int:
        """Cancel many at once; what fails is announced and pursued (``oms.cancels``). Returns how many were taken."""
        return await self.canceller.cancel(orders)

    def _not_cancelled(self, order: Order, text: str) -> None:
        self.alert(order.venue, order.ticker, f"order {order.key[:8]} was not cancelled: {text}", cloid=order.key)

    def makers_working(self) -> list[Order]:
        """Our orders that a cancel-all takes: makers and manual ones, never hedges."""
        return [order for order in self.page.working() if order.role in {Role.MAKER, Role.MANUAL}]

    async def flatten(self, exc: str, ticker: str) -> Flattened:
        """Close one contract's position: see ``oms.flatten``. Raises Denied when the journal cannot be written."""
        if self.journal.failed is not None:
            raise Denied(exc, "nothing new is sent without a journal: close it on the venue itself")
        return await self.flattener.flatten(exc, ticker)

    @property
    def trading(self) -> Trading:
        """Which orders go out: see ``oms.states``."""
        return self.state.trading

    @property
    def arming(self) -> Arming:
        """Whether risk may be raised: see ``oms.states``."""
        return self.state.arming

    async def panic(self, why: str = "by the operator") -> int:
        """Cancel all makers everywhere, allow only hedges, disarm: see ``oms.killswitch``. Returns cancels taken."""
        return await self.killswitch.panic(why)

    def arm(self, name: str) -> None:
        """Let a live desk raise risk, by its name. Raises Denied."""
        self.state.arm(name)

    def disarm(self) -> None:
        """Raise no more risk, cancelling nothing: a live desk is SAFE, one on paper HEDGE-ONLY."""
        if self.state.live is None:
            self.state.take("Disarm", "by the operator")
        else:
            self.state.disarm("by the operator")

    def activate(self) -> None:
        """Allow makers again, and hedges. Raises Denied for a desk that is HALTED for good or not recovered yet."""
        self.state.take("Activate", "by the operator")
        self.state.because = ""

    async def reducing(self) -> int:
        """Allow only orders that reduce, and hedges; cancel the others. Returns cancels taken. Raises Denied."""
        self.state.take("Reducing", "by the operator")
        return await self.cancel_orders([order for order in self.makers_working() if not order.reduce_only])

    async def halt_trading(self) -> int:
        """Allow no hedges either, cancel all makers, disarm; until ``activate``. Returns cancels taken."""
        self.state.take("Halt", "by the operator")
        self.state.disarm("by the operator")
        return await self.cancel_orders(self.makers_working())

    async def hedge_portfolio_delta(self, venues: Mapping[str, str] | None = None) -> list[Order]:
        """Bring each base asset's net position over all venues to zero; see ``oms.portfolio``."""
        return await portfolio.hedge_portfolio_delta(self, venues or {})

    # ------------------------------------------------------------ asked fresh

    def add_clock_callback(self, every_s: float, callback: Callable[[int], Awaitable[None]]) -> None:
        """Call ``callback`` with the time in nanoseconds every ``every_s`` seconds until ``cleanup``."""

        async def ticking() -> None:
            while True:
                await asyncio.sleep(every_s)
                await callback(self.clock.now_ns())

        self.tasks.start(ticking(), "clock callback")

    def add_jump_callback(self, callback: Callable[[Jump], None]) -> None:
        """Tell ``callback`` of each jump of the UTC clock and each standstill of the machine, within a second of it."""
        self._jump_callbacks.append(callback)

    def _time_jumped(self, jump: Jump) -> None:
        """Say so; decide anew what fell due meanwhile, and ask the venues for what was missed."""
        self.alert("", "", f"{jump}: the desk's own time was not moved, what fell due is decided anew", "error")
        self.hedge.wake()
        for exc in self.gateway.venues:
            self.supervisor.reconcile_soon(exc)
        self.killswitch.jumped(jump)
        for callback in self._jump_callbacks:
            callback(jump)

    async def orders_get(self, exc: str, ticker: str | None = None) -> list[OrderUpdate]:
        """The open orders, asked fresh; the mirror learns from the answer."""
        found = await self.gateway.venue(exc).open_orders(ticker)
        for update in found:
            self.publish(self.page.upsert(update, self.clock.now_ns()))
        return found

    async def orders_get_all(self) -> dict[str, list[OrderUpdate]]:
        """The open orders of every venue, asked fresh."""
        return {exc: await self.orders_get(exc) for exc in self.gateway.venues}

    async def positions_get(self, exc: str) -> list[PositionUpdate]:
        """The positions, asked fresh; the mirror learns from the answer."""
        return await self.supervisor.refresh_positions(exc)

    async def positions_get_all(self) -> dict[str, list[PositionUpdate]]:
        """The positions of every venue, asked fresh."""
        return {exc: await self.positions_get(exc) for exc in self.gateway.venues}

    async def get_balance(self, exc: str) -> list[BalanceUpdate]:
        """The money on a venue, asked fresh; the mirror learns from the answer."""
        return await self.supervisor.refresh_balances(exc)

    async def get_all_balances(self) -> dict[str, list[BalanceUpdate]]:
        """The money on every venue, asked fresh."""
        return {exc: await self.get_balance(exc) for exc in self.gateway.venues}

    async def get_all_equities(self) -> dict[str, Decimal]:
        """Wallets plus unrealised profit by venue, asked fresh, in the venue's quote currency."""
        return {
            exc: portfolio.equity(await self.get_balance(exc), await self.positions_get(exc))
            for exc in self.gateway.venues
        }  # fmt: skip

    def lagged_price(self, exc: str, ticker: str, lag_ms: int) -> Decimal | None:
        """The mid of ``lag_ms`` ago as it was seen here; None when it was not watched then."""
        return self.supervisor.prices.at(exc, ticker, self.clock.now_ns() - lag_ms * 1_000_000)

    def rand_cloid(self) -> str:
        """A fresh client order id."""
        return self.cloids.next(CloidKind.MANUAL)

    async def update_exchange_contracts(self, exc: str) -> None:
        """Fetch a venue's contracts anew; hedges go by the new rules from then on."""
        contracts = await self.gateway.venue(exc).load_contracts()
        for venue, ticker in list(self.kernel.books):
            if venue == exc and ticker in contracts:
                self.hedge.specify(contracts[ticker])

    async def reconcile(self, exc: str | None = None) -> None:
        """Compare the mirrors with a venue's own state (None: with every venue's) and correct them now."""
        for alias in [exc] if exc else list(self.gateway.venues):
            await self.supervisor.reconcile(alias)

    async def verify(self) -> Proof:
        """Prove the books against the venues' own fills: see ``oms.verify``."""
        return await prove(self.gateway, self.page, self.positions, self.kernel, since_ns=self.began_ns)

    async def watch(self, exc: str, ticker: str) -> None:
        """Open a contract's public data and wait, briefly, for its first book. Idempotent."""
        await self.supervisor.watch(exc, ticker)

    # ------------------------------------------------------------ the inside

    def take(self, event: Event, ts_recv_ns: int) -> None:
        """Apply one event of a venue to the page that mirrors it, and publish the change."""
        self.intake.take(event, ts_recv_ns)

    def publish(self, delta: Delta | None) -> None:
        """Publish a delta, if there is one."""
        if delta is not None:
            self.deltas.publish(delta)

    def alert(
        self, venue: str, ticker: str, text: str, severity: str = "warning", cloid: str = "", *, event: str = "alert"
    ) -> None:  # fmt: skip
        """Publish something that the operator must see."""
        self.deltas.publish(
            HedgeDelta(event=event, venue=venue, ticker=ticker, text=text, severity=severity, cloid=cloid,
                       ts_ns=self.clock.now_ns())
        )  # fmt: skip

    def _noticed(self, delta: Delta) -> None:
        """Take a delta in the turn in which it came about: the hedge decision first."""
        self.hedge.order_delta_hedge(delta)
        self.guard.noticed(delta)

    def _known(self, key: str) -> Order:
        order = self.page.get(key)
        if order is None:
            raise Denied("order", f"no order {key!r} is known here", field="cloid")
        return order

    def _unresolved(self, key: str) -> None:
        self.hedge.left_by_now(key)
        self.resolver.resolve(key)

    def _refusal(self, order: Order) -> str:
        """Why an order that is about to leave must not; empty where it may."""
        match order.role:
            case Role.HEDGE:  # one that was journaled just before nothing could be any more is known of: it goes
                return "" if self.state.for_good else self.state.refusal(Act.HEDGE)
            case Role.MAKER | Role.MANUAL:
                return self.state.refusal(act_of(reduce_only=order.reduce_only))
            case _:
                return ""

    async def _before_hedge(self, venue: str, order: PlaceOrder) -> None:
        await self.switches.clear(venue, order)

    def _queried(self, update: OrderUpdate) -> None:
        self.supervisor.watchdog.take(update)

    def _absent(self, key: str) -> bool:
        return self.hedge.absent(key)

    def _ended(self, key: str) -> None:
        self.hedge.ended(key)

    # -- what the hedge handler asks of its host

    def accept_until_ns(self, venue: str, sent_ns: int) -> int:
        """Until when the venue may accept a request sent at ``sent_ns``."""
        return self.resolver.accept_until_ns(venue, sent_ns)

    def confirm_end(self, key: str) -> None:
        """Ask a venue how much an order had filled when it ended."""
        self.resolver.confirm(key)

    def announce(self, delta: HedgeDelta) -> None:
        """Publish what the operator must see."""
        self.deltas.publish(delta)
        self.killswitch.heard(delta)

    def hedge_sent(self, venue: str, took_ns: int) -> None:
        """Count the time from a fill's receipt to its hedge's request."""
        self.health.hedge_sent(venue, took_ns)

    def venue_lost(self, venue: str, text: str) -> None:
        """Hold a venue's books until it can be reached."""
        self.outages.begin(venue, text)

    def refresh_contracts(self, venue: str) -> None:
        """Ask a venue for its contracts anew, in the background."""
        self.tasks.start(self.update_exchange_contracts(venue), f"contracts of {venue}")

    def stop_makers(self, venue: str, ticker: str, reason: str) -> None:
        """Cancel the makers that feed a book, in the background."""
        makers = [
            order
            for order in self.page.working()
            if any((leg.venue, leg.ticker) == (venue, ticker) for leg in self.hedge.legs(order.key))
        ]
        if makers:
            self.alert(venue, ticker, f"{len(makers)} makers of {venue}:{ticker} are cancelled: {reason}", "error")
            self.tasks.start(self.cancel_orders(makers), f"stop makers of {venue}:{ticker}")

    async def unwind(self, command: Unwind) -> None:
        """Close on the maker's venue what cannot be hedged; what fills of it is forfeited in the book."""
        text = self.state.refusal(Act.HEDGE)
        if text:
            self.alert(command.venue, command.ticker, f"{command.amount:f} is not unwound: {text}", "error")
        else:
            await unwind(self, command)

    def halt(self, reason: str) -> None:
        """Let nothing new out and cancel makers. Idempotent."""
        if not self.state.for_good:
            self.state.halt_for_good(reason)
            self.alert("", "", f"HALTED, nothing new is sent and makers are cancelled: {reason}", "error")
            self.tasks.start(self.cancel_orders(self.makers_working()), "cancel makers")

    async def _fetch_book(self, exc: str, ticker: str) -> BookUpdate:
        return await self.gateway.venue(exc).book(ticker, 1000)

    def _task_failed(self, name: str, error: BaseException) -> None:
        text = error.text if isinstance(error, VenueError) else repr(error)
        self.alert("", "", f"{name} failed: {text}", "error")
