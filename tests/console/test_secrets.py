"""Secrets show nowhere, and come from three places alone: the environment, a closed file, the system's keyring."""

import copy
import io
import json
import pickle
from pathlib import Path

import pytest

from console.cli import main
from console.config.accounts import accounts
from console.config.keys import ask_keys, hidden, known_keys
from console.config.reading import parse
from console.config.secrets import SERVICE, Keys, KeyStore, Secret, SecretError, find_keys
from gateways.standards import Credentials, WireRequest
from gateways.venue import Endpoints

CANARY = "canary-0123456789abcdef"


class Keyring:
    """A system keyring in memory."""

    def __init__(self):
        self.held = {}

    def get_password(self, service_name, username):
        return self.held.get((service_name, username))

    def set_password(self, service_name, username, password):
        self.held[service_name, username] = password

    def delete_password(self, service_name, username):
        del self.held[service_name, username]


class Broken:
    """A system keyring that fails as it is told."""

    def __init__(self, error):
        self.error = error

    def get_password(self, service_name, username):
        raise self.error


class NoKeyringError(RuntimeError):
    """By name the error of a system without any."""


# ------------------------------------------------------------------ the type


@pytest.mark.parametrize("write", [str, repr, format, "{}".format, "{0!r:>40}".format, "%s".__mod__, ascii])
def test_a_secret_shows_in_no_text(write):
    """Not by itself, and not inside of what holds it."""
    for each in (Secret(CANARY), Keys(Secret(CANARY), Secret(CANARY)), [Secret(CANARY)], {"a": Secret(CANARY)}):
        if write is not format or isinstance(each, Secret):
            assert CANARY not in write(each)


@pytest.mark.parametrize("write", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_not_written_or_copied(write):
    """Who needs it asks for it in so many words."""
    with pytest.raises(TypeError, match="not written"):
        write(Secret(CANARY))
    assert not hasattr(Secret(CANARY), "__dict__")


def test_what_carries_keys_shows_none():
    """Tracebacks with local values show representations."""
    place = Endpoints(rest="https://a", ws="wss://a", key=CANARY, secret=CANARY, passphrase=CANARY, kind="okx")
    request = WireRequest(method="GET", path="/x", params=CANARY, body=CANARY.encode(), headers={"key": CANARY})
    for each in (place, place.credentials, Credentials(CANARY, CANARY), request, {"okx": place}):
        assert CANARY not in repr(each)
        assert CANARY[:6] not in repr(each)
        assert CANARY not in str(each)


def test_secrets_are_told_apart_by_their_fingerprints():
    """Eight digits from which nothing can be read."""
    one, other = Keys(Secret("k"), Secret("s")), Keys(Secret("k"), Secret("t"))
    assert one.fingerprint == Keys(Secret("k"), Secret("s")).fingerprint != other.fingerprint
    assert len(one.fingerprint) == 8
    assert Secret("a") == Secret("a") != Secret("b")
    assert not Secret("")


# ---------------------------------------------------------------- their places


def test_the_environment_holds_keys():
    """PREFIX_KEY, PREFIX_SECRET and, where there is one, PREFIX_PASSPHRASE."""
    keys = find_keys("env:MY", {"MY_KEY": "k", "MY_SECRET": "s", "MY_PASSPHRASE": "p"})
    assert [part.reveal() for part in (keys.key, keys.secret, keys.passphrase)] == ["k", "s", "p"]
    with pytest.raises(SecretError, match="the environment has no MY_SECRET"):
        find_keys("env:MY", {"MY_KEY": CANARY})


def key_file(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "okx.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return f"file:{path}"


def test_a_closed_file_holds_keys(tmp_path):
    """Of mode 0600 or narrower."""
    keys = find_keys(key_file(tmp_path, 'key = "k"\nsecret = " s "\npassphrase = "p"\n', 0o400), {})
    assert (keys.secret.reveal(), keys.passphrase.reveal()) == ("s", "p")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_a_key_file_that_others_can_reach_is_refused(mode, tmp_path):
    """With the command that closes it; nothing of it is used."""
    source = key_file(tmp_path, f'key = "k"\nsecret = "{CANARY}"\n', mode)
    with pytest.raises(SecretError, match=rf"mode {mode:04o}\): chmod 600 /.*okx.toml") as caught:
        find_keys(source, {})
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'key = "{CANARY}', "is not TOML"),
        (f"{CANARY}", "is not TOML"),
        (f'key = "{CANARY}"', "key and secret are both needed"),
        (f'key = "k"\nsecret = "{CANARY}"\n{CANARY} = "x"', "and nothing else"),
        ('key = "k"\nsecret = 5', "each a text in quotes"),
        (f'key = "k"\nsecret = "{CANARY}\\n\\u0000"', "has characters that no venue's key has"),
        (f'key = "k"\nsecret = "{CANARY}é"', "has characters that no venue's key has"),
    ],
)
def test_a_key_file_that_holds_no_keys_is_refused_without_repeating_it(text, said, tmp_path):
    """In one sentence that names the file; not even the cause of the error has a part of it."""
    with pytest.raises(SecretError, match=said) as caught:
        find_keys(key_file(tmp_path, text), {})
    assert "okx.toml" in str(caught.value)
    assert CANARY not in f"{caught.value} {caught.value.__cause__!r}"


