"""Rows that streams and queries have in common, into standard events: one function for each. Pure.

Symbols of different products share their names (BTCUSDT is a linear contract and a spot pair): a row of another
category than ``linear`` gives None and is never taken for one of ours.
"""

from decimal import Decimal

from gateways.bybit import terms, units, wire
from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.standards import (
    ZERO,
    BalanceUpdate,
    BookUpdate,
    Contract,
    FillEvent,
    OrderKind,
    OrderUpdate,
    PositionUpdate,
    TradeEvent,
)

_SIDES = {0: "net", 1: "long", 2: "short"}


def is_linear(category: str) -> bool:
    """Whether a row is of the linear contracts; one that does not say is."""
    return category in {"", "linear"}


def order(row: wire.OrderRow, contracts: Contracts) -> OrderUpdate | None:
    """One order, as pushed or queried."""
    if not is_linear(row.category):
        return None
    venue = contracts.venue
    factor = units.multiplier_of(contracts, row.symbol)
    sign = units.sign_of(row.side, venue)
    filled = units.number_or_none(row.cum_exec_qty, venue, "cumExecQty")
    kind = terms.kind_of(row.order_type)
    # The price of a market order is the venue's own protection, not a price of ours.
    price = None if kind is OrderKind.MARKET else units.price_or_none(row.price, factor, venue, "price")
    return OrderUpdate(
        venue=venue,
        ticker=row.symbol,
        oid=row.order_id,
        cloid=row.order_link_id or None,
        status=terms.status_of(row.order_status),
        amount=units.amount(units.unsigned(row.qty, venue, "qty"), sign, factor),
        price=price,
        filled=None if filled is None else units.amount(units.unsigned(filled, venue, "cumExecQty"), sign, factor),
        average_price=units.price_or_none(row.avg_price, factor, venue, "avgPrice"),
        kind=kind,
        tif=terms.tif_of(row.time_in_force),
        post_only=terms.is_post_only(row.time_in_force),
        reduce_only=row.reduce_only,
        forced=terms.is_venue_made(row.create_type),
        label=terms.label_of(row.order_status, row.reject_reason, row.cancel_type),
        reason=terms.reason_of_end(row.order_status, row.reject_reason, row.cancel_type),
        ts_venue_ns=units.nanoseconds(row.updated_time or row.created_time, venue, "updatedTime"),
    )


def fill(row: wire.ExecutionRow, contracts: Contracts, *, snapshot: bool) -> FillEvent | None:
    """One execution of an order; None for what fills nothing: funding, settlement, delivery.

    The fee is charged when positive; where the venue does not name its asset it is the contract's quote asset.
    """
    if not is_linear(row.category) or row.exec_type not in terms.FILLS:
        return None
    venue = contracts.venue
    factor = units.multiplier_of(contracts, row.symbol)
    fee = units.number_or_none(row.exec_fee, venue, "execFee")
    contract = contracts.get(row.symbol)
    quantity = units.unsigned(units.number(row.exec_qty, venue, "execQty"), venue, "execQty")
    if not quantity:
        return None
    return FillEvent(
        venue=venue,
        ticker=row.symbol,
        oid=row.order_id,
        trade_id=row.exec_id,
        amount=units.amount(quantity, units.sign_of(row.side, venue), factor),
        price=units.price(units.number(row.exec_price, venue, "execPrice"), factor, venue, "execPrice"),
        cloid=row.order_link_id or None,
        fee=fee,
        fee_asset=row.fee_currency or ("" if fee is None or contract is None else contract.quote),
        is_maker=row.is_maker,
        forced=terms.is_venue_made(row.create_type, row.exec_type),
        snapshot=snapshot,
        ts_venue_ns=units.nanoseconds(row.exec_time, venue, "execTime"),
    )


def position(row: wire.PositionRow, contracts: Contracts) -> PositionUpdate | None:
    """One position; ``long`` or ``short`` of an account in hedge mode."""
    if not is_linear(row.category):
        return None
    venue = contracts.venue
    factor = units.multiplier_of(contracts, row.symbol)
    size = units.unsigned(units.number_or_none(row.size, venue, "size") or ZERO, venue, "size")
    if row.position_idx not in _SIDES:
        raise DecodeError(venue, "positionIdx", f"{row.position_idx} is not a position index")
    return PositionUpdate(
        venue=venue,
        ticker=row.symbol,
        amount=units.amount(size, units.sign_of(row.side or "", venue) if size else 1, factor),
        entry_price=units.price_or_none(row.entry_price or row.avg_price, factor, venue, "entryPrice"),
        unrealised=units.number_or_none(row.unrealised_pnl, venue, "unrealisedPnl"),
        side=_SIDES[row.position_idx],
        ts_venue_ns=units.nanoseconds(row.updated_time, venue, "updatedTime"),
    )


