"""The venue's side, Binance USD-M in form: enough of it for a desk, or another client, to make and hedge there.

It matches nothing: the conductor says what fills, and every hedge order is taken as filled in full. Each contender has
accounts of its own, told apart by the first parts of the path: ``/NAME/ACCOUNT/...``. What a snapshot answers is what
was pushed before.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from bench.socket_server import Socket

TICKER, BASE, PRICE, LOT = "ETHUSDT", "ETH", "2500.00", "0.010"
MARKET_S = 0.1
TRADES_KEPT = 20_000

CONTRACT = {
    "symbol": TICKER, "pair": TICKER, "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": BASE,
    "quoteAsset": "USDT", "marginAsset": "USDT", "pricePrecision": 2, "quantityPrecision": 3,
    "baseAssetPrecision": 8, "quotePrecision": 8, "deliveryDate": 4133404800000, "onboardDate": 1569398400000,
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "10000000"},
        {"filterType": "MARKET_LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "10000000"},
        {"filterType": "MIN_NOTIONAL", "notional": "20"},
    ],
    "orderTypes": ["LIMIT", "MARKET"], "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
}  # fmt: skip
LIMITS = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 100_000_000},
    {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 100_000_000},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100_000_000},
]

_json = msgspec.json.encode


def now_ms() -> int:
    """UTC."""
    return time.time_ns() // 1_000_000


class Account:
    """One contender's account: its orders, what it holds, its open connections by kind."""

    def __init__(self) -> None:
        self.orders: dict[int, dict[str, Any]] = {}
        self.trades: deque[dict[str, Any]] = deque(maxlen=TRADES_KEPT)
        self.traded = 0
        """How many there were: the last one's id."""
        self.position = 0
        """In thousandths of the base."""
        self.sockets: dict[str, Socket] = {}

    def open_orders(self) -> list[dict[str, Any]]:
        """What rests."""
        return [order for order in self.orders.values() if order["status"] in {"NEW", "PARTIALLY_FILLED"}]

    def page_of_trades(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        """Up to 1,000 executions, oldest first, from an id on or else between two times."""
        if "fromId" in params:
            since_id = int(params["fromId"])
            return [each for each in self.trades if each["id"] >= since_id][:1_000]
        since, until = int(params.get("startTime", 0)), int(params.get("endTime", 1 << 62))
        return [each for each in self.trades if since <= each["time"] <= until][:1_000]


OnOrder = Callable[[str, str, dict[str, Any], int], None]
"""Told the contender, the account, the order as it was sent and when its bytes came in."""


class BinanceVenue:
    """Serves on two loopback ports: REST, and websockets."""

    def __init__(self, on_order: OnOrder) -> None:
        self._on_order = on_order
        self._accounts: dict[tuple[str, str], Account] = {}
        self._ids = 1_000
        self._seq = 1_000
        self._market: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None
        self.rest_port = self.ws_port = 0

    def account(self, contender: str, name: str) -> Account:
        """That account, made at its first use."""
        return self._accounts.setdefault((contender, name), Account())

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_route("*", "/{contender}/{account}/{path:.*}", self._rest)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.rest_port = self._runner.addresses[0][1]
        server = await asyncio.get_running_loop().create_server(
            lambda: Socket(self._opened, self._said), "127.0.0.1", 0
        )
        self.ws_port = server.sockets[0].getsockname()[1]
        self._market = asyncio.create_task(self._quoting(), name="market")

    async def close(self) -> None:
        """Stop."""
        if self._market is not None:
            self._market.cancel()
            await asyncio.wait([self._market])
        for account in self._accounts.values():
            for socket in account.sockets.values():
                socket.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # ------------------------------------------------------------------ what the conductor does

    def fill_frame(self, contender: str, name: str, order_id: int) -> bytes:
        """Fill one lot of a resting order on the books and give the message that tells of it."""
        account = self.account(contender, name)
        order = account.orders[order_id]
        return self._fill(account, order, LOT, maker=True)

    def resting(self, contender: str, name: str) -> int:
        """Put a maker order on an account's books, as if it had sent one; its id."""
        params = {"symbol": TICKER, "side": "BUY", "type": "LIMIT", "quantity": "1000000", "price": "2499.00"}
        account = self.account(contender, name)
        self._place(contender, name, params, 0)
        return max(account.orders)

    def tell_position(self, contender: str, name: str) -> None:
        """Push what the account holds now, as the venue does after each fill."""
        account, now = self.account(contender, name), now_ms()
        position = {"s": TICKER, "pa": f"{account.position / 1_000:.3f}", "ep": PRICE, "up": "0", "mt": "cross",
                    "iw": "0", "ps": "BOTH", "ma": "USDT", "bep": PRICE, "cr": "0"}  # fmt: skip
        update = {"m": "ORDER", "B": [], "P": [position]}
        self._push(account, [_json({"e": "ACCOUNT_UPDATE", "E": now, "T": now, "a": update})])

    def private(self, contender: str, name: str) -> Socket:
        """The connection that an account's own news goes to."""
        return self.account(contender, name).sockets["private"]

    # ------------------------------------------------------------------ REST

    async def _rest(self, request: web.Request) -> web.Response:
        account = self.account(request.match_info["contender"], request.match_info["account"])
        path = "/" + request.match_info["path"].lstrip("/")
        params = dict(request.query)
        if request.method == "POST" and path == "/fapi/v1/order":
            contender, name = request.match_info["contender"], request.match_info["account"]
            params |= {key: str(value) for key, value in (await request.post()).items()}
            return web.json_response(self._place(contender, name, params, time.perf_counter_ns()))
        said = self._answer(account, path, params)
        if said is None:
            return web.json_response({"code": -2013, "msg": "Order does not exist."}, status=400)
        return web.json_response(said)

    def _answer(self, account: Account, path: str, params: dict[str, Any]) -> Any:
        """What a question is answered with; None for an order that there is not."""
        amount = f"{account.position / 1_000:.3f}"
        wanted = params.get("origClientOrderId"), params.get("orderId")
        quote = {"symbol": TICKER, "bidPrice": PRICE, "bidQty": "100", "askPrice": "2500.01", "askQty": "100"}
        holds = {"symbol": TICKER, "positionAmt": amount, "entryPrice": PRICE, "positionSide": "BOTH"}
        if path == "/fapi/v1/order":
            named = (each for each in account.orders.values()
                     if each["clientOrderId"] == wanted[0] or str(each["orderId"]) == wanted[1])  # fmt: skip
            return next(named, None)
        if path == "/fapi/v1/userTrades":
            return account.page_of_trades(params)
        return {
            "/fapi/v1/time": {"serverTime": now_ms()},
            "/fapi/v1/exchangeInfo": {
                "timezone": "UTC", "serverTime": now_ms(), "rateLimits": LIMITS, "symbols": [CONTRACT]
            },
            "/fapi/v1/positionSide/dual": {"dualSidePosition": False},
            "/fapi/v1/listenKey": {"listenKey": "k" * 64},
            "/fapi/v1/ticker/bookTicker": quote | {"time": now_ms()},
            "/fapi/v1/depth": {"lastUpdateId": self._seq, "E": now_ms(), "T": now_ms(), "bids": [[PRICE, "1000"]],
                               "asks": [["2500.01", "1000"]]},
            "/fapi/v3/balance": [{"asset": "USDT", "balance": "1000000000", "availableBalance": "1000000000"}],
            "/fapi/v3/positionRisk": [holds | {"unRealizedProfit": "0", "updateTime": now_ms()}],
            "/fapi/v1/openOrders": account.open_orders(),
            "/fapi/v1/income": [],
            "/fapi/v1/leverageBracket": [],
        }[path]  # fmt: skip

    # ------------------------------------------------------------------ websockets

    def _opened(self, socket: Socket) -> None:
        contender, name, kind = socket.path.lstrip("/").split("/")[:3]
        self.account(contender, name).sockets[kind.split("?")[0]] = socket

    def _said(self, socket: Socket, text: bytes, read_ns: int) -> None:
        contender, name, kind = socket.path.lstrip("/").split("/")[:3]
        if kind != "api":
            message = msgspec.json.decode(text)
            socket.send(_json({"result": None, "id": message.get("id")}))
            return
        if contender.startswith("bare"):  # a ready-made order: the arrival is all there is to know of it
            self._on_order(contender, name, {}, read_ns)
            return
        message = msgspec.json.decode(text)
        if message["method"] == "order.place":
            said = self._place(contender, name, message["params"], read_ns)
            socket.send(_json({"id": message["id"], "status": 200, "result": said}))
        else:
            socket.send(
                _json({"id": message["id"], "status": 400, "error": {"code": -2011, "msg": "Unknown order sent."}})
            )

    def _place(self, contender: str, name: str, params: dict[str, Any], read_ns: int) -> dict[str, Any]:
        account = self.account(contender, name)
        self._ids += 1
        market = params["type"] == "MARKET"
        order = {
            "orderId": self._ids, "symbol": params["symbol"], "status": "NEW",
            "clientOrderId": params.get("newClientOrderId", ""), "price": params.get("price", "0"), "avgPrice": "0",
            "origQty": params["quantity"], "executedQty": "0", "cumQty": "0", "cumQuote": "0",
            "timeInForce": params.get("timeInForce", "GTC"), "type": params["type"], "reduceOnly": False,
            "closePosition": False, "side": params["side"], "positionSide": "BOTH", "stopPrice": "0",
            "workingType": "CONTRACT_PRICE", "priceProtect": False, "origType": params["type"], "priceMatch": "NONE",
            "selfTradePreventionMode": "EXPIRE_MAKER", "goodTillDate": 0, "updateTime": now_ms(),
        }  # fmt: skip
        account.orders[self._ids] = order
        reply = dict(order)
        pushes = [self._told(order, "NEW", "0", None)]
        if market:
            pushes.append(self._fill(account, order, order["origQty"], maker=False))
        self._on_order(contender, name, order, read_ns)
        loop = asyncio.get_running_loop()
        loop.call_soon(self._push, account, pushes)
        if market:
            loop.call_soon(self.tell_position, contender, name)
        return reply

    def _push(self, account: Account, frames: list[bytes]) -> None:
        if (socket := account.sockets.get("private")) is not None:
            for frame in frames:
                socket.send(frame)

    def _fill(self, account: Account, order: dict[str, Any], quantity: str, *, maker: bool) -> bytes:
        sign = 1 if order["side"] == "BUY" else -1
        filled = _thousandths(order["executedQty"]) + _thousandths(quantity)
        order["executedQty"] = order["cumQty"] = f"{filled / 1_000:.3f}"
        order["status"] = "FILLED" if filled >= _thousandths(order["origQty"]) else "PARTIALLY_FILLED"
        order["avgPrice"], order["updateTime"] = PRICE, now_ms()
        account.position += sign * _thousandths(quantity)
        trade_id = account.traded = account.traded + 1
        account.trades.append({
            "id": trade_id, "orderId": order["orderId"], "symbol": TICKER, "side": order["side"], "price": PRICE,
            "qty": quantity, "commission": "0", "commissionAsset": "USDT", "maker": maker, "time": now_ms(),
            "positionSide": "BOTH", "buyer": sign > 0, "quoteQty": "25", "realizedPnl": "0",
        })  # fmt: skip
        return self._told(order, "TRADE", quantity, trade_id, maker=maker)

    def _told(
        self, order: dict[str, Any], execution: str, last: str, trade_id: int | None, *, maker: bool = False
    ) -> bytes:
        now = now_ms()
        return _json({"e": "ORDER_TRADE_UPDATE", "E": now, "T": now, "o": {
            "s": TICKER, "c": order["clientOrderId"], "S": order["side"], "o": order["type"],
            "f": order["timeInForce"], "q": order["origQty"], "p": order["price"], "ap": order["avgPrice"], "sp": "0",
            "x": execution, "X": order["status"], "i": order["orderId"], "l": last, "z": order["executedQty"],
            "L": PRICE if trade_id else "0", "n": "0", "N": "USDT", "T": now, "t": trade_id or 0, "b": "0", "a": "0",
            "m": maker, "R": False, "wt": "CONTRACT_PRICE", "ot": order["type"], "ps": "BOTH", "cp": False, "rp": "0",
            "pP": False, "si": 0, "ss": 0, "V": "EXPIRE_MAKER", "pm": "NONE", "gtd": 0, "er": "0",
        }})  # fmt: skip

    # ------------------------------------------------------------------ a market that stands still

    async def _quoting(self) -> None:
        while True:
            await asyncio.sleep(MARKET_S)
            now, self._seq = now_ms(), self._seq + 1
            quote = {"e": "bookTicker", "u": self._seq, "s": TICKER, "b": PRICE, "B": "100", "a": "2500.01", "A": "100",
                     "T": now, "E": now}  # fmt: skip
            depth = {"e": "depthUpdate", "E": now, "T": now, "s": TICKER, "U": self._seq, "u": self._seq,
                     "pu": self._seq - 1, "b": [[PRICE, "1000"]], "a": [["2500.01", "1000"]]}  # fmt: skip
            mark = {"e": "markPriceUpdate", "E": now, "s": TICKER, "p": PRICE, "i": PRICE, "r": "0", "T": now}
            low = TICKER.lower()
            public = [_json({"stream": f"{low}@bookTicker", "data": quote}),
                      _json({"stream": f"{low}@depth@100ms", "data": depth})]  # fmt: skip
            for account in self._accounts.values():
                for frame in public if "public" in account.sockets else ():
                    account.sockets["public"].send(frame)
                if "market" in account.sockets:
                    account.sockets["market"].send(_json({"stream": f"{low}@markPrice@1s", "data": mark}))


def _thousandths(quantity: str) -> int:
    return round(float(quantity) * 1_000)
