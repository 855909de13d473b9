"""Resolving orders whose state, or whose last size, is not known: ask, and believe only what an answer proves (I9)."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import chain, count

from gateways.errors import NotFound, VenueError
from gateways.router import Gateway
from gateways.standards import OrderStatus, OrderUpdate
from oms.absence import GAP_NS, Absence
from oms.clock import Clock
from oms.orders import Order, OrderDelta, OrdersPage, Role
from oms.tasks import TaskOwner

FIRST_WAIT_S = 0.25
MAX_WAIT_S = 5.0
SOON_S = 0.05
DECIDING = 3
"""Questions asked as soon as their answers can decide: right after the acceptance bound, and a gap apart from there."""
SILENCES_S = (15.0, 30.0, 60.0)
"""When an order that is asked about in vain is told of: longer than an acceptance window, which is waited out silently.
After the last of these, every so often."""
CLOCK_MARGIN_NS = 1_000_000_000
"""Added to a venue's acceptance window for the difference between its clock and ours."""


class _Silence:
    """How long an order has been asked about in vain, and what the last answer was."""

    def __init__(self, since_ns: int) -> None:
        self.why = ""
        self._since_ns = since_ns
        self._times_s = chain(SILENCES_S, count(SILENCES_S[-1] * 2, SILENCES_S[-1]))
        self._next_s = next(self._times_s)

    def due(self, now_ns: int) -> float | None:
        """The seconds that it has lasted, where it is time to say so."""
        lasted_s = (now_ns - self._since_ns) / 1e9
        if lasted_s < self._next_s:
            return None
        while self._next_s <= lasted_s:
            self._next_s = next(self._times_s)
        return lasted_s


