"""What a console and an engine in another process say to each other: msgpack, one message in a websocket frame.

A console begins with ``Hello``; the engine answers ``Welcome`` or, before it closes, ``Refused``. ``VERSION`` is that
of these messages: asking, PANIC among it, works between builds as long as it holds. The records inside of frames
change more often: who wants frames must have the same ``fingerprint`` of them.
"""

import functools
import hashlib
from typing import Any, TypeVar

import msgspec

from console.link import Frame, Preview, Reply
from console.status import Status

T = TypeVar("T")

VERSION = 1

MOST_ASKED_BYTES = 65_536
"""Of one message to an engine."""
MOST_TOLD_BYTES = 16 * 1024 * 1024
"""Of one message to a console."""
SLICE = 500
"""Rows in one message: more are told in several, so that no console takes much of the engine's time at once."""


class WireError(Exception):
    """A message that is none of ours. One phrase."""


# ------------------------------------------------------------------ to the engine


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Who comes, and for what."""

    version: int
    records: str = ""
    """The ``fingerprint`` of one who wants frames; empty for one who only asks."""
    view: bool = False
    """Only to look."""
    name: str = ""
    """What it is called in the lists of who is attached."""


class Command(msgspec.Struct, frozen=True, tag="command"):
    """Run a command line."""

    ask: int
    line: str


class Check(msgspec.Struct, frozen=True, tag="preview"):
    """Say what a command line would do."""

    ask: int
    line: str


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Stop in two phases; go on where something is left."""

    ask: int


class AwaitIdle(msgspec.Struct, frozen=True, tag="idle"):
    """Answer once nothing is in flight or due."""

    ask: int
    within_s: float


class AskStatus(msgspec.Struct, frozen=True, tag="status"):
    """Say how it stands."""

    ask: int


class Watch(msgspec.Struct, frozen=True, tag="watch"):
    """Tell a contract's ladder and trades. Has no answer."""

    venue: str
    ticker: str


Asked = Command | Check | Stop | AwaitIdle | AskStatus
ToEngine = Hello | Asked | Watch

# ------------------------------------------------------------------ to the console


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """Taken in."""

    version: int
    pid: int
    view: bool


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Not taken in, or let go: one sentence."""

    text: str


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """To ``ask``, one of the three."""

    ask: int
    reply: Reply | None = None
    preview: Preview | None = None
    status: Status | None = None


class Told(msgspec.Struct, frozen=True, tag="frame"):
    """What changed; until ``Whole``, a part of how everything stands."""

    frame: Frame


class Whole(msgspec.Struct, frozen=True, tag="whole"):
    """Everything has been told once: what was known from before and did not come again is no more."""


class Farewell(msgspec.Struct, frozen=True, tag="farewell"):
    """The engine ends: why, in one phrase."""

    text: str


ToConsole = Welcome | Refused | Answer | Told | Whole | Farewell

# ------------------------------------------------------------------------- bytes

encode = msgspec.msgpack.Encoder().encode
_to_engine = msgspec.msgpack.Decoder(ToEngine)
_to_console = msgspec.msgpack.Decoder(ToConsole)


def read_asked(message: bytes | str) -> ToEngine:
    """A message to an engine. Raises WireError."""
    return _read(_to_engine, message)


def read_told(message: bytes | str) -> ToConsole:
    """A message to a console. Raises WireError."""
    return _read(_to_console, message)


def _read(decoder: "msgspec.msgpack.Decoder[T]", message: bytes | str) -> T:
    if isinstance(message, str):
        raise WireError("text where bytes belong")
    try:
        return decoder.decode(message)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise WireError(f"no message: {error}") from error


@functools.cache
def fingerprint() -> str:
    """What tells one form of the records in frames from another: a hash of their fields and types."""
    schema = _without_words(msgspec.json.schema(Frame))
    return hashlib.sha256(msgspec.json.encode(schema, order="deterministic")).hexdigest()[:16]


def _without_words(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {name: _without_words(value) for name, value in schema.items() if name not in {"description", "title"}}
    return [_without_words(value) for value in schema] if isinstance(schema, list) else schema


def refusal(hello: Hello) -> str:
    """Why an engine of this build does not take one in: a sentence, empty where it does."""
    if hello.version != VERSION:
        return f"this engine speaks version {VERSION} of the link and not {hello.version}: use the hedgedesk it runs"
    if hello.records and hello.records != fingerprint():
        return (
            "this engine is of another build and tells other records: start it anew, or use the console it came with; "
            "`hedgedesk panic`, `status` and `exec` work with it as it is"
        )
    return ""
