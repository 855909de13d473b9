"""The engine's process: how it ends, by whatever ends it."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import pytest

from console.carrier import process
from console.carrier.supervising import LEFT, STOPPED
from console.starting import Start
from gateways.paper.sockets import PaperServer, running
from tests.carrier.engines import short_folder


@asynccontextmanager
async def start():
    """A desk that may start on paper venues of its own, and its folder."""
    with short_folder() as folder:
        async with running(PaperServer(["binance", "hyperliquid"], seed=7)) as server:
            yield Start(server.endpoints, folder / "desk"), folder


async def ended_by(number, made, folder):
    """The exit code of an engine that gets a signal once it is ready, and what it said."""
    said: list[str] = []

    def say(text):
        said.append(text)
        if len(said) == 1:
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)

    code = await process.serve(made, folder / "e.sock", about=lambda status: status, say=say, locks=folder / "locks")
    return code, said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_in_two_phases(number):
    """It says so, ends with 0 where nothing is left, and takes its socket with it."""
    async with start() as (made, folder):
        code, said = await ended_by(number, made, folder)
        assert code == STOPPED
        assert "ready" in said[0]
        assert said[-1] == "stopped: nothing is left"
        assert not (folder / "e.sock").exists()


async def test_what_breaks_as_it_closes_does_not_have_it_started_anew(monkeypatch):
    """It was told to end: its supervisor takes any code but those of an end for a crash."""
    real = process.open_engine

    @asynccontextmanager
    async def breaking(*arguments, **options):
        async with real(*arguments, **options) as engine:
            yield engine
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(process, "open_engine", breaking)
    async with start() as (made, folder):
        code, said = await ended_by(signal.SIGTERM, made, folder)
        assert code == LEFT
        assert "No space left" in said[-2]


async def test_what_breaks_while_it_runs_is_a_crash(monkeypatch):
    """It is raised, for the supervisor to start it anew."""

    def breaks():
        raise RuntimeError("broken")

    monkeypatch.setattr(process.runtime, "settle", breaks)
    async with start() as (made, folder):
        with pytest.raises(RuntimeError, match="broken"):
            await process.serve(made, folder / "e.sock", about=lambda status: status, say=print, locks=folder / "l")
