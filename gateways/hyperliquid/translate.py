"""Hyperliquid's structs into the standard events: units, signs, statuses. Pure; every function says what it assumes."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from gateways.errors import DecodeError
from gateways.hyperliquid.vocabulary import (
    REASONS,
    is_forced_direction,
    is_perpetual,
    multiplier_of,
    order_status,
)
from gateways.hyperliquid.wire import (
    Asset,
    AssetContext,
    BestPrices,
    BuyOrSell,
    ClearinghouseState,
    SpotBalance,
    WireBook,
    WireFill,
    WireLevel,
    WireOrder,
    WireTrade,
    number,
    size,
)
from gateways.standards import (
    ZERO,
    BalanceUpdate,
    BookUpdate,
    Contract,
    FillEvent,
    Level,
    MarkUpdate,
    OrderKind,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    QuoteUpdate,
    TimeInForce,
    TradeEvent,
)

QUOTE = "USDC"
MIN_NOTIONAL = Decimal(10)
SIGNIFICANT_DIGITS = 5
MAX_DECIMALS = 6
HIP3_FIRST_ASSET = 100_000
HIP3_ASSETS = 10_000

_CLOID_LENGTH = 32
_KINDS = {"Limit": OrderKind.LIMIT, "Market": OrderKind.MARKET}
_TIMES_IN_FORCE = {
    "Gtc": (TimeInForce.GTC, False),
    "Alo": (TimeInForce.GTC, True),
    "Ioc": (TimeInForce.IOC, False),
    "FrontendMarket": (TimeInForce.IOC, False),
    "LiquidationMarket": (TimeInForce.IOC, False),
}


def nanoseconds(milliseconds: int) -> int:
    """The venue's milliseconds as nanoseconds."""
    return milliseconds * 1_000_000


def our_cloid(cloid: str | None) -> str | None:
    """A client order id in our form: 32 hex characters without the 0x; another's text as it is; None for none."""
    if not cloid:
        return None
    digits = cloid.removeprefix("0x")
    return digits.lower() if len(digits) == _CLOID_LENGTH else cloid


def base_quantity(coin: str, value: Decimal) -> Decimal:
    """A size of the venue in base units."""
    multiplier = multiplier_of(coin)
    return value if multiplier == 1 else value * multiplier


def unit_price(coin: str, value: Decimal) -> Decimal:
    """A price of the venue for one base unit."""
    multiplier = multiplier_of(coin)
    return value if multiplier == 1 else value / multiplier


def _signed(side: BuyOrSell, value: Decimal) -> Decimal:
    return value if side == "B" else -value


def order_update(venue: str, order: WireOrder, word: str = "open", status_ms: int = 0) -> OrderUpdate:
    """One order under the status ``word``.

    What is filled is ``origSz - sz``. For ``filled`` with something remaining the venue contradicts itself: it is known
    to keep the size from before the last match there, and an IOC's unfilled rest may be meant as well. The status is
    then None and ``filled`` a lower bound; the fills tell the rest.
    """
    remaining = size(order.sz, "sz", venue)
    original = None if order.orig_sz is None else size(order.orig_sz, "origSz", venue)
    done = None if original is None or remaining > original else original - remaining
    status = order_status(word)
    if status is OrderStatus.NEW and done:
        status = OrderStatus.PARTIAL
    elif status is OrderStatus.FILLED and (remaining or done is None):
        status = None
    elif status is OrderStatus.REJECTED and done:
        status = OrderStatus.CANCELLED
    tif, post_only = _TIMES_IN_FORCE.get(order.tif or "", (None, None))
    coin = order.coin
    return OrderUpdate(
        venue=venue,
        ticker=coin,
        oid=str(order.oid),
        cloid=our_cloid(order.cloid),
        status=status,
        amount=None if original is None else _signed(order.side, base_quantity(coin, original)),
        price=unit_price(coin, number(order.limit_px, "limitPx", venue)),
        filled=None if done is None else _signed(order.side, base_quantity(coin, done)),
        kind=_KINDS.get(order.order_type or ""),
        tif=tif,
        post_only=post_only,
        reduce_only=order.reduce_only,
        forced=order.tif == "LiquidationMarket",
        label=word,
        reason=REASONS.get(word),
        ts_venue_ns=nanoseconds(status_ms or order.timestamp),
    )


