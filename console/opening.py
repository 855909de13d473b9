"""How a console opens: with its engine beside it on paper, attached to the engine of a live or testnet profile.

That engine runs apart, is started where none runs, and goes on when the console is closed.
"""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from console.starting import Start, UsageError, configured, starting

if TYPE_CHECKING:
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
    return _with_engine(arguments)


def attach(arguments: argparse.Namespace) -> int:
    """A console on an engine that runs already; its exit code. Raises Denied where there is none, UsageError."""
    from console.carrier.finding import choose, engines  # noqa: PLC0415  # loaded when used
    from console.folders import running_folder  # noqa: PLC0415  # loaded when used

    _need_terminal()
    _check_theme(arguments.theme)
    status = choose(engines(running_folder()), arguments.desk or arguments.profile)
    arguments.config = arguments.config or status.config or None
    arguments.profile = arguments.profile or (status.profile if arguments.config else None)
    loaded = configured(arguments)
    return _attached(arguments, status, loaded, view=arguments.view)


def _beside(arguments: argparse.Namespace, loaded: "Loaded") -> int:
    from console.carrier.finding import Starting, of_profile  # noqa: PLC0415  # loaded when used
    from console.folders import config_name, engines_folder, running_folder  # noqa: PLC0415  # loaded when used

    config = config_name(arguments.config, os.environ)
    status = of_profile(running_folder(), loaded.name, config)
    if status is None:
        print(f"starting the engine of {loaded.name} …", file=sys.stderr)
        words = ["--profile", loaded.name, *(["--config", config] if config else [])]
        words += ["--log-level", arguments.log_level] if arguments.log_level else []
        output = engines_folder() / f"{loaded.name}.out"
        status = Starting(words, output).wait(running_folder(), loaded.name, config)
    return _attached(arguments, status, loaded, view=False)


def _attached(arguments: argparse.Namespace, status: "Status", loaded: "Loaded | None", *, view: bool) -> int:
    from pathlib import Path  # noqa: PLC0415  # loaded when used

    from console.carrier.attached import AttachedLink  # noqa: PLC0415  # loaded when used
    from console.runtime import give_way  # noqa: PLC0415  # loaded when used

    if loaded is not None:
        _bind_keys(loaded)
    start = Start({}, Path(), *(("paper", None) if loaded is None else (loaded.name, loaded.profile)))
    give_way()
    with AttachedLink(Path(status.socket), view=view, name=os.environ.get("USER", "")) as link:
        code = _show(arguments, start, link)
    if not link.stopped:
        print(f"the engine of {status.desk} goes on: `hedgedesk status`, `hedgedesk attach`", file=sys.stderr)
    return code


def _with_engine(arguments: argparse.Namespace) -> int:
    from console.carrier.embedded import EmbeddedLink  # noqa: PLC0415  # loaded when used
    from console.logs import logged  # noqa: PLC0415  # loaded when used

    with starting(arguments, before=_bind_keys) as start, logged(start, arguments.log_level or "info"):
        # The app is imported first: its widgets are bound to keys as they are imported.
        import console.app  # noqa: F401, PLC0415  # its import takes time, which the engine's start must not wait for

        with EmbeddedLink(start) as link:
            return _show(arguments, start, link)


def _show(arguments: argparse.Namespace, start: Start, link: "Link") -> int:
    from console.app import HedgedeskApp  # noqa: PLC0415  # its widgets are bound to keys as they are imported
    from console.folders import console_folder  # noqa: PLC0415  # loaded when used
    from console.themes import DEFAULT  # noqa: PLC0415  # loaded when used

    app = HedgedeskApp(
        link, theme=start.theme or DEFAULT, asked_theme=arguments.theme, rising=start.rising,
        thresholds=start.thresholds, folder=console_folder(),
    )  # fmt: skip
    app.run()
    return app.return_code or 0


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