class Resolver:
    """Queries an order until the venue has spoken for it, one task an order.

    ``take`` is given what a venue says of an order. ``absent`` is told of each successful "no such order" for a hedge
    order and says whether that proves it never was: the hedge kernel keeps that rule for its own. For all others the
    resolver keeps it here. ``ended`` is told, after ``take``, of each answer that says how an order ended.
    ``silent`` is told of each order that is not resolved after so many seconds, at ``SILENCES_S``, and why.
    """

    def __init__(
        self, gateway: Gateway, page: OrdersPage, clock: Clock, tasks: TaskOwner, *,
        publish: Callable[[OrderDelta | None], None], take: Callable[[OrderUpdate], None],
        absent: Callable[[str], bool], ended: Callable[[str], None], silent: Callable[[Order, float, str], None],
    ) -> None:  # fmt: skip
        self._gateway = gateway
        self._page = page
        self._clock = clock
        self._tasks = tasks
        self._publish = publish
        self._take = take
        self._absent = absent
        self._ended = ended
        self._silent = silent
        self._asking: set[str] = set()
        self._confirming: set[str] = set()

    def __len__(self) -> int:
        return len(self._asking) + len(self._confirming)

    def resolve(self, key: str) -> None:
        """Start asking about an order. Idempotent while it is being asked about."""
        if key not in self._asking:
            self._asking.add(key)
            if self._tasks.start(self._ask(key), f"resolve {key[:8]}") is None:
                self._asking.discard(key)

    def confirm(self, key: str) -> None:
        """Start asking how much an order had filled when it ended. Idempotent while it is being asked about."""
        if key not in self._confirming:
            self._confirming.add(key)
            order = self._page.get(key)
            if order is None or self._tasks.start(self._ask_size(key, order.venue), f"confirm {key[:8]}") is None:
                self._confirming.discard(key)

    async def settled(self, within_s: float) -> bool:
        """Wait until nothing is being asked about; False when that took too long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while len(self):
            if loop.time() > deadline:
                return False
            await asyncio.sleep(0.02)
        return True

    def accept_until_ns(self, venue: str, sent_ns: int) -> int:
        """Until when the venue could accept a request sent at ``sent_ns``, our clock's margin included."""
        capabilities = self._gateway.venue(venue).capabilities
        window = capabilities.acceptance_window_ms * (1 if capabilities.acceptance_bounded else 3)
        return sent_ns + window * 1_000_000 + CLOCK_MARGIN_NS

    async def _ask(self, key: str) -> None:
        silence = _Silence(self._clock.monotonic_ns())
        try:
            order = self._page.get(key)
            absence = Absence(self.accept_until_ns(order.venue, self._clock.now_ns())) if order else Absence()
            pauses = self._pauses(absence.accept_until_ns)
            while order is not None and not order.status.terminal:
                await asyncio.sleep(next(pauses))
                if await self._answered(key, absence, silence):
                    break
                order = self._page.get(key)
                self._tell(order, silence)
        finally:
            self._asking.discard(key)

    async def _ask_size(self, key: str, venue: str) -> None:
        silence = _Silence(self._clock.monotonic_ns())
        try:
            absence = Absence()
            pauses = chain([0.0], self._pauses(self.accept_until_ns(venue, self._clock.now_ns())))
            while key in self._confirming:
                await asyncio.sleep(next(pauses))
                if key in self._confirming:  # another question may have been answered meanwhile
                    await self._answered(key, absence, silence)
                if key in self._confirming:
                    self._tell(self._page.get(key), silence)
        finally:
            self._confirming.discard(key)

    def _pauses(self, accept_until_ns: int) -> Iterator[float]:
        """The seconds before each question: backing off, but soon where the answers begin to decide."""
        wait = FIRST_WAIT_S
        while (left := (accept_until_ns - self._clock.now_ns()) / 1e9) > 0:
            yield min(wait, left + SOON_S)
            wait = min(wait * 2, MAX_WAIT_S)
        for _ in range(DECIDING):
            yield GAP_NS / 1e9 + SOON_S
        while True:
            yield MAX_WAIT_S

    def _tell(self, order: Order | None, silence: "_Silence") -> None:
        after_s = silence.due(self._clock.monotonic_ns())
        if order is not None and after_s is not None:
            self._silent(order, after_s, silence.why)

    async def _answered(self, key: str, absence: Absence, silence: "_Silence") -> bool:
        """One query. True once the venue has spoken for the order, or its absence is proven."""
        order = self._page.get(key)
        if order is None:
            return True
        venue = self._gateway.venue(order.venue)
        try:
            oid = None if order.cloid else order.oid
            found = await venue.order(order.ticker, cloid=order.cloid, oid=oid)
        except NotFound as error:
            silence.why = error.text
            if not venue.capabilities.query_closed_by_cloid or not self._is_absent(order, absence):
                return False
            never = order.filled == 0 and order.status in {OrderStatus.PENDING, OrderStatus.UNKNOWN}
            status = OrderStatus.REJECTED if never else OrderStatus.EXPIRED
            text = "the venue never had it" if never else "the venue knows it no longer"
            self._publish(self._page.mark(key, status, now_ns=self._clock.now_ns(), text=text))
            self._confirming.discard(key)
            return True
        except VenueError as error:
            silence.why = error.text
            return False  # a failed query is not an answer
        absence.seen()
        silence.why = "the venue says that it has not ended"
        self._take(found)
        if found.status is not None and found.status.terminal and found.filled is not None:
            self._confirming.discard(key)
            self._ended(key)
        return found.status is not None

    def _is_absent(self, order: Order, absence: Absence) -> bool:
        """Whether this answer completes the proof, which the kernel keeps for its own orders as well.

        The kernel alone is not enough: it lets go of a hedge that the operator took as not sent, which proves nothing.
        """
        proven = absence.proven(self._clock.now_ns())
        if order.role is not Role.HEDGE:
            return proven
        if order.oid is not None and not proven:
            return False  # it was seen: the kernel is not told of answers that a later sighting may belie
        return self._absent(order.key) and proven
