"""A drill tool: a process that kills itself, as ``kill -9`` would, at an exact point of its Nth hedge.

``HEDGEDESK_KILL=POINT:N`` ends the desk at POINT of the Nth hedge that it decides on:

================  ====================================================================================
``before-append``  decided, nothing of it written yet
``after-append``   the intent is in the journal, no byte of the order has left
``after-send``     the order's bytes have left the process, no reply to them has been read
================  ====================================================================================

Nothing of it is on the way of an order without the switch: with it the desk is built on a journal and a network that
are wrapped. ``after-send`` sees orders that go by websocket, which both venues' orders do while the socket is up.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self

import msgspec

from gateways.router import make_venue
from gateways.transport.network import Http, Network, Socket
from gateways.transport.sockets import SOCKETS
from gateways.venue import Endpoints, Venue
from oms.archive import Archive
from oms.journal import Draft, Mark, Record, Recorder
from oms.recorder import Unwritten, Work

VARIABLE = "HEDGEDESK_KILL"
BEFORE_APPEND, AFTER_APPEND, AFTER_SEND = POINTS = ("before-append", "after-append", "after-send")
INTENT = "Intended"
"""The kind of record that says that a hedge was decided on."""


def kill_this_process() -> None:
    """End at once: nothing is flushed, closed or told."""
    os.kill(os.getpid(), signal.SIGKILL)


class CrashPoints:
    """Where one process ends: at ``point`` of its hedge number ``nth``, counted from 1. ``die`` must not return."""

    def __init__(self, point: str, nth: int, die: Callable[[], None] = kill_this_process) -> None:
        if point not in POINTS or nth < 1:
            raise ValueError(f"{point}:{nth} is no kill point: give one of {', '.join(POINTS)} and a number from 1")
        self.point = point
        self.nth = nth
        self._die = die
        self._intents = 0
        self._awaited = b""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """What ``HEDGEDESK_KILL`` asks for, None where it is not set. Raises ValueError for what is no kill point."""
        text = environment.get(VARIABLE, "")
        if not text:
            return None
        point, _, number = text.partition(":")
        if point not in POINTS or not (number.isascii() and number.isdigit() and int(number) > 0):
            points = ", ".join(POINTS)
            raise ValueError(f"{VARIABLE}={text} is no kill point: it is POINT:N, POINT one of {points}, N from 1")
        return cls(point, int(number))

    def journal(self, inner: Recorder) -> Recorder:
        """The journal to give the desk instead of ``inner``."""
        return _Journal(inner, self)

    def network(self, inner: Network) -> Network:
        """The network to make the venues on instead of ``inner``."""
        return _Network(inner, self)

    def venue(self, alias: str, endpoints: Endpoints) -> Venue:
        """The venue to trade on, its bytes watched. Raises as ``make_venue``."""
        return make_venue(alias, endpoints, self.network(SOCKETS))

    def before_append(self) -> None:
        """An intent is about to be written."""
        self._intents += 1
        if self._intents == self.nth and self.point == BEFORE_APPEND:
            self._die()

    def after_append(self, child: str) -> None:
        """The intent of the hedge order with this client order id is written."""
        if self._intents != self.nth:
            return
        if self.point == AFTER_APPEND:
            self._die()
        elif self.point == AFTER_SEND:
            self._awaited = child.encode()

    def written(self, socket: Socket, data: bytes) -> None:
        """A message was given to a socket."""
        if self._awaited and self._awaited in data:
            self._awaited = b""
            self._die_when_left(socket)

    def _die_when_left(self, socket: Socket) -> None:
        if socket.unsent == 0:
            self._die()
        else:  # uvloop writes at the end of the turn
            asyncio.get_running_loop().call_soon(self._die_when_left, socket)


class _Journal:
    """Passes everything on; dies around an intent."""

    def __init__(self, inner: Recorder, points: CrashPoints) -> None:
        self._inner = inner
        self._points = points

    @property
    def archive(self) -> Archive:
        return self._inner.archive

    @property
    def failed(self) -> str | None:
        return self._inner.failed

    def append(
        self, kind: str, value: msgspec.Struct | None = None, /, *, cause: int | None = None, **fields: object
    ) -> int:
        if kind != INTENT:
            return self._inner.append(kind, value, cause=cause, **fields)
        self._points.before_append()
        number = self._inner.append(kind, value, cause=cause, **fields)
        self._points.after_append(getattr(value, "child", ""))
        return number

    def append_with(self, kind: str, value: msgspec.Struct, following: Sequence[tuple[str, msgspec.Struct]], /) -> int:
        number = self._inner.append(kind, value)
        for name, told in following:
            self.append(name, told, cause=number)
        return number

    def append_soon(self, kind: str, value: msgspec.Struct, unwritten: Unwritten, /) -> int:
        return self._inner.append_soon(kind, value, unwritten)

    def records(self) -> Iterator[Record]:
        return self._inner.records()

    @property
    def full(self) -> bool:
        return self._inner.full

    async def apart(self, work: Work, told: bytes) -> bytes:
        return await self._inner.apart(work, told)

    def mark(self) -> Mark:
        return self._inner.mark()

    def draft(self, checkpoint: msgspec.Struct, mark: Mark) -> Draft:
        return self._inner.draft(checkpoint, mark)

    def begin_segment(self, draft: Draft) -> None:
        self._inner.begin_segment(draft)

    def flush(self) -> None:
        self._inner.flush()

    def close(self) -> None:
        self._inner.close()


class _Network:
    """Passes everything on; watches what websockets write."""

    def __init__(self, inner: Network, points: CrashPoints) -> None:
        self._inner = inner
        self._points = points

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
        socket = await self._inner.connect(
            url, deliver, ping_every=ping_every, ping_timeout=ping_timeout, open_timeout=open_timeout, max_size=max_size
        )
        return _Socket(socket, self._points)

    def http(self, connections: int) -> Http:
        return self._inner.http(connections)

    def jitter(self) -> float:
        return self._inner.jitter()

    def monotonic_ns(self) -> int:
        return self._inner.monotonic_ns()


class _Socket:
    """Passes everything on; tells of each message after it was written."""

    def __init__(self, inner: Socket, points: CrashPoints) -> None:
        self._inner = inner
        self._points = points

    @property
    def is_open(self) -> bool:
        return self._inner.is_open

    @property
    def unsent(self) -> int:
        return self._inner.unsent

    @property
    def ending(self) -> str:
        return self._inner.ending

    def write(self, data: bytes) -> None:
        self._inner.write(data)
        self._points.written(self, data)

    def rehearse_read(self, data: bytes) -> None:
        self._inner.rehearse_read(data)

    def rehearse_write(self, data: bytes) -> None:
        self._inner.rehearse_write(data)

    def abort(self) -> None:
        self._inner.abort()

    async def close(self) -> None:
        await self._inner.close()

    async def wait_closed(self) -> None:
        await self._inner.wait_closed()
