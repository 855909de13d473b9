"""The paper venues' process: started, read, ended, and every way in which that can go wrong."""

import os
import signal
import socket
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from console.papers import PaperError, PaperProcess, PaperSettings

LINE = '{"venues": {"binance": {"rest": "http://127.0.0.1:1", "ws": "ws://127.0.0.1:1", "key": "k", "secret": "s"}}}'


def program(text: str) -> tuple[str, ...]:
    """A Python program that stands in for the venues."""
    return (sys.executable, "-c", f"import os, signal, sys, threading\n{text}")


def wait_until_closed(address: socket.socket) -> None:
    """Wait for the other end of a connection to go away."""
    address.settimeout(20)
    assert address.recv(1) == b""


def connection(rest: str) -> socket.socket:
    """A connection to a venue."""
    place = urlsplit(rest)
    assert place.hostname
    assert place.port
    return socket.create_connection((place.hostname, place.port), timeout=5)


def test_the_venues_are_ready_inside_and_gone_outside() -> None:
    """Inside the context both venues answer on loopback; outside nobody listens there any more."""
    with PaperProcess(PaperSettings(seed=11)) as papers:
        assert sorted(papers.endpoints) == ["binance", "hyperliquid"]
        pid = papers.pid
        assert pid is not None
        assert os.getsid(pid) != os.getsid(0), "ctrl+c in the terminal must not reach the venues"
        places = [place.rest for place in papers.endpoints.values()]
        for rest in places:
            connection(rest).close()
    assert papers.pid is None
    for rest in places:
        with pytest.raises(ConnectionRefusedError):
            connection(rest)


def test_the_same_seed_gives_the_same_keys() -> None:
    """What was asked for reaches the venues: the seed decides the accounts."""
    with PaperProcess(PaperSettings(seed=11)) as one, PaperProcess(PaperSettings(seed=12)) as other:
        keys = [papers.endpoints["binance"].key for papers in (one, other)]
        with PaperProcess(PaperSettings(seed=11, venues=("binance",))) as again:
            assert list(again.endpoints) == ["binance"]
            assert again.endpoints["binance"].key == keys[0] != keys[1]


def test_the_venues_end_with_whoever_started_them() -> None:
    """When the desk is killed outright the venues notice and end."""
    desk = (
        "import time; from console.papers import *; papers = PaperProcess(PaperSettings(venues=('binance',)));"
        "print(papers.start()['binance'].rest, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(program(desk), stdout=subprocess.PIPE, text=True) as owner:  # noqa: S603  # our own program
        assert owner.stdout is not None
        with connection(owner.stdout.readline().strip()) as to_venue:
            owner.kill()
            wait_until_closed(to_venue)


def test_a_recording_that_is_not_there_is_the_callers_fault(tmp_path: Path) -> None:
    """What the venues refuse to be asked for comes back as their own sentence, marked as bad usage."""
    settings = PaperSettings(market=tmp_path / "absent.csv", ticker="FXS", speed=Decimal(60))
    with pytest.raises(PaperError, match=r"status 2 .*absent\.csv") as refused:
        PaperProcess(settings).start()
    assert refused.value.usage


def test_the_settings_are_the_venues_arguments() -> None:
    """Every setting is an argument; those of a recording only where there is one."""
    assert PaperSettings().arguments() == ["--venues", "binance,hyperliquid", "--seed", "7"]
    settings = PaperSettings(venues=("binance",), seed=3, market=Path("f.csv"), ticker="FXS", speed=Decimal("2.50"))
    assert settings.arguments()[2:] == ["--seed", "3", "--market", "f.csv", "--ticker", "FXS", "--speed", "2.50"]


@pytest.mark.parametrize(
    ("venues", "words"),
    [
        ("sys.exit('no port is free')", "ended with status 1 instead of starting: no port is free"),
        ("print('ready')", "cannot be read"),
        ("print('[]')", "cannot be read"),
        ("print('no luck', file=sys.stderr, flush=True); threading.Event().wait()", "not ready within 0.5 s"),
        ("os.close(1); threading.Event().wait()", "did not say where they are"),
    ],
    ids=["exit", "words", "list", "silence", "closed"],
)
def test_a_start_that_fails_is_one_sentence_and_leaves_nothing(venues: str, words: str) -> None:
    """Whatever the venues do instead of starting becomes one sentence, and their process is gone."""
    papers = PaperProcess(command=program(venues), start_s=0.5 if "no luck" in venues else 20, stop_s=0.5)
    with pytest.raises(PaperError, match=words) as failed:
        papers.start()
    assert "\n" not in str(failed.value)
    assert not failed.value.usage
    assert papers.pid is None


def test_a_program_that_is_not_there_is_one_sentence() -> None:
    """A program that cannot be started at all is said so."""
    with pytest.raises(PaperError, match="cannot be started"):
        PaperProcess(command=("/nowhere/at/all",)).start()


def test_venues_that_do_not_listen_to_sigterm_are_killed() -> None:
    """Stopping is bounded: what ignores SIGTERM ends by SIGKILL."""
    deaf = f"signal.signal(signal.SIGTERM, signal.SIG_IGN); print('''{LINE}''', flush=True); threading.Event().wait()"
    papers = PaperProcess(command=program(deaf), stop_s=0.2)
    papers.start()
    pid = papers.pid
    assert pid is not None
    papers.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
    papers.stop()


def test_venues_that_say_much_never_block() -> None:
    """Output after the first line is read away, however much it is: megabytes on both pipes do not stop the venues."""
    chatty = (
        f"print('''{LINE}''', flush=True); print('x' * 4_000_000, flush=True);"
        "print('y' * 4_000_000, file=sys.stderr, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    papers = PaperProcess(command=program(chatty))
    papers.start()
    process = papers._process
    assert process is not None
    assert process.wait(20) == -signal.SIGKILL
    papers.stop()


def test_it_starts_once() -> None:
    """A second start is refused while the first one stands."""
    steady = program(f"print('''{LINE}''', flush=True); threading.Event().wait()")
    with PaperProcess(command=steady) as papers, pytest.raises(PaperError, match="started already"):
        papers.start()
