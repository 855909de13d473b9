"""REST bodies, and results of the websocket API, into standard events: one function for each shape. Pure.

Each takes the bytes of an answer or what they parse to, and raises DecodeError naming the first field that is wrong.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from gateways.binance import refusals, terms, units, wire
from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.standards import (
    ZERO,
    Ack,
    BalanceUpdate,
    BookUpdate,
    Contract,
    Event,
    FillEvent,
    MarkUpdate,
    OrderUpdate,
    PositionUpdate,
    QuoteUpdate,
    Reject,
)

Body = bytes | str | dict[str, Any] | list[Any]

T = TypeVar("T")

_AT = re.compile(r"at `(?:key in )?\$([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]+)`")
_PARSER = msgspec.json.Decoder(float_hook=Decimal)
_ITEMS: "msgspec.json.Decoder[list[msgspec.Raw]]" = msgspec.json.Decoder(list[msgspec.Raw])
_SIDES = {"BOTH": "net", "LONG": "long", "SHORT": "short"}
PERPETUAL = frozenset({"PERPETUAL", "TRADIFI_PERPETUAL"})


def parse(raw: Body, venue: str) -> Any:
    """The JSON value of ``raw``, its fractions as Decimal; what is parsed already passes through."""
    if not isinstance(raw, bytes | str):
        return raw
    try:
        return _PARSER.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError, ArithmeticError) as error:
        raise DecodeError(venue, "json", str(error)) from error


def typed(value: Any, shape: type[T], venue: str) -> T:
    """``value`` as a wire struct; a whole number or a flag may be written as a text.

    Raises DecodeError naming the field that is missing or wrong.
    """
    try:
        return msgspec.convert(value, shape, strict=False)
    except msgspec.ValidationError as error:
        raise malformed(error, venue) from error


def malformed(error: Exception, venue: str) -> DecodeError:
    """The DecodeError of a msgspec complaint, with the path of the field that it names."""
    text = str(error)
    at, missing = _AT.search(text), _MISSING.search(text)
    path = at.group(1).lstrip(".") if at else ""
    if missing:
        path = f"{path}.{missing.group(1)}" if path else missing.group(1)
    return DecodeError(venue, path or "message", text)


# ------------------------------------------------------------------ one of each


def order(body: Body, contracts: Contracts) -> OrderUpdate:
    """One order, as placed, amended, cancelled or queried."""
    venue = contracts.venue
    raw = typed(parse(body, venue), wire.RestOrder, venue)
    sign = units.sign_of(raw.side, venue, "side")
    factor = units.multiplier_of(contracts, raw.symbol)
    quantity = units.unsigned(raw.orig_qty, venue, "origQty")
    done = raw.executed_qty if raw.executed_qty is not None else raw.cum_qty
    filled = None if done is None else units.unsigned(done, venue, "executedQty")
    return OrderUpdate(
        venue=venue,
        ticker=raw.symbol,
        oid=str(raw.order_id),
        cloid=raw.client_order_id or None,
        status=terms.status_of(raw.status, filled or ZERO, quantity),
        amount=units.amount(quantity, sign, factor),
        price=units.price_or_none(raw.price, factor, venue, "price"),
        filled=None if filled is None else units.amount(filled, sign, factor),
        average_price=units.price_or_none(raw.avg_price, factor, venue, "avgPrice"),
        kind=terms.KINDS.get(raw.type),
        tif=terms.TIMES_IN_FORCE.get(raw.time_in_force),
        post_only=raw.time_in_force in terms.POST_ONLY,
        reduce_only=raw.reduce_only,
        forced=terms.is_venue_made(raw.client_order_id, raw.status, "", raw.type),
        label=raw.status,
        reason=terms.reason_of_end(raw.status, raw.time_in_force, raw.type),
        ts_venue_ns=(raw.update_time or raw.time) * units.MS,
    )


def fill(body: Body, contracts: Contracts) -> FillEvent:
    """One of our executions, of the account's trade list: it carries no cloid."""
    venue = contracts.venue
    raw = typed(parse(body, venue), wire.RestTrade, venue)
    factor = units.multiplier_of(contracts, raw.symbol)
    sign = units.sign_of(raw.side, venue, "side")
    quantity = units.unsigned(raw.qty, venue, "qty")
    if not quantity:
        raise DecodeError(venue, "qty", "an execution of nothing")
    return FillEvent(
        venue=venue,
        ticker=raw.symbol,
        oid=str(raw.order_id),
        trade_id=str(raw.id),
        amount=units.amount(quantity, sign, factor),
        price=units.price(raw.price, factor, venue, "price"),
        fee=None if raw.commission is None else units.finite(raw.commission, venue, "commission"),
        fee_asset=raw.commission_asset,
        is_maker=raw.maker,
        snapshot=True,
        ts_venue_ns=raw.time * units.MS,
    )


