"""Binance USD-M futures as a venue: what the OMS asks, put on the right channel.

Private data by a listen key stream, order entry by the websocket API with HTTP as the fallback, queries by HTTP, public
data by two combined streams. Translation is in ``decode`` and ``encode``; here are only the calls.
"""

import time
from collections.abc import Awaitable, Callable, Sequence

from gateways.batches import in_batches
from gateways.binance import bodies, encode, limits, refusals
from gateways.binance.encode import RECV_WINDOW_MS
from gateways.binance.fills import FillPages
from gateways.binance.market_data import MarketData
from gateways.binance.order_entry import OrderEntry
from gateways.binance.session import Session
from gateways.binance.user_data import UserData
from gateways.contracts import Contracts
from gateways.errors import DecodeError, Denied, NotFound, Rejected, Unknown, VenueError
from gateways.standards import (
    PRICE_LEVELS,
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
    QueryContracts,
    QueryOpenOrders,
    QueryOrder,
    QueryPositions,
    QuoteUpdate,
    Request,
    TimeInForce,
)
from gateways.transport.budget import Priority
from gateways.transport.calls import UnderWay
from gateways.transport.network import Network
from gateways.transport.sockets import SOCKETS
from gateways.transport.streamed_venue import StreamedVenue, addresses
from gateways.transport.turns import in_turns
from gateways.venue import Capabilities, DeadMan, Endpoints

CAPABILITIES = Capabilities(
    time_in_force=frozenset({TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK}),
    price_match=frozenset((side, level) for side in PriceSide for level in PRICE_LEVELS),
    price_match_post_only=False,
    market_orders=True,
    amend=True,
    amend_keeps_oid=True,
    order_entry_websocket=True,
    place_batch=encode.PLACE_BATCH,
    cancel_batch=encode.CANCEL_BATCH,
    cancel_all_native=True,
    # The venue names no range; each contract has a countdown of its own.
    dead_mans_switch=DeadMan(shortest_s=1, longest_s=3_600, per_contract=True),
    query_closed_by_cloid=True,
    cloid_pattern=r"[.A-Z:/a-z0-9_-]{1,36}",
    acceptance_window_ms=RECV_WINDOW_MS,
    # The window is checked at the venue's door and again in its matching engine (-1021, -5028).
    acceptance_bounded=True,
)


