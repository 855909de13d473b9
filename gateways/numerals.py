"""Numbers of JSON, exactly: what venues' messages are parsed with where they are not decoded into a shape at once."""

from decimal import Decimal

_EXACT_BELOW = 1 << 53
"""Beyond it not every whole number can be told apart by who reads it as a float: none is taken for an id."""


def exact(text: str) -> Decimal | int:
    """A number that is written with a fraction or an exponent, as it is; as an int where it is whole, like 5.0.

    So a whole number is one whichever way it is written, as for a decoder of shapes. Raises ArithmeticError for a text
    that is no number.
    """
    value = Decimal(text)
    whole = abs(value) < _EXACT_BELOW and value == value.to_integral_value()
    return int(value) if whole else value