def position(body: Body, contracts: Contracts) -> PositionUpdate:
    """One position; ``long`` or ``short`` of an account in hedge mode."""
    venue = contracts.venue
    raw = typed(parse(body, venue), wire.RestPosition, venue)
    return position_of(
        contracts,
        raw.symbol,
        raw.position_amt,
        entry=raw.entry_price,
        unrealised=raw.un_realized_profit if raw.un_realized_profit is not None else raw.unrealized_profit,
        side=raw.position_side,
        ts_ms=raw.update_time,
    )


def position_of(
    contracts: Contracts,
    ticker: str,
    amount: Decimal,
    *,
    entry: Decimal | None,
    unrealised: Decimal | None,
    side: str,
    ts_ms: int,
) -> PositionUpdate:
    """A position in our units, whichever channel told it."""
    venue = contracts.venue
    factor = units.multiplier_of(contracts, ticker)
    if side not in _SIDES:
        raise DecodeError(venue, "positionSide", f"{side!r} is not a position side")
    return PositionUpdate(
        venue=venue,
        ticker=ticker,
        amount=units.amount(units.finite(amount, venue, "positionAmt"), 1, factor),
        entry_price=units.price_or_none(entry, factor, venue, "entryPrice"),
        unrealised=None if unrealised is None else units.finite(unrealised, venue, "unRealizedProfit"),
        side=_SIDES[side],
        ts_venue_ns=ts_ms * units.MS,
    )


def balance(body: Body, contracts: Contracts) -> BalanceUpdate:
    """One asset's money."""
    venue = contracts.venue
    raw = typed(parse(body, venue), wire.RestBalance, venue)
    total = raw.balance if raw.balance is not None else raw.wallet_balance
    if total is None:
        raise DecodeError(venue, "balance", "missing")
    return BalanceUpdate(
        venue=venue,
        asset=raw.asset,
        total=units.finite(total, venue, "balance"),
        available=None
        if raw.available_balance is None
        else units.finite(raw.available_balance, venue, "availableBalance"),
        ts_venue_ns=raw.update_time * units.MS,
    )


def book(body: Body, ticker: str, contracts: Contracts) -> BookUpdate:
    """A depth snapshot. ``ticker`` is the caller's, who asked: the body does not say it."""
    venue = contracts.venue
    raw = typed(parse(body, venue), wire.RestBook, venue)
    factor = units.multiplier_of(contracts, ticker)
    return BookUpdate(
        venue=venue,
        ticker=ticker,
        bids=units.levels(raw.bids, factor, venue, "bids"),
        asks=units.levels(raw.asks, factor, venue, "asks"),
        snapshot=True,
        last_seq=raw.last,
        ts_venue_ns=raw.ts * units.MS,
    )


def quote(body: Body, contracts: Contracts) -> QuoteUpdate:
    """Best bid and ask of one contract."""
    venue = contracts.venue
    raw = typed(parse(body, venue), wire.RestQuote, venue)
    factor = units.multiplier_of(contracts, raw.symbol)
    return QuoteUpdate(
        venue=venue,
        ticker=raw.symbol,
        bid=units.quote_side(raw.bid_price, raw.bid_qty, factor, venue, "bidPrice"),
        ask=units.quote_side(raw.ask_price, raw.ask_qty, factor, venue, "askPrice"),
        seq=raw.last_update_id,
        ts_venue_ns=raw.time * units.MS,
    )


def mark(body: Body, contracts: Contracts) -> MarkUpdate:
    """Mark, index and funding of one contract."""
    venue = contracts.venue
    raw = typed(parse(body, venue), wire.RestMark, venue)
    factor = units.multiplier_of(contracts, raw.symbol)
    return MarkUpdate(
        venue=venue,
        ticker=raw.symbol,
        mark=units.price(raw.mark_price, factor, venue, "markPrice"),
        index=units.price_or_none(raw.index_price, factor, venue, "indexPrice"),
        funding_rate=units.rate_or_none(raw.last_funding_rate, venue, "lastFundingRate"),
        next_funding_ns=raw.next_funding_time * units.MS or None,
        ts_venue_ns=raw.time * units.MS,
    )


def error(body: Body, venue: str, *, status: int = 400, request_id: str | None = None) -> Reject:
    """An error body ``{"code", "msg"}``. ``status``: of HTTP, or of the websocket API's reply."""
    raw = parse(body, venue)
    code = _code(raw, venue)
    text = str(raw.get("msg", ""))
    return Reject(
        venue=venue,
        code=str(code),
        text=text,
        reason=refusals.reason_of(code),
        definite=refusals.is_definite(code, status, text),
        request_id=request_id,
        retry_after_s=_retry_after(raw),
    )