class BinanceVenue(StreamedVenue[Session]):
    """One USD-M account. ``endpoints.ws`` names four addresses: ``public``, ``market``, ``private`` and ``api``."""

    capabilities = CAPABILITIES

    def __init__(
        self,
        alias: str,
        endpoints: Endpoints,
        *,
        clock_ns: Callable[[], int] = time.time_ns,
        reply_timeout_s: float = 5.0,
        keepalive_s: float = 1_800.0,
        network: Network = SOCKETS,
    ) -> None:
        urls = addresses(alias, endpoints, "public", "market", "private", "api")
        session = Session(alias, endpoints, clock_ns=clock_ns, network=network)
        self._user_data = UserData(session, urls["private"], keepalive_s=keepalive_s)
        self._entry = OrderEntry(session, urls["api"], reply_timeout_s=reply_timeout_s)
        self._pages = FillPages(session)
        super().__init__(session, self._user_data, self._entry, MarketData(session, urls["public"], urls["market"]))

    async def load_contracts(self) -> Contracts:
        """Fetch the contract specifications and the published rate limits anew and keep them."""
        body = await self._query(QueryContracts(), "contracts")
        parsed = bodies.parse(body, self.alias)
        for pool in limits.pools_of(bodies.rate_limits(parsed, self.alias)):
            self._session.gate.budget.resize(pool)
        self._session.contracts = Contracts(self.alias, bodies.contracts_of(parsed, self.alias))
        return self._session.contracts

    # ------------------------------------------------------------------ public data

    async def book(self, ticker: str, depth: int = 100) -> BookUpdate:
        """A book snapshot of up to ``depth`` levels a side (at most 1,000)."""
        body = await self._query(QueryBook(ticker=ticker, depth=depth), "book", Priority.REST)
        return bodies.book(body, ticker, self.contracts)

    async def _ask_quote(self, ticker: str) -> QuoteUpdate | None:
        costs = {limits.WEIGHT: limits.QUOTE}
        return bodies.quote(await self._session.ask(lambda: encode.quote_of(ticker), "quote", costs), self.contracts)

    # ------------------------------------------------------------------ account queries

    async def balances(self) -> list[BalanceUpdate]:
        """The money, asked fresh."""
        body = await self._query(QueryBalances(), "balances")
        return bodies.every(body, self.contracts, bodies.balance)

    async def positions(self) -> list[PositionUpdate]:
        """The positions that are not zero, asked fresh."""
        body = await self._query(QueryPositions(), "positions")
        return [each for each in bodies.every(body, self.contracts, bodies.position) if each.amount]

    async def open_orders(self, ticker: str | None = None) -> list[OrderUpdate]:
        """The open orders, asked fresh."""
        body = await self._query(QueryOpenOrders(ticker=ticker), "open orders")
        rows = bodies.items(body, self.alias)
        return await in_turns(rows, lambda row: bodies.order(row, self.contracts))

    async def order(self, ticker: str, *, cloid: str | None = None, oid: str | None = None) -> OrderUpdate:
        """One order, open or closed, asked fresh.

        Raises NotFound when the venue says that there is none. It forgets orders that ended without a fill after three
        days ("Query Order"); one refused for post-only or fill-or-kill was never recorded.
        """
        try:
            body = await self._query(QueryOrder(ticker=ticker, cloid=cloid, oid=oid), "order")
        except Rejected as error:
            if error.code == refusals.NO_SUCH_ORDER:
                raise NotFound(self.alias, f"no order {oid or cloid} in {ticker}") from error
            raise
        return bodies.order(body, self.contracts)

    async def fills_since(self, since_ns: int, ticker: str | None = None) -> list[FillEvent]:
        """Our fills from ``since_ns`` on, oldest first. The venue keeps six months of them.

        Without a ticker every contract that was traded is asked for: the venue answers for one at a time.
        """
        tickers = [ticker] if ticker is not None else await self._pages.tickers(since_ns, self._user_data.tickers)
        found = [fill for each in tickers for fill in await self._pages.since(each, since_ns)]
        return sorted(found, key=lambda fill: (fill.ts_venue_ns, int(fill.trade_id)))

    # ------------------------------------------------------------------ order entry

    def place(self, order: PlaceOrder, *, hedge: bool = False) -> Awaitable[OrderUpdate]:
        """Send an order, at once where it may go now; await what the acknowledgement says of it: see ``Venue.place``.

        Raises Denied, Unavailable (not sent), Rejected (definite) or Unknown (may exist), at once or when awaited.
        """
        answer = self._entry.begin(order, "place", Priority.HEDGE if hedge else Priority.MAKER)
        return UnderWay(lambda: self._placed(answer))

    async def _placed(self, answer: Awaitable[OrderUpdate | None]) -> OrderUpdate:
        update = await answer
        if update is None:
            raise Unknown(self.alias, "sent and answered, but the reply does not say what became of the order")
        return update

    def rehearse_fill(self) -> None:
        """See ``Venue.rehearse_fill``."""
        self._user_data.rehearse()

    def rehearse_order(self, order: PlaceOrder) -> None:
        """See ``Venue.rehearse_order``."""
        self._entry.rehearse(order)

    async def amend(self, order: AmendOrder) -> OrderUpdate:
        """Change price and total amount; the oid stays, the place in the queue is lost.

        The venue cancels the order instead when the new total is not above what is filled, or when a post-only order
        would trade at the new price ("Modify Order").
        """
        update = await self._entry.send(order, "amend", Priority.MAKER)
        if update is None:
            raise Unknown(self.alias, "sent and answered, but the reply does not say what became of the order")
        return update

    async def cancel(self, order: CancelOrder) -> OrderUpdate | None:
        """Ask for a cancel; Rejected with UNKNOWN_ORDER means that it is not open now."""
        return await self._entry.send(order, "cancel", Priority.CANCEL)

    async def place_many(self, orders: Sequence[PlaceOrder]) -> list[OrderUpdate | VenueError]:
        """Send orders, five in a request of HTTP; the venue matches those of one request in any order."""
        return await in_batches(
            self.alias,
            orders,
            self.place,
            self._entry.place_batch,
            largest=encode.PLACE_BATCH,
            check=lambda order: encode.check(order, self.contracts),
        )

    async def cancel_many(self, cancels: Sequence[CancelOrder]) -> list[OrderUpdate | VenueError | None]:
        """Ask for cancels, ten of a contract in a request of HTTP."""
        return await in_batches(
            self.alias,
            cancels,
            self.cancel,
            self._entry.cancel_batch,
            largest=encode.CANCEL_BATCH,
            check=lambda cancel: encode.check(cancel, self.contracts),
            together=lambda cancel: (cancel.ticker, bool(cancel.oid)),
        )

    async def cancel_all(self, ticker: str) -> None:
        """Cancel all open orders of one contract with the venue's own verb."""
        await self._query(CancelAll(ticker=ticker), "cancel all", Priority.CANCEL)

    async def arm_dead_man(self, seconds: int, ticker: str | None) -> None:
        """Have the venue cancel all open orders of a contract unless told again in time."""
        await self._query(DeadMansSwitch(ticker=ticker, timeout_ms=seconds * 1_000), "arm dead man")

    async def disarm_dead_man(self, ticker: str | None) -> None:
        """Stop a contract's countdown."""
        await self._query(DeadMansSwitch(ticker=ticker, timeout_ms=0), "disarm dead man", Priority.HEDGE)

    # ------------------------------------------------------------------ parts

    async def _query(self, request: Request, verb: str, priority: Priority = Priority.QUERY) -> bytes:
        session = self._session
        return await session.ask(
            lambda: encode.encode(request, session.contracts, session.credentials, session.now_ms()),
            verb,
            limits.costs_of(request),
            priority,
        )

    async def _check_account(self) -> None:
        """Raise Denied for an account in hedge mode: positions kept apart by side."""
        session = self._session
        body = await session.ask(
            lambda: encode.position_mode(session.credentials, session.now_ms()),
            "position mode",
            {limits.WEIGHT: limits.POSITION_MODE},
        )
        mode = bodies.parse(body, self.alias)
        if not isinstance(mode, dict) or not isinstance(mode.get("dualSidePosition"), bool):
            raise DecodeError(self.alias, "dualSidePosition", "missing")
        if mode["dualSidePosition"]:
            raise Denied(self.alias, "the account is in hedge mode; switch it to one-way mode", field="position mode")
