"""The contender as paper runs it: the desk's engine in its console's process, the console painting at full load.

It puts itself into a terminal that is read all the time, from a process of its own. The console in there speaks by the
pipes that the contender was given, as every other contender does: its own output is the screen.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from bench.clients.console import Load
from bench.clients.desk import endpoints
from bench.ui import ORDERS, RATE, Terminal
from console.app import HedgedeskApp
from console.carrier.embedded import EmbeddedLink
from console.mailbox import Mailbox
from console.starting import Start

MAKER = "buy 1000000 maker:ETHUSDT @ 2499 hedge hedge:ETHUSDT market"
SETTLED_S, AGAIN_S = 10.0, 0.1


def in_a_terminal() -> None:
    """Run this program with a screen until it has ended; reading it takes nothing from the engine in there."""
    pipes = [os.dup(standard.fileno()) for standard in (sys.stdin, sys.stdout)]
    for pipe in pipes:
        os.set_inheritable(pipe, True)  # noqa: FBT003 - it takes no keyword
    words = ["--pipes", *map(str, pipes)]
    terminal = Terminal(["-m", "bench.clients.embedded", *sys.argv[1:], *words])
    for pipe in pipes:
        os.close(pipe)
    try:
        while os.waitid(os.P_PID, terminal.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            terminal.read(0.1)
    finally:
        terminal.close()


async def trade(link: EmbeddedLink, load: Load, asked: argparse.Namespace) -> None:
    """Rest one maker with a leg and let its fills be hedged, under load, until the input ends; then prove the books."""
    ending, words = asked.pipes
    placed = await link.command(MAKER)
    if not placed.ok:
        os.write(words, f"{placed.error}\n".encode())
        return
    load.start()
    os.write(words, b"ready\n")
    await asyncio.to_thread(os.read, ending, 1)
    load.stop()
    deadline = asyncio.get_running_loop().time() + SETTLED_S
    proof = await link.command("verify")
    while not proof.ok and asyncio.get_running_loop().time() < deadline:  # the last hedge may still be on its way back
        await asyncio.sleep(AGAIN_S)
        proof = await link.command("verify")
    os.write(words, b"consistent\n" if proof.ok else f"{proof.error}\n".encode())


def paint(asked: argparse.Namespace) -> None:
    """The console with its engine, and the load on the same mailbox."""
    mailbox = Mailbox()
    load = Load(mailbox, orders=ORDERS, rate=RATE)
    start = Start(endpoints(asked.rest, asked.ws, asked.name), asked.folder)
    with EmbeddedLink(start, locks=asked.folder / "locks", mailbox=mailbox) as link:
        app = HedgedeskApp(link)

        async def live() -> None:
            await trade(link, load, asked)
            app.exit(0)

        app.call_later(lambda: app.run_worker(live()))
        app.run()


def main() -> int:
    """Run until standard input ends."""
    parser = argparse.ArgumentParser()
    for name in ("rest", "ws", "name"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--pipes", type=int, nargs=2, help="the input whose end ends it, and where it says how it is")
    asked = parser.parse_args()
    if asked.pipes is None:
        in_a_terminal()
    else:
        paint(asked)
    return 0


if __name__ == "__main__":
    sys.exit(main())
