"""Bybit v5 linear perpetuals as a venue: what the OMS asks, put on the right channel.

Private data by one stream, order entry by the order entry socket with HTTP as the fallback, queries by HTTP, public
data by one stream. Translation is in ``decode`` and ``encode``; here are only the calls.
"""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from gateways.bybit import bodies, encode, limits
from gateways.bybit.encode import NATIVE_LEVELS, RECV_WINDOW_MS
from gateways.bybit.fills import FillPages
from gateways.bybit.market_data import MarketData
from gateways.bybit.order_entry import OrderEntry
from gateways.bybit.session import Session
from gateways.bybit.user_data import CLOCK_EVERY_S, UserData
from gateways.contracts import Contracts
from gateways.errors import DecodeError, Denied, NotFound, Rejected, Unavailable, Unknown
from gateways.standards import (
    AmendOrder,
    BalanceUpdate,
    BookUpdate,
    CancelAll,
    CancelOrder,
    FillEvent,
    OrderUpdate,
    PlaceOrder,
    PositionUpdate,
    PriceSide,
    QueryBalances,
    QueryBook,
    QueryOrder,
    Request,
    TimeInForce,
    WireRequest,
)
from gateways.transport.budget import Priority
from gateways.transport.network import Network
from gateways.transport.sockets import SOCKETS
from gateways.venue import Capabilities, Endpoints, Sink, Venue, Watcher

CONNECT_TIMEOUT_S = 10.0
BOOK_TIMEOUT_S = 5.0

CAPABILITIES = Capabilities(
    time_in_force=frozenset({TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK}),
    price_match=frozenset((side, level) for side in PriceSide for level in NATIVE_LEVELS),
    price_match_post_only=False,
    market_orders=True,
    amend=True,
    amend_keeps_oid=True,
    order_entry_websocket=True,
    cancel_all_native=True,
    # The venue's protection acts when the private stream is cut, not when it is not told again, and is granted to
    # institutions alone.
    dead_mans_switch=False,
    query_closed_by_cloid=True,
    cloid_pattern=r"[A-Za-z0-9_-]{1,36}",
    acceptance_window_ms=RECV_WINDOW_MS,
    acceptance_bounded=True,
)

_Page = Callable[[str], WireRequest]


