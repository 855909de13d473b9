"""The program ``hedgedesk``: what its words mean, and how every ending is said.

Nothing heavy is imported here: each command brings what it needs, so that ``hedgedesk --version`` and a typing error
answer at once and the headless engine never loads a screen.
"""

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from console.config.program import add_commands
from console.starting import UsageError, paper_settings, past_desk, starting, terminated_like_interrupted

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from console.config.reading import Loaded
    from console.starting import Start
    from oms.crash import CrashPoints

OK, REFUSED, USAGE = 0, 1, 2

EPILOG = """exit codes:
  0  done, and where there was something to hedge: consistent
  1  the end was not consistent (the last line says what is left), or it was broken off; for exec also: a command was
     refused, or not run because it was told to stop
  2  bad usage or bad input: nothing was done

The command grammar is in docs/grammar.md; try: hedgedesk exec "buy 0.0137 hyperliquid:ETH hedge binance:ETHUSDT"
"""

_PLAIN = re.compile(r"[0-9]*\.?[0-9]+", re.ASCII)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with these arguments (None: the process's own) and return its exit code."""
    debug = "--debug" in (sys.argv[1:] if argv is None else argv)
    try:
        arguments = _parser().parse_args(argv, argparse.Namespace(**_DEFAULTS))
        return int(arguments.run(arguments))
    except UsageError as error:
        return _say(str(error), USAGE)
    except KeyboardInterrupt:
        return _say("interrupted", REFUSED)
    except BrokenPipeError:
        # Whoever read our output is gone. Python would complain once more when it flushes stdout at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except Exception as error:  # the last resort: a sentence for the operator, the trace for --debug
        if debug:
            raise
        return _say(_sentence(error), REFUSED)


def _say(text: str, code: int) -> int:
    print(f"hedgedesk: {text}", file=sys.stderr)
    return code


def _sentence(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return _sentence(error.exceptions[0])
    text = " ".join(str(error).split())
    known = type(error).__module__.partition(".")[0] in ("console", "oms", "gateways")
    return text if known and text else f"{type(error).__name__}: {text or 'no further word'} (--debug shows where)"


# -------------------------------------------------------------------- commands


def _console(arguments: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the console needs a terminal; without one use: hedgedesk run --headless")
    from console.carrier.embedded import EmbeddedLink  # noqa: PLC0415  # loaded when used

    theme = None if arguments.theme is None else _theme(arguments.theme)
    with starting(arguments, before=_bind_keys) as start, _logging(arguments, start):
        from console.app import HedgedeskApp  # noqa: PLC0415  # its widgets are bound to keys as they are imported
        from console.folders import console_folder  # noqa: PLC0415  # loaded when used

        with EmbeddedLink(start) as link:
            app = HedgedeskApp(
                link, theme=theme or _theme(start.theme), rising=start.rising, thresholds=start.thresholds,
                folder=console_folder(),
            )  # fmt: skip
            app.run()
    return app.return_code or OK


def _logging(arguments: argparse.Namespace, start: "Start") -> "AbstractContextManager[None]":
    from console.logs import logged  # noqa: PLC0415  # loaded when used

    return logged(start, arguments.log_level or "info")


def _bind_keys(loaded: "Loaded") -> None:
    from console.keymap import bind  # noqa: PLC0415  # loaded when used

    bind(loaded)


def _run(arguments: argparse.Namespace) -> int:
    if not arguments.headless:
        if arguments.seconds is not None:
            raise UsageError("--for goes with --headless: the console ends when you quit it")
        return _console(arguments)
    return _headless(arguments, None)


def _exec(arguments: argparse.Namespace) -> int:
    from console.language import GrammarError, parse  # noqa: PLC0415  # loaded when used

    for line in arguments.commands:
        try:
            parse(line)
        except GrammarError as error:
            raise UsageError(f"{error.text} (at column {error.caret + 1} of {line!r})") from error
    return _headless(arguments, [*arguments.commands, "wait idle 10s", "quit"])


def _headless(arguments: argparse.Namespace, lines: list[str] | None) -> int:
    with starting(arguments) as start, _logging(arguments, start):
        from console.headless import run_headless  # noqa: PLC0415  # loaded when used
        from console.script import ScriptLines, run_script  # noqa: PLC0415  # loaded when used

        seconds, crash, live = arguments.seconds, _crash_points(), start.live

        async def desk(script: ScriptLines) -> int:
            return await run_headless(
                start.endpoints, script, sys.stdout, folder=start.folder, timers=start.timers, risk=start.risk,
                live=live and live.live, seconds=seconds, crash=crash, strict=lines is not None, stop=script.stop,
            )  # fmt: skip

        return run_script(desk, lines, stay=seconds is not None)


def _crash_points() -> "CrashPoints | None":
    from oms.crash import CrashPoints  # noqa: PLC0415  # loaded when used

    try:
        return CrashPoints.from_environment(os.environ)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _verify(arguments: argparse.Namespace) -> int:
    from console.verify import run_verify  # noqa: PLC0415  # loaded when used
    from oms.segments import read_recent  # noqa: PLC0415  # loaded when used

    endpoints, folder = past_desk(
        arguments,
        "verify needs --venues FILE or --profile NAME: a desk's own paper venues ended with it, and its books",
    )
    live = arguments.venues is None  # a profile's own accounts: nothing is sent, all is asked
    return asyncio.run(run_verify(endpoints, lambda: read_recent(folder), sys.stdout, live=live))


def _status(_: argparse.Namespace) -> int:
    from console.folders import running_folder  # noqa: PLC0415  # loaded when used
    from console.status import described, running_desks  # noqa: PLC0415  # loaded when used
    from oms.clock import SystemClock  # noqa: PLC0415  # loaded when used

    desks = running_desks(running_folder())
    for status in desks:
        print("\n".join(described(status, SystemClock().now_ns())))
    if not desks:
        print("no desk is running")
    return OK if desks else REFUSED


def _journal(arguments: argparse.Namespace) -> int:
    from console.folders import journal_records  # noqa: PLC0415  # loaded when used
    from console.journal import Choice, NothingChosenError, export, show  # noqa: PLC0415  # loaded when used

    unnamed = "give --venues FILE or --journal FILE, or --profile NAME: whose journal it is"
    if sum(option is not None for option in (arguments.venues, arguments.journal, arguments.profile)) > 1:
        raise UsageError(unnamed)
    if arguments.act == "show" and arguments.format is not None:
        raise UsageError("--format goes with export: show is for reading")
    choice = Choice(maker=arguments.maker or "", hedge=arguments.hedge or "")
    try:
        path = Path(arguments.journal) if arguments.journal else past_desk(arguments, unnamed)[1]
        if arguments.act == "show":
            show(journal_records(path), choice, sys.stdout)
        else:
            export(journal_records(path), choice, sys.stdout, arguments.format or "jsonl")
    except (FileNotFoundError, NothingChosenError) as error:
        raise UsageError(str(error)) from error
    return OK


def _paper(arguments: argparse.Namespace) -> int:
    from gateways.paper.server import serve  # noqa: PLC0415  # loaded when used

    paper = paper_settings(arguments)
    if paper.live_data is not None:
        from console.live_data import serve_live  # noqa: PLC0415  # loaded when used

        return serve_live(paper.live_data, paper.bases, paper.seed)
    return serve(paper.venues, paper.seed, paper.market, paper.ticker, paper.speed)


def _drill(arguments: argparse.Namespace) -> int:
    from console.drill import named, run_drill  # noqa: PLC0415  # loaded when used
    from console.papers import SEED  # noqa: PLC0415  # loaded when used

    try:
        faults = named(arguments.fault)
    except ValueError as error:
        raise UsageError(str(error)) from error
    seed = SEED if arguments.seed is None else arguments.seed
    with terminated_like_interrupted():
        return OK if asyncio.run(run_drill(faults, seed, sys.stdout)) == 0 else REFUSED


def _themes(_: argparse.Namespace) -> int:
    from console.themes import available  # noqa: PLC0415  # loaded when used

    themes = list(available())
    width = max(len(theme.name) for theme in themes)
    for theme in themes:
        print(f"{theme.name:<{width}}  {theme.description}")
    return OK


def _theme(name: str | None) -> str:
    from console.themes import DEFAULT, available  # noqa: PLC0415  # loaded when used

    names = [theme.name for theme in available()]
    if name is not None and name not in names:
        raise UsageError(f"there is no theme {name!r}: {', '.join(names)} are there")
    return name or DEFAULT


# -------------------------------------------------------------------- arguments

_DEFAULTS = dict.fromkeys(
    (
        "config",
        "profile",
        "journal",
        "maker",
        "hedge",
        "format",
        "venues",
        "seed",
        "market",
        "ticker",
        "speed",
        "log_level",
        "theme",
        "seconds",
        "names",
        "live_data",
        "bases",
    )
)


class _Parser(argparse.ArgumentParser):
    """Argparse with every error in one sentence, which repeats nothing that might be a secret."""

    def error(self, message: str) -> NoReturn:
        from console.config.messages import without_secrets  # noqa: PLC0415  # loaded when used

        message = without_secrets(message)
        raise UsageError(f"{message} (see {self.prog} --help)")


def _parser() -> argparse.ArgumentParser:
    debug: argparse.ArgumentParser = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    debug.add_argument("--debug", action="store_true", help="show tracebacks")
    config: argparse.ArgumentParser = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    config.add_argument("--config", metavar="FILE", help="the configuration (default: hedgedesk config path)")
    config.add_argument("--profile", metavar="NAME", help="which of its profiles")
    market: argparse.ArgumentParser = _Parser(add_help=False, argument_default=argparse.SUPPRESS, parents=[debug])
    market.add_argument("--seed", type=_whole, metavar="N", help="seed of the paper market (default 7)")
    market.add_argument("--market", metavar="FILE", help="replay recorded trades (CSV) instead of the random market")
    market.add_argument("--ticker", metavar="T", help="the base asset that the recording is of, like FXS")
    market.add_argument("--speed", type=_positive, metavar="N", help="replay N times faster than recorded (default 1)")
    desk: argparse.ArgumentParser = _Parser(
        add_help=False, argument_default=argparse.SUPPRESS, parents=[market, config]
    )
    desk.add_argument("--venues", metavar="FILE", help="use running venues: the line that 'hedgedesk paper' prints")
    desk.add_argument("--log-level", choices=("debug", "info", "warning", "error"), help="of its log (default info)")
    screen: argparse.ArgumentParser = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    screen.add_argument("--theme", metavar="NAME", help="colours of the console; 'hedgedesk themes' lists them")

    parser: argparse.ArgumentParser = _Parser(
        prog="hedgedesk",
        description="A terminal trading console: make on one venue, hedge on another. Without a command it opens the "
        "console on its own paper venues.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[desk, screen],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"hedgedesk {_version()}")
    parser.set_defaults(run=_console)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    run = _command(commands, "run", _run, "the console, or with --headless the engine alone", [desk, screen])
    run.add_argument(
        "--headless", action="store_true", default=False, help="no screen: commands on stdin, JSON lines on stdout"
    )
    run.add_argument(
        "--for", dest="seconds", type=_positive, metavar="SECONDS", help="with --headless: end after this time"
    )
    once = _command(commands, "exec", _exec, "run command lines, wait until all is hedged, end", [desk])
    once.add_argument("commands", nargs="+", metavar="COMMAND", help="a line of the grammar, in quotes")
    paper = _command(commands, "paper", _paper, "the paper venues alone; prints where they are as JSON", [market])
    paper.add_argument(
        "--venues", dest="names", type=_names, metavar="A,B", help="which venues (default binance,hyperliquid)"
    )
    paper.add_argument(
        "--live-data",
        metavar="FILE",
        help="take the market from these venues' public streams (JSON, keys are not used)",
    )
    paper.add_argument(
        "--bases", type=_names, metavar="A,B", help="with --live-data: which base assets (default BTC,ETH,SOL)"
    )
    verify = _command(
        commands, "verify", _verify, "prove a desk's journal against its venues' own fills", [debug, config]
    )
    verify.add_argument("--venues", metavar="FILE", help="the venues: the line that 'hedgedesk paper' printed")
    journal = _command(
        commands, "journal", _journal, "from any maker fill to the hedges that answer it, and back", [debug, config]
    )
    journal.add_argument("act", choices=("show", "export"), help="for people, or as rows for other programs")
    journal.add_argument("--venues", metavar="FILE", help="the journal of the desk on these venues")
    journal.add_argument("--journal", metavar="FILE", help="a journal's file, or the folder that it is in")
    journal.add_argument("--maker", metavar="ID", help="only makers whose id begins so, and what answers them")
    journal.add_argument("--hedge", metavar="ID", help="only hedges whose id begins so, and what they answer")
    journal.add_argument("--format", choices=("csv", "jsonl"), help="of export (default jsonl)")
    drill = _command(commands, "drill", _drill, "run the desk against each fault of the paper venues", [debug])
    drill.add_argument(
        "--fault", default="all", metavar="NAME", help="one fault alone; docs/faults.md lists them (default all)"
    )
    drill.add_argument("--seed", type=_whole, metavar="N", help="seed of the paper market and of the draws (default 7)")
    _command(commands, "status", _status, "the desks that run, their states, and how to stop each", [debug])
    _command(commands, "themes", _themes, "list the colour themes", [debug])
    add_commands(lambda name, run, text: _command(commands, name, run, text, [debug, config]))
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
    parents: list[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=parents,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    command.set_defaults(run=run)
    return command


def _version() -> str:
    try:
        return metadata.version("hedgedesk")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"must be a whole number like 7, not {text!r}")
    return int(text)


def _positive(text: str) -> Decimal:
    value = Decimal(text) if _PLAIN.fullmatch(text) and len(text) <= 20 else Decimal(0)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"must be a number above zero like 2.5, not {text!r}")
    return value


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in text.split(","))
    if not all(names) or len(set(names)) != len(names):
        raise argparse.ArgumentTypeError(f"must be venues with commas between, like binance,hyperliquid, not {text!r}")
    return names
