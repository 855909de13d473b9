"""The long run: ``python -m tests.machine --steps 1000000``. Prints what was done; exit code 0 only if all held."""

import argparse
import multiprocessing
import time
import traceback
from collections import Counter

import hypothesis.core
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import HypothesisException
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.desk import Crashed
from tests.machine.machine import HedgeMachine

REPORT = 100_000
"""A line of progress every so many steps."""
EXAMPLES = 100
"""Schedules in one run of Hypothesis: it remembers every one of them, so that runs must be short."""


def chunk(task):
    """One run under one seed: what was done, and the finding if there is one."""
    seed, length, shrink = task
    HedgeMachine.done.clear()
    hypothesis.core.global_force_seed = seed
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    chosen = settings(
        max_examples=EXAMPLES, stateful_step_count=length, deadline=None, database=None, phases=phases,
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    finding = ""
    try:
        run_state_machine_as_test(HedgeMachine, settings=chosen)
    except (Exception, HypothesisException, Crashed):  # noqa: BLE001 - a finding is reported, whatever it is
        finding = traceback.format_exc()
    return seed, Counter(HedgeMachine.done), finding


def brief(finding):
    """The last lines of the desk's and the machine's own code, and what was found."""
    lines = finding.splitlines()
    own = [line.strip() for line in lines if "/oms/" in line or "/tests/machine/" in line]
    found = [line for line in lines if line.startswith(("AssertionError", "assert"))] or lines[-1:]
    return "\n".join(own[-8:] + found)


def main():
    """Run chunks in several processes until the steps are done."""
    parser = argparse.ArgumentParser(prog="python -m tests.machine", description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000, help="how many steps in all")
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--length", type=int, default=80, help="the longest schedule")
    parser.add_argument("--seed", type=int, default=1, help="of the first chunk; each chunk has the next")
    parser.add_argument("--shrink", action="store_true", help="shrink what is found (slow)")
    parser.add_argument("--story", action="store_true", help="print the whole schedule of what is found")
    parser.add_argument("--findings", type=int, default=3, help="stop after so many")
    chosen = parser.parse_args()
    done, findings, began = Counter(), 0, time.monotonic()
    tasks = ((seed, chosen.length, chosen.shrink) for seed in range(chosen.seed, chosen.seed + 1_000_000))
    with multiprocessing.get_context("spawn").Pool(chosen.processes, maxtasksperchild=20) as pool:
        running = [pool.apply_async(chunk, (next(tasks),)) for _ in range(chosen.processes * 2)]
        while running:
            seed, counts, finding = running.pop(0).get()
            if (done["steps"] + counts["steps"]) // REPORT > done["steps"] // REPORT:
                print(f"... {done['steps'] + counts['steps']:,} steps, {findings} violations", flush=True)
            done += counts
            if finding:
                findings += 1
                print(f"--- seed {seed}\n{finding if chosen.story else brief(finding)}", flush=True)
            if done["steps"] < chosen.steps and findings < chosen.findings:
                running.append(pool.apply_async(chunk, (next(tasks),)))
    steps, examples = done.pop("steps", 0), done.pop("examples", 0)
    for what, times in sorted(done.items()):
        print(f"  {times:>9,}  {what}")
    seconds = time.monotonic() - began
    print(f"{steps:,} steps, {examples:,} schedules, {findings} violations, {seconds:.0f} s")
    return 1 if findings else 0
