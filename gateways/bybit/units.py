"""Between the venue's units and ours: base-asset quantities and prices for one base unit, signed by side.

Sizes of Bybit's linear contracts are base units already, but cheap assets are listed in bundles that only their name
tells: 1000PEPE, 10000LADYS, 1000000MOG, and SHIB1000 with the number behind.
"""

import re
from decimal import Decimal, InvalidOperation

from gateways.bybit.wire import Millis
from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.standards import ZERO, Level

ONE = Decimal(1)

MS = 1_000_000
"""Nanoseconds in a millisecond."""

_BUNDLE = re.compile(r"^(?:(?P<before>10{3,6})(?=[A-Z])(?P<held>.+)|(?P<asset>.*[A-Z])(?P<behind>10{3,6}))$")

_LARGEST_EXPONENT = 40
"""No price or size has so many digits before or behind its point: what has is not a number of the venue's."""


def unbundled(asset: str) -> tuple[str, Decimal]:
    """The asset that a bundle holds, and how many: ``1000PEPE`` is (``PEPE``, 1000), ``BTC`` is (``BTC``, 1)."""
    found = _BUNDLE.match(asset)
    if found is None:
        return asset, ONE
    if found["before"]:
        return found["held"], Decimal(found["before"])
    return found["asset"], Decimal(found["behind"])


def multiplier_of(contracts: Contracts, ticker: str) -> Decimal:
    """Base units in one of the venue's units; 1 for a contract that is not known."""
    contract = contracts.get(ticker)
    return ONE if contract is None else contract.multiplier


def sign_of(side: str, venue: str, field: str = "side") -> int:
    """+1 for Buy, -1 for Sell. Raises DecodeError for anything else."""
    if side == "Buy":
        return 1
    if side == "Sell":
        return -1
    raise DecodeError(venue, field, f"{side!r} is neither Buy nor Sell")


def amount(quantity: Decimal, sign: int, factor: Decimal) -> Decimal:
    """A signed quantity in our units; a zero never carries a minus."""
    ours = quantity if factor == 1 else quantity * factor
    return ours if sign > 0 or not ours else -ours


def finite(value: Decimal, venue: str, field: str) -> Decimal:
    """``value``, which a number on the wire must be. Raises DecodeError for NaN, infinities and absurd exponents."""
    if value.is_finite() and abs(value.adjusted()) <= _LARGEST_EXPONENT:
        return value
    raise DecodeError(venue, field, f"{value} is not a number")


def unsigned(value: Decimal, venue: str, field: str) -> Decimal:
    """A quantity, which has no sign on this wire. Raises DecodeError for a negative one."""
    if finite(value, venue, field) < ZERO:
        raise DecodeError(venue, field, f"{value} is negative")
    return value


def number_or_none(text: str | None, venue: str, field: str) -> Decimal | None:
    """The number in ``text``, None for an empty one. Raises DecodeError for what is not a number."""
    if text is None or not text.strip():
        return None
    try:
        return finite(Decimal(text), venue, field)
    except InvalidOperation as error:
        raise DecodeError(venue, field, f"{text!r} is not a number") from error


def number(text: str | None, venue: str, field: str) -> Decimal:
    """The number in ``text``. Raises DecodeError for none."""
    value = number_or_none(text, venue, field)
    if value is None:
        raise DecodeError(venue, field, "missing")
    return value


def price(value: Decimal, factor: Decimal, venue: str, field: str) -> Decimal:
    """A price in our units."""
    checked = finite(value, venue, field)
    return checked if factor == 1 else checked / factor


def price_or_none(text: str | None, factor: Decimal, venue: str, field: str) -> Decimal | None:
    """A price in our units; None where the venue writes an empty text or 0 for none."""
    value = number_or_none(text, venue, field)
    return None if not value else price(value, factor, venue, field)


def levels(raw: tuple[Level, ...], factor: Decimal, venue: str, field: str) -> tuple[Level, ...]:
    """Book levels in our units."""
    for each, quantity in raw:
        finite(each, venue, field)
        unsigned(quantity, venue, field)
    if factor == 1:
        return raw
    return tuple(Level(each / factor, quantity * factor) for each, quantity in raw)


def nanoseconds(ms: Millis, venue: str, field: str) -> int:
    """A time in ns; 0 where the venue says none. Raises DecodeError for what is not a time."""
    if isinstance(ms, int):
        return ms * MS
    if ms is None or not ms:
        return 0
    count = whole(ms)
    if count is None or len(ms) > 16:
        raise DecodeError(venue, field, f"{ms[:40]!r} is not a time in ms")
    return count * MS


def whole(text: object) -> int | None:
    """The whole number that a text is, of at most 19 digits (a time in ns has so many); None for anything else."""
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 19:
        return int(text)
    return None
