"""The paper venues behind real sockets: one loopback port each, REST and websockets on it, and the clock of the market.

Everything runs on one event loop and nothing is decided here: a request goes to the venue's front, and what happened on
its exchange goes out to whoever subscribed. A connection that does not read what it asked for is cut off.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal

from aiohttp import WSMsgType, web

from gateways.paper.contracts import DEFAULT_MONEY, RULES, paper_exchange
from gateways.paper.control import PREFIX, Control
from gateways.paper.exchange import PaperExchange
from gateways.paper.faults import Faults, FaultyFront
from gateways.paper.front import HttpReply, Push
from gateways.paper.kinds import KINDS, Kind
from gateways.paper.market import STEP_NS, WALKING, Market, open_house
from gateways.paper.recording import RecordedTrade
from gateways.paper.replay import Replay, base_of
from gateways.venue import Endpoints

OUTGOING_LIMIT = 10_000
"""Messages that may wait for a connection; one more and it is cut off."""

_HOST = "127.0.0.1"
_STEP_S = STEP_NS / 1_000_000_000
_STEPS_A_TICK = 2
_LATE_S = 1.0
"""Later than this (the machine slept), the market goes on from now instead of making up for what it missed."""
_PING_S = 180.0
_CLOSING_S = 1.0
_LOST_S = 30.0
"""How long a request whose answer is lost keeps its connection."""


class Connection:
    """One websocket connection, and what waits to be written to it."""

    def __init__(self, number: int, transport: asyncio.Transport | None) -> None:
        self.number = number
        self._transport = transport
        self._waiting: asyncio.Queue[Push] = asyncio.Queue(OUTGOING_LIMIT)

    def put(self, push: Push) -> None:
        """Let a message wait its turn; where too many wait already the connection is cut off."""
        try:
            self._waiting.put_nowait(push)
        except asyncio.QueueFull:
            if self._transport is not None:
                self._transport.abort()

    async def write(self, socket: web.WebSocketResponse) -> None:
        """Write what waits, until the front closes the connection or the other side is gone."""
        with contextlib.suppress(ConnectionError):
            while True:
                push = await self._waiting.get()
                if push.text:
                    await socket.send_str(push.text)
                if push.close:
                    await socket.close()
                    return


class PaperVenue:
    """One venue: its exchange, its front, and the connections to it."""

    def __init__(
        self,
        kind: Kind,
        exchange: PaperExchange,
        *,
        seed: int,
        now_ns: Callable[[], int],
        on_private: Callable[[], None],
    ) -> None:
        self.exchange = exchange
        self.credentials = kind.credentials(seed)
        exchange.open_account(self.credentials.key, DEFAULT_MONEY)
        self.front = kind.front(exchange, {self.credentials.key: self.credentials.secret}, now_ns)
        self.faulty = FaultyFront(self.front, exchange, Faults(seed=f"{seed}/{kind.name}", now_ns=now_ns), now_ns)
        self._control = Control(self.faulty, exchange)
        self._kind = kind
        self._on_private = on_private
        self._connections: dict[int, Connection] = {}
        self._last_connection = 0
        self._runner: web.ServerRunner | None = None
        self._site: web.TCPSite | None = None
        self._closing = asyncio.Event()
        self._port = 0

    @property
    def endpoints(self) -> Endpoints:
        """Where the venue is, and the account that may trade on it."""
        return Endpoints(
            rest=f"http://{_HOST}:{self._port}",
            ws=self._kind.ws(self._port),
            key=self.credentials.key,
            secret=self.credentials.secret,
            passphrase=self.credentials.passphrase,
            kind=self._kind.name,
        )

    async def start(self) -> None:
        """Listen on a free loopback port."""
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=_CLOSING_S)
        await self._runner.setup()
        await self._listen()
        self._port = self._runner.addresses[0][1]

    async def _listen(self) -> None:
        if self._runner is not None:
            self._site = web.TCPSite(self._runner, _HOST, self._port)
            await self._site.start()

    async def open_or_shut(self) -> None:
        """Refuse connections, and cut those that are open, while the front says so; listen again after that."""
        if self.faulty.refusing and self._site is not None:
            site, self._site = self._site, None
            await site.stop()
            for handler in self._runner.server.connections if self._runner and self._runner.server else ():
                if handler.transport is not None:
                    handler.transport.abort()
        elif not self.faulty.refusing and self._site is None and self._runner is not None:
            await self._listen()

    async def close(self) -> None:
        """Close every connection and the port."""
        self._closing.set()
        for connection in self._connections.values():
            connection.put(Push(connection=connection.number, close=True))
        if self._runner is not None:
            await self._runner.cleanup()

    def tick(self) -> None:
        """Let the front do what is due by time."""
        self.deliver(self.faulty.tick())

    def deliver(self, pushes: Sequence[Push] = ()) -> None:
        """Send out a call's pushes, and then what happened on the exchange."""
        self._send(pushes)
        happenings = self.exchange.drain()
        if happenings:
            self._send(self.faulty.happened(happenings))

    def _send(self, pushes: Sequence[Push]) -> None:
        for push in pushes:
            connection = self._connections.get(push.connection)
            if connection is not None:
                connection.put(push)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        # The target as it was sent: signatures are over these very bytes.
        path, _, query = request.raw_path.partition("?")
        socket = web.WebSocketResponse(timeout=_CLOSING_S, heartbeat=_PING_S, compress=False)
        if socket.can_prepare(request).ok:
            await socket.prepare(request)
            await self._converse(socket, request.transport, path, query)
            return socket
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        if path.startswith(PREFIX):
            reply = self._control.answer(request.method, path, query, body)
        else:
            reply = self.faulty.http(request.method, path, query, headers, body)
        self.deliver()
        await self._suffer(reply, request)
        return web.Response(
            status=reply.status, body=reply.body, headers={"Content-Type": "application/json", **reply.headers}
        )

    async def _suffer(self, reply: HttpReply, request: web.BaseRequest) -> None:
        """Wait as long as an answer is late, or lost; cut the connection of one that must not come."""
        wait = _LOST_S if reply.fate == "lost" else reply.after_ns / 1e9
        if wait:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), wait)
        if reply.fate != "sent" and request.transport is not None:
            request.transport.abort()

    async def _converse(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, path: str, query: str
    ) -> None:
        self._last_connection += 1
        number = self._last_connection
        connection = self._connections[number] = Connection(number, transport)
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(connection.write(socket))
                self._note_private(path, query, "")
                self.deliver(self.faulty.ws_open(number, path, query))
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        self._note_private(path, query, message.data)
                        self.deliver(self.faulty.ws_message(number, message.data))
                writer.cancel()
        finally:
            del self._connections[number]
            self.faulty.ws_closed(number)

    def _note_private(self, path: str, query: str, text: str) -> None:
        if self._kind.is_private(path, query, text):
            self._on_private()


