"""The private stream: our own orders, fills, positions and balances as they change.

Source: "Connect" and the private streams: log in, then subscribe. The topics of the linear contracts are asked for by
category, so that a spot pair of the same name is never told here; the wallet has no categories and may not be named in
the same request. A new connection tells nothing of what was missed: the OMS must reconcile.
"""

from gateways.bybit import refusals
from gateways.bybit.decode import IGNORED, decode, topic_of
from gateways.bybit.encode import subscription
from gateways.bybit.session import HEARTBEAT, PING, SILENT_AFTER_S, Session
from gateways.errors import Rejected, Unavailable
from gateways.standards import Ack, Event, Reject
from gateways.transport.calls import Calls
from gateways.transport.user_data import CLOCK_EVERY_S, PrivateStream

TOPICS = (["order.linear", "execution.linear", "position.linear"], ["wallet"])

PROTECTION = ["dcp.future"]
"""The end of a connection that is subscribed to it sets off the venue's protection ("Dcp"): all orders are cancelled
once all such connections have been gone for the time set. It brings no messages."""

OPENING_S = 5.0
"""How long the venue may take to answer a login or a subscription."""


class UserData(PrivateStream[Session]):
    """The private stream of one account."""

    def __init__(self, session: Session, address: str, *, clock_every_s: float = CLOCK_EVERY_S) -> None:
        self._calls: Calls[Event] = Calls(session.alias, limit=10)
        self._protected: bool | None = False
        """Whether a connection's end sets off the protection; None while the venue's answer to that is missing."""
        self._requests = 0
        super().__init__(
            session,
            address,
            on_open=self._opened,
            on_lost=self._calls.disconnected,
            heartbeat=HEARTBEAT,
            silent_after=SILENT_AFTER_S,
            clock_every_s=clock_every_s,
        )

    async def protect(self, *, wanted: bool) -> None:
        """Have the end of this connection, and of those that take its place, set off the protection, or not any more.

        Idempotent. Raises Rejected when the venue refuses it. Raises Unavailable when there is no connection: the
        protection cannot be taken back then, the time of the one that was lost runs already.
        """
        if wanted == self._protected:
            return
        if not self.stream.ready:
            raise Unavailable(self._session.alias, "the private stream is down: its protection stays as it was")
        self._requests += 1
        request_id = f"protect-{self._requests}"
        op = "subscribe" if wanted else "unsubscribe"
        before, self._protected = self._protected, None
        try:
            await self._ask(request_id, subscription(op, PROTECTION, request_id))
        except (Rejected, Unavailable):
            self._protected = before
            raise
        self._protected = wanted

    async def _opened(self) -> None:
        await self._ask("auth", self._session.login("auth"))
        for number, topics in enumerate(TOPICS):
            request_id = f"subscribe-{number}"
            await self._ask(request_id, subscription("subscribe", topics, request_id))
        if self._protected is not False:
            await self._ask("subscribe-protection", subscription("subscribe", PROTECTION, "subscribe-protection"))
            # The venue takes an account for back when it is connected and its heartbeat goes on, not before.
            self.stream.send(PING)
            self._protected = True

    async def _ask(self, request_id: str, message: bytes) -> None:
        """Send what opens the stream and wait for its answer. Raises what the venue refused it with."""
        answer = await self._calls.call(request_id, lambda: self.stream.send(message), timeout=OPENING_S)
        if isinstance(answer, Reject):
            raise refusals.error_of(answer)

    def _read(self, data: bytes, ts_recv_ns: int) -> None:
        session = self._session
        events = decode(data, session.contracts)
        first = events[0] if events else None
        if isinstance(first, Ack | Reject):
            if first.request_id is None or not self._calls.resolve(first.request_id, first):
                session.dropped(f"an answer on the private stream that nobody asked for: {first.request_id}")
            return
        session.publish(events, ts_recv_ns)
        if not events and (topic := topic_of(data)) and topic not in IGNORED and topic not in _MAY_BE_EMPTY:
            session.dropped(f"unknown private message {topic}")


_MAY_BE_EMPTY = frozenset({"order", "execution", "position", "wallet"})
"""Topics with rows that are none of ours: funding among the executions, other products."""
