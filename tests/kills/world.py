"""Where desks are killed: paper venues in a process of their own, and desks in others, by their command line alone."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import msgspec

from console.folders import APP, desk_folder
from console.papers import PaperProcess, PaperSettings
from gateways.paper.control import Truth
from oms.cloid import CloidKind, parse
from oms.crash import VARIABLE

OUTPUT_LIMIT = 8 * 1024 * 1024
"""Bytes of one line that a desk may write."""


class World:
    """Paper venues, the file that says where they are, and the state folder of the desk that trades there."""

    def __init__(self, papers: PaperProcess, folder: Path) -> None:
        self.papers = papers
        self.file = folder / "venues.json"
        self.state = folder / "state"
        self.file.write_bytes(msgspec.json.encode({"venues": papers.endpoints}))
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))

    @property
    def journals(self) -> Path:
        """The folder in which the desk keeps its journal."""
        return desk_folder(self.papers.endpoints, root=self.state / APP)

    async def truth(self) -> dict[str, Truth]:
        """What each venue says of the account's orders and fills."""
        found = {}
        for alias, each in self.papers.endpoints.items():
            async with self._http.get(f"{each.rest}/paper/books") as answer:
                found[alias] = msgspec.json.decode(await answer.read(), type=Truth)
        return found

    async def let_aggressors_come(self, rng: Random, chance: float) -> int:
        """Fill a part of each maker that rests, or all of it, each with this chance; return how many were filled."""
        filled = 0
        for alias, truth in (await self.truth()).items():
            for client_id, rest in truth.open.items():
                cloid = parse(client_id)
                if cloid is None or cloid.kind is not CloidKind.MAKER or rng.random() > chance:
                    continue
                filled += await self._fill(alias, client_id, rest, whole=rng.random() < 0.5)
        return filled

    async def _fill(self, alias: str, client_id: str, rest: Decimal, *, whole: bool) -> bool:
        for ticker, lot in LOTS[alias].items():  # the order is in one of them, in the others it is refused
            share = rest if whole else max(lot, rest / 2 // lot * lot)
            act = {"act": "fill", "ticker": ticker, "client_id": client_id, "quantity": f"{share:f}"}
            async with self._http.post(f"{self.papers.endpoints[alias].rest}/paper/act", json=act) as answer:
                if answer.status == 200:
                    return True
        return False

    async def run(self, *arguments: str, **environment: str) -> "Desk":
        """Start the program with these arguments on these venues."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "console", *arguments, "--venues", str(self.file),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "XDG_STATE_HOME": str(self.state), **environment}, limit=OUTPUT_LIMIT,
            start_new_session=True,
        )  # fmt: skip
        return Desk(process)

    async def desk(self, lines: Sequence[str], kill: str = "") -> "Desk":
        """Start a headless desk with these lines to play, and a kill point if there is one."""
        desk = await self.run("run", "--headless", **({VARIABLE: kill} if kill else {}))
        await desk.say(lines)
        return desk

    async def close(self) -> None:
        """End the venues."""
        await self._http.close()
        await asyncio.to_thread(self.papers.stop)


class Desk:
    """One process of the program. Its output is read all the time, so that it never waits for us."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.records: list[dict[str, Any]] = []
        self.text: list[str] = []
        self.errors = ""
        self._reader = asyncio.create_task(self._read())
        self._complaints = asyncio.create_task(self._read_errors())

    async def _read(self) -> None:
        async for line in self._process.stdout or ():
            self.text.append(line.decode())
            with contextlib.suppress(json.JSONDecodeError):  # words for people, or a line that a kill cut off
                self.records.append(json.loads(line))

    async def _read_errors(self) -> None:
        if self._process.stderr is not None:
            self.errors = (await self._process.stderr.read()).decode()

    async def say(self, lines: Sequence[str]) -> None:
        """Type lines, and end the input."""
        stdin = self._process.stdin
        if stdin is not None:
            with contextlib.suppress(ConnectionError):  # killed before it read them
                stdin.write("".join(f"{line}\n" for line in lines).encode())
                await stdin.drain()
                stdin.close()

    async def kill(self) -> None:
        """End it as ``kill -9`` does."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        await self.ended()

    async def ended(self, within_s: float = 90.0) -> int:
        """Wait for its end; return the exit code, negative for a signal. Killed where it does not end in time."""
        try:
            async with asyncio.timeout(within_s):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await asyncio.gather(self._reader, self._complaints)
        return self._process.returncode if self._process.returncode is not None else 0

    async def ended_within(self, seconds: float) -> bool:
        """Wait so long for its end; whether it has ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._process.wait()
        return self._process.returncode is not None

    @property
    def summary(self) -> dict[str, Any]:
        """Its last record, if that is a summary."""
        last = self.records[-1] if self.records else {}
        return last if last.get("type") == "summary" else {}


@contextlib.asynccontextmanager
async def world(seed: int, folder: Path) -> AsyncIterator[World]:
    """Paper venues on the random market of ``seed``; their file and the desk's state in ``folder``."""
    papers = PaperProcess(PaperSettings(seed=seed))
    await asyncio.to_thread(papers.start)
    made = World(papers, folder)
    try:
        yield made
    finally:
        await made.close()


# ------------------------------------------------------------------ what the desk trades

LOTS = {
    "binance": {"ETHUSDT": Decimal("0.001"), "SOLUSDT": Decimal("0.01")},
    "hyperliquid": {"ETH": Decimal("0.0001"), "SOL": Decimal("0.01")},
}
"""What makers rest in, with its lot."""

MAKERS = (
    "buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market",
    "sell 0.0241 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT ioc 20bps",
    "sell 0.021 binance:ETHUSDT @ opponent1 hedge hyperliquid:ETH market",
    "buy 0.034 binance:ETHUSDT @ opponent1 hedge x0.5 hyperliquid:ETH hedge x0.03 hyperliquid:BTC",
    "buy 0.012 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT after 300ms",
    "sell 0.5 hyperliquid:SOL @ market hedge binance:SOLUSDT ioc 20bps",
    "buy 0.6 binance:SOLUSDT @ opponent1 hedge hyperliquid:SOL",
)  # fmt: skip
"""They trade at once."""

RESTING = (
    "buy 0.0411 hyperliquid:ETH @ queue1 post hedge binance:ETHUSDT",
    "sell 0.0503 hyperliquid:ETH @ queue1 post hedge binance:ETHUSDT market",
    "buy 0.047 binance:ETHUSDT @ queue1 post hedge hyperliquid:ETH",
    "sell 0.053 binance:ETHUSDT @ queue1 post hedge hyperliquid:ETH ioc 20bps",
    "sell 0.83 hyperliquid:SOL @ queue1 post hedge binance:SOLUSDT",
    "buy 0.79 binance:SOLUSDT @ queue1 post hedge hyperliquid:SOL",
)
"""They rest, and are filled in parts by whoever comes."""


def script(rng: Random, length: int) -> list[str]:
    """Lines for a desk that will not see its end: makers of all kinds."""
    lines = []
    for _ in range(length):
        lines += [rng.choice(MAKERS) if rng.random() < 0.6 else rng.choice(RESTING), f"sleep {rng.randrange(200)}ms"]
    return [*lines, "sleep 60s"]
