"""Reads a configuration: the file, the environment over it, the defaults under it; what is wrong stops the start."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from console.config import messages
from console.config.messages import ConfigError, Place, dotted, is_secret_name
from console.config.model import DEFAULT_PROFILE, Config, Profile
from console.config.numbers import parse_float
from console.config.overrides import overrides
from console.config.places import Key, line_of, places
from console.config.problems import problems_of
from console.folders import CONFIG_VARIABLE, config_file

LARGEST = 1_000_000
"""Bytes of a configuration; a larger file is none."""


class Loaded(msgspec.Struct, frozen=True):
    """A configuration that holds, the profile that starts, and where each value came from."""

    config: Config
    name: str
    profile: Profile
    path: Path
    """The file, whether it is there or not."""
    found: bool
    sources: Mapping[Key, Place]
    """By the key's whole path; what is not among them is a default."""

    def sentence(self, key: Key, text: str) -> str:
        """A complaint about a key of the profile, as all others are."""
        whole = ("profiles", self.name, *key)
        return f"{self.sources.get(whole, Place(str(self.path)))}: {dotted(whole)}: {text}"


def load(
    given: str | None = None, profile: str | None = None, *, environment: Mapping[str, str] = os.environ
) -> Loaded:
    """Read the configuration. ``given``: a file; ``profile``: the one that starts, in the place of what it says.

    Without a file there are only defaults and the environment, unless one was named. Raises ConfigError.
    """
    path = config_file(given, environment)
    named = given is not None or bool(environment.get(CONFIG_VARIABLE))
    text = _read(path) if named or path.exists() else None
    return parse(text or "", path, profile=profile, environment=environment, found=text is not None)


def parse(
    text: str,
    path: Path,
    *,
    profile: str | None = None,
    environment: Mapping[str, str] = {},
    found: bool = True,
) -> Loaded:
    """The configuration that a text is; ``path`` names it in messages. Raises ConfigError and nothing else."""
    raw = _toml(text, path)
    lines = places(text)
    sources = {key: Place(str(path), line) for key, line in lines.items()}
    wanted = profile or environment.get("HEDGEDESK_PROFILE") or raw.get("profile", DEFAULT_PROFILE)
    over, wrong = overrides(raw, wanted if isinstance(wanted, str) else DEFAULT_PROFILE, environment)
    sources |= over

    def place(key: Key) -> Place:
        for length in range(len(key), 0, -1):
            if key[:length] in over:
                return over[key[:length]]
        return Place(str(path), line_of(key, lines))

    wrong += [
        f"{place(key)}: {dotted(key)}: a secret does not belong here: put it into the keyring (hedgedesk keys set "
        'NAME) and name it: keys = "keyring:NAME"'
        for key in _secret_keys(raw, ())
    ]
    if wrong:
        raise ConfigError(wrong)
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(problems_of(error, raw, place)) from None  # the cause would repeat the values
    at = Place("--profile") if profile else Place("HEDGEDESK_PROFILE") if environment.get("HEDGEDESK_PROFILE") else None
    try:
        name, chosen = config.named(profile or environment.get("HEDGEDESK_PROFILE"))
    except ValueError as error:
        raise ConfigError([f"{at or place(('profile',))}: {error}"]) from None
    if at is not None:
        sources["profile",] = at
    return Loaded(config, name, chosen, path, found, sources)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError([f"{path}: the configuration cannot be read: {reason}"]) from error
    if len(data) > LARGEST:
        raise ConfigError([f"{path}: is larger than {LARGEST} bytes: that is no configuration"])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path}:{line}: is not UTF-8"]) from None


def _toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=parse_float)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        words, _, where = said.rpartition(" (at ")
        line = where.removeprefix("line ").partition(",")[0]
        at = f":{line}" if line.isdecimal() else f":{text.count(chr(10)) + 1}"
        raise ConfigError([f"{path}{at}: is not TOML: {messages.plain_words(words or said)}"]) from None
    except (ValueError, RecursionError):
        raise ConfigError([f"{path}: is not TOML that can be read: a number or a nesting is beyond measure"]) from None


def _secret_keys(table: Mapping[str, Any], path: Key) -> list[Key]:
    found: list[Key] = []
    for name, value in table.items():
        key = (*path, name)
        if is_secret_name(name) and not isinstance(value, dict):
            found.append(key)
        elif isinstance(value, dict):
            found += _secret_keys(value, key)
    return found
