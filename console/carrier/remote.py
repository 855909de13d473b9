"""Asking running engines from any shell: PANIC, status, command lines. An engine that does not answer holds up nothing.

PANIC has a second way where the first one fails: the desk's kill file, which every desk looks for, served or not.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from console import commands as c
from console import language
from console.carrier import wire
from console.carrier.calls import Calls, asking
from console.carrier.keeping import Kept
from console.link import Reply
from console.status import Status, running_desks
from gateways.errors import VenueError
from oms.private_files import write_file
from oms.states import Trading

ANSWER_S = 3.0
"""How long PANIC waits for an answer before it takes the second way."""
COMING_S = 30.0
"""How long for an engine that is being started."""
IDLE_S = 10.0
_LOOK_S = 0.05
_encode = msgspec.json.Encoder().encode


async def panic(desks: Sequence[Status], coming: Sequence[Kept], running: Path, write: Callable[[str], None]) -> bool:
    """Pull the kill switch of each, all at once; whether each has confirmed it. ``running`` is where they tell so.

    ``coming`` are desks whose engine is being started: it finds its kill file as it does.
    """
    named = [f"{one.desk} (process {one.pid})" for one in (*desks, *coming)]
    for kept in coming:
        write(f"{kept.desk}: its engine is not up, process {kept.pid} starts it; waiting for it …")
    pulled = [_panic(status, running) for status in desks]
    pulled += [asyncio.to_thread(_by_file, kept.kill_file, running, "", COMING_S) for kept in coming]
    results = await asyncio.gather(*pulled)
    for name, (_, text) in zip(named, results, strict=True):
        write(f"{name}: {text}")
    return all(done for done, _ in results)


async def _panic(status: Status, running: Path) -> tuple[bool, str]:
    why = ""
    if status.socket:
        try:
            async with asyncio.timeout(ANSWER_S), asking(Path(status.socket), ANSWER_S) as calls:
                reply = await _replied(calls, lambda ask: wire.Command(ask, "panic"))
                return reply.ok, f"{reply.text} {reply.error}".strip()
        except (VenueError, TimeoutError) as error:
            why = f"{str(error) or f'no answer within {ANSWER_S:g} s'}; "
    return await asyncio.to_thread(_by_file, status.kill_file, running, why, ANSWER_S)


def _by_file(kill_file: str, running: Path, why: str, within_s: float) -> tuple[bool, str]:
    """Touch the kill file, wait until the desk says that it saw it and has no makers, and remove it again."""
    file = Path(kill_file)
    made = not file.exists()
    try:
        write_file(file, "")
    except OSError as error:
        return False, f"{why}its kill file {file} cannot be made: {error.strerror}"
    seen: Status | None = None
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and (seen is None or seen.makers):
        looked = (one for one in running_desks(running) if one.kill_file == kill_file and _pulled(one))
        seen = next(looked, seen)
        time.sleep(_LOOK_S)
    if seen is not None:
        if made:
            file.unlink(missing_ok=True)
        left = f"makers left: {seen.makers}"
        return True, f"{why}PANIC by its kill file: {seen.trading}, {left}; `activate` allows makers again"
    return False, f"{why}it has not seen its kill file {file} yet, which stays: end it, cancel on the venues' pages"


def _pulled(status: Status) -> bool:
    return status.trading in {Trading.HEDGE_ONLY.value, Trading.HALTED.value}


async def asked_status(desks: Sequence[Status]) -> list[tuple[Status, bool]]:
    """What each says of itself when asked, else what it wrote last; whether it answered, or cannot be asked."""
    return list(await asyncio.gather(*(_status(status) for status in desks)))


async def _status(known: Status) -> tuple[Status, bool]:
    if not known.socket:
        return known, True
    try:
        async with asyncio.timeout(ANSWER_S), asking(Path(known.socket), ANSWER_S) as calls:
            answer = await calls.ask(wire.AskStatus)
    except (VenueError, TimeoutError):
        return known, False
    return answer.status or known, answer.status is not None


async def run_lines(path: Path, lines: Sequence[str], write: Callable[[str], None]) -> int:
    """Run lines one after another, wait until all is hedged, prove the books; a JSON line for each reply.

    0 only if none was refused and the books are the venues' own. The engine goes on, and with it what rests.
    Raises Denied or Unavailable when the engine does not take us in, Unknown when it is lost before it answered.
    """

    def told(number: int, reply: Reply) -> bool:
        record = {"ok": reply.ok, "cloid": reply.cloid, "error": reply.error or None, "text": reply.text}
        write(_encode({"type": "reply", "line": number, **record}).decode())
        return reply.ok

    async with asking(path) as calls:
        done = [told(number, await _run_line(calls, line)) for number, line in enumerate(lines, 1)]
        idle = await _replied(calls, lambda ask: wire.AwaitIdle(ask, IDLE_S))
        done.append(told(len(lines) + 1, idle))
        proof = await _replied(calls, lambda ask: wire.Command(ask, "verify"))
    write(_encode({"type": "summary", "consistent": proof.ok, "problems": [proof.error] * (not proof.ok)}).decode())
    return 0 if all(done) and proof.ok else 1


async def _run_line(calls: Calls, line: str) -> Reply:
    try:
        command = language.parse_script_line(line)
    except language.GrammarError as error:
        return Reply(ok=False, error=f"{error.text} (at column {error.caret + 1})")
    match command:
        case None | c.Quit():
            return Reply(ok=True)
        case c.Sleep(ms=ms):
            await asyncio.sleep(ms / 1000)
            return Reply(ok=True)
        case c.WaitIdle(within_ms=ms):
            return await _replied(calls, lambda ask: wire.AwaitIdle(ask, ms / 1000))
        case _:
            return await _replied(calls, lambda ask: wire.Command(ask, language.render(command)))


async def _replied(calls: Calls, question: Callable[[int], wire.Asked]) -> Reply:
    return (await calls.ask(question)).reply or Reply(ok=False, error="the engine gave no reply")
