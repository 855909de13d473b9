"""One wire message of Binance USD-M into standard events. Pure: no I/O, no clock, no state.

Streams ("User Data Streams", "Websocket Market Streams"), replies of the websocket API, subscribe acknowledgements
and REST bodies are all taken; a type that an OMS does not need gives ``[]``; a message without its documented form
raises DecodeError naming the field. The usual stream messages are decoded straight into typed structs; everything
else takes a slower way with the same result.
"""

import re
from typing import Any

import msgspec

from gateways.binance import bodies, terms, units, wire
from gateways.binance.bodies import Body
from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.standards import (
    Ack,
    BalanceUpdate,
    BookUpdate,
    Event,
    FillEvent,
    MarkUpdate,
    OrderUpdate,
    QuoteUpdate,
    StreamEnd,
    TradeEvent,
)

IGNORED = frozenset(
    {
        "24hrMiniTicker",
        "24hrTicker",
        "ACCOUNT_CONFIG_UPDATE",
        "ALGO_UPDATE",
        "CONDITIONAL_ORDER_TRIGGER_REJECT",
        "GRID_UPDATE",
        "MARGIN_CALL",
        "STRATEGY_UPDATE",
        "assetIndexUpdate",
        "compositeIndex",
        "continuous_kline",
        "contractInfo",
        "forceOrder",  # other people's liquidations; their trades are in aggTrade
        "kline",
        "nav",
        "tradingSession",
    }
)
"""Documented types that an OMS does not need. Any other type without events is new to us and worth counting."""

_EVENT: "msgspec.json.Decoder[wire.StreamEvent]" = msgspec.json.Decoder(wire.StreamEvent)
_WRAPPED = msgspec.json.Decoder(wire.Wrapped)
_SHAPES: dict[str, type[msgspec.Struct]] = {
    "ORDER_TRADE_UPDATE": wire.OrderTradeUpdate,
    "TRADE_LITE": wire.TradeLite,
    "ACCOUNT_UPDATE": wire.AccountUpdate,
    "bookTicker": wire.BookTicker,
    "depthUpdate": wire.DepthUpdate,
    "aggTrade": wire.AggTrade,
    "trade": wire.PublicTrade,
    "markPriceUpdate": wire.MarkPrice,
    "listenKeyExpired": wire.ListenKeyExpired,
}
_PARTIAL_BOOK = re.compile(r"@(?:rpiDepth|depth)(?:5|10|20)(?:@|$)")


def decode(raw: Body, contracts: Contracts) -> list[Event]:
    """The events of one message, bytes or parsed; ``[]`` for what an OMS does not need. Raises DecodeError."""
    if isinstance(raw, str):
        raw = raw.encode("utf-8", "surrogatepass")
    if isinstance(raw, bytes):
        try:
            if raw.startswith(b'{"e":'):
                return _translated(_EVENT.decode(raw), contracts)
            if raw.startswith(b'{"stream":'):
                wrapped = _WRAPPED.decode(raw)
                return _translated(wrapped.data, contracts, partial=_is_partial_book(wrapped.stream))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            pass  # of an unknown type, or malformed: the slower way below tells which, and where
    parsed = bodies.parse(raw, contracts.venue)
    if isinstance(parsed, list):
        return [event for item in parsed for event in _one(item, contracts)]
    return _one(parsed, contracts)


def kind_of(raw: Body) -> str:
    """What a message calls itself, for counting those that gave no events: its ``e``, or the names of its fields."""
    try:
        parsed = bodies.parse(raw, "")
    except DecodeError:
        return "not JSON"
    if isinstance(parsed, list):
        parsed = parsed[0] if parsed else {}
    if isinstance(parsed, dict) and isinstance(parsed.get("data"), dict):
        parsed = parsed["data"]
    if not isinstance(parsed, dict):
        return type(parsed).__name__
    kind = parsed.get("e")
    return kind if isinstance(kind, str) else " ".join(sorted(map(str, parsed)))[:100]


