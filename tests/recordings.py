"""The recorded messages of the venues, which lie beside the project and are no part of it: tests skip without them."""

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest

WIRE = Path(__file__).resolve().parents[2] / "shared" / "wire"
"""Their folder; absent on most machines."""

ABSENT = "the recorded messages (../shared/wire) are not beside the project"

needs_recordings = pytest.mark.skipif(not WIRE.is_dir(), reason=ABSENT)
"""Of a test, or as ``pytestmark`` of a module, that reads them."""


def recording(name: str) -> Path:
    """A recording by its path below the folder; skips the test that asks where it is absent."""
    path = WIRE / name
    if not path.exists():
        pytest.skip(f"{ABSENT}: {name}")
    return path


def manifest() -> list[Mapping[str, str]]:
    """A row for each recorded message; none where they are absent."""
    if not WIRE.is_dir():
        return []
    with (WIRE / "MANIFEST.csv").open(newline="", encoding="utf-8") as rows:
        return list(csv.DictReader(rows))