def balances(account: wire.Account, contracts: Contracts, ts_ms: int) -> list[BalanceUpdate]:
    """The assets of a wallet.

    ``available`` is what the venue says can be withdrawn; a unified account says nothing there, and then it is the
    equity less the initial margins of orders and positions and what is locked, where these are told.
    """
    venue = contracts.venue
    found = []
    for coin in account.coin:
        total = units.number_or_none(coin.wallet_balance, venue, "walletBalance")
        if total is None:
            continue
        found.append(
            BalanceUpdate(
                venue=venue,
                asset=coin.coin,
                total=total,
                available=units.number_or_none(coin.available_to_withdraw, venue, "availableToWithdraw")
                if coin.available_to_withdraw
                else _free_margin(coin, venue),
                ts_venue_ns=ts_ms * units.MS,
            )
        )
    return found


def _free_margin(coin: wire.Coin, venue: str) -> Decimal | None:
    equity = units.number_or_none(coin.equity, venue, "equity")
    orders = units.number_or_none(coin.total_order_im, venue, "totalOrderIM")
    positions = units.number_or_none(coin.total_position_im, venue, "totalPositionIM")
    if equity is None or orders is None or positions is None:
        return None
    locked = units.number_or_none(coin.locked, venue, "locked") or ZERO
    return max(ZERO, equity - orders - positions - locked)


def book(row: wire.Book, contracts: Contracts, *, snapshot: bool, ts_ms: int) -> BookUpdate:
    """A book or its changed levels: a delta follows the update whose ``u`` is one less ("Orderbook").

    ``u`` = 1 is a snapshot whatever its type says: the venue's service was restarted.
    """
    venue = contracts.venue
    factor = units.multiplier_of(contracts, row.symbol)
    whole = snapshot or row.last == 1
    return BookUpdate(
        venue=venue,
        ticker=row.symbol,
        bids=units.levels(row.bids, factor, venue, "b"),
        asks=units.levels(row.asks, factor, venue, "a"),
        snapshot=whole,
        first_seq=None if whole else row.last,
        last_seq=row.last,
        prev_seq=None if whole else row.last - 1,
        ts_venue_ns=ts_ms * units.MS,
    )


def trade(row: wire.PublicTrade, contracts: Contracts) -> TradeEvent:
    """A public trade, signed by the taker's side."""
    venue = contracts.venue
    factor = units.multiplier_of(contracts, row.symbol)
    return TradeEvent(
        venue=venue,
        ticker=row.symbol,
        trade_id=row.trade_id,
        amount=units.amount(units.unsigned(row.quantity, venue, "v"), units.sign_of(row.side, venue, "S"), factor),
        price=units.price(row.price, factor, venue, "p"),
        ts_venue_ns=row.ts * units.MS,
    )


def contract(row: wire.Instrument, venue: str) -> Contract | None:
    """One contract of the instruments list; None for what is not a linear perpetual, or lists no tick or lot."""
    if row.contract_type != "LinearPerpetual" or row.quote_coin != row.settle_coin:
        return None
    tick = units.number_or_none(row.price_filter.tick_size, venue, "tickSize")
    rules = row.lot_size_filter
    lot = units.number_or_none(rules.qty_step, venue, "qtyStep")
    if not tick or not lot:
        return None
    base, bundle = units.unbundled(row.base_coin)
    smallest = units.number_or_none(rules.min_order_qty, venue, "minOrderQty") or lot
    most = units.number_or_none(rules.max_order_qty, venue, "maxOrderQty")
    market_most = units.number_or_none(rules.max_mkt_order_qty, venue, "maxMktOrderQty")
    return Contract(
        venue=venue,
        ticker=row.symbol,
        base=base,
        quote=row.quote_coin,
        tick_size=tick / bundle,
        lot_size=lot * bundle,
        min_quantity=smallest * bundle,
        min_notional=units.number_or_none(rules.min_notional_value, venue, "minNotionalValue") or ZERO,
        max_quantity=most * bundle if most else None,
        market_max_quantity=market_most * bundle if market_most else None,
        multiplier=bundle,
        trading=row.status == "Trading",
    )
