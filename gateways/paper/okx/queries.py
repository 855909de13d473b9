"""OKX v5's queries of orders and executions on a paper exchange: newest first, a page of at most a hundred rows.

``after`` asks for rows older than an id, ``before`` for newer ones. Sources: the venue's pages Get order details, Get
order list, Get order history (last 7 days, last 3 months), Get transaction details (last 3 days, last 3 months).
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from gateways.paper.exchange import PaperExchange
from gateways.paper.okx import errors
from gateways.paper.okx.orders import OrderDesk
from gateways.paper.okx.records import TAG, fill_record, order_record, state_of, type_of
from gateways.paper.okx.requests import Json, Params
from gateways.paper.okx.tallies import Tallies
from gateways.paper.records import PaperFill, PaperOrder
from gateways.standards import OrderStatus

MILLISECOND_NS = 1_000_000
HOUR_NS = 3_600 * 1_000_000_000
DAY_NS = 24 * HOUR_NS

FORGOTTEN_AFTER_NS = 2 * HOUR_NS
"""How long an order that was cancelled without a fill is remembered."""

_TYPES = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION", "EVENTS", "ANY")

Row = TypeVar("Row", PaperOrder, PaperFill)


class OrderQueries:
    """Answers what an account asks of its orders and executions. Every verb raises OkxError."""

    def __init__(self, exchange: PaperExchange, desk: OrderDesk, tallies: Tallies, now_ns: Callable[[], int]) -> None:
        self._exchange = exchange
        self._desk = desk
        self._tallies = tallies
        self._now_ns = now_ns

    def order(self, params: Params, account: str) -> list[Json]:
        """``trade/order``: open or closed."""
        contract = params.contract(self._exchange.contracts)
        order = self._desk.find(params, account, contract, errors.unknown_order)
        if self._forgotten(order):
            raise errors.unknown_order()
        return [self.record(order)]

    def pending(self, params: Params, account: str) -> list[Json]:
        """``trade/orders-pending``."""
        return self._orders(params, self._exchange.open_orders(account))

    def history(self, params: Params, account: str) -> list[Json]:
        """``trade/orders-history``: what ended within seven days."""
        return self._ended(params, account, 7 * DAY_NS)

    def archive(self, params: Params, account: str) -> list[Json]:
        """``trade/orders-history-archive``: what ended within three months."""
        return self._ended(params, account, 90 * DAY_NS)

    def fills(self, params: Params, account: str) -> list[Json]:
        """``trade/fills``: of three days."""
        return self._fills(params, account, 3 * DAY_NS)

    def fills_archive(self, params: Params, account: str) -> list[Json]:
        """``trade/fills-history``: of three months."""
        return self._fills(params, account, 90 * DAY_NS)

    def record(self, order: PaperOrder) -> Json:
        """An order as a query lists it."""
        contract = self._exchange.contracts[order.ticker]
        return order_record(contract, order, self._tallies.order(order.order_id), self._exchange.leverage)

    # ------------------------------------------------------------------ parts

    def _ended(self, params: Params, account: str, reach_ns: int) -> list[Json]:
        params.choice("instType", _TYPES)
        ended = [
            order
            for order in self._exchange.orders(account)
            if order.status.terminal and order.ts_changed_ns >= self._now_ns() - reach_ns and not self._forgotten(order)
        ]
        return self._orders(params, ended)

    def _orders(self, params: Params, orders: list[PaperOrder]) -> list[Json]:
        kinds = _words(params.optional("ordType"))
        states = _words(params.optional("state"))
        found = [
            order
            for order in self._of(params, orders, lambda order: order.ts_created_ns)
            if (not kinds or type_of(order) in kinds) and (not states or state_of(order) in states)
        ]
        return [self.record(order) for order in _page(params, found, lambda order: order.order_id)]

    def _fills(self, params: Params, account: str, reach_ns: int) -> list[Json]:
        order_id = params.optional("ordId")
        fills = self._exchange.fills(account, since_ns=self._now_ns() - reach_ns)
        found = [
            fill
            for fill in self._of(params, fills, lambda fill: fill.ts_ns)
            if order_id is None or str(fill.order_id) == order_id
        ]
        return [
            fill_record(self._exchange.contracts[fill.ticker], fill, self._tag(account, fill))
            for fill in _page(params, found, lambda fill: fill.trade_id)
        ]

    def _of(self, params: Params, rows: list[Row], at_ns: Callable[[Row], int]) -> Iterable[Row]:
        """Those of the contract, the kind and the time that are asked for."""
        kind = params.choice("instType", _TYPES, "ANY")
        if kind not in {"SWAP", "ANY"}:
            return []
        ticker = params.contract(self._exchange.contracts).ticker if "instId" in params else None
        family = params.optional("instFamily") or params.optional("uly")
        begin, end = params.integer("begin"), params.integer("end")
        return [
            row
            for row in rows
            if (ticker is None or row.ticker == ticker)
            and (family is None or row.ticker.startswith(f"{family}-"))
            and (begin is None or at_ns(row) >= begin * MILLISECOND_NS)
            and (end is None or at_ns(row) < (end + 1) * MILLISECOND_NS)
        ]

    def _tag(self, account: str, fill: PaperFill) -> str:
        order = self._exchange.order(account, fill.ticker, order_id=fill.order_id)
        return order.extra.get(TAG, "") if order is not None else ""

    def _forgotten(self, order: PaperOrder) -> bool:
        return (
            order.status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED}
            and not order.filled
            and order.ts_changed_ns + FORGOTTEN_AFTER_NS < self._now_ns()
        )


def _page(params: Params, rows: list[Row], number: Callable[[Row], int]) -> list[Row]:
    """Newest first, between ``before`` and ``after``; with ``before`` alone, the ones next to it."""
    after, before = params.integer("after"), params.integer("before")
    found = [row for row in rows if (after is None or number(row) < after) and (before is None or number(row) > before)]
    found.sort(key=number, reverse=True)
    return found[: params.limit()]


def _words(text: str | None) -> set[str]:
    return {word for word in (text or "").split(",") if word}
