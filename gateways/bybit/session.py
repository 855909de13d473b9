"""What the parts of one Bybit connection share: who we are, the clock, the budget, HTTP, and who is told of it."""

import asyncio
import time
from collections.abc import Callable, Mapping

from gateways.bybit import bodies, encode, limits, refusals
from gateways.contracts import Contracts
from gateways.errors import DecodeError, Rejected, Unavailable, Unknown, VenueError
from gateways.standards import Batch, Event, RejectReason, WireRequest
from gateways.transport.budget import Budget, Gate, Priority
from gateways.transport.network import Network
from gateways.transport.redact import Redactor
from gateways.transport.rest import Answer, Rest
from gateways.transport.sockets import SOCKETS
from gateways.transport.stream import Heartbeat
from gateways.venue import Channel, ChannelState, Endpoints, Sink, Watcher

ClockNs = Callable[[], int]

QUERY_WAIT_S = 10.0
"""How long a query may wait for the rate budget."""

HEARTBEAT = Heartbeat(every=20.0, text='{"op":"ping"}')
"""The venue asks for a ping of its own every 20 s, and answers each ("Connect")."""

SILENT_AFTER_S = 45.0
"""A connection on which two pings were not answered is dead."""

LOGIN_VALID_MS = 10_000


class Session:
    """One account's way to the venue by HTTP, and the facts that every channel of it needs."""

    def __init__(
        self, alias: str, endpoints: Endpoints, *, clock_ns: ClockNs = time.time_ns, network: Network = SOCKETS
    ) -> None:
        self.alias = alias
        self.endpoints = endpoints
        self.credentials = endpoints.credentials
        self.clock_ns = clock_ns
        self.network = network
        self.contracts = Contracts(alias)
        self.gate = Gate(alias, Budget(limits.POOLS))
        self.redactor = Redactor((endpoints.key, endpoints.secret))
        self.offset_ms = 0
        """The venue's clock minus ours: requests carry the venue's time, so that their window means what it says."""
        self._sink: Sink | None = None
        self._watcher: Watcher | None = None
        self._rest: Rest | None = None
        self._rest_state = ChannelState(Channel.REST, connected=False)

    def open(self, sink: Sink, watcher: Watcher) -> None:
        """Take the listeners and make the HTTP side."""
        self._sink = sink
        self._watcher = watcher
        self._rest = Rest(
            self.alias, self.endpoints.rest, redactor=self.redactor, watcher=watcher, network=self.network
        )

    async def close(self) -> None:
        """Close the HTTP side and refuse who still waits for the budget. Idempotent."""
        self.gate.close()
        if self._rest is not None:
            await self._rest.close()

    def now_ms(self) -> int:
        """The venue's time, in ms, as far as we know it."""
        return self.clock_ns() // 1_000_000 + self.offset_ms

    def login(self, request_id: str) -> bytes:
        """The message that opens a private connection now."""
        return encode.login(self.credentials, self.now_ms() + LOGIN_VALID_MS, request_id)

    # ------------------------------------------------------------------ telling

    def publish(self, events: list[Event], ts_recv_ns: int, *, private: bool = True) -> None:
        """Hand the events of one message to the sink, in this turn of the loop."""
        if events and self._sink is not None:
            self._sink(Batch(self.alias, events, ts_recv_ns, private))

    def dropped(self, reason: str) -> None:
        """Tell the watcher of a message that gave nothing."""
        if self._watcher is not None:
            self._watcher.message_dropped(self.alias, reason)

    def channel_changed(self, state: ChannelState) -> None:
        """Tell the watcher of a channel's state."""
        if self._watcher is not None:
            self._watcher.channel_changed(self.alias, state)

    def request_done(self, verb: str, *, sent: str | bytes, answer: str | bytes, took_ns: int, ok: bool) -> None:
        """Tell the watcher how a request over a websocket ended, its secrets cut."""
        if self._watcher is not None:
            shown, said = self.redactor.cut(sent), self.redactor.cut(answer)
            self._watcher.request_done(self.alias, verb, sent=shown, answer=said, took_ns=took_ns, ok=ok)

    # ------------------------------------------------------------------ asking

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
        """Send one HTTP request when the budget allows; return the body of its success.

        ``build`` makes the request after the wait, so that its timestamp is fresh; ``pool`` is what the answer's
        headers speak of. Raises Unavailable (nothing left), Unknown (no answer, 408, 5xx, an unreadable one) or
        Rejected.
        """
        if self._rest is None:
            raise Unavailable(self.alias, "not connected: not sent")
        await self.gate.acquire(costs, priority, max_wait=max_wait)
        try:
            answer = await self._rest.send(build(), verb=verb)
        except (Unavailable, Unknown) as error:
            self._rest_seen(connected=False, note=error.text)
            raise
        self._rest_seen(connected=True)
        self.learn(pool, answer.headers)
        refused = self._refused(answer)
        if refused is not None:
            raise refused
        return answer.body

    async def synchronize_clock(self) -> None:
        """Learn the venue's clock: the middle of a round trip is taken for the moment of its answer."""
        before = self.clock_ns()
        body = await self.ask(encode.server_time, "clock", limits.PUBLIC, Priority.REST)
        middle_ms = (before + self.clock_ns()) // 2_000_000
        self.offset_ms = bodies.server_time_ms(body, self.alias) - middle_ms

    def back_off(self, retry_after_s: float | None) -> float:
        """Send nothing for a while after a refusal for rate; the seconds."""
        seconds = limits.RATE_PAUSE_S if retry_after_s is None else retry_after_s
        self.gate.budget.ban(seconds, self.gate.now())
        return seconds

    def learn(self, pool: str, header: Mapping[str, object]) -> None:
        """Take what an answer's header states of a pool."""
        stated = limits.stated(pool, header)
        if stated is not None:
            self.gate.budget.resize(stated[0])
            self.gate.budget.learn(pool, stated[1], self.gate.now())

    def _refused(self, answer: Answer) -> VenueError | None:
        try:
            reject = bodies.refusal(answer.body, self.alias, status=answer.status)
        except DecodeError as error:
            return self._unreadable(answer, error)
        if reject is None:
            return None
        if answer.status == 403 or reject.code in refusals.RATE_CODES:
            wait = self.back_off(limits.BANNED_S if answer.status == 403 else self._until_reset_s(answer))
            return refusals.rate_limited(self.alias, reject.text, reject.code, wait)
        return refusals.error_of(reject)

    def _unreadable(self, answer: Answer, error: DecodeError) -> VenueError:
        text = self.redactor.cut(answer.body[:200]) or "no text"
        if answer.status in {403, 429}:
            wait = self.back_off(limits.BANNED_S if answer.status == 403 else answer.retry_after_s)
            return refusals.rate_limited(self.alias, f"HTTP {answer.status}: {text}", "", wait)
        if answer.ok:
            return Unknown(self.alias, f"answered, but the answer cannot be read: {error.text}")
        if answer.status == 401:
            reason = RejectReason.CREDENTIALS
            return Rejected(self.alias, f"HTTP 401: {text}", reason=reason)
        return Rejected(self.alias, f"HTTP {answer.status}: {text}")

    def _until_reset_s(self, answer: Answer) -> float | None:
        reset = answer.headers.get("x-bapi-limit-reset-timestamp", "")
        if not reset.isdecimal():
            return answer.retry_after_s
        return max(0.0, min(60.0, (int(reset) - self.now_ms()) / 1_000))

    def _rest_seen(self, *, connected: bool, note: str = "") -> None:
        before = self._rest_state
        self._rest_state = ChannelState(Channel.REST, connected, ts_last_ns=self.clock_ns(), note=note)
        if before.connected != connected or before.ts_last_ns == 0:
            self.channel_changed(self._rest_state)


async def ended(task: "asyncio.Task[None] | None") -> None:
    """Cancel a task and wait for its end. Raises what it failed with, if it had failed."""
    if task is None:
        return
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
