"""The program: every ending is an exit code and, where something is wrong, one sentence."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.cli import main

HEDGED = "buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market"


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the journals of desks on running venues out of the user's own state."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@contextlib.contextmanager
def start(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Start the program as its users do, with pipes to it, apart from our own terminal; at the end it is gone."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-m", "console", *arguments]
    with subprocess.Popen(command, **pipes, text=True, start_new_session=True) as program:  # noqa: S603  # our own program
        try:
            yield program
        except BaseException:
            program.kill()  # else a test that failed would wait for its end
            raise


def records(output: str) -> list[dict[str, Any]]:
    """The JSON lines of a headless desk."""
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture
def venues(tmp_path: Path) -> Iterator[Path]:
    """A file that says where running paper venues are."""
    file = tmp_path / "venues.json"
    with start("paper", "--seed", "5") as papers:
        assert papers.stdout is not None
        file.write_text(papers.stdout.readline(), encoding="utf-8")
        yield file
        papers.terminate()
    assert papers.returncode == 0


# ----------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fly"], "invalid choice: 'fly'"),
        (["--seed", "x"], "a whole number like 7, not 'x'"),
        (["--seed", "-1"], "--seed"),
        (["run", "--headless", "--for", "0"], "a number above zero like 2.5, not '0'"),
        (["run", "--headless", "--for", "1e3"], "not '1e3'"),
        (["run", "--for", "3"], "--for goes with --headless"),
        (["run", "--head"], "unrecognized arguments: --head"),
        (["run", "--headless", "--speed", "2"], "--ticker and --speed go with --market"),
        (["run", "--headless", "--market", "/nowhere.csv", "--ticker", "FXS"], "/nowhere.csv is not there"),
        (["run", "--headless", "--market", "/nowhere.csv"], "needs --ticker"),
        (["run", "--headless", "--venues", "/nowhere.json"], "/nowhere.json cannot be read"),
        (["run", "--headless", "--venues", "/nowhere.json", "--seed", "3"], "--seed is for the desk's own paper"),
        (["exec"], "COMMAND"),
        (["exec", "verify", "byu 3 binance:ETHUSDT"], "did you mean buy? (at column 1 of 'byu 3 binance:ETHUSDT')"),
        (["paper", "--venues", "binance,"], "like binance,hyperliquid"),
        (["paper", "--venues", "binance,binance"], "like binance,hyperliquid"),
        (["themes", "dark"], "unrecognized arguments: dark"),
        ([], "the console needs a terminal"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_usage_is_one_sentence_and_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be done is said in one line on stderr, with nothing on stdout and nothing started."""
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("hedgedesk: ")
    assert said.err.count("\n") == 1
    assert words in said.err


