"""The bench venue with accounts on Hyperliquid, in form, beside those on Binance: all whose name is ``hyperliquid``.

As bare as the other: every order is an IOC that is filled in full. But an order counts as come in only where the
account signed it, for signing is part of what is measured; that is looked at once the arrival is stamped.
"""

import asyncio
import time
from collections import deque
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from bench.binance_venue import MARKET_S, TRADES_KEPT, BinanceVenue, OnOrder, now_ms
from bench.clients.bare import SECRET
from bench.socket_server import Socket
from gateways.hyperliquid.decode import GREETING
from gateways.hyperliquid.signing import Signature, address_of, recover

NAME = "hyperliquid"
COIN, BID, ASK = "ETH", "2500.0", "2500.1"
ADDRESS = address_of(SECRET)
PAGE = 2_000

META = {
    "universe": [{"name": COIN, "szDecimals": 4, "maxLeverage": 25, "marginTableId": 25}],
    "marginTables": [], "collateralToken": 0,
}  # fmt: skip

_json = msgspec.json.encode


class Account:
    """One contender's account: its orders by oid, what it holds, which connection hears which channel."""

    def __init__(self) -> None:
        self.orders: dict[int, dict[str, Any]] = {}
        self.by_cloid: dict[str, int] = {}
        self.fills: deque[dict[str, Any]] = deque(maxlen=TRADES_KEPT)
        self.position = Decimal(0)
        self.sockets: dict[str, Socket] = {}

    def tell(self, channel: str, data: Any) -> None:
        """Send to who subscribed to the channel, if anybody did."""
        if (socket := self.sockets.get(channel)) is not None:
            socket.send(_json({"channel": channel, "data": data}))

    def state(self) -> dict[str, Any]:
        """What it holds, and its money."""
        summary = {"accountValue": "1000000000.0", "totalNtlPos": "0.0", "totalRawUsd": "0.0", "totalMarginUsed": "0.0"}
        held = {"coin": COIN, "szi": f"{self.position}", "entryPx": BID, "unrealizedPnl": "0.0"}
        return {
            "assetPositions": [{"type": "oneWay", "position": held}] if self.position else [],
            "marginSummary": summary, "crossMarginSummary": summary, "withdrawable": "1000000000.0", "time": now_ms(),
        }  # fmt: skip

    def status(self, wanted: int | str) -> dict[str, Any]:
        """The answer to ``orderStatus``, by oid or cloid."""
        oid = wanted if isinstance(wanted, int) else self.by_cloid.get(wanted, 0)
        if (order := self.orders.get(oid)) is None:
            return {"status": "unknownOid"}
        changed = {"order": order, "status": "filled", "statusTimestamp": order["timestamp"]}
        return {"status": "order", "order": changed}


