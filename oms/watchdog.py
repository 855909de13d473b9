"""The private streams' watchdog: a socket can be open, its pings answered, and nothing said of our orders.

What a snapshot tells and the stream has not told is *owed* by the stream. It has a few seconds to say it after all, as
news may have crossed the question. What is still owed then proves that the stream is deaf, and it is opened anew, which
reconciles. No clock of a venue is trusted for more than to leave out what happened before the stream was open.
"""

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

import msgspec

from gateways.router import Gateway
from gateways.standards import Batch, Event, FillEvent, OrderUpdate, PositionUpdate
from oms.clock import Clock
from oms.fills import FillsPage
from oms.orders import OrdersPage
from oms.positions import PositionDelta

PATIENCE_S = 5.0
"""How long a stream may take to say what a snapshot told already."""
FIRST_PAUSE_S = 30.0
LONGEST_PAUSE_S = 1_800.0
"""Between two renewals of one stream; the pause doubles while no renewal brings it to speak."""
SKEW_NS = 1_000_000_000
"""How far a venue's clock may be ahead of ours: news dated less than this after the opening may be from before it."""

Item = tuple[str, str, str]
"""What can be owed: an order's state, a fill or a position, by what it is, its order or contract, its trade."""


class PrivateWatch:
    """What one venue's private stream owes. Pure: times are monotonic nanoseconds, but for ``ts_`` ones (UTC)."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_ns = round(patience_s * 1e9)
        self._owed: dict[Item, int] = {}
        self._open = False
        self._opened_ts_ns = 0
        self._not_before_ns = 0
        self._pause_s = FIRST_PAUSE_S
        self._asked_ts_ns = 0
        self._moved: set[str] = set()
        """Contracts that the stream spoke of since positions were last asked for."""

    def opened(self, ts_ns: int) -> None:
        """The stream is up, anew perhaps: what was missed before is the reconciliation's to find."""
        self._open, self._opened_ts_ns = True, ts_ns
        self._owed.clear()

    def lost(self) -> None:
        """The stream is down, and known to be."""
        self._open = False
        self._owed.clear()

    def told(self, item: Item, ts_venue_ns: int, now_ns: int) -> None:
        """A snapshot told this news, which happened at ``ts_venue_ns`` (0: not said, and nothing follows from it)."""
        if self._open and ts_venue_ns > self._opened_ts_ns + SKEW_NS:
            self._owed.setdefault(item, now_ns + self._patience_ns)

    def moved(self, tickers: Iterable[str], asked_ts_ns: int, now_ns: int) -> None:
        """A snapshot asked at ``asked_ts_ns`` told that these positions changed since the one before it."""
        if self._open and self._opened_ts_ns < self._asked_ts_ns:
            for ticker in tickers:
                if ticker not in self._moved:
                    self._owed.setdefault(("position", ticker, ""), now_ns + self._patience_ns)
        self._asked_ts_ns = asked_ts_ns
        self._moved.clear()

    def heard(self, event: Event) -> None:
        """The stream said this. Money, and what else says nothing of orders, pays nothing."""
        if isinstance(event, OrderUpdate):
            if event.oid is not None:
                self._pause_s = FIRST_PAUSE_S
                self._paid(("order", event.oid, ""))
        elif isinstance(event, FillEvent):
            self._pause_s = FIRST_PAUSE_S
            self._moved.add(event.ticker)
            self._paid(("fill", event.oid, event.trade_id), ("order", event.oid, ""), ("position", event.ticker, ""))
        elif isinstance(event, PositionUpdate):
            self._moved.add(event.ticker)
            self._paid(("position", event.ticker, ""))

    def _paid(self, *items: Item) -> None:
        if self._owed:
            for item in items:
                self._owed.pop(item, None)

    def due_ns(self) -> int | None:
        """When to look again; None while nothing is owed."""
        return max(min(self._owed.values()), self._not_before_ns) if self._owed else None

    def overdue(self, now_ns: int) -> list[Item]:
        """What the stream should have said long ago; nothing while a renewal is too recent for another."""
        if now_ns < self._not_before_ns:
            return []
        return [item for item, due_ns in self._owed.items() if due_ns <= now_ns]

    def renewed(self, now_ns: int) -> None:
        """The stream is being opened anew."""
        self._owed.clear()
        self._not_before_ns = now_ns + round(self._pause_s * 1e9)
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)


