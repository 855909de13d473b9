"""A network in this process on virtual time: venues talk to servers that are plain objects, with seeded delays.

Every message takes its time, drawn from the seed, and the messages of one connection stay in order each way, as on a
real one. What an error proves is what it proves on a real network: a refused or slow connect is not sent, an answer
that does not come in time may have been done. It is the memory counterpart of ``gateways.transport.sockets``.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from random import Random
from typing import Protocol
from urllib.parse import urlsplit

from gateways.transport.network import LostError, NotSentError, Response
from gateways.transport.virtual import VirtualLoop

Delay = Callable[[], int]
"""Draws how long the next message is under way, nanoseconds."""


def uniform_delay(rng: Random, least_ns: int, most_ns: int) -> Delay:
    """Delays between two bounds, the short ones more often."""
    return lambda: least_ns + min(rng.randrange(most_ns - least_ns + 1), rng.randrange(most_ns - least_ns + 1))


class Server(Protocol):
    """The other end: what is at a host. Its methods are called when a message arrives there."""

    @property
    def refusing(self) -> bool:
        """Whether connects are refused now."""
        ...

    def request(self, call: "Call") -> None:
        """Take an HTTP request; ``call.reply`` or ``call.drop`` it, now or later, or leave it unanswered."""
        ...

    def opened(self, wire: "Wire") -> None:
        """Take a new websocket connection."""
        ...

    def received(self, wire: "Wire", text: str) -> None:
        """Take a text message of a connection."""
        ...

    def closed(self, wire: "Wire") -> None:
        """Forget a connection: called once for each, whoever closed it."""
        ...


class _Lane:
    """One direction of a connection: what is put in comes out later, in order."""

    def __init__(self, loop: VirtualLoop, delay: Delay) -> None:
        self._loop = loop
        self._delay = delay
        self._last_ns = 0
        self._under_way: deque[Callable[[], None]] = deque()

    def put(self, arrive: Callable[[], None]) -> None:
        due_ns = max(self._loop.monotonic_ns() + self._delay(), self._last_ns + 1)
        self._last_ns = due_ns
        self._under_way.append(arrive)
        self._loop.call_at(due_ns / 1e9, self._next)

    def _next(self) -> None:
        self._under_way.popleft()()


class Call:
    """An HTTP request at the server. Header names are in lower case."""

    def __init__(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, *,
        lane: _Lane, answered: "asyncio.Future[Response]",
    ) -> None:  # fmt: skip
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self._lane = lane
        self._answered = answered

    def reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send the answer on its way."""
        response = Response(status, body, {name.lower(): value for name, value in headers.items()})
        self._lane.put(lambda: self._resolve(response))

    def drop(self) -> None:
        """Break the connection instead of answering."""
        self._lane.put(self._break)

    def _resolve(self, response: Response) -> None:
        if not self._answered.done():
            self._answered.set_result(response)

    def _break(self) -> None:
        if not self._answered.done():
            self._answered.set_exception(LostError("Server disconnected"))


class Wire:
    """One websocket connection, as both ends see it; to the client it is the ``Socket``."""

    def __init__(self, network: "MemoryNetwork", server: Server, url: str, deliver: Callable[[bytes], None]) -> None:
        parts = urlsplit(url)
        self.path = parts.path
        self.query = parts.query
        self._server = server
        self._deliver = deliver
        self._to_server = network.lane()
        self._to_client = network.lane()
        self._over = asyncio.Event()
        self._told = False
        self.is_open = True
        self.unsent = 0
        self.ending = "connection lost"

    # ------------------------------------------------------------ the server's end

    def push(self, text: str) -> None:
        """Send a text message to the client."""
        data = text.encode()
        self._to_client.put(lambda: self._arrive(data))

    def hang_up(self, ending: str = "closed by the venue (1000)") -> None:
        """Close the connection after what was pushed."""
        self._to_client.put(lambda: self._end(ending))

    def cut(self) -> None:
        """Break the connection now: what is under way to the client is lost."""
        self._end("connection lost")

    # ------------------------------------------------------------ the client's end

    def write(self, data: bytes) -> None:
        """Send one text message to the server."""
        text = data.decode()
        self._to_server.put(lambda: self._received(text))

    def rehearse_read(self, data: bytes) -> None:
        """Nothing: nobody waits here for code that is out of the caches."""

    def rehearse_write(self, data: bytes) -> None:
        """Nothing, as above."""

    def abort(self) -> None:
        """Drop the connection; what was written before still arrives."""
        self._end("connection lost")

    async def close(self) -> None:
        """Close the connection."""
        self._end("closed here")

    async def wait_closed(self) -> None:
        """Wait until it is closed, by whomever."""
        await self._over.wait()

    # ------------------------------------------------------------ under way

    def _arrive(self, data: bytes) -> None:
        if self.is_open:
            self._deliver(data)

    def _received(self, text: str) -> None:
        if not self._told:
            self._server.received(self, text)

    def _end(self, ending: str) -> None:
        if self.is_open:
            self.is_open = False
            self.ending = ending
            self._over.set()
            self._to_server.put(self._tell)

    def _tell(self) -> None:
        self._told = True
        self._server.closed(self)