def fill_event(venue: str, fill: WireFill, *, user: str = "", snapshot: bool = False) -> FillEvent:
    """One execution of ours. ``user`` is our address where the message says it.

    A liquidation is noted on both of its sides; the venue made ours only if ``user`` is the one liquidated, or the
    direction says so, or (neither being known) the order had no id of ours.
    """
    coin = fill.coin
    forced = is_forced_direction(fill.dir)
    if fill.liquidation is not None and not forced:
        liquidated = (fill.liquidation.liquidated_user or "").lower()
        forced = liquidated == user.lower() if user and liquidated else fill.cloid is None
    return FillEvent(
        venue=venue,
        ticker=coin,
        oid=str(fill.oid),
        trade_id=_trade_id(fill),
        amount=_signed(fill.side, base_quantity(coin, size(fill.sz, "sz", venue))),
        price=unit_price(coin, number(fill.px, "px", venue)),
        cloid=our_cloid(fill.cloid),
        fee=None if fill.fee is None else number(fill.fee, "fee", venue),
        fee_asset=fill.fee_token or (QUOTE if is_perpetual(coin) else ""),
        is_maker=None if fill.crossed is None else not fill.crossed,
        forced=forced,
        snapshot=snapshot,
        ts_venue_ns=nanoseconds(fill.time),
    )


def _trade_id(fill: WireFill) -> str:
    """The trade's id; old fills and conversions have none, but no two of a hash begin at one position."""
    if fill.tid not in {None, 0, "0", ""}:
        return str(fill.tid)
    return f"{fill.hash}:{fill.start_position}:{fill.px}:{fill.sz}"


def _levels(venue: str, coin: str, levels: Iterable[WireLevel], field: str) -> tuple[Level, ...]:
    return tuple(
        Level(unit_price(coin, number(level.px, field, venue)), base_quantity(coin, size(level.sz, field, venue)))
        for level in levels
    )


def book_update(venue: str, book: WireBook) -> BookUpdate:
    """A whole book: each of the venue's messages is a snapshot of up to 20 levels a side, without a sequence number."""
    if len(book.levels) != 2:
        raise DecodeError(venue, "levels", f"{len(book.levels)} sides")
    return BookUpdate(
        venue=venue,
        ticker=book.coin,
        bids=_levels(venue, book.coin, book.levels[0], "levels.0"),
        asks=_levels(venue, book.coin, book.levels[1], "levels.1"),
        snapshot=True,
        ts_venue_ns=nanoseconds(book.time),
    )


def quote_update(venue: str, best: BestPrices) -> QuoteUpdate:
    """The best bid and ask."""
    if len(best.bbo) != 2:
        raise DecodeError(venue, "bbo", f"{len(best.bbo)} sides")
    bid, ask = (None if level is None else _levels(venue, best.coin, [level], "bbo")[0] for level in best.bbo)
    return QuoteUpdate(venue=venue, ticker=best.coin, bid=bid, ask=ask, ts_venue_ns=nanoseconds(best.time))


def trade_event(venue: str, trade: WireTrade) -> TradeEvent:
    """A public trade, signed by its aggressor."""
    return TradeEvent(
        venue=venue,
        ticker=trade.coin,
        trade_id=str(trade.tid),
        amount=_signed(trade.side, base_quantity(trade.coin, size(trade.sz, "sz", venue))),
        price=unit_price(trade.coin, number(trade.px, "px", venue)),
        ts_venue_ns=nanoseconds(trade.time),
    )


