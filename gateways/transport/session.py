"""What the parts of one venue's connection share: who we are, the clock, the budget, HTTP, and who is told of it.

A venue adds what its refusals mean and where its clock is; the waiting, sending and telling are here.
"""

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping

from gateways.contracts import Contracts
from gateways.errors import Unavailable, Unknown, VenueError
from gateways.standards import Batch, Event, WireRequest
from gateways.transport.budget import Budget, Gate, Pool, Priority
from gateways.transport.network import Network
from gateways.transport.redact import Redactor
from gateways.transport.rest import Answer, Rest
from gateways.transport.sockets import SOCKETS
from gateways.venue import Channel, ChannelState, Endpoints, Sink, Watcher

ClockNs = Callable[[], int]

QUERY_WAIT_S = 10.0
"""How long a query may wait for the rate budget."""

TELLING_TRIP_NS = 500_000_000
"""The longest round trip that a clock is told from: half of it is what the offset may be wrong by."""


class Session(ABC):
    """One account's way to its venue by HTTP, and the facts that every channel of it needs.

    ``pools``: the rate budget before the venue has said anything. ``secrets``: what no log may show.
    """

    def __init__(
        self,
        alias: str,
        endpoints: Endpoints,
        pools: Iterable[Pool],
        secrets: Iterable[str],
        *,
        clock_ns: ClockNs = time.time_ns,
        network: Network = SOCKETS,
    ) -> None:
        self.alias = alias
        self.endpoints = endpoints
        self.credentials = endpoints.credentials
        self.clock_ns = clock_ns
        self.network = network
        self.contracts = Contracts(alias)
        self.gate = Gate(alias, Budget(pools))
        self.redactor = Redactor(secrets)
        self._clock_doubted = asyncio.Event()
        self.offset_ms = 0
        self._clock_trip_ns: int | None = None
        """The venue's clock minus ours: requests carry the venue's time, so that their window means what it says."""
        self._sink: Sink | None = None
        self._watcher: Watcher | None = None
        self._rest: Rest | None = None
        self._rest_state = ChannelState(Channel.REST, connected=False)

    def open(self, sink: Sink, watcher: Watcher) -> None:
        """Take the listeners and make the HTTP side."""
        self._sink = sink
        self._watcher = watcher
        self._rest_state = ChannelState(Channel.REST, connected=False)
        self._rest = Rest(
            self.alias,
            self.endpoints.rest,
            headers=self.endpoints.headers,
            redactor=self.redactor,
            watcher=watcher,
            observe=self._counted,
            refuses=self._is_refusal,
            network=self.network,
        )

    async def close(self) -> None:
        """Close the HTTP side and refuse who still waits for the budget. Idempotent."""
        self.gate.close()
        if self._rest is not None:
            await self._rest.close()

    # ------------------------------------------------------------------ the clock

    def now_ms(self) -> int:
        """The venue's time, in ms, as far as we know it."""
        return self.clock_ns() // 1_000_000 + self.offset_ms

    async def synchronize_clock(self) -> None:
        """Learn the venue's clock: the middle of a round trip is taken for the moment of its answer.

        A question that waited long (for the rate budget, say) tells nothing better than what is known.
        """
        before = self.clock_ns()
        server_ms = await self._server_ms()
        after = self.clock_ns()
        trip_ns = after - before
        if self._clock_trip_ns is not None and trip_ns > max(TELLING_TRIP_NS, self._clock_trip_ns):
            self.dropped("the venue's clock was not learnt: its answer took too long to tell")
            return
        self._clock_trip_ns = trip_ns
        self.offset_ms = server_ms - (before + after) // 2_000_000
        if self._watcher is not None and 0 <= trip_ns <= TELLING_TRIP_NS:
            self._watcher.clock_measured(self.alias, self.offset_ms * 1_000_000)

    def doubt_clock(self) -> None:
        """Let the keeper of the clock learn it now: a request was refused for its time, or our own clock jumped."""
        self._clock_doubted.set()

    async def keep_clock(self, every_s: float, *, now: bool = False) -> None:
        """Learn the venue's clock anew every so often, for ever; a failed look at it leaves what was known.

        ``now``: and at once, where connecting does not wait for it. So it is once the clock is doubted.
        """
        if not now:
            await self._time_to_look(every_s)
        while True:
            try:
                await self.synchronize_clock()
            except VenueError as error:
                self.dropped(f"the venue's clock was not learnt: {error.text}")
            await self._time_to_look(every_s)

    async def _time_to_look(self, every_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(every_s):
                await self._clock_doubted.wait()
        self._clock_doubted.clear()

    @abstractmethod
    async def _server_ms(self) -> int:
        """Ask the venue for its time, in ms since 1970."""

    # ------------------------------------------------------------------ telling

    def publish(self, events: list[Event], ts_recv_ns: int, *, private: bool = True, reply: bool = False) -> None:
        """Hand the events of one message to the sink, in this turn of the loop."""
        if events and self._sink is not None:
            self._sink(Batch(self.alias, events, ts_recv_ns, private, reply))

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

    async def exchange(
        self,
        build: Callable[[], WireRequest],
        verb: str,
        costs: Mapping[str, int],
        priority: Priority = Priority.QUERY,
        *,
        max_wait: float = QUERY_WAIT_S,
        timeout: float | None = None,  # noqa: ASYNC109 - it becomes Unknown, as in ``Rest.send``
    ) -> Answer:
        """Send one HTTP request when the budget allows; return the answer, whatever its status under 500 (but 408).

        ``build`` makes the request after the wait, so that its timestamp is fresh. ``max_wait`` and ``timeout`` are in
        seconds. Raises Unavailable (nothing left) or Unknown (no answer, 408, 5xx).
        """
        if self._rest is None:
            raise Unavailable(self.alias, "not connected: not sent")
        await self.gate.acquire(costs, priority, max_wait=max_wait)
        try:
            answer = await self._rest.send(build(), verb=verb, timeout=timeout)
        except (Unavailable, Unknown) as error:
            self._rest_seen(connected=False, note=error.text)
            raise
        self._rest_seen(connected=True)
        return answer

    def pause(self, seconds: float, pools: Iterable[str] | None = None, *, renews: bool = False) -> float:
        """Send nothing of ``pools``, or (None) at all, for so long after a refusal for rate. Returns the seconds.

        ``renews``: the venue itself named the time, after which it counts anew.
        """
        if pools is None:
            self.gate.budget.ban(seconds, self.gate.now(), renews=renews)
        else:
            self.gate.budget.hold(pools, seconds, self.gate.now(), renews=renews)
        return seconds

    def budget_used(self) -> str:
        """How much of the rate budget is used, in a few words: the two fullest pools, and a ban where there is one."""
        now = self.gate.now()
        fullest = sorted(self.gate.budget.used(now).items(), key=lambda pool: -pool[1][0] / pool[1][1])[:2]
        text = ", ".join(f"{name} {used}/{limit}" for name, (used, limit) in fullest)
        banned = self.gate.budget.banned_for(now)
        return f"banned {banned:.0f} s, {text}" if banned else text

    def _is_refusal(self, status: int, body: bytes) -> bool:  # noqa: ARG002 - most venues document none
        """Whether an answer of 408 or 5xx is a refusal by the venue's documentation. Here: none is."""
        return False

    def _counted(self, status: int, headers: Mapping[str, str]) -> None:  # noqa: B027 - not every venue says it there
        """Take what an answer's status and headers say of the rate budget. Here: nothing."""

    def _rest_seen(self, *, connected: bool, note: str = "") -> None:
        before = self._rest_state
        self._rest_state = ChannelState(Channel.REST, connected, ts_last_ns=self.clock_ns(), note=note)
        if before.connected != connected or before.ts_last_ns == 0:
            self.channel_changed(self._rest_state)