def contract(body: Body, venue: str) -> Contract | None:
    """One contract of ``exchangeInfo``; None for what is not a linear perpetual, or lists no tick or lot."""
    raw = typed(parse(body, venue), wire.Symbol, venue)
    if raw.contract_type not in PERPETUAL or raw.quote_asset != raw.margin_asset:
        return None
    rules = {each.filter_type: each for each in raw.filters}
    price, lot = rules.get("PRICE_FILTER"), rules.get("LOT_SIZE")
    if price is None or lot is None or not price.tick_size or not lot.step_size:
        return None
    base, bundle = units.unbundled(raw.base_asset)
    notional, market = rules.get("MIN_NOTIONAL"), rules.get("MARKET_LOT_SIZE")
    least = lot.min_qty or lot.step_size
    most = None if not lot.max_qty else units.unsigned(lot.max_qty, venue, "maxQty") * bundle
    market_most = (
        None if market is None or not market.max_qty else units.unsigned(market.max_qty, venue, "maxQty") * bundle
    )
    return Contract(
        venue=venue,
        ticker=raw.symbol,
        base=base,
        quote=raw.quote_asset,
        tick_size=units.unsigned(price.tick_size, venue, "tickSize") / bundle,
        lot_size=units.unsigned(lot.step_size, venue, "stepSize") * bundle,
        min_quantity=units.unsigned(least, venue, "minQty") * bundle,
        min_notional=ZERO if notional is None else units.unsigned(notional.notional or ZERO, venue, "notional"),
        max_quantity=most,
        market_max_quantity=market_most,
        multiplier=bundle,
        trading=raw.status == "TRADING",
    )


def contracts_of(body: Body, venue: str) -> list[Contract]:
    """The linear perpetuals of ``exchangeInfo``."""
    found = (contract(each, venue) for each in _listed(parse(body, venue), "symbols", venue))
    return [each for each in found if each is not None]


def rate_limits(body: Body, venue: str) -> list[wire.RateLimit]:
    """The limits that ``exchangeInfo`` publishes."""
    return [typed(each, wire.RateLimit, venue) for each in _listed(parse(body, venue), "rateLimits", venue)]


def text_field(body: Body, name: str, venue: str) -> str:
    """A text of an object, ``listenKey`` say."""
    raw = parse(body, venue)
    if isinstance(raw, dict) and isinstance(value := raw.get(name), str) and value:
        return value
    raise DecodeError(venue, name, "missing")


# ------------------------------------------------------------------ lists of them


def every(body: Body, contracts: Contracts, one: Callable[[Body, Contracts], T]) -> list[T]:
    """Each item of a list body, read by ``one``: ``every(body, contracts, order)``."""
    return [one(item, contracts) for item in items(body, contracts.venue)]


def items(body: Body, venue: str) -> list[Any]:
    """The items of a list body, to be read one by one; of bytes, unread. Raises DecodeError for any other body."""
    if isinstance(body, bytes):
        try:
            return [bytes(item) for item in _ITEMS.decode(body)]
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            pass  # malformed, or no list: below it is told which
    raw = parse(body, venue)
    if not isinstance(raw, list):
        raise DecodeError(venue, "message", "expected a list")
    return raw


def by_shape(raw: dict[str, Any], contracts: Contracts) -> list[Event]:
    """The events of an object whose endpoint is not known; ``[]`` where an OMS needs nothing of it."""
    venue = contracts.venue
    if "code" in raw and "msg" in raw:
        return [Ack(venue=venue)] if _code(raw, venue) in {0, 200} else [error(raw, venue)]
    if "symbols" in raw:
        return list(contracts_of(raw, venue))
    if "filters" in raw:
        return [found] if (found := contract(raw, venue)) is not None else []
    if "orderId" in raw and "status" in raw:
        return [order(raw, contracts)]
    if "orderId" in raw and "qty" in raw:
        return [fill(raw, contracts)]
    if "positionAmt" in raw:
        return [position(raw, contracts)]
    if "assets" in raw and "positions" in raw:
        money = [balance(each, contracts) for each in _listed(raw, "assets", venue)]
        return [*money, *(position(each, contracts) for each in _listed(raw, "positions", venue))]
    if "asset" in raw and ("balance" in raw or "walletBalance" in raw):
        return [balance(raw, contracts)]
    if "bidPrice" in raw:
        return [quote(raw, contracts)]
    if "markPrice" in raw and "lastFundingRate" in raw:
        return [mark(raw, contracts)]
    if "countdownTime" in raw:
        return [Ack(venue=venue)]
    return []


def _listed(raw: Any, name: str, venue: str) -> list[Any]:
    if isinstance(raw, dict) and isinstance(value := raw.get(name), list):
        return value
    raise DecodeError(venue, name, "expected a list")


def _code(raw: Any, venue: str) -> int:
    code = raw.get("code") if isinstance(raw, dict) else None
    try:
        return int(code) if isinstance(code, int | str) and not isinstance(code, bool) else _no_code(venue)
    except ValueError:
        return _no_code(venue)


def _no_code(venue: str) -> int:
    raise DecodeError(venue, "code", "not a number")


def _retry_after(raw: dict[str, Any]) -> float | None:
    """Seconds to wait, where the refusal names a time on the venue's clock beside its present time."""
    data = raw.get("data")
    if not isinstance(data, dict):
        return None
    now, until = data.get("serverTime"), data.get("retryAfter")
    if not isinstance(now, int) or not isinstance(until, int):
        return None
    return max(0, until - now) / 1_000
