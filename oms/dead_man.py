"""The dead man's switches: venues cancel our resting makers when the desk has died, by ``kill -9`` or with its machine.

A switch takes all orders of its scope: a contract's, or the whole account's, a hedge that rests among them. So it is
armed only where makers work and no hedge rests or may come to rest (policies that join); before such a hedge is sent
the switch is taken back. Hedges at the market and IOC orders never rest: a switch may be armed over them.

It is told again at a third of its time, taken back when no maker works any more, and left armed when the desk ends with
makers on the book: that is what it is for.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from gateways.errors import Denied, RateLimited, Rejected, Unavailable, VenueError
from gateways.router import Gateway
from gateways.standards import OrderKind, PlaceOrder, RejectReason, TimeInForce
from gateways.venue import DeadMan
from oms.clock import Clock
from oms.deltas import HedgeDelta
from oms.health import HealthPage
from oms.hedge.kernel import Kernel
from oms.hedge.policy import How, Policy
from oms.hedge.state import HedgeBook
from oms.orders import Order, OrdersPage, Role
from oms.tasks import TaskOwner

EVERY_S = 0.5
"""How often it is looked at what is to be armed and what to be taken back."""
ANSWER_S = 3.0
"""How long a venue may take to arm or disarm, waiting for the rate budget included."""
REFUSED_S = {True: 600.0, False: 10.0}
"""Wait after a venue refused to arm (not granted to us, say), or to disarm, before it is asked again."""
LAPSE_NS = 4_000_000_000
"""After its time a switch that was not told again has acted; this much is added for the way there, and for clocks."""

Scope = tuple[str, str | None]
"""Whose orders one switch takes: a venue's contract, or (None) all of the account's."""

_AT_ONCE = frozenset({How.MARKET, How.IOC})


class Guarded(msgspec.Struct, frozen=True, kw_only=True):
    """A switch that is armed, or may be. Times are monotonic nanoseconds."""

    until_ns: int
    """When it acts if it is not told again; of one that a lost connection sets off, when it would from now."""
    again_ns: int
    """When to tell it again."""
    shown: bool = False
    """Whether the operator was told that it is armed."""


def scope_of(terms: DeadMan, venue: str, ticker: str) -> Scope:
    """The scope that a contract's orders are in."""
    return venue, ticker if terms.per_contract else None


def rests(order: Order | PlaceOrder) -> bool:
    """Whether an order may stay on the book."""
    return order.kind is OrderKind.LIMIT and order.tif is TimeInForce.GTC


def may_rest(policy: Policy) -> bool:
    """Whether a hedge under this policy may stay on the book."""
    return any(rung.how not in _AT_ONCE for rung in policy.rungs)


def to_guard(venue: str, terms: DeadMan, working: Iterable[Order], kernel: Kernel) -> set[Scope]:
    """The scopes of a venue with working makers and without a hedge that rests or may come to rest."""
    makers: set[Scope] = set()
    barred = {book.key for book in kernel.books.values() if any(may_rest(policy) for policy in _policies(book))}
    for order in working:
        if order.role is Role.MAKER:
            if order.venue == venue:
                makers.add(scope_of(terms, venue, order.ticker))
            maker = kernel.makers.get(order.key)
            barred |= {(leg.venue, leg.ticker) for leg in (maker.legs if maker else ()) if may_rest(leg.policy)}
        elif order.role is Role.HEDGE and rests(order):
            barred.add((order.venue, order.ticker))
    return makers - {scope_of(terms, venue, ticker) for where, ticker in barred if where == venue}


def _policies(book: HedgeBook) -> Iterator[Policy]:
    """The policies by which something is hedged in a book, or waits to be."""
    yield from (each.policy for each in book.obligations)
    yield from (each.policy for each in book.open_children.values())


class Host(Protocol):
    """What the switches need of the OMS around them."""

    gateway: Gateway
    page: OrdersPage
    kernel: Kernel
    health: HealthPage

    @property
    def clock(self) -> Clock:
        """The desk's clock."""
        ...

    def announce(self, delta: HedgeDelta) -> None:
        """Publish what the operator must see."""
        ...