class _MemoryHttp:
    """Requests to one server; each is a connection of its own, so they may overtake one another."""

    def __init__(self, network: "MemoryNetwork") -> None:
        self._network = network

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, connect_timeout: float,
        answer_timeout: float,
    ) -> Response:  # fmt: skip
        """See ``Http.request``."""
        network = self._network
        parts = urlsplit(url)
        server = network.server_at(parts.netloc)
        if server is None:
            await asyncio.sleep(min(network.delay() / 1e9, connect_timeout))
            raise NotSentError(f"Cannot connect to host {parts.netloc}")
        answered: asyncio.Future[Response] = network.loop.create_future()
        lowered = {name.lower(): value for name, value in headers.items()}
        call = Call(method, parts.path, parts.query, lowered, body, lane=network.lane(), answered=answered)
        network.lane().put(lambda: server.request(call))
        async with asyncio.timeout(answer_timeout):
            return await answered

    async def close(self) -> None:
        """Nothing to let go of."""


class MemoryNetwork:
    """Servers by the host of their address (``127.0.0.1:1``), and the way to them.

    ``delay`` draws how long a message is under way. Where no server is, or one that refuses, nobody listens.
    """

    def __init__(self, loop: VirtualLoop, *, delay: Delay, rng: Random) -> None:
        self.loop = loop
        self.delay = delay
        self._rng = rng
        self._servers: dict[str, Server] = {}

    def add(self, host: str, server: Server) -> None:
        """Put a server at a host."""
        self._servers[host] = server

    def server_at(self, host: str) -> Server | None:
        """The server at a host, None where connects are refused."""
        server = self._servers.get(host)
        return None if server is None or server.refusing else server

    def lane(self) -> _Lane:
        """A new direction of a connection."""
        return _Lane(self.loop, self.delay)

    # ------------------------------------------------------------ the network's contract

    async def connect(
        self,
        url: str,
        deliver: Callable[[bytes], None],
        *,
        ping_every: float | None,  # noqa: ARG002 - a connection here is open or closed, and both ends know
        ping_timeout: float,  # noqa: ARG002 - same
        open_timeout: float,
        max_size: int,  # noqa: ARG002 - messages of servers in this process
    ) -> Wire:
        """See ``Network.connect``."""
        host = urlsplit(url).netloc
        async with asyncio.timeout(open_timeout):
            await asyncio.sleep((self.delay() + self.delay()) / 1e9)
        server = self.server_at(host)
        if server is None:
            raise ConnectionRefusedError(f"Connect call failed {host}")
        wire = Wire(self, server, url, deliver)
        server.opened(wire)
        return wire

    def http(self, connections: int) -> _MemoryHttp:  # noqa: ARG002 - as many as are asked for
        """See ``Network.http``."""
        return _MemoryHttp(self)

    def jitter(self) -> float:
        """See ``Network.jitter``."""
        return self._rng.random()

    def monotonic_ns(self) -> int:
        """See ``Network.monotonic_ns``."""
        return self.loop.monotonic_ns()
