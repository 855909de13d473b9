"""The seeds of the matrix: a row runs with all of them, a quick row with its first also in every ``make test``."""

import pytest

SEEDS = (1, 2, 3, 4, 5, 6, 7)


def _seeds(quick):
    return [pytest.param(seed, marks=() if seed in quick else (pytest.mark.matrix,)) for seed in SEEDS]


def row(test):
    """A quick row of the fault matrix: its first seed belongs to the daily tests, the others to the matrix."""
    return pytest.mark.parametrize("seed", _seeds({1}))(test)


def slow_row(test):
    """A row that waits for an acceptance window or the like: it belongs to the matrix alone."""
    return pytest.mark.parametrize("seed", _seeds(set()))(test)
