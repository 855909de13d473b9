"""The private stream: the listen key's life, and our own orders, fills, positions and balances as they change.

Source: "User Data Streams": a key lives for 60 minutes unless prolonged; ``listenKeyExpired`` or the refusal -1125 mean
that it is gone: a new key and a new connection, after which the OMS must reconcile.
"""

import asyncio

from gateways.binance import bodies, encode, limits, refusals
from gateways.binance.decode import IGNORED, decode, kind_of
from gateways.binance.session import Session
from gateways.errors import Rejected, VenueError
from gateways.standards import FillEvent, OrderUpdate, StreamEnd
from gateways.transport.budget import Priority
from gateways.transport.user_data import PrivateStream

KEEPALIVE_S = 30 * 60.0
RETRY_S = 60.0
"""After a keepalive that failed: several more fit before the key ends."""

_KEY_COST = {limits.WEIGHT: limits.LISTEN_KEY}


class UserData(PrivateStream[Session]):
    """The private stream of one account. ``address``: the base of the venue's private streams.

    The key is left to expire at the end: another session of the account may use it.
    """

    def __init__(self, session: Session, address: str, *, keepalive_s: float = KEEPALIVE_S) -> None:
        super().__init__(session, self._url)
        self._address = address.rstrip("/")
        self._keepalive_s = keepalive_s
        self._key = ""
        self._fresh = False
        self._suspect = False
        self._last = b""
        self.tickers: set[str] = set()
        """Contracts whose orders or fills were seen here."""

    async def start(self, timeout: float) -> None:  # noqa: ASYNC109 - becomes Unavailable with the last reason
        """Make a key, connect, start keeping the key. Raises what refuses the key, or Unavailable after ``timeout``."""
        await self._make_key()
        await super().start(timeout)

    def renew(self, reason: str) -> None:
        """Drop the connection and make a new one with a new key: asked again, the venue would name the present one."""
        self._suspect = True
        super().renew(reason)

    async def _url(self) -> str:
        if self._suspect:
            self._suspect = self._fresh = False
            await self._end_key()
        if not self._fresh:
            await self._make_key()
        self._fresh = False
        return f"{self._address}/ws?listenKey={self._key}"

    async def _make_key(self) -> None:
        body = await self._session.ask(
            lambda: encode.listen_key("POST", self._session.credentials), "listen key", _KEY_COST, Priority.QUERY
        )
        self._session.redactor.forget(self._key)
        self._key = bodies.text_field(body, "listenKey", self._session.alias)
        self._session.redactor.add(self._key)
        self._fresh = True

    async def _end_key(self) -> None:
        try:
            await self._session.ask(
                lambda: encode.listen_key("DELETE", self._session.credentials), "end key", _KEY_COST, Priority.QUERY
            )
        except VenueError as error:
            self._session.dropped(f"the listen key was not ended: {error.text}")

    async def _keep(self) -> None:
        """Prolong the key for ever, and keep the clock."""
        async with asyncio.TaskGroup() as group:
            group.create_task(super()._keep())
            group.create_task(self._keep_key())

    async def _keep_key(self) -> None:
        """A key that is gone makes a new connection."""
        pause = self._keepalive_s
        while True:
            await asyncio.sleep(pause)
            pause = self._keepalive_s
            try:
                await self._session.ask(
                    lambda: encode.listen_key("PUT", self._session.credentials), "keepalive", _KEY_COST, Priority.QUERY
                )
            except Rejected as error:
                if error.code == refusals.NO_LISTEN_KEY:
                    self.stream.reconnect("the listen key is gone")
                else:
                    pause = min(RETRY_S, self._keepalive_s)
            except VenueError:
                pause = min(RETRY_S, self._keepalive_s)

    def rehearse(self) -> None:
        """Read the last message about an order again, and do nothing with what it says."""
        if self._last:
            self.stream.rehearse_read(self._last)
            decode(self._last, self._session.contracts)

    def _read(self, data: bytes, ts_recv_ns: int) -> None:
        events = decode(data, self._session.contracts)
        self._session.publish(events, ts_recv_ns)
        if not events:
            kind = kind_of(data)
            if kind not in IGNORED:
                self._session.dropped(f"unknown private message {kind}")
        for event in events:
            if isinstance(event, (OrderUpdate, FillEvent)):
                self.tickers.add(event.ticker)
                self._last = data
            elif isinstance(event, StreamEnd):
                self.stream.reconnect(event.reason)
