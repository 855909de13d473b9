"""Binance USD-M futures as a venue: what the OMS asks, put on the right channel.

Private data by a listen key stream, order entry by the websocket API with HTTP as the fallback, queries by HTTP, public
data by two combined streams. Translation is in ``decode`` and ``encode``; here are only the calls.
"""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal

from gateways.binance import bodies, encode, limits, refusals
from gateways.binance.encode import RECV_WINDOW_MS
from gateways.binance.fills import FillPages
from gateways.binance.market_data import MarketData
from gateways.binance.order_entry import OrderEntry
from gateways.binance.session import Session
from gateways.binance.user_data import UserData
from gateways.contracts import Contracts
from gateways.errors import DecodeError, Denied, NotFound, Rejected, Unavailable, Unknown
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
from gateways.transport.network import Network
from gateways.transport.sockets import SOCKETS
from gateways.venue import Capabilities, Endpoints, Sink, Venue, Watcher

CONNECT_TIMEOUT_S = 10.0

CAPABILITIES = Capabilities(
    time_in_force=frozenset({TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK}),
    price_match=frozenset((side, level) for side in PriceSide for level in PRICE_LEVELS),
    price_match_post_only=False,
    market_orders=True,
    amend=True,
    amend_keeps_oid=True,
    order_entry_websocket=True,
    cancel_all_native=True,
    dead_mans_switch=True,
    query_closed_by_cloid=True,
    cloid_pattern=r"[.A-Z:/a-z0-9_-]{1,36}",
    acceptance_window_ms=RECV_WINDOW_MS,
    # The window is checked at the venue's door and again in its matching engine (-1021, -5028).
    acceptance_bounded=True,
)


class BinanceVenue(Venue):
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
        self.alias = alias
        addresses = _addresses(alias, endpoints)
        self._session = Session(alias, endpoints, clock_ns=clock_ns, network=network)
        self._user_data = UserData(self._session, addresses["private"], keepalive_s=keepalive_s)
        self._entry = OrderEntry(self._session, addresses["api"], reply_timeout_s=reply_timeout_s)
        self._market = MarketData(self._session, addresses["public"], addresses["market"])
        self._pages = FillPages(self._session)

    @property
    def contracts(self) -> Contracts:  # type: ignore[override]  # held by the session, which every channel reads
        """The contracts by ticker; empty until ``connect``."""
        return self._session.contracts

    async def connect(self, sink: Sink, watcher: Watcher) -> None:
        """Load the contracts, open the private stream and the order entry.

        Raises Unavailable when the venue cannot be reached, Rejected when it refuses the key, Denied for an account in
        hedge mode (positions kept apart by side), which the desk does not trade.
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
        """Fetch the contract specifications and the published rate limits anew and keep them."""
        body = await self._query(QueryContracts(), "contracts")
        parsed = bodies.parse(body, self.alias)
        for pool in limits.pools_of(bodies.rate_limits(parsed, self.alias)):
            self._session.gate.budget.resize(pool)
        self._session.contracts = Contracts(self.alias, bodies.contracts_of(parsed, self.alias))
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
        """A book snapshot of up to ``depth`` levels a side (at most 1,000)."""
        body = await self._query(QueryBook(ticker=ticker, depth=depth), "book", Priority.REST)
        return bodies.book(body, ticker, self.contracts)

    async def reference_price(self, ticker: str) -> Decimal | None:
        """The mid last seen on the public stream, else asked; None for an empty side or no answer."""
        quote = self._market.quote(ticker)
        if quote is None or quote.bid is None or quote.ask is None:
            try:
                body = await self._session.ask(
                    lambda: encode.quote_of(ticker), "quote", {limits.WEIGHT: limits.QUOTE}, Priority.QUERY
                )
                quote = bodies.quote(body, self.contracts)
            except (Unavailable, Unknown, Rejected, DecodeError):
                return None
        return _mid(quote)

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
        return bodies.every(body, self.contracts, bodies.order)

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

    async def place(self, order: PlaceOrder, *, hedge: bool = False) -> OrderUpdate:
        """Send an order; return what the acknowledgement says of it.

        Raises Denied, Unavailable (not sent), Rejected (definite) or Unknown (may exist).
        """
        update = await self._entry.send(order, "place", Priority.HEDGE if hedge else Priority.MAKER)
        if update is None:
            raise Unknown(self.alias, "sent and answered, but the reply does not say what became of the order")
        return update

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

    async def cancel_all(self, ticker: str) -> None:
        """Cancel all open orders of one contract with the venue's own verb."""
        await self._query(CancelAll(ticker=ticker), "cancel all", Priority.CANCEL)

    async def dead_mans_switch(self, ticker: str, timeout_ms: int) -> None:
        """Have the venue cancel all open orders of a contract unless told again in time; 0 takes the switch back."""
        await self._query(DeadMansSwitch(ticker=ticker, timeout_ms=timeout_ms), "dead man's switch", Priority.REST)

    # ------------------------------------------------------------------ parts

    async def _query(self, request: Request, verb: str, priority: Priority = Priority.QUERY) -> bytes:
        session = self._session
        return await session.ask(
            lambda: encode.encode(request, session.contracts, session.credentials, session.now_ms()),
            verb,
            limits.costs_of(request),
            priority,
        )

    async def _refuse_hedge_mode(self) -> None:
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

    def _known(self, ticker: str) -> None:
        if ticker not in self.contracts:
            near = ", ".join(self.contracts.nearest(ticker))
            hint = f"; did you mean {near}?" if near else ""
            raise Denied(self.alias, f"there is no contract {ticker!r}{hint}", field="ticker")


def _mid(quote: QuoteUpdate) -> Decimal | None:
    if quote.bid is None or quote.ask is None:
        return None
    return (quote.bid.price + quote.ask.price) / 2


def _addresses(alias: str, endpoints: Endpoints) -> dict[str, str]:
    needed = ("public", "market", "private", "api")
    named = endpoints.ws if isinstance(endpoints.ws, dict) else {}
    missing = [name for name in needed if not named.get(name)]
    if missing:
        raise Denied(alias, f"the endpoints name no websocket address for {', '.join(missing)}", field="ws")
    return named
