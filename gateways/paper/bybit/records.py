"""The exchange's records as Bybit v5 writes them, in its private streams and in its answers. Pure.

Sources: the pages Order, Execution, Position and Wallet of the private streams, Get Open & Closed Orders, Get Trade
History, Get Position Info, Get Wallet Balance, and "Enums Definitions".
"""

from decimal import Decimal

import msgspec

from gateways.paper.bybit import numbers
from gateways.paper.records import PaperBalance, PaperFill, PaperOrder, PaperPosition
from gateways.standards import ZERO, Contract, OrderStatus, RejectReason, TimeInForce

Json = dict[str, object]

PROTECTION = "protection"
"""In ``PaperOrder.extra``: the worst price of a market order, which the venue makes an IOC order of."""
CREATED_BY = "forced"
"""In ``PaperOrder.extra``: the ``createType`` of what the venue made itself."""
MAINTENANCE_RATE = Decimal("0.005")

_STATUSES = {
    OrderStatus.NEW: "New",
    OrderStatus.PARTIAL: "PartiallyFilled",
    OrderStatus.FILLED: "Filled",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.EXPIRED: "Cancelled",
}
_FORCED_EXECUTIONS = {"CreateByLiq": "BustTrade", "CreateByAdl_PassThrough": "AdlTrade"}


class Ending(msgspec.Struct, frozen=True):
    """Why an order ended: ``cancelType`` and ``rejectReason``."""

    cancel_type: str = "UNKNOWN"
    reject_reason: str = "EC_NoError"


def ending_of(order: PaperOrder) -> Ending:
    """Why an order ended, where the venue says it; of one that lives or filled it says nothing."""
    if order.status is OrderStatus.CANCELLED and order.end_reason is None:
        return Ending("CancelByUser", "EC_PerCancelRequest")
    if order.status not in {OrderStatus.CANCELLED, OrderStatus.EXPIRED}:
        return Ending()
    match order.end_reason:
        case RejectReason.POST_ONLY:
            return Ending(reject_reason="EC_PostOnlyWillTakeLiquidity")
        case RejectReason.REDUCE_ONLY:
            return Ending("CancelByReduceOnly")
        case RejectReason.OTHER:
            return Ending("CancelBySmp")
    if order.tif is TimeInForce.FOK:
        return Ending(reject_reason="EC_NoEnoughQtyToFill")
    return Ending(reject_reason="EC_CancelForNoFullFill" if order.filled else "EC_NoImmediateQtyToFill")


def price_of(order: PaperOrder) -> Decimal:
    """The limit of an order, or the protective price of a market order."""
    return order.price if order.price is not None else Decimal(order.extra.get(PROTECTION, "0"))


def side_of(*, is_buy: bool) -> str:
    """``Buy`` or ``Sell``."""
    return "Buy" if is_buy else "Sell"


def order_record(contract: Contract, order: PaperOrder, *, fee: Decimal, ending: Ending | None = None) -> Json:
    """An order, as the queries state it. ``fee``: charged for all of its fills."""
    said = ending or ending_of(order)
    ended = order.status.terminal
    left = ZERO if ended else order.remaining
    market = order.price is None
    price = price_of(order)
    return {
        "symbol": order.ticker,
        "orderId": numbers.order_id(order.order_id),
        "orderLinkId": order.client_id or "",
        "blockTradeId": "",
        "side": side_of(is_buy=order.is_buy),
        "orderType": "Market" if market else "Limit",
        "price": numbers.price(contract, price),
        "qty": numbers.quantity(contract, order.quantity),
        "isLeverage": "",
        "positionIdx": 0,
        "orderStatus": _STATUSES[order.status],
        "cancelType": said.cancel_type,
        "rejectReason": said.reject_reason,
        "avgPrice": numbers.average(contract, order.average_price) if order.filled else "",
        "leavesQty": numbers.quantity(contract, left),
        "leavesValue": numbers.plain(left * price),
        "cumExecQty": numbers.quantity(contract, order.filled),
        "cumExecValue": numbers.plain(order.quote_filled),
        "cumExecFee": numbers.plain(fee),
        "cumFeeDetail": {contract.quote: numbers.plain(fee)} if order.filled else {},
        "timeInForce": "PostOnly" if order.post_only else "IOC" if market else order.tif.value,
        "stopOrderType": "",
        "orderIv": "",
        "triggerPrice": "",
        "takeProfit": "",
        "stopLoss": "",
        "tpslMode": "",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": 0,
        "triggerBy": "",
        "lastPriceOnCreated": "",
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": False,
        "placeType": "",
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "slippageToleranceType": "UNKNOWN",
        "slippageTolerance": "",
        "createType": order.extra.get(CREATED_BY, "CreateByUser"),
        "createdTime": str(numbers.milliseconds(order.ts_created_ns)),
        "updatedTime": str(numbers.milliseconds(order.ts_changed_ns)),
    }


