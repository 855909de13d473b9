"""Flatten: out of a position, in an order in which no hedge can fight it.

First the makers that feed the contract's book stop, and what rests in the contract itself; then the book is paused, its
hedge orders settle and the balance that then stands is forfeited (journaled); only then is the position closed, by
reduce-only limit orders of which nothing rests, none at a price further from the market as it was found than the
slippage allowed: what cannot be closed within it stays, and is told. The book resumes at the end: a maker fill that
arrives later is an obligation like any other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from gateways.contracts import ceil_price, floor_lots, floor_price
from gateways.errors import Rejected, VenueError
from gateways.router import Gateway
from gateways.standards import ZERO, BookUpdate, Contract, OrderKind, PlaceOrder, RejectReason, TimeInForce
from oms.cloid import CloidKind, CloidSource
from oms.entry import OrderEntry
from oms.hedge.events import Unwind, Unwinding
from oms.hedge.handler import HedgeHandler
from oms.orders import Order, OrdersPage, Role

if TYPE_CHECKING:
    from oms.system import OMS

BPS = Decimal(10_000)
SETTLE_S = 10.0
ATTEMPTS = 3
"""Orders in a row that may leave the position as it was before it is given up."""
POLL_S = 0.05
ASKED = 4
AGAIN_S = 0.5
"""How often, and how far apart, a venue is asked for a position that its stream knows of and its answer does not."""
PAUSED_FOR = "flatten"
"""Why a book is paused while its contract is flattened; after a restart nobody else would resume it."""


class Flattened(msgspec.Struct, frozen=True, kw_only=True):
    """The result for one contract. ``residual`` is the signed position that is left; None: not known."""

    venue: str
    ticker: str
    before: Decimal
    residual: Decimal | None
    cancelled: int
    text: str

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.residual == 0


class Flattener:
    """Closes positions.

    ``cancel`` cancels the given orders and returns how many it asked for; ``mirrored`` is what the mirror holds of a
    contract, signed; ``slippage_bps`` how far through the market's best price one may trade, in basis points.
    """

    def __init__(
        self, gateway: Gateway, page: OrdersPage, hedge: HedgeHandler, entry: OrderEntry, cloids: CloidSource, *,
        cancel: Callable[[list[Order]], Awaitable[int]], mirrored: Callable[[str, str], Decimal],
        slippage_bps: Callable[[], Decimal],
    ) -> None:  # fmt: skip
        self._gateway = gateway
        self._page = page
        self._hedge = hedge
        self._entry = entry
        self._cloids = cloids
        self._cancel = cancel
        self._mirrored = mirrored
        self._slippage_bps = slippage_bps
        self._under_way: set[tuple[str, str]] = set()

    async def flatten(self, venue: str, ticker: str) -> Flattened:
        """Close the position of one contract; never raises for what a venue does, but says it in ``text``.

        A second call for a contract while one is under way closes nothing. A pause or a HOLD of its book stays.
        """
        key = venue, ticker
        if key in self._under_way:
            text = "it is being flattened already"
            return Flattened(venue=venue, ticker=ticker, before=ZERO, residual=None, cancelled=0, text=text)
        self._under_way.add(key)
        try:
            return await self._flatten(venue, ticker)
        finally:
            self._under_way.discard(key)

    async def _flatten(self, venue: str, ticker: str) -> Flattened:
        kernel = self._hedge.kernel
        fed = (venue, ticker) in kernel.books
        cancelled = await self._cancel(self._in_the_way(venue, ticker))
        before = ZERO
        residual: Decimal | None = None
        pauses = fed and not kernel.book(venue, ticker).paused
        if pauses:
            self._hedge.pause(venue, ticker, PAUSED_FOR)
        try:
            if fed and not await self._settled(venue, ticker):
                text = "hedge orders did not settle: not closed, try again when they have"
                return Flattened(venue=venue, ticker=ticker, before=ZERO, residual=None, cancelled=cancelled, text=text)
            if fed and kernel.book(venue, ticker).balance != 0:
                self._hedge.forfeit(venue, ticker, "flatten")
            before = residual = await self._position(venue, ticker)
            if before == 0:
                text = "nothing to close"
            else:
                residual, text = await self._close(venue, ticker, before)
        except VenueError as error:
            text = error.text
        finally:
            if pauses:
                hold = kernel.book(venue, ticker).hold
                self._hedge.resume(venue, ticker)
                if hold:
                    self._hedge.hold(venue, ticker, hold)
        return Flattened(venue=venue, ticker=ticker, before=before, residual=residual, cancelled=cancelled, text=text)

    def _in_the_way(self, venue: str, ticker: str) -> list[Order]:
        """Makers with a leg on the contract, and our own orders resting in it; hedge orders settle by themselves."""
        return [
            order
            for order in self._page.working()
            if order.role in {Role.MAKER, Role.MANUAL}
            and (
                (order.venue, order.ticker) == (venue, ticker)
                or any((leg.venue, leg.ticker) == (venue, ticker) for leg in self._hedge.legs(order.key))
            )
        ]

    async def _settled(self, venue: str, ticker: str) -> bool:
        """Wait until no order in the way is left and no hedge order of the book is open."""
        book = self._hedge.kernel.book(venue, ticker)
        deadline = asyncio.get_running_loop().time() + SETTLE_S
        while book.open_children or self._in_the_way(venue, ticker):
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True

    async def _position(self, venue: str, ticker: str) -> Decimal:
        """What the venue says is held, asked fresh; "nothing" is asked again while the mirror says otherwise."""
        amount = ZERO
        for attempt in range(ASKED):
            if attempt:
                await asyncio.sleep(AGAIN_S)
            held = await self._gateway.venue(venue).positions()
            amount = sum((row.amount for row in held if row.ticker == ticker), ZERO)
            if amount != 0 or self._mirrored(venue, ticker) == 0:
                break
        return amount

    async def _close(self, venue: str, ticker: str, position: Decimal) -> tuple[Decimal, str]:
        """Close a position within the slippage; what is left of it, and what is to be said. Raises VenueError."""
        contract = self._gateway.venue(venue).contracts.get(ticker)
        if contract is None:
            return position, "the rules of the contract are not known: not closed"
        slippage_bps = self._slippage_bps()
        limit = worst_price(contract, await self._gateway.venue(venue).book(ticker), position, slippage_bps)
        if limit is None:
            return position, f"nobody {'bids' if position > 0 else 'offers'}: not closed"
        residual, attempts = position, 0
        while residual != 0 and attempts < ATTEMPTS:
            held = residual
            await self._order(venue, contract, held, limit)
            residual = await self._position(venue, ticker)
            attempts = 0 if abs(residual) < abs(held) else attempts + 1
        if residual == 0:
            return residual, "closed"
        within = f"{slippage_bps.normalize():f} bps of the market, to {limit:f}"
        return residual, f"not all could be closed within {within}: say flatten again for the rest"

    async def _order(self, venue: str, contract: Contract, position: Decimal, limit: Decimal) -> None:
        """Send one closing order, and wait for its end."""
        largest = contract.max_quantity
        amount = -position if largest is None or abs(position) <= largest else -largest.copy_sign(position)
        order = PlaceOrder(
            ticker=contract.ticker, cloid=self._cloids.next(CloidKind.FLATTEN), amount=amount, kind=OrderKind.LIMIT,
            price=limit, tif=TimeInForce.IOC, reduce_only=True,
        )  # fmt: skip
        self._entry.register(venue, order, Role.FLATTEN)
        try:
            await self._entry.send(venue, order)
        except Rejected as error:
            if error.reason is not RejectReason.NO_LIQUIDITY:  # a venue's word for an order of which nothing filled
                raise
        deadline = asyncio.get_running_loop().time() + SETTLE_S
        while (known := self._page.get(order.cloid)) is not None and known.working:
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(POLL_S)


def worst_price(contract: Contract, book: BookUpdate, position: Decimal, slippage_bps: Decimal) -> Decimal | None:
    """The worst price to close a signed ``position`` at: ``slippage_bps`` through the best, on the tick, never beyond.

    None for a book without the side that would be met.
    """
    if position < 0:
        return floor_price(contract, book.asks[0].price * (1 + slippage_bps / BPS)) if book.asks else None
    if not book.bids:
        return None
    return max(ceil_price(contract, book.bids[0].price * (1 - slippage_bps / BPS)), contract.tick_size)


async def unwind(oms: "OMS", command: Unwind) -> None:
    """Close on a maker's own contract what its hedge cannot answer: reduce-only, at market.

    What it fills, times the leg's ratio, is forfeited in the book. Never raises for what a venue does: the balance
    stays, in plain sight, and the operator is told.
    """
    contract = oms.gateway.venue(command.maker_venue).contracts.get(command.maker_ticker)
    amount = floor_lots(contract, command.amount) if contract is not None else ZERO
    if amount == 0:
        text = f"{command.amount:f} is under the lot of {command.maker_venue}:{command.maker_ticker}: it is not unwound"
        oms.alert(command.venue, command.ticker, text, "error")
        return
    order = PlaceOrder(
        ticker=command.maker_ticker, cloid=oms.cloids.next(CloidKind.FLATTEN), amount=amount,
        kind=OrderKind.MARKET, reduce_only=True,
    )  # fmt: skip
    account = Unwinding(
        order=order.cloid, venue=command.venue, ticker=command.ticker, ratio=command.ratio, ts_ns=oms.clock.now_ns()
    )
    oms.hedge.apply(account)
    oms.entry.register(command.maker_venue, order, Role.FLATTEN)
    try:
        await oms.entry.send(command.maker_venue, order)
    except VenueError as error:
        # Not sent or refused, there is nothing to settle; an unknown one may fill yet, and is asked about.
        text = f"the unwind of {amount:f} on {command.maker_venue} failed: {error.text}"
        oms.alert(command.venue, command.ticker, text, "error")
    await settle_unwind(oms, account)


async def settle_unwind(oms: "OMS", account: Unwinding) -> None:
    """Wait for the end of an unwind's order and forfeit what it closed; after a restart too, for one that was cut."""
    key = account.order
    deadline = asyncio.get_running_loop().time() + SETTLE_S
    while (known := oms.page.get(key)) is not None and known.working:
        if asyncio.get_running_loop().time() > deadline:
            deadline += SETTLE_S
            text = f"the unwind {key[:8]} is {known.status.value}: its book must not be resumed yet"
            oms.alert(account.venue, account.ticker, text, "error", cloid=key)
        await asyncio.sleep(POLL_S)
    closed = -known.filled * account.ratio if known is not None else ZERO
    where = known.venue if known is not None else "nowhere"
    oms.hedge.forfeit(account.venue, account.ticker, f"unwound on {where}", closed, unwind=key)
