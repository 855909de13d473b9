"""Keeping the mirrors true: reconciliation at start, on timers and after every reconnect, and watching contracts.

Orders and fills are asked for by ``oms.reconciler``; here is when, and positions and money. A failed query changes
nothing and is tried again at the next turn.
"""

import asyncio
from collections import defaultdict, deque
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from gateways.errors import Unavailable, Unknown, VenueError
from gateways.standards import BalanceUpdate, PositionUpdate
from gateways.venue import Channel, ChannelState, Watcher
from oms.correlation import current_act
from oms.deltas import HealthDelta, HedgeDelta, RequestDelta
from oms.positions import SETTLE_NS, PositionDelta
from oms.reconciler import Reconciler
from oms.tasks import TaskOwner
from oms.upkeep import keep_journal
from oms.watchdog import PATIENCE_S, Watchdog

if TYPE_CHECKING:
    from oms.system import OMS

FIRST_BOOK_S = 3.0
RETRY_S = 2.0
"""After a reconciliation that failed, or that had more to ask than one cycle may."""
AGAIN_S = 2.0
"""Until the positions are asked for again when an answer is doubted, or differs from the fills for the first time."""
DRIFT_PATIENCE = 3
"""Checks in a row that a position must differ from its fills before it is an alarm: they come by two messages."""
DRIFT_STAYS = 5
"""Checks in a row after which it is no fill that was missed: orders and fills were asked for since the alarm."""
PRICE_EVERY_S = 0.1
PRICE_SAMPLES = 600


class Drifting(NamedTuple):
    """How many checks in a row, since when (UTC), found one and the same difference of a position from its fills."""

    checks: int
    began_ns: int


class LaggedPrices:
    """Mids by the time seen, the last ``PRICE_SAMPLES`` of each contract."""

    def __init__(self) -> None:
        self._samples: dict[tuple[str, str], deque[tuple[int, Decimal]]] = defaultdict(
            lambda: deque(maxlen=PRICE_SAMPLES)
        )

    def add(self, exc: str, ticker: str, ts_ns: int, mid: Decimal) -> None:
        """Keep one."""
        self._samples[exc, ticker].append((ts_ns, mid))

    def at(self, exc: str, ticker: str, ts_ns: int) -> Decimal | None:
        """The mid that held at ``ts_ns``, None when none had been seen by then."""
        held = None
        for seen_ns, mid in self._samples.get((exc, ticker), ()):
            if seen_ns > ts_ns:
                break
            held = mid
        return held


