"""python-binance: REST and the futures user socket of its asynchronous client."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from binance.async_client import AsyncClient
from binance.ws.streams import BinanceSocketManager

from gateways.venue import Endpoints
from tests.conformance.client import Client, FillTold, Told, Wanted
from tests.conformance.clients.binance_events import fill_of, read_event


class PythonBinance(Client):
    """Its addresses are class constants; those of futures alone are changed."""

    name, kind, ticker = "python-binance", "binance", "BTCUSDT"

    def __init__(self, venue: Endpoints) -> None:
        super().__init__(venue)
        self._binance = AsyncClient(venue.key, venue.secret)
        self._binance.FUTURES_URL = f"{venue.rest}/fapi"
        self._sockets = BinanceSocketManager(self._binance)
        self._sockets.FSTREAM_URL = venue.rest.replace("http", "ws", 1) + "/"
        self._listening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """See ``Client``, as for all here."""
        self._listening = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """See ``Client``."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._binance.close_connection()

    async def best(self) -> tuple[Decimal, Decimal]:
        """See ``Client``."""
        row = await self._binance.futures_orderbook_ticker(symbol=self.ticker)
        return Decimal(row["bidPrice"]), Decimal(row["askPrice"])

    async def place(self, order: Wanted) -> None:
        """See ``Client``."""
        terms = {"type": "MARKET"}
        if order.price is not None:
            terms = {"type": "LIMIT", "timeInForce": "GTX", "price": str(order.price)}
        placed = await self._binance.futures_create_order(
            symbol=self.ticker,
            side=_side(order),
            quantity=str(order.quantity),
            newClientOrderId=order.client_id,
            **terms,
        )
        self.order_ids[order.client_id] = str(placed["orderId"])

    async def amend(self, order: Wanted) -> None:
        """See ``Client``."""
        await self._binance.futures_modify_order(
            symbol=self.ticker, side=_side(order), quantity=str(order.quantity), price=str(order.price),
            origClientOrderId=order.client_id,
        )  # fmt: skip

    async def cancel(self, client_id: str) -> None:
        """See ``Client``."""
        await self._binance.futures_cancel_order(symbol=self.ticker, origClientOrderId=client_id)

    async def fills(self, client_id: str) -> list[FillTold]:
        """See ``Client``."""
        rows = await self._binance.futures_account_trades(symbol=self.ticker, orderId=self.order_ids[client_id])
        return [fill_of(row, client_id) for row in rows]

    async def position(self) -> Decimal:
        """See ``Client``."""
        rows = await self._binance.futures_position_information(symbol=self.ticker)
        return sum((Decimal(row["positionAmt"]) for row in rows), Decimal(0))

    def read(self, message: Any) -> Iterable[Told]:
        """See ``Client``."""
        return read_event(message, self.ticker)

    async def _listen(self) -> None:
        async with self._sockets.futures_user_socket() as socket:
            while True:
                self.heard.append(await socket.recv())


def _side(order: Wanted) -> str:
    return "BUY" if order.is_buy else "SELL"
