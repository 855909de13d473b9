"""The engine's door: a websocket server on a Unix domain socket that only its owner's processes may use.

The socket is 0600 in a folder of 0700, and the operating system says whose process comes. What does not speak the
language of ``console.carrier.wire`` is dropped, counted and logged; nobody else notices.
"""

import asyncio
import contextlib
import http
import logging
import os
import socket
import stat
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.http11 import Request, Response

from console.carrier import wire
from console.carrier.peer import Peer, peer_of
from console.carrier.publication import Publication
from console.carrier.session import Session
from console.engine import Engine
from console.link import HandlerRow
from console.log_records import log
from console.logs import LOG
from console.status import Status
from gateways.errors import Denied
from oms.private_files import FILE_MODE, make_folder
from oms.tasks import TaskOwner

MOST_CONNECTED = 64
MOST_COMING = 64
"""Connections beside those that did not say yet what they want: more are closed at once."""
LOG_EVERY_S = 1.0
"""How often one reason for dropping somebody is logged; what happens in between is counted."""
HELLO_S = 5.0
"""How long a process that connects may take to say who it is."""
PING_S = 20.0
"""How often a console is asked whether it is there; one that is silent for as long again is let go, and may return."""
_CLOSING_S = 1.0
_SOCKET_LOG = LOG.getChild("socket")
_SOCKET_LOG.setLevel(logging.WARNING)  # below that it tells of each connection, as we do
_LONGEST_PATH = 100
"""Bytes in the path of a socket that every system takes (macOS: 104 with its end)."""


class Door:
    """Takes consoles in. ``peer`` says who is at the other end of a connection, ``stop`` ends the engine.

    ``dropped`` counts by reason those who were not taken in, or not kept.
    """

    def __init__(
        self, publication: Publication, stop: Callable[[str], None], peer: Callable[[socket.socket], Peer] = peer_of
    ) -> None:
        self.path: Path | None = None
        self.dropped: Counter[str] = Counter()
        self._publication = publication
        self._stop = stop
        self._peer = peer
        self._connected = 0
        self._crowd = _Crowd(self._drop)
        self._number = 0
        self._logged: dict[str, tuple[float, int]] = {}
        """By reason, when it was last logged and how often it had happened by then."""
        self._sessions: dict[Session, ServerConnection] = {}
        self._tasks = TaskOwner(self._failed)

    def consoles(self) -> Iterator[HandlerRow]:
        """Who is attached, and how far behind."""
        return (session.row for session in self._sessions if session.hello.records)

    def about(self, status: Status) -> Status:
        """A status with where consoles attach, and how many are."""
        return msgspec.structs.replace(
            status, socket="" if self.path is None else str(self.path), consoles=sum(1 for _ in self.consoles())
        )

    @asynccontextmanager
    async def open(self, engine: Engine, path: Path) -> AsyncIterator[None]:
        """Serve ``engine`` at ``path`` inside. Raises Denied for a place that others may reach, OSError."""

        async def handle(connection: ServerConnection) -> None:
            self._connected += 1
            try:
                await self._serve(engine, connection)
            finally:
                self._connected -= 1

        with listening(path) as listener:
            async with unix_serve(
                handle, sock=listener, process_request=self._admit, compression=None, server_header=None,
                max_size=wire.MOST_ASKED_BYTES, max_queue=16, open_timeout=HELLO_S, ping_interval=PING_S,
                ping_timeout=PING_S, close_timeout=_CLOSING_S, logger=_SOCKET_LOG,
                create_connection=_coming(self._crowd),
            ):  # fmt: skip
                self.path = path
                try:
                    yield
                finally:
                    self.path = None
                    await self._tasks.close()

    async def say_farewell(self, text: str) -> None:
        """Tell everybody that the engine ends, and why. Waits for nobody longer than a moment."""
        message = wire.encode(wire.Farewell(text))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_S):
                sent = (connection.send(message) for connection in self._sessions.values())
                await asyncio.gather(*sent, return_exceptions=True)

    # ------------------------------------------------------------------ one connection

    def _admit(self, connection: ServerConnection, _: Request) -> Response | None:
        """Turn away who is not the engine's own user, before a word of theirs is read."""
        try:
            peer = self._peer(connection.transport.get_extra_info("socket"))
        except OSError as error:
            return self._turned_away(connection, "unknown user", f"nobody says who connects: {error}")
        if peer.uid != os.geteuid():
            return self._turned_away(connection, "another user", f"user {peer.uid} may not use this engine")
        if self._connected >= MOST_CONNECTED:
            return self._turned_away(connection, "too many", f"{MOST_CONNECTED} are connected already")
        return None

    def _turned_away(self, connection: ServerConnection, reason: str, text: str) -> Response:
        self._drop(reason, text)
        return connection.respond(http.HTTPStatus.FORBIDDEN, f"{text}\n")

    async def _serve(self, engine: Engine, connection: ServerConnection) -> None:
        name, phase = "somebody", "no hello"
        try:
            hello = await self._hello(connection)
            refusal = wire.refusal(hello)
            if refusal:
                self._drop("another version", refusal)
                await connection.send(wire.encode(wire.Refused(refusal)))
                await connection.close(1008, "another version")
                return
            await connection.send(wire.encode(wire.Welcome(wire.VERSION, os.getpid(), hello.view)))
            self._number += 1
            session = Session(
                self._number, hello, socket=connection, engine=engine, publication=self._publication,
                tasks=self._tasks, stop=self._stop,
            )  # fmt: skip
            name, phase = session.name, "no message"
            await self._keep(session)
        except (wire.WireError, TimeoutError) as error:
            self._drop(phase, f"{name}: {error or 'nothing was said'}")
            await connection.close(1008, phase)
        except ConnectionClosedError as error:
            too_long = error.sent is not None and error.sent.code == 1009
            self._drop("too long" if too_long else "lost", f"{name}: {error}")
        except ConnectionClosed:
            return  # it left

    async def _hello(self, connection: ServerConnection) -> wire.Hello:
        async with asyncio.timeout(HELLO_S):
            message = wire.read_asked(await connection.recv())
        if not isinstance(message, wire.Hello):
            raise wire.WireError("the first message was no hello")
        return message

    async def _keep(self, session: Session) -> None:
        self._sessions[session] = session.socket
        log("console attached", console=session.name, view=session.hello.view)
        try:
            await session.run()
        finally:
            del self._sessions[session]
            log("console left", console=session.name)

    def _drop(self, reason: str, text: str) -> None:
        self.dropped[reason] += 1
        now, (last, told) = asyncio.get_running_loop().time(), self._logged.get(reason, (-LOG_EVERY_S, 0))
        if now - last >= LOG_EVERY_S:
            self._logged[reason] = now, self.dropped[reason]
            log("console dropped", logging.WARNING, reason=reason, text=text, count=self.dropped[reason] - told)

    def _failed(self, name: str, error: BaseException) -> None:
        log("console's question failed", logging.ERROR, name=name, text=repr(error))


