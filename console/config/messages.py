"""What is wrong with a configuration, in sentences that name where, which key, what stands there and what may."""

import difflib
import re
from collections.abc import Iterable

import msgspec

LONGEST_SHOWN = 32
"""Characters of a value that a message repeats; a longer one might be a secret in the wrong place."""

_SECRET_LIKE = re.compile(r"[A-Za-z0-9+/=_-]{20,}")
_SECRET_ENDS = (
    "secret",
    "secretkey",
    "privatekey",
    "apikey",
    "accesskey",
    "passphrase",
    "password",
    "passwd",
    "mnemonic",
)
_SECRET_WORDS = frozenset({"key", "token", "credentials", "seedphrase"})


class ConfigError(ValueError):
    """A configuration that cannot be used. ``problems``: all that is wrong, a sentence each; the text is the first."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        more = len(self.problems) - 1
        rest = f" (and {more} more: hedgedesk check lists them)" if more else ""
        super().__init__(f"{self.problems[0]}{rest}")


class Place(msgspec.Struct, frozen=True):
    """Where a value comes from: a line of a file, or a variable of the environment."""

    source: str
    line: int | None = None

    def __str__(self) -> str:
        source = printable(self.source)
        return source if self.line is None else f"{source}:{self.line}"


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence on an unknown name: the one that is meant, perhaps, or all that there are."""
    names = sorted(known)
    folded = {each.casefold(): each for each in names}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if near:
        return f"did you mean {folded[near[0]]}?"
    return f"there is {', '.join(names)}" if names else "nothing may stand here"


def is_secret_name(name: str) -> bool:
    """Whether a key is one that people put secrets under."""
    plain = re.sub(r"[\s._-]", "", name).casefold()
    return plain.endswith(_SECRET_ENDS) or plain in _SECRET_WORDS


def looks_secret(text: str) -> bool:
    """Whether a text might be a key or a secret: it is long, or a long run of letters and digits."""
    return len(text) > LONGEST_SHOWN or _SECRET_LIKE.search(text) is not None


def shown(value: object) -> str:
    """A value as a message repeats it; what might be a secret is only measured."""
    text = repr(value) if isinstance(value, str) else str(value)
    if isinstance(value, str) and looks_secret(value):
        return f"a text of {len(value)} characters"
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def dotted(key: Iterable[object]) -> str:
    """A key's path as it is written; a part that might be a secret is not repeated."""
    return ".".join("***" if looks_secret(str(part)) else printable(str(part)) for part in key)


def printable(text: str) -> str:
    """A text with what a terminal would not show, or obey, written as an escape."""
    return text if text.isprintable() else repr(text)[1:-1]


def plain_words(text: str) -> str:
    """A parser's complaint as the rest of a sentence, without what it quotes beyond a character."""
    words = re.sub(r"'[^']{4,}'|\"[^\"]{4,}\"", "...", text)
    return words[:1].lower() + words[1:].rstrip(".")


def without_secrets(text: str) -> str:
    """A sentence with the words that might be secrets masked."""
    return re.sub(r"\S*[A-Za-z0-9]{20,}\S*", "***", text)
