"""Hyperliquid as a ``Venue``: one account's perpetuals on the venue's own dex.

A thin shell: ``decode`` and ``encode`` translate, ``streams`` and ``entry`` move bytes. Facts of this venue:

* it has no market orders: a market order is an IOC at a price beyond the market by the slippage limit;
* a change replaces the order: the same client order id goes on under a new oid;
* there is no cancel of all orders: they are listed and cancelled by oid;
* ``orderStatus`` is written when the status changes: the fills say what an open order has filled since.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal

import msgspec

from gateways.batches import in_batches, raise_unless_gone
from gateways.contracts import Contracts
from gateways.errors import DecodeError, Denied, NotFound, Unavailable, Unknown, VenueError
from gateways.hyperliquid import answers, bodies
from gateways.hyperliquid.encode import (
    ACCEPTANCE_WINDOW_MS,
    SHORTEST_SWITCH_MS,
    check,
    check_key,
    encode,
    slippage_price,
    unpriced,
    user_address,
)
from gateways.hyperliquid.entry import BATCH, REPLY_TIMEOUT_S, OrderEntry, post_calls
from gateways.hyperliquid.fills import ENDED_AS_STATED, with_fills
from gateways.hyperliquid.session import WEIGHT, Session
from gateways.hyperliquid.streams import Link, PrivateStream, PublicStream
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
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    QueryPositions,
    RejectReason,
    Request,
    TimeInForce,
)
from gateways.transport.budget import Priority
from gateways.transport.calls import UnderWay
from gateways.transport.network import Network
from gateways.transport.sockets import SOCKETS
from gateways.transport.stream import ended
from gateways.transport.user_data import CLOCK_EVERY_S
from gateways.venue import Capabilities, DeadMan, Endpoints, Sink, Venue, Watcher

DEFAULT_SLIPPAGE = Decimal("0.05")
"""Of a market order without a price, as in the venue's own SDK."""
FILLS_A_WEIGHT = 20
"""So many rows of an answer cost one more of weight ("Rate limits and user limits" page)."""
SMALLEST_FULL_PAGE = 500
"""Answers over a time range hold at least so many rows when there are more ("Info endpoint" page: pagination)."""

