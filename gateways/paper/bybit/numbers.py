"""How Bybit v5 writes numbers, times and ids. Pure.

Cheap assets are listed in bundles (1000PEPE): quantities and prices on the wire are of bundles, those of the exchange
of base units. A bundle is the contract's multiplier.
"""

import hashlib
import re
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from gateways.standards import Contract

MONEY = Decimal("0.00000001")

_ORDER_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-([0-9a-f]{12})", re.ASCII)


def tick(contract: Contract) -> str:
    """The published tick."""
    return f"{bundled_price(contract, contract.tick_size):f}"


def lot(contract: Contract) -> str:
    """The published lot."""
    return f"{bundled(contract, contract.lot_size):f}"


def bundled_price(contract: Contract, value: Decimal) -> Decimal:
    """A price of one bundle."""
    return value if contract.multiplier == 1 else (value * contract.multiplier).normalize()


def bundled(contract: Contract, value: Decimal) -> Decimal:
    """How many bundles a quantity of base units makes."""
    return value if contract.multiplier == 1 else value / contract.multiplier


def price(contract: Contract, value: Decimal) -> str:
    """A price with the decimals of the published tick, its trailing zeros included (0.10 has two)."""
    return f"{bundled_price(contract, value):.{_places(tick(contract))}f}"


def average(contract: Contract, value: Decimal) -> str:
    """An average of prices."""
    return plain(bundled_price(contract, value))


def quantity(contract: Contract, value: Decimal) -> str:
    """A quantity with the decimals of the published lot."""
    return f"{bundled(contract, value):.{_places(lot(contract))}f}"


def price_scale(contract: Contract) -> str:
    """``priceScale``: the decimals of the published tick."""
    return str(_places(tick(contract)))


def plain(value: Decimal) -> str:
    """A number as short as it can be written without an exponent, to eight decimals."""
    text = f"{value.quantize(MONEY, ROUND_HALF_EVEN):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def milliseconds(ns: int) -> int:
    """Nanoseconds as the venue's milliseconds."""
    return ns // 1_000_000


def order_id(number: int) -> str:
    """The id that an order of the exchange goes by: 32 hexadecimal digits in five groups, like the venue's own."""
    return _grouped("order", number)


def order_number(text: str) -> int | None:
    """The exchange's number behind an order id; None for an id that this venue never gave."""
    matched = _ORDER_ID.fullmatch(text)
    number = int(matched[1], 16) if matched else -1
    return number if number >= 0 and order_id(number) == text else None


def trade_id(number: int) -> str:
    """The id of a trade: of the public one, and of both executions in it."""
    return _grouped("trade", number)


def connection_id(number: int) -> str:
    """The id that the venue calls a websocket connection."""
    return f"{hashlib.sha256(f'connection {number}'.encode()).hexdigest()[:20]}-{number:x}"


def trace_id(*parts: object) -> str:
    """The id of one request, in the header of its answer."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]


@lru_cache(maxsize=4096)
def _grouped(kind: str, number: int) -> str:
    said = hashlib.sha256(f"{kind} {number}".encode()).hexdigest()
    return f"{said[:8]}-{said[8:12]}-{said[12:16]}-{said[16:20]}-{number:012x}"


@lru_cache(maxsize=256)
def _places(step: str) -> int:
    # By text: 0.10 and 0.1 are equal numbers with different places.
    exponent = Decimal(step).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
