"""The engine's door: who is let in, who is not, and that nobody inside notices."""

import asyncio
import contextlib
import logging
import os
import socket
import stat
from decimal import Decimal

import pytest
from websockets.asyncio.client import unix_connect
from websockets.exceptions import ConnectionClosed

from console.carrier import door, session, wire
from console.carrier.calls import asking, connected
from console.carrier.door import listening, socket_path
from console.carrier.peer import Peer, peer_of
from console.link import Frame
from console.logs import LOG
from gateways.errors import Denied, Unavailable
from tests.carrier.engines import RESTING, alone, answers, frames, short_folder
from tests.console.scripted import order
from tests.desk import until


async def next_of(connection, kind):
    """The next message of a kind."""
    async with asyncio.timeout(5):
        while not isinstance(said := wire.read_told(await connection.recv()), kind):
            pass
        return said


# ------------------------------------------------------------------------- strangers


async def garbage(path):
    """Bytes that are no request."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(os.urandom(2_000) + b"\r\n\r\n")
    await reader.read()
    writer.close()


async def silence(path):
    """A connection that says nothing."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    await reader.read()
    writer.close()


async def told_off(path, *messages):
    """Messages on a websocket; the code with which it is closed."""
    async with unix_connect(str(path), compression=None, max_size=None, ping_interval=None) as connection:
        with contextlib.suppress(ConnectionClosed):
            for message in messages:
                await connection.send(message)
            while True:
                await connection.recv()
        return connection.close_code


@pytest.mark.parametrize("behave", [garbage, silence])
async def test_who_does_not_even_shake_hands_is_dropped_and_logged(behave, monkeypatch, caplog):
    """After a moment it is closed, counted, with a line in the log; everybody else is answered meanwhile and after."""
    monkeypatch.setattr(door, "HELLO_S", 0.3)
    async with alone() as made:
        with caplog.at_level(logging.WARNING, logger=LOG.name):
            async with asyncio.timeout(5):
                await asyncio.gather(behave(made.path), answers(made))
            assert await answers(made)
        assert made.door.dropped == {"no handshake": 1}
        assert [record.fields["reason"] for record in caplog.records if record.name == LOG.name] == ["no handshake"]


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([b"\xff\xff\xff"], "no hello"),
        (["words"], "no hello"),
        ([wire.encode(wire.Command(1, "panic"))], "no hello"),
        ([wire.encode(frames()), b"\x00"], "no message"),
        ([wire.encode(frames()), wire.encode(frames())], "no message"),
        ([wire.encode(frames()), b"x" * (wire.MOST_ASKED_BYTES + 1)], "too long"),
        ([b"x" * (wire.MOST_ASKED_BYTES + 1)], "too long"),
    ],
    ids=["garbage", "text", "no hello first", "garbage after hello", "hello twice", "oversized", "oversized first"],
)
async def test_who_does_not_speak_the_language_is_dropped_and_counted(messages, reason):
    """By its reason; nothing was done, and everybody else is answered."""
    async with alone() as made:
        async with asyncio.timeout(10):
            assert await told_off(made.path, *messages) in {1008, 1009}
        await until(lambda: made.door.dropped == {reason: 1})
        assert made.engine.oms.trading == "ACTIVE"
        assert await answers(made)


async def test_another_version_is_told_which_one_it_needs():
    """And is not let in."""
    async with alone() as made:
        with pytest.raises(Denied, match=f"speaks version {wire.VERSION}"):
            async with connected(made.path, wire.Hello(wire.VERSION + 1)):
                pass
        assert made.door.dropped == {"another version": 1}
        with pytest.raises(Denied, match="another build"):
            async with connected(made.path, wire.Hello(wire.VERSION, "other records")):
                pass


async def test_another_user_is_turned_away_whatever_the_files_modes_say():
    """The operating system says who it is; nothing that it sends is read."""
    async with alone(peer=lambda _: Peer(uid=os.geteuid() + 1)) as made:
        with pytest.raises(Denied, match=f"user {os.geteuid() + 1} may not use this engine"):
            async with asking(made.path):
                pass
        assert made.door.dropped == {"another user": 1}


