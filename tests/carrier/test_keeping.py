"""While an engine is down that somebody keeps running, nobody takes its desk over or is told that there is none."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys

import msgspec
import pytest

from console.carrier.finding import down, engine_of, engines
from console.carrier.keeping import Kept, all_kept, claim, keeper_of, keeping
from console.status import StatusFile, running_desks
from tests.carrier.engines import short_folder
from tests.carrier.stalls import Terminal, arena
from tests.desk import until

KEPT = Kept(pid=os.getpid(), profile="live", config="/c.toml", desk="east", kill_file="/none/panic")
RESTING = "buy 0.01 hyperliquid:ETH @ 1500 post hedge binance:ETHUSDT market"


def test_a_keeper_is_known_from_its_claim_to_its_end(tmp_path):
    """By the desk that its engine wrote there; what a killed one left is nobody's and is removed."""
    with keeping(tmp_path) as file:
        assert all_kept(tmp_path) == []
        claim(file, msgspec.structs.replace(KEPT, desk="a name that is longer than the next one"))
        claim(file, KEPT)
        assert all_kept(tmp_path) == [KEPT] == down(tmp_path) == down(tmp_path, "east") == down(tmp_path, "live")
        assert keeper_of(tmp_path, "live", "/c.toml") == KEPT
        assert keeper_of(tmp_path, "live", "") is None
        assert down(tmp_path, "west") == []
        assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == []
    left = tmp_path / "1.keeper"
    left.write_bytes(msgspec.json.encode(KEPT))
    assert all_kept(tmp_path) == []
    assert not left.exists()


def test_nobody_takes_a_file_for_left_over_that_is_just_being_made(tmp_path, monkeypatch):
    """A console that looks for engines at that moment neither removes a keeper's file nor an engine's own."""
    real = fcntl.flock

    def looked_at_before_it_is_locked(file, how):
        if how & fcntl.LOCK_EX:
            assert running_desks(tmp_path) == []
            assert all_kept(tmp_path) == []
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", looked_at_before_it_is_locked)
    with keeping(tmp_path) as file:
        status = StatusFile(tmp_path)
        assert sorted(tmp_path.iterdir()) == sorted([file, status.path])
        status.close()
    assert not list(tmp_path.iterdir())


def test_the_operating_system_lets_go_of_a_keepers_file_when_it_is_killed(tmp_path):
    """However it ended, its desk is kept no more."""
    text = """if True:
        import pathlib, sys, time
        from console.carrier.keeping import Kept, claim, keeping
        with keeping(pathlib.Path(sys.argv[1])) as file:
            claim(file, Kept(pid=1, profile="p", config="", desk="d", kill_file=""))
            print("held", flush=True)
            time.sleep(60)
    """
    command = [sys.executable, "-c", text, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as keeper:  # noqa: S603  # our own program
        assert keeper.stdout.readline() == "held\n"
        assert [kept.profile for kept in all_kept(tmp_path)] == ["p"]
        keeper.kill()
        keeper.wait(10)
    assert all_kept(tmp_path) == []


def test_a_kept_engine_is_waited_for_until_nobody_keeps_it(tmp_path):
    """Then there is none, and the caller may start its own."""
    said: list[str] = []
    with contextlib.ExitStack() as stack:
        claim(stack.enter_context(keeping(tmp_path)), KEPT)

        def ends(text: str) -> None:
            said.append(text)
            stack.close()

        assert engine_of(tmp_path, "live", "/c.toml", ends) is None
    assert said == [f"the engine of live is being started by process {os.getpid()} …"]
    assert engine_of(tmp_path, "live", "/c.toml", said.append) is None
    assert len(said) == 1


@pytest.fixture
def ring():
    """Venues, and room for engines and consoles on them."""
    with short_folder() as folder, arena(folder) as made:
        yield made


@pytest.fixture
def words(ring, tmp_path):
    """The options of a profile of real accounts."""
    return ring.profile(tmp_path)


def test_in_the_gap_of_a_restart_nobody_takes_the_desk_over(ring, words):
    """A desk of its own would end by cancelling the makers that rest; a second supervisor would come back for ever."""
    first = ring.start_engine(*words)
    placed = ring.say("exec", *words, "arm looped", RESTING)
    assert placed.returncode == 0, placed.stdout + placed.stderr
    assert "no supervisor" not in ring.say("status").stdout
    with contextlib.ExitStack() as stack:
        with ring.gap(first):
            told = ring.say("status")
            assert (told.returncode, "ITS ENGINE IS NOT UP" in told.stdout) == (1, True)
            rival = ring.say("engine", *words)
            assert (rival.returncode, "keeps the engine of loop" in rival.stderr) == (1, True)
            ran = stack.enter_context(ring.run("exec", *words, "verify"))
            assert "is being started" in ran.stderr.readline()
            console = stack.enter_context(contextlib.closing(Terminal(words, ring.environment)))
            console.until(b"is being started")
        assert ran.wait(40) == 0, ran.stderr.read()
        assert json.loads(ran.stdout.read().splitlines()[-1])["consistent"]
        console.until(b"LIVE SAFE")
        again = ring.found(but=first.pid)
        assert again.makers == 1
        with ring.gap(again):
            panicked = stack.enter_context(ring.run("panic"))
            assert "waiting for it" in panicked.stdout.readline()
        assert panicked.wait(40) == 0, panicked.stdout.read()
        assert "makers left: 0" in panicked.stdout.read()
    assert ring.stop() == 0
    assert ring.findings().clean, ring.findings().sentences
    assert not list(ring.running.iterdir())


def test_of_two_consoles_at_once_one_starts_the_engine_and_both_attach(ring, words):
    """Whichever comes second waits for the first one's engine."""
    consoles = [Terminal(words, ring.environment) for _ in range(2)]
    try:
        for console in consoles:
            console.until(b"LIVE SAFE")
        status = ring.found()
        assert [kept.profile for kept in all_kept(ring.running)] == ["loop"]
    finally:
        for console in consoles:
            console.close()
    os.kill(status.pid, signal.SIGTERM)
    ring.gone(status.pid)


async def test_a_console_finds_an_engine_on_paper_that_was_started_anew_elsewhere(ring):
    """Its venues are new ones, so its journal and its socket lie elsewhere; the console is told of the new desk."""
    first = ring.start_engine()
    with contextlib.closing(Terminal(["attach"], ring.environment)) as console:
        console.until(b"PAPER")
        with ring.gap(first):
            console.until(b"engine was lost")
        again = ring.found(but=first.pid)
        assert again.socket != first.socket
        await until(lambda: [one.consoles for one in engines(ring.running)] == [1], 30)
    assert ring.stop() == 0
