"""``init`` and ``keys`` as they are used: answers typed, files closed, the keyring library's own functions."""

import io
import os
import stat
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from console.cli import main
from console.config.reading import load

CANARY = "canary-canary-canary"


class Memory(KeyringBackend):
    """A backend of the keyring library, in memory."""

    priority = 1  # type: ignore[assignment]  # the library declares a property of the class

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.held:
            raise PasswordDeleteError(username)
        del self.held[service, username]


class Typed(io.StringIO):
    """A terminal at which these lines are typed."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any configuration; where it would be."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "hedgedesk" / "config.toml"


@pytest.fixture
def memory() -> object:
    before, mine = keyring.get_keyring(), Memory()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def test_init_writes_a_closed_file_that_holds(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says what comes next; a second time it must be forced."""
    monkeypatch.setattr("sys.stdin", Typed("north\nokx\n" + "\n" * 5))
    before = os.umask(0)
    try:
        assert main(["init"]) == 0
    finally:
        os.umask(before)
    assert capsys.readouterr().out.endswith(
        f"Written: {alone}\nNext:\n  hedgedesk keys set okx-demo\n  hedgedesk check --profile live\n"
    )
    assert stat.S_IMODE(alone.stat().st_mode) == 0o600
    assert stat.S_IMODE(alone.parent.stat().st_mode) == 0o700
    assert load(profile="live", environment={}).profile.desk == "north"
    monkeypatch.setattr("sys.stdin", Typed("south\nokx\n" + "\n" * 5))
    assert main(["init"]) == 2
    assert main(["init", "--force"]) == 0
    assert load(profile="live", environment={}).profile.desk == "south"


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        (Typed("north\n"), "the answers ended early: nothing was written"),
        (io.StringIO(), "init asks questions and needs"),
    ],
)
def test_init_that_is_not_answered_writes_nothing(
    stdin: io.StringIO, said: str, alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one sentence."""
    monkeypatch.setattr("sys.stdin", stdin)
    assert main(["init"]) == 2
    assert said in capsys.readouterr().err
    assert not alone.exists()


def test_keys_go_into_the_systems_keyring_and_out_of_it(
    memory: Memory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Piped in, listed by name and fingerprint, found by a profile, removed."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"key\n{CANARY}\n\n"))
    assert main(["keys", "set", "main"]) == 0
    assert main(["keys", "list"]) == 0
    assert any(CANARY in text for text in memory.held.values())
    assert main(["keys", "rm", "main"]) == 0
    assert not any(CANARY in text for text in memory.held.values())
    assert main(["keys", "rm", "main"]) == 2
    said = capsys.readouterr()
    assert said.err == "hedgedesk: the keyring has no keys 'main'\n"
    assert said.out.splitlines()[1].startswith("keyring:main  ")
    assert CANARY not in f"{said.out}{said.err}"


def test_keys_that_are_not_given_are_not_written(
    memory: Memory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty pipe is no key."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["keys", "set", "main"]) == 2
    assert capsys.readouterr().err == "hedgedesk: the key is empty: nothing was written\n"
    assert memory.held == {}


def test_without_a_keyring_there_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what to use in its place."""
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    monkeypatch.setattr("sys.stdin", io.StringIO(f"key\n{CANARY}\n\n"))
    try:
        assert main(["keys", "set", "main"]) == 2
    finally:
        keyring.set_keyring(before)
    text = "this system has no keyring that can be used: keep keys in the environment (env:) or a file"
    assert capsys.readouterr().err == f"hedgedesk: {text}\n"
