"""``hedgedesk status``: which desks run, in which states, and where the file is whose touch stops each.

A running engine keeps a file of its own in the user's state folder (0600) and holds its lock (flock): when the process
ends in any way, the operating system lets go, and the file is known to be left over.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from gateways.standards import ZERO
from oms.private_files import make_folder, open_file
from oms.states import Trading

if TYPE_CHECKING:
    from oms.system import OMS

if sys.platform != "win32":
    import fcntl

EVERY_S = 0.5
SILENT_NS = 5_000_000_000
"""After so long without a word an engine that still holds its file is said not to answer."""
MOST_BYTES = 65_536
TRIES = 3
"""Reading may meet a writing in its middle."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What a running engine says of itself."""

    pid: int
    desk: str
    """Of a live desk its name; ``paper`` of one on paper."""
    ts_started_ns: int
    ts_ns: int
    """When this was written, by the desk's clock."""
    arming: str
    trading: str
    because: str
    makers: int
    children: int
    """Hedge orders not proven done."""
    unhedged: dict[str, Decimal]
    """Balances that are not zero, signed base units by VENUE:TICKER."""
    venues: dict[str, bool]
    """Whether each can be reached in every way."""
    clocks_ms: dict[str, int] = {}
    """The clocks of the venues that were measured, less ours."""
    folder: str
    """Where the journal is."""
    kill_file: str
    """Touched, it pulls the kill switch."""
    profile: str = ""
    """By whose name consoles find it; empty for a desk inside a console or a script."""
    config: str = ""
    """The file that the profile stands in, empty where nothing is configured."""
    socket: str = ""
    """Where consoles attach to it, empty where none can."""
    consoles: int = 0
    """How many are attached."""


def status_of(oms: "OMS", folder: Path) -> Status:
    """What ``oms`` says of itself now."""
    books = oms.kernel.books.values()
    rows = {alias: oms.health.row(alias) for alias in oms.gateway.venues}
    watched = {alias for alias, _ in oms.supervisor.watched}
    return Status(
        pid=os.getpid(), desk=oms.state.live.name if oms.state.live is not None else "paper",
        ts_started_ns=oms.started_ns, ts_ns=oms.clock.now_ns(), arming=oms.arming.value, trading=oms.trading.value,
        because=oms.state.because, makers=len(oms.makers_working()),
        children=sum(len(book.open_children) for book in books),
        unhedged={f"{book.venue}:{book.ticker}": book.balance for book in books if book.balance != ZERO},
        venues={
            alias: (row.public or alias not in watched) and row.private and row.rest for alias, row in rows.items()
        },
        clocks_ms={
            alias: row.clock_offset_ns // 1_000_000 for alias, row in rows.items() if row.clock_offset_ns is not None
        },
        folder=str(folder), kill_file=str(oms.killswitch.file or ""),
    )  # fmt: skip


