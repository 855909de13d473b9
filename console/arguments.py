"""What the program's command line is made of: the options that commands share, and how values are read."""

import argparse
import re
from collections.abc import Callable
from decimal import Decimal
from importlib import metadata
from typing import Any, NamedTuple, NoReturn

from console.starting import UsageError

EPILOG = """exit codes:
  0  done, and where there was something to hedge: consistent
  1  the end was not consistent (the last line says what is left), or it was broken off; for exec also: a command was
     refused, or not run because it was told to stop; for panic: a desk did not confirm it
  2  bad usage or bad input: nothing was done
  3  an engine was stopped and something was left, which its last line says
  70 an engine broke after it had been ready

The command grammar is in docs/grammar.md; try: hedgedesk exec "buy 0.0137 hyperliquid:ETH hedge binance:ETHUSDT"
"""

_PLAIN = re.compile(r"[0-9]*\.?[0-9]+", re.ASCII)

DEFAULTS: dict[str, Any] = dict.fromkeys(
    (
        "config", "profile", "journal", "maker", "hedge", "format", "venues", "seed", "market", "ticker", "speed",
        "log_level", "theme", "seconds", "names", "live_data", "bases", "desk",
    )
) | {"embedded": False}  # fmt: skip
"""What options are where they are not given: most commands know only some of them."""


class Parser(argparse.ArgumentParser):
    """Argparse with every error in one sentence, which repeats nothing that might be a secret."""

    def error(self, message: str) -> NoReturn:
        """Raise it as UsageError."""
        from console.config.messages import without_secrets  # noqa: PLC0415  # loaded when used

        message = without_secrets(message)
        raise UsageError(f"{message} (see {self.prog} --help)")


class Options(NamedTuple):
    """Groups of options, each to be a parent of the commands that take them."""

    debug: Parser
    config: Parser
    market: Parser
    desk: Parser
    """Of whatever trades: configuration, market, venues, log."""
    screen: Parser


def options() -> Options:
    """The groups."""
    debug = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    debug.add_argument("--debug", action="store_true", help="show tracebacks")
    config = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    config.add_argument("--config", metavar="FILE", help="the configuration (default: hedgedesk config path)")
    config.add_argument("--profile", metavar="NAME", help="which of its profiles")
    market = Parser(add_help=False, argument_default=argparse.SUPPRESS, parents=[debug])
    market.add_argument("--seed", type=whole, metavar="N", help="seed of the paper market (default 7)")
    market.add_argument("--market", metavar="FILE", help="replay recorded trades (CSV) instead of the random market")
    market.add_argument("--ticker", metavar="T", help="the base asset that the recording is of, like FXS")
    market.add_argument("--speed", type=positive, metavar="N", help="replay N times faster than recorded (default 1)")
    desk = Parser(add_help=False, argument_default=argparse.SUPPRESS, parents=[market, config])
    desk.add_argument("--venues", metavar="FILE", help="use running venues: the line that 'hedgedesk paper' prints")
    desk.add_argument("--log-level", choices=("debug", "info", "warning", "error"), help="of its log (default info)")
    screen = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    screen.add_argument("--theme", metavar="NAME", help="colours of the console; 'hedgedesk themes' lists them")

    return Options(debug, config, market, desk, screen)


def add_command(
    commands: "argparse._SubParsersAction[Any]",
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
    parents: list[Parser],
) -> argparse.ArgumentParser:
    """Add a command; ``text`` is its help."""
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


def version() -> str:
    """The distribution's own."""
    try:
        return metadata.version("hedgedesk")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def whole(text: str) -> int:
    """A whole number. Raises ArgumentTypeError."""
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"must be a whole number like 7, not {text!r}")
    return int(text)


def positive(text: str) -> Decimal:
    """A number above zero. Raises ArgumentTypeError."""
    value = Decimal(text) if _PLAIN.fullmatch(text) and len(text) <= 20 else Decimal(0)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"must be a number above zero like 2.5, not {text!r}")
    return value


def names(text: str) -> tuple[str, ...]:
    """Names with commas between. Raises ArgumentTypeError."""
    found = tuple(name.strip().lower() for name in text.split(","))
    if not all(found) or len(set(found)) != len(found):
        raise argparse.ArgumentTypeError(f"must be venues with commas between, like binance,hyperliquid, not {text!r}")
    return found
