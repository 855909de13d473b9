"""Random sessions of the whole desk in memory, judged by the exchanges' own fills. Thousands: ``make simulate``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.session import run

ROOT = Path(__file__).parents[2]


def _said(result):
    return [f"seed {result.seed}", *result.verdict.findings, *result.exceptions]


@pytest.mark.parametrize("seed", range(1, 13))
def test_nothing_is_lost_or_doubled(seed):
    """I1 to I5: what the exchanges filled of makers is hedged there, but for what no order can be made of."""
    result = run(seed)
    assert result.clean, _said(result)
    assert result.makers > 0


@pytest.mark.parametrize("seed", range(101, 119))
def test_faults_cost_nothing(seed):
    """The same, whatever fails on the way to the venues and back, once it has ended."""
    result = run(seed, faults=True)
    assert result.clean, _said(result)


@pytest.mark.parametrize("seed", range(301, 309))
def test_a_killed_desk_goes_on_where_it_was(seed):
    """I6: ended at any record or message, a desk comes to the same target on its journal, faults or not."""
    result = run(seed, faults=seed % 2 == 0, kills=True)
    assert result.clean, _said(result)


def test_the_sessions_do_something():
    """Makers fill, hedges go out and faults strike: a session in which nothing happens proves nothing."""
    results = [run(seed, faults=True, kills=True) for seed in range(201, 211)]
    assert sum(result.fills for result in results) >= 40
    assert sum(result.hedges for result in results) >= 40
    assert sum(sum(result.faults.values()) for result in results) >= 60
    assert sum(result.kills for result in results) >= 6


@pytest.mark.parametrize(("faults", "kills"), [(False, False), (True, False), (True, True)])
def test_the_same_seed_gives_the_same_session(faults, kills):
    """The journal and the exchanges' books are the same to the byte; another seed gives others."""
    first, again, other = (run(seed, faults=faults, kills=kills) for seed in (7, 7, 8))
    assert first == again
    assert first.digest != other.digest


def test_another_process_runs_the_same_session():
    """Nothing depends on the order in which Python's hashes put things."""
    script = "from tests.simulation.session import run; print(run(9, faults=True).digest)"
    digests = {
        subprocess.run(  # noqa: S603 - our own interpreter and a constant
            [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT, timeout=60,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(digests) == 1
