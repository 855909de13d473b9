"""A private stream: our own orders, fills, positions and balances as they change, with the task that keeps it.

A venue adds its address, what opens the stream, and what its messages mean. A new connection tells nothing of what was
missed: the OMS must reconcile.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from gateways.errors import DecodeError
from gateways.transport.session import Session
from gateways.transport.stream import Heartbeat, Stream, ended
from gateways.venue import Channel

CLOCK_EVERY_S = 60.0
"""How often the venue's clock is asked for: one that goes wrong is known before it spoils much."""

KEEPER_AGAIN_S = 10.0
"""Wait before a keeper that broke is started anew."""

S = TypeVar("S", bound=Session)


class PrivateStream(ABC, Generic[S]):
    """The private stream of one account. The arguments are those of ``Stream``."""

    def __init__(
        self,
        session: S,
        url: str | Callable[[], Awaitable[str]],
        *,
        on_open: Callable[[], Awaitable[None]] | None = None,
        on_lost: Callable[[str], None] | None = None,
        heartbeat: Heartbeat = Heartbeat(),  # noqa: B008 - frozen value
        silent_after: float | None = None,
        clock_every_s: float = CLOCK_EVERY_S,
    ) -> None:
        self._session = session
        self._clock_every_s = clock_every_s
        self._keeper: asyncio.Task[None] | None = None
        self.stream = Stream(
            session.alias,
            Channel.PRIVATE,
            url,
            self._message,
            on_open=on_open,
            on_lost=on_lost,
            on_state=session.channel_changed,
            on_fault=self._fault,
            heartbeat=heartbeat,
            silent_after=silent_after,
            clock_ns=session.clock_ns,
            network=session.network,
        )

    async def start(self, timeout: float) -> None:  # noqa: ASYNC109 - becomes Unavailable with the last reason
        """Connect and subscribe, start the keeper. Raises Unavailable when that is not done in ``timeout`` seconds."""
        await self.stream.start()
        self._keeper = asyncio.get_running_loop().create_task(self._keeping(), name=f"{self._session.alias} keeper")
        await self.stream.wait_ready(timeout)

    def renew(self, reason: str) -> None:
        """Drop the connection and make a new one."""
        self.stream.reconnect(reason)

    async def close(self) -> None:
        """End the keeper and the stream. Idempotent."""
        keeper, self._keeper = self._keeper, None
        try:
            await ended(keeper)
        finally:
            await self.stream.close()

    async def _keeping(self) -> None:
        while True:
            try:
                await self._keep()
            except Exception as error:  # noqa: BLE001 - whatever broke the keeper, what it keeps must not end unseen
                self._session.dropped(f"the keeper of the private stream broke: {error!r}")
                await asyncio.sleep(KEEPER_AGAIN_S)

    async def _keep(self) -> None:
        """Do, for ever, what the stream needs beside its heartbeat: here, keep the venue's clock."""
        await self._session.keep_clock(self._clock_every_s)

    @abstractmethod
    def _read(self, data: bytes, ts_recv_ns: int) -> None:
        """Take one message. Raises DecodeError when it has not its documented form."""

    def _message(self, data: bytes, ts_recv_ns: int) -> None:
        try:
            self._read(data, ts_recv_ns)
        except DecodeError as error:
            # It may have been a fill: only a reconciliation can tell, and a new connection makes one.
            self._session.dropped(error.text)
            self.stream.reconnect(error.text)

    def _fault(self, error: Exception) -> None:
        # What a message said may not have been taken in: as above.
        self._session.dropped(f"a private message could not be handled: {error!r}")
        self.stream.reconnect(f"a private message could not be handled: {type(error).__name__}")
