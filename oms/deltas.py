"""The broadcast: one hook that runs first and at once, and any number of handlers that can never hold it up.

The hedge decision is the hook: it is made in the same turn of the loop as the state transition. Every other handler has
its own bounded queue and its own task. A slow or throwing handler delays and breaks nobody; when its queue is full,
deltas of one key (an order, a position ...) merge, so that memory stays bounded and the last state is never lost.
"""

import asyncio
import traceback
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from gateways.standards import FillEvent
from gateways.venue import ChannelState
from oms.balances import BalanceDelta
from oms.orders import OrderDelta
from oms.positions import PositionDelta


class FillDelta(msgspec.Struct, frozen=True, gc=False):
    """A fill of ours that was not known before."""

    fill: FillEvent

    @property
    def key(self) -> str:
        """Unique: fills never merge."""
        fill = self.fill
        return f"{fill.venue}:{fill.ticker}:{fill.oid}:{fill.trade_id}"


class HealthDelta(msgspec.Struct, frozen=True):
    """A venue's channel came up or went down."""

    venue: str
    state: ChannelState

    @property
    def key(self) -> str:
        """One for each channel."""
        return f"{self.venue}:{self.state.channel.value}"


class HedgeDelta(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the hedge engine did or found: a hedge sent, ended, an alert. One line for the operator."""

    event: str
    """``sent``, ``done``, ``unknown``, ``hold``, ``alert``, ``paused``, ``resumed``, ``forfeited``."""
    venue: str
    ticker: str
    text: str
    severity: str = "info"
    cloid: str = ""
    ts_ns: int = 0

    @property
    def key(self) -> str:
        """One for each event of a book, so that a repeated alert merges."""
        return f"{self.venue}:{self.ticker}:{self.event}:{self.cloid}"


class RequestDelta(msgspec.Struct, frozen=True, kw_only=True):
    """A request to a venue ended: what was really sent and answered, secrets cut. For the command log."""

    venue: str
    verb: str
    sent: str
    answer: str
    took_ns: int
    ok: bool
    ts_ns: int
    act: str = ""
    """The act of the operator that it belongs to (``oms.correlation``), empty for none."""

    @property
    def key(self) -> str:
        """One for each verb of a venue: a log that cannot keep up loses the middle of a burst."""
        return f"{self.venue}:{self.verb}"


Delta = OrderDelta | FillDelta | PositionDelta | BalanceDelta | HealthDelta | HedgeDelta | RequestDelta
Handler = Callable[[Delta], Awaitable[None]]


class Subscription:
    """One handler's queue and figures. ``lag`` is how many deltas wait, ``coalesced`` how many merged, all time."""

    def __init__(self, name: str, handler: Handler, kinds: tuple[type, ...], capacity: int) -> None:
        self.name = name
        self.kinds = kinds
        self.coalesced = 0
        self.failures = 0
        self.last_error = ""
        self._handler = handler
        self._capacity = capacity
        self._queue: deque[Delta] = deque()
        self._overflow: dict[tuple[type, str], Delta] = {}
        self._ready = asyncio.Event()
        self._busy = False
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"handler {name}")

    @property
    def lag(self) -> int:
        """Deltas not yet handled."""
        return len(self._queue) + len(self._overflow) + self._busy

    def put(self, delta: Delta) -> None:
        """Queue a delta; never blocks, never grows past the capacity and one delta for each key beyond it."""
        if not self._overflow and len(self._queue) < self._capacity:
            self._queue.append(delta)
        else:
            key = (type(delta), delta.key)
            waiting = self._overflow.get(key)
            if waiting is not None:
                self.coalesced += 1
                delta = _merged(waiting, delta)
            self._overflow[key] = delta
        self._ready.set()

    async def close(self) -> None:
        """End the task; what was not handled is dropped."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._ready.wait()
            while self._queue or self._overflow:
                if not self._queue:
                    self._queue.extend(self._overflow.values())
                    self._overflow.clear()
                delta = self._queue.popleft()
                self._busy = True
                try:
                    await self._handler(delta)
                except Exception:  # noqa: BLE001 - a user's handler may raise anything; it must break nobody else
                    self.failures += 1
                    self.last_error = traceback.format_exc(limit=-3)
                finally:
                    self._busy = False
            self._ready.clear()


def _merged(first: Delta, last: Delta) -> Delta:
    """Two deltas of one key as one: from before the first to after the last."""
    if isinstance(first, OrderDelta) and isinstance(last, OrderDelta):
        changed = tuple(dict.fromkeys((*first.changed, *last.changed)))
        return msgspec.structs.replace(
            last, before=first.before, changed=changed, last_fill=first.last_fill + last.last_fill
        )
    if isinstance(first, PositionDelta) and isinstance(last, PositionDelta):
        return msgspec.structs.replace(last, before=first.before)
    return last


class Broadcast:
    """Publishes deltas: to the hook at once, then to every subscription whose kinds include the delta's."""

    def __init__(self, hook: Callable[[Delta], None] | None = None) -> None:
        self._hook = hook
        self._subscriptions: list[Subscription] = []

    @property
    def subscriptions(self) -> tuple[Subscription, ...]:
        """Who listens, in the order of registration."""
        return tuple(self._subscriptions)

    def first(self, hook: Callable[[Delta], None]) -> None:
        """Set the hook. Raises RuntimeError when there is one: only one decision can be first."""
        if self._hook is not None:
            raise RuntimeError("the broadcast has its hook already: only the hedge decision runs first")
        self._hook = hook

    def register(
        self, handler: Handler, *, kinds: tuple[type, ...] = (OrderDelta,), name: str = "", capacity: int = 1024
    ) -> Subscription:
        """Add an async handler for deltas of ``kinds``. Must be called on the running loop."""
        subscription = Subscription(name or getattr(handler, "__name__", "handler"), handler, kinds, capacity)
        self._subscriptions.append(subscription)
        return subscription

    async def remove(self, subscription: Subscription) -> None:
        """Take a handler out and end its task."""
        self._subscriptions.remove(subscription)
        await subscription.close()

    def publish(self, delta: Delta) -> None:
        """Run the hook, then queue the delta for the others."""
        if self._hook is not None:
            self._hook(delta)
        kind = type(delta)
        for subscription in self._subscriptions:
            if kind in subscription.kinds:
                subscription.put(delta)

    @property
    def idle(self) -> bool:
        """Whether every handler has handled all that it was given."""
        return not any(subscription.lag for subscription in self._subscriptions)

    async def close(self) -> None:
        """End every handler's task."""
        subscriptions, self._subscriptions = self._subscriptions, []
        for subscription in subscriptions:
            await subscription.close()
