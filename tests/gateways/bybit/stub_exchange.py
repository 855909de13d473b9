"""A scripted exchange on loopback: what a test needs to say what Bybit answers, and to see what it was sent."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

from gateways.venue import Endpoints
from tests.gateways.bybit.messages import NOW_MS, OID, answer, instrument, page

KEY, SECRET = "api-key-of-the-test", "secret-of-the-test"

Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]
Respond = Callable[[dict[str, Any]], Answer]
Trade = Callable[[dict[str, Any], web.WebSocketResponse], Awaitable[None]]


def taken(request_id: str, op: str, **fields: Any) -> dict[str, Any]:
    """A reply of the order entry socket that accepts a request."""
    data = {"orderId": OID, "orderLinkId": ""}
    return {"reqId": request_id, "retCode": 0, "retMsg": "OK", "op": op, "data": data, "connId": "c", **fields}


class StubExchange:
    """REST answers by path; order entry by a function; streams acknowledge and are pushed to; all received is kept."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.sockets: dict[str, list[web.WebSocketResponse]] = {"public": [], "private": [], "trade": []}
        self.received: dict[str, list[dict[str, Any]]] = {name: [] for name in self.sockets}
        self.refuse_sockets: set[str] = set()
        self.refuse_ops: dict[str, str] = {}
        """Operation on a stream to the text that it is refused with."""
        self.unanswered: set[str] = set()
        """Topics whose requests on a stream are carried out and not answered."""
        self.rest: dict[str, Answer | list[Answer] | Respond] = {
            "/v5/market/time": (200, answer({"timeSecond": str(NOW_MS // 1000), "timeNano": f"{NOW_MS}000000"})),
            "/v5/market/instruments-info": (200, page([instrument("ETHUSDT", "ETH")])),
            "/v5/position/list": (200, page([])),
        }
        self.trade: Trade = self._take
        self.changed = asyncio.Condition()

    async def _take(self, message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        await socket.send_json(taken(message["reqId"], message["op"]))

    async def _touch(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait until ``fact`` holds of what was received."""
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(fact)

    def sent(self, path: str) -> list[dict[str, Any]]:
        """The parameters or the body of each such request received."""
        return [params for where, params, _ in self.requests if where == path]

    def orders(self) -> list[dict[str, Any]]:
        """What came on the order entry socket after its login."""
        return [message for message in self.received["trade"] if message["op"].startswith("order.")]

    def topics(self, name: str, op: str = "subscribe") -> list[str]:
        """Every topic that was asked for on a stream, in order."""
        return [topic for message in self.received[name] if message["op"] == op for topic in message["args"]]

    async def push(self, name: str, message: object) -> None:
        """Send a message to the newest connection of that name."""
        text = message if isinstance(message, str) else json.dumps(message)
        await self.sockets[name][-1].send_str(text)

    async def drop(self, name: str) -> None:
        """Close the newest connection of that name."""
        await self.sockets[name][-1].close()

    async def serve_rest(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        params: dict[str, Any] = json.loads(body) if body else dict(request.query)
        self.requests.append((request.path, params, dict(request.headers)))
        found = self.rest.get(request.path, (404, answer({}, 10017, "no such path")))
        if callable(found):
            found = found(params)
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        await self._touch()
        status, said, *headers = found
        if isinstance(said, str):
            return web.Response(text=said, status=status, headers=headers[0] if headers else None)
        return web.json_response(said, status=status, headers=headers[0] if headers else None)

    def serve_socket(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            if name in self.refuse_sockets:
                return web.Response(status=503)
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            self.sockets[name].append(socket)
            await self._touch()
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    message = json.loads(frame.data)
                    self.received[name].append(message)
                    await self._reply(name, message, socket)
                    await self._touch()
            return socket

        return serve

    async def _reply(self, name: str, message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        op = message["op"]
        if name == "trade" and op == "auth":
            await socket.send_json({"reqId": message["reqId"], "retCode": 0, "retMsg": "OK", "op": "auth"})
        elif name == "trade":
            await self.trade(message, socket)
        elif op == "ping":
            await socket.send_json({"op": "pong", "args": [str(NOW_MS)], "conn_id": "c"})
        elif self.unanswered.isdisjoint(message.get("args", [])):
            refused = self.refuse_ops.get(op)
            said = {"success": refused is None, "ret_msg": refused or "", "op": op, "req_id": message["req_id"]}
            await socket.send_json({**said, "conn_id": "c"})


@contextlib.asynccontextmanager
async def exchange() -> AsyncIterator[tuple[StubExchange, Endpoints]]:
    """A stub that serves, and the endpoints to reach it."""
    stub = StubExchange()
    app = web.Application()
    for name, path in (("public", "/v5/public/linear"), ("private", "/v5/private"), ("trade", "/v5/trade")):
        app.router.add_get(path, stub.serve_socket(name))
    app.router.add_route("*", "/v5/{path:.*}", stub.serve_rest)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host = f"127.0.0.1:{runner.addresses[0][1]}"
    paths = {"public": "/v5/public/linear", "private": "/v5/private", "trade": "/v5/trade"}
    ws = {name: f"ws://{host}{path}" for name, path in paths.items()}
    try:
        yield stub, Endpoints(rest=f"http://{host}", ws=ws, key=KEY, secret=SECRET)
    finally:
        for sockets in stub.sockets.values():
            for socket in sockets:
                await socket.close()
        await runner.cleanup()
