"""The private stream: our own orders, fills, positions and balances as they change.

Source: "Connect" and the private streams: log in, then subscribe. The topics of the linear contracts are asked for by
category, so that a spot pair of the same name is never told here; the wallet has no categories and may not be named in
the same request. A new connection tells nothing of what was missed: the OMS must reconcile.
"""

import asyncio

from gateways.bybit import refusals
from gateways.bybit.decode import IGNORED, decode, topic_of
from gateways.bybit.encode import subscription
from gateways.bybit.session import HEARTBEAT, SILENT_AFTER_S, Session, ended
from gateways.errors import DecodeError, VenueError
from gateways.standards import Ack, Event, Reject
from gateways.transport.calls import Calls
from gateways.transport.stream import Stream
from gateways.venue import Channel

TOPICS = (["order.linear", "execution.linear", "position.linear"], ["wallet"])

OPENING_S = 5.0
"""How long the venue may take to answer a login or a subscription."""

CLOCK_EVERY_S = 30 * 60.0


class UserData:
    """The private stream of one account."""

    def __init__(self, session: Session, address: str, *, clock_every_s: float = CLOCK_EVERY_S) -> None:
        self._session = session
        self._clock_every_s = clock_every_s
        self._keeper: asyncio.Task[None] | None = None
        self._calls: Calls[Event] = Calls(session.alias, limit=10)
        self.stream = Stream(
            session.alias,
            Channel.PRIVATE,
            address,
            self._message,
            on_open=self._opened,
            on_lost=self._calls.disconnected,
            on_state=session.channel_changed,
            on_fault=self._fault,
            heartbeat=HEARTBEAT,
            silent_after=SILENT_AFTER_S,
            clock_ns=session.clock_ns,
            network=session.network,
        )

    async def start(self, timeout: float) -> None:  # noqa: ASYNC109 - becomes Unavailable with the last reason
        """Connect, log in, subscribe; start keeping the clock. Raises Unavailable after ``timeout``."""
        await self.stream.start()
        self._keeper = asyncio.get_running_loop().create_task(self._keep(), name=f"{self._session.alias} clock")
        await self.stream.wait_ready(timeout)

    async def close(self) -> None:
        """End the keeper and the stream."""
        keeper, self._keeper = self._keeper, None
        try:
            await ended(keeper)
        finally:
            await self.stream.close()

    async def _opened(self) -> None:
        await self._ask("auth", self._session.login("auth"))
        for number, topics in enumerate(TOPICS):
            request_id = f"subscribe-{number}"
            await self._ask(request_id, subscription("subscribe", topics, request_id))

    async def _ask(self, request_id: str, message: bytes) -> None:
        """Send what opens the stream and wait for its answer. Raises what the venue refused it with."""
        answer = await self._calls.call(request_id, lambda: self.stream.send(message), timeout=OPENING_S)
        if isinstance(answer, Reject):
            raise refusals.error_of(answer)

    async def _keep(self) -> None:
        """Keep the clock for ever: a failed look at it leaves the last one."""
        while True:
            await asyncio.sleep(self._clock_every_s)
            try:
                await self._session.synchronize_clock()
            except VenueError as error:
                self._session.dropped(f"the venue's clock was not learnt: {error.text}")

    def _message(self, data: bytes, ts_recv_ns: int) -> None:
        session = self._session
        try:
            events = decode(data, session.contracts)
        except DecodeError as error:
            # It may have been a fill: only a reconciliation can tell, and a new connection makes one.
            session.dropped(error.text)
            self.stream.reconnect(error.text)
            return
        first = events[0] if events else None
        if isinstance(first, Ack | Reject):
            if first.request_id is None or not self._calls.resolve(first.request_id, first):
                session.dropped(f"an answer on the private stream that nobody asked for: {first.request_id}")
            return
        session.publish(events, ts_recv_ns)
        if not events and (topic := topic_of(data)) and topic not in IGNORED and topic not in _MAY_BE_EMPTY:
            session.dropped(f"unknown private message {topic}")

    def _fault(self, error: Exception) -> None:
        # What a message said may not have been taken in: as above.
        self._session.dropped(f"a private message could not be handled: {error!r}")
        self.stream.reconnect(f"a private message could not be handled: {type(error).__name__}")


_MAY_BE_EMPTY = frozenset({"order", "execution", "position", "wallet"})
"""Topics with rows that are none of ours: funding among the executions, other products."""
