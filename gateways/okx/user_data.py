"""The private stream: our own orders, fills, positions and balances as they change.

Source: "Order channel", "Positions channel", "Account channel". The orders channel tells nothing of the past: after a
reconnect the OMS must reconcile. It also tells how an amend of ours ended, which its reply does not.
"""

from collections.abc import Callable

from gateways.okx import encode
from gateways.okx.decode import IGNORED, decode, kind_of
from gateways.okx.handshake import Handshake
from gateways.okx.session import HEARTBEAT, SILENT_AFTER_S, Session
from gateways.standards import Ack, Event, OrderUpdate, Reject, StreamEnd
from gateways.transport.user_data import CLOCK_EVERY_S, PrivateStream

_MAY_BE_EMPTY = frozenset({"account", "positions", "balance_and_position"})
"""Channels whose first push may tell that there is nothing."""

Settle = Callable[[str, OrderUpdate | Reject], None]
"""Takes how the amend with this request id ended: the order as it then stands, or the refusal."""


class UserData(PrivateStream[Session]):
    """The private stream of one account. ``settle`` is told how each amend ended."""

    def __init__(
        self,
        session: Session,
        address: str,
        *,
        settle: Settle,
        on_lost: Callable[[str], None],
        clock_every_s: float = CLOCK_EVERY_S,
    ) -> None:
        super().__init__(
            session,
            address,
            on_open=self._opened,
            on_lost=on_lost,
            heartbeat=HEARTBEAT,
            silent_after=SILENT_AFTER_S,
            clock_every_s=clock_every_s,
        )
        self._settle = settle
        self._handshake = Handshake(session)

    async def _opened(self) -> None:
        await self._handshake.login(self.stream.send)
        await self._handshake.subscribe(self.stream.send, encode.SUBSCRIPTIONS)

    def _read(self, data: bytes, ts_recv_ns: int) -> None:
        session = self._session
        events = decode(data, session.contracts)
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
