"""A client of the paper Bybit front without sockets: what the tests of its parts share."""

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from gateways.paper.bybit.front import PRIVATE_PATH, PUBLIC_PATH, TRADE_PATH, BybitFront
from gateways.paper.bybit.limits import RateLimits
from gateways.paper.contracts import paper_exchange
from gateways.paper.front import HttpReply, Push
from gateways.paper.records import NewOrder

KEY, SECRET = "paper-key", "paper-secret"
OTHER_KEY, OTHER_SECRET = "other-key", "other-secret"
HOUSE = "house"
START_NS = 1_800_000_000_000_000_000
MONEY = Decimal(1_000_000)
TICKER = "BTCUSDT"
LIMIT = {
    "category": "linear",
    "symbol": TICKER,
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.010",
    "price": "94000.0",
}
MARKET = {"category": "linear", "symbol": TICKER, "side": "Buy", "orderType": "Market", "qty": "0.010"}


class PaperClient:
    """Drives a front as the server's shell does: drain after every call, pushes in order."""

    def __init__(self, limits: RateLimits | None = None) -> None:
        self.now_ns = START_NS
        self.exchange = paper_exchange("bybit", now_ns=lambda: self.now_ns)
        for account in (KEY, OTHER_KEY):
            self.exchange.open_account(account, MONEY)
        self.exchange.open_account(HOUSE, MONEY, house=True)
        accounts = {KEY: SECRET, OTHER_KEY: OTHER_SECRET}
        limits = limits or RateLimits(entry=1_000, batch=1_000, queries=1_000, address=10_000)
        self.front = BybitFront(self.exchange, accounts=accounts, now_ns=lambda: self.now_ns, limits=limits)
        self.pushes: list[Push] = []
        self.closed: set[int] = set()
        self._connections = 0
        self._requests = 0
        self._settle([])

    # ---------------------------------------------------------------- the market

    def ladder(self, ticker: str = TICKER, middle: str = "95000", step: str = "0.1", levels: int = 25) -> None:
        """Rest ``levels`` house orders of 0.5 on each side of ``middle``, the first one step away from it."""
        for place in range(1, levels + 1):
            away = Decimal(step) * place
            self.house(ticker, is_buy=True, price=str(Decimal(middle) - away))
            self.house(ticker, is_buy=False, price=str(Decimal(middle) + away))

    def house(self, ticker: str, *, is_buy: bool, price: str | None, quantity: str = "0.5") -> int:
        """An order of the house; its number."""
        worth = None if price is None else Decimal(price)
        new = NewOrder(ticker=ticker, is_buy=is_buy, quantity=Decimal(quantity), price=worth)
        order = self.exchange.submit(HOUSE, new)
        self._settle([])
        return order.order_id

    def wait(self, milliseconds: int) -> None:
        """Let time pass in one step, then tick."""
        self.now_ns += milliseconds * 1_000_000
        self._settle(self.front.tick())

    # ---------------------------------------------------------------------- REST

    def send(
        self, method: str, path: str, *, key: str = KEY, secret: str = SECRET, ahead: int = 0, window: str = "5000",
        **fields: Any,
    ) -> HttpReply:  # fmt: skip
        """A signed request, its time ``ahead`` milliseconds off the venue's."""
        payload = urlencode(fields) if method == "GET" else json.dumps(fields)
        time = str(self.now_ms + ahead)
        headers = {
            "x-bapi-api-key": key,
            "x-bapi-timestamp": time,
            "x-bapi-recv-window": window,
            "x-bapi-sign": sign(secret, f"{time}{key}{window}{payload}"),
        }
        if method == "GET":
            return self.http("GET", path, payload, headers)
        return self.http("POST", path, "", headers, payload.encode())

    def get(self, path: str, **fields: Any) -> Any:
        """A signed question that is answered; its result."""
        return answered(self.send("GET", path, **fields))

    def post(self, path: str, **fields: Any) -> Any:
        """A signed request that is taken; its result."""
        return answered(self.send("POST", path, **fields))

    def refused(self, method: str, path: str, **fields: Any) -> tuple[int, str]:
        """A signed request that is refused; the venue's code and words."""
        said = json.loads(self.send(method, path, **fields).body)
        assert said["retCode"], said
        assert said["retMsg"]
        return said["retCode"], said["retMsg"]

    def public(self, path: str, **fields: Any) -> Any:
        """A public question that is answered; its result."""
        return answered(self.http("GET", path, urlencode(fields)))

    def order(self, **fields: Any) -> dict[str, Any]:
        """Place a limit order, unless ``fields`` say otherwise; the order as the venue states it then."""
        named = self.post("/v5/order/create", **{**LIMIT, **fields})
        return self.row(named["orderId"], str(fields.get("symbol", TICKER)))

    def row(self, order_id: str, symbol: str = TICKER) -> dict[str, Any]:
        """An order as the venue states it."""
        (row,) = self.get("/v5/order/realtime", category="linear", symbol=symbol, orderId=order_id)["list"]
        return dict(row)

    def http(
        self, method: str, path: str, query: str = "", headers: dict[str, str] | None = None, body: bytes = b""
    ) -> HttpReply:
        """A request as it comes from the wire."""
        reply = self.front.http(method, path, query, headers or {}, body)
        self._settle([])
        return reply

    # ---------------------------------------------------------------- websockets

    def connect(self, path: str, query: str = "") -> int:
        """Open a connection; its number."""
        self._connections += 1
        self._settle(self.front.ws_open(self._connections, path, query))
        return self._connections

    def say(self, connection: int, message: object) -> Any:
        """Send a message (a text as it is, anything else as JSON); the answer."""
        text = message if isinstance(message, str) else json.dumps(message)
        answer, *more = self.front.ws_message(connection, text)
        self._settle(more)
        assert answer.connection == connection
        return json.loads(answer.text)

    def login(self, connection: int, *, key: str = KEY, secret: str = SECRET, ahead: int = 10_000) -> Any:
        """Log a connection in, until ``ahead`` milliseconds from now; the answer."""
        expires = self.now_ms + ahead
        return self.say(connection, {"op": "auth", "args": [key, expires, sign(secret, f"GET/realtime{expires}")]})

    def private(self, *topics: str, key: str = KEY, secret: str = SECRET) -> int:
        """A private connection that listens to topics."""
        connection = self.connect(PRIVATE_PATH)
        assert self.login(connection, key=key, secret=secret)["success"]
        if topics:
            assert self.say(connection, {"op": "subscribe", "args": list(topics)})["success"]
        return connection

    def market(self, *topics: str) -> int:
        """A public connection that listens to topics."""
        connection = self.connect(PUBLIC_PATH)
        assert self.say(connection, {"op": "subscribe", "args": list(topics)})["success"]
        return connection

    def entry(self) -> int:
        """An order entry connection that is logged in."""
        connection = self.connect(TRADE_PATH)
        assert self.login(connection)["retCode"] == 0
        return connection

    def enter(self, connection: int, op: str, *, ahead: int = 0, **fields: Any) -> Any:
        """A request of order entry; the answer."""
        self._requests += 1
        header = {"X-BAPI-TIMESTAMP": str(self.now_ms + ahead)}
        return self.say(connection, {"reqId": f"r{self._requests}", "header": header, "op": op, "args": [fields]})

    def heard(self, connection: int) -> list[Any]:
        """What a connection was sent since it was last asked, answers to its requests left out."""
        messages = [json.loads(push.text) for push in self.pushes if push.connection == connection and push.text]
        self.pushes = [push for push in self.pushes if push.connection != connection]
        return messages

    @property
    def now_ms(self) -> int:
        """The clock in the venue's milliseconds."""
        return self.now_ns // 1_000_000

    def _settle(self, pushes: list[Push]) -> None:
        for push in [*pushes, *self.front.happened(self.exchange.drain())]:
            self.pushes.append(push)
            if push.close:
                self.closed.add(push.connection)
                self.front.ws_closed(push.connection)


def sign(secret: str, payload: str) -> str:
    """The venue's signature."""
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def answered(reply: HttpReply) -> Any:
    """The result of an answer that says that all is well."""
    said = json.loads(reply.body)
    assert (reply.status, said["retCode"], said["retMsg"]) == (200, 0, "OK"), said
    assert set(said) == {"retCode", "retMsg", "result", "retExtInfo", "time"}
    return said["result"]


def code_of(reply: HttpReply) -> int:
    """The code of an answer."""
    return int(json.loads(reply.body)["retCode"])
