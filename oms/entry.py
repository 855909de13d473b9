"""Order entry: an order of ours is registered before its bytes leave, sent once, and its outcome written on the page.

Whatever a venue's answer proves is decided by the type of its error (``gateways.errors``): refused or never sent ends
the order REJECTED; no answer leaves it UNKNOWN, to be resolved by asking, never by sending again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator

import msgspec

from gateways.errors import Denied, NotFound, Rejected, Unavailable, Unknown, VenueError
from gateways.router import Gateway
from gateways.standards import AmendOrder, CancelOrder, OrderStatus, OrderUpdate, PlaceOrder, RejectReason
from gateways.transport.budget import may_leave
from oms.clock import Clock
from oms.evidence import Entered
from oms.journal import Recorder
from oms.orders import Order, OrderDelta, OrdersPage, Role

S = OrderStatus

BeforeHedge = Callable[[str, PlaceOrder], Awaitable[None]]
"""Awaited before a hedge's bytes leave. Raises Unavailable when it must not be sent."""


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
        self._publish = publish
        self._unresolved = unresolved
        self._pending_timeout = pending_timeout
        self._before_hedge = before_hedge
        self._refusal = refusal

    def register(self, venue: str, order: PlaceOrder, role: Role) -> Order:
        """Enter the order as PENDING, journaled (a hedge's intent is that already). Must be done before ``send``.

        Raises JournalError, with nothing entered, when it cannot be written: then it must not be sent.
        """
        now = self._clock.now_ns()
        if role is not Role.HEDGE:
            self._journal.append("Entered", Entered(venue=venue, role=role, order=order, ts_ns=now))
        entered = Order(
            key=order.cloid, cloid=order.cloid, venue=venue, ticker=order.ticker, role=role, amount=order.amount,
            price=order.price, kind=order.kind, tif=order.tif, post_only=order.post_only,
            reduce_only=order.reduce_only, ts_created_ns=now,
        )  # fmt: skip
        self._publish(self._page.register(entered))
        return entered

    async def send(self, venue: str, order: PlaceOrder, *, hedge: bool = False) -> Order:
        """Send a registered order, once; return it as it then stands.

        Raises Denied, Rejected or Unavailable when there is no order, Unknown when there may be; the page says it too.
        If the caller is cancelled, the order is UNKNOWN until the stream or a query says more.
        """
        key = order.cloid
        try:
            if hedge and self._before_hedge is not None:
                await self._before_hedge(venue, order)
            with self._asked_again(self._current(key)):
                async with asyncio.timeout(self._pending_timeout):
                    answer = await self._gateway.venue(venue).place(order, hedge=hedge)
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
            self._publish(self._page.amended(order.key, now_ns=self._clock.now_ns()))
        return self._current(order.key)

    async def cancel(self, order: Order) -> Order:
        """Ask for a cancel; return the order as it then stands (the end itself may come by the stream).

        A refusal because the venue knows no such open order is not an end: it may have filled, so it is asked about.
        An order that the venue has not spoken for stays PENDING or UNKNOWN meanwhile: to ask for its cancel is not to
        have seen it.
        """
        if self._current(order.key).oid is not None:
            self._mark(order.key, S.CANCEL_PENDING, "")
        venue = self._gateway.venue(order.venue)
        # Where an amend replaces an order, the oid known here may be the one that is gone: our own id stays.
        by_cloid = order.role is not Role.EXTERNAL and not venue.capabilities.amend_keeps_oid
        request = CancelOrder(ticker=order.ticker, cloid=order.cloid, oid=None if by_cloid else order.oid)
        try:
            async with asyncio.timeout(self._pending_timeout):
                answer = await venue.cancel(request)
        except (Denied, Unavailable) as error:
            self._restore(order, f"not cancelled: {error.text}")
            raise
        except (Rejected, NotFound) as error:
            self._restore(order, f"not cancelled: {error.text}")
            self._unresolved(order.key)
            raise
        except asyncio.CancelledError:
            self._restore(order, "its cancel is unknown: nobody waited for the answer")
            self._unresolved(order.key)
            raise
        except Exception as error:  # no answer, one that could not be read, or a fault of ours
            text = "no answer in time" if isinstance(error, TimeoutError) else getattr(error, "text", repr(error))
            self._restore(order, f"its cancel is unknown: {text}")
            self._unresolved(order.key)
            raise Unknown(order.venue, f"the cancel of {order.key[:8]} is unknown: {text}") from error
        if answer is not None:
            self._take(order.key, answer)
        return self._current(order.key)

    @contextlib.contextmanager
    def _asked_again(self, order: Order) -> Iterator[None]:
        """Ask whether the order may leave: now, and when it has waited for the rate budget. Raises Denied."""

        def ask() -> None:
            text = self._refusal(self._current(order.key))
            if text:
                raise Denied(order.venue, f"not sent: {text}")

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
        self._publish(self._page.upsert(answer, self._clock.now_ns()))

    def _mark(
        self, key: str, status: OrderStatus, text: str, reason: RejectReason | None = None, *, label: str = ""
    ) -> None:
        delta = self._page.mark(key, status, now_ns=self._clock.now_ns(), text=text, reason=reason, label=label)
        self._publish(delta)

    def _current(self, key: str) -> Order:
        order = self._page.get(key)
        if order is None:  # pages never forget an order that was registered
            raise KeyError(key)
        return order