class Switches:
    """Keeps the dead man's switches of a ``Host``'s venues. ``seconds``: their time; None arms nothing."""

    def __init__(self, host: Host, seconds: int | None) -> None:
        self._host = host
        self._seconds = seconds
        self._tasks = TaskOwner(self._failed)
        self._locks: dict[str, asyncio.Lock] = {}
        self._armed: dict[Scope, Guarded] = {}
        self._trouble: dict[Scope, str] = {}
        self._not_before_ns: dict[tuple[Scope, bool], int] = {}
        """Until when it was refused to arm (True) or disarm (False) a scope's switch."""

    @property
    def armed(self) -> dict[Scope, Guarded]:
        """The switches that are armed, or may be."""
        return dict(self._armed)

    def prime(self) -> None:
        """Take every switch with a countdown for armed: a session before this one may have died with it."""
        now_ns = self._host.clock.monotonic_ns()
        for venue, terms in self._terms().items():
            self._locks[venue] = asyncio.Lock()
            if not terms.on_disconnect:
                until_ns = now_ns + self._time_ns(terms)
                tickers = {order.ticker for order in self._host.page.working() if order.venue == venue}
                tickers |= {ticker for where, ticker in self._host.kernel.books if where == venue}
                for scope in {scope_of(terms, venue, ticker) for ticker in tickers}:
                    self._armed[scope] = Guarded(until_ns=until_ns, again_ns=now_ns)

    def start(self) -> None:
        """Keep them from now on."""
        for venue, terms in self._terms().items():
            self._tasks.start(self._keeping(venue, terms), f"dead man's switch of {venue}")

    async def close(self) -> None:
        """Keep them no more; those without makers are taken back, the others act when their time is over."""
        await self._tasks.close()
        with contextlib.suppress(TimeoutError):  # then they act: the venue does not answer
            async with asyncio.timeout(ANSWER_S):
                await self.settle()

    async def settle(self) -> None:
        """Arm what is to be armed and take back what is not, now."""
        await asyncio.gather(*(self._keep(venue, terms) for venue, terms in self._terms().items()))

    async def clear(self, venue: str, order: PlaceOrder) -> None:
        """Take back the switch that a hedge is about to rest under; nothing for one that never rests.

        Raises Unavailable when that is not certain: then the hedge must not be sent.
        """
        terms = self._terms().get(venue)
        if terms is None or venue not in self._locks or not rests(order):
            return
        scope = scope_of(terms, venue, order.ticker)
        try:
            async with asyncio.timeout(ANSWER_S), self._locks[venue]:
                if self._is_armed(scope, terms):
                    await self._host.gateway.venue(venue).disarm_dead_man(scope[1])
                    self._gone(scope)
        except (VenueError, TimeoutError) as error:
            text = f"not sent: the dead man's switch is not taken back: {_text(error)}"
            raise Unavailable(venue, text, reason=RejectReason.OTHER) from error

    # ------------------------------------------------------------------ parts

    def _terms(self) -> dict[str, DeadMan]:
        if self._seconds is None:
            return {}
        venues = self._host.gateway.venues
        terms = {alias: venue.capabilities.dead_mans_switch for alias, venue in venues.items()}
        return {alias: each for alias, each in terms.items() if each is not None}

    def _time_ns(self, terms: DeadMan) -> int:
        return terms.within(self._seconds or 0) * 1_000_000_000

    async def _keeping(self, venue: str, terms: DeadMan) -> None:
        while True:
            try:
                await self._keep(venue, terms)
            except Exception as error:  # noqa: BLE001 - whatever broke this turn, the next one must come
                self._failed(f"dead man's switch of {venue}", error)
            await asyncio.sleep(EVERY_S)

    async def _keep(self, venue: str, terms: DeadMan) -> None:
        if venue not in self._locks:
            return  # never primed: the desk did not come up
        async with self._locks[venue]:
            for scope in [each for each in self._armed if each[0] == venue]:
                if self._is_armed(scope, terms) and scope not in self._wanted(venue, terms):
                    await self._ask(scope, terms, arm=False)
            for scope in self._wanted(venue, terms):
                known = self._armed.get(scope)
                due = known is None or self._host.clock.monotonic_ns() >= known.again_ns
                if due and scope in self._wanted(venue, terms):  # a hedge may have come to rest meanwhile
                    await self._ask(scope, terms, arm=True)
        self._tell_health(venue)

    def _wanted(self, venue: str, terms: DeadMan) -> set[Scope]:
        return to_guard(venue, terms, self._host.page.working(), self._host.kernel)

    def _is_armed(self, scope: Scope, terms: DeadMan) -> bool:
        """Whether it may be armed. One whose time ran out has acted, and is forgotten."""
        known = self._armed.get(scope)
        if known is None:
            return False
        if terms.on_disconnect or self._host.clock.monotonic_ns() <= known.until_ns + LAPSE_NS:
            return True
        self._gone(scope)
        return False

    async def _ask(self, scope: Scope, terms: DeadMan, *, arm: bool) -> None:
        """Arm or disarm. What is not certain to be disarmed counts as armed."""
        venue, seconds = self._host.gateway.venue(scope[0]), terms.within(self._seconds or 0)
        before, now_ns = self._armed.get(scope), self._host.clock.monotonic_ns()
        if now_ns < self._not_before_ns.get((scope, arm), 0):
            return
        if arm:
            self._armed[scope] = Guarded(
                until_ns=now_ns + self._time_ns(terms),
                again_ns=now_ns + self._time_ns(terms) // 3,
                shown=before is not None and before.shown,
            )
        try:
            async with asyncio.timeout(ANSWER_S):
                await (venue.arm_dead_man(seconds, scope[1]) if arm else venue.disarm_dead_man(scope[1]))
        except (VenueError, TimeoutError) as error:
            if isinstance(error, (Denied, Rejected)) and not isinstance(error, RateLimited):
                self._not_before_ns[scope, arm] = now_ns + round(REFUSED_S[arm] * 1e9)
            if arm:
                self._not_armed(scope, before, changed=not isinstance(error, (Denied, Rejected, Unavailable)))
            self._say_trouble(scope, "armed" if arm else "taken back", _text(error))
            return
        self._trouble.pop(scope, None)
        if not arm:
            self._gone(scope)
        elif not self._armed[scope].shown:
            self._armed[scope] = msgspec.structs.replace(self._armed[scope], shown=True)
            text = f"dead man's switch: {_whose(scope)} are cancelled when we are silent for {seconds} s"
            self._say("armed", scope, text)

    def _not_armed(self, scope: Scope, before: Guarded | None, *, changed: bool) -> None:
        """Nobody said that it was armed. Unless the request may have changed something, what stood before stands."""
        stands = self._armed.pop(scope) if changed else before
        if stands is None:
            del self._armed[scope]
        else:
            self._armed[scope] = msgspec.structs.replace(stands, again_ns=0)

    def _gone(self, scope: Scope) -> None:
        gone = self._armed.pop(scope, None)
        if gone is not None and gone.shown:
            self._say("disarmed", scope, f"dead man's switch: {_whose(scope)} stay when we are silent")
        self._tell_health(scope[0])

    def _tell_health(self, venue: str) -> None:
        clock = self._host.clock
        untils = [each.until_ns for (where, _), each in self._armed.items() if where == venue]
        left_ns = min(untils) - clock.monotonic_ns() if untils else 0
        self._host.health.guarded(venue, clock.now_ns() + left_ns if untils else 0)

    def _say_trouble(self, scope: Scope, what: str, text: str) -> None:
        if self._trouble.get(scope) != what:
            self._trouble[scope] = what
            self._say("alert", scope, f"the dead man's switch of {_whose(scope)} is not {what}: {text}", "warning")

    def _say(self, event: str, scope: Scope, text: str, severity: str = "info") -> None:
        self._host.announce(
            HedgeDelta(event=event, venue=scope[0], ticker=scope[1] or "", text=text, severity=severity,
                       ts_ns=self._host.clock.now_ns())
        )  # fmt: skip

    def _failed(self, name: str, error: BaseException) -> None:
        self._host.announce(
            HedgeDelta(event="alert", venue="", ticker="", text=f"{name} failed: {error!r}", severity="error",
                       ts_ns=self._host.clock.now_ns())
        )  # fmt: skip


def _whose(scope: Scope) -> str:
    venue, ticker = scope
    return f"all orders on {venue}" if ticker is None else f"the orders in {venue}:{ticker}"


def _text(error: VenueError | TimeoutError) -> str:
    return error.text if isinstance(error, VenueError) else f"no answer within {ANSWER_S:g} s"
