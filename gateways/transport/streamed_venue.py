"""A venue on one session and three channels: private stream, order entry, public data. What all such venues share.

Each venue adds its queries, its orders and what it refuses to trade; opening, closing and the public data are here.
"""

import asyncio
from abc import abstractmethod
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

from gateways.contracts import Contracts
from gateways.errors import DecodeError, Denied, Rejected, Unavailable, Unknown
from gateways.standards import QuoteUpdate
from gateways.transport.session import Session
from gateways.transport.stream import Stream
from gateways.transport.user_data import PrivateStream
from gateways.venue import Endpoints, Sink, Venue, Watcher

CONNECT_TIMEOUT_S = 10.0

S = TypeVar("S", bound=Session)


class OrderSocket(Protocol):
    """The part that enters orders."""

    @property
    def stream(self) -> Stream | None:
        """Its socket; None where it has HTTP alone."""
        ...


class PublicData(Protocol):
    """The part that brings the public data."""

    async def subscribe(self, ticker: str) -> None:
        """Open a contract's public data."""
        ...

    def unsubscribe(self, ticker: str) -> None:
        """Close it."""
        ...

    def quote(self, ticker: str) -> QuoteUpdate | None:
        """The best bid and ask last seen on a connection that is up."""
        ...

    async def close(self) -> None:
        """End the connections."""
        ...


class StreamedVenue(Venue, Generic[S]):
    """One account of a venue whose channels are these parts."""

    def __init__(
        self, session: S, user_data: PrivateStream[Any], order_socket: OrderSocket, public_data: PublicData
    ) -> None:
        self.alias = session.alias
        self._session = session
        self._private = user_data
        self._order_socket = order_socket
        self._public = public_data

    @property
    def contracts(self) -> Contracts:  # type: ignore[override]  # held by the session, which every channel reads
        """The contracts by ticker; empty until ``connect``."""
        return self._session.contracts

    # ------------------------------------------------------------------ life

    async def connect(self, sink: Sink, watcher: Watcher) -> None:
        """Load the contracts, open the private stream and the order entry.

        Raises Unavailable when the venue cannot be reached, Rejected when it refuses the key, Denied for an account
        that the desk does not trade (``_check_account``).
        """
        session, order_stream = self._session, self._order_socket.stream
        session.open(sink, watcher)
        try:
            await session.synchronize_clock()
            await self.load_contracts()
            await self._check_account()
            if order_stream is not None:
                await order_stream.start()
            await self._private.start(CONNECT_TIMEOUT_S)
        except (Unknown, DecodeError) as error:
            await self.close()
            raise Unavailable(self.alias, f"cannot connect: {error.text}") from error
        except BaseException:
            await self.close()
            raise
        if order_stream is None:
            return
        try:
            await order_stream.wait_ready(CONNECT_TIMEOUT_S)
        except Unavailable as error:
            session.dropped(f"order entry goes by HTTP for now: {error.text}")

    async def observe(self, sink: Sink, watcher: Watcher) -> None:
        """See ``Venue.observe``."""
        self._session.open(sink, watcher)
        try:
            await self._session.synchronize_clock()
            await self.load_contracts()
        except (Unknown, DecodeError) as error:
            await self.close()
            raise Unavailable(self.alias, f"cannot connect: {error.text}") from error
        except BaseException:
            await self.close()
            raise

    @abstractmethod
    async def _check_account(self) -> None:
        """Raise Denied for an account whose kind the desk does not trade."""

    async def close(self) -> None:
        """Close every connection and end every task. Resting orders stay. Idempotent."""
        order_stream = self._order_socket.stream
        entry_closed = [] if order_stream is None else [order_stream.close()]
        try:
            await asyncio.gather(self._private.close(), self._public.close(), *entry_closed)
        finally:
            await self._session.close()

    def doubt_clock(self) -> None:
        """See ``Venue.doubt_clock``."""
        self._session.doubt_clock()

    def renew_private(self, reason: str) -> None:
        """Open the private stream anew: a new connection, logged in and subscribed; the order entry stays."""
        self._private.renew(reason)

    def budget_used(self) -> str:
        """How much of the rate budget is used: see ``Session.budget_used``."""
        return self._session.budget_used()

    # ------------------------------------------------------------------ public data

    async def subscribe(self, ticker: str) -> None:
        """Open the public data of one contract. Raises Denied for a ticker that the venue does not have."""
        self._known(ticker)
        await self._public.subscribe(ticker)

    async def unsubscribe(self, ticker: str) -> None:
        """Close what ``subscribe`` opened."""
        self._public.unsubscribe(ticker)

    async def reference_price(self, ticker: str) -> Decimal | None:
        """The mid last seen on the public stream, else asked; None for an empty side or no answer."""
        mid = mid_of(self._public.quote(ticker))
        if mid is None:
            try:
                mid = mid_of(await self._ask_quote(ticker))
            except (Unavailable, Unknown, Rejected, DecodeError):
                return None
        return mid

    @abstractmethod
    async def _ask_quote(self, ticker: str) -> QuoteUpdate | None:
        """Ask for the best bid and ask. Raises VenueError."""

    def _known(self, ticker: str) -> None:
        if ticker not in self.contracts:
            near = ", ".join(self.contracts.nearest(ticker))
            hint = f"; did you mean {near}?" if near else ""
            raise Denied(self.alias, f"there is no contract {ticker!r}{hint}", field="ticker")


def mid_of(quote: QuoteUpdate | None) -> Decimal | None:
    """The middle of a quote; None where a side is empty or there is no quote."""
    if quote is None or quote.bid is None or quote.ask is None:
        return None
    return (quote.bid.price + quote.ask.price) / 2


def addresses(alias: str, endpoints: Endpoints, *names: str) -> dict[str, str]:
    """The websocket addresses of these names. Raises Denied naming those that the endpoints lack."""
    named = endpoints.ws if isinstance(endpoints.ws, dict) else {}
    missing = [name for name in names if not named.get(name)]
    if missing:
        raise Denied(alias, f"the endpoints name no websocket address for {', '.join(missing)}", field="ws")
    return named
