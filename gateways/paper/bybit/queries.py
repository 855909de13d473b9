"""Bybit v5's queries of orders and executions on a paper exchange.

Sources: the pages Get Open & Closed Orders, Get Order History, Get Trade History, Get Closed PnL.
"""

from collections.abc import Callable
from decimal import Decimal

from gateways.paper.bybit import numbers, records
from gateways.paper.bybit.ledger import Ledger
from gateways.paper.bybit.orders import OrderDesk
from gateways.paper.bybit.pages import page, time_range
from gateways.paper.bybit.records import Json
from gateways.paper.bybit.requests import Params
from gateways.paper.exchange import PaperExchange
from gateways.paper.records import PaperFill, PaperOrder
from gateways.standards import ZERO


class OrderQueries:
    """Answers what an account asks of its orders and executions. Every verb raises BybitError."""

    def __init__(
        self,
        exchange: PaperExchange,
        desk: OrderDesk,
        ledger: Ledger,
        now_ns: Callable[[], int],
    ) -> None:
        self._exchange = exchange
        self._desk = desk
        self._ledger = ledger
        self._now_ns = now_ns

    def realtime(self, params: Params, account: str) -> Json:
        """``GET /v5/order/realtime``: the open orders; with an id, or ``openOnly`` 1, the last 500 ended ones too."""
        if not params.is_linear():
            return _listed([], "", params)
        tickers = self._desk.tickers(params)
        if self._is_named(params):
            return self._one(params, account, tickers, recent=True)
        if params.optional("openOnly") in {"1", "2"}:
            rows = self._recent(account, tickers)
        else:
            rows = [order for ticker in tickers for order in self._exchange.open_orders(account, ticker)]
            rows.sort(key=lambda order: -order.order_id)
        chosen, cursor = page(rows, params, lambda order: order.order_id, usual=20, most=50)
        return _listed([self._row(order) for order in chosen], cursor, params)

    def history(self, params: Params, account: str) -> Json:
        """``GET /v5/order/history``: the ended orders of at most seven days, newest first."""
        if not params.is_linear():
            return _listed([], "", params)
        if self._is_named(params):
            return self._one(params, account, list(self._exchange.contracts), recent=False)
        named = any(name in params for name in ("symbol", "baseCoin", "settleCoin"))
        tickers = self._desk.tickers(params) if named else list(self._exchange.contracts)
        start, end = time_range(params, self._now_ms)
        rows = [
            order
            for order in self._exchange.orders(account, None, start * 1_000_000)
            if order.ticker in tickers
            and order.status.terminal
            and numbers.milliseconds(order.ts_created_ns) <= end
            and params.optional("orderStatus") in {None, self._row(order)["orderStatus"]}
        ]
        rows.reverse()
        chosen, cursor = page(rows, params, lambda order: order.order_id, usual=20, most=50)
        return _listed([self._row(order) for order in chosen], cursor, params)

    def executions(self, params: Params, account: str) -> Json:
        """``GET /v5/execution/list``: the fills of at most seven days, newest first."""
        if not params.is_linear():
            return _listed([], "", params)
        ticker = params.contract(self._exchange.contracts).ticker if "symbol" in params else None
        start, end = time_range(params, self._now_ms)
        rows = [
            fill
            for fill in reversed(self._exchange.fills(account, ticker, start * 1_000_000))
            if numbers.milliseconds(fill.ts_ns) <= end and self._is_wanted(fill, params)
        ]
        chosen, cursor = page(rows, params, lambda fill: fill.trade_id, usual=50, most=100)
        return _listed([self._execution(fill) for fill in chosen], cursor, params)

    def closed_profit(self, params: Params, account: str) -> Json:
        """``GET /v5/position/closed-pnl``: of every order that closed something, the newest order first."""
        if not params.is_linear():
            return _listed([], "", params)
        ticker = params.contract(self._exchange.contracts).ticker if "symbol" in params else None
        start, end = time_range(params, self._now_ms)
        by_order: dict[int, list[PaperFill]] = {}
        for fill in reversed(self._exchange.fills(account, ticker, start * 1_000_000)):
            closes = bool(fill.start_position) and (fill.start_position > 0) != fill.is_buy
            if closes and numbers.milliseconds(fill.ts_ns) <= end:
                by_order.setdefault(fill.order_id, []).append(fill)
        chosen, cursor = page(sorted(by_order.items(), reverse=True), params, lambda item: item[0], usual=50, most=100)
        return _listed([self._closed(fills) for _, fills in chosen], cursor, params)

    # ------------------------------------------------------------------ parts

    @property
    def _now_ms(self) -> int:
        return numbers.milliseconds(self._now_ns())

    def _is_named(self, params: Params) -> bool:
        return "orderId" in params or "orderLinkId" in params

    def _one(self, params: Params, account: str, tickers: list[str], *, recent: bool) -> Json:
        for ticker in tickers:
            order = self._desk.find(params, account, self._exchange.contracts[ticker])
            if order is None:
                continue
            ended = order.status.terminal
            if recent and ended and (order.order_id, ticker) not in self._ledger.recent(account):
                continue
            if ended or recent:
                return _listed([self._row(order)], "", params)
        return _listed([], "", params)

    def _recent(self, account: str, tickers: list[str]) -> list[PaperOrder]:
        """The last ended orders, the newest first."""
        named = sorted(self._ledger.recent(account), reverse=True)
        found = (
            self._exchange.order(account, ticker, order_id=number) for number, ticker in named if ticker in tickers
        )
        return [order for order in found if order is not None]

    def _is_wanted(self, fill: PaperFill, params: Params) -> bool:
        order_id, link_id = params.optional("orderId"), params.optional("orderLinkId")
        if order_id is not None:
            return numbers.order_id(fill.order_id) == order_id
        if link_id is not None:
            return fill.client_id == link_id
        return params.optional("execType") in {None, "Trade"} or bool(fill.forced)

    def _row(self, order: PaperOrder) -> Json:
        contract = self._exchange.contracts[order.ticker]
        fee = self._ledger.order(order.order_id).fee
        return records.order_record(contract, order, fee=fee, ending=self._desk.ending(order))

    def _execution(self, fill: PaperFill) -> Json:
        order = self._exchange.order(fill.account, fill.ticker, order_id=fill.order_id)
        beside = self._ledger.execution(fill, order, self._exchange.mark(fill.ticker) or ZERO)
        return records.execution_record(self._exchange.contracts[fill.ticker], fill, beside)

    def _closed(self, fills: list[PaperFill]) -> Json:
        """One row of closed profit. ``fills``: of one order, newest first."""
        last, contract = fills[0], self._exchange.contracts[fills[0].ticker]
        quantity = sum((min(fill.quantity, abs(fill.start_position)) for fill in fills), ZERO)
        paid = sum((min(fill.quantity, abs(fill.start_position)) * fill.price for fill in fills), ZERO)
        profit = sum((fill.realised for fill in fills), ZERO)
        entry: Decimal = paid + profit if last.is_buy else paid - profit
        return {
            "symbol": last.ticker,
            "orderId": numbers.order_id(last.order_id),
            "orderType": "Limit" if last.is_maker else "Market",
            "execType": "Trade",
            "side": records.side_of(is_buy=last.is_buy),
            "qty": numbers.quantity(contract, quantity),
            "closedSize": numbers.quantity(contract, quantity),
            "orderPrice": numbers.price(contract, last.price),
            "cumEntryValue": numbers.plain(entry),
            "avgEntryPrice": numbers.average(contract, entry / quantity),
            "cumExitValue": numbers.plain(paid),
            "avgExitPrice": numbers.average(contract, paid / quantity),
            "closedPnl": numbers.plain(profit - sum((fill.fee for fill in fills), ZERO)),
            "fillCount": str(len(fills)),
            "leverage": numbers.plain(self._exchange.leverage),
            "createdTime": str(numbers.milliseconds(fills[-1].ts_ns)),
            "updatedTime": str(numbers.milliseconds(last.ts_ns)),
        }


def _listed(rows: list[Json], cursor: str, params: Params) -> Json:
    return {"list": rows, "nextPageCursor": cursor, "category": params.text("category")}