class BybitVenue(Venue):
    """One unified account. ``endpoints.ws`` names three addresses: ``public``, ``private`` and ``trade``."""

    capabilities = CAPABILITIES

    def __init__(
        self,
        alias: str,
        endpoints: Endpoints,
        *,
        clock_ns: Callable[[], int] = time.time_ns,
        reply_timeout_s: float = 5.0,
        clock_every_s: float = CLOCK_EVERY_S,
        network: Network = SOCKETS,
    ) -> None:
        self.alias = alias
        addresses = _addresses(alias, endpoints)
        self._session = Session(alias, endpoints, clock_ns=clock_ns, network=network)
        self._user_data = UserData(self._session, addresses["private"], clock_every_s=clock_every_s)
        self._entry = OrderEntry(self._session, addresses["trade"], reply_timeout_s=reply_timeout_s)
        self._market = MarketData(self._session, addresses["public"])
        self._pages = FillPages(self._session)

    @property
    def contracts(self) -> Contracts:  # type: ignore[override]  # held by the session, which every channel reads
        """The contracts by ticker; empty until ``connect``."""
        return self._session.contracts

    async def connect(self, sink: Sink, watcher: Watcher) -> None:
        """Load the contracts, open the private stream and the order entry.

        Raises Unavailable when the venue cannot be reached, Rejected when it refuses the key, Denied for an account
        with positions in hedge mode (kept apart by side), which the desk does not trade. The venue tells the mode of a
        contract by its position alone; orders in a contract that is in hedge mode without one are refused by it.
        """
        self._session.open(sink, watcher)
        try:
            await self._session.synchronize_clock()
            await self.load_contracts()
            await self._refuse_hedge_mode()
            await self._entry.stream.start()
            await self._user_data.start(CONNECT_TIMEOUT_S)
        except (Unknown, DecodeError) as error:
            await self.close()
            raise Unavailable(self.alias, f"cannot connect: {error.text}") from error
        except BaseException:
            await self.close()
            raise
        try:
            await self._entry.stream.wait_ready(CONNECT_TIMEOUT_S)
        except Unavailable as error:
            self._session.dropped(f"order entry goes by HTTP for now: {error.text}")

    async def close(self) -> None:
        """Close every connection and end every task. Resting orders stay. Idempotent."""
        try:
            await asyncio.gather(self._user_data.close(), self._entry.stream.close(), self._market.close())
        finally:
            await self._session.close()

    async def load_contracts(self) -> Contracts:
        """Fetch the contract specifications anew and keep them."""
        items = await self._every(encode.contracts_page, "contracts", limits.PUBLIC)
        self._session.contracts = Contracts(self.alias, bodies.instruments(items, self.alias))
        return self._session.contracts

    # ------------------------------------------------------------------ public data

    async def subscribe(self, ticker: str) -> None:
        """Open the public data of one contract. Raises Denied for a ticker that the venue does not have."""
        self._known(ticker)
        await self._market.subscribe(ticker)

    async def unsubscribe(self, ticker: str) -> None:
        """Close what ``subscribe`` opened."""
        self._market.unsubscribe(ticker)

    async def book(self, ticker: str, depth: int = 100) -> BookUpdate:
        """A book snapshot of up to ``depth`` levels a side.

        Of a contract that is subscribed to it is the stream's own (50 levels), which its deltas continue; the update
        ids of a query (500 levels) belong to another stream.
        """
        if self._market.watches(ticker):
            book = await self._market.book(ticker, BOOK_TIMEOUT_S)
            return msgspec.structs.replace(book, bids=book.bids[:depth], asks=book.asks[:depth])
        request = QueryBook(ticker=ticker, depth=depth)
        body = await self._session.ask(self._built(request), "book", limits.PUBLIC, Priority.REST)
        return bodies.book(body, self.contracts)

    async def reference_price(self, ticker: str) -> Decimal | None:
        """The mid last seen on the public stream, else asked; None for an empty side or no answer."""
        quote = self._market.quote(ticker)
        if quote is None or quote.bid is None or quote.ask is None:
            try:
                body = await self._session.ask(lambda: encode.ticker_of(ticker), "quote", limits.PUBLIC)
                quote = bodies.quote(body, self.contracts)
            except (Unavailable, Unknown, Rejected, DecodeError):
                return None
        if quote is None or quote.bid is None or quote.ask is None:
            return None
        return (quote.bid.price + quote.ask.price) / 2

    # ------------------------------------------------------------------ account queries

    async def balances(self) -> list[BalanceUpdate]:
        """The money, asked fresh."""
        body = await self._session.ask(self._built(QueryBalances()), "balances", limits.PRIVATE)
        items, _ = bodies.listed(body, self.alias)
        return bodies.balances(items, self.contracts)

    async def positions(self) -> list[PositionUpdate]:
        """The positions that are not zero, asked fresh for each coin that margins a contract."""
        session = self._session
        found: list[PositionUpdate] = []
        for coin in self._settle_coins():
            items = await self._every(
                lambda cursor: encode.positions_page(coin, cursor, session.credentials, session.now_ms()),  # noqa: B023 - called before the next turn
                "positions",
                limits.PRIVATE,
            )
            found += bodies.positions(items, session.contracts)
        return [each for each in found if each.amount]

    async def open_orders(self, ticker: str | None = None) -> list[OrderUpdate]:
        """The open orders, asked fresh; of all contracts, for each coin that margins one."""
        session = self._session
        named = [("symbol", ticker)] if ticker else [("settleCoin", coin) for coin in self._settle_coins()]
        found: dict[str | None, OrderUpdate] = {}
        for each in named:
            items = await self._every(
                lambda cursor: encode.open_orders_page(each, cursor, session.credentials, session.now_ms()),  # noqa: B023 - called before the next turn
                "open orders",
                limits.PRIVATE,
            )
            found |= {order.oid: order for order in bodies.orders(items, session.contracts)}
        return [order for order in found.values() if order.status is None or not order.status.terminal]

    async def order(self, ticker: str, *, cloid: str | None = None, oid: str | None = None) -> OrderUpdate:
        """One order, open or closed, asked fresh.

        The venue has the open and the 500 last ended ones in one place and the past (of seven days; of two years what
        filled) in another: NotFound is raised when both answered that there is none.
        """
        session, query = self._session, QueryOrder(ticker=ticker, cloid=cloid, oid=oid)
        body = await session.ask(self._built(query), "order", limits.PRIVATE)
        found = self._orders(body)
        if not found:
            body = await session.ask(
                lambda: encode.order_history(query, self.alias, session.credentials, session.now_ms()),
                "order history",
                limits.PRIVATE,
            )
            found = self._orders(body)
        for each in found:
            if (oid is not None and each.oid == oid) or (oid is None and each.cloid == cloid):
                return each
        raise NotFound(self.alias, f"no order {oid or cloid} in {ticker}")

    async def fills_since(self, since_ns: int, ticker: str | None = None) -> list[FillEvent]:
        """Our fills from ``since_ns`` on, oldest first. The venue keeps two years of them."""
        return await self._pages.since(since_ns, ticker)

    # ------------------------------------------------------------------ order entry

    async def place(self, order: PlaceOrder, *, hedge: bool = False) -> OrderUpdate:
        """Send an order; return the id that the venue gave it.

        The acknowledgement says that the order was accepted for processing and no more: it has no status, and a
        refusal of the matching engine comes by the private stream. Raises Denied, Unavailable (not sent), Rejected
        (definite) or Unknown (may exist).
        """
        return await self._entry.send(order, "place", Priority.HEDGE if hedge else Priority.MAKER)

    async def amend(self, order: AmendOrder) -> OrderUpdate:
        """Ask for a change of price and total amount; the oid stays, what the order became comes by the stream."""
        return await self._entry.send(order, "amend", Priority.MAKER)

    async def cancel(self, order: CancelOrder) -> OrderUpdate | None:
        """Ask for a cancel; Rejected with UNKNOWN_ORDER means that it is not open now. The end comes by the stream."""
        return await self._entry.send(order, "cancel", Priority.CANCEL)

    async def cancel_all(self, ticker: str) -> None:
        """Cancel all open orders of one contract with the venue's own verb."""
        await self._session.ask(
            self._built(CancelAll(ticker=ticker)),
            "cancel all",
            limits.ALL_ORDERS,
            Priority.CANCEL,
            pool=limits.CANCEL_ALL,
        )

    def budget_used(self) -> str:
        """How much of the venue's request budget is used: HTTP requests of the address, orders of the account."""
        gate = self._session.gate
        used = gate.budget.used(gate.now())
        (sent, most), (placed, placed_most) = used[limits.ADDRESS], used[limits.CREATE]
        return f"{sent}/{most} requests, {placed}/{placed_most} orders"

    # ------------------------------------------------------------------ parts

    def _built(self, request: Request) -> Callable[[], WireRequest]:
        session = self._session
        return lambda: encode.encode(request, session.contracts, session.credentials, session.now_ms())

    def _orders(self, body: bytes) -> list[OrderUpdate]:
        items, _ = bodies.listed(body, self.alias)
        return bodies.orders(items, self.contracts)

    async def _every(self, page: _Page, verb: str, costs: dict[str, int]) -> list[Any]:
        """The rows of all pages."""
        rows: list[Any] = []
        cursor = ""
        while True:
            wanted = cursor
            body = await self._session.ask(lambda: page(wanted), verb, costs)  # noqa: B023 - called before the next turn
            items, cursor = bodies.listed(body, self.alias)
            rows += items
            if not items or not cursor or cursor == wanted:
                return rows

    async def _refuse_hedge_mode(self) -> None:
        apart = sorted({each.ticker for each in await self.positions() if each.side != "net"})
        if apart:
            text = f"{', '.join(apart)} is in hedge mode; switch the account to one-way mode"
            raise Denied(self.alias, text, field="position mode")

    def _settle_coins(self) -> list[str]:
        return sorted({contract.quote for contract in self.contracts.values()})

    def _known(self, ticker: str) -> None:
        if ticker not in self.contracts:
            near = ", ".join(self.contracts.nearest(ticker))
            hint = f"; did you mean {near}?" if near else ""
            raise Denied(self.alias, f"there is no contract {ticker!r}{hint}", field="ticker")


def _addresses(alias: str, endpoints: Endpoints) -> dict[str, str]:
    needed = ("public", "private", "trade")
    named = endpoints.ws if isinstance(endpoints.ws, dict) else {}
    missing = [name for name in needed if not named.get(name)]
    if missing:
        raise Denied(alias, f"the endpoints name no websocket address for {', '.join(missing)}", field="ws")
    return named
