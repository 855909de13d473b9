"""The words of one command line, read from left to right, with the column of each.

The reader remembers what was allowed at each place: refusals list it, and completion is made of it, so that neither
can drift from the grammar.
"""

import re
from decimal import Decimal
from typing import NamedTuple, NoReturn

CONTRACT = "VENUE:TICKER"
VENUE = "VENUE"

LONGEST_LINE = 2000
"""Characters. Far more than an order with many legs needs; what is longer was not meant for us."""

LONGEST_REASON = 200
"""Characters of what an operator gives as a reason: it goes into the journal and on the screen."""

_WORD = re.compile(r"@(?=[^\s])|\S+")
_NUMBER = re.compile(r"([0-9]*)(?:\.([0-9]+))?")
_VENUE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_ID = re.compile(r"(?:0x)?([0-9a-f]{4,32})")
_TIME = re.compile(r"([0-9.]+)(ms|s)")

WHOLE_DIGITS = 15
DECIMAL_DIGITS = 12
"""Together within the 28 digits of decimal arithmetic, so that nothing typed is ever rounded."""

LONGEST_MS = 86_400_000


class GrammarError(ValueError):
    """A line that is not of the grammar. ``text``: one sentence; ``caret``: the 0-based column it is about."""

    def __init__(self, text: str, caret: int) -> None:
        super().__init__(text)
        self.text = text
        self.caret = caret


class Word(NamedTuple):
    """One word and its 0-based column."""

    text: str
    column: int


def split(line: str) -> list[Word]:
    """The words of a line. ``@`` stands alone even where it touches the price; ``#`` begins a comment."""
    words: list[Word] = []
    for match in _WORD.finditer(line):
        if match.group().startswith("#"):
            break
        words.append(Word(match.group(), match.start()))
    return words


