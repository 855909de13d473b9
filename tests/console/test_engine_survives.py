"""What is wrong with a screen or a reader costs neither a hedge nor leaves a maker resting."""

import asyncio
import io
import json
import threading

import pytest

from console.headless import run_headless
from console.lines import LineWriter
from console.mailbox import Mailbox
from console.publisher import Publisher
from gateways.contracts import Contracts
from gateways.paper.sockets import PaperServer, running
from gateways.router import Gateway
from oms.clock import SystemClock
from oms.memory_journal import MemoryJournal
from oms.system import OMS
from tests.oms.stub_venue import desk, virtual


@virtual
async def test_a_frame_that_cannot_be_made_does_not_end_the_publishing():
    """The log says it once; the next frames come."""
    async with desk() as made:
        mailbox = Mailbox()
        publisher = Publisher(made.oms, mailbox)
        publishing = asyncio.create_task(publisher.run())
        await asyncio.sleep(1)
        mailbox.take()
        gone = made.oms.gateway.venues["a"].contracts
        made.oms.gateway.venues["a"].contracts = None  # what no frame can be made of
        await asyncio.sleep(5)
        made.oms.gateway.venues["a"].contracts = gone
        await asyncio.sleep(1)
        frame = mailbox.take()
        assert [line.severity for line in frame.log] == ["error"]
        assert frame.header is not None
        assert not publishing.done()
        publishing.cancel()


@virtual
async def test_the_ladder_of_a_contract_that_is_no_more_is_left_out():
    """A refresh of the contracts may take one away that is on the screen."""
    async with desk() as made:
        mailbox = Mailbox()
        publisher = Publisher(made.oms, mailbox)
        publisher.watch("a", "X")
        publishing = asyncio.create_task(publisher.run())
        await asyncio.sleep(1)
        made.a.contracts = Contracts("a")
        mailbox.take()
        await asyncio.sleep(1)
        frame = mailbox.take()
        assert frame.log == []
        assert frame.header is not None
        publishing.cancel()


class Gone(io.StringIO):
    """A pipe whose reader goes away after the first reply."""

    def write(self, text):
        if '"reply"' in text:
            raise BrokenPipeError
        return super().write(text)


async def test_a_reader_that_went_away_leaves_no_maker_resting(tmp_path):
    """The two-phase stop comes before the error: there is nobody left to hedge for a maker."""

    async def script():
        yield "buy 0.01 binance:ETHUSDT @ queue20 hedge hyperliquid:ETH market"
        await asyncio.Event().wait()

    async with asyncio.timeout(30), running(PaperServer(["binance", "hyperliquid"], seed=7)) as server:
        with pytest.raises(BrokenPipeError):
            await run_headless(server.endpoints, script(), Gone(), folder=tmp_path)
        clock = SystemClock()
        oms = OMS(Gateway(server.endpoints), journal=MemoryJournal(clock), clock=clock, desk=2)
        await oms.init()
        try:
            assert [order for orders in (await oms.orders_get_all()).values() for order in orders] == []
        finally:
            await oms.cleanup()


class Stalled(io.StringIO):
    """A pipe that nobody reads until ``read`` is set."""

    def __init__(self):
        super().__init__()
        self.read = threading.Event()

    def write(self, text):
        self.read.wait(20)
        return super().write(text)


async def test_a_reader_that_stalls_holds_up_no_hedge(tmp_path):
    """The desk trades on while not a line is read; then the reader gets them all, in order."""
    out = Stalled()

    async def script():
        yield "buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market"
        yield "wait idle 5s"
        out.read.set()

    async with asyncio.timeout(30), running(PaperServer(["binance", "hyperliquid"], seed=7)) as server:
        assert await run_headless(server.endpoints, script(), out, folder=tmp_path) == 0
    kinds = [json.loads(line)["type"] for line in out.getvalue().splitlines()]
    assert kinds.count("reply") == 2
    assert kinds[-1] == "summary"


def test_lines_beyond_the_room_fall_out_and_are_counted():
    """Memory stays bounded by what may wait, and the newest lines are those that are kept."""
    out = Stalled()
    writer = LineWriter(out, lambda: None, room=10)
    for number in range(100):
        writer.put(str(number))
    out.read.set()
    writer.close()
    lines = out.getvalue().split()
    assert lines[-1] == "99"
    assert len(lines) + writer.dropped == 100
    assert writer.dropped >= 79
