"""The console's end of the process carrier when its engine goes away and comes back."""

import asyncio
import contextlib

import pytest

from console.carrier.attached import AttachedLink
from gateways.errors import Denied, Unavailable, Unknown
from tests.carrier.engines import RESTING, Screen, Thread, entered, served, short_folder, venues


@pytest.fixture
def folder():
    """For sockets and journals."""
    with short_folder() as made:
        yield made


@pytest.fixture
def loop():
    """The engine's loop, apart from the console's."""
    thread = Thread()
    yield thread
    thread.close()


async def test_an_engine_that_comes_back_is_attached_to_again_and_told_of_anew(folder, loop):
    """Meanwhile commands are refused unsent; afterwards rows of the old engine that are no more have left."""
    with venues() as (_, server), venues(seed=8) as (_, other):
        first = entered(loop, served(server.endpoints, folder))
        first.__enter__()
        with AttachedLink(folder / "engine.sock") as link:
            screen = Screen(link)
            link.watch("hyperliquid", "ETH")
            assert (await link.command(RESTING)).ok
            await screen.until(lambda: list(screen.mirror.open_orders()) and screen.mirror.ladders)
            first.__exit__(None, None, None)
            await screen.until(lambda: any("connection" in line.text for line in screen.log))
            refused = await link.command("panic")
            assert not refused.ok
            assert refused.error.startswith("not sent")
            with entered(loop, served(other.endpoints, folder, name="another")):
                await screen.until(lambda: any("attached to the engine again" in line.text for line in screen.log))
                await screen.until(lambda: not screen.mirror.orders)
                before = len(screen.trades)
                await screen.until(lambda: len(screen.trades) > before)
                assert (await link.command(RESTING)).ok
                lines = [(line.ts_ns, line.text) for line in screen.log]
                assert len(set(lines)) == len(lines)


async def test_a_connection_that_was_cut_brings_no_line_twice_and_loses_no_row(folder, loop):
    """The engine is the same one: it tells everything again, and the screen shows what it showed."""
    with contextlib.ExitStack() as stack:
        _, server = stack.enter_context(venues())
        made = stack.enter_context(entered(loop, served(server.endpoints, folder)))
        link = stack.enter_context(AttachedLink(made.path))
        screen = Screen(link)
        for _ in range(5):
            assert (await link.command(RESTING)).ok
        await screen.until(lambda: len(list(screen.mirror.open_orders())) == 5)
        await screen.until(lambda: sum(line.kind == "reply" for line in screen.log) == 5)
        loop.loop.call_soon_threadsafe(lambda: [c.transport.abort() for c in made.door._sessions.values()])
        await screen.until(lambda: any("attached to the engine again" in line.text for line in screen.log))
        assert (await link.command("cancel all")).ok
        await screen.until(lambda: not list(screen.mirror.open_orders()))
        assert len(screen.mirror.orders) == 5
        assert sum(line.kind == "command" and line.text == RESTING for line in screen.log) == 5
        assert len(set(screen.deltas)) == len(screen.deltas)


async def test_a_question_under_way_when_the_connection_is_lost_has_no_known_outcome(folder, loop):
    """It is said so, and never answered as refused."""
    with venues() as (_, server), entered(loop, served(server.endpoints, folder)) as made:
        made.engine.command = lambda line: asyncio.sleep(60)
        with AttachedLink(made.path) as link:
            asking = asyncio.create_task(link.command(RESTING))
            while not made.door._tasks.running:
                await asyncio.sleep(0.005)
            loop.loop.call_soon_threadsafe(lambda: [c.transport.abort() for c in made.door._sessions.values()])
            with pytest.raises(Unknown, match="connection to the engine was lost before it answered"):
                await asking


async def test_a_console_leaves_and_the_engine_goes_on(folder, loop):
    """Neither the end of the console nor its plain stop cancels anything."""
    with venues() as (_, server), entered(loop, served(server.endpoints, folder)) as made:
        with AttachedLink(made.path) as link:
            assert link.outlives
            assert (await link.command(RESTING)).ok
            assert (await link.stop(two_phase=False)).ok
        assert made.engine.oms.makers_working()
        assert not made.ended.done()


async def test_who_may_only_look_is_told_so_in_the_header(folder, loop):
    """The screen shows it, and every command is refused by the engine."""
    with contextlib.ExitStack() as stack:
        _, server = stack.enter_context(venues())
        made = stack.enter_context(entered(loop, served(server.endpoints, folder)))
        link = stack.enter_context(AttachedLink(made.path, view=True))
        screen = Screen(link)
        await screen.until(lambda: screen.mirror.header is not None)
        assert screen.mirror.header.view
        assert not (await link.command("panic")).ok
        assert not (await link.stop(two_phase=True)).ok


def test_nobody_there_and_nobody_who_takes_us_in_are_said_at_the_start(folder, loop):
    """A console that cannot attach does not open."""
    with pytest.raises(Unavailable, match="no engine answers"), AttachedLink(folder / "engine.sock"):
        pass

    def fails(_):
        raise OSError("unknown")

    with contextlib.ExitStack() as stack:
        _, server = stack.enter_context(venues())
        made = stack.enter_context(entered(loop, served(server.endpoints, folder, peer=fails)))
        with pytest.raises(Denied), AttachedLink(made.path):
            pass
