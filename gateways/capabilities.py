"""What the venues can do, as a table: ``python -m gateways.capabilities`` prints it, ``--write FILE`` renews it there.

It is made of each gateway's ``Capabilities`` and of the profiles, so that a document that shows it cannot drift.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from gateways.profiles import environments
from gateways.router import KINDS
from gateways.venue import Capabilities

BEGIN, END = "<!-- capabilities: begin -->", "<!-- capabilities: end -->"


def capabilities_of(kind: str) -> Capabilities:
    """What a kind of venue can do."""
    module, name = KINDS[kind]
    found: Capabilities = getattr(importlib.import_module(module), name).capabilities
    return found


def table() -> str:
    """The capabilities of every kind of venue, a column each, as Markdown."""
    kinds = sorted(KINDS)
    listed = {kind: msgspec.structs.asdict(capabilities_of(kind)) for kind in kinds}
    rows = [["", *kinds], ["---"] * (len(kinds) + 1)]
    rows += [[_words(name), *(_shown(listed[kind][name]) for kind in kinds)] for name in listed[kinds[0]]]
    rows.append(["environments", *(", ".join(environments(kind)) for kind in kinds)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def renewed(text: str) -> str:
    """A document with the table between its marks made anew. Raises ValueError where it has no marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} ... {END} in it")
    return f"{before}{BEGIN}\n{table()}{END}{after}"


def _shown(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "no"
        case Enum():
            return str(value.value)
        case frozenset():
            return ", ".join(_price_rules(value)) or "none"
        case msgspec.Struct():
            parts = ((_words(name), each) for name, each in msgspec.structs.asdict(value).items() if each)
            return ", ".join(name if each is True else f"{name} {_shown(each)}" for name, each in parts)
        case Decimal():
            return f"{value.normalize():f}"
        case str():
            return f"`{value}`"
        case _:
            return f"{value:,}"


def _price_rules(values: frozenset[Any]) -> list[str]:
    """The words of a set: a pair of a side and a level is one word."""
    pairs = sorted(value for value in values if isinstance(value, tuple))
    single = sorted(_shown(value) for value in values if not isinstance(value, tuple))
    sides = {side: [str(level) for each, level in pairs if each == side] for side, _ in pairs}
    return single + [f"{_shown(side)} {'/'.join(levels)}" for side, levels in sides.items()]


def _words(name: str) -> str:
    return name.replace("_", " ")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or renew it in a document."""
    parser = argparse.ArgumentParser(prog="python -m gateways.capabilities", description="the venues' capabilities")
    parser.add_argument("--write", type=Path, metavar="FILE", help="renew the table in this document")
    given = parser.parse_args(arguments)
    if given.write is None:
        sys.stdout.write(table())
    else:
        given.write.write_text(renewed(given.write.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
