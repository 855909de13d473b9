"""REST answers, and their results alone, into standard events: by the endpoint asked, or by shape. Pure.

Every answer is an envelope ``{"retCode", "retMsg", "result", "retExtInfo", "time"}`` and comes with HTTP 200 whatever
the code is. Each function raises DecodeError naming the first field that is missing or wrong.
"""

import re
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from gateways.bybit import refusals, rows, tickers, units, wire
from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.standards import (
    Ack,
    BalanceUpdate,
    BookUpdate,
    Contract,
    Event,
    FillEvent,
    OrderUpdate,
    PositionUpdate,
    QuoteUpdate,
    Reject,
    RejectReason,
)

Body = bytes | str | dict[str, Any] | list[Any]

T = TypeVar("T")

_AT = re.compile(r"at `(?:key in )?\$([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]+)`")
_PARSER = msgspec.json.Decoder(float_hook=Decimal)


def parse(raw: Body | msgspec.Raw, venue: str) -> Any:
    """The JSON value of ``raw``, its fractions as Decimal; what is parsed already passes through."""
    if not isinstance(raw, bytes | str | msgspec.Raw):
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
    except (msgspec.ValidationError, ArithmeticError) as error:
        raise malformed(error, venue) from error


def malformed(error: Exception, venue: str, under: str = "") -> DecodeError:
    """The DecodeError of a msgspec complaint, with the path of the field that it names, below ``under``."""
    text = str(error)
    at, missing = _AT.search(text), _MISSING.search(text)
    path = at.group(1).lstrip(".") if at else ""
    if missing:
        path = f"{path}.{missing.group(1)}" if path else missing.group(1)
    joined = f"{under}.{path}" if under and path and not path.startswith("[") else f"{under}{path}"
    return DecodeError(venue, joined or "message", text)


# ------------------------------------------------------------------ envelopes


def refusal(body: Body, venue: str, *, status: int = 200) -> Reject | None:
    """What an answer refuses, None for a success. ``status``: of HTTP."""
    said = typed(parse(body, venue), wire.Verdict, venue)
    if said.ret_code == 0 and status == 200:
        return None
    return reject_of(said.ret_code, said.ret_msg or "", venue, status=status)


def reject_of(
    code: int, text: str, venue: str, *, status: int = 200, request_id: str | None = None, wait_s: float | None = None
) -> Reject:
    """The refusal that a return code is."""
    return Reject(
        venue=venue,
        code=str(code),
        text=text,
        reason=refusals.reason_of(code, text),
        definite=refusals.is_definite(code, status),
        request_id=request_id,
        retry_after_s=wait_s,
    )


def result(body: Body, venue: str) -> dict[str, Any]:
    """The result of an answer that succeeded."""
    raw = parse(body, venue)
    found = raw.get("result") if isinstance(raw, dict) else None
    if not isinstance(found, dict):
        raise DecodeError(venue, "result", "expected an object")
    return found


def listed(body: Body, venue: str) -> tuple[list[Any], str]:
    """The rows of one page and the cursor of the next, empty for none."""
    found = result(body, venue)
    items = found.get("list")
    if not isinstance(items, list):
        raise DecodeError(venue, "result.list", "expected a list")
    cursor = found.get("nextPageCursor") or ""
    if not isinstance(cursor, str):
        raise DecodeError(venue, "result.nextPageCursor", "expected text")
    return [_in_category(item, found) for item in items], cursor


def _in_category(item: Any, result: dict[str, Any]) -> Any:
    """A row, with the category that the result says of all its rows."""
    category = result.get("category")
    if isinstance(item, dict) and isinstance(category, str) and "category" not in item:
        return {**item, "category": category}
    return item


# ------------------------------------------------------------------ by endpoint


def accepted(raw: Any, venue: str, *, ticker: str, cloid: str | None, label: str) -> OrderUpdate:
    """What an acknowledgement says of an order: its ids.

    It means that the request was accepted for processing, no more: the order's state comes by the ``order`` stream
    ("Place Order"), so that none is told here. ``ticker`` and ``cloid`` are the request's, which the venue does not
    always repeat.
    """
    said = typed(raw, wire.Accepted, venue)
    if not said.order_id:
        raise DecodeError(venue, "orderId", "missing")
    return OrderUpdate(venue=venue, ticker=ticker, oid=said.order_id, cloid=said.order_link_id or cloid, label=label)


def orders(items: list[Any], contracts: Contracts) -> list[OrderUpdate]:
    """The orders of a page."""
    found = (rows.order(typed(item, wire.OrderRow, contracts.venue), contracts) for item in items)
    return [each for each in found if each is not None]


def fills(items: list[Any], contracts: Contracts) -> list[FillEvent]:
    """The fills of a page of executions, each marked ``snapshot``."""
    found = (rows.fill(typed(item, wire.ExecutionRow, contracts.venue), contracts, snapshot=True) for item in items)
    return [each for each in found if each is not None]


def positions(items: list[Any], contracts: Contracts) -> list[PositionUpdate]:
    """The positions of a page."""
    found = (rows.position(typed(item, wire.PositionRow, contracts.venue), contracts) for item in items)
    return [each for each in found if each is not None]


def balances(items: list[Any], contracts: Contracts) -> list[BalanceUpdate]:
    """The assets of every account in a wallet answer."""
    accounts = (typed(item, wire.Account, contracts.venue) for item in items)
    return [each for account in accounts for each in rows.balances(account, contracts, 0)]