async def test_nobody_is_let_in_where_the_system_does_not_say_who_it_is():
    """A lookup that fails lets nobody in."""

    def fails(_):
        raise OSError("no such option")

    async with alone(peer=fails) as made:
        with pytest.raises(Denied, match="nobody says who connects"):
            async with asking(made.path):
                pass


async def test_more_than_the_most_are_turned_away_and_a_free_place_is_given_again(monkeypatch):
    """A process that opens and opens cannot use up the engine."""
    monkeypatch.setattr(door, "MOST_CONNECTED", 2)
    async with alone() as made:
        async with connected(made.path, frames()), connected(made.path, frames()):
            with pytest.raises(Denied, match="2 are connected already"):
                async with asking(made.path):
                    pass
        await until(lambda: not list(made.door.consoles()))
        assert await answers(made)


# ------------------------------------------------------------------------- consoles


async def test_who_may_only_look_sees_everything_and_does_nothing():
    """Frames and previews come; every command, PANIC and the stop too, is refused with one sentence."""
    async with alone() as made, connected(made.path, frames(view=True)) as console:
        await next_of(console, wire.Whole)
        for number, question in enumerate(
            (wire.Command(1, RESTING), wire.Command(2, "panic"), wire.Stop(3), wire.Command(4, "disarm")), 1
        ):
            await console.send(wire.encode(question))
            answer = await next_of(console, wire.Answer)
            assert (answer.ask, answer.reply.ok) == (number, False)
            assert "may only look" in answer.reply.error
        await console.send(wire.encode(wire.Check(5, RESTING)))
        assert (await next_of(console, wire.Answer)).preview.ok
        assert made.engine.oms.trading == "ACTIVE"
        assert not made.engine.oms.makers_working()
        assert not made.ended.done()


async def test_one_that_asks_too_much_at_once_is_refused_but_panic_is_always_done(monkeypatch):
    """What waits for answers is bounded, and keeps nobody from getting out."""
    monkeypatch.setattr(session, "MOST_ASKED", 0)
    async with alone() as made, asking(made.path) as calls:
        refused = (await calls.ask(lambda ask: wire.Command(ask, RESTING))).reply
        assert "too much" in refused.error
        assert (await calls.ask(lambda ask: wire.Command(ask, "panic"))).reply.ok
        assert made.engine.oms.trading == "HEDGE-ONLY"


async def test_what_was_asked_for_is_done_though_who_asked_is_gone():
    """A console that dies after it sent an order leaves no half of it."""
    async with alone() as made:
        console = await unix_connect(str(made.path), compression=None)
        await console.send(wire.encode(frames()))
        await console.send(wire.encode(wire.Command(1, RESTING)))
        console.transport.abort()
        await until(made.engine.oms.makers_working)


async def test_ten_consoles_are_told_the_same_and_each_stands_in_the_list():
    """Whoever is attached sees all who are, and how far behind they are."""
    async with alone() as made, asyncio.TaskGroup() as group:
        ready, leave = asyncio.Semaphore(0), asyncio.Event()

        async def console(number):
            rows = {}
            async with connected(made.path, frames(name=f"c{number}")) as connection:
                await next_of(connection, wire.Whole)
                ready.release()
                async with asyncio.timeout(20):
                    while "FILLED" not in rows.values():
                        rows |= {row.key: row.status for row in (await next_of(connection, wire.Told)).frame.orders}
                    ready.release()
                    await leave.wait()
            return rows

        consoles = [group.create_task(console(number)) for number in range(10)]
        for _ in consoles:
            await ready.acquire()
        names = [row.name for row in made.door.consoles()]
        assert len(names) == 10
        assert made.engine.status().consoles == 10
        async with asking(made.path) as calls:
            line = "buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market"
            assert (await calls.ask(lambda ask: wire.Command(ask, line))).reply.ok
        for _ in consoles:
            await ready.acquire()
        leave.set()


