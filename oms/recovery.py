"""Recovery: from a journal to the state of the desk that wrote it, and from there to the truth of the venues.

``replay`` is pure: records in, state out, the same for the same records. ``recover`` then asks the venues: orders that
may exist are UNKNOWN until found or proven absent, missed fills are fetched, orders of ours that the journal lacks are
cancelled. Only after that are new orders taken.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from gateways.errors import VenueError
from gateways.standards import ZERO, FillEvent, OrderKind, OrderStatus, PlaceOrder, TimeInForce
from oms import strangers
from oms.archive import Archive
from oms.checkpoint import Checkpoint, checkpoint, digest, restore
from oms.evidence import Entered, Evidence, hedge_event
from oms.finished import Finished, bring_back
from oms.flatten import PAUSED_FOR, settle_unwind
from oms.hedge import events as e
from oms.hedge.dispatch import JOURNALED
from oms.hedge.kernel import Kernel
from oms.hedge.state import ChildState
from oms.journal import CHECKPOINT_KIND, HEADER_KIND, JournalError, Record
from oms.orders import Order, OrdersPage, Role
from oms.reconcile import ALL
from oms.reconciler import take_all
from oms.risk.day import DAY, Day, DayRecord, cost_of
from oms.states import RESTORED, Trading

if TYPE_CHECKING:
    from oms.system import OMS

MARGIN_NS = 60_000_000_000
"""Missed fills are asked for from this long before the oldest order that was open."""
DOWNTIME_NS = 86_400_000_000_000
"""How long a desk is taken to have been down where the clock does not tell."""
ENDED_LATELY = 50
"""At most so many orders that had ended are asked about, the last ones."""
QUIET_S = 20.0
"""How long the recovery waits for unknown orders before it lets the desk on; they stay unknown and counted."""
STOPPED_MAKERS = frozenset({"Panic", "Halt", "Reducing"})
"""Acts that cancel makers, by the kind of their record: those that rest still at the next start are cancelled then."""
OF_A_CHILD = (e.ChildSent, e.ChildUnknown, e.ChildAbsent, e.ChildConfirmed, e.ChildCancelling, e.AssumedAbsent)
"""Events of a hedge order that was told of before."""
RECOVERED = "Recovered"
"""Kind of the record that says that a session knows all that happened before it."""

_EVENTS: dict[str, type[Any]] = {event.__name__: event for event in (*JOURNALED, e.Intended, e.ChildCancelling)}


@dataclass(slots=True)
class Past:
    """What a journal tells. ``orders`` by key in the order entered, with the last evidence of each."""

    kernel: Kernel
    started_ns: int = 0
    """When the first session of this journal began, 0 for an empty journal."""
    last_ns: int = 0
    """Until when the desk was in touch with its venues: from then on fills may have been missed."""
    in_touch: bool = True
    """Whether its last session had recovered; until it has, nothing tells that it heard of what was before it."""
    trading: Trading = Trading.ACTIVE
    """What the last act on it left; arming is not restored."""
    act: str = ""
    """That act, empty for none."""
    day: Day = field(default_factory=Day)
    """What our orders traded on the last day that it tells of."""
    entered: dict[str, Entered] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    upto: int = 0
    """The record up to which the checkpoint tells that it began from, 0 for none: so far the archive's rows count."""
    away: int = 0
    """The last record with which orders were put away, 0 for none."""

    @property
    def hedge_only(self) -> bool:
        """Whether its last word on makers was a panic, and no activate since."""
        return self.trading is Trading.HEDGE_ONLY

    @property
    def open_since_ns(self) -> int | None:
        """When the oldest order that may still be open was entered; None when there is none."""
        times = [
            entered.ts_ns
            for key, entered in self.entered.items()
            if key not in self.evidence or not self.evidence[key].status.terminal
        ]
        return min(times, default=None)

    @property
    def missed_since_ns(self) -> int:
        """From when on fills may have been missed: an order that was open may have traded before the last record."""
        opened = self.open_since_ns
        return self.last_ns if opened is None else min(opened, self.last_ns)

    def not_after(self, now_ns: int) -> None:
        """Take back times that are ahead of now: the clock was wrong when they were written, by as much or more."""
        ahead = self.last_ns - now_ns
        if ahead > 0:
            self.last_ns -= ahead + DOWNTIME_NS
            self.started_ns = min(self.started_ns, self.last_ns)

    @property
    def digest(self) -> str:
        """A fingerprint of all of it: equal for equal pasts, digit for digit."""
        return digest(self.kernel, self.entered, self.evidence)

    def bring_back(self, one: Finished) -> None:
        """Know an order again that was put away."""
        if one.entered is not None and one.evidence is not None:
            bring_back(self.kernel, one)
            self.entered[one.key], self.evidence[one.key] = one.entered, one.evidence

    def name(self, key: str, archive: Archive | None) -> None:
        """An order is named: where it was put away it comes back, with the makers that it answers."""
        if archive is None or not self.away or key in self.entered:
            return
        found = archive.get(key, self.upto)
        if found is not None:
            self.bring_back(found)
            for claim in found.child.claims if found.child is not None else ():
                self.name(claim.maker, archive)

    def bring_all_back(self, archive: Archive) -> None:
        """Know every order of the journal again. Raises JournalError."""
        for one in archive.all(self.upto) if self.away else ():
            if one.key not in self.entered:
                self.bring_back(one)

    def checkpoint(self) -> Checkpoint:
        """All of it as one record, for a new segment to begin with."""
        return checkpoint(
            self.kernel, self.entered, self.evidence, started_ns=self.started_ns, last_ns=self.last_ns,
            in_touch=self.in_touch, trading=self.trading, act=self.act, day=self.day.record, away=self.away,
        )  # fmt: skip


