"""ccxt.pro on the four venues: its own structures, its ``watch_`` methods for the private streams."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from typing import Any, ClassVar

from gateways.venue import Endpoints
from tests.conformance.ccxt_venues import ccxt_client
from tests.conformance.client import Client, FillTold, OrderTold, PositionTold, Told, Wanted

_STATUS = {
    "open": "open",
    "closed": "filled",
    "canceled": "canceled",
    "expired": "refused",
    "rejected": "refused",
}


class CcxtClient(Client):
    """What is the same on every venue. Its amounts are in contracts of the market's ``contractSize``."""

    symbol: ClassVar[str]
    way: ClassVar[str] = ""
    """What the names of its order verbs end in: nothing by REST, ``_ws`` by websocket."""

    def __init__(self, venue: Endpoints) -> None:
        super().__init__(venue)
        self._ccxt = ccxt_client(self.kind, venue)
        self._watching: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """See ``Client``, as for all here."""
        await self._ccxt.load_markets()
        self._watching = [
            asyncio.create_task(self._listen("order", self.watch_orders)),
            asyncio.create_task(self._listen("trade", lambda: self._ccxt.watch_my_trades(self.symbol))),
            asyncio.create_task(self._listen("position", lambda: self._ccxt.watch_positions([self.symbol]))),
        ]

    async def close(self) -> None:
        """See ``Client``."""
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        await self._ccxt.close()

    async def best(self) -> tuple[Decimal, Decimal]:
        """See ``Client``."""
        book = await self._ccxt.fetch_order_book(self.symbol)
        return _decimal(book["bids"][0][0]), _decimal(book["asks"][0][0])

    async def place(self, order: Wanted) -> None:
        """See ``Client``."""
        price, params = order.price, {"clientOrderId": self.written(order.client_id)}
        if price is not None:
            params["postOnly"] = True
        placed = await self._verb("create_order")(
            self.symbol, "market" if price is None else "limit", _side(order), self._contracts(order),
            await self.market_price() if price is None else float(price), params,
        )  # fmt: skip
        self.order_ids[order.client_id] = placed["id"]

    async def amend(self, order: Wanted) -> None:
        """See ``Client``."""
        assert order.price is not None
        changed = await self._verb("edit_order")(
            self.order_ids[order.client_id], self.symbol, "limit", _side(order), self._contracts(order),
            float(order.price), self.amended(order.client_id),
        )  # fmt: skip
        self.order_ids[order.client_id] = changed["id"]

    async def cancel(self, client_id: str) -> None:
        """See ``Client``."""
        await self._verb("cancel_order")(self.order_ids[client_id], self.symbol)

    async def fills(self, client_id: str) -> list[FillTold]:
        """See ``Client``."""
        trades = await self._ccxt.fetch_my_trades(self.symbol)
        return [fill for fill in map(self._fill, trades) if fill.client_id == client_id]

    async def position(self) -> Decimal:
        """See ``Client``."""
        rows = await self._ccxt.fetch_positions([self.symbol])
        return sum((self._amount(row["contracts"], row["side"] == "long") for row in rows), Decimal(0))

    def read(self, message: Any) -> Iterable[Told]:
        """See ``Client``. What a row is, is known by the method that brought it."""
        kind, row = message
        if row["symbol"] != self.symbol:
            return []
        if kind == "trade":
            return [self._fill(row)]
        if kind == "position":
            return [PositionTold(amount=self._amount(row["contracts"], row["side"] == "long"))]
        return [
            OrderTold(
                client_id=self.client_id(row["id"]) or row["clientOrderId"].removeprefix("0x"),
                status=_STATUS[row["status"]],
                quantity=self._amount(row["amount"], is_long=True),
                price=None if row["price"] is None else _decimal(row["price"]),
            )
        ]

    # ------------------------------------------------ where the venues differ

    def written(self, client_id: str) -> str:
        """A client id as the venue wants it."""
        return client_id

    def amended(self, client_id: str) -> dict[str, str]:
        """What an amendment must say beside the order's id."""
        return {}

    async def market_price(self) -> float | None:
        """The price that ccxt wants of a market order."""
        return None

    async def watch_orders(self) -> list[dict[str, Any]]:
        """The next news of orders."""
        return await self._ccxt.watch_orders(self.symbol)

    # ------------------------------------------------------------------ parts

    def _verb(self, name: str) -> Callable[..., Awaitable[dict[str, Any]]]:
        verb: Callable[..., Awaitable[dict[str, Any]]] = getattr(self._ccxt, f"{name}{self.way}")
        return verb

    async def _listen(self, kind: str, watch: Callable[[], Awaitable[list[dict[str, Any]]]]) -> None:
        try:
            while True:
                # ccxt changes its rows in place when the next message comes.
                self.heard += [(kind, dict(row)) for row in await watch()]
        except Exception as error:
            self.failures.append(f"watching for each {kind}: {error!r}")
            raise

    def _fill(self, trade: dict[str, Any]) -> FillTold:
        return FillTold(
            client_id=self.client_id(trade["order"]),
            trade_id=trade["id"],
            amount=self._amount(trade["amount"], trade["side"] == "buy"),
        )

    def _amount(self, contracts: float, is_long: bool) -> Decimal:
        size = _decimal(contracts) * _decimal(self._ccxt.market(self.symbol)["contractSize"])
        return size if is_long else -size

    def _contracts(self, order: Wanted) -> float:
        return float(order.quantity / _decimal(self._ccxt.market(self.symbol)["contractSize"]))


