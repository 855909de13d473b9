"""A client of a paper front without sockets: what is the same of every venue's, who adds how it signs and asks."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from gateways.paper.contracts import paper_exchange
from gateways.paper.front import HttpReply, Push
from gateways.paper.records import NewOrder

HOUSE = "house"
"""Who quotes."""
START_NS = 1_800_000_000_000_000_000
MONEY = Decimal(1_000_000)


class FrontClient:
    """Drives a front as the server's shell does: drain after every call, pushes in order; its clock moves when told.

    A venue's client makes ``front`` on ``exchange``. ``trader`` is whose order the house's is, if it names nobody,
    ``ticker`` where it quotes if no contract is named.
    """

    front: Any
    ticker: str
    trader = HOUSE

    def __init__(self, venue: str, accounts: Iterable[str], houses: Iterable[str] = (HOUSE,)) -> None:
        self.now_ns = START_NS
        self.exchange = paper_exchange(venue, now_ns=lambda: self.now_ns)
        for account in accounts:
            self.exchange.open_account(account, MONEY)
        for house in houses:
            self.exchange.open_account(house, MONEY, house=True)
        self.pushes: list[Push] = []
        self.closed: set[int] = set()
        self._connections = 0

    @property
    def now_ms(self) -> int:
        """The clock in milliseconds."""
        return self.now_ns // 1_000_000

    def ladder(self, ticker: str = "", middle: str = "95000", step: str = "0.1", levels: int = 25) -> None:
        """Rest ``levels`` house orders of half a base unit on each side of ``middle``, the first one step away."""
        for place in range(1, levels + 1):
            away = Decimal(step) * place
            self.house(ticker or self.ticker, is_buy=True, price=str(Decimal(middle) - away), account=HOUSE)
            self.house(ticker or self.ticker, is_buy=False, price=str(Decimal(middle) + away), account=HOUSE)

    def house(
        self, ticker: str, *, is_buy: bool, price: str | None, quantity: str = "0.5", account: str | None = None
    ) -> int:
        """An order of the house, in base units; its number."""
        limit = None if price is None else Decimal(price)
        new = NewOrder(ticker=ticker, is_buy=is_buy, quantity=Decimal(quantity), price=limit)
        order = self.exchange.submit(account or self.trader, new)
        self.settle([])
        return order.order_id

    def wait(self, milliseconds: int) -> None:
        """Let time pass in one step, then tick."""
        self.now_ns += milliseconds * 1_000_000
        self.settle(self.front.tick())

    def http(
        self, method: str, path: str, query: str = "", headers: dict[str, str] | None = None, body: bytes = b""
    ) -> HttpReply:
        """A request as it comes from the wire."""
        reply: HttpReply = self.front.http(method, path, query, headers or {}, body)
        self.settle([])
        return reply

    def connect(self, path: str, query: str = "") -> int:
        """Open a connection; its number."""
        self._connections += 1
        self.settle(self.front.ws_open(self._connections, path, query))
        return self._connections

    def replies(self, connection: int, message: object) -> list[Push]:
        """Send a message (a text as it is, anything else as JSON); what the front gives at once."""
        replies: list[Push] = self.front.ws_message(
            connection, message if isinstance(message, str) else json.dumps(message)
        )
        return replies

    def heard(self, connection: int) -> list[Any]:
        """What a connection was sent since it was last asked, answers to its requests left out."""
        messages = [json.loads(push.text) for push in self.pushes if push.connection == connection and push.text]
        self.pushes = [push for push in self.pushes if push.connection != connection]
        return messages

    def settle(self, pushes: list[Push]) -> None:
        """Keep what the front pushed, and what it pushes of all that happened since."""
        for push in [*pushes, *self.front.happened(self.exchange.drain())]:
            self.pushes.append(push)
            if push.close:
                self.closed.add(push.connection)
                self.front.ws_closed(push.connection)
