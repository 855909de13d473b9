"""The archive: the orders that a desk has put away, in one SQLite file beside its journal (docs/journal.md).

Each row is everything that was known of an order when the journal's record ``mark`` was its last. It counts once a
segment has begun whose checkpoint tells up to that record and leaves the order out; a reader names the checkpoint that
it began from (``upto``), and later rows are nothing to it. An order that came back and is put away again has a second
row: what stands in an older segment goes with the older one.
"""

import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec

from gateways.standards import OrderStatus
from oms.finished import Finished
from oms.private_files import make_folder, open_file
from oms.records import JournalError

ARCHIVE = "archive.sqlite"
"""Its name in the journal's folder."""
FORMAT = 1
BUSY_S = 1.0
"""How long to wait for a file that is locked: only another writer locks it, and there is one."""
_TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    key TEXT, mark INTEGER, ts_ns INTEGER, status TEXT, data BLOB, PRIMARY KEY (key, mark)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS orders_by_time ON orders (ts_ns);
CREATE TABLE IF NOT EXISTS oids (
    venue TEXT, ticker TEXT, oid TEXT, key TEXT, PRIMARY KEY (venue, ticker, oid, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contracts (venue TEXT, ticker TEXT, ts_ns INTEGER, PRIMARY KEY (venue, ticker));
CREATE TABLE IF NOT EXISTS marks (mark INTEGER PRIMARY KEY);
"""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Finished).decode


class Archive:
    """The archive at ``path``, made when the first order is put away; in memory where there is none.

    One connection: for one thread at a time. Every method raises JournalError where the file cannot be read or written,
    or is damaged.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            self.close()

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # ------------------------------------------------------------------ writing

    def put(self, gone: Sequence[Finished], mark: int, upto: int) -> None:
        """Keep orders as they were at the journal's record ``mark``; they are on disk when this returns.

        ``upto``: the record up to which rows count now. Those from there to ``mark`` are of segments that never began,
        and removed. Nothing after it is: a desk that was started since may have put it there. A start removes nothing,
        so that one on the wrong journal can be undone.
        """
        with self._told("written"):
            connection = self._connection or self._connect()
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("DELETE FROM orders WHERE mark > ? AND mark <= ?", (upto, mark))
                connection.execute("DELETE FROM marks WHERE mark > ? AND mark <= ?", (upto, mark))
                connection.execute("INSERT OR REPLACE INTO marks VALUES (?)", (mark,))
                connection.executemany("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?)", _rows(gone, mark))
                connection.executemany(
                    "INSERT OR IGNORE INTO oids VALUES (?, ?, ?, ?)",
                    (
                        (each.order.venue, each.order.ticker, trades.oid, each.key)
                        for each in gone
                        for trades in each.trades
                    ),
                )
                connection.executemany(
                    "INSERT INTO contracts VALUES (?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET ts_ns = max(ts_ns, excluded.ts_ns)",
                    ((venue, ticker, ts_ns) for (venue, ticker), ts_ns in _contracts(gone).items()),
                )

    # ------------------------------------------------------------------ reading

    def has(self, mark: int) -> bool:
        """Whether orders were put away at ``mark``: a journal that says so cannot be read without them."""
        return bool(self._ask("SELECT mark FROM marks WHERE mark = ?", mark))

    def get(self, key: str, upto: int) -> Finished | None:
        """The order with that key."""
        found = self._ask("SELECT data FROM orders WHERE key = ? AND mark <= ? ORDER BY mark DESC LIMIT 1", key, upto)
        return self._finished(found[0][0]) if found else None

    def key_of(self, venue: str, ticker: str, oid: str, upto: int) -> str | None:
        """The key of the order that had that venue order id."""
        found = self._ask(
            "SELECT key FROM oids JOIN orders USING (key) WHERE venue = ? AND ticker = ? AND oid = ? AND mark <= ? "
            "ORDER BY mark DESC LIMIT 1", venue, ticker, oid, upto,
        )  # fmt: skip
        return str(found[0][0]) if found else None

    def starting(self, prefix: str, upto: int, most: int) -> list[str]:
        """At most so many keys that start with ``prefix``."""
        found = self._ask(
            "SELECT DISTINCT key FROM orders WHERE key >= ? AND key < ? AND mark <= ? LIMIT ?",
            prefix, prefix + "\U0010ffff", upto, most,
        )  # fmt: skip
        return [str(key) for (key,) in found]

    def ended_since(self, ts_ns: int, statuses: Iterable[OrderStatus], upto: int, most: int) -> list[tuple[int, str]]:
        """When, and which, orders ended so later than ``ts_ns``: the last ones, the latest first."""
        wanted = [status.value for status in statuses]
        marks = ", ".join("?" for _ in wanted)
        found = self._ask(
            f"SELECT ts_ns, key FROM orders WHERE ts_ns > ? AND mark <= ? AND status IN ({marks}) "  # noqa: S608  # only question marks are put in
            "ORDER BY ts_ns DESC LIMIT ?", ts_ns, upto, *wanted, most,
        )  # fmt: skip
        return [(ended_ns, key) for ended_ns, key in found]

    def contracts(self) -> dict[tuple[str, str], int]:
        """When an order of each contract (venue, ticker) that was put away last had news."""
        found = self._ask("SELECT venue, ticker, ts_ns FROM contracts")
        return {(venue, ticker): ts_ns for venue, ticker, ts_ns in found}

    def all(self, upto: int) -> Iterator[Finished]:
        """Every order, each once, read as they are asked for."""
        with self._told("read"):
            connection = self._opened()
            if connection is None:
                return
            with closing(connection.cursor()) as cursor:
                cursor.execute("SELECT max(mark), data FROM orders WHERE mark <= ? GROUP BY key", (upto,))
                for _, data in cursor:
                    yield self._finished(data)

    # ------------------------------------------------------------------ the file

    def _ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        with self._told("read"):
            connection = self._opened()
            return [] if connection is None else connection.execute(question, values).fetchall()

    def _finished(self, data: bytes) -> Finished:
        try:
            return _decode(zlib.decompress(data))
        except (zlib.error, msgspec.DecodeError) as error:
            raise JournalError(f"the archive {self._path} is damaged: {error}") from error

    def _opened(self) -> sqlite3.Connection | None:
        """The connection; None where nothing was ever put away."""
        if self._connection is None and self._path is not None and self._path.exists():
            self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        """Open the file, or make it."""
        if self._path is not None:
            make_folder(self._path.parent)
            os.close(open_file(self._path, os.O_RDWR | os.O_CREAT))  # what SQLite adds beside it is as private
        name = ":memory:" if self._path is None else str(self._path)
        connection = sqlite3.connect(name, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"the archive {self._path} cannot be {what}: {error}") from error


def _prepare(connection: sqlite3.Connection) -> None:
    """Set how safely it writes, and see that it is in this format."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version not in {0, FORMAT}:
        raise JournalError(f"the archive is in format {version}, this program reads format {FORMAT}")
    if version == 0:
        connection.executescript(_TABLES)
        connection.execute(f"PRAGMA user_version = {FORMAT}")


def _rows(gone: Iterable[Finished], mark: int) -> Iterator[tuple[str, int, int, str, bytes]]:
    for each in gone:
        order = each.order
        yield each.key, mark, order.ts_recv_ns, order.status.value, zlib.compress(_encode(each), 1)


def _contracts(gone: Iterable[Finished]) -> dict[tuple[str, str], int]:
    last: dict[tuple[str, str], int] = {}
    for each in gone:
        order = each.order
        if order.cloid:
            key = order.venue, order.ticker
            last[key] = max(last.get(key, 0), order.ts_recv_ns)
    return last
