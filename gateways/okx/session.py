"""One OKX account's way to the venue by HTTP: what its answers and refusals mean, and how its streams stay alive."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gateways.errors import DecodeError, RateLimited, VenueError
from gateways.okx import bodies, encode, limits, refusals, units
from gateways.standards import Event, Reject, WireRequest
from gateways.transport import session
from gateways.transport.budget import Priority
from gateways.transport.network import Network
from gateways.transport.rest import Answer, unread
from gateways.transport.session import QUERY_WAIT_S, ClockNs
from gateways.transport.sockets import SOCKETS
from gateways.transport.stream import Heartbeat
from gateways.venue import Endpoints

HEARTBEAT = Heartbeat(every=20.0, text="ping")
"""The venue cuts a connection that said nothing for 30 s (60015); it answers each ``ping`` with a ``pong``."""

SILENT_AFTER_S = 45.0
"""Two pongs are missing: the connection is dead although it is open."""


class Session(session.Session):
    """What the channels of one OKX account share."""

    def __init__(
        self, alias: str, endpoints: Endpoints, *, clock_ns: ClockNs = time.time_ns, network: Network = SOCKETS
    ) -> None:
        secrets = (endpoints.key, endpoints.secret, endpoints.passphrase)
        super().__init__(alias, endpoints, limits.POOLS, secrets, clock_ns=clock_ns, network=network)

    async def ask(
        self,
        build: Callable[[], WireRequest],
        verb: str,
        costs: Mapping[str, int],
        priority: Priority = Priority.QUERY,
        *,
        max_wait: float = QUERY_WAIT_S,
    ) -> list[Any]:
        """``exchange``, but return the rows of a success.

        Raises Rejected and DecodeError too, and Unknown for a code that leaves the outcome open.
        """
        body = await self.parsed(build, verb, costs, priority, max_wait=max_wait)
        self.check(bodies.outcome(body, self.alias), costs)
        return bodies.rows(body, self.alias)

    async def parsed(
        self,
        build: Callable[[], WireRequest],
        verb: str,
        costs: Mapping[str, int],
        priority: Priority = Priority.QUERY,
        *,
        max_wait: float = QUERY_WAIT_S,
        pools: Iterable[str] | None = None,
    ) -> Any:
        """As ``ask``, but return the whole parsed answer, whatever its code says, for who reads each item's own.

        ``pools``: what a refusal for rate is of; None for those that ``costs`` spends from.
        """
        answer = await self.exchange(build, verb, costs, priority, max_wait=max_wait)
        if answer.ok:
            return bodies.parse(answer.body, self.alias)
        raise self._refused(answer, costs if pools is None else pools)

    def check(self, events: list[Event], pools: Iterable[str]) -> None:
        """Raise what the first refusal among the events means to its caller; ``pools`` are what the request drew on."""
        for event in events:
            if isinstance(event, Reject):
                raise self.error_of(event, pools)

    def error_of(self, reject: Reject, pools: Iterable[str]) -> VenueError:
        """The error of a refusal; one for rate holds up requests of its kind for a window."""
        if reject.code in refusals.RATE_CODES:
            return self._rate_limited(reject.text, reject.code, pools, None)
        return refusals.error_of(reject)

    async def _server_ms(self) -> int:
        rows = await self.ask(encode.server_time, "clock", {limits.CLOCK: 1}, Priority.REST)
        said = rows[0].get("ts") if rows and isinstance(rows[0], dict) else None
        if not isinstance(said, str) or not said:
            raise DecodeError(self.alias, "ts", "missing")
        return units.nanoseconds(said, self.alias, "ts") // units.MS

    def _refused(self, answer: Answer, pools: Iterable[str]) -> VenueError:
        try:
            events = bodies.outcome(answer.body, self.alias, status=answer.status)
        except DecodeError:
            events = []
        reject = next((event for event in events if isinstance(event, Reject)), None)
        if answer.status == 429:
            text, code = (reject.text, reject.code) if reject is not None else ("HTTP 429", "")
            limited = self._rate_limited(text, code, pools, answer.retry_after_s)
            if reject is None or reject.definite:
                return limited
        return unread(self.alias, answer, self.redactor) if reject is None else self.error_of(reject, pools)

    def _rate_limited(self, text: str, code: str, pools: Iterable[str], retry_after_s: float | None) -> RateLimited:
        held = limits.ORDERS if code in refusals.ORDER_CODES else pools
        wait = self.pause(limits.BACK_OFF_S if retry_after_s is None else retry_after_s, held)
        return RateLimited(self.alias, text, code=code, retry_after=wait)
