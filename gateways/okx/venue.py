"""OKX v5 linear swaps as a venue: what the OMS asks, put on the right channel.

Private data and order entry by one websocket each, both logged in, with HTTP as the fallback for orders; queries by
HTTP; public data by one stream. Translation is in ``decode`` and ``encode``; here are only the calls.
"""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from gateways.contracts import Contracts
from gateways.errors import DecodeError, Denied, NotFound, Rejected, Unavailable, Unknown
from gateways.okx import bodies, encode, limits, refusals
from gateways.okx.encode import ACCEPTANCE_MS
from gateways.okx.instruments import instruments
from gateways.okx.market_data import MarketData
from gateways.okx.order_entry import REPLY_TIMEOUT_S, OrderEntry
from gateways.okx.pages import Pages
from gateways.okx.session import Session
from gateways.okx.user_data import CLOCK_S, UserData
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
    Reject,
    RejectReason,
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
    market_orders=True,
    amend=True,
    amend_keeps_oid=True,
    order_entry_websocket=True,
    cancel_all_native=False,
    dead_mans_switch=True,
    query_closed_by_cloid=True,
    cloid_pattern=r"[0-9A-Za-z]{1,32}",
    acceptance_window_ms=ACCEPTANCE_MS,
    # Orders and amends carry ``expTime``, past which the venue refuses them.
    acceptance_bounded=True,
)

_MODES = frozenset({"net_mode", "long_short_mode"})


class OkxVenue(Venue):
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
        clock_s: float = CLOCK_S,
        network: Network = SOCKETS,
    ) -> None:
        self.alias = alias
        addresses = _addresses(alias, endpoints)
        self._session = Session(alias, endpoints, clock_ns=clock_ns, network=network)
        self._entry = OrderEntry(self._session, addresses["private"], reply_timeout_s=reply_timeout_s)
        self._user_data = UserData(
            self._session,
            addresses["private"],
            settle=self._entry.settle,
            on_lost=self._entry.news_lost,
            clock_s=clock_s,
        )
        self._market = MarketData(self._session, addresses["public"])
        self._pages = Pages(self._session)

    @property
    def contracts(self) -> Contracts:  # type: ignore[override]  # held by the session, which every channel reads
        """The linear swaps by ticker; empty until ``connect``."""
        return self._session.contracts

    async def connect(self, sink: Sink, watcher: Watcher) -> None:
        """Load the contracts, open the private stream and the order entry.

        Raises Unavailable when the venue cannot be reached, Rejected when it refuses the key, Denied for an account in
        long/short mode (positions kept apart by side) or in spot mode, which the desk does not trade.
        """
        self._session.open(sink, watcher)
        try:
            await self._session.synchronize_clock()
            await self.load_contracts()
            await self._refuse_other_modes()
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
        rows = await self._query(QueryContracts(), "contracts")
        self._session.contracts = Contracts(self.alias, instruments(rows, self.alias))
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
        """A book snapshot of up to ``depth`` levels a side (at most 400)."""
        self._known(ticker)
        rows = await self._query(QueryBook(ticker=ticker, depth=depth), "book", Priority.REST)
        return bodies.book(self._only(rows), ticker, self.contracts)

    async def reference_price(self, ticker: str) -> Decimal | None:
        """The mid last seen on the public stream, else asked; None for an empty side or no answer."""
        quote = self._market.quote(ticker)
        if quote is None or quote.bid is None or quote.ask is None:
            try:
                rows = await self._session.ask(lambda: encode.quote_of(ticker), "quote", {limits.QUOTE: 1})
                quote = bodies.quote(self._only(rows), self.contracts)
            except (Unavailable, Unknown, Rejected, DecodeError):
                return None
        return _mid(quote)

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

    async def place(self, order: PlaceOrder, *, hedge: bool = False) -> OrderUpdate:
        """Send an order; return what the acknowledgement says of it: the venue took it, and its oid.

        A post-only order that would trade is taken and then cancelled. Raises Denied, Unavailable (not sent), Rejected
        (definite) or Unknown (may exist).
        """
        return await self._entry.place(order, Priority.HEDGE if hedge else Priority.MAKER)

    async def amend(self, order: AmendOrder) -> OrderUpdate:
        """Change price and total amount; the oid stays. Returns when the private stream tells of it."""
        return await self._entry.amend(order)

    async def cancel(self, order: CancelOrder) -> OrderUpdate | None:
        """Ask for a cancel; its end comes by the private stream.

        Rejected with UNKNOWN_ORDER means that it is not open now: query, do not assume.
        """
        await self._entry.cancel(order)
        return None

    async def cancel_all(self, ticker: str) -> None:
        """Cancel all open orders of one contract: listed, then cancelled twenty at a time.

        Orders that are gone by then count as cancelled. Raises for the first that the venue refuses otherwise, after
        all were asked for.
        """
        session, refused = self._session, list[Reject]()
        orders = await self._pages.open_orders(ticker, Priority.CANCEL)
        for start in range(0, len(orders), encode.CANCEL_BATCH):
            batch = orders[start : start + encode.CANCEL_BATCH]
            body = await session.exchange(
                lambda: encode.cancel_batch(batch, session.credentials, session.now_ms()),  # noqa: B023 - called before the next turn
                "cancel all",
                {limits.CANCEL_BATCH: len(batch)},
                Priority.CANCEL,
            )
            refused += [each for each in bodies.outcome(body, self.alias) if isinstance(each, Reject)]
        session.check([each for each in refused if each.reason is not RejectReason.UNKNOWN_ORDER])

    async def dead_mans_switch(self, timeout_ms: int) -> None:
        """Have the venue cancel all open orders of the account unless told again in time; 0 takes the switch back."""
        await self._query(DeadMansSwitch(timeout_ms=timeout_ms), "dead man's switch", Priority.REST)

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

    async def _refuse_other_modes(self) -> None:
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

    def _known(self, ticker: str) -> None:
        if ticker not in self.contracts:
            near = ", ".join(self.contracts.nearest(ticker))
            hint = f"; did you mean {near}?" if near else ""
            raise Denied(self.alias, f"there is no linear swap {ticker!r}{hint}", field="ticker")


def _mid(quote: QuoteUpdate | None) -> Decimal | None:
    if quote is None or quote.bid is None or quote.ask is None:
        return None
    return (quote.bid.price + quote.ask.price) / 2


def _addresses(alias: str, endpoints: Endpoints) -> dict[str, str]:
    named = endpoints.ws if isinstance(endpoints.ws, dict) else {}
    missing = [name for name in ("public", "private") if not named.get(name)]
    if missing:
        raise Denied(alias, f"the endpoints name no websocket address for {', '.join(missing)}", field="ws")
    return named
