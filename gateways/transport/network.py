"""The seam below ``Stream`` and ``Rest``: how bytes leave this process and arrive. Everything above it runs anywhere.

``gateways.transport.sockets`` is the real network and the default; ``gateways.transport.memory`` connects to something
in this process, on virtual time. What each error proves is the same behind both.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec


class NotSentError(ConnectionError):
    """No connection could be made: nothing of the request left."""


class LostError(ConnectionError):
    """The connection broke after the request may have left."""


class Response(msgspec.Struct, frozen=True):
    """An HTTP answer of any status, with its header names in lower case."""

    status: int
    body: bytes
    headers: dict[str, str]


class Socket(Protocol):
    """One open websocket connection. Whoever made it takes its messages by the function given to ``connect``."""

    @property
    def is_open(self) -> bool:
        """Whether what is written now can still leave."""
        ...

    @property
    def unsent(self) -> int:
        """Bytes that were written and have not left: the other side does not read."""
        ...

    @property
    def ending(self) -> str:
        """Why it is closed, for people."""
        ...

    def write(self, data: bytes) -> None:
        """Send one text message; it has left for the other side when this returns."""
        ...

    def rehearse_read(self, data: bytes) -> None:
        """Do what a text message that came in would cause, but deliver none: see ``oms.rehearsal``."""

    def rehearse_write(self, data: bytes) -> None:
        """Do what ``write`` does, but for the writing."""

    def abort(self) -> None:
        """Drop the connection at once, without a closing handshake."""
        ...

    async def close(self) -> None:
        """Close it and wait, a second at most, for the other side to agree. Idempotent."""
        ...

    async def wait_closed(self) -> None:
        """Wait until it is closed, by whomever."""
        ...


class Http(Protocol):
    """Keep-alive HTTP to one host."""

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
        """Send once, byte for byte; return the answer within ``answer_timeout`` seconds. Never sends again.

        Raises NotSentError when nothing left, TimeoutError or LostError when the request may have arrived.
        """
        ...

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        ...


class Network(Protocol):
    """What a venue's channels are made on."""

    async def connect(
        self,
        url: str,
        deliver: Callable[[bytes], None],
        *,
        ping_every: float | None,
        ping_timeout: float,
        open_timeout: float,
        max_size: int,
    ) -> Socket:
        """Open a websocket; ``deliver`` takes each message in the turn in which it was read.

        ``ping_every``: seconds between ping frames, each to be answered within ``ping_timeout``; None sends none.
        Raises OSError (TimeoutError among them) when there is no connection within ``open_timeout`` seconds.
        """
        ...

    def http(self, connections: int) -> Http:
        """HTTP with at most so many connections. Made on the loop that uses it."""
        ...

    def jitter(self) -> float:
        """A random share in [0, 1), for pauses between reconnects."""
        ...

    def monotonic_ns(self) -> int:
        """A clock for durations."""
        ...
