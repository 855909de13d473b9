"""The program's words about engines: start one, attach, ask it from any shell, stop it; a crash starts it anew."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from console.carrier.attached import AttachedLink
from console.carrier.remote import panic
from console.status import running_desks
from tests.carrier.engines import Screen, link_of, short_folder, venues
from tests.carrier.stalls import QUANTITY, Arena, Terminal, arena

RESTING = "buy 0.01 hyperliquid:ETH @ 1500 post hedge binance:ETHUSDT market"
HEDGED = "buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market"


@pytest.fixture
def ring():
    """Venues, and room for engines and consoles on them."""
    with short_folder() as folder, arena(folder) as made:
        yield made


def test_any_shell_asks_the_engine_while_a_console_hangs(ring):
    """exec, status and panic answer; what they did stands at the venue; SIGTERM then leaves nothing behind."""
    status = ring.start("--no-restart")
    (console,) = ring.consoles(1)
    with contextlib.closing(console):
        console.process.send_signal(signal.SIGSTOP)
        ran = ring.say("exec", "--desk", str(status.pid), HEDGED, RESTING, "buy 1 nowhere:X @ 1")
        records = [json.loads(line) for line in ran.stdout.splitlines()]
        assert [record["ok"] for record in records[:-1]] == [True, True, False, True]
        assert (records[-1]["consistent"], ran.returncode) == (True, 1)
        told = ring.say("status")
        assert told.returncode == 0
        assert "makers 1" in told.stdout
        assert "consoles attached: 1" in told.stdout
        assert "no supervisor of ours" in told.stdout
        pulled = ring.say("panic")
        assert (pulled.returncode, pulled.stderr) == (0, "")
        assert "PANIC: 1 of 1 makers cancelled, HEDGE-ONLY" in pulled.stdout
        ring.engine.send_signal(signal.SIGTERM)
        assert ring.engine.wait(40) == 3, "0.0007 are under the lot: something is left, and said"
    assert ring.findings().clean, ring.findings().sentences
    assert not running_desks(ring.running)
    assert not list(ring.running.iterdir())


def test_a_desk_inside_a_console_is_panicked_by_its_kill_file():
    """It takes no consoles; the file is gone again when the desk has seen it."""
    with short_folder() as folder, venues() as (_, server), link_of("embedded", server, folder) as link:
        (status,) = running_desks(folder / "running")
        said: list[str] = []
        assert asyncio.run(panic([status], [], folder / "running", said.append))
        assert "HEDGE-ONLY" in said[0]
        assert not Path(status.kill_file).exists()
        assert link.take().header is not None


async def test_an_engine_that_is_killed_is_started_anew_and_hedges_what_filled_meanwhile(ring):
    """The console that was attached finds it again; the makers that rested are still this desk's."""
    status = ring.start()
    makers = await ring.place(status, 4)
    with AttachedLink(Path(status.socket)) as link:
        screen = Screen(link)
        await screen.until(lambda: len(list(screen.mirror.open_orders(role="maker"))) == 4)
        os.kill(status.pid, signal.SIGKILL)
        await screen.until(lambda: any("connection" in line.text for line in screen.log))
        filled = ring.thread.call(_fill_unhedged(ring, makers[0]))
        again = ring.found(but=status.pid)
        assert again.socket == status.socket
        await screen.until(lambda: any("attached to the engine again" in line.text for line in screen.log))
        await screen.until(lambda: screen.mirror.header.trading == "ACTIVE", 30)
        await screen.until(lambda: any(row.hedged == -filled for row in screen.mirror.books.values()), 30)
    assert ring.stop() == 0
    assert ring.findings().clean, ring.findings().sentences


async def _fill_unhedged(ring: Arena, maker: str):
    venue = ring.server.venues["hyperliquid"]
    order = venue.faulty.acts.fill(venue.exchange.users[0], "ETH", f"0x{maker}", QUANTITY)
    venue.deliver()
    assert order is not None
    return QUANTITY


