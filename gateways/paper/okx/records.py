"""The exchange's records of orders and fills as OKX v5 writes them, by REST and in the orders channel.

Sizes are in contracts. A fee is written with a minus when it is charged. Sources: the venue's pages Get order details,
Get transaction details (last 3 days), Order channel.
"""

from decimal import Decimal

from gateways.paper.okx import numbers
from gateways.paper.okx.tallies import OrderTally
from gateways.paper.records import PaperFill, PaperOrder
from gateways.standards import ZERO, Contract, OrderStatus, RejectReason, TimeInForce

Json = dict[str, object]

ORDER_TYPE, TAG, FORCED = "ordType", "tag", "forced"
"""The names under which an order's own fields are kept in ``PaperOrder.extra``."""

_STATES = {
    OrderStatus.NEW: "live",
    OrderStatus.PARTIAL: "partially_filled",
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELLED: "canceled",
    OrderStatus.EXPIRED: "canceled",
}
_SOURCES = {
    RejectReason.POST_ONLY: "31",
    RejectReason.NO_LIQUIDITY: "14",
    RejectReason.REDUCE_ONLY: "17",
    RejectReason.OTHER: "32",
}
_FILL_OR_KILL = "13"
_REASONS = {
    "1": "Order canceled by user",
    "13": "Order canceled: FOK order was canceled due to incompletely filled",
    "14": "Order canceled: IOC order was partially canceled due to incompletely filled",
    "17": "Close order canceled, due to the position was already closed at market price",
    "20": "Cancel all after triggered",
    "31": "The post-only order will take liquidity in maker orders",
    "32": "Self trade prevention",
}
_BILLS = {"full_liquidation": ("104", "105"), "adl": ("125", "126"), "delivery": ("112", "113")}
"""Bill sub-types of what the venue makes: of a sell, of a buy ("Get bills details")."""


def state_of(order: PaperOrder) -> str:
    """The order's state; there is none for what its own terms or the venue ended but ``canceled``."""
    return _STATES[order.status]


def side_of(is_buy: bool) -> str:  # noqa: FBT001 - the value itself, not a mode
    """The word for a side."""
    return "buy" if is_buy else "sell"


def type_of(order: PaperOrder) -> str:
    """The kind of order, its time in force included."""
    return order.extra.get(ORDER_TYPE) or ("market" if order.price is None else "limit")


def cancel_source(order: PaperOrder, tally: OrderTally) -> str:
    """Why the order was cancelled, empty where it was not."""
    if order.status is OrderStatus.CANCELLED:
        return tally.cancel_source
    if order.status is not OrderStatus.EXPIRED:
        return ""
    if order.tif is TimeInForce.FOK and order.end_reason is RejectReason.NO_LIQUIDITY:
        return _FILL_OR_KILL
    return _SOURCES.get(order.end_reason or RejectReason.OTHER, _SOURCES[RejectReason.OTHER])


def order_record(contract: Contract, order: PaperOrder, tally: OrderTally, leverage: Decimal) -> Json:
    """An order as a query lists it. ``fill*`` and ``tradeId`` are of its last fill."""
    source = cancel_source(order, tally)
    last = tally.last
    return {
        "accFillSz": numbers.size(contract, order.filled),
        "algoClOrdId": "",
        "algoId": "",
        "attachAlgoClOrdId": "",
        "attachAlgoOrds": [],
        "avgPx": numbers.average(order.average_price),
        "cTime": numbers.milliseconds(order.ts_created_ns),
        "cancelSource": source,
        "cancelSourceReason": _REASONS.get(source, ""),
        "category": order.extra.get(FORCED, "normal"),
        "ccy": "",
        "clOrdId": order.client_id or "",
        "fee": _charged(tally.fee),
        "feeCcy": contract.quote,
        "fillPx": numbers.plain(last.price) if last else "",
        "fillSz": numbers.size(contract, last.quantity) if last else "0",
        "fillTime": numbers.milliseconds(last.ts_ns) if last else "",
        "instId": order.ticker,
        "instType": "SWAP",
        "isTpLimit": "false",
        "lever": numbers.plain(leverage),
        "linkedAlgoOrd": {"algoId": ""},
        "ordId": str(order.order_id),
        "ordType": type_of(order),
        "pnl": numbers.plain(tally.realised),
        "posSide": "net",
        "px": numbers.optional(order.price),
        "pxType": "",
        "pxUsd": "",
        "pxVol": "",
        "quickMgnType": "",
        "rebate": "0",
        "rebateCcy": contract.quote,
        "reduceOnly": "true" if order.reduce_only else "false",
        "side": side_of(order.is_buy),
        "slOrdPx": "",
        "slTriggerPx": "",
        "slTriggerPxType": "",
        "source": "",
        "state": state_of(order),
        "stpId": "",
        "stpMode": "cancel_maker",
        "sz": numbers.size(contract, order.quantity),
        "tag": order.extra.get(TAG, ""),
        "tdMode": "cross",
        "tgtCcy": "",
        "tpOrdPx": "",
        "tpTriggerPx": "",
        "tpTriggerPxType": "",
        "tradeId": str(last.trade_id) if last else "",
        "tradeQuoteCcy": "",
        "uTime": numbers.milliseconds(order.ts_changed_ns),
    }


