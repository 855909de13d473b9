"""A scripted OKX on loopback: answers what a test tells it to, and records what it is sent."""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

from gateways.okx.encode import sign
from gateways.okx.venue import OkxVenue
from gateways.standards import Batch, Event
from gateways.venue import Channel, ChannelState, Endpoints, Watcher
from tests.gateways.okx.messages import instrument, taken

KEY, SECRET, PASSPHRASE = "the-key-of-the-account", "the-secret-of-the-account", "the-passphrase"

Answer = tuple[int, Any]
WsAnswer = Callable[[dict[str, Any], web.WebSocketResponse], Awaitable[None]]
ORDER_OPS = frozenset({"order", "amend-order", "cancel-order"})
BATCH_OPS = frozenset({"batch-orders", "batch-cancel-orders"})


def said(*rows: Any, code: str = "0", msg: str = "", status: int = 200) -> Answer:
    """An answer of the venue's form."""
    return status, {"code": code, "msg": msg, "data": list(rows)}


class StubExchange:
    """What the venue says and what it was told. ``rest``: answers by method and path; ``api``: to order requests."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any, dict[str, str]]] = []
        self.received: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.sockets: dict[str, list[web.WebSocketResponse]] = defaultdict(list)
        self.pings = 0
        self.refuse_login = False
        self.rest: dict[tuple[str, str], Answer | list[Answer] | Callable[[Any], Answer]] = {
            ("GET", "/api/v5/public/time"): said({"ts": "1700000000000"}),
            ("GET", "/api/v5/public/instruments"): said(instrument()),
            ("GET", "/api/v5/account/config"): said({"posMode": "net_mode", "acctLv": "2"}),
        }
        self.api: WsAnswer = self.take
        self.changed = asyncio.Condition()

    async def take(self, message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        """Take any order request."""
        await self.reply(message, socket, taken())

    async def reply(
        self, message: dict[str, Any], socket: web.WebSocketResponse, *rows: Any, code: str = "0", msg: str = ""
    ) -> None:
        """Answer an order request."""
        await socket.send_json({"id": message["id"], "op": message["op"], "code": code, "msg": msg, "data": list(rows)})

    async def _touch(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait until ``fact`` holds of what was received."""
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(fact)

    def sent(self, method: str, path: str) -> list[Any]:
        """The parameters, or body, of each such request received."""
        return [params for verb, where, params, _ in self.requests if (verb, where) == (method, path)]

    def order_requests(self) -> list[dict[str, Any]]:
        """The order requests received over a websocket."""
        return [each for each in self.received["private"] if each["op"] in ORDER_OPS]

    def batches(self) -> list[dict[str, Any]]:
        """The batches of orders and of cancels received over a websocket."""
        return [each for each in self.received["private"] if each["op"] in BATCH_OPS]

    def stream(self) -> web.WebSocketResponse:
        """The newest private connection that subscribed."""
        return self.sockets["subscribed"][-1]

    async def push(self, message: object, name: str = "subscribed") -> None:
        """Send a message to the newest connection of that name."""
        text = message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))
        await self.sockets[name][-1].send_str(text)

    async def serve_rest(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        params = json.loads(body) if body else dict(parse_qsl(request.query_string))
        self.requests.append((request.method, request.path, params, dict(request.headers)))
        if "OK-ACCESS-SIGN" in request.headers:
            payload = f"{request.headers['OK-ACCESS-TIMESTAMP']}{request.method}{request.raw_path}{body}"
            assert request.headers["OK-ACCESS-SIGN"] == sign(SECRET, payload)
        answer = self.rest.get((request.method, request.path), said(code="50404", msg="no such path"))
        if callable(answer):
            answer = answer(params)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        await self._touch()
        status, text = answer
        return web.json_response(text, status=status)

    def serve_socket(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            self.sockets[name].append(socket)
            async for frame in socket:
                if frame.type is not WSMsgType.TEXT:
                    continue
                if frame.data == "ping":
                    self.pings += 1
                    await socket.send_str("pong")
                    await self._touch()
                    continue
                message = json.loads(frame.data)
                self.received[name].append(message)
                await self._handle(message, socket)
                await self._touch()
            return socket

        return serve

    async def _handle(self, message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        match message["op"]:
            case "login":
                [proof] = message["args"]
                right = proof["sign"] == sign(SECRET, f"{proof['timestamp']}GET/users/self/verify")
                if self.refuse_login or not right:
                    await socket.send_json({"event": "error", "code": "60009", "msg": "Login failed.", "connId": "a"})
                else:
                    await socket.send_json({"event": "login", "code": "0", "msg": "", "connId": "a"})
            case "subscribe" | "unsubscribe":
                for arg in message["args"]:
                    await socket.send_json({"event": message["op"], "arg": arg, "connId": "a"})
                self.sockets["subscribed"].append(socket)
            case _:
                await self.api(message, socket)


@contextlib.asynccontextmanager
async def exchange() -> AsyncIterator[tuple[StubExchange, Endpoints]]:
    """A stub that serves, and the endpoints to reach it."""
    stub = StubExchange()
    app = web.Application()
    app.router.add_get("/ws/v5/private", stub.serve_socket("private"))
    app.router.add_get("/ws/v5/public", stub.serve_socket("public"))
    app.router.add_route("*", "/api/{path:.*}", stub.serve_rest)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host = f"127.0.0.1:{runner.addresses[0][1]}"
    ws = {name: f"ws://{host}/ws/v5/{name}" for name in ("public", "private")}
    try:
        yield stub, Endpoints(rest=f"http://{host}", ws=ws, key=KEY, secret=SECRET, passphrase=PASSPHRASE, kind="okx")
    finally:
        for sockets in stub.sockets.values():
            for socket in sockets:
                await socket.close()
        await runner.cleanup()


class Desk(Watcher):
    """Takes what a venue tells: the sink's events and the watcher's news, with a way to wait for a fact."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.states: list[ChannelState] = []
        self.requests: list[tuple[str, str, str, bool]] = []
        self.dropped: list[str] = []
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    @property
    def events(self) -> list[Event]:
        """All events so far."""
        return [event for batch in self.batches for event in batch.events]

    def states_of(self, channel: Channel) -> list[bool]:
        """The ups and downs of a channel so far."""
        return [state.connected for state in self.states if state.channel is channel]

    def sink(self, batch: Batch) -> None:
        self.batches.append(batch)
        self._touch()

    def channel_changed(self, venue: str, state: ChannelState) -> None:
        self.states.append(state)
        self._touch()

    def request_done(self, venue: str, verb: str, *, sent: str, answer: str, took_ns: int, ok: bool) -> None:
        self.requests.append((verb, sent, answer, ok))
        self._touch()

    def message_dropped(self, venue: str, reason: str) -> None:
        self.dropped.append(reason)
        self._touch()

    def _touch(self) -> None:
        for fact, future in self._waiting:
            if not future.done() and fact():
                future.set_result(None)

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait until ``fact`` holds of what was told."""
        if fact():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((fact, future))
        async with asyncio.timeout(5):
            await future


@contextlib.asynccontextmanager
async def connected(stub: StubExchange, endpoints: Endpoints, **options: Any) -> AsyncIterator[tuple[OkxVenue, Desk]]:
    """A venue that is connected to the stub, and who listens to it."""
    venue, desk = OkxVenue("okx", endpoints, **options), Desk()
    await venue.connect(desk.sink, desk)
    try:
        yield venue, desk
    finally:
        await venue.close()


def refusing(stub: StubExchange, code: str, text: str = "no") -> WsAnswer:
    """An answer to order requests: refused by the item's own code."""

    async def answer(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        await stub.reply(message, socket, taken(ordId="", sCode=code, sMsg=text), code="1", msg="failed")

    return answer
