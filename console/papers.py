"""The embedded paper venues: a process of their own, started and stopped with whoever needs them.

The process prints one JSON line with its addresses and keys, which ``gateways.router.load_endpoints`` reads, and then
serves until SIGTERM, or until its parent is gone. It stands in its own session, so that ctrl+c in the terminal reaches
the desk first and the desk can still settle on living venues.
"""

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import IO, Self

import msgspec

import gateways
from gateways.errors import VenueError
from gateways.router import load_endpoints
from gateways.venue import Endpoints

VENUES = ("binance", "hyperliquid")
SEED = 7

START_S = 30.0
"""How long the venues may take to be ready; normally about a second."""
STOP_S = 5.0
"""How long they may take to end before they are killed."""
KEPT_LINES = 50
"""How much of what they say on stderr is kept for an error."""


class PaperError(Exception):
    """The paper venues did not start. One sentence; ``usage`` when what they were asked for was wrong."""

    def __init__(self, text: str, *, usage: bool = False) -> None:
        super().__init__(text)
        self.usage = usage


class PaperSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which paper venues, and on what market."""

    venues: tuple[str, ...] = VENUES
    seed: int = SEED
    market: Path | None = None
    """Recorded trades to replay; None for the seeded random market."""
    ticker: str | None = None
    """The contract that the recording is of."""
    speed: Decimal = Decimal(1)
    """How many times faster than recorded."""
    live_data: Path | None = None
    """The venues whose public data make the market, in the place of all of the above but the seed of the keys."""
    bases: tuple[str, ...] = ()
    """The base assets that are listed with it; empty for the usual ones."""

    @property
    def module(self) -> str:
        """The module that serves them as a process."""
        return "gateways.paper" if self.live_data is None else "console.live_data"

    def arguments(self) -> list[str]:
        """These settings as the arguments of that module."""
        if self.live_data is not None:
            listed = ["--bases", ",".join(self.bases)] if self.bases else []
            return ["--live-data", str(self.live_data), "--seed", str(self.seed), *listed]
        words = ["--venues", ",".join(self.venues), "--seed", str(self.seed)]
        if self.market is not None:
            words += ["--market", str(self.market), "--ticker", str(self.ticker), "--speed", f"{self.speed:f}"]
        return words


class PaperProcess:
    """The paper venues' process. A context manager: ready inside, ended outside.

    ``command`` is the program to start, for those who bring their own venues; the settings' arguments are added.
    """

    def __init__(
        self,
        settings: PaperSettings | None = None,
        *,
        command: Sequence[str] | None = None,
        start_s: float = START_S,
        stop_s: float = STOP_S,
    ) -> None:
        self.settings = settings or PaperSettings()
        self.endpoints: dict[str, Endpoints] = {}
        """Where the venues are, by alias; filled by ``start``."""
        program = command or (sys.executable, "-P", "-m", self.settings.module)
        self._command = [*program, *self.settings.arguments(), "--with-parent"]
        self._start_s = start_s
        self._stop_s = stop_s
        self._process: subprocess.Popen[str] | None = None
        self._readers: list[threading.Thread] = []
        self._first_line: Queue[str] = Queue(maxsize=1)
        self._stderr: deque[str] = deque(maxlen=KEPT_LINES)

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> dict[str, Endpoints]:
        """Start the venues and wait until they are ready. Raises PaperError, leaving nothing behind."""
        if self._process is not None:
            raise PaperError("the paper venues were started already")
        try:
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module, no shell
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=same_code(),
                start_new_session=True,
            )
        except OSError as error:
            raise PaperError(f"the paper venues cannot be started: {error}") from error
        self._listen(self._process)
        try:
            self.endpoints = self._read_endpoints(self._process)
        except BaseException:
            self.stop()
            raise
        return self.endpoints

    def stop(self) -> None:
        """End the process (SIGTERM, and SIGKILL for one that does not listen) and wait for it. Idempotent."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(self._stop_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for reader in self._readers:
            reader.join(self._stop_s)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        self._process = None
        self._readers = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        """Read both pipes to their ends, so that the venues can never block on a full one."""
        for read, pipe in ((self._read_stdout, process.stdout), (self._read_stderr, process.stderr)):
            reader = threading.Thread(target=read, args=(pipe,), name=f"paper {process.pid} output", daemon=True)
            reader.start()
            self._readers.append(reader)

    def _read_stdout(self, pipe: IO[str]) -> None:
        self._first_line.put(pipe.readline())
        deque(pipe, maxlen=0)  # what follows is no part of the contract, and must not fill the pipe

    def _read_stderr(self, pipe: IO[str]) -> None:
        for line in pipe:
            if line.strip():
                self._stderr.append(line.strip())

    def _read_endpoints(self, process: subprocess.Popen[str]) -> dict[str, Endpoints]:
        try:
            line = self._first_line.get(timeout=self._start_s)
        except Empty:
            raise PaperError(
                f"the paper venues were not ready within {self._start_s:g} s{self._last_words()}"
            ) from None
        if not line:
            self._readers[1].join(self._stop_s)
            try:
                status = process.wait(self._stop_s)
            except subprocess.TimeoutExpired:
                raise PaperError(f"the paper venues did not say where they are{self._last_words()}") from None
            raise PaperError(
                f"the paper venues ended with status {status} instead of starting{self._last_words()}",
                usage=status == 2,
            )
        try:
            return load_endpoints(line)
        except (VenueError, ValueError) as error:
            raise PaperError(f"the paper venues said where they are in words that cannot be read: {error}") from error

    def _last_words(self) -> str:
        return f": {self._stderr[-1]}" if self._stderr else ""


def same_code() -> dict[str, str]:
    """The environment in which the child imports the very packages that run here, whatever its folder."""
    root = str(Path(gateways.__path__[0]).parent)
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, before] if before else [root]), "PYTHONUNBUFFERED": "1"}
