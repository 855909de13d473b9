"""Who asks too much of an engine, or comes too often: bounded in every way, and nobody else notices."""

import asyncio
import contextlib
import logging

import pytest
from websockets.asyncio.client import unix_connect
from websockets.exceptions import ConnectionClosed

from console.carrier import door, session, wire
from console.carrier.calls import asking, connected
from console.logs import LOG
from tests.carrier.engines import RESTING, alone, answers, frames
from tests.desk import until


@contextlib.asynccontextmanager
async def deaf(path):
    """A connection that was taken in, and reads nothing from then on."""
    async with unix_connect(str(path), compression=None, ping_interval=None, close_timeout=0.1) as connection:
        await connection.send(wire.encode(wire.Hello(wire.VERSION)))
        await connection.recv()
        connection.transport.pause_reading()
        yield connection
        connection.transport.abort()


async def floods(connection, message):
    """Send a message until the connection is gone."""
    with contextlib.suppress(ConnectionClosed, ConnectionError):
        while True:
            await connection.send(message)


@pytest.fixture
def unhurried(monkeypatch):
    """However fast a machine is, only what is unread counts."""
    monkeypatch.setattr(session, "MOST_A_SECOND", 10**9)


async def test_one_that_asks_on_and_reads_no_answers_is_dropped(unhurried):
    """What waits for it stays bounded, however long it goes on."""
    async with alone() as made, deaf(made.path) as console:
        most = 0

        async def look():
            nonlocal most
            while not made.door.dropped:
                most = max(most, made.door._tasks.running)
                await asyncio.sleep(0)

        async with asyncio.timeout(20):
            await asyncio.gather(floods(console, wire.encode(wire.AskStatus(1))), look())
        assert made.door.dropped == {"no message": 1}
        assert most <= session.MOST_UNREAD + 1
        await until(lambda: not made.door._tasks.running)
        assert await answers(made)


async def test_a_panic_of_one_that_is_dropped_for_asking_too_much_is_done(unhurried, monkeypatch):
    """Whatever else it asked for was refused."""
    monkeypatch.setattr(session, "MOST_ASKED", 0)
    monkeypatch.setattr(session, "MOST_UNREAD", 0)
    async with alone() as made, deaf(made.path) as console:
        await console.send(wire.encode(wire.Command(1, "panic")))
        await until(lambda: made.door.dropped == {"no message": 1})
        await until(lambda: made.engine.oms.trading == "HEDGE-ONLY")


async def test_one_that_sends_more_in_a_second_than_a_console_would_is_dropped(monkeypatch):
    """Though it reads every answer."""
    monkeypatch.setattr(session, "MOST_A_SECOND", 50)
    async with alone() as made, asking(made.path) as calls:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(20):
                while not made.door.dropped:
                    await calls.ask(wire.AskStatus)
        assert made.door.dropped == {"no message": 1}
        assert await answers(made)


async def test_what_all_consoles_asked_for_is_bounded_though_they_left(monkeypatch):
    """Orders that are under way come to their end; waiting for calm ends with whoever waits."""
    async with alone() as made:
        made.engine.command = lambda line: asyncio.sleep(60)
        made.engine.idle = lambda within_s: asyncio.sleep(60)
        async with asking(made.path) as calls:
            asked = [asyncio.create_task(calls.ask(lambda ask: wire.AwaitIdle(ask, float("nan")))) for _ in range(9)]
            asked += [asyncio.create_task(calls.ask(lambda ask: wire.Command(ask, RESTING))) for _ in range(3)]
            await until(lambda: made.door._tasks.running == 12)
        assert len(await asyncio.gather(*asked, return_exceptions=True)) == 12
        await until(lambda: made.door._tasks.running == 3)
        monkeypatch.setattr(session, "MOST_UNDER_WAY", 3)
        async with asking(made.path) as calls:
            refused = (await calls.ask(lambda ask: wire.Command(ask, RESTING))).reply
            assert "too much" in refused.error


async def test_connections_that_say_nothing_do_not_use_up_the_engines_files(monkeypatch):
    """More than there is room for are closed as they come; a free place is given again."""
    monkeypatch.setattr(door, "MOST_CONNECTED", 2)
    monkeypatch.setattr(door, "MOST_COMING", 3)
    async with alone() as made, contextlib.AsyncExitStack() as stack:
        silent = [await asyncio.open_unix_connection(str(made.path)) for _ in range(5)]
        for _, writer in silent:
            stack.callback(writer.close)
        reader, writer = await asyncio.open_unix_connection(str(made.path))
        stack.callback(writer.close)
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        assert made.door.dropped == {"too many": 1}
        silent[0][1].close()
        async with asyncio.timeout(10):
            while not await _let_in(made):
                await asyncio.sleep(0.01)


async def _let_in(made):
    try:
        return await answers(made)
    except Exception:  # noqa: BLE001 - not yet
        return False


async def test_the_log_tells_of_a_flood_in_few_lines(caplog):
    """The first at once with its reason; those that follow are counted, and told with a later one."""
    async with alone() as made:
        with caplog.at_level(logging.WARNING, logger=LOG.name):
            for _ in range(5):
                made.door._drop("no hello", "x")
            made.door._logged["no hello"] = (made.door._logged["no hello"][0] - door.LOG_EVERY_S, 1)
            made.door._drop("no hello", "y")
        told = [(record.fields["text"], record.fields["count"]) for record in caplog.records]
        assert told == [("x", 1), ("y", 5)]
        assert made.door.dropped == {"no hello": 6}


async def test_a_consoles_name_is_short_and_readable_wherever_it_stands():
    """It comes from outside: no line breaks, no escapes, not a page of it."""
    async with alone() as made, connected(made.path, frames(name="\x1b[2Jann\n" + "x" * 9_000)) as console:
        await console.recv()
        (row,) = made.door.consoles()
        assert row.name == f"console 1 [2Jann{'x' * 26}"
