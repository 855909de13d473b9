"""The long run: damaged messages of all venues, read in several processes."""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.damage import damaged
from tests.fuzz.readers import BrokenPromiseError, examine
from tests.fuzz.seeds import KINDS, recorded, seeds

CHUNK = 1_000
"""Examples in one run of Hypothesis: it remembers every one of them, so that runs must be short."""

SHOWN = 2_000
"""Letters of a finding that are printed."""

Task = tuple[str, int, int]


def chunk(task: Task) -> tuple[str, int, str]:
    """One run under one seed: the kind of venue, how many examples were read, and the finding if there is one."""
    kind, number, examples = task
    done = 0

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(damaged(seeds(kind)))
    def check(raw: bytes) -> None:
        nonlocal done
        done += 1
        examine(kind, raw)

    try:
        check()
    except BrokenPromiseError as error:
        return kind, done, f"seed {number}: {error}"
    return kind, done, ""


def tasks(kinds: list[str], examples: int, first: int) -> Iterator[Task]:
    """Chunks for every kind in turn, until each has its examples."""
    for number, done in enumerate(range(0, examples, CHUNK), start=first):
        for kind in kinds:
            yield kind, number, min(CHUNK, examples - done)


def main() -> int:
    """Run the chunks; print what was read and found; return the exit code, 0 only if nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=200_000, help="for each venue (default 200,000)")
    parser.add_argument("--venues", default=",".join(KINDS), help="kinds of venue, with commas between")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=1, help="of the first chunk; each has the next (default 1)")
    given_ = parser.parse_args()
    kinds = given_.venues.split(",")
    for kind in kinds:
        beside = len(recorded(kind))
        print(f"{kind}: {len(seeds(kind))} messages to damage, {beside or 'none'} of them recorded", flush=True)
    read, findings, began = Counter[str](), list[str](), time.monotonic()
    with multiprocessing.get_context("spawn").Pool(given_.processes, maxtasksperchild=50) as pool:
        for kind, done, finding in pool.imap_unordered(chunk, tasks(kinds, given_.examples, given_.seed)):
            before, read[kind] = read[kind], read[kind] + done
            if read[kind] // 50_000 > before // 50_000:
                print(f"... {kind} {read[kind]:,}", file=sys.stderr, flush=True)
            if finding:
                findings.append(finding)
                print(f"--- {finding[:SHOWN]}", flush=True)
    for kind in kinds:
        print(f"{kind:>12} {read[kind]:>10,} examples")
    print(f"{sum(read.values()):,} examples, {len(findings)} findings, {time.monotonic() - began:.0f} s")
    return 1 if findings else 0
