"""A desk for tests: headless runs on paper venues of their own, and what they wrote."""

import asyncio
import io
import json
import tempfile
from pathlib import Path

from console.headless import run_headless
from gateways.paper.sockets import PaperServer, running


class Written:
    """The JSON lines of one run."""

    def __init__(self, code, text):
        self.code = code
        self.records = [json.loads(line) for line in text.splitlines()]

    def of(self, kind):
        return [record for record in self.records if record["type"] == kind]

    @property
    def summary(self):
        return self.records[-1]

    @property
    def replies(self):
        return {record["line"]: record for record in self.of("reply")}

    def book(self, venue, ticker):
        (book,) = [row for row in self.summary["books"] if (row["venue"], row["ticker"]) == (venue, ticker)]
        return book

    def hedges(self, event):
        return [record for record in self.of("hedge") if record["event"] == event]


async def run(*lines, seed=7, server=None, **options):
    """Run a script on paper venues started for it (or on ``server``, running); ``server`` options beside it."""

    async def script():
        for line in lines:
            yield line

    async def on(endpoints):
        out = io.StringIO()
        with tempfile.TemporaryDirectory() as folder:
            code = await run_headless(endpoints, script(), out, folder=Path(folder))
        return Written(code, out.getvalue())

    if server is not None:
        return await on(server.endpoints)
    async with running(PaperServer(["binance", "hyperliquid"], seed=seed, **options)) as started:
        return await on(started.endpoints)


async def until(fact, seconds=10.0):
    """Wait until ``fact()`` holds; fail when it does not in time."""
    async with asyncio.timeout(seconds):
        while not fact():
            await asyncio.sleep(0.005)
