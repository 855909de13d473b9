"""Our past executions, page by page: the venue answers for one contract, seven days and 1,000 rows at a time.

Source: "Account Trade List": at most seven days between the times, six months back; ``fromId`` goes without times.
"""

from collections.abc import Iterable

from gateways.binance import bodies, encode, limits
from gateways.binance.encode import FILLS_PAGE
from gateways.binance.session import Session
from gateways.errors import DecodeError
from gateways.standards import FillEvent
from gateways.transport.turns import in_turns

WINDOW_MS = 7 * 86_400_000 - 1
HISTORY_MS = 180 * 86_400_000
"""How far back the venue answers; asking for more would only cost windows."""

AHEAD_MS = 60_000
"""The last window ends so long after our idea of the venue's time, which may be behind: the newest fill is in it."""

ASK_EACH = 20
"""Up to so many contracts, asking for each costs no more than asking which were traded."""

_INCOME_PAGE = 1_000


class FillPages:
    """Pages through ``userTrades``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def since(self, ticker: str, since_ns: int) -> list[FillEvent]:
        """All fills of one contract from ``since_ns`` on, oldest first."""
        session = self._session
        found: list[FillEvent] = []
        now_ms = session.now_ms()
        start = max(since_ns // 1_000_000, now_ms - HISTORY_MS)
        while start <= now_ms:
            end = min(start + WINDOW_MS, now_ms + AHEAD_MS)
            page = await self._between(ticker, start, end)
            found += page
            if len(page) >= FILLS_PAGE:
                # From here on the ids lead to the end, whatever the window.
                found += await self._from(ticker, int(page[-1].trade_id) + 1)
                break
            start = end + 1
        return [fill for fill in found if fill.ts_venue_ns >= since_ns]

    async def tickers(self, since_ns: int, seen: Iterable[str]) -> list[str]:
        """The contracts that may have fills since then: all where they are few, else those with income and ``seen``."""
        session = self._session
        if len(session.contracts) <= ASK_EACH:
            return sorted({*session.contracts, *seen})
        return sorted({*seen, *await self._with_income(since_ns // 1_000_000)})

    async def _between(self, ticker: str, start: int, end: int) -> list[FillEvent]:
        session = self._session
        body = await session.ask(
            lambda: encode.fills_between(ticker, start, end, session.credentials, session.now_ms()),
            "fills",
            {limits.WEIGHT: limits.FILLS},
        )
        return await self._ordered(body)

    async def _from(self, ticker: str, trade_id: int) -> list[FillEvent]:
        """Page by page from an id on, until one is not full or, where a venue ignores the id, brings nothing new."""
        session = self._session
        found: list[FillEvent] = []
        while True:
            wanted = trade_id
            body = await session.ask(
                lambda: encode.fills_from(ticker, wanted, session.credentials, session.now_ms()),  # noqa: B023 - called before the next turn
                "fills",
                {limits.WEIGHT: limits.FILLS},
            )
            page = await self._ordered(body)
            new = [fill for fill in page if int(fill.trade_id) >= trade_id]
            found += new
            if len(page) < FILLS_PAGE or not new:
                return found
            trade_id = int(new[-1].trade_id) + 1

    async def _ordered(self, body: bytes) -> list[FillEvent]:
        session = self._session
        page = await in_turns(bodies.items(body, session.alias), lambda row: bodies.fill(row, session.contracts))
        return sorted(page, key=lambda fill: int(fill.trade_id))

    async def _with_income(self, since_ms: int) -> set[str]:
        """Contracts with any income (commission, profit, funding) since then."""
        session = self._session
        tickers: set[str] = set()
        start = max(since_ms, session.now_ms() - HISTORY_MS)
        while True:
            wanted, end = start, session.now_ms() + AHEAD_MS
            body = await session.ask(
                lambda: encode.income(wanted, end, session.credentials, session.now_ms()),  # noqa: B023 - called before the next turn
                "income",
                {limits.WEIGHT: limits.INCOME},
            )
            rows = bodies.parse(body, session.alias)
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise DecodeError(session.alias, "income", "expected a list of objects")
            tickers |= {row["symbol"] for row in rows if isinstance(row.get("symbol"), str) and row["symbol"]}
            times = [row["time"] for row in rows if isinstance(row.get("time"), int)]
            if len(rows) < _INCOME_PAGE or not times:
                return tickers
            start = max(*times, start + 1)
