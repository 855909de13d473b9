"""What the conformance trial asks of another's client, in our words. Quantities are in base units, buys positive.

Each client is a published package behind these verbs, with nothing of it changed but its addresses. What its private
streams said is kept as it came and read only when asked for, so that a message which cannot be read fails the trial
and not the client's own thread.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar, Literal

import msgspec

from gateways.venue import Endpoints


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An order to be placed: signed ``amount``; post-only at ``price``, or a market order where that is None."""

    client_id: str
    amount: Decimal
    price: Decimal | None = None

    @property
    def is_buy(self) -> bool:
        """Whether it buys."""
        return self.amount > 0

    @property
    def quantity(self) -> Decimal:
        """Its unsigned size."""
        return abs(self.amount)


class OrderTold(msgspec.Struct, frozen=True, kw_only=True):
    """A private stream told of an order. ``quantity`` is as ordered, unsigned."""

    client_id: str
    status: Literal["open", "filled", "canceled", "refused"]
    quantity: Decimal
    price: Decimal | None


class FillTold(msgspec.Struct, frozen=True, kw_only=True):
    """A fill, from a private stream or from a query; ``amount`` is signed."""

    client_id: str
    trade_id: str
    amount: Decimal


class PositionTold(msgspec.Struct, frozen=True, kw_only=True):
    """A private stream told of the position; signed."""

    amount: Decimal


Told = OrderTold | FillTold | PositionTold


class Client(ABC):
    """Another's client on one paper venue. Opened once, closed once."""

    name: ClassVar[str]
    kind: ClassVar[str]
    """The kind of venue that it trades on."""
    ticker: ClassVar[str]
    """Its contract, as the venue writes it."""

    def __init__(self, venue: Endpoints) -> None:
        self.venue = venue
        self.heard: list[Any] = []
        """What the private streams said, as the client hands it out, oldest first."""
        self.order_ids: dict[str, str] = {}
        """The venue's ids of the orders placed, by client id; the newest where an amendment gives another."""
        self.failures: list[str] = []
        """What went wrong beside the verbs, in a stream that ended."""

    @abstractmethod
    async def open(self) -> None:
        """Connect, and hear the private streams from now on."""

    @abstractmethod
    async def close(self) -> None:
        """Leave."""

    @abstractmethod
    async def best(self) -> tuple[Decimal, Decimal]:
        """The best bid and ask, as the client asks for them."""

    @abstractmethod
    async def place(self, order: Wanted) -> None:
        """Place an order."""

    @abstractmethod
    async def amend(self, order: Wanted) -> None:
        """Give the open order of this client id another amount and price."""

    @abstractmethod
    async def cancel(self, client_id: str) -> None:
        """Cancel an open order."""

    @abstractmethod
    async def fills(self, client_id: str) -> list[FillTold]:
        """What an order has filled, by the client's own query."""

    @abstractmethod
    async def position(self) -> Decimal:
        """The signed position, by the client's own query."""

    @abstractmethod
    def read(self, message: Any) -> Iterable[Told]:
        """What one message of a private stream says of ``ticker``. Raises for what cannot be read."""

    def told(self) -> list[Told]:
        """All that the private streams have told so far."""
        return [told for message in list(self.heard) for told in self.read(message)]

    def client_id(self, order_id: object) -> str:
        """The client id of an order by the venue's id of it; empty for one that is not ours."""
        return next((mine for mine, theirs in self.order_ids.items() if theirs == str(order_id)), "")
