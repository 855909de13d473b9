"""docs/gateways.md says what the gateways can do."""

import re
from pathlib import Path

import pytest

from gateways.capabilities import capabilities_of, main, renewed, table
from gateways.router import KINDS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "gateways.md"


def test_the_table_of_the_document_is_that_of_the_gateways() -> None:
    """Renew it with ``python -m gateways.capabilities --write docs/gateways.md``."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert renewed(text) == text


def test_every_capability_of_every_venue_has_its_cell() -> None:
    """A row for each field of ``Capabilities`` and one for the environments, a column for each kind."""
    rows = table().splitlines()
    assert rows[0].split("|")[2:-1] == [f" {kind} " for kind in sorted(KINDS)]
    assert len(rows) == 2 + len(capabilities_of("binance").__struct_fields__) + 1
    assert all(len(row.split(" | ")) == len(KINDS) + 1 for row in rows)


def test_the_command_renews_a_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file it prints; with one it renews what stands between the marks, and only that."""
    assert main([]) == 0
    assert capsys.readouterr().out == table()
    document = tmp_path / "some.md"
    document.write_text("a\n<!-- capabilities: begin -->\nold\n<!-- capabilities: end -->\nb\n")
    assert main(["--write", str(document)]) == 0
    assert document.read_text() == f"a\n<!-- capabilities: begin -->\n{table()}<!-- capabilities: end -->\nb\n"
    with pytest.raises(ValueError, match="capabilities: begin"):
        renewed("no marks")


def test_what_the_document_names_is_there() -> None:
    """Every path of the document exists."""
    named = set(re.findall(r"`((?:gateways|tests|docs)/[\w/.-]+)`", DOCUMENT.read_text(encoding="utf-8")))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
