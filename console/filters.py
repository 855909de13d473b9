"""The filter of a table: ``venue:okx side:b state:live px>60000 eth``. Pure: a text and what rows have in, a test out.

Every part must hold. ``name:text`` holds where the field has the text in it (of a few choices: where it begins so),
``name:one,other`` where it has either; ``name>5`` and ``>= < <= =`` compare numbers (``60k``, ``1.5m``) and ages
(``30s``, ``5m``, ``2h``); a word alone is looked for in every text of the row; ``-`` before a part turns it round.
Quotes hold spaces together. Capitals are as small letters.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from console.config.messages import nearest
from console.filter_fields import Field

_PART = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_COMPARED = re.compile(r"([a-z][a-z0-9_]*)(>=|<=|>|<|=)(.*)", re.DOTALL)
_NAMED = re.compile(r"([a-z][a-z0-9_]*):(.*)", re.DOTALL)
_NUMBER = re.compile(r"([+-]?[0-9]{1,15}(?:\.[0-9]{1,12})?)([kmb]?)", re.ASCII)
_AGE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)", re.ASCII)
_THOUSANDS = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_SPANS_NS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9, "d": 86_400 * 10**9}
_COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq}

_EXAMPLES = {"venue": "okx", "ticker": "eth", "state": "live", "id": "7f3a", "role": "maker"}

Test = Callable[[Any, int], bool]
"""Whether a row passes, at a time in nanoseconds."""


class FilterError(ValueError):
    """A filter that is not understood. ``text``: one sentence; ``caret``: the 0-based column it is about."""

    def __init__(self, text: str, caret: int) -> None:
        super().__init__(text)
        self.text = text
        self.caret = caret


class Filter(NamedTuple):
    """A filter that was understood."""

    text: str
    tests: tuple[Test, ...]
    ticking: bool
    """Whether a row may come to pass, or no longer pass, by the passing of time alone."""

    def passes(self, row: Any, now_ns: int) -> bool:
        """Whether a row passes. ``now_ns`` is what ages are counted from."""
        return all(test(row, now_ns) for test in self.tests)


def parse(text: str, fields: Sequence[Field]) -> Filter:
    """The filter of a text over rows with these fields. Raises FilterError; a text of nothing passes every row."""
    tests, ticking = [], False
    for part in _PART.finditer(text):
        word, column = part.group(), part.start()
        turned = len(word) > 1 and word[0] == "-"
        body = word[1:] if turned else word
        test, ages = _test(body.replace('"', "").lower(), column + turned, fields)
        ticking = ticking or ages
        tests.append(_not(test) if turned else test)
    return Filter(" ".join(text.split()), tuple(tests), ticking)


def _not(test: Test) -> Test:
    return lambda row, now_ns: not test(row, now_ns)


def _test(body: str, column: int, fields: Sequence[Field]) -> tuple[Test, bool]:
    compared = _COMPARED.fullmatch(body)
    if compared is not None:
        name, sign, value = compared.groups()
        field = _field(name, column, fields)
        if field.number is None:
            raise FilterError(f"{field.name} is no number: write {field.name}:{value or 'text'}", column)
        return _comparison(field, sign, value, column + len(name) + len(sign)), field.age
    named = _NAMED.fullmatch(body)
    if named is not None:
        name, value = named.groups()
        field = _field(name, column, fields)
        if field.number is not None and field.text is None:
            return _comparison(field, "=", value, column + len(name) + 1), field.age
        return _contains(field, value, column + len(name) + 1), False
    texts = [field.text for field in fields if field.text is not None and field.free]
    return (lambda row, _: any(body in text(row).lower() for text in texts)), False


def _field(name: str, column: int, fields: Sequence[Field]) -> Field:
    for field in fields:
        if name == field.name or name in field.aliases:
            return field
    names = {known for field in fields for known in (field.name, *field.aliases)}
    raise FilterError(f"{name!r} is no field here: {nearest(name, names)}", column)


def _contains(field: Field, value: str, column: int) -> Test:
    text = field.text
    wanted = [part for part in value.split(",") if part]
    if text is None or not wanted:
        raise FilterError(f"what {field.name} has is missing: write it as in {field.name}:{_example(field)}", column)
    tests: list[Test] = []
    for part in wanted:
        word = _word(field, part)
        if word is not None:
            tests.append(_is(word))
        elif not field.choices:
            tests.append(_has(text, part))
        elif any(choice.startswith(part) for choice in field.choices):
            tests.append(_begins(text, part))
        else:
            raise FilterError(f"{part!r} is no {field.name}: {nearest(part, {*field.choices, *field.words})}", column)
    return lambda row, now_ns: any(test(row, now_ns) for test in tests)


def _word(field: Field, part: str) -> Callable[[Any], bool] | None:
    """The word of the field that is meant: itself, or the start of one where no choice begins so."""
    if part in field.words or any(choice.startswith(part) for choice in field.choices):
        return field.words.get(part)
    return next((word for name, word in field.words.items() if name.startswith(part)), None)


def _begins(text: Callable[[Any], str], part: str) -> Test:
    return lambda row, _: text(row).lower().startswith(part)


def _has(text: Callable[[Any], str], part: str) -> Test:
    return lambda row, _: part in text(row).lower()


def _is(word: Callable[[Any], bool]) -> Test:
    return lambda row, _: word(row)


def _comparison(field: Field, sign: str, value: str, column: int) -> Test:
    compare, number = _COMPARE[sign], field.number
    wanted = _age(value, field, column) if field.age else _number(value, field, column)

    def test(row: Any, now_ns: int) -> bool:
        found = None if number is None else number(row)
        if found is None:
            return False
        return bool(compare(now_ns - found if field.age else found, wanted))

    return test


def _number(value: str, field: Field, column: int) -> Decimal:
    match = _NUMBER.fullmatch(value)
    if match is None:
        raise FilterError(f"{field.name} is compared with a number like 0.5 or 60k, not {value!r}", column)
    return Decimal(match.group(1)) * _THOUSANDS[match.group(2)]


def _age(value: str, field: Field, column: int) -> Decimal:
    match = _AGE.fullmatch(value)
    if match is None:
        raise FilterError(f"{field.name} is compared with a time like 30s, 5m or 2h, not {value!r}", column)
    return Decimal(match.group(1)) * _SPANS_NS[match.group(2)]


def _example(field: Field) -> str:
    return _EXAMPLES.get(field.name) or (field.choices[0] if field.choices else "text")


def complete(text: str, fields: Sequence[Field], values: Mapping[str, Iterable[str]]) -> list[str]:
    """The texts that the last part may become: names of fields, then the values that rows have (by field name)."""
    start = max(text.rfind(" ") + 1, 0)
    before, last = text[:start], text[start:].lower()
    sign = "-" if last.startswith("-") else ""
    last = last.removeprefix("-")
    name, colon, value = last.partition(":")
    if not colon:
        offers = [f"{field.name}{':' if field.text else '>'}" for field in fields if field.name.startswith(name)]
        return [f"{before}{sign}{offer}" for offer in offers]
    field = next((each for each in fields if name == each.name or name in each.aliases), None)
    if field is None:
        return []
    chosen, comma, part = value.rpartition(",")
    known = dict.fromkeys([*field.words, *field.choices, *sorted(each.lower() for each in values.get(field.name, ()))])
    return [f"{before}{sign}{name}:{chosen}{comma}{each}" for each in known if each.startswith(part) and each]
