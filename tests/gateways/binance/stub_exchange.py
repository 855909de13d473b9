"""A scripted Binance on loopback: what a test needs to say what it answers, and to see what it was sent."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from gateways.binance.venue import BinanceVenue
from gateways.venue import Endpoints
from tests.gateways.binance.messages import EXCHANGE_INFO
from tests.gateways.listening import Desk, listening
from tests.gateways.scripted_exchange import Answer, Respond, Script, ScriptedExchange, serving

KEY, SECRET = "api-key-of-the-test", "secret-of-the-test"
PATHS = {"private": "/private/ws", "api": "/ws-fapi/v1", "public": "/public/stream", "market": "/market/stream"}


class StubExchange(ScriptedExchange):
    """REST answers by method and path; websocket API answers by a function; everything received is kept."""

    def __init__(self) -> None:
        super().__init__(PATHS)
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.keys = 0
        self.rest: dict[tuple[str, str], Script] = {
            ("GET", "/fapi/v1/time"): (200, {"serverTime": 1_700_000_000_000}),
            ("GET", "/fapi/v1/exchangeInfo"): (200, EXCHANGE_INFO),
            ("GET", "/fapi/v1/positionSide/dual"): (200, {"dualSidePosition": False}),
            ("POST", "/fapi/v1/listenKey"): self._new_key,
            ("PUT", "/fapi/v1/listenKey"): (200, {}),
        }
        self.api: Respond = self._refuse

    def _new_key(self, params: dict[str, str]) -> Answer:
        self.keys += 1
        return 200, {"listenKey": f"listen-key-number-{self.keys}"}

    async def _refuse(self, message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        await socket.send_json({"id": message["id"], "status": 400, "error": {"code": -1100, "msg": "not scripted"}})

    def sent(self, method: str, path: str) -> list[dict[str, str]]:
        """The parameters of each such request received."""
        return [params for verb, where, params in self.requests if (verb, where) == (method, path)]

    def asked(self, request: web.Request, body: str) -> tuple[Script, dict[str, str]]:
        params = dict(parse_qsl(request.query_string)) | dict(parse_qsl(body))
        self.requests.append((request.method, request.path, params))
        return self.rest.get((request.method, request.path), (404, {"code": -1, "msg": "no such path"})), params

    async def respond(self, name: str, message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        self.facts.changed()
        if name == "api":
            await self.api(message, socket)
        else:
            await socket.send_json({"result": None, "id": message["id"]})


Stub = tuple[StubExchange, Endpoints]
"""A stub that serves, and the endpoints to reach it."""


@contextlib.asynccontextmanager
async def exchange() -> AsyncIterator[Stub]:
    """Serve on a free port."""
    stub = StubExchange()
    async with serving(stub, "/fapi", PATHS) as host:
        ws = {name: f"ws://{host}/{name}" for name in ("public", "market", "private")}
        ws["api"] = f"ws://{host}{PATHS['api']}"
        yield stub, Endpoints(rest=f"http://{host}", ws=ws, key=KEY, secret=SECRET)


def connected(
    stub: StubExchange, endpoints: Endpoints, **options: Any
) -> AbstractAsyncContextManager[tuple[BinanceVenue, Desk]]:
    """A venue that is connected to the stub, and who listens to it."""
    return listening(BinanceVenue("binance", endpoints, **options))
