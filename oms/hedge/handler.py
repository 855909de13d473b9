"""``order_delta_hedge``: the shell around the hedge kernel, and the broadcast's hook.

Deltas of the orders page, prices and the operator's acts go in as events, in the same turn of the loop; what the kernel
asks for is carried out by ``oms.hedge.dispatch``. Everything that decides is in the kernel.
"""

from decimal import Decimal

from gateways.standards import ZERO, Contract, OrderStatus, QuoteUpdate, TimeInForce
from oms.evidence import evidence_of
from oms.hedge import events as e
from oms.hedge.dispatch import Dispatch
from oms.hedge.host import Host
from oms.hedge.policy import Leg
from oms.hedge.state import ChildState
from oms.orders import Order, OrderDelta, Role

_EXTERNAL = Role.EXTERNAL
# Named here since a member looked up on its class is a call (Python 3.11), and this runs for every update.


class HedgeHandler(Dispatch):
    """Feeds the kernel, within a ``Host``."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
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
        if order.role is _EXTERNAL:
            self._external(delta)
            return
        if delta.before is None:
            return  # just registered: what is journaled of it was journaled before
        self.take(evidence_of(self._host.page, order))
        self._cancel_ghost(order)
        self._tell_of(order, delta)

    def _cancel_ghost(self, order: Order) -> None:
        """Cancel a hedge order that rests though it was taken as ended: its quantity is due, or was sent anew."""
        child = self.kernel.children.get(order.key)
        if child is None or child.state is not ChildState.DONE or order.key in self._ghosts:
            return
        if order.status in {OrderStatus.NEW, OrderStatus.PARTIAL} and order.tif is TimeInForce.GTC:
            self._ghosts.add(order.key)
            text = f"hedge {order.key[:8]} was taken as ended and rests: it is cancelled, what it filled counts"
            self._tell("ghost", order.venue, order.ticker, text, "error")
            self._host.tasks.start(self._cancel(order.key), f"cancel {order.key[:8]}")

    def _tell_of(self, order: Order, delta: OrderDelta) -> None:
        before = delta.before
        moved = "status" in delta.changed and order.role is Role.HEDGE
        if moved and order.status.terminal and before is not None and not before.status.terminal:
            at = f" at {order.average_price:f}" if order.average_price else ""
            self._say("done", order, f"hedge {order.key[:8]} {order.status.value}: {order.filled:f}{at}")
        if delta.last_fill and abs(order.filled) > abs(order.amount):
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
        self._host.page.get(key)  # it may have ended, and have been put away, while the venue was asked
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