def _decimal(value: float) -> Decimal:
    return Decimal(str(value))


def _side(order: Wanted) -> str:
    return "buy" if order.is_buy else "sell"


class Binance(CcxtClient):
    """ccxt's binanceusdm."""

    name, kind, ticker, symbol = "ccxt.pro binance", "binance", "BTCUSDT", "BTC/USDT:USDT"


class Bybit(CcxtClient):
    """ccxt's bybit."""

    name, kind, ticker, symbol = "ccxt.pro bybit", "bybit", "BTCUSDT", "BTC/USDT:USDT"


class Okx(CcxtClient):
    """ccxt's okx."""

    name, kind, ticker, symbol = "ccxt.pro okx", "okx", "BTC-USDT-SWAP", "BTC/USDT:USDT"

    async def watch_orders(self) -> list[dict[str, Any]]:
        """Of every swap, which is the subscription that ccxt's trades come from: two would tell each fill twice."""
        return await self._ccxt.watch_orders(None, None, None, {"type": "swap"})


class Hyperliquid(CcxtClient):
    """ccxt's hyperliquid, whose market orders are limits at a price that it takes from the caller."""

    name, kind, ticker, symbol = "ccxt.pro hyperliquid", "hyperliquid", "BTC", "BTC/USDC:USDC"

    def written(self, client_id: str) -> str:
        """See ``CcxtClient``."""
        return f"0x{client_id}"

    def amended(self, client_id: str) -> dict[str, str]:
        """The order under the new id bears a client id only if it is given one."""
        return {"clientOrderId": self.written(client_id)}

    async def market_price(self) -> float | None:
        """See ``CcxtClient``."""
        bid, ask = await self.best()
        return float((bid + ask) / 2)


class BinanceWs(Binance):
    """The same with its orders by websocket."""

    name, way = "ccxt.pro binance (ws)", "_ws"


class BybitWs(Bybit):
    """The same with its orders by websocket."""

    name, way = "ccxt.pro bybit (ws)", "_ws"


class OkxWs(Okx):
    """The same with its orders by websocket."""

    name, way = "ccxt.pro okx (ws)", "_ws"


class HyperliquidWs(Hyperliquid):
    """The same with its orders by websocket."""

    name, way = "ccxt.pro hyperliquid (ws)", "_ws"
