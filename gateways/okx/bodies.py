"""REST bodies, and what replies over the websocket hold, into standard events: one function for each shape. Pure.

A body is ``{"code", "msg", "data": [...]}``; each function takes one row of ``data``, or its bytes, and raises
DecodeError naming the first field that is wrong. Those that give None for a row mean a contract whose size cannot be
told in base units (``units.factor_of``).
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.okx import refusals, terms, units, wire
from gateways.standards import (
    ZERO,
    Ack,
    BalanceUpdate,
    BookUpdate,
    Event,
    FillEvent,
    Level,
    MarkUpdate,
    OrderUpdate,
    PositionUpdate,
    QuoteUpdate,
    Reject,
    TradeEvent,
)

Body = bytes | str | dict[str, Any] | list[Any]

T = TypeVar("T")

_AT = re.compile(r"at `(?:key in )?\$([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]+)`")
_PARSER = msgspec.json.Decoder(float_hook=Decimal)
_SIDES = {"net": 1, "long": 1, "short": -1, "": 1}


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
    if isinstance(value, bytes | str):
        value = parse(value, venue)
    try:
        return msgspec.convert(value, shape, strict=False)
    except msgspec.ValidationError as error:
        text = str(error)
        at, missing = _AT.search(text), _MISSING.search(text)
        path = at.group(1).lstrip(".") if at else ""
        if missing:
            path = f"{path}.{missing.group(1)}" if path else missing.group(1)
        raise DecodeError(venue, path or "message", text) from error


# ------------------------------------------------------------------ the envelope


def rows(body: Body, venue: str) -> list[Any]:
    """The ``data`` of an answer. Raises DecodeError where there is none."""
    raw = parse(body, venue)
    if isinstance(raw, dict) and isinstance(data := raw.get("data"), list):
        return data
    raise DecodeError(venue, "data", "expected a list")


def every(data: list[Any], contracts: Contracts, one: Callable[[Any, Contracts], T | None]) -> list[T]:
    """Each row, read by ``one``, without those of contracts that are not ours: ``every(rows, contracts, order)``."""
    return [found for row in data if (found := one(row, contracts)) is not None]


def outcome(body: Body, venue: str, *, status: int = 200, request_id: str | None = None) -> list[Event]:
    """What became of a request: an Ack if any of it was taken, a Reject for each item that was refused.

    ``status``: of HTTP. The outer ``code`` says "1" when all items failed and "2" when some did, each item's ``sCode``
    why; without items the outer code is the reason itself.
    """
    raw = parse(body, venue)
    code = code_of(raw, venue)
    data = raw.get("data")
    receipts = [
        typed(row, wire.Receipt, venue)
        for row in (data if isinstance(data, list) else [])
        if isinstance(row, dict) and ("sCode" in row or (code != "0" and "sMsg" in row))
    ]
    events: list[Event] = []
    for each in receipts:
        said = each.s_code or code
        if said != "0":
            text = each.s_msg or _text(raw)
            events.append(_reject(venue, said, text, status=status, request_id=request_id, cloid=each.cl_ord_id))
    if code == "0" or any(each.s_code == "0" for each in receipts):
        return [Ack(venue=venue, request_id=request_id), *events]
    return events or [_reject(venue, code, _text(raw), status=status, request_id=request_id)]


def code_of(raw: Any, venue: str) -> str:
    """The outer code of an answer. Raises DecodeError where there is none."""
    code = raw.get("code") if isinstance(raw, dict) else None
    if isinstance(code, str) and code.isascii() and code.isdecimal():
        return code
    if isinstance(code, int) and not isinstance(code, bool):
        return str(code)
    raise DecodeError(venue, "code", "not a number")


def receipt(row: Any, venue: str) -> wire.Receipt:
    """What the venue says to one order request."""
    return typed(row, wire.Receipt, venue)


def _text(raw: dict[str, Any]) -> str:
    text = raw.get("msg")
    return text if isinstance(text, str) else ""


def _reject(
    venue: str, code: str, text: str, *, status: int, request_id: str | None, cloid: str | None = None
) -> Reject:
    return Reject(
        venue=venue,
        code=code,
        text=text,
        reason=refusals.reason_of(code, text),
        definite=refusals.is_definite(code, status),
        request_id=request_id,
        cloid=cloid or None,
    )


# ------------------------------------------------------------------ one of each


def order(body: Body, contracts: Contracts) -> OrderUpdate | None:
    """One order, as queried."""
    return order_of(typed(body, wire.Order, contracts.venue), contracts)


def order_of(raw: wire.Order, contracts: Contracts) -> OrderUpdate | None:
    """An order in our units, whichever channel told it."""
    venue = contracts.venue
    factor = units.factor_of(contracts, raw.inst_id)
    if factor is None:
        return None
    sign = units.sign_of(raw.side, venue, "side")
    return OrderUpdate(
        venue=venue,
        ticker=raw.inst_id,
        oid=raw.ord_id,
        cloid=raw.cl_ord_id or None,
        status=terms.STATES.get(raw.state),
        amount=units.size(raw.sz, sign, factor, venue, "sz"),
        price=units.price_or_none(raw.px, venue, "px"),
        filled=units.size(raw.acc_fill_sz, sign, factor, venue, "accFillSz") if raw.acc_fill_sz else None,
        average_price=units.price_or_none(raw.avg_px, venue, "avgPx"),
        kind=terms.kind_of(raw.ord_type),
        tif=terms.tif_of(raw.ord_type),
        post_only=terms.is_post_only(raw.ord_type),
        reduce_only=terms.flag(raw.reduce_only),
        forced=terms.is_venue_made(raw.category),
        label="AMENDMENT" if raw.amend_result == "0" else raw.state,
        reason=terms.reason_of_end(raw.state, raw.cancel_source),
        ts_venue_ns=units.nanoseconds(raw.u_time or raw.c_time, venue, "uTime"),
    )


def fill(body: Body, contracts: Contracts) -> FillEvent | None:
    """One of our executions, of the account's list; None too for one of nothing."""
    venue = contracts.venue
    raw = typed(body, wire.Fill, venue)
    factor = units.factor_of(contracts, raw.inst_id)
    if factor is None or not units.number(raw.fill_sz, venue, "fillSz"):
        return None
    fee = units.number_or_none(raw.fee, venue, "fee")
    return FillEvent(
        venue=venue,
        ticker=raw.inst_id,
        oid=raw.ord_id,
        trade_id=raw.trade_id,
        amount=units.size(raw.fill_sz, units.sign_of(raw.side, venue, "side"), factor, venue, "fillSz"),
        price=units.number(raw.fill_px, venue, "fillPx"),
        cloid=raw.cl_ord_id or None,
        # The venue writes what it takes with a minus.
        fee=None if fee is None else ZERO - fee,
        fee_asset=raw.fee_ccy or "",
        is_maker=terms.is_maker(raw.exec_type),
        forced=terms.is_venue_made_bill(raw.sub_type),
        snapshot=True,
        ts_venue_ns=units.nanoseconds(raw.fill_time or raw.ts, venue, "fillTime"),
    )


