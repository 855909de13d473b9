"""A link to an engine that is still starting, so that its console is on the screen meanwhile.

Starting takes the paper venues' process, connections and what the journal tells; the first paint needs none of it.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from console.link import Frame, Link, Preview, Reply

STOP_S = 40.0
_NOT_YET = "not sent: the engine is starting"


class StartingLink(Link):
    """Opens a link on a thread of its own and stands for it. A context manager: entering begins, leaving ends it.

    ``opened`` gives the link's context, which is entered and left on that thread. ``begun`` is done when the link is
    there or could not be opened. What kept it from that is raised on leaving.
    """

    outlives = False

    def __init__(self, opened: Callable[[], AbstractContextManager[Link]]) -> None:
        self.begun: Future[None] = Future()
        self._opened = opened
        self._link: Link | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="start", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(STOP_S)
        if error is None and self.begun.done():
            self.begun.result()

    async def command(self, line: str) -> Reply:
        """See ``Link.command``; refused until the engine is there."""
        return Reply(ok=False, error=_NOT_YET) if self._link is None else await self._link.command(line)

    async def preview(self, line: str) -> Preview:
        """See ``Link.preview``; refused until the engine is there."""
        return Preview(ok=False, error=_NOT_YET) if self._link is None else await self._link.preview(line)

    def take(self) -> Frame | None:
        """See ``Link.take``; nothing until the engine is there."""
        return None if self._link is None else self._link.take()

    def watch(self, venue: str, ticker: str) -> None:
        """See ``Link.watch``; nobody can ask before the engine has told its contracts."""
        if self._link is not None:
            self._link.watch(venue, ticker)

    async def stop(self, *, two_phase: bool) -> Reply:
        """See ``Link.stop``; an engine that is not there yet has nothing to leave."""
        return Reply(ok=True, text="stopped") if self._link is None else await self._link.stop(two_phase=two_phase)

    def _run(self) -> None:
        try:
            with self._opened() as self._link:
                self.begun.set_result(None)
                self._over.wait()
        except BaseException as error:
            if self.begun.done():
                raise
            self.begun.set_exception(error)
