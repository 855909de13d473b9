"""pybit: orders by REST or by websocket, its own threads for the websockets."""

import asyncio
import queue
from collections.abc import Callable, Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Any

from pybit import _websocket_trading, unified_trading
from pybit.unified_trading import HTTP, WebSocket, WebSocketTrading

from gateways.venue import Endpoints
from tests.conformance.client import Client, FillTold, OrderTold, PositionTold, Told, Wanted

ANSWER_S = 1.0
_STATUS = {
    "New": "open",
    "PartiallyFilled": "open",
    "Filled": "filled",
    "Cancelled": "canceled",
    "PartiallyFilledCanceled": "canceled",
    "Rejected": "refused",
}


class Pybit(Client):
    """Its addresses are an attribute of its HTTP session, and a constant of its module."""

    name, kind, ticker = "pybit", "bybit", "BTCUSDT"

    def __init__(self, venue: Endpoints) -> None:
        super().__init__(venue)
        assert isinstance(venue.ws, dict)
        self._http = HTTP(api_key=venue.key, api_secret=venue.secret)
        self._http.endpoint = venue.rest
        unified_trading.PRIVATE_WSS = venue.ws["private"]
        self._socket: WebSocket | None = None

    async def open(self) -> None:
        """See ``Client``, as for all here."""
        self._socket = WebSocket("private", testnet=False, api_key=self.venue.key, api_secret=self.venue.secret)
        for subscribe in (self._socket.order_stream, self._socket.execution_stream, self._socket.position_stream):
            subscribe(self.heard.append)

    async def close(self) -> None:
        """See ``Client``."""
        if self._socket is not None:
            self._socket.exit()

    async def best(self) -> tuple[Decimal, Decimal]:
        """See ``Client``."""
        book = self._http.get_orderbook(category="linear", symbol=self.ticker)["result"]
        return Decimal(book["b"][0][0]), Decimal(book["a"][0][0])

    async def place(self, order: Wanted) -> None:
        """See ``Client``."""
        self._http.place_order(**terms(order))

    async def amend(self, order: Wanted) -> None:
        """See ``Client``."""
        self._http.amend_order(**amended(order))

    async def cancel(self, client_id: str) -> None:
        """See ``Client``."""
        self._http.cancel_order(category="linear", symbol=self.ticker, orderLinkId=client_id)

    async def fills(self, client_id: str) -> list[FillTold]:
        """See ``Client``."""
        said = self._http.get_executions(category="linear", symbol=self.ticker, orderLinkId=client_id)
        return [_fill(row) for row in said["result"]["list"]]

    async def position(self) -> Decimal:
        """See ``Client``."""
        said = self._http.get_positions(category="linear", symbol=self.ticker)
        return sum((_amount(row["size"], row["side"]) for row in said["result"]["list"]), Decimal(0))

    def read(self, message: Any) -> Iterable[Told]:
        """See ``Client``."""
        return [told for row in message["data"] if row["symbol"] == self.ticker for told in _row(message["topic"], row)]


class PybitWs(Pybit):
    """The same with its orders by websocket, whose answers come to callbacks of its thread."""

    name = "pybit (ws)"

    def __init__(self, venue: Endpoints) -> None:
        super().__init__(venue)
        assert isinstance(venue.ws, dict)
        _websocket_trading.TRADE_WSS = venue.ws["trade"]
        self._orders: WebSocketTrading | None = None

    async def open(self) -> None:
        """See ``Client``."""
        await super().open()
        self._orders = WebSocketTrading(testnet=False, api_key=self.venue.key, api_secret=self.venue.secret)

    async def close(self) -> None:
        """See ``Client``."""
        await super().close()
        if self._orders is not None:
            self._orders.exit()

    async def place(self, order: Wanted) -> None:
        """See ``Client``."""
        await self._answered(self._trading.place_order, terms(order))

    async def amend(self, order: Wanted) -> None:
        """See ``Client``."""
        await self._answered(self._trading.amend_order, amended(order))

    async def cancel(self, client_id: str) -> None:
        """See ``Client``."""
        wanted = {"category": "linear", "symbol": self.ticker, "orderLinkId": client_id}
        await self._answered(self._trading.cancel_order, wanted)

    @property
    def _trading(self) -> WebSocketTrading:
        assert self._orders is not None
        return self._orders

    async def _answered(self, verb: Callable[..., None], wanted: dict[str, Any]) -> None:
        """Ask, and wait for the answer. Raises AssertionError for a refusal.

        pybit registers a callback after it has sent the request, and drops an answer that was quicker: where none
        comes, the venue's own records say alone what was done.
        """
        answers: queue.Queue[dict[str, Any]] = queue.Queue()
        verb(answers.put, answers.put, **wanted)
        with suppress(queue.Empty):
            said = await asyncio.to_thread(answers.get, timeout=ANSWER_S)
            assert said["retCode"] == 0, said


def terms(order: Wanted) -> dict[str, Any]:
    """An order in the venue's words."""
    said = {"orderType": "Market"}
    if order.price is not None:
        said = {"orderType": "Limit", "timeInForce": "PostOnly", "price": str(order.price)}
    return {
        **said,
        "category": "linear",
        "symbol": Pybit.ticker,
        "side": "Buy" if order.is_buy else "Sell",
        "qty": str(order.quantity),
        "orderLinkId": order.client_id,
    }


def amended(order: Wanted) -> dict[str, Any]:
    """An amendment in the venue's words."""
    wanted = terms(order)
    return {name: wanted[name] for name in ("category", "symbol", "qty", "price", "orderLinkId")}


def _row(topic: str, row: dict[str, Any]) -> Iterable[Told]:
    if topic == "execution":
        return [_fill(row)]
    if topic == "position":
        return [PositionTold(amount=_amount(row["size"], row["side"]))]
    return [
        OrderTold(
            client_id=row["orderLinkId"],
            status=_STATUS[row["orderStatus"]],
            quantity=Decimal(row["qty"]),
            price=Decimal(row["price"]),
        )
    ]


def _fill(row: dict[str, Any]) -> FillTold:
    return FillTold(client_id=row["orderLinkId"], trade_id=row["execId"], amount=_amount(row["execQty"], row["side"]))


def _amount(size: str, side: str) -> Decimal:
    """Signed; a position of nothing has no side."""
    return -Decimal(size) if side == "Sell" else Decimal(size)