@pytest.mark.parametrize("text", ["", "[]", '{"venues": {}}', '{"venues": {"binance": {}}}', "not json"])
def test_a_venues_file_of_another_form_is_bad_input(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is not what the paper venues print is refused by name."""
    file = tmp_path / "venues.json"
    file.write_text(text, encoding="utf-8")
    assert main(["run", "--headless", "--venues", str(file)]) == 2
    assert str(file) in capsys.readouterr().err


def test_venues_that_do_not_answer_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A venue that cannot be reached ends the desk with 1 and a sentence that names it; --debug shows where."""
    file = tmp_path / "venues.json"
    dead = {"rest": "http://127.0.0.1:9", "ws": "ws://127.0.0.1:9", "key": "k", "secret": "s"}
    file.write_text(json.dumps({"venues": {"binance": dead}}), encoding="utf-8")
    assert main(["exec", "verify", "--venues", str(file)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "binance" in said
    with pytest.raises(BaseException, match="binance") as shown:
        main(["exec", "verify", "--venues", str(file), "--debug"])
    assert not isinstance(shown.value, SystemExit)


def test_help_documents_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """Every --help ends with what the exit codes mean."""
    for command in ([], ["run"], ["exec"], ["paper"], ["themes"]):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--help"])
        assert ended.value.code == 0
        said = capsys.readouterr().out
        assert all(f"\n  {code}  " in said.split("exit codes:")[1] for code in (0, 1, 2))


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """--version says the distribution's own version."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "hedgedesk 0.1.0\n"


def test_themes_lists_each_with_its_description(capsys: pytest.CaptureFixture[str]) -> None:
    """There is one line a theme, the default among them."""
    assert main(["themes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 3
    assert any(line.split()[0] == "dark" for line in lines)


def test_the_engine_never_loads_a_screen() -> None:
    """What runs headless imports no textual, and saying the version imports next to nothing."""
    check = (
        "import sys; import console.cli; heavy = {'textual', 'aiohttp', 'pydantic', 'msgspec'} & set(sys.modules);"
        "assert not heavy, heavy; import console.headless, console.script, console.papers;"
        "assert 'textual' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", check], check=True, timeout=60)  # noqa: S603  # our own code


# ------------------------------------------------------------------------ deeds


def test_exec_hedges_and_proves_it(capsys: pytest.CaptureFixture[str]) -> None:
    """One line from a shell: placed, hedged, proven against the venues' own books."""
    assert main(["exec", HEDGED, "--seed", "7"]) == 0
    said = records(capsys.readouterr().out)
    assert [record["ok"] for record in said if record["type"] == "reply"] == [True, True, True]
    summary = said[-1]
    assert (summary["type"], summary["consistent"]) == ("summary", True)
    (book,) = summary["books"]
    assert (book["venue"], book["ticker"], book["target"]) == ("binance", "ETHUSDT", "-0.0137")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("buy 1 binance:ETHUSD", "did you mean ETHUSDT"),
        ("cancel 7f3a", "no order"),
        ("flatten kraken", "there is no venue 'kraken' here: binance or hyperliquid"),
    ],
)
def test_exec_ends_with_1_where_a_command_was_refused(
    line: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refused line is answered in words, the others run, and the exit code says that one was refused."""
    assert main(["exec", line, "verify"]) == 1
    said = records(capsys.readouterr().out)
    first, second = [record for record in said if record["type"] == "reply"][:2]
    assert (first["ok"], second["ok"]) == (False, True)
    assert words in first["error"]
    assert said[-1]["consistent"] is True


def test_a_desk_on_running_venues_leaves_them_running(
    venues: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two desks, one after the other, trade on the same venues and write into one folder of the user's state."""
    for _ in range(2):
        assert main(["exec", HEDGED, "--venues", str(venues)]) == 0
        assert records(capsys.readouterr().out)[-1]["consistent"] is True
    (folder,) = (tmp_path / "state" / "hedgedesk" / "desks").iterdir()
    assert any(folder.iterdir())


def test_a_time_limit_ends_a_script_that_has_ended_long_before() -> None:
    """With --for the desk works on after the end of its input, until the time is over."""
    with start("run", "--headless", "--for", "1.5") as desk:
        out, errors = desk.communicate(f"{HEDGED}\n", timeout=60)
    assert (desk.returncode, errors) == (0, "")
    said = records(out)
    assert any(record.get("event") == "stop" for record in said)
    assert said[-1]["books"][0]["target"] == "-0.0137"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_desk_with_its_summary(number: signal.Signals) -> None:
    """Told to stop, even in a sleep, a desk cancels what rests, settles, and proves its books in the last line."""
    with start("run", "--headless") as desk:
        assert desk.stdin is not None
        assert desk.stdout is not None
        desk.stdin.write("buy 0.1 hyperliquid:ETH @ queue20 post hedge binance:ETHUSDT\nsleep 1000s\n")
        desk.stdin.flush()
        said = []
        for line in desk.stdout:
            said.append(json.loads(line))
            if said[-1]["type"] == "reply":
                assert said[-1]["ok"], said[-1]
                os.killpg(desk.pid, number)
                break
        said += records(desk.stdout.read())
        assert desk.wait(30) == 0
    assert (said[-1]["type"], said[-1]["consistent"], said[-1]["left"]) == ("summary", True, [])
    assert any(record.get("status") == "CANCELLED" for record in said if record["type"] == "order_delta")


@pytest.mark.parametrize(("until", "running"), [(b"waiting for the engine", False), (b"ACTIVE", True)])
def test_a_console_told_to_stop_leaves_nothing_behind(until: bytes, running: bool, tmp_path: Path) -> None:
    """The console comes up in a terminal on its own venues; ended from outside, its venues and journal go with it.

    So it is while they are still starting. What may stay is how the desk was looked at.
    """
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (40, 120))
    environment = {**os.environ, "TERM": "xterm-256color", "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", "console"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as console:
        os.close(theirs)
        shown = b""
        while until not in shown:
            shown += os.read(ours, 65_536)
        if running:
            assert [*tmp_path.glob("hedgedesk-*/*")], "the journal of a desk on its own venues is its own too"
        console.terminate()
        with contextlib.suppress(OSError):  # the end of a terminal reads as an error
            while os.read(ours, 65_536):
                pass
        assert console.wait(30) == 1
    os.close(ours)
    assert [*tmp_path.glob("hedgedesk-*")] == []
    left = [path.name for path in (tmp_path / "state").rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert set(left) <= {"session.json"}