def test_the_console_of_a_live_profile_starts_its_engine_and_the_next_one_attaches_to_it(ring, tmp_path):
    """Killing the first console ends nothing; a second engine is not started; the keys stay with the engine."""
    words = ring.profile(tmp_path)
    first = Terminal(words, ring.environment)
    pid = 0
    try:
        first.until(b"LIVE SAFE")
        status = ring.found()
        pid = status.pid
        assert (status.profile, status.desk, status.consoles <= 1) == ("loop", "looped", True)
        first.process.kill()
        second = Terminal(words, ring.environment)
        with contextlib.closing(second):
            second.until(b"LIVE SAFE")
            assert ring.found().pid == pid
            panicked = ring.say("panic", "--desk", "looped")
            assert panicked.returncode == 0, panicked.stdout + panicked.stderr
        embedded = ring.say("exec", *words, "verify")
        assert embedded.returncode == 0, embedded.stdout + embedded.stderr
    finally:
        first.close()
        if pid:
            os.kill(pid, signal.SIGTERM)
    ring.gone(pid)


def test_what_cannot_be_attached_to_is_one_sentence(ring):
    """No engine, and no engine of that name."""
    for words, text in (
        (("status",), ""),
        (("panic",), "no desk is running"),
        (("exec", "--desk", "none", "verify"), "no engine is named none"),
    ):
        said = ring.say(*words)
        assert said.returncode in {1, 2}
        assert text in said.stderr
        assert said.stderr.count("\n") <= 1


# ------------------------------------------------------------------------- the supervisor

SUPERVISED = """
import sys
from console.carrier.supervising import Supervisor
child = [sys.executable, "-c", sys.argv[1], sys.argv[2]]
sys.exit(Supervisor(child, lambda text: print(text, flush=True), first_pause_s=float(sys.argv[3])).run())
"""
COUNTED = """
import os, signal, sys, time
path = sys.argv[1]
with open(path, "a") as file:
    file.write("x")
runs = os.path.getsize(path)
"""


def supervise(tmp_path: Path, child: str, first_pause_s: float = 0.05) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SUPERVISED, COUNTED + child, str(tmp_path / "runs"), str(first_pause_s)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  # our own program


@pytest.mark.parametrize(
    ("child", "code", "runs"),
    [
        ("sys.exit(0)", 0, 1),
        ("sys.exit(3)", 3, 1),
        ("sys.exit(2)", 2, 1),
        ("sys.exit(1)", 1, 1),
        ("os.kill(os.getpid(), 9) if runs < 4 else sys.exit(0)", 0, 4),
        ("sys.exit(70 if runs == 1 else 1 if runs < 4 else 3)", 3, 4),
    ],
    ids=["settled", "left", "usage", "never started", "killed", "broke, then could not start"],
)
def test_an_engine_is_started_anew_only_where_nobody_ended_it(tmp_path, child, code, runs):
    """A start that fails at once is said; after a first run it is tried until it works."""
    with supervise(tmp_path, child) as supervisor:
        assert supervisor.wait(20) == code
    assert len((tmp_path / "runs").read_text()) == runs


def test_a_signal_between_two_runs_ends_it_at_once(tmp_path):
    """Nothing is started anew after it, however long the pause would have been."""
    with supervise(tmp_path, "os.kill(os.getpid(), 9)", first_pause_s=60) as supervisor:
        assert "started anew in 60 s" in supervisor.stdout.readline()
        supervisor.terminate()
        assert supervisor.wait(20) == 3
    assert (tmp_path / "runs").read_text() == "x"


def test_a_closed_terminal_does_not_keep_an_engine_from_being_started_anew(tmp_path):
    """The supervisor's word goes nowhere, and it goes on."""
    ours, theirs = os.openpty()
    told = SUPERVISED.replace("lambda text: print(text, flush=True)", "_say")
    text = f"from console.carrier.commands import _say\n{told}"
    child = "sys.exit(0) if runs > 1 else (time.sleep(0.5), os.kill(os.getpid(), 9))"
    command = [sys.executable, "-c", text, COUNTED + child, str(tmp_path / "runs"), "0.05"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as supervisor:  # noqa: S603  # our own program
        os.close(theirs)
        os.close(ours)
        assert supervisor.wait(20) == 0
    assert (tmp_path / "runs").read_text() == "xx"


def test_a_signal_is_passed_on_and_its_outcome_is_the_supervisors(tmp_path):
    """The engine settles; nothing is started after that."""
    child = "signal.signal(15, lambda *_: sys.exit(3)); print('up', flush=True); time.sleep(30)"
    with supervise(tmp_path, child) as supervisor:
        assert supervisor.stdout.readline() == "up\n"
        supervisor.terminate()
        assert supervisor.wait(20) == 3
    assert (tmp_path / "runs").read_text() == "x"
