"""The commands on engines that run apart: ``engine``, ``attach``, ``panic``, ``status``; ``exec`` where one runs.

They speak through the engine's socket, beside whatever console is attached or hangs.
"""

import argparse
import asyncio
import contextlib
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from console.starting import Start, UsageError, configured, starting

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
    engine.add_argument("--keeper", default=None, help=argparse.SUPPRESS)  # the supervisor's own word to its engine
    attach = add("attach", _attach, "a console on an engine that runs", "screen")
    attach.add_argument("--view", action="store_true", default=False, help="only look: the engine refuses its commands")
    panic = add("panic", _panic, "cancel every maker of every running desk, only hedges from then on", "plain")
    status = add("status", _status, "the desks that run, their states, and how to stop each", "plain")
    for command in (attach, panic, status):
        command.add_argument("--desk", metavar="NAME", help="of one desk alone: its name, its profile, or its process")


def _engine(arguments: argparse.Namespace) -> int:
    return _supervised(arguments) if arguments.supervised else _served(arguments)


def _supervised(arguments: argparse.Namespace) -> int:
    from console.carrier.keeping import keeping  # noqa: PLC0415  # loaded when used
    from console.carrier.supervising import Supervisor  # noqa: PLC0415  # loaded when used
    from console.folders import running_folder  # noqa: PLC0415  # loaded when used
    from console.papers import same_code  # noqa: PLC0415  # loaded when used

    os.environ.update(same_code())
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(keeping(running_folder()))
        except OSError as error:
            raise UsageError(f"the folder {running_folder()} cannot be written: {error.strerror}") from error
        words = [*arguments.given, "--no-restart", "--keeper", str(file)]
        return Supervisor([sys.executable, "-P", "-m", "console", *words], _say).run()


def _served(arguments: argparse.Namespace) -> int:
    from console.carrier import process  # noqa: PLC0415  # loaded when used
    from console.carrier.door import socket_path  # noqa: PLC0415  # loaded when used
    from console.folders import config_name, running_folder, sockets_folder  # noqa: PLC0415  # loaded when used
    from console.logs import logged  # noqa: PLC0415  # loaded when used
    from console.status import Status, named_status  # noqa: PLC0415  # loaded when used

    config = config_name(arguments.config, os.environ)
    with starting(arguments) as start, logged(start, arguments.log_level or "info"):
        _claim(start, config, arguments.keeper)
        name = hashlib.sha256(str(start.folder).encode()).hexdigest()[:16]
        path = socket_path(running_folder(), name, sockets_folder(os.environ))

        def about(status: Status) -> Status:
            return named_status(status, start.name, config)

        return process.run(start, path, about=about)


def _claim(start: Start, config: str, keeper: str | None) -> None:
    """Say which desk our supervisor keeps. Raises Denied for real accounts whose engine another one keeps."""
    from console.carrier.keeping import Kept, claim, keeper_of  # noqa: PLC0415  # loaded when used
    from console.folders import running_folder  # noqa: PLC0415  # loaded when used
    from console.headless import KILL_FILE  # noqa: PLC0415  # loaded when used
    from gateways.errors import Denied  # noqa: PLC0415  # loaded when used

    live = start.live
    other = None if live is None else keeper_of(running_folder(), start.name, config)
    ours = 0 if keeper is None else os.getppid()
    if other is not None and other.pid != ours:
        text = (
            f"process {other.pid} keeps the engine of {start.name} and starts it anew when it dies: attach to that one"
        )
        raise Denied("engine", text)
    if keeper is not None:
        desk = "paper" if live is None else live.live.name
        kill_file = str(start.folder / KILL_FILE)
        try:
            claim(Path(keeper), Kept(pid=ours, profile=start.name, config=config, desk=desk, kill_file=kill_file))
        except OSError as error:  # fills may wait for hedges: a full disk is no reason not to start
            _say(f"others cannot see who keeps this engine, {keeper} cannot be written: {error.strerror}")


def _attach(arguments: argparse.Namespace) -> int:
    from console.opening import attach  # noqa: PLC0415  # loaded when used

    return attach(arguments)


def _panic(arguments: argparse.Namespace) -> int:
    from console.carrier.finding import down  # noqa: PLC0415  # loaded when used
    from console.carrier.remote import panic  # noqa: PLC0415  # loaded when used
    from console.folders import running_folder  # noqa: PLC0415  # loaded when used
    from console.status import fitting, running_desks  # noqa: PLC0415  # loaded when used

    desks, coming = fitting(running_desks(running_folder()), arguments.desk), down(running_folder(), arguments.desk)
    if not desks and not coming:
        raise UsageError("no desk is running" if arguments.desk is None else f"no desk is named {arguments.desk}")
    return OK if asyncio.run(panic(desks, coming, running_folder(), print)) else FAILED


def _status(arguments: argparse.Namespace) -> int:
    from console.carrier.finding import down  # noqa: PLC0415  # loaded when used
    from console.carrier.keeping import all_kept  # noqa: PLC0415  # loaded when used
    from console.carrier.remote import asked_status  # noqa: PLC0415  # loaded when used
    from console.folders import running_folder  # noqa: PLC0415  # loaded when used
    from console.status import described, fitting, running_desks  # noqa: PLC0415  # loaded when used
    from oms.clock import SystemClock  # noqa: PLC0415  # loaded when used

    desks, coming = fitting(running_desks(running_folder()), arguments.desk), down(running_folder(), arguments.desk)
    if not desks and not coming:
        print("no desk is running" if arguments.desk is None else f"no desk is named {arguments.desk}")
        return FAILED
    told, kept_files = asyncio.run(asked_status(desks)), {kept.kill_file for kept in all_kept(running_folder())}
    for status, answers in told:
        print("\n".join(described(status, SystemClock().now_ns())))
        if status.socket and status.kill_file not in kept_files:
            print("  no supervisor of ours starts it anew when it dies: a service manager, or nobody")
        if not answers:
            print("  ITS SOCKET DOES NOT ANSWER: this is what it wrote last")
    for kept in coming:
        print(f"{kept.desk}: ITS ENGINE IS NOT UP, process {kept.pid} starts it: nothing is hedged meanwhile")
        print(f"  to stop it as it starts: hedgedesk panic, or touch {kept.kill_file}")
    return OK if all(answers for _, answers in told) and not coming else FAILED


def exec_there(arguments: argparse.Namespace) -> int | None:
    """Run command lines on the engine of the profile, or the one named; None where none runs."""
    from console.carrier.finding import chosen_engine, engine_of  # noqa: PLC0415  # loaded when used
    from console.folders import config_name, running_folder  # noqa: PLC0415  # loaded when used

    own = (arguments.venues, arguments.seed, arguments.market, arguments.ticker, arguments.speed)
    if arguments.desk is not None:
        status = chosen_engine(running_folder(), arguments.desk, _say)
    elif any(option is not None for option in own):
        return None
    else:
        loaded = configured(arguments)
        name = "paper" if loaded is None else loaded.name
        found = engine_of(running_folder(), name, config_name(arguments.config, os.environ), _say)
        if found is None:
            return None
        status = found
    from console.carrier.remote import run_lines  # noqa: PLC0415  # loaded when used

    return asyncio.run(run_lines(Path(status.socket), arguments.commands, print))


def _say(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # the terminal may be gone: a supervisor goes on without one
        print(f"hedgedesk: {text}", file=sys.stderr, flush=True)
