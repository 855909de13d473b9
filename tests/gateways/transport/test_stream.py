"""The reconnecting websocket against real servers on loopback."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from gateways.errors import Unavailable
from gateways.transport.stream import Backoff, Heartbeat, Stream
from gateways.venue import Channel, ChannelState

QUICK = Backoff(first=0.01, longest=0.05)
Handler = Callable[[ServerConnection], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(handler: Handler, port: int = 0) -> AsyncIterator[tuple[str, Server]]:
    async with serve(handler, "127.0.0.1", port) as server:
        host, bound = server.sockets[0].getsockname()[:2]
        yield f"ws://{host}:{bound}", server


async def echo(connection: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for message in connection:
            await connection.send(message)


class Inbox:
    """Collects messages and states, and lets a test wait for a fact about them."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.stamps: list[int] = []
        self.states: list[ChannelState] = []
        self.lost: list[str] = []
        self.faults: list[Exception] = []
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def message(self, data: bytes, ts_recv_ns: int) -> None:
        self.messages.append(data)
        self.stamps.append(ts_recv_ns)
        self._touch()

    def state(self, state: ChannelState) -> None:
        self.states.append(state)
        self._touch()

    def gone(self, reason: str) -> None:
        self.lost.append(reason)
        self._touch()

    def fault(self, error: Exception) -> None:
        self.faults.append(error)
        self._touch()

    def _touch(self) -> None:
        async def notify() -> None:
            async with self._changed:
                self._changed.notify_all()

        task = asyncio.get_running_loop().create_task(notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def until(self, fact: Callable[[], bool]) -> None:
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(fact)


@contextlib.asynccontextmanager
async def opened(url: object, inbox: Inbox, **options: object) -> AsyncIterator[Stream]:
    stream = Stream(
        "venue", Channel.PUBLIC, url, inbox.message, on_state=inbox.state, on_lost=inbox.gone, backoff=QUICK, **options
    )
    await stream.start()
    try:
        yield stream
    finally:
        await stream.close()


async def test_messages_arrive_and_leave() -> None:
    """What is sent comes back through the handler, with a receive time."""
    inbox = Inbox()
    async with serving(echo) as (url, _), opened(url, inbox, clock_ns=lambda: 77) as stream:
        await stream.wait_ready(2)
        stream.send('{"a":1}')
        await inbox.until(lambda: bool(inbox.messages))
        assert inbox.messages == [b'{"a":1}']
        assert inbox.stamps == [77]
        assert stream.ts_last_ns == 77
        assert inbox.states[-1].connected


async def test_what_is_rehearsed_neither_arrives_nor_leaves() -> None:
    """Before, between and after messages: the server hears those alone, the handler too, and the connection stays."""
    inbox, heard = Inbox(), []

    async def note(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                heard.append(message)
                await connection.send(message)

    async with serving(note) as (url, _), opened(url, inbox) as stream:
        await stream.wait_ready(2)
        for number in range(3):
            for _ in range(5):
                stream.rehearse_read(b'{"a":"read"}' * 20_000)
                stream.rehearse_send(b'{"a":"sent"}')
            stream.send(str(number))
            await inbox.until(lambda told=number + 1: len(inbox.messages) == told)
        assert (heard, inbox.messages) == (["0", "1", "2"], [b"0", b"1", b"2"])
        assert (stream.ready, inbox.lost) == (True, [])


async def test_without_a_connection_there_is_nothing_to_rehearse_on() -> None:
    """Nothing is raised, unlike by what is sent."""
    inbox = Inbox()
    stream = Stream("venue", Channel.PUBLIC, "ws://127.0.0.1:1", inbox.message)
    stream.rehearse_read(b"{}")
    stream.rehearse_send(b"{}")
    with pytest.raises(Unavailable):
        stream.send(b"{}")
    assert not inbox.messages


async def test_the_handler_runs_in_the_turn_that_read_the_frame() -> None:
    """A frame is handled inside the transport's read callback: nothing else of the loop runs in between."""
    outside_any_task: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def handle(data: bytes, ts_recv_ns: int) -> None:
        outside_any_task.set_result(asyncio.current_task() is None)  # as only a transport's own callback is

    async with serving(echo) as (url, _):
        stream = Stream("venue", Channel.PUBLIC, url, handle, backoff=QUICK)
        await stream.start()
        await stream.wait_ready(2)
        stream.send("x")
        async with asyncio.timeout(2):
            assert await outside_any_task
        await stream.close()


async def test_fragmented_message_is_joined() -> None:
    """A message in several frames reaches the handler once, whole."""
    inbox = Inbox()

    async def fragments(connection: ServerConnection) -> None:
        await connection.send(["one ", "two ", "three"])
        await connection.wait_closed()

    async with serving(fragments) as (url, _), opened(url, inbox):
        await inbox.until(lambda: bool(inbox.messages))
    assert inbox.messages == [b"one two three"]


async def test_reconnects_and_opens_anew() -> None:
    """When the venue closes, a new connection is made, the address is made anew and on_open runs again."""
    inbox = Inbox()
    addresses: list[str] = []
    opens: list[int] = []

    async def once(connection: ServerConnection) -> None:
        await connection.send(connection.request.path)
        assert await connection.recv() == "hello"
        if len(opens) < 3:
            await connection.close(1001, "going away")
        else:
            await connection.wait_closed()

    async with serving(once) as (url, _):

        async def address() -> str:
            addresses.append(f"{url}/key{len(addresses)}")
            return addresses[-1]

        async def on_open() -> None:
            opens.append(1)
            stream.send("hello")

        async with opened(address, inbox, on_open=on_open) as stream:
            await inbox.until(lambda: len(opens) >= 3 and stream.ready)
            assert inbox.messages[:3] == [b"/key0", b"/key1", b"/key2"]
            assert stream.state.reconnects == 2
    assert any("1001 going away" in reason for reason in inbox.lost)
    assert [state.connected for state in inbox.states][:5] == [True, False, True, False, True]


async def test_refused_address_is_unavailable_and_recovers() -> None:
    """While nobody listens, wait_ready and send raise Unavailable; when the venue comes up the stream connects."""
    inbox = Inbox()
    async with serving(echo) as (url, _):
        port = int(url.rsplit(":", 1)[1])
    async with opened(url, inbox) as stream:
        with pytest.raises(Unavailable, match="cannot connect"):
            await stream.wait_ready(0.1)
        with pytest.raises(Unavailable, match="not sent"):
            stream.send("x")
        async with serving(echo, port):
            await stream.wait_ready(3)
            stream.send("x")
            await inbox.until(lambda: inbox.messages == [b"x"])


async def test_watchdog_drops_a_silent_connection() -> None:
    """An open socket that says nothing (though it answers pings) is dropped after the silence limit."""
    inbox = Inbox()
    connections: list[ServerConnection] = []

    async def mute(connection: ServerConnection) -> None:
        connections.append(connection)
        await connection.wait_closed()

    async with serving(mute) as (url, _), opened(url, inbox, silent_after=0.05, heartbeat=Heartbeat(every=0.01)):
        await inbox.until(lambda: len(connections) >= 2)
    assert "silent" in inbox.lost[0]


async def test_no_silence_where_nothing_is_expected() -> None:
    """The watchdog leaves a connection alone while no message is due, and judges it from when one is."""
    inbox = Inbox()
    due = False
    async with (
        serving(echo) as (url, _),
        opened(url, inbox, silent_after=0.03, heartbeat=Heartbeat(every=0.01), expects=lambda: due) as stream,
    ):
        await stream.wait_ready(2)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.15):
                await inbox.until(lambda: bool(inbox.lost))
        due = True
        await inbox.until(lambda: bool(inbox.lost))
    assert "silent" in inbox.lost[0]


async def test_text_heartbeat_is_sent() -> None:
    """A venue's own ping text goes out at its interval."""
    inbox = Inbox()
    beat = Heartbeat(every=0.01, text='{"method":"ping"}')
    async with serving(echo) as (url, _), opened(url, inbox, heartbeat=beat):
        await inbox.until(lambda: len(inbox.messages) >= 3)
    assert set(inbox.messages) == {b'{"method":"ping"}'}


async def test_asked_reconnect_tells_the_reason() -> None:
    """``reconnect`` drops the connection with the caller's reason and a new one follows."""
    inbox = Inbox()
    async with serving(echo) as (url, _), opened(url, inbox) as stream:
        await stream.wait_ready(2)
        stream.reconnect("listen key expired")
        await inbox.until(lambda: stream.state.reconnects == 1 and stream.ready)
    assert inbox.lost[0] == "listen key expired"
    assert ChannelState(Channel.PUBLIC, connected=False, note="listen key expired") in inbox.states


async def test_a_connection_that_is_dropped_each_time_backs_off() -> None:
    """A message that cannot be taken comes again on every connection: that must not become a storm of them."""
    attempts: list[int] = []

    class Noted(Backoff):
        def pause(self, attempt: int, share: float) -> float:
            attempts.append(attempt)
            return super().pause(min(attempt, 1), share)

    async def greet(connection: ServerConnection) -> None:
        await connection.send("cannot be taken")
        await connection.wait_closed()

    streams: list[Stream] = []
    async with serving(greet) as (url, _):
        stream = Stream(
            "venue",
            Channel.PRIVATE,
            url,
            lambda data, ts_recv_ns: streams[0].reconnect("again"),
            backoff=Noted(first=0.01, longest=0.05),
        )
        streams.append(stream)
        await stream.start()
        async with asyncio.timeout(5):
            while len(attempts) < 4:
                await asyncio.sleep(0.01)
        await stream.close()
    assert attempts[:4] == [0, 1, 2, 3]


async def test_failed_opening_is_retried() -> None:
    """A VenueError of on_open (a login refused for now) drops the connection; the next try may succeed."""
    inbox = Inbox()
    tries: list[int] = []

    async def login() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise Unavailable("venue", "login refused")

    async with serving(echo) as (url, _), opened(url, inbox, on_open=login) as stream:
        await stream.wait_ready(2)
    assert len(tries) == 3
    assert any("login refused" in state.note for state in inbox.states)


async def test_handler_fault_is_reported_and_reading_goes_on() -> None:
    """A message that the handler cannot take is reported; the next one is delivered."""
    inbox = Inbox()

    def fragile(data: bytes, ts_recv_ns: int) -> None:
        if data == b"bad":
            raise ValueError("cannot")
        inbox.message(data, ts_recv_ns)

    async with serving(echo) as (url, _):
        stream = Stream("venue", Channel.PUBLIC, url, fragile, on_fault=inbox.fault, backoff=QUICK)
        await stream.start()
        await stream.wait_ready(2)
        stream.send("bad")
        stream.send("good")
        await inbox.until(lambda: inbox.messages == [b"good"])
        await stream.close()
    assert [str(error) for error in inbox.faults] == ["cannot"]


async def test_a_venue_that_does_not_read_is_not_written_to() -> None:
    """When what was written piles up, further messages are refused as not sent: memory stays bounded."""
    inbox = Inbox()
    piece = "x" * 262_144

    async def idle(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with serve(idle, "127.0.0.1", 0, max_queue=1, close_timeout=0.1) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with opened(url, inbox, write_limit=65_536) as stream:
            await stream.wait_ready(2)

            def insist() -> None:
                for _ in range(200):
                    stream.send(piece)

            with pytest.raises(Unavailable, match="does not read"):
                insist()


async def test_close_is_idempotent_and_leaves_no_task() -> None:
    """After ``close`` no task of the stream remains, also when it was never connected."""
    inbox = Inbox()
    before = asyncio.all_tasks()
    stream = Stream("venue", Channel.PUBLIC, "ws://127.0.0.1:1", inbox.message, backoff=QUICK)
    await stream.start()
    await stream.close()
    await stream.close()
    gc.collect()
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize(("attempt", "low", "high"), [(0, 0.05, 0.1), (1, 0.1, 0.2), (5, 1.6, 3.2), (60, 15.0, 30.0)])
def test_backoff_doubles_with_jitter(attempt: int, low: float, high: float) -> None:
    """The pause doubles up to the longest, and the jitter spreads it over its upper half."""
    backoff = Backoff(first=0.1, longest=30.0)
    assert backoff.pause(attempt, 0.0) == pytest.approx(low)
    assert backoff.pause(attempt, 1.0) == pytest.approx(high)
