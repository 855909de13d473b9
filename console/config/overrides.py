"""``HEDGEDESK_*`` variables over a configuration: HEDGEDESK_LIMITS__EACH__ORDER_NOTIONAL=5000 in the chosen profile.

Two underscores go one table down; letters may be of any case. ``HEDGEDESK_CONFIG`` and ``HEDGEDESK_PROFILE`` choose the
file and the profile; ``HEDGEDESK_KEYS...`` hold keys and are never read here; ``HEDGEDESK_KILL`` and
``HEDGEDESK_KEPT`` are for drills.
"""

import tomllib
from collections.abc import Mapping
from typing import Any

from console.config.messages import Place, printable
from console.config.model import DEFAULT_PROFILE
from console.config.numbers import parse_float
from console.config.places import Key

PREFIX = "HEDGEDESK_"
NOT_SETTINGS = frozenset({"HEDGEDESK_CONFIG", "HEDGEDESK_PROFILE", "HEDGEDESK_KILL", "HEDGEDESK_KEPT"})

_IN_CAPITALS = frozenset({"instrument", "base"})
"""Tables whose keys are tickers and assets."""


def overrides(raw: dict[str, Any], profile: str, environment: Mapping[str, str]) -> tuple[dict[Key, Place], list[str]]:
    """Write what the environment says into ``raw``; return where those values come from, and what is wrong."""
    sources: dict[Key, Place] = {}
    wrong: list[str] = []
    written = raw.get("profiles", {})
    if profile != DEFAULT_PROFILE and not (isinstance(written, dict) and profile in written):
        return sources, wrong  # a profile that is not there gets no settings: that it is not there is told elsewhere
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS or name.startswith("HEDGEDESK_KEYS"):
            continue
        key = ("profiles", profile)
        table, blocked = _table(raw, key)
        parts = name.removeprefix(PREFIX).split("__")
        for part in parts[:-1]:
            if blocked:
                break
            key = (*key, _spelt(part, table, key[-1]))
            table, blocked = _table(raw, key)
        if blocked or not all(parts):
            wrong.append(
                f"{printable(name)}: names no setting: it is {PREFIX}, then the key's path with __ between its tables"
            )
            continue
        last = _spelt(parts[-1], table, key[-1])
        table[last] = _value(environment[name])
        sources[*key, last] = Place(name)
    return sources, wrong


def _table(raw: dict[str, Any], key: Key) -> tuple[dict[str, Any], bool]:
    """The table at a key, made where it is not there; whether something that is no table stands in the way."""
    table = raw
    for part in key:
        below = table.setdefault(part, {})
        if not isinstance(below, dict):
            return table, True
        table = below
    return table, False


def _spelt(part: str, table: Mapping[str, Any], parent: str) -> str:
    """A variable's part as the file spells it."""
    for known in table:
        if known.casefold() == part.casefold():
            return known
    return part.upper() if parent in _IN_CAPITALS else part.lower()


def _value(text: str) -> object:
    """Tables, lists and quoted texts are TOML; all else is a text, of which the settings make what they need."""
    if text[:1] in ("{", "[", '"', "'") and "\n" not in text:
        try:
            return tomllib.loads(f"value = {text}", parse_float=parse_float)["value"]
        except (ValueError, RecursionError):
            return text
    return text
