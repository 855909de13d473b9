"""The shape of a message, names and types: what a paper front says is held against what the real venue said."""

from collections.abc import Set as AbstractSet


def shape(value: object, without: AbstractSet[str]) -> object:
    """Names and types of a message, some names left out; the first item stands for a list."""
    if isinstance(value, dict):
        return {name: shape(item, without) for name, item in value.items() if name not in without}
    if isinstance(value, list):
        return [shape(value[0], without)] if value else []
    return type(value).__name__


def contains(made: object, wanted: object) -> bool:
    """Whether ``made`` has every name and type of ``wanted``; a list is compared by its first item."""
    if isinstance(wanted, dict):
        assert isinstance(made, dict)
        absent = {name: item for name, item in wanted.items() if name not in made}
        assert not absent
        return all(contains(made[name], item) for name, item in wanted.items())
    if isinstance(wanted, list):
        assert isinstance(made, list)
        return not wanted or not made or contains(made[0], wanted[0])
    assert made == wanted
    return True
