"""No key gets out: desks run, refuse, crash and are looked at with keys that are searched for in all they leave."""

import asyncio
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.app import App

from console.app import HedgedeskApp
from console.cli import main
from console.engine import EmbeddedLink
from gateways.venue import Endpoints
from tests.console.profiles import START, Venues, running

SCRIPT = """buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market
buy 0.0000001 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market
sell 999999999 binance:ETHUSDT market
buy 1 binance:NOSUCH @ 5
buy 1 nowhere:ETH @ 5
buy one hyperliquid:ETH
sell 0.05 hyperliquid:ETH @ 9000 post hedge binance:ETHUSDT ioc 5bps
cancel ffff
verify
cancel all
flatten all confirmed
wait idle 10s
quit
"""


@pytest.fixture(scope="module")
def venues() -> Iterator[Venues]:
    with running("binance", "hyperliquid") as there:
        yield there


class Life:
    """A user's folders, and all that the programs run there have said."""

    def __init__(self, folder: Path, venues: Venues) -> None:
        self.folder = folder
        self.venues = venues
        self.said: list[str] = []
        self.config = folder / "config" / "hedgedesk" / "config.toml"
        self.config.parent.mkdir(parents=True)
        key_file = venues.key_file("hyperliquid", folder / "keys.toml")
        self.write(venues.profile({"binance": "env:HEDGEDESK_KEYS_BINANCE", "hyperliquid": key_file}))

    def write(self, text: str) -> None:
        self.config.write_text(text, encoding="utf-8")

    def environment(self, **more: str) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HEDGEDESK_", "XDG_"))}
        xdg = {f"XDG_{name.upper()}_HOME": str(self.folder / name) for name in ("config", "state", "cache", "data")}
        return {**clean, **xdg, "TMPDIR": str(self.folder), **self.venues.variables("binance"), **more}

    def run(self, *arguments: str, text: str = "", **more: str) -> int:
        """Run the program; keep what it said."""
        done = subprocess.run(  # noqa: S603  # our own program
            [*START, *arguments], input=text, capture_output=True, text=True, timeout=60, check=False,
            env=self.environment(**more), cwd=self.folder, start_new_session=True,
        )  # fmt: skip
        self.said += [done.stdout, done.stderr]
        return done.returncode

    def left(self) -> str:
        """All that was said and written, but the file that holds the keys."""
        files = [path for path in self.folder.rglob("*") if path.is_file() and path.name != "keys.toml"]
        return "\n".join([*self.said, *(path.read_bytes().decode("utf-8", "replace") for path in files)])

    def leaks(self, *more: str) -> list[str]:
        """The secrets that are in it, their names rather."""
        text = self.left()
        return [
            f"secret {number}"
            for number, secret in enumerate([*sorted(self.venues.secrets()), *more])
            if secret in text
        ]


@pytest.fixture
def life(tmp_path: Path, venues: Venues) -> Life:
    return Life(tmp_path, venues)


def test_a_key_that_got_out_is_found(life: Life) -> None:
    """In what was said and in what was written; the files that hold keys are not taken for it."""
    assert life.leaks() == []
    life.said.append(f"signed with {life.venues.endpoints['binance']['secret']}")
    assert life.leaks()
    life.said.clear()
    (life.folder / "written.log").write_text(life.venues.endpoints["hyperliquid"]["secret"], encoding="utf-8")
    assert life.leaks()


def test_a_desks_life_leaves_no_key_and_every_file_closed(life: Life) -> None:
    """Commands good and bad, a kill in the middle of a hedge, the start after it, and every way to look at it."""
    assert life.run("run", "--headless", "--debug", text=SCRIPT) in (0, 1)
    killed = life.run("run", "--headless", text=SCRIPT, HEDGEDESK_KILL="after-send:1")
    assert killed == -signal.SIGKILL
    assert life.run("run", "--headless", "--debug", text="wait idle 10s\nquit\n") == 0
    assert life.run("verify") == 0
    for looked in (["journal", "show"], ["journal", "export"], ["config", "show"], ["config", "path"], ["check"]):
        assert life.run(*looked) == 0
    assert life.run("keys", "list") == 0
    assert '"hedge"' in life.left()
    assert "fingerprint" in life.left()
    assert life.leaks() == []
    written = list((life.folder / "state").rglob("*"))
    assert any(path.name == "journal.jsonl" for path in written)
    modes = {path.relative_to(life.folder): stat.S_IMODE(path.stat().st_mode) for path in written}
    assert {path: mode for path, mode in modes.items() if mode not in (0o600, 0o700)} == {}
    assert [path for path in written if path.is_dir() != (stat.S_IMODE(path.stat().st_mode) == 0o700)] == []


