"""Requests and their replies over one websocket: pending futures by request id.

What an error proves: ``Unavailable`` from the sending function means that nothing left; once sent, a timeout or a
disconnect is ``Unknown``, never "not done". Nothing is ever sent twice from here.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

from gateways.errors import Unavailable, Unknown, VenueError
from gateways.standards import RejectReason

R = TypeVar("R")


class UnderWay(Generic[R]):
    """Something that was begun: await it, once, for how it ends. What it raises, it raises there.

    Unlike a coroutine it may be let go of: what was begun goes on, and nobody is warned.
    """

    def __init__(self, rest: Callable[[], Coroutine[Any, Any, R]]) -> None:
        self._rest = rest

    def __await__(self) -> Generator[Any, None, R]:
        return self._rest().__await__()


class Calls(Generic[R]):
    """The pending calls of one websocket connection, at most ``limit`` at a time."""

    def __init__(self, venue: str, *, limit: int = 1_000) -> None:
        self._venue = venue
        self._limit = limit
        self._pending: dict[str, asyncio.Future[R]] = {}

    def __len__(self) -> int:
        return len(self._pending)

    async def call(self, request_id: str, send: Callable[[], None], *, timeout: float) -> R:  # noqa: ASYNC109 - a timeout here means Unknown, which asyncio.timeout around the caller could not say
        """Send and wait for the reply with this id, up to ``timeout`` seconds.

        Raises Unavailable when ``send`` says that nothing left or when too many calls are pending, Unknown when no
        reply came. When the caller is cancelled the request stays sent and its reply is dropped.
        """
        return await self.begin(request_id, send, timeout=timeout)

    def begin(self, request_id: str, send: Callable[[], None], *, timeout: float) -> UnderWay[R]:
        """Send now; await what is returned for the reply. Raises Unavailable, at once, as ``call`` does."""
        if len(self._pending) >= self._limit:
            text = f"{self._limit} requests await their reply: not sending another"
            raise Unavailable(self._venue, text, reason=RejectReason.RATE_LIMIT)
        if request_id in self._pending:
            raise Unavailable(self._venue, f"a request with the id {request_id} awaits its reply: not sending another")
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._pending[request_id] = future
        try:
            send()
        except BaseException:
            del self._pending[request_id]
            raise
        return UnderWay(lambda: self._reply(request_id, future, timeout))

    async def _reply(self, request_id: str, future: "asyncio.Future[R]", timeout: float) -> R:  # noqa: ASYNC109 - as in ``call``
        try:
            async with asyncio.timeout(timeout):
                return await future
        except TimeoutError:
            raise Unknown(self._venue, f"sent, but no reply within {timeout:g} s") from None
        finally:
            del self._pending[request_id]

    def resolve(self, request_id: str, reply: R) -> bool:
        """Hand a reply to its caller. False when nobody waits for it (late, or not ours)."""
        future = self._pending.get(request_id)
        if future is None or future.done():
            return False
        future.set_result(reply)
        return True

    def fail(self, request_id: str, error: VenueError) -> bool:
        """Raise ``error`` in the caller of this request. False when nobody waits for it."""
        future = self._pending.get(request_id)
        if future is None or future.done():
            return False
        _fail(future, error)
        return True

    def disconnected(self, reason: str) -> None:
        """The connection is gone: every pending call was sent and its outcome is not known."""
        for future in self._pending.values():
            if not future.done():
                _fail(future, Unknown(self._venue, f"sent, but the connection was lost before a reply: {reason}"))


def _fail(future: "asyncio.Future[R]", error: VenueError) -> None:
    future.set_exception(error)
    future.exception()  # seen: the answer of a caller that was cancelled, or has let go of it, is nobody's
    future.exception()  # seen: a caller that was let go of before it waited is nobody's loss
