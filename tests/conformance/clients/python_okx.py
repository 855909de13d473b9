"""python-okx: REST for orders and questions, its asynchronous private websocket, which speaks TLS alone."""

import asyncio
import json
from collections.abc import Iterable
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

from okx.Account import AccountAPI
from okx.MarketData import MarketAPI
from okx.PublicData import PublicAPI
from okx.Trade import TradeAPI
from okx.websocket.WsPrivateAsync import WsPrivateAsync

from gateways.venue import Endpoints
from tests.conformance.client import Client, FillTold, OrderTold, PositionTold, Told, Wanted
from tests.conformance.tls import behind_tls

_LIVE = "0"
"""The flag of its REST clients that asks for no demo trading."""
_STATUS = {"live": "open", "partially_filled": "open", "filled": "filled", "canceled": "canceled"}


class PythonOkx(Client):
    """Its addresses are arguments. Sizes are in contracts of ``ctVal`` base units."""

    name, kind, ticker = "python-okx", "okx", "BTC-USDT-SWAP"

    def __init__(self, venue: Endpoints) -> None:
        super().__init__(venue)
        keys = (venue.key, venue.secret, venue.passphrase)
        self._trade, self._account, self._market, self._public = (
            made(*keys, flag=_LIVE, domain=venue.rest) for made in (TradeAPI, AccountAPI, MarketAPI, PublicAPI)
        )
        self._unit = Decimal(0)
        self._socket: WsPrivateAsync | None = None
        self._consuming: asyncio.Task[None] | None = None
        self._tls = AsyncExitStack()

    async def open(self) -> None:
        """See ``Client``, as for all here."""
        (contract,) = _data(self._public.get_instruments(instType="SWAP", instId=self.ticker))
        self._unit = Decimal(contract["ctVal"])
        assert isinstance(self.venue.ws, dict)
        url = await self._tls.enter_async_context(behind_tls(self.venue.ws["private"]))
        self._socket = WsPrivateAsync(self.venue.key, self.venue.passphrase, self.venue.secret, url)
        self._consuming = await self._socket.start()
        channels = [{"channel": channel, "instType": "SWAP"} for channel in ("orders", "positions")]
        await self._socket.subscribe(channels, self.heard.append)

    async def close(self) -> None:
        """See ``Client``."""
        if self._socket is not None and self._consuming is not None:
            await self._socket.stop()
            await asyncio.gather(self._consuming, return_exceptions=True)
        await self._tls.aclose()
        for api in (self._trade, self._account, self._market, self._public):
            api.close()

    async def best(self) -> tuple[Decimal, Decimal]:
        """See ``Client``."""
        (book,) = _data(self._market.get_orderbook(self.ticker))
        return Decimal(book["bids"][0][0]), Decimal(book["asks"][0][0])

    async def place(self, order: Wanted) -> None:
        """See ``Client``."""
        terms = {"ordType": "market"} if order.price is None else {"ordType": "post_only", "px": str(order.price)}
        (row,) = _data(
            self._trade.place_order(
                self.ticker, "cross", "buy" if order.is_buy else "sell", sz=self._contracts(order),
                clOrdId=order.client_id, **terms,
            )
        )  # fmt: skip
        self.order_ids[order.client_id] = row["ordId"]

    async def amend(self, order: Wanted) -> None:
        """See ``Client``."""
        _data(
            self._trade.amend_order(
                self.ticker, clOrdId=order.client_id, newSz=self._contracts(order), newPx=str(order.price)
            )
        )

    async def cancel(self, client_id: str) -> None:
        """See ``Client``."""
        _data(self._trade.cancel_order(self.ticker, clOrdId=client_id))

    async def fills(self, client_id: str) -> list[FillTold]:
        """See ``Client``."""
        return [self._fill(row) for row in _data(self._trade.get_fills(ordId=self.order_ids[client_id]))]

    async def position(self) -> Decimal:
        """See ``Client``."""
        rows = _data(self._account.get_positions(instType="SWAP", instId=self.ticker))
        return self._position(rows)

    def read(self, message: Any) -> Iterable[Told]:
        """See ``Client``."""
        said = json.loads(message)
        if "event" in said:
            assert said["event"] != "error", said
            return []
        if said["arg"]["channel"] == "positions":
            return [PositionTold(amount=self._position(said["data"]))]
        return [told for row in said["data"] for told in self._order(row)]

    def _order(self, row: dict[str, Any]) -> Iterable[Told]:
        yield OrderTold(
            client_id=row["clOrdId"],
            status=_STATUS[row["state"]],
            quantity=Decimal(row["sz"]) * self._unit,
            price=Decimal(row["px"]) if row["px"] else None,
        )
        if row["tradeId"]:
            yield self._fill(row)

    def _fill(self, row: dict[str, Any]) -> FillTold:
        size = Decimal(row["fillSz"]) * self._unit
        return FillTold(
            client_id=row["clOrdId"], trade_id=row["tradeId"], amount=size if row["side"] == "buy" else -size
        )

    def _position(self, rows: list[dict[str, Any]]) -> Decimal:
        """In the net mode ``pos`` is signed."""
        mine = (Decimal(row["pos"] or 0) for row in rows if row["instId"] == self.ticker)
        return sum(mine, Decimal(0)) * self._unit

    def _contracts(self, order: Wanted) -> str:
        return f"{(order.quantity / self._unit).normalize():f}"


def _data(said: dict[str, Any]) -> list[dict[str, Any]]:
    """What an answer holds. Raises AssertionError where it, or a row of it, is a refusal."""
    assert said["code"] == "0", said
    rows: list[dict[str, Any]] = said["data"]
    assert all(row.get("sCode", "0") == "0" for row in rows), said
    return rows
