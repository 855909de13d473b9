"""One wire message of OKX v5 into standard events. Pure: no I/O, no clock, no state.

Pushes of every channel, replies to order requests over the websocket, login and subscribe events, and REST bodies are
all taken; a type that an OMS does not need gives ``[]``; a message without its documented form raises DecodeError
naming the field. The usual pushes are decoded straight into typed structs; everything else takes a slower way with the
same result.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.okx import bodies, refusals, terms, units, wire
from gateways.okx.bodies import Body
from gateways.okx.instruments import instrument, instruments
from gateways.standards import ZERO, Ack, Event, FillEvent, Level, QuoteUpdate, Reject, StreamEnd

IGNORED = frozenset(
    {
        "channel-conn-count",
        "estimated-price",
        "fills",  # several executions in one row, which the orders channel tells one by one: booking both counts twice
        "funding-rate",  # without a mark price; it is published hours before it holds
        "index-tickers",
        "liquidation-orders",  # other people's
        "liquidation-warning",
        "open-interest",
        "orders-algo",
        "pong",
        "price-limit",
        "status",
        "unsubscribe",
    }
)
"""Documented types that an OMS does not need. Any other type without events is new to us and worth counting."""

PONG = b"pong"

_UPGRADE = "64008"
"""The notice that the connection will be closed for an upgrade."""

P = TypeVar("P")
Translate = Callable[[P, Contracts], list[Event]]

_PREFIX = b'{"arg":{"channel":"'


def decode(raw: Body, contracts: Contracts) -> list[Event]:
    """The events of one message, bytes or parsed; ``[]`` for what an OMS does not need. Raises DecodeError."""
    if isinstance(raw, str):
        raw = raw.encode("utf-8", "surrogatepass")
    if isinstance(raw, bytes):
        if raw == PONG:
            return []
        if raw.startswith(_PREFIX):
            known = _CHANNELS_BY_BYTES.get(raw[len(_PREFIX) : raw.find(b'"', len(_PREFIX))])
            if known is not None:
                decoder, translate = known
                try:
                    push = decoder.decode(raw)
                except (msgspec.DecodeError, UnicodeError, RecursionError):
                    pass  # malformed: the slower way below tells where
                else:
                    return translate(push, contracts)
    parsed = bodies.parse(raw, contracts.venue)
    if isinstance(parsed, list):
        return [event for item in parsed if isinstance(item, dict) for event in _row(item, contracts)]
    return _one(parsed, contracts) if isinstance(parsed, dict) else []


def kind_of(raw: Body) -> str:
    """What a message calls itself, for counting those that gave no events: its event or channel, or its fields."""
    if isinstance(raw, bytes | str) and raw in {PONG, "pong"}:
        return "pong"
    try:
        parsed = bodies.parse(raw, "")
    except DecodeError:
        return "not JSON"
    if not isinstance(parsed, dict):
        return type(parsed).__name__
    arg = parsed.get("arg")
    for word in (parsed.get("event"), arg.get("channel") if isinstance(arg, dict) else None, parsed.get("op")):
        if isinstance(word, str):
            return word
    return " ".join(sorted(map(str, parsed)))[:100]


def _one(item: dict[str, Any], contracts: Contracts) -> list[Event]:
    venue = contracts.venue
    if "event" in item:
        return _event(item, venue)
    if "arg" in item:
        return _push(item, contracts)
    if "op" in item and "code" in item:
        request_id = item.get("id")
        return bodies.outcome(item, venue, request_id=request_id if isinstance(request_id, str) else None)
    if "code" in item and ("data" in item or "msg" in item):
        return _answer(item, contracts)
    return _row(item, contracts)


def _event(item: dict[str, Any], venue: str) -> list[Event]:
    """Login, subscribe acknowledgements, errors and notices."""
    kind, request_id = item.get("event"), item.get("id")
    asked = request_id if isinstance(request_id, str) else None
    match kind:
        case "error":
            return bodies.outcome({**item, "data": None}, venue, request_id=asked)
        case "login":
            return bodies.outcome(item, venue, request_id=asked)
        case "subscribe":
            return [Ack(venue=venue, request_id=asked)]
        case "channel-conn-count-error":
            text = f"too many connections subscribe to {item.get('channel')}"
            return [Reject(venue=venue, code="", text=text, reason=refusals.reason_of(""), request_id=asked)]
        case "notice" if item.get("code") == _UPGRADE:
            return [StreamEnd(venue=venue, reason=str(item.get("msg") or "the venue closes for an upgrade"))]
        case _:
            return []


def _push(item: dict[str, Any], contracts: Contracts) -> list[Event]:
    arg = item["arg"]
    if not isinstance(arg, dict):
        raise DecodeError(contracts.venue, "arg", "expected an object")
    channel = arg.get("channel")
    known = _CHANNELS.get(channel) if isinstance(channel, str) else None
    if known is not None:
        shape, translate = known
        return translate(bodies.typed(item, shape, contracts.venue), contracts)
    if channel == "instruments":
        return [*instruments(bodies.rows(item, contracts.venue), contracts.venue)]
    return []


def _answer(item: dict[str, Any], contracts: Contracts) -> list[Event]:
    """A REST body: its rows by their shapes; what refuses it; an Ack where it took a request."""
    venue = contracts.venue
    data = item.get("data")
    listed = [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []
    if bodies.code_of(item, venue) != "0" or any("sCode" in row for row in listed):
        return bodies.outcome(item, venue)
    return [event for row in listed for event in _row(row, contracts)]


def _row(row: dict[str, Any], contracts: Contracts) -> list[Event]:
    """The events of an object whose endpoint is not known; ``[]`` where an OMS needs nothing of it."""
    venue = contracts.venue
    found: Event | None = None
    if "sCode" in row:
        return bodies.outcome({"code": "0" if row["sCode"] == "0" else "1", "data": [row]}, venue)
    if "details" in row and "totalEq" in row:
        return [*bodies.balances(row, contracts)]
    if "cashBal" in row and "ccy" in row:
        return [bodies.balance_of(bodies.typed(row, wire.Balance, venue), contracts)]
    if "tickSz" in row and "instType" in row:
        found = instrument(row, venue)
    elif "accFillSz" in row and "ordId" in row:
        found = bodies.order(row, contracts)
    elif "fillPx" in row and "tradeId" in row and "ordId" in row:
        found = bodies.fill(row, contracts)
    elif "posSide" in row and "pos" in row and "posData" not in row:
        found = bodies.position(row, contracts)
    elif "bidPx" in row and "askPx" in row:
        found = bodies.quote(row, contracts)
    elif "markPx" in row and "instType" in row:
        found = bodies.mark_of(bodies.typed(row, wire.Mark, venue), contracts)
    elif "tradeId" in row and "px" in row and "side" in row:
        found = bodies.trade_of(bodies.typed(row, wire.Trade, venue), contracts)
    elif "triggerTime" in row and "algoId" not in row:
        found = Ack(venue=venue)
    return [] if found is None else [found]


# ------------------------------------------------------------------ pushes


def _orders(push: wire.OrdersPush, contracts: Contracts) -> list[Event]:
    return [event for each in push.data for event in _order_news(each, contracts)]


def _order_news(raw: wire.Order, contracts: Contracts) -> list[Event]:
    """The order as it stands, the execution that this push tells of, and how an amend of ours ended."""
    venue = contracts.venue
    update = bodies.order_of(raw, contracts)
    if update is None:
        return []
    events: list[Event] = [update]
    last = units.number_or_none(raw.fill_sz, venue, "fillSz")
    if last and raw.trade_id:
        events.append(_fill(raw, contracts, forced=update.forced))
    if raw.amend_result == "0" and raw.req_id:
        events.append(Ack(venue=venue, request_id=raw.req_id))
    elif raw.amend_result in {"-1", "1"}:
        code = raw.code or ""
        events.append(
            Reject(
                venue=venue,
                code=code,
                text=raw.msg or "the order could not be amended",
                reason=refusals.reason_of(code, raw.msg or ""),
                definite=code not in refusals.INDEFINITE,  # the push itself says that the amend failed
                request_id=raw.req_id or None,
            )
        )
    return events


def _fill(raw: wire.Order, contracts: Contracts, *, forced: bool) -> FillEvent:
    venue = contracts.venue
    factor = units.factor_of(contracts, raw.inst_id) or units.ONE
    fee = units.number_or_none(raw.fill_fee, venue, "fillFee")
    return FillEvent(
        venue=venue,
        ticker=raw.inst_id,
        oid=raw.ord_id,
        trade_id=raw.trade_id or "",
        amount=units.size(raw.fill_sz or "", units.sign_of(raw.side, venue, "side"), factor, venue, "fillSz"),
        price=units.number(raw.fill_px or "", venue, "fillPx"),
        cloid=raw.cl_ord_id or None,
        # ``fee`` is the order's so far; ``fillFee`` is this execution's, with a minus for what the venue takes.
        fee=None if fee is None else ZERO - fee,
        fee_asset=(raw.fill_fee_ccy or "") if fee is not None else "",
        is_maker=terms.is_maker(raw.exec_type),
        forced=forced,
        ts_venue_ns=units.nanoseconds(raw.fill_time or raw.u_time, venue, "fillTime"),
    )


def _positions(push: wire.PositionsPush, contracts: Contracts) -> list[Event]:
    return [found for each in push.data if (found := bodies.position_of(each, contracts)) is not None]


def _account(push: wire.AccountPush, contracts: Contracts) -> list[Event]:
    return [bodies.balance_of(each, contracts) for account in push.data for each in account.details]


def _balance_and_position(push: wire.BalanceAndPositionPush, contracts: Contracts) -> list[Event]:
    events: list[Event] = []
    for both in push.data:
        events += [bodies.balance_of(each, contracts) for each in both.bal_data]
        events += [found for each in both.pos_data if (found := bodies.position_of(each, contracts)) is not None]
    return events


def _named(push: wire.BookPush, contracts: Contracts) -> str:
    """The contract of a book: its rows do not say it."""
    if not push.arg.inst_id:
        raise DecodeError(contracts.venue, "arg.instId", "missing")
    return push.arg.inst_id


def _books(push: wire.BookPush, contracts: Contracts) -> list[Event]:
    ticker = _named(push, contracts)
    snapshot = push.action != "update"
    found = (bodies.book_of(each, ticker, contracts, snapshot=snapshot) for each in push.data)
    return [each for each in found if each is not None]


def _best(push: wire.BookPush, contracts: Contracts) -> list[Event]:
    """The best bid and ask, of the channel that tells nothing else (``bbo-tbt``)."""
    venue, ticker = contracts.venue, _named(push, contracts)
    factor = units.factor_of(contracts, ticker)
    if factor is None:
        return []

    def best(side: tuple[wire.RawLevel, ...], field: str) -> Level | None:
        return next((level for level in units.levels(side[:1], factor, venue, field) if level.quantity), None)

    return [
        QuoteUpdate(
            venue=venue,
            ticker=ticker,
            bid=best(each.bids, "bids"),
            ask=best(each.asks, "asks"),
            seq=each.seq_id,
            ts_venue_ns=units.nanoseconds(each.ts, venue, "ts"),
        )
        for each in push.data
    ]


def _trades(push: wire.TradesPush, contracts: Contracts) -> list[Event]:
    return [found for each in push.data if (found := bodies.trade_of(each, contracts)) is not None]


def _tickers(push: wire.TickersPush, contracts: Contracts) -> list[Event]:
    return [found for each in push.data if (found := bodies.quote_of(each, contracts)) is not None]


def _marks(push: wire.MarkPush, contracts: Contracts) -> list[Event]:
    return [bodies.mark_of(each, contracts) for each in push.data]


_CHANNELS: dict[str, tuple[type[Any], Translate[Any]]] = {
    "orders": (wire.OrdersPush, _orders),
    "positions": (wire.PositionsPush, _positions),
    "account": (wire.AccountPush, _account),
    "balance_and_position": (wire.BalanceAndPositionPush, _balance_and_position),
    "books": (wire.BookPush, _books),
    "books5": (wire.BookPush, _books),
    "books-l2-tbt": (wire.BookPush, _books),
    "books50-l2-tbt": (wire.BookPush, _books),
    "bbo-tbt": (wire.BookPush, _best),
    "trades": (wire.TradesPush, _trades),
    "tickers": (wire.TickersPush, _tickers),
    "mark-price": (wire.MarkPush, _marks),
}
_CHANNELS_BY_BYTES: dict[bytes, tuple["msgspec.json.Decoder[Any]", Translate[Any]]] = {
    name.encode(): (msgspec.json.Decoder(shape, strict=False), translate)
    for name, (shape, translate) in _CHANNELS.items()
}
