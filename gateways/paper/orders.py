"""The orders of one account on a paper exchange: those that live, and the records of those that ended. Pure."""

from collections.abc import Iterator
from decimal import Decimal

from gateways.paper.records import NewOrder, PaperOrder
from gateways.standards import ZERO, OrderStatus, RejectReason

CLOSED_KEPT = 100_000
"""How many ended orders an account remembers; the oldest are forgotten first."""


class LiveOrder:
    """An order while the exchange can still change it."""

    __slots__ = (
        "account",
        "end_reason",
        "filled",
        "new",
        "order_id",
        "price",
        "quantity",
        "quote_filled",
        "status",
        "ts_changed_ns",
        "ts_created_ns",
    )

    def __init__(self, order_id: int, account: str, new: NewOrder, now_ns: int) -> None:
        self.order_id = order_id
        self.account = account
        self.new = new
        self.quantity = new.quantity
        self.price = new.price
        self.filled = ZERO
        self.quote_filled = ZERO
        self.status = OrderStatus.NEW
        self.end_reason: RejectReason | None = None
        self.ts_created_ns = now_ns
        self.ts_changed_ns = now_ns

    @property
    def remaining(self) -> Decimal:
        """Quantity not filled."""
        return self.quantity - self.filled

    def fill(self, quantity: Decimal, price: Decimal, now_ns: int) -> None:
        """Count an execution."""
        self.filled += quantity
        self.quote_filled += quantity * price
        self.status = OrderStatus.PARTIAL if self.filled < self.quantity else OrderStatus.FILLED
        self.ts_changed_ns = now_ns

    def end(self, status: OrderStatus, now_ns: int, reason: RejectReason | None = None) -> None:
        """Close it with what was filled."""
        self.status = status
        self.end_reason = reason
        self.ts_changed_ns = now_ns

    def snapshot(self) -> PaperOrder:
        """The order as it stands."""
        new = self.new
        return PaperOrder(
            order_id=self.order_id,
            account=self.account,
            ticker=new.ticker,
            client_id=new.client_id,
            is_buy=new.is_buy,
            quantity=self.quantity,
            price=self.price,
            filled=self.filled,
            quote_filled=self.quote_filled,
            status=self.status,
            tif=new.tif,
            post_only=new.post_only,
            reduce_only=new.reduce_only,
            ts_created_ns=self.ts_created_ns,
            ts_changed_ns=self.ts_changed_ns,
            extra=new.extra,
            end_reason=self.end_reason,
        )


class OrderRecords:
    """Open orders by id and by client id, and the last ones that ended."""

    def __init__(self, *, closed_kept: int = CLOSED_KEPT) -> None:
        self._open: dict[int, LiveOrder] = {}
        self._open_by_client: dict[tuple[str, str], int] = {}
        self._closed: dict[int, PaperOrder] = {}
        self._latest_by_client: dict[tuple[str, str], int] = {}
        self._closed_kept = closed_kept

    def open_count(self, ticker: str) -> int:
        """How many orders are open in one contract."""
        return sum(1 for order in self._open.values() if order.new.ticker == ticker)

    def is_open(self, ticker: str, client_id: str) -> bool:
        """Whether an open order bears the client id."""
        return (ticker, client_id) in self._open_by_client

    def add(self, order: LiveOrder) -> None:
        """Register a new order."""
        self._open[order.order_id] = order
        if order.new.client_id is not None:
            self._open_by_client[order.new.ticker, order.new.client_id] = order.order_id

    def close(self, order: LiveOrder) -> None:
        """Move an order that ended to the records."""
        del self._open[order.order_id]
        client = (order.new.ticker, order.new.client_id) if order.new.client_id is not None else None
        if client is not None:
            del self._open_by_client[client]
        if not self._closed_kept:
            return
        self._closed[order.order_id] = order.snapshot()
        if client is not None:
            self._latest_by_client[client] = order.order_id
        if len(self._closed) > self._closed_kept:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        old = self._closed.pop(next(iter(self._closed)))
        if old.client_id is not None and self._latest_by_client.get((old.ticker, old.client_id)) == old.order_id:
            del self._latest_by_client[old.ticker, old.client_id]

    def live(self, ticker: str, order_id: int | None, client_id: str | None) -> LiveOrder | None:
        """The open order of that id, or else of that client id; None when it is not open in that contract."""
        if order_id is None and client_id is not None:
            order_id = self._open_by_client.get((ticker, client_id))
        order = self._open.get(order_id) if order_id is not None else None
        return order if order is not None and order.new.ticker == ticker else None

    def find(self, ticker: str, order_id: int | None, client_id: str | None) -> PaperOrder | None:
        """The order of that id, open or ended, or else the latest that bore the client id."""
        live = self.live(ticker, order_id, client_id)
        if live is not None:
            return live.snapshot()
        if order_id is None and client_id is not None:
            order_id = self._latest_by_client.get((ticker, client_id))
        closed = self._closed.get(order_id) if order_id is not None else None
        return closed if closed is not None and closed.ticker == ticker else None

    def open(self, ticker: str | None = None) -> list[LiveOrder]:
        """The open orders, oldest first."""
        return [order for order in self._open.values() if ticker is None or order.new.ticker == ticker]

    def since(self, ticker: str | None, since_ns: int) -> Iterator[PaperOrder]:
        """All orders created at or after a time, oldest first."""
        found = [order for order in self._closed.values() if order.ts_created_ns >= since_ns]
        found.extend(order.snapshot() for order in self._open.values() if order.ts_created_ns >= since_ns)
        found.sort(key=lambda order: order.order_id)
        return (order for order in found if ticker is None or order.ticker == ticker)
