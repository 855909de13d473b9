"""A client of the paper Bybit front without sockets: what the tests of its parts share."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from gateways.paper.bybit.front import PRIVATE_PATH, PUBLIC_PATH, TRADE_PATH, BybitFront
from gateways.paper.bybit.limits import RateLimits
from gateways.paper.front import HttpReply
from tests.gateways.paper.front_client import FrontClient

KEY, SECRET = "paper-key", "paper-secret"
OTHER_KEY, OTHER_SECRET = "other-key", "other-secret"
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


class PaperClient(FrontClient):
    """Asks, signs and listens as a client of Bybit does."""

    ticker = TICKER

    def __init__(self, limits: RateLimits | None = None) -> None:
        super().__init__("bybit", (KEY, OTHER_KEY))
        accounts = {KEY: SECRET, OTHER_KEY: OTHER_SECRET}
        limits = limits or RateLimits(entry=1_000, batch=1_000, queries=1_000, address=10_000)
        self.front = BybitFront(self.exchange, accounts=accounts, now_ns=lambda: self.now_ns, limits=limits)
        self._requests = 0
        self.settle([])

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

    # ---------------------------------------------------------------- websockets

    def say(self, connection: int, message: object) -> Any:
        """Send a message (a text as it is, anything else as JSON); the answer."""
        answer, *more = self.replies(connection, message)
        self.settle(more)
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
