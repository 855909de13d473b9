"""Login and subscriptions on a connection that has just opened, each waited for until the venue confirms it.

Source: "Login" and "Subscribe": a login is answered by one event, a subscription by one for each channel; an ``error``
event refuses. None of them says which request it answers, so that one thing is asked at a time.
"""

import asyncio
from collections.abc import Callable, Sequence

from gateways.errors import VenueError
from gateways.okx import encode, refusals
from gateways.okx.session import Session
from gateways.standards import Ack, Event, Reject

Send = Callable[[bytes], None]


class Handshake:
    """The opening of one private connection. ``take`` is fed the events of its messages."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: asyncio.Future[None] | None = None
        self._due = 0

    async def login(self, send: Send) -> None:
        """Log in. Raises Rejected when the venue refuses the key, Unavailable when nothing left."""
        session = self._session
        await self._ask(send, encode.login(session.credentials, session.now_ms()), 1)

    async def subscribe(self, send: Send, channels: Sequence[dict[str, str]]) -> None:
        """Subscribe to all of these. Raises Rejected when one is refused, Unavailable when nothing left."""
        await self._ask(send, encode.subscription("subscribe", channels), len(channels))

    def take(self, events: Sequence[Event]) -> bool:
        """Whether the events were an answer to what is asked here: of a login or a subscription."""
        first = events[0] if events else None
        if not isinstance(first, Ack | Reject) or first.request_id is not None:
            return False
        waiting = self._waiting
        if waiting is None or waiting.done():
            return False
        if isinstance(first, Reject):
            error: VenueError = refusals.error_of(first)
            waiting.set_exception(error)
            return True
        self._due -= 1
        if self._due <= 0:
            waiting.set_result(None)
        return True

    async def _ask(self, send: Send, message: bytes, answers: int) -> None:
        self._waiting = asyncio.get_running_loop().create_future()
        self._due = answers
        try:
            send(message)
            await self._waiting
        finally:
            self._waiting = None
