"""One wire message of Bybit v5 into standard events. Pure: no I/O, no clock, no state.

Pushes of the streams, replies on them, replies of the order entry socket and answers of REST are all taken; a type that
an OMS does not need gives ``[]``; a message without its documented form raises DecodeError naming the field. The
envelope is read first and its ``data`` then straight into the struct of its topic.
"""

from typing import Any, TypeVar

import msgspec

from gateways.bybit import bodies, rows, tickers, units, wire
from gateways.bybit.bodies import Body
from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.standards import Ack, Event

IGNORED = frozenset(
    {
        "adlAlert",
        "allLiquidation",  # other people's liquidations; their trades are in publicTrade
        "dcp",
        "greeks",
        "insurance",
        "kline",
        "kline_lt",
        "liquidation",
        "lt",
        "priceLimit",
        "tickers_lt",
    }
)
"""Documented topics that an OMS does not need. Any other topic without events is new to us and worth counting."""

T = TypeVar("T")

_MESSAGE = msgspec.json.Decoder(wire.Message, strict=False)
_ORDERS = msgspec.json.Decoder(list[wire.OrderRow], strict=False)
_EXECUTIONS = msgspec.json.Decoder(list[wire.ExecutionRow], strict=False)
_POSITIONS = msgspec.json.Decoder(list[wire.PositionRow], strict=False)
_WALLETS = msgspec.json.Decoder(list[wire.Account], strict=False)
_TRADES = msgspec.json.Decoder(list[wire.PublicTrade], strict=False)
_BOOK = msgspec.json.Decoder(wire.Book, strict=False)
_TICKER = msgspec.json.Decoder(wire.Ticker, strict=False)


def decode(raw: Body, contracts: Contracts) -> list[Event]:
    """The events of one message, bytes or parsed; ``[]`` for what an OMS does not need. Raises DecodeError."""
    data = _bytes(raw, contracts.venue)
    if data.lstrip()[:1] != b"{":
        parsed = bodies.parse(data, contracts.venue)
        items = parsed if isinstance(parsed, list) else []
        return [event for item in items if isinstance(item, dict) for event in bodies.one(item, contracts)]
    message = _typed(data, _MESSAGE, contracts.venue)
    if message.topic:
        return _push(message, contracts)
    if message.op or message.success is not None:
        return _reply(message, contracts)
    return bodies.by_shape(bodies.parse(data, contracts.venue), contracts)


def topic_of(raw: bytes) -> str:
    """The topic of a push, for counting those that gave no events: ``order``; empty for a reply."""
    try:
        return _root(_MESSAGE.decode(raw).topic)
    except (msgspec.DecodeError, UnicodeError, RecursionError, ArithmeticError):
        return "not a message"


def read_ticker(raw: bytes, venue: str) -> tuple[wire.Ticker, int] | None:
    """The ticker of a message with the venue's time in ms, None for a message of another topic."""
    message = _typed(raw, _MESSAGE, venue)
    if _root(message.topic) != "tickers":
        return None
    return _typed(message.data, _TICKER, venue, "data"), message.ts


def acknowledged(raw: bytes, venue: str) -> Any:
    """The ``data`` of an order entry reply: what was accepted."""
    return bodies.parse(_typed(raw, _MESSAGE, venue).data or b"null", venue)


def header_of(raw: bytes, venue: str) -> dict[str, Any]:
    """The ``header`` of an order entry reply, empty for none: the account's rate limit and what is left of it."""
    said = bodies.parse(_typed(raw, _MESSAGE, venue).header or b"null", venue)
    return said if isinstance(said, dict) else {}


def _bytes(raw: Body, venue: str) -> bytes:
    if isinstance(raw, bytes):
        return raw
    if isinstance(raw, str):
        return raw.encode("utf-8", "surrogatepass")
    try:
        return msgspec.json.encode(raw)
    except (TypeError, ValueError, RecursionError) as error:
        raise DecodeError(venue, "json", str(error)) from error


def _typed(data: bytes | msgspec.Raw, decoder: "msgspec.json.Decoder[T]", venue: str, under: str = "") -> T:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise bodies.malformed(error, venue, under) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError, ArithmeticError) as error:
        raise DecodeError(venue, under or "json", str(error)) from error


def _root(topic: str) -> str:
    return topic.partition(".")[0]


def _push(message: wire.Message, contracts: Contracts) -> list[Event]:
    venue, data = contracts.venue, message.data
    match _root(message.topic):
        case "order":
            found = [rows.order(row, contracts) for row in _typed(data, _ORDERS, venue, "data")]
            return [event for event in found if event is not None]
        case "execution":
            fills = [rows.fill(row, contracts, snapshot=False) for row in _typed(data, _EXECUTIONS, venue, "data")]
            return [event for event in fills if event is not None]
        case "position":
            held = [rows.position(row, contracts) for row in _typed(data, _POSITIONS, venue, "data")]
            return [event for event in held if event is not None]
        case "wallet":
            accounts = _typed(data, _WALLETS, venue, "data")
            return [each for one in accounts for each in rows.balances(one, contracts, message.creation_time)]
        case "orderbook" if not message.topic.startswith("orderbook.rpi"):
            book = _typed(data, _BOOK, venue, "data")
            return [rows.book(book, contracts, snapshot=message.type == "snapshot", ts_ms=message.ts)]
        case "publicTrade":
            return [rows.trade(row, contracts) for row in _typed(data, _TRADES, venue, "data")]
        case "tickers":
            return tickers.events(_typed(data, _TICKER, venue, "data"), contracts, message.ts)
        case _:
            return []


def _reply(message: wire.Message, contracts: Contracts) -> list[Event]:
    """A reply on a stream (``success``) or on the order entry socket (``retCode``); heartbeats say nothing.

    Its request id is the one that was sent, or the operation's name where none comes back.
    """
    venue = contracts.venue
    request_id = message.req_id or message.plain_req_id or message.op
    if message.op in {"ping", "pong"}:
        return []
    if message.ret_code is not None and not (message.ret_code == 0 and message.success is False):
        if message.ret_code != 0:
            wait_s = _wait_s(message.header, venue)
            text = message.ret_msg or ""
            return [bodies.reject_of(message.ret_code, text, venue, request_id=request_id, wait_s=wait_s)]
        if message.op.endswith("-batch"):
            data, ext = (bodies.parse(each or b"null", venue) for each in (message.data, message.ret_ext_info))
            return bodies.items_of_batch(data, ext, venue, request_id)
        return [Ack(venue=venue, request_id=request_id)]
    if message.success is None:
        return []  # a request, not a reply
    failed = _failed_topics(message.data, venue)
    if message.success and not failed:
        return [Ack(venue=venue, request_id=request_id)]
    text = message.plain_ret_msg or message.ret_msg or ""
    return [bodies.login_reject(f"no topic {', '.join(failed)}" if failed else text, venue, message.op, request_id)]


def _failed_topics(data: msgspec.Raw, venue: str) -> list[str]:
    said = bodies.parse(data or b"null", venue)
    failed = said.get("failTopics") if isinstance(said, dict) else None
    return [str(topic) for topic in failed] if isinstance(failed, list) else []


def _wait_s(header: msgspec.Raw, venue: str) -> float | None:
    """Seconds until the limit is free again, of a reply's header: its reset time less the venue's present time."""
    said = bodies.parse(header or b"null", venue)
    if not isinstance(said, dict):
        return None
    now, until = (units.whole(said.get(name)) for name in ("Timenow", "X-Bapi-Limit-Reset-Timestamp"))
    return None if now is None or until is None else max(0, until - now) / 1_000
