"""A Hyperliquid paper venue in memory, with a clock of its own and a client that signs."""

import json
from decimal import Decimal
from typing import Any

from gateways.hyperliquid.signing import address_of, sign_l1_action
from gateways.paper.contracts import paper_exchange
from gateways.paper.exchange import NewOrder
from gateways.paper.front import HttpReply, Push
from gateways.paper.hyperliquid.front import HyperliquidFront

KEY = "0x" + "11" * 32
ACCOUNT = address_of(KEY)
AGENT_KEY = "0x" + "22" * 32
AGENT = address_of(AGENT_KEY)
START_MS = 1_800_000_000_000
CLOID = "0x" + "ab" * 16
HOUSE = "house"


class Session:
    """The front with one account, a house that quotes BTC at 60000 / 60010, and one websocket connection."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        self._nonce = START_MS
        self.exchange = paper_exchange("hyperliquid", now_ns=self.now_ns)
        self.exchange.open_account(ACCOUNT, Decimal(10_000))
        self.exchange.open_account(HOUSE, Decimal(10) ** 9, house=True)
        self.front = HyperliquidFront(self.exchange, accounts={ACCOUNT: KEY}, now_ns=self.now_ns)
        self.quote("60000", is_buy=True)
        self.quote("60010", is_buy=False)
        self.exchange.drain()
        assert self.front.ws_open(1, "/ws", "") == []

    def now_ns(self) -> int:
        return self.now_ms * 1_000_000

    def quote(self, price: str, *, is_buy: bool, quantity: str = "0.5") -> None:
        """An order of the house, which rests or takes."""
        order = NewOrder(ticker="BTC", is_buy=is_buy, quantity=Decimal(quantity), price=Decimal(price))
        self.exchange.submit(HOUSE, order)

    def post(self, path: str, body: object, **headers: str) -> HttpReply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.front.http("POST", path, "", {"content-type": "application/json", **headers}, raw)

    def info(self, kind: str, **fields: object) -> Any:
        reply = self.post("/info", {"type": kind, **fields})
        assert reply.status == 200, reply
        return json.loads(reply.body)

    def mine(self, kind: str, **fields: object) -> Any:
        return self.info(kind, user=ACCOUNT, **fields)

    def signed(
        self,
        action: dict[str, Any],
        *,
        key: str = KEY,
        nonce: int | None = None,
        mainnet: bool = False,
        expires_after: int | None = None,
        vault: str | None = None,
    ) -> dict[str, Any]:
        self._nonce += 1
        nonce = self._nonce if nonce is None else nonce
        signature = sign_l1_action(key, action, nonce, vault, expires_after, is_mainnet=mainnet)
        return {
            "action": action,
            "nonce": nonce,
            "signature": {"r": signature.r, "s": signature.s, "v": signature.v},
            "vaultAddress": vault,
            "expiresAfter": expires_after,
        }

    def act(self, action: dict[str, Any], **options: Any) -> Any:
        reply = self.post("/exchange", self.signed(action, **options))
        assert reply.status == 200, reply
        return json.loads(reply.body)

    def statuses(self, action: dict[str, Any], **options: Any) -> list[Any]:
        answer = self.act(action, **options)
        assert answer["status"] == "ok", answer
        return answer["response"]["data"]["statuses"]

    def place(self, **fields: Any) -> Any:
        """Place one order; see ``order``."""
        [status] = self.statuses(placing(order(**fields)))
        return status

    # -------------------------------------------------------------- websocket

    def say(self, message: object) -> list[Any]:
        text = message if isinstance(message, str) else json.dumps(message)
        return heard(self.front.ws_message(1, text))

    def subscribe(self, kind: str, **fields: object) -> list[Any]:
        echo, *first = self.say({"method": "subscribe", "subscription": {"type": kind, **fields}})
        assert echo["channel"] == "subscriptionResponse", echo
        return first

    def news(self) -> list[Any]:
        """What is pushed for what happened since the last call."""
        return heard(self.front.happened(self.exchange.drain()))

    def tick(self) -> list[Any]:
        return heard(self.front.tick())


def heard(pushes: list[Push]) -> list[Any]:
    return [json.loads(push.text) for push in pushes if push.text]


def order(
    *,
    asset: int = 0,
    buy: bool = True,
    price: str = "50000",
    size: str = "0.01",
    tif: str = "Gtc",
    reduce: bool = False,
    cloid: str | None = None,
) -> dict[str, Any]:
    """An order as the official SDK writes it."""
    fields: dict[str, Any] = {"a": asset, "b": buy, "p": price, "s": size, "r": reduce, "t": {"limit": {"tif": tif}}}
    return fields if cloid is None else {**fields, "c": cloid}


def placing(*orders: dict[str, Any]) -> dict[str, Any]:
    return {"type": "order", "orders": list(orders), "grouping": "na"}
