"""The official SDK of Hyperliquid: its threads for the websocket, its own signing for the orders."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import eth_account
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info
from hyperliquid.utils.types import Cloid

from gateways.venue import Endpoints
from tests.conformance.client import Client, FillTold, OrderTold, PositionTold, Told, Wanted

_STATUS = {"open": "open", "filled": "filled", "canceled": "canceled", "badAloPxRejected": "refused"}
_POST_ONLY = {"limit": {"tif": "Alo"}}


class HyperliquidSdk(Client):
    """Its address is an argument. It calculates in floats, and so are sizes and prices handed to it."""

    name, kind, ticker = "hyperliquid-python-sdk", "hyperliquid", "BTC"

    def __init__(self, venue: Endpoints) -> None:
        super().__init__(venue)
        self._info = Info(venue.rest)
        self._exchange = Exchange(eth_account.Account.from_key(venue.secret), venue.rest)

    async def open(self) -> None:
        """See ``Client``, as for all here."""
        for channel in ("orderUpdates", "userFills", "webData2"):
            self._info.subscribe({"type": channel, "user": self.venue.key}, self.heard.append)

    async def close(self) -> None:
        """See ``Client``."""
        self._info.disconnect_websocket()

    async def best(self) -> tuple[Decimal, Decimal]:
        """See ``Client``."""
        bids, asks = self._info.l2_snapshot(self.ticker)["levels"]
        return Decimal(bids[0]["px"]), Decimal(asks[0]["px"])

    async def place(self, order: Wanted) -> None:
        """See ``Client``."""
        cloid, size = Cloid(f"0x{order.client_id}"), float(order.quantity)
        if order.price is None:
            said = self._exchange.market_open(self.ticker, order.is_buy, size, cloid=cloid)
        else:
            said = self._exchange.order(self.ticker, order.is_buy, size, float(order.price), _POST_ONLY, cloid=cloid)
        self.order_ids[order.client_id] = _order_id(said)

    async def amend(self, order: Wanted) -> None:
        """See ``Client``. The order under the new id bears a client id only if it is given one."""
        assert order.price is not None
        cloid = Cloid(f"0x{order.client_id}")
        said = self._exchange.modify_order(
            cloid, self.ticker, order.is_buy, float(order.quantity), float(order.price), _POST_ONLY, cloid=cloid
        )
        self.order_ids[order.client_id] = _order_id(said)

    async def cancel(self, client_id: str) -> None:
        """See ``Client``."""
        said = self._exchange.cancel_by_cloid(self.ticker, Cloid(f"0x{client_id}"))
        assert said["response"]["data"]["statuses"] == ["success"], said

    async def fills(self, client_id: str) -> list[FillTold]:
        """See ``Client``."""
        return [fill for fill in map(self._fill, self._info.user_fills(self.venue.key)) if fill.client_id == client_id]

    async def position(self) -> Decimal:
        """See ``Client``."""
        return self._position(self._info.user_state(self.venue.key))

    def read(self, message: Any) -> Iterable[Told]:
        """See ``Client``."""
        data = message["data"]
        if message["channel"] == "webData2":
            return [PositionTold(amount=self._position(data["clearinghouseState"]))]
        if message["channel"] == "userFills":
            return [] if data.get("isSnapshot") else [self._fill(fill) for fill in data["fills"]]
        return [
            OrderTold(
                client_id=update["order"]["cloid"].removeprefix("0x"),
                status=_STATUS[update["status"]],
                quantity=Decimal(update["order"]["origSz"]),
                price=Decimal(update["order"]["limitPx"]),
            )
            for update in data
        ]

    def _fill(self, fill: dict[str, Any]) -> FillTold:
        size = Decimal(fill["sz"])
        return FillTold(
            client_id=fill["cloid"].removeprefix("0x"),
            trade_id=str(fill["tid"]),
            amount=size if fill["side"] == "B" else -size,
        )

    def _position(self, state: dict[str, Any]) -> Decimal:
        rows = [row["position"] for row in state["assetPositions"]]
        return sum((Decimal(row["szi"]) for row in rows if row["coin"] == self.ticker), Decimal(0))


def _order_id(said: dict[str, Any]) -> str:
    """The id in the answer to one order. Raises AssertionError where it was refused."""
    assert said["status"] == "ok", said
    (status,) = said["response"]["data"]["statuses"]
    assert "error" not in status, status
    return str(next(iter(status.values()))["oid"])
