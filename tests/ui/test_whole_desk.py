"""The real thing in a real terminal, from start to quit; judged by ``hedgedesk verify`` on the venues' own books."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.folders import journal_records
from tests.ui.tmux import Tmux

pytestmark = [
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not on this machine"),
    pytest.mark.timeout(180),
    pytest.mark.xdist_group("terminal"),
]

HEDGEDESK = str(Path(sys.executable).parent / "hedgedesk")
STOPPED_S = 10.0
DEAF_S = 0.4
"""A dialog is deaf for a moment, so that a key that repeats itself does not answer it."""


@pytest.fixture
def venues(tmp_path: Path) -> Iterator[Path]:
    """Paper venues in a process of their own: the file that says where they are."""
    path = tmp_path / "venues.json"
    command = [HEDGEDESK, "paper", "--venues", "binance,hyperliquid", "--seed", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        assert process.stdout is not None
        path.write_text(process.stdout.readline())
        yield path
        process.send_signal(signal.SIGTERM)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment with folders of its own."""
    names = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    return {name: str(tmp_path / name.lower()) for name in names} | {"TERM": "xterm-256color"}


def started(tmux: Tmux, venues: Path) -> None:
    tmux.write(f"{HEDGEDESK} --venues {venues}; echo ended with $?\n")
    tmux.until("PAPER", "ACTIVE", "binance ●", "hyperliquid ●")


def line(tmux: Tmux, text: str) -> None:
    """Type a command line and send it."""
    tmux.keys(":")
    tmux.write(text)
    tmux.until(f":{text}")
    tmux.keys("Enter")
    tmux.until(gone=f":{text}")


def choose(tmux: Tmux, key: str, title: str, answer: str) -> None:
    """Open a dialog and answer it, once it listens."""
    tmux.keys(key)
    tmux.until(title)
    time.sleep(DEAF_S)
    tmux.keys(answer)


def hedges(home: dict[str, str]) -> int:
    """How many hedges the desk has decided on, by its journal."""
    (journal,) = Path(home["XDG_STATE_HOME"]).glob("hedgedesk/desks/*")
    return sum(record.kind == "Intended" for record in journal_records(journal))


def verified(home: dict[str, str], venues: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [HEDGEDESK, "verify", "--venues", str(venues)], env=os.environ | home, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_day_at_the_desk(tmp_path, venues, home):
    """Hedge by line and by ticket, filter, drill down, cancel, flatten, panic over a dialog, resize, quit."""
    with Tmux(tmp_path, size=(120, 40), environment=home) as tmux:
        started(tmux, venues)

        line(tmux, "buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market")
        tmux.until("-0.0007", "under the lot of")

        tmux.keys("n")
        tmux.until("new order")
        tmux.write("0.02")
        tmux.keys("Tab", "Tab")
        tmux.write("queue1")
        tmux.until("buy 0.02 ", "queue1")
        tmux.keys("C-t")
        tmux.until("enter recalls")
        tmux.write("small")
        tmux.keys("C-s")
        tmux.until("saved: small")
        tmux.keys("Escape")
        tmux.until("new order", gone="enter recalls")
        tmux.keys("C-s")
        tmux.until("makers 1", gone="new order")

        tmux.keys("1", "/")
        tmux.write("role:hedge")
        tmux.keys("Enter")
        tmux.until("role:hedge")
        tmux.keys("Escape", "Escape")
        tmux.until("f9 PANIC", gone="role:hedge")

        tmux.keys("3", "G")
        tmux.until("━ 3 hedge book")
        tmux.keys("Enter")
        tmux.until("─ maker ", "leg 1", "enter goes on")
        tmux.keys("Enter")
        tmux.until("target -0.0137", "hedge ", "escape goes back")
        tmux.keys("Enter")
        tmux.until("─ hedge ", "answers", "escape goes back")
        tmux.keys("Escape")
        tmux.until("target -0.0137", "escape goes back")
        tmux.keys("Escape")
        tmux.until("─ maker ", "leg 1", "escape closes")
        tmux.keys("Escape")
        tmux.until("f9 PANIC", gone="enter goes on")

        tmux.resize(40, 10)
        tmux.until("PAPER", "f9 PANIC", gone="hyperliquid ●")
        tmux.resize(120, 40)
        tmux.until("1 orders", "3 hedge book", "f9 PANIC")

        tmux.keys("n")
        tmux.until("new order")
        tmux.keys("C-t")
        tmux.until("small", "enter recalls")
        tmux.keys("Enter")
        tmux.until("buy 0.02 ", "queue1", gone="enter recalls")
        tmux.keys("Escape")
        tmux.until("1 orders", gone="new order")

        line(tmux, "sell 0.02 binance:ETHUSDT @ 9000 post hedge hyperliquid:ETH")
        tmux.until("makers 1")
        choose(tmux, "C", "spare the hedge orders", "a")
        tmux.until("makers 0")

        tmux.keys("6", "]")
        tmux.until("b s SEND")
        tmux.keys("PageDown", "b")
        tmux.until("makers 1", "0.002 binance:BTCUSDT", "○ new", ">   0.002")
        tmux.keys("S-Down")
        tmux.until("now 0.002 at", ">   0.002")
        tmux.keys("c")
        tmux.until("makers 0")

        line(tmux, "sell 0.02 binance:ETHUSDT @ 9000 post hedge hyperliquid:ETH")
        tmux.until("makers 1")
        tmux.keys("?")
        tmux.until("keys in")
        tmux.keys("F9")
        tmux.until("HEDGE-", "keys in")
        tmux.keys("Escape")
        tmux.until("HEDGE-ONLY", "makers 0", gone="keys in")

        choose(tmux, "F", "reduce-only", "a")
        tmux.until("flatten all")
        time.sleep(DEAF_S)
        tmux.write("flatten all")
        tmux.keys("Enter")
        tmux.until("closed", within_s=30)

        choose(tmux, "q", "Stop in two phases", "t")
        tmux.until("ended with 0", within_s=40)
        assert (tmux.asked("alternate_on"), tmux.asked("cursor_flag")) == ("0", "1")
        assert tmux.asked("mouse_any_flag") == "0"
    verified(home, venues)


def test_hedges_go_on_while_the_terminal_is_stopped(tmp_path, venues, home):
    """Nothing reads the console's output for ten seconds while makers fill: what fills is hedged meanwhile."""
    with Tmux(tmp_path, size=(120, 40), environment=home) as tmux:
        started(tmux, venues)
        for side in ("buy", "sell"):
            line(tmux, f"{side} 3 binance:ETHUSDT @ queue1 post hedge hyperliquid:ETH market")
            tmux.until(f"{side}")
        tmux.until("makers")
        server = tmux.server
        os.kill(server, signal.SIGSTOP)
        try:
            before = hedges(home)
            time.sleep(STOPPED_S)
            during = hedges(home) - before
        finally:
            os.kill(server, signal.SIGCONT)
        assert during > 0, "nothing filled in ten seconds: the market must move"
        tmux.until("ACTIVE", "♥")
        tmux.keys("F9")
        tmux.until("HEDGE-ONLY", "makers 0")
        choose(tmux, "q", "Stop in two phases", "t")
        tmux.until("ended with 0", within_s=40)
    verified(home, venues)
