"""Every function that reads a venue's bytes, by kind of venue, and what holds of whatever it reads."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from gateways.binance import batches as binance_batches
from gateways.binance import bodies as binance_bodies
from gateways.binance import decode as binance
from gateways.binance import limits as binance_limits
from gateways.bybit import bodies as bybit_bodies
from gateways.bybit import decode as bybit
from gateways.bybit import limits as bybit_limits
from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.hyperliquid import answers as hyperliquid_answers
from gateways.hyperliquid import bodies as hyperliquid_bodies
from gateways.hyperliquid import decode as hyperliquid
from gateways.hyperliquid.wire import read
from gateways.okx import batches as okx_batches
from gateways.okx import bodies as okx_bodies
from gateways.okx import decode as okx
from gateways.okx.instruments import instruments as okx_instruments
from gateways.standards import CancelOrder, Contract, Event, FillEvent, OrderUpdate
from tests.fuzz.damage import places
from tests.fuzz.seeds import seeds

Reader = Callable[[bytes], Any]

WIDEST = 60
"""Digits before or after its point that a number may have: what has more overflows in the arithmetic of others."""

EVENTS = tuple(Event.__args__)  # type: ignore[attr-defined]

_TICKER_KEYS = frozenset({"s", "symbol", "instId", "coin", "name"})


class BrokenPromiseError(AssertionError):
    """A reader raised, or returned, what it must not."""


@cache
def contracts(kind: str) -> Contracts:
    """Contracts of every ticker in the seeds, none of them in base units, so that every size is converted."""
    found = {
        _at(message, place)
        for message in seeds(kind)
        for place in places(message)
        if place and place[-1] in _TICKER_KEYS and isinstance(_at(message, place), str) and _at(message, place)
    }
    return Contracts(
        kind,
        [
            Contract(
                venue=kind,
                ticker=ticker,
                base=ticker,
                quote="USDT",
                tick_size=Decimal("0.01"),
                lot_size=Decimal("0.1"),
                min_quantity=Decimal("0.1"),
                min_notional=Decimal(5),
                multiplier=Decimal("0.1") if kind == "okx" else Decimal(1000),
                venue_id=str(number),
            )
            for number, ticker in enumerate(sorted(found))
        ],
    )


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        value = value[step]
    return value


def _parsed(raw: bytes) -> Any:
    """The value that the bytes are, as who parsed them already hands it on; DecodeError where they are none."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise DecodeError("fuzz", "json") from error


def _asked(rows: Any, key: str) -> list[CancelOrder]:
    """Cancels that an answer of these rows would line up with."""
    listed = rows if isinstance(rows, list) else [rows]
    return [CancelOrder(ticker="ETH", oid=str(row.get(key) if isinstance(row, dict) else row)) for row in listed]


def readers(kind: str) -> Mapping[str, Reader]:
    """The functions by name."""
    known, none = contracts(kind), Contracts(kind)
    return {"binance": _binance, "bybit": _bybit, "hyperliquid": _hyperliquid, "okx": _okx}[kind](kind, known, none)


def _binance(venue: str, known: Contracts, none: Contracts) -> Mapping[str, Reader]:
    bodies = binance_bodies
    return {
        "decode": lambda raw: binance.decode(raw, known),
        "decode without contracts": lambda raw: binance.decode(raw, none),
        "decode of values": lambda raw: binance.decode(bodies.parse(raw, venue), known),
        "kind": binance.kind_of,
        **{
            one.__name__: lambda raw, one=one: one(raw, known)
            for one in (bodies.order, bodies.fill, bodies.position, bodies.balance, bodies.quote, bodies.mark)
        },
        "orders": lambda raw: bodies.every(raw, known, bodies.order),
        "fills": lambda raw: bodies.every(raw, known, bodies.fill),
        "book": lambda raw: bodies.book(raw, "ETHUSDT", known),
        "error": lambda raw: bodies.error(raw, venue),
        "batch": lambda raw: binance_batches.outcomes(raw, _asked(_parsed(raw), "orderId"), known),
        "contracts": lambda raw: bodies.contracts_of(raw, venue),
        "rate limits": lambda raw: binance_limits.pools_of(bodies.rate_limits(raw, venue)),
        "listen key": lambda raw: bodies.text_field(raw, "listenKey", venue),
        "used": binance_limits.used_of_reply,
    }


