"""A scripted exchange on loopback: what a test needs to say what Binance answers, and to see what it was sent."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

from gateways.standards import Batch, Event
from gateways.venue import Channel, ChannelState, Endpoints, Watcher
from tests.gateways.binance.messages import EXCHANGE_INFO

KEY, SECRET = "api-key-of-the-test", "secret-of-the-test"

Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]
WsAnswer = Callable[[dict[str, Any], web.WebSocketResponse], Awaitable[None]]


class StubExchange:
    """REST answers by method and path; websocket API answers by a function; everything received is kept."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.sockets: dict[str, list[web.WebSocketResponse]] = {"private": [], "api": [], "public": [], "market": []}
        self.opened: list[tuple[str, dict[str, str]]] = []
        self.received: dict[str, list[dict[str, Any]]] = {name: [] for name in self.sockets}
        self.keys = 0
        self.refuse_sockets: set[str] = set()
        self.rest: dict[tuple[str, str], Answer | list[Answer] | Callable[[dict[str, str]], Answer]] = {
            ("GET", "/fapi/v1/time"): (200, {"serverTime": 1_700_000_000_000}),
            ("GET", "/fapi/v1/exchangeInfo"): (200, EXCHANGE_INFO),
            ("GET", "/fapi/v1/positionSide/dual"): (200, {"dualSidePosition": False}),
            ("POST", "/fapi/v1/listenKey"): self._new_key,
            ("PUT", "/fapi/v1/listenKey"): (200, {}),
        }
        self.api: WsAnswer = self._refuse
        self.changed = asyncio.Condition()

    def _new_key(self, params: dict[str, str]) -> Answer:
        self.keys += 1
        return 200, {"listenKey": f"listen-key-number-{self.keys}"}

    async def _refuse(self, message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        await socket.send_json({"id": message["id"], "status": 400, "error": {"code": -1100, "msg": "not scripted"}})

    async def _touch(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait until ``fact`` holds of what was received."""
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(fact)

    def sent(self, method: str, path: str) -> list[dict[str, str]]:
        """The parameters of each such request received."""
        return [params for verb, where, params in self.requests if (verb, where) == (method, path)]

    async def push(self, name: str, message: object) -> None:
        """Send a message to the newest connection of that name."""
        text = message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))
        await self.sockets[name][-1].send_str(text)

    async def drop(self, name: str) -> None:
        """Close the newest connection of that name."""
        await self.sockets[name][-1].close()

    async def serve_rest(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        params = dict(parse_qsl(request.query_string)) | dict(parse_qsl(body))
        self.requests.append((request.method, request.path, params))
        answer = self.rest.get((request.method, request.path), (404, {"code": -1, "msg": "no such path"}))
        if callable(answer):
            answer = answer(params)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        await self._touch()
        status, said, *headers = answer
        return web.json_response(said, status=status, headers=headers[0] if headers else None)

    def serve_socket(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            if name in self.refuse_sockets:
                return web.Response(status=503)
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            self.sockets[name].append(socket)
            self.opened.append((request.path, dict(request.query)))
            await self._touch()
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    message = json.loads(frame.data)
                    self.received[name].append(message)
                    await self._touch()
                    if name == "api":
                        await self.api(message, socket)
                    else:
                        await socket.send_json({"result": None, "id": message["id"]})
            return socket

        return serve


@contextlib.asynccontextmanager
async def exchange() -> AsyncIterator[tuple[StubExchange, Endpoints]]:
    """A stub that serves, and the endpoints to reach it."""
    stub = StubExchange()
    app = web.Application()
    app.router.add_get("/private/ws", stub.serve_socket("private"))
    app.router.add_get("/ws-fapi/v1", stub.serve_socket("api"))
    app.router.add_get("/public/stream", stub.serve_socket("public"))
    app.router.add_get("/market/stream", stub.serve_socket("market"))
    app.router.add_route("*", "/fapi/{path:.*}", stub.serve_rest)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host = f"127.0.0.1:{runner.addresses[0][1]}"
    ws = {name: f"ws://{host}/{name}" for name in ("public", "market", "private")} | {"api": f"ws://{host}/ws-fapi/v1"}
    try:
        yield stub, Endpoints(rest=f"http://{host}", ws=ws, key=KEY, secret=SECRET)
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
