"""A client of the paper Binance front without sockets: a clock that moves when told, signed requests, pushes kept."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from gateways.paper.binance.front import BinanceFront
from gateways.paper.binance.limits import RateLimits
from gateways.paper.front import HttpReply
from tests.gateways.paper.front_client import FrontClient

KEY = "paper-key"
SECRET = "paper-secret"
OTHER_KEY = "other-key"


class PaperClient(FrontClient):
    """Asks, signs and listens as a client of Binance does."""

    ticker = "BTCUSDT"

    def __init__(self, limits: RateLimits | None = None) -> None:
        super().__init__("binance", (KEY, OTHER_KEY))
        accounts = {KEY: SECRET, OTHER_KEY: SECRET}
        self.front = BinanceFront(self.exchange, accounts=accounts, now_ns=lambda: self.now_ns, limits=limits)
        self.settle([])

    # ---------------------------------------------------------------- the market

    def quote(self, ticker: str, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
        """Rest house orders at these prices and quantities."""
        for is_buy, levels in ((True, bids), (False, asks)):
            for price, quantity in levels:
                self.house(ticker, is_buy=is_buy, price=price, quantity=quantity)

    # ---------------------------------------------------------------------- REST

    def public(self, path: str, **params: object) -> Any:
        """A public GET that succeeds."""
        reply = self.http("GET", path, urlencode(params))
        assert reply.status == 200, reply.body
        return json.loads(reply.body)

    def send(self, method: str, path: str, *, key: str = KEY, in_body: bool = False, **params: object) -> HttpReply:
        """A signed request."""
        text = signed({**params, "timestamp": self.now_ms})
        headers = {"x-mbx-apikey": key}
        if in_body:
            return self.http(method, path, "", headers, text.encode())
        return self.http(method, path, text, headers)

    def ask(self, method: str, path: str, **params: Any) -> Any:
        """A signed request that succeeds."""
        reply = self.send(method, path, **params)
        assert reply.status == 200, reply.body
        return json.loads(reply.body)

    def refused(self, method: str, path: str, **params: Any) -> int:
        """A signed request that is refused; the venue's code."""
        reply = self.send(method, path, **params)
        assert reply.status >= 400, reply.body
        return code_of(reply)

    def order(self, **params: Any) -> Any:
        """A limit order that is taken, unless ``params`` say otherwise."""
        return self.ask("POST", "/fapi/v1/order", **{**LIMIT, **params})

    # ---------------------------------------------------------------- websockets

    def say(self, connection: int, message: object) -> Any:
        """Send a message (a text as it is, anything else as JSON); the answer."""
        replies = self.replies(connection, message)
        self.settle([])
        assert [reply.connection for reply in replies] == [connection]
        return json.loads(replies[0].text)

    def call(self, connection: int, method: str, *, secret: str = SECRET, ahead: int = 0, **params: Any) -> Any:
        """A signed request of the websocket API, its time ``ahead`` milliseconds off the venue's; its answer."""
        values = {**params, "apiKey": KEY, "timestamp": self.now_ms + ahead}
        payload = "&".join(f"{name}={_text(values[name])}" for name in sorted(values))
        values["signature"] = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        return self.say(connection, {"id": "a", "method": method, "params": values})

    def stream(self) -> int:
        """A private stream of the account; its connection."""
        key = self.ask("POST", "/fapi/v1/listenKey")["listenKey"]
        return self.connect("/private/ws", f"listenKey={key}")


LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.010",
    "price": "94000.0",
}


def signed(params: dict[str, object], secret: str = SECRET) -> str:
    """The parameters urlencoded, with their signature at the end."""
    text = urlencode(params)
    return f"{text}&signature={hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}"


def code_of(reply: HttpReply) -> int:
    """The code of an error body, which has a text as well."""
    body = json.loads(reply.body)
    assert set(body) == {"code", "msg"}
    assert body["msg"]
    return int(body["code"])


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
