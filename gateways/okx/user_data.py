"""The private stream: our own orders, fills, positions and balances as they change.

Source: "Order channel", "Positions channel", "Account channel". The orders channel tells nothing of the past: after a
reconnect the OMS must reconcile. It also tells how an amend of ours ended, which its reply does not.
"""

import asyncio
from collections.abc import Callable

from gateways.errors import DecodeError, VenueError
from gateways.okx import encode
from gateways.okx.decode import IGNORED, decode, kind_of
from gateways.okx.handshake import Handshake
from gateways.okx.session import HEARTBEAT, SILENT_AFTER_S, Session
from gateways.standards import Ack, Event, OrderUpdate, Reject, StreamEnd
from gateways.transport.stream import Stream
from gateways.venue import Channel

CLOCK_S = 30 * 60.0
"""How often the venue's clock is asked for."""

_MAY_BE_EMPTY = frozenset({"account", "positions", "balance_and_position"})
"""Channels whose first push may tell that there is nothing."""

Settle = Callable[[str, OrderUpdate | Reject], None]
"""Takes how the amend with this request id ended: the order as it then stands, or the refusal."""


class UserData:
    """The private stream of one account. ``settle`` is told how each amend ended."""

    def __init__(
        self,
        session: Session,
        address: str,
        *,
        settle: Settle,
        on_lost: Callable[[str], None],
        clock_s: float = CLOCK_S,
    ) -> None:
        self._session = session
        self._settle = settle
        self._clock_s = clock_s
        self._keeper: asyncio.Task[None] | None = None
        self._handshake = Handshake(session)
        self.stream = Stream(
            session.alias,
            Channel.PRIVATE,
            address,
            self._message,
            on_open=self._opened,
            on_lost=on_lost,
            on_state=session.channel_changed,
            on_fault=self._fault,
            heartbeat=HEARTBEAT,
            silent_after=SILENT_AFTER_S,
            clock_ns=session.clock_ns,
            network=session.network,
        )

    async def start(self, timeout: float) -> None:  # noqa: ASYNC109 - becomes Unavailable with the last reason
        """Connect, log in and subscribe; keep the clock. Raises Unavailable after ``timeout`` seconds."""
        await self.stream.start()
        self._keeper = asyncio.get_running_loop().create_task(self._keep_clock(), name=f"{self._session.alias} clock")
        await self.stream.wait_ready(timeout)

    async def close(self) -> None:
        """End the keeper and the stream. Idempotent."""
        keeper, self._keeper = self._keeper, None
        try:
            if keeper is not None:
                keeper.cancel()
                await asyncio.wait([keeper])
        finally:
            await self.stream.close()
        if keeper is not None and not keeper.cancelled() and (error := keeper.exception()) is not None:
            raise error

    async def _opened(self) -> None:
        await self._handshake.login(self.stream.send)
        await self._handshake.subscribe(self.stream.send, encode.SUBSCRIPTIONS)

    async def _keep_clock(self) -> None:
        while True:
            await asyncio.sleep(self._clock_s)
            try:
                await self._session.synchronize_clock()
            except VenueError as error:
                self._session.dropped(f"the venue's clock is not known anew: {error.text}")

    def _message(self, data: bytes, ts_recv_ns: int) -> None:
        session = self._session
        try:
            events = decode(data, session.contracts)
        except DecodeError as error:
            # It may have been a fill: only a reconciliation can tell, and a new connection makes one.
            session.dropped(error.text)
            self.stream.reconnect(error.text)
            return
        if self._handshake.take(events):
            return
        # The news first: a hedge waits for it, and nothing else does.
        session.publish([each for each in events if not isinstance(each, Ack | Reject)], ts_recv_ns)
        self._tell(events)
        if not events:
            kind = kind_of(data)
            if kind not in IGNORED and kind not in _MAY_BE_EMPTY:
                session.dropped(f"private message {kind} without news of a linear swap")

    def _tell(self, events: list[Event]) -> None:
        """Tell how amends ended, and what else is not news of the account."""
        stands: OrderUpdate | None = None
        for event in events:
            if isinstance(event, OrderUpdate):
                stands = event
            elif isinstance(event, Ack):
                if event.request_id is not None and stands is not None:
                    self._settle(event.request_id, stands)
            elif isinstance(event, Reject):
                if event.request_id is not None:
                    self._settle(event.request_id, event)
                else:
                    self._session.dropped(f"refused: {event.text} ({event.code})")
            elif isinstance(event, StreamEnd):
                self.stream.reconnect(event.reason)

    def _fault(self, error: Exception) -> None:
        # What a message said may not have been taken in: as above.
        self._session.dropped(f"a private message could not be handled: {error!r}")
        self.stream.reconnect(f"a private message could not be handled: {type(error).__name__}")
