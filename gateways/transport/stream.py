"""A websocket that stays up: reconnects with jittered backoff, proves that it is alive, hands each frame over at once.

Messages are handed to a plain function in the same turn of the loop in which their bytes were read; sending writes to
the socket before it returns, so a caller knows whether anything left. One task per stream, made by ``start`` and ended
by ``close``. The websocket library stays behind ``gateways.transport.network``.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec

from gateways.errors import Unavailable, VenueError
from gateways.transport.network import Network, Socket
from gateways.transport.sockets import SOCKETS
from gateways.venue import Channel, ChannelState

OnMessage = Callable[[bytes, int], None]
"""Takes one message, text as UTF-8, and the time its bytes were read (ns, UTC). Must not block; what it raises goes to
``on_fault``."""

STABLE_S = 10.0
"""A connection that was ready for so long starts the next backoff from its shortest pause."""


class Heartbeat(msgspec.Struct, frozen=True):
    """How the connection is kept alive and proved alive: ping frames, or ``text`` where the venue has its own ping."""

    every: float = 15.0
    text: str | None = None
    timeout: float = 10.0
    """Seconds within which a ping frame must be answered."""


class Backoff(msgspec.Struct, frozen=True):
    """The pause before a reconnect: doubles from ``first`` to ``longest`` seconds, jittered over its upper half."""

    first: float = 0.1
    longest: float = 30.0

    def pause(self, attempt: int, share: float) -> float:
        """Seconds before attempt ``attempt`` (from 0); ``share`` in [0, 1) is the jitter, drawn by the caller."""
        whole = min(self.longest, self.first * 2.0 ** min(attempt, 30))
        return whole * (0.5 + 0.5 * share)


class Stream:
    """One websocket of one venue.

    ``url``: the address, or an async function that makes it anew for each connection (a listen key in it, say).
    ``on_open``: awaited after each connect, before the stream counts as connected: log in, subscribe. A VenueError or
    TimeoutError of it drops the connection.
    ``on_lost``: told the reason when a connection that was open is gone, before the state changes.
    ``silent_after``: seconds without any message after which the connection is taken for dead although it is open,
    while ``expects`` says that messages are due; None trusts the heartbeat alone.
    """

    def __init__(
        self,
        venue: str,
        channel: Channel,
        url: str | Callable[[], Awaitable[str]],
        on_message: OnMessage,
        *,
        on_open: Callable[[], Awaitable[None]] | None = None,
        on_lost: Callable[[str], None] | None = None,
        on_state: Callable[[ChannelState], None] | None = None,
        on_fault: Callable[[Exception], None] | None = None,
        heartbeat: Heartbeat = Heartbeat(),  # noqa: B008 - frozen value
        silent_after: float | None = None,
        expects: Callable[[], bool] | None = None,
        backoff: Backoff = Backoff(),  # noqa: B008 - frozen value
        open_timeout: float = 10.0,
        write_limit: int = 1 << 20,
        max_size: int = 1 << 24,
        clock_ns: Callable[[], int] = time.time_ns,
        network: Network = SOCKETS,
    ) -> None:
        self._venue = venue
        self.channel = channel
        self._url = url
        self._on_message = on_message
        self._on_open = on_open
        self._on_lost = on_lost
        self._on_state = on_state
        self._on_fault = on_fault
        self._heartbeat = heartbeat
        self._silent_after = silent_after
        self._expects = expects
        self._backoff = backoff
        self._open_timeout = open_timeout
        self._write_limit = write_limit
        self._max_size = max_size
        self._clock_ns = clock_ns
        self._network = network
        self._task: asyncio.Task[None] | None = None
        self._connection: Socket | None = None
        self._opened = asyncio.Event()
        self._hurry = asyncio.Event()
        self._dropped_for = ""
        self._ts_last_ns = 0
        self._last_heard = 0.0
        self._connects = 0
        self.state = ChannelState(channel, connected=False)

    @property
    def ready(self) -> bool:
        """Whether the stream is connected and ``on_open`` is done."""
        return self._opened.is_set()

    @property
    def ts_last_ns(self) -> int:
        """When the last message was read, 0 for never."""
        return self._ts_last_ns

    async def start(self) -> None:
        """Start connecting; return at once. A second call does nothing."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(
                self._run(), name=f"{self._venue} {self.channel.value} stream"
            )

    async def wait_ready(self, timeout: float) -> None:  # noqa: ASYNC109 - turned into Unavailable with the last reason
        """Wait until connected. Raises Unavailable after ``timeout`` seconds, with the last reason known."""
        try:
            async with asyncio.timeout(timeout):
                await self._opened.wait()
        except TimeoutError:
            why = self.state.note or "no answer"
            raise Unavailable(self._venue, f"{self.channel.value} stream not connected: {why}") from None

    def send(self, data: str | bytes) -> None:
        """Write one text message to the socket. Raises Unavailable when it definitely did not leave.

        Open connections only, ``on_open`` included. An error after this returned shows as a lost connection.
        """
        connection = self._connection
        if connection is None or not connection.is_open:
            raise Unavailable(self._venue, f"{self.channel.value} stream is not connected: not sent")
        if connection.unsent > self._write_limit:
            raise Unavailable(self._venue, f"{self.channel.value} stream: the venue does not read: not sent")
        connection.write(data.encode() if isinstance(data, str) else data)

    def rehearse_read(self, data: bytes) -> None:
        """Read a message from nowhere, as far as the function that takes it."""
        if self._connection is not None:
            self._connection.rehearse_read(data)

    def rehearse_send(self, data: bytes) -> None:
        """Do what ``send`` does, to nowhere."""
        connection = self._connection
        if connection is not None and connection.is_open and connection.unsent <= self._write_limit:
            connection.rehearse_write(data)

    def reconnect(self, reason: str) -> None:
        """Drop the connection, if any, and make a new one; end a pause that is under way."""
        self._dropped_for = reason
        self._hurry.set()
        if self._connection is not None:
            self._connection.abort()

    async def close(self) -> None:
        """Close the connection (with the closing handshake, at most a second) and end the task. Idempotent."""
        task, self._task = self._task, None
        await ended(task)

    # ------------------------------------------------------------------ the task

    async def _run(self) -> None:
        attempt = 0
        while True:
            reason, lived = await self._one_connection()
            if lived >= STABLE_S:  # one that is dropped again and again, for a message that cannot be taken, backs off
                attempt = 0
            self._report(connected=False, note=self._dropped_for or reason)
            self._dropped_for = ""
            self._hurry.clear()
            try:
                async with asyncio.timeout(self._backoff.pause(attempt, self._network.jitter())):
                    await self._hurry.wait()
            except TimeoutError:
                attempt += 1

    async def _one_connection(self) -> tuple[str, float]:
        """Connect and serve until the connection is gone: the reason, and for how many seconds it was ready."""
        loop = asyncio.get_running_loop()
        try:
            url = self._url if isinstance(self._url, str) else await self._url()
            self._dropped_for = ""
            self._hurry.clear()
            connection = await self._connect(url)
        except (OSError, VenueError) as error:
            return f"cannot connect: {error or type(error).__name__}", 0.0
        self._connection = connection
        if self._hurry.is_set():
            connection.abort()  # its first message came with the handshake, and could not be taken
        self._last_heard = loop.time()
        ready_since, reason = None, ""
        try:
            if self._on_open is not None:
                async with asyncio.timeout(self._open_timeout):
                    await self._on_open()
            if connection.is_open:
                ready_since = loop.time()
                self._connects += 1
                self._opened.set()
                self._report(connected=True)
                reason = await self._serve(connection)
        except (VenueError, TimeoutError) as error:
            reason = f"opening failed: {error or 'timeout'}"
        finally:
            self._connection = None
            self._opened.clear()
            await connection.close()
            reason = reason or connection.ending
            if self._on_lost is not None:
                self._on_lost(self._dropped_for or reason)
        return reason, 0.0 if ready_since is None else loop.time() - ready_since

    async def _connect(self, url: str) -> Socket:
        beat = self._heartbeat
        return await self._network.connect(
            url,
            self._deliver,
            ping_every=beat.every if beat.text is None else None,
            ping_timeout=beat.timeout,
            open_timeout=self._open_timeout,
            max_size=self._max_size,
        )

    async def _serve(self, connection: Socket) -> str:
        """Beat and watch until the connection is gone; return why we dropped it, or nothing."""
        loop = asyncio.get_running_loop()
        beat_due = loop.time() + self._heartbeat.every
        while connection.is_open:
            now = loop.time()
            if self._silent(now):
                return f"silent for {now - self._last_heard:.1f} s with the socket open"
            if self._heartbeat.text is not None and now >= beat_due:
                beat_due = now + self._heartbeat.every
                try:
                    self.send(self._heartbeat.text)
                except Unavailable as error:
                    return error.text
            pauses = [beat_due - now if self._heartbeat.text is not None else self._heartbeat.every]
            if self._silent_after is not None:
                pauses.append(
                    max(0.01, self._last_heard + self._silent_after - now) if self._due() else self._silent_after
                )
            try:
                async with asyncio.timeout(min(pauses)):
                    await connection.wait_closed()
            except TimeoutError:
                continue
        return ""

    def _due(self) -> bool:
        return self._expects is None or self._expects()

    def _silent(self, now: float) -> bool:
        if self._silent_after is None:
            return False
        if not self._due():
            self._last_heard = now  # silence counts from when messages become due
            return False
        return now - self._last_heard >= self._silent_after

    # ------------------------------------------------------------------ frames and state

    def _deliver(self, data: bytes) -> None:
        ts_recv_ns = self._clock_ns()
        self._ts_last_ns = ts_recv_ns
        if self._silent_after is not None:
            self._last_heard = asyncio.get_running_loop().time()
        try:
            self._on_message(data, ts_recv_ns)
        except Exception as error:  # noqa: BLE001 - one message that a handler cannot take must not end the reading of the rest
            if self._on_fault is None:
                asyncio.get_running_loop().call_exception_handler(
                    {"message": f"{self._venue}: handling a message failed", "exception": error}
                )
            else:
                self._on_fault(error)

    def _report(self, *, connected: bool, note: str = "") -> None:
        before = self.state
        self.state = ChannelState(
            self.channel, connected, ts_last_ns=self._ts_last_ns, reconnects=max(0, self._connects - 1), note=note
        )
        changed = (before.connected, before.note) != (connected, note)
        if changed and self._on_state is not None:
            self._on_state(self.state)


async def ended(task: "asyncio.Task[None] | None") -> None:
    """Cancel a task and wait for its end. Raises what it failed with, if it had failed."""
    if task is None:
        return
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
