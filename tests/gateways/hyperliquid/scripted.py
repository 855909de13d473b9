"""A loopback server with Hyperliquid's addresses whose answers the test scripts."""

import json
import time
from typing import Any

from aiohttp import WSMsgType, web

from tests.gateways.listening import Facts

CUT = "cut the connection"
SILENCE = "answer nothing"


META = {
    "universe": [
        {"name": "BTC", "szDecimals": 5},
        {"name": "ETH", "szDecimals": 4},
        {"name": "kPEPE", "szDecimals": 0},
    ]
}


class ScriptedServer:
    """POST /info and /exchange and the websocket, answering as told.

    ``info``: the answer by the question's type, or a function of the question. ``exchange``: the answer to an action,
    or a function of the action, or an HTTP status with its text, CUT or SILENCE; the websocket gives it as a post
    reply.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.info: dict[str, Any] = {"meta": META}
        self.exchange: Any = {"status": "ok", "response": {"type": "order", "data": {"statuses": []}}}
        self.questions: list[dict[str, Any]] = []
        self.by_http: list[dict[str, Any]] = []
        self.by_websocket: list[dict[str, Any]] = []
        self.subscriptions: list[tuple[str, dict[str, Any]]] = []
        self.sockets: dict[web.WebSocketResponse, list[dict[str, Any]]] = {}
        self.time_ms = time.time_ns() // 1_000_000
        self.confirms = True
        self.refuses_websockets = False
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/info", self._info)
        app.router.add_post("/exchange", self._exchange)
        app.router.add_get("/ws", self._websocket)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def stop(self) -> None:
        self.cut()
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def rest(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def cut(self) -> None:
        """Break every websocket without a word."""
        for socket in list(self.sockets):
            if socket._req is not None and socket._req.transport is not None:
                socket._req.transport.abort()

    async def push(self, message: Any, channel: str) -> None:
        """Send to the connection that subscribed to a channel."""
        text = message if isinstance(message, str) else json.dumps(message)
        for socket, subscribed in self.sockets.items():
            if any(subscription["type"] == channel for subscription in subscribed):
                await socket.send_str(text)

    def actions(self) -> list[dict[str, Any]]:
        """Every signed payload that came, by either way, in order."""
        return self.by_http + self.by_websocket

    async def _info(self, request: web.Request) -> web.Response:
        question = await request.json()
        if question["type"] == "exchangeStatus":  # of the clock's keeper, which comes whenever it does
            return web.json_response({"time": self.time_ms, "specialStatuses": None})
        self.questions.append(question)
        answer = self.info[question["type"]]
        answer = answer(question) if callable(answer) else answer
        self.facts.changed()
        if isinstance(answer, tuple):
            return web.Response(status=answer[0], text=answer[1])
        return web.json_response(answer)

    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        self.by_http.append(await request.json())
        self.facts.changed()
        if self.exchange == CUT:
            assert request.transport is not None
            request.transport.abort()
        answer = self._answer(self.by_http[-1])
        if isinstance(answer, tuple):
            return web.Response(status=answer[0], text=answer[1])
        return web.json_response(answer)

    def _answer(self, payload: dict[str, Any]) -> Any:
        return self.exchange(payload["action"]) if callable(self.exchange) else self.exchange

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if self.refuses_websockets:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets[socket] = []
        await socket.send_str("Websocket connection established.")
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._said(socket, json.loads(frame.data))
        finally:
            del self.sockets[socket]
            self.facts.changed()
        return socket

    async def _said(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        if message["method"] == "ping":
            await socket.send_json({"channel": "pong"})
        elif message["method"] in {"subscribe", "unsubscribe"}:
            self.subscriptions.append((message["method"], message["subscription"]))
            self.sockets[socket].append(message["subscription"])
            if self.confirms:
                await socket.send_json({"channel": "subscriptionResponse", "data": message})
        elif message["method"] == "post":
            self.by_websocket.append(message["request"]["payload"])
            await self._reply(socket, message["id"])
        self.facts.changed()

    async def _reply(self, socket: web.WebSocketResponse, request_id: int) -> None:
        if self.exchange == CUT:
            self.cut()
        elif self.exchange != SILENCE:
            kind, payload = "action", self._answer(self.by_websocket[-1])
            if isinstance(payload, tuple):
                kind, payload = "error", f"{payload[0]} {payload[1]}"
            response = {"type": kind, "payload": payload}
            await socket.send_json({"channel": "post", "data": {"id": request_id, "response": response}})