def order_news(
    contract: Contract,
    order: PaperOrder,
    tally: OrderTally,
    leverage: Decimal,
    *,
    fill: PaperFill | None = None,
    amended: str | None = None,
) -> Json:
    """An order as the channel tells of it. ``fill``: the one execution of this push; ``amended``: its ``reqId``."""
    notional = (order.price or order.average_price or ZERO) * order.quantity
    return {
        **order_record(contract, order, tally, leverage),
        "fillPx": numbers.plain(fill.price) if fill else "",
        "fillSz": numbers.size(contract, fill.quantity) if fill else "0",
        "fillTime": numbers.milliseconds(fill.ts_ns) if fill else "",
        "tradeId": str(fill.trade_id) if fill else "",
        "execType": _liquidity(fill) if fill else "",
        "fillFee": _charged(fill.fee) if fill else "0",
        "fillFeeCcy": fill.fee_asset if fill else "",
        "fillPnl": numbers.plain(fill.realised) if fill else "0",
        "fillNotionalUsd": numbers.plain(fill.price * fill.quantity) if fill else "",
        "fillPxUsd": "",
        "fillPxVol": "",
        "fillMarkPx": "",
        "fillMarkVol": "",
        "fillFwdPx": "",
        "notionalUsd": numbers.plain(notional),
        "lastPx": numbers.plain(fill.price) if fill else "",
        "amendResult": "" if amended is None else "0",
        "amendSource": "" if amended is None else "1",
        "reqId": amended or "",
        "code": "0",
        "msg": "",
    }


def fill_record(contract: Contract, fill: PaperFill, tag: str = "") -> Json:
    """One of the account's executions."""
    bills = _BILLS.get(fill.forced, ("2", "1"))
    notional = fill.price * fill.quantity
    return {
        "instType": "SWAP",
        "instId": fill.ticker,
        "tradeId": str(fill.trade_id),
        "ordId": str(fill.order_id),
        "clOrdId": fill.client_id or "",
        "billId": str(fill.trade_id),
        "subType": bills[1] if fill.is_buy else bills[0],
        "tag": tag,
        "fillPx": numbers.plain(fill.price),
        "fillSz": numbers.size(contract, fill.quantity),
        "fillIdxPx": "",
        "fillPnl": numbers.plain(fill.realised),
        "fillPxVol": "",
        "fillPxUsd": "",
        "fillMarkVol": "",
        "fillFwdPx": "",
        "fillMarkPx": "",
        "side": side_of(fill.is_buy),
        "posSide": "net",
        "execType": _liquidity(fill),
        "feeCcy": fill.fee_asset,
        "fee": _charged(fill.fee),
        "feeRate": numbers.ratio(-fill.fee, notional),
        "ts": numbers.milliseconds(fill.ts_ns),
        "fillTime": numbers.milliseconds(fill.ts_ns),
        "tradeQuoteCcy": "",
    }


def _liquidity(fill: PaperFill) -> str:
    return "M" if fill.is_maker else "T"


def _charged(fee: Decimal) -> str:
    return numbers.plain(ZERO - fee)