def _one(item: Any, contracts: Contracts) -> list[Event]:
    if not isinstance(item, dict):
        return []
    if isinstance(item.get("stream"), str) and "data" in item:
        data = item["data"]
        if isinstance(data, list):
            return [event for each in data if isinstance(each, dict) for event in _stream_event(each, contracts)]
        if not isinstance(data, dict):
            raise DecodeError(contracts.venue, "data", "expected an object")
        return _stream_event(data, contracts, partial=_is_partial_book(item["stream"]))
    if "e" in item:
        return _stream_event(item, contracts)
    if "id" in item and ("result" in item or isinstance(item.get("error"), dict)):
        return _reply(item, contracts)
    return bodies.by_shape(item, contracts)


def _stream_event(item: dict[str, Any], contracts: Contracts, *, partial: bool = False) -> list[Event]:
    kind = item.get("e")
    shape = _SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        return []
    return _translated(bodies.typed(item, shape, contracts.venue), contracts, partial=partial)


def _reply(item: dict[str, Any], contracts: Contracts) -> list[Event]:
    """A subscribe acknowledgement, or a reply of the websocket API."""
    venue = contracts.venue
    request_id = None if item["id"] is None else str(item["id"])
    refused = item.get("error")
    if isinstance(refused, dict):
        status = item.get("status")
        return [bodies.error(refused, venue, status=status if isinstance(status, int) else 400, request_id=request_id)]
    result = item["result"]
    results = result if isinstance(result, list) else [result]
    events: list[Event] = [Ack(venue=venue, request_id=request_id)]
    for each in results:
        if isinstance(each, dict):
            events.extend(bodies.by_shape(each, contracts))
    return events


def _is_partial_book(stream: str) -> bool:
    return _PARTIAL_BOOK.search(stream) is not None


# ------------------------------------------------------------------ stream events


def _translated(event: Any, contracts: Contracts, *, partial: bool = False) -> list[Event]:
    match event:
        case wire.OrderTradeUpdate():
            return _order_update(event.order, contracts)
        case wire.AccountUpdate():
            return _account_update(event, contracts)
        case wire.BookTicker():
            return [_quote(event, contracts)]
        case wire.DepthUpdate():
            return [_depth(event, contracts, snapshot=partial)]
        case wire.AggTrade() | wire.PublicTrade():
            return _public_trade(event, contracts)
        case wire.MarkPrice():
            return [_mark(event, contracts)]
        case wire.TradeLite():
            return _lite_fill(event, contracts)
        case _:
            return [StreamEnd(venue=contracts.venue, reason="listenKeyExpired")]


def _order_update(raw: wire.OrderBody, contracts: Contracts) -> list[Event]:
    venue = contracts.venue
    sign = units.sign_of(raw.side, venue, "o.S")
    factor = units.multiplier_of(contracts, raw.symbol)
    quantity = units.unsigned(raw.quantity, venue, "o.q")
    filled = units.unsigned(raw.filled, venue, "o.z")
    forced = terms.is_venue_made(raw.client_id, raw.status, raw.execution, raw.kind)
    oid, ts_venue_ns = str(raw.order_id), raw.ts * units.MS
    update = OrderUpdate(
        venue=venue,
        ticker=raw.symbol,
        oid=oid,
        cloid=raw.client_id or None,
        status=terms.status_of(raw.status, filled, quantity),
        amount=units.amount(quantity, sign, factor),
        price=units.price_or_none(raw.price, factor, venue, "o.p"),
        filled=units.amount(filled, sign, factor),
        average_price=units.price_or_none(raw.average_price, factor, venue, "o.ap"),
        kind=terms.KINDS.get(raw.kind),
        tif=terms.TIMES_IN_FORCE.get(raw.tif),
        post_only=raw.tif in terms.POST_ONLY,
        reduce_only=raw.reduce_only,
        forced=forced,
        # The status says more than EXPIRED where self-trade prevention ended the order.
        label=raw.status if raw.status == "EXPIRED_IN_MATCH" else raw.execution,
        reason=terms.reason_of_end(raw.status, raw.tif, raw.kind),
        ts_venue_ns=ts_venue_ns,
    )
    last = units.finite(raw.last_quantity, venue, "o.l")
    if last <= 0 or raw.execution not in {"TRADE", "CALCULATED"}:
        return [update]
    fill = FillEvent(
        venue=venue,
        ticker=raw.symbol,
        oid=oid,
        trade_id=str(raw.trade_id),
        amount=units.amount(last, sign, factor),
        price=units.price(raw.last_price, factor, venue, "o.L"),
        cloid=raw.client_id or None,
        fee=None if raw.fee is None else units.finite(raw.fee, venue, "o.n"),
        fee_asset=raw.fee_asset or "",
        is_maker=raw.maker,
        forced=forced,
        ts_venue_ns=ts_venue_ns,
    )
    return [update, fill]


