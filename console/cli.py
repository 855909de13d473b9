"""The program ``hedgedesk``: what its words mean, and how every ending is said.

Nothing heavy is imported here: each command brings what it needs, so that ``hedgedesk --version`` and a typing error
answer at once and the headless engine never loads a screen.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from console.arguments import DEFAULTS, EPILOG, Parser, add_command, names, options, positive, version, whole
from console.carrier import commands as carrier
from console.config import program as config
from console.starting import UsageError, paper_settings, past_desk, starting, terminated_like_interrupted

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from console.starting import Start
    from oms.crash import CrashPoints

OK, REFUSED, USAGE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with these arguments (None: the process's own) and return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in given
    try:
        arguments = _parser().parse_args(argv, argparse.Namespace(**DEFAULTS, given=given))
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
    from console.opening import open_console  # noqa: PLC0415  # loaded when used

    return open_console(arguments)


def _logging(arguments: argparse.Namespace, start: "Start") -> "AbstractContextManager[None]":
    from console.logs import logged  # noqa: PLC0415  # loaded when used

    return logged(start, arguments.log_level or "info")


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
    code = carrier.exec_there(arguments)
    return _headless(arguments, [*arguments.commands, "wait idle 10s", "quit"]) if code is None else code


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
    from oms.archive import ARCHIVE, Archive  # noqa: PLC0415  # loaded when used
    from oms.segments import read_recent  # noqa: PLC0415  # loaded when used

    endpoints, folder = past_desk(
        arguments,
        "verify needs --venues FILE or --profile NAME: a desk's own paper venues ended with it, and its books",
    )
    live = arguments.venues is None  # a profile's own accounts: nothing is sent, all is asked
    with Archive(folder / ARCHIVE) as archive:
        return asyncio.run(run_verify(endpoints, lambda: read_recent(folder), sys.stdout, live=live, archive=archive))


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


def _parser() -> argparse.ArgumentParser:
    to = options()
    parser: argparse.ArgumentParser = Parser(
        prog="hedgedesk",
        description="A terminal trading console: make on one venue, hedge on another. Without a command it opens the "
        "console on its own paper venues.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[to.desk, to.screen],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"hedgedesk {version()}")
    parser.set_defaults(run=_console)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    run = add_command(commands, "run", _run, "the console, or with --headless the engine alone", [to.desk, to.screen])
    for opens in (parser, run):
        opens.add_argument(
            "--embedded", action="store_true", default=argparse.SUPPRESS,
            help="console and engine in one process, on real accounts too: they end together",
        )  # fmt: skip
    run.add_argument(
        "--headless", action="store_true", default=False, help="no screen: commands on stdin, JSON lines on stdout"
    )
    run.add_argument(
        "--for", dest="seconds", type=positive, metavar="SECONDS", help="with --headless: end after this time"
    )
    once = add_command(
        commands,
        "exec",
        _exec,
        "run command lines, on the profile's engine where one runs; wait until all is hedged",
        [to.desk],
    )
    once.add_argument("commands", nargs="+", metavar="COMMAND", help="a line of the grammar, in quotes")
    once.add_argument("--desk", metavar="NAME", help="on a running engine: its desk, its profile, or its process")
    paper = add_command(commands, "paper", _paper, "the paper venues alone; prints where they are as JSON", [to.market])
    paper.add_argument(
        "--venues", dest="names", type=names, metavar="A,B", help="which venues (default binance,hyperliquid)"
    )
    paper.add_argument(
        "--live-data",
        metavar="FILE",
        help="take the market from these venues' public streams (JSON, keys are not used)",
    )
    paper.add_argument(
        "--bases", type=names, metavar="A,B", help="with --live-data: which base assets (default BTC,ETH,SOL)"
    )
    verify = add_command(
        commands, "verify", _verify, "prove a desk's journal against its venues' own fills", [to.debug, to.config]
    )
    verify.add_argument("--venues", metavar="FILE", help="the venues: the line that 'hedgedesk paper' printed")
    journal = add_command(
        commands,
        "journal",
        _journal,
        "from any maker fill to the hedges that answer it, and back",
        [to.debug, to.config],
    )
    journal.add_argument("act", choices=("show", "export"), help="for people, or as rows for other programs")
    journal.add_argument("--venues", metavar="FILE", help="the journal of the desk on these venues")
    journal.add_argument("--journal", metavar="FILE", help="a journal's file, or the folder that it is in")
    journal.add_argument("--maker", metavar="ID", help="only makers whose id begins so, and what answers them")
    journal.add_argument("--hedge", metavar="ID", help="only hedges whose id begins so, and what they answer")
    journal.add_argument("--format", choices=("csv", "jsonl"), help="of export (default jsonl)")
    drill = add_command(commands, "drill", _drill, "run the desk against each fault of the paper venues", [to.debug])
    drill.add_argument(
        "--fault", default="all", metavar="NAME", help="one fault alone; docs/faults.md lists them (default all)"
    )
    drill.add_argument("--seed", type=whole, metavar="N", help="seed of the paper market and of the draws (default 7)")
    add_command(commands, "themes", _themes, "list the colour themes", [to.debug])
    kinds = {"desk": [to.desk], "screen": [to.debug, to.config, to.screen], "plain": [to.debug]}
    carrier.add_commands(lambda name, run, text, kind: add_command(commands, name, run, text, kinds[kind]))
    config.add_commands(lambda name, run, text: add_command(commands, name, run, text, [to.debug, to.config]))
    return parser
