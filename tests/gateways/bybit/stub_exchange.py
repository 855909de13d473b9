"""A scripted Bybit on loopback: what a test needs to say what it answers, and to see what it was sent."""

import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

from aiohttp import web

from gateways.bybit.venue import BybitVenue
from gateways.venue import Endpoints
from tests.gateways.bybit.messages import NOW_MS, OID, answer, instrument, page
from tests.gateways.listening import Desk, listening
from tests.gateways.scripted_exchange import Respond, Script, ScriptedExchange, serving

KEY, SECRET = "api-key-of-the-test", "secret-of-the-test"
PATHS = {"public": "/v5/public/linear", "private": "/v5/private", "trade": "/v5/trade"}


def taken(request_id: str, op: str, **fields: Any) -> dict[str, Any]:
    """A reply of the order entry socket that accepts a request."""
    data = {"orderId": OID, "orderLinkId": ""}
    return {"reqId": request_id, "retCode": 0, "retMsg": "OK", "op": op, "data": data, "connId": "c", **fields}


class StubExchange(ScriptedExchange):
    """REST answers by path; order entry by a function; streams acknowledge and are pushed to; all received is kept."""

    def __init__(self) -> None:
        super().__init__(PATHS)
        self.requests: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.refuse_ops: dict[str, str] = {}
        """Operation on a stream to the text that it is refused with."""
        self.unanswered: set[str] = set()
        """Topics whose requests on a stream are carried out and not answered."""
        self.rest: dict[str, Script] = {
            "/v5/market/time": (200, answer({"timeSecond": str(NOW_MS // 1000), "timeNano": f"{NOW_MS}000000"})),
            "/v5/market/instruments-info": (200, page([instrument("ETHUSDT", "ETH")])),
            "/v5/position/list": (200, page([])),
        }
        self.trade: Respond = self._take

    async def _take(self, message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        await socket.send_json(taken(message["reqId"], message["op"]))

    def sent(self, path: str) -> list[dict[str, Any]]:
        """The parameters or the body of each such request received."""
        return [params for where, params, _ in self.requests if where == path]

    def orders(self) -> list[dict[str, Any]]:
        """What came on the order entry socket after its login."""
        return [message for message in self.received["trade"] if message["op"].startswith("order.")]

    def topics(self, name: str, op: str = "subscribe") -> list[str]:
        """Every topic that was asked for on a stream, in order."""
        return [topic for message in self.received[name] if message["op"] == op for topic in message["args"]]

    def asked(self, request: web.Request, body: str) -> tuple[Script, dict[str, Any]]:
        params: dict[str, Any] = json.loads(body) if body else dict(request.query)
        self.requests.append((request.path, params, dict(request.headers)))
        return self.rest.get(request.path, (404, answer({}, 10017, "no such path"))), params

    async def respond(self, name: str, message: dict[str, Any], socket: web.WebSocketResponse) -> None:
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


Stub = tuple[StubExchange, Endpoints]
"""A stub that serves, and the endpoints to reach it."""


@contextlib.asynccontextmanager
async def exchange() -> AsyncIterator[Stub]:
    """Serve on a free port."""
    stub = StubExchange()
    async with serving(stub, "/v5", PATHS) as host:
        ws = {name: f"ws://{host}{path}" for name, path in PATHS.items()}
        yield stub, Endpoints(rest=f"http://{host}", ws=ws, key=KEY, secret=SECRET)


def connected(
    stub: StubExchange, endpoints: Endpoints, **options: Any
) -> AbstractAsyncContextManager[tuple[BybitVenue, Desk]]:
    """A venue that is connected to the stub, and who listens to it."""
    return listening(BybitVenue("bybit", endpoints, **options))
