"""P2 to P4 and the start: desks that are killed at an exact point and started again, and what they find then."""

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from decimal import Decimal

import msgspec
import pytest

from console.folders import APP, desk_folder
from gateways.paper.control import truth_of
from gateways.paper.fault_plan import Fault, Rule
from gateways.paper.sockets import PaperServer, running
from oms.cloid import CloidKind, parse
from tests.faults.desk import until
from tests.faults.rows import slow_row

D = Decimal


class Program:
    """The program ``hedgedesk run --headless``, one process after another on one state folder."""

    def __init__(self, server, folder):
        self.server = server
        self.folder = folder
        self.venues = folder / "venues.json"
        self.venues.write_bytes(msgspec.json.encode({"venues": server.endpoints}))

    @property
    def journal(self):
        return desk_folder(self.server.endpoints, root=self.folder / "state" / APP) / "journal.jsonl"

    @asynccontextmanager
    async def start(self, **environment):
        """A desk that takes lines; killed at the end of the block if it still runs."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "console", "run", "--headless", "--venues", str(self.venues),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "XDG_STATE_HOME": str(self.folder / "state"), **environment}, limit=1 << 20,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    def truth(self, name):
        venue = self.server.venues[name]
        return truth_of(venue.exchange, venue.credentials.key)

    def filled(self, name, kind):
        fills = self.truth(name).fills.items()
        return sum((one.filled for key, one in fills if (cloid := parse(key)) and cloid.kind is kind), D(0))

    @property
    def target(self):
        return -self.filled("hyperliquid", CloidKind.MAKER)

    @property
    def hedged(self):
        return self.filled("binance", CloidKind.HEDGE)

    async def maker(self, process):
        """Rest a maker far from the market; its client id."""
        price = self.server.venues["hyperliquid"].exchange.mark("ETH") * D("0.98") // 1
        process.stdin.write(f"buy 0.1 hyperliquid:ETH @ {price} post hedge binance:ETHUSDT\n".encode())
        await until(lambda: self.truth("hyperliquid").open, 20)
        (cloid,) = self.truth("hyperliquid").open
        return cloid

    def fill(self, cloid, quantity):
        venue = self.server.venues["hyperliquid"]
        venue.faulty.acts.fill(venue.credentials.key, "ETH", f"0x{cloid}", D(quantity))
        venue.deliver()

    async def settled(self, process, seconds=30):
        """End a desk in two phases; its last record."""
        said, complaint = await asyncio.wait_for(process.communicate(b"wait idle 25s\nquit\n"), seconds)
        records = [json.loads(line) for line in said.splitlines()]
        assert records, complaint.decode()
        return records[-1]


@asynccontextmanager
async def program(seed, folder):
    async with running(PaperServer(["binance", "hyperliquid"], seed=seed)) as server:
        yield Program(server, folder)


async def restarted(desk, target):
    """Start the desk again: it comes to the venues' own target, hedged once, and can prove it."""
    async with desk.start() as again:
        summary = await desk.settled(again)
    assert summary["consistent"], summary["problems"]
    assert desk.target == D(target)
    assert desk.hedged == D(target)
    hedges = [key for key in desk.truth("binance").placed if (one := parse(key)) and one.kind is CloidKind.HEDGE]
    assert all(desk.truth("binance").placed[key] == 1 for key in hedges)
    return hedges


CRASHES = {
    "before-append": "crash after fill seen, before journal",
    "after-append": "crash after journal, before send",
    "after-send": "crash after send, before reply",
}


@slow_row
@pytest.mark.parametrize("point", list(CRASHES), ids=list(CRASHES.values()))
async def test_crash(seed, point, tmp_path):
    """Killed outright between a fill and its hedge: the restart finds what was filled and what was sent."""
    async with program(seed, tmp_path) as desk:
        async with desk.start(HEDGEDESK_KILL=f"{point}:2") as first:
            cloid = await desk.maker(first)
            desk.fill(cloid, "0.03")
            await until(lambda: desk.hedged == -D("0.03"), 10)
            desk.fill(cloid, "0.02")
            assert await asyncio.wait_for(first.wait(), 10) == -signal.SIGKILL
        desk.fill(cloid, "0.05")
        hedges = await restarted(desk, "-0.1")
        assert len(hedges) == (2 if point == "before-append" else 3)


@slow_row
async def test_crash_after_send_before_reply_with_the_order_accepted_late(seed, tmp_path):
    """Killed while its hedge waits at the venue's door: found once it is taken, nothing sent in its place."""
    async with program(seed, tmp_path) as desk:
        faults = desk.server.venues["binance"].faulty.faults
        async with desk.start() as first:
            cloid = await desk.maker(first)
            faults.switch(Rule(fault=Fault.ACCEPTED_LATE, delay=3.0))
            desk.fill(cloid, "0.05")
            await until(lambda: faults.counts[Fault.ACCEPTED_LATE] == 1)
            first.kill()
            await first.wait()
        hedges = await restarted(desk, "-0.05")
        assert len(hedges) == 1


@slow_row
async def test_torn_last_journal_line(seed, tmp_path):
    """A record that was cut off is dropped, and only that: the desk starts and knows its makers."""
    async with program(seed, tmp_path) as desk:
        async with desk.start() as first:
            cloid = await desk.maker(first)
            desk.fill(cloid, "0.02")
            await until(lambda: desk.hedged == -D("0.02"), 10)
            first.kill()
            await first.wait()
        with desk.journal.open("ab") as file:
            file.write(b'12345678 {"v":1,"n":99,"ts_')
        desk.fill(cloid, "0.03")
        await restarted(desk, "-0.05")


@slow_row
async def test_two_instances_on_one_account(seed, tmp_path):
    """The second desk is refused with a sentence that names the first; the first goes on."""
    async with program(seed, tmp_path) as desk, desk.start() as first:
        cloid = await desk.maker(first)
        async with desk.start() as second:
            _, complaint = await asyncio.wait_for(second.communicate(b"quit\n"), 20)
            assert second.returncode != 0
            assert str(first.pid) in complaint.decode()
        desk.fill(cloid, "0.02")
        await until(lambda: desk.hedged == -D("0.02"), 10)
        summary = await desk.settled(first)
        assert summary["consistent"], summary["problems"]
