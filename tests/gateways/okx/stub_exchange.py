"""A scripted OKX on loopback: answers what a test tells it to, and records what it is sent."""

import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from gateways.okx.encode import sign
from gateways.okx.venue import OkxVenue
from gateways.venue import Endpoints
from tests.gateways.listening import Desk, listening
from tests.gateways.okx.messages import instrument, taken
from tests.gateways.scripted_exchange import Respond, Script, ScriptedExchange, serving

KEY, SECRET, PASSPHRASE = "the-key-of-the-account", "the-secret-of-the-account", "the-passphrase"
PATHS = {name: f"/ws/v5/{name}" for name in ("public", "private")}

ORDER_OPS = frozenset({"order", "amend-order", "cancel-order"})
BATCH_OPS = frozenset({"batch-orders", "batch-cancel-orders"})


def said(*rows: Any, code: str = "0", msg: str = "", status: int = 200) -> Script:
    """An answer of the venue's form."""
    return status, {"code": code, "msg": msg, "data": list(rows)}


class StubExchange(ScriptedExchange):
    """What the venue says and what it was told. ``rest``: answers by method and path; ``api``: to order requests."""

    def __init__(self) -> None:
        super().__init__((*PATHS, "subscribed"))
        self.requests: list[tuple[str, str, Any, dict[str, str]]] = []
        self.pings = 0
        self.refuse_login = False
        self.rest: dict[tuple[str, str], Script] = {
            ("GET", "/api/v5/public/time"): said({"ts": "1700000000000"}),
            ("GET", "/api/v5/public/instruments"): said(instrument()),
            ("GET", "/api/v5/account/config"): said({"posMode": "net_mode", "acctLv": "2"}),
        }
        self.api: Respond = self.take

    async def take(self, message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        """Take any order request."""
        await self.reply(message, socket, taken())

    async def reply(
        self, message: dict[str, Any], socket: web.WebSocketResponse, *rows: Any, code: str = "0", msg: str = ""
    ) -> None:
        """Answer an order request."""
        await socket.send_json({"id": message["id"], "op": message["op"], "code": code, "msg": msg, "data": list(rows)})

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
        await super().push(name, message)

    def asked(self, request: web.Request, body: str) -> tuple[Script, Any]:
        params = json.loads(body) if body else dict(parse_qsl(request.query_string))
        self.requests.append((request.method, request.path, params, dict(request.headers)))
        if "OK-ACCESS-SIGN" in request.headers:
            payload = f"{request.headers['OK-ACCESS-TIMESTAMP']}{request.method}{request.raw_path}{body}"
            assert request.headers["OK-ACCESS-SIGN"] == sign(SECRET, payload)
        return self.rest.get((request.method, request.path), said(code="50404", msg="no such path")), params

    async def heard(self, name: str, text: str, socket: web.WebSocketResponse) -> None:
        if text == "ping":
            self.pings += 1
            await socket.send_str("pong")
        else:
            await super().heard(name, text, socket)

    async def respond(self, name: str, message: dict[str, Any], socket: web.WebSocketResponse) -> None:
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


Stub = tuple[StubExchange, Endpoints]
"""A stub that serves, and the endpoints to reach it."""


@contextlib.asynccontextmanager
async def exchange() -> AsyncIterator[Stub]:
    """Serve on a free port."""
    stub = StubExchange()
    async with serving(stub, "/api", PATHS) as host:
        ws = {name: f"ws://{host}{path}" for name, path in PATHS.items()}
        yield stub, Endpoints(rest=f"http://{host}", ws=ws, key=KEY, secret=SECRET, passphrase=PASSPHRASE, kind="okx")


def connected(
    stub: StubExchange, endpoints: Endpoints, **options: Any
) -> AbstractAsyncContextManager[tuple[OkxVenue, Desk]]:
    """A venue that is connected to the stub, and who listens to it."""
    return listening(OkxVenue("okx", endpoints, **options))


def refusing(stub: StubExchange, code: str, text: str = "no") -> Respond:
    """An answer to order requests: refused by the item's own code."""

    async def answer(message: dict[str, Any], socket: web.WebSocketResponse) -> None:
        await stub.reply(message, socket, taken(ordId="", sCode=code, sMsg=text), code="1", msg="failed")

    return answer
