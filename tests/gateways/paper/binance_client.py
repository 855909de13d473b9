"""A client of the paper Binance front without sockets: a clock that moves when told, signed requests, pushes kept."""

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from gateways.paper.binance.front import BinanceFront
from gateways.paper.binance.limits import RateLimits
from gateways.paper.contracts import paper_exchange
from gateways.paper.front import HttpReply, Push
from gateways.paper.records import NewOrder

KEY = "paper-key"
SECRET = "paper-secret"
OTHER_KEY = "other-key"
HOUSE = "house"
START_NS = 1_800_000_000_000_000_000
MONEY = Decimal(1_000_000)


class PaperClient:
    """Drives a front as the server's shell does: drain after every call, pushes in order."""

    def __init__(self, limits: RateLimits | None = None) -> None:
        self.now_ns = START_NS
        self.exchange = paper_exchange("binance", now_ns=lambda: self.now_ns)
        for account in (KEY, OTHER_KEY):
            self.exchange.open_account(account, MONEY)
        self.exchange.open_account(HOUSE, MONEY, house=True)
        self.front = BinanceFront(
            self.exchange, accounts={KEY: SECRET, OTHER_KEY: SECRET}, now_ns=lambda: self.now_ns, limits=limits
        )
        self.pushes: list[Push] = []
        self.closed: set[int] = set()
        self._connections = 0
        self._settle([])

    # ---------------------------------------------------------------- the market

    def quote(self, ticker: str, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
        """Rest house orders at these prices and quantities."""
        for is_buy, levels in ((True, bids), (False, asks)):
            for price, quantity in levels:
                self.house(ticker, is_buy=is_buy, price=price, quantity=quantity)

    def ladder(self, ticker: str = "BTCUSDT", middle: str = "95000", step: str = "0.1", levels: int = 25) -> None:
        """Rest ``levels`` house orders of 0.5 on each side of ``middle``, the first one step away from it."""
        prices = [Decimal(step) * place for place in range(1, levels + 1)]
        bids = [(str(Decimal(middle) - price), "0.5") for price in prices]
        self.quote(ticker, bids, [(str(Decimal(middle) + price), "0.5") for price in prices])

    def house(self, ticker: str, *, is_buy: bool, price: str | None, quantity: str) -> int:
        """An order of the house; its id."""
        order = self.exchange.submit(
            HOUSE,
            NewOrder(
                ticker=ticker,
                is_buy=is_buy,
                quantity=Decimal(quantity),
                price=None if price is None else Decimal(price),
            ),
        )
        self._settle([])
        return order.order_id

    def wait(self, milliseconds: int) -> None:
        """Let time pass in one step, then tick."""
        self.now_ns += milliseconds * 1_000_000
        self._settle(self.front.tick())

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
        replies = self.front.ws_message(connection, text)
        self._settle([])
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