def replay(records: Iterable[Record], kernel: Kernel, archive: Archive | None = None) -> Past:
    """Fold a journal into ``kernel`` (new) and the orders that it knows. The same for the same records.

    A checkpoint counts where the records begin with it; a later one tells nothing that was not told before it. An
    order that a checkpoint leaves out and a later record names comes back from ``archive``; without one its records
    are passed over, so that what is told is true of the other orders alone.
    Raises JournalError for a record that does not hold what its kind says, and where the archive lacks what was put
    away.
    """
    past = Past(kernel)
    fresh = True
    for record in records:
        if record.kind == HEADER_KIND:
            continue
        if record.kind == CHECKPOINT_KIND:
            if fresh:
                _resume(past, record)
                if past.away and archive is not None and not archive.has(past.away):
                    raise JournalError(f"orders were put away at record {past.away}, and the archive lacks them")
            continue
        _take(past, record, archive)
        if past.in_touch:
            past.last_ns = record.ts_ns
        fresh = False
    return past


def _take(past: Past, record: Record, archive: Archive | None) -> None:
    if record.kind in {"Session", RECOVERED}:
        _marked(past, record)
    elif record.kind in RESTORED:
        past.trading, past.act = RESTORED[record.kind], record.kind
    elif record.kind == "Entered":
        entered = record.value(Entered)
        past.entered[entered.order.cloid] = entered
    elif record.kind == DAY:
        past.day = Day(record.value(DayRecord))
    elif record.kind == "Evidence":
        evidence = record.value(Evidence)
        past.name(evidence.key, archive)
        _learn(past, evidence)
    elif record.kind in _EVENTS:
        _apply(past, record.value(_EVENTS[record.kind]), archive)


def _apply(past: Past, event: Any, archive: Archive | None) -> None:
    if isinstance(event, OF_A_CHILD):
        past.name(event.child, archive)
        if archive is None and past.away and event.child not in past.kernel.children:
            return
    elif isinstance(event, e.Intended) and archive is None and past.away:
        makers = past.kernel.makers
        if all(part.maker not in makers for part in event.parts):
            return  # what made it due was passed over: taken here it would be owed back, and meet what others are owed
    past.kernel.replay(event)
    if isinstance(event, e.Intended):
        past.entered[event.child] = _entered(event)


def _marked(past: Past, record: Record) -> None:
    """Take the beginning of a session, or its word that it knows all that was before it."""
    if record.kind == RECOVERED:
        past.in_touch = True
        return
    past.in_touch = not past.started_ns  # before the first one there was nothing to miss
    past.started_ns = past.started_ns or record.ts_ns


def _learn(past: Past, evidence: Evidence) -> None:
    _count(past, past.evidence.get(evidence.key), evidence)
    past.evidence[evidence.key] = evidence
    event = hedge_event(past.kernel, evidence)
    if event is not None:
        past.kernel.replay(event)


