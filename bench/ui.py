"""The console in a real terminal (a pty) under load: from a key to its paint, the processor's share, nothing lost.

Keys are pressed at random moments; each press writes one of two sentences in turn on the message line, and the time
until its bytes come out of the terminal is the sample. The load's own cost of making updates is told apart.
"""

import contextlib
import fcntl
import os
import pty
import random
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import Any

import msgspec

from bench.samples import quantile

SIZE = (200, 50)
ORDERS, RATE = 5_000, 10_000
KEY, SENTENCES = b"M", (b"the bell is silent", b"the bell rings")
FIRST = b"orders"
"""Is in the first screen."""
P99_MS, CPU, FIRST_S = 50.0, 0.30, 1.0


class Terminal:
    """A child on a pty, its output read as it comes."""

    def __init__(self, arguments: list[str]) -> None:
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - our own module
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        self._tail = b""

    def press(self, key: bytes) -> None:
        """Write a key."""
        self._tail = b""
        os.write(self._fd, key)

    def until(self, text: bytes, within_s: float) -> float:
        """Read until ``text`` was painted; when that was (``perf_counter``). Raises TimeoutError."""
        deadline = time.perf_counter() + within_s
        while text not in self._tail:
            if not self.read(max(0.0, deadline - time.perf_counter())) and time.perf_counter() >= deadline:
                raise TimeoutError(f"{text!r} was not painted within {within_s} s")
        return time.perf_counter()

    def read(self, within_s: float) -> bool:
        """Take what is there; False when nothing came, or nothing will."""
        ready, _, _ = select.select([self._fd], [], [], within_s)
        if not ready:
            return False
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:
            return False
        self._tail = (self._tail + data)[-(1 << 17) :]
        return bool(data)

    def close(self) -> None:
        """Make sure that the child is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)


def start(report: Path, seconds: float) -> Terminal:
    """A console under load, in a terminal of its own, for so long."""
    return Terminal([
        "-m", "bench.clients.console", "--orders", str(ORDERS), "--rate", str(RATE), "--seconds", str(seconds),
        "--report", str(report),
    ])  # fmt: skip


def run(*, quick: bool) -> dict[str, Any]:
    """Run it. It has bars of its own in the place of ratios; ``met`` says whether they hold."""
    seconds = 6.0 if quick else 40.0
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        with contextlib.closing(start(report, seconds)) as once:  # a new version's first start compiles its modules
            once.until(FIRST, 20.0)
        began = time.monotonic()
        terminal = start(report, seconds)
        try:
            first_s = terminal.until(FIRST, 20.0) - terminal.started
            took: list[int] = []
            presses = 0
            ends = began + seconds
            while time.monotonic() < ends - 1.0:
                pause = time.monotonic() + chance.uniform(0.05, 0.15)
                while time.monotonic() < pause:
                    terminal.read(max(0.0, pause - time.monotonic()))
                pressed = time.perf_counter()
                terminal.press(KEY)
                painted = terminal.until(SENTENCES[presses % 2], 5.0)
                presses += 1
                if presses > 5:  # the first ones warm it up
                    took.append(round((painted - pressed) * 1e9))
            deadline = time.monotonic() + 15.0
            while not report.exists() and time.monotonic() < deadline:
                terminal.read(0.1)
            figures = msgspec.json.decode(report.read_bytes())
        finally:
            terminal.close()
    ranked = sorted(took)
    cpu = (figures["cpu_s"] - figures["load_cpu_s"]) / seconds
    p50, p99 = (quantile(ranked, percent) / 1e6 for percent in (50, 99))
    met = p99 < P99_MS and cpu < CPU and first_s < FIRST_S and figures["lost"] == 0
    return {
        "updates": figures["made"], "orders": ORDERS, "keys": len(took), "first_paint_s": round(first_s, 2),
        "cpu_share": round(cpu, 3), "load_cpu_share": round(figures["load_cpu_s"] / seconds, 3),
        "updates_lost": figures["lost"], "key_to_paint_p50_ms": round(p50, 1), "key_to_paint_p99_ms": round(p99, 1),
        "own_frame_p99_ms": round(figures["frame_p99_us"] / 1e3, 1), "own_late_ms": round(figures["late_us"] / 1e3, 1),
        "met": met,
    }  # fmt: skip
