"""One Bybit account's way to the venue by HTTP: what its answers and refusals mean, and how its streams stay alive."""

import time
from collections.abc import Callable, Iterable, Mapping

from gateways.bybit import bodies, encode, limits, refusals, units
from gateways.errors import DecodeError, Unknown, VenueError
from gateways.standards import WireRequest
from gateways.transport import session
from gateways.transport.budget import Priority
from gateways.transport.network import Network
from gateways.transport.rest import Answer, unread
from gateways.transport.session import QUERY_WAIT_S, ClockNs
from gateways.transport.sockets import SOCKETS
from gateways.transport.stream import Heartbeat
from gateways.venue import Endpoints

PING = '{"op":"ping"}'
HEARTBEAT = Heartbeat(every=20.0, text=PING)
"""The venue asks for a ping of its own every 20 s, and answers each ("Connect")."""

SILENT_AFTER_S = 45.0
"""A connection on which two pings were not answered is dead."""

LOGIN_VALID_MS = 10_000


class Session(session.Session):
    """What the channels of one Bybit account share."""

    def __init__(
        self, alias: str, endpoints: Endpoints, *, clock_ns: ClockNs = time.time_ns, network: Network = SOCKETS
    ) -> None:
        secrets = (endpoints.key, endpoints.secret)
        super().__init__(alias, endpoints, limits.POOLS, secrets, clock_ns=clock_ns, network=network)

    def login(self, request_id: str) -> bytes:
        """The message that opens a private connection now."""
        return encode.login(self.credentials, self.now_ms() + LOGIN_VALID_MS, request_id)

    async def ask(
        self,
        build: Callable[[], WireRequest],
        verb: str,
        costs: Mapping[str, int],
        priority: Priority = Priority.QUERY,
        *,
        pool: str = "",
        max_wait: float = QUERY_WAIT_S,
    ) -> bytes:
        """``exchange``, but return the body of a success; ``pool`` is what the answer's headers speak of.

        Raises Rejected too, and Unknown for an answer that cannot be read.
        """
        answer = await self.exchange(build, verb, costs, priority, max_wait=max_wait)
        self.learn(pool, answer.headers)
        refused = self._refused(answer, [pool] if pool else [each for each in costs if each != limits.ADDRESS])
        if refused is not None:
            raise refused
        return answer.body

    def back_off(self, code: str, pools: Iterable[str], retry_after_s: float | None) -> float:
        """Send nothing of that kind for a while after a refusal for rate, nothing at all if it is of the address."""
        seconds = limits.RATE_PAUSE_S if retry_after_s is None else retry_after_s
        return self.pause(seconds, None if code in refusals.ADDRESS_CODES else pools)

    def learn(self, pool: str, header: Mapping[str, object]) -> None:
        """Take what an answer's header states of a pool."""
        stated = limits.stated(pool, header)
        if stated is not None:
            self.gate.budget.resize(stated[0])
            self.gate.budget.learn(pool, stated[1], self.gate.now())

    async def _server_ms(self) -> int:
        body = await self.ask(encode.server_time, "clock", limits.PUBLIC, Priority.REST)
        return bodies.server_time_ms(body, self.alias)

    def _refused(self, answer: Answer, pools: list[str]) -> VenueError | None:
        try:
            reject = bodies.refusal(answer.body, self.alias, status=answer.status)
        except DecodeError as error:
            return self._unreadable(answer, error, pools)
        if reject is None:
            return None
        if answer.status == 403:
            return refusals.rate_limited(self.alias, reject.text, reject.code, self.pause(limits.BANNED_S))
        if answer.status == 429 or reject.code in refusals.RATE_CODES:
            wait = self.back_off(reject.code, pools, self._until_reset_s(answer))
            if reject.definite:
                return refusals.rate_limited(self.alias, reject.text, reject.code, wait)
        return refusals.error_of(reject)

    def _unreadable(self, answer: Answer, error: DecodeError, pools: list[str]) -> VenueError:
        if answer.status in {403, 429}:
            text = f"HTTP {answer.status}"
            banned = answer.status == 403
            wait = self.pause(limits.BANNED_S) if banned else self.back_off("", pools, answer.retry_after_s)
            return refusals.rate_limited(self.alias, text, "", wait)
        if answer.ok:
            return Unknown(self.alias, f"answered, but the answer cannot be read: {error.text}")
        return unread(self.alias, answer, self.redactor)

    def _until_reset_s(self, answer: Answer) -> float | None:
        reset = units.whole(answer.headers.get("x-bapi-limit-reset-timestamp"))
        if reset is None:
            return answer.retry_after_s
        return max(0.0, min(60.0, (reset - self.now_ms()) / 1_000))
