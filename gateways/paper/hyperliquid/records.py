"""A paper exchange's records as Hyperliquid writes them: orders, fills, positions, books, contracts. Pure.

Numbers are strings with at least one decimal and no trailing zeros beyond it (``"2700.5"``, ``"1.0"``); times are
milliseconds; ``side`` is B (bid) or A (ask). Source: the "Info endpoint" and "Websocket / Subscriptions" pages.
"""

from collections.abc import Container
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from gateways.contracts import decimals
from gateways.paper.exchange import PaperExchange, PaperFill, PaperOrder, Traded
from gateways.standards import ZERO, Contract, Level, OrderStatus, RejectReason

MILLISECOND_NS = 1_000_000
NOBODY = "0x" + "00" * 20
"""The address of the other side of a public trade: the paper market's."""

_CENTS = Decimal("1e-6")
_OPEN = frozenset({OrderStatus.NEW, OrderStatus.PARTIAL})


def wire(value: Decimal) -> str:
    """A number as the venue writes it."""
    text = f"{value.normalize():f}" if value else "0"
    return text if "." in text else text + ".0"


def money(value: Decimal) -> str:
    """A sum in USDC, to six decimals."""
    return wire(value.quantize(_CENTS))


def milliseconds(ts_ns: int) -> int:
    """Nanoseconds as the venue's milliseconds."""
    return ts_ns // MILLISECOND_NS


# -------------------------------------------------------------------- orders


def status_word(order: PaperOrder, scheduled: Container[int] = ()) -> str:
    """The venue's word for where an order stands; ``scheduled``: the ids that the timed cancel ended."""
    if order.status in _OPEN:
        return "open"
    if order.status is OrderStatus.FILLED:
        return "filled"
    if order.order_id in scheduled:
        return "scheduledCancel"
    if order.end_reason is RejectReason.POST_ONLY:
        return "badAloPxRejected"
    if order.end_reason is RejectReason.NO_LIQUIDITY and not order.filled:
        market = order.extra.get("tif") == "FrontendMarket"
        return "marketOrderNoLiquidityRejected" if market else "iocCancelRejected"
    if order.end_reason is RejectReason.REDUCE_ONLY:
        return "reduceOnlyCanceled"
    if order.end_reason is RejectReason.OTHER:
        return "selfTradeCanceled"
    return "canceled"


def status_time(order: PaperOrder) -> int:
    """When the status began (milliseconds): an open order's at its placing, whatever was filled since."""
    return milliseconds(order.ts_created_ns if order.status in _OPEN else order.ts_changed_ns)


def status_size(order: PaperOrder) -> Decimal:
    """What was open when the status began.

    The venue writes a status anew only when it changes, so a partial fill is not seen in it (see the maintainers'
    answer in hyperliquid-python-sdk issue 141): only the fills and the open orders tell.
    """
    return order.quantity if order.status in _OPEN else order.remaining


def basic_order(order: PaperOrder, size: Decimal) -> dict[str, Any]:
    """An order as ``orderUpdates`` and ``openOrders`` have it, ``size`` open."""
    fields: dict[str, Any] = {
        "coin": order.ticker,
        "side": "B" if order.is_buy else "A",
        "limitPx": wire(order.price if order.price is not None else ZERO),
        "sz": wire(size),
        "oid": order.order_id,
        "timestamp": milliseconds(order.ts_created_ns),
        "origSz": wire(order.quantity),
    }
    if order.client_id is not None:
        fields["cloid"] = order.client_id
    if order.reduce_only:
        fields["reduceOnly"] = True
    return fields


def frontend_order(order: PaperOrder, size: Decimal) -> dict[str, Any]:
    """An order with all its fields, as ``frontendOpenOrders`` and ``orderStatus`` have it."""
    tif = order.extra.get("tif", "Gtc")
    return {
        **basic_order(order, size),
        "triggerCondition": "N/A",
        "isTrigger": False,
        "triggerPx": "0.0",
        "children": [],
        "isPositionTpsl": False,
        "reduceOnly": order.reduce_only,
        "orderType": "Market" if tif == "FrontendMarket" else "Limit",
        "tif": tif,
        "cloid": order.client_id,
    }


def order_with_status(order: PaperOrder, scheduled: Container[int]) -> dict[str, Any]:
    """An order and its status, as ``orderStatus`` and ``historicalOrders`` have it."""
    return {
        "order": frontend_order(order, status_size(order)),
        "status": status_word(order, scheduled),
        "statusTimestamp": status_time(order),
    }


# --------------------------------------------------------------------- fills


def direction(start: Decimal, signed: Decimal) -> str:
    """What a fill did to a position: ``Open Long``, ``Close Short``, ``Long > Short``."""
    if not start or (start > 0) == (signed > 0):
        return "Open Long" if signed > 0 else "Open Short"
    held, other = ("Long", "Short") if start > 0 else ("Short", "Long")
    return f"Close {held}" if abs(signed) <= abs(start) else f"{held} > {other}"