class BinanceAndHyperliquid(BinanceVenue):
    """Both venues on the same two ports."""

    def __init__(self, on_order: OnOrder) -> None:
        super().__init__(on_order)
        self._hyperliquid: dict[str, Account] = {}
        self._oids = 0

    async def close(self) -> None:
        """Stop."""
        for account in self._hyperliquid.values():
            for socket in account.sockets.values():
                socket.close()
        await super().close()

    def _account(self, contender: str) -> Account:
        return self._hyperliquid.setdefault(contender, Account())

    # ------------------------------------------------------------------ questions

    async def _rest(self, request: web.Request) -> web.Response:
        if request.match_info["account"] != NAME:
            return await super()._rest(request)
        contender, body = request.match_info["contender"], await request.json()
        if request.match_info["path"] == "exchange":
            return web.json_response(self._act(contender, body, time.perf_counter_ns()))
        return web.json_response(self._info(self._account(contender), body))

    def _info(self, account: Account, question: dict[str, Any]) -> Any:
        kind = question["type"]
        if kind == "orderStatus":
            return account.status(question["oid"])
        if kind == "userFillsByTime":
            return [fill for fill in account.fills if fill["time"] >= question["startTime"]][:PAGE]
        return {
            "meta": META,
            "exchangeStatus": {"time": now_ms(), "specialStatuses": None},
            "l2Book": _book(),
            "clearinghouseState": account.state(),
            "frontendOpenOrders": [],
        }[kind]

    # ------------------------------------------------------------------ websockets

    def _opened(self, socket: Socket) -> None:
        if _owner(socket)[1] == NAME:
            socket.send(GREETING.encode())
        else:
            super()._opened(socket)

    def _said(self, socket: Socket, text: bytes, read_ns: int) -> None:
        contender, name = _owner(socket)
        if name != NAME:
            super()._said(socket, text, read_ns)
            return
        message = msgspec.json.decode(text)
        if message["method"] == "post":
            answer = self._act(contender, message["request"]["payload"], read_ns)
            reply = {"id": message["id"], "response": {"type": "action", "payload": answer}}
            socket.send(_json({"channel": "post", "data": reply}))
        elif message["method"] == "subscribe":
            self._account(contender).sockets[message["subscription"]["type"]] = socket
            socket.send(_json({"channel": "subscriptionResponse", "data": message}))
        elif message["method"] == "ping":
            socket.send(_json({"channel": "pong"}))

    def _act(self, contender: str, payload: dict[str, Any], read_ns: int) -> dict[str, Any]:
        """Take a signed order, filled in full; what it is answered."""
        action = payload["action"]
        signature = msgspec.convert(payload["signature"], Signature)
        signer = recover(
            signature, action, payload["nonce"], payload["vaultAddress"], payload["expiresAfter"], is_mainnet=False
        )
        if signer != ADDRESS:
            return {"status": "err", "response": f"User or API Wallet {signer} does not exist."}
        if action["type"] != "order":
            return {"status": "err", "response": "Unknown action."}
        (wanted,) = action["orders"]
        order, fill = self._filled(self._account(contender), wanted)
        self._on_order(contender, NAME, order, read_ns)
        asyncio.get_running_loop().call_soon(self._tell, self._account(contender), order, fill)
        done = {"totalSz": fill["sz"], "avgPx": fill["px"], "oid": order["oid"]}
        return {"status": "ok", "response": {"type": "order", "data": {"statuses": [{"filled": done}]}}}

    def _filled(self, account: Account, wanted: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The order and its one fill, on the account's books."""
        self._oids += 1
        now, side = now_ms(), "B" if wanted["b"] else "A"
        order = {
            "coin": COIN, "side": side, "limitPx": wanted["p"], "sz": "0.0", "oid": self._oids, "timestamp": now,
            "origSz": wanted["s"], "cloid": wanted["c"], "orderType": "Limit", "tif": "Ioc", "reduceOnly": False,
        }  # fmt: skip
        fill = {
            "coin": COIN, "px": ASK if wanted["b"] else BID, "sz": wanted["s"], "side": side, "time": now,
            "startPosition": f"{account.position}", "dir": "Open Long" if wanted["b"] else "Open Short",
            "closedPnl": "0.0", "hash": f"0x{self._oids:064x}", "oid": self._oids, "crossed": True, "fee": "0.0",
            "tid": self._oids, "feeToken": "USDC", "cloid": wanted["c"],
        }  # fmt: skip
        account.orders[self._oids] = order
        account.by_cloid[wanted["c"]] = self._oids
        account.fills.append(fill)
        account.position += Decimal(wanted["s"]) if wanted["b"] else -Decimal(wanted["s"])
        return order, fill

    def _tell(self, account: Account, order: dict[str, Any], fill: dict[str, Any]) -> None:
        changed = {"order": order, "status": "filled", "statusTimestamp": order["timestamp"]}
        account.tell("orderUpdates", [changed])
        account.tell("userFills", {"user": ADDRESS, "fills": [fill]})
        account.tell("clearinghouseState", {"dex": "", "user": ADDRESS, "clearinghouseState": account.state()})

    # ------------------------------------------------------------------ a market that stands still

    async def _quoting(self) -> None:
        async with asyncio.TaskGroup() as both:
            both.create_task(super()._quoting())
            both.create_task(self._quoting_here())

    async def _quoting_here(self) -> None:
        context = {"markPx": BID, "oraclePx": BID, "funding": "0.0"}
        while True:
            await asyncio.sleep(MARKET_S)
            book = _book()
            best = {"coin": COIN, "time": book["time"], "bbo": [side[0] for side in book["levels"]]}
            for account in self._hyperliquid.values():
                account.tell("l2Book", book)
                account.tell("bbo", best)
                account.tell("activeAssetCtx", {"coin": COIN, "ctx": context})


def _owner(socket: Socket) -> tuple[str, str]:
    """Whose connection it is: the contender and its account."""
    contender, name = socket.path.lstrip("/").split("/")[:2]
    return contender, name


def _book() -> dict[str, Any]:
    levels = [[{"px": price, "sz": "1000.0", "n": 1}] for price in (BID, ASK)]
    return {"coin": COIN, "time": now_ms(), "levels": levels}
