"""Which engines of this user run, how one is named, and how one is started that goes on without whoever started it."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

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
    return next((one for one in engines(running) if (one.profile, one.config) == (profile, config)), None)


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

        Raises Denied with what it said when it ended instead, Unavailable when it takes too long; then it is told to
        end.
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
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            found = of_profile(running, profile, config)
            if found is not None:
                return found
            if self._process.poll() is not None:
                raise Denied("engine", self._last_words() or f"it ended with status {self._process.returncode}")
            time.sleep(_LOOK_S)
        self._process.terminate()
        raise Unavailable("engine", f"it was not ready within {START_S:g} s: {self._last_words()}")

    def _last_words(self) -> str:
        with self._output.open("rb") as file:
            file.seek(max(0, self._output.stat().st_size - _TAIL))
            lines = file.read().decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1].removeprefix("hedgedesk: ") if said else ""
