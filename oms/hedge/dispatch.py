"""Carrying out what the hedge kernel asks for: the journal, the sending and the timer.

A hedge order is journaled, entered on the page and written to its venue's socket in the turn of the loop in which the
fill was read; whatever can wait (who is told, what is counted, the task that takes the answer) comes after its bytes.
"""

import asyncio
from collections.abc import Awaitable

import msgspec

from gateways.errors import RateLimited, Unavailable, VenueError
from gateways.standards import ZERO, OrderKind, PlaceOrder, TimeInForce
from gateways.transport.calls import UnderWay
from oms.cancels import LONGEST_WAIT_S
from oms.deltas import HedgeDelta
from oms.evidence import Evidence, hedge_event
from oms.hedge import events as e
from oms.hedge.host import Host
from oms.hedge.policy import How
from oms.journal import JournalError
from oms.orders import Order, OrderDelta, Role

JOURNALED = (
    e.MakerPlaced, e.ChildSent, e.ChildUnknown, e.ChildAbsent, e.Paused, e.Resumed, e.Forfeited, e.Reopened,
    e.RoundedUp, e.AssumedAbsent, e.Held, e.Unwinding, e.ChildConfirmed,
    e.Throttled,
)  # fmt: skip
"""Events that are journaled as they are. Evidence on orders is journaled as ``Evidence``, decisions as ``Intended``;
prices and time are not: what was decided from them is."""

ONLY_IF_JOURNALED = (e.MakerPlaced, e.Forfeited, e.Reopened, e.RoundedUp, e.AssumedAbsent, e.Unwinding)
"""What is refused when it cannot be journaled: after a restart it would not have been. A pause is taken even so."""

_OPERATORS = frozenset({Role.MAKER, Role.MANUAL})
"""The orders that a hedge may meet: those that the operator placed."""

CANCEL_AGAIN_S = 1.0
"""Wait after a cancel of a hedge order that a venue did not take: doubling, to ``LONGEST_WAIT_S``. Told of once."""


class _Left(msgspec.Struct, frozen=True):
    """A hedge order that was begun: what it came from, its entry on the page, and what is to be awaited of it."""

    command: e.SendChild
    entered: OrderDelta
    sending: Awaitable[Order]
    ts_ns: int


