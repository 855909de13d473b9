"""The lines of a headless desk: as they come, never too many at once, and ``quit`` when told to stop."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from queue import Queue
from typing import BinaryIO

import pytest

from console.script import LONGEST, ROOM, ScriptLines, run_script, stop_signals


@pytest.fixture
def pipe() -> Iterator[tuple[int, BinaryIO]]:
    """The reading end of a pipe, and a file that writes into it."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb", buffering=0) as writer:
        yield reading, writer
    os.close(reading)


async def test_lines_come_as_they_are_written(pipe: tuple[int, BinaryIO]) -> None:
    """A line is there once it is written, the next one waits; the last may lack its end."""
    reading, writer = pipe
    script = ScriptLines(descriptor=reading)
    writer.write(b"verify\nbuy")
    assert await anext(script) == "verify"
    writer.write(" 1 binance:币安人生USDT\nquit".encode())
    assert await anext(script) == "buy 1 binance:币安人生USDT"
    writer.close()
    assert [line async for line in script] == ["quit"]


async def test_waiting_for_a_line_leaves_the_loop_free(pipe: tuple[int, BinaryIO]) -> None:
    """While nothing is typed everything else goes on."""
    reading, writer = pipe
    script = ScriptLines(descriptor=reading)
    line = asyncio.ensure_future(anext(script))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not line.done()
    writer.write(b"panic\n")
    assert await line == "panic"


class BusyLoop:
    """A loop that takes what other threads hand to it and gets to none of it."""

    def __init__(self) -> None:
        self.handed: Queue[str | None] = Queue()

    def call_soon_threadsafe(self, _act: object, line: str | None) -> None:
        self.handed.put(line)


def test_a_desk_that_is_behind_holds_the_reader_back(pipe: tuple[int, BinaryIO]) -> None:
    """Of a script longer than the room for it no more is taken than fits, and none is lost."""
    reading, writer = pipe
    writer.write(b"".join(b"sleep %dms\n" % number for number in range(500)))
    writer.close()
    script, loop = ScriptLines(descriptor=reading), BusyLoop()
    reader = threading.Thread(target=script._read, args=(loop,), daemon=True)
    reader.start()
    seen = [loop.handed.get(timeout=10) for _ in range(ROOM)]
    reader.join(0.05)
    assert (reader.is_alive(), loop.handed.empty()) == (True, True)
    while seen[-1] is not None:
        script._room.release()
        seen.append(loop.handed.get(timeout=10))
    assert seen == [*(f"sleep {number}ms" for number in range(500)), None]


async def test_a_line_without_end_is_handed_on(pipe: tuple[int, BinaryIO]) -> None:
    """Bytes without a line's end do not pile up: they come as a line, for the grammar to refuse."""
    reading, writer = pipe
    script = ScriptLines(descriptor=reading)
    sending = asyncio.get_running_loop().run_in_executor(None, writer.write, b"x" * (LONGEST + 100_000))
    assert len(await anext(script)) > LONGEST
    await sending


async def test_an_end_that_is_asked_for_comes_next(pipe: tuple[int, BinaryIO]) -> None:
    """After ``end`` the next line is quit, whatever was still to come, and then there is none."""
    reading, writer = pipe
    script = ScriptLines(descriptor=reading)
    writer.write(b"verify\nverify\nverify\n")
    assert await anext(script) == "verify"
    script.end()
    assert [line async for line in script] == ["quit"]


async def test_an_end_wakes_who_waits_for_a_line(pipe: tuple[int, BinaryIO]) -> None:
    """A desk that waits for the next line hears at once that it should end."""
    script = ScriptLines(descriptor=pipe[0])
    line = asyncio.ensure_future(anext(script))
    await asyncio.sleep(0)
    script.end()
    assert await line == "quit"


async def test_a_script_that_stays_outlives_its_input() -> None:
    """With a time limit the end of the input is not the end: only the limit, or a signal, is."""
    script = ScriptLines(["verify"], stay=True)
    assert await anext(script) == "verify"
    line = asyncio.ensure_future(anext(script))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not line.done()
    script.end()
    assert await line == "quit"
    assert [line async for line in script] == []


async def test_given_lines_are_the_script() -> None:
    """Lines given by arguments come in order, and then the end."""
    assert [line async for line in ScriptLines(["a", "b"])] == ["a", "b"]


async def test_input_that_cannot_be_read_ends_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    """A closed input is an end with a word on stderr, not a hang."""
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    assert [line async for line in ScriptLines(descriptor=reading)] == []
    assert "cannot be read further" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_desk_in_order(number: signal.Signals) -> None:
    """The first signal to stop makes the next line quit: the desk settles and gives its own exit code."""
    seen: list[str] = []

    async def desk(lines: AsyncIterator[str]) -> int:
        async for line in lines:
            seen.append(line)
            if line == "verify":
                os.kill(os.getpid(), number)
        return 3

    assert run_script(desk, ["verify"], stay=True) == 3
    assert seen == ["verify", "quit"]


def test_what_the_parent_ignores_stays_ignored() -> None:
    """Under nohup a closed terminal does not end the desk."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert stop_signals() == [signal.SIGINT, signal.SIGTERM]
    finally:
        signal.signal(signal.SIGHUP, before)
    assert signal.SIGHUP in stop_signals()


def test_a_second_signal_ends_it_at_once() -> None:
    """A desk that does not settle after the first signal is broken off by the second."""
    settling = asyncio.Event()

    async def desk(lines: AsyncIterator[str]) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        async for _ in lines:
            os.kill(os.getpid(), signal.SIGINT)
            await settling.wait()
        return 0

    with pytest.raises(KeyboardInterrupt):
        run_script(desk, [], stay=True)
