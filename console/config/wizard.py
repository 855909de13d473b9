"""``hedgedesk init``: a few questions, and a configuration of the answers. Asks for no secret."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, get_args

from console.config.model import VenueKind, alias, key_source
from console.config.numbers import amount
from console.config.reading import parse
from gateways.profiles import environments

T = TypeVar("T")

Ask = Callable[[str], str]
"""Puts a question and returns the line that is answered; raises EOFError where none comes."""
Say = Callable[[str], None]

KINDS: tuple[str, ...] = get_args(VenueKind)


def wizard(ask: Ask, say: Say) -> str:
    """Ask what is needed, each question again until its answer can be used; return the configuration as TOML.

    Raises EOFError when there are no more answers.
    """
    say("An empty answer takes what stands in brackets. Nothing is written before the end.")
    desk = _asked(ask, say, "Name of the desk", "main", alias)
    venues = _asked(ask, say, f"Venues, of {', '.join(KINDS)}", "binance,hyperliquid", _kinds)
    lines = ['profile = "paper"', "", "[profiles.paper]", 'kind = "paper"', "", "[profiles.live]", 'kind = "venues"']
    lines += [f'desk = "{desk}"']
    for kind in venues:
        there = environments(kind)
        environment = _asked(ask, say, f"{kind}: {', '.join(there)}", there[-1], _one_of(there))
        keys = f"keyring:{kind}" if environment == "mainnet" else f"keyring:{kind}-{environment}"
        source = _asked(
            ask, say, f"{kind}: where its keys are (keyring:NAME, env:PREFIX or file:PATH)", keys, key_source
        )
        lines += ["", f"[profiles.live.venues.{kind}]", f'kind = "{kind}"', f'environment = "{environment}"']
        lines += [f"keys = {json.dumps(source)}"]
    order = _asked(ask, say, "Largest order, in quote units", "1000", _number)
    unhedged = _asked(ask, say, "Most that may wait to be hedged, in quote units", "2500", _number)
    loss = _asked(ask, say, "Most that may be lost in a day, in quote units", "500", _number)
    lines += ["", "[profiles.live.limits.each]", f"order_notional = {order}", "collar_mid_bps = 300"]
    lines += ["duplicate_s = { hard = 1, soft = 10 }"]
    lines += ["", "[profiles.live.limits.desk]", f"unhedged_notional = {unhedged}", f"daily_loss = {loss}"]
    return "\n".join([*lines, ""])


def next_steps(text: str, path: Path) -> list[str]:
    """What is to be done after the configuration was written to ``path``. Raises ConfigError for one that is wrong."""
    profile = parse(text, path).config.profiles["live"]
    stores = [entry.keys.partition(":") for entry in profile.venues.values() if entry.keys is not None]
    names = [name for kind, _, name in stores if kind == "keyring"]
    return [*(f"hedgedesk keys set {name}" for name in names), "hedgedesk check --profile live"]


def _asked(ask: Ask, say: Say, question: str, default: str, read: Callable[[str], T]) -> T:
    while True:
        try:
            return read(ask(f"{question} [{default}]: ").strip() or default)
        except ValueError as error:
            say(f"  {error}")


def _kinds(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",")))
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        raise ValueError(f"must be of {', '.join(KINDS)}, with commas between")
    return names


def _one_of(there: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in there:
            raise ValueError(f"must be one of {', '.join(there)}")
        return text

    return read


def _number(text: str) -> str:
    return f"{amount(text):f}"
