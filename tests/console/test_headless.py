"""The engine without a screen: what its exit code means, and that it ends when it is told to."""

import asyncio
import io
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.headless import Stopped, _unless, run_headless
from gateways.paper.sockets import PaperServer, running
from tests.desk import Written, until

HEDGED = "buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market"
LONG = 1000


async def script(*lines: str, stay: bool = False) -> AsyncIterator[str]:
    """These lines, and then the end, or (``stay``) nothing for ever."""
    for line in lines:
        yield line
    if stay:
        await asyncio.Event().wait()


async def play(folder: Path, lines: AsyncIterator[str], out: io.StringIO, **options: Any) -> Written:
    """Run a script on paper venues of its own; it must end well within the test's time."""
    async with asyncio.timeout(30), running(PaperServer(["binance", "hyperliquid"], seed=7)) as server:
        code = await run_headless(server.endpoints, lines, out, folder=folder, **options)
    return Written(code, out.getvalue())


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 1)])
async def test_a_refused_line_counts_only_where_it_is_asked_to(tmp_path: Path, *, strict: bool, code: int) -> None:
    """A script with a refused line that ends consistent is a success, but not in strict use."""
    written = await play(tmp_path, script("cancel 7f3a", HEDGED, "wait idle 5s"), io.StringIO(), strict=strict)
    assert (written.code, written.summary["consistent"]) == (code, True)
    assert [written.replies[line]["ok"] for line in (1, 2, 3)] == [False, True, True]


async def test_a_line_off_the_grammar_counts_as_refused(tmp_path: Path) -> None:
    """What cannot be read was not done: strict use fails."""
    written = await play(tmp_path, script("byu 3 binance:ETHUSDT"), io.StringIO(), strict=True)
    assert (written.code, written.summary["consistent"]) == (1, True)


async def test_a_strict_script_without_a_refusal_succeeds(tmp_path: Path) -> None:
    """Every line done and consistent: 0."""
    written = await play(tmp_path, script(HEDGED, "wait idle 5s", "quit"), io.StringIO(), strict=True)
    assert written.code == 0


@pytest.mark.parametrize(
    ("lines", "replies"),
    [
        ((f"sleep {LONG}s", "verify"), 1),
        ((f"{HEDGED} after 1s", f"wait idle {LONG}s", "verify"), 2),
        (("verify",), 2),
    ],
    ids=["sleep", "wait idle", "the next line"],
)
async def test_a_desk_told_to_stop_waits_for_nothing(tmp_path: Path, lines: tuple[str, ...], replies: int) -> None:
    """Waiting for time, for calm or for a line ends at once; then everything settles and the summary is written."""
    out, stop = io.StringIO(), asyncio.Event()
    lines = ("activate", *lines)

    async def tell() -> None:
        await until(lambda: out.getvalue().count('"type":"reply"') == replies)
        stop.set()

    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(tell())
        written = await play(tmp_path, script(*lines, stay=True), out, stop=stop)
    assert telling.done()
    assert (written.code, written.summary["consistent"], list(written.replies)) == (0, True, [*range(1, replies + 1)])
    (said,) = written.hedges("stop")
    assert said["text"] == "told to stop"


async def test_a_strict_script_that_was_cut_short_fails(tmp_path: Path) -> None:
    """Lines that were not played were not done."""
    stop = asyncio.Event()
    stop.set()
    written = await play(tmp_path, script("verify"), io.StringIO(), stop=stop, strict=True)
    assert (written.code, written.replies, written.summary["consistent"]) == (1, {}, True)


async def test_a_time_limit_ends_a_sleep(tmp_path: Path) -> None:
    """The limit is a stop that says how long it was."""
    limit = Decimal("0.2")
    written = await play(tmp_path, script("verify", f"sleep {LONG}s"), io.StringIO(), seconds=limit)
    assert (written.code, written.hedges("stop")[0]["text"]) == (0, "0.2 s are over")


async def test_work_is_cancelled_when_the_stop_comes_first() -> None:
    """Nothing that was waited for goes on behind the back of who stopped waiting."""
    stop, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.ensure_future(_unless(stop, work()))
    await asyncio.sleep(0)
    stop.set()
    with pytest.raises(Stopped):
        await waiting
    assert ended.is_set()
