"""OKX v5 linear swaps as a venue: what the OMS asks, put on the right channel.

Private data and order entry by one websocket each, both logged in, with HTTP as the fallback for orders; queries by
HTTP; public data by one stream. Translation is in ``decode`` and ``encode``; here are only the calls.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from gateways.batches import in_batches, raise_unless_gone
from gateways.contracts import Contracts
from gateways.errors import DecodeError, Denied, NotFound, Rejected, VenueError
from gateways.okx import bodies, encode, limits, refusals
from gateways.okx.encode import ACCEPTANCE_MS
from gateways.okx.instruments import instruments
from gateways.okx.market_data import MarketData
from gateways.okx.order_entry import REPLY_TIMEOUT_S, OrderEntry
from gateways.okx.pages import Pages
from gateways.okx.session import Session
from gateways.okx.user_data import UserData
from gateways.standards import (
    AmendOrder,
    BalanceUpdate,
    BookUpdate,
    CancelOrder,
    DeadMansSwitch,
    FillEvent,
    OrderUpdate,
    PlaceOrder,
    PositionUpdate,
    QueryBalances,
    QueryBook,
    QueryContracts,
    QueryOrder,
    QueryPositions,
    QuoteUpdate,
    Request,
    TimeInForce,
)
from gateways.transport.budget import Priority
from gateways.transport.network import Network
from gateways.transport.sockets import SOCKETS
from gateways.transport.streamed_venue import StreamedVenue, addresses
from gateways.transport.user_data import CLOCK_EVERY_S
from gateways.venue import Capabilities, DeadMan, Endpoints

CAPABILITIES = Capabilities(
    time_in_force=frozenset({TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK}),
    market_orders=True,
    amend=True,
    amend_keeps_oid=True,
    order_entry_websocket=True,
    place_batch=encode.BATCH,
    cancel_batch=encode.BATCH,
    cancel_all_native=False,
    dead_mans_switch=DeadMan(shortest_s=encode.SWITCH_S[0], longest_s=encode.SWITCH_S[1]),
    query_closed_by_cloid=True,
    fills_of_all=True,
    cloid_pattern=r"[0-9A-Za-z]{1,32}",
    acceptance_window_ms=ACCEPTANCE_MS,
    # Orders and amends carry ``expTime``, past which the venue refuses them.
    acceptance_bounded=True,
)

_MODES = frozenset({"net_mode", "long_short_mode"})


class OkxVenue(StreamedVenue[Session]):
    """One trading account. ``endpoints.ws`` names two addresses: ``public`` and ``private``, each with its whole path.

    ``endpoints.passphrase`` is the key's.
    """

    capabilities = CAPABILITIES

    def __init__(
        self,
        alias: str,
        endpoints: Endpoints,
        *,
        clock_ns: Callable[[], int] = time.time_ns,
        reply_timeout_s: float = REPLY_TIMEOUT_S,
        clock_every_s: float = CLOCK_EVERY_S,
        network: Network = SOCKETS,
    ) -> None:
        urls = addresses(alias, endpoints, "public", "private")
        session = Session(alias, endpoints, clock_ns=clock_ns, network=network)
        self._entry = OrderEntry(session, urls["private"], reply_timeout_s=reply_timeout_s)
        user_data = UserData(
            session,
            urls["private"],
            settle=self._entry.settle,
            on_lost=self._entry.news_lost,
            clock_every_s=clock_every_s,
        )
        self._pages = Pages(session)
        super().__init__(session, user_data, self._entry, MarketData(session, urls["public"]))

    async def load_contracts(self) -> Contracts:
        """Fetch the contract specifications anew and keep them."""
        rows = await self._query(QueryContracts(), "contracts")
        self._session.contracts = Contracts(self.alias, instruments(rows, self.alias))
        return self._session.contracts

    # ------------------------------------------------------------------ public data

    async def book(self, ticker: str, depth: int = 100) -> BookUpdate:
        """A book snapshot of up to ``depth`` levels a side (at most 400)."""
        self._known(ticker)
        rows = await self._query(QueryBook(ticker=ticker, depth=depth), "book", Priority.REST)
        return bodies.book(self._only(rows), ticker, self.contracts)

    async def _ask_quote(self, ticker: str) -> QuoteUpdate | None:
        rows = await self._session.ask(lambda: encode.quote_of(ticker), "quote", {limits.QUOTE: 1})
        return bodies.quote(self._only(rows), self.contracts)

    # ------------------------------------------------------------------ account queries

    async def balances(self) -> list[BalanceUpdate]:
        """The money, asked fresh."""
        rows = await self._query(QueryBalances(), "balances")
        return [each for row in rows for each in bodies.balances(row, self.contracts)]

    async def positions(self) -> list[PositionUpdate]:
        """The positions in linear swaps that are not zero, asked fresh."""
        rows = await self._query(QueryPositions(), "positions")
        return [each for each in bodies.every(rows, self.contracts, bodies.position) if each.amount]

    async def open_orders(self, ticker: str | None = None) -> list[OrderUpdate]:
        """The open orders in linear swaps, asked fresh."""
        return await self._pages.open_orders(ticker)

    async def order(self, ticker: str, *, cloid: str | None = None, oid: str | None = None) -> OrderUpdate:
        """One order, open or closed, asked fresh.

        Raises NotFound when the venue says that there is none. It forgets orders that were cancelled without a fill
        after two hours ("Get order details").
        """
        try:
            rows = await self._query(QueryOrder(ticker=ticker, cloid=cloid, oid=oid), "order")
        except Rejected as error:
            if error.code == refusals.NO_SUCH_ORDER:
                raise NotFound(self.alias, f"no order {oid or cloid} in {ticker}") from error
            raise
        found = bodies.order(self._only(rows), self.contracts)
        if found is None:
            raise DecodeError(self.alias, "instId", f"{ticker!r} is not a linear swap")
        return found

    async def fills_since(self, since_ns: int, ticker: str | None = None) -> list[FillEvent]:
        """Our fills from ``since_ns`` on, oldest first. The venue keeps three months of them."""
        return await self._pages.fills(since_ns, ticker)

    # ------------------------------------------------------------------ order entry

    def place(self, order: PlaceOrder, *, hedge: bool = False) -> Awaitable[OrderUpdate]:
        """Send an order, at once where it may go now; await what the acknowledgement says: see ``Venue.place``.

        It says that the venue took the order, and its oid. A post-only order that would trade is taken and then
        cancelled. Raises Denied, Unavailable (not sent), Rejected (definite) or Unknown (may exist), at once or when
        awaited.
        """
        return self._entry.place(order, Priority.HEDGE if hedge else Priority.MAKER)

    async def amend(self, order: AmendOrder) -> OrderUpdate:
        """Change price and total amount; the oid stays. Returns when the private stream tells of it."""
        return await self._entry.amend(order)

    async def cancel(self, order: CancelOrder) -> OrderUpdate | None:
        """Ask for a cancel; its end comes by the private stream.

        Rejected with UNKNOWN_ORDER means that it is not open now: query, do not assume.
        """
        await self._entry.cancel(order)
        return None

    async def place_many(self, orders: Sequence[PlaceOrder]) -> list[OrderUpdate | VenueError]:
        """Send orders, twenty in a request."""
        return await in_batches(
            self.alias,
            orders,
            self.place,
            self._entry.place_batch,
            largest=encode.BATCH,
            check=lambda order: encode.check(order, self.contracts),
        )

    async def cancel_many(self, cancels: Sequence[CancelOrder]) -> list[OrderUpdate | VenueError | None]:
        """Ask for cancels, twenty in a request; the ends come by the private stream."""
        return await in_batches(
            self.alias,
            cancels,
            self.cancel,
            self._entry.cancel_batch,
            largest=encode.BATCH,
            check=lambda cancel: encode.check(cancel, self.contracts),
        )

    async def cancel_all(self, ticker: str) -> None:
        """Cancel all open orders of one contract: listed, then cancelled twenty at a time.

        Orders that are gone by then count as cancelled. Raises the first other error, after all were asked for.
        """
        orders = await self._pages.open_orders(ticker, Priority.CANCEL)
        raise_unless_gone(await self.cancel_many([CancelOrder(ticker=each.ticker, oid=each.oid) for each in orders]))

    async def arm_dead_man(self, seconds: int, ticker: str | None) -> None:
        """Have the venue cancel all open orders of the account unless told again in time."""
        await self._query(DeadMansSwitch(timeout_ms=seconds * 1_000, ticker=ticker), "arm dead man")

    async def disarm_dead_man(self, ticker: str | None) -> None:
        """Stop the account's countdown."""
        await self._query(DeadMansSwitch(timeout_ms=0, ticker=ticker), "disarm dead man", Priority.HEDGE)

    # ------------------------------------------------------------------ parts

    async def _query(self, request: Request, verb: str, priority: Priority = Priority.QUERY) -> list[Any]:
        session = self._session
        return await session.ask(
            lambda: encode.encode(request, session.contracts, session.credentials, session.now_ms()),
            verb,
            limits.costs_of(request),
            priority,
        )

    def _only(self, rows: list[Any]) -> dict[str, Any]:
        if len(rows) == 1 and isinstance(rows[0], dict):
            return rows[0]
        raise DecodeError(self.alias, "data", f"{len(rows)} rows where one was asked for")

    async def _check_account(self) -> None:
        """Raise Denied for an account in long/short mode (positions kept apart by side) or in spot mode."""
        session = self._session
        rows = await session.ask(
            lambda: encode.account_config(session.credentials, session.now_ms()), "account config", {limits.CONFIG: 1}
        )
        config = self._only(rows)
        mode = config.get("posMode")
        if mode not in _MODES:
            raise DecodeError(self.alias, "posMode", f"{mode!r} is not a position mode")
        if mode == "long_short_mode":
            raise Denied(
                self.alias, "the account keeps longs and shorts apart; switch it to net mode", field="position mode"
            )
        if config.get("acctLv") == "1":
            raise Denied(self.alias, "the account is in spot mode, which trades no swaps", field="account mode")
