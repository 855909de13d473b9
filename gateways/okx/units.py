"""Between the venue's units and ours: sizes are in contracts there, in base units here; empty texts mean none.

One contract of a linear swap is ``ctVal * ctMult`` base units ("Get instruments"); its prices are quote units for one
base unit already. A spot size is in base units.
"""

from decimal import Decimal

from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.okx.wire import RawLevel, Text
from gateways.standards import ZERO, Level

ONE = Decimal(1)

MS = 1_000_000
"""Nanoseconds in a millisecond."""

_LARGEST_EXPONENT = 40
"""No price or size has so many digits before or behind its point: what has is not a number of the venue's."""


def factor_of(contracts: Contracts, ticker: str) -> Decimal | None:
    """Base units in one of the venue's size units; None for a contract whose size cannot be told in base units.

    That is an inverse or dated contract, or one listed after the specifications were loaded. Where there are no
    specifications at all, sizes stay as the venue writes them.
    """
    contract = contracts.get(ticker)
    if contract is not None:
        return contract.multiplier
    is_spot = ticker.count("-") == 1
    return ONE if is_spot or not contracts else None


def sign_of(side: str, venue: str, field: str) -> int:
    """+1 for buy, -1 for sell. Raises DecodeError for anything else."""
    if side == "buy":
        return 1
    if side == "sell":
        return -1
    raise DecodeError(venue, field, f"{side!r} is neither buy nor sell")


def number(text: str, venue: str, field: str) -> Decimal:
    """The number that a text is. Raises DecodeError for an empty one, NaN and the infinities."""
    try:
        value = Decimal(text)
    except ArithmeticError as error:
        raise DecodeError(venue, field, f"{text!r} is not a number") from error
    if _meant(value):
        return value
    raise DecodeError(venue, field, f"{text[:40]!r} is not a number")


def _meant(value: Decimal) -> bool:
    return value.is_finite() and abs(value.adjusted()) <= _LARGEST_EXPONENT


def number_or_none(text: Text, venue: str, field: str) -> Decimal | None:
    """The number that a text is, None for an empty one."""
    return number(text, venue, field) if text else None


def price_or_none(text: Text, venue: str, field: str) -> Decimal | None:
    """A price; None where the venue writes nothing, or 0, for none."""
    value = number_or_none(text, venue, field)
    return value or None


def size(text: str, sign: int, factor: Decimal, venue: str, field: str) -> Decimal:
    """A signed quantity in base units; a zero never carries a minus. Raises DecodeError for a negative ``text``."""
    value = number(text, venue, field)
    if value < ZERO:
        raise DecodeError(venue, field, f"{text[:40]!r} is negative")
    ours = value if factor == 1 else value * factor
    return ours if sign > 0 or not ours else -ours


def nanoseconds(text: Text, venue: str, field: str) -> int:
    """A time in ms, written as a text, in ns; 0 where the venue does not say."""
    if not text:
        return 0
    if text.isascii() and text.isdecimal() and len(text) <= 16:
        return int(text) * MS
    raise DecodeError(venue, field, f"{text!r} is not a time in ms")


def levels(raw: tuple[RawLevel, ...], factor: Decimal, venue: str, field: str) -> tuple[Level, ...]:
    """Book levels in our units."""
    for each in raw:
        if not _meant(each.price) or not _meant(each.size) or each.size < ZERO:
            raise DecodeError(venue, field, f"{each.price:.40} {each.size:.40} is not a level")
    if factor == 1:
        return tuple(Level(each.price, each.size) for each in raw)
    return tuple(Level(each.price, each.size * factor) for each in raw)
