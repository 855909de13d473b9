"""The real network: websockets by the ``websockets`` asyncio client, HTTP by aiohttp.

Messages are handed to a plain function in the same turn of the loop in which their bytes were read (``recv`` would cost
a turn and a queue); writing puts the bytes on the socket before it returns. Nothing is ever sent twice from here.
"""

import random
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import aiohttp
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from yarl import URL

from gateways.transport.network import LostError, Network, NotSentError, Response

_OPEN = State.OPEN
_DATA = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


class _Connection(ClientConnection):
    """Hands each message to ``deliver`` as its last frame is read; control frames stay with the library."""

    def __init__(self, protocol: ClientProtocol, *, deliver: Callable[[bytes], None], **options: Any) -> None:
        super().__init__(protocol, **options)
        self._deliver = deliver
        self._parts: list[bytes] = []
        self._aside = ClientProtocol(protocol.uri, state=_OPEN, max_size=None)
        """For rehearsals: a connection to nowhere."""

    def process_event(self, event: Any) -> None:
        """Take data frames ourselves; leave the handshake and control frames to the library."""
        if not isinstance(event, Frame) or event.opcode not in _DATA:
            super().process_event(event)
        elif event.fin and not self._parts:
            self._deliver(bytes(event.data))
        else:
            self._parts.append(bytes(event.data))
            if event.fin:
                whole = b"".join(self._parts)
                self._parts.clear()
                self._deliver(whole)

    @property
    def is_open(self) -> bool:
        """Whether what is written now can still leave."""
        return self.protocol.state is _OPEN and not self.transport.is_closing()

    @property
    def unsent(self) -> int:
        """Bytes in the transport's buffer."""
        return self.transport.get_write_buffer_size()

    @property
    def ending(self) -> str:
        """The close code and reason, if the other side gave any."""
        if self.close_code is None:
            return "connection lost"
        reason = f" {self.close_reason}" if self.close_reason else ""
        return f"closed by the venue ({self.close_code}{reason})"

    def write(self, data: bytes) -> None:
        """Write one text frame to the transport."""
        self.protocol.send_text(data)
        self.send_data()

    def rehearse_read(self, data: bytes) -> None:
        """See ``Socket.rehearse_read``."""
        self._aside.receive_data(Frame(Opcode.TEXT, data).serialize(mask=False))
        for event in self._aside.events_received():
            if isinstance(event, Frame) and event.opcode in _DATA:
                bytes(event.data)

    def rehearse_write(self, data: bytes) -> None:
        """See ``Socket.rehearse_write``."""
        self._aside.send_text(data)
        self._aside.data_to_send()

    def abort(self) -> None:
        """Reset the connection."""
        self.transport.abort()


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending again: it repeats PUT and DELETE (an amend, a cancel) when a connection breaks."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise LostError(str(error) or type(error).__name__) from error


class _AiohttpClient:
    """One aiohttp session, made with the first request."""

    def __init__(self, connections: int) -> None:
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        connect_timeout: float,
        answer_timeout: float,
    ) -> Response:
        limits = aiohttp.ClientTimeout(
            total=connect_timeout + answer_timeout, connect=connect_timeout, sock_read=answer_timeout
        )
        try:
            async with self._opened().request(
                method,
                URL(url, encoded=True),
                data=body or None,
                headers=headers,
                allow_redirects=False,
                timeout=limits,
            ) as response:
                answer = await response.read()
                return Response(
                    response.status, answer, {name.lower(): value for name, value in response.headers.items()}
                )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise NotSentError(str(error) or type(error).__name__) from error
        except TimeoutError:
            raise
        except aiohttp.ClientError as error:
            raise LostError(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Content-Type"),
                middlewares=(_once,),
            )
        return self._session


class SocketNetwork:
    """Sockets of this machine, its randomness and its monotonic clock."""

    async def connect(
        self,
        url: str,
        deliver: Callable[[bytes], None],
        *,
        ping_every: float | None,
        ping_timeout: float,
        open_timeout: float,
        max_size: int,
    ) -> _Connection:
        """See ``Network.connect``."""
        try:
            connection = await connect(
                url,
                # A callable with the class's signature: the handler must be there before the first frame can arrive.
                create_connection=cast("type[ClientConnection]", partial(_Connection, deliver=deliver)),
                compression=None,
                proxy=None,
                open_timeout=open_timeout,
                ping_interval=ping_every,
                ping_timeout=None if ping_every is None else ping_timeout,
                close_timeout=1.0,
                max_size=max_size,
                # uvloop keeps what is written for the end of the turn, unless it is above the high-water mark.
                write_limit=0,
            )
        except (InvalidHandshake, InvalidURI, EOFError) as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        return cast("_Connection", connection)

    def http(self, connections: int) -> _AiohttpClient:
        """See ``Network.http``."""
        return _AiohttpClient(connections)

    def jitter(self) -> float:
        """See ``Network.jitter``."""
        return random.random()  # noqa: S311 - the length of a pause, not a secret

    def monotonic_ns(self) -> int:
        """See ``Network.monotonic_ns``."""
        return time.monotonic_ns()


SOCKETS: Network = SocketNetwork()
