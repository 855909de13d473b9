"""The wheel, installed away from the checkout, is the whole product."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("packaging")

ROOT = Path(__file__).parents[1]

SCRIPT = """buy 0.0137 hyperliquid:ETH @ opponent1 hedge binance:ETHUSDT market
wait idle 10s
quit
"""

SOURCES = ("console", "oms", "gateways", "themes")


def call(*command: str | Path, cwd: Path, text: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a program elsewhere, with nothing of this process's Python settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["HOME"] = str(cwd)
    return subprocess.run(  # noqa: S603  # our own build and our own program
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources so that the checkout keeps no trace of the build."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "copy"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", *SOURCES):
        (copy / name).symlink_to(ROOT / name)
    built = call(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", copy, cwd=folder
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = (folder / "dist").glob("hedgedesk-*.whl")
    return found


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel installed, which sees the locked dependencies and not the checkout.

    The dependencies come by a ``.pth`` line, which adds their folder without reading the ``.pth`` files in it: the
    checkout's own editable install is one of those and stays out.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "env", with_pip=True, symlinks=True)
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    pip = (folder / "env" / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
    installed = call(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    assert installed.returncode == 0, installed.stderr
    (site / "locked.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return folder


def test_the_wheel_holds_the_product_and_nothing_else(wheel: Path) -> None:
    """Every module and theme of the checkout is in it; tests, docs and benches are not."""
    listed = call(sys.executable, "-m", "zipfile", "-l", wheel, cwd=wheel.parent)
    names = {line.split()[0] for line in listed.stdout.splitlines()[1:]}
    for package in SOURCES:
        for file in (ROOT / package).rglob("*"):
            if file.suffix in {".py", ".toml", ".tcss"}:
                assert str(file.relative_to(ROOT)) in names, file
    assert {name.split("/")[0] for name in names} <= {*SOURCES, "hedgedesk-0.1.0.dist-info"}


def test_the_installed_code_is_what_runs(elsewhere: Path) -> None:
    """In the fresh environment every package of ours comes from its own site-packages, in children too."""
    check = "import console, oms, gateways, themes; print(*(p.__path__[0] for p in (console, oms, gateways, themes)))"
    said = call(elsewhere / "env" / "bin" / "python", "-c", check, cwd=elsewhere)
    assert said.returncode == 0, said.stderr
    assert all(Path(path).is_relative_to(elsewhere) for path in said.stdout.split())
    assert len(said.stdout.split()) == 4


def test_the_installed_program_lists_its_themes(elsewhere: Path) -> None:
    """The package data came along."""
    said = call(elsewhere / "env" / "bin" / "hedgedesk", "themes", cwd=elsewhere)
    assert (said.returncode, said.stderr) == (0, "")
    assert {"dark", "light", "cvd"} <= {line.split()[0] for line in said.stdout.splitlines()}


def test_the_installed_program_hedges(elsewhere: Path) -> None:
    """From another folder, on its own paper venues: a maker fills, it is hedged, the venues vouch for the books."""
    said = call(elsewhere / "env" / "bin" / "hedgedesk", "run", "--headless", "--seed", "7", cwd=elsewhere, text=SCRIPT)
    assert (said.returncode, said.stderr) == (0, ""), said.stdout
    summary = json.loads(said.stdout.splitlines()[-1])
    assert (summary["type"], summary["consistent"]) == ("summary", True)
    (book,) = summary["books"]
    assert (book["venue"], book["ticker"], book["target"]) == ("binance", "ETHUSDT", "-0.0137")
