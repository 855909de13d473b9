"""Binance USD-M's order verbs on a paper exchange: the same for REST and for the websocket API.

Sources: the venue's pages New Order, Modify Order, Cancel Order, Place Multiple Orders, Auto-Cancel All Open Orders,
and "Error Codes".
"""

import re
from collections.abc import Callable
from decimal import Decimal

from gateways.contracts import is_multiple
from gateways.paper.binance import errors, numbers
from gateways.paper.binance.contract_info import (
    highest_price,
    largest_quantity,
    lowest_price,
)
from gateways.paper.binance.errors import BinanceError
from gateways.paper.binance.limits import RateMeter
from gateways.paper.binance.records import PRICE_MATCH, SELF_TRADE_PREVENTION, Json, is_recorded, order_answer, side_of
from gateways.paper.binance.requests import Params, as_texts, read_json
from gateways.paper.exchange import PaperExchange
from gateways.paper.records import NewOrder, PaperOrder, Refused
from gateways.standards import Contract, RejectReason, TimeInForce

CLIENT_ID_PATTERN = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"
LARGEST_BATCH = 5
LARGEST_CANCEL_BATCH = 10

_CLIENT_ID = re.compile(CLIENT_ID_PATTERN)
_CONDITIONAL = {"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"}
_TIME_IN_FORCE = {"GTC": TimeInForce.GTC, "GTX": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
_PRICE_MATCH = re.compile(r"(OPPONENT|QUEUE)(?:_(5|10|20))?")


class OrderDesk:
    """Takes the order requests of all accounts. Every verb raises BinanceError."""

    def __init__(self, exchange: PaperExchange, meter: RateMeter, now_ns: Callable[[], int]) -> None:
        self._exchange = exchange
        self._meter = meter
        self._now_ns = now_ns
        self._made_ids = 0
        self._countdowns: dict[tuple[str, str], int] = {}

    # ------------------------------------------------------------------ verbs

    def place(self, params: Params, account: str) -> Json:
        """``POST /fapi/v1/order``, ``order.place``."""
        self._meter.order(account)
        return self._place(params, account)

    def place_test(self, params: Params, account: str) -> Json:
        """``POST /fapi/v1/order/test``: every check that needs no matching; the order is not sent."""
        contract = params.contract(self._exchange.contracts)
        self._new_order(params, account, contract)
        return {}

    def place_batch(self, params: Params, account: str) -> list[Json]:
        """``POST /fapi/v1/batchOrders``: up to five orders, each answered for itself."""
        items = _json_objects(params.text("batchOrders"), "batchOrders")
        if not 1 <= len(items) <= LARGEST_BATCH:
            raise BinanceError(-4082, f"Invalid number of batch place orders: {len(items)}")
        self._meter.order(account, len(items))
        return [_answer_or_error(self._place, Params(as_texts(item)), account) for item in items]

    def modify(self, params: Params, account: str) -> Json:
        """``PUT /fapi/v1/order``, ``order.modify``: a new total quantity and price; loses its place in the queue.

        The order is cancelled instead, and so answered, when the new quantity is already filled or when a GTX order
        would take at the new price, as the venue documents.
        """
        self._meter.order(account)
        contract = params.contract(self._exchange.contracts)
        order = self._find(params, account, contract, errors.unknown_order_query)
        if order.status.terminal:
            raise errors.unknown_order_query()
        if params.text("side") != side_of(order):
            raise errors.not_valid("side")
        quantity = self._quantity(params, contract, market=False)
        price, _ = self._limit_price(params, contract, is_buy=order.is_buy, post_only=False)
        if (quantity, price) == (order.quantity, order.price):
            raise BinanceError(-5027, "No need to modify the order.")
        try:
            changed = self._exchange.amend(
                account, contract.ticker, order_id=order.order_id, quantity=quantity, price=price
            )
        except Refused as refused:
            if refused.reason is RejectReason.MIN_NOTIONAL:
                minimum = numbers.plain(contract.min_notional)
                raise BinanceError(-5029, f"Order's notional must be no smaller than {minimum}") from None
            raise errors.of_refused(refused) from None
        return order_answer(contract, changed)

    def cancel(self, params: Params, account: str) -> Json:
        """``DELETE /fapi/v1/order``, ``order.cancel``."""
        contract = params.contract(self._exchange.contracts)
        order = self._find(params, account, contract, errors.unknown_order_cancel)
        return self._cancel(account, contract, order.order_id)

    def cancel_batch(self, params: Params, account: str) -> list[Json]:
        """``DELETE /fapi/v1/batchOrders``: up to ten orders, each answered for itself."""
        contract = params.contract(self._exchange.contracts)
        found: list[dict[str, str]] = []
        for name, key in (("orderIdList", "orderId"), ("origClientOrderIdList", "origClientOrderId")):
            if name in params and not found:
                found = [{"symbol": contract.ticker, key: item} for item in _json_texts(params.text(name), name)]
        if not found:
            raise errors.missing("orderIdList")
        if len(found) > LARGEST_CANCEL_BATCH:
            raise BinanceError(-4032, "Exceed maximum cancel order size.")
        return [_answer_or_error(self.cancel, Params(item), account) for item in found]

    def cancel_all(self, params: Params, account: str) -> Json:
        """``DELETE /fapi/v1/allOpenOrders``."""
        self._exchange.cancel_all(account, params.contract(self._exchange.contracts).ticker)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def count_down(self, params: Params, account: str) -> Json:
        """``POST /fapi/v1/countdownCancelAll``: cancel the contract's orders after ``countdownTime`` ms; 0 stops it."""
        ticker = params.contract(self._exchange.contracts).ticker
        wait_ms = params.integer("countdownTime")
        if wait_ms is None:
            raise errors.missing("countdownTime")
        if wait_ms < 0:
            raise errors.not_valid("countdownTime")
        self._countdowns.pop((account, ticker), None)
        if wait_ms:
            self._countdowns[account, ticker] = self._now_ns() + wait_ms * 1_000_000
        return {"symbol": ticker, "countdownTime": str(wait_ms)}

    def tick(self) -> None:
        """Carry out the countdowns that have run out."""
        now = self._now_ns()
        for account, ticker in [key for key, due in self._countdowns.items() if due <= now]:
            del self._countdowns[account, ticker]
            self._exchange.cancel_all(account, ticker)

    def find(self, params: Params, account: str) -> tuple[Contract, PaperOrder]:
        """The order that ``orderId`` or ``origClientOrderId`` names, open or closed. Raises -2013."""
        contract = params.contract(self._exchange.contracts)
        return contract, self._find(params, account, contract, errors.unknown_order_query)

    # ------------------------------------------------------------------ parts

    def _place(self, params: Params, account: str) -> Json:
        contract = params.contract(self._exchange.contracts)
        result = params.choice("newOrderRespType", ("ACK", "RESULT"), "ACK") == "RESULT"
        new = self._new_order(params, account, contract)
        try:
            order = self._exchange.submit(account, new)
        except Refused as refused:
            raise errors.of_refused(refused, minimum=numbers.plain(contract.min_notional)) from None
        if not is_recorded(order):
            raise errors.post_only_would_take() if order.post_only else errors.fok_not_filled()
        return order_answer(contract, order, acknowledge=not result)

    def _new_order(self, params: Params, account: str, contract: Contract) -> NewOrder:
        side = params.text("side")
        if side not in {"BUY", "SELL"}:
            raise BinanceError(-1117, "Invalid side.")
        kind = params.text("type")
        if kind in _CONDITIONAL:
            raise BinanceError(
                -4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
            )
        if kind not in {"LIMIT", "MARKET"}:
            raise BinanceError(-1116, "Invalid orderType.")
        if params.optional("positionSide") not in {None, "BOTH"}:
            raise BinanceError(-4061, "Order's position side does not match user's setting.")
        if params.optional("selfTradePreventionMode") not in {None, SELF_TRADE_PREVENTION}:
            raise BinanceError(-5039, "Invalid self trade prevention mode")
        market = kind == "MARKET"
        tif, post_only = self._time_in_force(params, market=market)
        quantity = self._quantity(params, contract, market=market)
        extra: dict[str, str] = {}
        price: Decimal | None = None
        if market:
            for name in ("price", PRICE_MATCH):
                if name in params:
                    raise errors.not_required(name)
        else:
            price, rule = self._limit_price(params, contract, is_buy=side == "BUY", post_only=post_only)
            if rule is not None:
                extra[PRICE_MATCH] = rule
        return NewOrder(
            ticker=contract.ticker,
            client_id=self._client_id(params, account),
            is_buy=side == "BUY",
            quantity=quantity,
            price=price,
            tif=tif,
            post_only=post_only,
            reduce_only=params.flag("reduceOnly"),
            extra=extra,
        )

    def _time_in_force(self, params: Params, *, market: bool) -> tuple[TimeInForce, bool]:
        if market:
            if "timeInForce" in params:
                raise errors.not_required("timeInForce")
            return TimeInForce.GTC, False
        text = params.text("timeInForce")
        if text not in _TIME_IN_FORCE:
            raise BinanceError(-1115, "Invalid timeInForce.")
        return _TIME_IN_FORCE[text], text == "GTX"

    def _quantity(self, params: Params, contract: Contract, *, market: bool) -> Decimal:
        quantity = params.decimal("quantity")
        if _decimals(quantity) > numbers.quantity_precision(contract):
            raise errors.too_precise()
        if quantity <= 0:
            raise BinanceError(-4003, "Quantity less than or equal to zero.")
        if quantity < contract.min_quantity:
            raise BinanceError(-4004, "Quantity less than min quantity.")
        if quantity > largest_quantity(contract, market=market):
            raise BinanceError(-4005, "Quantity greater than max quantity.")
        if not is_multiple(quantity, contract.lot_size):
            raise BinanceError(-4023, "Qty not increased by step size.")
        return quantity

    def _limit_price(
        self, params: Params, contract: Contract, *, is_buy: bool, post_only: bool
    ) -> tuple[Decimal, str | None]:
        rule = params.optional(PRICE_MATCH)
        if rule is not None and rule != "NONE":
            if "price" in params:
                raise errors.not_required("price")
            matched = _PRICE_MATCH.fullmatch(rule)
            if matched is None or post_only:
                raise BinanceError(-5037, "Invalid price match")
            level = int(matched[2] or 1)
            book = self._exchange.book(contract.ticker, level)
            levels = book.bids if is_buy == (matched[1] == "QUEUE") else book.asks
            if len(levels) < level:
                raise BinanceError(-5041, "No depth matches this BBO order")
            return levels[level - 1].price, rule
        price = params.decimal("price")
        if _decimals(price) > numbers.price_precision(contract):
            raise errors.too_precise()
        if price <= 0:
            raise BinanceError(-4001, "Price less than 0.")
        if price < lowest_price(contract):
            raise BinanceError(-4013, "Price less than min price.")
        if price > highest_price(contract):
            raise BinanceError(-4002, "Price greater than max price.")
        if not is_multiple(price, contract.tick_size):
            raise BinanceError(-4014, "Price not increased by tick size.")
        return price, None

    def _client_id(self, params: Params, account: str) -> str:
        client_id = params.optional("newClientOrderId")
        if client_id is None:
            self._made_ids += 1
            return numbers.token(22, account, self._made_ids, self._now_ns())
        if len(client_id) > 36:
            raise BinanceError(-4015, "Client order id length should not be more than 36 chars")
        if not _CLIENT_ID.fullmatch(client_id):
            raise errors.illegal_characters("newClientOrderId", CLIENT_ID_PATTERN)
        return client_id

    def _find(self, params: Params, account: str, contract: Contract, absent: Callable[[], BinanceError]) -> PaperOrder:
        order_id = params.integer("orderId")
        client_id = params.optional("origClientOrderId")
        if order_id is None and client_id is None:
            raise BinanceError(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
        order = (
            self._exchange.order(account, contract.ticker, order_id=order_id)
            if order_id is not None
            else self._exchange.order(account, contract.ticker, client_id=client_id)
        )
        if order is None or not is_recorded(order):
            raise absent()
        return order

    def _cancel(self, account: str, contract: Contract, order_id: int) -> Json:
        try:
            return order_answer(contract, self._exchange.cancel(account, contract.ticker, order_id=order_id))
        except Refused:
            raise errors.unknown_order_cancel() from None


def _json_list(text: str, name: str) -> list[object]:
    try:
        items = read_json(text)
    except ValueError:
        raise errors.not_valid(name) from None
    if not isinstance(items, list):
        raise errors.not_valid(name)
    return items


def _json_objects(text: str, name: str) -> list[dict[str, object]]:
    items = []
    for item in _json_list(text, name):
        if not isinstance(item, dict):
            raise errors.not_valid(name)
        items.append(item)
    return items


def _json_texts(text: str, name: str) -> list[str]:
    return [str(item) for item in _json_list(text, name)]


def _answer_or_error(verb: Callable[[Params, str], Json], params: Params, account: str) -> Json:
    try:
        return verb(params, account)
    except BinanceError as error:
        return error.body


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