def transaction_hash(trade_id: int) -> str:
    """A made-up transaction of a trade, the same for all who see it; never the zero hash, which means dust."""
    return f"0x{trade_id:064x}"


def fill_record(fill: PaperFill) -> dict[str, Any]:
    """A fill as ``userFills`` has it; ``crossed``: it took."""
    signed = fill.quantity if fill.is_buy else -fill.quantity
    fields: dict[str, Any] = {
        "coin": fill.ticker,
        "px": wire(fill.price),
        "sz": wire(fill.quantity),
        "side": "B" if fill.is_buy else "A",
        "time": milliseconds(fill.ts_ns),
        "startPosition": wire(fill.start_position),
        "dir": fill.forced or direction(fill.start_position, signed),
        "closedPnl": wire(fill.realised),
        "hash": transaction_hash(fill.trade_id),
        "oid": fill.order_id,
        "crossed": not fill.is_maker,
        "fee": wire(fill.fee),
        "tid": fill.trade_id,
        "feeToken": fill.fee_asset,
        "twapId": None,
    }
    if fill.client_id is not None:
        fields["cloid"] = fill.client_id
    return fields


# -------------------------------------------------------------------- market


def trade_record(trade: Traded) -> dict[str, Any]:
    """A public trade; ``side`` is the aggressor's."""
    return {
        "coin": trade.ticker,
        "side": "A" if trade.buyer_is_maker else "B",
        "px": wire(trade.price),
        "sz": wire(trade.quantity),
        "time": milliseconds(trade.ts_ns),
        "hash": transaction_hash(trade.trade_id),
        "tid": trade.trade_id,
        "users": [NOBODY, NOBODY],
    }


def level_record(level: Level) -> dict[str, Any]:
    """A level of a book. How many orders rest there the exchange does not say: one."""
    return {"px": wire(level.price), "sz": wire(level.quantity), "n": 1}


def coarser(levels: tuple[Level, ...], digits: int, mantissa: int, *, is_buy: bool) -> list[Level]:
    """Levels gathered at ``digits`` significant figures (and steps of ``mantissa``), bids down and asks up."""
    gathered: dict[Decimal, Decimal] = {}
    for level in levels:
        step = Decimal(mantissa).scaleb(level.price.adjusted() - digits + 1)
        rounding = ROUND_FLOOR if is_buy else ROUND_CEILING
        price = (level.price / step).to_integral_value(rounding) * step
        gathered[price] = gathered.get(price, ZERO) + level.quantity
    return [Level(price, quantity) for price, quantity in gathered.items()]


def universe(exchange: PaperExchange) -> list[dict[str, Any]]:
    """The contracts in the order of their asset index, every gap between them a delisted contract."""
    by_index = {int(contract.venue_id): contract for contract in exchange.contracts.values()}
    most = int(exchange.leverage)
    return [
        _listed(by_index[index], most) if index in by_index else _delisted(index)
        for index in range(max(by_index, default=-1) + 1)
    ]


def _listed(contract: Contract, most: int) -> dict[str, Any]:
    size_decimals = decimals(contract.lot_size)
    return {"szDecimals": size_decimals, "name": contract.ticker, "maxLeverage": most, "marginTableId": most}


def _delisted(index: int) -> dict[str, Any]:
    return {"szDecimals": 0, "name": f"DELISTED{index}", "maxLeverage": 3, "marginTableId": 3, "isDelisted": True}


def asset_context(exchange: PaperExchange, ticker: str) -> dict[str, Any]:
    """The prices of one contract. The paper venue charges no funding and counts no open interest."""
    bid, ask = exchange.best(ticker)
    mark, trades = exchange.mark(ticker), exchange.trades(ticker, 1_000)
    price = mark.quantize(exchange.contracts[ticker].tick_size) if mark is not None else ZERO
    return {
        "funding": "0.0",
        "openInterest": "0.0",
        "prevDayPx": wire(trades[0].price if trades else price),
        "dayNtlVlm": money(sum((trade.price * trade.quantity for trade in trades), ZERO)),
        "premium": "0.0",
        "oraclePx": wire(price),
        "markPx": wire(price),
        "midPx": wire((bid.price + ask.price) / 2) if bid is not None and ask is not None else None,
        "impactPxs": [wire(bid.price), wire(ask.price)] if bid is not None and ask is not None else None,
        "dayBaseVlm": wire(sum((trade.quantity for trade in trades), ZERO)),
    }


def delisted_context() -> dict[str, Any]:
    """The prices of a contract that is not traded any more."""
    none = dict.fromkeys(("funding", "openInterest", "prevDayPx", "dayNtlVlm", "oraclePx", "markPx", "dayBaseVlm"))
    return {**dict.fromkeys(none, "0.0"), "premium": None, "midPx": None, "impactPxs": None}