class Dispatch:
    """Gives the kernel its events and carries out its commands, within a ``Host``."""

    def __init__(self, host: Host) -> None:
        self.kernel = host.kernel
        self._host = host
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = 0
        self._closed = False

    def close(self) -> None:
        """Stop the timer for good."""
        self._closed = True
        self._disarm()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _record(self, kind: str, value: msgspec.Struct, cause: int | None = None) -> int | None:
        """Journal a record; None, with the operator told, when it cannot be written."""
        try:
            return self._host.journal.append(kind, value, cause=cause)
        except JournalError as error:
            self._unwritten(error)
            return None

    def take(self, evidence: Evidence) -> None:
        """Give the kernel what became known of an order of ours; journal it, in one go with the intents it leads to."""
        event = hedge_event(self.kernel, evidence)
        commands = self.kernel.decide(event) if event is not None else []
        sends = [each for each in commands if isinstance(each, e.SendChild)]
        cause = now = None
        try:
            if sends:
                now = self._host.clock.now_ns()
                intents = [("Intended", each.intended(now)) for each in sends]
                cause = self._host.journal.append_with("Evidence", evidence, intents)
            else:
                cause = self._host.journal.append_soon("Evidence", evidence, self._unwritten)
        except JournalError as error:
            self._unwritten(error)
        if event is not None:
            self._carry_out(commands, cause, evidence.ts_ns, intended_ns=None if cause is None else now)

    def _unwritten(self, error: JournalError) -> None:
        self._host.halt(f"the journal cannot be written: {error}")

    def apply(self, event: e.HedgeEvent) -> None:
        """Journal an event where it belongs there, give it to the kernel, carry out what follows."""
        cause = None
        if isinstance(event, JOURNALED):
            self.kernel.check(event)
            cause = self._record(type(event).__name__, event)
            if cause is None and isinstance(event, ONLY_IF_JOURNALED):
                raise JournalError(f"nothing was done: {self._host.journal.failed or 'the journal cannot be written'}")
        self._carry_out(self.kernel.decide(event), cause, event.ts_ns)

    def _carry_out(
        self, commands: list[e.Command], cause: int | None, received_ns: int, *, intended_ns: int | None = None
    ) -> None:
        """Carry out what was decided; hedges leave first, all of them before anything else is done or worked out.

        ``intended_ns``: when their intents were put into the journal, None where they are not in it yet.
        """
        for command in self._send(commands, cause, received_ns, intended_ns):
            match command:
                case e.CancelChild(child=key):
                    self._record("ChildCancelling", e.ChildCancelling(child=key, ts_ns=self.kernel.now_ns), cause)
                    self._host.tasks.start(self._cancel(key), f"cancel {key[:8]}")
                case e.ConfirmEnd(child=key):
                    self._host.confirm_end(key)
                case e.StopMakers():
                    self._host.stop_makers(command.venue, command.ticker, command.reason)
                case e.Unwind():
                    self._host.tasks.start(self._host.unwind(command), f"unwind {command.maker[:8]}")
                case e.VenueLost():
                    self._host.venue_lost(command.venue, command.text)
                case e.RefreshContracts():
                    self._host.refresh_contracts(command.venue)
                case e.Alert():
                    self._host.announce(HedgeDelta(**msgspec.structs.asdict(command), ts_ns=self.kernel.now_ns))
                case _:
                    pass
        self._arm()

    # -- sending

    def _send(
        self, commands: list[e.Command], cause: int | None, received_ns: int, intended_ns: int | None
    ) -> list[e.Command]:
        """Let hedges leave, all of them before anything is told of one; return all that there is to do."""
        begun: list[_Left] = []
        try:
            for command in commands:
                if isinstance(command, e.SendChild):
                    left = self._begin(command, cause, received_ns, intended_ns)
                    begun += [] if left is None else [left]
            return commands + self.kernel.settle()
        finally:  # what has left is followed, whatever becomes of the rest
            for left in begun:
                self._follow(left)

    def _begin(
        self, command: e.SendChild, cause: int | None, received_ns: int, intended_ns: int | None
    ) -> _Left | None:
        """Everything up to the bytes of one hedge order, and no more; None, with it ended, without a journal.

        The intent first, always.
        """
        host, venue = self._host, command.venue
        now = host.clock.now_ns() if intended_ns is None else intended_ns
        if intended_ns is None and self._record("Intended", command.intended(now), cause) is None:
            # Never sent, so it is certain that it does not exist; the balance stays visible and the book holds.
            reason = "the journal cannot be written"
            held = e.Held(venue=venue, ticker=command.ticker, reason=reason, ts_ns=now)
            never = e.ChildSeen(child=command.child, filled=ZERO, done=True, text=f"not sent, {reason}", ts_ns=now)
            for event in (held, never):
                self._carry_out(self.kernel.decide(event), None, now)
            return None
        order = order_of(command)
        try:
            meeting = self._meeting(venue, order)
        except Exception as error:  # noqa: BLE001 - a fault in looking keeps no hedge from leaving
            self._tell("alert", venue, order.ticker, f"hedge {order.cloid[:8]} leaves unlooked at: {error!r}", "error")
            meeting = []
        entered = host.entry.enter(venue, order, Role.HEDGE, now)
        if meeting or self._closed:
            sending = UnderWay(lambda: self._cleared(meeting, venue, order, received_ns))
            sent_ns = host.clock.now_ns()
        else:
            sending = host.entry.begin(entered.after, order)
            sent_ns = host.clock.now_ns()
            host.hedge_sent(venue, sent_ns - received_ns)
        return _Left(command, entered, sending, sent_ns)

    def _follow(self, left: _Left) -> None:
        """What can wait until the bytes have left. A crash before it is one after an intent: its end is asked for."""
        host, command = self._host, left.command
        host.tasks.start(self._carry(command, left.sending), f"hedge {command.child[:8]}")
        host.entry.publish(left.entered)
        until = host.accept_until_ns(command.venue, left.ts_ns)
        self.apply(e.ChildSent(child=command.child, ts_ns=left.ts_ns, accept_until_ns=until))
        price = "market" if command.price is None else f"{command.price:f}"
        self._say("sent", left.entered.after, f"hedge {command.child[:8]} {command.amount:f} at {price}")

    async def _carry(self, command: e.SendChild, sending: Awaitable[Order]) -> None:
        """Take what becomes of the request."""
        venue, ticker = command.venue, command.ticker
        try:
            await sending
        except VenueError as error:
            # The page and the kernel know already; the operator is told what the venue said.
            self._tell("refused", venue, ticker, f"hedge {command.child[:8]}: {error.text}", "warning")
            if isinstance(error, (RateLimited, Unavailable)) and error.retry_after > 0:
                now = self._host.clock.now_ns()
                until = now + round(error.retry_after * 1e9)
                self.apply(e.Throttled(venue=venue, ticker=ticker, until_ns=until, ts_ns=now))
        except BaseException:
            self._host.entry.let_go(command.child)
            raise

    def _meeting(self, venue: str, order: PlaceOrder) -> list[Order]:
        """Our own resting orders that this hedge would meet.

        A market order is taken to reach as far as twice its size would now, and everywhere where that is not known.
        """
        facing = [
            other
            for other in self._host.page.working_in(venue, order.ticker)
            if other.role in _OPERATORS and other.amount * order.amount < 0 and other.price is not None
        ]
        if not facing:
            return facing
        reach = order.price or self._host.feed.reach(venue, order.ticker, 2 * order.amount)
        return [
            other
            for other in facing
            if reach is None or (other.price is not None and (reach - other.price) * order.amount >= 0)
        ]

    async def _cleared(self, meeting: list[Order], venue: str, order: PlaceOrder, received_ns: int) -> Order:
        """Cancel what the hedge would meet, then send it; if one still meets it, both fills count."""
        for other in meeting:
            self._say("cleared", other, f"order {other.key[:8]} would meet hedge {order.cloid[:8]}: it is cancelled")
            try:
                await self._host.entry.cancel(other)
            except VenueError as error:
                self._tell("alert", venue, order.ticker, f"order {other.key[:8]}: {error.text}", "warning")
        self._host.hedge_sent(venue, self._host.clock.now_ns() - received_ns)
        return await self._host.entry.send(venue, order, hedge=True)

    async def _cancel(self, key: str) -> None:
        """Cancel a hedge order that has rested long enough; until it has ended, nothing else can answer its part."""
        wait = CANCEL_AGAIN_S
        while (order := self._host.page.get(key)) is not None and order.working:
            try:
                await self._host.entry.cancel(order)
            except VenueError as error:
                if wait == CANCEL_AGAIN_S:
                    self._tell("alert", order.venue, order.ticker, f"hedge {key[:8]}: {error.text}", "warning")
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_S)
            else:
                return

    def _arm(self) -> None:
        """Set the timer to the moment when time alone may change a decision."""
        due = self.kernel.next_due_ns()
        if due is None or self._closed:
            self._disarm()
            return
        if self._timer is not None and self._timer_ns == due and not self._timer.cancelled():
            return
        self._disarm()
        delay = max(0, due - self._host.clock.now_ns()) / 1e9
        self._timer_ns = due
        self._timer = asyncio.get_running_loop().call_later(delay, self._due)

    def _due(self) -> None:
        self._timer = None
        self.apply(e.Clocked(ts_ns=max(self._host.clock.now_ns(), self._timer_ns)))

    @property
    def timers(self) -> bool:
        """Whether a decision waits for time."""
        return self._timer is not None

    def _say(self, event: str, order: Order, text: str) -> None:
        self._host.announce(
            HedgeDelta(event=event, venue=order.venue, ticker=order.ticker, text=text, cloid=order.key,
                       ts_ns=self.kernel.now_ns)
        )  # fmt: skip

    def _tell(self, event: str, venue: str, ticker: str, text: str, severity: str = "info") -> None:
        self._host.announce(
            HedgeDelta(event=event, venue=venue, ticker=ticker, text=text, severity=severity, ts_ns=self.kernel.now_ns)
        )


def order_of(command: e.SendChild) -> PlaceOrder:
    """The order that a hedge command asks for."""
    if command.price is None:
        return PlaceOrder(
            ticker=command.ticker, cloid=command.child, amount=command.amount, kind=OrderKind.MARKET,
            reduce_only=command.policy.reduce_only,
        )  # fmt: skip
    how = command.policy.rung(command.rung).how
    return PlaceOrder(
        ticker=command.ticker, cloid=command.child, amount=command.amount, price=command.price, kind=OrderKind.LIMIT,
        tif=TimeInForce.IOC if how is How.IOC else TimeInForce.GTC, post_only=how is How.JOIN,
        reduce_only=command.policy.reduce_only,
    )  # fmt: skip
