"""The lock is pinned, hashed, complete and what is installed; each way of not being so is found."""

import hashlib
from base64 import urlsafe_b64encode
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from tests.audit.lock import COPYLEFT, asked_for, changed, different, installed, licence, missing, read

ROOT = Path(__file__).parents[2]
HASH = "--hash=sha256:" + "0a" * 32
PROJECT = """
[build-system]
requires = ["setuptools>=77"]
[project]
dependencies = ["one>=1,<2"]
[project.optional-dependencies]
dev = ["two==2.*"]
"""


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-conformance.lock"])
def test_every_line_of_the_locks_is_a_pinned_and_hashed_package(name: str) -> None:
    """No address, no option, no range; and nothing that is asked for is missing."""
    pins, problems = read((ROOT / name).read_text(encoding="utf-8"))
    assert problems == []
    assert len(pins) > 50
    assert all(pin.hashes for pin in pins)


def test_what_is_asked_for_is_locked_and_what_is_locked_is_installed() -> None:
    """As this very environment has it."""
    pins, _ = read((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert list(missing(pins, asked_for((ROOT / "pyproject.toml").read_text(encoding="utf-8"), "dev"))) == []
    assert list(different(pins, {name: package.version for name, package in installed().items()})) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("one>=1", "'one>=1' pins no version"),
        ("one==1.*", "pins no version"),
        ("one @ https://example.org/one.whl", "pins no version"),
        ("git+https://example.org/one", "pins no version"),
        ("--index-url https://example.org", "pins no version"),
        ("-e .", "pins no version"),
        ("one==1.0", "one 1.0 is not hashed"),
        ("one==1.0 \\\n    --hash=md5:0a0a", "one 1.0 is not hashed, or not by sha256"),
        (f"one==1.0 \\\n    {HASH}\nOne==1.1 {HASH}", "one is locked twice"),
    ],
)
def test_a_line_that_is_not_so_is_told(line: str, said: str) -> None:
    """Each in one sentence that names it."""
    [problem] = read(f"# a comment\n{line}\n")[1]
    assert said in problem


def test_what_is_missing_or_outside_of_what_is_asked_for_is_told() -> None:
    """To run, to be built, for an extra."""
    pins, problems = read(f"one==2.0 {HASH}\ntwo==2.5 {HASH}\n")
    assert problems == []
    assert list(missing(pins, asked_for(PROJECT, "dev"))) == [
        "one is locked at 2.0, and <2,>=1 is asked for",
        "setuptools is asked for and not locked",
    ]


def test_what_is_installed_otherwise_is_told() -> None:
    """In another version, not at all, or without being locked; what belongs to another system may be missing."""
    pins, _ = read(f"one==2.0 {HASH}\ntwo==2.5 {HASH}\nthree==1 ; sys_platform == 'none' {HASH}\n")
    assert list(different(pins, {"one": "2.1", "four": "4", "pip": "1"})) == [
        "one is locked at 2.0, and 2.1 is installed",
        "two is locked at 2.5, and nothing is installed",
        "four 4 is installed and not locked",
    ]


def test_a_file_that_was_changed_after_it_was_installed_is_told(tmp_path: Path) -> None:
    """By the record that the installer left beside it."""
    code, info = tmp_path / "one.py", tmp_path / "one-1.0.dist-info"
    code.write_bytes(b"print(1)\n")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: one\nVersion: 1.0\nLicense: GPL v3\n")
    digest = urlsafe_b64encode(hashlib.sha256(code.read_bytes()).digest()).rstrip(b"=").decode()
    (info / "RECORD").write_text(f"one.py,sha256={digest},9\n")
    package = Distribution.at(info)
    assert list(changed(package)) == []
    code.write_bytes(b"print(2)\n")
    assert list(changed(package)) == ["one.py"]
    assert COPYLEFT.search(licence(package))
    assert not COPYLEFT.search("GNU Lesser General Public License v3 (LGPLv3)")