def order_push(
    contract: Contract, order: PaperOrder, *, fee: Decimal, closed: Decimal, ending: Ending | None = None
) -> Json:
    """An order, as the stream states it. ``closed``: the profit of what it closed."""
    return {
        "category": "linear",
        **order_record(contract, order, fee=fee, ending=ending),
        "closedPnl": numbers.plain(closed),
        "feeCurrency": contract.quote,
    }


class Execution(msgspec.Struct, frozen=True):
    """What there was beside a fill: of its order, and the mark price."""

    leaves: Decimal
    """What was left of the order after it."""
    mark: Decimal
    order_quantity: Decimal
    order_price: Decimal
    """The limit, or the protective price of a market order."""
    is_market: bool


def execution_beside(order: PaperOrder, leaves: Decimal, mark: Decimal) -> Execution:
    """What there is beside a fill of ``order``."""
    return Execution(leaves, mark, order.quantity, price_of(order), order.price is None)


def execution_record(contract: Contract, fill: PaperFill, beside: Execution) -> Json:
    """An execution, as the query states it."""
    value = fill.price * fill.quantity
    closed = min(fill.quantity, abs(fill.start_position)) if (fill.start_position > 0) != fill.is_buy else ZERO
    return {
        "symbol": fill.ticker,
        "orderId": numbers.order_id(fill.order_id),
        "orderLinkId": fill.client_id or "",
        "side": side_of(is_buy=fill.is_buy),
        "orderPrice": numbers.price(contract, beside.order_price),
        "orderQty": numbers.quantity(contract, beside.order_quantity),
        "leavesQty": numbers.quantity(contract, beside.leaves),
        "createType": fill.forced or "CreateByUser",
        "orderType": "Market" if beside.is_market else "Limit",
        "stopOrderType": "UNKNOWN",
        "execFee": numbers.plain(fill.fee),
        "execId": numbers.trade_id(fill.trade_id),
        "execPrice": numbers.price(contract, fill.price),
        "execQty": numbers.quantity(contract, fill.quantity),
        "execType": _FORCED_EXECUTIONS.get(fill.forced, "Trade"),
        "execValue": numbers.plain(value),
        "execTime": str(numbers.milliseconds(fill.ts_ns)),
        "feeCurrency": fill.fee_asset,
        "feeRate": numbers.plain(fill.fee / value) if value else "0",
        "isMaker": fill.is_maker,
        "tradeIv": "",
        "markIv": "",
        "markPrice": numbers.price(contract, beside.mark),
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": numbers.quantity(contract, closed),
        "seq": fill.trade_id,
    }


def execution_push(execution: Json, *, profit: Decimal) -> Json:
    """An execution, as the stream states it. ``profit``: of what it closed."""
    return {
        "category": "linear",
        **execution,
        "execPnl": numbers.plain(profit),
        "isLeverage": "0",
        "marketUnit": "",
    }


