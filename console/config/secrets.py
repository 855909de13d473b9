"""Secrets: a type that never shows what it holds, and the three places where keys may be.

A venue's key is named in the configuration, never written there: ``env:PREFIX`` reads PREFIX_KEY, PREFIX_SECRET and
PREFIX_PASSPHRASE of the environment, ``keyring:NAME`` the system's keyring (``hedgedesk keys set NAME``), ``file:PATH``
a TOML file of mode 0600 with ``key``, ``secret`` and ``passphrase``.
"""

import hashlib
import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn, Protocol

import msgspec

MASK = "********"
SERVICE = "hedgedesk"
"""Under which the keyring keeps our entries."""
INDEX = "names"
"""The entry that lists the names of the others: a keyring cannot be asked what it holds."""

_PARTS = ("key", "secret", "passphrase")
_WIDE = stat.S_IRWXG | stat.S_IRWXO


class SecretError(Exception):
    """A key that cannot be had: one sentence, without any part of it."""


class Secret:
    """A text that no print, log, format, pickle or comparison of its copies gives away: only ``reveal`` does."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for whoever signs with it."""
        return self._text

    @property
    def fingerprint(self) -> str:
        """Eight hex digits by which two secrets are told apart."""
        return hashlib.sha256(f"hedgedesk fingerprint {self._text}".encode()).hexdigest()[:8]

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


class Keys(msgspec.Struct, frozen=True):
    """What signs a venue's requests. ``key`` is the API key, or the account's address; it is masked as well."""

    key: Secret
    secret: Secret
    passphrase: Secret = Secret("")

    @property
    def fingerprint(self) -> str:
        """Eight hex digits by which two sets of keys are told apart."""
        return Secret(" ".join(part.reveal() for part in (self.key, self.secret, self.passphrase))).fingerprint


class Keyring(Protocol):
    """What is asked of the system's keyring; the ``keyring`` package's own functions."""

    def get_password(self, service_name: str, username: str) -> str | None:
        """The entry, or None."""
        ...

    def set_password(self, service_name: str, username: str, password: str) -> None:
        """Write an entry."""
        ...

    def delete_password(self, service_name: str, username: str) -> None:
        """Remove an entry."""
        ...


def find_keys(source: str, environment: Mapping[str, str], keyring: "KeyStore | None" = None) -> Keys:
    """The keys that a source names. Raises SecretError, with a sentence on what to do, when they are not there."""
    kind, _, name = source.partition(":")
    match kind:
        case "env":
            return _of_environment(name, environment)
        case "file":
            return _of_file(Path(name).expanduser())
        case "keyring":
            return (keyring or KeyStore()).get(name)
        case _:
            raise SecretError("keys are named as env:PREFIX, keyring:NAME or file:PATH")


def _of_environment(prefix: str, environment: Mapping[str, str]) -> Keys:
    parts = {part: environment.get(f"{prefix}_{part.upper()}", "") for part in _PARTS}
    missing = [f"{prefix}_{part.upper()}" for part in ("key", "secret") if not parts[part]]
    if missing:
        raise SecretError(f"the environment has no {' and no '.join(missing)}")
    return _keys(parts, f"the variables {prefix}_...")


def _of_file(path: Path) -> Keys:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & _WIDE:
                raise SecretError(f"the key file {path} can be read by others (mode {mode:04o}): chmod 600 {path}")
            read = tomllib.load(file)
    except OSError as error:
        raise SecretError(f"the key file {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        # The parser's own words may quote what stands there.
        raise SecretError(f'the key file {path} is not TOML: write key = "..." and secret = "..." into it') from None
    return _keys(read, f"the key file {path}")


def _keys(parts: Mapping[str, object], where: str) -> Keys:
    texts = {part: parts.get(part, "") for part in _PARTS}
    if len(parts.keys() - texts.keys()) or not all(isinstance(text, str) for text in texts.values()):
        raise SecretError(f"{where}: there may be key, secret and passphrase, each a text in quotes, and nothing else")
    if not texts["key"] or not texts["secret"]:
        raise SecretError(f"{where}: key and secret are both needed")
    held = {part: str(text).strip() for part, text in texts.items()}
    if not all(text.isascii() and text.isprintable() for text in held.values()):
        raise SecretError(f"{where}: a key has characters that no venue's key has")
    return Keys(*(Secret(held[part]) for part in _PARTS))


class KeyStore:
    """Our entries in the system's keyring. ``keyring``: None for the system's own.

    Every method raises SecretError, in one sentence, where the system has no keyring or it does not answer.
    """

    def __init__(self, keyring: Keyring | None = None) -> None:
        self._keyring = keyring

    def get(self, name: str) -> Keys:
        """The keys of a name. Raises SecretError where there are none."""
        text = self._ask("get_password", name)
        if text is None:
            raise SecretError(f"the keyring has no keys {name!r}: hedgedesk keys set {name} puts them there")
        try:
            parts = msgspec.json.decode(text, type=dict[str, str])
        except msgspec.DecodeError:
            raise SecretError(f"what the keyring has as {name!r} was not put there by hedgedesk keys set") from None
        return _keys(parts, f"the keyring's {name!r}")

    def put(self, name: str, keys: Keys) -> None:
        """Write keys under a name, in the place of what was there."""
        parts = {"key": keys.key.reveal(), "secret": keys.secret.reveal(), "passphrase": keys.passphrase.reveal()}
        self._ask("set_password", name, msgspec.json.encode(parts).decode())
        self._list({*self.names(), name})

    def remove(self, name: str) -> None:
        """Remove the keys of a name. Raises SecretError where there are none."""
        if self._ask("get_password", name) is None:
            raise SecretError(f"the keyring has no keys {name!r}")
        self._ask("delete_password", name)
        self._list({*self.names()} - {name})

    def names(self) -> list[str]:
        """The names that ``put`` wrote, sorted."""
        text = self._ask("get_password", f"{INDEX}:")
        try:
            return sorted(msgspec.json.decode(text or "[]", type=list[str]))
        except msgspec.DecodeError:
            raise SecretError("the keyring's list of names is damaged: set the keys anew") from None

    def _list(self, names: set[str]) -> None:
        self._ask("set_password", f"{INDEX}:", msgspec.json.encode(sorted(names)).decode())

    def _ask(self, what: str, *arguments: str) -> str | None:
        keyring = self._keyring
        if keyring is None:
            try:
                import keyring as system  # noqa: PLC0415  # slow to load, and not there in every installation
            except ImportError:
                raise SecretError("the keyring library is not installed: use env: or file: keys instead") from None
            keyring = system
        try:
            answer = getattr(keyring, what)(SERVICE, *arguments)
        except SecretError:
            raise
        except Exception as error:  # noqa: BLE001 - each system's keyring fails in a way of its own
            if type(error).__name__ in {"NoKeyringError", "InitError"}:
                text = "this system has no keyring that can be used: keep keys in the environment (env:) or a file"
                raise SecretError(text) from None
            raise SecretError(f"the system's keyring does not answer: {type(error).__name__}") from None
        return answer if isinstance(answer, str) else None
