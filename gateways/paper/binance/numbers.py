"""How Binance USD-M writes numbers, times and ids."""

import hashlib
import string
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from gateways.standards import Contract

ALPHANUMERIC = string.digits + string.ascii_uppercase + string.ascii_lowercase
MONEY = Decimal("0.00000001")


def price_precision(contract: Contract) -> int:
    """``pricePrecision``: the decimals of the published tick, its trailing zeros included (0.10 has two)."""
    return _places(contract.tick_size)


def quantity_precision(contract: Contract) -> int:
    """``quantityPrecision``: the decimals of the published lot."""
    return _places(contract.lot_size)


def price(contract: Contract, value: Decimal | None) -> str:
    """A price in the contract's precision; zero for None, as a market order shows it."""
    return f"{value or Decimal(0):.{price_precision(contract)}f}"


def quantity(contract: Contract, value: Decimal) -> str:
    """A quantity in the contract's precision."""
    return f"{value:.{quantity_precision(contract)}f}"


def average(contract: Contract, value: Decimal) -> str:
    """An average price: the contract's precision when it is zero, at least five decimals otherwise."""
    return f"{value:.{max(5, price_precision(contract))}f}" if value else price(contract, value)


def money(value: Decimal) -> str:
    """An amount of the quote asset, eight decimals."""
    return f"{value.quantize(MONEY, ROUND_HALF_EVEN):f}"


def plain(value: Decimal) -> str:
    """A number as short as it can be written without an exponent."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def milliseconds(ns: int) -> int:
    """Nanoseconds as the venue's milliseconds."""
    return ns // 1_000_000


def token(length: int, *parts: object) -> str:
    """A text of ``length`` letters and digits that follows from ``parts`` alone."""
    number = int.from_bytes(hashlib.sha512("\x1f".join(map(str, parts)).encode()).digest())
    letters = []
    for _ in range(length):
        number, index = divmod(number, len(ALPHANUMERIC))
        letters.append(ALPHANUMERIC[index])
    return "".join(letters)


@lru_cache(maxsize=256)
def _decimals(step: str) -> int:
    exponent = Decimal(step).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _places(step: Decimal) -> int:
    # Kept by text: 0.10 and 0.1 are equal numbers with different places.
    return _decimals(str(step))
