"""The engine without a screen: lines of the grammar in, JSON lines out, and a summary that the venues vouch for."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO, TypeVar

import msgspec

from console import commands as c
from console import language
from console.desk import Desk
from console.folders import locks_folder, running_folder
from console.lines import LineWriter
from console.link import Reply
from console.log_records import follow
from console.starting import DEFAULT_TIMERS, Timers
from console.status import Status, telling
from gateways.errors import RateLimited
from gateways.router import Gateway, make_venue
from gateways.venue import Endpoints
from oms.clock import SystemClock
from oms.crash import CrashPoints
from oms.deltas import Delta, HedgeDelta
from oms.hedge.book import BookView
from oms.journal import Recorder, open_journal
from oms.limits import Limits
from oms.lock import AccountLocks
from oms.orders import OrderDelta
from oms.positions import PositionDelta
from oms.put_away import VARIABLE, Kept
from oms.rehearsal import keep_ready
from oms.states import Live
from oms.system import OMS
from oms.verify import Proof

T = TypeVar("T")

_encode = msgspec.json.Encoder(decimal_format="string").encode


STARTS = 4
"""How often a desk that meets a rate limit tries to start."""
SHORTEST_WAIT_S = 1.0
KILL_FILE = "panic"
"""In the desk's folder: touching it pulls the kill switch."""


@asynccontextmanager
async def open_oms(
    endpoints: Mapping[str, Endpoints], folder: Path, *, crash: CrashPoints | None = None, locks: Path | None = None,
    timers: Timers = DEFAULT_TIMERS, risk: Limits | None = None, live: Live | None = None,
    about: Callable[[Status], Status] | None = None,
) -> AsyncIterator[OMS]:  # fmt: skip
    """An OMS connected to these venues, its journal in ``folder``; closed at the end, whatever happened.

    While it runs no other desk may trade its accounts; ``locks`` is where that is written, the user's state folder
    where none is given. ``risk`` limits what is sent. ``crash``, for drills, kills the process at a point of a hedge.
    ``live`` makes it a desk that must be armed; only such a one may leave this machine.
    A file ``panic`` in ``folder`` pulls its kill switch, and its status, to which ``about`` may add, stands beside the
    locks (``console.status``).
    Raises VenueError (Denied for an account that another desk trades) or JournalError when it cannot start, ValueError
    where ``HEDGEDESK_KEPT`` says nothing that can be kept.
    """
    clock = SystemClock()

    def make() -> OMS:
        gateway = Gateway(
            endpoints, make=make_venue if crash is None else crash.venue, live=live is not None
        )  # fmt: skip
        journal: Recorder = open_journal(folder, clock)
        oms = OMS(
            gateway,
            journal=journal if crash is None else crash.journal(journal),
            clock=clock,
            risk=risk,
            live=live,
            kill_file=folder / KILL_FILE,
            kept=Kept.of(os.environ.get(VARIABLE, "")),
            **timers._asdict(),
        )
        follow(oms)
        return oms

    with AccountLocks(endpoints, locks or locks_folder(), folder=folder, clock=clock):
        oms = await started(make)
        try:
            running = running_folder() if locks is None else locks.with_name("running")
            async with telling(oms, folder, running, about):
                yield oms
        finally:
            await oms.cleanup()


async def started(make: Callable[[], OMS]) -> OMS:
    """An OMS that has taken up its past. A venue's rate limit is waited out: what waits to be hedged needs the desk.

    Raises what kept it from starting; then it is closed.
    """
    for left in reversed(range(STARTS)):
        oms = make()
        try:
            await oms.init()
        except RateLimited as error:
            await oms.cleanup()
            if not left:
                raise
            await asyncio.sleep(max(error.retry_after, SHORTEST_WAIT_S))
        except BaseException:
            await oms.cleanup()
            raise
        else:
            return oms
    raise AssertionError("a start ends in a desk or in an error")


