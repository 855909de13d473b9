"""The mirrors of all venues and what can be read from them without asking anybody, by the names that users know."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from gateways.contracts import Contracts
from gateways.router import Gateway
from gateways.standards import ZERO, FillEvent, MarkUpdate, OrderUpdate, PositionUpdate
from oms.archive import Archive
from oms.balances import BalancesPage
from oms.checks import check_reduce_only
from oms.deltas import Broadcast, Delta, FillDelta, Handler, Subscription
from oms.feed import Feed
from oms.fills import FillsPage
from oms.health import HealthPage
from oms.hedge.book import BookView, balances_by_venue, books_by_venue, reserved
from oms.hedge.kernel import Kernel
from oms.hedge.policy import Leg
from oms.order_store import OrderStore
from oms.orders import Order, OrderDelta, OrdersPage
from oms.positions import PositionDelta, PositionsPage
from oms.specs import Specs


class Mirrors(Specs):
    """The pages, the feed and the broadcast of a desk, with the reads and subscriptions over them."""

    def __init__(self, gateway: Gateway, kernel: Kernel, archive: Archive) -> None:
        super().__init__(gateway)
        self.kernel = kernel
        self.store = OrderStore(kernel, archive)
        self.page: OrdersPage = self.store
        self.positions = PositionsPage()
        self.fills = FillsPage()
        self.balances = BalancesPage()
        self.health = HealthPage()
        self.feed = Feed()
        self.deltas = Broadcast()

    @property
    def hedge_book(self) -> dict[str, dict[str, BookView]]:
        """Exchange to ticker to hedge book."""
        return books_by_venue(self.kernel)

    @property
    def hedge_balance(self) -> dict[str, dict[str, Decimal]]:
        """Exchange to ticker to unhedged signed quantity, computed now."""
        return balances_by_venue(self.kernel)

    @property
    def contracts(self) -> dict[str, Contracts]:
        """Every venue's contracts by alias."""
        return {alias: venue.contracts for alias, venue in self.gateway.venues.items()}

    def publish(self, delta: Delta | None) -> None:
        """Publish a delta, if there is one."""
        if delta is not None:
            self.deltas.publish(delta)

    def orders_mirror(
        self, exc: str | None, on_update: Callable[[Order], Awaitable[None]] | None = None,
        on_delta: Callable[[OrderDelta], Awaitable[None]] | None = None,
    ) -> Subscription:  # fmt: skip
        """Call the handlers for every change of an order of ``exc`` (None: of all)."""

        async def handler(delta: Delta) -> None:
            if isinstance(delta, OrderDelta) and exc in {None, delta.after.venue}:
                if on_delta is not None:
                    await on_delta(delta)
                if on_update is not None:
                    await on_update(delta.after)

        return self.deltas.register(handler, kinds=(OrderDelta,), name=f"orders of {exc or 'all'}")

    def positions_mirror(
        self, exc: str | None, on_update: Callable[[PositionUpdate], Awaitable[None]] | None = None,
        on_delta: Callable[[PositionDelta], Awaitable[None]] | None = None,
    ) -> Subscription:  # fmt: skip
        """Call the handlers for every change of a position of ``exc`` (None: of all)."""

        async def handler(delta: Delta) -> None:
            if isinstance(delta, PositionDelta) and exc in {None, delta.after.venue}:
                if on_delta is not None:
                    await on_delta(delta)
                if on_update is not None:
                    await on_update(delta.after)

        return self.deltas.register(handler, kinds=(PositionDelta,), name=f"positions of {exc or 'all'}")

    def account_fills_mirror(self, exc: str | None, on_fill: Callable[[FillEvent], Awaitable[None]]) -> Subscription:
        """Call the handler for every fill of ours on ``exc`` (None: on all)."""

        async def handler(delta: Delta) -> None:
            if isinstance(delta, FillDelta) and exc in {None, delta.fill.venue}:
                await on_fill(delta.fill)

        return self.deltas.register(handler, kinds=(FillDelta,), name=f"fills of {exc or 'all'}")

    def register(self, handler: Handler, **options: Any) -> Subscription:
        """Register any async handler for deltas; see ``Broadcast.register``."""
        return self.deltas.register(handler, **options)

    def orders_peek(self, exc: str | None = None) -> list[Order]:
        """The working orders as mirrored, of one venue or all; asks nobody."""
        return [order for order in self.page.working() if exc in {None, order.venue}]

    def positions_peek(self, exc: str | None = None) -> list[PositionUpdate]:
        """The positions as mirrored; asks nobody."""
        return self.positions.get_all(exc)

    def fills_peek(self, exc: str | None = None) -> list[FillEvent]:
        """The fills as mirrored; asks nobody."""
        return self.fills.get_all(exc)

    def positions_get_net_base(self) -> dict[str, Decimal]:
        """The net position of each base asset over all venues, as mirrored."""
        return self.positions.net_base(self.contracts)

    def check_room(self, amount: Decimal, legs: tuple[Leg, ...], *, amending: str = "") -> None:
        """Refuse reduce-only legs that do not fit the positions beside those of other makers. Raises Denied.

        ``amount`` is what the maker may still fill, signed; ``amending`` the key of the maker that it is about, if it
        rests already.
        """

        def remaining(maker: str) -> Decimal:
            order = self.page.get(maker)
            return ZERO if order is None or maker == amending else order.remaining

        def taken(leg: Leg) -> Decimal:
            return reserved(self.kernel, leg, remaining, buying=amount * leg.ratio > 0)

        check_reduce_only(amount, legs, self.positions.get, taken)

    def get_funding_info(self, exc: str, ticker: str) -> MarkUpdate | None:
        """Mark price and coming funding rate as last heard on the public stream, None if never."""
        return self.feed.mark(exc, ticker)

    async def cloid_query(self, exc: str, ticker: str, cloid: str) -> OrderUpdate:
        """One order by client id, asked fresh. Raises NotFound."""
        return await self.gateway.venue(exc).order(ticker, cloid=cloid)

    async def oid_query(self, exc: str, ticker: str, oid: str) -> OrderUpdate:
        """One order by venue id, asked fresh. Raises NotFound."""
        return await self.gateway.venue(exc).order(ticker, oid=oid)