def _bybit(venue: str, known: Contracts, none: Contracts) -> Mapping[str, Reader]:
    bodies = bybit_bodies

    def page(read_rows: Callable[[list[Any], Contracts], Any]) -> Reader:
        return lambda raw: read_rows(bodies.listed(raw, venue)[0], known)

    return {
        "decode": lambda raw: bybit.decode(raw, known),
        "decode without contracts": lambda raw: bybit.decode(raw, none),
        "decode of values": lambda raw: bybit.decode(_parsed(raw), known),
        "topic": bybit.topic_of,
        "ticker": lambda raw: bybit.read_ticker(raw, venue),
        "acknowledged": lambda raw: bodies.accepted(
            bybit.acknowledged(raw, venue), venue, ticker="ETHUSDT", cloid=None, label="taken"
        ),
        "limits": lambda raw: bybit_limits.stated(bybit_limits.CREATE, bybit.header_of(raw, venue)),
        "refusal": lambda raw: bodies.refusal(raw, venue),
        **{one.__name__: page(one) for one in (bodies.orders, bodies.fills, bodies.positions, bodies.balances)},
        "instruments": lambda raw: bodies.instruments(bodies.listed(raw, venue)[0], venue),
        "book": lambda raw: bodies.book(raw, known),
        "quote": lambda raw: bodies.quote(raw, known),
        "clock": lambda raw: bodies.server_time_ms(raw, venue),
    }


def _okx(venue: str, known: Contracts, none: Contracts) -> Mapping[str, Reader]:
    bodies = okx_bodies

    def rows(one: Callable[[Any, Contracts], Any]) -> Reader:
        return lambda raw: bodies.every(bodies.rows(raw, venue), known, one)

    return {
        "decode": lambda raw: okx.decode(raw, known),
        "decode without contracts": lambda raw: okx.decode(raw, none),
        "decode of values": lambda raw: okx.decode(_parsed(raw), known),
        "kind": okx.kind_of,
        "outcome": lambda raw: bodies.outcome(raw, venue),
        "batch": lambda raw: okx_batches.outcomes(raw, _asked(bodies.rows(raw, venue), "ordId"), venue),
        **{one.__name__: rows(one) for one in (bodies.order, bodies.fill, bodies.position, bodies.quote)},
        "balances": rows(bodies.balances),
        "instruments": lambda raw: okx_instruments(bodies.rows(raw, venue), venue),
        "book": lambda raw: [bodies.book(row, "ETH-USDT-SWAP", known) for row in bodies.rows(raw, venue)],
        "receipt": lambda raw: [bodies.receipt(row, venue) for row in bodies.rows(raw, venue)],
    }


def _hyperliquid(venue: str, known: Contracts, none: Contracts) -> Mapping[str, Reader]:
    bodies, answers = hyperliquid_bodies, hyperliquid_answers
    return {
        "decode": lambda raw: hyperliquid.decode(raw, known),
        "decode without contracts": lambda raw: hyperliquid.decode(raw, none),
        "decode of values": lambda raw: hyperliquid.decode(_parsed(raw), known),
        **{
            one.__name__: lambda raw, one=one: one(raw, venue)
            for one in (bodies.contracts, bodies.account, bodies.open_orders, bodies.order, bodies.fills, bodies.book)
        },
        "created": lambda raw: bodies.created_ns(raw, venue),
        "outcomes": lambda raw: answers.outcomes(read(object, raw, venue), venue),
        "acks": lambda raw: answers.acks(read(object, raw, venue), venue),
    }


# ------------------------------------------------------------------ what must hold


def examine(kind: str, raw: bytes) -> None:
    """Read the bytes with every reader. Raises BrokenPromiseError, naming the reader, where one breaks its word."""
    for name, reader in readers(kind).items():
        try:
            found = reader(raw)
        except DecodeError as error:
            if not error.field or (not error.venue and name not in {"kind", "topic"}):
                raise BrokenPromiseError(
                    f"{kind} {name}: a DecodeError without a field or venue for {raw!r}"
                ) from error
            continue
        except Exception as error:
            raise BrokenPromiseError(f"{kind} {name}: {type(error).__name__}: {error} for {raw!r}") from error
        for event in _events(found):
            wrong = _wrong(event, kind)
            if wrong:
                raise BrokenPromiseError(f"{kind} {name}: {wrong} in {event!r} of {raw!r}")


def _events(found: Any) -> Iterator[Any]:
    if isinstance(found, EVENTS):
        yield found
    elif isinstance(found, list | tuple):
        for each in found:
            yield from _events(each)


def _wrong(event: Any, venue: str) -> str:
    """What is wrong with an event, empty for nothing."""
    if event.venue != venue:
        return "not the venue's name"
    if getattr(event, "ticker", "named") == "":
        return "no ticker"
    unfit = [number for number in _decimals(event) if not number.is_finite() or abs(number.adjusted()) > WIDEST]
    if unfit:
        return f"{unfit[0]} is no number that can be meant"
    if isinstance(event, FillEvent) and not (event.oid and event.trade_id and event.amount):
        return "an execution without an order, a number or a size"
    if isinstance(event, OrderUpdate) and event.amount and event.filled and (event.amount > 0) != (event.filled > 0):
        return "filled against its own side"
    try:
        if msgspec.json.decode(msgspec.json.encode(event), type=type(event)) != event:
            return "not the same after being written and read"
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        return f"cannot be written: {error}"
    return ""


def _decimals(value: Any) -> Iterator[Decimal]:
    if isinstance(value, Decimal):
        yield value
    elif isinstance(value, msgspec.Struct):
        for each in msgspec.structs.astuple(value):
            yield from _decimals(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _decimals(each)