class Supervisor(Watcher):
    """Told of the venues' channels and requests; reconciles an ``OMS`` with its venues."""

    def __init__(
        self, oms: "OMS", *, refresh_orders_snapshot: float, refresh_positions_snapshot: float,
        private_patience: float = PATIENCE_S,
    ) -> None:  # fmt: skip
        self.prices = LaggedPrices()
        self.watchdog = Watchdog(oms, private_patience)
        self.reconciler = Reconciler(oms, self.watchdog.take)
        self._oms = oms
        self._orders_every = refresh_orders_snapshot
        self._positions_every = refresh_positions_snapshot
        self._tasks = TaskOwner(self._failed)
        self._watched: dict[tuple[str, str], asyncio.Event] = {}
        self._opening: set[tuple[str, str]] = set()
        self._drifting: dict[tuple[str, str], Drifting] = {}
        self._started = False
        self._wake: dict[str, asyncio.Event] = {}

    async def start(self) -> None:
        """Take the baseline of every venue, then keep it. Raises VenueError when a venue does not answer."""
        await asyncio.gather(*(self._baseline(exc) for exc in self._oms.gateway.venues))
        self._started = True
        for exc in self._oms.gateway.venues:
            self._wake[exc] = asyncio.Event()
            self._tasks.start(self._reconciling(exc), f"reconcile {exc}")
        self._tasks.start(self._sampling(), "price samples")
        self._tasks.start(keep_journal(self._oms), "journal")

    async def close(self) -> None:
        """End the timers."""
        self.watchdog.close()
        await self._tasks.close()

    def reconcile_soon(self, exc: str) -> None:
        """Reconcile a venue at once, in the background: something that it said was not taken in."""
        if exc in self._wake:
            self._wake[exc].set()

    def watch_soon(self, exc: str, ticker: str) -> None:
        """Open a contract's public data in the background; a venue that cannot be reached is tried again."""
        if (exc, ticker) not in self._watched and (exc, ticker) not in self._opening:
            self._opening.add((exc, ticker))
            self._tasks.start(self._watch_at_last(exc, ticker), f"watch {exc}:{ticker}")

    async def _watch_at_last(self, exc: str, ticker: str) -> None:
        try:
            while True:
                try:
                    return await self.watch(exc, ticker)
                except (Unavailable, Unknown) as error:
                    self._alert(exc, ticker, f"{exc}:{ticker} cannot be watched, it is tried again: {error.text}")
                await asyncio.sleep(RETRY_S)
        finally:
            self._opening.discard((exc, ticker))

    async def watch(self, exc: str, ticker: str) -> None:
        """Open a contract's public data; wait at most a few seconds for its first book."""
        key = exc, ticker
        ready = self._watched.get(key)
        if ready is None:
            ready = self._watched[key] = asyncio.Event()
            try:
                await self._oms.gateway.venue(exc).subscribe(ticker)
            except BaseException:
                del self._watched[key]  # not open: the next who asks tries again
                raise
            self._oms.keeper.resync(exc, ticker)
        deadline = asyncio.get_running_loop().time() + FIRST_BOOK_S
        while not ready.is_set() and asyncio.get_running_loop().time() < deadline:
            if self._oms.feed.mid(exc, ticker) is not None and self._oms.feed.in_sequence(exc, ticker):
                ready.set()
            else:
                await asyncio.sleep(0.01)

    @property
    def watched(self) -> list[tuple[str, str]]:
        """The contracts whose public data is open."""
        return list(self._watched)

    # ------------------------------------------------------- the venues' life

    def channel_changed(self, venue: str, state: ChannelState) -> None:
        """Mirror it, publish it, and reconcile when the private stream is back: news may have been missed."""
        self._oms.health.channel_changed(venue, state)
        self._oms.deltas.publish(HealthDelta(venue, state))
        self._oms.outages.channel_changed(venue, state)
        if state.channel is Channel.PUBLIC and self._started:
            if state.connected:
                self._oms.keeper.resync_venue(venue)
            else:
                self._oms.feed.interrupted(venue)
        if state.channel is Channel.PRIVATE:
            self.watchdog.private_changed(venue, connected=state.connected)
            if self._started and not state.connected:
                self._oms.state.reconnecting(venue)
            if self._started and state.connected:
                self._wake[venue].set()

    def request_done(self, venue: str, verb: str, *, sent: str, answer: str, took_ns: int, ok: bool) -> None:
        """Mirror the round trip; publish what was really sent."""
        self._oms.health.request_done(venue, verb, sent=sent, answer=answer, took_ns=took_ns, ok=ok)
        self._oms.deltas.publish(
            RequestDelta(venue=venue, verb=verb, sent=sent, answer=answer, took_ns=took_ns, ok=ok,
                         ts_ns=self._oms.clock.now_ns(), act=current_act())
        )  # fmt: skip

    def message_dropped(self, venue: str, reason: str) -> None:
        """Count it."""
        self._oms.health.message_dropped(venue, reason)

    def clock_measured(self, venue: str, offset_ns: int) -> None:
        """Mirror it."""
        self._oms.health.clock_measured(venue, offset_ns)

    # --------------------------------------------------------- reconciliation

    async def reconcile(self, exc: str) -> None:
        """Orders, missed fills, positions and money of one venue. Raises VenueError when it does not answer.

        All questions are asked, however many there are.
        """
        await self.reconciler.whole(exc)
        await self.refresh_positions(exc)
        await self.refresh_balances(exc)

    async def refresh_positions(self, exc: str) -> list[PositionUpdate]:
        """Ask for the positions and take the answer as far as it is believed; alarm on a drift that stays."""
        asked_ns = self._oms.clock.now_ns()
        held = await self._oms.gateway.venue(exc).positions()
        self.watchdog.moved(exc, self._take_positions(exc, held, asked_ns), asked_ns)
        self._check_drift(exc)
        return held

    def _take_positions(self, exc: str, held: list[PositionUpdate], asked_ns: int) -> list[PositionDelta]:
        oms = self._oms
        changes = oms.positions.snapshot(exc, held, asked_ns, oms.clock.now_ns())
        for change in changes:
            if isinstance(change, PositionDelta):
                oms.deltas.publish(change)
            else:
                text = f"the first answer on {exc}:{change.ticker} was an old one: {change.after:f} is expected there"
                self._alert(exc, change.ticker, f"{text}, not {change.before:f}")
        return [change for change in changes if isinstance(change, PositionDelta)]

    async def refresh_balances(self, exc: str) -> list[BalanceUpdate]:
        """Ask for the money and take the answer."""
        oms = self._oms
        asked_ns = oms.clock.now_ns()
        money = await oms.gateway.venue(exc).balances()
        for delta in oms.balances.snapshot(exc, money, asked_ns, oms.clock.now_ns()):
            oms.deltas.publish(delta)
        return money

    async def _baseline(self, exc: str) -> None:
        oms = self._oms
        asked_ns = oms.clock.now_ns()
        venue = oms.gateway.venue(exc)
        held, money, orders = await asyncio.gather(venue.positions(), venue.balances(), venue.open_orders())
        now = oms.clock.now_ns()
        self._take_positions(exc, held, asked_ns)
        for balance in oms.balances.snapshot(exc, money, asked_ns, now):
            oms.deltas.publish(balance)
        for update in orders:
            oms.take(update, now)

    def _check_drift(self, exc: str) -> None:
        """Count how often in a row each position differed. A doubted answer says nothing, neither for nor against.

        A difference that began after the first check of the row is another one: messages under way, not a drift.
        """
        positions, now_ns = self._oms.positions, self._oms.clock.now_ns()
        doubted = positions.doubted(exc)
        drifts = {key: drift for key, drift in positions.drifts().items() if key[0] == exc}
        self._drifting = {key: row for key, row in self._drifting.items() if key[0] != exc or key in drifts}
        for key, drift in drifts.items():
            if key[1] in doubted:
                continue
            row = self._drifting.get(key, Drifting(0, now_ns))
            since_ns = positions.differs_since(*key, now_ns)
            if since_ns is None or since_ns > row.began_ns:
                row = Drifting(0, now_ns)
            self._drifting[key] = row = row._replace(checks=row.checks + 1)
            if row.checks == DRIFT_PATIENCE:
                text = f"the position of {exc}:{key[1]} differs from the sum of its fills by {drift:f}"
                self._alert(exc, key[1], text)
                self.reconcile_soon(exc)  # a fill that was missed explains it
            elif row.checks == DRIFT_STAYS:
                self._oms.killswitch.drifted(exc, key[1])

    def _unsure(self, exc: str) -> bool:
        """Whether the last answer leaves it open what is held, so that the next one should not wait for its timer."""
        drifting = (row.checks for key, row in self._drifting.items() if key[0] == exc)
        return bool(self._oms.positions.doubted(exc)) or any(count < DRIFT_PATIENCE for count in drifting)

    async def _reconciling(self, exc: str) -> None:
        """Reconcile one venue on its timers, and at once when woken. Silence of a venue ends nothing."""
        loop = asyncio.get_running_loop()
        wake = self._wake[exc]
        orders_at = loop.time() + self._orders_every
        positions_at = loop.time() + min(self._positions_every, SETTLE_NS / 1e9)
        while True:
            wait = max(0.0, min(orders_at, positions_at) - loop.time())
            try:
                async with asyncio.timeout(wait):
                    await wake.wait()
            except TimeoutError:
                pass  # the timer's turn
            woken, now = wake.is_set(), loop.time()
            wake.clear()
            try:
                if woken:
                    self.reconciler.lost_touch(exc)
                if woken or now >= orders_at:
                    left = await self.reconciler.cycle(exc)
                    orders_at = now + (min(RETRY_S, self._orders_every) if left else self._orders_every)
                if woken or now >= positions_at:
                    await self.refresh_positions(exc)
                    await self.refresh_balances(exc)
                    positions_at = now + (AGAIN_S if self._unsure(exc) else self._positions_every)
            except VenueError as error:
                if not self._oms.outages.down(exc):  # an outage is told of in its own time
                    self._alert(exc, "", f"reconciliation of {exc} failed, nothing was changed: {error.text}")
                # News may have been missed: not the whole time between two turns.
                orders_at = positions_at = loop.time() + min(RETRY_S, self._orders_every, self._positions_every)
            except Exception as error:  # noqa: BLE001 - whatever broke this turn, the next one must come
                self._alert(exc, "", f"reconciliation of {exc} broke: {error!r}", "error")
                orders_at = positions_at = loop.time() + min(RETRY_S, self._orders_every, self._positions_every)

    async def _sampling(self) -> None:
        while True:
            await asyncio.sleep(PRICE_EVERY_S)
            now = self._oms.clock.now_ns()
            for exc, ticker in self._watched:
                mid = self._oms.feed.mid(exc, ticker)
                if mid is not None:
                    self.prices.add(exc, ticker, now, mid)

    def _alert(self, exc: str, ticker: str, text: str, severity: str = "warning") -> None:
        self._oms.deltas.publish(
            HedgeDelta(event="alert", venue=exc, ticker=ticker, text=text, severity=severity,
                       ts_ns=self._oms.clock.now_ns())
        )  # fmt: skip

    def _failed(self, name: str, error: BaseException) -> None:
        self._alert("", "", f"{name} failed: {error!r}", "error")
