"""A real terminal for tests: a tmux server of its own, keys in, the screen's text out."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

WAIT_S = 20.0


class Tmux:
    """One window of a private tmux server. A context manager: the server is killed at the end."""

    def __init__(self, folder: Path, *, size: tuple[int, int], environment: dict[str, str]) -> None:
        self._socket = str(folder / "tmux")
        width, height = map(str, size)
        variables = [f"{name}={value}" for name, value in environment.items()]
        shell = ["env", "-u", "COLUMNS", "-u", "LINES", *variables, "sh"]
        self._run("-f", "/dev/null", "new-session", "-d", "-x", width, "-y", height, *shell)
        self._run("set-option", "-g", "window-size", "manual")
        self.resize(*size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self.server, signal.SIGCONT)
        self._run("kill-server")

    def _run(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-S", self._socket, *words], capture_output=True, text=True, check=True)  # noqa: S603, S607 - tmux, our words
        return done.stdout

    def keys(self, *keys: str) -> None:
        """Press keys by tmux's names."""
        for key in keys:
            self._run("send-keys", key)
            # As hands do: a burst is read as pasted text, and what follows an escape at once as a key with alt.
            time.sleep(0.25 if key == "Escape" else 0.05)

    def write(self, text: str) -> None:
        """Type a text."""
        self._run("send-keys", "-l", text)

    @property
    def screen(self) -> str:
        """What is to be seen."""
        return self._run("capture-pane", "-p")

    def asked(self, name: str) -> str:
        """A fact that tmux knows of the window: ``alternate_on``, ``cursor_flag``."""
        return self._run("display-message", "-p", f"#{{{name}}}").strip()

    @property
    def server(self) -> int:
        """The server's process: while it is stopped, nothing reads what the console writes."""
        return int(self.asked("pid"))

    def resize(self, width: int, height: int) -> None:
        """Make the window another size."""
        self._run("resize-window", "-x", str(width), "-y", str(height))

    def until(self, *texts: str, gone: str = "", within_s: float = WAIT_S) -> str:
        """Wait until all the texts are on the screen, and ``gone`` is not; the screen. Fails with what is there."""
        deadline = time.monotonic() + within_s
        while True:
            screen = self.screen
            if all(text in screen for text in texts) and not (gone and gone in screen):
                return screen
            assert time.monotonic() < deadline, f"not on the screen: {texts}, or still there: {gone!r}\n{screen}"
            time.sleep(0.05)
