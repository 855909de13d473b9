"""Between the venue's units and ours: base-asset quantities and prices for one base unit, signed by side.

Binance lists cheap assets in thousands or millions (1000PEPE, 1MBABYDOGE): one of its units is so many of ours.
"""

import re
from decimal import Decimal

from gateways.contracts import Contracts
from gateways.errors import DecodeError
from gateways.standards import ZERO, Level

ONE = Decimal(1)

MS = 1_000_000
"""Nanoseconds in a millisecond."""

_LARGEST_EXPONENT = 40
"""No price or size has so many digits before or behind its point: what has is not a number of the venue's."""

_BUNDLE = re.compile(r"^(1000000|1000|1M)(?=[A-Z])")
_BUNDLES = {"1000": Decimal(1_000), "1000000": Decimal(1_000_000), "1M": Decimal(1_000_000)}


def unbundled(asset: str) -> tuple[str, Decimal]:
    """The asset that a bundle holds, and how many: ``1000PEPE`` is (``PEPE``, 1000), ``BTC`` is (``BTC``, 1)."""
    found = _BUNDLE.match(asset)
    if found is None:
        return asset, ONE
    return asset[found.end() :], _BUNDLES[found.group(1)]


def multiplier_of(contracts: Contracts, ticker: str) -> Decimal:
    """Base units in one of the venue's units; 1 for a contract that is not known."""
    contract = contracts.get(ticker)
    return ONE if contract is None else contract.multiplier


def sign_of(side: str, venue: str, field: str) -> int:
    """+1 for BUY, -1 for SELL. Raises DecodeError for anything else."""
    if side == "BUY":
        return 1
    if side == "SELL":
        return -1
    raise DecodeError(venue, field, f"{side!r} is neither BUY nor SELL")


def amount(quantity: Decimal, sign: int, factor: Decimal) -> Decimal:
    """A signed quantity in our units; a zero never carries a minus."""
    ours = quantity if factor == ONE else quantity * factor
    return ours if sign > 0 else -ours


def finite(value: Decimal, venue: str, field: str) -> Decimal:
    """``value``, which a number on the wire must be. Raises DecodeError for NaN, infinities and absurd exponents."""
    if value.is_finite() and -_LARGEST_EXPONENT <= value.adjusted() <= _LARGEST_EXPONENT:
        return value
    raise DecodeError(venue, field, f"{value:.40} is not a number")


def unsigned(value: Decimal, venue: str, field: str) -> Decimal:
    """A quantity, which has no sign on this wire. Raises DecodeError for a negative one."""
    if finite(value, venue, field) < ZERO:
        raise DecodeError(venue, field, f"{value} is negative")
    return value


def price_or_none(value: Decimal | None, factor: Decimal, venue: str, field: str) -> Decimal | None:
    """A price in our units; None where the venue writes 0 for none."""
    if value is None or not finite(value, venue, field):
        return None
    return value if factor == ONE else value / factor


def price(value: Decimal, factor: Decimal, venue: str, field: str) -> Decimal:
    """A price in our units."""
    checked = finite(value, venue, field)
    return checked if factor == ONE else checked / factor


def quote_side(price: Decimal, quantity: Decimal, factor: Decimal, venue: str, field: str) -> Level | None:
    """A side of a quote in our units; None where it is empty."""
    if not finite(price, venue, field) or not finite(quantity, venue, field):
        return None
    return Level(price, quantity) if factor == ONE else Level(price / factor, quantity * factor)


def levels(raw: tuple[Level, ...], factor: Decimal, venue: str, field: str) -> tuple[Level, ...]:
    """Book levels in our units."""
    for each, quantity in raw:
        finite(each, venue, field)
        unsigned(quantity, venue, field)
    if factor == ONE:
        return raw
    return tuple(Level(each / factor, quantity * factor) for each, quantity in raw)


def rate_or_none(text: str | None, venue: str, field: str) -> Decimal | None:
    """A funding rate; None where the venue writes an empty string."""
    if not text:
        return None
    try:
        return finite(Decimal(text), venue, field)
    except ArithmeticError as error:
        raise DecodeError(venue, field, f"{text!r} is not a number") from error
