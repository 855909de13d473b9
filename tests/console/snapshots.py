"""Screens as plain text, kept in files that a diff can be read of."""

import difflib
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent / "snapshots"


def path_of(name: str, size: tuple[int, int]) -> Path:
    """Where a screen's text is kept."""
    return FOLDER / f"{size[0]}x{size[1]}" / f"{name}.txt"


def plain(text: str) -> str:
    """A screen's text as it is kept: no spaces at the ends of lines, none of the empty lines at the end."""
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip() + "\n"


def write(path: Path, text: str) -> None:
    """Keep a screen's text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(plain(text), encoding="utf-8")


def differences(path: Path, text: str, picture: Callable[[], str], pictures: Path) -> str:
    """How a screen differs from what is kept, as a diff; empty where it does not.

    Where it does, ``picture`` (SVG) is written into the folder ``pictures``, and the diff ends with where it is.
    """
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    if kept == plain(text):
        return ""
    svg = pictures / f"{path.stem}.svg"
    svg.write_text(picture(), encoding="utf-8")
    lines = difflib.unified_diff(kept.splitlines(), plain(text).splitlines(), str(path), "now", lineterm="", n=1)
    return "\n".join([*lines, f"picture: {svg}"])
