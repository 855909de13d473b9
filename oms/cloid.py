"""Client order ids: 128 bits, written as 32 hex characters, that say what an order is with the journal gone.

::

    hex digits   0-7       8-13     14        15     16-19   20-31
                 sequence  check    version   kind   desk    session
                 32 bits   24 bits  4 bits    4      16      48

* **session**: when the session started, milliseconds since 1970 UTC: a time, never a counter, so that a desk whose
  files were lost does not repeat itself;
* **desk**: the tag of this desk among those that trade the account;
* **kind**: what the order is for (`CloidKind`);
* **version**: of this layout, 1;
* **check**: the low 24 bits of the CRC-32 of the product's name and all other digits, so that an id that somebody else
  wrote in 32 hex characters is not taken for ours (one in 2**30 of random ones is);
* **sequence**: counts the session's orders, over all kinds, and comes first and mixed, ``(sequence * 0x9E3779B1 +
  offset) mod 2**32`` with an offset that desk and session give. The multiplier is 2**32 over the golden ratio
  (Knuth, TAOCP vol. 3, 6.4: Fibonacci hashing), which spreads consecutive numbers as far apart as can be: any 50,000
  consecutive orders of a session differ in their first four digits, so a trader can name an order ``7f3a``.
"""

import zlib
from enum import IntEnum

import msgspec

VERSION = 1
SEQUENCE_LIMIT = 1 << 32
"""How many orders a session can name."""

_DESK_LIMIT = 1 << 16
_SESSION_LIMIT = 1 << 48
_MAGIC_CRC = zlib.crc32(b"hedgedesk")
_GOLDEN = 0x9E3779B1
_GOLDEN_INVERSE = pow(_GOLDEN, -1, SEQUENCE_LIMIT)
_HEX = frozenset("0123456789abcdef")


class CloidKind(IntEnum):
    """What an order of ours is for."""

    MAKER = 1
    HEDGE = 2
    ALGO = 3
    FLATTEN = 4
    MANUAL = 5


_KINDS = {kind.value: kind for kind in CloidKind}


class Cloid(msgspec.Struct, frozen=True):
    """What a client order id of ours says."""

    text: str
    """32 lower case hex characters, no prefix."""
    desk: int
    kind: CloidKind
    session_ms: int
    """When the session started, milliseconds since 1970 UTC."""
    sequence: int


def make(desk: int, kind: CloidKind, session_ms: int, sequence: int) -> str:
    """Write an id.

    Raises OverflowError for a sequence beyond 32 bits, ValueError for a desk or a session that does not fit.
    """
    if not 0 <= desk < _DESK_LIMIT:
        raise ValueError(f"desk tag {desk} is not between 0 and {_DESK_LIMIT - 1}")
    if not 0 <= session_ms < _SESSION_LIMIT:
        raise ValueError(f"session start {session_ms} is not a time in milliseconds that fits 48 bits")
    rest = f"{VERSION:x}{kind.value:x}{desk:04x}{session_ms:012x}"
    return _written(rest, _offset(rest), sequence)


def _written(rest: str, offset: int, sequence: int) -> str:
    if not 0 <= sequence < SEQUENCE_LIMIT:
        raise OverflowError(f"order number {sequence} of this session does not fit 32 bits: start a new session")
    mixed = f"{(sequence * _GOLDEN + offset) % SEQUENCE_LIMIT:08x}"
    return f"{mixed}{_check(mixed, rest):06x}{rest}"


def parse(text: str | None) -> Cloid | None:
    """Read an id, with or without ``0x``, in either case; None when it is not one of ours."""
    if text is None:
        return None
    digits = text.lower().removeprefix("0x")
    if len(digits) != 32 or not _HEX.issuperset(digits):
        return None
    mixed, check, rest = digits[:8], digits[8:14], digits[14:]
    kind = _KINDS.get(int(rest[1], 16))
    if kind is None or int(rest[0], 16) != VERSION or int(check, 16) != _check(mixed, rest):
        return None
    sequence = (int(mixed, 16) - _offset(rest)) * _GOLDEN_INVERSE % SEQUENCE_LIMIT
    return Cloid(digits, int(rest[2:6], 16), kind, int(rest[6:], 16), sequence)


def _check(mixed: str, rest: str) -> int:
    return zlib.crc32((mixed + rest).encode(), _MAGIC_CRC) & 0xFFFFFF


def _offset(rest: str) -> int:
    # without the kind's digit: orders of all kinds share one sequence, and its spread
    return zlib.crc32(rest[2:].encode())


class CloidSource:
    """The ids of one session, in sequence; ``rand_cloid`` of the OMS draws from it."""

    def __init__(self, desk: int, session_ms: int) -> None:
        # A bad desk or session is refused now rather than at the first order.
        rests = {kind: make(desk, kind, session_ms, 0)[14:] for kind in CloidKind}
        self.desk = desk
        self.session_ms = session_ms
        self._parts = {kind: (rest, _offset(rest)) for kind, rest in rests.items()}
        """By kind, what is the same in all its ids of this session, and where their sequence begins."""
        self._sequence = 0

    def next(self, kind: CloidKind) -> str:
        """A new id. Raises OverflowError once the session has used them all."""
        rest, offset = self._parts[kind]
        text = _written(rest, offset, self._sequence)
        self._sequence += 1
        return text
