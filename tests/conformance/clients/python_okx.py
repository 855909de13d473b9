"""python-okx: orders by REST or by websocket, its asynchronous private websocket, which speaks TLS alone."""

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

ANSWER_S, LOOK_S = 5.0, 0.01
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
        self.socket: WsPrivateAsync | None = None
        self._consuming: asyncio.Task[None] | None = None
        self._tls = AsyncExitStack()

    async def open(self) -> None:
        """See ``Client``, as for all here."""
        (contract,) = _data(self._public.get_instruments(instType="SWAP", instId=self.ticker))
        self._unit = Decimal(contract["ctVal"])
        assert isinstance(self.venue.ws, dict)
        url = await self._tls.enter_async_context(behind_tls(self.venue.ws["private"]))
        self.socket = WsPrivateAsync(self.venue.key, self.venue.passphrase, self.venue.secret, url)
        self._consuming = await self.socket.start()
        channels = [{"channel": channel, "instType": "SWAP"} for channel in ("orders", "positions")]
        await self.socket.subscribe(channels, self.heard.append)

    async def close(self) -> None:
        """See ``Client``."""
        if self.socket is not None and self._consuming is not None:
            await self.socket.stop()
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
        _data(self._trade.place_order(**self.terms(order)))

    async def amend(self, order: Wanted) -> None:
        """See ``Client``."""
        _data(self._trade.amend_order(**self.amended(order)))

    async def cancel(self, client_id: str) -> None:
        """See ``Client``."""
        _data(self._trade.cancel_order(self.ticker, clOrdId=client_id))

    async def fills(self, client_id: str) -> list[FillTold]:
        """See ``Client``."""
        fills = map(self._fill, _data(self._trade.get_fills(instType="SWAP", instId=self.ticker)))
        return [fill for fill in fills if fill.client_id == client_id]

    async def position(self) -> Decimal:
        """See ``Client``."""
        rows = _data(self._account.get_positions(instType="SWAP", instId=self.ticker))
        return self._position(rows)

    def read(self, message: Any) -> Iterable[Told]:
        """See ``Client``."""
        said = json.loads(message)
        if "event" in said or "op" in said:
            assert said.get("event") != "error", said
            return []
        if said["arg"]["channel"] == "positions":
            return [PositionTold(amount=self._position(said["data"]))]
        return [told for row in said["data"] for told in self._order(row)]

    def terms(self, order: Wanted) -> dict[str, str]:
        """An order in the venue's words."""
        said = {"ordType": "market"} if order.price is None else {"ordType": "post_only", "px": str(order.price)}
        return {
            **said,
            "instId": self.ticker,
            "tdMode": "cross",
            "side": "buy" if order.is_buy else "sell",
            "sz": self._contracts(order),
            "clOrdId": order.client_id,
        }

    def amended(self, order: Wanted) -> dict[str, str]:
        """An amendment in the venue's words."""
        return {
            "instId": self.ticker,
            "clOrdId": order.client_id,
            "newSz": self._contracts(order),
            "newPx": str(order.price),
        }

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


class PythonOkxWs(PythonOkx):
    """The same with its orders by websocket: on the private one, whose only callback gets the answers too."""

    name = "python-okx (ws)"

    def __init__(self, venue: Endpoints) -> None:
        super().__init__(venue)
        self._asked = 0
        self._code = 0

    async def open(self) -> None:
        """See ``Client``. Orders by websocket name the contract by its code."""
        await super().open()
        (contract,) = _data(self._public.get_instruments(instType="SWAP", instId=self.ticker))
        self._code = contract["instIdCode"]

    async def place(self, order: Wanted) -> None:
        """See ``Client``."""
        await self._answered("place_order", self.terms(order))

    async def amend(self, order: Wanted) -> None:
        """See ``Client``."""
        await self._answered("amend_order", self.amended(order))

    async def cancel(self, client_id: str) -> None:
        """See ``Client``."""
        await self._answered("cancel_order", {"clOrdId": client_id})

    async def _answered(self, verb: str, wanted: dict[str, str]) -> None:
        """Ask, and wait for the answer. Raises AssertionError for a refusal, TimeoutError without one."""
        self._asked += 1
        number = str(self._asked)
        await getattr(self.socket, verb)([{**wanted, "instIdCode": self._code}], id=number)
        async with asyncio.timeout(ANSWER_S):
            while not (said := [one for one in map(json.loads, self.heard) if one.get("id") == number]):
                await asyncio.sleep(LOOK_S)
        _data(said[0])


def _data(said: dict[str, Any]) -> list[dict[str, Any]]:
    """What an answer holds. Raises AssertionError where it, or a row of it, is a refusal."""
    assert said["code"] == "0", said
    rows: list[dict[str, Any]] = said["data"]
    assert all(row.get("sCode", "0") == "0" for row in rows), said
    return rows
