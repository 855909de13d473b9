"""The commands on the configuration: ``init``, ``config``, ``keys``, ``check``. Each loads what it needs as it runs."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable

from console.starting import UsageError, load_config

Run = Callable[[argparse.Namespace], int]
AddCommand = Callable[[str, Run, str], argparse.ArgumentParser]

OK, FAILED = 0, 1


def add_commands(add: AddCommand) -> None:
    """Add the commands to the program, by its own way of adding one."""
    init = add("init", _init, "write a configuration: a few questions, or a commented template")
    init.add_argument("--template", action="store_true", default=False, help="print the commented template instead")
    init.add_argument("--force", action="store_true", default=False, help="put it into the place of one that is there")
    config = add("config", _config, "what the configuration comes to, where it is, its JSON schema")
    config.add_argument(
        "act", choices=("show", "path", "schema"), help="values and where each comes from; file; schema"
    )
    keys = add("keys", _keys, "the console's keys; with set, list, rm: venues' keys in the system's keyring")
    keys.add_argument(
        "act", nargs="?", default=None, choices=("set", "list", "rm"),
        help="write (typed or piped in, never arguments), list names and fingerprints, remove",
    )  # fmt: skip
    keys.add_argument("name", nargs="?", default=None, help='of the keys, as in keys = "keyring:NAME"')
    keys.add_argument("rest", nargs="*", default=[], help=argparse.SUPPRESS)
    add("check", _check, "look at configuration, keys, venues, clocks, permissions and limits, without trading")


def _init(arguments: argparse.Namespace) -> int:
    from console.config.template import TEMPLATE  # noqa: PLC0415  # loaded when used

    if arguments.template:
        print(TEMPLATE, end="")
        return OK
    from console.config.wizard import next_steps, wizard  # noqa: PLC0415  # loaded when used
    from console.folders import config_file  # noqa: PLC0415  # loaded when used
    from oms.private_files import write_file  # noqa: PLC0415  # loaded when used

    path = config_file(arguments.config, os.environ)
    if path.exists() and not arguments.force:
        raise UsageError(f"{path} is there already: --force writes over it, --template prints what it could say")
    if not sys.stdin.isatty():
        raise UsageError("init asks questions and needs a terminal: hedgedesk init --template prints a configuration")
    try:
        text = wizard(input, print)
        steps = next_steps(text, path)
        write_file(path, text)
    except EOFError:
        raise UsageError("the answers ended early: nothing was written") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    print("\n".join([f"Written: {path}", "Next:", *(f"  {step}" for step in steps)]))
    return OK


def _config(arguments: argparse.Namespace) -> int:
    from console.config.showing import lines, schema  # noqa: PLC0415  # loaded when used
    from console.folders import config_file  # noqa: PLC0415  # loaded when used

    match arguments.act:
        case "path":
            print(config_file(arguments.config, os.environ))
        case "schema":
            print(schema())
        case _:
            print("\n".join(lines(load_config(arguments))))
    return OK


def _keys(arguments: argparse.Namespace) -> int:
    if arguments.act is None:
        return _show_keys(arguments)
    from console.config.keys import ask_keys, check_name, hidden, known_keys  # noqa: PLC0415  # loaded when used
    from console.config.secrets import KeyStore, SecretError  # noqa: PLC0415  # loaded when used

    if arguments.rest:
        raise UsageError(
            "keys are never arguments, which other programs can read: hedgedesk keys set NAME asks for them"
        )
    store = KeyStore()
    if (arguments.act == "list") != (arguments.name is None):
        raise UsageError("keys list takes no name" if arguments.act == "list" else f"keys {arguments.act} needs a NAME")
    try:
        match arguments.act:
            case "set":
                keys = ask_keys(hidden(sys.stdin))
                store.put(check_name(arguments.name), keys)
                print(f"keyring:{arguments.name} has keys now, fingerprint {keys.fingerprint}")
            case "rm":
                store.remove(check_name(arguments.name))
                print(f"keyring:{arguments.name} is removed")
            case _:
                rows = known_keys(load_config(arguments).config, os.environ, store)
                for source, told, users in rows:
                    print(f"{source}  {told}  {users}")
    except (SecretError, ValueError) as error:
        raise UsageError(str(error)) from error
    except EOFError:
        raise UsageError("no keys were given: nothing was written") from None
    return OK


def _show_keys(arguments: argparse.Namespace) -> int:
    from console.keymap import bind  # noqa: PLC0415  # loaded when used
    from console.keys import lines  # noqa: PLC0415  # loaded when used

    bind(load_config(arguments))
    print("\n".join(lines()))
    return OK


def _check(arguments: argparse.Namespace) -> int:
    from console.check import Verdict, check  # noqa: PLC0415  # loaded when used
    from console.config.messages import ConfigError  # noqa: PLC0415  # loaded when used

    try:
        loaded = load_config(arguments)
    except UsageError as error:
        if isinstance(error.__cause__, ConfigError):
            for problem in error.__cause__.problems[1:]:
                print(f"hedgedesk: {problem}", file=sys.stderr)
        raise
    findings = asyncio.run(check(loaded, os.environ))
    for finding in findings:
        print(finding)
    return FAILED if any(finding.verdict is Verdict.NO for finding in findings) else OK