class Reader:
    """Takes words one after another. ``allowed`` and ``places`` are what it learnt on the way."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.words = split(line)
        self.index = 0
        self.end = self.words[-1].column + len(self.words[-1].text) if self.words else 0
        self.allowed: dict[int, list[str]] = {}
        """What could stand at each index: keywords, or ``VENUE`` and ``VENUE:TICKER``."""
        self.places: dict[str, int] = {}
        """The column of each field read so far, by the names that checks use (``amount``, ``leg 1 ticker``)."""

    @property
    def next(self) -> Word | None:
        """The word that comes next, None at the end."""
        return self.words[self.index] if self.index < len(self.words) else None

    def fail(self, text: str, at: Word | None = None) -> NoReturn:
        """Raise GrammarError at a word (None: at the next one, or after the last)."""
        word = at or self.next
        raise GrammarError(text, word.column if word else self.end)

    def expect(self, *kinds: str) -> None:
        """Note what may stand here."""
        here = self.allowed.setdefault(self.index, [])
        here.extend(kind for kind in kinds if kind not in here)

    def keyword(self, *names: str) -> str | None:
        """Take the next word if it is one of ``names``, in any case; None leaves it."""
        self.expect(*names)
        word = self.next
        if word is None or word.text.lower() not in names:
            return None
        self.index += 1
        return word.text.lower()

    def take(self, what: str) -> Word:
        """Take the next word, whatever it is; refuse the end of the line, naming ``what`` is missing."""
        word = self.next
        if word is None:
            self.fail(f"{what} is missing at the end")
        self.index += 1
        return word

    def mark(self, field: str) -> None:
        """Remember that ``field`` stands at the next word."""
        word = self.next
        self.places[field] = word.column if word else self.end

    def finish(self) -> None:
        """Refuse anything that is left, with what could have stood here."""
        word = self.next
        if word is not None:
            here = self.allowed.get(self.index)
            allowed = f"allowed is {one_of([*here, 'the end of the line'])}" if here else "the line ends before it"
            self.fail(f"{shorten(word.text)!r} is not understood here: {allowed}")

    # ------------------------------------------------------------------ values

    def number(self, what: str) -> Decimal:
        """Take a plain decimal above zero."""
        word = self.take(f"{what}, a number like 0.5,")
        return self.as_number(what, word, word.text)

    def signed(self, what: str) -> Decimal:
        """Take a plain decimal that is not zero, with a sign or without."""
        word = self.take(f"{what}, a number like 0.5 or -0.5,")
        text = word.text.removeprefix("-") if word.text.startswith("-") else word.text.removeprefix("+")
        if not text or _NUMBER.fullmatch(text) is None:
            self.fail(f"{what} must be a plain number like 0.5 or -0.5, not {shorten(word.text)!r}", word)
        value = self.as_number(what, word, text, zero=True)
        if value == 0:
            self.fail(f"{what} must not be zero", word)
        return -value if word.text.startswith("-") else value

    def as_number(self, what: str, word: Word, text: str, *, zero: bool = False) -> Decimal:
        """``text``, a part of ``word``, as a plain decimal above zero (or ``zero`` itself)."""
        match = _NUMBER.fullmatch(text)
        if match is None or not text:
            self.fail(f"{what} must be a plain number above zero like 0.5, not {shorten(word.text)!r}", word)
        whole, fraction = match.group(1).lstrip("0"), match.group(2) or ""
        if len(whole) > WHOLE_DIGITS or len(fraction) > DECIMAL_DIGITS:
            self.fail(
                f"{what} may have at most {WHOLE_DIGITS} digits before the point and {DECIMAL_DIGITS} after it, "
                f"not {shorten(word.text)!r}",
                word,
            )
        value = Decimal(text)
        if value == 0 and not zero:
            self.fail(f"{what} must be above zero, not {word.text!r}", word)
        return value

    def reason(self) -> str:
        """Take ``because`` and all that is left of the line as a reason; empty where there is none."""
        if self.keyword("because") is None:
            return ""
        word = self.next
        if word is None:
            self.fail("the reason after because is missing at the end")
        text = " ".join(self.line[word.column : self.end].split())
        if not text.isprintable():
            self.fail("a reason must be of printable characters", word)
        if len(text) > LONGEST_REASON:
            self.fail(f"a reason may have at most {LONGEST_REASON} characters, not {len(text)}", word)
        self.index = len(self.words)
        return text

    def contract(self, field: str = "") -> tuple[str, str]:
        """Take ``VENUE:TICKER``; the venue in lower case, the ticker as given. ``field`` prefixes the places."""
        self.expect(CONTRACT)
        word = self.take("a contract, VENUE:TICKER like binance:ETHUSDT,")
        venue, colon, ticker = word.text.partition(":")
        self.places[f"{field}venue"] = word.column
        self.places[f"{field}ticker"] = word.column + len(venue) + len(colon)
        if not colon or not ticker or not _VENUE.fullmatch(venue.lower()) or not _is_ticker(ticker):
            self.fail(f"a contract is VENUE:TICKER like binance:ETHUSDT, not {shorten(word.text)!r}", word)
        return venue.lower(), ticker

    def venue(self) -> str:
        """Take a venue's alias."""
        self.expect(VENUE)
        word = self.take("a venue like binance")
        if not _VENUE.fullmatch(word.text.lower()):
            self.fail(f"a venue is a name like binance, not {shorten(word.text)!r}", word)
        return word.text.lower()

    def name(self, what: str) -> str:
        """Take the name of a desk, as it is: letters are not made small, for it is typed to mean it."""
        self.mark("name")
        word = self.take(what)
        if not _VENUE.fullmatch(word.text):
            self.fail(f"{what} is small letters, digits, - and _, not {shorten(word.text)!r}", word)
        return word.text

    def order_id(self) -> str:
        """Take the first hex digits of a cloid."""
        word = self.take("an order id, 4 or more hex digits like 7f3a,")
        found = hex_prefix(word.text)
        if found is None:
            self.fail(f"an order id is 4 to 32 hex digits like 7f3a, not {shorten(word.text)!r}", word)
        return found

    def duration(self, what: str) -> int:
        """Take a time, ``250ms`` or ``2s``; return whole milliseconds (0 to a day)."""
        word = self.take(f"{what}, a time like 250ms or 2s,")
        match = _TIME.fullmatch(word.text.lower())
        if match is None or _NUMBER.fullmatch(match.group(1)) is None:
            self.fail(f"{what} must be a time like 250ms or 2s, not {shorten(word.text)!r}", word)
        number, unit = match.groups()
        if len(number) > WHOLE_DIGITS:
            self.fail(f"{what} must be at most a day, not {shorten(word.text)!r}", word)
        ms = Decimal(number) * (1000 if unit == "s" else 1)
        if ms != ms.to_integral_value() or ms > LONGEST_MS:
            self.fail(f"{what} must be whole milliseconds and at most a day, not {word.text!r}", word)
        return int(ms)


def hex_prefix(text: str) -> str | None:
    """The hex digits of an order id, without ``0x``, in lower case; None if it is none."""
    match = _ID.fullmatch(text.lower())
    return match.group(1) if match else None


def one_of(allowed: list[str]) -> str:
    """``a, b or c``; empty for nothing."""
    return f"{', '.join(allowed[:-1])} or {allowed[-1]}" if len(allowed) > 1 else "".join(allowed)


def shorten(text: str) -> str:
    """A word as it goes into a sentence: not longer than 40 characters."""
    return text if len(text) <= 40 else f"{text[:37]}..."


def _is_ticker(text: str) -> bool:
    return len(text) <= 40 and text.isprintable()
