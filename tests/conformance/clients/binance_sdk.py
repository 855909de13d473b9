"""The official SDK of Binance: orders by REST or over the websocket API, the user stream typed by its models.

Source: the package ``binance-sdk-derivatives-trading-usds-futures``.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import DerivativesTradingUsdsFutures

from gateways.venue import Endpoints
from tests.conformance.client import Client, FillTold, Told, Wanted
from tests.conformance.clients.binance_events import fill_of, read_event


class BinanceSdk(Client):
    """Its addresses are options of its three configurations."""

    name, kind, ticker = "binance-sdk", "binance", "BTCUSDT"

    def __init__(self, venue: Endpoints) -> None:
        super().__init__(venue)
        assert isinstance(venue.ws, dict)
        keys = {"api_key": venue.key, "api_secret": venue.secret}
        sdk = DerivativesTradingUsdsFutures(
            config_rest_api=ConfigurationRestAPI(**keys, base_path=venue.rest),
            config_ws_api=ConfigurationWebSocketAPI(**keys, stream_url=venue.ws["api"]),
            config_ws_streams=ConfigurationWebSocketStreams(
                stream_url=venue.ws["public"].removesuffix("/public") + "/stream"
            ),
        )
        self.rest, self.api, self._streams = sdk.rest_api, sdk.websocket_api, sdk.websocket_streams

    async def open(self) -> None:
        """See ``Client``, as for all here."""
        await self.api.create_connection()
        await self._streams.create_connection()
        key = self.rest.start_user_data_stream().data().listen_key
        stream = await self._streams.user_data(key)
        stream.on("message", self.heard.append)

    async def close(self) -> None:
        """See ``Client``."""
        await self._streams.close_connection()
        await self.api.close_connection()

    async def best(self) -> tuple[Decimal, Decimal]:
        """See ``Client``."""
        row = self.rest.symbol_order_book_ticker(symbol=self.ticker).data().actual_instance
        return Decimal(row.bid_price), Decimal(row.ask_price)

    async def place(self, order: Wanted) -> None:
        """See ``Client``."""
        placed = self.rest.new_order(**terms(order))
        self.order_ids[order.client_id] = str(placed.data().order_id)

    async def amend(self, order: Wanted) -> None:
        """See ``Client``."""
        self.rest.modify_order(**amended(order))

    async def cancel(self, client_id: str) -> None:
        """See ``Client``."""
        self.rest.cancel_order(symbol=self.ticker, orig_client_order_id=client_id)

    async def fills(self, client_id: str) -> list[FillTold]:
        """See ``Client``."""
        rows = self.rest.account_trade_list(symbol=self.ticker, order_id=int(self.order_ids[client_id])).data()
        return [fill_of(row.to_dict(), client_id) for row in rows]

    async def position(self) -> Decimal:
        """See ``Client``."""
        rows = self.rest.position_information_v3(symbol=self.ticker).data()
        return sum((Decimal(row.position_amt) for row in rows), Decimal(0))

    def read(self, message: Any) -> Iterable[Told]:
        """See ``Client``. An event that the SDK's own model does not take is handed out as it came."""
        event = message.actual_instance
        assert not isinstance(event, dict), f"the SDK could not read {event}"
        return read_event({"e": _EVENTS.get(type(event).__name__, ""), **event.to_dict()}, self.ticker)


_EVENTS = {"OrderTradeUpdate": "ORDER_TRADE_UPDATE", "AccountUpdate": "ACCOUNT_UPDATE"}


def terms(order: Wanted) -> dict[str, Any]:
    """An order in the SDK's words."""
    said = (
        {"type": "MARKET"} if order.price is None else {"type": "LIMIT", "time_in_force": "GTX", "price": order.price}
    )
    return {
        **said,
        "symbol": BinanceSdk.ticker,
        "side": "BUY" if order.is_buy else "SELL",
        "quantity": order.quantity,
        "new_client_order_id": order.client_id,
    }


def amended(order: Wanted) -> dict[str, Any]:
    """An amendment in the SDK's words."""
    wanted = terms(order)
    return {
        **{name: wanted[name] for name in ("symbol", "side", "quantity", "price")},
        "orig_client_order_id": order.client_id,
    }


class BinanceSdkWs(BinanceSdk):
    """The same with its orders over the websocket API."""

    name = "binance-sdk (ws)"

    async def place(self, order: Wanted) -> None:
        """See ``Client``."""
        placed = _result(await self.api.new_order(**terms(order)))
        self.order_ids[order.client_id] = str(placed.order_id)

    async def amend(self, order: Wanted) -> None:
        """See ``Client``."""
        _result(await self.api.modify_order(**amended(order)))

    async def cancel(self, client_id: str) -> None:
        """See ``Client``."""
        _result(await self.api.cancel_order(symbol=self.ticker, orig_client_order_id=client_id))


def _result(answer: Any) -> Any:
    """What was answered. Raises AssertionError for a refusal, which the SDK hands out as a dict."""
    data = answer.data()
    assert not isinstance(data, dict), data
    return data.result