async def test_a_console_that_does_not_read_holds_up_nobody_and_its_backlog_is_bounded():
    """Its frames merge by key, which its line tells; when it reads again it has the last state of every order."""
    keys = [f"{number:032x}" for number in range(3_000)]
    async with alone() as made, connected(made.path, frames(name="slow")) as slow:
        await next_of(slow, wire.Whole)
        slow.transport.pause_reading()
        for filled in range(20):
            made.publication.put(Frame(orders=[order(key, filled=Decimal(filled)) for key in keys]))
            assert await answers(made)
        (line,) = made.door.consoles()
        assert line.coalesced > 10 * len(keys)
        assert line.lag < 2 * len(keys)
        slow.transport.resume_reading()
        filled: dict[str, Decimal] = {}
        async with asyncio.timeout(20):
            while any(filled.get(key) != 19 for key in keys):
                filled |= {row.key: row.filled for row in (await next_of(slow, wire.Told)).frame.orders}


async def test_a_stop_that_a_console_asks_for_is_said_to_all_and_ends_the_engine():
    """It is answered first; the reason names who asked."""
    async with alone() as made, connected(made.path, frames(name="ann")) as console:
        await next_of(console, wire.Whole)
        await console.send(wire.encode(wire.Stop(1)))
        assert (await next_of(console, wire.Answer)).reply.ok
        assert "ann" in await asyncio.wait_for(made.ended, 5)
        await made.door.say_farewell("over")
        assert (await next_of(console, wire.Farewell)).text == "over"


async def test_while_the_engine_is_stopped_no_command_allows_makers_again():
    """Whoever is attached may cancel and flatten; a maker let in now would fill with nobody there to hedge it."""
    async with alone() as made:
        made.engine.oms.stop = stopped = StillStopping()
        settling = asyncio.create_task(made.engine.settle())
        await stopped.asked.wait()
        for line in ("activate", "reducing"):
            assert "being stopped" in (await made.engine.command(line)).error
        assert (await made.engine.command("cancel all")).ok
        stopped.left.set_result(["an order is UNKNOWN"])
        assert not (await settling).ok
        assert (await made.engine.command("activate")).ok, "with something left it goes on"
        assert not (await made.engine.settle(ends=True)).ok
        assert not (await made.engine.command("activate")).ok


class StillStopping:
    """Stands for ``OMS.stop`` while hedges settle."""

    def __init__(self):
        self.asked = asyncio.Event()
        self.left = asyncio.get_running_loop().create_future()

    async def __call__(self, settle_s):
        self.asked.set()
        return await self.left


# ------------------------------------------------------------------------- the socket


def test_the_socket_is_its_owners_alone_and_goes_with_the_engine():
    """0600 in 0700; what a dead engine left is replaced, and somebody else's file is not touched."""
    with short_folder() as folder:
        path = folder / "sockets" / "e.sock"
        with listening(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert not path.exists()
        left = socket.socket(socket.AF_UNIX)
        left.bind(str(path))
        left.close()
        with listening(path):
            pass
        path.write_text("mine")
        with pytest.raises(Denied, match="no socket"), listening(path):
            pass
        assert path.read_text() == "mine"
        path.parent.chmod(0o755)
        with pytest.raises(Denied, match="closed to others"), listening(path):
            pass


def test_a_path_too_long_for_a_socket_goes_elsewhere(tmp_path):
    """And where that is too long too, it is said."""
    deep = tmp_path / ("d" * 100)
    with short_folder() as short:
        assert socket_path(short, "engine", deep).parent == short
        assert socket_path(deep, "engine", short).parent == short
        with pytest.raises(Denied, match="too long"):
            socket_path(deep, "engine", deep)


def test_the_system_tells_who_is_at_the_other_end():
    """Our own process, by both ways where the system has both."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert peer_of(ours).uid == os.geteuid()
        assert peer_of(ours).pid in {os.getpid(), 0}


async def test_nobody_at_the_socket_is_said_in_one_sentence():
    """No engine, and an engine that does not answer."""
    with short_folder() as folder:
        with pytest.raises(Unavailable, match="no engine answers"):
            async with asking(folder / "none.sock"):
                pass
        mute = socket.socket(socket.AF_UNIX)
        mute.bind(str(folder / "mute.sock"))
        mute.listen()
        with mute, pytest.raises(Unavailable, match="no engine answers"):
            async with asking(folder / "mute.sock", 0.2):
                pass