def position(body: Body, contracts: Contracts) -> PositionUpdate | None:
    """One position; ``long`` or ``short`` of an account in long/short mode."""
    return position_of(typed(body, wire.Position, contracts.venue), contracts)


def position_of(raw: wire.Position, contracts: Contracts) -> PositionUpdate | None:
    """A position in our units, whichever channel told it. A short of long/short mode comes without a sign.

    What is held with margin of its own is a position beside the one in cross margin, not news of it.
    """
    venue = contracts.venue
    factor = units.factor_of(contracts, raw.inst_id)
    if factor is None:
        return None
    sign = _SIDES.get(raw.pos_side)
    if sign is None:
        raise DecodeError(venue, "posSide", f"{raw.pos_side!r} is not a position side")
    amount = units.number(raw.pos or "0", venue, "pos") * factor
    side = raw.pos_side or "net"
    return PositionUpdate(
        venue=venue,
        ticker=raw.inst_id,
        amount=-abs(amount) if sign < 0 and amount else amount,
        entry_price=units.price_or_none(raw.avg_px, venue, "avgPx"),
        unrealised=units.number_or_none(raw.upl, venue, "upl"),
        side="isolated" if side == "net" and raw.mgn_mode == "isolated" else side,
        ts_venue_ns=units.nanoseconds(raw.u_time, venue, "uTime"),
    )