def _count(past: Past, before: Evidence | None, after: Evidence) -> None:
    """Count what an order has traded since the evidence before."""
    entered = past.entered.get(after.key)
    filled = before.filled if before is not None else ZERO
    if entered is None:
        return
    paid = cost_of(filled, before.average_price, before.price) if before is not None else ZERO
    cost = cost_of(after.filled, after.average_price, after.price)
    if after.filled != filled or cost != paid:
        key = entered.venue, entered.order.ticker
        past.day.traded(key, after.filled - filled, cost - paid, abs(cost) - abs(paid), after.ts_ns)


def _resume(past: Past, record: Record) -> None:
    saved = record.value(Checkpoint)
    try:
        past.entered, past.evidence = restore(saved, past.kernel)
    except (IndexError, KeyError, ValueError) as error:
        raise JournalError(f"record {record.n} ({record.kind}) does not fit together: {error!r}") from error
    past.started_ns, past.last_ns, past.in_touch = saved.started_ns, saved.last_ns, saved.in_touch
    past.trading = saved.trading or (Trading.HEDGE_ONLY if saved.hedge_only else Trading.ACTIVE)
    past.act = saved.act
    past.upto, past.away = record.n, saved.away
    past.day = Day(saved.day)


def _entered(intended: e.Intended) -> Entered:
    step = intended.policy.rung(intended.rung)
    order = PlaceOrder(
        ticker=intended.ticker, cloid=intended.child, amount=intended.amount,
        kind=OrderKind.MARKET if step.how.value == "market" else OrderKind.LIMIT,
        tif=TimeInForce.IOC if step.how.value == "ioc" else TimeInForce.GTC,
        post_only=step.how.value == "join", reduce_only=intended.policy.reduce_only,
    )  # fmt: skip
    return Entered(venue=intended.venue, role=Role.HEDGE, order=order, ts_ns=intended.ts_ns)


def restore_orders(past: Past, page: OrdersPage) -> list[str]:
    """Enter every order of the past on the page; return the keys of those that must be asked about.

    A hedge that was only intended, and an order that was only entered, may have left: it is UNKNOWN.
    """
    unsure = []
    for key, entered in past.entered.items():
        evidence = past.evidence.get(key)
        order = _order(entered, evidence)
        page.restore(order, evidence.oids if evidence is not None else ())
        if not order.status.terminal:
            unsure.append(key)
    return unsure


def _order(entered: Entered, evidence: Evidence | None) -> Order:
    placed = entered.order
    order = Order(
        key=placed.cloid, cloid=placed.cloid, venue=entered.venue, ticker=placed.ticker, role=entered.role,
        amount=placed.amount, price=placed.price, kind=placed.kind, tif=placed.tif, post_only=placed.post_only,
        reduce_only=placed.reduce_only, ts_created_ns=entered.ts_ns, status=OrderStatus.UNKNOWN,
        text="not known since the restart",
    )  # fmt: skip
    if evidence is None:
        return order
    status = evidence.status if evidence.status.terminal else OrderStatus.UNKNOWN
    return msgspec.structs.replace(
        order, status=status, filled=evidence.filled, average_price=evidence.average_price,
        price=evidence.price or order.price, reason=evidence.reason, ts_recv_ns=evidence.ts_ns,
        text=evidence.text if evidence.status.terminal else order.text,
        oid=evidence.oids[-1].oid if evidence.oids else None,
    )  # fmt: skip


async def recover(oms: "OMS", past: Past) -> None:
    """Bring the restored state to what the venues say. The OMS must be connected, its baselines taken.

    A venue that does not answer is told of and leaves its orders UNKNOWN, counted in full.
    """
    cut = list(oms.kernel.unwinds.values())  # those that begin from here on settle themselves
    for child in oms.kernel.children.values():
        if child.state in {ChildState.INTENDED, ChildState.SENT}:
            oms.hedge.left_by_now(child.cloid)
            oms.hedge.doubt(child.cloid, "the desk was restarted before an answer")
    _stop_again(oms, past)
    answered = await asyncio.gather(*(_take_up(oms, past, exc) for exc in oms.gateway.venues))
    await _ended_lately(oms, past)
    await strangers.cancel_open(oms)
    for order in oms.page.working():
        if order.status is OrderStatus.UNKNOWN:
            oms.resolver.resolve(order.key)
    oms.hedge.confirm_again()
    if all(answered):
        oms.journal.append(RECOVERED)
    await oms.resolver.settled(QUIET_S)
    for account in cut:
        oms.tasks.start(settle_unwind(oms, account), f"unwind {account.order[:8]}")
    oms.hedge.cancel_again()
    oms.hedge.wake()


