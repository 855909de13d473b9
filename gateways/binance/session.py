"""One Binance account's way to the venue by HTTP: what its answers and refusals mean."""

import time
from collections.abc import Callable, Mapping

from gateways.binance import bodies, encode, limits, refusals
from gateways.errors import DecodeError, VenueError
from gateways.standards import WireRequest
from gateways.transport import session
from gateways.transport.budget import Priority
from gateways.transport.network import Network
from gateways.transport.rest import Answer, unread
from gateways.transport.session import QUERY_WAIT_S, ClockNs
from gateways.transport.sockets import SOCKETS
from gateways.venue import Endpoints


class Session(session.Session):
    """What the channels of one Binance account share."""

    def __init__(
        self, alias: str, endpoints: Endpoints, *, clock_ns: ClockNs = time.time_ns, network: Network = SOCKETS
    ) -> None:
        secrets = (endpoints.key, endpoints.secret)
        super().__init__(alias, endpoints, limits.DEFAULT_POOLS, secrets, clock_ns=clock_ns, network=network)

    async def ask(
        self,
        build: Callable[[], WireRequest],
        verb: str,
        costs: Mapping[str, int],
        priority: Priority = Priority.QUERY,
        *,
        max_wait: float = QUERY_WAIT_S,
        timeout: float | None = None,  # noqa: ASYNC109 - as in ``exchange``
    ) -> bytes:
        """``exchange``, but return the body of a success. Raises Rejected too."""
        answer = await self.exchange(build, verb, costs, priority, max_wait=max_wait, timeout=timeout)
        if answer.ok:
            return answer.body
        raise self._refused(answer)

    def back_off(self, code: str, text: str, retry_after_s: float | None, status: int = 429) -> float:
        """Send nothing for a while after a refusal for rate, or no orders where it speaks of these; the seconds."""
        if code in refusals.ORDER_CODES and status != 418:
            if retry_after_s is None:
                return self.pause(limits.ORDER_PAUSE_S, limits.ORDERS)
            return self.pause(retry_after_s, limits.ORDERS, renews=True)
        until_ms = refusals.banned_until_ms(text)
        if retry_after_s is None and until_ms is not None:
            retry_after_s = max(0.0, (until_ms - self.now_ms()) / 1_000)
        if retry_after_s is None:
            return self.pause(limits.BAN_S.get(status, limits.BAN_S[429]))
        return self.pause(retry_after_s, renews=True)

    def learn(self, used: Mapping[str, int]) -> None:
        """Take what the venue says it has counted."""
        for pool, units in used.items():
            self.gate.budget.learn(pool, units, self.gate.now())

    async def _server_ms(self) -> int:
        body = await self.ask(encode.server_time, "clock", {limits.WEIGHT: limits.SERVER_TIME}, Priority.REST)
        said = bodies.parse(body, self.alias)
        server_ms = said.get("serverTime") if isinstance(said, dict) else None
        if not isinstance(server_ms, int):
            raise DecodeError(self.alias, "serverTime", "missing")
        return server_ms

    def _counted(self, status: int, headers: Mapping[str, str]) -> None:  # noqa: ARG002 - the body says what a 429 is of
        self.learn(limits.used_of_headers(headers))

    def _is_refusal(self, status: int, body: bytes) -> bool:
        try:
            return bodies.error(body, self.alias, status=status).definite
        except DecodeError:
            return False

    def _refused(self, answer: Answer) -> VenueError:
        limited = answer.status in limits.BAN_S
        try:
            reject = bodies.error(answer.body, self.alias, status=answer.status)
        except DecodeError:
            if limited:
                wait = self.back_off("", "", answer.retry_after_s, answer.status)
                return refusals.rate_limited(self.alias, f"HTTP {answer.status}", "", wait)
            return unread(self.alias, answer, self.redactor)
        if limited or reject.code in refusals.RATE_CODES:
            wait = self.back_off(reject.code, reject.text, answer.retry_after_s, answer.status)
            if reject.definite:
                return refusals.rate_limited(self.alias, reject.text, reject.code, wait)
        return refusals.error_of(reject)
