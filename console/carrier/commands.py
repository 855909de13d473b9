"""The commands on engines that run apart: ``engine``, ``attach``, ``panic``, ``status``; ``exec`` where one runs.

They speak through the engine's socket, beside whatever console is attached or hangs.
"""

import argparse
import asyncio
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from console.starting import UsageError, configured, starting

OK, FAILED = 0, 1

Run = Callable[[argparse.Namespace], int]
AddCommand = Callable[[str, Run, str, str], argparse.ArgumentParser]
"""Makes a command of its name, what runs it, its help and which options it shares: ``desk``, ``screen``, ``plain``."""


def add_commands(add: AddCommand) -> None:
    """Add the commands to the program, by its own way of adding one."""
    engine = add("engine", _engine, "the engine alone, without a terminal: consoles attach to it and leave it", "desk")
    engine.add_argument(
        "--no-restart", dest="supervised", action="store_false", default=True,
        help="let it end when it breaks: a service manager starts it anew",
    )  # fmt: skip
    attach = add("attach", _attach, "a console on an engine that runs", "screen")
    attach.add_argument("--view", action="store_true", default=False, help="only look: the engine refuses its commands")
    panic = add("panic", _panic, "cancel every maker of every running desk, only hedges from then on", "plain")
    status = add("status", _status, "the desks that run, their states, and how to stop each", "plain")
    for command in (attach, panic, status):
        command.add_argument("--desk", metavar="NAME", help="of one desk alone: its name, its profile, or its process")


def _engine(arguments: argparse.Namespace) -> int:
    if arguments.supervised:
        from console.carrier.supervising import Supervisor  # noqa: PLC0415  # loaded when used
        from console.papers import same_code  # noqa: PLC0415  # loaded when used

        os.environ.update(same_code())
        command = [sys.executable, "-P", "-m", "console", *arguments.given, "--no-restart"]
        return Supervisor(command, _say).run()
    from console.carrier import process  # noqa: PLC0415  # loaded when used
    from console.carrier.door import socket_path  # noqa: PLC0415  # loaded when used
    from console.folders import config_name, running_folder, sockets_folder  # noqa: PLC0415  # loaded when used
    from console.logs import logged  # noqa: PLC0415  # loaded when used
    from console.status import Status, named_status  # noqa: PLC0415  # loaded when used

    config = config_name(arguments.config, os.environ)
    with starting(arguments) as start, logged(start, arguments.log_level or "info"):
        name = hashlib.sha256(str(start.folder).encode()).hexdigest()[:16]
        path = socket_path(running_folder(), name, sockets_folder(os.environ))

        def about(status: Status) -> Status:
            return named_status(status, start.name, config)

        return process.run(start, path, about=about)


def _attach(arguments: argparse.Namespace) -> int:
    from console.opening import attach  # noqa: PLC0415  # loaded when used

    return attach(arguments)


def _panic(arguments: argparse.Namespace) -> int:
    from console.carrier.remote import panic  # noqa: PLC0415  # loaded when used
    from console.folders import running_folder  # noqa: PLC0415  # loaded when used
    from console.status import fitting, running_desks  # noqa: PLC0415  # loaded when used

    desks = fitting(running_desks(running_folder()), arguments.desk)
    if not desks:
        raise UsageError("no desk is running" if arguments.desk is None else f"no desk is named {arguments.desk}")
    return OK if asyncio.run(panic(desks, running_folder(), print)) else FAILED


def _status(arguments: argparse.Namespace) -> int:
    from console.carrier.remote import asked_status  # noqa: PLC0415  # loaded when used
    from console.folders import running_folder  # noqa: PLC0415  # loaded when used
    from console.status import described, fitting, running_desks  # noqa: PLC0415  # loaded when used
    from oms.clock import SystemClock  # noqa: PLC0415  # loaded when used

    desks = fitting(running_desks(running_folder()), arguments.desk)
    if not desks:
        print("no desk is running" if arguments.desk is None else f"no desk is named {arguments.desk}")
        return FAILED
    for status, answers in asyncio.run(asked_status(desks)):
        print("\n".join(described(status, SystemClock().now_ns())))
        if not answers:
            print("  ITS SOCKET DOES NOT ANSWER: this is what it wrote last")
    return OK


def exec_there(arguments: argparse.Namespace) -> int | None:
    """Run command lines on the engine of the profile, or the one named; None where none runs."""
    from console.carrier.finding import choose, engines, of_profile  # noqa: PLC0415  # loaded when used
    from console.folders import config_name, running_folder  # noqa: PLC0415  # loaded when used

    own = (arguments.venues, arguments.seed, arguments.market, arguments.ticker, arguments.speed)
    if arguments.desk is not None:
        status = choose(engines(running_folder()), arguments.desk)
    elif any(option is not None for option in own):
        return None
    else:
        loaded = configured(arguments)
        name = "paper" if loaded is None else loaded.name
        found = of_profile(running_folder(), name, config_name(arguments.config, os.environ))
        if found is None:
            return None
        status = found
    from console.carrier.remote import run_lines  # noqa: PLC0415  # loaded when used

    return asyncio.run(run_lines(Path(status.socket), arguments.commands, print))


def _say(text: str) -> None:
    print(f"hedgedesk: {text}", file=sys.stderr, flush=True)
