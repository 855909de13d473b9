"""No key gets out: desks run, refuse, crash and are looked at with keys that are searched for in all they leave."""

import asyncio
import io
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from textual.app import App

from console.app import HedgedeskApp
from console.carrier.embedded import EmbeddedLink
from console.cli import main
from console.starting import Start
from gateways.venue import Endpoints
from tests.console.profiles import START, Venues, running

BY_VARIABLES = ("binance", "bybit", "okx")
"""Venues whose keys are in the environment; Hyperliquid's are in a file."""

SCRIPT = """arm loop
buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market
buy 0.0000001 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market
sell 999999999 binance:ETHUSDT market
buy 1 binance:NOSUCH @ 5
buy 1 nowhere:ETH @ 5
buy one hyperliquid:ETH
sell 0.05 hyperliquid:ETH @ 9000 post hedge binance:ETHUSDT ioc 5bps
sell 0.02 bybit:ETHUSDT market
buy 0.1 okx:ETH-USDT-SWAP @ opponent1 hedge bybit:ETHUSDT market
buy 0.1 okx:ETH-USDT-SWAP @ 1
cancel ffff
verify
cancel all
flatten all confirmed
wait idle 10s
quit
"""


@pytest.fixture(scope="module")
def venues() -> Iterator[Venues]:
    with running("binance", "bybit", "hyperliquid", "okx") as there:
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
        by_variables = {alias: f"env:HEDGEDESK_KEYS_{alias.upper()}" for alias in BY_VARIABLES}
        self.write(venues.profile({**by_variables, "hyperliquid": key_file}))

    def write(self, text: str) -> None:
        self.config.write_text(text, encoding="utf-8")

    def environment(self, **more: str) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HEDGEDESK_", "XDG_"))}
        xdg = {f"XDG_{name.upper()}_HOME": str(self.folder / name) for name in ("config", "state", "cache", "data")}
        keys = {name: text for alias in BY_VARIABLES for name, text in self.venues.variables(alias).items()}
        return {**clean, **xdg, "TMPDIR": str(self.folder), **keys, **more}

    def run(self, *arguments: str, text: str = "", **more: str) -> int:
        """Run the program; keep what it said."""
        done = subprocess.run(  # noqa: S603  # our own program
            [*START, *arguments], input=text, capture_output=True, text=True, timeout=60, check=False,
            env=self.environment(**more), cwd=self.folder, start_new_session=True,
        )  # fmt: skip
        self.said += [done.stdout, done.stderr]
        return done.returncode

    def look(self, *arguments: str, **more: str) -> int:
        """Run the program in this process, which is quicker; keep what it said."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment(**more).items():
                patch.setenv(name, value)
            code = main(arguments)
        self.said += [out.getvalue(), err.getvalue()]
        return code

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
    for looked in ("verify", "journal show", "journal export", "config show", "config path", "check", "keys list"):
        assert life.look(*looked.split()) == 0
    assert '"hedge"' in life.left()
    for alias in ("binance", "bybit", "hyperliquid", "okx"):
        assert f'"venue":"{alias}","ticker"' in life.left()
    assert "fingerprint" in life.left()
    assert life.leaks() == []
    written = list((life.folder / "state").rglob("*"))
    assert any(path.name == "journal.jsonl" for path in written)
    modes = {path.relative_to(life.folder): stat.S_IMODE(path.stat().st_mode) for path in written}
    assert {path: mode for path, mode in modes.items() if mode not in (0o600, 0o700)} == {}
    assert [path for path in written if path.is_dir() != (stat.S_IMODE(path.stat().st_mode) == 0o700)] == []


WRONG = "canary0123456789abcdef0123456789abcdef"


def test_keys_that_are_refused_are_not_repeated(life: Life) -> None:
    """Not by the sentence, nor by the traceback."""
    assert life.run("run", "--headless", HEDGEDESK_KEYS_BINANCE_SECRET=WRONG) == 1
    assert "Traceback" not in life.left()
    assert life.run("run", "--headless", "--debug", HEDGEDESK_KEYS_OKX_KEY=WRONG) == 1
    assert life.left().count("Traceback") == 1
    (life.folder / "keys.toml").write_text(f'key = "0x{"ab" * 20}"\nsecret = "{WRONG}"', encoding="utf-8")
    assert life.run("exec", "--debug", SCRIPT.splitlines()[0]) == 1
    assert life.run("check", "--debug", HEDGEDESK_KEYS_BYBIT_KEY=WRONG) == 1
    assert life.leaks(WRONG) == []


def test_keys_in_wrong_places_are_not_repeated(life: Life) -> None:
    """In the configuration, in a variable of settings, among the arguments."""
    good = life.config.read_text(encoding="utf-8")
    for wrong in (f'secret = "{WRONG}"', f'kind = "{WRONG}"', f'{WRONG} = "x"', f'rest = "{WRONG}"', f'x = "{WRONG}'):
        life.write(f"[profiles.paper]\n{wrong}\n")
        for command in ("check", "config show", "run --headless --debug", "keys list"):
            assert life.look(*command.split()) == 2
    life.write(good)
    for name in ("HEDGEDESK_SECRET", "HEDGEDESK_THEME", "HEDGEDESK_VENUES__BINANCE__KEYS"):
        assert life.look("check", "--debug", **{name: WRONG}) == 2
    assert life.look("keys", "set", "main", WRONG) == 2
    assert life.look("run", "--headless", "--secret", WRONG) == 2
    assert "".join(life.said).count("hedgedesk: ") == 25
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


MASKED = ("signature=***", '"signature":"***"')
"""How a signature is shown."""


async def test_the_command_log_shows_what_was_sent_without_keys(life: Life) -> None:
    """Every frame that the console gets, refused orders among them."""
    endpoints = {alias: Endpoints(**place) for alias, place in life.venues.endpoints.items()}
    with EmbeddedLink(Start(endpoints, life.folder / "desk")) as link:
        kinds: set[str] = set()
        for line in SCRIPT.splitlines()[:-2]:
            life.said.append(repr(await link.command(line)))
        async with asyncio.timeout(10):
            while not ({"sent", "answer", "reply"} <= kinds and any(mask in life.left() for mask in MASKED)):
                frame = link.take()
                if frame is not None:
                    kinds |= {line.kind for line in frame.log}
                    life.said.append(repr(frame))
                await asyncio.sleep(0.01)
        await link.stop(two_phase=True)
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
