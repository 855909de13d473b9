"""A scripted exchange on loopback: what is the same of every venue's, who adds its addresses and its protocol."""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any

from aiohttp import WSMsgType, web

from tests.gateways.listening import Facts

Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]
"""Status, body (a text as it is, anything else as JSON) and, if there are any, headers."""

Script = Answer | list[Answer] | Callable[[Any], Answer]
"""An answer, answers one after another of which the last stays, or a function of the request's parameters."""

Respond = Callable[[dict[str, Any], web.WebSocketResponse], Awaitable[None]]
"""Answers a message on a websocket."""


class ScriptedExchange:
    """Keeps everything received, answers as scripted. A venue says by ``asked`` and ``respond`` how it talks."""

    def __init__(self, sockets: Iterable[str]) -> None:
        self.sockets: dict[str, list[web.WebSocketResponse]] = {name: [] for name in sockets}
        self.received: dict[str, list[dict[str, Any]]] = {name: [] for name in self.sockets}
        self.opened: list[tuple[str, dict[str, str]]] = []
        self.refuse_sockets: set[str] = set()
        self.facts = Facts()

    def asked(self, request: web.Request, body: str) -> tuple[Script, Any]:
        """Keep a request; its script, and its parameters."""
        raise AssertionError(f"no script for {request.path}")

    async def respond(self, name: str, message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        """Answer a message."""

    async def heard(self, name: str, text: str, socket: web.WebSocketResponse) -> None:
        """Keep a message and answer it."""
        message = json.loads(text)
        self.received[name].append(message)
        await self.respond(name, message, socket)

    async def until(self, fact: Callable[[], Any]) -> None:
        """Wait until ``fact`` holds of what was received."""
        await self.facts.until(fact)

    async def push(self, name: str, message: object) -> None:
        """Send a message to the newest connection of that name."""
        text = message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))
        await self.sockets[name][-1].send_str(text)

    async def drop(self, name: str) -> None:
        """Close the newest connection of that name."""
        await self.sockets[name][-1].close()

    async def serve_rest(self, request: web.Request) -> web.StreamResponse:
        script, params = self.asked(request, await request.text())
        answer = script(params) if callable(script) else script
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        self.facts.changed()
        status, said, *headers = answer
        make = web.Response if isinstance(said, str) else web.json_response
        return make(text=said if isinstance(said, str) else json.dumps(said), status=status, headers=dict(*headers))

    def serve_socket(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            if name in self.refuse_sockets:
                return web.Response(status=503)
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            self.sockets[name].append(socket)
            self.opened.append((request.path, dict(request.query)))
            self.facts.changed()
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self.heard(name, frame.data, socket)
                    self.facts.changed()
            return socket

        return serve


@contextlib.asynccontextmanager
async def serving(stub: ScriptedExchange, rest: str, sockets: Mapping[str, str]) -> AsyncIterator[str]:
    """Serve requests below the path ``rest`` and websockets at their paths by name; the host with its port."""
    app = web.Application()
    for name, path in sockets.items():
        app.router.add_get(path, stub.serve_socket(name))
    app.router.add_route("*", rest + "/{path:.*}", stub.serve_rest)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        for opened in stub.sockets.values():
            for socket in opened:
                await socket.close()
        await runner.cleanup()
