"""``order_delta_hedge``: the shell around the hedge kernel, and the broadcast's hook.

Deltas of the orders page go in as evidence in the same turn of the loop; hedge orders come out: journaled, registered
on the page, then sent. Everything that decides is in the kernel; here are only the journal, the sending and the timer.
"""

import asyncio
from collections.abc import Callable

import msgspec

from gateways.errors import VenueError
from gateways.router import Gateway
from gateways.standards import Contract, OrderKind, OrderStatus, PlaceOrder, QuoteUpdate, RejectReason, TimeInForce
from oms.clock import Clock
from oms.deltas import HedgeDelta
from oms.entry import OrderEntry
from oms.hedge import events as e
from oms.hedge.kernel import Kernel
from oms.hedge.policy import Leg
from oms.hedge.state import ChildState
from oms.journal import JournalError, Recorder
from oms.orders import Order, OrderDelta, Role
from oms.tasks import TaskOwner

_JOURNALED = (
    e.MakerPlaced, e.MakerFilled, e.ChildSeen, e.ChildSent, e.ChildUnknown, e.ChildAbsent, e.Paused, e.Resumed,
    e.Forfeited,
)  # fmt: skip


class HedgeHandler:
    """Feeds the kernel and carries out its commands.

    ``accept_until_ns`` tells until when a venue may accept a request sent at a time; ``refresh`` asks a venue for its
    contracts anew; ``announce`` takes what the operator must see; ``hedge_sent`` the nanoseconds from a fill's receipt
    to its hedge's request.
    """

    def __init__(
        self, kernel: Kernel, gateway: Gateway, journal: Recorder, clock: Clock, tasks: TaskOwner, *,
        entry: OrderEntry, accept_until_ns: Callable[[str, int], int], refresh: Callable[[str], None],
        announce: Callable[[HedgeDelta], None], hedge_sent: Callable[[str, int], None],
    ) -> None:  # fmt: skip
        self.kernel = kernel
        self._gateway = gateway
        self._journal = journal
        self._clock = clock
        self._tasks = tasks
        self._entry = entry
        self._accept_until_ns = accept_until_ns
        self._refresh = refresh
        self._announce = announce
        self._hedge_sent = hedge_sent
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = 0

    def register_maker(self, maker: str, venue: str, ticker: str, legs: tuple[Leg, ...]) -> None:
        """Journal and register a maker with its legs; must be done before its bytes leave.

        Raises JournalError when it cannot be written and ValueError for legs that cannot hedge: then nothing is sent.
        """
        for leg in legs:
            self.specify(self._gateway.venue(leg.venue).contracts[leg.ticker])
        now = self._clock.now_ns()
        self._apply(e.MakerPlaced(maker=maker, venue=venue, ticker=ticker, legs=legs, ts_ns=now))

    def legs(self, key: str) -> tuple[Leg, ...]:
        """The legs of a maker; none for any other order."""
        maker = self.kernel.makers.get(key)
        return maker.legs if maker else ()

    def order_delta_hedge(self, delta: object) -> None:
        """Take one delta. Runs first and synchronously for every order delta; ignores orders that are not ours."""
        if not isinstance(delta, OrderDelta):
            return
        order = delta.after
        if order.key in self.kernel.makers:
            if delta.last_fill != 0 or "average_price" in delta.changed:
                now = delta.ts_recv_ns
                self._apply(
                    e.MakerFilled(maker=order.key, filled=order.filled, average_price=order.average_price, ts_ns=now)
                )
        elif order.key in self.kernel.children:
            self._child(order, delta)

    def _child(self, order: Order, delta: OrderDelta) -> None:
        now = delta.ts_recv_ns
        if order.status is OrderStatus.UNKNOWN:
            self._apply(e.ChildUnknown(child=order.key, ts_ns=now, text=order.text))
        elif order.status is not OrderStatus.PENDING or order.filled != 0:
            self._apply(
                e.ChildSeen(
                    child=order.key, filled=order.filled, done=order.status.terminal, reason=order.reason,
                    text=order.text or order.label, average_price=order.average_price, ts_ns=now,
                )
            )  # fmt: skip
            if order.status.terminal and delta.before is not None and not delta.before.status.terminal:
                at = f" at {order.average_price:f}" if order.average_price else ""
                self._say("done", order, f"hedge {order.key[:8]} {order.status.value}: {order.filled:f}{at}")

    def absent(self, key: str) -> bool:
        """Tell the kernel that the venue knows no such hedge order; True when it now believes so (I9)."""
        self._apply(e.ChildAbsent(child=key, ts_ns=self._clock.now_ns()))
        return self.kernel.children[key].state is ChildState.DONE

    def quoted(self, quote: QuoteUpdate, now_ns: int) -> None:
        """Take a contract's best prices; only books that makers are hedged in listen."""
        if (quote.venue, quote.ticker) in self.kernel.books:
            bid = quote.bid.price if quote.bid else None
            ask = quote.ask.price if quote.ask else None
            self._apply(e.Priced(venue=quote.venue, ticker=quote.ticker, bid=bid, ask=ask, ts_ns=now_ns))

    def specify(self, contract: Contract) -> None:
        """Take a contract's rules; they hold for hedges from now on."""
        book = self.kernel.book(contract.venue, contract.ticker)
        if book.contract != contract:
            self._apply(e.Specified(contract=contract, ts_ns=self._clock.now_ns()))

    def pause(self, venue: str, ticker: str, reason: str) -> None:
        """Stop a book from sending, by the operator's will; journaled."""
        self._apply(e.Paused(venue=venue, ticker=ticker, ts_ns=self._clock.now_ns(), reason=reason))
        self._tell("paused", venue, ticker, f"{venue}:{ticker} is paused: {reason}", "warning")

    def resume(self, venue: str, ticker: str, *, now: bool = False) -> None:
        """Let a paused or held book send again, all that waits at once when ``now``; journaled."""
        self._apply(e.Resumed(venue=venue, ticker=ticker, ts_ns=self._clock.now_ns(), now=now))
        self._tell("resumed", venue, ticker, f"{venue}:{ticker} sends again")

    def forfeit(self, venue: str, ticker: str, reason: str) -> None:
        """Write off the balance that stands; journaled."""
        amount = self.kernel.book(venue, ticker).balance
        self._apply(e.Forfeited(venue=venue, ticker=ticker, ts_ns=self._clock.now_ns(), amount=amount, reason=reason))
        self._tell("forfeited", venue, ticker, f"{amount:f} of {venue}:{ticker} is forfeited: {reason}", "warning")

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- carrying out

    def _apply(self, event: e.HedgeEvent) -> None:
        cause = None
        if isinstance(event, _JOURNALED):
            try:
                cause = self._journal.append(type(event).__name__, event)
            except JournalError as error:
                if isinstance(event, e.MakerPlaced):
                    raise
                self._tell("journal", "", "", f"the journal cannot be written, nothing new is sent: {error}", "error")
        received = event.ts_ns
        for command in self.kernel.apply(event):
            match command:
                case e.SendChild():
                    self._send(command, cause, received)
                case e.RefreshContracts():
                    self._refresh(command.venue)
                case e.Alert():
                    self._announce(HedgeDelta(**msgspec.structs.asdict(command), ts_ns=self.kernel.now_ns))
        self._arm()

    def _send(self, command: e.SendChild, cause: int | None, received_ns: int) -> None:
        """Journal the intent, register the order, hand it to a task that sends it. The intent first, always."""
        order = PlaceOrder(
            ticker=command.ticker, cloid=command.child, amount=command.amount, price=command.price,
            kind=OrderKind.MARKET if command.price is None else OrderKind.LIMIT,
            tif=TimeInForce.GTC if command.price is None else TimeInForce.IOC,
        )  # fmt: skip
        now = self._clock.now_ns()
        try:
            self._journal.append("Intent", command, cause=cause)
        except JournalError as error:
            # Never sent, so it is certain that it does not exist; the balance stays visible and the book holds.
            ended = e.ChildSeen(
                child=command.child, filled=command.amount * 0, done=True, reason=RejectReason.HALTED, ts_ns=now
            )
            self._apply(ended)
            self._tell("journal", command.venue, command.ticker, f"no hedge without a journal: {error}", "error")
            return
        registered = self._entry.register(command.venue, order, Role.HEDGE)
        self._apply(
            e.ChildSent(child=command.child, ts_ns=now, accept_until_ns=self._accept_until_ns(command.venue, now))
        )
        self._tasks.start(self._carry(command.venue, order, received_ns), f"hedge {command.child[:8]}")
        price = "market" if command.price is None else f"{command.price:f}"
        self._say("sent", registered, f"hedge {command.child[:8]} {command.amount:f} at {price}")

    async def _carry(self, venue: str, order: PlaceOrder, received_ns: int) -> None:
        self._hedge_sent(venue, self._clock.now_ns() - received_ns)
        try:
            await self._entry.send(venue, order, hedge=True)
        except VenueError as error:
            # The page and the kernel know already; the operator is told what the venue said.
            self._tell("refused", venue, order.ticker, f"hedge {order.cloid[:8]}: {error.text}", "warning")

    def _arm(self) -> None:
        """Set the timer to the moment when time alone may change a decision."""
        due = self.kernel.next_due_ns()
        if due is None:
            self.close()
            return
        if self._timer is not None and self._timer_ns == due and not self._timer.cancelled():
            return
        self.close()
        delay = max(0, due - self._clock.now_ns()) / 1e9
        self._timer_ns = due
        self._timer = asyncio.get_running_loop().call_later(delay, self._due)

    def _due(self) -> None:
        self._timer = None
        self._apply(e.Clocked(ts_ns=max(self._clock.now_ns(), self._timer_ns)))

    @property
    def timers(self) -> bool:
        """Whether a decision waits for time."""
        return self._timer is not None

    def _say(self, event: str, order: Order, text: str) -> None:
        self._announce(
            HedgeDelta(event=event, venue=order.venue, ticker=order.ticker, text=text, cloid=order.key,
                       ts_ns=self.kernel.now_ns)
        )  # fmt: skip

    def _tell(self, event: str, venue: str, ticker: str, text: str, severity: str = "info") -> None:
        self._announce(
            HedgeDelta(event=event, venue=venue, ticker=ticker, text=text, severity=severity, ts_ns=self.kernel.now_ns)
        )
