"""What the venue answers a page at a time: our past executions, and open orders, a hundred rows each, newest first.

Source: "Get transaction details (last 3 days)", "(last 3 months)" and "Get order list"; ``after`` asks for rows older
than a bill or an order.
"""

from typing import Any

from gateways.errors import DecodeError
from gateways.okx import bodies, encode, limits
from gateways.okx.encode import FILLS_PAGE
from gateways.okx.session import Session
from gateways.standards import FillEvent, OrderUpdate, QueryFills
from gateways.transport.budget import Priority

RECENT_MS = 3 * 86_400_000 - 3_600_000
"""How far back the quick list reaches, an hour left for the clocks; older ones come from the archive."""


class Pages:
    """Pages through the account's lists."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def open_orders(self, ticker: str | None, priority: Priority = Priority.QUERY) -> list[OrderUpdate]:
        """All open orders, of one contract or (None) of all."""
        session, found, after = self._session, list[Any](), ""
        while True:
            wanted = after
            rows = await session.ask(
                lambda: encode.open_orders(ticker, wanted, session.credentials, session.now_ms()),  # noqa: B023 - called before the next turn
                "open orders",
                {limits.OPEN_ORDERS: 1},
                priority,
            )
            found += rows
            if len(rows) < FILLS_PAGE:
                return bodies.every(found, session.contracts, bodies.order)
            after = self._last(rows, "ordId")

    async def fills(self, since_ns: int, ticker: str | None) -> list[FillEvent]:
        """All executions from ``since_ns`` on, oldest first; the venue keeps three months of them."""
        session = self._session
        query = QueryFills(since_ns=since_ns, ticker=ticker)
        rows = await self._rows(query, archived=False)
        if session.now_ms() - since_ns // 1_000_000 > RECENT_MS:
            rows += await self._rows(query, archived=True)
        found = bodies.every(rows, session.contracts, bodies.fill)
        unique = {(fill.ticker, fill.oid, fill.trade_id): fill for fill in found if fill.ts_venue_ns >= since_ns}
        # Numbers of one contract grow; those of two say nothing of each other.
        return sorted(unique.values(), key=lambda fill: (fill.ts_venue_ns, fill.ticker, fill.trade_id.zfill(32)))

    async def _rows(self, query: QueryFills, *, archived: bool) -> list[Any]:
        session, found, after = self._session, list[Any](), ""
        pool = limits.FILLS_ARCHIVE if archived else limits.FILLS
        while True:
            wanted = after
            rows = await session.ask(
                lambda: encode.fills(query, wanted, session.credentials, session.now_ms(), archived=archived),  # noqa: B023 - called before the next turn
                "fills",
                {pool: 1},
            )
            found += rows
            if len(rows) < FILLS_PAGE:
                return found
            after = self._last(rows, "billId")

    def _last(self, rows: list[Any], name: str) -> str:
        """The id that the next page is older than."""
        last = rows[-1].get(name) if isinstance(rows[-1], dict) else None
        if not isinstance(last, str) or not last:
            raise DecodeError(self._session.alias, name, "missing")
        return last
