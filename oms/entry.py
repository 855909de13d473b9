"""Order entry: an order of ours is registered before its bytes leave, sent once, and its outcome written on the page.

Whatever a venue's answer proves is decided by the type of its error (``gateways.errors``): refused or never sent ends
the order REJECTED; no answer leaves it UNKNOWN, to be resolved by asking, never by sending again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence

import msgspec

from gateways.errors import Denied, NotFound, Rejected, Unavailable, Unknown, VenueError
from gateways.router import Gateway
from gateways.standards import AmendOrder, CancelOrder, OrderStatus, OrderUpdate, PlaceOrder, RejectReason
from gateways.transport.budget import may_leave
from gateways.transport.calls import UnderWay
from oms.clock import Clock
from oms.dead_man import rests
from oms.evidence import Entered
from oms.journal import Recorder
from oms.orders import Order, OrderDelta, OrdersPage, Role

S = OrderStatus

BeforeHedge = Callable[[str, PlaceOrder], Awaitable[None]]
"""Awaited before the bytes of a hedge that may rest leave. Raises Unavailable when it must not be sent."""


class OrderEntry:
    """Sends, amends and cancels orders, keeping the page true. ``publish`` takes every delta that results.

    ``unresolved`` is told the key of each order whose outcome is not known, and of each cancel that a venue refused
    because it knows of no such open order: both want a query. ``before_hedge`` clears the way of a hedge. ``refusal``
    is asked for each new order, and each amend that is more than a smaller size, when it is about to leave: after it
    has waited for the rate budget too.
    """

    def __init__(
        self, gateway: Gateway, page: OrdersPage, journal: Recorder, clock: Clock, *,
        publish: Callable[[OrderDelta | None], None], unresolved: Callable[[str], None], pending_timeout: float,
        before_hedge: BeforeHedge | None = None, refusal: Callable[[Order], str] = lambda _: "",
    ) -> None:  # fmt: skip
        self._gateway = gateway
        self._page = page
        self._journal = journal
        self._clock = clock
        self.publish = publish
        self._unresolved = unresolved
        self._pending_timeout = pending_timeout
        self._before_hedge = before_hedge
        self._refusal = refusal

    def aside(self, gateway: Gateway, page: OrdersPage, journal: Recorder) -> "OrderEntry":
        """An entry with the same gate before other books, which tells nobody: for rehearsals."""
        return OrderEntry(
            gateway, page, journal, self._clock, publish=lambda _: None, unresolved=lambda _: None,
            pending_timeout=self._pending_timeout, refusal=self._refusal,
        )  # fmt: skip

    def register(self, venue: str, order: PlaceOrder, role: Role) -> Order:
        """Enter the order as PENDING, journaled (a hedge's intent is that already). Must be done before ``send``.

        Raises JournalError, with nothing entered, when it cannot be written: then it must not be sent.
        """
        delta = self.enter(venue, order, role, self._clock.now_ns())
        self.publish(delta)
        return delta.after

    def enter(self, venue: str, order: PlaceOrder, role: Role, now_ns: int) -> OrderDelta:
        """``register``, but tell nobody yet: the delta is to be published, in this turn of the loop."""
        if role is not Role.HEDGE:
            self._journal.append("Entered", Entered(venue=venue, role=role, order=order, ts_ns=now_ns))
        entered = Order(
            key=order.cloid, cloid=order.cloid, venue=venue, ticker=order.ticker, role=role, amount=order.amount,
            price=order.price, kind=order.kind, tif=order.tif, post_only=order.post_only,
            reduce_only=order.reduce_only, ts_created_ns=now_ns,
        )  # fmt: skip
        return self._page.register(entered)

    def begin(self, entered: Order, order: PlaceOrder) -> UnderWay[Order]:
        """``send`` of a hedge that was entered in this turn of the loop, but begun now: await it for the rest.

        Where nothing has to be waited for, its bytes have left when this returns.
        """
        venue = entered.venue
        if rests(order) or self._refusal(entered):
            return UnderWay(lambda: self.send(venue, order, hedge=True))
        begun: Awaitable[OrderUpdate]
        try:
            begun = self._gateway.venue(venue).place(order, hedge=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, ``send`` says what it means for the order
            failure = error
            begun = UnderWay(lambda: _raised(failure))
        return UnderWay(lambda: self.send(venue, order, hedge=True, begun=begun))

    async def send(
        self, venue: str, order: PlaceOrder, *, hedge: bool = False, begun: Awaitable[OrderUpdate] | None = None
    ) -> Order:
        """Send a registered order, once; return it as it then stands.

        Raises Denied, Rejected or Unavailable when there is no order, Unknown when there may be; the page says it too.
        If the caller is cancelled, the order is UNKNOWN until the stream or a query says more. ``begun``: what
        ``begin`` has sent already.
        """
        key = order.cloid
        try:
            if begun is None and hedge and self._before_hedge is not None and rests(order):
                await self._before_hedge(venue, order)
            with self._asked_again(self._current(key), now=begun is None):
                async with asyncio.timeout(self._pending_timeout):
                    answer = await (begun or self._gateway.venue(venue).place(order, hedge=hedge))
        except (Denied, Unavailable, Rejected) as error:
            reason = getattr(error, "reason", RejectReason.OTHER)
            self._mark(key, S.REJECTED, error.text, reason)
            raise
        except (Unknown, NotFound, TimeoutError, asyncio.CancelledError) as error:
            text = error.text if isinstance(error, VenueError) else "no answer in time"
            self._mark(key, S.UNKNOWN, text)
            self._unresolved(key)
            if isinstance(error, (Unknown, asyncio.CancelledError)):
                raise
            raise Unknown(venue, f"order {key[:8]} is unknown: {text}") from error
        except Exception as error:  # an answer that could not be read, or a fault of ours: it may well have left
            text = error.text if isinstance(error, VenueError) else repr(error)
            self._mark(key, S.UNKNOWN, text)
            self._unresolved(key)
            raise Unknown(venue, f"order {key[:8]} is unknown: {text}") from error
        self._take(key, answer)
        return self._current(key)

    def let_go(self, key: str) -> None:
        """Nobody sends the order or waits for its answer any more: one that is PENDING yet is UNKNOWN from now on."""
        if self._current(key).status is S.PENDING:
            self._mark(key, S.UNKNOWN, "nobody waits for its answer")
            self._unresolved(key)

    async def amend(self, order: Order, request: AmendOrder) -> Order:
        """Change a resting order; return it as it then stands. Raises as ``send`` does, and the order lives on."""
        smaller = request.price == order.price and abs(request.amount) <= abs(order.amount)
        self._page.amending(order.key)
        try:
            with contextlib.nullcontext() if smaller else self._asked_again(order):
                async with asyncio.timeout(self._pending_timeout):
                    answer = await self._gateway.venue(order.venue).amend(request)
            self._take(order.key, answer)
        except TimeoutError as error:
            self._unresolved(order.key)
            raise Unknown(order.venue, f"the amend of {order.key[:8]} is unknown: no answer in time") from error
        except (Unknown, NotFound, Rejected):
            self._unresolved(order.key)
            raise
        finally:
            self.publish(self._page.amended(order.key, now_ns=self._clock.now_ns()))
        return self._current(order.key)

    async def cancel(self, order: Order) -> Order:
        """Ask for a cancel; return the order as it then stands (the end itself may come by the stream).

        A refusal because the venue knows no such open order is not an end: it may have filled, so it is asked about.
        An order that the venue has not spoken for stays PENDING or UNKNOWN meanwhile: to ask for its cancel is not to
        have seen it.
        """
        request = self._cancelling(order)
        try:
            async with asyncio.timeout(self._pending_timeout):
                answer = await self._gateway.venue(order.venue).cancel(request)
        except asyncio.CancelledError:
            self._abandoned(order)
            raise
        except Exception as error:
            failed = self._not_cancelled(order, error)
            if failed is error:
                raise
            raise failed from error
        return self._cancelled(order, answer)

    async def cancel_many(self, orders: Sequence[Order]) -> list[Order | VenueError]:
        """Ask for many cancels at once, in as few messages as their venues allow.

        Returns for each, in their order, what ``cancel`` would return or raise. A message without an answer in time
        leaves the orders of that message alone uncertain.
        """
        places: dict[str, list[int]] = {}
        for place in sorted(range(len(orders)), key=lambda place: orders[place].ticker):
            places.setdefault(orders[place].venue, []).append(place)
        batches = []
        for venue, own in places.items():
            step = max(1, self._gateway.venue(venue).capabilities.cancel_batch)
            batches += [own[at : at + step] for at in range(0, len(own), step)]
        ended = await asyncio.gather(*(self._cancel_batch([orders[place] for place in batch]) for batch in batches))
        found = {
            place: end
            for batch, ends in zip(batches, ended, strict=True)
            for place, end in zip(batch, ends, strict=True)
        }
        return [found[place] for place in range(len(orders))]

    async def _cancel_batch(self, orders: list[Order]) -> list[Order | VenueError]:
        """Cancel orders of one venue, no more than it takes in one message."""
        requests = [self._cancelling(order) for order in orders]
        outcomes: Sequence[OrderUpdate | Exception | None]
        try:
            async with asyncio.timeout(self._pending_timeout):
                outcomes = await self._gateway.venue(orders[0].venue).cancel_many(requests)
        except asyncio.CancelledError:
            for order in orders:
                self._abandoned(order)
            raise
        except Exception as error:  # noqa: BLE001 - no answer in time, or a fault of ours: it is each order's outcome
            outcomes = [error] * len(orders)
        return [
            self._not_cancelled(order, outcome) if isinstance(outcome, Exception) else self._cancelled(order, outcome)
            for order, outcome in zip(orders, outcomes, strict=True)
        ]

    def _cancelling(self, order: Order) -> CancelOrder:
        """The request of a cancel that is about to leave; the order is shown so."""
        if self._current(order.key).oid is not None:
            self._mark(order.key, S.CANCEL_PENDING, "")
        # Where an amend replaces an order, the oid known here may be the one that is gone: our own id stays.
        keeps_oid = self._gateway.venue(order.venue).capabilities.amend_keeps_oid
        by_cloid = order.role is not Role.EXTERNAL and not keeps_oid
        return CancelOrder(ticker=order.ticker, cloid=order.cloid, oid=None if by_cloid else order.oid)

    def _cancelled(self, order: Order, answer: OrderUpdate | None) -> Order:
        if answer is not None:
            self._take(order.key, answer)
        return self._current(order.key)

    def _not_cancelled(self, order: Order, error: Exception) -> VenueError:
        """Show the order as working again; return the error as its caller is told of it."""
        if isinstance(error, Denied | Unavailable | Rejected | NotFound):
            self._restore(order, f"not cancelled: {error.text}")
            if isinstance(error, Rejected | NotFound):
                self._unresolved(order.key)
            return error
        # No answer, one that could not be read, or a fault of ours.
        text = "no answer in time" if isinstance(error, TimeoutError) else getattr(error, "text", repr(error))
        self._restore(order, f"its cancel is unknown: {text}")
        self._unresolved(order.key)
        return Unknown(order.venue, f"the cancel of {order.key[:8]} is unknown: {text}")

    def _abandoned(self, order: Order) -> None:
        """Nobody waits for the answer to the order's cancel any more."""
        self._restore(order, "its cancel is unknown: nobody waited for the answer")
        self._unresolved(order.key)

    @contextlib.contextmanager
    def _asked_again(self, order: Order, *, now: bool = True) -> Iterator[None]:
        """Ask whether the order may leave: ``now``, and when it has waited for the rate budget. Raises Denied."""

        def ask() -> None:
            text = self._refusal(self._current(order.key))
            if text:
                raise Denied(order.venue, f"not sent: {text}")

        if now:
            ask()
        with may_leave(ask):
            yield

    def _restore(self, order: Order, text: str) -> None:
        """The order may still be working: show it as such."""
        current = self._current(order.key)
        status = current.status
        if status is S.CANCEL_PENDING:
            status = S.PARTIAL if current.filled else S.NEW
        self._mark(order.key, status, text, label="CANCEL_FAILED")

    def _take(self, key: str, answer: OrderUpdate) -> None:
        if answer.cloid is None:
            answer = msgspec.structs.replace(answer, cloid=key)
        self.publish(self._page.upsert(answer, self._clock.now_ns()))

    def _mark(
        self, key: str, status: OrderStatus, text: str, reason: RejectReason | None = None, *, label: str = ""
    ) -> None:
        delta = self._page.mark(key, status, now_ns=self._clock.now_ns(), text=text, reason=reason, label=label)
        self.publish(delta)

    def _current(self, key: str) -> Order:
        order = self._page.get(key)
        if order is None:  # pages never forget an order that was registered
            raise KeyError(key)
        return order


async def _raised(error: Exception) -> OrderUpdate:
    """What could not even be begun, for whoever awaits it."""
    raise error
