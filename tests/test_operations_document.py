"""docs/operations.md knows every alert: what the engine can say is in it, and what its tables quote is in the code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SAYS = frozenset({
    "alert", "_alert", "announce", "HedgeDelta", "Alert", "told", "held", "hold", "halt", "halt_for_good", "trip",
    "venue_lost", "_say", "StopMakers", "Held", "_wait",
})  # fmt: skip
"""What the operator is told by."""
GAP = "…"
SHORTEST = 12
"""Characters, gaps left out, from which a text is a sentence of its own and no part of another."""


def patterns(tree: ast.AST) -> Iterator[str]:
    """Every text that stands in a piece of code, with a gap for what is put in; names of tasks are left out."""
    out = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "start":
            out |= {id(each) for each in node.args}
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=parts) if id(node) not in out:
                yield "".join(str(each.value) if isinstance(each, ast.Constant) else GAP for each in parts)
            case ast.Constant(value=str(text)) if id(node) not in out:
                yield text


def names_called(function: ast.AST) -> set[str]:
    calls = [each.func for each in ast.walk(function) if isinstance(each, ast.Call)]
    return {each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "") for each in calls}


def told() -> dict[str, str]:
    """What the engine tells the operator: each text, and the function that it stands in."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "oms").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or not names_called(function) & SAYS:
                continue
            docstring = ast.get_docstring(function, clean=False)
            for text in patterns(function):
                said = text.replace(GAP, "").strip()
                if text != docstring and " " in said and len(said) >= SHORTEST:
                    found[text] = f"{path.name}, {function.name}"
    return found


def quoted() -> list[str]:
    """The first cell of each row under "What it says"."""
    part = DOCUMENT.partition("## What it says")[2].partition("\n## ")[0]
    rows = [line.strip("|").split(" | ")[0].strip() for line in part.splitlines() if line.startswith("| ")]
    return [row for row in rows if row not in {"it says", "waits"}]


TOLD = told()
EVERYWHERE = {
    text for path in (ROOT / "oms").rglob("*.py") for text in patterns(ast.parse(path.read_text(encoding="utf-8")))
}


def test_there_is_much_to_be_told() -> None:
    """The search finds what the engine says: it cannot rot into nothing."""
    assert len(TOLD) > 60
    assert any(place.startswith("killswitch.py") for place in TOLD.values())


@pytest.mark.parametrize("text", TOLD, ids=list(TOLD.values()))
def test_what_the_engine_can_say_is_in_the_runbook(text: str) -> None:
    """Word for word, with a gap for what is put in."""
    assert text in DOCUMENT


@pytest.mark.parametrize("row", quoted())
def test_what_the_runbook_quotes_the_engine_says(row: str) -> None:
    """No row is about a text that is no more."""
    assert row in EVERYWHERE
