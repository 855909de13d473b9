"""The paper venues in memory on virtual time: what ``gateways.paper.sockets`` is on real sockets.

Fronts, exchanges and the market are the same; only the bytes travel by ``gateways.transport.memory``. With one seed and
one user behaving the same, a session is the same to the byte.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Protocol

from gateways.paper.contracts import DEFAULT_MONEY
from gateways.paper.exchange import PaperExchange
from gateways.paper.faults import Faults, FaultyFront
from gateways.paper.front import Front, Push
from gateways.paper.kinds import KINDS, Kind
from gateways.paper.market import STEP_NS
from gateways.paper.records import Happening
from gateways.transport.memory import Call, Delay, MemoryNetwork, Wire, uniform_delay
from gateways.transport.virtual import VirtualLoop
from gateways.venue import Endpoints

TICK_NS = 100_000_000
"""How often a front is told that time passes."""

LEAST_DELAY_NS, MOST_DELAY_NS = 100_000, 3_000_000
"""How long a message is under way."""

Observe = Callable[[str, Sequence[Happening]], None]
"""Is told what happened on a venue's exchange, in order, when it happened."""


class Steps(Protocol):
    """A market: whatever makes prices and trades on the exchanges."""

    def step(self) -> None:
        """Let one step of it happen."""
        ...


class MemoryVenue:
    """One venue: its exchange, its front, and the connections to it. A ``gateways.transport.memory.Server``."""

    def __init__(
        self, name: str, kind: Kind, exchange: PaperExchange, loop: VirtualLoop, *, seed: int,
        faults: Faults | None, observe: Observe | None,
    ) -> None:  # fmt: skip
        self.exchange = exchange
        self.credentials = kind.credentials(seed)
        exchange.open_account(self.credentials.key, DEFAULT_MONEY)
        front = kind.front(exchange, {self.credentials.key: self.credentials.secret}, loop.now_ns)
        self._faulty = None if faults is None else FaultyFront(front, exchange, faults, loop.now_ns)
        self.front: Front = self._faulty or front
        self._name = name
        self._loop = loop
        self._observe = observe
        self._wires: dict[int, Wire] = {}
        self._numbers: dict[Wire, int] = {}
        self._last_number = 0
        self._wakes_ns = 0

    @property
    def refusing(self) -> bool:
        """Whether connects are refused now."""
        return self._faulty is not None and self._faulty.refusing

    # ------------------------------------------------------------ what arrives

    def request(self, call: Call) -> None:
        """Answer an HTTP request as the front says: now, later, never, or with the end of the connection."""
        reply = self.front.http(call.method, call.path, call.query, call.headers, call.body)
        if reply.fate != "lost":
            headers = {"Content-Type": "application/json", **reply.headers}

            def answer() -> None:
                if reply.fate == "cut":
                    call.drop()
                else:
                    call.reply(reply.status, reply.body, headers)

            if reply.after_ns:
                self._loop.call_later(reply.after_ns / 1e9, answer)
            else:
                answer()
        self.deliver()

    def opened(self, wire: Wire) -> None:
        """Take a new websocket connection."""
        self._last_number += 1
        number = self._last_number
        self._wires[number] = wire
        self._numbers[wire] = number
        self.deliver(self.front.ws_open(number, wire.path, wire.query))

    def received(self, wire: Wire, text: str) -> None:
        """Take a text message of a connection."""
        self.deliver(self.front.ws_message(self._numbers[wire], text))

    def closed(self, wire: Wire) -> None:
        """Forget a connection."""
        number = self._numbers.pop(wire)
        self._wires.pop(number, None)
        self.front.ws_closed(number)

    # ------------------------------------------------------------ what leaves

    def tick(self) -> None:
        """Let the front do what is due by time."""
        self.deliver(self.front.tick())

    def deliver(self, pushes: Sequence[Push] = ()) -> None:
        """Send out a call's pushes, and then what happened on the exchange."""
        self._send(pushes)
        happenings = self.exchange.drain()
        if happenings:
            if self._observe is not None:
                self._observe(self._name, happenings)
            self._send(self.front.happened(happenings))
        due_ns = None if self._faulty is None else self._faulty.next_due_ns()
        if due_ns is not None and not self._loop.now_ns() < self._wakes_ns <= due_ns:
            self._wakes_ns = due_ns
            self._loop.call_later((due_ns - self._loop.now_ns()) / 1e9, self.tick)

    def _send(self, pushes: Sequence[Push]) -> None:
        for push in pushes:
            wire = self._wires.get(push.connection)
            if wire is not None:
                if push.text:
                    wire.push(push.text)
                if push.close:
                    del self._wires[push.connection]
                    wire.hang_up()


class MemoryShell:
    """Paper venues over one market on a virtual loop, and the network by which they are reached.

    The house's accounts must be open. ``exchanges`` by the name of their kind. ``run`` steps the market every
    ``step_ns`` and ticks the fronts every 100 ms. ``faults``: what goes wrong, by venue; ``observe`` is
    told every happening.
    """

    def __init__(
        self, exchanges: Mapping[str, PaperExchange], market: Steps, loop: VirtualLoop, *, seed: int,
        step_ns: int = STEP_NS, faults: Mapping[str, Faults] | None = None, observe: Observe | None = None,
        delay: Delay | None = None, kinds: Mapping[str, Kind] = KINDS,
    ) -> None:  # fmt: skip
        delays = Random(f"{seed}/delays")  # noqa: S311 - of messages, not a secret
        jitter = Random(f"{seed}/jitter")  # noqa: S311 - of pauses
        draw = delay or uniform_delay(delays, LEAST_DELAY_NS, MOST_DELAY_NS)
        self.network = MemoryNetwork(loop, delay=draw, rng=jitter)
        self.venues: dict[str, MemoryVenue] = {}
        self.endpoints: dict[str, Endpoints] = {}
        for port, (name, exchange) in enumerate(exchanges.items(), 1):
            kind = kinds[name]
            plan = (faults or {}).get(name)
            venue = MemoryVenue(name, kind, exchange, loop, seed=seed, faults=plan, observe=observe)
            self.venues[name] = venue
            self.network.add(f"127.0.0.1:{port}", venue)
            self.endpoints[name] = Endpoints(
                rest=f"http://127.0.0.1:{port}",
                ws=kind.ws(port),
                key=venue.credentials.key,
                secret=venue.credentials.secret,
                passphrase=venue.credentials.passphrase,
            )
        self._market = market
        self._step_ns = step_ns

    async def run(self) -> None:
        """Step the market and tick the fronts, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stepping())
            group.create_task(self._ticking())

    async def _stepping(self) -> None:
        while True:
            self._market.step()
            for venue in self.venues.values():
                venue.deliver()
            await asyncio.sleep(self._step_ns / 1e9)

    async def _ticking(self) -> None:
        while True:
            for venue in self.venues.values():
                venue.tick()
            await asyncio.sleep(TICK_NS / 1e9)
