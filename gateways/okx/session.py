"""What the parts of one OKX connection share: who we are, the clock, the budget, HTTP, and who is told of it."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from gateways.contracts import Contracts
from gateways.errors import DecodeError, RateLimited, Rejected, Unavailable, Unknown, VenueError
from gateways.okx import bodies, encode, limits, refusals
from gateways.standards import Batch, Event, Reject, WireRequest
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

HEARTBEAT = Heartbeat(every=20.0, text="ping")
"""The venue cuts a connection that said nothing for 30 s (60015); it answers each ``ping`` with a ``pong``."""

SILENT_AFTER_S = 45.0
"""Two pongs are missing: the connection is dead although it is open."""


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
        self.redactor = Redactor((endpoints.key, endpoints.secret, endpoints.passphrase))
        self.offset_ms = 0
        """The venue's clock minus ours: requests carry the venue's time, so that ``expTime`` means what it says."""
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
    ) -> list[Any]:
        """Send one HTTP request when the budget allows; return the rows of its success.

        ``build`` makes the request after the wait, so that its time is fresh. Raises Unavailable (nothing left),
        Unknown (no answer, 408, 5xx, or a code that leaves the outcome open), Rejected or DecodeError.
        """
        body = await self.exchange(build, verb, costs, priority, max_wait=max_wait)
        self.check(bodies.outcome(body, self.alias))
        return bodies.rows(body, self.alias)

    async def exchange(
        self,
        build: Callable[[], WireRequest],
        verb: str,
        costs: Mapping[str, int],
        priority: Priority = Priority.QUERY,
        *,
        max_wait: float = QUERY_WAIT_S,
    ) -> Any:
        """As ``ask``, but return the whole parsed answer, whatever its code says, for who reads each item's own."""
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
            return bodies.parse(answer.body, self.alias)
        raise self._refused(answer)

    def check(self, events: list[Event]) -> None:
        """Raise what the first refusal among the events means to its caller."""
        for event in events:
            if isinstance(event, Reject):
                raise self.error_of(event)

    def error_of(self, reject: Reject) -> VenueError:
        """The error of a refusal; one for rate stops all sending for a window."""
        if reject.code in refusals.RATE_CODES:
            return self._rate_limited(reject.text, reject.code, None)
        return refusals.error_of(reject)

    async def synchronize_clock(self) -> None:
        """Learn the venue's clock: the middle of a round trip is taken for the moment of its answer."""
        before = self.clock_ns()
        rows = await self.ask(encode.server_time, "clock", {limits.CLOCK: 1}, Priority.REST)
        middle_ms = (before + self.clock_ns()) // 2_000_000
        said = rows[0].get("ts") if rows and isinstance(rows[0], dict) else None
        if not isinstance(said, str) or not said.isdecimal():
            raise DecodeError(self.alias, "ts", "missing")
        self.offset_ms = int(said) - middle_ms

    def _refused(self, answer: Answer) -> VenueError:
        try:
            events = bodies.outcome(answer.body, self.alias, status=answer.status)
        except DecodeError:
            events = []
        reject = next((event for event in events if isinstance(event, Reject)), None)
        if answer.status == 429:
            text, code = (reject.text, reject.code) if reject is not None else ("HTTP 429", "")
            return self._rate_limited(text, code, answer.retry_after_s)
        if reject is not None:
            return self.error_of(reject)
        shown = self.redactor.cut(answer.body[:200]) or "no text"
        return Rejected(self.alias, f"HTTP {answer.status}: {shown}")

    def _rate_limited(self, text: str, code: str, retry_after_s: float | None) -> RateLimited:
        wait = limits.BACK_OFF_S if retry_after_s is None else retry_after_s
        self.gate.budget.ban(wait, self.gate.now())
        return RateLimited(self.alias, text, code=code, retry_after=wait)

    def _rest_seen(self, *, connected: bool, note: str = "") -> None:
        before = self._rest_state
        self._rest_state = ChannelState(Channel.REST, connected, ts_last_ns=self.clock_ns(), note=note)
        if before.connected != connected or before.ts_last_ns == 0:
            self.channel_changed(self._rest_state)
