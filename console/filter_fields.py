"""What the rows of a table can be filtered by: made from the records of the link, so that each pane has it. Pure."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, get_args

import msgspec

from console import fmt

_ALIASES = {
    "ticker": ("symbol", "contract"),
    "status": ("state",),
    "after": ("state", "status"),
    "state": ("status",),
    "cloid": ("id",),
    "price": ("px",),
    "amount": ("qty", "size"),
    "average_price": ("average", "avg"),
    "notional": ("value",),
}
_PREFERRED = {"status": "state", "after": "state", "cloid": "id", "price": "px", "amount": "qty", "ticker": "ticker"}
"""The name that a field goes by, where it is not its own."""

_SIZES = frozenset({"amount", "filled", "last_fill"})
"""Signed by side: compared by their size, as the side is a field of its own."""

_STATUSES = tuple(name.lower() for name in fmt.STATUS)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that rows can be filtered by."""

    name: str
    aliases: tuple[str, ...] = ()
    text: Callable[[Any], str] | None = None
    """What ``name:`` looks in."""
    number: Callable[[Any], Decimal | int | None] | None = None
    """What ``name>`` compares; None for a row that has none."""
    age: bool = False
    """The number is a time in nanoseconds, and what is compared is how long ago it was."""
    free: bool = False
    """A word alone is looked for here too."""
    choices: tuple[str, ...] = ()
    """All that the text can be, in small letters; empty where it can be anything."""
    words: Mapping[str, Callable[[Any], bool]] = {}
    """Words of their own meaning."""


def fields_of(*types: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The fields of rows of these types, each once, in the order of the records. A row without one has no value."""
    found: dict[str, Field] = {}
    for kind in types:
        for info in msgspec.structs.fields(kind):
            for field in _fields(info.name, info.type, kind):
                found.setdefault(field.name, field)
    ages = [field for field in found.values() if field.age]
    if ages and "age" not in found:
        found[ages[0].name] = msgspec.structs.replace(ages[0], name="age", aliases=(ages[0].name,))
    return tuple(found.values())


def _fields(name: str, kind: Any, owner: type[msgspec.Struct]) -> list[Field]:
    if name == "key":
        return []
    called = _PREFERRED.get(name, name)
    aliases = tuple(each for each in (name, *_ALIASES.get(name, ())) if each != called)
    kinds = {each for each in (get_args(kind) or (kind,)) if each is not type(None)}
    if kinds == {str}:
        return [_text_field(name, called, aliases, owner)]
    if kinds == {bool}:
        return [Field(name=called, aliases=aliases, text=partial(_yes, name), choices=("yes", "no"))]
    if kinds == {int} and name.startswith("ts_"):
        called = "time" if name == "ts_ns" else name.removeprefix("ts_").removesuffix("_ns")
        return [Field(name=called, number=partial(_time, name), age=True)]
    if kinds <= {int, Decimal}:
        number = Field(name=called, aliases=aliases, number=partial(_size if name in _SIZES else _value, name))
        return [_SIDE, number] if name == "amount" else [number]
    return []


def _text_field(name: str, called: str, aliases: tuple[str, ...], owner: type[msgspec.Struct]) -> Field:
    field = Field(name=called, aliases=aliases, text=partial(_text, name), free=True)
    if called != "state" or name == "state":
        return field
    words: dict[str, Callable[[Any], bool]] = {}
    if "terminal" in owner.__struct_fields__:
        words = {"live": _live, "working": _live, "done": _done, "rejects": _rejected}
    return msgspec.structs.replace(field, choices=_STATUSES, words=words)


def _text(name: str, row: Any) -> str:
    return str(getattr(row, name, ""))


def _yes(name: str, row: Any) -> str:
    return "yes" if getattr(row, name, False) else "no"


def _value(name: str, row: Any) -> Decimal | int | None:
    value: Decimal | int | None = getattr(row, name, None)
    return value


def _size(name: str, row: Any) -> Decimal | int | None:
    value = _value(name, row)
    return None if value is None else abs(value)


def _time(name: str, row: Any) -> int | None:
    value = getattr(row, name, 0)
    return int(value) if value else None


def _live(row: Any) -> bool:
    return not row.terminal


def _done(row: Any) -> bool:
    return bool(row.terminal)


def _rejected(row: Any) -> bool:
    return bool(row.status == "REJECTED")


def _side(row: Any) -> str:
    amount = getattr(row, "amount", None)
    return "" if not amount else fmt.side(amount)


def _buys(row: Any) -> bool:
    return _side(row) == "buy"


def _sells(row: Any) -> bool:
    return _side(row) == "sell"


_SIDE = Field(
    name="side",
    text=_side,
    choices=("buy", "sell"),
    words={"b": _buys, "bid": _buys, "long": _buys, "s": _sells, "ask": _sells, "offer": _sells, "short": _sells},
)
