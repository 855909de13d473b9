"""The engine as consoles see it: an OMS that publishes and takes command lines, whichever carrier brings them.

It knows no console: it puts frames to a reader that never makes it wait, and answers what it is asked.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from console import commands as c
from console import language
from console.desk import Desk
from console.headless import open_oms
from console.link import HandlerRow, LogLine, Preview, Reply
from console.publisher import Publisher, Reader
from console.starting import Start
from console.status import Status, status_of
from oms.system import OMS

_REFUSED = Reply(ok=False, error="the engine is being stopped: no makers are allowed again")
SETTLE_S = 10.0
"""How long a two-phase stop waits for hedges to settle before it says what is left."""


class Engine:
    """What a console may ask of a running OMS. Must be used on the engine's loop."""

    def __init__(
        self, oms: OMS, publisher: Publisher, status: Callable[[], Status], facts: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self.oms = oms
        self.status = status
        """What it says of itself now."""
        self._desk = Desk(oms, facts)
        self._publisher = publisher
        self._stopping = False

    async def command(self, line: str) -> Reply:
        """Run one command line; it and its answer stand in the log of every console."""
        self.tell(line, kind="command")
        reply = _REFUSED if self._stopping and _lets_out_more(line) else await self._desk.line(line)
        self.tell(reply.text if reply.ok else reply.error, kind="reply", severity="info" if reply.ok else "warning")
        return reply

    def tell(self, text: str, *, kind: str = "event", severity: str = "info") -> None:
        """Put a line into the log of every console."""
        now = self.oms.clock.now_ns()
        self._publisher.log(LogLine(ts_ns=now, kind=kind, severity=severity, venue="", text=text))

    def preview(self, line: str) -> Preview:
        """Check one command line, sending nothing."""
        return self._desk.preview(line)

    def watch(self, venue: str, ticker: str, who: str = "") -> None:
        """Tell a contract's ladder, and its public trades in the place of another's for ``who``."""
        self._publisher.watch(venue, ticker, who)

    def unwatch(self, who: str) -> None:
        """Tell no more public trades for ``who``."""
        self._publisher.unwatch(who)

    async def settle(self, *, ends: bool = False) -> Reply:
        """The first phase of a stop: no new makers, cancel makers, settle hedges; not ok while something is left.

        ``ends``: the engine ends whatever is left. Until it goes on, no command allows makers again.
        """
        self._stopping = True
        left: list[str] | None = None
        try:
            left = await self.oms.stop(SETTLE_S)
        finally:
            self._stopping = ends or left == []
        return Reply(ok=not left, text="stopped" if not left else "", error="; ".join(left))

    async def idle(self, within_s: float) -> Reply:
        """Wait until nothing is in flight or due; not ok when that takes too long."""
        calm = await self.oms.wait_idle(within_s)
        return Reply(ok=calm, error="" if calm else f"not idle within {round(within_s * 1000)} ms")


def _lets_out_more(line: str) -> bool:
    """Whether a command line would allow makers again."""
    try:
        return isinstance(language.parse(line), c.Activate | c.Arm | c.Reducing)
    except language.GrammarError:
        return False


@asynccontextmanager
async def open_engine(
    start: Start, reader: Reader, *, consoles: Callable[[], Iterable[HandlerRow]] = tuple, locks: Path | None = None,
    about: Callable[[Status], Status] | None = None,
) -> AsyncIterator[Engine]:  # fmt: skip
    """The engine of a desk, publishing to ``reader``; closed at the end.

    ``consoles`` are lines on who is attached, ``locks`` and ``about`` as of ``open_oms``. Raises what kept it from
    starting (VenueError, JournalError).
    """
    desk = start.live
    live, facts = (None, ()) if desk is None else desk
    async with open_oms(
        start.endpoints, start.folder, timers=start.timers, risk=start.risk, live=live, locks=locks, about=about
    ) as oms:
        publisher = Publisher(oms, reader, consoles)
        publishing = asyncio.create_task(publisher.run(), name="publisher")

        def status() -> Status:
            said = status_of(oms, start.folder)
            return said if about is None else about(said)

        try:
            yield Engine(oms, publisher, status, facts)
        finally:
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)
