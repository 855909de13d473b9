"""On which line each key of a TOML text stands, so that a message can point there.

The standard library's parser gives values without places. This reads keys alone, of a text that it has taken already.
"""

import re
import tomllib
from collections.abc import Mapping

Key = tuple[str, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_PART = re.compile(r"[A-Za-z0-9_-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_STRING = re.compile(
    r"\"\"\"(?:[^\\]|\\.)*?\"{3,5}(?!\")|'''.*?'{3,5}(?!')|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'", re.DOTALL
)
_BARE = re.compile(r"[^,\]}#\n]*")


def places(text: str) -> dict[Key, int]:
    """The line, from 1, of every table and key of a valid TOML text, by its path; the first where it has several."""
    return _Reader(text).read()


def line_of(key: Key, found: Mapping[Key, int]) -> int | None:
    """The line of a key, or else of the nearest table around it; None where no part of it is in the text."""
    for length in range(len(key), 0, -1):
        if key[:length] in found:
            return found[key[:length]]
    return None


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._found: dict[Key, int] = {}

    def read(self) -> dict[Key, int]:
        table: Key = ()
        while not self._over(_BLANK):
            before = self._at
            if self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)
            if self._at == before:  # no TOML: nothing more can be found
                break
        return self._found

    def _over(self, pattern: re.Pattern[str]) -> bool:
        """Skip what the pattern takes; whether that was the end."""
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at >= len(self._text)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _header(self) -> Key:
        while self._peek() == "[":
            self._at += 1
        path = self._path(())
        while self._peek() == "]":
            self._at += 1
        return path

    def _pair(self, table: Key) -> None:
        path = self._path(table)
        if self._peek() == "=":
            self._at += 1
            self._over(_SPACE)
            self._value(path)

    def _path(self, table: Key) -> Key:
        """A dotted key under a table; every part of it is found here."""
        path = table
        while True:
            self._over(_SPACE)
            match = _PART.match(self._text, self._at)
            if match is None:
                return path
            path = (*path, _decoded(match[0]))
            self._found.setdefault(path, self._text.count("\n", 0, self._at) + 1)
            self._at = match.end()
            self._over(_SPACE)
            if self._peek() != ".":
                return path
            self._at += 1

    def _value(self, path: Key) -> None:
        match self._peek():
            case "{":
                self._items(path, "}")
            case "[":
                self._items(path, "]")
            case '"' | "'":
                self._over(_STRING)
            case _:
                self._over(_BARE)

    def _items(self, path: Key, end: str) -> None:
        self._at += 1
        while not self._over(_BLANK) and self._peek() != end:
            before = self._at
            if end == "}":
                self._pair(path)
            else:
                self._value(path)
            self._over(_BLANK)
            if self._peek() == ",":
                self._at += 1
            if self._at == before:
                return
        self._at += 1


def _decoded(part: str) -> str:
    return next(iter(tomllib.loads(f"{part} = 0"))) if part[0] in "\"'" else part
