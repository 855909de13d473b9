"""``make audit``: judge both locks, what is installed and its licences; 1 where anything is wrong.

It asks no network, so it does not know of vulnerabilities that were published: ``uvx pip-audit -r requirements.lock``
does.
"""

import sys
from pathlib import Path

from tests.audit.lock import COPYLEFT, asked_for, changed, different, installed, licence, missing, read

ROOT = Path(__file__).parents[2]
LOCKS = {"requirements.lock": ("dev",), "requirements-conformance.lock": ("conformance",)}


def main() -> int:
    """Judge, print, return the exit code."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    problems: list[str] = []
    for name, extras in LOCKS.items():
        pins, wrong = read((ROOT / name).read_text(encoding="utf-8"))
        asked = asked_for(project, *extras)
        if "dev" not in extras:  # the package is not built from that one
            asked = [each for each in asked if each.name != "setuptools"]
        problems += [f"{name}: {each}" for each in (*wrong, *missing(pins, asked))]
        print(f"{name}: {len(pins)} packages, {sum(pin.hashes for pin in pins)} hashes")
    pins, _ = read((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    here = installed()
    problems += different(pins, {name: package.version for name, package in here.items()})
    print("\ninstalled, with the licence that each names:")
    for name, package in sorted(here.items()):
        named = licence(package)
        print(f"  {name:<28} {package.version:<14} {named or '-'}")
        if COPYLEFT.search(named):
            problems.append(f"{name} is under {named}")
        if name != "hedgedesk":
            problems += [f"{name}: {file} is not the file that was installed" for file in changed(package)]
    print()
    for problem in problems:
        print(f"WRONG: {problem}")
    print(f"{len(problems)} problems" if problems else "nothing wrong")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
