"""The paper venues as a process: it says where they are and serves them until it is stopped."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TextIO

import msgspec
import uvloop

from gateways.paper.kinds import KINDS
from gateways.paper.recording import RecordingError, read_recording
from gateways.paper.sockets import PaperServer, running

_PARENT_EVERY_S = 0.5


def serve(  # noqa: PLR0917 - a caller names them all
    venues: Sequence[str],
    seed: int,
    market_file: Path | None = None,
    ticker: str | None = None,
    speed: Decimal = Decimal(1),
    out: TextIO | None = None,
    *,
    with_parent: bool = False,
) -> int:
    """Serve paper venues until SIGTERM or SIGINT; return the exit code.

    Writes one JSON line to ``out`` (standard output where None) when the ports are open: ``{"venues": {alias: {"rest",
    "ws", "key", "secret"}}}``, with a ``passphrase`` where the venue has one. ``market_file`` replays recorded trades
    in ``ticker`` at ``speed``. ``with_parent``: ends also when the process that started it does. What cannot be served
    is one sentence on standard error, and 2.
    """
    parent = os.getppid() if with_parent else None
    try:
        server = _build(venues, seed, market_file, ticker, speed)
    except RecordingError as error:
        print(error, file=sys.stderr)
        return 2
    uvloop.run(serve_until_stopped(server, sys.stdout if out is None else out, parent))
    return 0


def _build(
    venues: Sequence[str], seed: int, market_file: Path | None, ticker: str | None, speed: Decimal
) -> PaperServer:
    unknown = [name for name in venues if name not in KINDS]
    if unknown or not venues:
        named = f"There is no paper venue {unknown[0]!r}" if unknown else "No paper venue is named"
        raise RecordingError(f"{named}: choose from {', '.join(KINDS)}.")
    if market_file is None:
        return PaperServer(venues, seed=seed)
    if not ticker:
        raise RecordingError("A recording needs --ticker: which contract were these trades in?")
    return PaperServer(venues, seed=seed, trades=read_recording(market_file), ticker=ticker, speed=speed)


async def serve_until_stopped(server: PaperServer, out: TextIO, parent: int | None) -> None:
    """Say where the venues are and serve them until a signal, or until ``parent`` is our parent no longer."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(server):
        described = {
            name: {
                "rest": each.rest,
                "ws": each.ws,
                "key": each.key,
                "secret": each.secret,
                **({"passphrase": each.passphrase} if each.passphrase else {}),
                **({"kind": each.kind} if each.kind != name else {}),
            }
            for name, each in server.endpoints.items()
        }
        out.write(msgspec.json.encode({"venues": described}).decode() + "\n")
        out.flush()
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PARENT_EVERY_S)
            if parent is not None and os.getppid() != parent:
                stop.set()
