"""Binance USD-M's queries of orders and trades on a paper exchange.

Sources: the venue's pages Query Order, Query Current Open Order, Current All Open Orders, All Orders, Account Trade
List.
"""

from collections.abc import Callable

from gateways.paper.binance import errors
from gateways.paper.binance.errors import BinanceError
from gateways.paper.binance.orders import OrderDesk
from gateways.paper.binance.records import Json, is_recorded, order_record, trade_record
from gateways.paper.binance.requests import Params
from gateways.paper.exchange import PaperExchange
from gateways.paper.records import PaperOrder
from gateways.standards import OrderStatus

DAY_NS = 86_400_000_000_000
MILLISECOND_NS = 1_000_000
LONGEST_RANGE_DAYS = 7
FORGOTTEN_AFTER_DAYS = 3


class OrderQueries:
    """Answers what an account asks of its orders and trades. Every verb raises BinanceError."""

    def __init__(self, exchange: PaperExchange, desk: OrderDesk, now_ns: Callable[[], int]) -> None:
        self._exchange = exchange
        self._desk = desk
        self._now_ns = now_ns

    def order(self, params: Params, account: str) -> Json:
        """``GET /fapi/v1/order``, ``order.status``: open or closed.

        An order that ended without a fill is not found three days after its creation.
        """
        contract, order = self._desk.find(params, account)
        if self._forgotten(order):
            raise errors.unknown_order_query()
        return order_record(contract, order)

    def open_order(self, params: Params, account: str) -> Json:
        """``GET /fapi/v1/openOrder``."""
        contract, order = self._desk.find(params, account)
        if order.status.terminal:
            raise errors.unknown_order_query()
        return order_record(contract, order)

    def open_orders(self, params: Params, account: str) -> list[Json]:
        """``GET /fapi/v1/openOrders``: of one contract or of all."""
        ticker = params.contract(self._exchange.contracts).ticker if "symbol" in params else None
        return self._listed(self._exchange.open_orders(account, ticker))

    def all_orders(self, params: Params, account: str) -> list[Json]:
        """``GET /fapi/v1/allOrders``: from ``orderId`` on, or within a time range of at most seven days."""
        contract = params.contract(self._exchange.contracts)
        limit = params.limit(500, 1000)
        first = params.integer("orderId")
        if first is not None:
            found = [order for order in self._exchange.orders(account, contract.ticker) if order.order_id >= first]
            return self._listed(self._recorded(found)[:limit])
        start_ns, end_ns, oldest_first = self._range(params)
        found = [
            order for order in self._exchange.orders(account, contract.ticker, start_ns) if order.ts_created_ns < end_ns
        ]
        recorded = self._recorded(found)
        return self._listed(recorded[:limit] if oldest_first else recorded[-limit:])

    def trades(self, params: Params, account: str) -> list[Json]:
        """``GET /fapi/v1/userTrades``: from ``fromId`` on, of one ``orderId``, or within a time range."""
        contract = params.contract(self._exchange.contracts)
        limit = params.limit(500, 1000)
        order_id = params.integer("orderId")
        first = params.integer("fromId")
        if first is not None:
            if "startTime" in params or "endTime" in params:
                raise BinanceError(-1128, "Combination of optional parameters invalid.")
            fills = [fill for fill in self._exchange.fills(account, contract.ticker) if fill.trade_id >= first]
            oldest_first = True
        else:
            start_ns, end_ns, oldest_first = self._range(params)
            fills = [fill for fill in self._exchange.fills(account, contract.ticker, start_ns) if fill.ts_ns < end_ns]
        if order_id is not None:
            fills = [fill for fill in fills if fill.order_id == order_id]
        chosen = fills[:limit] if oldest_first else fills[-limit:]
        return [trade_record(contract, fill) for fill in chosen]

    def _range(self, params: Params) -> tuple[int, int, bool]:
        """Start (inclusive) and end (exclusive) in ns, and whether the oldest rows are the ones to keep."""
        start, end = params.integer("startTime"), params.integer("endTime")
        longest_ns = LONGEST_RANGE_DAYS * DAY_NS
        if start is None and end is None:
            now = self._now_ns()
            return now - longest_ns, now + MILLISECOND_NS, False
        if start is None:
            end_ns = ((end or 0) + 1) * MILLISECOND_NS
            return end_ns - longest_ns, end_ns, False
        start_ns = start * MILLISECOND_NS
        if end is None:
            return start_ns, start_ns + longest_ns, True
        if end < start:
            raise BinanceError(-1023, "Start time is greater than end time.")
        end_ns = (end + 1) * MILLISECOND_NS
        if end_ns - start_ns > longest_ns + MILLISECOND_NS:
            raise BinanceError(-4165, f"Maximum time interval is {LONGEST_RANGE_DAYS} days.")
        return start_ns, end_ns, True

    def _recorded(self, orders: list[PaperOrder]) -> list[PaperOrder]:
        return [order for order in orders if is_recorded(order) and not self._forgotten(order)]

    def _forgotten(self, order: PaperOrder) -> bool:
        return (
            order.status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED}
            and not order.filled
            and order.ts_created_ns + FORGOTTEN_AFTER_DAYS * DAY_NS < self._now_ns()
        )

    def _listed(self, orders: list[PaperOrder]) -> list[Json]:
        return [order_record(self._exchange.contracts[order.ticker], order) for order in orders]
