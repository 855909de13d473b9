"""Bybit v5 linear perpetuals as a venue: what the OMS asks, put on the right channel.

Private data by one stream, order entry by the order entry socket with HTTP as the fallback, queries by HTTP, public
data by one stream. Translation is in ``decode`` and ``encode``; here are only the calls.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from gateways.batches import in_batches
from gateways.bybit import bodies, encode, limits
from gateways.bybit.encode import DCP_SECONDS, NATIVE_LEVELS, RECV_WINDOW_MS
from gateways.bybit.fills import FillPages
from gateways.bybit.market_data import MarketData
from gateways.bybit.order_entry import OrderEntry
from gateways.bybit.session import Session
from gateways.bybit.user_data import UserData
from gateways.contracts import Contracts
from gateways.errors import Denied, NotFound, VenueError
from gateways.standards import (
    AmendOrder,
    BalanceUpdate,
    BookUpdate,
    CancelAll,
    CancelOrder,
    DeadMansSwitch,
    FillEvent,
    OrderUpdate,
    PlaceOrder,
    PositionUpdate,
    PriceSide,
    QueryBalances,
    QueryBook,
    QueryOrder,
    QuoteUpdate,
    Request,
    TimeInForce,
    WireRequest,
)
from gateways.transport.budget import Priority
from gateways.transport.network import Network
from gateways.transport.sockets import SOCKETS
from gateways.transport.streamed_venue import StreamedVenue, addresses
from gateways.transport.user_data import CLOCK_EVERY_S
from gateways.venue import Capabilities, DeadMan, Endpoints

BOOK_TIMEOUT_S = 5.0

CAPABILITIES = Capabilities(
    time_in_force=frozenset({TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK}),
    price_match=frozenset((side, level) for side in PriceSide for level in NATIVE_LEVELS),
    price_match_post_only=False,
    market_orders=True,
    amend=True,
    amend_keeps_oid=True,
    order_entry_websocket=True,
    place_batch=encode.BATCH,
    cancel_batch=encode.BATCH,
    cancel_all_native=True,
    # Granted to institutions alone ("Set Disconnect Cancel All").
    dead_mans_switch=DeadMan(shortest_s=DCP_SECONDS[0], longest_s=DCP_SECONDS[1], on_disconnect=True),
    query_closed_by_cloid=True,
    fills_of_all=True,
    cloid_pattern=r"[A-Za-z0-9_-]{1,36}",
    acceptance_window_ms=RECV_WINDOW_MS,
    acceptance_bounded=True,
)

_Page = Callable[[str], WireRequest]


class BybitVenue(StreamedVenue[Session]):
    """One unified account. ``endpoints.ws`` names three addresses: ``public``, ``private`` and ``trade``.

    Without the last, which the venue's demo lacks, all orders go by HTTP.
    """

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
        urls = addresses(alias, endpoints, "public", "private")
        session = Session(alias, endpoints, clock_ns=clock_ns, network=network)
        self._user_data = UserData(session, urls["private"], clock_every_s=clock_every_s)
        self._entry = OrderEntry(session, urls.get("trade", ""), reply_timeout_s=reply_timeout_s)
        self._market = MarketData(session, urls["public"])
        self._pages = FillPages(session)
        self._window_s = 0
        super().__init__(session, self._user_data, self._entry, self._market)

    async def load_contracts(self) -> Contracts:
        """Fetch the contract specifications anew and keep them."""
        items = await self._every(encode.contracts_page, "contracts", limits.PUBLIC)
        self._session.contracts = Contracts(self.alias, bodies.instruments(items, self.alias))
        return self._session.contracts

    # ------------------------------------------------------------------ public data

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

    async def _ask_quote(self, ticker: str) -> QuoteUpdate | None:
        body = await self._session.ask(lambda: encode.ticker_of(ticker), "quote", limits.PUBLIC)
        return bodies.quote(body, self.contracts)

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

    def place(self, order: PlaceOrder, *, hedge: bool = False) -> Awaitable[OrderUpdate]:
        """Send an order, at once where it may go now; await the id that the venue gave it: see ``Venue.place``.

        The acknowledgement says that the order was accepted for processing and no more: it has no status, and a
        refusal of the matching engine comes by the private stream. Raises Denied, Unavailable (not sent), Rejected
        (definite) or Unknown (may exist), at once or when awaited.
        """
        return self._entry.begin(order, "place", Priority.HEDGE if hedge else Priority.MAKER)

    async def amend(self, order: AmendOrder) -> OrderUpdate:
        """Ask for a change of price and total amount; the oid stays, what the order became comes by the stream."""
        return await self._entry.send(order, "amend", Priority.MAKER)

    async def cancel(self, order: CancelOrder) -> OrderUpdate | None:
        """Ask for a cancel; Rejected with UNKNOWN_ORDER means that it is not open now. The end comes by the stream."""
        return await self._entry.send(order, "cancel", Priority.CANCEL)

    async def place_many(self, orders: Sequence[PlaceOrder]) -> list[OrderUpdate | VenueError]:
        """Send orders, up to twenty in a request, or as many as the account may send in a second."""
        return await in_batches(
            self.alias,
            orders,
            self.place,
            lambda batch: self._entry.send_batch(batch, "place batch", Priority.MAKER),
            largest=self._entry.largest_batch(limits.CREATE_BATCH),
            check=lambda order: encode.check(order, self.contracts),
        )

    async def cancel_many(self, cancels: Sequence[CancelOrder]) -> list[OrderUpdate | VenueError | None]:
        """Ask for cancels, as ``place_many``; the ends come by the stream."""
        return await in_batches(
            self.alias,
            cancels,
            self.cancel,
            lambda batch: self._entry.send_batch(batch, "cancel batch", Priority.CANCEL),
            largest=self._entry.largest_batch(limits.CANCEL_BATCH),
            check=lambda cancel: encode.check(cancel, self.contracts),
        )

    async def cancel_all(self, ticker: str) -> None:
        """Cancel all open orders of one contract with the venue's own verb."""
        await self._session.ask(
            self._built(CancelAll(ticker=ticker)),
            "cancel all",
            limits.ALL_ORDERS,
            Priority.CANCEL,
            pool=limits.CANCEL_ALL,
        )

    async def arm_dead_man(self, seconds: int, ticker: str | None) -> None:
        """Have the venue cancel all derivative orders once the private stream has been gone for so long.

        The venue takes some ten seconds to heed a new length. Asked again, nothing is sent.
        """
        if self._window_s != seconds:
            request = DeadMansSwitch(timeout_ms=seconds * 1_000, ticker=ticker)
            await self._session.ask(self._built(request), "arm dead man", limits.PRIVATE)
            self._window_s = seconds
        await self._user_data.protect(wanted=True)

    async def disarm_dead_man(self, ticker: str | None) -> None:  # noqa: ARG002 - the account has one
        """Leave the topic that makes a connection's end count. Raises Unavailable while there is no connection."""
        await self._user_data.protect(wanted=False)

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

    async def _check_account(self) -> None:
        """Raise Denied for positions in hedge mode, kept apart by side.

        The venue tells the mode of a contract by its position alone; orders in a contract that is in hedge mode without
        one are refused by it.
        """
        apart = sorted({each.ticker for each in await self.positions() if each.side != "net"})
        if apart:
            text = f"{', '.join(apart)} is in hedge mode; switch the account to one-way mode"
            raise Denied(self.alias, text, field="position mode")

    def _settle_coins(self) -> list[str]:
        return sorted({contract.quote for contract in self.contracts.values()})
