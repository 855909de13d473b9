"""Bybit v5's order verbs on a paper exchange: the same for REST and for the order entry websocket.

An answer says that a request was accepted for processing, and names the order; what became of it comes by the private
stream. Not offered, and refused in words: conditional orders, take profit and stop loss, hedge mode, RPI.

Sources: the pages Place Order, Amend Order, Cancel Order, Cancel All Orders, Batch Place, Amend and Cancel Order,
Set Disconnect Cancel All, and "Error Codes".
"""

import re
from collections.abc import Callable
from decimal import Decimal

from gateways.contracts import is_multiple, round_price
from gateways.paper.bybit import errors, limits, numbers
from gateways.paper.bybit.errors import BybitError
from gateways.paper.bybit.limits import RateMeter
from gateways.paper.bybit.records import PROTECTION, Ending, Json, ending_of
from gateways.paper.bybit.requests import Params
from gateways.paper.exchange import PaperExchange
from gateways.paper.records import NewOrder, PaperOrder, Refused
from gateways.standards import Contract, OrderStatus, TimeInForce

LARGEST_BATCH = 20
LINK_ID_LENGTH = 36
RACE_NS = 1_000_000
"""What filled so shortly before a cancel arrives raced with it: the cancel was accepted, and only then too late."""
MARKET_SLIPPAGE = Decimal("0.05")
"""How much worse than the mark a market order may trade."""

_LINK_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TIME_IN_FORCE = {
    "GTC": TimeInForce.GTC,
    "PostOnly": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
}
_NOT_OFFERED = ("triggerPrice", "takeProfit", "stopLoss", "orderIv", "slippageTolerance")

Verb = Callable[[Params, str], Json]


