"""``make conformance``: the clients of others trade on the paper venues; a table, and 0 only if every verb holds."""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from tests.conformance.clients import CLIENTS, PACKAGES
from tests.conformance.table import VERBS, Row, printed, row_of

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 150
"""For one client; one that takes longer is ended."""
SAID = 600
"""So many characters of what a client last said are told when it failed as a whole."""


async def tried(name: str, folder: Path, turn: asyncio.Semaphore) -> Row:
    """Run one client's trial in its own process and read what it reported."""
    report = folder / f"{name}.jsonl"
    report.touch()
    async with turn:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.conformance.trial", name, str(report),
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        trouble, said = "", b""
        try:
            async with asyncio.timeout(SECONDS):
                said, _ = await process.communicate()
        except TimeoutError:
            trouble = f"not done after {SECONDS} s"
            process.kill()
            await process.wait()
    if process.returncode and not trouble:
        trouble = "ended: " + " ".join(said.decode(errors="replace")[-SAID:].split())
    row = row_of(name, report.read_bytes(), trouble)
    print(f"{name}: {sum(not reason for reason in row.reasons.values())} of {len(VERBS)}", file=sys.stderr, flush=True)
    return row


async def main() -> int:
    """Try the clients that are asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--only", default="", help="clients whose name holds this text")
    parser.add_argument("--at-once", type=int, default=3, help="so many clients at a time (default 3)")
    given = parser.parse_args()
    names = [name for name in CLIENTS if given.only in name]
    turn, began = asyncio.Semaphore(given.at_once), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hedgedesk-conformance-") as folder:
        rows = await asyncio.gather(*(tried(name, Path(folder), turn) for name in names))
    print(printed(rows))
    held = sum(row.holds for row in rows)
    print(", ".join(f"{package} {version(package)}" for package in PACKAGES))
    print(f"{held} of {len(rows)} clients hold, {time.monotonic() - began:.0f} s")
    return 0 if rows and held == len(rows) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