class Headless:
    """Runs a script on a desk and writes what happens. One JSON line a record, decimals as strings."""

    def __init__(self, oms: OMS, out: LineWriter) -> None:
        self._oms = oms
        self._desk = Desk(oms)
        self._out = out
        self.refused = 0
        """Replies that refused their line."""

    def write(self, record: dict[str, Any]) -> None:
        """Write one record."""
        self._out.put(_encode(record).decode())

    async def on_delta(self, delta: Delta) -> None:
        """Write one delta."""
        match delta:
            case OrderDelta(after=order):
                self.write({
                    "type": "order_delta", "cloid": order.key, "venue": order.venue, "ticker": order.ticker,
                    "role": order.role.value, "status": order.status.value, "label": delta.label,
                    "amount": order.amount, "filled": order.filled, "last_fill": delta.last_fill,
                    "price": order.price, "average_price": order.average_price, "text": order.text,
                })  # fmt: skip
            case PositionDelta(after=position):
                self.write({
                    "type": "position_delta", "venue": position.venue, "ticker": position.ticker,
                    "amount": position.amount, "entry_price": position.entry_price,
                })  # fmt: skip
            case HedgeDelta():
                self.write({
                    "type": "hedge", "event": delta.event, "venue": delta.venue, "ticker": delta.ticker,
                    "cloid": delta.cloid, "severity": delta.severity, "text": delta.text,
                })  # fmt: skip
            case _:
                pass

    async def play(self, lines: AsyncIterator[str], stop: asyncio.Event) -> None:
        """Run lines until ``quit`` or the end. A refused line is replied to and the script goes on.

        Raises Stopped once ``stop`` is set: a line under way is finished first, but waiting (for time, for calm, for
        the next line) ends at once.
        """
        number = 0
        while (line := await _unless(stop, _next(lines))) is not None:
            number += 1
            try:
                command = language.parse_script_line(line)
            except language.GrammarError as error:
                self._reply(number, Reply(ok=False, error=f"{error.text} (at column {error.caret + 1})"))
                continue
            match command:
                case None:
                    continue
                case c.Quit():
                    self._reply(number, Reply(ok=True))
                    return
                case c.Sleep(ms=ms):
                    await _unless(stop, asyncio.sleep(ms / 1000))
                    self._reply(number, Reply(ok=True))
                case c.WaitIdle(within_ms=ms):
                    calm = await _unless(stop, self._oms.wait_idle(ms / 1000))
                    error = "" if calm else f"not idle within {ms} ms"
                    self._reply(number, Reply(ok=calm, error=error))
                case _:
                    self._reply(number, await self._desk.run(command))

    def _reply(self, number: int, reply: Reply) -> None:
        self.refused += not reply.ok
        self.write({
            "type": "reply", "line": number, "ok": reply.ok, "cloid": reply.cloid, "error": reply.error or None,
            "text": reply.text,
        })  # fmt: skip

    def summary(self, proof: Proof, left: list[str]) -> None:
        """Write the last record."""
        self.write({
            "type": "summary",
            "books": [_book(view) for view in proof.books],
            "positions": [
                {"venue": row.venue, "ticker": row.ticker, "oms": row.oms, "at_venue": row.at_venue}
                for row in proof.positions
            ],
            "consistent": proof.consistent,
            "problems": list(proof.problems),
            "left": left,
        })  # fmt: skip


def _book(view: BookView) -> dict[str, Any]:
    return {
        "venue": view.venue, "ticker": view.ticker, "target": view.target, "hedged": view.hedged,
        "in_flight": view.in_flight, "balance": view.balance, "forfeited": view.forfeited, "waits": view.waits,
    }  # fmt: skip


class Stopped(Exception):
    """A script was told to stop before its end."""


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    """Wait for ``work``; raise Stopped, with ``work`` cancelled, as soon as ``stop`` is set."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            raise Stopped
        return working.result()
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


async def _next(lines: AsyncIterator[str]) -> str | None:
    return await anext(lines, None)


async def run_headless(
    endpoints: Mapping[str, Endpoints], lines: AsyncIterator[str], out: TextIO, *, folder: Path,
    timers: Timers = DEFAULT_TIMERS, risk: Limits | None = None, live: Live | None = None,
    seconds: Decimal | None = None, crash: CrashPoints | None = None, strict: bool = False,
    stop: asyncio.Event | None = None,
) -> int:  # fmt: skip
    """Play a script on a desk of its own, stop in two phases, prove the books; 0 only if they are the venues' books.

    ``strict``: and only if every line was played and none was refused. Setting ``stop``, from the desk's loop, ends the
    script, and so do ``seconds`` and a reader that goes away, which is raised at the end (OSError). Ending cancels what
    rests: no maker is left without its hedge. A reader that is slow or stalled holds up nothing.
    """
    loop, stop = asyncio.get_running_loop(), stop or asyncio.Event()

    def reader_gone() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: all is over already
            loop.call_soon_threadsafe(stop.set)

    writer = LineWriter(out, reader_gone)
    try:
        async with open_oms(endpoints, folder, crash=crash, timers=timers, risk=risk, live=live) as oms:
            keep_ready(oms)
            return await _run(oms, lines, writer, stop, seconds=seconds, strict=strict)
    finally:
        writer.close()


async def _run(
    oms: OMS, lines: AsyncIterator[str], writer: LineWriter, stop: asyncio.Event, *, seconds: Decimal | None,
    strict: bool,
) -> int:  # fmt: skip
    headless = Headless(oms, writer)
    oms.register(headless.on_delta, kinds=(OrderDelta, PositionDelta, HedgeDelta), name="json lines")
    limit = None
    if seconds is not None:
        limit = asyncio.get_running_loop().call_later(float(seconds), stop.set)
    played = True
    try:
        await headless.play(lines, stop)
    except Stopped:
        played = False
        over = limit is not None and limit.when() <= asyncio.get_running_loop().time()
        text = f"{seconds} s are over" if over else "told to stop"
        headless.write({"type": "hedge", "event": "stop", "severity": "info", "text": text})
    except BaseException:
        await oms.stop()  # whatever broke: no maker is left without its hedge
        raise
    finally:
        if limit is not None:
            limit.cancel()
    left = await oms.stop()
    proof = await oms.verify()
    await oms.wait_idle(1.0, quiet_s=0.0)
    headless.summary(proof, left)
    done = played and not headless.refused
    return 0 if proof.consistent and (done or not strict) else 1