class _Known(msgspec.Struct, frozen=True):
    """What the page knows of an order, as far as a stream must tell it."""

    oid: str | None
    filled: Decimal
    ended: bool


class Host(Protocol):
    """What the watchdog needs of the OMS around it."""

    gateway: Gateway
    page: OrdersPage
    fills: FillsPage

    @property
    def clock(self) -> Clock:
        """The desk's clock."""
        ...

    def take(self, event: Event, ts_recv_ns: int) -> None:
        """Apply one event of a venue."""
        ...

    def alert(self, venue: str, ticker: str, text: str, severity: str = "warning", cloid: str = "") -> None:
        """Publish what the operator must see."""
        ...


class Watchdog:
    """Watches the private streams of all venues of a ``Host``."""

    def __init__(self, host: Host, patience_s: float = PATIENCE_S) -> None:
        self._host = host
        self._patience_s = patience_s
        self._watches: dict[str, PrivateWatch] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._closed = False

    def close(self) -> None:
        """Watch no more."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()

    def private_changed(self, venue: str, *, connected: bool) -> None:
        """A private stream came up or went down."""
        if connected:
            self._watch(venue).opened(self._host.clock.now_ns())
        else:
            self._watch(venue).lost()

    def heard(self, batch: Batch) -> None:
        """A private stream brought this message."""
        watch = self._watch(batch.venue)
        for event in batch.events:
            watch.heard(event)

    def take(self, event: OrderUpdate | FillEvent) -> None:
        """Apply what a snapshot or a query told, and note it as owed where it is news."""
        now_ns = self._host.clock.now_ns()
        if isinstance(event, FillEvent):
            news = self._host.fills.peek(event.venue, event.ticker, event.oid, event.trade_id) is None
            self._host.take(event, now_ns)
            item = ("fill", event.oid, event.trade_id)
        else:
            before = self._known(event)
            self._host.take(event, now_ns)
            news = event.oid is not None and self._known(event) != before
            item = ("order", event.oid or "", "")
        if news:
            self._watch(event.venue).told(item, event.ts_venue_ns, self._host.clock.monotonic_ns())
            self._wait(event.venue)

    def moved(self, venue: str, deltas: Iterable[PositionDelta], asked_ns: int) -> None:
        """A snapshot of the positions, asked at ``asked_ns``, changed the mirror so."""
        tickers = [delta.after.ticker for delta in deltas if delta.change]
        self._watch(venue).moved(tickers, asked_ns, self._host.clock.monotonic_ns())
        self._wait(venue)

    def _watch(self, venue: str) -> PrivateWatch:
        watch = self._watches.get(venue)
        if watch is None:
            watch = self._watches[venue] = PrivateWatch(self._patience_s)
        return watch

    def _known(self, update: OrderUpdate) -> _Known | None:
        page = self._host.page
        order = page.get(update.cloid) if update.cloid is not None else None
        if order is None and update.oid is not None:
            order = page.by_oid(update.venue, update.ticker, update.oid)
        return None if order is None else _Known(order.oid, order.filled, order.status.terminal)

    def _wait(self, venue: str) -> None:
        """Look at a stream again when something that it owes is overdue."""
        due_ns = self._watch(venue).due_ns()
        if due_ns is None or self._closed or venue in self._timers:
            return
        delay = max(0, due_ns - self._host.clock.monotonic_ns()) / 1e9
        self._timers[venue] = asyncio.get_running_loop().call_later(delay, self._judge, venue)

    def _judge(self, venue: str) -> None:
        del self._timers[venue]
        watch, now_ns = self._watch(venue), self._host.clock.monotonic_ns()
        overdue = watch.overdue(now_ns)
        if overdue:
            watch.renewed(now_ns)
            kinds = ", ".join(sorted({kind for kind, _, _ in overdue}))
            text = f"the private stream of {venue} is open and silent: it did not bring what a query told ({kinds})"
            self._host.alert(venue, "", f"{text}; it is opened anew", "error")
            self._host.gateway.venue(venue).renew_private(text)
        self._wait(venue)