class StatusFile:
    """The file of one engine, its lock held until ``close``. Raises OSError where it cannot be made."""

    def __init__(self, running: Path) -> None:
        make_folder(running)
        self.path = running / f"{os.getpid()}-{os.urandom(4).hex()}.json"
        made = self.path.with_suffix(".new")
        self._file = open_file(made, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        if sys.platform != "win32":
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        made.rename(self.path)  # locked before anybody can see it, and take it for left over

    def write(self, status: Status) -> None:
        """Put the state into the place of the last one."""
        text = msgspec.json.encode(status)
        os.pwrite(self._file, text, 0)
        os.ftruncate(self._file, len(text))

    def close(self) -> None:
        """Remove the file and let go of its lock."""
        with contextlib.suppress(OSError):  # one that stays is nobody's: its lock is free
            self.path.unlink()
        os.close(self._file)


@asynccontextmanager
async def telling(
    oms: "OMS", folder: Path, running: Path, about: Callable[[Status], Status] | None = None
) -> AsyncIterator[None]:
    """Keep the status of ``oms`` in a file under ``running`` within this block. That it cannot be written is told.

    ``about`` adds what only its process knows: where it listens and to whom.
    """

    def status() -> Status:
        told = status_of(oms, folder)
        return told if about is None else about(told)

    try:
        file = StatusFile(running)
        file.write(status())
    except OSError as error:
        oms.alert("", "", f"`hedgedesk status` will not show this desk, {running} cannot be written: {error.strerror}")
        yield
        return
    task = asyncio.create_task(_keep(oms, status, file), name="status")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        file.close()


async def _keep(oms: "OMS", status: Callable[[], Status], file: StatusFile) -> None:
    told = False
    while True:
        try:
            file.write(status())
        except OSError as error:
            if not told:
                oms.alert("", "", f"the status of this desk cannot be written: {error.strerror}")
            told = True
        await asyncio.sleep(EVERY_S)


# ------------------------------------------------------------------------ reading


def named_status(status: Status, profile: str, config: str) -> Status:
    """A status with the profile by which consoles find the desk."""
    return msgspec.structs.replace(status, profile=profile, config=config)


class Named(Protocol):
    """What a desk is known by."""

    @property
    def desk(self) -> str:
        """Its name."""
        ...

    @property
    def profile(self) -> str:
        """Its profile's."""
        ...

    @property
    def pid(self) -> int:
        """Its process."""
        ...


N = TypeVar("N", bound=Named)


def fitting(desks: Iterable[N], named: str | None) -> list[N]:
    """Those that are named by their desk, their profile or their process; all for None."""
    return [one for one in desks if named is None or named in {one.desk, one.profile, str(one.pid)}]


def running_desks(running: Path) -> list[Status]:
    """The desks that run, in the order of their start. Files that are nobody's are removed."""
    found = [status for path in sorted(running.glob("*.json")) if (status := _read(path)) is not None]
    return sorted(found, key=lambda status: status.ts_started_ns)


def _read(path: Path) -> Status | None:
    for _ in range(TRIES):
        try:
            with path.open("rb") as file:
                if _is_free(file.fileno()):
                    path.unlink(missing_ok=True)
                    return None
                return msgspec.json.decode(file.read(MOST_BYTES), type=Status)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # just being written
        except OSError:
            return None  # its engine has just ended
    return None


def _is_free(file: int) -> bool:
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def described(status: Status, now_ns: int) -> Iterable[str]:
    """The lines for people."""
    live = status.arming != "PAPER"
    since = datetime.fromtimestamp(status.ts_started_ns // 1_000_000_000, UTC).isoformat()
    words = f"{'LIVE ' if live else ''}{status.arming}, {status.trading}"
    yield f"{status.desk}: {words} (process {status.pid}, since {since})"
    if now_ns - status.ts_ns > SILENT_NS:
        yield f"  IT DOES NOT ANSWER: not a word for {(now_ns - status.ts_ns) // 1_000_000_000} s"
    if status.because:
        yield f"  {status.because}"
    elif status.trading != Trading.ACTIVE.value:
        yield "  `activate` allows makers again"
    owed = ", ".join(f"{amount:f} {where}" for where, amount in status.unhedged.items())
    yield f"  makers {status.makers}, hedge orders open {status.children}, unhedged {owed or 'nothing'}"
    venues = ", ".join(f"{alias} {'up' if up else 'NOT UP'}" for alias, up in status.venues.items())
    yield f"  venues: {venues}"
    if status.clocks_ms:
        yield f"  their clocks: {', '.join(f'{alias} {ms:+d} ms' for alias, ms in status.clocks_ms.items())}"
    yield f"  journal and log: {status.folder}"
    if status.socket:
        yield f"  consoles attached: {status.consoles}; to attach one: hedgedesk attach --desk {status.pid}"
    yield f"  to stop it from any shell: hedgedesk panic, or touch {status.kill_file}"
