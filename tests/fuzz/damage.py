"""How a message is damaged: its values, its shape, and the bytes that carry it."""

import json
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]

_DEEP = 3_000
_LONG = 5_000

NUMBERS: tuple[Any, ...] = (
    *("", "0", "-0", "-1", "-2.5", "1e9", "1e-9", "1e30", "1e59", "1e61", "1e999999", "1E-9999999"),
    *("9" * 40, "0." + "0" * 40 + "1", "9" * _LONG, " 1 ", "1_000", "0x10", "1,5", "\uff11\uff12"),
    *("NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "inf"),
    *(0, -1, 2**31, 2**63, -(2**63) - 1, 2**64, 10**30, 1.5, -0.0, 1e308, float("nan"), float("inf")),
)  # fmt: skip
"""What may stand where a number should."""

WORDS: tuple[Any, ...] = (
    *(
        "",
        " ",
        "BUY",
        "buy",
        "Buy",
        "B",
        "LUNAR",
        "net",
        "linear",
        "spot",
        "0",
        "\ud800",
        "\x00",
        "ß" * 40,
        "x" * _LONG,
    ),
    *("NEW", "TRADE", "CALCULATED", "filled", "Filled", "partially_filled", "true", "false", "null"),
)
"""What may stand where a word should."""

OTHERS: tuple[Any, ...] = (None, True, False, {}, [], [[]], [{}], {"": ""}, [None], "text", 0)
"""What is of another type."""

VALUES = st.sampled_from(NUMBERS) | st.sampled_from(WORDS) | st.sampled_from(OTHERS)


class Twin(str):
    """A name that an object may have twice: two are never equal, and both are written as they read."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def places(value: Any, path: Path = ()) -> list[Path]:
    """Every place inside a message, the whole of it first."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def _changed(value: Any, path: Path, change: Any) -> Any:
    """A copy with ``change`` applied to the container that holds the place, and the place's key."""
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1:
        change(copy, path[0])
    else:
        copy[path[0]] = _changed(copy[path[0]], path[1:], change)
    return copy


def _negated(value: Any) -> Any:
    if isinstance(value, str):
        return value[1:] if value.startswith("-") else "-" + value
    return -value if isinstance(value, int | float) else value


@st.composite
def once_damaged(draw: st.DrawFn, message: Any) -> Any:
    """The message with one place of it lost, replaced, negated, doubled or buried."""
    path = draw(st.sampled_from(places(message)[1:] or [()]))
    if not path:
        return draw(VALUES)
    kind = draw(st.integers(0, 7))

    def change(holder: Any, key: Any) -> None:
        if kind == 0:
            del holder[key]
        elif kind == 1:
            holder[key] = _negated(holder[key])
        elif kind == 2:
            _double(holder, key, draw(VALUES))
        elif kind == 3 and isinstance(holder, list):
            holder.append(holder[key])
        elif kind == 4:
            holder[key] = [holder[key]]
        else:
            holder[key] = draw(VALUES)

    return _changed(message, path, change)


def _double(holder: Any, key: Any, value: Any) -> None:
    if isinstance(holder, dict):
        holder[Twin(key)] = value
    else:
        holder.insert(key, value)


def _carried(value: Any, *, compact: bool) -> bytes:
    """As bytes; what no encoder takes (a lone surrogate) is escaped."""
    return json.dumps(value, separators=(",", ":") if compact else None).encode()


@st.composite
def damaged(draw: st.DrawFn, messages: list[Any]) -> bytes:
    """The bytes of one of the messages after damage to its values, its bytes, or both."""
    message = draw(st.sampled_from(messages))
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 3, 0)))):
        message = draw(once_damaged(message)) if isinstance(message, dict | list) and message else message
    raw = _carried(message, compact=draw(st.booleans()))
    kind = draw(st.integers(0, 15))
    at = draw(st.integers(0, max(0, len(raw) - 1)))
    if kind == 0:
        return raw[:at]
    if kind == 1:
        return raw[:at] + draw(st.binary(min_size=1, max_size=3)) + raw[at + 1 :]
    if kind == 2:
        return (
            raw[:at]
            + draw(st.sampled_from((b"\xff", b"\xed\xa0\x80", b"\x00", b"\\ud800", b'"', b"}", b"9" * _LONG)))
            + raw[at:]
        )
    if kind == 3:
        buried = draw(st.sampled_from((b"[" * _DEEP, b'{"a":' * _DEEP, b"[" * _DEEP + b"1" + b"]" * _DEEP)))
        return raw[:at] + buried + raw[at:]
    if kind == 4:
        return draw(st.binary(max_size=60))
    return raw
