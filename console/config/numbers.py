"""Numbers of a configuration: Decimal from the text, plain, and within bounds in which arithmetic stays exact."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

_PLAIN = re.compile(r"[+-]?[0-9](_?[0-9])*(\.[0-9](_?[0-9])*)?", re.ASCII)
_LONGEST = 30
_EXAMPLE = 'a plain number like 2500 or "0.05"'


def decimal_of(text: str) -> Decimal:
    """The number that a text writes. Raises ValueError for exponents, infinities and more than 30 characters."""
    if len(text) > _LONGEST or not _PLAIN.fullmatch(text):
        raise ValueError(f"must be {_EXAMPLE}")
    return Decimal(text.replace("_", ""))


class OddNumber:
    """A TOML float that is no plain number, kept until the key that it stands under is known."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


def parse_float(text: str) -> Decimal | OddNumber:
    """What the TOML parser makes of a float's text: never a float."""
    try:
        return decimal_of(text)
    except ValueError:
        return OddNumber(text)


def amount(value: object) -> Decimal:
    """A number from zero up. Raises ValueError, saying what is allowed."""
    if isinstance(value, str):
        number = decimal_of(value)
    elif isinstance(value, Decimal):
        number = value
    elif isinstance(value, int) and not isinstance(value, bool):
        number = decimal_of(f"{value}" if abs(value) < 10**_LONGEST else "")
    else:
        raise ValueError(f"must be {_EXAMPLE}")  # noqa: TRY004 - pydantic reports ValueError alone
    if number < 0:
        raise ValueError("must be zero or more")
    return number


def whole(value: object) -> int:
    """A whole number from zero up. Raises ValueError, saying what is allowed."""
    text = value if isinstance(value, str) else str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise ValueError("must be a whole number like 30")
    return int(text)


NUMBER_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^[0-9_]+(\.[0-9_]+)?$"}]
}
WHOLE_SCHEMA: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 999_999_999}

Amount = Annotated[Decimal, PlainValidator(amount), WithJsonSchema(NUMBER_SCHEMA)]
"""A number from zero up: money, a size, bps or seconds. Written with or without quotes, never read as a float."""
Whole = Annotated[int, PlainValidator(whole), WithJsonSchema(WHOLE_SCHEMA)]
"""A whole number from zero up."""
