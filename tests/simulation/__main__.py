"""Thousands of random sessions: ``python -m tests.simulation --sessions N --first SEED [--faults] [--kills]``.

Prints one table; the exit code is 0 only when every session is clean. ``--seed N --trace`` replays one in full.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec

from tests.simulation.session import Result, run

SHOWN = 10
"""How many failed seeds are named."""


class Totals(msgspec.Struct):
    """Sums over sessions."""

    sessions: int = 0
    makers: int = 0
    fills: int = 0
    hedges: int = 0
    faults: int = 0
    kills: int = 0
    lost: int = 0
    doubled: int = 0
    not_converged: int = 0
    wrong: int = 0
    exceptions: int = 0

    def add(self, result: Result) -> None:
        """Count one session."""
        self.sessions += 1
        self.makers += result.makers
        self.fills += result.fills
        self.hedges += result.hedges
        self.faults += sum(result.faults.values())
        self.kills += result.kills
        self.lost += bool(result.verdict.lost)
        self.doubled += bool(result.verdict.doubled)
        self.not_converged += bool(result.verdict.open)
        self.wrong += bool(result.verdict.wrong)
        self.exceptions += bool(result.exceptions)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for; 0 when all of it is clean."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=1, metavar="SEED")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--faults", action="store_true", help="let things go wrong at random")
    parser.add_argument("--kills", action="store_true", help="end desks as kill -9 does, and start them again")
    parser.add_argument("--seed", type=int, help="run this one session")
    parser.add_argument("--trace", action="store_true", help="with --seed: print all that happens")
    options = parser.parse_args(arguments)
    work = partial(run, faults=options.faults, kills=options.kills)
    if options.seed is not None:
        return _one(options.seed, work, trace=options.trace)
    began = time.monotonic()
    totals, failed = Totals(), list[Result]()
    struck: Counter[str] = Counter()
    for result in _results(range(options.first, options.first + options.sessions), options.processes, work):
        totals.add(result)
        struck.update(result.faults)
        if not result.clean:
            failed.append(result)
    _table(totals, struck, time.monotonic() - began, options.processes)
    for result in sorted(failed, key=lambda each: each.seed)[:SHOWN]:
        _tell(result)
    return 1 if failed else 0


def _results(seeds: range, processes: int, work: Callable[[int], Result]) -> Iterator[Result]:
    if processes == 1:
        yield from map(work, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(work, seeds, chunksize=10)


def _one(seed: int, work: Callable[..., Result], *, trace: bool) -> int:
    result = work(seed, log=print if trace else None)
    print(f"did {result.did}, refused {result.refused}, faults {result.faults}")
    print(f"{result.makers} makers, {result.fills} fills, {result.hedges} hedges, {result.virtual_s:.1f} s virtual")
    print(f"digest {result.digest}")
    _tell(result)
    return 0 if result.clean else 1


def _table(totals: Totals, struck: Counter[str], took_s: float, processes: int) -> None:
    for name, value in msgspec.structs.asdict(totals).items():
        print(f"{name.replace('_', ' '):>15} {value:>10,}")
    for name, count in sorted(struck.items()):
        print(f"{name:>28} {count:>10,}")
    print(f"{took_s:.1f} s with {processes} processes, {totals.sessions / took_s * 60:,.0f} sessions a minute")


def _tell(result: Result) -> None:
    if not result.clean:
        print(f"seed {result.seed}:", file=sys.stderr)
        for text in (*result.verdict.findings, *result.exceptions):
            print(f"   {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
