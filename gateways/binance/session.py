"""What the parts of one Binance connection share: who we are, the clock, the budget, HTTP, and who is told of it."""

import asyncio
import time
from collections.abc import Callable, Mapping

from gateways.binance import bodies, encode, limits, refusals
from gateways.contracts import Contracts
from gateways.errors import DecodeError, Rejected, Unavailable, Unknown, VenueError
from gateways.standards import Batch, Event, WireRequest
from gateways.transport.budget import Budget, Gate, Priority
from gateways.transport.network import Network
from gateways.transport.redact import Redactor
from gateways.transport.rest import Answer, Rest
from gateways.transport.sockets import SOCKETS
from gateways.venue import Channel, ChannelState, Endpoints, Sink, Watcher

ClockNs = Callable[[], int]

QUERY_WAIT_S = 10.0
"""How long a query may wait for the rate budget."""


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
        self.gate = Gate(alias, Budget(limits.DEFAULT_POOLS))
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
            self.alias,
            self.endpoints.rest,
            redactor=self.redactor,
            watcher=watcher,
            observe=self._counted,
            network=self.network,
        )

    async def close(self) -> None:
        """Close the HTTP side and refuse who still waits for the budget. Idempotent."""
        self.gate.close()
        if self._rest is not None:
            await self._rest.close()

    def now_ms(self) -> int:
        """The venue's time, in ms, as far as we know it."""
        return self.clock_ns() // 1_000_000 + self.offset_ms

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
        max_wait: float = QUERY_WAIT_S,
    ) -> bytes:
        """Send one HTTP request when the budget allows; return the body of its success.

        ``build`` makes the request after the wait, so that its timestamp is fresh. Raises Unavailable (nothing left),
        Unknown (no answer, 408, 5xx) or Rejected.
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
        if answer.ok:
            return answer.body
        raise self._refused(answer)

    async def synchronize_clock(self) -> None:
        """Learn the venue's clock: the middle of a round trip is taken for the moment of its answer."""
        before = self.clock_ns()
        body = await self.ask(encode.server_time, "clock", {limits.WEIGHT: limits.SERVER_TIME}, Priority.REST)
        middle_ms = (before + self.clock_ns()) // 2_000_000
        said = bodies.parse(body, self.alias)
        server_ms = said.get("serverTime") if isinstance(said, dict) else None
        if not isinstance(server_ms, int):
            raise DecodeError(self.alias, "serverTime", "missing")
        self.offset_ms = server_ms - middle_ms

    def back_off(self, code: str, text: str, retry_after_s: float | None) -> float:
        """Send nothing for a while after a refusal for rate; the seconds."""
        until_ms = refusals.banned_until_ms(text)
        if retry_after_s is None and until_ms is not None:
            retry_after_s = max(0.0, (until_ms - self.now_ms()) / 1_000)
        if retry_after_s is None:
            retry_after_s = 1.0 if code == "-1015" else limits.BAN_S[429]
        self.gate.budget.ban(retry_after_s, self.gate.now())
        return retry_after_s

    def learn(self, used: Mapping[str, int]) -> None:
        """Take what the venue says it has counted."""
        for pool, units in used.items():
            self.gate.budget.learn(pool, units, self.gate.now())

    def _counted(self, status: int, headers: Mapping[str, str]) -> None:
        self.learn(limits.used_of_headers(headers))
        if status in limits.BAN_S and "retry-after" not in headers:
            self.gate.budget.ban(limits.BAN_S[status], self.gate.now())

    def _refused(self, answer: Answer) -> VenueError:
        limited = answer.status in limits.BAN_S
        try:
            reject = bodies.error(answer.body, self.alias, status=answer.status)
        except DecodeError:
            if limited:
                return refusals.rate_limited(self.alias, f"HTTP {answer.status}", "", self._wait_of(answer, "", ""))
            text = self.redactor.cut(answer.body[:200]) or "no text"
            return Rejected(self.alias, f"HTTP {answer.status}: {text}")
        if limited or reject.code in refusals.RATE_CODES:
            wait = self._wait_of(answer, reject.code, reject.text)
            return refusals.rate_limited(self.alias, reject.text, reject.code, wait)
        return refusals.error_of(reject)

    def _wait_of(self, answer: Answer, code: str, text: str) -> float:
        return self.back_off(code, text, answer.retry_after_s)

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