CAPABILITIES = Capabilities(
    time_in_force=frozenset({TimeInForce.GTC, TimeInForce.IOC}),
    market_orders=False,
    market_slippage=DEFAULT_SLIPPAGE,
    amend=True,
    amend_keeps_oid=False,
    order_entry_websocket=True,
    place_batch=BATCH,
    cancel_batch=BATCH,
    cancel_all_native=False,
    # The time must be five seconds ahead when it arrives: one more for the way and the clocks.
    dead_mans_switch=DeadMan(shortest_s=SHORTEST_SWITCH_MS // 1_000 + 1, longest_s=86_400, most_a_day=10),
    query_closed_by_cloid=True,
    fills_of_all=True,
    cloid_pattern="0x[0-9a-f]{32}",
    acceptance_window_ms=ACCEPTANCE_WINDOW_MS,
    acceptance_bounded=True,
)

_WEIGHTS: dict[type, int] = {QueryBook: 2, QueryOrder: 2, QueryPositions: 2, QueryBalances: 2}
_OTHER_WEIGHT = 20  # of questions ("Rate limits and user limits" page)


class HyperliquidVenue(Venue):
    """One Hyperliquid account. ``endpoints``: key is the account's address, secret its or its agent's private key.

    ``slippage``: the limit of a market order that is sent without a price, as a share (0.05 for 5 %).
    ``clock_ns``: the time, UTC. ``connect_timeout`` and ``reply_timeout`` are in seconds; an order without a reply in
    that time is Unknown.
    """

    capabilities = CAPABILITIES

    def __init__(
        self,
        alias: str,
        endpoints: Endpoints,
        *,
        slippage: Decimal = DEFAULT_SLIPPAGE,
        clock_ns: Callable[[], int] = time.time_ns,
        connect_timeout: float = 15.0,
        reply_timeout: float = REPLY_TIMEOUT_S,
        network: Network = SOCKETS,
    ) -> None:
        self.alias = alias
        self._session = Session(alias, endpoints, clock_ns=clock_ns, network=network)
        self._slippage = slippage
        self.capabilities = msgspec.structs.replace(CAPABILITIES, market_slippage=slippage)
        self._connect_timeout = connect_timeout
        self._reply_timeout = reply_timeout
        self._link: Link | None = None

    @property
    def contracts(self) -> Contracts:  # type: ignore[override]  # held by the session, which every channel reads
        """The contracts by ticker; empty until ``connect``."""
        return self._session.contracts

    # ------------------------------------------------------------------ life

    async def connect(self, sink: Sink, watcher: Watcher) -> None:
        """See ``Venue.connect``. Raises Denied for an address or a key that is none, Unavailable."""
        user = user_address(self.alias, self._session.credentials)
        check_key(self.alias, self._session.credentials)
        self._link = self._make_link(user, sink, watcher)
        try:
            await self.load_contracts()
            await self._link.public.start()
            await self._link.private.start(self._connect_timeout)
            keeping = self._session.keep_clock(CLOCK_EVERY_S, now=True)
            self._link.clock = asyncio.create_task(keeping, name=f"{self.alias} clock")
        except BaseException:
            await self.close()
            raise

    async def observe(self, sink: Sink, watcher: Watcher) -> None:
        """See ``Venue.observe``."""
        self._link = self._make_link("", sink, watcher)
        try:
            await self.load_contracts()
            await self._link.public.start()
        except BaseException as error:
            await self.close()
            if isinstance(error, (Unknown, DecodeError)):
                raise Unavailable(self.alias, f"cannot connect: {error.text}") from error
            raise

    def budget_used(self) -> str:
        """How much of the rate budget is used: see ``Session.budget_used``."""
        return self._session.budget_used()

    async def close(self) -> None:
        """See ``Venue.close``."""
        link, self._link = self._link, None
        if link is None:
            return
        try:
            await asyncio.gather(link.private.close(), link.public.close(), ended(link.clock))
        finally:
            await self._session.close()

    def doubt_clock(self) -> None:
        """See ``Venue.doubt_clock``."""
        self._session.doubt_clock()

    def renew_private(self, reason: str) -> None:
        """See ``Venue.renew_private``. Orders go by the same connection: those without a reply become unknown."""
        if self._link is not None:
            self._link.private.renew(reason)

    def _make_link(self, user: str, sink: Sink, watcher: Watcher) -> Link:
        if self._link is not None:
            raise Denied(self.alias, "connected already")
        self._session.open(sink, watcher)
        calls = post_calls(self.alias)
        private = PrivateStream(
            self._session,
            user,
            replied=lambda reply: calls.resolve(str(reply.id), reply.response),
            lost=calls.disconnected,
        )
        entry = OrderEntry(self._session, send=private.send, calls=calls, reply_timeout=self._reply_timeout)
        return Link(user=user, entry=entry, private=private, public=PublicStream(self._session))

    # ------------------------------------------------------------------ public data

    async def load_contracts(self) -> Contracts:
        """See ``Venue.load_contracts``."""
        body = await self._ask(QueryContracts(), Priority.REST)
        self._session.contracts = Contracts(self.alias, bodies.contracts(body, self.alias))
        return self._session.contracts

    async def subscribe(self, ticker: str) -> None:
        """See ``Venue.subscribe``. Raises Denied for an unknown contract."""
        if ticker not in self.contracts:
            near = ", ".join(self.contracts.nearest(ticker))
            raise Denied(self.alias, f"no contract {ticker!r}{'; near it: ' + near if near else ''}", field="ticker")
        self._connected().public.subscribe(ticker)

    async def unsubscribe(self, ticker: str) -> None:
        """See ``Venue.unsubscribe``."""
        self._connected().public.unsubscribe(ticker)

    async def book(self, ticker: str, depth: int = 100) -> BookUpdate:
        """See ``Venue.book``. The venue gives at most 20 levels a side."""
        whole = bodies.book(await self._ask(QueryBook(ticker=ticker, depth=depth), Priority.QUERY), self.alias)
        return msgspec.structs.replace(whole, bids=whole.bids[:depth], asks=whole.asks[:depth])

    async def reference_price(self, ticker: str) -> Decimal | None:
        """See ``Venue.reference_price``."""
        return await self._reference_price(ticker, Priority.QUERY)

    async def _reference_price(self, ticker: str, priority: Priority) -> Decimal | None:
        mid = self._connected().public.mid(ticker)
        if mid is not None:
            return mid
        body = await self._ask(QueryBook(ticker=ticker, depth=1), priority)
        book = bodies.book(body, self.alias)
        return (book.bids[0].price + book.asks[0].price) / 2 if book.bids and book.asks else None

    # ------------------------------------------------------------------ the account

    async def balances(self) -> list[BalanceUpdate]:
        """See ``Venue.balances``."""
        return bodies.account(await self._ask(QueryBalances(), Priority.QUERY), self.alias)[1]

    async def positions(self) -> list[PositionUpdate]:
        """See ``Venue.positions``."""
        listed = bodies.account(await self._ask(QueryPositions(), Priority.QUERY), self.alias)[0]
        return [position for position in listed if position.amount]

    async def open_orders(self, ticker: str | None = None) -> list[OrderUpdate]:
        """See ``Venue.open_orders``."""
        listed = bodies.open_orders(await self._ask(QueryOpenOrders(ticker=ticker), Priority.QUERY), self.alias)
        return [order for order in listed if (order.ticker == ticker if ticker else order.ticker in self.contracts)]

    async def order(self, ticker: str, *, cloid: str | None = None, oid: str | None = None) -> OrderUpdate:
        """See ``Venue.order``."""
        body = await self._ask(QueryOrder(ticker=ticker, cloid=cloid, oid=oid), Priority.QUERY)
        found = bodies.order(body, self.alias)
        if found is None:
            raise NotFound(self.alias, f"the venue knows of no order {oid or cloid}")
        if found.status in ENDED_AS_STATED:
            return found
        since_ns = bodies.created_ns(body, self.alias)
        return with_fills(found, await self.fills_since(since_ns, found.ticker))

    async def fills_since(self, since_ns: int, ticker: str | None = None) -> list[FillEvent]:
        """See ``Venue.fills_since``. The venue keeps the 10,000 most recent ones."""
        user = self._connected().user
        found: dict[tuple[str, str, str], FillEvent] = {}
        start_ns = since_ns
        while True:
            body = await self._ask(QueryFills(since_ns=start_ns, ticker=ticker), Priority.QUERY)
            page = bodies.fills(body, self.alias, user)
            gate = self._session.gate
            gate.budget.spend({WEIGHT: len(page) // FILLS_A_WEIGHT}, gate.now())
            known = len(found)
            found.update({(fill.ticker, fill.oid, fill.trade_id): fill for fill in page})
            if len(page) < SMALLEST_FULL_PAGE:
                break
            latest_ns = max(fill.ts_venue_ns for fill in page)
            # Pages overlap in their last millisecond; one that brought nothing new was full of a single one.
            start_ns = latest_ns if len(found) > known else latest_ns + 1_000_000
        rows = sorted(found.values(), key=lambda fill: fill.ts_venue_ns)
        return [row for row in rows if (row.ticker == ticker if ticker else row.ticker in self.contracts)]

    # ------------------------------------------------------------------ orders

    def place(self, order: PlaceOrder, *, hedge: bool = False) -> Awaitable[OrderUpdate]:
        """See ``Venue.place``. A market order without a price gets one, the slippage limit beyond the market."""
        priority = Priority.HEDGE if hedge else Priority.MAKER
        link = self._link
        reference = link.public.mid(order.ticker) if link is not None and unpriced(order) else None
        if link is None or (unpriced(order) and reference is None):
            return UnderWay(lambda: self._place_asking(order, priority))
        return self._begin(order, reference, priority)

    async def _place_asking(self, order: PlaceOrder, priority: Priority) -> OrderUpdate:
        """Ask for a price first, where the stream has none."""
        reference = None
        if order.ticker in self.contracts:  # else encode says what is wrong with the ticker
            reference = await self._reference_price(order.ticker, priority)
            if reference is None:
                text = f"no price of {order.ticker} to set the limit of a market order by"
                raise Denied(self.alias, text, field="price", reason=RejectReason.NO_LIQUIDITY)
        return await self._begin(order, reference, priority)

    def _begin(self, order: PlaceOrder, reference: Decimal | None, priority: Priority) -> Awaitable[OrderUpdate]:
        contract = self.contracts.get(order.ticker)
        if reference is not None and contract is not None:
            limit = slippage_price(contract, reference, self._slippage, buying=order.amount > 0)
            order = msgspec.structs.replace(order, price=limit)
        outcome = self._connected().entry.begin(order, priority)
        return UnderWay(lambda: self._placed(outcome, order))

    async def _placed(self, outcome: Awaitable[answers.Outcome], order: PlaceOrder) -> OrderUpdate:
        return answers.placed(await outcome, order, self.alias)

    def rehearse_order(self, order: PlaceOrder) -> None:
        """See ``Venue.rehearse_order``."""
        if self._link is not None:
            self._link.entry.rehearse(order, self._link.public.mid(order.ticker), self._slippage)

    async def amend(self, order: AmendOrder) -> OrderUpdate:
        """See ``Venue.amend``. The answer is the order that took its place, under a new oid, for what was unfilled."""
        outcome = await self._connected().entry.submit(order, Priority.MAKER)
        return answers.amended(outcome, order, self.alias)

    async def cancel(self, order: CancelOrder) -> OrderUpdate | None:
        """See ``Venue.cancel``. The answer says that it is done, but not what was filled: the stream says both."""
        await self._connected().entry.submit(order, Priority.CANCEL)
        return None

    async def place_many(self, orders: Sequence[PlaceOrder]) -> list[OrderUpdate | VenueError]:
        """See ``Venue.place_many``. A market order without a price, which needs one first, goes by itself."""
        return await in_batches(
            self.alias,
            orders,
            self.place,
            self._place_batch,
            largest=BATCH,
            check=lambda order: None if unpriced(order) else check(order, self.contracts),
            together=lambda order: order.cloid if unpriced(order) else "",
        )

    async def _place_batch(self, orders: list[PlaceOrder]) -> list[OrderUpdate | VenueError]:
        found = await self._connected().entry.submit_batch(orders, Priority.MAKER)
        return [
            each if isinstance(each, VenueError) else answers.placed(each, order, self.alias)
            for order, each in zip(orders, found, strict=True)
        ]

    async def cancel_many(self, cancels: Sequence[CancelOrder]) -> list[OrderUpdate | VenueError | None]:
        """See ``Venue.cancel_many``."""
        return await in_batches(
            self.alias,
            cancels,
            self.cancel,
            self._cancel_batch,
            largest=BATCH,
            check=lambda cancel: check(cancel, self.contracts),
            together=lambda cancel: cancel.oid is None,
        )

    async def _cancel_batch(self, cancels: list[CancelOrder]) -> list[OrderUpdate | VenueError | None]:
        found = await self._connected().entry.submit_batch(cancels, Priority.CANCEL)
        return [each if isinstance(each, VenueError) else None for each in found]

    async def cancel_all(self, ticker: str) -> None:
        """See ``Venue.cancel_all``. Orders that were gone when their turn came are no error."""
        body = await self._ask(QueryOpenOrders(ticker=ticker), Priority.CANCEL)
        resting = [order for order in bodies.open_orders(body, self.alias) if order.ticker == ticker]
        raise_unless_gone(await self.cancel_many([CancelOrder(ticker=ticker, oid=order.oid) for order in resting]))

    async def arm_dead_man(self, seconds: int, ticker: str | None) -> None:
        """Schedule a cancel of all of the account's orders, in place of the one scheduled before.

        The venue grants it to accounts that have traded a million dollars.
        """
        request = DeadMansSwitch(timeout_ms=seconds * 1_000, ticker=ticker)
        await self._connected().entry.submit(request, Priority.QUERY)

    async def disarm_dead_man(self, ticker: str | None) -> None:
        """Forget the scheduled cancel."""
        await self._connected().entry.submit(DeadMansSwitch(timeout_ms=0, ticker=ticker), Priority.HEDGE)

    # ------------------------------------------------------------------ questions

    def _connected(self) -> Link:
        if self._link is None:
            raise Unavailable(self.alias, "not connected: not sent")
        return self._link

    async def _ask(self, request: Request, priority: Priority) -> bytes:
        self._connected()
        session = self._session
        return await session.ask(
            lambda: encode(request, session.contracts, session.credentials, session.now_ms()),
            _VERBS[type(request)],
            {WEIGHT: _WEIGHTS.get(type(request), _OTHER_WEIGHT)},
            priority,
        )


_VERBS: dict[type, str] = {
    QueryContracts: "contracts", QueryBook: "book", QueryOrder: "order", QueryOpenOrders: "open_orders",
    QueryFills: "fills", QueryPositions: "positions", QueryBalances: "balances",
}  # fmt: skip
