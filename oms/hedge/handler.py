"""``order_delta_hedge``: the shell around the hedge kernel, and the broadcast's hook.

Deltas of the orders page go in as evidence in the same turn of the loop; hedge orders come out: journaled, registered
on the page, then sent. Everything that decides is in the kernel; here are only the journal, the sending and the timer.
"""

import asyncio
from decimal import Decimal

import msgspec

from gateways.errors import RateLimited, Unavailable, VenueError
from gateways.standards import (
    ZERO,
    Contract,
    OrderKind,
    OrderStatus,
    PlaceOrder,
    QuoteUpdate,
    RejectReason,
    TimeInForce,
)
from oms.cancels import LONGEST_WAIT_S
from oms.deltas import HedgeDelta
from oms.evidence import evidence_of, hedge_event
from oms.hedge import events as e
from oms.hedge.host import Host
from oms.hedge.policy import How, Leg
from oms.hedge.state import ChildState
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

CANCEL_AGAIN_S = 1.0
"""Wait after a cancel of a hedge order that a venue did not take: doubling, to ``LONGEST_WAIT_S``. Told of once."""


class HedgeHandler:
    """Feeds the kernel and carries out its commands, within a ``Host``."""

    def __init__(self, host: Host) -> None:
        self.kernel = host.kernel
        self._host = host
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = 0
        self._closed = False
        self._ghosts: set[str] = set()

    def register_maker(self, maker: str, venue: str, ticker: str, legs: tuple[Leg, ...]) -> None:
        """Journal and register a maker with its legs; must be done before its bytes leave.

        Raises JournalError when it cannot be written and ValueError for legs that cannot hedge: then nothing is sent.
        """
        for leg in legs:
            self.specify(self._host.gateway.venue(leg.venue).contracts[leg.ticker])
        now = self._host.clock.now_ns()
        self.apply(e.MakerPlaced(maker=maker, venue=venue, ticker=ticker, legs=legs, ts_ns=now))

    def legs(self, key: str) -> tuple[Leg, ...]:
        """The legs of a maker; none for any other order."""
        maker = self.kernel.makers.get(key)
        return maker.legs if maker else ()

    def order_delta_hedge(self, delta: object) -> None:
        """Take one delta. Runs first and synchronously for every order delta."""
        if not isinstance(delta, OrderDelta):
            return
        order = delta.after
        if order.role is Role.EXTERNAL:
            self._external(delta)
            return
        if delta.before is None:
            return  # just registered: what is journaled of it was journaled before
        evidence = evidence_of(self._host.page, order)
        cause = self._record("Evidence", evidence)
        event = hedge_event(self.kernel, evidence)
        if event is not None:
            self._carry_out(self.kernel.apply(event), cause, evidence.ts_ns)
        self._cancel_ghost(order)
        self._tell_of(order, delta)

    def _cancel_ghost(self, order: Order) -> None:
        """Cancel a hedge order that rests though it was taken as ended: its quantity is due, or was sent anew."""
        child = self.kernel.children.get(order.key)
        rests = order.status in {OrderStatus.NEW, OrderStatus.PARTIAL} and order.tif is TimeInForce.GTC
        if rests and child is not None and child.state is ChildState.DONE and order.key not in self._ghosts:
            self._ghosts.add(order.key)
            text = f"hedge {order.key[:8]} was taken as ended and rests: it is cancelled, what it filled counts"
            self._tell("ghost", order.venue, order.ticker, text, "error")
            self._host.tasks.start(self._cancel(order.key), f"cancel {order.key[:8]}")

    def _tell_of(self, order: Order, delta: OrderDelta) -> None:
        ended = order.status.terminal and delta.before is not None and not delta.before.status.terminal
        if order.role is Role.HEDGE and ended:
            at = f" at {order.average_price:f}" if order.average_price else ""
            self._say("done", order, f"hedge {order.key[:8]} {order.status.value}: {order.filled:f}{at}")
        if delta.last_fill != 0 and abs(order.filled) > abs(order.amount):
            over = f"{order.role.value} {order.key[:8]} filled {order.filled:f} of {order.amount:f}"
            self._tell("overfill", order.venue, order.ticker, f"{over}: more than was ordered, and all of it counts")

    def _external(self, delta: OrderDelta) -> None:
        order, before = delta.after, delta.before
        # What it filled before it was known for the venue's own counts too: its messages come in any order.
        known = before.filled if before is not None and before.forced else ZERO
        if order.forced and order.filled != known:
            self.venue_made(order.venue, order.ticker, order.filled - known)

    def venue_made(self, venue: str, ticker: str, amount: Decimal) -> None:
        """Hold the book of a contract in which the venue itself traded (liquidation): only the operator can judge."""
        if (venue, ticker) in self.kernel.books:
            reason = f"the venue itself traded {amount:f}: look at the position, reopen what is to be hedged"
            self.hold(venue, ticker, reason)

    def absent(self, key: str) -> bool:
        """Tell the kernel that the venue knows no such hedge order; True when it now believes so (I9)."""
        self.apply(e.ChildAbsent(child=key, ts_ns=self._host.clock.now_ns()))
        return self.kernel.children[key].state is ChildState.DONE

    def ended(self, key: str) -> None:
        """Take a venue's answer that an order has ended, once its size is on the page: a hedge's end is confirmed."""
        child, order = self.kernel.children.get(key), self._host.page.get(key)
        if child is not None and order is not None and child.state is ChildState.ENDING:
            self.apply(e.ChildConfirmed(child=key, ts_ns=self._host.clock.now_ns(), text=order.text))

    def doubt(self, key: str, text: str) -> None:
        """Take a hedge order as unknown: it counts in full until the venue speaks."""
        self.apply(e.ChildUnknown(child=key, ts_ns=self._host.clock.now_ns(), text=text))

    def left_by_now(self, key: str) -> None:
        """Date a hedge order that nobody has spoken for: its bytes left now at the latest, however it waited (I9)."""
        child = self.kernel.children.get(key)
        if child is not None and child.state in {ChildState.INTENDED, ChildState.SENT, ChildState.UNKNOWN}:
            now = self._host.clock.now_ns()
            until = self._host.accept_until_ns(child.book[0], now)
            self.apply(e.ChildSent(child=key, ts_ns=now, accept_until_ns=until))

    def wake(self) -> None:
        """Decide anew now: after a recovery, or time that passed without our timers."""
        self._disarm()
        self.apply(e.Clocked(ts_ns=self._host.clock.now_ns()))

    def cancel_again(self) -> None:
        """Ask again for the cancels that were decided on before a restart: whether they left is not known."""
        for child in self.kernel.children.values():
            if child.cancelling and child.state is not ChildState.DONE:
                self._host.tasks.start(self._cancel(child.cloid), f"cancel {child.cloid[:8]}")

    def confirm_again(self) -> None:
        """Ask for the ends that were not confirmed before a restart."""
        for child in self.kernel.children.values():
            if child.state is ChildState.ENDING:
                self._host.confirm_end(child.cloid)

    def quoted(self, quote: QuoteUpdate, now_ns: int) -> None:
        """Take a contract's best prices; only books that makers are hedged in listen."""
        if (quote.venue, quote.ticker) in self.kernel.books:
            bid = quote.bid.price if quote.bid else None
            ask = quote.ask.price if quote.ask else None
            self.apply(e.Priced(venue=quote.venue, ticker=quote.ticker, bid=bid, ask=ask, ts_ns=now_ns))

    def specify(self, contract: Contract) -> None:
        """Take a contract's rules; they hold for hedges from now on."""
        book = self.kernel.book(contract.venue, contract.ticker)
        if book.contract != contract:
            slippage = self._host.gateway.venue(contract.venue).capabilities.market_slippage
            self.apply(e.Specified(contract=contract, ts_ns=self._host.clock.now_ns(), market_slippage=slippage))

    def pause(self, venue: str, ticker: str, reason: str) -> None:
        """Stop a book from sending, by the operator's will; journaled."""
        self.apply(e.Paused(venue=venue, ticker=ticker, ts_ns=self._host.clock.now_ns(), reason=reason))
        self._tell("paused", venue, ticker, f"{venue}:{ticker} is paused: {reason}", "warning")

    def resume(self, venue: str, ticker: str, *, now: bool = False, reason: str = "") -> None:
        """Let a paused or held book send again, all that waits at once when ``now``; journaled."""
        self.apply(e.Resumed(venue=venue, ticker=ticker, ts_ns=self._host.clock.now_ns(), now=now, reason=reason))
        self._tell("resumed", venue, ticker, f"{venue}:{ticker} sends again{': ' if reason else ''}{reason}")

    def forfeit(
        self, venue: str, ticker: str, reason: str, amount: Decimal | None = None, *, unwind: str = ""
    ) -> None:  # fmt: skip
        """Write off the balance that stands, or ``amount`` of it; journaled. Raises ValueError for another amount.

        ``unwind``: the order that closed it where it was made.
        """
        if amount is None:
            amount = self.kernel.book(venue, ticker).balance
        self.apply(
            e.Forfeited(venue=venue, ticker=ticker, ts_ns=self._host.clock.now_ns(), amount=amount, reason=reason,
                        unwind=unwind)
        )  # fmt: skip
        if amount != 0:
            self._tell("forfeited", venue, ticker, f"{amount:f} of {venue}:{ticker} is forfeited: {reason}", "warning")

    def reopen(self, venue: str, ticker: str, amount: Decimal, reason: str) -> None:
        """Make ``amount`` (signed) due in a book; journaled. Raises ValueError for a book without makers."""
        now = self._host.clock.now_ns()
        self.apply(e.Reopened(venue=venue, ticker=ticker, amount=amount, ts_ns=now, reason=reason))
        self._tell("reopened", venue, ticker, f"{amount:f} of {venue}:{ticker} is due: {reason}", "warning")

    def round_up(self, venue: str, ticker: str, reason: str) -> None:
        """Hedge what is under the minimum with the smallest order the venue takes. Raises ValueError if it cannot."""
        self.apply(e.RoundedUp(venue=venue, ticker=ticker, ts_ns=self._host.clock.now_ns(), reason=reason))

    def assume_absent(self, key: str, reason: str) -> None:
        """Take an unknown hedge order as never sent, by the operator's word; journaled. Raises ValueError if known."""
        self.apply(e.AssumedAbsent(child=key, ts_ns=self._host.clock.now_ns(), reason=reason))

    def hold(self, venue: str, ticker: str, reason: str) -> None:
        """Put a book on HOLD and stop its makers, until the operator resumes it; journaled."""
        self.apply(e.Held(venue=venue, ticker=ticker, ts_ns=self._host.clock.now_ns(), reason=reason))

    def halted(self, reason: str) -> None:
        """Send no hedges from now on, in no book, or (empty) send them again. What is in flight goes on."""
        if self.kernel.halted != reason:
            self.apply(e.DeskHalted(reason=reason, ts_ns=self._host.clock.now_ns()))

    def close(self) -> None:
        """Stop the timer for good."""
        self._closed = True
        self._disarm()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- carrying out

    def _record(self, kind: str, value: msgspec.Struct, cause: int | None = None) -> int | None:
        """Journal a record; None, with the operator told, when it cannot be written."""
        try:
            return self._host.journal.append(kind, value, cause=cause)
        except JournalError as error:
            self._host.halt(f"the journal cannot be written: {error}")
            return None

    def apply(self, event: e.HedgeEvent) -> None:
        """Journal an event where it belongs there, give it to the kernel, carry out what follows."""
        cause = None
        if isinstance(event, JOURNALED):
            self.kernel.check(event)
            cause = self._record(type(event).__name__, event)
            if cause is None and isinstance(event, ONLY_IF_JOURNALED):
                raise JournalError(f"nothing was done: {self._host.journal.failed or 'the journal cannot be written'}")
        self._carry_out(self.kernel.apply(event), cause, event.ts_ns)

    def _carry_out(self, commands: list[e.Command], cause: int | None, received_ns: int) -> None:
        for command in commands:
            match command:
                case e.SendChild():
                    self._send(command, cause, received_ns)
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
        self._arm()

    def _send(self, command: e.SendChild, cause: int | None, received_ns: int) -> None:
        """Journal the intent, register the order, hand it to a task that sends it. The intent first, always."""
        step = command.policy.rung(command.rung)
        order = PlaceOrder(
            ticker=command.ticker, cloid=command.child, amount=command.amount, price=command.price,
            kind=OrderKind.MARKET if command.price is None else OrderKind.LIMIT,
            tif=TimeInForce.IOC if step.how is How.IOC else TimeInForce.GTC, post_only=step.how is How.JOIN,
            reduce_only=command.policy.reduce_only,
        )  # fmt: skip
        now = self._host.clock.now_ns()
        if self._record("Intended", command.intended(now), cause) is None:
            # Never sent, so it is certain that it does not exist; the balance stays visible and the book holds.
            never = e.ChildSeen(
                child=command.child, filled=ZERO, done=True, reason=RejectReason.HALTED, text="no journal", ts_ns=now
            )
            self._carry_out(self.kernel.apply(never), None, now)
            return
        registered = self._host.entry.register(command.venue, order, Role.HEDGE)
        self.apply(
            e.ChildSent(child=command.child, ts_ns=now, accept_until_ns=self._host.accept_until_ns(command.venue, now))
        )
        self._host.tasks.start(self._carry(command.venue, order, received_ns), f"hedge {command.child[:8]}")
        price = "market" if command.price is None else f"{command.price:f}"
        self._say("sent", registered, f"hedge {command.child[:8]} {command.amount:f} at {price}")

    async def _carry(self, venue: str, order: PlaceOrder, received_ns: int) -> None:
        await self._clear_the_way(venue, order)
        self._host.hedge_sent(venue, self._host.clock.now_ns() - received_ns)
        try:
            await self._host.entry.send(venue, order, hedge=True)
        except VenueError as error:
            # The page and the kernel know already; the operator is told what the venue said.
            self._tell("refused", venue, order.ticker, f"hedge {order.cloid[:8]}: {error.text}", "warning")
            if isinstance(error, (RateLimited, Unavailable)) and error.retry_after > 0:
                now = self._host.clock.now_ns()
                until = now + round(error.retry_after * 1e9)
                self.apply(e.Throttled(venue=venue, ticker=order.ticker, until_ns=until, ts_ns=now))

    async def _clear_the_way(self, venue: str, order: PlaceOrder) -> None:
        """Cancel our own resting orders that this hedge would meet; if one still meets it, both fills count.

        A market order is taken to reach as far as twice its size would now, and everywhere where that is not known.
        """
        reach = order.price or self._host.feed.reach(venue, order.ticker, 2 * order.amount)
        meeting = [
            other
            for other in self._host.page.working()
            if other.role in {Role.MAKER, Role.MANUAL}
            and (other.venue, other.ticker) == (venue, order.ticker)
            and other.amount * order.amount < 0
            and other.price is not None
            and (reach is None or (reach - other.price) * order.amount >= 0)
        ]
        for other in meeting:
            self._say("cleared", other, f"order {other.key[:8]} would meet hedge {order.cloid[:8]}: it is cancelled")
            try:
                await self._host.entry.cancel(other)
            except VenueError as error:
                self._tell("alert", venue, order.ticker, f"order {other.key[:8]}: {error.text}", "warning")

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