def balances(body: Body, contracts: Contracts) -> list[BalanceUpdate]:
    """The money of the trading account, by currency."""
    return [balance_of(each, contracts) for each in typed(body, wire.Account, contracts.venue).details]


def balance_of(raw: wire.Balance, contracts: Contracts) -> BalanceUpdate:
    """One currency's money."""
    venue = contracts.venue
    return BalanceUpdate(
        venue=venue,
        asset=raw.ccy,
        total=units.number(raw.cash_bal, venue, "cashBal"),
        available=units.number_or_none(raw.avail_eq or raw.avail_bal, venue, "availEq"),
        ts_venue_ns=units.nanoseconds(raw.u_time, venue, "uTime"),
    )


def book(body: Body, ticker: str, contracts: Contracts) -> BookUpdate:
    """A book snapshot. ``ticker`` is the caller's, who asked: the answer does not say it."""
    found = book_of(typed(body, wire.Book, contracts.venue), ticker, contracts, snapshot=True)
    if found is None:
        raise DecodeError(contracts.venue, "instId", f"{ticker!r} is not a linear swap")
    return found


def book_of(raw: wire.Book, ticker: str, contracts: Contracts, *, snapshot: bool) -> BookUpdate | None:
    """A book, or the changes of one, in our units. A snapshot follows nothing (the venue writes -1)."""
    venue = contracts.venue
    factor = units.factor_of(contracts, ticker)
    if factor is None:
        return None
    return BookUpdate(
        venue=venue,
        ticker=ticker,
        bids=units.levels(raw.bids, factor, venue, "bids"),
        asks=units.levels(raw.asks, factor, venue, "asks"),
        snapshot=snapshot,
        last_seq=raw.seq_id,
        prev_seq=None if snapshot else raw.prev_seq_id,
        ts_venue_ns=units.nanoseconds(raw.ts, venue, "ts"),
    )


def quote(body: Body, contracts: Contracts) -> QuoteUpdate | None:
    """Best bid and ask of one contract."""
    return quote_of(typed(body, wire.Ticker, contracts.venue), contracts)


def quote_of(raw: wire.Ticker, contracts: Contracts) -> QuoteUpdate | None:
    """Best bid and ask in our units; an empty side is None."""
    venue = contracts.venue
    factor = units.factor_of(contracts, raw.inst_id)
    if factor is None:
        return None

    def side(price: str, quantity: str, field: str) -> Level | None:
        if not price or not quantity or not (level := units.number(price, venue, field)):
            return None
        return Level(level, units.size(quantity, 1, factor, venue, field))

    return QuoteUpdate(
        venue=venue,
        ticker=raw.inst_id,
        bid=side(raw.bid_px, raw.bid_sz, "bidPx"),
        ask=side(raw.ask_px, raw.ask_sz, "askPx"),
        ts_venue_ns=units.nanoseconds(raw.ts, venue, "ts"),
    )


def trade_of(raw: wire.Trade, contracts: Contracts) -> TradeEvent | None:
    """A public trade in our units."""
    venue = contracts.venue
    factor = units.factor_of(contracts, raw.inst_id)
    if factor is None:
        return None
    return TradeEvent(
        venue=venue,
        ticker=raw.inst_id,
        trade_id=raw.trade_id,
        amount=units.size(raw.sz, units.sign_of(raw.side, venue, "side"), factor, venue, "sz"),
        price=units.number(raw.px, venue, "px"),
        ts_venue_ns=units.nanoseconds(raw.ts, venue, "ts"),
    )


def mark_of(raw: wire.Mark, contracts: Contracts) -> MarkUpdate:
    """The mark price of one contract."""
    venue = contracts.venue
    return MarkUpdate(
        venue=venue,
        ticker=raw.inst_id,
        mark=units.number(raw.mark_px, venue, "markPx"),
        ts_venue_ns=units.nanoseconds(raw.ts, venue, "ts"),
    )
