"""``hedgedesk keys``: a venue's keys in the system's keyring. They are typed or piped in, and are never arguments."""

import getpass
from collections.abc import Callable, Mapping
from typing import TextIO

from console.config.model import Config, key_source
from console.config.secrets import Keys, KeyStore, Secret, SecretError, find_keys

PARTS = (("key", "API key (Hyperliquid: the account's address)"), ("secret", "secret (Hyperliquid: private key)"))
PASSPHRASE = "passphrase (OKX; empty elsewhere)"  # noqa: S105 - a question


def check_name(name: str) -> str:
    """A name that a configuration can use. Raises ValueError, saying what is allowed."""
    try:
        return key_source(f"keyring:{name}").removeprefix("keyring:")
    except ValueError:
        raise ValueError(
            "a name of keys has 1 to 64 letters, digits, dots, - and _, like binance-main, and no long run of them"
        ) from None


def ask_keys(ask: Callable[[str], str]) -> Keys:
    """Keys as they are typed. Raises SecretError for an empty one, EOFError where nothing comes."""
    parts = {name: Secret(ask(f"{question}: ").strip()) for name, question in PARTS}
    for name, part in parts.items():
        if not part:
            raise SecretError(f"the {name} is empty: nothing was written")
    return Keys(**parts, passphrase=Secret(ask(f"{PASSPHRASE}: ").strip()))


def hidden(stdin: TextIO) -> Callable[[str], str]:
    """How secrets are asked for: unseen at a terminal, as lines from a pipe."""
    if stdin.isatty():
        return getpass.getpass

    def line(_: str) -> str:
        return stdin.readline()

    return line


def known_keys(config: Config, environment: Mapping[str, str], store: KeyStore) -> list[tuple[str, str, str]]:
    """Every set of keys that the keyring or the configuration names: its source, its fingerprint, who uses it."""
    users: dict[str, list[str]] = {}
    for profile_name, profile in config.profiles.items():
        for alias, entry in profile.venues.items():
            if entry.keys is not None:
                users.setdefault(entry.keys, []).append(f"{profile_name}.{alias}")
    try:
        for name in store.names():
            users.setdefault(f"keyring:{name}", [])
    except SecretError as error:
        users.setdefault("keyring", []).append(str(error))
    rows = []
    for source, names in sorted(users.items()):
        try:
            told, trouble = ("-" if source == "keyring" else find_keys(source, environment, store).fingerprint), []
        except SecretError as error:
            told, trouble = "-", [str(error)]
        rows.append((source, told, ", ".join([*names, *trouble]) or "not used"))
    return rows
