"""A desk killed with -9 on real sockets: the venues cancel its makers, and never a hedge that rests."""

import asyncio
import signal
import sys
import time
from contextlib import asynccontextmanager

import msgspec

from gateways.paper.sockets import PaperServer, running
from gateways.standards import OrderStatus
from oms.cloid import CloidKind, parse
from tests.faults.desk import D, until
from tests.faults.doomed import SECONDS

HYPERLIQUID_S = 6


class Doomed:
    """A desk in a process of its own, on paper venues in this one."""

    def __init__(self, server, process):
        self.server = server
        self.process = process

    async def says(self, line):
        """Wait until it says this line; fail when it ends before."""
        async with asyncio.timeout(20):
            while said := await self.process.stdout.readline():
                if said.decode().strip() == line:
                    return
        raise AssertionError(f"it ended without {line!r}: {(await self.process.stderr.read()).decode()[-2000:]}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)

    def orders(self, venue, kind):
        """The orders of that kind, open and closed, by the venue's own records."""
        one = self.server.venues[venue]
        found = one.exchange.orders(one.credentials.key)
        return [each for each in found if (cloid := parse(each.client_id)) is not None and cloid.kind is kind]

    def makers(self, venue):
        return [each for each in self.orders(venue, CloidKind.MAKER) if not each.status.terminal]

    def hedges(self, venue):
        return self.orders(venue, CloidKind.HEDGE)


@asynccontextmanager
async def doomed(hedged):
    async with running(PaperServer(["binance", "hyperliquid"], seed=3)) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.doomed", hedged,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        process.stdin.write(msgspec.json.encode(server.endpoints))
        process.stdin.write_eof()
        try:
            yield Doomed(server, process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def until_after(seconds, fact):
    """Let so much time pass; ``fact`` must hold all the while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert fact()
        await asyncio.sleep(0.02)


async def test_killed_with_makers_resting_the_venues_cancel_them_after_the_countdown():
    """While it lives its makers outlive the countdown; killed, they are gone within it, on either venue."""
    async with doomed("market") as desk:
        await desk.says("ready")
        await desk.says("armed binance")
        await until_after(2 * SECONDS, lambda: len(desk.makers("binance")) == len(desk.makers("hyperliquid")) == 1)
        desk.kill()
        killed = time.monotonic()
        await until(lambda: not desk.makers("binance"), SECONDS + 2)
        assert desk.makers("hyperliquid"), "its time is longer"
        await until(lambda: not desk.makers("hyperliquid"), HYPERLIQUID_S + 2)
        assert time.monotonic() - killed < HYPERLIQUID_S + 2


async def test_killed_with_a_hedge_resting_nothing_is_cancelled_where_it_rests():
    """The venue whose book is hedged by joining was never armed: its maker and the hedge stay for the next start."""
    async with doomed("join") as desk:
        await desk.says("ready")
        await desk.says("armed hyperliquid")
        (maker,) = desk.makers("hyperliquid")
        venue = desk.server.venues["hyperliquid"]
        venue.faulty.acts.fill(venue.credentials.key, "ETH", maker.client_id, D("0.05"))
        venue.deliver()
        await until(lambda: desk.hedges("binance"), 10)
        desk.kill()
        await until_after(SECONDS + 1, lambda: len(desk.makers("binance")) == 1)
        assert [each.status for each in desk.hedges("binance") if each.status is OrderStatus.CANCELLED] == []