def fast_execution(execution: Json) -> Json:
    """An execution, as the stream ``execution.fast`` states it."""
    names = ("symbol", "execId", "execPrice", "execQty", "orderId", "isMaker", "orderLinkId", "side", "execTime", "seq")
    return {"category": "linear", **{name: execution[name] for name in names}}


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """A position with what the venue says beside it. Amounts are quote units."""

    contract: Contract
    position: PaperPosition
    margin_leverage: Decimal
    """What margin is taken at."""
    leverage: int
    """What the account has set."""
    realised: Decimal
    """Profit over the account's life, fees taken off."""
    updated_ns: int
    seq: int

    @property
    def value(self) -> Decimal:
        """Size at the mark price."""
        return abs(self.position.amount) * self.position.mark

    @property
    def initial_margin(self) -> Decimal:
        """The margin of the position."""
        return self.value / self.margin_leverage

    def record(self) -> Json:
        """The position, as the query states it."""
        position, contract = self.position, self.contract
        side = "" if not position.amount else side_of(is_buy=position.amount > 0)
        initial, maintenance = numbers.plain(self.initial_margin), numbers.plain(self.value * MAINTENANCE_RATE)
        return {
            "positionIdx": 0,
            "riskId": 1,
            "riskLimitValue": "2000000",
            "symbol": contract.ticker,
            "side": side,
            "size": numbers.quantity(contract, abs(position.amount)),
            "avgPrice": numbers.average(contract, position.entry_price),
            "positionValue": numbers.plain(abs(position.amount) * position.entry_price),
            "tradeMode": 0,
            "positionStatus": "Normal",
            "autoAddMargin": 0,
            "adlRankIndicator": 2 if position.amount else 0,
            "leverage": str(self.leverage),
            "breakEvenPrice": "",
            "positionBalance": "0",
            "markPrice": numbers.price(contract, position.mark),
            "liqPrice": "",
            "bustPrice": "",
            "positionMM": maintenance,
            "positionMMByMp": maintenance,
            "positionIM": initial,
            "positionIMByMp": initial,
            "tpslMode": "Full",
            "takeProfit": "",
            "stopLoss": "",
            "trailingStop": "0",
            "unrealisedPnl": numbers.plain(position.unrealised),
            "curRealisedPnl": "0",
            "cumRealisedPnl": numbers.plain(self.realised),
            "sessionAvgPrice": "",
            "seq": self.seq,
            "isReduceOnly": False,
            "mmrSysUpdatedTime": "",
            "leverageSysUpdatedTime": "",
            "createdTime": str(numbers.milliseconds(self.updated_ns)),
            "updatedTime": str(numbers.milliseconds(self.updated_ns)),
        }

    def push(self) -> Json:
        """The position, as the stream states it: its price is called ``entryPrice`` there."""
        found = self.record()
        entry = found.pop("avgPrice")
        return {"category": "linear", **found, "entryPrice": entry}


def wallet_record(balance: PaperBalance, views: list[PositionView], *, realised: Decimal) -> Json:
    """The money of a unified account. ``realised``: profit over its life, fees taken off."""
    unrealised = sum((view.position.unrealised for view in views), ZERO)
    held = sum((view.initial_margin for view in views), ZERO)
    maintenance = sum((view.value for view in views), ZERO) * MAINTENANCE_RATE
    equity = balance.wallet + unrealised
    orders = max(equity - balance.available - held, ZERO)
    initial = orders + held
    ratio = {
        "IM": numbers.plain(initial / equity) if equity > 0 else "0",
        "MM": numbers.plain(maintenance / equity) if equity > 0 else "0",
    }
    return {
        "accountType": "UNIFIED",
        "accountLTV": "",
        "accountIMRate": ratio["IM"],
        "accountIMRateByMp": ratio["IM"],
        "accountMMRate": ratio["MM"],
        "accountMMRateByMp": ratio["MM"],
        "totalEquity": numbers.plain(equity),
        "totalWalletBalance": numbers.plain(balance.wallet),
        "totalMarginBalance": numbers.plain(equity),
        "totalAvailableBalance": numbers.plain(balance.available),
        "totalPerpUPL": numbers.plain(unrealised),
        "totalInitialMargin": numbers.plain(initial),
        "totalInitialMarginByMp": numbers.plain(initial),
        "totalMaintenanceMargin": numbers.plain(maintenance),
        "totalMaintenanceMarginByMp": numbers.plain(maintenance),
        "coin": [
            {
                "coin": balance.asset,
                "equity": numbers.plain(equity),
                "usdValue": numbers.plain(equity),
                "walletBalance": numbers.plain(balance.wallet),
                "availableToWithdraw": "",
                "availableToBorrow": "",
                "borrowAmount": "0",
                "accruedInterest": "0",
                "totalOrderIM": numbers.plain(orders),
                "totalPositionIM": numbers.plain(held),
                "totalPositionMM": numbers.plain(maintenance),
                "unrealisedPnl": numbers.plain(unrealised),
                "cumRealisedPnl": numbers.plain(realised),
                "bonus": "0",
                "collateralSwitch": True,
                "marginCollateral": True,
                "locked": "0",
                "spotHedgingQty": "0",
                "spotBorrow": "0",
            }
        ],
    }