def instruments(items: list[Any], venue: str) -> list[Contract]:
    """The linear perpetuals of a page of instruments."""
    found = (_instrument(item, venue) for item in items)
    return [each for each in found if each is not None]


def _instrument(item: Any, venue: str) -> Contract | None:
    # Other products, which lack fields that every linear contract has, are passed over by their kind.
    if isinstance(item, dict) and item.get("contractType") != "LinearPerpetual":
        return None
    return rows.contract(typed(item, wire.Instrument, venue), venue)


def book(body: Body, contracts: Contracts) -> BookUpdate:
    """A book snapshot."""
    row = typed(result(body, contracts.venue), wire.Book, contracts.venue)
    return rows.book(row, contracts, snapshot=True, ts_ms=row.ts)


def quote(body: Body, contracts: Contracts) -> QuoteUpdate | None:
    """The best bid and ask of the one ticker asked for."""
    items, _ = listed(body, contracts.venue)
    for item in items:
        for event in tickers.events(typed(item, wire.Ticker, contracts.venue), contracts, 0):
            if isinstance(event, QuoteUpdate):
                return event
    return None


def server_time_ms(body: Body, venue: str) -> int:
    """The venue's clock."""
    nanos = units.whole(result(body, venue).get("timeNano"))
    if nanos is None:
        raise DecodeError(venue, "result.timeNano", "not a time in ns")
    return nanos // units.MS


# ------------------------------------------------------------------ by shape


def items_of_batch(data: Any, ext: Any, venue: str, request_id: str | None) -> list[Event]:
    """How each item of a batch ended: ``retExtInfo.list`` says it in the order of the items; the outer code is 0."""
    said = ext.get("list") if isinstance(ext, dict) else None
    if not isinstance(said, list):
        raise DecodeError(venue, "retExtInfo.list", "expected a list")
    named = data.get("list") if isinstance(data, dict) else None
    events: list[Event] = []
    for number, item in enumerate(said):
        ended = typed(item, wire.ItemResult, venue)
        if ended.code == 0:
            events.append(Ack(venue=venue, request_id=request_id))
            continue
        row = named[number] if isinstance(named, list) and number < len(named) else None
        cloid = row.get("orderLinkId") if isinstance(row, dict) else None
        reject = reject_of(ended.code, ended.msg, venue, request_id=request_id)
        events.append(msgspec.structs.replace(reject, cloid=cloid if isinstance(cloid, str) and cloid else None))
    return events


def by_shape(raw: Any, contracts: Contracts) -> list[Event]:
    """The events of an answer whose endpoint is not known; ``[]`` where an OMS needs nothing of it."""
    if not isinstance(raw, dict):
        return []
    if "retCode" in raw:
        venue = contracts.venue
        refused = refusal(raw, venue)
        if refused is not None:
            return [refused]
        ext = raw.get("retExtInfo")
        if isinstance(ext, dict) and ext.get("list"):
            return items_of_batch(raw.get("result"), ext, venue, None)
        found = raw.get("result")
        return _result(found, contracts) if isinstance(found, dict) else []
    return _result(raw, contracts)


def _result(raw: dict[str, Any], contracts: Contracts) -> list[Event]:
    if not isinstance(items := raw.get("list"), list):
        return one(raw, contracts)
    if items and all(isinstance(item, dict) and set(item) <= {"orderId", "orderLinkId"} for item in items):
        return [Ack(venue=contracts.venue)]
    return [event for item in items if isinstance(item, dict) for event in one(_in_category(item, raw), contracts)]


def one(raw: dict[str, Any], contracts: Contracts) -> list[Event]:
    """The events of one object."""
    venue = contracts.venue
    category = raw.get("category", "")
    if not isinstance(category, str) or not rows.is_linear(category):
        return []
    event: Event | None = None
    if "orderStatus" in raw:
        event = rows.order(typed(raw, wire.OrderRow, venue), contracts)
    elif "execId" in raw and "orderId" in raw:
        event = rows.fill(typed(raw, wire.ExecutionRow, venue), contracts, snapshot=True)
    elif "positionIdx" in raw and "size" in raw:
        event = rows.position(typed(raw, wire.PositionRow, venue), contracts)
    elif "contractType" in raw and "lotSizeFilter" in raw:
        event = _instrument(raw, venue)
    elif "coin" in raw and "accountType" in raw:
        return list(balances([raw], contracts))
    elif {"s", "b", "a", "u"} <= raw.keys():
        row = typed(raw, wire.Book, venue)
        event = rows.book(row, contracts, snapshot=True, ts_ms=row.ts)
    elif "bid1Price" in raw and "markPrice" in raw:
        return tickers.events(typed(raw, wire.Ticker, venue), contracts, 0)
    elif "orderId" in raw and raw.keys() <= {"orderId", "orderLinkId"}:
        event = Ack(venue=venue)
    return [] if event is None else [event]


def login_reject(text: str, venue: str, op: str, request_id: str) -> Reject:
    """A refusal on a stream, which has no code: of a login, or of a subscription."""
    reason = RejectReason.CREDENTIALS if op == "auth" else RejectReason.BAD_REQUEST
    return Reject(venue=venue, code="", text=text or f"{op} refused", reason=reason, request_id=request_id)
