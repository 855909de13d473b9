"""What the validation of a configuration found, in our own sentences."""

import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from console.config.messages import Place, dotted, nearest, shown
from console.config.model import Config
from console.config.places import Key
from console.config.table import Table

_OF_TYPE = {
    "string_type": "must be a text in quotes",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "missing": "is missing",
}


def problems_of(error: ValidationError, raw: Mapping[str, Any], place: Callable[[Key], Place]) -> list[str]:
    """A sentence for each wrong key: where it stands, its path, its value, what is allowed."""
    found: dict[Key, str] = {}
    for detail in error.errors(include_url=False):
        key, value = _key_and_value(detail, raw)
        if key in found:
            continue
        shows = detail["type"] not in {"missing", "extra_forbidden", "together"}
        told = f" = {shown(value)}" if shows and key[-1:] != ("keys",) and not isinstance(value, dict) else ""
        found[key] = f"{place(key)}: {dotted(key)}{told}: {_text(detail, key)}"
    return [found[key] for key in sorted(found, key=lambda key: place(key).line or 0)]


def _key_and_value(detail: ErrorDetails, raw: Mapping[str, Any]) -> tuple[Key, object]:
    """The key that an error is about, without the parts that only name branches of the validation."""
    key: Key = ()
    node: object = raw
    wanted = tuple(str(part) for part in (*detail["loc"], *detail.get("ctx", {}).get("key", ())))
    for part in wanted:
        if isinstance(node, dict) and part in node:
            key, node = (*key, part), node[part]
        elif isinstance(node, list) and part.isdecimal() and int(part) < len(node):
            key, node = (*key, part), node[int(part)]
        elif detail["type"] in {"missing", "together"} and isinstance(node, dict):
            key = (*key, part)
    return key, node


def _text(detail: ErrorDetails, key: Key) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return f"is no setting: {nearest(key[-1], _fields(key[:-1]))}"
        case "literal_error" | "enum":
            return f"must be {context['expected']}".replace("'", "")
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case "together":
            return str(context["text"])
        case "value_error":
            return str(context["error"])
        case _:
            return _OF_TYPE.get(kind, detail["msg"].lower())


def _fields(key: Key) -> list[str]:
    """What may stand in the table at a key."""
    node: Any = Config
    for part in key:
        if isinstance(node, type) and issubclass(node, Table):
            node = node.model_fields[part].annotation if part in node.model_fields else None
        else:
            node = typing.get_args(node)[1] if typing.get_origin(node) is dict else None
        node = next(_tables(node), None)
    return list(node.model_fields) if isinstance(node, type) and issubclass(node, Table) else []


def _tables(annotation: Any) -> Iterator[Any]:
    """The tables, or tables by name, that an annotation allows."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated or origin in (typing.Union, types.UnionType):
        for each in typing.get_args(annotation):
            yield from _tables(each)
    elif origin is dict or (isinstance(annotation, type) and issubclass(annotation, Table)):
        yield annotation