async def _ended_lately(oms: "OMS", past: Past) -> None:
    """Ask for the orders that ended moments before the journal does: a last fill may not have been written."""
    lately = [
        (evidence.ts_ns, key)
        for key, evidence in past.evidence.items()
        if evidence.status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED} and evidence.ts_ns > past.last_ns - MARGIN_NS
    ]
    lately += oms.store.ended_since(past.last_ns - MARGIN_NS, ENDED_LATELY)
    for _, key in sorted(lately, reverse=True)[:ENDED_LATELY]:
        order = oms.page.get(key)
        if order is None or order.role is Role.EXTERNAL:
            continue
        try:
            oms.take(await oms.gateway.venue(order.venue).order(order.ticker, cloid=key), oms.clock.now_ns())
        except VenueError as error:
            oms.alert(order.venue, order.ticker, f"order {key[:8]} cannot be asked about: {error.text}", cloid=key)


def _stop_again(oms: "OMS", past: Past) -> None:
    """Cancel the makers that were to be stopped: whether their cancels left before the end is not known."""
    makers = oms.makers_working()
    if past.act == "Reducing":
        makers = [order for order in makers if not order.reduce_only]
    if past.act in STOPPED_MAKERS and makers:
        oms.alert("", "", f"{len(makers)} makers rest after {past.act.lower()}: they are cancelled again")
        oms.tasks.start(oms.cancel_orders(makers), "stop makers again")
    for book in oms.kernel.books.values():
        if book.hold:
            oms.stop_makers(book.venue, book.ticker, book.hold)


async def _take_up(oms: "OMS", past: Past, exc: str) -> bool:
    """Take the fills of a venue that were missed, then let its books decide; False when it could not be asked."""
    answered = await _missed_fills(oms, past, exc)
    for venue, ticker in list(oms.kernel.books):
        if venue != exc:
            continue
        known = oms.gateway.venue(venue).contracts
        if ticker in known:
            oms.hedge.specify(known[ticker])
            oms.supervisor.watch_soon(venue, ticker)
        book = oms.kernel.book(venue, ticker)
        if book.paused == PAUSED_FOR:
            hold = book.hold
            oms.hedge.resume(venue, ticker, reason="the flatten that had paused it was cut by the restart")
            if hold:
                oms.hedge.hold(venue, ticker, hold)
    return answered


async def _missed_fills(oms: "OMS", past: Past, exc: str) -> bool:
    """Take the fills that may have been missed; False when a venue could not be asked (its timer asks again)."""
    ours = {order.ticker for order in oms.page.orders() if order.role is not Role.EXTERNAL and order.venue == exc}
    ours |= {ticker for venue, ticker in oms.page.contracts if venue == exc}
    ours |= {ticker for venue, ticker in oms.kernel.books if venue == exc}  # whose hedges the journal may lack
    at_once = bool(ours) and oms.gateway.venue(exc).capabilities.fills_of_all
    answered, news = True, list[FillEvent]()
    for ticker in [ALL] if at_once else sorted(ours):
        asked_ns = oms.clock.now_ns()
        try:
            fills = await oms.gateway.venue(exc).fills_since(past.missed_since_ns - MARGIN_NS, ticker or None)
        except VenueError as error:
            answered = False
            oms.alert(exc, ticker, f"missed fills of {exc}:{ticker} cannot be asked for: {error.text}", "error")
            continue
        await take_all(fills, lambda fill: oms.take(fill, oms.clock.now_ns()))
        oms.supervisor.reconciler.fills_answered(exc, ticker, asked_ns)
        news += [fill for fill in fills if fill.ts_venue_ns > past.last_ns - MARGIN_NS]
    await strangers.look_at_fills(oms, exc, news)
    return answered
