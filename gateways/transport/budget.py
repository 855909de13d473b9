"""A venue's rate limits as a budget with priorities: cancel > hedge > query > maker > rest.

The core is pure: ``now`` (seconds, monotonic) is passed in. A share of every pool is kept for cancels and hedges, so
that a burst of queries never stands between a fill and its hedge. What the venue says it has counted (response headers)
corrects what we count, upward only: another process on the same address spends from the same pool.
"""

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from enum import IntEnum

import msgspec

from gateways.errors import Unavailable
from gateways.standards import RejectReason


class Priority(IntEnum):
    """Who goes first when the budget is short. Lower goes first; the first two may use the reserved share."""

    CANCEL = 0
    HEDGE = 1
    QUERY = 2
    MAKER = 3
    REST = 4

    @property
    def reserved(self) -> bool:
        """Whether this priority may spend the reserved share."""
        return self <= Priority.HEDGE


class Pool(msgspec.Struct, frozen=True):
    """One limit of a venue: at most ``limit`` units in any ``window_s`` seconds, ``reserve`` of it kept (a share)."""

    name: str
    limit: int
    window_s: float
    reserve: float = 0.2

    @property
    def open_limit(self) -> int:
        """What the priorities without a reserved share may bring the pool to."""
        return math.floor(self.limit * (1 - self.reserve))


_SLOTS = 50
"""A window is remembered in this many slots: memory is bounded, and a unit is released at most a slot late."""


class _Spent:
    """What was spent from one pool in its window."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.total = 0
        self.held_until = -math.inf
        self.renewed_at = math.inf
        self._slots: deque[tuple[float, int]] = deque()
        self._width = pool.window_s / _SLOTS

    def expire(self, now: float) -> None:
        if self.renewed_at <= now:
            while self._slots and self._slots[0][0] <= self.renewed_at + self._width:
                self.total -= self._slots.popleft()[1]
            self.renewed_at = math.inf
        while self._slots and self._slots[0][0] + self.pool.window_s <= now:
            self.total -= self._slots.popleft()[1]

    def add(self, units: int, now: float) -> None:
        if units <= 0:
            return
        self.total += units
        end = now + self._width
        if self._slots and self._slots[-1][0] >= now:
            stamp, held = self._slots.pop()
            self._slots.append((stamp, held + units))
        else:
            self._slots.append((end, units))

    def wait(self, units: int, now: float, *, reserved: bool) -> float:
        """Seconds until ``units`` more may be spent, of the reserved share too or not; infinite when they never fit."""
        self.expire(now)
        allowed = self.pool.limit if reserved else self.pool.open_limit
        excess = self.total + units - allowed
        if excess <= 0:
            return 0.0 if self.held_until <= now else self.held_until - now
        if units > allowed:
            return math.inf
        for stamp, held in self._slots:
            excess -= held
            if excess <= 0:
                return max(stamp + self.pool.window_s, self.held_until) - now
        return math.inf


class Budget:
    """What may be sent to a venue now. Pure: no clock, no tasks."""

    def __init__(self, pools: Iterable[Pool]) -> None:
        self._spent = {pool.name: _Spent(pool) for pool in pools}
        self._banned_until = -math.inf

    def wait(self, costs: Mapping[str, int], priority: Priority, now: float) -> float:
        """Seconds until a request of these costs (pool name to units) may go; 0 for now, infinite for never."""
        reserved = priority.reserved
        waits = [self._spent[name].wait(units, now, reserved=reserved) for name, units in costs.items()]
        return max(0.0, self._banned_until - now, *waits)

    def try_spend(self, costs: Mapping[str, int], priority: Priority, now: float) -> bool:
        """Whether a request of these costs may go now, counting it as sent then."""
        if self._banned_until > now:
            return False
        reserved = priority.reserved
        for name, units in costs.items():
            if self._spent[name].wait(units, now, reserved=reserved) > 0:
                return False
        self.spend(costs, now)
        return True

    def spend(self, costs: Mapping[str, int], now: float) -> None:
        """Count a request as sent."""
        for name, units in costs.items():
            self._spent[name].add(units, now)

    def learn(self, pool: str, used: int, now: float) -> None:
        """Take the venue's own count of a pool where it is higher than ours."""
        spent = self._spent.get(pool)
        if spent is not None:
            spent.expire(now)
            spent.add(used - spent.total, now)

    def resize(self, pool: Pool) -> None:
        """Take a limit as the venue publishes it; what was spent stays counted."""
        known = self._spent.get(pool.name)
        if known is not None and known.pool.window_s == pool.window_s:
            known.pool = pool
        else:
            self._spent[pool.name] = _Spent(pool)

    def ban(self, seconds: float, now: float, *, renews: bool = False) -> None:
        """Send nothing for so long (Retry-After): a longer ban that is already known stays.

        ``renews``: the venue itself named the time, after which it counts anew; then we do too.
        """
        self._banned_until = max(self._banned_until, now + seconds)
        if renews:
            for spent in self._spent.values():
                spent.renewed_at = self._banned_until

    def hold(self, pools: Iterable[str], seconds: float, now: float, *, renews: bool = False) -> None:
        """Send nothing that spends from these pools for so long: the venue refused that kind of request for its rate.

        Unlike a ban it stops no other kind: a cancel is not held up by orders that came too fast.
        """
        for name in pools:
            spent = self._spent[name]
            spent.held_until = max(spent.held_until, now + seconds)
            if renews:
                spent.renewed_at = spent.held_until

    def banned_for(self, now: float) -> float:
        """Seconds until the ban ends, 0 for none."""
        return max(0.0, self._banned_until - now)

    def used(self, now: float) -> dict[str, tuple[int, int]]:
        """Spent units and limit by pool, for the health pane."""
        for spent in self._spent.values():
            spent.expire(now)
        return {name: (spent.total, spent.pool.limit) for name, spent in self._spent.items()}


