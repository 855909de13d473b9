"""The desk's log: JSON lines in its folder, for its owner alone, bounded in size, and never in the engine's way.

Python's own ``logging``, with a bounded queue before the disk: who logs never waits, and what does not fit is counted
and told in a line of its own. Every text is cut of secrets before it is written. What the lines say: docs/logs.md.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from queue import Full, Queue
from typing import IO, Any

import msgspec

from console.starting import Start, UsageError
from gateways.transport.redact import Redactor
from gateways.venue import Endpoints
from oms.private_files import make_folder, open_file

LOG = logging.getLogger("hedgedesk")
"""Where the desk logs. ``extra={"fields": {...}}`` are the line's own fields."""

FILE = "log.jsonl"
FILE_BYTES = 8_000_000
OLD_FILES = 7
"""``log.jsonl.1`` (the newest) to ``.7``: with the present one the log takes at most 64 MB."""
LINES_WAITING = 10_000
"""Lines that may wait for the disk."""
LEVELS = ("debug", "info", "warning", "error")
_CLOSING_S = 2.0
_DROPPED = "lines dropped"

_encode = msgspec.json.Encoder(decimal_format="string", enc_hook=str).encode


class Outbox(QueueHandler):
    """Takes records without ever waiting. ``dropped``: how many found the queue full."""

    queue: "Queue[Any]"

    def __init__(self, waiting: int = LINES_WAITING) -> None:
        super().__init__(Queue(waiting))
        self.dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Take a record of ours as it is, its values are frozen; of any other, the text as it is now."""
        return record if hasattr(record, "fields") else super().prepare(record)

    def enqueue(self, record: logging.LogRecord) -> None:
        """Let it wait its turn, or count it."""
        try:
            self.queue.put_nowait(record)
        except Full:
            self.dropped += 1

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the base class's name
        """Count a record that could not be taken: a complaint on standard error would break the screen."""
        self.dropped += 1


class JsonLines(logging.Formatter):
    """One record as one line: ``ts``, ``level``, ``from``, ``event``, and the record's own fields, secrets cut."""

    def __init__(self, secrets: Redactor) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        when = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        line: dict[str, Any] = {"ts": when, "level": record.levelname.lower(), "from": record.name}
        line["event"] = self._secrets.cut(record.getMessage())
        line |= {name: self._cut(value) for name, value in getattr(record, "fields", {}).items() if value not in _NONE}
        if record.exc_info:
            line["trace"] = self._secrets.cut(self.formatException(record.exc_info))
        return _encode(line).decode()

    def _cut(self, value: object) -> object:
        if isinstance(value, str):
            return self._secrets.cut(value)
        return [self._secrets.cut(str(each)) for each in value] if isinstance(value, list | tuple) else value


_NONE: tuple[object, ...] = (None, "", (), [])


class LogFile(RotatingFileHandler):
    """The file and its old ones, each for its owner alone. ``failed``: lines that the disk did not take."""

    def __init__(self, path: Path, *, size: int = FILE_BYTES, old: int = OLD_FILES) -> None:
        super().__init__(path, maxBytes=size, backupCount=old, encoding="utf-8")
        self.failed = 0

    def _open(self) -> IO[str]:
        file = open_file(Path(self.baseFilename), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return os.fdopen(file, "a", encoding="utf-8")

    def close(self) -> None:
        """Close it. What a full disk does not take even now is lost: the desk ends as it would have ended."""
        try:
            super().close()
        except OSError:
            self.failed += 1

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the base class's name
        """Count it: a full disk must not write on the screen."""
        self.failed += 1


class _Writer(QueueListener):
    """The thread between the queue and the file; tells in a line of its own what was lost since the last one."""

    def __init__(self, outbox: Outbox, file: LogFile) -> None:
        super().__init__(outbox.queue, file)
        self._outbox = outbox
        self._file = file
        self._told = 0

    def handle(self, record: logging.LogRecord) -> None:
        """Write a record, and before it what had to be left out."""
        self._tell()
        super().handle(record)

    def stop(self) -> None:
        """Write what waits, for at most a few seconds: a disk that hangs must not keep the desk from ending."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        try:
            self.queue.put(self._sentinel, timeout=_CLOSING_S)
        except Full:
            return
        thread.join(_CLOSING_S)
        if not thread.is_alive():
            self._tell()
            self._file.close()

    def _tell(self) -> None:
        lost = self._outbox.dropped + self._file.failed
        if lost > self._told:
            count, self._told = lost - self._told, lost
            record = logging.makeLogRecord(
                {"name": LOG.name, "levelno": logging.WARNING, "levelname": "WARNING", "msg": _DROPPED,
                 "fields": {"count": count}}
            )  # fmt: skip
            super().handle(record)


def secrets_of(endpoints: Mapping[str, Endpoints]) -> Redactor:
    """What cuts the secrets of these accounts out of any text. The key of Hyperliquid is a public address."""
    secrets = Redactor()
    for alias, place in endpoints.items():
        named = [place.secret, place.secret.removeprefix("0x"), place.passphrase]
        for secret in named if (place.kind or alias) == "hyperliquid" else [*named, place.key]:
            secrets.add(secret)
    return secrets


@contextmanager
def desk_log(folder: Path, endpoints: Mapping[str, Endpoints], level: str = "info") -> Iterator[Path]:
    """Log to ``folder`` while inside: the desk's own lines from ``level`` on, all other libraries' warnings too.

    Gives the file's path. Raises OSError where the file cannot be written.
    """
    make_folder(folder)
    path = folder / FILE
    file = LogFile(path)
    file.setFormatter(JsonLines(secrets_of(endpoints)))
    outbox = Outbox()
    writer = _Writer(outbox, file)
    root, before = logging.getLogger(), LOG.level
    root.addHandler(outbox)
    LOG.setLevel(level.upper())
    writer.start()
    try:
        yield path
    finally:
        LOG.setLevel(before)
        root.removeHandler(outbox)
        writer.stop()


@contextmanager
def logged(start: Start, level: str) -> Iterator[None]:
    """`desk_log` of a desk that starts, with what ended it. Raises UsageError for one that cannot be written."""
    with ExitStack() as log:
        try:
            log.enter_context(desk_log(start.folder, start.endpoints, level))
        except OSError as error:
            raise UsageError(f"the log in {start.folder} cannot be written: {error.strerror}") from error
        try:
            yield
        except Exception as error:
            foreseen = type(error).__module__.partition(".")[0] in {"console", "oms", "gateways"}
            LOG.exception("ended by an error", exc_info=not foreseen, extra={"fields": {"text": str(error)}})
            raise
