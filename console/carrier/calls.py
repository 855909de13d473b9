"""The asking side of a connection to an engine: the handshake, questions and their answers."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus

from console.carrier import wire
from gateways.errors import Denied, Unavailable, Unknown

CONNECT_S = 5.0
PING_S = 10.0
"""How often an engine is asked whether it is there; one that is silent for as long again is given up."""
_CLOSING_S = 0.5


class Calls:
    """Questions on a ``connection``; an answer is brought by ``answered``, read by whoever reads the connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._open: dict[int, asyncio.Future[wire.Answer]] = {}

    async def ask(self, question: Callable[[int], wire.Asked]) -> wire.Answer:
        """The answer to what ``question`` makes with its number.

        Raises Denied for what is too long, unsent; Unknown when the connection is lost first: what was asked may or
        may not have been done.
        """
        number = next(self._numbers)
        message = wire.encode(question(number))
        if len(message) > wire.MOST_ASKED_BYTES:
            raise Denied("engine", f"not sent: a line may be of {wire.MOST_ASKED_BYTES // 1_024} KiB at most")
        answer = self._open[number] = asyncio.get_running_loop().create_future()
        try:
            await self._connection.send(message)
            return await answer
        except ConnectionClosed as error:
            raise lost() from error
        finally:
            del self._open[number]

    def answered(self, answer: wire.Answer) -> None:
        """Take an answer; one that nobody waits for any more is nobody's."""
        waiting = self._open.get(answer.ask)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def lose(self) -> None:
        """The connection is lost: nothing more will be answered."""
        for waiting in self._open.values():
            if not waiting.done():
                waiting.set_exception(lost())


def lost() -> Unknown:
    """The error of a question whose connection was lost."""
    return Unknown("engine", "the connection to the engine was lost before it answered: it may have been done, or not")


def closed_because(error: Exception) -> str:
    """Why a connection was closed, to be put after a sentence; empty where nobody said."""
    if not isinstance(error, ConnectionClosed):
        return f": {error}"
    said = error.sent if error.rcvd is None else error.rcvd
    return f": {said.reason}" if said is not None and said.reason else ""


def _not_there(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it is silent"
    return (error.strerror or "").lower() if isinstance(error, OSError) else str(error)


@asynccontextmanager
async def connected(path: Path, hello: wire.Hello, within_s: float = CONNECT_S) -> AsyncIterator[ClientConnection]:
    """A connection to the engine at ``path`` that has taken us in.

    Raises Denied when it refuses us, Unavailable when nobody is there or nobody answers within ``within_s``.
    """
    connecting = unix_connect(
        str(path), compression=None, max_size=wire.MOST_TOLD_BYTES, open_timeout=within_s, ping_interval=PING_S,
        ping_timeout=PING_S, close_timeout=_CLOSING_S, user_agent_header=None,
    )  # fmt: skip
    try:
        connection = await connecting
    except InvalidStatus as error:
        said = bytes(error.response.body or b"").decode(errors="replace").strip()
        raise Denied("engine", said or "the engine does not take us in") from error
    except (OSError, InvalidHandshake, InvalidMessage, TimeoutError) as error:
        raise Unavailable("engine", f"no engine answers at {path}: {_not_there(error)}") from error
    try:
        await _greeted(connection, hello, within_s)
        yield connection
    finally:
        await connection.close()


async def _greeted(connection: ClientConnection, hello: wire.Hello, within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            await connection.send(wire.encode(hello))
            said = wire.read_told(await connection.recv())
    except (ConnectionClosed, TimeoutError, wire.WireError) as error:
        why = closed_because(error) if isinstance(error, ConnectionClosed) else f": {_not_there(error)}"
        raise Unavailable("engine", f"the engine does not answer{why}") from error
    if isinstance(said, wire.Refused):
        raise Denied("engine", said.text)
    if not isinstance(said, wire.Welcome):
        raise Unavailable("engine", "the engine does not speak our language")


@asynccontextmanager
async def asking(path: Path, within_s: float = CONNECT_S) -> AsyncIterator[Calls]:
    """The engine at ``path``, to be asked questions; no frames come. Raises like ``connected``."""
    async with connected(path, wire.Hello(wire.VERSION), within_s) as connection:
        calls = Calls(connection)

        async def read() -> None:
            try:
                async for message in connection:
                    said = wire.read_told(message)
                    if isinstance(said, wire.Answer):
                        calls.answered(said)
            finally:
                calls.lose()

        reading = asyncio.create_task(read(), name="answers")
        try:
            yield calls
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
