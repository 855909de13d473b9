"""What the paper venue itself says of an account: its records by ``/paper/books``, which no client takes part in."""

from decimal import Decimal

import aiohttp
import msgspec

from gateways.paper.control import Act, Filled, Truth
from gateways.venue import Endpoints


class Witness:
    """The venue's own records, and the house's trades with the account's orders."""

    def __init__(self, venue: Endpoints, ticker: str, session: aiohttp.ClientSession) -> None:
        self._url = f"{venue.rest}/paper"
        self._ticker = ticker
        self._session = session

    async def truth(self) -> Truth:
        """The account's records as they are now."""
        async with self._session.get(f"{self._url}/books") as answer:
            return msgspec.json.decode(await answer.read(), type=Truth)

    async def filled(self, client_id: str) -> Filled:
        """What an order has filled; nothing where it has not."""
        nothing = Filled(ticker=self._ticker, filled=Decimal(0), trades=[])
        return (await self.truth()).fills.get(client_id, nothing)

    async def position(self) -> Decimal:
        """The signed position."""
        return (await self.truth()).positions.get(self._ticker, Decimal(0))

    async def trade_with(self, client_id: str, quantity: Decimal) -> None:
        """Let somebody else trade with an open order. Raises AssertionError where the venue refuses."""
        act = Act(act="fill", ticker=self._ticker, client_id=client_id, quantity=quantity)
        async with self._session.post(f"{self._url}/act", data=msgspec.json.encode(act)) as answer:
            assert answer.status == 200, await answer.text()
