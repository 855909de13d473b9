"""``OMS``: the facade. One object, the names that users of the system know, and the order in which parts are wired.

Everything runs on one event loop. A venue's message comes in through ``intake``: the pages change, the hedge decision
is made, handlers get their deltas, all in the same turn. Order entry goes out through ``entry``.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path

from gateways.errors import VenueError
from gateways.router import Gateway
from gateways.standards import (
    BookUpdate,
    Event,
    OrderUpdate,
    PlaceOrder,
    RejectReason,
)
from oms import checks, portfolio
from oms.arming import DeskState
from oms.cancels import Canceller
from oms.clock import Clock, DeskClock, Jump, SystemClock, watch_clock
from oms.cloid import CloidKind, CloidSource
from oms.dead_man import Switches
from oms.deltas import Delta, HedgeDelta
from oms.entry import OrderEntry
from oms.feed import FeedKeeper
from oms.flatten import Flattener, unwind
from oms.hedge.events import Unwind
from oms.hedge.handler import HedgeHandler
from oms.hedge.kernel import Kernel
from oms.hedge.policy import Limits
from oms.intake import Intake
from oms.journal import Recorder
from oms.killswitch import KillSwitch
from oms.killswitch import Rules as KillRules
from oms.limits import Limits as RiskLimits
from oms.order_desk import OrderDesk
from oms.orders import Order, OrderDelta, Role
from oms.outages import Outages
from oms.put_away import Kept, PutAway
from oms.recovery import recover, replay, restore_orders
from oms.risk.guard import Guard
from oms.segment_head import collector_paused
from oms.states import Act, Live, Trading, act_of
from oms.supervisor import Supervisor
from oms.tasks import TaskOwner
from oms.unknowns import Resolver
from oms.upkeep import follow_at_start
from oms.watchdog import PATIENCE_S


class OMS(OrderDesk):
    """Order management for all the venues of a ``Gateway``.

    ``pending_timeout`` seconds without an answer make an order UNKNOWN; ``refresh_orders_snapshot`` and
    ``refresh_positions_snapshot`` are the seconds between reconciliations of orders and of positions and money;
    ``private_patience`` is how many a private stream may take to tell what one of them found before it is opened anew.
    ``dead_man_s``: seconds of silence after which venues that can cancel our makers do so (``oms.dead_man``).
    ``clock_skew_ms``: how far a venue's clock and ours may differ while makers are sent; hedges always are.
    ``live`` makes a desk of real accounts, which must be armed (``oms.states``); ``kill_file`` pulls the kill switch.
    ``kept`` says how many finished orders stay in memory (``oms.put_away``).
    ``limits`` bound the hedge engine, ``risk`` what is sent at all (``oms.risk``).
    """

    def __init__(
        self, gateway: Gateway, *, journal: Recorder, clock: Clock | None = None, desk: int = 1,
        pending_timeout: float = 5.0, refresh_orders_snapshot: float = 30.0, refresh_positions_snapshot: float = 30.0,
        private_patience: float = PATIENCE_S, dead_man_s: int | None = None, clock_skew_ms: int | None = 1_000,
        limits: Limits | None = None, risk: RiskLimits | None = None, live: Live | None = None,
        kill_file: Path | None = None, kill_rules: KillRules | None = None, kept: Kept | None = None,
    ) -> None:  # fmt: skip
        self.desk_clock = DeskClock(clock or SystemClock())
        self.clock: Clock = self.desk_clock
        self.started_ns = self.clock.now_ns()
        self.cloids = CloidSource(desk, self.started_ns // 1_000_000)
        super().__init__(gateway, Kernel(partial(self.cloids.next, CloidKind.HEDGE), limits), journal.archive)
        self.journal = journal
        self.put_away = PutAway(self, kept or Kept())
        self.clock_skew_ms = clock_skew_ms
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
            take=self._queried, absent=self._absent, ended=self._ended, silent=self._silent,
        )  # fmt: skip
        self.switches = Switches(self, dead_man_s)
        self.hedge = HedgeHandler(self)
        self.outages = Outages(self)
        self.intake = Intake(self)
        self.guard = Guard(self, risk)
        self.guard.add_breach_callback(self.state.breached)
        self.guard.add_breach_callback(lambda why: self.state.disarm(f"by itself: {why}"))
        if self.guard.limits.any:
            self.kernel.cap.of, self.kernel.cap.of_all = self.guard.unhedged_cap, self.guard.unhedged_cap_of_all
        self.deltas.first(self._noticed)
        self.flattener = Flattener(
            gateway, self.page, self.hedge, self.entry, self.cloids, cancel=self.cancel_orders,
            mirrored=self.positions.get, slippage_bps=lambda: self.guard.limits.flatten_slippage_bps,
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
            past = replay(self.journal.records(), self.kernel, self.journal.archive)
            self.store.begin(past.upto if past.away else 0)
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
        return (
            not any(book.open_children or book.awaits_news for book in self.kernel.books.values())
            and not self.hedge.timers
            and not self.page.unsettled
            and self.deltas.idle
        )

    async def hedge_portfolio_delta(self, venues: Mapping[str, str] | None = None) -> list[Order]:
        """Bring each base asset's net position over all venues to zero; see ``oms.portfolio``."""
        return await portfolio.hedge_portfolio_delta(self, venues or {})

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
        for exc, venue in self.gateway.venues.items():
            venue.doubt_clock()
            self.supervisor.reconcile_soon(exc)
        self.killswitch.jumped(jump)
        for callback in self._jump_callbacks:
            callback(jump)

    def lagged_price(self, exc: str, ticker: str, lag_ms: int) -> Decimal | None:
        """The mid of ``lag_ms`` ago as it was seen here; None when it was not watched then."""
        return self.supervisor.prices.at(exc, ticker, self.clock.now_ns() - lag_ms * 1_000_000)

    # ------------------------------------------------------------ the inside

    def take(self, event: Event, ts_recv_ns: int) -> None:
        """Apply one event of a venue to the page that mirrors it, and publish the change."""
        self.intake.take(event, ts_recv_ns)

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
        if not isinstance(delta, OrderDelta):
            return
        order = delta.after
        if "reason" in delta.changed and order.reason is RejectReason.CLOCK:
            self.gateway.venue(order.venue).doubt_clock()
        if delta.before is not None and delta.before.status.terminal and order.working:
            self._revived(order)

    def _revived(self, order: Order) -> None:
        """Cancel a maker that was taken as ended and rests, where it would have been stopped meanwhile."""
        text = checks.blocked(self.hedge.legs(order.key), self.kernel.books, self.kernel.outages)
        if text:
            what = f"order {order.key[:8]} was taken as ended and rests: it is cancelled"
            self.alert(order.venue, order.ticker, f"{what}, {text}", "error", order.key)
            self.tasks.start(self.cancel_orders([order]), f"cancel {order.key[:8]}")

    def _not_cancelled(self, order: Order, text: str) -> None:
        self.alert(order.venue, order.ticker, f"order {order.key[:8]} was not cancelled: {text}", cloid=order.key)

    def _unresolved(self, key: str) -> None:
        self.hedge.left_by_now(key)
        self.resolver.resolve(key)

    def _refusal(self, order: Order) -> str:
        """Why an order that is about to leave must not; empty where it may."""
        match order.role:
            case Role.HEDGE:  # one that was journaled just before nothing could be any more is known of: it goes
                return "" if self.state.for_good else self.state.refusal(Act.HEDGE)
            case Role.MAKER | Role.MANUAL:
                text = self.state.refusal(act_of(reduce_only=order.reduce_only))
                return text or checks.blocked(self.hedge.legs(order.key), self.kernel.books, self.kernel.outages)
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

    def _silent(self, order: Order, after_s: float, why: str) -> None:
        open_part = f"{order.amount - order.filled:f} of {order.venue}:{order.ticker} may be filled or not"
        text = f"{order.role.value} {order.key[:8]} is asked about in vain for {after_s:.0f} s, {open_part}: {why}"
        self.alert(order.venue, order.ticker, text, "error", order.key)

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