WRONG = "canary0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_keys_that_are_refused_are_not_repeated(life: Life, debug: list[str]) -> None:
    """Not by the sentence, nor by the traceback."""
    for part in ("KEY", "SECRET"):
        assert life.run("run", "--headless", *debug, **{f"HEDGEDESK_KEYS_BINANCE_{part}": WRONG}) == 1
    (life.folder / "keys.toml").write_text(f'key = "0x{"ab" * 20}"\nsecret = "{WRONG}"', encoding="utf-8")
    assert life.run("exec", *debug, SCRIPT.splitlines()[0]) == 1
    assert life.run("check", *debug) == 1
    assert ("Traceback" in life.left()) == bool(debug)
    assert life.leaks(WRONG) == []


def test_keys_in_wrong_places_are_not_repeated(
    life: Life, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the configuration, in a variable of settings, among the arguments."""
    for name, value in life.environment().items():
        monkeypatch.setenv(name, value)
    good = life.config.read_text(encoding="utf-8")
    for wrong in (f'secret = "{WRONG}"', f'kind = "{WRONG}"', f'{WRONG} = "x"', f'rest = "{WRONG}"', f'x = "{WRONG}'):
        life.write(f"[profiles.paper]\n{wrong}\n")
        for command in (["check"], ["config", "show"], ["run", "--headless", "--debug"], ["keys", "list"]):
            assert main(command) == 2
        life.config.unlink()
    life.write(good)
    for name in ("HEDGEDESK_SECRET", "HEDGEDESK_THEME", "HEDGEDESK_VENUES__BINANCE__KEYS"):
        with monkeypatch.context() as also:
            also.setenv(name, WRONG)
            assert main(["check", "--debug"]) == 2
    assert main(["keys", "set", "main", WRONG]) == 2
    assert main(["run", "--headless", "--secret", WRONG]) == 2
    life.said += [*capsys.readouterr()]
    assert len(life.said[-1].splitlines()) == 25
    assert life.leaks(WRONG) == []


def test_a_running_desk_has_no_key_in_its_title(life: Life) -> None:
    """What other users of the machine see of a process."""
    command = [*START, "run", "--headless"]
    with subprocess.Popen(  # noqa: S603  # our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=life.environment(),
        start_new_session=True,
    ) as desk:  # fmt: skip
        assert desk.stdin is not None
        assert desk.stdout is not None
        desk.stdin.write("verify\n")
        desk.stdin.flush()
        life.said.append(desk.stdout.readline())
        process = Path(f"/proc/{desk.pid}")
        life.said += (
            [(process / name).read_bytes().decode() for name in ("cmdline", "comm")] if process.exists() else []
        )
        life.said.append(desk.communicate("quit\n", timeout=30)[0])
    assert '"reply"' in life.left()
    assert life.leaks() == []


async def test_the_command_log_shows_what_was_sent_without_keys(life: Life) -> None:
    """Every frame that the console gets, refused orders among them."""
    endpoints = {alias: Endpoints(**place) for alias, place in life.venues.endpoints.items()}
    with EmbeddedLink(endpoints, life.folder / "desk") as link:
        kinds: set[str] = set()
        for line in SCRIPT.splitlines()[:-2]:
            life.said.append(repr(await link.command(line)))
        async with asyncio.timeout(10):
            while not {"sent", "answer", "reply"} <= kinds:
                frame = link.take()
                if frame is not None:
                    kinds |= {line.kind for line in frame.log}
                    life.said.append(repr(frame))
                await asyncio.sleep(0.01)
        await link.stop(two_phase=True)
    assert "signature=***" in life.left() or '"signature":"***"' in life.left()
    assert life.leaks() == []


def test_a_crash_of_the_console_shows_no_local_values(capsys: pytest.CaptureFixture[str]) -> None:
    """Its traceback names lines; textual's own would print what the variables held."""
    shown: list[str] = []

    class Crashing(App[int]):
        _fatal_error = HedgedeskApp._fatal_error

        def on_mount(self) -> None:
            secret = f"{WRONG} local"
            raise RuntimeError(f"broken with {len(secret)}")

        def _print_error_renderables(self) -> None:
            for renderable in self._exit_renderables:
                self.error_console.print(renderable)

    Crashing().run(headless=True)
    shown.append("".join(capsys.readouterr()))
    assert "broken with" in shown[0]
    assert "on_mount" in shown[0]
    assert "local'" not in shown[0]
    assert "────── locals" not in shown[0]