def _lite_fill(raw: wire.TradeLite, contracts: Contracts) -> list[Event]:
    venue = contracts.venue
    quantity = units.unsigned(raw.last_quantity, venue, "l")
    if not quantity:
        return []
    factor = units.multiplier_of(contracts, raw.symbol)
    return [
        FillEvent(
            venue=venue,
            ticker=raw.symbol,
            oid=str(raw.order_id),
            trade_id=str(raw.trade_id),
            amount=units.amount(quantity, units.sign_of(raw.side, venue, "S"), factor),
            price=units.price(raw.last_price, factor, venue, "L"),
            cloid=raw.client_id or None,
            is_maker=raw.maker,
            forced=terms.is_venue_made(raw.client_id, "", "", ""),
            ts_venue_ns=raw.ts * units.MS,
        )
    ]


def _account_update(event: wire.AccountUpdate, contracts: Contracts) -> list[Event]:
    venue, ts_ms = contracts.venue, event.ts
    events: list[Event] = [
        BalanceUpdate(
            venue=venue,
            asset=each.asset,
            total=units.finite(each.wallet, venue, "a.B.wb"),
            ts_venue_ns=ts_ms * units.MS,
        )
        for each in event.account.balances
    ]
    events.extend(
        bodies.position_of(
            contracts,
            each.symbol,
            each.amount,
            entry=each.entry_price,
            unrealised=each.unrealised,
            side=each.side,
            ts_ms=ts_ms,
        )
        for each in event.account.positions
    )
    return events


def _quote(raw: wire.BookTicker, contracts: Contracts) -> QuoteUpdate:
    venue = contracts.venue
    factor = units.multiplier_of(contracts, raw.symbol)
    return QuoteUpdate(
        venue=venue,
        ticker=raw.symbol,
        bid=units.quote_side(raw.bid, raw.bid_quantity, factor, venue, "b"),
        ask=units.quote_side(raw.ask, raw.ask_quantity, factor, venue, "a"),
        seq=raw.seq,
        ts_venue_ns=(raw.ts or raw.ts_event) * units.MS,
    )


def _depth(raw: wire.DepthUpdate, contracts: Contracts, *, snapshot: bool) -> BookUpdate:
    venue = contracts.venue
    factor = units.multiplier_of(contracts, raw.symbol)
    return BookUpdate(
        venue=venue,
        ticker=raw.symbol,
        bids=units.levels(raw.bids, factor, venue, "b"),
        asks=units.levels(raw.asks, factor, venue, "a"),
        snapshot=snapshot,
        first_seq=raw.first,
        last_seq=raw.last,
        prev_seq=raw.previous,
        ts_venue_ns=raw.ts * units.MS,
    )


def _public_trade(raw: wire.AggTrade | wire.PublicTrade, contracts: Contracts) -> list[Event]:
    venue = contracts.venue
    quantity = units.unsigned(raw.quantity, venue, "q")
    if not quantity or not units.finite(raw.price, venue, "p"):
        return []  # the venue's own transfers (insurance fund) show as trades of nothing
    factor = units.multiplier_of(contracts, raw.symbol)
    sign = -1 if raw.buyer_is_maker else 1
    return [
        TradeEvent(
            venue=venue,
            ticker=raw.symbol,
            trade_id=str(raw.trade_id),
            amount=units.amount(quantity, sign, factor),
            price=units.price(raw.price, factor, venue, "p"),
            ts_venue_ns=raw.ts * units.MS,
        )
    ]


def _mark(raw: wire.MarkPrice, contracts: Contracts) -> MarkUpdate:
    venue = contracts.venue
    factor = units.multiplier_of(contracts, raw.symbol)
    return MarkUpdate(
        venue=venue,
        ticker=raw.symbol,
        mark=units.price(raw.mark, factor, venue, "p"),
        index=units.price_or_none(raw.index, factor, venue, "i"),
        funding_rate=units.rate_or_none(raw.funding_rate, venue, "r"),
        next_funding_ns=raw.next_funding * units.MS or None,
        ts_venue_ns=raw.ts * units.MS,
    )
