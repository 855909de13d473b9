"""A paper exchange: accounts trading with one another on price-time priority books. Pure: the clock is passed in."""

from collections.abc import Callable
from decimal import Decimal

from gateways.contracts import Contracts
from gateways.paper.records import (
    BalanceChanged,
    BookChanged,
    Happening,
    NewOrder,
    OrderChanged,
    OrderEvent,
    PaperBalance,
    PaperFill,
    PaperOrder,
    PaperPosition,
    PositionChanged,
    Refused,
    Traded,
)
from gateways.standards import Level

__all__ = [
    "BalanceChanged",
    "BookChanged",
    "Happening",
    "NewOrder",
    "OrderChanged",
    "OrderEvent",
    "PaperBalance",
    "PaperExchange",
    "PaperFill",
    "PaperOrder",
    "PaperPosition",
    "PositionChanged",
    "Refused",
    "Traded",
]


class PaperExchange:
    """One venue's matching, accounts and records.

    A fill gives, for the maker's account and then for the taker's: BalanceChanged, PositionChanged, OrderChanged; and
    then Traded. Changes of a book are gathered and given at the end of a ``drain`` (and counted in by ``book()``).
    """

    def __init__(
        self,
        name: str,
        contracts: Contracts,
        *,
        now_ns: Callable[[], int],
        quote_asset: str,
        maker_fee: Decimal,
        taker_fee: Decimal,
    ) -> None: ...

    name: str
    contracts: Contracts
    quote_asset: str
    maker_fee: Decimal
    taker_fee: Decimal
    leverage: Decimal

    def open_account(self, account: str, money: Decimal, *, house: bool = False) -> None:
        """Open an account with ``money`` in the quote asset. ``house``: the market's own, without limits or records."""
        ...

    def submit(self, account: str, new: NewOrder) -> PaperOrder:
        """Take an order, match it, rest what is left; return it as it then stands. Raises Refused."""
        ...

    def cancel(
        self, account: str, ticker: str, *, order_id: int | None = None, client_id: str | None = None
    ) -> PaperOrder:
        """Cancel an open order. Raises Refused (UNKNOWN_ORDER) when it is not open."""
        ...

    def amend(
        self,
        account: str,
        ticker: str,
        *,
        order_id: int | None = None,
        client_id: str | None = None,
        quantity: Decimal,
        price: Decimal,
    ) -> PaperOrder:
        """Change an open order to a new total quantity and price: the same id, at the end of the queue."""
        ...

    def cancel_all(self, account: str, ticker: str | None = None) -> list[PaperOrder]:
        """Cancel the account's open orders, in one contract or all."""
        ...

    def order(
        self, account: str, ticker: str, *, order_id: int | None = None, client_id: str | None = None
    ) -> PaperOrder | None:
        """An order, open or closed; by client id the latest that bore it."""
        ...

    def open_orders(self, account: str, ticker: str | None = None) -> list[PaperOrder]:
        """The open orders, oldest first."""
        ...

    def orders(self, account: str, ticker: str | None = None, since_ns: int = 0) -> list[PaperOrder]:
        """Open and closed orders created at or after ``since_ns``, oldest first."""
        ...

    def fills(self, account: str, ticker: str | None = None, since_ns: int = 0) -> list[PaperFill]:
        """The account's fills at or after ``since_ns``, oldest first."""
        ...

    def position(self, account: str, ticker: str) -> PaperPosition:
        """The position in one contract, also when it is zero."""
        ...

    def positions(self, account: str) -> list[PaperPosition]:
        """The positions that are not zero."""
        ...

    def balance(self, account: str) -> PaperBalance:
        """The account's money."""
        ...

    def book(self, ticker: str, depth: int) -> BookChanged:
        """The best ``depth`` levels a side; ``last_seq`` is the sequence they stand at."""
        ...

    def best(self, ticker: str) -> tuple[Level | None, Level | None]:
        """The best bid and ask."""
        ...

    def mark(self, ticker: str) -> Decimal | None:
        """The mark price; None before there is any."""
        ...

    def trades(self, ticker: str, limit: int) -> list[Traded]:
        """The latest public trades, oldest first."""
        ...

    def drain(self) -> list[Happening]:
        """What happened since the last call, in order."""
        ...
