"""How a console opens: with its engine beside it on paper, attached to the engine of a live or testnet profile.

That engine runs apart, is started where none runs, and goes on when the console is closed.
"""

import argparse
import asyncio
import contextlib
import functools
import os
import sys
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from console.starting import Start, UsageError, configured, plan, terminated_like_interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from console.config.reading import Loaded
    from console.link import Link
    from console.status import Status


def open_console(arguments: argparse.Namespace) -> int:
    """The console of the profile that is chosen; its exit code. Raises UsageError."""
    _need_terminal()
    _check_theme(arguments.theme)
    loaded = configured(arguments)
    if loaded is not None and loaded.profile.kind == "venues" and arguments.venues is None and not arguments.embedded:
        return _beside(arguments, loaded)
    return _with_engine(arguments, loaded)


def attach(arguments: argparse.Namespace) -> int:
    """A console on an engine that runs already; its exit code. Raises Denied where there is none, UsageError."""
    from console.carrier.finding import chosen_engine  # noqa: PLC0415  # loaded when used
    from console.folders import running_folder  # noqa: PLC0415  # loaded when used

    _need_terminal()
    _check_theme(arguments.theme)
    status = chosen_engine(running_folder(), arguments.desk or arguments.profile, _say)
    arguments.config = arguments.config or status.config or None
    arguments.profile = arguments.profile or (status.profile if arguments.config else None)
    loaded = configured(arguments)
    return _attached(arguments, status, loaded, view=arguments.view)


def _beside(arguments: argparse.Namespace, loaded: "Loaded") -> int:
    from console.carrier.finding import Starting, engine_of  # noqa: PLC0415  # loaded when used
    from console.folders import config_name, engines_folder, running_folder  # noqa: PLC0415  # loaded when used

    config = config_name(arguments.config, os.environ)
    status = engine_of(running_folder(), loaded.name, config, _say)
    if status is None:
        _say(f"starting the engine of {loaded.name} …")
        words = ["--profile", loaded.name, *(["--config", config] if config else [])]
        words += ["--log-level", arguments.log_level] if arguments.log_level else []
        output = engines_folder() / f"{loaded.name}.out"
        status = Starting(words, output).wait(running_folder(), loaded.name, config)
    return _attached(arguments, status, loaded, view=False)


def _attached(arguments: argparse.Namespace, status: "Status", loaded: "Loaded | None", *, view: bool) -> int:
    from pathlib import Path  # noqa: PLC0415  # loaded when used

    from console.carrier.attached import AttachedLink  # noqa: PLC0415  # loaded when used
    from console.carrier.finding import socket_of  # noqa: PLC0415  # loaded when used
    from console.folders import running_folder  # noqa: PLC0415  # loaded when used
    from console.runtime import give_way  # noqa: PLC0415  # loaded when used

    if loaded is not None:
        _bind_keys(loaded)
    start = Start({}, Path(), *(("paper", None) if loaded is None else (loaded.name, loaded.profile)))
    give_way()
    moved = functools.partial(socket_of, running_folder(), status)
    with AttachedLink(Path(status.socket), view=view, name=os.environ.get("USER", ""), moved=moved) as link:
        code = _show(arguments, start, link)
    goes_on = f"the engine of {status.desk} goes on: `hedgedesk status`, `hedgedesk attach`"
    _say(f"the engine of {status.desk} has stopped" if link.stopped else goes_on)
    return code


def _with_engine(arguments: argparse.Namespace, loaded: "Loaded | None") -> int:
    """Paint at once; the engine starts meanwhile, on a thread of its own, where what can be refused has been before."""
    from pathlib import Path  # noqa: PLC0415  # loaded when used

    from console.carrier.starting_link import StartingLink  # noqa: PLC0415  # loaded when used

    if loaded is not None:
        _bind_keys(loaded)
    planned = plan(arguments, loaded)
    looks = Start({}, Path(), *(("paper", None) if loaded is None else (loaded.name, loaded.profile)))
    with terminated_like_interrupted(), StartingLink(lambda: _engine(planned, arguments)) as link:
        return _show(arguments, looks, link, link.begun)


@contextlib.contextmanager
def _engine(planned: AbstractContextManager[Start], arguments: argparse.Namespace) -> "Iterator[Link]":
    with planned as start:
        from console.carrier.embedded import EmbeddedLink  # noqa: PLC0415  # loaded when used, after what takes longest
        from console.logs import logged  # noqa: PLC0415  # loaded when used

        with logged(start, arguments.log_level or "info"), EmbeddedLink(start) as link:
            yield link


def _show(arguments: argparse.Namespace, start: Start, link: "Link", begun: "Future[None] | None" = None) -> int:
    """Run the console; ``begun`` ends it where its engine could not be started."""
    from console.app import HedgedeskApp  # noqa: PLC0415  # its widgets are bound to keys as they are imported
    from console.folders import console_folder  # noqa: PLC0415  # loaded when used
    from console.script import stop_signals  # noqa: PLC0415  # loaded when used
    from console.themes import DEFAULT  # noqa: PLC0415  # loaded when used

    app = HedgedeskApp(
        link, theme=start.theme or DEFAULT, asked_theme=arguments.theme, rising=start.rising,
        thresholds=start.thresholds, folder=console_folder(),
    )  # fmt: skip

    async def end_with_it(begun: "Future[None]") -> None:
        if await asyncio.to_thread(begun.exception) is not None:
            app.exit()

    def prepare() -> None:
        for number in stop_signals():  # an interrupt in the midst of textual's own work leaves its threads running
            asyncio.get_running_loop().add_signal_handler(number, partial(app.exit, return_code=1))
        app.run_worker(end_with_it(begun))

    if begun is not None:
        app.call_later(prepare)
    app.run()
    return app.return_code or 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _need_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the console needs a terminal; without one use: hedgedesk run --headless")


def _check_theme(name: str | None) -> None:
    from console.themes import available  # noqa: PLC0415  # loaded when used

    names = [theme.name for theme in available()] if name is not None else []
    if name is not None and name not in names:
        raise UsageError(f"there is no theme {name!r}: {', '.join(names)} are there")


def _bind_keys(loaded: "Loaded") -> None:
    from console.keymap import bind  # noqa: PLC0415  # loaded when used

    bind(loaded)
