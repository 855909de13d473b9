"""A websocket server that stamps: the moment at which bytes came in, the moment before bytes go out.

The venue's side of every benchmark. One protocol object a connection, no task, no queue: what is measured is the desk
and the kernel's loopback, not this.
"""

import asyncio
import time
from collections.abc import Callable
from typing import cast

from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

OnText = Callable[["Socket", bytes, int], None]
"""Takes a connection, a text message and the time its bytes were read (``time.perf_counter_ns``)."""


class Socket(asyncio.Protocol):
    """One connection of a client. ``path`` is what it asked for, once it has."""

    def __init__(self, opened: Callable[["Socket"], None], on_text: OnText) -> None:
        self.path = ""
        self._opened = opened
        self._on_text = on_text
        self._protocol = ServerProtocol()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out, which keeps nothing back: uvloop would hold it for the end of the turn."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self._transport.set_write_buffer_limits(0)

    def data_received(self, data: bytes) -> None:
        """Stamp, then read."""
        now = time.perf_counter_ns()
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self.path = event.path
                self._protocol.send_response(self._protocol.accept(event))
                self._flush()
                self._opened(self)
            elif isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.BINARY}:
                self._on_text(self, bytes(event.data), now)
        self._flush()

    def send(self, text: bytes) -> int:
        """Write one text message, none where the other side is leaving; the time just before (``perf_counter_ns``)."""
        if self._protocol.state is not State.OPEN:
            return time.perf_counter_ns()
        self._protocol.send_text(text)
        chunks = self._protocol.data_to_send()
        assert self._transport is not None
        now = time.perf_counter_ns()
        self._transport.write(b"".join(chunks))
        return now

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        if self._transport is None:
            return
        try:
            chunks = self._protocol.data_to_send()
        except ConnectionClosed:
            return
        if data := b"".join(chunks):
            self._transport.write(data)