def mark_update(venue: str, coin: str, context: AssetContext) -> MarkUpdate | None:
    """Mark, oracle (as the index) and the hourly funding rate; None where the venue has no mark (spot)."""
    if context.mark_px is None:
        return None
    return MarkUpdate(
        venue=venue,
        ticker=coin,
        mark=unit_price(coin, number(context.mark_px, "markPx", venue)),
        index=None if context.oracle_px is None else unit_price(coin, number(context.oracle_px, "oraclePx", venue)),
        funding_rate=None if context.funding is None else number(context.funding, "funding", venue),
    )


def account_updates(venue: str, state: ClearinghouseState) -> Iterator[PositionUpdate | BalanceUpdate]:
    """Every open position and the money. A closed position is not listed: who compares knows that it is zero.

    The venue states the account's value with the unrealised profit in it; ``total`` is without, as a wallet is.
    """
    when = nanoseconds(state.time)
    unrealised = ZERO
    for wrapped in state.asset_positions:
        position = wrapped.position
        coin = position.coin
        profit = position.unrealized_pnl
        if profit is not None:
            unrealised += number(profit, "unrealizedPnl", venue)
        entry = position.entry_px
        yield PositionUpdate(
            venue=venue,
            ticker=coin,
            amount=base_quantity(coin, number(position.szi, "szi", venue)),
            entry_price=None if entry is None else unit_price(coin, number(entry, "entryPx", venue)),
            unrealised=profit,
            ts_venue_ns=when,
        )
    summary = state.margin_summary or state.cross_margin_summary
    if summary is None:
        raise DecodeError(venue, "marginSummary", "neither it nor crossMarginSummary is there")
    value = number(summary.account_value, "accountValue", venue)
    free = None if state.withdrawable is None else number(state.withdrawable, "withdrawable", venue)
    yield BalanceUpdate(venue=venue, asset=QUOTE, total=value - unrealised, available=free, ts_venue_ns=when)


def spot_balance(venue: str, balance: SpotBalance) -> BalanceUpdate:
    """A token of the spot account."""
    total = number(balance.total, "total", venue)
    held = None if balance.hold is None else number(balance.hold, "hold", venue)
    return BalanceUpdate(venue=venue, asset=balance.coin, total=total, available=None if held is None else total - held)


def contract(venue: str, asset: Asset, asset_id: int) -> Contract:
    """A perpetual: sizes have ``szDecimals`` decimals, prices at most 6 less those and five significant figures.

    Source: the "Tick and lot size" page.
    """
    if not 0 <= asset.sz_decimals <= MAX_DECIMALS:
        raise DecodeError(venue, "szDecimals", str(asset.sz_decimals))
    multiplier = multiplier_of(asset.name)
    lot = base_quantity(asset.name, Decimal(1).scaleb(-asset.sz_decimals))
    return Contract(
        venue=venue,
        ticker=asset.name,
        base=asset.name if multiplier == 1 else asset.name[1:],
        quote=QUOTE,
        tick_size=unit_price(asset.name, Decimal(1).scaleb(asset.sz_decimals - MAX_DECIMALS)),
        lot_size=lot,
        min_quantity=lot,
        min_notional=MIN_NOTIONAL,
        significant_digits=SIGNIFICANT_DIGITS,
        multiplier=multiplier,
        venue_id=str(asset_id),
        trading=not asset.is_delisted,
    )


def contracts_of(venue: str, assets: Iterable[Asset], dex: int = 0) -> Iterator[Contract]:
    """The perpetuals of one dex by their place in its universe. ``dex`` 0 is the venue's own; others are HIP-3.

    A name with a colon in the venue's own universe is another dex's whose number is not known here: it is left out.
    """
    first = HIP3_FIRST_ASSET + dex * HIP3_ASSETS if dex else 0
    for place, asset in enumerate(assets):
        if dex or ":" not in asset.name:
            yield contract(venue, asset, first + place)
