"""The exchange's records as Binance USD-M writes them in its REST and websocket API answers.

Sources: the venue's pages New Order, Query Order, Account Trade List, Position Information V2 and V3, Account
Information V2 and V3, Futures Account Balance V2 and V3.
"""

from decimal import Decimal

from gateways.paper.binance import numbers
from gateways.paper.records import PaperFill, PaperOrder, PaperPosition
from gateways.standards import ZERO, Contract, OrderStatus, RejectReason, TimeInForce

Json = dict[str, object]

SELF_TRADE_PREVENTION = "EXPIRE_MAKER"
PRICE_MATCH = "priceMatch"
"""The name under which an order's price rule is kept in ``PaperOrder.extra``."""

_STATUS = {
    OrderStatus.NEW: "NEW",
    OrderStatus.PARTIAL: "PARTIALLY_FILLED",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELLED: "CANCELED",
    OrderStatus.EXPIRED: "EXPIRED",
    OrderStatus.REJECTED: "REJECTED",
}


def status_of(order: PaperOrder) -> str:
    """The order's status; one that self-trade prevention ended is EXPIRED_IN_MATCH."""
    if order.status is OrderStatus.EXPIRED and order.end_reason is RejectReason.OTHER:
        return "EXPIRED_IN_MATCH"
    return _STATUS[order.status]


def is_recorded(order: PaperOrder) -> bool:
    """Whether the order exists for the venue.

    A GTX order that would have taken, and a FOK order that could not be filled, are refused and "will not be recorded
    in the order history": no answer and no stream shows them.
    """
    if order.status is not OrderStatus.EXPIRED or order.filled:
        return True
    return order.end_reason is not RejectReason.POST_ONLY and order.tif is not TimeInForce.FOK


def side_of(order: PaperOrder) -> str:
    """BUY or SELL."""
    return "BUY" if order.is_buy else "SELL"


def kind_of(order: PaperOrder) -> str:
    """LIMIT or MARKET."""
    return "MARKET" if order.price is None else "LIMIT"


def time_in_force_of(order: PaperOrder) -> str:
    """The time in force; post-only is one of them here: GTX."""
    return "GTX" if order.post_only else order.tif.value


def order_answer(contract: Contract, order: PaperOrder, *, acknowledge: bool = False) -> Json:
    """An order as its placing, changing or cancelling is answered; ``acknowledge``: as it was taken in, unmatched."""
    filled = ZERO if acknowledge else order.filled
    return {
        "orderId": order.order_id,
        "symbol": order.ticker,
        "status": "NEW" if acknowledge else status_of(order),
        "clientOrderId": order.client_id or "",
        "price": numbers.price(contract, order.price),
        "avgPrice": numbers.average(contract, ZERO if acknowledge else order.average_price),
        "origQty": numbers.quantity(contract, order.quantity),
        "executedQty": numbers.quantity(contract, filled),
        "cumQty": numbers.quantity(contract, filled),
        "cumQuote": _quote(contract, ZERO if acknowledge else order.quote_filled),
        "timeInForce": time_in_force_of(order),
        "type": kind_of(order),
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": side_of(order),
        "positionSide": "BOTH",
        "stopPrice": numbers.price(contract, ZERO),
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": kind_of(order),
        "priceMatch": order.extra.get(PRICE_MATCH, "NONE"),
        "selfTradePreventionMode": SELF_TRADE_PREVENTION,
        "goodTillDate": 0,
        "updateTime": numbers.milliseconds(order.ts_created_ns if acknowledge else order.ts_changed_ns),
    }


def order_record(contract: Contract, order: PaperOrder) -> Json:
    """An order as a query lists it: without ``cumQty``, with ``time``."""
    answer = order_answer(contract, order)
    del answer["cumQty"]
    return {**answer, "time": numbers.milliseconds(order.ts_created_ns)}


