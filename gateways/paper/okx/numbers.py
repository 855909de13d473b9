"""How OKX v5 writes numbers, sizes and times: every one of them is a text."""

from decimal import Context, Decimal

from gateways.standards import Contract

_AVERAGES = Context(prec=16)

NO_ORDERS = "0"
"""What a level of a book that is gone shows as its number of orders."""


def plain(value: Decimal) -> str:
    """A number as short as it can be written without an exponent."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def optional(value: Decimal | None) -> str:
    """A number, empty for none."""
    return "" if value is None else plain(value)


def size(contract: Contract, quantity: Decimal) -> str:
    """A quantity of base units as contracts (``ctVal`` base units each)."""
    return plain(quantity / contract.multiplier)


def average(value: Decimal) -> str:
    """An average price, empty before the first fill."""
    return plain(_AVERAGES.plus(value)) if value else ""


def ratio(part: Decimal, whole: Decimal) -> str:
    """A part of a whole, empty where there is no whole."""
    return plain(_AVERAGES.divide(part, whole)) if whole else ""


def milliseconds(ns: int) -> str:
    """A time in ms."""
    return str(ns // 1_000_000)


def microseconds(ns: int) -> str:
    """A time in µs, as ``inTime`` and ``outTime`` are."""
    return str(ns // 1_000)
