"""A client of the paper OKX front without sockets: a clock that moves when told, signed requests, pushes kept."""

import base64
import hmac
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from gateways.paper.front import HttpReply
from gateways.paper.okx.front import OkxFront
from gateways.paper.okx.limits import RateMeter
from gateways.standards import Credentials
from tests.gateways.paper.front_client import HOUSE, FrontClient

OWNER = Credentials("paper-key", "paper-secret", "Pass-1")
OTHER = Credentials("other-key", "other-secret", "Pass-2")
FLOW = "flow"
"""Who comes to trade with the house's quotes."""
TICKER = "BTC-USDT-SWAP"
CODE = 10459
"""The contract's ``instIdCode``."""

LIMIT = {"instId": TICKER, "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "1", "px": "94000"}
"""An order of a hundredth of a bitcoin that rests."""

MARKET = {"ordType": "market", "px": ""}


class PaperClient(FrontClient):
    """Asks, signs and listens as a client of OKX does."""

    ticker = TICKER
    trader = FLOW

    def __init__(self, limits: dict[str, tuple[int, int]] | None = None) -> None:
        super().__init__("okx", (OWNER.key, OTHER.key), (HOUSE, FLOW))
        owners = {each.key: each for each in (OWNER, OTHER)}
        meter = None if limits is None else RateMeter(lambda: self.now_ns, limits)
        self.front = OkxFront(self.exchange, accounts=owners, now_ns=lambda: self.now_ns, meter=meter)
        self.settle([])

    # ---------------------------------------------------------------- the market

    def meet(self, client_id: str, quantity: str) -> None:
        """Let the house trade with one resting order, in base units, whatever stands before it."""
        self.exchange.meet(HOUSE, OWNER.key, TICKER, client_id=client_id, quantity=Decimal(quantity))
        self.settle([])

    # ---------------------------------------------------------------------- REST

    def send(
        self,
        method: str,
        path: str,
        content: object = None,
        *,
        owner: Credentials = OWNER,
        ahead_ms: int = 0,
        headers: dict[str, str] | None = None,
    ) -> HttpReply:
        """A signed request: ``content`` is the query of a GET, the JSON of a POST. ``path`` after ``/api/v5/``."""
        path = f"/api/v5/{path}"
        query = urlencode(content) if method == "GET" and isinstance(content, dict) else ""
        body = b"" if method == "GET" else json.dumps(content).encode()
        at = iso(self.now_ms + ahead_ms)
        target = f"{path}?{query}" if query else path
        proof = {
            "ok-access-key": owner.key,
            "ok-access-passphrase": owner.passphrase,
            "ok-access-timestamp": at,
            "ok-access-sign": sign(owner.secret, at + method + target + body.decode()),
        }
        return self.http(method, path, query, {**proof, **(headers or {})}, body)

    def ask(self, path: str, **params: Any) -> list[Any]:
        """The rows of a GET that succeeds."""
        return rows(self.send("GET", path, params))

    def post(self, path: str, content: object) -> list[Any]:
        """The rows of a POST that succeeds."""
        return rows(self.send("POST", path, content))

    def public(self, path: str, **params: object) -> list[Any]:
        """The rows of a public GET that succeeds."""
        return rows(self.http("GET", f"/api/v5/{path}", urlencode(params)))

    def order(self, **params: Any) -> Any:
        """A limit order that is taken, unless ``params`` say otherwise; its receipt."""
        (receipt,) = self.post("trade/order", {**LIMIT, **params})
        return receipt

    def declined(self, path: str, content: object) -> str:
        """The ``sCode`` of the one item of a request of order entry that is refused."""
        reply = json.loads(self.send("POST", path, content).body)
        (item,) = reply["data"]
        assert (reply["code"], bool(item["sMsg"])) == ("1", True)
        return str(item["sCode"])

    def details(self, **named: str) -> Any:
        """One order, as it is asked for."""
        (row,) = self.ask("trade/order", instId=TICKER, **named)
        return row

    # ---------------------------------------------------------------- websockets

    def connect(self, place: str = "public") -> int:
        """Open a connection; its number."""
        return super().connect(f"/ws/v5/{place}")

    def say(self, connection: int, message: object) -> list[Any]:
        """Send a message (a text as it is, anything else as JSON); what is answered to it, before any news."""
        replies = self.replies(connection, message)
        self.settle([])
        assert {reply.connection for reply in replies} <= {connection}
        return [reply.text if reply.text == "pong" else json.loads(reply.text) for reply in replies]

    def login(self, connection: int, *, owner: Credentials = OWNER, ahead_s: int = 0, **other: object) -> Any:
        """Log a connection in, ``ahead_s`` seconds off the venue's time; the answer."""
        seconds = str(self.now_ns // 1_000_000_000 + ahead_s)
        proof = {
            "apiKey": owner.key,
            "passphrase": owner.passphrase,
            "timestamp": seconds,
            "sign": sign(owner.secret, f"{seconds}GET/users/self/verify"),
        }
        (answer,) = self.say(connection, {"op": "login", "args": [{**proof, **other}]})
        return answer

    def private(self, *channels: dict[str, str], owner: Credentials = OWNER) -> int:
        """A private connection, logged in and subscribed; its number. What was answered is forgotten."""
        connection = self.connect("private")
        assert self.login(connection, owner=owner)["event"] == "login"
        if channels:
            self.subscribe(connection, *channels)
        self.heard(connection)
        return connection

    def subscribe(self, connection: int, *channels: dict[str, str]) -> list[Any]:
        """Subscribe; the answers, first messages included."""
        return self.say(connection, {"op": "subscribe", "args": list(channels)})

    def call(self, connection: int, op: str, *items: dict[str, Any], **more: object) -> Any:
        """A request of order entry over a private connection; its reply."""
        (reply,) = self.say(connection, {"id": "7", "op": op, "args": list(items), **more})
        assert (reply["id"], reply["op"]) == ("7", op)
        return reply

    def heard(self, connection: int, channel: str = "") -> list[Any]:
        """What a connection was sent since it was last asked, answers left out; of one channel its rows alone."""
        messages = super().heard(connection)
        if not channel:
            return messages
        return [row for each in messages if each["arg"]["channel"] == channel for row in each["data"]]

    @property
    def stamp(self) -> str:
        """The clock as the venue writes it."""
        return str(self.now_ms)


def iso(ms: int) -> str:
    """A time as the headers carry it."""
    return f"{datetime.fromtimestamp(ms // 1_000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1_000:03d}Z"


def sign(secret: str, payload: str) -> str:
    """The signature of the documentation."""
    return base64.b64encode(hmac.digest(secret.encode(), payload.encode(), "sha256")).decode()


def rows(reply: HttpReply) -> list[Any]:
    """The rows of an answer that is none of refusal."""
    body = json.loads(reply.body)
    assert (reply.status, body["code"]) == (200, "0"), reply.body
    return list(body["data"])


def refusal(reply: HttpReply) -> tuple[int, str]:
    """The HTTP status and the code of a refused request, which has a text as well."""
    body = json.loads(reply.body)
    assert (bool(body["msg"]), body["data"]) == (True, [])
    return reply.status, body["code"]
