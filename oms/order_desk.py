"""The order desk of an OMS: what the operator places, amends and cancels, and the acts on the trading state.

Every order is checked by the desk's state, the contract, its hedge legs and the limits before anything is journaled or
sent; the checks themselves are elsewhere (``oms.checks``, ``oms.states``, ``oms.risk``).
"""

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from gateways.errors import Denied
from gateways.standards import AmendOrder, Contract, OrderKind, PlaceOrder, PriceRule
from gateways.venue import Capabilities
from oms import checks
from oms.asked import Asked
from oms.cancels import Canceller
from oms.cloid import CloidKind, CloidSource
from oms.entry import OrderEntry
from oms.flatten import Flattened, Flattener
from oms.hedge.policy import Leg
from oms.journal import Recorder
from oms.orders import Order, Role
from oms.requests import HedgeRequest, OrderRequest, parsed
from oms.states import Arming, Trading, act_of

if TYPE_CHECKING:
    from oms.arming import DeskState
    from oms.killswitch import KillSwitch
    from oms.risk.guard import Guard


class OrderDesk(Asked):
    """Order entry by the names that users know."""

    journal: Recorder
    cloids: CloidSource
    state: "DeskState"
    killswitch: "KillSwitch"
    entry: OrderEntry
    canceller: Canceller
    guard: "Guard"
    flattener: Flattener
    clock_skew_ms: int | None
    """How far a venue's clock and ours may differ while makers are sent."""

    async def hedge_order(
        self, maker_order: OrderRequest | dict[str, Any],
        hedge_order: HedgeRequest | dict[str, Any] | Iterable[HedgeRequest | dict[str, Any]], trigger_after_ms: int = 0,
        *, confirmed: bool = False,
    ) -> Order:  # fmt: skip
        """Rest a maker order with one hedge leg or several; each of its fills is hedged on them.

        ``confirmed``: go over limits that only ask (``oms.risk``); else Unconfirmed, a Denied, is raised there.
        Returns the maker as acknowledged. Raises Denied (nothing was sent), Rejected, Unavailable or Unknown; after
        Unknown the maker may exist, and its fills will be hedged.
        """
        maker = parsed(OrderRequest, maker_order)
        given = [hedge_order] if isinstance(hedge_order, (HedgeRequest, dict)) else list(hedge_order)
        legs = tuple(parsed(HedgeRequest, leg).leg(trigger_after_ms) for leg in given)
        return await self.place(maker.exc, maker.placed(), legs, confirmed=confirmed)

    async def limit_order(self, order: OrderRequest | dict[str, Any], *, confirmed: bool = False) -> Order:
        """Send a limit order without a hedge. Raises as ``hedge_order``."""
        request = parsed(OrderRequest, order)
        return await self.place(request.exc, request.placed(), confirmed=confirmed)

    async def market_order(self, order: OrderRequest | dict[str, Any], *, confirmed: bool = False) -> Order:
        """Send a market order without a hedge. Raises as ``hedge_order``."""
        if isinstance(order, dict):
            order = {"kind": OrderKind.MARKET, **order}
        request = parsed(OrderRequest, order)
        return await self.place(request.exc, request.placed(), confirmed=confirmed)

    async def place(self, exc: str, order: PlaceOrder, legs: tuple[Leg, ...] = (), *, confirmed: bool = False) -> Order:
        """Check, register, journal and send an order, typed; the cloid is given here. Raises as ``hedge_order``."""
        self._allowed(exc, order, legs)
        venue = self.gateway.venue(exc)
        contract = self.contract_specs(exc, order.ticker)
        checks.check_legs(contract, legs, self.contracts)
        if order.tif not in venue.capabilities.time_in_force:
            allowed = ", ".join(sorted(tif.value.lower() for tif in venue.capabilities.time_in_force))
            raise Denied(exc, f"{order.tif.value.lower()} is not offered there: {allowed}", field="tif")
        await asyncio.gather(self.watch(exc, order.ticker), *(self.watch(leg.venue, leg.ticker) for leg in legs))
        self._allowed(exc, order, legs)  # a panic, a hold or new rules may have come while it waited
        contract = self.contract_specs(exc, order.ticker)
        checks.check_order(contract, order, reference=self.feed.mid(exc, order.ticker))
        self.check_room(order.amount, legs)
        order = msgspec.structs.replace(order, cloid=self.cloids.next(CloidKind.MAKER if legs else CloidKind.MANUAL))
        order = self.guard.admit(exc, order, legs, confirmed=confirmed)
        order = self._priced(venue.capabilities, contract, order)
        if legs:
            self.hedge.register_maker(order.cloid, exc, order.ticker, legs)
            for leg in legs:
                self._price_book(leg.venue, leg.ticker)
        self.entry.register(exc, order, Role.MAKER if legs else Role.MANUAL)
        return await self.entry.send(exc, order)

    def _allowed(self, exc: str, order: PlaceOrder, legs: tuple[Leg, ...]) -> None:
        """Refuse what the desk's state forbids, and makers whose hedges would not be sent (I10). Raises Denied."""
        self.state.check(exc, act_of(reduce_only=order.reduce_only))
        if not order.reduce_only:
            checks.check_clock([exc, *(leg.venue for leg in legs)], self.health.clock_offset_ns, self.clock_skew_ms)
        checks.check_books(legs, self.kernel.books, self.kernel.outages)

    def _price_book(self, exc: str, ticker: str) -> None:
        """Give a new hedge book the prices known already: its first hedge must not wait for the next quote."""
        quote = self.feed.quote(exc, ticker)
        if quote is not None:
            self.hedge.quoted(quote, self.feed.ts_recv_ns(exc, ticker))

    def _priced(self, capabilities: Capabilities, contract: Contract, order: PlaceOrder) -> PlaceOrder:
        """Leave a price rule to the venue where it matches natively, else read it from our book."""
        rule = order.price_rule
        if rule is None or ((rule.side, rule.level) in capabilities.price_match and
                            (not order.post_only or capabilities.price_match_post_only)):  # fmt: skip
            return order
        return msgspec.structs.replace(order, price=self.price_for(contract, rule, order), price_rule=None)

    def price_for(self, contract: Contract, rule: PriceRule, order: PlaceOrder) -> Decimal:
        """The price that a rule names now, from our book. Raises Denied without a book in sequence."""
        price = self.feed.price_for(rule, contract, buying=order.amount > 0, post_only=order.post_only)
        if price is None:
            text = f"{rule} needs a book of {contract.ticker}, which is not in sequence yet: give a price"
            raise Denied(contract.venue, text, field="price")
        return price

    async def amend_order(
        self, key: str, *, amount: Decimal | None = None, price: Decimal | None = None, confirmed: bool = False
    ) -> Order:
        """Change a resting order's signed total ``amount`` and ``price``; None keeps. Raises as ``hedge_order``."""
        order = self._known(key)
        if order.oid is None or order.price is None or not order.working:
            raise Denied(order.venue, f"order {key[:8]} is {order.status.value}: only a resting order can be amended")
        request = AmendOrder(
            ticker=order.ticker, cloid=order.key, oid=order.oid, amount=order.amount if amount is None else amount,
            price=order.price if price is None else price, filled=order.filled, tif=order.tif,
            post_only=order.post_only, reduce_only=order.reduce_only,
        )  # fmt: skip
        if request.amount * order.amount <= 0 or abs(request.amount) <= abs(order.filled):
            text = f"the amount {request.amount:f} must keep the side and be over the {order.filled:f} already filled"
            raise Denied(order.venue, text, field="amount")
        placed = PlaceOrder(
            ticker=order.ticker, cloid=order.key, amount=request.amount, price=request.price,
            reduce_only=order.reduce_only,
        )  # fmt: skip
        if abs(request.amount) > abs(order.amount) or request.price != order.price:
            self._allowed(order.venue, placed, self.hedge.legs(order.key))
        checks.check_order(self.contract_specs(order.venue, order.ticker), placed)
        if abs(request.amount) > abs(order.amount):
            self.check_room(request.amount - order.filled, self.hedge.legs(order.key), amending=order.key)
        with self.guard.amending(order, request, confirmed=confirmed):
            return await self.entry.amend(order, request)

    async def cancel_order(self, exc: str, ticker: str, oid: str | None = None, cloid: str | None = None) -> Order:
        """Cancel one order by ``oid`` or ``cloid``. A cancelled hedge pauses its book: it must not come right back."""
        order = self.page.get(cloid) if cloid else self.page.by_oid(exc, ticker, oid or "")
        if order is None or (order.venue, order.ticker) != (exc, ticker):
            raise Denied(exc, f"no order {cloid or oid!r} in {ticker} is known here", field="cloid")
        if not order.working:
            raise Denied(exc, f"order {order.key[:8]} is {order.status.value} already", field="cloid")
        if order.role is Role.HEDGE:
            self.hedge.pause(exc, ticker, f"its hedge {order.key[:8]} was cancelled by hand")
        return await self.entry.cancel(order)

    async def cancel_orders(self, orders: list[Order]) -> int:
        """Cancel many at once; what fails is announced and pursued (``oms.cancels``). Returns how many were taken."""
        return await self.canceller.cancel(orders)

    def makers_working(self) -> list[Order]:
        """Our orders that a cancel-all takes: makers and manual ones, never hedges."""
        return [order for order in self.page.working() if order.role in {Role.MAKER, Role.MANUAL}]

    async def flatten(self, exc: str, ticker: str) -> Flattened:
        """Close one contract's position: see ``oms.flatten``. Raises Denied when the journal cannot be written."""
        if self.journal.failed is not None:
            raise Denied(exc, "nothing new is sent without a journal: close it on the venue itself")
        return await self.flattener.flatten(exc, ticker)

    @property
    def trading(self) -> Trading:
        """Which orders go out: see ``oms.states``."""
        return self.state.trading

    @property
    def arming(self) -> Arming:
        """Whether risk may be raised: see ``oms.states``."""
        return self.state.arming

    async def panic(self, why: str = "by the operator") -> int:
        """Cancel all makers everywhere, allow only hedges, disarm: see ``oms.killswitch``. Returns cancels taken."""
        return await self.killswitch.panic(why)

    def arm(self, name: str) -> None:
        """Let a live desk raise risk, by its name. Raises Denied."""
        self.state.arm(name)

    def disarm(self) -> None:
        """Raise no more risk, cancelling nothing: a live desk is SAFE, one on paper HEDGE-ONLY."""
        if self.state.live is None:
            self.state.take("Disarm", "by the operator")
        else:
            self.state.disarm("by the operator")

    def activate(self) -> None:
        """Allow makers again, and hedges. Raises Denied for a desk that is HALTED for good or not recovered yet."""
        self.state.take("Activate", "by the operator")
        self.state.because = ""

    async def reducing(self) -> int:
        """Allow only orders that reduce, and hedges; cancel the others. Returns cancels taken. Raises Denied."""
        self.state.take("Reducing", "by the operator")
        return await self.cancel_orders([order for order in self.makers_working() if not order.reduce_only])

    async def halt_trading(self) -> int:
        """Allow no hedges either, cancel all makers, disarm; until ``activate``. Returns cancels taken."""
        self.state.take("Halt", "by the operator")
        self.state.disarm("by the operator")
        return await self.cancel_orders(self.makers_working())

    def rand_cloid(self) -> str:
        """A fresh client order id."""
        return self.cloids.next(CloidKind.MANUAL)

    def _known(self, key: str) -> Order:
        order = self.page.get(key)
        if order is None:
            raise Denied("order", f"no order {key!r} is known here", field="cloid")
        return order
