"""Which engines of this user run, how one is named, and how one is started that goes on without whoever started it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from console.carrier.keeping import Kept, all_kept, keeper_of
from console.papers import same_code
from console.status import Status, fitting, running_desks
from gateways.errors import Denied, Unavailable
from oms.private_files import make_folder, open_file

START_S = 60.0
"""How long an engine may take to be ready: it takes up its past and asks every venue."""
_LOOK_S = 0.05
_TAIL = 4_096


def engines(running: Path) -> list[Status]:
    """The engines that take consoles."""
    return [status for status in running_desks(running) if status.socket]


def of_profile(running: Path, profile: str, config: str) -> Status | None:
    """The engine of a profile of a configuration; None where none runs."""
    return next(iter(_all_of(running, profile, config)), None)


def _all_of(running: Path, profile: str, config: str) -> list[Status]:
    return [one for one in engines(running) if (one.profile, one.config) == (profile, config)]


def down(running: Path, named: str | None = None) -> list[Kept]:
    """The desks whose engine somebody keeps running, and which is not up just now; those of a name."""
    up = {status.kill_file for status in running_desks(running)}
    return fitting([one for one in all_kept(running) if one.kill_file not in up], named)


def engine_of(running: Path, profile: str, config: str, say: Callable[[str], None]) -> Status | None:
    """The engine of a profile, once it is ready where somebody keeps it; None where none runs and none is kept.

    ``say`` is told of a wait in a sentence. Raises Unavailable when it takes too long.
    """
    found = of_profile(running, profile, config)
    kept = None if found is not None else keeper_of(running, profile, config)
    if found is not None or kept is None:
        return found
    say(f"the engine of {profile} is being started by process {kept.pid} …")
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        gone = keeper_of(running, profile, config) is None
        found = of_profile(running, profile, config)
        if found is not None or gone:
            return found
        time.sleep(_LOOK_S)
    text = (
        f"process {kept.pid} keeps the engine of {profile}, which was not ready within {START_S:g} s: its log says why"
    )
    raise Unavailable("engine", text)


def chosen_engine(running: Path, named: str | None, say: Callable[[str], None]) -> Status:
    """The one engine there is, or the one named, once it is ready. Raises Denied, Unavailable."""
    found, coming = engines(running), down(running, named)
    if not fitting(found, named) and len(coming) == 1:
        started = engine_of(running, coming[0].profile, coming[0].config, say)
        found = engines(running) if started is None else [started]
        named = named if started is None else None
    return choose(found, named)


def socket_of(running: Path, before: Status) -> Path | None:
    """Where the engine that was ``before`` is by now; None where none of its profile runs, or several do."""
    found = _all_of(running, before.profile, before.config)
    return Path(found[0].socket) if len(found) == 1 else None


def choose(found: Sequence[Status], named: str | None) -> Status:
    """The one engine there is, or the one named by its desk, its profile or its process. Raises Denied."""
    chosen = fitting(found, named)
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        text = "no engine is running: `hedgedesk engine` starts one" if named is None else f"no engine is named {named}"
        raise Denied("engine", text)
    names = ", ".join(f"{one.desk} (process {one.pid})" for one in chosen)
    raise Denied("engine", f"{len(chosen)} engines run, {names}: name one, or its process, with --desk")


class Starting:
    """An engine that is being started, apart from our terminal and session; what it says goes to ``output``."""

    def __init__(self, arguments: Sequence[str], output: Path) -> None:
        self._arguments = arguments
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None

    def wait(self, running: Path, profile: str, config: str) -> Status:
        """Start it and wait until it takes consoles; it goes on when we end.

        One that somebody else is starting at the same time is as good. Raises Denied with what it said when it ended
        instead, Unavailable when it takes too long; then, and when the wait is broken off, it is told to end.
        """
        make_folder(self._output.parent)
        file = open_file(self._output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module, no shell
                [sys.executable, "-P", "-m", "console", "engine", *self._arguments],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=same_code(), start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(file)
        try:
            return self._ready(self._process, running, profile, config)
        except BaseException:
            self._process.terminate()
            raise

    def _ready(self, process: "subprocess.Popen[bytes]", running: Path, profile: str, config: str) -> Status:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            found = of_profile(running, profile, config)
            if found is None and process.poll() is not None:
                found = engine_of(running, profile, config, lambda _: None)
                if found is None:
                    raise Denied("engine", self._last_words() or f"it ended with status {process.returncode}")
            if found is not None:
                return found
            time.sleep(_LOOK_S)
        raise Unavailable("engine", f"it was not ready within {START_S:g} s: {self._last_words()}")

    def _last_words(self) -> str:
        with self._output.open("rb") as file:
            file.seek(max(0, self._output.stat().st_size - _TAIL))
            lines = file.read().decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1].removeprefix("hedgedesk: ") if said else ""
