"""What a configuration comes to: each value of a profile, and where it came from. Nothing in it is a secret."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from console.config.model import Config
from console.config.places import Key
from console.config.reading import Loaded
from console.config.table import Table
from oms.limits import Limit, Window

DEFAULT = "default"
WIDEST = 48
"""Characters of a column; what is longer pushes the rest of its line aside."""


def rows(loaded: Loaded) -> Iterator[tuple[str, str, str]]:
    """The chosen profile's values: key, value as TOML, and where it stands; a default where it stands nowhere."""
    prefix: Key = ("profiles", loaded.name)
    yield "profile", _toml(loaded.name), _source(loaded, ("profile",))
    for key, value in _leaves(loaded.profile, ()):
        yield ".".join(key), _toml(value), _source(loaded, (*prefix, *key))


def lines(loaded: Loaded) -> list[str]:
    """The rows as aligned lines."""
    table = list(rows(loaded))
    first, second = (min(WIDEST, max(len(row[column]) for row in table)) for column in (0, 1))
    return [f"{key:<{first}}  {value:<{second}}  {source}" for key, value, source in table]


def schema() -> str:
    """The JSON schema of the file, for editors."""
    return json.dumps(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}, indent=2
    )


def _leaves(table: Table, path: Key) -> Iterator[tuple[Key, Any]]:
    for name in type(table).model_fields:
        value = getattr(table, name)
        key = (*path, name)
        if isinstance(value, Table):
            yield from _leaves(value, key)
        elif isinstance(value, dict) and value and all(isinstance(each, Table) for each in value.values()):
            for part, each in value.items():
                yield from _leaves(each, (*key, part))
        elif value is not None and value != {}:
            yield key, value


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
        case int():
            return str(value)
        case Limit() | Window():
            ends = [f"{name} = {end:f}" for name in ("soft", "hard") if (end := getattr(value, name)) is not None]
            return f"{{ {', '.join(ends)} }}"
        case dict():
            return "{ " + ", ".join(f"{_name(name)} = {_toml(each)}" for name, each in value.items()) + " }"
        case Path():
            return json.dumps(str(value))
        case _:
            return json.dumps(value)


def _name(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text, re.ASCII) else json.dumps(text)


def _source(loaded: Loaded, key: Key) -> str:
    found = loaded.sources.get(key)
    return str(found) if found is not None else DEFAULT