class _Crowd:
    """How many connections there are, from their first moment on."""

    def __init__(self, drop: Callable[[str, str], None]) -> None:
        self.drop = drop
        self._count = 0

    def enter(self) -> bool:
        """Count one that comes; whether there is room for it."""
        self._count += 1
        return self._count <= MOST_CONNECTED + MOST_COMING

    def leave(self) -> None:
        self._count -= 1


def _coming(crowd: _Crowd) -> type[ServerConnection]:
    class Coming(ServerConnection):
        """A connection that tells when it ends without a request: there was no room, what came was none, or nothing."""

        _has_room = True

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self._has_room = crowd.enter()
            if not self._has_room:
                crowd.drop("too many", "more connect than say what they want")
                self.transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            crowd.leave()
            super().connection_lost(exc)

        async def handshake(self, *arguments: Any, **options: Any) -> None:
            try:
                await super().handshake(*arguments, **options)
            finally:
                if self.request is None and self._has_room:
                    crowd.drop("no handshake", f"no request: {self.protocol.parser_exc or 'nothing was said'}")

    return Coming


# ------------------------------------------------------------------------- the socket


def socket_path(folder: Path, name: str, elsewhere: Path) -> Path:
    """Where the socket of a desk lies: ``name`` in ``folder``, or in ``elsewhere`` where that path is too long.

    Raises Denied where both are.
    """
    for place in (folder, elsewhere):
        path = place / f"{name}.sock"
        if len(os.fsencode(path)) <= _LONGEST_PATH:
            return path
    raise Denied("desk", f"the path of the engine's socket is too long: {path}", field="socket")


@contextlib.contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A socket bound to ``path``, which goes with it, in the place of one that a dead engine left.

    Raises Denied where the folder is not its owner's alone, OSError.
    """
    make_folder(path.parent)
    folder = path.parent.stat()
    if folder.st_uid != os.geteuid() or stat.S_IMODE(folder.st_mode) & 0o077:
        raise Denied("desk", f"{path.parent} must be your own and closed to others (0700)", field="socket")
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise Denied("desk", f"{path} is there already and no socket: remove it", field="socket")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)  # noqa: FBT003 - its own form
        listener.bind(str(path))
        path.chmod(FILE_MODE)  # nobody can connect before: it does not listen yet
        made = path.lstat()
        try:
            yield listener
        finally:
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(made, path.lstat()):  # the next engine may have its own there by now
                    path.unlink()
    finally:
        listener.close()