class PaperServer:
    """Paper venues over one market. Build it, ``start`` it, ``run`` its market; ``close`` it.

    ``trades`` replay the market of ``ticker`` at ``speed`` from a second after the first private subscription on any
    venue; the other base assets have the random market of ``seed``. With ``exchanges``, one for each venue, who
    made them makes their market (``gateways.paper.live``). Raises RecordingError where the replay cannot be, KeyError
    for a venue that is not in ``kinds``.
    """

    def __init__(
        self,
        venues: Sequence[str],
        *,
        seed: int,
        trades: Sequence[RecordedTrade] = (),
        ticker: str = "",
        speed: Decimal = Decimal(1),
        kinds: Mapping[str, Kind] = KINDS,
        now_ns: Callable[[], int] = time.time_ns,
        exchanges: Mapping[str, PaperExchange] | None = None,
    ) -> None:
        self._now_ns = now_ns
        self.replay: Replay | None = None
        self._market: Market | None = None
        if exchanges is None:
            exchanges = self._make_market(venues, seed, trades, ticker, speed)
        self.venues = {
            name: PaperVenue(kinds[name], exchanges[name], seed=seed, now_ns=now_ns, on_private=self._begin_replay)
            for name in venues
        }

    def _make_market(
        self, venues: Sequence[str], seed: int, trades: Sequence[RecordedTrade], ticker: str, speed: Decimal
    ) -> dict[str, PaperExchange]:
        now_ns = self._now_ns
        replayed = base_of(ticker, [each for name in venues for each in RULES[name].contracts]) if trades else None
        walking = tuple(base for base in WALKING if base != replayed)
        bases = walking if replayed is None else (*walking, replayed)
        exchanges = {name: paper_exchange(name, now_ns=now_ns, bases=bases) for name in venues}
        for exchange in exchanges.values():
            open_house(exchange)
        self._market = Market(exchanges, seed=seed, bases=walking)
        if replayed is not None:
            self.replay = Replay(exchanges, trades, base=replayed, speed=speed, seed=seed)
        return exchanges

    @property
    def endpoints(self) -> dict[str, Endpoints]:
        """Where each venue is, after ``start``."""
        return {name: venue.endpoints for name, venue in self.venues.items()}

    async def start(self) -> None:
        """Open the ports."""
        for venue in self.venues.values():
            await venue.start()

    async def run(self) -> None:
        """Step the market every 50 ms and tick the fronts every 100 ms, until cancelled."""
        loop = asyncio.get_running_loop()
        due, steps = loop.time(), 0
        while True:
            self.step()
            steps += 1
            if steps % _STEPS_A_TICK == 0:
                for venue in self.venues.values():
                    venue.tick()
                    await venue.open_or_shut()
            due += _STEP_S
            if loop.time() - due > _LATE_S:
                due = loop.time()
            await asyncio.sleep(max(due - loop.time(), 0.0))

    def step(self) -> None:
        """Let one step of market happen and tell who subscribed."""
        if self._market is not None:
            self._market.step()
        if self.replay is not None:
            self.replay.step(self._now_ns())
        for venue in self.venues.values():
            venue.deliver()

    async def close(self) -> None:
        """Close all connections and ports."""
        for venue in self.venues.values():
            await venue.close()

    def _begin_replay(self) -> None:
        if self.replay is not None:
            self.replay.begin(self._now_ns())


@contextlib.asynccontextmanager
async def running(server: PaperServer) -> AsyncIterator[PaperServer]:
    """Start a server and its market; stop both at the end. An error of the market ends the block."""
    await server.start()
    try:
        async with asyncio.TaskGroup() as group:
            market = group.create_task(server.run())
            yield server
            market.cancel()
    finally:
        await server.close()