class OrderDesk:
    """Takes the order requests of all accounts. Every verb raises BybitError."""

    def __init__(self, exchange: PaperExchange, meter: RateMeter, now_ns: Callable[[], int]) -> None:
        self.raced: list[PaperOrder] = []
        """Orders that filled while their cancel was accepted, and that the stream has not told of as such."""
        self._exchange = exchange
        self._meter = meter
        self._now_ns = now_ns
        self._endings: dict[int, Ending] = {}

    # ------------------------------------------------------------------ verbs

    def create(self, params: Params, account: str) -> Json:
        """``POST /v5/order/create``, ``order.create``."""
        self._meter.use(account, limits.CREATE)
        return self._create(params, account)

    def amend(self, params: Params, account: str) -> Json:
        """``POST /v5/order/amend``, ``order.amend``: a new price, a new total quantity, or both; the id stays."""
        self._meter.use(account, limits.AMEND)
        return self._amend(params, account)

    def cancel(self, params: Params, account: str) -> Json:
        """``POST /v5/order/cancel``, ``order.cancel``."""
        self._meter.use(account, limits.CANCEL)
        return self._cancel(params, account)

    def cancel_all(self, params: Params, account: str) -> Json:
        """``POST /v5/order/cancel-all``: of one symbol, or of all with a base or settle coin."""
        self._meter.use(account, limits.CANCEL_ALL)
        if not params.is_linear():
            return {"list": [], "success": "1"}
        tickers = self.tickers(params)
        gone = [order for ticker in tickers for order in self._exchange.cancel_all(account, ticker)]
        return {"list": [_named(order) for order in gone], "success": "1"}

    def create_batch(self, params: Params, account: str) -> tuple[Json, Json]:
        """``POST /v5/order/create-batch``, ``order.create-batch``: up to 20 orders, each answered for itself."""
        return self._batch(params, account, "create-batch", self._create)

    def amend_batch(self, params: Params, account: str) -> tuple[Json, Json]:
        """``POST /v5/order/amend-batch``, ``order.amend-batch``."""
        return self._batch(params, account, "amend-batch", self._amend)

    def cancel_batch(self, params: Params, account: str) -> tuple[Json, Json]:
        """``POST /v5/order/cancel-batch``, ``order.cancel-batch``."""
        return self._batch(params, account, "cancel-batch", self._cancel)

    def disconnected(self, account: str) -> None:
        """Cancel all orders of an account that stayed away for too long."""
        for order in self._exchange.open_orders(account):
            self._endings[order.order_id] = Ending("CancelByDCP")
        self._exchange.cancel_all(account)

    def ending(self, order: PaperOrder) -> Ending:
        """Why an order ended."""
        return self._endings.get(order.order_id) or ending_of(order)

    def find(self, params: Params, account: str, contract: Contract) -> PaperOrder | None:
        """The order that ``orderId`` names, or else ``orderLinkId``, open or closed; None where there is none."""
        named = params.optional("orderId")
        if named is not None:
            number = numbers.order_number(named)
            return None if number is None else self._exchange.order(account, contract.ticker, order_id=number)
        link_id = params.optional("orderLinkId")
        if link_id is None:
            raise errors.bad_parameter("OrderId or orderLinkId is required")
        return self._exchange.order(account, contract.ticker, client_id=link_id)

    def tickers(self, params: Params) -> list[str]:
        """The contracts that ``symbol``, ``baseCoin`` or ``settleCoin`` name. Raises where none of them does."""
        contracts = self._exchange.contracts
        if "symbol" in params:
            return [params.contract(contracts).ticker]
        base, settle = params.optional("baseCoin"), params.optional("settleCoin")
        if base is None and settle is None:
            text = "Missing some parameters that must be filled in, symbol or settleCoin or baseCoin"
            raise BybitError(10001, text)
        return [
            each.ticker for each in contracts.values() if base in {None, each.base} and settle in {None, each.quote}
        ]

    # ------------------------------------------------------------------ parts

    def _batch(self, params: Params, account: str, kind: str, verb: Callable[[Params, str], Json]) -> tuple[Json, Json]:
        """The rows, and beside them how each item ended."""
        items = params.items("request")
        if len(items) > LARGEST_BATCH:
            raise errors.bad_parameter(f"The number of orders in a batch is over {LARGEST_BATCH}")
        category = params.text("category")
        self._meter.use(account, kind, len(items))
        rows: list[Json] = []
        ended: list[Json] = []
        for item in items:
            row: Json = {"category": category, "symbol": item.optional("symbol") or "", "orderId": ""}
            row["orderLinkId"] = item.optional("orderLinkId") or ""
            if kind == "create-batch":
                row["createAt"] = ""
            try:
                row.update(verb(item.within(category), account))
            except BybitError as error:
                ended.append({"code": error.code, "msg": error.text})
            else:
                ended.append({"code": 0, "msg": "OK"})
                if kind == "create-batch":
                    row["createAt"] = str(numbers.milliseconds(self._now_ns()))
            rows.append(row)
        return {"list": rows}, {"list": ended}

    def _create(self, params: Params, account: str) -> Json:
        contract = params.contract(self._exchange.contracts)
        new = self._new_order(params, account, contract)
        try:
            order = self._exchange.submit(account, new)
        except Refused as refused:
            raise errors.of_refused(refused, minimum=numbers.plain(contract.min_notional)) from None
        return _named(order)

    def _amend(self, params: Params, account: str) -> Json:
        contract = params.contract(self._exchange.contracts)
        order = self.find(params, account, contract)
        if order is None or order.status.terminal or order.price is None:
            raise errors.no_order("replace")
        if any(name in params for name in _NOT_OFFERED):
            raise errors.not_offered("a condition, take profit or stop loss")
        quantity = self._quantity(params, contract, market=False) if "qty" in params else order.quantity
        price = self._price(params, contract) if "price" in params else order.price
        if (quantity, price) == (order.quantity, order.price):
            raise BybitError(10001, "The order remains unchanged as the parameters entered match the existing ones.")
        if quantity <= order.filled:
            text = "The number of contracts modified cannot be less than or equal to the filled quantity"
            raise BybitError(110064, text)
        try:
            changed = self._exchange.amend(
                account, contract.ticker, order_id=order.order_id, quantity=quantity, price=price
            )
        except Refused as refused:
            raise errors.of_refused(refused, minimum=numbers.plain(contract.min_notional)) from None
        return _named(changed)

    def _cancel(self, params: Params, account: str) -> Json:
        contract = params.contract(self._exchange.contracts)
        order = self.find(params, account, contract)
        if order is not None and order.status is OrderStatus.FILLED and self._races(order):
            self.raced.append(order)
            return _named(order)
        if order is None or order.status.terminal:
            raise errors.no_order("cancel")
        return _named(self._exchange.cancel(account, contract.ticker, order_id=order.order_id))

    def _races(self, order: PaperOrder) -> bool:
        return self._now_ns() - order.ts_changed_ns <= RACE_NS

    def _new_order(self, params: Params, account: str, contract: Contract) -> NewOrder:
        side, kind = params.text("side"), params.text("orderType")
        if side not in {"Buy", "Sell"}:
            raise BybitError(10001, "Side invalid")
        if kind not in {"Limit", "Market"}:
            raise BybitError(10001, "OrderType invalid")
        if any(name in params for name in _NOT_OFFERED):
            raise errors.not_offered("a condition, take profit or stop loss")
        if params.optional("positionIdx") not in {None, "0"}:
            raise errors.position_mode()
        if params.optional("smpType") not in {None, "None", "CancelMaker"}:
            raise errors.not_offered(f"smpType {params.text('smpType')}")
        is_buy, market = side == "Buy", kind == "Market"
        quantity = self._quantity(params, contract, market=market)
        tif, post_only = (TimeInForce.GTC, False) if market else _time_in_force(params)
        reduce_only = params.flag("reduceOnly")
        if reduce_only:
            self._check_reduces(account, contract, is_buy=is_buy)
        extra: dict[str, str] = {}
        price: Decimal | None = None
        if market:
            mark = self._exchange.mark(contract.ticker)
            if mark is not None:
                worst = mark * (1 + MARKET_SLIPPAGE if is_buy else 1 - MARKET_SLIPPAGE)
                extra[PROTECTION] = str(round_price(contract, worst))
        else:
            price = self._matched_price(params, contract, is_buy=is_buy) or self._price(params, contract)
        return NewOrder(
            ticker=contract.ticker,
            client_id=self._link_id(params, account),
            is_buy=is_buy,
            quantity=quantity,
            price=price,
            tif=tif,
            post_only=post_only,
            reduce_only=reduce_only,
            extra=extra,
        )

    def _check_reduces(self, account: str, contract: Contract, *, is_buy: bool) -> None:
        amount = self._exchange.position(account, contract.ticker).amount
        if amount and (amount > 0) == is_buy:
            raise BybitError(110017, "reduce-only order has same side with current position")

    def _quantity(self, params: Params, contract: Contract, *, market: bool) -> Decimal:
        quantity = params.number("qty")
        if quantity is None or quantity <= 0:
            raise errors.bad_quantity()
        quantity *= contract.multiplier
        most = (contract.market_max_quantity if market else None) or contract.max_quantity
        if quantity < contract.min_quantity:
            raise errors.too_small(*self._texts(contract, quantity, contract.min_quantity))
        if most is not None and quantity > most:
            raise errors.too_large(*self._texts(contract, quantity, most))
        if not is_multiple(quantity, contract.lot_size):
            raise errors.bad_quantity()
        return quantity

    def _texts(self, contract: Contract, *quantities: Decimal) -> list[str]:
        return [numbers.plain(numbers.bundled(contract, each)) for each in quantities]

    def _price(self, params: Params, contract: Contract) -> Decimal:
        price = params.number("price")
        if price is None or price <= 0:
            raise errors.bad_price()
        if contract.multiplier != 1:
            price /= contract.multiplier
        if not is_multiple(price, contract.tick_size):
            raise errors.bad_price()
        return price

    def _matched_price(self, params: Params, contract: Contract, *, is_buy: bool) -> Decimal | None:
        """The price of a level of the book: ``bboSideType`` (own side or the other) and ``bboLevel`` (1 to 5)."""
        side, level = params.optional("bboSideType"), params.integer("bboLevel")
        if side is None and level is None:
            return None
        if side not in {"Queue", "Counterparty"} or level is None or not 1 <= level <= 5:
            raise errors.bad_parameter("bboSideType or bboLevel invalid")
        book = self._exchange.book(contract.ticker, level)
        levels = book.bids if is_buy == (side == "Queue") else book.asks
        if len(levels) < level:
            raise BybitError(110003, "There is no such level in the order book")
        return levels[level - 1].price

    def _link_id(self, params: Params, account: str) -> str | None:
        link_id = params.optional("orderLinkId")
        if link_id is None:
            return None
        if len(link_id) > LINK_ID_LENGTH:
            raise BybitError(10001, f"OrderLinkedID is longer than {LINK_ID_LENGTH}")
        if not _LINK_ID.fullmatch(link_id):
            raise BybitError(10001, "OrderLinkedID has illegal characters")
        # "Always unique": of ended orders too, and of other contracts'.
        if any(self._exchange.order(account, ticker, client_id=link_id) for ticker in self._exchange.contracts):
            raise errors.duplicate_link_id()
        return link_id


def _time_in_force(params: Params) -> tuple[TimeInForce, bool]:
    text = params.optional("timeInForce") or "GTC"
    if text not in _TIME_IN_FORCE:
        raise BybitError(10001, "TimeInForce invalid")
    return _TIME_IN_FORCE[text], text == "PostOnly"


def _named(order: PaperOrder) -> Json:
    return {"orderId": numbers.order_id(order.order_id), "orderLinkId": order.client_id or ""}
