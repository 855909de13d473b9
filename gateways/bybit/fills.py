"""Our past executions, window by window and page by page: the venue answers for seven days and 100 rows at a time.

Source: "Get Trade History": at most seven days between the times, two years back, newest first, for all contracts at
once or for one.
"""

from gateways.bybit import bodies, encode, limits
from gateways.bybit.session import Session
from gateways.standards import FillEvent

WINDOW_MS = 7 * 86_400_000 - 1
HISTORY_MS = 730 * 86_400_000
"""How far back the venue answers; asking for more would only cost windows."""


class FillPages:
    """Pages through the trade history."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def since(self, since_ns: int, ticker: str | None) -> list[FillEvent]:
        """All fills from ``since_ns`` on, oldest first, each once."""
        now_ms = self._session.now_ms()
        start = max(since_ns // 1_000_000, now_ms - HISTORY_MS)
        found: dict[tuple[str, str, str], FillEvent] = {}
        while start <= now_ms:
            # What the venue writes while we ask is in the last window too, whatever its clock says against ours.
            end = start + WINDOW_MS
            for fill in reversed(await self._window(ticker, start, end)):
                found.setdefault((fill.ticker, fill.oid, fill.trade_id), fill)
            start = end + 1
        wanted = (fill for fill in found.values() if fill.ts_venue_ns >= since_ns)
        return sorted(wanted, key=lambda fill: fill.ts_venue_ns)

    async def _window(self, ticker: str | None, start: int, end: int) -> list[FillEvent]:
        """The fills of one window, newest first."""
        session, cursor = self._session, ""
        found: list[FillEvent] = []
        while True:
            wanted = cursor
            body = await session.ask(
                lambda: encode.fills_page(
                    ticker,
                    start,
                    end,
                    wanted,  # noqa: B023 - called before the next turn
                    credentials=session.credentials,
                    now_ms=session.now_ms(),
                ),
                "fills",
                limits.PRIVATE,
            )
            items, cursor = bodies.listed(body, session.alias)
            found += bodies.fills(items, session.contracts)
            if not items or not cursor or cursor == wanted:
                return found