def test_a_key_file_that_is_not_there_is_told(tmp_path):
    """By its path."""
    with pytest.raises(SecretError, match=r"the key file /.*none.toml cannot be read: No such file"):
        find_keys(f"file:{tmp_path}/none.toml", {})


def test_the_keyring_keeps_what_it_was_given():
    """Written, listed, read, removed; the names alone are listed."""
    system = Keyring()
    store = KeyStore(system)
    store.put("main", Keys(Secret("k"), Secret(CANARY)))
    store.put("other", Keys(Secret("k"), Secret("s"), Secret("p")))
    assert store.names() == ["main", "other"]
    assert find_keys("keyring:main", {}, store).secret.reveal() == CANARY
    store.remove("main")
    assert store.names() == ["other"]
    assert not any(CANARY in text for text in system.held.values())
    for act in (store.get, store.remove):
        with pytest.raises(SecretError, match="the keyring has no keys 'main'"):
            act("main")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoKeyringError(CANARY), "this system has no keyring that can be used: keep keys in the environment"),
        (RuntimeError(CANARY), "the system's keyring does not answer: RuntimeError"),
    ],
)
def test_a_keyring_that_fails_is_one_sentence(error, said):
    """Whatever the system's own words were: they might quote what was asked for."""
    with pytest.raises(SecretError) as caught:
        KeyStore(Broken(error)).get("main")
    assert str(caught.value).startswith(said)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", '{"key": 5}', '{"key": "k"}'])
def test_a_foreign_entry_in_the_keyring_is_told(text):
    """What somebody else put there is not taken for keys."""
    system = Keyring()
    system.set_password(SERVICE, "main", text)
    with pytest.raises(SecretError, match="main"):
        KeyStore(system).get("main")


def test_a_profiles_accounts_carry_the_keys_of_their_sources(tmp_path):
    """Each venue its own; one without them names itself."""
    source = key_file(tmp_path, 'key = "fk"\nsecret = "fs"\npassphrase = "fp"\n')
    text = f"""
    [profiles.live]
    kind = "venues"
    venues.binance = {{ kind = "binance", environment = "testnet", keys = "env:MY" }}
    venues.okx = {{ kind = "okx", environment = "demo", keys = "{source}" }}
    """
    profile = parse(text, tmp_path, profile="live").profile
    found = accounts(profile, {"MY_KEY": "k", "MY_SECRET": "s"})
    assert found["binance"].credentials == Credentials("k", "s")
    assert found["okx"].credentials == Credentials("fk", "fs", "fp")
    assert found["okx"].headers == {"x-simulated-trading": "1"}
    with pytest.raises(SecretError, match="binance: the environment has no MY_KEY and no MY_SECRET"):
        accounts(profile, {})


# ------------------------------------------------------------------- commands


def test_keys_are_typed_unseen_or_piped_and_never_empty():
    """Three lines; the passphrase may be empty."""
    keys = ask_keys(hidden(io.StringIO("k\ns\n\n")))
    assert (keys.key.reveal(), keys.secret.reveal(), bool(keys.passphrase)) == ("k", "s", False)
    with pytest.raises(SecretError, match="the secret is empty: nothing was written"):
        ask_keys(hidden(io.StringIO("k\n\n\n")))


def test_the_list_of_keys_has_names_and_fingerprints_alone():
    """Of the keyring and of the configuration, with who uses them and what is missing."""
    store = KeyStore(Keyring())
    store.put("main", Keys(Secret(CANARY), Secret(CANARY)))
    store.put("spare", Keys(Secret("k"), Secret("s")))
    text = """
    [profiles.live]
    kind = "venues"
    venues.binance = { kind = "binance", environment = "mainnet", keys = "keyring:main" }
    venues.okx = { kind = "okx", environment = "demo", keys = "env:NONE" }
    """
    rows = known_keys(parse(text, Path("c")).config, {}, store)
    assert rows == [
        ("env:NONE", "-", "live.okx, the environment has no NONE_KEY and no NONE_SECRET"),
        ("keyring:main", Keys(Secret(CANARY), Secret(CANARY)).fingerprint, "live.binance"),
        ("keyring:spare", Keys(Secret("k"), Secret("s")).fingerprint, "not used"),
    ]
    assert CANARY not in json.dumps(rows)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["keys", "set"], "keys set needs a NAME"),
        (["keys", "list", "x"], "keys list takes no name"),
        (["keys", "set", "name", CANARY], "keys are never arguments"),
        (["keys", "set", "name", "--secret", "Canary0123456789abcdef"], "***"),
        (["keys", "rm", "9f86d081884c7d659a2feaa0c55ad015"], "a name of keys has 1 to 64 letters"),
        (["keys", "rm", "no/name"], "a name of keys has 1 to 64 letters"),
    ],
)
def test_keys_are_no_arguments(arguments, said, capsys):
    """Bad usage ends with 2 and one sentence."""
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "0123456789abcdef" not in told