_leaving: ContextVar[list[Callable[[], None]]] = ContextVar("leaving")


@contextlib.contextmanager
def may_leave(ask: Callable[[], None]) -> Iterator[None]:
    """Within this block call ``ask`` before each request that has its budget: it raises Denied for one unwanted now.

    A request may wait a second for the budget; what allowed it may be over by then.
    """
    asked = [ask]
    token = _leaving.set(asked)
    try:
        yield
    finally:
        _leaving.reset(token)
        asked.clear()  # a task that was begun within the block has it still


class _Waiter(msgspec.Struct, order=True, frozen=True):
    priority: int
    number: int
    costs: tuple[tuple[str, int], ...]
    future: "asyncio.Future[None]"


class Gate:
    """Waits for the budget, in order of priority, for a bounded time and with a bounded queue."""

    def __init__(
        self, venue: str, budget: Budget, *, clock: Callable[[], float] | None = None, limit: int = 256
    ) -> None:
        self._venue = venue
        self.budget = budget
        self._given_clock = clock
        self._limit = limit
        self._numbers = 0
        self._waiters: list[_Waiter] = []
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """The budget's clock, in seconds."""
        return asyncio.get_running_loop().time() if self._given_clock is None else self._given_clock()

    def try_acquire(self, costs: Mapping[str, int], priority: Priority) -> bool:
        """Whether the request may be sent now, counting it as sent then. Nobody who waits is overtaken."""
        return not self._waiters and self.budget.try_spend(costs, priority, self.now())

    async def acquire(self, costs: Mapping[str, int], priority: Priority, *, max_wait: float = 1.0) -> None:
        """Return once the request may be sent, counting it as sent; at once, without a turn of the loop, if it may now.

        Raises Unavailable when that takes more than ``max_wait`` seconds, Denied by ``may_leave``: nothing was sent.
        """
        await self._granted(costs, priority, max_wait)
        for ask in _leaving.get(()):
            ask()

    async def _granted(self, costs: Mapping[str, int], priority: Priority, max_wait: float) -> None:
        if self.try_acquire(costs, priority):
            return
        if not self._waiters:
            wait = self.budget.wait(costs, priority, self.now())
            if wait > max_wait:
                raise self._refused(wait)
        # Cancels and hedges have places of their own: a crowd of questions does not keep them out.
        if sum(Priority(each.priority).reserved == priority.reserved for each in self._waiters) >= self._limit:
            text = f"{self._limit} requests wait for the rate budget: not sent"
            raise Unavailable(self._venue, text, reason=RejectReason.RATE_LIMIT)
        self._numbers += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(int(priority), self._numbers, tuple(costs.items()), future)
        self._waiters.append(waiter)
        self._waiters.sort(key=lambda each: (each.priority, each.number))
        self._grant()
        if future.done():
            return
        try:
            async with asyncio.timeout(max_wait):
                await future
        except TimeoutError:
            raise self._refused(self.budget.wait(costs, priority, self.now())) from None
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
                self._grant()

    def _grant(self) -> None:
        """Let go whoever may, best priority first; nobody overtakes a better one that waits for the same pool."""
        now = self.now()
        blocked: set[str] = set()
        soonest = math.inf
        for waiter in list(self._waiters):
            costs = dict(waiter.costs)
            wait = self.budget.wait(costs, Priority(waiter.priority), now)
            if wait <= 0 and blocked.isdisjoint(costs):
                self._waiters.remove(waiter)
                if not waiter.future.done():
                    self.budget.spend(costs, now)
                    waiter.future.set_result(None)
            else:
                blocked.update(costs)
                soonest = min(soonest, wait if wait > 0 else math.inf)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiters and soonest < math.inf:
            self._timer = asyncio.get_running_loop().call_later(soonest + 0.001, self._grant)

    def _refused(self, wait: float) -> Unavailable:
        until = "never fits" if wait == math.inf else f"is free in {wait:.1f} s"
        text = f"not sent: the rate budget is spent and {until}"
        known_s = 0.0 if wait == math.inf else wait
        return Unavailable(self._venue, text, reason=RejectReason.RATE_LIMIT, retry_after=known_s)

    def close(self) -> None:
        """Refuse everyone who waits. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for waiter in self._waiters:
            if not waiter.future.done():
                waiter.future.set_exception(Unavailable(self._venue, "not sent: closing"))
        self._waiters.clear()
