"""A client of the paper OKX front without sockets: a clock that moves when told, signed requests, pushes kept."""

import base64
import hmac
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from gateways.paper.contracts import paper_exchange
from gateways.paper.front import HttpReply, Push
from gateways.paper.okx.front import OkxFront
from gateways.paper.okx.limits import RateMeter
from gateways.paper.records import NewOrder
from gateways.standards import Credentials

OWNER = Credentials("paper-key", "paper-secret", "Pass-1")
OTHER = Credentials("other-key", "other-secret", "Pass-2")
HOUSE, FLOW = "house", "flow"
"""Who quotes, and who comes to trade with the quotes."""
START_NS = 1_800_000_000_000_000_000
MONEY = Decimal(1_000_000)
TICKER = "BTC-USDT-SWAP"
CODE = 10459
"""The contract's ``instIdCode``."""

LIMIT = {"instId": TICKER, "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "1", "px": "94000"}
"""An order of a hundredth of a bitcoin that rests."""

MARKET = {"ordType": "market", "px": ""}


class PaperClient:
    """Drives a front as the server's shell does: drain after every call, pushes in order."""

    def __init__(self, limits: dict[str, tuple[int, int]] | None = None) -> None:
        self.now_ns = START_NS
        self.exchange = paper_exchange("okx", now_ns=lambda: self.now_ns)
        for account in (OWNER.key, OTHER.key):
            self.exchange.open_account(account, MONEY)
        for house in (HOUSE, FLOW):
            self.exchange.open_account(house, MONEY, house=True)
        owners = {each.key: each for each in (OWNER, OTHER)}
        meter = None if limits is None else RateMeter(lambda: self.now_ns, limits)
        self.front = OkxFront(self.exchange, accounts=owners, now_ns=lambda: self.now_ns, meter=meter)
        self.pushes: list[Push] = []
        self.closed: set[int] = set()
        self._connections = 0
        self._settle([])

    # ---------------------------------------------------------------- the market

    def ladder(self, ticker: str = TICKER, middle: str = "95000", step: str = "0.1", levels: int = 25) -> None:
        """Rest ``levels`` house orders of half a base unit on each side of ``middle``, the first one step away."""
        for place in range(1, levels + 1):
            for sign in (-1, 1):
                price = Decimal(middle) + sign * place * Decimal(step)
                self.house(ticker, is_buy=sign < 0, price=str(price), quantity="0.5", account=HOUSE)

    def house(self, ticker: str, *, is_buy: bool, price: str | None, quantity: str, account: str = FLOW) -> int:
        """An order of the house, in base units; its id."""
        limit = None if price is None else Decimal(price)
        order = self.exchange.submit(
            account, NewOrder(ticker=ticker, is_buy=is_buy, quantity=Decimal(quantity), price=limit)
        )
        self._settle([])
        return order.order_id

    def meet(self, client_id: str, quantity: str) -> None:
        """Let the house trade with one resting order, in base units, whatever stands before it."""
        self.exchange.meet(HOUSE, OWNER.key, TICKER, client_id=client_id, quantity=Decimal(quantity))
        self._settle([])

    def wait(self, milliseconds: int) -> None:
        """Let time pass in one step, then tick."""
        self.now_ns += milliseconds * 1_000_000
        self._settle(self.front.tick())

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
        at = iso(self.now_ns // 1_000_000 + ahead_ms)
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

    def http(
        self, method: str, path: str, query: str = "", headers: dict[str, str] | None = None, body: bytes = b""
    ) -> HttpReply:
        """A request as it comes from the wire."""
        reply = self.front.http(method, path, query, headers or {}, body)
        self._settle([])
        return reply

    # ---------------------------------------------------------------- websockets

    def connect(self, place: str = "public") -> int:
        """Open a connection; its number."""
        self._connections += 1
        self._settle(self.front.ws_open(self._connections, f"/ws/v5/{place}", ""))
        return self._connections

    def say(self, connection: int, message: object) -> list[Any]:
        """Send a message (a text as it is, anything else as JSON); what is answered to it, before any news."""
        text = message if isinstance(message, str) else json.dumps(message)
        replies = self.front.ws_message(connection, text)
        self._settle([])
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
        messages = [json.loads(push.text) for push in self.pushes if push.connection == connection and push.text]
        self.pushes = [push for push in self.pushes if push.connection != connection]
        if not channel:
            return messages
        return [row for each in messages if each["arg"]["channel"] == channel for row in each["data"]]

    @property
    def now_ms(self) -> str:
        """The clock as the venue writes it."""
        return str(self.now_ns // 1_000_000)

    def _settle(self, pushes: list[Push]) -> None:
        for push in [*pushes, *self.front.happened(self.exchange.drain())]:
            self.pushes.append(push)
            if push.close:
                self.closed.add(push.connection)


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
