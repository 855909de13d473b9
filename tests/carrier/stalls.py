"""Consoles in trouble while makers fill: an engine process on paper venues, consoles in terminals, the venues' books.

What is measured is seen from the venues: from the maker's fill there to the hedge's fill there, on one clock.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import msgspec

from bench.samples import quantile
from console.carrier import wire
from console.carrier.calls import asking
from console.carrier.finding import engines
from console.folders import desk_folder, journal_records, running_folder
from console.status import Status
from gateways.paper.control import truth_of
from tests.carrier.engines import venues
from tests.console.profiles import Venues
from tests.kills.judge import Findings, judge, meant_by

MAKER = "buy 0.01 hyperliquid:ETH @ 1500 post hedge binance:ETHUSDT market"
QUANTITY = Decimal("0.01")
READY_S = 30.0


class Terminal:
    """A console process on a terminal of its own, whose output is read until ``stall``."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str], module: str = "console") -> None:
        self._ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (40, 120))
        self.process = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-m", module, *arguments], stdin=theirs, stdout=theirs, stderr=theirs,
            env={**environment, "TERM": "xterm-256color"}, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._reads = threading.Event()
        self._reads.set()
        self.shown = b""
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    def until(self, text: bytes) -> None:
        """Wait until it has shown a text."""
        deadline = time.monotonic() + READY_S
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown[-3_000:].decode()
            assert self.process.poll() is None, self.shown[-3_000:].decode()
            time.sleep(0.01)

    def stall(self) -> None:
        """Read no more: what it paints stays in the terminal until that is full."""
        self._reads.clear()

    def go_on(self) -> None:
        """Read again."""
        self._reads.set()

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._ours, keys)

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # a terminal whose program has ended reads as an error
            while True:
                self._reads.wait()
                self.shown = (self.shown + os.read(self._ours, 65_536))[-1_000_000:]

    def close(self) -> None:
        """Make sure that it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reads.set()
        self._reader.join(10)
        os.close(self._ours)


class Arena:
    """An engine of its own on paper venues of its own."""

    def __init__(self, thread, server, folder: Path) -> None:
        self.thread, self.server = thread, server
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HEDGEDESK_")}
        self.environment = {**clean, "XDG_STATE_HOME": str(folder / "s"), "XDG_CONFIG_HOME": str(folder / "c")}
        self._file = folder / "venues.json"
        self._file.write_bytes(msgspec.json.encode({"venues": server.endpoints}))
        self._root = folder / "s" / "hedgedesk"
        self.journal = desk_folder(server.endpoints, root=self._root)
        self.running = running_folder(root=self._root)
        self.engine: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> Status:
        """Start the engine on paper, and wait until it takes consoles."""
        return self.start_engine("--venues", str(self._file), *arguments)

    def start_engine(self, *arguments: str) -> Status:
        """Start an engine, and wait until it takes consoles."""
        self.engine = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-m", "console", "engine", *arguments],
            env=self.environment, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        return self.found()

    def profile(self, folder: Path) -> list[str]:
        """The options of a profile of real accounts, on the addresses of these venues."""
        kept = Venues(msgspec.to_builtins(self.server.endpoints))
        keys = {alias: kept.key_file(alias, folder / f"{alias}.toml") for alias in ("binance", "hyperliquid")}
        config = folder / "config.toml"
        config.write_text(kept.profile(keys, 'desk = "looped"'), encoding="utf-8")
        return ["--config", str(config), "--profile", "loop"]

    def run(self, *words: str) -> "subprocess.Popen[str]":
        """Begin to run the program in another shell."""
        command, pipes = (
            [sys.executable, "-m", "console", *words],
            {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE},
        )
        return subprocess.Popen(command, env=self.environment, text=True, **pipes)  # noqa: S603  # our own program

    def say(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run the program in another shell to its end."""
        with self.run(*words) as ran:
            said, complained = ran.communicate(timeout=40)
            return subprocess.CompletedProcess(words, ran.returncode, said, complained)

    @contextmanager
    def gap(self, status: Status) -> Iterator[None]:
        """Kill the engine; its supervisor, stopped, does not start it anew before the end of the block."""
        assert self.engine is not None
        self.engine.send_signal(signal.SIGSTOP)
        try:
            os.kill(status.pid, signal.SIGKILL)
            self.gone(status.pid)
            yield
        finally:
            self.engine.send_signal(signal.SIGCONT)

    def found(self, but: int = 0) -> Status:
        """The engine that takes consoles, another one than of process ``but``."""
        deadline = time.monotonic() + READY_S
        while not (found := [one for one in engines(self.running) if one.pid != but]):
            assert time.monotonic() < deadline, "the engine did not get ready"
            assert self.engine is None or self.engine.poll() is None, "the engine ended"
            time.sleep(0.02)
        return found[0]

    def gone(self, pid: int) -> None:
        """Wait until the engine of a process is gone."""
        deadline = time.monotonic() + READY_S
        while any(one.pid == pid for one in engines(self.running)):
            assert time.monotonic() < deadline, "the engine did not end"
            time.sleep(0.02)

    def consoles(self, count: int) -> list[Terminal]:
        """Consoles attached in terminals of their own, painting."""
        terminals = [Terminal(["attach"], self.environment) for _ in range(count)]
        try:
            for terminal in terminals:
                terminal.until(b"PAPER")
        except BaseException:
            for terminal in terminals:
                terminal.close()
            raise
        return terminals

    async def place(self, status: Status, count: int) -> list[str]:
        """Rest so many makers; their ids."""
        async with asking(Path(status.socket)) as calls:
            placed = []
            while len(placed) < count:
                asked = (calls.ask(lambda ask: wire.Command(ask, MAKER)) for _ in range(min(20, count - len(placed))))
                for answer in await asyncio.gather(*asked):
                    assert answer.reply is not None
                    assert answer.reply.ok, answer.reply.error
                    placed.append(answer.reply.cloid or "")
            return placed

    def fill(self, makers: Sequence[str], within_s: float) -> list[int]:
        """Fill makers one after another, spread over a time; nanoseconds from each fill to its hedge's."""
        return asyncio.run_coroutine_threadsafe(self._fill(makers, within_s), self.thread.loop).result(120)

    async def _fill(self, makers: Sequence[str], within_s: float) -> list[int]:
        maker, hedge = self.server.venues["hyperliquid"], self.server.venues["binance"]
        ours, theirs = maker.exchange.users[0], hedge.exchange.users[0]
        took = []
        began, known = time.monotonic(), len(hedge.exchange.fills(theirs))
        for number, cloid in enumerate(makers, 1):
            maker.faulty.acts.fill(ours, "ETH", f"0x{cloid}", QUANTITY)
            maker.deliver()
            filled_ns = maker.exchange.fills(ours)[-1].ts_ns
            async with asyncio.timeout(30):
                while len(fills := hedge.exchange.fills(theirs)) == known:
                    await asyncio.sleep(0.0005)
            known = len(fills)
            took.append(fills[-1].ts_ns - filled_ns)
            await asyncio.sleep(max(0.0, began + within_s * number / len(makers) - time.monotonic()))
        return took

    def stop(self) -> int:
        """Stop the engine in two phases; its exit code."""
        assert self.engine is not None
        self.engine.terminate()
        return self.engine.wait(40)

    def findings(self) -> Findings:
        """The venues' books against what the journal says was meant."""
        truths = {name: truth_of(venue.exchange, venue.exchange.users[0]) for name, venue in self.server.venues.items()}
        return judge(truths, meant_by(journal_records(self.journal)))

    def close(self) -> None:
        """Make sure that the engine is gone."""
        if self.engine is not None and self.engine.poll() is None:
            self.engine.kill()
            self.engine.wait()
        for left in engines(self.running):
            with contextlib.suppress(ProcessLookupError):
                os.kill(left.pid, signal.SIGKILL)


@contextmanager
def arena(folder: Path, seed: int = 7) -> Iterator[Arena]:
    """Paper venues, and room for an engine and consoles on them."""
    with venues(seed) as (thread, server):
        made = Arena(thread, server, folder)
        try:
            yield made
        finally:
            made.close()


def figures(took: Sequence[int]) -> dict[str, float]:
    """Milliseconds."""
    ranked = sorted(took)
    return {"n": len(ranked)} | {f"p{p}_ms": round(quantile(ranked, p) / 1e6, 2) for p in (50, 99)}