def trade_record(contract: Contract, fill: PaperFill) -> Json:
    """One of the account's trades."""
    return {
        "symbol": fill.ticker,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": "BUY" if fill.is_buy else "SELL",
        "price": numbers.price(contract, fill.price),
        "qty": numbers.quantity(contract, fill.quantity),
        "realizedPnl": numbers.money(fill.realised),
        "quoteQty": _quote(contract, fill.price * fill.quantity),
        "commission": numbers.money(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": numbers.milliseconds(fill.ts_ns),
        "positionSide": "BOTH",
        "buyer": fill.is_buy,
        "maker": fill.is_maker,
        "marginAsset": fill.fee_asset,
    }


class PositionView:
    """One position with the margin that it and its open orders take. All amounts are quote units."""

    def __init__(
        self,
        contract: Contract,
        position: PaperPosition,
        open_orders: list[PaperOrder],
        *,
        leverage: Decimal,
        break_even: Decimal,
        updated_ns: int,
    ) -> None:
        self.contract = contract
        self.position = position
        self.break_even = break_even
        self.updated_ms = numbers.milliseconds(updated_ns)
        self.notional = position.amount * position.mark
        self.bid_notional = sum((_notional(order) for order in open_orders if order.is_buy), ZERO)
        self.ask_notional = sum((_notional(order) for order in open_orders if not order.is_buy), ZERO)
        self.position_margin = abs(self.notional) / leverage
        exposed = max(abs(self.notional + self.bid_notional), abs(self.notional - self.ask_notional))
        self.order_margin = max(ZERO, exposed / leverage - self.position_margin)
        self.maintenance = abs(self.notional) * MAINTENANCE_RATE

    @property
    def idle(self) -> bool:
        """Whether there is neither a position nor an open order."""
        return not (self.position.amount or self.bid_notional or self.ask_notional)

    def risk_v2(self, leverage: int) -> Json:
        """``GET /fapi/v2/positionRisk``."""
        return {
            **self._core("unRealizedProfit"),
            "markPrice": numbers.money(self.position.mark),
            "liquidationPrice": "0",
            "leverage": str(leverage),
            "maxNotionalValue": MAX_NOTIONAL,
            "marginType": "cross",
            "isolatedMargin": numbers.money(ZERO),
            "isAutoAddMargin": "false",
            "isolatedWallet": "0",
            "isolated": False,
            "adlQuantile": 0,
        }

    def risk_v3(self, asset: str) -> Json:
        """``GET /fapi/v3/positionRisk``."""
        return {
            **self._core("unRealizedProfit"),
            "markPrice": numbers.money(self.position.mark),
            "liquidationPrice": "0",
            "isolatedMargin": "0",
            "marginAsset": asset,
            "isolatedWallet": "0",
            **self._margins(),
            "adl": 0,
            "bidNotional": numbers.plain(self.bid_notional),
            "askNotional": numbers.plain(self.ask_notional),
        }

    def risk_websocket(self, asset: str) -> Json:
        """An item of the websocket API's ``account.position``: V3's, with one name spelt otherwise."""
        item = self.risk_v3(asset)
        return {("unrealizedProfit" if name == "unRealizedProfit" else name): value for name, value in item.items()}

    def account_v2(self, leverage: int) -> Json:
        """An item of ``positions`` of ``GET /fapi/v2/account``."""
        return {
            **self._core("unrealizedProfit"),
            **self._margins(),
            "leverage": str(leverage),
            "isolated": False,
            "maxNotional": MAX_NOTIONAL,
            "isolatedWallet": "0",
            "bidNotional": numbers.plain(self.bid_notional),
            "askNotional": numbers.plain(self.ask_notional),
        }

    def account_v3(self) -> Json:
        """An item of ``positions`` of ``GET /fapi/v3/account``."""
        core = self._core("unrealizedProfit")
        return {
            **{name: value for name, value in core.items() if name not in {"entryPrice", "breakEvenPrice"}},
            "isolatedMargin": "0",
            "isolatedWallet": "0",
            "initialMargin": numbers.money(self.position_margin + self.order_margin),
            "maintMargin": numbers.money(self.maintenance),
        }

    def _core(self, profit: str) -> Json:
        return {
            "symbol": self.position.ticker,
            "positionSide": "BOTH",
            "positionAmt": numbers.quantity(self.contract, self.position.amount),
            "entryPrice": entry_price(self.contract, self.position.entry_price),
            "breakEvenPrice": entry_price(self.contract, self.break_even),
            profit: numbers.money(self.position.unrealised),
            "notional": numbers.money(self.notional),
            "updateTime": self.updated_ms,
        }

    def _margins(self) -> Json:
        return {
            "initialMargin": numbers.money(self.position_margin + self.order_margin),
            "maintMargin": numbers.money(self.maintenance),
            "positionInitialMargin": numbers.money(self.position_margin),
            "openOrderInitialMargin": numbers.money(self.order_margin),
        }


MAINTENANCE_RATE = Decimal("0.004")
"""Maintenance margin by notional; one bracket for every contract."""
MAX_NOTIONAL = "100000000"


def entry_price(contract: Contract, value: Decimal) -> str:
    """An entry price: "0.0" when flat, otherwise eight decimals at least."""
    return f"{value:.{max(8, numbers.price_precision(contract))}f}" if value else "0.0"


def _notional(order: PaperOrder) -> Decimal:
    return (order.price or ZERO) * order.remaining


def _quote(contract: Contract, value: Decimal) -> str:
    return f"{value:.{numbers.price_precision(contract) + numbers.quantity_precision(contract)}f}"
