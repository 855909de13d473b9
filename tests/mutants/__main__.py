"""``python -m tests.mutants``: break one rule at a time in a copy of the tree and see which tests notice.

Prints a table, broken rule by broken rule; exit code 0 only when the state machine and the tests named for it notice
every one, and when they are quiet on the copy that is not broken.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("oms", "gateways", "console", "tests", "themes", "pyproject.toml")
SECONDS = 240
"""For one run of tests; one that takes longer has not noticed anything."""


class Stale(Exception):
    """A text of the table is not in the source, or not once."""


def copy_tree(into):
    """A copy of the project's sources, without what runs leave behind."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, into / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy2(source, into / name)


def break_rule(tree, mutant: Mutant):
    """Apply a broken rule to a copy. Raises Stale when a text does not stand there exactly once, or does not fit."""
    for change in mutant.changes:
        path = tree / change.path
        text = path.read_text()
        if text.count(change.old) != 1:
            raise Stale(f"{mutant.rule}: {change.path} holds {text.count(change.old)} times: {change.old!r}")
        broken = text.replace(change.old, change.new)
        try:
            compile(broken, change.path, "exec")
        except SyntaxError as error:
            raise Stale(f"{mutant.rule}: {change.path} is no program any more: {error}") from error
        path.write_text(broken)


def run(tree, *arguments):
    """Run Python on the copy; its exit code and what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(  # noqa: S603 - our own interpreter and our own modules
            [sys.executable, *arguments], cwd=tree, env=environment, capture_output=True, text=True, timeout=SECONDS,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 0, "took too long"
    return ended.returncode, ended.stdout + ended.stderr


def noticed_by_tests(tree, tests):
    """The first test that fails; empty when none does."""
    code, said = run(tree, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests)
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    if code and not found:
        raise Stale(f"the tests could not run:\n{said[-2000:]}")
    return found.group(1) if found else ""


def noticed_by_machine(tree, steps, processes):
    """What the state machine found, in its words; empty when nothing."""
    code, said = run(
        tree, "-m", "tests.machine", "--steps", str(steps), "--processes", str(processes), "--findings", "1",
        "--length", "80",
    )  # fmt: skip
    if not code:
        return ""
    found = re.search(r"^(?:AssertionError|\w+Error|\w+(?:\.\w+)+): ?(.*)", said, re.MULTILINE)
    return found.group(0)[:90] if found else said.strip().splitlines()[-1][:90]


def judged(mutant, chosen):
    """Run what should notice a broken rule (None: nothing is broken) on a fresh copy."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        code, where = run(tree, "-c", "import oms.hedge.kernel as k; print(k.__file__)")
        if code or not where.startswith(str(tree)):
            raise Stale(f"the copy is not what would be tested: {where}")
        if mutant is not None:
            break_rule(tree, mutant)
            tests = mutant.tests
        else:
            tests = tuple(sorted({test for each in MUTANTS for test in each.tests}))
        return noticed_by_tests(tree, tests), noticed_by_machine(tree, chosen.steps, chosen.processes)


def main():
    """Judge the tree as it is, then every broken rule."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--steps", type=int, default=40_000, help="how long the state machine looks, at most")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="broken rules whose name holds this text")
    chosen = parser.parse_args()
    began, missed = time.monotonic(), 0
    test, words = judged(None, chosen)
    if test or words:
        print(f"the tree that is not broken is not quiet: {test or words}")
        return 2
    print("| broken rule | test that fails | what the state machine says |\n|---|---|---|", flush=True)
    for mutant in MUTANTS:
        if chosen.only in mutant.rule:
            test, words = judged(mutant, chosen)
            missed += not (test or words)
            print(f"| {mutant.rule} | {test or 'none'} | {words or 'nothing'} |", flush=True)
    print(f"\n{len(MUTANTS)} broken rules, {missed} not noticed, {time.monotonic() - began:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
